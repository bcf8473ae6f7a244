/* SPDX-License-Identifier: MIT */
/*
 * Writers: a snapshot as table, JSON, JSON lines or CSV. One socket is one row. Everything passes
 * through one buffer and write(2); every failed write is returned.
 */
#ifndef UI_RENDER_RENDER_H
#define UI_RENDER_RENDER_H

#include "ui/columns/columns.h"

enum render_format { RENDER_TABLE, RENDER_JSON, RENDER_JSONL, RENDER_CSV, RENDER_FORMAT_N };

struct render_options {
	enum render_format format;
	const struct column *const *columns;
	size_t n_columns;
	/* order; without keys: listeners, then the rest, each as the snapshot has them */
	const struct sort_key *sort;
	size_t n_sort;
	uint32_t needs; /* what was collected (PV_NEED_*): the members of `owners` objects */
	bool numeric;
	bool header;  /* titles: of the table, of CSV */
	bool color;   /* colours, in the table */
	bool ascii;   /* the terminal's character set is not UTF-8 */
	bool pairs;   /* one row for both ends of a conversation within this host */
	size_t width; /* of the terminal: the table is fitted into it; 0 = nothing is ever cut */
	/*
	 * Called once, before the first row that has a remote end, when all rows above it are
	 * written: the place to wait for host names. 0, or -errno, which ends the run. NULL = none.
	 */
	int (*before_remote)(void *userdata);
	void *userdata;
	/* rows to leave out, as pv_snapshot_get() numbers them; NULL = none */
	const bool *omit;
	bool keep_columns; /* chosen by name: none is dropped on a narrow terminal */
};

/* 0, -ENOMEM, or what write(2) failed with: -ENOSPC, -EPIPE, ... */
int render_snapshot(const struct pv_snapshot *snapshot, const struct render_options *options,
		    int fd);

/*
 * The same over several snapshots, one after the other: the rows of a run whose table is bounded.
 * Each is sorted for itself; widths are those of the first. The coverage, which only the last one
 * knows, follows the rows.
 */
struct render_stream;
int render_open(const struct render_options *options, int fd, struct render_stream **ret_stream);
int render_batch(struct render_stream *stream, const struct pv_snapshot *snapshot);
/* Ends what was written; `last` must be the snapshot of the last render_batch(). */
int render_close(struct render_stream *stream, const struct pv_snapshot *last);
void render_stream_free(struct render_stream *stream); /* NULL is fine */

/*
 * Counts per protocol, state, group of the service port, service and process; ephemeral ports in
 * use per remote socket. Text for people (RENDER_TABLE), JSON (RENDER_JSON, RENDER_JSONL) or CSV.
 */
int render_summary(const struct pv_snapshot *snapshot, enum render_format format, bool ascii,
		   int fd);

/*
 * What could not be seen, in one line for people, "portavoz: partial: ...\n"; with `sources` also
 * which sources are off or a fallback. Nothing when there is nothing to say. 0 or -ENOMEM.
 */
int render_coverage_line(const struct pv_coverage *coverage, bool sources, struct buf *b);
/* The same as a JSON object. */
void render_coverage_json(const struct pv_coverage *coverage, struct buf *b);

/* Arguments separated by NUL (CELL_ARGS) as a JSON array of strings. */
void render_args_json(const struct pv_bytes *args, struct buf *b);

/* The evidence of the findings as a JSON array of strings. */
void render_evidence_json(const struct pv_snapshot *snapshot,
			  const struct pv_conversation *conversation, struct buf *b);

/* One conversation as a JSON object of every machine column. 0 or -ENOMEM. */
int render_conversation_json(const struct pv_snapshot *snapshot, uint32_t needs,
			     const struct pv_conversation *conversation, struct buf *b);

#endif
