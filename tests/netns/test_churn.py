#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""B1, B2, B3: lasting sockets are listed once each, whatever comes and goes beside them."""
import time

import live

RUNS = 10 * live.LONG


def compare(args, lasting, runs, what):
    missing = doubled = unstable = excused = 0
    for _ in range(runs):
        doc = live.document(*args, columns="proto,state,cookie,netns,inode,owners")
        seen = {}
        for row in doc["conversations"]:
            key = (row["netns"], row["proto"], row["cookie"])
            seen[key] = seen.get(key, 0) + (row["cookie"] != 0)
        doubled += sum(n > 1 for n in seen.values())
        cookies = {key[2] for key in seen}
        gone = lasting - cookies
        told = live.gaps(doc).get("unstable", 0)
        unstable += bool(told)
        missing += len(gone) if not told else 0
        excused += len(gone) if told else 0
    print("  %s: %d runs, %d missing, %d doubled; %d runs told unstable, %d missing in those" % (
        what, runs, missing, doubled, unstable, excused), flush=True)
    live.equal((missing, doubled), (0, 0), what + ": missing, doubled")


def tcp_churn(mode, rate):
    with live.Load("churn", "steady", 2000) as steady:
        lasting = {m["cookie"] for m in steady.made}
        with live.Load("churn", mode, rate, 200) as load:
            begin = time.monotonic()
            for how in ("bpf", "netlink"):
                for owners in ("auto", "none"):
                    args = ("-t", "-a", "-n", "--sockets=" + how, "--owners=" + owners)
                    compare(args, lasting, RUNS, "tcp %s %d/s, %s, owners %s" % (
                        mode, rate, how, owners))
            seconds = time.monotonic() - begin
        print("  %d/s were made" % (int(load.last_words) / seconds))


def test_tcp_reset():
    tcp_churn("reset", 5000)


def test_tcp_fin():
    tcp_churn("fin", 5000)


def slot(kind, options):
    for rate in (1000, 20000):
        with live.Load("slotchurn", kind, 2000, rate, 250) as load:
            begin = time.monotonic()
            lasting = {m["cookie"] for m in load.made}
            for how in ("auto", "netlink"):
                compare((*options, "-a", "-n", "--sockets=" + how, "--owners=none"), lasting, RUNS,
                        "%s slot %d/s, %s" % (kind, rate, how))
            seconds = time.monotonic() - begin
        print("  %d/s were made" % (int(load.last_words) / seconds))


def test_slot_udp():
    slot("udp", ("-u",))


def test_slot_listeners():
    slot("listen", ("-t",))


def test_slot_unix():
    slot("unix", ("-x",))


live.main(globals())
