# SPDX-License-Identifier: MIT
"""What every live test shares: its own namespaces, loads that die with it, portavoz's answers.

A test is a file with functions test_*; each runs even when another failed. Exit 0: all hold,
1: some do not, 77: this host or user cannot run them, with the reason.
"""
import atexit
import contextlib
import ctypes
import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

PORTAVOZ = os.path.abspath(os.environ.get("PORTAVOZ", "build/cli/portavoz"))
HELPERS = os.path.abspath(os.environ.get("PORTAVOZ_HELPERS", "build/tests/helpers"))


def reachable(program, helpers):
    """Both where every user may run them: under a home of root's they are copied for the time of the test."""
    folder = os.path.dirname(program)
    while folder != "/" and os.stat(folder).st_mode & 1:
        folder = os.path.dirname(folder)
    if folder == "/":
        return program, helpers
    # not below /tmp: what lies where everybody may write is suspicious
    copy = tempfile.mkdtemp(prefix="portavoz-build-", dir="/opt" if os.access("/opt", os.W_OK) else None)
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    os.chmod(copy, 0o755)
    for name in ("cli/portavoz", "lib/libportavoz.so.0"):
        os.makedirs(os.path.join(copy, os.path.dirname(name)))
        shutil.copy(os.path.join(os.path.dirname(program), "..", name), os.path.join(copy, name))
    shutil.copytree(helpers, os.path.join(copy, "helpers"), ignore=shutil.ignore_patterns("*.p"))
    return os.path.join(copy, "cli/portavoz"), os.path.join(copy, "helpers")


if os.path.exists(PORTAVOZ):
    PORTAVOZ, HELPERS = reachable(PORTAVOZ, HELPERS)
