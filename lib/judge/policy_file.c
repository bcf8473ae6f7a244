/* SPDX-License-Identifier: MIT */
/*
 * Policies from files. Who can write a policy decides what is explained, so nothing is read that
 * somebody else may change.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "judge/policy-internal.h"

static int fail_file(struct pv_policy_error *error, const char *file, int r, const char *message)
{
	const char *text = message ? message : strerrordesc_np(-r);

	*error = (struct pv_policy_error){ 0 };
	policy_error_file(error, file);
	snprintf(error->message, sizeof(error->message), "%s", text ? text : "cannot be read");
	return r;
}

/* NULL = only root and this process can change it; else why not. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "is not trusted: it belongs neither to root nor to the user who runs this";
	if (st->st_mode & S_IWOTH && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return "is not trusted: everybody may write to it";
	if (st->st_mode & S_IWGRP && st->st_gid != 0 && st->st_gid != getegid() &&
	    !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return "is not trusted: its group may write to it";
	return NULL;
}

/* Its folder: what replaces a file there need not be able to write to it. */
static int check_folder(const char *file, struct pv_policy_error *error)
{
	const char *slash = strrchr(file, '/'), *why;
	char folder[PATH_MAX] = ".";
	struct stat st;

	if (slash && (size_t)(slash - file) + 2 > sizeof(folder))
		return fail_file(error, file, -ENAMETOOLONG, NULL);
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", slash == file ? 1 : (int)(slash - file),
			 file);
	if (stat(folder, &st) < 0)
		return fail_file(error, folder, -errno, NULL);
	why = distrust(&st);
	return why ? fail_file(error, folder, -EPERM, why) : 0;
}

int policy_file_read(const char *file, size_t max, struct buf *b, struct pv_policy_error *error)
{
	_cleanup_(cleanup_fd) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *why;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_file(error, file, -errno, NULL);
	if (!S_ISREG(st.st_mode))
		return fail_file(error, file, -EINVAL, "is no regular file");
	why = distrust(&st);
	if (why)
		return fail_file(error, file, -EPERM, why);
	r = check_folder(file, error);
	if (r < 0)
		return r;
	if ((uint64_t)st.st_size > max)
		return fail_file(error, file, -EFBIG, NULL);
	r = fd_read_all(fd, b);
	return r < 0 ? fail_file(error, file, r, NULL) : 0;
}

int pv_policy_add_file(struct pv_policy *policy, const char *file, struct pv_policy_error *error)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_policy_error ignored;
	int r = policy_file_read(file, POLICY_FILE_MAX, &b, error ? error : &ignored);

	return r < 0 ? r : pv_policy_add_text(policy, file, b.data ? b.data : "", b.len, error);
}

static int choose_conf(const struct dirent *e)
{
	return fnmatch("*.conf", e->d_name, FNM_PERIOD) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct pv_policy *policy, const char *folder, struct pv_policy_error *error)
{
	struct dirent **names;
	int r = 0, n = scandir(folder, &names, choose_conf, by_bytes);

	if (n < 0)
		return errno == ENOENT ? 0 : fail_file(error, folder, -errno, NULL);
	for (int i = 0; i < n; i++) {
		char file[PATH_MAX];

		if (r == 0) {
			snprintf(file, sizeof(file), "%s/%s", folder, names[i]->d_name);
			r = pv_policy_add_file(policy, file, error);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

int pv_policy_add_defaults(struct pv_policy *policy, struct pv_policy_error *error)
{
	struct pv_policy_error ignored;
	int r;

	if (!error)
		error = &ignored;
	r = pv_policy_add_file(policy, PV_POLICY_FILE, error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT && access(PV_POLICY_FILE, F_OK) == 0)
		return r; /* it is a list named in it that does not exist */
	return add_folder(policy, PV_POLICY_FOLDER, error);
}

/* The name of a list, seen from the folder of the policy that names it. */
static const char *resolve(struct policy_reader *p, const char *name)
{
	const char *slash = name[0] == '/' ? NULL : strrchr(p->file, '/');
	size_t folder = slash ? (size_t)(slash + 1 - p->file) : 0, len = strlen(name);
	char *path = arena_alloc(&p->policy->arena, folder + len + 1);

	if (!path)
		return NULL;
	memcpy(path, p->file, folder);
	memcpy(path + folder, name, len + 1);
	return path;
}

static int fail_list(struct policy_reader *p, const char *path, const struct buf *b,
		     const struct block_error *e)
{
	const char *at = b->data + e->offset;
	const char *start = memrchr(b->data, '\n', e->offset);
	const char *end = memchr(at, '\n', b->len - e->offset);

	return policy_fail(p->error, path, e->line, start ? start + 1 : b->data,
			   end ? end : b->data + b->len, at, e->message, e->expected);
}

/* The error of reading it, told where the policy names it. */
static int fail_block(struct policy_reader *p, const char *at, int r)
{
	struct pv_policy_error why = *p->error;
	char message[sizeof(why.message)];

	if (r == -ENOMEM)
		return r;
	if (snprintf(message, sizeof(message), "the list %s: %s", why.file, why.message) < 0)
		return r;
	policy_fail(p->error, p->file, p->line, p->text, p->end, at, message, NULL);
	return r;
}

int policy_block_read(struct policy_reader *p, const char *at, const char *name,
		      struct policy_rule *rule)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct block_error e;
	const char *path = resolve(p, name);
	int r;

	if (!path)
		return -ENOMEM;
	rule->public.title = (struct pv_bytes){ path, (uint32_t)strlen(path) };
	r = policy_file_read(path, BLOCK_FILE_MAX, &b, p->error);
	if (r < 0)
		return fail_block(p, at, r);
	r = block_parse(&rule->block, b.data ? b.data : "", b.len, &e);
	rule->public.n_addresses = rule->block.entries.n;
	return r == -EINVAL ? fail_list(p, path, &b, &e) : r;
}
