/* SPDX-License-Identifier: MIT */
/*
 * Other network namespaces than the caller's. A thread that lives for one collection enters each in
 * turn, lists its sockets and reads its facts with a collector of its own; the thread's end leaves
 * them all, so the caller's threads are never moved. Rows of one namespace lie together.
 */
#include "collect/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "collect/network.h"
#include "collect/rows.h"
#include "model/owner_record.h"
#include "netlink/transport.h"
#include "procfs/netns.h"

#define NAMES_DIR "/run/netns"
/* Of namespaces that could not be entered, so many are named in the coverage. */
#define NAMED_MAX 100
#define NOT_VISITED 1

/* One that was asked for; its number in the snapshot is its place here. */
struct entry {
	size_t item; /* of the list */
	int error;   /* why it was not entered, 0 = it was, or NOT_VISITED */
};

struct netns_work {
	struct procfs_netns_list list;
	VEC(struct entry) entries;
	size_t n_visited;
	bool is_all;
	bool wants_own;
	bool knows_sockets; /* those that only sockets keep were looked for */
	int home;	    /* the caller's, to go back to; -1 = never left */
	int diag_fd;	    /* the last one asked for by collect_netns_diag() */
	uint32_t diag_netns;
};

bool collect_netns_is_wanted(const struct collector *c)
{
	return c->request->netns && *c->request->netns;
}

void collect_netns_free(struct netns_work *w)
{
	if (!w)
		return;
	procfs_netns_list_deinit(&w->list);
	vec_deinit(&w->entries);
	close_fd(w->home);
	close_fd(w->diag_fd);
	free(w);
}

bool collect_netns_has_own(const struct collector *c)
{
	return !c->others || c->others->wants_own;
}

/* ---- what is asked for ---- */

static bool is_number(const char *text, int32_t *ret_number)
{
	int64_t n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || n > INT32_MAX)
			return false;
		n = n * 10 + (*p - '0');
	}
	*ret_number = (int32_t)n;
	return *text && n > 0 && n <= INT32_MAX;
}

static bool is_called(const struct procfs_netns *n, const char *name)
{
	/* of an id's digits, so many are taken for it everywhere */
	size_t len = strlen(name);

	if (n->name && !strcmp(n->name, name))
		return true;
	return n->container &&
	       (!strcmp(n->container, name) || (len >= 12 && !strncmp(n->container, name, len)));
}

static int find_name(const struct procfs_netns_list *list, const char *name, size_t *ret_item)
{
	for (size_t i = 0; i < list->items.n; i++)
		if (is_called(&list->items.items[i], name)) {
			*ret_item = i;
			return 0;
		}
	return -ENXIO;
}

static int find_inode(const struct procfs_netns_list *list, uint64_t inode, size_t *ret_item)
{
	const struct procfs_netns *n = procfs_netns_get(list, inode);

	if (!n)
		return -ENXIO;
	*ret_item = (size_t)(n - list->items.items);
	return 0;
}

/* A path may lead to one that nothing else does. */
static int find_path(struct collector *c, struct procfs_netns_list *list, const char *path,
		     size_t *ret_item)
{
	uint64_t inode = 0;
	int r;

	for (size_t i = 0; i < list->items.n; i++)
		if (list->items.items[i].mount && !strcmp(list->items.items[i].mount, path)) {
			*ret_item = i;
			return 0;
		}
	if (c->tape.mode == TAPE_REPLAY)
		return -ENXIO;
	r = procfs_netns_at(path, &inode);
	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? -ENXIO : r;
	r = procfs_netns_add_path(list, inode, path);
	return r < 0 ? r : find_inode(list, inode, ret_item);
}

static int find_pid(struct collector *c, const struct procfs_netns_list *list, int32_t pid,
		    size_t *ret_item)
{
	uint64_t inode;
	int r = procfs_netns_of(&c->tape, pid, &inode);

	/* a recording that was not asked for this process knows one a namespace */
	for (size_t i = 0; r == -ENODATA && i < list->items.n; i++)
		if (list->items.items[i].pid == pid) {
			*ret_item = i;
			return 0;
		}
	if (r < 0)
		return r == -ENOENT || r == -ENODATA ? -ENXIO : r;
	return find_inode(list, inode, ret_item);
}

/* A name that is a second one for what has another is found by its path. */
static int find_alias(struct collector *c, struct procfs_netns_list *list, const char *name,
		      size_t *ret_item)
{
	_cleanup_(cleanup_buf) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s", NAMES_DIR, name);
	return buf_str(&path) ? find_path(c, list, path.data, ret_item) : -ENOMEM;
}

