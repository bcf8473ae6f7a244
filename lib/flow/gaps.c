/* SPDX-License-Identifier: MIT */
/* Gaps of a connection; sequence numbers wrap, so their differences are signed. */
#include "flow/gaps.h"

static bool is_empty(const struct flow_hole *h)
{
	return h->start == h->end;
}

/* So far behind that the same numbers may mean other bytes. */
static bool is_stale(const struct flow_entry *e, unsigned side, const struct flow_hole *h)
{
	return e->half[side].next_seq - h->start > FLOW_NONSENSE;
}

/*
 * Takes [from, to) out of a hole: how many bytes it had of it. What is left below it goes to
 * *ret_rest when something is left above it, too.
 */
static uint32_t cut(struct flow_hole *h, uint32_t from, uint32_t to, struct flow_hole *ret_rest)
{
	if ((int32_t)(from - h->start) < 0)
		from = h->start;
	if ((int32_t)(h->end - to) < 0)
		to = h->end;
	if ((int32_t)(to - from) <= 0)
		return 0;
	if (to == h->end) {
		h->end = from;
	} else {
		*ret_rest = (struct flow_hole){ h->start, from, h->time };
		h->start = to;
	}
	return to - from;
}

static void remove_node(struct flow_table *t, uint32_t *link)
{
	uint32_t index = *link;

	*link = t->gaps.items[index].next;
	t->gaps.items[index].next = t->free_gap;
	t->free_gap = index;
}

static bool has_room(const struct flow_table *t)
{
	return t->free_gap != FLOW_NONE || t->gaps.n < t->gap_capacity;
}

/* The newest is first. Where there is no room the oldest of this side gives way. */
static void make_room(struct flow_table *t, struct flow_entry *e, unsigned side)
{
	uint32_t *oldest = NULL;
	unsigned n = 0;

	for (uint32_t *at = &e->gaps; *at != FLOW_NONE; at = &t->gaps.items[*at].next) {
		if (t->gaps.items[*at].side != side)
			continue;
		oldest = at;
		n++;
	}
	if (oldest && (n >= FLOW_GAPS_MAX || !has_room(t)))
		remove_node(t, oldest);
}

static void push(struct flow_table *t, struct flow_entry *e, unsigned side,
		 const struct flow_hole *h)
{
	uint32_t index;

	if (is_empty(h) || is_stale(e, side, h))
		return;
	make_room(t, e, side);
	if (!has_room(t))
		return;
	index = t->free_gap;
	if (index != FLOW_NONE) {
		t->free_gap = t->gaps.items[index].next;
	} else {
		index = (uint32_t)t->gaps.n;
		if (vec_push(&t->gaps, (struct flow_gap){ .next = FLOW_NONE }) < 0)
			return;
	}
	t->gaps.items[index] =
		(struct flow_gap){ .hole = *h, .next = e->gaps, .side = (uint8_t)side };
	e->gaps = index;
}

void flow_gaps_add(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t start,
		   uint32_t end, int64_t time)
{
	struct flow_hole *newest = &e->cold[side].newest;

	push(t, e, side, newest);
	*newest = (struct flow_hole){ start, end, (uint32_t)(time / 1000) };
}

uint32_t flow_gaps_fill(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t seq,
			uint32_t len, uint32_t *ret_time)
{
	struct flow_hole *newest = &e->cold[side].newest, rest = { 0, 0, 0 };
	uint32_t n, filled = is_stale(e, side, newest) ? 0 : cut(newest, seq, seq + len, &rest);

	*ret_time = newest->time;
	for (uint32_t *at = &e->gaps; *at != FLOW_NONE;) {
		struct flow_gap *g = &t->gaps.items[*at];
		bool is_other = g->side != side;

		n = is_other || is_stale(e, side, &g->hole) ? 0
							    : cut(&g->hole, seq, seq + len, &rest);
		if (n && !filled)
			*ret_time = g->hole.time;
		filled += n;
		if (!is_other && is_empty(&g->hole))
			remove_node(t, at);
		else
			at = &g->next;
	}
	push(t, e, side, &rest);
	return filled;
}

void flow_gaps_free(struct flow_table *t, struct flow_entry *e)
{
	while (e->gaps != FLOW_NONE)
		remove_node(t, &e->gaps);
}
