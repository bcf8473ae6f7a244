#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Captures of conversations that end before anybody could look for their sockets: the processes at both ends all the same, and
without the means to know them a gap that counts."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
import test_capture  # noqa: E402
from live import equal, holds, shell  # noqa: E402
from test_capture import SERVER, Capture  # noqa: E402

COLUMNS = "proto,local_port,remote_port,owners,owner_reason,peer_pid"
PORT, ALONE = 5300, 5301
N = 150


def be(name):
    with open("/proc/self/comm", "w") as f:
        f.write(name)


def child(name, body):
    """A process of that name; its pid."""
    pid = os.fork()
    if pid:
        return pid
    with contextlib.suppress(BaseException):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        be(name)
        body()
    os._exit(0)


def listener(address, port, kind):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(512)
    return s


def answer(s):
    """One conversation, from a process of its own: nobody else ever has its socket."""
    conversation, peer = s.accept()
    conversation.recv(500)
    conversation.send(b"HTTP/1.0 200 OK\r\n\r\nx")
    conversation.close()
    return peer[1]


class Workers:
    """A TCP server that makes a process for each conversation. `pids` tells whose was the one with a client's port."""

    def __init__(self, address, netns=None):
        told, self.tell = os.pipe()
        self.told = os.fdopen(told)
        self.pid = child("workers", lambda: self.serve(address, netns))
        os.close(self.tell)
        equal(self.told.readline(), "ready\n", "server")

    def serve(self, address, netns):
        if netns:
            enter(netns)
        s = listener(address, PORT, socket.SOCK_STREAM)
        os.write(self.tell, b"ready\n")
        while True:
            worker = child("worker", lambda: os.write(self.tell, b"%d %d\n" % (answer(s), os.getpid())))
            os.waitpid(worker, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pids = dict(tuple(map(int, line.split())) for line in self.told)


def enter(netns):
    with open("/run/netns/" + netns) as f:
        live.libc.setns(f.fileno(), live.CLONE_NEWNET)


def serve_datagrams(netns):
    if netns:
        enter(netns)
    s = listener("0.0.0.0", PORT, socket.SOCK_DGRAM)
    while True:
        question, peer = s.recvfrom(500)
        s.sendto(question, peer)


def talk_stream(address):
    with socket.create_connection((address, PORT), timeout=10) as s:
        port = s.getsockname()[1]
        s.send(b"x")
        s.recv(500)
    return port


def talk_connected(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.connect((address, PORT))
        s.send(b"x")
        s.recv(500)
        return s.getsockname()[1]


def talk_unconnected(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.sendto(b"x", (address, PORT))
        s.recv(500)
        return s.getsockname()[1]


def clients(talk, address, n):
    """n conversations, each of a process that lives for it only: {port: pids that had it}."""
    told, tell = os.pipe()
    pids = {}
    with os.fdopen(told) as answers:
        for _ in range(n):
            pid = child("short", lambda: os.write(tell, b"%d\n" % talk(address)))
            os.waitpid(pid, 0)
            pids.setdefault(int(answers.readline()), set()).add(pid)
    os.close(tell)
    return pids


def is_known(row):
    return bool(row["owners"]) and row["peer_pid"] is not None


def check_closed_source(capture, state, cause):
    source = next(s for s in capture.coverage["sources"] if s["name"] == "closed sockets")
    equal(source["state"], state, "source of closed sockets: %r" % source)
    holds(cause in (source["cause"] or ""), "cause: %r" % source)


def check_clients(rows, pids, what):
    equal(sorted(row["local_port"] for row in rows), sorted(pids), what + ": conversations")
    for row in rows:
        holds(row["owners"], "%s: no process at the near end: %r" % (what, row))
        owner = row["owners"][0]
        equal(owner["comm"], "short", what + ": name at the near end")
        holds(owner["pid"] in pids[row["local_port"]], "%s: %r is not of %r" % (what, row, pids[row["local_port"]]))


def check_streams(rows, pids, workers):
    check_clients(rows, pids, "TCP")
    for row in rows:
        equal(row["peer_pid"], workers.pids[row["local_port"]], "TCP: process at the far end of %r" % row)


@contextlib.contextmanager
def datagram_server(netns=None):
    pid = child("answers", lambda: serve_datagrams(netns))
    time.sleep(0.2)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_streams():
    """On loopback, and with the far ends in another network namespace."""
    for interface, address, netns in (("lo", "127.0.0.1", None), ("near", SERVER, "far")):
        with Workers(address, netns) as workers:
            with Capture("--bpf", "port %d" % PORT, interface=interface, columns=COLUMNS) as capture:
                pids = clients(talk_stream, address, N)
        check_closed_source(capture, "working", "")
        check_streams(capture.rows, pids, workers)
        equal(capture.gaps, {}, "gaps")


def test_datagrams():
    """A port that is used again at once is the same conversation, of one of those who used it."""
    for interface, address, netns in (("lo", "127.0.0.1", None), ("near", SERVER, "far")):
        with datagram_server(netns) as server:
            with Capture("--bpf", "port %d" % PORT, interface=interface, columns=COLUMNS) as capture:
                pids = clients(talk_connected, address, N)
                for port, more in clients(talk_unconnected, address, N).items():
                    pids.setdefault(port, set()).update(more)
        check_clients(capture.rows, pids, "UDP")
        equal({row["peer_pid"] for row in capture.rows}, {server}, "UDP: process at the far end")
        equal(capture.gaps, {}, "gaps")


def test_curl_and_its_name():
    """A filter on the name shows each of them, and their packets are written with their names."""
    url = "http://%s:%d/" % (SERVER, PORT)
    with live.folder() as path, Workers(SERVER, "far") as workers:
        with Capture("comm curl", "-w", path + "/a.pcapng", columns=COLUMNS) as capture:
            curls = []
            for _ in range(15):
                curls.append(subprocess.Popen(["curl", "-s", "-o", "/dev/null", url]))
                equal(curls[-1].wait(20), 0, "exit of curl")
            clients(talk_stream, SERVER, 15)
        with open(path + "/a.pcapng", "rb") as f:
            written = f.read()
    for curl in curls:  # three packets of a handshake, a request, an answer, the ends
        holds(written.count(b"curl[%d]" % curl.pid) >= 7, "comments of %d: %d" % (curl.pid, written.count(b"curl[%d]" % curl.pid)))
    equal(sorted(row["owners"][0]["pid"] for row in capture.rows), sorted(c.pid for c in curls), "processes of the conversations")
    for row in capture.rows:
        equal(row["peer_pid"], workers.pids[row["local_port"]], "process at the far end of %r" % row)
    equal(capture.gaps, {}, "gaps")


def refused(address):
    with socket.socket() as s:
        s.bind((address, 0))
        port = s.getsockname()[1]
        with contextlib.suppress(ConnectionRefusedError):
            s.connect((address, ALONE))
        return port


def test_refused():
    """The end that nobody is at is no gap; the other one lost its peer before it was closed, and is known by its port."""
    with Capture("--bpf", "port %d" % ALONE, interface="lo", columns=COLUMNS) as capture:
        pids = clients(refused, "127.0.0.1", 20)
    check_clients(capture.rows, pids, "refused")
    equal(capture.gaps, {}, "gaps")


def without_hierarchy(*prefix):
    return ("unshare", "-m", "sh", "-ec", "while umount -t cgroup2 -a 2>/dev/null && grep -q ' cgroup2 ' /proc/self/mounts; do :; done; exec \"$@\"", "sh",
            *prefix)


def without_events():
    return without_hierarchy(*live.denied("mounts"))


def test_other_mounts():
    """`ip netns exec` puts another /sys over the hierarchy; then it is mounted where nobody sees it."""
    for prefix in (without_hierarchy(), ("ip", "netns", "exec", "far")):
        with Capture("--bpf", "port %d" % PORT, interface="lo", columns=COLUMNS, prefix=prefix) as capture:
            with open("/proc/%d/mounts" % capture.process.pid) as f:
                mounts = f.read()
            ran = subprocess.run([*prefix[:4 * (prefix[0] == "ip")], sys.executable, "-c",
                                  "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('127.0.0.1', %d)); s.send(b'x')" % PORT])
            equal(ran.returncode, 0, "exit of the client")
        holds(" cgroup2 " not in mounts, "mounts: " + mounts)
        check_closed_source(capture, "working", "")
        equal([[o["comm"] for o in row["owners"]] for row in capture.rows if row["remote_port"] == PORT], [[os.path.basename(sys.executable)[:15]]],
              "process of %r" % capture.rows)


def test_without_events():
    """What is not known is counted, and the coverage says why, also when a filter shows none of it."""
    for prefix, cause in ((without_events(), "(cgroup2) is not mounted here"),
                          (live.without_caps("bpf", "sys_admin"), "CAP_BPF")):
        for words in ((), ("comm short",)):
            with Workers("127.0.0.1"):
                with Capture("--bpf", "port %d" % PORT, *words, interface="lo", columns=COLUMNS, prefix=prefix) as capture:
                    pids = clients(talk_stream, "127.0.0.1", 40)
            check_closed_source(capture, "off", cause)
            known = sum(map(is_known, capture.rows))
            holds(known < len(pids), "%d of %d known without events" % (known, len(pids)))
            equal(capture.gaps.get("owner_ended", 0) + known, len(pids), "conversations that are counted, with %r" % (words,))
            equal(capture.coverage["complete"], False, "completeness")


def test_datagrams_without_events():
    """No socket shows the addresses of both ends; their interfaces do."""
    with datagram_server("far") as server:
        with Capture("--bpf", "port %d" % PORT, columns=COLUMNS, prefix=without_events()) as capture:
            pids = clients(talk_unconnected, SERVER, 40)
    equal({row["peer_pid"] for row in capture.rows}, {server}, "process at the far end")
    known = sum(map(is_known, capture.rows))
    equal(capture.gaps.get("owner_ended", 0) + known, len(pids), "conversations that are counted")


def test_reused_datagram_port():
    """Sockets that share a port do not tell whose a packet was: none is named."""
    def talk(address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind(("127.0.0.1", 0))
            s.sendto(b"x", (address, PORT))
            return s.getsockname()[1]
    with Capture("--bpf", "port %d" % PORT, interface="lo", columns=COLUMNS) as capture:
        pids = clients(talk, "127.0.0.1", 20)
    equal(len(capture.rows), len(pids), "conversations")
    unknown = sum(not row["owners"] for row in capture.rows)
    holds(unknown, "all are known")
    equal(capture.gaps.get("owner_ended", 0), unknown, "conversations without a process")


def test_sandbox_has_none_of_it():
    with Capture(interface="lo") as capture:
        files = []
        for pid in (capture.child, capture.process.pid):
            links = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
            with open("/proc/%d/maps" % pid) as f:
                files.append(sorted(link for link in [*links, f.read()] if "bpf" in link))
    equal(files[0], [], "what the sandbox has of BPF")
    holds(files[1], "nothing of BPF is open")


def main():
    live.isolate(False)
    shell("mount -t tmpfs none /run; grep -q ' cgroup2 ' /proc/self/mounts || { mkdir /run/cgroup; mount -t cgroup2 none /run/cgroup; }")
    test_capture.make_pair()
    live.isolate = lambda pid: None  # once is enough
    live.main({name: test for name, test in globals().items() if name != "test_capture"})


if __name__ == "__main__":
    main()
