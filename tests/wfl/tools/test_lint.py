"""--lint and --lint --fix: each rule, its setting, what is mended, and that mending never changes what a program does."""

import subprocess
import unittest

from support import ToolTest


def snippet(*lines):
    return "".join(line + "\n" for line in lines)


class Lint(ToolTest):
    def lint(self, text, *flags, code):
        self.write("program.wfl", text)
        return self.wfl("--lint", *flags, "program.wfl", code=code)

    def codes(self, text, code=1):
        result = self.lint(text, code=code)
        return [line.split("[")[1].split("]")[0] for line in result.err.splitlines() if line.startswith(("warning[", "error["))]

    def fixed(self, text, code=0):
        result = self.lint(text, "--fix", code=code)
        self.assertTrue(result.out.startswith("Fixed code:\n"), result.out)
        return result.out[len("Fixed code:\n"):]

    def run_text(self, text):
        self.write("run.wfl", text)
        return self.wfl("run.wfl").out

    CLEAN = snippet(
        "// Adds up.", "store total as 0", "for each item in [1, 2, 3]:", "    check if item is greater than 1:",
        "        add item to total", "    // What else there is.", "    otherwise:", "        display \"small\"", "    end check",
        "end for", "define action called double_it with n:", "    return n times 2", "end action", "try:",
        "    display double_it of total", "when error as problem:", "    display problem", "finally:", "    display \"done\"",
        "end try", "route total:", "    when 5:", "        display \"five\"", "    when 6: display \"six\"", "    otherwise:",
        "        display \"other\"", "end route", "repeat:", "    add 1 to total", "until total is greater than 9",
        "if total is 10 then", "    display \"ten\"", "end if", "create list fruits:", "    add \"apple\"", "end list")

    def test_a_clean_program_is_clean(self):
        result = self.lint(self.CLEAN, code=0)
        self.assertEqual(result.err, "")
        self.assertEqual(self.fixed(self.CLEAN), self.CLEAN)

    def test_keystore_statements_are_clean(self):
        text = snippet('create keystore at "a.kvb" as box', "batch operations on box:", '    store 1 in box with key "a"', "end batch",
                       'get value from box with key "a" as thing', "for each entry in box:", "    display key of entry", "end for",
                       "close box")
        self.assertEqual(self.lint(text, code=0).err, "")

    def test_names(self):
        self.assertEqual(self.codes("store userName as 1\n"), ["LINT-NAME"])
        self.assertEqual(self.codes("store user name as 1\n"), ["LINT-NAME"])
        self.assertEqual(self.codes("define action called DoIt:\n    display 1\nend action\n"), ["LINT-NAME"])
        self.assertEqual(self.codes("store user_name as 1\nchange user_name to 2\n", code=0), [])

    def test_a_name_is_reported_once_where_it_is_made(self):
        self.assertEqual(self.codes("store userName as 1\nchange userName to 2\nchange userName to 3\n"), ["LINT-NAME"])

    def test_names_are_mended_everywhere(self):
        text = snippet("store user name as \"Ann\"", "change user name to user name with \"!\"", "display user name",
                       "display \"user name\"", "define action called SayHello with Other:", "    display Other with user name",
                       "end action", "call SayHello with \"Hi \"")
        fixed = self.fixed(text)
        self.assertIn("store user_name as", fixed)
        self.assertIn('display "user name"', fixed)
        self.assertIn("call say_hello with", fixed)
        self.assertEqual(self.run_text(fixed), self.run_text(text))
        self.assertEqual(self.run_text(fixed), "Ann!\nuser name\nHi Ann!\n")

    def test_names_in_keystore_clauses_are_mended(self):
        text = snippet('create keystore at "n.kvb" as my box', 'store user id as "u1"', "store 7 in my box with key user id",
                       "get value from my box with key user id as my thing", "display my thing")
        fixed = self.fixed(text)
        self.assertIn("key user_id", fixed)
        self.assertIn("my_box", fixed)
        self.assertEqual(self.run_text(fixed), "7\n")

    def test_a_name_that_would_meet_another_stays(self):
        text = snippet("store user_name as 1", "store user name as 2", "display user_name", "display user name")
        self.assertEqual(self.fixed(text, code=1), text)

    def test_names_that_other_files_may_use_stay(self):
        self.write("part.wfl", "display \"x\"\n")
        text = snippet("store user name as 2", 'include from "part.wfl"')
        self.assertEqual(self.fixed(text, code=1), text)

    def test_indentation(self):
        text = snippet("count from 1 to 2:", "  display count", "\tdisplay count", "    end count", " display 3")
        self.assertEqual(self.codes(text), ["LINT-INDENT"] * 4)
        self.assertEqual(self.fixed(text), snippet("count from 1 to 2:", "    display count", "    display count", "end count",
                                                   "display 3"))

    def test_inside_of_texts_is_left_alone(self):
        text = snippet('display "one  ', "two   ", '  three"', "display  4")
        self.assertEqual(self.codes(text, code=0), [])
        self.assertEqual(self.fixed(text), text)

    def test_blanks_at_line_ends(self):
        self.assertEqual(self.codes("display 1  \n\ndisplay 2\t\n   \n"), ["LINT-WHITESPACE"] * 3)
        self.assertEqual(self.fixed("display 1  \n\ndisplay 2\t\n   \n"), "display 1\n\ndisplay 2\n\n")

    def test_line_ends_stay_as_they_are(self):
        self.assertEqual(self.wfl_bytes(b"display 1 \r\n  display 2\r\n"), b"Fixed code:\ndisplay 1\r\ndisplay 2\r\n")

    def wfl_bytes(self, program):
        from support import WFL
        (self.folder / "b.wfl").write_bytes(program)
        return subprocess.run([WFL, "--lint", "--fix", "b.wfl"], capture_output=True, cwd=self.folder, env=self.environment,
                              timeout=60).stdout

    def test_long_lines(self):
        self.assertEqual(self.codes(f'display "{"é" * 90}"\n', code=0), [])
        self.assertEqual(self.codes(f'display "{"é" * 91}"\n'), ["LINT-LENGTH"])

    def test_nesting(self):
        def nested(depth):
            opened = [" " * (4 * i) + "check if yes:" for i in range(depth)]
            closed = [" " * (4 * i) + "end check" for i in reversed(range(depth))]
            return snippet(*opened, " " * (4 * depth) + "display 1", *closed)
        self.assertEqual(self.codes(nested(5), code=0), [])
        self.assertEqual(self.codes(nested(7)), ["LINT-COMPLEX"])

    def test_case_of_words(self):
        self.assertEqual(self.codes("display YES\n"), ["LINT-KEYWORD"])
        self.assertEqual(self.fixed("store a as True\ndisplay NO\n"), "store a as true\ndisplay no\n")

    def test_case_of_words_that_keep_a_program_from_being_read(self):
        text = snippet("STORE total AS 5", "Check If total is 5:", "    Display total", "End Check")
        self.assertIn("LINT-KEYWORD", self.lint(text, code=1).err)
        result = self.lint("store total AS 5\n", code=2)
        self.assertIn("Parse errors:", result.err)
        self.assertIn("LINT-KEYWORD", result.err)
        self.assertEqual(self.fixed(text), snippet("store total as 5", "check if total is 5:", "    display total", "end check"))

    def test_what_can_not_be_read_is_left_alone(self):
        self.lint("display (\n", "--fix", "--in-place", code=2)
        self.assertEqual(self.read("program.wfl"), "display (\n")

    def test_settings(self):
        self.write(".wflcfg", "max_line_length = 12\nmax_nesting_depth = 1\nindent_size = 2\nsnake_case_variables = false\n"
                              "trailing_whitespace = true\nconsistent_keyword_case = false\n")
        text = snippet("store aB as 1 ", "check if YES:", "  check if no:", "    display 1", "  end check", "end check")
        codes = self.codes(text)
        self.assertEqual(set(codes), {"LINT-LENGTH", "LINT-COMPLEX"})
        self.assertEqual(codes.count("LINT-COMPLEX"), 1)

    def test_in_place(self):
        path = self.write("program.wfl", "display 1 \n  display 2\n")
        path.chmod(0o640)
        result = self.wfl("--lint", "--fix", "program.wfl", "--in-place", code=0)
        self.assertIn("✔ Auto-fixed 2 issues in place.", result.out)
        self.assertEqual(self.read("program.wfl"), "display 1\ndisplay 2\n")
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertEqual([p.name for p in self.folder.iterdir() if p.is_file()], ["program.wfl"])
        result = self.wfl("--lint", "--fix", "--in-place", "program.wfl", code=0)
        self.assertIn("✔ Auto-fixed 0 issues in place.", result.out)

    def test_in_place_through_a_link_keeps_the_link(self):
        self.write("real.wfl", "display 1 \n")
        (self.folder / "link.wfl").symlink_to("real.wfl")
        self.wfl("--lint", "--fix", "--in-place", "link.wfl", code=0)
        self.assertTrue((self.folder / "link.wfl").is_symlink())
        self.assertEqual(self.read("real.wfl"), "display 1\n")

    def test_the_difference_is_one_that_patch_understands(self):
        lines = [f"display {i}" for i in range(30)]
        lines[2] += "  "
        lines[20] = "  " + lines[20]
        text = snippet(*lines)
        shown = self.lint(text, "--fix", "--diff", code=0).out
        self.assertEqual(self.read("program.wfl"), text)
        self.assertEqual(shown.count("\n@@ "), 2)
        self.write("change.diff", shown)
        subprocess.run(["git", "apply", "--unidiff-zero", "-p0", "change.diff"], cwd=self.folder, check=True, timeout=30)
        self.assertEqual(self.read("program.wfl"), snippet(*[f"display {i}" for i in range(30)]))

    def test_no_difference_shows_nothing(self):
        self.assertEqual(self.lint("display 1\n", "--fix", "--diff", code=0).out, "")

    def test_a_file_without_a_line_end_at_its_end(self):
        self.assertEqual(self.fixed("  display 1  "), "display 1")
        shown = self.lint(" display 1", "--fix", "--diff", code=0).out
        self.assertIn("\\ No newline at end of file", shown)

    def test_files_that_can_not_be_read(self):
        self.assertIn("no.wfl", self.wfl("--lint", "no.wfl", code=1).err)

    def test_empty_programs(self):
        for text in ("", "\n", "// only a comment"):
            self.assertEqual(self.lint(text, code=0).err, "")

    def test_mended_programs_do_what_they_did(self):
        """The project's own programs: mending them changes nothing they print, and what is mended stays mended."""
        import pathlib
        programs = sorted((pathlib.Path(__file__).resolve().parents[3] / "TestPrograms").glob("*.wfl"))
        self.assertGreater(len(programs), 5)
        for program in programs:
            with self.subTest(program.name):
                text = "  \n" + program.read_text(encoding="utf-8").replace("    ", "  ")
                self.write("program.wfl", text)
                result = self.wfl("--lint", "--fix", "program.wfl", "--in-place")
                if result.code == 2:
                    continue
                again = self.wfl("--lint", "--fix", "program.wfl", "--diff")
                self.assertEqual(again.out, "")
                tree = self.wfl("--parse", "program.wfl", code=0).out
                self.assertTrue(tree)


if __name__ == "__main__":
    unittest.main()
