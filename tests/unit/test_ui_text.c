/* SPDX-License-Identifier: MIT */
/* Escaping: harmless, injective, reversible; width and cutting. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ui/text/escape.h"
#include "ui_names.h"

static const unsigned text_flags[] = {
	0,
	TEXT_FIELD,
	TEXT_WORD | TEXT_FIELD,
	TEXT_WORD | TEXT_FIELD | TEXT_LIST,
	TEXT_WORD | TEXT_FIELD | TEXT_ASCII,
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Turns text_put() back; with `field`, text_put(TEXT_FIELD). 0 or -EINVAL. */
static int unescape(const char *text, size_t len, bool field, struct buf *out)
{
	size_t i = 0;

	if (field && len == 2 && !memcmp(text, "\"\"", 2))
		return buf_error(out);
	while (i < len) {
		int high, low;

		if (text[i] != '\\') {
			buf_putc(out, text[i++]);
			continue;
		}
		if (len - i >= 2 && text[i + 1] == '\\') {
			buf_putc(out, '\\');
			i += 2;
			continue;
		}
		if (len - i < 4 || text[i + 1] != 'x')
			return -EINVAL;
		high = hex_digit(text[i + 2]);
		low = hex_digit(text[i + 3]);
		if (high < 0 || low < 0)
			return -EINVAL;
		buf_putc(out, (char)(high << 4 | low));
		i += 4;
	}
	return buf_error(out);
}

static void assert_reversible(const struct pv_bytes *name, unsigned flags, struct buf *text)
{
	_cleanup_(cleanup_buf) struct buf back = BUF_INIT;

	buf_clear(text);
	text_put(text, name->data, name->len, flags);
	assert_true(is_harmless(text->data, text->len));
	assert_int_equal(unescape(text->data, text->len, flags & TEXT_FIELD, &back), 0);
	assert_int_equal(back.len, name->len);
	if (name->len)
		assert_memory_equal(back.data, name->data, name->len);
}

static void text_hostile(void **state)
{
	(void)state;
	for (size_t f = 0; f < LEN(text_flags); f++) {
		struct buf seen[LEN(hostile)] = { 0 };

		for (size_t i = 0; i < LEN(hostile); i++) {
			assert_reversible(&hostile[i], text_flags[f], &seen[i]);
			for (size_t j = 0; j < i; j++)
				assert_false(seen[i].len == seen[j].len &&
					     !memcmp(seen[i].data, seen[j].data, seen[i].len));
			if (text_flags[f] & TEXT_WORD)
				assert_null(memchr(seen[i].data, ' ', seen[i].len));
			if (text_flags[f] & TEXT_ASCII)
				for (size_t k = 0; k < seen[i].len; k++)
					assert_true((uint8_t)seen[i].data[k] < 0x80);
		}
		for (size_t i = 0; i < LEN(hostile); i++)
			buf_deinit(&seen[i]);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void text_random_bytes(void **state)
{
	static const char likely[] = "\\x0a\"'-~, ()\033\n\377\302\200\342\200\256\346\227\245";
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	uint32_t seed = 2;
	char bytes[16];

	(void)state;
	for (int round = 0; round < 50000; round++) {
		struct pv_bytes name = { bytes, next_random(&seed) % sizeof(bytes) };

		for (uint32_t i = 0; i < name.len; i++)
			bytes[i] = next_random(&seed) % 2
					   ? (char)next_random(&seed)
					   : likely[next_random(&seed) % (sizeof(likely) - 1)];
		assert_reversible(&name, text_flags[round % (int)LEN(text_flags)], &text);
	}
}

static void assert_text(const char *bytes, unsigned flags, const char *expected)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	text_put(&b, bytes, strlen(bytes), flags);
	assert_string_equal(buf_str(&b), expected);
}

static void text_documented_forms(void **state)
{
	(void)state;
	assert_text("a b", 0, "a b");
	assert_text("a b", TEXT_WORD, "a\\x20b");
	assert_text("a\\b", 0, "a\\\\b");
	assert_text("\033[2J", 0, "\\x1b[2J");
	assert_text("-", TEXT_FIELD, "\\x2d");
	assert_text("", TEXT_FIELD, "\"\"");
	assert_text("\"\"", TEXT_FIELD, "\\x22\"");
	assert_text("(sd-pam)", TEXT_LIST, "(sd-pam)");
	assert_text("a(1),b", TEXT_LIST, "a\\x281)\\x2cb");
	assert_text("\303\251", 0, "\303\251");
	assert_text("\303\251~", TEXT_ASCII, "\\xc3\\xa9\\x7e");
	assert_text("\342\200\256", 0, "\\xe2\\x80\\xae");
}

static void text_refuses_what_it_did_not_write(void **state)
{
	static const char *const bad[] = { "\\", "a\\", "\\x", "\\x1", "\\x1G", "\\xAB", "\\n" };
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(unescape(bad[i], strlen(bad[i]), true, &b), -EINVAL);
}

static void assert_cut(const char *text, size_t columns, bool ascii, const char *expected)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	buf_puts(&b, "| ");
	buf_puts(&b, text);
	text_cut(&b, 2, columns, ascii);
	assert_string_equal(buf_str(&b) + 2, expected);
	assert_true(text_width(b.data + 2, b.len - 2) <= columns);
}

static void text_cut_on_borders(void **state)
{
	(void)state;
	assert_cut("abcdef", 6, false, "abcdef");
	assert_cut("abcdef", 5, false, "abcd\342\200\246");
	assert_cut("abcdef", 5, true, "abcd~");
	assert_cut("abcdef", 1, false, "\342\200\246");
	assert_cut("abcdef", 0, false, "");
	assert_cut("\346\227\245\346\234\254\350\252\236", 4, false, "\346\227\245\342\200\246");
	assert_cut("ab\\x1b[2J", 6, false, "ab\342\200\246");
	assert_cut("ab\\x1b[2J", 7, false, "ab\\x1b\342\200\246");
	assert_cut("ab\\\\cd", 4, false, "ab\342\200\246");
	assert_int_equal(text_width("\346\227\245a\\x1b", 8), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_hostile),
		cmocka_unit_test(text_random_bytes),
		cmocka_unit_test(text_documented_forms),
		cmocka_unit_test(text_refuses_what_it_did_not_write),
		cmocka_unit_test(text_cut_on_borders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
