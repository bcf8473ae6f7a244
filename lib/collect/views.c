/* SPDX-License-Identifier: MIT */
/*
 * TCP and UDP sockets by each of the kernel's lists: sock_diag, the iterators, /proc/net. They show
 * the same hash tables; a socket that lasts and is in one and not in another means that something
 * edits what is read. Sockets come and go between readings, and the text tables may skip one while
 * others change: what differs is read again, and counts when it differs in the same way each time.
 *
 * Other network namespaces are compared by the thread that visits them, one after the other.
 *
 * What was found is recorded, not what was read: stream "views" of struct difference.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "bpf/iter.h"
#include "collect/collector.h"
#include "collect/netns.h"
#include "collect/rows.h"
#include "netlink/record.h"
#include "procfs/nettables.h"

#define STREAM "views"
#define READINGS 3
/* From here on a thread saves more than it costs. */
#define THREAD_PAYS 2000
#define N_VIEWS 3
/* What the iterators alone tell: rows that were listed by others get it here. */
#define MARKS (PV_CONV_KERNEL | PV_CONV_TLS)

/* One socket that lasts, as the views show it. */
struct sighting {
	struct pv_conversation row;
	uint8_t views;		/* JUDGE_VIEW_* of this reading */
	uint8_t shown, missing; /* in every reading so far */
};

struct sightings {
	struct collector *c;
	VEC(struct sighting) items;
	struct map by_inode;
	uint8_t view;	   /* the one being read */
	uint8_t available; /* those that can be read here */
	struct bpf_stats bpf;
	enum bpf_iter_kind kind;
};

/* As it is recorded. */
struct difference {
	struct pv_endpoint local, remote;
	uint32_t inode, uid;
	uint8_t family, proto, state, type;
	uint8_t shown, missing; /* missing 0: it has marks only */
	uint8_t marks, padding;
};

static struct difference difference_of(const struct sighting *s)
{
	return (struct difference){ .local = s->row.local,
				    .remote = s->row.remote,
				    .inode = s->row.inode,
				    .uid = s->row.uid,
				    .family = s->row.family,
				    .proto = s->row.proto,
				    .state = s->row.state,
				    .type = s->row.type,
				    .shown = s->shown,
				    .missing = s->missing,
				    .marks = s->row.flags & MARKS };
}

/* false for what no recording of ours holds */
static bool sighting_of(const struct difference *d, struct sighting *ret)
{
	*ret = (struct sighting){ .shown = d->shown & JUDGE_VIEWS,
				  .missing = d->missing & JUDGE_VIEWS };
	ret->row = (struct pv_conversation){ .local = d->local,
					     .remote = d->remote,
					     .inode = d->inode,
					     .uid = d->uid,
					     .family = d->family,
					     .proto = d->proto,
					     .state = d->state,
					     .type = d->type,
					     .flags = d->marks & MARKS };
	return (d->family == AF_INET || d->family == AF_INET6) && d->inode &&
	       (d->proto == PV_PROTO_TCP || d->proto == PV_PROTO_UDP) && d->state < PV_STATE_N &&
	       d->local.port <= UINT16_MAX && d->remote.port <= UINT16_MAX;
}

static void cleanup_sightings(struct sightings *v)
{
	vec_deinit(&v->items);
	map_deinit(&v->by_inode);
}

static bool is_lasting(const struct pv_conversation *row)
{
	if (!row->inode)
		return false;
	if (row->proto == PV_PROTO_UDP)
		return true;
	return row->state == PV_STATE_LISTEN || row->state == PV_STATE_ESTABLISHED ||
	       row->state == PV_STATE_CLOSE_WAIT;
}

static int see(void *userdata, const struct pv_conversation *row)
{
	struct sightings *v = userdata;
	struct sighting fresh = { .row = *row, .views = v->view };
	uint32_t old;
	int r;

	if (!is_lasting(row))
		return 0;
	r = map_insert(&v->by_inode, row->inode, (uint32_t)v->items.n, &old);
	if (r == 1) {
		v->items.items[old].views |= v->view;
		v->items.items[old].row.flags |= row->flags & MARKS;
	}
	if (r != 0)
		return r < 0 ? r : 0;
	fresh.row.detail = NULL;
	return vec_push(&v->items, fresh);
}

/* --- the three lists; a list that is refused here is not compared --- */

