/* SPDX-License-Identifier: MIT */
/*
 * Walking the messages of a datagram. libmnl's own check (1.0.4) compares lengths as int,
 * and lets one of 2 GiB and more pass: bytes from a recording may hold that.
 */
#ifndef NETLINK_MESSAGE_H
#define NETLINK_MESSAGE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>

static inline bool message_is_whole(const struct nlmsghdr *nlh, size_t left)
{
	return left >= sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= left;
}

/* Steps over a whole message and its padding, which the last one may lack. */
static inline const struct nlmsghdr *message_next(const struct nlmsghdr *nlh, size_t *left)
{
	size_t step = NLMSG_ALIGN((size_t)nlh->nlmsg_len);

	if (step > *left)
		step = *left;
	*left -= step;
	return (const void *)((const char *)nlh + step);
}

#endif
