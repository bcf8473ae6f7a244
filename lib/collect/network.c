/* SPDX-License-Identifier: MIT */
/*
 * Reading what joins namespaces, one after the other, by a thread that is in each. Nothing is asked
 * of a part of the kernel that is not there: to ask would load it.
 */
#include "collect/network.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include <portavoz/filter.h>

#include "base/cleanup.h"
#include "netlink/xtables.h"
#include "procfs/modules.h"

/*
 * Anybody may make namespaces with sets in them; those of a cluster's services have some 10,000.
 * Elements: of one set, of a namespace, of all.
 */
#define ELEMENTS_MAX 65536
#define PLACE_ELEMENTS_MAX 262144
#define ALL_ELEMENTS_MAX 1048576
#define SETS_MAX 65536		     /* of a namespace */
#define MODULE_ABSENT (-ENOPROTOOPT) /* how that is recorded */

struct network *network_new(void)
{
	return calloc(1, sizeof(struct network));
}

void network_free(struct network *n)
{
	if (!n)
		return;
	arena_deinit(&n->arena);
	vec_deinit(&n->links);
	vec_deinit(&n->addresses);
	vec_deinit(&n->flows);
	vec_deinit(&n->rules);
	vec_deinit(&n->chains);
	vec_deinit(&n->sets);
	vec_deinit(&n->elements);
	vec_deinit(&n->entries);
	vec_deinit(&n->places);
	vec_deinit(&n->segments);
	vec_deinit(&n->next_ends);
	map_deinit(&n->originals);
	map_deinit(&n->replies);
	map_deinit(&n->locals);
	map_deinit(&n->indices);
	map_deinit(&n->ends);
	free(n);
}

/* ---- links and addresses ---- */

/* What is read, and where. */
struct reading {
	struct network *n;
	uint32_t netns;
	struct map tables; /* that have chains of type nat, by their keys */
};

static int take_link(void *userdata, const struct link_entry *l)
{
	struct reading *r = userdata;

	return vec_push(&r->n->links,
			((struct network_link){
				.entry = *l, .netns = r->netns, .peer_netns = NETWORK_UNKNOWN }));
}

static int take_address(void *userdata, const struct link_address *a)
{
	struct reading *r = userdata;

	return vec_push(&r->n->addresses, ((struct network_address){ *a, r->netns }));
}

static int read_links(struct collector *c, struct reading *reading, struct network_place *place)
{
	_cleanup_(cleanup_fd) int fd =
		c->tape.mode == TAPE_REPLAY ? -1 : netlink_open_family(NETLINK_ROUTE);
	struct network *n = reading->n;
	uint64_t malformed = 0;
	int r;

	place->first_link = n->links.n;
	place->first_address = n->addresses.n;
	r = links_read(&c->tape, fd, "", take_link, reading, &malformed);
	if (r == -ENOMEM)
		return r;
	place->has_links = r == 0 && !malformed;
	r = link_addresses_read(&c->tape, fd, "", take_address, reading, &malformed);
	if (r == -ENOMEM)
		return r;
	place->has_addresses = r == 0 && !malformed;
	place->n_links = n->links.n - place->first_link;
	place->n_addresses = n->addresses.n - place->first_address;
	return 0;
}

/* Settings of devices belong to the first namespace only (net_core_table, Linux 2.6.26 to 6.18). */
static bool is_initial(struct collector *c)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	return !c->has_proc ||
	       tape_proc_read(&c->tape, -1, "sys/net/core/netdev_max_backlog", &b) != -ENOENT;
}

/* ---- flows ---- */

static int take_flow(void *userdata, const struct conntrack_entry *e)
{
	struct reading *r = userdata;

	return vec_push(&r->n->flows, ((struct network_flow){ .entry = *e, .netns = r->netns }));
}

/* How many flows the namespace tracks, translated or not; 0 = none, or it cannot track any. */
static uint64_t count_flows(struct collector *c)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const char *text;

	if (tape_proc_read(&c->tape, -1, "sys/net/netfilter/nf_conntrack_count", &b) < 0)
		return 0;
	text = buf_str(&b);
	return text ? strtoull(text, NULL, 10) : 0;
}

/*
 * A descriptor for questions to a part of netfilter; replaying, and where that part is not there,
 * what stands for it.
 */
static int open_netfilter(const struct collector *c, const char *module)
{
	if (c->tape.mode == TAPE_REPLAY)
		return -1;
	return procfs_module_is_there(module) ? netlink_open_family(NETLINK_NETFILTER)
					      : MODULE_ABSENT;
}

