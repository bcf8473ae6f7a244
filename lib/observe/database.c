/* SPDX-License-Identifier: MIT */
/* PostgreSQL, MySQL, Redis and MQTT: the first message of a connection. */
#include "observe/observe-internal.h"

/* --- PostgreSQL: StartupMessage, SSLRequest, GSSENCRequest, CancelRequest ------------------- */

#define PG_STARTUP 0x00030000
#define PG_SSL 80877103
#define PG_GSS 80877104
#define PG_CANCEL 80877102
#define PG_STARTUP_MAX 10000 /* MAX_STARTUP_PACKET_LENGTH of the server */

static struct span read_string(struct reader *r)
{
	const uint8_t *end = r->left ? memchr(r->p, 0, r->left) : NULL;
	struct span s = { r->p, end ? (size_t)(end - r->p) : 0 };

	if (!end)
		r->is_short = true;
	read_span(r, end ? s.n + 1 : r->left);
	return s;
}

static bool span_is(struct span s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

/* Pairs of name and value, then an empty name. false: damaged. */
static bool pg_parameters(struct span body, struct detail *d)
{
	struct reader r = reader_of(body.p, body.n);

	for (;;) {
		struct span name = read_string(&r), value;

		if (r.is_short)
			return false;
		if (name.n == 0)
			return r.left == 0;
		value = read_string(&r);
		if (!bytes_are_text(name) || r.is_short)
			return false;
		if (span_is(name, "user") || span_is(name, "database"))
			detail_span(d, name.n == 4 ? "user" : "database", value);
		else if (span_is(name, "application_name"))
			detail_span(d, "application", value);
	}
}

/* Whether the first parameter is a word, as far as it is there (drivers send "user" first). */
static bool pg_begins_well(const uint8_t *d, size_t len)
{
	size_t n = 0;

	while (n < len && ((d[n] >= 'a' && d[n] <= 'z') || d[n] == '_'))
		n++;
	return n >= 4 && (n == len || d[n] == 0);
}

static enum probe_result pg_startup(struct probe *p, size_t at)
{
	uint32_t n;

	if (p->len - at < 12)
		return PROBE_MORE;
	n = get_be32(p->data + at);
	if (n < 14 || n > PG_STARTUP_MAX || !pg_begins_well(p->data + at + 8, p->len - at - 8))
		return PROBE_NO;
	if (p->len - at < n)
		return PROBE_SURE;
	return pg_parameters((struct span){ p->data + at + 8, n - 8 }, &p->detail) ? PROBE_DONE
										   : PROBE_NO;
}

/* The ClientHello behind the request; its details are added. */
static enum probe_result pg_tls(struct probe *p, size_t at)
{
	struct probe inner = *p;
	enum probe_result result;

	inner.data += at;
	inner.len -= at;
	result = observe_tls_probe(&inner);
	p->detail = inner.detail;
	return result == PROBE_MORE || result == PROBE_SURE ? PROBE_SURE : PROBE_DONE;
}

/* After its request for encryption a client goes on with TLS, or in the clear when refused. */
static enum probe_result pg_encryption(struct probe *p, const char *kind)
{
	size_t at = 8;

	while (p->len - at >= 8 && get_be32(p->data + at) == 8)
		at += 8; /* first GSS, then TLS */
	detail_text(&p->detail, "asks", kind);
	if (p->len == at)
		return p->is_last ? PROBE_DONE : PROBE_SURE;
	if (p->data[at] == 0x16)
		return pg_tls(p, at);
	/* the request alone was proof enough, whatever this is */
	return pg_startup(p, at) == PROBE_DONE ? PROBE_DONE : PROBE_SURE;
}

enum probe_result observe_postgresql_probe(struct probe *p)
{
	uint32_t n, code;

	if (p->data[0] != 0 || (p->len > 1 && p->data[1] != 0))
		return PROBE_NO;
	if (p->len < 8)
		return PROBE_MORE;
	n = get_be32(p->data);
	code = get_be32(p->data + 4);
	if (n == 8 && code == PG_SSL)
		return pg_encryption(p, "tls");
	if (n == 8 && code == PG_GSS)
		return pg_encryption(p, "gss");
	if (n == 16 && code == PG_CANCEL) {
		detail_text(&p->detail, "asks", "cancel");
		return PROBE_DONE;
	}
	if (code >> 16 != PG_STARTUP >> 16 || (code & 0xffff) > 2)
		return PROBE_NO;
	return pg_startup(p, 0);
}

/* --- MySQL: the server's handshake version 10, or its refusal ------------------------------- */

#define MYSQL_GREETING_MIN 40
#define MYSQL_GREETING_MAX 512

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* ERR packet in place of the greeting: code 1040 (too many), 1129, 1130 (host not allowed) ... */
static enum probe_result mysql_refusal(struct probe *p, size_t n)
{
	struct span text = { p->data + 7, n - 3 };
	uint16_t code = (uint16_t)(p->data[5] | p->data[6] << 8);

	if (code < 1000 || code > 2100 || !bytes_are_text(text))
		return PROBE_NO;
	detail_span(&p->detail, "error", text);
	return PROBE_DONE;
}

static enum probe_result mysql_greeting(struct probe *p, size_t n)
{
	struct reader r = reader_of(p->data + 5, n - 1);
	struct span version = read_string(&r);

	if (n < MYSQL_GREETING_MIN || version.n < 3 || !is_digit(version.p[0]) ||
	    !bytes_are_text(version))
		return PROBE_NO;
	read_span(&r, 4 + 8); /* thread, first part of the salt */
	if (read_u8(&r) != 0 || r.is_short)
		return PROBE_NO;
	/* MariaDB 10 puts this in front of its own for replicas that know no version above 5 */
	if (version.n > 6 && !memcmp(version.p, "5.5.5-", 6) && bytes_have_word(version, "MariaDB"))
		version = (struct span){ version.p + 6, version.n - 6 };
	detail_span(&p->detail, "version", version);
	return PROBE_DONE;
}

enum probe_result observe_mysql_probe(struct probe *p)
{
	size_t n;

	if (p->len < 5)
		return p->len > 1 && p->data[1] > 1 ? PROBE_NO : PROBE_MORE;
	n = p->data[0] | (size_t)p->data[1] << 8 | (size_t)p->data[2] << 16;
	if (p->data[3] != 0 || n < 10 || n > MYSQL_GREETING_MAX)
		return PROBE_NO;
	if (p->data[4] != 10 && p->data[4] != 0xff)
		return PROBE_NO;
	if (p->len < 4 + n)
		return PROBE_MORE;
	if (p->data[4] == 10)
		return mysql_greeting(p, n);
	return p->len == 4 + n ? mysql_refusal(p, n) : PROBE_NO;
}

/* --- Redis: a command as an array of strings ------------------------------------------------ */

#define REDIS_WORD_MAX 32

/* A decimal number and CRLF at *at; false: PROBE_NO or, at the end of the bytes, PROBE_MORE. */
static bool redis_number(struct probe *p, size_t *at, unsigned *ret, enum probe_result *why)
{
	size_t start = *at;

	*ret = 0;
	while (*at < p->len && is_digit(p->data[*at]) && *at - start < 4)
		*ret = *ret * 10 + (p->data[(*at)++] - '0');
	*why = match_text(p->data + *at, p->len - *at, "\r\n");
	if (*why == PROBE_DONE && *at == start)
		*why = PROBE_NO;
	*at += 2;
	return *why == PROBE_DONE;
}

enum probe_result observe_redis_probe(struct probe *p)
{
	enum probe_result why;
	unsigned words, n;
	size_t at = 1;

	if (p->data[0] != '*')
		return PROBE_NO;
	if (!redis_number(p, &at, &words, &why))
		return why;
	if (words == 0 || at == p->len)
		return words ? PROBE_MORE : PROBE_NO;
	if (p->data[at++] != '$')
		return PROBE_NO;
	if (!redis_number(p, &at, &n, &why))
		return why;
	if (n < 2 || n > REDIS_WORD_MAX)
		return PROBE_NO;
	for (size_t i = 0; i < n && at + i < p->len; i++) {
		uint8_t c = p->data[at + i] | 0x20;

		/* module commands have a name in front: JSON.GET */
		if ((c < 'a' || c > 'z') && !(i > 0 && (is_digit(c) || p->data[at + i] == '.')))
			return PROBE_NO;
	}
	if (p->len < at + n + 2)
		return PROBE_MORE;
	if (memcmp(p->data + at + n, "\r\n", 2) != 0)
		return PROBE_NO;
	detail_bytes(&p->detail, "command", p->data + at, n);
	return PROBE_DONE;
}

/* --- MQTT: CONNECT (3.1, 3.1.1, 5) ---------------------------------------------------------- */

/* Remaining length: seven bits a byte, least first. */
static uint32_t read_remaining(struct reader *r)
{
	uint32_t v = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		uint8_t byte = read_u8(r);

		v |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	r->is_short = true;
	return 0;
}

static const char *mqtt_version(struct span name, uint8_t level)
{
	if (span_is(name, "MQIsdp"))
		return level == 3 ? "3.1" : NULL;
	if (!span_is(name, "MQTT"))
		return NULL;
	return level == 4 ? "3.1.1" : level == 5 ? "5" : NULL;
}

enum probe_result observe_mqtt_probe(struct probe *p)
{
	struct reader r = reader_of(p->data, p->len);
	const char *version;
	uint32_t left;
	uint8_t level;
	struct span name;

	if (read_u8(&r) != 0x10)
		return PROBE_NO;
	left = read_remaining(&r);
	if (r.is_short && p->len < 5)
		return PROBE_MORE;
	name = read_span(&r, read_u16(&r));
	level = read_u8(&r);
	if (r.is_short)
		return p->len < 16 ? PROBE_MORE : PROBE_NO;
	version = mqtt_version(name, level);
	if (!version || left < 10 || left > 65536 + 1024)
		return PROBE_NO;
	read_span(&r, 3); /* flags, keep alive */
	if (level == 5)
		read_span(&r, read_remaining(&r));
	name = read_span(&r, read_u16(&r));
	if (r.is_short && !p->is_last)
		return PROBE_SURE;
	detail_text(&p->detail, "version", version);
	if (!r.is_short && name.n)
		detail_span(&p->detail, "client", name);
	return PROBE_DONE;
}
