/* SPDX-License-Identifier: MIT */
/*
 * Real sockets in a network namespace of their own, dumped by the kernel with lowered filters, and
 * listed by ss with the same text. Sets of cookies are compared.
 */
#include "filter_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

struct cookies {
	uint64_t *items;
	size_t n, cap;
};

static union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
} address(const char *text, uint16_t port, socklen_t *len)
{
	union address a = { .in = { .sin_family = AF_INET, .sin_port = htons(port) } };

	*len = sizeof(a.in);
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1)
		return a;
	a = (union address){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
	*len = sizeof(a.in6);
	assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
	return a;
}

static int new_socket(const char *text, int type)
{
	int one = 1, fd = socket(strchr(text, ':') ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	return fd;
}

static void bind_to(int fd, const char *text, uint16_t port)
{
	socklen_t len;
	union address a = address(text, port, &len);

	if (bind(fd, &a.sa, len) < 0)
		fail_msg("bind %s:%u: %s", text, port, strerror(errno));
}

static void connect_to(int fd, const char *text, uint16_t port)
{
	socklen_t len;
	union address a = address(text, port, &len);

	if (connect(fd, &a.sa, len) < 0 && errno != EINPROGRESS)
		fail_msg("connect %s:%u: %s", text, port, strerror(errno));
}

static int listen_on(const char *text, uint16_t port, const char *device, unsigned int mark,
		     int backlog)
{
	int fd = new_socket(text, SOCK_STREAM);

	if (device)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
					    (socklen_t)strlen(device)),
				 0);
	if (mark)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	bind_to(fd, text, port);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* A connection to a listener; the accepted end is returned, the other one in *client. */
static int converse(int listener, const char *from, uint16_t from_port, const char *to,
		    uint16_t port, int *client)
{
	int fd;

	*client = new_socket(to, SOCK_STREAM);
	if (from)
		bind_to(*client, from, from_port);
	connect_to(*client, to, port);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void udp_socket(const char *local, uint16_t port, const char *remote, uint16_t remote_port)
{
	int fd = new_socket(local, SOCK_DGRAM);

	bind_to(fd, local, port);
	if (remote)
		connect_to(fd, remote, remote_port);
}

/* The descriptors stay open until the process ends. */
static void make_sockets(void)
{
	int ssh = listen_on("0.0.0.0", 22, NULL, 0, 9);
	int http = listen_on("127.0.0.1", 80, NULL, 0, 9);
	int https = listen_on("10.9.8.7", 443, NULL, 0, 9);
	int dual = listen_on("::", 8080, NULL, 0, 9);
	int six = listen_on("2001:db8::7", 5432, NULL, 0, 9);
	int full = listen_on("127.0.0.1", 7003, NULL, 0, 0);
	int client, fd;

	listen_on("127.0.0.1", 7001, "lo", 0, 9);
	listen_on("127.0.0.1", 7002, NULL, 0x11, 9);
	converse(ssh, NULL, 0, "127.0.0.1", 22, &client);
	converse(ssh, "10.9.8.7", 50000, "10.9.8.7", 22, &client);
	converse(http, "127.0.0.2", 1023, "127.0.0.1", 80, &client);
	converse(http, "127.0.0.3", 1024, "127.0.0.1", 80, &client);
	converse(https, NULL, 0, "10.9.8.7", 443, &client);
	converse(dual, NULL, 0, "127.0.0.1", 8080, &client);
	converse(dual, NULL, 0, "::1", 8080, &client);
	converse(dual, "::ffff:10.9.8.7", 0, "::ffff:10.9.8.7", 8080, &client);
	converse(six, NULL, 0, "2001:db8::7", 5432, &client);
	converse(six, "2001:db8::7", 65535, "2001:db8::7", 5432, &client);
	/* TIME_WAIT; CLOSE_WAIT and FIN_WAIT2 */
	fd = converse(http, "127.0.0.4", 33000, "127.0.0.1", 80, &client);
	close(client);
	close(fd);
	fd = converse(six, NULL, 0, "2001:db8::7", 5432, &client);
	close(fd);
	/* SYN_SENT: the accept queue is full, so the listener drops what comes */
	for (int i = 0; i < 4; i++) {
		client = new_socket("127.0.0.1", SOCK_STREAM | SOCK_NONBLOCK);
		connect_to(client, "127.0.0.1", 7003);
	}
	(void)full;
	udp_socket("127.0.0.1", 53, NULL, 0);
	udp_socket("127.0.0.1", 0, "127.0.0.1", 53);
	udp_socket("::", 514, NULL, 0);
	udp_socket("::ffff:127.0.0.1", 4000, "::ffff:127.0.0.1", 53);
	udp_socket("2001:db8::7", 4001, "::1", 514);
	usleep(100 * 1000);
}

/* Dumps */

struct dump {
	struct pv_snapshot *s;
	enum pv_proto proto;
};

static int on_attr(const struct nlattr *attr, void *userdata)
{
	struct pv_conversation *row = userdata;

	if (mnl_attr_get_type(attr) == INET_DIAG_MARK &&
	    mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		row->mark = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int on_socket(const struct nlmsghdr *nlh, void *userdata)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct dump *d = userdata;
	struct pv_conversation row = {
		.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
		.family = m->idiag_family,
		.proto = (uint8_t)d->proto,
		.state = m->idiag_state,
		.ifindex = m->id.idiag_if,
		.local.port = ntohs(m->id.idiag_sport),
		.remote.port = ntohs(m->id.idiag_dport),
		.uid = m->idiag_uid,
		.inode = m->idiag_inode,
	};

	memcpy(row.local.addr, m->id.idiag_src, m->idiag_family == AF_INET6 ? 16 : 4);
	memcpy(row.remote.addr, m->id.idiag_dst, m->idiag_family == AF_INET6 ? 16 : 4);
	mnl_attr_parse(nlh, sizeof(*m), on_attr, &row);
	return snapshot_add(d->s, &row) ? MNL_CB_OK : MNL_CB_ERROR;
}

static void dump_one(struct mnl_socket *nl, struct dump *d, uint8_t family, const void *code,
		     size_t size)
{
	_cleanup_(cleanup_free) char *buf = malloc(1 << 17);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	ssize_t n;
	int r;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = 1;
	*req = (struct inet_diag_req_v2){ .sdiag_family = family,
					  .sdiag_protocol = d->proto == PV_PROTO_TCP ? IPPROTO_TCP
										     : IPPROTO_UDP,
					  .idiag_states = 0xfff };
	if (code)
		mnl_attr_put(nlh, INET_DIAG_REQ_BYTECODE, size, code);
	assert_true(mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) > 0);
	do {
		n = mnl_socket_recvfrom(nl, buf, 1 << 17);
		assert_true(n > 0);
		r = mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), on_socket, d);
		if (r < 0)
			fail_msg("dump: %s", strerror(errno));
	} while (r > 0);
}

