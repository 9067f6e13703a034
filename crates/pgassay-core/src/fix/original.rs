//! What a file holds besides the statements of its way there: what stands before them, and the way back.

use crate::migration::{Framework, Migration};

/// The parts of a file that its tool keeps together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Original {
    /// Comments before the tool's first marker.
    pub head: String,
    /// The way back, where it is in the same file: the statements, without the marker's line.
    pub down: Option<String>,
    /// The way back runs outside of a transaction.
    pub down_alone: bool,
    /// Its lines end as those of Windows do.
    pub crlf: bool,
}

/// Whether a line is a marker.
type IsMark = fn(&str) -> bool;

impl Original {
    pub fn of(migration: &Migration, text: &str) -> Original {
        Original { crlf: text.contains("\r\n"), ..Original::halves(migration, text) }
    }

    fn halves(migration: &Migration, text: &str) -> Original {
        let marks: Option<(IsMark, IsMark)> = match migration.framework {
            Framework::Goose => Some((|line| is_goose(line, "UP"), |line| is_goose(line, "DOWN"))),
            Framework::Dbmate => {
                Some((|line| line.starts_with("-- migrate:up"), |line| line.starts_with("-- migrate:down")))
            }
            Framework::SqlMigrate => {
                Some((|line| line.starts_with("-- +migrate Up"), |line| line.starts_with("-- +migrate Down")))
            }
            // What is before the way back is the way there.
            Framework::Mybatis => Some((|_| false, is_undo)),
            Framework::Tern => Some((|_| false, |line| line == "---- create above / drop below ----")),
            Framework::NodePgMigrate => Some((|line| is_half(line, "up"), |line| is_half(line, "down"))),
            _ => None,
        };
        if migration.framework == Framework::Yoyo {
            let comments =
                text.lines().take_while(|line| line.trim().is_empty() || line.trim_start().starts_with("--"));
            let depends = comments.filter(|line| line.trim_start_matches(['-', ' ']).starts_with("depends:"));
            return Original { head: depends.map(|line| format!("{line}\n")).collect(), ..Original::default() };
        }
        let Some((is_up, is_down)) = marks else { return Original::default() };
        let mut found = Original::default();
        let mut before = !matches!(migration.framework, Framework::Tern | Framework::Mybatis);
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end();
            if is_down(bare) {
                before = false;
                found.down = Some(String::new());
                found.down_alone = bare.contains("transaction:false") || bare.ends_with(" notransaction");
            } else if is_up(bare) {
                before = false;
            } else if let Some(down) = &mut found.down {
                // The new file gets its own.
                if !(migration.framework == Framework::Goose
                    && bare.contains("+goose")
                    && bare.contains("NO TRANSACTION"))
                {
                    down.push_str(line);
                }
            } else if before && !(migration.framework == Framework::Goose && bare.contains("+goose")) {
                found.head.push_str(line);
            }
        }
        found
    }
}

fn is_goose(line: &str, word: &str) -> bool {
    let Some(rest) = line.strip_prefix("--") else { return false };
    let Some((_, rest)) = rest.split_once("+goose") else { return false };
    rest.trim().eq_ignore_ascii_case(word)
}

fn is_undo(line: &str) -> bool {
    let rest = line.trim().strip_prefix("--").map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with("//") && rest.contains("@UNDO"))
}

pub(super) fn is_half(line: &str, word: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("--") else { return false };
    let words: Vec<String> = rest.trim_matches(['-', ' ']).split_whitespace().map(str::to_lowercase).collect();
    words == [word, "migration"]
}

/// Without the lines that say something to the tool about the file: each new file gets its own.
pub(super) fn without_markers(text: &str, framework: Framework) -> String {
    let is_marker = |line: &str| match framework {
        Framework::Sqlx => line.trim_end() == "-- no-transaction",
        Framework::Atlas => line.starts_with("-- atlas:txmode"),
        Framework::Goose => line.starts_with("--") && line.contains("+goose"),
        Framework::SqlMigrate => line.starts_with("-- +migrate"),
        Framework::Tern => line == "---- tern: disable-tx ----",
        Framework::PostgresMigrations => line.contains("-- postgres-migrations disable-transaction"),
        Framework::Yoyo => {
            let words = line.trim_start_matches('-').trim_start();
            line.starts_with("--") && ["transactional:", "depends:"].iter().any(|name| words.starts_with(name))
        }
        Framework::Mybatis => line.contains("@UNDO"),
        Framework::NodePgMigrate => is_half(line, "up"),
        Framework::Rambler => line.starts_with("-- rambler"),
        Framework::Drizzle => line.trim() == "--> statement-breakpoint",
        _ => false,
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_marker(line)).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn the_way_back_is_what_is_below_its_marker() {
        let read = |framework, text: &str| {
            let migration = Migration { framework, ..Migration::plain("a.sql", FileId(0), text.len()) };
            Original::of(&migration, text)
        };
        let goose = read(Framework::Goose, "-- why\n-- +goose Up\na;\n-- +goose Down\nb;\n");
        assert_eq!((goose.head.as_str(), goose.down.as_deref()), ("-- why\n", Some("b;\n")));
        let dbmate = read(Framework::Dbmate, "-- migrate:up\na;\n\n-- migrate:down transaction:false\nb;");
        assert_eq!((dbmate.down.as_deref(), dbmate.down_alone), (Some("b;"), true));
        assert_eq!(read(Framework::Sqlx, "a;\n-- +goose Down\nb;"), Original::default());
    }
}
