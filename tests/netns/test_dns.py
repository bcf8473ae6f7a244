#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A6, D1: what a name server says is a claim, and waiting for it has an end."""
import ipaddress
import os
import time

import live

SERVERS = "--dns-servers=127.0.0.1:5353"
COLUMNS = "local_addr,local_port,remote_addr,remote_port,remote_name"
N_PEERS = 50


def server(*mode):
    return live.Load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../helpers/dnsd.py"),
                     5353, *mode)


def peers():
    """Conversations with 127.7.0.0 ... 127.7.0.49."""
    return live.Load("churn", "peers", N_PEERS)


def remote(doc):
    return [r for r in doc["conversations"] if (r["remote_addr"] or "").startswith("127.7.0.")]


def ask(*args):
    begin = time.monotonic()
    doc = live.document("-t", SERVERS, *args, columns=COLUMNS)
    return doc, time.monotonic() - begin


def test_names():
    with server("good"), peers():
        doc, _ = ask()
        live.equal(len(remote(doc)), N_PEERS, "rows")
        for r in remote(doc):
            labels = r["remote_addr"].split(".")[::-1]
            live.equal(r["remote_name"], "host-%s.example" % "-".join(labels), "name")


def test_hostile_names_are_refused():
    good = {"ok.example", "under_score.example"}
    with server("evil"), peers():
        doc, _ = ask()
        live.equal(len(remote(doc)), N_PEERS, "rows")
        names = {r["remote_name"] for r in remote(doc)} - {None, ""}
        live.holds(good <= names, "good names of %r" % names)
        for name in names:
            live.holds(all(c.isalnum() or c in "-_." for c in name), "name %r" % name)
            live.holds(not looks_like_address(name), "name %r" % name)
        live.holds(live.gaps(doc).get("names_refused", 0) > 0, "refusals told: %r" % live.gaps(doc))
        for option in ("--csv", "--jsonl", "-H"):
            out = live.run("list", option, "-t", SERVERS, "-p").stdout
            live.no_raw(out, option)
            live.holds(b"192.0.2.99" not in out and b"2001:db8::99" not in out, "the lie in " + option)


def looks_like_address(name):
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return name.replace(".", "").isdigit() or name.startswith("0x")


def test_black_hole():
    with server("blackhole") as dns, peers():
        doc, seconds = ask("--dns-timeout=500")
        live.equal(len(remote(doc)), N_PEERS, "rows")
        live.equal({r["remote_name"] for r in remote(doc)}, {None}, "names")
        live.holds(live.gaps(doc).get("names", 0) >= N_PEERS, "told: %r" % live.gaps(doc))
        live.holds(doc["coverage"]["complete"], "names alone make no list incomplete")
        print("  black hole: %d rows after %.2f s with a budget of 0.5 s" % (N_PEERS, seconds))
        # the resolvers of other tools need ten seconds an address: 50 of them one after the other
        live.holds(seconds < 8, "one time-out for all, not one each: %.1f s" % seconds)
    live.holds(int(dns.last_words) >= N_PEERS, "queries sent: %r" % dns.last_words)


def test_late_names():
    with server("slow", 300), peers():
        doc, _ = ask("--dns-timeout=5000")
        live.equal({bool(r["remote_name"]) for r in remote(doc)}, {True}, "names")


def test_numeric_sends_no_packet():
    with server("good") as dns, peers():
        for args in (("-n",), ("-n", "-p", "-a")):
            live.run("list", "-t", SERVERS, *args)
    live.equal(int(dns.last_words), 0, "queries")


live.main(globals())
