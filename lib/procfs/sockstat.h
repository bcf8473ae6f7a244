/* SPDX-License-Identifier: MIT */
/* Cheap counts: how many sockets, open files and threads there are, without visiting them. */
#ifndef PROCFS_SOCKSTAT_H
#define PROCFS_SOCKSTAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"

#define PROCFS_COUNT_UNKNOWN UINT64_MAX

/* net/sockstat and net/sockstat6. All count this network namespace only, but
 * for tcp_orphan and tcp_alloc, which are of the whole system. */
struct procfs_sockstat {
	uint64_t used; /* sockets of every family that have a struct socket */
	uint64_t tcp_inuse, tcp_orphan, tcp_time_wait, tcp_alloc;
	uint64_t udp_inuse, udplite_inuse, raw_inuse;
	uint64_t tcp6_inuse, udp6_inuse, udplite6_inuse, raw6_inuse;
};

/* Adds what the text says to *s; names it lacks stay as they were. 0 or -EBADMSG. */
int procfs_sockstat_parse(const void *data, size_t len, struct procfs_sockstat *s);
/* Members the kernel does not tell are PROCFS_COUNT_UNKNOWN. 0 or -errno of net/sockstat. */
int procfs_read_sockstat(struct tape *t, struct procfs_sockstat *ret_stat);

/* Open files of the whole system (sys/fs/file-nr) and its threads (loadavg); 0 = not known. */
uint64_t procfs_count_files(struct tape *t);
uint64_t procfs_count_threads(struct tape *t);

#endif
