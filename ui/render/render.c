/* SPDX-License-Identifier: MIT */
/* The run of a writer over a snapshot: columns, order, buffer, descriptor. */
#include "ui/render/render.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "ui/render/render-internal.h"

/* Rows between two writes of a thread's buffer. */
#define BLOCK_ROWS 4096
/* With fewer rows a second thread costs more than it saves (0.1 ms to start). */
#define PARALLEL_PAYS 8192

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

/* A run of rows for one thread, into a buffer of its own. */
struct block {
	struct render render;
	const struct writer *writer;
	const void *state;
	size_t first, end;
	pthread_t thread;
	bool is_threaded;
};

static void *write_block(void *userdata)
{
	struct block *b = userdata;

	for (size_t i = b->first; i < b->end && !buf_error(&b->render.out); i++)
		b->writer->row(&b->render, b->state, render_row(&b->render, i),
			       i == 0 && !b->render.has_rows);
	return NULL;
}

/* Rows [first, end) by all blocks at once, written in order. */
static int write_batch(struct block *blocks, size_t n, size_t first, size_t end, int fd)
{
	int e = 0;

	for (size_t k = n; k-- > 0;) {
		struct block *b = &blocks[k];

		b->first = first + (end - first) * k / n;
		b->end = first + (end - first) * (k + 1) / n;
		b->is_threaded = k && pthread_create(&b->thread, NULL, write_block, b) == 0;
		if (!b->is_threaded)
			write_block(b);
	}
	for (size_t k = 0; k < n; k++) {
		if (blocks[k].is_threaded)
			pthread_join(blocks[k].thread, NULL);
		if (e == 0)
			e = flush(&blocks[k].render, fd);
	}
	return e;
}

/* The rows from `first` on; many of them by two threads, which halves the time to format them. */
static int write_rest(struct render *r, const struct writer *w, const void *state, size_t first,
		      int fd)
{
	size_t n = r->n_rows - first >= PARALLEL_PAYS ? 2 : 1;
	struct block blocks[2];
	int e = flush(r, fd);

	for (size_t k = 0; k < n; k++) {
		blocks[k] = (struct block){ .render = *r, .writer = w, .state = state };
		blocks[k].render.out = (struct buf)BUF_INIT;
		blocks[k].render.scratch = (struct buf)BUF_INIT;
	}
	for (size_t end; e == 0 && first < r->n_rows; first = end) {
		end = r->n_rows - first > n * BLOCK_ROWS ? first + n * BLOCK_ROWS : r->n_rows;
		e = write_batch(blocks, n, first, end, fd);
	}
	for (size_t k = 0; k < n; k++) {
		buf_deinit(&blocks[k].render.out);
		buf_deinit(&blocks[k].render.scratch);
	}
	return e;
}

static int write_rows(struct render *r, const struct writer *w, void *state, int fd)
{
	size_t i = 0;
	int e = w->begin(r, state);

	if (r->options->before_remote) {
		for (; e == 0 && i < r->n_rows && !render_has_remote(render_row(r, i)); i++)
			w->row(r, state, render_row(r, i), i == 0);
		if (e == 0 && i < r->n_rows)
			e = wait_for_names(r, fd);
	}
	if (e == 0)
		e = write_rest(r, w, state, i, fd);
	if (e < 0)
		return e;
	w->end(r, state);
	return flush(r, fd);
}

static int run(struct render *r, const struct writer *w, int fd)
{
	_cleanup_(cleanup_free) void *state = calloc(1, w->state_size ? w->state_size : 1);
	int e = state ? render_make_order(r) : -ENOMEM;

	if (e == 0)
		e = write_rows(r, w, state, fd);
	if (state && w->deinit)
		w->deinit(state);
	free(r->order);
	buf_deinit(&r->out);
	buf_deinit(&r->scratch);
	return e;
}

static int set_up(struct render *r, const struct render_options *options,
		  const struct column ***ret_expanded)
{
	int e;

	*r = (struct render){
		.options = options,
		.context = { .needs = options->needs,
			     .numeric = options->numeric,
			     .ascii = options->ascii },
		.columns = options->columns,
		.n_columns = options->n_columns,
		.out = BUF_INIT,
		.scratch = BUF_INIT,
	};
	*ret_expanded = NULL;
	if (!writers[options->format]->is_machine)
		return 0;
	e = columns_expand(options->columns, options->n_columns, ret_expanded, &r->n_columns);
	r->columns = *ret_expanded;
	return e;
}

int render_snapshot(const struct pv_snapshot *snapshot, const struct render_options *options,
		    int fd)
{
	_cleanup_(cleanup_free) const struct column **expanded = NULL;
	struct render r;
	int e = set_up(&r, options, &expanded);

	r.snapshot = r.context.snapshot = snapshot;
	return e < 0 ? e : run(&r, writers[options->format], fd);
}

/* ---- batches ---- */

struct render_stream {
	struct render render;
	struct render_options options;
	const struct writer *writer;
	const struct column **expanded;
	void *state;
	int fd;
	bool is_begun;
};

int render_open(const struct render_options *options, int fd, struct render_stream **ret)
{
	struct render_stream *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return -ENOMEM;
	s->options = *options;
	s->fd = fd;
	s->writer = writers[options->format];
	e = set_up(&s->render, &s->options, &s->expanded);
	s->render.is_stream = true;
	s->state = calloc(1, s->writer->state_size ? s->writer->state_size : 1);
	if (e < 0 || !s->state) {
		render_stream_free(s);
		return e < 0 ? e : -ENOMEM;
	}
	*ret = s;
	return 0;
}

void render_stream_free(struct render_stream *s)
{
	if (!s)
		return;
	if (s->state && s->writer->deinit)
		s->writer->deinit(s->state);
	free(s->state);
	free(s->expanded);
	buf_deinit(&s->render.out);
	buf_deinit(&s->render.scratch);
	free(s);
}

int render_batch(struct render_stream *s, const struct pv_snapshot *snapshot)
{
	struct render *r = &s->render;
	int e;

	r->snapshot = r->context.snapshot = snapshot;
	e = render_make_order(r);
	if (e == 0 && !s->is_begun) {
		e = s->writer->begin(r, s->state);
		s->is_begun = true;
	}
	if (e == 0)
		e = write_rest(r, s->writer, s->state, 0, s->fd);
	r->has_rows |= r->n_rows > 0;
	free(r->order);
	r->order = NULL;
	return e;
}

int render_close(struct render_stream *s, const struct pv_snapshot *last)
{
	s->render.snapshot = last;
	s->writer->end(&s->render, s->state);
	return flush(&s->render, s->fd);
}
