#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""baseline and diff on real servers: what a restart changes, what it does not, what is explained."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import live
from live import equal, holds

SERVER = """
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                  socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((address, port))
kept = []
if kind == "tcp":
    s.listen()
print(s.getsockname()[1], flush=True)
while kind == "tcp":
    kept.append(s.accept())
sys.stdin.read()
"""


class Server:
    def __init__(self, kind, address, port, program=sys.executable):
        self.process = subprocess.Popen([program, "-c", SERVER, kind, address, str(port)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address, self.port = address, int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def servers():
    return [Server("tcp", "127.0.0.1", 8080), Server("tcp", "::", 2222), Server("tcp", "0.0.0.0", 0),
            Server("udp", "127.0.0.1", 514), Server("udp", "::", 0)]


def clients(running):
    found = []
    for server in running:
        if server.port and server is not running[3] and server is not running[4]:
            address = {"::": "::1", "0.0.0.0": "127.0.0.1"}.get(server.address, server.address)
            found.append(socket.create_connection((address, server.port)))
    return found


def baseline(*args):
    return live.run("baseline", *args).stdout.decode()


def record(folder):
    live.run("list", "--record", folder)
    return folder


def test_restart():
    """The same services again: the same text, no difference, though every pid and port is new."""
    with tempfile.TemporaryDirectory() as work:
        texts, ports, folders = [], [], []
        for round_number in (1, 2):
            running = servers()
            connected = clients(running)
            texts.append(baseline())
            ports.append({s.port for s in running} | {c.getsockname()[1] for c in connected})
            folders.append(record(os.path.join(work, str(round_number))))
            if round_number == 1:
                equal(live.run("diff", folders[0], "now").returncode, 0, "the moment it was recorded")
            for c in connected:
                c.close()
            for s in running:
                s.stop()
        holds(ports[0] != ports[1], "other ephemeral ports")
        equal(texts[0], texts[1], "the baseline after a restart")
        equal(live.run("diff", *folders).stdout, b"", "differences by a restart")
        equal(baseline("--replay", folders[0]), texts[0], "the baseline of a recording")
        numbers = {int(n) for n in re.findall(r"\b\d+\b", texts[0])}
        ephemeral = {p for p in ports[0] if p >= 32768}
        holds(len(ephemeral) >= 5, "the test has ephemeral ports")
        equal(numbers & ephemeral, set(), "ephemeral numbers in the baseline")
        equal([w for w in texts[0].split() if w in ("pid", "fd", "inode", "cookie")], [], "numbers of processes")


def test_explains_everything():
    """Each line of a baseline is a filter, and each socket that was there matches one."""
    running = servers()
    connected = clients(running)
    try:
        filters = []
        for line in baseline().splitlines():
            if line and line[0] != "#":
                match = re.fullmatch(r'expect "((?:[^"\\]|\\.)*)"\s+(.*?)(  always)?', line)
                holds(match, "a rule: " + line)
                filters.append(match.group(2))
        rows = [r for r in live.rows("-a", "-t", "-u", columns="cookie,owners,state")
                if r["owners"] and r["state"] != "TIME_WAIT"]
        holds(len(rows) >= 11, "the sockets of the test: %d" % len(rows))
        seen = set()
        for text in filters:
            seen |= {r["cookie"] for r in live.rows("-a", "-t", "-u", text, columns="cookie")}
        equal({r["cookie"] for r in rows} - seen, set(), "sockets without a rule")
    finally:
        for c in connected:
            c.close()
        for s in running:
            s.stop()


def test_changes():
    """A new listener, one that is gone, one that is open to everywhere now."""
    with tempfile.TemporaryDirectory() as work:
        copy = os.path.join(work, "other")
        shutil.copy(os.path.realpath(sys.executable), copy)
        first = [Server("tcp", "127.0.0.1", 8080), Server("tcp", "127.0.0.1", 2222)]
        before = record(os.path.join(work, "before"))
        for s in first:
            s.stop()
        second = [Server("tcp", "0.0.0.0", 8080), Server("tcp", "127.0.0.1", 8081)]
        doc = json.loads(live.run("diff", "--json", before, "now", expect=4).stdout)
        text = live.run("diff", before, "now", expect=4).stdout.decode()
        for s in second:
            s.stop()
        equal(doc["equal"], False, "equal")
        found = {(d["change"], (d["after"] or d["before"])["port"]): d for d in doc["differences"]}
        equal(set(found), {("new", 8081), ("gone", 2222), ("changed", 8080)}, "differences")
        changed = found["changed", 8080]
        equal(changed["before"]["networks"], ["127.0.0.0/8"], "where it listened")
        equal(changed["after"]["any_network"], True, "where it listens")
        equal([line.split()[0] for line in text.splitlines() if line[0] != " "],
              [d["change"] for d in doc["differences"]], "text and JSON")
        holds("every address" in text and "127.0.0.0/8" in text, "the change in words")


def test_watch():
    """What is there only for a while is in the baseline of that while; an interrupt ends it."""
    watcher = subprocess.Popen([live.PORTAVOZ, "baseline", "--for=1h"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    server = Server("tcp", "127.0.0.1", 8081)
    time.sleep(3)  # three looks
    server.stop()
    later = Server("udp", "127.0.0.1", 514)
    time.sleep(3)
    watcher.send_signal(signal.SIGINT)
    out, _ = watcher.communicate(timeout=60)
    later.stop()
    equal(watcher.returncode, 0, "exit status after an interrupt")
    holds(b"service sunproxyadmin" in out, "the first: " + out.decode())
    holds(b"service syslog" in out, "the later: " + out.decode())


def test_usage():
    for args in (("diff",), ("diff", "now"), ("diff", "a", "b", "c"), ("baseline", "x"),
                 ("baseline", "--for=5"), ("baseline", "--for=1h", "--replay=x")):
        equal(live.run(*args, expect=2).stdout, b"", "output of a mistake")
    equal(live.run("diff", "/nonexistent", "now", expect=1).stdout, b"", "no recording")


live.main(globals(), pid=True)
