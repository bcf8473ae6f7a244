#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reading a capture as root: decoded by a child without rights (E7), which a decoder that was taken over cannot use; no network
(E8); bounds of memory (E4)."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import badcap  # noqa: E402
import live  # noqa: E402
from live import HELPERS, equal, holds, run  # noqa: E402
from test_bad import MIB, peak_memory  # noqa: E402

LIBRARY = os.path.join(HELPERS, "libmisbehave.so")


def write_capture(folder, frames):
    path = os.path.join(folder, "file.pcap")
    with open(path, "wb") as f:
        f.write(badcap.pcap(frames))
    return path


def test_taken_over_decoder():
    """Whatever it tries, it is ended, and the parent says at which packet."""
    if live.SANITIZED:  # the sanitizer's run-time wants to be loaded first
        return
    with tempfile.TemporaryDirectory() as folder:
        path = write_capture(folder, [badcap.frame(i, bytes(1000)) for i in range(2000)])
        whole = run("read", "-s", path, env={"LD_PRELOAD": LIBRARY})
        holds(b"2000" in whole.stdout, "without misbehaviour: %r" % whole.stdout)
        for what in ("open", "create", "socket", "exec", "kill", "ptrace"):
            done = run("read", "-s", path, env={"LD_PRELOAD": LIBRARY, "MISBEHAVE": what}, expect=1)
            holds(re.fullmatch(rb"portavoz: read: stopped by signal 31 \(a forbidden system call\) after packet \d+\n", done.stderr),
                  "%s: %r" % (what, done.stderr))
        holds(not os.path.exists("/tmp/misbehave"), "a file was made")


# Becomes root of a user namespace that maps root alone (its parent maps it, so setgroups(2) is left), then runs the arguments.
MAPPED = """
import ctypes, os, sys
r, w = os.pipe()
r2, w2 = os.pipe()
child = os.fork()
if child:
    os.read(r, 1)
    for kind in "ug":
        with open("/proc/%d/%sid_map" % (child, kind), "w") as f:
            f.write("0 0 1")
    os.write(w2, b"x")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
ctypes.CDLL(None).unshare(0x10000000)
os.write(w, b"x")
os.read(r2, 1)
os.execv(sys.argv[1], sys.argv[1:])
"""
WITHOUT_NOBODY = {"unshare -r": ("unshare", "-r"), "map 0 0 1": (sys.executable, "-c", MAPPED)}


def youngest(pid):
    """The status of the child of the child ... of a process, once all of the sandbox is there."""
    for _ in range(300):
        at, children = pid, [pid]
        while children:
            at = int(children[0])
            with open("/proc/%d/task/%d/children" % (at, at)) as f:
                children = f.read().split()
        with open("/proc/%d/status" % at, errors="replace") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        if status["Seccomp_filters"] != "0" and not (status["CapBnd"] + status["CapEff"]).strip("0"):
            return status
        time.sleep(0.1)
    raise AssertionError("no child without privileges")


