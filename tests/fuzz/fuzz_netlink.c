/* SPDX-License-Identifier: MIT */
/*
 * A datagram from anywhere as the answer of any query. The first byte is the protocol (low nibble)
 * and the family asked for (high nibble: 0 any, 1 IPv4, 2 IPv6), three more are unused. What comes
 * out must hold what conversation.h promises.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/snapshot.h>

#include "netlink/parse.h"

#define HEADER 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

struct checked {
	const struct netlink_query *q;
	uint64_t rows;
	unsigned sum; /* of every byte pointed to, so that a sanitizer sees them read */
};

static int check_row(void *userdata, const struct pv_conversation *c)
{
	struct checked *checked = userdata;

	require(c->proto == checked->q->proto);
	require(c->state < PV_STATE_NEW_SYN_RECV);
	require(c->timer < PV_TIMER_N);
	require(c->shutdown <= 3);
	if (pv_proto_is_inet(c->proto)) {
		require(c->family == AF_INET || c->family == AF_INET6);
		require(checked->q->family == AF_UNSPEC || c->family == checked->q->family);
		require(c->local.port <= UINT16_MAX && c->remote.port <= UINT16_MAX);
	}
	for (uint32_t i = 0; c->path && i < c->path->len; i++)
		checked->sum += (unsigned char)c->path->data[i];
	if (c->detail) {
		require(c->detail->present != 0 || c->detail->attributes_len > 0);
		require(memchr(c->detail->congestion, '\0', sizeof(c->detail->congestion)));
		checked->sum += c->detail->tcp.accecn_opt_seen;
	}
	checked->rows++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t families[4] = { AF_UNSPEC, AF_INET, AF_INET6, AF_INET };
	struct netlink_parse_stats stats = { 0 };
	struct netlink_dump_result result = { 0 };
	struct netlink_query q = { .needs = PV_NEED_ALL | PV_NEED_ATTRIBUTES };
	struct checked checked = { .q = &q };
	struct sink sink = { check_row, &checked };
	struct netlink_datagram d;
	int r;

	if (size < HEADER)
		return 0;
	q.proto = (data[0] & 0xf) % PV_PROTO_SOCKETS_N;
	q.family = families[data[0] >> 4 & 3];
	d = (struct netlink_datagram){ .data = data + HEADER, .len = size - HEADER };
	netlink_note_datagram(&d, 0, &result);
	r = netlink_parse_sockets(d.data, d.len, &q, &sink, &stats);
	require(r == 0);
	require(stats.rows == checked.rows);
	return 0;
}
