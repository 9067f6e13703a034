//! One table to make up rows for: its columns with the values to try for each, as the catalogs describe them.

use super::ProveError;
use super::ground::quote;
use super::run::Runner;
use super::seed_value::{Kind, candidates};
use crate::shadow::ServerError;

/// A table, and what is tried next for every column.
pub(super) struct Table {
    name: String,
    columns: Vec<Column>,
    keys: Vec<ForeignKey>,
    checks: Vec<Check>,
    /// The column whose value was changed last: a value that does not fit is likely its own.
    last: Option<i16>,
}

struct Column {
    name: String,
    number: i16,
    domain: Option<String>,
    /// Expressions over `n`, best first.
    candidates: Vec<String>,
    next: usize,
    nullable: bool,
    unique: bool,
}

struct ForeignKey {
    columns: Vec<i16>,
    parent: String,
    parent_columns: Vec<String>,
    to_itself: bool,
}

struct Check {
    name: String,
    columns: Vec<i16>,
}

/// A condition on `c`, the pg_class row: the table of that name.
fn at(name: &str) -> String {
    format!("c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({})", literal(name))
}

pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Table {
    /// Tables that must have rows first: those that NOT NULL and other foreign keys refer to.
    pub async fn needed(runner: &Runner, name: &str) -> Result<Vec<String>, ProveError> {
        let sql = format!(
            "SELECT DISTINCT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.relname)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
               JOIN pg_catalog.pg_class p ON p.oid = f.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
              WHERE {} AND p.oid <> c.oid",
            at(name)
        );
        Ok(runner.rows(&sql).await?.into_iter().filter_map(|mut row| row.swap_remove(0)).collect())
    }

    /// `None`: no table, or one that has rows already.
    pub async fn read(runner: &Runner, name: &str) -> Result<Option<Table>, ProveError> {
        let kind = runner.rows(&format!("SELECT c.relkind FROM pg_catalog.pg_class c WHERE {}", at(name))).await?;
        if !kind.iter().flatten().flatten().any(|kind| matches!(kind.as_str(), "r" | "p")) {
            return Ok(None);
        }
        if !runner.rows(&format!("SELECT 1 FROM {name} LIMIT 1")).await?.is_empty() {
            return Ok(None);
        }
        let checks = Table::checks(runner, name).await?;
        let columns = Table::columns(runner, name, &checks).await?;
        let keys = Table::keys(runner, name).await?;
        let checks = checks.into_iter().map(|(check, _)| check).collect();
        Ok(Some(Table { name: name.to_owned(), columns, keys, checks, last: None }))
    }

    /// The checks, and the bound of a partition, with their text.
    async fn checks(runner: &Runner, name: &str) -> Result<Vec<(Check, String)>, ProveError> {
        let sql = format!(
            "SELECT k.conname, k.conkey, pg_catalog.pg_get_constraintdef(k.oid)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' WHERE {0}
             UNION ALL
             SELECT '', (SELECT pg_catalog.array_agg(a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
                            AND pg_catalog.pg_get_partition_constraintdef(c.oid) LIKE '%' || a.attname || '%' AND a.attnum > 0),
                    pg_catalog.pg_get_partition_constraintdef(c.oid)
               FROM pg_catalog.pg_class c WHERE {0} AND c.relispartition
             UNION ALL
             SELECT '', p.partattrs::int2[], pg_catalog.pg_get_expr(child.relpartbound, child.oid)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid
               JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid
              WHERE {0}",
            at(name)
        );
        let read = |row: Vec<Option<String>>| {
            let [name, columns, text]: [Option<String>; 3] = row.try_into().ok()?;
            Some((Check { name: name?, columns: numbers(&columns.unwrap_or_default()) }, text.unwrap_or_default()))
        };
        Ok(runner.rows(&sql).await?.into_iter().filter_map(read).collect())
    }

    async fn keys(runner: &Runner, name: &str) -> Result<Vec<ForeignKey>, ProveError> {
        let sql = format!(
            "SELECT f.conkey, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.relname), f.confrelid = f.conrelid,
                    (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), E'\\x01' ORDER BY k.place)
                       FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(attnum, place)
                       JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
               JOIN pg_catalog.pg_class p ON p.oid = f.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
              WHERE {}",
            at(name)
        );
        let read = |row: Vec<Option<String>>| {
            let [columns, parent, itself, names]: [Option<String>; 4] = row.try_into().ok()?;
            Some(ForeignKey {
                columns: numbers(&columns?),
                parent: parent?,
                parent_columns: names?.split('\u{1}').map(str::to_owned).collect(),
                to_itself: itself? == "t",
            })
        };
        Ok(runner.rows(&sql).await?.into_iter().filter_map(read).collect())
    }

    async fn columns(runner: &Runner, name: &str, checks: &[(Check, String)]) -> Result<Vec<Column>, ProveError> {
        let sql = format!(
            "WITH RECURSIVE base(attnum, oid, typmod, domain, required, checks) AS (
               SELECT a.attnum, a.atttypid, a.atttypmod, NULL::text, a.attnotnull, ''
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
                WHERE {0} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
               UNION ALL
               SELECT b.attnum, t.typbasetype, t.typtypmod, COALESCE(b.domain, t.typname::text COLLATE \"default\"), b.required OR t.typnotnull,
                      b.checks || COALESCE((SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ' ')
                                              FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid), '')
                 FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
             SELECT pg_catalog.quote_ident(a.attname), b.attnum, pg_catalog.format_type(b.oid, NULL),
                    pg_catalog.format_type(a.atttypid, a.atttypmod), t.typtype, t.typcategory, b.typmod, b.domain, b.required, b.checks,
                    (SELECT pg_catalog.string_agg(e.enumlabel, E'\\x01' ORDER BY e.enumsortorder)
                       FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
                    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)),
                    a.atthasdef
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
               JOIN base b ON b.attnum = a.attnum JOIN pg_catalog.pg_type t ON t.oid = b.oid
              WHERE {0} AND t.typtype <> 'd' ORDER BY a.attnum",
            at(name)
        );
        let rows = runner.rows(&sql).await?;
        Ok(rows.into_iter().filter_map(|row| Column::read(row, checks)).collect())
    }

    /// An INSERT of that many rows, fewer where they would collide.
    pub fn insert(&self, rows: usize) -> String {
        let mut values: Vec<String> = self.columns.iter().map(Column::value).collect();
        let mut joins = String::new();
        for (number, key) in self.keys.iter().enumerate() {
            let places: Vec<Option<usize>> =
                key.columns.iter().map(|column| self.columns.iter().position(|it| it.number == *column)).collect();
            if key.to_itself {
                for place in places.into_iter().flatten().filter(|place| self.columns[*place].nullable) {
                    values[place] = "NULL".to_owned();
                }
                continue;
            }
            let source = format!("fk{number}");
            for (place, column) in places.iter().zip(&key.parent_columns) {
                if let Some(place) = place {
                    values[*place] = format!("{source}.{column}");
                }
            }
            let parent = &key.parent;
            joins.push_str(&format!(
                " LEFT JOIN LATERAL (SELECT * FROM {parent} OFFSET n % (SELECT pg_catalog.greatest(pg_catalog.count(*), 1) FROM {parent}) LIMIT 1) {source} ON true"
            ).replace("pg_catalog.greatest", "greatest"));
        }
        if self.columns.is_empty() {
            return format!("INSERT INTO {} DEFAULT VALUES", self.name);
        }
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM pg_catalog.generate_series(1, {rows}) n{joins} ON CONFLICT DO NOTHING",
            self.name,
            names.join(", "),
            values.join(", ")
        )
    }

    /// Chooses other values for what was refused; false if nothing is left to try.
    pub fn learn(&mut self, error: &ServerError) -> bool {
        match error.code.as_str() {
            "23514" => self.vary_check(error),
            "23502" => error.column.as_ref().is_some_and(|name| {
                let quoted = [name.clone(), quote(name)];
                self.columns.iter_mut().find(|column| quoted.contains(&column.name)).is_some_and(Column::advance)
            }),
            // A value that does not fit its type: which column it was, the server does not say.
            code if code.starts_with("22") => self.vary_all(),
            _ => false,
        }
    }

    fn vary_check(&mut self, error: &ServerError) -> bool {
        let domain = error.data_type.as_ref();
        if let Some(domain) = domain {
            let mut of_domain = self.columns.iter_mut().filter(|column| column.domain.as_ref() == Some(domain));
            return of_domain.any(Column::advance);
        }
        let name = error.constraint.clone().unwrap_or_default();
        let columns: Vec<i16> =
            self.checks.iter().filter(|check| check.name == name).flat_map(|check| check.columns.clone()).collect();
        // As an odometer: the first column that has another value takes it, those before it start anew.
        let mut chosen = self.columns.iter_mut().filter(|column| columns.contains(&column.number));
        let varied = chosen.find_map(|column| (column.advance() || column.restart()).then_some(column.number));
        self.last = varied.or(self.last);
        varied.is_some()
    }

    /// The column that was changed last; else one that need not differ from row to row; else any.
    fn vary_all(&mut self) -> bool {
        let last = self.last;
        let tries: [&dyn Fn(&Column) -> bool; 3] =
            [&|column| Some(column.number) == last, &|column| !column.unique, &|_| true];
        tries.iter().any(|wanted| self.columns.iter_mut().filter(|column| wanted(column)).any(Column::advance))
    }
}

