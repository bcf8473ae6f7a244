/* SPDX-License-Identifier: MIT */
/*
 * The lines of a policy:
 *   expect "TITLE" FILTER [always] [every TIME] [despite RULE,...]
 *   never "TITLE" FILTER
 *   block file NAME
 * The filter is the rest of the line up to the suffixes and is read by lib/filter; places in its
 * errors are moved to where they are in the line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <portavoz/judge.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "filter/rule.h"
#include "judge/policy-internal.h"

#define VERBS "expect, never, block, or a comment that begins with #"
#define TIMES "a number and s, m, h, d or w, such as 25h"
#define SUFFIXES 3
#define WORDS (2 * SUFFIXES + 1) /* the most that suffixes can take, and one before them */

/* A word of the line; quotes and escapes are still in it. */
struct piece {
	const char *start, *end;
	bool is_quoted;
};

static int fail_at(struct policy_reader *p, const char *at, const char *message,
		   const char *expected)
{
	return policy_fail(p->error, p->file, p->line, p->text, p->end, at, message, expected);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_word(const struct piece *w, const char *text)
{
	size_t n = strlen(text);

	return !w->is_quoted && (size_t)(w->end - w->start) == n && !memcmp(w->start, text, n);
}

/* Behind the quotation that starts at `at`; the end of the line when it is not closed. */
static const char *skip_quotation(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : end;
}

/* The next word as lib/filter would see it; false at the end. */
static bool next_word(const char **at, const char *end, struct piece *ret)
{
	const char *i = *at;

	while (i < end && is_blank(*i))
		i++;
	*ret = (struct piece){ .start = i };
	while (i < end && !is_blank(*i)) {
		ret->is_quoted = ret->is_quoted || *i == '"' || *i == '\\';
		if (*i == '"')
			i = skip_quotation(i, end);
		else
			i += *i == '\\' && i + 1 < end ? 2 : 1;
	}
	ret->end = *at = i;
	return i > ret->start;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte an escape stands for; moves *at behind it. -1 = it is none. */
static int unescape(const char **at, const char *end)
{
	static const char letters[] = "n\nt\tr\r\\\\\"\"";
	const char *i = *at;
	char c = i + 1 < end ? i[1] : '\0';

	if (c == 'x') {
		int high = i + 2 < end ? hex_digit(i[2]) : -1;
		int low = i + 3 < end ? hex_digit(i[3]) : -1;

		*at = i + 4;
		return high < 0 || low < 0 ? -1 : high * 16 + low;
	}
	*at = i + 2;
	for (size_t k = 0; k + 1 < sizeof(letters); k += 2)
		if (c == letters[k])
			return letters[k + 1];
	return -1;
}

/* The bytes of "..." or of a plain word, into the policy. */
static int take_text(struct policy_reader *p, const struct piece *w, struct pv_bytes *ret)
{
	char *out = arena_alloc(&p->policy->arena, (size_t)(w->end - w->start) + 1);
	bool in_quotes = false;
	size_t n = 0;

	if (!out)
		return -ENOMEM;
	for (const char *i = w->start; i < w->end;) {
		const char *escape = i;
		int c;

		if (*i == '"') {
			in_quotes = !in_quotes;
			i++;
		} else if (*i != '\\') {
			out[n++] = *i++;
		} else {
			c = unescape(&i, w->end);
			if (c <= 0)
				return fail_at(p, escape, "is no escape",
					       "\\xHH, \\n, \\t, \\r, \\\\ or \\\"");
			out[n++] = (char)c;
		}
	}
	if (in_quotes)
		return fail_at(p, w->start, "opens a quotation that does not end", "a closing \"");
	*ret = (struct pv_bytes){ out, (uint32_t)n };
	return 0;
}

/* Suffixes */

static int parse_every(struct policy_reader *p, const struct piece *w, struct pv_policy_rule *rule)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	const char *i = w->start;
	uint64_t n = 0;

	for (; i < w->end && *i >= '0' && *i <= '9' && n < 1000000; i++)
		n = n * 10 + (uint64_t)(*i - '0');
	for (size_t k = 0; n && i + 1 == w->end && k < sizeof(units) / sizeof(*units); k++)
		if (*i == units[k].unit)
			rule->every = n * units[k].seconds;
	return rule->every ? 0 : fail_at(p, w->start, "is not a time", TIMES);
}

static int parse_despite(struct policy_reader *p, const struct piece *w,
			 struct pv_policy_rule *rule)
{
	const char *at = w->start;
	size_t n_rules;
	const struct pv_rule *rules = pv_rules(&n_rules);

	while (at < w->end) {
		const char *comma = memchr(at, ',', (size_t)(w->end - at));
		const char *end = comma ? comma : w->end;
		int index = pv_rule_find(at, (size_t)(end - at));

		if (index < 0 || rules[index].severity != PV_SEVERITY_SUSPICIOUS || index >= 64)
			return fail_at(p, at, "is not a rule that makes suspicious",
				       "ids of such rules (see portavoz rules) with commas");
		rule->despite |= UINT64_C(1) << index;
		at = comma ? comma + 1 : w->end;
	}
	return rule->despite ? 0 : fail_at(p, w->start, "names no rule", "ids of rules");
}

static int parse_always(struct policy_reader *p, const struct piece *w, struct pv_policy_rule *rule)
{
	(void)p, (void)w;
	rule->always = true;
	return 0;
}

static const struct suffix {
	const char *name;
	const char *value; /* what it takes, or NULL */
	int (*parse)(struct policy_reader *p, const struct piece *w, struct pv_policy_rule *rule);
} suffixes[SUFFIXES] = {
	{ "always", NULL, parse_always },
	{ "every", TIMES, parse_every },
	{ "despite", "ids of rules", parse_despite },
};

/* The last words of a line, the newest last. */
struct tail {
	struct piece words[WORDS];
	size_t n;
};

static void tail_push(struct tail *t, const struct piece *w)
{
	if (t->n == WORDS)
		memmove(t->words, t->words + 1, --t->n * sizeof(*t->words));
	t->words[t->n++] = *w;
}

/* The suffix that the last words are, or NULL. */
static const struct suffix *find_suffix(const struct tail *t)
{
	for (size_t i = 0; i < SUFFIXES; i++) {
		size_t words = suffixes[i].value ? 2 : 1;

		if (t->n >= words && is_word(&t->words[t->n - words], suffixes[i].name))
			return &suffixes[i];
		if (words == 2 && t->n && is_word(&t->words[t->n - 1], suffixes[i].name))
			return &suffixes[i];
	}
	return NULL;
}

/* Takes the suffixes off; *end becomes the end of what is before them. */
static int parse_suffixes(struct policy_reader *p, struct tail *t, const char **end,
			  struct pv_policy_rule *rule)
{
	const struct suffix *s;
	unsigned seen = 0;

	while ((s = find_suffix(t))) {
		const struct piece *last = &t->words[t->n - 1];
		bool alone = is_word(last, s->name);
		const struct piece *name = alone ? last : last - 1;
		int r;

		if (alone && s->value)
			return fail_at(p, last->end, "a value is missing here", s->value);
		if (rule->kind != PV_POLICY_EXPECT)
			return fail_at(p, name->start, "goes with expect only", NULL);
		if (seen >> (s - suffixes) & 1)
			return fail_at(p, name->start, "is said twice", NULL);
		seen |= 1u << (s - suffixes);
		r = s->parse(p, last, rule);
		if (r < 0)
			return r;
		*end = name->start;
		t->n -= s->value ? 2 : 1;
	}
	return 0;
}

/* Rules */

static int take_filter(struct policy_reader *p, const char *start, const char *end,
		       struct policy_rule *rule)
{
	struct pv_syntax_error e;
	char *text;
	int r;

	while (end > start && is_blank(end[-1]))
		end--;
	if (end == start || *start == '#')
		return fail_at(p, start, "a filter is missing here",
			       "what the rule is about, see portavoz-filter(7)");
	text = arena_dup(&p->policy->arena, start, (size_t)(end - start));
	if (!text)
		return -ENOMEM;
	r = filter_parse_rule(text, &rule->filter, &e);
	if (r == -EINVAL)
		return fail_at(p, start + e.offset, e.message, e.expected);
	if (r < 0)
		return r;
	rule->public.filter = text;
	p->policy->needs |= pv_filter_needs(rule->filter);
	return 0;
}

static int parse_rule(struct policy_reader *p, const char *at, struct policy_rule *rule)
{
	const char *start, *end = p->end;
	struct tail tail = { 0 };
	struct piece w;
	int r;

	if (!next_word(&at, p->end, &w) || *w.start != '"')
		return fail_at(p, w.start, "a title is missing here", "a title in \"\"");
	r = take_text(p, &w, &rule->public.title);
	if (r < 0)
		return r;
	if (!rule->public.title.len)
		return fail_at(p, w.start, "the title is empty", "a title in \"\"");
	while (at < p->end && is_blank(*at))
		at++;
	start = at;
	while (next_word(&at, p->end, &w))
		tail_push(&tail, &w);
	r = parse_suffixes(p, &tail, &end, &rule->public);
	return r < 0 ? r : take_filter(p, start, end, rule);
}

static int parse_block(struct policy_reader *p, const char *at, struct policy_rule *rule)
{
	struct piece w, more;
	struct pv_bytes name;
	int r;

	if (!next_word(&at, p->end, &w) || !is_word(&w, "file"))
		return fail_at(p, w.start, "is not what can be blocked", "file NAME");
	if (!next_word(&at, p->end, &w))
		return fail_at(p, w.start, "the name of a file is missing here", NULL);
	if (next_word(&at, p->end, &more))
		return fail_at(p, more.start, "stands behind the name of the file",
			       "the end of the line; a name with spaces is quoted");
	r = take_text(p, &w, &name);
	if (r == 0 && !name.len)
		return fail_at(p, w.start, "the name of a file is missing here", NULL);
	return r < 0 ? r : policy_block_read(p, w.start, name.data, rule);
}

int policy_parse_line(struct policy_reader *p)
{
	const char *at = p->text;
	struct policy_rule *rule;
	struct piece verb;
	size_t kind = 0;
	const char *nul = memchr(p->text, '\0', (size_t)(p->end - p->text));

	if (nul)
		return fail_at(p, nul, "a byte of value 0: this is not a text", NULL);
	if (!next_word(&at, p->end, &verb) || *verb.start == '#')
		return 0;
	while (kind < PV_POLICY_KIND_N &&
	       !is_word(&verb, pv_policy_kind_name((enum pv_policy_kind)kind)))
		kind++;
	if (kind == PV_POLICY_KIND_N)
		return fail_at(p, verb.start, "is not a rule", VERBS);
	if (p->policy->rules.n == POLICY_RULES_MAX)
		return fail_at(p, verb.start, "there are too many rules", "at most 100000");
	rule = policy_rule_new(p);
	if (!rule)
		return -ENOMEM;
	rule->public.kind = (enum pv_policy_kind)kind;
	return kind == PV_POLICY_BLOCK ? parse_block(p, at, rule) : parse_rule(p, at, rule);
}
