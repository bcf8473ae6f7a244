#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Conversations of the test captures of tcpdump and Wireshark equal those of tshark.

    tests/captures/test_oracle.py LAYERS PORTAVOZ [FOLDER...]

Compared for each file: packets and bytes per direction of every pair of MAC addresses, IP addresses,
TCP and UDP sockets, as `tshark -q -z conv,...` counts them, with what the decoder (LAYERS) makes of
each packet; and every TCP and UDP socket pair with `PORTAVOZ read`. Without FOLDER the captures are
fetched from Debian's source packages tcpdump and wireshark by apt. Both sides take each fragment for
itself (tshark -o ip.defragment:FALSE): portavoz counts a later fragment with its socket pair, tshark
counts the whole datagram in its last frame only. Differences that remain are in oracle-differences.txt,
with the reason.
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
PACKAGES = {"tcpdump": "tests/*.pcap*", "wireshark": "test/captures/*"}
KINDS = {"Ethernet": "eth", "IPv4": "ip", "IPv6": "ip", "TCP": "tcp", "UDP": "udp"}
TSHARK = ["tshark", "-n", "-q", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "udp.check_checksum:FALSE"]
LATER_FRAGMENT, UNPLACED = 0x10, 0x20
WIFI = ("105", "119", "127", "163")  # tshark has a table of its own for these addresses
BATCH = 32
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
    for command in [["update"]] + [["source", "--download-only", p] for p in PACKAGES]:
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
        if b < a:
            (a, b), (packets, size), back = (b, a), back, (packets, size)
        for i, n in enumerate((packets, size, *back)):
            self[kind, a, b][i] += n


def of_tshark(path):
    """Bytes that tshark rounds down to kB are kept as (number, unit)."""
    out = subprocess.run(TSHARK + sum((["-z", "conv," + k] for k in ("eth", "ip", "ipv6", "tcp", "udp")), []) + ["-r", path],
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
    """What tshark should count, what `read` should, and the link types that are not decoded."""
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
        if c.get("proto") in ("tcp", "udp"):
            table.add(c["proto"], "%s:%d" % (c["local_addr"], c["local_port"]), "%s:%d" % (c["remote_addr"], c["remote_port"]),
                      c["out_packets"], c["out_bytes"], (c["in_packets"], c["in_bytes"]))
    return table


def is_equal(ours, theirs, unit):
    return all(a == b or (i % 2 and unit and b <= a < b + unit) for i, (a, b) in enumerate(zip(ours, theirs)))


def differences(ours, theirs, rounded, kinds):
    for key in sorted(set(ours) | set(theirs)):
        if key[0] in kinds and not is_equal(ours.get(key, [0] * 4), theirs.get(key, [0] * 4), rounded.get(key, 0)):
            yield "%s %s %s: %s, tshark %s" % (*key, ours.get(key), theirs.get(key))


def compare(path):
    """The differences of one file, and how many conversations tshark has of it."""
    theirs, rounded = of_tshark(path)
    ours, whole, _ = of_layers(path)
    found = list(differences(ours, theirs, rounded, ("eth", "ip", "tcp", "udp")))
    found += ["read: " + d for d in differences(of_portavoz(path), whole, {}, ("tcp", "udp"))]
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


def argued():
    """NAME: reason, a line each."""
    with open(os.path.join(HERE, "oracle-differences.txt")) as f:
        return dict(line.rstrip("\n").split(": ", 1) for line in f if line.strip() and line[0] != "#")


def check(paths, reasons):
    n = n_failed = 0
    ordinary = [p for p in paths if os.path.basename(p) not in reasons]
    batches = [ordinary[i:i + BATCH] for i in range(0, len(ordinary), BATCH)]
    batches += [[p] for p in paths if os.path.basename(p) in reasons]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found, conversations in pool.map(compare_batch, batches):
            n += conversations
            for path, lines in found:
                name = os.path.basename(path)
                if bool(lines) == (name in reasons):
                    continue
                n_failed += 1
                print("%s: %s" % (name, "\n  ".join(lines) if lines else "argued in oracle-differences.txt, but equal"))
    missing = set(reasons) - {os.path.basename(p) for p in paths}
    for name in sorted(missing):
        print(name + ": argued in oracle-differences.txt, but not there")
    return n, n_failed + len(missing)


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
        print("%d captures, %d not compared (%d link types are not decoded); %d conversations of tshark; captures that "
              "differ: %d argued, %d not" % (len(everything), len(unknown), len(set().union(*unknown.values())), n,
                                             len(reasons), n_failed))
        sys.exit(1 if n_failed or len(everything) < 600 else 0)


LAYERS, PORTAVOZ = sys.argv[1:3]
main()
