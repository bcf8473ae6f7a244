/* SPDX-License-Identifier: MIT */
/* IPv4 and IPv6, their options and extension headers, and what an IP protocol number leads to. */
#include <sys/socket.h>

#include "capture/decode-internal.h"

#define IP4_HEADER 20
#define IP4_MORE 0x2000
#define IP4_OFFSET 0x1fff
#define IP6_HEADER 40
#define IP6_FRAGMENT 44
#define IP6_HOP_BY_HOP 0
#define IP6_NOTHING 59 /* no next header, and no bytes */
#define OPTION_PAD1 0
#define OPTION_JUMBO 0xc2

struct protocol {
	uint8_t proto;	   /* enum pv_proto */
	bool is_extension; /* of IPv6: a header, not a transport */
	enum step (*decode)(struct machine *m);
};

static enum step decode_extension(struct machine *m);
static enum step decode_fragment(struct machine *m);

static const struct protocol protocols[256] = {
	[0] = { PV_PROTO_IP, true, decode_extension }, /* hop by hop */
	[1] = { PV_PROTO_ICMP, false, decode_icmp },
	[2] = { PV_PROTO_IGMP, false, set_payload },
	[4] = { PV_PROTO_IPIP, false, decode_ipip },
	[6] = { PV_PROTO_TCP, false, decode_tcp },
	[17] = { PV_PROTO_UDP, false, decode_udp },
	[33] = { PV_PROTO_DCCP, false, decode_dccp },
	[41] = { PV_PROTO_IP6IP, false, decode_ip6ip },
	[43] = { PV_PROTO_IP, true, decode_extension }, /* routing */
	[IP6_FRAGMENT] = { PV_PROTO_IP, true, decode_fragment },
	[47] = { PV_PROTO_GRE, false, decode_gre },
	[50] = { PV_PROTO_ESP, false, decode_esp },
	[51] = { PV_PROTO_AH, false, decode_ah },
	[58] = { PV_PROTO_ICMP6, false, decode_icmp6 },
	[60] = { PV_PROTO_IP, true, decode_extension }, /* destination options */
	[97] = { PV_PROTO_IP, false, decode_etherip },
	[132] = { PV_PROTO_SCTP, false, decode_sctp },
	[135] = { PV_PROTO_IP, true, decode_extension }, /* mobility */
	[136] = { PV_PROTO_UDPLITE, false, decode_udplite },
	[137] = { PV_PROTO_IP, false, decode_mpls_in_ip },
	[143] = { PV_PROTO_IP, false, decode_ether_in_ip },
	[139] = { PV_PROTO_IP, true, decode_extension }, /* host identity */
	[140] = { PV_PROTO_IP, true, decode_extension }, /* shim6 */
};

uint8_t ip_protocol_kind(uint8_t protocol)
{
	return protocols[protocol].decode ? protocols[protocol].proto : PV_PROTO_IP;
}

enum step step_protocol(struct machine *m)
{
	const struct protocol *p = &protocols[m->protocol];
	struct decoded_layer *layer = m->layer;

	layer->protocol = m->protocol;
	if (!p->decode || (p->is_extension && layer->family != AF_INET6)) {
		layer->proto = PV_PROTO_IP;
		return set_payload(m);
	}
	layer->proto = p->proto;
	return p->decode(m);
}

/* The length that a header claims, against what the layer around it has. */
static void limit_to(struct machine *m, uint32_t total)
{
	if (__builtin_expect(total > m->wire, 0))
		odd(m, DECODE_BAD_LENGTH);
	else
		limit(m, total);
}

enum step step_ip4(struct machine *m)
{
	const uint8_t *p = m->p;
	struct decoded_layer *layer;
	uint32_t header, total, part;

	if (m->left < IP4_HEADER)
		return short_frame(m, IP4_HEADER);
	header = (p[0] & 0xf) * 4;
	if (p[0] >> 4 != 4 || header < IP4_HEADER)
		return bad_frame(m, DECODE_BAD_HEADER);
	layer = add_layer(m);
	if (!layer)
		return STEP_END;
	layer->family = AF_INET;
	layer->src = p + 12;
	layer->dst = p + 16;
	layer->ttl = p[8];
	layer->proto = ip_protocol_kind(p[9]);
	layer->protocol = m->protocol = p[9];
	total = be16(p + 2);
	if (__builtin_expect(total == 0, 0))
		odd(m, DECODE_NO_LENGTH);
	else
		limit_to(m, total);
	if (__builtin_expect(p[8] == 0, 0))
		odd(m, DECODE_TTL_EXPIRED);
	if (__builtin_expect(m->left < header, 0))
		return cut_header(m, header);
	take(m, header);
	part = be16(p + 6);
	if (__builtin_expect(part & (IP4_MORE | IP4_OFFSET), 0)) {
		struct fragment f = { be16(p + 4), (part & IP4_OFFSET) * 8, part & IP4_MORE };

		return fragment_step(m, &f);
	}
	return step_protocol(m);
}

/* A jumbogram says so in the header that follows. */
static void no_length(struct machine *m, uint8_t next)
{
	if (next != IP6_HOP_BY_HOP)
		odd(m, DECODE_NO_LENGTH);
}

