//! One node of a plan, with what EXPLAIN prints of it.

use serde::Serialize;

/// Counts, and all numbers that the server prints as they are, for one run of the node or for all (each field says which).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    pub parent: Option<NodeId>,
    /// In the order of the plan; InitPlans and CTEs come first, SubPlans last.
    pub children: Vec<NodeId>,
    pub kind: NodeType,
    pub relationship: Option<Relationship>,
    /// `CTE recent`, `InitPlan 1 (returns $0)`, `SubPlan 2`.
    pub subplan_name: Option<String>,
    pub parallel_aware: bool,
    pub async_capable: bool,
    /// `Left`, `Semi`, `Right Anti`; none for an inner join.
    pub join_type: Option<String>,
    /// Of an aggregate or a set operation: `Sorted`, `Hashed`, `Mixed`; none when plain.
    pub strategy: Option<String>,
    /// `Partial` or `Finalize`.
    pub partial_mode: Option<String>,
    /// Of ModifyTable and of foreign scans that write: `Insert`, `Update`, `Delete`, `Merge`.
    pub operation: Option<String>,
    /// `Except`, `Intersect All`.
    pub set_command: Option<String>,
    pub custom_provider: Option<String>,
    pub backward: bool,
    pub schema: Option<String>,
    /// The table, view or foreign table that is read or written.
    pub relation: Option<String>,
    /// As it stands in the query; none when it is the relation's own name.
    pub alias: Option<String>,
    pub index: Option<String>,
    pub cte: Option<String>,
    pub function: Option<String>,
    /// None with COSTS OFF.
    pub estimate: Option<Estimate>,
    /// None without ANALYZE. A node that was never executed has 0 loops.
    pub actual: Option<Actual>,
    /// The planner was told not to use this kind of node, and had no other (18+).
    pub disabled: bool,
    pub conditions: Vec<Condition>,
    pub sort_key: Vec<String>,
    pub presorted_key: Vec<String>,
    /// One list of keys for a plain GROUP BY; one for each set of GROUPING SETS.
    pub group_keys: Vec<Vec<String>>,
    pub cache_key: Option<String>,
    /// With VERBOSE.
    pub output: Vec<String>,
    /// Rows of one loop that the filter threw away, on average.
    pub removed_by_filter: Option<f64>,
    pub removed_by_join_filter: Option<f64>,
    pub removed_by_recheck: Option<f64>,
    /// Of all loops.
    pub heap_fetches: Option<f64>,
    /// Descents of the index, of all loops (18+).
    pub index_searches: Option<f64>,
    /// Partitions that were pruned when the plan started.
    pub subplans_removed: Option<f64>,
    pub workers_planned: Option<f64>,
    pub workers_launched: Option<f64>,
    pub counters: Counters,
    pub workers: Vec<Worker>,
    /// What else is printed, as it is printed.
    pub other: Vec<(String, String)>,
    /// For judging: how many like siblings this node stands for; 0 in a plan as it was read.
    pub siblings: usize,
    /// The partitioned table that those are partitions of, as far as their names tell.
    pub partitioned: Option<String>,
}

/// The place of a node in [`Plan::nodes`](super::Plan::nodes): the root is 0, children follow their parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

impl NodeId {
    /// As shown to people: the root is 1.
    pub fn number(self) -> usize {
        self.0 + 1
    }
}

impl Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number() as u64)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    pub startup_cost: f64,
    pub total_cost: f64,
    /// For one loop; in a parallel part, for one process.
    pub rows: f64,
    /// Average bytes of a row.
    pub width: f64,
}

/// What one loop took on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Actual {
    /// Milliseconds; none with TIMING OFF.
    pub startup_time: Option<f64>,
    pub total_time: Option<f64>,
    pub rows: f64,
    pub loops: f64,
}

/// How a node belongs to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relationship {
    Outer,
    Inner,
    Member,
    Subquery,
    /// Runs once, when first needed; CTEs too.
    InitPlan,
    /// Runs for each row, or once into a hash table.
    SubPlan,
}

/// A condition with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub kind: ConditionKind,
    pub text: String,
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant,)* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// As EXPLAIN prints it.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            pub fn named(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

named! {
    /// What a condition is for.
    ConditionKind {
        Index = "Index Cond",
        Recheck = "Recheck Cond",
        Filter = "Filter",
        Hash = "Hash Cond",
        Merge = "Merge Cond",
        Join = "Join Filter",
        OneTime = "One-Time Filter",
        Tid = "TID Cond",
        Run = "Run Condition",
        OrderBy = "Order By",
        Conflict = "Conflict Filter",
    }
}

