#!/usr/bin/env bash
# The example that watches a training, two epochs, in the build given as $1: every file it leaves. Its event files are
# read by a program that shares nothing with the library, and hold what the CSV file holds.
set -euo pipefail
tests=$(realpath "$(dirname "$0")")
example=$(realpath "$1")/example_watch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "watch: $1" >&2; cat output.txt >&2; exit 1; }

"$example" 2 run >output.txt 2>&1 || fail "exit code $?"
grep -q '^test accuracy 0\.[7-9]' output.txt || fail "no line \"test accuracy 0.7..\""
grep -q 'confusion_matrix' output.txt && fail "the logger prints a confusion matrix"
for file in log.csv history.json profile.txt report.html; do [ -s "run/$file" ] || fail "no $file"; done
[ "$(find run -name 'best-*.safetensors' | wc -l)" -eq 1 ] || fail "not one checkpoint"
grep -q '^conv2d ' run/profile.txt || fail "the profile has no conv2d"

python3 "$tests/read_events.py" run/logs/train/* >train.json || fail "the event files of the training"
python3 "$tests/read_events.py" run/logs/validation/* >validation.json || fail "the event files of the validation"
python3 - <<'END' || fail "the event files differ from the log"
import csv, json, struct, sys
as_float = lambda text: struct.unpack("<f", struct.pack("<f", float(text)))[0]
log = list(csv.DictReader(open("run/log.csv")))
assert len(log) == 2
seen = 0
for path, prefix in ("train.json", ""), ("validation.json", "val_"):
    events = [json.loads(line) for line in open(path)]
    for row, epoch in zip(log, (0, 1)):
        for name, value in row.items():
            own = name.startswith("val_") == bool(prefix) and name != "epoch" and "[" not in name
            if own:
                tag = "epoch_" + name[len(prefix):]
                found = [e["simple_value"] for e in events if e.get("tag") == tag and e.get("step") == epoch]
                assert found == [as_float(value)], (tag, found, value)
                seen += 1
assert seen == 2 * 2 * 5, seen
train = [json.loads(line) for line in open("train.json")]
histograms = {(e["tag"], e["step"]): e["histo"] for e in train if "histo" in e}
assert len(histograms) == 2 * 2 * 6, sorted(histograms)
for (tag, step), histogram in histograms.items():
    assert histogram["min"] <= histogram["max"] and histogram["num"] > 0, tag
    assert histogram["sum_squares"] >= histogram["sum"] ** 2 / histogram["num"] - 1e-9, tag
assert histograms["conv2d/weight", 1]["num"] == 3 * 3 * 16
assert histograms["dense_1/bias/gradient", 1]["num"] == 10
assert abs(histograms["dense_1/bias/gradient", 1]["sum"]) < 1e-5  # softmax: the shares add up to 1
read = json.load(open("run/history.json"))
assert [float(r["val_loss"]) for r in log] == [r["val_loss"] for r in read]
END
# A file with one bit changed is refused.
python3 - <<'END'
import glob
path = glob.glob("run/logs/validation/*")[0]
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 4
open("broken", "wb").write(data)
END
if python3 "$tests/read_events.py" broken >/dev/null 2>&1; then fail "a broken event file was read"; fi
