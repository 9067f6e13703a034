//! The original and the new form of migrations, run on a server and compared.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Context;
use pgassay::check::{Job, check_observed};
use pgassay::finding::{Category, Evidence, EvidenceKind, Finding, Severity};
use pgassay::fix::{Rewrites, Rewritten, replaced};
use pgassay::prove::{Options, Place, Prover};
use pgassay::report::Report;
use pgassay::source::Sources;
use pgassay::text::plain;

/// What a server showed of one history.
pub struct Proved {
    server: String,
    /// In the words of the catalog; `-` only the original leaves, `+` only the new form.
    differences: Vec<String>,
    /// What the server refused of the new form, and of the original not.
    refused: Vec<String>,
    /// Long work under a lock that blocks, as it was seen.
    blocks: Vec<String>,
    /// Sequences that the new form makes wider on purpose: ALTER COLUMN … TYPE leaves that of a serial column as it is.
    widened: Vec<String>,
    /// Constraints and indexes that compare as the column's new type does, where the original keeps a cast to the old one.
    recast: Vec<String>,
    lines: usize,
    /// Tables, and how many of them held no row.
    tables: (usize, usize),
}

impl Proved {
    pub fn is_same(&self) -> bool {
        self.differences.is_empty() && self.refused.is_empty()
    }
}

impl fmt::Display for Proved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_same() {
            write!(f, "not proved on {}:", self.server)?;
            let refused = self.refused.iter().map(|it| format!("refused: {it}"));
            return refused.chain(self.differences.iter().cloned()).try_for_each(|line| write!(f, "\n    {line}"));
        }
        write!(
            f,
            "proved on {}: the original and the new form, with all its deploys, leave the same {} definitions",
            self.server, self.lines
        )?;
        if !self.widened.is_empty() {
            write!(f, ", and {} is as wide as its column now", self.widened.join(", "))?;
        }
        if !self.recast.is_empty() {
            write!(f, ", and {} has no cast to the old type any more", self.recast.join(", "))?;
        }
        match self.blocks.len() {
            0 => write!(f, "; nothing of it works long under a lock that blocks"),
            _ => self.blocks.iter().try_for_each(|line| write!(f, "\n    still blocks: {line}")),
        }?;
        // A proof over no rows says nothing of those that are there in production.
        match self.tables {
            (_, 0) => Ok(()),
            (all, empty) if all == empty => {
                write!(f, "\n    no table held a row: NULLs, duplicates and values of yours were not tried")
            }
            (all, empty) => write!(
                f,
                "\n    {empty} of {} held no row: NULLs, duplicates and values of yours were not tried there",
                plain::counted(all, "table")
            ),
        }
    }
}

/// Runs both, each history in a database of its own.
pub fn same(place: &Place, job: &Job, rewrites: &Rewrites, sources: &Sources) -> anyhow::Result<Vec<Proved>> {
    let whole: Vec<Rewritten> = rewrites.rewritten.iter().map(with_all_deploys).collect();
    if whole.is_empty() {
        return Ok(Vec::new());
    }
    let chosen: Vec<&Rewritten> = whole.iter().collect();
    let (new, texts) = replaced(job, &chosen, sources);
    let original = run(place, job, sources).context("the original migrations could not be run")?;
    let fixed = run(place, &new, &texts).context("the new form could not be run")?;
    let refused: Vec<String> = bad(&fixed.report, Category::Failing)
        .filter(|it| !bad(&original.report, Category::Failing).any(|old| old.message == it.message))
        .map(|it| it.message.clone())
        .collect();
    let blocks: Vec<String> = bad(&fixed.report, Category::Blocking).map(|it| it.message.clone()).collect();
    let pairs = original.catalogs.iter().zip(&fixed.catalogs);
    let proved = pairs.map(|(old, new)| {
        let Differences { widened, recast, lines: differences } = differences(old, new);
        Proved {
            server: fixed.server.clone(),
            differences,
            refused: refused.clone(),
            blocks: blocks.clone(),
            widened,
            recast,
            lines: old.len(),
            tables: without_rows(old),
        }
    });
    Ok(proved.collect())
}

/// The tables of a catalog, and those among them that hold no row.
fn without_rows(catalog: &BTreeSet<String>) -> (usize, usize) {
    let rows = catalog.iter().filter_map(|line| line.strip_prefix("rows of ")?.rsplit_once(": "));
    let empty = rows.clone().filter(|(_, number)| *number == "0").count();
    (rows.count(), empty)
}

fn with_all_deploys(own: &Rewritten) -> Rewritten {
    let mut own = own.clone();
    own.pieces.extend(own.later.drain(..).flat_map(|later| later.pieces));
    own
}

struct Run {
    report: Report,
    catalogs: Vec<BTreeSet<String>>,
    server: String,
}

