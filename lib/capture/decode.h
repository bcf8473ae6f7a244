/* SPDX-License-Identifier: MIT */
/*
 * A packet taken apart into its layers, outermost first, each a conversation of its own: a frame, a
 * tunnel, what is inside the tunnel, down to DECODE_LAYERS. The last layer is the innermost one
 * that was understood.
 *
 * decode_packet() reads no byte beyond packet->captured, whatever the bytes are, allocates nothing,
 * and has no state but the reassembly of fragments, which is bounded and optional. Pointers go into
 * the packet, or into the decoder where fragments were put together; they are valid as long as the
 * packet, and until the next call with that decoder.
 */
#ifndef CAPTURE_DECODE_H
#define CAPTURE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#include "capture/packet.h"

#define DECODE_LAYERS 8
#define DECODE_VLANS 4

/* What is odd about a layer. */
#define DECODE_TRUNCATED 0x0001	 /* captured bytes end before the headers do (snaplen) */
#define DECODE_BAD_LENGTH 0x0002 /* a length or offset in a header cannot be true */
#define DECODE_BAD_HEADER 0x0004 /* another field that cannot be true (version, reserved type) */
#define DECODE_FRAGMENT 0x0008	 /* a fragment of an IP datagram */
#define DECODE_LATER_FRAGMENT 0x0010 /* ... and not its first one */
/* a later fragment came before the first: ports are unknown; see held_packets */
#define DECODE_UNPLACED 0x0020
#define DECODE_REASSEMBLED 0x0040 /* this fragment completed the datagram; payload is all of it */
#define DECODE_OVERLAP 0x0080 /* fragments of this datagram overlap, which no sound sender does */
#define DECODE_NO_LENGTH                                                                           \
	0x0100 /* IPv4 total length or IPv6 payload length 0: segmentation offload */
#define DECODE_TOO_DEEP 0x0200	  /* carries more layers than are opened */
#define DECODE_ENCRYPTED 0x0400	  /* 802.11 protected, ESP: what is inside cannot be seen */
#define DECODE_TTL_EXPIRED 0x0800 /* TTL or hop limit is 0: no router may have forwarded it */
#define DECODE_MORE_LATER 0x1000  /* A-MSDU: further frames stand beside this one, not inside it */

enum decode_tunnel {
	DECODE_TUNNEL_NONE, /* the outermost layer */
	DECODE_TUNNEL_IPIP, /* IPv4 in IP, IPv6 in IP (6in4, 4in6) */
	DECODE_TUNNEL_GRE,
	DECODE_TUNNEL_ERSPAN,
	DECODE_TUNNEL_VXLAN,
	DECODE_TUNNEL_GENEVE,
	DECODE_TUNNEL_GTPU,
	DECODE_TUNNEL_TEREDO,
	DECODE_TUNNEL_MPLS, /* MPLS in UDP, GRE or IP; pseudowires: Ethernet in MPLS */
	DECODE_TUNNEL_ETHERIP,
	DECODE_TUNNEL_AH,    /* AH leaves what it protects in the clear */
	DECODE_TUNNEL_AMSDU, /* not inside the layer before, but beside it in one 802.11 frame */
	DECODE_TUNNEL_N,
};

/* The link header in front of a layer; a tunnel may bring another one. */
struct decoded_link {
	const uint8_t *src, *dst; /* 6 bytes each; NULL = there is none */
	uint16_t ethertype;	  /* of what follows; below 1536 = none (LLC) */
	uint16_t pppoe_session;
	uint32_t mpls_label;	     /* the outermost */
	uint8_t n_mpls;		     /* labels, 0 = none */
	uint8_t n_vlans;	     /* tags; more than DECODE_VLANS are counted, not kept */
	uint16_t vlan[DECODE_VLANS]; /* ids, outermost first */
};

#define DECODE_TCP_FIN 0x001
#define DECODE_TCP_SYN 0x002
#define DECODE_TCP_RST 0x004
#define DECODE_TCP_PSH 0x008
#define DECODE_TCP_ACK 0x010
#define DECODE_TCP_URG 0x020
#define DECODE_TCP_ECE 0x040
#define DECODE_TCP_CWR 0x080
#define DECODE_TCP_AE 0x100

#define DECODE_OPTION_MSS 0x01
#define DECODE_OPTION_WSCALE 0x02
#define DECODE_OPTION_SACK_PERMITTED 0x04
#define DECODE_OPTION_TIMESTAMPS 0x08
#define DECODE_OPTION_SACK 0x10
#define DECODE_OPTION_MPTCP 0x20
#define DECODE_OPTION_FASTOPEN 0x40

