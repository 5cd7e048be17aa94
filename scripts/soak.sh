#!/bin/bash
# Runs the engine's random tests again and again with much more work and new seeds, until the time is over or one fails: SCALE
# times the crash images at each point, KILLS killed writers for each way of writing, OPERATIONS for each setting of the model, and
# BANK seconds of readers and a writer in processes that are stopped and killed. First it writes STRESS GB through a store of 512 MiB
# with readers beside it, which says what space, memory and time that took.
# What failed is printed with the command that repeats it.
#
#   scripts/soak.sh [SECONDS] [JOBS]      environment: SCALE (10), KILLS (500), OPERATIONS (2,000,000), BANK (300), STRESS (10), SEED
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-3600}
jobs=${2:-2}
build=build/full
seed=${SEED:-$(date +%s)}
export KVB_CRASH_SCALE=${SCALE:-10} KVB_KILLS=${KILLS:-500} KVB_MODEL_OPERATIONS=${OPERATIONS:-2000000}
export KVB_BANK_SECONDS=${BANK:-300}
stress=${STRESS:-10}
pattern='Model|Crash|Sequences|Fault|Kill|Damage|EveryByte|Process|Bank|Watch'

mkdir -p build
cmake --preset full -DWFLKS_BUILD_TESTS=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "$jobs"
ends=$((SECONDS + seconds))
if [ "$stress" -gt 0 ]; then
  cmake --preset bench >build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
  cmake --build build/bench -j "$jobs" --target kvb_processes
  build/bench/bench/kvb_processes stress "$stress" 512
fi
round=0
while [ "$SECONDS" -lt "$ends" ]; do
  round=$((round + 1))
  begun=$SECONDS
  echo "round $round: seed $seed, $KVB_CRASH_SCALE times the crash images, $KVB_KILLS kills, $KVB_MODEL_OPERATIONS operations"
  if ! KVB_MODEL_FIRST_SEED=$seed KVB_CRASH_SEED=$seed KVB_KILL_SEED=$seed \
    ctest --test-dir "$build" -V -j "$jobs" --timeout 7200 --output-on-failure --no-tests=error -R "$pattern" >build/soak.log 2>&1; then
    tail -n 80 build/soak.log
    echo "Failed with seed $seed. To repeat it: KVB_CRASH_SCALE=$KVB_CRASH_SCALE KVB_KILLS=$KVB_KILLS KVB_MODEL_OPERATIONS=$KVB_MODEL_OPERATIONS KVB_BANK_SECONDS=$KVB_BANK_SECONDS KVB_MODEL_FIRST_SEED=$seed KVB_CRASH_SEED=$seed KVB_KILL_SEED=$seed ctest --test-dir $build -R '$pattern'"
    exit 1
  fi
  grep 'tests passed' build/soak.log || true
  awk '/proof: /{sum[$(NF-1)] += $NF} END {for (name in sum) printf "  %s: %d\n", name, sum[name]}' build/soak.log
  echo "round $round took $((SECONDS - begun)) s"
  seed=$((seed + 1))
done
echo "$round rounds, none failed."