static int read_flows(struct collector *c, struct reading *reading)
{
	struct netlink_dump_result result;
	struct conntrack_stats stats = { 0 };
	_cleanup_(cleanup_fd) int fd = -1;
	int r;

	if (count_flows(c) == 0)
		return 0;
	fd = open_netfilter(c, "nf_conntrack_netlink");
	r = conntrack_read(&c->tape, fd, "", take_flow, reading, &stats, &result);
	if (r == NETLINK_REFUSED)
		r = result.error;
	if (r == 0 && stats.malformed)
		r = -EBADMSG;
	if (r && r != -ENOMEM) {
		reading->n->flows_error = r;
		reading->n->n_places_without_flows++;
	}
	return r == -ENOMEM ? r : 0;
}

/* ---- rules ---- */

static int keep(struct network *n, struct pv_bytes *b)
{
	b->data = arena_dup(&n->arena, b->len ? b->data : "", b->len);
	return b->data ? 0 : -ENOMEM;
}

static const struct pv_bytes no_name = { "", 0 };

static int take_chain(void *userdata, const struct nft_chain *chain)
{
	struct reading *r = userdata;
	struct network_chain c = { .chain = *chain, .netns = r->netns };

	if (keep(r->n, &c.chain.table) < 0 || keep(r->n, &c.chain.name) < 0)
		return -ENOMEM;
	if (chain->is_nat &&
	    map_put(&r->tables, network_name_key(r->netns, chain->family, &chain->table, &no_name),
		    1) < 0)
		return -ENOMEM;
	/* what the host itself sends publishes nothing */
	c.is_reached = chain->is_nat && chain->has_hook && chain->hook == NF_INET_PRE_ROUTING;
	return vec_push(&r->n->chains, c);
}

/* No chain of type nat leads to the others: jumps stay in their table. */
static int take_rule(void *userdata, const struct nft_rule *rule)
{
	struct reading *r = userdata;
	struct network_rule kept = { .rule = *rule, .netns = r->netns };

	if (map_get(&r->tables, network_name_key(r->netns, rule->family, &rule->table, &no_name)) ==
	    MAP_NONE)
		return 0;
	if (keep(r->n, &kept.rule.table) < 0 || keep(r->n, &kept.rule.chain) < 0 ||
	    keep(r->n, &kept.rule.to_chain) < 0 || keep(r->n, &kept.rule.lookup) < 0)
		return -ENOMEM;
	if (kept.rule.lookup.len && keep(r->n, &kept.rule.message) < 0)
		return -ENOMEM;
	return vec_push(&r->n->rules, kept);
}

/* ---- what rules find in sets and maps ---- */

/* The sets of one namespace. */
struct sets {
	struct collector *c;
	struct network *n;
	struct network_place *place;
	size_t first_set, first_element; /* of the place; of the set that is read */
	bool has_ends;
	int fd;
	struct map numbers; /* key of the name -> set */
};

static int take_element(void *userdata, const struct nft_element *element)
{
	struct sets *s = userdata;
	struct network *n = s->n;
	struct nft_element kept = *element;

	/* long lists are those of addresses to block */
	if (n->elements.n - s->first_element == ELEMENTS_MAX ||
	    s->place->n_elements + n->elements.n - s->first_element == PLACE_ELEMENTS_MAX ||
	    n->elements.n == ALL_ELEMENTS_MAX)
		return -E2BIG;
	s->has_ends |= kept.is_end;
	if (keep(n, &kept.key) < 0 || keep(n, &kept.last) < 0 || keep(n, &kept.data) < 0 ||
	    keep(n, &kept.to_chain) < 0)
		return -ENOMEM;
	return vec_push(&n->elements, kept);
}

/* An end before the beginning of the next interval, which may have the same key. */
static int compare_elements(const void *a, const void *b)
{
	const struct nft_element *x = a, *y = b;
	int order;

	if (x->key.len != y->key.len)
		return x->key.len < y->key.len ? -1 : 1;
	order = x->key.len ? memcmp(x->key.data, y->key.data, x->key.len) : 0;
	return order ? order : y->is_end - x->is_end;
}

/* The last key of an interval: the one before the next end, or the greatest there is. */
static int close_interval(struct network *n, struct nft_element *e, const struct nft_element *end)
{
	bool has_end = end && end->key.len == e->key.len;
	char *last = has_end ? arena_dup(&n->arena, end->key.data, end->key.len)
			     : arena_alloc(&n->arena, e->key.len + 1);
	size_t at = e->key.len;

	if (!last)
		return -ENOMEM;
	if (!has_end)
		memset(last, 0xff, e->key.len);
	while (has_end && at > 0 && last[--at]-- == 0)
		;
	e->last = (struct pv_bytes){ last, e->key.len };
	return 0;
}

