//! What planning a statement could run that a user of the database wrote.
//!
//! The planner calls IMMUTABLE functions of constants, STABLE ones to estimate, and operators on the values in statistics
//! (`eval_const_expressions`, `estimate_expression_value`, `mcv_selectivity`), all with the rights of whoever asks for the plan. A READ
//! ONLY transaction does not keep them from programs, files and other sessions. In: the catalog. Out: for a statement's text, whether it
//! may reach a function that is neither PostgreSQL's own nor an extension's.

use std::collections::BTreeSet;

use super::planner::{CaptureError, Source};

/// Names that lead to code of the database's users. Schemas do not count: a name that could be meant is taken for meant.
#[derive(Debug, Clone, Default)]
pub struct UserCode {
    functions: BTreeSet<String>,
    operators: BTreeSet<String>,
    /// Tables, views and types whose views, policies, constraints, defaults, indexes or casts call such a function.
    others: BTreeSet<String>,
}

impl UserCode {
    /// Reads the catalog, in a session whose search_path has no schema of a user's.
    ///
    /// # Errors
    /// [`CaptureError`] if the server refuses it.
    pub async fn read(source: &impl Source) -> Result<UserCode, CaptureError> {
        let mut user_code = UserCode::default();
        for row in source.rows("functions of the database's own", NAMES).await? {
            let part = "functions of the database's own";
            let (kind, name): (String, String) = serde_json::from_str(&row)
                .map_err(|error| CaptureError::Answer { part, message: error.to_string() })?;
            match kind.as_str() {
                "function" => user_code.functions.insert(name),
                "operator" => user_code.operators.insert(name),
                _ => user_code.others.insert(name),
            };
        }
        Ok(user_code)
    }

    /// What the text may reach, in words that follow "it". The text is not parsed: what stands in a comment or a string counts too, so that no
    /// difference between two ways to read it lets anything through.
    pub fn in_text(&self, text: &str) -> Option<String> {
        let lower = text.to_ascii_lowercase();
        // U&"\0066" is a name that is not read here.
        if lower.contains("u&\"") && !(self.functions.is_empty() && self.operators.is_empty() && self.others.is_empty())
        {
            return Some("has names written as U&\"…\"".to_owned());
        }
        let words: BTreeSet<&str> = words(text).chain(words(&lower)).collect();
        let names = |names: &BTreeSet<String>| -> Option<String> {
            // A quoted name may hold anything, and doubles its quotes.
            let odd = |name: &&String| text.contains(name.replace('"', "\"\"").as_str());
            names.iter().find(|name| if is_word(name) { words.contains(name.as_str()) } else { odd(name) }).cloned()
        };
        names(&self.functions)
            .map(|name| format!("calls the function {name}"))
            .or_else(|| names(&self.others).map(|name| format!("reads {name}, whose definition calls a function")))
            .or_else(|| {
                let found = self.operators.iter().find(|name| text.contains(name.as_str()));
                found.map(|name| format!("may use the operator {name}"))
            })
    }
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn is_word(name: &str) -> bool {
    name.chars().all(is_part)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_part(c)).filter(|word| !word.is_empty())
}

/// Kind and name, as JSON. 16384 is FirstNormalObjectId (transam.h): what is below, initdb made.
const NAMES: &str = "
WITH RECURSIVE members AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass),
procs AS MATERIALIZED (
    SELECT oid, proname AS name FROM pg_proc
     WHERE oid >= 16384 AND oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_proc'::regclass)
       -- Procedures and trigger functions are called by no query.
       AND prokind <> 'p' AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)),
operators AS MATERIALIZED (
    SELECT oid, oprname AS name FROM pg_operator
     WHERE oid >= 16384 AND oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_operator'::regclass)),
casts AS MATERIALIZED (SELECT castsource, casttarget FROM pg_cast WHERE castfunc IN (SELECT oid FROM procs)),
-- What depends on such a function: (class, object) of a rule, policy, constraint, default, index, partition key.
direct AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d
     WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid IN (SELECT oid FROM procs)
        OR d.refclassid = 'pg_operator'::regclass AND d.refobjid IN (SELECT oid FROM operators)),
