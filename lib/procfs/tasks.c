/* SPDX-License-Identifier: MIT */
/* Threads of the holders of a snapshot's rows: each process is read once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <portavoz/tasks.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/map.h"
#include "base/vec.h"

#define PATH_MAX_TASK 96
#define CONTEXT_MAX 4096
#define KERNEL_CONTEXT "/sys/fs/selinux/initial_contexts/kernel"

struct thread {
	int32_t tid;
	bool is_shared; /* its file table is the leader's */
	struct pv_bytes comm;
	const char *context;
};

struct range {
	size_t first, n;
};

struct pv_tasks {
	struct arena arena;
	uint32_t what;
	VEC(struct thread) threads;
	VEC(struct range) processes; /* threads of each process of the snapshot; n 0 = not read */
	VEC(struct pv_task) tasks;
	VEC(struct range) rows;
};

/* ---- one process ---- */

int pv_context_read(int32_t pid, char *text, size_t size)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char path[PATH_MAX_TASK];
	const char *said;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/attr/current", pid);
	r = file_read_at(AT_FDCWD, pid ? path : KERNEL_CONTEXT, &b);
	said = buf_str(&b);
	if (r < 0 || !said)
		return r < 0 ? r : -ENOMEM;
	/* some modules end it with a newline */
	snprintf(text, size, "%.*s", (int)strcspn(said, "\n"), said);
	return *text ? 0 : -EINVAL;
}

static const char *keep_context(struct pv_tasks *t, int32_t tid)
{
	char text[CONTEXT_MAX];

	if (!(t->what & PV_TASKS_CONTEXTS) || pv_context_read(tid, text, sizeof(text)) < 0)
		return NULL;
	return arena_strdup(&t->arena, text);
}

static int keep_comm(struct pv_tasks *t, int32_t pid, int32_t tid, struct pv_bytes *comm)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char path[PATH_MAX_TASK];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	if (file_read_at(AT_FDCWD, path, &b) < 0)
		return -ESRCH;
	len = b.len && b.data[b.len - 1] == '\n' ? b.len - 1 : b.len;
	comm->data = arena_dup(&t->arena, len ? b.data : "", len);
	comm->len = (uint32_t)len;
	return comm->data ? 0 : -ENOMEM;
}

/* One that exited meanwhile is none. */
static int add_thread(struct pv_tasks *t, int32_t pid, int32_t tid)
{
	struct thread thread = { .tid = tid };
	int r = keep_comm(t, pid, tid, &thread.comm);

	if (r < 0)
		return r == -ESRCH ? 0 : r;
	thread.is_shared = tid == pid || syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) == 0;
	thread.context = keep_context(t, tid);
	return vec_push(&t->threads, thread);
}

