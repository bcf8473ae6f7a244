/* SPDX-License-Identifier: MIT */
/*
 * The machine behind decode_packet(): a cursor over the bytes, and steps. Each step takes one
 * header and names the next one. Steps never look beyond `left`, which is what was captured; `wire`
 * is what there was on the wire by the lengths in the headers so far, and never less than `left`.
 */
#ifndef CAPTURE_DECODE_INTERNAL_H
#define CAPTURE_DECODE_INTERNAL_H

#include <stdlib.h>

#include "capture/bytes.h"
#include "capture/decode.h"

#define STEPS_MAX 64 /* headers of one packet, tags and extension headers included */

enum step {
	STEP_END,
	/* headers */
	STEP_ETHERNET,
	STEP_ETHERTYPE, /* what machine->ethertype says */
	STEP_LLC,
	STEP_IP, /* version by the first nibble */
	STEP_IP4,
	STEP_IP6,
	STEP_PROTOCOL, /* what machine->protocol says, for the current layer */
	STEP_MPLS,
	STEP_PPP,
	STEP_PPPOE,
	/* only as the first one of a link type */
	STEP_PPP_HDLC,
	STEP_PPP_DIRECTION,
	STEP_CISCO_HDLC,
	STEP_NULL,
	STEP_LOOP,
	STEP_SLL,
	STEP_SLL2,
	STEP_WIFI,
	STEP_RADIOTAP,
	STEP_PRISM,
	STEP_AVS,
	STEP_SUBFRAME, /* what stands beside a frame that is done */
	STEP_N,
};

struct machine {
	const uint8_t *p;
	uint32_t left, wire;
	uint16_t ethertype;
	uint8_t protocol;
	uint8_t tunnel;	 /* enum decode_tunnel: how the next layer is carried */
	uint8_t n_whole; /* datagrams that this packet completed */
	uint32_t tunnel_id;
	const struct packet *packet;
	struct decoder *decoder;
	struct decoded *ret;
	struct decoded_layer *layer; /* the current one; NULL = none yet */
	struct decoded_link *link;   /* for the next layer; stands in it already */
	struct decoded_link spare;   /* ... unless there is no room for one more */
	/* what stands beside the frame that is being decoded: the rest of an A-MSDU */
	const uint8_t *beside;
	uint32_t beside_left, beside_wire;
};

typedef enum step (*step_fn)(struct machine *m);

/* Takes n bytes, which are there. */
static inline void take(struct machine *m, uint32_t n)
{
	m->p += n;
	m->left -= n;
	m->wire -= n;
}

/* What follows is no more than `wire` bytes: the rest is padding, or a checksum. */
static inline void limit(struct machine *m, uint32_t wire)
{
	if (wire < m->wire)
		m->wire = wire;
	if (m->left > m->wire)
		m->left = m->wire;
}

/* A new layer behind the link that was read; NULL = no room (the layer before says so). */
struct decoded_layer *add_layer(struct machine *m);
/* The next layer, with a link of its own, is carried in this way. */
void begin_layer(struct machine *m, enum decode_tunnel tunnel, uint32_t id);
/* What follows belongs to a layer inside the current one. Returns next, or STEP_END in a fragment.
 */
enum step open_tunnel(struct machine *m, enum decode_tunnel tunnel, uint32_t id, enum step next);
/* The rest of the frame is not looked into: it is a conversation of its MAC addresses. */
enum step other_frame(struct machine *m);
/* The first subframe of an A-MSDU is at m->p. */
enum step step_subframe(struct machine *m);

static inline enum step odd(struct machine *m, uint16_t flags)
{
	if (m->layer)
		m->layer->flags |= flags;
	m->ret->flags |= flags;
	return STEP_END;
}

/* No layer can be made of what should be the next header: the frame still counts by its addresses.
 */
static inline enum step bad_frame(struct machine *m, uint16_t flags)
{
	if (m->link->src)
		other_frame(m);
	return odd(m, flags);
}

/* There are not enough bytes for a header: cut by the snapshot length, or too short on the wire. */
static inline enum step too_short(struct machine *m, uint32_t need)
{
	return odd(m, m->wire >= need ? DECODE_TRUNCATED : DECODE_BAD_LENGTH);
}

