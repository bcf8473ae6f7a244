#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Both ends across network namespaces and translations, and who can reach a listener: two containers on
a bridge, a host that translates with nftables, a client outside; and two networks with the same addresses.
"""
import contextlib
import json
import shutil
import socket
import subprocess
import sys

from live import (Skip, as_nobody, document, equal, folder, gaps, holds, libc, main, run, shell)

# END: "tcp:listen:ADDR:PORT", "tcp:connect:ADDR:PORT[:SOURCE PORT]", "udp:..." in an order of its own
CHILD = r"""
import socket, sys
kept = []
for end in sys.argv[1:]:
    kind, what, addr, port, *source = end.split("|")
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.append(s)
    if what == "dev":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, addr.encode())
        s.bind(("", int(port)))
        if kind == "tcp":
            s.listen()
    elif what == "bind":
        addr, _, scope = addr.partition("%")
        s.bind((addr, int(port)) + ((0, socket.if_nametoindex(scope)) if scope else ()))
        if kind == "tcp":
            s.listen()
    else:
        s.settimeout(10)
        if source:
            s.bind(("", int(source[0])))
        s.connect((addr, int(port)))
        if kind == "udp":
            s.send(b"x")
print("ready", flush=True)
for s in kept:
    s.settimeout(0.2)
for line in sys.stdin:  # a line: accept and answer what waits, once
    for s in list(kept):
        try:
            if s.type == socket.SOCK_STREAM:
                kept.append(s.accept()[0])
            else:
                s.sendto(b"y", s.recvfrom(10)[1])
        except OSError:
            pass
    print("done", flush=True)
"""

COLUMNS = ("proto,state,local_addr,local_port,remote_addr,remote_port,direction,direction_by,pid,netns_name,netns,"
           "peer_pid,peer_netns,peer_candidates,translation,nat_netns,exposure,exposure_detail")
RULES = """
table ip nat {
    chain pre {
        type nat hook prerouting priority -100
        tcp dport 8080 dnat to 10.9.0.2:80
        ip daddr 192.0.2.1 udp dport 5353 dnat to 10.9.0.3:53
        tcp dport 7000 redirect to :7001
        ip daddr 127.0.0.1 tcp dport 9 dnat to 10.9.0.2:8000
    }
    chain never { tcp dport 4000 dnat to 10.9.0.2:8000; }
    chain post {
        type nat hook postrouting priority 100
        ip saddr 10.9.0.0/24 oif up0 masquerade
        ip daddr 10.9.0.2 tcp dport 80 masquerade
    }
}
"""


class Child:
    """Sockets in a namespace, held by a process of their own."""

    def __init__(self, netns, *ends):
        self.process = subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, "-c", CHILD, *ends],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        if self.process.stdout.readline() != b"ready\n":
            raise AssertionError("%r in %s failed" % (ends, netns))

    def answer(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def children():
    kept = []

    def start(*args):
        kept.append(Child(*args))
        return kept[-1]
    try:
        yield start
    finally:
        for child in reversed(kept):
            child.close()


def make_network():
    shell("""mount -t tmpfs none /run && mkdir /run/netns
        for n in host c1 c2 out; do ip netns add $n; ip -n $n link set lo up; done
        ip -n host link add br0 type bridge; ip -n host addr add 10.9.0.1/24 dev br0; ip -n host link set br0 up
        i=2
        for c in c1 c2; do
            ip link add v$c netns host type veth peer name eth0 netns $c
            ip -n host link set v$c master br0 up
            ip -n $c addr add 10.9.0.$i/24 dev eth0; ip -n $c link set eth0 up
            ip -n $c route add default via 10.9.0.1; i=$((i+1))
        done
        ip link add up0 netns host type veth peer name eth0 netns out
        ip -n host addr add 192.0.2.1/24 dev up0; ip -n host link set up0 up
        ip -n out addr add 192.0.2.2/24 dev eth0; ip -n out link set eth0 up
        ip netns exec host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'""")
    subprocess.run(["ip", "netns", "exec", "host", "nft", "-f", "-"], input=RULES.encode(), check=True)


def listed(*args, **kwargs):
    return document("-N", "all", "-tua", *args, columns=COLUMNS, **kwargs)["conversations"]


def one(rows, **what):
    found = [row for row in rows if all(row[key] == value for key, value in what.items())]
    if len(found) != 1:
        raise AssertionError("%d rows are %r, not one" % (len(found), what))
    return found[0]


def translation(row):
    return tuple(row["nat_" + key] for key in ("local_addr", "local_port", "remote_addr", "remote_port"))


