#!/usr/bin/env bash
# The example of a mixture of experts with a small budget: it says which expert was used for which
# function, no expert is idle, every row is routed, and the mixture beats the dense layer.
set -euo pipefail
program=$(realpath "$1")/example_mixture
out=$("$program" --quick)
echo "$out"
python3 - "$out" <<'PYTHON'
import re, sys
text = sys.argv[1]
table = [[float(v) for v in re.findall(r"([0-9.]+) %", line)] for line in text.splitlines() if "%" in line]
assert len(table) == 4 and all(len(row) == 4 for row in table), table
for row in table:
    assert abs(sum(row) - 100) < 0.3, row  # rounded to 0.1
for expert in zip(*table):
    assert sum(expert) > 10, ("an expert is hardly used", table)
# Chosen by chance, the largest share of a function would be a quarter.
assert sum(max(row) for row in table) / 4 > 80, ("experts do not specialise", table)
mixture, dense = (float(v) for v in re.search(r"mixture ([0-9.]+), dense layer ([0-9.]+)", text).groups())
assert mixture < dense / 2, (mixture, dense)
PYTHON
