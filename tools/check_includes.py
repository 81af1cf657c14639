#!/usr/bin/env python3
"""Fails on an #include against the direction of the tree: core <- graph <- {ops, plan} <- backends <- train.

nn sees graph alone; nothing includes a backend but its own folder, the device registration in src/train and tests.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What the files of each folder of src/ may include from the other folders.
MAY = {
    "core": set(),
    "graph": {"core"},
    "ops": {"core", "graph"},
    "plan": {"core", "graph"},
    "nn": {"core", "graph"},
    "data": {"core"},
    "io": {"core", "graph", "data"},
    "backends": {"core", "graph", "ops", "plan"},
    "train": {"core", "graph", "ops", "plan", "nn", "data", "io"},
    "config": {"core", "data", "io", "train"},
    "cli": {"core", "graph", "plan", "data", "io", "train", "config"},
}
# Public headers that the lower folders may not see, because what they declare is made above them.
HIGH = {"model", "goneuron"}
BELOW_HIGH = {"core", "graph", "ops", "plan", "nn", "backends", "data"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def problems(path):
    parts = path.relative_to(ROOT / "src").parts
    folder = parts[0]
    for target in INCLUDE.findall(path.read_text()):
        to = pathlib.PurePosixPath(target).parts
        if to[0] == "goneuron":
            if folder in BELOW_HIGH and to[-1].removesuffix(".h") in HIGH:
                yield f"{folder} includes the public header {target}"
        elif len(to) > 1 and (ROOT / "src" / to[0]).is_dir():
            if to[0] == "backends":
                own = folder == "backends" and (len(to) < 3 or to[1] == parts[1])
                if not own and not path.name.startswith("device"):
                    yield f"{folder} includes {target}: only its own folder and src/train/device* may"
            elif to[0] != folder and to[0] not in MAY.get(folder, set()):
                yield f"{folder} includes {target}: {folder} may see {sorted(MAY.get(folder, set()))}"


def main():
    files = sorted(p for p in (ROOT / "src").rglob("*") if p.suffix in {".h", ".cpp"})
    found = [f"{p.relative_to(ROOT)}: {text}" for p in files for text in problems(p)]
    print("\n".join(found) if found else f"{len(files)} files, every include points down")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
