/* SPDX-License-Identifier: MIT */
/*
 * What the environment a program was started with says about sockets it was handed
 * (sd_listen_fds(3)) and about libraries it was made to load (LD_PRELOAD and LD_AUDIT, ld.so(8)),
 * and nothing else of it. The bytes are the process's own and may be forged.
 */
#ifndef PROCFS_ENVIRON_H
#define PROCFS_ENVIRON_H

#include <portavoz/conversation.h>

#include "base/buf.h"

#define PROCFS_ENVIRON_MAX 262144
#define PROCFS_LISTEN_NAMES_MAX 4096
#define PROCFS_PRELOAD_MAX 4096

struct procfs_listen {
	int32_t pid;	       /* LISTEN_PID, 0 = none */
	uint32_t n_fds;	       /* LISTEN_FDS */
	struct pv_bytes names; /* LISTEN_FDNAMES, borrowed; or empty */
};

/* Appends the variables above, each with its NUL, and drops the rest. */
void procfs_listen_filter(const void *data, size_t len, struct buf *b);
/* Appends those of these variables that name libraries, "NAME=value" and a NUL each. */
void procfs_preload_parse(const void *data, size_t len, struct buf *b);
/* Without both a pid and a number everything is 0. */
void procfs_listen_parse(const void *data, size_t len, struct procfs_listen *ret);

#endif
