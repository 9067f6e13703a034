//! MyBatis Migrations: `scripts/<number>_<name>.sql`, the way back below `-- //@UNDO`.
//!
//! Recognised by that line. `environments/*.properties` beside the folder say how a script is sent: statement by statement in one
//! transaction, unless `auto_commit` or `send_full_script` are true; a statement ends at `delimiter`.

use super::delimiter::as_semicolons;
use super::folder::{File, Folder};
use super::line::lines;
use super::order::{has_version, leading_digits, number};
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::variables::{Style, Variables};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Mybatis;

/// `--` and `//`, with blanks in between, begin what the tool reads of a line (`MigrationReader`).
fn is_undo(line: &str) -> bool {
    let rest = line.trim().strip_prefix("--").map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with("//") && rest.contains("@UNDO"))
}

/// Scripts that `migrate up` does not run.
const OTHERS: [&str; 2] = ["bootstrap.sql", "onabort.sql"];

/// The settings of an environment: those of development, or the first.
fn environment(folder: &Folder) -> Variables {
    let around = folder.path.join("../environments");
    let mut files: Vec<_> = std::fs::read_dir(around).into_iter().flatten().flatten().map(|it| it.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "properties"));
    files.sort_by_key(|path| (!path.ends_with("development.properties"), path.clone()));
    let text = files.first().and_then(|path| super::read::read(path).ok()).map(|read| read.text).unwrap_or_default();
    let setting = |line: &str| {
        let (key, value) = line.trim().split_once('=').filter(|(key, _)| !key.starts_with('#'))?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines()
        .filter_map(setting)
        .filter(|(key, _)| !matches!(key.as_str(), "password" | "username" | "url"))
        .collect()
}

impl Tool for Mybatis {
    fn framework(&self) -> Framework {
        Framework::Mybatis
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_mark = |text: &str| text.contains("@UNDO") && lines(text).any(|line| is_undo(line.text));
        folder.is_mostly(|file| OTHERS.contains(&file.name()) || has_version(file.name()) && has_mark(file.text()))
            && folder.own_sql().any(|file| has_mark(file.text()))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let entry = |file: &File| Entry::new(file.stem(), file);
        order.entries = folder.own_sql().filter(|file| has_version(file.name())).map(entry).collect();
        order.entries.sort_by(|a, b| number(leading_digits(&a.name), leading_digits(&b.name)));
        for file in folder.own_sql().filter(|file| OTHERS.contains(&file.name())) {
            let message = "migrate up does not run this file; name its path to read it".to_owned();
            order.notes.push((file.path.clone(), message));
            order.not_run.push(file.path.clone());
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let settings = environment(input.folder);
        let is = |name: &str| settings.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let transaction = match (is("auto_commit"), is("send_full_script")) {
            (true, true) => TransactionMode::OneString,
            (true, false) => TransactionMode::None,
            (false, true) => TransactionMode::WrappedString,
            (false, false) => TransactionMode::WrappedByDriver,
        };
        let text = input.text;
        let mark = lines(text).find(|line| is_undo(line.text));
        let part = |range| vec![Part { range, transaction }];
        let delimiter = settings.get("delimiter").unwrap_or(";");
        let masked = as_semicolons(text, delimiter, is("full_line_delimiter"));
        let split = Split { masked, ..Split::default() }
            .with(Direction::Up, part(0..mark.map_or(text.len(), |line| line.start)));
        match mark {
            Some(mark) => split.with(Direction::Down, part(mark.next..text.len())),
            None => split,
        }
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Braces
    }

    fn settings(&self, folder: &Folder, _file: &File) -> Variables {
        environment(folder)
    }
}
