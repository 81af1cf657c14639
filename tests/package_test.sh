#!/usr/bin/env bash
# Installs the build given as $1 into a temporary prefix and uses it from outside the tree: a five-line CMake
# project, a one-line compiler command through pkg-config, and the installed program. Holds the demo's size to
# its limit, and what including the header costs to little more than the standard headers that it needs.
set -euo pipefail
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null

mkdir "$work/user"
cat >"$work/user/main.cpp" <<'CPP'
#include <goneuron/goneuron.h>
#include <cstdio>
using namespace goneuron;
int main() {
  const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
  auto model = Sequential({Dense(8, Tanh), Dense(1, Sigmoid)});
  model.compile(Adam(0.05), MSE);
  model.fit(x, y, {.epochs = 500, .batch_size = 4});
  const Tensor p = model.predict(x);
  std::printf("%.0f%.0f%.0f%.0f\n", p.at({0, 0}), p.at({1, 0}), p.at({2, 0}), p.at({3, 0}));
}
CPP
cat >"$work/user/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES CXX)
find_package(goneuron REQUIRED)
add_executable(user main.cpp)
target_link_libraries(user PRIVATE goneuron::goneuron)
CMAKE

expect() {  # expect WHAT FOUND
  [ "$2" = 0110 ] || { echo "$1: XOR should be learnt as 0110, found \"$2\"" >&2; exit 1; }
}
cmake -G Ninja -S "$work/user" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
expect "the CMake project" "$("$work/cmake/user")"

pc=$(dirname "$(find "$work/prefix" -name goneuron.pc)")
export PKG_CONFIG_PATH=$pc
# shellcheck disable=SC2046
${CXX:-g++} -O2 "$work/user/main.cpp" $(pkg-config --cflags --libs --static goneuron) -o "$work/one_line"
expect "the one-line command" "$("$work/one_line")"

for program in "$work/one_line" "$build/example_demo"; do
  size=$(stat -c %s "$program")
  [ "$size" -le 5000000 ] || { echo "$program takes $size bytes, over 5 MB" >&2; exit 1; }
done
"$work/prefix/bin/goneuron" info >/dev/null

# In time of the processor, the best of five, in turn, less that of an empty file; against other headers, as machines
# differ. <memory> or <functional> in one of ours would be over the limit.
echo >"$work/empty.cpp"
printf '#include <%s>\n' string vector optional span exception initializer_list >"$work/standard.cpp"
echo '#include <goneuron/goneuron.h>' >"$work/ours.cpp"
best_empty=999999 best_standard=999999 best_ours=999999
TIMEFORMAT='%U %S'
export LC_ALL=C CCACHE_DISABLE=1
for _ in 1 2 3 4 5; do
  for file in empty standard ours; do
    read -r user system < <({ time ${CXX:-g++} -std=c++20 -O2 "-I$work/prefix/include" -c "$work/$file.cpp" -o "$work/o.o"; } 2>&1)
    took=$((10#${user/./} + 10#${system/./}))
    best=best_$file
    [ "$took" -ge "${!best}" ] || printf -v "$best" %d "$took"
  done
done
standard=$((best_standard - best_empty)) ours=$((best_ours - best_empty))
[ "$ours" -le $((standard * 16 / 10)) ] || {
  echo "including goneuron.h takes $ours ms, over 1.6 x $standard ms of the standard headers it needs" >&2
  exit 1
}
echo "package used by CMake and by pkg-config; the demo takes $size bytes, including the header $ours ms"
