/* SPDX-License-Identifier: MIT */
/*
 * The asking half of lib/names: one c-ares channel, all PTR questions in flight together, one
 * deadline over everything. However many servers are dead, the loop ends at the deadline.
 */
#include "names/names.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/inet.h"
#include "names/names-internal.h"

#define IN_FLIGHT_MAX 1000
/*
 * A name server's default receive buffer (net.core.rmem_default, 212,992 bytes) holds some 270
 * small packets: a bigger burst is lost, and each loss costs a time-out.
 */
#define BURST 64
#define BURST_MS 2
#define TRIES 3
#define DNS_CLASS_IN 1
#define DNS_TYPE_PTR 12

struct asking {
	const struct names_options *options;
	const struct names_set *set;
	ares_channel channel;
	struct pending *pending;
	size_t next, in_flight;
	size_t n_unreachable;
	int error;
};

struct pending {
	struct asking *asking;
	struct names_query *query;
	char question[NAMES_QUESTION_MAX];
};

static int compare_address(int family_a, const uint8_t *a, int family_b, const uint8_t *b)
{
	if (family_a != family_b)
		return family_a < family_b ? -1 : 1;
	return memcmp(a, b, family_a == AF_INET ? 4 : 16);
}

static int compare_queries(const void *a, const void *b)
{
	const struct names_query *qa = *(struct names_query *const *)a;
	const struct names_query *qb = *(struct names_query *const *)b;

	return compare_address(qa->family, qa->addr, qb->family, qb->addr);
}

struct names_query *names_set_get(const struct names_set *set, int family, const uint8_t *addr)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct names_query *q = set->items[middle];
		int c = compare_address(family, addr, q->family, q->addr);

		if (c == 0)
			return q;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

int names_decide(struct arena *arena, struct names_query *query, enum names_result result,
		 const char *name)
{
	query->result = result;
	query->ret_name = NULL;
	if (!name)
		return 0;
	query->ret_name = arena_strdup(arena, name);
	return query->ret_name ? 0 : -ENOMEM;
}

/* The queries, sorted; v4-mapped addresses become IPv4 so that they share question and answer. */
static void sort_queries(struct names_query **sorted, struct names_query *queries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct names_query *q = &queries[i];

		if (q->family == AF_INET6 && inet_is_mapped(q->addr)) {
			q->family = AF_INET;
			memmove(q->addr, q->addr + 12, 4);
			memset(q->addr + 4, 0, 12);
		}
		sorted[i] = q;
	}
	qsort(sorted, n, sizeof(*sorted), compare_queries);
}

static void pick_distinct(struct names_set *set, struct names_query **sorted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_queries(&sorted[i - 1], &sorted[i]) != 0)
			set->items[set->n++] = sorted[i];
}

/* Equal addresses lie side by side in `sorted`; the first of each run was decided. */
static void copy_to_equals(struct names_query **sorted, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (compare_queries(&sorted[i - 1], &sorted[i]) == 0) {
			sorted[i]->result = sorted[i - 1]->result;
			sorted[i]->ret_name = sorted[i - 1]->ret_name;
		}
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int len)
{
	struct pending *p = arg;
	struct asking *a = p->asking;
	char name[NAMES_LENGTH_MAX + 1];
	enum names_result result = NAMES_NO_ANSWER;
	int r = 0;

	(void)timeouts;
	a->in_flight--;
	if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
		result = NAMES_NONE;
	else if (status == ARES_ENOMEM)
		r = -ENOMEM;
	else if (status == ARES_SUCCESS && len > 0)
		r = names_parse_answer(message, (size_t)len, p->question, &result, name);
	else if (status == ARES_ECONNREFUSED)
		a->n_unreachable++;
	if (r == 0)
		r = names_decide(a->options->arena, p->query, result,
				 result == NAMES_OK ? name : NULL);
	if (r < 0)
		a->error = r;
}

/* Sends a burst of questions; false when there is nothing left to send. */
static bool ask_more(struct asking *a)
{
	size_t sent = 0;

	while (sent < BURST && a->next < a->set->n && a->in_flight < IN_FLIGHT_MAX && !a->error) {
		struct pending *p = &a->pending[a->next];
		struct names_query *q = a->set->items[a->next++];

		if (q->result != NAMES_NO_ANSWER)
			continue;
		*p = (struct pending){ .asking = a, .query = q };
		names_question(q->family, q->addr, p->question);
		a->in_flight++;
		ares_query(a->channel, p->question, DNS_CLASS_IN, DNS_TYPE_PTR, on_answer, p);
		sent++;
	}
	return a->next < a->set->n && a->in_flight < IN_FLIGHT_MAX;
}

