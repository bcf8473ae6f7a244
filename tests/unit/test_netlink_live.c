/* SPDX-License-Identifier: MIT */
/*
 * Sockets made in a network namespace of their own, read back: against /proc/net, against ss, and
 * recorded against replayed. `test_netlink_live record DIR` keeps the recording of these sockets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <portavoz/snapshot.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/vec.h"
#include "netlink/record.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define SKIP_STATUS 77

struct row_list {
	struct pv_conversation *items;
	size_t n, cap;
};

struct rows {
	struct row_list v;
};

static int keep_row(void *userdata, const struct pv_conversation *c)
{
	struct rows *rows = userdata;

	return vec_push(&rows->v, *c);
}

static void cleanup_rows(struct rows *rows)
{
	vec_deinit(&rows->v);
}
#define ROWS _cleanup_(cleanup_rows) struct rows

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the sockets ---- */

static socklen_t loopback(int family, struct sockaddr_storage *ret, uint16_t port)
{
	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	((struct sockaddr_in6 *)ret)->sin6_addr = in6addr_loopback;
	((struct sockaddr_in6 *)ret)->sin6_port = htons(port);
	return sizeof(struct sockaddr_in6);
}

static int bound(int family, int type, int protocol)
{
	struct sockaddr_storage a;
	socklen_t len = loopback(family, &a, 0);
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0)
		fatal("socket");
	return fd;
}

static int listener(int family, int protocol)
{
	int fd = bound(family, SOCK_STREAM, protocol);

	if (listen(fd, 16) < 0)
		fatal("listen");
	return fd;
}

static int connected(int to, int family, int type, int protocol)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0 || getsockname(to, (struct sockaddr *)&a, &len) < 0 ||
	    connect(fd, (struct sockaddr *)&a, len) < 0)
		fatal("connect");
	return fd;
}

static void conversation(int family, int protocol, int ret[2])
{
	int l = listener(family, protocol);

	ret[0] = connected(l, family, SOCK_STREAM, protocol);
	ret[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	if (ret[1] < 0)
		fatal("accept");
}

/* The server waits for data before it gives the connection a socket: a request socket stays. */
static void half_open(void)
{
	int seconds = 60, l = bound(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)) < 0 ||
	    listen(l, 4) < 0)
		fatal("TCP_DEFER_ACCEPT");
	connected(l, AF_INET, SOCK_STREAM, 0);
}

/* The other side's acknowledgement may be delayed by 40 ms. */
static void wait_for_state(int fd, uint8_t wanted)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	for (int i = 0; i < 1000 && info.tcpi_state != wanted; i++) {
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
			fatal("TCP_INFO");
		usleep(5000);
	}
	if (info.tcpi_state != wanted)
		fatal("state");
}

static void make_tcp(void)
{
	int pair[2], on = 1;

	conversation(AF_INET, 0, pair);
	setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (write(pair[0], "unread", 6) != 6)
		fatal("write");
	conversation(AF_INET6, 0, pair);
	/* the side that closes first keeps the TIME_WAIT */
	conversation(AF_INET, 0, pair);
	close(pair[0]);
	if (read(pair[1], pair, sizeof(pair)) != 0)
		fatal("read");
	close(pair[1]);
	conversation(AF_INET, 0, pair);
	shutdown(pair[0], SHUT_WR);
	wait_for_state(pair[0], PV_STATE_FIN_WAIT2);
	wait_for_state(pair[1], PV_STATE_CLOSE_WAIT);
	half_open();
	bound(AF_INET, SOCK_STREAM, 0); /* bound, inactive */
}

static void make_unix(void)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "a path" };
	struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0abstract\nname" };
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), pair[2];

	if (l < 0 || bind(l, (struct sockaddr *)&path, sizeof(path)) < 0 || listen(l, 3) < 0)
		fatal("unix");
	pair[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(pair[0], (struct sockaddr *)&path, sizeof(path)) < 0)
		fatal("unix");
	l = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(l, (struct sockaddr *)&abstract, offsetof(struct sockaddr_un, sun_path) + 14) < 0)
		fatal("unix");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fatal("socketpair");
	if (write(pair[0], "unread", 6) != 6)
		fatal("write");
}

