/* SPDX-License-Identifier: MIT */
/*
 * The raw dump of TCP sockets that ss writes with -D and reads from TCPDIAG_FILE: netlink messages
 * one after the other, each padded to 4 bytes, an NLMSG_DONE behind each dump (ss -D writes two,
 * IPv4 and IPv6, and reads up to the first). A pure function over foreign bytes.
 */
#ifndef NETLINK_RAWDUMP_H
#define NETLINK_RAWDUMP_H

#include "netlink/parse.h"

/* Where and why bytes are no dump. */
struct netlink_rawdump_error {
	size_t offset; /* of the message */
	const char *message;
};

/*
 * Gives each socket to the sink; `needs` as in netlink_query. `data` must be 4-byte aligned. Adds
 * to *stats. 0; -EBADMSG with *error filled (rows before the place were given); what the sink
 * returned; -EINVAL when data is not aligned.
 */
int netlink_rawdump_parse(const void *data, size_t len, uint32_t needs, const struct sink *sink,
			  struct netlink_parse_stats *stats, struct netlink_rawdump_error *error);

#endif
