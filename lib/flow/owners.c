/* SPDX-License-Identifier: MIT */
/*
 * Who is at the ends of captured conversations. Invariant: rows of `known` never move, and a row
 * that is forgotten is forgotten with everything that points to it.
 */
#include "flow/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

void flow_owners_deinit(struct flow_owners *o)
{
	pv_ends_free(o->ends);
	if (!o->is_borrowed)
		pv_snapshot_free(o->known);
	vec_deinit(&o->answers);
	map_deinit(&o->by_question);
	map_deinit(&o->processes);
	map_deinit(&o->copied);
}

int flow_owners_join(struct flow_owners *o, const struct pv_snapshot *joined)
{
	o->known = (struct pv_snapshot *)joined; /* is never written: there are no answers */
	o->is_borrowed = true;
	return pv_ends_new(joined, &o->ends);
}

bool flow_owners_pair(const struct flow_key *key, struct pv_pair *ret)
{
	bool is_echo = key->proto == PV_PROTO_ICMP || key->proto == PV_PROTO_ICMP6;

	if ((key->family != AF_INET && key->family != AF_INET6) || !key->port[0] || !key->port[1] ||
	    (key->proto > PV_PROTO_DCCP && !is_echo))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = key->family;
	ret->proto = is_echo ? PV_PROTO_PING : key->proto;
	for (int side = 0; side < 2; side++) {
		memcpy(ret->ends[side].addr, key->addr[side], sizeof(key->addr[side]));
		ret->ends[side].port = key->port[side];
	}
	return true;
}

static uint64_t question_hash(const struct flow_question *q)
{
	const struct pv_pair *p = &q->pair;
	uint64_t h = map_mix(map_mix(p->family, p->proto), (uint64_t)q->start), words[2];

	for (int side = 0; side < 2; side++) {
		memcpy(words, p->ends[side].addr, sizeof(words));
		h = map_mix(map_mix(map_mix(h, words[0]), words[1]), p->ends[side].port);
	}
	return h;
}

static bool pair_equal(const struct pv_pair *a, const struct pv_pair *b)
{
	return a->family == b->family && a->proto == b->proto &&
	       a->ends[0].port == b->ends[0].port && a->ends[1].port == b->ends[1].port &&
	       !memcmp(a->ends[0].addr, b->ends[0].addr, sizeof(a->ends[0].addr)) &&
	       !memcmp(a->ends[1].addr, b->ends[1].addr, sizeof(a->ends[1].addr));
}

/* Different questions of one hash share a place; the later one has it. */
struct flow_answer *flow_owners_get(const struct flow_owners *o, const struct flow_question *q)
{
	uint32_t i = o->by_question.n ? map_get(&o->by_question, question_hash(q)) : MAP_NONE;

	if (i == MAP_NONE || o->answers.items[i].question.start != q->start ||
	    !pair_equal(&o->answers.items[i].question.pair, &q->pair))
		return NULL;
	return &o->answers.items[i];
}

/* ---- answers become rows ---- */

static struct pv_bytes bytes_of(const char *text, size_t size)
{
	return (struct pv_bytes){ .data = text, .len = (uint32_t)strnlen(text, size) };
}

static int add_process(struct flow_owners *o, const struct pv_capture_owner *w, uint32_t *ret)
{
	const struct pv_process p = {
		.pid = w->pid,
		.uid = w->uid,
		.start_ticks = w->start_ticks,
		.comm = bytes_of(w->comm, sizeof(w->comm)),
		.exe = bytes_of(w->exe, sizeof(w->exe)),
		.unit = bytes_of(w->unit, sizeof(w->unit)),
		.runtime = bytes_of(w->runtime, sizeof(w->runtime)),
		.container = bytes_of(w->container, sizeof(w->container)),
	};
	uint64_t key = map_mix(map_mix((uint32_t)w->pid, w->start_ticks), 1);
	int r;

	*ret = map_get(&o->processes, key);
	if (*ret != MAP_NONE && o->known->processes.items[*ret].pid == w->pid)
		return 0;
	r = snapshot_add_process(o->known, &p, ret);
	return r < 0 ? r : map_put(&o->processes, key, *ret);
}

static int add_user(struct flow_owners *o, const struct pv_capture_owner *w)
{
	int r;

	if (!w->user[0] || pv_snapshot_user(o->known, w->uid))
		return 0;
	r = snapshot_add_user(o->known, w->uid, w->user);
	snapshot_seal(o->known); /* sorts */
	return r;
}

