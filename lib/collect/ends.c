/* SPDX-License-Identifier: MIT */
/*
 * An index from socket pairs to the rows of a snapshot. Invariant: rows with the same key hang
 * together in `next`, so none hides another.
 */
#include "collect/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "base/map.h"
#include "base/vec.h"
#include "collect/tuple.h"
#include "model/snapshot.h"

struct pv_ends {
	const struct pv_snapshot *snapshot;
	struct map pairs;    /* both ends of a connected row -> first of its chain */
	struct map ports;    /* protocol and port of the others */
	struct map locals;   /* addresses that some socket of a namespace has as its own */
	VEC(uint32_t) next;  /* a row's follower in its chain; MAP_NONE = last */
	VEC(int64_t) closed; /* when each row was closed, the newest heads its chain; or none */
};

#define ANY_NETNS UINT32_MAX

static bool is_connected(const struct pv_conversation *c)
{
	return c->state != PV_STATE_LISTEN && c->remote.port;
}

static uint64_t pair_key(uint8_t proto, uint8_t family, const struct pv_endpoint *local,
			 const struct pv_endpoint *remote)
{
	return tuple_endpoint_hash(tuple_endpoint_hash(map_mix(proto, 1), family, local), family,
				   remote);
}

static uint64_t port_key(uint8_t proto, uint32_t port)
{
	return map_mix(map_mix(proto, 2), port);
}

/* Subflows of MPTCP are listed as TCP, too; what is no IP socket is on no wire. */
static bool is_indexed(const struct pv_conversation *c)
{
	return pv_proto_is_inet(c->proto) && c->proto != PV_PROTO_MPTCP && c->local.port;
}

static uint64_t address_key(uint32_t netns, uint8_t family, const struct pv_endpoint *e)
{
	struct pv_endpoint address = *e;

	address.port = 0;
	return tuple_endpoint_hash(map_mix(netns, 3), family, &address);
}

static int add_local(struct pv_ends *e, uint32_t netns, uint8_t family,
		     const struct pv_endpoint *end)
{
	int r;

	if (inet_is_any(family, end->addr))
		return 0;
	r = map_put(&e->locals, address_key(netns, family, end), 0);
	return r < 0 ? r : map_put(&e->locals, address_key(ANY_NETNS, family, end), 0);
}

/* A wildcard takes what is sent to an address of its own namespace, and nothing else. */
static bool is_local(const struct pv_ends *e, uint32_t netns, uint8_t family,
		     const struct pv_endpoint *end)
{
	return inet_is_loopback(family, end->addr) ||
	       map_get(&e->locals, address_key(netns, family, end)) != MAP_NONE;
}

static int add_row(struct pv_ends *e, uint32_t number, const struct pv_conversation *c)
{
	bool connected = is_connected(c);
	struct map *map = connected ? &e->pairs : &e->ports;
	uint64_t key = connected ? pair_key(c->proto, c->family, &c->local, &c->remote)
				 : port_key(c->proto, c->local.port);

	e->next.items[number] = map_get(map, key);
	return map_put(map, key, number) < 0 ? -ENOMEM
					     : add_local(e, c->netns, c->family, &c->local);
}

/* Places for rows up to the number. */
static int make_room(struct pv_ends *e, size_t n)
{
	int r = vec_reserve(&e->next, n);

	for (; r == 0 && e->next.n < n;)
		r = vec_push(&e->next, MAP_NONE);
	return r;
}

int ends_add_address(struct pv_ends *e, uint32_t netns, uint8_t family, const void *addr)
{
	struct pv_endpoint end = { 0 };

	memcpy(end.addr, addr, family == AF_INET ? 4 : 16);
	return add_local(e, netns, family, &end);
}

