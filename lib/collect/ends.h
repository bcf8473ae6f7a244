/* SPDX-License-Identifier: MIT */
/*
 * An index over closed sockets, which grows with its snapshot. It answers for one moment: of the
 * sockets that fit equally well, the first that was closed since then.
 */
#ifndef COLLECT_ENDS_H
#define COLLECT_ENDS_H

#include <portavoz/ends.h>

/* An empty one; `netns` of its rows is the inode of their namespace. 0 or -ENOMEM. */
int ends_new_closed(const struct pv_snapshot *snapshot, struct pv_ends **ret);
/* Adds the newest row of the snapshot, which is not a moment before the last one. 0 or -ENOMEM. */
int ends_add_closed(struct pv_ends *e, int64_t time);
/* An address that this namespace has, whether sockets show it or not. 0 or -ENOMEM. */
int ends_add_address(struct pv_ends *e, uint32_t netns, uint8_t family, const void *addr);
/* As pv_ends_find(), of what was closed at `since` or later. */
const struct pv_conversation *ends_find_closed(const struct pv_ends *e, const struct pv_pair *pair,
					       unsigned side, int64_t since,
					       enum pv_end_by *ret_by);

#endif
