/* SPDX-License-Identifier: MIT */
#include "procfs/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <portavoz/snapshot.h>

#include "base/cleanup.h"
#include "procfs/cgroup.h"
#include "procfs/environ.h"
#include "procfs/text.h"

#define PATH_ROOM 40

/* Words behind the name in stat: state is the first, field 3 of proc(5). */
enum { STAT_STATE = 3, STAT_PPID = 4, STAT_FLAGS = 9, STAT_N_THREADS = 20, STAT_START = 22 };

static bool stat_numbers(struct text rest, struct procfs_stat *s)
{
	struct text w;
	uint32_t ppid;

	if (!text_word(&rest, &w) || text_len(w) != 1)
		return false;
	s->state = *w.p;
	if (!text_word_u32(&rest, 10, &ppid) || ppid > INT32_MAX)
		return false;
	s->ppid = (int32_t)ppid;
	return text_skip(&rest, STAT_FLAGS - STAT_PPID - 1) &&
	       text_word_u32(&rest, 10, &s->flags) &&
	       text_skip(&rest, STAT_N_THREADS - STAT_FLAGS - 1) &&
	       text_word_u32(&rest, 10, &s->n_threads) &&
	       text_skip(&rest, STAT_START - STAT_N_THREADS - 1) &&
	       text_word_u64(&rest, 10, &s->start_ticks);
}

int procfs_stat_parse(const void *data, size_t len, struct procfs_stat *ret_stat)
{
	struct text t = text_of(data, len);
	const char *open = len ? memchr(t.p, '(', len) : NULL;
	const char *close = len ? memrchr(t.p, ')', len) : NULL;
	struct procfs_stat s = { 0 };
	uint32_t pid;
	size_t n;

	if (!open || !close || close < open || !text_word_u32(&t, 10, &pid) || pid > INT32_MAX)
		return -EBADMSG;
	s.pid = (int32_t)pid;
	n = (size_t)(close - open - 1);
	if (n > sizeof(s.comm))
		return -EBADMSG;
	memcpy(s.comm, open + 1, n);
	s.comm_len = (uint8_t)n;
	if (!stat_numbers((struct text){ close + 1, t.end }, &s))
		return -EBADMSG;
	*ret_stat = s;
	return 0;
}

int procfs_status_uid(const void *data, size_t len, uint32_t *ret_uid)
{
	struct text t = text_of(data, len), line;

	while (text_line(&t, &line, NULL)) {
		if (!text_starts(line, "Uid:"))
			continue;
		line.p += 4;
		return text_skip(&line, 1) && text_word_u32(&line, 10, ret_uid) ? 0 : -EBADMSG;
	}
	return -EBADMSG;
}

void procfs_process_init(struct procfs_process *p)
{
	*p = (struct procfs_process){ .uid = UINT32_MAX };
}

void procfs_process_deinit(struct procfs_process *p)
{
	reader_deinit(&p->reader);
	buf_deinit(&p->exe);
	buf_deinit(&p->cmdline);
	buf_deinit(&p->cgroup);
	buf_deinit(&p->listen);
	buf_deinit(&p->scratch);
}

static void reset(struct procfs_process *p, int32_t pid)
{
	p->pid = pid;
	p->uid = UINT32_MAX;
	p->stat = (struct procfs_stat){ 0 };
	buf_clear(&p->exe);
	buf_clear(&p->cmdline);
	buf_clear(&p->cgroup);
	buf_clear(&p->listen);
	p->is_cmdline_cut = false;
	p->exe_file = (struct procfs_exe){ 0 };
	p->exe_file_error = p->exe_error = p->cmdline_error = p->cgroup_error = p->uid_error =
		p->listen_error = 0;
}

static void path_of(char path[static PATH_ROOM], int32_t pid, const char *name)
{
	snprintf(path, PATH_ROOM, "%d/%s", pid, name);
}

