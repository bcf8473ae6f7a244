#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Closing sockets, filters from files, raw dumps: what is done with a list, tried on real sockets.

Raw dumps are exchanged with ss in both directions.
"""
import errno
import os
import pty
import re
import select
import socket
import subprocess
import time

import live

SS = "ss"


def pair(family=socket.AF_INET, address=("127.0.0.1", 0)):
    """A listener, a client, the server's end."""
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()
    client = socket.socket(family)
    client.connect(listener.getsockname())
    return listener, client, listener.accept()[0]


def port_of(s):
    return s.getsockname()[1]


def is_reset(s):
    """Whether a connection was ended from outside."""
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError as e:
        return e.errno in (errno.ECONNABORTED, errno.ECONNRESET)


def test_kill_closes_what_matches():
    listener, client, server = pair()
    _, other, _kept = pair()
    out = live.run("list", "-Hn", "-K", "--yes", "sport = %d" % port_of(client)).stdout.decode()
    live.equal([line.split()[2] for line in out.splitlines()], ["127.0.0.1:%d" % port_of(client)], "closed")
    live.holds(is_reset(client) and is_reset(server), "both ends are told")
    live.holds(not is_reset(other), "another connection is left alone")
    live.run("list", "-t", "--kill", "--yes", "state listening sport = %d" % port_of(listener))
    live.equal(live.rows("-l", "sport = %d" % port_of(listener)), [], "a listener")


def test_kill_both_ends():
    listener, client, server = pair()
    port = port_of(listener)
    done = live.run("list", "-tHn", "-K", "--yes", "sport = %d or dport = %d" % (port, port))
    live.holds(is_reset(client) and is_reset(server), "both ends are closed")
    live.equal((done.stdout.count(b"\n"), done.stderr.count(b"not closed: tcp ESTABLISHED")), (1, 1), "rows")
    live.holds(b": it is gone\n" in done.stderr, "the other end went with it: %r" % done.stderr)


def test_kill_over_six_and_as_json():
    _, client, _server = pair(socket.AF_INET6, ("::1", 0))
    doc = live.document("--kill", "--yes", "src [::1]:%d" % port_of(client))
    live.equal([row["local_port"] for row in doc["conversations"]], [port_of(client)], "closed, as JSON")
    live.holds(is_reset(client), "it is closed")


def test_kill_udp_tells_the_process():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(server.getsockname())
    live.run("list", "-u", "-K", "--yes", "dport = %d" % port_of(server))
    client.setblocking(False)
    try:
        client.recv(1)
        raise AssertionError("no error")
    except OSError as e:
        live.equal(e.errno, errno.ECONNABORTED, "error of the socket")


def test_kill_needs_consent_and_a_filter():
    _, client, _server = pair()
    match = "sport = %d" % port_of(client)
    for arguments, why in ((["-K"], b"needs a filter"), (["-K", "--yes"], b"needs a filter"),
                           (["-tK", "--yes"], b"needs a filter"), (["-K", match], b"asks first"),
                           (["--yes", match], b"goes with --kill"), (["-K", "--yes", "-s", match], b"does not go")):
        done = live.run("list", *arguments, expect=2)
        live.holds(why in done.stderr and not done.stdout, "%s: %r" % (arguments, done.stderr))
    for every in ("state all", "state connected", "exclude listening", "not state closed", "src * or " + match, "dst *:*",
                  "state established or not state established"):
        for command in ("list", "ss"):
            done = live.run(command, "-K", "--yes", every, expect=2)
            live.holds(b"needs a filter" in done.stderr and not done.stdout, "%s %s: %r" % (command, every, done.stderr))
    for arguments in (["-K"], ["-K", match]):
        done = live.run("ss", *arguments, expect=2)
        live.holds(done.stderr.startswith(b"portavoz: --kill: "), "ss %s: %r" % (arguments, done.stderr))
    live.holds(not is_reset(client), "it is still open")


