/* SPDX-License-Identifier: MIT */
/* Between the files of the scan: fdwalk.c visits one table, scan.c all processes. */
#ifndef PROCFS_SCAN_INTERNAL_H
#define PROCFS_SCAN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct found_socket {
	uint32_t inode;
	uint32_t fd : 31;
	uint32_t is_netns : 1; /* not a socket: a network namespace */
};

typedef VEC(struct found_socket) found_vec;

/* Room for some 20 entries: enough to cross gaps quickly, little enough to be cheap. */
#define FDWALK_BYTES 512

struct fdwalk {
	found_vec *found;
	uint64_t n_descriptors;
	bool wants_netns; /* namespaces, too */
	_Alignas(8) char entries[FDWALK_BYTES];
};

/*
 * Appends the sockets of an open /proc/PID/fd directory to w->found. Every descriptor that is open
 * throughout is seen once. 0, -ENOMEM, or -errno (-EACCES: may be listed but not looked at; -ENOENT
 * or -ESRCH: the process exited).
 */
int fdwalk_run(struct fdwalk *w, int dirfd);

/* Visits the numeric names of an open directory of procfs; 0 or -errno. */
typedef VEC(int32_t) pid_vec;
int procfs_list_numbers(int dirfd, pid_vec *ret);

#endif
