/* SPDX-License-Identifier: MIT */
/*
 * Who holds each socket. A search runs beside the listing of sockets, the join runs after both;
 * rows still without a holder are searched for once more and then get their reason. A socket that
 * was made after the search had passed its process looks exactly like one that no process holds:
 * only the second search, begun when all sockets were known, tells them apart.
 */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "bpf/iter.h"
#include "collect/collector.h"
#include "collect/netns.h"
#include "collect/rows.h"
#include "netlink/diag.h"
#include "procfs/clock.h"
#include "procfs/scan.h"
#include "procfs/sockstat.h"

/* Below this many sockets a second thread costs more than it saves (measured: 0.1 ms to start). */
#define THREAD_PAYS 2000
/* Attempt number of a scan for namespaces alone. */
#define ATTEMPT_NETNS 2
/* Beyond this many unowned sockets their existence is not asked for one by one. */
#define SETTLE_MAX 20000

/* A descriptor: 24 bytes, because there are as many as sockets. */
struct owner_entry {
	uint64_t cookie;
	uint32_t inode;
	uint32_t process;
	int32_t fd;
};

struct owner_process {
	int32_t pid;
	uint32_t index; /* in the snapshot, MAP_NONE until it holds a row */
	uint64_t start_ticks;
	char comm[16];
};

struct owner_search {
	struct collector *c;
	bool wants_owners, wants_netns;
	bool met_sockets; /* namespaces that sockets keep, too */
	/* nanoseconds that our time namespace adds to start times the kernel records without it */
	int64_t time_offset;
	pthread_t thread;
	bool is_threaded;
	bool by_bpf;   /* which way it went */
	bool has_idle; /* a bound, idle stream socket was met */
	unsigned attempt;
	int result;    /* 0 or -errno of the way that was asked for */
	int bpf_error; /* why BPF was not used, 0 = it was, or was not tried */
	struct procfs_scan_stats stats;
	struct bpf_stats bpf;
	VEC(struct owner_entry) entries;
	VEC(struct owner_process) processes;
	struct map by_process;
	uint32_t last;		       /* index of the process of the newest entry */
	VEC(struct owner_record) held; /* namespaces that descriptors keep */
};

static void search_free(struct owner_search *s)
{
	if (!s)
		return;
	vec_deinit(&s->entries);
	vec_deinit(&s->processes);
	map_deinit(&s->by_process);
	vec_deinit(&s->held);
	free(s);
}

static void cleanup_search(struct owner_search **s)
{
	search_free(*s);
}

/* Records come process by process: the newest process is nearly always the right one. */
static int process_index(struct owner_search *s, const struct owner_record *r, uint32_t *ret_index)
{
	uint64_t start = procfs_shown_ticks(r->start_ticks, s->time_offset);
	struct owner_process p = { .pid = r->pid, .index = MAP_NONE, .start_ticks = start };
	const struct owner_process *last = s->processes.n ? &s->processes.items[s->last] : NULL;
	int n;

	if (last && last->pid == r->pid && last->start_ticks == start) {
		*ret_index = s->last;
		return 0;
	}
	/* exact: a pid has 22 bits at most (PID_MAX_LIMIT), 42 bits of ticks last 1,394 years */
	n = map_insert(&s->by_process, (uint64_t)r->pid << 42 ^ start, (uint32_t)s->processes.n,
		       ret_index);
	if (n == 0) {
		memcpy(p.comm, r->comm, sizeof(p.comm));
		*ret_index = (uint32_t)s->processes.n;
		n = vec_push(&s->processes, p);
	}
	s->last = *ret_index;
	return n < 0 ? n : 0;
}

static int take_record(void *userdata, const struct owner_record *r)
{
	struct owner_search *s = userdata;
	struct owner_entry e = { .cookie = r->cookie, .inode = r->inode, .fd = r->fd };
	int n;

	if (r->flags & OWNER_NETNS)
		return s->wants_netns ? vec_push(&s->held, *r) : 0;
	if (!s->wants_owners)
		return 0;
	n = process_index(s, r, &e.process);
	s->has_idle |= r->flags & OWNER_IDLE;
	return n < 0 ? n : vec_push(&s->entries, e);
}

static int take_records(void *userdata, const struct owner_record *rows, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = take_record(userdata, &rows[i]);
	return r;
}

static int take_chunk(void *userdata, const void *data, size_t len)
{
	struct owner_search *s = userdata;

	return bpf_parse_owners(data, len, take_records, s, &s->bpf);
}

