/* SPDX-License-Identifier: MIT */
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pv_snapshot *snapshot_new(void)
{
	return calloc(1, sizeof(struct pv_snapshot));
}

void pv_snapshot_free(struct pv_snapshot *s)
{
	if (!s)
		return;
	arena_deinit(&s->arena);
	vec_deinit(&s->chunks);
	vec_deinit(&s->shown);
	vec_deinit(&s->processes);
	vec_deinit(&s->holders);
	vec_deinit(&s->netns);
	vec_deinit(&s->relations);
	vec_deinit(&s->findings);
	vec_deinit(&s->policy_matches);
	vec_deinit(&s->users);
	vec_deinit(&s->ifnames);
	vec_deinit(&s->addresses);
	vec_deinit(&s->sources);
	vec_deinit(&s->gaps);
	free(s);
}

int snapshot_bytes(struct pv_snapshot *s, struct pv_bytes *b, const void *data, size_t len)
{
	*b = (struct pv_bytes){ 0 };
	if (!len)
		return 0;
	b->data = arena_dup(&s->arena, data, len);
	if (!b->data)
		return -ENOMEM;
	b->len = (uint32_t)len;
	return 0;
}

static struct pv_conversation *next_row(struct pv_snapshot *s)
{
	if (s->n_rows % SNAPSHOT_CHUNK == 0 && s->n_rows / SNAPSHOT_CHUNK == s->chunks.n) {
		void *chunk =
			arena_alloc(&s->arena, SNAPSHOT_CHUNK * sizeof(struct pv_conversation));

		if (!chunk || vec_push(&s->chunks, chunk) < 0)
			return NULL;
	}
	return snapshot_row(s, s->n_rows);
}

const struct pv_detail *snapshot_detail(struct pv_snapshot *s, const struct pv_detail *from)
{
	struct pv_detail *detail = arena_alloc(&s->arena, sizeof(*detail));

	if (!detail)
		return NULL;
	*detail = *from;
	if (from->attributes_len) {
		detail->attributes = arena_dup(&s->arena, from->attributes, from->attributes_len);
		if (!detail->attributes)
			return NULL;
	}
	return detail;
}

struct pv_conversation *snapshot_add(struct pv_snapshot *s, const struct pv_conversation *row)
{
	struct pv_conversation *c = next_row(s);

	if (!c)
		return NULL;
	*c = *row;
	if (row->path) {
		struct pv_bytes *path = arena_alloc(&s->arena, sizeof(*path));

		if (!path || snapshot_bytes(s, path, row->path->data, row->path->len) < 0)
			return NULL;
		c->path = path;
	}
	if (row->detail) {
		c->detail = snapshot_detail(s, row->detail);
		if (!c->detail)
			return NULL;
	}
	s->n_rows++;
	return c;
}

int snapshot_add_process(struct pv_snapshot *s, const struct pv_process *p, uint32_t *ret_index)
{
	struct pv_process copy = *p;
	struct pv_bytes *strings[] = { &copy.comm,	&copy.exe,	    &copy.cmdline,
				       &copy.cgroup,	&copy.unit,	    &copy.runtime,
				       &copy.container, &copy.listen_names, &copy.preload };

	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		if (snapshot_bytes(s, strings[i], strings[i]->data, strings[i]->len) < 0)
			return -ENOMEM;
	if (vec_push(&s->processes, copy) < 0)
		return -ENOMEM;
	*ret_index = (uint32_t)(s->processes.n - 1);
	return 0;
}

struct snapshot_relation *snapshot_relate(struct pv_snapshot *s, struct pv_conversation *row)
{
	if (!row->relation) {
		if (vec_push(&s->relations, (struct snapshot_relation){ 0 }) < 0)
			return NULL;
		row->relation = (uint32_t)s->relations.n;
	}
	return &s->relations.items[row->relation - 1];
}

