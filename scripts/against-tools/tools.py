"""The tools: how each keeps a history, and how it is run. One class a tool."""

import json
import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run(arguments, **options):
    """Whether the program succeeded, and what it said."""
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, timeout=300, **options)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def joined(statements):
    return "".join(f"{statement};\n" for statement in statements)


class Tool:
    name = ""
    # A name of an example tree, and its project's root below it.
    example = None
    # Whether a migration can be told to run without a transaction.
    has_opt_out = False
    can_go_back = True
    # Values of placeholders that the example tree has.
    variables = {}
    folder = "migrations"

    def __init__(self, place):
        self.place = place

    def available(self):
        return True

    def write(self, case, root, transaction=True):
        (root / self.folder).mkdir(parents=True, exist_ok=True)
        for migration in case.migrations:
            self.write_one(migration, root / self.folder, transaction)

    def write_one(self, migration, folder, transaction):
        raise NotImplementedError

    def up(self, root, url):
        raise NotImplementedError

    def down(self, root, url, steps):
        raise NotImplementedError


class Plain(Tool):
    name = "plain"
    example = "plain"
    can_go_back = False

    def write_one(self, migration, folder, transaction):
        (folder / f"{migration.number}_{migration.name}.sql").write_text(joined(migration.up))

    def up(self, root, url):
        files = sorted(root.rglob("*.sql"), key=lambda path: (len(path.parts), int(path.name.split("_")[0])))
        for file in files:
            done = run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", file, url])
            if not done[0]:
                return done
        return True, ""


class RustTool(Tool):
    crate = ""

    def binary(self):
        return self.place / "rust" / "debug" / "rust-tools"

    def available(self):
        return self.binary().exists()

    def up(self, root, url):
        return run([self.binary(), self.name, "up", root / self.folder, url])

    def down(self, root, url, steps):
        return run([self.binary(), self.name, "down", root / self.folder, url])

    def write(self, case, root, transaction=True):
        super().write(case, root, transaction)
        (root / "Cargo.toml").write_text(f'[dependencies]\n{self.name} = "*"\n')


class Sqlx(RustTool):
    name = "sqlx"
    example = "sqlx"
    has_opt_out = True

    def write_one(self, migration, folder, transaction):
        mark = "" if transaction else "-- no-transaction\n"
        stem = f"{migration.number}_{migration.name}"
        (folder / f"{stem}.up.sql").write_text(mark + joined(migration.up))
        (folder / f"{stem}.down.sql").write_text(joined(migration.down))


class Diesel(RustTool):
    name = "diesel"
    example = "diesel"
    has_opt_out = True

    def write_one(self, migration, folder, transaction):
        own = folder / f"{migration.number}_{migration.name}"
        own.mkdir()
        (own / "up.sql").write_text(joined(migration.up))
        (own / "down.sql").write_text(joined(migration.down) or "SELECT 1;\n")
        if not transaction:
            (own / "metadata.toml").write_text("run_in_transaction = false\n")


class Refinery(RustTool):
    name = "refinery"
    example = "refinery"
    can_go_back = False

    def write_one(self, migration, folder, transaction):
        (folder / f"V{migration.number}__{migration.name}.sql").write_text(joined(migration.up))


class NodeTool(Tool):
    def bin(self, name):
        return self.place / "node" / "node_modules" / ".bin" / name

    def available(self):
        return (self.place / "node" / "node_modules" / self.package).exists()


class Dbmate(NodeTool):
    name = "dbmate"
    example = "dbmate"
    package = "dbmate"
    has_opt_out = True
    folder = "db/migrations"

    def write_one(self, migration, folder, transaction):
        option = "" if transaction else " transaction:false"
        text = f"-- migrate:up{option}\n{joined(migration.up)}\n-- migrate:down\n{joined(migration.down)}"
        (folder / f"{migration.number}_{migration.name}.sql").write_text(text)

    def call(self, root, url, command):
        url = f"{url}?sslmode=disable"
        return run([self.bin("dbmate"), "--url", url, "--no-dump-schema", "--migrations-dir", root / self.folder, command])

    def up(self, root, url):
        return self.call(root, url, "migrate")

    def down(self, root, url, steps):
        return [self.call(root, url, "rollback") for _ in range(steps)][-1]


class NodePgMigrate(NodeTool):
    name = "node-pg-migrate"
    example = "node-pg-migrate"
    package = "node-pg-migrate"

    def write_one(self, migration, folder, transaction):
        text = f"-- Up Migration\n{joined(migration.up)}\n-- Down Migration\n{joined(migration.down)}"
        (folder / f"{migration.number}_{migration.name}.sql").write_text(text)

    def call(self, root, url, *command):
        environment = {**os.environ, "DATABASE_URL": url}
        return run([self.bin("node-pg-migrate"), *command, "-m", root / self.folder], env=environment)

    def up(self, root, url):
        return self.call(root, url, "up")

    def down(self, root, url, steps):
        return self.call(root, url, "down", str(steps))


