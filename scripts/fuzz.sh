#!/bin/bash
# Runs each libFuzzer target, under the address and undefined behaviour sanitizers, for a while. The committed inputs are in
# fuzz/corpus/NAME; what is found new goes to build/fuzz/corpus/NAME, and an input that fails to build/fuzz/found.
#
#   scripts/fuzz.sh [SECONDS] [JOBS]      TARGET=NAME for one alone
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
jobs=${2:-2}
build=build/fuzz

mkdir -p "$build/found"
cmake --preset fuzz >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "$jobs"
status=0
count=0
for program in "$build"/fuzz/fuzz_*; do
  name=$(basename "$program")
  if [ ! -f "$program" ] || [ ! -x "$program" ] || [ "${TARGET:-$name}" != "$name" ]; then continue; fi
  count=$((count + 1))
  mkdir -p "$build/corpus/$name"
  seeds=()
  [ -d "fuzz/corpus/$name" ] && seeds=("fuzz/corpus/$name")
  options=()
  [ -f "fuzz/$name.dict" ] && options=(-dict="fuzz/$name.dict")
  echo "$name: $seconds s"
  if ! "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/found/$name-" \
    "${options[@]}" "$build/corpus/$name" "${seeds[@]}" >"$build/$name.log" 2>&1; then
    tail -n 60 "$build/$name.log"
    echo "$name found something; the input is in $build/found. To repeat it: $program INPUT"
    status=1
  fi
  grep -E 'stat::number_of_executed_units' "$build/$name.log" || true
done
if [ "$count" -eq 0 ]; then
  echo "There is no target fuzz/fuzz_*.cpp${TARGET:+ named $TARGET}." >&2
  exit 1
fi
exit "$status"
