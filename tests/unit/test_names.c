/* SPDX-License-Identifier: MIT */
/*
 * Reverse names against a name server inside this test, in a network namespace of its own. The
 * third byte of an address chooses how the server behaves, the fourth which answer it gives.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "names/names-internal.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_MS 20000 /* a budget that only a defect can use up */

enum scenario { PLAIN, SILENT, HOSTILE, NXDOMAIN, ALIAS, SERVFAIL, GARBAGE, LOOP };

struct raw_name {
	const char *bytes;
	size_t len; /* with length bytes, without the root label */
};
#define RAW(s)                                                                                     \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}
#define L63 "\077aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Names that must never be shown in place of an address. */
static const struct raw_name hostile[] = {
	RAW("\003192\0010\0012\00299"),	  /* 192.0.2.99 */
	RAW("\003127\0011"),		  /* 127.1, an address to inet_aton() */
	RAW("\0042130"),		  /* a number is an address to inet_aton() */
	RAW("\0047f00\0040x7f"),	  /* ends in a hexadecimal number */
	RAW("\0132001:db8::1"),		  /* 2001:db8::1 */
	RAW("\0112001:db8:\003com"),	  /* colons */
	RAW("\006a\033[31m\003com"),	  /* escape sequence */
	RAW("\003a\nb\003com"),		  /* newline */
	RAW("\003a\0b\003com"),		  /* NUL */
	RAW("\003a b\003com"),		  /* space */
	RAW("\005a\342\200\256b\003com"), /* right-to-left override */
	RAW("\003<b>\003com"),		  /* markup */
	RAW("\0031.2\001x"),		  /* a dot inside a label */
	RAW("\003\303\251x\003com"),	  /* not ASCII */
	RAW("\003a\\b\003com"),		  /* backslash */
	RAW(L63 L63 L63 L63 "\003abc"),	  /* longer than 253 */
	RAW(""),			  /* the root */
};

struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_uint n_questions;
};

struct reply {
	uint8_t data[1024];
	size_t len;
};

static void put(struct reply *r, const void *data, size_t len)
{
	assert_true(r->len + len <= sizeof(r->data));
	memcpy(r->data + r->len, data, len);
	r->len += len;
}

static void put16(struct reply *r, unsigned v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(r, b, 2);
}

/* A record owned by the name at `owner`, whose data is `labels` and the root label. */
static void put_record(struct reply *r, unsigned owner, unsigned type, const void *labels,
		       size_t len)
{
	r->data[7]++;
	put16(r, 0xc000 | owner);
	put16(r, type);
	put16(r, 1);
	put(r, "\0\0\0\74", 4);
	put16(r, (unsigned)len + 1);
	put(r, labels, len);
	put(r, "", 1);
}

static void put_plain(struct reply *r, unsigned owner, unsigned number)
{
	char label[16];
	struct reply name = { .len = 0 };
	int n = snprintf(label, sizeof(label), "host-%u", number);
	uint8_t length = (uint8_t)n;

	put(&name, &length, 1);
	put(&name, label, (size_t)n);
	put(&name, "\007example", 8);
	put_record(r, owner, 12, name.data, name.len);
}

/* Returns the number in the label at *pos and moves behind it. */
static unsigned take_number(const uint8_t *q, size_t *pos)
{
	char text[8] = "";
	size_t len = q[*pos];

	memcpy(text, q + *pos + 1, len < 7 ? len : 7);
	*pos += len + 1;
	return (unsigned)strtoul(text, NULL, 10);
}

