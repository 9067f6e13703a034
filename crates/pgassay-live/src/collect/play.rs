//! Play evolutions: `conf/evolutions/<database>/<number>.sql` with `# --- !Ups` and `# --- !Downs`.
//!
//! Recognised by the first of these. Every statement commits by itself (`autocommit`, on unless the configuration says otherwise); a
//! statement ends with one semicolon, and two are one that does not end it.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::{leading_digits, number};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Play;

fn direction(line: &str) -> Option<Direction> {
    let rest = line.trim_start().strip_prefix('#').or_else(|| line.trim_start().strip_prefix("--"))?;
    if rest.contains("!Ups") {
        Some(Direction::Up)
    } else if rest.contains("!Downs") {
        Some(Direction::Down)
    } else {
        None
    }
}

fn is_numbered(file: &File) -> bool {
    !file.stem().is_empty() && leading_digits(file.stem()).len() == file.stem().len()
}

impl Tool for Play {
    fn framework(&self) -> Framework {
        Framework::Play
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_mark = |file: &File| lines(file.text()).any(|line| direction(line.text) == Some(Direction::Up));
        folder.is_mostly(|file| is_numbered(file) && has_mark(file))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let entry = |file: &File| Entry::new(file.stem(), file);
        order.entries = folder.own_sql().filter(|file| is_numbered(file)).map(entry).collect();
        order.entries.sort_by(|a, b| number(&a.name, &b.name));
        // It stops at the first number that is missing.
        let reached =
            order.entries.iter().enumerate().take_while(|(at, entry)| entry.name.parse() == Ok(at + 1)).count();
        for entry in order.entries.drain(reached..) {
            let message = format!("play does not run this file: {}.sql is not there", reached + 1);
            order.notes.push((entry.file.path.clone(), message));
            order.not_run.push(entry.file.path);
        }
        order.note_ignored("play", "its name is not a number", folder.own_sql().filter(|file| !is_numbered(file)));
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let mut split = Split::by_marks(input.text, |line| Some((direction(line)?, TransactionMode::None)));
        if input.text.contains(";;") {
            split.masked = Some(input.text.replace(";;", "; "));
        }
        split
    }
}
