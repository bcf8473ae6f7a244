/* SPDX-License-Identifier: MIT */
/*
 * Words and symbols of a filter. Where a value is expected a word runs to the next white space;
 * where a predicate or an operator is expected, a name also ends at a comparison or parenthesis, so
 * that `(dport>=1024)` needs no spaces. A word may hold "quoted parts" and \-escaped bytes.
 */
#include "filter/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* Words go into messages as printable ASCII, cut: they may hold anything. */
static void quote_word(const struct parser *p, const struct word *w, char out[static 48])
{
	size_t n = w->len < 40 ? w->len : 40, i;

	for (i = 0; i < n; i++) {
		char c = p->text[w->offset + i];

		out[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	snprintf(out + i, 48 - i, "%s", w->len > n ? "..." : "");
}

int fail_at(struct parser *p, const struct word *w, const char *expected, const char *format, ...)
{
	char quoted[48], text[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	p->error->offset = w->offset;
	p->error->length = w->len;
	if (w->len && w->len <= p->len) {
		quote_word(p, w, quoted);
		snprintf(p->error->message, sizeof(p->error->message), "\"%.44s\" %.110s", quoted,
			 text);
	} else {
		snprintf(p->error->message, sizeof(p->error->message), "%s", text);
	}
	snprintf(p->error->expected, sizeof(p->error->expected), "%s", expected ? expected : "");
	return -EINVAL;
}

/* Skips white space and, at the start of a line, comments. */
static void skip_blank(struct parser *p)
{
	bool at_line_start = true;

	for (size_t i = p->pos; i > 0 && at_line_start && p->text[i - 1] != '\n'; i--)
		at_line_start = is_space(p->text[i - 1]);
	while (p->pos < p->len) {
		char c = p->text[p->pos];

		if (c == '#' && at_line_start) {
			while (p->pos < p->len && p->text[p->pos] != '\n')
				p->pos++;
		} else if (is_space(c)) {
			at_line_start = at_line_start || c == '\n';
			p->pos++;
		} else {
			return;
		}
	}
}

/* The end of the quoted part that starts at i, or 0 when it is not closed. */
static size_t quote_end(const struct parser *p, size_t i)
{
	for (i++; i < p->len; i++) {
		if (p->text[i] == '\\')
			i++;
		else if (p->text[i] == '"')
			return i + 1;
	}
	return 0;
}

static int scan_word(struct parser *p, struct word *w)
{
	size_t i = p->pos, open = 0;

	*w = (struct word){ .offset = p->pos };
	while (i < p->len && !is_space(p->text[i])) {
		char c = p->text[i];

		if (c == ')' && !open)
			break;
		if (c == '"') {
			size_t end = quote_end(p, i);

			if (!end) {
				struct word rest = { .offset = i, .len = 1 };

				return fail_at(p, &rest, "a closing \"",
					       "opens a quotation that does not end");
			}
			w->is_quoted = true;
			i = end;
			continue;
		}
		if (c == '(')
			open++;
		else if (c == ')')
			open--;
		if (c == '\\') {
			w->is_quoted = true;
			i++;
		}
		i++;
	}
	if (i > p->len)
		i = p->len;
	w->len = i - p->pos;
	p->pos = i;
	return 0;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Does a name end before byte i? `comm="x"`, `not(`, `autobound)`. */
static bool ends_name(const struct parser *p, size_t i)
{
	char c = i < p->len ? p->text[i] : ' ';

	return is_space(c) || c == '=' || c == '<' || c == '>' || c == '(' || c == ')' ||
	       (c == '!' && i + 1 < p->len && p->text[i + 1] == '=');
}

static int scan_name(struct parser *p, struct word *w)
{
	size_t i = p->pos;

	while (i < p->len && is_name_byte(p->text[i]))
		i++;
	if (i == p->pos || !ends_name(p, i))
		return scan_word(p, w);
	*w = (struct word){ .offset = p->pos, .len = i - p->pos };
	p->pos = i;
	return 0;
}

struct symbol {
	char text[4];
	uint8_t kind, comparison;
};

/* Longer ones before their beginnings. */
static const struct symbol symbols[] = {
	{ "(", TOKEN_OPEN, 0 },		 { ")", TOKEN_CLOSE, 0 },
	{ "!=", TOKEN_COMPARE, CMP_NE }, { "!", TOKEN_NOT, 0 },
	{ "&&", TOKEN_AND, 0 },		 { "&", TOKEN_AND, 0 },
	{ "||", TOKEN_OR, 0 },		 { "|", TOKEN_OR, 0 },
	{ "==", TOKEN_COMPARE, CMP_EQ }, { "=", TOKEN_COMPARE, CMP_EQ },
	{ "<=", TOKEN_COMPARE, CMP_LE }, { "<", TOKEN_COMPARE, CMP_LT },
	{ ">=", TOKEN_COMPARE, CMP_GE }, { ">", TOKEN_COMPARE, CMP_GT },
};

static const struct symbol keywords[] = {
	{ "and", TOKEN_AND, 0 },	  { "or", TOKEN_OR, 0 },
	{ "not", TOKEN_NOT, 0 },	  { "eq", TOKEN_COMPARE, CMP_EQ },
	{ "ne", TOKEN_COMPARE, CMP_NE },  { "neq", TOKEN_COMPARE, CMP_NE },
	{ "lt", TOKEN_COMPARE, CMP_LT },  { "le", TOKEN_COMPARE, CMP_LE },
	{ "leq", TOKEN_COMPARE, CMP_LE }, { "gt", TOKEN_COMPARE, CMP_GT },
	{ "ge", TOKEN_COMPARE, CMP_GE },  { "geq", TOKEN_COMPARE, CMP_GE },
};

static const struct symbol *symbol_at(const struct parser *p)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		size_t n = strlen(symbols[i].text);

		if (n <= p->len - p->pos && !memcmp(p->text + p->pos, symbols[i].text, n))
			return &symbols[i];
	}
	return NULL;
}

static void classify_word(const struct parser *p, struct token *t)
{
	t->kind = TOKEN_WORD;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords) && !t->word.is_quoted; i++) {
		if (strlen(keywords[i].text) == t->word.len &&
		    !memcmp(p->text + t->word.offset, keywords[i].text, t->word.len)) {
			t->kind = (enum token_kind)keywords[i].kind;
			t->comparison = (enum comparison)keywords[i].comparison;
		}
	}
}

