/* SPDX-License-Identifier: MIT */
/*
 * The nesting of a capture. A node is found by a hash over its level, its parent and its ends.
 * Invariant: what a node counts is what its children count and its `others` (of a socket: and what
 * is of no known protocol).
 */
#include "ui/render/flow_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/inet.h"
#include "base/map.h"
#include "base/vec.h"
#include "ui/text/escape.h"

#define TOP 10 /* of a level that people are shown */
#define FLUSH (64U << 10)
#define NODES_LEAST 64
/* A host has a few addresses of its own; one that speaks for more hands on those of others. */
#define ROUTER_ADDRESSES 6

enum level { LEVEL_ALL, LEVEL_MAC, LEVEL_IP, LEVEL_SOCKET, LEVEL_PROTOCOL, LEVEL_N };
static const char *const level_names[LEVEL_N] = { "all", "mac", "ip", "socket", "protocol" };

struct ends {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint8_t family, proto;
	bool is_known; /* a link layer was there */
};

struct counts {
	uint64_t conversations, packets, bytes;
};

struct node {
	struct ends ends;
	const char *name; /* protocol */
	uint32_t parent;
	uint8_t level;
	struct counts all, others; /* others: in children that had to go */
};

/* An address seen behind a link-layer address. */
struct place {
	uint8_t mac[6], family;
	bool is_claimed; /* by ARP */
	uint8_t addr[16];
};

/* Slots of a map that has just grown. */
#define FIND_COST (4 * sizeof(struct map_slot))
/* What a node and a place take, being sorted. */
#define NODE_COST (sizeof(struct node) + FIND_COST + 3 * sizeof(uint32_t))
#define PLACE_COST (2 * sizeof(struct place) + FIND_COST)

struct vendor {
	uint32_t prefix;
	uint32_t len;
	const char *name;
};

struct flow_tree {
	struct arena arena;
	struct map index, place_index;
	VEC(struct node) nodes;
	VEC(struct place) places;
	VEC(struct vendor) vendors;
	VEC(const char *) names; /* of protocols: the few that there are */
	size_t max;		 /* of nodes, and of places */
	uint64_t unplaced;	 /* ends of conversations whose place was not noted */
	uint64_t seed;
};

/* ---- vendors ---- */

static int compare_vendors(const void *a, const void *b)
{
	const struct vendor *x = a, *y = b;

	return (x->prefix > y->prefix) - (x->prefix < y->prefix);
}

static bool parse_prefix(const char *at, uint32_t *ret)
{
	*ret = 0;
	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789ABCDEF", *d;

		if (i % 3 == 2) {
			if (at[i] != '-')
				return false;
			continue;
		}
		d = at[i] ? strchr(digits, at[i]) : NULL;
		if (!d)
			return false;
		*ret = *ret << 4 | (uint32_t)(d - digits);
	}
	return true;
}

/* "00-00-0C   (hex)\t\tCisco Systems, Inc" */
static int load_vendors(struct flow_tree *t, const char *at, const char *end)
{
	static const char mark[] = "(hex)";

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		const char *hex = stop - at > 16
					  ? memmem(at, 20 < stop - at ? 20 : (size_t)(stop - at),
						   mark, sizeof(mark) - 1)
					  : NULL;
		struct vendor v;

		if (hex && parse_prefix(at, &v.prefix)) {
			for (v.name = hex + sizeof(mark) - 1;
			     v.name < stop && (*v.name == ' ' || *v.name == '\t'); v.name++)
				;
			while (stop > v.name && (stop[-1] == '\r' || stop[-1] == ' '))
				stop--;
			v.len = (uint32_t)(stop - v.name);
			if (vec_push(&t->vendors, v) < 0)
				return -ENOMEM;
		}
		at = newline ? newline + 1 : end;
	}
	if (t->vendors.n)
		qsort(t->vendors.items, t->vendors.n, sizeof(*t->vendors.items), compare_vendors);
	return 0;
}

static const struct vendor *vendor_of(const struct flow_tree *t, const uint8_t *mac)
{
	struct vendor key = { .prefix = (uint32_t)mac[0] << 16 | (uint32_t)mac[1] << 8 | mac[2] };

	return t->vendors.n ? bsearch(&key, t->vendors.items, t->vendors.n,
				      sizeof(*t->vendors.items), compare_vendors)
			    : NULL;
}

/* ---- building ---- */

