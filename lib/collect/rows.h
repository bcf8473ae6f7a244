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

/*
 * Takes rows and leaves out sockets that are there, for dumps that may repeat some. What was
 * appended before must have been indexed.
 */
struct sink rows_merge_sink(struct rows *rows);
/* Takes rows as they come, for iterators, which repeat none; they are indexed when that is due. */
struct sink rows_append_sink(struct rows *rows);
/*
 * Enters what was appended into the index by cookie, and leaves out what is there already: before
 * anything is looked up by cookie. 0 or -ENOMEM.
 */
int rows_index(struct rows *rows);

#endif
