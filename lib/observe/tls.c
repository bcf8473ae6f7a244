/* SPDX-License-Identifier: MIT */
/*
 * TLS (RFC 5246, RFC 8446): records, the two hellos, and the alert a server may answer with.
 * Handshake messages may be spread over records; nothing behind the hello is looked at.
 */
#include "observe/observe-internal.h"

#define TYPE_ALERT 21
#define TYPE_HANDSHAKE 22
#define RECORD_MAX (16384 + 256)
#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define HELLO_MIN 38 /* version, random, three empty lists */

#define EXT_SERVER_NAME 0
#define EXT_SIGNATURES 13
#define EXT_ALPN 16
#define EXT_VERSIONS 43

/* RFC 8701: 0x0a0a, 0x1a1a, ... stand for nothing */
static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void list_add(struct tls_list *list, uint16_t v)
{
	if (is_grease(v) || list->n >= TLS_LIST_MAX)
		return;
	list->items[list->n++] = v;
}

static void read_list(struct reader *r, struct tls_list *list)
{
	while (r->left >= 2)
		list_add(list, read_u16(r));
}

/* server_name_list of RFC 6066: entries of type and name; host_name is type 0 */
static struct span read_server_name(struct reader r)
{
	struct reader list = read_sub(&r, read_u16(&r));

	while (list.left >= 3) {
		uint8_t type = read_u8(&list);
		struct span name = read_span(&list, read_u16(&list));

		if (type == 0)
			return name;
	}
	return (struct span){ NULL, 0 };
}

static uint16_t read_versions(struct reader r)
{
	struct reader list = read_sub(&r, read_u8(&r));
	uint16_t best = 0;

	while (list.left >= 2) {
		uint16_t v = read_u16(&list);

		if (!is_grease(v) && v > best)
			best = v;
	}
	return best;
}

static void read_extension(struct tls_hello *h, uint16_t type, struct reader body)
{
	uint16_t version;

	list_add(&h->extensions, type);
	switch (type) {
	case EXT_SERVER_NAME:
		h->has_sni = true;
		h->sni = read_server_name(body);
		break;
	case EXT_SIGNATURES:
		body = read_sub(&body, read_u16(&body));
		read_list(&body, &h->signatures);
		break;
	case EXT_ALPN:
		h->alpn = read_span(&body, read_u16(&body));
		break;
	case EXT_VERSIONS:
		version = read_versions(body);
		h->version = version ? version : h->version;
		break;
	default:
		break;
	}
}

bool tls_client_hello_parse(struct span body, struct tls_hello *h)
{
	struct reader r = reader_of(body.p, body.n), list;
	bool is_cut;

	h->has_sni = false;
	h->sni = h->alpn = (struct span){ NULL, 0 };
	h->ciphers.n = h->extensions.n = h->signatures.n = 0;
	h->version = read_u16(&r);
	read_span(&r, 32);
	read_span(&r, read_u8(&r));
	list = read_sub(&r, read_u16(&r));
	if (list.left == 0 || list.left % 2)
		return false;
	read_list(&list, &h->ciphers);
	read_span(&r, read_u8(&r));
	if (r.is_short || r.left == 0)
		return !r.is_short;
	r = read_sub(&r, read_u16(&r));
	is_cut = r.is_short;
	r.is_short = false;
	while (r.left >= 4) {
		uint16_t type = read_u16(&r);

		list = read_sub(&r, read_u16(&r));
		if (r.is_short)
			return false;
		read_extension(h, type, list);
	}
	return !is_cut && r.left == 0;
}

static const char *version_text(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "1.3";
	case 0x0303:
		return "1.2";
	case 0x0302:
		return "1.1";
	case 0x0301:
		return "1.0";
	case 0x0300:
		return "ssl3";
	default:
		return NULL;
	}
}

static void detail_version(struct detail *d, const char *key, uint16_t version)
{
	if (version_text(version))
		detail_text(d, key, version_text(version));
	else
		detail_printf(d, key, "0x%04x", version);
}

/* The list as "h2,http/1.1"; foreign bytes stay as they are. */
static void detail_alpn(struct detail *d, struct span alpn)
{
	struct reader r = reader_of(alpn.p, alpn.n);
	uint8_t text[DETAIL_VALUE_MAX];
	size_t len = 0;

	while (r.left && !r.is_short) {
		struct span name = read_span(&r, read_u8(&r));

		if (r.is_short || len + name.n + 1 > sizeof(text))
			break;
		if (len)
			text[len++] = ',';
		memcpy(text + len, name.p, name.n);
		len += name.n;
	}
	if (len)
		detail_bytes(d, "alpn", text, len);
}

void tls_hello_detail(struct crypto *c, const struct tls_hello *h, char carrier, struct detail *d)
{
	char ja4[JA4_SIZE];

	if (h->sni.n)
		detail_span(d, "sni", h->sni);
	detail_alpn(d, h->alpn);
	if (carrier == 't')
		detail_version(d, "offers", h->version);
	if (c && ja4_client(c, h, carrier, ja4))
		detail_text(d, "ja4", ja4);
}

