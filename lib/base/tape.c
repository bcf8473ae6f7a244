/* SPDX-License-Identifier: MIT */
#include "base/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fdio.h"

#define MANIFEST "manifest"
/* A dump of a million sockets with every detail is half as large. */
#define FILE_MAX_BYTES ((off_t)1 << 30)
#define LINK_MAX_BYTES 4096
/* of a stream, with its scope and suffix */
#define PATH_SIZE (NAME_MAX + 64)

static int is_empty_dir(int dirfd)
{
	_cleanup_(cleanup_dir) DIR *d = fdopendir(dup(dirfd));
	struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			return -EEXIST;
	return 0;
}

static int open_record(struct tape *t, const char *dir)
{
	int r;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	t->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dirfd < 0)
		return -errno;
	r = is_empty_dir(t->dirfd);
	if (r < 0)
		return r;
	if (mkdirat(t->dirfd, "streams", 0700) < 0 || mkdirat(t->dirfd, "proc", 0700) < 0)
		return -errno;
	return file_append_at(t->dirfd, MANIFEST, "portavoz-recording=1\n", 21);
}

/* Opens a file of the recording without following links or leaving the folder. */
static int open_beneath(int dirfd, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int read_beneath(int dirfd, const char *path, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd = open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK);
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return -ENODATA;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* a sparse file costs who sent it nothing, and us its size in memory */
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES)
		return -EBADMSG;
	return fd_read_all(fd, b);
}

static int open_replay(struct tape *t, const char *dir)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	t->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dirfd < 0)
		return -errno;
	if (read_beneath(t->dirfd, MANIFEST, &b) < 0 || b.len < 21 ||
	    memcmp(b.data, "portavoz-recording=1\n", 21))
		return -EINVAL;
	t->procfd = open_beneath(t->dirfd, "proc", O_RDONLY | O_DIRECTORY);
	return 0;
}

int tape_open(struct tape *t, const char *record_dir, const char *replay_dir)
{
	int r = 0;

	*t = (struct tape)TAPE_INIT;
	if (record_dir && replay_dir)
		return -EINVAL;
	if (record_dir) {
		t->mode = TAPE_RECORD;
		r = open_record(t, record_dir);
	} else if (replay_dir) {
		t->mode = TAPE_REPLAY;
		r = open_replay(t, replay_dir);
	}
	if (t->mode != TAPE_REPLAY)
		t->procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0)
		tape_close(t);
	return r;
}

void tape_close(struct tape *t)
{
	t->dirfd = close_fd(t->dirfd);
	t->procfd = close_fd(t->procfd);
}

void tape_scope(const struct tape *t, uint64_t netns_inode, struct tape *ret_scoped)
{
	char proc[sizeof(t->scope) + 8];

	*ret_scoped = *t;
	ret_scoped->error = 0;
	snprintf(ret_scoped->scope, sizeof(t->scope), "netns/%" PRIu64 "/", netns_inode);
	if (t->mode != TAPE_REPLAY)
		return;
	snprintf(proc, sizeof(proc), "%sproc", ret_scoped->scope);
	ret_scoped->procfd = open_beneath(t->dirfd, proc, O_RDONLY | O_DIRECTORY);
}

void tape_scope_close(struct tape *scoped, struct tape *t)
{
	if (scoped->mode == TAPE_REPLAY)
		close_fd(scoped->procfd);
	if (t->error == 0)
		t->error = scoped->error;
	*scoped = (struct tape)TAPE_INIT;
}

/* A failure stays in t->error: few callers can tell it from one of the source. */
static int append(struct tape *t, const char *path, const void *data, size_t len)
{
	int r = mkdir_parents_at(t->dirfd, path);

	if (r == 0)
		r = file_append_at(t->dirfd, path, data, len);
	if (r < 0 && t->error == 0)
		t->error = r;
	return r;
}

int tape_note_put(struct tape *t, const char *key, const char *value)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (t->mode != TAPE_RECORD)
		return 0;
	buf_printf(&b, "%s=%s\n", key, value);
	return buf_error(&b) < 0 ? -ENOMEM : append(t, MANIFEST, b.data, b.len);
}

int tape_note_get(struct tape *t, const char *key, char *ret_value, size_t size)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t n = strlen(key), len;
	const char *line, *next;
	int r = read_beneath(t->dirfd, MANIFEST, &b);

	if (r < 0)
		return r;
	if (!buf_str(&b))
		return -ENOMEM;
	for (line = b.data; *line; line = next) {
		len = strcspn(line, "\n");
		next = line + len + (line[len] == '\n');
		if (len <= n || len - n - 1 >= size || strncmp(line, key, n) || line[n] != '=')
			continue;
		memcpy(ret_value, line + n + 1, len - n - 1);
		ret_value[len - n - 1] = 0;
		return 0;
	}
	return -ENODATA;
}

int tape_stream_put(struct tape *t, const char *name, const void *data, size_t len)
{
	char path[PATH_SIZE];

	if (t->mode != TAPE_RECORD)
		return 0;
	snprintf(path, sizeof(path), "%sstreams/%s", t->scope, name);
	return append(t, path, data, len);
}

