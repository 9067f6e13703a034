//! Where a recorded migration stands in the project: its source file, and the line that a statement comes from.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::cut::{Piece, cut};
use super::own_table::Note;
use super::record::Recording;
use crate::collect::{code_files, tokens};
use crate::migration::{Age, Direction, Framework, Migration, Section, TransactionMode};
use crate::source::{SourceFile, Sources, Span};

/// The migrations of a recording.
#[derive(Debug, Default)]
pub struct Made {
    pub migrations: Vec<Migration>,
    /// How many have a source file in the project.
    pub placed: usize,
    /// The names of those that have none where others have one: they come with libraries, and only build the schema.
    pub of_libraries: Vec<String>,
}

/// A source file of a migration that is code.
struct Candidate {
    path: PathBuf,
    stem: String,
    text: String,
}

impl Recording {
    /// The migrations that were recorded, in order. Those whose source file is in the project point there.
    pub fn migrations(&self, command: &str, project: &Path, sources: &mut Sources) -> Made {
        let candidates: Vec<Candidate> = code_files(project)
            .into_iter()
            .map(|path| {
                let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                Candidate { path, stem, text }
            })
            .collect();
        let mut made = Made::default();
        let mut unplaced = Vec::new();
        for piece in cut(self) {
            let found = source_of(&piece.note, &candidates);
            made.placed += usize::from(found.is_some());
            if found.is_none() && piece.note.name.is_some() {
                unplaced.push(made.migrations.len());
            }
            made.migrations.push(migration(piece, found, command, sources));
        }
        for index in unplaced.into_iter().filter(|_| made.placed > 0) {
            if let Some(migration) = made.migrations.get_mut(index) {
                migration.age = Age::Old;
                made.of_libraries.push(migration.name.clone());
            }
        }
        made
    }
}

/// The file of a migration, by what the tool noted of it.
fn source_of<'c>(note: &Note, candidates: &'c [Candidate]) -> Option<&'c Candidate> {
    let by_name = || called(note.name.as_deref()?, candidates);
    let by_hash = || {
        let hash = note.hash.as_deref()?;
        candidates.iter().find(|candidate| sha256(&candidate.text) == hash)
    };
    // Numbers and names come again in the folders of other histories: only what one file has says it.
    let only = |is_it: &dyn Fn(&Candidate) -> bool| {
        let mut found = candidates.iter().filter(|candidate| is_it(candidate));
        found.next().filter(|_| found.next().is_none())
    };
    let ends = |text: &str, with: &str| {
        text.strip_suffix(with).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '-', '.']))
    };
    let has_version =
        |candidate: &Candidate| note.version.as_deref().is_some_and(|version| is_version(&candidate.stem, version));
    let has_name = |candidate: &Candidate| note.name.as_deref().is_some_and(|name| ends(&candidate.stem, name));
    // `002.do.email.sql` beside `002.undo.email.sql`.
    let goes_back = |candidate: &Candidate| {
        candidate.stem.split(['.', '_', '-']).any(|word| matches!(word, "undo" | "down" | "rollback" | "revert"))
    };
    by_name()
        .or_else(by_hash)
        .or_else(|| only(&|candidate| has_version(candidate) && has_name(candidate) && !goes_back(candidate)))
        .or_else(|| only(&|candidate| has_version(candidate) && !goes_back(candidate)))
        .or_else(|| only(&|candidate| has_name(candidate) && !goes_back(candidate)))
}

