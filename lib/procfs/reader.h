/* SPDX-License-Identifier: MIT */
/*
 * Reads that may hang, with a deadline. /proc/PID/cmdline takes the memory map lock of a foreign
 * process, which that process can be made to hold while it waits for a file system that never
 * answers. Such reads are done by a thread of their own; one that does not answer in time is left
 * behind (it ends when the read does), and after a few of those no more are started.
 */
#ifndef PROCFS_READER_H
#define PROCFS_READER_H

#include "base/buf.h"

#define READER_DEADLINE_MS 500
#define READER_MISSES_MAX 3

struct reader_job;

struct reader {
	struct reader_job *job;
	unsigned n_missed;
};
#define READER_INIT                                                                                \
	{                                                                                          \
		NULL, 0                                                                            \
	}

void reader_deinit(struct reader *r);
/*
 * Appends at most `max` bytes of fd to *b. Takes fd and closes it, now or when its read returns. 0,
 * 1 (there was more than max), -ETIMEDOUT, -EAGAIN (no thread can be had), -errno.
 */
int reader_read(struct reader *r, int fd, size_t max, int deadline_ms, struct buf *b);

#endif
