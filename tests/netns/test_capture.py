#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Live captures between two namespaces and a veth pair, with Debian's servers: the processes at both ends, the comments in
the file, the bounds, the privileges."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
from live import PORTAVOZ, equal, folder, holds, run, shell  # noqa: E402

CLIENT, SERVER = "10.9.0.1", "10.9.0.2"
COLUMNS = "proto,local_addr,local_port,remote_addr,remote_port,owners,owner_reason,peer_pid,observed,observed_detail,out_payload,in_payload"
NGINX = """
daemon off; master_process on; pid %(dir)s/nginx.pid; error_log %(dir)s/nginx.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off; limit_rate 60k; client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p; fastcgi_temp_path %(dir)s/f;
  uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  server { listen 10.9.0.2:8080; root %(dir)s; }
  server { listen 10.9.0.2:8082 http2; root %(dir)s; }
  server { listen 10.9.0.2:8443 ssl http2; root %(dir)s; ssl_certificate %(dir)s/c.pem; ssl_certificate_key %(dir)s/k.pem; }
}
"""


def inside(*command):
    return ["ip", "netns", "exec", "far", *command]


class Server:
    """A program until the end of the block."""

    def __init__(self, *command, port=None, **kwargs):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True, **kwargs)
        for _ in range(200):
            if port is None:
                return
            with contextlib.suppress(OSError):
                socket.create_connection((SERVER, port), timeout=1).close()
                return
            time.sleep(0.05)
        raise RuntimeError("%s does not answer on port %d" % (command[0], port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)

    def family(self):
        """Its pid and those of its children."""
        pids, found = {self.process.pid}, True
        while found:
            found = {int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent(pid) in pids} - pids
            pids |= found
        return pids


def parent(pid):
    with contextlib.suppress(OSError):
        with open("/proc/%s/stat" % pid, errors="replace") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    return 0


def name(pid):
    with contextlib.suppress(OSError):
        with open("/proc/%s/comm" % pid, errors="replace") as f:
            return f.read().rstrip("\n")
    return None


class Capture:
    """portavoz capture until the end of the block; then `rows`, `gaps` and `errors` are what it said."""

    def __init__(self, *args, interface="near", columns=COLUMNS, prefix=()):
        self.process = subprocess.Popen([*prefix, PORTAVOZ, "capture", "-i", interface, "--duration=60s", "--json", "--columns", columns,
                                         *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.output = []
        self.readers = [threading.Thread(target=lambda f=f: self.output.append((f, f.read())))
                        for f in (self.process.stdout, self.process.stderr)]
        for reader in self.readers:
            reader.start()
        self.wait_for_child()

    def wait_for_child(self):
        """Packets pass unseen before the ring is open; the child is there afterwards."""
        for _ in range(400):
            self.child = next((int(pid) for pid in os.listdir("/proc") if pid.isdigit()
                               and parent(pid) == self.process.pid and name(pid) == os.path.basename(PORTAVOZ)), None)
            if self.child or self.process.poll() is not None:
                return
            time.sleep(0.02)
        raise RuntimeError("capture has not begun")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self.process.send_signal(signal.SIGINT)
        self.status = self.process.wait(30)
        for reader in self.readers:
            reader.join()
        texts = dict(self.output)
        self.errors = texts[self.process.stderr].decode()
        document = json.loads(texts[self.process.stdout] or b'{"conversations":[],"coverage":{"gaps":[]}}')
        self.rows, self.coverage, self.gaps = document["conversations"], document["coverage"], live.gaps(document)

    def one(self, **wanted):
        found = [row for row in self.rows if all(row[k] == v for k, v in wanted.items())]
        equal(len(found), 1, "conversations with %r of %r" % (wanted, self.rows))
        return found[0]


def make_pair():
    shell("ip netns add far; ip link add near type veth peer name away; ip link set away netns far;"
          "ip addr add %s/24 dev near; ip link set near up; ip -n far addr add %s/24 dev away; ip -n far link set away up;"
          "ip -n far link set lo up" % (CLIENT, SERVER))
    for _ in range(100):  # a veth pair carries nothing before both ends have their carrier
        if not subprocess.run(["ping", "-c1", "-W1", SERVER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return
        time.sleep(0.05)
    raise RuntimeError("the veth pair carries nothing")


def make_files(path):
    with open(path + "/page", "wb") as f:
        f.write(os.urandom(200000))
    with open(path + "/nginx.conf", "w") as f:
        f.write(NGINX % {"dir": path})
    shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout %(d)s/k.pem -out %(d)s/c.pem -days 2 -subj /CN=api.example.test 2>/dev/null;"
          "ssh-keygen -q -t ed25519 -N '' -f %(d)s/host; ssh-keygen -q -t ed25519 -N '' -f %(d)s/user; cp %(d)s/user.pub %(d)s/keys;"
          "chmod 600 %(d)s/keys; mkdir -p /run/sshd" % {"d": path})


def slow_curl(*args):
    """A download of some seconds: a process that is there to be found, on a busy machine, too."""
    return subprocess.Popen(["curl", "-s", "-o", "/dev/null", *args])


def ask_name(port):
    """A question, from a socket that stays for a while."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((SERVER, port))
        s.settimeout(5)
        s.send(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04host\x07example\x04test\x00\x00\x01\x00\x01")
        answer = s.recv(512)
        time.sleep(1)
    return answer


def check_ends(row, client, servers, what):
    holds(row["owners"], "%s: no process at the near end, %r" % (what, row))
    equal({o["pid"] for o in row["owners"]}, {client}, what + ": process at the near end")
    holds(row["peer_pid"] in servers, "%s: process at the far end is %r, not of %r" % (what, row["peer_pid"], servers))


def test_real_servers():
    """HTTP/1, HTTP/2, TLS, ssh and DNS over a veth pair: what it was, and whose on both ends."""
    with folder() as path:
        make_files(path)
        with Server(*inside("nginx", "-c", path + "/nginx.conf"), port=8080) as nginx, \
                Server(*inside("/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", "8022", "-h", path + "/host", "-o", "AuthorizedKeysFile=" + path + "/keys",
                               "-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no",
                               "-o", "Subsystem=sftp internal-sftp"), port=8022) as sshd, \
                Server(*inside("dnsmasq", "-k", "-p", "8053", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
                               "--address=/host.example.test/192.0.2.7"), port=8053) as dnsmasq:
            with Capture("-w", path + "/all.pcapng") as capture:
                curls = [slow_curl("http://%s:8080/page" % SERVER),
                         slow_curl("--http2-prior-knowledge", "http://%s:8082/page" % SERVER),
                         slow_curl("-k", "--resolve", "api.example.test:8443:" + SERVER, "https://api.example.test:8443/page")]
                ssh = subprocess.Popen(["ssh", "-i", path + "/user", "-p", "8022", "-o", "StrictHostKeyChecking=no", "-o",
                                        "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-s", "root@" + SERVER, "sftp"],
                                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                holds(b"\xc0\x00\x02\x07" in ask_name(8053), "dnsmasq's answer")
                time.sleep(1)
                ssh.stdin.close()  # no shell is needed for it: it ends when its input does
                equal([c.wait(30) for c in curls] + [ssh.wait(30)], [0, 0, 0, 0], "exit of the clients")
            families = {"nginx": nginx.family(), "sshd": sshd.family(), "dnsmasq": dnsmasq.family()}
        equal(capture.status, 0, capture.errors)
        for row, client, server in (
                (capture.one(observed="http", remote_port=8080), curls[0].pid, "nginx"),
                (capture.one(observed="http2", remote_port=8082), curls[1].pid, "nginx"),
                (capture.one(observed="tls", remote_port=8443), curls[2].pid, "nginx"),
                (capture.one(observed="dns", remote_port=8053), os.getpid(), "dnsmasq")):
            check_ends(row, client, families[server], server)
        tls = capture.one(observed="tls")["observed_detail"]
        holds("sni=api.example.test" in tls and "alpn=h2" in tls, "TLS: %r" % tls)
        holds(capture.one(observed="http")["in_payload"] > 200000, "payload of the page")
        row = capture.one(observed="ssh", remote_port=8022)
        equal({o["pid"] for o in row["owners"]}, {ssh.pid}, "ssh: process at the near end")
        holds(comm_of(row) == "ssh" and row["peer_pid"], "ssh: %r" % row)
        check_comments(path + "/all.pcapng", curls[0].pid, families["nginx"])
        check_read_again(path + "/all.pcapng", capture)


def test_quic():
    """A file over QUIC, with Debian's own client and server; the client stays until its idle time-out."""
    with folder() as path:
        make_files(path)
        os.mkdir(path + "/saved")
        with Server(*inside("gtlsserver", "-q", "-d", path, SERVER, "4433", path + "/k.pem", path + "/c.pem")) as server:
            time.sleep(1)
            with Capture() as capture:
                client = subprocess.Popen(["gtlsclient", "-q", "--timeout=3s", "--download=" + path + "/saved", SERVER, "4433",
                                           "https://api.example.test/page"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL)
                client.wait(60)
            servers = server.family()
        row = capture.one(observed="quic", remote_port=4433)
        check_ends(row, client.pid, servers, "QUIC")
        holds("sni=" in row["observed_detail"] and "alpn=h3" in row["observed_detail"], "QUIC: %r" % row)
        equal(os.path.getsize(path + "/saved/page"), 200000, "bytes of the page that came")
        holds(row["in_payload"] > 200000, "payload of the page: %r" % row)


def comm_of(row):
    return row["owners"][0]["comm"]


def check_comments(path, pid, servers):
    """What another program shows of the file."""
    shown = subprocess.run(["tshark", "-r", path, "-Y", "tcp.port == 8080", "-T", "fields", "-e", "ip.src", "-e", "frame.comment"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode().splitlines()
    holds(len(shown) > 20, "packets of the download: %d" % len(shown))
    for line in shown:
        source, _, comment = line.partition("\t")
        match = re.match(r"from (\S+)\[(\d+)\] .*; to (\S+)\[(\d+)\]", comment)
        holds(match, "comment %r" % line)
        near, far = (int(match.group(2)), int(match.group(4))) if source == CLIENT else (int(match.group(4)), int(match.group(2)))
        holds(near == pid and far in servers, "comment %r: not %d and one of %r" % (line, pid, servers))


def check_read_again(path, capture):
    """The file has the same conversations."""
    rows = json.loads(run("read", "--json", "--columns=remote_port,out_payload,in_payload", path).stdout)["conversations"]

    def key(row):
        return row["remote_port"], row["out_payload"], row["in_payload"]

    equal(sorted(key(row) for row in rows if row["remote_port"]), sorted(key(row) for row in capture.rows if row["remote_port"]),
          "conversations read again")


def send(n, port=9):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(n):
            s.sendto(b"x" * 100, (SERVER, port))


def counts(errors):
    """Received, dropped by the kernel, dropped by us, not understood: each time they were told."""
    lines = re.findall(r"capture: (\d+) packets received, (\d+) dropped by the kernel, (\d+) dropped by us, (\d+) not understood", errors)
    return [tuple(map(int, line)) for line in lines]


def test_numbers_add_up():
    """E9: at the end, and when asked on the way."""
    with Capture("--bpf", "udp and dst port 9", columns="proto,out_packets,in_packets") as capture:
        send(50)
        time.sleep(0.5)
        capture.process.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        send(25)
    equal(counts(capture.errors), [(50, 0, 0, 0), (75, 0, 0, 0)], "counts in %r" % capture.errors)
    equal(sum(row["out_packets"] for row in capture.rows), 75, "packets of the conversations")


def test_drops_are_counted():
    """A child that is stopped reads nothing, and the ring runs over: what was read and what was dropped are what was sent."""
    with Capture("--bpf", "udp and dst port 9", "--buffer=1M", columns="proto,out_packets") as capture:
        os.kill(capture.child, signal.SIGSTOP)
        send(60000)
        os.kill(capture.child, signal.SIGCONT)
        time.sleep(0.5)
    received, dropped, unread, _ = counts(capture.errors)[-1]
    holds(dropped > 0, "nothing was dropped of 60000")
    equal((received + dropped, unread), (60000, 0), "received %d, dropped %d" % (received, dropped))
    equal(capture.gaps.get("dropped"), dropped, "dropped in the coverage")
    equal(sum(row["out_packets"] for row in capture.rows), received, "packets of the conversations")


def test_what_is_left_is_counted():
    """What lies in the ring when the run is over was captured, too: behind the last packet asked for it is dropped by us, and at
    the end by a signal it is read."""
    for options, is_ended, wanted in ((["--packets=100"], False, (100, 0, 900, 0)), ([], True, (1000, 0, 0, 0)),
                                      (["--packets=100"], True, (100, 0, 900, 0))):
        with Capture("--bpf", "udp and dst port 9", *options, columns="proto,out_packets") as capture:
            os.kill(capture.child, signal.SIGSTOP)
            send(1000)
            if is_ended:
                os.kill(capture.child, signal.SIGINT)  # waits for it to go on
            os.kill(capture.child, signal.SIGCONT)
        equal(counts(capture.errors), [wanted], "counts in %r" % capture.errors)
        equal(sum(row["out_packets"] for row in capture.rows), wanted[0], "packets of the conversations")


def test_full_disk():
    """A file that cannot be written ends the run and loses nothing else: rows, counts, coverage; both tell the file."""
    with folder() as path:
        shell("mkdir %s/small; mount -t tmpfs -o size=32k none %s/small" % (path, path))
        try:
            for options, name in ((("-w", "/dev/full"), "/dev/full"), (("-w", path + "/small/a"), path + "/small/a"),
                                  (("-w", path + "/small/r.pcapng", "--ring=64Kx2"), path + "/small/r.0001.pcapng")):
                with Capture("--bpf", "udp and dst port 9", *options, columns="proto,out_packets") as capture:
                    send(3000)
                equal(capture.status, 1, "exit status with %r" % (options,))
                holds("portavoz: %s: cannot be written: No space left on device" % name in capture.errors, "error with %r: %r" % (options, capture.errors))
                equal(len(counts(capture.errors)), 1, "counts in %r" % capture.errors)
                received = counts(capture.errors)[0][0]
                holds(received or "/dev/full" in options, "nothing received")
                equal(sum(row["out_packets"] for row in capture.rows), received, "packets of the conversations")
                shell("rm -f %s/small/*" % path)
                holds(any(name in (gap["detail"] or "") for gap in capture.coverage["gaps"]), "coverage: %r" % capture.coverage)
        finally:
            shell("umount %s/small" % path)


def test_reader_of_a_fifo_leaves():
    with folder() as path:
        name = path + "/fifo"
        os.mkfifo(name)
        reader = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        with Capture("--bpf", "udp and dst port 9", "-w", name, columns="proto,out_packets") as capture:
            os.close(reader)
            send(3000)
        equal(capture.status, 1, "exit status")
        holds("portavoz: %s: cannot be written: Broken pipe" % name in capture.errors, "error: %r" % capture.errors)
        equal(sum(row["out_packets"] for row in capture.rows), counts(capture.errors)[0][0], "packets of the conversations")


def test_interface_down():
    """While it is down nothing comes, which is said; then the capture goes on."""
    shell("ip link add sleeps type veth peer name other; ip link set sleeps up; ip link set other up")
    with Capture(interface="sleeps", columns="proto") as capture:
        shell("ip link set sleeps down")
        time.sleep(1)
        shell("ip link set sleeps up")
        time.sleep(1)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind(("other", 0))
            sender.send(b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\0" + bytes.fromhex(
                "4500001c000100004011000000000000ffffffff1000100000080000"))
    shell("ip link del sleeps")
    notes = re.findall("portavoz: sleeps: note: (.*)", capture.errors)
    equal(notes, ["the interface is down: waiting for it", "the interface is up again"], "notes in %r" % capture.errors)
    equal(capture.status, 0, capture.errors)
    holds(any(row["proto"] == "udp" for row in capture.rows), "conversations: %r" % capture.rows)


SENDER = "import socket; l = socket.create_server(('%s', 8090)); c, _ = l.accept(); c.recv(99); c.sendall(b'y' * 50000); c.close()" % SERVER
TAKER = """
import socket
c = socket.create_connection(('%s', 8090))
c.sendall(b'give me')
n = 0
while got := c.recv(65536):
    n += len(got)
assert n == 50000
""" % SERVER


def test_router():
    """What a host forwards is counted once, though it is seen twice; the file has all of it."""
    shell("ip netns add side; ip link add aside type veth peer name out; ip link set out netns side; ip addr add 10.9.1.1/24 dev aside;"
          "ip link set aside up; ip -n side addr add 10.9.1.2/24 dev out; ip -n side link set out up; ip -n side route add default via 10.9.1.1;"
          "ip -n far route add default via %s; echo 1 >/proc/sys/net/ipv4/ip_forward" % CLIENT)
    try:
        shell("ip netns exec side sh -c 'for i in $(seq 100); do ping -c1 -W1 %s >/dev/null && exit 0; sleep 0.05; done; exit 1'" % SERVER)
        with folder() as path:
            columns = "out_packets,in_packets,out_payload,in_payload,out_retransmitted,in_retransmitted,history,proto,local_addr"
            with Capture("--bpf", "tcp port 8090", "-w", path + "/all.pcapng", "--strict", interface="any", columns=columns) as capture:
                server = subprocess.Popen(inside(sys.executable, "-c", SENDER))
                time.sleep(1)
                subprocess.run(["ip", "netns", "exec", "side", sys.executable, "-c", TAKER], check=True, timeout=30)
                equal(server.wait(30), 0, "exit of the server")
            again = json.loads(run("read", "--json", "--columns", columns, path + "/all.pcapng").stdout)
        received = counts(capture.errors)[0][0]
        equal(capture.status, 0, capture.errors)
        equal(len(capture.rows), 1, "conversations: %r" % capture.rows)
        row = capture.rows[0]
        equal((row["out_payload"], row["in_payload"], row["out_retransmitted"], row["in_retransmitted"], row["local_addr"]),
              (7, 50000, 0, 0, "10.9.1.2"), "counts: %r" % row)
        holds(not {"T", "t"} & set(row["history"]), "history: %r" % row)
        equal((row["out_packets"] + row["in_packets"]) * 2, received, "half of the packets")
        equal(capture.gaps, {"again": received // 2}, "gaps")
        equal((again["conversations"], live.gaps(again)), (capture.rows, capture.gaps), "the file")
    finally:
        shell("ip netns del side; ip -n far route del default; echo 0 >/proc/sys/net/ipv4/ip_forward")


def test_bounds_of_the_run():
    """--packets and --duration end it by themselves; --ring keeps to its size and to the newest."""
    with folder() as path:
        sender = threading.Timer(1, send, [3000])
        sender.start()
        done = run("capture", "-i", "near", "--packets=2000", "--duration=30s", "--bpf=udp", "-w", path + "/r.pcapng",
                   "--ring=64Kx3", "--csv", "--columns=out_packets")
        sender.join()
        equal(done.stdout.split(), [b"out_packets", b"2000"], "packets")
        names = sorted(os.listdir(path))
        equal(names, ["r.0001.pcapng", "r.0002.pcapng", "r.0003.pcapng"], "files of the ring")
        holds(all(0 < os.path.getsize(path + "/" + name) <= 65536 for name in names), "sizes of the ring")
        kept = [json.loads(run("read", "--json", "--columns=out_packets", path + "/" + name).stdout)["conversations"] for name in names]
        holds(0 < sum(rows[0]["out_packets"] for rows in kept) < 2000, "packets of the ring")
        started = time.monotonic()
        run("capture", "-i", "near", "--duration=1s")
        holds(time.monotonic() - started >= 1, "--duration ended early")


def test_standard_output():
    """-w - is a file for the next program in the pipe, and nothing else."""
    sender = threading.Timer(1, send, [10])
    sender.start()
    done = run("capture", "-i", "near", "--packets=10", "--duration=30s", "--bpf=udp", "-w", "-")
    sender.join()
    equal(done.stdout[:4], b"\x0a\x0d\x0d\x0a", "beginning of a pcapng file")
    again = subprocess.run([PORTAVOZ, "read", "-", "--csv", "--columns=out_packets"], input=done.stdout, stdout=subprocess.PIPE, check=True)
    equal(again.stdout.split(), [b"out_packets", b"10"], "packets read from the pipe")


def status_of(pid):
    with open("/proc/%d/status" % pid, errors="replace") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_privileges_are_gone():
    with Capture() as capture:
        holds(capture.child, "there is no child")
        status = status_of(capture.child)
    equal(status["Uid"].split(), ["65534"] * 4, "user")
    equal([status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")], [""] * 5, "capabilities")
    equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), "seccomp, no new privileges")


def test_interface_goes():
    """What was seen until then is shown, then what happened."""
    shell("ip link add goes type veth peer name gone; ip link set goes up; ip link set gone up")
    index = socket.if_nametoindex("goes")
    with subprocess.Popen([PORTAVOZ, "capture", "-i", "goes", "--duration=30s", "-n", "-H", "--columns=proto"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as capture, \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind(("gone", 0))
        for _ in range(300):  # until its socket is there
            with open("/proc/net/packet") as f:
                if any(line.split()[4] == str(index) for line in f.readlines()[1:]):
                    break
            time.sleep(0.1)
        for _ in range(10):
            sender.send(b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\0" + bytes.fromhex(
                "4500001c000100004011000000000000ffffffff1000100000080000"))
            time.sleep(0.1)
        shell("ip link del goes")
        out, err = capture.communicate(timeout=60)
    holds(b"udp" in out, "conversations: %r" % out)
    holds(re.search(rb"portavoz: goes: after \d+ packets: Network is down", err), "the end: %r" % err)
    equal(capture.returncode, 1, "exit status")


def test_errors():
    for args, words in ((["-i", "nowhere"], b"nowhere"), (["-w", "/nowhere/a"], b"/nowhere/a")):
        done = run("capture", "--duration=1s", *args, expect=1)
        holds(words in done.stderr and done.stderr.count(b"\n") == 1, "error of %r: %r" % (args, done.stderr))
    for args in (["--ring=1x2"], ["--ring=64Kx2"], ["--ring=64Kx2", "-w", "-"], ["--duration=soon"], ["--buffer=1"], ["--bpf=udp and"], ["no such filter"]):
        holds(run("capture", *args, expect=2).stderr, "error of %r" % args)
    if shutil.which("setpriv"):
        done = run("capture", "--duration=1s", "-i", "near", prefix=live.as_nobody(), expect=1)
        holds(b"ermi" in done.stderr, "error without privileges: %r" % done.stderr)


def main():
    live.isolate(False)
    shell("mount -t tmpfs none /run")  # for the names of namespaces and the folder of sshd
    make_pair()
    live.isolate = lambda pid: None  # once is enough
    live.main(globals())


if __name__ == "__main__":
    main()