static void make_other(void)
{
	struct sockaddr_ll lo = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ARP),
				  .sll_ifindex = 1 };
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), pair[2];

	if (fd < 0 || bind(fd, (struct sockaddr *)&lo, sizeof(lo)) < 0)
		fatal("packet");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || bind(fd, (struct sockaddr *)&nl, sizeof(nl)) < 0)
		fatal("netlink");
	fd = bound(AF_INET, SOCK_DGRAM, 0);
	connected(fd, AF_INET, SOCK_DGRAM, 0);
	bound(AF_INET6, SOCK_DGRAM, 0);
	conversation(AF_INET, IPPROTO_MPTCP, pair);
	/* a kernel may lack it */
	if (access("/proc/thread-self/net/udplite", R_OK) == 0)
		bound(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
}

static void make_sockets(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_(cleanup_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		fatal("lo");
	make_tcp();
	make_unix();
	make_other();
}

/* ---- reading ---- */

static struct netlink_query query(uint8_t proto, uint8_t family)
{
	return (struct netlink_query){
		.proto = proto, .family = family, .states = PV_STATE_ALL, .needs = PV_NEED_ALL
	};
}

static int read_with(struct tape *t, const struct netlink_query *q, struct rows *rows,
		     struct netlink_dump_result *result)
{
	_cleanup_(cleanup_fd) int fd = t->mode == TAPE_REPLAY ? -1 : netlink_open();
	struct sink sink = { keep_row, rows };

	return netlink_read_sockets(t, fd, q, 0, &sink, result);
}

static void read_live(const struct netlink_query *q, struct rows *rows)
{
	struct netlink_dump_result result;
	struct tape t = TAPE_INIT;
	size_t before = rows->v.n;

	assert_int_equal(read_with(&t, q, rows, &result), 0);
	assert_int_equal(result.malformed, 0);
	assert_int_equal(result.rows, rows->v.n - before);
	assert_true(result.done);
}

static unsigned count(const struct rows *rows, uint8_t state)
{
	unsigned n = 0;

	for (size_t i = 0; i < rows->v.n; i++)
		n += rows->v.items[i].state == state;
	return n;
}

static const struct pv_conversation *find(const struct rows *rows, uint64_t cookie)
{
	for (size_t i = 0; i < rows->v.n; i++)
		if (rows->v.items[i].cookie == cookie)
			return &rows->v.items[i];
	return NULL;
}

static void assert_same_socket(const struct pv_conversation *a, const struct pv_conversation *b)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(a->family, b->family);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->inode, b->inode);
	assert_memory_equal(&a->local, &b->local, sizeof(a->local));
	assert_memory_equal(&a->remote, &b->remote, sizeof(a->remote));
}

/* ---- tests ---- */

static void test_tcp_states(void **state)
{
	struct netlink_query q = query(PV_PROTO_TCP, AF_UNSPEC);
	ROWS rows = { 0 }, more = { 0 };

	(void)state;
	read_live(&q, &rows);
	assert_int_equal(count(&rows, PV_STATE_LISTEN), 6); /* one of them MPTCP's */
	assert_int_equal(count(&rows, PV_STATE_TIME_WAIT), 1);
	assert_int_equal(count(&rows, PV_STATE_SYN_RECV), 1);
	assert_int_equal(count(&rows, PV_STATE_FIN_WAIT2), 1);
	assert_int_equal(count(&rows, PV_STATE_CLOSE_WAIT), 1);
	/* two conversations, the half-open one's client, MPTCP's subflows */
	assert_int_equal(count(&rows, PV_STATE_ESTABLISHED), 2 * 2 + 1 + 2);
	assert_int_equal(count(&rows, PV_STATE_CLOSE), 0);
	q.bound_inactive = true;
	read_live(&q, &more);
	/* Linux before 6.8 does not know the question */
	assert_int_equal(more.v.n, rows.v.n + count(&more, PV_STATE_CLOSE));
	assert_true(count(&more, PV_STATE_CLOSE) <= 1);
}

