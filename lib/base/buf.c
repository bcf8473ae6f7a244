/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_deinit(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

char *buf_room_slow(struct buf *b, size_t n)
{
	size_t cap;
	char *p;

	if (b->error)
		return NULL;
	if (b->data && b->cap - b->len >= n)
		return b->data + b->len;
	cap = b->cap ? b->cap * 2 : 256;
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) {
		b->error = -ENOMEM;
		return NULL;
	}
	while (cap - b->len < n)
		cap *= 2;
	p = realloc(b->data, cap);
	if (!p) {
		b->error = -ENOMEM;
		return NULL;
	}
	b->data = p;
	b->cap = cap;
	return p + b->len;
}

void buf_pad(struct buf *b, char c, size_t n)
{
	char *p = buf_room(b, n);

	if (p) {
		memset(p, c, n);
		b->len += n;
	}
}

void buf_u64(struct buf *b, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char tmp[20];
	size_t i = sizeof(tmp);

	for (; v >= 100; v /= 100) {
		i -= 2;
		memcpy(tmp + i, pairs + 2 * (v % 100), 2);
	}
	if (v >= 10) {
		i -= 2;
		memcpy(tmp + i, pairs + 2 * v, 2);
	} else {
		tmp[--i] = (char)('0' + v);
	}
	buf_put(b, tmp + i, sizeof(tmp) - i);
}

void buf_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0)
		b->error = -EINVAL;
	p = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
	if (p) {
		vsnprintf(p, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

const char *buf_str(struct buf *b)
{
	char *p = buf_room(b, 1);

	if (!p)
		return NULL;
	*p = 0;
	return b->data;
}