/// Whether a file's name begins with a number, however many zeros are in front: `00002_a`, `V2__a`.
fn is_version(stem: &str, version: &str) -> bool {
    let rest = stem.trim_start_matches(['v', 'V']);
    let digits = &rest[..rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len()];
    !digits.is_empty() && digits.trim_start_matches('0') == version.trim_start_matches('0')
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file that a tool calls so.
fn called<'c>(name: &str, candidates: &'c [Candidate]) -> Option<&'c Candidate> {
    let (qualifier, own) = match name.split_once('.') {
        // Django's application; the rest of other names is an ending, or follows a number.
        Some((qualifier, own)) if is_word(qualifier) && own.contains('_') => (Some(qualifier), own),
        _ => (None, name),
    };
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let starts = |text: &str, with: &str| {
        text.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-', '.']))
    };
    let in_folder = |candidate: &&Candidate| {
        qualifier.is_none_or(|app| candidate.path.iter().any(|part| part.to_string_lossy() == app))
    };
    let folder = |candidate: &Candidate| candidate.path.parent().and_then(Path::file_name).map(ToOwned::to_owned);
    let tests: [&dyn Fn(&Candidate) -> bool; 6] = [
        &|candidate| {
            candidate.stem == name
                || candidate.stem == stem
                || Path::new(name).file_name() == candidate.path.file_name()
        },
        // A folder for each migration.
        &|candidate| {
            matches!(candidate.stem.as_str(), "migration" | "up") && folder(candidate).is_some_and(|it| it == name)
        },
        &|candidate| candidate.stem == own && qualifier.is_some(),
        &|candidate| starts(&candidate.stem, name),
        // TypeORM writes the time behind the name, and in front of the file's.
        &|candidate| digits(name).len() >= 8 && digits(&candidate.stem) == digits(name),
        // Alembic's revision may stand in the file only.
        &|candidate| name.len() >= 4 && has_revision(&candidate.text, name),
    ];
    tests
        .iter()
        .find_map(|test| candidates.iter().filter(|candidate| in_folder(candidate)).find(|candidate| test(candidate)))
}

