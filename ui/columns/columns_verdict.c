/* SPDX-License-Identifier: MIT */
/* The verdict and its evidence. */
#include <string.h>

#include "ui/columns/columns-internal.h"
#include "ui/text/escape.h"

COLUMN_GETTER(column_get_verdict)
{
	(void)column, (void)context;
	if (c->verdict == PV_VERDICT_NONE)
		return;
	ret_cell->type = CELL_TEXT;
	ret_cell->text = pv_verdict_name((enum pv_verdict)c->verdict);
}

COLUMN_GETTER(column_get_evidence)
{
	(void)column, (void)context;
	if (c->verdict == PV_VERDICT_NONE)
		return;
	ret_cell->type = CELL_EVIDENCE;
	ret_cell->conversation = c;
}

enum column_tint column_tint_verdict(const struct pv_conversation *c)
{
	static const enum column_tint tints[PV_VERDICT_N] = {
		[PV_VERDICT_EXPLAINED] = TINT_GOOD,
		[PV_VERDICT_UNEXPLAINED] = TINT_WARN,
		[PV_VERDICT_SUSPICIOUS] = TINT_BAD,
	};

	/* what rests on partial knowledge is never green */
	if (c->verdict == PV_VERDICT_EXPLAINED && c->verdict_is_partial)
		return TINT_WARN;
	return c->verdict < PV_VERDICT_N ? tints[c->verdict] : TINT_NONE;
}

void column_put_sentence(const struct pv_bytes *text, bool ascii, struct buf *b)
{
	const char *p = text->data, *end = p + text->len;
	bool after_space = false;

	while (p < end) {
		const char *space = memchr(p, ' ', (size_t)(end - p));
		const char *stop = space ? space : end;

		text_put(b, p, (size_t)(stop - p), ascii ? TEXT_ASCII : 0);
		after_space = after_space && stop == p;
		if (space)
			buf_puts(b, after_space || stop + 1 == end ? "\\x20" : " ");
		after_space = space;
		p = stop + (space != NULL);
	}
}

COLUMN_PUTTER(column_put_evidence)
{
	size_t start = b->len;

	(void)column, (void)limit;
	for (uint32_t i = 0; i < c->n_findings; i++) {
		if (i)
			buf_puts(b, "; ");
		column_put_sentence(&pv_snapshot_finding(context->snapshot, c, i)->evidence,
				    context->ascii, b);
	}
	if (b->len == start)
		buf_putc(b, '-');
}
