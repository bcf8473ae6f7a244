/* SPDX-License-Identifier: MIT */
/*
 * Who is at the ends of socket pairs. Invariant: a question is foreign bytes, for the child that
 * asks decodes packets.
 */
#include "cli/owner_service.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A listing serves the questions of one burst. */
#define FRESH_NS INT64_C(10000000)

#define ANSWER_SIZE sizeof(struct pv_capture_owner[2])
_Static_assert(PV_CAPTURE_PAIRS *ANSWER_SIZE <= SANDBOX_MESSAGE_MAX, "an answer is one message");

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void forget(struct owner_service *s)
{
	pv_ends_free(s->ends);
	pv_snapshot_free(s->snapshot);
	s->ends = NULL;
	s->snapshot = NULL;
}

static void forget_closed(void *userdata)
{
	struct owner_service *s = userdata;

	pv_closed_free(s->closed);
	s->closed = NULL;
	s->sandbox.event_fd = -1;
}

static int look(struct owner_service *s)
{
	struct pv_request q = PV_REQUEST_INIT;
	int r;

	if (s->ends && now() - s->time < FRESH_NS)
		return 0;
	forget(s);
	q.protos = PV_PROTO_BIT(PV_PROTO_TCP) | PV_PROTO_BIT(PV_PROTO_UDP) |
		   PV_PROTO_BIT(PV_PROTO_UDPLITE) | PV_PROTO_BIT(PV_PROTO_SCTP) |
		   PV_PROTO_BIT(PV_PROTO_DCCP) | PV_PROTO_BIT(PV_PROTO_PING);
	q.needs = PV_NEED_OWNERS | PV_NEED_EXE | PV_NEED_CGROUP | PV_NEED_PUSER | PV_NEED_ADDRESSES;
	q.netns = s->netns;
	r = pv_collect(&q, &s->snapshot);
	if (r == 0)
		r = pv_ends_new(s->snapshot, &s->ends);
	if (r < 0)
		forget(s);
	s->time = now();
	return r;
}

static bool is_sound(const struct pv_pair *pair)
{
	return (pair->family == AF_INET || pair->family == AF_INET6) && pair->proto < PV_PROTO_N;
}

/* false: an end is not a closed socket, or not only that. */
static bool find(const struct owner_service *s, const struct pv_capture_question *q, bool is_listed,
		 struct pv_capture_owner owners[2])
{
	memset(owners, 0, sizeof(struct pv_capture_owner[2]));
	if (!is_sound(&q->pair))
		return true;
	pv_capture_owners(is_listed ? s->snapshot : NULL, is_listed ? s->ends : NULL, s->closed, q,
			  owners);
	return owners[0].by == PV_END_PAIR && owners[1].by == PV_END_PAIR;
}

/* What was closed while the sockets were listed is not in the list. */
static int read_closed(struct owner_service *s)
{
	return s->closed ? pv_closed_read(s->closed) : 0;
}

static size_t serve(const void *question, size_t len, void *answer, void *userdata)
{
	struct owner_service *s = userdata;
	size_t n = len / sizeof(struct pv_capture_question);
	bool is_listed = false;

	if (len % sizeof(struct pv_capture_question) || !n || n > PV_CAPTURE_PAIRS ||
	    read_closed(s) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct pv_capture_owner owners[2];
		struct pv_capture_question q;

		memcpy(&q, (const char *)question + i * sizeof(q), sizeof(q));
		if (!find(s, &q, is_listed, owners) && !is_listed) {
			if (look(s) < 0 || read_closed(s) < 0)
				return 0;
			is_listed = true;
			find(s, &q, is_listed, owners);
		}
		memcpy((char *)answer + i * sizeof(owners), owners, sizeof(owners));
	}
	return n * ANSWER_SIZE;
}

static void on_closed(void *userdata)
{
	struct owner_service *s = userdata;

	if (read_closed(s) < 0)
		forget_closed(s);
}

void owner_service_init(struct owner_service *s, const char *netns)
{
	int r;

	*s = (struct owner_service){ .netns = netns };
	r = pv_closed_open(&s->closed);
	pv_closed_source(r, &s->closed_source);
	s->sandbox = (struct sandbox_service){ .child_fd = -1,
					       .event_fd = r < 0 ? -1 : pv_closed_fd(s->closed),
					       .serve = serve,
					       .on_event = on_closed,
					       .forget = forget_closed,
					       .userdata = s };
}

void owner_service_deinit(struct owner_service *s)
{
	forget(s);
	forget_closed(s);
}

int owner_service_ask(const struct owner_service *s, const struct pv_capture_question *questions,
		      size_t n, struct pv_capture_owner (*ret)[2])
{
	size_t len = n * sizeof(*questions);
	ssize_t got;

	if (write(s->sandbox.child_fd, questions, len) != (ssize_t)len)
		return -EIO;
	do
		got = read(s->sandbox.child_fd, ret, n * sizeof(*ret));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)(n * sizeof(*ret)) ? 0 : -EIO;
}
