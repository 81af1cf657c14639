#!/usr/bin/env bash
# Compiles and runs the C++ of docs/training.md against the build given as $1: the first block begins a program, the
# others go on inside its main().
set -euo pipefail
source=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```cpp/ {on=1; n++; next} /^```/ {on=0} on {print}' "$source/docs/training.md" >"$work/doc.cc"
echo '  return same && most > 0 && history["val_accuracy"].back() > 0.85 ? 0 : 1; }' >>"$work/doc.cc"
cd "$work"
${CXX:-g++} -std=c++20 -O1 -Wall -Wextra -Werror -I"$source/include" doc.cc -o doc "$build/libgoneuron.a" \
  $(pkg-config --libs fmt libhwy zlib libpng libjpeg) -pthread
./doc >output.txt 2>&1 || { cat output.txt; echo "the program of docs/training.md failed" >&2; exit 1; }
for file in best.safetensors log.csv logs/train report.html history.csv; do
  [ -e "run/$file" ] || { echo "docs/training.md left no run/$file" >&2; exit 1; }
done
