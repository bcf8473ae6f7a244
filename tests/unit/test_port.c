/* SPDX-License-Identifier: MIT */
/* The port command's questions, rows and search for free ports; the last with real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/port.h"
#include "model/snapshot.h"

static void test_queries(void **state)
{
	static const struct {
		const char *text;
		uint32_t first, last;
		unsigned int transports;
		const char *name;
	} good[] = {
		{ "80", 80, 80, PORT_TRANSPORTS_ALL, "" },
		{ "0", 0, 0, PORT_TRANSPORTS_ALL, "" },
		{ "65535", 65535, 65535, PORT_TRANSPORTS_ALL, "" },
		{ "00080", 80, 80, PORT_TRANSPORTS_ALL, "" },
		{ "53/udp", 53, 53, 1u << PV_TRANSPORT_UDP, "" },
		{ "53/UDP", 53, 53, 1u << PV_TRANSPORT_UDP, "" },
		{ "20-80", 20, 80, PORT_TRANSPORTS_ALL, "" },
		{ "80-80/dccp", 80, 80, 1u << PV_TRANSPORT_DCCP, "" },
		{ "0-65535", 0, 65535, PORT_TRANSPORTS_ALL, "" },
		{ "https", 0, 65535, PORT_TRANSPORTS_ALL, "https" },
		{ "WWW/tcp", 0, 65535, 1u << PV_TRANSPORT_TCP, "WWW" },
		{ "EtherNet/IP-1", 0, 65535, PORT_TRANSPORTS_ALL, "EtherNet/IP-1" },
		{ "cl/1/udp", 0, 65535, 1u << PV_TRANSPORT_UDP, "cl/1" },
		{ "914c/g", 0, 65535, PORT_TRANSPORTS_ALL, "914c/g" },
	};
	static const struct {
		const char *text;
		int result;
	} bad[] = {
		{ "65536", -EINVAL },
		{ "-1", -EINVAL },
		{ "80-20", -EINVAL },
		{ "http/xyz", -EINVAL },
		{ "http/", -EINVAL },
		{ "/tcp", -EINVAL },
		{ "", -EINVAL },
		{ "-", -EINVAL },
		{ "80-", -EINVAL },
		{ "-80", -EINVAL },
		{ "1-2-3", -EINVAL },
		{ "1-65536", -EINVAL },
		{ "80/tcp/udp", PORT_E_UNKNOWN },
		{ "99999999999999999999999999", -EINVAL },
		{ "+80", PORT_E_UNKNOWN },
		{ " 80", PORT_E_UNKNOWN },
		{ "0x50", PORT_E_UNKNOWN },
		{ "htpp", PORT_E_UNKNOWN },
		{ "\x1b[31m", PORT_E_UNKNOWN },
		{ "a-name-that-is-much-longer-than-any-name-of-the-registry-may-ever-be-"
		  "and-then-some",
		  PORT_E_UNKNOWN },
	};
	struct port_query q;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(port_query_parse(good[i].text, &q), 0);
		assert_int_equal(q.first, good[i].first);
		assert_int_equal(q.last, good[i].last);
		assert_int_equal(q.transports, good[i].transports);
		assert_string_equal(q.name, good[i].name);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(port_query_parse(bad[i].text, &q), bad[i].result);
}

/* --- rows --- */

static uint64_t reserved[1024];

static void add_socket(struct pv_snapshot *s, enum pv_proto proto, enum pv_state socket_state,
		       uint32_t port)
{
	struct pv_conversation c = { .family = AF_INET,
				     .proto = (uint8_t)proto,
				     .state = (uint8_t)socket_state,
				     .local.port = port };

	assert_non_null(snapshot_add(s, &c));
}

static int setup_snapshot(void **state)
{
	struct pv_snapshot *s = snapshot_new();
	struct pv_netns netns = { .ephemeral_first = 32768,
				  .ephemeral_last = 60999,
				  .reserved = reserved };

	if (!s || vec_push(&s->netns, netns) < 0)
		return -1;
	reserved[40000 / 64] |= UINT64_C(1) << (40000 % 64);
	add_socket(s, PV_PROTO_TCP, PV_STATE_LISTEN, 22);
	add_socket(s, PV_PROTO_TCP, PV_STATE_LISTEN, 22);
	add_socket(s, PV_PROTO_TCP, PV_STATE_CLOSE, 80);
	add_socket(s, PV_PROTO_UDP, PV_STATE_CLOSE, 53);
	add_socket(s, PV_PROTO_UDP, PV_STATE_ESTABLISHED, 54);
	add_socket(s, PV_PROTO_UDP, PV_STATE_CLOSE, 0);
	add_socket(s, PV_PROTO_MPTCP, PV_STATE_LISTEN, 6007);
	add_socket(s, PV_PROTO_TCP, PV_STATE_LISTEN, 65535);
	add_socket(s, PV_PROTO_UDPLITE, PV_STATE_CLOSE, 53);
	snapshot_seal(s);
	*state = s;
	return 0;
}

