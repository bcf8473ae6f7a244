/* SPDX-License-Identifier: MIT */
/*
 * ctnetlink's answers: nested attributes, every length of them checked where it is used. An entry
 * without both tuples is none.
 */
#include "netlink/conntrack.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/message.h"
#include "netlink/stream.h"

#define STREAM_NAME_MAX 64
#define SEQUENCE 1

/* What was found of a tuple. */
#define HAS_SRC 0x01
#define HAS_DST 0x02
#define HAS_NUMBER 0x04
#define HAS_SPORT 0x08
#define HAS_DPORT 0x10
#define HAS_ADDRESSES (HAS_SRC | HAS_DST | HAS_NUMBER)
#define HAS_PORTS (HAS_SPORT | HAS_DPORT)

struct tuple_reader {
	struct conntrack_tuple tuple;
	uint8_t protocol;
	unsigned has;
};

static bool read_ip(struct tuple_reader *r, struct attribute_list l, int family)
{
	size_t len = family == AF_INET ? 4 : 16;
	struct attribute_value v;

	while (attribute_next(&l, &v)) {
		bool is_src = v.type == (family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC);
		bool is_dst = v.type == (family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST);

		if ((is_src && !attribute_copy(&v, r->tuple.src, len)) ||
		    (is_dst && !attribute_copy(&v, r->tuple.dst, len)))
			return false;
		r->has |= (is_src ? HAS_SRC : 0U) | (is_dst ? HAS_DST : 0U);
	}
	return attributes_ended(&l);
}

static bool read_proto(struct tuple_reader *r, struct attribute_list l)
{
	struct attribute_value v;
	bool is_sound = true;

	while (is_sound && attribute_next(&l, &v)) {
		switch (v.type) {
		case CTA_PROTO_NUM:
			is_sound = attribute_copy(&v, &r->protocol, sizeof(r->protocol));
			r->has |= HAS_NUMBER;
			break;
		case CTA_PROTO_SRC_PORT:
			is_sound = attribute_be16(&v, &r->tuple.sport);
			r->has |= HAS_SPORT;
			break;
		case CTA_PROTO_DST_PORT:
			is_sound = attribute_be16(&v, &r->tuple.dport);
			r->has |= HAS_DPORT;
			break;
		}
	}
	return is_sound && attributes_ended(&l);
}

static bool read_tuple(struct tuple_reader *r, struct attribute_list l, int family)
{
	struct attribute_value v;
	bool is_sound = true;

	*r = (struct tuple_reader){ .has = 0 };
	while (is_sound && attribute_next(&l, &v)) {
		if (v.type == CTA_TUPLE_IP)
			is_sound = read_ip(r, attributes_in(&v), family);
		else if (v.type == CTA_TUPLE_PROTO)
			is_sound = read_proto(r, attributes_in(&v));
		else if (v.type == CTA_TUPLE_ZONE)
			is_sound = attribute_be16(&v, &r->tuple.zone);
	}
	return is_sound && attributes_ended(&l) && (r->has & HAS_ADDRESSES) == HAS_ADDRESSES;
}

struct entry_reader {
	struct conntrack_entry entry;
	struct tuple_reader original, reply;
	bool has_original, has_reply;
};

static bool read_attribute(struct entry_reader *r, const struct attribute_value *v)
{
	switch (v->type) {
	case CTA_TUPLE_ORIG:
		r->has_original = true;
		return read_tuple(&r->original, attributes_in(v), r->entry.family);
	case CTA_TUPLE_REPLY:
		r->has_reply = true;
		return read_tuple(&r->reply, attributes_in(v), r->entry.family);
	case CTA_STATUS:
		return attribute_be32(v, &r->entry.status);
	case CTA_ID:
		return attribute_be32(v, &r->entry.id);
	case CTA_ZONE:
		return attribute_be16(v, &r->entry.zone);
	default:
		return true;
	}
}

