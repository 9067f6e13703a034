//! What the shadow server showed, as text behind the findings.

use std::io::{self, Write};

use super::{Difference, Order, Proof, QueryProblem, Rolling, prose};
use crate::source::{Sources, Span};
use crate::text::plain;

/// Queries that are named; the others are counted.
const MOST_QUERIES: usize = 20;

/// The same without the list of migrations, as one text.
pub(super) fn text(proof: &Proof, sources: &Sources) -> io::Result<String> {
    let mut out = Vec::new();
    write(proof, sources, false, &mut out)?;
    Ok(String::from_utf8_lossy(&out).trim_end().to_owned())
}

/// `scans: predicted none, observed public.accounts`.
pub(super) fn difference(difference: &Difference) -> String {
    let Difference { field, predicted, observed, .. } = difference;
    let (predicted, observed) = (plain::one_line(predicted), plain::one_line(observed));
    format!("{}: predicted {predicted}, observed {observed}", field.name())
}

pub(super) fn write(proof: &Proof, sources: &Sources, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let statements: usize = proof.migrations.iter().map(|one| one.statements).sum();
    let milliseconds: u64 = proof.migrations.iter().map(|one| one.milliseconds).sum();
    writeln!(
        out,
        "proved on {}: {} in {}, {}.{} s",
        plain::one_line(&proof.server),
        plain::counted(statements, "statement"),
        plain::counted(proof.migrations.len(), "migration"),
        milliseconds / 1000,
        milliseconds % 1000 / 100
    )?;
    for note in &proof.notes {
        writeln!(out, "  note: {}", plain::one_line(note))?;
    }
    if verbose {
        for one in &proof.migrations {
            writeln!(
                out,
                "  {}: {}, {}, {} ms",
                plain::one_line(&one.name),
                plain::counted(one.statements, "statement"),
                plain::counted(one.differences, "difference"),
                one.milliseconds
            )?;
        }
    }
    for one in &proof.withdrawn {
        let (place, message) = (place(one.span, sources), plain::one_line(&one.message));
        writeln!(out, "  withdrawn: {place}: {} ({message}): {}", one.rule, plain::one_line(&one.reason))?;
    }
    for one in &proof.differences {
        writeln!(out, "  difference: {}: {}", place(one.span, sources), one.field.name())?;
        writeln!(out, "    predicted {}", plain::one_line(&one.predicted))?;
        writeln!(out, "    observed  {}", plain::one_line(&one.observed))?;
    }
    if proof.differences.is_empty() {
        writeln!(out, "  all of it as predicted")?;
    } else {
        let number = plain::counted(proof.differences.len(), "difference");
        writeln!(out, "  {number} between prediction and server: please report them, with the statements")?;
    }
    queries(proof, out)?;
    if let Some(rolling) = &proof.rolling {
        order(rolling, out)?;
    }
    writeln!(out)
}

fn place(span: Span, sources: &Sources) -> String {
    format!("{}:{}", plain::one_line(&sources.file(span.file).name), sources.positions(span).0.line)
}

fn queries(proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
    if proof.queries == 0 && proof.unprepared.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "  {} prepared before and after, {} of them also run; {} could not be prepared before and {} nothing",
        plain::counted(proof.queries, "query").replace("querys", "queries"),
        proof.executed,
        proof.unprepared.len(),
        if proof.unprepared.len() == 1 { "says" } else { "say" }
    )?;
    list("not prepared", &proof.unprepared, out)
}

fn list(what: &str, problems: &[QueryProblem], out: &mut dyn Write) -> io::Result<()> {
    for problem in problems.iter().take(MOST_QUERIES) {
        let query = prose::first_words(&plain::one_line(&problem.query));
        let line = problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        writeln!(out, "    {what}: {line}{query}: {}", plain::one_line(&problem.error))?;
    }
    match problems.len().checked_sub(MOST_QUERIES) {
        Some(more) if more > 0 => writeln!(out, "    {what}: {more} more"),
        _ => Ok(()),
    }
}

fn order(rolling: &Rolling, out: &mut dyn Write) -> io::Result<()> {
    let verdict = match rolling.order {
        Order::Either => "schema and code may go out in either order",
        Order::SchemaFirst => "the schema goes out first, then the code: new queries need it, old ones run on it",
        Order::CodeFirst => "the code goes out first, then the schema: old queries break on it, new ones do without it",
        Order::Neither => {
            "neither order works: old queries break on the new schema, and new ones on the old. Split the migration"
        }
    };
    writeln!(out, "  rolling deploy: {verdict}")?;
    list("old query, new schema", &rolling.old_on_new, out)?;
    list("new query, old schema", &rolling.new_on_old, out)
}
