/* SPDX-License-Identifier: MIT */
/*
 * The rows of every protocol asked for, each lasting socket once. What a source is trusted with:
 *   BPF iterator    visits each lasting socket exactly once (where the kernel's does)
 *   one sock_diag dump that netlink_dump_is_exact()
 *   else the union of dumps by cookie, until one adds no socket that lasts; after DUMPS_MAX the
 *   coverage says "unstable" with the number that the last one added
 *   /proc/net table where the kernel has no diag module; the coverage says so
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/filter.h>

#include "base/cleanup.h"
#include "bpf/iter.h"
#include "collect/collector.h"
#include "collect/netns.h"
#include "collect/relay.h"
#include "collect/rows.h"
#include "netlink/record.h"
#include "procfs/nettables.h"
#include "procfs/protocols.h"

#define DUMPS_MAX 5
/* A few dumps that agree are dearer than none, and cheaper than loading an iterator. */
#define DUMPS_FEW 2
/* Attempt number of the dump of bound, idle TCP sockets beside an iterator, which passes them over.
 */
#define ATTEMPT_BOUND 9
/* Attempt numbers of the listeners beside a dump that the kernel filters start here. */
#define ATTEMPT_LISTENERS 16
/* Below this many sockets a dump is over before an iterator is loaded (measured: 1.4 ms). */
#define ITERATOR_PAYS 1000

#define EXPECTED_MAX 4000000
/* From here on a thread that reads beside one that parses saves more than it costs. */
#define RELAY_PAYS 5000

#define DETAIL_NEEDS                                                                               \
	(PV_NEED_TCPINFO | PV_NEED_MEM | PV_NEED_TIMER | PV_NEED_SOCKCGROUP | PV_NEED_ATTRIBUTES)
#define SERVER_STATES (PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE))
#define NO_ITERATOR BPF_KIND_N

struct protocol {
	enum pv_proto proto;
	enum bpf_iter_kind iterator;
	uint8_t families[2]; /* of one dump each; 0 = end, unless it is the first */
	bool has_diag;
	const char *kernel_name; /* in net/protocols */
};

/* AF_UNSPEC stands for one walk over both families, which only TCP and MPTCP offer. */
static const struct protocol protocols[] = {
	{ PV_PROTO_TCP, BPF_KIND_TCP, { AF_UNSPEC }, true, "TCP" },
	{ PV_PROTO_MPTCP, NO_ITERATOR, { AF_UNSPEC }, true, "MPTCP" },
	{ PV_PROTO_UDP, BPF_KIND_UDP, { AF_INET, AF_INET6 }, true, "UDP" },
	{ PV_PROTO_UDPLITE, NO_ITERATOR, { AF_INET, AF_INET6 }, true, "UDP-Lite" },
	{ PV_PROTO_SCTP, NO_ITERATOR, { AF_INET, AF_INET6 }, true, "SCTP" },
	{ PV_PROTO_DCCP, NO_ITERATOR, { AF_INET, AF_INET6 }, true, "DCCP" },
	{ PV_PROTO_RAW, NO_ITERATOR, { AF_INET, AF_INET6 }, true, "RAW" },
	{ PV_PROTO_PING, NO_ITERATOR, { AF_INET, AF_INET6 }, false, "PING" },
	{ PV_PROTO_UNIX, BPF_KIND_UNIX, { AF_UNIX }, true, "UNIX" },
	{ PV_PROTO_PACKET, NO_ITERATOR, { AF_PACKET }, true, "PACKET" },
	{ PV_PROTO_NETLINK, NO_ITERATOR, { AF_NETLINK }, true, "NETLINK" },
	{ PV_PROTO_VSOCK, NO_ITERATOR, { AF_VSOCK }, true, "AF_VSOCK" },
	{ PV_PROTO_XDP, NO_ITERATOR, { AF_XDP }, true, "XDP" },
};

