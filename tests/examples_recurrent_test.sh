#!/usr/bin/env bash
# Runs the examples of recurrent layers of the build given as $1 with their small budget: the forecasts must be at most
# half as wrong as the naive one, and the classifier of image rows must be right in 75 % of cases.
set -euo pipefail
build=$(realpath "$1")
for cell in lstm gru; do
  "$build/example_forecast" "$cell" --quick | tail -n 1 | tee /dev/stderr |
    awk '{gsub(",", "")} $2 != "error" || $5 != "forecast" || !($3 < $6 / 2) {exit 1}' ||
    { echo "the forecast with $cell is not twice as good as the naive one" >&2; exit 1; }
done
"$build/example_classify_sequences" --quick | tail -n 1 | tee /dev/stderr |
  awk '$1 != "accuracy" || !($2 > 0.75) {exit 1}' ||
  { echo "the classifier of image rows is right in less than 75 % of cases" >&2; exit 1; }
