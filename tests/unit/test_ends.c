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

#include "collect/ends.h"
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

/* The index of closed sockets, and who held the one that is found. */
struct closed {
	struct pv_snapshot *s;
	struct pv_ends *ends;
};

static void closes(struct closed *c, int64_t time, struct end local, struct end remote,
		   uint32_t holder)
{
	add(c->s, PV_PROTO_UDP, AF_INET, PV_STATE_CLOSE, local, remote, holder);
	assert_int_equal(ends_add_closed(c->ends, time), 0);
}

static uint32_t closed_holder(const struct closed *c, struct end a, struct end b, int64_t since,
			      enum pv_end_by *ret_by)
{
	const struct pv_pair pair = { .family = AF_INET,
				      .proto = PV_PROTO_UDP,
				      .ends = { endpoint(AF_INET, b), endpoint(AF_INET, a) } };
	const struct pv_conversation *row = ends_find_closed(c->ends, &pair, 1, since, ret_by);

	return row ? pv_snapshot_holder(c->s, row, 0)->process + 1 : 0;
}

static void test_closed(void **state)
{
	struct closed c = { snapshot_new(), NULL };
	const struct end any = { "0.0.0.0", 40000 }, elsewhere = { "10.0.0.9", 40000 };
	const struct pv_endpoint stranger = endpoint(AF_INET, elsewhere);
	const struct pv_endpoint local = endpoint(AF_INET, CLIENT);
	enum pv_end_by by;

	(void)state;
	assert_int_equal(ends_new_closed(c.s, &c.ends), 0);
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 0, &by), 0);
	closes(&c, 100, CLIENT, SERVER, 1);
	closes(&c, 200, CLIENT, SERVER, 2);
	closes(&c, 300, any, NOWHERE, 3);
	closes(&c, 400, any, NOWHERE, 4);
	/* the same port three times: the first that was closed since had it then */
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 50, &by), 1);
	assert_int_equal(by, PV_END_PAIR);
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 100, &by), 1);
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 101, &by), 2);
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 201, &by), 3);
	assert_int_equal(by, PV_END_WILDCARD);
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 301, &by), 4);
	assert_int_equal(closed_holder(&c, CLIENT, SERVER, 401, &by), 0);
	assert_int_equal(by, PV_END_NONE);
	/* of an address that no socket of the namespace shows */
	assert_int_equal(closed_holder(&c, elsewhere, SERVER, 0, &by), 0);
	assert_false(pv_ends_is_here(c.ends, AF_INET, &stranger));
	assert_int_equal(ends_add_address(c.ends, 0, AF_INET, stranger.addr), 0);
	assert_int_equal(closed_holder(&c, elsewhere, SERVER, 0, &by), 3);
	assert_true(pv_ends_is_here(c.ends, AF_INET, &stranger));
	assert_true(pv_ends_is_here(c.ends, AF_INET, &local));
	pv_ends_free(c.ends);
	pv_snapshot_free(c.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_listener_of_an_unheld_socket),
		cmocka_unit_test(test_bound_before_wildcard),
		cmocka_unit_test(test_ipv4_in_ipv6_sockets),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
