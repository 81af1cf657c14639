#!/usr/bin/env bash
# `goneuron` from data to predictions, with the build given as $1, as someone would who has no config and no C++:
# a table of prices and one of classes, images, a text; stopping and going on; what is refused.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
program=$(realpath "$1")/goneuron
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "goneuron: $1" >&2; tail -n 30 out err >&2; exit 1; }
expect() {  # expect EXIT_CODE ARGUMENTS...
  local code=0 wanted=$1
  shift
  "$program" "$@" >out 2>err || code=$?
  [ $code -eq "$wanted" ] || fail "$*: exit code $code, expected $wanted"
}
says() { grep -qF -- "$1" out || fail "no \"$1\" in the output"; }
complains() { grep -qF -- "$1" err || fail "no \"$1\" on standard error"; }

# --- a table, without a config ---
python3 "$here/make_houses.py" 1200 >houses.csv
expect 0 init houses.csv --target price
says "goneuron train price.yaml"
grep -q 'ignore: \[id\]' price.yaml || fail "the column that numbers the rows is an input"
grep -q '# passes over the training data' price.yaml || fail "the config's keys have no comments"
expect 1 init houses.csv --target price
complains "is there already"
expect 1 init houses.csv --target prize
expect 0 train price.yaml --set fit.epochs=30
says "next   goneuron predict run/price NEW.csv"
for file in model.safetensors config.yaml history.csv history.json report.html preprocessing.json; do
  [ -s "run/price/$file" ] || fail "run/price has no $file"
done
python3 - out <<'PYTHON' || fail "the trained model explains too little of the price"
import re, sys
text = open(sys.argv[1]).read()
assert float(re.search(r"test data: .*r2_score ([0-9.]+)", text).group(1)) > 0.8, text
PYTHON
expect 1 train price.yaml
complains "goneuron resume run/price"

expect 0 evaluate run/price --json
cp out evaluated.json
expect 0 predict run/price houses.csv
cp out predicted.csv
head -n 6 houses.csv | cut -d, -f2-9 >inputs.csv  # neither the target nor the column that is left out
expect 0 predict run/price inputs.csv --format json
cp out predicted.json
expect 0 predict run/price - <inputs.csv
cp out from_stdin.csv
python3 - <<'PYTHON' || fail "the predictions are not as they should be"
import csv, json
prices = [float(row["price"]) for row in csv.DictReader(open("houses.csv"))]
predicted = [float(row["price"]) for row in csv.DictReader(open("predicted.csv"))]
assert len(prices) == len(predicted)
errors = [abs(p - q) / p for p, q in zip(prices, predicted)]
assert sum(errors) / len(errors) < 0.12, sum(errors) / len(errors)
rows = json.load(open("predicted.json"))
assert len(rows) == 5 and all(abs(r["price"] / p - 1) < 1e-6 for r, p in zip(rows, predicted)), rows
again = [float(row["price"]) for row in csv.DictReader(open("from_stdin.csv"))]
assert again == predicted[:5], (again, predicted[:5])
result = json.load(open("evaluated.json"))
assert result["part"] == "test" and result["samples"] == 120 and result["r2_score"] > 0.8, result
PYTHON
expect 0 evaluate run/price --part train
expect 0 evaluate run/price houses.csv
says "1,200 samples (houses.csv)"
tail -n 1 out >straight
python3 - <<'PYTHON'
import csv
rows = list(csv.DictReader(open("houses.csv")))
names = ["agent"] + [name for name in reversed(rows[0]) if name != "id"] + ["note"]
with open("mixed.csv", "w", newline="") as out:
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    for i, row in enumerate(rows):
        writer.writerow(dict(row, agent=i % 7, note="a, b"))
PYTHON
expect 0 evaluate run/price mixed.csv
sed 's/mixed.csv/houses.csv/' out | cmp -s straight || fail "columns in another order, and others, change the result"
expect 0 predict run/price mixed.csv
cmp -s out predicted.csv || fail "columns in another order, and others, change the predictions"
cut -d, -f1-4,6- houses.csv >narrow.csv
expect 1 evaluate run/price narrow.csv
complains 'no column "built"'
expect 0 report run/price
expect 0 summary run/price
expect 0 inspect run/price
expect 0 inspect run/price/model.safetensors
says "dense/weight"
expect 0 inspect houses.csv
says "district"

