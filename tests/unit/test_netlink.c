/* SPDX-License-Identifier: MIT */
/*
 * sock_diag answers from recorded and hand-built bytes. The recordings in data/netlink are of a
 * 6.18 kernel (made by `test_netlink_live record`); the protocols that kernel lacked are built
 * here.
 */
#include "netlink_messages.h"

/* ---- inet ---- */

static void test_inet_fields(void **state)
{
	ROWS rows = { 0 };
	struct message m = { 0 };
	size_t at = put_inet(&m, AF_INET6, PV_STATE_ESTABLISHED);
	struct netlink_query q = tcp4;
	const struct pv_conversation *c;

	(void)state;
	put_u8(&m, at, INET_DIAG_SHUTDOWN, 2);
	put_u8(&m, at, INET_DIAG_SKV6ONLY, 1);
	put_u32(&m, at, INET_DIAG_MARK, 77);
	q.family = AF_INET6;
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	assert_int_equal(rows.v.n, 1);
	c = &rows.v.items[0].c;
	assert_int_equal(c->proto, PV_PROTO_TCP);
	assert_int_equal(c->family, AF_INET6);
	assert_int_equal(c->type, SOCK_STREAM);
	assert_int_equal(c->state, PV_STATE_ESTABLISHED);
	assert_int_equal(c->local.port, 443);
	assert_int_equal(c->remote.port, 0xc0bb);
	assert_int_equal(c->local.addr[0], 0x20);
	assert_int_equal(c->local.addr[15], 1);
	assert_int_equal(c->remote.addr[15], 2);
	assert_true(c->cookie == UINT64_C(0x5566778811223344));
	assert_int_equal(c->inode, 4242);
	assert_int_equal(c->uid, 1000);
	assert_int_equal(c->recv_q, 5);
	assert_int_equal(c->send_q, 6);
	assert_int_equal(c->ifindex, 2);
	assert_int_equal(c->mark, 77);
	assert_int_equal(c->timer, PV_TIMER_KEEPALIVE);
	assert_int_equal(c->timer_ms, 1234);
	assert_int_equal(c->retrans, 3);
	assert_int_equal(c->shutdown, 2);
	assert_int_equal(c->flags, PV_CONV_V6ONLY | PV_CONV_V6ONLY_KNOWN);
	assert_null(c->detail);
	assert_null(c->path);
}

/* Bytes 4 to 15 of an IPv4 address are whatever the kernel left there. */
static void test_inet_v4_address_is_four_bytes(void **state)
{
	ROWS rows = { 0 };
	struct message m = { 0 };
	static const uint8_t zeroes[12];

	(void)state;
	put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);
	parse(&m, &tcp4, &rows);
	assert_int_equal(rows.v.n, 1);
	assert_memory_equal(rows.v.items[0].c.local.addr, "\x20\x01\x0d\xb8", 4);
	assert_memory_equal(rows.v.items[0].c.local.addr + 4, zeroes, 12);
	assert_memory_equal(rows.v.items[0].c.remote.addr + 4, zeroes, 12);
}

static void test_inet_states(void **state)
{
	static const struct {
		uint8_t wire, row;
	} cases[] = {
		{ PV_STATE_LISTEN, PV_STATE_LISTEN },
		{ PV_STATE_CLOSING, PV_STATE_CLOSING },
		{ PV_STATE_SYN_RECV, PV_STATE_SYN_RECV },
		{ 12, PV_STATE_SYN_RECV },
		{ 13, PV_STATE_CLOSE },
		{ 14, PV_STATE_UNKNOWN },
		{ 255, PV_STATE_UNKNOWN },
		{ 0, PV_STATE_UNKNOWN },
	};
	ROWS rows = { 0 };
	struct message m = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		put_inet(&m, AF_INET, cases[i].wire);
	assert_int_equal(parse(&m, &tcp4, &rows).malformed, 0);
	assert_int_equal(rows.v.n, sizeof(cases) / sizeof(*cases));
	for (size_t i = 0; i < rows.v.n; i++)
		assert_int_equal(rows.v.items[i].c.state, cases[i].row);
}

