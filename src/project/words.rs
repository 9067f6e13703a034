//! An [`Explanation`] as text for a terminal, and as Markdown for an editor.

use std::fmt::Write;

use pgassay::finding::FixStep;
use pgassay::text::{layout, markdown, plain};

use super::explanation::{Explanation, LockLine, WorkLine};

/// What the statement does, in lines of a terminal.
pub fn text(explanation: &Explanation, width: usize) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        let wrapped = layout::wrap(&plain::visible(text), width.saturating_sub(indent + 2).max(40));
        for (number, part) in wrapped.lines().enumerate() {
            let hanging = if number == 0 { indent } else { indent + 2 };
            out.push_str(&" ".repeat(hanging));
            out.push_str(part);
            out.push('\n');
        }
    };
    if let Some(unread) = &explanation.unread {
        line(0, &format!("could not be read: {unread}"));
        return out;
    }
    line(0, &format!("Transaction: {}", transaction(explanation)));
    section(&mut line, "Locks", explanation.locks.iter().map(lock));
    section(&mut line, "Work while it holds them", explanation.work.iter().map(work));
    section(&mut line, "Is refused", explanation.problems.iter().cloned());
    let failures = explanation.failures.iter().map(|failure| match &failure.query {
        Some(query) => format!("{}: {}; these are the rows: {query}", failure.when, failure.message),
        None => format!("{}: {}", failure.when, failure.message),
    });
    section(&mut line, "Fails", failures);
    let losses = explanation
        .clients_lose
        .iter()
        .map(|loss| format!("{}; for example {} → {}", loss.message, plain::one_line(&loss.example), loss.answer));
    section(&mut line, "Clients lose", losses);
    section(&mut line, "Not known", explanation.not_known.iter().cloned());
    out
}

fn section(line: &mut impl FnMut(usize, &str), title: &str, parts: impl Iterator<Item = String>) {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return;
    }
    line(0, &format!("{title}:"));
    parts.iter().for_each(|part| line(2, part));
}

fn transaction(explanation: &Explanation) -> String {
    match explanation.allowed_in_transaction_block {
        true => explanation.transaction.to_owned(),
        false => format!("{}; the server refuses it in a transaction block", explanation.transaction),
    }
}

/// `ACCESS EXCLUSIVE on public.orders (41 GB): blocks everything: …`.
fn lock(lock: &LockLine) -> String {
    let size = lock.size.as_ref().map(|size| format!(" ({size})")).unwrap_or_default();
    if lock.new {
        return format!("{} on {}, which the migration itself made: nobody waits", lock.mode, lock.relation);
    }
    let modes: Vec<&str> = lock.conflicts_with.iter().map(|mode| mode.name()).collect();
    format!("{} on {}{size}: blocks {}; conflicts with {}", lock.mode, lock.relation, lock.waits, modes.join(", "))
}

fn work(work: &WorkLine) -> String {
    let verb = match work.kind {
        "rewrite" => "rewrites",
        "scan" => "reads all of",
        _ => "builds",
    };
    let size = work.size.as_ref().map(|size| format!(" ({size})")).unwrap_or_default();
    let duration = work.duration.as_ref().map(|duration| format!(", {duration}")).unwrap_or_default();
    format!("{verb} {}{size} under {}{duration}, because {}", work.relation, work.under, work.reason)
}

/// `ACCESS EXCLUSIVE on public.orders, rewrites it`: a few words beside the statement.
pub fn hint(explanation: &Explanation) -> Option<String> {
    let strongest = explanation.strongest()?;
    if strongest.mode < pgassay::catalog::LockMode::ShareUpdateExclusive {
        return None;
    }
    let mut hint = format!("{} on {}", strongest.mode, strongest.relation);
    if let Some(size) = &strongest.size {
        let _ = write!(hint, " ({size})");
    }
    for work in &explanation.work {
        let duration = work.duration.as_ref().map(|duration| format!(", {duration}")).unwrap_or_default();
        let _ = write!(hint, "; {}{duration}", work.kind);
    }
    Some(hint)
}

/// What the statement does, for a hover.
pub fn hover(explanation: &Explanation) -> String {
    let mut out = String::new();
    if let Some(unread) = &explanation.unread {
        return format!("Could not be read: {}", markdown::prose(unread));
    }
    let _ = writeln!(out, "**Transaction**: {}\n", transaction(explanation));
    part(&mut out, "Locks", explanation.locks.iter().map(lock));
    part(&mut out, "Work while it holds them", explanation.work.iter().map(work));
    part(&mut out, "Is refused", explanation.problems.iter().cloned());
    let failures = explanation.failures.iter().map(|failure| format!("{}: {}", failure.when, failure.message));
    part(&mut out, "Fails", failures);
    part(&mut out, "Clients lose", explanation.clients_lose.iter().map(|loss| loss.message.clone()));
    for query in explanation.failures.iter().filter_map(|failure| failure.query.as_ref()) {
        let _ = writeln!(out, "The rows that it fails on:\n{}", markdown::fence(query));
    }
    part(&mut out, "Not known", explanation.not_known.iter().cloned());
    out
}

fn part(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "**{title}**\n");
    for line in lines {
        let _ = writeln!(out, "- {}", markdown::prose(&line));
    }
    out.push('\n');
}

/// Steps of an advice as SQL, with what each migration needs.
pub fn steps(steps: &[FixStep]) -> String {
    let mut sql = pgassay::report::steps(steps);
    if !sql.is_empty() {
        sql.push('\n');
    }
    sql
}
