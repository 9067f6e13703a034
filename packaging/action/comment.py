#!/usr/bin/env python3
"""Keeps one comment of a pull request up to date, and puts a review comment on each new error.

Reads the environment of a GitHub job (GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_TOKEN) and two
files that `pgassay check` wrote:

    comment.py MARKDOWN JSON

The comment is found by the mark that the Markdown ends or begins with. Review comments carry the finding's fingerprint, so
that a second run adds none twice. A line that the pull request does not show takes no review comment: the API answers 422, and
the finding is in the main comment anyway. Nothing but the standard library is needed.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request

MARK = "<!-- pgassay -->"
FINGERPRINT = re.compile(r"<!-- pgassay:([0-9a-f]+) -->")
MOST_REVIEW_COMMENTS = 10


class Api:
    def __init__(self, environment):
        self.base = environment.get("GITHUB_API_URL", "https://api.github.com")
        self.repository = environment["GITHUB_REPOSITORY"]
        self.token = environment["GITHUB_TOKEN"]

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"{self.base}/repos/{self.repository}{path}", method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Accept", "application/vnd.github+json")
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, data, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def pages(self, path):
        page = 1
        while True:
            rows = self.ask("GET", f"{path}?per_page=100&page={page}")
            yield from rows
            if len(rows) < 100:
                return
            page += 1


def update_comment(api, number, markdown):
    """Edits the comment of an earlier run, or writes the first one."""
    body = markdown if MARK in markdown else f"{markdown}\n{MARK}\n"
    for comment in api.pages(f"/issues/{number}/comments"):
        if MARK in (comment.get("body") or ""):
            if comment["body"].strip() != body.strip():
                api.ask("PATCH", f"/issues/comments/{comment['id']}", {"body": body})
            return
    api.ask("POST", f"/issues/{number}/comments", {"body": body})


def review_body(finding):
    lines = [f"**{finding['rule']}**: {plain(finding['message'])}"]
    if finding.get("advice"):
        lines.append(plain(finding["advice"]))
    steps = "\n".join(step["sql"] for step in finding.get("steps") or [])
    if steps:
        fence = "`" * max(3, 1 + longest_run(steps, "`"))
        lines.append(f"{fence}sql\n{steps}\n{fence}")
    lines.append(f"<!-- pgassay:{finding['fingerprint']} -->")
    return "\n\n".join(lines)


def longest_run(text, letter):
    return max((len(run) for run in re.findall(f"{re.escape(letter)}+", text)), default=0)


def plain(text):
    """Text of a database or a file: no markup, no mention, no HTML."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", text)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u200b")


def add_review_comments(api, number, head, findings):
    known = set()
    for comment in api.pages(f"/pulls/{number}/comments"):
        known.update(FINGERPRINT.findall(comment.get("body") or ""))
    wanted = [one for one in findings if one["severity"] == "error" and one.get("line") and one["fingerprint"] not in known]
    for finding in wanted[:MOST_REVIEW_COMMENTS]:
        place = {"path": finding["file"], "line": finding["end_line"] or finding["line"], "side": "RIGHT"}
        if finding["end_line"] and finding["end_line"] > finding["line"]:
            place |= {"start_line": finding["line"], "start_side": "RIGHT"}
        try:
            api.ask("POST", f"/pulls/{number}/comments", {"commit_id": head, "body": review_body(finding), **place})
        except urllib.error.HTTPError as error:
            if error.code != 422:
                raise


def main(arguments, environment):
    if len(arguments) != 2:
        print("usage: comment.py MARKDOWN JSON", file=sys.stderr)
        return 2
    with open(environment["GITHUB_EVENT_PATH"], encoding="utf-8") as file:
        pull_request = json.load(file).get("pull_request")
    if not pull_request:
        print("comment.py: this event is not of a pull request; nothing to comment on")
        return 0
    with open(arguments[0], encoding="utf-8") as file:
        markdown = file.read()
    with open(arguments[1], encoding="utf-8") as file:
        findings = json.load(file)["findings"]
    api = Api(environment)
    number = pull_request["number"]
    try:
        update_comment(api, number, markdown)
        add_review_comments(api, number, pull_request["head"]["sha"], findings)
    except urllib.error.HTTPError as error:
        print(f"comment.py: {error.code} {error.reason}; does the job have `permissions: pull-requests: write`?", file=sys.stderr)
        return 1
    except urllib.error.URLError as error:
        print(f"comment.py: {error.reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
