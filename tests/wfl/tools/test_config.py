"""--init, --configCheck, --configFix and --dump-env."""

import os
import pty
import re
import unittest

from support import WFL, ToolTest


class ConfigCare(ToolTest):
    def test_a_new_config_holds_every_default_and_is_fine(self):
        before = self.wfl("--dump-env", code=0).out.split("Settings in force:\n")[1]
        self.wfl("--init", code=0)
        result = self.wfl("--configCheck", code=0)
        self.assertIn("No configuration issues found.", result.out)
        self.assertIn(".wflcfg", result.out)
        self.assertEqual(result.err, "")
        self.assertEqual(self.wfl("--dump-env", code=0).out.split("Settings in force:\n")[1], before)
        for line in before.splitlines():
            self.assertIn("\n" + line.strip() + "\n", self.read(".wflcfg") + "\n")

    def wizard(self, *answers):
        """Runs --init on a terminal and types the answers; gives what was shown, and the exit code."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(WFL, [WFL, "--init"], self.environment)
        shown = b""
        answers = list(answers)
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
            if re.search(rb"\] $", shown) and answers:
                os.write(terminal, answers.pop(0).encode())
                shown += b"\n"
        os.close(terminal)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_on_a_terminal_it_asks(self):
        shown, code = self.wizard("500\n", "10\n", "true\n", "allowlist_only\n", "ls, cat\n", "\n", "\n", "2\n")
        self.assertEqual(code, 0, shown)
        self.assertIn("timeout_seconds takes a number from 1 to 300, but is '500'", shown)
        self.assertIn("5 are not the default", shown)
        written = self.read(".wflcfg")
        for line in ("timeout_seconds = 10", "allow_shell_execution = true", "shell_execution_mode = allowlist_only",
                     "allowed_shell_commands = ls, cat", "indent_size = 2", "debug_report_enabled = true"):
            self.assertIn("\n" + line + "\n", written)
        self.assertEqual(self.wfl("--configCheck", code=0).err, "")

    def test_on_a_terminal_enter_keeps_every_default_and_ctrl_d_writes_nothing(self):
        shown, code = self.wizard("\n", "\x04")
        self.assertEqual(code, 1, shown)
        self.assertFalse((self.folder / ".wflcfg").exists())
        shown, code = self.wizard(*["\n"] * 5)
        self.assertEqual(code, 0, shown)
        self.assertIn("every setting and its default", shown)

    def test_a_config_that_is_there_stays(self):
        self.write(".wflcfg", "timeout_seconds = 5\n")
        self.assertIn("is there already", self.wfl("--init", code=1).err)
        self.assertEqual(self.read(".wflcfg"), "timeout_seconds = 5\n")

    def test_directories(self):
        self.write("down/x", "")
        self.wfl("--init", "down", code=0)
        self.assertTrue((self.folder / "down" / ".wflcfg").is_file())
        for flag in ("--init", "--configCheck", "--configFix"):
            self.assertIn("not a directory", self.wfl(flag, "nowhere", code=2).err)
        self.assertIn("could not be read", self.wfl("--configFix", code=2).err)

    def test_issues_are_found_and_mended(self):
        self.write(".wflcfg", "# mine\ntimeout_secnds = 5\nmax_call_depth = many\nkill_on_shutdown = TRUE\nnonsense\r\nindent_size = 2")
        result = self.wfl("--configCheck", code=1)
        self.assertEqual(result.err.count("warning:"), 4)
        self.assertIn("4 configuration issues found", result.out)
        self.assertIn("Mended 4 lines", self.wfl("--configFix", code=0).out)
        self.assertEqual(self.read(".wflcfg").replace("\r", ""),
                         "# mine\ntimeout_seconds = 5\n# not understood: max_call_depth = many\nkill_on_shutdown = true\n"
                         "# not understood: nonsense\nindent_size = 2")
        self.wfl("--configCheck", code=0)
        self.assertIn("No configuration issues found.", self.wfl("--configFix", code=0).out)

    def test_the_settings_above_are_found(self):
        self.write(".wflcfg", "max_line_length = 7\n")
        self.write("down/below/x", "")
        self.assertIn(".wflcfg", self.wfl("--configCheck", "down/below", code=0).out)
        self.assertIn("max_line_length = 7", self.wfl("--dump-env", code=0).out)

    def test_the_report_of_the_environment(self):
        self.environment["SECRET_TOKEN"] = "do not show this"
        out = self.wfl("--dump-env", code=0).out
        self.assertIn("WebFirst Language (WFL) version", out)
        self.assertIn("LANG = C.UTF-8", out)
        self.assertIn(os.path.realpath(self.folder), out)
        self.assertNotIn("do not show this", out)
        result = self.wfl("--dump-env", "--output", "report.txt", code=0)
        self.assertIn("report.txt", result.out)
        self.assertEqual(self.read("report.txt"), out)
        self.wfl("--dump-env", "--output", "no/such/folder/report.txt", code=1)
        self.wfl("--dump-env", "--output", code=2)
        self.wfl("--dump-env", "stray", code=2)


if __name__ == "__main__":
    unittest.main()
