/* SPDX-License-Identifier: MIT */
/*
 * Threads that have a file table of their own: made by unshare(CLONE_FILES) or a clone without it,
 * or left over when the leader exited (its own table is empty then). Each distinct table is looked
 * at once, however many threads share it.
 */
#ifndef PROCFS_THREADS_H
#define PROCFS_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "procfs/scan-internal.h"

struct threads_result {
	uint64_t n_tables;  /* looked at beside the leader's */
	bool is_incomplete; /* there may be more */
};

/*
 * Visits them for the process of that handle, adding to w->found what it does not hold yet. Without
 * may_kcmp tables cannot be told apart: then only an empty leader's table is replaced by that of
 * the first thread that has one. 0, -ENOMEM or -errno of what could not be opened.
 */
int threads_walk(struct fdwalk *w, int handle, int32_t pid, bool may_kcmp,
		 struct threads_result *ret);

#endif
