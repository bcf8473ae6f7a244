/* SPDX-License-Identifier: MIT */
/*
 * QUIC version 1 and 2 (RFC 9000, 9001, 9369) and draft 29. Initial packets are encrypted with keys
 * that follow from the connection id the client chose, so whoever sees the first packet can read
 * the ClientHello. Its CRYPTO frames may come in any order, in several packets and datagrams; they
 * are put together in the pool like the start of a TCP stream.
 */
#include "observe/observe-internal.h"

#define VERSION_1 0x00000001
#define VERSION_2 0x6b3343cf
#define VERSION_DRAFT_29 0xff00001d /* what was in use before version 1 */
#define TAG 16
#define PLAIN_MAX 1500 /* of an Initial; clients send 1200 to 1350, jumbo frames are not used */

enum packet_type { TYPE_INITIAL, TYPE_0RTT, TYPE_HANDSHAKE, TYPE_RETRY };

struct packet {
	uint32_t version;
	enum packet_type type;
	struct span dcid;
	struct span head; /* up to the packet number */
	struct span body; /* packet number and what it protects */
	bool is_cut;	  /* its length says more than there is */
};

static const uint8_t salt_1[20] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a };
static const uint8_t salt_2[20] = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
				    0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 };
static const uint8_t salt_29[20] = { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
				     0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 };

struct quic_version {
	uint32_t number;
	struct span salt;
	const char *key, *iv, *hp, *name;
};
static const struct quic_version versions[] = {
	{ VERSION_1, { salt_1, 20 }, "quic key", "quic iv", "quic hp", "1" },
	{ VERSION_2, { salt_2, 20 }, "quicv2 key", "quicv2 iv", "quicv2 hp", "2" },
	{ VERSION_DRAFT_29, { salt_29, 20 }, "quic key", "quic iv", "quic hp", "draft-29" },
};

static const struct quic_version *version_get(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].number == number)
			return &versions[i];
	return NULL;
}

/* Variable-length integer of RFC 9000 section 16. */
static uint64_t read_varint(struct reader *r)
{
	unsigned n;
	uint64_t v;

	if (r->left == 0) {
		r->is_short = true;
		return 0;
	}
	n = 1U << (r->p[0] >> 6);
	if (n == 8) {
		v = read_u32(r) & 0x3fffffff;
		return v << 32 | read_u32(r);
	}
	v = read_be(r, n);
	return v & (n == 1 ? 0x3f : n == 2 ? 0x3fff : 0x3fffffff);
}

/* One long header packet; moves past it. false: not one of these versions, or damaged. */
static bool read_packet(struct reader *r, struct packet *ret)
{
	const uint8_t *start = r->p;
	uint8_t first = read_u8(r);
	uint64_t n;

	ret->is_cut = false;
	ret->version = read_u32(r);
	if (r->is_short || (first & 0xc0) != 0xc0 || !version_get(ret->version))
		return false;
	/* RFC 9369 section 3.2: version 2 counts the types from Retry */
	ret->type = (first >> 4 & 3);
	if (ret->version == VERSION_2)
		ret->type = (ret->type + 3) & 3;
	n = read_u8(r);
	ret->dcid = read_span(r, n);
	if (n > QUIC_CID_MAX)
		return false;
	n = read_u8(r);
	read_span(r, n);
	if (n > QUIC_CID_MAX)
		return false;
	if (ret->type == TYPE_RETRY) {
		ret->body = read_span(r, r->left);
		return !r->is_short && ret->body.n >= TAG;
	}
	if (ret->type == TYPE_INITIAL) {
		n = read_varint(r);
		if (n > r->left)
			return false;
		read_span(r, n);
	}
	n = read_varint(r);
	ret->head = (struct span){ start, (size_t)(r->p - start) };
	ret->is_cut = n > r->left;
	if (r->is_short || n < 20 || ret->is_cut)
		return false;
	ret->body = read_span(r, n);
	return true;
}

struct keys {
	uint8_t key[16], iv[12], hp[16];
};

static bool client_keys(struct crypto *c, const struct quic_version *v, struct span dcid,
			struct keys *ret)
{
	uint8_t initial[32], client[32];

	return crypto_hkdf_extract(c, v->salt, dcid, initial) &&
	       crypto_hkdf_label(c, initial, "client in", client, sizeof(client)) &&
	       crypto_hkdf_label(c, client, v->key, ret->key, sizeof(ret->key)) &&
	       crypto_hkdf_label(c, client, v->iv, ret->iv, sizeof(ret->iv)) &&
	       crypto_hkdf_label(c, client, v->hp, ret->hp, sizeof(ret->hp));
}

/* Takes header protection off and decrypts (RFC 9001 section 5); the length, 0 = not for us. */
static size_t decrypt(struct crypto *c, const struct packet *packet, struct span dcid,
		      uint8_t out[static PLAIN_MAX])
{
	uint8_t mask[16], head[512], nonce[12];
	struct keys keys;
	unsigned pn_len;
	size_t n;

	if (packet->body.n > PLAIN_MAX || packet->head.n + 4 > sizeof(head))
		return 0;
	if (!client_keys(c, version_get(packet->version), dcid, &keys) ||
	    !crypto_aes_block(c, keys.hp, packet->body.p + 4, mask))
		return 0;
	memcpy(head, packet->head.p, packet->head.n);
	head[0] ^= mask[0] & 0x0f;
	pn_len = (head[0] & 3) + 1U;
	memcpy(nonce, keys.iv, sizeof(nonce));
	for (unsigned i = 0; i < pn_len; i++) {
		uint8_t byte = packet->body.p[i] ^ mask[1 + i];

		head[packet->head.n + i] = byte;
		nonce[sizeof(nonce) - pn_len + i] ^= byte;
	}
	n = packet->body.n - pn_len;
	return crypto_gcm_open(c, keys.key, nonce, (struct span){ head, packet->head.n + pn_len },
			       (struct span){ packet->body.p + pn_len, n }, out)
		       ? n - TAG
		       : 0;
}

