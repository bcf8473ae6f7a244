#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""B4, B7, B8, B10, D6: who holds a socket, however it is held; never the wrong one."""
import os

import live

WAYS = ("auto", "bpf", "proc")
NO_TABLE = {"in-flight", "io-uring-fixed"}
THREADS = {"leader-exited", "thread-files"}  # the scan of /proc sees no thread's own table


def by_port(rows):
    return {r["local_port"]: r for r in rows}


def check_hidden(case, row, way):
    reason = row["owner_reason"]
    if case["case"] in NO_TABLE:
        live.equal(live.pids(row), [], case["case"])
        # the scan cannot tell this from a process that it may not look into
        allowed = ("thread_tables", "no_table", "no_permission") if way == "proc" else ("no_table",)
        live.holds(reason in allowed, "%s by %s: %s" % (case["case"], way, reason))
    elif case["case"] in THREADS and way == "proc" and not row["owners"]:
        live.holds(reason in ("thread_tables", "no_permission"), "%s: %s" % (case["case"], reason))
    else:
        live.equal(live.pids(row), sorted(case["pids"]), "%s by %s" % (case["case"], way))


def test_hidden_owners():
    with live.Load("hiddenowner") as load:
        for way in WAYS:
            rows = by_port(live.rows("-t", "-l", "-n", "--owners=" + way))
            cases = [m for m in load.made if "skipped" not in m]
            live.equal(sorted(rows), sorted(m["port"] for m in cases), "rows by " + way)
            for case in cases:
                check_hidden(case, rows[case["port"]], way)
                if case["case"] == "renaming":
                    live.holds(rows[case["port"]]["owners"][0]["comm"] in
                               ("rename-odd", "rename-even", "hiddenowner"), "renaming")
                if case["case"] == "duplicated":
                    live.equal(len(rows[case["port"]]["owners"]), 3, "descriptors")


def test_start_time_in_json():
    with live.Load("mksock", "listen") as load:
        owner = by_port(live.rows("-t", "-l", "-n"))[load.made[0]["local_port"]]["owners"][0]
        with open("/proc/%d/stat" % owner["pid"]) as f:
            start = int(f.read().rpartition(")")[2].split()[19])
        live.holds(start in owner.values(), "start time %d in %r" % (start, owner))


def test_two_thousand_threads():
    with live.Load("many", "threads", 2000, 100) as load:
        for way in WAYS:
            rows = live.rows("-t", "-l", "-n", "--owners=" + way)
            live.equal([live.pids(r) for r in rows], [[load.made[0]["pid"]]] * 100, way)
            live.equal({len(r["owners"]) for r in rows}, {1}, "holders by " + way)


def test_twenty_thousand_descriptors():
    with live.Load("many", "sockets", 19900) as load:
        for way in WAYS:
            rows = live.rows("-u", "-a", "-n", "--owners=" + way)
            live.equal(len(rows), 19900, "rows by " + way)
            live.equal({tuple(live.pids(r)) for r in rows}, {(load.made[0]["pid"],)}, way)
        check_limits(19900)


def check_limits(n):
    """B10: under a resource limit the list is right, or the failure is clear."""
    # the address sanitizer alone takes terabytes of address space: no program starts within less
    memory = () if live.SANITIZED else (("--as=67108864",), ("--as=16777216",), ("--as=4194304",))
    for limit in (("--nofile=16",), ("--nofile=4",), *memory):
        for way in WAYS:
            done = live.run("list", "--csv", "-H", "-u", "-a", "-n", "--owners=" + way, "--columns",
                            "local_port,pid", expect=None, prefix=("prlimit", *limit))
            lines = done.stdout.splitlines()
            named = [line for line in lines if line.split(b",")[1]]
            if done.returncode == 0:
                live.equal(len(lines), n, "rows with %s by %s" % (limit, way))
                if len(named) < n:
                    doc = live.document("-u", "-a", "-n", "--owners=" + way,
                                        prefix=("prlimit", *limit))
                    live.holds(not doc["coverage"]["complete"], "told with %s by %s" % (limit, way))
            else:
                live.holds(done.stderr, "silent failure with %s by %s: exit %d" % (
                    limit, way, done.returncode))


def test_other_namespace():
    """B8: the same address and port in another network namespace is another socket."""
    elsewhere = ("unshare", "-n", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh")
    netns = os.stat("/proc/self/ns/net").st_ino
    with live.Load("churn", "peers", 20) as here, live.Load("churn", "peers", 20, prefix=elsewhere):
        for way in WAYS:
            rows = live.rows("-t", "-a", "-n", "--owners=" + way)
            live.equal({tuple(live.pids(r)) for r in rows}, {(here.made[0]["pid"],)}, way)
            live.equal(({r["netns"] for r in rows}, len(rows)), ({netns}, 60), "rows by " + way)


def test_time_namespaces():
    """Start times are those of the reader's clock, and details belong to the process."""
    for offset in (0, 100000, -1):
        clock = ("unshare", "-T", "--boottime", str(offset), "-f")
        with live.Load("churn", "steady", 1) as steady:
            for way in ("bpf", "proc"):
                doc = live.document("-t", "-a", "-n", "--owners=" + way, prefix=clock,
                                    columns="owners,exe,start_ticks")
                pid = steady.made[0]["pid"]
                with open("/proc/%d/stat" % pid) as f:
                    start = int(f.read().rsplit(")")[-1].split()[19]) + 100 * offset
                rows = [r for r in doc["conversations"] if live.pids(r) == [pid]]
                live.equal({(r["start_ticks"], bool(r["exe"])) for r in rows}, {(start, True)},
                           "%s, %d s" % (way, offset))


def test_ways_agree():
    with live.Load("churn", "steady", 500), live.Load("many", "processes", 500):
        lists = [{(r["proto"], r["cookie"]): sorted((o["pid"], o["fd"]) for o in r["owners"] or [])
                  for r in live.rows("-t", "-u", "-a", "-n", "--owners=" + way)
                  if r["state"] != "TIME_WAIT"} for way in WAYS]
        live.equal(lists[1], lists[0], "bpf and auto")
        live.equal(lists[2], lists[0], "proc and auto")
        live.equal(len(lists[0]), 1501, "rows")


def test_fork_storm():
    with live.Load("churn", "steady", 500) as steady, live.Load("many", "forks", 2000, 100):
        pid = steady.made[0]["pid"]
        for way in WAYS:
            for _ in range(10):
                doc = live.document("-t", "-u", "-a", "-n", "--owners=" + way)
                rows = doc["conversations"]
                live.equal(len([r for r in rows if live.pids(r) == [pid]]), 1001, "steady rows, " + way)
                nameless = [r for r in rows if not r["owners"]]
                live.holds(all(r["owner_reason"] not in (None, "", "none") for r in nameless),
                           "reasons, " + way)
                gone = sum(r["owner_reason"] == "gone" for r in nameless)
                live.equal(live.gaps(doc).get("owner_gone", 0), gone, "raced owners counted")


live.main(globals())
