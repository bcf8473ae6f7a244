#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every network namespace that can be found is listed once, with its name and the right owners: named
ones, those of processes and threads, those that a mount, a descriptor or a socket keeps. What cannot
be entered is counted and named (B6)."""
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import threading

import live

MANY = 200
FIELDS = "proto,local_port,interface,cookie,inode,netns,netns_name,owners,owner_reason"


def setns(fd):
    if live.libc.setns(fd, live.CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def listener(port):
    s = socket.socket()
    s.bind(("0.0.0.0", port))
    s.listen()
    return s


def inode_of(path):
    return os.stat(path).st_ino


class Holder:
    """A process of ours that runs make() and then waits; its answer is JSON."""

    def __init__(self, make):
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            live.libc.prctl(1, signal.SIGKILL)
            try:
                os.close(read)
                keep = make(lambda answer: os.write(write, json.dumps(answer).encode()))
                os.close(write)
                while keep is not None:
                    signal.pause()
            finally:
                os._exit(1)
        os.close(write)
        with os.fdopen(read) as f:
            self.made = json.loads(f.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def in_named(name, port):
    def make(tell):
        fd = os.open("/run/netns/" + name, os.O_RDONLY)
        setns(fd)
        os.close(fd)
        tell(inode_of("/proc/self/ns/net"))
        return listener(port)
    return Holder(make)


def in_new(port):
    def make(tell):
        live.unshare(live.CLONE_NEWNET)
        tell(inode_of("/proc/self/ns/net"))
        return listener(port)
    return Holder(make)


def kept_by(what, port, path=None):
    """A process in our namespace, which keeps another one by these means alone."""
    def make(tell):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        live.unshare(live.CLONE_NEWNET)
        keep, inode = [listener(port)], inode_of("/proc/self/ns/net")
        if what == "descriptor":
            keep.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        if what == "mount":
            open(path, "w").close()
            subprocess.run(["mount", "--bind", "/proc/self/ns/net", path], check=True)
        setns(home)
        os.close(home)
        tell([inode, keep[-1].fileno() if what == "socket" else keep[-1] if what == "descriptor" else -1])
        return keep
    return Holder(make)


def in_thread(port):
    def make(tell):
        keep, ready, forever = [], threading.Event(), threading.Event()

        def run():
            live.unshare(live.CLONE_NEWNET)
            keep.append(listener(port))
            keep.append(inode_of("/proc/thread-self/ns/net"))
            ready.set()
            forever.wait()
        threading.Thread(target=run, daemon=True).start()
        ready.wait()
        tell(keep[1])
        return keep
    return Holder(make)


def hide_the_hosts():
    """In our mount namespace the host's namespaces are not mounted."""
    with open("/proc/self/mountinfo", errors="surrogateescape") as f:
        points = [line.split()[4] for line in f if line.split()[3].startswith("net:[")]
    for point in points:
        live.libc.umount2(point.encode().decode("unicode_escape").encode(), 2)


@contextlib.contextmanager
def named(*names):
    hide_the_hosts()
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=True)
        subprocess.run(["umount", "-R", "-l", "/run"], check=True)


def listing(*args, **kwargs):
    return live.document("-N", "all", "-t", "-l", "-n", *args, columns=FIELDS, **kwargs)


def found(doc, port):
    return [(r["netns"], r["netns_name"], live.pids(r)) for r in doc["conversations"]
            if r["local_port"] == port]


@contextlib.contextmanager
def every_kind():
    with named("blue", "with space"), live.folder() as folder, contextlib.ExitStack() as stack:
        path = os.path.join(folder, "kept")
        wanted = {}
        keep = stack.enter_context
        holder = keep(in_named("blue", 7001))
        wanted[7001] = (holder.made, "blue", [holder.pid])
        holder = keep(in_named("with space", 7002))
        wanted[7002] = (holder.made, "with space", [holder.pid])
        holder = keep(in_new(7003))
        wanted[7003] = (holder.made, "pid %d" % holder.pid, [holder.pid])
        holder = keep(in_thread(7004))
        wanted[7004] = (holder.made, "pid %d" % holder.pid, [holder.pid])
        holder = keep(kept_by("descriptor", 7005))
        wanted[7005] = (holder.made[0], "pid %d fd %d" % (holder.pid, holder.made[1]), [holder.pid])
        holder = keep(kept_by("mount", 7006, path))
        stack.callback(subprocess.run, ["umount", "-l", path], check=True)
        wanted[7006] = (holder.made[0], path, [holder.pid])
        holder = keep(kept_by("socket", 7007))
        wanted[7007] = (holder.made[0], "pid %d fd %d" % (holder.pid, holder.made[1]), [holder.pid])
        yield wanted


