//! Extended statistics.

use super::super::catalog::{Locked, OURS, Printing};
use super::super::{DbError, Session};
use super::{is_partial, unread};
use crate::change::QualifiedName;
use crate::facts::{ExtendedStatisticsData, ExtendedStatisticsFacts, Facts, Topic, Values};

pub(super) async fn extended(
    session: &Session,
    facts: &mut Facts,
    locked: &mut Locked,
    values: Values,
) -> Result<(), DbError> {
    let sql = format!(
        "SELECT n.nspname::text, s.stxname::text, tn.nspname::text, t.relname::text,
                CASE WHEN s.stxrelid = ANY($1) OR s.oid = ANY($1) THEN '' ELSE pg_get_statisticsobjdef(s.oid) END
           FROM pg_statistic_ext s
           JOIN pg_namespace n ON n.oid = s.stxnamespace
           JOIN pg_class t ON t.oid = s.stxrelid
           JOIN pg_namespace tn ON tn.oid = t.relnamespace
          WHERE {OURS}"
    );
    const OBJECTS: &str = "SELECT s.oid, quote_ident(s.stxname) FROM pg_statistic_ext s";
    let query = Printing { part: "extended statistics", topic: Topic::ExtendedStatistics, sql: &sql, objects: OBJECTS };
    type Found = Vec<(QualifiedName, ExtendedStatisticsFacts)>;
    let found: Found = locked
        .each(session, query, |row, found: &mut Found| {
            let name = QualifiedName::new(row.get::<&str>(0)?, row.get::<&str>(1)?);
            let table = QualifiedName::new(row.get::<&str>(2)?, row.get::<&str>(3)?);
            found.push((name, ExtendedStatisticsFacts { table, definition: row.get(4)?, data: None }));
            Ok(())
        })
        .await?;
    facts.statistics.extend(found);
    if facts.statistics.is_empty() { Ok(()) } else { data(session, facts, values).await }
}

async fn data(session: &Session, facts: &mut Facts, values: Values) -> Result<(), DbError> {
    let inherited = if facts.server.major() >= 15 { "d.stxdinherit" } else { "false" };
    // pg_mcv_list and expressions hold values.
    let with_values = if values == Values::All {
        "encode(pg_mcv_list_send(d.stxdmcv), 'hex'), d.stxdexpr::text"
    } else {
        "NULL::text, NULL::text"
    };
    let sql = format!(
        "SELECT n.nspname::text, s.stxname::text, {inherited}, d.stxdndistinct::text, d.stxddependencies::text,
                encode(pg_ndistinct_send(d.stxdndistinct), 'hex'), encode(pg_dependencies_send(d.stxddependencies), 'hex'), {with_values}
           FROM pg_statistic_ext s
           JOIN pg_namespace n ON n.oid = s.stxnamespace
           JOIN pg_statistic_ext_data d ON d.stxoid = s.oid
          WHERE {OURS}"
    );
    let result = session
        .each_in_savepoint("extended statistics", &sql, None, |row| {
            let name = QualifiedName::new(row.get::<&str>(0)?, row.get::<&str>(1)?);
            let data = ExtendedStatisticsData {
                inherited: row.get(2)?,
                n_distinct: row.get(3)?,
                dependencies: row.get(4)?,
                n_distinct_bytes: row.get(5)?,
                dependencies_bytes: row.get(6)?,
                most_common: row.get(7)?,
                expressions: row.get(8)?,
            };
            if let Some(statistics) = facts.statistics.get_mut(&name) {
                statistics.data = Some(data);
            }
            Ok(())
        })
        .await;
    match result {
        Err(error) if is_partial(&error) => {
            let objects: Vec<String> = facts.statistics.keys().map(ToString::to_string).collect();
            let user = &facts.server.current_user;
            let reason = format!("{user} may not read pg_statistic_ext_data; GRANT pg_read_all_data would let it");
            let fact = format!("the values of {} extended statistics", objects.len());
            let unchecked = "plans of a twin differ where the server uses them";
            facts.unread.push(unread(Topic::ExtendedStatistics, fact, reason, unchecked, objects));
            Ok(())
        }
        result => result,
    }
}
