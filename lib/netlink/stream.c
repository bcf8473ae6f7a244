/* SPDX-License-Identifier: MIT */
/* The live and the replayed dump meet in one function, s->datagram(), so they cannot differ. */
#include "netlink/stream.h"

#include <errno.h>
#include <libmnl/libmnl.h>

#include "base/cleanup.h"

struct frame_header {
	uint32_t len, flags;
};

struct reader {
	struct tape *tape;
	const struct netlink_stream *stream;
};

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
	return tape_stream_put(reader->tape, reader->stream->name, b.data, b.len);
}

static int on_datagram(void *userdata, const struct netlink_datagram *d)
{
	struct reader *reader = userdata;
	int r = record_datagram(reader, d);

	return r < 0 ? r : reader->stream->datagram(reader->stream->userdata, d);
}

static int read_live(struct reader *reader, int fd, struct netlink_dump_result *result)
{
	const struct netlink_stream *s = reader->stream;
	int r = fd < 0 ? fd : netlink_dump(fd, s->request, s->len, on_datagram, reader, result);
	int failed = r < 0 ? tape_stream_fail(reader->tape, s->name, r) : 0;

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
	const struct netlink_stream *s = reader->stream;
	struct netlink_datagram d;
	size_t at = 0;
	int r = tape_stream_get(reader->tape, s->name, &b);

	if (r < 0)
		return r;
	while ((r = next_frame(&b, &at, &d)) == 0) {
		netlink_note_datagram(&d, 0, result);
		r = s->datagram(s->userdata, &d);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	/* without its end the recording of a dump is cut, unless the kernel never sent it */
	return result->done || result->overrun ? netlink_dump_status(result) : -EBADMSG;
}

int netlink_read_stream(struct tape *t, int fd, const struct netlink_stream *s,
			struct netlink_dump_result *result)
{
	struct reader reader = { .tape = t, .stream = s };

	*result = (struct netlink_dump_result){ 0 };
	return t->mode == TAPE_REPLAY ? read_replay(&reader, result)
				      : read_live(&reader, fd, result);
}
