#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""readback.py json|jsonl|csv FILE: what a reader of portavoz's output gets.

Prints "pid comm-in-hex path-in-hex" for each row, "-" for a missing one. The names are turned back
as portavoz-columns(7) documents it, by code that shares nothing with portavoz. JSON is also read
with jq, which must find the same strings.
"""
import csv
import json
import re
import subprocess
import sys


def unescape(text):
    raw = text.encode("utf-8")
    if re.search(rb"\\(?!\\|x[0-9a-f]{2})", raw.replace(rb"\\", b"")):
        raise ValueError("bad escape in %r" % text)
    return re.sub(rb"\\(\\|x[0-9a-f]{2})",
                  lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), raw)


def hexed(raw):
    return "-" if raw is None else "0x" + raw.hex()


def read_json(path, lines):
    """`lines`: one object a line, the last of them the coverage."""
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    if lines:
        rows = [json.loads(line) for line in text.rstrip("\n").split("\n")]
        assert "coverage" in rows.pop()
        query = "select(has(\"comm\")) | [.pid, .comm, .path]"
    else:
        document = json.loads(text)
        assert list(document) == ["schema", "coverage", "conversations"] and document["schema"] == 1
        rows = document["conversations"]
        query = ".conversations[] | [.pid, .comm, .path]"
    jq = subprocess.run(["jq", "-ac", query], input=text, check=True, capture_output=True,
                        encoding="utf-8")
    by_jq = [json.loads(line) for line in jq.stdout.splitlines()]
    assert by_jq == [[r["pid"], r["comm"], r["path"]] for r in rows], "jq reads it otherwise"
    for row in rows:
        for owner in row["owners"]:
            assert isinstance(owner["pid"], int) and "start_ticks" in owner
        yield row["pid"], *(None if v is None else unescape(v) for v in (row["comm"], row["path"]))


def csv_name(cell):
    if cell == "":
        return None
    assert cell[0] not in "=+-@\t\r", "a spreadsheet would run %r" % cell
    cell = cell[1:] if cell[0] == "'" else cell
    return b"" if cell == '""' else unescape(cell)


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, strict=True))
    for row in rows:
        assert None not in row and None not in row.values(), "wrong number of cells"
        yield int(row["pid"]), csv_name(row["comm"]), csv_name(row["path"])


def main():
    form, path = sys.argv[1:]
    rows = read_csv(path) if form == "csv" else read_json(path, form == "jsonl")
    for pid, comm, name in rows:
        print(pid, hexed(comm), hexed(name))


main()
