//! Statistics, counters, settings and workload of a server.
//!
//! In: a [`Session`]. Out: [`Facts`] and [`Workload`]. What the role may not read is left out and told of in `unread`, with what would
//! let it read.

mod activity;
mod columns;
mod relations;
mod server;
mod statistics;
mod workload;

use std::collections::HashSet;

use super::catalog::Locked;
use super::{DbError, Session};
use crate::change::{Name, QualifiedName};
use crate::facts::{Facts, Topic, Unread, Values};

pub(super) use server::server;
pub(super) use workload::workload;

/// Measures everything. `facts` holds what [`server`] read.
pub(super) async fn measure(
    session: &Session,
    facts: &mut Facts,
    locked: &mut Locked,
    values: Values,
) -> Result<(), DbError> {
    relations::relations(session, facts, locked).await?;
    relations::sizes(session, facts, locked).await?;
    relations::sequences(session, facts).await?;
    columns::columns(session, facts, values).await?;
    statistics::extended(session, facts, locked, values).await?;
    facts.unread.extend(locked.take_damaged());
    activity::activity(session, facts).await
}

/// The names met so far: those of schemas, tables and columns come thousands of times.
#[derive(Default)]
struct Names(HashSet<Name>);

impl Names {
    fn name(&mut self, text: &str) -> Name {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let name = Name::new(text);
        self.0.insert(name.clone());
        name
    }

    fn qualified(&mut self, schema: &str, name: &str) -> QualifiedName {
        QualifiedName { schema: self.name(schema), name: self.name(name) }
    }
}

/// What several queries say of something the role may not read.
fn unread(
    topic: Topic,
    fact: impl Into<String>,
    reason: impl Into<String>,
    unchecked: &str,
    objects: Vec<String>,
) -> Unread {
    let mut objects = objects;
    objects.truncate(100);
    Unread { topic, fact: fact.into(), reason: reason.into(), unchecked: unchecked.to_owned(), objects }
}

/// An error that leaves the rest readable: no privilege, something is not there, a limit was reached.
fn is_partial(error: &DbError) -> bool {
    // insufficient_privilege, undefined_*, feature_not_supported, object_not_in_prerequisite_state, query_canceled, lock_not_available
    const CODES: &[&str] = &["42501", "42P01", "42883", "42703", "0A000", "55000", "57014", "55P03"];
    error.code().is_some_and(|code| CODES.contains(&code))
}