static void test_inet_details(void **state)
{
	const uint32_t mem[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	const uint64_t cgroup = UINT64_C(0x123456789a);
	ROWS rows = { 0 };
	struct message m = { 0 };
	size_t at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);
	const struct pv_detail *d;

	(void)state;
	put_attribute(&m, at, INET_DIAG_SKMEMINFO, mem, sizeof(mem));
	put_attribute(&m, at, INET_DIAG_CONG, "bbr", 4);
	put_u8(&m, at, INET_DIAG_TOS, 0x10);
	put_u8(&m, at, INET_DIAG_TCLASS, 0x20);
	put_u32(&m, at, INET_DIAG_CLASS_ID, 99);
	put_attribute(&m, at, INET_DIAG_CGROUP_ID, &cgroup, sizeof(cgroup));
	/* a name without a NUL, longer than there is room for */
	at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);
	put_attribute(&m, at, INET_DIAG_CONG, "aaaaaaaaaaaaaaaaaaaaaaaa", 24);
	assert_int_equal(parse(&m, &tcp4, &rows).malformed, 0);
	d = &rows.v.items[0].detail;
	assert_int_equal(d->present,
			 PV_DETAIL_MEM | PV_DETAIL_CONG | PV_DETAIL_TOS | PV_DETAIL_CGROUP);
	assert_memory_equal(d->mem, mem, sizeof(mem));
	assert_string_equal(d->congestion, "bbr");
	assert_int_equal(d->tos, 0x10);
	assert_int_equal(d->tclass, 0x20);
	assert_int_equal(d->class_id, 99);
	assert_true(d->cgroup_id == cgroup);
	assert_string_equal(rows.v.items[1].detail.congestion, "aaaaaaaaaaaaaaa");
}

/* What the kernel sends unasked makes no detail. */
static void test_inet_details_not_needed(void **state)
{
	const uint64_t cgroup = 5;
	ROWS rows = { 0 };
	struct message m = { 0 };
	size_t at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);
	struct netlink_query q = tcp4;

	(void)state;
	put_attribute(&m, at, INET_DIAG_CGROUP_ID, &cgroup, sizeof(cgroup));
	q.needs = 0;
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	assert_null(rows.v.items[0].c.detail);
}

static void test_tcp_info_lengths(void **state)
{
	static const uint16_t lengths[] = { 8, 104, 232, 280, 400 };
	uint8_t info[400];
	ROWS rows = { 0 };
	struct message m = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(i | 1);
	info[6] = 0x97; /* scales 7 (send) and 9, on a little-endian machine */
	info[7] = 0x05; /* app limited, client fail 2 */
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		put_attribute(&m, put_inet(&m, AF_INET, PV_STATE_ESTABLISHED), INET_DIAG_INFO, info,
			      lengths[i]);
	assert_int_equal(parse(&m, &tcp4, &rows).malformed, 0);
	assert_int_equal(rows.v.n, sizeof(lengths) / sizeof(*lengths));
	for (size_t i = 0; i < rows.v.n; i++) {
		const struct pv_detail *d = &rows.v.items[i].detail;
		size_t n = lengths[i] < sizeof(d->tcp) ? lengths[i] : sizeof(d->tcp);
		const uint8_t *got = (const uint8_t *)&d->tcp;

		assert_int_equal(d->present, PV_DETAIL_TCP);
		assert_int_equal(d->tcp_len, lengths[i]);
		assert_memory_equal(got + 8, info + 8, n - 8);
		for (size_t j = n; j < sizeof(d->tcp); j++)
			assert_int_equal(got[j], 0);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		assert_int_equal(d->tcp.wscale, 0x97);
		assert_int_equal(d->tcp.app_limited, 0x05);
#endif
	}
}

