import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FileMigrationProvider, Kysely, Migrator, PostgresDialect } from 'kysely';
import pg from 'pg';

const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) }) });
const migrationFolder = path.join(import.meta.dirname, 'migrations');
const { error } = await new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) }).migrateToLatest();
await db.destroy();
if (error) throw error;