static bool read_entry(struct entry_reader *r, struct attribute_list l)
{
	struct attribute_value v;

	while (attribute_next(&l, &v))
		if (!read_attribute(r, &v))
			return false;
	if (!attributes_ended(&l) || !r->has_original || !r->has_reply ||
	    r->original.protocol != r->reply.protocol)
		return false;
	r->entry.original = r->original.tuple;
	r->entry.reply = r->reply.tuple;
	r->entry.protocol = r->original.protocol;
	return true;
}

static int read_message(const struct nlmsghdr *nlh, conntrack_fn *entry, void *userdata,
			struct conntrack_stats *stats)
{
	const char *fixed = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	struct entry_reader r = { .has_original = false };
	struct nfgenmsg g;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    len < sizeof(g)) {
		stats->malformed++;
		return 0;
	}
	memcpy(&g, fixed, sizeof(g));
	r.entry.family = g.nfgen_family;
	if ((g.nfgen_family != AF_INET && g.nfgen_family != AF_INET6) ||
	    !read_entry(&r, attributes_of(fixed + sizeof(g), len - sizeof(g)))) {
		stats->malformed++;
		return 0;
	}
	if (~r.original.has & HAS_PORTS || ~r.reply.has & HAS_PORTS) {
		stats->others++;
		return 0;
	}
	stats->entries++;
	return entry(userdata, &r.entry);
}

int conntrack_parse(const void *data, size_t len, conntrack_fn *entry, void *userdata,
		    struct conntrack_stats *stats)
{
	const struct nlmsghdr *nlh = data;
	size_t left = len;

	if ((uintptr_t)data % MNL_ALIGNTO)
		return -EINVAL;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		int r = nlh->nlmsg_type < NLMSG_MIN_TYPE
				? 0
				: read_message(nlh, entry, userdata, stats);

		if (r < 0)
			return r;
	}
	if (left > 0)
		stats->malformed++;
	return 0;
}

/* ---- the dump ---- */

/* One dump; a second one must not give again what the first gave. */
struct dump {
	conntrack_fn *entry;
	void *userdata;
	uint32_t with, without; /* IPS_* bits of what is given */
	struct conntrack_stats *stats;
};

static int take_entry(void *userdata, const struct conntrack_entry *entry)
{
	struct dump *d = userdata;

	if (!(entry->status & d->with) || entry->status & d->without)
		return 0;
	return d->entry(d->userdata, entry);
}

static int take_datagram(void *userdata, const struct netlink_datagram *d)
{
	struct dump *dump = userdata;

	return conntrack_parse(d->data, d->len, take_entry, dump, dump->stats);
}

static size_t encode(void *buf, uint32_t status)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = SEQUENCE;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	/* kernels before Linux 5.15 do not know the mask, and give every entry */
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(status));
	mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(status));
	return nlh->nlmsg_len;
}

static int dump_status(struct tape *t, int fd, const char *name, struct dump *dump,
		       struct netlink_dump_result *result)
{
	_Alignas(struct nlmsghdr) char request[128];
	struct netlink_stream stream = { name, request, encode(request, dump->with), take_datagram,
					 dump };

	return netlink_read_stream(t, fd, &stream, result);
}

int conntrack_read(struct tape *t, int fd, const char *suffix, conntrack_fn *entry, void *userdata,
		   struct conntrack_stats *stats, struct netlink_dump_result *result)
{
	struct dump src = { entry, userdata, IPS_SRC_NAT, 0, stats };
	struct dump dst = { entry, userdata, IPS_DST_NAT, IPS_SRC_NAT, stats };
	char name[STREAM_NAME_MAX];
	int first, r;

	snprintf(name, sizeof(name), "conntrack-src%s", suffix);
	first = dump_status(t, fd, name, &src, result);
	if (first < 0 || first == NETLINK_REFUSED || !result->done)
		return first;
	snprintf(name, sizeof(name), "conntrack-dst%s", suffix);
	r = dump_status(t, fd, name, &dst, result);
	return r ? r : first;
}
