/* SPDX-License-Identifier: MIT */
/*
 * What this host is set to and what this process may see of it: the ephemeral port range, the
 * namespaces, how /proc is mounted, and the capabilities held.
 */
#ifndef PROCFS_SYSCTL_H
#define PROCFS_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"

#define PROCFS_PORT_WORDS (65536 / 64)

/* Pure parsers; 0 or -EBADMSG. */
int procfs_port_range_parse(const void *data, size_t len, uint16_t *ret_first, uint16_t *ret_last);
/* "8080,9000-9010": sets a bit for each port named. */
int procfs_port_list_parse(const void *data, size_t len, uint64_t bits[static PROCFS_PORT_WORDS]);

/* net.ipv4.ip_local_port_range; 0 or -errno. */
int procfs_read_port_range(struct tape *t, uint16_t *ret_first, uint16_t *ret_last);
/* net.ipv4.ip_local_reserved_ports; bits are cleared first. 0 or -errno. */
int procfs_read_reserved_ports(struct tape *t, uint64_t bits[static PROCFS_PORT_WORDS]);

enum procfs_hidepid {
	PROCFS_HIDEPID_OFF = 0,
	PROCFS_HIDEPID_NOACCESS = 1,
	PROCFS_HIDEPID_INVISIBLE = 2,
	PROCFS_HIDEPID_PTRACEABLE = 4, /* since 5.8 */
};

struct procfs_mount {
	int hidepid;	    /* enum procfs_hidepid */
	bool is_subset_pid; /* mounted with subset=pid (since 5.8): sys/ and net are not there */
};

/*
 * The topmost procfs on /proc in the text of mountinfo; 0, or -ENOENT (there is none). A mount
 * option of unknown value counts as hiding.
 */
int procfs_mountinfo_parse(const void *data, size_t len, struct procfs_mount *ret_mount);
/* CapEff of /proc/PID/status; 0 or -EBADMSG. */
int procfs_status_caps(const void *data, size_t len, uint64_t *ret_caps);

/* What of other processes this one may see. */
struct procfs_view {
	uint64_t netns, pidns; /* inodes of the namespaces; 0 = not known */
	uint64_t caps;	       /* effective capabilities, a bit each (linux/capability.h) */
	bool is_initial_pidns; /* false also when it is not known */
	bool is_caps_known;
	struct procfs_mount mount;
};

/* Members that cannot be read are zero. 0, or -ENOENT or -ENODATA when there is no procfs. */
int procfs_read_view(struct tape *t, struct procfs_view *ret_view);
/* Inode of /proc/self/ns/NAME; 0 or -errno. */
int procfs_read_namespace(struct tape *t, const char *name, uint64_t *ret_inode);

#endif
