"""The three migrations of the examples as files of the tools whose migrations are SQL: a table, a hazard, its safe neighbour."""

import json
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = "CREATE TABLE customers (id bigserial PRIMARY KEY, email text);\n"
HAZARD = "ALTER TABLE customers ALTER COLUMN email SET NOT NULL;\n"
INDEX = "CREATE INDEX CONCURRENTLY customers_email ON customers (email);\n"
# Where the tool has no way around its transaction.
PLAIN = "CREATE TABLE customer_notes (id bigserial PRIMARY KEY);\n"


def goose(sql, outside):
    return ("-- +goose NO TRANSACTION\n" if outside else "") + "-- +goose Up\n" + sql


def sql_migrate(sql, outside):
    return f"-- +migrate Up{' notransaction' if outside else ''}\n{sql}"


def as_it_is(sql, _outside):
    return sql


# Names of the files, what is around the SQL, the third migration, and the command.
WRITTEN = {
    "goose": ("0000{n}_{name}.sql", goose, INDEX, "{go} goose migrations"),
    "sql-migrate": ("{n}_{name}.sql", sql_migrate, INDEX, "{go} sql-migrate migrations"),
    "golang-migrate": ("{n}_{name}.up.sql", as_it_is, INDEX, "{go} golang-migrate migrations"),
    "postgrator": ("00{n}.do.{name}.sql", as_it_is, INDEX, "node migrate.mjs"),
    "drizzle": ("000{n}_{name}.sql", as_it_is, PLAIN, "node migrate.mjs"),
}


def write(tool, project):
    """The tool's project in a folder that is not there yet."""
    name, around, third, _ = WRITTEN[tool]
    folder = Path(project) / "migrations"
    folder.mkdir(parents=True)
    stems = []
    for number, (word, sql) in enumerate([("customers", TABLE), ("email_required", HAZARD), ("last", third)], 1):
        path = folder / name.format(n=number, name=word)
        path.write_text(around(sql, "CONCURRENTLY" in sql))
        stems.append(path.stem)
    runner = HERE / "runners" / f"{tool}.mjs"
    if runner.exists():
        shutil.copy(runner, Path(project) / "migrate.mjs")
    if tool == "drizzle":
        entries = [{"idx": at, "version": "7", "when": 1700000000000 + at, "tag": stem, "breakpoints": True} for at, stem in enumerate(stems)]
        (folder / "meta").mkdir()
        (folder / "meta/_journal.json").write_text(json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}))