static int read_diag(struct sightings *v, struct tape *live, uint8_t proto)
{
	const uint8_t families[] = { AF_INET, AF_INET6 };
	struct sink sink = { .row = see, .userdata = v };
	_cleanup_(cleanup_fd) int fd = netlink_open();
	int r = fd < 0 ? fd : 0;

	for (size_t i = 0; r == 0 && i < 2; i++) {
		struct netlink_query q = { .proto = proto,
					   .family = families[i],
					   .states = PV_STATE_ALL };
		struct netlink_dump_result result = { 0 };

		r = netlink_read_sockets(live, fd, &q, 0, &sink, &result);
		if (r == NETLINK_REFUSED)
			r = result.error ? result.error : -EOPNOTSUPP;
	}
	return r;
}

static int see_chunk(void *userdata, const void *data, size_t len)
{
	struct sightings *v = userdata;
	struct sink sink = { .row = see, .userdata = v };

	return bpf_parse_sockets(data, len, v->kind, &sink, &v->bpf);
}

static int read_iterator(struct sightings *v, struct tape *live, uint8_t proto)
{
	_cleanup_(cleanup_bpf_iter) struct bpf_iter it = BPF_ITER_INIT;
	int *program = &v->c->view_programs[proto != PV_PROTO_TCP];
	int r = v->c->may_bpf ? 0 : -EPERM, fd;

	v->kind = proto == PV_PROTO_TCP ? BPF_KIND_TCP : BPF_KIND_UDP;
	/* loading takes longer than all the rest of a small namespace */
	if (r == 0 && !*program) {
		r = bpf_iter_load(v->kind, &fd);
		*program = r < 0 ? 0 : fd + 1;
	}
	if (r == 0)
		r = bpf_iter_attach(v->kind, *program - 1, &it);
	return r < 0 ? r : bpf_iter_read(live, &it, 0, see_chunk, v);
}

static int read_table(struct sightings *v, struct tape *live, uint8_t proto)
{
	struct sink sink = { .row = see, .userdata = v };
	struct procfs_table_stats stats;
	int r = procfs_read_table(live, (enum pv_proto)proto, AF_INET, &sink, &stats);

	/* without /proc there is no list, and no disagreement */
	if (r < 0)
		return r;
	r = procfs_read_table(live, (enum pv_proto)proto, AF_INET6, &sink, &stats);
	/* a kernel without IPv6 */
	return r == -ENOENT ? 0 : r;
}

static const struct {
	uint8_t view;
	int (*read)(struct sightings *v, struct tape *live, uint8_t proto);
} readers[N_VIEWS] = {
	{ JUDGE_VIEW_DIAG, read_diag },
	{ JUDGE_VIEW_ITERATOR, read_iterator },
	{ JUDGE_VIEW_TABLE, read_table },
};

/* Reads those of `views` that can be read here. */
static int read_views(struct sightings *v, uint8_t proto, uint8_t views)
{
	struct tape live = TAPE_INIT;

	live.procfd = v->c->tape.procfd;
	/* which tables of /proc are meant */
	memcpy(live.scope, v->c->tape.scope, sizeof(live.scope));
	for (size_t i = 0; i < N_VIEWS; i++) {
		int r;

		v->view = readers[i].view;
		if (!(v->available & views & v->view))
			continue;
		r = readers[i].read(v, &live, proto);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			v->available &= (uint8_t)~v->view;
	}
	return 0;
}

/* Keeps of what differed so far what differs now, too; true when something does. */
static bool settle(struct sightings *v, bool is_first)
{
	bool differs = false;

	for (size_t i = 0; i < v->items.n; i++) {
		struct sighting *s = &v->items.items[i];
		uint8_t missing = v->available & (uint8_t)~s->views;

		/* one that came since the first reading is new, one that left is gone */
		if (is_first) {
			s->shown = s->views;
			s->missing = missing;
		} else {
			s->shown &= s->views;
			s->missing &= missing;
		}
		if (!s->shown)
			s->missing = 0;
		differs = differs || s->missing;
		s->views = 0;
	}
	return differs;
}