def are_ends(a, b, client, server):
    equal((a["pid"], a["peer_pid"], a["peer_netns"]), (client.pid, server.pid, b["netns"]), "peer of the client")
    equal((b["pid"], b["peer_pid"], b["peer_netns"]), (server.pid, client.pid, a["netns"]), "peer of the server")
    equal((a["peer_candidates"], b["peer_candidates"]), (None, None), "candidates")


def test_bridge():
    """Two containers on one bridge: no address is translated."""
    with children() as start:
        server = start("c1", "tcp|bind|0.0.0.0|8000")
        client = start("c2", "tcp|connect|10.9.0.2|8000")
        server.answer()
        rows = listed()
        a = one(rows, netns_name="c2", remote_port=8000)
        b = one(rows, netns_name="c1", local_port=8000, state="ESTABLISHED")
        are_ends(a, b, client, server)
        equal(translation(a), (None,) * 4, "translation")
        equal((a["direction"], a["direction_by"]), ("outgoing", "peer_listener"), "direction of the client")
        pairs = [row for row in listed("--pairs") if 8000 in (row["local_port"], row["remote_port"])]
        equal(sorted(row["netns_name"] for row in pairs), ["c1", "c2"], "one row for both, and the listener")


def test_published():
    """From outside to a published port: client, translation and server are one row."""
    with children() as start:
        server = start("c1", "tcp|bind|0.0.0.0|80")
        client = start("out", "tcp|connect|192.0.2.1|8080")
        server.answer()
        rows = listed()
        a = one(rows, netns_name="out", remote_port=8080, pid=client.pid)
        b = one(rows, netns_name="c1", local_port=80, state="ESTABLISHED")
        are_ends(a, b, client, server)
        equal(translation(a), (b["remote_addr"], b["remote_port"], "10.9.0.2", 80), "what the server sees")
        equal(translation(b), (a["remote_addr"], 8080, "192.0.2.2", a["local_port"]), "what the client sees")
        equal(a["nat_netns"], b["nat_netns"], "where it is translated")
        equal((a["direction"], b["direction"]), ("outgoing", "incoming"), "directions")
        table = run("list", "-N", "all", "-tn", "--pairs", "dport 8080 and pid", client.pid).stdout.decode()
        row = [line for line in table.splitlines() if "8080" in line]
        equal(len(row), 1, "rows of the pair")
        for part in ("out", "192.0.2.1:8080", "10.9.0.1:%d -> 10.9.0.2:80" % b["remote_port"],
                     "(%d) in c1" % server.pid, "(%d)" % client.pid):
            holds(part in row[0], "%r is not in %r" % (part, row[0]))


def test_masquerade():
    with children() as start:
        server = start("out", "tcp|bind|192.0.2.2|443")
        client = start("c2", "tcp|connect|192.0.2.2|443")
        server.answer()
        rows = listed()
        a = one(rows, netns_name="c2", remote_port=443)
        b = one(rows, netns_name="out", local_port=443, state="ESTABLISHED")
        are_ends(a, b, client, server)
        equal(translation(a), ("192.0.2.1", b["remote_port"], "192.0.2.2", 443), "what the server sees")
        # a list of one namespace has the ends that are in it, and reads no other
        rows = document("-N", "c2", "-t", "--pairs", columns=COLUMNS)["conversations"]
        a = one(rows, remote_port=443)
        equal((a["peer_pid"], translation(a)), (None, (None,) * 4), "seen from the container alone")


def test_udp():
    """The other end of a connected socket is the unconnected one that its datagrams reach."""
    with children() as start:
        server = start("c2", "udp|bind|0.0.0.0|53")
        client = start("out", "udp|connect|192.0.2.1|5353")
        server.answer()
        rows = listed()
        a = one(rows, netns_name="out", remote_port=5353)
        equal((a["pid"], a["peer_pid"]), (client.pid, server.pid), "peer of the client")
        equal(translation(a), ("192.0.2.2", a["local_port"], "10.9.0.3", 53), "what the server sees")
        b = one(rows, netns_name="c2", local_port=53)
        equal((b["peer_pid"], b["exposure"]), (None, "published"), "a server has many")


