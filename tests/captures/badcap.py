#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""badcap.py DIR: writes sound, damaged and hostile capture files and DIR/index.json, which says of each
what a reader has to make of it:

  packets  how many packets come before the damage, each a UDP datagram of its own conversation
  sound    whether the reader may find nothing wrong
  offset   where the damage is, in bytes from the start of the (uncompressed) file, when it is one place
  hostile  bytes that stand in the file and must not reach a terminal as they are

Names begin with ok- (sound), cut- and container- (damage of the file format), packet- (a sound file with
nonsense in its packets), name- (hostile names). The same code makes the same files.
"""
import gzip
import json
import os
import random
import struct
import sys

ETHERNET, RAW = 1, 101
START = 1_700_000_000
HOSTILE = [b"\x1b[31mred\x1b[0m", b"\x1b]0;title\x07", b"a\nb", b"a\rb", b"\x9b31m", "\u202eevil".encode(), b"\xff\xfe\x80",
           b"<script>alert(1)</script>"]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ipv4(payload, proto=17, source=b"\x0a\x00\x00\x01", target=b"\xc0\x00\x02\x01", length=None, first=0x45, fragment=0,
         options=b""):
    first = 0x40 | (5 + len(options) // 4) if options else first
    total = 20 + len(options) + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH4s4s", first, 0, total, 7, fragment, 64, proto, 0, source, target) + options
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + payload


def ipv6(payload, proto=17, length=None):
    return struct.pack("!IHBB", 0x60000000, len(payload) if length is None else length, proto, 64) + b"\xfd" + bytes(14) + b"\x01" \
        + b"\xfd" + bytes(14) + b"\x02" + payload


def udp(source, target=9, data=b"hello", length=None):
    return struct.pack("!HHHH", source, target, 8 + len(data) if length is None else length, 0) + data


def tcp(source, target=80, data=b"", flags=0x18, offset=5, seq=1, options=b""):
    return struct.pack("!HHIIBBHHH", source, target, seq, 1, offset << 4, flags, 1000, 0, 0) + options + data


def ethernet(packet, kind=0x0800):
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + struct.pack("!H", kind) + packet


def frame(number, data=b"hello"):
    """One datagram of a conversation of its own."""
    return ethernet(ipv4(udp(1024 + number % 60000, 9, data)))


def pcap(frames, order="<", magic=0xA1B2C3D4, link=ETHERNET, snaplen=262144, version=(2, 4)):
    out = [struct.pack(order + "IHHiIII", magic, version[0], version[1], 0, 0, snaplen, link)]
    for i, data in enumerate(frames):
        out.append(struct.pack(order + "IIII", START + i, i, len(data), len(data)) + data)
    return b"".join(out)


def pad(data):
    return data + bytes(-len(data) % 4)


def option(code, data, order="<"):
    return struct.pack(order + "HH", code, len(data)) + pad(data)


def block(kind, body, order="<", length=None, trailer=None):
    total = 12 + len(body) if length is None else length
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total if trailer is None else trailer)


def section(order="<", length=-1, version=(1, 0), options=b"", magic=0x1A2B3C4D):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", magic, version[0], version[1], length) + options, order)


def interface(order="<", link=ETHERNET, snaplen=262144, options=b""):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(number, data, order="<", on=0, options=b"", captured=None):
    stamp = (START + number) * 1_000_000
    n = len(data) if captured is None else captured
    return block(6, struct.pack(order + "IIIII", on, stamp >> 32, stamp & 0xFFFFFFFF, n, len(data)) + pad(data) + options, order)


def pcapng(frames, order="<", options=b"", section_options=b""):
    return section(order, options=section_options) + interface(order, options=options) + b"".join(
        enhanced(i, f, order) for i, f in enumerate(frames))


class Corpus:
    def __init__(self, folder):
        self.folder, self.index = folder, {}
        os.makedirs(folder, exist_ok=True)

    def add(self, name, data, packets=None, sound=None, offset=None, hostile=None):
        assert name not in self.index, name
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(data)
        self.index[name] = {"packets": packets, "sound": sound, "offset": offset,
                            "hostile": hostile.hex() if hostile else None}

    def close(self):
        with open(os.path.join(self.folder, "index.json"), "w") as f:
            json.dump(self.index, f, indent=1)


def add_sound(c):
    ten = [frame(i) for i in range(10)]

    def ok(name, data, packets):
        c.add("ok-" + name, data, packets, True)

    ok("little.pcap", pcap(ten), 10)
    ok("big.pcap", pcap(ten, ">"), 10)
    ok("little-nano.pcap", pcap(ten, magic=0xA1B23C4D), 10)
    ok("big-nano.pcap", pcap(ten, ">", magic=0xA1B23C4D), 10)
    ok("empty.pcap", pcap([]), 0)
    ok("raw.pcap", pcap([f[14:] for f in ten], link=RAW), 10)
    ok("little.pcapng", pcapng(ten), 10)
    ok("big.pcapng", pcapng(ten, ">"), 10)
    ok("empty.pcapng", section(), 0)
    ok("two-orders.pcapng", pcapng(ten[:4]) + pcapng(ten[4:], ">"), 10)
    many = b"".join([interface()] * 65537)
    ok("interfaces.pcapng", section() + many + enhanced(0, ten[0], on=65536) + enhanced(1, ten[1], on=0), 2)
    ok("unknown-blocks.pcapng", section() + block(0x77777777, b"abcd") + interface() + block(0x40000BAD, bytes(8))
       + enhanced(0, ten[0]) + block(0x0000000A, struct.pack("<II", 0x544C534B, 4) + b"keys"), 1)
    ok("little.pcap.gz", gzip.compress(pcap(ten), mtime=0), 10)
    ok("two-members.pcap.gz", gzip.compress(pcap(ten)[:300], mtime=0) + gzip.compress(pcap(ten)[300:], mtime=0), 10)


def add_cut(c):
    """A hundred sound packets, then the file ends where it should not."""
    frames = [frame(i) for i in range(100)]
    whole, next_whole = pcap(frames), pcap(frames + [frame(100)])
    for extra in (1, 8, 15, 16, 20, len(next_whole) - len(whole) - 1):
        c.add(f"cut-pcap-{extra}.pcap", next_whole[:len(whole) + extra], 100, False, len(whole))
    for order in "<>":
        whole, next_whole = pcapng(frames, order), pcapng(frames + [frame(100)], order)
        for extra in (1, 7, 8, 11, 28, 40, len(next_whole) - len(whole) - 1):
            c.add(f"cut-pcapng-{'little' if order == '<' else 'big'}-{extra}.pcapng", next_whole[:len(whole) + extra], 100, False,
                  len(whole))
    for n in (1, 3, 4, 8, 23):
        c.add(f"cut-header-{n}.pcap", pcap(frames)[:n], 0, False)
    for n in (1, 4, 11, 27):
        c.add(f"cut-header-{n}.pcapng", pcapng(frames)[:n], 0, False)
    c.add("cut-nothing.pcap", b"", 0, False)
    packed = gzip.compress(pcap(frames), mtime=0)
    c.add("cut-end.pcap.gz", packed[:-9], None, False)
    c.add("cut-middle.pcap.gz", packed[:len(packed) // 2], None, False)
    c.add("cut-checksum.pcap.gz", packed[:-8] + b"\0\0\0\0" + packed[-4:], None, False)


def add_damaged_pcap(c):
    good = [frame(i) for i in range(100)]
    whole = pcap(good)

    def after(name, record, sound=False):
        c.add(f"container-{name}.pcap", whole + record + bytes(64), 100, sound, len(whole))

    after("captured-huge", struct.pack("<IIII", START, 0, 0xFFFFFFFF, 0xFFFFFFFF))
    after("captured-sign", struct.pack("<IIII", START, 0, 0x80000000, 60))
    after("captured-over-limit", struct.pack("<IIII", START, 0, 0x10000001, 60))
    after("captured-past-end", struct.pack("<IIII", START, 0, 100000, 100000))
    for magic in (0, 0xFFFFFFFF, 0xA1B2C3D5, 0x0A0D0D0B, 0xD4C3B2A0):
        c.add(f"container-magic-{magic:08x}.pcap", pcap(good, magic=magic), 0, False)
    for version in ((0, 0), (1, 0), (3, 0), (99, 99)):
        c.add(f"container-version-{version[0]}-{version[1]}.pcap", pcap(good, version=version))
    for link in (147, 9999, 0xFFFF, 0x0FFFFFFF):
        c.add(f"container-link-{link}.pcap", pcap(good, link=link))
    for snaplen in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        c.add(f"container-snaplen-{snaplen}.pcap", pcap(good[:10], snaplen=snaplen))
    odd = bytearray(pcap(good[:10]))
    odd[24 + 12:24 + 16] = struct.pack("<I", 3)
    c.add("container-wire-below-captured.pcap", bytes(odd))
    odd = bytearray(pcap(good[:10]))
    odd[24 + 4:24 + 8] = struct.pack("<I", 0xFFFFFFFF)
    c.add("container-microseconds.pcap", bytes(odd), 10)
    c.add("container-text.pcap", b"this is a text\n" * 40, 0, False)
    c.add("container-elf.pcap", b"\x7fELF\x02\x01\x01" + bytes(500), 0, False)


def add_damaged_pcapng(c):
    good = [frame(i) for i in range(100)]
    whole = pcapng(good)

    def after(name, data, sound=False):
        c.add(f"container-{name}.pcapng", whole + data, 100, sound, len(whole))

    body = struct.pack("<IIIII", 0, 0, 0, 60, 60) + bytes(60)
    for length in (0, 1, 8, 11, 13, 14, 0x7FFFFFFC, 0xFFFFFFFC, 0xFFFFFFFF):
        after(f"length-{length:x}", block(6, body, length=length))
    after("trailer", block(6, body, trailer=16))
    after("interface-none", enhanced(0, good[0], on=77))
    after("captured-past-block", enhanced(0, good[0], captured=5000))
    after("captured-huge", enhanced(0, good[0], captured=0xFFFFFFFF))
    after("short-enhanced", block(6, bytes(8)))
    after("short-interface", block(1, bytes(4)))
    after("short-section", block(0x0A0D0D0A, bytes(4)))
    after("section-magic", section(magic=0x12345678))
    after("section-version", section(version=(9, 9)) + interface() + enhanced(0, good[0]))
    after("short-simple", block(3, b""))
    after("simple-huge", block(3, struct.pack("<I", 0xFFFFFFFF)), sound=None)
    no_interface = section()
    c.add("container-no-interface.pcapng", no_interface + enhanced(0, good[0]), 0, False, len(no_interface))
    c.add("container-no-interface-simple.pcapng", no_interface + block(3, struct.pack("<I", len(good[0])) + pad(good[0])), 0, False,
          len(no_interface))
    for value in (0, 0x7F, 0x80, 0xBF, 0xFF, 64):
        c.add(f"container-resolution-{value:x}.pcapng", pcapng(good[:10], options=option(9, bytes([value])) + option(0, b"")))
    c.add("container-resolution-empty.pcapng", pcapng(good[:10], options=option(9, b"") + option(0, b"")))
    c.add("container-offset.pcapng", pcapng(good[:10], options=option(14, b"\xff" * 8) + option(0, b"")))
    c.add("container-option-long.pcapng", pcapng(good[:10], options=struct.pack("<HH", 2, 0xFFFF) + b"abcd"))
    c.add("container-option-no-end.pcapng", pcapng(good[:10], options=option(2, b"eth0")), 10)
    c.add("container-names-long.pcapng", whole + block(4, struct.pack("<HH", 1, 0xFFFF) + b"abcd"), 100)
    c.add("container-names-short.pcapng", whole + block(4, struct.pack("<HH", 1, 3) + b"abc\0"), 100)
    c.add("container-names-no-end.pcapng", whole + block(4, struct.pack("<HH", 1, 9) + b"\x0a\0\0\1host" + bytes(4)), 100)
    c.add("container-custom-short.pcapng", whole + block(0xBAD, b""), 100)
    c.add("container-statistics-short.pcapng", whole + block(5, b""), 100)
    c.add("container-section-length.pcapng", section(length=0x7FFFFFFFFFFFFFFF) + interface() + enhanced(0, good[0]), 1)


def packets():
    """Nonsense by name; each in a sound file of both formats."""
    yield "empty", b""
    for n in (1, 13, 14, 15, 33, 34, 41):
        yield f"short-{n}", frame(0)[:n]
    for first in (0x00, 0x44, 0x4F, 0x55, 0xF5):
        yield f"ipv4-first-{first:02x}", ethernet(ipv4(udp(1), first=first))
    for length in (0, 1, 19, 20, 0xFFFF):
        yield f"ipv4-length-{length}", ethernet(ipv4(udp(1), length=length))
    yield "ipv4-options", ethernet(ipv4(udp(1), options=b"\x07\xff\x04" + b"\0" * 37))
    yield "ipv4-option-zero", ethernet(ipv4(udp(1), options=b"\x07\x00\x04\x00"))
    yield "fragment-far", ethernet(ipv4(b"x" * 64, fragment=0x1FFF))
    yield "fragment-past-end", ethernet(ipv4(b"x" * 1400, fragment=0x3FFF))
    for length in (0, 7, 0xFFFF):
        yield f"udp-length-{length}", ethernet(ipv4(udp(1, length=length)))
    for offset in (0, 4, 15):
        yield f"tcp-offset-{offset}", ethernet(ipv4(tcp(1, offset=offset), proto=6))
    for text in (b"\x02\x00\x00\x00", b"\x02\xff\x05\xb4", b"\x05\x0b\x00\x00", b"\x03\x01\x01\x01"):
        yield f"tcp-option-{text.hex()}", ethernet(ipv4(tcp(1, offset=6, options=text), proto=6))
    yield "tcp-all-flags", ethernet(ipv4(tcp(1, flags=0xFF), proto=6))
    yield "ipv6-jumbo", ethernet(ipv6(b"\x11\x00\xc2\x04\xff\xff\xff\xff" + udp(1), proto=0, length=0), 0x86DD)
    yield "ipv6-length", ethernet(ipv6(udp(1), length=0xFFFF), 0x86DD)
    yield "ipv6-chain", ethernet(ipv6((b"\x3c\x00" + bytes(6)) * 150 + udp(1), proto=60), 0x86DD)
    yield "ipv6-routing", ethernet(ipv6(b"\x11\xff\x04\xff\0\0\0\0" + udp(1), proto=43), 0x86DD)
    yield "ipv6-fragment-zero", ethernet(ipv6(b"\x11\x00\x00\x00\0\0\0\1" + udp(1), proto=44), 0x86DD)
    yield "vlan-chain", ethernet((b"\x00\x01\x81\x00" * 200) + b"\x00\x01\x08\x00" + ipv4(udp(1)), 0x8100)
    yield "mpls-chain", ethernet(b"\x00\x01\x00\x40" * 300, 0x8847)
    nested = ipv4(udp(1))
    for _ in range(60):
        nested = ipv4(nested, proto=4)
    yield "ipip-chain", ethernet(nested)
    yield "gre-flags", ethernet(ipv4(b"\xff\xff\x08\x00" + ipv4(udp(1)), proto=47))
    yield "vxlan-short", ethernet(ipv4(udp(1, 4789, b"\x08\0\0")))
    yield "geneve-options", ethernet(ipv4(udp(1, 6081, b"\x3f\0\x65\x58\0\0\0\0")))
    yield "gtp-extensions", ethernet(ipv4(udp(1, 2152, b"\x34\xff\0\x08\0\0\0\1\0\0\0\x85" + b"\0\0\0\x85" * 3)))
    yield "pppoe-length", ethernet(b"\x11\x00\x00\x01\xff\xff\x00\x21" + ipv4(udp(1)), 0x8864)
    yield "arp-sizes", ethernet(b"\x00\x01\x08\x00\xff\xff\x00\x01" + bytes(8), 0x0806)
    yield "sctp-chunk", ethernet(ipv4(b"\0\1\0\2\0\0\0\1\0\0\0\0\x01\0\0\x01", proto=132))
    yield "dccp-offset", ethernet(ipv4(b"\0\1\0\2\xff\0\0\0\x01\0\0\0", proto=33))
    yield "icmp-quote-short", ethernet(ipv4(b"\x03\x03\0\0\0\0\0\0\x45\0\0", proto=1))
    yield "icmp-quote-options", ethernet(ipv4(b"\x03\x03\0\0\0\0\0\0\x4f" + ipv4(udp(1))[1:], proto=1))
    compression = b"\0\1\x80\0\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1"
    yield "dns-loop", ethernet(ipv4(udp(53, 5000, compression)))
    yield "dns-counts", ethernet(ipv4(udp(53, 5000, b"\0\1\x80\0" + b"\xff" * 8)))
    yield "tls-record", ethernet(ipv4(tcp(1, 443, b"\x16\x03\x01\xff\xff\x01\x00\xff\xff\x03\x03"), proto=6))
    yield "tls-extension", ethernet(ipv4(tcp(1, 443, b"\x16\x03\x01\x00\x33\x01\x00\x00\x2f\x03\x03" + bytes(32)
                                             + b"\x00\x00\x02\x13\x01\x01\x00\x00\x04\x00\x00\xff\xff"), proto=6))
    yield "http-endless", ethernet(ipv4(tcp(1, 80, b"GET / HTTP/1.1\r\nHost: " + b"a" * 1300), proto=6))
    yield "quic-lengths", ethernet(ipv4(udp(1, 443, b"\xc3\0\0\0\1\xff" + b"\xff" * 1250)))


def add_packets(c):
    for name, data in packets():
        c.add(f"packet-{name}.pcap", pcap([data]), None, True)
        c.add(f"packet-{name}.pcapng", pcapng([data]), None, True)


def dns_answer(name):
    labels = bytes([len(name)]) + name + b"\0"
    return b"\x12\x34\x81\x80\0\1\0\1\0\0\0\0" + labels + b"\0\1\0\1" + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"


def client_hello(name):
    server = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(server)) + server
    hello = b"\x03\x03" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    handshake = b"\1" + struct.pack("!I", len(hello))[1:] + hello
    return b"\x16\3\1" + struct.pack("!H", len(handshake)) + handshake


def add_names(c):
    for i, text in enumerate(HOSTILE):
        head = b"GET / HTTP/1.1\r\nHost: " + text.replace(b"\r", b"").replace(b"\n", b"\x0b") + b"\r\nUser-Agent: " \
            + text.replace(b"\n", b"").replace(b"\r", b"") + b"\r\n\r\n"
        question = dns_answer(text)
        c.add(f"name-dns-{i}.pcap", pcap([ethernet(ipv4(udp(53, 5000, question), source=b"\xc0\0\2\x35",
                                                          target=b"\x0a\0\0\1"))] + [frame(0)]), None, True, hostile=text)
        c.add(f"name-tls-{i}.pcap", pcap([ethernet(ipv4(tcp(4000, 443, client_hello(text)), proto=6))]), None, True, hostile=text)
        c.add(f"name-http-{i}.pcap", pcap([ethernet(ipv4(tcp(4000, 80, head), proto=6))]), None, True, hostile=text)
        options = option(2, text) + option(3, text) + option(0, b"")
        record = block(4, struct.pack("<HH", 1, 5 + len(text)) + pad(b"\xc0\0\2\1" + text + b"\0") + bytes(4))
        c.add(f"name-pcapng-{i}.pcapng", pcapng([frame(0)], options=options, section_options=option(4, text) + option(1, text)
                                                + option(0, b"")) + record
              + enhanced(1, frame(1), options=option(1, text) + option(0, b"")), 2, True, hostile=text)


def mixed():
    """Frames of many kinds: tunnel, fragments, names, a connection from its first to its last segment."""
    client = {"source": b"\x0a\0\0\1", "target": b"\xc0\0\2\1", "proto": 6}
    server = {"source": b"\xc0\0\2\1", "target": b"\x0a\0\0\1", "proto": 6}
    get, answer = b"GET /a HTTP/1.1\r\nHost: www.example.test\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    segments = [(client, 40000, 80, b"", 0x02, 99), (server, 80, 40000, b"", 0x12, 499), (client, 40000, 80, get, 0x18, 100),
                (server, 80, 40000, answer, 0x18, 500), (client, 40000, 80, b"", 0x11, 100 + len(get)),
                (server, 80, 40000, b"", 0x11, 500 + len(answer))]
    return [ethernet(ipv4(tcp(1, 443, client_hello(b"www.example.test")), proto=6)), ethernet(ipv4(udp(53, 5000, dns_answer(b"www")))),
            ethernet(ipv6(udp(7)), 0x86DD), frame(3, b"x" * 100), ethernet(ipv4(udp(1, 4789, b"\x08\0\0\0\0\0\1\0" + frame(9)))),
            ethernet(ipv4(b"x" * 64, fragment=0x2000)), ethernet(ipv4(b"x" * 64, fragment=0x0008))] + [
                ethernet(ipv4(tcp(s, d, data, flags, seq=seq), **ends)) for ends, s, d, data, flags, seq in segments]


def in_corpus(name):
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fuzz/corpus", name)
    for path in sorted(os.listdir(folder)):
        with open(os.path.join(folder, path), "rb") as f:
            yield f.read()


def decode_capture(data):
    """An input of fuzz_decode: the link type, then frames behind their length."""
    frames, at = [], 2
    while len(data) - at >= 4:
        n = int.from_bytes(data[at:at + 2], "big")
        frames.append(data[at + 4:at + 4 + n])
        at += 4 + n
    return pcap(frames, link=int.from_bytes(data[:2], "big"))


def observe_capture(data):
    """An input of fuzz_observe: payloads of both sides behind flags and their length."""
    frames, at, sent = [], 0, [1, 1]
    while len(data) - at >= 4:
        side, n = data[at] & 1, int.from_bytes(data[at + 2:at + 4], "big")
        payload, ports = data[at + 4:at + 4 + n], (53, 40000) if side else (40000, 53)
        is_udp = data[at] & 2
        segment = udp(*ports, payload) if is_udp else tcp(*ports, payload, seq=sent[side])
        frames.append(ethernet(ipv4(segment, proto=17 if is_udp else 6, source=bytes([192, 0, 2, 1 + side]),
                                    target=bytes([192, 0, 2, 2 - side]))))
        sent[side] += n
        at += 4 + n
    return pcap(frames)


def mutant_bases():
    """What mutants are made of: captures of every format, link type, tunnel and observed protocol."""
    frames = mixed()
    return [pcap(frames), pcap(frames, ">"), pcapng(frames), pcapng(frames, ">"), *in_corpus("capture"),
            *map(decode_capture, in_corpus("decode")), *map(observe_capture, in_corpus("observe"))]


def mutant(bases, seed, number):
    """One of the bases with a few bytes changed, moved or left out; the same for the same numbers."""
    rng = random.Random(f"{seed}.{number}")
    data = bytearray(rng.choice(bases))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) or 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at:at + 1] = bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))])
        elif kind == 1:
            data[at:at + 1] = bytes(b ^ 1 << rng.randrange(8) for b in data[at:at + 1])
        elif kind == 2:
            del data[at:at + rng.randrange(1, 9)]
        else:
            data[at:at] = data[at:at + rng.randrange(1, 65)]
    return bytes(data)


def write_corpus(folder):
    c = Corpus(folder)
    for add in (add_sound, add_cut, add_damaged_pcap, add_damaged_pcapng, add_packets, add_names):
        add(c)
    c.close()
    return c.index


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(len(write_corpus(sys.argv[1])), "files")
