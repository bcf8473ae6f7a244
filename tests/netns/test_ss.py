#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""portavoz ss against iproute2's ss: the same bytes, and the same exit status.

Both look at one namespace with every kind of socket and state. The original runs before and after
ours; only when it agrees with itself is there something to compare. Where times move between two
runs those values alone are masked, and the padding, which follows from their length.
"""
import contextlib
import ctypes
import fcntl
import itertools
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import live

SS = "/usr/bin/ss" if os.path.exists("/usr/bin/ss") else "/bin/ss"
ATTEMPTS = 6
# what counts time, or the memory of who asks; each with the number behind it
MOVING = re.compile(rb"\b(lastsnd|lastrcv|lastack|busy|rcv_rtt|rwnd_limited|sndbuf_limited):[\w.%()]+")
TIMER = re.compile(rb"timer:\((on|keepalive|timewait|persist),[\w.]*,")
# the tools' own sockets, and those of the kernel that answer them
OWN = re.compile(rb"(?m)^.* (tcpdiag|4):\S+ +\*.*\n")
NETLINK = re.compile(rb" [\w-]+:\S+ +\*( |$)")
STATES = ["ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
          "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING"]
NETIDS = ["nl", "p_raw", "p_dgr", "u_str", "u_dgr", "u_seq", "udp", "tcp", "mptcp"]

# all but packet sockets, which would count what passes the loopback device
TCP_KINDS = ["listen", "backlog", "syn_recv", "established", "unsent", "fin_wait1", "half_closed", "last_ack",
             "closing", "time_wait", "orphan", "bound", "mptcp", "udp", "udplite"]
OTHER_KINDS = ["raw", "raw6", "ping", "unix_stream", "unix_seqpacket", "unix_dgram", "unix_path", "unix_pair",
               "netlink", "vsock", "xdp", "sctp"]

kept = []
children = []
seen = b""
compared = 0
load = None


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


def make_inet():
    four, six = socket.AF_INET, socket.AF_INET6
    for family, address in ((four, ("127.0.0.1", 80)), (six, ("::", 25)), (six, ("fe80::1", 8080, 0, 1)),
                            (six, ("::ffff:127.0.0.1", 993)), (four, ("0.0.0.0", 5432))):
        server = keep(family, socket.SOCK_STREAM, bind=address, listen=7)
        client = keep(family, socket.SOCK_STREAM, connect=server.getsockname())
        kept.append(server.accept()[0])
        client.send(b"x" * 3000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    only6 = keep(six, socket.SOCK_STREAM)
    only6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    only6.bind(("::", 8443))
    only6.listen()
    device = keep(four, socket.SOCK_STREAM)
    device.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    device.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x2a)
    device.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
    device.bind(("0.0.0.0", 8444))
    device.listen()
    keep(four, socket.SOCK_STREAM, bind=("127.0.0.1", 8445))  # bound and idle
    dgram = socket.SOCK_DGRAM
    keep(four, dgram, bind=("0.0.0.0", 53))
    keep(four, dgram, bind=("127.0.0.1", 123), connect=("127.0.0.1", 53))
    keep(six, dgram, bind=("::", 5353))
    keep(six, dgram, bind=("::1", 161), connect=("::1", 5353))
    for protocol in (1, 6, 17, 58, 89):
        keep(four, socket.SOCK_RAW, protocol)
    keep(six, socket.SOCK_RAW, 58)
    keep(six, socket.SOCK_RAW, 58, bind=("::1", 0), connect=("::1", 0))
    for name in ("cubic", "reno", "vegas", "dctcp"):
        s = keep(four, socket.SOCK_STREAM)
        try:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        except OSError:
            continue  # not every kernel has each of them
        s.connect(("127.0.0.1", 80))


def make_unix(work):
    stream, dgram, packet = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
    unix = socket.AF_UNIX
    keep(unix, stream, bind=work + "/with spaces in it", listen=3)
    keep(unix, dgram, bind=work + "/datagrams-with-a-very-long-name-that-goes-on-and-on-and-on")
    keep(unix, packet, bind="\0abstract name", listen=3)
    keep(unix, stream, bind="\0nul\0in\0it", listen=3)
    path = work + "/listener"
    listener = keep(unix, stream, bind=path, listen=5)
    for _ in range(3):
        keep(unix, stream, connect=path)
    kept.append(listener.accept()[0])
    pair = socket.socketpair(unix, stream)
    pair[0].shutdown(socket.SHUT_WR)
    kept.extend(pair + socket.socketpair(unix, dgram) + socket.socketpair(unix, packet))


def make_packet():
    """With a filter, a ring and a fanout, on a device that nothing passes."""
    s = keep(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0806), bind=("quiet", 0x0806))
    code = struct.pack("HBBI", 0x06, 0, 0, 0xffff)
    code = ctypes.create_string_buffer(code)
    s.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(code)))  # SO_ATTACH_FILTER
    s = keep(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3), bind=("quiet", 3))
    s.setsockopt(263, 5, struct.pack("IIII", 4096, 2, 2048, 4))  # PACKET_RX_RING
    s.setsockopt(263, 8, 1)  # PACKET_AUXDATA
    s = keep(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88cc), bind=("quiet", 0x88cc))
    s.setsockopt(263, 18, 7 | 1 << 16)  # PACKET_FANOUT: round robin
    s = keep(socket.AF_NETLINK, socket.SOCK_RAW, 15)
    s.bind((0, 1))
    s = keep(socket.AF_NETLINK, socket.SOCK_RAW, 2)
    s.bind((0, 0))


def make_program(name, sockets=1):
    """A process of that name that holds listeners, two descriptors each."""
    ready, said = os.pipe()
    child = os.fork()
    if child == 0:
        live.libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        for _ in range(sockets):
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            s.listen()
            os.dup(s.fileno())
            kept.append(s)
        with open("/proc/self/comm", "w") as f:
            f.write(name)
        os.write(said, b"x")
        threading.Event().wait()
    os.close(said)
    os.read(ready, 1)
    os.close(ready)
    children.append(child)


def run(command, prefix=(), text=b""):
    with subprocess.Popen([*prefix, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.PIPE) as process:
        out = process.communicate(text, timeout=60)[0]
    # ss has one more, for the names of interfaces
    own = re.compile(rb"(?m)^.* (?:rtnl|0):(?:ss/)?%d .*\n" % process.pid)
    return once(own.sub(b"", OWN.sub(b"", out))), process.returncode


def once(output):
    """The kernel lists a netlink socket of a multicast group twice, and so does ss."""
    met, lines = set(), []
    for line in output.split(b"\n"):
        if not NETLINK.search(line) or line not in met:
            lines.append(line)
        met.add(line)
    return b"\n".join(lines)


def fields(output):
    """Without what moves, and without the padding that follows from it."""
    output = TIMER.sub(rb"timer:(\1,*,", MOVING.sub(rb"\1:*", output))
    return [line.split() for line in output.split(b"\n")]


def masked(done, by_field):
    return (fields(done[0]), done[1]) if by_field else done


def compare(options, by_field=False, runner=run):
    global seen, compared
    ours = [live.PORTAVOZ, "ss", "--dns-timeout=0", *options]
    for _ in range(ATTEMPTS):
        before = masked(runner([SS, *options]), by_field)
        found = masked(runner(ours), by_field)
        raw = runner([SS, *options])
        wanted = masked(raw, by_field)
        if before == wanted and found == wanted:
            break
    if before != wanted:
        moved = [pair for pair in itertools.zip_longest(before[0], wanted[0]) if pair[0] != pair[1]]
        raise AssertionError("%s: the original never agreed with itself: %r" % (options, moved[:2]))
    seen += raw[0]
    compared += 1
    if found == wanted:
        return None
    lines = [x if by_field else x.split(b"\n") for x in (found[0], wanted[0])]
    for ours, theirs in itertools.zip_longest(*lines):
        if ours != theirs:
            return "%s: status %d, wanted %d; first line that differs:\n  ours   %r\n  theirs %r" % (
                " ".join(options), found[1], wanted[1], ours, theirs)
    return "%s: status %d, wanted %d" % (" ".join(options), found[1], wanted[1])


def compare_all(cases, **kwargs):
    wrong = [said for said in (compare(case, **kwargs) for case in cases) if said]
    if wrong:
        raise AssertionError("%d of %d cases differ\n%s" % (len(wrong), len(cases),
                                                          "\n".join(wrong[:12])))


def product(*parts):
    return [[word for part in parts_of for word in part.split()]
            for parts_of in itertools.product(*parts)]


def test_make():
    global load
    work = "/run/portavoz-ss"
    live.shell("mount -t tmpfs none /run; mkdir %s; ip link add quiet type veth peer name still" % work)
    load = live.Load("mksock", *[kind + variant for variant in ("", "@6", "@mapped", "@linklocal")
                                 for kind in TCP_KINDS], *OTHER_KINDS)
    make_inet()
    make_unix(work)
    make_packet()
    make_program("two words", 2)
    shared = keep(socket.AF_INET, socket.SOCK_STREAM, bind=("127.0.0.1", 99), listen=1)
    make_program("sharer")
    live.equal(shared.getsockname()[1], 99, "a socket of two processes")


def test_plain():
    compare_all(product(["-t", "-u", "-x", "-w", "-tu", "-tux", "-M", "-0", "-4", "-6", "-S", "-d", "--vsock",
                         "-txwu", ""],
                        ["-an", "-ln", "-n", "-Han", "-anO", "-anp"]) +
                product(["-t", "-u", "-x", "-w", "-tux", "-M", "-0"], ["-a"]))
    # the longer name of the program that asks widens a column
    compare_all([["-a"], ["-l"], ["-A", "netlink", "-a"]], by_field=True)


def test_states_and_kinds_were_compared():
    """Before the options that hide these columns."""
    words = set(seen.split())
    live.equal([s for s in STATES if s.encode() not in words], [], "states")
    live.equal([n for n in NETIDS if n.encode() not in words], [], "kinds of socket")
    # as sock_diag names them, or as their table does
    live.holds({b"icmp6", b"???"} < words or b"raw" in words, "raw sockets")


def test_details():
    compare_all(product(["-tan", "-uan", "-xan", "-wan", "-0an", "-Man", "-an"],
                        ["-e", "-o", "-m", "-eO", "-meO", "-pe", "-poH", "-mO", "--tos", "--cgroup",
                         "--inet-sockopt", "--inet-sockopt -O", "-b", "-bO"]), by_field=True)


THREADS = r"""
import ctypes, socket, sys, threading
libc = ctypes.CDLL(None)
shared = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
shared += [socket.socket(socket.AF_UNIX)]
shared[2].bind("\0threads")
shared[2].listen()
ports = [s.getsockname()[1] for s in shared[:2]]
ready = threading.Barrier(4)