fn is_word(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

/// `revision = 'b2'`, `revision: str = "b2"`.
fn has_revision(text: &str, name: &str) -> bool {
    text.lines()
        .filter(|line| line.trim_start().starts_with("revision"))
        .any(|line| line.split_once('=').is_some_and(|(_, value)| value.trim().trim_matches(['\'', '"']) == name))
}

fn migration(piece: Piece, found: Option<&Candidate>, command: &str, sources: &mut Sources) -> Migration {
    let stem = found.map(|candidate| candidate.stem.clone());
    let name = piece.note.name.clone().or(stem).unwrap_or_else(|| "recorded".to_owned());
    let shown = match found {
        Some(candidate) => candidate.path.display().to_string(),
        None => format!("`{command}` {name}"),
    };
    let lines = found.map(|candidate| Lines::of(&candidate.text)).unwrap_or_default();
    let mut text = String::new();
    for allow in lines.allows.iter().filter(|allow| allow.covers.is_none()) {
        text.push_str(&format!("-- {}\n", allow.as_for_file()));
    }
    let (mut sections, mut places) = (Vec::new(), Vec::new());
    for (index, run) in piece.runs.iter().enumerate() {
        // What stands in front is read with the first part.
        let start = if index == 0 { 0 } else { text.len() };
        for sql in &run.statements {
            let line = lines.line_of(sql);
            for allow in lines.allows.iter().filter(|allow| allow.covers.is_some() && allow.covers == line) {
                text.push_str(&format!("-- {}\n", allow.text));
            }
            places.push((text.len() as u32, line.unwrap_or(1)));
            push_statement(&mut text, sql);
        }
        sections.push((start..text.len(), run.transaction));
    }
    let source = match found {
        Some(_) => SourceFile::recorded(shown.clone(), text, places),
        None => SourceFile::new(shown.clone(), text),
    };
    let file = sources.add(source);
    let section = |(range, transaction): (std::ops::Range<usize>, TransactionMode)| Section {
        span: Span::new(file, range.start, range.end),
        transaction,
        conditional: false,
    };
    Migration {
        name,
        path: PathBuf::from(shown),
        folder: Some(PathBuf::from(format!("`{command}`"))),
        file,
        sections: sections.into_iter().map(section).collect(),
        included: Vec::new(),
        direction: Direction::Up,
        framework: Framework::Plain,
        age: Age::New,
        schema: None,
    }
}

/// A statement by itself, whatever it ends with. The rows of a COPY are not recorded.
fn push_statement(text: &mut String, sql: &str) {
    let sql = sql.trim();
    text.push_str(sql);
    let last = tokens(sql).map(|range| &sql[range]).filter(|token| !token.trim().is_empty()).last();
    match last {
        Some(";") => {}
        Some(comment) if comment.starts_with("--") => text.push_str("\n;"),
        _ => text.push(';'),
    }
    text.push('\n');
    let lower = sql.to_lowercase();
    if lower.starts_with("copy ") && lower.contains("from stdin") {
        text.push_str("\\.\n");
    }
}

/// What the lines of a source file say: names, and allow comments.
#[derive(Default)]
struct Lines {
    /// The words of each line, in lower case and without what sets them off.
    words: Vec<Vec<String>>,
    allows: Vec<Allow>,
}

/// An allow comment in the syntax of the source file's language.
struct Allow {
    /// From `pgassay:` on.
    text: String,
    /// The line that it stands on or above; none for the whole file.
    covers: Option<u32>,
}

impl Allow {
    fn as_for_file(&self) -> String {
        let rest = self.text.trim_start_matches("pgassay:").trim_start();
        match rest.strip_prefix("allow(") {
            Some(rest) => format!("pgassay: allow-file({rest}"),
            None => self.text.clone(),
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| word.len() > 1)
        .map(|word| word.replace('_', "").to_lowercase())
}

impl Lines {
    fn of(text: &str) -> Lines {
        let mut lines = Lines::default();
        let all: Vec<&str> = text.lines().collect();
        for (at, line) in all.iter().enumerate() {
            lines.words.push(words(line).collect());
            let Some(start) = comment_start(line).and_then(|start| Some(start + line[start..].find("pgassay:")?))
            else {
                continue;
            };
            let directive = line[start..].trim_end().trim_end_matches("*/").trim_end().to_owned();
            let is_for_file = directive["pgassay:".len()..].trim_start().starts_with("allow-file");
            let is_alone = comment_start(line).is_some_and(|start| line[..start].trim().is_empty());
            let next = all[at + 1..].iter().position(|line| !line.trim().is_empty() && !is_comment(line));
            let covers = if is_alone { next.map(|next| at + 1 + next) } else { Some(at) };
            let covers = covers.filter(|_| !is_for_file).map(|line| line as u32 + 1);
            lines.allows.push(Allow { text: directive, covers });
        }
        lines
    }

    /// The line that has most of a statement's names: where it comes from, as far as names tell.
    fn line_of(&self, sql: &str) -> Option<u32> {
        let names: Vec<String> = words(sql).filter(|word| !is_keyword(word)).collect();
        let score = |line: &Vec<String>| -> usize {
            let has = |name: &String| line.contains(name);
            names.iter().filter(|name| has(name)).collect::<std::collections::BTreeSet<_>>().len()
        };
        let best = self.words.iter().map(score).max().filter(|best| *best > 0)?;
        self.words.iter().position(|line| score(line) == best).map(|at| at as u32 + 1)
    }
}

/// Words of nearly every statement, which say nothing about where it comes from.
fn is_keyword(word: &str) -> bool {
    const WORDS: [&str; 40] = [
        "create",
        "table",
        "alter",
        "add",
        "column",
        "index",
        "on",
        "not",
        "null",
        "default",
        "primary",
        "key",
        "if",
        "exists",
        "unique",
        "constraint",
        "references",
        "foreign",
        "integer",
        "int",
        "bigint",
        "bigserial",
        "serial",
        "text",
        "varchar",
        "character",
        "varying",
        "timestamp",
        "boolean",
        "set",
        "drop",
        "update",
        "insert",
        "into",
        "values",
        "using",
        "btree",
        "public",
        "id",
        "only",
    ];
    WORDS.contains(&word) || word.chars().all(|character| character.is_ascii_digit())
}

/// Where a comment of any of the languages starts, as far as a line tells.
fn comment_start(line: &str) -> Option<usize> {
    ["#", "//", "--", "/*"].iter().filter_map(|mark| line.find(mark)).min()
}

fn is_comment(line: &str) -> bool {
    comment_start(line) == Some(line.len() - line.trim_start().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(path: &str, text: &str) -> Candidate {
        let path = PathBuf::from(path);
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        Candidate { path, stem, text: text.to_owned() }
    }

    #[test]
    fn the_tools_names_lead_to_files() {
        let all = [
            candidate("db/migrate/20240101000000_add_name.rb", ""),
            candidate("shop/migrations/0001_initial.py", ""),
            candidate("blog/migrations/0001_initial.py", ""),
            candidate("src/migrations/1700000000000-AddName.ts", ""),
            candidate("alembic/versions/add_orders.py", "revision: str = \"b2c3\"\ndown_revision = 'a1'\n"),
            candidate("knex/20240102_x.js", ""),
        ];
        let found = |name: &str| called(name, &all).map(|found| found.path.display().to_string());
        assert_eq!(found("20240101000000").as_deref(), Some("db/migrate/20240101000000_add_name.rb"));
        assert_eq!(found("blog.0001_initial").as_deref(), Some("blog/migrations/0001_initial.py"));
        assert_eq!(found("auth.0001_initial"), None);
        assert_eq!(found("AddName1700000000000").as_deref(), Some("src/migrations/1700000000000-AddName.ts"));
        assert_eq!(found("b2c3").as_deref(), Some("alembic/versions/add_orders.py"));
        assert_eq!(found("20240102_x.js").as_deref(), Some("knex/20240102_x.js"));
        assert_eq!(found("a1"), None);
    }

    #[test]
    fn numbers_hashes_and_folders_lead_to_files() {
        let all = [
            candidate("a/migrations/00002_email.sql", ""),
            candidate("b/migrations/002.do.email_required.sql", ""),
            candidate("b/migrations/002.undo.email_required.sql", ""),
            candidate("c/migrations/20240101000000_x/migration.sql", "select 1;"),
            candidate("d/migrations/0007_mad_hulk.sql", "select 7;"),
            candidate("e/migrations/0007_other.sql", ""),
        ];
        let found = |name: &str, version: &str, hash: &str| {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let note = Note { name: some(name), version: some(version), hash: some(hash) };
            source_of(&note, &all).map(|found| found.path.display().to_string())
        };
        assert_eq!(found("email_required", "2", "").as_deref(), Some("b/migrations/002.do.email_required.sql"));
        assert_eq!(found("20240101000000_x", "", "").as_deref(), Some("c/migrations/20240101000000_x/migration.sql"));
        assert_eq!(found("", "", &sha256("select 7;")).as_deref(), Some("d/migrations/0007_mad_hulk.sql"));
        // Two have the number.
        assert_eq!(found("7", "7", ""), None);
        assert_eq!(
            source_of(&Note { version: Some("2".to_owned()), ..Note::default() }, &all[..1]).map(|it| &*it.stem),
            Some("00002_email")
        );
    }

    #[test]
    fn a_statement_leads_to_its_line_and_allow_comments_to_statements() {
        let text = "class A < ActiveRecord::Migration[7.1]\n  def change\n    # pgassay: allow(blocking-index-build) small\n    add_index :users, :email\n    add_column :users, :age, :integer # pgassay: allow(x) y\n  end\nend\n";
        let lines = Lines::of(text);
        assert_eq!(lines.line_of("CREATE INDEX \"index_users_on_email\" ON \"users\" (\"email\")"), Some(4));
        assert_eq!(lines.line_of("ALTER TABLE \"users\" ADD \"age\" integer"), Some(5));
        let allows: Vec<(Option<u32>, &str)> =
            lines.allows.iter().map(|allow| (allow.covers, allow.text.as_str())).collect();
        assert_eq!(allows, [(Some(4), "pgassay: allow(blocking-index-build) small"), (Some(5), "pgassay: allow(x) y")]);
    }
}