static int add_row(struct flow_owners *o, const struct pv_pair *pair, unsigned side,
		   const struct pv_capture_owner *w, uint32_t *ret)
{
	struct pv_conversation row = { .family = pair->family,
				       .proto = pair->proto,
				       .local = pair->ends[side],
				       .remote = pair->ends[!side],
				       .uid = w->socket_uid,
				       .inode = w->inode,
				       .owner_reason = w->reason };
	struct pv_conversation *added;
	struct pv_holder h = { .fd = w->fd };
	int r = 0;

	*ret = 0;
	if (w->by == PV_END_NONE || w->by == PV_END_AMBIGUOUS)
		return 0;
	added = snapshot_add(o->known, &row);
	if (!added)
		return -ENOMEM;
	*ret = (uint32_t)o->known->n_rows;
	if (w->pid) {
		r = add_process(o, w, &h.process);
		if (r == 0)
			r = snapshot_set_holders(o->known, added, &h, 1);
		if (r == 0)
			r = add_user(o, w);
	}
	return r;
}

static int forget_all(struct flow_owners *o)
{
	struct flow_owners fresh = { .target = o->target };

	memcpy(fresh.missing, o->missing, sizeof(fresh.missing));
	flow_owners_deinit(o);
	*o = fresh;
	o->known = snapshot_new();
	return o->known ? 0 : -ENOMEM;
}

/* The place of an answer, made when there is none; NULL = out of memory. */
static struct flow_answer *place_of(struct flow_owners *o, const struct flow_question *q)
{
	struct flow_answer *a = flow_owners_get(o, q), fresh = { .question = *q };

	if (a)
		return a;
	if ((!o->known || o->answers.n >= FLOW_ANSWERS_MAX) && forget_all(o) < 0)
		return NULL;
	if (vec_push(&o->answers, fresh) < 0 ||
	    map_put(&o->by_question, question_hash(q), (uint32_t)o->answers.n - 1) < 0)
		return NULL;
	return &o->answers.items[o->answers.n - 1];
}

int flow_owners_expect(struct flow_owners *o, const struct flow_question *q)
{
	struct flow_answer *a = place_of(o, q);

	if (a)
		a->is_expected = true;
	return a ? 0 : -ENOMEM;
}

/* A later answer may be worse: the socket is gone. What was found for certain stays. */
static bool is_better(const struct flow_owners *o, const struct flow_answer *a, unsigned side,
		      const struct pv_capture_owner *w)
{
	if (!a->rows[side])
		return true;
	if (w->by == PV_END_NONE || w->by == PV_END_AMBIGUOUS)
		return false;
	return w->by <= a->by[side] && (w->pid || !flow_owners_process(o, a, side));
}

int flow_owners_put(struct flow_owners *o, const struct flow_question *q,
		    const struct pv_capture_owner owners[2], int64_t time)
{
	struct flow_answer *a = place_of(o, q);
	int r = a ? 0 : -ENOMEM;

	for (unsigned side = 0; r == 0 && side < 2; side++) {
		a->is_here[side] |= owners[side].is_here;
		if (!is_better(o, a, side, &owners[side]))
			continue;
		a->by[side] = owners[side].by;
		r = add_row(o, &q->pair, side, &owners[side], &a->rows[side]);
	}
	if (r < 0)
		return r;
	a->n_asked = (uint8_t)(a->n_asked + (a->n_asked < UINT8_MAX));
	a->is_expected = false;
	a->time = time;
	return 0;
}

const struct pv_process *flow_owners_process(const struct flow_owners *o,
					     const struct flow_answer *a, unsigned side)
{
	const struct pv_conversation *row =
		a->rows[side] ? snapshot_row(o->known, a->rows[side] - 1) : NULL;

	if (!row || !row->n_holders)
		return NULL;
	return pv_snapshot_process(o->known, pv_snapshot_holder(o->known, row, 0)->process);
}

bool flow_owners_is_settled(const struct flow_owners *o, const struct flow_answer *a)
{
	for (unsigned side = 0; side < 2; side++)
		if (a->is_here[side] &&
		    (a->by[side] != PV_END_PAIR || !flow_owners_process(o, a, side)))
			return false;
	return true;
}

static void set_text(char *to, size_t size, struct pv_bytes from)
{
	size_t n = from.len < size - 1 ? from.len : size - 1;

	memcpy(to, from.len ? from.data : "", n);
	to[n] = 0;
}
#define SET_TEXT(to, from) set_text(to, sizeof(to), from)