def work(n):
    libc.prctl(15, b"worker %d" % n)
    if n == 2:
        libc.unshare(0x400)  # CLONE_FILES: descriptors of its own from here on
        shared.append(socket.create_server(("127.0.0.1", 0)))
        ports.append(shared[-1].getsockname()[1])
    ready.wait()
    threading.Event().wait()


for n in range(3):
    threading.Thread(target=work, args=(n,), daemon=True).start()
ready.wait()
print(*ports, flush=True)
shared[1].close()
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def threads():
    process = subprocess.Popen([sys.executable, "-c", THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ports = process.stdout.readline().decode().split()
    live.equal(process.stdout.readline(), b"ready\n", "the program with threads")
    try:
        yield process.pid, ports
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_threads():
    with threads() as (pid, ports):
        compare_all(product(["-tlnT", "-xlT", "-tuxnT", "-Tpltx", "-TpexO"], ["", "-H"]), by_field=True)
        said = live.run("ss", "-tlnTH").stdout.decode()
        lines = {line.split()[3].split(":")[-1]: re.findall(r"tid=(\d+)", line) for line in said.splitlines()}
        live.equal([len(lines[port]) for port in ports], [4, 1, 1], "threads that hold them")
        live.equal(int(lines[ports[0]][-1]), pid, "the leader comes last")


def test_contexts_without_selinux():
    live.holds(not os.path.exists("/sys/fs/selinux/enforce"), "SELinux is not to run here")
    compare_all([["-Z", "-tln"], ["-z"], ["-tlnZ", "-p"], ["--context"], ["--contexts", "-x"]])


def test_contexts():
    """What a security module writes, which this kernel has none of: its files stand in for it."""
    live.shell("mount -t tmpfs none /sys/fs; mkdir -p /sys/fs/selinux/initial_contexts; "
               "echo 1 >/sys/fs/selinux/enforce; printf kernel_t >/sys/fs/selinux/initial_contexts/kernel; "
               "printf 'system_u:system_r:web_t:s0' >/sys/fs/label")
    try:
        with threads() as (pid, ports):
            live.shell("mount --bind /sys/fs/label /proc/%d/attr/current" % pid)
            said = live.run("ss", "-tlnHZ", "sport", "=", ":" + ports[0]).stdout.decode()
            live.holds('users:(("python3",pid=%d,proc_ctx=system_u:system_r:web_t:s0,fd=3))' % pid in said, said)
            said = live.run("ss", "-tlnHzT", "sport", "=", ":" + ports[0]).stdout.decode()
            live.holds(',tid=%d,proc_ctx=system_u:system_r:web_t:s0,fd=3,sock_ctx=unavailable))' % pid in said, said)
            live.holds('("worker 1",' in said and "proc_ctx=unavailable" in said, said)
            said = live.run("ss", "-A", "netlink", "-anHZ").stdout.decode()
            live.holds(re.search(r":0 +\* +proc_ctx=kernel_t", said), said)
            live.shell("umount /proc/%d/attr/current" % pid)
    finally:
        live.shell("umount -l /sys/fs")


def options_of_help():
    """Pairs of an option and the word that stands for its value, or None, of the tool that is installed."""
    text = subprocess.run([SS, "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
    found = []
    for line in text.splitlines():
        head = re.match(r"   (-\S.*?)(?:  |$)", line) or re.match(r"       (--\S+)  ", line)
        for word in head.group(1).split(", ") if head else []:
            found.append(tuple(word.split("=", 1)) if "=" in word else (word, None))
    return found


def test_every_option_of_help():
    """Each option that the original knows is known, means the same and ends the same."""
    options = dict(options_of_help())
    live.holds({"-E", "-T", "--contexts", "--tipc", "--inet-sockopt", "--query", "-z"} <= set(options), "the help")
    words = {"-f": ["unix"], "--family": ["tipc"], "-A": ["tcp,udp"], "--query": ["!unix,inet"], "--socket": ["tipc"],
             "-N": ["none-such"], "--net": ["none-such"], "-F": ["/dev/null"], "--filter": ["/dev/null"],
             "-D": ["/dev/null"], "--diag": ["/dev/null"]}
    wrong = []
    for option in options:
        if option in ("-E", "--events"):
            continue  # test_events
        case = [option, *words.get(option, [])]
        if option in ("-h", "--help", "-V", "--version"):
            live.equal(subprocess.run([live.PORTAVOZ, "ss", *case], stdout=subprocess.DEVNULL, check=False).returncode,
                       subprocess.run([SS, *case], stdout=subprocess.DEVNULL, check=False).returncode, option)
        elif option in ("-K", "--kill"):
            found = run([live.PORTAVOZ, "ss", "--yes", *case, "-t", "sport", "=", ":1"])
            live.equal(found, run([SS, *case, "-t", "sport", "=", ":1"]), option)
        else:
            more = [] if option in ("-s", "--summary", "-D", "--diag") else ["-an"]
            wrong.append(compare(case + more, by_field=True))
    wrong = [said for said in wrong if said]
    live.equal(wrong, [], "options that differ")


def wait_listening(process):
    """Until it is in groups of sock_diag, which is protocol 4."""
    for _ in range(500):
        with open("/proc/net/netlink") as f:
            for line in f.readlines()[1:]:
                words = line.split()
                if words[1] == "4" and int(words[2]) == process.pid and int(words[3], 16):
                    return
        if process.poll() is not None:
            return
        time.sleep(0.01)
    raise AssertionError("it does not listen to events")


def destroy_some():
    """Listeners, ends that closed and that reset, of UDP one bound to a device."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        server = socket.create_server((host, 9001), family=family)
        for port in (45000, 45001):
            client = socket.socket(family)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((host, port))
            client.connect((host, 9001))
            accepted = server.accept()[0]
            accepted.send(b"hello")
            client.recv(5 if port == 45000 else 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            accepted.close()
        server.close()
        a, b = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        a.bind((host, 9002))
        b.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        b.bind((host, 9003))
        b.connect((host, 9002))
        a.close()
        b.close()


def events(*options):
    """What both tools say of the same sockets, and how they end."""
    commands = ["stdbuf", "-oL", SS], [live.PORTAVOZ, "ss"]
    running = [subprocess.Popen([*command, "-E", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
               for command in commands]
    for process in running:
        wait_listening(process)
    destroy_some()
    said = []
    for process in running:
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said.append((process.communicate(timeout=60)[0], process.returncode))
    return said


def test_events():
    """Byte for byte, times and cookies too: both hear of the same sockets at the same time."""
    cases = ["", "-t", "-tn", "-tani", "-tanoep", "-una", "-tanm", "-tanH", "-tanO -ie", "-tn state established",
             "-tan sport = :9001", "-a -4", "-tn6", "-A all -n", "-tunaem", "-tn dst 127.0.0.1", "-unl", "-tun dev lo",
             "-tn sport = :1", "-un not sport = :9002"]
    for case in cases:
        wanted, found = events(*case.split())
        live.equal(found, wanted, "-E " + case)
        live.equal(found[1], -signal.SIGINT, "how it ends")
        live.holds(len(found[0].splitlines()) > 2 or ":1" in case, "it says something: %r" % found[0])
    for case in ("-x", "-wn"):
        live.equal([done[1] for done in events(*case.split())], [255, 255], "no such events: " + case)


def test_events_under_other_names():
    """--redact, with a filter that means the true names."""
    live.shell("ip addr add 203.0.113.5/24 dev quiet; ip link set quiet up")
    try:
        with live.folder() as folder:
            with open(folder + "/key", "wb") as f:
                f.write(os.urandom(32))
            os.chmod(folder + "/key", 0o600)
            process = subprocess.Popen([live.PORTAVOZ, "ss", "-EunH", "--redact", folder + "/key", "src", "203.0.113.5"],
                                       stdout=subprocess.PIPE)
            wait_listening(process)
            for host in ("203.0.113.5", "127.0.0.1"):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind((host, 9004))
                s.close()
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[0].decode().splitlines()
        live.holds(len(said) == 1 and "203.0.113.5" not in said[0] and ":9004" in said[0], "%r" % said)
    finally:
        live.shell("ip link set quiet down; ip addr del 203.0.113.5/24 dev quiet")


def test_events_end_with_the_reader():
    process = subprocess.Popen([live.PORTAVOZ, "ss", "-E", "-tn"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_listening(process)
    process.stdout.close()
    live.holds(process.wait(timeout=60) != 0, "it ends when nobody reads")


def test_details_keep_the_padding():
    compare_all(product(["-xan", "-0an", "-uan", "-wan", "-ltn"],
                        ["-e", "-m", "-eO", "-emO", "--tos", "--cgroup", "--inet-sockopt"]))


def test_info():
    compare_all(product(["-ta", "-tan", "-uan", "-wan", "-Man", "-tl", "-an"],
                        ["-i", "-iO", "-im", "-ime", "-imeoO", "-ipe"]), by_field=True)


def test_tables():
    compare_all(product(["-A all", "-A inet", "-A tcp,udp", "-A unix", "-A unix_stream", "-A u_dgr", "-A u_seq",
                         "-A packet", "-A p_raw", "-A netlink", "-A all,!netlink", "-A !tcp", "-t -A udp",
                         "-A udp -t", "-A inet,!udp", "-A mptcp", "-f inet", "-f inet6", "-f unix",
                         "-f link", "-f netlink", "-f vsock", "-f xdp", "-46", "-64", "-4 -x", "-x -t",
                         "-xt4", "--query=raw", "--socket tcp", "-tl -a", "-ta -l"],
                        ["-n", "-an", "-ln"]))


def test_filters():
    compare_all([case.split() for case in (
        "-tan sport = :80", "-tan sport = :http", "-tan dport = 80 or sport = 80", "-tan dst 127.0.0.1",
        "-tan dst 127.0.0.1:80", "-tan src 127.0.0.0/8", "-tan src [::1]", "-tan src [fe80::1]:8080",
        "-tan sport >= 8000 and sport lt 9000", "-tan not dst 127.0.0.1", "-tan ! ( sport = :80 or dport = :80 )",
        "-tan state listening", "-tan state established sport = :80", "-tan exclude listening",
        "-tan state big", "-tan state bucket", "-tan excl time-wait excl listening", "-tan dev lo",
        "-tan dev != lo", "-tan fwmark = 0x2a", "-tan fwmark = 0x2a/0xff", "-uan sport eq 53 | dport eq 53",
        "-xan src /run/portavoz-ss/*", "-xan src *abstract*", "-an src unix:/run/portavoz-ss/listener",
        "-n state closed", "-n -o state time-wait", "-an -A netlink src netlink:*",
        "-0an src link:*:quiet", "-tan inet:127.0.0.1", "-an state all dst :80 and dst 127.0.0.1",
        # to ss "and" and "or" bind alike, from left to right
        "-tan sport = :80 or sport = :8080 and sport = :8080", "-tan sport = :80 or not sport = :8080 dst 127.0.0.1",
        "-tan not sport = :80 or sport = :80 and dport = :80")
        if "inet:127" not in case and "unix:" not in case and "-o" not in case])
    with open("/proc/mounts") as f:
        groups = [line.split()[1] for line in f if line.split()[2] == "cgroup2"]
    compare_all([["-tan", "cgroup", "=", group] for group in groups] + [["-tan", "cgroup", "!=", group] for group in groups])
    compare_all([["-tan", "-F", "/dev/stdin", "state", "established"]],
                runner=lambda c: run(c, text=b"sport = :80\n or dport = :80\n"))


def test_nothing_to_show():
    for options in ("-A !tcp", "-x -A tcp -f unix"):
        said = []
        for command in ([SS], [live.PORTAVOZ, "ss"]):
            done = subprocess.run([*command, *options.split()], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False)
            said.append((done.returncode, done.stdout, done.stderr))
        live.equal(said[1], said[0], options)


def run_summary(command):
    # ss counts a socket of its own
    out, status = run(command)
    return re.sub(rb"Total: \d+", b"Total: *", out), status


def test_summary():
    compare_all([["-s"], ["-s", "-n"], ["-s", "-tln"], ["--summary"]], runner=run_summary)


def on_terminal(width):
    def runner(command):
        pid, fd = pty.fork()
        if not pid:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
            os.execv(command[0], command)
        out = b""
        try:
            while chunk := os.read(fd, 65536):
                out += chunk
        except OSError:
            pass  # EIO: the other end closed
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        return OWN.sub(b"", out.replace(b"\r\n", b"\n")), status
    return runner


def test_terminals():
    for width in (20, 40, 61, 80, 100, 160, 250):
        compare_all(product(["-tan", "-tanp", "-uan", "-xan", "-wan"], ["", "-H"]), runner=on_terminal(width))


def test_at_least_as_many_cases():
    live.holds(compared >= 400, "%d cases" % compared)


def ours(*args, **kwargs):
    return live.run("ss", *args, **kwargs)


def test_link_of_that_name():
    with live.folder() as path:
        link = os.path.join(path, "ss")
        os.symlink(live.PORTAVOZ, link)
        lib = {"LD_LIBRARY_PATH": os.path.join(os.path.dirname(live.PORTAVOZ), "../lib")}
        done = subprocess.run([link, "-tln"], stdout=subprocess.PIPE, check=True,
                              env={**os.environ, **lib})
        live.equal(done.stdout, ours("-tln").stdout, "output of the link")


def test_what_cannot_be_had_is_said():
    for option in ("-E -K --yes", "-E -D /dev/null", "-T --replay /nonexistent", "-f ipx", "-A nothing", "--no-such-thing", "-tan state nothing", "--yes",
                   "-F /nonexistent"):
        done = ours(*option.split(), expect=255)
        live.holds(done.stderr.startswith(b"portavoz: ") and not done.stdout, "%s: %r" % (option, done.stderr))


def test_newer_options():
    rows = [line.split() for line in ours("-HtanB").stdout.decode().splitlines()]
    live.equal([row[2] for row in rows if row[2].startswith("127.0.0.1:844")], ["127.0.0.1:8445"], "-B")
    header = ours("-tanQ").stdout.split(b"\n")[0].split()
    live.holds(b"Recv-Q" not in header and b"State" in header, "-Q: %r" % header)


def test_namespace_by_name():
    live.shell("ip netns add portavoz-ss; ip netns exec portavoz-ss ip link set lo up")
    try:
        with live.Load("mksock", "listen", prefix=("ip", "netns", "exec", "portavoz-ss")) as inside:
            port = ":%d " % inside.made[0]["local_port"]
            options = ["-N", "portavoz-ss", "-tlnp"]
            live.equal(run([live.PORTAVOZ, "ss", *options]), run([SS, *options]), "-N")
            live.holds(port in ours(*options).stdout.decode(), "listener of the namespace")
            live.holds(port not in ours("-tln").stdout.decode(), "it is not in ours")
    finally:
        live.shell("ip netns delete portavoz-ss")
    ours("-N", "no-such-namespace", expect=1)


def test_of_a_recording():
    with live.folder() as path:
        name = os.path.join(path, "recording")
        live.run("list", "--record", name)
        for options in ("-tanp", "-uan", "-xane", "-0anme", "-tan dev lo"):
            live.equal(ours(*options.split(), "--replay", name).stdout, ours(*options.split()).stdout, options)


def test_hostile_names_stay_one_field():
    with live.Load("evilproc", "names") as evil:
        out = ours("-Hltnp").stdout
        live.no_raw(out, "names of programs")
        for m in evil.made:
            lines = [line for line in out.split(b"\n") if b":%d " % m["port"] in line]
            live.equal(len(lines), 1, "rows of port %d" % m["port"])
            live.equal(re.findall(rb"\),\(", lines[0]).__len__(), 0, "holders of %r" % lines[0])
            live.holds(b"pid=%d,fd=" % m["pid"] in lines[0], "pid in %r" % lines[0])


def test_end():
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


live.main(globals())
