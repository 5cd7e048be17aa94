"""Counts checks for the test programs that are written in Python; see scripts/run_tests.py for how they are called."""

import os
import pathlib
import subprocess
import sys


def source():
    return pathlib.Path(os.environ.get("WFLKS_SOURCE") or pathlib.Path(__file__).resolve().parents[2])


def prefix():
    """The install tree to test. Made by run_tests.py; by hand: `make install PREFIX=…` and set WFLKS_PREFIX."""
    return pathlib.Path(os.environ.get("WFLKS_PREFIX") or source() / "build" / "full" / "stage")


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, title, good, details=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {title}")
            for line in str(details).splitlines():
                print(f"    {line}")
        return good

    def command(self, title, command, expected_output=None, contains=None, timeout=120, **arguments):
        """The command must end with 0 and, if they are given, print exactly the expected output or contain the text."""
        try:
            result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout,
                                    stdin=subprocess.DEVNULL, check=False, **arguments)
        except (OSError, subprocess.TimeoutExpired) as error:
            return self.check(title, False, error)
        shown = command if isinstance(command, str) else " ".join(map(str, command))
        details = f"command: {shown}\nexit code: {result.returncode}\n{result.stdout}{result.stderr}"
        good = result.returncode == 0
        if expected_output is not None and result.stdout != expected_output:
            good = False
            details += f"\nexpected output:\n{expected_output}"
        if contains is not None and contains not in result.stdout:
            good = False
            details += f"\nexpected in the output: {contains}"
        return self.check(title, good, details)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
