//! The catalog of a database, as rows: what the DDL is written from.
//!
//! In: a [`Session`]. Out: a [`Catalog`]. A constant number of queries, whatever the number of tables; only views are read in lots,
//! because each takes locks on what it reads. What another session keeps locked, and what the server cannot print, is left out, and
//! said to be.

mod damage;
mod locked;
mod relations;
mod routines;
mod table_parts;
mod types;

use std::collections::{HashMap, HashSet};

pub(super) use damage::{Printing, each as each_printed, is_damage, unread as unread_damage};
pub(super) use locked::Locked;
pub(super) use relations::{Column, Index, Relation, Sequence};
pub(super) use routines::{Aggregate, Routine};
pub(super) use table_parts::{Constraint, Policy, Rule, Statistics, Trigger};
pub(super) use types::{OtherObject, Type, TypeKind};

use super::{DbError, Row, Session};
use crate::facts::{Topic, Unread};

/// An object identifier of the server's catalog.
pub(super) type Oid = u32;

/// What names an object and says who may use it.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    pub schema: Box<str>,
    pub name: Box<str>,
    pub owner: Box<str>,
    /// `None`: the privileges that the kind of object has by itself.
    pub privileges: Option<Vec<String>>,
    pub comment: Option<Box<str>>,
}

impl Identity {
    /// Of a row whose columns after the oid are the schema, the name, the owner, the privileges and the comment.
    fn of(row: &Row) -> Result<Identity, DbError> {
        Ok(Identity {
            schema: row.get::<&str>(1)?.into(),
            name: row.get::<&str>(2)?.into(),
            owner: row.get::<&str>(3)?.into(),
            privileges: row.get(4)?,
            comment: row.get::<Option<&str>>(5)?.map(Into::into),
        })
    }

    pub fn qualified(&self) -> crate::change::QualifiedName {
        crate::change::QualifiedName::new(&*self.schema, &*self.name)
    }

    /// `schema.name`, quoted where needed.
    pub fn printed(&self) -> String {
        self.qualified().to_string()
    }
}

/// An installed extension.
#[derive(Debug, Clone)]
pub(super) struct Extension {
    pub name: Box<str>,
    pub schema: Box<str>,
}

/// What depends on what, as far as the order of the DDL asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node {
    Type(Oid),
    Relation(Oid),
    Routine(Oid),
}

#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// Schemas of the user's, and public; the schema's own name stands in `name`.
    pub schemas: Vec<Identity>,
    pub extensions: Vec<Extension>,
    pub types: HashMap<Oid, Type>,
    pub relations: HashMap<Oid, Relation>,
    pub columns: HashMap<Oid, Vec<Column>>,
    pub constraints: HashMap<Oid, Vec<Constraint>>,
    /// By table.
    pub indexes: HashMap<Oid, Vec<Index>>,
    pub sequences: HashMap<Oid, Sequence>,
    pub routines: HashMap<Oid, Routine>,
    pub aggregates: HashMap<Oid, Aggregate>,
    pub triggers: Vec<Trigger>,
    pub policies: Vec<Policy>,
    pub rules: Vec<Rule>,
    pub statistics: HashMap<Oid, Statistics>,
    /// Statements of the smaller kinds: publications, event triggers, default privileges, collations …
    pub others: Vec<OtherObject>,
    pub dependencies: HashMap<Node, Vec<Node>>,
    /// Members of extensions, which CREATE EXTENSION makes, and parts of types, by class and identifier.
    pub members: HashSet<(Oid, Oid)>,
    pub locked: Locked,
    pub unread: Vec<Unread>,
}

/// Which schemas are the user's. The prefix pg_ is reserved (manual, "The System Catalog Schema").
pub(super) const OURS: &str = r"n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'";

/// Identifiers of catalogs that never change (pg_class.dat and the headers of the catalogs).
pub(super) const PG_TYPE: Oid = 1247;
pub(super) const PG_PROC: Oid = 1255;
pub(super) const PG_CLASS: Oid = 1259;

/// Reads everything that the DDL is written from.
pub(super) async fn read(session: &Session, major: u16) -> Result<Catalog, DbError> {
    let mut catalog = Catalog { locked: Locked::read(session).await?, ..Catalog::default() };
    read_schemas(session, &mut catalog).await?;
    types::read(session, &mut catalog).await?;
    relations::read(session, &mut catalog, major).await?;
    table_parts::read(session, &mut catalog, major).await?;
    read_dependencies(session, &mut catalog).await?;
    relations::read_views(session, &mut catalog).await?;
    routines::read(session, &mut catalog).await?;
    types::read_others(session, &mut catalog).await?;
    let damaged = catalog.locked.take_damaged();
    catalog.unread.extend(damaged);
    Ok(catalog)
}

impl Catalog {
    pub fn is_member(&self, class: Oid, object: Oid) -> bool {
        self.members.contains(&(class, object))
    }

