#!/usr/bin/env python3
"""Compares `get value` in a WFL loop with the same loop over the C++ API: same bucket, same keys, one after the other.

    bench/wfl/keystore.py [--wfl PATH] [--cpp PATH] [--runs N]

The best of N runs counts for each side. Opening the bucket is not counted.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "release"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"keystore.py: {' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout.split()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wfl", default=BUILD / "apps" / "wfl" / "wfl")
    parser.add_argument("--cpp", default=BUILD / "bench" / "wfl_keystore_bench")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--gets", type=int, default=1_000_000)
    options = parser.parse_args()
    for program in (options.wfl, options.cpp):
        if not Path(program).exists():
            sys.exit(f"keystore.py: there is no {program}. Build the release preset, or name the programs.")
    with tempfile.TemporaryDirectory() as folder:
        bucket = Path(folder) / "bench.kvb"
        run([options.cpp, "make", bucket, str(options.keys)])
        numbers = [str(options.keys), str(options.gets)]
        sides = {
            "C++": [options.cpp, "get", bucket, *numbers],
            "WFL": [options.wfl, HERE / "keystore" / "get.wfl", bucket, *numbers],
        }
        best, sums = {}, set()
        for _ in range(options.runs):
            for name, command in sides.items():
                milliseconds, total = run(command)
                best[name] = min(best.get(name, float("inf")), float(milliseconds))
                sums.add(total)
        if len(sums) != 1:
            sys.exit(f"keystore.py: the two sides read different values: {sums}")
    for name, milliseconds in best.items():
        print(f"{name}  {options.gets / milliseconds * 1000:>12,.0f} gets/s")
    print(f"WFL reaches {best['C++'] / best['WFL'] * 100:.0f} % of the C++ rate.")


if __name__ == "__main__":
    main()