/* Which list the rows of the snapshot came from; 0 = from several, or from none of these. */
static uint8_t view_of_rows(const struct pv_snapshot *s, uint8_t proto)
{
	for (size_t i = 0; i < s->sources.n; i++) {
		const struct pv_source *source = &s->sources.items[i];

		if (strcmp(source->name, pv_proto_name((enum pv_proto)proto)) != 0)
			continue;
		if (!strcmp(source->via, "bpf iterator"))
			return JUDGE_VIEW_ITERATOR;
		return !strcmp(source->via, "sock_diag") ? JUDGE_VIEW_DIAG : 0;
	}
	return 0;
}

/* What was listed anyway is the first reading of that list. */
static int see_rows(struct sightings *v, uint8_t proto, uint8_t view)
{
	const struct pv_snapshot *s = v->c->snapshot;
	int r = 0;

	v->view = view;
	for (size_t i = 0; r == 0 && view && i < s->n_rows; i++) {
		const struct pv_conversation *row = snapshot_row(s, i);

		if (row->proto == proto && row->netns == v->c->netns)
			r = see(v, row);
	}
	return r;
}

/* The lists that are not in the table, of which one may be the rows. */
static int read_others(struct sightings *v, uint8_t proto, uint8_t listed)
{
	int r = see_rows(v, proto, listed);

	return r == 0 ? read_views(v, proto, JUDGE_VIEWS & ~JUDGE_VIEW_TABLE & ~listed) : r;
}

/* Every list has been read once, the table apart from the others. */
static int compare(struct sightings *v, uint8_t proto, const struct sightings *table)
{
	int r = 0;

	v->view = JUDGE_VIEW_TABLE;
	v->available &= table->available;
	for (size_t i = 0; r == 0 && i < table->items.n; i++)
		r = see(v, &table->items.items[i].row);
	for (int i = 1; r == 0 && settle(v, i == 1) && i < READINGS; i++)
		r = read_views(v, proto, JUDGE_VIEWS);
	return r;
}

/* --- what becomes of it --- */

static int add_view(struct collector *c, uint32_t row, uint8_t shown, uint8_t missing)
{
	struct judge_view view = { .row = row, .shown = shown, .missing = missing };

	return vec_push(&c->views, view);
}

static int index_rows(const struct collector *c, struct map *rows)
{
	const struct pv_snapshot *s = c->snapshot;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_rows; i++) {
		const struct pv_conversation *row = snapshot_row(s, i);

		if (row->netns == c->netns && is_lasting(row))
			r = map_put(rows, row->inode, (uint32_t)i);
	}
	return r;
}

/* The row of a sighting; a socket that the list in use hides becomes one. */
static int row_of(struct collector *c, struct map *rows, const struct sighting *s,
		  uint32_t *ret_row)
{
	struct pv_conversation hidden = s->row;

	*ret_row = map_get(rows, s->row.inode);
	if (*ret_row != MAP_NONE)
		return 0;
	*ret_row = (uint32_t)c->snapshot->n_rows;
	hidden.netns = c->netns;
	return snapshot_add(c->snapshot, &hidden) ? 0 : -ENOMEM;
}

static int take_sighting(struct collector *c, struct map *rows, const struct sighting *s)
{
	uint32_t row = map_get(rows, s->row.inode);
	int r = s->missing ? row_of(c, rows, s, &row) : 0;

	/* what came after the listing and nobody hides is none of it */
	if (r < 0 || row == MAP_NONE)
		return r;
	snapshot_row(c->snapshot, row)->flags |= s->row.flags & MARKS;
	return s->missing ? add_view(c, row, s->shown, s->missing) : 0;
}

static int take_differences(struct collector *c, const struct sightings *v)
{
	_cleanup_(cleanup_map) struct map rows = MAP_INIT;
	int r = index_rows(c, &rows);

	for (size_t i = 0; r == 0 && i < v->items.n; i++) {
		const struct sighting *s = &v->items.items[i];
		struct difference d = difference_of(s);

		if (!s->missing && !(s->row.flags & PV_CONV_KERNEL))
			continue;
		r = take_sighting(c, &rows, s);
		if (r == 0)
			tape_stream_put(&c->tape, STREAM, &d, sizeof(d));
	}
	return r;
}

