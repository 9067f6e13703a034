//! Statistics of columns: pg_stats.

use std::collections::BTreeMap;

use super::super::catalog::{OURS, Printing, each_printed, is_damage, unread_damage};
use super::super::{DbError, Session};
use super::{Names, unread};
use crate::change::{Name, QualifiedName};
use crate::facts::{ColumnFacts, ElementFacts, Facts, RangeFacts, SENTINELS, Topic, ValueList, Values};
use crate::text::quoting::literal;

/// Reads pg_statistic where the role may; else what it may see of pg_stats, which shows the columns that the role may SELECT.
pub(super) async fn columns(session: &Session, facts: &mut Facts, values: Values) -> Result<(), DbError> {
    let all = values == Values::All;
    let sql = query(facts, all);
    const OBJECTS: &str = "SELECT c.oid, c.oid::regclass::text FROM pg_class c WHERE c.oid >= 16384";
    let query = Printing { part: "column statistics", topic: Topic::ColumnStatistics, sql: &sql, objects: OBJECTS };
    let mut names = Names::default();
    type Found = Vec<(QualifiedName, bool, Name, ColumnFacts)>;
    let result: Result<(Found, _), _> = each_printed(session, query, &[], |row, found: &mut Found| {
        let lists = |at: usize| row.get::<Option<&str>>(at).map(|text| text.map(ValueList::new));
        let numbers = |at: usize| row.get::<Option<Vec<f32>>>(at).map(Option::unwrap_or_default);
        let frequencies = numbers(9)?;
        let (element_list, element_frequencies) = (lists(12)?, numbers(13)?);
        let (lengths, empty, bounds) = (lists(15)?, row.get::<Option<f32>>(16)?, lists(17)?);
        let most_common_values = lists(8)?;
        let sentinels = match (&most_common_values, row.get::<Option<Vec<String>>>(18)?) {
            (Some(values), _) => found_sentinels(&values.values(), &frequencies),
            (None, Some(found)) => {
                let places = row.get::<Option<Vec<i64>>>(19)?.unwrap_or_default();
                let share = |place: i64| frequencies.get(usize::try_from(place - 1).ok()?).copied();
                found.into_iter().zip(places).filter_map(|(text, place)| Some((text, share(place)?))).collect()
            }
            (None, None) => Vec::new(),
        };
        let has_elements = !element_frequencies.is_empty() || element_list.is_some();
        let has_range = lengths.is_some() || empty.is_some() || bounds.is_some();
        let column = ColumnFacts {
            null_fraction: row.get(4)?,
            average_width: row.get(5)?,
            n_distinct: row.get(6)?,
            correlation: row.get(7)?,
            most_common_values,
            most_common_frequencies: frequencies,
            histogram: lists(10)?,
            sentinels,
            elements: has_elements.then(|| {
                let count_histogram = row.get::<Option<Vec<f32>>>(14).ok().flatten().unwrap_or_default();
                Box::new(ElementFacts { most_common: element_list, frequencies: element_frequencies, count_histogram })
            }),
            range: has_range.then(|| {
                Box::new(RangeFacts { length_histogram: lengths, empty_fraction: empty, bounds_histogram: bounds })
            }),
            values_left_out: !all && row.get(11)?,
        };
        let table = names.qualified(row.get(0)?, row.get(1)?);
        let inherited: bool = row.get(3)?;
        found.push((table, inherited, names.name(row.get(2)?), column));
        Ok(())
    })
    .await;
    let (found, damaged) = match result {
        Err(error) if !reads_all(facts) && is_damage(&error) => {
            let (reason, unchecked) = (error.message(), "what rules know from statistics");
            facts.unread.push(unread(Topic::ColumnStatistics, "column statistics", reason, unchecked, Vec::new()));
            return Ok(());
        }
        result => result?,
    };
    for (table, inherited, name, column) in found {
        let place: Option<&mut BTreeMap<Name, ColumnFacts>> = match facts.relations.get_mut(&table) {
            Some(relation) if inherited => Some(&mut relation.inherited_columns),
            Some(relation) => Some(&mut relation.columns),
            None => facts.indexes.get_mut(&table).map(|index| &mut index.columns),
        };
        if let Some(columns) = place {
            columns.insert(name, column);
        }
    }
    facts.unread.extend(unread_damage(Topic::ColumnStatistics, "column statistics", damaged));
    if reads_all(facts) { Ok(()) } else { hidden(session, facts).await }
}