int tape_stream_fail(struct tape *t, const char *name, int error)
{
	char path[PATH_SIZE], text[16];
	int n = snprintf(text, sizeof(text), "%d\n", -error);

	if (t->mode != TAPE_RECORD)
		return 0;
	snprintf(path, sizeof(path), "%sstreams/%s.error", t->scope, name);
	return append(t, path, text, (size_t)n);
}

/* A recorded failure: its negative errno, -EBADMSG (no errno), -ENODATA (there is none). */
static int read_error(int dirfd, const char *path)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	int r = read_beneath(dirfd, path, &text);
	long error;

	if (r < 0)
		return r;
	error = strtol(buf_str(&text) ? buf_str(&text) : "", NULL, 10);
	return error > 0 && error < 4096 ? (int)-error : -EBADMSG;
}

int tape_stream_get(struct tape *t, const char *name, struct buf *b)
{
	char path[PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "%sstreams/%s.error", t->scope, name);
	r = read_error(t->dirfd, path);
	if (r != -ENODATA)
		return r;
	snprintf(path, sizeof(path), "%sstreams/%s", t->scope, name);
	return read_beneath(t->dirfd, path, b);
}

static bool is_recorded(const struct tape *t, const char *path, const char *suffix)
{
	char name[PATH_MAX];

	return snprintf(name, sizeof(name), "%sproc/%s%s", t->scope, path, suffix) <
		       (int)sizeof(name) &&
	       faccessat(t->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int record_proc(struct tape *t, const char *path, const char *suffix, const void *data,
		       size_t len)
{
	char name[PATH_MAX];

	if (t->mode != TAPE_RECORD)
		return 0;
	/* what is read twice in one run keeps its first outcome: replay must see one truth */
	if (is_recorded(t, path, suffix) || is_recorded(t, path, ".error"))
		return 0;
	if (snprintf(name, sizeof(name), "%sproc/%s%s", t->scope, path, suffix) >=
	    (int)sizeof(name))
		return -ENAMETOOLONG;
	return append(t, name, data, len);
}

int tape_proc_put(struct tape *t, const char *path, const void *data, size_t len)
{
	return record_proc(t, path, "", data, len);
}

int tape_proc_fail(struct tape *t, const char *path, int error)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", -error);

	if (t->mode != TAPE_RECORD || is_recorded(t, path, "") || is_recorded(t, path, ".link"))
		return 0;
	return record_proc(t, path, ".error", text, (size_t)n);
}

static int replay_proc(struct tape *t, const char *path, const char *suffix, struct buf *b)
{
	char name[PATH_MAX];
	int r;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	r = read_beneath(t->procfd, name, b);
	if (r != -ENODATA)
		return r;
	snprintf(name, sizeof(name), "%s.error", path);
	return read_error(t->procfd, name);
}

static const char *below(const char *path, int dirfd)
{
	const char *slash = strchr(path, '/');

	return dirfd >= 0 && slash ? slash + 1 : path;
}

/* /proc/net is that of the process's first thread, wherever the caller is. */
static int read_of_thread(const struct tape *t, const char *path, struct buf *b)
{
	char own[PATH_MAX];

	if (snprintf(own, sizeof(own), "thread-self/%s", path) >= (int)sizeof(own))
		return -ENAMETOOLONG;
	return file_read_at(t->procfd, own, b);
}

int tape_proc_read(struct tape *t, int dirfd, const char *path, struct buf *b)
{
	size_t start = b->len;
	int r;

	if (t->procfd < 0)
		return t->mode == TAPE_REPLAY ? -ENODATA : -ENOENT;
	if (t->mode == TAPE_REPLAY)
		return replay_proc(t, path, "", b);
	r = dirfd < 0 && t->scope[0] && !strncmp(path, "net/", 4)
		    ? read_of_thread(t, path, b)
		    : file_read_at(dirfd >= 0 ? dirfd : t->procfd, below(path, dirfd), b);
	if (r < 0) {
		tape_proc_fail(t, path, r);
		return r;
	}
	return tape_proc_put(t, path, b->data ? b->data + start : "", b->len - start);
}

int tape_proc_readlink(struct tape *t, int dirfd, const char *path, struct buf *b)
{
	ssize_t n;
	char *p;

	if (t->procfd < 0)
		return t->mode == TAPE_REPLAY ? -ENODATA : -ENOENT;
	if (t->mode == TAPE_REPLAY)
		return replay_proc(t, path, ".link", b);
	p = buf_room(b, LINK_MAX_BYTES);
	if (!p)
		return -ENOMEM;
	n = readlinkat(dirfd >= 0 ? dirfd : t->procfd, below(path, dirfd), p, LINK_MAX_BYTES);
	if (n < 0) {
		int r = -errno;

		tape_proc_fail(t, path, r);
		return r;
	}
	b->len += (size_t)n;
	return record_proc(t, path, ".link", p, (size_t)n);
}