/* What a server chose; of an answer that is cut short as much as is there. */
static void server_hello_detail(struct span body, struct detail *d)
{
	struct reader r = reader_of(body.p, body.n);
	uint16_t version = read_u16(&r), cipher;

	read_span(&r, 32);
	read_span(&r, read_u8(&r));
	cipher = read_u16(&r);
	read_u8(&r);
	if (r.is_short)
		return;
	r = read_sub(&r, read_u16(&r));
	while (r.left >= 4) {
		uint16_t type = read_u16(&r);
		struct reader ext = read_sub(&r, read_u16(&r));

		if (type == EXT_VERSIONS && ext.left == 2)
			version = read_u16(&ext);
	}
	detail_version(d, "version", version);
	detail_printf(d, "cipher", "0x%04x", cipher);
}

static void client_hello_detail(struct probe *p, struct span body)
{
	struct tls_hello h;

	/* a damaged or cut hello may still have had its name */
	if (tls_client_hello_parse(body, &h))
		tls_hello_detail(p->o->crypto, &h, 't', &p->detail);
	else if (h.sni.n)
		detail_span(&p->detail, "sni", h.sni);
}

/*
 * Puts the pieces of a handshake message that is spread over records together; returns how many
 * bytes of it are there, at most n.
 */
static size_t gather(const uint8_t *data, size_t len, uint8_t *out, size_t n)
{
	struct reader r = reader_of(data, len);
	size_t have = 0;

	while (have < n && r.left > 5) {
		uint8_t type = read_u8(&r);
		struct span record;

		read_u16(&r);
		record = read_span(&r, read_u16(&r));
		if (type != TYPE_HANDSHAKE)
			break;
		if (record.n > n - have)
			record.n = n - have;
		memcpy(out + have, record.p, record.n);
		have += record.n;
	}
	return have;
}

/* `n`: length of the hello, behind its header of four bytes */
static enum probe_result hello(struct probe *p, uint8_t type, size_t n)
{
	uint8_t joined[OBSERVE_STREAM_MAX];
	struct span body = { p->data + 9, p->len - 9 };

	if (get_be16(p->data + 3) < n + 4) {
		size_t want = n + 4 < sizeof(joined) ? n + 4 : sizeof(joined);

		body.p = joined + 4;
		body.n = gather(p->data, p->len, joined, want) - 4;
	}
	if (body.n < n && !p->is_last)
		return PROBE_SURE;
	body.n = body.n < n ? body.n : n;
	if (type == CLIENT_HELLO)
		client_hello_detail(p, body);
	else
		server_hello_detail(body, &p->detail);
	return PROBE_DONE;
}

/* Six bytes behind the record header decide: type and length of the message, its version. */
static enum probe_result handshake(struct probe *p)
{
	uint8_t head[6];
	unsigned record;
	size_t n;

	if (p->len < 5)
		return PROBE_MORE;
	record = get_be16(p->data + 3);
	if (record == 0 || record > RECORD_MAX)
		return PROBE_NO;
	if (gather(p->data, p->len, head, sizeof(head)) < sizeof(head))
		return PROBE_MORE;
	n = get_be24(head + 1);
	if ((head[0] != CLIENT_HELLO && head[0] != SERVER_HELLO) || n < HELLO_MIN || n > 65535 ||
	    head[4] != 3 || head[5] > 4)
		return PROBE_NO;
	return hello(p, head[0], n);
}

static const char *alert_text(uint8_t code)
{
	switch (code) {
	case 0:
		return "close_notify";
	case 10:
		return "unexpected_message";
	case 40:
		return "handshake_failure";
	case 42:
		return "bad_certificate";
	case 47:
		return "illegal_parameter";
	case 48:
		return "unknown_ca";
	case 70:
		return "protocol_version";
	case 71:
		return "insufficient_security";
	case 80:
		return "internal_error";
	case 86:
		return "inappropriate_fallback";
	case 109:
		return "missing_extension";
	case 112:
		return "unrecognized_name";
	case 116:
		return "certificate_required";
	case 120:
		return "no_application_protocol";
	default:
		return NULL;
	}
}

/* Seven bytes are too few to go by, so an alert only counts as the answer to a hello. */
static enum probe_result alert(struct probe *p)
{
	if (!p->is_decided)
		return PROBE_NO;
	if (p->len < 7)
		return PROBE_MORE;
	if (get_be16(p->data + 3) != 2)
		return PROBE_NO;
	if (alert_text(p->data[6]))
		detail_text(&p->detail, "alert", alert_text(p->data[6]));
	else
		detail_printf(&p->detail, "alert", "%u", p->data[6]);
	return PROBE_DONE;
}

enum probe_result observe_tls_probe(struct probe *p)
{
	const uint8_t *d = p->data;

	if (d[0] != TYPE_HANDSHAKE && d[0] != TYPE_ALERT)
		return PROBE_NO;
	if ((p->len > 1 && d[1] != 3) || (p->len > 2 && d[2] > 4))
		return PROBE_NO;
	return d[0] == TYPE_HANDSHAKE ? handshake(p) : alert(p);
}