/* Not ares_fds(): its fd_set overflows with descriptors above 1023. */
static void wait_and_process(struct asking *a, int64_t left_ms)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd polled[ARES_GETSOCK_MAXNUM];
	struct timeval limit = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };
	struct timeval tv, *next = ares_timeout(a->channel, &limit, &tv);
	/* the macros of ares.h shift a one into the sign bit */
	unsigned bits = (unsigned)ares_getsock(a->channel, sockets, ARES_GETSOCK_MAXNUM);
	nfds_t n = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		bool readable = bits >> i & 1;
		bool writable = bits >> (i + ARES_GETSOCK_MAXNUM) & 1;

		if (readable || writable)
			polled[n++] = (struct pollfd){
				sockets[i],
				(short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)), 0
			};
	}
	poll(polled, n, (int)(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000));
	for (nfds_t i = 0; i < n; i++)
		if (polled[i].revents)
			ares_process_fd(
				a->channel,
				polled[i].revents & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
				polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void ask_until(struct asking *a, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - now_ms();
		bool more = ask_more(a);

		if ((a->in_flight == 0 && !more) || a->error || left <= 0)
			break;
		wait_and_process(a, more && left > BURST_MS ? BURST_MS : left);
	}
	a->next = a->set->n;
	ares_cancel(a->channel);
}

/* 0, -EINVAL, -ENOMEM, or 1: c-ares could not be set up, which is nobody answering */
static int open_channel(struct asking *a, const struct names_options *o)
{
	/* the first try of every server must fit into the budget, with room for a second one */
	struct ares_options ares = { .timeout = o->budget_ms / 4 > 20 ? o->budget_ms / 4 : 20,
				     .tries = TRIES };
	int r = ares_init_options(&a->channel, &ares,
				  ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS);

	if (r == ARES_ENOMEM)
		return -ENOMEM;
	if (r != ARES_SUCCESS)
		return 1;
	r = o->servers ? ares_set_servers_ports_csv(a->channel, o->servers) : ARES_SUCCESS;
	if (r == ARES_SUCCESS)
		return 0;
	ares_destroy(a->channel);
	return r == ARES_ENOMEM ? -ENOMEM : -EINVAL;
}

static void state_cause(const struct asking *a, int opened, struct names_stats *stats)
{
	size_t none = stats->n[NAMES_NO_ANSWER];

	if (none == 0)
		return;
	/* c-ares 1.18 reports SERVFAIL of every server as ECONNREFUSED */
	if (opened != 0 || a->n_unreachable == none)
		snprintf(stats->cause, sizeof(stats->cause),
			 "no name server can be reached, or all fail");
	else
		snprintf(stats->cause, sizeof(stats->cause), "no answer within %d ms",
			 a->options->budget_ms > 0 ? a->options->budget_ms : 0);
}

static void count_results(const struct names_set *set, struct names_stats *stats)
{
	for (size_t i = 0; i < set->n; i++)
		stats->n[set->items[i]->result]++;
}

static int ask(const struct names_options *o, const struct names_set *set,
	       struct names_stats *stats)
{
	_cleanup_(cleanup_free) struct pending *pending = calloc(set->n + 1, sizeof(*pending));
	struct asking a = { .options = o, .set = set, .pending = pending };
	int64_t deadline = now_ms() + o->budget_ms;
	int r;

	if (!pending)
		return -ENOMEM;
	r = o->budget_ms > 0 ? open_channel(&a, o) : 0;
	if (o->budget_ms > 0 && r == 0) {
		ask_until(&a, deadline);
		ares_destroy(a.channel);
	}
	if (r < 0 || a.error < 0)
		return r < 0 ? r : a.error;
	count_results(set, stats);
	state_cause(&a, r, stats);
	return 0;
}

static int resolve_live(const struct names_options *o, const struct names_set *set,
			struct names_stats *stats)
{
	_cleanup_(cleanup_buf) struct buf hosts = BUF_INIT;
	const char *path = o->hosts_path ? o->hosts_path : "/etc/hosts";
	int r;

	if (file_read_at(AT_FDCWD, path, &hosts) == 0) {
		r = names_parse_hosts(o->arena, set, hosts.data, hosts.len);
		if (r < 0)
			return r;
	}
	r = ask(o, set, stats);
	if (r < 0)
		return r;
	return o->tape ? names_record(o->tape, set, stats->cause) : 0;
}

static int resolve_replayed(const struct names_options *o, const struct names_set *set,
			    struct names_stats *stats)
{
	int r;

	for (size_t i = 0; i < set->n; i++)
		set->items[i]->result = NAMES_NOT_RECORDED;
	r = names_replay(o->tape, o->arena, set, stats);
	count_results(set, stats);
	if (!stats->n[NAMES_NO_ANSWER])
		stats->cause[0] = 0;
	else if (!stats->cause[0])
		snprintf(stats->cause, sizeof(stats->cause), "none when it was recorded");
	return r;
}

int names_resolve(const struct names_options *options, struct names_query *queries, size_t n,
		  struct names_stats *ret_stats)
{
	_cleanup_(cleanup_free) struct names_query **sorted = calloc(n + 1, sizeof(*sorted));
	_cleanup_(cleanup_free) struct names_query **distinct = calloc(n + 1, sizeof(*distinct));
	struct names_set set = { distinct, 0 };
	int r;

	*ret_stats = (struct names_stats){ 0 };
	if (!sorted || !distinct)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		queries[i].result = NAMES_NO_ANSWER;
		queries[i].ret_name = NULL;
	}
	sort_queries(sorted, queries, n);
	pick_distinct(&set, sorted, n);
	if (options->tape && options->tape->mode == TAPE_REPLAY)
		r = resolve_replayed(options, &set, ret_stats);
	else
		r = resolve_live(options, &set, ret_stats);
	copy_to_equals(sorted, n);
	return r;
}
