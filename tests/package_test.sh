#!/usr/bin/env bash
# Installs the build given as $1 into a temporary prefix and uses it from outside the tree: a five-line CMake
# project, a one-line compiler command through pkg-config, and the installed program.
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
echo "package used by CMake and by pkg-config; the demo takes $size bytes"
