/* SPDX-License-Identifier: MIT */
/*
 * What joins namespaces, made by hand: which ways the topology rules out, both ends over
 * translations, and who reaches a listener.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <portavoz/exposure.h>

#include "collect/network.h"
#include "procfs/modules.h"

#define HOST 0
#define C1 1
#define C2 2
#define OUT 3
#define N_PLACES 4

struct world {
	struct pv_snapshot *s;
	struct collector c;
	struct network *n;
};

static void add_link(struct world *w, uint32_t netns, uint32_t index, const char *kind,
		     uint32_t peer, int32_t nsid, uint32_t master)
{
	struct network_link l = { .netns = netns,
				  .entry = { .index = index,
					     .peer = peer,
					     .peer_nsid = nsid,
					     .master = master,
					     .flags = IFF_UP } };

	snprintf(l.entry.kind, sizeof(l.entry.kind), "%s", kind);
	l.peer_netns = NETWORK_UNKNOWN;
	if (!strcmp(kind, "lo")) {
		l.entry.kind[0] = 0;
		l.entry.flags |= IFF_LOOPBACK;
	}
	assert_int_equal(vec_push(&w->n->links, l), 0);
}

static void add_address(struct world *w, uint32_t netns, uint32_t index, const char *text,
			uint8_t prefix)
{
	struct network_address a = {
		.netns = netns, .entry = { .index = index, .family = AF_INET, .prefix = prefix }
	};

	assert_int_equal(inet_pton(AF_INET, text, a.entry.addr), 1);
	memcpy(a.entry.network, a.entry.addr, 4);
	assert_int_equal(vec_push(&w->n->addresses, a), 0);
}

static void begin_place(struct world *w, uint32_t netns)
{
	struct network_place *p = &w->n->places.items[netns];

	p->first_link = w->n->links.n;
	p->first_address = w->n->addresses.n;
	add_link(w, netns, 1, "lo", 0, -1, 0);
}

static void end_place(struct world *w, uint32_t netns)
{
	struct network_place *p = &w->n->places.items[netns];

	p->n_links = w->n->links.n - p->first_link;
	p->n_addresses = w->n->addresses.n - p->first_address;
	p->has_links = p->has_addresses = true;
	p->is_initial = netns == HOST;
}

/* Two containers on a bridge of the host, and a namespace on a wire of its own. */
static void build(struct world *w)
{
	begin_place(w, HOST);
	add_link(w, HOST, 2, "bridge", 0, -1, 0);
	add_link(w, HOST, 3, "veth", 2, 0, 2);
	add_link(w, HOST, 4, "veth", 2, 1, 2);
	add_link(w, HOST, 5, "veth", 2, 2, 0);
	add_link(w, HOST, 6, "", 0, -1, 0);
	add_address(w, HOST, 2, "10.9.0.1", 24);
	add_address(w, HOST, 5, "192.0.2.1", 24);
	add_address(w, HOST, 6, "198.51.100.7", 24);
	end_place(w, HOST);
	begin_place(w, C1);
	add_link(w, C1, 2, "veth", 3, 0, 0);
	add_address(w, C1, 2, "10.9.0.2", 24);
	end_place(w, C1);
	begin_place(w, C2);
	add_link(w, C2, 2, "veth", 4, 0, 0);
	add_address(w, C2, 2, "10.9.0.3", 24);
	end_place(w, C2);
	begin_place(w, OUT);
	add_link(w, OUT, 2, "veth", 5, 0, 0);
	add_address(w, OUT, 2, "192.0.2.2", 24);
	end_place(w, OUT);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->s = snapshot_new();
	w->n = network_new();
	w->c.snapshot = w->s;
	w->c.network = w->n;
	w->c.needs = PV_NEED_DIRECTION;
	for (uint32_t i = 0; i < N_PLACES; i++) {
		assert_int_equal(vec_push(&w->s->netns, ((struct pv_netns){ .inode = i + 1 })), 0);
		assert_int_equal(vec_push(&w->n->places, ((struct network_place){ 0 })), 0);
	}
	build(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	network_free(w->n);
	pv_snapshot_free(w->s);
	free(w);
	return 0;
}

static struct tuple_addr addr(const char *text, uint8_t bytes[static 16])
{
	assert_int_equal(inet_pton(AF_INET, text, bytes), 1);
	return (struct tuple_addr){ AF_INET, bytes };
}

static bool may_pass(const struct world *w, uint32_t from, uint32_t to, const char *dst)
{
	uint8_t bytes[16];

	return network_may_pass(w->n, from, to, addr(dst, bytes), 0);
}

static void test_ways(void **state)
{
	struct world *w = *state;

	assert_int_equal(network_join(w->n), 0);
	/* on the bridge, and to what routes lead to */
	assert_true(may_pass(w, C1, C2, "10.9.0.3"));
	assert_true(may_pass(w, C1, HOST, "10.9.0.1"));
	assert_true(may_pass(w, C1, OUT, "192.0.2.2"));
	/* what lies beside it is on the bridge, not behind another wire */
	assert_false(may_pass(w, C1, OUT, "10.9.0.9"));
	assert_false(may_pass(w, HOST, OUT, "10.9.0.2"));
	assert_true(may_pass(w, HOST, C1, "10.9.0.2"));
}

static void test_apart(void **state)
{
	struct world *w = *state;

	/* the wire of OUT is cut: nothing leads there any more */
	for (size_t i = 0; i < w->n->links.n; i++)
		if (w->n->links.items[i].netns == OUT && w->n->links.items[i].entry.index == 2)
			w->n->links.items[i].entry.flags = 0;
	assert_int_equal(network_join(w->n), 0);
	assert_false(may_pass(w, C1, OUT, "192.0.2.2"));
	assert_true(may_pass(w, C1, C2, "203.0.113.1"));
}

static void test_unknown_joins(void **state)
{
	struct world *w = *state;

	/* an end that is in no namespace of the list may lead anywhere the world does */
	for (size_t i = 0; i < w->n->links.n; i++)
		if (w->n->links.items[i].netns == OUT && w->n->links.items[i].entry.index == 2)
			w->n->links.items[i].entry.peer = 77;
	assert_int_equal(network_join(w->n), 0);
	assert_true(may_pass(w, C1, OUT, "192.0.2.2"));
	/* what was not read rules out nothing */
	w->n->places.items[C2].has_links = false;
	assert_true(may_pass(w, OUT, C2, "192.0.2.9"));
}

static struct network_link *link_of(const struct world *w, uint32_t netns, uint32_t index)
{
	for (size_t i = 0; i < w->n->links.n; i++)
		if (w->n->links.items[i].netns == netns &&
		    w->n->links.items[i].entry.index == index)
			return &w->n->links.items[i];
	fail_msg("no such link");
	return NULL;
}

/* Two wires of the same numbers: what is known of one end holds them apart. */
static void test_twin_wires(void **state)
{
	struct world *w = *state;
	uint8_t bytes[16];

	link_of(w, HOST, 3)->entry.master = link_of(w, HOST, 4)->entry.master = 0;
	link_of(w, HOST, 4)->entry.index = 3;
	link_of(w, C2, 2)->entry.peer = 3;
	link_of(w, C1, 2)->peer_netns = HOST;
	link_of(w, C2, 2)->peer_netns = NETWORK_ELSEWHERE;
	assert_int_equal(network_join(w->n), 0);
	assert_true(may_pass(w, C1, HOST, "10.9.0.1"));
	assert_false(may_pass(w, C1, C2, "10.9.0.3"));
	/* over an end that was not seen it may lead anywhere */
	assert_true(may_pass(w, C2, OUT, "192.0.2.2"));
	assert_true(network_is_guess(w->n, OUT, C2, addr("10.9.0.3", bytes), 0));
	assert_true(network_is_guess(w->n, C2, OUT, addr("10.9.0.9", bytes), 0));
	assert_false(network_is_guess(w->n, C1, HOST, addr("10.9.0.1", bytes), 0));
	assert_false(network_is_guess(w->n, C2, C2, addr("10.9.0.3", bytes), 0));
}

/* ---- rows ---- */

static void set_end(struct pv_endpoint *e, const char *text, uint32_t port)
{
	*e = (struct pv_endpoint){ .port = port };
	assert_int_equal(inet_pton(AF_INET, text, e->addr), 1);
}

static struct pv_conversation *add(struct world *w, uint32_t netns, enum pv_proto proto,
				   enum pv_state state, const char *local, uint32_t lport,
				   const char *remote, uint32_t rport)
{
	struct pv_conversation row = {
		.proto = (uint8_t)proto, .state = (uint8_t)state, .family = AF_INET, .netns = netns
	};

	set_end(&row.local, local, lport);
	set_end(&row.remote, remote, rport);
	return snapshot_add(w->s, &row);
}

#define EST PV_PROTO_TCP, PV_STATE_ESTABLISHED
#define LIS PV_PROTO_TCP, PV_STATE_LISTEN

static void set_tuple(struct conntrack_tuple *t, const char *src, uint16_t sport, const char *dst,
		      uint16_t dport)
{
	assert_int_equal(inet_pton(AF_INET, src, t->src), 1);
	assert_int_equal(inet_pton(AF_INET, dst, t->dst), 1);
	t->sport = sport;
	t->dport = dport;
}

/* A connection from OUT to the host's port 8080, led to a container. */
static void add_published_flow(struct world *w, uint32_t netns, const char *container)
{
	struct network_flow f = {
		.netns = netns, .entry = { .family = AF_INET, .protocol = 6, .status = IPS_DST_NAT }
	};

	set_tuple(&f.entry.original, "192.0.2.2", 40000, "192.0.2.1", 8080);
	set_tuple(&f.entry.reply, container, 80, "192.0.2.2", 40000);
	assert_int_equal(vec_push(&w->n->flows, f), 0);
}

static void test_translated_ends(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, OUT, EST, "192.0.2.2", 40000, "192.0.2.1", 8080);
	struct pv_conversation *b = add(w, C1, EST, "10.9.0.2", 80, "192.0.2.2", 40000);
	const struct pv_translation *t;

	add_published_flow(w, HOST, "10.9.0.2");
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_ptr_equal(pv_snapshot_peer(w->s, a), b);
	assert_ptr_equal(pv_snapshot_peer(w->s, b), a);
	t = pv_snapshot_translation(w->s, a);
	assert_non_null(t);
	assert_int_equal(t->remote.port, 80);
	assert_int_equal(t->netns, HOST);
	assert_true(t->is_opener);
	assert_false(pv_snapshot_translation(w->s, b)->is_opener);
	assert_int_equal(a->direction, PV_DIR_OUTGOING);
	assert_int_equal(b->direction, PV_DIR_INCOMING);
	assert_int_equal(b->direction_by, PV_BY_CONNTRACK);
}

