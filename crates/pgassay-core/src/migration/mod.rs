//! A migration: the parts of a file that run, in which transaction, and the tool that runs them.
//!
//! Data only: what finds and reads migrations makes these.

mod coverage;
mod outside;
mod own_tables;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

pub use coverage::{Coverage, NotRead, ReadHistory};

use crate::change::Name;
use crate::source::{FileId, Span};

/// One file, or one up-section of it, as its framework runs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The framework's own name or version of it; the file's name otherwise.
    pub name: String,
    pub path: PathBuf,
    /// The migrations folder whose history it is a part of; of a dump, the folder that it stands in. `None` for what was given by
    /// itself: a plain file, standard input, a command.
    pub folder: Option<PathBuf>,
    pub file: FileId,
    /// The parts of the file that run, in order. Everything outside is not SQL of this migration (the down half, markers).
    pub sections: Vec<Section>,
    /// The files that psql's commands in it include.
    pub included: Vec<Included>,
    pub direction: Direction,
    pub framework: Framework,
    pub age: Age,
    /// A schema that the tool makes, and puts before those of the search_path.
    pub schema: Option<Name>,
}

/// `\\i file` and what stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Included {
    pub command: Span,
    pub file: FileId,
}

/// Whether a migration ran before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Age {
    /// Judged. Unless more is known, every migration is new.
    #[default]
    New,
    /// Ran before with another content. Judged.
    Changed,
    /// Ran before: it builds the schema and is not judged.
    Old,
}

impl Migration {
    /// Whether findings are wanted; one that ran before only builds the schema.
    pub fn is_judged(&self) -> bool {
        self.age != Age::Old
    }

    /// A text of its own whose statements commit one by one.
    pub fn plain(name: &str, file: FileId, length: usize) -> Migration {
        let span = Span::new(file, 0, length);
        Migration {
            name: name.to_owned(),
            path: PathBuf::from(name),
            folder: None,
            file,
            sections: vec![Section { span, transaction: TransactionMode::None, conditional: false }],
            included: Vec::new(),
            direction: Direction::Up,
            framework: Framework::Plain,
            age: Age::New,
            schema: None,
        }
    }
}

/// A part of a file that is sent to the server in one way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    pub span: Span,
    pub transaction: TransactionMode,
    /// The tool may pass it over, as what is in the database tells it.
    pub conditional: bool,
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
    /// The tool opens a transaction around the section, and sends statement by statement.
    Wrapped,
    /// The tool's driver opens a transaction in front of every statement that finds none, and the tool commits behind the section: JDBC
    /// without autocommit.
    WrappedByDriver,
    /// The tool opens a transaction around the section, and sends it as one string: behind a COMMIT in it, PostgreSQL opens an implicit
    /// transaction block for the rest.
    WrappedString,
    /// The section is one multi-statement string: PostgreSQL runs it in an implicit transaction block, unless the string has its
    /// own BEGIN or COMMIT (manual, protocol flow, "Multiple Statements in a Simple Query").
    OneString,
    /// One transaction around this and the following migrations of the run; statement by statement.
    Shared,
    /// One transaction around this and the following migrations of the run; the section is one string.
    SharedString,
}

impl TransactionMode {
    /// Whether the tool opens the transaction.
    pub fn is_opened_by_tool(self) -> bool {
        !matches!(self, TransactionMode::None | TransactionMode::OneString)
    }

    /// Whether it goes on in the next migration.
    pub fn is_shared(self) -> bool {
        matches!(self, TransactionMode::Shared | TransactionMode::SharedString)
    }

    /// Whether the section reaches the server as one query string.
    pub fn is_one_string(self) -> bool {
        matches!(self, TransactionMode::OneString | TransactionMode::WrappedString | TransactionMode::SharedString)
    }
}

/// Which transaction the statements run in, whatever the tool does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TransactionOverride {
    /// As the tool does.
    #[default]
    Auto,
    /// One transaction around each file.
    PerFile,
    /// Each statement commits by itself.
    None,
}

/// A migration that existed before and is not the same any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its place in the list.
    pub migration: usize,
    /// The first statement that differs.
    pub span: Span,
    pub kind: DifferenceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Other statements.
    Content,
    /// The same statements; white space or comments differ.
    Layout,
    /// The tool knows it by another name now.
    Renamed { from: String },
}

