/* SPDX-License-Identifier: MIT */
/*
 * One collection from start to end: sources, joins, filter, details, coverage. Facts are read no
 * earlier and for no more rows than the request and its filter need.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/filter.h>
#include <portavoz/policy.h>

#include "base/cleanup.h"
#include "collect/collector.h"
#include "collect/netns.h"
#include "collect/network.h"
#include "collect/rawdump.h"
#include "model/image.h"
#include "redact/redact.h"

/* Needs that the filter may decide on before details are read for what it leaves. */
#define DETAIL_NEEDS                                                                               \
	(PV_NEED_EXE | PV_NEED_CMDLINE | PV_NEED_CGROUP | PV_NEED_PUSER | PV_NEED_PARENTS |        \
	 PV_NEED_LISTEN | PV_NEED_VERDICT)
/* What a verdict rests on. */
#define VERDICT_NEEDS                                                                              \
	(PV_NEED_EXE | PV_NEED_CMDLINE | PV_NEED_CGROUP | PV_NEED_PUSER | PV_NEED_PARENTS |        \
	 PV_NEED_LISTEN | PV_NEED_PEER | PV_NEED_DIRECTION)

static uint32_t close_needs(uint32_t needs)
{
	if (needs & PV_NEED_VERDICT)
		needs |= VERDICT_NEEDS;
	if (needs & DETAIL_NEEDS)
		needs |= PV_NEED_OWNERS;
	return needs;
}

static bool is_asked_for(const struct pv_request *q, const struct pv_conversation *row)
{
	if (row->family == AF_INET ? !q->inet : row->family == AF_INET6 && !q->inet6)
		return false;
	/* LISTEN with CLOSE means servers: an idle TCP socket that is bound is none */
	if (row->proto == PV_PROTO_TCP && row->state == PV_STATE_CLOSE &&
	    !(q->states & PV_STATE_BIT(PV_STATE_ESTABLISHED)) &&
	    q->states & PV_STATE_BIT(PV_STATE_LISTEN) &&
	    !(q->filter && pv_filter_has_states(q->filter)))
		return false;
	return q->states & PV_STATE_BIT(row->state) && q->protos & PV_PROTO_BIT(row->proto);
}

static int filter_rows(struct collector *c)
{
	struct pv_snapshot *s = c->snapshot;
	const struct pv_request *q = c->request;

	for (size_t i = 0; i < s->n_rows; i++) {
		const struct pv_conversation *row = snapshot_row(s, i);

		if (!is_asked_for(q, row))
			continue;
		if (q->filter && !pv_filter_match(q->filter, s, row))
			continue;
		if (vec_push(&s->shown, (uint32_t)i) < 0)
			return -ENOMEM;
	}
	s->is_filtered = true;
	return 0;
}

static int list_sockets(struct collector *c)
{
	int r = collect_netns_has_own(c) ? collect_sockets(c) : 0;

	/* behind the sockets, or its own would be among them */
	if (r == 0 && c->network)
		r = collect_network(c);
	return r == 0 && c->others ? collect_netns_sockets(c) : r;
}

static bool needs_network(const struct collector *c)
{
	return c->needs & (PV_NEED_NAT | PV_NEED_EXPOSURE | PV_NEED_ADDRESSES) ||
	       (c->others && c->needs & PV_NEED_PEER);
}

/* Where rows lead to, once the rows of all namespaces are there. */
static int run_ways(struct collector *c)
{
	const uint32_t over_wires = PV_NEED_PEER | PV_NEED_NAT | PV_NEED_EXPOSURE;
	bool has_wires = c->network && c->others && c->needs & over_wires;
	int r = has_wires ? collect_wires(c) : 0;

	if (r == 0 && c->network)
		r = network_join(c->network);
	if (r == 0 && c->needs & PV_NEED_DIRECTION)
		r = collect_directions(c);
	if (r == 0 && c->needs & (PV_NEED_PEER | PV_NEED_NAT))
		r = collect_pairs(c);
	return r == 0 && c->needs & PV_NEED_EXPOSURE ? collect_exposures(c) : r;
}

static int run_joins(struct collector *c)
{
	struct owner_search *search = NULL;
	struct view_search *views = NULL;
	int r = collect_owners_start(c, &search), compared;
	int sockets = r < 0 ? r : collect_views_start(c, &views);

	if (sockets == 0)
		sockets = list_sockets(c);

	/* the search must be waited for, whatever became of the sockets */
	if (collect_owners_wait(search) && c->lacks_idle && sockets == 0)
		sockets = collect_idle_sockets(c);
	if (sockets == 0 && collect_netns_wants_held(c))
		sockets = collect_netns_held(c, search);
	compared = collect_views_finish(c, views);
	if (sockets == 0)
		sockets = compared;
	r = collect_owners_finish(c, search);
	if (sockets < 0 || r < 0)
		return sockets < 0 ? sockets : r;
	map_deinit(&c->by_cookie);
	return run_ways(c);
}

