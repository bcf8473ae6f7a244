/* SPDX-License-Identifier: MIT */
/*
 * JSON and JSON lines. Keys are the columns' names, values are raw; every key is in every row.
 * Foreign bytes are strings in the form that ui/text/escape.h describes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/inet.h"
#include "ui/render/render-internal.h"
#include "ui/text/escape.h"

#define SCHEMA 1

struct json {
	struct buf keys; /* {"a":,"b": ... one after the other */
	uint32_t *ends;	 /* of each key in `keys` */
};

static void put_words(struct buf *b, const char *text)
{
	buf_putc(b, '"');
	buf_puts(b, text);
	buf_putc(b, '"');
}

static void put_bytes(struct buf *b, const char *key, const struct pv_bytes *bytes)
{
	buf_puts(b, key);
	if (bytes->len)
		text_put_json(b, bytes->data, bytes->len);
	else
		buf_puts(b, "null");
}

void render_args_json(const struct pv_bytes *args, struct buf *b)
{
	uint32_t cursor = 0;
	struct pv_bytes arg;

	buf_putc(b, '[');
	while (cell_next_arg(args, &cursor, &arg)) {
		if (arg.data != args->data)
			buf_putc(b, ',');
		text_put_json(b, arg.data, arg.len);
	}
	buf_putc(b, ']');
}

void render_evidence_json(const struct pv_snapshot *snapshot, const struct pv_conversation *c,
			  struct buf *b)
{
	buf_putc(b, '[');
	for (uint32_t i = 0; i < c->n_findings; i++) {
		const struct pv_finding *f = pv_snapshot_finding(snapshot, c, i);

		if (i)
			buf_putc(b, ',');
		text_put_json(b, f->evidence.data, f->evidence.len);
	}
	buf_putc(b, ']');
}

static void put_process_user(const struct column_context *context, const struct pv_process *p,
			     struct buf *b)
{
	const char *user =
		p->uid == UINT32_MAX ? NULL : pv_snapshot_user(context->snapshot, p->uid);

	buf_puts(b, ",\"uid\":");
	if (p->uid == UINT32_MAX)
		buf_puts(b, "null");
	else
		buf_u64(b, p->uid);
	buf_puts(b, ",\"user\":");
	if (user)
		text_put_json(b, user, strlen(user));
	else
		buf_puts(b, "null");
}

/* What was collected beyond the name. */
static void put_details(const struct column_context *context, const struct pv_process *p,
			struct buf *b)
{
	uint32_t needs = context->needs;

	if (needs & PV_NEED_EXE)
		put_bytes(b, ",\"exe\":", &p->exe);
	if (needs & PV_NEED_CMDLINE) {
		buf_puts(b, ",\"cmdline\":");
		if (p->cmdline.len)
			render_args_json(&p->cmdline, b);
		else
			buf_puts(b, "null");
	}
	if (needs & PV_NEED_PUSER)
		put_process_user(context, p, b);
	if (needs & PV_NEED_CGROUP) {
		put_bytes(b, ",\"cgroup\":", &p->cgroup);
		put_bytes(b, ",\"unit\":", &p->unit);
		put_bytes(b, ",\"runtime\":", &p->runtime);
		put_bytes(b, ",\"container\":", &p->container);
	}
	if (p->reason) {
		buf_puts(b, ",\"reason\":");
		put_words(b, pv_reason_name(p->reason));
	}
}

static void put_owner(const struct column_context *context, const struct pv_holder *h,
		      struct buf *b)
{
	const struct pv_process *p = pv_snapshot_process(context->snapshot, h->process);

	buf_puts(b, "{\"pid\":");
	buf_i64(b, p->pid);
	buf_puts(b, ",\"fd\":");
	buf_i64(b, h->fd);
	buf_puts(b, ",\"comm\":");
	/* an empty name is a name, unless it could not be read */
	if (p->comm.len || !p->reason)
		text_put_json(b, p->comm.data, p->comm.len);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"start_ticks\":");
	if (p->start_ticks)
		buf_u64(b, p->start_ticks);
	else
		buf_puts(b, "null");
	if (context->needs || p->reason)
		put_details(context, p, b);
	buf_putc(b, '}');
}

static void put_owners(const struct column_context *context, const struct pv_conversation *c,
		       struct buf *b)
{
	buf_putc(b, '[');
	for (uint32_t i = 0; i < c->n_holders; i++) {
		if (i)
			buf_putc(b, ',');
		put_owner(context, pv_snapshot_holder(context->snapshot, c, i), b);
	}
	buf_putc(b, ']');
}

static void put_address(const struct cell *cell, struct buf *b)
{
	char *p = buf_room(b, INET_TEXT_MAX + 2);
	size_t n;

	if (!p)
		return;
	n = inet_text(cell->address.family, cell->address.bytes, p + 1);
	p[0] = '"';
	p[n + 1] = '"';
	b->len += n + 2;
}

static void put_series(const struct pv_flow *f, struct buf *b)
{
	buf_putc(b, '[');
	for (size_t i = 0; i < f->n_bins; i++) {
		const struct pv_flow_bin *bin = &f->bins[i];

		buf_puts(b, i ? ",{\"start\":" : "{\"start\":");
		column_put_seconds(b, bin->start_ns);
		buf_printf(b,
			   ",\"out_packets\":%llu,\"in_packets\":%llu,\"out_bytes\":%llu,"
			   "\"in_bytes\":%llu}",
			   (unsigned long long)bin->out_packets,
			   (unsigned long long)bin->in_packets, (unsigned long long)bin->out_bytes,
			   (unsigned long long)bin->in_bytes);
	}
	buf_putc(b, ']');
}

