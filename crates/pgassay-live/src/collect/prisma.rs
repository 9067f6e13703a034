//! Prisma Migrate: `<timestamp>_<name>/migration.sql`.
//!
//! Recognised by `migration_lock.toml`, or by folders that start with a timestamp of 14 digits and hold a `migration.sql` (and no
//! `snapshot.json`, which is Drizzle's). The engine sends the whole script as one simple query; from 7.4 on it cuts the script with
//! sqlparser and sends each statement by itself, and what sqlparser cannot read still as one.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Prisma;

/// The name of the migration's folder.
pub(super) fn folder_name(file: &File) -> Option<&str> {
    let is_migration = file.depth() == 2 && file.name() == "migration.sql";
    file.relative.parent().filter(|_| is_migration)?.to_str()
}

impl Tool for Prisma {
    fn framework(&self) -> Framework {
        Framework::Prisma
    }

    fn detect(&self, folder: &Folder) -> bool {
        let mut names = folder.files.iter().filter_map(folder_name).peekable();
        names.peek().is_some()
            && (folder.file("migration_lock.toml").is_some() || names.any(|name| leading_digits(name).len() == 14))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in &folder.files {
            let Some(name) = folder_name(file) else { continue };
            order.entries.push(Entry {
                name: name.to_owned(),
                file: file.clone(),
                direction: Some(Direction::Up),
                listed: None,
            });
        }
        order.entries.sort_by(|a, b| a.name.cmp(&b.name));
        order.note_ignored("prisma", "it runs <timestamp>_<name>/migration.sql", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let version = input.folder.project.npm_version("prisma");
        let apart = version.is_some_and(|version| may_send_apart(&version)) && is_cut(input.text);
        Split::whole(input, if apart { TransactionMode::None } else { TransactionMode::OneString })
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}

/// Whether the newest version that a range of npm's allows sends statements apart, as 7.4 does (prisma-engines 5767 and 5799).
fn may_send_apart(range: &str) -> bool {
    let range = range.trim();
    if matches!(range, "*" | "latest" | "next" | "x") || range.starts_with('>') {
        return true;
    }
    let (operator, version) = match range.chars().next() {
        Some(first @ ('^' | '~')) => (Some(first), &range[1..]),
        _ => (None, range.trim_start_matches(['=', 'v'])),
    };
    let mut parts = version.split(['.', '-']).map(str::parse::<u32>);
    let (Some(Ok(major)), minor) = (parts.next(), parts.next()) else { return false };
    match (operator, minor) {
        // Any of this major version.
        (Some('^'), _) | (_, None | Some(Err(_))) => major >= 7,
        (_, Some(Ok(minor))) => (major, minor) >= (7, 4),
    }
}

/// Whether the engine's parser can read the script. Its version does not know DROP INDEX CONCURRENTLY (prisma-engines 5847).
fn is_cut(text: &str) -> bool {
    let is_known = |piece: &super::scan::Piece| {
        let words: Vec<&str> = piece.words.iter().map(String::as_str).collect();
        !matches!(words.as_slice(), ["DROP", "INDEX", "CONCURRENTLY", ..])
    };
    super::scan::pieces(text, 0..text.len()).iter().all(is_known)
        && Parser::parse_sql(&PostgreSqlDialect {}, text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_allow_the_version_that_cuts() {
        for range in
            ["7.4.0", "^7.0.0", "~7.4", "^8.1.0", "7", "7.x", ">=6", "latest", "v7.10.1", "=7.4.2", "8.0.0-dev.1"]
        {
            assert!(may_send_apart(range), "{range}");
        }
        for range in ["7.3.0", "~7.3.1", "^6.19.0", "6", "5.22.0", "catalog:", "workspace:*", "", "npm:prisma@7"] {
            assert!(!may_send_apart(range), "{range}");
        }
    }

    #[test]
    fn what_the_engine_cannot_read_is_one_string() {
        assert!(is_cut("CREATE TABLE a (n int);\nCREATE INDEX CONCURRENTLY b ON a (n);"));
        assert!(!is_cut("CREATE TABLE a (n int);\nDROP INDEX CONCURRENTLY b;"));
        assert!(!is_cut("CREATE TABLE a (n int);\nTHIS IS NOT SQL;"));
    }
}