/* The sockets of such a scan are passed over: another search has them, or nobody asked. */
static int take_netns(void *userdata, const struct owner_record *r)
{
	return r->flags & OWNER_NETNS ? take_record(userdata, r) : 0;
}

static int search_bpf(struct owner_search *s)
{
	int r;

	s->time_offset = procfs_read_time_offset(&s->c->tape, "boottime");
	r = bpf_iter_run(&s->c->tape, BPF_KIND_OWNERS, s->attempt, take_chunk, s);
	s->time_offset = 0;
	return r;
}

static int search_proc(struct owner_search *s)
{
	struct procfs_scan_options options = { .attempt = s->attempt,
					       .wants_netns = s->wants_netns };

	return procfs_scan_owners(&s->c->tape, &options, take_record, s, &s->stats);
}

/*
 * Which way is faster here: measured on one 2-core machine, a scan costs some 4.5 us a descriptor
 * and 25 us a process, the iterator 2.5 ms to load and unload and 0.5 us a descriptor. The number
 * of open files is one read away; processes are at most as many as threads, about half of those in
 * practice.
 */
static bool bpf_pays(struct collector *c)
{
	uint64_t files = procfs_count_files(&c->tape);
	uint64_t threads = procfs_count_threads(&c->tape);

	return files * 4 + threads * 12 > 2500;
}

static bool wants_bpf(struct collector *c)
{
	if (c->request->owners != PV_OWNERS_AUTO)
		return c->request->owners == PV_OWNERS_BPF;
	return c->may_bpf && (!c->may_see_all || bpf_pays(c));
}

/* Namespaces alone, where the search for owners did not meet them. */
static int search_netns(struct owner_search *s)
{
	struct procfs_scan_options options = { .attempt = ATTEMPT_NETNS, .wants_netns = true };
	struct procfs_scan_stats stats;
	int r = -EPERM;

	if (s->c->may_bpf && s->c->request->owners != PV_OWNERS_PROC)
		r = bpf_iter_run(&s->c->tape, BPF_KIND_NETNS, 0, take_chunk, s);
	s->met_sockets = r == 0;
	if (r < 0 && r != -ENOMEM)
		r = procfs_scan_owners(&s->c->tape, &options, take_netns, s, &stats);
	return r == -ENOMEM ? r : 0;
}

static void search_owners(struct owner_search *s)
{
	s->result = -ENODATA;
	if (wants_bpf(s->c)) {
		s->result = search_bpf(s);
		s->by_bpf = s->result == 0;
		s->bpf_error = s->result;
	}
	if (!s->by_bpf && s->result != -ENOMEM && s->c->request->owners != PV_OWNERS_BPF)
		s->result = search_proc(s);
}

static void *search_run(void *userdata)
{
	struct owner_search *s = userdata;
	bool is_met;

	if (s->wants_owners)
		search_owners(s);
	/* a scan that got to its end met those, too */
	is_met = s->wants_owners && !s->by_bpf && s->result == 0;
	if (s->wants_netns && !is_met && s->result != -ENOMEM && search_netns(s) < 0)
		s->result = -ENOMEM;
	return NULL;
}

static struct owner_search *search_new(struct collector *c, unsigned attempt)
{
	struct owner_search *s = calloc(1, sizeof(*s));

	if (s) {
		s->c = c;
		s->attempt = attempt;
	}
	return s;
}

int collect_owners_start(struct collector *c, struct owner_search **ret_search)
{
	bool wants_owners = c->request->owners != PV_OWNERS_NONE && c->needs & PV_NEED_OWNERS;
	bool wants_netns = collect_netns_wants_held(c);
	struct owner_search *s;

	*ret_search = NULL;
	if (!wants_owners && !wants_netns)
		return 0;
	s = search_new(c, 0);
	if (!s)
		return -ENOMEM;
	s->wants_owners = wants_owners;
	s->wants_netns = wants_netns;
	/* one recording is written by one thread: files are appended in a fixed order */
	if (c->tape.mode == TAPE_LIVE && (c->n_sockets >= THREAD_PAYS || c->others))
		s->is_threaded = thread_start(&s->thread, 0, search_run, s) == 0;
	*ret_search = s;
	return 0;
}

