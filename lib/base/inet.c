/* SPDX-License-Identifier: MIT */
#include "base/inet.h"

#include <string.h>
#include <sys/socket.h>

static char *put_u8(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *put_v4(char *p, const uint8_t *a)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = put_u8(p, a[i]);
	}
	return p;
}

static char *put_hex16(char *p, unsigned v)
{
	static const char digits[] = "0123456789abcdef";
	bool started = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned d = v >> shift & 15;

		started |= d || !shift;
		if (started)
			*p++ = digits[d];
	}
	return p;
}

/* The first of the longest runs of zero groups, at least two long (RFC 5952 4.2). */
static void longest_zeros(const uint8_t *a, int *ret_start, int *ret_n)
{
	*ret_start = -1;
	*ret_n = 1;
	for (int i = 0, run = 0; i < 8; i++) {
		run = a[2 * i] || a[2 * i + 1] ? 0 : run + 1;
		if (run > *ret_n) {
			*ret_n = run;
			*ret_start = i - run + 1;
		}
	}
}

static char *put_v6(char *p, const uint8_t *a)
{
	int start, n;

	if (inet_is_mapped(a)) {
		memcpy(p, "::ffff:", 7);
		return put_v4(p + 7, a + 12);
	}
	longest_zeros(a, &start, &n);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			*p++ = ':';
			if (i + n == 8)
				*p++ = ':';
			i += n - 1;
			continue;
		}
		if (i)
			*p++ = ':';
		p = put_hex16(p, (unsigned)a[2 * i] << 8 | a[2 * i + 1]);
	}
	return p;
}

size_t inet_text(int family, const uint8_t *addr, char out[static INET_TEXT_MAX])
{
	return (size_t)((family == AF_INET6 ? put_v6(out, addr) : put_v4(out, addr)) - out);
}

void inet_put(struct buf *b, int family, const uint8_t *addr)
{
	char *p = buf_room(b, INET_TEXT_MAX);

	if (p)
		b->len += inet_text(family, addr, p);
}

bool inet_is_any(int family, const uint8_t *addr)
{
	static const uint8_t zero[16];

	return !memcmp(addr, zero, family == AF_INET6 ? 16 : 4);
}

bool inet_is_mapped(const uint8_t addr[static 16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, prefix, sizeof(prefix));
}

bool inet_is_loopback(int family, const uint8_t *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (family != AF_INET6)
		return addr[0] == 127;
	return !memcmp(addr, one, 16) || (inet_is_mapped(addr) && addr[12] == 127);
}

bool inet_is_link_local(int family, const uint8_t *addr)
{
	if (family != AF_INET6)
		return addr[0] == 169 && addr[1] == 254;
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}
