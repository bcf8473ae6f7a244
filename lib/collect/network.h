/* SPDX-License-Identifier: MIT */
/*
 * What joins the network namespaces of a collection: their interfaces, addresses, translated flows
 * and the rules that translate. Namespaces are told apart by their number in the snapshot's table.
 *
 * The topology only ever rules out: where something is not known, a way is taken to exist.
 */
#ifndef COLLECT_NETWORK_H
#define COLLECT_NETWORK_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "collect/collector.h"
#include "collect/tuple.h"
#include "netlink/conntrack.h"
#include "netlink/links.h"
#include "netlink/nftables.h"

/* Where the far end of a link is that another namespace holds; or the number of that. */
#define NETWORK_UNKNOWN UINT32_MAX
#define NETWORK_ELSEWHERE (UINT32_MAX - 1) /* in none that was read */

struct network_link {
	struct link_entry entry;
	uint32_t netns;
	uint32_t peer_netns;
	bool is_unseen; /* one of a pair, and the other one is in no namespace that was read */
};

struct network_address {
	struct link_address entry;
	uint32_t netns;
};

/* A translated flow. */
struct network_flow {
	struct conntrack_entry entry;
	uint32_t netns;
	uint32_t next_original, next_reply; /* of the same hash; UINT32_MAX ends */
};

/* A set or map that rules look in, read once for all of them. Its elements lie together. */
struct network_set {
	uint8_t family;
	struct pv_bytes table, name;
	bool is_unread; /* not to its end */
	uint32_t first_element, n_elements;
};

struct network_rule {
	struct nft_rule rule; /* its strings lie in the arena */
	uint32_t netns;
	uint32_t set;	/* 1 + number of the one it looks in; 0 = none */
	bool is_unread; /* there is one, and it could not be read */
	uint32_t next;	/* of its chain; UINT32_MAX ends */
};

struct network_chain {
	struct nft_chain chain;
	uint32_t netns;
	bool is_reached; /* by packets that come in */
	uint32_t first_rule, last_rule;
	uint32_t first_entry, n_entries; /* jumps that lead there */
};

/* A jump, with what packets must be like that take it. */
struct network_entry {
	struct nft_match match;
	uint32_t from, to; /* chains */
};

/* A rule that packets which come in are led elsewhere by. */
struct network_way {
	struct nft_rule rule; /* with what the jumps to its chain demand */
	uint32_t netns;
	uint32_t n_more; /* ways to it beside the one that is told */
};

/* One namespace; `has_` tells what was read to its end. */
struct network_place {
	bool has_links, has_addresses;
	bool is_initial; /* the namespace the kernel began with, or that is not known */
	uint32_t group;	 /* those that packets may pass between, however far */
	/* its own lie together */
	size_t first_link, n_links, first_address, n_addresses;
	size_t n_elements; /* of its sets, all together */
};

struct network {
	struct arena arena;
	VEC(struct network_link) links;
	VEC(struct network_address) addresses;
	VEC(struct network_flow) flows;
	VEC(struct network_rule) rules;
	VEC(struct network_chain) chains;
	VEC(struct network_set) sets;
	VEC(struct nft_element) elements;
	VEC(struct network_entry) entries;
	VEC(struct network_place) places; /* by number of the namespace */
	VEC(uint32_t) segments;		  /* of each link: links of one number share a wire */
	struct map originals, replies;	  /* tuple -> first flow */
	struct map locals;		  /* (namespace, address) -> first of the addresses */
	struct map indices;		  /* (namespace, index) -> link */
	struct map ends;		  /* (index, that of the far end) -> first link */
	VEC(uint32_t) next_ends;	  /* of each link; UINT32_MAX ends */
	uint64_t n_rules_unread;	  /* that are reached, and lead by what is not known */
	bool is_legacy_unread; /* legacy iptables has translations that could not be read */
	int rules_error;       /* why rules of some namespace could not be read, or 0 */
	int flows_error;       /* the same of translated flows */
	uint64_t n_places_without_rules, n_places_without_flows;
};

struct network *network_new(void); /* NULL = out of memory */
void network_free(struct network *n);

