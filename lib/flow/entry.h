/* SPDX-License-Identifier: MIT */
/*
 * What the table keeps of a live conversation: 384 bytes, laid out so that a packet touches three
 * cache lines, the key's and the hot half of either side. Sides are 0 and 1 in the order of the
 * key; who opened the conversation is decided when it is read, never by the layout.
 */
#ifndef FLOW_ENTRY_H
#define FLOW_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <portavoz/flow.h>

#include "observe/observe.h"

#define FLOW_NO_VLAN UINT16_MAX
#define FLOW_NONE UINT32_MAX /* no entry, no bin, no gap */
#define FLOW_NO_SIDE 2
#define FLOW_ARP_MAC 8 /* where in addr[0] of a key for ARP the asking one's address stands */

/* Identity. Of the two ends the smaller one (address, then port) is side 0. Compared as bytes. */
struct flow_key {
	uint8_t addr[2][16]; /* 4, 16 or 6 (MAC) bytes, the rest zero */
	uint16_t port[2]; /* ICMP with an id: both the id; a frame without IP: both the ethertype */
	uint16_t vlan[2]; /* outer first; FLOW_NO_VLAN */
	uint32_t tunnel;  /* a hash of the tunnels around it; 0 = none */
	uint8_t family;	  /* AF_INET, AF_INET6, AF_PACKET */
	uint8_t proto;	  /* enum pv_proto */
	uint8_t protocol; /* IP protocol number */
	uint8_t kind;	  /* ICMP: type of the request */
};
_Static_assert(sizeof(struct flow_key) == 48, "no padding: keys are compared as bytes");

/* What a side has done, in flow_half.state. */
#define FLOW_DID_SYN 0x01     /* SYN without ACK */
#define FLOW_DID_SYN_ACK 0x02 /* SYN with ACK */
#define FLOW_DID_FIN 0x04
#define FLOW_DID_RST 0x08
#define FLOW_HAS_SEQ 0x10	/* next_seq and isn mean something */
#define FLOW_HAS_HANDSHAKE 0x40 /* its first round trip was measured */
#define FLOW_ZERO_WINDOW 0x80	/* its last segment closed the window */

/* In flow_half.notes, above the letters. */
#define FLOW_HAS_TIME 0x8000   /* a packet of it had a time of its own */
#define FLOW_HAS_SAMPLE 0x4000 /* a round trip is being measured */
#define FLOW_DID_ACK 0x2000    /* acknowledged, not with SYN or RST: the other end had sent */

struct flow_half {
	uint64_t packets, bytes, payload;
	int64_t last;	     /* ns */
	int64_t sample_time; /* when the bytes before sample_seq were sent, if FLOW_HAS_SAMPLE */
	uint32_t sample_seq;
	uint32_t next_seq; /* behind the highest byte it sent */
	uint32_t isn;	   /* of its SYN; one before the first byte seen when there was none */
	uint32_t zero_windows;
	uint16_t resets;
	uint16_t notes; /* history letters it has had, and FLOW_HAS_TIME, ... */
	uint8_t tcp_flags;
	uint8_t state; /* FLOW_DID_*, FLOW_HAS_* */
	/* of half 0 only, and of the whole entry: kept where each packet looks anyway */
	uint8_t entry_flags; /* FLOW_ENTRY_* */
	/* sides, or FLOW_NO_SIDE: who sent first, opened, sent the first FIN, the first RST */
	uint8_t first_sender : 2, opener : 2, closer : 2, resetter : 2;
};
_Static_assert(sizeof(struct flow_half) == 64, "one cache line");

struct flow_hole {
	uint32_t start, end; /* sequence numbers; equal = nothing is missing */
	uint32_t time;	     /* when it was seen: microseconds, the low 32 bits */
};

struct flow_cold {
	int64_t first; /* ns */
	uint64_t lost;
	uint64_t rtt_sum_us;
	uint32_t rtt_samples, rtt_min_us, rtt_max_us;
	uint32_t handshake_us;
	struct flow_hole newest; /* of its gaps */
	uint32_t gaps, retransmitted, out_of_order;
};
_Static_assert(sizeof(struct flow_cold) == 64, "one cache line");

#define FLOW_ENTRY_LIVE 0x01	 /* in the hash */
#define FLOW_ENTRY_FINISHED 0x02 /* out of the hash, waits to be read */
#define FLOW_ENTRY_EVICTED 0x04	 /* left for want of memory */
#define FLOW_ENTRY_CLOSED 0x08	 /* both FINs came before any RST */
#define FLOW_ENTRY_HAS_MAC 0x10
#define FLOW_ENTRY_HAS_TUNNEL_ID 0x20
#define FLOW_ENTRY_OVERLAP 0x40 /* fragments of its datagrams overlapped */
#define FLOW_ENTRY_WAITING 0x80 /* live: a SYN waits in `next`; not live: it is that SYN */

struct flow_entry {
	struct flow_key key;
	struct observe_state observe;
	struct flow_half half[2];
	struct flow_cold cold[2];
	uint8_t mac[2][6];
	uint32_t place0 : 12, place1 : 12; /* where each side is counted, see flow_ref */
	uint32_t tunnel : 8;		   /* enum decode_tunnel */
	uint8_t n_history;
	uint8_t opened_by;		      /* enum pv_direction_by */
	uint8_t icmp_type, icmp_code;	      /* of the first packet */
	uint8_t error_type, error_code;	      /* of the last ICMP error that quoted it */
	uint8_t history[PV_FLOW_HISTORY_MAX]; /* letter | side << 7 */
	uint32_t tunnel_id;
	uint32_t icmp_errors;
	uint32_t last_bin; /* of a ring of the table's bins, the first is behind it; or FLOW_NONE */
	uint32_t gaps;	   /* list of the table's: those before the newest; or FLOW_NONE */
	/* in the list of the free or finished ones; of a live one its FLOW_ENTRY_WAITING */
	uint32_t next;
};
_Static_assert(sizeof(struct flow_entry) == 384, "what a conversation costs");

/*
 * With the key its identity: its sender's first packet. Should a packet of an earlier time come
 * behind it, it becomes another one, and owners are asked for anew.
 */
static inline int64_t flow_entry_start(const struct flow_entry *e)
{
	return e->cold[e->half[0].first_sender].first;
}

static inline int64_t flow_entry_last(const struct flow_entry *e)
{
	return e->half[0].last > e->half[1].last ? e->half[0].last : e->half[1].last;
}

/* By the packets' times, which need not come in order. */
static inline int64_t flow_entry_first(const struct flow_entry *e)
{
	unsigned side = e->half[0].first_sender;

	if (e->half[!side].packets && e->cold[!side].first < e->cold[side].first)
		side = !side;
	return e->cold[side].first;
}

#endif
