/* SPDX-License-Identifier: MIT */
/*
 * Who can reach a listener: by its address and interface, by what its network namespace is joined
 * to, and by the rules and flows of all namespaces that lead elsewhere to it. Packet filters are
 * not looked at.
 */
#include <errno.h>
#include <linux/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "collect/network.h"
#include "collect/tuple.h"

#define NFPROTO_IS_V4(family) ((family) == 2)
#define NFPROTO_IS_V6(family) ((family) == 10)

struct listener {
	uint32_t row;
	uint32_t next; /* of the same protocol and port; UINT32_MAX ends */
};

struct exposures {
	struct collector *c;
	VEC(struct listener) listeners;
	struct map by_port; /* (protocol, port) -> first listener */
};

static void cleanup_exposures(struct exposures *x)
{
	vec_deinit(&x->listeners);
	map_deinit(&x->by_port);
}

static bool is_listener(const struct pv_conversation *c)
{
	if (c->proto > PV_PROTO_DCCP)
		return false;
	if (c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE)
		return c->state == PV_STATE_CLOSE && c->local.port && !c->remote.port;
	return c->state == PV_STATE_LISTEN;
}

/* ---- by itself ---- */

static bool is_multicast(struct tuple_addr a)
{
	return a.family == AF_INET6 ? a.bytes[0] == 0xff : (a.bytes[0] & 0xf0) == 0xe0;
}

static bool is_inside(const struct network *n, const struct pv_conversation *c,
		      const struct network_link *link)
{
	if (!n || c->netns >= n->places.n || n->places.items[c->netns].is_initial)
		return false;
	return link ? network_link_is_inside(link) : network_is_inside(n, c->netns);
}

static enum pv_exposure own_exposure(const struct network *n, const struct pv_conversation *c)
{
	struct tuple_addr a = tuple_addr(c->family, &c->local);
	bool is_any = inet_is_any(a.family, a.bytes);
	const struct network_link *link =
		n && (c->ifindex || !is_any) ? network_link_of(n, c->netns, a, c->ifindex) : NULL;

	if (inet_is_loopback(a.family, a.bytes) || (link && link->entry.flags & IFF_LOOPBACK))
		return PV_EXPOSURE_LOOPBACK;
	if (is_multicast(a))
		return PV_EXPOSURE_MULTICAST;
	if (is_inside(n, c, link))
		return PV_EXPOSURE_CONTAINER;
	return c->ifindex || !is_any ? PV_EXPOSURE_INTERFACE : PV_EXPOSURE_ANY;
}

static uint64_t port_key(uint8_t protocol, uint32_t port)
{
	return (uint64_t)protocol << 32 | port;
}

static int add_listener(struct exposures *x, uint32_t i)
{
	struct pv_conversation *row = snapshot_row(x->c->snapshot, i);
	uint64_t key = port_key(network_protocol_of(row), row->local.port);
	struct listener l = { i, map_get(&x->by_port, key) };
	int r = map_put(&x->by_port, key, (uint32_t)x->listeners.n);

	row->exposure = (uint8_t)own_exposure(x->c->network, row);
	return r < 0 ? r : vec_push(&x->listeners, l);
}

/* ---- by what leads to it ---- */

/* Where packets are led to, and from which namespace. */
struct target {
	struct tuple_addr first, last; /* a range of addresses */
	bool is_here;		       /* to an address of the namespace itself */
	uint32_t netns;
};

static bool is_in_range(const struct target *t, struct tuple_addr a)
{
	size_t len = a.family == AF_INET6 ? 16 : 4;

	return a.family == t->first.family && memcmp(a.bytes, t->first.bytes, len) >= 0 &&
	       memcmp(a.bytes, t->last.bytes, len) <= 0;
}

static bool takes_family(const struct pv_conversation *c, int family)
{
	return c->family == family || (c->family == AF_INET6 && !(c->flags & PV_CONV_V6ONLY));
}

/* An address of the range that the namespace has, or may have. */
static bool has_address(const struct network *n, uint32_t netns, const struct target *t)
{
	const struct network_place *place = netns < n->places.n ? &n->places.items[netns] : NULL;

	if (!place || !place->has_addresses)
		return true;
	if (inet_is_loopback(t->first.family, t->first.bytes))
		return true;
	for (size_t i = 0; i < place->n_addresses; i++) {
		const struct link_address *a = &n->addresses.items[place->first_address + i].entry;

		if (is_in_range(t, (struct tuple_addr){ a->family, a->addr }))
			return true;
	}
	return false;
}

/* May a packet that the namespace of the target leads on end in this one? */
static bool may_lead_to(const struct network *n, const struct target *t, uint32_t netns)
{
	if (t->is_here || inet_is_loopback(t->first.family, t->first.bytes) ||
	    network_is_local(n, t->netns, t->first))
		return netns == t->netns;
	return has_address(n, netns, t) && network_may_pass(n, t->netns, netns, t->first, 0);
}

