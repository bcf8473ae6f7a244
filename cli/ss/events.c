/* SPDX-License-Identifier: MIT */
/* Sockets as they are destroyed, a line each as soon as the kernel tells, until a signal. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/ss/ss.h"

/* Something happened, or nobody reads any more. 0, -EPIPE or -errno. */
static int wait_event(const struct pv_events *events)
{
	struct pollfd fds[] = { { .fd = pv_events_fd(events), .events = POLLIN },
				{ .fd = STDOUT_FILENO } };

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	return fds[1].revents & (POLLERR | POLLNVAL) ? -EPIPE : 0;
}

static void tell_losses(const struct pv_snapshot *s)
{
	const struct pv_coverage *coverage = pv_snapshot_coverage(s);

	for (size_t i = 0; i < coverage->n_gaps; i++)
		fprintf(stderr, "portavoz: %s: %s\n", coverage->gaps[i].detail,
			pv_gap_text(coverage->gaps[i].kind));
}

static int show_event(struct ss_view *w)
{
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
	int r;

	tell_losses(w->snapshot);
	r = ss_view_fill(w, NULL);
	if (r < 0)
		return r;
	/* the titles come with the first event, shown or not */
	if (!w->layout.ends.n)
		return 0;
	ss_layout_put(&w->layout, terminal_width(), &out);
	ss_view_clear(w);
	return print_stdout(&out) ? -EPIPE : 0;
}

static int follow(struct ss_view *w, struct pv_events *events)
{
	for (;;) {
		int r = pv_events_next(events, &w->snapshot);

		if (r == 0) {
			r = show_event(w);
			pv_snapshot_free(w->snapshot);
		} else if (r == -EAGAIN) {
			r = wait_event(events);
		}
		if (r < 0)
			return r;
	}
}

int ss_events(const struct ss_values *v, const struct pv_filter *filter)
{
	_cleanup_(ss_view_deinit) struct ss_view w;
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_events *events = NULL;
	int r;

	ss_view_init(&w, v);
	ss_make_request(v, filter, &q);
	r = pv_events_open(&q, &events);
	if (r == -EINVAL) {
		usage_error("--events", "the kernel tells of TCP and UDP sockets only");
		return SS_EXIT_USAGE;
	}
	if (r == 0)
		r = follow(&w, events);
	pv_events_free(events);
	if (r == -EPIPE)
		return EXIT_FAILURE;
	usage_error("ss", "%s", strerror(-r));
	return EXIT_FAILURE;
}
