/* SPDX-License-Identifier: MIT */
/*
 * Rows from sources into the snapshot, each socket once: the identity is the cookie, which the
 * kernel gives once per socket and boot. A socket met again adds the details it did not have.
 */
#ifndef COLLECT_ROWS_H
#define COLLECT_ROWS_H

#include "collect/collector.h"
#include "model/sink.h"

struct rows {
	struct collector *c;
	size_t n_late; /* new sockets that may last, since the caller set it to 0 */
};

/* Takes rows and leaves out sockets that are there. For dumps that may repeat some. */
struct sink rows_merge_sink(struct rows *rows);
/* Takes rows as they come; rows_merge_from() is due afterwards. For iterators: faster. */
struct sink rows_append_sink(struct rows *rows);
/* Merges what was appended from row number `first` on. 0 or -ENOMEM. */
int rows_merge_from(struct rows *rows, size_t first);

#endif
