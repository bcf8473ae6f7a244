/* SPDX-License-Identifier: MIT */
/* Which rows are written, in which order. Sorting is stable: equal rows stay as they were. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "ui/render/render-internal.h"

static bool is_listener(const struct pv_conversation *c)
{
	if (c->state == PV_STATE_LISTEN || c->direction == PV_DIR_LISTEN)
		return true;
	return (c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE) &&
	       c->state == PV_STATE_CLOSE && c->local.port && !c->remote.port;
}

/* One pass: listeners from the left, the rest from the right, which is then turned round. */
static void listeners_first(struct render *r)
{
	size_t left = 0, right = r->n_rows;

	for (size_t i = 0; i < r->n_rows; i++) {
		bool first = is_listener(pv_snapshot_get(r->snapshot, i));

		r->order[first ? left++ : --right] = (uint32_t)i;
	}
	for (right = r->n_rows; left + 1 < right; left++) {
		uint32_t swap = r->order[left];

		r->order[left] = r->order[--right];
		r->order[right] = swap;
	}
}

static void omit_rows(struct render *r)
{
	size_t kept = 0;

	for (size_t i = 0; r->options->omit && i < r->n_rows; i++)
		if (!r->options->omit[r->order[i]])
			r->order[kept++] = r->order[i];
	if (r->options->omit)
		r->n_rows = kept;
}

static int compare_by_key(const struct render *r, const struct sort_key *key,
			  const struct pv_conversation *a, const struct pv_conversation *b)
{
	struct cell x = { 0 }, y = { 0 };
	int d;

	key->column->get(key->column, &r->context, a, &x);
	key->column->get(key->column, &r->context, b, &y);
	d = cell_compare(&x, &y);
	/* what is not known stays last in either direction */
	return key->descending && x.type != CELL_NULL && y.type != CELL_NULL ? -d : d;
}

static int compare_rows(const void *pa, const void *pb, void *userdata)
{
	const struct render *r = userdata;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	const struct pv_conversation *x = pv_snapshot_get(r->snapshot, a);
	const struct pv_conversation *y = pv_snapshot_get(r->snapshot, b);

	for (size_t i = 0; i < r->options->n_sort; i++) {
		int d = compare_by_key(r, &r->options->sort[i], x, y);

		if (d)
			return d;
	}
	return (a > b) - (a < b);
}

/*
 * Of two ends the one that opened the conversation is kept, so that the row reads from client to
 * server; without a direction the first.
 */
static bool is_second_end(const struct pv_conversation *c, const struct pv_conversation *peer,
			  uint32_t index, uint32_t peer_index)
{
	bool c_opened = c->direction == PV_DIR_OUTGOING;
	bool peer_opened = peer->direction == PV_DIR_OUTGOING;

	return c_opened != peer_opened ? peer_opened : peer_index < index;
}

static int merge_pairs(struct render *r)
{
	_cleanup_(cleanup_map) struct map shown = MAP_INIT;
	size_t kept = 0;
	int e = map_reserve(&shown, r->n_rows);

	for (size_t i = 0; e >= 0 && i < r->n_rows; i++)
		e = map_put(&shown, (uintptr_t)pv_snapshot_get(r->snapshot, i), (uint32_t)i);
	if (e < 0)
		return e;
	for (size_t i = 0; i < r->n_rows; i++) {
		const struct pv_conversation *c = render_row(r, i);
		const struct pv_conversation *peer = pv_snapshot_peer(r->snapshot, c);
		/* several clients may have one peer: only what is mutual is a pair */
		bool mutual = peer && peer != c && pv_snapshot_peer(r->snapshot, peer) == c;
		uint32_t other = mutual ? map_get(&shown, (uintptr_t)peer) : MAP_NONE;

		if (other == MAP_NONE || !is_second_end(c, peer, r->order[i], other))
			r->order[kept++] = r->order[i];
	}
	r->n_rows = kept;
	return 0;
}

int render_make_order(struct render *r)
{
	r->n_rows = pv_snapshot_count(r->snapshot);
	r->order = malloc(r->n_rows ? r->n_rows * sizeof(*r->order) : 1);
	if (!r->order)
		return -ENOMEM;
	listeners_first(r);
	omit_rows(r);
	if (r->options->n_sort)
		qsort_r(r->order, r->n_rows, sizeof(*r->order), compare_rows, r);
	return r->options->pairs ? merge_pairs(r) : 0;
}