int flow_tree_new(const struct buf *vendors, uint64_t memory, struct flow_tree **ret)
{
	struct flow_tree *t = calloc(1, sizeof(*t));
	struct node all = { .level = LEVEL_ALL };
	int r = t ? vec_push(&t->nodes, all) : -ENOMEM;

	if (r == 0 && getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		r = -EIO;
	if (r == 0 && vendors && vendors->len)
		r = load_vendors(t, vendors->data, vendors->data + vendors->len);
	if (r < 0) {
		flow_tree_free(t);
		return r;
	}
	t->max = memory / (NODE_COST + PLACE_COST);
	if (t->max < NODES_LEAST)
		t->max = NODES_LEAST;
	*ret = t;
	return 0;
}

void flow_tree_free(struct flow_tree *t)
{
	if (!t)
		return;
	map_deinit(&t->index);
	map_deinit(&t->place_index);
	vec_deinit(&t->nodes);
	vec_deinit(&t->places);
	vec_deinit(&t->vendors);
	vec_deinit(&t->names);
	arena_deinit(&t->arena);
	free(t);
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i += 8) {
		uint64_t word = 0;

		memcpy(&word, p + i, n - i < 8 ? n - i : 8);
		h = map_mix(h, word);
	}
	return h;
}

static void count(struct counts *n, const struct pv_flow *f)
{
	n->conversations++;
	n->packets += f->out.packets + f->in.packets;
	n->bytes += f->out.bytes + f->in.bytes;
}

/* Pairs of addresses have no direction: the smaller one first. */
static void set_pair(struct ends *e, const uint8_t *a, const uint8_t *b, size_t n)
{
	bool swap = memcmp(a, b, n) > 0;

	memcpy(e->addr[swap], a, n);
	memcpy(e->addr[!swap], b, n);
}

static struct ends ends_at(enum level level, const struct pv_conversation *c)
{
	const struct pv_flow *f = c->flow;
	bool has_addr = c->family == AF_INET || c->family == AF_INET6;
	size_t n = c->family == AF_INET ? 4 : 16;
	struct ends e = { 0 };

	if (level == LEVEL_MAC) {
		e.is_known = f->out.has_mac;
		if (e.is_known)
			set_pair(&e, f->out.mac, f->in.mac, 6);
	} else if (level == LEVEL_IP) {
		e.family = c->family;
		if (has_addr)
			set_pair(&e, c->local.addr, c->remote.addr, n);
	} else if (level == LEVEL_SOCKET) {
		e.family = c->family;
		e.proto = c->proto;
		e.port[0] = (uint16_t)c->local.port;
		e.port[1] = (uint16_t)c->remote.port;
		if (has_addr) {
			memcpy(e.addr[0], c->local.addr, n);
			memcpy(e.addr[1], c->remote.addr, n);
		}
	}
	return e;
}

static uint64_t key_of(const struct flow_tree *t, const struct node *n)
{
	uint64_t key = map_mix(map_mix(t->seed, n->parent), n->level);

	key = hash_bytes(key, &n->ends, sizeof(n->ends));
	return n->name ? hash_bytes(key, n->name, strlen(n->name)) : key;
}

/* A name that lasts as long as the tree; NULL = out of memory. */
static const char *keep_name(struct flow_tree *t, const char *name)
{
	const char *copy;

	for (size_t i = 0; i < t->names.n; i++)
		if (!strcmp(t->names.items[i], name))
			return t->names.items[i];
	copy = arena_strdup(&t->arena, name);
	return copy && vec_push(&t->names, copy) == 0 ? copy : NULL;
}

/* The child of `parent`, new or not. There is room for it. */
static int add_child(struct flow_tree *t, uint32_t parent, enum level level,
		     const struct pv_conversation *c, uint32_t *ret_node)
{
	struct node n = { .ends = ends_at(level, c), .parent = parent, .level = (uint8_t)level };
	uint64_t key;
	int r;

	if (level == LEVEL_PROTOCOL && !(n.name = keep_name(t, c->flow->observed)))
		return -ENOMEM;
	key = key_of(t, &n);
	*ret_node = map_get(&t->index, key);
	if (*ret_node != MAP_NONE)
		return 0;
	*ret_node = (uint32_t)t->nodes.n;
	r = vec_push(&t->nodes, n);
	return r < 0 ? r : map_put(&t->index, key, *ret_node);
}