class Drizzle(NodeTool):
    name = "drizzle"
    example = "drizzle"
    package = "drizzle-orm"
    folder = "drizzle"
    can_go_back = False

    def write(self, case, root, transaction=True):
        super().write(case, root, transaction)
        entries = [
            {"idx": at, "version": "7", "when": 1700000000000 + one.number, "tag": f"{one.number:04}_{one.name}", "breakpoints": True}
            for at, one in enumerate(case.migrations)
        ]
        (root / "drizzle/meta").mkdir()
        journal = {"version": "7", "dialect": "postgresql", "entries": entries}
        (root / "drizzle/meta/_journal.json").write_text(json.dumps(journal))

    def write_one(self, migration, folder, transaction):
        text = "--> statement-breakpoint\n".join(f"{statement};\n" for statement in migration.up)
        (folder / f"{migration.number:04}_{migration.name}.sql").write_text(text)

    def up(self, root, url):
        script = """
            const { drizzle } = require("drizzle-orm/node-postgres");
            const { migrate } = require("drizzle-orm/node-postgres/migrator");
            const { Client } = require("pg");
            (async () => {
              const client = new Client({ connectionString: process.argv[1] });
              await client.connect();
              try { await migrate(drizzle(client), { migrationsFolder: process.argv[2] }); }
              catch (error) { console.error(String(error.cause ?? error)); process.exitCode = 1; }
              await client.end();
            })();"""
        return run(["node", "-e", script, url, root / self.folder], cwd=self.place / "node")


class Liquibase(NodeTool):
    name = "liquibase"
    example = "liquibase"
    package = "node-liquibase"
    has_opt_out = True
    folder = "changes"

    def available(self):
        return super().available() and shutil.which("java") is not None

    def write(self, case, root, transaction=True):
        super().write(case, root, transaction)
        lines = [f"  - include: {{ file: changes/{self.file(one)}, relativeToChangelogFile: true }}" for one in case.migrations]
        (root / "db.changelog-master.yaml").write_text("\n".join(["databaseChangeLog:", *lines, ""]))

    def file(self, migration):
        return f"{migration.number}_{migration.name}.sql"

    def write_one(self, migration, folder, transaction):
        option = "" if transaction else " runInTransaction:false"
        # Liquibase cuts at every semicolon unless told otherwise: a body in dollar quotes needs its own delimiter.
        bodies = any("$" in statement for statement in migration.up)
        end = "\n/\n" if bodies else ";\n"
        if bodies:
            option += " endDelimiter:/ stripComments:false"
        up = "".join(statement + end for statement in migration.up)
        rollback = "".join(f"--rollback {statement};\n" for statement in migration.down) or "--rollback SELECT 1;\n"
        text = f"--liquibase formatted sql\n\n--changeset ann:{migration.number}{option}\n{up}{rollback}"
        (folder / self.file(migration)).write_text(text)

    def call(self, root, url, *command):
        home = self.place / "node/node_modules/node-liquibase/dist"
        jars = [home / "liquibase/liquibase.jar", *sorted((home / "liquibase/lib").glob("*.jar"))]
        jars += sorted((home / "drivers").glob("postgresql-*.jar"))
        address = url.split("@")[1]
        return run([
            "java", "-cp", ":".join(map(str, jars)), "liquibase.integration.commandline.Main",
            "--changeLogFile=db.changelog-master.yaml", f"--url=jdbc:postgresql://{address}", "--username=postgres", *command,
        ], cwd=root)

    def up(self, root, url):
        return self.call(root, url, "update")

    def down(self, root, url, steps):
        return self.call(root, url, "rollbackCount", str(steps))


class LiquibaseXml(Liquibase):
    """The same statements in changesets of an XML changelog, as `sql` changes."""

    name = "liquibase-xml"
    example = "liquibase-changelog"
    changelog = "db/changelog/db.changelog-master.xml"
    schema = (
        'xmlns="http://www.liquibase.org/xml/ns/dbchangelog" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog '
        'http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-4.3.xsd"'
    )

    def write(self, case, root, transaction=True):
        changesets = "".join(self.changeset(one, transaction) for one in case.migrations)
        (root / "db/changelog").mkdir(parents=True)
        (root / self.changelog).write_text(f"<databaseChangeLog {self.schema}>\n{changesets}</databaseChangeLog>\n")

    def changeset(self, migration, transaction):
        option = "" if transaction else ' runInTransaction="false"'
        sql = lambda statement: f'<sql splitStatements="false" stripComments="false"><![CDATA[{statement}]]></sql>\n'
        up = "".join(map(sql, migration.up))
        back = "".join(map(sql, migration.down)) or sql("SELECT 1")
        return f'<changeSet id="{migration.number}" author="ann"{option}>\n{up}<rollback>\n{back}</rollback>\n</changeSet>\n'

    def call(self, root, url, *command):
        return super().call(root, url, f"--changeLogFile={self.changelog}", *command)


