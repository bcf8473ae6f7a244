/* SPDX-License-Identifier: MIT */
/*
 * Both ends on this host: a mirrored tuple of the same protocol, in the same network namespace or,
 * where packets may pass, in another one, behind translations if connection tracking knows of some;
 * or a UNIX socket's peer by inode. A pair is one that either end alone leads to. Where several
 * sockets or translations fit, none is named, and their number is kept.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "collect/network.h"
#include "collect/tuple.h"

#define NONE UINT32_MAX
/* Candidates are counted so far; translations are followed over so many namespaces. */
#define CANDIDATES_MAX 1000
#define HOPS_MAX 8

static bool can_pair(const struct pv_conversation *c)
{
	return c->proto <= PV_PROTO_DCCP && c->remote.port && c->state != PV_STATE_LISTEN;
}

/* An unconnected UDP socket takes what comes to its port, whoever sends it. */
static bool is_datagram(const struct pv_conversation *c)
{
	return c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE;
}

static bool is_server(const struct pv_conversation *c)
{
	return is_datagram(c) && !c->remote.port && c->local.port;
}

/* ---- indices ---- */

/* Rows of the same hash are chained by `next`, of either kind. */
struct pairs {
	struct collector *c;
	struct map tuples, servers, inodes;
	uint32_t *next;
	uint8_t *found; /* FOUND_*, of each row */
};

#define FOUND_FAR 1	/* by its tuple, over translations or in another namespace */
#define FOUND_REFUTED 2 /* it does not lead back */

static void cleanup_pairs(struct pairs *p)
{
	map_deinit(&p->tuples);
	map_deinit(&p->servers);
	map_deinit(&p->inodes);
	free(p->next);
	free(p->found);
}

static uint64_t hash_ends(uint8_t proto, int family, const struct pv_endpoint *first,
			  const struct pv_endpoint *second)
{
	uint64_t h = map_mix(1, proto);

	return tuple_endpoint_hash(tuple_endpoint_hash(h, family, first), family, second);
}

static uint64_t hash_server(uint8_t proto, uint32_t port)
{
	return map_mix(map_mix(1, proto), port);
}

static int chain(struct pairs *p, struct map *m, uint64_t key, uint32_t i)
{
	p->next[i] = map_get(m, key);
	return map_put(m, key, i);
}

static int index_row(struct pairs *p, uint32_t i)
{
	const struct pv_conversation *row = snapshot_row(p->c->snapshot, i);

	if (row->proto == PV_PROTO_UNIX && row->inode)
		return map_put(&p->inodes, row->inode, i);
	if (can_pair(row))
		return chain(p, &p->tuples,
			     hash_ends(row->proto, row->family, &row->local, &row->remote), i);
	if (is_server(row))
		return chain(p, &p->servers, hash_server(row->proto, row->local.port), i);
	return 0;
}

static int index_rows(struct pairs *p)
{
	size_t n = p->c->snapshot->n_rows;
	int r = map_reserve(&p->tuples, n);

	p->next = malloc((n + 1) * sizeof(*p->next));
	p->found = calloc(n + 1, sizeof(*p->found));
	if (r < 0 || !p->next || !p->found)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = index_row(p, i);
	return r;
}

/* ---- ends in the same namespace ---- */

static bool is_mirrored(const struct pv_conversation *a, const struct pv_conversation *b)
{
	return a->netns == b->netns && a->proto == b->proto &&
	       tuple_endpoint_equal(a->family, &a->local, b->family, &b->remote) &&
	       tuple_endpoint_equal(a->family, &a->remote, b->family, &b->local);
}

/* One that was found, and how many there are. */
struct search {
	uint32_t row;
	uint32_t n;
};

static void note(struct search *s, uint32_t row)
{
	s->row = row;
	if (s->n < CANDIDATES_MAX)
		s->n++;
}

