#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A filter gives the rows that it should, whether the kernel decides parts of it or not."""
import ipaddress
import subprocess

import live

load = None
rows = []


def test_make():
    global load
    load = live.Load("mksock", *[kind + v for v in ("", "@6", "@mapped", "@linklocal") for kind in (
        "listen", "established", "half_closed", "time_wait", "syn_recv", "udp")])
    rows.extend(live.rows("-t", "-u", "-a", "-n"))


def connected(r):
    return r["state"] not in ("LISTEN", "UNCONNECTED", "CLOSE")


def ip(text):
    return ipaddress.ip_address(text.split("%")[0])


def within(text, net):
    addr, net = ip(text), ipaddress.ip_network(net)
    mapped = getattr(addr, "ipv4_mapped", None)
    return addr in net if addr.version == net.version else mapped is not None and mapped in net


def cases():
    a, b = sorted({r["local_port"] for r in rows if r["state"] == "LISTEN"})[:2]
    pid = load.made[0]["pid"]
    return {
        "state listening": lambda r: r["state"] == "LISTEN",
        "state connected": connected,
        "state time-wait": lambda r: r["state"] == "TIME_WAIT",
        "exclude listening": lambda r: r["state"] != "LISTEN",
        "state all sport = :%d" % a: lambda r: r["local_port"] == a,
        "state all sport != :%d" % a: lambda r: r["local_port"] != a,
        "state all sport ge :%d" % b: lambda r: r["local_port"] >= b,
        "state all sport gt %d" % b: lambda r: r["local_port"] > b,
        "state all dport < :%d" % b: lambda r: (r["remote_port"] or 0) < b,
        "state all ( sport = :%d or dport = :%d )" % (a, b):
            lambda r: r["local_port"] == a or r["remote_port"] == b,
        "state all not ( sport = :%d or dport = :%d )" % (a, b):
            lambda r: not (r["local_port"] == a or r["remote_port"] == b),
        "state all src 127.0.0.0/8": lambda r: within(r["local_addr"], "127.0.0.0/8"),
        "state all src [::1]": lambda r: ip(r["local_addr"]) == ip("::1"),
        "state all src fe80::/10": lambda r: within(r["local_addr"], "fe80::/10"),
        "state all not src fe80::/10 and sport gt :%d" % b:
            lambda r: not within(r["local_addr"], "fe80::/10") and r["local_port"] > b,
        "state all src 127.0.0.1:%d" % a:
            lambda r: within(r["local_addr"], "127.0.0.1/32") and r["local_port"] == a,
        "state established pid %d" % pid:
            lambda r: r["state"] == "ESTABLISHED" and pid in live.pids(r),
        "state all pid %d and sport le :%d" % (pid, b):
            lambda r: pid in live.pids(r) and r["local_port"] <= b,
        "state all comm mksock": lambda r: bool(r["owners"]),
        "state all not comm mksock": lambda r: not r["owners"],
        "state all direction incoming": lambda r: r["direction"] == "incoming",
        "state all comm mksock or sport = :%d" % a:
            lambda r: bool(r["owners"]) or r["local_port"] == a,
    }


def test_filters_against_python():
    wrong = []
    for text, wanted in cases().items():
        for ways in ((), ("--sockets=netlink",), ("--sockets=bpf",), ("--owners=none",)):
            if ways == ("--owners=none",) and ("comm" in text or "pid" in text):
                continue
            found = {r["cookie"] for r in live.rows("-t", "-u", "-n", *ways, text)}
            should = {r["cookie"] for r in rows if wanted(r)}
            if found != should:
                wrong.append((text, ways, len(found - should), len(should - found)))
    live.equal(wrong, [], "(filter, way, too many, too few)")


def test_filters_against_ss():
    """The grammar that both know: the same sockets. Mapped addresses are v6 to ss, so none here."""
    wrong = []
    for text in cases():
        if any(word in text for word in ("pid", "comm", "direction", "src 127")):
            continue
        out = subprocess.run(["ss", "-H", "-O", "-n", "-t", "-e", *text.split()], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        theirs = {int(line.split("sk:")[1].split()[0], 16) for line in out.splitlines()}
        ours = {r["cookie"] for r in live.rows("-t", "-n", text)}
        if ours != theirs:
            wrong.append((text, len(ours - theirs), len(theirs - ours)))
    live.equal(wrong, [], "(filter, more than ss, less than ss)")


def test_errors_show_the_place():
    for text, at in (("sport = :99999", 8), ("state nonsense", 6), ("( sport = :1", 0)):
        done = live.run("list", "-n", text, expect=2)
        lines = done.stderr.decode().splitlines()
        caret = [line for line in lines if line.strip(" ^~") == "" and "^" in line]
        live.holds(caret, "caret in %r" % lines)
        shown = next(line for line in lines if text in line)
        live.equal(caret[0].index("^") - shown.index(text), at, "place of the caret in %r" % text)
        live.equal(done.stdout, b"", "output")


live.main(globals())