/* One protocol being listed. */
struct listing {
	struct collector *c;
	const struct protocol *p;
	int diag_error;	   /* why sock_diag did not answer */
	int bpf_error;	   /* why the iterator did not */
	bool is_exact;	   /* each lasting socket was seen once */
	bool has_iterated; /* the iterator was tried */
	struct rows rows;
	bool has_rows; /* a source gave some */
	uint64_t n_malformed;
	struct bpf_stats bpf;
};

static int take_chunk(void *userdata, const void *data, size_t len)
{
	struct listing *l = userdata;
	struct sink sink = rows_append_sink(&l->rows);
	int r = bpf_parse_sockets(data, len, l->p->iterator, &sink, &l->bpf);

	/* owners will be looked up by cookie: now, while the reader waits for the kernel */
	return r == 0 && l->c->needs & PV_NEED_OWNERS ? rows_index(&l->rows) : r;
}

/* What is asked in one round: a query a family. */
struct round {
	struct netlink_query queries[2];
	size_t n;
};

/* sock_diag refuses, or the recording lacks it: remembered, the next source is tried. */
static int note_refusal(struct listing *l, int error)
{
	l->diag_error = error;
	return error == -ENOMEM ? error : 0;
}

/* A further round failed: what the ones before it listed stays. */
static int note_lost_round(struct listing *l, int error)
{
	if (error == -ENOMEM)
		return error;
	return snapshot_add_gap(l->c->snapshot,
				error == -ENODATA ? PV_GAP_NOT_RECORDED : PV_GAP_OVERRUN, 1,
				pv_proto_name(l->p->proto));
}

/* Reads every query of a round once. 0, NETLINK_PARTIAL, or -errno. */
static int dump_once(struct listing *l, const struct round *round, unsigned attempt)
{
	struct netlink_dump_result result = { 0 };
	struct sink sink = rows_merge_sink(&l->rows);
	bool exact = true;
	int worst = rows_index(&l->rows);

	for (size_t i = 0; worst >= 0 && i < round->n; i++) {
		const struct netlink_query *q = &round->queries[i];
		int r;

		/* a failure is recorded as that of the dump */
		collect_diag_open(l->c);
		r = netlink_read_sockets(&l->c->tape, l->c->diag_fd, q, attempt, &sink, &result);
		if (r < 0 || !result.done)
			l->c->diag_fd = close_fd(l->c->diag_fd);
		if (r == NETLINK_REFUSED)
			r = result.error;
		if (r < 0)
			return r;
		l->n_malformed += result.malformed;
		l->has_rows |= result.rows > 0;
		worst = r > worst ? r : worst;
		exact = exact && r == 0 && netlink_dump_is_exact(q, &result);
	}
	l->is_exact = exact;
	return worst;
}

/*
 * Rounds until one is exact or adds no socket that lasts; at most up to round `last`, where another
 * source goes on. Attempts are numbered from base + first, where `first` rounds of the same
 * question went before.
 */
static int dump_until_stable(struct listing *l, const struct round *round, unsigned base,
			     unsigned first, unsigned last)
{
	int r = 0;

	for (unsigned i = first; i < last; i++) {
		l->rows.n_late = 0;
		r = dump_once(l, round, base + i);
		if (r < 0)
			return i > 0 ? note_lost_round(l, r) : note_refusal(l, r);
		if (r == 0 && i > 0 && l->rows.n_late == 0)
			l->is_exact = true;
		if (l->is_exact)
			return 0;
	}
	return r > 0 && last == DUMPS_MAX ? snapshot_add_gap(l->c->snapshot, PV_GAP_OVERRUN, 1,
							     pv_proto_name(l->p->proto))
					  : 0;
}

/* States that the joins need beyond those asked for. */
static uint32_t states_to_read(const struct collector *c)
{
	uint32_t states = c->request->states;

	if (c->tape.mode != TAPE_LIVE || c->needs & PV_NEED_PEER)
		return PV_STATE_ALL;
	if (c->needs & PV_NEED_DIRECTION)
		states |= SERVER_STATES;
	return states;
}

