"""The completions that `kvb completions` writes, run by bash itself; zsh and fish check theirs if they are there. And the manual."""

import os
import re
import shutil
import subprocess
import unittest

from support import KVB, USAGE, KvbTest
from test_help import COMMANDS

PROBE = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
compopt() { :; }
_kvb
printf '%s\n' "${COMPREPLY[@]}"
"""


class Bash(KvbTest):
    def setUp(self):
        super().setUp()
        with open(self.path("kvb.bash"), "wb") as file:
            file.write(self.ok("completions", "bash"))

    def complete(self, line):
        environment = {**os.environ, "PATH": os.path.dirname(os.path.abspath(KVB)) + ":" + os.environ["PATH"], "COMP_WORDBREAKS": " \t\n:="}
        done = subprocess.run(["bash", "-u", "-c", PROBE, "probe", "kvb.bash", line], cwd=self.folder, env=environment, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stderr), (0, ""), line)
        return [word for word in done.stdout.splitlines() if word]

    def test_it_is_bash(self):
        subprocess.run(["bash", "-n", "kvb.bash"], cwd=self.folder, check=True)

    def test_commands(self):
        self.assertEqual(set(COMMANDS) - set(self.complete("kvb ")), set())
        self.assertEqual(sorted(self.complete("kvb co")), ["compact", "completions", "count"])
        self.assertEqual(self.complete("kvb help sc"), ["scan"])
        self.assertEqual(self.complete("kvb nonsense "), [])

    def test_every_option_of_every_command(self):
        for command in COMMANDS:
            said = set(re.findall(r"(?m)^  (?:-h,)?(--[a-z-]+)", self.ok(command, "--help").decode()))
            self.assertEqual(set(self.complete(f"kvb {command} --")), said, command)

    def test_values_of_options(self):
        self.assertEqual(self.complete("kvb stats b.kvb --format "), ["table", "json", "prometheus"])
        self.assertEqual(self.complete("kvb put b.kvb k v --durability re"), ["relaxed"])
        self.assertEqual(self.complete("kvb put b.kvb k v --ttl "), [])
        self.assertEqual(self.complete("kvb completions z"), ["zsh"])

    def test_files(self):
        self.ok("init", "first.kvb")
        self.ok("init", "second one.kvb")
        self.assertEqual(self.complete("kvb get fi"), ["first.kvb"])
        self.assertIn("second one.kvb", self.complete("kvb backup first.kvb "))

    def test_keys(self):
        self.init(**{"user:1": "a", "user:2": "b", "it's": "c", "zebra": "d"})
        self.assertEqual(self.complete("kvb get b.kvb ze"), ["zebra"])
        self.assertEqual(self.complete("kvb get b.kvb it"), ["it\\'s"])
        # bash replaces only what stands behind the last colon.
        self.assertEqual(self.complete("kvb get b.kvb user:"), ["1", "2"])
        self.assertEqual(self.complete("kvb get --format json b.kvb zebra us"), ["user:1", "user:2"])
        self.assertEqual(self.complete("kvb put b.kvb zebra "), [], "A value is anything.")
        self.assertEqual(self.complete("kvb get nowhere.kvb z"), [])


class OtherShells(KvbTest):
    def check(self, shell, *arguments):
        if not shutil.which(shell):
            self.skipTest(f"{shell} is not installed")
        script = self.path("script")
        with open(script, "wb") as file:
            file.write(self.ok("completions", shell))
        done = subprocess.run([shell, *arguments, script], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return script

    def test_zsh(self):
        self.check("zsh", "-n")

    def test_fish(self):
        script = self.check("fish", "-n")
        self.ok("init", "b.kvb")
        done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C 'kvb sca'; complete -C 'kvb stats b.kvb --format '"],
                              capture_output=True, text=True, timeout=60, cwd=self.folder, env={**os.environ, "HOME": self.folder})
        self.assertRegex(done.stdout, r"(?m)^scan\tList keys")
        self.assertIn("prometheus", done.stdout)

    def test_every_command_is_in_both(self):
        for shell in ("zsh", "fish"):
            text = self.ok("completions", shell).decode()
            for command in COMMANDS:
                self.assertIn(command, text)

    def test_unknown(self):
        self.fails(USAGE, "completions", "tcsh", says="bash, zsh or fish")


class Manual(KvbTest):
    def test_every_command_and_option_is_in_it(self):
        manual = self.ok("manual").decode()
        for command in COMMANDS:
            section = manual.partition(f'.SS "kvb {command}"\n')[2].partition("\n.S")[0]
            self.assertTrue(section, command)
            help_text = self.ok(command, "--help").decode()
            for option in re.findall(r"(?m)^  (--[a-z-]+)", help_text):
                self.assertIn("\\fB" + option.replace("-", "\\-") + "\\fR", section, command)
            for example in re.findall(r"(?m)^  (kvb .*)$", help_text.partition("Examples:")[2]):
                self.assertIn(example.split(" ")[1], section)

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_it_is_rendered_without_a_warning(self):
        with open(self.path("kvb.1"), "wb") as file:
            file.write(self.ok("manual"))
        done = subprocess.run(["man", "--warnings", "-l", "kvb.1"], cwd=self.folder, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        plain = re.sub(r".\x08", "", done.stdout)
        self.assertIn("kvb put app.kvb greeting \"Hello, world\"", plain)
        self.assertIn("kvb put new.kvb first 1 --create", plain)
        self.assertIn("NO_COLOR", plain)


if __name__ == "__main__":
    unittest.main()
