#!/usr/bin/env python3
"""Everything that can be said about the sources without running them: this is `make lint`.

    format     clang-format-19 would change nothing (`--fix-format` lets it change what it wants)
    layers     scripts/check_layers.py; docs/layers.svg is drawn from the same list
    shape      no file above 800 lines, no tabs, no trailing blanks, a newline at the end
    headers    each header compiles on its own
    scripts    shellcheck for shell, the compiler for Python
    tidy       clang-tidy-19 with .clang-tidy; only if asked for (`make tidy`, `--only tidy`): it takes a quarter of an hour

What compiled or was found clean before is not looked at again while neither it nor a header that it reaches has changed
(build/lint/clean). clang-tidy looks at changed files first, then at the others in an order that differs from commit to commit;
`--tidy-seconds N` ends it after that time, and the summary says how many files were left out.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = SOURCE / "build" / "lint"
CLEAN = BUILD / "clean"
CXX = (".cpp", ".c", ".h")
MAX_LINES = 800
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def sh(command, **arguments):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=SOURCE, check=False, **arguments)


def project_files():
    """Everything that is in the repository or could be added to it."""
    listed = sh(["git", "ls-files", "--cached", "--others", "--exclude-standard"])
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:  # An unpacked archive.
        names = [p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*") if p.is_file() and "build" not in p.relative_to(SOURCE).parts[:1]]
    return sorted(n for n in set(names) if (SOURCE / n).is_file())


class Fingerprints:
    """Names the content of a file together with all project headers that it reaches."""

    def __init__(self):
        self.memory = {}

    def _direct(self, path):
        if path not in self.memory:
            data = (SOURCE / path).read_bytes()
            reached = []
            for header in INCLUDE.findall(data.decode("utf-8", errors="replace")):
                for root in ("src/", "include/", "tests/", ""):
                    if (SOURCE / (root + header)).is_file():
                        reached.append(root + header)
                        break
            self.memory[path] = (hashlib.sha256(data).hexdigest(), reached)
        return self.memory[path]

    def of(self, path, salt):
        seen, todo = {}, [path]
        while todo:
            current = todo.pop()
            if current not in seen:
                digest, reached = self._direct(current)
                seen[current] = digest
                todo += reached
        return hashlib.sha256((salt + json.dumps(sorted(seen.items()))).encode()).hexdigest()


def remembered(fingerprint):
    return (CLEAN / fingerprint).exists()


def remember(fingerprint):
    CLEAN.mkdir(parents=True, exist_ok=True)
    (CLEAN / fingerprint).touch()


def check_format(files, fix, jobs):
    sources = [f for f in files if f.endswith(CXX)]
    if not sources:
        return []
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    batches = [sources[i::jobs] for i in range(jobs) if sources[i::jobs]]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(lambda batch: sh(["clang-format-19", "--style=file", *mode, *batch]), batches))
    problems = []
    for result in results:
        if result.returncode != 0:
            first = {}
            for line in result.stderr.splitlines():
                if "error:" in line:
                    first.setdefault(line.split(":")[0], line)
            problems += first.values() or [result.stderr]
    return problems + (["`make format` rewrites them"] if problems else [])


def check_layers(_files):
    problems = []
    for command in (["scripts/check_layers.py", "--self-test"], ["scripts/draw_layers.py", "--check"]):
        result = sh([sys.executable, *command])
        if result.returncode != 0:
            problems += result.stderr.splitlines()
    return problems


def check_shape(files):
    problems = []
    for name in files:
        if not name.endswith((*CXX, ".def", ".py", ".sh", ".md", ".toml", ".txt", ".cmake", ".json", ".yml")) or name.startswith("tests/kvb/golden/"):
            continue
        text = (SOURCE / name).read_bytes()
        if text and not text.endswith(b"\n"):
            problems.append(f"{name}: error: the last line has no newline")
        lines = text.split(b"\n")
        if name.endswith((*CXX, ".py", ".sh")):
            if len(lines) - 1 > MAX_LINES:
                problems.append(f"{name}: error: {len(lines) - 1} lines; above {MAX_LINES} it is several files")
            for number, line in enumerate(lines, 1):
                if b"\t" in line:
                    problems.append(f"{name}:{number}: error: a tab; write \\t in a string, spaces elsewhere")
                if line.endswith((b" ", b"\r")):
                    problems.append(f"{name}:{number}: error: blanks at the end of the line")
    return problems


def check_headers(files, prints, jobs):
    headers = [f for f in files if f.endswith(".h") and f.startswith(("src/", "include/", "tests/"))]
    flags = ["-std=c++23", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Isrc", "-Itests"]

    def one(header):
        language = "c++"
        fingerprint = prints.of(header, "header " + " ".join(flags))
        if remembered(fingerprint):
            return []
        root = next(r for r in ("src/", "include/", "tests/") if header.startswith(r))
        result = sh(["clang++-19", *flags, "-fsyntax-only", "-x", language, "-"], input=f'#include "{header.removeprefix(root)}"\n')
        if result.returncode == 0:
            remember(fingerprint)
            return []
        return [f"{header}: error: it does not compile on its own", *result.stderr.splitlines()[:6]]

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [line for lines in pool.map(one, headers) for line in lines]


def first_line(name):
    with open(SOURCE / name, "rb") as file:
        return file.readline(100)


def check_scripts(files):
    problems = []
    shell = [f for f in files if f.endswith(".sh") or (f.startswith(".ci/") and re.match(rb"#!.*\b(ba)?sh\b", first_line(f)))]
    if shell:
        result = sh(["shellcheck", "--severity=style", "--format=gcc", *shell])
        problems += result.stdout.splitlines()
    for name in (f for f in files if f.endswith(".py")):
        try:
            compile((SOURCE / name).read_text(encoding="utf-8"), name, "exec", dont_inherit=True)
        except SyntaxError as error:
            problems.append(f"{name}:{error.lineno}: error: {error.msg}")
    for name in shell:
        if not os.access(SOURCE / name, os.X_OK):
            problems.append(f"{name}: error: a script that cannot be executed; chmod +x")
    return problems


def check_rules(_files):
    result = sh([sys.executable, str(SOURCE / "scripts" / "rules.py"), "--check"])
    return result.stdout.splitlines()


def changed_files():
    """What this work changed: against the remote's main branch if there is one, else the last ten commits."""
    for base in ("origin/main", "HEAD~10", "HEAD"):
        merge_base = sh(["git", "merge-base", base, "HEAD"])
        if merge_base.returncode == 0:
            return set(sh(["git", "diff", "--name-only", merge_base.stdout.strip()]).stdout.splitlines())
    return set()