/* The same packet is led to two places: nothing tells which. */
static void test_two_translations(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, OUT, EST, "192.0.2.2", 40000, "192.0.2.1", 8080);
	struct pv_conversation *b = add(w, C1, EST, "10.9.0.2", 80, "192.0.2.2", 40000);

	add_published_flow(w, HOST, "10.9.0.2");
	add_published_flow(w, HOST, "10.9.0.3");
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_null(pv_snapshot_peer(w->s, a));
	assert_null(pv_snapshot_peer(w->s, b));
	assert_int_equal(pv_snapshot_peer_candidates(w->s, a), 2);
	assert_int_equal(pv_snapshot_peer_candidates(w->s, b), 2);
	assert_null(pv_snapshot_translation(w->s, b));
}

/* A flow of a namespace that no packet of ours comes through is another's. */
static void test_flow_elsewhere(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, OUT, EST, "192.0.2.2", 40000, "192.0.2.1", 8080);

	add_published_flow(w, C2, "10.9.0.2");
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_null(pv_snapshot_translation(w->s, a));
}

static void test_far_ends(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, C1, EST, "10.9.0.2", 40000, "10.9.0.3", 80);
	struct pv_conversation *b = add(w, C2, EST, "10.9.0.3", 80, "10.9.0.2", 40000);
	struct pv_conversation *stray = add(w, OUT, EST, "10.9.0.3", 80, "10.9.0.2", 40000);
	struct pv_conversation *far = add(w, C1, EST, "127.0.0.1", 5, "127.0.0.1", 6);
	struct pv_conversation *other = add(w, C2, EST, "127.0.0.1", 6, "127.0.0.1", 5);

	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_ptr_equal(pv_snapshot_peer(w->s, a), b);
	assert_ptr_equal(pv_snapshot_peer(w->s, b), a);
	assert_null(pv_snapshot_peer(w->s, stray));
	assert_null(pv_snapshot_peer(w->s, far));
	assert_null(pv_snapshot_peer(w->s, other));
}