/* Puts them in order, gives intervals their ends, and leaves out what is only an end. */
static int close_intervals(struct sets *s)
{
	struct network *n = s->n;
	struct nft_element *e = n->elements.items + s->first_element, *end = NULL;
	size_t count = n->elements.n - s->first_element, left = 0;
	int r = 0;

	if (count)
		qsort(e, count, sizeof(*e), compare_elements);
	for (size_t i = count; r == 0 && s->has_ends && i-- > 0;) {
		if (e[i].is_end)
			end = &e[i];
		else if (!e[i].is_catchall && !e[i].last.len)
			r = close_interval(n, &e[i], end);
	}
	for (size_t i = 0; i < count; i++)
		if (!e[i].is_end)
			e[left++] = e[i];
	n->elements.n = s->first_element + left;
	return r;
}

static int read_set(struct sets *s, const struct nft_rule *rule)
{
	struct network *n = s->n;
	struct network_set set = { .family = rule->family,
				   .table = rule->table,
				   .name = rule->lookup,
				   .first_element = (uint32_t)n->elements.n };
	uint64_t malformed = 0;
	char suffix[24];
	int r;

	if (s->fd < 0)
		s->fd = open_netfilter(s->c, "nf_tables");
	s->first_element = n->elements.n;
	s->has_ends = false;
	snprintf(suffix, sizeof(suffix), "-%zu", n->sets.n - s->first_set);
	r = nft_elements_read(&s->c->tape, s->fd, suffix, rule, take_element, s, &malformed);
	if (r == -ENOMEM)
		return r;
	/* the rest of an answer may still come */
	if (r != 0 && s->fd >= 0) {
		close_fd(s->fd);
		s->fd = -1;
	}
	set.is_unread = r != 0 || malformed;
	if (set.is_unread)
		n->elements.n = s->first_element;
	r = close_intervals(s);
	set.n_elements = (uint32_t)(n->elements.n - s->first_element);
	s->place->n_elements += set.n_elements;
	return r < 0 ? r : vec_push(&n->sets, set);
}

/* Finds the set of a rule, or reads it. */
static int find_set(struct sets *s, struct network_rule *rule)
{
	const struct nft_rule *of = &rule->rule;
	uint64_t key = network_name_key(rule->netns, of->family, &of->table, &of->lookup);
	uint32_t number = map_get(&s->numbers, key);
	const struct network_set *set;
	int r = 0;

	if (number == MAP_NONE && s->n->sets.n - s->first_set < SETS_MAX) {
		number = (uint32_t)s->n->sets.n;
		r = read_set(s, of);
		if (r == 0)
			r = map_put(&s->numbers, key, number);
	}
	if (r < 0)
		return r;
	set = number == MAP_NONE ? NULL : &s->n->sets.items[number];
	rule->is_unread = !set || set->is_unread || set->family != of->family ||
			  !network_same_bytes(&set->table, &of->table) ||
			  !network_same_bytes(&set->name, &of->lookup);
	rule->set = rule->is_unread ? 0 : number + 1;
	return 0;
}

static int read_sets(struct collector *c, struct network *n, size_t first)
{
	struct sets s = { .c = c,
			  .n = n,
			  .place = &n->places.items[c->netns],
			  .first_set = n->sets.n,
			  .fd = -1,
			  .numbers = MAP_INIT };
	int r = 0;

	for (size_t i = first; r == 0 && i < n->rules.n; i++)
		if (n->rules.items[i].rule.lookup.len)
			r = find_set(&s, &n->rules.items[i]);
	if (s.fd >= 0)
		close_fd(s.fd);
	map_deinit(&s.numbers);
	return r;
}

/* Without the module there are no rules; a recording says so by its error. */
static int read_rules(struct collector *c, struct reading *reading)
{
	_cleanup_(cleanup_fd) int fd = open_netfilter(c, "nf_tables");
	size_t first = reading->n->rules.n;
	uint64_t malformed = 0;
	int r = nft_chains_read(&c->tape, fd, "", take_chain, reading, &malformed);

	if (r == 0)
		r = nft_rules_read(&c->tape, fd, "", take_rule, reading, &malformed);
	if (r == 0)
		r = read_sets(c, reading->n, first);
	/* the kernel's word for a part it does not have, where it can load none */
	if (r == MODULE_ABSENT || r == -EINVAL)
		return 0;
	if (r == 0 && malformed)
		r = -EBADMSG;
	if (r && r != -ENOMEM) {
		reading->n->rules_error = r;
		reading->n->n_places_without_rules++;
	}
	return r == -ENOMEM ? r : 0;
}