static struct round round_of(const struct listing *l, uint32_t states)
{
	struct round round = { 0 };

	for (size_t i = 0; i < 2 && (i == 0 || l->p->families[i]); i++)
		round.queries[round.n++] = (struct netlink_query){
			.proto = (uint8_t)l->p->proto,
			.family = l->p->families[i],
			.states = states,
			.needs = l->c->needs & DETAIL_NEEDS,
			.bound_inactive = l->p->proto == PV_PROTO_TCP && l->c->may_idle &&
					  states & PV_STATE_BIT(PV_STATE_CLOSE),
		};
	return round;
}

/* The filter as the kernel's bytecode, one program a family. *ret_n = 0: nothing to gain. */
static int lower(const struct listing *l, void *ret_codes[2], struct round *ret_round)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct round all = round_of(l, l->c->request->states);

	*ret_round = (struct round){ 0 };
	for (size_t i = 0; i < 2; i++) {
		struct netlink_query *q = &ret_round->queries[i];
		int r;

		*q = all.queries[0];
		q->family = families[i];
		r = pv_filter_lower(l->c->request->filter, i == 1, &ret_codes[i], &q->code_len);
		if (r < 0)
			return r;
		q->code = ret_codes[i];
		ret_round->n += q->code != NULL;
	}
	if (ret_round->n != 2)
		ret_round->n = 0;
	return 0;
}

/*
 * Lets the kernel choose the rows; listeners, which tell directions, are dumped beside them. Sets
 * *ret_done when that was worth it.
 */
static int list_filtered(struct listing *l, bool *ret_done)
{
	void *codes[2] = { NULL, NULL };
	struct round round;
	int r;

	*ret_done = false;
	if (l->c->tape.mode != TAPE_LIVE || !l->c->request->filter || l->c->needs & PV_NEED_PEER ||
	    l->p->proto > PV_PROTO_RAW)
		return 0;
	r = lower(l, codes, &round);
	if (r == 0 && round.n) {
		r = dump_until_stable(l, &round, 0, 0, DUMPS_MAX);
		*ret_done = r == 0 && !l->diag_error;
	}
	if (r == 0 && *ret_done && l->c->needs & PV_NEED_DIRECTION) {
		bool exact = l->is_exact;
		size_t late = exact ? 0 : l->rows.n_late;

		round = round_of(l, SERVER_STATES);
		r = dump_until_stable(l, &round, ATTEMPT_LISTENERS, 0, DUMPS_MAX);
		l->rows.n_late = l->is_exact ? late : late + l->rows.n_late;
		l->is_exact = l->is_exact && exact;
	}
	free(codes[0]);
	free(codes[1]);
	/* a kernel that refuses the program may still answer without it */
	if (!*ret_done)
		l->diag_error = 0;
	return r;
}

static enum pv_sockets way_of(const struct listing *l)
{
	const struct pv_request *q = l->c->request;

	return q->table_protos & PV_PROTO_BIT(l->p->proto) ? PV_SOCKETS_PROC : q->sockets;
}

static bool may_iterate(const struct listing *l)
{
	enum pv_sockets way = way_of(l);

	return l->p->iterator != NO_ITERATOR && !l->has_iterated &&
	       (way == PV_SOCKETS_BPF || way == PV_SOCKETS_AUTO);
}

static bool iterates_first(const struct listing *l)
{
	const struct collector *c = l->c;

	if (!may_iterate(l) || c->needs & DETAIL_NEEDS)
		return false;
	if (way_of(l) == PV_SOCKETS_BPF)
		return true;
	/* listeners alone are few, and the kernel finds them without walking the rest */
	return c->n_sockets >= ITERATOR_PAYS && c->may_bpf &&
	       states_to_read(c) != PV_STATE_BIT(PV_STATE_LISTEN);
}

