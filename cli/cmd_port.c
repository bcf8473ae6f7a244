/* SPDX-License-Identifier: MIT */
/*
 * portavoz port: what a number or name stands for, who listens on it here, which numbers are free.
 * Every question is understood before anything is read or printed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/inet.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/port.h"
#include "cli/redact_option.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"
#include "ui/text/i18n.h"

#define FREE_MAX 65535
#define FREE_FIRST 1024
#define FILTER_QUERIES_MAX 64 /* a longer filter costs more than it saves */

struct port_values {
	const char *search, *free, *range, *replay, *redact;
	bool udp, registered;
	bool json, no_header, strict, verbose;
	struct buf netns;
};

static void cleanup_values(struct port_values *v)
{
	buf_deinit(&v->netns);
}

#define AT(member) offsetof(struct port_values, member)
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))
#define TEXT(name, arg, help, member) TEXT_OPTION(0, name, arg, help, AT(member))

static const struct option_def port_options[] = {
	OPTION_HEADING(N_("What is looked for")),
	TEXT("search", "TEXT", N_("services with this text in their name or description"), search),
	TEXT("free", "N?", N_("name N (1) ports that can be bound now on every address"), free),
	OPTION_HEADING(N_("Which ports --free names")),
	TEXT("range", "A-B", N_("ports from A to B (1024-65535)"), range),
	FLAG('u', "udp", N_("for UDP, not for TCP"), udp),
	FLAG(0, "registered", N_("registered ones will do, too"), registered),
	OPTION_HEADING(N_("How it is written")),
	FLAG(0, "json", N_("one JSON document"), json),
	FLAG('H', "no-header", N_("no headings"), no_header),
	OPTION_HEADING(N_("Where it comes from")),
	TEXT("replay", "DIR", N_("who listens by this recording, not on this host"), replay),
	OPTION_NETNS(AT(netns)),
	REDACT_OPTION(struct port_values, redact),
	FLAG(0, "strict", N_("exit status 3 when something could not be seen"), strict),
	FLAG('v', "verbose", N_("say on stderr what could not be seen, terminal or not"), verbose),
	{ 0 },
};

static int run_port(int argc, char **argv);

const struct command command_port = {
	.name = "port",
	.summary = N_("what a port stands for, who listens on it here, and which are free"),
	.usage = "[OPTION]... WHAT...",
	.about = N_(
		"WHAT is a number (443), a range (6000-6063), or the name or alias of a service\n"
		"(https), each also with a transport: 53/udp, http/sctp."),
	.defs = port_options,
	.operands = OPERAND_PORT,
	.run = run_port,
};

/* --- the snapshot --- */

static void put_term(struct buf *b, uint32_t first, uint32_t last)
{
	buf_printf(b, "%s(sport >= :%u and sport <= :%u)", b->len ? " or " : "", first, last);
}

/* A filter for the numbers asked for, so that what is said to be missing is missing there. */
static int make_filter(const struct port_query *queries, size_t n, struct pv_filter **ret)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT, text = BUF_INIT;

	for (size_t i = 0; n <= FILTER_QUERIES_MAX && i < n; i++) {
		const struct pv_service *s;
		size_t cursor = 0;

		if (!queries[i].name[0])
			put_term(&b, queries[i].first, queries[i].last);
		while (queries[i].name[0] &&
		       (s = pv_service_next_by_name(queries[i].name, &cursor)))
			put_term(&b, s->first, s->last);
	}
	buf_puts(&text, "(proto udp or state listening)");
	if (b.len)
		buf_printf(&text, " and (%s)", buf_str(&b) ? buf_str(&b) : "");
	if (buf_error(&b) < 0 || !buf_str(&text))
		return -ENOMEM;
	return pv_filter_parse(buf_str(&text), ret, NULL);
}