static int find(struct collector *c, struct procfs_netns_list *list, const char *what,
		size_t *ret_item)
{
	uint64_t inode;
	int32_t pid;
	int r;

	if (is_number(what, &pid))
		return find_pid(c, list, pid, ret_item);
	if (strchr(what, '/'))
		return find_path(c, list, what, ret_item);
	if (procfs_netns_link_parse(what, strlen(what), &inode))
		return find_inode(list, inode, ret_item);
	r = find_name(list, what, ret_item);
	return r == -ENXIO ? find_alias(c, list, what, ret_item) : r;
}

/* ---- the table ---- */

static int put_text(struct pv_snapshot *s, struct pv_bytes *to, const char *text)
{
	return text ? snapshot_bytes(s, to, text, strlen(text)) : 0;
}

static int fill(struct pv_snapshot *s, struct pv_netns *n, const struct procfs_netns *found)
{
	int r;

	n->name_by = (uint8_t)found->by;
	n->pid = found->pid;
	r = put_text(s, &n->name, found->name);
	if (r == 0)
		r = put_text(s, &n->runtime, found->runtime);
	return r == 0 ? put_text(s, &n->container, found->container) : r;
}

static int enter_item(struct collector *c, struct netns_work *w, size_t item)
{
	const struct procfs_netns *found = &w->list.items.items[item];
	struct pv_netns n = { .inode = found->inode };

	for (size_t i = 0; i < w->entries.n; i++)
		if (w->entries.items[i].item == item)
			return 0;
	if (fill(c->snapshot, &n, found) < 0 ||
	    vec_push(&w->entries, ((struct entry){ .item = item, .error = NOT_VISITED })) < 0)
		return -ENOMEM;
	return vec_push(&c->snapshot->netns, n);
}

static int select_item(struct collector *c, struct netns_work *w, const char *what)
{
	size_t item = 0;
	int r;

	if (!strcmp(what, "all")) {
		w->is_all = w->wants_own = true;
		for (size_t i = 1; i < w->list.items.n; i++)
			if (enter_item(c, w, i) < 0)
				return -ENOMEM;
		return 0;
	}
	r = find(c, &w->list, what, &item);
	if (r < 0)
		return r;
	w->wants_own |= item == 0;
	return enter_item(c, w, item);
}

static int select_items(struct collector *c, struct netns_work *w)
{
	_cleanup_(cleanup_free) char *text = strdup(c->request->netns);
	char *rest = text, *what;
	int r = text ? 0 : -ENOMEM;

	while (r == 0 && (what = strsep(&rest, ",")))
		if (*what)
			r = select_item(c, w, what);
	/* commas alone name none, which is not an empty list of sockets */
	return r == 0 && !w->is_all && !w->wants_own && w->entries.n == 1 ? -ENXIO : r;
}

/* A recording of one namespace: that one is known. */
static int list_unrecorded(struct collector *c, struct netns_work *w)
{
	struct procfs_netns own = { .inode = c->snapshot->netns.items[0].inode, .fd = -1 };

	if (vec_push(&w->list.items, own) < 0)
		return -ENOMEM;
	return snapshot_add_gap(c->snapshot, PV_GAP_NOT_RECORDED, 1, "other network namespaces");
}

int collect_netns_open(struct collector *c)
{
	struct netns_work *w = calloc(1, sizeof(*w));
	struct pv_netns *own = &c->snapshot->netns.items[0];
	int r;

	c->others = w;
	if (!w)
		return -ENOMEM;
	w->home = w->diag_fd = -1;
	r = procfs_netns_list(&c->tape, own->inode, NAMES_DIR, &w->list);
	if (r == -ENODATA)
		r = list_unrecorded(c, w);
	if (r < 0)
		return r;
	/* the caller's own is number 0, asked for or not */
	if (vec_push(&w->entries, (struct entry){ 0 }) < 0)
		return -ENOMEM;
	r = fill(c->snapshot, own, &w->list.items.items[0]);
	if (r == 0)
		r = select_items(c, w);
	c->snapshot->netns.items[0].is_read = w->wants_own;
	return r;
}

/* ---- the thread ---- */

struct thread_call {
	struct collector *c;
	int (*run)(struct collector *c);
	int result;
};

static void *thread_main(void *userdata)
{
	struct thread_call *call = userdata;

	call->result = call->run(call->c);
	return NULL;
}

int collect_netns_thread(struct collector *c, int (*run)(struct collector *c))
{
	struct thread_call call = { .c = c, .run = run };
	pthread_t thread;
	int r;

	if (c->tape.mode == TAPE_REPLAY)
		return run(c);
	r = thread_start(&thread, 0, thread_main, &call);
	if (r < 0)
		return r;
	pthread_join(thread, NULL);
	return call.result;
}

