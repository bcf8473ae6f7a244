#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""portavoz explain about real sockets: the sentences that hold of each, and those that do not."""
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

from live import Skip, equal, folder, holds, main, no_raw, run, shell

HERE = ("127.0.0.1", 0)
ENGLISH = {"LC_ALL": "C.UTF-8", "LANGUAGE": ""}


def explain(*what, expect=0):
    """The explanation as text, and the ids of its facts with their values."""
    text = run("explain", *what, env=ENGLISH, expect=expect).stdout
    no_raw(text, "explain %r" % (what,))
    document = json.loads(run("explain", "--json", *what, env=ENGLISH, expect=expect).stdout)
    equal(document["schema"], 1, "schema")
    return text.decode(), document


def facts(document):
    return {fact["id"]: fact["values"] for section in document["sections"] for fact in section["facts"]}


def says(what, document, *ids, never=()):
    found = facts(document)
    for wanted in ids:
        holds(wanted in found, "%r is not said of %s: %r" % (wanted, what, sorted(found)))
    for unwanted in never:
        holds(unwanted not in found, "%r is said of %s: %r" % (unwanted, what, found.get(unwanted)))
    return found


def name(end):
    return "%s:%d" % end[:2]


@contextlib.contextmanager
def listener(backlog=5):
    with socket.socket() as s:
        s.bind(HERE)
        s.listen(backlog)
        yield s


@contextlib.contextmanager
def connection():
    """A client, the accepted socket, and the listener."""
    with listener() as s, socket.create_connection(s.getsockname()) as client:
        accepted = s.accept()[0]
        with accepted:
            yield client, accepted, s


def test_listener():
    with listener() as s:
        port = s.getsockname()[1]
        text, document = explain(str(port))
        found = says("a listener", document, "title_port", "title_listener", "listens_loopback", "queue_empty",
                     "held", "age_unknown", "process_exe", "process_since", "process_parents",
                     never=("port_unused", "port_no_listener", "queue_full", "held_unknown"))
        equal(found["held"]["process"]["pid"], os.getpid(), "holder")
        equal(found["held"]["fd"], s.fileno(), "descriptor")
        equal(found["queue_empty"]["max"], 5, "backlog")
        equal(found["process_parents"]["parents"][0]["pid"], os.getppid(), "parent")
        equal(found["process_parents"]["parents"][-1]["pid"], 1, "the last of the parents")
        holds("tcp listener at 127.0.0.1:%d\n" % port in text, text)
        started = time.time() - found["process_since"]["time"]
        holds(0 <= started < 3600, "the process started %s s ago" % started)
        explained = [s for s in document["sections"] if s["kind"] == "socket"]
        equal(explained[0]["socket"]["local_port"], port, "fields of the socket")


def test_group_and_range():
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first, last = map(int, f.read().split())
    says("port 22", explain("22")[1], "port_well_known", "port_service", "port_not_ephemeral", "port_unused")
    found = says("an ephemeral port", explain(str(last))[1], "port_ephemeral")
    equal((found["port_ephemeral"]["first"], found["port_ephemeral"]["last"]), (first, last), "range")
    shell("echo %d > /proc/sys/net/ipv4/ip_local_reserved_ports" % last)
    says("a reserved port", explain(str(last))[1], "port_reserved", never=("port_ephemeral",))
    shell("echo > /proc/sys/net/ipv4/ip_local_reserved_ports")


def test_queue():
    with listener(1) as s:
        clients = []
        for _ in range(2):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(s.getsockname())
            clients.append(client)
        time.sleep(0.1)
        found = says("a full queue", explain(name(s.getsockname()))[1], "queue_full")
        equal((found["queue_full"]["n"], found["queue_full"]["max"]), (2, 1), "queue")
        for client in clients:
            client.close()


def test_both_ends():
    with connection() as (client, accepted, _):
        client.sendall(b"x" * 100)
        time.sleep(0.1)
        a, b = name(client.getsockname()), name(accepted.getsockname())
        for what in ((a, b), (b, a), (a + " " + b,)):
            _, document = explain(*what)
            sockets = [s["socket"] for s in document["sections"] if s["kind"] == "socket"]
            equal(sorted(s["local_port"] for s in sockets),
                  sorted((client.getsockname()[1], accepted.getsockname()[1])), "both ends")
            found = says("a conversation", document, "opened_here_peer_listener", "opened_there_listener",
                         "peer_held", "state_established", "tcp_unread",
                         never=("peer_elsewhere", "opened_unknown", "tcp_retransmitting"))
            equal(found["tcp_unread"]["n"], 100, "bytes that wait")
        _, document = explain("--as=inode", str(os.fstat(client.fileno()).st_ino))
        says("the client by its inode", document, "opened_here_peer_listener", "age_established",
             "local_ephemeral", never=("opened_there_listener",))