/* The smallest first, of equals the newest: so what lies in a node comes before it. */
static int compare_worth(const void *a, const void *b, void *userdata)
{
	const struct node *nodes = userdata;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	if (nodes[i].all.bytes != nodes[j].all.bytes)
		return nodes[i].all.bytes < nodes[j].all.bytes ? -1 : 1;
	return i > j ? -1 : i < j;
}

static void add_counts(struct counts *to, const struct counts *from)
{
	to->conversations += from->conversations;
	to->packets += from->packets;
	to->bytes += from->bytes;
}

/* moved[i]: MAP_NONE for nodes that go, else anything; becomes their new numbers. */
static int move_nodes(struct flow_tree *t, uint32_t *moved)
{
	struct node *nodes = t->nodes.items;
	size_t n = 1;
	int r = 0;

	map_deinit(&t->index);
	moved[0] = 0;
	/* parents have lower numbers than their children, and so have been moved before them */
	for (size_t i = 1; i < t->nodes.n && r == 0; i++) {
		uint32_t parent = moved[nodes[i].parent];

		if (moved[i] == MAP_NONE) {
			if (parent != MAP_NONE)
				add_counts(&nodes[parent].others, &nodes[i].all);
			continue;
		}
		nodes[n] = nodes[i];
		nodes[n].parent = parent;
		moved[i] = (uint32_t)n;
		r = map_put(&t->index, key_of(t, &nodes[n]), (uint32_t)n);
		n++;
	}
	t->nodes.n = n;
	return r;
}

/* Half of all nodes go, the smallest: what they count is counted by the others of their parents. */
static int make_room(struct flow_tree *t)
{
	size_t n = t->nodes.n - 1;
	_cleanup_(cleanup_free) uint32_t *order = malloc(n * sizeof(*order));
	_cleanup_(cleanup_free) uint32_t *moved = calloc(n + 1, sizeof(*moved));

	if (!order || !moved)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i + 1;
	qsort_r(order, n, sizeof(*order), compare_worth, t->nodes.items);
	for (size_t i = 0; i < n / 2; i++)
		moved[order[i]] = MAP_NONE;
	return move_nodes(t, moved);
}

static bool is_unicast(const uint8_t *mac)
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, 6) != 0;
}

static bool is_host(uint8_t family, const uint8_t *addr)
{
	bool is_group = family == AF_INET ? addr[0] >= 224 : addr[0] == 0xff;

	return (family == AF_INET || family == AF_INET6) && !is_group &&
	       !inet_is_any(family, addr) && !inet_is_link_local(family, addr);
}

static int add_place(struct flow_tree *t, const struct pv_conversation *c,
		     const struct pv_endpoint *end, const struct pv_flow_side *side)
{
	struct place p = { .family = c->family, .is_claimed = c->proto == PV_PROTO_ARP };
	uint64_t key;
	uint32_t at;
	int r;

	if (!side->has_mac || !side->packets || !is_unicast(side->mac) ||
	    !is_host(c->family, end->addr))
		return 0;
	memcpy(p.mac, side->mac, sizeof(p.mac));
	memcpy(p.addr, end->addr, c->family == AF_INET ? 4 : 16);
	key = hash_bytes(hash_bytes(map_mix(t->seed, p.family), p.mac, 6), p.addr, 16);
	at = map_get(&t->place_index, key);
	if (at != MAP_NONE) {
		t->places.items[at].is_claimed |= p.is_claimed;
		return 0;
	}
	if (t->places.n >= t->max) {
		t->unplaced++;
		return 0;
	}
	r = map_put(&t->place_index, key, (uint32_t)t->places.n);
	return r < 0 ? r : vec_push(&t->places, p);
}

static int add_row(struct flow_tree *t, const struct pv_conversation *c)
{
	enum level last = c->flow->observed ? LEVEL_PROTOCOL : LEVEL_SOCKET;
	int r = t->nodes.n + LEVEL_N > t->max ? make_room(t) : 0;
	uint32_t at = 0;

	if (r == 0)
		count(&t->nodes.items[0].all, c->flow);
	for (enum level level = LEVEL_MAC; r == 0 && level <= last; level++) {
		r = add_child(t, at, level, c, &at);
		if (r == 0)
			count(&t->nodes.items[at].all, c->flow);
	}
	return r;
}

