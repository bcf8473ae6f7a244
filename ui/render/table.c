/* SPDX-License-Identifier: MIT */
/*
 * The table for people. One socket is one row; no cell holds two spaces in a row, and columns are
 * two apart (one, where a terminal is narrow and cells are cut).
 *
 * Without a terminal nothing is cut: widths come from a sample of the rows, a longer cell pushes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ui/render/render-internal.h"
#include "ui/text/escape.h"

#define SAMPLE 4096
/* For a column whose names are still to come: most host names with a port. */
#define NAME_WIDTH 32

struct table_column {
	const struct column *column;
	size_t natural; /* widest cell or title; 0 = runs over the edge */
	size_t width;	/* what it gets */
};

struct table {
	struct table_column *columns;
	size_t n;
	size_t gap; /* spaces between columns */
};

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* ---- widths ---- */

static void measure_row(struct render *r, struct table *t, const struct pv_conversation *c,
			struct buf *scratch)
{
	for (size_t i = 0; i < t->n; i++) {
		struct table_column *tc = &t->columns[i];

		if (tc->column->flags & COLUMN_LONG)
			continue;
		buf_clear(scratch);
		tc->natural = max(tc->natural, column_put(tc->column, &r->context, c, scratch, 0));
	}
}

static int measure(struct render *r, struct table *t)
{
	struct buf scratch = BUF_INIT;
	size_t step = r->options->width || r->n_rows <= SAMPLE ? 1 : r->n_rows / SAMPLE;
	bool names_follow = false;
	int e;

	for (size_t i = 0; i < t->n; i++) {
		const struct column *column = t->columns[i].column;

		if (!(column->flags & COLUMN_LONG) && r->options->header)
			t->columns[i].natural = strlen(column->title);
	}
	for (size_t i = 0; i < r->n_rows; i += step) {
		const struct pv_conversation *c = render_row(r, i);

		measure_row(r, t, c, &scratch);
		names_follow |= r->options->before_remote && render_has_remote(c);
	}
	for (size_t i = 0; i < t->n && names_follow; i++)
		if (t->columns[i].column->needs & PV_NEED_NAMES)
			t->columns[i].natural = max(t->columns[i].natural, NAME_WIDTH);
	e = buf_error(&scratch);
	buf_deinit(&scratch);
	return e;
}

static size_t total_width(const struct table *t)
{
	size_t total = t->n ? t->gap * (t->n - 1) : 0;

	for (size_t i = 0; i < t->n; i++)
		total += t->columns[i].width;
	return total;
}

static void set_natural(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->columns[i].width = t->columns[i].natural;
}

static bool is_short_form(const struct table_column *tc)
{
	return tc->column->flags & COLUMN_SHORT;
}

/* Each column as narrow as it may become: its minimum divided by `divisor`. */
static void set_minimal(struct table *t, size_t divisor)
{
	for (size_t i = 0; i < t->n; i++) {
		struct table_column *tc = &t->columns[i];
		size_t min =
			is_short_form(tc) ? tc->column->min : max(tc->column->min / divisor, 4);

		tc->width = tc->column->min && min < tc->natural ? min : tc->natural;
	}
}

/* false when no column may be dropped */
static bool drop_one(struct table *t)
{
	size_t victim = 0;

	for (size_t i = 1; i < t->n; i++)
		if (t->columns[i].column->drop > t->columns[victim].column->drop)
			victim = i;
	if (t->n < 2 || !t->columns[victim].column->drop)
		return false;
	t->n--;
	memmove(&t->columns[victim], &t->columns[victim + 1],
		(t->n - victim) * sizeof(*t->columns));
	return true;
}

static bool is_wanting(const struct table_column *tc)
{
	return tc->width < tc->natural && !is_short_form(tc);
}

/* Between its short form and its full one a column gains nothing. */
static void lengthen(struct table *t, size_t left)
{
	for (size_t i = 0; i < t->n; i++) {
		struct table_column *tc = &t->columns[i];
		size_t more = tc->natural - tc->width;

		if (more <= left) {
			tc->width += more;
			left -= more;
		}
	}
}

/* Gives what is left to the columns that could use it, evenly. */
static void share(struct table *t, size_t left)
{
	while (left) {
		size_t wanting = 0, part;

		for (size_t i = 0; i < t->n; i++)
			wanting += is_wanting(&t->columns[i]);
		if (!wanting)
			break;
		part = max(left / wanting, 1);
		for (size_t i = 0; i < t->n && left; i++) {
			struct table_column *tc = &t->columns[i];
			size_t more = is_wanting(tc) ? tc->natural - tc->width : 0;

			more = more < part ? more : part;
			more = more < left ? more : left;
			tc->width += more;
			left -= more;
		}
	}
	lengthen(t, left);
}