static void describe(const struct pv_snapshot *s, const struct pv_conversation *c,
		     struct pv_capture_owner *ret)
{
	const struct pv_holder *h = c->n_holders ? pv_snapshot_holder(s, c, 0) : NULL;
	const struct pv_process *p = h ? pv_snapshot_process(s, h->process) : NULL;
	const char *user = p ? pv_snapshot_user(s, p->uid) : NULL;

	ret->socket_uid = c->uid;
	ret->inode = c->inode;
	ret->reason = c->owner_reason;
	if (!p)
		return;
	ret->pid = p->pid;
	ret->fd = h->fd;
	ret->uid = p->uid;
	ret->n_holders = c->n_holders;
	ret->start_ticks = p->start_ticks;
	SET_TEXT(ret->comm, p->comm);
	SET_TEXT(ret->exe, p->exe);
	SET_TEXT(ret->unit, p->unit);
	SET_TEXT(ret->runtime, p->runtime);
	SET_TEXT(ret->container, p->container);
	if (user)
		SET_TEXT(ret->user, bytes_of(user, sizeof(ret->user)));
}

static void find_end(const struct pv_snapshot *snapshot, const struct pv_ends *ends,
		     const struct pv_closed *closed, const struct pv_capture_question *q,
		     unsigned side, struct pv_capture_owner *ret)
{
	const struct pv_conversation *c = NULL, *gone = NULL;
	enum pv_end_by by = PV_END_NONE, gone_by = PV_END_NONE;
	const struct pv_snapshot *gone_in = NULL;

	if (ends)
		c = pv_ends_find(ends, &q->pair, side, &by);
	if (closed)
		gone = pv_closed_find(closed, &q->pair, side, q->time, &gone_in, &gone_by);
	/* one that was closed meanwhile rather than its remains, or the listener it came to */
	if (gone && (!c || !c->n_holders || gone_by < by)) {
		c = gone;
		by = gone_by;
		snapshot = gone_in;
	}
	ret->by = (uint8_t)by;
	if (c)
		describe(snapshot, c, ret);
}

void pv_capture_owners(const struct pv_snapshot *snapshot, const struct pv_ends *ends,
		       const struct pv_closed *closed, const struct pv_capture_question *q,
		       struct pv_capture_owner ret[2])
{
	for (unsigned side = 0; side < 2; side++) {
		const struct pv_endpoint *end = &q->pair.ends[side];
		uint8_t family = q->pair.family;

		memset(&ret[side], 0, sizeof(ret[side]));
		ret[side].uid = ret[side].socket_uid = UINT32_MAX;
		find_end(snapshot, ends, closed, q, side, &ret[side]);
		ret[side].is_here = ret[side].by != PV_END_NONE ||
				    (ends && pv_ends_is_here(ends, family, end)) ||
				    (closed && pv_closed_is_here(closed, family, end));
	}
}

/* ---- rows of a capture get holders ---- */

static const struct pv_conversation *find(const struct flow_owners *o, const struct flow_entry *e,
					  unsigned side, enum pv_end_by *ret_by)
{
	struct flow_question q = { .start = flow_entry_start(e) };
	const struct flow_answer *a;

	*ret_by = PV_END_NONE;
	if (!o->known || !flow_owners_pair(&e->key, &q.pair))
		return NULL;
	if (o->ends)
		return pv_ends_find(o->ends, &q.pair, side, ret_by);
	a = flow_owners_get(o, &q);
	if (!a)
		return NULL;
	*ret_by = (enum pv_end_by)a->by[side];
	return a->rows[side] ? snapshot_row(o->known, a->rows[side] - 1) : NULL;
}

/* Another snapshot is filled: it gets the users, in their order, so that filters can ask for them.
 */
static int aim(struct flow_owners *o, struct pv_snapshot *target)
{
	int r = 0;

	if (o->target == target)
		return 0;
	o->target = target;
	map_deinit(&o->copied);
	for (size_t i = 0; r == 0 && i < o->known->users.n; i++)
		r = snapshot_add_user(target, (uint32_t)o->known->users.items[i].id,
				      o->known->users.items[i].name);
	return r;
}

static int copy_process(struct flow_owners *o, struct pv_snapshot *target, uint32_t process,
			uint32_t *ret)
{
	struct pv_process p = *pv_snapshot_process(o->known, process);
	int r;

	*ret = map_get(&o->copied, process);
	if (*ret != MAP_NONE)
		return 0;
	p.parent = 0; /* is not copied */
	r = snapshot_add_process(target, &p, ret);
	return r < 0 ? r : map_put(&o->copied, process, *ret);
}