# --- --check refuses what train refuses, and a run that cannot begin leaves nothing behind ---
refused() {  # refused TEXT SETTINGS...: by --check and by train, in the same words; the folder is new/run
  local text=$1
  shift
  for check in --check ""; do
    # shellcheck disable=SC2086
    expect 1 train price.yaml $check --quiet --set outputs.folder=new/run "$@"
    complains "$text"
    [ -z "$check" ] || cp err err.check
    [ ! -e new ] || fail "train $check: a run that cannot begin leaves its folder"
  done
  cmp -s err err.check || fail "--check does not say what train says"
}
refused 'no value "val_accurcy"' --set 'callbacks=[{EarlyStopping: {monitor: val_accurcy, mode: max}}]'
refused 'no value "val_loss"' --set 'split={validation: 0}'
refused 'no value "acc"' --set 'callbacks=[{ModelCheckpoint: {monitor: acc, save_best_only: true}}]'
refused 'follows a schedule' --set 'callbacks=[ReduceLROnPlateau]' \
  --set 'optimizer={Adam: {learning_rate: {CosineDecay: 0.01}}}'
refused 'keeps no moving averages' --set 'callbacks=[MovingAverage]'
refused 'cannot be made' --set outputs.folder=houses.csv/run
expect 1 train price.yaml --check
complains "goneuron resume run/price"
expect 0 train price.yaml --check --overwrite
[ -s run/price/model.safetensors ] || fail "--check has lost the run that --overwrite is for"
expect 0 train price.yaml --check --set outputs.folder=new/run
[ ! -e new ] || fail "--check leaves a folder"
expect 0 summary price.yaml
# What is said speaks of the config, not of C++.
for setting in loss=cross_entropy 'callbacks=[MovingAverage]' 'callbacks=[{EarlyStopping: {monitor: foo}}]' \
  'split={validation: 0}' augment.rotation=10 split.balanced=true data.csv.target=prize device.name=abacus \
  'model=[{Conv2D: {filters: 3, kernel: 3}}]' data.csv.missing=error; do
  ! "$program" train price.yaml --check --overwrite --set "$setting" >out 2>err ||
    fail "$setting is not refused"
  grep -qE '\((price.yaml|--set [a-z._0-9]+):[0-9]+\)' err || fail "$setting: no line of the config"
  ! grep -E '::|\.cpp|\{\.|\w\(|[ {]\.[a-z_]+ = ' err >out || fail "$setting: C++ in the place of YAML"
done
echo 'rooms,area' >half.csv
for input in "predict run/price half.csv" "predict run/price price.yaml" "evaluate run/price half.csv"; do
  # shellcheck disable=SC2086
  ! "$program" $input >out 2>err || fail "$input is not refused"
  ! grep -E '::|\.cpp|\{\.|\w\(' err >out || fail "$input: C++ in an error"
  grep -qE 'half.csv|price.yaml' err || fail "$input: the file is not named"
done
# Files that cannot be written show when training begins, bad numbers in its first step.
mkdir kept
touch kept/mine
for folder in new/run kept; do
  expect 1 train price.yaml --set outputs.folder=$folder --set 'callbacks=[{CSVLogger: {path: /proc/x/log.csv}}]'
  expect 1 train price.yaml --set outputs.folder=$folder --set 'optimizer={SGD: {learning_rate: 1e30}}'
done
[ ! -e new ] || fail "a run that learnt nothing leaves its folder"
[ "$(ls kept)" = mine ] || fail "a folder that was there is not as it was"

# --- classes ---
python3 - >flowers.csv <<'PYTHON'
import random
chance = random.Random(3)
print("length;width;kind")
for i in range(600):
    kind = chance.choice(["aster", "briar", "clover"])
    at = {"aster": (1, 5), "briar": (3, 1), "clover": (6, 4)}[kind]
    print("%.2f;%.2f;%s" % (chance.gauss(at[0], 0.6), chance.gauss(at[1], 0.6), kind))
PYTHON
expect 0 init flowers.csv
says "kind is 3 classes"
expect 0 train kind.yaml --quiet --set fit.epochs=20
printf 'length;width\n1.1;5.2\n6.1;3.9\n' >two.csv
expect 0 predict run/kind two.csv --all
sed -n 2p out | grep -q '^aster,0\.9' || fail "the first flower is an aster"
sed -n 3p out | grep -q '^clover,0\.9' || fail "the second flower is clover"
says "p_briar"

# --- a folder of images: disks and crosses ---
python3 - <<'PYTHON'
import os, random, struct, zlib
chance = random.Random(5)
def png(path, rows):
    size = len(rows)
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
                           + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
for kind in ("cross", "disk"):
    os.makedirs("shapes/" + kind)
    for i in range(120):
        x, y, r = chance.randint(7, 16), chance.randint(7, 16), chance.randint(4, 6)
        inside = (lambda a, b: a * a + b * b <= r * r) if kind == "disk" else (
            lambda a, b: max(abs(a), abs(b)) <= r and min(abs(a), abs(b)) <= 1)
        png("shapes/%s/%03d.png" % (kind, i),
            [[chance.randint(170, 255) if inside(u - x, v - y) else chance.randint(0, 60) for u in range(24)]
             for v in range(24)])
