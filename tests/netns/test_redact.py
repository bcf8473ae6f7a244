#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--redact: nothing of a host is left in what is written, and what is left still pairs and compares."""
import contextlib
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import live
from live import equal, holds

SECRET_USER, SECRET_UID = "alicia-secret", 4711
ADDRESSES = ["203.0.113.77", "203.0.113.78", "198.51.100.9", "2001:db8:77::5", "2001:db8:77::6"]
FAR = "203.0.113.80"
MACS = ["00:16:3e:5e:c4:e7", "00:50:56:5e:c4:e8"]  # of two vendors
WORDS = [SECRET_USER, "bobby@acme", "10.20.30.40", "preload-secret", "customer-name", "hunter2-secret", "abstract-secret", "program-secret", "dev-secret", "table_secret", "chain_secret"]
HOLD = """
import ctypes, os, socket, sys
listening = socket.create_server(("203.0.113.77", 8443))
six = socket.socket(socket.AF_INET6)
six.bind(("2001:db8:77::5", 8444)); six.listen()
a = socket.create_connection(("203.0.113.77", 8443), source_address=("203.0.113.78", 0))
b = listening.accept()
c = socket.socket(socket.AF_INET6); c.bind(("2001:db8:77::6", 0)); c.connect(("2001:db8:77::5", 8444))
d = six.accept()
dual = socket.socket(socket.AF_INET6); dual.connect(("::ffff:203.0.113.77", 8443))
e = listening.accept()
u = socket.socket(socket.AF_UNIX); u.bind(sys.argv[2]); u.listen()
v = socket.socket(socket.AF_UNIX); v.bind("\\0abstract-secret"); v.listen()
w = socket.socket(socket.AF_UNIX); w.connect(sys.argv[2])
g = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); g.setsockopt(1, 25, b"dev-secret\\0")
g.bind(("0.0.0.0", 5300))
ctypes.CDLL(None).prctl(15, b"program-secret")
print("ready", flush=True)
sys.stdin.read()
"""


# its title is a path of the system's and more, its name looks like a part of a sentence
TITLED = """
import ctypes, socket, sys
g = socket.create_server(("127.0.0.1", 6379))
ctypes.CDLL(None).prctl(15, b"w(bobby@acme")
print("ready", flush=True)
sys.stdin.read()
"""
TITLE = "/usr/bin/redis-server 10.20.30.40:6379"


