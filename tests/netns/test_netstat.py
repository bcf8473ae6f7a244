#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""portavoz netstat against net-tools' netstat: the same bytes and the same exit status.

Both look at one namespace with every kind of socket, route and interface. The original runs before
and after ours; only when it agrees with itself is there something to compare. A timer's time is the
one field that is masked.
"""
import contextlib
import fcntl
import itertools
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import live

TIMER = re.compile(rb"(on|keepalive|timewait|probe) \(\d+\.\d\d/")
ATTEMPTS = 12
CLEAR = b"\x1b[H\x1b[J"
STATES = ["ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE_WAIT",
          "LAST_ACK", "LISTEN", "CLOSING"]

kept = []
children = []
seen = b""
compared = 0
load = None
work = tempfile.mkdtemp(prefix="portavoz-netstat-")


def write(name, text):
    path = os.path.join(work, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def mount(source, target):
    subprocess.run(["mount", "--bind", source, target], check=True)


def make_files():
    """What names come from: files of the test, no server."""
    with open("/etc/nsswitch.conf") as f:
        mount(write("nss", re.sub("(?m)^(hosts|networks):.*", r"\1: files", f.read())),
              "/etc/nsswitch.conf")
    mount(write("hosts", "127.0.0.1 localhost lo4\n10.1.2.3 a-very-long-host-name.example.net short\n"
                "2001:db8:1::3 six.example.net\n::1 ip6-localhost ip6-loopback\n10.1.2.1 gw\n"
                "10.1.2.9 gateway-nine.example.org\n172.16.0.0 net16\nfe80::9 ninegw\n"
                "2001:db8:abcd:: abcdnet\n224.0.0.1 all-systems.mcast.net\nff02::1 ip6-allnodes\n"
                "203.0.113.7 host7\n"), "/etc/hosts")
    mount(write("networks", "default 0.0.0.0\nloopback 127.0.0.0\nbridgenet 192.168.77.0\n"
                "a-very-long-network 10.1.2.0\nnet198 198.18\n"), "/etc/networks")
    with open("/etc/passwd") as f:
        mount(write("passwd", f.read() + "averylongusername:x:4711:4711::/:/bin/false\n"
                    "tenletters:x:4712:4712::/:/bin/false\n"), "/etc/passwd")


def make_interfaces():
    live.shell("""
    ip link add v0 type veth peer name v1
    ip link add br0 type bridge
    ip link add down10 type veth peer name down9
    ip link add averylongname15 type veth peer name x1
    ip link set v1 master br0
    ip link set v0 mtu 1400 up; ip link set v1 up; ip link set br0 up
    ip addr add 10.1.2.3/24 brd + dev v0; ip addr add 2001:db8:1::3/64 dev v0 nodad
    ip addr add 192.168.77.1/28 dev br0; ip addr add 10.1.2.4/24 dev v0 label v0:1
    ip addr add 10.1.2.5/24 dev v0 label v0:12; ip addr add 10.1.2.6/24 dev v0 label v0:2
    ip addr add 2001:db8:1:2222:3333:4444:5555:6666/64 dev v0 nodad
    ip addr add fec0::1/10 dev v1; ip addr add ::7.7.7.7/96 dev v1
    ip tuntap add tun0 mode tun; ip link set tun0 up
    ip addr add 10.7.7.1 peer 10.7.7.2 dev tun0
    ip route add default via 10.1.2.1
    ip route add 172.16.0.0/12 via 10.1.2.9 dev v0 metric 50 advmss 1300 window 4000 rtt 300ms
    ip route add unreachable 198.51.100.0/24; ip route add prohibit 198.51.101.7
    ip route add 203.0.113.7/32 dev br0; ip route add blackhole 198.18.0.0/15
    ip -6 route add default via 2001:db8:1::1 dev v0
    ip -6 route add 2001:db8:abcd::/48 via fe80::9 dev v0 metric 77
    ip -6 route add unreachable 2001:db8:dead::/48
    ip maddr add 33:33:00:00:00:99 dev v0
    """)
    s = socket.socket()
    for name, flags in (("down10", 0x4 | 0x20), ("down9", 0x80 | 0x100), ("x1", 0x200 | 0x8000),
                        ("lo", 0x200)):
        request = fcntl.ioctl(s, 0x8913, struct.pack("16sH14x", name.encode(), 0))
        now = struct.unpack("16sH14x", request)[1]
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", name.encode(), now | flags))
    s.close()


def keep(*args, bind=None, connect=None, listen=None):
    s = socket.socket(*args)
    if bind is not None:
        s.bind(bind)
    if connect is not None:
        s.connect(connect)
    if listen is not None:
        s.listen(listen)
    kept.append(s)
    return s


def tcp(family, address):
    server = keep(family, socket.SOCK_STREAM, bind=address, listen=5)
    keep(family, socket.SOCK_STREAM, connect=server.getsockname())
    kept.append(server.accept()[0])


def make_inet():
    four, six = socket.AF_INET, socket.AF_INET6
    for address in (("127.0.0.1", 80), ("10.1.2.3", 443), ("127.0.0.1", 33434), ("0.0.0.0", 22),
                    ("127.0.0.1", 5432)):
        tcp(four, address)
    for address in (("::", 25), ("2001:db8:1:2222:3333:4444:5555:6666", 5355),
                    ("2001:db8:1:2222:3333:4444:5555:6666", 0), ("fe80::1", 8080, 0, 1),
                    ("2001:db8:1::3", 6667), ("::ffff:10.1.2.4", 993), ("::ffff:0.0.0.0", 995)):
        tcp(six, address)
    dgram, raw = socket.SOCK_DGRAM, socket.SOCK_RAW
    for protocol in (0, 136):
        keep(four, dgram, protocol, bind=("0.0.0.0", 53))
        keep(four, dgram, protocol, bind=("127.0.0.1", 123), connect=("127.0.0.1", 53))
        keep(six, dgram, protocol, bind=("::", 5353))
        keep(six, dgram, protocol, bind=("::1", 161), connect=("::1", 5353))
        keep(six, dgram, protocol, bind=("::ffff:127.0.0.1", 69))
        keep(six, dgram, protocol, bind=("fe80::1", 546, 0, 1))
    for family, protocol in ((four, 1), (four, 255), (four, 89), (six, 58), (six, 6)):
        keep(family, raw, protocol)
    keep(four, raw, 89, bind=("127.0.0.1", 0), connect=("127.0.0.1", 0))
    keep(six, raw, 58, bind=("::1", 0), connect=("::1", 0))
    alive = keep(four, socket.SOCK_STREAM, connect=("127.0.0.1", 80))
    alive.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for group in ("239.1.2.3", "239.1.2.4"):
        s = keep(four, dgram)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(group) + socket.inet_aton("10.1.2.3"))
    for _ in range(3):
        keep(six, dgram).setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                                    socket.inet_pton(six, "ff05::1234") +
                                    struct.pack("I", socket.if_nametoindex("v0")))


def make_unix():
    stream, dgram, packet = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
    unix = socket.AF_UNIX
    keep(unix, stream, bind=work + "/with spaces in it", listen=3)
    keep(unix, dgram, bind=work + "/datagrams-with-a-very-long-name-that-goes-on-and-on-and-on")
    keep(unix, packet, bind="\0abstract name", listen=3)
    keep(unix, stream, bind="\0nul\0in\0it", listen=3)
    keep(unix, stream)
    keep(unix, dgram, bind=work + "/tab\there")
    os.chdir(work)
    keep(unix, dgram, bind=" leading")
    keep(unix, packet, bind="\0 leading")
    for kind in (stream, packet):
        path = "%s/listener-%d" % (work, kind)
        listener = keep(unix, kind, bind=path, listen=5)
        for _ in range(4):
            keep(unix, kind, connect=path)
        kept.append(listener.accept()[0])
    kept.extend(socket.socketpair(unix, stream) + socket.socketpair(unix, dgram) +
                socket.socketpair(unix, packet))


def make_program(argv0, uid=0):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    ready, said = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(uid)
        if uid:
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            s.listen()
        s.set_inheritable(True)
        os.set_inheritable(said, True)
        os.execv("/usr/bin/python3", [argv0, "-c",
                                      "import os,time;os.write(%d,b'x');time.sleep(300)" % said])
    os.close(said)
    os.read(ready, 1)
    os.close(ready)
    s.close()
    children.append(child)


def make_programs():
    for argv0 in ("/usr/sbin/foo", "sshd: root@notty [priv] very long thing", "-bash", "/a/b:c/d e/f",
                  "-/usr/sbin/dashy", "trailing/", "/trailing/", "a/b", "./x/y",
                  "/x/sshd: a/b", "/usr/bin/exactlytwentycharacters", "12345678901234567890",
                  "x y/z", "/usr/bin/caf\u00e9"):
        make_program(argv0)
    for uid in (1000000000, 4294967294, 2, 33, 4711, 4712, 65534):
        make_program("python", uid)
    shared = keep(socket.AF_INET, socket.SOCK_STREAM, bind=("127.0.0.1", 99), listen=1)
    shared.set_inheritable(True)
    make_program("sharer")
    shared.set_inheritable(False)


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=60, preexec_fn=frozen)
    return TIMER.sub(rb"\1 (*/", done.stdout), done.returncode


fake = None


def frozen():
    """Puts the folder of tables that stand still over /proc/net, for this process alone."""
    if not fake:
        return
    live.libc.unshare(live.CLONE_NEWNS)
    live.libc.mount(b"none", b"/", None, 0x44000, None)
    if live.libc.mount(fake.encode(), b"/proc/self/net", None, 0x1000, None):
        os._exit(99)


def compare(options):
    global seen, compared
    ours = [live.PORTAVOZ, "netstat", "--dns-timeout=0", *options]
    for attempt in range(ATTEMPTS):
        before = run(["netstat", *options])
        found = run(ours)
        wanted = run(["netstat", *options])
        if before == wanted and found == wanted:
            break
        if before == wanted and attempt > 2:
            break
    if before != wanted:
        raise AssertionError("%s: the original never agreed with itself" % options)
    seen += wanted[0]
    compared += 1
    if found == wanted:
        return None
    for ours, theirs in itertools.zip_longest(found[0].split(b"\n"), wanted[0].split(b"\n")):
        if ours != theirs:
            return "%s: status %d, wanted %d; first line that differs:\n  ours   %r\n  theirs %r" % (
                " ".join(options), found[1], wanted[1], ours, theirs)
    return "%s: status %d, wanted %d" % (" ".join(options), found[1], wanted[1])


def compare_all(cases):
    wrong = [said for said in map(compare, cases) if said]
    if wrong:
        raise AssertionError("%d of %d cases differ\n%s" % (len(wrong), len(cases),
                                                          "\n".join(wrong[:12])))


def product(*parts):
    return [[word for part in parts_of for word in part.split()]
            for parts_of in itertools.product(*parts)]


def test_make():
    global load
    make_files()
    make_interfaces()
    make_inet()
    make_unix()
    make_programs()
    load = live.Load("mksock")


def test_tcp():
    compare_all(product(["-t", "-t4", "-t6", "--tcp --inet6"],
                        ["-n", "-an", "-ln", "-anW", "-anp", "-ane", "-anee", "-ano", "-anpeoW", "-a",
                         "-l", "-aW", "-aeop", "-na --numeric-hosts", "-a --numeric-hosts",
                         "-a --numeric-ports", "-ae --numeric-users", "-aN", "-lv"]))


def test_every_state_was_compared():
    missing = [s for s in STATES if b" %s " % s.ljust(11).encode() not in seen and
               b" %s\n" % s.ljust(11).encode() not in seen]
    live.equal(missing, [], "states")


def test_udp_and_raw():
    compare_all(product(["-u", "-U", "-w", "-uU", "-wtu", "-u6", "-w4", "--udp --raw"],
                        ["", "-n", "-an", "-ln", "-a", "-l", "-anpeo", "-aeW"]))


def test_unix():
    compare_all(product(["-x", "--unix", "-A unix", "-tx"],
                        ["-n", "-a", "-l", "-ap", "-lp", "-aep", "-aoW", "-av"]))


def test_families():
    compare_all(product(["-A inet", "-A inet6", "-A inet,inet6", "-A inet,unix", "--inet", "--ip", "-4",
                         "-6", "-46", "--protocol=inet6", "-A inet -A inet6", ""],
                        ["-n", "-an", "-al", "-anpe"]))


def test_routes():
    compare_all(product(["-r", "-rn", "-rN", "-r --numeric-hosts", "--route -W"],
                        ["", "-e", "-ee", "-F", "-C", "-CF", "-Ce", "-Cee", "-6", "-46", "-6ee", "-6C",
                         "-A inet,inet6", "-t", "-v"]))
    compare_all([["-r", "-x"], ["-r", "-A", "inet,unix"], ["-r", "-A", "x25"], ["-r", "-A", "ipx"],
                 ["-r", "--ax25"], ["-r", "--rose"], ["-r", "--netrom"], ["-r", "--ddp"]])


def test_interfaces():
    compare_all(product(["-i", "--interfaces"], ["", "-a", "-e", "-ea", "-n", "-W", "-v", "-t", "lo"]))


def test_groups():
    compare_all(product(["-g", "--groups"], ["", "-n", "-4", "-6n", "-46", "-t", "-6t", "-W", "-a", "-N",
                                             "-A inet6", "-x", "-u4"]))


def test_refusals():
    compare_all(product(["-M", "-Mn", "-gM", "-S", "-Sn", "-2", "-f", "-Z", "-q", "--foo", "--ash",
                         "--econet", "-T", "-B", "--ver", "--num", "-rs", "-ri", "-is", "-Mr",
                         "--ipx", "--ax25", "--x25", "--rose", "--netrom", "-A ipx", "-A foo",
                         "-A inet6,foo", "-A bluetooth", "-St", "-Suwan", "-Stuan", "-Sxan"], [""]))


def test_messages():
    """What is said on stderr about things that this kernel does not have."""
    for options in (["-M"], ["-S"], ["-n", "-v"], ["-nva"], ["-nvl"], ["--ipx"], ["-Z"], ["-r", "-x"]):
        said = [subprocess.run([*command, *options], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE).stderr
                for command in (["netstat"], [live.PORTAVOZ, "netstat"])]
        live.equal(said[1], said[0], "stderr of " + " ".join(options))


def tables():
    """Rows that no kernel of today would make, but that the formats have room for."""
    def route(name, flags, destination=0x0a, gateway=0, mask=0xff, values=(0,) * 6):
        refs, use, metric, mss, window, irtt = values
        return ("%s\t%08X\t%08X\t%04X\t%d\t%u\t%d\t%08X\t%d\t%u\t%u" % (
            name, destination, gateway, flags, refs, use, metric, mask, mss, window, irtt)).ljust(127)

    def route6(name, flags, destination, length, gateway, metric=1, refs=1, use=2):
        return "%s %02x %032x %02x %s %08x %08x %08x %08x %8s" % (
            destination, length, 0, 0, gateway, metric, refs, use, flags, name)

    lines = ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"
             "IRTT".ljust(60)] + [route("b%d" % b, 1 | 1 << b) for b in range(28)]
    lines += [route("none", 0), route("longinterfacenm", 0xfdff, 0x0c, 0x01010101, 0xff,
                                      (5, 123456, 4294967, 1500, 65535, 3000)),
              route("big", 3, 0x0c, 0xffffffff, 0xff,
                    (512345678, 1234567890, 429496, 150000, 6553500, 3000000)),
              route("rej", 0x203, 0x0d, 0xffffffff, 0xff, (4, 5, 6, 1, 2, 3)),
              route("rejected", 0x205, 0x0302010a, 0, 0xffffffff), route("all", 1, 0, 0, 0),
              route("part", 1, 0x0302010a, 0, 0xffffff), route("zero", 1, 0, 0, 0xff)]
    any6, long6 = "0" * 32, "20010db8111122223333444455556666"
    lines6 = [route6("b%d" % b, 1 | 1 << b, "20010db8" + "0" * 24, 64, any6) for b in range(32)]
    lines6 += [route6("longinterfacenm", 7, long6, 128, "fe80000000000000" + "1111222233334444", 1024, 1,
                      99999999), route6("x", 0, long6, 128, long6, 2**32 - 1, 123456, 4000000000),
               route6("y", 2**32 - 1, any6, 0, any6)]
    with open("/proc/net/dev") as f:
        dev = f.read().splitlines()
    for i, line in enumerate(dev[2:], 2):
        name, digits = line.split(":")[0], 2 * i - 2
        if "averylongname15" in name:
            continue  # the original shows no counters of a name this long
        dev[i] = name + ": " + " ".join(str(k % 10) * digits for k in range(1, 17))
    with open("/proc/net/igmp") as f:
        igmp = f.read() + "77\tlonginterfacenm:     1      V3\n\t\t\t\t0100000E 12345678 0:0\t\t0\n"
    return {"route": "\n".join(lines) + "\n", "ipv6_route": "\n".join(lines6) + "\n",
            "dev": "\n".join(dev) + "\n", "igmp": igmp}


def test_tables_that_stand_still():
    global fake
    folder = os.path.join(work, "net")
    os.mkdir(folder)
    for name in ("tcp", "tcp6", "udp", "udp6", "unix", "if_inet6", "igmp6", "rt_cache"):
        with contextlib.suppress(OSError), open("/proc/net/" + name, "rb") as f:
            data = f.read()
            with open(os.path.join(folder, name), "wb") as to:
                to.write(data)
    for name, text in tables().items():
        write("net/" + name, text)
    fake = folder
    try:
        compare_all(product(["-rn", "-r"], ["", "-e", "-ee", "-eeW", "-6", "-6ee", "-6C", "-46"]) +
                    product(["-i", "-ia", "-ie", "-iea"], [""]) + product(["-g"], ["-n", ""]))
    finally:
        fake = None


def counters(group):
    """name -> value of one file, read by hand"""
    with open("/proc/net/" + group) as f:
        lines = f.read().splitlines()
    if group == "snmp6":
        return {line.split()[0]: int(line.split()[1]) for line in lines}
    result = {}
    for names, values in zip(lines[::2], lines[1::2]):
        for name, value in zip(names.split()[1:], values.split()[1:]):
            result[names.split(":")[0] + name] = int(value)
    return result


def shown(*options):
    out = live.run("netstat", "-s", *options).stdout.decode()
    result = {}
    for line in out.splitlines():
        words = line.split()
        if line.startswith("    "):
            live.holds(len(words) > 2, "no explanation: " + line)
            result[words[0]] = int(words[1])
    return result, [line[:-1] for line in out.splitlines() if not line.startswith(" ")]


def same_counters(options, read):
    for attempt in range(ATTEMPTS):
        before = read()
        found = shown(*options)[0]
        if before == read() or attempt == ATTEMPTS - 1:
            return live.equal(found, before, "counters of " + " ".join(options))


def test_statistics():
    same_counters((), lambda: {**counters("snmp"), **counters("netstat")})
    same_counters(("-6", "-u"), lambda: {k: v for k, v in counters("snmp6").items()
                                        if k.startswith("Udp")})
    same_counters(("-6",), lambda: {**counters("snmp6"),
                                    **{k: v for k, v in counters("snmp").items()
                                       if k.startswith("Tcp")}})
    for option, group in (("-t", "Tcp"), ("-u", "Udp"), ("-w", "Ip"), ("-w", "Icmp")):
        live.holds(group in shown(option)[1], "%s shows %s" % (option, group))
    live.holds("Udp" not in shown("-t")[1] and "Tcp" not in shown("-u")[1], "selection")


def test_counters_of_a_name_of_fifteen_bytes():
    """A deliberate difference: the original shows zeros."""
    live.shell("ip link set averylongname15 up; ip link set x1 up; sleep 1; ip link set x1 down")
    with open("/proc/net/dev") as f:
        words = [line.split() for line in f if "averylongname15" in line][0]
    line = [line.split() for line in live.run("netstat", "-ia").stdout.decode().splitlines()
            if line.startswith("averylongname15")][0]
    live.holds(words[10] != "0", "something was sent")
    live.equal([line[2], line[6]], [words[2], words[10]], "counters")
    live.shell("ip link set averylongname15 down")


def test_called_netstat():
    link = os.path.join(work, "netstat")
    os.symlink(live.PORTAVOZ, link)
    live.equal(run([link, "-rn"]), run(["netstat", "-rn"]), "called netstat")


def test_hostile_names_are_escaped():
    hostile = keep(socket.AF_UNIX, socket.SOCK_DGRAM, bind="\0evil\x1b[31m\x7f\u202e")
    make_program("evil\x1b]0;x\x07\n\u202e")
    for options in (["-xa"], ["-tlnp"]):
        live.no_raw(live.run("netstat", *options).stdout, " ".join(options))
    out = live.run("netstat", "-xa").stdout
    live.holds(rb"@evil\x1b[31m\x7f\xe2\x80\xae" in out, "name is shown, escaped")
    hostile.close()


def test_continuous():
    """Headings once, then a list a second; what is piped is not redrawn."""
    with subprocess.Popen([live.PORTAVOZ, "netstat", "-c", "-i"], stdout=subprocess.PIPE) as p:
        lines = []
        while sum(line.startswith(b"Iface") for line in lines) < 3:
            lines.append(p.stdout.readline())
        p.kill()
    live.equal(sum(line.startswith(b"Kernel") for line in lines), 1, "headings")
    live.holds(b"\x1b" not in b"".join(lines), "no escape sequence in a pipe")


def redraws(*options, count):
    """On a terminal: what is written, and when each list begins, in seconds after the first."""
    pid, fd = pty.fork()
    if not pid:
        os.execv(live.PORTAVOZ, [live.PORTAVOZ, "netstat", "-c", *options])
    out, times = b"", []
    while len(times) < count:
        out += os.read(fd, 65536)
        times += [time.monotonic()] * (out.count(CLEAR) - len(times))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(fd)
    return out, [t - times[0] for t in times]


def test_continuous_on_a_terminal():
    """Each list clears the screen and has its headings; a list that takes long does not put off the
    next: with 0.4 s for names that nobody tells, five would else take 5.6 s and more."""
    out, _ = redraws("-i", count=3)
    lists = out.split(CLEAR)
    live.equal(lists[0], b"", "nothing before the first list")
    live.holds(all(one.startswith(b"Kernel Interface table\r\nIface") for one in lists[1:3]), repr(lists[1][:60]))
    keep(socket.AF_INET, socket.SOCK_DGRAM, bind=("127.0.0.1", 5300))  # answers nothing
    keep(socket.AF_INET, socket.SOCK_DGRAM, connect=("127.9.9.9", 9))
    _, times = redraws("-u", "--dns-timeout=400", "--dns-servers=127.0.0.1:5300", count=5)
    live.holds(times[4] < 5.2, "five lists began after %r seconds" % times)


def test_continuous_on_a_screen():
    """A real screen holds one list, not what came before."""
    if not shutil.which("tmux"):
        raise live.Skip("no tmux")
    tmux = ["tmux", "-S", os.path.join(work, "tmux")]
    subprocess.run([*tmux, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40",
                    "echo before; %s netstat -c -rn" % live.PORTAVOZ], check=True)
    time.sleep(2.5)  # it has been drawn again, twice or more
    screen = subprocess.run([*tmux, "capture-pane", "-p"], check=True, stdout=subprocess.PIPE).stdout
    subprocess.run([*tmux, "kill-server"], check=False)
    live.equal((screen.count(b"Kernel IP routing table"), b"before" in screen), (1, False), "screen")


def test_windows():
    out = live.run("netstat", "--windows", "-nao").stdout.decode()
    live.holds(re.search(r"(?m)^  TCP    127\.0\.0\.1:80 +0\.0\.0\.0:0 +LISTENING +\d+$", out), out[:500])
    live.holds(re.search(r"(?m)^  UDP    0\.0\.0\.0:53 +\*:\* ", out), out[:500])
    live.holds("[::1]:161" in out and "Active Connections" in out, out[:500])
    live.holds(" [foo]" in live.run("netstat", "--windows", "-nab").stdout.decode(), "-b")
    live.holds("localhost:http" in live.run("netstat", "--windows", "--dns-timeout=0").stdout.decode(),
               "names by default")


def test_enough_was_compared():
    print("        %d cases compared" % compared)
    live.holds(compared >= 150, "only %d cases" % compared)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
    os.chdir("/")
    shutil.rmtree(work, ignore_errors=True)


if not shutil.which("netstat"):
    live.skip_all("net-tools is not installed")
live.main(globals(), pid=True)
