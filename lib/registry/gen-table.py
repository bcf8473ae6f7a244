#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the C table of the port registry from data/services.tsv: gen-table.py SERVICES.TSV OUT.H

Rows hold offsets into a string pool and no pointers, so the table is never touched by the dynamic
linker: a program that names no service does not read a page of it.
"""
import sys

TRANSPORTS = ("tcp", "udp", "sctp", "dccp")
PRIMARY, UNREGISTERED = 1, 2
PAGE = 256


class Row:
    def __init__(self, first, last, transport, name, unregistered, description):
        self.first, self.last, self.transport = first, last, transport
        self.name, self.unregistered, self.description = name, unregistered, description
        self.primary = False


def read_rows(path):
    rows = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.startswith("#"):
            continue
        fields = line.rstrip("\n").split("\t")
        if len(fields) != 5:
            sys.exit(f"{path}:{number}: five columns wanted")
        ports, transports, name, flags, description = fields
        first, _, last = ports.partition("-")
        for transport in transports.split(","):
            rows.append(Row(int(first), int(last or first), TRANSPORTS.index(transport), name,
                            flags == "unregistered", description))
    rows.sort(key=lambda row: (row.first, row.transport))  # stable: the order of names stays
    return rows


def index_primaries(rows):
    """[transport][port] = 1 + the row that names the number first, or 0"""
    index = [[0] * 65536 for _ in TRANSPORTS]
    for i, row in enumerate(rows):
        for port in range(row.first, row.last + 1):
            if not index[row.transport][port]:
                index[row.transport][port] = i + 1
                row.primary = True
    return index


def paginate(index):
    """Most pages of most transports are empty: equal pages are kept once."""
    pages, numbers, directory = [], {}, []
    for ports in index:
        directory.append([])
        for start in range(0, 65536, PAGE):
            page = tuple(ports[start:start + PAGE])
            if page not in numbers:
                numbers[page] = len(pages)
                pages.append(page)
            directory[-1].append(numbers[page])
    return directory, pages


class Pool:
    def __init__(self):
        self.offsets, self.parts, self.size = {}, [], 0

    def add(self, text):
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.parts.append(text)
            self.size += len(text.encode()) + 1
        return self.offsets[text]


def c_string(text):
    """Octal escapes have at most three digits, so nothing that follows can join them."""
    return "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}"
                   for b in text.encode())


def numbers(values, width=16):
    values = [str(v) for v in values]
    return "\n".join("\t" + ", ".join(values[i:i + width]) + ","
                     for i in range(0, len(values), width))


def write_header(rows, directory, pages, out):
    pool = Pool()
    pool.add("")
    cells = [f"\t{{{row.first}, {row.last - row.first}, {row.transport}, "
             f"{row.primary * PRIMARY + row.unregistered * UNREGISTERED}, "
             f"{pool.add(row.name)}, {pool.add(row.description)}}}," for row in rows]
    by_name = sorted(range(len(rows)), key=lambda i: rows[i].name.lower().encode())
    put = lambda *lines: print(*lines, sep="\n", file=out)
    put("/* Made by gen-table.py from data/services.tsv. */",
        f"#define N_ROWS {len(rows)}",
        f"#define MAX_SPAN {max(row.last - row.first for row in rows)}",
        f"#define PAGE_PORTS {PAGE}",
        "static const struct row rows[N_ROWS] = {", *cells, "};",
        "static const uint16_t rows_by_name[N_ROWS] = {", numbers(by_name), "};",
        f"static const uint16_t directory[{len(directory)}][65536 / PAGE_PORTS] = {{")
    for transport in directory:
        put("{", numbers(transport), "},")
    put("};", f"static const uint16_t pages[{len(pages)}][PAGE_PORTS] = {{")
    for page in pages:
        put("{", numbers(page), "},")
    put("};", "static const char pool[] =")
    put(*(f'\t"{c_string(part)}\\0"' for part in pool.parts), "\t;")


def main():
    rows = read_rows(sys.argv[1])
    directory, pages = paginate(index_primaries(rows))
    if len(rows) >= 65535 or max(row.last - row.first for row in rows) > 255:
        sys.exit("the table's integers are too narrow for this registry")
    with open(sys.argv[2], "w", encoding="ascii") as out:
        write_header(rows, directory, pages, out)


if __name__ == "__main__":
    main()
