#!/usr/bin/env python3
"""Runs WFL programs that state what they print, and compares.

A program states it in comments of its own, or in files beside it:

    // expect: TEXT         the next line of its standard output; all of them, in order, and no other
    // expect error: TEXT   a part of its standard error; each must occur, in this order
    // exit: N              its exit code; without it 0, or 1 when only errors are expected
    // args: A B 'C D'      arguments, split as a shell does
    // flags: --test        flags of wfl itself, in front of the program
    // env: NAME=VALUE      an environment variable
    // input file: NAME     only for others: this program is included or executed by them, and is not run by itself
    NAME.out                the whole standard output, instead of `// expect:` lines
    NAME.steps              what happens after the program, in the same scratch folder, one step a line:

        run OTHER.wfl [ARGS]          runs a program of this folder; the lines behind it that start with `> ` are its output, all of it
        kill OTHER.wfl after TEXT     starts a program, waits until it prints the line TEXT, and kills it (SIGKILL)
        start NAME OTHER.wfl [ARGS]   starts a program that goes on beside the next steps
        await NAME TEXT               waits until the started program has printed the line TEXT
        stop NAME, continue NAME      holds it up (SIGSTOP) and lets it go on
        kill NAME                     kills it (SIGKILL)
        end NAME                      waits until it has ended by itself, with 0; the `> ` lines are all that it has printed
        copy FROM TO                  copies a file
        take NAME TO                  copies a file of tests/kvb/golden
        flip FILE OFFSET              changes one byte
        patch FILE OFFSET HEX         writes bytes
        cut FILE LENGTH               shortens a file
        # TEXT                        a comment

Each program runs in a fresh scratch folder; `{source}` in its arguments stands for the folder the program is in. A program that
states nothing is a failure: a test that can't fail is none. The last line is `N passed, M failed`.
"""

import argparse
import concurrent.futures
import difflib
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 60
MARK = re.compile(r"//\s*(expect|expect error|exit|args|flags|env|input file):(?: (.*)|)$")


class Expectation:
    def __init__(self, path):
        self.output = None
        self.errors = []
        self.exit = None
        self.arguments = []
        self.flags = []
        self.environment = {}
        self.is_input = False
        lines = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            match = MARK.search(line.rstrip("\r"))
            if match is None:
                continue
            kind, text = match.group(1), match.group(2) or ""
            if kind == "expect":
                lines.append(text)
            elif kind == "expect error":
                self.errors.append(text)
            elif kind == "exit":
                self.exit = int(text)
            elif kind == "args":
                self.arguments = shlex.split(text)
            elif kind == "flags":
                self.flags = shlex.split(text)
            elif kind == "env":
                name, _, value = text.partition("=")
                self.environment[name] = value
            else:
                self.is_input = True
        beside = path.with_suffix(".out")
        if beside.exists():
            self.output = beside.read_text(encoding="utf-8")
        elif lines:
            self.output = "".join(line + "\n" for line in lines)
        self.says_something = self.output is not None or bool(self.errors) or self.exit is not None
        if self.output is None:
            self.output = ""
        if self.exit is None:
            self.exit = 1 if self.errors else 0


def difference(wanted, got):
    lines = difflib.unified_diff(wanted.splitlines(), got.splitlines(), "expected", "printed", lineterm="", n=1)
    return [f"    {line}" for line in list(lines)[2:40]]


