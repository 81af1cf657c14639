#!/usr/bin/env bash
# The residual and the Inception example of the build given as $1, each for one epoch on a tenth of the data: far from
# the 10 % of guessing, and the accuracy is the last line.
set -euo pipefail
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$1" >&2; cat output.txt >&2; exit 1; }

while read -r name least; do
  "$build/example_$name" --quick >output.txt 2>&1 || fail "example_$name: exit code $?"
  accuracy=$(tail -n 1 output.txt | sed -n 's/^test accuracy \(0\.[0-9][0-9][0-9][0-9]\)$/\1/p')
  [ -n "$accuracy" ] || fail "example_$name: the last line is not \"test accuracy 0.xxxx\""
  awk -v a="$accuracy" -v least="$least" 'BEGIN { exit !(a >= least) }' ||
    fail "example_$name: test accuracy $accuracy after an epoch on 6000 images, expected $least"
done <<'EXAMPLES'
resnet 0.60
inception 0.60
EXAMPLES
[ -z "$(find . -type f ! -name output.txt)" ] || fail "they left files: $(ls)"
