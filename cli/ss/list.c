/* SPDX-License-Identifier: MIT */
/* The sockets: a snapshot, put in the order of ss's tables. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/output.h"
#include "cli/dump.h"
#include "cli/kill.h"
#include "cli/options.h"
#include "cli/redact_option.h"
#include "cli/ss/ss.h"

/* By table: the protocol, and the type of socket where that decides. */
static const struct {
	uint8_t proto, type;
	void (*put)(struct ss_view *w, const struct pv_conversation *row);
} kinds[SS_TABLE_N] = {
	[SS_NETLINK] = { PV_PROTO_NETLINK, 0, ss_put_netlink },
	[SS_PACKET_DGRAM] = { PV_PROTO_PACKET, SOCK_DGRAM, ss_put_packet },
	[SS_PACKET_RAW] = { PV_PROTO_PACKET, SOCK_RAW, ss_put_packet },
	[SS_UNIX_DGRAM] = { PV_PROTO_UNIX, SOCK_DGRAM, ss_put_unix },
	[SS_UNIX_STREAM] = { PV_PROTO_UNIX, SOCK_STREAM, ss_put_unix },
	[SS_UNIX_SEQPACKET] = { PV_PROTO_UNIX, SOCK_SEQPACKET, ss_put_unix },
	[SS_RAW] = { PV_PROTO_RAW, 0, ss_put_inet },
	[SS_UDP] = { PV_PROTO_UDP, 0, ss_put_inet },
	[SS_TCP] = { PV_PROTO_TCP, 0, ss_put_inet },
	[SS_DCCP] = { PV_PROTO_DCCP, 0, ss_put_inet },
	[SS_SCTP] = { PV_PROTO_SCTP, 0, ss_put_inet },
	[SS_VSOCK_STREAM] = { PV_PROTO_VSOCK, SOCK_STREAM, ss_put_vsock },
	[SS_VSOCK_DGRAM] = { PV_PROTO_VSOCK, SOCK_DGRAM, ss_put_vsock },
	[SS_TIPC] = { PV_PROTO_N, 0, NULL }, /* no such rows */
	[SS_XDP] = { PV_PROTO_XDP, 0, ss_put_xdp },
	[SS_MPTCP] = { PV_PROTO_MPTCP, 0, ss_put_inet },
};

/* SS_TABLE_N = none. A packet socket of either type is in both tables. */
static enum ss_table table_of(const struct ss_values *v, const struct pv_conversation *row)
{
	for (int t = 0; t < SS_TABLE_N; t++) {
		bool is_type = !kinds[t].type || kinds[t].type == row->type ||
			       row->proto == PV_PROTO_PACKET;

		if (kinds[t].proto == row->proto && is_type && v->tables & SS_BIT(t))
			return (enum ss_table)t;
	}
	return SS_TABLE_N;
}

/* Rows of one kind that follow each other, in the order the kernel told them. */
static uint32_t group_of(const struct pv_conversation *row)
{
	static const uint8_t first_tables[PV_PROTO_N] = {
		[PV_PROTO_NETLINK] = SS_NETLINK,
		[PV_PROTO_PACKET] = SS_PACKET_DGRAM,
		[PV_PROTO_UNIX] = SS_UNIX_DGRAM,
		[PV_PROTO_RAW] = SS_RAW,
		[PV_PROTO_UDP] = SS_UDP,
		[PV_PROTO_TCP] = SS_TCP,
		[PV_PROTO_DCCP] = SS_DCCP,
		[PV_PROTO_SCTP] = SS_SCTP,
		[PV_PROTO_VSOCK] = SS_VSOCK_STREAM,
		[PV_PROTO_XDP] = SS_XDP,
		[PV_PROTO_MPTCP] = SS_MPTCP,
	};

	return 2u * first_tables[row->proto] + (row->family == AF_INET6);
}

#define N_GROUPS (2 * SS_TABLE_N)

/* With -4 after -6 ss asks for IPv4 alone, and the other way round. */
static bool is_family_shown(const struct ss_values *v, const struct pv_conversation *row)
{
	/* a table of /proc is read for both, where the kernel has no sock_diag for the protocol */
	int preferred = row->cookie ? v->preferred : -1;

	switch (row->family) {
	case AF_INET:
		return v->families & 1u << SS_INET && preferred != SS_INET6;
	case AF_INET6:
		return v->families & 1u << SS_INET6 && preferred != SS_INET;
	case AF_PACKET:
		return v->families & 1u << SS_LINK;
	case AF_UNIX:
		return v->families & 1u << SS_UNIX;
	case AF_NETLINK:
		return v->families & 1u << SS_NETLINK_FAMILY;
	case AF_VSOCK:
		return v->families & 1u << SS_VSOCK;
	default:
		return v->families & 1u << SS_XDP_FAMILY;
	}
}

