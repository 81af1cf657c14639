#!/usr/bin/env bash
# Compiles and runs the program that docs/data.md is made of, against the build given as $1.
set -euo pipefail
. "$(dirname "$0")/doc_page.sh"
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The files that it reads: arrays of [3, 2] and [3], images of 2 x 2 of two classes, a text.
python3 - <<'PYTHON'
import os, struct, zipfile, zlib
def npy(descr, shape, values):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n" % (descr, shape)).encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + values
x, y = npy("<f4", "(3, 2)", struct.pack("<6f", *range(6))), npy("<i8", "(3,)", struct.pack("<3q", 0, 1, 2))
open("x.npy", "wb").write(x)
with zipfile.ZipFile("xy.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("x.npy", x)
    archive.writestr("y.npy", y)
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for kind in ("cats", "dogs"):
    os.makedirs("pets/" + kind)
    for i in range(4):
        open("pets/%s/%d.png" % (kind, i), "wb").write(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes([0, 10 * i, 20, 0, 30, 40]))) + chunk(b"IEND", b""))
open("book.txt", "w").write("to be, or not to be: that is the question\n" * 9)
PYTHON

run_page data "$build"