int flow_tree_add(struct flow_tree *t, const struct pv_snapshot *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);

		if (!c->flow || c->flow->is_inner)
			continue;
		r = add_place(t, c, &c->local, &c->flow->out);
		if (r == 0)
			r = add_place(t, c, &c->remote, &c->flow->in);
		if (r == 0)
			r = add_row(t, c);
	}
	return r;
}

/* ---- writing ---- */

struct sheet {
	struct flow_tree *tree;
	struct buf out;
	uint32_t *order; /* nodes by parent, the largest first */
	uint32_t *first; /* of each node's children in `order` */
	bool is_json;
	unsigned flags;
	int fd, error; /* of writing to it */
};

/* What was formatted so far goes out once it is much: the text of all nodes is larger than they. */
static void flush(struct sheet *sh, size_t least)
{
	if (sh->out.len < least)
		return;
	if (sh->error == 0)
		sh->error = buf_error(&sh->out);
	if (sh->error == 0)
		sh->error = fd_write_all(sh->fd, sh->out.data, sh->out.len);
	buf_clear(&sh->out);
}

static int compare_nodes(const void *a, const void *b, void *userdata)
{
	const struct node *nodes = userdata;
	const struct node *x = &nodes[*(const uint32_t *)a], *y = &nodes[*(const uint32_t *)b];

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->all.bytes != y->all.bytes)
		return x->all.bytes < y->all.bytes ? 1 : -1;
	return x < y ? -1 : 1;
}

static int sort_nodes(struct sheet *sh)
{
	struct flow_tree *t = sh->tree;
	size_t n = t->nodes.n, at = 0;

	sh->order = malloc(n * sizeof(*sh->order));
	sh->first = malloc((n + 1) * sizeof(*sh->first));
	if (!sh->order || !sh->first)
		return -ENOMEM;
	/* the root is its own parent's only stranger */
	for (size_t i = 1; i < n; i++)
		sh->order[i - 1] = (uint32_t)i;
	if (n > 2)
		qsort_r(sh->order, n - 1, sizeof(*sh->order), compare_nodes, t->nodes.items);
	for (size_t i = 0; i <= n; i++) {
		while (at < n - 1 && t->nodes.items[sh->order[at]].parent < i)
			at++;
		sh->first[i] = (uint32_t)at;
	}
	return 0;
}

static void put_mac(struct sheet *sh, const uint8_t *mac, struct buf *b)
{
	const struct vendor *v = vendor_of(sh->tree, mac);

	buf_printf(b, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		   mac[5]);
	if (v && !sh->is_json) {
		buf_puts(b, " (");
		text_put(b, v->name, v->len, sh->flags);
		buf_putc(b, ')');
	}
}

static void put_end(const struct ends *e, unsigned i, struct buf *b)
{
	if (e->family == AF_INET6 && e->port[i])
		buf_putc(b, '[');
	inet_put(b, e->family, e->addr[i]);
	if (e->family == AF_INET6 && e->port[i])
		buf_putc(b, ']');
	if (e->port[i])
		buf_printf(b, ":%u", e->port[i]);
}

static void put_label(struct sheet *sh, const struct node *n, struct buf *b)
{
	const struct ends *e = &n->ends;
	bool has_addr = e->family == AF_INET || e->family == AF_INET6;

	switch ((enum level)n->level) {
	case LEVEL_MAC:
		if (!e->is_known) {
			buf_puts(b, "no link layer");
			break;
		}
		put_mac(sh, e->addr[0], b);
		buf_puts(b, " <-> ");
		put_mac(sh, e->addr[1], b);
		break;
	case LEVEL_IP:
		if (!has_addr) {
			buf_puts(b, "no IP");
			break;
		}
		inet_put(b, e->family, e->addr[0]);
		buf_puts(b, " <-> ");
		inet_put(b, e->family, e->addr[1]);
		break;
	case LEVEL_SOCKET:
		buf_puts(b, pv_proto_name(e->proto));
		if (!has_addr) {
			buf_printf(b, " 0x%04x", e->port[0]);
			break;
		}
		buf_putc(b, ' ');
		put_end(e, 0, b);
		buf_puts(b, " -> ");
		put_end(e, 1, b);
		break;
	case LEVEL_PROTOCOL:
		text_put(b, n->name, strlen(n->name), sh->flags);
		break;
	default:
		buf_puts(b, "all");
	}
}

static void put_share(struct buf *b, uint64_t part, uint64_t all)
{
	unsigned permille = all ? (unsigned)((double)part * 1000 / (double)all + 0.5) : 0;

	buf_printf(b, " %14llu %3u.%u %%", (unsigned long long)part, permille / 10, permille % 10);
}