def test_exposure():
    with children() as start:
        start("c1", "tcp|bind|0.0.0.0|80", "tcp|bind|0.0.0.0|8000", "tcp|bind|127.0.0.1|5000",
              "tcp|bind|10.9.0.2|5001", "udp|bind|224.0.0.251|5353")
        start("c2", "udp|bind|10.9.0.3|53", "tcp|bind|0.0.0.0|80")
        start("host", "tcp|bind|0.0.0.0|7001", "tcp|bind|::1|7001")
        # a tunnel leads out of this host, whatever the addresses of the others
        shell("ip -n out link add vx0 type vxlan id 5 dstport 4789; ip -n out addr add 10.7.0.1/24 dev vx0; "
              "ip -n out link set vx0 up; "
              "ip -n out addr add fe80::7/64 dev vx0 nodad")
        start("out", "tcp|bind|0.0.0.0|81", "tcp|bind|10.7.0.1|82", "tcp|bind|192.0.2.2|83", "tcp|bind|::|84",
              "tcp|dev|vx0|85", "udp|dev|eth0|86", "tcp|dev|lo|87", "udp|bind|ff02::fb%vx0|5353", "tcp|bind|fe80::7%vx0|88",
              "udp|bind|224.0.0.252|5355", "tcp|bind|::1|89")
        names = ("c1", "c2", "host", "out")
        rows = [row for row in listed() if row["exposure"] and row["netns_name"] in names]
        words = {(row["netns_name"], row["proto"], row["local_addr"], row["local_port"]): row["exposure"]
                 for row in rows}
        equal(words, {
            ("c1", "tcp", "0.0.0.0", 80): "published",
            ("c1", "tcp", "0.0.0.0", 8000): "container",
            ("c1", "tcp", "127.0.0.1", 5000): "loopback",
            ("c1", "tcp", "10.9.0.2", 5001): "container",
            ("c1", "udp", "224.0.0.251", 5353): "multicast",
            ("c2", "udp", "10.9.0.3", 53): "published",
            ("c2", "tcp", "0.0.0.0", 80): "container",
            ("host", "tcp", "0.0.0.0", 7001): "published",
            ("host", "tcp", "::1", 7001): "loopback",
            ("out", "tcp", "0.0.0.0", 81): "any",
            ("out", "tcp", "10.7.0.1", 82): "interface",
            ("out", "tcp", "192.0.2.2", 83): "container",
            ("out", "tcp", "::", 84): "any",
            ("out", "tcp", "0.0.0.0", 85): "interface",
            ("out", "udp", "0.0.0.0", 86): "container",
            ("out", "tcp", "0.0.0.0", 87): "loopback",
            ("out", "udp", "ff02::fb", 5353): "multicast",
            ("out", "tcp", "fe80::7", 88): "interface",
            ("out", "udp", "224.0.0.252", 5355): "multicast",
            ("out", "tcp", "::1", 89): "loopback",
            ("out", "udp", "0.0.0.0", 4789): "any",
        }, "exposure")
        row = one(rows, netns_name="c2", local_port=53)
        equal([row["published_" + key] for key in ("addr", "port", "by", "table", "chain")],
              ["192.0.2.1", 5353, "dnat", "nat", "pre"], "publication")
        text = run("list", "-N", "all", "-ln", "--columns=exposure_detail", "exposure published and sport 53").stdout
        equal(text.decode().splitlines()[1],
              "published as 192.0.2.1:5353 by a DNAT rule in table ip nat, chain pre of host", "in words")
        equal({row["local_port"] for row in listed("exposure", "loopback") if row["netns_name"] in names},
              {5000, 7001, 87, 89}, "the filter")
        # without the host nothing tells of its rules
        shell("ip -n out link del vx0")
        alone = document("-N", "c2", "-tl", columns=COLUMNS)["conversations"]
        equal(one(alone, local_port=80)["exposure"], "container", "seen from the container alone")


def test_iptables():
    """Rules that iptables-nft makes hold matches and targets of x_tables."""
    if not shutil.which("iptables-nft"):
        raise Skip("there is no iptables-nft")
    shell("""x='ip netns exec host iptables-nft -t nat'; $x -N DOCKER
        $x -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
        $x -A DOCKER ! -i br0 -p tcp -m tcp --dport 6000 -j DNAT --to-destination 10.9.0.2:6001""")
    try:
        with children() as start:
            start("c1", "tcp|bind|0.0.0.0|6001")
            row = one(listed(), local_port=6001)
            equal([row["exposure"], row["published_port"], row["published_table"], row["published_chain"]],
                  ["published", 6000, "nat", "DOCKER"], "exposure")
    finally:
        shell("ip netns exec host nft delete table ip nat")
        subprocess.run(["ip", "netns", "exec", "host", "nft", "-f", "-"], input=RULES.encode(), check=True)


