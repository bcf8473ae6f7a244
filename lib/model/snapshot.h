/* SPDX-License-Identifier: MIT */
/*
 * The inside of a snapshot, for those who build one. Rows live in chunks: they never move, and a
 * million of them need no second copy while the table grows.
 */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include <portavoz/exposure.h>
#include <portavoz/snapshot.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"

#define SNAPSHOT_CHUNK 4096

struct snapshot_user {
	uint64_t id; /* of an interface: number of the namespace << 32 | index */
	const char *name;
};

/* Of an interface of a network namespace. */
struct snapshot_address {
	uint32_t netns; /* its number */
	uint8_t family;
	uint8_t addr[16];
};

/* What few conversations have. */
struct snapshot_relation {
	struct pv_translation translation; /* n_hops 0 = none */
	uint32_t n_candidates;
	bool has_publication;
	struct pv_publication publication;
};

struct pv_snapshot {
	struct arena arena; /* strings, details, chunks */
	VEC(struct pv_conversation *) chunks;
	size_t n_rows;
	VEC(uint32_t) shown; /* row numbers in pv_snapshot_get() order, when is_filtered */
	bool is_filtered;
	VEC(struct pv_process) processes;
	VEC(struct pv_holder) holders;
	VEC(struct pv_netns) netns;
	VEC(struct snapshot_relation) relations; /* conversation->relation - 1 */
	VEC(struct pv_finding) findings;
	VEC(uint64_t) policy_matches; /* one for each rule of the policy */
	struct pv_clock clock;
	char key_mark[33];     /* of the key that its names are under; empty = none, or not known */
	bool is_from_redacted; /* its recording had them already */
	VEC(struct snapshot_user) users;	/* sorted by id */
	VEC(struct snapshot_user) ifnames;	/* sorted by id */
	VEC(struct snapshot_address) addresses; /* with PV_NEED_ADDRESSES */
	VEC(struct pv_source) sources;
	VEC(struct pv_gap) gaps;
	struct pv_coverage coverage; /* views of sources and gaps, set by snapshot_seal() */
};

struct pv_snapshot *snapshot_new(void); /* NULL = out of memory; free with pv_snapshot_free() */

/* Copies a row with its path and detail into the snapshot; NULL = out of memory. */
struct pv_conversation *snapshot_add(struct pv_snapshot *s, const struct pv_conversation *row);
/* Copies a detail with its attributes; NULL = out of memory. */
const struct pv_detail *snapshot_detail(struct pv_snapshot *s, const struct pv_detail *from);
/* Row by number, filtered or not; number < s->n_rows. */
static inline struct pv_conversation *snapshot_row(const struct pv_snapshot *s, size_t number)
{
	return &s->chunks.items[number / SNAPSHOT_CHUNK][number % SNAPSHOT_CHUNK];
}

/* Adds a process, copying its strings; *ret_index is its index. 0 or -ENOMEM. */
int snapshot_add_process(struct pv_snapshot *s, const struct pv_process *p, uint32_t *ret_index);
/* The relation of a row, made when it has none; NULL = out of memory. Until the next is made. */
struct snapshot_relation *snapshot_relate(struct pv_snapshot *s, struct pv_conversation *row);
/* Gives a row its holders (appended to s->holders; the row must have none yet). 0 or -ENOMEM. */
int snapshot_set_holders(struct pv_snapshot *s, struct pv_conversation *row,
			 const struct pv_holder *holders, uint32_t n);
/* name, via and cause are copied (cause may be NULL); the same again adds nothing. */
int snapshot_add_source(struct pv_snapshot *s, const char *name, const char *via,
			enum pv_source_state state, const char *cause);
/* Adds count to the gap of that kind and detail (copied, may be NULL); 0 or -ENOMEM. */
int snapshot_add_gap(struct pv_snapshot *s, enum pv_gap_kind kind, uint64_t count,
		     const char *detail);
int snapshot_add_user(struct pv_snapshot *s, uint32_t uid, const char *name);
int snapshot_add_ifname(struct pv_snapshot *s, uint32_t netns, uint32_t ifindex, const char *name);
/* Sorts the lookup tables and publishes the coverage; the snapshot is immutable afterwards. */
void snapshot_seal(struct pv_snapshot *s);

/* Reads what the library of digests needs for Community IDs; 0, or -ENOSYS: it has no SHA-1. */
int snapshot_prepare_digest(void);

/* Copies bytes into the arena; out of memory leaves an empty value and returns -ENOMEM. */
int snapshot_bytes(struct pv_snapshot *s, struct pv_bytes *b, const void *data, size_t len);

#endif
