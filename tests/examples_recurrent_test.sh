#!/usr/bin/env bash
# Runs the examples of recurrent layers of the build given as $1 with their small budget: the forecasts must be at most
# half as wrong as the naive one, and the classifier of image rows must be right in 70 % of cases (16 runs that began
# otherwise, or rounded otherwise, gave 73.8 to 78.5; chance 10).
set -euo pipefail
build=$(realpath "$1")
for cell in lstm gru; do
  last=$("$build/example_forecast" "$cell" --quick | tail -n 1)
  echo "$last"
  awk '{gsub(",", "")} $2 != "error" || $5 != "forecast" || !($3 < $6 / 2) {exit 1}' <<<"$last" ||
    { echo "the forecast with $cell is not twice as good as the naive one" >&2; exit 1; }
done
last=$("$build/example_classify_sequences" --quick | tail -n 1)
echo "$last"
awk '$1 != "accuracy" || !($2 > 0.7) {exit 1}' <<<"$last" ||
  { echo "the classifier of image rows is right in less than 70 % of cases" >&2; exit 1; }
