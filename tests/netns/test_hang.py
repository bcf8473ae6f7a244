#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""D2: a file system that never answers holds nothing up."""
import live

COLUMNS = "local_port,owners,pid,comm,exe,cmdline,unit,container,user"


def test_dead_file_server():
    with live.folder() as path, live.Load("fusehang", path) as hang:
        made = hang.made[0]
        for way in ("auto", "bpf", "proc"):
            for columns in ("local_port,pid,comm", COLUMNS):
                rows = live.rows("-t", "-l", "-n", "--owners=" + way, columns=columns, timeout=20)
                live.equal([(r["local_port"], r["pid"]) for r in rows],
                           [(made["port"], made["pid"])], "rows by " + way)
        with live.folder() as record:
            live.run("list", "-a", "-n", "-p", "--record", record + "/r", timeout=20)
        live.run("status", timeout=20)


live.main(globals(), pid=True)
