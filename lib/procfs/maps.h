/* SPDX-License-Identifier: MIT */
/*
 * Code that a process has mapped from files, by /proc/PID/maps (proc(5)): its program and its
 * libraries. The loader maps them privately; what is shared and executable is what compilers at
 * run time write for themselves.
 */
#ifndef PROCFS_MAPS_H
#define PROCFS_MAPS_H

#include <portavoz/conversation.h>

#include "procfs/text.h"

struct procfs_map {
	uint64_t start, end;
	uint64_t device, inode; /* of some file systems (btrfs, overlay) not those of stat(2) */
	struct pv_bytes path;	/* borrowed; of a deleted file it ends in " (deleted)" */
};

/*
 * The next executable, private mapping of a file in the text; false when there is none left. Lines
 * that are none are passed over.
 */
bool procfs_maps_next(struct text *t, struct procfs_map *ret_map);

#endif
