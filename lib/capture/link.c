/* SPDX-License-Identifier: MIT */
/* Link headers but for 802.11: Ethernet and its tags, LLC, MPLS, PPP, PPPoE, cooked, loopback. */
#include <string.h>

#include "capture/decode-internal.h"

#define ETHER_HEADER 14
#define ETHERTYPE_MIN 0x600  /* below it is a length (IEEE 802.3) */
#define ETHERTYPE_TEB 0x6558 /* an Ethernet frame inside GRE and GENEVE */
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_PPPOE 0x8864

#define LLC_SNAP 0xaa
#define LLC_IP 0x06
#define LLC_UI 3
#define LLC_NOVELL 0xff /* IPX in 802.3 without LLC: a checksum of ones */

enum step other_frame(struct machine *m)
{
	struct decoded_layer *layer;

	if (m->layer && !m->link->src)
		return STEP_END; /* unknown contents of a tunnel: no conversation of their own */
	layer = add_layer(m);
	if (!layer)
		return STEP_END;
	layer->proto = PV_PROTO_ETHER;
	layer->protocol = layer->link.ethertype;
	return set_payload(m);
}

/* ---- ethertypes ---- */

struct ethertype {
	uint16_t type;
	enum step (*step)(struct machine *m);
};

/* IEEE 802.1Q 9.6: id 0 is no VLAN, the tag is there for its priority. */
static enum step vlan_tag(struct machine *m)
{
	struct decoded_link *link = m->link;
	uint16_t id;

	if (m->left < 4)
		return short_frame(m, 4);
	id = be16(m->p) & 0xfff;
	if (id && link->n_vlans < DECODE_VLANS)
		link->vlan[link->n_vlans] = id;
	if (id && link->n_vlans < UINT8_MAX)
		link->n_vlans++;
	m->ethertype = be16(m->p + 2);
	take(m, 4);
	return STEP_ETHERTYPE;
}

/* The outermost tags are 802.1ad (88a8) or of the numbers that switches used before it. */
static const struct ethertype ethertypes[] = {
	{ ETHERTYPE_IP4, step_ip4 },
	{ ETHERTYPE_IP6, step_ip6 },
	{ 0x8100, vlan_tag },
	{ 0x88a8, vlan_tag },
	{ 0x9100, vlan_tag },
	{ 0x9200, vlan_tag },
	{ 0x0806, decode_arp },
	{ 0x8035, decode_arp }, /* RARP */
	{ ETHERTYPE_MPLS, step_mpls },
	{ 0x8848, step_mpls },
	{ ETHERTYPE_PPPOE, step_pppoe },
	{ ETHERTYPE_TEB, step_ethernet },
	{ 0x880b, step_ppp },
};

static const struct ethertype *find_ethertype(uint16_t type)
{
	for (size_t i = 0; i < sizeof(ethertypes) / sizeof(*ethertypes); i++)
		if (ethertypes[i].type == type)
			return &ethertypes[i];
	return NULL;
}

bool link_is_ethernet(const uint8_t *p, uint32_t left)
{
	uint16_t type;

	if (left < ETHER_HEADER)
		return false;
	type = be16(p + 12);
	return type < ETHERTYPE_MIN ? left >= ETHER_HEADER + 3 : find_ethertype(type) != NULL;
}

enum step step_ethertype(struct machine *m)
{
	const struct ethertype *e;

	m->link->ethertype = m->ethertype;
	if (m->ethertype < ETHERTYPE_MIN) {
		limit(m, m->ethertype);
		return step_llc(m);
	}
	e = find_ethertype(m->ethertype);
	return e ? e->step(m) : other_frame(m);
}

enum step step_ethernet(struct machine *m)
{
	if (m->left < ETHER_HEADER)
		return too_short(m, ETHER_HEADER);
	m->link->dst = m->p;
	m->link->src = m->p + 6;
	m->ethertype = be16(m->p + 12);
	take(m, ETHER_HEADER);
	return step_ethertype(m);
}

/* SNAP: the organisation 0 means ethertypes, and so does that of 802.1H bridge tunnels. */
static enum step snap(struct machine *m)
{
	uint32_t organisation;

