/* SPDX-License-Identifier: MIT */
#include "netlink/rawdump.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/message.h"

#define PAYLOAD(nlh) ((const unsigned char *)(nlh) + NLMSG_HDRLEN)

static int fail(struct netlink_rawdump_error *error, size_t offset, const char *message)
{
	*error = (struct netlink_rawdump_error){ offset, message };
	return -EBADMSG;
}

/* NULL, or why the message is no answer about one TCP socket. */
static const char *judge(const struct nlmsghdr *nlh)
{
	uint8_t family;

	if (nlh->nlmsg_type != TCPDIAG_GETSOCK && nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return "is no answer about a TCP socket";
	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		return "is too short for a socket";
	family = PAYLOAD(nlh)[0];
	if (family != AF_INET && family != AF_INET6)
		return "is about a socket of neither IPv4 nor IPv6";
	return NULL;
}

static int read_socket(const struct nlmsghdr *nlh, uint32_t needs, const struct sink *sink,
		       struct netlink_parse_stats *stats)
{
	/* the two kinds of answer differ in their number alone */
	struct netlink_query q = { .proto = PV_PROTO_TCP,
				   .family = nlh->nlmsg_type == TCPDIAG_GETSOCK ? AF_UNSPEC
										: PAYLOAD(nlh)[0],
				   .needs = needs };

	return netlink_parse_sockets(nlh, nlh->nlmsg_len, &q, sink, stats);
}

int netlink_rawdump_parse(const void *data, size_t len, uint32_t needs, const struct sink *sink,
			  struct netlink_parse_stats *stats, struct netlink_rawdump_error *error)
{
	const struct nlmsghdr *nlh = data;
	size_t left = len;
	bool is_ended = false;

	if ((uintptr_t)data % NLMSG_ALIGNTO)
		return -EINVAL;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		const char *wrong = NULL;
		int r = 0;

		/* what the kernel says beside sockets; ss keeps it, too */
		is_ended = nlh->nlmsg_type == NLMSG_DONE;
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		wrong = judge(nlh);
		if (wrong)
			return fail(error, len - left, wrong);
		r = read_socket(nlh, needs, sink, stats);
		if (r < 0)
			return r;
	}
	if (left > 0)
		return fail(error, len - left, "is cut short, or no netlink message");
	return is_ended ? 0 : fail(error, len, "lacks the message that ends a dump");
}
