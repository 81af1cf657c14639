#!/usr/bin/env python3
"""Sources that can be compiled together: most of a small source's time is spent on headers, again for each source.

Sources are put into units that include them one after the other, as long as none has a name of its own that another
one has. Used by clang-tidy (tools/tidy.py) and, by the command below, for the library under sanitizers.

usage: tools/units.py PREFIX SOURCE...    writes PREFIX_0.cpp, ...; prints their names, separated by semicolons
"""
import collections
import functools
import os
import re
import sys

DECLARED = re.compile(r"(?:([A-Za-z_]\w*)(?:<[^>]*>)?\s*(?:\(|=|\{|;|\[|:(?!:)|$))")
NOT_NAMES = {"return", "static_cast", "if", "i64", "namespace", "using", "template", "const", "inline", "for"}
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def declared(line):
    """Names that a line at the margin declares."""
    return set() if not line or line[0].isspace() or line[0] in "}/#" else set(DECLARED.findall(line)) - NOT_NAMES


def own_names(path):
    """What a source must not share with another: its macros and names at the margin of its unnamed namespace."""
    names, own = set(), False
    for line in lines_of(path):
        if line.startswith("namespace {"):
            own = True
        elif line.startswith("}  // namespace"):
            own = own and line != "}  // namespace"
        elif macro := re.match(r"#define (\w+)", line):
            names.add(macro[1])
        elif own or line.startswith("static "):
            names |= declared(line)
    return names - NOT_NAMES


@functools.cache
def header_names(path):
    """What a header declares at its margin, and those that it includes."""
    names = set()
    for line in lines_of(path):
        names |= declared(line)
        names |= names_of_include(line)
    return frozenset(names)


def names_of_include(line):
    include = re.match(r'#include ["<]([^">]+)[">]', line)
    found = [f"{root}/{top}/{include[1]}" for top in ("include", "src")] if include else []
    return next((header_names(path) for path in found if os.path.exists(path)), frozenset())


class Source:
    """Its own names, and those of headers that it sees, which another source's own would be confused with."""

    def __init__(self, path):
        self.own = own_names(path)
        self.sees = set().union(*(names_of_include(line) for line in lines_of(path)))
        self.words = {word for line in lines_of(path) for word in re.findall(r"\w+", line)}


def units(sources):
    """Lists of paths whose names differ; as few as that allows, of much the same length."""
    read = {path: Source(path) for path in sources}
    shared = collections.Counter(name for source in read.values() for name in source.own)
    public = set().union(*(source.sees for source in read.values()))
    result = []
    for path, source in sorted(read.items(), key=lambda item: -max((shared[name] for name in item[1].own), default=0)):
        uses = source.sees | source.words & public
        fitting = [unit for unit in result if not (source.own & (unit["own"] | unit["uses"]) or unit["own"] & uses)]
        if fitting:
            unit = min(fitting, key=lambda unit: len(unit["paths"]))
        else:
            unit = {"paths": [], "own": set(), "uses": set()}
            result.append(unit)
        unit["paths"].append(path)
        unit["own"] |= source.own
        unit["uses"] |= uses
    return [unit["paths"] for unit in result]


def text_of(paths):
    """What the ops' headers declare would be ambiguous with what others have: they come last."""
    return "".join(f'#include "{path}"\n' for path in sorted(paths, key=lambda path: "/src/ops/" in path))


def main():
    prefix, sources = sys.argv[1], sys.argv[2:]
    written = []
    for number, paths in enumerate(units(sources)):
        written.append(f"{prefix}_{number}.cpp")
        text = text_of(paths)
        old = None
        if os.path.exists(written[-1]):
            with open(written[-1], encoding="utf-8") as file:
                old = file.read()
        if old != text:  # else it would be compiled again
            with open(written[-1], "w", encoding="utf-8") as file:
                file.write(text)
    print(";".join(written), end="")


if __name__ == "__main__":
    main()
