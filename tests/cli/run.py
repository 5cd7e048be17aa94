#!/usr/bin/env python3
"""Runs the tests of the installed `kvb` command. Called by scripts/run_tests.py; by hand:

    WFLKS_PREFIX=INSTALL-TREE tests/cli/run.py [NAME…]      where a NAME is, for example, test_scan

The programs that test the C API and the examples belong to CTest, since they need what only the build folder has.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import checks  # noqa: E402

COMMAND_TESTS = sorted({path.stem for path in HERE.glob("test_*.py")} - {"test_c_api", "test_examples"})


def run_module(name):
    """One module in a process of its own. What it said, how many tests ran, how many of them failed or were skipped."""
    done = subprocess.run([sys.executable, "-B", "-W", "ignore", "-m", "unittest", name], cwd=HERE, capture_output=True, text=True,
                          errors="replace", check=False)
    ran = re.search(r"^Ran (\d+) tests?", done.stderr, re.MULTILINE)
    if not ran:
        return done.stdout + done.stderr, 0, 1, 0
    counts = dict(re.findall(r"(failures|errors|skipped)=(\d+)", done.stderr.splitlines()[-1]))
    failed = int(counts.get("failures", 0)) + int(counts.get("errors", 0))
    if done.returncode != 0 and failed == 0:
        failed = 1
    return (done.stdout + done.stderr if failed else ""), int(ran[1]), failed, int(counts.get("skipped", 0))


def main():
    prefix = checks.prefix()
    os.environ.setdefault("KVB", str(prefix / "bin" / "kvb"))
    os.environ.setdefault("KVB_LIBRARY", str(prefix / "lib" / "libkvb.so"))
    for variable in ("KVB", "KVB_LIBRARY"):
        if not pathlib.Path(os.environ[variable]).exists():
            sys.exit(f"There is no {os.environ[variable]}. Run `make test`, or set {variable}.")
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for said, ran, wrong, skipped in pool.map(run_module, sys.argv[1:] or COMMAND_TESTS):
            print(said, end="")
            passed += max(ran - wrong - skipped, 0)
            failed += wrong
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
