//! Rows, counters and sizes of tables and indexes; where sequences stand.

use std::collections::HashMap;

use tokio_postgres::types::FromSql;

use super::super::catalog::{Locked, OURS, Oid, Printing};
use super::super::{DbError, Row, Session};
use super::{Names, is_partial, unread};
use crate::change::{Name, QualifiedName};
use crate::facts::{Facts, IndexFacts, RelationFacts, SequenceFacts, Timestamp, Topic, Use};

fn count(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// The columns of a query, each with the expression that is its value: what reads a row names them.
macro_rules! columns {
    ($($name:ident: $expression:literal,)+) => {
        #[derive(Clone, Copy)]
        enum Column {
            $($name),+
        }
        const EXPRESSIONS: &[&str] = &[$($expression),+];
    };
}

columns! {
    Oid: "c.oid",
    Schema: "n.nspname::text",
    Name: "c.relname::text",
    Kind: "c.relkind::text",
    Rows: "nullif(c.reltuples, -1)::float8",
    Pages: "c.relpages::int8",
    AllVisible: "c.relallvisible::int8",
    TransactionIdAge: "greatest(CASE WHEN c.relfrozenxid <> '0' THEN age(c.relfrozenxid) END, CASE WHEN t.relfrozenxid <> '0' THEN age(t.relfrozenxid) END)::int8",
    LiveRows: "pg_stat_get_live_tuples(c.oid)",
    DeadRows: "pg_stat_get_dead_tuples(c.oid)",
    ModifiedSinceAnalyze: "pg_stat_get_mod_since_analyze(c.oid)",
    InsertedSinceVacuum: "pg_stat_get_ins_since_vacuum(c.oid)",
    Scans: "pg_stat_get_numscans(c.oid)",
    RowsReturned: "pg_stat_get_tuples_returned(c.oid)",
    RowsFetched: "pg_stat_get_tuples_fetched(c.oid)",
    Inserts: "pg_stat_get_tuples_inserted(c.oid)",
    Updates: "pg_stat_get_tuples_updated(c.oid)",
    HotUpdates: "pg_stat_get_tuples_hot_updated(c.oid)",
    Deletes: "pg_stat_get_tuples_deleted(c.oid)",
    LastVacuum: "extract(epoch FROM pg_stat_get_last_vacuum_time(c.oid))::float8",
    LastAutovacuum: "extract(epoch FROM pg_stat_get_last_autovacuum_time(c.oid))::float8",
    LastAnalyze: "extract(epoch FROM pg_stat_get_last_analyze_time(c.oid))::float8",
    LastAutoanalyze: "extract(epoch FROM pg_stat_get_last_autoanalyze_time(c.oid))::float8",
    Vacuums: "pg_stat_get_vacuum_count(c.oid) + pg_stat_get_autovacuum_count(c.oid)",
    Analyzes: "pg_stat_get_analyze_count(c.oid) + pg_stat_get_autoanalyze_count(c.oid)",
    LastScan: "extract(epoch FROM pg_stat_get_lastscan(c.oid))::float8",
    Unique: "i.indisunique",
    Primary: "i.indisprimary",
    ReplicaIdentity: "i.indisreplident",
    Valid: "i.indisvalid",
    Ready: "i.indisready",
    Live: "i.indislive",
    KeyColumns: "i.indnkeyatts",
    IsConstraint: "k.oid IS NOT NULL",
    Parent: "h.inhparent",
    BlocksFetched: "pg_stat_get_blocks_fetched(c.oid)",
    BlocksHit: "pg_stat_get_blocks_hit(c.oid)",
    TableSchema: "b.nspname::text",
    TableName: "b.relname::text",
}

/// A row of that query.
struct Measured<'r>(&'r Row<'r>);

impl<'r> Measured<'r> {
    fn get<T: FromSql<'r>>(&self, column: Column) -> Result<T, DbError> {
        self.0.get(column as usize)
    }

    fn count(&self, column: Column) -> Result<u64, DbError> {
        self.get::<Option<i64>>(column).map(count)
    }

    fn moment(&self, column: Column) -> Result<Option<Timestamp>, DbError> {
        Ok(self.get::<Option<f64>>(column)?.map(Timestamp))
    }

    /// Of an index; that of a partitioned one is never scanned itself.
    fn index(&self, table: QualifiedName, is_scanned: bool) -> Result<IndexFacts, DbError> {
        let of_scans = |column| is_scanned.then(|| self.count(column)).transpose();
        let (blocks, hit) = (of_scans(Column::BlocksFetched)?, of_scans(Column::BlocksHit)?);
        Ok(IndexFacts {
            rows: self.get(Column::Rows)?,
            pages: self.count(Column::Pages)?,
            unique: self.get(Column::Unique)?,
            primary: self.get(Column::Primary)?,
            replica_identity: self.get(Column::ReplicaIdentity)?,
            valid: self.get(Column::Valid)?,
            ready: self.get(Column::Ready)?,
            live: self.get(Column::Live)?,
            key_columns: u16::try_from(self.get::<i16>(Column::KeyColumns)?).unwrap_or_default(),
            constraint: self.get(Column::IsConstraint)?,
            scans: of_scans(Column::Scans)?,
            entries_read: of_scans(Column::RowsReturned)?,
            rows_fetched: of_scans(Column::RowsFetched)?,
            last_scan: self.moment(Column::LastScan)?,
            blocks_hit: hit,
            blocks_read: blocks.zip(hit).map(|(blocks, hit)| blocks.saturating_sub(hit)),
            ..IndexFacts::new(table)
        })
    }

    fn activity(&self) -> Result<Use, DbError> {
        Ok(Use {
            live_rows: self.count(Column::LiveRows)?,
            dead_rows: self.count(Column::DeadRows)?,
            modified_since_analyze: self.count(Column::ModifiedSinceAnalyze)?,
            inserted_since_vacuum: self.count(Column::InsertedSinceVacuum)?,
            sequential_scans: self.count(Column::Scans)?,
            sequential_rows: self.count(Column::RowsReturned)?,
            inserts: self.count(Column::Inserts)?,
            updates: self.count(Column::Updates)?,
            hot_updates: self.count(Column::HotUpdates)?,
            deletes: self.count(Column::Deletes)?,
            last_vacuum: self.moment(Column::LastVacuum)?,
            last_autovacuum: self.moment(Column::LastAutovacuum)?,
            last_analyze: self.moment(Column::LastAnalyze)?,
            last_autoanalyze: self.moment(Column::LastAutoanalyze)?,
            vacuums: self.count(Column::Vacuums)?,
            analyzes: self.count(Column::Analyzes)?,
            last_scan: self.moment(Column::LastScan)?,
            ..Use::default()
        })
    }

    fn relation(&self, kind: &str, locked: bool) -> Result<RelationFacts, DbError> {
        let rows: Option<f64> = self.get(Column::Rows)?;
        Ok(RelationFacts {
            rows: rows.filter(|_| kind != "v"),
            pages: self.count(Column::Pages)?,
            all_visible_pages: self.count(Column::AllVisible)?,
            transaction_id_age: self.get::<Option<i64>>(Column::TransactionIdAge)?.map(|age| count(Some(age))),
            activity: matches!(kind, "r" | "m").then(|| self.activity()).transpose()?,
            locked,
            ..RelationFacts::default()
        })
    }
}

