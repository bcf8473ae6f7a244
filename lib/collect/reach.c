/* SPDX-License-Identifier: MIT */
/*
 * Rules are walked chain by chain, from those that packets come to by a hook along the jumps: once
 * to find the jumps, and once more for what leads elsewhere. Within a chain a rule takes from those
 * behind it what never goes past it. What a rule finds in a set is worked out at each step and not
 * kept, and no namespace has more of that than its sets are long: anybody may make one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "collect/network.h"

/* Chains that jump to each other are followed so far; the kernel's own stack holds 16. */
#define JUMPS_MAX 64
#define CLOSED_MAX 64	 /* rules of a chain that keep packets from those behind them */
#define ENTRIES_KEPT 256 /* jumps to a chain; the rest are only counted */
#define ENTRIES_MAX 32	 /* jumps to a chain that are looked at for one that fits a rule */
/* How often elements may be looked at: so many of any, and each so many times. */
#define LOOKS_MIN 4096
#define LOOKS_EACH 4

struct reach {
	struct network *n;
	struct map chains; /* key of the name -> number */
	VEC(uint32_t) reached;
	VEC(size_t) looks; /* that are left to each namespace */
	int (*way)(void *userdata, const struct network_way *way);
	void *userdata;
	/* the chain that is walked */
	uint32_t chain;
	struct nft_match closed[CLOSED_MAX];
	unsigned n_closed;
	bool is_unknown; /* its present rule leads to what is not known */
};

typedef int step_fn(struct reach *x, const struct nft_rule *rule);

uint64_t network_name_key(uint32_t netns, uint8_t family, const struct pv_bytes *table,
			  const struct pv_bytes *name)
{
	uint64_t h = map_mix(map_mix(1, netns), family);

	for (uint32_t i = 0; i < table->len; i++)
		h = map_mix(h, (uint8_t)table->data[i]);
	h = map_mix(h, 256);
	for (uint32_t i = 0; i < name->len; i++)
		h = map_mix(h, (uint8_t)name->data[i]);
	return h;
}