static int copy_holders(struct flow_owners *o, const struct pv_conversation *from,
			struct pv_snapshot *target, struct pv_conversation *row)
{
	VEC(struct pv_holder) holders = { 0 };
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < from->n_holders; i++) {
		struct pv_holder h = *pv_snapshot_holder(o->known, from, i);

		r = copy_process(o, target, h.process, &h.process);
		if (r == 0)
			r = vec_push(&holders, h);
	}
	if (r == 0 && holders.n)
		r = snapshot_set_holders(target, row, holders.items, (uint32_t)holders.n);
	else if (r == 0)
		row->owner_reason = from->owner_reason;
	vec_deinit(&holders);
	return r;
}

static int take_over(struct flow_owners *o, const struct pv_conversation *from,
		     struct pv_snapshot *target, struct pv_conversation *row)
{
	row->uid = from->uid;
	row->inode = from->inode;
	return copy_holders(o, from, target, row);
}

/* Someone has to be there: this end sent something that the kernel does not send by itself. */
static bool has_spoken(const struct flow_entry *e, unsigned side)
{
	const struct flow_half *h = &e->half[side];

	return h->packets && (e->key.proto != PV_PROTO_TCP || h->packets > h->resets);
}

/* Why this end has no process though it should; PV_REASON_NONE = nothing is missing. */
static uint8_t reason_of_end(const struct flow_owners *o, const struct flow_answer *a,
			     const struct flow_entry *e, unsigned side)
{
	const struct pv_conversation *row =
		a->rows[side] ? snapshot_row(o->known, a->rows[side] - 1) : NULL;

	if (!a->is_here[side] || !has_spoken(e, side) ||
	    (row && (row->n_holders || row->owner_reason == PV_REASON_KERNEL)))
		return PV_REASON_NONE;
	if (row)
		return row->owner_reason;
	return a->by[side] == PV_END_AMBIGUOUS ? PV_REASON_AMBIGUOUS : PV_REASON_NO_MATCH;
}

/* Echoes are answered by the kernel, and asked for by raw sockets, which tell nothing. */
static void count_missing(struct flow_owners *o, const struct flow_entry *e)
{
	struct flow_question q = { .start = flow_entry_start(e) };
	const struct flow_answer *a;
	uint8_t reason;

	if (!flow_owners_pair(&e->key, &q.pair) || q.pair.proto == PV_PROTO_PING)
		return;
	a = flow_owners_get(o, &q);
	if (!a || !a->n_asked)
		reason = PV_REASON_NOT_ASKED; /* too many at once, or before its answer came */
	else if (!(reason = reason_of_end(o, a, e, 0)))
		reason = reason_of_end(o, a, e, 1);
	o->missing[reason]++;
}

int flow_owners_apply(struct flow_owners *o, const struct flow_entry *e, unsigned local,
		      struct pv_snapshot *target, struct pv_conversation *row)
{
	const struct pv_conversation *from;
	enum pv_end_by by;

	if (!o->known)
		return 0;
	if (aim(o, target) < 0)
		return -ENOMEM;
	if (!o->ends)
		count_missing(o, e);
	from = find(o, e, local, &by);
	if (from)
		return take_over(o, from, target, row);
	row->owner_reason = by == PV_END_AMBIGUOUS ? PV_REASON_AMBIGUOUS : PV_REASON_NO_MATCH;
	return 0;
}

int flow_owners_add_peer(struct flow_owners *o, const struct flow_entry *e, unsigned local,
			 struct pv_snapshot *target, struct pv_conversation *row)
{
	struct pv_conversation peer = { .uid = UINT32_MAX }, *added;
	const struct pv_conversation *from;
	enum pv_end_by by;

	if (!o->known)
		return 0;
	target->is_filtered = true;
	if (vec_push(&target->shown, (uint32_t)target->n_rows - 1) < 0)
		return -ENOMEM;
	from = find(o, e, !local, &by);
	if (!from)
		return 0;
	peer.family = row->family;
	peer.proto = row->proto;
	peer.state = row->state;
	peer.local = row->remote;
	peer.remote = row->local;
	peer.peer = (uint32_t)target->n_rows;
	if (take_over(o, from, target, &peer) < 0)
		return -ENOMEM;
	added = snapshot_add(target, &peer);
	if (!added)
		return -ENOMEM;
	row->peer = (uint32_t)target->n_rows;
	return 0;
}