/* Fills the answer to a question; false = stay silent. */
static bool answer(const uint8_t *q, size_t len, struct reply *r)
{
	size_t pos = 12;
	unsigned number = take_number(q, &pos), scenario = take_number(q, &pos), alias;

	r->len = 0;
	put(r, q, len);
	memcpy(r->data + 2, "\x81\x80", 2);
	memset(r->data + 6, 0, 6);
	if (len > 72) { /* only an IPv6 address makes a question that long */
		put_plain(r, 12, 6);
		return true;
	}
	switch ((enum scenario)scenario) {
	case PLAIN:
		put_plain(r, 12, number);
		return true;
	case SILENT:
		return false;
	case HOSTILE:
		put_record(r, 12, 12, hostile[number].bytes, hostile[number].len);
		return true;
	case NXDOMAIN:
		r->data[3] |= 3;
		return true;
	case ALIAS:
		alias = (unsigned)r->len + 12;
		put_record(r, 12, 5, "\005other\007example", 14);
		put_record(r, 12, 12, "\005wrong\007example", 14);
		put_plain(r, alias, number);
		return true;
	case SERVFAIL:
		r->data[3] |= 2;
		return true;
	case GARBAGE:
		r->data[7] = 9;
		put(r, "\xc0\x0c\0\x0c\0\1\0\0\0\0\xff\xff\3abc", 16);
		return true;
	case LOOP:
		r->data[7] = 1;
		put(r, "\xc0\x0c\0\x0c\0\1\0\0\0\0\0\2", 12);
		put16(r, 0xc000 | (unsigned)r->len);
		return true;
	}
	return false;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct sockaddr_in from;
	uint8_t question[512];
	struct reply reply;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(s->fd, question, sizeof(question), 0, (struct sockaddr *)&from,
				     &len);

		if (n < 18)
			return NULL; /* the one byte of stop_server() */
		s->n_questions++;
		if (answer(question, (size_t)n, &reply))
			sendto(s->fd, reply.data, reply.len, 0, (struct sockaddr *)&from, len);
	}
}

static void bind_server(struct server *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	socklen_t len = sizeof(sin);

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &len), 0);
	s->port = ntohs(sin.sin_port);
	s->n_questions = 0;
}

static void stop_server(struct server *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f000001),
				   .sin_port = htons(s->port) };

	assert_int_equal(sendto(s->fd, "", 1, 0, (struct sockaddr *)&sin, sizeof(sin)), 1);
	pthread_join(s->thread, NULL);
	s->fd = close_fd(s->fd);
}

struct fixture {
	struct server server;
	struct arena arena;
	char servers[32];
	struct names_options options;
	struct names_stats stats;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	bind_server(&f->server);
	assert_int_equal(pthread_create(&f->server.thread, NULL, serve, &f->server), 0);
	snprintf(f->servers, sizeof(f->servers), "127.0.0.1:%u", f->server.port);
	f->options = (struct names_options){ .arena = &f->arena,
					     .servers = f->servers,
					     .hosts_path = "/dev/null",
					     .budget_ms = LONG_MS };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stop_server(&f->server);
	arena_deinit(&f->arena);
	free(f);
	return 0;
}

static struct names_query query(enum scenario scenario, unsigned number)
{
	return (struct names_query){ .family = AF_INET,
				     .addr = { 192, 0, (uint8_t)scenario, (uint8_t)number } };
}

static void hundred_answers(void **state)
{
	struct fixture *f = *state;
	struct names_query q[200];
	char name[32];

	for (unsigned i = 0; i < 200; i++)
		q[i] = query(PLAIN, i % 100);
	assert_int_equal(names_resolve(&f->options, q, 200, &f->stats), 0);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "host-%u.example", i % 100);
		assert_int_equal(q[i].result, NAMES_OK);
		assert_string_equal(q[i].ret_name, name);
	}
	assert_int_equal(f->stats.n[NAMES_OK], 100);
	assert_int_equal(f->server.n_questions, 100);
	assert_string_equal(f->stats.cause, "");
}

static void more_than_fit_at_once(void **state)
{
	struct fixture *f = *state;
	struct names_query q[1200];

	for (unsigned i = 0; i < 1200; i++) {
		q[i] = query(PLAIN, i % 250);
		q[i].addr[1] = (uint8_t)(i / 250);
	}
	assert_int_equal(names_resolve(&f->options, q, 1200, &f->stats), 0);
	assert_int_equal(f->stats.n[NAMES_OK], 1200);
}

static void both_families(void **state)
{
	struct fixture *f = *state;
	struct names_query q[3] = { query(PLAIN, 7),
				    { .family = AF_INET6 },
				    { .family = AF_INET6 } };

	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.0.7", q[1].addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::111", q[2].addr), 1);
	assert_int_equal(names_resolve(&f->options, q, 3, &f->stats), 0);
	assert_string_equal(q[0].ret_name, "host-7.example");
	assert_string_equal(q[1].ret_name, "host-7.example");
	assert_string_equal(q[2].ret_name, "host-6.example");
	assert_int_equal(f->server.n_questions, 2);
}

