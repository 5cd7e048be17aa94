"""What the tests of the `kvb` command share: running it, in a folder of its own, and looking at what came out."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

KVB = os.environ.get("KVB", "")
OK, NOT_FOUND, USAGE, ERROR = 0, 1, 2, 3


class Outcome:
    """Exit code and both streams, as bytes and as text."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr.decode("utf-8", "replace")

    @property
    def text(self):
        return self.out.decode("utf-8")

    def __repr__(self):
        return f"exit {self.code}, stdout {self.out[:200]!r}, stderr {self.err[:400]!r}"


class KvbTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if not KVB:
            self.fail("set the environment variable KVB to the kvb command that is to be tested")
        self.folder = tempfile.mkdtemp(prefix="kvb-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.bucket = "b.kvb"

    def path(self, name):
        return os.path.join(self.folder, name)

    def write_file(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return name

    def kvb(self, *arguments, input=b"", environment=None, **options):
        """Runs kvb with these arguments (text or bytes) in the test's folder."""
        completed = subprocess.run(
            [KVB, *arguments],
            input=input,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            timeout=120,
            **options,
        )
        return Outcome(completed)

    def ok(self, *arguments, **options):
        """Runs kvb, which must succeed and say nothing on stderr. Returns stdout as bytes."""
        outcome = self.kvb(*arguments, **options)
        self.assertEqual((outcome.code, outcome.err), (OK, ""), f"kvb {arguments}: {outcome}")
        return outcome.out

    def fails(self, code, *arguments, says=None, **options):
        """Runs kvb, which must end with this code, print nothing, and explain itself in one line on stderr."""
        outcome = self.kvb(*arguments, **options)
        self.assertEqual(outcome.code, code, f"kvb {arguments}: {outcome}")
        self.assertEqual(outcome.out, b"", f"kvb {arguments}: {outcome}")
        self.assertRegex(outcome.err, r"\Akvb: [^\n]+\n\Z", f"kvb {arguments}: {outcome}")
        if says is not None:
            self.assertRegex(outcome.err, says)
        return outcome.err

    def fails_json(self, code, *arguments, **options):
        """The same with --format json among the arguments: one JSON object on stderr. Returns what is in it."""
        outcome = self.kvb(*arguments, **options)
        self.assertEqual((outcome.code, outcome.out), (code, b""), f"kvb {arguments}: {outcome}")
        self.assertEqual(outcome.err.count("\n"), 1, outcome)
        error = json.loads(outcome.err)["error"]
        self.assertEqual(error["exit_code"], code)
        self.assertGreater(len(error["message"]), 8)
        return error

    def init(self, **entries):
        """Makes the test's bucket and puts these text entries."""
        self.ok("init", self.bucket)
        for key, value in entries.items():
            self.ok("put", self.bucket, key, value)

    def json_lines(self, *arguments):
        return [json.loads(line) for line in self.ok(*arguments).splitlines()]


def unprivileged():
    """Keyword arguments for kvb() that take root's right to ignore permissions away, and nothing if we aren't root."""
    return {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
