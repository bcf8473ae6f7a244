/* SPDX-License-Identifier: MIT */
/*
 * What protocols say of themselves (lib/observe): "key=value" with a space between. A value stays
 * when it is a number or a word of the protocol; a host, an address or a user keeps the name it has
 * elsewhere; the rest, and what is of an unknown key, is renamed whole.
 */
#include <errno.h>
#include <string.h>

#include "redact/redact-internal.h"

/* Words of ours and those that a protocol has a fixed list of; others are foreign text. */
static const char *const words[] = {
	/* HTTP, and applications in TLS */
	"GET",
	"HEAD",
	"POST",
	"PUT",
	"DELETE",
	"CONNECT",
	"OPTIONS",
	"TRACE",
	"PATCH",
	"PRI",
	"h2",
	"h3",
	"http/1.0",
	"http/1.1",
	"dot",
	"doq",
	"acme-tls/1",
	"postgresql",
	"smb",
	"imap",
	"pop3",
	"ftp",
	"mqtt",
	"xmpp-client",
	"xmpp-server",
	"ntske/1",
	"stun.turn",
	/* NTP, STUN, TFTP */
	"active",
	"passive",
	"client",
	"server",
	"broadcast",
	"binding",
	"allocate",
	"refresh",
	"send",
	"data",
	"permission",
	"channel",
	"netascii",
	"octet",
	/* versions of TLS and QUIC */
	"ssl3",
	"draft-29",
	/* Redis */
	"AUTH",
	"CLIENT",
	"COMMAND",
	"CONFIG",
	"DEL",
	"ECHO",
	"EXISTS",
	"EXPIRE",
	"HELLO",
	"HGET",
	"HGETALL",
	"HSET",
	"INCR",
	"INFO",
	"KEYS",
	"LPUSH",
	"LRANGE",
	"MGET",
	"MSET",
	"PING",
	"PSUBSCRIBE",
	"PSYNC",
	"PUBLISH",
	"QUIT",
	"RPUSH",
	"SADD",
	"SCAN",
	"SELECT",
	"SET",
	"SMEMBERS",
	"SUBSCRIBE",
	"TTL",
	"XADD",
	"XREAD",
	"ZADD",
	"ZRANGE",
	NULL,
};

enum value_class {
	VALUE_OURS,    /* written by lib/observe from a list of its own */
	VALUE_WORDS,   /* stays when it is a number or one of the words, item by item */
	VALUE_ADDRESS, /* or a host, with a port or not */
	VALUE_USER,
	VALUE_TEXT,
};

static const struct {
	const char *key;
	enum value_class class;
} keys[] = {
	{ "alert", VALUE_OURS },       { "asks", VALUE_OURS },	    { "cipher", VALUE_OURS },
	{ "class", VALUE_OURS },       { "dialect", VALUE_OURS },   { "ja4", VALUE_OURS },
	{ "message", VALUE_OURS },     { "offers", VALUE_OURS },    { "pdu", VALUE_OURS },
	{ "rcode", VALUE_OURS },       { "refused", VALUE_OURS },   { "request", VALUE_OURS },
	{ "security", VALUE_OURS },    { "status", VALUE_OURS },    { "stratum", VALUE_OURS },
	{ "type", VALUE_OURS },	       { "alpn", VALUE_WORDS },	    { "command", VALUE_WORDS },
	{ "method", VALUE_WORDS },     { "mode", VALUE_WORDS },	    { "version", VALUE_WORDS },
	{ "address", VALUE_ADDRESS },  { "answer", VALUE_ADDRESS }, { "host", VALUE_ADDRESS },
	{ "hostname", VALUE_ADDRESS }, { "query", VALUE_ADDRESS },  { "requested", VALUE_ADDRESS },
	{ "sni", VALUE_ADDRESS },      { "cookie", VALUE_USER },    { "user", VALUE_USER },
};

static enum value_class class_of(const char *key, size_t len)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i].key) == len && !memcmp(keys[i].key, key, len))
			return keys[i].class;
	return VALUE_TEXT;
}

static bool is_word(const char *text, size_t len)
{
	size_t digits = 0;

	while (digits < len && memchr("0123456789.", text[digits], 11))
		digits++;
	if (digits == len || (len == 6 && !memcmp(text, "0x", 2)))
		return true;
	for (const char *const *word = words; *word; word++)
		if (strlen(*word) == len && !strncasecmp(*word, text, len))
			return true;
	return false;
}

static int put_words(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	const char *end = text + len;
	int result = 0;

	while (result == 0) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		size_t n = (size_t)((comma ? comma : end) - text);

		if (is_word(text, n))
			buf_put(b, text, n);
		else
			result = redact_put(r, PV_REDACT_TEXT, text, n, b);
		if (!comma)
			break;
		buf_putc(b, ',');
		text = comma + 1;
	}
	return result;
}

/* "www.example.org:8080": the port stays */
static int put_host(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	const char *colon = memrchr(text, ':', len);
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	int result = redact_put_address(r, text, len, b);

	if (result <= 0)
		return result;
	if (!colon || !digits || digits != len - (size_t)(colon + 1 - text))
		return redact_put(r, PV_REDACT_HOST, text, len, b);
	result = redact_put(r, PV_REDACT_HOST, text, (size_t)(colon - text), b);
	buf_put(b, colon, digits + 1);
	return result;
}

static int put_value(const struct pv_redactor *r, enum value_class class, const char *text,
		     size_t len, struct buf *b)
{
	switch (len ? class : VALUE_OURS) {
	case VALUE_OURS:
		buf_put(b, len ? text : "\"\"", len ? len : 2);
		return 0;
	case VALUE_WORDS:
		return put_words(r, text, len, b);
	case VALUE_ADDRESS:
		return put_host(r, text, len, b);
	case VALUE_USER:
		return redact_put(r, PV_REDACT_USER, text, len, b);
	default:
		return redact_put(r, PV_REDACT_TEXT, text, len, b);
	}
}

/* The value without its quotation marks, NUL-terminated; returns where the next key begins. */
static const char *take_value(const char *at, const char *end, struct buf *value)
{
	bool is_quoted = at < end && *at == '"';

	buf_clear(value);
	for (at += is_quoted; at < end && *at != (is_quoted ? '"' : ' '); at++) {
		if (is_quoted && *at == '\\' && at + 1 < end)
			at++;
		buf_putc(value, *at);
	}
	buf_str(value);
	at += is_quoted && at < end;
	return at + (at < end);
}

int redact_put_observed(const struct pv_redactor *r, const struct pv_bytes *detail, struct buf *b)
{
	const char *at = detail->data, *end = at + detail->len;
	struct buf value = BUF_INIT;
	int result = 0;

	while (result == 0 && at < end) {
		const char *equal = memchr(at, '=', (size_t)(end - at));
		size_t n = (size_t)((equal ? equal : end) - at);
		enum value_class class = class_of(at, n);

		if (!equal) {
			result = redact_put(r, PV_REDACT_TEXT, at, n, b);
			break;
		}
		buf_put(b, at, n + 1);
		at = take_value(equal + 1, end, &value);
		result = buf_error(&value);
		if (result == 0)
			result = put_value(r, class, value.data ? value.data : "", value.len, b);
		if (at < end)
			buf_putc(b, ' ');
	}
	buf_deinit(&value);
	return result;
}
