/* SPDX-License-Identifier: MIT */
/* Packets into pcapng files. Invariant: a file grows by whole blocks. */
#include "capture/write.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/vec.h"

#define BUFFER_BYTES (256U << 10)
#define NAME_BYTES 255
#define OVERHEAD 64 /* of a packet's block, at most */

/* draft-ietf-opsawg-pcapng: block types and option codes */
enum { BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum { OPTION_END = 0, OPTION_COMMENT = 1 };
enum { SECTION_APPLICATION = 4, INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9 };
enum { STATISTICS_RECEIVED = 4, STATISTICS_DROPPED = 5 };
#define ORDER_MAGIC 0x1a2b3c4dU
#define NANOSECONDS 9 /* a power of ten */

struct written_interface {
	char name[NAME_BYTES + 1];
	uint16_t link_type;
	uint32_t snaplen;
};

struct capture_writer {
	VEC(int) fds;
	VEC(struct written_interface) interfaces;
	struct buf pending; /* whole blocks that are not in the current file yet */
	size_t current;
	uint64_t ring_bytes, written; /* of the current file */
	size_t n_declared;	      /* interfaces the current file knows */
};

static void put_padded(struct buf *b, const void *data, size_t len)
{
	buf_put(b, data, len);
	buf_pad(b, 0, -len & 3);
}

static void put_option(struct buf *b, uint16_t code, const void *data, size_t len)
{
	const uint16_t head[] = { code, (uint16_t)len };

	buf_put(b, head, sizeof(head));
	put_padded(b, data, len);
}

/* A block in this machine's byte order. Returns where it starts, for end_block(). */
static size_t begin_block(struct buf *b, uint32_t type, const void *body, size_t len)
{
	const uint32_t head[] = { type, 0 };
	size_t start = b->len;

	buf_put(b, head, sizeof(head));
	buf_put(b, body, len);
	return start;
}

static void end_block(struct buf *b, size_t start)
{
	uint32_t len = (uint32_t)(b->len - start + sizeof(len));

	buf_put(b, &len, sizeof(len));
	if (!buf_error(b))
		memcpy(b->data + start + sizeof(uint32_t), &len, sizeof(len));
}

static void put_section(struct buf *b)
{
	static const char by[] = "portavoz";
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint64_t len;
	} body = { ORDER_MAGIC, 1, 0, UINT64_MAX };
	size_t start = begin_block(b, BLOCK_SECTION, &body, sizeof(body));

	put_option(b, SECTION_APPLICATION, by, sizeof(by) - 1);
	put_option(b, OPTION_END, NULL, 0);
	end_block(b, start);
}

static void put_interface(struct buf *b, const struct written_interface *i)
{
	const struct {
		uint16_t link_type, reserved;
		uint32_t snaplen;
	} body = { i->link_type, 0, i->snaplen };
	const uint8_t resolution = NANOSECONDS;
	size_t start = begin_block(b, BLOCK_INTERFACE, &body, sizeof(body));

	put_option(b, INTERFACE_NAME, i->name, strlen(i->name));
	put_option(b, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	put_option(b, OPTION_END, NULL, 0);
	end_block(b, start);
}

/* What the current file must say before its next block. */
static void declare(struct capture_writer *w)
{
	if (w->written == 0 && w->pending.len == 0)
		put_section(&w->pending);
	while (w->n_declared < w->interfaces.n)
		put_interface(&w->pending, &w->interfaces.items[w->n_declared++]);
}

size_t capture_writer_file(const struct capture_writer *w)
{
	return w->current;
}

int capture_writer_flush(struct capture_writer *w)
{
	int r;

	declare(w);
	r = buf_error(&w->pending);
	if (r == 0)
		r = fd_write_all(w->fds.items[w->current], w->pending.data, w->pending.len);
	if (r == 0)
		w->written += w->pending.len;
	buf_clear(&w->pending);
	return r;
}

static int next_file(struct capture_writer *w)
{
	int r = capture_writer_flush(w), fd;

	if (r < 0)
		return r;
	w->current = (w->current + 1) % w->fds.n;
	w->written = w->n_declared = 0;
	fd = w->fds.items[w->current];
	return lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0 ? -errno : 0;
}

static int make_room(struct capture_writer *w, size_t more)
{
	uint64_t size = w->written + w->pending.len;

	if (w->ring_bytes && size && size + more > w->ring_bytes)
		return next_file(w);
	return w->pending.len && w->pending.len + more > BUFFER_BYTES ? capture_writer_flush(w) : 0;
}

int capture_writer_put(struct capture_writer *w, const struct packet *p, const char *comment,
		       size_t len)
{
	const uint32_t body[] = { p->interface, (uint32_t)(p->time_ns >> 32), (uint32_t)p->time_ns,
				  p->captured, p->wire };
	size_t start;
	int r;

	if (p->interface >= w->interfaces.n)
		return -EINVAL;
	len = len < CAPTURE_COMMENT_MAX ? len : CAPTURE_COMMENT_MAX;
	r = make_room(w, p->captured + len + OVERHEAD);
	if (r < 0)
		return r;
	declare(w);
	start = begin_block(&w->pending, BLOCK_PACKET, body, sizeof(body));
	put_padded(&w->pending, p->data, p->captured);
	if (len) {
		put_option(&w->pending, OPTION_COMMENT, comment, len);
		put_option(&w->pending, OPTION_END, NULL, 0);
	}
	end_block(&w->pending, start);
	return buf_error(&w->pending);
}

int capture_writer_put_statistics(struct capture_writer *w, uint32_t interface, uint64_t time_ns,
				  uint64_t received, uint64_t dropped)
{
	const uint32_t body[] = { interface, (uint32_t)(time_ns >> 32), (uint32_t)time_ns };
	size_t start;

	if (interface >= w->interfaces.n)
		return -EINVAL;
	declare(w);
	start = begin_block(&w->pending, BLOCK_STATISTICS, body, sizeof(body));
	put_option(&w->pending, STATISTICS_RECEIVED, &received, sizeof(received));
	put_option(&w->pending, STATISTICS_DROPPED, &dropped, sizeof(dropped));
	put_option(&w->pending, OPTION_END, NULL, 0);
	end_block(&w->pending, start);
	return buf_error(&w->pending);
}

int capture_writer_add_interface(struct capture_writer *w, const char *name, uint16_t link_type,
				 uint32_t snaplen)
{
	struct written_interface i = { .link_type = link_type, .snaplen = snaplen };

	memcpy(i.name, name, strnlen(name, NAME_BYTES));
	return vec_push(&w->interfaces, i);
}

int capture_writer_new(const int *fds, size_t n, uint64_t ring_bytes, struct capture_writer **ret)
{
	struct capture_writer *w = calloc(1, sizeof(*w));
	int r = w ? 0 : -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = vec_push(&w->fds, fds[i]);
		if (r < 0)
			close(fds[i]);
	}
	if (r < 0) {
		capture_writer_free(w);
		return r;
	}
	w->ring_bytes = ring_bytes;
	*ret = w;
	return 0;
}

void capture_writer_free(struct capture_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->fds.n; i++)
		close(w->fds.items[i]);
	vec_deinit(&w->fds);
	vec_deinit(&w->interfaces);
	buf_deinit(&w->pending);
	free(w);
}
