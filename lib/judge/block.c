/* SPDX-License-Identifier: MIT */
#include "judge/block.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void map_address(int family, const uint8_t *addr, uint8_t out[static 16])
{
	if (family == AF_INET6) {
		memcpy(out, addr, 16);
		return;
	}
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped), addr, 4);
}

static void mask_address(uint8_t addr[static 16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			addr[i] &= (uint8_t)(0xff00u >> keep);
	}
}

static bool contains(const struct block_entry *e, const uint8_t addr[static 16])
{
	unsigned bytes = e->bits / 8, rest = e->bits % 8;

	if (memcmp(e->addr, addr, bytes) != 0)
		return false;
	return !rest || ((e->addr[bytes] ^ addr[bytes]) & (0xff00u >> rest & 0xffu)) == 0;
}

static int fail(struct block_error *error, uint32_t line, size_t offset, const char *message,
		const char *expected)
{
	*error = (struct block_error){ line, offset, message, expected };
	return -EINVAL;
}

/* Decimal without leading zeros, at most `max`; UINT32_MAX when it is none. */
static uint32_t parse_bits(const char *text, size_t len, uint32_t max)
{
	uint32_t value = 0;

	if (!len || len > 3 || (len > 1 && text[0] == '0'))
		return UINT32_MAX;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return UINT32_MAX;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	return value <= max ? value : UINT32_MAX;
}

/* One word without white space. */
static int parse_word(struct block *b, const char *text, size_t start, size_t end, uint32_t line,
		      struct block_error *error)
{
	const char *slash = memchr(text + start, '/', end - start);
	size_t n = slash ? (size_t)(slash - text) - start : end - start;
	struct block_entry e = { .bits = 128, .line = line };
	char addr[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	int family;

	if (n >= sizeof(addr) || memchr(text + start, '\0', n))
		return fail(error, line, start, "is not an address", "an IPv4 or IPv6 address");
	memcpy(addr, text + start, n);
	addr[n] = '\0';
	family = memchr(addr, ':', n) ? AF_INET6 : AF_INET;
	if (inet_pton(family, addr, bytes) != 1)
		return fail(error, line, start, "is not an address", "an IPv4 or IPv6 address");
	map_address(family, bytes, e.addr);
	if (slash) {
		uint32_t bits = parse_bits(slash + 1, end - (size_t)(slash + 1 - text),
					   family == AF_INET ? 32 : 128);

		if (bits == UINT32_MAX)
			return fail(error, line, (size_t)(slash + 1 - text),
				    "is not a length of a prefix",
				    family == AF_INET ? "0 to 32" : "0 to 128");
		e.bits = (uint8_t)(family == AF_INET ? bits + 96 : bits);
	}
	mask_address(e.addr, e.bits);
	return vec_push(&b->entries, e);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static int parse_line(struct block *b, const char *text, size_t start, size_t end, uint32_t line,
		      struct block_error *error)
{
	size_t word = start, stop;

	while (word < end && is_blank(text[word]))
		word++;
	for (stop = word;
	     stop < end && !is_blank(text[stop]) && text[stop] != '#' && text[stop] != ';';)
		stop++;
	start = stop;
	while (start < end && is_blank(text[start]))
		start++;
	if (start < end && text[start] != '#' && text[start] != ';')
		return fail(error, line, start, "stands behind the address",
			    "the end of the line, or a comment that begins with # or ;");
	return stop > word ? parse_word(b, text, word, stop, line, error) : 0;
}

static int compare(const void *a, const void *b)
{
	const struct block_entry *x = a, *y = b;
	int r = memcmp(x->addr, y->addr, 16);

	if (r)
		return r;
	if (x->bits != y->bits)
		return x->bits < y->bits ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* Prefixes are nested or apart: dropping the inner ones leaves disjoint ones in order. */
static void drop_covered(struct block *b)
{
	size_t n = 0;

	if (b->entries.n)
		qsort(b->entries.items, b->entries.n, sizeof(*b->entries.items), compare);
	for (size_t i = 0; i < b->entries.n; i++)
		if (!n || !contains(&b->entries.items[n - 1], b->entries.items[i].addr))
			b->entries.items[n++] = b->entries.items[i];
	b->entries.n = n;
}

int block_parse(struct block *b, const char *text, size_t len, struct block_error *error)
{
	uint32_t line = 1;
	int r = 0;

	for (size_t start = 0; r == 0 && start < len; line++) {
		const char *newline = memchr(text + start, '\n', len - start);
		size_t end = newline ? (size_t)(newline - text) : len;

		r = parse_line(b, text, start, end, line, error);
		start = end + 1;
	}
	if (r == 0)
		drop_covered(b);
	return r;
}

void block_deinit(struct block *b)
{
	vec_deinit(&b->entries);
}

const struct block_entry *block_find(const struct block *b, int family, const uint8_t *addr)
{
	size_t low = 0, high = b->entries.n;
	uint8_t key[16];

	map_address(family, addr, key);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(b->entries.items[middle].addr, key, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && contains(&b->entries.items[low - 1], key) ? &b->entries.items[low - 1] : NULL;
}