static void test_inet_unknown_attributes(void **state)
{
	ROWS rows = { 0 };
	struct message m = { 0 };
	size_t at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);

	(void)state;
	put_u32(&m, at, INET_DIAG_MAX + 40, 1);
	put_u32(&m, at, 0x3fff, 1);
	put_attribute(&m, at, INET_DIAG_ULP_INFO | NLA_F_NESTED, "abcdefghij", 10);
	put_attribute(&m, at, 0, "", 0);
	put_u8(&m, at, INET_DIAG_TOS | NLA_F_NET_BYTEORDER, 0x44);
	assert_int_equal(parse(&m, &tcp4, &rows).malformed, 0);
	assert_int_equal(rows.v.n, 1);
	assert_int_equal(rows.v.items[0].detail.tos, 0x44);
}

/* The upper layer protocol: TLS is marked, others and cut names are not. */
static void test_upper_layer(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t flags;
	} cases[] = { { "tls", 4, PV_CONV_TLS }, { "tls", 3, PV_CONV_TLS },
		      { "mptcp", 6, 0 },	 { "tl", 2, 0 },
		      { "tlsx", 5, 0 },		 { "", 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ROWS rows = { 0 };
		struct message m = { 0 };
		size_t at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);
		size_t nest = put_attribute(&m, at, INET_DIAG_ULP_INFO | NLA_F_NESTED, "", 0);
		uint16_t len;

		put_attribute(&m, at, INET_ULP_INFO_NAME, cases[i].name, cases[i].len);
		len = (uint16_t)(m.len - nest);
		memcpy(m.data + nest, &len, sizeof(len));
		assert_int_equal(parse(&m, &tcp4, &rows).malformed, 0);
		assert_int_equal(rows.v.items[0].c.flags & PV_CONV_TLS, cases[i].flags);
	}
}

/* Other protocols send a structure of their own as INFO: it is not a tcp_info. */
static void test_info_of_others(void **state)
{
	static const uint8_t protos[] = { PV_PROTO_MPTCP, PV_PROTO_SCTP, PV_PROTO_DCCP };
	uint8_t info[300] = { 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(protos); i++) {
		ROWS rows = { 0 };
		struct message m = { 0 };
		struct netlink_query q = tcp4;

		q.proto = protos[i];
		put_attribute(&m, put_inet(&m, AF_INET, PV_STATE_LISTEN), INET_DIAG_INFO, info,
			      sizeof(info));
		assert_int_equal(parse(&m, &q, &rows).malformed, 0);
		assert_int_equal(rows.v.n, 1);
		assert_null(rows.v.items[0].c.detail);
	}
}

/* ---- lies ---- */

static void test_attribute_lengths_lie(void **state)
{
	static const uint16_t lengths[] = { 0, 3, 4096, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		ROWS rows = { 0 };
		struct message m = { 0 };
		size_t at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED), a;

		put_u8(&m, at, INET_DIAG_TOS, 9);
		a = put_u32(&m, at, INET_DIAG_MARK, 1);
		memcpy(m.data + a, &lengths[i], sizeof(lengths[i]));
		put_inet(&m, AF_INET, PV_STATE_LISTEN);
		/* the socket is kept, with what came before the lie; so is the next one */
		assert_int_equal(parse(&m, &tcp4, &rows).malformed, 1);
		assert_int_equal(rows.v.n, 2);
		assert_int_equal(rows.v.items[0].detail.tos, 9);
		assert_int_equal(rows.v.items[0].c.mark, 0);
		assert_int_equal(rows.v.items[1].c.state, PV_STATE_LISTEN);
	}
}

/* Each attribute that is read, one byte too short. */
static void test_attributes_too_short(void **state)
{
	static const struct {
		uint16_t type, len;
	} cases[] = {
		{ INET_DIAG_INFO, 7 },	    { INET_DIAG_CONG, 0 },	{ INET_DIAG_TOS, 0 },
		{ INET_DIAG_TCLASS, 0 },    { INET_DIAG_SKMEMINFO, 3 }, { INET_DIAG_SHUTDOWN, 0 },
		{ INET_DIAG_SKV6ONLY, 0 },  { INET_DIAG_MARK, 3 },	{ INET_DIAG_CLASS_ID, 3 },
		{ INET_DIAG_CGROUP_ID, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ROWS rows = { 0 };
		struct message m = { 0 };
		size_t at = put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);

		put_attribute(&m, at, cases[i].type, "\xff\xff\xff\xff\xff\xff\xff", cases[i].len);
		assert_int_equal(parse(&m, &tcp4, &rows).malformed, 1);
		assert_int_equal(rows.v.n, 1);
		assert_null(rows.v.items[0].c.detail);
		assert_int_equal(rows.v.items[0].c.mark, 0);
	}
}