/* Inode -> row, for entries or rows that carry no cookie. */
static int index_inodes(const struct pv_snapshot *snapshot, bool all, struct map *inodes)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < snapshot->n_rows; i++) {
		const struct pv_conversation *row = snapshot_row(snapshot, i);

		if (row->inode && (all || !row->cookie) && !(row->flags & PV_CONV_INODE_TWICE))
			r = map_put(inodes, row->inode, (uint32_t)i);
	}
	return r;
}

static uint32_t row_of(const struct collector *c, const struct map *inodes,
		       const struct owner_entry *e)
{
	uint32_t row = e->cookie ? map_get(&c->by_cookie, e->cookie) : MAP_NONE;

	if (row != MAP_NONE || !e->inode)
		return row;
	row = map_get(inodes, e->inode);
	/* two cookies that differ are two sockets, whatever their inodes say */
	if (row != MAP_NONE && e->cookie && snapshot_row(c->snapshot, row)->cookie)
		return MAP_NONE;
	return row;
}

static int snapshot_process(struct collector *c, struct owner_process *p)
{
	struct pv_process copy = { .pid = p->pid,
				   .start_ticks = p->start_ticks,
				   .uid = UINT32_MAX };

	if (p->index != MAP_NONE)
		return 0;
	copy.comm = (struct pv_bytes){ p->comm, (uint32_t)strnlen(p->comm, sizeof(p->comm)) };
	return snapshot_add_process(c->snapshot, &copy, &p->index);
}

static int compare_holders(const void *a, const void *b)
{
	const struct pv_holder *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* A further holder of a row; nearly every row has one holder only. */
struct shared {
	uint32_t row;
	struct pv_holder holder;
};
typedef VEC(struct shared) shared_vec;

static int compare_shared(const void *a, const void *b)
{
	const struct shared *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return compare_holders(&x->holder, &y->holder);
}

/*
 * Gives rows with several holders a run of their own, each holder once: threads that share the
 * table of an exited leader each report it.
 */
static int spread_shared(struct pv_snapshot *s, shared_vec *shared)
{
	const struct shared *items = shared->items;

	if (shared->n)
		qsort(shared->items, shared->n, sizeof(*items), compare_shared);
	for (size_t i = 0, end; i < shared->n; i = end) {
		struct pv_conversation *row = snapshot_row(s, items[i].row);
		struct pv_holder first = s->holders.items[row->first_holder];

		for (end = i; end < shared->n && items[end].row == items[i].row;)
			end++;
		row->first_holder = (uint32_t)s->holders.n;
		row->n_holders = 1;
		if (vec_push(&s->holders, first) < 0)
			return -ENOMEM;
		for (size_t k = i; k < end; k++) {
			const struct pv_holder *h = &items[k].holder;

			if (!compare_holders(h, &s->holders.items[s->holders.n - 1]) ||
			    !compare_holders(h, &first))
				continue;
			if (vec_push(&s->holders, *h) < 0)
				return -ENOMEM;
			row->n_holders++;
		}
	}
	return 0;
}

/* Looks this many entries ahead: the table of rows is larger than the caches. */
#define AHEAD 12

static int join_entry(struct owner_search *s, uint32_t number, const struct owner_entry *e,
		      size_t first_new, shared_vec *shared)
{
	struct pv_snapshot *snapshot = s->c->snapshot;
	struct owner_process *p = &s->processes.items[e->process];
	struct pv_conversation *row;
	struct pv_holder holder;
	int r;

	if (number == MAP_NONE)
		return 0;
	row = snapshot_row(snapshot, number);
	/* a row whose holders an earlier search found keeps those */
	if (row->n_holders && row->first_holder < first_new)
		return 0;
	r = snapshot_process(s->c, p);
	if (r < 0)
		return r;
	holder = (struct pv_holder){ .process = p->index, .fd = e->fd };
	if (row->n_holders++) {
		struct shared more = { number, holder };

		return vec_push(shared, more);
	}
	row->first_holder = (uint32_t)snapshot->holders.n;
	/* accepted since an earlier search, it had a reason then */
	row->owner_reason = PV_REASON_NONE;
	return vec_push(&snapshot->holders, holder);
}

static int join(struct owner_search *s)
{
	struct pv_snapshot *snapshot = s->c->snapshot;
	_cleanup_(cleanup_map) struct map inodes = MAP_INIT;
	struct rows rows = { .c = s->c };
	size_t first_new = snapshot->holders.n;
	shared_vec shared = { 0 };
	int r = rows_index(&rows);

	if (r == 0)
		r = index_inodes(snapshot, !s->by_bpf, &inodes);

	for (size_t i = 0; r == 0 && i < s->entries.n; i++) {
		const struct owner_entry *e = &s->entries.items[i];

		if (i + AHEAD < s->entries.n) {
			map_prefetch(&s->c->by_cookie, e[AHEAD].cookie);
			map_prefetch(&inodes, e[AHEAD].inode);
		}
		r = join_entry(s, row_of(s->c, &inodes, e), e, first_new, &shared);
	}
	if (r == 0)
		r = spread_shared(snapshot, &shared);
	vec_deinit(&shared);
	return r;
}

/*
 * A subflow of MPTCP is a TCP socket of its own, with its own cookie, behind the file of the MPTCP
 * socket: it has that one's inode (mptcp_sock_graft(), Linux 5.10), and so its holders.
 */
static bool is_subflow(const struct pv_conversation *row)
{
	return row->proto == PV_PROTO_TCP && row->inode && row->n_holders == 0 &&
	       !(row->flags & PV_CONV_INODE_TWICE);
}

static int index_subflows(struct pv_snapshot *snapshot, struct map *inodes)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < snapshot->n_rows; i++)
		if (is_subflow(snapshot_row(snapshot, i)))
			r = map_put(inodes, snapshot_row(snapshot, i)->inode, (uint32_t)i);
	return r;
}

