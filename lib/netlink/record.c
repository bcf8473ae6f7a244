/* SPDX-License-Identifier: MIT */
/* The live and the replayed dump meet in one function, take_datagram(), so they cannot differ. */
#include "netlink/record.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "netlink/parse.h"

#define STREAM_NAME_MAX 48
/* Any number does; the descriptor's earlier answers were read to their end. */
#define SEQUENCE 1

struct frame_header {
	uint32_t len, flags;
};

struct reader {
	struct tape *tape;
	const struct netlink_query *q;
	const struct sink *sink;
	struct netlink_parse_stats stats;
	char stream[STREAM_NAME_MAX];
};

static const char *family_name(const struct netlink_query *q)
{
	if (!pv_proto_is_inet(q->proto))
		return pv_proto_name(q->proto);
	return q->family == AF_INET ? "inet" : q->family == AF_INET6 ? "inet6" : "any";
}

static int take_datagram(struct reader *reader, const struct netlink_datagram *d)
{
	return netlink_parse_sockets(d->data, d->len, reader->q, reader->sink, &reader->stats);
}

static int record_datagram(struct reader *reader, const struct netlink_datagram *d)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct frame_header h = { .len = (uint32_t)d->len, .flags = d->flags };

	if (reader->tape->mode != TAPE_RECORD)
		return 0;
	buf_put(&b, &h, sizeof(h));
	buf_put(&b, d->data, d->len);
	buf_pad(&b, '\0', MNL_ALIGN(d->len) - d->len);
	if (buf_error(&b) < 0)
		return buf_error(&b);
	return tape_stream_put(reader->tape, reader->stream, b.data, b.len);
}

static int on_datagram(void *userdata, const struct netlink_datagram *d)
{
	struct reader *reader = userdata;
	int r = record_datagram(reader, d);

	return r < 0 ? r : take_datagram(reader, d);
}

static int dump_live(struct reader *reader, int fd, struct netlink_dump_result *result)
{
	_cleanup_(cleanup_free) void *req = NULL;
	size_t len = NETLINK_REQUEST_MAX + reader->q->code_len;
	int r;

	req = malloc(len);
	if (!req)
		return -ENOMEM;
	r = netlink_query_encode(reader->q, SEQUENCE, req, len, &len);
	if (r < 0)
		return r;
	return fd < 0 ? fd : netlink_dump(fd, req, len, on_datagram, reader, result);
}

static int read_live(struct reader *reader, int fd, struct netlink_dump_result *result)
{
	int r = dump_live(reader, fd, result);
	int failed = r < 0 ? tape_stream_fail(reader->tape, reader->stream, r) : 0;

	return r < 0 ? r : failed < 0 ? failed : r;
}

/* Cuts the next datagram off *at; 1 at the end, 0, or -EBADMSG. */
static int next_frame(const struct buf *b, size_t *at, struct netlink_datagram *d)
{
	struct frame_header h;
	size_t left = b->len - *at;

	if (left == 0)
		return 1;
	if (left < sizeof(h))
		return -EBADMSG;
	memcpy(&h, b->data + *at, sizeof(h));
	left -= sizeof(h);
	if (h.len > left || MNL_ALIGN((size_t)h.len) > left)
		return -EBADMSG;
	*d = (struct netlink_datagram){ .data = b->data + *at + sizeof(h),
					.len = h.len,
					.flags = h.flags };
	*at += sizeof(h) + MNL_ALIGN((size_t)h.len);
	return 0;
}

static int read_replay(struct reader *reader, struct netlink_dump_result *result)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct netlink_datagram d;
	size_t at = 0;
	int r = tape_stream_get(reader->tape, reader->stream, &b);

	if (r < 0)
		return r;
	while ((r = next_frame(&b, &at, &d)) == 0) {
		netlink_note_datagram(&d, 0, result);
		r = take_datagram(reader, &d);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	/* without its end the recording of a dump is cut, unless the kernel never sent it */
	return result->done || result->overrun ? netlink_dump_status(result) : -EBADMSG;
}

int netlink_read_sockets(struct tape *t, int fd, const struct netlink_query *q, unsigned attempt,
			 const struct sink *sink, struct netlink_dump_result *result)
{
	struct reader reader = { .tape = t, .q = q, .sink = sink };
	int r;

	*result = (struct netlink_dump_result){ 0 };
	snprintf(reader.stream, sizeof(reader.stream), "diag-%s-%s.%u", pv_proto_name(q->proto),
		 family_name(q), attempt);
	if (t->mode == TAPE_REPLAY)
		r = read_replay(&reader, result);
	else
		r = read_live(&reader, fd, result);
	result->rows = reader.stats.rows;
	result->malformed = reader.stats.malformed;
	return r;
}
