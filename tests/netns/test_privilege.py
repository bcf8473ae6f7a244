#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""I1: with less privilege every row is there, what is hidden is counted, and the cause is named."""
import live

HIDEPID = "mount -t proc -o hidepid=%s proc /proc && exec \"$@\""
PTRACE = live.without_caps("sys_ptrace", "bpf", "perfmon", "sys_admin")
root = mine = None


def in_own_mounts(script, *more):
    return ("unshare", "-m", "sh", "-c", script, "sh", *more)


# view -> (prefix, whether the own socket's owner is seen, causes allowed)
VIEWS = {
    "nobody": (live.as_nobody(), True, {"no_permission"}),
    "nobody, hidepid=2": (in_own_mounts(HIDEPID % "2", *live.as_nobody()), True,
                          {"hidden_pid", "no_permission"}),
    "nobody, hidepid=4": (in_own_mounts(HIDEPID % "4", *live.as_nobody()), True,
                          {"hidden_pid", "no_permission"}),
    "root without CAP_SYS_PTRACE": (PTRACE, None, {"no_permission"}),
    "other pid namespace": (("unshare", "-p", "-f", "--mount-proc"), False, {"hidden_pid"}),
    "no /proc": ((*live.NO_PROC, *PTRACE), False, {"no_proc"}),
}


def test_make():
    global root, mine
    live.run("list", "-n", "-l", prefix=live.as_nobody())  # may nobody run the program at all?
    root = live.Load("mksock", *["listen"] * 5)
    mine = live.Load("mksock", "listen", prefix=live.as_nobody())


def check_view(name, prefix, sees_own, causes):
    doc = live.document("-t", "-l", "-n", prefix=prefix)
    rows = doc["conversations"]
    ports = {m["local_port"] for m in root.made + mine.made}
    live.equal({r["local_port"] for r in rows}, ports, name + ": rows")
    own = mine.made[0]
    hidden = 0
    for r in rows:
        if r["local_port"] == own["local_port"] and sees_own is not False:
            if sees_own:
                live.equal(live.pids(r), [own["pid"]], name + ": own socket")
        elif not r["owners"]:
            hidden += 1
            live.holds(r["owner_reason"] in causes, "%s: reason %r" % (name, r["owner_reason"]))
    live.holds(hidden >= 5, name + ": %d owners hidden" % hidden)
    counted = sum(n for kind, n in live.gaps(doc).items() if kind.startswith("owner_"))
    blank = sum(not r["owners"] for r in rows)
    live.equal((counted, doc["coverage"]["complete"]), (blank, False), name + ": coverage")


def test_views():
    for name, (prefix, sees_own, causes) in VIEWS.items():
        check_view(name, prefix, sees_own, causes)


def test_strict():
    for name, (prefix, _, _) in VIEWS.items():
        live.run("list", "-t", "-l", "-n", "-p", "--strict", prefix=prefix, expect=3)
    live.run("list", "-t", "-l", "-n", "-p", "--strict", expect=0)


def test_cause_and_remedy_are_printed():
    for name, (prefix, _, _) in VIEWS.items():
        line = live.run("list", "-t", "-l", "-n", "-p", "-v", prefix=prefix).stderr.decode()
        live.holds("portavoz: partial" in line, "%s: %r" % (name, line))


live.main(globals(), pid=True)
