"""The examples in C, C++ and Python: each runs twice, and each finds what the others kept."""

import os
import subprocess
import sys
import unittest

import support

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")


class Hello(support.KvbTest):
    def run_program(self, *command):
        completed = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual((completed.returncode, completed.stderr), (0, ""), completed.stdout)
        return completed.stdout

    def greeting(self, runs):
        return f"Hello! I ran {runs} time{'' if runs == 1 else 's'}.\nruns = {runs}\nsession:ann = signed in\n"

    def test_c_and_cpp_share_a_bucket(self):
        self.assertEqual(self.run_program(os.environ["KVB_EXAMPLE_C"]), self.greeting(1))
        self.assertEqual(self.run_program(os.environ["KVB_EXAMPLE_C"]), self.greeting(2))
        self.assertEqual(self.run_program(os.environ["KVB_EXAMPLE_CPP"]), self.greeting(3))
        self.assertEqual(self.ok("get", "hello.kvb", "runs"), b"3")

    @unittest.skipIf(os.environ.get("KVB_SANITIZE"), "a sanitized library cannot be loaded into a plain Python")
    def test_python(self):
        hello = os.path.join(EXAMPLES, "hello.py")
        self.assertEqual(self.run_program(sys.executable, "-B", hello), self.greeting(1))
        self.assertEqual(self.run_program(sys.executable, "-B", hello), self.greeting(2))
        self.assertEqual(self.run_program(os.environ["KVB_EXAMPLE_CPP"]), self.greeting(3))

    def test_a_failure_says_why(self):
        self.write_file("hello.kvb", b"this is no bucket" * 5000)
        for variable in ("KVB_EXAMPLE_C", "KVB_EXAMPLE_CPP"):
            completed = subprocess.run([os.environ[variable]], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(completed.returncode, 1)
            self.assertRegex(completed.stderr, r"\Ahello: .*bucket.*\n\Z")


if __name__ == "__main__":
    unittest.main()
