/* SPDX-License-Identifier: MIT */
/*
 * Kept bytes of undecided conversations. Slots are numbered and their owners are not known: a slot
 * that is taken from its conversation gets a new generation, which that conversation finds out.
 * Invariant: bytes <= limit, and ranges of a side are in order, apart, and within its data.
 */
#include <errno.h>
#include <stdlib.h>

#include "observe/observe-internal.h"

#define SLOTS_MAX 8192
#define FIRST_CAP 2048

void pool_init(struct pool *pool, size_t limit)
{
	*pool = (struct pool){ .limit = limit < 2 * OBSERVE_STREAM_MAX ? 2 * OBSERVE_STREAM_MAX
								       : limit };
}

void pool_deinit(struct pool *pool)
{
	for (uint16_t i = 0; i < pool->used; i++)
		for (unsigned side = 0; side < 2; side++)
			pool_drop_side(pool, &pool->slots[i], side);
	free(pool->slots);
	pool->slots = NULL;
}

struct work *pool_get(struct pool *pool, const struct observe_state *s)
{
	struct work *w = s->slot && s->slot <= pool->used ? &pool->slots[s->slot - 1] : NULL;

	return w && w->generation == s->generation ? w : NULL;
}

void pool_drop_side(struct pool *pool, struct work *w, unsigned side)
{
	pool->bytes -= w->side[side].cap;
	free(w->side[side].data);
	w->side[side] = (struct work_side){ 0 };
}

/* Takes the slot out of the order by age and makes it nobody's. */
static void retire(struct pool *pool, uint16_t slot)
{
	struct work *w = &pool->slots[slot - 1];

	for (unsigned side = 0; side < 2; side++)
		pool_drop_side(pool, w, side);
	*(w->older ? &pool->slots[w->older - 1].newer : &pool->oldest) = w->newer;
	*(w->newer ? &pool->slots[w->newer - 1].older : &pool->newest) = w->older;
	w->generation++;
	w->quic_dcid_len = 0;
	w->newer = pool->free;
	pool->free = slot;
}

static void abandon(struct pool *pool, uint16_t slot)
{
	pool->abandoned++;
	retire(pool, slot);
}

/* A slot that was never used, growing the array; 0 when there is none or no memory. */
static uint16_t fresh_slot(struct pool *pool)
{
	if (pool->used == pool->n && pool->n < SLOTS_MAX) {
		uint16_t n = pool->n ? (uint16_t)(2 * pool->n) : 64;
		struct work *slots = reallocarray(pool->slots, n, sizeof(*slots));

		if (!slots)
			return 0;
		pool->slots = slots;
		pool->n = n;
	}
	if (pool->used == pool->n)
		return 0;
	pool->slots[pool->used] = (struct work){ .generation = 1 };
	return ++pool->used;
}

struct work *pool_take(struct pool *pool, struct observe_state *s)
{
	uint16_t slot = pool->free ? 0 : fresh_slot(pool);
	struct work *w;

	if (!slot && !pool->free && pool->oldest)
		abandon(pool, pool->oldest);
	if (!slot) {
		slot = pool->free;
		if (!slot)
			return NULL;
		pool->free = pool->slots[slot - 1].newer;
	}
	w = &pool->slots[slot - 1];
	w->newer = 0;
	w->older = pool->newest;
	*(pool->newest ? &pool->slots[pool->newest - 1].newer : &pool->oldest) = slot;
	pool->newest = slot;
	s->slot = slot;
	s->generation = w->generation;
	return w;
}

void pool_release(struct pool *pool, struct observe_state *s)
{
	if (pool_get(pool, s))
		retire(pool, s->slot);
	s->slot = 0;
}

/* Room for `want` bytes of a side; other conversations make place. 0 or -ENOMEM. */
static int reserve(struct pool *pool, struct work *w, unsigned side, size_t want)
{
	struct work_side *ws = &w->side[side];
	size_t cap = ws->cap ? ws->cap : FIRST_CAP;
	uint8_t *data;

	while (cap < want)
		cap *= 2;
	if (cap == ws->cap)
		return 0;
	/* one conversation alone keeps within the limit, so there is another one while it is over
	 */
	while (pool->bytes + cap - ws->cap > pool->limit)
		abandon(pool, &pool->slots[pool->oldest - 1] == w ? w->newer : pool->oldest);
	data = realloc(ws->data, cap);
	if (!data)
		return -ENOMEM;
	pool->bytes += cap - ws->cap;
	ws->data = data;
	ws->cap = (uint16_t)cap;
	return 0;
}

/* Adds start..end to the ranges; false when there is no room for one more. */
static bool add_range(struct work_side *ws, uint16_t start, uint16_t end)
{
	unsigned first = 0, last;

	while (first < ws->n_ranges && ws->ranges[first].end < start)
		first++;
	for (last = first; last < ws->n_ranges && ws->ranges[last].start <= end; last++) {
		start = ws->ranges[last].start < start ? ws->ranges[last].start : start;
		end = ws->ranges[last].end > end ? ws->ranges[last].end : end;
	}
	if (last == first && ws->n_ranges == WORK_RANGES)
		return false;
	memmove(&ws->ranges[first + 1], &ws->ranges[last],
		(ws->n_ranges - last) * sizeof(ws->ranges[0]));
	ws->n_ranges = (uint8_t)(ws->n_ranges - (last - first) + 1);
	ws->ranges[first].start = start;
	ws->ranges[first].end = end;
	return true;
}

int pool_put(struct pool *pool, struct work *w, unsigned side, uint32_t offset, const uint8_t *data,
	     size_t len)
{
	struct work_side *ws = &w->side[side];
	uint32_t start = offset - ws->base;
	int r;

	/* sequence numbers are compared modulo 2^32; what lies before the base is known */
	if ((int32_t)start < 0) {
		if (len <= (size_t)(uint32_t)-start)
			return 0;
		data += (uint32_t)-start;
		len -= (uint32_t)-start;
		start = 0;
	}
	if (start >= OBSERVE_STREAM_MAX || len == 0)
		return 0;
	if (len > OBSERVE_STREAM_MAX - start)
		len = OBSERVE_STREAM_MAX - start;
	r = reserve(pool, w, side, start + len);
	if (r < 0)
		return r;
	if (add_range(ws, (uint16_t)start, (uint16_t)(start + len)))
		memcpy(ws->data + start, data, len);
	return 0;
}

void pool_consume(struct work_side *side, size_t n)
{
	size_t have = work_side_bytes(side).n, end;

	if (n > have)
		n = have;
	if (n == 0)
		return;
	end = side->ranges[side->n_ranges - 1].end;
	memmove(side->data, side->data + n, end - n);
	side->base += (uint32_t)n;
	side->shown = 0;
	for (unsigned i = 0; i < side->n_ranges; i++) {
		side->ranges[i].start = (uint16_t)(side->ranges[i].start - (i ? n : 0));
		side->ranges[i].end = (uint16_t)(side->ranges[i].end - n);
	}
	if (side->ranges[0].end == 0) {
		side->n_ranges--;
		memmove(&side->ranges[0], &side->ranges[1],
			side->n_ranges * sizeof(side->ranges[0]));
	}
}