struct decoded_tcp {
	uint32_t seq, ack;
	uint16_t flags;	 /* DECODE_TCP_* */
	uint16_t window; /* not scaled */
	uint16_t mss;
	uint8_t options; /* DECODE_OPTION_*: which members below mean something */
	uint8_t wscale;
	uint8_t n_sacks;
	uint32_t ts_value, ts_echo;
	uint32_t sack[4][2]; /* left and right edge */
};

struct decoded_icmp {
	uint8_t type, code;
	bool has_id; /* request or reply of a kind that carries id and sequence */
	bool is_reply;
	uint16_t id, sequence;
};

struct decoded_arp {
	uint16_t operation;	  /* 1 request, 2 reply, ... */
	const uint8_t *sha, *tha; /* 6 bytes each, or NULL */
};

struct decoded_sctp {
	uint32_t tag;
	uint8_t chunk; /* type of the first chunk; 255 = none */
};

struct decoded_dccp {
	uint8_t type; /* 0 request, 1 response, ... */
};

struct decoded_layer {
	uint8_t family;		     /* AF_INET, AF_INET6; 0 = no addresses of a network layer */
	uint8_t proto;		     /* enum pv_proto */
	uint8_t tunnel;		     /* enum decode_tunnel: how the layer before carries this one */
	uint8_t ttl;		     /* or hop limit */
	uint16_t protocol;	     /* IP protocol number; for PV_PROTO_ETHER the ethertype */
	uint16_t flags;		     /* DECODE_TRUNCATED ... */
	const uint8_t *src, *dst;    /* 4 or 16 bytes; NULL when family is 0 */
	uint16_t src_port, dst_port; /* host order; ICMP echo: both the id; else 0 */
	uint32_t tunnel_id; /* VNI, TEID, GRE key, ERSPAN session, inner MPLS label; 0 = none */

	/* After the transport header (ICMP: after type, code, checksum). NULL = not captured. */
	const uint8_t *payload;
	uint32_t payload_captured; /* bytes at payload; of the whole datagram if DECODE_REASSEMBLED
				    */
	uint32_t payload_wire; /* bytes of payload this packet brought, by the headers' lengths */

	/* earlier DECODE_UNPLACED fragments of this datagram, whose ports this one tells */
	uint32_t held_packets;
	uint64_t held_bytes;   /* their packet->wire */
	uint64_t held_payload; /* their payload_wire */

	struct decoded_link link;
	union {
		struct decoded_tcp tcp;
		struct decoded_icmp icmp;
		struct decoded_arp arp;
		struct decoded_sctp sctp;
		struct decoded_dccp dccp;
		uint32_t spi; /* ESP, AH */
	};
};

/* The datagram that an ICMP error quotes, as its sender sent it. */
struct decoded_quote {
	uint8_t family, proto; /* family 0 = none, or too little of it */
	uint16_t protocol;
	const uint8_t *src, *dst;
	uint16_t src_port, dst_port;
	bool has_ports;
	uint8_t layer; /* index of the ICMP layer that quotes it */
};

struct decoded {
	uint8_t n_layers; /* 0 = nothing of this packet was understood */
	uint16_t flags;	  /* those of all layers */
	/* Where it was seen, interface and direction, as far as the capture tells: 0 is a place. */
	uint32_t place;
	struct decoded_quote quote;
	struct decoded_layer layers[DECODE_LAYERS];
};

/* Bounds of the reassembly. */
#define DECODE_FRAGMENT_DATAGRAMS 1024	   /* unfinished ones kept; then the oldest is given up */
#define DECODE_FRAGMENT_MEMORY (16U << 20) /* bytes of their payload */
#define DECODE_FRAGMENT_SECONDS 30	   /* by the packets' times; as Linux' ipfrag_time */

struct decoder_stats {
	uint64_t reassembled;	   /* datagrams completed */
	uint64_t given_up;	   /* datagrams never completed: too old, or no room */
	uint64_t overlapping;	   /* datagrams with overlapping fragments */
	uint64_t unplaced_packets; /* fragments whose first one never came, so far */
	uint64_t unplaced_bytes;   /* wire bytes of those */
};

struct decoder; /* the unfinished datagrams; one thread's */

int decoder_new(struct decoder **ret); /* 0 or -ENOMEM */
void decoder_free(struct decoder *d);  /* NULL is fine */
const struct decoder_stats *decoder_stats(const struct decoder *d);

/* Fills *ret; layers beyond n_layers are left as they were. d NULL = fragments stay fragments. */
void decode_packet(struct decoder *d, const struct packet *p, struct decoded *ret);

/* "vxlan"; never NULL. */
const char *decode_tunnel_name(enum decode_tunnel tunnel);
/* A name for a link type that is decoded ("ethernet"), or NULL: its packets are not understood. */
const char *decode_link_name(uint16_t link_type);
/* The link types that are decoded. */
size_t decode_n_link_types(void);
uint16_t decode_link_type(size_t i);

#endif