static inline enum step short_frame(struct machine *m, uint32_t need)
{
	return bad_frame(m, m->wire >= need ? DECODE_TRUNCATED : DECODE_BAD_LENGTH);
}

/* Lengths in a transport header are those of the datagram; a fragment has less. */
static inline bool is_part(const struct machine *m)
{
	return m->layer &&
	       (m->layer->flags & (DECODE_FRAGMENT | DECODE_REASSEMBLED)) == DECODE_FRAGMENT;
}

/* What is left is the payload of the current layer. */
static inline enum step set_payload(struct machine *m)
{
	m->layer->payload = m->left ? m->p : NULL;
	m->layer->payload_captured = m->left;
	m->layer->payload_wire = m->wire;
	return STEP_END;
}

/* A header behind the addresses of the current layer is not whole: no byte of payload is known. */
static inline enum step cut_header(struct machine *m, uint32_t need)
{
	m->layer->payload_wire = m->wire > need ? m->wire - need : 0;
	return too_short(m, need);
}

/* ---- link.c ---- */
enum step step_ethernet(struct machine *m);
enum step step_ethertype(struct machine *m);
enum step step_llc(struct machine *m);
enum step step_mpls(struct machine *m);
enum step step_pppoe(struct machine *m);
enum step step_ppp(struct machine *m);
enum step step_ppp_hdlc(struct machine *m);
enum step step_ppp_direction(struct machine *m);
enum step step_cisco_hdlc(struct machine *m);
enum step step_null(struct machine *m);
enum step step_loop(struct machine *m);
enum step step_sll(struct machine *m);
enum step step_sll2(struct machine *m);
/* An Ethernet header could stand at p: its ethertype is one that is decoded, or a length. */
bool link_is_ethernet(const uint8_t *p, uint32_t left);

/* ---- wifi.c ---- */
enum step step_wifi(struct machine *m);
enum step step_radiotap(struct machine *m);
enum step step_prism(struct machine *m);
enum step step_avs(struct machine *m);

/* ---- ip.c ---- */
enum step step_ip(struct machine *m);
enum step step_ip4(struct machine *m);
enum step step_ip6(struct machine *m);
enum step step_protocol(struct machine *m);
/* The datagram that an ICMP error quotes stands at m->p. */
void ip_take_quote(struct machine *m);
uint8_t ip_protocol_kind(uint8_t protocol); /* enum pv_proto */

/* ---- transport.c, tunnel.c: the header is at m->p, the layer is there with its addresses ---- */
enum step decode_tcp(struct machine *m);
enum step decode_udp(struct machine *m);
enum step decode_udplite(struct machine *m);
enum step decode_sctp(struct machine *m);
enum step decode_dccp(struct machine *m);
enum step decode_icmp(struct machine *m);
enum step decode_icmp6(struct machine *m);
enum step decode_arp(struct machine *m);
enum step decode_esp(struct machine *m);
enum step decode_ah(struct machine *m);
enum step decode_ipip(struct machine *m);
enum step decode_ip6ip(struct machine *m);
enum step decode_gre(struct machine *m);
enum step decode_etherip(struct machine *m);
enum step decode_ether_in_ip(struct machine *m);
enum step decode_mpls_in_ip(struct machine *m);
/* A tunnel in the payload of UDP, told by port and content; STEP_END = there is none. */
enum step decode_udp_tunnel(struct machine *m);

/* What tells conversations of a protocol apart, out of its first bytes: 1 = two ports (of ICMP: the
 * id, twice), 0 = the protocol has none, -1 = they are not there. */
int transport_ports(uint8_t protocol, const uint8_t *p, uint32_t left, uint16_t *ret_src,
		    uint16_t *ret_dst);

/* ---- fragments.c ---- */
struct fragment {
	uint32_t id, offset; /* bytes */
	bool more;
};
/* The bytes of a fragment are at m->p; goes on with the datagram as far as it can be decoded. */
enum step fragment_step(struct machine *m, const struct fragment *f);

#endif
