/* SPDX-License-Identifier: MIT */
#include "collect/rows.h"

#include <errno.h>

#include "collect/netns.h"
#include "collect/tuple.h"

/* Slots are fetched this many rows ahead: the table is larger than the caches. */
#define AHEAD 12

/* A socket without a cookie comes from a text table: its inode, or its tuple, has to do. */
static uint64_t key_without_cookie(const struct pv_conversation *row)
{
	uint64_t h = map_mix(UINT64_C(0x8000000000000000) | row->proto, row->family);

	if (row->inode)
		return map_mix(h, row->inode) | UINT64_C(1) << 63;
	h = tuple_endpoint_hash(h, row->family, &row->local);
	return tuple_endpoint_hash(h, row->family, &row->remote) | UINT64_C(1) << 63;
}

static uint64_t key_of(const struct pv_conversation *row)
{
	return row->cookie ? row->cookie : key_without_cookie(row);
}

static int add_details(struct collector *c, uint32_t number, const struct pv_conversation *row)
{
	struct pv_conversation *old = snapshot_row(c->snapshot, number);

	if (old->detail || !row->detail)
		return 0;
	old->detail = snapshot_detail(c->snapshot, row->detail);
	if (!old->detail)
		return -ENOMEM;
	old->timer = row->timer;
	old->timer_ms = row->timer_ms;
	old->retrans = row->retrans;
	return 0;
}

static bool may_last(const struct pv_conversation *row)
{
	return row->state != PV_STATE_TIME_WAIT && row->state != PV_STATE_SYN_RECV;
}

/* unix sockets that wait to be accepted have neither cookie nor inode in a text table */
static bool has_identity(const struct pv_conversation *row)
{
	return row->cookie || row->inode || pv_proto_is_inet(row->proto);
}

/* 0: not met before, the row gets that number; 1: met, and merged; -ENOMEM. */
static int enter(struct rows *rows, const struct pv_conversation *row, size_t number)
{
	uint32_t old;
	int r = 0;

	/* a text table that names an inode twice lies about one of them: both are shown */
	if (!(row->flags & PV_CONV_INODE_TWICE) && has_identity(row))
		r = map_insert(&rows->c->by_cookie, key_of(row), (uint32_t)number, &old);
	if (r == 0)
		rows->n_late += may_last(row);
	else if (r == 1 && add_details(rows->c, old, row) < 0)
		r = -ENOMEM;
	return r;
}

static int append(void *userdata, const struct pv_conversation *row)
{
	struct collector *c = ((struct rows *)userdata)->c;
	struct pv_snapshot *s = c->snapshot;
	struct pv_conversation *added;

	if (s->n_rows >= MAP_NONE - 1)
		return -EOVERFLOW;
	added = snapshot_add(s, row);
	if (!added)
		return -ENOMEM;
	added->netns = c->netns;
	/* the kernel forgets the user with the socket, and says 0 of what is left (tcp_diag.c) */
	if (added->state == PV_STATE_TIME_WAIT)
		added->uid = UINT32_MAX;
	return 0;
}

static int merge(void *userdata, const struct pv_conversation *row)
{
	struct rows *rows = userdata;
	int r = collect_is_own_socket(rows->c, row) ? 1
						    : enter(rows, row, rows->c->snapshot->n_rows);

	if (r != 0)
		return r < 0 ? r : 0;
	r = append(rows, row);
	rows->c->n_indexed = rows->c->snapshot->n_rows;
	return r;
}

struct sink rows_merge_sink(struct rows *rows)
{
	return (struct sink){ .row = merge, .userdata = rows };
}

struct sink rows_append_sink(struct rows *rows)
{
	return (struct sink){ .row = append, .userdata = rows };
}

int rows_index(struct rows *rows)
{
	struct pv_snapshot *s = rows->c->snapshot;
	size_t first = rows->c->n_indexed, kept = first;
	int r = map_reserve(&rows->c->by_cookie, s->n_rows);

	for (size_t i = first; r >= 0 && i < s->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(s, i);

		if (i + AHEAD < s->n_rows)
			map_prefetch(&rows->c->by_cookie, snapshot_row(s, i + AHEAD)->cookie);
		r = enter(rows, row, kept);
		if (r != 0)
			continue;
		if (kept != i)
			*snapshot_row(s, kept) = *row;
		kept++;
	}
	s->n_rows = rows->c->n_indexed = kept;
	return r < 0 ? r : 0;
}