static bool accepts(const struct pv_conversation *c, const struct target *t)
{
	struct tuple_addr a = tuple_addr(c->family, &c->local);

	if (t->is_here)
		return !inet_is_loopback(a.family, a.bytes);
	if (!takes_family(c, t->first.family))
		return false;
	return inet_is_any(a.family, a.bytes) ? a.family == AF_INET6 || a.family == t->first.family
					      : is_in_range(t, a);
}

static uint32_t count_places(const struct network *n, const struct target *t)
{
	uint32_t count = 0;

	if (t->is_here || inet_is_loopback(t->first.family, t->first.bytes) ||
	    network_is_local(n, t->netns, t->first))
		return 1;
	for (uint32_t i = 0; i < n->places.n; i++)
		count += n->places.items[i].has_addresses && may_lead_to(n, t, i);
	return count;
}

static bool is_sure(const struct pv_publication *p)
{
	return p->n_candidates <= 1 && !p->is_port_unsure;
}

/* Flows are not counted: each rule makes many. */
static void count_more(struct pv_publication *kept, const struct pv_publication *p)
{
	bool is_same = kept->family == p->family && kept->prefix == p->prefix &&
		       !memcmp(kept->addr, p->addr, sizeof(p->addr)) &&
		       kept->first_port == p->first_port && kept->last_port == p->last_port;

	if (p->by != PV_PUBLISHED_BY_CONNTRACK)
		kept->n_more += !is_same + p->n_more;
}

/* The first that is known stays, but one that is certain takes the place of one that is not. */
static int publish(struct exposures *x, uint32_t row_number, const struct pv_publication *p)
{
	struct pv_conversation *row = snapshot_row(x->c->snapshot, row_number);
	struct snapshot_relation *r = snapshot_relate(x->c->snapshot, row);
	bool is_certain = is_sure(p);

	if (!r)
		return -ENOMEM;
	if (r->has_publication && is_certain && is_sure(&r->publication))
		count_more(&r->publication, p);
	if (r->has_publication && (!is_certain || is_sure(&r->publication)))
		return 0;
	r->has_publication = true;
	r->publication = *p;
	if (snapshot_bytes(x->c->snapshot, &r->publication.table, p->table.data, p->table.len) <
		    0 ||
	    snapshot_bytes(x->c->snapshot, &r->publication.chain, p->chain.data, p->chain.len) < 0)
		return -ENOMEM;
	if (is_certain && row->exposure < PV_EXPOSURE_PUBLISHED)
		row->exposure = PV_EXPOSURE_PUBLISHED;
	return 0;
}

/* ---- rules ---- */

/* Is a packet that matches led to this port? Without ports of its own the rule keeps them. */
static bool leads_to_port(const struct nft_rule *r, uint32_t port)
{
	if (r->has_ports)
		return port >= r->first_port && port <= r->last_port;
	return ports_have(&r->match.ports, port);
}

static bool leads_to_family(const struct nft_rule *r, const struct pv_conversation *c)
{
	int family = r->has_address		? r->to_family
		     : r->match.family		? r->match.family
		     : NFPROTO_IS_V4(r->family) ? AF_INET
		     : NFPROTO_IS_V6(r->family) ? AF_INET6
						: 0;

	return !family || takes_family(c, family);
}

/*
 * The lowest ports that are published, and how many ranges more. false: its own port at its own
 * addresses, which is no other place, and nothing else.
 */
static bool put_ports(struct pv_publication *p, const struct nft_rule *r, uint16_t own,
		      bool is_here)
{
	const struct port_set *ports = &r->match.ports;
	uint32_t n = 0;

	p->first_port = p->last_port = own;
	if (!r->has_ports)
		return !is_here;
	for (uint8_t i = 0; i < ports->n; i++) {
		const struct port_range *range = &ports->ranges[i];

		if (is_here && range->first == own && range->last == own)
			continue;
		if (n++ == 0) {
			p->first_port = range->first;
			p->last_port = range->last;
		}
	}
	p->n_more += n ? n - 1 : 0;
	return n > 0;
}

/* Of all ports but some nothing is said beside that there are conditions. */
static bool is_hole(const struct port_set *ports)
{
	return ports->n > 1 && ports->ranges[0].first == 0;
}

static struct pv_publication publication_of(const struct network_way *way)
{
	const struct nft_rule *r = &way->rule;

	return (struct pv_publication){
		.family = r->match.family,
		.prefix = r->match.dst_prefix,
		.by = r->is_redirect ? PV_PUBLISHED_BY_REDIRECT : PV_PUBLISHED_BY_DNAT,
		.table_family = r->family,
		.is_partial = r->match.is_partial || is_hole(&r->match.ports),
		.is_port_unsure = r->match.is_port_unsure && !r->has_ports,
		.last_port = UINT16_MAX,
		.n_more = way->n_more,
		.netns = way->netns,
		.table = r->table,
		.chain = r->chain,
	};
}