static struct search find_near(const struct pairs *p, const struct pv_conversation *row)
{
	uint64_t key = hash_ends(row->proto, row->family, &row->remote, &row->local);
	struct search s = { NONE, 0 };

	for (uint32_t i = map_get(&p->tuples, key); i != NONE && s.n < CANDIDATES_MAX;
	     i = p->next[i])
		if (is_mirrored(row, snapshot_row(p->c->snapshot, i)))
			note(&s, i);
	return s;
}

/* ---- ends elsewhere ---- */

/* A packet of one end, where it is, and what became of it on its way. */
struct walk {
	const struct pairs *p;
	const struct pv_conversation *row;
	struct network_tuple tuple;
	uint32_t netns;
	uint32_t ifindex; /* scope of the destination, in netns */
	struct pv_translation translation;
	/* the step being made: different translations that fit */
	struct network_turn turn;
	uint32_t n_turns;
	const struct network_flow *used[HOPS_MAX];
};

static struct tuple_addr addr_of(const struct network_tuple *t, const struct pv_endpoint *e)
{
	return (struct tuple_addr){ t->family, e->addr };
}

static struct network_tuple tuple_of_row(const struct pv_conversation *row)
{
	struct tuple_addr src = tuple_addr(row->family, &row->local);
	struct tuple_addr dst = tuple_addr(row->family, &row->remote);
	struct network_tuple t = { .family = (uint8_t)src.family,
				   .protocol = network_protocol_of(row) };
	size_t len = src.family == AF_INET6 ? 16 : 4;

	memcpy(t.src.addr, src.bytes, len);
	memcpy(t.dst.addr, dst.bytes, dst.family == src.family ? len : 4);
	t.src.port = row->local.port;
	t.dst.port = row->remote.port;
	return t;
}

/* May what is sent to the tuple's destination end in that namespace? */
static bool may_end_in(const struct walk *w, uint32_t netns)
{
	const struct network *n = w->p->c->network;
	struct tuple_addr dst = addr_of(&w->tuple, &w->tuple.dst);

	if (network_is_local(n, w->netns, dst))
		return netns == w->netns;
	return n && netns != w->netns && network_may_be_local(n, netns, dst) &&
	       network_may_pass(n, w->netns, netns, dst, w->ifindex);
}

static bool may_translate_in(const struct walk *w, uint32_t netns)
{
	const struct network *n = w->p->c->network;
	struct tuple_addr dst = addr_of(&w->tuple, &w->tuple.dst);

	if (inet_is_loopback(dst.family, dst.bytes))
		return netns == w->netns;
	return network_may_pass(n, w->netns, netns, dst, w->ifindex);
}

static bool is_used(const struct walk *w, const struct network_flow *flow)
{
	for (size_t i = 0; i < w->translation.n_hops; i++)
		if (w->used[i] == flow)
			return true;
	return false;
}

static int take_turn(void *userdata, const struct network_turn *turn)
{
	struct walk *w = userdata;

	if (!may_translate_in(w, turn->flow->netns) || is_used(w, turn->flow))
		return 0;
	/* the same translation, told by two namespaces, is one */
	if (w->n_turns && network_tuple_equal(&w->turn.tuple, &turn->tuple))
		return 0;
	w->turn = *turn;
	return ++w->n_turns >= CANDIDATES_MAX;
}

static void apply(struct walk *w)
{
	struct pv_translation *t = &w->translation;

	if (!t->n_hops) {
		t->netns = w->turn.flow->netns;
		t->is_opener = w->turn.is_original;
	}
	w->used[t->n_hops++] = w->turn.flow;
	w->tuple = w->turn.tuple;
	w->netns = w->turn.flow->netns;
	w->ifindex = 0;
	t->family = w->tuple.family;
	t->local = w->tuple.src;
	t->remote = w->tuple.dst;
}

static bool is_at_end(const struct walk *w, const struct pv_conversation *c)
{
	return c != w->row && c->proto == w->row->proto &&
	       tuple_endpoint_equal(w->tuple.family, &w->tuple.src, c->family, &c->remote) &&
	       tuple_endpoint_equal(w->tuple.family, &w->tuple.dst, c->family, &c->local) &&
	       may_end_in(w, c->netns);
}