static void black_hole_ends_with_the_budget(void **state)
{
	struct fixture *f = *state;
	struct names_query q[51];
	time_t start = time(NULL);

	for (unsigned i = 0; i < 51; i++)
		q[i] = query(SILENT, i);
	f->options.budget_ms = 300;
	assert_int_equal(names_resolve(&f->options, q, 51, &f->stats), 0);
	for (unsigned i = 0; i < 51; i++) {
		assert_int_equal(q[i].result, NAMES_NO_ANSWER);
		assert_null(q[i].ret_name);
	}
	assert_int_equal(f->stats.n[NAMES_NO_ANSWER], 51);
	assert_string_equal(f->stats.cause, "no answer within 300 ms");
	/* one budget for all: a budget each would be 15 s, a resolver's default 510 s */
	assert_true(time(NULL) - start < 10);
}

static void dead_first_server(void **state)
{
	struct fixture *f = *state;
	struct names_query q[20];
	struct server dead = { .fd = -1 };
	char servers[64];

	bind_server(&dead);
	snprintf(servers, sizeof(servers), "127.0.0.1:%u,%s", dead.port, f->servers);
	f->options.servers = servers;
	f->options.budget_ms = 4000;
	for (unsigned i = 0; i < 20; i++)
		q[i] = query(PLAIN, i);
	assert_int_equal(names_resolve(&f->options, q, 20, &f->stats), 0);
	close_fd(dead.fd);
	assert_int_equal(f->stats.n[NAMES_OK], 20);
}

static void hostile_answers_are_refused(void **state)
{
	struct fixture *f = *state;
	struct names_query q[N(hostile)];

	for (unsigned i = 0; i < N(q); i++)
		q[i] = query(HOSTILE, i);
	assert_int_equal(names_resolve(&f->options, q, N(q), &f->stats), 0);
	for (unsigned i = 0; i < N(q); i++) {
		if (q[i].result != NAMES_REFUSED)
			print_error("hostile name %u\n", i);
		assert_int_equal(q[i].result, NAMES_REFUSED);
		assert_null(q[i].ret_name);
	}
	assert_int_equal(f->stats.n[NAMES_REFUSED], N(q));
}

static void mixed(void **state)
{
	struct fixture *f = *state;
	struct names_query q[] = { query(PLAIN, 1),    query(SILENT, 2), query(HOSTILE, 0),
				   query(NXDOMAIN, 4), query(ALIAS, 5),	 query(SERVFAIL, 6),
				   query(GARBAGE, 7),  query(LOOP, 8) };
	static const enum names_result expected[] = { NAMES_OK,	     NAMES_NO_ANSWER,
						      NAMES_REFUSED, NAMES_NONE,
						      NAMES_OK,	     NAMES_NO_ANSWER,
						      NAMES_REFUSED, NAMES_REFUSED };

	f->options.budget_ms = 1500;
	assert_int_equal(names_resolve(&f->options, q, N(q), &f->stats), 0);
	for (size_t i = 0; i < N(q); i++)
		assert_int_equal(q[i].result, expected[i]);
	assert_string_equal(q[0].ret_name, "host-1.example");
	assert_string_equal(q[4].ret_name, "host-5.example");
	assert_int_equal(f->stats.n[NAMES_OK], 2);
	assert_int_equal(f->stats.n[NAMES_REFUSED], 3);
}

static void server_failure_is_named(void **state)
{
	struct fixture *f = *state;
	struct names_query q = query(SERVFAIL, 1);

	assert_int_equal(names_resolve(&f->options, &q, 1, &f->stats), 0);
	assert_int_equal(q.result, NAMES_NO_ANSWER);
	assert_string_equal(f->stats.cause, "no name server can be reached, or all fail");
}

