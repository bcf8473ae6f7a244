/* SPDX-License-Identifier: MIT */
/* net/protocols: which protocols this kernel has, and how many sockets of each. */
#ifndef PROCFS_PROTOCOLS_H
#define PROCFS_PROTOCOLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"

#define PROCFS_SOCKETS_UNKNOWN (-1)

/*
 * The number of sockets of the protocol of that name, its IPv6 twin ("NAMEv6") included:
 * >= 0, PROCFS_SOCKETS_UNKNOWN (the kernel does not count them), or PROCFS_NO_PROTOCOL.
 */
#define PROCFS_NO_PROTOCOL (-2)
int64_t procfs_protocols_parse(const char *text, size_t len, const char *name);

/* The same of this host; PROCFS_SOCKETS_UNKNOWN when the table cannot be read. */
int64_t procfs_count_protocol(struct tape *t, const char *name);

#endif
