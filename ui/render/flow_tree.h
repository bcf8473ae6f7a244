/* SPDX-License-Identifier: MIT */
/*
 * The conversations of a capture as they lie in each other: link-layer addresses, IP addresses,
 * sockets, observed protocol, each with its share of packets and bytes; and what is odd about the
 * addresses. Conversations inside of a tunnel are not in it: their tunnel is.
 */
#ifndef UI_RENDER_FLOW_TREE_H
#define UI_RENDER_FLOW_TREE_H

#include "ui/render/render.h"

struct flow_tree;

/*
 * `vendors` is the text of ieee-data's oui.txt, borrowed until flow_tree_free(), or NULL. The tree
 * takes no more than `memory` bytes besides: when they are full the smaller half of all lines is
 * added up in the others of what they lie in, and addresses that are new from then on are not
 * looked at for what is odd; both are counted. 0, -ENOMEM or -EIO (no random numbers).
 */
int flow_tree_new(const struct buf *vendors, uint64_t memory, struct flow_tree **ret_tree);
void flow_tree_free(struct flow_tree *tree);				       /* NULL is fine */
int flow_tree_add(struct flow_tree *tree, const struct pv_snapshot *snapshot); /* 0 or -ENOMEM */
/* Text for people (the largest of each level) or JSON (all). 0, -ENOMEM, or write(2)'s error. */
int flow_tree_write(struct flow_tree *tree, const struct pv_snapshot *last,
		    enum render_format format, bool ascii, int fd);

#endif
