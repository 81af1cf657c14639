#!/usr/bin/env python3
"""clang-tidy over all sources, several in one translation unit.

Two thirds of clang-tidy's time are spent on the standard library's headers, again for each source: see units.py. A unit
that does not compile all the same is taken apart, and its sources are checked one by one.

usage: tools/tidy.py BUILD    BUILD: a configured build folder, with compile_commands.json
Exit code 0: no finding; 1: the lines above say what was found.
"""
import collections
import concurrent.futures
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile

import units as together

# One instruction set stands for all: its kernels are the same source.
ONE_TARGET = ["-DHWY_COMPILE_ONLY_STATIC"] + ["-march=x86-64-v4"] * (platform.machine() == "x86_64")
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def flags_of(command):
    """What a source is compiled with, but for its own name and its output's."""
    kept, words = [], iter(shlex.split(command)[1:])
    for word in words:
        if word in ("-o", "-c"):
            next(words)
        elif word.startswith(("-D", "-I", "-isystem", "-std")):
            kept.append(word)
            if word in ("-isystem", "-I"):
                kept.append(next(words))
    return tuple(kept)


def units(sources):
    """Sources of the same flags that can be compiled together."""
    by_flags = collections.defaultdict(list)
    for path, flags in sources:
        by_flags[flags].append(path)
    return [{"flags": flags, "paths": some} for flags, paths in by_flags.items() for some in together.units(paths, True)]


def tidy(path, flags):
    command = ["clang-tidy-14", "--quiet", f"--config-file={root}/.clang-tidy", path, "--", *flags, *ONE_TARGET]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout or (run.stderr if run.returncode else "")


def check(unit, number, folder):
    paths = unit["paths"]
    if len(paths) > 1:
        whole = os.path.join(folder, f"unit_{number}.cpp")
        with open(whole, "w", encoding="utf-8") as file:
            file.write(together.text_of(paths))
        code, text = tidy(whole, unit["flags"])
        if "[clang-diagnostic-error]" not in text:
            return code, text
        print(f"taken apart: {' '.join(os.path.relpath(path, root) for path in paths)}", flush=True)
    results = [tidy(path, unit["flags"]) for path in paths]
    return max(code for code, _ in results), "".join(text for _, text in results)


def sources_of(path):
    """Of a unit, those that it includes."""
    if path.startswith(root + "/src/"):
        return [path]
    with open(path, encoding="utf-8") as file:
        return re.findall(rf'#include "({re.escape(root)}/src/.*\.cpp)"', file.read())


def main():
    with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    sources = sorted({(path, flags_of(c["command"])) for c in commands for path in sources_of(c["file"])})
    work = units(sources)
    work.sort(key=lambda unit: -len(unit["paths"]))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: check(job[1], job[0], folder), enumerate(work)))
    print("".join(text for _, text in results), end="")
    return int(any(code for code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
