#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Observed protocols through `portavoz read`: the conversations of tests/fuzz/corpus/observe as captures, on ports that say nothing,
in segments, out of order, in fragments, cut; contradictions; names that answers of DNS give to later conversations."""
import json
import os
import random
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "netns"))
import badcap  # noqa: E402
import live  # noqa: E402
from live import equal, holds, run  # noqa: E402

CORPUS = os.path.join(HERE, "..", "fuzz", "corpus", "observe")
SYN, ACK, PUSH = 0x02, 0x10, 0x08


def payloads(name):
    """[(side, is_udp, bytes)], as tests/helpers/observe_case.h frames them."""
    with open(os.path.join(CORPUS, name), "rb") as f:
        data = f.read()
    out = []
    while data:
        flags, _, n = struct.unpack(">BBH", data[:4])
        out.append((flags & 1, bool(flags & 2), data[4:4 + n]))
        data = data[4 + n:]
    return out


class Talk:
    """Frames of one conversation. `ends`: client and server as (address, port)."""

    def __init__(self, client, server, isn=(0xFFFFFFF0, 5000)):
        self.ends, self.frames, self.next, self.isn = (client, server), [], [isn[0] + 1, isn[1] + 1], isn

    def packet(self, side, proto, data, fragment=0):
        return badcap.ethernet(badcap.ipv4(data, proto, self.ends[side][0], self.ends[not side][0], fragment=fragment))

    def segment(self, side, seq, flags, data=b""):
        ports = self.ends[side][1], self.ends[not side][1]
        return self.packet(side, 6, badcap.tcp(*ports, data, flags, seq=seq & 0xFFFFFFFF))

    def handshake(self):
        self.frames += [self.segment(0, self.isn[0], SYN), self.segment(1, self.isn[1], SYN | ACK), self.segment(0, self.next[0], ACK)]

    def tcp(self, side, data, size=1460):
        """The frames of data in segments; they are the caller's to send."""
        out = [self.segment(side, self.next[side] + at, ACK | PUSH, data[at:at + size]) for at in range(0, len(data), size)]
        self.next[side] += len(data)
        return out

    def udp(self, side, data):
        return self.packet(side, 17, badcap.udp(self.ends[side][1], self.ends[not side][1], data))

    def fragments(self, side, data, size=560):
        whole = badcap.udp(self.ends[side][1], self.ends[not side][1], data)
        return [self.packet(side, 17, whole[at:at + size], at // 8 | (0x2000 if at + size < len(whole) else 0))
                for at in range(0, len(whole), size)]

    def play(self, name, size=1460, shuffle=None):
        for side, is_udp, data in payloads(name):
            if is_udp:
                self.frames.append(self.udp(side, data))
                continue
            if not self.frames:
                self.handshake()
            segments = self.tcp(side, data, size)
            if shuffle:
                segments += segments[:2]
                shuffle.shuffle(segments)
            self.frames += segments
        return self


def address(n):
    return struct.pack("!BBH", 10, 0, n)


def read(frames, *args, snaplen=None):
    with live.folder() as path:
        name = os.path.join(path, "test.pcap")
        with open(name, "wb") as f:
            f.write(badcap.pcap(frames) if snaplen is None else cut(frames, snaplen))
        return json.loads(run("read", name, "--json", *args).stdout)["conversations"]


def cut(frames, snaplen):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, badcap.ETHERNET)
    return head + b"".join(struct.pack("<IIII", badcap.START + i, 0, len(f[:snaplen]), len(f)) + f[:snaplen] for i, f in enumerate(frames))


def protocol_of(name):
    return {"tls": "tls", "http2": "http2"}.get(name.split("-")[0], name.split("-")[0])


def all_talks(**how):
    names = sorted(os.listdir(CORPUS))
    frames = []
    for i, name in enumerate(names):
        frames += Talk((address(i + 1), 40001), (b"\xc0\x00\x02\x01", 49999)).play(name, **how).frames
    return names, frames


def check_all(names, rows):
    equal(len(rows), len(names), "conversations")
    for i, name in enumerate(names):
        wanted = "10.0.%d.%d" % ((i + 1) >> 8, (i + 1) & 255)
        row = [r for r in rows if wanted in (r["local_addr"], r["remote_addr"])][0]
        equal(row["observed"], protocol_of(name), name)
        equal(row["contradiction"], None, name)
        holds(row["observed_detail"] or name.startswith("http2"), "%s: no details" % name)


def test_by_content_alone():
    names, frames = all_talks()
    check_all(names, read(frames))


