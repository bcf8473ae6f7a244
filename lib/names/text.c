/* SPDX-License-Identifier: MIT */
/*
 * The pure half of lib/names: what is fit to be a name, DNS questions and answers, the hosts file,
 * the recording. Every function takes any bytes.
 */
#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "names/names-internal.h"

#define CAUSE "cause "

#define DNS_HEADER 12
#define DNS_RR_FIXED 10
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_PTR 12
#define DNS_CLASS_IN 1

static const char *const result_words[NAMES_N] = {
	[NAMES_NONE] = "none",	     [NAMES_OK] = "ok",		  [NAMES_NO_ANSWER] = "no_answer",
	[NAMES_REFUSED] = "refused", [NAMES_NOT_RECORDED] = NULL,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void names_question(int family, const uint8_t *addr, char out[static NAMES_QUESTION_MAX])
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;

	if (family == AF_INET) {
		snprintf(out, NAMES_QUESTION_MAX, "%u.%u.%u.%u.in-addr.arpa", addr[3], addr[2],
			 addr[1], addr[0]);
		return;
	}
	for (int i = 15; i >= 0; i--) {
		*p++ = digits[addr[i] & 15];
		*p++ = '.';
		*p++ = digits[addr[i] >> 4];
		*p++ = '.';
	}
	memcpy(p, "ip6.arpa", 9);
}

struct cursor {
	const uint8_t *message;
	size_t len, pos;
	bool out_of_memory;
};

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void free_ares(char **s)
{
	if (*s)
		ares_free_string(*s);
}

/* Expands the name at `pos`; NULL when it is damaged. The caller frees it with ares. */
static char *expand(struct cursor *c, size_t pos, size_t *ret_length)
{
	char *name = NULL;
	long length = 0;
	int r;

	if (pos >= c->len)
		return NULL;
	r = ares_expand_name(c->message + pos, c->message, (int)c->len, &name, &length);
	c->out_of_memory |= r == ARES_ENOMEM;
	if (r != ARES_SUCCESS || length <= 0 || (size_t)length > c->len - pos)
		return NULL;
	*ret_length = (size_t)length;
	return name;
}

static bool skip_name(struct cursor *c)
{
	size_t length;
	_cleanup_(free_ares) char *name = expand(c, c->pos, &length);

	if (name)
		c->pos += length;
	return name != NULL;
}

/* A CNAME renames what is looked for; a fit PTR ends the search. false = damaged. */
static bool take_record(struct cursor *c, unsigned type, char **want, enum names_result *result,
			char name[static NAMES_LENGTH_MAX + 1])
{
	size_t length;
	_cleanup_(free_ares) char *target = expand(c, c->pos, &length);

	if (!target)
		return false;
	if (type == DNS_TYPE_CNAME) {
		free_ares(want);
		*want = steal_ptr(&target);
		return true;
	}
	*result = NAMES_REFUSED;
	if (names_is_fit(target, strlen(target))) {
		snprintf(name, NAMES_LENGTH_MAX + 1, "%s", target);
		*result = NAMES_OK;
	}
	return true;
}

/* One resource record; `want` is the name that is looked for at this point. false = damaged */
static bool read_record(struct cursor *c, const char *question, char **want,
			enum names_result *result, char name[static NAMES_LENGTH_MAX + 1])
{
	size_t length, rdata;
	_cleanup_(free_ares) char *owner = expand(c, c->pos, &length);
	unsigned type, class;

	if (!owner || c->len - c->pos - length < DNS_RR_FIXED)
		return false;
	c->pos += length;
	type = get16(c->message + c->pos);
	class = get16(c->message + c->pos + 2);
	rdata = get16(c->message + c->pos + 8);
	c->pos += DNS_RR_FIXED;
	if (c->len - c->pos < rdata)
		return false;
	if (class == DNS_CLASS_IN && (type == DNS_TYPE_CNAME || type == DNS_TYPE_PTR) &&
	    !strcasecmp(owner, *want ? *want : question) &&
	    !take_record(c, type, want, result, name))
		return false;
	c->pos += rdata;
	return true;
}

int names_parse_answer(const uint8_t *message, size_t len, const char *question,
		       enum names_result *ret_result, char name[static NAMES_LENGTH_MAX + 1])
{
	struct cursor c = { message, len, DNS_HEADER, false };
	_cleanup_(free_ares) char *want = NULL;
	enum names_result result = NAMES_NONE;
	bool sound = len >= DNS_HEADER && len <= UINT16_MAX;
	unsigned questions = sound ? get16(message + 4) : 0,
		 answers = sound ? get16(message + 6) : 0;

	for (; sound && questions > 0; questions--) {
		sound = skip_name(&c) && c.len - c.pos >= 4;
		c.pos += sound ? 4 : 0;
	}
	for (; sound && answers > 0 && result != NAMES_OK; answers--)
		sound = read_record(&c, question, &want, &result, name);
	if (c.out_of_memory)
		return -ENOMEM;
	*ret_result = sound || result == NAMES_OK ? result : NAMES_REFUSED;
	return 0;
}

