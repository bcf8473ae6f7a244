/* SPDX-License-Identifier: MIT */
#include "judge/dpkg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "procfs/text.h"

#define INFO "/var/lib/dpkg/info"
#define DIVERSIONS "/var/lib/dpkg/diversions"
#define STATUS "/var/lib/dpkg/status"
#define LIST ".list"
/* The list of the largest package of Debian 12 has 2 MB. */
#define LIST_BYTES_MAX ((off_t)64 << 20)

static bool equal(const struct pv_bytes *a, const struct pv_bytes *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

static struct pv_bytes bytes_of(struct text t)
{
	return (struct pv_bytes){ t.p, (uint32_t)text_len(t) };
}

/* Packages name files by the paths before the merge, the kernel by those after it. */
static struct pv_bytes without_usr(struct pv_bytes path)
{
	static const char *const merged[] = { "/usr/bin/",   "/usr/sbin/",  "/usr/lib/",
					      "/usr/lib32/", "/usr/lib64/", "/usr/libx32/" };

	if (path.len < 5 || memcmp(path.data, "/usr/", 5) != 0)
		return path;
	for (size_t i = 0; i < sizeof(merged) / sizeof(*merged); i++) {
		size_t n = strlen(merged[i]);

		if (path.len > n && !memcmp(path.data, merged[i], n))
			return (struct pv_bytes){ path.data + 4, path.len - 4 };
	}
	return path;
}

/* Of the last eight bytes: most lines differ in those from what is looked for. */
static uint16_t end_of(const char *line, size_t len)
{
	uint64_t tail = 0;

	if (len >= sizeof(tail))
		memcpy(&tail, line + len - sizeof(tail), sizeof(tail));
	else if (len)
		memcpy(&tail, line, len);
	return (uint16_t)(tail * UINT64_C(0x9fb21c651e98df25) >> 48);
}

static uint32_t hash_of(const struct pv_bytes *name)
{
	return (end_of(name->data, name->len) ^ name->len) % 1024;
}

/* A line may have "/usr" before the name; of one shorter than eight bytes that changes the end. */
static void enter_ends(struct dpkg_index *x, const struct pv_bytes *name)
{
	char text[4 + 8] = "/usr";
	uint16_t end = end_of(name->data, name->len);

	x->ends[end / 64] |= UINT64_C(1) << end % 64;
	if (name->len >= 8)
		return;
	memcpy(text + 4, name->data, name->len);
	end = end_of(text, 4 + name->len);
	x->ends[end / 64] |= UINT64_C(1) << end % 64;
}

int dpkg_diversions_parse(const void *data, size_t len, dpkg_diversions *d)
{
	struct text t = text_of(data, len), from, to, package;

	while (text_line(&t, &from, NULL) && text_line(&t, &to, NULL) &&
	       text_line(&t, &package, NULL)) {
		struct dpkg_diversion one = { bytes_of(from), bytes_of(to), bytes_of(package) };

		if (one.from.len && one.to.len && vec_push(d, one) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What to look for in which lists, when files of a name are moved aside. */
static struct dpkg_needle needle_of(const struct pv_bytes *path, const dpkg_diversions *d)
{
	struct dpkg_needle needle = { .name = without_usr(*path) };

	for (size_t i = 0; i < d->n; i++) {
		const struct dpkg_diversion *one = &d->items[i];
		struct pv_bytes from = without_usr(one->from), to = without_usr(one->to);

		if (equal(&to, &needle.name)) {
			needle.name = from;
			needle.except = one->package;
			return needle;
		}
		if (equal(&from, &needle.name))
			needle.only = one->package;
	}
	return needle;
}

int dpkg_index_build(struct dpkg_index *x, const struct package_query *queries, size_t n,
		     const dpkg_diversions *diversions)
{
	*x = (struct dpkg_index){ 0 };
	for (size_t i = 0; i < n; i++) {
		struct dpkg_needle needle;
		uint32_t hash;

		if (!queries[i].path.len || queries[i].path.len >= 4096)
			continue;
		needle = needle_of(&queries[i].path, diversions);
		hash = hash_of(&needle.name);
		needle.query = (uint32_t)i;
		needle.next = x->heads[hash];
		if (vec_push(&x->needles, needle) < 0)
			return -ENOMEM;
		x->heads[hash] = (uint32_t)x->needles.n;
		enter_ends(x, &needle.name);
		x->n_open++;
	}
	return 0;
}

void dpkg_index_deinit(struct dpkg_index *x)
{
	vec_deinit(&x->needles);
}

static bool may_own(const struct dpkg_needle *needle, const struct pv_bytes *package)
{
	/* diversions name packages without their architecture */
	const char *colon = memchr(package->data, ':', package->len);
	struct pv_bytes name = { package->data,
				 colon ? (uint32_t)(colon - package->data) : package->len };

	if (needle->only.len)
		return equal(&needle->only, &name);
	return !needle->except.len || !equal(&needle->except, &name);
}

static void search_line(struct dpkg_index *x, struct package_query *queries,
			const struct pv_bytes *package, uint64_t unpacked, struct pv_bytes line)
{
	uint32_t i;

	line = without_usr(line);
	for (i = x->heads[hash_of(&line)]; i; i = x->needles.items[i - 1].next) {
		const struct dpkg_needle *needle = &x->needles.items[i - 1];
		struct package_query *q = &queries[needle->query];

		if (q->package.len || !equal(&needle->name, &line) || !may_own(needle, package))
			continue;
		q->package = *package;
		q->unpacked = unpacked;
		x->n_open--;
	}
}

void dpkg_list_search(struct dpkg_index *x, struct package_query *queries,
		      const struct pv_bytes *package, uint64_t unpacked, const void *data,
		      size_t len)
{
	const char *p = data, *end = p + len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline ? newline : end) - p);
		uint16_t last = end_of(p, n);

		if (x->ends[last / 64] >> last % 64 & 1 && n < UINT32_MAX)
			search_line(x, queries, package, unpacked,
				    (struct pv_bytes){ p, (uint32_t)n });
		p += n + 1;
	}
}

int dpkg_md5sums_find(const void *data, size_t len, const struct pv_bytes *path,
		      char ret_hex[static 33])
{
	struct text t = text_of(data, len), line;
	struct pv_bytes wanted = without_usr(*path);

	while (text_line(&t, &line, NULL)) {
		char name[PATH_MAX];
		struct pv_bytes found = { name, 0 };

		/* 32 digits, two spaces, the path without its leading slash */
		if (text_len(line) < 35 || text_len(line) - 34 >= sizeof(name) - 1)
			continue;
		name[0] = '/';
		memcpy(name + 1, line.p + 34, text_len(line) - 34);
		found.len = (uint32_t)text_len(line) - 33;
		found = without_usr(found);
		if (!equal(&found, &wanted))
			continue;
		memcpy(ret_hex, line.p, 32);
		ret_hex[32] = 0;
		return 0;
	}
	return -ENOENT;
}

/*
 * One file of the database, into a buffer that is used again and again. What is no plain file is
 * none of it: it could keep us waiting, or never end.
 */
static int read_file(int dirfd, const char *name, struct buf *b, uint64_t *ret_time)
{
	_cleanup_(cleanup_fd) int fd =
		openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	char *p;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > LIST_BYTES_MAX)
		return -EBADMSG;
	if (ret_time)
		*ret_time = (uint64_t)st.st_mtim.tv_sec;
	buf_clear(b);
	p = buf_room(b, (size_t)st.st_size + 1);
	if (!p)
		return -ENOMEM;
	while (b->len < (size_t)st.st_size) {
		n = read(fd, p + b->len, (size_t)st.st_size - b->len);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		b->len += (size_t)n;
	}
	return 0;
}

