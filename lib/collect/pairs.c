/* SPDX-License-Identifier: MIT */
/*
 * Both ends on this host: a mirrored tuple of the same protocol in the same network namespace, or a
 * UNIX socket's peer by inode. Where several rows share a tuple (SO_REUSEPORT) no end is named.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "collect/collector.h"
#include "collect/tuple.h"

static bool can_pair(const struct pv_conversation *c)
{
	return c->proto <= PV_PROTO_DCCP && c->remote.port && c->state != PV_STATE_LISTEN;
}

static uint64_t hash_pair(const struct pv_conversation *c, const struct pv_endpoint *first,
			  const struct pv_endpoint *second)
{
	uint64_t h = map_mix(c->netns, c->proto);

	h = tuple_endpoint_hash(h, c->family, first);
	return tuple_endpoint_hash(h, c->family, second);
}

static bool is_mirrored(const struct pv_conversation *a, const struct pv_conversation *b)
{
	return a->netns == b->netns && a->proto == b->proto &&
	       tuple_endpoint_equal(a->family, &a->local, b->family, &b->remote) &&
	       tuple_endpoint_equal(a->family, &a->remote, b->family, &b->local);
}

#define AMBIGUOUS (MAP_NONE - 1)

static int index_rows(const struct collector *c, struct map *tuples, struct map *inodes)
{
	const struct pv_snapshot *s = c->snapshot;
	int r = map_reserve(tuples, s->n_rows);

	for (size_t i = 0; r >= 0 && i < s->n_rows; i++) {
		const struct pv_conversation *row = snapshot_row(s, i);
		uint32_t old;

		if (row->proto == PV_PROTO_UNIX && row->inode) {
			r = map_put(inodes, row->inode, (uint32_t)i);
		} else if (can_pair(row)) {
			uint64_t key = hash_pair(row, &row->local, &row->remote);

			r = map_insert(tuples, key, (uint32_t)i, &old);
			if (r == 1)
				r = map_put(tuples, key, AMBIGUOUS);
		}
	}
	return r < 0 ? r : 0;
}

static uint32_t find_peer(const struct pv_snapshot *s, const struct pv_conversation *row,
			  const struct map *tuples, const struct map *inodes)
{
	uint32_t i = MAP_NONE;

	if (row->proto == PV_PROTO_UNIX)
		return row->peer_inode ? map_get(inodes, row->peer_inode) : MAP_NONE;
	if (can_pair(row))
		i = map_get(tuples, hash_pair(row, &row->remote, &row->local));
	if (i >= AMBIGUOUS || !is_mirrored(row, snapshot_row(s, i)))
		return MAP_NONE;
	return i;
}

int collect_pairs(struct collector *c)
{
	_cleanup_(cleanup_map) struct map tuples = MAP_INIT, inodes = MAP_INIT;
	int r = index_rows(c, &tuples, &inodes);

	if (r < 0)
		return r;
	for (size_t i = 0; i < c->snapshot->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(c->snapshot, i);
		uint32_t peer = find_peer(c->snapshot, row, &tuples, &inodes);

		/* a socket connected to itself (TCP self-connect) is its own other end: no peer */
		if (peer != MAP_NONE && peer != i)
			row->peer = peer + 1;
	}
	return 0;
}
