#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""I2, I3: every gap has a reason; a source that is off says so, and the list is never emptied."""
import json

import live

load = None
FAULTS = {
    "no bpf": (live.denied("bpf"), True),
    "no netlink": (live.denied("netlink"), True),
    "no sock_diag": (live.denied("diag"), True),
    "no bpf, no netlink": (live.denied("bpf", "netlink"), True),
    "no threads": (live.denied("threads"), False),
    "no capability": (live.without_caps("bpf", "perfmon", "sys_admin", "sys_ptrace"), True),
}


def test_make():
    global load
    load = live.Load("mksock", "listen", "established", "udp", "time_wait", "raw", "unix_stream")


def status(prefix=()):
    return json.loads(live.run("status", "--json", prefix=prefix).stdout)["coverage"]["sources"]


def test_status_lists_every_source():
    sources = status()
    live.holds(len(sources) >= 5, "sources: %r" % sources)
    for s in sources:
        live.holds(s["state"] in ("working", "fallback", "off"), "state of %r" % s)
        live.holds(s["state"] == "working" or s["cause"], "cause of %r" % s)
    text = live.run("status").stdout.decode()
    for s in sources:
        live.holds(s["name"] in text, "%s in the text" % s["name"])


def wanted():
    protos = ("tcp", "udp", "raw", "unix")
    return {(m["proto"], m["inode"]) for m in load.made if m["proto"] in protos and
            m["state"] != "TIME_WAIT"}


def check_fault(name, prefix, told):
    doc = live.document("-t", "-u", "-w", "-x", "-a", "-n", prefix=prefix)
    rows = {(r["proto"], r["inode"]) for r in doc["conversations"]}
    unlisted = [g["detail"] or "" for g in doc["coverage"]["gaps"] if g["kind"] == "protocol"]
    live.equal({w for w in wanted() - rows if not any(w[0] in u for u in unlisted)}, set(),
               name + ": rows lost, and not told")
    if told:
        before = {(s["name"], s["via"], s["state"]) for s in status()}
        after = status(prefix)
        changed = [s for s in after if (s["name"], s["via"], s["state"]) not in before]
        live.holds(changed, name + ": not to be seen in status")
        live.holds(all(s["cause"] for s in changed if s["state"] != "working"), "%s: %r" % (
            name, changed))


def test_faults():
    for name, (prefix, told) in FAULTS.items():
        check_fault(name, prefix, told)


def test_no_proc():
    check_fault("no /proc", live.NO_PROC, True)
    doc = live.document("-t", "-a", "-n", "--owners=proc", prefix=live.NO_PROC)
    live.holds(live.gaps(doc).get("owner_no_proc"), "gap: %r" % live.gaps(doc))
    live.equal({r["owner_reason"] for r in doc["conversations"] if r["inode"]}, {"no_proc"}, "reason")


def test_nothing_left():
    """Neither sock_diag nor BPF nor /proc: no empty list that looks complete."""
    prefix = (*live.NO_PROC, *live.denied("bpf", "netlink"))
    done = live.run("list", "--json", "-t", "-a", "-n", prefix=prefix, expect=None)
    if done.returncode == 0:
        doc = json.loads(done.stdout)
        live.holds(not doc["coverage"]["complete"] and live.gaps(doc).get("protocol"),
                   "coverage %r" % doc["coverage"])
    else:
        live.holds(done.stderr.startswith(b"portavoz: "), "message %r" % done.stderr)


def test_no_dns():
    doc = live.document("-t", "-a", "--dns-servers=127.0.0.1:9", "--dns-timeout=200",
                        prefix=live.denied("network"), columns="proto,inode,remote_addr,remote_name")
    rows = {("tcp", r["inode"]) for r in doc["conversations"]}
    live.equal({w for w in wanted() if w[0] == "tcp"} - rows, set(), "rows lost")


def test_no_gap_without_reason():
    for way in ("auto", "bpf", "proc"):
        rows = live.rows("-a", "-n", "--owners=" + way)
        blank = [r for r in rows if not r["owners"] and r["owner_reason"] in (None, "", "none")]
        live.equal(blank[:3], [], "%d sockets of %d without owner or reason" % (len(blank), len(rows)))


def test_no_gap_without_reason_on_the_whole_host():
    rows = live.rows("-a", "-n", pass_fds=(live.host_netns,),
                     prefix=("nsenter", "--net=/proc/self/fd/%d" % live.host_netns))
    blank = [r for r in rows if not r["owners"] and r["owner_reason"] in (None, "", "none")]
    live.holds(rows, "rows")
    live.equal(blank[:3], [], "%d sockets of %d without owner or reason" % (len(blank), len(rows)))


live.main(globals())