/* Two namespaces have one address on one wire: both could be meant. */
static void test_claimed_twice(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a, *b, *twin;

	w->n->addresses.items[w->n->places.items[C2].first_address].entry.addr[3] = 2;
	a = add(w, HOST, EST, "10.9.0.1", 40000, "10.9.0.2", 80);
	b = add(w, C1, EST, "10.9.0.2", 80, "10.9.0.1", 40000);
	twin = add(w, C2, EST, "10.9.0.2", 80, "10.9.0.1", 40000);
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_null(pv_snapshot_peer(w->s, a));
	assert_null(pv_snapshot_peer(w->s, b));
	assert_null(pv_snapshot_peer(w->s, twin));
	assert_int_equal(pv_snapshot_peer_candidates(w->s, a), 2);
	assert_int_equal(pv_snapshot_peer_candidates(w->s, b), 2);
}

static void test_datagram_server(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a =
		add(w, C1, PV_PROTO_UDP, PV_STATE_ESTABLISHED, "10.9.0.2", 40000, "10.9.0.3", 53);
	struct pv_conversation *any =
		add(w, C2, PV_PROTO_UDP, PV_STATE_CLOSE, "0.0.0.0", 53, "0.0.0.0", 0);
	struct pv_conversation *own =
		add(w, C2, PV_PROTO_UDP, PV_STATE_CLOSE, "10.9.0.3", 53, "0.0.0.0", 0);
	struct pv_conversation *elsewhere =
		add(w, OUT, PV_PROTO_UDP, PV_STATE_CLOSE, "0.0.0.0", 53, "0.0.0.0", 0);

	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_ptr_equal(pv_snapshot_peer(w->s, a), own);
	assert_null(pv_snapshot_peer(w->s, any));
	assert_null(pv_snapshot_peer(w->s, elsewhere));
}

