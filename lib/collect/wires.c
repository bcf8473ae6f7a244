/* SPDX-License-Identifier: MIT */
/*
 * Which namespace holds the far end of each pair of links. The kernel tells its number there, and
 * numbers repeat; but it also tells how one namespace numbers another, which is asked of those
 * alone that have a link of the right number.
 */
#include <errno.h>
#include <linux/netlink.h>

#include "base/cleanup.h"
#include "collect/netns.h"
#include "collect/network.h"

#define STREAM "nsids"

/* How the namespace that is being visited numbers another one; so it is recorded. */
struct numbering {
	uint64_t inode;
	int64_t nsid;
};

struct inquiry {
	struct collector *parent;
	int fd; /* rtnetlink there; -1 = not open */
	VEC(struct numbering) known;
};

static bool find_known(const struct inquiry *q, uint64_t inode, int64_t *ret_nsid)
{
	for (size_t i = 0; i < q->known.n; i++)
		if (q->known.items[i].inode == inode) {
			*ret_nsid = q->known.items[i].nsid;
			return true;
		}
	return false;
}

static int read_known(struct inquiry *q, struct tape *t)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct numbering n;
	int r = 0;

	if (t->mode != TAPE_REPLAY || tape_stream_get(t, STREAM, &b) < 0)
		return 0;
	for (size_t at = 0; r == 0 && b.len - at >= sizeof(n); at += sizeof(n)) {
		memcpy(&n, b.data + at, sizeof(n));
		r = vec_push(&q->known, n);
	}
	return r;
}

/* 0 and the number; -ENODATA where it cannot be had; -ENOMEM. */
static int ask(struct inquiry *q, struct tape *t, uint32_t netns, int64_t *ret_nsid)
{
	struct numbering n = { .inode = collect_netns_inode(q->parent, netns) };
	_cleanup_(cleanup_fd) int fd = -1;
	int32_t nsid;

	if (find_known(q, n.inode, ret_nsid))
		return 0;
	if (t->mode == TAPE_REPLAY)
		return -ENODATA;
	if (q->fd < 0)
		q->fd = netlink_open_family(NETLINK_ROUTE);
	fd = q->fd < 0 ? -1 : collect_netns_fd(q->parent, netns);
	if (fd < 0 || link_nsid_get(q->fd, fd, &nsid) < 0)
		return -ENODATA;
	*ret_nsid = n.nsid = nsid;
	tape_stream_put(t, STREAM, &n, sizeof(n));
	return vec_push(&q->known, n);
}

static bool is_open_end(const struct network_link *l)
{
	return l->entry.peer_nsid >= 0 && l->peer_netns == NETWORK_UNKNOWN;
}

/* Candidates that could not be asked about leave it open. */
static int resolve(struct inquiry *q, struct tape *t, struct network *n, uint32_t i)
{
	struct network_link *l = &n->links.items[i];
	bool is_doubtful = false;

	for (uint32_t k = network_first_end(n, l->entry.peer, l->entry.index); k != MAP_NONE;
	     k = n->next_ends.items[k]) {
		struct network_link *other = &n->links.items[k];
		int64_t nsid;
		int r;

		if (!network_may_be_pair(l, other))
			continue;
		r = ask(q, t, other->netns, &nsid);
		if (r == -ENOMEM)
			return r;
		if (r == 0 && nsid == l->entry.peer_nsid) {
			l->peer_netns = other->netns;
			other->peer_netns = l->netns;
			return 0;
		}
		is_doubtful |= r < 0;
	}
	if (!is_doubtful)
		l->peer_netns = NETWORK_ELSEWHERE;
	return 0;
}

static int resolve_place(struct collector *guest, void *userdata)
{
	struct network *n = guest->network;
	const struct network_place *place = &n->places.items[guest->netns];
	struct inquiry *q = userdata;
	int r = read_known(q, &guest->tape);

	for (size_t i = 0; r == 0 && i < place->n_links; i++)
		if (is_open_end(&n->links.items[place->first_link + i]))
			r = resolve(q, &guest->tape, n, (uint32_t)(place->first_link + i));
	close_fd(q->fd);
	vec_deinit(&q->known);
	return r;
}

static bool has_open_ends(const struct network *n, const struct network_place *place)
{
	for (size_t i = 0; i < place->n_links; i++)
		if (is_open_end(&n->links.items[place->first_link + i]))
			return true;
	return false;
}

int collect_wires(struct collector *c)
{
	struct network *n = c->network;
	int r = collect_netns_between(c);

	if (r == 0)
		r = network_index_links(n);
	for (uint32_t i = 0; r == 0 && i < n->places.n; i++) {
		struct inquiry q = { .parent = c, .fd = -1 };

		if (!has_open_ends(n, &n->places.items[i]))
			continue;
		r = collect_netns_visit(c, i, resolve_place, &q);
		r = r == -ENOMEM ? r : 0;
	}
	return r;
}
