/* SPDX-License-Identifier: MIT */
/*
 * One class table decides for single bytes, one predicate for characters beyond ASCII. Whatever is
 * not known to be harmless is escaped.
 */
#include "ui/text/escape.h"

#include <errno.h>
#include <utf8proc.h>

#define ALWAYS 0x80 /* C0, DEL, backslash, and bytes that begin something longer */

static const uint8_t byte_class[256] = {
	[0x00 ... 0x1f] = ALWAYS, [' '] = TEXT_WORD,  [','] = TEXT_LIST, ['('] = TEXT_LIST,
	['\\'] = ALWAYS,	  ['~'] = TEXT_ASCII, [0x7f] = ALWAYS,	 [0x80 ... 0xff] = ALWAYS,
};

static void put_hex(struct buf *b, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf_room(b, 4 * n);

	if (!p)
		return;
	for (size_t i = 0; i < n; i++) {
		*p++ = '\\';
		*p++ = 'x';
		*p++ = digits[bytes[i] >> 4];
		*p++ = digits[bytes[i] & 15];
	}
	b->len += 4 * n;
}

/* Characters that Unicode calls letters or symbols and that show as nothing. */
static bool is_blank(utf8proc_int32_t c)
{
	return c == 0x115f || c == 0x1160 || c == 0x2800 || c == 0x3164 || c == 0xffa0;
}

static bool is_right_to_left(utf8proc_int32_t c)
{
	unsigned bidi = utf8proc_get_property(c)->bidi_class;

	return bidi == UTF8PROC_BIDI_CLASS_R || bidi == UTF8PROC_BIDI_CLASS_AL ||
	       bidi == UTF8PROC_BIDI_CLASS_AN;
}

/* Separators, controls, format characters, surrogates, private and unassigned ones. */
static bool is_odd(utf8proc_int32_t c)
{
	return utf8proc_category(c) >= UTF8PROC_CATEGORY_ZS ||
	       utf8proc_category(c) == UTF8PROC_CATEGORY_CN;
}

static bool is_shown(utf8proc_int32_t c)
{
	return !is_odd(c) && c != 0x2026 && utf8proc_charwidth(c) > 0 && !is_blank(c) &&
	       !is_right_to_left(c);
}

/* Length of the valid UTF-8 sequence at p, 1 with *ret_char = -1 where there is none. */
static size_t decode(const uint8_t *p, size_t n, utf8proc_int32_t *ret_char)
{
	utf8proc_ssize_t r = utf8proc_iterate(p, (utf8proc_ssize_t)(n > 4 ? 4 : n), ret_char);

	if (r > 0)
		return (size_t)r;
	*ret_char = -1;
	return 1;
}

/* What is at p needs a second look; returns how many bytes were dealt with. */
static size_t put_special(struct buf *b, const uint8_t *p, size_t n, unsigned flags)
{
	utf8proc_int32_t c;
	size_t len;

	if (*p == '\\') {
		buf_put(b, "\\\\", 2);
		return 1;
	}
	if (*p < 0x80 || flags & TEXT_ASCII) {
		put_hex(b, p, 1);
		return 1;
	}
	len = decode(p, n, &c);
	if (c >= 0 && is_shown(c))
		buf_put(b, p, len);
	else
		put_hex(b, p, len);
	return len;
}

/* The marker for "empty" and texts that look like a marker; returns bytes dealt with. */
static size_t put_field_start(struct buf *b, const uint8_t *p, size_t n)
{
	if (n == 0)
		buf_put(b, "\"\"", 2);
	if ((n == 1 && *p == '-') || (n >= 2 && p[0] == '"' && p[1] == '"')) {
		put_hex(b, p, 1);
		return 1;
	}
	return 0;
}

void text_put(struct buf *b, const void *data, size_t len, unsigned flags)
{
	unsigned mask = (flags & (TEXT_WORD | TEXT_LIST | TEXT_ASCII)) | ALWAYS;
	const uint8_t *p = data;
	size_t i = flags & TEXT_FIELD ? put_field_start(b, p, len) : 0;

	/* a leading "(" is common ("(sd-pam)") and cannot be taken for the end of another name */
	if (i < len && p[i] == '(' && flags & TEXT_LIST)
		buf_putc(b, (char)p[i++]);
	while (i < len) {
		size_t start = i;

		while (i < len && !(byte_class[p[i]] & mask))
			i++;
		buf_put(b, p + start, i - start);
		if (i < len)
			i += put_special(b, p + i, len - i, flags);
	}
}

static void put_u(struct buf *b, unsigned unit)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = { '\\',
			 'u',
			 digits[unit >> 12 & 15],
			 digits[unit >> 8 & 15],
			 digits[unit >> 4 & 15],
			 digits[unit & 15] };

	buf_put(b, text, sizeof(text));
}