/* A redacted recording holds the snapshot, not what it was made from. */
static bool makes_image(const struct pv_request *q)
{
	return q->redactor && q->record_dir;
}

/*
 * A recording answers any later question about this moment; replay reads all of it too, or the two
 * would not report the same coverage.
 */
static bool is_whole(const struct collector *c)
{
	return c->tape.mode != TAPE_LIVE || makes_image(c->request);
}

static int run_details(struct collector *c, uint32_t early)
{
	int32_t pid = c->request->pid;
	int r = collect_details(c, c->needs & DETAIL_NEEDS & ~early);

	if (r == 0 && pid > 0)
		r = collect_process(c, pid, c->needs & DETAIL_NEEDS);
	if (r == 0 && c->needs & PV_NEED_PARENTS)
		r = collect_lineage(c);
	return r;
}

/* Every row is judged, shown or not: the verdict of one may rest on another. */
static int run_judge(struct collector *c)
{
	const struct judge_request q = {
		.policy = c->request->policy,
		.verify = c->request->verify || c->tape.mode == TAPE_RECORD,
		.is_proc_ours = !c->hidepid || c->rights >> CAP_SYS_PTRACE & 1,
		.is_asked = c->is_verdict_asked,
		.is_home = !c->request->netns || !strcmp(c->request->netns, "all"),
		.views = c->views.items,
		.n_views = c->views.n,
	};
	int r = collect_lineage(c);

	return r < 0 ? r : judge_snapshot(&c->tape, c->snapshot, &q);
}

/* A file knows the TCP sockets and nothing beside them. */
static int run_rawdump(struct collector *c)
{
	int r = collect_rawdump(c, c->request->replay_dir);

	if (r == 0)
		r = run_ways(c);
	if (r == 0)
		r = filter_rows(c);
	return r == 0 ? collect_owners_report(c) : r;
}

static int run_sources(struct collector *c)
{
	int r = collect_netns_is_wanted(c) ? collect_netns_open(c) : 0;

	if (r == 0 && needs_network(c)) {
		c->network = network_new();
		r = c->network ? 0 : -ENOMEM;
	}
	if (r < 0)
		return r;
	return c->others ? collect_netns_thread(c, run_joins) : run_joins(c);
}

static int run_reports(struct collector *c)
{
	int r = c->others ? collect_netns_report(c) : 0;

	if (r == 0 && c->network)
		r = collect_network_report(c);
	if (r == 0 && c->needs & PV_NEED_ADDRESSES)
		r = collect_addresses(c);
	return r == 0 ? collect_owners_report(c) : r;
}

/* Details that are read for every row, because the filter or the judge may look at them. */
static uint32_t early_needs(const struct collector *c)
{
	const struct pv_filter *filter = c->request->filter;
	uint32_t early = filter ? close_needs(pv_filter_needs(filter)) : 0;

	if (is_whole(c))
		early = PV_NEED_ALL;
	if (c->needs & PV_NEED_VERDICT)
		early |= VERDICT_NEEDS | PV_NEED_VERDICT;
	return early;
}

/* Everything up to the filter. */
static int run_all_rows(struct collector *c, uint32_t early)
{
	int r = collect_host(c);

	if (r == 0)
		r = run_sources(c);
	if (r == 0 && early & DETAIL_NEEDS)
		r = collect_details(c, early & DETAIL_NEEDS);
	if (r == 0 && c->needs & PV_NEED_VERDICT)
		r = run_judge(c);
	return r;
}

static int run(struct collector *c)
{
	const struct pv_request *q = c->request;
	uint32_t early = early_needs(c);
	int r = run_all_rows(c, early);

	/* a filter may name a device; else only the rows that are left can need one */
	if (r == 0 && q->filter)
		r = collect_ifnames(c);
	if (r == 0)
		r = filter_rows(c);
	if (r == 0 && c->needs & DETAIL_NEEDS)
		r = run_details(c, early);
	if (r == 0 && !q->filter)
		r = collect_ifnames(c);
	if (r == 0 && c->needs & PV_NEED_NAMES)
		r = collect_names(c->snapshot, &c->tape, q->dns_timeout_ms, q->dns_servers);
	return r == 0 ? run_reports(c) : r;
}

#define KEY_NOTE "redaction-key"

/*
 * Names that are under this key already stay, and none are made of names under another. A recording
 * that does not say is renamed, once more if need be. 0 or -EKEYREJECTED.
 */