static bool is_list(const char *name, size_t *ret_stem)
{
	size_t n = strlen(name), suffix = sizeof(LIST) - 1;

	*ret_stem = n - suffix;
	return n > suffix && !strcmp(name + n - suffix, LIST);
}

/* Gives what the last list set a name that lasts. */
static int keep_name(struct package_query *queries, size_t n, const struct pv_bytes *package,
		     struct arena *arena)
{
	char *kept = NULL;

	for (size_t i = 0; i < n; i++) {
		if (queries[i].package.data != package->data)
			continue;
		if (!kept)
			kept = arena_dup(arena, package->data, package->len);
		if (!kept)
			return -ENOMEM;
		queries[i].package.data = kept;
	}
	return 0;
}

static int search_lists(DIR *dir, struct dpkg_index *x, struct package_query *queries, size_t n,
			struct arena *arena)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct dirent *e;
	int r = 0;

	while (r == 0 && x->n_open && (e = readdir(dir))) {
		struct pv_bytes package = { e->d_name, 0 };
		size_t stem, open = x->n_open;
		uint64_t unpacked = 0;

		if (!is_list(e->d_name, &stem))
			continue;
		package.len = (uint32_t)stem;
		r = read_file(dirfd(dir), e->d_name, &b, &unpacked);
		if (r < 0 && r != -ENOMEM) {
			r = 0; /* removed meanwhile: what it owned is not explained by it */
			continue;
		}
		if (r == 0)
			dpkg_list_search(x, queries, &package, unpacked, b.data, b.len);
		if (r == 0 && x->n_open != open)
			r = keep_name(queries, n, &package, arena);
	}
	return r;
}

static int find(const char *root, struct package_query *queries, size_t n, struct arena *arena)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	_cleanup_(cleanup_free) struct dpkg_index *x = calloc(1, sizeof(*x));
	dpkg_diversions diversions = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s%s", root, INFO);
	dir = opendir(path);
	if (!dir || !x)
		return x ? -errno : -ENOMEM;
	snprintf(path, sizeof(path), "%s%s", root, DIVERSIONS);
	r = read_file(AT_FDCWD, path, &text, NULL);
	if (r == -ENOMEM || buf_error(&text) < 0)
		return -ENOMEM;
	r = dpkg_diversions_parse(text.data, text.len, &diversions);
	if (r == 0)
		r = dpkg_index_build(x, queries, n, &diversions);
	if (r == 0)
		r = search_lists(dir, x, queries, n, arena);
	dpkg_index_deinit(x);
	vec_deinit(&diversions);
	return r;
}

static int digest(const char *root, const struct pv_bytes *package, const struct pv_bytes *path,
		  char ret_hex[static 33])
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char name[PATH_MAX];
	int r;

	if (snprintf(name, sizeof(name), "%s%s/%.*s.md5sums", root, INFO, (int)package->len,
		     package->data) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	r = read_file(AT_FDCWD, name, &b, NULL);
	return r < 0 ? r : dpkg_md5sums_find(b.data, b.len, path, ret_hex);
}

static uint64_t changed(const char *root)
{
	char name[PATH_MAX];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", root, STATUS);
	return stat(name, &st) == 0 ? (uint64_t)st.st_mtim.tv_sec : 0;
}

const struct package_provider packages_dpkg = { "dpkg", find, digest, changed };
