#!/usr/bin/env python3
"""Runs the tests of the installed `kvb` command. Called by scripts/run_tests.py; by hand:

    WFLKS_PREFIX=INSTALL-TREE tests/cli/run.py [NAME…]      where a NAME is, for example, test_scan

The programs that test the C API and the examples belong to CTest, since they need what only the build folder has.
"""

import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import checks  # noqa: E402

COMMAND_TESTS = sorted({path.stem for path in HERE.glob("test_*.py")} - {"test_c_api", "test_examples"})


def main():
    prefix = checks.prefix()
    os.environ.setdefault("KVB", str(prefix / "bin" / "kvb"))
    os.environ.setdefault("KVB_LIBRARY", str(prefix / "lib" / "libkvb.so"))
    for variable in ("KVB", "KVB_LIBRARY"):
        if not pathlib.Path(os.environ[variable]).exists():
            sys.exit(f"There is no {os.environ[variable]}. Run `make test`, or set {variable}.")
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or COMMAND_TESTS)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