static void fit(struct table *t, size_t width, bool keep_columns)
{
	set_natural(t);
	if (total_width(t) <= width)
		return;
	t->gap = 1;
	if (total_width(t) <= width)
		return;
	set_minimal(t, 1);
	while (total_width(t) > width && !keep_columns && drop_one(t))
		;
	if (total_width(t) > width)
		set_minimal(t, 2);
	if (total_width(t) <= width)
		share(t, width - total_width(t));
	else
		set_minimal(t, 1); /* lines will wrap anyway */
}

/* ---- rows ---- */

static void put_spaces(struct buf *b, size_t n)
{
	/* most runs are short: one store of fixed size is cheaper than a call */
	char *p = buf_room(b, n + 16);

	if (!p)
		return;
	memset(p, ' ', 16);
	if (n > 16)
		memset(p + 16, ' ', n - 16);
	b->len += n;
}

/* What was written since `start` is `width` wide: fills the column up. */
static void align(struct buf *b, size_t start, size_t width, const struct table_column *tc,
		  bool is_last)
{
	size_t pad = width < tc->width ? tc->width - width : 0;

	if (!pad || (is_last && !(tc->column->flags & COLUMN_RIGHT)))
		return;
	put_spaces(b, pad);
	if (tc->column->flags & COLUMN_RIGHT && !buf_error(b)) {
		memmove(b->data + start + pad, b->data + start, b->len - start - pad);
		memset(b->data + start, ' ', pad);
	}
}

static const char *const tints[] = {
	[TINT_NONE] = "",	  [TINT_GOOD] = "\033[32m", [TINT_LISTEN] = "\033[36m",
	[TINT_WARN] = "\033[33m", [TINT_BAD] = "\033[31m",  [TINT_FAINT] = "\033[2m",
};
#define TINT_TITLE "\033[1m"
#define TINT_END "\033[0m"

/* Names that come after the widths were fixed may be longer than what was measured. */
static bool is_limited(const struct render *r, const struct table_column *tc)
{
	return tc->width < tc->natural || (r->options->width && r->options->before_remote &&
					   tc->column->needs & PV_NEED_NAMES);
}

static void put_cell(struct render *r, const struct table_column *tc,
		     const struct pv_conversation *c, bool is_last)
{
	size_t start = r->out.len;
	size_t width =
		column_put(tc->column, &r->context, c, &r->out, is_limited(r, tc) ? tc->width : 0);

	align(&r->out, start, width, tc, is_last);
}

static void table_row(struct render *r, const void *state, const struct pv_conversation *c,
		      bool is_first)
{
	const struct table *t = state;

	(void)is_first;
	for (size_t i = 0; i < t->n; i++) {
		const struct table_column *tc = &t->columns[i];
		enum column_tint tint =
			r->options->color && tc->column->tint ? tc->column->tint(c) : TINT_NONE;

		if (i)
			put_spaces(&r->out, t->gap);
		if (tint)
			buf_puts(&r->out, tints[tint]);
		put_cell(r, tc, c, i + 1 == t->n);
		if (tint)
			buf_puts(&r->out, TINT_END);
	}
	buf_putc(&r->out, '\n');
}

static void put_titles(struct render *r, const struct table *t)
{
	if (r->options->color)
		buf_puts(&r->out, TINT_TITLE);
	for (size_t i = 0; i < t->n; i++) {
		const struct table_column *tc = &t->columns[i];
		size_t start;

		if (i)
			put_spaces(&r->out, t->gap);
		start = r->out.len;
		buf_puts(&r->out, tc->column->title);
		if (tc->width && tc->width < tc->natural)
			text_cut(&r->out, start, tc->width, r->context.ascii);
		align(&r->out, start, text_width(r->out.data + start, r->out.len - start), tc,
		      i + 1 == t->n);
	}
	if (r->options->color)
		buf_puts(&r->out, TINT_END);
	buf_putc(&r->out, '\n');
}

static int table_begin(struct render *r, void *state)
{
	struct table *t = state;
	int e;

	t->columns = calloc(r->n_columns ? r->n_columns : 1, sizeof(*t->columns));
	if (!t->columns)
		return -ENOMEM;
	t->n = r->n_columns;
	t->gap = 2;
	for (size_t i = 0; i < t->n; i++)
		t->columns[i].column = r->columns[i];
	e = measure(r, t);
	if (e < 0)
		return e;
	if (r->options->width)
		fit(t, r->options->width, r->options->keep_columns);
	else
		set_natural(t);
	if (r->options->header)
		put_titles(r, t);
	return 0;
}

static void table_end(struct render *r, void *state)
{
	(void)r, (void)state;
}

static void table_deinit(void *state)
{
	struct table *t = state;

	free(t->columns);
}

const struct writer render_table_writer = {
	.state_size = sizeof(struct table),
	.begin = table_begin,
	.row = table_row,
	.end = table_end,
	.deinit = table_deinit,
};
