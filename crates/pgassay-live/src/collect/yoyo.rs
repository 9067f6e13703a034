//! yoyo: `<name>.sql`, with the way back in `<name>.rollback.sql`, beside migrations in Python.
//!
//! Recognised by `yoyo.ini` around it, or by a comment `-- depends:` or `-- transactional:` at the top of a file. A file's statements are
//! sent one by one in a transaction, unless it says `-- transactional: false`. What a file depends on runs before it.

use std::collections::{BTreeMap, BTreeSet};

use super::folder::{File, Folder};
use super::line::lines;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Yoyo;

/// A directive among the comments at the top: `-- depends: a b`.
fn directive<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let comments =
        lines(text).map(|line| line.text.trim()).take_while(|line| line.is_empty() || line.starts_with("--"));
    comments
        .filter_map(|line| line.strip_prefix("--")?.trim_start().strip_prefix(name)?.trim_start().strip_prefix(':'))
        .next()
}

fn is_back(file: &File) -> bool {
    file.stem().ends_with(".rollback")
}

impl Tool for Yoyo {
    fn framework(&self) -> Framework {
        Framework::Yoyo
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_directive = |file: &File| {
            let text = file.text();
            ["depends", "transactional"].iter().any(|name| directive(text, name).is_some())
        };
        let has_sql = folder.own_sql().next().is_some();
        has_sql && (folder.project.has("yoyo.ini") || folder.own_sql().any(has_directive))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let mut up: BTreeMap<&str, &File> = BTreeMap::new();
        up.extend(folder.own_sql().filter(|file| !is_back(file)).map(|file| (file.stem(), file)));
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for name in up.keys().copied().collect::<Vec<_>>() {
            push(name, &up, &mut done, &mut order);
        }
        for file in folder.own_sql().filter(|file| is_back(file)) {
            let name = file.stem().trim_end_matches(".rollback");
            order.entries.push(Entry { direction: Some(Direction::Down), ..Entry::new(name, file) });
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let is_off =
            directive(input.text, "transactional").is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
        let transaction = if is_off { TransactionMode::None } else { TransactionMode::Wrapped };
        Split::whole(input, transaction)
    }
}

/// A file after those that it depends on; a circle is cut where it is met.
fn push<'f>(name: &'f str, all: &BTreeMap<&'f str, &'f File>, done: &mut BTreeSet<&'f str>, order: &mut Order) {
    let mut waiting = vec![(name, false)];
    while let Some((name, are_before)) = waiting.pop() {
        let Some((name, file)) = all.get_key_value(name) else { continue };
        if are_before {
            order.entries.push(Entry { direction: Some(Direction::Up), ..Entry::new(name, file) });
        } else if done.insert(name) {
            waiting.push((name, true));
            let before = directive(file.text(), "depends").unwrap_or_default().split_whitespace();
            waiting.extend(before.map(|name| (name.trim_matches(','), false)));
        }
    }
}