/* One walk for both families gives what two walks give. */
static void test_one_walk(void **state)
{
	static const uint8_t protos[] = { PV_PROTO_TCP, PV_PROTO_MPTCP };

	(void)state;
	for (size_t i = 0; i < sizeof(protos); i++) {
		const struct netlink_query any = query(protos[i], AF_UNSPEC);
		const struct netlink_query v4 = query(protos[i], AF_INET);
		const struct netlink_query v6 = query(protos[i], AF_INET6);
		ROWS one = { 0 }, two = { 0 };

		read_live(&any, &one);
		read_live(&v4, &two);
		read_live(&v6, &two);
		assert_true(two.v.n > 0);
		assert_int_equal(one.v.n, two.v.n);
		for (size_t j = 0; j < two.v.n; j++)
			assert_same_socket(find(&one, two.v.items[j].cookie), &two.v.items[j]);
	}
}

static void test_state_mask(void **state)
{
	struct netlink_query q = query(PV_PROTO_TCP, AF_UNSPEC);
	ROWS rows = { 0 };

	(void)state;
	q.states = PV_STATE_BIT(PV_STATE_SYN_RECV) | PV_STATE_BIT(PV_STATE_TIME_WAIT);
	read_live(&q, &rows);
	assert_int_equal(rows.v.n, 2);
	assert_int_equal(count(&rows, PV_STATE_SYN_RECV), 1);
}

struct proc_row {
	struct pv_endpoint local, remote;
	unsigned state, uid;
	unsigned long inode;
};

static void parse_hex_address(const char *hex, struct pv_endpoint *e)
{
	/* groups of four bytes, each printed as a number of this machine */
	for (size_t i = 0; hex[i] != ':'; i += 8) {
		char group[9] = { 0 };
		uint32_t word;

		memcpy(group, hex + i, 8);
		word = (uint32_t)strtoul(group, NULL, 16);
		memcpy(e->addr + i / 2, &word, 4);
	}
	e->port = (uint32_t)strtoul(strchr(hex, ':') + 1, NULL, 16);
}

static bool parse_proc_line(const char *line, struct proc_row *row)
{
	char local[40], remote[40];

	memset(row, 0, sizeof(*row));
	if (sscanf(line, " %*d: %39s %39s %x %*s %*s %*s %u %*u %lu", local, remote, &row->state,
		   &row->uid, &row->inode) != 5)
		return false;
	parse_hex_address(local, &row->local);
	parse_hex_address(remote, &row->remote);
	return true;
}

static bool is_in_proc(const char *path, const struct pv_conversation *c)
{
	_cleanup_(cleanup_file) FILE *f = fopen(path, "re");
	char line[512];
	struct proc_row row;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (parse_proc_line(line, &row) &&
		    !memcmp(&row.local, &c->local, sizeof(row.local)) &&
		    !memcmp(&row.remote, &c->remote, sizeof(row.remote)) && row.state == c->state &&
		    row.inode == c->inode && row.uid == c->uid)
			return true;
	return false;
}

static size_t count_lines(const char *path)
{
	_cleanup_(cleanup_file) FILE *f = fopen(path, "re");
	char line[512];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n++;
	return n;
}

