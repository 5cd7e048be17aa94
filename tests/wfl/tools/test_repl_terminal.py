"""The interactive mode in a real terminal: tmux types keys and reads the screen."""

import os
import shutil
import subprocess
import sys
import time
import unittest

from support import WFL, ToolTest

TMUX = shutil.which("tmux")


class Terminal(ToolTest):
    def setUp(self):
        super().setUp()
        self.socket = str(self.folder / "socket")
        self.environment["TERM"] = "xterm"
        self.start()
        self.addCleanup(lambda: self.tmux("kill-server", check=False))

    def start(self):
        shell = f"cd '{self.folder}'; " + " ".join(f"{k}='{v}'" for k, v in self.environment.items())
        self.tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40",
                  f"{shell} '{WFL}'; echo \"code $?\"; exec sleep 100")
        self.wait_for("wfl> ")

    def tmux(self, *arguments, check=True):
        done = subprocess.run([TMUX, "-S", self.socket, *arguments], capture_output=True, env={**os.environ, "LANG": "C.UTF-8"},
                              timeout=30)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def screen(self):
        return self.tmux("capture-pane", "-p").rstrip("\n")

    def type(self, *keys):
        for key in keys:
            self.tmux("send-keys", "-l", key)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def wait_for(self, text, seconds=20):
        """Waits until the screen ends with the text (blanks at line ends do not count)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            screen = self.screen()
            if screen.rstrip().endswith(text.rstrip()):
                return screen
            time.sleep(0.05)
        self.fail(f"waited for {text!r}; the screen is\n{self.screen()}")

    def line(self, text, then):
        self.type(text)
        self.press("Enter")
        return self.wait_for(then)

    def test_a_session(self):
        self.assertIn("WFL REPL - Type .help for commands or .exit to quit", self.screen())
        self.line("store x as 41", "wfl> store x as 41\nwfl> ")
        self.line("x plus 1", "wfl> x plus 1\n42\nwfl> ")
        self.line("count from 1 to 2:", "... ")
        self.line("display count", "... display count\n... ")
        self.line("end count", "1\n2\nwfl> ")
        self.line("display 1 divided by 0", "wfl> ")
        self.assertIn("Division by zero", self.screen())
        self.line("display \"naïve 日本\"", "\nnaïve 日本\nwfl> ")
        self.line(".exit", "code 0")

    def test_the_end_of_the_input_is_confirmed(self):
        self.press("C-d")
        self.wait_for("CTRL-D\ncode 0")

    def test_ctrl_c_drops_the_line_and_the_block(self):
        self.type("display \"never")
        self.press("C-c")
        self.wait_for("wfl> ")
        self.line("repeat forever:", "... ")
        self.line("display \"never\"", "... ")
        self.press("C-c")
        self.wait_for("wfl> ")
        self.line("1 plus 1", "\n2\nwfl> ")
        self.assertNotIn("\nnever", self.screen())

    def test_ctrl_c_stops_a_statement_that_runs(self):
        self.line("store x as 1", "wfl> ")
        self.line("repeat forever: change x to 2 end repeat", "end repeat")
        time.sleep(1)
        self.press("C-c")
        self.wait_for("wfl> ")
        self.line("x plus 1", "\n3\nwfl> ")
        self.line("wait for 50 seconds", "wait for 50 seconds")
        time.sleep(1)
        self.press("C-c")
        self.wait_for("wfl> ")
        self.line("x", "\n2\nwfl> ")

    def test_lines_come_back_and_are_remembered_by_the_next_session(self):
        self.line("1 plus 1", "\n2\nwfl> ")
        self.press("Up")
        self.wait_for("wfl> 1 plus 1")
        self.type("0")
        self.press("Enter")
        self.wait_for("\n11\nwfl> ")
        self.line(".exit", "code 0")
        history = self.folder / "home" / ".local" / "state" / "wfl" / "history"
        self.assertTrue(history.is_file())
        self.assertEqual(history.stat().st_mode & 0o077, 0)
        self.tmux("kill-server")
        self.socket += "-2"
        self.start()
        self.press("Up", "Up")
        self.wait_for("wfl> 1 plus 10")

    def test_tab_completes_names_built_ins_and_statement_forms(self):
        self.line("store customer address as \"here\"", "wfl> ")
        self.type("display custo")
        self.press("Tab")
        self.wait_for("wfl> display customer address")
        self.press("Enter")
        self.wait_for("\nhere\nwfl> ")
        self.type("display toupp")
        self.press("Tab")
        self.wait_for("wfl> display touppercase")
        self.press("C-c")
        self.wait_for("wfl> ")
        self.type("open keys")
        self.press("Tab")
        self.wait_for("wfl> open keystore at")
        self.press("C-c")
        self.wait_for("wfl> ")
        for begun, whole in (("take sn", "take snapshot of"), ("remove keys s", "remove keys starting with"), ("get ti", "get time left from"),
                             ("create cont", "create container"), ("otherwise ch", "otherwise check if")):
            self.type(begun)
            self.press("Tab")
            self.wait_for("wfl> " + whole)
            self.press("C-c")
            self.wait_for("wfl> ")
        self.type("display custo")
        self.press("C-c")
        self.wait_for("wfl> ")
        self.line("store customer age as 5", "wfl> ")
        self.type("customer ")
        self.press("Tab", "Tab")
        self.wait_for("wfl> customer a")
        self.assertIn("customer age", self.screen())

    def test_the_screen_is_cleared(self):
        self.line("1 plus 1", "\n2\nwfl> ")
        self.line(".clear", "wfl> ")
        self.assertNotIn("plus", self.wait_for("wfl> "))


class HistoryThatCannotBeKept(Terminal):
    """Everything again where the history file can't be written."""

    def start(self):
        (self.folder / "home").write_text("no directory")
        super().start()

    test_lines_come_back_and_are_remembered_by_the_next_session = None
    test_tab_completes_names_built_ins_and_statement_forms = None
    test_ctrl_c_stops_a_statement_that_runs = None
    test_ctrl_c_drops_the_line_and_the_block = None


if __name__ == "__main__":
    if TMUX is None:
        print("SKIPPED: tmux is not installed, so the interactive mode was NOT tested in a terminal", file=sys.stderr)
        sys.exit(0)
    unittest.main()
