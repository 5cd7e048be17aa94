#!/bin/bash
# Runs the GoogleTest programs and the WFL programs in an instrumented build and writes line and branch coverage.
#
#   scripts/coverage.sh [JOBS]      report: build/coverage/report/index.html, summary on the screen
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${1:-2}
build=$PWD/build/coverage

cmake --preset coverage >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "$jobs"
find "$build" -name '*.gcda' -delete

# A failing test is shown, but the coverage of the others is still of interest.
status=0
KVB_CRASH_SCALE=0.2 KVB_MODEL_OPERATIONS=50000 KVB_KILLS=10 \
  ctest --test-dir "$build" -j "$jobs" --output-on-failure >"$build/ctest.log" || status=1
[ "$status" -eq 0 ] || tail -n 60 "$build/ctest.log"
if [ -x scripts/run_integration_tests.sh ] && [ -x "$build/apps/wfl/wfl" ]; then
  export PATH="$build/apps/wfl:$build/apps/kvb:$PATH" WFL="$build/apps/wfl/wfl" KVB="$build/apps/kvb/kvb" WFLKS_SOURCE=$PWD WFLKS_BUILD=$build
  scripts/run_integration_tests.sh >"$build/programs.log" 2>&1 || { status=1; tail -n 40 "$build/programs.log"; }
fi

mkdir -p "$build/report"
report() {
  gcovr --root . --object-directory "$build" --exclude-unreachable-branches --exclude-throw-branches \
    --gcov-ignore-parse-errors -j "$jobs" "$@"
}
report --filter 'src/' --filter 'include/' --filter 'apps/' --html-details "$build/report/index.html" --json-summary "$build/report/summary.json" \
  >"$build/gcovr.log" 2>&1 || { tail -n 20 "$build/gcovr.log"; exit 1; }

python3 - "$build/report/summary.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    files = json.load(file)["files"]


def share(covered, total):
    return f"{100 * covered / total:5.1f} %" if total else "    – "


def line(name, prefix):
    chosen = [f for f in files if f["filename"].startswith(prefix)]
    total = {k: sum(f[k] for f in chosen) for k in ("line_covered", "line_total", "branch_covered", "branch_total")}
    if total["line_total"]:
        print(f"{name:24} lines {share(total['line_covered'], total['line_total'])}   "
              f"branches {share(total['branch_covered'], total['branch_total'])}   ({total['line_total']} lines)")


layers = sorted({"/".join(f["filename"].split("/")[:3]) for f in files if f["filename"].startswith("src/")})
for layer in layers:
    line(layer, layer + "/")
line("src/kvb, all", "src/kvb/")
line("src/wfl, all", "src/wfl/")
PYTHON
echo "Report: build/coverage/report/index.html"
exit "$status"
