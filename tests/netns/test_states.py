#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every protocol and state that can be made, against what was made, ss and /proc/net."""
import re
import subprocess

import live

STATES = {"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV",
          "FIN-WAIT-1": "FIN_WAIT1", "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT",
          "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK", "LISTEN": "LISTEN",
          "CLOSING": "CLOSING", "UNCONN": "UNCONNECTED"}
ALL = ("-t", "-u", "-w", "-x", "-0", "-M", "-a", "-n")
NO_FILE = {"TIME_WAIT": "time_wait"}  # and the orphans, by kind

load = None
listed = []


def made(*protos):
    return [m for m in load.made if "missing" not in m and (not protos or m["proto"] in protos)]


def find(rows, m):
    """Rows of one socket: by cookie, or by inode where the source gives no cookie."""
    same = [r for r in rows if r["proto"] == m["proto"] and m["cookie"] == r["cookie"]]
    return same or [r for r in rows if r["proto"] == m["proto"] and not r["cookie"] and
                    m["inode"] == r["inode"]]


def test_make():
    global load
    load = live.Load("mksock")
    listed.extend(live.rows(*ALL))


def test_each_socket_once_with_its_state():
    wrong = []
    for m in made("tcp", "mptcp", "udp", "udplite", "raw", "ping", "unix", "packet"):
        found = find(listed, m)
        if [r["state"] for r in found] != [m["state"]]:
            wrong.append((m["kind"], m["proto"], m["state"], [r["state"] for r in found]))
    live.equal(wrong, [], "rows of sockets made")


def test_addresses():
    for m in made("tcp", "mptcp", "udp", "udplite"):
        for r in find(listed, m):
            live.equal((live.address(r["local_addr"]), r["local_port"]),
                       (live.address(m["local"]), m["local_port"]), m["kind"])
            if m["remote"]:
                live.equal((live.address(r["remote_addr"]), r["remote_port"]),
                           (live.address(m["remote"]), m["remote_port"]), m["kind"])


def test_owner_and_inode():
    for m in made("tcp", "mptcp", "udp", "udplite", "raw", "ping", "unix", "packet"):
        for r in find(listed, m):
            orphan = m["kind"].startswith("orphan") and m["state"] == "FIN_WAIT1"
            if orphan or m["state"] in NO_FILE:
                live.equal(r["owner_reason"], "orphan" if orphan else NO_FILE[m["state"]], m["kind"])
                live.equal((r["owners"] or [], r["inode"] or 0), ([], 0), m["kind"])
            else:
                live.equal(r["inode"], m["inode"], m["kind"])
                live.holds((m["pid"], m["fd"]) in [(o["pid"], o["fd"]) for o in r["owners"] or []],
                           "%s: owners %r" % (m["kind"], r["owners"]))


def test_sockets_without_process_have_reasons():
    found = {r["owner_reason"] for r in listed if r["proto"] == "tcp" and not r["owners"]}
    live.equal(found, {"time_wait", "orphan", "syn_recv", "not_accepted"}, "reasons")
    for r in listed:
        if r["state"] == "SYN_RECV":
            live.equal(r["owner_reason"], "syn_recv", "SYN_RECV")


def test_eleven_states():
    live.equal({r["state"] for r in listed if r["proto"] == "tcp"},
               {"ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
                "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"}, "states")


