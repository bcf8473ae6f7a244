/* SPDX-License-Identifier: MIT */
#include "procfs/text.h"

bool text_until(struct text *t, char sep, struct text *ret_part)
{
	const char *s;

	if (t->p >= t->end)
		return false;
	s = memchr(t->p, sep, text_len(*t));
	*ret_part = (struct text){ t->p, s ? s : t->end };
	t->p = s ? s + 1 : t->end;
	return true;
}

bool text_line(struct text *t, struct text *ret_line, bool *ret_whole)
{
	if (!text_until(t, '\n', ret_line))
		return false;
	if (ret_whole)
		*ret_whole = t->p > ret_line->end;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool text_word(struct text *t, struct text *ret_word)
{
	while (t->p < t->end && is_blank(*t->p))
		t->p++;
	if (t->p >= t->end)
		return false;
	ret_word->p = t->p;
	while (t->p < t->end && !is_blank(*t->p))
		t->p++;
	ret_word->end = t->p;
	return true;
}

bool text_skip(struct text *t, unsigned n_words)
{
	struct text w;

	while (n_words--)
		if (!text_word(t, &w))
			return false;
	return true;
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

bool text_u64(struct text t, unsigned base, uint64_t *ret_value)
{
	bool may_overflow = text_len(t) > 16;
	uint64_t v = 0;

	if (t.p >= t.end)
		return false;
	for (; t.p < t.end; t.p++) {
		unsigned d = digit(*t.p);

		if (d >= base || (may_overflow && v > (UINT64_MAX - d) / base))
			return false;
		v = v * base + d;
	}
	*ret_value = v;
	return true;
}

bool text_u32(struct text t, unsigned base, uint32_t *ret_value)
{
	uint64_t v;

	if (!text_u64(t, base, &v) || v > UINT32_MAX)
		return false;
	*ret_value = (uint32_t)v;
	return true;
}

bool text_word_u64(struct text *t, unsigned base, uint64_t *ret_value)
{
	struct text w;

	return text_word(t, &w) && text_u64(w, base, ret_value);
}

bool text_word_u32(struct text *t, unsigned base, uint32_t *ret_value)
{
	struct text w;

	return text_word(t, &w) && text_u32(w, base, ret_value);
}