def check_tidy(files, prints, jobs, seconds):
    configured = sh(["cmake", "--preset", "lint"])
    if configured.returncode != 0:
        return [configured.stdout + configured.stderr], ""
    sources = [f for f in files if f.endswith((".cpp", ".c")) and f.startswith(("src/", "apps/", "fuzz/"))]
    known = {os.path.relpath(e["file"], SOURCE) for e in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))}
    sources = [f for f in sources if f in known]
    # CCACHE and other launchers are no concern of clang-tidy: CMake leaves them out of the compile commands.
    salt = "tidy " + (SOURCE / ".clang-tidy").read_text(encoding="utf-8") + sh(["clang-tidy-19", "--version"]).stdout
    changed = changed_files()
    commit = sh(["git", "rev-parse", "HEAD"]).stdout
    order = sorted(sources, key=lambda f: (f not in changed, hashlib.sha256((commit + f).encode()).hexdigest()))
    begun = time.monotonic()
    left_out = []

    def one(path):
        fingerprint = prints.of(path, salt)
        if remembered(fingerprint):
            return []
        if seconds and time.monotonic() - begun > seconds:
            left_out.append(path)
            return []
        result = sh(["clang-tidy-19", "--quiet", "-p", str(BUILD), path])
        if result.returncode == 0:
            remember(fingerprint)
            return []
        return [line for line in (result.stdout + result.stderr).splitlines() if line.strip() and " warnings generated" not in line]

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        problems = [line for lines in pool.map(one, order) for line in lines]
    note = f"{len(sources) - len(left_out)} of {len(sources)} files"
    if left_out:
        note += f", {len(left_out)} left out at the time limit of {seconds} s"
    return problems, note


def main():
    parser = argparse.ArgumentParser(description="Checks the sources without running them.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--tidy-seconds", type=int, default=0, help="time limit for clang-tidy; 0: none (default)")
    parser.add_argument("--fix-format", action="store_true", help="only rewrite the files in the project's format")
    parser.add_argument("--only", action="append", help="only this check")
    arguments = parser.parse_args()
    for tool in ("clang-format-19", "clang-tidy-19", "clang++-19", "shellcheck", "cmake"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing. `scripts/install_dependencies.sh lint` installs it.")
    BUILD.mkdir(parents=True, exist_ok=True)

    files = project_files()
    if arguments.fix_format:
        for problem in check_format(files, True, arguments.jobs):
            print(problem)
        return 0
    prints = Fingerprints()
    note = ""

    def tidy():
        nonlocal note
        problems, note = check_tidy(files, prints, arguments.jobs, arguments.tidy_seconds)
        return problems

    steps = [
        ("format", lambda: check_format(files, False, arguments.jobs)),
        ("layers", lambda: check_layers(files)),
        ("shape", lambda: check_shape(files)),
        ("scripts", lambda: check_scripts(files)),
        ("rules", lambda: check_rules(files)),
        ("headers", lambda: check_headers(files, prints, arguments.jobs)),
        ("tidy", tidy),
    ]
    bad = []
    for name, step in steps:
        # clang-tidy is asked for by name: over the whole tree it takes a quarter of an hour.
        if name not in (arguments.only or [n for n, _ in steps if n != "tidy"]):
            continue
        begun, note = time.monotonic(), ""
        problems = step()
        for problem in problems:
            print(problem)
        if problems:
            bad.append(name)
        extra = f" ({note})" if note else ""
        print(f"{name}: {'FAILED' if problems else 'fine'}{extra}, {time.monotonic() - begun:.1f} s", flush=True)
    print("Lint found nothing." if not bad else f"Lint failed: {', '.join(bad)}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