static void test_message_lengths_lie(void **state)
{
	static const uint32_t lengths[] = { 0,		15,
					    16,		16 + sizeof(struct inet_diag_msg) - 1,
					    UINT32_MAX, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		ROWS rows = { 0 };
		struct message m = { 0 };

		put_inet(&m, AF_INET, PV_STATE_LISTEN);
		header_of(&m, put_inet(&m, AF_INET, PV_STATE_LISTEN))->nlmsg_len = lengths[i];
		assert_true(parse(&m, &tcp4, &rows).malformed > 0);
		assert_int_equal(rows.v.n, 1);
	}
}

static void test_not_what_was_asked(void **state)
{
	ROWS rows = { 0 };
	struct message m = { 0 };
	struct netlink_query q = tcp4;

	(void)state;
	put_inet(&m, AF_INET6, PV_STATE_LISTEN);
	put_inet(&m, AF_UNIX, PV_STATE_LISTEN);
	header_of(&m, put_inet(&m, AF_INET, PV_STATE_LISTEN))->nlmsg_type = TCPDIAG_GETSOCK;
	header_of(&m, put_inet(&m, AF_INET, PV_STATE_LISTEN))->nlmsg_type = 0x7fff;
	put_message(&m, NLMSG_NOOP, NULL, 0);
	assert_int_equal(parse(&m, &tcp4, &rows).malformed, 4);
	assert_int_equal(rows.v.n, 0);

	/* the request's first form answers in its own type, for both families */
	m.len = 0;
	q.family = AF_UNSPEC;
	header_of(&m, put_inet(&m, AF_INET, PV_STATE_LISTEN))->nlmsg_type = TCPDIAG_GETSOCK;
	header_of(&m, put_inet(&m, AF_INET6, PV_STATE_LISTEN))->nlmsg_type = TCPDIAG_GETSOCK;
	put_inet(&m, AF_INET, PV_STATE_LISTEN);
	assert_int_equal(parse(&m, &q, &rows).malformed, 1);
	assert_int_equal(rows.v.n, 2);
}

static void test_arguments(void **state)
{
	ROWS rows = { .fail_after = 2 };
	struct sink sink = { keep_row, &rows };
	struct netlink_parse_stats stats = { 0 };
	struct message m = { 0 };
	struct netlink_query q = tcp4;

	(void)state;
	for (int i = 0; i < 3; i++)
		put_inet(&m, AF_INET, PV_STATE_LISTEN);
	assert_int_equal(netlink_parse_sockets(m.data, m.len, &tcp4, &sink, &stats), -ENOMEM);
	assert_int_equal(rows.v.n, 1);
	assert_int_equal(netlink_parse_sockets(m.data + 2, 16, &tcp4, &sink, &stats), -EINVAL);
	q.proto = PV_PROTO_N;
	assert_int_equal(netlink_parse_sockets(m.data, m.len, &q, &sink, &stats), -EINVAL);
}

/* ---- protocols this test's kernel has no module of ---- */