/* All sockets, or those the kernel lets through for a filter. */
static struct pv_snapshot *dump_all(const struct pv_filter *lowered)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_SOCK_DIAG);
	struct pv_netns ns = { .inode = 1 };
	struct dump d = { .s = snapshot_new() };
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	assert_true(f && fscanf(f, "%hu %hu", &ns.ephemeral_first, &ns.ephemeral_last) == 2);
	fclose(f);
	assert_non_null(nl);
	assert_int_equal(mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID), 0);
	assert_int_equal(vec_push(&d.s->netns, ns), 0);
	assert_int_equal(snapshot_add_ifname(d.s, 0, 1, "lo"), 0);
	for (int i = 0; i < 4; i++) {
		_cleanup_(cleanup_free) void *code = NULL;
		size_t size = 0;

		d.proto = i & 2 ? PV_PROTO_UDP : PV_PROTO_TCP;
		if (lowered)
			assert_int_equal(pv_filter_lower(lowered, i & 1, &code, &size), 0);
		dump_one(nl, &d, i & 1 ? AF_INET6 : AF_INET, code, size);
	}
	mnl_socket_close(nl);
	snapshot_seal(d.s);
	return d.s;
}

/* Sets */

static int compare_cookies(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_cookies(struct cookies *c)
{
	if (c->n)
		qsort(c->items, c->n, sizeof(*c->items), compare_cookies);
}

static struct cookies matching(const struct pv_snapshot *s, const struct pv_filter *f)
{
	struct cookies c = { 0 };

	for (size_t i = 0; i < s->n_rows; i++)
		if (!f || pv_filter_match(f, s, snapshot_row(s, i)))
			assert_int_equal(vec_push(&c, snapshot_row(s, i)->cookie), 0);
	sort_cookies(&c);
	return c;
}

static bool same_cookies(const struct cookies *a, const struct cookies *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->items, b->items, a->n * sizeof(*a->items)));
}

static struct pv_filter *parse_or_fail(const char *text)
{
	struct pv_syntax_error e;
	struct pv_filter *f = NULL;

	if (pv_filter_parse(text, &f, &e) < 0)
		fail_msg("%s at %zu: %s", text, e.offset, e.message);
	return f;
}

