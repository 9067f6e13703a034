"""Asks each advisor; all return statements that create indexes."""

import asyncio, importlib.util, json, logging, subprocess, sys, tempfile, types

import psycopg2


def cursor_of(options):
    connection = psycopg2.connect(options.db)
    connection.autocommit = True
    return connection.cursor()


def prepare(options):
    if options.statements:
        cursor_of(options).execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def as_kept(options, text):
    """A statement as pg_stat_statements keeps it, with $1 for constants."""
    cursor = cursor_of(options)
    cursor.execute("SELECT pg_stat_statements_reset()")
    cursor.execute(f"SET statement_timeout = '{options.timeout}s'")
    cursor.execute("BEGIN")
    try:
        cursor.execute(text)
    except psycopg2.errors.QueryCanceled:
        return text
    finally:
        cursor.execute("ROLLBACK")
    cursor.execute("""SELECT query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()
                       AND query ~* '^\\s*(select|with|update|delete|insert)' AND query !~ 'pg_stat_statements'""")
    return cursor.fetchone()[0]


def inputs(options, workload, texts, means):
    """Text, calls and milliseconds."""
    kept = [as_kept(options, made[0]) if options.statements else made[0] for made in texts]
    return [(text, calls, mean) for text, (calls, _), mean in zip(kept, workload, means)]


def pgassay(options, workload, texts, means):
    arguments = [options.pgassay, "queries", "--db", options.db, "--format", "json", "--limit", "1000", *options.pgassay_option]
    file = tempfile.NamedTemporaryFile("w", suffix=".sql")
    for text, calls, mean in inputs(options, workload, texts, means):
        file.write(f"-- calls: {calls}, mean: {mean} ms\n{text};\n\n")
    file.flush()
    arguments += ["--queries", file.name]
    output = subprocess.run(arguments, capture_output=True, text=True)
    if output.returncode:
        sys.exit(output.stderr)
    report = json.loads(output.stdout)
    return [sql for advice in report["indexes"] for sql in advice["statements"]]


def index_advisor(options, workload, texts, means):
    cursor = cursor_of(options)
    cursor.execute("DROP FUNCTION IF EXISTS index_advisor(text)")
    cursor.execute(open(options.index_advisor_sql).read())
    found = []
    for text, _, _ in inputs(options, workload, texts, means):
        try:
            cursor.execute("SELECT index_statements, errors FROM index_advisor(%s)", (text.rstrip("; \n"),))
            found += cursor.fetchone()[0] or []
        except psycopg2.Error as error:
            print(f"  index_advisor: {str(error).strip()}: {' '.join(text.split())[:80]}", file=sys.stderr)
    cursor.execute("DROP FUNCTION index_advisor(text)")
    return list(dict.fromkeys(found))


def postgres_mcp(options, workload, texts, means):
    # Its package imports the server of the protocol, which the advisor does not need.
    package = types.ModuleType("postgres_mcp")
    package.__path__ = list(importlib.util.find_spec("postgres_mcp").submodule_search_locations)
    sys.modules["postgres_mcp"] = package
    from postgres_mcp.index.dta_calc import DatabaseTuningAdvisor
    from postgres_mcp.sql import DbConnPool, SqlDriver

    logging.disable(logging.CRITICAL)

    async def ask():
        pool = DbConnPool(psycopg2.extensions.make_dsn(options.db))
        await pool.pool_connect(psycopg2.extensions.make_dsn(options.db))
        try:
            advisor = DatabaseTuningAdvisor(SqlDriver(conn=pool))
            entries = [
                {"query": text, "queryid": str(place), "calls": calls, "avg_exec_time": mean, "total_exec_time": calls * mean}
                for place, (text, calls, mean) in enumerate(inputs(options, workload, texts, means))
            ]
            result = await advisor.analyze_workload(workload=entries)
            if result.error:
                print(f"  postgres-mcp: {result.error}", file=sys.stderr)
            return [it.definition for it in result.recommendations]
        finally:
            await pool.close()

    return asyncio.run(ask())


def file(options, workload, texts, means):
    return [part.strip() for part in open(options.advice).read().split(";") if part.strip()]
