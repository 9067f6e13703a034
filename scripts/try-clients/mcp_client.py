"""Run by scripts/try-clients/run in a project: asks `pgassay mcp` with every tool, and prints the answers."""

import asyncio
import json
import os
import time

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

CALLS = [
    ("check_migration", {"path": "migrations/0004_total.sql", "sql": "ALTER TABLE orders ALTER COLUMN total TYPE bigint;"}),
    ("explain_statement", {"sql": "CREATE INDEX ON items (order_id)"}),
    ("safe_plan", {"intent": "make_not_null", "table": "orders", "column": "total"}),
    ("schema_at", {"table": "orders"}),
    ("audit_table", {"table": "items"}),
    ("read_plan", {"plan": "Seq Scan on orders  (cost=0.00..35811.00 rows=1 width=4) (actual time=0.1..210.3 rows=1 loops=1)\n  Filter: (total = 7)\n  Rows Removed by Filter: 1999999\n"}),
    ("rules", {"rule": "blocking-scan"}),
]


async def main():
    server = StdioServerParameters(command=os.environ["PGASSAY"], args=["mcp"], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        started = await session.initialize()
        info = getattr(started, "serverInfo", None) or started.server_info
        print("server", info.name, info.version)
        tools = [tool.name for tool in (await session.list_tools()).tools]
        print("tools", " ".join(tools))
        assert sorted(tools) == sorted(name for name, _ in CALLS), tools
        for name, arguments in CALLS:
            begun = time.perf_counter()
            answer = await session.call_tool(name, arguments)
            milliseconds = (time.perf_counter() - begun) * 1000
            is_error = getattr(answer, "isError", None) or getattr(answer, "is_error", None)
            assert not is_error, (name, answer)
            text = "".join(part.text for part in answer.content if part.type == "text")
            print(f"\n{name} {json.dumps(arguments)} ({milliseconds:.1f} ms, {len(text)} characters)")
            print(text[:900] + ("…" if len(text) > 900 else ""))
        refused = await session.call_tool("check_migration", {"files": ["/etc/passwd"]})
        text = "".join(part.text for part in refused.content)
        print("\nA file outside of the project:", text[:200])
        assert "root:" not in text and "/etc/passwd" in text, text


asyncio.run(main())
