//! Relations: tables, views, indexes, sequences, and what hangs on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Bounds, List, RoutineId, TypeId};
use crate::change::{
    Expression, FiringMode, IndexElement, Name, PartitionBound, PartitionStrategy, Persistence, QualifiedName, Query,
    ReferentialAction, ReplicaIdentity, RuleEvent, TriggerEvent, TriggerTiming, TypeName,
};

/// Identity of a relation; it survives renames and moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub u32);

/// Identity of a column within its relation; it survives renames. Counted from 1 as `attnum`, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u16);

// `Eq` lets `Arc` compare pointers first: a diff of two schemas meets many relations that they share.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    pub id: RelationId,
    pub name: QualifiedName,
    pub kind: RelationKind,
    pub persistence: Persistence,
    /// False for a stub: named by a statement of a partial history, never seen created. Its columns and constraints are only
    /// those that statements spoke of.
    pub known: bool,
    pub owner: Option<Name>,
    pub columns: Vec<Column>,
    /// The next column's number.
    pub next_column: u16,
    pub constraints: List<Constraint>,
    /// Indexes on this table or materialized view.
    pub indexes: Vec<RelationId>,
    /// Tables with a foreign key to this one (itself included), each once.
    pub referenced_by: Vec<RelationId>,
    /// Parents by inheritance or partitioning.
    pub parents: Vec<RelationId>,
    /// Children by inheritance, or partitions; for a partitioned index its partitions.
    pub children: Vec<RelationId>,
    /// This relation's bound when it is a partition.
    pub bound: Option<PartitionBound>,
    /// The bounds of its partitions.
    pub bounds: Option<Arc<Bounds>>,
    pub triggers: List<Trigger>,
    /// DISABLE TRIGGER ALL: the triggers behind foreign keys and deferrable keys do not fire.
    pub system_triggers_off: bool,
    pub rules: List<Rule>,
    pub policies: List<Policy>,
    pub row_security: bool,
    pub force_row_security: bool,
    pub replica_identity: ReplicaIdentity,
    pub options: BTreeMap<Arc<str>, Option<Arc<str>>>,
    pub access_method: Option<Name>,
    pub tablespace: Option<Name>,
    pub privileges: List<Privilege>,
    pub comment: Option<Arc<str>>,
    /// The row type of a typed table.
    pub of_type: Option<TypeId>,
    /// The server of a foreign table.
    pub server: Option<Name>,
    /// The index that CLUSTER without a name uses.
    pub clustered_on: Option<RelationId>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RelationKind {
    Table,
    PartitionedTable(PartitionKey),
    ForeignTable,
    View(View),
    MaterializedView(View),
    Index(Index),
    Sequence(Sequence),
}

/// PARTITION BY of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionKey {
    pub strategy: PartitionStrategy,
    pub elements: Vec<IndexElement>,
    /// Plain columns of the key.
    pub columns: Vec<ColumnId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub id: ColumnId,
    pub name: Name,
    pub data_type: ColumnType,
    pub collation: Option<Name>,
    pub not_null: NotNull,
    pub default: Option<Expression>,
    pub identity: Option<IdentityKind>,
    pub generated: Option<Generated>,
    /// Sequence behind serial or identity.
    pub sequence: Option<RelationId>,
    /// Defined by this relation itself (attislocal), not only by a parent.
    pub local: bool,
    /// Number of parents that define it.
    pub inherited: u16,
    pub comment: Option<Arc<str>>,
    /// SET STATISTICS, where it is not the default.
    pub statistics_target: Option<i32>,
    /// STORAGE and COMPRESSION, where they are not the type's own.
    pub storage: Option<Name>,
    pub compression: Option<Name>,
    /// SET (n_distinct = …).
    pub options: BTreeMap<Arc<str>, Option<Arc<str>>>,
}