static void put_cell(const struct column_context *context, const struct cell *cell, struct buf *b)
{
	switch (cell->type) {
	case CELL_NULL:
		buf_put(b, "null", 4);
		break;
	case CELL_BOOL:
		buf_puts(b, cell->yes ? "true" : "false");
		break;
	case CELL_NUMBER:
		buf_u64(b, cell->number);
		break;
	case CELL_NAME:
		text_put_json(b, cell->bytes.data, cell->bytes.len);
		break;
	case CELL_TEXT:
		put_words(b, cell->text);
		break;
	case CELL_ADDRESS:
		put_address(cell, b);
		break;
	case CELL_ARGS:
		render_args_json(&cell->bytes, b);
		break;
	case CELL_EVIDENCE:
		render_evidence_json(context->snapshot, cell->conversation, b);
		break;
	case CELL_OWNERS:
		put_owners(context, cell->conversation, b);
		break;
	case CELL_SECONDS:
		column_put_seconds(b, cell->ns);
		break;
	case CELL_OWN:
		put_words(b, cell->own);
		break;
	case CELL_SERIES:
		put_series(cell->conversation->flow, b);
		break;
	}
}

static void put_row(struct render *r, const struct json *j, const struct pv_conversation *c)
{
	const char *key = j->keys.data;

	for (size_t i = 0; i < r->n_columns; i++) {
		const struct column *column = r->columns[i];
		const char *end = j->keys.data + j->ends[i];
		struct cell cell = { 0 };

		buf_put(&r->out, key, (size_t)(end - key));
		key = end;
		column->get(column, &r->context, c, &cell);
		put_cell(&r->context, &cell, &r->out);
	}
	buf_putc(&r->out, '}');
}

int render_conversation_json(const struct pv_snapshot *snapshot, uint32_t needs,
			     const struct pv_conversation *c, struct buf *b)
{
	struct column_context context = { .snapshot = snapshot, .needs = needs };
	size_t n, n_put = 0;
	const struct column *columns = columns_all(&n);

	for (size_t i = 0; i < n; i++) {
		struct cell cell = { 0 };

		if (columns[i].parts || (columns[i].flags & COLUMN_FLOW && !c->flow))
			continue;
		buf_printf(b, "%c\"%s\":", n_put++ ? ',' : '{', columns[i].name);
		columns[i].get(&columns[i], &context, c, &cell);
		put_cell(&context, &cell, b);
	}
	buf_putc(b, '}');
	return buf_error(b);
}

static int jsonl_begin(struct render *r, void *state)
{
	struct json *j = state;

	j->ends = malloc((r->n_columns + 1) * sizeof(*j->ends));
	if (!j->ends)
		return -ENOMEM;
	for (size_t i = 0; i < r->n_columns; i++) {
		buf_printf(&j->keys, "%c\"%s\":", i ? ',' : '{', r->columns[i]->name);
		j->ends[i] = (uint32_t)j->keys.len;
	}
	return buf_error(&j->keys);
}

static void jsonl_row(struct render *r, const void *state, const struct pv_conversation *c,
		      bool is_first)
{
	(void)is_first;
	put_row(r, state, c);
	buf_putc(&r->out, '\n');
}

static void jsonl_end(struct render *r, void *state)
{
	(void)state;
	buf_printf(&r->out, "{\"schema\":%d,\"coverage\":", SCHEMA);
	render_coverage_json(pv_snapshot_coverage(r->snapshot), &r->out);
	buf_puts(&r->out, "}\n");
}

static int json_begin(struct render *r, void *state)
{
	buf_printf(&r->out, "{\"schema\":%d,", SCHEMA);
	if (!r->is_stream) {
		buf_puts(&r->out, "\"coverage\":");
		render_coverage_json(pv_snapshot_coverage(r->snapshot), &r->out);
		buf_putc(&r->out, ',');
	}
	buf_puts(&r->out, "\"conversations\":[");
	return jsonl_begin(r, state);
}

static void json_row(struct render *r, const void *state, const struct pv_conversation *c,
		     bool is_first)
{
	buf_puts(&r->out, is_first ? "\n" : ",\n");
	put_row(r, state, c);
}

static void json_end(struct render *r, void *state)
{
	(void)state;
	buf_puts(&r->out, "\n]");
	if (r->is_stream) {
		buf_puts(&r->out, ",\"coverage\":");
		render_coverage_json(pv_snapshot_coverage(r->snapshot), &r->out);
	}
	buf_puts(&r->out, "}\n");
}

static void json_deinit(void *state)
{
	struct json *j = state;

	buf_deinit(&j->keys);
	free(j->ends);
}

const struct writer render_json_writer = {
	.is_machine = true,
	.state_size = sizeof(struct json),
	.begin = json_begin,
	.row = json_row,
	.end = json_end,
	.deinit = json_deinit,
};

const struct writer render_jsonl_writer = {
	.is_machine = true,
	.state_size = sizeof(struct json),
	.begin = jsonl_begin,
	.row = jsonl_row,
	.end = jsonl_end,
	.deinit = json_deinit,
};
