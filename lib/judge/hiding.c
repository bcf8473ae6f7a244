/* SPDX-License-Identifier: MIT */
/*
 * Processes that live and are not to be seen in /proc: something is mounted over their entry, the
 * entry is not there, or listings made through the C library, as other programs make them, leave
 * them out. The kernel's own numbers are asked for beside, by system calls; and what a process
 * holds whose entry is covered is read below the mount.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "judge/hiding.h"
#include "judge/judge-internal.h"
#include "procfs/scan.h"

static const char how_mounted[] = "something is mounted over its entry in /proc";
static const char how_missing[] = "it lives, but has no entry of its own in /proc";
static const char how_listing[] = "a library loaded into this program leaves it out of listings of "
				  "/proc";

/* The first reason stays: a mount also makes the entry miss. */
static int hide(struct judge *j, int32_t pid, const char *how)
{
	uint32_t ignored;
	int r = map_insert(&j->hidden, (uint64_t)pid, (uint32_t)j->hidden_how.n, &ignored);

	if (r == 0)
		r = vec_push(&j->hidden_how, how);
	return r < 0 ? r : 0;
}

/* --- mounts --- */

/* The fifth word of a line of mountinfo (proc(5)): "/proc/PID" or something below it. */
static int32_t pid_of_mount(struct text line)
{
	struct text place;
	uint32_t pid = 0;

	if (!text_skip(&line, 4) || !text_word(&line, &place) || !text_starts(place, "/proc/"))
		return 0;
	place.p += 6;
	text_until(&place, '/', &line);
	return text_u32(line, 10, &pid) && pid <= INT32_MAX ? (int32_t)pid : 0;
}

int hiding_mounts_parse(const void *data, size_t len, int (*found)(void *userdata, int32_t pid),
			void *userdata)
{
	struct text t = text_of(data, len), line;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL)) {
		int32_t pid = pid_of_mount(line);

		if (pid > 0)
			r = found(userdata, pid);
	}
	return r;
}

static int hide_mounted(void *userdata, int32_t pid)
{
	return hide(userdata, pid, how_mounted);
}

/* --- what lies below the mounts --- */

/* A socket and who holds it, as a recording has it. */
struct covered {
	uint32_t inode;
	int32_t pid;
};

struct below {
	struct judge *j;
	VEC(struct covered) found;
};

static int note_covered(void *userdata, const struct owner_record *r)
{
	struct below *below = userdata;
	struct covered covered = { r->inode, r->pid };

	if (map_get(&below->j->hidden, (uint64_t)r->pid) == MAP_NONE)
		return 0;
	return vec_push(&below->found, covered);
}

/*
 * The same procfs without what is mounted on it: a copy of its mount that nobody else ever sees
 * (open_tree(2), Linux 5.2; not recursive). Who may not mount may not make one.
 */
static int look_below(struct below *below)
{
	static const struct procfs_scan_options options = { .n_workers = 1 };
	_cleanup_(cleanup_fd) int fd =
		(int)syscall(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct tape live = TAPE_INIT;
	struct procfs_scan_stats stats;

	if (fd < 0)
		return -errno;
	live.procfd = fd;
	return procfs_scan_owners(&live, &options, note_covered, below, &stats);
}

/* Recorded as nothing where it was not possible, else as one that is no socket and those found. */
static int find_covered(struct judge *j)
{
	static const char key[] = "sockets below mounts";
	struct below below = { .j = j };
	struct covered none = { 0 };
	struct pv_bytes value;
	int r = 0;

	if (!j->hidden.n)
		return 0;
	if (recall_get(&j->recall, key, &value)) {
		for (uint32_t i = 0; r == 0 && value.len - i >= sizeof(none); i += sizeof(none)) {
			memcpy(&none, value.data + i, sizeof(none));
			r = vec_push(&below.found, none);
		}
	} else {
		r = vec_push(&below.found, none);
		if (r == 0 && look_below(&below) < 0)
			below.found.n = 0;
		recall_put(&j->recall, key, below.found.items,
			   below.found.n * sizeof(*below.found.items));
	}
	j->has_looked_below = below.found.n > 0;
	for (size_t i = 1; r == 0 && i < below.found.n; i++)
		if (below.found.items[i].pid > 0)
			r = map_put(&j->covered, below.found.items[i].inode,
				    (uint32_t)below.found.items[i].pid);
	vec_deinit(&below.found);
	return r;
}

/* --- entries that are missing --- */

static bool is_alive(struct judge *j, int32_t pid)
{
	struct pv_bytes value;
	char key[32];
	bool alive;

	snprintf(key, sizeof(key), "alive %d", pid);
	if (recall_get(&j->recall, key, &value))
		return value.len == 1 && *value.data == '1';
	alive = kill(pid, 0) == 0 || errno == EPERM;
	recall_put(&j->recall, key, alive ? "1" : "0", 1);
	return alive;
}

/*
 * Whom an iterator named as holder and whose entry could not be found. With hidepid, or with a
 * procfs of another pid namespace, that proves nothing.
 */
static int hide_missing(struct judge *j)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->n_subjects; i++) {
		const struct pv_process *p = j->subjects[i].p;

		if (p->reason == PV_REASON_GONE && !(p->known & PV_PROCESS_STAT) &&
		    is_alive(j, p->pid))
			r = hide(j, p->pid, how_missing);
	}
	return r;
}

