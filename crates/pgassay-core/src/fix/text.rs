//! A piece as the text of a file, in the words of each tool.

use super::Piece;
use crate::migration::Framework;

/// The way back of one migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Down {
    /// As it is written, with semicolons.
    pub text: String,
    pub alone: bool,
}

impl Down {
    pub fn of(piece: &Piece) -> Down {
        let text: String = piece.down.iter().map(|statement| format!("{statement};\n")).collect();
        Down { alone: piece.down.iter().any(|it| it.contains(" CONCURRENTLY ")), text }
    }

    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The texts of one migration's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub up: String,
    /// Of tools with a file for it.
    pub down: String,
    /// How the tool runs it, where a file beside it says so.
    pub settings: Option<String>,
}

/// The files of a piece. `head` is what stood before the first marker of the file that it comes from.
pub(super) fn texts(framework: Framework, piece: &Piece, head: &str, down: &Down) -> Texts {
    let body = body(framework, piece);
    let back = down.text.trim_matches('\n');
    let mut texts = Texts { up: body.clone(), down: down.text.clone(), settings: None };
    match framework {
        Framework::Goose => {
            // It holds for both halves of a file.
            let alone = piece.alone || down.text.contains(" CONCURRENTLY ");
            let no_transaction = if alone { "-- +goose NO TRANSACTION\n" } else { "" };
            texts.up = format!("{head}{no_transaction}-- +goose Up\n{body}");
            if !down.is_empty() {
                texts.up.push_str(&format!("\n-- +goose Down\n{back}\n"));
            }
        }
        Framework::Dbmate => {
            let mark = |alone: bool| if alone { " transaction:false" } else { "" };
            texts.up =
                format!("{head}-- migrate:up{}\n{body}\n-- migrate:down{}\n", mark(piece.alone), mark(down.alone));
            if !down.is_empty() {
                texts.up.push_str(&format!("{back}\n"));
            }
        }
        Framework::SqlMigrate => {
            let mark = |alone: bool| if alone { " notransaction" } else { "" };
            texts.up = format!("{head}-- +migrate Up{}\n{body}", mark(piece.alone));
            if !down.is_empty() {
                texts.up.push_str(&format!("\n-- +migrate Down{}\n{back}\n", mark(down.alone)));
            }
        }
        Framework::Tern => {
            // It holds for both halves of a file.
            let no_transaction = if piece.alone || down.alone { "---- tern: disable-tx ----\n" } else { "" };
            // The line is there without a way back, too: it is by this that readers know the tool.
            texts.up = format!("{no_transaction}{body}\n---- create above / drop below ----\n");
            if !down.is_empty() {
                texts.up.push_str(&format!("\n{back}\n"));
            }
        }
        Framework::Mybatis if !down.is_empty() => texts.up = format!("{body}\n-- //@UNDO\n{back}\n"),
        Framework::Yoyo => {
            let mark =
                |alone: bool, text: String| if alone { format!("-- transactional: false\n{text}") } else { text };
            texts.up = format!("{head}{}", mark(piece.alone, body));
            texts.down = mark(down.alone, texts.down);
        }
        Framework::PostgresMigrations if piece.alone => {
            texts.up = format!("-- postgres-migrations disable-transaction\n{body}");
        }
        Framework::NodePgMigrate => {
            texts.up = format!("{head}-- Up Migration\n{body}");
            if !down.is_empty() {
                texts.up.push_str(&format!("\n-- Down Migration\n{back}\n"));
            }
        }
        Framework::Sqlx => {
            let mark = |alone: bool, text: String| if alone { format!("-- no-transaction\n{text}") } else { text };
            texts.up = mark(piece.alone, body);
            texts.down = mark(down.alone, texts.down);
        }
        Framework::Atlas if piece.alone => texts.up = format!("-- atlas:txmode none\n\n{body}"),
        Framework::Diesel if piece.alone => texts.settings = Some("run_in_transaction = false\n".to_owned()),
        Framework::Flyway if piece.alone => texts.settings = Some("executeInTransaction=false\n".to_owned()),
        _ => {}
    }
    texts
}