static void test_against_proc(void **state)
{
	static const struct {
		uint8_t proto, family;
		const char *path;
	} cases[] = {
		{ PV_PROTO_TCP, AF_INET, "/proc/thread-self/net/tcp" },
		{ PV_PROTO_TCP, AF_INET6, "/proc/thread-self/net/tcp6" },
		{ PV_PROTO_UDP, AF_INET, "/proc/thread-self/net/udp" },
		{ PV_PROTO_UDP, AF_INET6, "/proc/thread-self/net/udp6" },
		{ PV_PROTO_UDPLITE, AF_INET, "/proc/thread-self/net/udplite" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct netlink_query q = query(cases[i].proto, cases[i].family);
		ROWS rows = { 0 };

		if (access(cases[i].path, R_OK) < 0)
			continue;
		read_live(&q, &rows);
		assert_int_equal(rows.v.n + 1, count_lines(cases[i].path));
		assert_true(rows.v.n > 0);
		for (size_t j = 0; j < rows.v.n; j++)
			assert_true(is_in_proc(cases[i].path, &rows.v.items[j]));
	}
}

/* Every socket ss names by cookie is ours, and none is missing. */
static void test_against_ss(void **state)
{
	static const struct {
		const char *command;
		uint8_t proto, families[2];
	} cases[] = {
		{ "ss -tanHe", PV_PROTO_TCP, { AF_UNSPEC } },
		{ "ss -uanHe", PV_PROTO_UDP, { AF_INET, AF_INET6 } },
		{ "ss -0anHe", PV_PROTO_PACKET, { AF_PACKET } },
		{ "ss -ManHe", PV_PROTO_MPTCP, { AF_UNSPEC } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		FILE *f = popen(cases[i].command, "re");
		ROWS rows = { 0 };
		char line[1024];
		size_t n = 0;

		assert_non_null(f);
		for (size_t j = 0; j < 2 && (j == 0 || cases[i].families[j]); j++) {
			const struct netlink_query q = query(cases[i].proto, cases[i].families[j]);

			read_live(&q, &rows);
		}
		while (fgets(line, sizeof(line), f)) {
			const char *sk = strstr(line, " sk:");

			/* the second line of a packet socket */
			if (!sk)
				continue;
			if (!find(&rows, strtoull(sk + 4, NULL, 16)))
				fail_msg("%s: %s", cases[i].command, line);
			n++;
		}
		assert_int_equal(pclose(f), 0);
		assert_int_equal(n, rows.v.n);
		assert_true(n > 0);
	}
}

static void test_unix(void **state)
{
	const struct netlink_query q = query(PV_PROTO_UNIX, AF_UNIX);
	ROWS rows = { 0 };
	unsigned pairs = 0;

	(void)state;
	read_live(&q, &rows);
	for (size_t i = 0; i < rows.v.n; i++) {
		const struct pv_conversation *c = &rows.v.items[i];

		assert_int_equal(c->uid, getuid());
		for (size_t j = 0; c->peer_inode && j < rows.v.n; j++)
			pairs += rows.v.items[j].inode == c->peer_inode &&
				 rows.v.items[j].peer_inode == c->inode;
	}
	assert_int_equal(pairs, 2);
	assert_int_equal(count(&rows, PV_STATE_LISTEN), 1);
}

static void test_unix_against_proc(void **state)
{
	const struct netlink_query q = query(PV_PROTO_UNIX, AF_UNIX);
	_cleanup_(cleanup_file) FILE *f = fopen("/proc/thread-self/net/unix", "re");
	unsigned long inode;
	char line[512];
	ROWS rows = { 0 };
	size_t n = 0;

	(void)state;
	assert_non_null(f);
	read_live(&q, &rows);
	while (fgets(line, sizeof(line), f)) {
		bool is_found = false;

		/* the rest of a name with a newline is no row */
		if (sscanf(line, "%*x: %*x %*x %*x %*x %*x %lu", &inode) != 1)
			continue;
		/* not accepted yet: unix_diag leaves out sockets without an inode */
		if (inode == 0)
			continue;
		for (size_t i = 0; i < rows.v.n; i++)
			is_found |= rows.v.items[i].inode == inode;
		assert_true(is_found);
		n++;
	}
	assert_int_equal(n, rows.v.n);
}

static void test_packet_and_netlink(void **state)
{
	const struct netlink_query p = query(PV_PROTO_PACKET, AF_PACKET);
	const struct netlink_query n = query(PV_PROTO_NETLINK, AF_NETLINK);
	ROWS rows = { 0 };
	unsigned kernel = 0, ours = 0;

	(void)state;
	read_live(&p, &rows);
	assert_int_equal(rows.v.n, 1);
	assert_int_equal(rows.v.items[0].local.port, ETH_P_ARP);
	assert_int_equal(rows.v.items[0].ifindex, 1);
	assert_int_equal(rows.v.items[0].type, SOCK_DGRAM);
	rows.v.n = 0;
	read_live(&n, &rows);
	for (size_t i = 0; i < rows.v.n; i++) {
		kernel += (rows.v.items[i].flags & PV_CONV_KERNEL) != 0;
		ours += rows.v.items[i].local.port != 0 &&
			rows.v.items[i].protocol == NETLINK_ROUTE;
	}
	assert_true(kernel > 0);
	assert_int_equal(ours, 1);
}

static void test_details(void **state)
{
	const struct netlink_query q = query(PV_PROTO_TCP, AF_UNSPEC);
	ROWS rows = { 0 };
	unsigned unread = 0, keepalive = 0, timewait = 0;

	(void)state;
	read_live(&q, &rows);
	for (size_t i = 0; i < rows.v.n; i++) {
		const struct pv_conversation *c = &rows.v.items[i];

		unread += c->recv_q == 6;
		keepalive += c->timer == PV_TIMER_KEEPALIVE && c->timer_ms > 7000000;
		timewait += c->timer == PV_TIMER_TIMEWAIT && c->timer_ms <= 60000;
		/* pointers into the parser's stack are only compared with NULL here */
		assert_true((c->detail != NULL) ==
			    (c->state != PV_STATE_TIME_WAIT && c->state != PV_STATE_SYN_RECV));
	}
	assert_true(unread >= 1);
	assert_true(keepalive >= 1);
	assert_true(timewait >= 1);
}

/* The kernel takes the bytecode: only one listener's port. */
static void test_bytecode(void **state)
{
	struct netlink_query q = query(PV_PROTO_TCP, AF_UNSPEC);
	ROWS all = { 0 }, some = { 0 };
	/* local port >= and <= `port`: two operations of 8 bytes, rejecting beyond the end */
	uint16_t port;
	uint16_t code[8] = { 0 };

	(void)state;
	q.states = PV_STATE_BIT(PV_STATE_LISTEN);
	read_live(&q, &all);
	port = (uint16_t)all.v.items[0].local.port;
	((uint8_t *)code)[0] = 2; /* INET_DIAG_BC_S_GE */
	((uint8_t *)code)[1] = 8;
	code[1] = 20;
	code[3] = port;
	((uint8_t *)code)[8] = 3; /* INET_DIAG_BC_S_LE */
	((uint8_t *)code)[9] = 8;
	code[5] = 12;
	code[7] = port;
	q.code = code;
	q.code_len = sizeof(code);
	read_live(&q, &some);
	assert_true(all.v.n > 1);
	assert_int_equal(some.v.n, 1);
	assert_int_equal(some.v.items[0].local.port, port);
}

static void test_socket_exists(void **state)
{
	static const struct {
		uint8_t proto, family;
	} cases[] = {
		{ PV_PROTO_TCP, AF_INET },  { PV_PROTO_TCP, AF_INET6 }, { PV_PROTO_UDP, AF_INET },
		{ PV_PROTO_UDP, AF_INET6 }, { PV_PROTO_UNIX, AF_UNIX },
	};
	_cleanup_(cleanup_fd) int fd = netlink_open();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct netlink_query q = query(cases[i].proto, cases[i].family);
		ROWS rows = { 0 };

		read_live(&q, &rows);
		assert_true(rows.v.n > 0);
		for (size_t j = 0; j < rows.v.n; j++) {
			struct pv_conversation c = rows.v.items[j];

			assert_int_equal(netlink_socket_exists(fd, &c), NETLINK_EXISTS);
			c.cookie += 1000000;
			assert_int_equal(
				netlink_socket_exists(fd, &c),
				c.proto == PV_PROTO_UDP || c.state == PV_STATE_LISTEN
					? (c.proto == PV_PROTO_UNIX ? NETLINK_GONE : NETLINK_UNSURE)
					: NETLINK_GONE);
		}
	}
}

static void test_missing_module(void **state)
{
	const struct netlink_query q = query(PV_PROTO_SCTP, AF_INET);
	struct netlink_dump_result result;
	struct tape t = TAPE_INIT;
	ROWS rows = { 0 };
	int r = read_with(&t, &q, &rows, &result);

	(void)state;
	if (r == 0)
		skip();
	assert_int_equal(r, NETLINK_REFUSED);
	assert_int_equal(result.error, -ENOENT);
}

struct recorded_query {
	uint8_t proto, family;
};

static const struct recorded_query recorded[] = {
	{ PV_PROTO_TCP, AF_UNSPEC },	{ PV_PROTO_TCP, AF_INET },
	{ PV_PROTO_TCP, AF_INET6 },	{ PV_PROTO_MPTCP, AF_UNSPEC },
	{ PV_PROTO_UDP, AF_INET },	{ PV_PROTO_UDP, AF_INET6 },
	{ PV_PROTO_UDPLITE, AF_INET },	{ PV_PROTO_UNIX, AF_UNIX },
	{ PV_PROTO_PACKET, AF_PACKET }, { PV_PROTO_NETLINK, AF_NETLINK },
};
#define N_RECORDED (sizeof(recorded) / sizeof(*recorded))

static void record_all(const char *dir, struct rows *rows, struct netlink_dump_result *results)
{
	struct tape t = TAPE_INIT;

	assert_int_equal(tape_open(&t, dir, NULL), 0);
	for (size_t i = 0; i < N_RECORDED; i++) {
		const struct netlink_query q = query(recorded[i].proto, recorded[i].family);

		assert_true(read_with(&t, &q, &rows[i], &results[i]) >= 0);
	}
	tape_close(&t);
}

static void test_replay_is_identical(void **state)
{
	struct rows live[N_RECORDED] = { 0 };
	struct netlink_dump_result results[N_RECORDED];
	struct tape t = TAPE_INIT;
	char dir[] = "recording", command[32];

	(void)state;
	record_all(dir, live, results);
	assert_int_equal(tape_open(&t, NULL, dir), 0);
	for (size_t i = 0; i < N_RECORDED; i++) {
		const struct netlink_query q = query(recorded[i].proto, recorded[i].family);
		struct netlink_dump_result result;
		ROWS rows = { 0 };

		assert_true(read_with(&t, &q, &rows, &result) >= 0);
		assert_int_equal(result.datagrams, results[i].datagrams);
		assert_int_equal(result.row_datagrams, results[i].row_datagrams);
		assert_int_equal(result.row_bytes, results[i].row_bytes);
		assert_int_equal(result.rows, results[i].rows);
		assert_int_equal(result.done, results[i].done);
		assert_int_equal(netlink_dump_is_exact(&q, &result),
				 netlink_dump_is_exact(&q, &results[i]));
		assert_int_equal(rows.v.n, live[i].v.n);
		for (size_t j = 0; j < rows.v.n; j++)
			assert_same_socket(&rows.v.items[j], &live[i].v.items[j]);
		cleanup_rows(&live[i]);
	}
	tape_close(&t);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_states),
		cmocka_unit_test(test_one_walk),
		cmocka_unit_test(test_state_mask),
		cmocka_unit_test(test_against_proc),
		cmocka_unit_test(test_against_ss),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_against_proc),
		cmocka_unit_test(test_packet_and_netlink),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_bytecode),
		cmocka_unit_test(test_socket_exists),
		cmocka_unit_test(test_missing_module),
		cmocka_unit_test(test_replay_is_identical),
	};

	return cmocka_run_group_tests_name("netlink-live", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/test-netlink-live-XXXXXX";
	struct rows rows[N_RECORDED] = { 0 };
	struct netlink_dump_result results[N_RECORDED];
	int r = 0;

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace of one's own: %s\n", strerror(errno));
		return SKIP_STATUS;
	}
	if (!mkdtemp(dir) || chdir(dir) < 0)
		fatal(dir);
	make_sockets();
	if (argc == 3 && !strcmp(argv[1], "record"))
		record_all(argv[2], rows, results);
	else
		r = run_group();
	for (size_t i = 0; i < N_RECORDED; i++)
		cleanup_rows(&rows[i]);
	unlink("a path");
	rmdir(dir);
	return r;
}
