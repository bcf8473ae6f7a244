/* SPDX-License-Identifier: MIT */
/* RTM_NEWLINK and RTM_NEWADDR: a fixed part, then attributes of which few are read. */
#include "netlink/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/message.h"
#include "netlink/stream.h"

#define STREAM_NAME_MAX 64
#define SEQUENCE 1

/* Text with or without its NUL; what is too long is no name of the kernel's. */
static bool copy_name(const struct attribute_value *v, char to[static LINK_NAME_MAX])
{
	size_t n = strnlen(v->data, v->len);

	if (n >= LINK_NAME_MAX)
		return false;
	memcpy(to, v->data, n);
	to[n] = '\0';
	return true;
}

/* What IFLA_INFO_DATA means depends on the kind, which the kernel puts before it. */
static bool read_tunnel(struct link_entry *link, struct attribute_list l)
{
	static const struct {
		const char *kind;
		uint16_t port;
	} tunnels[] = { { "vxlan", IFLA_VXLAN_PORT }, { "geneve", IFLA_GENEVE_PORT } };
	struct attribute_value v;
	uint16_t port;

	for (size_t i = 0; i < sizeof(tunnels) / sizeof(*tunnels); i++) {
		if (strcmp(link->kind, tunnels[i].kind) != 0)
			continue;
		while (attribute_next(&l, &v)) {
			if (v.type != tunnels[i].port)
				continue;
			if (!attribute_copy(&v, &port, sizeof(port)))
				return false;
			link->tunnel_port = ntohs(port);
		}
	}
	return true;
}

static bool read_kind(struct link_entry *link, struct attribute_list l)
{
	struct attribute_value v;

	while (attribute_next(&l, &v)) {
		if (v.type == IFLA_INFO_KIND && !copy_name(&v, link->kind))
			return false;
		if (v.type == IFLA_INFO_DATA && !read_tunnel(link, attributes_in(&v)))
			return false;
	}
	return true;
}

static bool read_link_attribute(struct link_entry *link, const struct attribute_value *v)
{
	switch (v->type) {
	case IFLA_IFNAME:
		return copy_name(v, link->name);
	case IFLA_LINK:
		return attribute_copy(v, &link->peer, sizeof(link->peer));
	case IFLA_LINK_NETNSID:
		return attribute_copy(v, &link->peer_nsid, sizeof(link->peer_nsid));
	case IFLA_MASTER:
		return attribute_copy(v, &link->master, sizeof(link->master));
	case IFLA_LINKINFO:
		return read_kind(link, attributes_in(v));
	default:
		return true;
	}
}

static bool read_link(const char *fixed, size_t len, struct link_entry *link)
{
	struct attribute_list l;
	struct attribute_value v;
	struct ifinfomsg m;

	if (len < sizeof(m))
		return false;
	memcpy(&m, fixed, sizeof(m));
	*link = (struct link_entry){ .index = (uint32_t)m.ifi_index,
				     .flags = m.ifi_flags,
				     .peer_nsid = -1 };
	l = attributes_of(fixed + sizeof(m), len - sizeof(m));
	while (attribute_next(&l, &v))
		if (!read_link_attribute(link, &v))
			return false;
	return attributes_ended(&l) && m.ifi_index > 0;
}

static bool read_address(const char *fixed, size_t len, struct link_address *a)
{
	bool has_local = false, has_address = false;
	struct attribute_list l;
	struct attribute_value v;
	struct ifaddrmsg m;
	size_t size;

	if (len < sizeof(m))
		return false;
	memcpy(&m, fixed, sizeof(m));
	*a = (struct link_address){ .index = m.ifa_index,
				    .family = m.ifa_family,
				    .prefix = m.ifa_prefixlen };
	size = m.ifa_family == AF_INET ? 4 : 16;
	if ((m.ifa_family != AF_INET && m.ifa_family != AF_INET6) || m.ifa_prefixlen > 8 * size)
		return false;
	l = attributes_of(fixed + sizeof(m), len - sizeof(m));
	while (attribute_next(&l, &v)) {
		/* IFA_ADDRESS is the far end's, where there is an IFA_LOCAL beside it */
		if (v.type == IFA_LOCAL && !(has_local = attribute_copy(&v, a->addr, size)))
			return false;
		if (v.type == IFA_ADDRESS && !(has_address = attribute_copy(&v, a->network, size)))
			return false;
	}
	if (!has_local)
		memcpy(a->addr, a->network, size);
	if (!has_address)
		memcpy(a->network, a->addr, size);
	return attributes_ended(&l) && (has_local || has_address);
}

static bool read_nsid(const char *fixed, size_t len, int32_t *ret_nsid)
{
	size_t header = MNL_ALIGN(sizeof(struct rtgenmsg));
	struct attribute_list l;
	struct attribute_value v;

	if (len < header)
		return false;
	l = attributes_of(fixed + header, len - header);
	while (attribute_next(&l, &v))
		if (v.type == NETNSA_NSID && !attribute_copy(&v, ret_nsid, sizeof(*ret_nsid)))
			return false;
	return attributes_ended(&l);
}