def decode_from_pipe(prefix):
    """The status of who reads a pipe, with rows and messages at the end."""
    with subprocess.Popen([*prefix, live.PORTAVOZ, "read", "--csv", "--columns=out_packets", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        try:
            status = youngest(reader.pid)
        finally:
            out, err = reader.communicate(badcap.pcap([badcap.frame(0)]), timeout=60)
    equal((reader.returncode, out), (0, b"out_packets\n1\n"), "%s: %r" % (prefix, err))
    return status, err


def test_walls_without_nobody():
    """Root of a user namespace that has no other user: the same child, but for its name."""
    if live.SANITIZED:  # which cannot look for leaks in there
        return
    for name, prefix in {"root": (), **WITHOUT_NOBODY}.items():
        status, err = decode_from_pipe(prefix)
        equal(err, b"", name + ": messages")
        equal(status["Uid"].split(), ["0" if prefix else "65534"] * 4, name + ": user")
        equal([status[key].strip("0") for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")], [""] * 5, name + ": capabilities")
        equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), name + ": seccomp, no new privileges")


def test_taken_over_without_nobody():
    if live.SANITIZED:
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = write_capture(folder, [badcap.frame(i, bytes(1000)) for i in range(2000)])
        for prefix in WITHOUT_NOBODY.values():
            for what in ("open", "kill"):
                done = run("read", "-s", path, prefix=prefix, env={"LD_PRELOAD": LIBRARY, "MISBEHAVE": what}, expect=1)
                holds(b"stopped by signal 31 (a forbidden system call)" in done.stderr, "%s: %r" % (what, done.stderr))


def test_kernel_without_filters():
    """It is said, and what else there is stands; a wall that fails otherwise, whatever the error, ends it."""
    if live.SANITIZED:
        return
    status, err = decode_from_pipe(live.denied("filters"))
    equal(err, b"portavoz: read: note: this kernel has no seccomp filters: packets were decoded without privileges, but with every "
          b"system call\n", "note")
    equal((status["Uid"].split(), status["CapEff"].strip("0")), (["65534"] * 4, ""), "user and capabilities")
    with tempfile.TemporaryDirectory() as folder:
        path = write_capture(folder, [badcap.frame(0)])
        done = run("read", path, prefix=live.denied("landlock"), expect=1)
        equal((done.stdout, done.stderr), (b"", b"portavoz: sandbox: Invalid argument\n"), "a wall that failed")


def test_container_that_knows_no_landlock():
    """Its own filter refuses a call that it does not know: the other walls stand."""
    if live.SANITIZED:
        return
    status, err = decode_from_pipe(live.denied("rulesets"))
    equal((err, status["Uid"].split(), status["CapEff"].strip("0")), (b"", ["65534"] * 4, ""), "user and capabilities")
    equal(status["Seccomp_filters"], "2", "filters, with the container's own")


def test_languages():
    """Catalogues of texts are opened before nothing can be opened any more: every language of the list, whatever is said."""
    with tempfile.TemporaryDirectory() as folder:
        fragment = bytearray(badcap.frame(0))
        fragment[14 + 6:14 + 8] = (185).to_bytes(2, "big")  # whose first one never comes: a gap to be told
        path = write_capture(folder, [bytes(fragment)])
        for language in ("", "es", "pt:fr:es"):
            env = {"LC_ALL": "C.UTF-8", "LANGUAGE": language}
            done = run("read", "-v", path, env=env)
            holds(b"fragments" in done.stderr, "LANGUAGE=%s: %r" % (language, done))
            run("read", "-v", folder, env=env, expect=1)


def test_no_network():
    """E8: not one socket in the whole run, names and services shown."""
    if live.SANITIZED:  # which cannot look for leaks while another program traces it
        return
    with tempfile.TemporaryDirectory() as folder:
        path = write_capture(folder, [badcap.frame(i) for i in range(20)])
        trace = os.path.join(folder, "trace")
        program = [live.PORTAVOZ, "read", path]
        subprocess.run(["strace", "-f", "-qq", "-e", "trace=network", "-o", trace, *program], stdout=subprocess.DEVNULL, check=True)
        with open(trace) as f:
            calls = [line for line in f if re.search(r"\b(socket|connect|sendto|sendmsg)\(", line)]
        equal(calls, [], "network calls")


def many_conversations(path, n):
    """n datagrams, each a conversation of its own, 70 bytes each."""
    body = bytes(14)
    with open(path, "wb") as f:
        f.write(badcap.pcap([]))
        head = badcap.ethernet(badcap.ipv4(badcap.udp(7, 9, body)))
        record = badcap.pcap([head])[24:]
        for i in range(n):
            data = bytearray(record)
            data[16 + 14 + 12:16 + 14 + 16] = (0x0A000000 + i // 60000).to_bytes(4, "big")
            data[16 + 14 + 20:16 + 14 + 22] = (1024 + i % 60000).to_bytes(2, "big")
            f.write(data)


def totals(*args):
    summary = json.loads(run("read", "-s", "--json", *args).stdout)
    return summary


def test_order_is_told():
    """--sort gives one order, and says so when what had to leave early is not part of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "some.pcap")
        many_conversations(path, 5000)
        for memory, is_whole in ("16M", True), ("1M", False):
            done = run("read", "--csv", "--columns=local_port", "--sort=-local_port", "--memory=" + memory, path)
            ports = [int(n) for n in done.stdout.split()[1:]]
            equal(len(ports), 5000, "conversations in " + memory)
            equal(ports == sorted(ports, reverse=True), is_whole, "one order in " + memory)
            equal(b"--sort: note: " in done.stderr, not is_whole, "note in %s: %r" % (memory, done.stderr))


def test_a_million_conversations():
    """E4: a million fit into 400 MiB; in a small table all are counted, and those that left are, too."""
    if live.SANITIZED:
        return
    with tempfile.TemporaryDirectory() as folder:
        path, n = os.path.join(folder, "many.pcap"), 1000000
        many_conversations(path, n)
        peak = peak_memory("-s", path)
        holds(peak <= 400 * MIB, "a million conversations: %d MiB" % (peak // MIB))
        peak = peak_memory("-s", "--memory=50M", path)
        holds(peak <= 100 * MIB, "in a small table: %d MiB" % (peak // MIB))
        done = run("read", "--jsonl", "--memory=50M", "--columns=out_packets,out_bytes", path)
        packets = size = 0
        lines = done.stdout.splitlines()
        for line in lines[:-1]:
            row = json.loads(line)
            packets += row["out_packets"]
            size += row["out_bytes"]
        equal((len(lines) - 1, packets, size), (n, n, n * 56), "conversations, packets, bytes in a small table")
        holds(live.gaps(json.loads(lines[-1])).get("evicted", 0) > 800000, "evicted ones are not counted: %r" % lines[-1])


def forged(path, n):
    """A router that speaks for ten addresses, then n datagrams, each from a link-layer and an IP address of its own; at the end a
    longer one."""
    with open(path, "wb") as f:
        f.write(badcap.pcap([badcap.ethernet(badcap.ipv4(badcap.udp(7, 9), source=bytes((10, 9, 0, i)))) for i in range(10)]))
        record = badcap.pcap([badcap.ethernet(badcap.ipv4(badcap.udp(7, 9)))])[24:]
        for i in range(n):
            data = bytearray(record)
            data[0:4] = (1700000100 + i // 1000).to_bytes(4, "little")
            data[16 + 6:16 + 12] = b"\x02\x02" + i.to_bytes(4, "big")
            data[16 + 14 + 12:16 + 14 + 16] = (0x0B000000 + i).to_bytes(4, "big")
            f.write(data)
        data[16 + 6:16 + 12] = b"\2" + bytes(5)
        data[16 + 14 + 12:16 + 14 + 16] = bytes((12, 0, 0, 1))
        f.write(data * 20)


def check_sums(node, wrong):
    """What lies in a node and what was folded there are all of it."""
    parts = [*node["inside"], *([node["others"]] if node["others"] else [])]
    if node["level"] not in ("socket", "protocol"):
        wrong += [(node["name"], key) for key in ("conversations", "packets", "bytes") if sum(part[key] for part in parts) != node[key]]
    return sum(check_sums(part, wrong) for part in node["inside"]) + (node["others"] or {"conversations": 0})["conversations"]


def test_tree_is_bounded():
    """Nesting keeps to its share of --memory at every level: others are added up, and it is told that odd ones may be missing."""
    with tempfile.TemporaryDirectory() as folder:
        path, n = os.path.join(folder, "forged.pcap"), 10000 if live.SANITIZED else 100000
        forged(path, n)
        for form in ([], ["--json"]):
            peak = peak_memory("--tree", "--memory=4M", *form, path)
            holds(live.SANITIZED or peak <= 24 * MIB, "tree %s: %d MiB" % (form, peak // MIB))
        for memory, is_whole in (("4M", False), ("512M", True)):
            answer = json.loads(run("read", "--tree", "--json", "--memory=" + memory, path).stdout)
            wrong = []
            equal((check_sums(answer["tree"], wrong), wrong), (answer["folded"], []), "sums in " + memory)
            equal((answer["tree"]["packets"], answer["tree"]["bytes"]), (n + 30, (n + 30) * 47), "totals in " + memory)
            largest = max(answer["tree"]["inside"], key=lambda node: node["bytes"])
            equal((largest["name"], largest["packets"]), ("02:00:00:00:00:00 <-> 02:00:00:00:00:02", 20), "largest in " + memory)
            equal([odd["kind"] for odd in answer["odd"]], ["router"], "odd ones in " + memory)
            equal((answer["folded"] == 0, answer["unplaced"] == 0), (is_whole, is_whole), "folded in %s: %r" % (memory, answer["folded"]))
            text = run("read", "--tree", "--memory=" + memory, path).stdout.decode()
            equal((" conversations beyond --memory" in text, "may be missing" in text), (not is_whole, not is_whole), "text in " + memory)


if __name__ == "__main__":
    live.main(globals())
