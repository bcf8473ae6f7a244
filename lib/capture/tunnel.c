/* SPDX-License-Identifier: MIT */
/* Tunnels: IP in IP, GRE and ERSPAN, EtherIP, MPLS in IP, and those in UDP. */
#include "capture/decode-internal.h"

/* ---- in IP ---- */

enum step decode_ipip(struct machine *m)
{
	set_payload(m);
	return open_tunnel(m, DECODE_TUNNEL_IPIP, 0, STEP_IP4);
}

enum step decode_ip6ip(struct machine *m)
{
	set_payload(m);
	return open_tunnel(m, DECODE_TUNNEL_IPIP, 0, STEP_IP6);
}

/* RFC 3378: version 3 and 12 reserved bits, then a frame. */
enum step decode_etherip(struct machine *m)
{
	set_payload(m);
	if (m->left < 2 || be16(m->p) != 0x3000)
		return STEP_END;
	take(m, 2);
	return open_tunnel(m, DECODE_TUNNEL_ETHERIP, 0, STEP_ETHERNET);
}

/* RFC 8986: a frame right behind IPv6, as segment routing has it. */
enum step decode_ether_in_ip(struct machine *m)
{
	set_payload(m);
	return open_tunnel(m, DECODE_TUNNEL_ETHERIP, 0, STEP_ETHERNET);
}

enum step decode_mpls_in_ip(struct machine *m)
{
	set_payload(m);
	return open_tunnel(m, DECODE_TUNNEL_MPLS, 0, STEP_MPLS);
}

/* ---- GRE ---- */

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_PPTP_ACK 0x0080
#define GRE_VERSION 0x0007
#define GRE_ERSPAN_1_2 0x88be
#define GRE_ERSPAN_3 0x22eb
#define GRE_WCCP 0x883e

/* Type I has no header of its own, and no sequence number; type II has 8 bytes, type III 12 or 20.
 */
static enum step erspan(struct machine *m, uint16_t flags, uint16_t type)
{
	uint32_t header = type == GRE_ERSPAN_3 ? 12 : flags & GRE_SEQUENCE ? 8 : 0, session;
	unsigned int version = type == GRE_ERSPAN_3 ? 2 : 1;

	if (header == 0)
		return open_tunnel(m, DECODE_TUNNEL_ERSPAN, 0, STEP_ETHERNET);
	if (m->left < header)
		return too_short(m, header);
	if (m->p[0] >> 4 != version)
		return odd(m, DECODE_BAD_HEADER);
	session = be16(m->p + 2) & 0x3ff;
	if (version == 2 && (m->p[11] & 1)) /* a platform's subheader follows */
		header += 8;
	if (m->left < header)
		return too_short(m, header);
	take(m, header);
	return open_tunnel(m, DECODE_TUNNEL_ERSPAN, session, STEP_ETHERNET);
}

/* Version 1 (RFC 2637, PPTP): the key is a length and a call, which differs with the direction; PPP
 * follows, or nothing. */
static enum step gre_pptp(struct machine *m, uint16_t flags)
{
	uint32_t header = 8 + (flags & GRE_SEQUENCE ? 4 : 0) + (flags & GRE_PPTP_ACK ? 4 : 0);
	uint32_t key;

	if (m->left < header)
		return too_short(m, header);
	key = be32(m->p + 4);
	if (be16(m->p + 2) != 0x880b || !(flags & GRE_SEQUENCE))
		return STEP_END;
	take(m, header);
	limit(m, key >> 16);
	return open_tunnel(m, DECODE_TUNNEL_GRE, 0, STEP_PPP);
}

static bool gre_opens(struct machine *m, uint16_t type)
{
	m->ethertype = type;
	/* the second version of Cisco's redirection puts 4 bytes before the packet */
	if (type == GRE_WCCP) {
		if (m->left >= 5 && m->p[0] >> 4 != 4)
			take(m, 4);
		m->ethertype = 0x0800;
	}
	return type >= 0x600;
}

enum step decode_gre(struct machine *m)
{
	uint16_t flags, type;
	uint32_t header, key = 0;

	set_payload(m);
	if (m->left < 4)
		return too_short(m, 4);
	flags = be16(m->p);
	type = be16(m->p + 2);
	if ((flags & GRE_VERSION) == 1)
		return gre_pptp(m, flags);
	if (flags & (GRE_VERSION | GRE_ROUTING))
		return odd(m, DECODE_BAD_HEADER);
	header = 4 + (flags & GRE_CHECKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) +
		 (flags & GRE_SEQUENCE ? 4 : 0);
	if (m->left < header)
		return too_short(m, header);
	if (flags & GRE_KEY)
		key = be32(m->p + (flags & GRE_CHECKSUM ? 8 : 4));
	take(m, header);
	if (type == GRE_ERSPAN_1_2 || type == GRE_ERSPAN_3)
		return erspan(m, flags, type);
	return gre_opens(m, type) ? open_tunnel(m, DECODE_TUNNEL_GRE, key, STEP_ETHERTYPE)
				  : STEP_END;
}

/* ---- in UDP ---- */

#define VXLAN_VALID 0x08
#define VXLAN_NEXT 0x04 /* the generic protocol extension: a byte names what follows */
#define VXLAN_POLICY 0x80
#define VXLAN_ETHERNET 3