static int collect(struct port_values *v, const struct pv_filter *filter, struct pv_snapshot **ret)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *redactor = NULL;
	struct pv_request request = PV_REQUEST_INIT;
	int r;

	if (redact_open(v->redact, &redactor) != 0)
		return -EINVAL;
	request.redactor = redactor;
	request.protos = PV_PROTO_BIT(PV_PROTO_TCP) | PV_PROTO_BIT(PV_PROTO_MPTCP) |
			 PV_PROTO_BIT(PV_PROTO_UDP) | PV_PROTO_BIT(PV_PROTO_SCTP) |
			 PV_PROTO_BIT(PV_PROTO_DCCP);
	request.states = PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE);
	request.needs = PV_NEED_OWNERS;
	request.filter = filter;
	request.replay_dir = v->replay;
	request.netns = v->netns.len ? buf_str(&v->netns) : NULL;
	if (v->free) {
		/* only the namespace's numbers are wanted */
		request.protos = PV_PROTO_BIT(PV_PROTO_TCP);
		request.states = PV_STATE_BIT(PV_STATE_LISTEN);
		request.needs = 0;
		request.owners = PV_OWNERS_NONE;
	}
	r = pv_collect(&request, ret);

	if (v->replay && (r == -EINVAL || r == -EBADMSG))
		usage_error(v->replay, "%s",
			    _("is no recording made by portavoz list --record, or is damaged"));
	else if (r < 0 && !report_netns(&v->netns, r) && !report_key(v->replay, r))
		usage_error(v->replay ? v->replay : _("sockets"), "%s", strerror(-r));
	return r;
}

static bool range_is_known(const struct pv_snapshot *snapshot)
{
	return snapshot && pv_snapshot_netns(snapshot, 0)->ephemeral_last;
}

/* --- JSON --- */

static void json_text(struct buf *b, const char *key, const char *text)
{
	buf_printf(b, "\"%s\":", key);
	if (text)
		text_put_json(b, text, strlen(text));
	else
		buf_puts(b, "null");
}

static void json_bool(struct buf *b, const char *key, bool is_known, bool value)
{
	buf_printf(b, ",\"%s\":%s", key, !is_known ? "null" : value ? "true" : "false");
}

static void json_owners(struct buf *b, const struct pv_snapshot *snapshot,
			const struct pv_conversation *c)
{
	buf_puts(b, ",\"owners\":[");
	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_holder *h = pv_snapshot_holder(snapshot, c, i);
		const struct pv_process *p = pv_snapshot_process(snapshot, h->process);

		buf_printf(b, "%s{\"pid\":%d,\"start_ticks\":", i ? "," : "", p->pid);
		if (p->start_ticks)
			buf_u64(b, p->start_ticks);
		else
			buf_puts(b, "null");
		buf_printf(b, ",\"fd\":%d,\"comm\":", h->fd);
		text_put_json(b, p->comm.data, p->comm.len);
		buf_putc(b, '}');
	}
	buf_puts(b, "],");
	json_text(b, "owner_reason",
		  c->owner_reason ? pv_reason_name((enum pv_reason)c->owner_reason) : NULL);
}

static void json_netns(struct buf *b, const struct pv_netns *n)
{
	buf_puts(b, "\"netns\":");
	if (n->inode)
		buf_u64(b, n->inode);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"netns_name\":");
	if (n->name.len)
		text_put_json(b, n->name.data, n->name.len);
	else
		buf_puts(b, "null");
}

