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
	q.needs = PV_NEED_OWNERS | PV_NEED_EXE | PV_NEED_CGROUP | PV_NEED_PUSER;
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

static size_t serve(const void *question, size_t len, void *answer, void *userdata)
{
	struct owner_service *s = userdata;
	size_t n = len / sizeof(struct pv_pair);

	if (len % sizeof(struct pv_pair) || !n || n > PV_CAPTURE_PAIRS || look(s) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct pv_capture_owner owners[2];
		struct pv_pair pair;

		memcpy(&pair, (const char *)question + i * sizeof(pair), sizeof(pair));
		memset(owners, 0, sizeof(owners));
		if (is_sound(&pair))
			pv_capture_owners(s->snapshot, s->ends, &pair, owners);
		memcpy((char *)answer + i * sizeof(owners), owners, sizeof(owners));
	}
	return n * ANSWER_SIZE;
}

void owner_service_init(struct owner_service *s, const char *netns)
{
	*s = (struct owner_service){ .netns = netns };
	s->sandbox = (struct sandbox_service){ .child_fd = -1, .serve = serve, .userdata = s };
}

void owner_service_deinit(struct owner_service *s)
{
	forget(s);
}

int owner_service_ask(const struct owner_service *s, const struct pv_pair *pairs, size_t n,
		      struct pv_capture_owner (*ret)[2])
{
	size_t len = n * sizeof(*pairs);
	ssize_t got;

	if (write(s->sandbox.child_fd, pairs, len) != (ssize_t)len)
		return -EIO;
	do
		got = read(s->sandbox.child_fd, ret, n * sizeof(*ret));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)(n * sizeof(*ret)) ? 0 : -EIO;
}