static int list_bpf(struct listing *l)
{
	size_t before = l->c->snapshot->n_rows;
	bool pays = l->c->tape.mode == TAPE_LIVE && l->c->n_sockets >= RELAY_PAYS &&
		    l->c->n_sockets != UINT32_MAX;
	int r = pays ? relay_run(&l->c->tape, l->p->iterator, take_chunk, l)
		     : bpf_iter_run(&l->c->tape, l->p->iterator, 0, take_chunk, l);

	l->has_iterated = true;
	l->n_malformed += l->bpf.n_malformed;

	/*
	 * The only reading of this protocol so far, and one that repeats nothing: no index yet. A
	 * UNIX socket that is bound meanwhile moves to another slot, and may be met there again.
	 */
	if (l->has_rows || r < 0 || !bpf_sockets_are_exact(&l->bpf) ||
	    l->p->iterator == BPF_KIND_UNIX)
		r = r == -ENOMEM || rows_index(&l->rows) < 0 ? -ENOMEM : r;
	l->has_rows |= l->c->snapshot->n_rows > before;
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		l->bpf_error = r;
	else
		l->is_exact = bpf_sockets_are_exact(&l->bpf);
	return 0;
}

static int list_diag(struct listing *l, unsigned first, unsigned last)
{
	struct round round = round_of(l, states_to_read(l->c));

	if (!l->p->has_diag || way_of(l) == PV_SOCKETS_PROC)
		return note_refusal(l, -EPROTONOSUPPORT);
	return dump_until_stable(l, &round, 0, first, last);
}

/* sock_diag has no module for it, or no netlink socket could be had: the text tables. */
static int list_tables(struct listing *l, bool *ret_found)
{
	static const uint8_t inet[] = { AF_INET, AF_INET6 };
	struct sink sink = rows_merge_sink(&l->rows);
	size_t n = pv_proto_is_inet(l->p->proto) ? 2 : 1;

	*ret_found = false;
	if (rows_index(&l->rows) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct procfs_table_stats stats = { 0 };
		int r = procfs_read_table(&l->c->tape, l->p->proto,
					  n == 2 ? inet[i] : l->p->families[0], &sink, &stats);

		if (r == -ENOMEM)
			return r;
		*ret_found |= r == 0;
		l->n_malformed += stats.n_malformed;
	}
	return 0;
}

static int report_gaps(struct listing *l)
{
	const char *name = pv_proto_name(l->p->proto);
	int r = 0;

	if (l->n_malformed)
		r = snapshot_add_gap(l->c->snapshot, PV_GAP_MALFORMED, l->n_malformed, name);
	if (r == 0 && !l->is_exact && l->rows.n_late)
		r = snapshot_add_gap(l->c->snapshot, PV_GAP_UNSTABLE, l->rows.n_late, name);
	return r;
}

static int report(struct listing *l, const char *via, enum pv_source_state state, int error)
{
	int r = report_gaps(l);

	return r < 0 ? r
		     : snapshot_add_source(l->c->snapshot, pv_proto_name(l->p->proto), via, state,
					   error ? collect_error_text(error) : NULL);
}

static bool has_gap(const struct listing *l)
{
	const struct pv_snapshot *s = l->c->snapshot;

	for (size_t i = 0; i < s->gaps.n; i++)
		if (s->gaps.items[i].kind == PV_GAP_PROTOCOL && s->gaps.items[i].detail &&
		    !strcmp(s->gaps.items[i].detail, pv_proto_name(l->p->proto)))
			return true;
	return false;
}

/* No source had it. That is a gap only where the kernel counts such sockets. */
static int report_none(struct listing *l)
{
	int64_t n = procfs_count_protocol(&l->c->tape, l->p->kernel_name);

	/* a limit of ours: an empty list would look like an answer */
	if (l->diag_error == -EMFILE || l->diag_error == -ENFILE)
		return l->diag_error;
	/* AF_VSOCK never counts its sockets (Linux 6.18): 0 says nothing, but once is enough */
	if (l->p->proto == PV_PROTO_VSOCK && n == 0)
		n = has_gap(l) ? 0 : 1;
	if (n == PROCFS_NO_PROTOCOL)
		return snapshot_add_source(l->c->snapshot, pv_proto_name(l->p->proto), "none",
					   PV_SOURCE_OFF, "this kernel does not have it");
	if (n != 0 && snapshot_add_gap(l->c->snapshot, PV_GAP_PROTOCOL, n > 0 ? (uint64_t)n : 1,
				       pv_proto_name(l->p->proto)) < 0)
		return -ENOMEM;
	return report(l, "none", PV_SOURCE_OFF, l->diag_error);
}

