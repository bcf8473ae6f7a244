# SPDX-License-Identifier: MIT
"""What tests of verdicts share: programs that do what intruders and servers do, and what an audit
says of them. A Scene ends everything it started and unmounts what it mounted."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import live

INTRUDER = os.path.join(live.HELPERS, "intruder")


class Scene:
    """A folder that only root may write to (/srv, a file system of its own) and processes."""

    def __init__(self):
        self.processes, self.mounts, self.sockets = [], [], []

    def __enter__(self):
        self.mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/srv")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for sock in self.sockets:
            sock.close()
        for place in reversed(self.mounts):
            subprocess.run(["umount", "-l", place], check=False)

    def mount(self, *args):
        subprocess.run(["mount", *args], check=True)
        self.mounts.append(args[-1])

    def copy(self, path, program=INTRUDER):
        """A copy of a program, as root would install it."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(program, path)
        return path

    def folder(self, path):
        os.makedirs(path, exist_ok=True)
        return path

    def start(self, *command, **kwargs):
        kwargs.setdefault("stdin", subprocess.PIPE)
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen([str(word) for word in command], start_new_session=True, **kwargs)
        self.processes.append(process)
        return process

    def intruder(self, path, *args, **kwargs):
        """The helper under that path; its pid and port."""
        process = self.start(path, *args, stdout=subprocess.PIPE, **kwargs)
        line = process.stdout.readline()
        live.holds(line.startswith(b"{"), "%s: %r" % (path, line))
        live.equal(process.stdout.readline(), b"ready\n", path)
        return json.loads(line)

    def attacker(self):
        """A listener of the test's own, for what calls home; its port."""
        sock = socket.create_server(("127.0.0.1", 0))
        sock.settimeout(10)
        self.sockets.append(sock)
        return sock, sock.getsockname()[1]

    def accept(self, sock):
        connection, _ = sock.accept()
        self.sockets.append(connection)
        return connection


def wait_until(what, condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        live.holds(time.monotonic() < end, "in %d s: %s" % (seconds, what))
        time.sleep(0.02)


def listens(port, path="/proc/net/tcp"):
    with open(path) as f:
        return any(line.split()[1].endswith(":%04X" % port) and line.split()[3] == "0A"
                   for line in f.readlines()[1:])


def library(name):
    """Where the loader finds a library."""
    cache = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(line.split()[-1] for line in cache.splitlines() if line.split()[:1] == [name])


def audit(*args, policy=None, **kwargs):
    """The document of an audit, explained conversations included."""
    options = ["--policy=" + policy] if policy else ["--no-policy"]
    kwargs.setdefault("expect", None)
    done = live.run("audit", "--json", "--all", *options, *args, **kwargs)
    live.holds(done.returncode in (0, 4, 5), "audit: exit %d: %s" % (
        done.returncode, done.stderr.decode(errors="replace")))
    doc = json.loads(done.stdout)
    doc["exit"] = done.returncode
    return doc


def pids(finding):
    return {owner["pid"] for owner in finding["conversation"]["owners"] or []}


def of_pid(doc, pid):
    """The findings about conversations that this process holds."""
    return [f for f in doc["findings"] if pid in pids(f)]


def expect(doc, pid, verdict, *rules):
    """Every conversation of the process has this verdict; together they name these rules."""
    found = of_pid(doc, pid)
    live.holds(found, "process %d holds no conversation" % pid)
    for finding in found:
        live.equal(finding["verdict"], verdict, "verdict of %r" % finding["evidence"])
    named = {rule for finding in found for rule in finding["rules"]}
    for rule in rules:
        live.holds(rule in named, "rule %s for %d; fired: %s" % (rule, pid, sorted(named)))
    return found