static void json_listeners(struct buf *b, const struct port_rows *rows, const struct port_row *row)
{
	if (!rows->snapshot) {
		buf_puts(b, ",\"listeners\":null");
		return;
	}
	buf_puts(b, ",\"listeners\":[");
	for (size_t i = 0; i < row->n_listeners; i++) {
		const struct pv_conversation *c = row->listeners[i].conversation;

		buf_printf(b, "%s{", i ? "," : "");
		json_text(b, "proto", pv_proto_name((enum pv_proto)c->proto));
		buf_puts(b, ",\"local_addr\":\"");
		inet_put(b, c->family, c->local.addr);
		buf_printf(b, "\",\"local_port\":%u,", c->local.port);
		json_netns(b, pv_snapshot_netns(rows->snapshot, c->netns));
		json_owners(b, rows->snapshot, c);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

static void json_aliases(struct buf *b, const struct port_row *row)
{
	size_t cursor = 0, n = 0;

	buf_puts(b, ",\"aliases\":[");
	for (const char *name; row->service && (name = port_row_next_alias(row, &cursor)); n++) {
		if (n)
			buf_putc(b, ',');
		text_put_json(b, name, strlen(name));
	}
	buf_puts(b, "],");
}

static void json_row(struct buf *b, const struct port_rows *rows, const struct port_row *row)
{
	const struct pv_service *s = row->service;
	bool is_known = range_is_known(rows->snapshot);

	buf_printf(b, "{\"number\":%u,\"last\":%u,", row->first, row->last);
	json_text(b, "transport", pv_transport_name((enum pv_transport)row->transport));
	buf_putc(b, ',');
	json_text(b, "name", s ? s->name : NULL);
	json_aliases(b, row);
	json_text(b, "group", pv_port_group_name(pv_port_group(row->first)));
	json_bool(b, "registered", true, s && !(s->flags & PV_SERVICE_UNREGISTERED));
	json_bool(b, "ephemeral", is_known, port_row_is_ephemeral(rows, row));
	json_bool(b, "reserved", is_known, port_row_is_reserved(rows, row));
	buf_putc(b, ',');
	json_text(b, "description", s ? s->description : NULL);
	json_listeners(b, rows, row);
	buf_putc(b, '}');
}

static void json_document(struct buf *b, const struct port_rows *rows)
{
	buf_puts(b, "{\"schema\":1,\"coverage\":");
	if (rows->snapshot)
		render_coverage_json(pv_snapshot_coverage(rows->snapshot), b);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"ports\":[");
	for (size_t i = 0; i < rows->rows.n; i++) {
		buf_puts(b, i ? ",\n" : "\n");
		json_row(b, rows, &rows->rows.items[i]);
	}
	buf_puts(b, "\n]}\n");
}

/* --- the table --- */

enum {
	COL_PORT,
	COL_TRANSPORT,
	COL_NAME,
	COL_GROUP,
	COL_EPHEMERAL,
	COL_LISTENING,
	COL_TEXT,
	COL_N
};

static const char *const titles[COL_N] = { N_("PORT"),	     N_("PROTO"),     N_("NAME"),
					   N_("GROUP"),	     N_("EPHEMERAL"), N_("LISTENING"),
					   N_("DESCRIPTION") };

struct table {
	const struct port_rows *rows;
	size_t width; /* of the terminal; 0 = nothing is cut */
	bool ascii;
	size_t columns[COL_N];
};

/* On a terminal neither a process name nor a service name pushes the rest out of sight. */
static size_t cell_limit(const struct table *t, int column, size_t at)
{
	switch (column) {
	case COL_NAME:
		return 16;
	case COL_LISTENING:
		return t->width > 80 ? t->width / 5 : 16;
	case COL_TEXT:
		return t->width > at + 8 ? t->width - at : 8;
	default:
		return SIZE_MAX;
	}
}

static size_t gap(const struct table *t)
{
	return t->width && t->width < 100 ? 1 : 2;
}

/* "@blue", where it is not ours. */
static void put_netns(struct buf *b, const struct table *t, const struct pv_conversation *c)
{
	const struct pv_netns *n = pv_snapshot_netns(t->rows->snapshot, c->netns);

	if (n->is_own || !n->inode)
		return;
	buf_putc(b, '@');
	if (n->name.len)
		text_put(b, n->name.data, n->name.len,
			 TEXT_WORD | TEXT_LIST | TEXT_FIELD | (t->ascii ? TEXT_ASCII : 0));
	else
		buf_u64(b, n->inode);
}

/* Returns where the name ends and the pid begins. */
static size_t put_owner(struct buf *b, const struct table *t, const struct pv_conversation *c,
			uint32_t n)
{
	size_t middle;
	const struct pv_snapshot *s = t->rows->snapshot;
	const struct pv_process *p = pv_snapshot_process(s, pv_snapshot_holder(s, c, n)->process);

	text_put(b, p->comm.data, p->comm.len,
		 TEXT_WORD | TEXT_LIST | TEXT_FIELD | (t->ascii ? TEXT_ASCII : 0));
	middle = b->len;
	buf_printf(b, "(%d)", p->pid);
	put_netns(b, t, c);
	return middle;
}

static void put_reason(struct buf *b, const struct table *t, const struct pv_conversation *c)
{
	buf_printf(b, "(%s)", pv_reason_name((enum pv_reason)c->owner_reason));
	put_netns(b, t, c);
}

/* Was that process named by an earlier listener of the row, or by an earlier descriptor? */
static bool is_named(const struct table *t, const struct port_row *row, size_t listener,
		     uint32_t holder)
{
	const struct pv_snapshot *s = t->rows->snapshot;
	const struct pv_conversation *asked = row->listeners[listener].conversation;
	uint32_t process = pv_snapshot_holder(s, asked, holder)->process;

	for (size_t i = 0; i <= listener; i++) {
		const struct pv_conversation *c = row->listeners[i].conversation;

		for (uint32_t h = 0; h < (i < listener ? c->n_holders : holder); h++)
			if (c->netns == asked->netns &&
			    pv_snapshot_holder(s, c, h)->process == process)
				return true;
	}
	return false;
}

/* Did the listener before lack its owner for the same reason? */
static bool is_reason_named(const struct port_row *row, size_t listener)
{
	const struct pv_conversation *before;

	if (!listener)
		return false;
	before = row->listeners[listener - 1].conversation;
	return !before->n_holders &&
	       before->netns == row->listeners[listener].conversation->netns &&
	       before->owner_reason == row->listeners[listener].conversation->owner_reason;
}

/* Counts an item of a list; false for those that a terminal has no room for. */
static bool begin_item(struct buf *b, const struct table *t, size_t *n)
{
	if ((*n)++ == 0)
		return true;
	if (t->width)
		return false;
	buf_putc(b, ',');
	return true;
}

/* Cuts what lies between start and middle until all from start on fits: the pid stays readable. */
static void trim_name(struct buf *b, const struct table *t, size_t start, size_t middle,
		      size_t limit)
{
	size_t name, all;
	_cleanup_(cleanup_buf) struct buf tail = BUF_INIT;

	if (buf_error(b))
		return;
	all = text_width(b->data + start, b->len - start);
	name = text_width(b->data + start, middle - start);
	if (all <= limit)
		return;
	buf_put(&tail, b->data + middle, b->len - middle);
	b->len = middle;
	text_cut(b, start, name > all - limit ? name - (all - limit) : 1, t->ascii);
	buf_put(b, tail.data, tail.len);
}

/* "sshd(812),systemd(1)"; on a terminal the first one and how many more. */
static void put_listening(struct buf *b, const struct table *t, const struct port_row *row)
{
	size_t n = 0, start = b->len, middle = start;

	for (size_t i = 0; i < row->n_listeners; i++) {
		const struct pv_conversation *c = row->listeners[i].conversation;

		if (!c->n_holders && !is_reason_named(row, i) && begin_item(b, t, &n))
			put_reason(b, t, c);
		for (uint32_t h = 0; h < c->n_holders; h++)
			if (!is_named(t, row, i, h) && begin_item(b, t, &n))
				middle = put_owner(b, t, c, h);
	}
	if (t->width && n > 1)
		buf_printf(b, " +%zu", n - 1);
	if (!row->n_listeners)
		buf_putc(b, t->rows->snapshot ? '-' : '?');
	if (t->width && middle > start)
		trim_name(b, t, start, middle, cell_limit(t, COL_LISTENING, 0));
}

static void put_description(struct buf *b, const struct table *t, const struct port_row *row)
{
	const char *alias, *before = _(" (also ");
	size_t cursor = 0;

	if (!row->service) {
		buf_puts(b, "-");
		return;
	}
	if (row->service->flags & PV_SERVICE_UNREGISTERED)
		buf_puts(b, _("not registered: "));
	text_put(b, row->service->description, strlen(row->service->description),
		 t->ascii ? TEXT_ASCII : 0);
	while ((alias = port_row_next_alias(row, &cursor))) {
		buf_puts(b, before);
		buf_puts(b, alias);
		before = ", ";
	}
	if (before[0] == ',')
		buf_putc(b, ')');
}

static void put_cell(struct buf *b, const struct table *t, const struct port_row *row, int column)
{
	switch (column) {
	case COL_PORT:
		buf_u64(b, row->first);
		if (row->last != row->first)
			buf_printf(b, "-%u", row->last);
		break;
	case COL_TRANSPORT:
		buf_puts(b, pv_transport_name((enum pv_transport)row->transport));
		break;
	case COL_NAME:
		buf_puts(b, row->service ? row->service->name : "-");
		break;
	case COL_GROUP:
		buf_puts(b, text_translate(pv_port_group_name(pv_port_group(row->first))));
		break;
	case COL_EPHEMERAL:
		buf_puts(b, !range_is_known(t->rows->snapshot)	  ? "?"
			    : port_row_is_ephemeral(t->rows, row) ? _("yes")
								  : _("no"));
		break;
	case COL_LISTENING:
		put_listening(b, t, row);
		break;
	default:
		put_description(b, t, row);
	}
}

/* Appends the cell, cut where the terminal asks for it; returns its width. */
static size_t put_fitted(struct buf *b, const struct table *t, const struct port_row *row,
			 int column, size_t at)
{
	size_t start = b->len;

	if (row)
		put_cell(b, t, row, column);
	else
		buf_puts(b, text_translate(titles[column]));
	if (t->width)
		text_cut(b, start, cell_limit(t, column, at), t->ascii);
	return buf_error(b) ? 0 : text_width(b->data + start, b->len - start);
}

static void put_line(struct buf *b, const struct table *t, const struct port_row *row)
{
	size_t at = 0;

	for (int column = 0; column < COL_N; column++) {
		size_t width = put_fitted(b, t, row, column, at);

		if (column == COL_TEXT)
			break;
		at += t->columns[column] + gap(t);
		buf_pad(b, ' ', t->columns[column] - width + gap(t));
	}
	while (b->len && b->data[b->len - 1] == ' ')
		b->len--;
	buf_putc(b, '\n');
}

static int measure(struct table *t, bool header)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	for (int column = 0; column < COL_TEXT; column++) {
		for (size_t i = 0; i < t->rows->rows.n + header; i++) {
			const struct port_row *row =
				i < t->rows->rows.n ? &t->rows->rows.items[i] : NULL;
			size_t width;

			buf_clear(&b);
			width = put_fitted(&b, t, row, column, 0);
			if (width > t->columns[column])
				t->columns[column] = width;
		}
	}
	return buf_error(&b);
}

