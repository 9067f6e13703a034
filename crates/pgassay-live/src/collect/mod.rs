//! From paths to migrations: which files are migrations, in which order they run, and in which transaction.
//!
//! In: paths. Out: [`Migration`]s in the order in which the tool that owns them runs them. Reads files; knows no SQL beyond what the
//! tool's own markers need.
//!
//! [`collect`] reads every folder into a [`Folder`](folder::Folder), asks each tool in [`tools::TOOLS`] whether it is one of its own,
//! and lets the first that says yes choose the files, order them and split them. One file a tool, each an implementation of
//! [`Tool`](tools::Tool). The facts about each tool and where they come from are in `docs/frameworks.md`.

mod aside;
mod atlas;
pub mod changed;
mod changed_includes;
pub mod code;
mod code_command;
mod collected;
mod collector;
mod command;
pub mod config_file;
mod coverage;
mod db_migrate;
mod dbmate;
mod delimiter;
mod dialect;
mod diesel;
mod drizzle;
mod ef_core;
mod find;
mod flyway;
mod flyway_settings;
mod folder;
mod golang_migrate;
mod goose;
mod graphile_migrate;
mod halves;
mod hasura;
mod include;
mod line;
mod lineage;
mod liquibase;
mod mybatis;
mod named_files;
mod node_pg_migrate;
mod order;
mod plain;
mod play;
mod pop;
mod postgrator;
mod postgres_migrations;
mod prisma;
mod project;
mod rambler;
mod read;
mod refinery;
pub mod repository;
mod reread;
mod scan;
pub mod server_version;
mod shmig;
mod sqitch;
mod sql_migrate;
mod sqlx;
mod structure_sql;
mod supabase;
mod tern;
mod tern_template;
mod tools;
mod variables;
mod yoyo;

pub use collected::{CollectOptions, Collected, FoundFramework, Note};
pub use collector::collect;
pub use command::{CommandError, from_command};
pub use coverage::{LeftOut, Why, coverage};
pub(crate) use find::code_files;
pub use find::{FindError, FoundFolders, OtherServer, find};
pub use read::ReadError;
pub(crate) use scan::{statements_of, tokens, words_of};
pub use variables::Variables;

use crate::migration::{
    Age, Difference, DifferenceKind, Direction, Framework, Migration, Section, TransactionMode, TransactionOverride,
};