static int compare_threads(const void *a, const void *b)
{
	const struct thread *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int list_threads(struct pv_tasks *t, int32_t pid)
{
	char path[PATH_MAX_TASK];
	struct dirent *d;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (r == 0 && (d = readdir(dir)))
		if (d->d_name[0] > '0' && d->d_name[0] <= '9')
			r = add_thread(t, pid, (int32_t)strtol(d->d_name, NULL, 10));
	closedir(dir);
	return r;
}

static int read_process(struct pv_tasks *t, const struct pv_process *p, struct range *ret)
{
	struct thread leader = { .tid = p->pid, .is_shared = true, .comm = p->comm };
	int r = 0;

	ret->first = t->threads.n;
	if (t->what & PV_TASKS_THREADS)
		r = list_threads(t, p->pid);
	/* where its threads may not be listed it stands for itself */
	if (r == 0 && t->threads.n == ret->first) {
		leader.context = keep_context(t, p->pid);
		r = vec_push(&t->threads, leader);
	}
	ret->n = t->threads.n - ret->first;
	if (r == 0)
		qsort(t->threads.items + ret->first, ret->n, sizeof(struct thread),
		      compare_threads);
	return r;
}

/* ---- rows ---- */

static bool does_hold(int32_t pid, int32_t tid, int32_t fd, uint32_t inode)
{
	char path[PATH_MAX_TASK], link[64], wanted[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", pid, tid, fd);
	snprintf(wanted, sizeof(wanted), "socket:[%u]", inode);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	return !strcmp(link, wanted);
}

static const char *keep_socket_context(struct pv_tasks *t, const struct pv_task *task)
{
	char path[PATH_MAX_TASK], text[CONTEXT_MAX];
	ssize_t n;

	if (!(t->what & PV_TASKS_CONTEXTS))
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", task->pid, task->tid, task->fd);
	n = getxattr(path, "security.selinux", text, sizeof(text) - 1);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return arena_strdup(&t->arena, text);
}

/* Does every thread of the process see the same table? Then the search for owners is right. */
static bool is_one_table(const struct pv_tasks *t, const struct range *threads)
{
	for (size_t i = 0; i < threads->n; i++)
		if (!t->threads.items[threads->first + i].is_shared)
			return false;
	return true;
}

/* A holder's descriptor in each of the threads of its process. */
static int add_task(struct pv_tasks *t, const struct pv_process *p, const struct thread *thread,
		    bool is_sure, int32_t fd, uint32_t inode)
{
	struct pv_task task = { .pid = p->pid,
				.tid = thread->tid,
				.fd = fd,
				.comm = thread->comm,
				.context = thread->context };

	if (!is_sure && !does_hold(p->pid, thread->tid, fd, inode))
		return 0;
	task.socket_context = keep_socket_context(t, &task);
	return vec_push(&t->tasks, task);
}

/* Holders of one process follow each other: all of a thread's descriptors, then the next thread. */
static int add_holders(struct pv_tasks *t, const struct pv_snapshot *s,
		       const struct pv_conversation *row, uint32_t first, uint32_t n)
{
	uint32_t process = pv_snapshot_holder(s, row, first)->process;
	const struct pv_process *p = pv_snapshot_process(s, process);
	struct range *threads = &t->processes.items[process];
	int r = threads->n ? 0 : read_process(t, p, threads);
	bool is_sure = r == 0 && is_one_table(t, threads);

	for (size_t i = 0; r == 0 && i < threads->n; i++)
		for (uint32_t k = first; r == 0 && k < first + n; k++) {
			struct thread thread = t->threads.items[threads->first + i];

			r = add_task(t, p, &thread, is_sure, pv_snapshot_holder(s, row, k)->fd,
				     row->inode);
		}
	return r;
}

static int add_row(struct pv_tasks *t, const struct pv_snapshot *s,
		   const struct pv_conversation *row)
{
	struct range range = { .first = t->tasks.n };
	int r = 0;

	for (uint32_t i = 0, n; r == 0 && i < row->n_holders; i += n) {
		uint32_t process = pv_snapshot_holder(s, row, i)->process;

		for (n = 1; i + n < row->n_holders; n++)
			if (pv_snapshot_holder(s, row, i + n)->process != process)
				break;
		r = add_holders(t, s, row, i, n);
	}
	range.n = t->tasks.n - range.first;
	return r < 0 ? r : vec_push(&t->rows, range);
}

/* The numbers of processes are dense; which there are is known from the holders. */
static int make_room(struct pv_tasks *t, const struct pv_snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *row = pv_snapshot_get(s, i);

		for (uint32_t k = 0; k < row->n_holders; k++)
			if (pv_snapshot_holder(s, row, k)->process >= n)
				n = pv_snapshot_holder(s, row, k)->process + (size_t)1;
	}
	if (vec_reserve(&t->processes, n + 1) < 0)
		return -ENOMEM;
	memset(t->processes.items, 0, (n + 1) * sizeof(*t->processes.items));
	t->processes.n = n;
	return 0;
}

int pv_tasks_read(const struct pv_snapshot *snapshot, uint32_t what, struct pv_tasks **ret_tasks)
{
	struct pv_tasks *t = calloc(1, sizeof(*t));
	int r = t ? make_room(t, snapshot) : -ENOMEM;

	if (r == 0 && access("/proc/self", F_OK) < 0)
		r = -errno;
	if (t)
		t->what = what;
	for (size_t i = 0; r == 0 && i < pv_snapshot_count(snapshot); i++)
		r = add_row(t, snapshot, pv_snapshot_get(snapshot, i));
	if (r < 0) {
		pv_tasks_free(t);
		return r;
	}
	*ret_tasks = t;
	return 0;
}

void pv_tasks_free(struct pv_tasks *tasks)
{
	if (!tasks)
		return;
	arena_deinit(&tasks->arena);
	vec_deinit(&tasks->threads);
	vec_deinit(&tasks->processes);
	vec_deinit(&tasks->tasks);
	vec_deinit(&tasks->rows);
	free(tasks);
}

size_t pv_tasks_of(const struct pv_tasks *tasks, size_t index, const struct pv_task **ret_first)
{
	if (index >= tasks->rows.n)
		return 0;
	*ret_first = tasks->tasks.items + tasks->rows.items[index].first;
	return tasks->rows.items[index].n;
}
