#!/bin/bash
# Runs each libFuzzer target, under the address and undefined behaviour sanitizers, for a while, JOBS of them at once. The
# committed inputs are in fuzz/corpus/NAME, options of a target in fuzz/NAME.options; what is found new goes to
# BUILD/corpus/NAME, and an input that fails to BUILD/found. The last line is `N passed, M failed`.
#
#   scripts/fuzz.sh [SECONDS] [JOBS]      TARGET=NAME for one alone; PRESET=engine-fuzz for those of the engine
set -euo pipefail
cd "${WFLKS_SOURCE:-$(dirname "$0")/..}"
seconds=${1:-60}
jobs=${2:-2}
preset=${PRESET:-fuzz}
build=build/$preset

mkdir -p "$build/found"
cmake --preset "$preset" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "$jobs" >"$build.log" 2>&1 || { tail -n 60 "$build.log"; exit 1; }

run() {
  local program=$1 name=$2
  local options=() seeds=()
  mkdir -p "$build/corpus/$name"
  [ -d "fuzz/corpus/$name" ] && seeds=("fuzz/corpus/$name")
  [ -f "fuzz/$name.dict" ] && options+=(-dict="fuzz/$name.dict")
  [ -f "fuzz/$name.options" ] && read -r -a more <"fuzz/$name.options" && options+=("${more[@]}")
  "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/found/$name-" \
    "${options[@]}" "$build/corpus/$name" "${seeds[@]}" >"$build/$name.log" 2>&1
}

names=()
processes=()
passed=0
failed=0
finish_oldest() {
  local name=${names[0]}
  if wait "${processes[0]}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 60 "$build/$name.log"
    echo "$name found something; the input is in $build/found. To repeat it: $build/fuzz/$name INPUT"
  fi
  echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log") inputs in $seconds s"
  names=("${names[@]:1}")
  processes=("${processes[@]:1}")
}
for program in "$build"/fuzz/fuzz_*; do
  name=$(basename "$program")
  if [ ! -f "$program" ] || [ ! -x "$program" ] || [ "${TARGET:-$name}" != "$name" ]; then continue; fi
  if [ "${#names[@]}" -ge "$jobs" ]; then finish_oldest; fi
  run "$program" "$name" &
  names+=("$name")
  processes+=($!)
done
while [ "${#names[@]}" -gt 0 ]; do finish_oldest; done
if [ $((passed + failed)) -eq 0 ]; then
  echo "There is no target fuzz/fuzz_*.cpp${TARGET:+ named $TARGET}." >&2
  exit 1
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
