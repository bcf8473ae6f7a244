/* SPDX-License-Identifier: MIT */
/*
 * CSV: RFC 4180 quoting, lines end with a newline alone, no cell holds one. A null is an empty
 * cell, an empty name is a quoted pair of quotes (""""""). See ui/text/escape.h for names and for
 * cells that a spreadsheet would run.
 */
#include "ui/render/render-internal.h"
#include "ui/text/escape.h"

static int csv_begin(struct render *r, void *state)
{
	(void)state;
	if (!r->options->header)
		return 0;
	for (size_t i = 0; i < r->n_columns; i++) {
		if (i)
			buf_putc(&r->out, ',');
		buf_puts(&r->out, r->columns[i]->name);
	}
	buf_putc(&r->out, '\n');
	return 0;
}

static void put_cell(struct render *r, const struct cell *cell)
{
	struct buf *text = &r->scratch;

	if (cell->type == CELL_NUMBER || cell->type == CELL_BOOL || cell->type == CELL_ADDRESS) {
		cell_put(cell, &r->context, &r->out, 0);
		return;
	}
	buf_clear(text);
	cell_put(cell, &r->context, text, TEXT_FIELD);
	if (buf_error(text))
		r->out.error = buf_error(text);
	else
		text_put_csv(&r->out, text->data, text->len);
}

static void csv_row(struct render *r, const void *state, const struct pv_conversation *c,
		    bool is_first)
{
	(void)state, (void)is_first;
	for (size_t i = 0; i < r->n_columns; i++) {
		struct cell cell = { 0 };

		if (i)
			buf_putc(&r->out, ',');
		r->columns[i]->get(r->columns[i], &r->context, c, &cell);
		put_cell(r, &cell);
	}
	buf_putc(&r->out, '\n');
}

static void csv_end(struct render *r, void *state)
{
	(void)r, (void)state;
}

const struct writer render_csv_writer = {
	.is_machine = true,
	.begin = csv_begin,
	.row = csv_row,
	.end = csv_end,
};