PYTHON
expect 0 init shapes
says "240 images of 2 classes (cross, disk)"
expect 0 train shapes.yaml --quiet --set fit.epochs=20
expect 0 predict run/shapes shapes/disk/003.png shapes/cross/007.png
sed -n 2p out | grep -q '^shapes/disk/003.png,disk,' || fail "a disk is no disk"
sed -n 3p out | grep -q '^shapes/cross/007.png,cross,' || fail "a cross is no cross"
expect 0 inspect shapes/disk/003.png
says "[24, 24, 1] u8"
expect 0 inspect shapes
expect 1 predict run/shapes houses.csv

# --- IDX files ---
expect 0 init /usr/share/datasets/fashion-mnist --output idx.yaml
says "60000 images of 28 x 28, 10 classes, and test images beside them"
expect 0 train idx.yaml --quiet --set data.idx.take=640 --set fit.epochs=1

# --- a text ---
for i in $(seq 400); do echo "the cat sat on the mat and saw the rat run by the hat"; done >rhyme.txt
expect 0 init rhyme.txt
expect 0 train rhyme.yaml --quiet --set fit.epochs=1 --set model.1.TransformerBlock.repeat=1 --set data.text.stride=128
expect 0 predict run/rhyme - --length 40 --temperature 0 < <(printf 'the cat s')
says "the cat s"
[ "$(head -c -1 out | wc -m)" -eq 49 ] || fail "40 characters were asked for"
cp out from_stdin
printf 'the cat s' >beginning.txt
mkdir -p the
for input in "the cat s" beginning.txt; do  # as a text, as a file
  expect 0 predict run/rhyme "$input" --length 40 --temperature 0
  cmp -s out from_stdin || fail "predict \"$input\" is not what it is from standard input"
done
expect 0 predict run/rhyme the cat s --length 40 --temperature 0
cmp -s out from_stdin || fail "words are not taken as a text"
expect 1 predict run/rhyme "THE CAT"

# --- stopping and going on: the same weights ---
cat >steps.yaml <<'YAML'
data: {fashion_mnist: {take: 8000}}
model: [Flatten, {Dropout: 0.2}, {Dense: {units: 64, activation: relu}}, {Dense: {units: 10, activation: softmax}}]
loss: cross_entropy
optimizer: {Adam: {learning_rate: {CosineDecay: 0.002}}}
fit: {epochs: 4, batch_size: 8}
outputs: {folder: run/steps, report: false, checkpoint_steps: 200}
YAML
expect 0 train steps.yaml --quiet --set outputs.folder=run/whole
"$program" train steps.yaml --quiet >out 2>err &
pid=$!
for _ in $(seq 200); do
  [ -n "$(ls run/steps/checkpoints 2>/dev/null)" ] && break
  sleep 0.05
done
kill -INT $pid
code=0
wait $pid || code=$?
[ $code -eq 3 ] || fail "an interrupted training ended with $code, expected 3"
complains "goneuron resume run/steps"
expect 0 resume run/steps --quiet
python3 - <<'PYTHON' || fail "a run that was stopped ends with other weights"
import json, struct
def weights(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    return {name: data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]
            for name, t in head.items() if name != "__metadata__"}
a, b = weights("run/whole/model.safetensors"), weights("run/steps/model.safetensors")
assert a == b and len(a) > 6, [name for name in a if a[name] != b.get(name)]
PYTHON

# --- what goes on must be the run that it was; what is refused leaves it as it is ---
cp run/steps/config.yaml before.yaml
for setting in 'loss={cross_entropy: {label_smoothing: 0.1}}:another loss' \
  model.2.Dense.activation=gelu:'other layers' data.fashion_mnist.take=7992:samples fit.batch_size=4:batch_size; do
  expect 1 resume run/steps --set "${setting%:*}" --set fit.epochs=5
  complains "${setting##*:}"
  cmp -s run/steps/config.yaml before.yaml || fail "a run that cannot go on has another config"
done
expect 0 resume run/steps --quiet --set fit.epochs=5
grep -q 'epochs: 5' run/steps/config.yaml || fail "the config is not that of the training that went on"
cp run/steps/config.yaml before.yaml
expect 1 resume run/steps --quiet --set fit.epochs=6 --set optimizer.Adam.learning_rate=1e30
cmp -s run/steps/config.yaml before.yaml || fail "a run whose first step fails has another config"