/// The query for a server of this version.
fn of_version(major: u16) -> String {
    // When an index or a table was last scanned is counted from 16 on.
    let expression = |(at, text): (usize, &&'static str)| match at == Column::LastScan as usize && major < 16 {
        true => "NULL::float8",
        false => *text,
    };
    let columns: Vec<&str> = EXPRESSIONS.iter().enumerate().map(expression).collect();
    format!(
        "SELECT {}
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
           LEFT JOIN pg_index i ON i.indexrelid = c.oid
           LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
           LEFT JOIN pg_inherits h ON i.indexrelid = h.inhrelid
           LEFT JOIN LATERAL (SELECT bn.nspname, bc.relname FROM pg_class bc JOIN pg_namespace bn ON bn.oid = bc.relnamespace WHERE bc.oid = i.indrelid) b ON true
          WHERE {OURS} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'i', 'I') AND c.relpersistence <> 't'",
        columns.join(", ")
    )
}

/// Rows, pages and counters: functions that take no lock.
pub(super) async fn relations(session: &Session, facts: &mut Facts, locked: &Locked) -> Result<(), DbError> {
    let sql = of_version(facts.server.major());
    let mut names: HashMap<Oid, QualifiedName> = HashMap::new();
    let mut parents: Vec<(QualifiedName, Oid)> = Vec::new();
    let mut index_scans: HashMap<QualifiedName, (u64, u64)> = HashMap::new();
    let mut shared = Names::default();
    session
        .each("tables and indexes", &sql, None, |row| {
            let row = Measured(row);
            let oid: Oid = row.get(Column::Oid)?;
            let name = shared.qualified(row.get(Column::Schema)?, row.get(Column::Name)?);
            let kind: &str = row.get(Column::Kind)?;
            if !matches!(kind, "i" | "I") {
                facts.relations.insert(name, row.relation(kind, locked.contains(oid))?);
                return Ok(());
            }
            // A damaged catalog has indexes without a row in pg_index.
            if row.get::<Option<bool>>(Column::Unique)?.is_none() {
                return Ok(());
            }
            let (schema, table): (Option<&str>, Option<&str>) =
                (row.get(Column::TableSchema)?, row.get(Column::TableName)?);
            let table = shared.qualified(schema.unwrap_or_default(), table.unwrap_or_default());
            names.insert(oid, name.clone());
            if let Some(parent) = row.get(Column::Parent)? {
                parents.push((name.clone(), parent));
            }
            let index = row.index(table.clone(), kind == "i")?;
            if let Some(scans) = index.scans {
                let of_table = index_scans.entry(table).or_default();
                of_table.0 += scans;
                of_table.1 += index.rows_fetched.unwrap_or_default();
            }
            facts.indexes.insert(name, index);
            Ok(())
        })
        .await?;
    for (index, parent) in parents {
        if let Some(found) = facts.indexes.get_mut(&index) {
            found.parent = names.get(&parent).cloned();
        }
    }
    for (table, (scans, rows)) in index_scans {
        if let Some(counted) = facts.relations.get_mut(&table).and_then(|it| it.activity.as_mut()) {
            counted.index_scans = scans;
            counted.index_rows = rows;
        }
    }
    Ok(())
}

