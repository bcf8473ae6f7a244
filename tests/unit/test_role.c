/* SPDX-License-Identifier: MIT */
/*
 * Roles: what a restart changes is no part of them, what matters is; a baseline is a policy that
 * explains every socket it was made from, whatever bytes the names have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portavoz/policy.h>
#include <portavoz/role.h>

#include "base/cleanup.h"
#include "model/snapshot.h"

static struct pv_bytes bytes(const char *text)
{
	return (struct pv_bytes){ text, (uint32_t)strlen(text) };
}

static struct pv_snapshot *snapshot(void)
{
	struct pv_snapshot *s = snapshot_new();
	struct pv_netns ns = { .inode = 7, .ephemeral_first = 32768, .ephemeral_last = 60999 };

	assert_non_null(s);
	assert_int_equal(vec_push(&s->netns, ns), 0);
	assert_int_equal(snapshot_add_user(s, 0, "root"), 0);
	assert_int_equal(snapshot_add_user(s, 33, "www data"), 0);
	return s;
}

struct program {
	const char *exe, *unit, *container;
	int32_t pid;
};

struct line {
	enum pv_proto proto;
	enum pv_direction direction;
	const char *local, *remote;
	uint32_t local_port, remote_port, uid;
	struct program programs[2];
};

static void set_end(struct pv_conversation *c, struct pv_endpoint *e, const char *text,
		    uint32_t port)
{
	if (text)
		assert_int_equal(inet_pton(c->family, text, e->addr), 1);
	e->port = port;
}

static struct pv_conversation *add(struct pv_snapshot *s, const struct line *l)
{
	struct pv_conversation row = { .proto = l->proto,
				       .direction = l->direction,
				       .uid = l->uid,
				       .state = l->direction == PV_DIR_LISTEN
							? PV_STATE_LISTEN
							: PV_STATE_ESTABLISHED };
	struct pv_holder holders[2] = { 0 };
	struct pv_conversation *c;
	uint32_t n = 0;

	row.family = l->proto == PV_PROTO_PACKET ? AF_PACKET
		     : strchr(l->local, ':')	 ? AF_INET6
						 : AF_INET;
	if (row.family != AF_PACKET) {
		set_end(&row, &row.local, l->local, l->local_port);
		set_end(&row, &row.remote, l->remote, l->remote_port);
	}
	c = snapshot_add(s, &row);
	assert_non_null(c);
	for (; n < 2 && l->programs[n].exe; n++) {
		const struct program *from = &l->programs[n];
		struct pv_process p = { .pid = from->pid,
					.comm = bytes("name"),
					.exe = bytes(from->exe),
					.unit = bytes(from->unit ? from->unit : ""),
					.container =
						bytes(from->container ? from->container : "") };

		assert_int_equal(snapshot_add_process(s, &p, &holders[n].process), 0);
	}
	if (n)
		assert_int_equal(snapshot_set_holders(s, c, holders, n), 0);
	return c;
}

static struct pv_roles *roles_of(struct pv_snapshot *s)
{
	struct pv_roles *r = pv_roles_new();

	assert_non_null(r);
	assert_int_equal(pv_roles_add(r, s), 0);
	assert_int_equal(pv_roles_finish(r), 0);
	return r;
}

#define NGINX                                                                                      \
	{                                                                                          \
		{                                                                                  \
			"/usr/sbin/nginx", "nginx.service", NULL, 100                              \
		}                                                                                  \
	}

/* A web server with a client and a call of its own, as it was and as it is after a restart. */
static const struct line before[] = {
	{ PV_PROTO_TCP, PV_DIR_LISTEN, "0.0.0.0", NULL, 80, 0, 0, NGINX },
	{ PV_PROTO_TCP, PV_DIR_INCOMING, "10.0.0.1", "10.0.7.9", 80, 50000, 33, NGINX },
	{ PV_PROTO_TCP, PV_DIR_OUTGOING, "10.0.0.1", "192.0.2.7", 41000, 443, 33, NGINX },
	{ PV_PROTO_UDP, PV_DIR_UNKNOWN, "0.0.0.0", NULL, 47123, 0, 33, NGINX },
	{ PV_PROTO_TCP, PV_DIR_LISTEN, "127.0.0.1", NULL, 39999, 0, 33, NGINX },
};
#define NGINX_AGAIN                                                                                \
	{                                                                                          \
		{                                                                                  \
			"/usr/sbin/nginx (deleted)", "nginx.service", NULL, 917                    \
		}                                                                                  \
	}