static void test_sctp(void **state)
{
	const struct netlink_query q = { .proto = PV_PROTO_SCTP, .family = AF_INET };
	static const uint8_t peers[128];
	ROWS rows = { 0 };
	struct message m = { 0 };
	struct inet_diag_msg msg;
	size_t at;

	(void)state;
	put_inet(&m, AF_INET, PV_STATE_LISTEN);
	/* the endpoint that precedes its association */
	put_inet(&m, AF_INET, PV_STATE_ESTABLISHED);
	at = put_inet(&m, AF_INET, 3 /* SCTP_STATE_ESTABLISHED */);
	put_attribute(&m, at, INET_DIAG_LOCALS, peers, sizeof(peers));
	put_attribute(&m, at, INET_DIAG_PEERS, peers, sizeof(peers));
	header_of(&m, at)->nlmsg_flags = 0; /* the kernel does not mark these as parts of a dump */
	/* another association of the same endpoint */
	msg = sample(AF_INET, 4 /* SCTP_STATE_SHUTDOWN_PENDING */);
	msg.id.idiag_dport ^= 1;
	msg.idiag_timer = 4;
	at = put_message(&m, SOCK_DIAG_BY_FAMILY, &msg, sizeof(msg));
	put_attribute(&m, at, INET_DIAG_PEERS, peers, sizeof(peers));
	put_attribute(&m, put_inet(&m, AF_INET, 200), INET_DIAG_PEERS, peers, sizeof(peers));
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	assert_int_equal(rows.v.n, 4);
	assert_int_equal(rows.v.items[0].c.state, PV_STATE_LISTEN);
	assert_int_equal(rows.v.items[1].c.state, PV_STATE_ESTABLISHED);
	assert_int_equal(rows.v.items[2].c.state, PV_STATE_FIN_WAIT1);
	assert_int_equal(rows.v.items[2].c.timer, PV_TIMER_ON);
	assert_int_equal(rows.v.items[3].c.state, PV_STATE_UNKNOWN);
	assert_true(rows.v.items[0].c.cookie != rows.v.items[1].c.cookie);
	assert_true(rows.v.items[1].c.cookie != rows.v.items[2].c.cookie);
}

static void test_dccp_and_raw(void **state)
{
	struct netlink_query q = { .proto = PV_PROTO_DCCP, .family = AF_INET };
	ROWS rows = { 0 };
	struct message m = { 0 };
	size_t at;

	(void)state;
	put_inet(&m, AF_INET, PV_STATE_LISTEN);
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	assert_int_equal(rows.v.items[0].c.type, 6 /* SOCK_DCCP */);
	rows.v.n = 0;
	m.len = 0;
	q.proto = PV_PROTO_RAW;
	at = put_inet(&m, AF_INET, PV_STATE_CLOSE);
	put_u8(&m, at, INET_DIAG_PROTOCOL, 89);
	put_inet(&m, AF_INET, PV_STATE_CLOSE);
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	assert_int_equal(rows.v.items[0].c.type, SOCK_RAW);
	assert_int_equal(rows.v.items[0].c.protocol, 89);
	assert_int_equal(rows.v.items[1].c.protocol, (uint8_t)443);
}

static void test_vsock(void **state)
{
	const struct netlink_query q = { .proto = PV_PROTO_VSOCK };
	struct vsock_diag_msg v = { .vdiag_family = AF_VSOCK,
				    .vdiag_type = SOCK_STREAM,
				    .vdiag_state = PV_STATE_ESTABLISHED,
				    .vdiag_shutdown = 1,
				    .vdiag_src_cid = 3,
				    .vdiag_src_port = 1024,
				    .vdiag_dst_cid = 2,
				    .vdiag_dst_port = UINT32_MAX,
				    .vdiag_ino = 9,
				    .vdiag_cookie = { 1, 0 } };
	ROWS rows = { 0 };
	struct message m = { 0 };
	uint32_t cid;

	(void)state;
	put_message(&m, SOCK_DIAG_BY_FAMILY, &v, sizeof(v));
	v.vdiag_family = AF_UNIX;
	put_message(&m, SOCK_DIAG_BY_FAMILY, &v, sizeof(v));
	assert_int_equal(parse(&m, &q, &rows).malformed, 1);
	assert_int_equal(rows.v.n, 1);
	memcpy(&cid, rows.v.items[0].c.local.addr, 4);
	assert_int_equal(cid, 3);
	assert_int_equal(rows.v.items[0].c.local.port, 1024);
	assert_int_equal(rows.v.items[0].c.remote.port, 0);
	assert_int_equal(rows.v.items[0].c.family, AF_VSOCK);
	assert_int_equal(rows.v.items[0].c.shutdown, 1);
	assert_int_equal(rows.v.items[0].c.inode, 9);
	assert_true(rows.v.items[0].c.uid == UINT32_MAX);
}

