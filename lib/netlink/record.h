/* SPDX-License-Identifier: MIT */
/*
 * Reading sockets through a tape: live, live and recorded, or replayed. A dump is the stream
 * "diag-PROTO-FAMILY.ATTEMPT" (diag-tcp-any.0, diag-udp-inet6.1, diag-unix-unix.0), a row of
 *   u32 length, u32 flags (NETLINK_DATAGRAM_*), the datagram, zeroes up to a multiple of 4 bytes
 * in the byte order of the machine that recorded it, as netlink itself is.
 */
#ifndef NETLINK_RECORD_H
#define NETLINK_RECORD_H

#include "base/tape.h"
#include "model/sink.h"
#include "netlink/diag.h"

/*
 * Dumps what `q` asks for and gives each socket to the sink. `fd` is from netlink_open(); a
 * negative one stands for the -errno that gave, and is recorded as this source's failure. In
 * replay fd is not used. `attempt` tells dumps of the same protocol and family in one run apart.
 * Returns 0, NETLINK_PARTIAL, NETLINK_REFUSED (see transport.h; rows may have been given in every
 * case), -ENODATA (the recording lacks it), -EBADMSG (the recording is damaged), or -errno: of
 * the socket, of the sink, of writing the recording, or those of netlink_query_encode(). After a
 * negative result, or when !result->done, a live descriptor must be closed.
 */
int netlink_read_sockets(struct tape *t, int fd, const struct netlink_query *q, unsigned attempt,
			 const struct sink *sink, struct netlink_dump_result *result);

#endif