static int teardown_snapshot(void **state)
{
	pv_snapshot_free(*state);
	return 0;
}

static int ask(struct port_rows *rows, const char *text)
{
	struct port_query q;

	assert_int_equal(port_query_parse(text, &q), 0);
	return port_rows_add(rows, &q);
}

static void check_row(const struct port_row *row, uint16_t first, uint16_t last,
		      enum pv_transport transport, const char *name, size_t n_listeners)
{
	assert_int_equal(row->first, first);
	assert_int_equal(row->last, last);
	assert_int_equal(row->transport, transport);
	if (name)
		assert_string_equal(row->service->name, name);
	else
		assert_null(row->service);
	assert_int_equal(row->n_listeners, n_listeners);
}

static void test_rows(void **state)
{
	struct port_rows p;

	assert_int_equal(port_rows_init(&p, *state), 0);
	assert_int_equal(ask(&p, "22/tcp"), 0);
	assert_int_equal(ask(&p, "80/tcp"), 0);
	assert_int_equal(ask(&p, "domain"), 0);
	assert_int_equal(ask(&p, "54/udp"), 0);
	assert_int_equal(ask(&p, "www"), 0);
	assert_int_equal(p.rows.n, 7);
	check_row(&p.rows.items[0], 22, 22, PV_TRANSPORT_TCP, "ssh", 2);
	check_row(&p.rows.items[1], 80, 80, PV_TRANSPORT_TCP, "http", 0);
	check_row(&p.rows.items[2], 53, 53, PV_TRANSPORT_TCP, "domain", 0);
	check_row(&p.rows.items[3], 53, 53, PV_TRANSPORT_UDP, "domain", 1);
	check_row(&p.rows.items[4], 54, 54, PV_TRANSPORT_UDP, "xns-ch", 0);
	check_row(&p.rows.items[5], 80, 80, PV_TRANSPORT_TCP, "http", 0);
	check_row(&p.rows.items[6], 80, 80, PV_TRANSPORT_UDP, "http", 0);
	assert_int_equal(ask(&p, "ssh/dccp"), PORT_E_UNKNOWN);
	assert_int_equal(p.rows.n, 7);
	port_rows_deinit(&p);
}

static void test_range_rows(void **state)
{
	struct port_rows p;

	assert_int_equal(port_rows_init(&p, *state), 0);
	assert_int_equal(ask(&p, "x11/tcp"), 0);
	assert_int_equal(ask(&p, "6007/tcp"), 0);
	assert_int_equal(ask(&p, "6060-6064/tcp"), 0);
	assert_int_equal(ask(&p, "65000-65535"), 0);
	assert_int_equal(p.rows.n, 5);
	check_row(&p.rows.items[0], 6000, 6063, PV_TRANSPORT_TCP, "x11", 1);
	check_row(&p.rows.items[1], 6007, 6007, PV_TRANSPORT_TCP, "x11", 1);
	check_row(&p.rows.items[2], 6060, 6063, PV_TRANSPORT_TCP, "x11", 0);
	check_row(&p.rows.items[3], 6064, 6064, PV_TRANSPORT_TCP, "ndl-ahp-svc", 0);
	check_row(&p.rows.items[4], 65535, 65535, PV_TRANSPORT_TCP, NULL, 1);
	assert_int_equal(ask(&p, "65000-65534"), PORT_E_UNKNOWN);
	assert_int_equal(ask(&p, "0-65535"), 0);
	assert_true(p.rows.n > 11500);
	port_rows_deinit(&p);
}

static void test_number_always_answers(void **state)
{
	struct port_rows p;

	assert_int_equal(port_rows_init(&p, *state), 0);
	assert_int_equal(ask(&p, "65534"), 0);
	assert_int_equal(ask(&p, "0/sctp"), 0);
	assert_int_equal(p.rows.n, 3);
	check_row(&p.rows.items[0], 65534, 65534, PV_TRANSPORT_TCP, NULL, 0);
	check_row(&p.rows.items[1], 65534, 65534, PV_TRANSPORT_UDP, NULL, 0);
	check_row(&p.rows.items[2], 0, 0, PV_TRANSPORT_SCTP, NULL, 0);
	port_rows_deinit(&p);
}

