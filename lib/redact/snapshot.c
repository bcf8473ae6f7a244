/* SPDX-License-Identifier: MIT */
/*
 * A snapshot under other names. Ports, numbers, states and times stay; what the rows are joined by
 * (indices) stays, too, so pairs and owners are as they were.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/flow.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "redact/redact-internal.h"

/* The same few addresses stand in most rows, and one takes some microseconds. */
#define KNOWN 1024 /* a power of two */
struct known_address {
	uint8_t family, from[16], to[16];
};

struct work {
	const struct pv_redactor *r;
	struct pv_snapshot *s;
	struct buf b;
	struct known_address known[KNOWN];
};

/* AF_INET, AF_INET6, or AF_PACKET: of a card */
static int rename_address(struct work *w, int family, uint8_t *addr)
{
	size_t n = family == AF_INET ? 4 : family == AF_PACKET ? 6 : 16;
	uint64_t words[2] = { 0 };
	struct known_address *known;
	int r;

	memcpy(words, addr, n);
	known = &w->known[map_mix(map_mix((uint64_t)family, words[0]), words[1]) % KNOWN];
	if (known->family != family || memcmp(known->from, addr, n) != 0) {
		memcpy(known->from, addr, n);
		memcpy(known->to, addr, n);
		known->family = 0;
		r = family == AF_PACKET ? pv_redact_mac(w->r, known->to)
					: pv_redact_address(w->r, family, known->to);
		if (r < 0)
			return r;
		known->family = (uint8_t)family;
	}
	memcpy(addr, known->to, n);
	return 0;
}

/* What was appended to the buffer becomes the value. */
static int take(struct work *w, int r, struct pv_bytes *ret)
{
	if (r == 0)
		r = buf_error(&w->b);
	if (r == 0)
		r = snapshot_bytes(w->s, ret, w->b.data, w->b.len);
	buf_clear(&w->b);
	return r;
}

static int rename_bytes(struct work *w, enum pv_redact_kind kind, struct pv_bytes *b)
{
	return b->len ? take(w, redact_put(w->r, kind, b->data, b->len, &w->b), b) : 0;
}

static int rename_string(struct work *w, enum pv_redact_kind kind, const char **text)
{
	struct pv_bytes b = { *text, *text ? (uint32_t)strlen(*text) : 0 };
	int r = rename_bytes(w, kind, &b);

	if (*text && b.len)
		*text = b.data;
	return r;
}

/* Of all arguments but the first only their number stays. */
static int rename_arguments(struct work *w, const struct pv_process *old, struct pv_bytes *ret)
{
	const char *at = old->cmdline.data, *end = at + old->cmdline.len;
	bool is_first = true;
	int r = 0;

	for (; r == 0 && at < end; is_first = false) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		struct pv_bytes argument = { at, (uint32_t)((stop ? stop : end) - at) };

		r = is_first ? redact_put_title(w->r, &argument, &old->exe, &w->b)
			     : redact_put(w->r, PV_REDACT_TEXT, at, argument.len, &w->b);
		if (stop)
			buf_putc(&w->b, '\0');
		at = stop ? stop + 1 : end;
	}
	return take(w, r, ret);
}

static int rename_list(struct work *w, struct pv_bytes *list)
{
	const char *at = list->data, *end = at + list->len;
	int r = 0;

	if (!list->len)
		return 0;
	while (r == 0) {
		const char *stop = memchr(at, ':', (size_t)(end - at));

		r = redact_put(w->r, PV_REDACT_TEXT, at, (size_t)((stop ? stop : end) - at), &w->b);
		if (!stop)
			break;
		buf_putc(&w->b, ':');
		at = stop + 1;
	}
	return take(w, r, list);
}

/* Both separators count (ld.so(8)). */
static int put_libraries(struct work *w, const char *list, size_t len)
{
	int r = 0;

	while (r == 0 && len) {
		size_t n = 0;

		while (n < len && list[n] != ':' && list[n] != ' ')
			n++;
		r = redact_put(w->r, PV_REDACT_PATH, list, n, &w->b);
		if (n < len)
			buf_putc(&w->b, list[n++]);
		list += n;
		len -= n;
	}
	return r;
}

