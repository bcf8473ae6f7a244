/* SPDX-License-Identifier: MIT */
/* Looking through the attributes of a socket. Whatever the bytes are, nothing outside is read. */
#include <linux/netlink.h>
#include <string.h>

#include <portavoz/conversation.h>

const void *pv_detail_attribute(const struct pv_detail *detail, uint16_t type, size_t *ret_len)
{
	const char *p = detail ? detail->attributes : NULL;
	size_t left = detail ? detail->attributes_len : 0;

	while (left >= sizeof(struct nlattr)) {
		struct nlattr attr;

		memcpy(&attr, p, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > left)
			return NULL;
		if ((attr.nla_type & NLA_TYPE_MASK) == type) {
			*ret_len = attr.nla_len - sizeof(attr);
			return p + sizeof(attr);
		}
		if (NLA_ALIGN((size_t)attr.nla_len) >= left)
			return NULL;
		p += NLA_ALIGN((size_t)attr.nla_len);
		left -= NLA_ALIGN((size_t)attr.nla_len);
	}
	return NULL;
}