/* Skips an ACK frame behind its type (RFC 9000 section 19.3). */
static void skip_ack(struct reader *r, bool has_ecn)
{
	uint64_t n;

	read_varint(r);
	read_varint(r);
	n = read_varint(r);
	read_varint(r);
	for (; n > 0 && !r->is_short; n--) {
		read_varint(r);
		read_varint(r);
	}
	for (unsigned i = 0; has_ecn && i < 3; i++)
		read_varint(r);
}

/* Keeps the CRYPTO frames of a decrypted Initial. false: damaged. */
static bool keep_crypto(struct probe *p, struct work *w, const uint8_t *plain, size_t n)
{
	struct reader r = reader_of(plain, n);

	while (r.left && !r.is_short) {
		uint64_t type = read_varint(&r), offset;
		struct span data;

		if (type == 0 || type == 1) /* PADDING, PING */
			continue;
		if (type == 2 || type == 3) {
			skip_ack(&r, type == 3);
			continue;
		}
		if (type != 6)
			return true;
		offset = read_varint(&r);
		data = read_span(&r, read_varint(&r));
		if (r.is_short || offset >= OBSERVE_STREAM_MAX)
			return false;
		if (pool_put(&p->o->pool, w, p->payload->side, (uint32_t)offset, data.p, data.n) <
		    0)
			return false;
	}
	return !r.is_short;
}

/* The ClientHello when it is all there. */
static enum probe_result read_hello(struct probe *p, struct work *w, uint32_t version)
{
	struct span stream = work_side_bytes(&w->side[p->payload->side]);
	struct tls_hello hello;

	if (stream.n < 4)
		return PROBE_SURE;
	if (stream.p[0] != 1)
		return PROBE_DONE;
	if (stream.n - 4 < get_be24(stream.p + 1))
		return PROBE_SURE;
	stream = (struct span){ stream.p + 4, get_be24(stream.p + 1) };
	if (!tls_client_hello_parse(stream, &hello))
		return PROBE_DONE;
	p->detail.len = 0;
	detail_text(&p->detail, "version", version_get(version)->name);
	tls_hello_detail(p->o->crypto, &hello, 'q', &p->detail);
	return PROBE_DONE;
}

/* The connection id whose keys open the packet: what the client first used, or the packet's own. */
static size_t open_packet(struct probe *p, struct work *w, const struct packet *packet,
			  uint8_t out[static PLAIN_MAX])
{
	struct span first = { w->quic_dcid, w->quic_dcid_len };
	size_t n = first.n ? decrypt(p->o->crypto, packet, first, out) : 0;

	if (n == 0 && (first.n != packet->dcid.n || memcmp(first.p, packet->dcid.p, first.n))) {
		n = decrypt(p->o->crypto, packet, packet->dcid, out);
		if (n > 0) {
			w->quic_dcid_len = (uint8_t)packet->dcid.n;
			memcpy(w->quic_dcid, packet->dcid.p, packet->dcid.n);
		}
	}
	return n;
}

void observe_quic_rest(const struct work *w, struct detail *d)
{
	for (unsigned side = 0; side < 2; side++) {
		struct span stream = work_side_bytes(&w->side[side]);
		struct tls_hello hello;

		if (stream.n < 4 || stream.p[0] != 1)
			continue;
		tls_client_hello_parse((struct span){ stream.p + 4, stream.n - 4 }, &hello);
		if (hello.sni.n)
			detail_span(d, "sni", hello.sni);
	}
}

static struct work *work_of(struct probe *p)
{
	struct work *w = pool_get(&p->o->pool, p->s);

	return w ? w : pool_take(&p->o->pool, p->s);
}

enum probe_result observe_quic_frames(struct probe *p, uint32_t version, struct span plain)
{
	struct work *w = work_of(p);

	if (!w || !keep_crypto(p, w, plain.p, plain.n))
		return PROBE_SURE;
	return read_hello(p, w, version);
}

static enum probe_result initial(struct probe *p, const struct packet *packet)
{
	struct work *w = work_of(p);
	uint8_t plain[PLAIN_MAX];
	size_t n;

	if (!w || !p->o->crypto)
		return PROBE_SURE;
	n = open_packet(p, w, packet, plain);
	if (n == 0)
		return PROBE_SURE;
	return observe_quic_frames(p, packet->version, (struct span){ plain, n });
}

enum probe_result observe_quic_probe(struct probe *p)
{
	struct reader r = reader_of(p->data, p->len);
	enum probe_result result = PROBE_NO;
	struct packet packet;

	if (p->len < 7 || (p->data[0] & 0xc0) != 0xc0 || !version_get(get_be32(p->data + 1)))
		return PROBE_NO;
	detail_text(&p->detail, "version", version_get(get_be32(p->data + 1))->name);
	while (r.left && result != PROBE_DONE && read_packet(&r, &packet)) {
		result = PROBE_SURE;
		if (packet.type == TYPE_INITIAL)
			result = initial(p, &packet);
	}
	/* what the capture cut cannot be read, but its head was sound as far as the cut */
	return result == PROBE_NO && p->is_last && packet.is_cut ? PROBE_SURE : result;
}
