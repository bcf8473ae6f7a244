/* SPDX-License-Identifier: MIT */
/* The run of a writer over a snapshot: columns, order, buffer, descriptor. */
#include "ui/render/render.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "ui/render/render-internal.h"

static const struct writer *const writers[RENDER_FORMAT_N] = {
	[RENDER_TABLE] = &render_table_writer,
	[RENDER_JSON] = &render_json_writer,
	[RENDER_JSONL] = &render_jsonl_writer,
	[RENDER_CSV] = &render_csv_writer,
};

static int flush(struct render *r, int fd)
{
	int e = buf_error(&r->out);

	if (e == 0 && r->out.len)
		e = fd_write_all(fd, r->out.data, r->out.len);
	buf_clear(&r->out);
	return e;
}

/* What is ready is shown before the wait for what is not. */
static int wait_for_names(struct render *r, int fd)
{
	int e = flush(r, fd);

	return e < 0 ? e : r->options->before_remote(r->options->userdata);
}

static int write_rows(struct render *r, const struct writer *w, void *state, int fd)
{
	bool waits = r->options->before_remote;
	int e = w->begin(r, state);

	for (size_t i = 0; e == 0 && i < r->n_rows; i++) {
		if (waits && render_has_remote(render_row(r, i))) {
			waits = false;
			e = wait_for_names(r, fd);
			if (e < 0)
				break;
		}
		w->row(r, state, render_row(r, i));
		if (r->out.len >= RENDER_FLUSH || buf_error(&r->out))
			e = flush(r, fd);
	}
	if (e < 0)
		return e;
	w->end(r, state);
	return flush(r, fd);
}

static int run(struct render *r, const struct writer *w, int fd)
{
	_cleanup_(cleanup_free) void *state = calloc(1, w->state_size ? w->state_size : 1);
	int e = state ? render_make_order(r) : -ENOMEM;

	if (e == 0 && !buf_room(&r->out, RENDER_FLUSH + RENDER_FLUSH / 4))
		e = -ENOMEM;
	if (e == 0)
		e = write_rows(r, w, state, fd);
	if (state && w->deinit)
		w->deinit(state);
	free(r->order);
	buf_deinit(&r->out);
	return e;
}

int render_snapshot(const struct pv_snapshot *snapshot, const struct render_options *options,
		    int fd)
{
	_cleanup_(cleanup_free) const struct column **expanded = NULL;
	const struct writer *w = writers[options->format];
	struct render r = {
		.snapshot = snapshot,
		.options = options,
		.context = { .snapshot = snapshot,
			     .needs = options->needs,
			     .numeric = options->numeric,
			     .ascii = options->ascii },
		.columns = options->columns,
		.n_columns = options->n_columns,
		.out = BUF_INIT,
	};
	int e = 0;

	if (w->is_machine) {
		e = columns_expand(options->columns, options->n_columns, &expanded, &r.n_columns);
		r.columns = expanded;
	}
	return e < 0 ? e : run(&r, w, fd);
}
