#!/usr/bin/env bash
# Compiles and runs the program that docs/tables.md is made of, against the build given as $1.
set -euo pipefail
source=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

awk '/^```cpp/ {on=1; next} /^```/ {on=0} on' "$source/docs/tables.md" >tables.cc
[ "$(grep -c . tables.cc)" -gt 20 ] || { echo "docs/tables.md: expected a program" >&2; exit 1; }
for file in houses more; do
  echo id,rooms,city,price
  for i in $(seq 300); do echo "$i,$((i % 7 + 1)),$([ $((i % 3)) = 0 ] && echo Rome || echo Oslo),$((i % 7 * 1000 + i)).5"; done
done >both.csv
head -301 both.csv >houses.csv
tail -301 both.csv >more.csv

${CXX:-g++} -std=c++20 -O1 -Wall -Wextra -Werror -I"$source/include" tables.cc -o tables \
  "$build/libgoneuron.a" $(pkg-config --libs fmt libhwy zlib libpng libjpeg) -pthread
./tables | tee out || { echo "the program of docs/tables.md failed" >&2; exit 1; }
grep -q 'rooms .*input .*number, 1 to 7' out || { echo "rooms: expected numbers from 1 to 7" >&2; exit 1; }
grep -q 'city .*input .*category, 2: Oslo, Rome' out || { echo "city: expected two categories" >&2; exit 1; }
