/* SPDX-License-Identifier: MIT */
/*
 * A name that ip-netns gave wins over a container's, that over the pid of the first process: so
 * names are visited first, then processes in the order of their numbers, then other mounts.
 */
#include "procfs/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "procfs/cgroup.h"
#include "procfs/process.h"
#include "procfs/scan-internal.h"
#include "procfs/text.h"

#define STREAM "netns"
#define LINK_PREFIX "net:["
/* What the digits of a container's id are cut to, as its own tools do. */
#define ID_SHORT 12
#define ID_LONG 64
/* A forged recording must not make us look for one among millions. */
#define NAMESPACES_MAX 100000

static void netns_free(struct procfs_netns *n)
{
	free(n->name);
	free(n->mount);
	free(n->runtime);
	free(n->container);
}

void procfs_netns_list_deinit(struct procfs_netns_list *list)
{
	for (size_t i = 0; i < list->items.n; i++)
		netns_free(&list->items.items[i]);
	vec_deinit(&list->items);
}

bool procfs_netns_link_parse(const void *data, size_t len, uint64_t *ret_inode)
{
	struct text t = text_of(data, len), number;

	if (!text_starts(t, LINK_PREFIX) || t.end[-1] != ']')
		return false;
	number = (struct text){ t.p + strlen(LINK_PREFIX), t.end - 1 };
	return text_u64(number, 10, ret_inode) && *ret_inode;
}

struct procfs_netns *procfs_netns_get(const struct procfs_netns_list *list, uint64_t inode)
{
	for (size_t i = 0; inode && i < list->items.n; i++)
		if (list->items.items[i].inode == inode)
			return &list->items.items[i];
	return NULL;
}

static int set_text(char **text, const char *data, size_t len)
{
	*text = strndup(data, len);
	return *text ? 0 : -ENOMEM;
}

/* The one of that inode, new if need be; NULL = out of memory. Name inode 0 is always new. */
static struct procfs_netns *get_or_add(struct procfs_netns_list *list, uint64_t inode)
{
	struct procfs_netns *old = procfs_netns_get(list, inode);

	if (old)
		return old;
	if (vec_push(&list->items, ((struct procfs_netns){ .inode = inode, .fd = -1 })) < 0)
		return NULL;
	return &list->items.items[list->items.n - 1];
}

/* ---- mounts ---- */

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static bool unescape(struct text t, char *out, size_t size)
{
	size_t n = 0;

	while (t.p < t.end && n + 1 < size) {
		if (*t.p == '\\' && t.end - t.p >= 4 && t.p[1] >= '0' && t.p[1] <= '3' &&
		    t.p[2] >= '0' && t.p[2] <= '7' && t.p[3] >= '0' && t.p[3] <= '7') {
			out[n++] =
				(char)((t.p[1] - '0') << 6 | (t.p[2] - '0') << 3 | (t.p[3] - '0'));
			t.p += 4;
		} else {
			out[n++] = *t.p++;
		}
	}
	out[n] = 0;
	return t.p == t.end && !memchr(out, 0, n);
}

/* "68 65 0:4 net:[4026532281] /run/netns/blue rw shared:30 - nsfs nsfs rw" */
int procfs_netns_mounts_parse(const void *data, size_t len,
			      int (*mount)(void *userdata, uint64_t inode, const char *path),
			      void *userdata)
{
	struct text t = text_of(data, len), line, root, point;
	char path[PATH_MAX];
	uint64_t inode;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL)) {
		if (!text_skip(&line, 3) || !text_word(&line, &root) || !text_word(&line, &point) ||
		    !procfs_netns_link_parse(root.p, text_len(root), &inode))
			continue;
		/* a folder of that name on another file system has a slash before it */
		if (unescape(point, path, sizeof(path)))
			r = mount(userdata, inode, path);
	}
	return r;
}

/* What follows the folder, when the path is a name in it; /var/run is a link to /run. */
static const char *name_in(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	if (!strncmp(path, "/var/run/", 9) && !strncmp(dir, "/run/", 5))
		path += strlen("/var");
	if (strncmp(path, dir, n) || path[n] != '/' || !path[n + 1] || strchr(path + n + 1, '/'))
		return NULL;
	return path + n + 1;
}

