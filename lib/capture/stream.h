/* SPDX-License-Identifier: MIT */
/*
 * The bytes of one file in order, seen through a window: a buffer that is refilled from a file, a
 * pipe or a decompressor. A window only moves in stream_fill(), so pointers into it hold between
 * two calls. The buffer grows by bytes that really came, never by a size that the file claims.
 */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decompressor;

struct stream {
	const uint8_t *data; /* the window */
	size_t pos, len;     /* first unread byte in it, and its end */
	uint64_t base;	     /* offset of data[0] in the stream */
	bool at_end;	     /* nothing comes after the window */
	int error;	     /* errno of a failed read; then at_end is set */
	const char *broken;  /* compressed data are wrong: what was expected; then at_end is set */

	int fd;
	uint64_t file_size; /* 0 = not a regular file */
	uint64_t file_read; /* bytes taken from fd */
	uint8_t *buffer;
	size_t cap;
	uint64_t skip; /* bytes to drop before the window; at_end and skip: the stream was too short
			*/
	struct decompressor *decompressor;
	uint64_t unpacked_max; /* bytes it may give; beyond is_over_max and at_end are set */
	bool is_over_max;
	size_t in_pos, in_len;
	bool in_end;
	uint8_t *in_buffer; /* compressed bytes */
};

/* Takes fd. 0 or -errno; on failure fd is closed. */
int stream_init(struct stream *s, int fd);
void stream_deinit(struct stream *s);

/*
 * Tries to have at least `want` unread bytes in the window, reading once: 0 (look again; at_end
 * tells when no more will come), -EINTR, -ENOMEM. A failed read sets error and at_end. Moves the
 * window.
 */
int stream_fill(struct stream *s, size_t want);

/*
 * The first window is there: if it opens a gzip, zstd or lz4 file, the stream is from now on what
 * that decompresses to. 0, 1 = it does, -ENOMEM.
 */
int stream_decompress(struct stream *s);

/* Drops n bytes, also beyond the window. */
void stream_skip(struct stream *s, uint64_t n);

static inline size_t stream_left(const struct stream *s)
{
	return s->len - s->pos;
}

static inline uint64_t stream_offset(const struct stream *s)
{
	return s->base + s->pos;
}

#endif
