/* SPDX-License-Identifier: MIT */
/* ctnetlink's answers, made by hand; and a namespace in which nothing tracks connections. */
#include "netlink_messages.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>

#include "netlink/conntrack.h"

struct seen {
	struct conntrack_entry entries[4];
	size_t n;
	int ret;
};

static int see(void *userdata, const struct conntrack_entry *e)
{
	struct seen *seen = userdata;

	assert_true(seen->n < 4);
	seen->entries[seen->n++] = *e;
	return seen->ret;
}

static size_t begin(struct message *m, uint8_t family)
{
	struct nfgenmsg g = { .nfgen_family = family };

	return put_message(m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, &g, sizeof(g));
}

/* Attributes put between the two are nested in it. */
static size_t open_nest(struct message *m, size_t at, uint16_t type)
{
	return put_attribute(m, at, type | NLA_F_NESTED, "", 0);
}

static void close_nest(struct message *m, size_t start)
{
	uint16_t len = (uint16_t)(m->len - start);

	memcpy(m->data + start, &len, sizeof(len));
}

static void put_be16(struct message *m, size_t at, uint16_t type, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put_attribute(m, at, type, b, sizeof(b));
}

static void put_be32(struct message *m, size_t at, uint16_t type, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	put_attribute(m, at, type, b, sizeof(b));
}

struct flow {
	const char *src, *dst;
	uint16_t sport, dport;
};

static void put_tuple(struct message *m, size_t at, uint16_t type, int family, const struct flow *f,
		      bool has_ports)
{
	size_t len = family == AF_INET ? 4 : 16, outer, inner;
	uint8_t src[16], dst[16];

	assert_int_equal(inet_pton(family, f->src, src), 1);
	assert_int_equal(inet_pton(family, f->dst, dst), 1);
	outer = open_nest(m, at, type);
	inner = open_nest(m, at, CTA_TUPLE_IP);
	put_attribute(m, at, family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, src, len);
	put_attribute(m, at, family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST, dst, len);
	close_nest(m, inner);
	inner = open_nest(m, at, CTA_TUPLE_PROTO);
	put_u8(m, at, CTA_PROTO_NUM, has_ports ? IPPROTO_TCP : IPPROTO_ICMP);
	if (has_ports) {
		put_be16(m, at, CTA_PROTO_SRC_PORT, f->sport);
		put_be16(m, at, CTA_PROTO_DST_PORT, f->dport);
	}
	close_nest(m, inner);
	close_nest(m, outer);
}

static const struct flow published = { "192.0.2.2", "192.0.2.1", 40000, 8080 };
static const struct flow answer = { "10.9.0.2", "192.0.2.2", 80, 40000 };

static size_t put_entry(struct message *m, const struct flow *original, const struct flow *reply,
			uint32_t status)
{
	int family = strchr(original->src, ':') ? AF_INET6 : AF_INET;
	size_t at = begin(m, (uint8_t)family);

	put_tuple(m, at, CTA_TUPLE_ORIG, family, original, true);
	put_tuple(m, at, CTA_TUPLE_REPLY, family, reply, true);
	put_be32(m, at, CTA_STATUS, status);
	put_be32(m, at, CTA_ID, 77);
	return at;
}

static struct conntrack_stats parse_all(const struct message *m, struct seen *seen)
{
	struct conntrack_stats stats = { 0 };

	assert_int_equal(conntrack_parse(m->data, m->len, see, seen, &stats), 0);
	return stats;
}

static void assert_addr(int family, const uint8_t *addr, const char *text)
{
	char found[64];

	assert_non_null(inet_ntop(family, addr, found, sizeof(found)));
	assert_string_equal(found, text);
}

static void test_entry(void **state)
{
	struct message m = { .len = 0 };
	struct seen seen = { .n = 0 };
	size_t at = put_entry(&m, &published, &answer, IPS_DST_NAT | IPS_CONFIRMED);
	struct conntrack_stats stats;

	(void)state;
	put_be16(&m, at, CTA_ZONE, 7);
	stats = parse_all(&m, &seen);
	assert_int_equal(stats.entries, 1);
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(seen.entries[0].family, AF_INET);
	assert_int_equal(seen.entries[0].protocol, IPPROTO_TCP);
	assert_int_equal(seen.entries[0].zone, 7);
	assert_int_equal(seen.entries[0].id, 77);
	assert_true(seen.entries[0].status & IPS_DST_NAT);
	assert_addr(AF_INET, seen.entries[0].original.src, "192.0.2.2");
	assert_addr(AF_INET, seen.entries[0].original.dst, "192.0.2.1");
	assert_int_equal(seen.entries[0].original.sport, 40000);
	assert_int_equal(seen.entries[0].original.dport, 8080);
	assert_addr(AF_INET, seen.entries[0].reply.src, "10.9.0.2");
	assert_int_equal(seen.entries[0].reply.sport, 80);
}

static void test_inet6(void **state)
{
	static const struct flow there = { "2001:db8::1", "2001:db8::2", 5, 6 };
	static const struct flow back = { "fd00::2", "2001:db8::1", 6, 5 };
	struct message m = { .len = 0 };
	struct seen seen = { .n = 0 };

	(void)state;
	put_entry(&m, &there, &back, IPS_DST_NAT);
	assert_int_equal(parse_all(&m, &seen).entries, 1);
	assert_int_equal(seen.entries[0].family, AF_INET6);
	assert_addr(AF_INET6, seen.entries[0].reply.src, "fd00::2");
}