/* --- listings --- */

struct kernel_dirent {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

typedef VEC(int32_t) numbers;

static int add_number(numbers *v, const char *name)
{
	uint32_t pid;

	if (!text_u32(text_of(name, strlen(name)), 10, &pid) || pid > INT32_MAX)
		return 0;
	return vec_push(v, (int32_t)pid);
}

/* As the kernel tells it: no library stands between. */
static int list_by_kernel(numbers *v)
{
	_cleanup_(cleanup_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct kernel_dirent) char entries[16384];
	long n = 0;
	int r = fd < 0 ? -errno : 0;

	while (r == 0 && (n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; r == 0 && at < n;) {
			const struct kernel_dirent *e = (const void *)(entries + at);

			r = add_number(v, e->d_name);
			at += e->d_reclen;
		}
	}
	return n < 0 ? -errno : r;
}

/* As other programs see it. */
static int list_by_library(struct map *seen)
{
	_cleanup_(cleanup_dir) DIR *d = opendir("/proc");
	numbers v = { 0 };
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (r == 0 && (e = readdir(d)))
		r = add_number(&v, e->d_name);
	for (size_t i = 0; r == 0 && i < v.n; i++)
		r = map_put(seen, (uint64_t)v.items[i], 0);
	vec_deinit(&v);
	return r;
}

/* Only what the kernel lists before and after has been there all the time. */
static int compare_listings(numbers *missing)
{
	_cleanup_(cleanup_map) struct map seen = MAP_INIT;
	numbers before = { 0 }, after = { 0 };
	int r = list_by_kernel(&before);

	if (r == 0)
		r = list_by_library(&seen);
	if (r == 0)
		r = list_by_kernel(&after);
	for (size_t i = 0, k = 0; r == 0 && i < before.n; i++) {
		int32_t pid = before.items[i];

		/* both come in the order of pids */
		while (k < after.n && after.items[k] < pid)
			k++;
		if (k < after.n && after.items[k] == pid &&
		    map_get(&seen, (uint64_t)pid) == MAP_NONE)
			r = vec_push(missing, pid);
	}
	vec_deinit(&before);
	vec_deinit(&after);
	return r;
}

static int hide_unlisted(struct judge *j)
{
	numbers missing = { 0 };
	struct pv_bytes value;
	int r = 0;

	if (!recall_get(&j->recall, "unlisted", &value)) {
		r = compare_listings(&missing);
		recall_put(&j->recall, "unlisted", missing.items ? (void *)missing.items : "",
			   missing.n * sizeof(*missing.items));
	}
	for (uint32_t i = 0; j->tape->mode == TAPE_REPLAY && r == 0 && value.len - i >= 4; i += 4) {
		int32_t pid;

		memcpy(&pid, value.data + i, sizeof(pid));
		r = vec_push(&missing, pid);
	}
	for (size_t i = 0; r == 0 && i < missing.n; i++)
		r = hide(j, missing.items[i], how_listing);
	vec_deinit(&missing);
	/* without /proc nothing is hidden in it */
	return r == -ENOMEM ? r : 0;
}

/* --- all of it --- */

/* Are its numbers those of our own system calls? */
static bool is_proc_ours(struct judge *j)
{
	struct pv_bytes value;
	char link[16];
	uint32_t self = 0;
	ssize_t n;
	bool ours;

	if (!j->request->is_proc_ours)
		return false;
	if (recall_get(&j->recall, "proc is ours", &value))
		return value.len == 1 && *value.data == '1';
	n = readlink("/proc/self", link, sizeof(link));
	ours = n > 0 && text_u32(text_of(link, (size_t)n), 10, &self) && self == (uint32_t)getpid();
	recall_put(&j->recall, "proc is ours", ours ? "1" : "0", 1);
	return ours;
}

int hiding_gather(struct judge *j)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r;

	if (j->has_hidden)
		return 0;
	j->has_hidden = true;
	r = tape_proc_read(j->tape, -1, "self/mountinfo", &b);
	if (r == 0)
		r = hiding_mounts_parse(b.data, b.len, hide_mounted, j);
	if (r == -ENOMEM || buf_error(&b) < 0)
		return -ENOMEM;
	r = find_covered(j);
	if (r < 0)
		return r;
	r = is_proc_ours(j) ? hide_missing(j) : 0;
	return r < 0 ? r : hide_unlisted(j);
}

const char *hiding_of(const struct judge *j, int32_t pid)
{
	uint32_t i = map_get(&j->hidden, (uint64_t)pid);

	return i == MAP_NONE ? NULL : j->hidden_how.items[i];
}

bool hiding_holder(const struct judge *j, uint32_t inode, int32_t *ret_pid, bool *ret_is_proven)
{
	uint32_t pid = map_get(&j->covered, inode);

	*ret_is_proven = j->has_looked_below;
	if (j->has_looked_below) {
		*ret_pid = (int32_t)pid;
		return inode && pid != MAP_NONE;
	}
	for (size_t k = 0; k <= j->hidden.mask && j->hidden.slots; k++) {
		const struct map_slot *slot = &j->hidden.slots[k];

		*ret_pid = (int32_t)slot->key;
		if (slot->value != MAP_NONE && j->hidden_how.items[slot->value] == how_mounted)
			return true;
	}
	return false;
}