enum step step_ip6(struct machine *m)
{
	const uint8_t *p = m->p;
	struct decoded_layer *layer;
	uint32_t length;

	if (m->left < IP6_HEADER)
		return short_frame(m, IP6_HEADER);
	if (p[0] >> 4 != 6)
		return bad_frame(m, DECODE_BAD_HEADER);
	layer = add_layer(m);
	if (!layer)
		return STEP_END;
	layer->family = AF_INET6;
	layer->src = p + 8;
	layer->dst = p + 24;
	layer->ttl = p[7];
	m->protocol = p[6];
	length = be16(p + 4);
	take(m, IP6_HEADER);
	if (__builtin_expect(length == 0 && p[6] != IP6_NOTHING, 0))
		no_length(m, p[6]);
	else
		limit_to(m, length);
	if (__builtin_expect(p[7] == 0, 0))
		odd(m, DECODE_TTL_EXPIRED);
	return step_protocol(m);
}

enum step step_ip(struct machine *m)
{
	if (m->left < 1)
		return too_short(m, 1);
	switch (m->p[0] >> 4) {
	case 4:
		return step_ip4(m);
	case 6:
		return step_ip6(m);
	default:
		return odd(m, DECODE_BAD_HEADER);
	}
}

/* A jumbogram (RFC 2675; Linux' BIG TCP makes them) tells its length in an option. */
static void take_jumbo(struct machine *m, uint32_t header)
{
	uint32_t i = 2;

	while (i + 2 <= header) {
		const uint8_t *p = m->p + i;

		if (p[0] == OPTION_PAD1) {
			i++;
			continue;
		}
		if (p[0] == OPTION_JUMBO && p[1] == 4 && i + 6 <= header) {
			limit_to(m, be32(p + 2));
			return;
		}
		i += 2u + p[1];
	}
	odd(m, DECODE_NO_LENGTH);
}

/* The first header behind that of IPv6, whose payload length is 0. */
static bool is_without_length(const struct machine *m)
{
	return m->p == m->layer->src - 8 + IP6_HEADER && be16(m->layer->src - 4) == 0;
}

static enum step decode_extension(struct machine *m)
{
	uint32_t header;

	if (m->left < 8)
		return cut_header(m, 8);
	header = (m->p[1] + 1u) * 8;
	if (m->left < header)
		return cut_header(m, header);
	if (m->protocol == IP6_HOP_BY_HOP && is_without_length(m))
		take_jumbo(m, header);
	m->protocol = m->p[0];
	take(m, header);
	return STEP_PROTOCOL;
}

static enum step decode_fragment(struct machine *m)
{
	struct fragment f;
	uint16_t part;

	if (m->left < 8)
		return cut_header(m, 8);
	part = be16(m->p + 2);
	f = (struct fragment){ be32(m->p + 4), part & 0xfff8u, part & 1 };
	m->protocol = m->p[0];
	take(m, 8);
	if (f.offset == 0 && !f.more)
		return STEP_PROTOCOL; /* an atomic fragment (RFC 6946): all of it */
	return fragment_step(m, &f);
}

/* ---- quotes ---- */

/* Passes over extension headers; the bytes of the transport header, or NULL in a later fragment. */
static const uint8_t *quoted_transport(const uint8_t *p, const uint8_t *end, uint8_t *protocol)
{
	for (int i = 0; i < 8 && protocols[*protocol].is_extension; i++) {
		uint32_t header = *protocol == IP6_FRAGMENT ? 8 : 0;

		if (end - p < 8)
			return NULL;
		if (*protocol == IP6_FRAGMENT && (be16(p + 2) & 0xfff8))
			return NULL;
		*protocol = p[0];
		header = header ? header : (p[1] + 1u) * 8;
		if ((uint32_t)(end - p) < header)
			return NULL;
		p += header;
	}
	return p;
}

void ip_take_quote(struct machine *m)
{
	struct decoded_quote *q = &m->ret->quote;
	const uint8_t *p = m->p, *end = m->p + m->left, *transport;
	bool is_4 = m->left >= IP4_HEADER && p[0] >> 4 == 4 && (p[0] & 0xf) >= 5;

	if (!is_4 && (m->left < IP6_HEADER || p[0] >> 4 != 6))
		return;
	*q = (struct decoded_quote){
		.family = is_4 ? AF_INET : AF_INET6,
		.src = is_4 ? p + 12 : p + 8,
		.dst = is_4 ? p + 16 : p + 24,
		.layer = (uint8_t)(m->layer - m->ret->layers),
	};
	m->protocol = is_4 ? p[9] : p[6];
	if (is_4) {
		transport = p + (p[0] & 0xf) * 4;
		if ((be16(p + 6) & IP4_OFFSET) || transport > end)
			transport = NULL;
	} else {
		transport = quoted_transport(p + IP6_HEADER, end, &m->protocol);
	}
	q->protocol = m->protocol;
	q->proto = ip_protocol_kind(m->protocol);
	if (transport)
		q->has_ports = transport_ports(m->protocol, transport, (uint32_t)(end - transport),
					       &q->src_port, &q->dst_port) > 0;
}
