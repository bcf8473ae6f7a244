/* SPDX-License-Identifier: MIT */
/*
 * What a capture tells of a conversation beyond its ends: counts per direction, times, state at the
 * end, link layer. Plain data; it belongs to the snapshot of the conversation it hangs on.
 *
 * "Out" is from the initiator, whose end stands in `local` of the conversation; "in" is from the
 * responder. Times are nanoseconds since 1970 as the capture has them; a packet without one counts
 * as sent when the one before it was.
 */
#ifndef PORTAVOZ_FLOW_H
#define PORTAVOZ_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* How a TCP connection stood when the capture or the conversation ended, in Zeek's terms. */
enum pv_conn_state {
	PV_CONN_NONE,	/* the protocol has none */
	PV_CONN_S0,	/* SYN, no answer captured (UDP: nothing came back); see enum pv_ending */
	PV_CONN_S1,	/* established, not ended */
	PV_CONN_SF,	/* established and closed by both (UDP: both sent) */
	PV_CONN_REJ,	/* the SYN was answered by a reset */
	PV_CONN_S2,	/* established, the initiator closed, the responder did not */
	PV_CONN_S3,	/* established, the responder closed, the initiator did not */
	PV_CONN_RSTO,	/* established, reset by the initiator */
	PV_CONN_RSTR,	/* established, reset by the responder */
	PV_CONN_RSTOS0, /* SYN, then a reset by the initiator; no SYN-ACK seen */
	PV_CONN_RSTRH,	/* SYN-ACK, then a reset by the responder; no SYN seen */
	PV_CONN_SH,	/* SYN, then a FIN by the initiator; no SYN-ACK seen */
	PV_CONN_SHR,	/* SYN-ACK, then a FIN by the responder; no SYN seen (UDP: only it sent) */
	PV_CONN_OTH,	/* no SYN seen: the capture begins in the middle */
	PV_CONN_N,
};

/* How and by whom it was ended. */
enum pv_ending {
	PV_ENDING_NONE,	      /* the protocol has no end */
	PV_ENDING_UNANSWERED, /* nothing came, and the initiator acknowledged nothing */
	PV_ENDING_OPEN,
	PV_ENDING_REFUSED,
	PV_ENDING_CLOSED_LOCAL, /* both closed, the local end first */
	PV_ENDING_CLOSED_REMOTE,
	PV_ENDING_HALF_LOCAL, /* only the local end closed */
	PV_ENDING_HALF_REMOTE,
	PV_ENDING_RESET_LOCAL,
	PV_ENDING_RESET_REMOTE,
	PV_ENDING_N,
};

enum pv_tunnel {
	PV_TUNNEL_NONE,
	PV_TUNNEL_IP, /* IP in IP, 6in4, ... */
	PV_TUNNEL_GRE,
	PV_TUNNEL_ERSPAN,
	PV_TUNNEL_VXLAN,
	PV_TUNNEL_GENEVE,
	PV_TUNNEL_GTPU,
	PV_TUNNEL_TEREDO,
	PV_TUNNEL_MPLS,
	PV_TUNNEL_ETHERIP,
	PV_TUNNEL_AH,
	PV_TUNNEL_N,
};

/* Round trips between the capture and one end, microseconds; samples = 0: none measured. */
struct pv_flow_rtt {
	uint32_t samples;
	uint32_t min_us, mean_us, max_us;
};

/* One direction: what one end sent. */
struct pv_flow_side {
	uint64_t packets;
	uint64_t bytes;		   /* frames as they were on the wire, headers included */
	uint64_t payload;	   /* bytes behind the transport header */
	int64_t first_ns, last_ns; /* of its packets, when has_time */
	uint64_t lost;		   /* TCP: bytes that were skipped and never seen */
	uint32_t gaps;		   /* TCP: how often bytes were skipped */
	uint32_t retransmitted;	   /* TCP segments with bytes that were seen before, or too late */
	uint32_t out_of_order;	   /* TCP segments that filled a fresh gap */
	uint32_t zero_windows;	   /* TCP segments that closed the window */
	uint32_t resets;	   /* TCP segments with RST */
	uint8_t tcp_flags;	   /* every flag it sent */
	bool has_mac, has_handshake;
	bool has_time; /* the capture tells the time of a packet of it */
	uint8_t mac[6];
	uint32_t handshake_us;	/* TCP: from SYN to SYN-ACK (in), from SYN-ACK to ACK (out) */
	struct pv_flow_rtt rtt; /* TCP: after the handshake; how long this end took to ack */
};

/* A stretch of time (--bin). */
struct pv_flow_bin {
	int64_t start_ns;
	uint64_t out_packets, in_packets, out_bytes, in_bytes;
};

#define PV_FLOW_HISTORY_MAX 21

struct pv_flow {
	int64_t start_ns, end_ns; /* first and last packet, when a side has_time */
	struct pv_flow_side out, in;
	uint8_t conn_state; /* enum pv_conn_state */
	uint8_t ending;	    /* enum pv_ending */
	uint8_t ip_proto;   /* IANA protocol number; 0 = not over IP */
	uint8_t n_vlans;
	uint16_t vlans[2]; /* outer first */
	uint16_t ethertype;
	uint8_t tunnel;	  /* enum pv_tunnel: the innermost around it */
	bool is_inner;	  /* its packets were counted for the tunnel around it, too */
	bool has_overlap; /* fragments overlapped: its receiver may have read other bytes */
	bool has_tunnel_id;
	uint32_t tunnel_id; /* VNI, GRE key, session */
	/* of ICMP conversations: the request's */
	uint8_t icmp_type, icmp_code;
	/* ICMP errors that quoted a packet of it: how many, and the last one */
	uint32_t icmp_errors;
	uint8_t icmp_error_type, icmp_error_code;
	/* Zeek's letters, upper case from the initiator; ^ = the first sender is not the initiator
	 */
	char history[PV_FLOW_HISTORY_MAX + 2];
	const char *observed;		 /* protocol by content, or NULL */
	struct pv_bytes observed_detail; /* foreign bytes: what the protocol's own words tell */
	const char *contradiction;	 /* a sentence, or NULL */
	const struct pv_flow_bin *bins;	 /* n_bins stretches that have packets, in order */
	size_t n_bins;
};

const char *pv_conn_state_name(enum pv_conn_state state); /* "SF"; "none" */
const char *pv_ending_name(enum pv_ending ending);	  /* stable key: "closed_local" */
const char *pv_ending_text(enum pv_ending ending);	  /* "closed, first by the local end" */
const char *pv_tunnel_name(enum pv_tunnel tunnel);	  /* "vxlan" */

/*
 * Community ID version 1 with seed 0 (github.com/corelight/community-id-spec): "1:" and base64 of
 * a SHA-1 over addresses, protocol and ports. false when the conversation has none.
 */
#define PV_COMMUNITY_ID_MAX 31 /* with its NUL */
bool pv_conversation_community_id(const struct pv_conversation *conversation,
				  char ret_id[PV_COMMUNITY_ID_MAX]);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
