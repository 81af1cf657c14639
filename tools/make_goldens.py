#!/usr/bin/env python3
"""Writes tests/fixtures/golden_*.json: what PyTorch computes, for the tests that need no PyTorch.

usage: make_goldens.py [OUTPUT_FOLDER]      needs PyTorch >= 2.0 on the CPU; takes seconds; same bytes every time

Inputs and weights are multiples of powers of two that float32 holds exactly; everything computed from them is
computed in float64, the truer value, and written with 12 significant digits. So a float32 run differs from it by its
own rounding only, and a float64 run by 1e-12. null stands for NaN.

Layouts are GoNeuron's: channels last, Dense weights [in, out], Conv2D weights [kh, kw, in, out].

Data and initial weights of the training runs are not in the files: they come from `mix`, an integer hash that
tests/golden.h has too. words(stream, n)[i] = fmix32(i * 0x9E3779B9 + stream * 0x85EBCA6B + 1) modulo 2^32, where
fmix32 is the finalizer of MurmurHash3.
"""
import importlib
import math
import pathlib
import sys

import torch

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def number(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    return "null" if math.isnan(v) else ("%.12g" % v)


def text(v, indent=0):
    pad = "\n" + " " * (indent + 1)
    if isinstance(v, torch.Tensor):
        values = v.detach().contiguous().flatten().tolist()
        return '{"shape": [%s], "values": [%s]}' % (", ".join(map(str, v.shape)), ",".join(map(number, values)))
    if isinstance(v, dict):
        return "{" + ",".join("%s\"%s\": %s" % (pad, k, text(x, indent + 1)) for k, x in v.items()) + "}"
    if isinstance(v, (list, tuple)):
        if all(isinstance(x, (int, float)) for x in v):
            return "[" + ", ".join(map(number, v)) + "]"
        return "[" + ",".join(pad + text(x, indent + 1) for x in v) + "]"
    return '"%s"' % v if isinstance(v, str) else number(v)


def write(folder, name, cases):
    document = {"made_by": "tools/make_goldens.py", "pytorch": torch.__version__.split("+")[0],
                "computed_in": "float64", "cases": cases}
    path = pathlib.Path(folder) / ("golden_%s.json" % name)
    path.write_text(text(document) + "\n")
    print("%s: %d cases, %d bytes" % (path.name, len(cases), path.stat().st_size))


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    here = pathlib.Path(__file__).resolve().parent
    folder = sys.argv[1] if len(sys.argv) == 2 else here.parent / "tests" / "fixtures"
    for file in sorted((here / "goldens").glob("*.py")):
        module = importlib.import_module("goldens." + file.stem)
        if hasattr(module, "all_cases"):  # numbers.py has none
            write(folder, file.stem, list(module.all_cases()))


if __name__ == "__main__":
    main()