/// A resolved type of a column, argument or expression.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnType {
    /// As written, with the schema of user-defined types filled in where they were found. Columns share what they have in common,
    /// and equal pointers are compared first.
    pub written: Arc<TypeName>,
    pub resolved: ResolvedType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResolvedType {
    /// A type of pg_catalog, or of an extension: `written.name` says which.
    BuiltIn,
    /// An enum, domain, composite or range type of the schema.
    User(TypeId),
    /// The row type of a relation.
    Row(RelationId),
    /// Not found: a partial history, or an extension that is not known.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNull {
    No,
    /// 18+: NOT NULL NOT VALID. New rows are checked, old ones may be NULL.
    NotValid,
    Yes,
    /// A stub's column of which nothing is known.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    Always,
    ByDefault,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub expression: Expression,
    pub stored: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    pub name: Name,
    pub kind: ConstraintKind,
    pub validated: bool,
    pub enforced: bool,
    pub no_inherit: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    /// Defined by this relation itself, not only by a parent.
    pub local: bool,
    pub comment: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConstraintKind {
    /// Named NOT NULL constraints of 18; before 18 a column's `not_null` says it all. Kept for every NOT NULL, so that the
    /// model of 18 has their names; the rules ignore them on older targets.
    NotNull(ColumnId),
    Check {
        expression: Expression,
        columns: Vec<ColumnId>,
    },
    Unique {
        columns: Vec<ColumnId>,
        index: RelationId,
    },
    PrimaryKey {
        columns: Vec<ColumnId>,
        index: RelationId,
    },
    Exclude {
        index: RelationId,
    },
    ForeignKey(ForeignKey),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ForeignKey {
    pub columns: Vec<ColumnId>,
    pub referenced: RelationId,
    /// Empty when the referenced table is a stub whose key is not known.
    pub referenced_columns: Vec<ColumnId>,
    pub match_full: bool,
    pub on_delete: ReferentialAction,
    pub on_update: ReferentialAction,
    /// The columns that ON DELETE SET NULL or SET DEFAULT changes; empty where it is all of them.
    pub set_columns: Vec<ColumnId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    pub table: RelationId,
    pub method: Name,
    pub unique: bool,
    pub primary: bool,
    pub nulls_not_distinct: bool,
    pub elements: Vec<IndexElement>,
    /// For every element the column, where it is one.
    pub columns: Vec<Option<ColumnId>>,
    pub include: Vec<ColumnId>,
    pub predicate: Option<Expression>,
    /// Columns that expressions and the predicate mention.
    pub mentions: Vec<ColumnId>,
    /// False after a failed concurrent build, or ON ONLY a partitioned table until all partitions are attached.
    pub valid: bool,
    /// Belongs to a constraint of its table.
    pub constraint: Option<Name>,
    /// Index of a partitioned table: no storage of its own.
    pub partitioned: bool,
}

impl Index {
    /// Whether rows are told apart by it, as `REFRESH MATERIALIZED VIEW CONCURRENTLY` needs (`is_usable_unique_index`, matview.c).
    pub fn identifies_rows(&self) -> bool {
        let plain = !self.columns.is_empty() && self.columns.iter().all(Option::is_some);
        self.unique && self.valid && self.predicate.is_none() && plain
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub query: Query,
    /// Relations and columns that the query depends on; an empty list of columns means the relation as a whole
    /// (`SELECT *` is expanded when the view is made, so it lists them all).
    pub uses: Vec<(RelationId, Vec<ColumnId>)>,
    pub routines: Vec<RoutineId>,
    pub types: Vec<TypeId>,
    /// Materialized views only: false after WITH NO DATA.
    pub populated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    pub data_type: Name,
    pub increment: i64,
    pub min_value: Option<i64>,
    pub max_value: Option<i64>,
    pub start: Option<i64>,
    pub cache: Option<i64>,
    pub cycle: bool,
    pub owned_by: Option<(RelationId, ColumnId)>,
    /// Internal to an identity column.
    pub identity: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    pub name: Name,
    pub timing: TriggerTiming,
    pub events: Vec<TriggerEvent>,
    pub for_each_row: bool,
    pub condition: Option<Expression>,
    pub function: Option<RoutineId>,
    /// What the function finds in TG_ARGV.
    pub arguments: Vec<Arc<str>>,
    pub constraint: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub mode: FiringMode,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: Name,
    pub event: RuleEvent,
    pub instead: bool,
    /// It has a WHERE.
    pub conditional: bool,
    pub mode: FiringMode,
    pub uses: Vec<(RelationId, Vec<ColumnId>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub name: Name,
    pub command: Option<RuleEvent>,
    pub restrictive: bool,
    pub roles: Vec<Name>,
    pub using: Option<Expression>,
    pub with_check: Option<Expression>,
    pub uses: Vec<(RelationId, Vec<ColumnId>)>,
}

/// One granted privilege.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Privilege {
    /// `public` is PUBLIC.
    pub grantee: Name,
    /// Lower case: `select`, `insert`, `usage`, `execute` …
    pub privilege: Name,
    /// Set for a column privilege.
    pub column: Option<ColumnId>,
    /// WITH GRANT OPTION: no part of what is compared.
    pub grantable: Grantable,
}

/// Whether a privilege may be passed on. All are equal: a privilege is held with it or without.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grantable(pub bool);

impl PartialEq for Grantable {
    fn eq(&self, _: &Grantable) -> bool {
        true
    }
}

impl Eq for Grantable {}

impl PartialOrd for Grantable {
    fn partial_cmp(&self, other: &Grantable) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Grantable {
    fn cmp(&self, _: &Grantable) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Eq for Relation {}

impl Relation {
    pub fn column(&self, name: &Name) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    pub fn column_by_id(&self, id: ColumnId) -> Option<&Column> {
        self.columns.iter().find(|column| column.id == id)
    }

    pub fn constraint(&self, name: &Name) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == *name)
    }

    /// Whether a rule runs something else, or nothing, in place of a write to it (`fireRules`, rewriteHandler.c).
    pub fn is_replaced(&self, event: RuleEvent, replica: bool) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.event == event && rule.instead && !rule.conditional && rule.mode.fires(replica))
    }

    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }))
    }

    pub fn foreign_keys(&self) -> impl Iterator<Item = (&Constraint, &ForeignKey)> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some((constraint, key)),
            _ => None,
        })
    }

    /// Tables, partitioned tables, foreign tables, views and materialized views: what queries name.
    pub fn is_queryable(&self) -> bool {
        !matches!(self.kind, RelationKind::Index(_) | RelationKind::Sequence(_))
    }

    /// Holds rows of its own.
    pub fn has_storage(&self) -> bool {
        match &self.kind {
            RelationKind::Table | RelationKind::MaterializedView(_) | RelationKind::Sequence(_) => true,
            RelationKind::Index(index) => !index.partitioned,
            RelationKind::PartitionedTable(_) | RelationKind::ForeignTable | RelationKind::View(_) => false,
        }
    }

    pub fn is_table(&self) -> bool {
        matches!(self.kind, RelationKind::Table | RelationKind::PartitionedTable(_) | RelationKind::ForeignTable)
    }

    pub fn is_partitioned(&self) -> bool {
        matches!(self.kind, RelationKind::PartitionedTable(_))
    }

    pub fn is_partition(&self) -> bool {
        self.bound.is_some()
    }

    pub fn as_index(&self) -> Option<&Index> {
        match &self.kind {
            RelationKind::Index(index) => Some(index),
            _ => None,
        }
    }

    pub fn as_view(&self) -> Option<&View> {
        match &self.kind {
            RelationKind::View(view) | RelationKind::MaterializedView(view) => Some(view),
            _ => None,
        }
    }

    /// As messages call it.
    pub fn noun(&self) -> &'static str {
        match self.kind {
            RelationKind::Table => "table",
            RelationKind::PartitionedTable(_) => "partitioned table",
            RelationKind::ForeignTable => "foreign table",
            RelationKind::View(_) => "view",
            RelationKind::MaterializedView(_) => "materialized view",
            RelationKind::Index(_) => "index",
            RelationKind::Sequence(_) => "sequence",
        }
    }
}

impl NotNull {
    /// New rows must have a value.
    pub fn enforced(self) -> bool {
        matches!(self, NotNull::Yes | NotNull::NotValid)
    }
}