/// The tools, and their names on the command line and in the configuration: one list, so that none is left out.
macro_rules! frameworks {
    ($($(#[$about:meta])* $tool:ident $name:literal,)+) => {
        /// The tool that runs the migrations.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Framework {
            $($(#[$about])* $tool,)+
        }

        impl Framework {
            pub const ALL: [Framework; [$($name),+].len()] = [$(Framework::$tool),+];

            /// The name on the command line and in the configuration.
            pub fn name(self) -> &'static str {
                match self {
                    $(Framework::$tool => $name,)+
                }
            }
        }
    };
}

frameworks! {
    Plain "plain",
    Sqlx "sqlx",
    Diesel "diesel",
    Refinery "refinery",
    Flyway "flyway",
    Liquibase "liquibase",
    Prisma "prisma",
    Drizzle "drizzle",
    GolangMigrate "golang-migrate",
    Goose "goose",
    Dbmate "dbmate",
    Sqitch "sqitch",
    Atlas "atlas",
    Supabase "supabase",
    Hasura "hasura",
    NodePgMigrate "node-pg-migrate",
    SqlMigrate "sql-migrate",
    Tern "tern",
    GraphileMigrate "graphile-migrate",
    PostgresMigrations "postgres-migrations",
    Mybatis "mybatis",
    Shmig "shmig",
    Rambler "rambler",
    Play "play",
    Postgrator "postgrator",
    DbMigrate "db-migrate",
    Yoyo "yoyo",
    Pop "pop",
    /// A dump of the schema that Rails or Ecto keep beside the migrations: what exists before, not a migration.
    StructureSql "structure-sql",
}

impl Framework {
    /// Whether psql runs its files.
    pub fn uses_psql(self) -> bool {
        matches!(self, Framework::Plain | Framework::Sqitch | Framework::Shmig | Framework::StructureSql)
    }

    /// Whether all migrations of one run share a session that the tool does not put back: what SET leaves is there for the next one.
    ///
    /// Supabase sends RESET ALL in front of each, tern after each, Flyway puts the search_path back, psql is started for each file.
    pub fn keeps_session(self) -> bool {
        match self {
            Framework::Dbmate
            | Framework::GolangMigrate
            | Framework::Sqlx
            | Framework::Goose
            | Framework::Diesel
            | Framework::Prisma
            | Framework::Drizzle
            | Framework::NodePgMigrate
            | Framework::Atlas
            | Framework::Refinery
            | Framework::Liquibase
            | Framework::SqlMigrate
            | Framework::Postgrator
            | Framework::PostgresMigrations => true,
            // Of these it is not known, or known that they do not.
            Framework::Plain
            | Framework::Flyway
            | Framework::Sqitch
            | Framework::Supabase
            | Framework::Hasura
            | Framework::Tern
            | Framework::GraphileMigrate
            | Framework::Mybatis
            | Framework::Shmig
            | Framework::Rambler
            | Framework::Play
            | Framework::DbMigrate
            | Framework::Yoyo
            | Framework::Pop
            | Framework::StructureSql => false,
        }
    }

    /// Whether what it sends as one is a batch of the extended protocol: its first statement is in no transaction block yet, so that SET
    /// LOCAL does nothing there (`WarnNoTransactionBlock` in xact.c).
    pub fn sends_batches(self) -> bool {
        matches!(self, Framework::Supabase | Framework::Liquibase)
    }

    /// Whether it sends the rows behind COPY … FROM stdin as rows (Flyway's parser for PostgreSQL, and psql).
    pub fn sends_copy_data(self) -> bool {
        self.uses_psql() || self == Framework::Flyway
    }

    /// Whether its file says what exists before the migrations, and is not a migration itself.
    pub fn is_base(self) -> bool {
        self == Framework::StructureSql
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// `--framework` names no tool that pgassay knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no framework is called {0}")]
pub struct UnknownFramework(pub String);

impl FromStr for Framework {
    type Err = UnknownFramework;

    fn from_str(name: &str) -> Result<Framework, UnknownFramework> {
        let known = Framework::ALL.into_iter().find(|framework| framework.name() == name);
        known.ok_or_else(|| UnknownFramework(name.to_owned()))
    }
}