static void test_xdp(void **state)
{
	const struct netlink_query q = { .proto = PV_PROTO_XDP, .needs = PV_NEED_MEM };
	const struct xdp_diag_msg x = { .xdiag_family = AF_XDP,
					.xdiag_type = SOCK_RAW,
					.xdiag_ino = 8,
					.xdiag_cookie = { 2, 0 } };
	const struct xdp_diag_info info = { .ifindex = 4, .queue_id = 6 };
	const uint32_t mem[9] = { 11, 0, 22 };
	ROWS rows = { 0 };
	struct message m = { 0 };
	size_t at = put_message(&m, SOCK_DIAG_BY_FAMILY, &x, sizeof(x));

	(void)state;
	put_attribute(&m, at, XDP_DIAG_INFO, &info, sizeof(info));
	put_u32(&m, at, XDP_DIAG_UID, 33);
	put_attribute(&m, at, XDP_DIAG_MEMINFO, mem, sizeof(mem));
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	assert_int_equal(rows.v.items[0].c.ifindex, 4);
	assert_int_equal(rows.v.items[0].c.local.port, 6);
	assert_int_equal(rows.v.items[0].c.uid, 33);
	assert_int_equal(rows.v.items[0].c.recv_q, 11);
	assert_int_equal(rows.v.items[0].c.send_q, 22);
	assert_int_equal(rows.v.items[0].detail.present, PV_DETAIL_MEM);
}

static void test_unix_names(void **state)
{
	static const struct {
		const char *wire;
		uint16_t len, row_len;
	} cases[] = {
		{ "/run/a socket", 14, 13 },
		{ "\0abs\0tract\n", 11, 11 },
		{ "\0ends in nul\0", 13, 13 },
		{ "no nul", 6, 6 },
		{ "\0", 1, 1 },
	};
	const struct netlink_query q = { .proto = PV_PROTO_UNIX };
	const struct unix_diag_msg u = { .udiag_family = AF_UNIX,
					 .udiag_type = SOCK_STREAM,
					 .udiag_state = PV_STATE_LISTEN,
					 .udiag_ino = 5 };
	ROWS rows = { 0 };
	struct message m = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		put_attribute(&m, put_message(&m, SOCK_DIAG_BY_FAMILY, &u, sizeof(u)),
			      UNIX_DIAG_NAME, cases[i].wire, cases[i].len);
	put_message(&m, SOCK_DIAG_BY_FAMILY, &u, sizeof(u));
	assert_int_equal(parse(&m, &q, &rows).malformed, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(rows.v.items[i].path_len, cases[i].row_len);
		assert_memory_equal(rows.v.items[i].path, cases[i].wire, cases[i].row_len);
	}
	assert_null(rows.v.items[rows.v.n - 1].c.path);
}

/* ---- recordings of a real kernel ---- */

/* The datagrams of a stream, without their frames, one behind the other. */
static void unframe(const struct buf *b, struct buf *out)
{
	for (size_t at = 0; at + 8 <= b->len;) {
		uint32_t len;

		memcpy(&len, b->data + at, sizeof(len));
		assert_true(at + 8 + len <= b->len);
		buf_put(out, b->data + at + 8, len);
		at += 8 + NLA_ALIGN((size_t)len);
	}
	assert_int_equal(buf_error(out), 0);
}

static void test_recordings(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RECORDINGS; i++) {
		const struct recording *r = &recordings[i];
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT, flat = BUF_INIT;
		ROWS rows = { 0 };
		struct sink sink = { keep_row, &rows };
		struct netlink_parse_stats stats = { 0 };
		uint32_t states = 0;

		read_data(r->name, &b);
		unframe(&b, &flat);
		assert_int_equal(netlink_parse_sockets(flat.data, flat.len, &r->q, &sink, &stats),
				 0);
		for (size_t j = 0; j < rows.v.n; j++)
			states |= PV_STATE_BIT(rows.v.items[j].c.state);
		if (stats.malformed || stats.rows != r->rows || states != r->states)
			print_error("%s: %u rows, states %#x, malformed %u\n", r->name,
				    (unsigned)stats.rows, states, (unsigned)stats.malformed);
		assert_int_equal(stats.malformed, 0);
		assert_int_equal(stats.rows, r->rows);
		assert_int_equal(states, r->states);
	}
}