struct mounts {
	struct procfs_netns_list *list;
	const char *names_dir;
	bool named;	   /* those in names_dir are taken, or all others */
	VEC(char *) names; /* of those in names_dir */
};

static void mounts_deinit(struct mounts *m)
{
	for (size_t i = 0; i < m->names.n; i++)
		free(m->names.items[i]);
	vec_deinit(&m->names);
}

static int note_name(struct mounts *m, const char *name)
{
	char *copy = strdup(name);

	if (!copy || vec_push(&m->names, copy) < 0) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

static bool has_name(const struct mounts *m, const char *name)
{
	for (size_t i = 0; i < m->names.n; i++)
		if (!strcmp(m->names.items[i], name))
			return true;
	return false;
}

static int take_mount(void *userdata, uint64_t inode, const char *path)
{
	struct mounts *m = userdata;
	const char *name = name_in(m->names_dir, path), *shown = name ? name : path;
	struct procfs_netns *n;
	int r;

	if (m->named != (name != NULL))
		return 0;
	n = get_or_add(m->list, inode);
	r = n && name ? note_name(m, name) : 0;
	if (!n || r < 0)
		return -ENOMEM;
	if (!n->name) {
		n->by = name ? PV_NETNS_BY_NAME : PV_NETNS_BY_MOUNT;
		r = set_text(&n->name, shown, strlen(shown));
	}
	if (r == 0 && !n->mount)
		r = set_text(&n->mount, path, strlen(path));
	return r;
}

/* A file that was left where a namespace was mounted, before the host was started again. */
static int add_stale(struct procfs_netns_list *list, const char *name, const char *path)
{
	struct procfs_netns *n = get_or_add(list, 0);

	if (!n || set_text(&n->name, name, strlen(name)) < 0)
		return -ENOMEM;
	n->by = PV_NETNS_BY_NAME;
	return set_text(&n->mount, path, strlen(path));
}

/* One that mountinfo does not show may be there all the same: it shows what our root reaches. */
static int take_unmounted(struct mounts *m, const char *name)
{
	char path[PATH_MAX];
	uint64_t inode = 0;

	if (snprintf(path, sizeof(path), "%s/%s", m->names_dir, name) >= (int)sizeof(path))
		return 0;
	if (procfs_netns_at(path, &inode) == 0)
		return take_mount(m, inode, path);
	return add_stale(m->list, name, path);
}

static int list_names(struct mounts *m)
{
	_cleanup_(cleanup_dir) DIR *dir = opendir(m->names_dir);
	struct dirent *e;
	int r = 0;

	while (r == 0 && dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && !has_name(m, e->d_name))
			r = take_unmounted(m, e->d_name);
	return r;
}

/* ---- processes ---- */

int procfs_netns_of(struct tape *t, int32_t pid, uint64_t *ret_inode)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	r = tape_proc_readlink(t, -1, path, &b);
	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	return procfs_netns_link_parse(b.data, b.len, ret_inode) ? 0 : -EBADMSG;
}

/* Live, and not recorded: what is found is. */
static int read_link(int procfd, const char *path, uint64_t *ret_inode)
{
	char link[64];
	ssize_t n = readlinkat(procfd, path, link, sizeof(link));

	if (n < 0)
		return -errno;
	return procfs_netns_link_parse(link, (size_t)n, ret_inode) ? 0 : -EBADMSG;
}

static int take_task(struct procfs_netns_list *list, uint64_t inode, int32_t pid, int32_t tid)
{
	struct procfs_netns *n = get_or_add(list, inode);

	if (!n)
		return -ENOMEM;
	if (!n->pid || pid < n->pid) {
		n->pid = pid;
		n->tid = tid;
	}
	return 0;
}

/* Kernel threads are in the first namespace, and no gap. */
static bool is_kernel_thread(int procfd, int32_t pid)
{
	_cleanup_(cleanup_fd) int fd = -1;
	char path[24], text[2048];
	struct procfs_stat stat;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/stat", pid);
	fd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	return n > 0 && procfs_stat_parse(text, (size_t)n, &stat) == 0 &&
	       stat.flags & PROCFS_FLAG_KTHREAD;
}