static int join_subflows(struct owner_search *s)
{
	struct pv_snapshot *snapshot = s->c->snapshot;
	_cleanup_(cleanup_map) struct map inodes = MAP_INIT;
	size_t first_new = snapshot->holders.n;
	shared_vec shared = { 0 };
	int r = index_subflows(snapshot, &inodes);

	for (size_t i = 0; r >= 0 && i < s->entries.n; i++) {
		const struct owner_entry *e = &s->entries.items[i];
		uint32_t number = e->inode ? map_get(&inodes, e->inode) : MAP_NONE;

		r = join_entry(s, number, e, first_new, &shared);
		if (number != MAP_NONE)
			snapshot_row(snapshot, number)->owner_reason = PV_REASON_NONE;
	}
	if (r >= 0)
		r = spread_shared(snapshot, &shared);
	vec_deinit(&shared);
	return r;
}

/* Sockets without a struct file: no search can find a holder, the state tells why. */
static enum pv_reason reason_without_inode(const struct pv_conversation *row)
{
	switch ((enum pv_state)row->state) {
	case PV_STATE_TIME_WAIT:
		return PV_REASON_TIME_WAIT;
	case PV_STATE_SYN_RECV:
		return PV_REASON_SYN_RECV;
	case PV_STATE_ESTABLISHED:
	case PV_STATE_CLOSE_WAIT:
		return row->proto == PV_PROTO_NETLINK ? PV_REASON_KERNEL : PV_REASON_NOT_ACCEPTED;
	case PV_STATE_FIN_WAIT1:
	case PV_STATE_FIN_WAIT2:
	case PV_STATE_LAST_ACK:
	case PV_STATE_CLOSING:
		return PV_REASON_ORPHAN;
	default:
		return PV_REASON_KERNEL;
	}
}

/* The reason a row owes to what it is; NONE when only the search can tell. */
static enum pv_reason reason_of_row(const struct pv_conversation *row)
{
	if (row->flags & PV_CONV_INODE_TWICE)
		return PV_REASON_UNTRUSTED;
	if (row->flags & PV_CONV_KERNEL)
		return PV_REASON_KERNEL;
	if (row->proto == PV_PROTO_NETLINK && row->local.port == 0)
		return PV_REASON_KERNEL;
	return row->inode ? PV_REASON_NONE : reason_without_inode(row);
}

static bool is_limit(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -EAGAIN;
}

/* Why the search as a whole could not see every holder; NONE when it could. */
static enum pv_reason reason_of_failure(const struct owner_search *s)
{
	bool is_denied = s->result == -EPERM || s->result == -EACCES;

	if (s->result == -ENODATA || s->result == -EBADMSG) /* not there, or damaged */
		return PV_REASON_NOT_RECORDED;
	if (is_limit(s->result))
		return PV_REASON_LIMIT;
	if (s->c->request->owners == PV_OWNERS_BPF && !is_denied)
		return PV_REASON_NO_SOURCE;
	return s->result == -ENOENT ? PV_REASON_NO_PROC : PV_REASON_NO_PERMISSION;
}

static enum pv_reason reason_of_search(const struct owner_search *s)
{
	const struct collector *c = s->c;