/* "NAME=value", ended by NUL each */
static int rename_preload(struct work *w, struct pv_bytes *preload)
{
	const char *at = preload->data, *end = at + preload->len;
	int r = 0;

	while (r == 0 && at < end) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		const char *equal = memchr(at, '=', (size_t)((stop ? stop : end) - at));
		const char *value = equal ? equal + 1 : at;

		buf_put(&w->b, at, (size_t)(value - at));
		r = put_libraries(w, value, (size_t)((stop ? stop : end) - value));
		if (stop)
			buf_putc(&w->b, '\0');
		at = stop ? stop + 1 : end;
	}
	return take(w, r, preload);
}

static int rename_process(struct work *w, struct pv_process *p)
{
	const struct pv_process old = *p;
	int r = take(w, redact_put_comm(w->r, &old.comm, &old.exe, &w->b), &p->comm);

	if (r == 0)
		r = rename_arguments(w, &old, &p->cmdline);
	if (r == 0)
		r = rename_bytes(w, PV_REDACT_PATH, &p->exe);
	if (r == 0)
		r = rename_bytes(w, PV_REDACT_CGROUP, &p->cgroup);
	if (r == 0)
		r = rename_bytes(w, PV_REDACT_UNIT, &p->unit);
	if (r == 0)
		r = rename_bytes(w, PV_REDACT_CONTAINER, &p->container);
	if (r == 0)
		r = rename_preload(w, &p->preload);
	return r < 0 ? r : rename_list(w, &p->listen_names);
}

static int rename_attributes(struct work *w, struct pv_conversation *c)
{
	struct pv_detail copy;
	int r;

	if (!c->detail || !c->detail->attributes)
		return 0;
	copy = *c->detail;
	redact_put_attributes((enum pv_proto)c->proto, copy.attributes, copy.attributes_len, &w->b);
	r = buf_error(&w->b);
	copy.attributes = w->b.len ? arena_dup(&w->s->arena, w->b.data, w->b.len) : NULL;
	copy.attributes_len = (uint32_t)w->b.len;
	c->detail = snapshot_detail(w->s, &copy);
	if (!c->detail || (w->b.len && !copy.attributes))
		r = -ENOMEM;
	buf_clear(&w->b);
	return r;
}

/* What a capture tells of a conversation. */
static int rename_flow(struct work *w, struct pv_conversation *c)
{
	struct pv_flow *f = (struct pv_flow *)c->flow; /* the snapshot's own */
	int r = f->out.has_mac ? rename_address(w, AF_PACKET, f->out.mac) : 0;

	if (r == 0 && f->in.has_mac)
		r = rename_address(w, AF_PACKET, f->in.mac);
	if (r < 0 || !f->observed_detail.len)
		return r;
	return take(w, redact_put_observed(w->r, &f->observed_detail, &w->b), &f->observed_detail);
}

static int rename_row(struct work *w, struct pv_conversation *c)
{
	int r = 0;

	if (c->family == AF_INET || c->family == AF_INET6) {
		r = rename_address(w, c->family, c->local.addr);
		if (r == 0)
			r = rename_address(w, c->family, c->remote.addr);
	}
	if (r == 0 && c->path) {
		struct pv_bytes *path = arena_dup(&w->s->arena, c->path, sizeof(*path));

		r = path ? rename_bytes(w, PV_REDACT_SOCKET, path) : -ENOMEM;
		c->path = path;
	}
	if (r == 0)
		r = rename_string(w, PV_REDACT_HOST, &c->remote_name);
	if (r == 0 && c->flow)
		r = rename_flow(w, c);
	return r < 0 ? r : rename_attributes(w, c);
}

