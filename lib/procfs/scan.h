/* SPDX-License-Identifier: MIT */
/*
 * Who holds which socket, by reading every file table in /proc. A descriptor that stays open for
 * the whole scan is reported exactly once per process; what could not be looked at is counted.
 */
#ifndef PROCFS_SCAN_H
#define PROCFS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tape.h"
#include "model/owner_record.h"
#include "procfs/sockstat.h"

enum procfs_threads {
	/*
	 * Look at threads that have a file table of their own, including those that outlived their
	 * leader. kcmp(2) tells which; where it is not permitted, n_threads_skipped counts.
	 */
	PROCFS_THREADS_AUTO,
	PROCFS_THREADS_NONE,
};

struct procfs_scan_options {
	unsigned attempt;   /* which scan of this run: names the stream of a recording */
	unsigned n_workers; /* threads to scan with; 0 = by the number of open files and of CPUs */
	enum procfs_threads threads;
	/* also records descriptors that are network namespaces (OWNER_NETNS) */
	bool wants_netns;
};

struct procfs_scan_stats {
	uint64_t n_processes;	    /* in the list of /proc, kernel threads included */
	uint64_t n_holders;	    /* processes with at least one socket */
	uint64_t n_sockets;	    /* records: descriptors that are sockets, or namespaces */
	uint64_t n_denied;	    /* have descriptors, but may not be looked into */
	uint64_t n_vanished;	    /* exited before or while they were looked at */
	uint64_t n_limited;	    /* not looked at in full for want of descriptors or memory */
	uint64_t n_failed;	    /* not looked at in full for another reason */
	uint64_t n_threads_skipped; /* processes that may have more tables than were looked at */
	uint64_t n_thread_tables;   /* tables other than the leader's that were looked at */
};

/*
 * Calls record for each descriptor that is a socket, ordered by process as /proc lists them. The
 * calls come one at a time, but maybe from other threads than the caller's. record returns 0 or
 * -errno, which ends the scan and is passed on; it must not use the tape. start_ticks and comm are
 * known for every record. 0; -ENOENT: there is no procfs; -ENODATA: not in the recording; -EBADMSG:
 * the recording is damaged; -errno.
 */
int procfs_scan_owners(struct tape *t, const struct procfs_scan_options *o,
		       int (*record)(void *userdata, const struct owner_record *r), void *userdata,
		       struct procfs_scan_stats *ret_stats);

/* Pure: checks and yields the records of a stream. 0, -EBADMSG or what record returned. */
int procfs_owners_parse(const void *data, size_t len,
			int (*record)(void *userdata, const struct owner_record *r),
			void *userdata);
/* Pure: "n_processes=12" lines. 0 or -EBADMSG. */
int procfs_scan_stats_parse(const void *data, size_t len, struct procfs_scan_stats *ret_stats);

#endif
