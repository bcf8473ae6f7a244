#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A1, A2, A4, A5, A8: hostile names of processes and of unix sockets, in every writer."""
import csv
import io
import json

import live

TCP = ("-t", "-l", "-n")
load = None


def names():
    """{port: the process's name in bytes}; the kernel keeps 15 bytes."""
    return {m["port"]: (bytes.fromhex(m["comm_hex"])[:15], m["pid"]) for m in load.made}


def test_make():
    global load
    load = live.Load("evilproc", "names")
    live.equal(len(set(names().values())), 27, "names made")


def check_rows(rows, comm_of, field=False):
    """27 rows with the right pid, 27 different names that turn back into the bytes."""
    live.equal(len(rows), 27, "rows")
    shown = {}
    for port, (name, pid) in names().items():
        row = [r for r in rows if int(r["local_port"]) == port]
        live.equal([int(r["pid"]) for r in row], [pid], "pid of %r" % name)
        shown[name] = comm_of(row[0])
    live.equal(len(set(shown.values())), 27, "different names as shown")
    for name, text in shown.items():
        live.equal(live.unescape(text, field), name, "the name turned back")


def test_json():
    out = live.run("list", "--json", *TCP, "--columns", "local_port,pid,comm,exe,cmdline").stdout
    live.no_raw(out, "json")
    check_rows(json.loads(out)["conversations"], lambda r: r["comm"])


def test_json_owners():
    rows = live.rows(*TCP)
    by_port = {r["local_port"]: r["owners"] for r in rows}
    for port, (name, pid) in names().items():
        live.equal([(o["pid"], live.unescape(o["comm"])) for o in by_port[port]], [(pid, name)],
                   "owners of %r" % name)


def test_jsonl():
    out = live.run("list", "--jsonl", *TCP, "--columns", "local_port,pid,comm,cmdline").stdout
    live.no_raw(out, "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    check_rows([line for line in lines if "local_port" in line], lambda r: r["comm"])


def test_csv():
    out = live.run("list", "--csv", *TCP, "--columns", "local_port,pid,comm,cmdline").stdout
    live.no_raw(out, "csv")
    table = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    for row in table:
        live.holds(not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in row.values()),
                   "a spreadsheet would run %r" % row)
    check_rows(table, lambda r: r["comm"][1:] if r["comm"].startswith("'") else r["comm"], True)


def test_table():
    for env in ({"COLUMNS": "20"}, {"COLUMNS": "80"}, {"COLUMNS": "400"}, {"LC_ALL": "C"}):
        for more in ((), ("-p",), ("-H", "-p", "-e", "-o", "-m", "-i")):
            out = live.run("list", *TCP, *more, env=env).stdout
            live.no_raw(out, "table %r %r" % (env, more))
            live.equal(len([p for p in names() if b":%d" % p in out]), 27, "rows %r" % env)


def test_table_is_injective():
    out = live.run("list", "-H", *TCP, "--columns", "comm").stdout.decode()
    live.equal(len(out.splitlines()), 27, "rows")
    live.equal(len({line.strip() for line in out.splitlines()}), 27, "different names")


def test_pid_of_each_row_of_the_table():
    out = live.run("list", "-H", *TCP, "--columns", "local_port,pid,comm").stdout.decode()
    live.equal({tuple(map(int, line.split()[:2])) for line in out.splitlines()},
               {(port, pid) for port, (_, pid) in names().items()}, "port and pid")


def test_unix_names():
    with live.folder() as path, live.Load("evilunix", "names", path) as unix:
        made = {m["cookie"]: m for m in unix.made}
        live.equal(len(made), 23, "sockets made")
        columns = ("-x", "-a", "-n", "--columns", "proto,state,path,cookie,inode,pid")
        out = live.run("list", "--json", *columns).stdout
        live.no_raw(out, "json")
        rows = [r for r in json.loads(out)["conversations"] if r["cookie"] in made]
        live.equal(len(rows), 23, "rows")
        live.equal(len({r["path"] for r in rows}), 23, "different names")
        for r in rows:
            m = made[r["cookie"]]
            live.equal((r["inode"], r["pid"]), (m["inode"], m["pid"]), "socket and owner")
            live.equal(live.unescape(r["path"]),
                       (b"\0" if m["abstract"] else b"") + bytes.fromhex(m["name_hex"]),
                       "the name turned back")
        for option in ("--csv", "--jsonl"):
            live.no_raw(live.run("list", option, *columns).stdout, option)
        for width in ("20", "80", "400"):
            out = live.run("list", "-H", "-x", "-a", "-n", "-p", env={"COLUMNS": width}).stdout
            live.no_raw(out, "table")
            cookies = live.run("list", "-H", *columns, env={"COLUMNS": width}).stdout.decode()
            live.equal(len(cookies.splitlines()), len(live.rows("-x", "-a", "-n")), "rows")


def test_forged_row_of_proc_net_unix():
    with live.folder() as path, live.Load("evilunix", "forge", path) as forge:
        victim, forger = forge.made
        for how in ("auto", "netlink", "proc"):
            rows = live.rows("-x", "-a", "-n", "--sockets=" + how)
            for r in rows:
                if "FORGED" in (r["path"] or ""):
                    live.holds(victim["pid"] not in live.pids(r), "%s: forged row %r" % (how, r))
            mine = [r for r in rows if r["inode"] == victim["inode"]]
            if how != "proc":
                live.equal(([r["path"] for r in mine], [live.pids(r) for r in mine]),
                           (["victim"], [[victim["pid"]]]), how)


live.main(globals())