static int enter(struct collector *c, const struct procfs_netns *n)
{
	_cleanup_(cleanup_fd) int fd = procfs_netns_open(&c->tape, n);

	if (fd < 0)
		return fd;
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static void go_home(const struct netns_work *w)
{
	/* it fails only where entering others did */
	if (w->home >= 0)
		(void)setns(w->home, CLONE_NEWNET);
}

/* ---- our own sockets ---- */

static void note_self(struct collector *c)
{
	struct stat st;
	uint32_t inode;

	if (fstat(c->diag_fd, &st) < 0 || c->n_self == COLLECTOR_SELF_MAX)
		return;
	inode = (uint32_t)st.st_ino;
	c->self[c->n_self++] = inode;
	tape_stream_put(&c->tape, "self", &inode, sizeof(inode));
}

static void read_self(struct collector *c)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (c->tape.mode != TAPE_REPLAY || tape_stream_get(&c->tape, "self", &b) < 0)
		return;
	c->n_self = b.len / sizeof(c->self[0]);
	if (c->n_self > COLLECTOR_SELF_MAX)
		c->n_self = COLLECTOR_SELF_MAX;
	memcpy(c->self, b.data, c->n_self * sizeof(c->self[0]));
}

void collect_diag_open(struct collector *c)
{
	if (c->diag_fd >= 0 || c->tape.mode == TAPE_REPLAY)
		return;
	c->diag_fd = netlink_open();
	if (c->diag_fd >= 0 && c->netns)
		note_self(c);
}

bool collect_is_own_socket(const struct collector *c, const struct pv_conversation *row)
{
	if (row->proto != PV_PROTO_NETLINK || !row->inode)
		return false;
	for (size_t i = 0; i < c->n_self; i++)
		if (c->self[i] == row->inode)
			return true;
	return false;
}

/* ---- visits ---- */

/* Rows of this namespace get a map by cookie of their own: before Linux 5.4 cookies repeat. */
static int list_sockets(struct collector *c)
{
	size_t first = c->snapshot->n_rows;
	struct rows rows = { .c = c };
	int r = collect_sockets(c);

	if (r == 0 && c->lacks_idle)
		r = collect_idle_sockets(c);
	if (r == 0)
		r = collect_views_of_visited(c);
	if (r == 0)
		r = rows_index(&rows);
	return r < 0 ? r : collect_ifnames_of(c, first);
}

static int visit_entered(struct collector *c)
{
	struct pv_netns *n = &c->snapshot->netns.items[c->netns];
	int r = tape_stream_put(&c->tape, "enter", "", 0);

	read_self(c);
	n->is_read = true;
	if (r == 0)
		r = collect_netns_facts(c, n);
	if (r == 0)
		r = list_sockets(c);
	return r == 0 && c->network ? collect_network(c) : r;
}

/* A recording says at once why nothing of it follows. */
static int try_to_enter(struct collector *c, const struct procfs_netns *n)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r;

	if (c->tape.mode == TAPE_REPLAY)
		return tape_stream_get(&c->tape, "enter", &b);
	r = enter(c, n);
	if (r < 0)
		tape_stream_fail(&c->tape, "enter", r);
	return r;
}

static const struct procfs_netns *item_of(const struct collector *c, uint32_t number)
{
	return &c->others->list.items.items[c->others->entries.items[number].item];
}

/* A collector for what is read there; end_visit() in any case. */
static struct collector begin_visit(struct collector *parent, uint32_t number)
{
	struct collector c = *parent;

	c.netns = number;
	c.diag_fd = -1;
	c.by_cookie = (struct map)MAP_INIT;
	c.n_indexed = c.snapshot->n_rows;
	c.lacks_idle = false;
	c.n_self = 0;
	tape_scope(&parent->tape, item_of(parent, number)->inode, &c.tape);
	return c;
}

static void end_visit(struct collector *parent, struct collector *c)
{
	memcpy(&parent->views, &c->views, sizeof(c->views));
	memcpy(parent->view_programs, c->view_programs, sizeof(c->view_programs));
	map_deinit(&c->by_cookie);
	close_fd(c->diag_fd);
	tape_scope_close(&c->tape, &parent->tape);
}

static int visit(struct collector *parent, uint32_t number)
{
	struct entry *e = &parent->others->entries.items[number];
	const struct procfs_netns *n = item_of(parent, number);
	struct collector c;
	int r = 0;

	e->error = n->inode ? 0 : -ENXIO;
	if (e->error)
		return 0;
	c = begin_visit(parent, number);
	e->error = try_to_enter(&c, n);
	if (e->error == 0)
		r = visit_entered(&c);
	end_visit(parent, &c);
	return r;
}