/* Legacy iptables: its tables have names there once they are in use. */
static bool has_legacy_rules(struct collector *c, const char *file)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	return tape_proc_read(&c->tape, -1, file, &b) == 0 &&
	       procfs_modules_parse(b.data, b.len, "nat");
}

static int read_legacy_rules(struct collector *c, struct reading *reading)
{
	static const char *const files[] = { "net/ip_tables_names", "net/ip6_tables_names" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(*files); i++) {
		uint64_t malformed = 0;
		int e;

		if (!has_legacy_rules(c, files[i]))
			continue;
		e = xtables_read(&c->tape, i == 1, take_chain, take_rule, reading, &malformed);
		if (e == -ENOMEM)
			r = e;
		reading->n->is_legacy_unread |= e < 0 || malformed;
	}
	return r;
}

int collect_network_links(struct collector *c)
{
	struct reading reading = { c->network, c->netns, MAP_INIT };
	struct network_place *place;
	int r = vec_reserve(&c->network->places, c->netns + (size_t)1);

	while (r == 0 && c->network->places.n <= c->netns)
		c->network->places.items[c->network->places.n++] =
			(struct network_place){ .is_initial = true };
	if (r < 0)
		return r;
	place = &c->network->places.items[c->netns];
	place->is_initial = is_initial(c);
	return read_links(c, &reading, place);
}

int collect_network(struct collector *c)
{
	struct reading reading = { c->network, c->netns, MAP_INIT };
	int r = collect_network_links(c);

	if (r == 0 && c->needs & (PV_NEED_NAT | PV_NEED_EXPOSURE))
		r = read_flows(c, &reading);
	if (r == 0 && c->needs & PV_NEED_EXPOSURE) {
		r = read_rules(c, &reading);
		if (r == 0)
			r = read_legacy_rules(c, &reading);
	}
	map_deinit(&reading.tables);
	return r;
}

/* ---- coverage ---- */

static const char *reason_of(int error)
{
	if (error == -EPERM || error == -EACCES)
		return "not permitted: CAP_NET_ADMIN is needed";
	if (error == MODULE_ABSENT)
		return "nf_conntrack_netlink is not loaded, and to ask would load it";
	return error > 0 ? "the kernel's answer was cut" : collect_error_text(error);
}

static int report(struct collector *c, enum pv_gap_kind kind, const char *name, const char *via,
		  int error, uint64_t n_places)
{
	enum pv_source_state state = error ? PV_SOURCE_OFF : PV_SOURCE_WORKING;
	int r = snapshot_add_source(c->snapshot, name, via, state, error ? reason_of(error) : NULL);

	if (r == 0 && error)
		r = snapshot_add_gap(c->snapshot, error == -ENODATA ? PV_GAP_NOT_RECORDED : kind,
				     n_places, error == -ENODATA ? name : reason_of(error));
	return r;
}

static int report_rules(struct collector *c)
{
	struct network *n = c->network;
	int r = report(c, PV_GAP_RULES, "translation rules", "nf_tables", n->rules_error,
		       n->n_places_without_rules);

	if (r == 0 && n->n_rules_unread)
		r = snapshot_add_gap(c->snapshot, PV_GAP_RULES, n->n_rules_unread,
				     "rules that look in sets or maps which were not read");
	if (r == 0 && n->is_legacy_unread)
		r = snapshot_add_gap(c->snapshot, PV_GAP_RULES, 1,
				     "legacy iptables has a table of translations");
	return r;
}

int collect_addresses(struct collector *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->network->addresses.n; i++) {
		const struct network_address *from = &c->network->addresses.items[i];
		struct snapshot_address a = { .netns = from->netns, .family = from->entry.family };

		memcpy(a.addr, from->entry.addr, sizeof(a.addr));
		r = vec_push(&c->snapshot->addresses, a);
	}
	return r;
}

int collect_network_report(struct collector *c)
{
	const struct pv_request *q = c->request;
	/* what a recording holds beyond the request is no loss of this run's */
	uint32_t asked = q->needs | (q->filter ? pv_filter_needs(q->filter) : 0);
	int r = 0;

	if (asked & (PV_NEED_NAT | PV_NEED_EXPOSURE))
		r = report(c, PV_GAP_NAT, "translations", "ctnetlink", c->network->flows_error,
			   c->network->n_places_without_flows);
	return r == 0 && asked & PV_NEED_EXPOSURE ? report_rules(c) : r;
}
