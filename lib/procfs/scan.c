/* SPDX-License-Identifier: MIT */
/*
 * The scan: workers take processes from one list, results are handed on in the list's order. A
 * worker holds two or three descriptors at a time and nothing else of the process.
 */
#include "procfs/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "procfs/process.h"
#include "procfs/scan-internal.h"
#include "procfs/text.h"
#include "procfs/threads.h"

#define WORKERS_MAX 8
#define WORKER_STACK (256 * 1024)
/* Below this many open files a second thread costs more than it saves. */
#define FILES_PER_WORKER 10000
/* With fewer descriptors to be had, one worker uses them more surely than several. */
#define WORKERS_NOFILE_MIN 64
#define RECORDS_PER_PUT 1024

/* A process in the list, and what was found in it. */
struct item {
	int32_t pid;
	bool is_done;
	bool comm_known;
	uint64_t start_ticks;
	struct found_socket *found;
	size_t n_found;
	char comm[16];
};

typedef VEC(struct owner_record) record_vec;

struct scan {
	struct tape *tape;
	const struct procfs_scan_options *options;
	int (*record)(void *userdata, const struct owner_record *r);
	void *userdata;
	char stream[32];
	bool has_fd_count; /* st_size of /proc/PID/fd is the number of descriptors (since 6.2) */
	bool may_kcmp;	   /* pids of this procfs are those of our own system calls */
	struct item *items;
	size_t n_items;
	pthread_mutex_t lock; /* guards all below, and the calls of record */
	size_t next, next_out;
	int error;
	struct procfs_scan_stats stats;
	record_vec out; /* for the recording */
};

struct worker {
	struct scan *scan;
	pthread_t thread;
	struct procfs_scan_stats stats;
	found_vec found;
	struct fdwalk walk;
};

static void count_error(struct procfs_scan_stats *s, int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		s->n_denied++;
		break;
	case ENOENT:
	case ESRCH:
		s->n_vanished++;
		break;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		s->n_limited++;
		break;
	default:
		s->n_failed++;
	}
}

static int read_stat(int handle, struct procfs_stat *ret)
{
	_cleanup_(cleanup_fd) int fd = openat(handle, "stat", O_RDONLY | O_CLOEXEC);
	char text[2048];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	return n < 0 ? -errno : procfs_stat_parse(text, (size_t)n, ret);
}

/*
 * Nothing to look at, told without opening anything? On kernels that count descriptors this skips
 * kernel threads. A table that is empty may be that of a leader that exited before its threads;
 * /proc/PID/task has one link for each thread and two more.
 */
static bool is_empty(const struct scan *s, const char *pid)
{
	char path[24];
	struct stat st;

	if (!s->has_fd_count)
		return false;
	snprintf(path, sizeof(path), "%s/fd", pid);
	if (fstatat(s->tape->procfd, path, &st, 0) < 0 || st.st_size != 0)
		return false;
	snprintf(path, sizeof(path), "%s/task", pid);
	return fstatat(s->tape->procfd, path, &st, 0) == 0 && st.st_nlink <= 3;
}