def test_legacy_iptables():
    """The old kind of iptables, whose tables the kernel hands out by themselves."""
    if not shutil.which("iptables-legacy"):
        raise Skip("there is no iptables-legacy")
    try:
        shell("""x='ip netns exec host iptables-legacy -t nat'; $x -N DOCKER
            $x -A PREROUTING -d 192.0.2.1/32 -m addrtype --dst-type LOCAL -j DOCKER
            $x -A DOCKER ! -i br0 -p tcp -m tcp --dport 6600 -j DNAT --to-destination 10.9.0.2:6601
            $x -A PREROUTING -p udp --dport 6610:6612 -j DNAT --to-destination 10.9.0.3
            $x -A PREROUTING -p tcp ! --dport 6620 -j REDIRECT --to-ports 6621
            $x -A OUTPUT -p tcp --dport 6630 -j DNAT --to-destination 10.9.0.2:6631
            ip netns exec host ip6tables-legacy -t nat -A PREROUTING -p tcp -d 2001:db8::1 --dport 6640 \
                -j DNAT --to-destination [2001:db8::2]:6641""")
        with children() as start, folder() as path:
            start("c1", *["tcp|bind|%s" % end for end in ("0.0.0.0|6601", "0.0.0.0|6631", "::|6641")])
            start("c2", "udp|bind|0.0.0.0|6611", "udp|bind|0.0.0.0|6613")
            start("host", "tcp|bind|0.0.0.0|6621")
            wanted = {6601: ("published", "192.0.2.1", 6600, "DOCKER"), 6631: ("container", None, None, None),
                      6641: ("container", None, None, None), 6611: ("published", None, 6611, "PREROUTING"),
                      6613: ("container", None, None, None), 6621: ("published", None, None, "PREROUTING")}
            shell("ip -n c1 addr add 2001:db8::2/64 dev eth0 nodad; ip -n host addr add 2001:db8::1/64 dev br0 nodad")
            wanted[6641] = ("published", "2001:db8::1", 6640, "PREROUTING")
            for args in ([], ["--record", path + "/r"], ["--replay", path + "/r"]):
                doc = document("-N", "all", "-tul", *args, columns=COLUMNS)
                rows = [row for row in doc["conversations"] if row["local_port"] in wanted]
                equal({row["local_port"]: (row["exposure"], row["published_addr"], row["published_port"],
                                           row["published_chain"]) for row in rows}, wanted, "exposure %r" % args)
                equal({row["published_table"] for row in rows}, {"nat-legacy", None}, "table")
                equal(gaps(doc).get("rules"), None, "every rule was read")
    finally:
        shell("""for t in iptables ip6tables; do
            ip netns exec host $t-legacy -t nat -F; ip netns exec host $t-legacy -t nat -X; done
            ip -n c1 addr del 2001:db8::2/64 dev eth0; ip -n host addr del 2001:db8::1/64 dev br0""")


MAPS = """
table ip services {
    map published { type inet_service : ipv4_addr . inet_service; elements = { 6100 : 10.9.0.2 . 6001, 6101 : 10.9.0.2 . 6002 } }
    map verdicts { type ipv4_addr . inet_proto . inet_service : verdict
        elements = { 192.0.2.1 . tcp . 6200 : goto service-a, 192.0.2.1 . udp . 6200 : goto service-a,
                     %s } }
    map ranges { type inet_service : ipv4_addr; flags interval; elements = { 6300-6310 : 10.9.0.2, 6311-6320 : 10.9.0.3 } }
    set blocked { type ipv4_addr; elements = { 203.0.113.9 } }
    chain service-a { numgen random mod 1 vmap { 0 : goto endpoint-a }; }
    chain endpoint-a { meta l4proto tcp dnat to 10.9.0.2:6003; }
    chain pre {
        type nat hook prerouting priority -100
        ip saddr @blocked return
        meta l4proto tcp dnat ip to tcp dport map @published
        ip daddr . meta l4proto . th dport vmap @verdicts
        udp dport { 6400, 6402 } dnat to 10.9.0.3
        dnat to tcp dport map { 6500 : 10.9.0.2, 6501 : 10.9.0.3 }
        meta l4proto tcp dnat to tcp dport map @ranges
    }
}
""" % ", ".join("192.0.2.1 . tcp . %d : goto service-a" % port for port in range(6201, 6211))


def test_maps():
    """Rules that look in sets and maps: docker's and kube-proxy's own ways."""
    subprocess.run(["ip", "netns", "exec", "host", "nft", "-f", "-"], input=MAPS.encode(), check=True)
    try:
        with children() as start, folder() as path:
            start("c1", *["tcp|bind|0.0.0.0|%d" % port for port in (6001, 6002, 6003, 6004, 6305, 6311, 6500, 6501)])
            start("c2", *["udp|bind|0.0.0.0|%d" % port for port in (6400, 6401)], *["tcp|bind|0.0.0.0|%d" % port for port in (6305, 6311, 6321, 6501)])
            wanted = {("c1", 6001): ("published", 6100, "pre"), ("c1", 6002): ("published", 6101, "pre"),
                      ("c1", 6003): ("published", 6200, "endpoint-a"), ("c1", 6004): ("container", None, None),
                      ("c1", 6305): ("published", 6305, "pre"), ("c1", 6311): ("container", None, None),
                      ("c1", 6500): ("published", 6500, "pre"), ("c1", 6501): ("container", None, None),
                      ("c2", 6400): ("published", 6400, "pre"), ("c2", 6401): ("container", None, None),
                      ("c2", 6305): ("container", None, None), ("c2", 6311): ("published", 6311, "pre"),
                      ("c2", 6321): ("container", None, None), ("c2", 6501): ("published", 6501, "pre")}
            record = path + "/r"
            for args in ([], ["--record", record], ["--replay", record]):
                doc = document("-N", "all", "-tul", *args, columns=COLUMNS)
                found = {(row["netns_name"], row["local_port"]): (row["exposure"], row["published_port"],
                         row["published_chain"]) for row in doc["conversations"] if row["local_port"] in range(6000, 7000)}
                equal(found, wanted, "exposure %r" % args)
                equal(gaps(doc).get("rules"), None, "every rule was read")
            equal(one(doc["conversations"], netns_name="c1", local_port=6003)["published_addr"], "192.0.2.1", "lowest way")
            text = run("list", "-N", "all", "-ln", "--columns=exposure_detail", "sport 6003").stdout.decode()
            holds("published as 192.0.2.1:6200 by" in text and "and 10 other ways" in text, text)
    finally:
        shell("ip netns exec host nft delete table ip services")