fn run(place: &Place, job: &Job, sources: &Sources) -> anyhow::Result<Run> {
    let options = Options { place: place.clone(), version: job.version, describe: true, ..Options::default() };
    let mut prover = Prover::start(options)?;
    let report = check_observed(job, sources, Some(&mut prover));
    let catalogs = prover.catalogs();
    let proof = prover.finish()?;
    Ok(Run { report, catalogs, server: proof.server })
}

/// Errors that were seen, not only predicted.
fn bad(report: &Report, category: Category) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(move |finding| {
        let seen = |evidence: &Evidence| evidence.kind == EvidenceKind::Observed;
        finding.severity == Severity::Error && finding.category == category && finding.evidence.iter().any(seen)
    })
}

struct Differences {
    widened: Vec<String>,
    recast: Vec<String>,
    /// The lines that differ otherwise.
    lines: Vec<String>,
}

fn differences(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Differences {
    let gone: Vec<&String> = old.difference(new).collect();
    let more: Vec<&String> = new.difference(old).collect();
    let pairs = |like: fn(&str, &str) -> bool| -> Vec<(&String, &String)> {
        let pair = |before: &&String| {
            Some((*gone.iter().find(|it| *it == before)?, *more.iter().find(|it| like(before, it))?))
        };
        gone.iter().filter_map(pair).collect()
    };
    let (widened, recast) = (pairs(is_wider), pairs(is_recast));
    let is_known =
        |line: &String| widened.iter().chain(&recast).any(|(before, after)| line == *before || line == *after);
    let gone = gone.iter().filter(|line| !is_known(line)).map(|line| format!("- {line}"));
    let more = more.iter().filter(|line| !is_known(line)).map(|line| format!("+ {line}"));
    let named = |line: &str, words: usize| line.split(' ').take(words).collect::<Vec<_>>().join(" ");
    Differences {
        widened: widened.iter().map(|(before, _)| named(before, 2)).collect(),
        recast: recast.iter().map(|(before, _)| named(before, 3)).collect(),
        lines: gone.chain(more).collect(),
    }
}

/// Whether two lines are of one constraint or index, alike but for casts.
fn is_recast(before: &str, after: &str) -> bool {
    ["constraint ", "index "].iter().any(|kind| before.starts_with(kind) && after.starts_with(kind))
        && without_casts(before) == without_casts(after)
}

/// `((amount)::double precision > (0)::double precision)` as `amount > 0`.
fn without_casts(line: &str) -> String {
    const OF_SEVERAL_WORDS: [&str; 6] = [
        "double precision",
        "character varying",
        "timestamp without time zone",
        "timestamp with time zone",
        "time without time zone",
        "time with time zone",
    ];
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("::") {
        text.push_str(before);
        let named = OF_SEVERAL_WORDS.iter().find(|name| after.starts_with(**name)).map(|name| name.len());
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '"');
        let end = named.unwrap_or_else(|| after.find(|letter| !is_word(letter)).unwrap_or(after.len()));
        rest = after.get(end..).unwrap_or_default();
        let modifiers = rest.strip_prefix('(').and_then(|it| it.split_once(')'));
        let is_number = |it: &&str| it.chars().all(|letter| letter.is_ascii_digit() || letter == ',');
        if let Some((_, after)) = modifiers.filter(|(inside, _)| is_number(inside)) {
            rest = after;
        }
        rest = rest.strip_prefix("[]").unwrap_or(rest);
    }
    text.push_str(rest);
    text.replace(['(', ')'], "")
}

/// Whether two lines are of one sequence, alike but for a wider type and the most that it counts to.
fn is_wider(before: &str, after: &str) -> bool {
    const TYPE: usize = 2;
    const MOST: usize = 6;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), after.split(' ').collect());
    let width = |line: &[&str]| ["smallint", "integer", "bigint"].iter().position(|it| line.get(TYPE) == Some(it));
    let same = |at: usize| at == TYPE || at == MOST || before.get(at) == after.get(at);
    before.first() == Some(&"sequence")
        && before.len() == after.len()
        && (0..before.len()).all(same)
        && width(&before).is_some_and(|old| width(&after).is_some_and(|new| old < new))
}

#[cfg(test)]
mod tests {
    use super::{is_recast, without_casts};

    #[test]
    fn casts_are_no_difference_of_a_constraint() {
        let before = "constraint t c CHECK (((amount)::double precision >= (0)::double precision)) valid true";
        assert_eq!(without_casts(before), "constraint t c CHECK amount >= 0 valid true");
        assert!(is_recast(before, "constraint t c CHECK ((amount >= (0)::numeric(12,2))) valid true"));
        assert!(!is_recast(before, "constraint t c CHECK ((amount > (0)::numeric)) valid true"));
        assert!(!is_recast("column t.a text default 'x'::text", "column t.a text default 'x'::mood"));
    }
}
