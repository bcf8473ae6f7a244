/* SPDX-License-Identifier: MIT */
/* Counts over the conversations of a capture. A tunnel's packets are counted once, for the tunnel.
 */
#include "ui/render/flow_summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fdio.h"
#include "base/map.h"
#include "base/vec.h"
#include "ui/text/escape.h"

#define TOP 10 /* rows of an open-ended section that people are shown */

struct count {
	const char *name; /* of the summary's arena */
	uint64_t conversations, packets, bytes;
};

enum section { SECTION_PROTOCOL, SECTION_STATE, SECTION_SERVICE, SECTION_OBSERVED, SECTION_N };
static const char *const titles[SECTION_N] = { "protocol", "conn_state", "service", "observed" };

struct flow_summary {
	struct arena arena;
	struct map index[SECTION_N]; /* by name */
	VEC(struct count) counts[SECTION_N];
	struct count all;
};

int flow_summary_new(struct flow_summary **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void flow_summary_free(struct flow_summary *s)
{
	if (!s)
		return;
	for (int i = 0; i < SECTION_N; i++) {
		map_deinit(&s->index[i]);
		vec_deinit(&s->counts[i]);
	}
	arena_deinit(&s->arena);
	free(s);
}

static uint64_t name_key(const char *name)
{
	uint64_t h = 0;

	for (; *name; name++)
		h = map_mix(h, (uint8_t)*name);
	return h;
}

static void add_to(struct count *to, const struct pv_conversation *c)
{
	const struct pv_flow *f = c->flow;

	to->conversations++;
	to->packets += f->out.packets + f->in.packets;
	to->bytes += f->out.bytes + f->in.bytes;
}

static int add_name(struct flow_summary *s, enum section section, const char *name,
		    const struct pv_conversation *c)
{
	uint32_t at = map_get(&s->index[section], name_key(name));

	if (at == MAP_NONE) {
		struct count count = { .name = arena_strdup(&s->arena, name) };

		at = (uint32_t)s->counts[section].n;
		if (!count.name || vec_push(&s->counts[section], count) < 0 ||
		    map_put(&s->index[section], name_key(name), at) < 0)
			return -ENOMEM;
	}
	add_to(&s->counts[section].items[at], c);
	return 0;
}

static int add_row(struct flow_summary *s, const struct column_context *context,
		   const struct pv_conversation *c)
{
	const char *service = column_service(context, c);
	int r;

	if (!c->flow)
		return 0;
	if (!c->flow->is_inner)
		add_to(&s->all, c);
	r = add_name(s, SECTION_PROTOCOL, pv_proto_name(c->proto), c);
	if (r == 0 && c->flow->conn_state != PV_CONN_NONE)
		r = add_name(s, SECTION_STATE, pv_conn_state_name(c->flow->conn_state), c);
	if (r == 0 && service)
		r = add_name(s, SECTION_SERVICE, service, c);
	if (r == 0 && c->flow->observed)
		r = add_name(s, SECTION_OBSERVED, c->flow->observed, c);
	return r;
}

int flow_summary_add(struct flow_summary *s, const struct pv_snapshot *snapshot)
{
	struct column_context context = { .snapshot = snapshot };
	int r = 0;

	for (size_t i = 0; r == 0 && i < pv_snapshot_count(snapshot); i++)
		r = add_row(s, &context, pv_snapshot_get(snapshot, i));
	return r;
}

static int compare_counts(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void put_text_row(struct buf *b, const char *indent, const char *name, const struct count *c,
			 unsigned flags)
{
	size_t start = b->len, width;

	buf_puts(b, indent);
	text_put(b, name, strlen(name), flags | TEXT_WORD | TEXT_FIELD);
	width = buf_error(b) ? 0 : text_width(b->data + start, b->len - start);
	buf_pad(b, ' ', width < 24 ? 24 - width : 1);
	buf_printf(b, "%14llu %14llu %18llu\n", (unsigned long long)c->conversations,
		   (unsigned long long)c->packets, (unsigned long long)c->bytes);
}

static void put_text(const struct flow_summary *s, struct buf *b, unsigned flags)
{
	buf_printf(b, "%-24s%14s %14s %18s\n", "", "conversations", "packets", "bytes");
	put_text_row(b, "", "all", &s->all, flags);
	for (int i = 0; i < SECTION_N; i++) {
		size_t n = s->counts[i].n, shown = n > TOP && i >= SECTION_SERVICE ? TOP : n;

		if (n)
			buf_printf(b, "%s\n", titles[i]);
		for (size_t k = 0; k < shown; k++)
			put_text_row(b, "  ", s->counts[i].items[k].name, &s->counts[i].items[k],
				     flags);
		if (shown < n)
			buf_printf(b, "  and %zu more\n", n - shown);
	}
}

static void put_json_counts(struct buf *b, const struct count *c)
{
	buf_printf(b, "{\"conversations\":%llu,\"packets\":%llu,\"bytes\":%llu}",
		   (unsigned long long)c->conversations, (unsigned long long)c->packets,
		   (unsigned long long)c->bytes);
}

static void put_json(const struct flow_summary *s, const struct pv_snapshot *last, struct buf *b)
{
	buf_puts(b, "{\"schema\":1,\"all\":");
	put_json_counts(b, &s->all);
	for (int i = 0; i < SECTION_N; i++) {
		buf_printf(b, ",\n\"%s\":{", titles[i]);
		for (size_t k = 0; k < s->counts[i].n; k++) {
			const struct count *c = &s->counts[i].items[k];

			buf_puts(b, k ? "," : "");
			text_put_json(b, c->name, strlen(c->name));
			buf_putc(b, ':');
			put_json_counts(b, c);
		}
		buf_putc(b, '}');
	}
	buf_puts(b, ",\n\"coverage\":");
	render_coverage_json(pv_snapshot_coverage(last), b);
	buf_puts(b, "}\n");
}

int flow_summary_write(struct flow_summary *s, const struct pv_snapshot *last,
		       enum render_format format, bool ascii, int fd)
{
	struct buf b = BUF_INIT;
	int r;

	for (int i = 0; i < SECTION_N; i++)
		if (s->counts[i].n)
			qsort(s->counts[i].items, s->counts[i].n, sizeof(struct count),
			      compare_counts);
	if (format == RENDER_JSON)
		put_json(s, last, &b);
	else
		put_text(s, &b, ascii ? TEXT_ASCII : 0);
	r = buf_error(&b);
	if (r == 0)
		r = fd_write_all(fd, b.data, b.len);
	buf_deinit(&b);
	return r;
}
