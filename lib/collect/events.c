/* SPDX-License-Identifier: MIT */
/* Destroyed sockets as snapshots: one datagram of the kernel's, one snapshot. */
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>

#include <portavoz/events.h>
#include <portavoz/filter.h>

#include "base/cleanup.h"
#include "collect/collector.h"
#include "netlink/events.h"
#include "procfs/sysctl.h"
#include "redact/redact.h"

struct pv_events {
	int fd;
	const struct pv_filter *filter;
	const struct pv_redactor *redactor;
	struct pv_netns netns; /* its settings when it was opened */
	_Alignas(uint32_t) char buf[NETLINK_BUFFER_SIZE];
};

int pv_events_open(const struct pv_request *request, struct pv_events **ret_events)
{
	struct pv_events *e = calloc(1, sizeof(*e));
	struct tape tape = TAPE_INIT;
	int r;

	if (!e)
		return -ENOMEM;
	e->filter = request->filter;
	e->redactor = request->redactor;
	e->fd = request->size == sizeof(*request)
			? netlink_events_open(request->protos, request->inet, request->inet6)
			: -EINVAL;
	if (e->fd < 0) {
		r = e->fd;
		free(e);
		return r;
	}
	e->netns.is_own = e->netns.is_read = true;
	if (tape_open(&tape, NULL, NULL) == 0) {
		(void)procfs_read_port_range(&tape, &e->netns.ephemeral_first,
					     &e->netns.ephemeral_last);
		tape_close(&tape);
	}
	*ret_events = e;
	return 0;
}

void pv_events_free(struct pv_events *events)
{
	if (!events)
		return;
	close_fd(events->fd);
	free(events);
}

int pv_events_fd(const struct pv_events *events)
{
	return events->fd;
}

static int take_row(void *userdata, const struct pv_conversation *row)
{
	struct collector *c = userdata;
	struct pv_conversation *added = snapshot_add(c->snapshot, row);

	if (!added)
		return -ENOMEM;
	/* the kernel fills in neither */
	added->uid = UINT32_MAX;
	added->owner_reason = PV_REASON_GONE;
	return 0;
}

/* Any state that the filter's own clauses allow: they are not about what is gone. */
static bool matches(const struct pv_filter *filter, const struct pv_snapshot *s,
		    const struct pv_conversation *row)
{
	uint32_t states = pv_filter_states(filter);
	struct pv_conversation c = *row;

	c.state = states ? (uint8_t)__builtin_ctz(states) : c.state;
	return pv_filter_match(filter, s, &c);
}

static int filter_rows(const struct pv_events *e, struct pv_snapshot *s)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (!e->filter || matches(e->filter, s, snapshot_row(s, i)))
			if (vec_push(&s->shown, (uint32_t)i) < 0)
				return -ENOMEM;
	s->is_filtered = true;
	return 0;
}

static int fill(struct pv_events *e, struct collector *c, const struct netlink_datagram *d)
{
	struct sink sink = { .row = take_row, .userdata = c };
	struct netlink_parse_stats stats = { 0 };
	int r = vec_push(&c->snapshot->netns, e->netns);

	if (r == 0)
		r = netlink_events_parse(d->data, d->len, &sink, &stats);
	if (r == 0 && stats.malformed)
		r = snapshot_add_gap(c->snapshot, PV_GAP_MALFORMED, stats.malformed,
				     "destroyed sockets");
	if (r == 0 && d->flags)
		r = snapshot_add_gap(c->snapshot, PV_GAP_OVERRUN, 1, "destroyed sockets");
	if (r == 0)
		r = collect_ifnames_of(c, 0);
	if (r == 0)
		r = filter_rows(e, c->snapshot);
	return r == 0 && e->redactor ? redact_snapshot(e->redactor, c->snapshot) : r;
}

int pv_events_next(struct pv_events *events, struct pv_snapshot **ret_snapshot)
{
	struct collector c = { .tape = TAPE_INIT, .diag_fd = -1 };
	struct netlink_datagram d = { .data = events->buf };
	int r = netlink_receive(events->fd, events->buf, sizeof(events->buf), &d);

	if (r == -ENOBUFS)
		d = (struct netlink_datagram){ .data = events->buf,
					       .flags = NETLINK_DATAGRAM_OVERRUN };
	else if (r < 0)
		return r;
	r = tape_open(&c.tape, NULL, NULL);
	if (r < 0)
		return r;
	c.snapshot = snapshot_new();
	r = c.snapshot ? fill(events, &c, &d) : -ENOMEM;
	tape_close(&c.tape);
	if (r < 0) {
		pv_snapshot_free(c.snapshot);
		return r;
	}
	snapshot_seal(c.snapshot);
	*ret_snapshot = c.snapshot;
	return 0;
}
