#!/usr/bin/env bash
# Compiles and runs the program that docs/training.md is made of, against the build given as $1.
set -euo pipefail
. "$(dirname "$0")/doc_page.sh"
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

run_page training "$build" 'return same && most > 0 && history["val_accuracy"].back() > 0.85 ? 0 : 1; }'
for file in best.safetensors log.csv logs/train report.html history.csv; do
  [ -e "run/$file" ] || { echo "docs/training.md left no run/$file" >&2; exit 1; }
done
