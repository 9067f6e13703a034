//! Which columns of a table a query needs, told from what stands above its scan.
//!
//! The output of a scan tells little: under an aggregate or a join the executor hands on whole rows rather than copy parts of them
//! (use_physical_tlist in createplan.c). The first node above that computes something names what is passed on.

use std::collections::BTreeSet;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::tables::TableInfo;
use crate::plan::node::{KnownType, Relationship};
use crate::plan::{NodeId, Plan};

/// Nodes that hand on the columns of what is below them.
const HAND_ON: &[KnownType] = &[
    KnownType::Sort,
    KnownType::IncrementalSort,
    KnownType::Hash,
    KnownType::Materialize,
    KnownType::Memoize,
    KnownType::Limit,
    KnownType::LockRows,
    KnownType::Unique,
    KnownType::Append,
    KnownType::MergeAppend,
    KnownType::Gather,
    KnownType::GatherMerge,
];

/// The columns that an index would have to hold so that the table is not read; `None` if no index can, because whole rows or system columns (the
/// place of a row that is changed or locked) are asked for.
pub(super) fn needed(plan: &Plan, id: NodeId, aliases: &[String], info: &TableInfo) -> Option<BTreeSet<String>> {
    let alone = is_alone(plan);
    let mut found = BTreeSet::new();
    let skipped = handed_on(plan, id);
    for other in plan.ids() {
        let node = plan.node(other);
        let conditions = node.conditions.iter().map(|condition| &condition.text);
        let keys = node.sort_key.iter().chain(node.group_keys.iter().flatten()).chain(&node.cache_key);
        let output = node.output.iter().filter(|_| !skipped.contains(&other));
        for text in conditions.chain(keys).chain(output) {
            columns_in(text, aliases, alone, info, &mut found)?;
        }
    }
    Some(found)
}

/// EXPLAIN names no relation in its output if there is one only (show_plan_tlist in explain.c).
pub(super) fn is_alone(plan: &Plan) -> bool {
    let mut names = plan.nodes.iter().filter_map(|node| node.alias.as_deref().or(node.relation.as_deref()));
    let first = names.next();
    names.all(|name| Some(name) == first)
}

/// An output with its columns named as conditions name them.
pub(super) fn qualified(text: &str, alias: &str, info: &TableInfo) -> String {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).with_unescape(false).tokenize() else {
        return text.to_owned();
    };
    let mut result = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if is_bare(&tokens, at).is_some_and(|name| info.columns.contains_key(name)) {
            result.push_str(&crate::change::Name::new(alias).to_string());
            result.push('.');
        }
        result.push_str(&token.to_string());
    }
    result
}

/// The scan and the nodes above it whose output tells nothing; the node that tells is not among them.
fn handed_on(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    let mut found = vec![id];
    let mut below = id;
    for above in plan.ancestors(id) {
        // A subplan's own root is asked for no more than it returns.
        if matches!(plan.node(below).relationship, Some(Relationship::InitPlan | Relationship::SubPlan)) {
            break;
        }
        if !plan.node(above).is_any(HAND_ON) {
            return found;
        }
        found.push(above);
        below = above;
    }
    // Nothing above computes anything: what the scan returns is what is asked for.
    Vec::new()
}

/// `None` if more than columns of the table is asked for.
fn columns_in(
    text: &str,
    aliases: &[String],
    alone: bool,
    info: &TableInfo,
    found: &mut BTreeSet<String>,
) -> Option<()> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().ok()?;
    for at in 0..tokens.len() {
        let qualifier = match &tokens[at] {
            Token::Word(word) if aliases.contains(&word.value) => tokens.get(at + 1) == Some(&Token::Period),
            _ => false,
        };
        let name = match (qualifier, tokens.get(at + 2)) {
            (true, Some(Token::Word(word))) => Some(word.value.as_str()),
            (true, _) => return None,
            (false, _) => {
                is_bare(&tokens, at).filter(|name| alone && (info.columns.contains_key(*name) || is_system(name)))
            }
        };
        let Some(name) = name else { continue };
        if !info.columns.contains_key(name) {
            return None;
        }
        found.insert(name.to_owned());
    }
    Some(())
}

fn is_system(name: &str) -> bool {
    matches!(name, "ctid" | "tableoid" | "xmin" | "xmax" | "cmin" | "cmax")
}

/// The word at a place that nothing qualifies and that is no function's or type's name.
fn is_bare(tokens: &[Token], at: usize) -> Option<&str> {
    let Token::Word(word) = tokens.get(at)? else { return None };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let after = tokens.get(at + 1);
    let qualified = matches!(before, Some(Token::Period | Token::DoubleColon));
    let more = matches!(after, Some(Token::Period | Token::LParen));
    (!qualified && !more).then_some(&word.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::ColumnInfo;

    fn table(columns: &[&str]) -> TableInfo {
        let columns = columns.iter().map(|name| ((*name).to_owned(), ColumnInfo::default()));
        TableInfo { columns: columns.collect(), ..TableInfo::default() }
    }

    fn read(text: &str, alone: bool) -> Option<Vec<String>> {
        let mut found = BTreeSet::new();
        columns_in(text, &["t".to_owned()], alone, &table(&["a", "b"]), &mut found)?;
        Some(found.into_iter().collect())
    }

    #[test]
    fn columns_of_the_table_are_told_with_and_without_its_name() {
        assert_eq!(read("PARTIAL sum((t.a + other.b))", false), Some(vec!["a".to_owned()]));
        assert_eq!(read("sum(a)", true), Some(vec!["a".to_owned()]));
        assert_eq!(read("(b)::a", true), Some(vec!["b".to_owned()]));
        assert_eq!(read("sum(a)", false), Some(Vec::new()));
    }

    #[test]
    fn rows_and_their_places_are_in_no_index() {
        assert_eq!(read("t.ctid", false), None);
        assert_eq!(read("ctid", true), None);
        assert_eq!(read("t.*", false), None);
    }

    #[test]
    fn a_bare_output_is_named_as_a_condition_is() {
        assert_eq!(qualified("max(a)", "t", &table(&["a"])), "max(t.a)");
        assert_eq!(qualified("max(t.a)", "t", &table(&["a"])), "max(t.a)");
    }
}
