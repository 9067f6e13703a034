//! SQL that a tool prints, `alembic upgrade head --sql`: as if it had been sent, statement by statement.

use std::path::Path;

use super::own_table;
use super::place::Made;
use super::record::{Recording, Sent};
use crate::collect::statements_of;
use crate::source::Sources;

/// The migrations of a text in which the tool notes what it ran; `None` where it notes nothing, and the text is one.
pub fn printed(text: &str, command: &str, project: &Path, sources: &mut Sources) -> Option<Made> {
    let sent =
        |range: std::ops::Range<usize>| Sent { sql: text[range].trim().to_owned(), is_simple: true, ..Sent::default() };
    let statements: Vec<Sent> = statements_of(text).into_iter().map(sent).collect();
    own_table::find(&statements)?;
    let recording = Recording { statements: committed(statements), sessions: 1 };
    Some(recording.migrations(command, project, sources)).filter(|made| made.migrations.len() > 1)
}

/// A text that begins a block and does not end it is read as if it did: whoever runs it does.
fn committed(mut statements: Vec<Sent>) -> Vec<Sent> {
    statements.push(Sent { sql: "COMMIT".to_owned(), is_simple: true, ..Sent::default() });
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::TransactionMode;

    #[test]
    fn every_revision_is_a_migration() {
        let text = "BEGIN;\n\nCREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);\n\n-- Running upgrade  -> a1\n\nCREATE TABLE users (id int);\n\nINSERT INTO alembic_version (version_num) VALUES ('a1') RETURNING version_num;\n\n-- Running upgrade a1 -> b2\n\nALTER TABLE users ALTER COLUMN id SET NOT NULL;\n\nUPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1';\n\nCOMMIT;\n";
        let mut sources = Sources::default();
        let made = printed(text, "alembic upgrade head --sql", Path::new("/nonexistent"), &mut sources).unwrap();
        let names: Vec<&str> = made.migrations.iter().map(|migration| migration.name.as_str()).collect();
        assert_eq!(names, ["a1", "b2"]);
        assert!(made.migrations.iter().all(|migration| migration.sections[0].transaction == TransactionMode::Shared));
        assert!(sources.slice(made.migrations[1].sections[0].span).contains("SET NOT NULL"));
        assert!(
            printed("CREATE TABLE a (n int);\nCREATE TABLE b (n int);", "x", Path::new("/nonexistent"), &mut sources)
                .is_none()
        );
    }
}