static struct search find_end(const struct walk *w)
{
	const struct pairs *p = w->p;
	uint64_t key = hash_ends(w->row->proto, w->tuple.family, &w->tuple.dst, &w->tuple.src);
	struct search s = { NONE, 0 };

	for (uint32_t i = map_get(&p->tuples, key); i != NONE && s.n < CANDIDATES_MAX;
	     i = p->next[i])
		if (is_at_end(w, snapshot_row(p->c->snapshot, i)))
			note(&s, i);
	return s;
}

#define SERVES_ANY 1 /* the kernel prefers one bound to the address itself */
#define SERVES_ADDRESS 2

/* How well an unconnected socket fits the destination; 0 = it does not. */
static unsigned serves(const struct walk *w, const struct pv_conversation *c)
{
	struct tuple_addr dst = addr_of(&w->tuple, &w->tuple.dst);
	struct tuple_addr own = tuple_addr(c->family, &c->local);
	bool is_any = inet_is_any(own.family, own.bytes);

	if (c->proto != w->row->proto || c->local.port != w->tuple.dst.port ||
	    !may_end_in(w, c->netns))
		return 0;
	if (!is_any)
		return tuple_addr_equal(own, dst) ? SERVES_ADDRESS : 0;
	/* [::] without IPV6_V6ONLY serves IPv4 too */
	return own.family == dst.family || (own.family == AF_INET6 && !(c->flags & PV_CONV_V6ONLY))
		       ? SERVES_ANY
		       : 0;
}

static struct search find_server(const struct walk *w)
{
	const struct pairs *p = w->p;
	struct search s[SERVES_ADDRESS + 1] = { { NONE, 0 }, { NONE, 0 }, { NONE, 0 } };

	for (uint32_t i = map_get(&p->servers, hash_server(w->row->proto, w->tuple.dst.port));
	     i != NONE && s[SERVES_ANY].n < CANDIDATES_MAX; i = p->next[i])
		note(&s[serves(w, snapshot_row(p->c->snapshot, i))], i);
	return s[SERVES_ADDRESS].n ? s[SERVES_ADDRESS] : s[SERVES_ANY];
}

/*
 * Follows the packet from namespace to namespace. Returns what is at its end: several where it
 * divides, or where the socket that it would reach untranslated is there, too.
 */
static struct search follow(struct walk *w)
{
	struct search s = find_end(w);

	while (w->p->c->network && w->tuple.protocol && w->translation.n_hops < HOPS_MAX) {
		struct search before = s;

		w->n_turns = 0;
		(void)network_translate(w->p->c->network, &w->tuple, take_turn, w);
		if (w->n_turns != 1) {
			s.n += w->n_turns;
			break;
		}
		apply(w);
		s = find_end(w);
		if (!before.n)
			continue;
		/* what it would reach untranslated is there, too */
		s.n += before.n + (s.n == 0);
		break;
	}
	return s;
}

static int relate(struct pairs *p, struct pv_conversation *row, const struct pv_translation *t,
		  uint32_t n_candidates)
{
	struct snapshot_relation *r = snapshot_relate(p->c->snapshot, row);

	if (!r)
		return -ENOMEM;
	if (t)
		r->translation = *t;
	r->n_candidates = n_candidates;
	return 0;
}

/* The one that fits is named where nothing unseen could fit as well. */
static bool is_guess(const struct walk *w, const struct search *s)
{
	const struct network *n = w->p->c->network;

	return n && s->n == 1 &&
	       network_is_guess(n, w->netns, snapshot_row(w->p->c->snapshot, s->row)->netns,
				addr_of(&w->tuple, &w->tuple.dst), w->ifindex);
}

