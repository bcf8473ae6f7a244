/* SPDX-License-Identifier: MIT */
/*
 * Control groups by number: the number of a group is the inode of its folder (kernfs, 64 bits since
 * Linux 5.5). The tree is walked once; groups that come later are not in it.
 */
#include <portavoz/tables.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/cleanup.h"
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

int procfs_cgroup_open_root(void)
{
	_cleanup_(cleanup_free) char *mount = find_mount();
	int fd = mount ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 ? fd : mount ? -errno : -ENODEV;
}

static int add(struct pv_cgroups *cgroups, uint64_t id, const char *path)
{
	const char *copy = arena_strdup(&cgroups->arena, *path ? path : "/");
	uint32_t index = (uint32_t)cgroups->paths.n;

	if (!copy || vec_push(&cgroups->paths, copy) < 0)
		return -ENOMEM;
	return map_put(&cgroups->by_id, id, index);
}

static int walk(struct pv_cgroups *cgroups, char *mount)
{
	char *roots[] = { mount, NULL };
	size_t skip = strlen(mount);
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
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
	_cleanup_(cleanup_free) char *mount = find_mount();
	struct pv_cgroups *cgroups = calloc(1, sizeof(*cgroups));
	int r = cgroups ? 0 : -ENOMEM;

	if (r == 0 && mount)
		r = walk(cgroups, mount);
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