/* A thread may have moved away from its process. One link each, and two more, are task's. */
static int list_threads(struct procfs_netns_list *list, int procfd, int32_t pid)
{
	_cleanup_(cleanup_fd) int task = -1;
	pid_vec tids = { 0 };
	struct stat st;
	char path[48];
	uint64_t inode;
	int r;

	snprintf(path, sizeof(path), "%d/task", pid);
	if (fstatat(procfd, path, &st, 0) < 0 || st.st_nlink <= 3)
		return 0;
	task = openat(procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = task < 0 ? 0 : procfs_list_numbers(task, &tids);
	for (size_t i = 0; task >= 0 && r == 0 && i < tids.n; i++) {
		snprintf(path, sizeof(path), "%d/ns/net", tids.items[i]);
		if (tids.items[i] != pid && read_link(task, path, &inode) == 0)
			r = take_task(list, inode, pid, tids.items[i]);
	}
	vec_deinit(&tids);
	/* it may have ended meanwhile */
	return r == -ENOMEM ? r : 0;
}

static int list_process(struct procfs_netns_list *list, int procfd, int32_t pid)
{
	char path[32];
	uint64_t inode;
	int r;

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	r = read_link(procfd, path, &inode);
	if (r == -EACCES || r == -EPERM) {
		list->n_denied += !is_kernel_thread(procfd, pid);
		return 0;
	}
	if (r == 0)
		r = take_task(list, inode, pid, 0);
	/* the first thread may have exited before the others */
	return r == -ENOMEM ? r : list_threads(list, procfd, pid);
}

static int list_processes(struct procfs_netns_list *list, int procfd)
{
	_cleanup_(cleanup_fd) int fd = openat(procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_vec pids = { 0 };
	int r = fd < 0 ? -errno : procfs_list_numbers(fd, &pids);

	/* we ourselves are in the first, and make no good name for it */
	for (size_t i = 0; r == 0 && i < pids.n; i++)
		if (pids.items[i] != getpid())
			r = list_process(list, procfd, pids.items[i]);
	vec_deinit(&pids);
	return r;
}

/* ---- names ---- */

static bool is_hex(const char *p, size_t len)
{
	return strspn(p, "0123456789abcdef") >= len;
}

static int read_container(struct tape *t, struct procfs_netns *n)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT, name = BUF_INIT;
	struct procfs_cgroup cgroup;
	struct pv_bytes path;
	char file[32];
	int r = 0;

	snprintf(file, sizeof(file), "%d/cgroup", n->pid);
	if (file_read_at(t->procfd, file, &text) < 0 ||
	    procfs_cgroup_path(text.data, text.len, &path) < 0)
		return buf_error(&text);
	procfs_cgroup_parse(path.data, path.len, &cgroup);
	procfs_cgroup_put_container(&cgroup, &name);
	if (!cgroup.container.len || buf_error(&name) < 0)
		return buf_error(&name);
	r = set_text(&n->container, name.data, name.len);
	if (r == 0 && cgroup.runtime)
		r = set_text(&n->runtime, cgroup.runtime, strlen(cgroup.runtime));
	return r;
}

static int name_by_process(struct procfs_netns *n)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (n->container) {
		size_t len = strlen(n->container);
		const char *slash = strrchr(n->container, '/');
		const char *id = slash ? slash + 1 : n->container;
		size_t before = (size_t)(id - n->container);

		n->by = PV_NETNS_BY_CONTAINER;
		if (len - before == ID_LONG && is_hex(id, ID_LONG))
			len = before + ID_SHORT;
		return set_text(&n->name, n->container, len);
	}
	n->by = PV_NETNS_BY_PROCESS;
	buf_printf(&b, "pid %d", n->pid);
	return buf_str(&b) ? set_text(&n->name, b.data, b.len) : -ENOMEM;
}

static int name_processes(struct tape *t, struct procfs_netns_list *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->items.n; i++) {
		struct procfs_netns *n = &list->items.items[i];

		if (n->pid)
			r = read_container(t, n);
		if (r == 0 && n->pid && !n->name)
			r = name_by_process(n);
	}
	return r;
}

int procfs_netns_add_descriptor(struct procfs_netns_list *list, uint64_t inode, int32_t pid,
				int32_t fd, bool is_socket)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct procfs_netns *n;

	if (procfs_netns_get(list, inode))
		return 1;
	n = get_or_add(list, inode);
	buf_printf(&b, "pid %d fd %d", pid, fd);
	if (!n || !buf_str(&b))
		return -ENOMEM;
	n->by = PV_NETNS_BY_DESCRIPTOR;
	n->pid = pid;
	n->fd = fd;
	n->is_socket = is_socket;
	return set_text(&n->name, b.data, b.len);
}

