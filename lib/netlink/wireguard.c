/* SPDX-License-Identifier: MIT */
/*
 * Invariant: the family is asked for among all that are there, never by its name, or the kernel
 * would load it.
 */
#include "netlink/wireguard.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <string.h>

#include "netlink/message.h"
#include "netlink/transport.h"

#define SEQUENCE 1

/* The attributes of a generic netlink message; empty when it is too short. */
static struct attribute_list attributes_of_message(const struct nlmsghdr *nlh)
{
	const char *payload = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (len < sizeof(struct genlmsghdr))
		return attributes_of(payload, 0);
	return attributes_of(payload + sizeof(struct genlmsghdr), len - sizeof(struct genlmsghdr));
}

static uint16_t family_of(const struct nlmsghdr *nlh)
{
	static const char name[] = WG_GENL_NAME;
	struct attribute_list l = attributes_of_message(nlh);
	struct attribute_value v;
	bool is_wireguard = false;
	uint16_t id = 0;

	while (attribute_next(&l, &v)) {
		if (v.type == CTRL_ATTR_FAMILY_NAME)
			is_wireguard = v.len >= sizeof(name) - 1 &&
				       strnlen(v.data, v.len) == sizeof(name) - 1 &&
				       !memcmp(v.data, name, sizeof(name) - 1);
		if (v.type == CTRL_ATTR_FAMILY_ID && !attribute_copy(&v, &id, sizeof(id)))
			return 0;
	}
	return is_wireguard ? id : 0;
}

static uint16_t port_of(const struct nlmsghdr *nlh)
{
	struct attribute_list l = attributes_of_message(nlh);
	struct attribute_value v;
	uint16_t port = 0;

	while (attribute_next(&l, &v))
		if (v.type == WGDEVICE_A_LISTEN_PORT && !attribute_copy(&v, &port, sizeof(port)))
			return 0;
	return port;
}

static uint16_t walk(const void *data, size_t len, uint16_t type,
		     uint16_t (*take)(const struct nlmsghdr *nlh))
{
	const struct nlmsghdr *nlh = data;
	uint16_t found = 0;

	if ((uintptr_t)data % MNL_ALIGNTO)
		return 0;
	for (; !found && message_is_whole(nlh, len); nlh = message_next(nlh, &len))
		if (nlh->nlmsg_type == type)
			found = take(nlh);
	return found;
}

uint16_t wireguard_family_parse(const void *data, size_t len)
{
	return walk(data, len, GENL_ID_CTRL, family_of);
}

uint16_t wireguard_port_parse(const void *data, size_t len, uint16_t family)
{
	return family < NLMSG_MIN_TYPE ? 0 : walk(data, len, family, port_of);
}

struct question {
	uint16_t family, found;
};

static int take_family(void *userdata, const struct netlink_datagram *d)
{
	struct question *q = userdata;

	if (!q->found)
		q->found = wireguard_family_parse(d->data, d->len);
	return 0;
}

static int take_port(void *userdata, const struct netlink_datagram *d)
{
	struct question *q = userdata;

	if (!q->found)
		q->found = wireguard_port_parse(d->data, d->len, q->family);
	return 0;
}

static int ask(int fd, uint16_t type, uint8_t command, uint32_t ifindex, struct question *q,
	       int (*take)(void *userdata, const struct netlink_datagram *d))
{
	_Alignas(struct nlmsghdr) char request[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct genlmsghdr *genl;
	struct netlink_dump_result result;
	int r;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = SEQUENCE;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = 1;
	if (ifindex)
		mnl_attr_put_u32(nlh, WGDEVICE_A_IFINDEX, ifindex);
	r = netlink_dump(fd, request, nlh->nlmsg_len, take, q, &result);
	return r == NETLINK_REFUSED ? result.error : r < 0 ? r : 0;
}

int wireguard_read_port(int fd, uint32_t ifindex, uint16_t *family, uint16_t *ret_port)
{
	struct question q = { 0 };
	int r = 0;

	*ret_port = 0;
	if (!*family) {
		r = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, &q, take_family);
		*family = q.found;
	}
	if (r < 0 || !*family)
		return r < 0 ? r : -ENOENT;
	q = (struct question){ .family = *family };
	r = ask(fd, *family, WG_CMD_GET_DEVICE, ifindex, &q, take_port);
	*ret_port = q.found;
	return r;
}
