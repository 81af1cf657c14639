#!/usr/bin/env bash
# The `goneuron` program of the build given as $1: output, exit codes and messages.
set -euo pipefail
program=$(realpath "$1")/goneuron
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "goneuron: $1" >&2; cat out err >&2; exit 1; }
expect() {  # expect EXIT_CODE ARGUMENTS...
  local code=0 wanted=$1
  shift
  "$program" "$@" >out 2>err || code=$?
  [ $code -eq "$wanted" ] || fail "$*: exit code $code, expected $wanted"
}

expect 0 info
for name in goneuron cpu features simd cores threads libraries devices; do
  grep -qE "^$name +[^ ]" out || fail "info has no line \"$name\""
done
expect 0 --help
grep -q 'Exit codes' out || fail "--help does not document the exit codes"
expect 2
expect 2 trian price.yaml
grep -qxF 'goneuron: no command "trian"; did you mean "train"?' err || fail "a command's name is not corrected"
expect 2 zebra
grep -qF 'no command "zebra"; expected one of "train", "resume"' err || fail "the commands there are, are not told"
workloads="cnn mlp resnet gpt moe xor lstm gru"
expect 2 bench nothing
cat out err | grep -q "{${workloads// /,},all,csv}" || fail "an unknown workload does not list those there are"
expect 2 bench xor --threads -1
expect 1 summary "$work/missing.safetensors"
grep -q 'missing.safetensors' err || fail "a missing file is not named"

for mode in "" --infer; do
  # shellcheck disable=SC2086
  if [ "$mode" = --infer ]; then
    expect 0 bench all --threads 1 --seconds 0.05 --infer
    names=$workloads
  else  # steps that are over soon
    names="cnn mlp xor lstm gru"
    for name in $names; do
      expect 0 bench "$name" --threads 1 --seconds 0.05
      cat out >>lines
    done
    mv lines out
  fi
  [ "$(wc -l <out)" -eq $((2 * $(wc -w <<<"$names"))) ] || fail "bench $mode: expected two lines for each workload"
  python3 - out "$names" <<'PYTHON' || fail "bench $mode: the JSON is not as it should be"
import json, sys
lines = open(sys.argv[1]).read().splitlines()
for line in lines[1::2]:
    result = json.loads(line)
    for key in ("ms_per_step", "ms_min", "samples_per_s", "gflops", "peak_fraction", "peak_memory_bytes"):
        assert result[key] > 0, (key, result)
    assert result["threads"] == 1 and result["ms_min"] <= result["ms_per_step"], result
    assert abs(result["samples_per_s"] * result["ms_per_step"] / 1e3 / result["batch"] - 1) < 0.01, result
    # Operations are counted as direct products; Winograd's convolutions take a quarter of them.
    assert result["peak_fraction"] < (4 if result["workload"] == "resnet" else 1) and result["allocations_per_step"] >= 0, result
assert [json.loads(line)["workload"] for line in lines[1::2]] == sys.argv[2].split()
PYTHON
done
expect 0 bench csv --seconds 0.05
tail -1 out | python3 -c '
import json, sys
r = json.loads(sys.stdin.read())
assert r["workload"] == "csv" and r["rows"] * r["columns"] > 1e6 and r["bytes"] > 6e7, r
assert all(r[k] > 10 for k in ("parse_mb_per_s", "first_pass_mb_per_s", "both_mb_per_s")), r
assert r["memory_read_mb_per_s"] > r["parse_mb_per_s"], r
' || fail "bench csv: the JSON is not as it should be"
expect 0 bench xor --threads 1 --seconds 0.05 --json
[ "$(wc -l <out)" -eq 1 ] || fail "--json printed more than a line"