static int compare_views(const void *a, const void *b)
{
	const struct judge_view *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

static int replay(struct collector *c)
{
	_cleanup_(cleanup_map) struct map rows = MAP_INIT;
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct sighting s;
	struct difference d;
	int r = index_rows(c, &rows);

	/* a recording made without them has no differences */
	if (r < 0 || tape_stream_get(&c->tape, STREAM, &b) < 0)
		return r;
	for (size_t i = 0; r == 0 && b.len - i >= sizeof(d); i += sizeof(d)) {
		memcpy(&d, b.data + i, sizeof(d));
		if (sighting_of(&d, &s))
			r = take_sighting(c, &rows, &s);
	}
	return r;
}

static const uint8_t protos[] = { PV_PROTO_TCP, PV_PROTO_UDP };
#define N_PROTOS (sizeof(protos) / sizeof(*protos))

/* The readings, beside the listing of sockets where that pays. */
struct view_search {
	struct collector *c;
	pthread_t thread;
	bool is_threaded;
	int result;
	struct sightings tables[N_PROTOS], sightings[N_PROTOS];
};

static void *search_run(void *userdata)
{
	struct view_search *s = userdata;

	/* the table is what takes longest */
	for (size_t i = 0; s->result == 0 && i < N_PROTOS; i++)
		if (s->c->protos & PV_PROTO_BIT(protos[i]))
			s->result = read_views(&s->tables[i], protos[i], JUDGE_VIEW_TABLE);
	return NULL;
}

static void search_free(struct view_search *s)
{
	for (size_t i = 0; i < N_PROTOS; i++) {
		cleanup_sightings(&s->tables[i]);
		cleanup_sightings(&s->sightings[i]);
	}
	free(s);
}

static struct view_search *search_new(struct collector *c)
{
	struct view_search *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->c = c;
	for (size_t i = 0; i < N_PROTOS; i++) {
		s->tables[i].c = s->sightings[i].c = c;
		s->tables[i].available = s->sightings[i].available = JUDGE_VIEWS;
	}
	return s;
}

int collect_views_start(struct collector *c, struct view_search **ret)
{
	struct view_search *s;

	*ret = NULL;
	if (!(c->needs & PV_NEED_VERDICT) || !collect_netns_has_own(c) ||
	    c->tape.mode == TAPE_REPLAY)
		return 0;
	s = search_new(c);
	if (!s)
		return -ENOMEM;
	if (c->tape.mode == TAPE_LIVE && c->n_sockets >= THREAD_PAYS)
		s->is_threaded = thread_start(&s->thread, 0, search_run, s) == 0;
	*ret = s;
	return 0;
}

/* `is_own`: of our namespace, whose rows are known to be of one list. */
static int take_all(struct collector *c, struct view_search *s, bool is_own)
{
	int r = tape_stream_put(&c->tape, STREAM, "", 0);

	for (size_t i = 0; r == 0 && i < N_PROTOS; i++)
		if (c->protos & PV_PROTO_BIT(protos[i]))
			r = read_others(&s->sightings[i], protos[i],
					is_own ? view_of_rows(c->snapshot, protos[i]) : 0);
	if (s->is_threaded)
		pthread_join(s->thread, NULL);
	else
		search_run(s);
	r = r < 0 ? r : s->result;
	for (size_t i = 0; r == 0 && i < N_PROTOS; i++) {
		if (c->protos & PV_PROTO_BIT(protos[i]))
			r = compare(&s->sightings[i], protos[i], &s->tables[i]);
		if (r == 0)
			r = take_differences(c, &s->sightings[i]);
	}
	search_free(s);
	return r;
}

void collect_views_close(struct collector *c)
{
	for (size_t i = 0; i < N_PROTOS; i++)
		close_fd(c->view_programs[i] - 1);
	vec_deinit(&c->views);
}

int collect_views_of_visited(struct collector *c)
{
	struct view_search *s;

	if (!(c->needs & PV_NEED_VERDICT))
		return 0;
	if (c->tape.mode == TAPE_REPLAY)
		return replay(c);
	s = search_new(c);
	return s ? take_all(c, s, false) : -ENOMEM;
}

int collect_views_finish(struct collector *c, struct view_search *s)
{
	int r = 0;

	if (s)
		r = take_all(c, s, true);
	else if (c->tape.mode == TAPE_REPLAY && c->needs & PV_NEED_VERDICT)
		r = replay(c);
	if (r == 0 && c->views.n)
		qsort(c->views.items, c->views.n, sizeof(*c->views.items), compare_views);
	return r;
}