/// The statements, each with its semicolon.
fn body(framework: Framework, piece: &Piece) -> String {
    let statements = piece.statements.iter().map(String::as_str);
    match framework {
        Framework::Goose => statements.map(|it| in_lines(it, "goose")).collect(),
        Framework::SqlMigrate => statements.map(|it| in_lines(it, "migrate")).collect(),
        Framework::Drizzle => {
            statements.map(|it| format!("{it};")).collect::<Vec<_>>().join("\n--> statement-breakpoint\n") + "\n"
        }
        // The first statement of a batch is in no transaction block yet: SET LOCAL would do nothing.
        Framework::Supabase => for_batch(piece),
        _ => statements.map(|it| format!("{it};\n")).collect(),
    }
}

/// goose and sql-migrate cut at every line that ends with a semicolon.
fn in_lines(statement: &str, mark: &str) -> String {
    if statement.contains(';') {
        format!("-- +{mark} StatementBegin\n{statement};\n-- +{mark} StatementEnd\n")
    } else {
        format!("{statement};\n")
    }
}

fn for_batch(piece: &Piece) -> String {
    const LOCAL: &str = "SET LOCAL ";
    let mut text = String::new();
    let mut set: Vec<&str> = Vec::new();
    for statement in &piece.statements {
        match statement.strip_prefix(LOCAL).filter(|_| piece.together) {
            Some(rest) => {
                let name = rest.split([' ', '=']).next().unwrap_or_default();
                set.push(name);
                text.push_str(&format!("SET {rest};\n"));
            }
            None => text.push_str(&format!("{statement};\n")),
        }
    }
    set.iter().for_each(|name| text.push_str(&format!("RESET {name};\n")));
    text
}

/// All pieces in one file whose statements commit one by one.
pub(super) fn in_one_file(framework: Framework, pieces: &[Piece]) -> String {
    match framework {
        Framework::Rambler => in_strings(pieces),
        // Play ends a statement at a semicolon, and takes two for one that does not end it.
        Framework::Play => one_by_one(pieces, |statement| statement.replace(';', ";;")),
        _ => one_by_one(pieces, str::to_owned),
    }
}

/// A new file whose statements commit one by one, with the marks of tools that keep both halves in a file.
pub(super) fn in_halves(framework: Framework, up: String, down: &Down) -> String {
    let back = down.text.trim_matches('\n');
    match framework {
        Framework::Shmig => format!("-- ====  UP  ====\n\n{up}\n-- ==== DOWN ====\n\n{}\n", or_select(back)),
        Framework::Rambler if back.is_empty() => format!("-- rambler up\n\n{up}"),
        Framework::Rambler => format!("-- rambler up\n\n{up}\n-- rambler down\n\n{back}\n"),
        Framework::Play => format!("# --- !Ups\n\n{up}\n# --- !Downs\n\n{back}\n"),
        _ => up,
    }
}

/// shmig refuses an empty half.
fn or_select(back: &str) -> &str {
    if back.is_empty() { "SELECT 1;" } else { back }
}

/// What rambler sends as one string is a transaction.
fn in_strings(pieces: &[Piece]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut limited = false;
    for piece in pieces {
        let sets = |statement: &String| statement.starts_with("SET lock_timeout");
        if piece.alone && std::mem::take(&mut limited) {
            parts.push("RESET lock_timeout;\n".to_owned());
        }
        limited |= piece.statements.iter().any(sets);
        let statements = piece.statements.iter().map(|it| format!("{it};\n"));
        match piece.together {
            true => parts.push(statements.collect()),
            false => parts.extend(statements),
        }
    }
    // The first part is below the mark that is there.
    parts.join("\n-- rambler up\n")
}

fn one_by_one(pieces: &[Piece], written: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut limited = false;
    for piece in pieces {
        if !text.is_empty() {
            text.push('\n');
        }
        if piece.together && piece.statements.len() > 1 {
            // Comments of the first statement stay above the block.
            text.push_str("BEGIN;\n");
            piece.statements.iter().for_each(|it| text.push_str(&format!("{};\n", written(it))));
            text.push_str("COMMIT;\n");
            continue;
        }
        if piece.alone && limited {
            // A build that waits for old transactions would give up.
            text.push_str("RESET lock_timeout;\n");
            limited = false;
        }
        for statement in &piece.statements {
            limited |= statement.starts_with("SET lock_timeout");
            text.push_str(&format!("{};\n", written(statement)));
        }
    }
    text
}
