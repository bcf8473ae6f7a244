#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Captures of several interfaces: of several link types; the same packet seen on several of them is counted once, and a
conversation that takes several ways is counted whole."""
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import badcap  # noqa: E402
import live  # noqa: E402
from live import equal, folder, run  # noqa: E402

RAW, USER0, SLL, SLL2 = 101, 147, 113, 276
SENT, GOT = 4, 0  # packet types of the kernel
A, B = b"\x0a\0\0\1", b"\x0a\0\0\2"
SYN, ACK, FIN, RST = 2, 16, 1, 4
COUNTS = "out_packets,in_packets,out_payload,in_payload,out_retransmitted,in_retransmitted,out_lost,in_lost,history,icmp_errors"


def read(data, *options, expect=0, columns="local_port,out_packets"):
    """The document of a pcapng file."""
    with folder() as path:
        with open(path + "/file.pcapng", "wb") as f:
            f.write(data)
        return json.loads(run("read", "--json", "--columns", columns, *options, path + "/file.pcapng", expect=expect).stdout)


def test_bpf_on_other_link_types():
    """Packets of a link type on which an expression means nothing, or that is not known, are not lost without a word."""
    data = badcap.section() + badcap.interface(link=RAW) + badcap.interface() + badcap.interface(link=USER0)
    data += badcap.enhanced(0, badcap.ipv4(badcap.udp(1))) + badcap.enhanced(1, badcap.ethernet(badcap.ipv4(badcap.udp(3))), on=1) \
        + badcap.enhanced(2, b"x" * 60, on=2)
    for words, ports, left_out in (("ether src 02:00:00:00:00:01", [3], 2), ("udp", [1, 3], 1), ("tcp", [], 1)):
        document = read(data, "--strict", "--bpf", words, expect=3)
        equal([row["local_port"] for row in document["conversations"]], ports, "conversations with " + words)
        equal(live.gaps(document), {"bpf": left_out}, "gaps with " + words)
        equal(document["coverage"]["complete"], False, "completeness with " + words)
    document = read(badcap.pcapng([badcap.frame(0)]), "--strict", "--bpf", "udp")
    equal(document["coverage"]["complete"], True, "where the expression fits")


class Capture:
    """Blocks of a pcapng file; the clock goes on by a millisecond with each packet, and by some microseconds with each sighting."""

    def __init__(self, *links):
        self.link, self.ns = links[0], badcap.START * 10**9
        self.data = badcap.section() + b"".join(badcap.interface(link=link, options=badcap.option(9, b"\x09") + badcap.option(0, b""))
                                                for link in links)

    def put(self, packet, *places, wait=10**6):
        """Seen at each of the places: (interface index, packet type), or a number of the file's interfaces and flags."""
        self.ns += wait
        for i, (where, how) in enumerate(places):
            on, options = 0, b""
            if self.link == SLL2:
                seen = struct.pack("!HHIHBB8s", 0x0800, 0, where, 1, how, 6, b"\2\0\0\0\0\1") + packet
            elif self.link == SLL:
                seen = struct.pack("!HHH8sH", how, 1, 6, b"\2\0\0\0\0\1", 0x0800) + packet
            else:
                seen, on = badcap.ethernet(packet), where
                options = badcap.option(2, struct.pack("<I", how)) + badcap.option(0, b"") if how else b""
            stamp = self.ns + i * 30000
            self.data += badcap.block(6, struct.pack("<IIIII", on, stamp >> 32, stamp & 0xFFFFFFFF, len(seen), len(seen)) + badcap.pad(seen) + options)

    def read(self, *options, columns=COUNTS):
        document = read(self.data, "--strict", *options, columns=columns)
        return document["conversations"], live.gaps(document)