/* To go back to; to be found before the thread leaves it. */
static void note_home(struct collector *c)
{
	if (c->tape.mode != TAPE_REPLAY && c->others->home < 0)
		c->others->home =
			openat(c->tape.procfd, "thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* Owners are looked up by cookie over all rows. A kernel that repeats cookies gives none of them to
 * the search for owners (no BPF before 5.15). */
static int index_rows(struct collector *c)
{
	struct pv_snapshot *s = c->snapshot;
	uint32_t old;
	int r = map_reserve(&c->by_cookie, s->n_rows);

	for (size_t i = c->n_indexed; r >= 0 && i < s->n_rows; i++)
		if (snapshot_row(s, i)->cookie)
			r = map_insert(&c->by_cookie, snapshot_row(s, i)->cookie, (uint32_t)i,
				       &old);
	c->n_indexed = s->n_rows;
	return r < 0 ? r : 0;
}

int collect_netns_sockets(struct collector *c)
{
	struct netns_work *w = c->others;
	struct rows rows = { .c = c };
	int r = rows_index(&rows);

	if (w->n_visited == w->entries.n)
		return r;
	if (c->tape.mode != TAPE_REPLAY && w->home < 0) {
		/* questions about our own rows come later, when the thread may be elsewhere */
		collect_diag_open(c);
		note_home(c);
	}
	for (; r == 0 && w->n_visited < w->entries.n; w->n_visited++)
		if (w->n_visited)
			r = visit(c, (uint32_t)w->n_visited);
	go_home(w);
	return r == 0 ? index_rows(c) : r;
}

bool collect_netns_wants_held(const struct collector *c)
{
	return c->others && c->others->is_all;
}

/* A descriptor of a namespace is easier to follow than a socket in it: those come first. */
static int add_held(struct collector *c, const struct owner_record *r, bool is_socket)
{
	struct netns_work *w = c->others;
	int e;

	if (!(r->flags & OWNER_NETNS_SOCKET) == is_socket)
		return 0;
	e = procfs_netns_add_descriptor(&w->list, r->inode, r->pid, r->fd, is_socket);
	return e ? (e < 0 ? e : 0) : enter_item(c, w, w->list.items.n - 1);
}

int collect_netns_held(struct collector *c, const struct owner_search *search)
{
	size_t n;
	const struct owner_record *held =
		collect_owners_held(search, &n, &c->others->knows_sockets);
	int r = 0;

	for (size_t i = 0; r == 0 && i < 2 * n; i++)
		r = add_held(c, &held[i % n], i >= n);
	return r == 0 ? collect_netns_sockets(c) : r;
}

int collect_netns_diag(struct collector *c, uint32_t netns)
{
	struct netns_work *w = c->others;
	int r;

	if (!netns || !w || netns >= w->entries.n)
		return c->diag_fd;
	if (w->diag_fd >= 0 && w->diag_netns == netns)
		return w->diag_fd;
	w->diag_fd = close_fd(w->diag_fd);
	w->diag_netns = netns;
	r = enter(c, &w->list.items.items[w->entries.items[netns].item]);
	if (r == 0)
		w->diag_fd = netlink_open();
	go_home(w);
	return r < 0 ? r : w->diag_fd;
}

/* ---- what lies between them ---- */

static int run_at_home(struct collector *c, int (*run)(struct collector *guest, void *userdata),
		       void *userdata)
{
	go_home(c->others);
	return run(c, userdata);
}

int collect_netns_visit(struct collector *c, uint32_t number,
			int (*run)(struct collector *guest, void *userdata), void *userdata)
{
	struct collector guest;
	int r = 0;

	if (!number)
		return run_at_home(c, run, userdata);
	note_home(c);
	guest = begin_visit(c, number);
	if (c->tape.mode != TAPE_REPLAY)
		r = enter(&guest, item_of(c, number));
	if (r == 0)
		r = run(&guest, userdata);
	end_visit(c, &guest);
	go_home(c->others);
	return r;
}

int collect_netns_fd(struct collector *c, uint32_t number)
{
	return procfs_netns_open(&c->tape, item_of(c, number));
}

uint64_t collect_netns_inode(const struct collector *c, uint32_t number)
{
	return item_of(c, number)->inode;
}

static bool is_listed(const struct netns_work *w, size_t item)
{
	for (size_t i = 0; i < w->entries.n; i++)
		if (w->entries.items[i].item == item)
			return true;
	return false;
}

static int read_between(struct collector *guest, void *userdata)
{
	(void)userdata;
	return collect_network_links(guest);
}

int collect_netns_between(struct collector *c)
{
	struct netns_work *w = c->others;
	int r = 0;

	for (size_t i = 0; r == 0 && !w->is_all && i < w->list.items.n; i++) {
		if (!w->list.items.items[i].inode || is_listed(w, i))
			continue;
		r = vec_push(&w->entries, ((struct entry){ .item = i }));
		if (r == 0)
			r = collect_netns_visit(c, (uint32_t)(w->entries.n - 1), read_between,
						NULL);
		/* where it may not be entered, far ends stay unseen */
		r = r == -ENOMEM ? r : 0;
	}
	w->n_visited = w->entries.n;
	return r;
}

/* ---- the report ---- */

/* NULL: a name that nothing is mounted on, which is a gap of its own. */
static const char *cause_of(int error)
{
	switch (-error) {
	case ENXIO:
		return NULL;
	case ESTALE:
		return "gone, or behind another mount";
	default:
		return collect_error_text(error);
	}
}

static void put_name(struct buf *b, const struct procfs_netns *n)
{
	if (n->name)
		buf_puts(b, n->name);
	else
		buf_printf(b, "net:[%llu]", (unsigned long long)n->inode);
}

/* All that have one cause: "not permitted: blue, red". */
static int report_cause(struct collector *c, const char *cause)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const struct netns_work *w = c->others;
	size_t n = 0;

	if (cause)
		buf_printf(&b, "%s: ", cause);
	for (size_t i = 1; i < w->entries.n; i++) {
		const struct entry *e = &w->entries.items[i];

		if (e->error >= 0 || cause_of(e->error) != cause || n++ >= NAMED_MAX)
			continue;
		buf_puts(&b, n > 1 ? ", " : "");
		put_name(&b, &w->list.items.items[e->item]);
	}
	if (n > NAMED_MAX)
		buf_printf(&b, ", ... (%zu)", n);
	if (!buf_str(&b))
		return -ENOMEM;
	return snapshot_add_gap(c->snapshot, cause ? PV_GAP_NETNS : PV_GAP_NETNS_STALE, n, b.data);
}

static bool is_first_of_cause(const struct netns_work *w, size_t number)
{
	const char *cause = cause_of(w->entries.items[number].error);

	for (size_t i = 1; i < number; i++)
		if (w->entries.items[i].error < 0 && cause_of(w->entries.items[i].error) == cause)
			return false;
	return true;
}

static int report_hidden(struct collector *c)
{
	const struct netns_work *w = c->others;
	int r = 0;

	if (w->list.n_denied)
		r = snapshot_add_gap(c->snapshot, PV_GAP_NETNS_HIDDEN, w->list.n_denied,
				     "not permitted");
	if (r == 0 && c->hidepid && w->list.n_denied == 0 && !c->may_see_all)
		r = snapshot_add_gap(c->snapshot, PV_GAP_NETNS_HIDDEN, 1,
				     "/proc is mounted with hidepid");
	if (r == 0 && !c->is_host_pidns)
		r = snapshot_add_gap(c->snapshot, PV_GAP_NETNS_HIDDEN, 1,
				     "those outside this pid namespace");
	return r;
}

static int report_source(struct collector *c, size_t n_failed)
{
	const struct netns_work *w = c->others;
	const char *cause = n_failed ? "some could not be entered" : NULL;
	enum pv_source_state state = n_failed ? PV_SOURCE_FALLBACK : PV_SOURCE_WORKING;

	if (n_failed && n_failed + 1 == w->entries.n)
		state = PV_SOURCE_OFF;
	if (!n_failed && w->is_all && !w->knows_sockets) {
		state = PV_SOURCE_FALLBACK;
		cause = "without BPF those that only a socket keeps alive are not found";
	}
	return snapshot_add_source(c->snapshot, "network namespaces", "setns", state, cause);
}

int collect_netns_report(struct collector *c)
{
	const struct netns_work *w = c->others;
	size_t n_failed = 0;
	int r = 0;

	for (size_t i = 1; r == 0 && i < w->entries.n; i++) {
		int error = w->entries.items[i].error;

		if (error >= 0)
			continue;
		if (!w->is_all)
			return error == -EACCES ? -EPERM : error;
		n_failed++;
		if (is_first_of_cause(w, i))
			r = report_cause(c, cause_of(error));
	}
	if (r == 0 && w->is_all)
		r = report_hidden(c);
	if (r < 0)
		return r;
	return report_source(c, n_failed);
}
