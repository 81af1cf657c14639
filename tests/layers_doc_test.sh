#!/usr/bin/env bash
# docs/layers.md is what tools/make_layers_doc.py writes from the public headers.
set -euo pipefail
python3 "$(dirname "$0")/../tools/make_layers_doc.py" --check