named! {
    /// Kinds of nodes that PostgreSQL 14 to 18 has.
    KnownType {
        SeqScan = "Seq Scan",
        SampleScan = "Sample Scan",
        IndexScan = "Index Scan",
        IndexOnlyScan = "Index Only Scan",
        BitmapHeapScan = "Bitmap Heap Scan",
        BitmapIndexScan = "Bitmap Index Scan",
        BitmapAnd = "BitmapAnd",
        BitmapOr = "BitmapOr",
        TidScan = "Tid Scan",
        TidRangeScan = "Tid Range Scan",
        SubqueryScan = "Subquery Scan",
        FunctionScan = "Function Scan",
        TableFunctionScan = "Table Function Scan",
        ValuesScan = "Values Scan",
        CteScan = "CTE Scan",
        NamedTuplestoreScan = "Named Tuplestore Scan",
        WorkTableScan = "WorkTable Scan",
        ForeignScan = "Foreign Scan",
        CustomScan = "Custom Scan",
        NestedLoop = "Nested Loop",
        MergeJoin = "Merge Join",
        HashJoin = "Hash Join",
        Hash = "Hash",
        Materialize = "Materialize",
        Memoize = "Memoize",
        Sort = "Sort",
        IncrementalSort = "Incremental Sort",
        Group = "Group",
        Aggregate = "Aggregate",
        WindowAgg = "WindowAgg",
        Unique = "Unique",
        SetOp = "SetOp",
        LockRows = "LockRows",
        Limit = "Limit",
        Append = "Append",
        MergeAppend = "Merge Append",
        RecursiveUnion = "Recursive Union",
        Gather = "Gather",
        GatherMerge = "Gather Merge",
        ProjectSet = "ProjectSet",
        ModifyTable = "ModifyTable",
        Result = "Result",
    }
}

/// What a node does, by EXPLAIN's name of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeType {
    Known(KnownType),
    /// Of a fork, a later version or an extension.
    Other(String),
}

impl NodeType {
    pub fn named(name: &str) -> NodeType {
        KnownType::named(name).map_or_else(|| NodeType::Other(name.to_owned()), NodeType::Known)
    }

    pub fn name(&self) -> &str {
        match self {
            NodeType::Known(known) => known.name(),
            NodeType::Other(name) => name,
        }
    }
}

impl Default for NodeType {
    fn default() -> NodeType {
        NodeType::Known(KnownType::Result)
    }
}

/// What a node or one of its workers used. Blocks have 8 kB unless the server was built otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counters {
    pub buffers: Buffers,
    pub io: IoTimes,
    pub wal: Wal,
    pub sort: Option<SortUse>,
    pub hash: Option<HashUse>,
    pub hash_aggregate: Option<HashAggregateUse>,
    pub memoize: Option<MemoizeUse>,
    /// Blocks that a bitmap named row by row.
    pub exact_heap_blocks: f64,
    /// Blocks that a bitmap named as a whole, for want of memory.
    pub lossy_heap_blocks: f64,
    /// Of Materialize, CTE Scan, WindowAgg and the like: Memory or Disk, and kB (18+).
    pub storage: Option<(String, f64)>,
}

/// Blocks of all loops, of the node with all below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Buffers {
    pub shared_hit: f64,
    pub shared_read: f64,
    pub shared_dirtied: f64,
    pub shared_written: f64,
    pub local_hit: f64,
    pub local_read: f64,
    pub local_dirtied: f64,
    pub local_written: f64,
    pub temp_read: f64,
    pub temp_written: f64,
}

impl Buffers {
    fn fields(&self) -> [f64; 10] {
        [
            self.shared_hit,
            self.shared_read,
            self.shared_dirtied,
            self.shared_written,
            self.local_hit,
            self.local_read,
            self.local_dirtied,
            self.local_written,
            self.temp_read,
            self.temp_written,
        ]
    }

    fn with(fields: [f64; 10]) -> Buffers {
        let [shared_hit, shared_read, shared_dirtied, shared_written, rest @ ..] = fields;
        let [local_hit, local_read, local_dirtied, local_written, temp_read, temp_written] = rest;
        Buffers {
            shared_hit,
            shared_read,
            shared_dirtied,
            shared_written,
            local_hit,
            local_read,
            local_dirtied,
            local_written,
            temp_read,
            temp_written,
        }
    }

