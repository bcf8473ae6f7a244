#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Conversations of the test captures of tcpdump, Wireshark and nDPI equal those of tshark.

    tests/captures/test_oracle.py LAYERS PORTAVOZ [FOLDER...]

Compared for each file: packets and bytes per direction of every pair of MAC addresses, IP addresses,
TCP and UDP sockets, as `tshark -q -z conv,...` counts them, with what the decoder (LAYERS) makes of
each packet; and every IP address pair, TCP and UDP socket pair with `PORTAVOZ read`. Without FOLDER
the captures are fetched from Debian's source packages by apt. tshark has its default settings.
Differences are in oracle-differences.txt, each with its reason. Where it is "fragments:", the file is
compared once more, and has to be equal, with each fragment taken for itself: portavoz counts all frames
of a datagram with its socket pair, tshark only the one that makes it whole. Where it is "again:", only what
`read` counts may differ: tshark counts each sighting of a packet that a capture has of several interfaces.
"""
import collections
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = {"tcpdump": "tests/*.pcap*", "wireshark": "test/captures/*", "ndpi": "tests/pcap/*"}
AT_LEAST = 1000  # captures in them
KINDS = {"Ethernet": "eth", "IPv4": "ip", "IPv6": "ip", "TCP": "tcp", "UDP": "udp"}
TSHARK = ["tshark", "-n", "-q"]
EACH_FRAGMENT = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
LATER_FRAGMENT, UNPLACED = 0x10, 0x20
WIFI = ("105", "119", "127", "163")  # tshark has a table of its own for these addresses
BATCH, BATCH_BYTES = 32, 4 << 20
UNITS = {"bytes": 1, "kB": 1000, "MB": 1000000, "GB": 1000000000}


def archive_of_this_host():
    """Address and release of the archive that this host's packages come from."""
    out = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages"],
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    for line in out.splitlines():
        address, release, component = line.split()
        if component == "main" and "-" not in release and "debian" in address:
            return address, release
    sys.exit("oracle: this host's apt knows no archive of Debian to fetch source packages from")