static void put_json_char(struct buf *b, utf8proc_int32_t c)
{
	if (c < 0x10000) {
		put_u(b, (unsigned)c);
		return;
	}
	put_u(b, 0xd800 + ((unsigned)(c - 0x10000) >> 10));
	put_u(b, 0xdc00 + ((unsigned)(c - 0x10000) & 0x3ff));
}

static size_t put_json_special(struct buf *b, const uint8_t *p, size_t n)
{
	utf8proc_int32_t c;
	size_t len;

	if (*p == '"')
		buf_put(b, "\\\"", 2);
	else if (*p == '\\')
		buf_put(b, "\\\\\\\\", 4);
	else if (*p < 0x80)
		put_u(b, *p);
	if (*p < 0x80)
		return 1;
	len = decode(p, n, &c);
	if (c < 0) {
		buf_putc(b, '\\');
		put_hex(b, p, 1);
	} else if (is_odd(c)) {
		put_json_char(b, c);
	} else {
		buf_put(b, p, len);
	}
	return len;
}

void text_put_json(struct buf *b, const void *data, size_t len)
{
	const uint8_t *p = data;

	buf_putc(b, '"');
	for (size_t i = 0; i < len;) {
		size_t start = i;

		while (i < len && !(byte_class[p[i]] & ALWAYS) && p[i] != '"')
			i++;
		buf_put(b, p + start, i - start);
		if (i < len)
			i += put_json_special(b, p + i, len - i);
	}
	buf_putc(b, '"');
}

/* What makes spreadsheets evaluate a cell, and the mark itself. */
static bool is_formula(const char *text, size_t len)
{
	static const char *const wide[] = { "\uff1d", "\uff0b", "\uff0d", "\uff20" };

	if (len && memchr("=+-@'", text[0], 5))
		return true;
	for (size_t i = 0; len >= 3 && (uint8_t)text[0] == 0xef && i < 4; i++)
		if (!memcmp(text, wide[i], 3))
			return true;
	return false;
}

static bool needs_quotes(const char *text, size_t len)
{
	return len && (text[0] == ' ' || text[len - 1] == ' ' || memchr(text, ',', len) ||
		       memchr(text, '"', len));
}

void text_put_csv(struct buf *b, const char *text, size_t len)
{
	bool quoted = needs_quotes(text, len);

	if (quoted)
		buf_putc(b, '"');
	if (is_formula(text, len))
		buf_putc(b, '\'');
	if (!quoted)
		buf_put(b, text, len);
	for (size_t i = 0; quoted && i < len; i++) {
		if (text[i] == '"')
			buf_putc(b, '"');
		buf_putc(b, text[i]);
	}
	if (quoted)
		buf_putc(b, '"');
}

/* One character or escape at text[0]; its width in *ret_width. */
static size_t next_unit(const char *text, size_t len, size_t *ret_width)
{
	utf8proc_int32_t c;
	size_t n;

	*ret_width = 1;
	if (text[0] == '\\') {
		n = len >= 4 && text[1] == 'x' ? 4 : len >= 2 && text[1] == '\\' ? 2 : 1;
		*ret_width = n;
		return n;
	}
	if (!((uint8_t)text[0] & 0x80))
		return 1;
	n = decode((const uint8_t *)text, len, &c);
	if (c >= 0)
		*ret_width = (size_t)utf8proc_charwidth(c);
	return n;
}

static uint64_t load_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word & UINT64_C(0x8080808080808080);
}

/* Bytes before the first that is not ASCII, maybe a few too few. */
static size_t ascii_run(const char *text, size_t len)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8)
		if (load_word(text + i))
			return i;
	/* the last eight overlap those before */
	if (len >= 8)
		return load_word(text + len - 8) ? i : len;
	while (i < len && !((uint8_t)text[i] & 0x80))
		i++;
	return i;
}

size_t text_width(const char *text, size_t len)
{
	size_t i = ascii_run(text, len), total = i, width;

	while (i < len) {
		i += next_unit(text + i, len - i, &width);
		total += width;
	}
	return total;
}

size_t text_fit(const char *text, size_t len, size_t columns, size_t *ret_columns)
{
	size_t i = 0, total = 0;

	while (i < len) {
		size_t width, n = next_unit(text + i, len - i, &width);

		if (total + width > columns)
			break;
		total += width;
		i += n;
	}
	*ret_columns = total;
	return i;
}

void text_cut(struct buf *b, size_t start, size_t columns, bool ascii)
{
	size_t width;

	if (buf_error(b) || text_width(b->data + start, b->len - start) <= columns)
		return;
	b->len = start +
		 text_fit(b->data + start, b->len - start, columns ? columns - 1 : 0, &width);
	if (columns)
		buf_puts(b, ascii ? "~" : "\u2026");
}
