/* SPDX-License-Identifier: MIT */
/* IPv4 and IPv6, their options and extension headers, and what an IP protocol number leads to. */
#include <sys/socket.h>

#include "capture/decode-internal.h"

#define IP4_HEADER 20
#define IP6_HEADER 40

struct protocol {
	uint8_t proto; /* enum pv_proto */
	enum step (*decode)(struct machine *m);
};

static const struct protocol protocols[256] = {
	[6] = { PV_PROTO_TCP, decode_tcp },
	[17] = { PV_PROTO_UDP, decode_udp },
};

enum step step_protocol(struct machine *m)
{
	const struct protocol *p = &protocols[m->protocol];

	m->layer->protocol = m->protocol;
	m->layer->payload = m->left ? m->p : NULL;
	m->layer->payload_captured = m->left;
	m->layer->payload_wire = m->wire;
	if (!p->decode) {
		m->layer->proto = PV_PROTO_IP;
		return STEP_END;
	}
	m->layer->proto = p->proto;
	return p->decode(m);
}

/* The length that a header claims, against what the layer around it has. */
static void limit_to(struct machine *m, uint32_t total)
{
	if (total == 0)
		odd(m, DECODE_NO_LENGTH);
	else if (total > m->wire)
		odd(m, DECODE_BAD_LENGTH);
	else
		limit(m, total);
}

static enum step bad_version(struct machine *m)
{
	return odd(m, DECODE_BAD_HEADER);
}

enum step step_ip4(struct machine *m)
{
	const uint8_t *p = m->p;
	struct decoded_layer *layer;
	uint32_t header, total;

	if (m->left < IP4_HEADER)
		return too_short(m, IP4_HEADER);
	header = (p[0] & 0xf) * 4;
	if (p[0] >> 4 != 4 || header < IP4_HEADER)
		return bad_version(m);
	layer = add_layer(m);
	if (!layer)
		return STEP_END;
	layer->family = AF_INET;
	layer->src = p + 12;
	layer->dst = p + 16;
	layer->ttl = p[8];
	layer->proto = PV_PROTO_IP;
	layer->protocol = m->protocol = p[9];
	total = be16(p + 2);
	limit_to(m, total);
	if (m->left < header || (total && total < header))
		return too_short(m, header);
	take(m, header);
	return step_protocol(m);
}

enum step step_ip6(struct machine *m)
{
	const uint8_t *p = m->p;
	struct decoded_layer *layer;
	uint32_t length;

	if (m->left < IP6_HEADER)
		return too_short(m, IP6_HEADER);
	if (p[0] >> 4 != 6)
		return bad_version(m);
	layer = add_layer(m);
	if (!layer)
		return STEP_END;
	layer->family = AF_INET6;
	layer->src = p + 8;
	layer->dst = p + 24;
	layer->ttl = p[7];
	layer->proto = PV_PROTO_IP;
	layer->protocol = m->protocol = p[6];
	length = be16(p + 4);
	take(m, IP6_HEADER);
	limit_to(m, length);
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
		return bad_version(m);
	}
}
