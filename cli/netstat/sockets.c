/* SPDX-License-Identifier: MIT */
/* The lists of open sockets: a snapshot, put in the order of the kernel's tables. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/netstat/netstat.h"

#define ADDRESS_WIDTH 23
#define PROGRAM_WIDTH 20
#define PROGRAM_BYTES (PROGRAM_WIDTH - 1)

/* One list after another; of each protocol IPv4 before IPv6. */
static const struct {
	enum pv_proto proto;
	const char *names[2];
} kinds[] = {
	{ PV_PROTO_TCP, { "tcp", "tcp6" } }, { PV_PROTO_SCTP, { "sctp", "sctp6" } },
	{ PV_PROTO_UDP, { "udp", "udp6" } }, { PV_PROTO_UDPLITE, { "udpl", "udpl6" } },
	{ PV_PROTO_RAW, { "raw", "raw6" } },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))
#define PROTO_SCTP PV_PROTO_BIT(PV_PROTO_SCTP)
#define PROTO_TCP PV_PROTO_BIT(PV_PROTO_TCP)
#define PROTO_RAW PV_PROTO_BIT(PV_PROTO_RAW)
#define PROTO_UNIX PV_PROTO_BIT(PV_PROTO_UNIX)
#define PROTO_INET                                                                                 \
	(PROTO_TCP | PROTO_SCTP | PV_PROTO_BIT(PV_PROTO_UDP) | PV_PROTO_BIT(PV_PROTO_UDPLITE) |    \
	 PROTO_RAW)

struct listing {
	const struct netstat_values *v;
	struct buf *b;
	const struct pv_snapshot *snapshot;
	struct services *services;
	uint32_t protos; /* of IP */
	bool inet, inet6, unix_sockets;
	bool lacks_sctp; /* it was named and the kernel has none, which ends the run there */
	VEC(const struct pv_conversation *) rows[N_KINDS][2];
	/* two a row, in the order they are printed: local, remote */
	VEC(struct pv_name) names;
	struct pv_names *names_owner;
	size_t next_name;
};

static bool has_states(const struct pv_conversation *row)
{
	return row->proto == PV_PROTO_TCP || row->proto == PV_PROTO_SCTP;
}

/* Listeners only with -l or -a; with -l nothing else. */
static bool is_shown(const struct netstat_values *v, const struct pv_conversation *row)
{
	bool is_server = row->state == PV_STATE_LISTEN;

	/* bound and idle: the kernel's tables have no such row */
	if (has_states(row) && row->state == PV_STATE_CLOSE)
		return false;
	if (!has_states(row) && row->proto != PV_PROTO_UNIX)
		is_server = row->state != PV_STATE_ESTABLISHED;
	return v->all || is_server == v->listening;
}

static const char *which(const struct netstat_values *v)
{
	return v->all ? "servers and established" : v->listening ? "only servers" : "w/o servers";
}

static void put_padded(struct buf *b, size_t start, size_t width)
{
	size_t n = b->len - start;

	if (!buf_error(b) && n < width)
		buf_pad(b, ' ', width - n);
}

static void put_number(struct buf *b, uint64_t number, size_t width)
{
	size_t start = b->len;

	buf_u64(b, number);
	put_padded(b, start, width);
}

/* Right-aligned. */
static void put_count(struct buf *b, uint64_t number, int width)
{
	uint64_t limit = 10;
	int digits = 1;

	for (; digits < width && number >= limit; limit *= 10)
		digits++;
	buf_pad(b, ' ', (size_t)(width - digits));
	buf_u64(b, number);
}

static void put_address(struct listing *l, const struct pv_conversation *row,
			const struct pv_endpoint *e, uint32_t port)
{
	uint32_t numeric = l->v->numeric;
	const char *name = l->names.n ? l->names.items[l->next_name++].name : NULL;
	_cleanup_(cleanup_buf) struct buf service = BUF_INIT;
	size_t start = l->b->len, room;

	netstat_put_port(&service, l->services, row, port, numeric & NETSTAT_NUMERIC_PORTS);
	netstat_put_host(l->b, row->family, e->addr, name, numeric & NETSTAT_NUMERIC_HOSTS);
	room = service.len + 1 < ADDRESS_WIDTH ? ADDRESS_WIDTH - 1 - service.len : 0;
	if (!l->v->wide && !buf_error(l->b) && l->b->len - start > room)
		l->b->len = start + room;
	buf_putc(l->b, ':');
	buf_put(l->b, service.data, service.len);
	put_padded(l->b, start, ADDRESS_WIDTH);
}

