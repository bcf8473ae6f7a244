/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1 (RFC 9112), also as SSDP uses it in datagrams, and the preface of HTTP/2 (RFC 9113). A
 * request is looked at to the end of its header; of an answer the status line is enough.
 */
#include "observe/observe-internal.h"

#define METHOD_MAX 20

/* A method is a word in capitals (a few have a hyphen: M-SEARCH, VERSION-CONTROL). */
static size_t method_length(const uint8_t *d, size_t len)
{
	size_t n = 0;

	while (n < len && n < METHOD_MAX &&
	       ((d[n] >= 'A' && d[n] <= 'Z') || (n > 0 && d[n] == '-')))
		n++;
	return n;
}

/* Methods whose request line need not be whole to be believed. */
static bool is_common_method(const uint8_t *d, size_t n)
{
	static const char *const methods[] = { "GET",	  "HEAD",  "POST",    "PUT",  "DELETE",
					       "OPTIONS", "PATCH", "CONNECT", "TRACE" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i]) == n && !memcmp(d, methods[i], n))
			return true;
	return false;
}

static bool ends_in_version(struct span line)
{
	const uint8_t *v = line.p + line.n;

	return line.n > 11 && !memcmp(v - 9, " HTTP/1.", 8) && v[-1] >= '0' && v[-1] <= '9';
}

/* The value of a header field, without blanks around it. */
static bool field_value(struct span line, const char *name, struct span *ret)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || !bytes_have_word((struct span){ line.p, n }, name))
		return false;
	ret->p = line.p + n + 1;
	ret->n = line.n - n - 1;
	while (ret->n && (ret->p[0] == ' ' || ret->p[0] == '\t')) {
		ret->p++;
		ret->n--;
	}
	while (ret->n && (ret->p[ret->n - 1] == ' ' || ret->p[ret->n - 1] == '\t'))
		ret->n--;
	return true;
}

struct head {
	struct span host, agent;
	bool has_host, has_agent, is_whole;
};

/* The rest behind the first line feed. */
static struct span behind_line(struct span s)
{
	const uint8_t *newline = s.n ? memchr(s.p, '\n', s.n) : NULL;

	if (!newline)
		return (struct span){ s.p + s.n, 0 };
	return (struct span){ newline + 1, s.n - (size_t)(newline + 1 - s.p) };
}

/* Fields up to the empty line. */
static void read_head(struct span rest, struct head *h)
{
	memset(h, 0, sizeof(*h));
	while (rest.n) {
		struct span line = first_line(rest.p, rest.n, &h->is_whole), value;

		if (!h->is_whole || line.n == 0)
			return;
		if (!h->has_host && field_value(line, "Host", &value)) {
			h->host = value;
			h->has_host = true;
		} else if (!h->has_agent && field_value(line, "User-Agent", &value)) {
			h->agent = value;
			h->has_agent = true;
		}
		rest = behind_line(rest);
	}
	h->is_whole = false;
}

/* Whether what is there of a request line too long to be seen whole looks like one. */
static bool target_is_sound(const struct probe *p, size_t method)
{
	struct span start = { p->data + method + 1, p->len - method - 1 };

	start.n = start.n < 8 ? start.n : 8;
	return start.p[0] == '/' || bytes_have_word(start, "http://");
}

/* PROBE_DONE: the request line is sound, as far as it will ever be there. */
static enum probe_result request_line(struct probe *p, size_t method, bool *ret_whole)
{
	struct span line = first_line(p->data, p->len, ret_whole);

	if (!bytes_are_text(line))
		return PROBE_NO;
	if (*ret_whole)
		return ends_in_version(line) ? PROBE_DONE : PROBE_NO;
	if (!p->is_last)
		return PROBE_MORE;
	return is_common_method(p->data, method) && target_is_sound(p, method) ? PROBE_DONE
									       : PROBE_NO;
}

static enum probe_result request(struct probe *p, size_t method)
{
	bool whole;
	enum probe_result result = request_line(p, method, &whole);
	struct head head;

	if (result != PROBE_DONE)
		return result;
	read_head(whole ? behind_line((struct span){ p->data, p->len }) : (struct span){ NULL, 0 },
		  &head);
	if (!head.is_whole && !p->is_last && !(head.has_host && head.has_agent))
		return PROBE_SURE;
	detail_bytes(&p->detail, "method", p->data, method);
	if (head.has_host)
		detail_span(&p->detail, "host", head.host);
	if (head.has_agent)
		detail_span(&p->detail, "agent", head.agent);
	return PROBE_DONE;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200" */
static enum probe_result response(struct probe *p)
{
	const uint8_t *d = p->data;
	enum probe_result match = match_text(d, p->len, "HTTP/1.");

	if (match != PROBE_DONE)
		return match;
	if (p->len < 12)
		return PROBE_MORE;
	if (!is_digit(d[7]) || d[8] != ' ' || !is_digit(d[9]) || !is_digit(d[10]) ||
	    !is_digit(d[11]))
		return PROBE_NO;
	detail_bytes(&p->detail, "status", d + 9, 3);
	return PROBE_DONE;
}

enum probe_result observe_http_probe(struct probe *p)
{
	size_t n;

	if (p->data[0] == 'H') {
		enum probe_result r = response(p);

		if (r != PROBE_NO)
			return r;
	}
	n = method_length(p->data, p->len);
	if (n == p->len)
		return n < METHOD_MAX ? PROBE_MORE : PROBE_NO;
	if (n < 3 || p->data[n] != ' ')
		return PROBE_NO;
	if (n + 1 == p->len)
		return PROBE_MORE;
	return request(p, n);
}

enum probe_result observe_http2_probe(struct probe *p)
{
	return match_text(p->data, p->len, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}