def test_what_cannot_be_closed_is_told():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0portavoz-kill")
    listener.listen()
    _, client, _server = pair()
    done = live.run("list", "-tx", "-a", "-K", "--yes", "-H", "src @portavoz-kill or sport = %d" % port_of(client),
                    expect=1)
    live.equal(done.stdout.count(b"\n"), 1, "rows closed")
    live.holds(re.search(rb"not closed: unix LISTEN @portavoz-kill \S+: the kernel closes sockets of IP protocols only\n",
                         done.stderr), "reason %r" % done.stderr)
    live.holds(is_reset(client), "the other one is closed")


def test_without_privilege():
    _, client, _server = pair()
    done = live.run("list", "-t", "-K", "--yes", "-H", "sport = %d" % port_of(client), expect=1,
                    prefix=live.as_nobody())
    live.holds(b"no privilege (CAP_NET_ADMIN)" in done.stderr and not done.stdout, "%r" % done.stderr)
    live.holds(not is_reset(client), "it is still open")


def on_terminal(arguments, answer):
    pid, fd = pty.fork()
    if not pid:
        os.execv(live.PORTAVOZ, [live.PORTAVOZ, *arguments])
    out, end, answered = b"", time.monotonic() + 20, False
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            out += os.read(fd, 65536)
        except OSError:
            break  # EIO: the other end closed
        if b"[y/N]" in out and not answered:
            live.holds(b"127.0.0.1:" in out[:out.index(b"[y/N]")], "the list is in view: %r" % out)
            os.write(fd, answer)
            answered = True
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    live.holds(answered, "it asks: %r" % out)
    return out, status


def test_asks_on_a_terminal():
    for command in (["list", "-n"], ["ss", "-n"]):
        _, client, _server = pair()
        arguments = [*command, "-K", "sport", "=", str(port_of(client))]
        for answer in (b"n\n", b"\n"):
            out, status = on_terminal(arguments, answer)
            live.equal((status, b"nothing was closed" in out), (0, True), "answer %r" % answer)
            live.holds(not is_reset(client), "it is still open")
        out, status = on_terminal(arguments, b"y\n")
        live.equal((status, is_reset(client)), (0, True), "answer y")


def test_ss_lists_what_it_closed():
    _, client, _server = pair()
    out = live.run("ss", "-HtanK", "--yes", "sport", "=", port_of(client)).stdout.split()
    live.equal((out[0], out[3]), (b"ESTAB", b"127.0.0.1:%d" % port_of(client)), "row")
    live.holds(is_reset(client), "it is closed")


def test_kill_in_another_namespace():
    live.shell("ip netns add portavoz-kill; ip netns exec portavoz-kill ip link set lo up")
    try:
        with live.Load("mksock", "listen", prefix=("ip", "netns", "exec", "portavoz-kill")) as inside:
            port = inside.made[0]["local_port"]
            match = "state listening sport = %d" % port
            live.equal(len(live.rows("-N", "portavoz-kill", match)), 1, "before")
            live.run("list", "-N", "portavoz-kill", "-K", "--yes", match)
            live.equal(live.rows("-N", "portavoz-kill", match), [], "after")
    finally:
        live.shell("ip netns delete portavoz-kill")


def test_filters_from_files():
    listener, client, _server = pair()
    with live.folder() as path:
        name = os.path.join(path, "filter")
        with open(name, "w") as f:
            f.write("# ours\nsport = %d\n  or dport = %d\n" % (port_of(listener), port_of(listener)))
        for how in (["-F", name], ["--filter=" + name], ["-F", "-"]):
            with open(name) as stdin:
                command = [live.PORTAVOZ, "list", "-Htn", *how, "state", "established"]
                out = subprocess.run(command, stdin=stdin, stdout=subprocess.PIPE, check=True).stdout
            live.equal(out.count(b"\n"), 2, "rows of %s" % how)
        with open(name, "a") as f:
            f.write("  and bogus\n")
        done = live.run("list", "-F", name, expect=2)
        live.holds(done.stderr.startswith(b'portavoz: %s:4: "bogus" is ' % name.encode()), "%r" % done.stderr)
        lines = done.stderr.split(b"\n")
        live.equal(lines[2].index(b"^"), lines[1].index(b"bogus"), "caret")
        done = live.run("list", "-F", name, "foo bar", expect=2)
        live.holds(done.stderr.startswith(b'portavoz: filter: "foo"') and b"bogus" not in done.stderr,
                   "a mistake in the operands: %r" % done.stderr)
        with open(name, "wb") as f:
            f.write(b"sport = 1\0")
        live.run("list", "-F", name, expect=2)
        live.run("list", "-F", os.path.join(path, "none"), expect=2)
        live.holds(b"too large" in live.run("list", "-F", "/dev/zero", expect=2).stderr, "an endless file")
    live.holds(not is_reset(client), "the connection stood all the time")


