//! Indexes that another one makes needless.

use super::definition::Definition;
use super::tables::{IndexInfo, TableInfo};

/// What an index consists of, from the text that pg_get_indexdef prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    method: String,
    keys: Vec<String>,
    include: Vec<String>,
    predicate: Option<String>,
}

impl Parts {
    pub(super) fn of(definition: &str) -> Option<Parts> {
        let (_, body) = definition.split_once(" USING ")?;
        Parts::of_body(&format!("USING {body}"))
    }

    fn of_body(body: &str) -> Option<Parts> {
        let (method, rest) = match body.strip_prefix("USING ") {
            Some(rest) => rest.split_once(' ')?,
            None => ("btree", body),
        };
        let (keys, rest) = parenthesized(rest)?;
        let (include, rest) = match rest.trim_start().strip_prefix("INCLUDE ") {
            Some(rest) => parenthesized(rest)?,
            None => (Vec::new(), rest),
        };
        let predicate = rest.trim_start().strip_prefix("WHERE ").map(bare);
        let keys = keys.iter().map(|key| bare(key)).collect();
        Some(Parts { method: method.to_owned(), keys, include, predicate })
    }

    /// Whatever an index with `body` would be used for, this one can be.
    pub(super) fn serves(&self, body: &str) -> bool {
        Parts::of_body(body).is_some_and(|wanted| self.covers(&wanted))
    }

    fn covers(&self, other: &Parts) -> bool {
        let ordered = self.method == "btree";
        self.method == other.method
            && self.predicate == other.predicate
            && (self.keys == other.keys || (ordered && self.keys.starts_with(&other.keys)))
            && other.include.iter().all(|column| self.include.contains(column) || self.keys.contains(column))
    }
}

/// Whether the first keys are all columns of a unique index without a condition, in any order.
pub(super) fn begins_with_unique_key(definition: &Definition, table: &TableInfo) -> bool {
    let keys: Vec<&str> = definition.keys.iter().map(|key| key.sql.as_str()).collect();
    unique_keys(table).any(|unique| {
        let first = keys.get(..unique.len());
        first.is_some_and(|first| unique.iter().all(|key| first.contains(&key.as_str())))
    })
}

/// Whether these columns compared for equality leave one row at most.
pub(super) fn names_one_row(equal: &[&str], table: &TableInfo) -> bool {
    unique_keys(table).any(|unique| unique.iter().all(|key| equal.contains(&key.as_str())))
}

fn unique_keys(table: &TableInfo) -> impl Iterator<Item = Vec<String>> {
    let unique = table.indexes.iter().filter(|index| index.unique && index.valid);
    let parts = unique.filter_map(|index| Parts::of(&index.definition));
    parts.filter(|parts| parts.predicate.is_none() && !parts.keys.is_empty()).map(|parts| parts.keys)
}

/// Keys of an index in its order, without what stands behind them; empty if it has no order.
pub(super) fn ordered_keys(definition: &str) -> Vec<String> {
    Parts::of(definition).filter(|parts| parts.method == "btree").map(|parts| parts.keys).unwrap_or_default()
}

/// Splits at the commas of the outermost level; returns what follows the closing parenthesis.
fn parenthesized(text: &str) -> Option<(Vec<String>, &str)> {
    let mut items = vec![String::new()];
    let (mut depth, mut quote) = (0_u32, None);
    for (at, character) in text.char_indices() {
        if depth == 0 && character != '(' {
            return None;
        }
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(') => {
                depth += 1;
                if depth == 1 {
                    continue;
                }
            }
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some((items.iter().map(|item| item.trim().to_owned()).collect(), &text[at + 1..]));
                }
            }
            (None, ',') if depth == 1 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut()?.push(character);
    }
    None
}

/// Without parentheses around the whole.
fn bare(text: &str) -> String {
    let mut text = text.trim();
    while let Some(inside) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let balanced = inside.chars().try_fold(0_i32, |depth, character| match character {
            '(' => Some(depth + 1),
            ')' if depth == 0 => None,
            ')' => Some(depth - 1),
            _ => Some(depth),
        });
        if balanced != Some(0) {
            break;
        }
        text = inside.trim();
    }
    text.to_owned()
}

/// Existing indexes of a table that another existing or a chosen one covers, with what covers them.
pub(super) fn redundant<'t>(table: &'t TableInfo, chosen: &[(&str, &Definition)]) -> Vec<(&'t IndexInfo, String)> {
    let parts: Vec<(&IndexInfo, Parts)> =
        table.indexes.iter().filter_map(|index| Some((index, Parts::of(&index.definition)?))).collect();
    let chosen: Vec<(&str, Parts)> =
        chosen.iter().filter_map(|(name, definition)| Some((*name, Parts::of_body(&definition.body())?))).collect();
    let mut found: Vec<(&IndexInfo, String)> = Vec::new();
    for (index, own) in parts.iter().filter(|(index, _)| !index.unique && !index.needed && index.valid) {
        let by_chosen = chosen.iter().find(|(_, other)| other.covers(own)).map(|(name, _)| (*name).to_owned());
        let by_other = parts.iter().find(|(other, its)| {
            let twins = its == own;
            // Of two alike the one that is needed, or the first, stays.
            other.name != index.name
                && other.valid
                && its.covers(own)
                && (!twins || other.unique || other.needed || other.name < index.name)
        });
        let covering = by_chosen.or(by_other.map(|(other, _)| other.name.clone()));
        found.extend(covering.map(|covering| (*index, covering)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_index_serves_what_a_shorter_one_does() {
        let long = Parts::of("CREATE INDEX i ON public.t USING btree (a, b DESC, lower((c)::text)) INCLUDE (d)")
            .expect("parts");
        assert!(long.serves("(a)") && long.serves("(a, b DESC)") && long.serves("(a) INCLUDE (d)"));
        assert!(
            !long.serves("(b)")
                && !long.serves("(a, b)")
                && !long.serves("(a) WHERE e")
                && !long.serves("USING gin (a)")
        );
    }

    #[test]
    fn a_predicate_is_the_same_in_any_parentheses() {
        let partial = Parts::of("CREATE INDEX i ON t USING btree (a) WHERE (b IS NULL)").expect("parts");
        assert!(partial.serves("(a) WHERE b IS NULL") && !partial.serves("(a)"));
    }
}
