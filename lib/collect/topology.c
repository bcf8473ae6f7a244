/* SPDX-License-Identifier: MIT */
/*
 * Which namespaces packets may pass between. Links that share a wire (a pair of veth, ports of a
 * bridge) are one segment; what leads out of this host, or to where it is not known, is the world,
 * which is one segment, too. Segments and namespaces joined by links form groups.
 *
 * Every doubt joins: two places are held apart only when nothing known or unknown can connect them.
 */
#include <errno.h>
#include <linux/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "collect/network.h"

/* ---- union and find, over numbers; the last of them is the world ---- */

static uint32_t find_root(uint32_t *parents, uint32_t i)
{
	while (parents[i] != i) {
		parents[i] = parents[parents[i]];
		i = parents[i];
	}
	return i;
}

static void join(uint32_t *parents, uint32_t a, uint32_t b)
{
	parents[find_root(parents, a)] = find_root(parents, b);
}

/* ---- links ---- */

static bool is_up(const struct network_link *l)
{
	return l->entry.flags & IFF_UP;
}

static bool is_loopback(const struct network_link *l)
{
	return l->entry.flags & IFF_LOOPBACK;
}

static bool is_kind(const struct network_link *l, const char *const *kinds)
{
	for (; *kinds; kinds++)
		if (!strcmp(l->entry.kind, *kinds))
			return true;
	return false;
}

/* Kinds whose far ends are links that are listed, or nothing. */
static bool is_closed(const struct network_link *l)
{
	static const char *const kinds[] = { "veth",	"netkit", "bridge", "dummy",   "ifb",
					     "macvlan", "ipvlan", "vlan",   "macvtap", "vrf",
					     "bond",	"team",	  NULL };

	return is_kind(l, kinds);
}

static bool is_pair(const struct network_link *l)
{
	static const char *const kinds[] = { "veth", "netkit", NULL };

	return is_kind(l, kinds);
}

bool network_link_is_inside(const struct network_link *l)
{
	static const char *const kinds[] = { "veth", "netkit", "bridge", "dummy",
					     "ifb",  "vrf",    "tun",	 NULL };

	return is_loopback(l) || is_kind(l, kinds);
}

static uint64_t index_key(uint32_t netns, uint32_t index)
{
	return (uint64_t)netns << 32 | index;
}

static const struct network_link *link_by_index(const struct network *n, uint32_t netns,
						uint32_t index)
{
	uint32_t i = map_get(&n->indices, index_key(netns, index));

	return i == MAP_NONE ? NULL : &n->links.items[i];
}

int network_index_links(struct network *n)
{
	int r = vec_reserve(&n->next_ends, n->links.n + 1);

	if (n->next_ends.n)
		return 0;
	for (uint32_t i = 0; r == 0 && i < n->links.n; i++) {
		const struct network_link *l = &n->links.items[i];
		uint64_t ends = index_key(l->entry.index, l->entry.peer);

		n->next_ends.items[i] = map_get(&n->ends, ends);
		r = map_put(&n->ends, ends, i);
		if (r == 0)
			r = map_put(&n->indices, index_key(l->netns, l->entry.index), i);
	}
	n->next_ends.n = n->links.n;
	return r;
}

bool network_may_be_pair(const struct network_link *a, const struct network_link *b)
{
	bool is_same = a->netns == b->netns;

	if (a == b || !is_pair(a) || !is_pair(b) || a->entry.peer != b->entry.index ||
	    b->entry.peer != a->entry.index || is_same != (a->entry.peer_nsid < 0) ||
	    is_same != (b->entry.peer_nsid < 0))
		return false;
	return is_same || ((a->peer_netns == NETWORK_UNKNOWN || a->peer_netns == b->netns) &&
			   (b->peer_netns == NETWORK_UNKNOWN || b->peer_netns == a->netns));
}

uint32_t network_first_end(const struct network *n, uint32_t index, uint32_t peer)
{
	return map_get(&n->ends, index_key(index, peer));
}

/*
 * The far ends that link i may have: those that tell of each other. Numbers of interfaces repeat in
 * namespaces, so there may be several where the kernel could not be asked for the namespace; what
 * is known of one is joined with all.
 */
