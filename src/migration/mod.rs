//! Which files are migrations, in which order they run, and in which transaction.
//!
//! In: paths. Out: [`Migration`]s in the order in which the tool that owns them runs them. Reads files; knows no SQL beyond what the
//! tool's own markers need.

use std::path::PathBuf;

use crate::sql::{FileId, Span};

/// One file, or one up-section of it, as its framework runs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The framework's own name or version of it; the file's name otherwise.
    pub name: String,
    pub path: PathBuf,
    pub file: FileId,
    /// The parts of the file that run, in order. Everything outside is not SQL of this migration (the down half, markers).
    pub sections: Vec<Section>,
    pub direction: Direction,
    pub framework: Framework,
}

/// A part of a file that is sent to the server in one way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    pub span: Span,
    pub transaction: TransactionMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// How the statements of a section reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionMode {
    /// Each statement by itself: it commits unless the file says BEGIN.
    None,
    /// The tool opens a transaction around the section.
    Wrapped,
    /// The section is one multi-statement string: PostgreSQL runs it in an implicit transaction block, unless the string has its
    /// own BEGIN or COMMIT (manual, protocol flow, "Multiple Statements in a Simple Query").
    OneString,
    /// One transaction around this and the following migrations of the run.
    Shared,
}

/// The tool that runs the migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Framework {
    Plain,
    Sqlx,
    Diesel,
    Refinery,
    Flyway,
    Liquibase,
    Prisma,
    Drizzle,
    GolangMigrate,
    Goose,
    Dbmate,
    Sqitch,
    Atlas,
    Supabase,
    Hasura,
    NodePgMigrate,
    StructureSql,
}
