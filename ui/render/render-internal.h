/* SPDX-License-Identifier: MIT */
/* What the writers share: the run they belong to, and their vtable. */
#ifndef UI_RENDER_INTERNAL_H
#define UI_RENDER_INTERNAL_H

#include <string.h>

#include "ui/render/render.h"

struct render {
	const struct pv_snapshot *snapshot;
	const struct render_options *options;
	struct column_context context;
	const struct column *const *columns; /* composed ones replaced, for a machine format */
	size_t n_columns;
	uint32_t *order; /* for pv_snapshot_get() */
	size_t n_rows;
	struct buf out;
	struct buf scratch; /* of the row being written */
	bool is_stream;	    /* the coverage is not known before the rows are written */
	bool has_rows;	    /* of a batch before this one */
};

static inline const struct pv_conversation *render_row(const struct render *r, size_t n)
{
	return pv_snapshot_get(r->snapshot, r->order[n]);
}

static inline bool render_has_remote(const struct pv_conversation *c)
{
	static const uint8_t any[sizeof(c->remote.addr)];

	return c->remote.port || memcmp(c->remote.addr, any, sizeof(any)) != 0;
}

struct writer {
	bool is_machine;			     /* writes the parts of composed columns */
	size_t state_size;			     /* of `state` below, zeroed */
	int (*begin)(struct render *r, void *state); /* 0 or -ENOMEM */
	/* changes nothing but r->out and r->scratch: rows are written by several threads */
	void (*row)(struct render *r, const void *state, const struct pv_conversation *c,
		    bool is_first);
	void (*end)(struct render *r, void *state);
	void (*deinit)(void *state);
};

extern const struct writer render_table_writer, render_json_writer, render_jsonl_writer,
	render_csv_writer;

/* Rows to write and their order: sorted, or listeners first; pairs merged. 0 or -ENOMEM. */
int render_make_order(struct render *r);

#endif