	if (s->result < 0)
		return reason_of_failure(s);
	if (!c->has_proc && !s->by_bpf)
		return PV_REASON_NO_PROC;
	if (s->stats.n_denied)
		return PV_REASON_NO_PERMISSION;
	if (s->stats.n_limited)
		return PV_REASON_LIMIT;
	if (!s->by_bpf && c->hidepid && !(c->rights & (UINT64_C(1) << CAP_SYS_PTRACE)))
		return PV_REASON_HIDDEN_PID;
	if (!c->is_host_pidns)
		return PV_REASON_HIDDEN_PID;
	return PV_REASON_NONE;
}

static bool is_open(const struct pv_conversation *row)
{
	return row->n_holders == 0 && row->owner_reason == PV_REASON_NONE;
}

/*
 * Gives every row without holder the reason it owes to what it is; returns how many stay open, and
 * how many may be subflows.
 */
static size_t close_plain_rows(struct pv_snapshot *snapshot, enum pv_reason searched,
			       size_t *ret_subflows)
{
	size_t n = 0;

	*ret_subflows = 0;
	for (size_t i = 0; i < snapshot->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(snapshot, i);

		if (row->n_holders)
			continue;
		row->owner_reason = (uint8_t)reason_of_row(row);
		if (row->owner_reason == PV_REASON_NONE)
			row->owner_reason = (uint8_t)searched;
		*ret_subflows += is_subflow(row);
		n += is_open(row);
	}
	return n;
}

/*
 * Does the socket still exist? The answers are recorded as (cookie, answer) pairs, or replay could
 * not tell what was gone.
 */
static bool is_gone(struct collector *c, const struct map *replayed,
		    const struct pv_conversation *row)
{
	uint64_t pair[2] = { row->cookie, 0 };
	int fd;

	if (c->tape.mode == TAPE_REPLAY)
		return map_get(replayed, row->cookie) == 1;
	fd = row->cookie ? collect_netns_diag(c, row->netns) : -1;
	if (fd < 0)
		return false;
	pair[1] = netlink_socket_exists(fd, row) == NETLINK_GONE;
	tape_stream_put(&c->tape, "gone", pair, sizeof(pair));
	return pair[1];
}

static int read_gone(struct collector *c, struct map *gone)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	uint64_t pair[2];
	int r = 0;

	if (c->tape.mode != TAPE_REPLAY || tape_stream_get(&c->tape, "gone", &b) < 0)
		return 0;
	for (size_t i = 0; r == 0 && b.len - i >= sizeof(pair); i += sizeof(pair)) {
		memcpy(pair, b.data + i, sizeof(pair));
		r = map_put(gone, pair[0], pair[1] == 1);
	}
	return r;
}

static int settle(struct collector *c, const struct owner_search *s)
{
	_cleanup_(cleanup_map) struct map gone = MAP_INIT;
	size_t n = 0;
	int r = read_gone(c, &gone);

	collect_diag_open(c);
	for (size_t i = 0; r == 0 && i < c->snapshot->n_rows; i++) {
		struct pv_conversation *row = snapshot_row(c->snapshot, i);

		if (!is_open(row))
			continue;
		if (n++ < SETTLE_MAX && is_gone(c, &gone, row))
			row->owner_reason = PV_REASON_GONE;
		else
			row->owner_reason = !s->by_bpf && s->stats.n_threads_skipped
						    ? PV_REASON_THREAD_TABLES
						    : PV_REASON_NO_TABLE;
	}
	return r;
}

static int search_again(struct collector *c)
{
	_cleanup_(cleanup_search) struct owner_search *s = search_new(c, 1);

	if (!s)
		return -ENOMEM;
	s->wants_owners = true;
	search_run(s);
	return s->result == -ENOMEM ? -ENOMEM : s->result < 0 ? 0 : join(s);
}

static const char *search_error_text(int error)
{
	return error == -ENOENT ? "no procfs is mounted on /proc" : collect_error_text(error);
}

static int report_source(struct collector *c, const struct owner_search *s)
{
	bool wanted = s->bpf_error != 0 || c->request->owners == PV_OWNERS_BPF;
	const char *cause = s->bpf_error ? bpf_cause(s->bpf_error) : NULL;

	if (s->by_bpf)
		return snapshot_add_source(c->snapshot, "owners", "bpf task_file iterator",
					   PV_SOURCE_WORKING, NULL);
	if (s->result < 0)
		return snapshot_add_source(
			c->snapshot, "owners", wanted ? "bpf task_file iterator" : "/proc/PID/fd",
			PV_SOURCE_OFF, cause ? cause : search_error_text(s->result));
	if (!cause && c->request->owners == PV_OWNERS_AUTO && !c->may_bpf)
		cause = bpf_cause(-EPERM);
	return snapshot_add_source(c->snapshot, "owners", "/proc/PID/fd",
				   cause ? PV_SOURCE_FALLBACK : PV_SOURCE_WORKING, cause);
}

