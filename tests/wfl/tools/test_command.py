"""The command line: what can't be combined, stepping, the editor, and how long a run took."""

import os
import pty
import select
import signal
import subprocess
import time
import unittest

from support import WFL, ToolTest


class CommandLine(ToolTest):
    def test_exclusive_flags(self):
        self.write("a.wfl", 'display "ran"\n')
        for flags in (("--lint", "--analyze"), ("--test", "--step"), ("--fix", "--analyze"), ("--configCheck", "--configFix"),
                      ("--init", "--lint"), ("--lex", "--parse"), ("--lint", "--time"), ("--fix", "--in-place", "--diff"),
                      ("--in-place",), ("--diff", "--lint"), ("--transpile",), ("--dump-env", "--test"), ("--edit", "--test")):
            with self.subTest(flags):
                result = self.wfl(*flags, "a.wfl", code=2)
                self.assertTrue(result.err.startswith("Error: "), result.err)
                self.assertEqual(result.out, "")

    def test_flags_without_a_file(self):
        for flag in ("--lint", "--analyze", "--test", "--step", "--edit", "--lex", "--parse", "--time", "--fix"):
            self.assertIn("needs a file", self.wfl(flag, code=2).err)

    def test_one_file_only(self):
        self.write("a.wfl", "display 1\n")
        self.wfl("--lint", "a.wfl", "b.wfl", code=2)
        self.wfl("--analyze", "a.wfl", "b.wfl", code=2)

    def test_everything_behind_a_program_is_its_own(self):
        self.write("a.wfl", "display args\n")
        self.assertEqual(self.wfl("a.wfl", "--lint", "--fix", code=0).out, "[--lint, --fix]\n")

    def test_an_unknown_flag_is_a_file_name(self):
        self.assertIn("--nonsense", self.wfl("--nonsense", code=1).err)

    def test_time(self):
        self.write("a.wfl", "display 1\n")
        self.assertRegex(self.wfl("--time", "a.wfl", code=0).out, r"^1\n\nExecution time: [0-9.]+(s|ms|µs)\n$")

    def test_analyze(self):
        self.write("a.wfl", "display 1\n")
        self.assertEqual(self.wfl("--analyze", "a.wfl", code=0).out, "No static analysis warnings found.\n")
        self.write("a.wfl", "display x\n")
        self.assertEqual(self.wfl("--analyze", "a.wfl").code, 1)
        self.write("a.wfl", "display )\n")
        self.assertEqual(self.wfl("--analyze", "a.wfl").code, 2)
        self.write("a.wfl", 'display "a" times 2\n')
        result = self.wfl("--analyze", "a.wfl", code=1)
        self.assertEqual(result.out, "")

    def test_lex_and_parse_show_what_they_also_write_to_a_file(self):
        self.write("part/a.wfl", "display 1\n")
        for flag, ending, line in (("--lex", ".lex.txt", "display"), ("--parse", ".ast.txt", "display 1"), ("--ast", ".ast.txt", "display 1")):
            result = self.wfl(flag, "./part/a.wfl", code=0)
            self.assertIn(line, result.out)
            path = "target/reports/dumps/part_a.wfl" + ending
            self.assertEqual(self.read(path), result.out)
            self.assertEqual(result.err, "The same was written to " + path + "\n")
            (self.folder / path).unlink()
        self.write("bad.wfl", "display )\n")
        self.assertIn("WFL-P001", self.wfl("--parse", "bad.wfl", code=2).err)
        self.assertFalse((self.folder / "target/reports/dumps/bad.wfl.ast.txt").exists())
        # A text from standard input has no file beside which others would look, and a folder that can't be made stops nothing.
        self.assertEqual(self.wfl("--parse", "-", text="display 1\n", code=0).err, "")
        (self.folder / "target" / "reports" / "dumps").rmdir()
        (self.folder / "target" / "reports" / "dumps").write_text("")
        result = self.wfl("--parse", "part/a.wfl", code=0)
        self.assertIn("display 1", result.out)
        self.assertIn("could not be written", result.err)

    def test_step(self):
        self.write("a.wfl", 'define action called say:\n    call shout with "x"\nend action\n'
                            'define action called shout with later:\n    display later\nend action\ncall say\ndisplay "y"\n')
        result = self.wfl("--step", "a.wfl", text="y\n" * 5 + "n\n", code=0)
        self.assertEqual(result.out, "x\n")
        shown = ["1 │ define action called say:", "4 │ define action called shout with later:", "7 │ call say", '2 │     call shout with "x"',
                 "5 │     display later", '8 │ display "y"']
        self.assertEqual(result.err, "".join(line + "\ncontinue (y/n)? " for line in shown))
        self.assertEqual(self.wfl("--step", "a.wfl", text="y\nwhat\n" + "y\n" * 5, code=0).out, "x\ny\n")
        self.assertEqual(self.wfl("--step", "a.wfl", text="y\n" * 4, code=0).out, "")
        result = self.wfl("--step", "a.wfl", text="y\ny\ny\nall\n", code=0)
        self.assertEqual((result.out, result.err.count("continue")), ("x\ny\n", 4))

    def test_step_goes_into_blocks_and_files(self):
        self.write("part.wfl", 'display "in part"\ndefine action called double with n:\n    give back n times 2\nend action\n')
        self.write("a.wfl", 'include from "part.wfl"\ncount from 1 to 2:\n    check if count is 2:\n        display double of count\n    end check\n'
                            'end count\ntry:\n    display 1 divided by 0\nwhen error:\n    display "caught"\nfinally:\n    display "finally"\nend try\n')
        result = self.wfl("--step", "a.wfl", text="y\n" * 40, code=0)
        self.assertEqual(result.out, "in part\n4\ncaught\nfinally\n")
        lines = [line for line in result.err.replace("continue (y/n)? ", "").splitlines()]
        self.assertEqual([line.split(" │")[0].split("/")[-1] for line in lines],
                         ["1", "part.wfl:1", "part.wfl:2", "2", "3", "3", "4", "part.wfl:3", "7", "8", "10", "12"])
        # A no ends it at once: nothing can catch that, and no block that is left on the way out asks or runs.
        result = self.wfl("--step", "a.wfl", text="y\n" * 9 + "n\n", code=0)
        self.assertEqual(result.out, "in part\n4\n")

    def test_step_answers_take_no_time(self):
        self.write(".wflcfg", "timeout_seconds = 1\n")
        self.write("a.wfl", 'count from 1 to 3:\n    display count\nend count\n')
        process = subprocess.Popen([WFL, "--step", "a.wfl"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4):
            time.sleep(0.5)
            process.stdin.write(b"y\n")
            process.stdin.flush()
        out, _ = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (0, b"1\n2\n3\n"))

    def test_step_shows_an_error_where_it_is(self):
        self.write("a.wfl", "store a as 1\ndisplay a divided by 0\n")
        result = self.wfl("--step", "a.wfl", text="y\ny\n", code=1)
        self.assertIn("a.wfl:2:", result.err)

    def test_analyze_looks_into_included_files(self):
        self.write("a.wfl", 'include from "lib/part.wfl"\nstore base as 10\ndisplay double of base\ncall greet\n')
        self.write("lib/part.wfl", 'include from "more.wfl"\ndefine action called double with n:\n    give back n times factor plus base\n'
                                   '    display "never"\nend action\n')
        self.write("lib/more.wfl", 'store factor as 2\ndefine action called greet:\n    display nobody\n    store age as "20"\n'
                                   '    display age minus 1\nend action\n')
        result = self.wfl("--analyze", "a.wfl", code=1)
        places = [line.split("┌─ ")[1] for line in result.err.splitlines() if "┌─ " in line]
        self.assertEqual(places, ["lib/part.wfl:4:5", "lib/more.wfl:3:13"])
        self.assertIn("Unreachable code", result.err)
        self.assertIn("'nobody' is not defined", result.err)
        self.write("lib/more.wfl", 'store factor as 2\ndefine action called greet:\n    display "hello"\nend action\n')
        self.write("lib/part.wfl", 'include from "more.wfl"\ndefine action called double with n:\n    give back n times factor plus base\nend action\n')
        self.assertEqual(self.wfl("--analyze", "a.wfl", code=0).out, "No static analysis warnings found.\n")
        # What can't be read is told at its place too; then a name that is unknown may come from there.
        self.write("lib/more.wfl", "store factor is 2\n")
        result = self.wfl("--analyze", "a.wfl", code=1)
        self.assertIn("can't be understood", result.err)
        self.assertIn("lib/more.wfl:1:", result.err)
        self.assertNotIn("'factor' is not defined", result.err)

    def test_edit(self):
        self.write("my program.wfl", "display 1\n")
        self.environment["EDITOR"] = "sed -i s/1/2/"
        self.wfl("--edit", "my program.wfl", code=0)
        self.assertEqual(self.read("my program.wfl"), "display 2\n")
        self.environment["EDITOR"] = "false"
        self.assertIn("editor", self.wfl("--edit", "my program.wfl", code=1).err)
        self.environment["VISUAL"] = "true"
        self.wfl("--edit", "my program.wfl", code=0)

    def test_a_terminal_shows_every_line_at_once(self):
        # The program never ends: if its first line waited in a buffer, it would never come.
        self.write("a.wfl", 'display "first"\nrepeat forever:\nend repeat\n')
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.execve(WFL, [WFL, "a.wfl"], self.environment)
        try:
            seen = b""
            while b"first" not in seen and select.select([terminal], [], [], 30)[0]:
                seen += os.read(terminal, 1000)
            self.assertIn(b"first", seen)
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(terminal)

    def test_help_names_every_flag(self):
        out = self.wfl("--help", code=0).out
        for flag in ("--test", "--time", "--step", "--analyze", "--lint", "--fix", "--diff", "--in-place", "--lex", "--parse", "--ast",
                     "--edit", "--init", "--configCheck", "--configFix", "--dump-env", "--version", "explain"):
            self.assertIn(flag, out)


if __name__ == "__main__":
    unittest.main()