def fetch(folder):
    """The source packages, unpacked below folder, through apt without touching its configuration."""
    os.makedirs(folder + "/apt/lists/partial")
    os.makedirs(folder + "/apt/cache/archives/partial")
    os.makedirs(folder + "/apt/sources")
    with open(folder + "/apt/sources/source.list", "w") as f:
        f.write("deb-src [signed-by=%s] %s %s main\n" % (KEYRING, *archive_of_this_host()))
    apt = ["apt-get", "-q", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={folder}/apt/sources",
           "-o", f"Dir::State::lists={folder}/apt/lists", "-o", f"Dir::Cache={folder}/apt/cache",
           "-o", "APT::Sandbox::User=root"]
    for command in [["update"]] + [["source", "--download-only", "--tar-only", p] for p in PACKAGES]:
        r = subprocess.run(apt + command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if r.returncode:
            sys.exit("oracle: the captures of Debian's source packages cannot be fetched: apt-get %s: %s"
                     % (" ".join(command), r.stdout.decode(errors="replace")[-500:]))
    for package, pattern in PACKAGES.items():
        archive = glob.glob(f"{folder}/{package}_*.orig.tar.*[z2]")
        subprocess.run(["tar", "-xf", archive[0], "--wildcards", "*/" + pattern], cwd=folder, check=True)


def captures(folders):
    for folder in folders:
        for path in sorted(glob.glob(folder + "/**", recursive=True)):
            if not os.path.isfile(path) or "/apt/" in path:
                continue
            with open(path, "rb") as f:
                magic = f.read(4)
            if magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a") \
                    or magic[:2] == b"\x1f\x8b":
                yield path


class Table(collections.defaultdict):
    """(kind, one end, other end) -> packets and bytes from the smaller end, packets and bytes back."""

    def __init__(self):
        super().__init__(lambda: [0, 0, 0, 0])

    def add(self, kind, a, b, packets, size, back=(0, 0)):
        if a == b:  # which way is only the ports' to tell
            packets, size, back = packets + back[0], size + back[1], (0, 0)
        if b < a:
            (a, b), (packets, size), back = (b, a), back, (packets, size)
        for i, n in enumerate((packets, size, *back)):
            self[kind, a, b][i] += n


def of_tshark(path, options):
    """Bytes that tshark rounds down to kB are kept as (number, unit)."""
    out = subprocess.run(TSHARK + options + sum((["-z", "conv," + k] for k in ("eth", "ip", "ipv6", "tcp", "udp")), []) + ["-r", path],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode(errors="replace")
    table, rounded, kind = Table(), {}, None
    for line in out.splitlines():
        m = re.match(r"(\w+) Conversations", line)
        if m:
            kind = KINDS[m[1]]
        m = re.match(r"(\S+)\s+<-> (\S+)\s+(\d+) (\d+) (\w+)\s+(\d+) (\d+) (\w+)\s+\d+ \d+ \w+", line)
        if not m:
            continue
        back = int(m[3]), int(m[4]) * UNITS[m[5]]
        table.add(kind, m[1], m[2], int(m[6]), int(m[7]) * UNITS[m[8]], back)
        for unit in m[5], m[8]:
            key = (kind, *sorted((m[1], m[2])))
            rounded[key] = rounded.get(key, 0) + (UNITS[unit] if unit != "bytes" else 0)
    return table, rounded


def of_layers(path):
    """Each layer of each packet, what `read` should count, and the link types that are not decoded."""
    table, whole, unknown = Table(), Table(), set()
    out = subprocess.run([LAYERS, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode()
    for line in out.splitlines():
        if line.startswith("link type"):
            unknown.add(line)
            continue
        link, size, proto, tunnel, src, sport, dst, dport, smac, dmac, flags, held, held_bytes = line.split()
        size, flags = int(size), int(flags, 16)
        if smac != "-" and dmac != "-" and not (link in WIFI and tunnel in ("none", "amsdu")):
            table.add("eth", smac, dmac, 1, size)
        if src != "-" and proto != "arp" and tunnel != "ah":
            table.add("ip", src, dst, 1, size)
            if not flags & UNPLACED:
                whole.add("ip", src, dst, 1 + int(held), size + int(held_bytes))
        if proto not in ("tcp", "udp") or flags & UNPLACED:
            continue
        ends = f"{src}:{sport}", f"{dst}:{dport}"
        whole.add(proto, *ends, 1 + int(held), size + int(held_bytes))
        if not flags & LATER_FRAGMENT and (sport != "0" or dport != "0"):
            table.add(proto, *ends, 1, size)
    return table, whole, unknown


def of_portavoz(path):
    """TCP and UDP; a reused socket pair is several conversations there, one pair here."""
    table = Table()
    out = subprocess.run([PORTAVOZ, "read", "--jsonl", "--observed=off", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in out.stdout.splitlines():
        c = json.loads(line)
        if "proto" not in c:
            continue
        counts = c["out_packets"], c["out_bytes"], (c["in_packets"], c["in_bytes"])
        if c["proto"] in ("tcp", "udp"):
            table.add(c["proto"], "%s:%d" % (c["local_addr"], c["local_port"]), "%s:%d" % (c["remote_addr"], c["remote_port"]), *counts)
        if c["proto"] not in ("arp", "ether") and c["tunnel"] != "ah":
            table.add("ip", c["local_addr"], c["remote_addr"], *counts)
    return table


def is_equal(ours, theirs, unit):
    return all(a == b or (i % 2 and unit and b <= a < b + unit) for i, (a, b) in enumerate(zip(ours, theirs)))


def differences(ours, theirs, rounded, kinds):
    for key in sorted(set(ours) | set(theirs)):
        if key[0] in kinds and not is_equal(ours.get(key, [0] * 4), theirs.get(key, [0] * 4), rounded.get(key, 0)):
            yield "%s %s %s: %s, tshark %s" % (*key, ours.get(key), theirs.get(key))


def compare(path, options=()):
    """The differences of one file, and how many conversations tshark has of it."""
    theirs, rounded = of_tshark(path, list(options))
    ours, whole, _ = of_layers(path)
    found = list(differences(ours, theirs, rounded, ("eth", "ip")))
    found += differences(ours if options else whole, theirs, rounded, ("tcp", "udp"))
    found += ["read: " + d for d in differences(of_portavoz(path), whole, {}, ("ip", "tcp", "udp"))]
    return found, len(theirs)


def compare_batch(paths):
    """Starting tshark is what takes time, so files are put together and taken apart when they differ."""
    with tempfile.TemporaryDirectory() as folder:
        whole = folder + "/whole.pcapng"
        merge = ["mergecap", "-a", "-I", "none", "-F", "pcapng", "-w", whole, *paths]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if len(paths) > 1 and subprocess.run(merge, **quiet).returncode == 0:
            found, n = compare(whole)
            if not found:
                return [], n
    single = [(path, *compare(path)) for path in paths]
    return [(path, found) for path, found, _ in single], sum(n for _, _, n in single)


def compare_argued(path, reason):
    """What is wrong with the reason for a file's differences, and how many conversations tshark has of it."""
    found, n = compare(path)
    if not found:
        return [(path, ["argued in oracle-differences.txt, but equal"])], n
    wrong = []
    if reason.startswith("fragments:"):
        wrong = compare(path, EACH_FRAGMENT)[0]
    elif reason.startswith("again:"):
        wrong = [d for d in found if not d.startswith("read: ")]
    return [(path, wrong)] if wrong else [], n


def argued():
    """NAME: reason, a line each."""
    with open(os.path.join(HERE, "oracle-differences.txt")) as f:
        return dict(line.rstrip("\n").split(": ", 1) for line in f if line.strip() and line[0] != "#")


def batches(paths):
    """The largest files first and alone, so that all processors are busy to the end."""
    batch, size = [], 0
    for path in sorted(paths, key=lambda p: (os.path.getsize(p), p), reverse=True):
        if batch and (len(batch) == BATCH or size + os.path.getsize(path) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += os.path.getsize(path)
    if batch:
        yield batch


def check(paths, reasons):
    """How many conversations tshark has, and how many files differ without a good reason."""
    n = n_failed = 0
    by_name = {os.path.basename(p): p for p in paths if os.path.basename(p) in reasons}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        work = [pool.submit(compare_batch, b) for b in batches(set(paths) - set(by_name.values()))]
        work += [pool.submit(compare_argued, path, reasons[name]) for name, path in by_name.items()]
        for done in work:
            found, conversations = done.result()
            n += conversations
            for path, lines in found:
                if lines:
                    n_failed += 1
                    print("%s: %s" % (os.path.basename(path), "\n  ".join(lines)))
    for name in sorted(set(reasons) - set(by_name)):
        n_failed += 1
        print(name + ": argued in oracle-differences.txt, but not there")
    return n, n_failed


def main():
    with tempfile.TemporaryDirectory() as folder:
        folders = sys.argv[3:]
        if not folders:
            fetch(folder)
            folders = [folder]
        everything = list(captures(folders))
        unknown = {p: u for p, u in ((p, of_layers(p)[2]) for p in everything) if u}
        reasons = argued()
        n, n_failed = check([p for p in everything if p not in unknown], reasons)
        for path in sorted(unknown):
            print("%s: not compared: %s" % (os.path.basename(path), ", ".join(sorted(unknown[path]))))
        print("%d captures, %d not compared (%d link types are not decoded); %d conversations of tshark; captures that "
              "differ: %d argued, %d not" % (len(everything), len(unknown), len(set().union(*unknown.values())), n,
                                             len(reasons), n_failed))
        sys.exit(1 if n_failed or len(everything) < AT_LEAST else 0)


LAYERS, PORTAVOZ = sys.argv[1:3]
main()
