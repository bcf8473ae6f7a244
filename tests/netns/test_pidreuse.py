#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""B5: a process id that changes hands all the time names no wrong owner."""
import live


def test_pid_reuse():
    with live.Load("pidreuse", 200):
        for way in ("auto", "bpf", "proc"):
            wrong = named = raced = blank = 0
            for _ in range(20 * live.LONG):
                for row in live.rows("-t", "-l", "-n", "--owners=" + way):
                    named += bool(row["owners"])
                    wrong += sum(o["comm"] != "own%d" % row["local_port"] for o in row["owners"] or [])
                    raced += not row["owners"]
                    blank += not row["owners"] and row["owner_reason"] in (None, "", "none")
            print("  pid reuse by %s: %d named, %d wrong, %d raced" % (way, named, wrong, raced))
            live.equal((wrong, blank), (0, 0), "wrong and blank owners by " + way)
            live.holds(named >= 10 * 20, "owners named")


live.main(globals(), pid=True)