def test_every_kind_is_found_once():
    with every_kind() as wanted, listener(7000):
        for owners in ("auto", "bpf", "proc", "none"):
            doc = listing("--owners=" + owners)
            for port, (inode, name, pids) in wanted.items():
                if owners == "proc" and port == 7007:
                    continue  # that a socket keeps it, BPF alone can tell
                live.equal(found(doc, port), [(inode, name, [] if owners == "none" else pids)],
                           "%s, port %d" % (owners, port))
            live.equal([n for n, _, _ in found(doc, 7000)], [inode_of("/proc/self/ns/net")], "ours")
            live.equal(live.gaps(doc).get("netns"), None, "gaps")
        sources = {s["name"]: s for s in listing("--owners=proc")["coverage"]["sources"]}
        live.holds("only a socket keeps" in sources["network namespaces"]["cause"], "what /proc lacks")


def test_one_is_chosen():
    with every_kind() as wanted:
        paths = {7006: wanted[7006][1]}
        for port, (inode, name, pids) in wanted.items():
            ways = ["net:[%d]" % inode] if port <= 7004 or port == 7006 else []
            ways += [name] if port in (7001, 7002) else []
            ways += [str(pids[0])] if port in (7001, 7002, 7003) else []
            ways += [paths[port]] if port in paths else []
            ways += ["/proc/%d/fd/%s" % (pids[0], name.split()[-1])] if port == 7005 else []
            for way in ways:
                doc = live.document("-N", way, "-t", "-l", "-n", columns=FIELDS)
                live.equal({(r["local_port"], r["netns"]) for r in doc["conversations"]},
                           {(port, inode)}, "-N " + way)
        doc = live.document("-N", "blue", "-N", str(wanted[7003][2][0]), "-t", "-l", "-n", columns=FIELDS)
        live.equal({r["local_port"] for r in doc["conversations"]}, {7001, 7003}, "two of them")
        doc = listing("netns", "blue", "or", "netns", "=", str(wanted[7003][0]))
        live.equal({r["local_port"] for r in doc["conversations"]}, {7001, 7003}, "the filter")
        for what in ("red", "999999999", "/dev/null", "net:[1]"):
            done = live.run("list", "-N", what, expect=1)
            live.equal(done.stderr, b"portavoz: %s: no such network namespace\n" % what.encode(), what)
        for what, shown in ((",", b","), (b"\x9b31m\xff", rb"\x9b31m\xff"), ("x\x1b\u009b\u202e", rb"x\x1b\xc2\x9b\xe2\x80\xae")):
            done = live.run("list", "-N", os.fsdecode(what), expect=1)
            live.equal(done.stderr, b"portavoz: " + shown + b": no such network namespace\n", "hostile")


def test_without_it_nothing_changes():
    with every_kind(), listener(7000):
        doc = live.document("-t", "-l", "-n", columns=FIELDS)
        live.equal({r["local_port"] for r in doc["conversations"]}, {7000}, "our own")


def test_interfaces_are_those_of_the_namespace():
    with named("blue"):
        subprocess.run(["ip", "-n", "blue", "link", "add", "odd0", "type", "veth", "peer", "name", "odd1"], check=True)
        subprocess.run(["ip", "-n", "blue", "link", "set", "odd0", "up"], check=True)

        def make(tell):
            fd = os.open("/run/netns/blue", os.O_RDONLY)
            setns(fd)
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"odd0\0")
            s.bind(("0.0.0.0", 7100))
            s.listen()
            tell(0)
            return s
        with Holder(make):
            rows = [r for r in listing()["conversations"] if r["local_port"] == 7100]
            live.equal([r["interface"] for r in rows], ["odd0"], "name")
            doc = listing("dev", "odd0")
            live.equal([r["local_port"] for r in doc["conversations"]], [7100], "filter")


def test_every_protocol():
    """No identity comes twice, and none of what the list itself made is in it."""
    with every_kind():
        doc = live.document("-N", "all", "-a", "-n", columns=FIELDS + ",state")
        seen = [(r["netns"], r["proto"], r["cookie"]) for r in doc["conversations"] if r["cookie"]]
        live.equal(len(seen), len(set(seen)), "identities")
        home = inode_of("/proc/self/ns/net")
        for r in doc["conversations"]:
            if r["proto"] == "netlink" and r["netns"] != home:
                live.equal(r["owner_reason"], "kernel", "netlink socket in %s" % r["netns_name"])