PORT_RULES = """
table ip ports {
    chain later { tcp dport 7130 return; tcp dport 7130-7131 dnat to 10.9.0.2; }
    chain pre {
        type nat hook prerouting priority -100
        tcp dport { 7140, 7141 } accept
        ip daddr 192.0.2.0/24 tcp dport 7142 drop
        tcp dport vmap { 7143 : return }
        iif lo tcp dport 7144 accept
        ip daddr 192.0.2.1 tcp dport 7140-7144 dnat to 10.9.0.2
        ip daddr 192.0.2.1 tcp dport 7144-7145 dnat to 10.9.0.3
        jump later
        tcp dport != 7101 tcp dport 7100-7102 dnat to 10.9.0.2
        tcp dport != 7110-7112 tcp dport >= 7109 tcp dport < 7115 dnat to 10.9.0.2
        tcp dport != { 7120, 7121 } ip daddr 192.0.2.9 dnat to 10.9.0.3
    }
}
"""


def exposures(ports, *args):
    doc = document("-N", "all", "-tl", *args, columns=COLUMNS)
    return {row["local_port"]: (row["exposure"], row["published_port"])
            for row in doc["conversations"] if row["local_port"] in ports}


def test_ports_of_nft():
    """Ports that a rule excludes are not published, and of conditions that are not understood nothing is claimed."""
    subprocess.run(["ip", "netns", "exec", "host", "nft", "-f", "-"], input=PORT_RULES.encode(), check=True)
    try:
        with children() as start:
            led, perhaps = (7100, 7102, 7109, 7113, 7114, 7131, 7144), (7120, 7122)
            not_led = (7101, 7110, 7112, 7115, 7130, 7140, 7141, 7142, 7143)
            start("c1", *["tcp|bind|0.0.0.0|%d" % port for port in led + not_led])
            start("c2", *["tcp|bind|0.0.0.0|%d" % port for port in perhaps])
            wanted = {port: ("published", port) for port in led}
            wanted.update({port: ("container", None) for port in not_led})
            wanted.update({port: ("container", port) for port in perhaps})
            equal(exposures(wanted), wanted, "exposure")
            text = run("list", "-N", "all", "-ln", "--columns=exposure_detail", "sport 7122").stdout.decode()
            holds("perhaps published as 192.0.2.9:7122" in text and "ports are not understood" in text, text)
    finally:
        shell("ip netns exec host nft delete table ip ports")


PORTS_BY_IPTABLES = """x='ip netns exec host iptables-%s -t nat'; $x -N PORTS; $x -A PREROUTING -d 192.0.2.1/32 -j PORTS
    $x -A PORTS -p tcp -m multiport --dports 7200,7202:7204,7206 -j DNAT --to-destination 10.9.0.2
    $x -A PORTS -p tcp --dport 7210:7212 -m multiport ! --dports 7210,7213 -j DNAT --to-destination 10.9.0.2
    $x -A PORTS -p tcp -m tcp --dport 7220:7222 -m tcp ! --dport 7221 -j DNAT --to-destination 10.9.0.2
    $x -A PORTS -p tcp -m multiport --sports 1:1024 -m conntrack --ctorigdstport 7230 -j DNAT --to-destination 10.9.0.3
    $x -A PORTS -p tcp -m multiport --dports 7240,7241 -j DNAT --to-destination 10.9.0.2:7242
    $x -A PORTS -p tcp -m multiport --dports 7250,7252,7254 -j REDIRECT --to-ports 7250"""


