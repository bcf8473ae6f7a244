/* SPDX-License-Identifier: MIT */
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define READ_CHUNK 4096
#define READ_AT_ONCE (64 * 1024)

int fd_read_max(int fd, size_t max, struct buf *b)
{
	for (size_t left = max;;) {
		size_t spare = b->cap - b->len > READ_CHUNK ? b->cap - b->len : READ_CHUNK;
		/* files of /proc are of one moment when one call reads them */
		size_t room = left <= READ_AT_ONCE ? left + 1 : spare;
		char *p = buf_room(b, room);
		ssize_t n;

		if (!p)
			return -ENOMEM;
		n = read(fd, p, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		b->len += (size_t)n < left ? (size_t)n : left;
		if ((size_t)n > left)
			return 1;
		left -= (size_t)n;
	}
}

int fd_read_all(int fd, struct buf *b)
{
	return fd_read_max(fd, SIZE_MAX, b);
}

int file_read_at(int dirfd, const char *path, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd =
		openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : fd_read_all(fd, b);
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_append_at(int dirfd, const char *path, const void *data, size_t len)
{
	_cleanup_(cleanup_fd) int fd =
		openat(dirfd, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd_write_all(fd, data, len);
}

int mkdir_parents_at(int dirfd, const char *path)
{
	char part[PATH_MAX];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		size_t n = (size_t)(s - path);

		if (n == 0)
			continue;
		if (n >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, n);
		part[n] = 0;
		if (mkdirat(dirfd, part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}
