#!/usr/bin/env python3
"""Writes docs/layers.md from the docstrings of the public headers: a row for each layer, with its forms, the shapes of
a sample before and after, what it does, and the file that it is in.

usage: make_layers_doc.py [--check]      --check: writes nothing; fails when the page is not what it would write
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FACTORY = re.compile(r"((?:^///[^\n]*\n)*)^Layer (\w+)\(((?:[^()]|\([^()]*\))*)\);", re.MULTILINE)
SHAPES = re.compile(r"(?:\[[^\]]*\](?:,? (?:and |or )?)?)+ -> \[[^\]]*\](?:(?:, | or )\[[^\]]*\])*")
HEAD = """# Layers

A row a layer, from the docstrings of the headers in `include/goneuron/`, which have the options and their defaults.
Shapes are those of one sample, without the batch, unless they begin with `batch`. Every layer also takes a `.name`
where it has options, and can be `named()`. Written by `tools/make_layers_doc.py`.

| layer | forms | shapes | what it does | file |
|---|---|---|---|---|
"""


def parameters(text):
    """As a reader wants them: without the site, const and references."""
    text = re.sub(r",?\s*Site site = Site::here\(\)", "", " ".join(text.split()))
    return re.sub(r"const (\S+?(?:<[^>]*>)?)&", r"\1", text).strip()


def cell(text):
    return text.replace("|", "\\|").strip()


def layers_of(header):
    """name -> (forms, docstrings), in the header's order; a form right below another one shares its docstring."""
    found, text, end, last = {}, header.read_text(), -1, []
    for match in FACTORY.finditer(text):
        comment, name, inside = match.groups()
        forms, docs = found.setdefault(name, ([], []))
        forms.append("%s(%s)" % (name, parameters(inside)))
        if comment:
            last = [" ".join(line[3:].strip() for line in comment.splitlines())]
            docs += last
        elif not docs and match.start() == end + 1:
            docs += last
        end = match.end()
    return found


def source_of(name):
    pattern = re.compile(r"^Layer %s\(" % name, re.MULTILINE)
    files = sorted(f for f in (ROOT / "src").rglob("*.cpp") if pattern.search(f.read_text()))
    if not files:
        sys.exit("%s is declared, but no file of src/ has it" % name)
    return files[0].relative_to(ROOT)


def page():
    rows, undocumented = [], []
    for header in sorted((ROOT / "include" / "goneuron").glob("*.h")):
        for name, (forms, docs) in layers_of(header).items():
            if not docs:
                undocumented.append("%s: %s has no docstring" % (header.name, name))
                continue
            doc = " ".join(docs)
            shapes = SHAPES.search(doc)
            file = source_of(name)
            rows.append((name.lower(), "| %s | %s | %s | %s | [%s](../%s) |\n" % (
                name, "<br>".join("`%s`" % cell(form) for form in forms),
                "`%s`" % cell(shapes.group(0).strip()) if shapes else "", cell(doc), file, file)))
    if undocumented:
        sys.exit("\n".join(undocumented))
    return HEAD + "".join(row for _, row in sorted(rows))


def main():
    path = ROOT / "docs" / "layers.md"
    if sys.argv[1:] == ["--check"]:
        if not path.exists() or path.read_text() != page():
            sys.exit("docs/layers.md is not that of the headers: run tools/make_layers_doc.py")
    elif len(sys.argv) > 1:
        sys.exit(__doc__)
    else:
        path.write_text(page())


if __name__ == "__main__":
    main()