bool network_same_bytes(const struct pv_bytes *a, const struct pv_bytes *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* ---- what packets must be like ---- */

/* Do the two networks have an address in common? */
static bool meet(const struct nft_match *a, const struct nft_match *b)
{
	unsigned bits = a->dst_prefix < b->dst_prefix ? a->dst_prefix : b->dst_prefix;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	if (memcmp(a->dst, b->dst, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (a->dst[bits / 8] & mask) == (b->dst[bits / 8] & mask);
}

/* Adds what `by` says of packets; false when none is like both. */
static bool narrow(struct nft_match *m, const struct nft_match *by)
{
	if (m->protocol && by->protocol && m->protocol != by->protocol)
		return false;
	if (m->family && by->family && m->family != by->family)
		return false;
	if (m->dst_prefix && by->dst_prefix && !meet(m, by))
		return false;
	if (!m->protocol)
		m->protocol = by->protocol;
	if (!m->family)
		m->family = by->family;
	if (m->dst_prefix < by->dst_prefix) {
		m->dst_prefix = by->dst_prefix;
		memcpy(m->dst, by->dst, sizeof(m->dst));
	}
	m->is_dst_local |= by->is_dst_local;
	m->is_partial |= by->is_partial || !ports_narrow(&m->ports, &by->ports, false);
	m->is_port_unsure |= by->is_port_unsure;
	return m->ports.n > 0;
}

static bool is_for_others(const struct nft_match *m)
{
	return !m->dst_prefix || !inet_is_loopback(m->family, m->dst);
}

/* Is each packet like `m`, but for its port, one like `c`? */
static bool covers(const struct nft_match *c, const struct nft_match *m)
{
	return (!c->protocol || c->protocol == m->protocol) &&
	       (!c->family || c->family == m->family) && (!c->is_dst_local || m->is_dst_local) &&
	       (!c->dst_prefix || (c->dst_prefix <= m->dst_prefix && meet(c, m)));
}

/* ---- walking a chain ---- */

/* What goes past the rules before; then what this one lets past. */
static int step(struct reach *x, const struct nft_rule *rule, step_fn *fn)
{
	struct nft_rule r = *rule;
	bool is_last = r.verdict != NFT_LEADS_TO_CHAIN || r.is_goto;
	int e;

	if (r.verdict == NFT_LEADS_NOWHERE)
		return 0;
	for (unsigned i = 0; i < x->n_closed; i++)
		if (covers(&x->closed[i], &r.match) &&
		    !ports_narrow(&r.match.ports, &x->closed[i].ports, true))
			r.match.is_partial = true;
	if (!r.match.ports.n)
		return 0;
	e = fn(x, &r);
	if (is_last && !rule->match.is_partial && x->n_closed < CLOSED_MAX)
		x->closed[x->n_closed++] = rule->match;
	return e;
}

/* false: its namespace has looked at its sets often enough */
static bool may_look(struct reach *x, const struct network_rule *rule, const struct network_set *s)
{
	size_t *left = &x->looks.items[rule->netns];

	if (s->n_elements > *left)
		return false;
	*left -= s->n_elements;
	return true;
}

static int step_elements(struct reach *x, const struct network_rule *rule,
			 const struct network_set *set, step_fn *fn)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < set->n_elements; i++) {
		struct nft_rule with;

		nft_rule_with(&rule->rule, &x->n->elements.items[set->first_element + i], &with);
		r = step(x, &with, fn);
	}
	return r;
}

static int walk_chain(struct reach *x, uint32_t chain, step_fn *fn, uint64_t *unread)
{
	struct network *n = x->n;
	int r = 0;

	x->chain = chain;
	x->n_closed = 0;
	for (uint32_t i = n->chains.items[chain].first_rule; r >= 0 && i != MAP_NONE;
	     i = n->rules.items[i].next) {
		const struct network_rule *rule = &n->rules.items[i];
		const struct network_set *set = rule->set ? &n->sets.items[rule->set - 1] : NULL;
		bool is_unread = rule->is_unread || (set && !may_look(x, rule, set));

		x->is_unknown = false;
		r = set && !is_unread ? step_elements(x, rule, set, fn) : step(x, &rule->rule, fn);
		*unread += is_unread || x->is_unknown;
	}
	return r < 0 ? r : 0;
}

static int walk_all(struct reach *x, step_fn *fn)
{
	struct network *n = x->n;
	uint64_t unread = 0;
	int r = 0;

	for (size_t i = 0; i < x->looks.n; i++)
		x->looks.items[i] = LOOKS_MIN + LOOKS_EACH * n->places.items[i].n_elements;
	/* chains are added while it runs */
	for (size_t i = 0; r == 0 && i < x->reached.n; i++)
		r = walk_chain(x, x->reached.items[i], fn, &unread);
	n->n_rules_unread = unread;
	return r;
}

/* ---- jumps ---- */

static uint32_t find_chain(const struct reach *x, uint32_t netns, const struct nft_rule *r,
			   const struct pv_bytes *name)
{
	uint32_t i = map_get(&x->chains, network_name_key(netns, r->family, &r->table, name));
	const struct network_chain *c = i == MAP_NONE ? NULL : &x->n->chains.items[i];
	bool is_it = c && c->netns == netns && c->chain.family == r->family &&
		     network_same_bytes(&c->chain.table, &r->table) &&
		     network_same_bytes(&c->chain.name, name);

	return is_it ? i : MAP_NONE;
}

static int note_jump(struct reach *x, const struct nft_rule *rule)
{
	struct network *n = x->n;
	struct network_entry e = { .match = rule->match, .from = x->chain };
	struct network_chain *to;

	if (rule->verdict != NFT_LEADS_TO_CHAIN)
		return 0;
	e.to = find_chain(x, n->chains.items[x->chain].netns, rule, &rule->to_chain);
	if (e.to == MAP_NONE)
		return 0;
	to = &n->chains.items[e.to];
	if (!to->is_reached && vec_push(&x->reached, e.to) < 0)
		return -ENOMEM;
	to->is_reached = true;
	return to->n_entries++ < ENTRIES_KEPT ? vec_push(&n->entries, e) : 0;
}

/* Those first that say most plainly where a packet goes. */
static int compare_entries(const void *a, const void *b)
{
	const struct network_entry *x = a, *y = b;
	const struct nft_match *m = &x->match, *o = &y->match;
	int order;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (is_for_others(m) != is_for_others(o))
		return is_for_others(m) ? -1 : 1;
	if (m->is_partial != o->is_partial)
		return m->is_partial ? 1 : -1;
	if (m->family != o->family)
		return m->family < o->family ? -1 : 1;
	order = memcmp(m->dst, o->dst, sizeof(m->dst));
	if (order)
		return order;
	order = m->ports.ranges[0].first - o->ports.ranges[0].first;
	return order ? order : m->protocol - o->protocol;
}

static void sort_entries(struct network *n)
{
	if (n->entries.n)
		qsort(n->entries.items, n->entries.n, sizeof(*n->entries.items), compare_entries);
	for (uint32_t i = (uint32_t)n->entries.n; i-- > 0;) {
		n->chains.items[n->entries.items[i].to].first_entry = i;
	}
}

/* ---- ways ---- */

/*
 * The first jump to the chain that packets like *m may take, whose demands are added to it; NULL:
 * none of those looked at. *ret_n: how many they may.
 */
static const struct network_entry *find_entry(const struct network *n,
					      const struct network_chain *c, struct nft_match *m,
					      uint32_t *ret_n)
{
	uint32_t n_looked = c->n_entries < ENTRIES_MAX ? c->n_entries : ENTRIES_MAX;
	const struct network_entry *found = NULL;
	struct nft_match kept = *m;

	*ret_n = c->n_entries - n_looked;
	for (uint32_t i = 0; i < n_looked; i++) {
		const struct network_entry *e = &n->entries.items[c->first_entry + i];
		struct nft_match by = *m;

		if (!narrow(&by, &e->match) || !is_for_others(&by))
			continue;
		++*ret_n;
		if (!found)
			kept = by;
		found = found ? found : e;
	}
	*m = kept;
	return found;
}

/* Follows the jumps back to a hook. false: no packet comes to the rule. */
static bool follow_back(const struct network *n, uint32_t chain, struct network_way *way)
{
	struct nft_match *m = &way->rule.match;
	const struct network_chain *c = &n->chains.items[chain];

	for (unsigned i = 0; i < JUMPS_MAX && c->n_entries; i++) {
		uint32_t count;
		const struct network_entry *e = find_entry(n, c, m, &count);

		if (!e && i == 0 && !count)
			return false;
		/* it came another way than the one followed */
		if (!e) {
			m->is_partial = true;
			break;
		}
		way->n_more += count - 1;
		c = &n->chains.items[e->from];
	}
	return is_for_others(m);
}

static int take_way(struct reach *x, const struct nft_rule *rule)
{
	struct network_way way = { .rule = *rule, .netns = x->n->chains.items[x->chain].netns };

	if (rule->verdict != NFT_LEADS_TO_ADDRESS)
		return 0;
	if (rule->is_unknown) {
		x->is_unknown = true;
		return 0;
	}
	return follow_back(x->n, x->chain, &way) ? x->way(x->userdata, &way) : 0;
}

/* ---- everything ---- */

static int index_chains(struct reach *x)
{
	struct network *n = x->n;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < n->chains.n; i++) {
		struct network_chain *c = &n->chains.items[i];

		c->first_rule = c->last_rule = MAP_NONE;
		r = map_put(&x->chains,
			    network_name_key(c->netns, c->chain.family, &c->chain.table,
					     &c->chain.name),
			    i);
		if (r == 0 && c->is_reached)
			r = vec_push(&x->reached, i);
	}
	for (uint32_t i = 0; r == 0 && i < n->rules.n; i++) {
		struct network_rule *rule = &n->rules.items[i];
		uint32_t chain = find_chain(x, rule->netns, &rule->rule, &rule->rule.chain);
		struct network_chain *c = chain == MAP_NONE ? NULL : &n->chains.items[chain];

		rule->next = MAP_NONE;
		if (c && c->last_rule != MAP_NONE)
			n->rules.items[c->last_rule].next = i;
		else if (c)
			c->first_rule = i;
		if (c)
			c->last_rule = i;
	}
	while (r == 0 && x->looks.n < n->places.n)
		r = vec_push(&x->looks, 0);
	return r;
}

int network_ways(struct network *n, int (*way)(void *userdata, const struct network_way *way),
		 void *userdata)
{
	struct reach x = { .n = n, .chains = MAP_INIT, .way = way, .userdata = userdata };
	int r = index_chains(&x);

	if (r == 0)
		r = walk_all(&x, note_jump);
	if (r == 0) {
		sort_entries(n);
		r = walk_all(&x, take_way);
	}
	map_deinit(&x.chains);
	vec_deinit(&x.reached);
	vec_deinit(&x.looks);
	return r;
}