static void test_ephemeral(void **state)
{
	static const struct {
		const char *text;
		bool ephemeral, is_reserved;
	} cases[] = {
		{ "32767", false, false }, { "32768", true, false }, { "60999", true, false },
		{ "61000", false, false }, { "40000", false, true }, { "443", false, false }
	};
	struct port_rows p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(port_rows_init(&p, *state), 0);
		assert_int_equal(ask(&p, cases[i].text), 0);
		assert_int_equal(port_row_is_ephemeral(&p, p.rows.items), cases[i].ephemeral);
		assert_int_equal(port_row_is_reserved(&p, p.rows.items), cases[i].is_reserved);
		port_rows_deinit(&p);
	}
}

static void test_search(void **state)
{
	const char *expected[] = { "turn", "stun-behavior" };
	struct port_rows p;
	size_t cursor = 0;

	assert_int_equal(port_rows_init(&p, *state), 0);
	assert_int_equal(port_rows_search(&p, "no such words anywhere"), PORT_E_UNKNOWN);
	assert_int_equal(port_rows_search(&p, "sEcUrE sHeLl"), 0);
	assert_int_equal(p.rows.n, 2);
	check_row(&p.rows.items[0], 22, 22, PV_TRANSPORT_TCP, "ssh", 2);
	/* found by an alias: the row is the number's, once */
	assert_int_equal(port_rows_search(&p, "STUN Behavior Discovery over TCP"), 0);
	check_row(&p.rows.items[2], 3478, 3478, PV_TRANSPORT_TCP, "stun", 0);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(port_row_next_alias(&p.rows.items[2], &cursor), expected[i]);
	assert_null(port_row_next_alias(&p.rows.items[2], &cursor));
	port_rows_deinit(&p);
}

static void test_without_snapshot(void **state)
{
	struct port_rows p;

	(void)state;
	assert_int_equal(port_rows_init(&p, NULL), 0);
	assert_int_equal(ask(&p, "22"), 0);
	check_row(&p.rows.items[0], 22, 22, PV_TRANSPORT_TCP, "ssh", 0);
	assert_false(port_row_is_ephemeral(&p, &p.rows.items[0]));
	port_rows_deinit(&p);
}

/* --- free ports --- */

static const struct pv_netns no_netns;

static int find(uint32_t first, uint32_t last, enum pv_transport transport, bool registered,
		const struct pv_netns *netns, uint16_t *ret_port, struct port_free_tally *t)
{
	struct port_free_request request = { .wanted = 1,
					     .first = first,
					     .last = last,
					     .transport = transport,
					     .registered = registered,
					     .netns = netns };

	return port_free_find(&request, ret_port, t);
}

/* A free number that this machine does not pick source ports from by default */
static uint16_t free_port(enum pv_transport transport)
{
	struct port_free_tally t;
	uint16_t port = 0;

	assert_int_equal(find(20000, 32000, transport, true, &no_netns, &port, &t), 1);
	return port;
}

static int occupy(int family, int type, uint16_t port, int option)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(family, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr = in6addr_loopback;
	if (option)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &one, sizeof(one)), 0);
	if (bind(fd, family == AF_INET ? (void *)&in : (void *)&in6,
		 family == AF_INET ? sizeof(in) : sizeof(in6)) < 0)
		return close_fd(fd);
	return fd;
}

static void expect_in_use(uint16_t port, enum pv_transport transport)
{
	struct port_free_tally t;
	uint16_t found;

	assert_int_equal(find(port, port, transport, true, &no_netns, &found, &t), 0);
	assert_int_equal(t.in_use, 1);
}

/* One loopback address is enough to make the number unfit for "every address". */
static void test_free_sees_sockets(void **state)
{
	static const struct {
		int family, type, option;
		bool listens;
	} ways[] = {
		{ AF_INET, SOCK_STREAM, 0, true },
		{ AF_INET, SOCK_STREAM, 0, false },
		{ AF_INET, SOCK_STREAM, SO_REUSEADDR, true },
		{ AF_INET, SOCK_STREAM, SO_REUSEPORT, true },
		{ AF_INET6, SOCK_STREAM, 0, true },
		{ AF_INET, SOCK_DGRAM, 0, false },
		{ AF_INET, SOCK_DGRAM, SO_REUSEADDR, false },
		{ AF_INET, SOCK_DGRAM, SO_REUSEPORT, false },
		{ AF_INET6, SOCK_DGRAM, SO_REUSEADDR, false },
	};
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		bool is_udp = ways[i].type == SOCK_DGRAM;
		enum pv_transport transport = is_udp ? PV_TRANSPORT_UDP : PV_TRANSPORT_TCP;
		uint16_t port = free_port(transport), other;
		_cleanup_(cleanup_fd) int fd =
			occupy(ways[i].family, ways[i].type, port, ways[i].option);
		struct port_free_tally t;

		if (fd < 0 && ways[i].family == AF_INET6)
			continue; /* a machine without IPv6 */
		assert_true(fd >= 0);
		if (ways[i].listens)
			assert_int_equal(listen(fd, 1), 0);
		expect_in_use(port, transport);
		/* and the next search goes past it */
		assert_int_equal(find(port, 32767, transport, true, &no_netns, &other, &t), 1);
		assert_true(other > port);
		assert_true(t.in_use >= 1);
		tried++;
	}
	assert_true(tried >= 6);
}

