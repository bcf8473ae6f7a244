/* SPDX-License-Identifier: MIT */
/* Finding the sockets of a pair: connected, bound, wildcard, mapped, and when none may be named. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <portavoz/ends.h>

#include "model/snapshot.h"

struct end {
	const char *addr;
	uint32_t port;
};

static struct pv_endpoint endpoint(int family, struct end e)
{
	struct pv_endpoint out = { .port = e.port };

	assert_int_equal(inet_pton(family, e.addr, out.addr), 1);
	return out;
}

/* A row held by process `holder` - 1; 0 = by none. */
static const struct pv_conversation *add(struct pv_snapshot *s, uint8_t proto, int family,
					 uint8_t state, struct end local, struct end remote,
					 uint32_t holder)
{
	struct pv_conversation row = { .family = (uint8_t)family,
				       .proto = proto,
				       .state = state,
				       .local = endpoint(family, local),
				       .remote = endpoint(family, remote) };
	struct pv_conversation *added = snapshot_add(s, &row);
	struct pv_process p = { .pid = (int32_t)holder };
	struct pv_holder h = { .fd = 3 };

	assert_non_null(added);
	while (holder && s->processes.n < holder)
		assert_int_equal(snapshot_add_process(s, &p, &h.process), 0);
	h.process = holder - 1;
	if (holder)
		assert_int_equal(snapshot_set_holders(s, added, &h, 1), 0);
	return added;
}

static const struct pv_conversation *find(const struct pv_snapshot *s, uint8_t proto, int family,
					  struct end a, struct end b, enum pv_end_by *ret_by)
{
	struct pv_pair pair = { .family = (uint8_t)family,
				.proto = proto,
				.ends = { endpoint(family, a), endpoint(family, b) } };
	const struct pv_conversation *c, *other;
	enum pv_end_by by;
	struct pv_ends *ends;

	assert_int_equal(pv_ends_new(s, &ends), 0);
	c = pv_ends_find(ends, &pair, 0, ret_by);
	/* the same end as the second of the pair */
	pair.ends[1] = pair.ends[0];
	pair.ends[0] = endpoint(family, b);
	other = pv_ends_find(ends, &pair, 1, &by);
	assert_ptr_equal(c, other);
	assert_int_equal(by, *ret_by);
	pv_ends_free(ends);
	return c;
}

#define NOWHERE ((struct end){ "0.0.0.0", 0 })
#define NOWHERE6 ((struct end){ "::", 0 })
#define CLIENT ((struct end){ "10.0.0.1", 40000 })
#define SERVER ((struct end){ "10.0.0.2", 80 })

static void test_connected(void **state)
{
	struct pv_snapshot *s = snapshot_new();
	enum pv_end_by by;
	const struct pv_conversation *listener, *accepted;

	(void)state;
	listener = add(s, PV_PROTO_TCP, AF_INET, PV_STATE_LISTEN, (struct end){ "0.0.0.0", 80 },
		       NOWHERE, 1);
	/* nothing tells that the address is one of this host's */
	assert_null(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by));
	assert_int_equal(by, PV_END_NONE);
	add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, (struct end){ "10.0.0.2", 22 }, CLIENT,
	    1);
	assert_ptr_equal(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by), listener);
	assert_int_equal(by, PV_END_WILDCARD);
	accepted = add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, SERVER, CLIENT, 2);
	assert_ptr_equal(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by), accepted);
	assert_int_equal(by, PV_END_PAIR);
	assert_null(find(s, PV_PROTO_TCP, AF_INET, CLIENT, SERVER, &by));
	assert_int_equal(by, PV_END_NONE);
	assert_null(find(s, PV_PROTO_UDP, AF_INET, SERVER, CLIENT, &by));
	pv_snapshot_free(s);
}

static void test_listener_of_an_unheld_socket(void **state)
{
	struct pv_snapshot *s = snapshot_new();
	const struct pv_conversation *waiting, *listener;
	enum pv_end_by by;

	(void)state;
	waiting = add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, SERVER, CLIENT, 0);
	assert_ptr_equal(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by), waiting);
	assert_int_equal(by, PV_END_PAIR);
	listener = add(s, PV_PROTO_TCP, AF_INET, PV_STATE_LISTEN, (struct end){ "0.0.0.0", 80 },
		       NOWHERE, 1);
	assert_ptr_equal(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by), listener);
	assert_int_equal(by, PV_END_WILDCARD);
	pv_snapshot_free(s);
}

static void test_bound_before_wildcard(void **state)
{
	struct pv_snapshot *s = snapshot_new();
	const struct pv_conversation *bound;
	enum pv_end_by by;

	(void)state;
	add(s, PV_PROTO_UDP, AF_INET, PV_STATE_CLOSE, (struct end){ "0.0.0.0", 53 }, NOWHERE, 1);
	bound = add(s, PV_PROTO_UDP, AF_INET, PV_STATE_CLOSE, (struct end){ "10.0.0.2", 53 },
		    NOWHERE, 2);
	assert_ptr_equal(
		find(s, PV_PROTO_UDP, AF_INET, (struct end){ "10.0.0.2", 53 }, CLIENT, &by), bound);
	assert_int_equal(by, PV_END_BOUND);
	find(s, PV_PROTO_UDP, AF_INET, (struct end){ "127.0.0.9", 53 }, CLIENT, &by);
	assert_int_equal(by, PV_END_WILDCARD);
	pv_snapshot_free(s);
}

static void test_ipv4_in_ipv6_sockets(void **state)
{
	struct pv_snapshot *s = snapshot_new();
	const struct pv_conversation *mapped, *any;
	enum pv_end_by by;

	(void)state;
	any = add(s, PV_PROTO_TCP, AF_INET6, PV_STATE_LISTEN, (struct end){ "::", 80 }, NOWHERE6,
		  1);
	mapped = add(s, PV_PROTO_TCP, AF_INET6, PV_STATE_ESTABLISHED,
		     (struct end){ "::ffff:10.0.0.2", 80 },
		     (struct end){ "::ffff:10.0.0.1", 40000 }, 1);
	assert_ptr_equal(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by), mapped);
	assert_int_equal(by, PV_END_PAIR);
	assert_ptr_equal(find(s, PV_PROTO_TCP, AF_INET, SERVER, (struct end){ "10.0.0.9", 1 }, &by),
			 any);
	assert_int_equal(by, PV_END_WILDCARD);
	snapshot_row(s, 0)->flags |= PV_CONV_V6ONLY;
	assert_null(find(s, PV_PROTO_TCP, AF_INET, SERVER, (struct end){ "10.0.0.9", 1 }, &by));
	pv_snapshot_free(s);
}

static void test_ambiguous(void **state)
{
	struct pv_snapshot *s = snapshot_new();
	enum pv_end_by by;

	(void)state;
	add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, SERVER, CLIENT, 1);
	add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, SERVER, CLIENT, 0);
	assert_non_null(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by));
	assert_int_equal(by, PV_END_PAIR);
	add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, SERVER, CLIENT, 1);
	assert_non_null(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by));
	add(s, PV_PROTO_TCP, AF_INET, PV_STATE_ESTABLISHED, SERVER, CLIENT, 2);
	assert_null(find(s, PV_PROTO_TCP, AF_INET, SERVER, CLIENT, &by));
	assert_int_equal(by, PV_END_AMBIGUOUS);
	pv_snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_listener_of_an_unheld_socket),
		cmocka_unit_test(test_bound_before_wildcard),
		cmocka_unit_test(test_ipv4_in_ipv6_sockets),
		cmocka_unit_test(test_ambiguous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
