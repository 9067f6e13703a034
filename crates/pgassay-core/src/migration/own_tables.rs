//! The tables in which the tools note what they ran: there before the first migration, though none makes them.

use super::Framework;

impl Framework {
    /// Their names. Users may choose others.
    pub fn own_tables(self) -> &'static [&'static str] {
        match self {
            Framework::Sqlx => &["_sqlx_migrations"],
            Framework::Diesel => &["__diesel_schema_migrations"],
            Framework::Refinery => &["refinery_schema_history"],
            Framework::Flyway => &["flyway_schema_history"],
            Framework::Liquibase => &["databasechangelog", "databasechangeloglock"],
            Framework::Prisma => &["_prisma_migrations"],
            Framework::Drizzle => &["__drizzle_migrations"],
            Framework::GolangMigrate | Framework::Dbmate | Framework::Supabase => &["schema_migrations"],
            Framework::Goose => &["goose_db_version"],
            Framework::Atlas => &["atlas_schema_revisions"],
            Framework::Sqitch => &["projects", "releases", "changes", "tags", "dependencies", "events"],
            Framework::NodePgMigrate => &["pgmigrations"],
            Framework::SqlMigrate => &["gorp_migrations"],
            Framework::Tern => &["schema_version"],
            Framework::PostgresMigrations | Framework::Rambler | Framework::DbMigrate => &["migrations"],
            Framework::Mybatis => &["changelog"],
            Framework::Shmig => &["shmig_version"],
            Framework::Play => &["play_evolutions"],
            Framework::Postgrator => &["schemaversion"],
            Framework::Yoyo => &["_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock"],
            Framework::Pop => &["schema_migration"],
            Framework::StructureSql => &["schema_migrations", "ar_internal_metadata"],
            Framework::Plain | Framework::Hasura | Framework::GraphileMigrate => &[],
        }
    }

    /// SQL that makes them as the tool does at its first run, unless they are there. Empty where there are none, where a dump brings
    /// them, and for sqitch, whose registry is a schema of its own that migrations do not speak of.
    pub fn own_tables_ddl(self) -> &'static str {
        match self {
            Framework::Sqlx => {
                "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
                    version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(),
                    success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL);"
            }
            Framework::Diesel => {
                "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
                    version varchar(50) PRIMARY KEY NOT NULL, run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);"
            }
            Framework::Refinery => {
                "CREATE TABLE IF NOT EXISTS refinery_schema_history (
                    version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255));"
            }
            Framework::Flyway => {
                "CREATE TABLE IF NOT EXISTS flyway_schema_history (
                    installed_rank int NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY, version varchar(50),
                    description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer,
                    installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(),
                    execution_time integer NOT NULL, success boolean NOT NULL);
                 CREATE INDEX IF NOT EXISTS flyway_schema_history_s_idx ON flyway_schema_history (success);"
            }
            Framework::Liquibase => {
                "CREATE TABLE IF NOT EXISTS databasechangelog (
                    id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL,
                    dateexecuted timestamp NOT NULL, orderexecuted int NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35),
                    description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255),
                    labels varchar(255), deployment_id varchar(10));
                 CREATE TABLE IF NOT EXISTS databasechangeloglock (
                    id int NOT NULL CONSTRAINT databasechangeloglock_pkey PRIMARY KEY, locked boolean NOT NULL,
                    lockgranted timestamp, lockedby varchar(255));"
            }
            Framework::Prisma => {
                "CREATE TABLE IF NOT EXISTS _prisma_migrations (
                    id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
                    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
                    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);"
            }
            Framework::Drizzle => {
                "CREATE SCHEMA IF NOT EXISTS drizzle;
                 CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (
                    id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);"
            }
            Framework::GolangMigrate => {
                "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
            }
            Framework::Dbmate => "CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(128) PRIMARY KEY);",
            Framework::Supabase => {
                "CREATE SCHEMA IF NOT EXISTS supabase_migrations;
                 CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (
                    version text NOT NULL PRIMARY KEY, statements text[], name text);"
            }
            Framework::Goose => {
                "CREATE TABLE IF NOT EXISTS goose_db_version (
                    id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, version_id bigint NOT NULL,
                    is_applied boolean NOT NULL, tstamp timestamp NOT NULL DEFAULT now());"
            }
            Framework::Atlas => {
                "CREATE SCHEMA IF NOT EXISTS atlas_schema_revisions;
                 CREATE TABLE IF NOT EXISTS atlas_schema_revisions.atlas_schema_revisions (
                    version varchar PRIMARY KEY, description varchar NOT NULL, type bigint NOT NULL DEFAULT 2,
                    applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, executed_at timestamptz NOT NULL,
                    execution_time bigint NOT NULL, error text, error_stmt text, hash varchar NOT NULL, partial_hashes jsonb,
                    operator_version varchar NOT NULL);"
            }
            Framework::NodePgMigrate => {
                "CREATE TABLE IF NOT EXISTS pgmigrations (
                    id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);"
            }
            Framework::SqlMigrate => {
                "CREATE TABLE IF NOT EXISTS gorp_migrations (id text NOT NULL PRIMARY KEY, applied_at timestamptz);"
            }
            Framework::Tern => "CREATE TABLE IF NOT EXISTS schema_version (version int4 NOT NULL);",
            Framework::GraphileMigrate => {
                "CREATE SCHEMA IF NOT EXISTS graphile_migrate;
                 CREATE TABLE IF NOT EXISTS graphile_migrate.migrations (
                    hash text PRIMARY KEY, previous_hash text REFERENCES graphile_migrate.migrations, filename text NOT NULL,
                    date timestamptz NOT NULL DEFAULT now());
                 CREATE TABLE IF NOT EXISTS graphile_migrate.current (
                    filename text PRIMARY KEY DEFAULT 'current.sql', content text NOT NULL, date timestamptz NOT NULL DEFAULT now());"
            }
            Framework::PostgresMigrations => {
                "CREATE TABLE IF NOT EXISTS migrations (
                    id integer PRIMARY KEY, name varchar(100) UNIQUE NOT NULL, hash varchar(40) NOT NULL,
                    executed_at timestamp DEFAULT current_timestamp);"
            }
            Framework::Mybatis => {
                "CREATE TABLE IF NOT EXISTS changelog (
                    id numeric(20, 0) NOT NULL CONSTRAINT pk_changelog PRIMARY KEY, applied_at varchar(25) NOT NULL,
                    description varchar(255) NOT NULL);"
            }
            Framework::Shmig => "CREATE TABLE IF NOT EXISTS shmig_version (version int NOT NULL PRIMARY KEY);",
            Framework::Rambler => "CREATE TABLE IF NOT EXISTS migrations (migration varchar(255) NOT NULL);",
            Framework::Play => {
                "CREATE TABLE IF NOT EXISTS play_evolutions (
                    id int NOT NULL PRIMARY KEY, hash varchar(255) NOT NULL, applied_at timestamp NOT NULL, apply_script text,
                    revert_script text, state varchar(255), last_problem text);"
            }
            Framework::Postgrator => {
                "CREATE TABLE IF NOT EXISTS schemaversion (
                    version bigint PRIMARY KEY, name text, md5 text, run_at timestamptz);"
            }
            Framework::DbMigrate => {
                "CREATE TABLE IF NOT EXISTS migrations (
                    id serial NOT NULL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);"
            }
            Framework::Yoyo => {
                "CREATE TABLE IF NOT EXISTS _yoyo_migration (
                    migration_hash varchar(64) PRIMARY KEY, migration_id varchar(255), applied_at_utc timestamp);"
            }
            Framework::Pop => {
                "CREATE TABLE IF NOT EXISTS schema_migration (version varchar(14) NOT NULL UNIQUE);"
            }
            Framework::Sqitch | Framework::StructureSql | Framework::Plain | Framework::Hasura => "",
        }
    }
}