def tcp(back, seq, flags, data=b"", ack=1):
    ports = (80, 4000) if back else (4000, 80)
    head = struct.pack("!HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 1000, 0, 0)
    return badcap.ipv4(head + data, proto=6, source=B if back else A, target=A if back else B)


def udp(back=False, data=b"hello"):
    return badcap.ipv4(badcap.udp(*((53, 4000) if back else (4000, 53)), data), source=B if back else A, target=A if back else B)


def download(capture, there, back, pieces=20):
    """A whole connection; each of its packets is seen at the places `there` or `back`."""
    capture.put(tcp(False, 99, SYN), *there)
    capture.put(tcp(True, 499, SYN | ACK, ack=100), *back)
    capture.put(tcp(False, 100, ACK, ack=500), *there)
    capture.put(tcp(False, 100, ACK, b"give me", ack=500), *there)
    for i in range(pieces):
        capture.put(tcp(True, 500 + 1000 * i, ACK, b"y" * 1000, ack=107), *back)
        capture.put(tcp(False, 107, ACK, ack=1500 + 1000 * i), *there)
    capture.put(tcp(True, 500 + 1000 * pieces, FIN | ACK, ack=107), *back)
    capture.put(tcp(False, 107, FIN | ACK, ack=501 + 1000 * pieces), *there)
    capture.put(tcp(True, 501 + 1000 * pieces, ACK, ack=108), *back)


WHOLE = {"out_packets": 24, "in_packets": 23, "out_payload": 7, "in_payload": 20000, "out_retransmitted": 0, "in_retransmitted": 0,
         "out_lost": 0, "in_lost": 0, "icmp_errors": 0}


def check_whole(capture, again, what):
    rows, gaps = capture.read()
    equal(len(rows), 1, what + ": conversations")
    row = dict(rows[0])
    equal(sorted(row.pop("history")), sorted("ShADadfF"), what + ": history")
    equal(row, WHOLE, what + ": counts")
    equal(gaps, {"again": again} if again else {}, what + ": gaps")


def test_forwarded():
    """A router sees what it forwards when it comes and when it goes; a container's host sees it three times."""
    for link in (SLL2, SLL):
        capture = Capture(link)
        download(capture, [(2, GOT), (3, SENT)], [(3, GOT), (2, SENT)])
        check_whole(capture, 47, "in and out, link type %d" % link)
    capture = Capture(SLL2)
    download(capture, [(7, GOT), (4, GOT), (2, SENT)], [(2, GOT), (4, SENT), (7, SENT)])
    check_whole(capture, 94, "through a bridge")
    capture = Capture(SLL2)
    download(capture, [(2, GOT), (2, SENT)], [(2, GOT), (2, SENT)])
    check_whole(capture, 47, "out on the interface it came from")


def test_loopback():
    """Where a capture has both what is sent on it and what comes of that."""
    capture = Capture(SLL2)
    download(capture, [(1, SENT), (1, GOT)], [(1, SENT), (1, GOT)])
    check_whole(capture, 47, "loopback")


def test_interfaces_of_a_file():
    capture = Capture(1, 1)
    download(capture, [(0, 0), (1, 0)], [(1, 0), (0, 0)])
    check_whole(capture, 47, "two interfaces")
    capture = Capture(1)
    download(capture, [(0, 1), (0, 2)], [(0, 1), (0, 2)])
    check_whole(capture, 47, "one interface, in and out")
    capture = Capture(1)
    download(capture, [(0, 0)], [(0, 0)])
    check_whole(capture, 0, "one interface")


def test_asymmetric():
    """Out on one interface, in on another; nothing is missing, and nothing was seen twice."""
    capture = Capture(SLL2)
    download(capture, [(2, SENT)], [(3, GOT)])
    check_whole(capture, 0, "at an end")
    capture = Capture(SLL2)
    download(capture, [(2, GOT), (3, SENT)], [(4, GOT), (5, SENT)])
    check_whole(capture, 47, "at a router")


def test_lost_sightings():
    """What was not seen when it came, but when it went, is counted then."""
    capture = Capture(SLL2)
    ways = [[(2, GOT), (3, SENT)], [(3, SENT)], [(2, GOT)], [(2, GOT), (3, SENT)]]
    capture.put(tcp(False, 99, SYN), *ways[0])
    for i in range(40):
        capture.put(tcp(False, 100 + 10 * i, ACK, b"0123456789"), *ways[i % 4])
    rows, gaps = capture.read(columns="out_packets,out_payload,out_lost,out_retransmitted")
    equal(rows, [{"out_packets": 41, "out_payload": 400, "out_lost": 0, "out_retransmitted": 0}], "counts")
    equal(gaps, {"again": 21}, "gaps")


def test_moved():
    """TCP may take another way at any time; datagrams when the first way has been silent for a second."""
    capture = Capture(SLL2)
    capture.put(tcp(False, 99, SYN), (2, SENT))
    for i in range(40):
        capture.put(tcp(False, 100 + i, ACK, b"x"), (2 + i // 10, SENT))
    rows, gaps = capture.read(columns="out_packets,out_lost,out_retransmitted")
    equal(rows, [{"out_packets": 41, "out_lost": 0, "out_retransmitted": 0}], "TCP")
    equal(gaps, {}, "gaps of TCP")
    capture = Capture(SLL2)
    for i in range(30):
        capture.put(udp(), (2 + i // 10, SENT), wait=1100 * 10**6 if i % 10 == 0 else 10**6)
    rows, gaps = capture.read(columns="out_packets")
    equal((rows, gaps), ([{"out_packets": 30}], {}), "datagrams")
    capture = Capture(SLL2)
    for i in range(30):
        capture.put(udp(i % 3 == 0), *([(3, GOT), (2, SENT)] if i % 3 == 0 else [(2, GOT), (3, SENT)]))
    rows, gaps = capture.read(columns="out_packets,in_packets")
    equal((rows, gaps), ([{"out_packets": 10, "in_packets": 20}], {"again": 30}), "datagrams that are forwarded")


def test_resets_and_errors():
    """A reset that a router answers with itself, and an ICMP error that it forwards."""
    capture = Capture(SLL2)
    there, back = [(2, GOT), (3, SENT)], [(3, GOT), (2, SENT)]
    capture.put(tcp(False, 99, SYN), *there)
    capture.put(tcp(True, 499, SYN | ACK, ack=100), *back)
    capture.put(tcp(True, 500, RST), (2, SENT))
    rows, _ = capture.read(columns="in_packets,in_resets,history")
    equal(rows, [{"in_packets": 2, "in_resets": 1, "history": "Shr"}], "with a reset of its own")
    capture = Capture(SLL2)
    capture.put(udp(), *there)
    capture.put(badcap.ipv4(struct.pack("!BBHI", 3, 3, 0, 0) + udp()[:28], proto=1, source=B, target=A), *back)
    rows, _ = capture.read(columns="proto,icmp_errors")
    equal([row["icmp_errors"] for row in rows if row["proto"] == "udp"], [1], "errors")


def test_forwarded_fragments():
    """Each fragment is sent on before the next one comes, whichever comes first."""
    whole = badcap.udp(4000, 53, b"z" * 3000)
    offsets = range(0, len(whole), 1000)
    for order in (offsets, reversed(offsets)):
        capture = Capture(SLL2)
        for at in order:
            more = 0x2000 if at + 1000 < len(whole) else 0
            capture.put(badcap.ipv4(whole[at:at + 1000], fragment=at // 8 | more, source=A, target=B), (2, GOT), (3, SENT))
        rows, gaps = capture.read(columns="out_packets,out_payload,overlap")
        equal(rows, [{"out_packets": 4, "out_payload": 3000, "overlap": False}], "counts")
        equal(gaps, {"again": 4}, "gaps")


def test_files_one_after_the_other():
    """Of two files the first interfaces may be one and the same, as in a ring."""
    with folder() as path:
        for i, name in enumerate(("a", "b")):
            capture = Capture(1)
            capture.ns += i * 10**7
            for _ in range(10):
                capture.put(udp(), (0, 0))
            with open("%s/%s.pcapng" % (path, name), "wb") as f:
                f.write(capture.data)
        document = json.loads(run("read", "--json", "--columns=out_packets", path + "/a.pcapng", path + "/b.pcapng").stdout)
    equal(document["conversations"], [{"out_packets": 20}], "packets of both")


if __name__ == "__main__":
    live.main(globals())