static int rename_netns(struct work *w, struct pv_netns *n)
{
	static const int kinds[PV_NETNS_BY_N] = { [PV_NETNS_BY_NAME] = PV_REDACT_TEXT,
						  [PV_NETNS_BY_CONTAINER] = PV_REDACT_CONTAINER,
						  [PV_NETNS_BY_MOUNT] = PV_REDACT_PATH };
	int r = 0;

	/* the others are numbers of processes */
	if (n->name_by == PV_NETNS_BY_NAME || n->name_by == PV_NETNS_BY_CONTAINER ||
	    n->name_by == PV_NETNS_BY_MOUNT)
		r = rename_bytes(w, (enum pv_redact_kind)kinds[n->name_by], &n->name);
	return r < 0 ? r : rename_bytes(w, PV_REDACT_CONTAINER, &n->container);
}

/* Tables and chains that every set of rules has say nothing; the others say who made them. */
static int rename_rule_name(struct work *w, struct pv_bytes *name)
{
	static const char *const common[] = { "nat",	    "nat-legacy",  "filter", "ip",
					      "PREROUTING", "POSTROUTING", "OUTPUT", "INPUT",
					      "prerouting", "postrouting", "output", "input",
					      "DOCKER" };

	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
		if (strlen(common[i]) == name->len && !memcmp(common[i], name->data, name->len))
			return 0;
	return rename_bytes(w, PV_REDACT_TEXT, name);
}

static int rename_relation(struct work *w, struct snapshot_relation *rel)
{
	struct pv_translation *t = &rel->translation;
	struct pv_publication *p = &rel->publication;
	int r = 0;

	if (t->n_hops) {
		r = rename_address(w, t->family, t->local.addr);
		if (r == 0)
			r = rename_address(w, t->family, t->remote.addr);
	}
	if (r == 0 && p->family)
		r = redact_network(w->r, p->family, p->addr, p->prefix);
	if (r == 0)
		r = rename_rule_name(w, &p->table);
	return r < 0 ? r : rename_rule_name(w, &p->chain);
}

static int rename_tables(struct work *w)
{
	struct pv_snapshot *s = w->s;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->users.n; i++)
		r = rename_string(w, PV_REDACT_USER, &s->users.items[i].name);
	for (size_t i = 0; r == 0 && i < s->ifnames.n; i++)
		r = rename_string(w, PV_REDACT_INTERFACE, &s->ifnames.items[i].name);
	for (size_t i = 0; r == 0 && i < s->netns.n; i++)
		r = rename_netns(w, &s->netns.items[i]);
	for (size_t i = 0; r == 0 && i < s->relations.n; i++)
		r = rename_relation(w, &s->relations.items[i]);
	/* which of them could not be entered: names and paths in a sentence */
	for (size_t i = 0; i < s->gaps.n; i++)
		if (s->gaps.items[i].kind == PV_GAP_NETNS ||
		    s->gaps.items[i].kind == PV_GAP_NETNS_STALE)
			s->gaps.items[i].detail = NULL;
	return r;
}

/* Before the processes: evidence names them as they are. Findings may share one text. */
static int rename_findings(struct work *w)
{
	const struct pv_rule *rules;
	size_t n;
	int r = 0;

	rules = pv_rules(&n);
	for (size_t i = 0; r == 0 && i < w->s->findings.n; i++) {
		struct pv_finding *f = &w->s->findings.items[i];

		r = take(w, redact_put_evidence(w->r, w->s, rules[f->rule].sentence, f, &w->b),
			 &f->evidence);
		f->places = NULL;
	}
	return r;
}

int redact_snapshot(const struct pv_redactor *redactor, struct pv_snapshot *s)
{
	_cleanup_(cleanup_free) struct work *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->r = redactor;
	w->s = s;
	r = rename_tables(w);
	if (r == 0)
		r = rename_findings(w);
	for (size_t i = 0; r == 0 && i < s->processes.n; i++)
		r = rename_process(w, &s->processes.items[i]);
	for (size_t i = 0; r == 0 && i < s->n_rows; i++)
		r = rename_row(w, snapshot_row(s, i));
	buf_deinit(&w->b);
	return r;
}
