/* SPDX-License-Identifier: MIT */
#include "netlink/events.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <portavoz/snapshot.h>

#include "netlink/message.h"

static const struct {
	uint8_t proto, family, group;
} groups[] = {
	{ PV_PROTO_TCP, AF_INET, SKNLGRP_INET_TCP_DESTROY },
	{ PV_PROTO_UDP, AF_INET, SKNLGRP_INET_UDP_DESTROY },
	{ PV_PROTO_TCP, AF_INET6, SKNLGRP_INET6_TCP_DESTROY },
	{ PV_PROTO_UDP, AF_INET6, SKNLGRP_INET6_UDP_DESTROY },
};

int netlink_events_open(uint32_t protos, bool inet, bool inet6)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd, r;

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (protos & PV_PROTO_BIT(groups[i].proto) &&
		    (groups[i].family == AF_INET ? inet : inet6))
			addr.nl_groups |= 1u << (groups[i].group - 1);
	if (!addr.nl_groups)
		return -EINVAL;
	fd = netlink_open();
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* PV_PROTO_N = it is none of those that are told. */
static uint8_t proto_of(const struct nlmsghdr *nlh)
{
	size_t fixed = NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct inet_diag_msg)));
	struct attribute_list l;
	struct attribute_value v;
	uint8_t number = 0;

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || nlh->nlmsg_len < fixed)
		return PV_PROTO_N;
	l = attributes_of((const char *)nlh + fixed, nlh->nlmsg_len - fixed);
	while (attribute_next(&l, &v))
		if (v.type == INET_DIAG_PROTOCOL && !attribute_copy(&v, &number, sizeof(number)))
			return PV_PROTO_N;
	switch (number) {
	case IPPROTO_TCP:
		return PV_PROTO_TCP;
	case IPPROTO_UDP:
		return PV_PROTO_UDP;
	default:
		return PV_PROTO_N;
	}
}

static int read_socket(const struct nlmsghdr *nlh, const struct sink *sink,
		       struct netlink_parse_stats *stats)
{
	struct netlink_query q = { .proto = proto_of(nlh),
				   .needs = PV_NEED_TCPINFO | PV_NEED_MEM | PV_NEED_SOCKCGROUP |
					    PV_NEED_ATTRIBUTES };

	if (q.proto == PV_PROTO_N) {
		stats->malformed++;
		return 0;
	}
	q.family = *((const uint8_t *)nlh + NLMSG_HDRLEN);
	if (q.family == AF_UNSPEC) {
		stats->malformed++;
		return 0;
	}
	return netlink_parse_sockets(nlh, nlh->nlmsg_len, &q, sink, stats);
}

int netlink_events_parse(const void *data, size_t len, const struct sink *sink,
			 struct netlink_parse_stats *stats)
{
	const struct nlmsghdr *nlh = data;
	size_t left = len;

	if ((uintptr_t)data % NLMSG_ALIGNTO)
		return -EINVAL;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		int r = nlh->nlmsg_type < NLMSG_MIN_TYPE ? 0 : read_socket(nlh, sink, stats);

		if (r < 0)
			return r;
	}
	stats->malformed += left > 0;
	return 0;
}
