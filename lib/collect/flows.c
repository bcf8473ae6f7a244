/* SPDX-License-Identifier: MIT */
/* Translated flows by the tuples of their packets: of either direction, as they come in. */
#include <netinet/in.h>
#include <string.h>

#include "collect/network.h"

#define NONE UINT32_MAX

static struct network_tuple tuple_of(const struct conntrack_entry *e,
				     const struct conntrack_tuple *t)
{
	struct network_tuple r = { .family = e->family, .protocol = e->protocol };

	memcpy(r.src.addr, t->src, sizeof(r.src.addr));
	memcpy(r.dst.addr, t->dst, sizeof(r.dst.addr));
	r.src.port = t->sport;
	r.dst.port = t->dport;
	return r;
}

/* What the other direction's packets look like is what these become, turned round. */
static struct network_tuple turned(const struct conntrack_entry *e, const struct conntrack_tuple *t)
{
	struct network_tuple r = tuple_of(e, t);
	struct pv_endpoint src = r.src;

	r.src = r.dst;
	r.dst = src;
	return r;
}

bool network_tuple_equal(const struct network_tuple *a, const struct network_tuple *b)
{
	return a->protocol == b->protocol &&
	       tuple_endpoint_equal(a->family, &a->src, b->family, &b->src) &&
	       tuple_endpoint_equal(a->family, &a->dst, b->family, &b->dst);
}

static uint64_t hash_tuple(const struct network_tuple *t)
{
	uint64_t h = map_mix(1, t->protocol);

	return tuple_endpoint_hash(tuple_endpoint_hash(h, t->family, &t->src), t->family, &t->dst);
}

/* Puts flow i before those of the same hash. */
static int put(struct map *m, uint64_t key, uint32_t i, uint32_t *next)
{
	*next = map_get(m, key);
	return map_put(m, key, i);
}

int network_index_flows(struct network *n)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < n->flows.n; i++) {
		struct network_flow *f = &n->flows.items[i];
		struct network_tuple original = tuple_of(&f->entry, &f->entry.original);
		struct network_tuple reply = tuple_of(&f->entry, &f->entry.reply);

		r = put(&n->originals, hash_tuple(&original), i, &f->next_original);
		if (r == 0)
			r = put(&n->replies, hash_tuple(&reply), i, &f->next_reply);
	}
	return r;
}

int network_translate(const struct network *n, const struct network_tuple *t,
		      int (*turn)(void *userdata, const struct network_turn *turn), void *userdata)
{
	uint64_t key = hash_tuple(t);
	int r = 0;

	for (uint32_t i = map_get(&n->originals, key); r == 0 && i != NONE;) {
		const struct network_flow *f = &n->flows.items[i];
		struct network_tuple own = tuple_of(&f->entry, &f->entry.original);

		if (network_tuple_equal(t, &own))
			r = turn(userdata, &(struct network_turn){
						   f, turned(&f->entry, &f->entry.reply), true });
		i = f->next_original;
	}
	for (uint32_t i = map_get(&n->replies, key); r == 0 && i != NONE;) {
		const struct network_flow *f = &n->flows.items[i];
		struct network_tuple own = tuple_of(&f->entry, &f->entry.reply);

		if (network_tuple_equal(t, &own))
			r = turn(userdata,
				 &(struct network_turn){ f, turned(&f->entry, &f->entry.original),
							 false });
		i = f->next_reply;
	}
	return r;
}

uint8_t network_protocol_of(const struct pv_conversation *c)
{
	switch (c->proto) {
	case PV_PROTO_TCP:
	case PV_PROTO_MPTCP:
		return IPPROTO_TCP;
	case PV_PROTO_UDP:
		return IPPROTO_UDP;
	case PV_PROTO_UDPLITE:
		return IPPROTO_UDPLITE;
	case PV_PROTO_SCTP:
		return IPPROTO_SCTP;
	case PV_PROTO_DCCP:
		return IPPROTO_DCCP;
	default:
		return 0;
	}
}
