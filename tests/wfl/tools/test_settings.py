"""Every setting of .wflcfg does something: each test runs one program with and without a setting, and sees the difference.

Limits are errors the program can catch, so most of these programs catch them and say what they caught.
"""

import re
import time
import unittest

from support import ToolTest

CATCH = "try:\n{body}\nwhen error:\n    display error_message\nend try\n"
SHELL = "allow_shell_execution = true\nshell_execution_mode = unrestricted\nwarn_on_shell_execution = false\n"


def indented(body):
    return "\n".join("    " + line for line in body.rstrip("\n").split("\n"))


class Settings(ToolTest):
    def run_with(self, settings, program, *arguments, code=None):
        self.write(".wflcfg", "debug_report_enabled = false\n" + settings)
        self.write("program.wfl", program)
        return self.wfl(*arguments, "program.wfl", code=code)

    def caught(self, settings, body):
        result = self.run_with(settings, CATCH.format(body=indented(body)), code=0)
        self.assertEqual(result.err, "")
        return result.out

    def test_every_setting_has_a_test(self):
        self.wfl("--init", code=0)
        keys = set(re.findall(r"^(\w+) =", self.read(".wflcfg"), re.MULTILINE))
        self.assertGreater(len(keys), 20)
        tested = {name.removeprefix("test_setting_") for name in dir(self) if name.startswith("test_setting_")}
        self.assertEqual(keys, tested)

    def test_setting_timeout_seconds(self):
        start = time.monotonic()
        body = "count from 1 to 300:\n    wait for 10 milliseconds\nend count\ndisplay \"done\""
        self.assertIn("Execution exceeded timeout (1s)", self.caught("timeout_seconds = 1\n", body))
        self.assertLess(time.monotonic() - start, 2.5)
        self.assertEqual(self.caught("timeout_seconds = 30\n", body), "done\n")

    def test_setting_max_operations(self):
        body = "store x as 0\ncount from 1 to 100000:\n    change x to count\nend count\ndisplay x"
        self.assertIn("limit of 1000 operations", self.caught("max_operations = 1000\n", body))
        self.run_with("max_operations = 1000\n", "count from 1 to 100000:\n    display count\nend count\n", code=1)
        self.assertIn("100000", self.run_with("", "count from 1 to 100000:\n    display count\nend count\n", code=0).out)

    def test_setting_max_call_depth(self):
        action = ("define action called deeper with n:\n    check if n is 50:\n        give back n\n    end check\n"
                  "    give back deeper of (n plus 1)\nend action\n")
        program = action + CATCH.format(body="    display deeper of 1")
        self.assertEqual(self.run_with("max_call_depth = 20\n", program, code=0).out,
                         "Maximum call depth (20) exceeded - possible infinite recursion\n")
        self.assertEqual(self.run_with("max_call_depth = 60\n", program, code=0).out, "50\n")

    def test_setting_max_import_depth(self):
        self.write("a.wfl", "include from \"b.wfl\"\n")
        self.write("b.wfl", "include from \"c.wfl\"\n")
        self.write("c.wfl", "display \"deep\"\n")
        self.assertIn("max_import_depth", self.caught("max_import_depth = 2\n", "include from \"a.wfl\""))
        self.assertEqual(self.caught("max_import_depth = 3\n", "include from \"a.wfl\""), "deep\n")

    def test_setting_max_execute_file_depth(self):
        self.write("a.wfl", "execute file at \"b.wfl\"\n")
        self.write("b.wfl", "display \"deep\"\n")
        self.assertIn("max_execute_file_depth", self.caught("max_execute_file_depth = 1\n", "execute file at \"a.wfl\""))
        self.assertEqual(self.caught("max_execute_file_depth = 2\n", "execute file at \"a.wfl\""), "deep\n")

    PATTERN = ("create pattern twins:\n    one or more letter then one or more letter then one or more letter then \"!\"\n"
               "end pattern\n")

    def test_setting_max_pattern_steps(self):
        program = self.PATTERN + CATCH.format(body="    display \"" + "a" * 200 + "\" matches twins")
        self.assertIn("max_pattern_steps", self.run_with("max_pattern_steps = 500\n", program, code=0).out)
        self.assertEqual(self.run_with("", program, code=0).out, "no\n")

    def test_setting_max_pattern_states(self):
        program = self.PATTERN + CATCH.format(body="    display \"" + "a" * 200 + "\" matches twins")
        self.assertIn("max_pattern_states", self.run_with("max_pattern_states = 2\n", program, code=0).out)
        self.assertEqual(self.run_with("", program, code=0).out, "no\n")

    def test_setting_max_source_size(self):
        self.assertIn("max_source_size", self.run_with("max_source_size = 20\n", "display \"a program of some length\"\n", code=2).err)
        self.run_with("max_source_size = 200\n", "display \"a program of some length\"\n", code=0)

    def test_setting_max_file_read_size(self):
        self.write("data.txt", "x" * 1000)
        body = "open file at \"data.txt\" for reading as f\nstore content_read as read content from f\ndisplay length of content_read"
        self.assertIn("max_file_read_size", self.caught("max_file_read_size = 999\n", body))
        self.assertEqual(self.caught("max_file_read_size = 1000\n", body), "1000\n")

    def test_setting_debug_report_enabled(self):
        self.write("program.wfl", "display 1 divided by 0\n")
        self.write(".wflcfg", "debug_report_enabled = false\n")
        self.wfl("program.wfl", code=1)
        self.assertFalse((self.folder / "program_debug.txt").exists())
        self.write(".wflcfg", "debug_report_enabled = true\n")
        self.wfl("program.wfl", code=1)
        self.assertTrue((self.folder / "program_debug.txt").exists())

    def test_setting_allow_shell_execution(self):
        body = "execute command \"echo hi\" as r\ndisplay output of r"
        self.assertIn("allow_shell_execution = false", self.caught(SHELL.replace("= true", "= false", 1), body))
        self.assertEqual(self.caught(SHELL, body), "hi\n\n")

    def test_setting_shell_execution_mode(self):
        body = "execute command \"echo hi | tr h H\" using shell as r\ndisplay output of r"
        self.assertEqual(self.caught(SHELL, body), "Hi\n\n")
        for mode in ("forbidden", "allowlist_only"):
            out = self.caught(SHELL.replace("unrestricted", mode), body)
            self.assertIn("Command blocked by security policy", out, mode)
        # This one runs everything, and says what the shell will do.
        said = self.run_with(SHELL.replace("unrestricted", "sanitized").replace("warn_on_shell_execution = false", ""), body, code=0)
        self.assertEqual(said.out, "Hi\n\n")
        self.assertIn("(it uses a pipe)", said.err)

    def test_setting_allowed_shell_commands(self):
        body = "execute command \"echo\" with arguments [\"hi\"] as r\ndisplay output of r"
        listed = SHELL.replace("unrestricted", "allowlist_only")
        self.assertEqual(self.caught(listed + "allowed_shell_commands = ls, echo\n", body), "hi\n\n")
        self.assertIn("Command blocked by security policy", self.caught(listed + "allowed_shell_commands = ls\n", body))

    def test_setting_warn_on_shell_execution(self):
        program = "execute command \"echo hi | cat\" using shell as r\ndisplay output of r\n"
        self.assertEqual(self.run_with(SHELL, program, code=0).err, "")
        warned = self.run_with(SHELL.replace("warn_on_shell_execution = false", "warn_on_shell_execution = true"), program, code=0)
        self.assertIn("echo hi | cat", warned.err)
        self.assertEqual(warned.out, "hi\n\n")

    def test_setting_max_concurrent_processes(self):
        body = ("spawn command \"sleep 2\" as first_one\nspawn command \"sleep 2\" as second_one\n"
                "kill process first_one\nkill process second_one\ndisplay \"two\"")
        self.assertIn("max_concurrent_processes", self.caught(SHELL + "kill_on_shutdown = true\nmax_concurrent_processes = 1\n", body))
        self.assertEqual(self.caught(SHELL + "max_concurrent_processes = 2\n", body), "two\n")

    def test_setting_max_buffer_size_bytes(self):
        body = ("spawn command \"printf 0123456789\" as p\nwait for process p to complete\n"
                "wait for 100 milliseconds\nread output from process p as got\ndisplay got")
        whole = ("spawn command \"printf 0123456789\" as p\nwait for 300 milliseconds\n"
                 "read output from process p as got\ndisplay got")
        self.assertEqual(self.caught(SHELL + "max_buffer_size_bytes = 4\n", whole), "6789\n")
        self.assertEqual(self.caught(SHELL, whole), "0123456789\n")

    def test_setting_kill_on_shutdown(self):
        program = ("spawn command \"sleep 3; touch survived\" using shell as p\nwait for 50 milliseconds\n"
                   "display process p is running\n")
        killed = self.run_with(SHELL + "kill_on_shutdown = true\n", program.replace("sleep 3", "sleep 1"), code=0)
        self.assertEqual((killed.out, killed.err), ("yes\n", ""))
        time.sleep(1.3)
        self.assertFalse((self.folder / "survived").exists())
        left = self.run_with(SHELL, program.replace("sleep 3", "sleep 1"), code=0)
        self.assertIn("1 process is still running", left.err)
        time.sleep(1.3)
        self.assertTrue((self.folder / "survived").exists())

    def lint(self, settings, program):
        return set(re.findall(r"\[(LINT-\w+)\]", self.run_with(settings, program, "--lint").err))

    def test_setting_max_line_length(self):
        self.assertEqual(self.lint("max_line_length = 10\n", "display \"hello\"\n"), {"LINT-LENGTH"})
        self.assertEqual(self.lint("max_line_length = 15\n", "display \"hello\"\n"), set())

    def test_setting_max_nesting_depth(self):
        program = "check if yes:\n    check if yes:\n        display 1\n    end check\nend check\n"
        self.assertEqual(self.lint("max_nesting_depth = 1\n", program), {"LINT-COMPLEX"})
        self.assertEqual(self.lint("max_nesting_depth = 2\n", program), set())

    def test_setting_indent_size(self):
        program = "check if yes:\n  display 1\nend check\n"
        self.assertEqual(self.lint("indent_size = 4\n", program), {"LINT-INDENT"})
        self.assertEqual(self.lint("indent_size = 2\n", program), set())

    def test_setting_snake_case_variables(self):
        self.assertEqual(self.lint("snake_case_variables = true\n", "store userName as 1\n"), {"LINT-NAME"})
        self.assertEqual(self.lint("snake_case_variables = false\n", "store userName as 1\n"), set())

    def test_setting_trailing_whitespace(self):
        self.assertEqual(self.lint("trailing_whitespace = false\n", "display 1  \n"), {"LINT-WHITESPACE"})
        self.assertEqual(self.lint("trailing_whitespace = true\n", "display 1  \n"), set())

    def test_setting_consistent_keyword_case(self):
        self.assertEqual(self.lint("consistent_keyword_case = true\n", "display YES\n"), {"LINT-KEYWORD"})
        self.assertEqual(self.lint("consistent_keyword_case = false\n", "display YES\n"), set())


