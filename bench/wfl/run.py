#!/usr/bin/env python3
"""Runs the language benchmarks: each program in WFL beside the same in Lua 5.4 and CPython, in one run on one machine.

    bench/wfl/run.py [--wfl PATH] [--runs N] [NAME…]

For each program the best CPU time of N runs counts (user and system, whole process), so that other work on the machine
disturbs as little as possible. All versions must print the same. A language that is not installed is left out.
"""
import argparse
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def find_wfl(given):
    candidates = [given] if given else [ROOT / "build" / "release" / "apps" / "wfl" / "wfl", shutil.which("wfl")]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return str(candidate)
    sys.exit("run.py: no wfl found. Build it (make build) or name it with --wfl PATH.")


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"run.py: {' '.join(command)} failed:\n{done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wfl", help="the wfl program to measure")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("names", nargs="*", help="benchmarks to run; all when none is named")
    options = parser.parse_args()
    languages = {"wfl": ("wfl", [find_wfl(options.wfl)])}
    for name, suffix, program in (("lua5.4", "lua", "lua5.4"), ("python3", "py", "python3")):
        if shutil.which(program):
            languages[name] = (suffix, [program])
    names = options.names or sorted(path.stem for path in HERE.glob("*.wfl"))
    print(f"{'benchmark':<14}" + "".join(f"{name:>12}" for name in languages) + f"{'wfl/lua':>10}{'wfl/py':>10}")
    for name in names:
        times, outputs = {}, {}
        for language, (suffix, command) in languages.items():
            source = HERE / f"{name}.{suffix}"
            if not source.exists():
                continue
            results = [cpu_seconds([*command, str(source)]) for _ in range(options.runs)]
            times[language] = min(seconds for seconds, _ in results)
            outputs[language] = results[0][1]
        if len(set(outputs.values())) != 1:
            sys.exit(f"run.py: the versions of {name} print different things: {outputs}")
        line = f"{name:<14}" + "".join(f"{times[l]:>11.3f}s" if l in times else f"{'-':>12}" for l in languages)
        for other in ("lua5.4", "python3"):
            line += f"{times['wfl'] / times[other]:>10.2f}" if other in times else f"{'-':>10}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
