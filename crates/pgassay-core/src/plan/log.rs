//! A log of many plans: what each query took in all, and which plans are worth a look.
//!
//! Plans are handed in one by one; only those that may be shown are kept.

use std::collections::HashMap;

use super::Plan;

/// All plans of one query, constants aside.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LoggedQuery {
    pub query: String,
    pub count: usize,
    /// Milliseconds; without times, the planner's cost.
    pub total: f64,
    pub worst: f64,
}

/// What was found in a log.
#[derive(Debug, Default)]
pub struct Log {
    queries: HashMap<String, LoggedQuery>,
    /// The slowest so far, the slowest first, with their places in the log from 1.
    slowest: Vec<(usize, Plan)>,
    /// The first ones, to be drawn in order where there are no more.
    first: Vec<Plan>,
    keep_first: usize,
    keep_slowest: usize,
    pub count: usize,
}

impl Log {
    /// Keeps the first plans up to a number, and so many of the slowest.
    pub fn keeping(first: usize, slowest: usize) -> Log {
        Log { keep_first: first, keep_slowest: slowest, ..Log::default() }
    }

    pub fn add(&mut self, plan: Plan) {
        self.count += 1;
        let size = size(&plan);
        let query = plan.query.as_deref().map_or_else(|| super::draw::node_title(plan.root()), normalized);
        let entry =
            self.queries.entry(query.clone()).or_insert(LoggedQuery { query, count: 0, total: 0.0, worst: 0.0 });
        entry.count += 1;
        entry.total += size;
        entry.worst = entry.worst.max(size);
        let at = self.slowest.partition_point(|(_, other)| self::size(other) >= size);
        if at < self.keep_slowest {
            self.slowest.insert(at, (self.count, plan.clone()));
            self.slowest.truncate(self.keep_slowest);
        }
        if self.first.len() < self.keep_first {
            self.first.push(plan);
        }
    }

    /// All plans in order, if no more came than were to be kept.
    pub fn all(&mut self) -> Option<Vec<Plan>> {
        (self.first.len() == self.count).then(|| std::mem::take(&mut self.first))
    }

    pub fn into_slowest(self) -> Vec<(usize, Plan)> {
        self.slowest
    }

    /// The queries, those that took most in all first.
    pub fn queries(&self) -> Vec<LoggedQuery> {
        let mut queries: Vec<LoggedQuery> = self.queries.values().cloned().collect();
        queries.sort_by(|a, b| b.total.total_cmp(&a.total).then_with(|| a.query.cmp(&b.query)));
        queries
    }
}

fn size(plan: &Plan) -> f64 {
    plan.total_time().or(plan.root().estimate.map(|estimate| estimate.total_cost)).unwrap_or(0.0)
}

/// A query in one line, with its constants as `?`.
fn normalized(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    let mut chars = query.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                while let Some(c) = chars.next() {
                    if c == '\'' && chars.next_if_eq(&'\'').is_none() {
                        break;
                    }
                }
                out.push('?');
            }
            c if c.is_ascii_digit()
                && !out.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '$') =>
            {
                while chars.next_if(|c| c.is_ascii_digit() || *c == '.').is_some() {}
                out.push('?');
            }
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out.trim().trim_end_matches(';').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn constants_do_not_tell_queries_apart() {
        let normal = super::normalized;
        assert_eq!(
            normal("SELECT *\n  FROM t1 WHERE a = 15.5 AND b = 'it''s';"),
            "SELECT * FROM t1 WHERE a = ? AND b = ?"
        );
        assert_eq!(normal("SELECT $1, c2"), "SELECT $1, c2");
    }
}