/* ---- exposure ---- */

static struct pv_bytes bytes(const char *text)
{
	return (struct pv_bytes){ text, (uint32_t)strlen(text) };
}

static void add_chain(struct world *w, const char *name, bool is_reached)
{
	struct network_chain c = {
		.chain = { .family = 2, .table = bytes("nat"), .name = bytes(name) },
		.netns = HOST,
		.is_reached = is_reached
	};

	assert_int_equal(vec_push(&w->n->chains, c), 0);
}

static struct nft_rule *add_rule(struct world *w, const char *chain)
{
	struct network_rule r = { .rule = { .family = 2,
					    .table = bytes("nat"),
					    .chain = bytes(chain),
					    .match = { .ports = PORTS_ANY } },
				  .netns = HOST };

	assert_int_equal(vec_push(&w->n->rules, r), 0);
	return &w->n->rules.items[w->n->rules.n - 1].rule;
}

static void add_dnat(struct world *w, const char *chain, uint16_t from, const char *to,
		     uint16_t port)
{
	struct nft_rule *r = add_rule(w, chain);

	r->verdict = NFT_LEADS_TO_ADDRESS;
	r->match.protocol = 6;
	r->match.ports = ports_of(from, from);
	r->has_address = true;
	r->to_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, to, r->first_addr), 1);
	memcpy(r->last_addr, r->first_addr, 4);
	r->has_ports = true;
	r->first_port = r->last_port = port;
}

static void assert_exposure(const struct pv_conversation *c, enum pv_exposure e)
{
	assert_string_equal(pv_exposure_name((enum pv_exposure)c->exposure), pv_exposure_name(e));
}

static void test_exposure(void **state)
{
	struct world *w = *state;
	struct pv_conversation *any = add(w, HOST, LIS, "0.0.0.0", 22, "0.0.0.0", 0);
	struct pv_conversation *one = add(w, HOST, LIS, "198.51.100.7", 22, "0.0.0.0", 0);
	struct pv_conversation *bound = add(w, HOST, LIS, "0.0.0.0", 23, "0.0.0.0", 0);
	struct pv_conversation *lo = add(w, HOST, LIS, "0.0.0.0", 24, "0.0.0.0", 0);
	struct pv_conversation *loopback = add(w, C1, LIS, "127.0.0.3", 22, "0.0.0.0", 0);
	struct pv_conversation *inside = add(w, C1, LIS, "0.0.0.0", 81, "0.0.0.0", 0);
	struct pv_conversation *group =
		add(w, C1, PV_PROTO_UDP, PV_STATE_CLOSE, "224.0.0.251", 5353, "0.0.0.0", 0);
	struct pv_conversation *talks = add(w, C1, EST, "10.9.0.2", 22, "10.9.0.3", 5);

	bound->ifindex = 6;
	lo->ifindex = 1;
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_exposure(any, PV_EXPOSURE_ANY);
	assert_exposure(one, PV_EXPOSURE_INTERFACE);
	assert_exposure(bound, PV_EXPOSURE_INTERFACE);
	assert_exposure(lo, PV_EXPOSURE_LOOPBACK);
	assert_exposure(loopback, PV_EXPOSURE_LOOPBACK);
	assert_exposure(inside, PV_EXPOSURE_CONTAINER);
	assert_exposure(group, PV_EXPOSURE_MULTICAST);
	assert_exposure(talks, PV_EXPOSURE_NONE);
}

