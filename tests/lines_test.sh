#!/usr/bin/env bash
# An example needs at least 60 % fewer lines to define and train than its LibTorch counterpart. Counted are the lines
# between "// begin" and "// end" that are neither blank nor comments, formatted to 100 columns in one style.
# LibTorch's counts, by the same rule, of programs that do the same: xor 8, cnn 20, mlp 32, resnet 59, mixture (moe) 53, char_gpt (gpt) 103.
set -euo pipefail
cd "$(dirname "$0")/.."
format=$(command -v clang-format-14 || command -v clang-format)

lines() {
  "$format" --style='{BasedOnStyle: Google, ColumnLimit: 100}' "$1" |
    awk '/^[[:space:]]*\/\/ begin/ {on=1; next} /^[[:space:]]*\/\/ end/ {on=0}
         on && !/^[[:space:]]*(\/\/|$)/ {n++} END {print n+0}'
}
code=0
while read -r name libtorch; do
  ours=$(lines "examples/$name.cpp")
  fewer=$((100 * (libtorch - ours) / libtorch))
  echo "$name: $ours lines, LibTorch $libtorch: $fewer % fewer"
  [ "$ours" -gt 0 ] && [ $((10 * ours)) -le $((4 * libtorch)) ] || code=1
done <<'COUNTS'
xor 8
cnn 20
mlp 32
resnet 59
mixture 53
char_gpt 103
COUNTS
[ $code -eq 0 ] || echo "expected at least 60 % fewer lines than LibTorch for each" >&2
exit $code