class Host:
    """Sockets, a user, a device, arguments and paths with names nobody should see."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "customer-name.sock")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", str(SECRET_UID), "--clear-groups", "--ambient-caps", "+net_raw,+net_admin",
             "--inh-caps", "+net_raw,+net_admin", sys.executable, "-c", HOLD, "--password=hunter2-secret", self.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(self.process.stdout.readline(), b"ready\n", "the host")
        preload = ":".join(os.path.join(folder, "preload-secret", name) for name in ("a.so", "b.so")) + " preload-secret.so"
        self.titled = subprocess.Popen([TITLE, "-c", TITLED], executable="/usr/bin/python3", stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LD_PRELOAD": preload})
        equal(self.titled.stdout.readline(), b"ready\n", "the titled one")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.process, self.titled):
            process.stdin.close()
            process.wait()
            process.stdout.close()


def prepare_wire():
    live.shell("ip link add dev-secret address %s type veth peer name eth9 address %s; ip link set dev-secret up; "
               "ip link set eth9 up" % tuple(MACS))
    for address in ADDRESSES:
        live.shell("ip addr add %s dev dev-secret" % (address + ("/64 nodad" if ":" in address else "/24")))


def prepare():
    prepare_wire()
    # the listener on 8443 is published, to a network, and a rule leads there
    live.shell("nft add table ip table_secret; nft 'add chain ip table_secret chain_secret "
               "{ type nat hook prerouting priority dstnat; }'; "
               "nft add rule ip table_secret chain_secret ip daddr 198.51.100.0/24 tcp dport 9443 dnat to 203.0.113.77:8443")
    users = tempfile.NamedTemporaryFile("w", suffix=".passwd")
    users.write("root:x:0:0::/root:/bin/sh\n%s:x:%d:0::/:/bin/sh\n" % (SECRET_USER, SECRET_UID))
    users.flush()
    live.shell("mount --bind %s /etc/passwd" % users.name)


def key(folder, name, text=b"a key of the test, and long enough"):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


def secrets():
    """Every form in which a name or an address could be left: text, escaped, binary."""
    forms = [w.encode() for w in WORDS]
    for address in ADDRESSES + [FAR]:
        forms += [address.encode(), ipaddress.ip_address(address).packed]
    for mac in MACS:
        forms += [mac.encode(), mac.upper().encode(), mac.replace(":", "-").encode(), bytes.fromhex(mac.replace(":", ""))]
    return forms


def clean(data, what):
    for secret in secrets():
        at = data.find(secret)
        if at >= 0:
            raise AssertionError("%s: %r is in %r" % (what, secret, data[max(0, at - 60):at + 60]))


def tree(folder):
    return {os.path.join(d, f): open(os.path.join(d, f), "rb").read() for d, _, names in os.walk(folder) for f in names}


ALL = ("list", "-a", "-p", "-e", "-n", "--columns=+cmdline,exe,cgroup,path,local,exposure,published_addr,published_table,"
       "published_chain,nat_local_addr,nat_remote_addr")
OUTPUTS = [("list", "-a", "--json", "--columns=all"), ("list", "-aN", "all", "--csv", "--columns=all"), ALL, ALL + ("--json",), ALL + ("--jsonl",), ALL + ("--csv",), ("list", "-s"), ("list", "-s", "--json"),
           ("list", "-a", "--pairs", "--json"), ("list", "-n", "-N", "all", "--json"), ("baseline",), ("audit", "--all", "--no-policy"), ("audit", "--all", "--json", "--no-policy"),
           ("audit", "--all", "--no-policy", "sport", "=", ":6379"), ("explain", "6379"), ("explain", "8443"), ("explain", "--json", "203.0.113.77"), ("explain", "203.0.113.77:8443"),
           ("explain", "2001:db8:77::6"), ("explain", "--json", "@abstract-secret"), ("explain", "program-secret"),
           ("port", "8443"), ("port", "--json", "8444"),
           ("netstat",), ("netstat", "-anpeo"), ("netstat", "-tuanW"), ("netstat", "-ie"), ("netstat", "-ia"), ("netstat", "-g"),
           ("netstat", "-r"), ("netstat", "-6r"), ("netstat", "-rnee"), ("netstat", "--windows", "-abo"), ("netstat", "-s"),
           ("ss",), ("ss", "-anp"), ("ss", "-tuanpeimo", "--tos", "--cgroup"), ("ss", "-xanpe"), ("ss", "-0anpe", "--bpf"),
           ("ss", "-s"), ("ss", "-tanr"), ("ss", "-fnetlink", "-anpe")]


def test_nothing_is_left():
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k = key(folder, "key")
        with Host(folder):
            known = live.run(*ALL, "--json").stdout
            audited = live.run("audit", "--all", "--json", "--no-policy", expect=None).stdout
            for secret in WORDS + ["203.0.113.77", "2001:db8:77::6"]:
                holds(secret.encode() in (audited if secret == "preload-secret" else known), "the host has " + secret)
            for command in OUTPUTS:
                done = live.run(*command, "--redact", k, expect=None)
                clean(done.stdout + done.stderr, " ".join(command))
                holds(len(done.stdout) > 20, "output of " + " ".join(command))
            record = os.path.join(folder, "r")
            live.run("list", "-a", "--redact", k, "--record", record)
            same = live.run(*ALL, "--json", "--redact", k).stdout, live.run(*ALL, "--json", "--replay", record).stdout
            equal(*[[(r["exposure"], r["published_addr"], r["published_table"], r["published_chain"]) for r in
                     json.loads(text)["conversations"] if r["local_port"] == 8443] for text in same], "exposure in the recording")
            holds(b'"published_addr":"' in same[0], "the listener is published")
            raw = os.path.join(folder, "raw")
            live.run("list", "-a", "--record", raw)
            converted = os.path.join(folder, "converted")
            live.run("list", "-a", "--replay", raw, "--redact", k, "--record", converted)
            for name in (record, converted):
                for path, data in tree(name).items():
                    clean(data, path)
                    clean(path[len(folder):].encode(), "name of a file")
            for command in ("list", "ss"):
                dump = os.path.join(folder, command + ".dump")
                live.run(command, "-ta", "-D", dump, "--redact", k)
                with open(dump, "rb") as f:
                    clean(f.read(), command + " -D")
                equal(ends("list", "-tan", "--replay", dump), ends("list", "-tan", "--redact", k), "what the dump holds")
            difference = live.run("diff", "--json", raw, record, "--redact", k, expect=None).stdout
            clean(difference, "diff")


def ends(*args):
    rows = json.loads(live.run(*args, "--json", "--columns=local_addr,local_port,remote_addr,remote_port,state").stdout)
    return sorted(str(sorted(row.items())) for row in rows["conversations"] if row["state"] != "CLOSE")


def conversations(*args):
    return {r["cookie"]: r for r in live.rows("-a", *args, columns="cookie,proto,state,local_addr,local_port,"
                                              "remote_addr,remote_port,peer_pid,owners,direction,user,path,service")}


def test_pairs_and_prefixes():
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k, other = key(folder, "key"), key(folder, "other", b"another key that is long enough")
        with Host(folder):
            plain, hidden = conversations(), conversations("--redact", k)
            again, foreign = conversations("--redact", k), conversations("--redact", other)
        names, strange = {}, {}
        mine = [c for c, r in plain.items() if r["local_addr"] and "dev" not in r["proto"]]
        for cookie in mine:
            for end in ("local_addr", "remote_addr"):
                a, b = live.address(plain[cookie][end]), live.address(hidden[cookie][end])
                equal(a is None, b is None, "an address stays one")
                if a is not None:
                    equal(names.setdefault(a, b), b, "one address, one name")
                    strange[a] = live.address(foreign[cookie][end])
            for same in ("proto", "state", "local_port", "remote_port", "peer_pid", "direction", "service"):
                equal(hidden[cookie][same], plain[cookie][same], same)
            equal([(o["pid"], o["fd"]) for o in hidden[cookie]["owners"]],
                  [(o["pid"], o["fd"]) for o in plain[cookie]["owners"]], "owners")
            equal(again[cookie], hidden[cookie], "the same key")
        texts = {live.address(a) for a in ADDRESSES if live.address(a) in names}
        holds(len(texts) >= 4, "addresses of the test")
        for a in texts:
            holds(names[a] != a and strange[a] != names[a], "another key, another name")
            for b in texts:
                if a.version == b.version:
                    equal(int(names[a]) ^ int(names[b]) == 0, a == b, "injective")
                    equal((int(names[a]) ^ int(names[b])).bit_length(), (int(a) ^ int(b)).bit_length(), "prefix")


SERVE = """
import socket, struct, sys, threading
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("203.0.113.80", 53))
def names():
    while True:
        query, client = udp.recvfrom(512)
        answer = b"\\xc0\\x0c\\0\\x01\\0\\x01\\0\\0\\0\\x05\\0\\x04" + socket.inet_aton("203.0.113.80")
        udp.sendto(query[:2] + b"\\x81\\x80\\0\\x01\\0\\x01\\0\\0\\0\\0" + query[12:] + answer, client)