def test_idle_and_keepalive():
    with connection() as (client, accepted, _):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.sendall(b"x")
        accepted.recv(1)
        time.sleep(1.3)
        found = says("an idle connection", explain("--as=inode", str(os.fstat(client.fileno()).st_ino))[1],
                     "tcp_idle", "tcp_keepalive", never=("tcp_active", "tcp_unread"))
        holds(1000 <= found["tcp_idle"]["ms"] < 60000, "idle for %d ms" % found["tcp_idle"]["ms"])


def test_close_wait():
    with connection() as (client, accepted, _):
        there = name(client.getsockname())
        accepted.close()
        time.sleep(0.1)
        says("a connection closed there", explain("--as=inode", str(os.fstat(client.fileno()).st_ino))[1],
             "state_close_wait", "held")
        says("its other end", explain(there)[1], "state_fin_wait2", "held_by_nobody")


def test_time_wait():
    with listener() as s:
        client = socket.create_connection(s.getsockname())
        accepted = s.accept()[0]
        here, there = name(client.getsockname()), name(accepted.getsockname())
        client.close()
        time.sleep(0.05)
        accepted.close()
        time.sleep(0.1)
        text, document = explain(here, there)
        found = says("TIME_WAIT", document, "state_time_wait_left", "held_by_nobody", never=("held", "held_unknown"))
        holds(0 < found["state_time_wait_left"]["ms"] <= 60000, text)


def test_udp_and_unix():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        u.bind(HERE)
        says("a datagram socket", explain("%d/udp" % u.getsockname()[1])[1], "receives_datagrams", "held")
        u.connect(("127.0.0.1", 9))
        found = says("a connected one", explain("--as=inode", str(os.fstat(u.fileno()).st_ino))[1],
                     "connected_datagrams", "service_claim")
        equal(found["service_claim"]["service"], "discard", "service")
    with folder() as path, socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
        named.bind(path + "/a socket")
        named.listen()
        abstract.bind("\0portavoz\n\x1b[31m")
        abstract.listen()
        says("a unix listener", explain(path + "/a socket")[1], "title_listener", "listens_path", never=("abstract",))
        says("an abstract one", explain("@portavoz\n\x1b[31m")[1], "title_listener", "abstract")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path + "/a socket")
            says("its client", explain("--as=inode", str(os.fstat(client.fileno()).st_ino))[1], "unnamed", "held")


def test_retransmitting():
    if not shutil.which("nft"):
        raise Skip("nft is not installed")
    with connection() as (client, accepted, _):
        port = accepted.getsockname()[1]
        shell("nft add table ip t; nft add chain ip t i '{ type filter hook input priority 0; }';"
              "nft add rule ip t i tcp dport %d drop" % port)
        try:
            client.sendall(b"lost")
            for _ in range(50):
                time.sleep(0.1)
                document = explain("--as=inode", str(os.fstat(client.fileno()).st_ino))[1]
                if facts(document).get("tcp_retransmitting", {}).get("n", 0) >= 2:
                    break
            found = says("a connection without answers", document, "tcp_retransmitting", "tcp_timed_out", "tcp_unsent",
                         never=("tcp_zero_window",))
            equal(found["tcp_unsent"]["n"], 4, "bytes not confirmed")
        finally:
            shell("nft delete table ip t")


def test_zero_window():
    with listener() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        with socket.create_connection(s.getsockname()) as client, s.accept()[0] as accepted:
            client.setblocking(False)
            for _ in range(60):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        client.send(b"x" * 65536)
                time.sleep(0.1)
                document = explain("--as=inode", str(os.fstat(client.fileno()).st_ino))[1]
                if "tcp_zero_window" in facts(document):
                    break
            says("a sender to somebody who does not read", document, "tcp_zero_window", "tcp_unsent",
                 "tcp_receiver_limited", never=("tcp_retransmitting",))
            says("the one that does not read",
                 explain("--as=inode", str(os.fstat(accepted.fileno()).st_ino))[1], "tcp_unread")


ACTIVATED = """
import os, sys
fd = int(sys.argv[1])
os.dup2(fd, 4, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES=sys.argv[2], SECRET="portavoz-secret")
os.execvp("sleep", ["sleep", "60"])
"""


@contextlib.contextmanager
def activated(s, names):
    """A program started as systemd starts those of a socket unit: the listener is its descriptor 4."""
    child = subprocess.Popen([sys.executable, "-c", ACTIVATED, str(s.fileno()), names], pass_fds=[s.fileno()])
    try:
        for _ in range(50):
            with open("/proc/%d/comm" % child.pid) as f:
                if f.read() == "sleep\n":
                    break
            time.sleep(0.1)
        yield child.pid
    finally:
        child.kill()
        child.wait()