/* Cut at every byte, in memory of exactly that size: never more rows, never a byte beyond. */
static void test_recordings_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RECORDINGS; i++) {
		const struct recording *r = &recordings[i];
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT, flat = BUF_INIT;
		uint64_t last = 0;

		read_data(r->name, &b);
		unframe(&b, &flat);
		for (size_t len = 0; len <= flat.len; len++) {
			_cleanup_(cleanup_free) char *exact = malloc(len ? len : 1);
			ROWS rows = { 0 };
			struct sink sink = { keep_row, &rows };
			struct netlink_parse_stats stats = { 0 };

			assert_non_null(exact);
			memcpy(exact, flat.data, len);
			assert_int_equal(netlink_parse_sockets(exact, len, &r->q, &sink, &stats),
					 0);
			assert_true(stats.rows >= last && stats.rows <= r->rows);
			last = stats.rows;
		}
		assert_int_equal(last, r->rows);
	}
}

/* Every byte set to 0, 255 and its complement: nothing but the sanitizers' silence is claimed. */
static void test_recordings_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RECORDINGS; i++) {
		const struct recording *r = &recordings[i];
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT, flat = BUF_INIT;

		read_data(r->name, &b);
		unframe(&b, &flat);
		for (size_t at = 0; at < flat.len * 3; at++) {
			char *p = flat.data + at / 3, was = *p;
			ROWS rows = { 0 };
			struct sink sink = { keep_row, &rows };
			struct netlink_parse_stats stats = { 0 };

			*p = at % 3 == 0 ? 0 : at % 3 == 1 ? (char)255 : (char)~was;
			assert_int_equal(
				netlink_parse_sockets(flat.data, flat.len, &r->q, &sink, &stats),
				0);
			assert_true(stats.rows <= r->rows + 1);
			*p = was;
		}
	}
}

/* ---- requests ---- */

