#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A name server on 127.0.0.1 that answers reverse queries badly.

dnsd.py PORT blackhole | slow MILLISECONDS | evil | good: "evil" picks the answer by the last byte
of the address asked for, EVIL below. Prints ready, ends with its standard input; the last line is
the number of queries.
"""
import select
import socket
import struct
import sys
import threading

EVIL = [b"ok.example", b"\x1b[31mred.example", b"two\nlines.example", b"<b>html.example",
        b"nul\0byte.example", b"192.0.2.99", b"2001:db8::99", b"\xe2\x80\xaertl.example",
        b"a space.example", b"under_score.example", b"quote\".example", b"\xff\xfe.example",
        b"1.2", b"0x7f000001", b"3232235777", b"back\\slash.example", b"semi;colon", b"-dash.example",
        b"", b"x" * 63 + b"." + b"y" * 63 + b".example"]


def wire(name):
    """Labels by the dots; an empty name is the root."""
    out = b""
    for label in name.split(b".") if name else []:
        out += bytes([len(label)]) + label
    return out + b"\0"


def question(query):
    """(end of the question, labels)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    return at + 5, labels


def answer(query, name):
    end, _ = question(query)
    data = wire(name)
    return (query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + query[12:end] + b"\xc0\x0c" +
            struct.pack(">HHIH", 12, 1, 60, len(data)) + data)


def choose(mode, query):
    _, labels = question(query)
    if mode == "evil":
        return EVIL[int(labels[0]) % len(EVIL)]
    return b"host-" + b"-".join(labels[:4]) + b".example"


def main():
    port, mode = int(sys.argv[1]), sys.argv[2]
    delay = int(sys.argv[3]) / 1000 if mode == "slow" else 0
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    print("ready", flush=True)
    queries = 0
    while True:
        ready = select.select([sock, sys.stdin], [], [])[0]
        if sys.stdin in ready:
            break
        query, sender = sock.recvfrom(4096)
        queries += 1
        if mode == "blackhole":
            continue
        reply = answer(query, choose(mode, query))
        timer = threading.Timer(delay, sock.sendto, (reply, sender))
        timer.daemon = True
        timer.start()
    print(queries)


main()
