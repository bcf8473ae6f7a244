/* SPDX-License-Identifier: MIT */
#include "procfs/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"

struct visit {
	struct fdwalk *walk;
	struct map seen; /* descriptor and inode of what was found, once there is a second table */
	bool has_seen;
	pid_vec tables; /* one thread of each table but the leader's, in the order of kcmp */
	int handle;
	struct threads_result *result;
};

/* 0: one table; 1, 2: ordered by the kernel's obfuscated addresses; or -errno. */
static int compare_tables(int32_t a, int32_t b)
{
	long r = syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0);

	return r < 0 ? -errno : (int)r;
}

static uint64_t key_of(const struct found_socket *f)
{
	return (uint64_t)(uint32_t)f->fd << 32 | f->inode;
}

/* A copied table holds the same sockets under the same numbers: that is one holder, not two. */
static int drop_known(struct visit *v, size_t first)
{
	found_vec *found = v->walk->found;
	size_t n = v->has_seen ? first : 0;
	uint32_t old;

	v->has_seen = true;
	for (size_t i = n; i < found->n; i++) {
		int r = map_insert(&v->seen, key_of(&found->items[i]), 0, &old);

		if (r < 0)
			return r;
		if (r == 0 || i < first)
			found->items[n++] = found->items[i];
	}
	found->n = n;
	return 0;
}

/* Looks at a thread's table; a thread that exited meanwhile has none. */
static int walk_table(struct visit *v, int32_t tid)
{
	_cleanup_(cleanup_fd) int fd = -1;
	size_t first = v->walk->found->n;
	char path[32];
	int r, known;

	snprintf(path, sizeof(path), "task/%d/fd", tid);
	fd = openat(v->handle, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	v->result->n_tables++;
	r = fdwalk_run(v->walk, fd);
	known = drop_known(v, first);
	return r < 0 && r != -ENOENT && r != -ESRCH ? r : known;
}

/*
 * Has the table of this thread been seen? 1, or 0 with its place in v->tables, or -errno.
 */
static int find_table(const struct visit *v, int32_t tid, size_t *ret_place)
{
	size_t low = 0, high = v->tables.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = compare_tables(tid, v->tables.items[middle]);

		if (r <= 0)
			return r < 0 ? r : 1;
		if (r == 1)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_place = low;
	return 0;
}

static int add_table(struct visit *v, int32_t tid, size_t place)
{
	if (vec_push(&v->tables, tid) < 0)
		return -ENOMEM;
	memmove(v->tables.items + place + 1, v->tables.items + place,
		(v->tables.n - 1 - place) * sizeof(*v->tables.items));
	v->tables.items[place] = tid;
	return 0;
}

/* 0, -ESRCH (exited), -EPERM or -ENOSYS (kcmp cannot tell), or -errno. */
static int visit_thread(struct visit *v, int32_t pid, int32_t tid)
{
	size_t place = 0;
	int r = compare_tables(pid, tid);

	if (r <= 0)
		return r;
	r = find_table(v, tid, &place);
	if (r != 0)
		return r < 0 ? r : 0;
	r = add_table(v, tid, place);
	return r < 0 ? r : walk_table(v, tid);
}

static int visit_all(struct visit *v, int32_t pid, const pid_vec *tids)
{
	for (size_t i = 0; i < tids->n; i++) {
		int r = tids->items[i] == pid ? 0 : visit_thread(v, pid, tids->items[i]);

		if (r < 0 && r != -ESRCH)
			return r;
	}
	return 0;
}

/* Without kcmp: when the leader has nothing, the first thread that has something. */
static int visit_first(struct visit *v, int32_t pid, const pid_vec *tids)
{
	int r = 0;

	v->result->is_incomplete = true;
	for (size_t i = 0; r == 0 && v->walk->found->n == 0 && i < tids->n; i++)
		if (tids->items[i] != pid)
			r = walk_table(v, tids->items[i]);
	return r;
}

int threads_walk(struct fdwalk *w, int handle, int32_t pid, bool may_kcmp,
		 struct threads_result *ret)
{
	_cleanup_(cleanup_fd) int fd = openat(handle, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct visit v = { .walk = w, .seen = MAP_INIT, .handle = handle, .result = ret };
	pid_vec tids = { 0 };
	int r = fd < 0 ? -errno : procfs_list_numbers(fd, &tids);

	*ret = (struct threads_result){ 0 };
	if (r == 0)
		r = may_kcmp ? visit_all(&v, pid, &tids) : -ENOSYS;
	if (r == -EPERM || r == -ENOSYS)
		r = visit_first(&v, pid, &tids);
	if (r == -ENOENT || r == -ESRCH)
		r = 0;
	ret->is_incomplete |= r < 0;
	vec_deinit(&tids);
	vec_deinit(&v.tables);
	map_deinit(&v.seen);
	return r;
}
