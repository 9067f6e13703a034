//! Which index serves the filter of a scan, and what to write where none does.

use super::PROVE;
use crate::plan::condition::{self, AsNumber, Atom, Obstacle, Use};
use crate::plan::node::{ConditionKind, Node};

/// What to say about an index for a filter.
pub(super) struct Suggestion {
    pub advice: String,
    pub sql: Vec<String>,
    /// It holds for these very constants.
    pub is_of_constants: bool,
}

/// For the filter's conditions, behind what an index already serves.
pub(super) fn index_for(node: &Node, filter: &str, served: &[Atom]) -> Suggestion {
    let (advice, sql) = index_or_reason(node, filter, served);
    let is_partial = |sql: &String| sql.contains(" WHERE ");
    let is_of_constants = sql.iter().any(is_partial) && condition::obstacle(node, filter) == Obstacle::Constant;
    Suggestion { advice, sql, is_of_constants }
}

fn index_or_reason(node: &Node, filter: &str, served: &[Atom]) -> (String, Vec<String>) {
    let atoms = condition::atoms(node, filter);
    let mut parts = looked_up(&atoms, served);
    if let Some(number) = parts.iter().filter_map(|atom| atom.as_number.as_ref()).find(|it| it.is_beyond_integers()) {
        return (matches_nothing(number), Vec::new());
    }
    let predicate = add_flags(&mut parts, &atoms, served);
    // As long as it is there, nobody knows whether the rest of the condition keeps few rows.
    if condition::clauses(filter) > 1 && served.is_empty() && condition::obstacle(node, filter) == Obstacle::NotDistinct
    {
        return without_index(node, filter);
    }
    let is_key = |atom: &Atom| parts.iter().any(|part| part.key == atom.key);
    let helped = atoms.iter().filter(is_usable).any(is_key) || !predicate.is_empty();
    if helped && !parts.is_empty() {
        return by_keys(node, &atoms, served, &parts, &predicate);
    }
    if let Some(contains) = atoms.iter().find(|atom| atom.use_ == Use::Contains) {
        return by_contents(node, contains);
    }
    if let Some(pattern) = atoms.iter().filter(is_usable).find(|atom| atom.use_ == Use::Pattern) {
        return by_trigrams(node, pattern);
    }
    without_index(node, filter)
}

/// A column that is cast to text is varchar, unless what it is compared with is a number or a time.
fn is_usable(atom: &&Atom) -> bool {
    !atom.as_text.as_deref().is_some_and(condition::is_doubtful)
}

/// What is used so, each key once.
fn of_uses<'a>(atoms: &'a [Atom], served: &'a [Atom], uses: &[Use]) -> Vec<&'a Atom> {
    let mut found: Vec<&Atom> = Vec::new();
    for atom in served.iter().chain(atoms).filter(is_usable).filter(|atom| uses.contains(&atom.use_)) {
        if found.iter().all(|known| known.key != atom.key) {
            found.push(atom);
        }
    }
    found
}

/// The keys that rows are looked up by: those that are equal to a value, then a range.
fn looked_up<'a>(atoms: &'a [Atom], served: &'a [Atom]) -> Vec<&'a Atom> {
    let mut parts = of_uses(atoms, served, &[Use::Equal]);
    // Behind the first range, a further column finds nothing; where an index serves the range already, it saves visits to the table.
    let ranges = of_uses(atoms, served, &[Use::Range, Use::Prefix]);
    let ranges = ranges.into_iter().filter(|range| parts.iter().all(|atom| atom.key != range.key));
    let ranges: Vec<&Atom> =
        ranges.take(if served.iter().any(|atom| atom.use_ == Use::Range) { 2 } else { 1 }).collect();
    parts.extend(ranges);
    parts
}

/// Adds flags to the keys where there are no others; else gives the condition of a partial index.
fn add_flags<'a>(parts: &mut Vec<&'a Atom>, atoms: &'a [Atom], served: &'a [Atom]) -> String {
    // What an index serves already is no flag: it reads the rest in the order of a column that is not NULL, as for max().
    let is_own = |flag: &&Atom| atoms.iter().any(|own| own.key == flag.key);
    let flags: Vec<&Atom> = of_uses(atoms, served, &[Use::Flag]).into_iter().filter(is_own).collect();
    let of_order = served.iter().filter(|atom| {
        atom.predicate.as_deref().is_some_and(|predicate| predicate.ends_with("IS NOT NULL")) && !is_own(atom)
    });
    if !parts.is_empty() {
        parts.extend(of_order);
    }
    // Rows by flags alone: the flag is the key. Most rows may have it; what is searched besides is looked up first.
    let searched = parts.is_empty() && atoms.iter().any(|atom| atom.use_ == Use::Contains);
    if parts.is_empty() && !searched {
        parts.extend(flags);
        return String::new();
    }
    let flags: Vec<&str> = flags.iter().filter_map(|atom| atom.predicate.as_deref()).collect();
    if flags.is_empty() { String::new() } else { format!(" WHERE {}", flags.join(" AND ")) }
}

fn matches_nothing(number: &AsNumber) -> String {
    let (column, value) = (&number.column, &number.value);
    format!(
        "{column} is compared as a number that is not an integer, since {value} is greater than any bigint: if {column} is a column of integers, no row can \
         match. Check the range before the query runs."
    )
}

