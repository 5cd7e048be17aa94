#!/bin/sh
# Shows what this is about: a WFL program counts the words of a text and keeps the counts in a bucket; run again, it finds them.
#
#   scripts/run_example.sh WFL TEXT
set -eu

wfl=$(realpath "$1")
text=$2
program=$(realpath "$(dirname "$0")/../examples/word_count.wfl")
if [ ! -r "$text" ]; then
  echo "There is no readable text at $text. Name another one: make run TEXT=FILE" >&2
  exit 1
fi
text=$(realpath "$text")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for turn in first second; do
  echo
  echo "== The $turn run: wfl examples/word_count.wfl $text words.kvb"
  "$wfl" "$program" "$text" words.kvb
done
echo
echo "The second run counted on from what the first had left in words.kvb."
