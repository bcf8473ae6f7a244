/* SPDX-License-Identifier: MIT */
/*
 * What a cgroup path says about a process: its systemd unit and its container. Only the part that
 * the host wrote is believed: below a container, and below a unit that was delegated, names are
 * chosen by whoever runs inside.
 */
#ifndef PROCFS_CGROUP_H
#define PROCFS_CGROUP_H

#include <portavoz/conversation.h>

#include "base/buf.h"

#define PROCFS_MACHINE_MAX 64 /* what systemd allows a machine's name to be */

struct procfs_cgroup {
	struct pv_bytes unit;	   /* borrowed from the path, escapes (\x2d) kept; or empty */
	struct pv_bytes container; /* id or name: borrowed from the path, or points to machine:
				      do not copy the struct */
	const char *runtime; /* docker, podman, containerd, crio, lxc, systemd-nspawn, libvirt; or
				NULL */
	struct pv_bytes manager; /* user@UID.service, when what is below it made the unit or the
				    container: names there are that user's choice; or empty */
	char machine[PROCFS_MACHINE_MAX]; /* a name with systemd's escapes undone */
};

/*
 * The path in the text of /proc/PID/cgroup, borrowed from it: of the unified hierarchy, else of
 * name=systemd; of those the first that is not the root. 0 or -EBADMSG (the text names neither).
 */
int procfs_cgroup_path(const void *data, size_t len, struct pv_bytes *ret_path);
void procfs_cgroup_parse(const void *path, size_t len, struct procfs_cgroup *ret);
/*
 * Append the name that identifies the unit or the container, or nothing: what a user's own manager
 * made is named behind that manager, as in "user@1000.service/nginx.service", so that nobody can
 * pass for a unit of the system.
 */
void procfs_cgroup_put_unit(const struct procfs_cgroup *cgroup, struct buf *b);
void procfs_cgroup_put_container(const struct procfs_cgroup *cgroup, struct buf *b);

/*
 * Live: the root of the unified hierarchy, a descriptor: where it is mounted, else by a mount that
 * nobody else sees. -ENODEV = this host does not use it, -ENOENT = it is not mounted here and may
 * not be, or -errno.
 */
int procfs_cgroup_open_root(void);

#endif