static int put_table(struct buf *b, const struct port_rows *rows, bool header)
{
	struct table t = { .rows = rows, .width = terminal_width(), .ascii = terminal_is_ascii() };
	int r = measure(&t, header);

	if (r < 0)
		return r;
	if (header)
		put_line(b, &t, NULL);
	for (size_t i = 0; i < rows->rows.n; i++)
		put_line(b, &t, &rows->rows.items[i]);
	return 0;
}

/* --- running --- */

static int out_of_memory(void)
{
	usage_error("port", "%s", _("out of memory"));
	return EXIT_FAILURE;
}

static int print_rows(struct port_values *v, const struct port_rows *rows)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = 0;

	if (v->json)
		json_document(&b, rows);
	else if (rows->rows.n)
		r = put_table(&b, rows, !v->no_header);
	if (r < 0 || buf_error(&b) < 0)
		return out_of_memory();
	return print_stdout(&b);
}

static void report_absent(const char *text, const struct port_query *q)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const struct pv_service *s;
	size_t cursor = 0;

	while (q->name[0] && (s = pv_service_next_by_name(q->name, &cursor)))
		buf_printf(&b, "%s%u/%s", b.len ? ", " : "", s->first,
			   pv_transport_name((enum pv_transport)s->transport));
	if (b.len)
		usage_error(text, _("the service has no number for that transport; it has %s"),
			    buf_str(&b) ? buf_str(&b) : _("others"));
	else
		usage_error(text, "%s", _("nothing is registered there, and nobody listens"));
}

