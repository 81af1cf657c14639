#!/usr/bin/env bash
# Compiles and runs the C++ of the README against the build given as $1, with one epoch instead of ten. The first block
# is a whole program; the blocks after it go on inside its main().
set -euo pipefail
source=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```cpp/ {on=1; n++; next} /^```/ {on=0} on {print > (work "/" n ".cpp")}' work="$work" "$source/README.md"
[ -s "$work/1.cpp" ] && [ -s "$work/2.cpp" ] || { echo "README.md: expected two or more C++ blocks" >&2; exit 1; }
[ "$(grep -c 'epochs = 10' "$work/1.cpp")" -eq 1 ] || { echo "README.md: expected epochs = 10 once" >&2; exit 1; }
{
  sed -e '$d' -e 's/epochs = 10/epochs = 1/' "$work/1.cpp"
  find "$work" -name '[2-9].cpp' | sort | xargs cat
  echo '  return classes.size() == 5 && accuracy > 0.8 && again.predict(few.x) == model.predict(few.x) ? 0 : 1;'
  echo '}'
} >"$work/readme.cc"

cd "$work"
${CXX:-g++} -std=c++20 -O1 -Wall -Wextra -Werror -I"$source/include" readme.cc -o readme "$build/libgoneuron.a" \
  $(pkg-config --libs fmt libhwy zlib libpng libjpeg) -pthread
./readme >output.txt 2>&1 || { cat output.txt; echo "the README's program failed" >&2; exit 1; }