    pub fn is_zero(&self) -> bool {
        self.fields().iter().all(|blocks| *blocks == 0.0)
    }

    pub fn plus(&self, other: &Buffers) -> Buffers {
        let (a, b) = (self.fields(), other.fields());
        Buffers::with(std::array::from_fn(|at| a[at] + b[at]))
    }

    /// Never below zero: counts of workers that were stopped early may be missing.
    pub fn minus(&self, other: &Buffers) -> Buffers {
        let (a, b) = (self.fields(), other.fields());
        Buffers::with(std::array::from_fn(|at| (a[at] - b[at]).max(0.0)))
    }

    /// Blocks of tables and indexes that were asked for, cached or not.
    pub fn accessed(&self) -> f64 {
        self.shared_hit + self.shared_read + self.local_hit + self.local_read
    }

    pub fn read(&self) -> f64 {
        self.shared_read + self.local_read
    }

    pub fn temp(&self) -> f64 {
        self.temp_read + self.temp_written
    }
}

/// Milliseconds of reading and writing, with `track_io_timing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct IoTimes {
    pub read: f64,
    pub write: f64,
    pub temp_read: f64,
    pub temp_write: f64,
}

impl IoTimes {
    pub fn total(&self) -> f64 {
        self.read + self.write + self.temp_read + self.temp_write
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Wal {
    pub records: f64,
    pub full_page_images: f64,
    pub bytes: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SortUse {
    /// `quicksort`, `top-N heapsort`, `external merge`; several for an incremental sort.
    pub methods: Vec<String>,
    pub kilobytes: f64,
    pub on_disk: bool,
    /// Groups that an incremental sort sorted.
    pub groups: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct HashUse {
    pub buckets: f64,
    pub batches: f64,
    pub planned_batches: f64,
    pub kilobytes: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct HashAggregateUse {
    pub planned_partitions: f64,
    pub batches: f64,
    pub kilobytes: f64,
    pub disk_kilobytes: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MemoizeUse {
    pub hits: f64,
    pub misses: f64,
    pub evictions: f64,
    pub overflows: f64,
    pub kilobytes: f64,
}

/// A parallel worker's part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Worker {
    pub number: u32,
    pub actual: Option<Actual>,
    pub counters: Counters,
}

impl Node {
    pub fn is(&self, kind: KnownType) -> bool {
        self.kind == NodeType::Known(kind)
    }

    pub fn is_any(&self, kinds: &[KnownType]) -> bool {
        kinds.iter().any(|kind| self.is(*kind))
    }

    pub fn condition(&self, kind: ConditionKind) -> Option<&str> {
        self.conditions.iter().find(|condition| condition.kind == kind).map(|condition| condition.text.as_str())
    }

    pub fn loops(&self) -> f64 {
        self.actual.map_or(1.0, |actual| actual.loops)
    }

    pub fn never_executed(&self) -> bool {
        self.actual.is_some_and(|actual| actual.loops == 0.0)
    }

    /// Rows of all loops; none without ANALYZE.
    pub fn actual_rows(&self) -> Option<f64> {
        self.actual.map(|actual| actual.rows * actual.loops)
    }

    /// Rows expected of all loops, as far as those are known.
    pub fn expected_rows(&self) -> Option<f64> {
        self.estimate.map(|estimate| estimate.rows * self.loops())
    }

    /// Actual over estimated rows of one loop, both at least one row.
    pub fn rows_ratio(&self) -> Option<f64> {
        let (estimate, actual) = (self.estimate?, self.actual?);
        (actual.loops > 0.0).then(|| actual.rows.max(1.0) / estimate.rows.max(1.0))
    }

    /// The rows that a loop brought up to the filter: those that passed and those it removed.
    pub fn rows_before_filter(&self) -> Option<f64> {
        Some(self.actual?.rows + self.removed_by_filter.unwrap_or(0.0))
    }

    /// The name that columns of this relation are qualified with.
    pub fn reference(&self) -> Option<&str> {
        self.alias.as_deref().or(self.relation.as_deref())
    }

    /// The name of the relation with its schema where that is printed.
    pub fn qualified_relation(&self) -> Option<String> {
        let relation = quote(self.relation.as_deref()?);
        Some(match &self.schema {
            Some(schema) => format!("{}.{relation}", quote(schema)),
            None => relation,
        })
    }
}

/// An identifier as it is written in SQL.
pub fn quote(name: &str) -> String {
    crate::change::Name::new(name).to_string()
}