static int add_rows(struct port_values *v, struct port_rows *rows, const struct port_query *queries,
		    size_t n, char **argv)
{
	int status = 0;

	if (v->search) {
		int r = port_rows_search(rows, v->search);

		if (r == PORT_E_UNKNOWN)
			usage_error(v->search, "%s", _("no name or description holds this text"));
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		int r = port_rows_add(rows, &queries[i]);

		if (r < 0)
			return r;
		if (r == PORT_E_UNKNOWN) {
			report_absent(argv[i], &queries[i]);
			status = r;
		}
	}
	return status;
}

static int show_ports(struct port_values *v, const struct port_query *queries, size_t n,
		      char **argv, int status)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *snapshot = NULL;
	_cleanup_(cleanup_filter) struct pv_filter *filter = NULL;
	_cleanup_(port_rows_deinit) struct port_rows rows = { 0 };
	int r;

	if (make_filter(queries, n, &filter) < 0)
		return out_of_memory();
	if (collect(v, filter, &snapshot) < 0) {
		if (v->replay)
			return EXIT_FAILURE;
		/* what the registry says is true without sockets */
		status = EXIT_FAILURE;
	}
	if (port_rows_init(&rows, snapshot) < 0)
		return out_of_memory();
	r = add_rows(v, &rows, queries, n, argv);
	if (r < 0)
		return out_of_memory();
	if (r == PORT_E_UNKNOWN)
		status = EXIT_FAILURE;
	r = print_rows(v, &rows);
	if (!r && snapshot)
		r = say_coverage(snapshot, NULL, v->verbose, v->strict);
	return r ? r : status;
}