/* Filters that ss understands too. `exact`: the kernel decides all of it. */
static const struct live_case {
	const char *text;
	bool is_exact;
} cases[] = {
	{ "sport = :22", true },
	{ "sport 22", true },
	{ "sport ssh", true },
	{ "sport = :http", true },
	{ "sport eq 80", true },
	{ "sport == 80", true },
	{ "dport 80", true },
	{ "dport = https", true },
	{ "dport inet:443", true },
	{ "sport != 80", true },
	{ "dport ne :5432", true },
	{ "sport neq 22", true },
	{ "sport > 1023", true },
	{ "sport gt 1024", true },
	{ "sport >= 1024", true },
	{ "sport ge 65535", true },
	{ "sport geq 8080", true },
	{ "sport < 1024", true },
	{ "sport lt 80", true },
	{ "dport <= 80", true },
	{ "dport le 443", true },
	{ "dport leq 0", true },
	{ "sport >= 0", true },
	{ "sport < 0", true },
	{ "src 127.0.0.1", true },
	{ "dst 127.0.0.1", true },
	{ "dst = 127.0.0.0/8", true },
	{ "dst 127/8", true },
	{ "dst 10.9.8.7", true },
	{ "src 10.9.8/24", true },
	{ "src 0.0.0.0/0", true },
	{ "src ::/0", true },
	{ "dst 0.0.0.0", true },
	{ "dst [::1]", true },
	{ "dst [::]", true },
	{ "dst [::ffff:127.0.0.1]", true },
	{ "dst ::ffff:0:0/96", true },
	{ "dst [::1]:8080", true },
	{ "src [2001:db8::7]:5432", true },
	{ "src [2001:db8::7]", true },
	{ "src 2001:db8::/32", true },
	{ "src inet6:[2001:db8::7]", true },
	{ "src 127.0.0.1:80", true },
	{ "src 127.0.0.0/8:80", true },
	{ "src 127.0.0.1:http", true },
	{ "src *:8080", true },
	{ "src :8080", true },
	{ "src *", true },
	{ "src 127.0.0.1/255.255.0.0", true },
	{ "src 127.0.0.1 dst 127.0.0.1", true },
	{ "sport = :80 or dport = :80", true },
	{ "( sport = :80 or dport = :80 ) and dst 127.0.0.2", true },
	{ "( sport = :80 | dport = :80 ) & not dst 127.0.0.2", true },
	{ "! ( sport = :80 || dport = :80 ) && src 127.0.0.0/8", true },
	{ "not sport 80", true },
	{ "not ( dst 127.0.0.0/8 or dst [::1] )", true },
	{ "! ( ! sport 80 and ! dport 80 )", true },
	{ "not dst 127.0.0.0/8", true },
	{ "dev lo", false },
	{ "dev = 1", true },
	{ "dev 0", true },
	{ "dev != lo", false },
	{ "dev ne 1", true },
	{ "fwmark 0x11", false },
	{ "fwmark = 0x10/0xf0", false },
	{ "fwmark != 0x11", false },
	{ "not fwmark 0x1/0x1 and sport > 7000", false },
	{ "state listening", false },
	{ "state established", false },
	{ "state syn-sent", false },
	{ "state time-wait", false },
	{ "state close-wait", false },
	{ "state fin-wait-2", false },
	{ "state connected", false },
	{ "state synchronized", false },
	{ "state bucket", false },
	{ "state big", false },
	{ "state closed", false },
	{ "state all", false },
	{ "exclude listening", false },
	{ "exclude established exclude time-wait", false },
	{ "state listening state established sport 80", false },
	{ "state established dst 127.0.0.1 dport 80", false },
};

/* Filters ss does not know, and long ones. */
static const struct live_case own_cases[] = {
	{ "port 80", true },
	{ "port != 80", true },
	{ "port > 60000", true },
	{ "sport 80-443", true },
	{ "not sport 80-443", true },
	{ "addr 10.9.8.7", true },
	{ "addr != 10.9.8.7", true },
	{ "src != 127.0.0.1", true },
	{ "src inet:127.0.0.1", true },
	{ "not src inet:127.0.0.1", true },
	{ "family inet6", true },
	{ "localhost", true },
	{ "2001:db8::7", true },
	{ "uid 0 and sport 80", false },
	{ "not (uid != 0 or sport 80)", false },
	{ "state listening or sport 80", false },
	{ "not (state listening and sport 80)", false },
	{ "proto udp and port 53", false },
	{ "autobound", false },
	{ "not autobound and dport 80", false },
	{ "autobound or sport 22", false },
};

