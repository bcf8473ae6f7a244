/* SPDX-License-Identifier: MIT */
/*
 * Shell patterns over bytes: * ? [a-z] [!a-z] and \ before a byte that stands for itself. Time is
 * at most pattern length times text length: only the last * is ever returned to.
 */
#include "filter/internal.h"

#include <string.h>

struct cursor {
	const unsigned char *p, *end; /* pattern */
	bool ignore_case;
};

static unsigned char fold(const struct cursor *c, unsigned char byte)
{
	return c->ignore_case && byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

/* One byte of a class, a backslash taken off; p is before its end. */
static unsigned char class_byte(const unsigned char **p, const unsigned char *end)
{
	if (**p == '\\' && *p + 1 < end)
		++*p;
	return *(*p)++;
}

/*
 * Matches a byte against the class that starts behind '['. Returns the place behind ']' or NULL
 * when the class is not closed: '[' then is an ordinary byte.
 */
static const unsigned char *class_match(const struct cursor *c, unsigned char byte, bool *ret)
{
	const unsigned char *p = c->p + 1, *start;
	bool is_negated = p < c->end && (*p == '!' || *p == '^');
	bool found = false;

	if (is_negated)
		p++;
	start = p;
	while (p < c->end && (*p != ']' || p == start)) {
		unsigned char first = class_byte(&p, c->end), last = first;

		if (c->end - p >= 2 && p[0] == '-' && p[1] != ']') {
			p++;
			last = class_byte(&p, c->end);
		}
		if (fold(c, byte) >= fold(c, first) && fold(c, byte) <= fold(c, last))
			found = true;
	}
	if (p >= c->end)
		return NULL;
	*ret = found != is_negated;
	return p + 1;
}

/* Matches one byte and moves the pattern on; false leaves the pattern as it was. */
static bool step(struct cursor *c, unsigned char byte)
{
	const unsigned char *next = c->p + 1;
	bool ok;

	switch (*c->p) {
	case '?':
		ok = true;
		break;
	case '[': {
		const unsigned char *behind = class_match(c, byte, &ok);

		if (behind)
			next = behind;
		else
			ok = byte == '[';
		break;
	}
	case '\\':
		if (next < c->end)
			next++;
		ok = fold(c, next[-1]) == fold(c, byte);
		break;
	default:
		ok = fold(c, *c->p) == fold(c, byte);
	}
	if (ok)
		c->p = next;
	return ok;
}

static bool literal_match(const struct glob *g, const char *text, size_t len)
{
	struct cursor c = { .ignore_case = g->ignore_case };

	if (g->len != len)
		return false;
	if (!g->ignore_case)
		return !len || !memcmp(g->data, text, len);
	for (size_t i = 0; i < len; i++)
		if (fold(&c, (unsigned char)g->data[i]) != fold(&c, (unsigned char)text[i]))
			return false;
	return true;
}

bool glob_match(const struct glob *g, const char *text, size_t len)
{
	struct cursor c = { (const unsigned char *)g->data, (const unsigned char *)g->data + g->len,
			    g->ignore_case };
	const unsigned char *star = NULL;
	size_t i = 0, star_i = 0;

	if (g->is_literal)
		return literal_match(g, text, len);
	while (i < len) {
		if (c.p < c.end && *c.p == '*') {
			star = ++c.p;
			star_i = i;
		} else if (c.p < c.end && step(&c, (unsigned char)text[i])) {
			i++;
		} else if (star) {
			c.p = star;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (c.p < c.end && *c.p == '*')
		c.p++;
	return c.p == c.end;
}