def kill_after(command, line, work, environment):
    """Starts a program on a terminal, where each line comes at once, and kills it when it prints the line."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=inner, stderr=subprocess.STDOUT)
    os.close(inner)
    seen = b""
    ends = time.monotonic() + LIMIT_SECONDS
    try:
        while line not in [text.rstrip("\r") for text in seen.decode("utf-8", "replace").split("\n")]:
            ready, _, _ = select.select([terminal], [], [], max(0, ends - time.monotonic()))
            if not ready:
                return f"did not print `{line}` within {LIMIT_SECONDS} s"
            try:
                part = os.read(terminal, 4096)
            except OSError:  # The other end is closed: it has ended.
                part = b""
            if not part:
                return f"ended before it printed `{line}`: {seen.decode('utf-8', 'replace')[-300:]}"
            seen += part
        return None
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


class Started:
    """A program that runs beside others, on a terminal, so that each line comes at once."""

    def __init__(self, command, work, environment):
        self.terminal, inner = pty.openpty()
        self.process = subprocess.Popen(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=inner, stderr=inner)
        os.close(inner)
        self.printed = b""
        self.came = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                part = os.read(self.terminal, 4096)
            except OSError:  # The other end is closed: it has ended.
                part = b""
            with self.came:
                self.printed += part
                if not part:
                    self.reader = None
                self.came.notify_all()
            if not part:
                return

    def output(self):
        return self.printed.decode("utf-8", "replace").replace("\r\n", "\n")

    def wait_for(self, line):
        with self.came:
            self.came.wait_for(lambda: line in self.output().split("\n") or self.reader is None, LIMIT_SECONDS)
            if line in self.output().split("\n"):
                return []
            return [f"    did not print `{line}`, but: {self.output()[-500:]}"]

    def end(self, wanted):
        with self.came:
            self.came.wait_for(lambda: self.reader is None, LIMIT_SECONDS)
        try:
            code = self.process.wait(timeout=1 if self.reader is None else 0)
        except subprocess.TimeoutExpired:
            return [f"    did not end within {LIMIT_SECONDS} s"]
        return difference(wanted, self.output()) + ([f"    exit code {code}, expected 0"] if code != 0 else [])

    def discard(self):
        self.process.kill()
        self.process.wait()
        if self.reader is not None:
            self.reader.join(5)
        os.close(self.terminal)


def take_step(words, wanted, wfl, source, work, environment, started):
    """Does one step of a .steps file; gives the lines that describe the failure."""
    kind = words[0]
    if kind == "start":
        if words[1] in started:
            return [f"    there is a program `{words[1]}` already"]
        started[words[1]] = Started([wfl, str(source / words[2]), *words[3:]], work, environment)
        return []
    if kind in ("await", "stop", "continue", "end") or (kind == "kill" and len(words) == 2):
        program = started.get(words[1])
        if program is None:
            return [f"    no program `{words[1]}` was started"]
        if kind == "await":
            return program.wait_for(" ".join(words[2:]))
        if kind == "end":
            return program.end(wanted)
        program.process.send_signal({"stop": signal.SIGSTOP, "continue": signal.SIGCONT, "kill": signal.SIGKILL}[kind])
        if kind == "kill":
            program.process.wait()
        return []
    if kind == "run":
        result = subprocess.run([wfl, str(source / words[1]), *words[2:]], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=LIMIT_SECONDS, check=False)
        problems = difference(wanted, result.stdout.decode("utf-8", "replace"))
        if result.returncode != 0:
            problems.append(f"    exit code {result.returncode}, expected 0")
        if problems:
            problems += [f"      {line}" for line in result.stderr.decode("utf-8", "replace").splitlines()[:15]]
        return problems
    if kind == "kill" and words[2] == "after":
        problem = kill_after([wfl, str(source / words[1])], " ".join(words[3:]), work, environment)
        return [f"    {problem}"] if problem else []
    if kind == "copy":
        shutil.copyfile(work / words[1], work / words[2])
        return []
    if kind == "take":
        shutil.copyfile(ROOT / "tests/kvb/golden" / words[1], work / words[2])
        return []
    if kind == "cut":
        os.truncate(work / words[1], int(words[2], 0))
        return []
    if kind in ("flip", "patch"):
        with open(work / words[1], "r+b") as file:
            offset = int(words[2], 0)
            file.seek(offset)
            new = bytes([file.read(1)[0] ^ 0x10]) if kind == "flip" else bytes.fromhex(words[3])
            file.seek(offset)
            file.write(new)
        return []
    return [f"    there is no step `{kind}`"]


def run_steps(path, wfl, source, work, environment):
    started = {}
    try:
        return run_each_step(path, wfl, source, work, environment, started)
    finally:
        for program in started.values():
            program.discard()


def run_each_step(path, wfl, source, work, environment, started):
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        wanted = ""
        while at < len(lines) and lines[at].startswith(">"):
            wanted += lines[at][2:] + "\n"
            at += 1
        try:
            problems = take_step(shlex.split(line), wanted, wfl, source, work, environment, started)
        except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as problem:
            problems = [f"    {problem!r}"]
        if problems:
            return [f"    {path.name}, line {number}: {line}", *problems]
    return []


def run(wfl, path):
    """Runs one program; gives the lines that describe the failure, none when it passed, None when it is no test."""
    try:
        expectation = Expectation(path)
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        return [f"    could not be read: {problem}"]
    if expectation.is_input:
        return None
    if not expectation.says_something:
        return ["    states nothing: add // expect: lines, a .out file, // expect error: or // exit:"]
    with tempfile.TemporaryDirectory(prefix="wfl-program-") as scratch:
        source = pathlib.Path(scratch) / "source"
        work = pathlib.Path(scratch) / "work"
        work.mkdir()
        # The program's own folder is copied, so that reports and files it writes beside itself don't touch the sources.
        shutil.copytree(path.parent, source)
        arguments = [argument.replace("{source}", str(source)) for argument in expectation.arguments]
        environment = dict(os.environ, NO_COLOR="1", TZ="UTC", **expectation.environment)
        try:
            result = subprocess.run([wfl, *expectation.flags, str(source / path.name), *arguments], cwd=work, env=environment,
                                    stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return [f"    did not end within {LIMIT_SECONDS} s"]
        steps = path.with_suffix(".steps")
        after = run_steps(steps, wfl, source, work, environment) if result.returncode == 0 and steps.exists() else []
        printed = result.stdout.decode("utf-8", "replace").replace(str(source), "{source}")
        errors = result.stderr.decode("utf-8", "replace").replace(str(source), "{source}")
    problems = after
    if printed != expectation.output:
        problems += difference(expectation.output, printed) or ["    differs in line ends only"]
    if result.returncode != expectation.exit:
        problems.append(f"    exit code {result.returncode}, expected {expectation.exit}")
    at = 0
    for part in expectation.errors:
        found = errors.find(part, at)
        if found < 0:
            problems.append(f"    standard error does not say (in this order): {part}")
            break
        at = found + len(part)
    if problems and errors:
        problems += ["    standard error:"] + [f"      {line}" for line in errors.splitlines()[:15]]
    return problems


def find_wfl():
    candidates = [os.environ.get("WFL"), ROOT / "build/release/apps/wfl/wfl", ROOT / "build/test/apps/wfl/wfl", shutil.which("wfl")]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return str(pathlib.Path(candidate).resolve())
    return None


def main():
    parser = argparse.ArgumentParser(description="Runs the WFL programs that state what they print.")
    parser.add_argument("programs", nargs="*", type=pathlib.Path, help="only these programs or folders")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--wfl", help="the wfl to run them with; default: $WFL, the build folder, the path")
    arguments = parser.parse_args()
    wfl = str(pathlib.Path(arguments.wfl).resolve()) if arguments.wfl else find_wfl()
    if wfl is None:
        print("There is no wfl to run the programs with. Build it first (make build), or set WFL to its path.")
        print("0 passed, 1 failed")
        return 1

    roots = arguments.programs or [ROOT / "TestPrograms", ROOT / "examples"]
    programs = []
    for root in roots:
        programs += sorted(root.rglob("*.wfl")) if root.is_dir() else [root.resolve()]
    if not programs:
        print("There are no programs to run.")
        print("0 passed, 1 failed")
        return 1
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for path, problems in zip(programs, pool.map(lambda program: run(wfl, program), programs)):
            if problems is None:
                continue
            if not problems:
                passed += 1
                continue
            failed += 1
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"FAILED {shown}")
            print("\n".join(problems))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
