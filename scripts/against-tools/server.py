"""A throwaway PostgreSQL server on a local port, and what a database holds."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

# What a history made, in the order in which it was made; the tools keep their own tables to themselves.
STATE = r"""
SELECT line FROM (
  SELECT c.oid, c.relkind::text || ' ' || c.relname || coalesce(' (' || (
      SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND c.relkind <> 'i') || ')', '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'S')
  UNION ALL
  SELECT t.oid, 'enum ' || typname || ' ' || (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public' AND typtype = 'e'
  UNION ALL
  SELECT p.oid, 'function ' || proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
) made(oid, line)
WHERE line !~ '^. (_sqlx_migrations|__diesel_schema_migrations|refinery_schema_history|schema_migrations|pgmigrations|databasechangelog|schemaversion|_yoyo|yoyo_lock)'
ORDER BY oid
"""


class Server:
    def __init__(self, binaries):
        self.binaries = Path(binaries)
        self.folder = Path(tempfile.mkdtemp(prefix="against-tools-"))
        self.folder.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self.databases = 0

    def __enter__(self):
        data = self.folder / "data"
        if self.user:
            shutil.chown(self.folder, "postgres")
        def call(*arguments):
            command = [*self.user, *map(str, arguments)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        call(self.binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -F"
        call(self.binaries / "pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start")
        return self

    def __exit__(self, *error):
        command = [*self.user, str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop"]
        subprocess.run(command, stdout=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def database(self):
        """A new one."""
        self.databases += 1
        name = f"case_{self.databases}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return name

    def sql(self, database, *statements, variables=None):
        """Each statement by itself, the last one's answer as lines."""
        values = [f"--set={name}={value}" for name, value in (variables or {}).items()]
        script = "".join(f"{statement}\n;\n" for statement in statements)
        done = subprocess.run(
            ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", *values, self.url(database)],
            input=script, capture_output=True, text=True, check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.splitlines()

    def state(self, database):
        return self.sql(database, STATE)

    def version(self):
        return self.sql("postgres", "SHOW server_version")[0].split()[0]
