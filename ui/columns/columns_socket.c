/* SPDX-License-Identifier: MIT */
/* Getters for what a socket is: its kind, its ends, its numbers. */
#include <string.h>
#include <sys/socket.h>

#include <portavoz/registry.h>

#include "ui/columns/columns-internal.h"

COLUMN_GETTER(column_get_field)
{
	uint64_t v = column_field_value(&column->field, c);

	(void)context;
	if (v || !(column->flags & COLUMN_ZERO))
		cell_set_number(ret_cell, v);
}

COLUMN_GETTER(column_get_proto)
{
	(void)column, (void)context;
	cell_set_text(ret_cell, pv_proto_name(c->proto));
}

COLUMN_GETTER(column_get_family)
{
	static const char *const names[] = {
		[AF_UNIX] = "unix",	  [AF_INET] = "inet",	  [AF_INET6] = "inet6",
		[AF_NETLINK] = "netlink", [AF_PACKET] = "packet", [AF_VSOCK] = "vsock",
		[AF_XDP] = "xdp",
	};

	(void)column, (void)context;
	if (c->family < sizeof(names) / sizeof(*names))
		cell_set_text(ret_cell, names[c->family]);
}

COLUMN_GETTER(column_get_type)
{
	static const char *const names[] = {
		[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",	  [SOCK_RAW] = "raw",
		[SOCK_RDM] = "rdm",	  [SOCK_SEQPACKET] = "seqpacket", [SOCK_DCCP] = "dccp",
		[SOCK_PACKET] = "packet",
	};

	(void)column, (void)context;
	if (c->type < sizeof(names) / sizeof(*names))
		cell_set_text(ret_cell, names[c->type]);
}

COLUMN_GETTER(column_get_protocol)
{
	(void)column, (void)context;
	if (c->proto == PV_PROTO_RAW || c->proto == PV_PROTO_NETLINK)
		cell_set_number(ret_cell, c->protocol);
}

COLUMN_GETTER(column_get_state)
{
	(void)column, (void)context;
	if (c->state != PV_STATE_UNKNOWN || !c->flow)
		cell_set_text(ret_cell, pv_state_name(c->proto, c->state));
}

static void set_addr(struct cell *cell, const struct pv_conversation *c,
		     const struct pv_endpoint *e)
{
	if (pv_proto_is_inet(c->proto)) {
		cell->type = CELL_ADDRESS;
		cell->address.family = c->family;
		cell->address.bytes = e->addr;
	} else if (c->proto == PV_PROTO_VSOCK) {
		uint32_t cid;

		memcpy(&cid, e->addr, sizeof(cid));
		cell_set_number(cell, cid);
	}
}

static void set_port(struct cell *cell, const struct pv_conversation *c,
		     const struct pv_endpoint *e)
{
	bool has_port = c->proto != PV_PROTO_UNIX && c->proto != PV_PROTO_XDP;

	if (c->proto == PV_PROTO_PACKET || c->proto == PV_PROTO_NETLINK)
		has_port = e == &c->local;
	if (has_port)
		cell_set_number(cell, e->port);
}

const char *column_port_name(const struct pv_conversation *c, uint32_t port)
{
	enum pv_transport transport = pv_proto_transport((enum pv_proto)c->proto);
	const struct pv_service *s;

	if (transport == PV_TRANSPORT_N || !port || port > UINT16_MAX)
		return NULL;
	s = pv_service_by_port((uint16_t)port, transport);
	return s ? s->name : NULL;
}

static void set_group(struct cell *cell, const struct pv_conversation *c, uint32_t port)
{
	if (pv_proto_transport((enum pv_proto)c->proto) != PV_TRANSPORT_N && port &&
	    port <= UINT16_MAX)
		cell_set_text(cell, pv_port_group_name(pv_port_group((uint16_t)port)));
}

static void set_ephemeral(struct cell *cell, const struct column_context *context,
			  const struct pv_conversation *c, uint32_t port)
{
	const struct pv_netns *n = pv_snapshot_netns(context->snapshot, c->netns);

	if (pv_proto_transport((enum pv_proto)c->proto) != PV_TRANSPORT_N && port &&
	    n->ephemeral_last)
		cell_set_bool(cell, pv_netns_is_ephemeral(n, port));
}

/* The same getter for each end. */
#define BOTH_ENDS(noun, ...)                                                                       \
	COLUMN_GETTER(column_get_local_##noun)                                                     \
	{                                                                                          \
		const struct pv_endpoint *end = &c->local;                                         \
                                                                                                   \
		(void)column, (void)context, (void)end;                                            \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	COLUMN_GETTER(column_get_remote_##noun)                                                    \
	{                                                                                          \
		const struct pv_endpoint *end = &c->remote;                                        \
                                                                                                   \
		(void)column, (void)context, (void)end;                                            \
		__VA_ARGS__;                                                                       \
	}

BOTH_ENDS(addr, set_addr(ret_cell, c, end))
BOTH_ENDS(port, set_port(ret_cell, c, end))
BOTH_ENDS(service, cell_set_text(ret_cell, column_port_name(c, end->port)))
BOTH_ENDS(group, set_group(ret_cell, c, end->port))
BOTH_ENDS(ephemeral, set_ephemeral(ret_cell, context, c, end->port))

COLUMN_GETTER(column_get_remote_name)
{
	(void)column, (void)context;
	cell_set_name(ret_cell, c->remote_name);
}

COLUMN_GETTER(column_get_path)
{
	(void)column, (void)context;
	if (!c->path)
		return;
	ret_cell->type = CELL_NAME;
	ret_cell->bytes = *c->path;
}

COLUMN_GETTER(column_get_interface)
{
	(void)column;
	if (c->ifindex)
		cell_set_name(ret_cell,
			      pv_snapshot_netns_ifname(context->snapshot, c->netns, c->ifindex));
}

COLUMN_GETTER(column_get_v6only)
{
	(void)column, (void)context;
	if (c->flags & PV_CONV_V6ONLY_KNOWN)
		cell_set_bool(ret_cell, c->flags & PV_CONV_V6ONLY);
}

const char *column_service(const struct column_context *context, const struct pv_conversation *c)
{
	return column_port_name(c, pv_snapshot_service_port(context->snapshot, c));
}

COLUMN_GETTER(column_get_service)
{
	(void)column;
	cell_set_text(ret_cell, column_service(context, c));
}

COLUMN_GETTER(column_get_direction)
{
	(void)column, (void)context;
	cell_set_text(ret_cell, pv_direction_name(c->direction));
}

COLUMN_GETTER(column_get_direction_by)
{
	(void)column, (void)context;
	cell_set_text(ret_cell, pv_direction_by_name(c->direction_by));
}

/* TIME_WAIT sockets and open requests have no user */
COLUMN_GETTER(column_get_uid)
{
	(void)column, (void)context;
	if (c->uid != UINT32_MAX)
		cell_set_number(ret_cell, c->uid);
}

COLUMN_GETTER(column_get_user)
{
	(void)column;
	cell_set_name(ret_cell, pv_snapshot_user(context->snapshot, c->uid));
}

COLUMN_GETTER(column_get_netns)
{
	uint64_t inode = pv_snapshot_netns(context->snapshot, c->netns)->inode;

	(void)column;
	if (inode)
		cell_set_number(ret_cell, inode);
}

COLUMN_GETTER(column_get_netns_name)
{
	const struct pv_netns *n = pv_snapshot_netns(context->snapshot, c->netns);

	(void)column;
	if (!n->name.len)
		return;
	ret_cell->type = CELL_NAME;
	ret_cell->bytes = n->name;
}

COLUMN_GETTER(column_get_shutdown)
{
	static const char *const names[] = { "none", "receive", "send", "both" };

	(void)column, (void)context;
	cell_set_text(ret_cell, names[c->shutdown & 3]);
}

COLUMN_GETTER(column_get_timer)
{
	(void)column, (void)context;
	cell_set_text(ret_cell, pv_timer_name(c->timer));
}

COLUMN_GETTER(column_get_timer_ms)
{
	(void)column, (void)context;
	if (c->timer != PV_TIMER_OFF)
		cell_set_number(ret_cell, c->timer_ms);
}
