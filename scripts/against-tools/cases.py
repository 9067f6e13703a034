"""What every tool is given: short histories in which order, the up/down split and the transaction decide what is left."""

from dataclasses import dataclass, field


@dataclass
class Migration:
    number: int
    name: str
    up: list[str]
    down: list[str] = field(default_factory=list)


@dataclass
class Case:
    name: str
    migrations: list[Migration]


def table(name):
    return f"CREATE TABLE {name} (id int)"


FUNCTION = """CREATE FUNCTION note() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- a semicolon; a quote ' and another;
  RETURN ';' || $$--;$$;
END
$body$"""

DO_BLOCK = """DO $$
BEGIN
  IF true THEN
    CREATE TABLE made_in_block (id int);
  END IF;
END $$"""

BASE = Migration(1, "base", [table("base")], ["DROP TABLE base"])


def history(name, *migrations):
    return Case(name, [BASE, *migrations])


def one(name, *statements):
    return history(name, Migration(2, "two", list(statements)))


CONCURRENTLY = "CREATE INDEX CONCURRENTLY base_idx ON base (id)"

CASES = [
    history(
        "order",
        Migration(10, "ten", [table("ten")]),
        Migration(9, "nine", [table("nine")]),
        Migration(100, "hundred", [table("hundred")]),
    ),
    history(
        "up-and-down",
        Migration(2, "two", [table("two")], ["DROP TABLE two"]),
        Migration(3, "three", ["ALTER TABLE base ADD COLUMN note text"], ["ALTER TABLE base RENAME COLUMN note TO went_back"]),
    ),
    history(
        "second-fails",
        Migration(2, "two", [table("first"), table("base"), table("third")]),
        Migration(3, "three", [table("later")]),
    ),
    one("concurrently-alone", CONCURRENTLY),
    one("concurrently-first", CONCURRENTLY, table("second")),
    one("concurrently-second", table("first"), CONCURRENTLY),
    one("concurrently-twice", CONCURRENTLY, CONCURRENTLY.replace("base_idx", "base_too_idx")),
    one("concurrently-behind-set", "SET lock_timeout = 0", CONCURRENTLY),
    one("drop-concurrently", "CREATE INDEX plain_idx ON base (id)", "DROP INDEX CONCURRENTLY plain_idx"),
    one("vacuum", "VACUUM base"),
    one("vacuum-and-more", "VACUUM base", table("second")),
    one("own-block", "BEGIN", table("first"), "COMMIT", table("second")),
    one("own-block-fails-behind", "BEGIN", table("first"), "COMMIT", table("second"), table("base")),
    one("commit-fails-behind", table("first"), "COMMIT", table("second"), table("base")),
    one("commit-then-concurrently", table("first"), "COMMIT", CONCURRENTLY),
    one("rollback", table("first"), "ROLLBACK", table("second")),
    one("savepoint", table("first"), "SAVEPOINT here", table("second"), "ROLLBACK TO here", table("third")),
    history("new-label-used", Migration(2, "type", ["CREATE TYPE mood AS ENUM ('calm')"]), Migration(3, "label", [
        "ALTER TYPE mood ADD VALUE 'glad'", "CREATE TABLE moods (mood mood DEFAULT 'glad')",
    ])),
    history("new-label-used-later", Migration(2, "type", ["CREATE TYPE mood AS ENUM ('calm')"]),
            Migration(3, "label", ["ALTER TYPE mood ADD VALUE 'glad'"]),
            Migration(4, "use", ["CREATE TABLE moods (mood mood DEFAULT 'glad')"])),
    one("function", FUNCTION, table("behind")),
    one("do-block", DO_BLOCK, table("made_in_block")),
    one("database", "CREATE DATABASE never_made_in_a_block", "DROP DATABASE never_made_in_a_block"),
    history("later-one-fails", Migration(2, "two", [table("two")]), Migration(3, "three", [table("base")])),
]