def test_many():
    half = MANY // 2
    names = ["n%d" % i for i in range(half)]
    with named(*names), contextlib.ExitStack() as stack, listener(7777):
        wanted = {(stack.enter_context(in_named(n, 7777)).made, n) for n in names}
        others = [stack.enter_context(in_new(7777)) for _ in range(MANY - half)]
        wanted |= {(h.made, "pid %d" % h.pid) for h in others}
        open("/run/netns/stale", "w").close()
        doc = listing("sport = :7777")
        got = [(n, name) for n, name, _ in found(doc, 7777)]
        live.equal(len(got), MANY + 1, "listeners")
        home = inode_of("/proc/self/ns/net")
        live.equal({g for g in got if g[0] != home}, wanted, "their namespaces")
        gap = [g for g in doc["coverage"]["gaps"] if g["kind"] == "netns_stale"]
        live.equal([(g["count"], g["detail"]) for g in gap], [(1, "stale")], "what cannot be entered")
        os.unlink("/run/netns/stale")


def test_unprivileged():
    with named("blue", "red"), in_named("blue", 7001), listener(7000):
        doc = listing(prefix=live.as_nobody())
        live.equal({r["local_port"] for r in doc["conversations"]}, {7000}, "rows")
        gap = [g for g in doc["coverage"]["gaps"] if g["kind"] == "netns"]
        live.equal([(g["count"], g["detail"]) for g in gap], [(2, "not permitted: blue, red")], "which")
        live.holds("CAP_SYS_ADMIN" in gap[0]["remedy"], "remedy")
        live.holds(live.gaps(doc)["netns_hidden"] >= 1, "processes that are hidden")
        live.equal(doc["coverage"]["complete"], False, "complete")
        live.run("list", "-N", "all", "-tl", "--strict", prefix=live.as_nobody(), expect=3)
        done = live.run("list", "-N", "blue", prefix=live.as_nobody(), expect=1)
        live.holds(done.stderr.startswith(b"portavoz: blue: may not be entered: "), done.stderr)
        line = live.run("list", "-N", "all", "-tl", "-v", prefix=live.as_nobody()).stderr.decode()
        live.holds("2 network namespaces that could not be entered: not permitted: blue, red" in line, line)


def test_replay():
    with every_kind() as wanted, live.folder() as folder, listener(7000):
        records = ["auto", "proc", "none"]
        for owners in records:
            where = os.path.join(folder, owners)
            options = ("-N", "all", "-a", "-n", "-p", "-v", "--owners=" + owners)
            made = live.run("list", *options, "--record=" + where)
            subprocess.run(["chmod", "-R", "a+rX", where], check=True)
            again = live.run("list", *options, "--replay=" + where, prefix=live.as_nobody())
            live.equal(again.stdout, made.stdout, owners + ": table")
            live.equal(again.stderr, made.stderr, owners + ": coverage")
        where = os.path.join(folder, "auto")
        for port in (7001, 7003, 7006):
            doc = live.document("-N", "net:[%d]" % wanted[port][0], "-t", "-l", "-n", "--replay=" + where,
                                columns=FIELDS)
            live.equal({r["local_port"] for r in doc["conversations"]}, {port}, "one of the recording")
        doc = live.document("-t", "-l", "-n", "--replay=" + where, columns=FIELDS)
        live.equal({r["local_port"] for r in doc["conversations"]}, {7000}, "our own of the recording")
        one = os.path.join(folder, "one")
        live.run("list", "--record=" + one)
        doc = listing("--replay=" + one)
        live.equal({r["local_port"] for r in doc["conversations"]}, {7000}, "a recording of one")
        live.equal(live.gaps(doc).get("not_recorded"), 1, "and its gap")


def test_other_commands():
    with every_kind() as wanted:
        text = live.run("explain", "7001", "-N", "all").stdout.decode()
        live.holds("It is in the network namespace blue." in text, text)
        text = live.run("port", "7001/tcp", "-N", "blue", "-H").stdout.decode()
        live.holds("(%d)@blue" % wanted[7001][2][0] in text, text)
        listeners = json.loads(live.run("port", "7001/tcp", "-N", "blue", "--json").stdout)["ports"][0]["listeners"]
        live.equal([(l["netns"], l["netns_name"]) for l in listeners], [wanted[7001][:2]], "JSON")


live.main(globals(), pid=True)