threading.Thread(target=names, daemon=True).start()
web = socket.create_server(("203.0.113.80", 8080))
print("ready", flush=True)
def serve(c):
    c.recv(1000)
    c.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    c.recv(1000)
while True:
    threading.Thread(target=serve, args=(web.accept()[0],), daemon=True).start()
"""
QUESTION = b"\0\7\1\0\0\1\0\0\0\0\0\0\3www\15customer-name\7example\0\0\1\0\1"


class Far:
    """Another host on the wire, and a conversation with it that lasts."""

    def __enter__(self):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo here; read go; ip link set lo up; ip addr add %s/24 dev "
                                         "eth9; ip link set eth9 up; exec %s -c \"$0\"" % (FAR, sys.executable), SERVE],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        equal(self.process.stdout.readline(), b"here\n", "the other host")
        live.shell("ip link set eth9 netns %d" % self.process.pid)
        self.process.stdin.write(b"go\n")
        equal(self.process.stdout.readline(), b"ready\n", "its servers")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        live.shell("ip link del dev-secret 2>/dev/null || true")  # with its peer it goes by itself, some time
        prepare_wire()

    def talk(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.connect((FAR, 53))
            u.send(QUESTION)
            u.recv(512)
        c = socket.create_connection((FAR, 8080))
        c.send(b"GET /hunter2-secret HTTP/1.1\r\nHost: www.customer-name.example:8080\r\nUser-Agent: program-secret/1\r\n\r\n")
        c.recv(1000)
        return c


FORMS = [(), ("--json", "--columns=all"), ("--jsonl", "--columns=all"), ("--csv", "--columns=all"), ("-s",), ("-s", "--json"),
         ("--tree",), ("--tree", "--json"), ("-n", "--sort=-out_bytes"), ("--bin=1s", "--csv")]


def check_capture(rows, true, listed):
    """Rows as read with a key, the true ones in the same order, and what list says of the web's conversation."""
    equal(len(rows), len(true), "conversations")
    for row, was in zip(rows, true):
        for same in ("proto", "local_port", "remote_port", "out_packets", "out_bytes", "observed", "start"):
            equal(row[same], was[same], same)
        for other in ("local_addr", "remote_addr", "local_mac", "remote_mac"):
            if was[other] and live.address(was[other]) if "addr" in other else was[other] not in (None, "ff:ff:ff:ff:ff:ff"):
                holds(row[other] and (row[other] != was[other] or was[other].startswith(("ff02", "33:33"))), other + " is another")
        if was["community_id"] and row["local_addr"] != was["local_addr"]:
            holds(row["community_id"] not in (None, was["community_id"]), "the Community ID is of the new addresses")
    web = next(r for r in rows if r["remote_port"] == 8080)
    name = next(r for r in rows if r["remote_port"] == 53)
    for end in ("local_addr", "local_port", "remote_addr", "remote_port"):
        equal(web[end], listed[end], "as list calls it: " + end)
    equal(web["local_mac"] == name["local_mac"], True, "one card, one name")
    host = dict(word.split("=", 1) for word in web["observed_detail"].split(" "))["host"].rsplit(":", 1)
    asked = dict(word.split("=", 1) for word in name["observed_detail"].split(" "))
    equal((host[0], host[1], asked["answer"]), (asked["query"], "8080", web["remote_addr"]), "names of one host")
    equal(web["remote_name"], host[0], "the name it was asked by")