static void nobody_listens(void **state)
{
	struct fixture *f = *state;
	struct names_query q[5];

	for (unsigned i = 0; i < 5; i++)
		q[i] = query(PLAIN, i);
	f->options.servers = "127.0.0.1:9";
	assert_int_equal(names_resolve(&f->options, q, 5, &f->stats), 0);
	assert_int_equal(f->stats.n[NAMES_NO_ANSWER], 5);
	assert_string_equal(f->stats.cause, "no name server can be reached, or all fail");
}

static void no_budget_sends_nothing(void **state)
{
	struct fixture *f = *state;
	struct names_query q = query(PLAIN, 1);

	f->options.budget_ms = 0;
	assert_int_equal(names_resolve(&f->options, &q, 1, &f->stats), 0);
	assert_int_equal(q.result, NAMES_NO_ANSWER);
	assert_int_equal(f->server.n_questions, 0);
}

static void malformed_servers(void **state)
{
	struct fixture *f = *state;
	struct names_query q = query(PLAIN, 1);

	f->options.servers = "not an address";
	assert_int_equal(names_resolve(&f->options, &q, 1, &f->stats), -EINVAL);
	f->options.servers = f->servers;
	assert_int_equal(names_resolve(&f->options, &q, 0, &f->stats), 0);
}

static void hosts_file_comes_first(void **state)
{
	static const char hosts[] = "# 192.0.0.1 comment\n"
				    "192.0.0.1\tbox1 alias # more\n"
				    "192.0.0.1 second\n"
				    "  192.0.0.2   \n"
				    "192.0.0.3 10.0.0.1 fit-name\r\n"
				    "192.0.0.999 bad\n"
				    "2001:db8::5 six\n"
				    "192.0.0.4 last-without-newline";
	struct fixture *f = *state;
	struct names_query q[] = { query(PLAIN, 1),
				   query(PLAIN, 2),
				   query(PLAIN, 3),
				   query(PLAIN, 4),
				   { .family = AF_INET6 } };
	char path[] = "/tmp/test-names-XXXXXX";
	_cleanup_(cleanup_fd) int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, hosts, sizeof(hosts) - 1), 0);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::5", q[4].addr), 1);
	f->options.hosts_path = path;
	assert_int_equal(names_resolve(&f->options, q, N(q), &f->stats), 0);
	unlink(path);
	assert_string_equal(q[0].ret_name, "box1");
	assert_string_equal(q[1].ret_name, "host-2.example");
	assert_string_equal(q[2].ret_name, "fit-name");
	assert_string_equal(q[3].ret_name, "last-without-newline");
	assert_string_equal(q[4].ret_name, "six");
	assert_int_equal(f->server.n_questions, 1);
}

