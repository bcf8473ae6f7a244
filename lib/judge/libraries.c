/* SPDX-License-Identifier: MIT */
/*
 * What packaged programs have loaded. A program is no more what its package says when there is code
 * in its memory that came from elsewhere; other than its environment, the list of its mappings is
 * the kernel's. It is read for holders whose program a package may explain, once a process, before
 * packages are asked, so that one pass over their database answers all; what turns out to be of a
 * program of no package is forgotten.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "judge/judge-internal.h"
#include "procfs/maps.h"
#include "procfs/reader.h"

#define MAPS_BYTES_MAX ((size_t)4 << 20)
#define DELETED " (deleted)"
#define MEMFD "/memfd:"

/* --- reading --- */

static void mark_holders(struct judge *j)
{
	for (size_t i = 0; i < j->s->n_rows; i++) {
		const struct pv_conversation *c = snapshot_row(j->s, i);

		if (!(PV_PROTO_JUDGED & PV_PROTO_BIT(c->proto)))
			continue;
		for (uint32_t n = 0; n < c->n_holders; n++)
			j->subjects[pv_snapshot_holder(j->s, c, n)->process].is_holder = true;
	}
}

/* Folders that root installs programs to. */
static bool is_installed(const struct pv_bytes *path)
{
	return bytes_start(path, "/usr/") || bytes_start(path, "/lib") ||
	       bytes_start(path, "/opt/");
}

static bool is_wanted(const struct judge *j, const struct subject *subject)
{
	const struct program *p;

	if (!subject->is_holder || subject->maps != MAPS_NONE || subject->program == MAP_NONE ||
	    subject->p->container.len)
		return false;
	p = &j->programs.items[subject->program];
	return p->has_id && !p->is_deleted &&
	       (p->kind == KIND_PLAIN ||
		(subject->script != MAP_NONE && subject->unit != MAP_NONE));
}

