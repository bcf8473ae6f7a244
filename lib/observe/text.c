/* SPDX-License-Identifier: MIT */
/* Bytes as lines and words, and the builder of details. Nothing here leaves the bytes it was given.
 */
#include <stdarg.h>
#include <stdio.h>

#include "observe/observe-internal.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool bytes_have_word(struct span bytes, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= bytes.n; i++) {
		size_t k = 0;

		while (k < n && lower((char)bytes.p[i + k]) == lower(word[k]))
			k++;
		if (k == n)
			return true;
	}
	return false;
}

struct span first_line(const uint8_t *data, size_t len, bool *ret_whole)
{
	const uint8_t *newline = len ? memchr(data, '\n', len) : NULL;
	size_t n = newline ? (size_t)(newline - data) : len;

	*ret_whole = newline != NULL;
	if (n > 0 && data[n - 1] == '\r')
		n--;
	return (struct span){ data, n };
}

bool bytes_are_text(struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if ((bytes.p[i] < 0x20 && bytes.p[i] != '\t') || bytes.p[i] == 0x7f)
			return false;
	return true;
}

static bool needs_quotes(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == ' ' || p[i] == '"')
			return true;
	return n == 0;
}

/* Writes the value, quoted where needed; returns its length, or SIZE_MAX when room is too small. */
static size_t put_value(char *out, size_t room, const uint8_t *p, size_t n)
{
	bool quoted = needs_quotes(p, n);
	size_t len = 0;

	if (room < 2 * n + 2)
		return SIZE_MAX;
	if (quoted)
		out[len++] = '"';
	for (size_t i = 0; i < n; i++) {
		if (quoted && (p[i] == '"' || p[i] == '\\'))
			out[len++] = '\\';
		out[len++] = (char)p[i];
	}
	if (quoted)
		out[len++] = '"';
	return len;
}

void detail_bytes(struct detail *d, const char *key, const void *value, size_t n)
{
	char text[2 * DETAIL_VALUE_MAX + 2];
	size_t key_len = strlen(key), len, space = d->len ? 1 : 0;

	len = put_value(text, sizeof(text), value, n < DETAIL_VALUE_MAX ? n : DETAIL_VALUE_MAX);
	if (d->len + space + key_len + 1 + len > OBSERVE_DETAIL_MAX)
		return;
	if (space)
		d->text[d->len++] = ' ';
	memcpy(d->text + d->len, key, key_len);
	d->len += (uint8_t)key_len;
	d->text[d->len++] = '=';
	memcpy(d->text + d->len, text, len);
	d->len += (uint8_t)len;
}

void detail_span(struct detail *d, const char *key, struct span value)
{
	detail_bytes(d, key, value.p, value.n);
}

void detail_text(struct detail *d, const char *key, const char *value)
{
	detail_bytes(d, key, value, strlen(value));
}

void detail_printf(struct detail *d, const char *key, const char *format, ...)
{
	char text[DETAIL_VALUE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= 0)
		detail_bytes(d, key, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}
