/* SPDX-License-Identifier: MIT */
/*
 * The text tables of /proc/net, for kernels without the diag module of a protocol. They are no
 * snapshot: the kernel writes them page by page, and rows may be missing or come twice while others
 * change; those that come twice are left out here. net/unix holds names that any user chooses,
 * newlines included, so a row of it proves nothing; what can be told apart is.
 */
#ifndef PROCFS_NETTABLES_H
#define PROCFS_NETTABLES_H

#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#include "base/tape.h"
#include "model/sink.h"

#define PROCFS_E_NO_TABLE 1 /* no kernel has a table of this protocol: MPTCP, DCCP, VSOCK, XDP */

struct procfs_table_stats {
	uint64_t n_rows;      /* given to the sink */
	uint64_t n_malformed; /* lines not understood */
	uint64_t n_doubled;   /* rows left out because the table gave them twice */
	uint64_t n_untrusted; /* unix: rows given with PV_CONV_INODE_TWICE */
};

/*
 * Reads the sockets of a protocol and of a family (AF_INET, AF_INET6; ignored for protocols that
 * are not of IP) into the sink. What a table does not tell is 0, but for uid, which is UINT32_MAX:
 * net/unix and net/netlink have none. A unix name that begins with '@' is taken for an abstract
 * one. States of SCTP associations are mapped to the nearest of TCP. 0, PROCFS_E_NO_TABLE, -ENOENT
 * (the kernel lacks the table), -ENODATA (not in the recording), what the sink returned, -errno.
 */
int procfs_read_table(struct tape *t, enum pv_proto proto, int family, const struct sink *sink,
		      struct procfs_table_stats *ret_stats);

/* Pure: one text of that protocol and family. `text2` is net/sctp/eps, else unused. */
int procfs_table_parse(enum pv_proto proto, int family, const void *data, size_t len,
		       const void *data2, size_t len2, const struct sink *sink,
		       struct procfs_table_stats *ret_stats);

#endif
