#!/usr/bin/env bash
# Builds the op, the layer and the program of docs/extending.md beside the build given as $1, runs the program, and the
# tests of all ops on the new op: its object files and a table that has it come before those of the library.
set -euo pipefail
source=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/include/goneuron"
awk '/^```cpp/ {on=1; n++; next} /^```/ {on=0} on {print > (work "/" n ".cpp")}' work="$work" "$source/docs/extending.md"
[ -s "$work/4.cpp" ] && [ ! -e "$work/5.cpp" ] || { echo "docs/extending.md: expected four C++ blocks" >&2; exit 1; }
mv "$work/1.cpp" "$work/op.cc"
mv "$work/2.cpp" "$work/include/goneuron/squareplus.h"
mv "$work/3.cpp" "$work/layer.cc"
mv "$work/4.cpp" "$work/program.cc"
# As CMake writes the table, with one file more.
sed -e '0,/^namespace abs_op {/s//namespace squareplus_op {\nstd::span<const OpDef> table();\n}\n&/' \
    -e 's/^    const std::span<const OpDef> files\[\] = {/&\n    squareplus_op::table(),/' "$build/op_table.cpp" >"$work/table.cc"
[ "$(grep -c 'squareplus_op' "$work/table.cc")" -eq 2 ] || { echo "op_table.cpp has another form" >&2; exit 1; }

cd "$work"
for name in op layer table program; do
  ${CXX:-g++} -std=c++20 -O1 -Wall -Wextra -Wno-missing-field-initializers -Werror -I"$work/include" -I"$source/include" \
    -I"$source/src" -c "$name.cc" -o "$name.o"
done
libraries="$build/libgoneuron.a $(pkg-config --libs fmt libhwy zlib libpng libjpeg) -pthread"
# shellcheck disable=SC2086
${CXX:-g++} program.o layer.o op.o table.o $libraries -o program
./program || { echo "the program of docs/extending.md failed" >&2; exit 1; }

for test in registry backends; do
  object="$build/tests/CMakeFiles/${test}_test.dir/${test}_test.cpp.o"
  [ -e "$object" ] || { echo "$object is missing: build ${test}_test first" >&2; exit 1; }
  # shellcheck disable=SC2086
  ${CXX:-g++} "$object" op.o table.o $libraries -lgtest -lgtest_main -o "$test"
  "./$test" --gtest_filter='*squareplus*' >output.txt 2>&1 || { cat output.txt; exit 1; }
  grep -q "PASSED  ] [1-9]" output.txt || { echo "$test ran no test of the new op" >&2; cat output.txt; exit 1; }
done
echo "the op, the layer and the program of docs/extending.md work"
