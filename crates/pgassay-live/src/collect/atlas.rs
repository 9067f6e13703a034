//! Atlas versioned migrations: `<version>_<name>.sql` beside an `atlas.sum`.
//!
//! Recognised by `atlas.sum`. Directives count only in the comments at the top of a file, with an empty line behind them. Atlas sends
//! one statement at a time.

use super::delimiter::as_semicolons;
use super::folder::{File, Folder};
use super::line::lines;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Atlas;

/// The values of a directive at the top of the file.
fn directive<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let is_comment = |line: &str| line.starts_with("--") || line.starts_with('#');
    let comments: Vec<&str> = lines(text).map(|line| line.text).take_while(|line| is_comment(line)).collect();
    let behind = lines(text).nth(comments.len());
    if behind.is_some_and(|line| !line.text.trim_matches([' ', '\t']).is_empty()) {
        return Vec::new();
    }
    let value = |line: &'a str| {
        let (_, rest) = line.split_once("atlas:")?;
        let rest = rest.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
    };
    comments.into_iter().filter_map(value).collect()
}

fn is_checkpoint(file: &File) -> bool {
    !directive(file.text(), "checkpoint").is_empty()
}

impl Tool for Atlas {
    fn framework(&self) -> Framework {
        Framework::Atlas
    }

    fn detect(&self, folder: &Folder) -> bool {
        // Atlas keeps the sums of folders that other tools run, too.
        let goes_back = folder.own_sql().any(|file| file.stem().ends_with(".down"));
        folder.file("atlas.sum").is_some() && folder.own_sql().next().is_some() && !goes_back
    }

    /// By file name, as text. A checkpoint stands for all before it and runs only on an empty database.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql() {
            if is_checkpoint(file) {
                let message = "is a checkpoint: the migrations before it are read instead".to_owned();
                order.notes.push((file.path.clone(), message));
                continue;
            }
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: Some(Direction::Up),
                listed: None,
            });
        }
        order.entries.sort_by(|a, b| a.file.name().cmp(b.file.name()));
        let version = |entry: &Entry| entry.name.split('_').next().unwrap_or_default().to_owned();
        order.note_duplicates("atlas", version);
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let modes = directive(input.text, "txmode");
        let mut split = match modes.as_slice() {
            ["none"] => Split::whole(input, TransactionMode::None),
            _ => Split::whole(input, TransactionMode::Wrapped),
        };
        if let Some(written) = directive(input.text, "delimiter").first() {
            let delimiter = written.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
            // The directive itself names it.
            let head = input.text.find("\n\n").or_else(|| input.text.find("\r\n\r\n")).unwrap_or_default();
            let (head, body) = input.text.split_at(head);
            split.masked = as_semicolons(body, &delimiter, false).map(|body| format!("{head}{body}"));
        }
        if !matches!(modes.as_slice(), [] | ["none"] | ["file"]) {
            split.notes.push((0..0, "atlas refuses this txmode: one of none and file".to_owned()));
        }
        split
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_needs_an_empty_line_behind_it() {
        assert_eq!(directive("-- atlas:txmode none\n\nselect 1;", "txmode"), ["none"]);
        assert_eq!(directive("-- x\n-- atlas:txmode none\r\n\r\nselect 1;", "txmode"), ["none"]);
        assert!(directive("-- atlas:txmode none\nselect 1;", "txmode").is_empty());
        assert!(directive("\n-- atlas:txmode none\n\nselect 1;", "txmode").is_empty());
    }
}