static void check_kernel(const struct pv_snapshot *all, const struct live_case *c)
{
	struct pv_filter *f = parse_or_fail(c->text);
	struct pv_snapshot *kept = dump_all(f);
	struct cookies want = matching(all, f), kernel = matching(kept, NULL),
		       both = matching(kept, f);

	if (!same_cookies(&want, &both))
		fail_msg("%s: %zu sockets, with bytecode %zu", c->text, want.n, both.n);
	if (c->is_exact && !same_cookies(&want, &kernel))
		fail_msg("%s: %zu sockets, by bytecode alone %zu", c->text, want.n, kernel.n);
	vec_deinit(&want);
	vec_deinit(&kernel);
	vec_deinit(&both);
	pv_snapshot_free(kept);
	pv_filter_free(f);
}

static void test_kernel(void **state)
{
	struct pv_snapshot *all = dump_all(NULL);

	(void)state;
	assert_true(all->n_rows > 30);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_kernel(all, &cases[i]);
	for (size_t i = 0; i < sizeof(own_cases) / sizeof(*own_cases); i++)
		check_kernel(all, &own_cases[i]);
	pv_snapshot_free(all);
}

/* Long chains: jumps as far as they go. */
static void test_kernel_long(void **state)
{
	static const char *const pieces[] = { "sport 4 or ", "sport != 4 and ", "!(dport 9) and ",
					      "src ::2 or ", "src 1.2.3.4:5 or " };
	struct pv_snapshot *all = dump_all(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		for (int n = 1; n <= 1000; n *= 10) {
			_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
			struct live_case c = { .is_exact = true };

			for (int k = 0; k < n; k++)
				buf_puts(&text, pieces[i]);
			buf_puts(&text, "sport 80");
			c.text = buf_str(&text);
			check_kernel(all, &c);
		}
	}
	pv_snapshot_free(all);
}

/* The cookies ss prints for a filter (-e: "sk:HEX"), each word of it one argument. */
static struct cookies ask_ss(const char *text)
{
	_cleanup_(cleanup_buf) struct buf command = BUF_INIT;
	_cleanup_(cleanup_free) char *line = NULL, *words = strdup(text);
	char *rest = words, *word;
	struct cookies c = { 0 };
	size_t cap = 0;
	FILE *f;

	buf_puts(&command, "ss -tuanHeO");
	while ((word = strsep(&rest, " ")))
		buf_printf(&command, " '%s'", word);
	f = popen(buf_str(&command), "re");
	assert_non_null(f);
	while (getline(&line, &cap, f) > 0) {
		const char *sk = strstr(line, " sk:");

		if (!sk)
			fail_msg("%s: ss prints %s", text, line);
		assert_int_equal(vec_push(&c, strtoull(sk + 4, NULL, 16)), 0);
	}
	if (pclose(f) != 0)
		fail_msg("ss refuses %s", text);
	sort_cookies(&c);
	return c;
}

static void test_ss(void **state)
{
	struct pv_snapshot *all = dump_all(NULL);
	size_t n = 0, n_wrong = 0, n_telling = 0;

	(void)state;
	if (system("ss -V >/dev/null 2>&1") != 0) {
		print_message("no ss on this host\n");
		skip();
	}
	for (; n < sizeof(cases) / sizeof(*cases); n++) {
		struct pv_filter *f = parse_or_fail(cases[n].text);
		struct cookies ours = matching(all, f), theirs = ask_ss(cases[n].text);

		if (!same_cookies(&ours, &theirs)) {
			print_error("%s: %zu sockets, ss has %zu\n", cases[n].text, ours.n,
				    theirs.n);
			n_wrong++;
		}
		n_telling += ours.n > 0 && ours.n < all->n_rows;
		vec_deinit(&ours);
		vec_deinit(&theirs);
		pv_filter_free(f);
	}
	print_message("%zu filters compared with ss over %zu sockets; %zu select some of them\n", n,
		      all->n_rows, n_telling);
	pv_snapshot_free(all);
	assert_int_equal(n_wrong, 0);
	assert_true(n_telling >= 60);
}

int live_main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_kernel_long),
		cmocka_unit_test(test_ss),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("no network namespace can be made here: %s\n", strerror(errno));
		return 77;
	}
	if (system("ip link set lo up && ip addr add 10.9.8.7/24 dev lo && "
		   "ip addr add 2001:db8::7/64 dev lo nodad") != 0) {
		printf("the namespace's addresses cannot be set with ip(8)\n");
		return 77;
	}
	make_sockets();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
