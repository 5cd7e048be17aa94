#!/bin/bash
# Builds the benchmarks without tests and runs them: bench/kvb (the store beside others) and bench/wfl (the language).
#
#   scripts/bench.sh [OPTION OF kvb_bench]...       JOBS=N: so many compilers at once
#
# All figures go to build/bench/results.json. A run with no options is the one whose table, plots and page are written into docs/;
# with options they are written to build/bench/report, and the language is not measured unless --quick is the only one.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build/bench
mkdir -p build
cmake --preset bench >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
grep -h "^-- kvb_bench is built without" "$build.log" || true
cmake --build "$build" -j "${JOBS:-2}"

for option in "$@"; do
  case $option in
    -h | --help | --list) exec "$build/bench/kvb_bench" "$@" ;;
  esac
done
"$build/bench/kvb_bench" --json "$build/results.json" "$@"
echo
pages=$build/report
if [ $# -eq 0 ]; then pages=docs; fi
scripts/bench_report.py "$build/results.json" --write "$pages"

if [ $# -eq 0 ] || [ "$*" = "--quick" ]; then
  echo
  "$build/bench/kvb_processes" readers
  echo
  WFL="$build/apps/wfl/wfl" bench/wfl/run.py
  bench/wfl/keystore.py --wfl "$build/apps/wfl/wfl" --cpp "$build/bench/wfl_keystore_bench"
fi
