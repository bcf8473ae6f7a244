/* SPDX-License-Identifier: MIT */
/*
 * A reading thread and a parsing one. The kernel takes longest to walk a million sockets; what is
 * read is understood meanwhile. At most RELAY_SLOTS chunks wait between the two.
 */
#ifndef COLLECT_RELAY_H
#define COLLECT_RELAY_H

#include "bpf/iter.h"

/*
 * bpf_iter_run() of a live tape on a thread of its own; chunk() is called in the caller's. Where no
 * thread can be had both happen in the caller's. Returns what bpf_iter_run() does.
 */
int relay_run(struct tape *t, enum bpf_iter_kind kind, bpf_chunk chunk, void *userdata);

#endif