/*
 * network.c: reads what c->needs calls for in the namespace of c->netns, in which the caller's
 * thread is; into c->network. 0 or -errno; what could not be read is counted there.
 */
int collect_network(struct collector *c);
/* The same, of its links and addresses alone. */
int collect_network_links(struct collector *c);
/* Puts the addresses that were read into the snapshot. 0 or -ENOMEM. */
int collect_addresses(struct collector *c);
/* Says in the coverage what could not be read, as far as the request asked for it. */
int collect_network_report(struct collector *c);

/*
 * wires.c: after all was read, and before the topology is made of it, by a thread that may enter
 * namespaces: reads the links of those that the request leaves out, and where the far ends of pairs
 * are. 0 or -errno; what could not be had is not known.
 */
int collect_wires(struct collector *c);

/* topology.c: after all was read. 0 or -ENOMEM. */
int network_join(struct network *n);
/* A part of it that may come before: finds links by their numbers. Once is enough. */
int network_index_links(struct network *n);
/* May the two be one pair, as far as their numbers and what is known of their far ends tell? */
bool network_may_be_pair(const struct network_link *a, const struct network_link *b);
/* The first link that has these numbers, of itself and its far end; then those after it. */
uint32_t network_first_end(const struct network *n, uint32_t index, uint32_t peer);
/* An address of that namespace, as far as known; loopback addresses always are. n may be NULL. */
bool network_is_local(const struct network *n, uint32_t netns, struct tuple_addr a);
/* false: certainly is none */
bool network_may_be_local(const struct network *n, uint32_t netns, struct tuple_addr a);
/*
 * May packets that leave `from` for the address `a` come through `to`, or end there? `ifindex` is
 * the scope of a link-local address, 0 = not known.
 */
bool network_may_pass(const struct network *n, uint32_t from, uint32_t to, struct tuple_addr a,
		      uint32_t ifindex);
/*
 * Of a way that may exist: does it lead over a pair of which one end was seen, so that it may as
 * well lead to somebody else?
 */
bool network_is_guess(const struct network *n, uint32_t from, uint32_t to, struct tuple_addr a,
		      uint32_t ifindex);
/* The link that has the address, or with ifindex the one of that index; NULL = not known. */
const struct network_link *network_link_of(const struct network *n, uint32_t netns,
					   struct tuple_addr a, uint32_t ifindex);
/* Everything that leads out of the namespace ends on this host (veth, bridge...). */
bool network_is_inside(const struct network *n, uint32_t netns);
bool network_link_is_inside(const struct network_link *link);

/* What a packet is told by; `a` and `b` as in an endpoint. */
struct network_tuple {
	struct pv_endpoint src, dst;
	uint8_t family; /* the shortest */
	uint8_t protocol;
};
/* One flow that the tuple belongs to, and the tuple behind the translation. */
struct network_turn {
	const struct network_flow *flow;
	struct network_tuple tuple;
	bool is_original; /* it was sent by the end that opened the flow */
};
/*
 * flows.c: calls `turn` for each flow that translates the tuple; 0 or what it returned when it was
 * not 0.
 */
int network_translate(const struct network *n, const struct network_tuple *t,
		      int (*turn)(void *userdata, const struct network_turn *turn), void *userdata);
int network_index_flows(struct network *n);
bool network_tuple_equal(const struct network_tuple *a, const struct network_tuple *b);
/* IPPROTO_* of a protocol whose flows are tracked by ports; 0 = none such. */
uint8_t network_protocol_of(const struct pv_conversation *c);

/*
 * reach.c: follows the rules from where packets come in, in their order, and calls `way` for each
 * that leads elsewhere; counts n_rules_unread. 0, what `way` returned when negative, or -ENOMEM.
 */
int network_ways(struct network *n, int (*way)(void *userdata, const struct network_way *way),
		 void *userdata);
/* Hash of a table or chain: what has another hash has another name. */
uint64_t network_name_key(uint32_t netns, uint8_t family, const struct pv_bytes *table,
			  const struct pv_bytes *name);
bool network_same_bytes(const struct pv_bytes *a, const struct pv_bytes *b);

#endif