    /// What the server cannot print of some relations' parts, besides what is locked.
    pub(super) fn note_damage(&mut self, part: &'static str, damaged: Vec<damage::Damaged>) {
        self.unread.extend(damage::unread(Topic::Definitions, part, damaged));
    }

    /// Notes that definitions of some objects are not in the DDL.
    pub fn miss(&mut self, fact: impl Into<String>, reason: impl Into<String>, objects: Vec<String>) {
        self.unread.push(Unread {
            topic: Topic::Definitions,
            fact: fact.into(),
            reason: reason.into(),
            unchecked: "the schema lacks them: nothing is said of them, and what needs them may be misjudged"
                .to_owned(),
            objects,
        });
    }
}

async fn read_schemas(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    let sql = format!(
        "SELECT 'schema', n.nspname::text, pg_get_userbyid(n.nspowner)::text, n.nspacl::text[], d.description, 0::oid, 0::oid
           FROM pg_namespace n
           LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid
          WHERE {OURS}
         UNION ALL
         SELECT 'extension', e.extname, n.nspname, NULL, NULL, 0, 0
           FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
          WHERE e.extname <> 'plpgsql'
         UNION ALL
         SELECT 'member', NULL, NULL, NULL, NULL, classid, objid FROM pg_depend
          WHERE deptype = 'e' OR deptype = 'i' AND classid IN ('pg_proc'::regclass, 'pg_cast'::regclass)
          ORDER BY 1, 2"
    );
    session
        .each("schemas and extensions", &sql, None, |row| {
            match row.get::<&str>(0)? {
                "schema" => catalog.schemas.push(Identity {
                    schema: "".into(),
                    name: row.get::<&str>(1)?.into(),
                    owner: row.get::<&str>(2)?.into(),
                    privileges: row.get(3)?,
                    comment: row.get::<Option<&str>>(4)?.map(Into::into),
                }),
                "extension" => catalog
                    .extensions
                    .push(Extension { name: row.get::<&str>(1)?.into(), schema: row.get::<&str>(2)?.into() }),
                _ => drop(catalog.members.insert((row.get(5)?, row.get(6)?))),
            }
            Ok(())
        })
        .await
}

/// Which object has to be made before which. Rules, defaults and constraints count for the relation or type they belong to; the row
/// type of a table is the table, an array is its element.
async fn read_dependencies(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    const SQL: &str = "
        WITH d AS (
            SELECT CASE d.classid WHEN 'pg_rewrite'::regclass THEN r.ev_class
                                  WHEN 'pg_attrdef'::regclass THEN f.adrelid
                                  WHEN 'pg_constraint'::regclass THEN CASE WHEN k.conrelid <> 0 THEN k.conrelid ELSE k.contypid END
                                  ELSE d.objid END AS object,
                   CASE d.classid WHEN 'pg_proc'::regclass THEN 'f'
                                  WHEN 'pg_type'::regclass THEN 't'
                                  WHEN 'pg_constraint'::regclass THEN CASE WHEN k.conrelid <> 0 THEN 'r' ELSE 't' END
                                  ELSE 'r' END AS kind,
                   d.refclassid, d.refobjid
              FROM pg_depend d
              LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
              LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
              LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.contype IN ('c', 'x')
             WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype IN ('n', 'a')
               AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
               AND (d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
                    OR d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass) AND d.refclassid <> 'pg_class'::regclass
                    OR d.classid = 'pg_class'::regclass AND d.refclassid <> 'pg_class'::regclass)
        )
        SELECT DISTINCT d.kind, d.object,
               CASE WHEN d.refclassid = 'pg_proc'::regclass THEN 'f'
                    WHEN d.refclassid = 'pg_class'::regclass THEN 'r'
                    WHEN e.typrelid <> 0 AND c.relkind <> 'c' THEN 'r' ELSE 't' END,
               CASE WHEN d.refclassid <> 'pg_type'::regclass THEN d.refobjid
                    WHEN e.typrelid <> 0 AND c.relkind <> 'c' THEN e.typrelid ELSE e.oid END
          FROM d
          LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
          LEFT JOIN pg_type e ON e.oid = CASE WHEN t.typelem <> 0 AND t.typcategory = 'A' THEN t.typelem ELSE t.oid END
          LEFT JOIN pg_class c ON c.oid = e.typrelid
         WHERE d.object IS NOT NULL AND (d.refclassid <> 'pg_type'::regclass OR e.oid IS NOT NULL)";
    let node = |kind: &str, oid: Oid| match kind {
        "f" => Node::Routine(oid),
        "t" => Node::Type(oid),
        _ => Node::Relation(oid),
    };
    session
        .each("dependencies", SQL, None, |row| {
            let from = node(row.get(0)?, row.get(1)?);
            let to = node(row.get(2)?, row.get(3)?);
            if from != to {
                catalog.dependencies.entry(from).or_default().push(to);
            }
            Ok(())
        })
        .await?;
    for needed in catalog.dependencies.values_mut() {
        needed.sort();
    }
    Ok(())
}
