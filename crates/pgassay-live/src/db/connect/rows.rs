//! Reading rows of a user's table without running a user's code.
//!
//! A view, a foreign table or a type with a cast of its own may call functions, with our rights. A relation can change into another while
//! it is looked at: it is locked first, and asked after that.

use tokio_postgres::types::Type;

use super::super::DbError;
use super::session::{Row, Session};
use crate::change::{Name, QualifiedName};

/// A table whose rows are read.
pub(in crate::db) struct Rows {
    table: QualifiedName,
    /// Columns that go through operators or casts, not only through the output functions of their types.
    used: Vec<Name>,
}

impl Rows {
    /// Whose columns are only printed.
    pub fn of(table: &QualifiedName) -> Rows {
        Rows { table: table.clone(), used: Vec::new() }
    }

    /// Whose column is compared or cast.
    pub fn using(table: &QualifiedName, column: &Name) -> Rows {
        Rows { table: table.clone(), used: vec![column.clone()] }
    }
}

/// Columns whose type, or what a domain is over, is neither PostgreSQL's, an extension's, nor an enum.
const FOREIGN_TYPES: &str = "
WITH RECURSIVE base AS (
    SELECT a.attname, t.oid, t.typtype, t.typbasetype, t.typnamespace FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass($1) AND a.attname = ANY ($2::text[]) AND NOT a.attisdropped
    UNION ALL
    SELECT b.attname, t.oid, t.typtype, t.typbasetype, t.typnamespace FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd')
SELECT attname::text FROM base
 WHERE typtype NOT IN ('d', 'e') AND typnamespace <> 'pg_catalog'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = base.oid AND d.deptype = 'e')";

/// Indexes and statistics of a table that call a function or an operator of a user's: planning any query on the table calls it where it has
/// no column in it (`RelationGetIndexExpressions`, relcache.c; `get_relation_statistics`, plancat.c). What is below 16384, initdb made.
const CALLING: &str = "
SELECT d.objid::text FROM pg_depend d
 WHERE (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = to_regclass($1))
        OR d.classid = 'pg_statistic_ext'::regclass AND d.objid IN (SELECT oid FROM pg_statistic_ext WHERE stxrelid = to_regclass($1)))
   AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.refobjid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = d.refclassid AND m.objid = d.refobjid AND m.deptype = 'e')
 LIMIT 1";

impl Session {
    /// Hands every row of a query on these tables to `visit`, as [`Session::each_in_savepoint`] does.
    pub(in crate::db) async fn each_of_tables(
        &self,
        part: &'static str,
        tables: &[Rows],
        sql: &str,
        visit: impl FnMut(&Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.savepoint(part).await?;
        let mut result = Ok(());
        for table in tables {
            result = self.hold(part, table).await;
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() {
            result = self.each(part, sql, None, visit).await;
        }
        self.back_to_savepoint(part, result).await
    }

    /// Locks a table against change, and refuses what is none.
    async fn hold(&self, part: &'static str, rows: &Rows) -> Result<(), DbError> {
        let Rows { table, used } = rows;
        self.run(part, &format!("LOCK TABLE ONLY {table} IN ACCESS SHARE MODE")).await?;
        let name = table.to_string();
        // This looks at the relation as it is now, not as the transaction's snapshot has it. Only what has a file of rows has a filenode
        // (pg_relation_filenode, dbsize.c): no view, no foreign table.
        let sql = "SELECT pg_relation_filenode(to_regclass($1))::text";
        if self.ask(part, sql, &[(&name, Type::TEXT)]).await?.is_empty() {
            return Err(self.wrong_object(
                part,
                format!("{table} is not an ordinary table, and reading it could run code of its owner's"),
            ));
        }
        if !self.ask(part, CALLING, &[(&name, Type::TEXT)]).await?.is_empty() {
            return Err(self.wrong_object(
                part,
                format!("an index or statistics of {table} call a function of a user's, and planning a query on it could run that"),
            ));
        }
        let columns: Vec<String> = used.iter().map(|column| column.as_str().to_owned()).collect();
        if !columns.is_empty()
            && let Some(column) =
                self.ask(part, FOREIGN_TYPES, &[(&name, Type::TEXT), (&columns, Type::TEXT_ARRAY)]).await?.pop()
        {
            return Err(self.wrong_object(
                part,
                format!("{table}.{column} has a type of a user's, whose casts could run code of its owner's"),
            ));
        }
        Ok(())
    }
}