/* A line whose label begins at `start` of the buffer: its counts. */
static void put_text_counts(struct sheet *sh, size_t start, const struct counts *counts)
{
	const struct counts *all = &sh->tree->nodes.items[0].all;
	size_t width =
		buf_error(&sh->out) ? 0 : text_width(sh->out.data + start, sh->out.len - start);

	buf_pad(&sh->out, ' ', width < 60 ? 60 - width : 1);
	put_share(&sh->out, counts->packets, all->packets);
	put_share(&sh->out, counts->bytes, all->bytes);
	buf_putc(&sh->out, '\n');
}

static void put_json_counts(struct sheet *sh, const struct counts *counts)
{
	buf_printf(&sh->out, "\"conversations\":%llu,\"packets\":%llu,\"bytes\":%llu",
		   (unsigned long long)counts->conversations, (unsigned long long)counts->packets,
		   (unsigned long long)counts->bytes);
}

static void put_node(struct sheet *sh, uint32_t index);

static void put_text_node(struct sheet *sh, uint32_t index)
{
	const struct node *n = &sh->tree->nodes.items[index];
	uint32_t first = sh->first[index], end = sh->first[index + 1];
	uint32_t shown = end - first > TOP ? first + TOP : end;
	size_t start = sh->out.len;

	buf_pad(&sh->out, ' ', n->level ? 2 * ((size_t)n->level - 1) : 0);
	put_label(sh, n, &sh->out);
	put_text_counts(sh, start, &n->all);
	for (uint32_t i = first; i < shown; i++)
		put_node(sh, sh->order[i]);
	if (shown < end) {
		buf_pad(&sh->out, ' ', 2 * (size_t)n->level);
		buf_printf(&sh->out, "and %u more\n", end - shown);
	}
	if (n->others.conversations) {
		start = sh->out.len;
		buf_pad(&sh->out, ' ', 2 * (size_t)n->level);
		buf_puts(&sh->out, "others");
		put_text_counts(sh, start, &n->others);
	}
}

static void put_json_node(struct sheet *sh, uint32_t index)
{
	const struct node *n = &sh->tree->nodes.items[index];
	_cleanup_(cleanup_buf) struct buf label = BUF_INIT;

	put_label(sh, n, &label);
	buf_printf(&sh->out, "{\"level\":\"%s\",\"name\":", level_names[n->level]);
	text_put_json(&sh->out, label.data ? label.data : "", label.len);
	buf_putc(&sh->out, ',');
	put_json_counts(sh, &n->all);
	buf_puts(&sh->out, ",\"others\":");
	if (n->others.conversations) {
		buf_putc(&sh->out, '{');
		put_json_counts(sh, &n->others);
		buf_putc(&sh->out, '}');
	} else {
		buf_puts(&sh->out, "null");
	}
	buf_puts(&sh->out, ",\"inside\":[");
	for (uint32_t i = sh->first[index]; i < sh->first[index + 1]; i++) {
		if (i > sh->first[index])
			buf_puts(&sh->out, ",\n");
		put_node(sh, sh->order[i]);
	}
	buf_puts(&sh->out, "]}");
}

/* Levels are few: the recursion is as deep as their number. */
static void put_node(struct sheet *sh, uint32_t index)
{
	if (sh->is_json)
		put_json_node(sh, index);
	else
		put_text_node(sh, index);
	flush(sh, FLUSH);
}

/* ---- what is odd ---- */

static int compare_macs(const void *a, const void *b)
{
	return memcmp(((const struct place *)a)->mac, ((const struct place *)b)->mac, 6);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->family != y->family ? x->family - y->family : memcmp(x->addr, y->addr, 16);
}

static void begin_odd(struct sheet *sh, size_t *n_odd, const char *kind)
{
	if (sh->is_json)
		buf_printf(&sh->out, "%s{\"kind\":\"%s\",", *n_odd ? ",\n" : "", kind);
	else if (!*n_odd)
		buf_puts(&sh->out, "\nodd\n");
	(*n_odd)++;
}

static void put_router(struct sheet *sh, const struct place *p, size_t n, size_t *n_odd)
{
	begin_odd(sh, n_odd, "router");
	if (sh->is_json)
		buf_puts(&sh->out, "\"mac\":\"");
	else
		buf_puts(&sh->out, "  ");
	put_mac(sh, p->mac, &sh->out);
	if (sh->is_json)
		buf_printf(&sh->out, "\",\"addresses\":%zu}", n);
	else
		buf_printf(&sh->out, " speaks for %zu addresses: a router\n", n);
}

