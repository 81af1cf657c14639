#!/usr/bin/env python3
"""Writes CSV files that are valid by RFC 4180, and what Python's csv module reads from them.

usage: make_csv_cases.py FOLDER COUNT   writes FOLDER/0.csv, .. and FOLDER/cases.json: for each file
its delimiter and the cells. Delimiters, quoting, line ends, marks and blank lines vary by the number.
"""
import csv
import io
import json
import pathlib
import random
import sys

PIECES = ["a", "Z", "7", "3.25", "-1e-5", " ", "  ", "\t", ",", ";", "|", "'", '"', '""', "\n", "\r\n", "\r", "é",
          "日本", "😀", "\u00a0", "#", "\\", "\\n", "=", "NULL", "\x01", "\x7f", "x" * 70, "0123456789" * 9]


def cell(rng, delimiter):
    pieces = rng.choices(PIECES, k=rng.choice([0, 0, 1, 1, 1, 2, 3, 5, 12]))
    return "".join(pieces)


def needs_quotes(text, delimiter):
    return any(c in text for c in (delimiter, '"', "\n", "\r"))


def written(rng, text, delimiter, quoting):
    if needs_quotes(text, delimiter) or rng.random() < quoting:
        return '"' + text.replace('"', '""') + '"'
    return text


def make(number, rng):
    delimiter = rng.choice(",,,;\t|")
    end = rng.choice(["\r\n", "\n"])
    columns = rng.choice([1, 2, 3, 3, 5, 9, 40])
    rows = rng.choice([1, 2, 3, 10, 60, 400])
    if number % 50 == 0:
        rows = 4000  # longer than what is read at once
    quoting = rng.choice([0, 0.1, 1])
    lines = []
    for _ in range(rows):
        cells = [cell(rng, delimiter) for _ in range(columns)]
        lines.append(delimiter.join(written(rng, c, delimiter, quoting) for c in cells))
        if rng.random() < 0.02:
            lines.append("")
    text = end.join(lines) + (end if rng.random() < 0.8 else "")
    mark = rng.random() < 0.3 and text != ""
    return delimiter, text, ("\ufeff" if mark else "") + text


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    csv.field_size_limit(1 << 30)
    cases = []
    for number in range(count):
        delimiter, text, bytes_of = make(number, random.Random(number))
        (folder / f"{number}.csv").write_bytes(bytes_of.encode())
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        cases.append({"file": f"{number}.csv", "delimiter": delimiter, "rows": cells})
    (folder / "cases.json").write_text(json.dumps(cases))


if __name__ == "__main__":
    main()
