//! What is measured of a live database: sizes, statistics, counters, settings, and the queries it runs.
//!
//! In: nothing; `db` fills these types from a server or from a snapshot. Out: [`Facts`] and [`Workload`], keyed by the names that
//! [`Schema`](crate::schema::Schema) has, and what can be worked out of them: how long work takes, who waits. Does no I/O.
//!
//! A fact that was not read is `None` or absent, never zero, and [`Facts::unread`] says why and what that leaves unchecked.

mod activity;
mod coarse;
mod column;
mod duration;
mod index;
mod live;
pub mod planner;
mod relation;
mod sample;
mod server;
mod statistics;
mod timestamp;
mod traffic;
mod unread;
mod workload;

pub use activity::{Activity, LockWait, Prepared, Slot, Transaction};
pub use column::{ColumnFacts, ElementFacts, RangeFacts, SENTINELS, ValueList, Values};
pub use duration::{Rate, Rates, Span, rows};
pub use index::IndexFacts;
pub use live::Live;
pub use relation::{RelationFacts, SequenceFacts, Use};
pub use sample::{JsonSample, KeySample, NullPattern, NullSample, Reference, ReferenceSample, Samples};
pub use server::{DatabaseFacts, ExtensionFacts, Role, ServerFacts, Setting};
pub use statistics::{ExtendedStatisticsData, ExtendedStatisticsFacts};
pub use timestamp::Timestamp;
pub use traffic::{Calls, Traffic, relations_of};
pub use unread::{Topic, Unread};
pub use workload::{Command, StatementFacts, Workload};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::change::{Name, QualifiedName};

/// Everything that was measured of one database at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub server: ServerFacts,
    pub database: DatabaseFacts,
    /// Settings in force for the session that read them, by name.
    pub settings: BTreeMap<String, Setting>,
    /// Roles of the cluster but the built-in ones; members are not listed.
    pub roles: BTreeMap<Name, Role>,
    /// Installed extensions, and those available ones that matter to pgassay.
    pub extensions: BTreeMap<Name, ExtensionFacts>,
    /// Tables, partitioned tables, foreign tables, views and materialized views.
    pub relations: BTreeMap<QualifiedName, RelationFacts>,
    /// Indexes; an index has the schema of its table.
    pub indexes: BTreeMap<QualifiedName, IndexFacts>,
    pub sequences: BTreeMap<QualifiedName, SequenceFacts>,
    pub statistics: BTreeMap<QualifiedName, ExtendedStatisticsFacts>,
    pub activity: Activity,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

impl Facts {
    pub fn relation(&self, name: &QualifiedName) -> Option<&RelationFacts> {
        self.relations.get(name)
    }

    /// The statistics of a column; for a partitioned table or a parent those of the whole tree.
    pub fn column(&self, relation: &QualifiedName, column: &Name) -> Option<&ColumnFacts> {
        let relation = self.relations.get(relation)?;
        relation.inherited_columns.get(column).or_else(|| relation.columns.get(column))
    }

    pub fn index(&self, name: &QualifiedName) -> Option<&IndexFacts> {
        self.indexes.get(name)
    }

    /// Those that a failed concurrent build left behind, which no definition tells.
    pub fn invalid_indexes(&self) -> impl Iterator<Item = &QualifiedName> {
        self.indexes.iter().filter(|(_, index)| !index.valid).map(|(name, _)| name)
    }

    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    /// Whether some definitions of a table could not be read, so that what is missing may be there.
    pub fn is_partly_read(&self, table: &QualifiedName) -> bool {
        let definitions = self.unread.iter().filter(|unread| unread.topic == Topic::Definitions);
        let mut objects = definitions.flat_map(|unread| &unread.objects).peekable();
        if objects.peek().is_none() {
            return false;
        }
        let printed = table.to_string();
        objects.any(|object| {
            let rest = object.strip_prefix(printed.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ', ':']))
        })
    }

    /// Whether something of this topic could not be read.
    pub fn is_unread(&self, topic: Topic) -> bool {
        self.unread.iter().any(|unread| unread.topic == topic)
    }

    /// Seconds between the last reset of the counters of tables and indexes and the moment of reading; `None` if not known.
    /// 15 and later keep no time of reset until there is one: then the counters are as old as the server's statistics,
    /// of which nothing is known but that the server has run since its start.
    pub fn counting_seconds(&self) -> Option<f64> {
        let since = self.database.stats_reset.or(self.server.started_at)?;
        Some(self.server.read_at.seconds_since(since)).filter(|seconds| *seconds > 0.0)
    }
}
