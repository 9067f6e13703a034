//! How a migration is told to run outside a transaction, in the words of its tool. What the words stand on is in `docs/frameworks.md` and
//! `docs/code-migrations.md`.

use super::{Framework, Migration};

impl Migration {
    /// What to write so that the tool opens no transaction; `None` where that is not known, or the tool has no way.
    pub fn outside_transaction(&self) -> Option<&'static str> {
        match self.framework {
            Framework::Sqlx => Some("`-- no-transaction` as its first line"),
            Framework::Diesel => Some("`run_in_transaction = false` in the metadata.toml beside it"),
            Framework::Flyway => Some("`executeInTransaction=false` in a file of the same name with .conf appended"),
            Framework::Liquibase => Some("`runInTransaction:false` on its changeset"),
            Framework::Prisma | Framework::GolangMigrate | Framework::Supabase => {
                Some("this statement alone in its file")
            }
            Framework::Goose => Some("`-- +goose NO TRANSACTION` at its top"),
            Framework::Dbmate => Some("`-- migrate:up transaction:false`, and this statement alone below it"),
            Framework::Sqitch => Some("no BEGIN and COMMIT in it"),
            Framework::Atlas => Some("`-- atlas:txmode none` as its first line, and an empty line after it"),
            Framework::SqlMigrate => Some("`-- +migrate Up notransaction`"),
            Framework::Tern => Some("the line `---- tern: disable-tx ----`"),
            Framework::GraphileMigrate => {
                Some("`--! no-transaction` as its first line, and this statement alone in it")
            }
            Framework::PostgresMigrations => {
                Some("`-- postgres-migrations disable-transaction`, and this statement alone in its file")
            }
            Framework::Shmig => Some("no BEGIN and COMMIT in it"),
            Framework::Rambler => Some("`-- rambler up` above this statement alone"),
            Framework::Play => Some("`autocommit=true`, the default, in its configuration"),
            Framework::Postgrator => Some("this statement alone in its file"),
            Framework::Yoyo => Some("`-- transactional: false` at its top"),
            Framework::NodePgMigrate => Some("`pgm.noTransaction()`, in JavaScript"),
            Framework::Plain => self.outside_in_code(),
            // All of a run, or each file, is in one transaction whatever the file says.
            Framework::Refinery | Framework::Drizzle | Framework::Hasura | Framework::StructureSql => None,
            // Only for all files, on the command line or in the settings of the environment.
            Framework::Mybatis | Framework::DbMigrate | Framework::Pop => None,
        }
    }

    /// Of a migration that is code, and was recorded: by its language, and where it is.
    fn outside_in_code(&self) -> Option<&'static str> {
        let is_below = |name: &str| self.path.iter().any(|part| part == name);
        match self.path.extension()?.to_str()? {
            "rb" => Some("`disable_ddl_transaction!` in its class"),
            "ex" | "exs" => Some("`@disable_ddl_transaction true` and `@disable_migration_lock true` in its module"),
            "php" => Some("`public $withinTransaction = false;` in its class"),
            "py" if is_below("versions") => Some("`with op.get_context().autocommit_block():` around it"),
            "py" => Some("`atomic = False` in its class"),
            "js" | "ts" | "mjs" | "cjs" => Some(
                "`exports.config = { transaction: false }` with Knex, `transaction = false` in its class with TypeORM",
            ),
            "cs" => Some("`suppressTransaction: true` in migrationBuilder.Sql"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use std::path::PathBuf;

    #[test]
    fn the_words_are_those_of_the_tool() {
        let mut migration = Migration::plain("a.sql", FileId(0), 0);
        assert_eq!(migration.outside_transaction(), None);
        migration.path = PathBuf::from("db/migrate/1_a.rb");
        assert_eq!(migration.outside_transaction(), Some("`disable_ddl_transaction!` in its class"));
        migration.path = PathBuf::from("alembic/versions/1_a.py");
        assert!(migration.outside_transaction().is_some_and(|words| words.contains("autocommit_block")));
        migration.framework = Framework::Goose;
        assert_eq!(migration.outside_transaction(), Some("`-- +goose NO TRANSACTION` at its top"));
    }
}