static int run_queries(struct port_values *v, int argc, char **argv)
{
	_cleanup_(cleanup_free) struct port_query *queries =
		calloc((size_t)argc + 1, sizeof(*queries));
	_cleanup_(cleanup_free) char **known = calloc((size_t)argc + 1, sizeof(*known));
	int status = 0;
	size_t n = 0;

	if (!queries || !known)
		return out_of_memory();
	for (int i = 0; i < argc; i++) {
		int r = port_query_parse(argv[i], &queries[n]);

		if (r < 0)
			return EXIT_USAGE;
		if (r == PORT_E_UNKNOWN)
			status = EXIT_FAILURE;
		else
			known[n++] = argv[i];
	}
	if (argc && !n && !v->json)
		return status;
	return show_ports(v, queries, n, known, status);
}

static void report_few(const struct port_free_request *request, int n,
		       const struct port_free_tally *t)
{
	usage_error("--free",
		    _("%d of %u found in %u-%u: %u in use, %u ephemeral here, %u reserved here, %u "
		      "registered%s, %u not permitted"),
		    n, request->wanted, request->first, request->last, t->in_use, t->ephemeral,
		    t->reserved, t->registered,
		    t->registered ? _(" (--registered allows them)") : "", t->forbidden);
}

static int print_free(struct port_values *v, const struct pv_snapshot *snapshot,
		      enum pv_transport transport, const uint16_t *ports, int n)
{
	_cleanup_(port_rows_deinit) struct port_rows rows = { .snapshot = snapshot };
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	for (int i = 0; i < n; i++) {
		struct port_row row = { .first = ports[i],
					.last = ports[i],
					.transport = (uint8_t)transport,
					.service = pv_service_by_port(ports[i], transport) };

		if (vec_push(&rows.rows, row) < 0)
			return out_of_memory();
		if (!v->json)
			buf_printf(&b, "%u\n", ports[i]);
	}
	if (v->json)
		return print_rows(v, &rows);
	return buf_error(&b) < 0 ? out_of_memory() : print_stdout(&b);
}