static void join_ends(struct network *n, uint32_t *parents, uint32_t i)
{
	struct network_link *l = &n->links.items[i];

	l->is_unseen = true;
	for (uint32_t k = network_first_end(n, l->entry.peer, l->entry.index); k != MAP_NONE;
	     k = n->next_ends.items[k]) {
		if (!network_may_be_pair(l, &n->links.items[k]))
			continue;
		join(parents, i, k);
		l->is_unseen = false;
	}
	if (l->is_unseen)
		join(parents, i, (uint32_t)n->links.n);
}

static void join_by_index(const struct network *n, uint32_t *parents, uint32_t i, uint32_t index)
{
	const struct network_link *other = link_by_index(n, n->links.items[i].netns, index);

	join(parents, i, other ? (uint32_t)(other - n->links.items) : (uint32_t)n->links.n);
}

static void join_link(struct network *n, uint32_t *parents, uint32_t i)
{
	const struct network_link *l = &n->links.items[i];

	if (!is_up(l) || is_loopback(l))
		return;
	if (l->entry.master)
		join_by_index(n, parents, i, l->entry.master);
	if (is_pair(l))
		join_ends(n, parents, i);
	else if (!is_closed(l) || (l->entry.peer && l->entry.peer_nsid >= 0))
		join(parents, i, (uint32_t)n->links.n);
	else if (l->entry.peer)
		join_by_index(n, parents, i, l->entry.peer);
}

static uint32_t *new_parents(size_t n)
{
	uint32_t *parents = malloc((n + 1) * sizeof(*parents));

	for (uint32_t i = 0; parents && i <= n; i++)
		parents[i] = i;
	return parents;
}

/* Namespaces that have links in one segment are one group. */
static void join_places(struct network *n, uint32_t *groups, uint32_t *first)
{
	uint32_t world = (uint32_t)n->places.n;

	memset(first, 0xff, (n->links.n + 1) * sizeof(*first));
	first[n->segments.items[n->links.n]] = world;
	for (size_t i = 0; i < n->links.n; i++) {
		const struct network_link *l = &n->links.items[i];
		uint32_t *place = &first[n->segments.items[i]];

		if (!is_up(l) || is_loopback(l))
			continue;
		if (*place == UINT32_MAX)
			*place = l->netns;
		join(groups, l->netns, *place);
	}
	for (uint32_t i = 0; i < n->places.n; i++)
		if (!n->places.items[i].has_links)
			join(groups, i, world);
	for (uint32_t i = 0; i < n->places.n; i++)
		n->places.items[i].group = find_root(groups, i);
}

static uint64_t local_key(uint32_t netns, struct tuple_addr a)
{
	uint64_t w[2] = { 0 };

	memcpy(w, a.bytes, a.family == AF_INET6 ? 16 : 4);
	return map_mix(map_mix(map_mix(netns + UINT64_C(1), (uint64_t)a.family << 32), w[0]), w[1]);
}

static int index_locals(struct network *n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n->addresses.n; i++) {
		const struct network_address *a = &n->addresses.items[i];
		uint32_t old;

		r = map_insert(
			&n->locals,
			local_key(a->netns, (struct tuple_addr){ a->entry.family, a->entry.addr }),
			(uint32_t)i, &old);
	}
	return r < 0 ? r : 0;
}

int network_join(struct network *n)
{
	uint32_t *parents = new_parents(n->links.n);
	uint32_t *groups = new_parents(n->places.n);
	uint32_t *first = malloc((n->links.n + 1) * sizeof(*first));
	int r = parents && groups && first && vec_reserve(&n->segments, n->links.n + 1) == 0
			? network_index_links(n)
			: -ENOMEM;

	if (r == 0) {
		for (uint32_t i = 0; i < n->links.n; i++)
			join_link(n, parents, i);
		for (uint32_t i = 0; i <= n->links.n; i++)
			n->segments.items[i] = find_root(parents, i);
		n->segments.n = n->links.n + 1;
		join_places(n, groups, first);
		r = index_locals(n);
	}
	free(parents);
	free(groups);
	free(first);
	return r == 0 ? network_index_flows(n) : r;
}

