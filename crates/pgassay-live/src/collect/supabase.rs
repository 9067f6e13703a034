//! Supabase: `supabase/migrations/<version>_<name>.sql`.
//!
//! Recognised by the folder's place. The command line tool splits a file into statements and sends them as batches of the extended
//! protocol, without a transaction of its own: PostgreSQL runs a batch in an implicit transaction block. A statement that refuses such
//! a block is sent by itself between two batches, and so is every statement of a file that begins or ends transactions.

use std::ops::Range;

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::scan::{Piece, pieces};
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Supabase;

fn is_migration(file: &File) -> bool {
    let digits = leading_digits(file.name());
    !digits.is_empty() && file.name()[digits.len()..].starts_with('_')
}

impl Tool for Supabase {
    fn framework(&self) -> Framework {
        Framework::Supabase
    }

    fn detect(&self, folder: &Folder) -> bool {
        let path = folder.path.canonicalize().unwrap_or_else(|_| folder.path.clone());
        path.ends_with("supabase/migrations") && folder.own_sql().any(is_migration)
    }

    /// By file name, as text.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql().filter(|file| is_migration(file)) {
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: Some(Direction::Up),
                listed: None,
            });
        }
        order.entries.sort_by(|a, b| a.file.name().cmp(b.file.name()));
        order.note_duplicates("supabase", |entry| leading_digits(&entry.name).to_owned());
        order.note_ignored("supabase", "its name is not <version>_<name>.sql", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::default().with(Direction::Up, batches(input.text))
    }
}

fn batches(text: &str) -> Vec<Part> {
    let pieces = pieces(text, 0..text.len());
    if pieces.iter().any(Piece::controls_transaction) {
        return vec![Part { range: 0..text.len(), transaction: TransactionMode::None }];
    }
    let mut parts: Vec<Part> = Vec::new();
    for piece in &pieces {
        let transaction = if piece.runs_alone() { TransactionMode::None } else { TransactionMode::OneString };
        match parts.last_mut() {
            Some(last) if last.transaction == transaction => last.range.end = piece.range.end,
            Some(last) => {
                let start = last.range.end;
                parts.push(Part { range: start..piece.range.end, transaction });
            }
            None => parts.push(Part { range: 0..piece.range.end, transaction }),
        }
    }
    if let Some(last) = parts.last_mut() {
        last.range.end = text.len();
    }
    without_delimiters(text, parts)
}

/// The semicolon behind a part's last statement belongs to that part.
fn without_delimiters(text: &str, mut parts: Vec<Part>) -> Vec<Part> {
    for at in 1..parts.len() {
        let start = parts[at].range.start;
        let moved: Range<usize> = start..start + usize::from(text[start..].starts_with(';'));
        parts[at - 1].range.end = moved.end;
        parts[at].range.start = moved.end;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use TransactionMode::{None, OneString};

    fn sent(text: &str) -> Vec<(&str, TransactionMode)> {
        batches(text).into_iter().map(|part| (text[part.range].trim(), part.transaction)).collect()
    }

    #[test]
    fn a_statement_that_refuses_a_batch_parts_it() {
        let text = "create table a (); select 1;\nvacuum a; reindex index concurrently i;\nselect 2;";
        let parts = [
            ("create table a (); select 1;", OneString),
            ("vacuum a; reindex index concurrently i;", None),
            ("select 2;", OneString),
        ];
        assert_eq!(sent(text), parts);
        assert_eq!(sent("-- nothing"), []);
    }

    #[test]
    fn a_file_with_its_own_transactions_is_sent_statement_by_statement() {
        for text in ["begin; select 1; commit;", "select 1; abort; select 2", "start transaction; end"] {
            assert_eq!(sent(text), [(text, None)]);
        }
        for text in ["savepoint here; select 1", "rollback to here; select 1"] {
            assert_eq!(sent(text), [(text, OneString)]);
        }
    }
}