int snapshot_set_holders(struct pv_snapshot *s, struct pv_conversation *row,
			 const struct pv_holder *holders, uint32_t n)
{
	if (vec_reserve(&s->holders, s->holders.n + n) < 0)
		return -ENOMEM;
	row->first_holder = (uint32_t)s->holders.n;
	row->n_holders = n;
	row->owner_reason = PV_REASON_NONE;
	for (uint32_t i = 0; i < n; i++)
		s->holders.items[s->holders.n++] = holders[i];
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool has_source(const struct pv_snapshot *s, const struct pv_source *like)
{
	for (size_t i = 0; i < s->sources.n; i++) {
		const struct pv_source *old = &s->sources.items[i];

		if (old->state == like->state && same_text(old->name, like->name) &&
		    same_text(old->via, like->via) && same_text(old->cause, like->cause))
			return true;
	}
	return false;
}

int snapshot_add_source(struct pv_snapshot *s, const char *name, const char *via,
			enum pv_source_state state, const char *cause)
{
	struct pv_source src = { .name = name, .via = via, .cause = cause, .state = state };

	/* one answer of many namespaces is said once */
	if (has_source(s, &src))
		return 0;
	src.name = arena_strdup(&s->arena, name);
	src.via = arena_strdup(&s->arena, via);
	src.cause = cause ? arena_strdup(&s->arena, cause) : NULL;
	if (!src.name || !src.via || (cause && !src.cause))
		return -ENOMEM;
	return vec_push(&s->sources, src);
}

int snapshot_add_gap(struct pv_snapshot *s, enum pv_gap_kind kind, uint64_t count,
		     const char *detail)
{
	struct pv_gap gap = { .kind = kind, .count = count };

	for (size_t i = 0; i < s->gaps.n; i++) {
		struct pv_gap *old = &s->gaps.items[i];

		if (old->kind == kind && same_text(old->detail, detail)) {
			old->count += count;
			return 0;
		}
	}
	if (detail) {
		gap.detail = arena_strdup(&s->arena, detail);
		if (!gap.detail)
			return -ENOMEM;
	}
	return vec_push(&s->gaps, gap);
}

int snapshot_add_user(struct pv_snapshot *s, uint32_t uid, const char *name)
{
	struct snapshot_user u = { .id = uid, .name = arena_strdup(&s->arena, name) };

	return u.name ? vec_push(&s->users, u) : -ENOMEM;
}

static uint64_t ifname_key(uint32_t netns, uint32_t ifindex)
{
	return (uint64_t)netns << 32 | ifindex;
}

int snapshot_add_ifname(struct pv_snapshot *s, uint32_t netns, uint32_t ifindex, const char *name)
{
	struct snapshot_user u = { .id = ifname_key(netns, ifindex),
				   .name = arena_strdup(&s->arena, name) };

	return u.name ? vec_push(&s->ifnames, u) : -ENOMEM;
}

static int compare_ids(const void *a, const void *b)
{
	const struct snapshot_user *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static const char *name_of(const struct snapshot_user *items, size_t n, uint64_t id)
{
	struct snapshot_user key = { .id = id };
	const struct snapshot_user *u =
		n ? bsearch(&key, items, n, sizeof(*items), compare_ids) : NULL;

	return u ? u->name : NULL;
}

void snapshot_seal(struct pv_snapshot *s)
{
	if (s->users.n)
		qsort(s->users.items, s->users.n, sizeof(*s->users.items), compare_ids);
	if (s->ifnames.n)
		qsort(s->ifnames.items, s->ifnames.n, sizeof(*s->ifnames.items), compare_ids);
	s->coverage = (struct pv_coverage){ .sources = s->sources.items,
					    .n_sources = s->sources.n,
					    .gaps = s->gaps.items,
					    .n_gaps = s->gaps.n,
					    .complete = true };
	for (size_t i = 0; i < s->gaps.n; i++)
		if (s->gaps.items[i].kind != PV_GAP_NAMES &&
		    s->gaps.items[i].kind != PV_GAP_NAMES_REFUSED &&
		    s->gaps.items[i].kind != PV_GAP_AGAIN)
			s->coverage.complete = false;
}

size_t pv_snapshot_count(const struct pv_snapshot *s)
{
	return s->is_filtered ? s->shown.n : s->n_rows;
}

const struct pv_conversation *pv_snapshot_get(const struct pv_snapshot *s, size_t index)
{
	return snapshot_row(s, s->is_filtered ? s->shown.items[index] : index);
}

const struct pv_holder *pv_snapshot_holder(const struct pv_snapshot *s,
					   const struct pv_conversation *c, uint32_t n)
{
	return &s->holders.items[c->first_holder + n];
}

const struct pv_finding *pv_snapshot_finding(const struct pv_snapshot *s,
					     const struct pv_conversation *c, uint32_t n)
{
	return &s->findings.items[c->first_finding + n];
}

uint64_t pv_snapshot_policy_matches(const struct pv_snapshot *s, size_t rule)
{
	return rule < s->policy_matches.n ? s->policy_matches.items[rule] : 0;
}

const struct pv_process *pv_snapshot_process(const struct pv_snapshot *s, uint32_t index)
{
	return &s->processes.items[index];
}

size_t pv_snapshot_process_count(const struct pv_snapshot *s)
{
	return s->processes.n;
}

const struct pv_conversation *pv_snapshot_peer(const struct pv_snapshot *s,
					       const struct pv_conversation *c)
{
	return c->peer ? snapshot_row(s, c->peer - 1) : NULL;
}

static const struct snapshot_relation *relation_of(const struct pv_snapshot *s,
						   const struct pv_conversation *c)
{
	static const struct snapshot_relation none;

	return c->relation ? &s->relations.items[c->relation - 1] : &none;
}

const struct pv_translation *pv_snapshot_translation(const struct pv_snapshot *s,
						     const struct pv_conversation *c)
{
	const struct snapshot_relation *r = relation_of(s, c);

	return r->translation.n_hops ? &r->translation : NULL;
}

uint32_t pv_snapshot_peer_candidates(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	return relation_of(s, c)->n_candidates;
}

const struct pv_publication *pv_snapshot_publication(const struct pv_snapshot *s,
						     const struct pv_conversation *c)
{
	const struct snapshot_relation *r = relation_of(s, c);

	return r->has_publication ? &r->publication : NULL;
}

const struct pv_netns *pv_snapshot_netns(const struct pv_snapshot *s, uint32_t index)
{
	static const struct pv_netns unknown;

	return index < s->netns.n ? &s->netns.items[index] : &unknown;
}

size_t pv_snapshot_netns_count(const struct pv_snapshot *s)
{
	return s->netns.n;
}

bool pv_netns_is_ephemeral(const struct pv_netns *n, uint32_t port)
{
	if (port < n->ephemeral_first || port > n->ephemeral_last || port == 0)
		return false;
	return !n->reserved || !(n->reserved[port / 64] >> (port % 64) & 1);
}

const char *pv_snapshot_user(const struct pv_snapshot *s, uint32_t uid)
{
	return name_of(s->users.items, s->users.n, uid);
}

const char *pv_snapshot_netns_ifname(const struct pv_snapshot *s, uint32_t netns, uint32_t ifindex)
{
	return name_of(s->ifnames.items, s->ifnames.n, ifname_key(netns, ifindex));
}

const char *pv_snapshot_ifname(const struct pv_snapshot *s, uint32_t ifindex)
{
	return pv_snapshot_netns_ifname(s, 0, ifindex);
}

const char *pv_snapshot_key_mark(const struct pv_snapshot *s)
{
	return s->key_mark;
}

bool pv_snapshot_is_from_redacted(const struct pv_snapshot *s)
{
	return s->is_from_redacted;
}

const struct pv_clock *pv_snapshot_clock(const struct pv_snapshot *s)
{
	return &s->clock;
}

const struct pv_coverage *pv_snapshot_coverage(const struct pv_snapshot *s)
{
	return &s->coverage;
}
