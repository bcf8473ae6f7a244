/* SPDX-License-Identifier: MIT */
/*
 * Walking the messages of a datagram, and the attributes of a message. libmnl's own check (1.0.4)
 * compares lengths as int, and lets one of 2 GiB and more pass: bytes from a recording may hold
 * that.
 */
#ifndef NETLINK_MESSAGE_H
#define NETLINK_MESSAGE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* The attributes of a message, or those nested in one. */
struct attribute_list {
	const char *p, *end;
};

struct attribute_value {
	uint16_t type; /* without the flags */
	const void *data;
	size_t len;
};

static inline struct attribute_list attributes_of(const void *data, size_t len)
{
	return (struct attribute_list){ data, (const char *)data + len };
}

static inline struct attribute_list attributes_in(const struct attribute_value *v)
{
	return attributes_of(v->data, v->len);
}

/* Cuts the next one off; false at the end, and where the lengths do not add up. */
static inline bool attribute_next(struct attribute_list *l, struct attribute_value *v)
{
	size_t left = (size_t)(l->end - l->p);
	struct nlattr a;

	if (left < sizeof(a))
		return false;
	memcpy(&a, l->p, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > left)
		return false;
	*v = (struct attribute_value){ a.nla_type & NLA_TYPE_MASK, l->p + sizeof(a),
				       a.nla_len - sizeof(a) };
	/* the last attribute's padding may lie behind the end */
	l->p = left <= NLA_ALIGN((size_t)a.nla_len) ? l->end : l->p + NLA_ALIGN((size_t)a.nla_len);
	return true;
}

/* After attribute_next() was false: were the attributes sound to their end? */
static inline bool attributes_ended(const struct attribute_list *l)
{
	return l->p == l->end;
}

/* Copies a value of exactly `len` bytes; false when it has another length. */
static inline bool attribute_copy(const struct attribute_value *v, void *to, size_t len)
{
	if (v->len != len)
		return false;
	memcpy(to, v->data, len);
	return true;
}

/* A number in network order; false when it has another length. */
static inline bool attribute_be32(const struct attribute_value *v, uint32_t *ret)
{
	uint8_t b[4];

	if (!attribute_copy(v, b, sizeof(b)))
		return false;
	*ret = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

static inline bool attribute_be16(const struct attribute_value *v, uint16_t *ret)
{
	uint8_t b[2];

	if (!attribute_copy(v, b, sizeof(b)))
		return false;
	*ret = (uint16_t)(b[0] << 8 | b[1]);
	return true;
}

#endif
