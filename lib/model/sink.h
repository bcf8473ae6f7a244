/* SPDX-License-Identifier: MIT */
/*
 * Where the parsers of sources (netlink, procfs tables, BPF iterators) put what they understood.
 * Everything pointed to is borrowed for the duration of the call.
 */
#ifndef MODEL_SINK_H
#define MODEL_SINK_H

#include <portavoz/conversation.h>

struct sink {
	/*
	 * row: tuple, state, queues, uid, inode, cookie ...; its pointers (detail, path) are NULL
	 * or borrowed. Returns 0 to go on or -errno, which the parser passes on.
	 */
	int (*row)(void *userdata, const struct pv_conversation *row);
	void *userdata;
};

#endif