static void put_twofold(struct sheet *sh, const struct place *p, size_t n, size_t *n_odd)
{
	size_t claims = 0;

	for (size_t i = 0; i < n; i++)
		claims += p[i].is_claimed;
	begin_odd(sh, n_odd, claims > 1 ? "duplicate" : "two_macs");
	if (sh->is_json) {
		buf_puts(&sh->out, "\"address\":\"");
		inet_put(&sh->out, p->family, p->addr);
		buf_puts(&sh->out, "\",\"macs\":[");
	} else {
		buf_puts(&sh->out, "  ");
		inet_put(&sh->out, p->family, p->addr);
		buf_puts(&sh->out, claims > 1 ? " is claimed by ARP for " : " is behind ");
	}
	for (size_t i = 0; i < n && (sh->is_json || i < TOP); i++) {
		buf_puts(&sh->out, i ? sh->is_json ? "\",\"" : " and " : sh->is_json ? "\"" : "");
		put_mac(sh, p[i].mac, &sh->out);
		flush(sh, FLUSH);
	}
	if (n > TOP && !sh->is_json)
		buf_printf(&sh->out, " and %zu more", n - TOP);
	buf_puts(&sh->out, sh->is_json ? "\"]}" : claims > 1 ? ": a duplicate address\n" : "\n");
}

static void put_odd(struct sheet *sh)
{
	struct place *p = sh->tree->places.items;
	size_t n = sh->tree->places.n, run, n_odd = 0;

	if (n)
		qsort(p, n, sizeof(*p), compare_macs);
	for (size_t i = 0; i < n; i += run) {
		for (run = 1; i + run < n && !compare_macs(&p[i], &p[i + run]); run++)
			;
		if (run >= ROUTER_ADDRESSES)
			put_router(sh, &p[i], run, &n_odd);
	}
	if (n)
		qsort(p, n, sizeof(*p), compare_addresses);
	for (size_t i = 0; i < n; i += run) {
		for (run = 1; i + run < n && !compare_addresses(&p[i], &p[i + run]); run++)
			;
		if (run > 1)
			put_twofold(sh, &p[i], run, &n_odd);
	}
}

/* Conversations that are counted by the others of some node. */
static uint64_t count_folded(const struct flow_tree *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->nodes.n; i++)
		n += t->nodes.items[i].others.conversations;
	return n;
}

static void put_all(struct sheet *sh, const struct pv_snapshot *last)
{
	unsigned long long folded = count_folded(sh->tree);

	if (sh->is_json)
		buf_puts(&sh->out, "{\"schema\":1,\"tree\":");
	else
		buf_printf(&sh->out, "%-60s %14s %7s %14s\n", "", "packets", "", "bytes");
	put_node(sh, 0);
	if (sh->is_json)
		buf_printf(&sh->out, ",\n\"folded\":%llu,\"unplaced\":%llu,\"odd\":[", folded,
			   (unsigned long long)sh->tree->unplaced);
	else if (folded)
		buf_printf(&sh->out, "%llu conversations beyond --memory are among the others\n",
			   folded);
	put_odd(sh);
	if (!sh->is_json && sh->tree->unplaced)
		buf_printf(&sh->out,
			   "\n%llu ends of conversations beyond --memory were not compared: odd "
			   "ones may be missing\n",
			   (unsigned long long)sh->tree->unplaced);
	if (sh->is_json) {
		buf_puts(&sh->out, "],\n\"coverage\":");
		render_coverage_json(pv_snapshot_coverage(last), &sh->out);
		buf_puts(&sh->out, "}\n");
	}
}

int flow_tree_write(struct flow_tree *t, const struct pv_snapshot *last, enum render_format format,
		    bool ascii, int fd)
{
	struct sheet sh = { .tree = t,
			    .is_json = format == RENDER_JSON,
			    .fd = fd,
			    .flags = (ascii ? TEXT_ASCII : 0) | TEXT_FIELD };
	int r = sort_nodes(&sh);

	if (r == 0) {
		put_all(&sh, last);
		flush(&sh, 0);
		r = sh.error;
	}
	free(sh.order);
	free(sh.first);
	buf_deinit(&sh.out);
	return r;
}
