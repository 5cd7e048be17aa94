#!/bin/bash
# Builds the benchmarks without tests and runs those that are there: bench/kvb (the engine) and bench/wfl (the language).
#
#   scripts/bench.sh [JOBS]
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${1:-2}
build=$PWD/build/bench

mkdir -p build
cmake --preset bench >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "$jobs"
ran=0
if [ -x "$build/bench/kvb_bench" ]; then
  "$build/bench/kvb_bench"
  ran=1
fi
if [ -x bench/wfl/run.py ]; then
  WFL="$build/apps/wfl/wfl" bench/wfl/run.py
  ran=1
fi
if [ -x "$build/bench/wfl_keystore_bench" ]; then
  bench/wfl/keystore.py --wfl "$build/apps/wfl/wfl" --cpp "$build/bench/wfl_keystore_bench"
  ran=1
fi
if [ "$ran" -eq 0 ]; then
  echo "No benchmark is there: neither bench/kvb/*.cpp nor bench/wfl/run.py." >&2
  exit 1
fi
