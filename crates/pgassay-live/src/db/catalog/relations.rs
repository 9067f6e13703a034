//! Tables, views, their columns, indexes and sequences.

use std::collections::{HashMap, HashSet};

use super::super::{DbError, Session};
use super::damage::{Damaged, Printing, is_damage};
use super::{Catalog, Identity, Node, OURS, Oid, PG_CLASS};
use crate::change::Name;
use crate::facts::Topic;

#[derive(Debug, Clone)]
pub(in super::super) struct Relation {
    pub identity: Identity,
    /// `relkind`: r, p, f, v, m, S, c (composite type), i, I.
    pub kind: char,
    pub unlogged: bool,
    pub options: Vec<String>,
    pub access_method: Option<Box<str>>,
    pub tablespace: Option<Box<str>>,
    pub row_security: bool,
    pub force_row_security: bool,
    /// DISABLE TRIGGER ALL: foreign keys are not checked.
    pub system_triggers_off: bool,
    /// `relreplident`: d, n, f, i.
    pub replica_identity: char,
    /// The type of a typed table.
    pub of_type: Option<Box<str>>,
    pub is_partition: bool,
    pub partition_key: Option<Box<str>>,
    pub bound: Option<Box<str>>,
    pub parents: Vec<Oid>,
    /// The server of a foreign table, and its options.
    pub server: Option<Box<str>>,
    pub server_options: Vec<String>,
    pub populated: bool,
    /// Views: what stands behind AS.
    pub query: Option<Box<str>>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Column {
    pub number: i16,
    pub name: Box<str>,
    pub data_type: Box<str>,
    pub collation: Option<Box<str>>,
    pub not_null: bool,
    pub default: Option<Box<str>>,
    /// `attidentity`: a, d or nothing.
    pub identity: Option<char>,
    /// `attgenerated`: s, v or nothing.
    pub generated: Option<char>,
    pub local: bool,
    pub comment: Option<Box<str>>,
    pub privileges: Option<Vec<String>>,
    /// `STORAGE EXTERNAL` and the like, where it is not what the type has.
    pub settings: Vec<String>,
    pub foreign_options: Vec<String>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Index {
    pub name: Box<str>,
    /// Empty where the constraint's definition says it all.
    pub definition: Box<str>,
    /// Belongs to a constraint, whose definition makes it.
    pub constraint: bool,
    pub valid: bool,
    pub clustered: bool,
    pub replica_identity: bool,
    pub comment: Option<Box<str>>,
    /// `n SET STATISTICS m` of expressions.
    pub settings: Vec<String>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Sequence {
    pub data_type: Box<str>,
    pub start: i64,
    pub increment: i64,
    pub min_value: i64,
    pub max_value: i64,
    pub cache: i64,
    pub cycle: bool,
    /// Table and number of the column that owns it, and whether it is the column's identity.
    pub owner: Option<(Oid, i16, bool)>,
}

fn character(text: &str) -> char {
    text.chars().next().unwrap_or(' ')
}

pub(super) async fn read(session: &Session, catalog: &mut Catalog, major: u16) -> Result<(), DbError> {
    read_relations(session, catalog).await?;
    read_columns(session, catalog, major).await?;
    read_indexes(session, catalog).await?;
    read_sequences(session, catalog).await
}

const RELATIONS: &str = "SELECT c.oid, quote_ident(coalesce(n.nspname, '?')) || '.' || quote_ident(c.relname)
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f')";
const DEFAULTS: &str = "SELECT f.oid, coalesce(f.adrelid::regclass::text || '.' || quote_ident(a.attname), f.oid::text)
    FROM pg_attrdef f LEFT JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum";
const INDEXES: &str = "SELECT i.indexrelid, i.indexrelid::regclass::text FROM pg_index i WHERE i.indexrelid >= 16384";

async fn read_relations(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, pg_get_userbyid(c.relowner)::text, c.relacl::text[], d.description,
                c.relkind::text, c.relpersistence = 'u',
                CASE WHEN t.reloptions IS NULL THEN coalesce(c.reloptions, '{{}}')
                     ELSE coalesce(c.reloptions, '{{}}') || (SELECT array_agg('toast.' || o) FROM unnest(t.reloptions) o) END,
                CASE WHEN c.relkind <> 'I' AND m.amname <> 'heap' AND c.relkind <> 'i' THEN m.amname::text END, s.spcname::text,
                c.relrowsecurity, c.relforcerowsecurity, c.relreplident::text,
                CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END,
                c.relispartition,
                CASE WHEN c.relkind = 'p' AND NOT c.oid = ANY($1) THEN pg_get_partkeydef(c.oid) END,
                CASE WHEN c.relispartition AND c.relkind NOT IN ('i', 'I') AND NOT c.oid = ANY($1) THEN pg_get_expr(c.relpartbound, c.oid) END,
                ARRAY(SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
                v.srvname::text,
                CASE WHEN f.ftoptions IS NULL THEN '{{}}'
                     ELSE ARRAY(SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(f.ftoptions)) END,
                c.relispopulated,
                c.relhastriggers AND EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgisinternal AND g.tgenabled = 'D')
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
           LEFT JOIN pg_am m ON m.oid = c.relam
           LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
           LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
           LEFT JOIN pg_foreign_server v ON v.oid = f.ftserver
           LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
          WHERE {OURS} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.relpersistence <> 't'"
    );
    let mut locked = std::mem::take(&mut catalog.locked);
    let found: HashMap<Oid, Relation> = locked
        .each(
            session,
            Printing { part: "relations", topic: Topic::Definitions, sql: &sql, objects: RELATIONS },
            |row, found: &mut HashMap<Oid, Relation>| {
                let oid: Oid = row.get(0)?;
                if catalog.is_member(PG_CLASS, oid) {
                    return Ok(());
                }
                let text = |at: usize| row.get::<Option<&str>>(at).map(|text| text.map(Box::<str>::from));
                let relation = Relation {
                    identity: Identity::of(row)?,
                    kind: character(row.get(6)?),
                    unlogged: row.get(7)?,
                    options: row.get(8)?,
                    access_method: text(9)?,
                    tablespace: text(10)?,
                    row_security: row.get(11)?,
                    force_row_security: row.get(12)?,
                    system_triggers_off: row.get(22)?,
                    replica_identity: character(row.get(13)?),
                    of_type: text(14)?,
                    is_partition: row.get(15)?,
                    partition_key: text(16)?,
                    bound: text(17)?,
                    parents: row.get(18)?,
                    server: text(19)?,
                    server_options: row.get(20)?,
                    populated: row.get(21)?,
                    query: None,
                };
                found.insert(oid, relation);
                Ok(())
            },
        )
        .await?;
    catalog.locked = locked;
    let is_halved =
        |it: &Relation| it.kind == 'p' && it.partition_key.is_none() || it.is_partition && it.bound.is_none();
    let halved: Vec<Oid> = found.iter().filter(|(_, it)| is_halved(it)).map(|(oid, _)| *oid).collect();
    catalog.relations = found;
    miss_locked(catalog, "partition keys or bounds", halved);
    Ok(())
}

async fn read_columns(session: &Session, catalog: &mut Catalog, major: u16) -> Result<(), DbError> {
    // 17 and later have NULL for the default.
    let target = if major >= 17 { "a.attstattarget IS NOT NULL" } else { "a.attstattarget >= 0" };
    let sql = format!(
        "SELECT a.attrelid, a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
                a.attnotnull,
                CASE WHEN f.oid IS NOT NULL AND NOT a.attrelid = ANY($1) AND NOT f.oid = ANY($1) THEN pg_get_expr(f.adbin, f.adrelid) END,
                nullif(a.attidentity, '')::text, nullif(a.attgenerated, '')::text, a.attislocal, d.description, a.attacl::text[],
                CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage
                    WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END,
                CASE a.attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END,
                CASE WHEN {target} THEN 'SET STATISTICS ' || a.attstattarget END,
                CASE WHEN a.attoptions IS NOT NULL THEN
                    (SELECT 'SET (' || string_agg(o, ', ') || ')' FROM unnest(a.attoptions) o WHERE starts_with(o, 'n_distinct')) END,
                CASE WHEN a.attfdwoptions IS NOT NULL THEN
                    ARRAY(SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(a.attfdwoptions)) END,
                f.oid IS NOT NULL AND a.attrelid = ANY($1), t.oid IS NULL
           FROM pg_attribute a
           JOIN pg_class c ON c.oid = a.attrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_type t ON t.oid = a.atttypid
           LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
           LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
          WHERE {OURS} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't'
            AND a.attnum > 0 AND NOT a.attisdropped
          ORDER BY a.attrelid, a.attnum"
    );
    let mut locked = std::mem::take(&mut catalog.locked);
    type Found = (HashMap<Oid, Vec<Column>>, HashSet<Oid>, Vec<String>);
    let (columns, without_defaults, without_type): Found = locked
        .each(
            session,
            Printing { part: "columns", topic: Topic::Definitions, sql: &sql, objects: DEFAULTS },
            |row, found: &mut Found| {
                let relation: Oid = row.get(0)?;
                if !catalog.relations.contains_key(&relation) {
                    return Ok(());
                }
                if row.get(18)? {
                    let table = catalog.printed(relation).unwrap_or_default();
                    found.2.push(format!("{table}.{}", row.get::<&str>(2)?));
                    return Ok(());
                }
                let text = |at: usize| row.get::<Option<&str>>(at).map(|text| text.map(Box::<str>::from));
                let settings = [12, 13, 14, 15].into_iter().filter_map(|at| row.get::<Option<String>>(at).transpose());
                let column = Column {
                    number: row.get(1)?,
                    name: row.get::<&str>(2)?.into(),
                    data_type: row.get::<&str>(3)?.into(),
                    collation: text(4)?,
                    not_null: row.get(5)?,
                    default: text(6)?,
                    identity: row.get::<Option<&str>>(7)?.map(character),
                    generated: row.get::<Option<&str>>(8)?.map(character),
                    local: row.get(9)?,
                    comment: text(10)?,
                    privileges: row.get(11)?,
                    settings: settings.collect::<Result<_, _>>()?,
                    foreign_options: row.get::<Option<Vec<String>>>(16)?.unwrap_or_default(),
                };
                if row.get(17)? {
                    found.1.insert(relation);
                }
                found.0.entry(relation).or_default().push(column);
                Ok(())
            },
        )
        .await?;
    catalog.locked = locked;
    catalog.columns = columns;
    miss_locked(catalog, "column defaults", without_defaults);
    if !without_type.is_empty() {
        let fact = format!("{} columns", without_type.len());
        catalog.miss(fact, "the catalog is damaged: their types are not in it", without_type);
    }
    Ok(())
}

/// Tells what could not be printed because of locks.
pub(super) fn miss_locked(catalog: &mut Catalog, what: &str, relations: impl IntoIterator<Item = Oid>) {
    let locked = relations.into_iter().filter(|oid| catalog.locked.contains(*oid));
    let mut names: Vec<String> = locked.filter_map(|oid| catalog.printed(oid)).collect();
    if names.is_empty() {
        return;
    }
    names.sort();
    names.dedup();
    let fact =
        format!("{what} of {}", if names.len() == 1 { names[0].clone() } else { format!("{} tables", names.len()) });
    catalog.miss(fact, "another session holds or waits for ACCESS EXCLUSIVE on the table", names);
}

/// The access method of primary keys and unique constraints, but for WITHOUT OVERLAPS (pg_am.dat).
const BTREE: Oid = 403;

/// Printing indexes costs the server most of what a large catalog does. Of plain ones it only says what there is to print: columns in
/// their own collation, with the default operator class of their type. (bpchar_ops is the default of char(n), and can be asked for on
/// varchar, where it is not. pg_get_expr breaks lines where pg_get_indexdef does not.)
async fn read_indexes(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    let sql = format!(
        "WITH classes AS (
            SELECT array_agg(oid) AS special FROM pg_opclass WHERE opcmethod = {BTREE} AND (NOT opcdefault OR opcname = 'bpchar_ops')
        ), collated AS (
            SELECT DISTINCT attrelid FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0 AND attcollation NOT IN (0, 100)
        )
         SELECT i.indexrelid, i.indrelid, c.relname::text,
                CASE WHEN k.contype IN ('p', 'u') AND c.relkind = 'i' AND c.relam = {BTREE} AND c.reloptions IS NULL OR p.keys IS NOT NULL THEN ''
                     WHEN NOT i.indrelid = ANY($1) AND NOT i.indexrelid = ANY($1) THEN pg_get_indexdef(i.indexrelid)
                     WHEN k.oid IS NOT NULL THEN '' END,
                k.oid IS NOT NULL, i.indisvalid, i.indisclustered, i.indisreplident, d.description,
                CASE WHEN i.indexprs IS NULL THEN '{{}}'
                     ELSE ARRAY(SELECT a.attnum || ' SET STATISTICS ' || a.attstattarget FROM pg_attribute a
                                 WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0 ORDER BY a.attnum) END,
                p.keys, p.options, p.condition
           FROM pg_index i
           JOIN pg_class c ON c.oid = i.indexrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN classes
           LEFT JOIN collated ON collated.attrelid = i.indrelid
           LEFT JOIN LATERAL (
                SELECT i.indkey::int2[] AS keys, i.indoption::int2[] AS options,
                       CASE WHEN i.indpred IS NOT NULL THEN pg_get_expr(i.indpred, i.indrelid) END AS condition
                 WHERE c.relkind = 'i' AND c.relam = {BTREE} AND c.reloptions IS NULL AND i.indexprs IS NULL AND NOT i.indisunique
                   AND i.indnatts = i.indnkeyatts AND 0 < ALL (i.indkey::int2[]) AND NOT i.indclass::oid[] && classes.special
                   AND i.indcollation::oid[] <@ '{{0,100}}'::oid[] AND collated.attrelid IS NULL
                   AND NOT i.indrelid = ANY($1) AND NOT i.indexrelid = ANY($1)
                OFFSET 0
           ) p ON strpos(coalesce(p.condition, ''), E'\\n') = 0
           LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
           LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = i.indexrelid AND d.objsubid = 0
          WHERE {OURS}
          ORDER BY i.indrelid, c.relname"
    );
    let mut locked = std::mem::take(&mut catalog.locked);
    type Found = (HashMap<Oid, Vec<Index>>, Vec<Oid>);
    let (indexes, missed): Found = locked
        .each(
            session,
            Printing { part: "indexes", topic: Topic::Definitions, sql: &sql, objects: INDEXES },
            |row, found: &mut Found| {
                let table: Oid = row.get(1)?;
                if !catalog.relations.contains_key(&table) {
                    return Ok(());
                }
                let Some(printed) = row.get::<Option<&str>>(3)? else {
                    found.1.push(table);
                    return Ok(());
                };
                let name: &str = row.get(2)?;
                let definition = match row.get::<Option<Vec<i16>>>(10)? {
                    Some(keys) => plain_index(catalog, table, name, &keys, &row.get::<Vec<i16>>(11)?, row.get(12)?),
                    None => printed.to_owned(),
                };
                let index = Index {
                    name: name.into(),
                    definition: definition.into(),
                    constraint: row.get(4)?,
                    valid: row.get(5)?,
                    clustered: row.get(6)?,
                    replica_identity: row.get(7)?,
                    comment: row.get::<Option<&str>>(8)?.map(Into::into),
                    settings: row.get(9)?,
                };
                found.0.entry(table).or_default().push(index);
                Ok(())
            },
        )
        .await?;
    catalog.locked = locked;
    catalog.indexes = indexes;
    miss_locked(catalog, "indexes", missed);
    Ok(())
}

/// As `pg_get_indexdef` prints it (get_indexdef in ruleutils.c).
fn plain_index(
    catalog: &Catalog,
    table: Oid,
    name: &str,
    keys: &[i16],
    options: &[i16],
    condition: Option<&str>,
) -> String {
    /// Bits of indoption (pg_index.h).
    const DESCENDING: i16 = 1;
    const NULLS_FIRST: i16 = 2;
    let columns = catalog.columns.get(&table).map(Vec::as_slice).unwrap_or_default();
    let key = |(number, options): (&i16, &i16)| {
        let column = columns.iter().find(|column| column.number == *number);
        let column = column.map(|column| Name::new(&column.name).to_string()).unwrap_or_default();
        let order = match (options & DESCENDING != 0, options & NULLS_FIRST != 0) {
            (true, true) => " DESC",
            (true, false) => " DESC NULLS LAST",
            (false, true) => " NULLS FIRST",
            (false, false) => "",
        };
        format!("{column}{order}")
    };
    let keys: Vec<String> = keys.iter().zip(options).map(key).collect();
    let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    let (name, table) = (Name::new(name), catalog.printed(table).unwrap_or_default());
    format!("CREATE INDEX {name} ON {table} USING btree ({}){condition}", keys.join(", "))
}

async fn read_sequences(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    const SQL: &str = "
        SELECT s.seqrelid, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
               d.refobjid, d.refobjsubid, d.deptype = 'i'
          FROM pg_sequence s
          LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
                AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0";
    session
        .each("sequences", SQL, None, |row| {
            let owner = match (row.get::<Option<Oid>>(8)?, row.get::<Option<i32>>(9)?, row.get::<Option<bool>>(10)?) {
                (Some(table), Some(column), Some(identity)) => {
                    Some((table, i16::try_from(column).unwrap_or_default(), identity))
                }
                _ => None,
            };
            let sequence = Sequence {
                data_type: row.get::<&str>(1)?.into(),
                start: row.get(2)?,
                increment: row.get(3)?,
                min_value: row.get(4)?,
                max_value: row.get(5)?,
                cache: row.get(6)?,
                cycle: row.get(7)?,
                owner,
            };
            catalog.sequences.insert(row.get(0)?, sequence);
            Ok(())
        })
        .await
}

/// Printing a view takes a lock on every table it reads, until the savepoint is left: so many views at a time.
const VIEWS_AT_A_TIME: usize = 200;

/// Reads the queries of views and materialized views.
pub(super) async fn read_views(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    const SQL: &str =
        "SELECT v.oid, pg_get_viewdef(v.oid) FROM unnest($1::oid[]) v(oid) JOIN pg_class c ON c.oid = v.oid";
    let mut views: Vec<Oid> =
        catalog.relations.iter().filter(|(_, it)| matches!(it.kind, 'v' | 'm')).map(|(oid, _)| *oid).collect();
    views.sort_unstable();
    let mut blocked: Vec<Oid> = views.iter().copied().filter(|view| needs_locked(catalog, *view)).collect();
    views.retain(|view| !blocked.contains(view));
    let mut lots: Vec<Vec<Oid>> = views.chunks(VIEWS_AT_A_TIME).map(<[Oid]>::to_vec).collect();
    let mut damaged = Vec::new();
    while let Some(lot) = lots.pop() {
        let mut found = Vec::new();
        let result = session
            .each_in_savepoint("views", SQL, Some(&lot), |row| {
                found.push((row.get::<Oid>(0)?, row.get::<Option<&str>>(1)?.map(Box::<str>::from)));
                Ok(())
            })
            .await;
        match result {
            Ok(()) => {
                for (oid, query) in found {
                    if let Some(relation) = catalog.relations.get_mut(&oid) {
                        relation.query = query;
                    }
                }
            }
            // Some table was locked in the meantime: halves, until the view that reads it is alone.
            Err(error) if error.code() == Some("55P03") => match lot.as_slice() {
                [alone] => blocked.push(*alone),
                _ => lots.extend(lot.chunks(lot.len().div_ceil(2)).map(<[Oid]>::to_vec)),
            },
            Err(error) if is_damage(&error) => match lot.as_slice() {
                [alone] => damaged.push(Damaged {
                    oid: *alone,
                    name: catalog.printed(*alone).unwrap_or_default(),
                    message: error.message(),
                }),
                _ => lots.extend(lot.chunks(lot.len().div_ceil(2)).map(<[Oid]>::to_vec)),
            },
            Err(error) => return Err(error),
        }
    }
    miss_views(catalog, &blocked);
    catalog.note_damage("views", damaged);
    Ok(())
}

fn miss_views(catalog: &mut Catalog, blocked: &[Oid]) {
    let mut names: Vec<String> = blocked.iter().filter_map(|oid| catalog.printed(*oid)).collect();
    names.sort();
    if !names.is_empty() {
        let fact = format!("{} views", names.len());
        catalog.miss(fact, "another session holds or waits for ACCESS EXCLUSIVE on a table they read", names);
    }
}

/// Whether a view reads, perhaps through other views, a relation that is locked, or is locked itself.
fn needs_locked(catalog: &Catalog, view: Oid) -> bool {
    let (mut open, mut seen) = (vec![view], HashSet::new());
    while let Some(oid) = open.pop() {
        if catalog.locked.contains(oid) {
            return true;
        }
        let needed = catalog.dependencies.get(&Node::Relation(oid)).into_iter().flatten();
        let relations = needed.filter_map(|node| if let Node::Relation(oid) = node { Some(*oid) } else { None });
        open.extend(relations.filter(|oid| seen.insert(*oid)));
    }
    false
}

impl Catalog {
    /// The printed name of a relation.
    pub fn printed(&self, oid: Oid) -> Option<String> {
        let identity = &self.relations.get(&oid)?.identity;
        Some(identity.printed())
    }
}