/// Bytes on disk. The size of what is locked is that of the last VACUUM or ANALYZE.
pub(super) async fn sizes(session: &Session, facts: &mut Facts, locked: &mut Locked) -> Result<(), DbError> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, c.relkind::text, c.oid = ANY($1),
                CASE WHEN c.oid = ANY($1) THEN c.relpages * current_setting('block_size')::int8 ELSE pg_relation_size(c.oid) END,
                CASE WHEN t.oid IS NULL THEN 0
                     WHEN c.oid = ANY($1) OR t.oid = ANY($1) THEN t.relpages * current_setting('block_size')::int8
                     ELSE pg_relation_size(t.oid) END
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
          WHERE {OURS} AND c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't'"
    );
    const OBJECTS: &str = "SELECT c.oid, c.oid::regclass::text FROM pg_class c WHERE c.oid >= 16384";
    type Sizes = Vec<(QualifiedName, bool, bool, Option<i64>, Option<i64>)>;
    let found: Sizes = locked
        .each(
            session,
            Printing { part: "sizes", topic: Topic::Sizes, sql: &sql, objects: OBJECTS },
            |row, found: &mut Sizes| {
                let name = QualifiedName::new(row.get::<&str>(0)?, row.get::<&str>(1)?);
                found.push((name, row.get::<&str>(2)? == "i", row.get(3)?, row.get(4)?, row.get(5)?));
                Ok(())
            },
        )
        .await?;
    let mut of_indexes: HashMap<QualifiedName, u64> = HashMap::new();
    let mut estimated = Vec::new();
    for (name, is_index, is_locked, bytes, toast) in found {
        if is_index {
            if let Some(index) = facts.indexes.get_mut(&name) {
                index.bytes = bytes.map(|bytes| count(Some(bytes)));
                index.bytes_estimated = is_locked;
                *of_indexes.entry(index.table.clone()).or_default() += count(bytes);
            }
        } else if let Some(relation) = facts.relations.get_mut(&name) {
            relation.heap_bytes = bytes.map(|bytes| count(Some(bytes)));
            relation.toast_bytes = toast.map(|bytes| count(Some(bytes)));
            relation.bytes_estimated = is_locked;
            if is_locked && relation.locked {
                estimated.push(name.to_string());
            }
        }
    }
    for (name, relation) in &mut facts.relations {
        if relation.heap_bytes.is_some() {
            relation.index_bytes = Some(of_indexes.get(name).copied().unwrap_or_default());
        }
    }
    if !estimated.is_empty() {
        let reason =
            "another session holds or waits for ACCESS EXCLUSIVE; their size is that of the last VACUUM or ANALYZE";
        let fact = format!("sizes of {} tables or indexes", estimated.len());
        facts.unread.push(unread(Topic::Sizes, fact, reason, "how much they have grown since", estimated));
    }
    Ok(())
}

/// Reading a sequence takes a lock that lasts as long as the savepoint: so many at a time.
const SEQUENCES_AT_A_TIME: usize = 1000;