/* ---- questions ---- */

static const struct network_place *place_of(const struct network *n, uint32_t netns)
{
	static const struct network_place unknown = { .is_initial = true };

	return netns < n->places.n ? &n->places.items[netns] : &unknown;
}

bool network_is_local(const struct network *n, uint32_t netns, struct tuple_addr a)
{
	uint32_t i;

	if (inet_is_loopback(a.family, a.bytes))
		return true;
	if (!n)
		return false;
	i = map_get(&n->locals, local_key(netns, a));
	return i != MAP_NONE && n->addresses.items[i].netns == netns &&
	       tuple_addr_equal(a, (struct tuple_addr){ n->addresses.items[i].entry.family,
							n->addresses.items[i].entry.addr });
}

bool network_may_be_local(const struct network *n, uint32_t netns, struct tuple_addr a)
{
	return !place_of(n, netns)->has_addresses || network_is_local(n, netns, a);
}

static bool is_in_network(const struct link_address *l, struct tuple_addr a)
{
	unsigned bytes = l->prefix / 8, bits = l->prefix % 8;

	if (l->family != a.family || memcmp(l->network, a.bytes, bytes) != 0)
		return false;
	return !bits || (l->network[bytes] ^ a.bytes[bytes]) >> (8 - bits) == 0;
}

/* The interface that leads to an address beside the namespace; 0 = routes lead there. */
static uint32_t index_towards(const struct network *n, uint32_t netns, struct tuple_addr a)
{
	const struct network_place *place = place_of(n, netns);
	const struct link_address *best = NULL;

	if (inet_is_link_local(a.family, a.bytes))
		return 0;
	for (size_t i = 0; i < place->n_addresses; i++) {
		const struct link_address *l = &n->addresses.items[place->first_address + i].entry;

		if (is_in_network(l, a) && (!best || l->prefix > best->prefix))
			best = l;
	}
	return best ? best->index : 0;
}

static bool has_link_in(const struct network *n, uint32_t netns, uint32_t segment)
{
	const struct network_place *place = place_of(n, netns);

	for (size_t i = 0; i < place->n_links; i++)
		if (n->segments.items[place->first_link + i] == segment)
			return true;
	return false;
}

bool network_may_pass(const struct network *n, uint32_t from, uint32_t to, struct tuple_addr a,
		      uint32_t ifindex)
{
	const struct network_link *l = NULL;
	uint32_t index;

	if (from == to || !place_of(n, from)->has_links || !place_of(n, to)->has_links)
		return true;
	if (place_of(n, from)->group != place_of(n, to)->group)
		return false;
	index = ifindex ? ifindex : index_towards(n, from, a);
	if (index)
		l = link_by_index(n, from, index);
	return !l || has_link_in(n, to, n->segments.items[l - n->links.items]);
}

bool network_is_guess(const struct network *n, uint32_t from, uint32_t to, struct tuple_addr a,
		      uint32_t ifindex)
{
	uint32_t index = ifindex ? ifindex : index_towards(n, from, a);
	const struct network_link *out = index ? link_by_index(n, from, index) : NULL;
	const struct network_link *in = network_link_of(n, to, a, 0);

	return from != to && ((out && out->is_unseen) || (in && in->is_unseen));
}

const struct network_link *network_link_of(const struct network *n, uint32_t netns,
					   struct tuple_addr a, uint32_t ifindex)
{
	uint32_t i;

	if (ifindex)
		return link_by_index(n, netns, ifindex);
	i = map_get(&n->locals, local_key(netns, a));
	if (i == MAP_NONE || n->addresses.items[i].netns != netns)
		return NULL;
	return link_by_index(n, netns, n->addresses.items[i].entry.index);
}

bool network_is_inside(const struct network *n, uint32_t netns)
{
	const struct network_place *place = place_of(n, netns);

	if (place->is_initial || !place->has_links)
		return false;
	for (size_t i = 0; i < place->n_links; i++) {
		const struct network_link *l = &n->links.items[place->first_link + i];

		if (is_up(l) && !network_link_is_inside(l))
			return false;
	}
	return true;
}
