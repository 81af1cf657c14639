# shellcheck shell=bash
# Sourced by the tests of pages that are one C++ program: the first block of a page begins it, the others go on inside
# its main(). A line that ends in a value, as in
#   const i64 count = model.parameters();   // 755
#   const Tensor p = model.predict(x);      // [600, 3], f32: words after a colon are for the reader
# fails the test when the variable has another one; doc_values.h says how values are written.

source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")

# run_page PAGE BUILD [ENDING]: compiles the program of docs/PAGE.md, with ENDING as its last line, against BUILD and runs
# it in the current folder, its output in output.txt.
run_page() {
  local page=docs/$1.md
  awk -v page="$page" '
    /^```cpp/ { on = 1; printf "#line %d \"%s\"\n", NR + 1, page; next }
    /^```/ { on = 0 }
    !on { next }
    { print }
    match($0, /; +\/\/ ([-0-9"[]|true|false)/) {
      value = substr($0, RSTART + 1)
      sub(/^ +\/\/ /, "", value)
      sub(/: .*/, "", value)
      name = $0
      if (!sub(/ = .*/, "", name) || !sub(/^.* /, "", name) || name !~ /^[a-z_0-9]+$/) {
        printf "#line %d\n#error this line ends in a value, and names no variable that has it\n", NR
        next
      }
      printf "doc::expect(%s, R\"~(%s)~\", \"%s\", \"%s:%d\");\n#line %d\n", name, value, name, page, NR, NR + 1
    }
  ' "$source/$page" >"$1.cc"
  printf '#line 1 "the end of %s"\n%s\n' "$page" "${3-}" >>"$1.cc"
  [ "$(grep -c . "$1.cc")" -gt 40 ] || { echo "$page: expected a program" >&2; return 1; }
  # shellcheck disable=SC2046
  ${CXX:-g++} -std=c++20 -O1 -Wall -Wextra -Werror -I"$source/include" -include "$source/tests/doc_values.h" "$1.cc" \
    -o "$1" "$2/libgoneuron.a" $(pkg-config --libs fmt libhwy zlib libpng libjpeg) -pthread
  "./$1" >output.txt 2>&1 || { cat output.txt; echo "the program of $page failed" >&2; return 1; }
}