def oracle(*options):
    """ss's rows by cookie: state, queues, inode, user, local end."""
    out = subprocess.run(["ss", "-H", "-O", "-n", "-a", "-e", *options], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    result = {}
    for line in out.splitlines():
        words, ids = line.split(), dict(re.findall(r"\b(ino|sk|uid):([0-9a-f]+)", line))
        addr, _, port = words[3].rpartition(":")
        result[int(ids["sk"], 16)] = (STATES[words[0]], int(words[1]), int(words[2]),
                                      int(ids["ino"]), int(ids.get("uid", 0)),
                                      live.address(re.sub("%.*", "", addr)), port)
    return result


def ours(proto):
    return {r["cookie"]: (r["state"], r["recv_q"], r["send_q"], r["inode"] or 0, r["uid"] or 0,
                          live.address(r["local_addr"]), str(r["local_port"]))
            for r in listed if r["proto"] == proto and r["state"] != "CLOSE"}


def as_ss(proto, option):
    """Window probes move bytes now and then: queues may differ for a moment, not for five."""
    for attempt in range(5):
        listed[:] = live.rows(*ALL)
        found, wanted = ours(proto), oracle(option)
        if found == wanted or attempt == 4:
            live.equal(sorted(found.items()), sorted(wanted.items()), proto)
            return


def test_tcp_as_ss():
    as_ss("tcp", "-t")


def test_udp_as_ss():
    as_ss("udp", "-u")


def test_mptcp_as_ss():
    as_ss("mptcp", "-M")


def proc_inodes(*names):
    inodes = set()
    for name in names:
        with open("/proc/net/" + name) as f:
            inodes |= {int(line.split()[9]) for line in f.readlines()[1:]}
    return inodes - {0}


def test_tables_of_proc():
    for proto, names in {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6"), "raw": ("raw", "raw6"),
                         "udplite": ("udplite", "udplite6"), "ping": ("icmp", "icmp6")}.items():
        bound = {m["inode"] for m in load.made if m["kind"].startswith("bound")}
        live.equal({r["inode"] or 0 for r in listed if r["proto"] == proto} - {0} - bound,
                   proc_inodes(*names), proto)


def test_unix_as_proc():
    with open("/proc/net/unix", errors="replace") as f:
        there = {int(line.split()[6]) for line in f.readlines()[1:]} - {0}
    live.equal({r["inode"] for r in listed if r["proto"] == "unix" and r["inode"]}, there, "unix")


def test_netlink_sockets():
    found = {(o["pid"], o["fd"]) for r in live.rows("-a", "-n") if r["proto"] == "netlink"
             for o in r["owners"] or []}
    for m in made("netlink"):
        live.holds((m["pid"], m["fd"]) in found, "netlink socket of fd %d" % m["fd"])


def test_unlistable_protocols_are_told():
    doc = live.document("-a", "-n")
    missing = {m["proto"] for m in made("vsock", "xdp") if not find(doc["conversations"], m)}
    told = str([g for g in doc["coverage"]["gaps"] if g["kind"] == "protocol"])
    live.equal({p for p in missing if p not in told}, set(), "not listed and not told, of " + told)


def test_families_and_states_by_option():
    for option, is_six in (("-4", False), ("-6", True)):
        rows = live.rows("-t", "-u", "-a", "-n", option)
        live.equal({r["cookie"] for r in rows},
                   {r["cookie"] for r in listed if r["proto"] in ("tcp", "udp", "udplite") and
                    (":" in r["local_addr"]) == is_six}, option)
    live.equal({r["cookie"] for r in live.rows("-t", "-l", "-n")},
               {r["cookie"] for r in listed if r["proto"] == "tcp" and r["state"] == "LISTEN"}, "-l")
    for name, state in (("time-wait", "TIME_WAIT"), ("syn-recv", "SYN_RECV"), ("closing", "CLOSING")):
        live.equal({r["cookie"] for r in live.rows("-t", "-n", "state", name)},
                   {r["cookie"] for r in listed if r["proto"] == "tcp" and r["state"] == state}, name)


def test_peers():
    """Mirrored tuples and unix pairs know each other's process."""
    for m in made("tcp", "unix"):
        if m["kind"] not in ("established", "established@6", "half_closed", "unix_pair"):
            continue
        for r in find(listed, m):
            if r["state"] != "UNCONNECTED":
                live.equal(r["peer_pid"], m["pid"], m["kind"])


live.main(globals())