def test_small_segments_out_of_order():
    names, frames = all_talks(size=300, shuffle=random.Random(7))
    check_all(names, read(frames))


def test_details():
    frames = Talk((address(1), 40001), (address(2), 443)).play("tls-13").frames + Talk((address(1), 40002), (address(2), 443)).play("quic-rfc9001").frames
    rows = read(frames)
    holds(rows[0]["observed_detail"].startswith("sni=www.example.org alpn=h2,http/1.1 offers=1.3 ja4=t13d"), rows[0]["observed_detail"])
    holds(rows[1]["observed_detail"].startswith("version=1 sni=example.com"), rows[1]["observed_detail"])
    table = run("read", "--help").stdout  # the option that turns it off is told
    holds(b"--observed" in table, table)
    with live.folder() as path:
        name = os.path.join(path, "test.pcap")
        with open(name, "wb") as f:
            f.write(badcap.pcap(frames))
        off = json.loads(run("read", name, "--json", "--observed=off").stdout)["conversations"]
        equal([r["observed"] for r in off], [None, None], "--observed=off")
        found = json.loads(run("read", name, "--json", "observed quic").stdout)["conversations"]
        equal([r["observed"] for r in found], ["quic"], "filter")


def test_fragments():
    talk = Talk((address(1), 40001), (address(2), 443))
    talk.frames += talk.fragments(0, payloads("quic-rfc9001")[0][2])
    holds(len(talk.frames) > 2, "no fragments")
    rows = read(talk.frames)
    equal([(r["observed"], "sni=example.com" in r["observed_detail"]) for r in rows], [("quic", True)], "fragments")


def test_cut_by_snaplen():
    """The head of a hello is enough to know TLS, and half of it may have its name."""
    frames = Talk((address(1), 40001), (address(2), 443)).play("tls-13").frames
    for snaplen, has_name in ((96, False), (300, True)):
        rows = read(frames, snaplen=snaplen)
        equal([(r["observed"], "sni=www.example.org" in (r["observed_detail"] or "")) for r in rows], [("tls", has_name)], snaplen)


def test_middle_of_stream():
    """Without its start a stream is nothing, however long; a hello in its middle does not count."""
    talk = Talk((address(1), 40001), (address(2), 443))
    hello = payloads("tls-13")[0][2]
    frames = talk.tcp(0, bytes(range(7, 250)) * 6) + talk.tcp(0, hello) + talk.tcp(1, b"\xee" * 5000)
    equal([r["observed"] for r in read(frames)], [None], "middle")


def test_contradiction():
    ssh = Talk((address(1), 40001), (address(2), 443)).play("ssh").frames
    tls = Talk((address(1), 40002), (address(2), 22)).play("tls-13").frames
    fine = Talk((address(1), 40003), (address(2), 22)).play("ssh").frames
    equal([r["contradiction"] for r in read(ssh + tls + fine)], ["SSH on 443, registered for https", "TLS on 22, registered for ssh", None],
          "contradictions")
    equal(len(read(ssh + tls + fine, "contradiction")), 2, "filter")


def test_names_that_were_asked_for():
    web = bytes([192, 0, 2, 81])
    before = Talk((address(1), 40001), (web, 80)).play("http-get").frames
    answer = Talk((address(1), 40002), (address(53), 53)).play("dns-cname").frames
    after = Talk((address(1), 40003), (web, 80)).play("http-get").frames
    other = Talk((address(9), 40004), (web, 80)).play("http-get").frames
    names = {r["local_port"]: r["remote_name"] for r in read(before + answer + after + other)}
    # the alias that was asked for; a host that did not ask has no name for it
    equal(names, {40001: None, 40002: None, 40003: "alias2.example.org", 40004: None}, "names")


def test_hostile_values():
    talk = Talk((address(1), 40001), (address(2), 80))
    talk.handshake()
    talk.frames += talk.tcp(0, b"GET / HTTP/1.1\r\nHost: a\x1b[31m\r\nUser-Agent: x\" host=\x9b evil\r\n\r\n")
    with live.folder() as path:
        name = os.path.join(path, "test.pcap")
        with open(name, "wb") as f:
            f.write(badcap.pcap(talk.frames))
        for how in ([], ["--json"], ["--jsonl"], ["--csv"]):
            out = run("read", name, "--columns=observed,observed_detail", *how).stdout
            live.no_raw(out, "read %s" % how)
            holds(b"host=" in out, out)


live.main(globals())