int procfs_netns_add_path(struct procfs_netns_list *list, uint64_t inode, const char *path)
{
	struct procfs_netns *n;

	if (procfs_netns_get(list, inode))
		return 1;
	n = get_or_add(list, inode);
	if (!n || set_text(&n->name, path, strlen(path)) < 0)
		return -ENOMEM;
	n->by = PV_NETNS_BY_MOUNT;
	return set_text(&n->mount, path, strlen(path));
}

/* ---- live and recorded ---- */

static int list_live(struct tape *t, uint64_t own, const char *names_dir,
		     struct procfs_netns_list *list)
{
	_cleanup_(cleanup_buf) struct buf mountinfo = BUF_INIT;
	_cleanup_(mounts_deinit) struct mounts m = { .list = list,
						     .names_dir = names_dir,
						     .named = true };
	int r = t->procfd < 0 ? -ENOENT : 0;

	if (r == 0 && !get_or_add(list, own))
		r = -ENOMEM;
	if (r == 0 && file_read_at(t->procfd, "self/mountinfo", &mountinfo) == -ENOMEM)
		r = -ENOMEM;
	if (r == 0)
		r = procfs_netns_mounts_parse(mountinfo.data, mountinfo.len, take_mount, &m);
	if (r == 0)
		r = list_names(&m);
	if (r == 0)
		r = list_processes(list, t->procfd);
	m.named = false;
	if (r == 0)
		r = name_processes(t, list);
	return r < 0 ? r : procfs_netns_mounts_parse(mountinfo.data, mountinfo.len, take_mount, &m);
}

static void put_field(struct buf *b, const char *text)
{
	buf_putc(b, ' ');
	if (!text)
		buf_putc(b, '-');
	for (; text && *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f ||
		    strchr("%-", *text))
			buf_printf(b, "%%%02x", (unsigned char)*text);
		else
			buf_putc(b, *text);
}

static int put_list(struct tape *t, const struct procfs_netns_list *list)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	buf_printf(&b, "%llu\n", (unsigned long long)list->n_denied);
	for (size_t i = 0; i < list->items.n; i++) {
		const struct procfs_netns *n = &list->items.items[i];

		buf_printf(&b, "%llu %u %d", (unsigned long long)n->inode, (unsigned)n->by, n->pid);
		put_field(&b, n->name);
		put_field(&b, n->mount);
		put_field(&b, n->runtime);
		put_field(&b, n->container);
		buf_putc(&b, '\n');
	}
	return buf_error(&b) < 0 ? buf_error(&b) : tape_stream_put(t, STREAM, b.data, b.len);
}

/* 0, -EBADMSG or -ENOMEM */
static int take_field(struct text *line, char **ret_text)
{
	struct text word;
	uint32_t byte;
	char *out;

	if (!text_word(line, &word))
		return -EBADMSG;
	if (text_is(word, "-"))
		return 0;
	out = *ret_text = calloc(text_len(word) + 1, 1);
	if (!out)
		return -ENOMEM;
	while (word.p < word.end) {
		if (*word.p != '%') {
			*out++ = *word.p++;
			continue;
		}
		if (text_len(word) < 3 || !text_u32(text_of(word.p + 1, 2), 16, &byte) || !byte)
			return -EBADMSG;
		*out++ = (char)byte;
		word.p += 3;
	}
	return 0;
}

static int take_line(struct text line, struct procfs_netns_list *list)
{
	struct procfs_netns n = { .fd = -1 };
	char **fields[] = { &n.name, &n.mount, &n.runtime, &n.container };
	uint32_t by, pid;
	int r = 0;

	if (!text_word_u64(&line, 10, &n.inode) || !text_word_u32(&line, 10, &by) ||
	    by >= PV_NETNS_BY_N || !text_word_u32(&line, 10, &pid) || pid > INT32_MAX)
		return -EBADMSG;
	/* one inode is one namespace */
	if (procfs_netns_get(list, n.inode))
		return -EBADMSG;
	n.by = (enum pv_netns_by)by;
	n.pid = (int32_t)pid;
	for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(*fields); i++)
		r = take_field(&line, fields[i]);
	if (r == 0)
		r = vec_push(&list->items, n);
	if (r < 0)
		netns_free(&n);
	return r;
}