class Sqitch(Tool):
    name = "sqitch"
    example = "sqitch"
    variables = {"note": "hello"}

    def available(self):
        return shutil.which("sqitch") is not None

    def write(self, case, root, transaction=True):
        plan = ["%syntax-version=1.0.0", "%project=cases", ""]
        plan += [f"n{one.number} 2024-01-01T00:00:{at:02}Z Ann <ann@example.com>" for at, one in enumerate(case.migrations)]
        (root / "sqitch.plan").write_text("\n".join(plan) + "\n")
        (root / "sqitch.conf").write_text("[core]\n  engine = pg\n")
        for folder in ("deploy", "revert"):
            (root / folder).mkdir()
        for one in case.migrations:
            (root / f"deploy/n{one.number}.sql").write_text(joined(one.up))
            (root / f"revert/n{one.number}.sql").write_text(joined(one.down))

    def call(self, root, url, *command):
        names = {"SQITCH_FULLNAME": "Ann", "SQITCH_EMAIL": "ann@example.com"}
        target = "db:pg://" + url.split("://")[1]
        return run(["sqitch", *command, target], cwd=root, env={**os.environ, **names})

    def up(self, root, url):
        given = [f"--set={name}={value}" for name, value in self.variables.items()]
        return self.call(root, url, "deploy", "--no-verify", "--mode", "change", *given)

    def down(self, root, url, steps):
        return self.call(root, url, "revert", "-y")


class Supabase(NodeTool):
    name = "supabase"
    example = "supabase"
    package = "supabase"
    folder = "supabase/migrations"
    can_go_back = False

    def write(self, case, root, transaction=True):
        super().write(case, root, transaction)
        (root / "supabase/config.toml").write_text('project_id = "cases"\n')

    def write_one(self, migration, folder, transaction):
        (folder / f"{20240101000000 + migration.number}_{migration.name}.sql").write_text(joined(migration.up))

    def up(self, root, url):
        url = f"{url}?sslmode=disable"
        return run([self.bin("supabase"), "migration", "up", "--db-url", url, "--workdir", root])


class Postgrator(NodeTool):
    name = "postgrator"
    example = "postgrator"
    package = "postgrator"

    def write_one(self, migration, folder, transaction):
        (folder / f"{migration.number}.do.{migration.name}.sql").write_text(joined(migration.up))
        (folder / f"{migration.number}.undo.{migration.name}.sql").write_text(joined(migration.down) or "SELECT 1;\n")

    def call(self, root, url, target):
        script = """
            const pg = require("pg");
            import("postgrator").then(async ({ default: Postgrator }) => {
              const client = new pg.Client({ connectionString: process.argv[1] });
              await client.connect();
              const execQuery = (query) => client.query(query);
              const migrationPattern = process.argv[2] + "/*";
              try { await new Postgrator({ driver: "pg", migrationPattern, execQuery }).migrate(process.argv[3]); }
              catch (error) { console.error(String(error)); process.exitCode = 1; }
              await client.end();
            });"""
        return run(["node", "-e", script, url, root / self.folder, target], cwd=self.place / "node")

    def up(self, root, url):
        return self.call(root, url, "max")

    def down(self, root, url, steps):
        return self.call(root, url, "000")


class Yoyo(Tool):
    name = "yoyo"
    example = "yoyo"
    has_opt_out = True

    def bin(self):
        return self.place / "venv/bin/yoyo"

    def available(self):
        return self.bin().exists()

    def write_one(self, migration, folder, transaction):
        mark = "-- depends:\n" if transaction else "-- depends:\n-- transactional: false\n"
        stem = f"{migration.number:04}.{migration.name}"
        (folder / f"{stem}.sql").write_text(mark + "\n" + joined(migration.up))
        (folder / f"{stem}.rollback.sql").write_text(joined(migration.down))

    def call(self, root, url, *command):
        given = ["--batch", "--no-config-file", "--database", url.replace("postgres://", "postgresql://"), root / self.folder]
        return run([self.bin(), *command, *given])

    def up(self, root, url):
        return self.call(root, url, "apply")

    def down(self, root, url, steps):
        return self.call(root, url, "rollback", "--all")


ALL = [
    Plain,
    Sqlx,
    Diesel,
    Refinery,
    Dbmate,
    NodePgMigrate,
    Drizzle,
    Liquibase,
    LiquibaseXml,
    Sqitch,
    Supabase,
    Postgrator,
    Yoyo,
]
