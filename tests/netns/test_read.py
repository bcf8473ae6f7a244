#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Captures of real traffic: two namespaces and a veth pair, a server in one, clients in the other, tcpdump between
them. What read says of them is what happened, and --joined names the processes at both ends."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PORTAVOZ = os.environ["PORTAVOZ"]
NETNS = f"pvread{os.getpid()}"
failed = 0


def check(what, condition):
    global failed
    if not condition:
        print(f"FAILED: {what}")
        failed = 1


def need(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if os.geteuid() or missing:
        print(f"SKIP: needs root and {' '.join(missing) or 'nothing else'}")
        sys.exit(77)


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def ns(which, *command, **more):
    return run("ip", "netns", "exec", NETNS + which, *command, **more)


def spawn(which, *command, **more):
    return subprocess.Popen(["ip", "netns", "exec", NETNS + which, *command], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, **more)


SERVER = r"""
import socket, sys
l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(("10.9.9.1", 8080))
l.listen(8)
held = []
print("ready", file=sys.stderr, flush=True)
while True:
    c, _ = l.accept()
    what = c.recv(100)
    if what.startswith(b"reset"):
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        c.close()
    elif what.startswith(b"hold"):
        c.send(b"held")
        held.append(c)
    else:
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000)
        c.close()
"""

CLIENT = r"""
import socket, sys, time
def talk(text, wait=True):
    s = socket.create_connection(("10.9.9.1", 8080))
    s.send(text)
    n = 0
    try:
        while wait:
            got = s.recv(65536)
            n += len(got)
            if not got or text == b"hold":
                break
    except ConnectionResetError:
        pass
    return s
talk(b"GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n").close()
talk(b"reset").close()
try:
    socket.create_connection(("10.9.9.1", 8081))
except ConnectionRefusedError:
    pass
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b"nobody", ("10.9.9.1", 9999))
h = talk(b"hold")
print("held", file=sys.stderr, flush=True)
time.sleep(60)
"""


def wait_for(process, word):
    line = process.stderr.readline()
    check(f"{word}: {line}", word in line)


def read(path, *arguments):
    out = run(PORTAVOZ, "read", path, "--json", "--columns=all", *arguments)
    return json.loads(out)["conversations"]


def find(rows, **wanted):
    found = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
    check(f"{wanted}: {len(found)} rows of {len(rows)}", len(found) == 1)
    return found[0] if found else {}


def expect(row, **wanted):
    for k, v in wanted.items():
        check(f"{row.get('local_port')}: {k} is {row.get(k)!r}, not {v!r}", row.get(k) == v)


def check_rows(path):
    rows = read(path)
    web = find(rows, proto="tcp", observed="http")
    expect(web, conn_state="SF", remote_port=8080, local_addr="10.9.9.2", direction_by="handshake", ended=
           "closed by both ends, the remote one first", in_payload=100043, in_lost=0, out_lost=0)
    check("host of HTTP", "www.example.test" in (web.get("observed_detail") or ""))
    check("round trips", (web.get("rtt") or 0) > 0)
    check("link layer", (web.get("local_mac") or "").count(":") == 5)
    expect(find(rows, proto="tcp", conn_state="RSTR"), remote_port=8080)
    expect(find(rows, proto="tcp", conn_state="REJ"), remote_port=8081, ended="refused by the remote end")
    expect(find(rows, proto="tcp", conn_state="S1"), remote_port=8080)
    udp = find(rows, proto="udp", remote_port=9999)
    expect(udp, conn_state="S0", icmp_errors=1, icmp_error="3/3", out_payload=6)


def check_totals(path):
    """What tcpdump counts is what the outermost conversations add up to."""
    n = len(run("tcpdump", "-nn", "-r", path).splitlines())
    summary = json.loads(run(PORTAVOZ, "read", path, "-s", "--json"))
    check(f"{summary['all']['packets']} packets, tcpdump has {n}", summary["all"]["packets"] == n)
    piped = subprocess.run([PORTAVOZ, "read", "-", "-s", "--json"], stdin=open(path, "rb"), check=True,
                           capture_output=True, text=True).stdout
    check("a pipe gives what the file does", json.loads(piped)["all"] == summary["all"])
    n = len(run("tcpdump", "-nn", "-r", path, "tcp port 8081").splitlines())
    summary = json.loads(run(PORTAVOZ, "read", path, "-s", "--json", "--bpf", "tcp port 8081"))
    check("--bpf", n and summary["all"]["packets"] == n)


def check_joined(path, joined, server, client, both):
    held = find(read(path, f"--joined={joined}"), proto="tcp", conn_state="S1")
    expect(held, pid=client)
    if both:
        expect(held, peer_pid=server)


def main():
    need("ip", "tcpdump", "ss", "lsof", "netstat")
    work = tempfile.mkdtemp()
    os.chmod(work, 0o755)
    path = os.path.join(work, "a.pcap")
    processes = []
    try:
        for which in "ab":
            run("ip", "netns", "add", NETNS + which)
        run("ip", "link", "add", "v0", "netns", NETNS + "a", "type", "veth", "peer", "v0", "netns", NETNS + "b")
        for which, addr in ("a", "10.9.9.1/24"), ("b", "10.9.9.2/24"):
            ns(which, "ip", "addr", "add", addr, "dev", "v0")
            ns(which, "ip", "link", "set", "v0", "up")
        dump = spawn("a", "tcpdump", "-Z", "root", "-U", "--immediate-mode", "-ni", "v0", "-w", path, "ip")
        processes.append(dump)
        wait_for(dump, "listening")
        server = spawn("a", sys.executable, "-c", SERVER)
        processes.append(server)
        wait_for(server, "ready")
        client = spawn("b", sys.executable, "-c", CLIENT)
        processes.append(client)
        wait_for(client, "held")
        time.sleep(0.3)
        dump.send_signal(signal.SIGINT)
        dump.wait(10)
        check_rows(path)
        check_totals(path)
        # of a recording the namespace of the client is seen, of its text as well
        for which in "ab":
            run("ip", "netns", "exec", NETNS + which, PORTAVOZ, "list", f"--record={work}/rec{which}")
        check_joined(path, f"{work}/recb", server.pid, client.pid, False)
        for name, command in (("ss", ["ss", "-tunap"]), ("netstat", ["netstat", "-tunap"]),
                              ("lsof", ["lsof", "-nPi"])):
            text = ns("b", *command) + ns("a", *command)
            with open(f"{work}/{name}.txt", "w", encoding="utf-8") as f:
                f.write(text)
            check_joined(path, f"{work}/{name}.txt", server.pid, client.pid, True)
    finally:
        for p in processes:
            p.kill()
            p.wait()
        for which in "ab":
            subprocess.run(["ip", "netns", "del", NETNS + which], check=False)
        shutil.rmtree(work)
    return failed


sys.exit(main())
