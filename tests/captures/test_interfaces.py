#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Captures of several interfaces: of several link types."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import badcap  # noqa: E402
import live  # noqa: E402
from live import equal, folder, run  # noqa: E402

RAW, USER0 = 101, 147


def read(data, *options, expect=0, columns="local_port,out_packets"):
    """The document of a pcapng file."""
    with folder() as path:
        with open(path + "/file.pcapng", "wb") as f:
            f.write(data)
        return json.loads(run("read", "--json", "--columns", columns, *options, path + "/file.pcapng", expect=expect).stdout)


def test_bpf_on_other_link_types():
    """Packets of a link type on which an expression means nothing, or that is not known, are not lost without a word."""
    data = badcap.section() + badcap.interface(link=RAW) + badcap.interface() + badcap.interface(link=USER0)
    data += badcap.enhanced(0, badcap.ipv4(badcap.udp(1))) + badcap.enhanced(1, badcap.ethernet(badcap.ipv4(badcap.udp(3))), on=1) \
        + badcap.enhanced(2, b"x" * 60, on=2)
    for words, ports, left_out in (("ether src 02:00:00:00:00:01", [3], 2), ("udp", [1, 3], 1), ("tcp", [], 1)):
        document = read(data, "--strict", "--bpf", words, expect=3)
        equal([row["local_port"] for row in document["conversations"]], ports, "conversations with " + words)
        equal(live.gaps(document), {"bpf": left_out}, "gaps with " + words)
        equal(document["coverage"]["complete"], False, "completeness with " + words)
    document = read(badcap.pcapng([badcap.frame(0)]), "--strict", "--bpf", "udp")
    equal(document["coverage"]["complete"], True, "where the expression fits")


if __name__ == "__main__":
    live.main(globals())