/// The columns are those that [`columns`] reads, by their places.
fn query(facts: &Facts, all: bool) -> String {
    // Where values were not asked for, the server only says which sentinels are among them.
    let list = |column: &str| if all { format!("s.{column}::text") } else { "NULL::text".to_owned() };
    let range = facts.server.major() >= 17;
    let of_range = |column: &str| match (range, all) {
        (true, true) => format!("s.{column}::text"),
        _ => "NULL::text".to_owned(),
    };
    let quoted: Vec<String> = SENTINELS.iter().map(|text| literal(text)).collect();
    // Text is cast to an array of text only where a sentinel can be in it: that is dear for 100,000 columns.
    let sentinels = if all {
        "NULL::text[], NULL::int8[]".to_owned()
    } else {
        let inner = "FROM unnest(s.most_common_vals::text::text[]) WITH ORDINALITY u(v, n)";
        let hit = format!("u.v IN ({})", quoted.join(", "));
        format!(
            "CASE WHEN s.most_common_vals IS NOT NULL THEN ARRAY(SELECT u.v {inner} WHERE {hit} ORDER BY u.n) END,
             CASE WHEN s.most_common_vals IS NOT NULL THEN ARRAY(SELECT u.n {inner} WHERE {hit} ORDER BY u.n) END"
        )
    };
    format!(
        "SELECT s.schemaname::text, s.tablename::text, s.attname::text, s.inherited, s.null_frac, s.avg_width, s.n_distinct, s.correlation,
                {}, s.most_common_freqs, {}, s.most_common_vals IS NOT NULL OR s.histogram_bounds IS NOT NULL OR s.most_common_elems IS NOT NULL,
                {}, s.most_common_elem_freqs, s.elem_count_histogram,
                {}, {}, {}, {sentinels}
           FROM {} s
          WHERE {} AND {}",
        list("most_common_vals"),
        list("histogram_bounds"),
        list("most_common_elems"),
        of_range("range_length_histogram"),
        if range { "s.range_empty_frac" } else { "NULL::float4" },
        of_range("range_bounds_histogram"),
        if reads_all(facts) { raw(range) } else { "pg_stats".to_owned() },
        OURS.replace("n.nspname", "s.schemaname"),
        // pg_stats has names only, which may be of nothing in a damaged catalog.
        if reads_all(facts) { "NOT s.starelid = ANY($1)" } else { "$1::oid[] IS NOT NULL" },
    )
}

/// The role may read pg_statistic itself.
fn reads_all(facts: &Facts) -> bool {
    facts.server.superuser || facts.server.reads_all_data
}

/// What the view pg_stats shows, without its questions about privileges: for 100,000 columns they take most of the time.
fn raw(range: bool) -> String {
    // Kinds of pg_statistic.h: common values 1, histogram 2, correlation 3, common elements 4, element counts 5, range lengths 6, bounds 7.
    let slot = |kind: u8, column: &str, element: &str| {
        let cases: String =
            (1..=5).map(|slot| format!(" WHEN stakind{slot} = {kind} THEN {column}{slot}{element}")).collect();
        format!("CASE{cases} END")
    };
    let of_range = if range {
        format!(
            ", {} AS range_length_histogram, {} AS range_empty_frac, {} AS range_bounds_histogram",
            slot(6, "stavalues", ""),
            slot(6, "stanumbers", "[1]"),
            slot(7, "stavalues", "")
        )
    } else {
        String::new()
    };
    format!(
        "(SELECT starelid, n.nspname AS schemaname, c.relname AS tablename, a.attname, stainherit AS inherited, stanullfrac AS null_frac,
                 stawidth AS avg_width, stadistinct AS n_distinct, {} AS correlation, {} AS most_common_vals, {} AS most_common_freqs,
                 {} AS histogram_bounds, {} AS most_common_elems, {} AS most_common_elem_freqs, {} AS elem_count_histogram{of_range}
            FROM pg_statistic
            JOIN pg_class c ON c.oid = starelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = starelid AND a.attnum = staattnum
           WHERE NOT a.attisdropped)",
        slot(3, "stanumbers", "[1]"),
        slot(1, "stavalues", ""),
        slot(1, "stanumbers", ""),
        slot(2, "stavalues", ""),
        slot(4, "stavalues", ""),
        slot(4, "stanumbers", ""),
        slot(5, "stanumbers", ""),
    )
}

fn found_sentinels(values: &[String], shares: &[f32]) -> Vec<(String, f32)> {
    let both = values.iter().zip(shares);
    both.filter(|(value, _)| SENTINELS.contains(&value.as_str()))
        .map(|(value, share)| (value.clone(), *share))
        .collect()
}

/// Tables of which the role sees no statistics.
async fn hidden(session: &Session, facts: &mut Facts) -> Result<(), DbError> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT')
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE {OURS} AND c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
            AND (row_security_active(c.oid) OR NOT has_table_privilege(c.oid, 'SELECT') AND NOT has_any_column_privilege(c.oid, 'SELECT'))
          ORDER BY 1, 2"
    );
    // By whether only row security hides them.
    let mut why: BTreeMap<bool, Vec<String>> = BTreeMap::new();
    session
        .each("column statistics", &sql, None, |row| {
            let name = QualifiedName::new(row.get::<&str>(0)?, row.get::<&str>(1)?);
            why.entry(row.get(2)?).or_default().push(name.to_string());
            if let Some(relation) = facts.relations.get_mut(&name) {
                relation.columns_hidden = true;
            }
            Ok(())
        })
        .await?;
    let unchecked = "NULLs, distinct and common values, bloat of indexes: what rules know from statistics";
    let user = facts.server.current_user.clone();
    for (row_security, tables) in why {
        let reason = if row_security {
            format!("row security hides them from {user}; a role with BYPASSRLS, or the owner, sees them")
        } else {
            format!("{user} has no SELECT on them; GRANT pg_read_all_data would let it")
        };
        let fact = format!("column statistics of {} tables", tables.len());
        facts.unread.push(unread(Topic::ColumnStatistics, fact, reason, unchecked, tables));
    }
    Ok(())
}