int collect_owners_report(struct collector *c)
{
	static const struct {
		enum pv_reason reason;
		enum pv_gap_kind gap;
	} table[] = {
		{ PV_REASON_NO_PERMISSION, PV_GAP_OWNER_PERMISSION },
		{ PV_REASON_HIDDEN_PID, PV_GAP_OWNER_HIDDEN },
		{ PV_REASON_NO_PROC, PV_GAP_OWNER_NO_PROC },
		{ PV_REASON_GONE, PV_GAP_OWNER_GONE },
		{ PV_REASON_NO_TABLE, PV_GAP_OWNER_NO_TABLE },
		{ PV_REASON_THREAD_TABLES, PV_GAP_OWNER_THREADS },
		{ PV_REASON_UNTRUSTED, PV_GAP_OWNER_UNTRUSTED },
		{ PV_REASON_NO_SOURCE, PV_GAP_OWNER_SOURCE },
		{ PV_REASON_NOT_RECORDED, PV_GAP_NOT_RECORDED },
	};
	uint64_t counts[PV_REASON_N] = { 0 };
	int r = 0;

	for (size_t i = 0; i < pv_snapshot_count(c->snapshot); i++)
		counts[collector_shown(c, i)->owner_reason]++;
	for (size_t i = 0; r == 0 && i < sizeof(table) / sizeof(*table); i++)
		if (counts[table[i].reason])
			r = snapshot_add_gap(c->snapshot, table[i].gap, counts[table[i].reason],
					     NULL);
	return r;
}

const struct owner_record *collect_owners_held(const struct owner_search *s, size_t *ret_n,
					       bool *ret_with_sockets)
{
	*ret_with_sockets = s && s->met_sockets;
	*ret_n = s ? s->held.n : 0;
	return s ? s->held.items : NULL;
}

static void mark_all(struct pv_snapshot *s, enum pv_reason reason)
{
	for (size_t i = 0; i < s->n_rows; i++)
		snapshot_row(s, i)->owner_reason = (uint8_t)reason;
}

/* What the search itself could not read or understand. */
static int report_search(struct collector *c, const struct owner_search *s)
{
	uint64_t limited = s->stats.n_limited + is_limit(s->result);
	uint64_t malformed = s->stats.n_failed + s->bpf.n_malformed;
	int r = 0;

	if (limited)
		r = snapshot_add_gap(c->snapshot, PV_GAP_OWNER_LIMIT, limited, NULL);
	if (r == 0 && malformed)
		r = snapshot_add_gap(c->snapshot, PV_GAP_MALFORMED, malformed, "owners");
	return r < 0 ? r : report_source(c, s);
}

bool collect_owners_wait(struct owner_search *s)
{
	if (!s)
		return true;
	if (s->is_threaded)
		pthread_join(s->thread, NULL);
	else
		search_run(s);
	if (!s->wants_owners)
		return true;
	/* of another pid namespace it meets no descriptor */
	return !s->by_bpf || s->has_idle || !s->c->is_host_pidns;
}

int collect_owners_finish(struct collector *c, struct owner_search *search)
{
	_cleanup_(cleanup_search) struct owner_search *s = search;
	size_t n_open, n_subflows;
	int r;

	if (s && s->result == -ENOMEM)
		return -ENOMEM;
	if (!s || !s->wants_owners) {
		mark_all(c->snapshot, PV_REASON_NOT_ASKED);
		return 0;
	}
	r = s->result < 0 ? 0 : join(s);
	if (r < 0)
		return r;
	n_open = close_plain_rows(c->snapshot, reason_of_search(s), &n_subflows);
	if (n_subflows) {
		r = join_subflows(s);
		n_open = close_plain_rows(c->snapshot, reason_of_search(s), &n_subflows);
	}
	if (r == 0 && n_open && s->is_threaded)
		r = search_again(c);
	if (r == 0 && n_open)
		r = settle(c, s);
	return r < 0 ? r : report_search(c, s);
}