static void test_published(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, C1, LIS, "0.0.0.0", 80, "0.0.0.0", 0);
	struct pv_conversation *other = add(w, C2, LIS, "0.0.0.0", 80, "0.0.0.0", 0);
	struct pv_conversation *unreached = add(w, C2, LIS, "0.0.0.0", 90, "0.0.0.0", 0);
	struct nft_rule *jump;

	add_chain(w, "pre", true);
	add_chain(w, "sub", false);
	add_chain(w, "idle", false);
	/* behind the rule that jumps to it, and before */
	add_dnat(w, "sub", 8080, "10.9.0.2", 80);
	add_dnat(w, "idle", 8081, "10.9.0.3", 90);
	jump = add_rule(w, "pre");
	jump->verdict = NFT_LEADS_TO_CHAIN;
	jump->to_chain = bytes("sub");
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_exposure(a, PV_EXPOSURE_PUBLISHED);
	assert_int_equal(pv_snapshot_publication(w->s, a)->first_port, 8080);
	assert_int_equal(pv_snapshot_publication(w->s, a)->n_candidates, 1);
	assert_exposure(other, PV_EXPOSURE_CONTAINER);
	assert_exposure(unreached, PV_EXPOSURE_CONTAINER);
}

/* Of ways through a chain the lowest is told; a rule keeps packets from those behind it. */
static void test_published_ways(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, C1, LIS, "0.0.0.0", 80, "0.0.0.0", 0);
	struct pv_conversation *hidden = add(w, C1, LIS, "0.0.0.0", 81, "0.0.0.0", 0);
	struct nft_rule *r;

	add_chain(w, "pre", true);
	add_chain(w, "sub", false);
	r = add_rule(w, "pre");
	r->verdict = NFT_ENDS;
	r->match.protocol = 6;
	r->match.ports = ports_of(8000, 8001);
	for (uint16_t port = 8004; port >= 8000; port--) {
		r = add_rule(w, "pre");
		r->verdict = NFT_LEADS_TO_CHAIN;
		r->to_chain = bytes("sub");
		/* for other packets than those of the rule there */
		r->match.protocol = port == 8002 ? 17 : 6;
		r->match.ports = ports_of(port, port);
	}
	add_dnat(w, "sub", 0, "10.9.0.2", 80);
	w->n->rules.items[w->n->rules.n - 1].rule.match.ports = PORTS_ANY;
	add_dnat(w, "sub", 8004, "10.9.0.2", 81);
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_exposure(a, PV_EXPOSURE_PUBLISHED);
	assert_int_equal(pv_snapshot_publication(w->s, a)->first_port, 8003);
	assert_int_equal(pv_snapshot_publication(w->s, a)->n_more, 1);
	assert_exposure(hidden, PV_EXPOSURE_CONTAINER);
	assert_int_equal(w->n->n_rules_unread, 0);
}

/* A set of many rules is looked at so often, and what is left out is counted. */
static void test_shared_set(void **state)
{
	struct world *w = *state;
	const struct nft_element element = { .key = bytes("") };

	add_chain(w, "pre", true);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(vec_push(&w->n->elements, element), 0);
	assert_int_equal(vec_push(&w->n->sets, ((struct network_set){ .n_elements = 4096 })), 0);
	w->n->places.items[HOST].n_elements = 4096;
	for (int i = 0; i < 8; i++) {
		add_rule(w, "pre")->message = bytes("");
		w->n->rules.items[w->n->rules.n - 1].set = 1;
	}
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_int_equal(w->n->n_rules_unread, 3);
}

