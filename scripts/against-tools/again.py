"""A second run: one history ran, then a migration that sorts before the last one is added, or one that ran is changed."""

import json
import shutil
import subprocess

from cases import BASE, Case, Migration, table

THREE = Migration(3, "three", [table("three")])
LATE = Case("late", [BASE, Migration(2, "two", [table("two")]), THREE])
CHANGED = Case("changed", [BASE, Migration(3, "three", [table("three"), table("more")])])

# What the findings say that the tool does, and what is then seen.
ANSWERS = {
    "never runs it": "skips",
    "refuses": "refuses",
    "runs it after": "runs",
    "does not run it again": "skips",
    "go by the name": "skips",
}


def second_runs(server, pgassay, tool, scratch):
    """Name and difference, if any, of both cases."""
    for case in (LATE, CHANGED):
        root = scratch / f"again-{case.name}"
        root.mkdir()
        database = server.database()
        tool.write(Case("first", [BASE, THREE]), root)
        commit(root)
        works, said = tool.up(root, server.url(database))
        if not works:
            yield f"second run: {case.name}", f"the first run failed: {said[-200:]}"
            continue
        before = server.state(database)
        clear(root)
        tool.write(case, root)
        expected = predicted(pgassay, root)
        works, said = tool.up(root, server.url(database))
        found = "refuses" if not works else "skips" if server.state(database) == before else "runs"
        same = expected == found
        yield f"second run: {case.name}", None if same else f"predicted {expected}, found {found}: {said[-300:]}"


def commit(root):
    names = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], [*names, "commit", "-q", "-m", "ran"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)


def clear(root):
    for path in root.iterdir():
        if path.is_dir() and path.name != ".git":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def predicted(pgassay, root):
    call = [pgassay, "check", "--since", "HEAD", "--format", "json", "--no-config"]
    report = json.loads(subprocess.run(call, cwd=root, capture_output=True, text=True).stdout)
    rules = ("out-of-order-migration", "changed-migration")
    told = [one["message"] for one in report["findings"] if one["rule"] in rules]
    for part, answer in ANSWERS.items():
        if any(part in message for message in told):
            return answer
    return f"nothing known, told {told}"
