//! pg_stat_statements.

use super::super::{DbError, OWN, Row, Session};
use super::{is_partial, unread};
use crate::change::Name;
use crate::facts::{Facts, StatementFacts, Timestamp, Topic, Workload};

/// Reads the statements of this database. Where there are none to read, the workload is empty and `facts` says why.
pub(in super::super) async fn workload(session: &Session, facts: &mut Facts) -> Result<Workload, DbError> {
    let unchecked = "which queries run, how often, and what waits behind a lock";
    let mut tell = |reason: String| {
        facts.unread.push(unread(Topic::Workload, "the queries that run", reason, unchecked, Vec::new()));
    };
    let found = facts.extensions.get(&Name::new("pg_stat_statements"));
    let Some((version, schema)) = found.and_then(|it| Some((it.installed_version.clone()?, it.schema.clone()?))) else {
        tell("the extension pg_stat_statements is not installed in this database".to_owned());
        return Ok(Workload::default());
    };
    let mut workload = Workload { source: format!("pg_stat_statements {version}"), ..Workload::default() };
    let columns = Columns::of(&version);
    let (statements, info) = (columns.statements(&Name::new(&schema)), columns.info(&Name::new(&schema)));
    let result = session
        .each_in_savepoint("pg_stat_statements", &statements, None, |row| {
            let query = row.get::<Option<&str>>(1)?.unwrap_or_default();
            let Some(query_id) = row.get::<Option<i64>>(0)?.filter(|_| query != "<insufficient privilege>") else {
                workload.hidden += 1;
                return Ok(());
            };
            if query.contains(OWN) {
                return Ok(());
            }
            if !is_query(query) {
                workload.count_command(&without_comments(query), row.get(5)?);
                return Ok(());
            }
            workload.statements.push(statement(row, query_id, query)?);
            Ok(())
        })
        .await;
    match result {
        Err(error) if is_partial(&error) => {
            tell(error.to_string());
            return Ok(Workload::default());
        }
        result => result?,
    }
    if !info.is_empty() {
        since(session, &info, &mut workload).await?;
    }
    workload.until = Some(facts.server.read_at);
    if workload.hidden > 0 {
        let (number, user) = (workload.hidden, &facts.server.current_user);
        let reason = format!("{user} sees only its own; GRANT pg_monitor or pg_read_all_stats would let it");
        let fact = format!("{number} statements of other roles");
        facts.unread.push(unread(Topic::Workload, fact, reason, unchecked, Vec::new()));
    }
    Ok(workload)
}

/// The columns are those of [`Columns::statements`], by their places.
fn statement(row: &Row, query_id: i64, query: &str) -> Result<StatementFacts, DbError> {
    let count = |at: usize| row.get::<i64>(at).map(|it| u64::try_from(it).unwrap_or_default());
    Ok(StatementFacts {
        query_id,
        query: without_comments(query),
        user: row.get::<Option<String>>(2)?.unwrap_or_default(),
        top_level: row.get(3)?,
        calls: count(4)?,
        total_milliseconds: row.get(5)?,
        mean_milliseconds: row.get(6)?,
        max_milliseconds: row.get(7)?,
        plan_milliseconds: row.get(8)?,
        rows: count(9)?,
        shared_blocks_hit: count(10)?,
        shared_blocks_read: count(11)?,
        shared_blocks_dirtied: count(12)?,
        temp_blocks_read: count(13)?,
        temp_blocks_written: count(14)?,
        wal_bytes: count(15)?,
        since: row.get::<Option<f64>>(16)?.map(Timestamp),
    })
}

