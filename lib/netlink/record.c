/* SPDX-License-Identifier: MIT */
/* Queries of sock_diag as streams: the name of each, and its datagrams to rows. */
#include "netlink/record.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "netlink/parse.h"
#include "netlink/stream.h"

#define STREAM_NAME_MAX 48
/* Any number does; the descriptor's earlier answers were read to their end. */
#define SEQUENCE 1

struct reader {
	const struct netlink_query *q;
	const struct sink *sink;
	struct netlink_parse_stats stats;
};

static const char *family_name(const struct netlink_query *q)
{
	if (!pv_proto_is_inet(q->proto))
		return pv_proto_name(q->proto);
	return q->family == AF_INET ? "inet" : q->family == AF_INET6 ? "inet6" : "any";
}

static int take_datagram(void *userdata, const struct netlink_datagram *d)
{
	struct reader *reader = userdata;

	return netlink_parse_sockets(d->data, d->len, reader->q, reader->sink, &reader->stats);
}

int netlink_read_sockets(struct tape *t, int fd, const struct netlink_query *q, unsigned attempt,
			 const struct sink *sink, struct netlink_dump_result *result)
{
	char name[STREAM_NAME_MAX];
	struct reader reader = { .q = q, .sink = sink };
	size_t size = NETLINK_REQUEST_MAX + q->code_len;
	_cleanup_(cleanup_free) void *request = malloc(size);
	struct netlink_stream stream = { name, request, 0, take_datagram, &reader };
	int r = request ? 0 : -ENOMEM;

	*result = (struct netlink_dump_result){ 0 };
	snprintf(name, sizeof(name), "diag-%s-%s.%u", pv_proto_name(q->proto), family_name(q),
		 attempt);
	if (r == 0 && t->mode != TAPE_REPLAY)
		r = netlink_query_encode(q, SEQUENCE, request, size, &stream.len);
	if (r < 0 && r != -ENOMEM)
		tape_stream_fail(t, name, r);
	if (r == 0)
		r = netlink_read_stream(t, fd, &stream, result);
	result->rows = reader.stats.rows;
	result->malformed = reader.stats.malformed;
	return r;
}