/* The next word of a line, or false at its end or at a comment. */
static bool next_word(const char **p, const char *end, const char **ret_word, size_t *ret_len)
{
	const char *s = *p, *start;

	while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
		s++;
	start = s;
	while (s < end && *s != ' ' && *s != '\t' && *s != '\r' && *s != '#')
		s++;
	*p = s;
	*ret_word = start;
	*ret_len = (size_t)(s - start);
	return s > start;
}

static int parse_hosts_line(struct arena *arena, const struct names_set *set, const char *p,
			    const char *end)
{
	char text[INET6_ADDRSTRLEN], name[NAMES_LENGTH_MAX + 1];
	struct names_query *query;
	const char *word;
	uint8_t addr[16];
	size_t len;
	int family;

	if (!next_word(&p, end, &word, &len) || len >= sizeof(text))
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, addr) != 1)
		return 0;
	query = names_set_get(set, family, addr);
	if (!query || query->result == NAMES_OK)
		return 0;
	while (next_word(&p, end, &word, &len)) {
		if (!names_is_fit(word, len))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)len, word);
		return names_decide(arena, query, NAMES_OK, name);
	}
	return 0;
}

int names_parse_hosts(struct arena *arena, const struct names_set *set, const char *text,
		      size_t len)
{
	const char *p = text, *end = text + len;
	int r = 0;

	while (p < end && r == 0) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;

		r = parse_hosts_line(arena, set, p, stop);
		p = newline ? newline + 1 : end;
	}
	return r;
}

int names_record(struct tape *tape, const struct names_set *set, const char *cause)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < set->n; i++) {
		const struct names_query *q = set->items[i];

		buf_puts(&b, q->family == AF_INET ? "4 " : "6 ");
		for (int j = 0; j < (q->family == AF_INET ? 4 : 16); j++)
			buf_printf(&b, "%02x", q->addr[j]);
		buf_printf(&b, " %s", result_words[q->result]);
		if (q->ret_name)
			buf_printf(&b, " %s", q->ret_name);
		buf_putc(&b, '\n');
	}
	if (cause[0])
		buf_printf(&b, CAUSE "%s\n", cause);
	if (buf_error(&b))
		return buf_error(&b);
	return tape_stream_put(tape, "names", b.data, b.len);
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_address(const char *word, size_t len, uint8_t addr[static 16])
{
	memset(addr, 0, 16);
	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(word[i]);

		if (digit < 0)
			return false;
		addr[i / 2] = (uint8_t)(addr[i / 2] << 4 | digit);
	}
	return true;
}

static bool parse_result(const char *word, size_t len, enum names_result *ret_result)
{
	for (int i = 0; i < NAMES_N; i++)
		if (result_words[i] && strlen(result_words[i]) == len &&
		    !memcmp(result_words[i], word, len)) {
			*ret_result = (enum names_result)i;
			return true;
		}
	return false;
}

/* 0, -EBADMSG (not a line of ours) or -ENOMEM */
static int parse_recorded_line(struct arena *arena, const struct names_set *set, const char *p,
			       const char *end)
{
	char name[NAMES_LENGTH_MAX + 1] = "";
	enum names_result result;
	struct names_query *query;
	uint8_t addr[16];
	const char *word;
	size_t len;
	bool six;

	if (!next_word(&p, end, &word, &len) || len != 1 || (*word != '4' && *word != '6'))
		return -EBADMSG;
	six = *word == '6';
	if (!next_word(&p, end, &word, &len) || len != (six ? 32 : 8) ||
	    !parse_address(word, len, addr))
		return -EBADMSG;
	if (!next_word(&p, end, &word, &len) || !parse_result(word, len, &result))
		return -EBADMSG;
	if (next_word(&p, end, &word, &len) != (result == NAMES_OK) || p != end)
		return -EBADMSG;
	if (result == NAMES_OK && !names_is_fit(word, len))
		return -EBADMSG;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	query = names_set_get(set, six ? AF_INET6 : AF_INET, addr);
	return query ? names_decide(arena, query, result, result == NAMES_OK ? name : NULL) : 0;
}

/* false = not a line about the cause; what does not print is no text of ours */
static bool parse_cause(const char *p, const char *end, struct names_stats *stats)
{
	size_t n = (size_t)(end - p), prefix = sizeof(CAUSE) - 1;

	if (n <= prefix || n - prefix >= sizeof(stats->cause) || memcmp(p, CAUSE, prefix))
		return false;
	for (const char *c = p; c < end; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	snprintf(stats->cause, sizeof(stats->cause), "%.*s", (int)(n - prefix), p + prefix);
	return true;
}

int names_parse_recording(struct arena *arena, const struct names_set *set, const char *text,
			  size_t len, struct names_stats *stats)
{
	const char *p = text, *end = text + len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		int r = -EBADMSG;

		if (newline && parse_cause(p, newline, stats))
			r = 0;
		else if (newline)
			r = parse_recorded_line(arena, set, p, newline);
		if (r == -EBADMSG)
			stats->malformed++;
		else if (r < 0)
			return r;
		p = newline ? newline + 1 : end;
	}
	return 0;
}

int names_replay(struct tape *tape, struct arena *arena, const struct names_set *set,
		 struct names_stats *stats)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = tape_stream_get(tape, "names", &b);

	if (r < 0)
		return r;
	return names_parse_recording(arena, set, b.data, b.len, stats);
}