static void put_state(struct buf *b, const struct pv_conversation *row)
{
	size_t start = b->len;

	if (row->proto == PV_PROTO_RAW)
		buf_u64(b, row->state);
	else if (has_states(row) || row->state == PV_STATE_ESTABLISHED)
		buf_puts(b, pv_state_name(PV_PROTO_TCP, (enum pv_state)row->state));
	put_padded(b, start, 11);
}

static void put_user(const struct listing *l, const struct pv_conversation *row)
{
	uint32_t uid = row->uid == UINT32_MAX ? 0 : row->uid;
	const char *name =
		l->v->numeric & NETSTAT_NUMERIC_USERS ? NULL : pv_snapshot_user(l->snapshot, uid);
	size_t start;

	buf_putc(l->b, ' ');
	start = l->b->len;
	if (name)
		netstat_put_foreign(l->b, name, strlen(name));
	else
		buf_i64(l->b, (int32_t)uid);
	put_padded(l->b, start, 10);
	buf_putc(l->b, ' ');
	put_number(l->b, row->inode, 10);
}

static void put_program(const struct listing *l, const struct pv_conversation *row)
{
	struct pv_bytes name;
	size_t start = l->b->len, n;
	int32_t pid;

	if (netstat_program(l->snapshot, row, &pid, &name)) {
		buf_i64(l->b, pid);
		buf_putc(l->b, '/');
		n = buf_error(l->b) ? 0 : PROGRAM_BYTES - (l->b->len - start);
		netstat_put_foreign(l->b, name.data, name.len < n ? name.len : n);
	} else {
		buf_putc(l->b, '-');
	}
	put_padded(l->b, start, PROGRAM_WIDTH);
}

static void put_timer(struct buf *b, const struct pv_conversation *row)
{
	bool is_probing = row->timer != PV_TIMER_ON;
	const char *name = row->timer == PV_TIMER_OFF ? "off"
			   : row->timer < PV_TIMER_N  ? pv_timer_name((enum pv_timer)row->timer)
						      : "unkn";

	buf_printf(b, " %s (%u.%02u/%u/%u)", name, row->timer_ms / 1000, row->timer_ms / 10 % 100,
		   is_probing ? 0 : row->retrans, is_probing ? row->retrans : 0);
}

static void put_inet_row(struct listing *l, const struct pv_conversation *row, const char *proto)
{
	bool is_listener = row->state == PV_STATE_LISTEN;
	uint32_t local = row->proto == PV_PROTO_RAW ? row->protocol : row->local.port;
	uint32_t remote = row->proto == PV_PROTO_RAW ? 0 : row->remote.port;
	size_t start = l->b->len;

	buf_puts(l->b, proto);
	put_padded(l->b, start, 5);
	buf_putc(l->b, ' ');
	put_count(l->b, row->recv_q, 6);
	buf_putc(l->b, ' ');
	/* the kernel's tables have no backlog */
	put_count(l->b, is_listener ? 0 : row->send_q, 6);
	buf_putc(l->b, ' ');
	put_address(l, row, &row->local, local);
	buf_putc(l->b, ' ');
	put_address(l, row, &row->remote, remote);
	buf_putc(l->b, ' ');
	put_state(l->b, row);
	if (l->v->extended)
		put_user(l, row);
	if (l->v->programs) {
		buf_putc(l->b, ' ');
		put_program(l, row);
	}
	if (l->v->timers)
		put_timer(l->b, row);
	buf_putc(l->b, '\n');
}

static int add_names(struct listing *l, const struct pv_conversation *row)
{
	struct pv_name local = { .family = row->family }, remote = local;

	memcpy(local.addr, row->local.addr, sizeof(local.addr));
	memcpy(remote.addr, row->remote.addr, sizeof(remote.addr));
	return vec_push(&l->names, local) < 0 ? -ENOMEM : vec_push(&l->names, remote);
}

static int find_kind(enum pv_proto proto)
{
	for (size_t k = 0; k < N_KINDS; k++)
		if (kinds[k].proto == proto)
			return (int)k;
	return -1;
}

