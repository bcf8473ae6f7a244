#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A recording of this host lists the same, byte for byte, elsewhere and without privileges."""
import os

import live

ELSEWHERE = ("unshare", "-n", "-m", "-p", "-f", "--mount-proc", *live.as_nobody())
OPTIONS = [
    ("-H",), ("-a",), ("-a", "-p", "-e", "-o", "-m", "-i"), ("-t", "-l"), ("-x", "-a"), ("-s",),
    ("--json", "-a"), ("--jsonl", "-a"), ("--csv", "-a"), ("--json", "-a", "--columns", "all"),
    ("-a", "--pairs"), ("-a", "state", "established"), ("-a", "sport", "gt", ":1024"),
    ("-t", "-a", "--sort", "-local_port"), ("-a", "--owners=none"), ("-u", "-a", "--owners=proc"),
]


def make_readable(path):
    for folder, _, files in os.walk(path):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)


def test_replay_is_the_same():
    with live.Load("mksock"), live.Load("evilproc", "names"), live.folder() as path:
        wrong = []
        for i, options in enumerate(OPTIONS):
            record = "%s/%d" % (path, i)
            first = live.run("list", "-n", *options, "--record", record)
            make_readable(record)
            for prefix in ((), ELSEWHERE):
                again = live.run("list", "-n", *options, "--replay", record, prefix=prefix,
                                 expect=None)
                if (again.returncode, again.stdout) != (0, first.stdout):
                    wrong.append((options, bool(prefix), again.returncode, again.stderr[-200:],
                                  difference(first.stdout, again.stdout)))
        live.equal(wrong[:4], [], "%d listings differ" % len(wrong))


def difference(a, b):
    """The first line that differs."""
    for x, y in zip(a.splitlines(), b.splitlines()):
        if x != y:
            at = next((i for i, (c, d) in enumerate(zip(x, y)) if c != d), min(len(x), len(y)))
            return x[max(0, at - 40):at + 60], y[max(0, at - 40):at + 60]
    return len(a), len(b)


def test_recording_is_private_and_new():
    with live.folder() as path:
        live.run("list", "-n", "--record", path + "/r")
        live.equal(os.stat(path + "/r").st_mode & 0o077, 0, "mode of the folder")
        live.run("list", "-n", "--record", path + "/r", expect=1)
        live.run("list", "-n", "--replay", path + "/none", expect=1)


def test_damaged_recordings():
    """Cut or changed anywhere: an error or a list, never a crash."""
    with live.Load("mksock", "established", "udp"), live.folder() as path:
        live.run("list", "-a", "-n", "-p", "--record", path + "/r")
        files = [os.path.join(d, f) for d, _, names in os.walk(path + "/r") for f in names]
        for name in files:
            with open(name, "rb") as f:
                whole = f.read()
            step = max(1, len(whole) // 12)
            for at in range(0, len(whole), step):
                for damaged in (whole[:at], whole[:at] + b"\xff" * 4 + whole[at + 4:]):
                    with open(name, "wb") as f:
                        f.write(damaged)
                    done = live.run("list", "-a", "-n", "-p", "--replay", path + "/r", expect=None,
                                    timeout=20)
                    live.holds(done.returncode in (0, 1, 3), "%s at %d: exit %d" % (
                        os.path.basename(name), at, done.returncode))
                    live.holds(done.returncode == 0 or done.stderr, "message")
            with open(name, "wb") as f:
                f.write(whole)


live.main(globals())