impl Column {
    fn read(row: Vec<Option<String>>, checks: &[(Check, String)]) -> Option<Column> {
        let [
            name,
            number,
            base,
            full,
            kind,
            category,
            modifier,
            domain,
            not_null,
            domain_checks,
            labels,
            unique,
            _default,
        ]: [Option<String>; 13] = row.try_into().ok()?;
        let number: i16 = number?.parse().ok()?;
        let mut conditions = domain_checks.unwrap_or_default();
        for (_, text) in checks.iter().filter(|(check, _)| check.columns.contains(&number)) {
            conditions.push(' ');
            conditions.push_str(text);
        }
        let unique = unique? == "t";
        let kind = Kind {
            base: base?,
            full: full?,
            is_enum: kind? == "e",
            category: category?,
            modifier: modifier.and_then(|text| text.parse().ok()).unwrap_or(-1),
            labels: labels.map(|text| text.split('\u{1}').map(str::to_owned).collect()).unwrap_or_default(),
        };
        // Values that need not differ come twice, so that a new unique constraint has something to refuse.
        let n = if unique { "n" } else { "((n + 1) / 2)" };
        let nullable = not_null? == "f";
        let candidates = candidates(&kind, &conditions, n);
        Some(Column { name: name?, number, domain, candidates, next: 0, nullable, unique })
    }

    fn value(&self) -> String {
        let at = if self.mixes_nulls() { self.next.saturating_sub(1) } else { self.next };
        let Some(value) = self.candidates.get(at) else { return "NULL".to_owned() };
        match self.next {
            // Some rows without a value, where that is allowed.
            0 if self.mixes_nulls() => format!("CASE WHEN n % 5 = 0 THEN NULL ELSE {value} END"),
            _ => value.clone(),
        }
    }

    fn mixes_nulls(&self) -> bool {
        self.nullable && !self.unique
    }

    fn last(&self) -> usize {
        self.candidates.len() + usize::from(self.nullable)
    }

    /// The next value, if there is one; NULL is the last.
    fn advance(&mut self) -> bool {
        let more = self.next + 1 < self.last();
        self.next += usize::from(more);
        more
    }

    /// Starts anew, and says that others have to go on.
    fn restart(&mut self) -> bool {
        self.next = 0;
        false
    }
}

/// The numbers of an array or vector in its text form: `{1,2}` or `1 2`.
fn numbers(text: &str) -> Vec<i16> {
    let separated = text.trim_matches(['{', '}']).split([',', ' ']);
    separated.filter_map(|number| number.parse().ok()).collect()
}