/* A process that has no memory (any more): no exe and no arguments is the whole truth. */
static bool has_no_memory(const struct procfs_stat *s)
{
	return s->flags & PROCFS_FLAG_KTHREAD || s->state == 'Z' || s->state == 'X';
}

static int gone(int error)
{
	return error == -ENOENT || error == -ESRCH ? -ESRCH : error;
}

static int read_exe(struct tape *t, int handle, struct procfs_process *p)
{
	char path[PATH_ROOM];
	int r;

	path_of(path, p->pid, "exe");
	r = tape_proc_readlink(t, handle, path, &p->exe);
	return r == -ENOENT && has_no_memory(&p->stat) ? 0 : gone(r);
}

int procfs_exe_parse(const void *data, size_t len, struct procfs_exe *ret_exe)
{
	struct text t = text_of(data, len), rest;
	struct procfs_exe exe = { 0 };

	if (!text_word_u64(&t, 10, &exe.device) || !text_word_u64(&t, 10, &exe.inode) ||
	    !text_word_u32(&t, 10, &exe.links) || !text_word_u32(&t, 10, &exe.uid) ||
	    text_word(&t, &rest))
		return -EBADMSG;
	*ret_exe = exe;
	return 0;
}

/*
 * AT_STATX_DONT_SYNC takes what the kernel has of an inode in use: a file system of the process's
 * own (FUSE, NFS) is not asked, and cannot keep us waiting (fuse_update_get_attr(), Linux 4.20).
 */
static int read_exe_file(struct tape *t, int handle, struct procfs_process *p)
{
	char path[PATH_ROOM], text[96];
	struct statx st;
	int r = 0;

	path_of(path, p->pid, "exe.stat");
	buf_clear(&p->scratch);
	if (t->mode == TAPE_REPLAY) {
		r = tape_proc_read(t, -1, path, &p->scratch);
		return r < 0 ? r : procfs_exe_parse(p->scratch.data, p->scratch.len, &p->exe_file);
	}
	if (statx(handle, "exe", AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK | STATX_UID, &st) < 0)
		r = -errno;
	if (r == -ENOENT && has_no_memory(&p->stat))
		return r;
	if (r < 0) {
		tape_proc_fail(t, path, r);
		return gone(r);
	}
	p->exe_file = (struct procfs_exe){ makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino,
					   st.stx_nlink, st.stx_uid };
	r = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %u %u", p->exe_file.device,
		     p->exe_file.inode, p->exe_file.links, p->exe_file.uid);
	return tape_proc_put(t, path, text, (size_t)r);
}

