/* SPDX-License-Identifier: MIT */
/*
 * Who opened a conversation, with the rule that decided it: the state itself, a listener on the
 * local port or UNIX name, a listener of this host at the other end, port evidence, else unknown.
 * Two rules of equal rank that contradict each other leave it unknown.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "collect/collector.h"
#include "collect/tuple.h"

/* RFC 6335 section 6: from here on numbers are for dynamic use everywhere. */
#define DYNAMIC_FIRST 49152

/*
 * Listeners by (namespace, protocol, port, address). `ports` answers the common "no" with one look;
 * `sockets` holds each listening address, the unspecified ones included.
 */
struct listeners {
	struct map ports;
	struct map sockets;
};

static void cleanup_listeners(struct listeners *l)
{
	map_deinit(&l->ports);
	map_deinit(&l->sockets);
}

static uint64_t port_key(const struct pv_conversation *c, uint32_t port)
{
	/* two raw parts would mix alike in either order */
	return map_mix(map_mix(map_mix(1, c->netns), c->proto), port);
}

static uint64_t socket_key(const struct pv_conversation *c, struct tuple_addr a, uint32_t port)
{
	uint64_t w[2] = { 0 };

	memcpy(w, a.bytes, a.family == AF_INET6 ? 16 : 4);
	return map_mix(map_mix(port_key(c, port), w[0]), w[1] ^ (uint64_t)a.family << 48);
}

static bool is_server(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	if (c->state == PV_STATE_LISTEN)
		return true;
	/* a datagram server is an unconnected socket on a port that the system did not pick */
	return (c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE) &&
	       c->state == PV_STATE_CLOSE && c->local.port &&
	       !pv_netns_is_ephemeral(pv_snapshot_netns(s, c->netns), c->local.port);
}

static int add_listener(struct listeners *l, const struct pv_conversation *c)
{
	static const uint8_t any[16];
	struct tuple_addr a = tuple_addr(c->family, &c->local);
	int r = map_put(&l->ports, port_key(c, c->local.port), 0);

	if (r == 0)
		r = map_put(&l->sockets, socket_key(c, a, c->local.port), 0);
	/* [::] without IPV6_V6ONLY serves IPv4 too */
	if (r == 0 && c->family == AF_INET6 && inet_is_any(AF_INET6, c->local.addr) &&
	    !(c->flags & PV_CONV_V6ONLY))
		r = map_put(&l->sockets,
			    socket_key(c, (struct tuple_addr){ AF_INET, any }, c->local.port), 0);
	return r;
}

static bool has_listener(const struct listeners *l, const struct pv_conversation *c,
			 const struct pv_endpoint *e)
{
	static const uint8_t any[16];
	struct tuple_addr a = tuple_addr(c->family, e);

	if (map_get(&l->ports, port_key(c, e->port)) == MAP_NONE)
		return false;
	return map_get(&l->sockets, socket_key(c, a, e->port)) != MAP_NONE ||
	       map_get(&l->sockets, socket_key(c, (struct tuple_addr){ a.family, any }, e->port)) !=
		       MAP_NONE;
}

static void decide(struct pv_conversation *c, enum pv_direction d, enum pv_direction_by by)
{
	c->direction = (uint8_t)d;
	c->direction_by = (uint8_t)by;
}

static bool by_state(const struct pv_snapshot *s, struct pv_conversation *c)
{
	if (is_server(s, c))
		decide(c, PV_DIR_LISTEN, PV_BY_STATE);
	else if (c->state == PV_STATE_SYN_SENT)
		decide(c, PV_DIR_OUTGOING, PV_BY_STATE);
	else if (c->state == PV_STATE_SYN_RECV)
		decide(c, PV_DIR_INCOMING, PV_BY_STATE);
	else
		return !c->remote.port;
	return true;
}

static bool is_same_host(const struct pv_conversation *c)
{
	struct tuple_addr remote = tuple_addr(c->family, &c->remote);

	return inet_is_loopback(remote.family, remote.bytes) ||
	       tuple_addr_equal(remote, tuple_addr(c->family, &c->local));
}

