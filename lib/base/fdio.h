/* SPDX-License-Identifier: MIT */
/* Whole-file reads and writes relative to a directory descriptor. */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <stddef.h>

#include "base/buf.h"

/* Appends all of fd to *b; 0 or -errno. Bytes read before an error are kept. */
int fd_read_all(int fd, struct buf *b);
/* The same of at most `max` bytes: 0, 1 when there are more, or -errno. */
int fd_read_max(int fd, size_t max, struct buf *b);
/* Opens path under dirfd (O_CLOEXEC | O_NOCTTY | O_NONBLOCK) and appends all of it; 0 or -errno. */
int file_read_at(int dirfd, const char *path, struct buf *b);
int fd_write_all(int fd, const void *data, size_t len); /* 0 or -errno */
/* Creates (mode 0600) or appends to path under dirfd; 0 or -errno. */
int file_append_at(int dirfd, const char *path, const void *data, size_t len);
/* mkdir -p of everything before the last slash of path; 0 or -errno. */
int mkdir_parents_at(int dirfd, const char *path);

#endif