static const struct line after[] = {
	{ PV_PROTO_TCP, PV_DIR_LISTEN, "0.0.0.0", NULL, 80, 0, 0, NGINX_AGAIN },
	{ PV_PROTO_TCP, PV_DIR_LISTEN, "127.0.0.1", NULL, 40001, 0, 33, NGINX_AGAIN },
	{ PV_PROTO_UDP, PV_DIR_UNKNOWN, "0.0.0.0", NULL, 51515, 0, 33, NGINX_AGAIN },
	{ PV_PROTO_TCP, PV_DIR_OUTGOING, "10.0.0.1", "192.0.2.7", 60001, 443, 33, NGINX_AGAIN },
	{ PV_PROTO_TCP, PV_DIR_INCOMING, "10.0.0.1", "10.0.7.200", 80, 33333, 33, NGINX_AGAIN },
	{ PV_PROTO_TCP, PV_DIR_INCOMING, "10.0.0.1", "10.0.7.9", 80, 50001, 33, NGINX_AGAIN },
};

static struct pv_snapshot *snapshot_of(const struct line *lines, size_t n)
{
	struct pv_snapshot *s = snapshot();

	for (size_t i = 0; i < n; i++)
		add(s, &lines[i]);
	return s;
}
#define SNAPSHOT(lines) snapshot_of(lines, sizeof(lines) / sizeof(*(lines)))