static int sort_rows(struct listing *l)
{
	for (size_t i = 0; i < pv_snapshot_count(l->snapshot); i++) {
		const struct pv_conversation *row = pv_snapshot_get(l->snapshot, i);
		int k = find_kind((enum pv_proto)row->proto);

		if (k >= 0 && is_shown(l->v, row) &&
		    vec_push(&l->rows[k][row->family == AF_INET6], row) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int resolve(struct listing *l)
{
	if (l->v->numeric & NETSTAT_NUMERIC_HOSTS)
		return 0;
	for (size_t k = 0; k < N_KINDS; k++)
		for (size_t six = 0; six < 2; six++)
			for (size_t i = 0; i < l->rows[k][six].n; i++)
				if (add_names(l, l->rows[k][six].items[i]) < 0)
					return -ENOMEM;
	return netstat_resolve(l->v, l->names.items, l->names.n, &l->names_owner);
}

static void put_inet_heading(const struct listing *l)
{
	const struct netstat_values *v = l->v;

	buf_printf(l->b,
		   "Active Internet connections (%s)\n"
		   "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
		   "%s%s%s\n",
		   which(v), v->extended ? " User       Inode     " : "",
		   v->programs ? " PID/Program name    " : "", v->timers ? " Timer" : "");
}

static int put_inet(struct listing *l)
{
	int r = sort_rows(l);

	if (r == 0)
		r = resolve(l);
	if (r < 0)
		return r;
	if (!(l->v->numeric & NETSTAT_NUMERIC_PORTS))
		l->services = services_read();
	put_inet_heading(l);
	for (size_t k = 0; k < N_KINDS && !(l->lacks_sctp && kinds[k].proto == PV_PROTO_SCTP); k++)
		for (size_t six = 0; six < 2; six++)
			for (size_t i = 0; i < l->rows[k][six].n; i++)
				put_inet_row(l, l->rows[k][six].items[i], kinds[k].names[six]);
	return 0;
}

static const char *unix_type(uint8_t type)
{
	switch (type) {
	case SOCK_STREAM:
		return "STREAM";
	case SOCK_DGRAM:
		return "DGRAM";
	case SOCK_SEQPACKET:
		return "SEQPACKET";
	default:
		return "UNKNOWN";
	}
}

/* What has no inode has no process yet, or no more. */
static const char *unix_state(const struct pv_conversation *row)
{
	if (row->state == PV_STATE_LISTEN)
		return "LISTENING";
	if (row->state == PV_STATE_ESTABLISHED)
		return row->inode ? "CONNECTED" : "CONNECTING";
	return row->inode ? "" : "DISCONNECTING";
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first word of the name, as net-tools reads it. */
static void put_unix_path(struct buf *b, const struct pv_bytes *path)
{
	bool is_abstract = path->len && !path->data[0];
	size_t start = is_abstract, end;

	while (!is_abstract && start < path->len && is_space(path->data[start]))
		start++;
	for (end = start; end < path->len && !is_space(path->data[end]);)
		end++;
	if (is_abstract)
		buf_putc(b, '@');
	netstat_put_foreign(b, path->data + start, end - start);
}

static void put_unix_row(const struct listing *l, const struct pv_conversation *row)
{
	size_t start;

	buf_puts(l->b, "unix  ");
	put_number(l->b, row->references, 6);
	buf_printf(l->b, " %-11s %-10s %-13s ", row->state == PV_STATE_LISTEN ? "[ ACC ]" : "[ ]",
		   unix_type(row->type), unix_state(row));
	start = l->b->len;
	buf_u64(l->b, row->inode);
	put_padded(l->b, start, 8);
	buf_putc(l->b, ' ');
	if (l->v->programs) {
		put_program(l, row);
		buf_putc(l->b, ' ');
	}
	if (row->path)
		put_unix_path(l->b, row->path);
	buf_putc(l->b, '\n');
}

static void put_unix(const struct listing *l)
{
	buf_printf(l->b,
		   "Active UNIX domain sockets (%s)\n"
		   "Proto RefCnt Flags       Type       State         I-Node  %s Path\n",
		   which(l->v), l->v->programs ? " PID/Program name    " : "");
	for (size_t i = 0; i < pv_snapshot_count(l->snapshot); i++) {
		const struct pv_conversation *row = pv_snapshot_get(l->snapshot, i);

		if (row->proto == PV_PROTO_UNIX && is_shown(l->v, row))
			put_unix_row(l, row);
	}
}

/* What is listed: everything, unless a protocol or a family was named. */
static void choose(struct listing *l)
{
	const struct netstat_values *v = l->v;
	bool is_default = !v->protos && !v->families;
	bool names_inet = v->families & (NETSTAT_INET | NETSTAT_INET6);

	l->unix_sockets = is_default || v->families & NETSTAT_UNIX;
	l->protos = v->protos ? v->protos : is_default || names_inet ? PROTO_INET : 0;
	l->inet = !names_inet || v->families & NETSTAT_INET;
	l->inet6 = !names_inet || v->families & NETSTAT_INET6;
}

static int collect(const struct listing *l, struct pv_snapshot **ret_snapshot)
{
	struct pv_request q = PV_REQUEST_INIT;
	const struct netstat_values *v = l->v;

	q.protos = l->protos | (l->unix_sockets ? PROTO_UNIX : 0);
	q.inet = l->inet;
	q.inet6 = l->inet6;
	if (v->programs)
		q.needs = PV_NEED_OWNERS | PV_NEED_CMDLINE;
	if (v->listening && !v->all)
		q.states = PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE);
	if (q.protos == PROTO_TCP)
		q.states &= ~PV_STATE_BIT(PV_STATE_CLOSE);
	/* the references of unix sockets, and the timers and the users of half-open requests, are
	 * in the text tables only */
	q.table_protos =
		v->extended || v->timers ? PROTO_INET | PROTO_UNIX : PROTO_UNIX | PROTO_RAW;
	q.redactor = v->redactor;
	return pv_collect(&q, ret_snapshot);
}

static bool is_absent(const struct pv_snapshot *s, const char *name)
{
	const struct pv_coverage *c = pv_snapshot_coverage(s);

	for (size_t i = 0; i < c->n_sources; i++)
		if (!strcmp(c->sources[i].name, name))
			return c->sources[i].state == PV_SOURCE_OFF;
	return false;
}

static void say_hidden(const struct pv_snapshot *s)
{
	const struct pv_coverage *c = pv_snapshot_coverage(s);

	for (size_t i = 0; i < c->n_gaps; i++)
		if (c->gaps[i].kind == PV_GAP_OWNER_PERMISSION)
			fprintf(stderr,
				"(the owners of %llu sockets are hidden: it takes root to see "
				"them)\n",
				(unsigned long long)c->gaps[i].count);
}

/* Old families: named ones end the run, the others are told with -v. */
static int say_old_families(const struct netstat_values *v, bool is_default)
{
	static const struct {
		uint32_t family;
		const char *name;
	} old[] = {
		{ NETSTAT_IPX, "AF IPX" },   { NETSTAT_AX25, "AF AX25" },
		{ NETSTAT_X25, "AF X25" },   { NETSTAT_NETROM, "AF NETROM" },
		{ NETSTAT_ROSE, "AF ROSE" },
	};
	int status = 0;

	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++) {
		if (v->families & old[i].family)
			status = netstat_no_support(old[i].name);
		else if (is_default && v->verbose)
			netstat_no_support(old[i].name);
	}
	return status;
}

/* A family that was named and is not there ends the run; of others -v tells. */
static int say_no_sctp(struct listing *l, bool is_default)
{
	const struct netstat_values *v = l->v;

	if (!(l->protos & PROTO_SCTP) || !is_absent(l->snapshot, "sctp"))
		return 0;
	l->lacks_sctp = v->protos & PROTO_SCTP;
	if (l->lacks_sctp)
		return netstat_no_support("AF INET (sctp)");
	if (is_default && v->verbose) {
		netstat_no_support("AF INET (sctp)");
		/* associations and endpoints are read apart */
		if (v->all)
			netstat_no_support("AF INET (sctp)");
	}
	return 0;
}

static int print(struct listing *l)
{
	const struct netstat_values *v = l->v;
	bool is_default = !v->protos && !v->families;
	int r = 0, status = say_no_sctp(l, is_default);

	if (!l->lacks_sctp && say_old_families(v, is_default))
		status = EXIT_FAILURE;
	if (v->programs)
		say_hidden(l->snapshot);
	if (l->protos)
		r = put_inet(l);
	if (l->unix_sockets && !l->lacks_sctp && r == 0)
		put_unix(l);
	return r < 0 ? r : status;
}

static void listing_deinit(struct listing *l)
{
	for (size_t k = 0; k < N_KINDS; k++) {
		vec_deinit(&l->rows[k][0]);
		vec_deinit(&l->rows[k][1]);
	}
	services_free(l->services);
	pv_names_free(l->names_owner);
	vec_deinit(&l->names);
}

int netstat_sockets(const struct netstat_values *v, struct buf *b)
{
	_cleanup_(listing_deinit) struct listing l = { .v = v, .b = b };
	struct pv_snapshot *snapshot = NULL;
	int r;

	choose(&l);
	r = collect(&l, &snapshot);
	if (r < 0)
		return r;
	l.snapshot = snapshot;
	r = print(&l);
	pv_snapshot_free(snapshot);
	return r;
}
