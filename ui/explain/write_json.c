/* SPDX-License-Identifier: MIT */
/*
 * Facts as ids and values, with the English sentence beside them; the socket with every column, the
 * process with every member.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "ui/columns/columns.h"
#include "ui/explain/write.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"

#define SCHEMA 1

static void put_string(struct buf *b, const char *text)
{
	if (text)
		text_put_json(b, text, strlen(text));
	else
		buf_puts(b, "null");
}

static void put_key(struct buf *b, const char *key)
{
	buf_printf(b, ",\"%s\":", key);
}

static void put_bytes(struct buf *b, const char *key, const struct pv_bytes *bytes)
{
	put_key(b, key);
	if (bytes->len)
		text_put_json(b, bytes->data, bytes->len);
	else
		buf_puts(b, "null");
}

static void put_process(struct buf *b, const struct pv_process *p)
{
	buf_printf(b, "{\"pid\":%d,\"comm\":", p->pid);
	text_put_json(b, p->comm.data, p->comm.len);
	put_key(b, "start_ticks");
	if (p->start_ticks)
		buf_u64(b, p->start_ticks);
	else
		buf_puts(b, "null");
	buf_putc(b, '}');
}

static void put_parents(const struct explanation *e, const struct pv_process *p, struct buf *b)
{
	const struct pv_process *parent = explain_parent(e->snapshot, p);

	buf_putc(b, '[');
	for (int i = 0; parent && i < EXPLAIN_PARENTS_MAX; i++) {
		if (i)
			buf_putc(b, ',');
		put_process(b, parent);
		parent = explain_parent(e->snapshot, parent);
	}
	buf_putc(b, ']');
}

static void put_end(const struct pv_conversation *c, const struct pv_endpoint *end, struct buf *b)
{
	if (c->proto == PV_PROTO_UNIX) {
		if (end == &c->local && c->path)
			text_put_json(b, c->path->data, c->path->len);
		else
			buf_puts(b, "null");
		return;
	}
	buf_puts(b, "{\"addr\":");
	if (pv_proto_is_inet((enum pv_proto)c->proto)) {
		buf_putc(b, '"');
		inet_put(b, c->family, end->addr);
		buf_putc(b, '"');
	} else {
		buf_puts(b, "null");
	}
	buf_printf(b, ",\"port\":%u}", end->port);
}

static void put_holders(const struct explanation *e, const struct pv_conversation *c, struct buf *b)
{
	buf_putc(b, '[');
	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_holder *h = pv_snapshot_holder(e->snapshot, c, i);

		if (i)
			buf_putc(b, ',');
		put_process(b, pv_snapshot_process(e->snapshot, h->process));
	}
	buf_putc(b, ']');
}

static void put_value(const struct explanation *e, const struct value *v, struct buf *b)
{
	switch (v->kind) {
	case VALUE_NUMBER:
	case VALUE_MS:
	case VALUE_TIME:
		buf_u64(b, v->number);
		break;
	case VALUE_TEXT:
	case VALUE_MESSAGE:
		put_string(b, v->text);
		break;
	case VALUE_NAME:
	case VALUE_SENTENCE:
		text_put_json(b, v->bytes.data, v->bytes.len);
		break;
	case VALUE_ARGS:
		render_args_json(&v->bytes, b);
		break;
	case VALUE_PROCESS:
		put_process(b, v->process);
		break;
	case VALUE_PARENTS:
		put_parents(e, v->process, b);
		break;
	case VALUE_LOCAL:
		put_end(v->conversation, &v->conversation->local, b);
		break;
	case VALUE_REMOTE:
		put_end(v->conversation, &v->conversation->remote, b);
		break;
	case VALUE_HOLDERS:
		put_holders(e, v->conversation, b);
		break;
	}
}

static void put_fact(const struct explanation *e, const struct fact *f, struct buf *b)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;

	buf_puts(b, "{\"id\":");
	put_string(b, sentence_of(f->id)->key);
	buf_puts(b, ",\"values\":{");
	for (size_t i = 0; i < f->n_values; i++) {
		buf_printf(b, "%s\"%s\":", i ? "," : "", f->values[i].place);
		put_value(e, &f->values[i], b);
	}
	explain_put_sentence(e, f, false, false, &text);
	buf_puts(b, "},\"text\":");
	/* it is escaped already, and a backslash in it means that */
	put_string(b, buf_str(&text) ? buf_str(&text) : "");
	buf_putc(b, '}');
}

