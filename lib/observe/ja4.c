/* SPDX-License-Identifier: MIT */
/*
 * JA4, FoxIO's fingerprint of TLS clients: what a ClientHello offers, in an order that does not
 * depend on the order of the hello. Format: https://github.com/FoxIO-LLC/ja4
 */
#include "observe/observe-internal.h"

#define EXT_SERVER_NAME 0x0000
#define EXT_ALPN 0x0010
#define HASH_DIGITS 12

static const char hex[] = "0123456789abcdef";

static void sort(struct tls_list *list)
{
	for (unsigned i = 1; i < list->n; i++) {
		uint16_t v = list->items[i];
		unsigned k = i;

		for (; k > 0 && list->items[k - 1] > v; k--)
			list->items[k] = list->items[k - 1];
		list->items[k] = v;
	}
}

/* Four digits an item, commas between; returns the length. */
static size_t put_list(char *out, const struct tls_list *list)
{
	char *p = out;

	for (unsigned i = 0; i < list->n; i++) {
		uint16_t v = list->items[i];

		if (i)
			*p++ = ',';
		for (int shift = 12; shift >= 0; shift -= 4)
			*p++ = hex[v >> shift & 15];
	}
	return (size_t)(p - out);
}

static bool put_hash(struct crypto *c, const char *text, size_t n, char out[static HASH_DIGITS])
{
	uint8_t hash[32];

	if (n == 0) {
		memset(out, '0', HASH_DIGITS);
		return true;
	}
	if (!crypto_sha256(c, text, n, hash))
		return false;
	for (unsigned i = 0; i < HASH_DIGITS; i++)
		out[i] = hex[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return true;
}

static const char *version_digits(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default:
		return "00";
	}
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* First and last character of the first protocol, or of its hexadecimal form. */
static void put_alpn(struct span alpn, char out[static 2])
{
	struct reader r = reader_of(alpn.p, alpn.n);
	struct span name = read_span(&r, r.left ? read_u8(&r) : 0);
	uint8_t first, last;

	out[0] = out[1] = '0';
	if (name.n == 0)
		return;
	first = name.p[0];
	last = name.p[name.n - 1];
	if (is_alnum(first) && is_alnum(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
		return;
	}
	out[0] = hex[first >> 4];
	out[1] = hex[last & 15];
}

/* Two decimal digits; 99 stands for more. */
static char *put_count(char *out, unsigned n)
{
	n = n < 99 ? n : 99;
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
	return out + 2;
}

bool ja4_client(struct crypto *c, const struct tls_hello *h, char carrier,
		char out[static JA4_SIZE])
{
	struct tls_list ciphers = h->ciphers, extensions = { 0 };
	char text[2 * (5 * TLS_LIST_MAX + 1)];
	char first[HASH_DIGITS], second[HASH_DIGITS];
	size_t n;

	sort(&ciphers);
	if (!put_hash(c, text, put_list(text, &ciphers), first))
		return false;
	for (unsigned i = 0; i < h->extensions.n; i++)
		if (h->extensions.items[i] != EXT_SERVER_NAME && h->extensions.items[i] != EXT_ALPN)
			extensions.items[extensions.n++] = h->extensions.items[i];
	sort(&extensions);
	n = put_list(text, &extensions);
	if (h->signatures.n) {
		text[n++] = '_';
		n += put_list(text + n, &h->signatures);
	}
	if (!put_hash(c, text, extensions.n ? n : 0, second))
		return false;
	out[0] = carrier;
	memcpy(out + 1, version_digits(h->version), 2);
	out[3] = h->has_sni ? 'd' : 'i';
	put_alpn(h->alpn, put_count(put_count(out + 4, h->ciphers.n), h->extensions.n));
	out[10] = out[23] = '_';
	memcpy(out + 11, first, HASH_DIGITS);
	memcpy(out + 24, second, HASH_DIGITS);
	out[36] = 0;
	return true;
}