static void test_restart(void **state)
{
	struct pv_snapshot *s = SNAPSHOT(before), *t = SNAPSHOT(after);
	struct pv_roles *a = roles_of(s), *b = roles_of(t);
	_cleanup_(cleanup_free) struct pv_role_difference *d = NULL;
	_cleanup_(cleanup_free) char *x = NULL, *y = NULL;
	size_t n = 1, unnamed;

	(void)state;
	assert_int_equal(pv_roles_count(a), 5);
	assert_int_equal(pv_roles_diff(a, b, &d, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(pv_roles_baseline(a, false, &x, &unnamed), 0);
	assert_int_equal(unnamed, 0);
	assert_int_equal(pv_roles_baseline(b, false, &y, NULL), 0);
	assert_string_equal(x, y);
	assert_null(strstr(x, "39999"));
	assert_null(strstr(x, "47123"));
	assert_null(strstr(x, "41000"));
	assert_null(strstr(x, "50000"));
	assert_null(strstr(x, "100"));
	assert_non_null(strstr(x, "unit nginx.service and exe /usr/sbin/nginx and user \"www "
				  "data\" and direction incoming and proto tcp and service http "
				  "and dst 10.0.7.0/24\n"));
	assert_non_null(strstr(x, "service https and dst 192.0.2.7\n"));
	assert_non_null(strstr(x, "autobound and src 127.0.0.0/8\n"));
	pv_roles_free(a);
	pv_roles_free(b);
	pv_snapshot_free(s);
	pv_snapshot_free(t);
}

/* TIME-WAIT and what waits to be accepted belongs to a role that is there already. */
static void test_remains(void **state)
{
	struct pv_snapshot *s = SNAPSHOT(before);
	static const struct line time_wait = {
		PV_PROTO_TCP, PV_DIR_INCOMING, "10.0.0.1", "10.0.0.9", 80, 54321, 0, { { 0 } }
	};
	struct pv_conversation *c = add(s, &time_wait);
	struct pv_roles *r;

	(void)state;
	c->state = PV_STATE_TIME_WAIT;
	c->owner_reason = PV_REASON_TIME_WAIT;
	c = add(s, &time_wait);
	c->owner_reason = PV_REASON_NOT_ACCEPTED;
	c = add(s, &time_wait);
	c->owner_reason = PV_REASON_NO_PERMISSION;
	r = roles_of(s);
	assert_int_equal(pv_roles_count(r), 5);
	assert_int_equal(pv_roles_unowned(r, PV_REASON_NO_PERMISSION), 1);
	assert_int_equal(pv_roles_unowned(r, PV_REASON_TIME_WAIT), 0);
	pv_roles_free(r);
	pv_snapshot_free(s);
}

static void change_expect(struct pv_snapshot *from, struct pv_snapshot *to,
			  enum pv_role_change change)
{
	struct pv_roles *a = roles_of(from), *b = roles_of(to);
	_cleanup_(cleanup_free) struct pv_role_difference *d = NULL;
	size_t n;

	assert_int_equal(pv_roles_diff(a, b, &d, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(d[0].change, change);
	assert_int_equal(d[0].before == NULL, change == PV_ROLE_NEW);
	assert_int_equal(d[0].after == NULL, change == PV_ROLE_GONE);
	pv_roles_free(a);
	pv_roles_free(b);
	pv_snapshot_free(from);
	pv_snapshot_free(to);
}

static void test_changes(void **state)
{
	static const struct line other_program = {
		PV_PROTO_TCP, PV_DIR_LISTEN, "0.0.0.0", NULL, 81, 0, 0, NGINX
	};
	static const struct line other_user = {
		PV_PROTO_TCP, PV_DIR_OUTGOING, "10.0.0.1", "192.0.2.7", 40999, 443, 0, NGINX
	};
	static const struct line other_net = {
		PV_PROTO_TCP, PV_DIR_INCOMING, "10.0.0.1", "192.0.2.9", 80, 50000, 33, NGINX
	};
	struct pv_snapshot *s;

	(void)state;
	s = SNAPSHOT(before);
	add(s, &other_program);
	change_expect(SNAPSHOT(before), s, PV_ROLE_NEW);
	s = SNAPSHOT(before);
	add(s, &other_program);
	change_expect(s, SNAPSHOT(before), PV_ROLE_GONE);
	s = SNAPSHOT(before);
	add(s, &other_user);
	change_expect(SNAPSHOT(before), s, PV_ROLE_CHANGED);
	s = SNAPSHOT(before);
	add(s, &other_net);
	change_expect(SNAPSHOT(before), s, PV_ROLE_CHANGED);
}

/* Units and containers that are called otherwise at the next start. */
static void test_transient(void **state)
{
	static const char id[] = "0123456789abcdef0123456789abcdef";
	static const struct line lines[] = {
		{ PV_PROTO_TCP,
		  PV_DIR_LISTEN,
		  "::",
		  NULL,
		  1,
		  0,
		  0,
		  { { "/a", "session-3.scope", NULL, 1 } } },
		{ PV_PROTO_TCP,
		  PV_DIR_LISTEN,
		  "::",
		  NULL,
		  2,
		  0,
		  0,
		  { { "/a", "run-u17.service", NULL, 1 } } },
		{ PV_PROTO_TCP,
		  PV_DIR_LISTEN,
		  "::",
		  NULL,
		  3,
		  0,
		  0,
		  { { "/a", "run-r0123456789abcdef.service", NULL, 1 } } },
		{ PV_PROTO_TCP,
		  PV_DIR_LISTEN,
		  "::",
		  NULL,
		  4,
		  0,
		  0,
		  { { "/a", "ssh@3-10.0.0.1:22-10.0.0.9:50000.service", NULL, 1 } } },
		{ PV_PROTO_TCP,
		  PV_DIR_LISTEN,
		  "::",
		  NULL,
		  5,
		  0,
		  0,
		  { { "/a", "postgresql@15-main.service", NULL, 1 } } },
		{ PV_PROTO_TCP,
		  PV_DIR_LISTEN,
		  "::",
		  NULL,
		  6,
		  0,
		  0,
		  { { "/a", "run-repair.service", NULL, 1 } } },
		{ PV_PROTO_TCP, PV_DIR_LISTEN, "::", NULL, 7, 0, 0, { { "/a", NULL, id, 1 } } },
		{ PV_PROTO_TCP, PV_DIR_LISTEN, "::", NULL, 8, 0, 0, { { "/a", NULL, "web", 1 } } },
	};
	static const char *const want[] = {
		NULL,
		NULL,
		NULL,
		"ssh@*.service",
		"postgresql@15-main.service",
		"run-repair.service",
		NULL,
		NULL,
	};
	struct pv_snapshot *s = SNAPSHOT(lines);
	struct pv_roles *r = roles_of(s);

	(void)state;
	for (size_t i = 0; i < pv_roles_count(r); i++) {
		const struct pv_role *role = pv_roles_get(r, i);
		const struct pv_role_program *p = role->programs;
		const char *unit = want[role->port - 1];

		assert_int_equal(p->unit.len, unit ? strlen(unit) : 0);
		if (unit)
			assert_memory_equal(p->unit.data, unit, p->unit.len);
		assert_int_equal(p->unit_is_pattern, role->port == 4);
		assert_int_equal(p->container.len, role->port == 8 ? 3 : 0);
	}
	pv_roles_free(r);
	pv_snapshot_free(s);
}

/* Few networks are named, many are not. */
static void test_networks(void **state)
{
	struct pv_snapshot *s = snapshot();
	struct line in = before[1], out = before[2];
	const struct pv_role *serves, *calls;
	struct pv_roles *r;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i % 100, i % 7, i % 250 + 1);
		in.remote = text;
		add(s, &in);
		snprintf(text, sizeof(text), "198.51.%u.7", i % 50);
		out.remote = text;
		add(s, &out);
	}
	r = roles_of(s);
	assert_int_equal(pv_roles_count(r), 2);
	serves = pv_roles_get(r, 0);
	calls = pv_roles_get(r, 1);
	assert_int_equal(serves->n_nets, 1);
	assert_int_equal(serves->nets[0].bits, 8);
	assert_false(serves->any_net);
	assert_true(calls->any_net);
	assert_int_equal(calls->n_nets, 0);
	pv_roles_free(r);
	pv_snapshot_free(s);
}

static void check_explained(struct pv_snapshot *s)
{
	struct pv_policy *p = pv_policy_new();
	struct pv_roles *r = roles_of(s);
	_cleanup_(cleanup_free) char *text = NULL;
	struct pv_policy_error e;
	size_t unnamed, index;

	assert_int_equal(pv_roles_baseline(r, true, &text, &unnamed), 0);
	assert_int_equal(unnamed, 0);
	if (pv_policy_add_text(p, "baseline", text, strlen(text), &e) < 0)
		fail_msg("line %u: %s\n%s\n%*s^", e.line, e.message, e.text, (int)e.offset, "");
	assert_int_equal(pv_policy_count(p), pv_roles_count(r));
	for (size_t i = 0; i < pv_snapshot_count(s); i++)
		if (!pv_policy_match(p, s, pv_snapshot_get(s, i), &index, NULL))
			fail_msg("row %zu is not explained by\n%s", i, text);
	pv_policy_free(p);
	pv_roles_free(r);
	pv_snapshot_free(s);
}

static const char *const odd_names[] = {
	"/usr/bin/x", "/opt/my app/run",    "/a\"b\\c",	  "/*?[x]",	   "/tmp/\x1b[2J\n",
	"/\xff\xfe",  "/not and (or)",	    "relative",	  "and",	   "/x every 25h",
	"/x#y",	      "/memfd:x (deletedx", "/a=b!c<d>e", "/\xe2\x80\xae", "always",
};
#define ODD (sizeof(odd_names) / sizeof(*odd_names))

static uint32_t pick(uint32_t n)
{
	return (uint32_t)random() % n;
}

/* Random sockets with odd names: what comes out is a policy and explains each of them. */
static void test_round_trip(void **state)
{
	static const char *const locals[] = {
		"0.0.0.0", "127.0.0.1", "10.1.2.3",    "::",	   "2001:db8::1",
		"::1",	   "fe80::5",	"224.0.0.251", "ff02::fb", "::ffff:10.0.0.1"
	};
	static const uint32_t ports[] = { 22, 53, 80, 8080, 8008, 631, 40000, 50051, 65000, 5353 };
	static const enum pv_proto protos[] = { PV_PROTO_TCP,	PV_PROTO_UDP,  PV_PROTO_SCTP,
						PV_PROTO_RAW,	PV_PROTO_PING, PV_PROTO_PACKET,
						PV_PROTO_MPTCP, PV_PROTO_DCCP };

	(void)state;
	srandom(11);
	for (int run = 0; run < 60; run++) {
		struct pv_snapshot *s = snapshot();

		for (int i = 0; i < 60; i++) {
			struct line l = { .proto = protos[pick(8)],
					  .direction = (enum pv_direction)pick(PV_DIR_N),
					  .local = locals[pick(10)],
					  .local_port = ports[pick(10)],
					  .remote_port = ports[pick(10)],
					  .uid = (uint32_t[]){ 0, 33, 1000, 61500,
							       UINT32_MAX }[pick(5)] };
			uint32_t n = 1 + pick(2);

			l.remote = pick(3) ? (strchr(l.local, ':') ? "2001:db8:7::9" : "192.0.2.7")
					   : NULL;
			if (l.direction == PV_DIR_LISTEN || !l.remote) {
				l.remote = NULL;
				l.remote_port = 0;
			}
			for (uint32_t k = 0; k < n; k++)
				l.programs[k] = (struct program){
					odd_names[pick(ODD)], pick(2) ? odd_names[pick(ODD)] : NULL,
					pick(4) ? NULL : odd_names[pick(ODD)], (int32_t)pick(999)
				};
			add(s, &l);
		}
		snapshot_seal(s);
		check_explained(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),	 cmocka_unit_test(test_remains),
		cmocka_unit_test(test_changes),	 cmocka_unit_test(test_transient),
		cmocka_unit_test(test_networks), cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