def ss(*options, env=None):
    return subprocess.run([SS, *options], stdout=subprocess.PIPE, check=True,
                          env={**os.environ, **(env or {})}).stdout


def at_rest(output):
    """Words without what counts time."""
    return [re.sub(rb"(timer:\(\w+),[^,]*", rb"\1", word) for word in output.split()
            if not re.match(rb"(last(snd|rcv|ack)|busy|rcv_rtt):", word)]


def test_dumps_are_exchanged_with_ss():
    kept = [pair(), pair(socket.AF_INET6, ("::1", 0))]
    kept[0][1].send(b"x" * 1000)
    with live.folder() as path:
        ours, theirs = (os.path.join(path, name) for name in ("ours", "theirs"))
        live.run("list", "-ta", "-D", ours)
        live.equal(ss("-tan", env={"TCPDIAG_FILE": ours}), ss("-tan"), "ss reads ours")
        live.run("ss", "-ta", "-D", ours)
        live.equal(at_rest(ss("-tanime", env={"TCPDIAG_FILE": ours})), at_rest(ss("-tanime")),
                   "with memory, tcp_info and details")
        ss("-tan", "-D", theirs)
        live.equal(live.run("ss", "-tan", env={"TCPDIAG_FILE": theirs}).stdout, ss("-tan"), "we read theirs")
        live.equal(live.run("ss", "-tan", "--replay", theirs).stdout, ss("-tan"), "--replay")
        live.equal(live.run("ss", "-tan", "-D", "-").stdout[-20:-16], b"\x14\0\0\0", "standard output")
        columns = "local,remote,state,cookie,direction"
        found, wanted = (sorted(live.rows("-tan", *more, columns=columns), key=str)
                         for more in (("--replay", theirs), ()))
        live.equal(found, wanted, "the list of a dump")
        live.equal({row["owner_reason"] for row in live.rows("-ta", "--replay", theirs)}, {"not_recorded"},
                   "owners of a dump")
        match = "sport = %d" % port_of(kept[0][0])
        live.run("list", "-D", ours, match)
        live.equal(len(live.rows("--replay", ours)), len(live.rows("-t", "-a", match)), "filtered")


def test_damaged_dumps_are_refused():
    kept = pair()
    with live.folder() as path:
        name = os.path.join(path, "dump")
        live.run("list", "-ta", "-D", name)
        with open(name, "rb") as f:
            whole = f.read()
        message = 20 + 16
        for data, where in ((whole[:100], 0), (whole[:-8], len(whole) - 20), (whole[:-20], len(whole) - 20),
                            (b"", 0), (b"not a dump at all, but text", 0),
                            (whole[:4] + b"\x99" + whole[5:], 0), (whole[:16] + b"\x01" + whole[17:], 0)):
            with open(name, "wb") as f:
                f.write(data)
            for command in (["list"], ["ss", "-ta"]):
                done = live.run(*command, "--replay", name, expect=1)
                live.holds(b"is no dump of TCP sockets: what begins at byte %d " % where in done.stderr,
                           "%d bytes: %r" % (len(data), done.stderr))
        live.holds(len(whole) > message, "a dump")
        live.run("list", "--replay", os.path.join(path, "none"), expect=1)
    live.holds(not is_reset(kept[1]), "the connection stood all the time")


live.main(globals())
