//! tern: `<number>_<name>.sql`, the way back below `---- create above / drop below ----`.
//!
//! Recognised by that line, or by `tern.conf` in the folder. Each half is one string, in a transaction unless the file has the line
//! `---- tern: disable-tx ----`; then its statements are sent one by one. A file is a template of Go's, with the values of `tern.conf`.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::has_version;
use super::tern_template::{data, evaluate};
use super::tools::{Entry, Input, Order, Part, Split, Tool, Translation};
use super::variables::Variables;
use super::{Direction, Framework, TransactionMode};
use crate::source::SourceFile;

pub(super) struct Tern;

const MARK: &str = "---- create above / drop below ----";
const NO_TRANSACTION: &str = "---- tern: disable-tx ----";

impl Tool for Tern {
    fn framework(&self) -> Framework {
        Framework::Tern
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }

    fn detect(&self, folder: &Folder) -> bool {
        let configured = folder.file("tern.conf").is_some();
        folder.is_mostly(|file| has_version(file.name()) && (configured || file.text().contains(MARK)))
    }

    fn order(&self, folder: &Folder) -> Order {
        let files = folder.own_sql().filter(|file| has_version(file.name()));
        let mut order = Order::by_number("tern", files.map(|file| Entry::new(file.stem(), file)));
        order.note_ignored("tern", "its name does not start with a number and _", folder.own_sql());
        // What is below is there to be included.
        order.known = folder.subfolders().into_iter().map(|below| below.path).collect();
        order
    }

    fn translate(&self, input: &Input<'_>, variables: &Variables) -> Option<Translation> {
        if !input.text.contains("{{") {
            return None;
        }
        let found = evaluate(input.text, input.folder, variables);
        let source = SourceFile::substituted("file", input.text, &found.substitutions);
        let mut split = self.split(&Input { text: &source.text, ..*input });
        split.notes.extend(found.notes.into_iter().map(|(_, message)| (0..0, message)));
        Some(Translation { substitutions: found.substitutions, split })
    }

    fn settings(&self, folder: &Folder, _file: &File) -> Variables {
        folder.file("tern.conf").map(|conf| data(conf.text())).unwrap_or_default()
    }

    /// The mark is looked for everywhere, in literals too (`SplitN` in migrate.go).
    fn split(&self, input: &Input<'_>) -> Split {
        let text = input.text;
        let transaction = match lines(text).any(|line| line.text == NO_TRANSACTION) {
            true => TransactionMode::None,
            false => TransactionMode::WrappedString,
        };
        let at = text.find(MARK);
        let part = |range| vec![Part { range, transaction }];
        let split = Split::default().with(Direction::Up, part(0..at.unwrap_or(text.len())));
        match at {
            Some(at) => split.with(Direction::Down, part(at + MARK.len()..text.len())),
            None => split,
        }
    }
}
