/* SPDX-License-Identifier: MIT */
/* Cells: their text, and their order. */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "ui/columns/columns.h"
#include "ui/text/escape.h"

bool cell_next_arg(const struct pv_bytes *args, uint32_t *cursor, struct pv_bytes *ret_arg)
{
	uint32_t end = args->len, start = *cursor;
	const char *nul;

	/* programs that rewrite their arguments leave the rest of the area zero */
	while (end && !args->data[end - 1])
		end--;
	if (start > end || end == 0)
		return false;
	nul = memchr(args->data + start, 0, end - start);
	ret_arg->data = args->data + start;
	ret_arg->len = nul ? (uint32_t)(nul - ret_arg->data) : end - start;
	*cursor = nul ? start + ret_arg->len + 1 : end + 1;
	return true;
}

static void put_args(const struct pv_bytes *args, struct buf *b, unsigned flags)
{
	uint32_t cursor = 0;
	struct pv_bytes arg;

	while (cell_next_arg(args, &cursor, &arg)) {
		if (arg.data != args->data)
			buf_putc(b, ' ');
		text_put(b, arg.data, arg.len, flags | TEXT_WORD);
	}
}

/* "pid/fd/comm pid/fd/comm" */
static void put_owners(const struct pv_conversation *c, const struct column_context *context,
		       struct buf *b, unsigned flags)
{
	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_holder *h = pv_snapshot_holder(context->snapshot, c, i);
		const struct pv_process *p = pv_snapshot_process(context->snapshot, h->process);

		if (i)
			buf_putc(b, ' ');
		buf_i64(b, p->pid);
		buf_putc(b, '/');
		buf_i64(b, h->fd);
		buf_putc(b, '/');
		if (p->comm.len || !p->reason)
			text_put(b, p->comm.data, p->comm.len, flags | TEXT_WORD);
		else
			buf_putc(b, '-');
	}
}

static void put_evidence(const struct pv_conversation *c, const struct column_context *context,
			 struct buf *b, unsigned flags)
{
	for (uint32_t i = 0; i < c->n_findings; i++) {
		const struct pv_finding *f = pv_snapshot_finding(context->snapshot, c, i);

		if (i)
			buf_puts(b, "; ");
		text_put(b, f->evidence.data, f->evidence.len, flags);
	}
}

void column_put_seconds(struct buf *b, int64_t ns)
{
	uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		buf_putc(b, '-');
	buf_u64(b, n / 1000000000);
	buf_putc(b, '.');
	for (uint64_t unit = 100000000; unit; unit /= 10)
		buf_putc(b, (char)('0' + n / unit % 10));
}

/* "start:out_packets/in_packets/out_bytes/in_bytes", a word each */
static void put_series(const struct pv_flow *f, struct buf *b)
{
	for (size_t i = 0; i < f->n_bins; i++) {
		const struct pv_flow_bin *bin = &f->bins[i];
		const uint64_t counts[] = { bin->out_packets, bin->in_packets, bin->out_bytes,
					    bin->in_bytes };

		if (i)
			buf_putc(b, ' ');
		column_put_seconds(b, bin->start_ns);
		for (size_t k = 0; k < 4; k++) {
			buf_putc(b, k ? '/' : ':');
			buf_u64(b, counts[k]);
		}
	}
}

void cell_put(const struct cell *cell, const struct column_context *context, struct buf *b,
	      unsigned flags)
{
	switch (cell->type) {
	case CELL_NULL:
		break;
	case CELL_BOOL:
		buf_puts(b, cell->yes ? "true" : "false");
		break;
	case CELL_NUMBER:
		buf_u64(b, cell->number);
		break;
	case CELL_NAME:
		text_put(b, cell->bytes.data, cell->bytes.len, flags);
		break;
	case CELL_TEXT:
		buf_puts(b, cell->text);
		break;
	case CELL_ADDRESS:
		inet_put(b, cell->address.family, cell->address.bytes);
		break;
	case CELL_ARGS:
		put_args(&cell->bytes, b, flags);
		break;
	case CELL_OWNERS:
		put_owners(cell->conversation, context, b, flags);
		break;
	case CELL_EVIDENCE:
		put_evidence(cell->conversation, context, b, flags);
		break;
	case CELL_SECONDS:
		column_put_seconds(b, cell->ns);
		break;
	case CELL_OWN:
		buf_puts(b, cell->own);
		break;
	case CELL_SERIES:
		put_series(cell->conversation->flow, b);
		break;
	}
}

/* Cells of our own words and of digits are ASCII. */
static bool is_ascii(const struct cell *cell)
{
	return cell->type != CELL_NAME && cell->type != CELL_ARGS && cell->type != CELL_OWNERS &&
	       cell->type != CELL_EVIDENCE;
}

size_t column_put(const struct column *column, const struct column_context *context,
		  const struct pv_conversation *c, struct buf *b, size_t limit)
{
	size_t start = b->len;
	struct cell cell = { 0 };
	bool composed = column->put && (limit || !(column->flags & COLUMN_SHORT));

	if (composed) {
		column->put(column, context, c, b, limit);
	} else {
		column->get(column, context, c, &cell);
		cell_put(&cell, context, b,
			 TEXT_WORD | TEXT_FIELD | (context->ascii ? TEXT_ASCII : 0));
		if (b->len == start)
			buf_putc(b, '-');
	}
	if (limit && b->len - start > limit)
		text_cut(b, start, limit, context->ascii);
	else if (!composed && is_ascii(&cell))
		return b->len - start;
	return buf_error(b) ? 0 : text_width(b->data + start, b->len - start);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_bytes(const struct pv_bytes *a, const struct pv_bytes *b)
{
	uint32_t n = a->len < b->len ? a->len : b->len;
	int r = n ? memcmp(a->data, b->data, n) : 0;

	return r ? r : compare_numbers(a->len, b->len);
}

static int compare_addresses(const struct cell *a, const struct cell *b)
{
	if (a->address.family != b->address.family)
		return compare_numbers((uint64_t)a->address.family, (uint64_t)b->address.family);
	return memcmp(a->address.bytes, b->address.bytes, a->address.family == AF_INET6 ? 16 : 4);
}

int cell_compare(const struct cell *a, const struct cell *b)
{
	if (a->type == CELL_NULL || b->type == CELL_NULL)
		return (a->type == CELL_NULL) - (b->type == CELL_NULL);
	if (a->type != b->type)
		return compare_numbers(a->type, b->type);
	switch (a->type) {
	case CELL_BOOL:
		return compare_numbers(a->yes, b->yes);
	case CELL_NUMBER:
		return compare_numbers(a->number, b->number);
	case CELL_TEXT:
		return strcmp(a->text, b->text);
	case CELL_ADDRESS:
		return compare_addresses(a, b);
	case CELL_EVIDENCE:
		return compare_numbers(a->conversation->n_findings, b->conversation->n_findings);
	case CELL_OWNERS:
		return compare_numbers(a->conversation->n_holders, b->conversation->n_holders);
	case CELL_SECONDS:
		return (a->ns > b->ns) - (a->ns < b->ns);
	case CELL_OWN:
		return strcmp(a->own, b->own);
	case CELL_SERIES:
		return compare_numbers(a->conversation->flow->n_bins,
				       b->conversation->flow->n_bins);
	default:
		return compare_bytes(&a->bytes, &b->bytes);
	}
}
