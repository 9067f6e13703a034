//! Sqitch: a change is a line of `sqitch.plan` with a script to deploy, one to revert, and one to verify.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::{Folder, changed, or_nothing};
use super::plan_file::Due;
use super::text::{Down, in_one_file};
use super::{Piece, Written};
use crate::migration::Framework;

const PLAN: &str = "sqitch.plan";

/// What a change's deploy script holds while all of it waits: the plan names it, so it stays.
pub(super) const WAITS: &str = "-- What it does waits for code: pgassay-plan.json has it.\nSELECT 1;\n";

/// A change by its deploy script.
pub(super) struct Change {
    /// The folder of `deploy`, `revert` and `verify`.
    top: PathBuf,
    name: String,
}

impl Change {
    pub fn of(path: &Path) -> Option<Change> {
        let parts: Vec<_> = path.iter().collect();
        let at = parts.iter().position(|part| *part == "deploy")?;
        let top = parts.get(..at)?.iter().collect();
        let script: PathBuf = parts.get(at + 1..)?.iter().collect();
        let name = script.to_str()?.strip_suffix(".sql")?.to_owned();
        Some(Change { top, name })
    }

    pub fn script(&self, half: &str) -> PathBuf {
        self.top.join(half).join(format!("{}.sql", self.name))
    }
}

/// What goes back and what verifies, where a change's pieces do not do all of it yet; the original's are for the last deploy.
pub(super) fn halves(
    change: &Change,
    pieces: &[Piece],
    folder: &Folder,
) -> (BTreeMap<PathBuf, Option<String>>, Down, String) {
    let mut changes = BTreeMap::new();
    let (revert, verify) = (change.script("revert"), change.script("verify"));
    let original = |path: &PathBuf| folder.get(path).cloned().unwrap_or_default();
    let (down, verified) = (original(&revert), original(&verify));
    if folder.contains_key(&revert) {
        changes.insert(revert, Some(format!("{}{}", header(&down), back(pieces))));
    }
    if folder.contains_key(&verify) {
        changes.insert(verify, Some(format!("{}SELECT 1;\n", header(&verified))));
    }
    (changes, Down { text: down, alone: false }, verified)
}

fn back(pieces: &[Piece]) -> String {
    let texts: String = pieces.iter().rev().map(|piece| Down::of(piece).text).collect();
    or_nothing(texts)
}

/// The comment that Sqitch starts a script with.
fn header(text: &str) -> String {
    let is_title = |line: &&str| ["-- Deploy ", "-- Revert ", "-- Verify "].iter().any(|title| line.starts_with(title));
    text.lines().next().filter(is_title).map(|line| format!("{line}\n\n")).unwrap_or_default()
}

/// A deploy that waited, as a change of its own at the end of the plan.
pub(super) fn append(due: &Due) -> Result<Written, String> {
    let Due { waiting, once, pieces, is_last, folder, now } = *due;
    let shown = due.shown();
    let change = Change::of(&waiting.migration).ok_or_else(|| format!("{shown}: it is no deploy script of Sqitch"))?;
    let plan = change.top.ancestors().map(|it| it.join(PLAN)).find(|it| folder.contains_key(it));
    let (plan, text) = plan
        .and_then(|path| folder.get(&path).map(|text| (path.clone(), text)))
        .ok_or_else(|| format!("{shown}: no {PLAN} was found for it"))?;
    let next = Change { name: format!("{}_deploy{}", change.name, waiting.next), top: change.top.clone() };
    let planner = planner(text).ok_or_else(|| format!("{}: no change in it names a planner", plan.display()))?;
    let project = text.lines().find_map(|line| line.strip_prefix("%project=")).unwrap_or_default().trim();
    let line = format!("{} [{}] {} {planner} # once {once}\n", next.name, change.name, time(now));
    let title = |word: &str, to: &str| format!("-- {word} {project}:{} {to} pg\n\n", next.name);
    let gap = if text.ends_with('\n') { "" } else { "\n" };
    let mut changes = BTreeMap::from([
        (plan, Some(format!("{text}{gap}{line}"))),
        (next.script("deploy"), Some(format!("{}{}", title("Deploy", "to"), in_one_file(Framework::Sqitch, pieces)))),
    ]);
    let has_down = folder.contains_key(&change.script("revert"));
    if has_down {
        let down = due.whole_back().map_or_else(|| back(pieces), |down| without_header(down).to_owned());
        changes.insert(next.script("revert"), Some(format!("{}{down}", title("Revert", "from"))));
    }
    if folder.contains_key(&change.script("verify")) {
        let verify = without_header(&waiting.verify);
        let verify = if is_last && !verify.trim().is_empty() { verify } else { "SELECT 1;\n" };
        changes.insert(next.script("verify"), Some(format!("{}{verify}", title("Verify", "on"))));
    }
    Ok(Written { changes: changed(changes, folder), paths: vec![next.script("deploy")] })
}

fn without_header(text: &str) -> &str {
    text.strip_prefix(header(text).as_str()).unwrap_or(text)
}

/// `Ann <ann@example.com>` of the last change.
fn planner(plan: &str) -> Option<&str> {
    let lines = plan.lines().rev().map(str::trim);
    let mut found = lines.filter(|line| !line.is_empty() && !line.starts_with(['%', '#'])).filter_map(|line| {
        let line = line.split(" #").next()?;
        let end = line.rfind('>')?;
        let start = line.get(..end)?.match_indices("Z ").last()?.0 + 2;
        line.get(start..=end)
    });
    found.next()
}

/// `20240301080000` as `2024-03-01T08:00:00Z`.
fn time(now: &str) -> String {
    let part = |from: usize, to: usize| now.get(from..to).unwrap_or("00");
    format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_plan_is_read_and_written() {
        let plan = "%project=shop\n\na 2024-01-10T09:30:00Z Ann <ann@example.com> # of Z <b>\n@v1 2024-01-12T09:30:00Z Ben B. <ben@example.com> # first\n\n";
        assert_eq!(planner(plan), Some("Ben B. <ben@example.com>"));
        assert_eq!(time("20240301080502"), "2024-03-01T08:05:02Z");
        let change = Change::of(Path::new("db/deploy/auth/users.sql")).map(|it| (it.top.clone(), it.script("revert")));
        assert_eq!(change, Some((PathBuf::from("db"), PathBuf::from("db/revert/auth/users.sql"))));
        assert_eq!(without_header("-- Revert shop:a from pg\n\nBEGIN;\n"), "BEGIN;\n");
        assert_eq!(without_header("DROP TABLE a;\n"), "DROP TABLE a;\n");
    }
}