static void wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
}

static void test_free_sees_time_wait(void **state)
{
	uint16_t port = free_port(PV_TRANSPORT_TCP);
	_cleanup_(cleanup_fd) int listener = occupy(AF_INET, SOCK_STREAM, port, SO_REUSEADDR);
	_cleanup_(cleanup_fd) int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int server;
	char c;

	(void)state;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(listener >= 0 && listen(listener, 1) == 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(server >= 0);
	/* the end that closes first is left in TIME_WAIT, with no descriptor anywhere */
	close(server);
	wait_readable(client);
	assert_int_equal(read(client, &c, 1), 0);
	client = close_fd(client);
	listener = close_fd(listener);
	expect_in_use(port, PV_TRANSPORT_TCP);
}

static void test_free_leaves_out(void **state)
{
	static uint64_t bitmap[1024];
	uint16_t port = free_port(PV_TRANSPORT_TCP), found;
	struct pv_netns ephemeral = { .ephemeral_first = port, .ephemeral_last = port };
	struct pv_netns held = { .ephemeral_first = port,
				 .ephemeral_last = port,
				 .reserved = bitmap };
	struct port_free_tally t;

	(void)state;
	assert_int_equal(find(port, port, PV_TRANSPORT_TCP, true, &no_netns, &found, &t), 1);
	assert_int_equal(found, port);
	assert_int_equal(find(port, port, PV_TRANSPORT_TCP, true, &ephemeral, &found, &t), 0);
	assert_int_equal(t.ephemeral, 1);
	bitmap[port / 64] |= UINT64_C(1) << (port % 64);
	assert_int_equal(find(port, port, PV_TRANSPORT_TCP, true, &held, &found, &t), 0);
	assert_int_equal(t.reserved, 1);
	/* 5432 and the de-facto 51820/udp are known names, whatever the transport asked for */
	assert_int_equal(find(5432, 5432, PV_TRANSPORT_TCP, false, &no_netns, &found, &t), 0);
	assert_int_equal(t.registered, 1);
	assert_int_equal(find(51820, 51820, PV_TRANSPORT_TCP, false, &no_netns, &found, &t), 0);
	assert_int_equal(t.registered, 1);
	assert_int_equal(find(0, 0, PV_TRANSPORT_TCP, true, &no_netns, &found, &t), 0);
}

/* Each transport has numbers of its own. */
static void test_free_udp_beside_tcp(void **state)
{
	uint16_t port = free_port(PV_TRANSPORT_UDP), found;
	_cleanup_(cleanup_fd) int fd = occupy(AF_INET, SOCK_DGRAM, port, 0);
	struct port_free_tally t;
	int before, after;

	(void)state;
	assert_true(fd >= 0);
	before = find(port, port, PV_TRANSPORT_TCP, true, &no_netns, &found, &t);
	fd = close_fd(fd);
	after = find(port, port, PV_TRANSPORT_TCP, true, &no_netns, &found, &t);
	assert_int_equal(before, after);
	assert_int_equal(find(port, port, PV_TRANSPORT_UDP, true, &no_netns, &found, &t), 1);
}

static void test_free_many(void **state)
{
	struct port_free_request request = {
		.wanted = 50, .first = 20000, .last = 32000, .netns = &no_netns
	};
	struct port_free_tally t;
	uint16_t ports[50];

	(void)state;
	assert_int_equal(port_free_find(&request, ports, &t), 50);
	for (size_t i = 0; i < 50; i++) {
		size_t cursor = 0;

		assert_true(i == 0 || ports[i] > ports[i - 1]);
		assert_null(pv_service_next_by_port(ports[i], &cursor));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queries),
		cmocka_unit_test_setup_teardown(test_rows, setup_snapshot, teardown_snapshot),
		cmocka_unit_test_setup_teardown(test_range_rows, setup_snapshot, teardown_snapshot),
		cmocka_unit_test_setup_teardown(test_number_always_answers, setup_snapshot,
						teardown_snapshot),
		cmocka_unit_test_setup_teardown(test_ephemeral, setup_snapshot, teardown_snapshot),
		cmocka_unit_test_setup_teardown(test_search, setup_snapshot, teardown_snapshot),
		cmocka_unit_test(test_without_snapshot),
		cmocka_unit_test(test_free_sees_sockets),
		cmocka_unit_test(test_free_sees_time_wait),
		cmocka_unit_test(test_free_leaves_out),
		cmocka_unit_test(test_free_udp_beside_tcp),
		cmocka_unit_test(test_free_many),
	};

	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
