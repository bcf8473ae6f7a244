#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What makes two packets one conversation: tunnels, VLAN tags, fragments."""
import json
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import badcap  # noqa: E402
import live  # noqa: E402
from live import equal, run  # noqa: E402

A, B, C, D = (bytes([10, 0, 0, i]) for i in range(1, 5))
INNER = (b"\xc0\xa8\0\1", b"\xc0\xa8\0\2")
COLUMNS = "proto,local_addr,remote_addr,out_packets,in_packets,out_bytes,in_bytes,out_payload,vlan,tunnel,overlap"


def read(*packets):
    """Conversations and gaps of IP packets, or of frames that are given whole."""
    frames = [p if p[:1] == b"\x02" else badcap.ethernet(p) for p in packets]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.pcap")
        with open(path, "wb") as f:
            f.write(badcap.pcap(frames))
        document = json.loads(run("read", "--json", "--columns", COLUMNS, path).stdout)
    return document["conversations"], live.gaps(document)


def ipip(source, target, packet):
    return badcap.ipv4(packet, proto=4, source=source, target=target)


def inner(back=False):
    ends = INNER[::-1] if back else INNER
    return badcap.ipv4(badcap.udp(*((53, 4000) if back else (4000, 53))), source=ends[0], target=ends[1])


def test_tunnels_with_other_ends():
    """The same private addresses behind two pairs of hosts are two conversations; both directions are one."""
    rows, _ = read(ipip(A, B, inner()), ipip(B, A, inner(back=True)), ipip(C, D, inner()))
    counts = sorted((r["proto"], r["out_packets"], r["in_packets"]) for r in rows)
    equal(counts, [("ipip", 1, 0), ("ipip", 1, 1), ("udp", 1, 0), ("udp", 1, 1)], "conversations")


def test_tunnel_in_tunnel():
    """The same two hosts again, one layer deeper, are a conversation of their own."""
    rows, _ = read(ipip(A, B, ipip(A, B, inner())))
    equal([(r["proto"], r["out_packets"]) for r in rows], [("ipip", 1), ("ipip", 1), ("udp", 1)], "one packet")


def test_too_deep():
    packet = inner()
    for _ in range(8):
        packet = ipip(A, B, packet)
    rows, gaps = read(packet)
    equal((len(rows), gaps.get("depth")), (8, 1), "conversations and what the coverage tells")
    rows, gaps = read(ipip(A, B, inner()))
    equal((len(rows), gaps.get("depth")), (2, None), "with two layers")


def tagged(vlan, packet):
    return badcap.ethernet(struct.pack("!HH", vlan, 0x0800) + packet, kind=0x8100)


def test_priority_tag():
    """IEEE 802.1Q 9.6: VLAN id 0 is none."""
    rows, _ = read(tagged(0x6000, inner()), badcap.ethernet(inner(back=True)), tagged(0x6007, inner()))
    equal(sorted((r["vlan"] or "", r["out_packets"], r["in_packets"]) for r in rows), [("", 1, 1), ("7", 1, 0)], "by VLAN")


def fragments(data, size, overlap=0):
    """A datagram in pieces of `size`, each beginning `overlap` before the last one's end."""
    whole, at, out = badcap.udp(4000, 53, data), 0, []
    while at < len(whole):
        piece, start = whole[at:at + size], at
        more = at + size < len(whole)
        out.append(badcap.ipv4(piece, fragment=start // 8 | (0x2000 if more else 0)))
        at += size - overlap if more else size
    return out


def test_order_of_fragments():
    """Whichever comes first: the same packets, bytes and payload."""
    pieces = fragments(bytes(3000), 1000)
    sums = []
    for order in (pieces, pieces[::-1], pieces[1:] + pieces[:1]):
        rows, gaps = read(*order)
        equal((len(rows), gaps), (1, {}), "one conversation, whole")
        sums.append((rows[0]["out_packets"], rows[0]["out_bytes"], rows[0]["out_payload"], rows[0]["overlap"]))
    equal(sums, [(4, 3008 + 4 * 34, 3000, False)] * 3, "packets, bytes, payload, overlap")


def test_overlapping_fragments():
    rows, gaps = read(*fragments(bytes(range(256)) * 8, 1024, overlap=512))
    equal([r["overlap"] for r in rows], [True], "column overlap")
    equal(gaps.get("overlap"), 1, "coverage")


def test_times_out_of_order():
    """First and last are the smallest and the largest time, as captures of several queues have them in any order."""
    frame = badcap.frame(0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.pcap")
        with open(path, "wb") as f:
            f.write(badcap.pcap([]))
            for second in (100, 50, 99):
                f.write(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)
        row = json.loads(run("read", "--json", "--columns=start,duration", path).stdout)["conversations"][0]
    equal((row["start"], row["duration"]), (50, 50), "start and duration")


def block(kind, body):
    length = struct.pack("<I", 12 + len(body) + -len(body) % 4)
    return struct.pack("<I", kind) + length + body + bytes(-len(body) % 4) + length


def test_times_at_the_edge():
    """0 is 1970, 2^63 - 1 is 2262; beyond, or of a packet without a time, it is not known, and the coverage says so."""
    section = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    nanoseconds = block(1, struct.pack("<HHIHHB7x", 1, 0, 0, 9, 1, 9))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.pcapng")
        with open(path, "wb") as f:
            f.write(section + nanoseconds)
            for number, time in enumerate((0, 2**63 - 1, 2**63, 2**64 - 1)):
                frame = badcap.frame(number)
                f.write(block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xffffffff, len(frame), len(frame)) + frame))
            f.write(block(3, struct.pack("<I", len(frame)) + badcap.frame(4)))
        document = json.loads(run("read", "--json", "--columns=start,end,duration,out_start,in_start", path).stdout)
    times = [list(row.values()) for row in document["conversations"]]
    last = 9223372036.854775807
    equal(times, [[0, 0, 0, 0, None], [last, last, 0, last, None]] + [[None] * 5] * 3, "times")
    equal(live.gaps(document), {"times": 3}, "coverage")


def answer(name, address, source, target):
    """A DNS datagram from port 53: one question, one answer, both of `name`."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    body = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0) + labels + struct.pack("!HH", 1, 1) \
        + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + address
    return badcap.ipv4(badcap.udp(53, 5353, body), source=source, target=target)


def question(name, source, target):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    body = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!HH", 1, 1)
    return badcap.ipv4(badcap.udp(5353, 53, body), source=source, target=target)


def names(*packets, options=()):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.pcap")
        with open(path, "wb") as f:
            f.write(badcap.pcap([badcap.ethernet(p) for p in packets]))
        table = run("read", *options, "--columns=remote", "-H", path, "dport", "443").stdout
        document = json.loads(run("read", "--json", "--columns=remote_name", path, "dport", "443").stdout)
    return table.decode().strip(), [row["remote_name"] for row in document["conversations"]]


def test_asked_names():
    """The name of an address is the one its host asked for, not one that somebody told it unasked; -n shows the address."""
    call = badcap.ipv4(badcap.udp(4000, 443), source=A, target=D)
    asked, told = question("www.example.org", A, B), answer("www.example.org", D, B, A)
    equal(names(asked, told, call), ("www.example.org?:https", ["www.example.org"]), "asked and answered")
    equal(names(asked, told, call, options=("-n",))[0], "10.0.0.4:443", "with -n")
    equal(names(told, call)[1], [None], "not asked")
    equal(names(question("mail.example.org", A, B), told, call)[1], [None], "asked for another name")
    equal(names(question("www.example.org", A, C), told, call)[1], [None], "another server was asked")


if __name__ == "__main__":
    live.main(globals())
