#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the corpus of the decoder and what must come out of it.

    tests/captures/make_frames.py

writes tests/fuzz/corpus/decode/NAME and tests/unit/data/decode.txt. Frames are made by scapy or by
hand; what is expected of them is written here by hand, never taken from portavoz. A corpus file is
a link type (16 bits, big endian), then frames: captured length, bytes cut by the snapshot length
(16 bits each), the captured bytes. Needs python3-scapy; the tests read the committed files only.
"""
import logging
import os
import struct

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (AH, ARP, ESP, GRE, ICMP, IP, LLC, SCTP, SNAP, TCP, UDP, CookedLinux,  # noqa: E402
                       CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Dot11, Dot11QoS, Ether, ICMPv6DestUnreach,
                       ICMPv6EchoRequest, IPerror6, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Jumbo, PPP, PPPoE, RadioTap, SCTPChunkInit,
                       UDPerror, VXLAN, fragment, fragment6)
from scapy.contrib.erspan import ERSPAN_I, ERSPAN_II, ERSPAN_III  # noqa: E402
from scapy.contrib.geneve import GENEVE  # noqa: E402
from scapy.contrib.gtp import GTP_U_Header  # noqa: E402
from scapy.contrib.mpls import MPLS  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
ETHER, RAW, NULL, LOOP, PPP_, HDLC, C_HDLC, WIFI, RADIOTAP, SLL, SLL2, MPLS_ = (
    1, 101, 0, 108, 9, 50, 104, 105, 127, 113, 276, 219)
PPP_ETHER, PPPD, PPP_DIR, PRISM, AVS, IP4, IP6 = 51, 166, 204, 119, 163, 228, 229

A, B = "02:00:00:00:00:01", "02:00:00:00:00:02"
C, D = "02:00:00:00:00:0c", "02:00:00:00:00:0d"
E = Ether(src=A, dst=B)
MAC = "020000000001>020000000002"
INNER = Ether(src=C, dst=D)
INNER_MAC = "02000000000c>02000000000d"
I4 = IP(src="10.0.0.1", dst="10.0.0.2")
I6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
IN4 = IP(src="192.168.1.1", dst="192.168.1.2")
IN6 = IPv6(src="fd00::1", dst="fd00::2")
U = UDP(sport=1000, dport=53) / b"0123456789"
T = TCP(sport=40000, dport=443, seq=100, ack=200, flags="PA", window=512) / b"hello"
U4 = "10.0.0.1:1000>10.0.0.2:53 udp 10/10"
T4 = "10.0.0.1:40000>10.0.0.2:443 tcp 5/5 PA seq 100 ack 200 win 512"
T6 = "2001:db8::1:40000>2001:db8::2:443 tcp 5/5 PA seq 100 ack 200 win 512"
IU4 = "192.168.1.1:1000>192.168.1.2:53 udp 10/10"
IU6 = "fd00::1:1000>fd00::2:53 udp 10/10"

cases = []


def case(name, link, frames, *expected, cut=0):
    """cut: bytes that a snapshot length took from the last frame."""
    frames = [bytes(f) for f in (frames if isinstance(frames, list) else [frames])]
    cases.append((name, link, frames, cut, expected))


def be16(*numbers):
    return b"".join(struct.pack(">H", n) for n in numbers)


def outer(udp, payload):
    return f"{MAC} 10.0.0.1:1000>10.0.0.2:{udp} udp {payload}/{payload}"


# ---- Ethernet
case("ether-ip4-tcp", ETHER, E / I4 / T, f"{MAC} {T4}")
case("ether-ip6-tcp", ETHER, E / I6 / T, f"{MAC} {T6}")
case("ether-padded", ETHER, bytes(E / I4 / U) + b"\0" * 8, f"{MAC} {U4}")
case("ether-fcs", ETHER, bytes(E / I4 / T) + b"\1\2\3\4", f"{MAC} {T4}")
case("vlan", ETHER, E / Dot1Q(vlan=7) / I4 / U, f"{MAC} vlan 7 {U4}")
case("qinq", ETHER, E / Dot1AD(vlan=100) / Dot1Q(vlan=7) / I4 / U, f"{MAC} vlan 100.7 {U4}")
case("qinq-8100", ETHER, E / Dot1Q(vlan=100) / Dot1Q(vlan=4095) / I6 / T, f"{MAC} vlan 100.4095 {T6}")
case("qinq-9100", ETHER, bytes(Ether(src=A, dst=B, type=0x9100)) + be16(5, 0x800) + bytes(I4 / U),
     f"{MAC} vlan 5 {U4}")
case("vlan-six", ETHER, E / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / Dot1Q(vlan=4) / Dot1Q(vlan=5)
     / Dot1Q(vlan=6) / I4 / U, f"{MAC} vlan 1.2.3.4(+2) {U4}")
case("llc-snap", ETHER, Dot3(src=A, dst=B) / LLC() / SNAP() / I4 / U, f"{MAC} {U4}")
case("snap-8021h", ETHER, Dot3(src=A, dst=B) / LLC() / SNAP(OUI=0xf8) / I4 / U, f"{MAC} {U4}")
case("llc-ip", ETHER, Dot3(src=A, dst=B) / LLC(dsap=6, ssap=6, ctrl=3) / I4 / U, f"{MAC} {U4}")
case("llc-stp", ETHER, Dot3(src=A, dst=B) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / (b"\0" * 35), f"{MAC} ether 38/38")
case("snap-cdp", ETHER, Dot3(src=A, dst=B) / LLC() / SNAP(OUI=0xc, code=0x2000) / b"cdp",
     f"{MAC} ether 11/11")
case("lldp", ETHER, bytes(Ether(src=A, dst=B, type=0x88cc)) + b"\2\7\4abcdef", f"{MAC} ether#35020 9/9")
case("arp-request", ETHER, E / ARP(op=1, hwsrc=A, psrc="10.0.0.1", pdst="10.0.0.2"),
     f"{MAC} 10.0.0.1>10.0.0.2 arp 28/28 op 1 020000000001>000000000000")
case("arp-reply", ETHER, E / ARP(op=2, hwsrc=A, hwdst=B, psrc="10.0.0.1", pdst="10.0.0.2"),
     f"{MAC} 10.0.0.1>10.0.0.2 arp 28/28 op 2 020000000001>020000000002")
case("arp-chaos", ETHER, bytes(Ether(src=A, dst=B, type=0x806)) + be16(1, 0x804, 0x602, 1) + b"x" * 16,
     f"{MAC} arp 24/24 op 1")
case("ether-short", ETHER, b"\2\0\0\0\0\2\2\0\0\0", "none bad_length")
case("ether-cut", ETHER, bytes(E)[:10], "none truncated", cut=50)

# ---- MPLS, PPP, PPPoE
case("mpls-ip4", ETHER, Ether(src=A, dst=B, type=0x8847) / MPLS(label=16, s=0) / MPLS(label=17, s=1) / I4 / U,
     f"{MAC} mpls 16x2 {U4}")
case("mpls-ip6", ETHER, Ether(src=A, dst=B, type=0x8847) / MPLS(label=18, s=1) / I6 / T, f"{MAC} mpls 18x1 {T6}")
case("mpls-pw-control-word", ETHER, bytes(Ether(src=A, dst=B, type=0x8847) / MPLS(label=19, s=1)) + b"\0\0\0\0"
     + bytes(INNER / IN4 / U), f"{MAC} mpls 19x1 ether#34887 56/56", f"mpls#19: {INNER_MAC} {IU4}")
case("mpls-pw", ETHER, bytes(Ether(src=A, dst=B, type=0x8847) / MPLS(label=20, s=1)) + bytes(INNER / IN4 / U),
     f"{MAC} mpls 20x1 ether#34887 52/52", f"mpls#20: {INNER_MAC} {IU4}")
case("mpls-link", MPLS_, MPLS(label=30, s=1) / I4 / U, f"mpls 30x1 {U4}")
case("pppoe", ETHER, Ether(src=A, dst=B, type=0x8864) / PPPoE(sessionid=9) / PPP(proto=0x21) / I4 / U,
     f"{MAC} pppoe 9 {U4}")
case("pppoe-lcp", ETHER, Ether(src=A, dst=B, type=0x8864) / PPPoE(sessionid=9) / PPP(proto=0xc021) / b"\1\1\0\4",
     f"{MAC} pppoe 9 ether#34916 4/4")
case("pppoe-bad-length", ETHER, bytes(Ether(src=A, dst=B, type=0x8864)) + be16(0x1100, 9, 5000, 0x21) + bytes(I4 / U),
     f"{MAC} pppoe 9 {U4} any_bad_length")
case("ppp-link", PPP_, b"\xff\3\0\x21" + bytes(I4 / U), U4)
case("ppp-compressed", PPP_, b"\x21" + bytes(I4 / U), U4)
case("ppp-ip6", HDLC, b"\xff\3\0\x57" + bytes(I6 / T), T6)
case("ppp-mpls", HDLC, b"\xff\3\2\x81" + bytes(MPLS(label=40, s=1) / I4 / U), f"mpls 40x1 {U4}")
case("ppp-cisco", HDLC, b"\x0f\0\x08\0" + bytes(I4 / U), U4)
case("c-hdlc", C_HDLC, b"\x0f\0\x86\xdd" + bytes(I6 / T), T6)
case("ppp-ether", PPP_ETHER, PPPoE(sessionid=3) / PPP(proto=0x21) / I4 / U, f"pppoe 3 {U4}")
case("ppp-pppd", PPPD, b"\1\3\0\x21" + bytes(I4 / U), U4)
case("ppp-with-dir", PPP_DIR, b"\0\xff\3\0\x21" + bytes(I4 / U), U4)

# ---- raw, loopback, cooked
case("raw-101", RAW, I4 / U, U4)
case("raw-12", 12, I6 / T, T6)
case("raw-14", 14, I4 / U, U4)
case("raw-ip4", IP4, I4 / U, U4)
case("raw-ip6", IP6, I6 / T, T6)
case("raw-nonsense", RAW, b"\x15" * 40, "none bad_header")
for family in 24, 28, 30, 10:
    case(f"null-{family}", NULL, struct.pack("<I", family) + bytes(I6 / T), T6)
case("null-big-endian", NULL, struct.pack(">I", 2) + bytes(I4 / U), U4)
case("null-little-endian", NULL, struct.pack("<I", 2) + bytes(I4 / U), U4)
case("loop", LOOP, struct.pack(">I", 2) + bytes(I4 / U), U4)
case("sll", SLL, CookedLinux(lladdrlen=6, src=bytes.fromhex("020000000001") + b"\0\0", proto=0x800) / I4 / U,
     f"020000000001>none {U4}")
case("sll-vlan", SLL, CookedLinux(lladdrlen=6, src=bytes.fromhex("020000000001") + b"\0\0", proto=0x8100)
     / Dot1Q(vlan=6) / I4 / U, f"020000000001>none vlan 6 {U4}")
case("sll-llc", SLL, be16(0, 1, 6) + bytes.fromhex("0200000000010000") + be16(4) + b"\xaa\xaa\3\0\0\0\x08\0"
     + bytes(I4 / U), f"020000000001>none {U4}")
case("sll-no-address", SLL, be16(0, 772, 0) + b"\0" * 8 + be16(0x800) + bytes(I4 / U), U4)
case("sll-netlink", SLL, be16(0, 824, 0) + b"\0" * 8 + be16(0x800) + b"\x10\0\0\0" * 4, "ether 16/16")
case("sll2", SLL2, be16(0x86dd, 0) + struct.pack(">IHBB", 3, 1, 4, 6) + bytes.fromhex("0200000000010000")
     + bytes(I6 / T), f"020000000001>none {T6}")

# ---- 802.11
DATA = Dot11(type=2, subtype=0, FCfield=1, addr1="02:00:00:00:00:aa", addr2=A, addr3=B)
FROM = Dot11(type=2, subtype=0, FCfield=2, addr1=B, addr2="02:00:00:00:00:aa", addr3=A)
IBSS = Dot11(type=2, subtype=0, FCfield=0, addr1=B, addr2=A, addr3="02:00:00:00:00:aa")
WDS = Dot11(type=2, subtype=0, FCfield=3, addr1="02:00:00:00:00:aa", addr2="02:00:00:00:00:bb", addr3=B, addr4=A)
QOS = Dot11(type=2, subtype=8, FCfield=1, addr1="02:00:00:00:00:aa", addr2=A, addr3=B)
SNAP4 = LLC() / SNAP() / I4 / U
case("wifi-to-ds", WIFI, DATA / SNAP4, f"{MAC} {U4}")
case("wifi-from-ds", WIFI, FROM / SNAP4, f"{MAC} {U4}")
case("wifi-ibss", WIFI, IBSS / SNAP4, f"{MAC} {U4}")
case("wifi-wds", WIFI, WDS / SNAP4, f"{MAC} {U4}")
case("wifi-qos", WIFI, QOS / Dot11QoS() / SNAP4, f"{MAC} {U4}")
case("wifi-protected", WIFI, bytes(Dot11(type=2, subtype=0, FCfield=0x41, addr1="02:00:00:00:00:aa", addr2=A,
                                         addr3=B))[:24] + b"\1\2\3\4" * 8, f"{MAC} ether 32/32 encrypted")
case("wifi-null-data", WIFI, bytes(Dot11(type=2, subtype=4, FCfield=1, addr1="02:00:00:00:00:aa", addr2=A, addr3=B)),
     f"{MAC} ether 0/0")
case("wifi-beacon", WIFI, bytes(Dot11(type=0, subtype=8, addr1=B, addr2=A, addr3=A)) + b"\0" * 12,
     f"{MAC} ether 12/12")
case("wifi-ack", WIFI, bytes(Dot11(type=1, subtype=13, addr1=B))[:10], "none>020000000002 ether 0/0")
case("wifi-version", WIFI, b"\x0b" + bytes(DATA / SNAP4)[1:], "none bad_header")
case("wifi-later-fragment", WIFI, bytes(DATA)[:22] + b"\1\0" + b"rest", f"{MAC} ether 28/28 fragment,later_fragment")
SUB1 = bytes.fromhex("02000000000202000000000100") + bytes([8 + 38]) + bytes(LLC() / SNAP() / I4 / U)
SUB2 = bytes.fromhex("02000000000d02000000000c00") + bytes([8 + 38]) + bytes(LLC() / SNAP() / IN4 / U)
case("wifi-amsdu", WIFI, bytes(QOS)[:24] + b"\x80\0" + SUB1 + SUB2, f"{MAC} {U4} more_later",
     f"amsdu: {INNER_MAC} {IU4}")
case("radiotap", RADIOTAP, RadioTap(present=0) / DATA / SNAP4, f"{MAC} {U4}")
case("radiotap-fcs-pad", RADIOTAP, b"\0\0\x19\0\3\0\0\x80\0\0\0\0" + b"\0" * 4 + b"\0" * 8 + b"\x30"
     + bytes(QOS)[:24] + b"\0\0" + b"\0\0" + bytes(SNAP4) + b"fcs!", f"{MAC} {U4}")
case("prism", PRISM, struct.pack("<II", 0x44, 144) + b"\0" * 136 + bytes(DATA / SNAP4), f"{MAC} {U4}")
case("avs", AVS, struct.pack(">II", 0x80211001, 64) + b"\0" * 56 + bytes(DATA / SNAP4), f"{MAC} {U4}")

# ---- IP
case("ip4-options", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", options=b"\x94\4\0\0" + b"\1" * 4) / U, f"{MAC} {U4}")
case("ip4-tso-length-0", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", len=0) / T, f"{MAC} {T4} no_length")
case("ip4-length-too-long", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", len=2000) / T, f"{MAC} {T4} bad_length")
case("ip4-length-too-short", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", len=10) / T,
     f"{MAC} 10.0.0.1>10.0.0.2 tcp 0/0 bad_length")
case("ip4-bad-ihl", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", ihl=4) / T, f"{MAC} ether#2048 45/45 bad_header")
case("ip4-ttl-0", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", ttl=0) / U, f"{MAC} {U4} ttl_expired")
case("ip4-other", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=89) / b"ospf", f"{MAC} 10.0.0.1>10.0.0.2 ip#89 4/4")
case("ip4-igmp", ETHER, E / IP(src="10.0.0.1", dst="224.0.0.22", proto=2) / (b"\x22\0\0\0\0\0\0\0"),
     f"{MAC} 10.0.0.1>224.0.0.22 igmp 8/8")
case("jumbo-frame", ETHER, E / I4 / UDP(sport=1000, dport=53) / (b"j" * 8900),
     f"{MAC} 10.0.0.1:1000>10.0.0.2:53 udp 8900/8900")
case("ip6-extensions", ETHER, E / I6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting() / IPv6ExtHdrDestOpt() / T,
     f"{MAC} {T6}")
case("ip6-jumbogram", ETHER, E / IPv6(src="2001:db8::1", dst="2001:db8::2", plen=0)
     / IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=33)]) / T, f"{MAC} {T6}")
case("ip6-length-0", ETHER, E / IPv6(src="2001:db8::1", dst="2001:db8::2", plen=0) / T, f"{MAC} {T6} no_length")
case("ip6-no-next", ETHER, E / IPv6(src="2001:db8::1", dst="2001:db8::2", nh=59), f"{MAC} 2001:db8::1>2001:db8::2 ip#59 0/0")
case("ip6-atomic-fragment", ETHER, E / I6 / IPv6ExtHdrFragment(offset=0, m=0) / T, f"{MAC} {T6}")
case("ip6-hop-limit-0", ETHER, E / IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=0) / T, f"{MAC} {T6} ttl_expired")
case("ip4-cut", ETHER, bytes(E / I4 / T)[:40], f"{MAC} 10.0.0.1:40000>10.0.0.2:443 tcp 0/5 - truncated", cut=19)
case("ip4-cut-ports", ETHER, bytes(E / I4 / T)[:36], f"{MAC} 10.0.0.1>10.0.0.2 tcp 0/5 - truncated", cut=23)
case("payload-cut", ETHER, bytes(E / I4 / U)[:46], f"{MAC} 10.0.0.1:1000>10.0.0.2:53 udp 4/10", cut=6)

# ---- transport
case("tcp-syn", ETHER, E / I4 / TCP(sport=40000, dport=443, seq=1, flags="S", window=64240,
                                    options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (11, 0)), ("NOP", None),
                                             ("WScale", 7)]),
     f"{MAC} 10.0.0.1:40000>10.0.0.2:443 tcp 0/0 S seq 1 ack 0 win 64240 mss 1460 wscale 7 sackok ts 11:0")
case("tcp-timestamps", ETHER, E / I4 / TCP(sport=40000, dport=443, seq=1, ack=2, flags="A", window=5,
                                           options=[("NOP", None), ("NOP", None), ("Timestamp", (77, 66))]) / b"xyz",
     f"{MAC} 10.0.0.1:40000>10.0.0.2:443 tcp 3/3 A seq 1 ack 2 win 5 ts 77:66")
case("tcp-sack", ETHER, E / I4 / TCP(sport=40000, dport=443, seq=1, ack=2, flags="A", window=5,
                                     options=[("NOP", None), ("NOP", None), ("SAck", (10, 20, 30, 40))]),
     f"{MAC} 10.0.0.1:40000>10.0.0.2:443 tcp 0/0 A seq 1 ack 2 win 5 sack 10-20 30-40")
case("tcp-flags", ETHER, E / I4 / TCP(sport=1, dport=2, seq=1, ack=2, flags="FRUECN", window=0),
     f"{MAC} 10.0.0.1:1>10.0.0.2:2 tcp 0/0 FRUECN seq 1 ack 2 win 0")
case("tcp-option-zero-length", ETHER, E / I4 / TCP(sport=1, dport=2, seq=1, ack=2, flags="A", window=0, dataofs=6)
     / b"\5\0\0\0", f"{MAC} 10.0.0.1:1>10.0.0.2:2 tcp 0/0 A seq 1 ack 2 win 0 bad_length")
case("tcp-option-beyond", ETHER, E / I4 / TCP(sport=1, dport=2, seq=1, ack=2, flags="A", window=0, dataofs=6)
     / b"\5\x0a\0\0", f"{MAC} 10.0.0.1:1>10.0.0.2:2 tcp 0/0 A seq 1 ack 2 win 0 bad_length")
case("tcp-offset-short", ETHER, E / I4 / TCP(sport=1, dport=2, seq=1, ack=2, flags="A", window=0, dataofs=4),
     f"{MAC} 10.0.0.1:1>10.0.0.2:2 tcp 0/0 A seq 1 ack 2 win 0 bad_length")
case("tcp-offset-long", ETHER, E / I4 / TCP(sport=1, dport=2, seq=1, ack=2, flags="A", window=0, dataofs=15),
     f"{MAC} 10.0.0.1:1>10.0.0.2:2 tcp 0/0 A seq 1 ack 2 win 0 bad_length")
case("tcp-options-cut", ETHER, bytes(E / I4 / TCP(sport=1, dport=2, seq=1, flags="S", window=9,
                                                  options=[("MSS", 1400), ("WScale", 3)]))[:59],
     f"{MAC} 10.0.0.1:1>10.0.0.2:2 tcp 0/0 S seq 1 ack 0 win 9 mss 1400 truncated", cut=3)
case("udp-bad-length", ETHER, E / I4 / UDP(sport=1000, dport=53, len=500) / b"0123456789", f"{MAC} {U4} bad_length")
case("udp-shorter", ETHER, E / I4 / UDP(sport=1000, dport=53, len=12) / b"0123456789",
     f"{MAC} 10.0.0.1:1000>10.0.0.2:53 udp 4/4")
case("udplite", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=136) / be16(1000, 53, 8, 0) / b"lite",
     f"{MAC} 10.0.0.1:1000>10.0.0.2:53 udplite 4/4")
case("sctp", ETHER, E / I4 / SCTP(sport=1000, dport=2905, tag=0) / SCTPChunkInit(),
     f"{MAC} 10.0.0.1:1000>10.0.0.2:2905 sctp 20/20 tag 0 chunk 1")
case("dccp-request", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=33)
     / (be16(1000, 5001) + b"\5\0\0\0" + b"\1\0\0\0" + b"\0\0\0\1" + b"\0\0\0\x2a"),
     f"{MAC} 10.0.0.1:1000>10.0.0.2:5001 dccp 0/0 type 0")
case("icmp-echo", ETHER, E / I4 / ICMP(type=8, id=77, seq=3) / b"ping",
     f"{MAC} 10.0.0.1:77>10.0.0.2:77 icmp 8/8 type 8 code 0 id 77 seq 3")
case("icmp-echo-reply", ETHER, E / I4 / ICMP(type=0, id=77, seq=3) / b"ping",
     f"{MAC} 10.0.0.1:77>10.0.0.2:77 icmp 8/8 type 0 code 0 id 77 seq 3 reply")
case("icmp-unreachable", ETHER, E / IP(src="10.0.0.9", dst="10.0.0.1") / ICMP(type=3, code=3)
     / IP(src="10.0.0.1", dst="10.0.0.2", proto=17) / UDPerror(sport=1000, dport=53),
     f"{MAC} 10.0.0.9>10.0.0.1 icmp 32/32 type 3 code 3", "quote 10.0.0.1:1000>10.0.0.2:53 udp by 0")
case("icmp-unreachable-short", ETHER, E / IP(src="10.0.0.9", dst="10.0.0.1") / ICMP(type=11, code=0)
     / bytes(IP(src="10.0.0.1", dst="10.0.0.2", proto=6)),
     f"{MAC} 10.0.0.9>10.0.0.1 icmp 24/24 type 11 code 0", "quote 10.0.0.1>10.0.0.2 tcp by 0")
case("icmp6-echo", ETHER, E / I6 / ICMPv6EchoRequest(id=5, seq=6),
     f"{MAC} 2001:db8::1:5>2001:db8::2:5 icmp6 4/4 type 128 code 0 id 5 seq 6")
case("icmp6-unreachable", ETHER, E / IPv6(src="2001:db8::9", dst="2001:db8::1") / ICMPv6DestUnreach(code=4)
     / IPerror6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrDestOpt() / UDPerror(sport=1000, dport=53),
     f"{MAC} 2001:db8::9>2001:db8::1 icmp6 60/60 type 1 code 4",
     "quote 2001:db8::1:1000>2001:db8::2:53 udp by 0")
case("esp", ETHER, E / I4 / ESP(spi=0x1234, seq=1) / (b"\x55" * 20), f"{MAC} 10.0.0.1>10.0.0.2 esp 20/20 spi 4660 encrypted")
case("ah", ETHER, E / I4 / AH(nh=6, payloadlen=4, spi=0x77, icv=b"\0" * 12) / T,
     f"{MAC} 10.0.0.1>10.0.0.2 ah 49/49 spi 119", f"ah: {T4}")

# ---- tunnels
case("ipip", ETHER, E / I4 / IN4 / U, f"{MAC} 10.0.0.1>10.0.0.2 ipip 38/38", f"ipip: {IU4}")
case("6in4", ETHER, E / I4 / IN6 / U, f"{MAC} 10.0.0.1>10.0.0.2 ip6ip 58/58", f"ipip: {IU6}")
case("4in6", ETHER, E / I6 / IN4 / U, f"{MAC} 2001:db8::1>2001:db8::2 ipip 38/38", f"ipip: {IU4}")
case("gre", ETHER, E / I4 / GRE() / IN4 / U, f"{MAC} 10.0.0.1>10.0.0.2 gre 42/42", f"gre: {IU4}")
case("gre-key-seq-sum", ETHER, E / I4 / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=99) / IN6 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 74/74", f"gre#99: {IU6}")
case("gre-teb", ETHER, E / I4 / GRE(proto=0x6558) / INNER / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 56/56", f"gre: {INNER_MAC} {IU4}")
case("gre-routing", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / be16(0x4000, 0x800) / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 42/42 bad_header")
case("gre-pptp", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / be16(0x3001, 0x880b, 42, 7, 0, 1)
     / (b"\xff\3\0\x21") / IN4 / U, f"{MAC} 10.0.0.1>10.0.0.2 gre 54/54", f"gre: {IU4}")
case("gre-wccp", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / be16(0, 0x883e, 0, 0) / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 46/46", f"gre: {IU4}")
case("gre-unknown", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / be16(0, 0x9999) / b"what",
     f"{MAC} 10.0.0.1>10.0.0.2 gre 8/8")
case("erspan-1", ETHER, E / I4 / GRE(proto=0x88be) / ERSPAN_I() / INNER / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 56/56", f"erspan: {INNER_MAC} {IU4}")
case("erspan-2", ETHER, E / I4 / GRE(proto=0x88be, seqnum_present=1) / ERSPAN_II(ver=1, session_id=513) / INNER / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 68/68", f"erspan#513: {INNER_MAC} {IU4}")
case("erspan-3", ETHER, E / I4 / GRE(proto=0x22eb, seqnum_present=1) / ERSPAN_III(session_id=3) / INNER / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 gre 72/72", f"erspan#3: {INNER_MAC} {IU4}")
case("vxlan", ETHER, E / I4 / UDP(sport=1000, dport=4789) / VXLAN(vni=42, flags="Instance") / INNER / IN4 / U,
     outer(4789, 60), f"vxlan#42: {INNER_MAC} {IU4}")
case("vxlan-linux-port", ETHER, E / I4 / UDP(sport=1000, dport=8472) / VXLAN(vni=43) / INNER / Dot1Q(vlan=3) / IN4 / U,
     outer(8472, 64), f"vxlan#43: {INNER_MAC} vlan 3 {IU4}")
case("vxlan-not", ETHER, E / I4 / UDP(sport=1000, dport=4789) / (b"\x09not a tunnel at all, sorry....."),
     outer(4789, 32))
case("vxlan-gpe", ETHER, E / I4 / UDP(sport=1000, dport=4790) / (b"\x0c\0\0\1\0\0\x2c\0") / IN4 / U,
     outer(4790, 46), f"vxlan#44: {IU4}")
case("geneve", ETHER, E / I4 / UDP(sport=1000, dport=6081) / GENEVE(vni=45) / INNER / IN4 / U,
     outer(6081, 60), f"geneve#45: {INNER_MAC} {IU4}")
case("geneve-options-ip", ETHER, E / I4 / UDP(sport=1000, dport=6081) / (b"\2\0\x08\0\0\0\x2e\0" + b"\1\2\3\1" + b"opts")
     / IN4 / U, outer(6081, 54), f"geneve#46: {IU4}")
case("geneve-version", ETHER, E / I4 / UDP(sport=1000, dport=6081) / (b"\x40\0\x08\0\0\0\x2e\0") / IN4 / U,
     outer(6081, 46))
case("gtpu", ETHER, E / I4 / UDP(sport=1000, dport=2152) / GTP_U_Header(teid=47) / IN4 / U,
     outer(2152, 46), f"gtpu#47: {IU4}")
case("gtpu-extension", ETHER, E / I4 / UDP(sport=1000, dport=2152)
     / (b"\x34\xff" + be16(8 + 58, 0, 48, 0) + b"\0\x85" + b"\1\0\0\0") / IN6 / U,
     outer(2152, 74), f"gtpu#48: {IU6}")
case("gtpu-echo", ETHER, E / I4 / UDP(sport=1000, dport=2152) / (b"\x32\1\0\4\0\0\0\0\0\0\0\0"), outer(2152, 12))
case("teredo", ETHER, E / I4 / UDP(sport=1000, dport=3544) / IN6 / U, outer(3544, 58), f"teredo: {IU6}")
case("teredo-auth-origin", ETHER, E / I4 / UDP(sport=1000, dport=3544) / (b"\0\1\0\0" + b"\0" * 9 + b"\0\0" + b"\1" * 6)
     / IN6 / U, outer(3544, 79), f"teredo: {IU6}")
case("mpls-in-udp", ETHER, E / I4 / UDP(sport=1000, dport=6635) / MPLS(label=50, s=1) / IN4 / U,
     outer(6635, 42), f"mpls: mpls 50x1 {IU4}")
case("etherip", ETHER, E / IP(src="10.0.0.1", dst="10.0.0.2", proto=97) / b"\x30\0" / INNER / IN4 / U,
     f"{MAC} 10.0.0.1>10.0.0.2 ip#97 54/54", f"etherip: {INNER_MAC} {IU4}")
nested = IN4 / U
for i in range(12):
    nested = IP(src="10.0.0.1", dst="10.0.0.2", id=0) / nested
case("too-deep", RAW, nested, *["ipip: " * (i > 0) + f"10.0.0.1>10.0.0.2 ipip {38 + 20 * (11 - i)}/{38 + 20 * (11 - i)}"
                                + " too_deep" * (i == 7) for i in range(8)])

# ---- fragments
BIG = UDP(sport=1000, dport=53, chksum=1) / (b"f" * 1000)
PARTS = fragment(IP(src="10.0.0.1", dst="10.0.0.2", id=7) / BIG, fragsize=400)
PARTS6 = fragment6(IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment(id=9) / BIG, 456)
F4 = f"{MAC} 10.0.0.1:1000>10.0.0.2:53 udp"
F6 = f"{MAC} 2001:db8::1:1000>2001:db8::2:53 udp"
case("fragments", ETHER, [E / p for p in PARTS], f"{F4} 392/392 fragment", "--", f"{F4} 400/400 fragment,later_fragment",
     "--", f"{F4} 1000/208 fragment,later_fragment,reassembled")
case("fragments-reversed", ETHER, [E / p for p in reversed(PARTS)],
     f"{MAC} 10.0.0.1>10.0.0.2 udp 208/208 fragment,later_fragment,unplaced", "--",
     f"{MAC} 10.0.0.1>10.0.0.2 udp 400/400 fragment,later_fragment,unplaced", "--",
     f"{F4} 1000/392 fragment,reassembled held 2/676")
case("fragments-ip6", ETHER, [E / p for p in PARTS6], f"{F6} 400/400 fragment", "--",
     f"{F6} 408/408 fragment,later_fragment", "--", f"{F6} 1000/192 fragment,later_fragment,reassembled")
overlap = [IP(src="10.0.0.1", dst="10.0.0.2", id=8, proto=17, flags="MF") / bytes(BIG)[:400],
           IP(src="10.0.0.1", dst="10.0.0.2", id=8, proto=17, flags="MF", frag=48) / (b"X" * 400),
           IP(src="10.0.0.1", dst="10.0.0.2", id=8, proto=17, frag=98) / bytes(BIG)[784:]]
case("fragments-overlap", ETHER, [E / p for p in overlap], f"{F4} 392/392 fragment", "--",
     f"{F4} 400/400 fragment,later_fragment,overlap", "--",
     f"{F4} 1000/224 fragment,later_fragment,reassembled,overlap")
case("fragments-duplicate", ETHER, [E / p for p in (PARTS[0], PARTS[0], PARTS[1], PARTS[2])],
     f"{F4} 392/392 fragment", "--", f"{F4} 392/392 fragment", "--", f"{F4} 400/400 fragment,later_fragment", "--",
     f"{F4} 1000/208 fragment,later_fragment,reassembled")
case("fragments-tunnel", ETHER, [E / p for p in fragment(
    IP(src="10.0.0.1", dst="10.0.0.2", id=10) / UDP(sport=1000, dport=4789, chksum=1) / VXLAN(vni=42) / INNER / IN4 / U, 40)],
     f"{MAC} 10.0.0.1:1000>10.0.0.2:4789 udp 32/32 fragment", "--",
     f"{MAC} 10.0.0.1:1000>10.0.0.2:4789 udp 60/28 fragment,later_fragment,reassembled", f"vxlan#42: {INNER_MAC} {IU4}")
case("fragment-past-end", ETHER, [E / PARTS[2], E / IP(src="10.0.0.1", dst="10.0.0.2", id=7, proto=17, frag=200) / b"beyond"],
     f"{MAC} 10.0.0.1>10.0.0.2 udp 208/208 fragment,later_fragment,unplaced", "--",
     f"{MAC} 10.0.0.1>10.0.0.2 udp 6/6 bad_length,fragment,later_fragment,unplaced")


def main():
    corpus = os.path.join(ROOT, "fuzz/corpus/decode")
    os.makedirs(corpus, exist_ok=True)
    lines = []
    for name, link, frames, cut, expected in cases:
        data = be16(link)
        for i, frame in enumerate(frames):
            data += be16(len(frame), cut if i == len(frames) - 1 else 0) + frame
        with open(os.path.join(corpus, name), "wb") as f:
            f.write(data)
        lines += [f"= {name}", *expected]
    with open(os.path.join(ROOT, "unit/data/decode.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


main()
