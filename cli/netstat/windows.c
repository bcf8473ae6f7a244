/* SPDX-License-Identifier: MIT */
/* netstat --windows: the view people know from Windows. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "base/vec.h"
#include "cli/netstat/netstat.h"

#define ADDRESS_WIDTH 22

struct view {
	const struct netstat_values *v;
	struct buf *b;
	const struct pv_snapshot *snapshot;
	struct services *services;
	VEC(const struct pv_conversation *) rows;
	VEC(struct pv_name) names; /* two a row */
	struct pv_names *names_owner;
};

static void view_deinit(struct view *w)
{
	vec_deinit(&w->rows);
	vec_deinit(&w->names);
	pv_names_free(w->names_owner);
	services_free(w->services);
}

static void pad_to(struct buf *b, size_t start, size_t width)
{
	size_t n = b->len - start;

	if (!buf_error(b))
		buf_pad(b, ' ', n < width ? width - n : 0);
	buf_putc(b, ' ');
}

static void put_end(struct view *w, const struct pv_conversation *row, const struct pv_endpoint *e,
		    const char *name)
{
	uint32_t numeric = w->v->numeric;
	bool is_bare = !name && row->family == AF_INET6 && !inet_is_mapped(e->addr);
	size_t start = w->b->len;

	if (row->proto == PV_PROTO_UDP && e == &row->remote && e->port == 0) {
		buf_puts(w->b, "*:*");
		pad_to(w->b, start, ADDRESS_WIDTH);
		return;
	}
	if (is_bare)
		buf_putc(w->b, '[');
	netstat_put_host(w->b, row->family, e->addr, name, true);
	buf_puts(w->b, is_bare ? "]:" : ":");
	if (e->port == 0)
		buf_putc(w->b, '0');
	else
		netstat_put_port(w->b, w->services, row, e->port, numeric & NETSTAT_NUMERIC_PORTS);
	pad_to(w->b, start, ADDRESS_WIDTH);
}

/* Windows has no state of half-open requests of its own name, and writes the others so. */
static const char *state_name(const struct pv_conversation *row)
{
	switch (row->proto == PV_PROTO_TCP ? row->state : PV_STATE_UNKNOWN) {
	case PV_STATE_LISTEN:
		return "LISTENING";
	case PV_STATE_SYN_RECV:
		return "SYN_RECEIVED";
	case PV_STATE_FIN_WAIT1:
		return "FIN_WAIT_1";
	case PV_STATE_FIN_WAIT2:
		return "FIN_WAIT_2";
	case PV_STATE_UNKNOWN:
		return "";
	default:
		return pv_state_name(PV_PROTO_TCP, (enum pv_state)row->state);
	}
}

static void put_row(struct view *w, size_t i)
{
	const struct pv_conversation *row = w->rows.items[i];
	const struct pv_name *names = &w->names.items[2 * i];
	struct pv_bytes program = { 0 };
	int32_t pid = 0;
	bool is_held = netstat_program(w->snapshot, row, &pid, &program);

	buf_printf(w->b, "  %-6s ", row->proto == PV_PROTO_TCP ? "TCP" : "UDP");
	put_end(w, row, &row->local, names[0].name);
	put_end(w, row, &row->remote, names[1].name);
	buf_printf(w->b, w->v->timers ? "%-15s %d\n" : "%s\n", state_name(row), pid);
	if (!w->v->binaries)
		return;
	if (is_held) {
		buf_puts(w->b, " [");
		netstat_put_foreign(w->b, program.data, program.len);
		buf_puts(w->b, "]\n");
	} else {
		buf_puts(w->b, " Can not obtain ownership information\n");
	}
}

static bool is_shown(const struct netstat_values *v, const struct pv_conversation *row)
{
	bool is_server = row->proto == PV_PROTO_TCP ? row->state == PV_STATE_LISTEN
						    : row->state != PV_STATE_ESTABLISHED;

	if (row->proto == PV_PROTO_TCP && row->state == PV_STATE_CLOSE)
		return false;
	return v->all || is_server == v->listening;
}

static int take_rows(struct view *w)
{
	for (size_t i = 0; i < pv_snapshot_count(w->snapshot); i++) {
		const struct pv_conversation *row = pv_snapshot_get(w->snapshot, i);
		struct pv_name local = { .family = row->family }, remote = local;

		if (!is_shown(w->v, row))
			continue;
		memcpy(local.addr, row->local.addr, sizeof(local.addr));
		memcpy(remote.addr, row->remote.addr, sizeof(remote.addr));
		if (vec_push(&w->rows, row) < 0 || vec_push(&w->names, local) < 0 ||
		    vec_push(&w->names, remote) < 0)
			return -ENOMEM;
	}
	return netstat_resolve(w->v, w->names.items, w->names.n, &w->names_owner);
}

static int show(struct view *w)
{
	int r = take_rows(w);

	if (r < 0)
		return r;
	if (!(w->v->numeric & NETSTAT_NUMERIC_PORTS))
		w->services = services_read();
	if (!w->v->is_repeated)
		buf_puts(w->b, "\nActive Connections\n\n");
	buf_printf(w->b, "  Proto  %-22s %-22s %s\n", "Local Address", "Foreign Address",
		   w->v->timers ? "State           PID" : "State");
	for (size_t i = 0; i < w->rows.n; i++)
		put_row(w, i);
	return 0;
}

int netstat_windows(const struct netstat_values *v, struct buf *b)
{
	_cleanup_(view_deinit) struct view w = { .v = v, .b = b };
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_snapshot *snapshot = NULL;
	uint32_t both = PV_PROTO_BIT(PV_PROTO_TCP) | PV_PROTO_BIT(PV_PROTO_UDP);
	int r;

	q.protos = v->protos & both ? v->protos & both : both;
	if (v->families & (NETSTAT_INET | NETSTAT_INET6)) {
		q.inet = v->families & NETSTAT_INET;
		q.inet6 = v->families & NETSTAT_INET6;
	}
	if (v->timers || v->binaries)
		q.needs = PV_NEED_OWNERS | PV_NEED_CMDLINE;
	q.redactor = v->redactor;
	r = pv_collect(&q, &snapshot);
	if (r < 0)
		return r;
	w.snapshot = snapshot;
	r = show(&w);
	pv_snapshot_free(snapshot);
	return r;
}