int pv_ends_new(const struct pv_snapshot *snapshot, struct pv_ends **ret)
{
	struct pv_ends *e = calloc(1, sizeof(*e));
	int r = 0;

	if (!e)
		return -ENOMEM;
	e->snapshot = snapshot;
	r = make_room(e, snapshot->n_rows);
	for (size_t i = snapshot->n_rows; r == 0 && i > 0; i--)
		if (is_indexed(snapshot_row(snapshot, i - 1)))
			r = add_row(e, (uint32_t)i - 1, snapshot_row(snapshot, i - 1));
	for (size_t i = 0; r == 0 && i < snapshot->addresses.n; i++) {
		const struct snapshot_address *a = &snapshot->addresses.items[i];

		r = ends_add_address(e, a->netns, a->family, a->addr);
	}
	if (r < 0) {
		pv_ends_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

int ends_new_closed(const struct pv_snapshot *snapshot, struct pv_ends **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->snapshot = snapshot;
	return 0;
}

int ends_add_closed(struct pv_ends *e, int64_t time)
{
	uint32_t number = (uint32_t)e->snapshot->n_rows - 1;
	int r = vec_push(&e->closed, time);

	if (r == 0)
		r = make_room(e, number + 1);
	return r < 0 ? r : add_row(e, number, snapshot_row(e->snapshot, number));
}

bool pv_ends_is_here(const struct pv_ends *e, uint8_t family, const struct pv_endpoint *end)
{
	return is_local(e, ANY_NETNS, family, end);
}

void pv_ends_free(struct pv_ends *e)
{
	if (!e)
		return;
	map_deinit(&e->pairs);
	map_deinit(&e->ports);
	map_deinit(&e->locals);
	vec_deinit(&e->next);
	vec_deinit(&e->closed);
	free(e);
}

static bool speaks(const struct pv_conversation *c, uint8_t family)
{
	return c->family == family ||
	       (family == AF_INET && c->family == AF_INET6 && !(c->flags & PV_CONV_V6ONLY));
}

/* How well a row fits as the end `mine`; PV_END_NONE = not at all. */
static enum pv_end_by fit(const struct pv_ends *e, const struct pv_conversation *c,
			  const struct pv_pair *pair, const struct pv_endpoint *mine,
			  const struct pv_endpoint *other)
{
	bool is_mine = tuple_endpoint_equal(c->family, &c->local, pair->family, mine);

	if (c->proto != pair->proto)
		return PV_END_NONE;
	if (is_connected(c))
		return is_mine && tuple_endpoint_equal(c->family, &c->remote, pair->family, other)
			       ? PV_END_PAIR
			       : PV_END_NONE;
	if (is_mine)
		return PV_END_BOUND;
	return c->local.port == mine->port && inet_is_any(c->family, c->local.addr) &&
			       speaks(c, pair->family) && is_local(e, c->netns, pair->family, mine)
		       ? PV_END_WILDCARD
		       : PV_END_NONE;
}

static bool same_holder(const struct pv_snapshot *s, const struct pv_conversation *a,
			const struct pv_conversation *b)
{
	return a->netns == b->netns && a->n_holders && b->n_holders &&
	       pv_snapshot_holder(s, a, 0)->process == pv_snapshot_holder(s, b, 0)->process;
}

/*
 * The best of a chain; a row with a holder before one without (an accepted one before its remains).
 * Of closed ones the first of equals since then, which had that place at the time.
 */
static const struct pv_conversation *best(const struct pv_ends *e, uint32_t first,
					  const struct pv_pair *pair, unsigned side, int64_t since,
					  enum pv_end_by *ret_by)
{
	const struct pv_endpoint *mine = &pair->ends[side], *other = &pair->ends[!side];
	const struct pv_conversation *found = NULL;
	bool is_ambiguous = false;

	*ret_by = PV_END_NONE;
	for (uint32_t i = first; i != MAP_NONE; i = e->next.items[i]) {
		const struct pv_conversation *c = snapshot_row(e->snapshot, i);
		enum pv_end_by by = fit(e, c, pair, mine, other);

		if (e->closed.n && e->closed.items[i] < since)
			break;
		if (by == PV_END_NONE || (found && by > *ret_by))
			continue;
		if (!found || by < *ret_by || e->closed.n || (!found->n_holders && c->n_holders)) {
			found = c;
			*ret_by = by;
			is_ambiguous = false;
		} else if (c->n_holders && !same_holder(e->snapshot, found, c)) {
			is_ambiguous = true;
		}
	}
	if (is_ambiguous)
		*ret_by = PV_END_AMBIGUOUS;
	return is_ambiguous ? NULL : found;
}

const struct pv_conversation *ends_find_closed(const struct pv_ends *e, const struct pv_pair *pair,
					       unsigned side, int64_t since, enum pv_end_by *ret_by)
{
	const struct pv_endpoint *mine = &pair->ends[side & 1], *other = &pair->ends[!(side & 1)];
	const struct pv_conversation *c, *listener;
	enum pv_end_by by, listener_by;

	c = best(e, map_get(&e->pairs, pair_key(pair->proto, pair->family, mine, other)), pair,
		 side & 1, since, &by);
	/* not accepted yet, or closed already: whose listener it came to still tells */
	if (by == PV_END_NONE || (c && !c->n_holders)) {
		listener = best(e, map_get(&e->ports, port_key(pair->proto, mine->port)), pair,
				side & 1, since, &listener_by);
		if (by == PV_END_NONE || (listener && listener->n_holders)) {
			c = listener;
			by = listener_by;
		}
	}
	if (ret_by)
		*ret_by = by;
	return c;
}

const struct pv_conversation *pv_ends_find(const struct pv_ends *e, const struct pv_pair *pair,
					   unsigned side, enum pv_end_by *ret_by)
{
	return ends_find_closed(e, pair, side, 0, ret_by);
}
