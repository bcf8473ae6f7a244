#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A3, A10, A11: terminals, pipes that close, full devices, widths and locales."""
import os
import pty
import re
import shutil
import subprocess
import time

import live

load = None
TCP = ("list", "-t", "-l", "-n", "-p")


def test_make():
    global load
    load = live.Load("evilproc", "hiderow")


def on_terminal(*args, env=None, size=(30, 160)):
    """Output as a terminal gets it."""
    pid, fd = pty.fork()
    if not pid:
        os.environ.update(env or {})
        subprocess.run(["stty", "rows", str(size[0]), "cols", str(size[1])], check=True)
        os.execv(live.PORTAVOZ, [live.PORTAVOZ, *args])
    out = b""
    try:
        while chunk := os.read(fd, 65536):
            out += chunk
    except OSError:
        pass  # EIO: the other end closed
    live.equal(os.waitpid(pid, 0)[1], 0, "exit status")
    os.close(fd)
    return out


COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


def test_terminal_gets_colours_only():
    out = on_terminal(*TCP, env={"TERM": "xterm-256color"})
    live.no_raw(COLOUR.sub(b"", out), "terminal")
    for m in load.made:
        live.holds(b":%d" % m["port"] in out, "port %d" % m["port"])


def test_no_colour_when_asked_or_dumb():
    for env in ({"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}):
        live.holds(b"\x1b" not in on_terminal(*TCP, env=env), "escape sequence with %r" % env)
    live.holds(b"\x1b" not in on_terminal(*TCP, "--color=never", env={"TERM": "xterm"}), "--color=never")


def test_no_escape_sequence_off_terminal():
    for env in ({}, {"LC_ALL": "C"}, {"COLUMNS": "20"}, {"COLUMNS": "400"}, {"TERM": "xterm"}):
        live.holds(b"\x1b" not in live.run(*TCP, env=env).stdout, "escape sequence with %r" % env)


def test_same_rows_everywhere():
    ports = {b"%d" % m["port"] for m in load.made}
    for env in ({"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"COLUMNS": "20"}, {"COLUMNS": "400"},
                {"COLUMNS": "0"}, {"COLUMNS": "-5"}, {"COLUMNS": "99999999999"}, {"TERM": "dumb"}):
        out = live.run(*TCP, env=env).stdout
        live.equal({p for p in ports if re.search(rb":%s\b" % p, out)}, ports, "rows with %r" % env)


def test_screen_shows_all_rows():
    """On a real screen, 80x24 and 160x30, all five rows stay readable and the title as it was."""
    if not shutil.which("tmux"):
        raise live.Skip("no tmux")
    with live.folder() as path:
        for columns, lines in ((80, 24), (160, 30)):
            tmux = ["tmux", "-S", os.path.join(path, "socket%d" % columns)]
            done = os.path.join(path, "done%d" % columns)
            subprocess.run([*tmux, "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y",
                            str(lines), "%s %s; echo after; touch %s; cat" % (
                                live.PORTAVOZ, " ".join(TCP), done)], check=True)
            title = ask(tmux, "display-message", "-p", "#{pane_title}")
            end = time.monotonic() + 20
            while not os.path.exists(done) and time.monotonic() < end:
                time.sleep(0.02)
            screen = ask(tmux, "capture-pane", "-p", "-J")
            while "after" not in screen and time.monotonic() < end:
                screen = ask(tmux, "capture-pane", "-p", "-J")
            colours = ask(tmux, "capture-pane", "-p", "-e")
            live.equal(ask(tmux, "display-message", "-p", "#{pane_title}"), title, "pane title")
            subprocess.run([*tmux, "kill-server"], check=False)
            for m in load.made:
                live.holds(":%d" % m["port"] in screen, "row of port %d at %d columns:\n%s" % (
                    m["port"], columns, screen))
            live.holds("\x1b" not in colours[colours.rindex("after"):], "colour left behind")


def ask(tmux, *command):
    return subprocess.run([*tmux, *command], check=True, stdout=subprocess.PIPE, text=True).stdout


def test_full_device():
    for option in (None, "--json", "--jsonl", "--csv", "--summary"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([live.PORTAVOZ, "list", "-n", "-a", *([option] if option else [])],
                                  stdout=full, stderr=subprocess.PIPE, check=False)
        live.equal(done.returncode, 1, "exit status with %s" % option)
        live.holds(done.stderr.startswith(b"portavoz: "), "message %r" % done.stderr)


def test_closed_pipe():
    with live.Load("churn", "steady", 2000):
        for option in ("-H", "--json", "--csv"):
            done = subprocess.run("%s list -a -n %s | head -1" % (live.PORTAVOZ, option), shell=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            live.equal((done.stderr, done.stdout.count(b"\n")), (b"", 1), option)


def test_closed_stdout():
    done = subprocess.run("%s list -n >&-" % live.PORTAVOZ, shell=True, stderr=subprocess.PIPE,
                          check=False)
    live.equal(done.returncode, 1, "exit status")
    live.holds(done.stderr.startswith(b"portavoz: "), "message %r" % done.stderr)


live.main(globals())