def test_ports_of_iptables():
    """The same of x_tables: lists of ports, and inverted ones."""
    for kind in ("nft", "legacy"):
        if not shutil.which("iptables-" + kind):
            raise Skip("there is no iptables-" + kind)
        try:
            shell(PORTS_BY_IPTABLES % kind)
            with children() as start:
                led, not_led = (7200, 7202, 7204, 7206, 7211, 7212, 7220, 7222), (22, 7201, 7205, 7207, 7210, 7213, 7221, 7223)
                start("c1", *["tcp|bind|0.0.0.0|%d" % port for port in led + not_led + (7242,)])
                start("c2", "tcp|bind|0.0.0.0|7231")
                start("host", "tcp|bind|0.0.0.0|7250")
                wanted = {port: ("published", port) for port in led}
                wanted.update({port: ("container", None) for port in not_led})
                wanted.update({7242: ("published", 7240), 7231: ("container", 7231), 7250: ("published", 7252)})
                equal(exposures(wanted), wanted, "exposure by iptables-" + kind)
                text = run("list", "-N", "all", "-tlnH", "--columns=local_port,exposure_detail", "sport = 7250").stdout.decode()
                holds("and 1 other way" in text, "another port beside its own: " + text)
        finally:
            shell("x='ip netns exec host iptables-%s -t nat'; $x -D PREROUTING 1; $x -F PORTS; $x -X PORTS" % kind)


