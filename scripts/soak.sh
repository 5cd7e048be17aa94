#!/bin/bash
# Runs the engine's random tests (names with model, crash, fault, random, fuzz, kill or stress in them) with twenty times the work
# and a new seed each round, until the time is over or one fails. The seed that failed is printed with the command that repeats it.
#
#   scripts/soak.sh [SECONDS] [JOBS]      SCALE=N for another factor, SEED=N to begin elsewhere
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-3600}
jobs=${2:-2}
build=build/full
scale=${SCALE:-20}
seed=${SEED:-$(date +%s)}
pattern='[Mm]odel|[Cc]rash|[Ff]ault|[Rr]andom|[Ff]uzz|[Kk]ill|[Ss]tress|[Pp]roperty'

mkdir -p build
cmake --preset full -DWFLKS_BUILD_TESTS=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "$jobs"
ends=$((SECONDS + seconds))
round=0
while [ "$SECONDS" -lt "$ends" ]; do
  round=$((round + 1))
  begun=$SECONDS
  echo "round $round, seed $seed, scale $scale"
  if ! WFLKS_TEST_SCALE=$scale WFLKS_TEST_SEED=$seed \
    ctest --test-dir "$build" -j "$jobs" --timeout 7200 --output-on-failure --no-tests=error -R "$pattern" >build/soak.log 2>&1; then
    tail -n 80 build/soak.log
    echo "Failed with seed $seed. To repeat it: WFLKS_TEST_SCALE=$scale WFLKS_TEST_SEED=$seed ctest --test-dir $build -R '$pattern'"
    exit 1
  fi
  grep 'tests passed' build/soak.log || true
  echo "round $round took $((SECONDS - begun)) s"
  seed=$((seed + 1))
done
echo "$round rounds, none failed."
