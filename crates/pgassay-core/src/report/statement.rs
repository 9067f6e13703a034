//! A statement in a few words, for tables of text and of a page.

use super::StatementRecord;
use crate::catalog::LockMode;
use crate::effect::InTransactionBlock;
use crate::finding::Finding;

/// The strongest lock that others may notice, and on what.
pub(super) fn strongest_lock(record: &StatementRecord) -> String {
    let Some(mode) = record.effect.strongest() else { return String::new() };
    if mode < LockMode::ShareUpdateExclusive {
        return String::new();
    }
    let relations: Vec<&str> =
        record.effect.locks.iter().filter(|(_, held)| *held == mode).map(|(relation, _)| &**relation).collect();
    match relations.as_slice() {
        [one] => format!("{mode} on {one}"),
        [one, rest @ ..] => format!("{mode} on {one} and {} more", rest.len()),
        [] => mode.to_string(),
    }
}

/// What takes the longer, the more rows there are, and what a transaction refuses.
pub(super) fn work(record: &StatementRecord) -> String {
    let effect = &record.effect;
    let mut parts = Vec::new();
    let mut part = |verb: &str, names: &mut dyn Iterator<Item = &Box<str>>| {
        let names: Vec<&str> = names.map(|name| &**name).collect();
        match names.as_slice() {
            [] => {}
            [one] => parts.push(format!("{verb} {one}")),
            [one, rest @ ..] => parts.push(format!("{verb} {one} and {} more", rest.len())),
        }
    };
    part("rewrites", &mut effect.rewrites.iter());
    let indexed = !effect.index_builds.is_empty();
    part("scans", &mut effect.scans.iter().filter(|table| !effect.rewrites.contains(*table) && !indexed));
    part("builds", &mut effect.index_builds.iter().filter(|_| effect.rewrites.is_empty()));
    if effect.in_transaction_block == InTransactionBlock::Forbidden {
        parts.push("not in a transaction".to_owned());
    }
    parts.join("; ")
}

/// The first of the worst findings, and how many there are besides.
pub(super) fn verdict(record: &StatementRecord, findings: &[&Finding]) -> String {
    // In the order of the text.
    let from = findings.partition_point(|finding| finding.span.start < record.span.start);
    let behind = findings[from..].iter().take_while(|finding| finding.span.start <= record.span.end);
    let here: Vec<&&Finding> = behind.filter(|finding| record.span.contains(finding.span)).collect();
    let Some(worst) = here.iter().rev().max_by_key(|finding| finding.severity) else { return "ok".to_owned() };
    match here.len() {
        1 => format!("{}: {}", worst.severity, worst.rule),
        many => format!("{}: {} and {} more", worst.severity, worst.rule, many - 1),
    }
}