/* What a walk needs of the kind of message: its type, and who understands and takes it. */
struct walk {
	uint16_t type;
	/* false: not understood; else *ret is what the callback returned */
	bool (*take)(const struct walk *w, const char *fixed, size_t len, int *ret);
	link_fn *link;
	link_address_fn *address;
	void *userdata;
	uint64_t *malformed;
	int32_t *nsid;
};

static bool take_link(const struct walk *w, const char *fixed, size_t len, int *ret)
{
	struct link_entry link;

	if (!read_link(fixed, len, &link))
		return false;
	*ret = w->link(w->userdata, &link);
	return true;
}

static bool take_address(const struct walk *w, const char *fixed, size_t len, int *ret)
{
	struct link_address a;

	if (!read_address(fixed, len, &a))
		return false;
	*ret = w->address(w->userdata, &a);
	return true;
}

static bool take_nsid(const struct walk *w, const char *fixed, size_t len, int *ret)
{
	*ret = 0;
	return read_nsid(fixed, len, w->nsid);
}

static int walk(const struct walk *w, const void *data, size_t len)
{
	const struct nlmsghdr *nlh = data;
	size_t left = len;

	if ((uintptr_t)data % MNL_ALIGNTO)
		return -EINVAL;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		int r = 0;

		if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		if (nlh->nlmsg_type != w->type ||
		    !w->take(w, mnl_nlmsg_get_payload(nlh), mnl_nlmsg_get_payload_len(nlh), &r))
			++*w->malformed;
		if (r < 0)
			return r;
	}
	*w->malformed += left > 0;
	return 0;
}

int links_parse(const void *data, size_t len, link_fn *link, void *userdata, uint64_t *malformed)
{
	struct walk w = { RTM_NEWLINK, take_link, link, NULL, userdata, malformed, NULL };

	return walk(&w, data, len);
}

int link_addresses_parse(const void *data, size_t len, link_address_fn *address, void *userdata,
			 uint64_t *malformed)
{
	struct walk w = { RTM_NEWADDR, take_address, NULL, address, userdata, malformed, NULL };

	return walk(&w, data, len);
}

int link_nsid_parse(const void *data, size_t len, int32_t *ret_nsid, uint64_t *malformed)
{
	struct walk w = {
		.type = RTM_NEWNSID, .take = take_nsid, .malformed = malformed, .nsid = ret_nsid
	};

	return walk(&w, data, len);
}

/* ---- the dumps ---- */

static int take_datagram(void *userdata, const struct netlink_datagram *d)
{
	return walk(userdata, d->data, d->len);
}

/* -errno also where the kernel refuses. */
static int dump(struct tape *t, int fd, const char *name, const char *suffix, uint16_t request_type,
		struct walk *w)
{
	_Alignas(struct nlmsghdr) char request[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct netlink_stream stream = { NULL, request, 0, take_datagram, w };
	struct netlink_dump_result result;
	char full[STREAM_NAME_MAX];
	int r;

	nlh->nlmsg_type = request_type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = SEQUENCE;
	mnl_nlmsg_put_extra_header(nlh, request_type == RTM_GETLINK ? sizeof(struct ifinfomsg)
								    : sizeof(struct ifaddrmsg));
	stream.len = nlh->nlmsg_len;
	snprintf(full, sizeof(full), "%s%s", name, suffix);
	stream.name = full;
	r = netlink_read_stream(t, fd, &stream, &result);
	return r == NETLINK_REFUSED ? result.error : r;
}

int links_read(struct tape *t, int fd, const char *suffix, link_fn *link, void *userdata,
	       uint64_t *malformed)
{
	struct walk w = { RTM_NEWLINK, take_link, link, NULL, userdata, malformed, NULL };

	return dump(t, fd, "links", suffix, RTM_GETLINK, &w);
}

int link_addresses_read(struct tape *t, int fd, const char *suffix, link_address_fn *address,
			void *userdata, uint64_t *malformed)
{
	struct walk w = { RTM_NEWADDR, take_address, NULL, address, userdata, malformed, NULL };

	return dump(t, fd, "addresses", suffix, RTM_GETADDR, &w);
}

int link_nsid_get(int fd, int netns_fd, int32_t *ret_nsid)
{
	_Alignas(struct nlmsghdr) char request[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct netlink_dump_result result;
	uint64_t malformed = 0;
	struct walk w = {
		.type = RTM_NEWNSID, .take = take_nsid, .malformed = &malformed, .nsid = ret_nsid
	};
	int r;

	*ret_nsid = LINK_NSID_NONE;
	nlh->nlmsg_type = RTM_GETNSID;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK; /* the acknowledgement ends the answer */
	nlh->nlmsg_seq = SEQUENCE;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)netns_fd);
	r = netlink_dump(fd, request, nlh->nlmsg_len, take_datagram, &w, &result);
	if (r == NETLINK_REFUSED)
		return result.error;
	return r < 0 ? r : r || malformed ? -EBADMSG : 0;
}