static int try_rule(struct exposures *x, const struct network_way *way, uint32_t row_number)
{
	const struct pv_conversation *row = snapshot_row(x->c->snapshot, row_number);
	const struct network *n = x->c->network;
	const struct nft_rule *r = &way->rule;
	struct target t = { { r->to_family, r->first_addr },
			    { r->to_family, r->last_addr },
			    r->is_redirect || !r->has_address,
			    way->netns };
	struct pv_publication p;

	if ((r->match.protocol && r->match.protocol != network_protocol_of(row)) ||
	    !r->match.ports.n || !leads_to_port(r, row->local.port) || !leads_to_family(r, row) ||
	    !accepts(row, &t) || !may_lead_to(n, &t, row->netns))
		return 0;
	p = publication_of(way);
	memcpy(p.addr, r->match.dst, sizeof(p.addr));
	if ((!r->has_ports || !is_hole(&r->match.ports)) &&
	    !put_ports(&p, r, (uint16_t)row->local.port, t.is_here))
		return 0;
	p.n_candidates = count_places(n, &t);
	return publish(x, row_number, &p);
}

/* Most rules lead one protocol to one port: few listeners have that. */
static int apply_way(void *userdata, const struct network_way *way)
{
	struct exposures *x = userdata;
	const struct nft_rule *r = &way->rule;
	const struct port_set *ports = &r->match.ports;
	uint16_t first = r->has_ports ? r->first_port : ports->ranges[0].first;
	uint16_t last = r->has_ports ? r->last_port : ports->ranges[0].last;
	bool is_one = first == last && (r->has_ports || ports->n == 1);
	int e = 0;

	if (r->match.protocol && is_one) {
		for (uint32_t i = map_get(&x->by_port, port_key(r->match.protocol, first));
		     e == 0 && i != UINT32_MAX; i = x->listeners.items[i].next)
			e = try_rule(x, way, x->listeners.items[i].row);
		return e;
	}
	for (size_t i = 0; e == 0 && i < x->listeners.n; i++)
		e = try_rule(x, way, x->listeners.items[i].row);
	return e;
}

/* ---- flows ---- */

static struct pv_publication publication_of_flow(const struct network_flow *f)
{
	const struct conntrack_tuple *o = &f->entry.original;
	struct pv_publication p = { .family = f->entry.family,
				    .prefix = f->entry.family == AF_INET ? 32 : 128,
				    .by = PV_PUBLISHED_BY_CONNTRACK,
				    .first_port = o->dport,
				    .last_port = o->dport,
				    .netns = f->netns };

	memcpy(p.addr, o->dst, sizeof(p.addr));
	return p;
}

/* A flow that was led elsewhere, and came from outside the namespace that did so. */
static bool is_led_from_outside(const struct network *n, const struct network_flow *f)
{
	const struct conntrack_entry *e = &f->entry;
	struct tuple_addr src = { e->family, e->original.src };
	bool is_led = e->original.dport != e->reply.sport ||
		      memcmp(e->original.dst, e->reply.src, sizeof(e->reply.src)) != 0;

	return is_led && !network_is_local(n, f->netns, src) &&
	       !inet_is_loopback(e->family, e->original.dst);
}

static int apply_flow(struct exposures *x, const struct network_flow *f)
{
	const struct conntrack_entry *e = &f->entry;
	struct tuple_addr to = { e->family, e->reply.src };
	struct target t = { to, to, false, f->netns };
	struct pv_publication p = publication_of_flow(f);
	int r = 0;

	for (uint32_t i = map_get(&x->by_port, port_key(e->protocol, e->reply.sport));
	     r == 0 && i != UINT32_MAX; i = x->listeners.items[i].next) {
		const struct pv_conversation *row =
			snapshot_row(x->c->snapshot, x->listeners.items[i].row);

		if (!accepts(row, &t) || !may_lead_to(x->c->network, &t, row->netns))
			continue;
		p.n_candidates = count_places(x->c->network, &t);
		r = publish(x, x->listeners.items[i].row, &p);
	}
	return r;
}

int collect_exposures(struct collector *c)
{
	_cleanup_(cleanup_exposures) struct exposures x = { .c = c };
	struct network *n = c->network;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < c->snapshot->n_rows; i++)
		if (is_listener(snapshot_row(c->snapshot, i)))
			r = add_listener(&x, i);
	if (r == 0 && n)
		r = network_ways(n, apply_way, &x);
	for (size_t i = 0; r == 0 && n && i < n->flows.n; i++)
		if (is_led_from_outside(n, &n->flows.items[i]))
			r = apply_flow(&x, &n->flows.items[i]);
	return r;
}
