"""comment.py against a stub of the API that records requests; check.sh and install.sh against stubs of what they call.

    python3 packaging/action/test_action.py
"""

import http.server
import json
import os
import pathlib
import platform
import re
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Stub(http.server.BaseHTTPRequestHandler):
    """Issue comments and review comments in memory; line 99 is not part of the pull request."""

    def log_message(self, *_):
        pass

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self):
        rows = self.server.comments if "/issues/" in self.path else self.server.reviews
        page = int(re.search(r"[?&]page=(\d+)", self.path).group(1))
        self.answer(200, rows[(page - 1) * 100 : page * 100])

    def do_POST(self):
        body = self.body()
        self.server.requests.append(("POST", self.path, body))
        if body.get("line") == 99:
            return self.answer(422, {"message": "line must be part of the diff"})
        rows = self.server.comments if "/issues/" in self.path else self.server.reviews
        rows.append({"id": len(rows) + 1, **body})
        self.answer(201, {})

    def do_PATCH(self):
        body = self.body()
        self.server.requests.append(("PATCH", self.path, body))
        self.server.comments[int(self.path.rsplit("/", 1)[1]) - 1]["body"] = body["body"]
        self.answer(200, {})


def finding(fingerprint, line, **more):
    return {"rule": "blocking-scan", "severity": "error", "fingerprint": fingerprint, "file": "migrations/2.sql", "line": line,
            "end_line": line, "message": "reads all of <b>t</b> @team", "advice": "Prove it first",
            "steps": [{"sql": "SELECT '```'"}], **more}