# --- what the user has stays, and what is learnt is kept whatever it is judged by ---
mkdir own
cp price.yaml own/config.yaml
(cd own && cp ../houses.csv . && "$program" train config.yaml --overwrite --set outputs.folder=. >../out 2>../err) &&
  fail "a run in the place of its config is not refused"
complains "in the place of this one"
[ -s own/config.yaml ] || fail "the user's config is lost"
mkdir -p held/checkpoints
touch held/checkpoints/thesis.txt held/history.txt
expect 0 train price.yaml --quiet --set fit.epochs=1 --set outputs.folder=held
[ -e held/checkpoints/thesis.txt ] && [ -e held/history.txt ] || fail "a file of the user's is lost"
mkdir model_of_mine
touch model_of_mine/model.safetensors
expect 1 train price.yaml --quiet --set outputs.folder=model_of_mine
complains "of no run"
[ -e model_of_mine/model.safetensors ] || fail "a model of the user's is lost"
python3 - <<'PYTHON'
import random
random.seed(1)
for name, last in ("shares.csv", 0.5), ("shares_test.csv", 1.7):
    with open(name, "w") as out:
        print("a,b,t", file=out)
        for i in range(60):
            a, b = random.random(), random.random()
            print(f"{a:.4f},{b:.4f},{last if i == 59 else a:.3f}", file=out)
PYTHON
cat >shares.yaml <<'YAML'
data: {csv: {path: shares.csv, target: t, test: shares_test.csv, task: regression}}
split: {validation: 0.1}
model: [Dense: {units: 1, activation: sigmoid}]
loss: binary_cross_entropy
fit: {epochs: 2}
outputs: {folder: run/shares, checkpoints: false}
YAML
expect 1 train shares.yaml --quiet
complains "is 1.7; expected 0 to 1"
expect 0 predict run/shares shares.csv
python3 "$here/make_houses.py" 1200 >houses_then.csv
expect 0 train price.yaml --quiet --set fit.epochs=1 --set data.csv.path=houses_then.csv --set outputs.folder=run/then
sed -i '2s/,[0-9]*\r$/,123456\r/' houses_then.csv
expect 1 resume run/then --set fit.epochs=2
complains "other ones"

# --- the shipped configs, with a small budget ---
cd "$here/.."
small() {  # small NAME SETTINGS...
  local name=$1
  shift
  expect_here 0 train "examples/configs/$name.yaml" --quiet --set fit.epochs=1 --set outputs.folder="$work/run/$name" "$@"
}
expect_here() {
  local code=0 wanted=$1
  shift
  "$program" "$@" >"$work/out" 2>"$work/err" || code=$?
  [ $code -eq "$wanted" ] || { cd "$work"; fail "$*: exit code $code, expected $wanted"; }
}
small houses
small fashion_mnist --set data.fashion_mnist.take=2000
small fashion_resnet --set data.fashion_mnist.take=256 --set optimizer.SGD.learning_rate.WarmupCosine.warmup_steps=1
small char_gpt --set data.text.take=64
[ "$(find examples/configs -name '*.yaml' | wc -l)" -eq 4 ] || fail "a shipped config is not run here"
cd "$work"
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte
[ -f $images ] || images=$images.gz
expect 0 predict run/fashion_mnist $images
[ "$(wc -l <out)" -eq 10001 ] || fail "10000 images have not as many predictions"
grep -q '^Sneaker,' out || fail "no image is a sneaker"

# --- what is refused, and the exit codes ---
expect 0 train --help-config
cmp -s out "$here/../docs/config.md" || fail "docs/config.md is not that of --help-config"
expect 1 train missing.yaml
complains "missing.yaml"
printf 'data: fashion_mnist\nmodel: [Flaten]\nloss: mse\noutputs: run/x\n' >bad.yaml
expect 1 train bad.yaml
complains 'bad.yaml:2:9'
complains 'did you mean "Flatten"'
expect 1 train steps.yaml --set fit.epoch=3
complains 'did you mean "epochs"'
expect 1 train steps.yaml --overwrite --set 'model=[Flatten, {Dense: 10}, {GroupNorm: 3}]'
complains '3 groups of 10 channels'
[ -s run/steps/model.safetensors ] || fail "a training that cannot begin has lost the run before it"
expect 4 train steps.yaml --overwrite --set device.memory_limit=1000
expect 4 train steps.yaml --overwrite --set device.name=abacus
expect 1 predict run/price missing.csv
expect 1 predict run/nothing inputs.csv
expect 1 resume run/nothing
expect 2 train
expect 2 predict run/price
expect 2 frobnicate
for command in train resume evaluate predict summary inspect report init bench info; do
  expect 0 $command --help
  says "Exit codes"
done