/* The leader's own table. */
static int walk_leader(struct worker *w, int handle)
{
	_cleanup_(cleanup_fd) int fd = openat(handle, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fdwalk_run(&w->walk, fd);
}

/* A kernel thread's table is empty, readable or not: it is no gap. Asked for denied ones only. */
static bool is_kernel_thread(int handle)
{
	struct procfs_stat stat;

	return read_stat(handle, &stat) == 0 && stat.flags & PROCFS_FLAG_KTHREAD;
}

static void walk_threads(struct worker *w, int handle, int32_t pid)
{
	const struct scan *s = w->scan;
	struct threads_result result;
	struct stat st;
	int r;

	if (fstatat(handle, "task", &st, 0) < 0 || st.st_nlink <= 3)
		return;
	if (s->options->threads == PROCFS_THREADS_NONE) {
		w->stats.n_threads_skipped++;
		return;
	}
	r = threads_walk(&w->walk, handle, pid, s->may_kcmp, &result);
	w->stats.n_thread_tables += result.n_tables;
	w->stats.n_threads_skipped += result.is_incomplete;
	if (r < 0)
		count_error(&w->stats, r);
}

/* Names the process, under the handle its descriptors were read from. */
static void name_process(struct worker *w, int handle, struct item *item)
{
	struct procfs_stat stat;
	int r = read_stat(handle, &stat);

	if (r < 0 || stat.pid != item->pid) {
		/* with the entry of another process mounted over its own nothing was seen of it */
		count_error(&w->stats, r < 0 ? r : -EBADMSG);
		w->found.n = 0;
		return;
	}
	item->comm_known = true;
	item->start_ticks = stat.start_ticks;
	memcpy(item->comm, stat.comm,
	       stat.comm_len < sizeof(item->comm) ? stat.comm_len : sizeof(item->comm));
	w->stats.n_holders++;
}

static void look_into(struct worker *w, struct item *item)
{
	_cleanup_(cleanup_fd) int handle = -1;
	char pid[12];
	int r;

	snprintf(pid, sizeof(pid), "%d", item->pid);
	w->found.n = 0;
	if (is_empty(w->scan, pid))
		return;
	handle = openat(w->scan->tape->procfd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = handle < 0 ? -errno : walk_leader(w, handle);
	if (r < 0 && (handle < 0 || (r != -EACCES && r != -EPERM) || !is_kernel_thread(handle)))
		count_error(&w->stats, r);
	if (handle >= 0 && r != -EACCES && r != -EPERM)
		walk_threads(w, handle, item->pid);
	if (w->found.n)
		name_process(w, handle, item);
}

static int put_records(struct scan *s, bool all)
{
	int r = 0;

	if (s->tape->mode != TAPE_RECORD || (!all && s->out.n < RECORDS_PER_PUT))
		return 0;
	r = tape_stream_put(s->tape, s->stream, s->out.items ? (void *)s->out.items : "",
			    s->out.n * sizeof(*s->out.items));
	s->out.n = 0;
	return r;
}

static int hand_on_item(struct scan *s, const struct item *item)
{
	struct owner_record rec = { .start_ticks = item->start_ticks, .pid = item->pid };
	int r = 0;

	memcpy(rec.comm, item->comm, sizeof(rec.comm));
	for (size_t i = 0; r == 0 && i < item->n_found; i++) {
		rec.inode = item->found[i].inode;
		rec.fd = item->found[i].fd;
		rec.flags = (item->comm_known ? OWNER_COMM_KNOWN : 0) |
			    (item->found[i].is_netns ? OWNER_NETNS : 0);
		r = s->record(s->userdata, &rec);
		if (r == 0 && s->tape->mode == TAPE_RECORD)
			r = vec_push(&s->out, rec);
		if (r == 0)
			r = put_records(s, false);
		s->stats.n_sockets++;
	}
	return r;
}

/* Hands on what is complete up to the first process that another worker still looks at. */
static void hand_on(struct scan *s)
{
	while (!s->error && s->next_out < s->n_items && s->items[s->next_out].is_done) {
		struct item *item = &s->items[s->next_out++];

		s->error = hand_on_item(s, item);
		free(item->found);
		item->found = NULL;
	}
}

static void finish_item(struct worker *w, struct item *item)
{
	if (w->found.n) {
		item->found = w->found.items;
		item->n_found = w->found.n;
		w->found.items = NULL;
		w->found.n = w->found.cap = 0;
	}
	item->is_done = true;
}

static void *worker_run(void *userdata)
{
	struct worker *w = userdata;
	struct scan *s = w->scan;

	pthread_mutex_lock(&s->lock);
	while (!s->error && s->next < s->n_items) {
		struct item *item = &s->items[s->next++];

		pthread_mutex_unlock(&s->lock);
		look_into(w, item);
		pthread_mutex_lock(&s->lock);
		finish_item(w, item);
		hand_on(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static unsigned count_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static unsigned choose_workers(struct scan *s)
{
	struct rlimit nofile;
	uint64_t n;

	if (getrlimit(RLIMIT_NOFILE, &nofile) < 0 || nofile.rlim_cur < WORKERS_NOFILE_MIN)
		return 1;
	n = s->options->n_workers;
	if (!n) {
		n = procfs_count_files(s->tape) / FILES_PER_WORKER + 1;
		n = n < count_cpus() ? n : count_cpus();
	}
	return n < WORKERS_MAX ? (unsigned)n : WORKERS_MAX;
}

static unsigned start_workers(struct worker *workers, unsigned n)
{
	unsigned started = 0;

	while (started < n && thread_start(&workers[started].thread, WORKER_STACK, worker_run,
					   &workers[started]) == 0)
		started++;
	return started;
}

static const size_t counters[] = {
	offsetof(struct procfs_scan_stats, n_holders),
	offsetof(struct procfs_scan_stats, n_denied),
	offsetof(struct procfs_scan_stats, n_vanished),
	offsetof(struct procfs_scan_stats, n_limited),
	offsetof(struct procfs_scan_stats, n_failed),
	offsetof(struct procfs_scan_stats, n_threads_skipped),
	offsetof(struct procfs_scan_stats, n_thread_tables),
};

static uint64_t *counter(struct procfs_scan_stats *s, size_t offset)
{
	return (uint64_t *)((char *)s + offset);
}

static void worker_close(struct worker *w)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		*counter(&w->scan->stats, counters[i]) += *counter(&w->stats, counters[i]);
	vec_deinit(&w->found);
}

/* The calling thread is the first worker: a scan needs no other. */
static void run_workers(struct scan *s)
{
	struct worker workers[WORKERS_MAX];
	unsigned n = choose_workers(s), started;

	for (unsigned i = 0; i < n; i++) {
		workers[i] = (struct worker){ .scan = s };
		workers[i].walk.found = &workers[i].found;
		workers[i].walk.wants_netns = s->options->wants_netns;
	}
	started = n > 1 ? start_workers(workers + 1, n - 1) : 0;
	worker_run(&workers[0]);
	for (unsigned i = 1; i <= started; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < n; i++)
		worker_close(&workers[i]);
}

static int list_processes(struct scan *s)
{
	_cleanup_(cleanup_fd) int fd =
		openat(s->tape->procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_vec pids = { 0 };
	int r;

	if (fd < 0)
		return -errno;
	r = procfs_list_numbers(fd, &pids);
	s->items = r < 0 ? NULL : calloc(pids.n + 1, sizeof(*s->items));
	if (s->items) {
		s->n_items = s->stats.n_processes = pids.n;
		for (size_t i = 0; i < pids.n; i++)
			s->items[i].pid = pids.items[i];
	}
	vec_deinit(&pids);
	return r < 0 ? r : s->items ? 0 : -ENOMEM;
}

/* What this procfs can do, asked of our own entry. */
static void probe(struct scan *s)
{
	char link[16];
	struct stat st;
	uint32_t self;
	ssize_t n;

	s->has_fd_count = fstatat(s->tape->procfd, "self/fd", &st, 0) == 0 && st.st_size > 0;
	n = readlinkat(s->tape->procfd, "self", link, sizeof(link));
	s->may_kcmp = n > 0 && text_u32(text_of(link, (size_t)n), 10, &self) &&
		      self == (uint32_t)getpid();
}

static const struct stats_name {
	const char *name;
	size_t offset;
} stats_names[] = {
	{ "n_processes", offsetof(struct procfs_scan_stats, n_processes) },
	{ "n_holders", offsetof(struct procfs_scan_stats, n_holders) },
	{ "n_sockets", offsetof(struct procfs_scan_stats, n_sockets) },
	{ "n_denied", offsetof(struct procfs_scan_stats, n_denied) },
	{ "n_vanished", offsetof(struct procfs_scan_stats, n_vanished) },
	{ "n_limited", offsetof(struct procfs_scan_stats, n_limited) },
	{ "n_failed", offsetof(struct procfs_scan_stats, n_failed) },
	{ "n_threads_skipped", offsetof(struct procfs_scan_stats, n_threads_skipped) },
	{ "n_thread_tables", offsetof(struct procfs_scan_stats, n_thread_tables) },
};
#define N_STATS (sizeof(stats_names) / sizeof(*stats_names))

int procfs_scan_stats_parse(const void *data, size_t len, struct procfs_scan_stats *ret_stats)
{
	struct text t = text_of(data, len), line, name;
	struct procfs_scan_stats s = { 0 };
	uint64_t value;

	while (text_line(&t, &line, NULL)) {
		if (!text_until(&line, '=', &name) || !text_u64(line, 10, &value))
			return -EBADMSG;
		for (size_t i = 0; i < N_STATS; i++)
			if (text_is(name, stats_names[i].name))
				*counter(&s, stats_names[i].offset) = value;
	}
	*ret_stats = s;
	return 0;
}

static int put_stats(struct scan *s)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char name[48];

	for (size_t i = 0; i < N_STATS; i++)
		buf_printf(&b, "%s=%llu\n", stats_names[i].name,
			   (unsigned long long)*counter(&s->stats, stats_names[i].offset));
	snprintf(name, sizeof(name), "%s.stats", s->stream);
	return buf_error(&b) < 0 ? buf_error(&b) : tape_stream_put(s->tape, name, b.data, b.len);
}

int procfs_owners_parse(const void *data, size_t len,
			int (*record)(void *userdata, const struct owner_record *r), void *userdata)
{
	struct owner_record rec;
	int r = 0;

	if (len % sizeof(rec))
		return -EBADMSG;
	for (size_t i = 0; r == 0 && i < len; i += sizeof(rec)) {
		memcpy(&rec, (const char *)data + i, sizeof(rec));
		if (rec.pid <= 0 || rec.fd < 0 || rec.inode == 0 || rec.cookie != 0 ||
		    rec.flags & ~(unsigned)OWNER_FLAGS)
			return -EBADMSG;
		r = record(userdata, &rec);
	}
	return r;
}

static int replay(struct scan *s)
{
	_cleanup_(cleanup_buf) struct buf records = BUF_INIT, stats = BUF_INIT;
	char name[48];
	int r = tape_stream_get(s->tape, s->stream, &records);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s.stats", s->stream);
	r = tape_stream_get(s->tape, name, &stats);
	if (r < 0)
		return r == -ENODATA ? -EBADMSG : r;
	r = procfs_scan_stats_parse(stats.data, stats.len, &s->stats);
	return r < 0 ? r : procfs_owners_parse(records.data, records.len, s->record, s->userdata);
}

static int scan_live(struct scan *s)
{
	int r = s->tape->procfd < 0 ? -ENOENT : list_processes(s);

	if (r == 0) {
		probe(s);
		run_workers(s);
		r = s->error;
	}
	for (size_t i = 0; i < s->n_items; i++)
		free(s->items[i].found);
	free(s->items);
	if (r == 0)
		r = put_records(s, true);
	if (r == 0)
		r = put_stats(s);
	if (r < 0)
		tape_stream_fail(s->tape, s->stream, r);
	vec_deinit(&s->out);
	return r;
}

int procfs_scan_owners(struct tape *t, const struct procfs_scan_options *o,
		       int (*record)(void *userdata, const struct owner_record *r), void *userdata,
		       struct procfs_scan_stats *ret_stats)
{
	struct scan s = { .tape = t,
			  .options = o,
			  .record = record,
			  .userdata = userdata,
			  .lock = PTHREAD_MUTEX_INITIALIZER };
	int r;

	snprintf(s.stream, sizeof(s.stream), "owners-proc.%u", o->attempt);
	r = t->mode == TAPE_REPLAY ? replay(&s) : scan_live(&s);
	*ret_stats = s.stats;
	return r;
}
