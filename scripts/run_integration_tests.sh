#!/bin/sh
# Runs every WFL program in TestPrograms and examples that says what it prints, and compares. See run_programs.py.
set -eu
cd "$(dirname "$0")/.."
exec python3 scripts/run_programs.py "$@"