int lexer_next(struct parser *p, bool want_value, struct token *ret)
{
	const struct symbol *s;
	int r;

	skip_blank(p);
	*ret = (struct token){ .kind = TOKEN_END, .word = { .offset = p->pos } };
	if (p->pos >= p->len)
		return 0;
	s = symbol_at(p);
	if (s) {
		ret->kind = (enum token_kind)s->kind;
		ret->comparison = (enum comparison)s->comparison;
		ret->word.len = strlen(s->text);
		p->pos += ret->word.len;
		return 0;
	}
	r = want_value ? scan_word(p, &ret->word) : scan_name(p, &ret->word);
	if (r < 0)
		return r;
	classify_word(p, ret);
	return 0;
}

int lexer_peek(struct parser *p, bool want_value, struct token *ret)
{
	size_t pos = p->pos;
	int r = lexer_next(p, want_value, ret);

	p->pos = pos;
	return r;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at *i inside quotes stands for, or -1; moves *i behind it. */
static int quoted_escape(const char *text, size_t end, size_t *i)
{
	static const char letters[] = "n\nt\tr\r\\\\\"\"";
	char c = *i + 1 < end ? text[*i + 1] : '\0';

	if (c == 'x') {
		int high = *i + 2 < end ? hex_digit(text[*i + 2]) : -1;
		int low = *i + 3 < end ? hex_digit(text[*i + 3]) : -1;

		*i += 4;
		return high < 0 || low < 0 ? -1 : high * 16 + low;
	}
	*i += 2;
	for (size_t k = 0; k + 1 < sizeof(letters); k += 2)
		if (c == letters[k])
			return letters[k + 1];
	return -1;
}

struct unquoter {
	struct parser *p;
	size_t i, end;
	bool in_quotes;
};

/*
 * The next byte of a word. 1 = *byte is to be taken as it is, 2 = it was quoted; 0 = the end;
 * -EINVAL.
 */
static int next_byte(struct unquoter *u, char *byte)
{
	const char *text = u->p->text;

	while (u->i < u->end && text[u->i] == '"') {
		u->in_quotes = !u->in_quotes;
		u->i++;
	}
	if (u->i >= u->end)
		return 0;
	if (text[u->i] != '\\') {
		*byte = text[u->i++];
		return u->in_quotes ? 2 : 1;
	}
	if (u->in_quotes) {
		struct word w = { .offset = u->i, .len = 2 };
		int c = quoted_escape(text, u->end, &u->i);

		if (c < 0)
			return fail_at(u->p, &w, "\\xHH, \\n, \\t, \\r, \\\\ or \\\"",
				       "is no escape");
		*byte = (char)c;
		return 2;
	}
	u->i++;
	*byte = u->i < u->end ? text[u->i] : '\\';
	u->i++;
	return 2;
}

int word_text(struct parser *p, const struct word *w, size_t skip, const char **ret, size_t *ret_n)
{
	struct unquoter u = { p, w->offset + skip, w->offset + w->len, false };
	char *out = arena_alloc(&p->filter->arena, w->len + 1);
	size_t n = 0;
	int r;

	if (!out)
		return -ENOMEM;
	while ((r = next_byte(&u, &out[n])) > 0)
		n++;
	if (r < 0)
		return r;
	out[n] = '\0';
	*ret = out;
	*ret_n = n;
	return 0;
}

int word_glob(struct parser *p, const struct word *w, size_t skip, bool ignore_case,
	      struct glob *ret)
{
	struct unquoter u = { p, w->offset + skip, w->offset + w->len, false };
	char *out = arena_alloc(&p->filter->arena, 2 * w->len + 1), byte = 0;
	size_t n = 0, plain_n;
	int r;

	if (!out)
		return -ENOMEM;
	*ret = (struct glob){ .data = out, .is_literal = true, .ignore_case = ignore_case };
	while ((r = next_byte(&u, &byte)) > 0) {
		bool is_special = byte && strchr("*?[]\\", byte);

		if (is_special && r == 2)
			out[n++] = '\\';
		else if (is_special && byte != ']')
			ret->is_literal = false;
		out[n++] = byte;
	}
	if (r < 0)
		return r;
	ret->len = (uint32_t)n;
	if (!ret->is_literal)
		return 0;
	r = word_text(p, w, skip, &ret->data, &plain_n);
	ret->len = r < 0 ? 0 : (uint32_t)plain_n;
	return r;
}