static int find_far(struct pairs *p, uint32_t i)
{
	struct pv_conversation *row = snapshot_row(p->c->snapshot, i);
	struct walk w = { .p = p,
			  .row = row,
			  .tuple = tuple_of_row(row),
			  .netns = row->netns,
			  .ifindex = row->ifindex };
	struct search s = follow(&w);

	if (s.n == 0 && is_datagram(row))
		s = find_server(&w);
	if (is_guess(&w, &s))
		return relate(p, row, NULL, 1);
	if (s.n == 1) {
		row->peer = s.row + 1;
		p->found[i] = FOUND_FAR;
	}
	if (s.n > 1)
		return relate(p, row, NULL, s.n);
	return w.translation.n_hops ? relate(p, row, &w.translation, 0) : 0;
}

static int find_peer(struct pairs *p, uint32_t i)
{
	struct pv_conversation *row = snapshot_row(p->c->snapshot, i);
	uint32_t peer = row->peer_inode ? map_get(&p->inodes, row->peer_inode) : NONE;
	struct search s;

	if (row->proto == PV_PROTO_UNIX) {
		row->peer = peer != NONE && peer != i ? peer + 1 : 0;
		return 0;
	}
	if (!can_pair(row))
		return 0;
	s = find_near(p, row);
	if (s.n == 0)
		return find_far(p, i);
	if (s.n > 1)
		return relate(p, row, NULL, s.n);
	/* a socket connected to itself (TCP self-connect) is its own other end: no peer */
	if (s.row != i)
		row->peer = s.row + 1;
	return 0;
}

/*
 * What is far away must lead back, or more than one socket lays claim to it: two namespaces may
 * hold the same addresses. A server is the end of many.
 */
static int check_far(struct pairs *p, uint32_t i)
{
	struct pv_snapshot *s = p->c->snapshot;
	struct pv_conversation *row = snapshot_row(s, i);
	const struct pv_conversation *peer = pv_snapshot_peer(s, row);
	uint32_t n;

	if (!p->found[i] || !can_pair(peer) || peer->peer == i + 1)
		return 0;
	n = pv_snapshot_peer_candidates(s, peer);
	p->found[i] = FOUND_REFUTED;
	return relate(p, row, NULL, n ? n : 1);
}

static void forget(struct pairs *p, uint32_t i)
{
	struct pv_conversation *row = snapshot_row(p->c->snapshot, i);

	if (p->found[i] != FOUND_REFUTED)
		return;
	row->peer = 0;
	p->c->snapshot->relations.items[row->relation - 1].translation =
		(struct pv_translation){ 0 };
}

/* Ports alone decided, or nothing did: what is known of the other end decides better. */
static void decide_direction(struct pairs *p, uint32_t i)
{
	const struct pv_snapshot *s = p->c->snapshot;
	struct pv_conversation *row = snapshot_row(s, i);
	const struct pv_translation *t = pv_snapshot_translation(s, row);
	const struct pv_conversation *peer = pv_snapshot_peer(s, row);

	if (row->direction_by != PV_BY_NONE && row->direction_by != PV_BY_PORTS)
		return;
	if (peer && p->found[i] && can_pair(peer) && peer->direction_by == PV_BY_LISTENER) {
		row->direction = PV_DIR_OUTGOING;
		row->direction_by = PV_BY_PEER_LISTENER;
	} else if (t) {
		row->direction = t->is_opener ? PV_DIR_OUTGOING : PV_DIR_INCOMING;
		row->direction_by = PV_BY_CONNTRACK;
	}
}

int collect_pairs(struct collector *c)
{
	_cleanup_(cleanup_pairs) struct pairs p = { .c = c };
	uint32_t n = (uint32_t)c->snapshot->n_rows;
	int r = index_rows(&p);

	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = find_peer(&p, i);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = check_far(&p, i);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		forget(&p, i);
	for (uint32_t i = 0; r == 0 && c->needs & PV_NEED_DIRECTION && i < n; i++)
		decide_direction(&p, i);
	return r;
}
