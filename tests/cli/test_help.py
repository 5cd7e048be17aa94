"""Every --help: it is complete, and every example in it runs."""

import os
import re
import subprocess
import unittest

from support import KVB, USAGE, KvbTest

COMMANDS = ["init", "put", "get", "del", "exists", "incr", "expire", "scan", "count", "watch", "stats", "verify", "compact", "train", "backup", "export",
            "import", "top", "shell", "bench", "completions", "repair"]


class Help(KvbTest):
    def help(self, *command):
        return self.ok(*command, "--help").decode()

    def test_every_command_is_listed(self):
        listed = re.findall(r"(?m)^  (\w+)  +\S", self.help().partition("Commands:")[2].partition("\n\n")[0])
        self.assertEqual(listed, COMMANDS)

    def test_the_ways_to_ask(self):
        self.assertEqual(self.ok("help"), self.ok("--help"))
        self.assertEqual(self.ok("-h"), self.ok("--help"))
        for command in COMMANDS:
            self.assertEqual(self.ok("help", command), self.ok(command, "--help"))
            self.assertEqual(self.ok(command, "-h"), self.ok(command, "--help"))
            self.assertIn("Examples:\n", self.help(command))
            self.assertIn(f"Usage: kvb {command} ", self.help(command))

    def test_lines_fit(self):
        for command in [[]] + [[command] for command in COMMANDS]:
            for line in self.help(*command).splitlines():
                self.assertLessEqual(len(line), 120, line)

    def test_a_word_that_is_nearly_right_is_answered_with_the_right_one(self):
        self.ok("init", self.bucket)
        for words, meant in ((("putt", self.bucket), "put"), (("monitor", self.bucket), "top"), (("put", self.bucket, "k", "v", "--tll", "3"), "--ttl"),
                             (("scan", self.bucket, "--pref", "x"), "--prefix"), (("stats", self.bucket, "--frmat"), "--format")):
            self.fails(USAGE, *words, says=f"Did you mean {meant}\\?")
        for words in (("frobnicate",), ("put", self.bucket, "k", "v", "--frobnicate"), ("-x",)):
            self.assertNotIn("Did you mean", self.fails(USAGE, *words))

    def test_every_example_runs(self):
        environment = {**os.environ, "PATH": os.path.dirname(os.path.abspath(KVB)) + ":" + os.environ["PATH"]}

        def run(line):
            completed = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=self.folder, env=environment, capture_output=True,
                                       timeout=60, stdin=subprocess.DEVNULL)
            self.assertEqual((completed.returncode, completed.stderr), (0, b""), f"{line}: {completed}")

        self.write_file("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
        run_count = 0
        # `del` comes last, so that the others find what `put` has put.
        for command in [None, *[command for command in COMMANDS if command != "del"], "del"]:
            examples = self.help(*([command] if command else [])).partition("Examples:\n")[2]
            lines = re.findall(r"(?m)^  (.*kvb .*)$", examples)
            self.assertTrue(lines, command)
            for line in lines:
                run(line)
                run_count += 1
        self.assertGreater(run_count, 25)


if __name__ == "__main__":
    unittest.main()
