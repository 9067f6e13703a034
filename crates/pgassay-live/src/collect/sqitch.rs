//! Sqitch: `sqitch.plan` with `deploy/`, `revert/` and `verify/`.
//!
//! Recognised by `sqitch.plan`. The plan gives the order; psql runs each script, so each statement commits by itself unless the script
//! says BEGIN, as Sqitch's templates do. A change that was reworked stands twice in the plan: the older script carries a tag.

use super::folder::{File, Folder};
use super::line::lines;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::variables::Style;
use super::{Direction, Framework, TransactionMode};

pub(super) struct Sqitch;

/// A line of the plan.
enum Planned<'a> {
    Change(&'a str),
    Tag(&'a str),
}

/// Changes and tags of a plan; pragmas, comments and blank lines are left out.
fn plan(text: &str) -> Vec<Planned<'_>> {
    lines(text)
        .filter_map(|line| {
            let first = line.text.split('#').next()?.split_whitespace().next()?;
            match first.strip_prefix('@') {
                _ if first.starts_with('%') => None,
                Some(tag) => Some(Planned::Tag(tag)),
                None => Some(Planned::Change(first.trim_start_matches(['+', '-']))),
            }
        })
        .collect()
}

/// The scripts' names in order: of a change that comes again later, with the first tag behind it.
fn scripts(plan: &[Planned<'_>]) -> Vec<String> {
    let mut scripts = Vec::new();
    for (index, planned) in plan.iter().enumerate() {
        let Planned::Change(name) = planned else { continue };
        let later = &plan[index + 1..];
        let is_reworked = later.iter().any(|other| matches!(other, Planned::Change(other) if other == name));
        let tag = later.iter().find_map(|other| match other {
            Planned::Tag(tag) => Some(*tag),
            Planned::Change(_) => None,
        });
        scripts.push(match tag.filter(|_| is_reworked) {
            Some(tag) => format!("{name}@{tag}"),
            None => (*name).to_owned(),
        });
    }
    scripts
}

/// The folder of the scripts, from the plan's own on, as `sqitch.conf` says it.
fn top_dir(folder: &Folder) -> String {
    let setting = folder.file("sqitch.conf").and_then(|conf| {
        conf.text().lines().find_map(|line| line.trim().strip_prefix("top_dir")?.trim().strip_prefix('='))
    });
    let directory = setting.map(|value| value.trim().trim_matches('"').trim_matches('/')).unwrap_or_default();
    if matches!(directory, "" | ".") { String::new() } else { format!("{}/", directory.trim_start_matches("./")) }
}

impl Tool for Sqitch {
    fn framework(&self) -> Framework {
        Framework::Sqitch
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.file("sqitch.plan").is_some()
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let Some(plan_file) = folder.file("sqitch.plan") else { return order };
        let top = top_dir(folder);
        for name in scripts(&plan(plan_file.text())) {
            for (directory, direction) in [("deploy", Direction::Up), ("revert", Direction::Down)] {
                match folder.file(format!("{top}{directory}/{name}.sql")) {
                    Some(file) => {
                        order.entries.push(Entry { name: name.clone(), file: file.clone(), direction: Some(direction) })
                    }
                    None if direction == Direction::Up => {
                        let message =
                            format!("sqitch stops: the plan names {name}, and {top}deploy/{name}.sql is missing");
                        order.notes.push((plan_file.path.clone(), message));
                    }
                    None => {}
                }
            }
        }
        let unplanned =
            folder.files.iter().filter(|file| file.is_sql() && file.relative.starts_with(format!("{top}deploy")));
        order.note_ignored("sqitch", "the plan does not name it", unplanned);
        order.known =
            ["revert", "verify"].iter().map(|directory| folder.path.join(format!("{top}{directory}"))).collect();
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::None)
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Psql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reworked_change_carries_a_tag() {
        let text = "%project=shop\n\norders 2024-01-01T00:00:00Z A <a@b> # first\npay [orders] 2024-01-02T00:00:00Z A <a@b>\n@v1 2024-01-03T00:00:00Z A <a@b>\n\norders [orders@v1] 2024-01-04T00:00:00Z A <a@b>\n";
        assert_eq!(scripts(&plan(text)), ["orders@v1", "pay", "orders"]);
    }
}
