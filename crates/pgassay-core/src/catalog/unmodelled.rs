//! Functions of extensions that migrations call, and that lock, rewrite or drop what no model here follows.
//!
//! In: a name. Out: the extension, and what the call does, as its own documentation says it.

/// A function of an extension whose work is not modelled.
#[derive(Debug, PartialEq, Eq)]
pub struct Unmodelled {
    /// Lower case, without a schema.
    pub name: &'static str,
    pub extension: &'static str,
    /// A clause that follows the function's name.
    pub does: &'static str,
    /// Whether rows go for good.
    pub loses_rows: bool,
}

const fn works(name: &'static str, extension: &'static str, does: &'static str) -> Unmodelled {
    Unmodelled { name, extension, does, loses_rows: false }
}

const fn loses(name: &'static str, extension: &'static str, does: &'static str) -> Unmodelled {
    Unmodelled { name, extension, does, loses_rows: true }
}

/// docs/effects.md lists them for people.
pub const UNMODELLED: &[Unmodelled] = &[
    works(
        "create_hypertable",
        "timescaledb",
        "turns the table into a hypertable, and with migrate_data moves every row under ACCESS EXCLUSIVE",
    ),
    works("create_distributed_hypertable", "timescaledb", "turns the table into a hypertable on several nodes"),
    works("add_dimension", "timescaledb", "adds a dimension to a hypertable under ACCESS EXCLUSIVE"),
    works("compress_chunk", "timescaledb", "rewrites a chunk into compressed form, while writes to it wait"),
    works("decompress_chunk", "timescaledb", "rewrites a chunk, while writes to it wait"),
    works("convert_to_columnstore", "timescaledb", "rewrites a chunk into columns, while writes to it wait"),
    works("convert_to_rowstore", "timescaledb", "rewrites a chunk into rows, while writes to it wait"),
    works("reorder_chunk", "timescaledb", "rewrites a chunk in the order of an index"),
    works("move_chunk", "timescaledb", "rewrites a chunk in another tablespace"),
    works("add_compression_policy", "timescaledb", "has a background job compress chunks from then on"),
    works("add_columnstore_policy", "timescaledb", "has a background job rewrite chunks into columns from then on"),
    loses("drop_chunks", "timescaledb", "drops chunks with every row in them"),
    loses("add_retention_policy", "timescaledb", "has a background job drop old rows from then on"),
    works("create_distributed_table", "citus", "moves every row to shards, while writes to the table wait"),
    works("create_distributed_table_concurrently", "citus", "moves every row to shards"),
    works("create_reference_table", "citus", "copies every row to all nodes, while writes to the table wait"),
    works("undistribute_table", "citus", "moves every row back into one table, while reads and writes wait"),
    works("alter_distributed_table", "citus", "rewrites the table and its shards, while reads and writes wait"),
    works("alter_table_set_access_method", "citus", "rewrites the table, while reads and writes wait"),
    works("rebalance_table_shards", "citus", "moves shards between nodes"),
    works("citus_add_local_table_to_metadata", "citus", "renames the table to a shard under ACCESS EXCLUSIVE"),
    loses("truncate_local_data_after_distributing_table", "citus", "empties the table on the coordinator"),
    works("create_parent", "pg_partman", "makes partitions and a default one under ACCESS EXCLUSIVE on the table"),
    works("create_partition", "pg_partman", "makes partitions and a default one under ACCESS EXCLUSIVE on the table"),
    works("create_sub_parent", "pg_partman", "partitions the partitions again"),
    works("create_sub_partition", "pg_partman", "partitions the partitions again"),
    works("partition_data_time", "pg_partman", "moves rows of the default partition into partitions"),
    works("partition_data_id", "pg_partman", "moves rows of the default partition into partitions"),
    works("partition_data_proc", "pg_partman", "moves rows of the default partition into partitions, batch by batch"),
    works("run_maintenance", "pg_partman", "makes new partitions and drops those past their retention"),
    works("run_maintenance_proc", "pg_partman", "makes new partitions and drops those past their retention"),
    works("undo_partition", "pg_partman", "moves the rows of partitions into another table"),
    works("undo_partition_proc", "pg_partman", "moves the rows of partitions into another table, batch by batch"),
    loses("drop_partition_time", "pg_partman", "detaches or drops partitions past their retention"),
    loses("drop_partition_id", "pg_partman", "detaches or drops partitions past their retention"),
    works(
        "addgeometrycolumn",
        "postgis",
        "adds a column under ACCESS EXCLUSIVE, in the old form with checks that read all rows",
    ),
    loses("dropgeometrycolumn", "postgis", "drops a column with every value in it"),
    loses("dropgeometrytable", "postgis", "drops a table with every row in it"),
    works(
        "updategeometrysrid",
        "postgis",
        "changes the column's type, which rewrites the table under ACCESS EXCLUSIVE",
    ),
    works(
        "populate_geometry_columns",
        "postgis",
        "changes the types of geometry columns, which rewrites their tables under ACCESS EXCLUSIVE",
    ),
    works("addrasterconstraints", "postgis", "adds checks that read all rows under ACCESS EXCLUSIVE"),
];

pub fn unmodelled(name: &str) -> Option<&'static Unmodelled> {
    UNMODELLED.iter().find(|it| it.name == name)
}
