#!/usr/bin/env python3
"""Sources that can be compiled together: most of a small source's time is spent on headers, again for each source.

Sources are put into units that include them one after the other, as long as none has a name of its own that another
one has. Used for the library and the program, by the command below, and by clang-tidy (tools/tidy.py).

usage: tools/units.py [--one-target] PREFIX SOURCE...
Writes PREFIX_0.cpp, ...; prints their names, and those of sources that stay alone, separated by semicolons. Sources that
Highway compiles once for each instruction set stay alone, but with --one-target: for HWY_COMPILE_ONLY_STATIC.
"""
import collections
import functools
import os
import re
import sys

DECLARED = re.compile(r"(?:([A-Za-z_]\w*)(?:<[^>]*>)?\s*(?:\(|=|\{|;|\[|:(?!:)|$))")
CALL = re.compile(r"(?<![\w.>:])[A-Za-z_]\w*(?=\()")
BASES = re.compile(r"(?<=\w) : (public|private) .*")
NOT_NAMES = {"return", "static_cast", "if", "i64", "namespace", "using", "template", "const", "inline", "for"}
MOST = 12  # sources of a unit: one that changes takes all of them along
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def declared(line):
    """Names that a line at the margin declares."""
    if not line or line[0].isspace() or line[0] in "}/#" or line.startswith("namespace "):
        return set()
    if alias := re.match(r"using (\w+) =", line):
        return {alias[1]}
    return set(DECLARED.findall(BASES.sub("{", line))) - NOT_NAMES


def is_guarded(header):
    """Not so those that are included inside a namespace."""
    return any(line.startswith("#if") for line in lines_of(header))


def own_names(path):
    """What a source must not share with another: its macros, and names of its own at the margin, but for those in a
    namespace of the file's own: an op's or a kernel's."""
    names, spaces, apart = set(), [], f"::{os.path.basename(path)[:-4]}_"
    for line in lines_of(path):
        if space := re.match(r"namespace ([\w:]* ?){", line):
            spaces.append(space[1].strip())
        elif line.startswith("}  // namespace"):
            spaces.pop()
        elif line.startswith("using namespace "):
            names.add("using namespace")  # it would be for all that follow: see text_of
        elif macro := re.match(r"#define (\w+)", line):
            names.add(macro[1])
        elif (part := re.match(r'#include "(.*-inl\.h)"', line)) and not is_guarded(f"{root}/src/{part[1]}"):
            names.add(part[1])
        elif any(apart in space for space in spaces):
            pass
        elif line.startswith(("static ", "constexpr ", "using ")) or any(
                space == "" or "HWY_NAMESPACE" in space for space in spaces):
            names |= declared(line)
    return names - NOT_NAMES - {"HWY_TARGET_INCLUDE"}  # which each defines anew


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
    """Its own names, and those that it has from elsewhere, which another source's own would be taken for."""

    def __init__(self, path):
        lines = lines_of(path)
        self.own = own_names(path)
        self.sees = set().union(*(names_of_include(line) for line in lines))
        self.words = {word for line in lines for word in re.findall(r"\w+", line)}
        self.calls = {name for line in lines for name in CALL.findall(line)} - self.own  # of the C library, too


def units(sources, one_target):
    """Lists of at most MOST paths whose names differ; as few as that allows, of much the same length."""
    read = {path: Source(path) for path in sources}
    alone = [] if one_target else [path for path in read if has_many_targets(path)]
    for path in alone:
        del read[path]
    shared = collections.Counter(name for source in read.values() for name in source.own)
    public = set().union(*(source.sees for source in read.values()))
    result = []
    for path, source in sorted(read.items(), key=lambda item: -max((shared[name] for name in item[1].own), default=0)):
        uses = source.sees | source.words & public | source.calls
        fitting = [unit for unit in result if len(unit["paths"]) < MOST
                   and not (source.own & (unit["own"] | unit["uses"]) or unit["own"] & uses)]
        if fitting:
            unit = min(fitting, key=lambda unit: len(unit["paths"]))
        else:
            unit = {"paths": [], "own": set(), "uses": set()}
            result.append(unit)
        unit["paths"].append(path)
        unit["own"] |= source.own
        unit["uses"] |= uses
    return [[path] for path in alone] + [unit["paths"] for unit in result]


def has_many_targets(path):
    return any(line.startswith("#define HWY_TARGET_INCLUDE") for line in lines_of(path))


def text_of(paths):
    """What the ops' headers declare would be ambiguous with what others have: they come late; a using-directive last.
    Highway asks for foreach_target.h before any highway.h, unless there is one target only."""
    ordered = sorted(paths, key=lambda path: ("using namespace" in own_names(path), path.startswith(f"{root}/src/ops/"),
                                              not has_many_targets(path)))
    return "".join(f'#include "{path}"\n' for path in ordered)


def main():
    one_target = sys.argv[1] == "--one-target"
    prefix, *sources = sys.argv[1 + one_target:]
    written = []
    for number, paths in enumerate(units(sources, one_target)):
        written.append(paths[0] if len(paths) == 1 else f"{prefix}_{number}.cpp")
        if len(paths) == 1:
            continue
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