fn by_keys(node: &Node, atoms: &[Atom], served: &[Atom], parts: &[&Atom], predicate: &str) -> (String, Vec<String>) {
    let keys: Vec<String> = parts.iter().map(|atom| key(atom)).collect();
    let sql = super::create_index(node, &format!("({}){predicate}", keys.join(", ")));
    let what = if served.is_empty() {
        "An index on the condition finds those rows"
    } else {
        "An index that has the filter's columns too finds those rows"
    };
    let numbers: Vec<&str> =
        parts.iter().filter_map(|atom| atom.as_number.as_ref()).map(|it| it.column.as_str()).collect();
    let sent = match &numbers[..] {
        [] => String::new(),
        columns => {
            let columns = columns.join(" and ");
            format!(
                " If {columns} is a column of integers and the value was sent as numeric or as a floating-point number, send it as an integer: \
                 an index on {columns} itself serves that."
            )
        }
    };
    let besides = atoms.iter().find(|atom| atom.use_ == Use::Contains && atom.rewrite.is_none()).map_or_else(
        String::new,
        |atom| {
            let method = if atom.gist { "GiST" } else { "GIN" };
            format!(
                " What {} is compared by is served by a {method} index, alone or with these columns (btree_{}).",
                atom.key,
                method.to_lowercase()
            )
        },
    );
    let cast: Vec<&str> = parts.iter().filter(|atom| atom.as_text.is_some()).map(|atom| atom.key.as_str()).collect();
    let assumed = match &cast[..] {
        [] => String::new(),
        columns => format!(
            " This takes {} for varchar: a column of another type that is cast to text is not served.",
            columns.join(" and ")
        ),
    };
    let advice =
        format!("{what} without reading the others.{besides}{assumed}{sent}{} {PROVE}", super::on_partitions(node));
    (advice, sql.into_iter().collect())
}

/// By an operator that asks what is in a value: of arrays, documents, ranges and shapes.
fn by_contents(node: &Node, contains: &Atom) -> (String, Vec<String>) {
    let method = if contains.gist { "gist" } else { "gin" };
    let sql = super::create_index(node, &format!("USING {method} ({})", contains.key));
    let advice = match &contains.rewrite {
        Some(rewrite) => {
            format!("No index serves = ANY of a column. Written as {rewrite}, it is served by a GIN index.")
        }
        None if contains.gist => "A GiST index serves this operator.".to_owned(),
        None => "A GIN index serves this operator.".to_owned(),
    };
    (format!("{advice}{} {PROVE}", super::on_partitions(node)), sql.into_iter().collect())
}

fn by_trigrams(node: &Node, pattern: &Atom) -> (String, Vec<String>) {
    let index = super::create_index(node, &format!("USING gin ({} gin_trgm_ops)", pattern.key));
    let sql = index.map_or_else(Vec::new, |index| vec!["CREATE EXTENSION IF NOT EXISTS pg_trgm;".to_owned(), index]);
    let advice =
        "A search for a part of a text is served by an index of trigrams, if the pattern has at least three letters.";
    (format!("{advice}{} {PROVE}", super::on_partitions(node)), sql)
}

/// The first condition of a filter that has to be written in another way to be served.
pub(super) fn rewrite_of(node: &Node) -> Option<String> {
    let filter = node.condition(ConditionKind::Filter)?;
    let atoms = condition::atoms(node, filter);
    let contains = atoms.into_iter().find(|atom| atom.use_ == Use::Contains)?;
    contains.rewrite
}

fn key(atom: &Atom) -> String {
    match atom.use_ {
        Use::Prefix => format!("{} text_pattern_ops", atom.key),
        _ => atom.key.clone(),
    }
}

/// A condition of constants alone, as that of an index.
fn partial(node: &Node, filter: &str) -> (String, Vec<String>) {
    let advice = "No plain index serves this condition as it is written. Where it always is the same, a partial index with the condition as its WHERE holds just these rows";
    match condition::predicate(node, filter) {
        Some((column, predicate)) => {
            let sql = super::create_index(node, &format!("({column}) WHERE {predicate}"));
            let advice = format!("{advice}, by whatever column they are then ordered or joined.");
            (format!("{advice}{} {PROVE}", super::on_partitions(node)), sql.into_iter().collect())
        }
        None => (format!("{advice}."), Vec::new()),
    }
}

/// Why no index serves the filter as it is written, and what would.
fn without_index(node: &Node, filter: &str) -> (String, Vec<String>) {
    let advice = match condition::obstacle(node, filter) {
        Obstacle::Alternatives(keys) => {
            let sql: Vec<String> =
                keys.iter().filter_map(|key| super::create_index(node, &format!("({key})"))).collect();
            let advice = "An index for each side of OR lets the planner combine them by bitmaps. Make those that are not there yet: the plan does not show \
                          which indexes the table has.";
            return (format!("{advice}{} {PROVE}", super::on_partitions(node)), sql);
        }
        Obstacle::Optional(keys) => {
            return (
                format!(
                    "Where the parameter is NULL all rows match, and one plan for all values has to allow for that. Ask for the condition only where there \
                     is a value; or have the plan made for the values (SET plan_cache_mode = force_custom_plan) with an index on {}.",
                    keys.join(", or on ")
                ),
                Vec::new(),
            );
        }
        Obstacle::NotDistinct => {
            "No index serves IS NOT DISTINCT FROM: write = where NULL cannot match, or IS NULL where NULL is meant."
        }
        Obstacle::Volatile => {
            "The condition is another one for each row, since it calls a volatile function: no index can serve it. To take a sample, TABLESAMPLE reads only a part."
        }
        Obstacle::Subquery => {
            "The condition depends on a subquery, which no index of this table serves; as a join it may be."
        }
        Obstacle::Constant => return partial(node, filter),
        Obstacle::Unknown => "As far as the plan shows, no index serves this condition as written.",
    };
    (advice.to_owned(), Vec::new())
}
