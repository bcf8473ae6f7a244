/* SPDX-License-Identifier: MIT */
/*
 * sock_diag answers to rows: pure functions over foreign bytes. Whatever the bytes are, nothing
 * outside them is read, and nothing is allocated: a row lives on the stack of the call.
 */
#ifndef NETLINK_PARSE_H
#define NETLINK_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "model/sink.h"
#include "netlink/diag.h"

struct netlink_parse_stats {
	uint64_t rows; /* given to the sink */
	/*
	 * Messages that were not understood: of another type or family than was asked for, or too
	 * short (no row); or with attributes that do not add up (the row is given without them).
	 */
	uint64_t malformed;
};

/*
 * Walks the messages of one datagram that answers `q` and gives each socket to the sink. `data`
 * must be 4-byte aligned. Adds to *stats. Control messages are passed over, see
 * netlink_note_datagram(). The details in q->needs are given as far as the kernel sent them.
 * Of rows: netns, direction, owner and peer are left 0; uid is UINT32_MAX where the kernel tells
 * none (netlink, vsock). SCTP associations have no cookie of their own: theirs is made of the
 * endpoint's and the peer's address, and the row of an endpoint that only repeats its one
 * association is left out.
 * Returns 0 or what the sink returned; -EINVAL when data is not aligned.
 */
int netlink_parse_sockets(const void *data, size_t len, const struct netlink_query *q,
			  const struct sink *sink, struct netlink_parse_stats *stats);

#endif
