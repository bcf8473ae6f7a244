/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer. Errors stick: after a failed allocation every call is a no-op and
 * buf_error() is -ENOMEM, so callers check once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data;
	size_t len, cap;
	int error;
};
#define BUF_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0, 0                                                                      \
	}

void buf_deinit(struct buf *b);
/* Room for n more bytes at data + len, or NULL; add what was written to len. */
char *buf_room_slow(struct buf *b, size_t n);

static inline char *buf_room(struct buf *b, size_t n)
{
	return b->data && b->cap - b->len >= n && !b->error ? b->data + b->len
							    : buf_room_slow(b, n);
}

static inline int buf_error(const struct buf *b)
{
	return b->error;
}

static inline void buf_clear(struct buf *b)
{
	b->len = 0;
}

static inline void buf_put(struct buf *b, const void *data, size_t n)
{
	char *p = buf_room(b, n);

	if (p && n) {
		memcpy(p, data, n);
		b->len += n;
	}
}

static inline void buf_putc(struct buf *b, char c)
{
	char *p = buf_room(b, 1);

	if (p) {
		*p = c;
		b->len++;
	}
}

static inline void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_pad(struct buf *b, char c, size_t n);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes as a string (a NUL is kept behind them); "" when empty; NULL after an error. */
const char *buf_str(struct buf *b);

static inline void cleanup_buf(struct buf *b)
{
	buf_deinit(b);
}

#endif
