#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes small capture files of every variant and what must come out of them.

    tests/captures/make_files.py

writes tests/fuzz/corpus/capture/NAME and tests/unit/data/capture.txt, and tests/fuzz/corpus/read. All bytes are put together
here, and so is what is expected of them. The end of each packet in the file is told, so that a test
can cut the file anywhere and know which packets must still come. Needs zstd and lz4.
"""
import gzip
import os
import re
import struct
import subprocess

import badcap

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
DATA = [bytes([i]) * n for i, n in ((1, 14), (2, 60), (3, 1), (4, 0), (5, 33))]
files = []


def emit(name, data, *expected):
    files.append((name, data, expected))


def packet(time, interface, link, captured, wire, end, *flags):
    return " ".join([f"packet {time} if {interface} link {link} {captured}/{wire} end {end}", *flags])


# ---- pcap

def pcap(name, order, magic, fraction=1000, link=1, snaplen=65535, version=(2, 4), record=16, extra=b"",
         swapped=(), tail=b"", damage=None, times=None):
    data = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link) + extra
    expected = []
    for i, d in enumerate(DATA):
        seconds, part = times[i] if times else (1700000000 + i, 123456 + i)
        lengths = (len(d), len(d) + i)
        data += struct.pack(order + "IIII", seconds, part, *(lengths[::-1] if i in swapped else lengths))
        data += b"\0" * (record - 16) + d
        ns = seconds * 1000000000 + part * fraction
        expected.append(packet(f"{ns // 1000000000}.{ns % 1000000000:09}", 0, link & 0xffff, *lengths, len(data)))
    emit(name, data + tail, *expected, *([damage.format(at=len(data))] if damage else []), "over")
    return data


STANDARD = pcap("pcap-le", "<", 0xa1b2c3d4)
pcap("pcap-be", ">", 0xa1b2c3d4)
pcap("pcap-ns-le", "<", 0xa1b23c4d, 1)
pcap("pcap-ns-be", ">", 0xa1b23c4d, 1)
pcap("pcap-modified-le", "<", 0xa1b2cd34, record=24)
pcap("pcap-modified-be", ">", 0xa1b2cd34, record=24)
pcap("pcap-ixia-hw", "<", 0x1c0001ac, 1, extra=b"\0\0\0\0")
pcap("pcap-ixia-sw", ">", 0x1c0001ab, 1, extra=b"\0\0\0\0")
pcap("pcap-2.2-lengths-swapped", "<", 0xa1b2c3d4, version=(2, 2), swapped=range(5))
pcap("pcap-2.3-some-swapped", "<", 0xa1b2c3d4, version=(2, 3), swapped=(1, 2))
pcap("pcap-543", ">", 0xa1b2c3d4, version=(543, 0), swapped=range(5))
pcap("pcap-fcs-bits", "<", 0xa1b2c3d4, link=0x24000001)
pcap("pcap-snaplen-0", "<", 0xa1b2c3d4, snaplen=0)
pcap("pcap-snaplen-max", "<", 0xa1b2c3d4, snaplen=0xffffffff)
pcap("pcap-link-276", "<", 0xa1b2c3d4, link=276)
pcap("pcap-fraction-over-a-second", "<", 0xa1b2c3d4, times=[(5, 2000001)] * 5)
pcap("pcap-year-2106", "<", 0xa1b2c3d4, times=[(0xffffffff, 999999)] * 5)
pcap("pcap-length-huge", "<", 0xa1b2c3d4, tail=struct.pack("<IIII", 1, 2, 0x7fffffff, 0x7fffffff) + b"x" * 100,
     damage="damaged {at}+8 after 5: a captured length; 2147483647, over the limit of 262144")
pcap("pcap-cut-in-packet", "<", 0xa1b2c3d4, tail=struct.pack("<IIII", 1, 2, 90, 90) + b"x" * 89,
     damage="damaged {at}+0 after 5: 106 bytes of a packet; end of file after 105")
pcap("pcap-cut-in-header", "<", 0xa1b2c3d4, tail=b"\1\2\3",
     damage="damaged {at}+0 after 5: 16 bytes of a packet header; end of file after 3")
emit("pcap-no-packets", STANDARD[:24], "over")
emit("pcap-header-cut", STANDARD[:23], "damaged 0+0 after 0: 24 bytes of a pcap file header; end of file after 23", "over")
emit("pcap-version-3", STANDARD[:4] + b"\3\0" + STANDARD[6:],
     "damaged 0+4 after 0: pcap version 2; version 3.4", "over")
emit("empty", b"", "damaged 0+0 after 0: a pcap or pcapng file; end of file after 0", "over")
emit("text", b"hello, world\n", "damaged 0+0 after 0: a pcap or pcapng file; bytes 68 65 6c 6c", "over")
emit("three-bytes", b"\xd4\xc3\xb2", "damaged 0+0 after 0: 4 bytes of a capture file; end of file after 3", "over")


# ---- pcapng

class Ng:
    """A pcapng file under construction."""

    def __init__(self, order="<"):
        self.order, self.data, self.expected, self.interfaces = order, b"", [], []
        self.base = 0

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def block(self, kind, body, total=None, again=None):
        body += b"\0" * (-len(body) % 4)
        total = len(body) + 12 if total is None else total
        self.data += self.pack("II", kind, total) + body + self.pack("I", total if again is None else again)
        return self

    def section(self, order="<", length=-1, options=b"", version=(1, 0), magic=0x1a2b3c4d):
        self.order = order
        self.base += len(self.interfaces)
        self.interfaces = []
        return self.block(0x0a0d0d0a, self.pack("IHHq", magic, *version, length) + options)

    def option(self, code, value):
        return self.pack("HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    def interface(self, link=1, snaplen=0, options=b"", name=""):
        self.interfaces.append((link, snaplen))
        if name:
            options = self.option(2, name.encode()) + options
        return self.block(1, self.pack("HHI", link, 0, snaplen) + options)

    def told(self, time, interface, captured, wire, *flags):
        self.expected.append(packet(time, self.base + interface, self.interfaces[interface][0], captured, wire,
                                    len(self.data), *flags))
        return self

    def packet(self, ticks, time, data=b"abcde", interface=0, wire=None, options=b"", flags=()):
        wire = len(data) if wire is None else wire
        body = self.pack("IIIII", interface, ticks >> 32, ticks & 0xffffffff, len(data), wire) + data
        self.block(6, body + b"\0" * (-len(body) % 4) + options)
        return self.told(time, interface, len(data), wire, *flags)

    def obsolete(self, ticks, time, data=b"old", interface=0):
        self.block(2, self.pack("HHIIII", interface, 3, ticks >> 32, ticks & 0xffffffff, len(data), len(data)) + data)
        return self.told(time, interface, len(data), len(data))

    def simple(self, time, data, wire):
        self.block(3, self.pack("I", wire) + data)
        return self.told(time, 0, len(data), wire, "untimed")

    def damaged(self, ahead, after, text):
        self.expected.append(f"damaged {len(self.data)}+{ahead} after {after}: {text}")
        return self

    def done(self, name):
        emit(name, self.data, *self.expected, "over")


T = 1700000000123456
TS = "1700000000.123456000"
for order, word in ("<", "le"), (">", "be"):
    n = Ng().section(order).interface()
    n.packet(T, TS).packet(T + 1, "1700000000.123457000", b"x" * 61, wire=1500).obsolete(T, TS)
    n.done(f"ng-{word}")

n = Ng().section("<", 9999).interface(name="eth0").packet(T, TS).section(">").interface(link=113, name="any")
n.packet(T, TS, b"second").section("<").interface(link=101).packet(T, TS, b"third")
n.done("ng-sections")

n = Ng().section()
for resol, ticks, time in ((9, 1700000000123456789, "1700000000.123456789"), (6, T, TS), (3, 1700000000123, "1700000000.123000000"),
                           (0, 1700000000, "1700000000.000000000"), (12, 1700000000123456 * 1000, "1700000.000123456"),
                           (0x80 | 10, 1700000000 * 1024 + 512, "1700000000.500000000"), (0x80, 7, "7.000000000"),
                           (0xff, 7, "0.000000000"), (30, 7, "0.000000000"), (9, 2**63 - 1, "9223372036.854775807"),
                           (9, 2**63, None), (6, 2**64 - 1, None)):
    n.interface(options=n.option(9, bytes([resol])))
    n.packet(ticks, time or "9223372036.854775807", interface=len(n.interfaces) - 1, flags=[] if time else ["untimed"])
n.done("ng-tsresol")
n = Ng().section()
n.interface(options=n.option(14, struct.pack("<q", 1000))).packet(T, "1700001000.123456000")
n.interface(options=n.option(14, struct.pack("<q", -1000))).packet(T, "1699999000.123456000", interface=1)
n.interface(options=n.option(14, struct.pack("<q", -2**63))).packet(T, "1699999000.123456000", interface=2, flags=["untimed"])
n.interface(options=n.option(14, struct.pack("<q", 2**63 - 1))).packet(T, "1699999000.123456000", interface=3, flags=["untimed"])
n.done("ng-tsoffset")

n = Ng().section().interface().packet(T, TS)
n.block(4, n.option(1, b"\x0a\0\0\1" + b"one.example\0uno.example\0") + n.option(2, bytes(15) + b"\1localhost6\0")
        + n.option(1, b"\x0a\0\0\2" + b"unterminated") + n.option(77, b"future") + n.option(0, b"") + n.option(4, b"ns"))
n.expected += ["name 10.0.0.1 one.example", "name 10.0.0.1 uno.example", "name ::1 localhost6", "name 10.0.0.2 unterminated"]
n.packet(T, TS)
n.done("ng-names")

n = Ng().section(options=n.option(1, b"a comment") + n.option(0, b"")).interface(options=n.option(3, b"described") + n.option(0, b""))
for kind in 5, 7, 8, 9, 10, 0xbad, 0x40000bad, 0x7777, 0x80000001:
    n.block(kind, b"secret or unknown, and long" * 20)
    n.packet(T, TS, options=n.option(1, b"comment of a packet"))
n.done("ng-skipped-blocks")

n = Ng().section().interface(snaplen=4).packet(T, TS, b"abcd", wire=90).simple(TS, b"abcd", 90)
n.simple(TS, b"ab", 2)
n.done("ng-simple")
n = Ng().section().interface()
n.packet(T, TS, options=n.option(2, struct.pack("<I", 1)), flags=["in"])
n.packet(T, TS, options=n.option(1, b"x") + n.option(2, struct.pack("<I", 2)), flags=["out"])
n.packet(T, TS, options=n.option(2, struct.pack("<I", 0)))
n.done("ng-direction")
Ng().section().done("ng-empty")
Ng().section().interface(name="unused").done("ng-no-packets")
n = Ng().section()
for i in range(300):
    n.interface(link=1 + i % 3, name=f"if{i}")
n.packet(T, TS, interface=299).packet(T, TS, interface=0)
n.done("ng-many-interfaces")


def bad(name, ahead, text, build):
    n = Ng().section().interface().packet(T, TS)
    before = n.data
    build(n)
    after, n.data = n.data, before
    n.damaged(ahead, 1, text)
    n.data = after
    n.done(name)


bad("ng-bad-length-again", 24, "the block length again; 99 instead of 28", lambda n: n.block(1, b"\0" * 16, again=99))
bad("ng-bad-length-odd", 4, "a block length: 12 or more, a multiple of 4; 29", lambda n: n.block(1, b"\0" * 16, 29))
bad("ng-bad-length-8", 4, "a block length: 12 or more, a multiple of 4; 8", lambda n: n.block(1, b"\0" * 16, 8))
bad("ng-bad-interface", 8, "an interface described before; interface 1 of 1",
    lambda n: n.block(6, n.pack("IIIII", 1, 0, 0, 1, 1) + b"x"))
bad("ng-bad-captured", 20, "a captured length; 9 in a block with room for 4",
    lambda n: n.block(6, n.pack("IIIII", 0, 0, 0, 9, 9) + b"x"))
bad("ng-bad-captured-max", 20, "a captured length; 4294967295 in a block with room for 4",
    lambda n: n.block(6, n.pack("IIIII", 0, 0, 0, 2**32 - 1, 9) + b"x"))
bad("ng-bad-packet-short", 4, "a packet block; a block with 4 bytes, not 20", lambda n: n.block(6, b"\0" * 4))
bad("ng-bad-interface-short", 4, "an interface description; a block with 4 bytes, not 8", lambda n: n.block(1, b"\0" * 4))
bad("ng-bad-packet-huge", 4, "a block length; 4294967280, over the limit of 16781312",
    lambda n: n.block(6, b"\0" * 16, 0xfffffff0))
bad("ng-bad-order-magic", 8, "a byte-order magic; 11 22 33 44", lambda n: n.block(0x0a0d0d0a, b"\x11\x22\x33\x44" + b"\0" * 12))
bad("ng-bad-version", 12, "pcapng version 1; version 2.0", lambda n: n.section(version=(2, 0)))
bad("ng-bad-unknown-huge", 0, "", lambda n: n.block(0x7777, b"", 0x7ffffff0))
name, data, expected = files.pop()
files.append((name, data, (*expected[:1], f"damaged {len(data)}+0 after 1: 12 bytes of a block; end of file after 0", "over")))
n = Ng().section()
n.expected.append("damaged 28+8 after 0: an interface described before; interface 0 of 0")
n.block(3, n.pack("I", 4) + b"abcd").done("ng-bad-simple-first")

# ---- compressed


def run(tool, data):
    return subprocess.run(tool, input=data, stdout=subprocess.PIPE, check=True).stdout


le = next(f for f in files if f[0] == "pcap-le")
ng = next(f for f in files if f[0] == "ng-sections")
gz = gzip.compress(le[1], mtime=0)
emit("le.pcap.gz", gz, *le[2])
emit("ng.pcapng.zst", run(["zstd", "-q", "-c"], ng[1]), *ng[2])
emit("le.pcap.lz4", run(["lz4", "-q", "-c"], le[1]), *le[2])
emit("members.gz", gzip.compress(le[1][:100], mtime=0) + gzip.compress(le[1][100:], mtime=0), *le[2])
emit("frames.zst", run(["zstd", "-q", "-c"], ng[1][:99]) + run(["zstd", "-q", "-c"], ng[1][99:]), *ng[2])
emit("padded.gz", gz + b"\0" * 300, *le[2])
emit("garbage.gz", gz + b"garbage", *le[2][:-1], f"damaged {len(gz)}+2 after 5: sound gzip data; damaged data", "over")
emit("cut.gz", gz[:-9], *le[2][:-1], f"damaged {len(gz) - 9}+0 after 5: more gzip data; end of file", "over")
flipped = bytearray(gz)
flipped[-6] ^= 0x55  # in the checksum: all bytes came, and are not to be trusted
emit("checksum.gz", bytes(flipped), *le[2][:-1], f"damaged {len(gz) - 4}+0 after 5: sound gzip data; damaged data", "over")
emit("text.gz", gzip.compress(b"hello, world", mtime=0), "damaged 0+0 after 0: a pcap or pcapng file; bytes 68 65 6c 6c", "over")
emit("gz-of.gz", gzip.compress(gz, mtime=0), "damaged 0+0 after 0: a pcap or pcapng file; bytes 1f 8b 08 00", "over")


def conversations(times):
    """A datagram at each of these times, each of another conversation; gzip, for fuzzing cuts it at every byte."""
    n = Ng().section()
    n.interface(options=n.option(9, b"\x09"))
    for i, time in enumerate(times):
        n.packet(time, "", badcap.frame(i))
    return gzip.compress(n.data, mtime=0)


LATEST = 2**63 - 1
# more than the fuzz target's table holds, so that some have to leave by their times
TIMES = [("latest-times.pcapng.gz", conversations([10**9] + [LATEST] * 120)),
         ("any-times.pcapng.gz", conversations([(0, 1, LATEST - 1, LATEST, LATEST + 1, 2**64 - 1, 10**18)[i % 7] for i in range(120)]))]


def syns():
    """SYNs in a living connection: strays, one sent again, one that is answered (all acknowledge 1), one that waits at the end."""
    client = [(0x02, 1000), (0x10, 1001), (0x02, 0), (0x02, 0), (0x02, 7)]
    server = [(0x10, 5), (0x12, 5)]
    packets = [(4000, 80, f) for f in client] + [(80, 4000, server[0]), (4000, 80, (0x02, 0)), (80, 4000, server[1]), (4000, 80, (0x02, 99))]
    ends = {4000: (b"\x0a\0\0\1", b"\x0a\0\0\2"), 80: (b"\x0a\0\0\2", b"\x0a\0\0\1")}
    return badcap.pcap([badcap.ethernet(badcap.ipv4(badcap.tcp(a, b, flags=flags, seq=seq), 6, *ends[a])) for a, b, (flags, seq) in packets])


def main():
    corpus = os.path.join(ROOT, "fuzz/corpus/capture")
    os.makedirs(corpus, exist_ok=True)
    whole = os.path.join(ROOT, "fuzz/corpus/read")
    os.makedirs(whole, exist_ok=True)
    for name, data in ("mixed.pcap", badcap.pcap(badcap.mixed())), ("mixed.pcapng", badcap.pcapng(badcap.mixed(), ">")), ("syns.pcap", syns()), *TIMES:
        with open(os.path.join(whole, name), "wb") as f:
            f.write(data)
    lines = []
    for name, data, expected in files:
        with open(os.path.join(corpus, name), "wb") as f:
            f.write(data)
        expected = [re.sub(r"^damaged (\d+)\+(\d+)", lambda m: f"damaged {int(m[1]) + int(m[2])}", e) for e in expected]
        lines += [f"= {name}", *sorted(expected, key=lambda e: e[0] != "n")]
    with open(os.path.join(ROOT, "unit/data/capture.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


main()