/* Conditions on ports that are not known publish nothing by themselves. */
static void test_published_port_unsure(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, C1, LIS, "0.0.0.0", 80, "0.0.0.0", 0);
	struct nft_rule *r;

	add_chain(w, "pre", true);
	add_dnat(w, "pre", 80, "10.9.0.2", 0);
	r = &w->n->rules.items[0].rule;
	r->has_ports = false;
	r->match.is_port_unsure = r->match.is_partial = true;
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_exposure(a, PV_EXPOSURE_CONTAINER);
	assert_true(pv_snapshot_publication(w->s, a)->is_port_unsure);
}

/* An address that two namespaces have publishes neither. */
static void test_published_unsure(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, C1, LIS, "0.0.0.0", 80, "0.0.0.0", 0);

	w->n->addresses.items[w->n->places.items[C2].first_address].entry.addr[3] = 2;
	add_chain(w, "pre", true);
	add_dnat(w, "pre", 8080, "10.9.0.2", 80);
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_exposure(a, PV_EXPOSURE_CONTAINER);
	assert_int_equal(pv_snapshot_publication(w->s, a)->n_candidates, 2);
}

static void test_published_by_flow(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, C1, LIS, "10.9.0.2", 80, "0.0.0.0", 0);

	add_published_flow(w, HOST, "10.9.0.2");
	assert_int_equal(network_join(w->n), 0);
	assert_int_equal(collect_exposures(&w->c), 0);
	assert_exposure(a, PV_EXPOSURE_PUBLISHED);
	assert_int_equal(pv_snapshot_publication(w->s, a)->by, PV_PUBLISHED_BY_CONNTRACK);
	assert_int_equal(pv_snapshot_publication(w->s, a)->first_port, 8080);
}

/* ---- keys, modules ---- */

/* Namespace 2 and TCP (0) are not namespace 0 and UDP (2). */
static void test_directions_apart(void **state)
{
	struct world *w = *state;
	struct pv_conversation *row = add(w, HOST, PV_PROTO_UDP, PV_STATE_ESTABLISHED, "10.9.0.1",
					  8080, "10.9.0.2", 8081);

	add(w, C2, LIS, "0.0.0.0", 8080, "0.0.0.0", 0);
	assert_int_equal(collect_directions(&w->c), 0);
	assert_int_equal(row->direction_by, PV_BY_NONE);
}

static void test_modules(void **state)
{
	static const char loaded[] = "nf_tables 376832 0 - Live 0x0000000000000000\n"
				     "nf_conntrack 200704 1 nf_nat, Live 0x0\n";
	static const char builtin[] = "kernel/net/netfilter/nf_conntrack_netlink.ko\n"
				      "kernel/net/8021q/some-thing.ko\nnoslash.ko";

	(void)state;
	assert_true(procfs_modules_parse(loaded, sizeof(loaded) - 1, "nf_conntrack"));
	assert_false(procfs_modules_parse(loaded, sizeof(loaded) - 1, "nf_conntrack_netlink"));
	assert_false(procfs_modules_parse(loaded, sizeof(loaded) - 1, "nf_nat"));
	assert_true(procfs_builtin_parse(builtin, sizeof(builtin) - 1, "nf_conntrack_netlink"));
	assert_true(procfs_builtin_parse(builtin, sizeof(builtin) - 1, "some_thing"));
	assert_true(procfs_builtin_parse(builtin, sizeof(builtin) - 1, "noslash"));
	assert_false(procfs_builtin_parse(builtin, sizeof(builtin) - 1, "nf_conntrack"));
	assert_false(procfs_builtin_parse("", 0, "nf_conntrack"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ways),
		TEST(test_apart),
		TEST(test_unknown_joins),
		TEST(test_twin_wires),
		TEST(test_translated_ends),
		TEST(test_two_translations),
		TEST(test_flow_elsewhere),
		TEST(test_far_ends),
		TEST(test_claimed_twice),
		TEST(test_datagram_server),
		TEST(test_exposure),
		TEST(test_published),
		TEST(test_published_ways),
		TEST(test_shared_set),
		TEST(test_published_port_unsure),
		TEST(test_published_unsure),
		TEST(test_published_by_flow),
		TEST(test_directions_apart),
		cmocka_unit_test(test_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