owners AS MATERIALIZED (
    SELECT w.oid AS object, 'pg_rewrite'::regclass::oid AS class, w.ev_class AS relation FROM pg_rewrite w
    UNION ALL SELECT p.oid, 'pg_policy'::regclass::oid, p.polrelid FROM pg_policy p
    UNION ALL SELECT k.oid, 'pg_constraint'::regclass::oid, k.conrelid FROM pg_constraint k WHERE k.conrelid <> 0
    UNION ALL SELECT v.oid, 'pg_attrdef'::regclass::oid, v.adrelid FROM pg_attrdef v
    UNION ALL SELECT x.oid, 'pg_statistic_ext'::regclass::oid, x.stxrelid FROM pg_statistic_ext x
    UNION ALL SELECT i.indexrelid, 'pg_class'::regclass::oid, i.indrelid FROM pg_index i
    UNION ALL SELECT c.oid, 'pg_class'::regclass::oid, c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')),
-- Types, of domains with such a check, with such a cast or such a function of a range, and what is made of them.
types(oid) AS (
    SELECT oid FROM (
        SELECT k.contypid AS oid FROM direct d JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.contypid <> 0
        UNION SELECT castsource FROM casts WHERE castsource >= 16384 UNION SELECT casttarget FROM casts WHERE casttarget >= 16384
        UNION SELECT rngtypid FROM pg_range WHERE rngsubdiff IN (SELECT oid FROM procs) OR rngcanonical IN (SELECT oid FROM procs)) q
    UNION
    SELECT u.oid FROM types t JOIN LATERAL (
        SELECT y.oid FROM pg_type y WHERE y.typelem = t.oid OR y.typbasetype = t.oid
        UNION ALL SELECT y.oid FROM pg_attribute a JOIN pg_type y ON y.typrelid = a.attrelid WHERE a.atttypid = t.oid AND a.attnum > 0
        UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngsubtype = t.oid
        UNION ALL SELECT r.rngmultitypid FROM pg_range r WHERE r.rngtypid = t.oid) u ON true),
relations(oid) AS (
    SELECT oid FROM (
        SELECT o.relation AS oid FROM direct d JOIN owners o ON o.class = d.classid AND o.object = d.objid
        UNION SELECT a.attrelid FROM pg_attribute a WHERE a.atttypid IN (SELECT oid FROM types)) q
    UNION
    SELECT u.oid FROM relations r JOIN LATERAL (
        -- Rules and policies that read it; tables whose partition or child it is.
        SELECT o.relation AS oid FROM pg_depend d JOIN owners o ON o.class = d.classid AND o.object = d.objid
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
           AND d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass)
        UNION ALL SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = r.oid) u ON true)
SELECT json_build_array('function', name)::text FROM procs
UNION SELECT json_build_array('operator', name)::text FROM operators
UNION SELECT json_build_array('relation', c.relname)::text FROM relations r JOIN pg_class c ON c.oid = r.oid
UNION SELECT json_build_array('type', t.typname)::text FROM types y JOIN pg_type t ON t.oid = y.oid
UNION SELECT json_build_array('type', t.typname)::text FROM types y JOIN pg_type t ON t.typarray = y.oid";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let code = UserCode {
            functions: set(&["price", "Odd Name", "q\"q", "größe"]),
            operators: set(&["==="]),
            others: set(&["priced"]),
        };
        for text in [
            "SELECT price(1)",
            "SELECT o.PRICE FROM orders o",
            "SELECT \"price\" (1)",
            "SELECT app . price/**/(1)",
            "SELECT \"Odd Name\"()",
            "SELECT \"q\"\"q\"()",
            "SELECT größe(1)",
            "SELECT 1 === 2",
            "SELECT * FROM priced",
            "SELECT U&\"\\0070rice\"(1)",
        ] {
            assert!(code.in_text(text).is_some(), "{text}");
        }
        for text in ["SELECT lower(a), prices FROM t WHERE b = 1", "SELECT u FROM t"] {
            assert_eq!(code.in_text(text), None, "{text}");
        }
        assert_eq!(UserCode::default().in_text("SELECT U&\"a\""), None);
    }
}
