/* SPDX-License-Identifier: MIT */
/* Sentences first, the fields of a socket after them. */
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "ui/columns/columns.h"
#include "ui/explain/write.h"
#include "ui/text/escape.h"
#include "ui/text/i18n.h"

#define INDENT 2
#define HANGING 4
/* Fields that the sentences do not tell better. */
#define FIELDS                                                                                     \
	"proto,family,type,state,recv_q,send_q,uid,inode,cookie,netns,netns_name,mark,tos,cgroup_" \
	"id,"                                                                                      \
	"direction_by,timer,timer_ms,retrans,congestion,rtt,rttvar,min_rtt,rto,cwnd,ssthresh,mss," \
	"pmtu,bytes_sent,bytes_acked,bytes_received,bytes_retrans,segs_out,segs_in,unacked,lost,"  \
	"total_retrans,delivery_rate,pacing_rate,last_sent_ms,last_recv_ms,snd_wnd,rcv_space,"     \
	"rmem,rcvbuf,wmem,sndbuf,drops"

void explain_put_duration(struct buf *b, uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		buf_printf(b, "%u ms", (unsigned)ms);
	else if (s < 10)
		buf_printf(b, "%u.%u s", (unsigned)s, (unsigned)(ms % 1000 / 100));
	else if (s < 60)
		buf_printf(b, "%u s", (unsigned)s);
	else if (s < 3600)
		buf_printf(b, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		buf_printf(b, "%u h %u min", (unsigned)(s / 3600), (unsigned)(s % 3600 / 60));
	else
		buf_printf(b, "%llu d %u h", (unsigned long long)(s / 86400),
			   (unsigned)(s % 86400 / 3600));
}

static void put_time(struct buf *b, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (localtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		buf_puts(b, text);
	else
		buf_u64(b, seconds);
}

struct filler {
	const struct explanation *e;
	bool translate, ascii;
};

static unsigned word_flags(const struct filler *f)
{
	return TEXT_WORD | TEXT_LIST | TEXT_FIELD | (f->ascii ? TEXT_ASCII : 0);
}

static void put_process(const struct filler *f, const struct pv_process *p, struct buf *b)
{
	text_put(b, p->comm.data, p->comm.len, word_flags(f));
	buf_printf(b, "(%d)", p->pid);
}

static void put_parents(const struct filler *f, const struct pv_process *p, struct buf *b)
{
	const struct pv_process *parent = explain_parent(f->e->snapshot, p);

	for (int i = 0; parent && i < EXPLAIN_PARENTS_MAX; i++) {
		if (i)
			buf_puts(b, ", ");
		put_process(f, parent, b);
		parent = explain_parent(f->e->snapshot, parent);
	}
}

static void put_holders(const struct filler *f, const struct pv_conversation *c, struct buf *b)
{
	const struct pv_snapshot *s = f->e->snapshot;
	uint32_t last = UINT32_MAX;

	for (uint32_t i = 0; i < c->n_holders; i++) {
		uint32_t process = pv_snapshot_holder(s, c, i)->process;

		if (process == last)
			continue;
		if (last != UINT32_MAX)
			buf_putc(b, ',');
		put_process(f, pv_snapshot_process(s, process), b);
		last = process;
	}
	if (!c->n_holders)
		buf_printf(b, "(%s)", pv_reason_name((enum pv_reason)c->owner_reason));
}

static void put_args(const struct filler *f, const struct pv_bytes *args, struct buf *b)
{
	uint32_t cursor = 0;
	struct pv_bytes arg;

	while (cell_next_arg(args, &cursor, &arg)) {
		if (arg.data != args->data)
			buf_putc(b, ' ');
		/* behind another word "-" can only be an argument */
		if (arg.len == 1 && *arg.data == '-')
			buf_putc(b, '-');
		else
			text_put(b, arg.data, arg.len,
				 TEXT_WORD | TEXT_FIELD | (f->ascii ? TEXT_ASCII : 0));
	}
}

static void put_end(const struct filler *f, const struct pv_conversation *c, const char *name,
		    struct buf *b)
{
	struct column_context context = { .snapshot = f->e->snapshot,
					  .needs = f->e->needs & ~(uint32_t)PV_NEED_NAMES,
					  .numeric = true,
					  .ascii = f->ascii };

	column_put(columns_find(name, strlen(name)), &context, c, b, 0);
}

static void put_value(const struct filler *f, const struct value *v, struct buf *b)
{
	switch (v->kind) {
	case VALUE_NUMBER:
		buf_u64(b, v->number);
		break;
	case VALUE_MS:
		explain_put_duration(b, v->number);
		break;
	case VALUE_TIME:
		put_time(b, v->number);
		break;
	case VALUE_TEXT:
		text_put(b, v->text, strlen(v->text), f->ascii ? TEXT_ASCII : 0);
		break;
	case VALUE_MESSAGE:
		buf_puts(b, f->translate ? text_translate(v->text) : v->text);
		break;
	case VALUE_NAME:
		text_put(b, v->bytes.data, v->bytes.len, word_flags(f));
		break;
	case VALUE_SENTENCE:
		column_put_sentence(&v->bytes, f->ascii, b);
		break;
	case VALUE_ARGS:
		put_args(f, &v->bytes, b);
		break;
	case VALUE_PROCESS:
		put_process(f, v->process, b);
		break;
	case VALUE_PARENTS:
		put_parents(f, v->process, b);
		break;
	case VALUE_LOCAL:
	case VALUE_REMOTE:
		put_end(f, v->conversation, v->place, b);
		break;
	case VALUE_HOLDERS:
		put_holders(f, v->conversation, b);
		break;
	}
}

static const struct value *find_value(const struct fact *fact, const char *place, size_t n)
{
	for (size_t i = 0; i < fact->n_values; i++)
		if (strlen(fact->values[i].place) == n && !memcmp(fact->values[i].place, place, n))
			return &fact->values[i];
	return NULL;
}

static const char *template_of(const struct fact *fact, bool translate)
{
	const struct sentence *s = sentence_of(fact->id);
	const struct value *n = s->plural ? find_value(fact, "n", 1) : NULL;
	unsigned long count = n ? (unsigned long)n->number : 0;

	if (s->is_line)
		return s->text;
	if (s->plural && translate)
		return ngettext(s->text, s->plural, count);
	if (s->plural)
		return count == 1 ? s->text : s->plural;
	return translate ? text_translate(s->text) : s->text;
}

/* A place that a translation made up stays as it is written. */
void explain_put_sentence(const struct explanation *e, const struct fact *fact, bool translate,
			  bool ascii, struct buf *b)
{
	const struct filler f = { e, translate, ascii };

	for (const char *p = template_of(fact, translate); *p;) {
		size_t n = strcspn(p, "{"), len;
		const struct value *v;

		buf_put(b, p, n);
		p += n;
		if (!*p)
			break;
		len = strcspn(p, "}");
		v = p[len] ? find_value(fact, p + 1, len - 1) : NULL;
		if (v)
			put_value(&f, v, b);
		else
			buf_put(b, p, len + (p[len] != 0));
		p += len + (p[len] != 0);
	}
}

/* Appends words broken at spaces, with `indent` before each line. */
static void put_wrapped(struct buf *b, const char *text, size_t width, size_t indent)
{
	size_t column = indent;

	buf_pad(b, ' ', indent);
	while (*text) {
		size_t n = strcspn(text, " "), w = text_width(text, n);

		if (width && column > HANGING && column + 1 + w > width) {
			buf_putc(b, '\n');
			buf_pad(b, ' ', HANGING);
			column = HANGING;
		} else if (column > indent) {
			buf_putc(b, ' ');
			column++;
		}
		buf_put(b, text, n);
		column += w;
		text += n + (text[n] == ' ');
	}
	buf_putc(b, '\n');
}

/* What the kernel leaves 0 has not happened, but for these. */
static bool is_worth_it(const struct column *column, const struct cell *cell)
{
	if (cell->type == CELL_NULL)
		return false;
	return cell->type != CELL_NUMBER || cell->number || !strcmp(column->name, "recv_q") ||
	       !strcmp(column->name, "send_q") || !strcmp(column->name, "uid");
}

static int put_fields(const struct explanation *e, const struct pv_conversation *c,
		      const struct explain_look *look, struct buf *b)
{
	struct column_context context = {
		.snapshot = e->snapshot, .needs = e->needs, .numeric = true, .ascii = look->ascii
	};
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	_cleanup_(cleanup_buf) struct buf line = BUF_INIT;
	size_t n;
	int r = columns_parse(FIELDS, FIELDS, &columns, &n, NULL);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct cell cell = { 0 };

		columns[i]->get(columns[i], &context, c, &cell);
		if (!is_worth_it(columns[i], &cell))
			continue;
		if (line.len)
			buf_putc(&line, ' ');
		buf_printf(&line, "%s=", columns[i]->name);
		cell_put(&cell, &context, &line, TEXT_WORD | (look->ascii ? TEXT_ASCII : 0));
	}
	if (r < 0 || !buf_str(&line))
		return r < 0 ? r : -ENOMEM;
	put_wrapped(b, buf_str(&line), look->width, INDENT);
	return 0;
}

static void put_fact(const struct explanation *e, size_t n, bool is_heading,
		     const struct explain_look *look, struct buf *b)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;

	explain_put_sentence(e, &e->facts.items[n], true, look->ascii, &text);
	if (is_heading && look->color)
		buf_puts(b, "\033[1m");
	/* a heading is never broken: it is one line of a colour */
	if (buf_str(&text))
		put_wrapped(b, buf_str(&text), is_heading ? 0 : look->width,
			    is_heading ? 0 : INDENT);
	if (is_heading && look->color)
		buf_puts(b, "\033[0m");
}

int explain_write_text(const struct explanation *e, const struct explain_look *look, struct buf *b)
{
	int r = e->error;

	for (size_t i = 0; r == 0 && i < e->sections.n; i++) {
		const struct section *s = &e->sections.items[i];
		size_t end = i + 1 < e->sections.n ? s[1].first_fact : e->facts.n;

		if (i)
			buf_putc(b, '\n');
		for (size_t n = s->first_fact; n < end; n++)
			put_fact(e, n, n == s->first_fact, look, b);
		if (s->kind == SECTION_SOCKET)
			r = put_fields(e, s->conversation, look, b);
	}
	return r < 0 ? r : buf_error(b);
}
