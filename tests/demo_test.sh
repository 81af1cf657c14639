#!/usr/bin/env bash
# The demo of the build given as $1, one epoch: what it prints, what it leaves, and what it refuses.
set -euo pipefail
demo=$(realpath "$1")/example_demo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "demo: $1" >&2; cat output.txt >&2; exit 1; }

"$demo" --epochs 1 --seed 3 >output.txt 2>&1 || fail "exit code $?"
accuracy=$(sed -n 's/^test accuracy \(0\.[0-9][0-9][0-9][0-9]\)$/\1/p' output.txt)
[ -n "$accuracy" ] || fail "no line \"test accuracy 0.xxxx\""
awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.83) }' || fail "test accuracy $accuracy after an epoch, expected 0.83"
[ "$(grep -o '<svg' demo-report.html | wc -l)" -eq 2 ] || fail "the report has not two curves"
[ "$(grep -o 'src="data:image/png;base64,' demo-report.html | wc -l)" -eq 60 ] || fail "the report has not 60 images"
peak=$(tr -d '\n' <demo-report.html | sed -n 's/.*peak memory[^0-9]*\([0-9]*\) MB.*/\1/p')
[ -n "$peak" ] && [ "$peak" -gt 50 ] && [ "$peak" -lt 400 ] || fail "peak memory is \"$peak\" MB, expected below 400"
[ "$(ls | wc -l)" -eq 2 ] || fail "it left more than its report: $(ls)"

for bad in "--epochs 0" "--epochs x" "--epochs" "--size 3" "--threads -1"; do
  code=0
  # shellcheck disable=SC2086
  "$demo" $bad >output.txt 2>&1 || code=$?
  [ $code -eq 2 ] || fail "$bad: exit code $code, expected 2"
done