static void remove_recording(const char *dir)
{
	static const char *const names[] = { "streams/names", "manifest" };
	char path[128];

	for (size_t i = 0; i < N(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	snprintf(path, sizeof(path), "%s/streams", dir);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/proc", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void replays_what_it_recorded(void **state)
{
	struct fixture *f = *state;
	struct names_query q[] = { query(PLAIN, 1),
				   query(HOSTILE, 0),
				   query(NXDOMAIN, 3),
				   query(SERVFAIL, 4),
				   { .family = AF_INET6 } };
	struct names_query again[N(q) + 1];
	struct names_stats stats;
	char dir[] = "/tmp/test-names-XXXXXX";
	struct tape tape;
	unsigned asked;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::111", q[4].addr), 1);
	memcpy(again, q, sizeof(q));
	again[N(q)] = query(PLAIN, 99);
	f->options.tape = &tape;
	assert_int_equal(tape_open(&tape, dir, NULL), 0);
	assert_int_equal(names_resolve(&f->options, q, N(q), &f->stats), 0);
	tape_close(&tape);
	asked = f->server.n_questions;

	assert_int_equal(tape_open(&tape, NULL, dir), 0);
	assert_int_equal(names_resolve(&f->options, again, N(again), &stats), 0);
	tape_close(&tape);
	remove_recording(dir);
	assert_int_equal(f->server.n_questions, asked);
	for (size_t i = 0; i < N(q); i++) {
		assert_int_equal(again[i].result, q[i].result);
		assert_int_equal(again[i].ret_name != NULL, q[i].ret_name != NULL);
		if (q[i].ret_name)
			assert_string_equal(again[i].ret_name, q[i].ret_name);
	}
	assert_int_equal(again[N(q)].result, NAMES_NOT_RECORDED);
	assert_int_equal(stats.n[NAMES_NOT_RECORDED], 1);
	assert_int_equal(stats.malformed, 0);
	assert_true(f->stats.n[NAMES_NO_ANSWER] > 0);
	assert_string_equal(stats.cause, f->stats.cause);
}

static void hostile_recordings(void **state)
{
	static const struct {
		const char *text;
		size_t malformed;
	} cases[] = {
		{ "4 c0000001 ok good.example\n", 0 },
		{ "4 c0000001 ok 192.0.2.99\n", 1 },
		{ "4 c0000001 ok a\033b\n", 1 },
		{ "4 c0000001 ok a b\n", 1 },
		{ "4 c0000001 ok\n", 1 },
		{ "4 c0000001 none name\n", 1 },
		{ "4 c0000001 none", 1 },
		{ "4 c000001 none\n", 1 },
		{ "4 c000000100 none\n", 1 },
		{ "4 C0000001 none\n", 1 },
		{ "6 c0000001 none\n", 1 },
		{ "5 c0000001 none\n", 1 },
		{ "4 c0000001 maybe\n", 1 },
		{ "\n\n4\n", 3 },
		{ "", 0 },
		{ "cause nobody answered\n", 0 },
		{ "cause \n", 1 },
		{ "cause \033[2J\n", 1 },
		{ "cause 0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456789\n",
		  1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < N(cases); i++) {
		struct names_query q = query(PLAIN, 1), *items[1] = { &q };
		struct names_set set = { items, 1 };
		struct names_stats stats = { 0 };

		q.result = NAMES_NOT_RECORDED;
		assert_int_equal(names_parse_recording(&f->arena, &set, cases[i].text,
						       strlen(cases[i].text), &stats),
				 0);
		assert_int_equal(stats.malformed, cases[i].malformed);
		assert_int_equal(q.result, i == 0 ? NAMES_OK : NAMES_NOT_RECORDED);
	}
}

static void answers_cut_anywhere(void **state)
{
	static const uint8_t question[] =
		"\x12\x34\1\0\0\1\0\0\0\0\0\0\0011\0014\0010\003192\007in-"
		"addr\004arpa\0\0\x0c\0\1";
	char name[NAMES_LENGTH_MAX + 1];
	enum names_result result;
	struct reply r;

	(void)state;
	assert_true(answer(question, sizeof(question) - 1, &r));
	for (size_t n = 0; n < r.len; n++) {
		_cleanup_(cleanup_free) uint8_t *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, r.data, n);
		assert_int_equal(
			names_parse_answer(exact, n, "1.4.0.192.in-addr.arpa", &result, name), 0);
		assert_int_equal(result, NAMES_REFUSED);
	}
	assert_int_equal(names_parse_answer(r.data, r.len, "1.4.0.192.IN-addr.arpa", &result, name),
			 0);
	assert_int_equal(result, NAMES_OK);
	assert_string_equal(name, "host-1.example");
	assert_int_equal(names_parse_answer(r.data, r.len, "9.9.9.9.in-addr.arpa", &result, name),
			 0);
	assert_int_equal(result, NAMES_NONE);
}

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	_cleanup_(cleanup_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : ioctl(fd, SIOCSIFFLAGS, &ifr);
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LIVE(hundred_answers),
		LIVE(more_than_fit_at_once),
		LIVE(both_families),
		LIVE(black_hole_ends_with_the_budget),
		LIVE(dead_first_server),
		LIVE(hostile_answers_are_refused),
		LIVE(mixed),
		LIVE(server_failure_is_named),
		LIVE(nobody_listens),
		LIVE(no_budget_sends_nothing),
		LIVE(malformed_servers),
		LIVE(hosts_file_comes_first),
		LIVE(replays_what_it_recorded),
		LIVE(hostile_recordings),
		cmocka_unit_test(answers_cut_anywhere),
	};

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("SKIP: no network namespace can be made: %s\n", strerror(errno));
		return 77;
	}
	if (loopback_up() < 0) {
		fprintf(stderr, "loopback cannot be brought up: %s\n", strerror(errno));
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