static int read_cmdline(struct tape *t, int handle, struct procfs_process *p)
{
	char path[PATH_ROOM];
	int fd, r;

	path_of(path, p->pid, "cmdline");
	if (t->mode == TAPE_REPLAY) {
		r = tape_proc_read(t, -1, path, &p->cmdline);
	} else {
		fd = openat(handle, "cmdline", O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno
			   : reader_read(&p->reader, fd, PROCFS_CMDLINE_MAX, READER_DEADLINE_MS,
					 &p->cmdline);
	}
	if (r < 0) {
		tape_proc_fail(t, path, r);
		return gone(r);
	}
	p->is_cmdline_cut = p->cmdline.len >= PROCFS_CMDLINE_MAX;
	if (p->cmdline.len > PROCFS_CMDLINE_MAX)
		p->cmdline.len = PROCFS_CMDLINE_MAX;
	return tape_proc_put(t, path, p->cmdline.data, p->cmdline.len);
}

/*
 * Recorded is what procfs_listen_filter() leaves: an environment holds secrets. Like the command
 * line it lies in the process's memory, whose lock can be held for ever.
 */
static int read_listen(struct tape *t, int handle, struct procfs_process *p)
{
	char path[PATH_ROOM];
	int fd, r;

	path_of(path, p->pid, "environ");
	buf_clear(&p->scratch);
	if (t->mode == TAPE_REPLAY) {
		r = tape_proc_read(t, -1, path, &p->scratch);
	} else {
		fd = openat(handle, "environ", O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno
			   : reader_read(&p->reader, fd, PROCFS_ENVIRON_MAX, READER_DEADLINE_MS,
					 &p->scratch);
	}
	if (r < 0) {
		tape_proc_fail(t, path, r);
		return gone(r);
	}
	procfs_listen_filter(p->scratch.data, p->scratch.len, &p->listen);
	return tape_proc_put(t, path, p->listen.data, p->listen.len);
}

static int read_cgroup(struct tape *t, int handle, struct procfs_process *p)
{
	struct pv_bytes cgroup;
	char path[PATH_ROOM];
	int r;

	path_of(path, p->pid, "cgroup");
	buf_clear(&p->scratch);
	r = tape_proc_read(t, handle, path, &p->scratch);
	if (r < 0)
		return gone(r);
	r = procfs_cgroup_path(p->scratch.data, p->scratch.len, &cgroup);
	if (r == 0)
		buf_put(&p->cgroup, cgroup.data, cgroup.len);
	return r;
}

static int read_uid(struct tape *t, int handle, struct procfs_process *p)
{
	char path[PATH_ROOM];
	int r;

	path_of(path, p->pid, "status");
	buf_clear(&p->scratch);
	r = tape_proc_read(t, handle, path, &p->scratch);
	return r < 0 ? gone(r) : procfs_status_uid(p->scratch.data, p->scratch.len, &p->uid);
}

static int read_stat(struct tape *t, int handle, struct procfs_process *p)
{
	char path[PATH_ROOM];
	int r;

	path_of(path, p->pid, "stat");
	buf_clear(&p->scratch);
	r = tape_proc_read(t, handle, path, &p->scratch);
	if (r < 0)
		return r;
	return procfs_stat_parse(p->scratch.data, p->scratch.len, &p->stat);
}

static int open_handle(struct tape *t, int32_t pid, int *ret_fd)
{
	char name[PATH_ROOM];
	int r;

	if (t->mode == TAPE_REPLAY)
		return 0;
	if (t->procfd < 0)
		return -ENOENT;
	snprintf(name, sizeof(name), "%d", pid);
	*ret_fd = openat(t->procfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	r = -errno;
	path_of(name, pid, "stat");
	tape_proc_fail(t, name, r);
	return r;
}

static int first_buf_error(const struct procfs_process *p)
{
	const struct buf *bufs[] = { &p->exe, &p->cmdline, &p->cgroup, &p->listen, &p->scratch };

	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		if (buf_error(bufs[i]) < 0)
			return buf_error(bufs[i]);
	return 0;
}

int procfs_process_read(struct tape *t, int32_t pid, uint64_t expected_start_ticks, uint32_t needs,
			struct procfs_process *p)
{
	_cleanup_(cleanup_fd) int handle = -1;
	int r;

	reset(p, pid);
	r = open_handle(t, pid, &handle);
	if (r == 0)
		r = read_stat(t, handle, p);
	if (r < 0)
		return gone(r) == -ESRCH ? PROCFS_E_GONE : r;
	if (expected_start_ticks && p->stat.start_ticks != expected_start_ticks)
		return PROCFS_E_REUSED;
	if (needs & PV_NEED_EXE)
		p->exe_error = read_exe(t, handle, p);
	if (needs & PV_NEED_CMDLINE)
		p->cmdline_error = read_cmdline(t, handle, p);
	if (needs & PV_NEED_CGROUP)
		p->cgroup_error = read_cgroup(t, handle, p);
	if (needs & PV_NEED_PUSER)
		p->uid_error = read_uid(t, handle, p);
	if (needs & PV_NEED_LISTEN)
		p->listen_error = read_listen(t, handle, p);
	if (needs & PV_NEED_VERDICT)
		p->exe_file_error = read_exe_file(t, handle, p);
	return first_buf_error(p);
}
