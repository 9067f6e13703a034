//! A node's name in one line, as EXPLAIN's text format has it.

use super::super::amount;
use super::super::node::{KnownType, Node, Relationship, quote};

/// `Parallel Index Scan on orders o using orders_pkey`.
pub(in crate::plan) fn title(node: &Node) -> String {
    let mut title = String::new();
    if node.parallel_aware {
        title.push_str("Parallel ");
    }
    if node.async_capable && node.is(KnownType::ForeignScan) {
        title.push_str("Async ");
    }
    title.push_str(&kind(node));
    if node.backward {
        title.push_str(" Backward");
    }
    if let Some(target) = target(node) {
        title.push_str(" on ");
        title.push_str(&target);
    }
    if let Some(index) = node.index.as_deref().filter(|_| !node.is(KnownType::BitmapIndexScan)) {
        title.push_str(&format!(" using {}", quote(index)));
    }
    title
}

/// With what it is for, and how often it ran.
pub(super) fn full(node: &Node) -> String {
    format!("{}{}", with_role(node, title(node)), runs(node))
}

/// The same without its end and the index, and the words that name the index.
pub(super) fn without_index(node: &Node) -> (String, Option<String>) {
    let word = if node.is(KnownType::BitmapIndexScan) { "on" } else { "using" };
    let index = node.index.as_deref().map(|index| format!("{word} {}", quote(index)));
    let short = Node { index: None, ..node.clone() };
    (with_role(node, title(&short)), index)
}

fn with_role(node: &Node, title: String) -> String {
    match (&node.subplan_name, node.relationship) {
        (Some(name), Some(Relationship::InitPlan | Relationship::SubPlan)) => format!("{name}: {title}"),
        _ => title,
    }
}

/// How many workers there were, and how often the node ran.
pub(super) fn runs(node: &Node) -> String {
    let mut full = String::new();
    if let (Some(planned), Some(launched)) = (node.workers_planned, node.workers_launched) {
        let workers = if planned == launched {
            amount::count(launched)
        } else {
            format!("{} of {}", amount::count(launched), amount::count(planned))
        };
        full.push_str(&format!(" ({workers} {})", if planned == 1.0 { "worker" } else { "workers" }));
    } else if let Some(planned) = node.workers_planned {
        full.push_str(&format!(" ({} workers planned)", amount::count(planned)));
    }
    if let Some(loops) = node.actual.map(|actual| actual.loops).filter(|loops| *loops > 1.0) {
        full.push_str(&format!(" ×{}", amount::count(loops)));
    }
    full
}

fn kind(node: &Node) -> String {
    let mode = node.partial_mode.as_deref().map(|mode| format!("{mode} ")).unwrap_or_default();
    if node.is(KnownType::Aggregate) {
        let name = match node.strategy.as_deref() {
            Some("Sorted") => "GroupAggregate",
            Some("Hashed") => "HashAggregate",
            Some("Mixed") => "MixedAggregate",
            _ => "Aggregate",
        };
        return format!("{mode}{name}");
    }
    if node.is(KnownType::SetOp) {
        let hash = if node.strategy.as_deref() == Some("Hashed") { "Hash" } else { "" };
        return format!("{hash}SetOp {}", node.set_command.as_deref().unwrap_or_default()).trim_end().to_owned();
    }
    if let Some(operation) = &node.operation {
        return if node.is(KnownType::ForeignScan) { format!("Foreign {operation}") } else { operation.clone() };
    }
    if let Some(provider) = &node.custom_provider {
        return format!("Custom Scan ({provider})");
    }
    match (node.join_type.as_deref(), node.kind.name()) {
        (Some(join), "Nested Loop") => format!("Nested Loop {join} Join"),
        (Some(join), name) if name.ends_with(" Join") => format!("{} {join} Join", name.trim_end_matches(" Join")),
        (_, name) => name.to_owned(),
    }
}

fn target(node: &Node) -> Option<String> {
    if node.is(KnownType::BitmapIndexScan) {
        return node.index.as_deref().map(quote);
    }
    let named = node
        .qualified_relation()
        .or_else(|| node.cte.as_deref().map(quote))
        .or_else(|| node.function.as_deref().map(quote));
    match (named, node.alias.as_deref().map(quote)) {
        (Some(name), Some(alias)) => Some(format!("{name} {alias}")),
        (name, alias) => name.or(alias),
    }
}