def big_map(n):
    """A map of verdicts of which the last one alone leads somewhere."""
    dull = ", ".join("10.%d.%d.%d . tcp . 80 : continue" % (50 + i // 65536, i // 256 % 256, i % 256) for i in range(n - 1))
    return """
table ip big {
    map verdicts { type ipv4_addr . inet_proto . inet_service : verdict
        elements = { %s, 192.0.2.1 . tcp . 6700 : goto ep } }
    chain ep { meta l4proto tcp dnat to 10.9.0.2:6701; }
    chain pre { type nat hook prerouting priority -100; ip daddr . meta l4proto . th dport vmap @verdicts; }
}
""" % dull


def test_big_map():
    """A map of any size is read, or the coverage says that it was not."""
    for n, wanted in ((5000, (None, "published")), (66000, (1, "container"))):
        subprocess.run(["ip", "netns", "exec", "host", "nft", "-f", "-"], input=big_map(n).encode(), check=True)
        try:
            with children() as start, folder() as path:
                start("c1", "tcp|bind|0.0.0.0|6701")
                for args in ([], ["--record", path + "/r"], ["--replay", path + "/r"]):
                    doc = document("-N", "all", "-tl", *args, columns=COLUMNS)
                    equal((gaps(doc).get("rules"), one(doc["conversations"], local_port=6701)["exposure"]), wanted,
                          "%d elements %r" % (n, args))
        finally:
            shell("ip netns exec host nft delete table ip big")


def test_conntrack_shows():
    """Where no rule is left, a conversation that was translated still shows how it came in."""
    with children() as start:
        server = start("c1", "tcp|bind|0.0.0.0|80")
        start("out", "tcp|connect|192.0.2.1|8080")
        server.answer()
        shell("ip netns exec host nft flush chain ip nat pre")
        try:
            row = one(listed(), netns_name="c1", local_port=80, state="LISTEN")
        finally:
            shell("ip netns exec host nft delete table ip nat")
            subprocess.run(["ip", "netns", "exec", "host", "nft", "-f", "-"], input=RULES.encode(), check=True)
        equal([row["exposure"], row["published_by"], row["published_addr"], row["published_port"]],
              ["published", "conntrack", "192.0.2.1", 8080], "exposure")


def test_same_addresses():
    """Two networks hold the same addresses: the wires tell them apart, and where they do not nothing does."""
    shell("""ip netns add x
        for n in a b; do
            ip -n x link add br$n type bridge; ip -n x link set br$n up
            for k in 1 2; do
                ip netns add $n$k; ip -n $n$k link set lo up
                ip link add v$n$k netns x type veth peer name eth0 netns $n$k
                ip -n x link set v$n$k master br$n up
                ip -n $n$k addr add 10.1.0.$k/24 dev eth0; ip -n $n$k link set eth0 up
            done
        done""")
    try:
        with children() as start:
            ends = {}
            for n in "ab":
                ends[n + "1"] = start(n + "1", "tcp|bind|10.1.0.1|80")
                ends[n + "2"] = start(n + "2", "tcp|connect|10.1.0.1|80|40000")
                ends[n + "1"].answer()
            rows = [row for row in listed() if row["state"] == "ESTABLISHED"]
            for n in "ab":
                are_ends(one(rows, netns_name=n + "2"), one(rows, netns_name=n + "1"), ends[n + "2"], ends[n + "1"])
            shell("ip -n x link add j1 type veth peer name j2; ip -n x link set j1 master bra up; "
                  "ip -n x link set j2 master brb up")
            rows = [row for row in listed() if row["state"] == "ESTABLISHED"]
            equal(sorted((row["netns_name"], row["peer_pid"], row["peer_candidates"]) for row in rows),
                  [(n, None, 2) for n in ("a1", "a2", "b1", "b2")], "on one wire")
            text = run("list", "-N", "all", "-tn", "--pairs", "dport", "80").stdout.decode()
            equal(text.count("(one of 2)"), 2, "said in the table")
    finally:
        shell("for n in x a1 a2 b1 b2; do ip netns del $n; done")


TWINS = """
    for n in f g h i; do ip netns add $n; ip -n $n link set lo up; done
    for ends in f,g h,i; do
        a=${ends%,*} b=${ends#*,}
        ip -n $a link add eth0 type veth peer name eth0 netns $b
        ip -n $a addr add 10.2.0.1/24 dev eth0; ip -n $a link set eth0 up
        ip -n $b addr add 10.2.0.2/24 dev eth0; ip -n $b link set eth0 up
    done"""


@contextlib.contextmanager
def twins():
    """Two wires, f to g and h to i, alike in everything."""
    try:
        shell(TWINS)
        with children() as start:
            ends = {}
            for client, server in ("fg", "hi"):
                ends[server] = start(server, "tcp|bind|10.2.0.2|90")
                ends[client] = start(client, "tcp|connect|10.2.0.2|90|40000")
                ends[server].answer()
            yield ends
    finally:
        shell("for n in f g h i; do ip netns del $n; done")


def ends_of(names, *args):
    rows = document("-N", names, "-t", *args, columns=COLUMNS)["conversations"]
    return {row["netns_name"]: (row["peer_pid"], row["peer_candidates"]) for row in rows
            if 90 in (row["local_port"], row["remote_port"])}


def test_twins():
    """Wires that no number tells apart: the kernel does, also where only some ends are listed."""
    with twins() as ends, folder() as path:
        whole = {n: (ends[peer].pid, None) for n, peer in ("fg", "gf", "hi", "ih")}
        equal(ends_of("all"), whole, "all")
        equal(ends_of("f,g"), {n: whole[n] for n in "fg"}, "the two ends")
        equal(ends_of("f,i"), {n: (None, None) for n in "fi"}, "ends of different wires")
        equal(ends_of("f,i,h"), {"f": (None, None), "h": whole["h"], "i": whole["i"]}, "one is left out")
        text = run("list", "-N", "f,i", "-tn", "--pairs", "dport", "=", ":90").stdout.decode()
        equal([str(end.pid) in text for end in (ends["f"], ends["i"])], [True, False], "in the table")
        for names in ("all", "f,i"):
            record = path + "/" + names
            live = ends_of(names, "--record", record)
            equal(ends_of(names, "--replay", record), live, "replayed")
            equal(ends_of("f,i", "--replay", record), {n: (None, None) for n in "fi"}, "replayed in part")
        # what lies between them is looked at, too
        shell("ip -n g link add br0 type bridge; ip -n g link set eth0 master br0; ip -n g link set br0 up")
        shell("ip -n g link add v0 type veth peer name v0 netns h; ip -n g link set v0 master br0 up; "
              "ip -n h link set v0 up; ip -n h link add br0 type bridge; ip -n h link set eth0 master br0; "
              "ip -n h link set v0 master br0; ip -n h link set br0 up")
        equal(ends_of("f,i"), {"f": (ends["i"].pid, None), "i": (ends["f"].pid, None)}, "bridged by others")


def test_twins_published():
    """Of two alike, the one behind the wire of the rule is published, whatever else is asked for."""
    try:
        shell(TWINS + "\nip netns exec f nft 'add table ip t; "
              "add chain ip t pre { type nat hook prerouting priority -100; }; "
              "add rule ip t pre tcp dport 8080 dnat to 10.2.0.2:80'")
        with children() as start:
            for n in "gi":
                start(n, "tcp|bind|0.0.0.0|80")
            for more in ("", ",peer"):
                rows = document("-N", "f,g,h,i", "-ltn", columns="netns_name,local_port,exposure" + more)["conversations"]
                equal({row["netns_name"]: row["exposure"] for row in rows if row["local_port"] == 80},
                      {"g": "published", "i": "container"}, "exposure%s" % more)
    finally:
        shell("for n in f g h i; do ip netns del $n; done")


@contextlib.contextmanager
def inside(netns):
    """This process's own thread, for making sockets that outlive the name."""
    with open("/proc/self/ns/net") as home, open("/run/netns/" + netns) as there:
        holds(libc.setns(there.fileno(), 0) == 0, "setns")
        try:
            yield
        finally:
            libc.setns(home.fileno(), 0)


def test_unseen():
    """The far ends lie where nothing but sockets leads: what fits is counted, and not named."""
    made = []
    try:
        shell(TWINS)
        for client, server in ("fg", "hi"):
            with inside(server):
                made.append(socket.create_server(("10.2.0.2", 90)))
            with inside(client):
                made.append(socket.socket())
            made[-1].bind(("10.2.0.1", 40000))
            made[-1].connect(("10.2.0.2", 90))
            made.append(made[-2].accept()[0])
        shell("ip netns del g; ip netns del h")
        equal(ends_of("f,i", "-n", "state", "established"), {"f": (None, 1), "i": (None, 1)}, "ends of different wires")
    finally:
        for s in made:
            s.close()
        shell("for n in f i; do ip netns del $n; done")


def explained(row):
    """The facts of one socket, by id."""
    found = json.loads(run("explain", "-N", "all", "--as=inode", "--json", row["inode"]).stdout)
    return {fact["id"]: fact["values"] for section in found["sections"] for fact in section["facts"]}


def test_explain():
    with children() as start:
        server = start("c1", "tcp|bind|0.0.0.0|80")
        client = start("out", "tcp|connect|192.0.2.1|8080")
        server.answer()
        rows = document("-N", "all", "-ta", columns=COLUMNS + ",inode")["conversations"]
        facts = explained(one(rows, netns_name="c1", local_port=80, state="LISTEN"))
        equal(facts["published_dnat"], {"endpoint": "*:8080", "family": "ip", "table": "nat", "chain": "pre"}, "rule")
        equal(facts["published_netns"], {"netns": "host"}, "where the rule is")
        a = one(rows, netns_name="out", remote_port=8080, pid=client.pid)
        facts = explained(a)
        equal(facts["translated"], {"seen": "10.9.0.1:%d" % a["nat_local_port"], "meant": "10.9.0.2:80"}, "translation")
        equal(facts["translated_netns"], {"netns": "host"}, "where it is translated")
        equal((facts["peer_held_netns"]["netns"], facts["peer_held_netns"]["process"]["pid"]), ("c1", server.pid), "peer")
        holds("opened_here_peer_listener" in facts, "who opened it: %r" % sorted(facts))
        text = run("explain", "-N", "all", "--as=pid", client.pid, env={"LC_ALL": "C.UTF-8", "LANGUAGE": ""}).stdout
        holds(b"8080" in text, "the client's socket")


def test_replay():
    with children() as start, folder() as path:
        server = start("c1", "tcp|bind|0.0.0.0|80")
        start("out", "tcp|connect|192.0.2.1|8080")
        server.answer()
        args = ("list", "-N", "all", "-tua", "--json", "--pairs", "--columns", COLUMNS)
        live = json.loads(run(*args, "--record", path + "/r").stdout)
        again = json.loads(run(*args, "--replay", path + "/r").stdout)
        holds(any(row["nat_remote_addr"] for row in live["conversations"]), "nothing is translated")
        holds(any(row["exposure"] == "published" for row in live["conversations"]), "nothing is published")
        equal(again["conversations"], live["conversations"], "what the recording says")


def test_unprivileged():
    """What may not be read is a gap, for those who asked for it; nothing is tracked anew by asking."""
    with children() as start:
        server = start("c1", "tcp|bind|0.0.0.0|80")
        start("out", "tcp|connect|192.0.2.1|8080")
        server.answer()
        inside = ("ip", "netns", "exec", "host", *as_nobody())
        found = gaps(document("-t", "--pairs", prefix=inside))
        equal(found.get("nat"), 1, "translations that may not be read")
        equal(gaps(document("-t", prefix=inside)).get("nat"), None, "not asked for")
        equal(gaps(document("-tl", columns="exposure", prefix=inside)).get("rules"), 1, "rules")
    shell("ip netns add fresh; ip -n fresh link set lo up")
    inside = ("ip", "netns", "exec", "fresh")
    equal(gaps(document("-tu", "--pairs", columns=COLUMNS, prefix=inside)).get("nat"), None, "nothing is tracked")
    count = subprocess.run([*inside, sys.executable, "-c", "import socket\n"
                            "s = socket.socket(2, 2); s.sendto(b'x', ('127.0.0.1', 9))\n"
                            "print(open('/proc/sys/net/netfilter/nf_conntrack_count').read())"],
                           stdout=subprocess.PIPE, check=True).stdout
    equal(int(count), 0, "flows tracked after a list")
    shell("ip netns del fresh")


def prepare():
    if not shutil.which("nft"):
        print("skipped: there is no nft")
        sys.exit(77)


if __name__ == "__main__":
    prepare()
    tests = dict(globals())
    network = [False]

    def with_network(test):
        def call():
            if not network[0]:
                make_network()
                network[0] = True
            test()
        return call
    main({name: with_network(test) if name.startswith("test_") else test for name, test in tests.items()}, pid=True)