	if (m->left < 8)
		return other_frame(m);
	organisation = be24(m->p + 3);
	if ((organisation != 0 && organisation != 0xf8) || be16(m->p + 6) < ETHERTYPE_MIN)
		return other_frame(m);
	m->ethertype = be16(m->p + 6);
	take(m, 8);
	return STEP_ETHERTYPE;
}

enum step step_llc(struct machine *m)
{
	if (m->left < 3)
		return other_frame(m);
	if (m->p[0] == LLC_SNAP && m->p[1] == LLC_SNAP && m->p[2] == LLC_UI)
		return snap(m);
	if (m->p[0] == LLC_IP && m->p[1] == LLC_IP && m->p[2] == LLC_UI) {
		take(m, 3);
		return STEP_IP4;
	}
	return other_frame(m);
}

/* ---- MPLS ---- */

/* A pseudowire: the frame that carries it is a conversation, and the one inside is another. */
static enum step pseudowire(struct machine *m, uint32_t label, uint32_t control_word)
{
	if (!m->layer || m->link->src)
		other_frame(m);
	take(m, control_word);
	return open_tunnel(m, DECODE_TUNNEL_MPLS, label, STEP_ETHERNET);
}

/* Nothing says what follows the last label; the first nibble does in practice (RFC 4928). */
static enum step after_labels(struct machine *m, uint32_t label)
{
	const uint8_t *p = m->p;

	if (m->left < 6)
		return other_frame(m);
	if (p[0] >> 4 == 4 && (p[0] & 0xf) >= 5 && be16(p + 2) <= m->wire)
		return STEP_IP4;
	if (p[0] >> 4 == 6 && be16(p + 4) + 40u <= m->wire)
		return STEP_IP6;
	/* a control word begins with 16 zero bits (RFC 4448) */
	if (be16(p) == 0 && link_is_ethernet(p + 4, m->left - 4))
		return pseudowire(m, label, 4);
	return link_is_ethernet(p, m->left) ? pseudowire(m, label, 0) : other_frame(m);
}

enum step step_mpls(struct machine *m)
{
	bool is_bottom;
	uint32_t label;

	if (m->left < 4)
		return short_frame(m, 4);
	label = be24(m->p) >> 4;
	is_bottom = m->p[2] & 1;
	if (m->link->n_mpls == 0)
		m->link->mpls_label = label;
	if (m->link->n_mpls < UINT8_MAX)
		m->link->n_mpls++;
	take(m, 4);
	return is_bottom ? after_labels(m, label) : STEP_MPLS;
}

/* ---- PPP ---- */

enum step step_pppoe(struct machine *m)
{
	if (m->left < 6)
		return short_frame(m, 6);
	if (m->p[0] != 0x11 || m->p[1] != 0)
		return other_frame(m);
	m->link->pppoe_session = be16(m->p + 2);
	if (be16(m->p + 4) > m->wire - 6)
		odd(m, DECODE_BAD_LENGTH);
	limit(m, 6u + be16(m->p + 4));
	take(m, 6);
	return STEP_PPP;
}

/* Protocol numbers of PPP that lead on. */
static enum step ppp_protocol(struct machine *m, uint16_t number)
{
	switch (number) {
	case 0x0021:
		m->link->ethertype = m->link->ethertype ? m->link->ethertype : ETHERTYPE_IP4;
		return STEP_IP4;
	case 0x0057:
		m->link->ethertype = m->link->ethertype ? m->link->ethertype : ETHERTYPE_IP6;
		return STEP_IP6;
	case 0x0281:
	case 0x0283:
		return STEP_MPLS;
	default:
		return other_frame(m);
	}
}

/* Address and control may be left out, and the first byte of the protocol when it is 0 (RFC 1661).
 */
enum step step_ppp(struct machine *m)
{
	uint16_t number;

