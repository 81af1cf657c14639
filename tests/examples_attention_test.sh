#!/usr/bin/env bash
# Runs the examples of attention of the build given as $1 with their small budget: the character-level GPT must need
# at most 4.3 bits for a character of text that it has not seen (one guess for all of them needs more than 4.5), and the
# dates must learn to spell digits.
set -euo pipefail
build=$(realpath "$1")
bits=$("$build/example_char_gpt" --quick | sed -n 's/^bits per character on unseen text: //p')
awk -v bits="$bits" 'BEGIN {exit !(bits > 1 && bits < 4.3)}' ||
  { echo "char_gpt: $bits bits per character, expected 4.3 at most" >&2; exit 1; }
code=0
"$build/example_char_gpt" --quick /dev/null 2>/dev/null || code=$?
[ $code -eq 1 ] || { echo "char_gpt without a text: exit code $code, expected 1" >&2; exit 1; }
"$build/example_dates" --quick | tee /dev/stderr | awk '
  /accuracy/ {for (i = 1; i < NF; ++i) if ($i == "accuracy" && $(i + 1) > 0.35) good = 1}
  /^exact dates: [01]\.[0-9]+$/ {shown = 1}
  END {exit !(good && shown)}' || { echo "dates: expected 35 % of the characters right" >&2; exit 1; }