static bool by_listener(const struct listeners *l, struct pv_conversation *c)
{
	bool here = has_listener(l, c, &c->local);
	bool there = is_same_host(c) && has_listener(l, c, &c->remote);

	if (here && !there)
		decide(c, PV_DIR_INCOMING, PV_BY_LISTENER);
	else if (there && !here)
		decide(c, PV_DIR_OUTGOING, PV_BY_PEER_LISTENER);
	return here || there;
}

static void by_ports(const struct pv_snapshot *s, struct pv_conversation *c)
{
	const struct pv_netns *n = pv_snapshot_netns(s, c->netns);
	bool local = pv_netns_is_ephemeral(n, c->local.port);
	bool remote = pv_netns_is_ephemeral(n, c->remote.port) || c->remote.port >= DYNAMIC_FIRST;

	if (local && !remote)
		decide(c, PV_DIR_OUTGOING, PV_BY_PORTS);
	else if (remote && !local && n->ephemeral_last)
		decide(c, PV_DIR_INCOMING, PV_BY_PORTS);
}

/* ---- UNIX ---- */

static uint64_t path_key(const struct pv_conversation *c)
{
	uint64_t h = map_mix(map_mix(map_mix(1, c->netns), c->type), c->path->len);

	for (uint32_t i = 0; i < c->path->len; i += 8) {
		uint64_t word = 0;

		memcpy(&word, c->path->data + i, c->path->len - i < 8 ? c->path->len - i : 8);
		h = map_mix(h, word);
	}
	return h;
}

static bool same_name(const struct pv_conversation *a, const struct pv_conversation *b)
{
	return a->netns == b->netns && a->type == b->type && a->path->len == b->path->len &&
	       !memcmp(a->path->data, b->path->data, a->path->len);
}

static bool has_name(const struct pv_conversation *c, enum pv_state state)
{
	return c->proto == PV_PROTO_UNIX && c->state == state && c->path && c->path->len;
}

/* What accept() returns has the name of the listener, and no other connected socket has it. */
static int find_accepted(struct pv_snapshot *s, const struct map *names, struct map *accepted)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(s, i);
		uint32_t listener = has_name(row, PV_STATE_ESTABLISHED)
					    ? map_get(names, path_key(row))
					    : MAP_NONE;

		if (listener == MAP_NONE || !same_name(row, snapshot_row(s, listener)))
			continue;
		decide(row, PV_DIR_INCOMING, PV_BY_LISTENER);
		r = map_put(accepted, row->inode, (uint32_t)i);
	}
	return r;
}

static int unix_directions(struct pv_snapshot *s)
{
	_cleanup_(cleanup_map) struct map names = MAP_INIT, accepted = MAP_INIT;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->n_rows; i++)
		if (has_name(snapshot_row(s, i), PV_STATE_LISTEN))
			r = map_put(&names, path_key(snapshot_row(s, i)), (uint32_t)i);
	if (r >= 0)
		r = find_accepted(s, &names, &accepted);
	for (size_t i = 0; r >= 0 && i < s->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(s, i);

		if (row->proto == PV_PROTO_UNIX && row->peer_inode &&
		    row->direction == PV_DIR_UNKNOWN &&
		    map_get(&accepted, row->peer_inode) != MAP_NONE)
			decide(row, PV_DIR_OUTGOING, PV_BY_PEER_LISTENER);
	}
	return r;
}

int collect_directions(struct collector *c)
{
	_cleanup_(cleanup_listeners) struct listeners l = { MAP_INIT, MAP_INIT };
	struct pv_snapshot *s = c->snapshot;
	bool has_unix = false;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->n_rows; i++) {
		const struct pv_conversation *row = snapshot_row(s, i);

		if (pv_proto_is_inet(row->proto) && is_server(s, row))
			r = add_listener(&l, row);
	}
	for (size_t i = 0; r >= 0 && i < s->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(s, i);

		has_unix |= row->proto == PV_PROTO_UNIX;
		if (row->proto == PV_PROTO_UNIX || row->proto == PV_PROTO_VSOCK) {
			if (row->state == PV_STATE_LISTEN)
				decide(row, PV_DIR_LISTEN, PV_BY_STATE);
		} else if (pv_proto_is_inet(row->proto) && !by_state(s, row) &&
			   !by_listener(&l, row)) {
			by_ports(s, row);
		}
	}
	return r >= 0 && has_unix ? unix_directions(s) : r;
}
