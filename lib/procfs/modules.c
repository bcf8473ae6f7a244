/* SPDX-License-Identifier: MIT */
#include "procfs/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "procfs/text.h"

bool procfs_modules_parse(const void *data, size_t len, const char *name)
{
	struct text t = text_of(data, len), line, word;

	while (text_line(&t, &line, NULL))
		if (text_word(&line, &word) && text_is(word, name))
			return true;
	return false;
}

/* Files are named with "-" or "_", as their author liked; modules have "_". */
static bool is_file_of(struct text path, const char *name)
{
	size_t len = strlen(name);
	const char *p = memrchr(path.p, '/', text_len(path));

	p = p ? p + 1 : path.p;
	if ((size_t)(path.end - p) < len + 3 || memcmp(p + len, ".ko", 3) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((p[i] == '-' ? '_' : p[i]) != name[i])
			return false;
	return true;
}

bool procfs_builtin_parse(const void *data, size_t len, const char *name)
{
	struct text t = text_of(data, len), line;

	while (text_line(&t, &line, NULL))
		if (text_len(line) && is_file_of(line, name))
			return true;
	return false;
}

static bool is_builtin(const char *name)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct utsname u;
	char path[sizeof(u.release) + 32];

	if (uname(&u) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", u.release);
	return file_read_at(AT_FDCWD, path, &b) == 0 && procfs_builtin_parse(b.data, b.len, name);
}

bool procfs_module_is_there(const char *name)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = file_read_at(AT_FDCWD, "/proc/modules", &b);

	/* a kernel that can load modules has this file, where there is a procfs */
	if (r == -ENOENT)
		return access("/proc/self", F_OK) == 0;
	return (r == 0 && procfs_modules_parse(b.data, b.len, name)) || is_builtin(name);
}
