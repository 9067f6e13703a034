//! Sqitch: `sqitch.plan` with `deploy/`, `revert/` and `verify/`.
//!
//! Recognised by `sqitch.plan`. The plan gives the order; psql runs each script, so each statement commits by itself unless the script
//! says BEGIN, as Sqitch's templates do. A change that was reworked stands twice in the plan: the older script carries a tag.

use std::collections::HashMap;

use super::folder::{File, Folder};
use super::line::lines;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::variables::{Style, Variables};
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

/// The scripts' names in order. A change that is reworked later carries the last tag in front of the rework that a script was kept
/// under (`path_segments` in App::Sqitch::Plan::Change looks for one in the deploy folder); where none was, the last one.
fn scripts(plan: &[Planned<'_>], is_kept: impl Fn(&str) -> bool) -> Vec<String> {
    let mut next: HashMap<&str, usize> = HashMap::new();
    let mut scripts = Vec::new();
    for (place, planned) in plan.iter().enumerate().rev() {
        let Planned::Change(name) = planned else { continue };
        let rework = next.insert(name, place);
        let between = rework.and_then(|rework| plan.get(place..rework)).unwrap_or_default();
        let tagged = between.iter().rev().filter_map(|between| match between {
            Planned::Tag(tag) => Some(format!("{name}@{tag}")),
            Planned::Change(_) => None,
        });
        let tagged: Vec<String> = tagged.collect();
        let kept = tagged.iter().find(|script| is_kept(script)).or(tagged.first());
        scripts.push(kept.cloned().unwrap_or_else(|| (*name).to_owned()));
    }
    scripts.reverse();
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

/// The variables that `sqitch.conf` sets for psql: `[deploy "variables"]`, which apply to deploying alone, before `[core "variables"]`.
fn variables(conf: &str) -> Variables {
    let (mut of_core, mut of_deploy) = (Variables::default(), Variables::default());
    let mut section = String::new();
    for line in conf.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        } else if let Some((key, value)) = line.split_once('=') {
            let values = match section.as_str() {
                "deploy \"variables\"" | "deploy.variables" => &mut of_deploy,
                "core \"variables\"" | "core.variables" => &mut of_core,
                _ => continue,
            };
            values.set(key.trim(), value.trim().trim_matches('"'));
        }
    }
    of_deploy.or(&of_core)
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
        let is_kept = |script: &str| folder.file(format!("{top}deploy/{script}.sql")).is_some();
        for name in scripts(&plan(plan_file.text()), is_kept) {
            for (directory, direction) in [("deploy", Direction::Up), ("revert", Direction::Down)] {
                match folder.file(format!("{top}{directory}/{name}.sql")) {
                    Some(file) => order.entries.push(Entry {
                        name: name.clone(),
                        file: file.clone(),
                        direction: Some(direction),
                        listed: None,
                    }),
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

    fn settings(&self, folder: &Folder, _file: &File) -> Variables {
        folder.file("sqitch.conf").map(|conf| variables(conf.text())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reworked_change_carries_a_tag() {
        let text = "%project=shop\n\norders 2024-01-01T00:00:00Z A <a@b> # first\npay [orders] 2024-01-02T00:00:00Z A <a@b>\n@v1 2024-01-03T00:00:00Z A <a@b>\n\norders [orders@v1] 2024-01-04T00:00:00Z A <a@b>\n";
        assert_eq!(scripts(&plan(text), |_| false), ["orders@v1", "pay", "orders"]);
    }

    #[test]
    fn the_configuration_sets_variables() {
        let conf = "[core]\n\tengine = pg\n[core \"variables\"]\n\tschema = base\n\trole = app\n[deploy \"variables\"]\n\tschema = \"shop\"\n";
        let found = variables(conf);
        assert_eq!((found.get("schema"), found.get("role"), found.get("engine")), (Some("shop"), Some("app"), None));
    }

    #[test]
    fn of_several_tags_the_last_one_with_a_script() {
        let text = "a\n@v1\nb\n@v2\n@v3\na\n@v4\na\n";
        assert_eq!(scripts(&plan(text), |script| script == "a@v2"), ["a@v2", "b", "a@v4", "a"]);
        assert_eq!(scripts(&plan(text), |script| script == "a@v1"), ["a@v1", "b", "a@v4", "a"]);
        assert_eq!(scripts(&plan(text), |_| true), ["a@v3", "b", "a@v4", "a"]);
        // A tag behind the rework is the rework's.
        assert_eq!(scripts(&plan("a\na\n@v1\n"), |_| true), ["a", "a"]);
    }
}
