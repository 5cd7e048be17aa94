"""The interactive mode with its input from a pipe: what is said, what stays, and that nothing ends it but the end."""

import os
import signal
import subprocess
import time
import unittest

from support import WFL, ToolTest

BANNER = "WFL REPL - Type .help for commands or .exit to quit\n"


class Repl(ToolTest):
    def lines(self, *lines, code=0, end="CTRL-D\n"):
        """What the lines make it print, without the banner and the goodbye; and its messages."""
        result = self.wfl(text="".join(line + "\n" for line in lines), code=code)
        self.assertTrue(result.out.startswith(BANNER), result.out)
        self.assertTrue(result.out.endswith(end), result.out)
        return result.out[len(BANNER):len(result.out) - len(end)], result.err

    def test_values_of_expressions_are_shown_and_prompts_are_not(self):
        self.assertEqual(self.lines("2 plus 3", '"a" with 1', "5 is greater than 3", "[1, 2]"), ("5\na1\nyes\n[1, 2]\n", ""))

    def test_nothing_is_not_shown(self):
        self.assertEqual(self.lines("nothing", "store x as 1", 'display "hi"'), ("hi\n", ""))

    def test_the_value_of_the_last_statement_of_a_line_is_shown(self):
        self.assertEqual(self.lines("store x as 4 x times 2"), ("8\n", ""))

    def test_state_stays(self):
        out, err = self.lines("store user name as \"Ann\"", "define action called twice with n:", "  return n times 2",
                              "end action", "change user name to user name with \"!\"", "user name", "twice of 21")
        self.assertEqual((out, err), ("Ann!\n42\n", ""))

    def test_a_name_may_be_stored_again(self):
        self.assertEqual(self.lines("store x as 5", "store x as \"six\"", "x"), ("six\n", ""))

    def test_a_constant_stays_one(self):
        out, err = self.lines("store new constant limit as 5", "change limit to 6", "limit")
        self.assertEqual(out, "5\n")
        self.assertIn("limit", err)

    def test_blocks_take_several_lines_and_are_run_once(self):
        out, err = self.lines("count from 1 to 3:", "display count", "", "end count", "check if yes:", "display \"a\"",
                              "otherwise:", "display \"b\"", "end check", "display \"long", "text\"")
        self.assertEqual((out, err), ("1\n2\n3\na\nlong\ntext\n", ""))

    def test_a_statement_that_no_line_can_complete_is_an_error_at_once(self):
        out, err = self.lines("store x as", "2 plus 2")
        self.assertIn("4\n", out)
        self.assertIn("error[WFL-P", err)
        self.assertIn("store x as", err)

    def test_characters_and_escapes_that_mean_nothing_do_not_wait_for_more(self):
        out, err = self.lines("display 5 $", 'display "a\\q"', "store n as 99999999999999999999", "display 6")
        self.assertEqual(out, "5\n6\n")
        self.assertEqual(err.count("WFL-P004"), 3, err)

    def test_errors_of_every_kind_are_shown_and_the_session_goes_on(self):
        out, err = self.lines("display 1 divided by 0", "nobody knows this", "store as 5", "display \"still here\"")
        self.assertEqual(out, "still here\n")
        self.assertIn("Division by zero", err)
        self.assertIn("'nobody knows this' is not defined", err)
        self.assertEqual(err.count("error[WFL-"), 3, err)
        self.assertEqual(list(self.folder.glob("*_debug.txt")), [])

    def test_what_ran_before_an_error_keeps_its_effect(self):
        out, _ = self.lines("store a as 1", "define action called broken:", "change a to 2", "display 1 divided by 0",
                            "end action", "call broken", "a")
        self.assertEqual(out, "2\n")

    def test_a_wrong_name_in_an_action_is_told_when_it_is_defined(self):
        _, err = self.lines("define action called broken:", "display mispelled", "end action")
        self.assertIn("'mispelled' is not defined", err)

    def test_input_that_ends_in_a_block_is_an_error(self):
        _, err = self.lines("count from 1 to 3:", "display count")
        self.assertIn("error[WFL-P", err)

    def test_commands(self):
        out, err = self.lines("1 plus 1", "check if yes:", "display 7", "end check", ".history", ".help", ".nonsense")
        self.assertTrue(out.startswith("2\n7\n1: 1 plus 1\n2: check if yes:\ndisplay 7\nend check\n"), out)
        for command in (".help", ".history", ".clear", ".exit"):
            self.assertIn(command, out)
        self.assertIn(".nonsense", err)

    def test_exit_ends_it_with_0(self):
        self.assertEqual(self.lines(".exit", "display 1", end="")[0], "")
        self.assertEqual(self.lines("exit program", "display 1", end="")[0], "")

    def test_comments_and_empty_lines_do_nothing(self):
        self.assertEqual(self.lines("", "// a comment", "   ", "# another"), ("", ""))

    def test_text_of_every_script_survives(self):
        self.assertEqual(self.lines('display "naïve 日本 🎈"', 'length of "日本"'), ("naïve 日本 🎈\n2\n", ""))

    def test_input_that_is_no_utf8_is_refused(self):
        done = subprocess.run([WFL], input=b'display "\xff"\ndisplay 2\n', capture_output=True, env=self.environment, timeout=60)
        self.assertIn(b"UTF-8", done.stderr)
        self.assertIn(b"\n2\n", done.stdout)

    def test_keystores_are_open_across_lines_and_closed_at_the_end(self):
        out, err = self.lines('create keystore at "notes.kvb" as notes', 'store "tea" in notes with key "drink"',
                              'get value from notes with key "drink" as drink', "drink")
        self.assertEqual((out, err), ("tea\n", ""))
        out, err = self.lines('open keystore at "notes.kvb" as notes', 'get value from notes with key "drink" as drink',
                              "drink", "count keys in notes as n", "n", ".exit", end="")
        self.assertEqual((out, err), ("tea\n1\n", ""))

    def test_an_error_in_a_batch_leaves_the_keystore_usable(self):
        out, err = self.lines('create keystore at "b.kvb" as box', "batch operations on box:", 'store 1 in box with key "a"',
                              "display 1 divided by 0", "end batch", "count keys in box as n", "n",
                              'store 2 in box with key "b"', "count keys in box as n", "n")
        self.assertEqual(out, "0\n1\n", err)

    def test_names_that_tables_know_work_as_variables(self):
        self.assertEqual(self.lines("store total as 3", "length of args", "total"), ("0\n3\n", ""))

    def test_files_are_found_from_the_current_directory(self):
        self.write("part.wfl", "store shared as 12\n")
        self.assertEqual(self.lines('include from "part.wfl"', "shared"), ("12\n", ""))

    def test_the_settings_of_the_directory_hold(self):
        self.write(".wflcfg", "max_call_depth = 7\n")
        _, err = self.lines("define action called deep with n:", "return deep of (n plus 1)", "end action", "deep of 1")
        self.assertIn("7", err)

    def test_an_action_called_main_is_not_run_by_itself(self):
        self.assertEqual(self.lines("define action called main:", 'display "ran"', "end action", "1"), ("1\n", ""))

    def test_ctrl_c_ends_it_where_nobody_writes(self):
        with subprocess.Popen([WFL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment) as process:
            process.stdin.write(b'display "ready"\n')
            process.stdin.flush()
            while process.stdout.readline() != b"ready\n":
                pass
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(20), 130)

    def test_nothing_is_written_to_the_history_without_a_terminal(self):
        self.lines("1")
        self.assertFalse(os.path.exists(self.folder / "home"))


if __name__ == "__main__":
    unittest.main()