/// Since when pg_stat_statements counts, and how often it forgot statements.
async fn since(session: &Session, info: &str, workload: &mut Workload) -> Result<(), DbError> {
    let result = session
        .each_in_savepoint("pg_stat_statements_info", info, None, |row| {
            workload.since = row.get::<Option<f64>>(0)?.map(Timestamp);
            workload.deallocations = u64::try_from(row.get::<i64>(1)?).ok();
            Ok(())
        })
        .await;
    match result {
        Err(error) if !is_partial(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether a statement has its constants taken out: utility statements may keep them, and with them a role's password.
fn is_query(text: &str) -> bool {
    const WORDS: &[&str] = &["select", "insert", "update", "delete", "merge", "with", "values", "table"];
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(comment) = rest.strip_prefix("/*") {
            let Some((_, behind)) = comment.split_once("*/") else { return false };
            rest = behind;
        } else if let Some(comment) = rest.strip_prefix("--") {
            let Some((_, behind)) = comment.split_once('\n') else { return false };
            rest = behind;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            return WORDS.contains(&rest[..end].to_ascii_lowercase().as_str());
        }
    }
}

/// A statement without its comments: applications put into them who asked, for which request, with which token.
fn without_comments(query: &str) -> String {
    let mut kept = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(character) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find(['\n', '\r']).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else {
            let length = quoted(rest).unwrap_or(character.len_utf8());
            kept.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        };
        // A comment separates as white space does.
        if !kept.ends_with(char::is_whitespace) {
            kept.push(' ');
        }
        rest = &rest[length..];
    }
    kept.trim().to_owned()
}

/// The length of a comment that may hold others.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of a string or a quoted name at the start; in E'…' a backslash takes what follows with it.
fn quoted(text: &str) -> Option<usize> {
    let escapes = text.starts_with("e'") || text.starts_with("E'");
    let quote = *text.as_bytes().get(usize::from(escapes))?;
    if quote == b'$' {
        let tag = &text[..text[1..].find('$')? + 2];
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let is_tag = tag[1..tag.len() - 1].chars().all(is_name) && !tag[1..].starts_with(|c: char| c.is_ascii_digit());
        return is_tag.then(|| text[tag.len()..].find(tag).map_or(text.len(), |end| tag.len() + end + tag.len()));
    }
    if quote != b'\'' && quote != b'"' {
        return None;
    }
    let mut bytes = text.bytes().enumerate().skip(usize::from(escapes) + 1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if escapes => drop(bytes.next()),
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// What the extension's version has. The extension may be older than the server: it is the extension that counts.
struct Columns {
    minor: u32,
}

impl Columns {
    fn of(version: &str) -> Columns {
        Columns { minor: version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default() }
    }

    fn statements(&self, schema: &Name) -> String {
        // 1.8 tells planning from execution, 1.9 has toplevel, 1.11 stats_since.
        let (total, mean, max, plan) = if self.minor >= 8 {
            ("total_exec_time", "mean_exec_time", "max_exec_time", "total_plan_time")
        } else {
            ("total_time", "mean_time", "max_time", "0::float8")
        };
        let top_level = if self.minor >= 9 { "s.toplevel" } else { "true" };
        let since = if self.minor >= 11 { "extract(epoch FROM s.stats_since)::float8" } else { "NULL::float8" };
        let wal = if self.minor >= 8 { "s.wal_bytes::int8" } else { "0::int8" };
        let column = |name: &str| if name.contains(':') { name.to_owned() } else { format!("s.{name}") };
        format!(
            "SELECT s.queryid, s.query, r.rolname::text, {top_level}, s.calls, {}, {}, {}, {}, s.rows, s.shared_blks_hit, s.shared_blks_read,
                    s.shared_blks_dirtied, s.temp_blks_read, s.temp_blks_written, {wal}, {since}
               FROM {schema}.pg_stat_statements s
               LEFT JOIN pg_roles r ON r.oid = s.userid
              WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
              ORDER BY {} DESC",
            column(total),
            column(mean),
            column(max),
            column(plan),
            column(total),
        )
    }

    fn info(&self, schema: &Name) -> String {
        if self.minor < 9 {
            return String::new();
        }
        format!("SELECT extract(epoch FROM stats_reset)::float8, dealloc FROM {schema}.pg_stat_statements_info")
    }
}

#[cfg(test)]
mod tests {
    use super::{is_query, without_comments};

    #[test]
    fn comments_are_not_kept() {
        for (query, kept) in [
            ("/* token=a'b */ SELECT $1", "SELECT $1"),
            ("SELECT/* a /* b */ c */$1 -- d\nFROM t --e", "SELECT $1 \nFROM t"),
            (
                "SELECT '-- a', \"/* b\", $$/* c */$$, E'\\'-- d' /*+ hint */",
                "SELECT '-- a', \"/* b\", $$/* c */$$, E'\\'-- d'",
            ),
            ("SELECT $1, $2 - -$3", "SELECT $1, $2 - -$3"),
            ("SELECT 1 /* open", "SELECT 1"),
        ] {
            assert_eq!(without_comments(query), kept, "{query}");
        }
    }

    #[test]
    fn statements_that_keep_their_constants_are_not_kept() {
        for query in
            ["SELECT $1", "/* app */ with x as (select $1) table x", "-- a\n(SELECT $1)", "Update t SET a = $1"]
        {
            assert!(is_query(query), "{query}");
        }
        for utility in ["ALTER ROLE app PASSWORD 'x'", "create user u password 'x'", "/* ", "COPY t FROM '/x'", ""] {
            assert!(!is_query(utility), "{utility}");
        }
    }
}
