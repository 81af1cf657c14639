"""Writes random arrays by NumPy's own writers, and what is in them, for npy_test.

usage: numpy_files.py write FOLDER | numpy_files.py read FOLDER
write: NUMBER.npy or NUMBER.npz, with NUMBER.txt ("name shape..." a line) and NUMBER.f64 (all values in C order).
read: every *.npy of the folder that the library wrote, into the same two kinds of file.
"""
import glob
import gzip
import os
import random
import sys

import numpy as np

KINDS = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


def array(rng):
    kind = rng.choice(KINDS)
    shape = tuple(rng.choice([0, 1, 2, 3, 5, 17]) if rng.random() < 0.2 else rng.randint(1, 6)
                  for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4, 8])))
    count = int(np.prod(shape))
    if kind == "?":
        values = np.array([rng.random() < 0.5 for _ in range(count)], dtype=bool)
    elif kind[0] == "f":
        values = np.array([rng.gauss(0, 1) * 10 ** rng.randint(-3, 3) for _ in range(count)]).astype(kind)
    else:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        low, high = max(low, -2**31), min(high, 2**31 - 1)
        values = np.array([rng.choice([low, high, 0, rng.randint(low, high)]) for _ in range(count)], dtype=kind)
    values = values.reshape(shape)
    if rng.random() < 0.5:
        values = values.astype(values.dtype.newbyteorder(">"))
    return np.asfortranarray(values) if rng.random() < 0.4 else values


def describe(folder, name, arrays):
    with open(f"{folder}/{name}.txt", "w") as text, open(f"{folder}/{name}.f64", "wb") as values:
        for key, a in arrays.items():
            print(key, *a.shape, file=text)
            values.write(np.ascontiguousarray(a).astype("<f8").tobytes())


def write(folder):
    rng = random.Random(7)
    for i in range(400):
        path = f"{folder}/{i}"
        if i % 4 == 3:
            arrays = {f"a{k}": array(rng) for k in range(rng.randint(1, 5))}
            (np.savez_compressed if rng.random() < 0.6 else np.savez)(path + ".npz", **arrays)
        else:
            arrays = {"a": array(rng)}
            version = rng.choice([None, (1, 0), (2, 0), (3, 0)])
            with (gzip.open if rng.random() < 0.2 else open)(path + ".npy", "wb") as file:
                np.lib.format.write_array(file, arrays["a"], version=version)
        describe(folder, i, arrays)


def read(folder):
    for path in glob.glob(f"{folder}/*.npy"):
        name = os.path.basename(path)[:-4]
        describe(folder, name, {np.load(path).dtype.str: np.load(path)})


{"write": write, "read": read}[sys.argv[1]](sys.argv[2])