static int read_maps(struct judge *j, struct reader *reader, int32_t pid, struct buf *b)
{
	char path[32];
	int fd;

	if (j->tape->procfd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%d/maps", pid);
	fd = openat(j->tape->procfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return reader_read(reader, fd, MAPS_BYTES_MAX, READER_DEADLINE_MS, b);
}

/* The lines that count, each file's once; "?" when the list could not be had. */
static void put_maps(const struct buf *text, struct buf *b)
{
	struct text t = text_of(text->data, text->len);
	struct pv_bytes last = { 0 };
	struct procfs_map map;

	while (procfs_maps_next(&t, &map)) {
		if (bytes_equal(&map.path, &last))
			continue;
		last = map.path;
		buf_printf(b, "%" PRIx64 "-%" PRIx64 " r-xp 0 %x:%x %" PRIu64 " ", map.start,
			   map.end, major(map.device), minor(map.device), map.inode);
		buf_put(b, map.path.data, map.path.len);
		buf_putc(b, '\n');
	}
}

/* 1 = nobody needs them: older recordings have those of packaged programs only. */
static int recall_maps(struct judge *j, struct reader *reader, const struct subject *subject,
		       struct pv_bytes *ret)
{
	int32_t pid = subject->p->pid;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT, b = BUF_INIT;
	char key[32];
	int r;

	snprintf(key, sizeof(key), "maps %d", pid);
	if (!is_installed(&j->programs.items[subject->program].path) &&
	    !recall_has(&j->recall, key))
		return 1;
	if (recall_get(&j->recall, key, ret))
		return 0;
	r = read_maps(j, reader, pid, &text);
	if (r == 0)
		put_maps(&text, &b);
	else
		buf_putc(&b, '?');
	if (r == -ENOMEM || buf_error(&b) < 0)
		return -ENOMEM;
	recall_put(&j->recall, key, b.data, b.len);
	return snapshot_bytes(j->s, ret, b.data, b.len);
}

/* --- what is kept --- */

static bool ends_deleted(const struct pv_bytes *path)
{
	const uint32_t n = sizeof(DELETED) - 1;

	return path->len > n && !memcmp(path->data + path->len - n, DELETED, n);
}

static uint64_t hash_map(const struct procfs_map *map)
{
	uint64_t h = map_mix(map->device, map->inode);

	for (uint32_t i = 0; i < map->path.len; i++)
		h = map_mix(h, (uint8_t)map->path.data[i]);
	return h;
}

static int add_library(struct judge *j, int32_t pid, const struct procfs_map *map,
		       uint32_t *ret_index)
{
	struct library lib = { .device = map->device,
			       .inode = map->inode,
			       .start = map->start,
			       .end = map->end,
			       .pid = pid,
			       .path = map->path };
	uint32_t old;
	int r = map_insert(&j->by_mapping, hash_map(map), (uint32_t)j->libraries.n, &old);

	if (r < 0)
		return r;
	lib.is_deleted = ends_deleted(&lib.path);
	if (lib.is_deleted)
		lib.path.len -= sizeof(DELETED) - 1;
	lib.is_memory = lib.is_deleted && bytes_start(&lib.path, MEMFD);
	*ret_index = old;
	if (r == 1 && j->libraries.items[old].device == lib.device &&
	    j->libraries.items[old].inode == lib.inode &&
	    j->libraries.items[old].is_deleted == lib.is_deleted &&
	    bytes_equal(&j->libraries.items[old].path, &lib.path))
		return 0;
	*ret_index = (uint32_t)j->libraries.n;
	r = facts_ask(j, lib.path, &lib.query);
	return r < 0 ? r : vec_push(&j->libraries, lib);
}

static int take_maps(struct judge *j, struct subject *subject, const struct pv_bytes *value)
{
	const struct program *p = &j->programs.items[subject->program];
	struct text t = text_of(value->data, value->len);
	struct procfs_map map;
	int r = 0;

	subject->maps = value->len && *value->data != '?' ? MAPS_STRANGE : MAPS_UNKNOWN;
	subject->first_library = (uint32_t)j->library_uses.n;
	while (r == 0 && procfs_maps_next(&t, &map)) {
		uint32_t index;

		if (bytes_equal(&map.path, &p->path)) {
			subject->maps = MAPS_READ;
			continue;
		}
		r = add_library(j, subject->p->pid, &map, &index);
		if (r == 0)
			r = vec_push(&j->library_uses, index);
	}
	subject->n_libraries = (uint32_t)j->library_uses.n - subject->first_library;
	return r;
}

int libraries_gather(struct judge *j)
{
	struct reader reader = READER_INIT;
	int r = 0;

	mark_holders(j);
	for (size_t i = 0; r == 0 && i < j->n_subjects; i++) {
		struct subject *subject = &j->subjects[i];
		struct pv_bytes value;

		if (!is_wanted(j, subject))
			continue;
		r = recall_maps(j, &reader, subject, &value);
		if (r == 0)
			r = take_maps(j, subject, &value);
		else if (r > 0)
			r = 0;
	}
	reader_deinit(&reader);
	return r;
}

void libraries_drop(struct judge *j)
{
	for (size_t i = 0; i < j->n_subjects; i++) {
		struct subject *subject = &j->subjects[i];
		const struct program *p;

		if (subject->maps == MAPS_NONE)
			continue;
		p = &j->programs.items[subject->program];
		if (is_installed(&p->path) || p->package.len)
			continue;
		subject->maps = MAPS_NONE;
		subject->n_libraries = 0;
	}
}

/* --- what to think of them --- */

/*
 * Is it the file at the path? On some file systems (btrfs, overlay) the list has other numbers than
 * stat(2): map_files leads to the very file, but only with CAP_CHECKPOINT_RESTORE (Linux 5.9).
 */
static enum disk_state compare(struct judge *j, const struct library *lib,
			       const struct disk_file *file)
{
	struct disk_file mapped;
	char path[80];

	if (file->device == lib->device && file->inode == lib->inode)
		return DISK_SAME;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, lib->pid,
		 lib->start, lib->end);
	if (disk_stat(j, path, &mapped) < 0)
		return DISK_UNKNOWN;
	return mapped.device == file->device && mapped.inode == file->inode ? DISK_SAME
									    : DISK_OTHER;
}

/* What no package brought and nobody could look at: neither an accusation nor an explanation. */
static enum library_state unseen(struct library *lib)
{
	lib->is_unseen = true;
	return LIBRARY_LOCAL;
}

/* What services make for themselves: varnishd compiles its configuration. */
static enum library_state state_of_own(struct judge *j, struct library *lib)
{
	struct pv_bytes folder;

	if (!bytes_start(&lib->path, "/var/"))
		return LIBRARY_FOREIGN;
	if (disk_open_folder(j, lib->pid, &lib->path, false, &folder) < 0)
		return unseen(lib);
	return folder.len ? LIBRARY_FOREIGN : LIBRARY_LOCAL;
}

static enum library_state state_of_file(struct judge *j, struct library *lib,
					const struct pv_bytes *package)
{
	struct pv_bytes path;
	struct disk_file file;
	enum disk_state disk;
	int r = snapshot_bytes(j->s, &path, lib->path.data, lib->path.len);

	if (r == 0)
		r = disk_stat(j, path.data, &file);
	if (r < 0 && !disk_is_absent(r))
		return package->len ? LIBRARY_UNKNOWN : unseen(lib);
	disk = r < 0 ? DISK_ABSENT : compare(j, lib, &file);
	if (disk != DISK_SAME && disk != DISK_UNKNOWN)
		return LIBRARY_FOREIGN;
	if (package->len)
		return disk == DISK_SAME ? LIBRARY_PACKAGED : LIBRARY_UNKNOWN;
	if (is_installed(&lib->path))
		return file.uid == 0 && !(file.mode & S_IWOTH) ? LIBRARY_LOCAL : LIBRARY_FOREIGN;
	return state_of_own(j, lib);
}

static enum library_state state_of(struct judge *j, struct library *lib)
{
	static const struct pv_bytes none;
	const struct pv_bytes *package =
		lib->query == MAP_NONE ? &none : &j->queries.items[lib->query].package;

	if (lib->is_memory)
		return LIBRARY_FOREIGN;
	if (!lib->is_deleted)
		return state_of_file(j, lib, package);
	if (package->len)
		return LIBRARY_REPLACED;
	return is_installed(&lib->path) ? LIBRARY_REMOVED : LIBRARY_FOREIGN;
}

/* When packages were last installed or removed; 0 = not known. */
static uint64_t packages_changed(struct judge *j)
{
	const struct package_provider *provider;
	struct pv_bytes value;
	uint64_t changed = 0;
	char text[24];

	if (recall_get(&j->recall, "packages changed", &value))
		return text_u64(text_of(value.data, value.len), 10, &changed) ? changed : 0;
	provider = packages_provider("");
	changed = provider ? provider->changed("") : 0;
	snprintf(text, sizeof(text), "%" PRIu64, changed);
	recall_put(&j->recall, "packages changed", text, strlen(text));
	return changed;
}

/* For a process that started then: an upgrade since deletes libraries, and new ones may have other
 * names. */
static enum library_state state_for(struct judge *j, struct library *lib, uint64_t started)
{
	uint64_t changed;

	if (lib->state == LIBRARY_NEW)
		lib->state = state_of(j, lib);
	if (lib->state == LIBRARY_REPLACED) {
		changed = j->queries.items[lib->query].unpacked;
		return !started || !changed ? LIBRARY_UNKNOWN
		       : changed >= started ? LIBRARY_PACKAGED
					    : LIBRARY_FOREIGN;
	}
	if (lib->state != LIBRARY_REMOVED)
		return lib->state;
	changed = packages_changed(j);
	if (!started || !changed)
		return unseen(lib);
	return changed >= started ? LIBRARY_LOCAL : LIBRARY_FOREIGN;
}

/* A packaged interpreter in the process: what it is given to run may bring libraries of its own. */
static bool is_interpreter(const struct library *lib)
{
	static const char *const stems[] = { "libpython", "libperl",  "libruby", "libphp",
					     "libjvm",	  "libtcl",   "liblua",	 "libguile",
					     "libmono",	  "libmozjs", "libnode", "libR." };
	const char *slash = memrchr(lib->path.data, '/', lib->path.len);
	struct pv_bytes name = lib->path;

	name.len -= (uint32_t)(slash + 1 - name.data);
	name.data = slash + 1;
	for (size_t i = 0; i < sizeof(stems) / sizeof(*stems); i++)
		if (lib->state <= LIBRARY_REPLACED && bytes_start(&name, stems[i]))
			return true;
	return false;
}

void libraries_judge(struct judge *j, struct subject *subject)
{
	const uint32_t *uses = j->library_uses.items + subject->first_library;
	uint64_t started = subject_started(j, subject);
	bool has_interpreter = false;

	if (subject->has_libraries)
		return;
	subject->has_libraries = true;
	subject->library = MAP_NONE;
	for (uint32_t i = 0; i < subject->n_libraries; i++) {
		struct library *lib = &j->libraries.items[uses[i]];
		enum library_state state = state_for(j, lib, started);

		has_interpreter = has_interpreter || is_interpreter(lib);
		if (state == LIBRARY_UNKNOWN || lib->is_unseen)
			subject->maps = MAPS_UNKNOWN;
		if (state > subject->library_state) {
			subject->library = uses[i];
			subject->library_state = state;
		}
	}
	if (has_interpreter && subject->library_state == LIBRARY_FOREIGN &&
	    !j->libraries.items[subject->library].is_memory)
		subject->library_state = LIBRARY_LOCAL;
}