static int list_from_tables(struct listing *l)
{
	bool is_own = l->p->proto == PV_PROTO_PING || way_of(l) == PV_SOCKETS_PROC;
	bool found;
	int r = list_tables(l, &found);

	if (r < 0)
		return r;
	l->is_exact = true; /* what a text table misses cannot be told: state FALLBACK says so */
	if (!found)
		return report_none(l);
	return report(l, "/proc/net", is_own ? PV_SOURCE_WORKING : PV_SOURCE_FALLBACK,
		      is_own ? 0 : l->diag_error);
}

/* By dumps, with an iterator for those that do not agree soon. */
static int list_dumped(struct listing *l, bool by_filter)
{
	bool can_iterate = may_iterate(l) && l->c->may_bpf;
	int r = by_filter ? 0 : list_diag(l, 0, can_iterate ? DUMPS_FEW : DUMPS_MAX);

	if (r < 0 || l->diag_error)
		return r < 0 ? r : list_from_tables(l);
	if (l->is_exact || by_filter || !can_iterate)
		return report(l, "sock_diag", PV_SOURCE_WORKING, 0);
	r = list_bpf(l);
	/* it was refused after all, or is one that may skip sockets: go on with dumps */
	if (r == 0 && !l->is_exact)
		r = list_diag(l, DUMPS_FEW, DUMPS_MAX);
	return r < 0 ? r
		     : report(l, l->bpf_error ? "sock_diag" : "sock_diag and bpf iterator",
			      PV_SOURCE_WORKING, 0);
}

static int list_protocol(struct listing *l)
{
	bool by_filter = false;
	int r = 0;

	if (iterates_first(l)) {
		r = list_bpf(l);
		l->c->lacks_idle |= l->p->proto == PV_PROTO_TCP && l->c->may_idle &&
				    states_to_read(l->c) & PV_STATE_BIT(PV_STATE_CLOSE);
		if (r < 0 || (!l->bpf_error && l->is_exact))
			return r < 0 ? r : report(l, "bpf iterator", PV_SOURCE_WORKING, 0);
	}
	r = list_filtered(l, &by_filter);
	return r < 0 ? r : list_dumped(l, by_filter);
}

int collect_idle_sockets(struct collector *c)
{
	struct listing l = { .c = c, .p = &protocols[0], .rows = { .c = c } };
	struct round round = round_of(&l, 0);
	int r;

	round.queries[0].bound_inactive = true;
	r = dump_until_stable(&l, &round, ATTEMPT_BOUND, 0, DUMPS_MAX);
	if (r == 0 && l.diag_error)
		r = snapshot_add_gap(c->snapshot, PV_GAP_PROTOCOL, 1, "tcp, bound and idle");
	return r < 0 ? r : report_gaps(&l);
}

int collect_sockets(struct collector *c)
{
	/* room for all that the kernel counts, within reason: a hostile recording may say anything
	 */
	size_t expected = c->n_sockets < EXPECTED_MAX ? c->n_sockets : 0;
	int r = map_reserve(&c->by_cookie, expected);

	for (size_t i = 0; r >= 0 && i < sizeof(protocols) / sizeof(*protocols); i++) {
		struct listing l = { .c = c, .p = &protocols[i], .rows = { .c = c } };

		if (!(c->protos & PV_PROTO_BIT(l.p->proto)))
			continue;
		r = list_protocol(&l);
	}
	return r;
}