static int run_free(struct port_values *v, struct port_free_request *request)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *snapshot = NULL;
	_cleanup_(cleanup_free) uint16_t *ports = calloc(request->wanted, sizeof(*ports));
	struct port_free_tally tally;
	int n, r;

	if (!ports)
		return out_of_memory();
	if (collect(v, NULL, &snapshot) < 0)
		return EXIT_FAILURE;
	if (!range_is_known(snapshot))
		usage_error("--free", "%s",
			    _("this host's ephemeral range could not be read; its numbers "
			      "are not left out"));
	request->netns = pv_snapshot_netns(snapshot, 0);
	n = port_free_find(request, ports, &tally);
	if (n < 0) {
		usage_error("--free", _("ports cannot be tried: %s"), strerror(-n));
		return EXIT_FAILURE;
	}
	r = print_free(v, snapshot, request->transport, ports, n);
	if ((uint32_t)n < request->wanted)
		report_few(request, n, &tally);
	return r ? r : (uint32_t)n < request->wanted ? EXIT_FAILURE : 0;
}

/* "--free=3" and "--free 3" */
static int parse_free(const struct port_values *v, int argc, char **argv,
		      struct port_free_request *ret_request)
{
	const char *count = *v->free ? v->free : argc ? argv[0] : "1";
	uint64_t wanted;

	if (argc > 1 || (argc && *v->free)) {
		usage_error(argv[argc - 1], "%s",
			    _("--free takes one number, how many ports to name"));
		return -EINVAL;
	}
	if (parse_number(count, 1, FREE_MAX, &wanted) < 0) {
		usage_error(count, _("--free takes how many ports to name, a number from 1 to %d"),
			    FREE_MAX);
		return -EINVAL;
	}
	*ret_request = (struct port_free_request){
		.wanted = (uint32_t)wanted,
		.first = FREE_FIRST,
		.last = 65535,
		.transport = v->udp ? PV_TRANSPORT_UDP : PV_TRANSPORT_TCP,
		.registered = v->registered,
	};
	if (v->range)
		return port_range_parse(v->range, v->range, &ret_request->first,
					&ret_request->last);
	return 0;
}

static int check_values(const struct port_values *v, int n_operands)
{
	if (v->free && (v->search || v->replay || v->netns.len))
		usage_error("--free", "%s", _("does not go with --search, --netns or --replay"));
	else if (!v->free && (v->range || v->udp || v->registered))
		usage_error(v->range ? "--range"
			    : v->udp ? "--udp"
				     : "--registered",
			    "%s", _("says which ports --free names"));
	else if (v->search && n_operands)
		usage_error("--search", "%s", _("does not go with ports or names"));
	else if (v->search && !*v->search)
		usage_error("--search", "%s", _("needs a text"));
	else if (!v->free && !v->search && !n_operands)
		usage_error("port", "%s",
			    _("which one? Allowed are numbers, ranges A-B and names, --search "
			      "TEXT, --free [N]"));
	else
		return 0;
	return -EINVAL;
}

/* "-1" would be taken for an option that does not exist, which is no help. */
static int refuse_negative(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9') {
			usage_error(argv[i], "%s", _("no port: numbers go from 0 to 65535"));
			return -EINVAL;
		}
	}
	return 0;
}

static int run_port(int argc, char **argv)
{
	_cleanup_(cleanup_values) struct port_values v = { 0 };
	struct port_free_request request;
	int first, r;

	if (refuse_negative(argc, argv) < 0)
		return EXIT_USAGE;
	r = command_options(&command_port, argc, argv, &v, &first);
	if (r >= 0)
		return r;
	if (check_values(&v, argc - first) < 0)
		return EXIT_USAGE;
	if (!v.free)
		return run_queries(&v, argc - first, argv + first);
	if (parse_free(&v, argc - first, argv + first, &request) < 0)
		return EXIT_USAGE;
	return run_free(&v, &request);
}
