#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sound, damaged and hostile captures (badcap.py): no crash, what came before damage is shown, the place of the damage is told,
no name reaches a writer's output raw."""
import csv
import fcntl
import gzip
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import badcap  # noqa: E402
import live  # noqa: E402
from live import equal, holds, no_raw, run  # noqa: E402

MIB = 1 << 20
WRITERS = ([], ["--json"], ["--jsonl"], ["--csv"], ["--tree"], ["-s"])
TEXTS = "proto,local,remote,observed,observed_detail,contradiction,remote_name,history"


def read(path, *args):
    done = run("read", *args, path, expect=None, timeout=60)
    holds(done.returncode in (0, 1), "%s %s: exit %d: %r" % (path, args, done.returncode, done.stderr[-300:]))
    return done


def packets_shown(path):
    done = read(path, "--csv", "--columns=out_packets,in_packets")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    return sum(int(row["out_packets"] or 0) + int(row["in_packets"] or 0) for row in rows), done


def check_place(name, wanted, done):
    """One line of error, which names the file, and where the damage is."""
    text = done.stderr.decode()
    holds(name in text and text.startswith("portavoz: "), "%s: error %r" % (name, text))
    if wanted["offset"] is not None:
        place = re.search(r"\bbyte (\d+), after (\d+) packets\b", text)
        holds(place and 0 <= int(place.group(1)) - wanted["offset"] < 100 and int(place.group(2)) == wanted["packets"],
              "%s: not at byte %d: %r" % (name, wanted["offset"], text))


def test_each_file():
    wrong = []
    for name, wanted in sorted(INDEX.items()):
        try:
            count, done = packets_shown(os.path.join(FOLDER, name))
            if wanted["packets"] is not None:
                equal(count, wanted["packets"], name + ": packets")
            if wanted["sound"] is not None:
                equal(done.returncode, 0 if wanted["sound"] else 1, name + ": exit status, " + done.stderr.decode()[-200:])
            if wanted["sound"]:
                equal(done.stderr, b"", name + ": error output")
            elif done.returncode == 1:
                check_place(name, wanted, done)
        except AssertionError as error:
            wrong.append(str(error))
    equal(wrong, [], "captures read wrongly")


def test_hostile_names():
    """A7: no name of a packet or a file's comment comes out raw."""
    names = [name for name, wanted in INDEX.items() if wanted["hostile"]]
    equal(len(names), 32, "captures with hostile names")
    for name in names:
        for writer in WRITERS:
            more = [] if writer in (["--tree"], ["-s"]) else ["--columns=" + TEXTS]
            no_raw(read(os.path.join(FOLDER, name), *writer, *more).stdout, "%s %s" % (name, writer))


def test_hostile_names_are_shown():
    """The test above would hold of a reader that shows none of them, too."""
    found = {kind: b"" for kind in ("dns", "tls", "http")}
    for kind in found:
        for i in range(len(badcap.HOSTILE)):
            found[kind] += read(os.path.join(FOLDER, "name-%s-%d.pcap" % (kind, i)), "--csv", "--columns=" + TEXTS).stdout
    for kind, text in found.items():
        holds(b"script" in text or b"\\x1b" in text, "nothing of the names in %s: %r" % (kind, text[:400]))


def test_names_of_the_file():
    """A name resolution block names its address; what is unfit to be a name names nothing, and is counted."""
    def read_named(text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "names.pcapng")
            record = struct.pack("<HH", 1, 5 + len(text)) + badcap.pad(b"\xc0\0\2\1" + text + b"\0") + bytes(4)
            with open(path, "wb") as f:
                f.write(badcap.pcapng([badcap.frame(0)]) + badcap.block(4, record))
            answer = json.loads(read(path, "--json", "--columns=proto,remote_name").stdout)
            return ([row["remote_name"] for row in answer["conversations"]],
                    [gap["count"] for gap in answer["coverage"]["gaps"] if gap["kind"] == "names_refused"])

    equal(read_named(b"www.example.test"), (["www.example.test"], []), "name")
    equal(read_named(b""), ([None], []), "empty name")
    for text in [*badcap.HOSTILE, b"10.0.0.7", b"a" * 256]:
        equal(read_named(text), ([None], [1]), "name %r" % text)


def test_mutants():
    """E3: a few bytes changed, moved or left out; many more are made by tools/mutants."""
    bases = badcap.mutant_bases()
    with tempfile.TemporaryDirectory() as folder:
        # a sanitized program takes a tenth of a second to start: there all of them are captures-mutants' in one
        for i in range(108 if live.SANITIZED else 1080):
            path = os.path.join(folder, "mutant-7-%d" % i)
            with open(path, "wb") as f:
                f.write(badcap.mutant(bases, 7, i))
            read(path, "--csv", "--columns=" + TEXTS)
            os.unlink(path)


# A process of its own, and a small one: what execs starts with the largest size of what it was forked from.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(done.returncode != int(sys.argv[1]))
"""


def peak_memory(*args, expect=0):
    """The largest resident size, bytes, among the processes of one run."""
    env = {**os.environ, "LD_LIBRARY_PATH": os.path.join(os.path.dirname(live.PORTAVOZ), "../lib")}
    done = subprocess.run([sys.executable, "-c", MEASURE, str(expect), live.PORTAVOZ, "read", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, env=env)
    equal(done.returncode, 0, "read %r: %r" % (args, done.stderr[-500:]))
    return int(done.stdout)


def lines_on_terminal(path, width):
    """The table as it comes on a terminal that wide."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    done = subprocess.Popen([live.PORTAVOZ, "read", "--color=never", path], stdout=slave, stderr=subprocess.DEVNULL)
    os.close(slave)
    text = b""
    try:
        while part := os.read(master, 65536):
            text += part
    except OSError:  # how a terminal says that its last writer is gone
        pass
    os.close(master)
    equal(done.wait(), 0, "exit status")
    return text.decode().replace("\r", "").splitlines()