static bool is_state_shown(const struct ss_values *v, const struct pv_conversation *row)
{
	/* what is bound and no more is in no list of this ss but its own */
	if (row->proto == PV_PROTO_TCP && row->state == PV_STATE_CLOSE)
		return v->bound_inactive;
	if (v->bound_inactive)
		return false;
	if (row->proto == PV_PROTO_NETLINK)
		return v->states & PV_STATE_BIT(PV_STATE_CLOSE);
	return v->states & PV_STATE_BIT(row->state);
}

static bool is_shown(const struct ss_values *v, const struct pv_conversation *row)
{
	/* what waits to be accepted is told by the text table alone */
	if (row->proto == PV_PROTO_UNIX && !row->inode)
		return false;
	return table_of(v, row) != SS_TABLE_N && is_family_shown(v, row) &&
	       (v->events || is_state_shown(v, row));
}

/* Group by group, each in the order of the snapshot. */
static int take_rows(struct ss_view *w, const bool *omit)
{
	size_t n = pv_snapshot_count(w->snapshot), next[N_GROUPS + 1] = { 0 };
	_cleanup_(cleanup_free) uint8_t *groups = malloc(n + 1);

	if (!groups || vec_reserve(&w->rows, n + 1) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct pv_conversation *row = pv_snapshot_get(w->snapshot, i);
		bool is_left = (omit && omit[i]) || !is_shown(w->v, row);

		groups[i] = is_left ? N_GROUPS : (uint8_t)group_of(row);
		if (!is_left)
			next[groups[i] + 1]++;
	}
	for (size_t group = 0; group < N_GROUPS; group++)
		next[group + 1] += next[group];
	w->rows.n = next[N_GROUPS];
	for (size_t i = 0; i < n; i++)
		if (groups[i] < N_GROUPS)
			w->rows.items[next[groups[i]]++] = (uint32_t)i;
	return 0;
}

static int resolve(struct ss_view *w)
{
	for (size_t i = 0; i < w->rows.n; i++) {
		const struct pv_conversation *row = pv_snapshot_get(w->snapshot, w->rows.items[i]);
		bool is_inet = row->family == AF_INET || row->family == AF_INET6;
		struct pv_name local = { .family = is_inet ? row->family : AF_INET };
		struct pv_name remote = local;

		memcpy(local.addr, row->local.addr, is_inet ? sizeof(local.addr) : 0);
		memcpy(remote.addr, row->remote.addr, is_inet ? sizeof(remote.addr) : 0);
		if (vec_push(&w->names, local) < 0 || vec_push(&w->names, remote) < 0)
			return -ENOMEM;
	}
	return pv_names_resolve(w->names.items, w->names.n, (int)w->v->dns_timeout_ms,
				w->v->dns_servers, &w->names_owner);
}

static int put_rows(struct ss_view *w)
{
	for (w->row = 0; w->row < w->rows.n && !w->error; w->row++) {
		const struct pv_conversation *row =
			pv_snapshot_get(w->snapshot, w->rows.items[w->row]);

		kinds[table_of(w->v, row)].put(w, row);
		ss_end_cell(w);
	}
	return w->error;
}

/* Of a host without procfs nothing is known, which is no failure. */
static int read_tasks(struct ss_view *w)
{
	const struct ss_values *v = w->v;
	uint32_t what = v->threads ? PV_TASKS_THREADS : 0;
	int r;

	if (v->context || v->contexts)
		what |= PV_TASKS_CONTEXTS;
	if (!what || v->events)
		return 0;
	r = pv_tasks_read(w->snapshot, what, &w->tasks);
	return r == -ENOENT ? 0 : r;
}

void ss_view_init(struct ss_view *w, const struct ss_values *v)
{
	struct ss_layout *l = &w->layout;

	*w = (struct ss_view){ .v = v };
	l->is_hidden[SS_COLUMN_NETID] = (v->tables & (v->tables - 1)) == 0;
	l->is_hidden[SS_COLUMN_STATE] = (v->states & (v->states - 1)) == 0;
	l->is_hidden[SS_COLUMN_RECV_Q] = l->is_hidden[SS_COLUMN_SEND_Q] = v->no_queues;
	if (!v->numeric)
		w->services = services_read();
	if (!v->no_header)
		w->error = ss_layout_header(l);
}

void ss_view_deinit(struct ss_view *w)
{
	ss_layout_deinit(&w->layout);
	services_free(w->services);
	pv_cgroups_free(w->cgroups);
	pv_tasks_free(w->tasks);
	vec_deinit(&w->rows);
	vec_deinit(&w->names);
	pv_names_free(w->names_owner);
}

