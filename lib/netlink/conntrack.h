/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking: the translations (NAT) of one network namespace, asked of ctnetlink. The
 * parser is a pure function over foreign bytes and allocates nothing.
 */
#ifndef NETLINK_CONNTRACK_H
#define NETLINK_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"
#include "netlink/transport.h"

/* One direction of a flow, ports in host order; family and protocol are those of the entry. */
struct conntrack_tuple {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint16_t zone; /* of this direction alone; 0 = that of the entry, or none */
};

/*
 * A flow: the tuple of the packets that opened it as they came in, and that of their answers as
 * these come in. Without a translation one mirrors the other. The answers' tuple is what the far
 * end sends: its source is the real server, its destination what the server takes for the client.
 */
struct conntrack_entry {
	struct conntrack_tuple original, reply;
	uint32_t status; /* IPS_* (linux/netfilter/nf_conntrack_common.h) */
	uint32_t id;	 /* 0 = not told */
	uint16_t zone;
	uint8_t family;	  /* AF_INET or AF_INET6 */
	uint8_t protocol; /* IPPROTO_* */
};

typedef int conntrack_fn(void *userdata, const struct conntrack_entry *entry);

struct conntrack_stats {
	uint64_t entries;   /* given */
	uint64_t others;    /* understood, and without ports: ICMP and the like */
	uint64_t malformed; /* messages not understood */
};

/*
 * Walks the messages of one datagram (4-byte aligned) and gives every entry that has addresses and
 * ports. Adds to *stats. 0, what entry() returned when negative, or -EINVAL (not aligned).
 */
int conntrack_parse(const void *data, size_t len, conntrack_fn *entry, void *userdata,
		    struct conntrack_stats *stats);

/*
 * Gives each translated entry of the namespace of `fd` (netlink_open_family(NETLINK_NETFILTER))
 * once. Streams of the recording: "conntrack-src", "conntrack-dst" and `suffix`. Results are those
 * of netlink_read_stream(); -EPERM: without CAP_NET_ADMIN over the namespace it refuses.
 *
 * The kernel loads nf_conntrack_netlink when it is asked without it (nfnetlink_rcv_msg, Linux 2.6
 * to 6.18): callers make sure first that it is there. The dump itself changes nothing: it neither
 * registers hooks nor makes entries.
 */
int conntrack_read(struct tape *t, int fd, const char *suffix, conntrack_fn *entry, void *userdata,
		   struct conntrack_stats *stats, struct netlink_dump_result *result);

#endif
