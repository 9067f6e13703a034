//! graphile-migrate: `committed/<digits>….sql`, which nobody edits, and `current.sql` or `current/`, which is at work.
//!
//! Recognised by the lines `--! Previous:` and `--! Hash:` that a committed file begins with. Each file is one string, in a transaction
//! unless its head, or the first line below that, says `--! no-transaction`.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::variables::{Style, Variables};
use super::{Direction, Framework, TransactionMode};

pub(super) struct GraphileMigrate;

fn is_committed(file: &File) -> bool {
    file.relative.starts_with("committed") && leading_digits(file.name()).len() >= 6
}

fn is_current(file: &File) -> bool {
    file.relative.as_os_str() == "current.sql" || file.relative.starts_with("current")
}

impl Tool for GraphileMigrate {
    fn framework(&self) -> Framework {
        Framework::GraphileMigrate
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.files.iter().any(|file| file.is_sql() && is_committed(file) && file.text().starts_with("--! Previous: "))
    }

    /// What is committed by name; what is at work runs last.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let sql = || folder.files.iter().filter(|file| file.is_sql());
        let mut committed: Vec<&File> = sql().filter(|file| is_committed(file)).collect();
        committed.sort_by(|a, b| a.name().cmp(b.name()));
        for file in committed.into_iter().chain(sql().filter(|file| is_current(file))) {
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: None,
                listed: None,
            });
        }
        order.note_ignored("graphile-migrate", "it is neither committed nor current", folder.own_sql());
        order.known = vec![folder.path.join("committed"), folder.path.join("current"), folder.path.join("fixtures")];
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let text = input.text;
        let mut head = lines(text).take_while(|line| line.text.starts_with("--!") || line.text.trim().is_empty());
        let alone = head.any(|line| {
            let words = line.text.strip_prefix("--!").map(str::trim_start);
            words.is_some_and(|words| {
                words.strip_prefix("no-transaction").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
        });
        let transaction = if alone { TransactionMode::OneString } else { TransactionMode::WrappedString };
        Split::default().with(Direction::Up, vec![Part { range: 0..text.len(), transaction }])
    }

    /// `:NAME`, whose values `.gmrc` mostly takes from the environment.
    fn placeholders(&self, _file: &File) -> Style {
        Style::Psql
    }

    /// The two that it always sets (`src/settings.ts`), under names of their own: their values are the database's.
    fn settings(&self, _folder: &Folder, _file: &File) -> Variables {
        Variables::from_iter([("DATABASE_OWNER", "database_owner"), ("DATABASE_NAME", "database_name")])
    }
}