/* RFC 7348: the flag for a valid network id, then a frame, or what the extension says. */
static enum step vxlan(struct machine *m)
{
	static const uint8_t steps[] = { STEP_END, STEP_IP4, STEP_IP6, STEP_ETHERNET };
	const uint8_t *p = m->p;
	uint8_t next;

	/* other flags and the last byte are reserved, and 0 */
	if (m->left < 9 || (p[0] & ~(VXLAN_POLICY | VXLAN_NEXT)) != VXLAN_VALID || p[7] != 0)
		return STEP_END;
	next = p[0] & VXLAN_NEXT ? p[3] : VXLAN_ETHERNET;
	if (next == 0 || next >= sizeof(steps) ||
	    (next == VXLAN_ETHERNET && !link_is_ethernet(p + 8, m->left - 8)))
		return STEP_END;
	take(m, 8);
	return open_tunnel(m, DECODE_TUNNEL_VXLAN, be24(p + 4), steps[next]);
}

/* RFC 8926: version 0, options, an ethertype. */
static enum step geneve(struct machine *m)
{
	const uint8_t *p = m->p;
	uint32_t header;

	if (m->left < 8 || p[0] >> 6 != 0 || (p[1] & 0x3f) != 0 || p[7] != 0)
		return STEP_END;
	header = 8 + (p[0] & 0x3fu) * 4;
	if (m->left < header || be16(p + 2) < 0x600)
		return STEP_END;
	m->ethertype = be16(p + 2);
	take(m, header);
	return open_tunnel(m, DECODE_TUNNEL_GENEVE, be24(p + 4), STEP_ETHERTYPE);
}

#define GTP_EXTENSION 4
#define GTP_OPTIONAL                                                                               \
	7 /* extension, sequence or number of N-PDU: then all three fields are there               \
	   */
#define GTP_GPDU 255
#define GTP_EXTENSIONS_MAX 16

/* Bytes of the GTP-U header, 0 = it is not sound. */
static uint32_t gtpu_header(const uint8_t *p, uint32_t left)
{
	uint32_t n = 8;
	uint8_t next;

	if (!(p[0] & GTP_OPTIONAL))
		return n;
	if (left < 12)
		return 0;
	n = 12;
	next = p[0] & GTP_EXTENSION ? p[11] : 0;
	for (int i = 0; next != 0; i++) {
		uint32_t len = n < left ? p[n] * 4u : 0;

		if (len == 0 || left - n < len || i == GTP_EXTENSIONS_MAX)
			return 0;
		n += len;
		next = p[n - 1];
	}
	return n;
}

static enum step gtpu(struct machine *m)
{
	const uint8_t *p = m->p;
	uint32_t header;

	if (m->left < 8 || p[0] >> 5 != 1 || !(p[0] & 0x10) || p[1] != GTP_GPDU ||
	    be16(p + 2) + 8u > m->wire)
		return STEP_END;
	header = gtpu_header(p, m->left);
	if (header == 0 || header >= m->left || header > be16(p + 2) + 8u ||
	    (p[header] >> 4 != 4 && p[header] >> 4 != 6))
		return STEP_END;
	limit(m, be16(p + 2) + 8u);
	take(m, header);
	return open_tunnel(m, DECODE_TUNNEL_GTPU, be32(p + 4), STEP_IP);
}

/* RFC 4380: perhaps authentication, perhaps the origin, then an IPv6 packet that fills the rest. */
static enum step teredo(struct machine *m)
{
	const uint8_t *p = m->p;
	uint32_t at = 0;

	if (m->left >= 4 && be16(p) == 1)
		at = 4u + p[2] + p[3] + 9;
	if (m->left >= at + 2 && be16(p + at) == 0)
		at += 8;
	if (m->left < at + 40 || p[at] >> 4 != 6 || be16(p + at + 4) + 40u > m->wire - at)
		return STEP_END;
	take(m, at);
	return open_tunnel(m, DECODE_TUNNEL_TEREDO, 0, STEP_IP6);
}

/* RFC 7510; the bottom label must be there, and IP behind it. */
static enum step mpls_in_udp(struct machine *m)
{
	uint32_t at = 0;

	while (m->left > at + 4 && !(m->p[at + 2] & 1))
		at += 4;
	if (m->left <= at + 4 || (m->p[at + 4] >> 4 != 4 && m->p[at + 4] >> 4 != 6))
		return STEP_END;
	return open_tunnel(m, DECODE_TUNNEL_MPLS, 0, STEP_MPLS);
}

struct udp_tunnel {
	uint16_t port;
	bool either; /* the port may be the sender's, too */
	enum step (*open)(struct machine *m);
};

/* 8472 is what Linux used before VXLAN had a number; 4790 is that of its extension. */
static const struct udp_tunnel udp_tunnels[] = {
	{ 4789, false, vxlan },	      { 8472, false, vxlan }, { 4790, false, vxlan },
	{ 6081, false, geneve },      { 2152, true, gtpu },   { 3544, true, teredo },
	{ 6635, false, mpls_in_udp },
};

enum step decode_udp_tunnel(struct machine *m)
{
	uint16_t src = m->layer->src_port, dst = m->layer->dst_port;

	for (size_t i = 0; i < sizeof(udp_tunnels) / sizeof(*udp_tunnels); i++)
		if (udp_tunnels[i].port == dst ||
		    (udp_tunnels[i].either && udp_tunnels[i].port == src))
			return udp_tunnels[i].open(m);
	return STEP_END;
}
