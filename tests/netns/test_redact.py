#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--redact: nothing of a host is left in what is written, and what is left still pairs and compares."""
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile

import live
from live import equal, holds

SECRET_USER, SECRET_UID = "alicia-secret", 4711
ADDRESSES = ["203.0.113.77", "203.0.113.78", "198.51.100.9", "2001:db8:77::5", "2001:db8:77::6"]
WORDS = [SECRET_USER, "customer-name", "hunter2-secret", "abstract-secret", "program-secret", "dev-secret"]
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

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def prepare():
    live.shell("ip link add dev-secret type veth peer name eth9; ip link set dev-secret up; ip link set eth9 up")
    for address in ADDRESSES:
        live.shell("ip addr add %s dev dev-secret" % (address + ("/64 nodad" if ":" in address else "/24")))
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
    for address in ADDRESSES:
        forms += [address.encode(), ipaddress.ip_address(address).packed]
    return forms


def clean(data, what):
    for secret in secrets():
        at = data.find(secret)
        if at >= 0:
            raise AssertionError("%s: %r is in %r" % (what, secret, data[max(0, at - 60):at + 60]))


def tree(folder):
    return {os.path.join(d, f): open(os.path.join(d, f), "rb").read() for d, _, names in os.walk(folder) for f in names}


ALL = ("list", "-a", "-p", "-e", "-n", "--columns=+cmdline,exe,cgroup,path,local")
OUTPUTS = [ALL, ALL + ("--json",), ALL + ("--jsonl",), ALL + ("--csv",), ("list", "-s"), ("list", "-s", "--json"),
           ("list", "-a", "--pairs", "--json"), ("list", "-n", "-N", "all", "--json"), ("baseline",), ("audit", "--all", "--no-policy"), ("audit", "--all", "--json", "--no-policy"),
           ("explain", "8443"), ("explain", "--json", "203.0.113.77"), ("explain", "203.0.113.77:8443"),
           ("explain", "2001:db8:77::6"), ("explain", "--json", "@abstract-secret"), ("explain", "program-secret"),
           ("port", "8443"), ("port", "--json", "8444")]


def test_nothing_is_left():
    with live.folder() as folder:
        os.chmod(folder, 0o777)
        k = key(folder, "key")
        with Host(folder):
            known = live.run(*ALL, "--json").stdout
            for secret in WORDS + ["203.0.113.77", "2001:db8:77::6"]:
                holds(secret.encode() in known, "the host has " + secret)
            for command in OUTPUTS:
                done = live.run(*command, "--redact", k, expect=None)
                clean(done.stdout + done.stderr, " ".join(command))
                holds(len(done.stdout) > 100, "output of " + " ".join(command))
            record = os.path.join(folder, "r")
            live.run("list", "-a", "--redact", k, "--record", record)
            raw = os.path.join(folder, "raw")
            live.run("list", "-a", "--record", raw)
            converted = os.path.join(folder, "converted")
            live.run("list", "-a", "--replay", raw, "--redact", k, "--record", converted)
            for name in (record, converted):
                for path, data in tree(name).items():
                    clean(data, path)
                    clean(path[len(folder):].encode(), "name of a file")
            difference = live.run("diff", "--json", raw, record, "--redact", k, expect=None).stdout
            clean(difference, "diff")


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
