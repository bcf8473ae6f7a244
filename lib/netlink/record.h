/* SPDX-License-Identifier: MIT */
/*
 * Reading sockets through a tape: live, live and recorded, or replayed. A dump is the stream
 * "diag-PROTO-FAMILY.ATTEMPT" (diag-tcp-any.0, diag-udp-inet6.1, diag-unix-unix.0); stream.h says
 * what it holds.
 */
#ifndef NETLINK_RECORD_H
#define NETLINK_RECORD_H

#include "base/tape.h"
#include "model/sink.h"
#include "netlink/diag.h"

/*
 * Dumps what `q` asks for and gives each socket to the sink. `attempt` tells dumps of the same
 * protocol and family in one run apart. fd and results are those of netlink_read_stream(), and
 * those of netlink_query_encode().
 */
int netlink_read_sockets(struct tape *t, int fd, const struct netlink_query *q, unsigned attempt,
			 const struct sink *sink, struct netlink_dump_result *result);

#endif
