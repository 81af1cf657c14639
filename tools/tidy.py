#!/usr/bin/env python3
"""clang-tidy over all sources, several in one translation unit.

Two thirds of clang-tidy's time are spent on the standard library's headers, again for each source. So sources are
put together into units that include them one after the other, as long as none has a name of its own that another
one has. A unit that does not compile all the same is taken apart, and its sources are checked one by one.

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

# One instruction set stands for all: its kernels are the same source.
ONE_TARGET = ["-DHWY_COMPILE_ONLY_STATIC"] + ["-march=x86-64-v4"] * (platform.machine() == "x86_64")
DECLARED = re.compile(r"(?:([A-Za-z_]\w*)(?:<[^>]*>)?\s*(?:\(|=|\{|;|\[|:(?!:)|$))")
NOT_NAMES = {"return", "static_cast", "if", "i64"}
ALSO_PUBLIC = "whole("  # declared in a header, and by some source for itself
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def own_names(path):
    """What a source must not share with another: its macros and names at the margin of its unnamed namespace."""
    names, own = set(), False
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("namespace {"):
                own = True
            elif line.startswith("}  // namespace\n"):
                own = False
            elif macro := re.match(r"#define (\w+)", line):
                names.add(macro[1])
            elif (own and not line[0].isspace() and line[0] not in "}/#") or line.startswith("static "):
                names.update(DECLARED.findall(line))
            if ALSO_PUBLIC in line:
                names.add(ALSO_PUBLIC)
    return names - NOT_NAMES


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
    """Sources of the same flags whose names differ; as few units as that allows, of much the same size."""
    names = {path: own_names(path) for path, _ in sources}
    shared = collections.Counter(name for own in names.values() for name in own)
    result = []
    for path, flags in sorted(sources, key=lambda s: -max((shared[name] for name in names[s[0]]), default=0)):
        fitting = [u for u in result if u["flags"] == flags and not names[path] & u["names"]]
        if fitting:
            unit = min(fitting, key=lambda u: len(u["paths"]))
        else:
            unit = {"flags": flags, "paths": [], "names": set()}
            result.append(unit)
        unit["paths"].append(path)
        unit["names"] |= names[path]
    return result


def tidy(path, flags):
    command = ["clang-tidy-14", "--quiet", f"--config-file={root}/.clang-tidy", path, "--", *flags, *ONE_TARGET]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout or (run.stderr if run.returncode else "")


def check(unit, number, folder):
    paths = unit["paths"]
    if len(paths) > 1:
        together = os.path.join(folder, f"unit_{number}.cpp")
        with open(together, "w", encoding="utf-8") as file:
            # What the ops' headers declare would be ambiguous with what others have.
            file.writelines(f'#include "{path}"\n' for path in sorted(paths, key=lambda path: "/src/ops/" in path))
        code, text = tidy(together, unit["flags"])
        if "[clang-diagnostic-error]" not in text:
            return code, text
        print(f"taken apart: {' '.join(os.path.relpath(path, root) for path in paths)}", flush=True)
    results = [tidy(path, unit["flags"]) for path in paths]
    return max(code for code, _ in results), "".join(text for _, text in results)


def main():
    with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    sources = sorted({(c["file"], flags_of(c["command"])) for c in commands if c["file"].startswith(root + "/src/")})
    work = units(sources)
    work.sort(key=lambda unit: -len(unit["paths"]))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: check(job[1], job[0], folder), enumerate(work)))
    print("".join(text for _, text in results), end="")
    return int(any(code for code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