int procfs_netns_list_parse(const void *data, size_t len, struct procfs_netns_list *list)
{
	struct text t = text_of(data, len), line;
	int r = 0;

	*list = (struct procfs_netns_list){ 0 };
	if (!text_line(&t, &line, NULL) || !text_u64(line, 10, &list->n_denied))
		return -EBADMSG;
	while (r == 0 && text_line(&t, &line, NULL))
		r = list->items.n < NAMESPACES_MAX ? take_line(line, list) : -EBADMSG;
	if (r == 0 && list->items.n == 0)
		r = -EBADMSG;
	if (r < 0)
		procfs_netns_list_deinit(list);
	return r;
}

static int list_replay(struct tape *t, struct procfs_netns_list *list)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = tape_stream_get(t, STREAM, &b);

	return r < 0 ? r : procfs_netns_list_parse(b.data, b.len, list);
}

int procfs_netns_list(struct tape *t, uint64_t own, const char *names_dir,
		      struct procfs_netns_list *list)
{
	int r;

	*list = (struct procfs_netns_list){ 0 };
	if (t->mode == TAPE_REPLAY)
		return list_replay(t, list);
	r = list_live(t, own, names_dir, list);
	if (r == 0)
		r = put_list(t, list);
	else
		tape_stream_fail(t, STREAM, r);
	if (r < 0)
		procfs_netns_list_deinit(list);
	return r;
}

/* ---- opening ---- */

/* Nothing at such a path can keep us waiting: a pipe would. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* The descriptor, when it is that very namespace (inode 0: any); -ESTALE, -errno. */
static int check(int fd, uint64_t inode, uint64_t *ret_inode)
{
	_cleanup_(cleanup_fd) int owned = fd;
	struct stat st;

	if (owned < 0)
		return -errno;
	/* any file may have that inode number */
	if (ioctl(owned, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(owned, &st) < 0)
		return -EINVAL;
	if (inode && st.st_ino != inode)
		return -ESTALE;
	if (ret_inode)
		*ret_inode = st.st_ino;
	return steal_fd(&owned);
}

int procfs_netns_at(const char *path, uint64_t *ret_inode)
{
	_cleanup_(cleanup_fd) int fd = check(open(path, OPEN_FLAGS), 0, ret_inode);

	return fd < 0 ? fd : 0;
}

/* The namespace of a socket that another process holds, which our /proc numbers as we do. */
static int open_of_socket(const struct procfs_netns *n)
{
	_cleanup_(cleanup_fd) int pidfd = (int)syscall(SYS_pidfd_open, n->pid, 0);
	_cleanup_(cleanup_fd) int sock = -1;

	if (pidfd < 0)
		return -errno;
	sock = (int)syscall(SYS_pidfd_getfd, pidfd, n->fd, 0);
	if (sock < 0)
		return -errno;
	return check(ioctl(sock, SIOCGSKNS), n->inode, NULL);
}

static int open_task(struct tape *t, const struct procfs_netns *n)
{
	char path[64];

	if (n->is_socket)
		return open_of_socket(n);
	if (n->fd >= 0)
		snprintf(path, sizeof(path), "%d/fd/%d", n->pid, n->fd);
	else if (n->tid)
		snprintf(path, sizeof(path), "%d/task/%d/ns/net", n->pid, n->tid);
	else
		snprintf(path, sizeof(path), "%d/ns/net", n->pid);
	return check(openat(t->procfd, path, OPEN_FLAGS), n->inode, NULL);
}

int procfs_netns_open(struct tape *t, const struct procfs_netns *n)
{
	int r = -ESTALE;

	if (!n->inode)
		return -ENXIO;
	if (n->pid)
		r = open_task(t, n);
	/* a path that is not below /run may lead anywhere: only where nothing else does */
	if (r < 0 && n->mount)
		r = check(open(n->mount, OPEN_FLAGS), n->inode, NULL);
	/* of what is gone the kernel says so in several ways; we have seen it */
	return r == -ENOENT || r == -ESRCH || r == -EINVAL ? -ESTALE : r;
}
