/* SPDX-License-Identifier: MIT */
/*
 * Protocols of single datagrams: DHCP (RFC 2131), NTP (RFC 5905), SNMP (RFC 1157, 3412), TFTP
 * (RFC 1350, 2347), STUN (RFC 8489), WireGuard. NTP and TFTP have no magic number: they are
 * believed only when every field holds what it may.
 */
#include <sys/socket.h>

#include "base/inet.h"
#include "observe/observe-internal.h"

/* --- DHCP ------------------------------------------------------------------------------------ */

#define DHCP_COOKIE 0x63825363
#define DHCP_OPTIONS 240

static const char *dhcp_message(uint8_t type)
{
	static const char *const names[] = { NULL,  "discover", "offer",   "request", "decline",
					     "ack", "nak",	"release", "inform" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static void dhcp_option(struct detail *d, uint8_t code, struct span value)
{
	char text[INET_TEXT_MAX];

	if (code == 53 && value.n == 1 && dhcp_message(value.p[0]))
		detail_text(d, "message", dhcp_message(value.p[0]));
	else if (code == 12)
		detail_span(d, "hostname", value);
	else if (code == 60)
		detail_span(d, "vendor", value);
	else if (code == 50 && value.n == 4)
		detail_bytes(d, "requested", text, inet_text(AF_INET, value.p, text));
}

enum probe_result observe_dhcp_probe(struct probe *p)
{
	const uint8_t *d = p->data;
	char text[INET_TEXT_MAX];
	struct reader r;

	if (p->len < DHCP_OPTIONS || d[0] < 1 || d[0] > 2 || d[2] > 16 ||
	    get_be32(d + 236) != DHCP_COOKIE)
		return PROBE_NO;
	r = reader_of(d + DHCP_OPTIONS, p->len - DHCP_OPTIONS);
	while (r.left && r.p[0] != 255) {
		uint8_t code = read_u8(&r);

		if (code == 0)
			continue;
		dhcp_option(&p->detail, code, read_span(&r, read_u8(&r)));
	}
	if (d[0] == 2)
		detail_bytes(&p->detail, "address", text, inet_text(AF_INET, d + 16, text));
	return PROBE_DONE;
}

/* --- NTP ------------------------------------------------------------------------------------- */

#define NTP_LEN 48

/* 48 bytes, extension fields, then perhaps a key id and a digest (MD5 or SHA-1). */
static bool ntp_length_fits(const uint8_t *d, size_t len)
{
	size_t at = NTP_LEN;

	while (len - at > 24) {
		size_t n = get_be16(d + at + 2);

		if (n < 16 || n % 4 || n > len - at)
			return false;
		at += n;
	}
	len -= at;
	return len == 0 || len == 20 || len == 24 || (len == 16 && get_be16(d + at + 2) == 16);
}

static bool is_near(uint32_t a, uint32_t b, uint32_t seconds)
{
	return a - b + seconds <= 2 * seconds; /* modulo 2^32: eras end in 2036 */
}

/* Reference ids of what has no clock to refer to are words: INIT, STEP, RATE, DENY, ... */
static bool is_code(const uint8_t *d)
{
	for (unsigned i = 0; i < 4; i++)
		if (d[i] < 'A' || d[i] > 'Z')
			return false;
	return true;
}

/* The times a server tells: it answers at once, and its clock was set in the last days. */
static bool ntp_server_fits(const uint8_t *d)
{
	uint32_t set = get_be32(d + 16), received = get_be32(d + 32), sent = get_be32(d + 40);

	/* kiss of death (RFC 5905 section 7.4): the rest means nothing */
	if (d[1] == 0)
		return is_code(d + 12);
	return get_be32(d + 12) != 0 && is_near(received, sent, 16) && is_near(set, sent, 1 << 20);
}

/* A clock that is not set yet tells no time, or an old one. */
static bool ntp_client_fits(const uint8_t *d)
{
	uint32_t set = get_be32(d + 16);

	if (d[1] == 0 || d[1] == 16)
		return get_be32(d + 12) == 0 || is_code(d + 12);
	return set == 0 || is_near(set, get_be32(d + 40), 1 << 20);
}

static bool is_zero(const uint8_t *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (d[i])
			return false;
	return true;
}

static bool ntp_fields_fit(const uint8_t *d, unsigned mode)
{
	int8_t poll = (int8_t)d[2], precision = (int8_t)d[3];

	/* stratum, poll; root delay and dispersion below 16 s; the transmit time is never zero */
	if (d[1] > 16 || (poll != 0 && poll < 3) || poll > 17 || get_be32(d + 4) >> 20 ||
	    get_be32(d + 8) >> 20 || !get_be32(d + 40))
		return false;
	/* clients that tell nothing about their clock send zeros (chrony: a precision of 32) */
	if (mode == 3 && (precision == 32 || precision == 0))
		return is_zero(d + 4, 20) && d[1] == 0;
	if (precision >= -3 || precision < -32)
		return false;
	return mode == 4 || mode == 5 ? ntp_server_fits(d) : ntp_client_fits(d);
}

enum probe_result observe_ntp_probe(struct probe *p)
{
	static const char *const modes[] = { NULL,     "active", "passive",
					     "client", "server", "broadcast" };
	const uint8_t *d = p->data;
	unsigned version, mode;

	if (p->len < NTP_LEN || p->len % 4)
		return PROBE_NO;
	version = d[0] >> 3 & 7;
	mode = d[0] & 7;
	if (version < 1 || version > 4 || mode < 1 || mode > 5)
		return PROBE_NO;
	if (!ntp_fields_fit(d, mode) || !(p->is_last || ntp_length_fits(d, p->len)))
		return PROBE_NO;
	detail_printf(&p->detail, "version", "%u", version);
	detail_text(&p->detail, "mode", modes[mode]);
	if (mode == 4)
		detail_printf(&p->detail, "stratum", "%u", d[1]);
	return PROBE_DONE;
}

/* --- SNMP ------------------------------------------------------------------------------------ */

/* Tag and length in BER; false when it is another tag or the contents are not all there. */
static bool ber_open(struct reader *r, uint8_t tag, struct reader *ret)
{
	uint32_t n;

	if (read_u8(r) != tag)
		return false;
	n = read_u8(r);
	if (n > 0x84)
		return false;
	if (n & 0x80)
		n = n == 0x80 ? UINT32_MAX : read_be(r, n & 0x7f);
	if (r->is_short || n > r->left)
		return false;
	*ret = read_sub(r, n);
	return true;
}

static const char *snmp_pdu(uint8_t tag)
{
	static const char *const names[] = { "get",  "get-next", "response", "set",   "trap",
					     "bulk", "inform",	 "trap2",    "report" };

	return tag >= 0xa0 && tag <= 0xa8 ? names[tag - 0xa0] : NULL;
}

static enum probe_result snmp_v3(struct probe *p, struct reader *r)
{
	struct reader global, id;

	if (!ber_open(r, 0x30, &global) || !ber_open(&global, 0x02, &id) || id.left > 5)
		return PROBE_NO;
	detail_text(&p->detail, "version", "3");
	return PROBE_DONE;
}

enum probe_result observe_snmp_probe(struct probe *p)
{
	struct reader r = reader_of(p->data, p->len), message, version, community, pdu;
	uint8_t number, tag;

	if (p->data[0] != 0x30 || !ber_open(&r, 0x30, &message) || r.left)
		return PROBE_NO;
	if (!ber_open(&message, 0x02, &version) || version.left != 1)
		return PROBE_NO;
	number = version.p[0];
	if (number == 3)
		return snmp_v3(p, &message);
	if (number > 1 || !ber_open(&message, 0x04, &community) || !message.left)
		return PROBE_NO;
	tag = message.p[0];
	if (!snmp_pdu(tag) || !ber_open(&message, tag, &pdu) || message.left)
		return PROBE_NO;
	detail_text(&p->detail, "version", number ? "2c" : "1");
	detail_bytes(&p->detail, "community", community.p, community.left);
	detail_text(&p->detail, "pdu", snmp_pdu(tag));
	return PROBE_DONE;
}

/* --- TFTP ------------------------------------------------------------------------------------ */

static struct span tftp_string(struct reader *r)
{
	const uint8_t *end = r->left ? memchr(r->p, 0, r->left) : NULL;
	struct span s = { r->p, end ? (size_t)(end - r->p) : 0 };

	if (!end || !bytes_are_text(s)) {
		r->is_short = true;
		return (struct span){ r->p, 0 };
	}
	read_span(r, s.n + 1);
	return s;
}

static bool is_word(struct span s, const char *word)
{
	return s.n == strlen(word) && bytes_have_word(s, word);
}

static enum probe_result tftp_request(struct probe *p, struct reader r, const char *kind)
{
	struct span file = tftp_string(&r), mode = tftp_string(&r);

	if (r.is_short || file.n == 0 ||
	    (!is_word(mode, "octet") && !is_word(mode, "netascii") && !is_word(mode, "mail")))
		return PROBE_NO;
	detail_text(&p->detail, "request", kind);
	detail_span(&p->detail, "file", file);
	detail_span(&p->detail, "mode", mode);
	return PROBE_DONE;
}

/* Names and values of the options that were agreed on (RFC 2347). */
static enum probe_result tftp_oack(struct probe *p, struct reader r)
{
	struct span name = tftp_string(&r), value = tftp_string(&r);

	if (r.is_short || value.n == 0 ||
	    (!is_word(name, "blksize") && !is_word(name, "tsize") && !is_word(name, "timeout") &&
	     !is_word(name, "windowsize")))
		return PROBE_NO;
	detail_text(&p->detail, "message", "options");
	return PROBE_DONE;
}

static enum probe_result tftp_error(struct probe *p, struct reader r)
{
	uint16_t code = read_u16(&r);
	struct span text = tftp_string(&r);

	if (r.is_short || code > 8 || r.left || text.n < 3)
		return PROBE_NO;
	detail_span(&p->detail, "error", text);
	return PROBE_DONE;
}

/* The server answers from another port, so its first block is a conversation of its own. */
static enum probe_result tftp_data(struct probe *p, struct reader r)
{
	if (read_u16(&r) != 1 || r.left > 512)
		return PROBE_NO;
	detail_text(&p->detail, "message", "data");
	return PROBE_DONE;
}

enum probe_result observe_tftp_probe(struct probe *p)
{
	struct reader r = reader_of(p->data, p->len);

	switch (p->len >= 4 ? read_u16(&r) : 0) {
	case 1:
		return tftp_request(p, r, "read");
	case 2:
		return tftp_request(p, r, "write");
	case 3:
		return tftp_data(p, r);
	case 5:
		return tftp_error(p, r);
	case 6:
		return tftp_oack(p, r);
	default:
		return PROBE_NO;
	}
}

/* --- STUN ------------------------------------------------------------------------------------ */

#define STUN_COOKIE 0x2112a442
#define STUN_SOFTWARE 0x8022

static const char *stun_method(uint16_t type)
{
	/* RFC 8489 section 5: the two bits of the class lie between those of the method */
	switch ((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2) {
	case 1:
		return "binding";
	case 3:
		return "allocate";
	case 4:
		return "refresh";
	case 6:
		return "send";
	case 7:
		return "data";
	case 8:
		return "permission";
	case 9:
		return "channel";
	default:
		return NULL;
	}
}

static bool stun_attributes(struct probe *p, struct reader *r)
{
	while (r->left >= 4) {
		uint16_t type = read_u16(r), n = read_u16(r);
		struct span value = read_span(r, n);

		if (r->is_short)
			return false;
		if (type == STUN_SOFTWARE)
			detail_span(&p->detail, "software", value);
		read_span(r, -(size_t)n & 3);
	}
	return !r->is_short && r->left == 0;
}

enum probe_result observe_stun_probe(struct probe *p)
{
	static const char *const classes[] = { "request", "indication", "success", "error" };
	const uint8_t *d = p->data;
	bool is_stream = p->payload->transport == PV_TRANSPORT_TCP;
	struct reader r;
	uint16_t type;
	size_t n;

	if (d[0] & 0xc0)
		return PROBE_NO;
	if (p->len < 20)
		return is_stream && (p->len < 8 || get_be32(d + 4) == STUN_COOKIE) ? PROBE_MORE
										   : PROBE_NO;
	type = get_be16(d);
	n = get_be16(d + 2);
	if (get_be32(d + 4) != STUN_COOKIE || n % 4 || !stun_method(type))
		return PROBE_NO;
	if (p->len - 20 < n && !p->is_last)
		return is_stream ? PROBE_SURE : PROBE_NO;
	if (!is_stream && p->len - 20 > n)
		return PROBE_NO;
	detail_text(&p->detail, "method", stun_method(type));
	detail_text(&p->detail, "class", classes[(type >> 7 & 2) | (type >> 4 & 1)]);
	r = reader_of(d + 20, p->len - 20 < n ? p->len - 20 : n);
	return stun_attributes(p, &r) || p->is_last ? PROBE_DONE : PROBE_NO;
}

/* --- WireGuard ------------------------------------------------------------------------------- */

/* Keys, nonces and what is encrypted: sixteen such bytes have no five zeros but once in 10^8. */
static bool looks_random(const uint8_t *d)
{
	unsigned zeros = 0;

	for (unsigned i = 0; i < 16; i++)
		zeros += d[i] == 0;
	return zeros < 5;
}

enum probe_result observe_wireguard_probe(struct probe *p)
{
	static const char *const names[] = { NULL, "initiation", "response", "cookie", "data" };
	static const uint8_t lengths[] = { 0, 148, 92, 64, 0 };
	const uint8_t *d = p->data;

	if (p->len < 32 || d[0] < 1 || d[0] > 4 || d[1] || d[2] || d[3] || !looks_random(d + 16))
		return PROBE_NO;
	if (d[0] < 4 && p->len != lengths[d[0]] && !p->is_last)
		return PROBE_NO;
	/* data is padded to 16; its counter (little endian) starts at 0 and ends below 2^40 here */
	if (d[0] == 4 && ((!p->is_last && p->len % 16) || d[13] || d[14] || d[15]))
		return PROBE_NO;
	detail_text(&p->detail, "message", names[d[0]]);
	return PROBE_DONE;
}
