/* SPDX-License-Identifier: MIT */
/*
 * Facts read outside of procfs (files, packages, digests), each under a key, so that a recording
 * holds them. A recording's stream "judge" is a sequence of records: two 32-bit lengths in host
 * byte order, the key, the value. It is foreign input: a value is bytes until its reader has
 * checked them.
 */
#ifndef JUDGE_RECALL_H
#define JUDGE_RECALL_H

#include <portavoz/conversation.h>

#include "base/buf.h"
#include "base/tape.h"
#include "base/vec.h"

struct recall_fact {
	struct pv_bytes key, value;
};

struct recall {
	struct tape *tape;
	struct buf stream;	       /* replay: what the facts point into */
	VEC(struct recall_fact) facts; /* sorted by key */
	bool is_absent;		       /* the recording was made without any */
	uint64_t n_missing;	       /* asked for and not in the recording */
};

/* Reads the recording when there is one. 0 or -ENOMEM; a damaged stream ends where it is damaged.
 */
int recall_init(struct recall *r, struct tape *tape);
void recall_deinit(struct recall *r);
/* Replay: true, with the value (empty and counted when the recording lacks it). Else false: ask the
 * host, then recall_put(). */
bool recall_get(struct recall *r, const char *key, struct pv_bytes *ret_value);
/* Is it not a replay, or one that has it? Counts nothing. */
bool recall_has(const struct recall *r, const char *key);
void recall_put(struct recall *r, const char *key, const void *value, size_t len);

/* Pure: appends the facts of a stream, pointing into it. 0 or -ENOMEM. */
int recall_parse(const void *data, size_t len, struct recall *r);

#endif