static void test_query_encode(void **state)
{
	static const char code[8] = { INET_DIAG_BC_NOP, 4, 8, 0, INET_DIAG_BC_NOP, 4, 8, 0 };
	struct netlink_query q = tcp4;
	struct message m = { 0 };
	const struct inet_diag_req_v2 *v2 = (const void *)(m.data + NLMSG_HDRLEN);
	const struct inet_diag_req *v1 = (const void *)(m.data + NLMSG_HDRLEN);
	size_t len;

	(void)state;
	assert_int_equal(netlink_query_encode(&q, 9, m.data, sizeof(m.data), &len), 0);
	assert_int_equal(header_of(&m, 0)->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	assert_int_equal(header_of(&m, 0)->nlmsg_seq, 9);
	assert_int_equal(header_of(&m, 0)->nlmsg_len, len);
	assert_int_equal(v2->sdiag_family, AF_INET);
	assert_int_equal(v2->sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(v2->idiag_ext, 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1) |
						1 << (INET_DIAG_SKMEMINFO - 1) |
						1 << (INET_DIAG_TOS - 1) |
						1 << (INET_DIAG_TCLASS - 1));
	q = (struct netlink_query){ .proto = PV_PROTO_TCP,
				    .states = S(LISTEN) | PV_STATE_BIT(12),
				    .bound_inactive = true,
				    .code = code,
				    .code_len = sizeof(code) };
	assert_int_equal(netlink_query_encode(&q, 1, m.data, sizeof(m.data), &len), 0);
	assert_int_equal(header_of(&m, 0)->nlmsg_type, TCPDIAG_GETSOCK);
	assert_int_equal(v1->idiag_states, S(LISTEN) | 1 << 13);
	assert_int_equal(len, NLMSG_LENGTH(sizeof(*v1)) + NLA_HDRLEN + sizeof(code));
	assert_memory_equal(m.data + len - sizeof(code), code, sizeof(code));
	/* MPTCP's number has more than 8 bits */
	q = (struct netlink_query){ .proto = PV_PROTO_MPTCP, .family = AF_INET6 };
	assert_int_equal(netlink_query_encode(&q, 1, m.data, sizeof(m.data), &len), 0);
	assert_int_equal(v2->sdiag_protocol, 0);
	assert_int_equal(*(uint32_t *)(void *)(m.data + len - 4), 262);
}

static void test_query_encode_errors(void **state)
{
	static const char code[8] = { 0 };
	struct netlink_query q = tcp4;
	struct message m = { 0 };
	size_t len;

	(void)state;
	assert_int_equal(netlink_query_encode(&q, 1, m.data, 20, &len), -EMSGSIZE);
	assert_int_equal(len, NETLINK_REQUEST_MAX);
	q.proto = PV_PROTO_PING;
	assert_int_equal(netlink_query_encode(&q, 1, m.data, sizeof(m.data), &len),
			 -EPROTONOSUPPORT);
	q = (struct netlink_query){ .proto = PV_PROTO_UDP, .family = AF_UNSPEC };
	assert_int_equal(netlink_query_encode(&q, 1, m.data, sizeof(m.data), &len), -EAFNOSUPPORT);
	q = (struct netlink_query){ .proto = PV_PROTO_UNIX, .code = code, .code_len = 8 };
	assert_int_equal(netlink_query_encode(&q, 1, m.data, sizeof(m.data), &len), -EINVAL);
}

static void test_exact_rule(void **state)
{
	struct netlink_query q = { .proto = PV_PROTO_TCP };
	const struct netlink_dump_result good = {
		.datagrams = 2, .row_datagrams = 1, .row_bytes = 1800, .rows = 15, .done = true
	};
	struct netlink_dump_result r = good;

	(void)state;
	assert_true(netlink_dump_is_exact(&q, &r));
	r.rows = 16;
	assert_false(netlink_dump_is_exact(&q, &r));
	q.proto = PV_PROTO_UDP;
	assert_true(netlink_dump_is_exact(&q, &r));
	q.proto = PV_PROTO_SCTP;
	assert_false(netlink_dump_is_exact(&q, &r));
	q.proto = PV_PROTO_TCP;
	q.needs = PV_NEED_TCPINFO;
	assert_false(netlink_dump_is_exact(&q, &good));
	q.needs = 0;
#define NOT_WITH(member, value)                                                                    \
	do {                                                                                       \
		r = good;                                                                          \
		r.member = value;                                                                  \
		assert_false(netlink_dump_is_exact(&q, &r));                                       \
	} while (0)
	NOT_WITH(row_bytes, 2600);
	NOT_WITH(row_datagrams, 2);
	NOT_WITH(done, false);
	NOT_WITH(interrupted, true);
	NOT_WITH(overrun, true);
	NOT_WITH(truncated, true);
	NOT_WITH(malformed, 1);
	NOT_WITH(error, -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inet_fields),
		cmocka_unit_test(test_inet_v4_address_is_four_bytes),
		cmocka_unit_test(test_inet_states),
		cmocka_unit_test(test_inet_details),
		cmocka_unit_test(test_inet_details_not_needed),
		cmocka_unit_test(test_tcp_info_lengths),
		cmocka_unit_test(test_inet_unknown_attributes),
		cmocka_unit_test(test_upper_layer),
		cmocka_unit_test(test_info_of_others),
		cmocka_unit_test(test_attribute_lengths_lie),
		cmocka_unit_test(test_attributes_too_short),
		cmocka_unit_test(test_message_lengths_lie),
		cmocka_unit_test(test_not_what_was_asked),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_sctp),
		cmocka_unit_test(test_dccp_and_raw),
		cmocka_unit_test(test_vsock),
		cmocka_unit_test(test_xdp),
		cmocka_unit_test(test_unix_names),
		cmocka_unit_test(test_recordings),
		cmocka_unit_test(test_recordings_cut),
		cmocka_unit_test(test_recordings_damaged),
		cmocka_unit_test(test_query_encode),
		cmocka_unit_test(test_query_encode_errors),
		cmocka_unit_test(test_exact_rule),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
