"""Pipes, terminals, closed and full streams, colours."""

import os
import pty
import subprocess
import unittest

from support import ERROR, KVB, NOT_FOUND, KvbTest


class Streams(KvbTest):
    def shell(self, script):
        environment = {**os.environ, "PATH": os.path.dirname(os.path.abspath(KVB)) + ":" + os.environ["PATH"]}
        return subprocess.run(["bash", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=60, env=environment)

    def on_a_terminal(self, *arguments, environment=None, stream="stdout"):
        """Runs kvb with one stream on a pseudo-terminal; returns the exit code and what the terminal shows."""
        master, slave = pty.openpty()
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: slave}
        variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        process = subprocess.Popen([KVB, *arguments], cwd=self.folder, env={**variables, "TERM": "xterm", **(environment or {})}, **streams)
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # How Linux says that the other end is closed.
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        return process.wait(timeout=60), shown.replace(b"\r\n", b"\n")

    def fill(self, count=3000):
        self.init()
        # One large value makes `scan` write more than any pipe holds.
        self.ok("put", self.bucket, "a", "-", input=b"x" * count * 1000)
        self.ok("put", self.bucket, "b", "2")

    def test_a_reader_that_leaves(self):
        self.fill()
        for command in ("scan b.kvb", "get b.kvb a", "scan b.kvb --format json"):
            completed = self.shell(f"set -o pipefail; kvb {command} | head -c 10")
            self.assertEqual((completed.returncode, completed.stderr, len(completed.stdout)), (0, "", 10), command)

    def test_a_pipe_from_get_to_put(self):
        self.fill()
        completed = self.shell("kvb get b.kvb a | kvb put b.kvb copy - && kvb get b.kvb copy | cmp - <(kvb get b.kvb a)")
        self.assertEqual((completed.returncode, completed.stderr), (0, ""), completed)

    def test_a_full_disk_behind_standard_output(self):
        self.fill()
        for command in ("scan b.kvb", "get b.kvb b", "stats b.kvb", "--help", "--version", "count b.kvb"):
            completed = self.shell(f"kvb {command} >/dev/full")
            self.assertEqual(completed.returncode, ERROR, (command, completed))
            self.assertRegex(completed.stderr, r"\Akvb: [^\n]*standard output[^\n]*\n\Z")

    def test_closed_streams_never_reach_the_bucket(self):
        self.init(a="1")
        before = self.ok("scan", self.bucket)
        completed = self.shell("kvb get b.kvb a >&-")
        self.assertEqual(completed.returncode, ERROR)
        self.assertRegex(completed.stderr, "standard output")
        self.assertEqual(self.shell("kvb scan b.kvb >&- 2>&-").returncode, ERROR)
        self.assertEqual(self.shell("kvb get b.kvb missing 2>&- <&-").returncode, NOT_FOUND)
        self.assertEqual(self.shell("kvb put b.kvb k - <&-").returncode, ERROR)
        completed = self.shell("kvb put b.kvb k v <&- >&- 2>&-")
        self.assertEqual(completed.returncode, 0)
        self.ok("del", self.bucket, "k")
        self.assertEqual(self.ok("scan", self.bucket), before)
        self.ok("verify", self.bucket)

    def test_a_terminal_gets_a_newline_and_a_pipe_does_not(self):
        self.init(a="one", b="two\n")
        self.assertEqual(self.on_a_terminal("get", self.bucket, "a"), (0, b"one\n"))
        self.assertEqual(self.on_a_terminal("get", self.bucket, "b"), (0, b"two\n"))
        self.assertEqual(self.on_a_terminal("get", self.bucket, "missing"), (NOT_FOUND, b""))
        self.assertEqual(self.ok("get", self.bucket, "a"), b"one")

    def test_exists_speaks_to_people(self):
        self.init(a="1")
        self.assertEqual(self.on_a_terminal("exists", self.bucket, "a"), (0, b"yes\n"))
        self.assertEqual(self.on_a_terminal("exists", self.bucket, "b"), (NOT_FOUND, b"no\n"))

    def test_colours(self):
        self.init(a="1")
        for arguments, stream in ((["stats", self.bucket], "stdout"), (["verify", self.bucket], "stdout"), (["get", "no.kvb", "k"], "stderr")):
            self.assertIn(b"\x1b[", self.on_a_terminal(*arguments, stream=stream)[1], arguments)
            for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
                self.assertNotIn(b"\x1b[", self.on_a_terminal(*arguments, stream=stream, environment=variable)[1], arguments)
            self.assertIn(b"\x1b[", self.on_a_terminal(*arguments, stream=stream, environment={"NO_COLOR": ""})[1], arguments)
        for arguments in (["stats", self.bucket], ["verify", self.bucket], ["stats", self.bucket, "--format", "json"]):
            self.assertNotIn(b"\x1b", self.ok(*arguments, environment={"TERM": "xterm"}))
        self.assertNotIn(b"\x1b", self.on_a_terminal("stats", self.bucket, "--format", "json")[1])

    def test_endless_input_is_refused(self):
        self.init()
        completed = self.shell("kvb put b.kvb - v </dev/zero")
        self.assertEqual((completed.returncode, completed.stdout), (2, ""))
        self.assertIn("65,535", completed.stderr)

    def test_messages_are_one_safe_line(self):
        self.init()
        error = self.fails(NOT_FOUND, "get", self.bucket, "a\nb\x1b[31m")
        self.assertNotIn("\x1b", error)
        self.fails(ERROR, "get", "no\nsuch\x1bfile.kvb", "k")
        self.fails_json(ERROR, "get", b"\xff.kvb", "k", "--format", "json")
        self.assertLess(len(self.fails(NOT_FOUND, "get", self.bucket, "k" * 5000)), 300)


if __name__ == "__main__":
    unittest.main()