def test_narrow_terminals():
    """No line is longer than the terminal is wide; both ends and the bytes are always there."""
    path = os.path.join(FOLDER, "mixed")
    with open(path, "wb") as f:
        f.write(badcap.pcap(badcap.mixed()))
    for width in (60, 80, 100, 132, 200):
        lines = lines_on_terminal(path, width)
        equal([line for line in lines if len(line) > width], [], "lines at %d columns" % width)
        holds(set(("LOCAL", "REMOTE", "OUT-BYTES", "IN-BYTES")) <= set(lines[0].split()), "title at %d: %r" % (width, lines[0]))
        holds(len(lines) > 8, "rows at %d: %r" % (width, lines))


def test_memory_of_small_files():
    if live.SANITIZED:
        return
    for name in ("ok-interfaces.pcapng", "ok-little.pcap", "packet-ipv6-chain.pcap"):
        holds(peak_memory(os.path.join(FOLDER, name)) <= 256 * MIB, name + ": memory")


def test_packed_flood():
    """E5: 480 MB of packets in a file of about 1 MB are streamed."""
    if live.SANITIZED:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "flood.pcap.gz")
        one = badcap.pcap([badcap.frame(0, bytes(60000))])
        with gzip.open(path, "wb", compresslevel=6) as f:
            f.write(one[:24])
            for _ in range(8000):
                f.write(one[24:])
        holds(os.path.getsize(path) < 2 * MIB, "flood is %d bytes" % os.path.getsize(path))
        peak = peak_memory(path)
        holds(peak <= 64 * MIB, "memory %d MiB" % (peak // MIB))
        done = read(path, "--csv", "--columns=out_packets", "--unpacked-max=6M")
        count = int(done.stdout.split()[1])
        holds(done.returncode == 1 and 0 < count < 200, "exit %d, %d packets before the limit" % (done.returncode, count))
        holds(b"more than the limit of 6291456 bytes" in done.stderr, "limit: %r" % done.stderr)


def packed(folder, first, blocks):
    path = os.path.join(folder, "packed.pcapng.gz")
    with gzip.open(path, "wb", compresslevel=1) as f:
        f.write(first)
        for data in blocks:
            f.write(data)
    return path


def test_memory_of_interfaces():
    """Their texts are not kept; of those that describe one section there are no more than a share of --memory holds."""
    if live.SANITIZED:
        return
    text = badcap.option(2, b"A" * 65532) + badcap.option(3, b"B" * 65532)
    with tempfile.TemporaryDirectory() as folder:
        path = packed(folder, badcap.section(), (badcap.interface(options=text) for _ in range(1000)))
        peak = peak_memory("-s", "--memory=4M", path)
        holds(peak <= 24 * MIB, "texts of 1000 interfaces: %d MiB" % (peak // MIB))

        many = badcap.interface() * 10000
        path = packed(folder, badcap.pcapng([badcap.frame(0)]), [many] * 100)
        peak = peak_memory("-s", "--memory=4M", path, expect=1)
        holds(peak <= 24 * MIB, "a million interfaces: %d MiB" % (peak // MIB))
        done = read(path, "--csv", "--columns=out_packets", "--memory=4M")
        equal((done.returncode, done.stdout), (1, b"out_packets\n1\n"), "what was before too many interfaces")
        holds(re.search(rb"after 1 packets: expected memory for another interface, found \d+ already", done.stderr), "too many: %r" % done.stderr)
        equal(read(path, "-s", "--memory=4G").returncode, 0, "with memory for a million interfaces")

        again = (badcap.section() + badcap.interface() * 5000) * 100 + badcap.interface() + badcap.enhanced(0, badcap.frame(0))
        done = read(packed(folder, b"", [again]), "--csv", "--columns=out_packets", "--memory=4M")
        equal((done.returncode, done.stdout), (0, b"out_packets\n1\n"), "sections with many interfaces each: %r" % done.stderr)


def test_memory_of_names():
    """Names that files give take a share of --memory; those beyond are counted."""
    if live.SANITIZED:
        return
    count = 100000
    records = (struct.pack("<HH", 1, 252) + (0x0A000000 + i).to_bytes(4, "big") + b"n%06d." % i + b"a" * 60 + b"." + b"b" * 60 + b"." +
               b"c" * 60 + b"." + b"d" * 56 + b"\0" + bytes(4) for i in range(count))
    with tempfile.TemporaryDirectory() as folder:
        path = packed(folder, badcap.pcapng([badcap.frame(0)]), (badcap.block(4, record) for record in records))
        peak = peak_memory("-s", "--memory=4M", path)
        holds(peak <= 24 * MIB, "names: %d MiB" % (peak // MIB))
        kept = {}
        for memory in ("4M", "64M", "1G"):
            coverage = json.loads(read(path, "--json", "--memory=" + memory).stdout)["coverage"]
            kept[memory] = count - sum(gap["count"] for gap in coverage["gaps"] if gap["kind"] == "names_dropped")
        holds(100 < kept["4M"] < kept["64M"] / 10, "a share of the memory: %r" % kept)
        equal(kept["1G"], count, "names kept by default")


def main():
    global FOLDER, INDEX
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        FOLDER, INDEX = folder, badcap.write_corpus(folder)
        live.main(globals())


FOLDER, INDEX = "", {}
if __name__ == "__main__":
    main()
