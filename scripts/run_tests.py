#!/usr/bin/env python3
"""Builds the product and runs every test of it: this is `make test`.

Each part below prints one line with its counts and its time; a part that fails shows its output. The last line sums up,
`N passed, N failed`, and the exit code is 1 if anything failed, was not found, or found nothing to do.

    scripts/run_tests.py [--only PART]... [--jobs N]

A part is a program that says `N passed, N failed` in its last line. It runs in a scratch folder and is told by its environment:
    WFLKS_SOURCE   the source tree           WFLKS_BUILD   the build folder
    WFLKS_PREFIX   an install tree of what was built; its bin folder is first on PATH
    WFL, KVB       the two programs
The GoogleTest programs and tests/cli run under CTest; each case counts one.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = SOURCE / "build" / "full"
ASAN_BUILD = SOURCE / "build" / "engine-asan"
TSAN_BUILD = SOURCE / "build" / "engine-tsan"
PREFIX = BUILD / "stage"
LOGS = SOURCE / "build" / "test-logs"
UNITTEST_LINE = re.compile(r"^Ran (\d+) tests? in .*\n\nOK(?: \(skipped=(\d+)\))?", re.MULTILINE)
PROOF_LINE = re.compile(r"^proof: (\w+) (\d+)$", re.MULTILINE)
COUNT_LINE = re.compile(r"^(\d+) passed, (\d+) failed$")

# Wall clock limits, in seconds. They are far above what a run takes and end one that hangs.
BUILD_LIMIT = 2400
CTEST_LIMIT = 1200
SANITIZER_LIMIT = 900
SCRIPT_LIMIT = 600
# Each fuzz target runs so long, JOBS of them at once.
FUZZ_SECONDS = 60


# What the heavy tests of the engine have to do at least, in all; each says in `proof:` lines what it did.
PROOFS = {
    "crash_images": ("crash images", "different", 350_000),
    "crash_workloads": ("crash workloads", "", 20),
    "crashes_during_recovery": ("after a second or third crash", "", 200_000),
    "superblocks_destroyed": ("without the newest superblock", "", 150_000),
    "sequences": ("sequences", "", 1_110),
    "model_operations": ("model operations", "", 5_000_000),
    "fault_runs": ("runs with a failing call", "", 2_500),
    "damaged_files": ("damaged files", "", 100_000),
    "kills": ("kills", "", 300),
    "bank_seconds": ("seconds of readers and a writer in processes", "", 60),
}


class Outcome:
    def __init__(self, passed, failed, skipped=0, details=""):
        self.passed, self.failed, self.skipped, self.details = passed, failed, skipped, details


def run(command, log, limit, env=None, cwd=SOURCE):
    """Runs a command with its output in a file. Returns the exit code, or None if the time was over."""
    with open(log, "w", encoding="utf-8", errors="replace") as out:
        # A session of its own, so that at the time limit everything it started ends with it.
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=cwd,
                                   start_new_session=True)
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def tail(log, lines=60):
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = text[-lines:]
    return "\n".join(([f"… {len(text) - lines} lines before, in {log.relative_to(SOURCE)}"] if len(text) > lines else []) + shown)


def build(name, preset, folder, target, options, jobs):
    """Configures and builds; an Outcome only if that failed."""
    log = LOGS / f"{name}.log"
    steps = [["cmake", "--preset", preset, *options], ["cmake", "--build", str(folder), "-j", str(jobs), "--target", *target]]
    for step in steps:
        code = run(step, log, BUILD_LIMIT)
        if code != 0:
            return Outcome(0, 1, details=("the build took too long\n" if code is None else "") + tail(log))
    return None


def ctest(name, folder, limit, environment, jobs, prove=False, chosen=None):
    """Runs CTest and counts the cases from its JUnit file; with `prove`, also holds what was tried against PROOFS. `chosen` is the
    pattern of the tests to run, all by default."""
    junit = LOGS / f"{name}.xml"
    junit.unlink(missing_ok=True)
    log = LOGS / f"{name}.log"
    env = {**os.environ, **environment}
    command = ["ctest", "--test-dir", str(folder), "-j", str(jobs), "--output-on-failure", "--output-junit", str(junit),
               "--test-output-size-passed", "65536", *(["--tests-regex", chosen] if chosen else [])]
    code = run(command, log, limit, env)
    if code is None:
        return Outcome(0, 1, details=f"the tests were not through after {limit} seconds\n" + tail(log))
    if not junit.exists():
        return Outcome(0, 1, details=tail(log))
    passed = failed = skipped = 0
    proofs = dict.fromkeys(PROOFS, 0)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        status = case.get("status")
        for kind, count in PROOF_LINE.findall(case.findtext("system-out") or ""):
            proofs[kind] = proofs.get(kind, 0) + int(count)
        if status == "run":
            # A Python program of unittest is one test to CTest and says how many cases it ran.
            ran = UNITTEST_LINE.search(case.findtext("system-out") or "")
            left_out = int(ran.group(2) or 0) if ran else 0
            passed += int(ran.group(1)) - left_out if ran else 1
            skipped += left_out
        elif status == "disabled" or case.find("skipped[@message='SKIP_REGULAR_EXPRESSION_MATCHED']") is not None:
            skipped += 1
        else:  # Failed, or "notrun" because the test program is missing.
            failed += 1
    if code != 0 and failed == 0:
        failed = 1
    if passed + failed == 0:
        failed = 1
    details = tail(log) if failed else ""
    if prove:
        shown, missing = judge(proofs)
        print(shown, flush=True)
        if missing:
            failed += 1
            details += "\nless was tried than has to be: " + ", ".join(missing)
        else:
            passed += 1
    return Outcome(passed, failed, skipped, details)


def judge(proofs):
    """One line with what the heavy tests did, and what of it is less than it has to be."""
    parts, missing = [], []
    for kind, (title, what, minimum) in PROOFS.items():
        parts.append(f"{title}: {proofs[kind]:,}{' ' + what if what else ''}")
        if proofs[kind] < minimum:
            missing.append(f"{title} {proofs[kind]:,} instead of {minimum:,}")
    return "proof of the engine: " + "; ".join(parts), missing


def script(name, command, environment=None):
    """Runs one program that counts its own tests."""
    program = SOURCE / command[0]
    if not program.exists():
        return Outcome(0, 1, details=f"{command[0]} is not there")
    log = LOGS / f"{name}.log"
    env = {**os.environ, "WFLKS_SOURCE": str(SOURCE), "WFLKS_BUILD": str(BUILD), "WFLKS_PREFIX": str(PREFIX),
           "WFL": str(PREFIX / "bin" / "wfl"), "KVB": str(PREFIX / "bin" / "kvb"),
           "PATH": f"{PREFIX / 'bin'}:{os.environ['PATH']}", **(environment or {})}
    with tempfile.TemporaryDirectory(prefix=f"wflks-{name}-") as scratch:
        code = run([str(program), *command[1:]], log, SCRIPT_LIMIT, env, scratch)
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    match = COUNT_LINE.match(lines[-1].strip()) if lines else None
    if code is None:
        return Outcome(0, 1, details=f"not through after {SCRIPT_LIMIT} seconds\n" + tail(log))
    if not match:
        return Outcome(0, 1, details=f"ended with code {code} and without a line `N passed, N failed`\n" + tail(log))
    passed, failed = int(match.group(1)), int(match.group(2))
    if (code != 0 and failed == 0) or passed + failed == 0:
        failed += 1
    return Outcome(passed, failed, details=tail(log) if failed else "")


def stage():
    """An install tree of what was built, for everything that looks at the product from outside."""
    shutil.rmtree(PREFIX, ignore_errors=True)
    log = LOGS / "stage.log"
    if run(["cmake", "--install", str(BUILD), "--prefix", str(PREFIX)], log, SCRIPT_LIMIT) != 0:
        return Outcome(0, 1, details=tail(log))
    return None


def sanitized_engine(jobs):
    failure = build("sanitizers-build", "engine-asan", ASAN_BUILD, ["all"], [], jobs)
    if failure:
        return failure
    symbolizer = shutil.which("llvm-symbolizer-19") or ""
    options = f"external_symbolizer_path={symbolizer}" if symbolizer else ""
    # A tenth of the work: the instrumented programs are several times slower, and look for something else.
    return ctest("sanitizers", ASAN_BUILD, SANITIZER_LIMIT, {
        "KVB_CRASH_SCALE": "0.05", "KVB_MODEL_OPERATIONS": "6000", "KVB_KILLS": "5", "KVB_BANK_SECONDS": "5",
        "ASAN_OPTIONS": f"detect_stack_use_after_return=1:strict_string_checks=1:{options}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{options}",
    }, jobs)


def threaded_engine(jobs):
    programs = ["kvb_index_test", "kvb_store_test", "kvb_api_test"]
    failure = build("threads-build", "engine-tsan", TSAN_BUILD, programs, [], jobs)
    if failure:
        return failure
    symbolizer = shutil.which("llvm-symbolizer-19") or ""
    options = f":external_symbolizer_path={symbolizer}" if symbolizer else ""
    # Everything that runs in several threads or processes. A race is a failure of its test, whatever the test says.
    return ctest("threads", TSAN_BUILD, SANITIZER_LIMIT, {
        "KVB_BANK_SECONDS": "15",
        "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1{options}",
    }, jobs, chosen=THREADED)


# The tests that the thread sanitizer is for. It cannot bear a child of fork() that lets its parent's threads go.
THREADED = (r"^kvb_(index|store|api)_test\.((Threads|CompactThreads|SnapshotTest|Backup|Watch|WatchProcesses|Pins|Bank)\.|"
            r"Delta\.is_read_without|Processes\.(A_second|the_note|R23_a_child))")


PARTS = [
    ("layers", "includes and layers", lambda jobs: script("layers", ["scripts/check_layers.py", "--self-test"])),
    ("build", "build", lambda jobs: build("build", "full", BUILD, ["all"], ["-DWFLKS_BUILD_TESTS=ON", "-DWFLKS_BUILD_BENCH=ON"], jobs) or stage()),
    ("unit", "unit, model and command tests", lambda jobs: ctest("unit", BUILD, CTEST_LIMIT, {}, jobs, prove=True)),
    ("command", "the kvb command from outside", lambda jobs: script("command", ["tests/cli/run.py"])),
    ("programs", "WFL programs", lambda jobs: script("programs", ["scripts/run_integration_tests.sh"])),
    ("docs", "code blocks of the documentation", lambda jobs: script("docs", ["tests/docs/run.py"])),
    ("site", "the documentation as a web site", lambda jobs: script("site", ["tests/docs/site.py"])),
    ("install", "programs built outside", lambda jobs: script("install", ["tests/install/run.py"])),
    ("packages", "Debian packages", lambda jobs: script("packages", ["tests/install/packages.py"])),
    ("bench", "benchmark and its report", lambda jobs: script("bench", ["tests/bench/run.py"])),
    ("sanitizers", "engine under address and undefined behaviour sanitizers", sanitized_engine),
    ("threads", "engine's threads and processes under the thread sanitizer", threaded_engine),
    ("fuzz", "engine's fuzz targets", lambda jobs: script("fuzz", ["scripts/fuzz.sh", str(FUZZ_SECONDS), str(jobs)],
                                                          {"PRESET": "engine-fuzz"})),
]


def main():
    names = [name for name, _, _ in PARTS]
    parser = argparse.ArgumentParser(description="Builds the product and runs its tests.")
    parser.add_argument("--only", action="append", choices=names, help="only this part, and the build if it needs it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    chosen = set(arguments.only or names)
    if chosen & {"unit", "command", "programs", "docs", "install", "bench"}:
        chosen.add("build")

    # Ended from outside, end what was started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    totals = Outcome(0, 0)
    for name, title, action in PARTS:
        if name not in chosen:
            continue
        begun = time.monotonic()
        outcome = action(arguments.jobs)
        seconds = time.monotonic() - begun
        if outcome is None:
            print(f"{title}: done in {seconds:.1f} s", flush=True)
            continue
        skipped = f", {outcome.skipped} skipped" if outcome.skipped else ""
        if outcome.details:
            print(f"--- {title}: what went wrong ---\n{outcome.details}\n---", flush=True)
        print(f"{title}: {outcome.passed} passed, {outcome.failed} failed{skipped}, {seconds:.1f} s", flush=True)
        totals.passed += outcome.passed
        totals.failed += outcome.failed
        totals.skipped += outcome.skipped
        if name == "build" and outcome.failed:
            print("The parts that need the programs were left out.")
            break
    print(f"All of it took {time.monotonic() - started:.0f} s; {totals.skipped} skipped; logs are in build/test-logs.")
    print(f"{totals.passed} passed, {totals.failed} failed")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
