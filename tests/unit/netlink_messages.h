/* SPDX-License-Identifier: MIT */
/* Rows kept as copies, netlink messages built by hand, and the recordings: for the netlink tests.
 */
#ifndef TEST_NETLINK_MESSAGES_H
#define TEST_NETLINK_MESSAGES_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <linux/xdp_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <portavoz/snapshot.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/vec.h"
#include "netlink/parse.h"
#include "netlink/record.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

/* ---- rows, kept as copies ---- */

struct kept {
	struct pv_conversation c;
	struct pv_detail detail;
	char path[128];
	size_t path_len;
};

struct rows {
	VEC(struct kept) v;
	int fail_after; /* > 0: that row is refused with -ENOMEM */
};

static inline int keep_row(void *userdata, const struct pv_conversation *c)
{
	struct rows *rows = userdata;
	struct kept k = { .c = *c };

	if (rows->fail_after > 0 && rows->v.n + 1 == (size_t)rows->fail_after)
		return -ENOMEM;
	if (c->detail)
		k.detail = *c->detail;
	if (c->path) {
		k.path_len = c->path->len;
		assert_true(k.path_len <= sizeof(k.path));
		memcpy(k.path, c->path->data, k.path_len);
	}
	return vec_push(&rows->v, k);
}

static inline void cleanup_rows(struct rows *rows)
{
	vec_deinit(&rows->v);
}
#define ROWS _cleanup_(cleanup_rows) struct rows

/* ---- messages ---- */

struct message {
	_Alignas(8) char data[8192];
	size_t len;
};

static inline struct nlmsghdr *header_of(struct message *m, size_t at)
{
	return (struct nlmsghdr *)(void *)(m->data + at);
}

static inline size_t put_message(struct message *m, uint16_t type, const void *fixed, size_t len)
{
	size_t at = m->len;

	assert_true(at + NLMSG_SPACE(len) <= sizeof(m->data));
	memset(m->data + at, 0, NLMSG_SPACE(len));
	*header_of(m, at) = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
					       .nlmsg_type = type,
					       .nlmsg_flags = NLM_F_MULTI,
					       .nlmsg_seq = 7 };
	if (len)
		memcpy(m->data + at + NLMSG_HDRLEN, fixed, len);
	m->len += NLMSG_SPACE(len);
	return at;
}

/* To the last message, which begins at `at`. */
static inline size_t put_attribute(struct message *m, size_t at, uint16_t type, const void *data,
				   size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };
	size_t start = m->len;

	assert_true(start + NLA_HDRLEN + NLA_ALIGN(len) <= sizeof(m->data));
	memset(m->data + start, 0, NLA_HDRLEN + NLA_ALIGN(len));
	memcpy(m->data + start, &a, sizeof(a));
	memcpy(m->data + start + NLA_HDRLEN, data, len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
	header_of(m, at)->nlmsg_len = (uint32_t)(m->len - at);
	return start;
}

static inline size_t put_u8(struct message *m, size_t at, uint16_t type, uint8_t v)
{
	return put_attribute(m, at, type, &v, sizeof(v));
}

static inline size_t put_u32(struct message *m, size_t at, uint16_t type, uint32_t v)
{
	return put_attribute(m, at, type, &v, sizeof(v));
}

static const struct inet_diag_msg sample_v4 = {
	.idiag_family = AF_INET,
	.idiag_state = PV_STATE_ESTABLISHED,
	.idiag_timer = PV_TIMER_KEEPALIVE,
	.idiag_retrans = 3,
	.id = { .idiag_sport = 0x5000 /* 80, big-endian on a little-endian machine */,
		.idiag_if = 2,
		.idiag_cookie = { 0x11223344, 0x55667788 } },
	.idiag_expires = 1234,
	.idiag_rqueue = 5,
	.idiag_wqueue = 6,
	.idiag_uid = 1000,
	.idiag_inode = 4242,
};

static inline struct inet_diag_msg sample(uint8_t family, uint8_t state)
{
	static const uint8_t src[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	static const uint8_t dst[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 };
	struct inet_diag_msg m = sample_v4;
	uint8_t port[2] = { 0x01, 0xbb };

	m.idiag_family = family;
	m.idiag_state = state;
	memcpy(&m.id.idiag_sport, port, 2);
	port[0] = 0xc0;
	memcpy(&m.id.idiag_dport, port, 2);
	memcpy(m.id.idiag_src, src, 16);
	memcpy(m.id.idiag_dst, dst, 16);
	return m;
}

static inline size_t put_inet(struct message *m, uint8_t family, uint8_t state)
{
	struct inet_diag_msg msg = sample(family, state);

	return put_message(m, SOCK_DIAG_BY_FAMILY, &msg, sizeof(msg));
}

static const struct netlink_query tcp4 = {
	.proto = PV_PROTO_TCP, .family = AF_INET, .states = PV_STATE_ALL, .needs = PV_NEED_ALL
};

static inline struct netlink_parse_stats parse(const struct message *m,
					       const struct netlink_query *q, struct rows *rows)
{
	struct sink sink = { keep_row, rows };
	struct netlink_parse_stats stats = { 0 };

	assert_int_equal(netlink_parse_sockets(m->data, m->len, q, &sink, &stats), 0);
	assert_int_equal(stats.rows, rows->v.n);
	return stats;
}

/* ---- recordings of a real kernel ---- */

struct recording {
	const char *name;
	struct netlink_query q;
	unsigned rows;
	uint32_t states; /* exactly those were there */
};

#define S(x) PV_STATE_BIT(PV_STATE_##x)
static const struct recording recordings[] = {
#include "data/netlink/recordings.inc"
};
#define N_RECORDINGS (sizeof(recordings) / sizeof(*recordings))

static inline void read_data(const char *name, struct buf *b)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
	assert_int_equal(file_read_at(AT_FDCWD, path, b), 0);
}

#endif