class Comment(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        self.server.requests, self.server.reviews = [], []
        self.server.comments = [{"id": n + 1, "body": "lgtm"} for n in range(150)]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def run_with(self, markdown, findings, event=None):
        folder = pathlib.Path(self.folder.name)
        (folder / "m.md").write_text(markdown)
        (folder / "r.json").write_text(json.dumps({"findings": findings}))
        (folder / "e.json").write_text(json.dumps(event or {"pull_request": {"number": 7, "head": {"sha": "abc"}}}))
        environment = {**os.environ, "GITHUB_API_URL": f"http://127.0.0.1:{self.server.server_port}", "GITHUB_REPOSITORY": "o/r",
                       "GITHUB_TOKEN": "secret", "GITHUB_EVENT_PATH": str(folder / "e.json")}
        done = subprocess.run([sys.executable, HERE / "comment.py", folder / "m.md", folder / "r.json"], env=environment,
                              capture_output=True, text=True, check=False)
        self.assertNotIn("secret", done.stdout + done.stderr)
        return done

    def test_one_comment_is_kept_up_to_date(self):
        for text in ["first", "second", "second"]:
            self.assertEqual(self.run_with(f"<!-- pgassay -->\n{text}", []).returncode, 0)
        methods = [method for method, _, _ in self.server.requests]
        self.assertEqual(methods, ["POST", "PATCH"], "a third run with the same text writes nothing")
        self.assertEqual(len(self.server.comments), 151)
        self.assertIn("second", self.server.comments[150]["body"])

    def test_each_new_error_gets_one_review_comment(self):
        findings = [finding("aa", 4), finding("bb", 5, severity="warning"), finding("cc", 99), finding("dd", 6, end_line=8)]
        self.run_with("<!-- pgassay -->", findings)
        self.run_with("<!-- pgassay -->", findings)
        self.assertEqual([(one["line"], one.get("start_line")) for one in self.server.reviews], [(4, None), (8, 6)])
        body = self.server.reviews[0]["body"]
        self.assertNotIn("<b>", body)
        self.assertNotIn("@team", body)
        self.assertIn("````sql\nSELECT '```'\n````", body)

    def test_other_events_are_left_alone(self):
        done = self.run_with("<!-- pgassay -->", [finding("aa", 4)], event={"ref": "refs/heads/main"})
        self.assertEqual((done.returncode, self.server.requests), (0, []))

    def test_a_missing_permission_says_what_to_do(self):
        self.server.RequestHandlerClass = type("Forbidden", (Stub,), {"do_GET": lambda self: self.answer(403, {})})
        done = self.run_with("<!-- pgassay -->", [])
        self.assertEqual(done.returncode, 1)
        self.assertIn("pull-requests: write", done.stderr)


def executable(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.folder.name)
        (self.at / "bin").mkdir()
        self.environment = {**os.environ, "PATH": f"{self.at / 'bin'}:{os.environ['PATH']}", "RUNNER_TEMP": str(self.at),
                            "GITHUB_PATH": str(self.at / "path"), "GITHUB_OUTPUT": str(self.at / "output"),
                            "GITHUB_STEP_SUMMARY": str(self.at / "summary"), "SOURCE": str(ROOT)}
        self.environment.pop("GITHUB_BASE_REF", None)

    def tearDown(self):
        self.folder.cleanup()

    def test_check_passes_the_inputs_and_the_exit_code_on(self):
        executable(self.at / "bin/pgassay", '#!/bin/sh\nprintf "%s\\n" "$@" > "$RUNNER_TEMP/arguments"\n'
                   'echo "# report" > "$RUNNER_TEMP/pgassay-results/comment.md"\nexit 1\n')
        inputs = {"FORMAT": "github", "SINCE": "main", "PG_VERSION": "17", "SNAPSHOT": "", "SARIF": "a b.sarif",
                  "ARGUMENTS": "--strict\n", "PATHS": "db/one\ndb/two words", "COMMENT": "false"}
        done = subprocess.run([HERE / "check.sh"], env={**self.environment, **inputs}, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        results = self.at / "pgassay-results"
        self.assertEqual((self.at / "arguments").read_text().splitlines(), [
            "check", "--format", "github", "--since", "main", "--pg-version", "17", "--output", "sarif=a b.sarif",
            "--output", f"markdown={results}/comment.md", "--output", f"json={results}/report.json",
            "--strict", "--", "db/one", "db/two words"])
        self.assertEqual((self.at / "output").read_text(), "exit-code=1\n")
        self.assertEqual((self.at / "summary").read_text(), "# report\n")

    def git(self, *arguments, cwd):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments], cwd=cwd, check=True, capture_output=True)

    def pull_request(self):
        """A bare remote with two commits, and a shallow and a full checkout of it."""
        remote, work = self.at / "remote.git", self.at / "work"
        self.git("init", "-q", "--bare", "-b", "main", str(remote), cwd=self.at)
        self.git("clone", "-q", str(remote), str(work), cwd=self.at)
        for name in ["one", "two"]:
            (work / f"{name}.sql").write_text("SELECT 1;")
            self.git("add", ".", cwd=work)
            self.git("commit", "-qm", name, cwd=work)
        self.git("push", "-q", "origin", "HEAD:main", cwd=work)
        shallow, full = self.at / "shallow", self.at / "full"
        self.git("clone", "-q", "--depth", "1", f"file://{remote}", str(shallow), cwd=self.at)
        self.git("clone", "-q", f"file://{remote}", str(full), cwd=self.at)
        return remote, shallow, full

    def check(self, checkout):
        executable(self.at / "bin/pgassay", '#!/bin/sh\nprintf "%s\\n" "$@" > "$RUNNER_TEMP/arguments"\ngit merge-base HEAD origin/main\n')
        inputs = dict.fromkeys(["SINCE", "PG_VERSION", "SNAPSHOT", "SARIF", "ARGUMENTS", "PATHS"], "")
        environment = {**self.environment, **inputs, "FORMAT": "text", "GITHUB_BASE_REF": "main"}
        return subprocess.run([HERE / "check.sh"], env=environment, cwd=checkout, capture_output=True, text=True, check=False)

    def test_a_pull_request_is_compared_with_its_base_even_in_a_shallow_checkout(self):
        _, shallow, _ = self.pull_request()
        done = self.check(shallow)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--since\norigin/main\n", (self.at / "arguments").read_text())
        self.assertFalse((shallow / ".git/shallow").exists())

    def test_a_full_checkout_is_not_asked_for_more(self):
        remote, shallow, full = self.pull_request()
        # As after persist-credentials: false, for a private repository.
        remote.rename(self.at / "gone")
        self.assertEqual(self.check(full).returncode, 0)
        done = self.check(shallow)
        self.assertEqual(done.returncode, 2)
        self.assertIn("::error::origin/main could not be fetched: check out with fetch-depth: 0", done.stderr)

    def release(self, checksum=None):
        folder = self.at / "releases/o/r/releases/download/v9.9.9"
        folder.mkdir(parents=True)
        (self.at / "built").mkdir()
        executable(self.at / "built/pgassay", "#!/bin/sh\necho pgassay 9.9.9\n")
        target = platform.machine()
        archive = folder / f"pgassay-{target}-unknown-linux-musl.tar.gz"
        subprocess.run(["tar", "-czf", archive, "-C", self.at / "built", "pgassay"], check=True)
        found = subprocess.run(["sha256sum", archive], capture_output=True, text=True, check=True).stdout
        archive.with_name(archive.name + ".sha256").write_text(checksum or found)
        return {**self.environment, "VERSION": "9.9.9", "REPOSITORY": "o/r", "SERVER": f"file://{self.at}/releases"}

    @unittest.skipUnless(sys.platform == "linux", "the stub's release is Linux's")
    def test_the_release_is_downloaded_and_its_checksum_held(self):
        done = subprocess.run([HERE / "install.sh"], env=self.release(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("from the release", done.stdout)
        self.assertEqual((self.at / "path").read_text(), f"{self.at}/pgassay/bin\n")
        run = subprocess.run([self.at / "pgassay/bin/pgassay"], capture_output=True, text=True, check=True)
        self.assertEqual(run.stdout, "pgassay 9.9.9\n")

    @unittest.skipUnless(sys.platform == "linux", "the stub's release is Linux's")
    def test_a_wrong_checksum_stops_the_job(self):
        done = subprocess.run([HERE / "install.sh"], env=self.release("0" * 64 + "  x\n"), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("checksum", done.stderr)

    @unittest.skipUnless(sys.platform == "linux", "the stub's release is Linux's")
    def test_without_a_release_it_is_built_from_source(self):
        executable(self.at / "bin/cargo", '#!/bin/sh\necho "cargo $*"\n')
        environment = {**self.environment, "VERSION": "9.9.8", "REPOSITORY": "o/r", "SERVER": f"file://{self.at}/none"}
        done = subprocess.run([HERE / "install.sh"], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"cargo install --locked --root {self.at}/pgassay --path {ROOT}", done.stdout)


if __name__ == "__main__":
    unittest.main()
