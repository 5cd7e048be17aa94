"""kvb shell: commands from a pipe, and from a terminal that tmux plays."""

import os
import shutil
import subprocess
import time
import unittest

from support import ERROR, KVB, NOT_FOUND, OK, USAGE, KvbTest

TMUX = shutil.which("tmux")


class FromAPipe(KvbTest):
    def shell(self, script, *options):
        return self.kvb("shell", self.bucket, *options, input=script.encode())

    def test_every_command_works_without_the_name_of_the_bucket(self):
        outcome = self.shell('put greeting "Hello, \\"world\\""\n'
                             "put 'a key' 'two words'   # a comment\n"
                             "\n"
                             "get greeting --format json\n"
                             "incr n 5\n"
                             "scan --keys\n"
                             "del 'a key'\n"
                             "count\n"
                             "verify --format json\n"
                             "kvb exists n\n", "--create")
        self.assertEqual((outcome.code, outcome.err), (OK, ""), outcome)
        lines = outcome.text.splitlines()
        self.assertIn('"value":"Hello, \\"world\\""', lines[0])
        self.assertEqual(lines[1:6], ["5", "a key", "greeting", "n", "2"])
        self.assertIn('"ok":true', lines[6])

    def test_an_error_does_not_end_it_and_counts_in_the_exit_code(self):
        self.init(a="1")
        outcome = self.shell("get nothing\nnonsense\nput k 'open\nget a --oops\nget a\n")
        self.assertEqual(outcome.text, "1", outcome)
        errors = outcome.err.splitlines()
        self.assertEqual(len(errors), 4, outcome)
        self.assertRegex(errors[0], "has no key 'nothing'")
        self.assertRegex(errors[1], "There is no command 'nonsense'")
        self.assertRegex(errors[2], "A ' is open")
        self.assertRegex(errors[3], "There is no option --oops")
        self.assertEqual(outcome.code, USAGE, "that of the last one that failed")
        self.assertEqual(self.shell("get nothing\nget a\n").code, NOT_FOUND)

    def test_exit_ends_it(self):
        self.init(a="1")
        for word in ("exit", "quit"):
            outcome = self.shell(f"get a\n{word}\nget nothing\n")
            self.assertEqual((outcome.code, outcome.text, outcome.err), (OK, "1", ""), outcome)

    def test_help(self):
        self.init()
        text = self.shell("help\n").text
        self.assertIn("  put ", text)
        self.assertNotIn("  shell ", text)
        self.assertEqual(self.shell("help put\n").out, self.ok("put", "--help"))

    def test_what_is_not_for_the_shell(self):
        self.init()
        outcome = self.shell("shell\ncompletions bash\n")
        self.assertEqual(outcome.err.count("is not for the shell"), 2, outcome)

    def test_a_command_does_not_read_the_script(self):
        self.init()
        outcome = self.shell("put a -\nput b 2\nscan\n")
        self.assertEqual(outcome.text, "b\t2\n", outcome)
        self.assertEqual(outcome.code, ERROR)

    def test_the_bucket_has_to_be_there(self):
        self.fails(ERROR, "shell", "nowhere.kvb", says="kvb init")

    def test_others_may_write_between_two_commands(self):
        self.init(a="1")
        process = subprocess.Popen([KVB, "shell", self.bucket], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"incr n\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"1\n")
        self.ok("incr", self.bucket, "n", "10")
        self.assertEqual(process.communicate(b"incr n\n", timeout=30)[0], b"12\n")


@unittest.skipUnless(TMUX, "tmux plays the terminal; scripts/install_dependencies.sh test installs it")
class OnATerminal(KvbTest):
    def start(self, command):
        self.socket = self.path("socket")
        variables = f"TERM=xterm HOME='{self.folder}' XDG_STATE_HOME='{self.folder}/state' LC_ALL=C.UTF-8"
        # libedit keeps two lines of its history to the end.
        variables += f" ASAN_OPTIONS='{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0'"
        self.tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "40",
                  f"cd '{self.folder}'; env {variables} {command}; echo \"code $?\"; exec sleep 100")
        self.addCleanup(lambda: subprocess.run([TMUX, "-S", self.socket, "kill-server"], capture_output=True, timeout=30))

    def tmux(self, *arguments):
        done = subprocess.run([TMUX, "-S", self.socket, *arguments], capture_output=True, timeout=30,
                              env={**os.environ, "LANG": "C.UTF-8"})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            screen = self.tmux("capture-pane", "-p")
            if text in screen:
                return screen
            time.sleep(0.05)
        self.fail(f"waited for {text!r}; the screen is\n{screen}")

    def type(self, text, *keys):
        """Types a text, and then presses keys of these names."""
        if text:
            self.tmux("send-keys", "-l", "--", text)
        for key in keys:
            self.tmux("send-keys", key)

    def test_editing_completion_and_history(self):
        self.init(**{"user:1": "Ada", "user:22": "Grace", "zebra": "stripes"})
        self.start(f"'{KVB}' shell b.kvb")
        self.wait_for("b.kvb>")
        self.type("sc", "Tab")
        self.wait_for("b.kvb> scan")
        self.type("--pre", "Tab")
        self.wait_for("b.kvb> scan --prefix")
        self.type("user: --keys", "Enter")
        self.wait_for("user:1\nuser:22")
        self.type("get ze", "Tab", "Enter")
        self.wait_for("get zebra\nstripes")
        self.wait_for("stripes\nb.kvb>")
        self.type("", "Up", "Enter")
        screen = self.wait_for("stripes\nb.kvb> get zebra")
        self.assertIn("zebra", screen)
        self.type("put half a li", "C-c")
        self.type("exists zebra", "Enter")
        self.wait_for("yes")
        self.type("watch", "Enter")
        time.sleep(0.3)
        self.type("", "C-c")
        self.type("count", "Enter")
        self.wait_for("\n3\n")
        self.type("exit", "Enter")
        self.wait_for("code 0")
        with open(self.path("state/kvb/history"), encoding="utf-8") as history:
            self.assertIn("zebra", history.read())
        self.assertEqual(os.stat(self.path("state/kvb/history")).st_mode & 0o077, 0)

    def test_top_draws_and_q_ends_it(self):
        self.init(a="1")
        self.start(f"'{KVB}' top b.kvb --interval 100ms")
        self.wait_for("q ends")
        self.wait_for("nobody has it open for writing")
        self.type("q")
        screen = self.wait_for("code 0")
        self.assertNotIn("nobody has it open", screen, "What stood there before comes back.")


if __name__ == "__main__":
    unittest.main()