	if (m->left >= 2 && m->p[0] == 0xff && m->p[1] == 3)
		take(m, 2);
	if (m->left < 1)
		return too_short(m, 2);
	if (m->p[0] & 1) {
		number = m->p[0];
		take(m, 1);
		return ppp_protocol(m, number);
	}
	if (m->left < 2)
		return too_short(m, 2);
	number = be16(m->p);
	take(m, 2);
	return ppp_protocol(m, number);
}

enum step step_cisco_hdlc(struct machine *m)
{
	if (m->left < 4)
		return too_short(m, 4);
	m->ethertype = be16(m->p + 2);
	take(m, 4);
	return m->ethertype < ETHERTYPE_MIN ? other_frame(m) : STEP_ETHERTYPE;
}

/* PPP in HDLC-like framing, or Cisco's: the address tells. */
enum step step_ppp_hdlc(struct machine *m)
{
	if (m->left >= 1 && (m->p[0] == 0x0f || m->p[0] == 0x8f))
		return step_cisco_hdlc(m);
	return step_ppp(m);
}

/* One byte says sent or received; pppd writes it in place of the address. */
enum step step_ppp_direction(struct machine *m)
{
	if (m->left < 2)
		return too_short(m, 2);
	take(m, m->p[1] == 3 ? 2 : 1);
	return step_ppp(m);
}

/* ---- loopback ---- */

/* Numbers of address families: 2 is IPv4 everywhere, IPv6 differs among the systems. */
static enum step by_family(struct machine *m, uint32_t family)
{
	take(m, 4);
	switch (family) {
	case 2:
		return STEP_IP4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return STEP_IP6;
	default:
		if (family < ETHERTYPE_MIN || family > UINT16_MAX)
			return other_frame(m);
		m->ethertype = (uint16_t)family;
		return STEP_ETHERTYPE;
	}
}

/* In the byte order of the machine that captured. */
enum step step_null(struct machine *m)
{
	uint32_t family;

	if (m->left < 4)
		return too_short(m, 4);
	family = le32(m->p);
	return by_family(m, family > UINT16_MAX ? __builtin_bswap32(family) : family);
}

enum step step_loop(struct machine *m)
{
	if (m->left < 4)
		return too_short(m, 4);
	return by_family(m, be32(m->p));
}

/* ---- Linux cooked ---- */

#define ARPHRD_NETLINK 824
#define ARPHRD_RADIOTAP 803
#define ARPHRD_WIFI 801
#define ARPHRD_FRAD 770
#define SLL_OUTGOING 4 /* the kernel's type of a packet that was sent */
#define SLL_LLC 4      /* "protocol" of frames without ethertype: 802.2 */

/* Only the sender's address is in the header. */
static enum step cooked(struct machine *m, uint32_t header, uint16_t hardware, const uint8_t *addr,
			uint16_t addr_len, uint16_t protocol)
{
	if (addr_len == 6)
		m->link->src = addr;
	m->ethertype = protocol;
	take(m, header);
	switch (hardware) {
	case ARPHRD_RADIOTAP:
		return STEP_RADIOTAP;
	case ARPHRD_WIFI:
		return STEP_WIFI;
	case ARPHRD_NETLINK: /* protocol is a netlink family there */
	case ARPHRD_FRAD:
		return other_frame(m);
	default:
		break;
	}
	if (protocol == SLL_LLC)
		return STEP_LLC;
	return protocol < ETHERTYPE_MIN ? other_frame(m) : STEP_ETHERTYPE;
}

enum step step_sll(struct machine *m)
{
	const uint8_t *p = m->p;

	if (m->left < 16)
		return too_short(m, 16);
	/* no interface, but a forwarded packet is of several kinds: for us, for others, sent */
	m->ret->place = m->packet->place << 3 | (be16(p) & 7);
	return cooked(m, 16, be16(p + 2), p + 6, be16(p + 4), be16(p + 14));
}

enum step step_sll2(struct machine *m)
{
	const uint8_t *p = m->p;

	if (m->left < 20)
		return too_short(m, 20);
	m->ret->place = (m->packet->place << 16 ^ be32(p + 4)) << 1 | (p[10] == SLL_OUTGOING);
	return cooked(m, 20, be16(p + 8), p + 12, p[11], be16(p));
}
