/* SPDX-License-Identifier: MIT */
/*
 * Control groups by number: the number of a group is the inode of its folder (kernfs, 64 bits since
 * Linux 5.5). The tree is walked once; groups that come later are not in it.
 */
#include <portavoz/tables.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/mount.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/map.h"
#include "base/vec.h"
#include "procfs/cgroup.h"

struct pv_cgroups {
	struct arena arena;
	struct map by_id;
	VEC(const char *) paths;
};

/* Where the unified hierarchy is mounted, for free(); NULL = nowhere. */
static char *find_mount(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char line[4096], *path = NULL;

	while (f && !path && getmntent_r(f, &entry, line, sizeof(line)))
		if (!strcmp(entry.mnt_type, "cgroup2"))
			path = strdup(entry.mnt_dir);
	if (f)
		endmntent(f);
	return path;
}

/* The first mount of the hierarchy would bring it to light on every process of the host. */
static bool is_in_use(void)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	return file_read_at(AT_FDCWD, "/proc/self/cgroup", &b) == 0 && buf_str(&b) &&
	       (strncmp(b.data, "0::", 3) == 0 || strstr(b.data, "\n0::"));
}

/*
 * `ip netns exec` mounts another /sys on the one that has the hierarchy. A mount of our own is
 * nowhere to be seen and gone with its descriptor (fsopen, Linux 5.2); it needs CAP_SYS_ADMIN, and
 * cannot show more than our control group namespace has.
 */
static int mount_detached(void)
{
	_cleanup_(cleanup_fd) int context = -1, root = -1;
	int fd;

	context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	root = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC);
	if (root < 0)
		return -errno;
	fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int procfs_cgroup_open_root(void)
{
	_cleanup_(cleanup_free) char *mount = find_mount();
	int fd;

	if (mount) {
		fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (!is_in_use())
		return -ENODEV;
	fd = mount_detached();
	return fd < 0 ? -ENOENT : fd;
}

static int add(struct pv_cgroups *cgroups, uint64_t id, const char *path)
{
	const char *copy = arena_strdup(&cgroups->arena, *path ? path : "/");
	uint32_t index = (uint32_t)cgroups->paths.n;

	if (!copy || vec_push(&cgroups->paths, copy) < 0)
		return -ENOMEM;
	return map_put(&cgroups->by_id, id, index);
}

static int walk(struct pv_cgroups *cgroups, int root)
{
	char path[32], *roots[] = { path, NULL };
	size_t skip = (size_t)snprintf(path, sizeof(path), "/proc/self/fd/%d", root);
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *e;
	int r = tree || errno != ENOMEM ? 0 : -ENOMEM;

	while (tree && r == 0 && (e = fts_read(tree)))
		if (e->fts_info == FTS_D)
			r = add(cgroups, e->fts_statp->st_ino, e->fts_path + skip);
	if (tree)
		fts_close(tree);
	return r;
}

int pv_cgroups_read(struct pv_cgroups **ret_cgroups)
{
	_cleanup_(cleanup_fd) int root = procfs_cgroup_open_root();
	struct pv_cgroups *cgroups = calloc(1, sizeof(*cgroups));
	int r = cgroups ? 0 : -ENOMEM;

	if (r == 0 && root >= 0)
		r = walk(cgroups, root);
	if (r < 0) {
		pv_cgroups_free(cgroups);
		return r;
	}
	*ret_cgroups = cgroups;
	return 0;
}

void pv_cgroups_free(struct pv_cgroups *cgroups)
{
	if (!cgroups)
		return;
	arena_deinit(&cgroups->arena);
	map_deinit(&cgroups->by_id);
	vec_deinit(&cgroups->paths);
	free(cgroups);
}

const char *pv_cgroups_path(const struct pv_cgroups *cgroups, uint64_t id)
{
	uint32_t index = map_get(&cgroups->by_id, id);

	return index == MAP_NONE ? NULL : cgroups->paths.items[index];
}