NO_PROC = ("unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh")
with open(PORTAVOZ, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
LONG = int(os.environ.get("PORTAVOZ_LONG", "1"))  # multiplies the runs of the churn tests

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000
host_netns = -1
libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    pass


def skip_all(why):
    print("skipped:", why)
    sys.exit(77)


def unshare(flags):
    if libc.unshare(flags):
        skip_all("unshare: " + os.strerror(ctypes.get_errno()))


def shell(command):
    subprocess.run(["sh", "-ec", command], check=True)


def isolate(pid):
    global host_netns
    host_netns = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if os.geteuid() or not os.path.exists(PORTAVOZ):
        skip_all("needs root and " + PORTAVOZ)
    unshare(CLONE_NEWNET | CLONE_NEWNS | (CLONE_NEWPID if pid else 0))
    if pid:
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    libc.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    shell("mount --make-rprivate /; ip link set lo up; ip addr add fe80::1/64 dev lo nodad")
    if pid:
        shell("mount -t proc proc /proc")
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as f:
        f.write("0 2147483647")


class Load:
    """A helper program, from "ready" on. `made` are its JSON lines."""

    def __init__(self, name, *args, prefix=()):
        self.process = subprocess.Popen([*prefix, os.path.join(HELPERS, name), *map(str, args)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        start_new_session=True)
        self.made = []
        for line in self.process.stdout:
            if line == b"ready\n":
                return
            self.made.append(json.loads(line))
        if self.process.wait() == 77:
            raise Skip("%s cannot run here" % name)
        raise RuntimeError("%s failed: %d" % (name, self.process.returncode))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.last_words = self.process.stdout.read()
        self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:  # its children are ours now: none outlives the test
                os.waitpid(-self.process.pid, 0)


def run(*args, prefix=(), expect=0, env=None, timeout=60, **kwargs):
    """Runs portavoz; its output as bytes. `expect`: the exit status, None for any."""
    command = [*prefix, PORTAVOZ, *map(str, args)]
    # without /proc the dynamic loader does not know where the program lies
    base = {**os.environ, "LD_LIBRARY_PATH": os.path.join(os.path.dirname(PORTAVOZ), "../lib")}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=timeout, env={**base, **(env or {})},
                          **kwargs)
    # what the sanitizer's run-time says of a missing /proc is not the program's word
    done.stderr = re.sub(rb"==\d+==WARNING: reading executable name[^\n]*\n", b"", done.stderr)
    if expect is not None and done.returncode != expect:
        raise AssertionError("%s: exit %d, expected %d: %s" % (
            " ".join(command), done.returncode, expect, done.stderr[-500:].decode(errors="replace")))
    return done


COLUMNS = ("proto,state,local_addr,local_port,remote_addr,remote_port,recv_q,send_q,uid,inode,"
           "cookie,netns,path,owners,owner_reason,peer_pid,direction,direction_by")


def document(*args, columns=COLUMNS, **kwargs):
    return json.loads(run("list", "--json", "--columns", columns, *args, **kwargs).stdout)


def rows(*args, **kwargs):
    return document(*args, **kwargs)["conversations"]


def gaps(doc):
    """The coverage as {kind: count}."""
    counts = {}
    for gap in doc["coverage"]["gaps"]:
        counts[gap["kind"]] = counts.get(gap["kind"], 0) + gap["count"]
    return counts


def by_cookie(conversations):
    return {row["cookie"]: row for row in conversations if row["cookie"]}


def pids(row):
    return sorted({owner["pid"] for owner in row["owners"] or []})


def address(text):
    """An address without scope or brackets, or None for "any"."""
    text = (text or "").split("%")[0].strip("[]")
    ip = ipaddress.ip_address(text) if text not in ("", "*") else None
    return None if ip is None or ip.is_unspecified else ip


def equal(found, wanted, what):
    if found != wanted and isinstance(found, (set, list)) and isinstance(wanted, (set, list)):
        more = [x for x in found if x not in wanted]
        less = [x for x in wanted if x not in found]
        order = [] if isinstance(found, set) else [pair for pair in zip(found, wanted) if pair[0] != pair[1]]
        raise AssertionError("%s: found %d, wanted %d; too many %r, too few %r, first differences %r" % (
            what, len(found), len(wanted), more[:4], less[:4], order[:2]))
    if found != wanted:
        raise AssertionError("%s: %r, wanted %r" % (what, found, wanted))


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def unescape(text, field=False):
    """The bytes that a shown name stands for (ui/text/escape.h)."""
    if field and text == '""':
        return b""
    out, i = b"", 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i].encode()
            i += 1
        elif text[i + 1] == "\\":
            out += b"\\"
            i += 2
        else:
            equal(text[i + 1], "x", "escape in %r" % text)
            out += bytes([int(text[i + 2:i + 4], 16)])
            i += 4
    return out


CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xaf]|\xe2\x81[\xa6-\xa9]")


def no_raw(data, what):
    """No control byte but newline (and tab), no bidirectional or invisible mark, valid UTF-8."""
    hit = CONTROL.search(data.replace(b"\r\n", b"\n"))
    if hit:
        raise AssertionError("%s: raw %r in %r" % (what, hit.group(),
                                                   data[max(0, hit.start() - 40):hit.end() + 20]))
    data.decode("utf-8")


def as_nobody(*more):
    return ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps",
            "-all", *more)


def without_caps(*names):
    drop = ",".join("-" + name for name in names)
    return ("setpriv", "--inh-caps", drop, "--bounding-set", drop)


def denied(*what):
    return (os.path.join(HELPERS, "deny"), *what, "--")


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="portavoz-test-") as path:
        os.chmod(path, 0o755)
        yield path


def main(tests, pid=False):
    isolate(pid)
    passed = failed = skipped = 0
    only = sys.argv[1:]
    for name, test in [(n, t) for n, t in tests.items() if n.startswith("test_")]:
        if only and name not in only:
            continue
        try:
            test()
            passed += 1
            print("ok     ", name, flush=True)
        except Skip as why:
            skipped += 1
            print("skipped", name, why, flush=True)
        except Exception as error:
            failed += 1
            text = str(error) or repr(error)
            print("FAILED ", name, "-", text[:1500], flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed else 0 if passed else 77)