pub(super) async fn sequences(session: &Session, facts: &mut Facts) -> Result<(), DbError> {
    // Without privilege the function is an error in some versions; an unlogged sequence cannot be read on a standby.
    let list = format!(
        "SELECT s.seqrelid, n.nspname::text, c.relname::text, format_type(s.seqtypid, NULL), s.seqstart, s.seqmin, s.seqmax, s.seqincrement,
                s.seqcycle, tn.nspname::text, t.relname::text, a.attname::text,
                has_sequence_privilege(c.oid, 'SELECT, USAGE'), c.relpersistence = 'u' AND pg_is_in_recovery()
           FROM pg_sequence s
           JOIN pg_class c ON c.oid = s.seqrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
                AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
           LEFT JOIN pg_class t ON t.oid = d.refobjid
           LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
           LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
          WHERE {OURS} AND c.relpersistence <> 't'
          ORDER BY s.seqrelid"
    );
    let (mut readable, mut hidden): (Vec<(Oid, QualifiedName)>, Vec<String>) = (Vec::new(), Vec::new());
    let mut unlogged = Vec::new();
    session
        .each("sequences", &list, None, |row| {
            let name = QualifiedName::new(row.get::<&str>(1)?, row.get::<&str>(2)?);
            let owner = match (row.get::<Option<&str>>(9)?, row.get::<Option<&str>>(10)?, row.get::<Option<&str>>(11)?)
            {
                (Some(schema), Some(table), Some(column)) => {
                    Some((QualifiedName::new(schema, table), Name::new(column)))
                }
                _ => None,
            };
            let sequence = SequenceFacts {
                last_value: None,
                data_type: row.get(3)?,
                start: row.get(4)?,
                min_value: row.get(5)?,
                max_value: row.get(6)?,
                increment: row.get(7)?,
                cycle: row.get(8)?,
                owner,
            };
            if row.get(13)? {
                unlogged.push(name.to_string())
            } else if row.get(12)? {
                readable.push((row.get(0)?, name.clone()))
            } else {
                hidden.push(name.to_string())
            }
            facts.sequences.insert(name, sequence);
            Ok(())
        })
        .await?;
    let locked = last_values(session, facts, &readable).await?;
    unread_sequences(facts, hidden, unlogged, locked);
    Ok(())
}

/// Reads the last values, and gives the sequences that are locked.
async fn last_values(
    session: &Session,
    facts: &mut Facts,
    readable: &[(Oid, QualifiedName)],
) -> Result<Vec<String>, DbError> {
    const VALUES: &str =
        "SELECT s.oid, pg_sequence_last_value(s.oid) FROM unnest($1::oid[]) s(oid) JOIN pg_class c ON c.oid = s.oid";
    let names: HashMap<Oid, QualifiedName> = readable.iter().cloned().collect();
    let mut locked = Vec::new();
    for lot in readable.chunks(SEQUENCES_AT_A_TIME) {
        let oids: Vec<Oid> = lot.iter().map(|(oid, _)| *oid).collect();
        let result = session
            .each_in_savepoint("sequences", VALUES, Some(&oids), |row| {
                let value: Option<i64> = row.get(1)?;
                if let Some(sequence) = names.get(&row.get(0)?).and_then(|name| facts.sequences.get_mut(name)) {
                    sequence.last_value = value;
                }
                Ok(())
            })
            .await;
        match result {
            Err(error) if is_partial(&error) => locked.extend(lot.iter().map(|(_, name)| name.to_string())),
            result => result?,
        }
    }
    Ok(locked)
}

/// Says whose last values are not known.
fn unread_sequences(facts: &mut Facts, hidden: Vec<String>, unlogged: Vec<String>, locked: Vec<String>) {
    let unchecked = "whether they run out of numbers";
    if !hidden.is_empty() {
        let reason = format!(
            "{} has neither SELECT nor USAGE on them; GRANT pg_read_all_data would let it",
            facts.server.current_user
        );
        let fact = format!("last values of {} sequences", hidden.len());
        facts.unread.push(unread(Topic::Sequences, fact, reason, unchecked, hidden));
    }
    if !unlogged.is_empty() {
        let fact = format!("last values of {} unlogged sequences", unlogged.len());
        let reason = "this is a standby, and nothing of an unlogged sequence gets there: ask the primary";
        facts.unread.push(unread(Topic::Sequences, fact, reason, unchecked, unlogged));
    }
    if !locked.is_empty() {
        let fact = format!("last values of {} sequences", locked.len());
        facts.unread.push(unread(Topic::Sequences, fact, "some of them are locked", unchecked, locked));
    }
}