static void put_whole_process(const struct explanation *e, const struct pv_process *p,
			      struct buf *b)
{
	const char *user = p->uid == UINT32_MAX ? NULL : pv_snapshot_user(e->snapshot, p->uid);

	buf_printf(b, "{\"pid\":%d", p->pid);
	put_bytes(b, "comm", &p->comm);
	put_key(b, "start_ticks");
	buf_u64(b, p->start_ticks);
	put_key(b, "ppid");
	if (p->known & PV_PROCESS_PARENT)
		buf_i64(b, p->ppid);
	else
		buf_puts(b, "null");
	put_key(b, "parents");
	put_parents(e, p, b);
	put_bytes(b, "exe", &p->exe);
	put_key(b, "cmdline");
	render_args_json(&p->cmdline, b);
	put_key(b, "uid");
	if (p->uid == UINT32_MAX)
		buf_puts(b, "null");
	else
		buf_u64(b, p->uid);
	put_key(b, "user");
	put_string(b, user);
	put_bytes(b, "cgroup", &p->cgroup);
	put_bytes(b, "unit", &p->unit);
	put_bytes(b, "runtime", &p->runtime);
	put_bytes(b, "container", &p->container);
	buf_printf(b, ",\"listen_pid\":%d,\"listen_fds\":%u", p->listen_pid, p->listen_fds);
	put_bytes(b, "listen_names", &p->listen_names);
	put_key(b, "reason");
	put_string(b, p->reason ? pv_reason_name((enum pv_reason)p->reason) : NULL);
	buf_putc(b, '}');
}

static int put_section(const struct explanation *e, size_t n, struct buf *b)
{
	static const char *const kinds[] = {
		[SECTION_PORT] = "port",       [SECTION_ADDRESS] = "address",
		[SECTION_SOCKET] = "socket",   [SECTION_SOCKETS] = "sockets",
		[SECTION_PROCESS] = "process",
	};
	const struct section *s = &e->sections.items[n];
	size_t end = n + 1 < e->sections.n ? s[1].first_fact : e->facts.n;
	int r = 0;

	buf_printf(b, "{\"kind\":\"%s\",\"facts\":[", kinds[s->kind]);
	for (size_t i = s->first_fact; i < end; i++) {
		buf_puts(b, i > s->first_fact ? ",\n" : "\n");
		put_fact(e, &e->facts.items[i], b);
	}
	buf_puts(b, "],\"socket\":");
	if (s->conversation)
		r = render_conversation_json(e->snapshot, e->needs, s->conversation, b);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"process\":");
	if (s->process)
		put_whole_process(e, s->process, b);
	else
		buf_puts(b, "null");
	buf_putc(b, '}');
	return r;
}

int explain_write_json(const struct explanation *e, const char *what, const char *as, struct buf *b)
{
	int r = e->error;

	buf_printf(b, "{\"schema\":%d,\"what\":", SCHEMA);
	put_string(b, what);
	buf_puts(b, ",\"as\":");
	put_string(b, as);
	buf_puts(b, ",\"coverage\":");
	render_coverage_json(pv_snapshot_coverage(e->snapshot), b);
	buf_puts(b, ",\"sections\":[");
	for (size_t i = 0; r == 0 && i < e->sections.n; i++) {
		buf_puts(b, i ? ",\n" : "\n");
		r = put_section(e, i, b);
	}
	buf_puts(b, "\n]}\n");
	return r < 0 ? r : buf_error(b);
}