/* An echo has no ports, and is no conversation of sockets that are listed. */
static void test_without_ports(void **state)
{
	struct message m = { .len = 0 };
	struct seen seen = { .n = 0 };
	size_t at = begin(&m, AF_INET);
	struct conntrack_stats stats;

	(void)state;
	put_tuple(&m, at, CTA_TUPLE_ORIG, AF_INET, &published, false);
	put_tuple(&m, at, CTA_TUPLE_REPLY, AF_INET, &answer, false);
	stats = parse_all(&m, &seen);
	assert_int_equal(stats.others, 1);
	assert_int_equal(seen.n, 0);
}

static void test_hostile(void **state)
{
	struct message whole = { .len = 0 }, m;
	struct seen seen = { .n = 0 };

	(void)state;
	put_entry(&whole, &published, &answer, IPS_DST_NAT);
	/* without its end no message is an entry, wherever it was cut */
	for (size_t cut = 1; cut < whole.len; cut++) {
		m = whole;
		m.len = cut;
		assert_int_equal(parse_all(&m, &seen).malformed, 1);
		/* nor one whose attributes end early, but for those that may be missing */
		header_of(&m, 0)->nlmsg_len = (uint32_t)cut;
		parse_all(&m, &seen);
		assert_true(seen.n <= 2);
	}
	m = whole;
	header_of(&m, 0)->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	assert_int_equal(parse_all(&m, &seen).malformed, 1);
	m = whole;
	m.data[NLMSG_HDRLEN] = AF_UNIX;
	assert_int_equal(parse_all(&m, &seen).malformed, 1);
	/* the addresses of one family in an entry of the other */
	m.data[NLMSG_HDRLEN] = AF_INET6;
	assert_int_equal(parse_all(&m, &seen).malformed, 1);
}

static void test_refused(void **state)
{
	struct message m = { .len = 0 };
	struct seen seen = { .ret = -ENOMEM };
	struct conntrack_stats stats = { 0 };

	(void)state;
	put_entry(&m, &published, &answer, IPS_DST_NAT);
	assert_int_equal(conntrack_parse(m.data, m.len, see, &seen, &stats), -ENOMEM);
	assert_int_equal(conntrack_parse(m.data + 1, m.len, see, &seen, &stats), -EINVAL);
}

static void put_frame(struct buf *b, const struct message *m)
{
	uint32_t h[2] = { (uint32_t)m->len, 0 };

	buf_put(b, h, sizeof(h));
	buf_put(b, m->data, m->len);
	assert_int_equal(buf_error(b), 0);
}

static void write_stream(int dirfd, const char *name, const struct message *m)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	put_frame(&b, m);
	assert_int_equal(file_append_at(dirfd, name, b.data, b.len), 0);
}

/* What is translated both ways is in both dumps, and given once. */
static void test_replay(void **state)
{
	char dir[] = "/tmp/test-conntrack-XXXXXX";
	struct message src = { .len = 0 }, dst = { .len = 0 };
	struct tape t = TAPE_INIT;
	struct seen seen = { .n = 0 };
	struct conntrack_stats stats = { 0 };
	struct netlink_dump_result result;
	int dirfd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dirfd >= 0);
	put_entry(&src, &published, &answer, IPS_SRC_NAT | IPS_DST_NAT);
	put_entry(&src, &answer, &published, IPS_SRC_NAT);
	put_message(&src, NLMSG_DONE, "\0\0\0", 4);
	put_entry(&dst, &published, &answer, IPS_SRC_NAT | IPS_DST_NAT);
	/* a kernel that does not know the mask gives what is not translated, too */
	put_entry(&dst, &published, &published, IPS_CONFIRMED);
	put_entry(&dst, &published, &answer, IPS_DST_NAT);
	put_message(&dst, NLMSG_DONE, "\0\0\0", 4);
	assert_int_equal(mkdirat(dirfd, "streams", 0700), 0);
	assert_int_equal(file_append_at(dirfd, "manifest", "portavoz-recording=1\n", 21), 0);
	write_stream(dirfd, "streams/conntrack-src", &src);
	write_stream(dirfd, "streams/conntrack-dst", &dst);
	assert_int_equal(tape_open(&t, NULL, dir), 0);
	assert_int_equal(conntrack_read(&t, -1, "", see, &seen, &stats, &result), 0);
	assert_int_equal(seen.n, 3);
	tape_close(&t);
	unlinkat(dirfd, "streams/conntrack-src", 0);
	unlinkat(dirfd, "streams/conntrack-dst", 0);
	unlinkat(dirfd, "streams", AT_REMOVEDIR);
	unlinkat(dirfd, "manifest", 0);
	close(dirfd);
	rmdir(dir);
}

static long count_tracked(void)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (file_read_at(AT_FDCWD, "/proc/sys/net/netfilter/nf_conntrack_count", &b) < 0)
		return -1;
	return strtol(buf_str(&b), NULL, 10);
}

/* Asking must not make the kernel track: no packet of a fresh namespace is seen afterwards. */
static void test_no_side_effect(void **state)
{
	struct tape t = TAPE_INIT;
	struct seen seen = { .n = 0 };
	struct conntrack_stats stats = { 0 };
	struct netlink_dump_result result;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	_cleanup_(cleanup_fd) int nl = -1;
	_cleanup_(cleanup_fd) int udp = -1;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 || count_tracked() < 0)
		skip();
	assert_int_equal(system("ip link set lo up"), 0);
	nl = netlink_open_family(NETLINK_NETFILTER);
	assert_true(nl >= 0);
	assert_int_equal(conntrack_read(&t, nl, "", see, &seen, &stats, &result), 0);
	assert_int_equal(stats.entries, 0);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(sendto(udp, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	assert_int_equal(count_tracked(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),	       cmocka_unit_test(test_inet6),
		cmocka_unit_test(test_without_ports),  cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_replay),
		cmocka_unit_test(test_no_side_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