static int check_mark(struct collector *c)
{
	const struct pv_redactor *redactor = c->request->redactor;
	struct pv_snapshot *s = c->snapshot;
	int r = tape_note_get(&c->tape, KEY_NOTE, s->key_mark, sizeof(s->key_mark));

	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	s->is_from_redacted = true;
	return redactor && strcmp(s->key_mark, redact_mark(redactor)) != 0 ? -EKEYREJECTED : 0;
}

/* The snapshot of a redacted recording; 1 = it is none. */
static int run_image(struct collector *c)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = c->tape.mode == TAPE_REPLAY ? tape_stream_get(&c->tape, IMAGE_STREAM, &b)
					    : -ENODATA;

	if (r == -ENODATA)
		return 1;
	if (r == 0)
		r = check_mark(c);
	if (r == 0)
		r = image_get(b.data ? b.data : "", b.len, c->snapshot);
	/* judged when it was made; what it was judged by is not in it */
	for (size_t i = 0; r == 0 && c->request->policy && i < pv_policy_count(c->request->policy);
	     i++)
		r = vec_push(&c->snapshot->policy_matches, 0);
	return r < 0 ? r : filter_rows(c);
}

static int run_any(struct collector *c, bool is_rawdump)
{
	int r = is_rawdump ? run_rawdump(c) : run_image(c);

	return r > 0 ? run(c) : r;
}

/* Under other names, and into the recording where there is one. */
static int redact(struct collector *c, struct tape *recording)
{
	const struct pv_redactor *redactor = c->request->redactor;
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_snapshot *s = c->snapshot;
	int r = 0;

	if (redactor && !s->is_from_redacted) {
		r = redact_snapshot(redactor, s);
		memcpy(s->key_mark, redact_mark(redactor), sizeof(s->key_mark));
	}
	if (r == 0 && makes_image(c->request))
		r = tape_note_put(recording, KEY_NOTE, s->key_mark);
	if (r < 0 || !makes_image(c->request))
		return r;
	image_put(c->snapshot, &b);
	r = buf_error(&b);
	return r < 0 ? r : tape_stream_put(recording, IMAGE_STREAM, b.data, b.len);
}

static int open_tapes(const struct pv_request *q, bool is_rawdump, struct tape *tape,
		      struct tape *recording)
{
	bool image = makes_image(q);
	/* a program built with other headers than this library's */
	int r = q->size == sizeof(*q) ? 0 : -EINVAL;

	if (r == 0 && image)
		r = tape_open(recording, q->record_dir, NULL);
	if (r == 0 && !is_rawdump)
		r = tape_open(tape, image ? NULL : q->record_dir, q->replay_dir);
	if (r < 0)
		tape_close(recording);
	return r;
}

int pv_collect(const struct pv_request *request, struct pv_snapshot **ret_snapshot)
{
	struct collector c = { .request = request, .tape = TAPE_INIT, .diag_fd = -1 };
	bool is_rawdump = collect_is_rawdump(request->replay_dir);
	struct tape recording = TAPE_INIT;
	int r = open_tapes(request, is_rawdump, &c.tape, &recording);

	if (r < 0)
		return r;
	c.needs = request->needs | (request->filter ? pv_filter_needs(request->filter) : 0);
	c.is_verdict_asked = c.needs & PV_NEED_VERDICT;
	if (c.is_verdict_asked && request->policy)
		c.needs |= pv_policy_needs(request->policy);
	if (c.tape.mode == TAPE_RECORD || makes_image(request))
		c.needs |= PV_NEED_VERDICT;
	/* the name of a process stays when it is its program's */
	if (request->redactor && c.needs & PV_NEED_OWNERS)
		c.needs |= PV_NEED_EXE;
	c.needs = close_needs(c.needs);
	c.protos = request->protos;
	if (is_whole(&c)) {
		c.needs |= PV_NEED_ALL;
		if (c.tape.mode == TAPE_RECORD)
			c.needs |= PV_NEED_ATTRIBUTES;
		c.protos = PV_PROTO_ALL;
	}
	c.snapshot = snapshot_new();
	r = c.snapshot ? run_any(&c, is_rawdump) : -ENOMEM;
	if (r == 0)
		r = redact(&c, &recording);
	if (r == 0)
		r = c.tape.error;
	map_deinit(&c.by_cookie);
	collect_views_close(&c);
	collect_netns_free(c.others);
	network_free(c.network);
	close_fd(c.diag_fd);
	tape_close(&c.tape);
	tape_close(&recording);
	if (r < 0) {
		pv_snapshot_free(c.snapshot);
		return r;
	}
	snapshot_seal(c.snapshot);
	*ret_snapshot = c.snapshot;
	return 0;
}
