/* SPDX-License-Identifier: MIT */
/*
 * BitTorrent: the handshake of peers (BEP 3), the distributed table (BEP 5), trackers over UDP
 * (BEP 15), and the SYN of its transport uTP (BEP 29).
 */
#include "observe/observe-internal.h"

#define HANDSHAKE "\023BitTorrent protocol"

static void detail_hex(struct detail *d, const char *key, const uint8_t *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	char text[40];

	for (size_t i = 0; i < n && i < 20; i++) {
		text[2 * i] = hex[p[i] >> 4];
		text[2 * i + 1] = hex[p[i] & 15];
	}
	detail_bytes(d, key, text, 2 * n);
}

static enum probe_result handshake(struct probe *p)
{
	enum probe_result match = match_text(p->data, p->len, HANDSHAKE);
	struct span client;

	if (match != PROBE_DONE)
		return match;
	if (p->len < 68 && !p->is_last)
		return PROBE_SURE;
	if (p->len >= 48)
		detail_hex(&p->detail, "info_hash", p->data + 28, 20);
	/* most clients begin their id with -XXVVVV- */
	client = (struct span){ p->data + 48, 8 };
	if (p->len >= 68 && client.p[0] == '-' && client.p[7] == '-' && bytes_are_text(client))
		detail_span(&p->detail, "client", client);
	return PROBE_DONE;
}

static bool begins(const struct probe *p, const char *text)
{
	return p->len >= strlen(text) && !memcmp(p->data, text, strlen(text));
}

/* Messages of the table are dictionaries with sorted keys, "y" (their kind) the last of them. */
static bool is_dht(const struct probe *p)
{
	bool begins_well = begins(p, "d1:ad2:") || begins(p, "d1:rd2:") || begins(p, "d1:el") ||
			   begins(p, "d2:ip6:") || begins(p, "d2:ip18:");

	return begins_well && p->len > 20 && p->data[p->len - 1] == 'e' &&
	       memmem(p->data, p->len, "1:y1:", 5);
}

static bool is_tracker(const struct probe *p)
{
	static const uint8_t connect[12] = { 0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0 };

	return p->len == 16 && !memcmp(p->data, connect, sizeof(connect));
}

/*
 * Type 4, version 1; no time difference yet, nothing acknowledged; the sequence number is 1, or the
 * window is closed (libtorrent: then the number is random).
 */
static bool is_utp_syn(const struct probe *p)
{
	const uint8_t *d = p->data;

	if (p->len < 20 || d[0] != 0x41 || get_be32(d + 8) != 0 || get_be16(d + 18) != 0 ||
	    (get_be32(d + 12) != 0 && get_be16(d + 16) != 1))
		return false;
	return d[1] == 0 ? p->len == 20 : d[1] == 2 && p->len == 30 && d[20] == 0 && d[21] == 8;
}

enum probe_result observe_bittorrent_probe(struct probe *p)
{
	const char *kind;

	if (p->payload->transport == PV_TRANSPORT_TCP)
		return handshake(p);
	if (is_dht(p))
		kind = "dht";
	else if (is_tracker(p))
		kind = "tracker";
	else if (is_utp_syn(p))
		kind = "utp";
	else
		return PROBE_NO;
	detail_text(&p->detail, "message", kind);
	return PROBE_DONE;
}