def wait_for_children(*parents):
    """A capture is ready when its child is there."""
    end = time.monotonic() + 30
    waiting = set(parents)
    while waiting:
        holds(time.monotonic() < end, "a capture has not begun")
        time.sleep(0.05)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % pid, errors="replace") as f:
                    waiting.discard(int(f.read().rpartition(")")[2].split()[1]))


def test_captures():
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k, file, raw = key(folder, "key"), os.path.join(folder, "customer-name.pcapng"), os.path.join(folder, "raw")
        with Far() as far:
            live_rows = subprocess.Popen([live.PORTAVOZ, "capture", "-i", "dev-secret", "--duration=20s", "--json", "--columns=all",
                                          "--redact", k], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            writer = subprocess.Popen([live.PORTAVOZ, "capture", "-i", "dev-secret", "--duration=20s", "-w", file],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for_children(live_rows.pid, writer.pid)
            talking = far.talk()
            time.sleep(0.5)
            live.run("list", "-a", "--record", raw)
            listed = live.rows("-tn", "--redact", k, "dport", "=", ":8080", columns="local_addr,local_port,remote_addr,remote_port")
            live_rows.send_signal(signal.SIGINT)
            writer.send_signal(signal.SIGINT)
            out, errors = live_rows.communicate(timeout=30)
            writer.wait(30)
            talking.close()
        equal(len(listed), 1, "the conversation in list")
        true = json.loads(live.run("read", file, "--json", "--columns=all").stdout)["conversations"]
        holds(any(r["local_mac"] == MACS[0] and r["remote_mac"] == MACS[1] for r in true), "the capture has the cards")
        for secret in (FAR, "customer-name", "program-secret"):
            holds(secret.encode() in live.run("read", file, "--csv").stdout, "the capture has " + secret)
        clean(out + errors.replace(b"dev-secret", b""), "capture")
        # other packets of the wire, of IPv6, may have come before one of the two was ready
        check_capture(*[[r for r in rows if r["remote_port"] in (53, 8080)]
                        for rows in (json.loads(out)["conversations"], true)], listed[0])
        holds(any(o["comm"] for r in json.loads(out)["conversations"] for o in r["owners"] or []), "processes")
        for more in ((), ("--joined", raw)):
            for form in FORMS:
                done = live.run("read", file, "--redact", k, *form, *more)
                clean(done.stdout, "read %s" % (form,))
                holds(len(done.stdout) > 100, "output of read %s" % (form,))
        check_capture(json.loads(live.run("read", file, "--json", "--columns=all", "--redact", k).stdout)["conversations"], true,
                      listed[0])
        joined = json.loads(live.run("read", file, "--json", "--redact", k, "--joined", raw).stdout)["conversations"]
        holds(any(o["pid"] == os.getpid() for r in joined for o in r["owners"] or []), "processes of the recording")
        # the filter sees the true names
        equal(len(json.loads(live.run("read", file, "--json", "--redact", k, "dst", FAR, "and", "dport", "=", ":8080").stdout)
                  ["conversations"]), 1, "filtered")
        with open(file, "r+b") as f:
            f.truncate(os.path.getsize(file) - 7)
        done = live.run("read", file, "--json", "--redact", k, expect=1)
        clean(done.stdout, "read of a damaged file")
        for more in ((), ("--ring", "64Kx2")):
            done = live.run("capture", "-i", "lo", "--packets=1", "-w", os.path.join(folder, "no"), *more, "--redact", k, expect=2)
            holds(b"packets hold the addresses" in done.stderr, "the refusal")
        equal([n for n in os.listdir(folder) if n.startswith("no")], [], "files of a refused capture")


def test_one_name_everywhere():
    """list, ss and netstat call an address the same, and a route leads to the network of the addresses in it."""
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k = key(folder, "key")
        with Host(folder):
            rows = live.rows("-tan4", "--redact", k, "state", "ESTABLISHED", columns="local_addr,local_port,remote_addr,remote_port")
            listed = sorted("%(local_addr)s:%(local_port)d %(remote_addr)s:%(remote_port)d" % row for row in rows)
            holds(len(listed) >= 2, "conversations of IPv4")
            ss = live.run("ss", "-4tnH", "state", "established", "--redact", k).stdout.decode().splitlines()
            equal(sorted(" ".join(line.split()[2:4]) for line in ss), listed, "as ss has them")
            tables = [line.split() for line in live.run("netstat", "-tnW", "-4", "--redact", k).stdout.decode().splitlines()]
            equal(sorted(" ".join(line[3:5]) for line in tables if line[-1] == "ESTABLISHED" and line[0] == "tcp"), listed,
                  "as netstat has them")
            routes = live.run("netstat", "-rn", "--redact", k).stdout.decode().splitlines()[2:]
            networks = [ipaddress.ip_network("%s/%s" % (r.split()[0], r.split()[2])) for r in routes]
            mine = live.address(rows[0]["local_addr"])
            holds(any(mine in n and n.prefixlen == 24 for n in networks), "%s in %s" % (mine, networks))
            shown = live.run("netstat", "-ie", "--redact", k).stdout.decode()
            # of an interface netstat tells the first address
            holds(any(" %s " % live.address(row["local_addr"]) in shown for row in rows), "the address of its interface")


def test_compares():
    """A recording made with a key and this host under the same key have no difference; what is new shows."""
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k, record, plain = key(folder, "key"), os.path.join(folder, "r"), os.path.join(folder, "p")
        with Host(folder):
            live.run("list", "-a", "--redact", k, "--record", record)
            live.run("list", "-a", "--record", plain)
            first = live.run("baseline", "--redact", k).stdout
            equal(live.run("baseline", "--replay", record).stdout, first, "the baseline of the recording")
            equal(live.run("baseline", "--replay", plain, "--redact", k).stdout, first, "of the other one, redacted")
        with Host(folder):
            equal(live.run("diff", plain, "now").stdout, b"", "the host again")
            equal(live.run("baseline", "--redact", k).stdout, first, "the baseline again")
            with socket.create_server(("127.0.0.1", 9999)):
                new = live.run("diff", plain, "now", "--redact", k, "--json", expect=4).stdout
                equal([d["change"] for d in json.loads(new)["differences"]], ["new"], "differences")


def shown(*args):
    return json.loads(live.run("list", "-a", "--json", "--columns=all", *args).stdout)["conversations"]


def test_recorded_under_a_key():
    """What has other names already keeps them under the same key, and is refused under another."""
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k, other = key(folder, "key"), key(folder, "other", b"another key that is long enough")
        record, copy, old = (os.path.join(folder, name) for name in ("r", "copy", "old"))
        with Host(folder):
            live.run("list", "-a", "--redact", k, "--record", record)
            live.run("list", "-a", "--redact", other, "--record", old)
            equal(live.run("diff", record, "now", "--redact", k).stdout, b"", "the host under the key of the recording")
            for words in ((record, "now"), ("now", record), (record, old)):
                done = live.run("diff", *words, expect=1)
                holds(not done.stdout and b"other names" in done.stderr, "diff %s: %r" % (words, done))
        names = shown("--replay", record)
        equal(shown("--replay", record, "--redact", k), names, "names of the recording")
        live.run("list", "-a", "--replay", record, "--redact", k, "--record", copy)
        equal(shown("--replay", copy, "--redact", k), names, "names of its copy")
        address = next(r["local_addr"] for r in names if r["local_port"] == 8443)
        explained = live.run("explain", address, "--replay", record).stdout
        equal(live.run("explain", address, "--replay", record, "--redact", k).stdout, explained, "an address of the recording")
        for command in (("list",), ("audit", "--no-policy"), ("baseline",), ("explain", "8443"), ("port", "8443"), ("ss",)):
            done = live.run(*command, "--replay", record, "--redact", other, expect=1)
            holds(not done.stdout and b"another key" in done.stderr, "%s: %r" % (command, done))
        for more in ((), ("--redact", k)):
            done = live.run("read", "no.pcap", "--joined", record, *more, expect=1)
            holds(b"other addresses" in done.stderr, "read: %r" % done.stderr)
        marks = [tree(d)[os.path.join(d, "manifest")] for d in (record, copy, old)]
        equal(marks[0] == marks[1] != marks[2], True, "marks: %r" % marks)
        # made before there were marks: renamed once more
        with open(os.path.join(old, "manifest"), "w") as f:
            f.write("portavoz-recording=1\n")
        holds(shown("--replay", old, "--redact", k), "an old recording")


def test_keys():
    with live.folder() as folder:
        for name, text, mode in (("short", b"x" * 15, 0o600), ("open", b"x" * 40, 0o644)):
            path = key(folder, name, text)
            os.chmod(path, mode)
            done = live.run("list", "--redact", path, expect=1)
            equal(done.stdout, b"", "output without a usable key")
        equal(live.run("list", "--redact", folder + "/none", expect=1).stdout, b"", "no key")


def test_damaged():
    with live.folder() as folder:
        k, record = key(folder, "key"), os.path.join(folder, "r")
        live.run("list", "--redact", k, "--record", record)
        path = os.path.join(record, "streams", "snapshot")
        with open(path, "rb") as f:
            whole = f.read()
        for at in range(0, len(whole), max(1, len(whole) // 40)):
            with open(path, "wb") as f:
                f.write(whole[:at] + b"\xff" + whole[at + 1:])
            done = live.run("list", "-a", "--replay", record, expect=None)
            holds(done.returncode in (0, 1) and (done.returncode == 0 or done.stderr), "damaged at %d" % at)


original = live.isolate


def isolate(pid):
    original(pid)
    prepare()


live.isolate = isolate
live.main(globals())