class Mistakes(ToolTest):
    def warnings(self, text):
        self.write(".wflcfg", text)
        self.write("program.wfl", "display 1\n")
        result = self.wfl("program.wfl", code=0)
        self.assertEqual(result.out, "1\n")
        return [line.split(".wflcfg:")[1] for line in result.err.splitlines()]

    def test_a_value_that_does_not_fit_is_told_with_what_would(self):
        self.assertEqual(self.warnings("# mine\ntimeout_seconds = 500\n"),
                         ["2: timeout_seconds takes a number from 1 to 300, but is '500'; it stays 60"])
        self.assertEqual(self.warnings("debug_report_enabled = maybe\n"),
                         ["1: debug_report_enabled takes true or false, but is 'maybe'; it stays true"])
        self.assertEqual(self.warnings("shell_execution_mode = some\n"),
                         ["1: shell_execution_mode takes forbidden, allowlist_only, sanitized or unrestricted, but is 'some'; "
                          "it stays forbidden"])
        self.assertEqual(self.warnings("indent_size =\n"), ["1: indent_size takes a number from 1 to 16, but is ''; it stays 4"])

    def test_an_unknown_setting_is_told_with_the_one_that_is_near(self):
        self.assertEqual(self.warnings("timeout_second = 5\n"), ["1: there is no setting 'timeout_second'; did you mean timeout_seconds?"])
        self.assertEqual(self.warnings("colour_of_the_sky = blue\n"),
                         ["1: there is no setting 'colour_of_the_sky'; wfl --init shows all of them"])
        self.assertEqual(self.warnings("timeout_seconds 5\n"), ["1: expected 'KEY = VALUE', but found 'timeout_seconds 5'"])

    def test_settings_of_what_this_build_lacks_are_told_by_the_check(self):
        self.assertEqual(self.warnings("web_server_max_body_size = 5\nlogging_enabled = false\n"), [])
        result = self.wfl("--configCheck", code=0)
        self.assertIn(".wflcfg:1: web_server_max_body_size is read, but this build does nothing with it", result.out)
        self.assertIn(".wflcfg:2: logging_enabled is read, but this build does nothing with it", result.out)


if __name__ == "__main__":
    unittest.main()