void ss_view_clear(struct ss_view *w)
{
	ss_layout_clear(&w->layout);
	pv_names_free(w->names_owner);
	w->names_owner = NULL;
	w->names.n = w->rows.n = 0;
}

int ss_view_fill(struct ss_view *w, const bool *omit)
{
	int r = w->error ? w->error : take_rows(w, omit);

	if (r == 0 && w->v->resolve)
		r = resolve(w);
	if (r == 0)
		r = read_tasks(w);
	return r == 0 ? put_rows(w) : r;
}

/* The rows of a snapshot but those left out; *ret_n is how many there are. Exit status. */
static int show(const struct ss_values *v, struct pv_snapshot *s, const bool *omit, size_t *ret_n)
{
	_cleanup_(ss_view_deinit) struct ss_view w;
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
	int r;

	ss_view_init(&w, v);
	w.snapshot = s;
	r = ss_view_fill(&w, omit);
	if (r < 0) {
		usage_error("ss", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	ss_layout_put(&w.layout, terminal_width(), &out);
	*ret_n = w.rows.n;
	return print_stdout(&out);
}

static uint32_t needs_of(const struct ss_values *v)
{
	uint32_t needs = 0;

	if (v->processes || v->threads || v->context || v->contexts)
		needs |= PV_NEED_OWNERS;
	if (v->timers)
		needs |= PV_NEED_TIMER;
	if (v->details || v->cgroup || v->tos)
		needs |= PV_NEED_SOCKCGROUP;
	if (v->memory)
		needs |= PV_NEED_MEM;
	if (v->info)
		needs |= PV_NEED_TCPINFO;
	if (v->details || v->cgroup || v->tos || v->sockopt || v->memory || v->info || v->bpf)
		needs |= PV_NEED_ATTRIBUTES;
	return needs;
}

void ss_make_request(const struct ss_values *v, const struct pv_filter *filter,
		     struct pv_request *q)
{
	q->protos = 0;
	for (int t = 0; t < SS_TABLE_N; t++)
		if (v->tables & SS_BIT(t) && kinds[t].proto < PV_PROTO_N)
			q->protos |= PV_PROTO_BIT(kinds[t].proto);
	/* what is idle comes when established ones are asked for, or alone */
	q->states = v->states | PV_STATE_BIT(PV_STATE_NEW_SYN_RECV);
	if (q->protos & PV_PROTO_BIT(PV_PROTO_NETLINK))
		q->states |= PV_STATE_BIT(PV_STATE_ESTABLISHED);
	q->inet = v->families & 1u << SS_INET;
	q->inet6 = v->families & 1u << SS_INET6;
	q->needs = needs_of(v);
	q->filter = filter;
	q->redactor = v->redactor;
	q->replay_dir = v->replay ? v->replay : getenv("TCPDIAG_FILE");
}

static int fail(const struct pv_request *q, int r)
{
	if (r == -EBADMSG && q->replay_dir && dump_say_damage(q->replay_dir))
		return EXIT_FAILURE;
	if (report_key(q->replay_dir, r))
		return EXIT_FAILURE;
	usage_error(q->replay_dir ? q->replay_dir : "ss", "%s", strerror(-r));
	return EXIT_FAILURE;
}

static int close_all(const struct ss_values *v, struct pv_snapshot *s)
{
	size_t n = pv_snapshot_count(s);
	_cleanup_(cleanup_free) bool *is_left = calloc(n + 1, sizeof(*is_left));
	int status, r;

	if (!is_left)
		return fail(&(struct pv_request){ 0 }, -ENOMEM);
	for (size_t i = 0; i < n; i++)
		is_left[i] = !is_shown(v, pv_snapshot_get(s, i));
	if (!v->yes) {
		r = show(v, s, NULL, &n);
		if (r || (n && !kill_ask(n))) {
			fputs("portavoz: nothing was closed\n", stderr);
			return r;
		}
	}
	status = kill_rows(s, is_left);
	r = show(v, s, is_left, &n);
	return r ? r : status;
}

int ss_list(const struct ss_values *v, const struct pv_filter *filter)
{
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_snapshot *s = NULL;
	size_t n;
	int r;

	ss_make_request(v, filter, &q);
	if (v->dump && !(v->tables & SS_BIT(SS_TCP))) {
		fputs("ss: tcpdiag dump requested and no tcp in filter.\n", stderr);
		return EXIT_SUCCESS;
	}
	if (v->dump)
		return dump_write(&q, v->dump);
	r = pv_collect(&q, &s);
	if (r < 0)
		return fail(&q, r);
	r = v->kill ? close_all(v, s) : show(v, s, NULL, &n);
	pv_snapshot_free(s);
	return r;
}