def test_activation():
    for names, wanted in (("a.socket:portavoz-test.socket", "activated_unit"), ("x:http", "activated_named"),
                          ("x:unknown", "activated")):
        with listener() as s, activated(s, names) as pid:
            _, document = explain(name(s.getsockname()))
            found = says("a listener handed over", document, wanted, "held", "held_also")
            equal(found[wanted]["process"]["pid"], pid, "the process it was handed to")
            if wanted != "activated":
                equal(found[wanted]["name"], names.split(":")[1], "the name it was handed over under")


def test_recording_holds_no_environment():
    with listener() as s, activated(s, "a:b.socket"), folder() as path:
        run("list", "--record", path + "/r")
        done = subprocess.run(["grep", "-rl", "portavoz-secret", path + "/r"], stdout=subprocess.PIPE)
        # the program that sets it names it in its own command line, which this one no longer has
        equal(done.stdout, b"", "files of the recording with the environment of a process")
        again = run("explain", "--json", "--replay", path + "/r", name(s.getsockname()), env=ENGLISH)
        says("a replayed listener", json.loads(again.stdout), "activated_unit", "process_since", "process_parents")


def test_processes():
    with listener() as s:
        comm = open("/proc/self/comm").read().rstrip("\n")
        _, document = explain("--as=name", comm)
        says("processes by name", document, "title_process", "process_args", "process_user")
        text, document = explain("--as=pid", str(os.getpid()))
        says("a process", document, "title_process", "process_sockets", never=("process_no_sockets",))
        holds("tcp LISTEN 127.0.0.1:%d: " % s.getsockname()[1] in text, text)
        says("a process without sockets", explain("--as=pid", "1")[1], "title_process")
    child = os.fork()
    if not child:
        libc_name = b"x (pid 1)\n\x1b[31m"
        with open("/proc/self/comm", "wb") as f:
            f.write(libc_name)
        time.sleep(60)
        os._exit(0)
    time.sleep(0.2)
    says("a process of a hostile name", explain("--as=pid", str(child))[1], "title_process", "process_parents")
    os.kill(child, 9)
    os.waitpid(child, 0)


def test_ambiguous():
    """1 is a port, and a process everywhere."""
    found = says("a number", explain("1")[1], "title_port", "also_pid", never=("title_process",))
    equal(found["also_pid"]["number"], 1, "the number that is also a pid")


def test_port_zero():
    """Listeners, whose other end has no port, are no sockets of port 0."""
    with listener():
        says("port 0", explain("0", "--as=port")[1], "port_zero", never=("listens", "others_here"))


def test_address():
    with connection() as (client, _, _):
        client.sendall(b"x")
        found = says("an address", explain("127.0.0.1")[1], "title_address", "address_loopback", "address_local")
        holds(found["address_local"]["n"] >= 3, "sockets bound to it: %d" % found["address_local"]["n"])
        found = says("both ends of one address", explain("127.0.0.1")[1], "address_remote")
        holds(found["address_remote"]["n"] >= 2, "conversations with it: %d" % found["address_remote"]["n"])
    with socket.socket(socket.AF_INET6) as six:
        six.bind(("::", 0))
        six.listen()
        with socket.create_connection(("127.0.0.1", six.getsockname()[1])):
            found = says("a mapped one", explain("127.0.0.1")[1], "address_local")
            holds(found["address_local"]["n"] >= 2, "mapped sockets count")


def test_reset():
    """Nothing is left of a connection that was reset, and that is what is said."""
    with listener() as s:
        client = socket.create_connection(s.getsockname())
        accepted = s.accept()[0]
        here, there = name(client.getsockname()), name(accepted.getsockname())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        accepted.close()
        done = run("explain", here, there, env=ENGLISH, expect=1)
        holds(b"nothing found; looked for: a conversation of these two ends" in done.stderr, done.stderr)
        equal(done.stdout, b"", "output")


def test_nothing():
    for what, looked_for in (("no-such-process", b"a process of that name"), ("@no-such", b"a unix socket"),
                             ("192.0.2.1", b"a socket with that address"), ("4294967295", b"inode number")):
        done = run("explain", what, env=ENGLISH, expect=1)
        holds(looked_for in done.stderr, done.stderr)
        document = json.loads(run("explain", "--json", what, env=ENGLISH, expect=1).stdout)
        equal((document["as"], document["sections"]), (None, []), "JSON of nothing")
    for wrong in (("--as=port", "65536"), ("a b", "c d"), (), ("1", "2", "3")):
        run("explain", *wrong, env=ENGLISH, expect=2)


if __name__ == "__main__":
    main(dict(globals()))
