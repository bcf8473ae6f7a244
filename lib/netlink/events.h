/* SPDX-License-Identifier: MIT */
/*
 * What sock_diag tells unasked when a TCP or UDP socket is destroyed: an inet_diag message whose
 * attributes name the protocol (Linux 4.6).
 */
#ifndef NETLINK_EVENTS_H
#define NETLINK_EVENTS_H

#include "netlink/parse.h"

/* Joins the groups of what is to be told; PV_PROTO_BIT() of TCP and UDP. A descriptor, -EINVAL
 * (nothing is), -errno. */
int netlink_events_open(uint32_t protos, bool inet, bool inet6);
/*
 * A pure function over foreign bytes: gives each socket to the sink, with everything the kernel
 * told. `data` must be 4-byte aligned. Adds to *stats. 0, what the sink returned, or -EINVAL.
 */
int netlink_events_parse(const void *data, size_t len, const struct sink *sink,
			 struct netlink_parse_stats *stats);

#endif
