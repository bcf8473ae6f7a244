/* SPDX-License-Identifier: MIT */
/*
 * The nouns: endpoint, conversation, process, holder. Plain data, no behaviour beyond naming.
 *
 * A conversation is a socket pair (or a listener, or any other socket) with its state, queues,
 * owners and names. All of its memory belongs to the snapshot it came from.
 */
#ifndef PORTAVOZ_CONVERSATION_H
#define PORTAVOZ_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Bytes that need not be text: process names, paths, command lines. Not NUL-terminated. */
struct pv_bytes {
	const char *data;
	uint32_t len;
};

enum pv_proto {
	PV_PROTO_TCP,
	PV_PROTO_MPTCP,
	PV_PROTO_UDP,
	PV_PROTO_UDPLITE,
	PV_PROTO_SCTP,
	PV_PROTO_DCCP,
	PV_PROTO_RAW,
	PV_PROTO_PING, /* SOCK_DGRAM + IPPROTO_ICMP[V6], the unprivileged ping socket */
	PV_PROTO_UNIX,
	PV_PROTO_PACKET,
	PV_PROTO_NETLINK,
	PV_PROTO_VSOCK,
	PV_PROTO_XDP,
	PV_PROTO_SOCKETS_N, /* the kinds above are kinds of socket; those below only captures show
			     */
	PV_PROTO_ICMP = PV_PROTO_SOCKETS_N,
	PV_PROTO_ICMP6,
	PV_PROTO_IGMP,
	PV_PROTO_GRE,
	PV_PROTO_ESP,
	PV_PROTO_AH,
	PV_PROTO_IPIP,	/* IPv4 in IP (protocol 4) */
	PV_PROTO_IP6IP, /* IPv6 in IP (protocol 41): 6in4, 6in6 */
	PV_PROTO_IP,	/* any other IP protocol, told by its number */
	PV_PROTO_ARP,
	PV_PROTO_ETHER, /* a frame of any other ethertype: MAC addresses only */
	PV_PROTO_N,
};
#define PV_PROTO_BIT(p) (UINT32_C(1) << (p))
#define PV_PROTO_ALL ((UINT32_C(1) << PV_PROTO_SOCKETS_N) - 1) /* every kind of socket */

/*
 * The kernel's own numbers (include/net/tcp_states.h). Sockets other than TCP, MPTCP, SCTP and DCCP
 * borrow ESTABLISHED (connected), CLOSE (unconnected) and LISTEN.
 */
enum pv_state {
	PV_STATE_UNKNOWN = 0,
	PV_STATE_ESTABLISHED = 1,
	PV_STATE_SYN_SENT = 2,
	PV_STATE_SYN_RECV = 3,
	PV_STATE_FIN_WAIT1 = 4,
	PV_STATE_FIN_WAIT2 = 5,
	PV_STATE_TIME_WAIT = 6,
	PV_STATE_CLOSE = 7,
	PV_STATE_CLOSE_WAIT = 8,
	PV_STATE_LAST_ACK = 9,
	PV_STATE_LISTEN = 10,
	PV_STATE_CLOSING = 11,
	PV_STATE_NEW_SYN_RECV = 12, /* a request socket; readers store it as SYN_RECV */
	PV_STATE_N,
};
#define PV_STATE_BIT(s) (UINT32_C(1) << (s))
#define PV_STATE_ALL ((UINT32_C(1) << PV_STATE_N) - 1)
/* every state but LISTEN and CLOSE: what ss calls "connected" and lists by default */
#define PV_STATE_CONNECTED                                                                         \
	(PV_STATE_ALL & ~(PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE)))

/* Which end opened the conversation, and the rule that decided it. */
enum pv_direction { PV_DIR_UNKNOWN, PV_DIR_INCOMING, PV_DIR_OUTGOING, PV_DIR_LISTEN, PV_DIR_N };
enum pv_direction_by {
	PV_BY_NONE,	/* no rule applied: direction is unknown */
	PV_BY_STATE,	/* the state itself: LISTEN, SYN_SENT (we opened), SYN_RECV (they did) */
	PV_BY_LISTENER, /* a listener (or unconnected server socket) holds the local port here */
	PV_BY_PEER_LISTENER, /* both ends are on this host and the other one has the listener */
	PV_BY_CONNTRACK,     /* connection tracking saw from which end the first packet came */
	PV_BY_PORTS, /* port evidence: one port is ephemeral on this host, the other is not */
	/* of captures */
	PV_BY_HANDSHAKE,    /* the packets that opened it: SYN, INIT, their answers */
	PV_BY_REQUEST,	    /* a request or its reply (ICMP, ARP) */
	PV_BY_OTHERS,	    /* other conversations with the same socket tell which end listens */
	PV_BY_FIRST_PACKET, /* datagrams: who sent first, where nothing else tells */
	PV_BY_N,
};

/* Why a socket has no owner to show, or a process lacks a detail. A gap without one is a bug. */
enum pv_reason {
	PV_REASON_NONE,		 /* nothing is missing */
	PV_REASON_NOT_ASKED,	 /* owners were not looked for */
	PV_REASON_TIME_WAIT,	 /* the process closed it; the kernel keeps the remains */
	PV_REASON_SYN_RECV,	 /* a half-open request: no process has it yet */
	PV_REASON_NOT_ACCEPTED,	 /* waits in a listener's accept queue */
	PV_REASON_ORPHAN,	 /* closed by its process; the kernel still delivers */
	PV_REASON_KERNEL,	 /* the kernel's own socket */
	PV_REASON_NO_PERMISSION, /* the process table could not be read in full */
	PV_REASON_HIDDEN_PID,	 /* /proc hides processes: hidepid, or another pid namespace */
	PV_REASON_NO_PROC,	 /* no /proc to look in */
	PV_REASON_GONE,		 /* exited or closed during listing */
	PV_REASON_NO_TABLE,	 /* no file table holds it: in flight, or an io_uring fixed file */
	PV_REASON_THREAD_TABLES, /* not found in leaders' file tables; threads' were not looked at
				  */
	PV_REASON_UNTRUSTED,	 /* a text table names its inode twice */
	PV_REASON_BUSY,		 /* the process answered no read of its memory in time */
	PV_REASON_NOT_RECORDED,	 /* the replayed recording does not hold it */
	PV_REASON_LIMIT,	 /* a resource limit (descriptors, memory) stopped the search */
	PV_REASON_NO_SOURCE,	 /* the way to find owners that was asked for is not there */
	PV_REASON_CAPTURE,	 /* packets do not tell; a joined listing could */
	PV_REASON_NO_MATCH,	 /* no socket that was listed is this end of the conversation */
	PV_REASON_AMBIGUOUS,	 /* several sockets that were listed fit equally well */
	PV_REASON_N,
};

/*
 * One end. Which members mean something depends on the protocol:
 *   inet     addr (4 or 16 bytes, network order), port (host order, 0 = any)
 *   unix     port unused; names are in pv_conversation
 *   packet   port = ethertype (local)
 *   netlink  port = port id, local only; addr unused
 *   vsock    addr[0..3] = CID (host order uint32), port
 */
struct pv_endpoint {
	uint8_t addr[16];
	uint32_t port;
};

/* Timers as inet_diag numbers them (idiag_timer). */
enum pv_timer {
	PV_TIMER_OFF,
	PV_TIMER_ON,
	PV_TIMER_KEEPALIVE,
	PV_TIMER_TIMEWAIT,
	PV_TIMER_PROBE,
	PV_TIMER_N
};

struct pv_detail;
struct pv_flow;

struct pv_conversation {
	uint64_t cookie; /* socket cookie: with netns the identity; 0 = the source gave none */
	struct pv_endpoint local, remote;
	uint32_t netns;		 /* index for pv_snapshot_netns() */
	uint32_t inode;		 /* 0 = no struct file: no process can hold it */
	uint32_t uid;		 /* UINT32_MAX = the kernel tells none */
	uint32_t recv_q, send_q; /* bytes; for a listener: waiting connections, and the backlog */
	uint32_t ifindex;	 /* bound device or scope; 0 = none */
	uint32_t mark;
	uint32_t timer_ms;		  /* until the timer fires */
	uint32_t first_holder, n_holders; /* pv_snapshot_holder() */
	uint32_t peer;	     /* 1 + index of the other end's conversation on this host; 0 = none */
	uint32_t peer_inode; /* unix: inode of the other end; 0 = none */
	uint8_t family;	     /* AF_* */
	uint8_t proto;	     /* enum pv_proto */
	uint8_t state;	     /* enum pv_state */
	uint8_t type;	     /* SOCK_* */
	uint8_t protocol;    /* RAW, IP: IP protocol; NETLINK: NETLINK_* ; else 0 */
	uint8_t timer;	     /* enum pv_timer */
	uint8_t retrans;     /* probes or retransmissions of that timer */
	uint8_t direction, direction_by; /* enum pv_direction, enum pv_direction_by */
	uint8_t owner_reason;		 /* enum pv_reason; PV_REASON_NONE when n_holders > 0 */
	uint8_t shutdown;		 /* bit 0: receive side shut, bit 1: send side shut */
	uint8_t flags;			 /* PV_CONV_* */
	uint8_t verdict;		 /* enum pv_verdict, with PV_NEED_VERDICT (judge.h) */
	uint8_t exposure;		 /* enum pv_exposure (exposure.h) */
	/* facts the verdict should rest on could not be had; a finding says which */
	bool verdict_is_partial;
	uint16_t n_findings;
	uint32_t first_finding; /* pv_snapshot_finding() */
	uint32_t relation;	/* pv_snapshot_translation() and its kind (exposure.h); 0 = none */
	uint32_t references; /* unix, from the text table: users of the kernel's socket; else 0 */
	const struct pv_detail *detail; /* NULL unless asked for and given by the kernel */
	const struct pv_bytes
		*path; /* unix: name as the kernel holds it (abstract: leading NUL); or NULL */
	const char *remote_name;    /* host name of the remote address, or NULL */
	const struct pv_flow *flow; /* <portavoz/flow.h>: what a capture tells; NULL = a socket */
};

#define PV_CONV_KERNEL 0x01 /* the kernel made this socket for itself (sk_kern_sock) */
#define PV_CONV_V6ONLY 0x02 /* IPV6_V6ONLY known to be set */
#define PV_CONV_V6ONLY_KNOWN 0x04
#define PV_CONV_INODE_TWICE                                                                        \
	0x08 /* a text table named this inode twice: owner is not to be trusted */
#define PV_CONV_TLS                                                                                \
	0x10 /* the kernel encrypts it, told by its ULP (Linux 4.13; sock_diag with CAP_NET_ADMIN) \
	      */

/* struct tcp_info as of Linux 6.18 (include/uapi/linux/tcp.h), 280 bytes; shorter ones are
 * zero-filled. */
struct pv_tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options;
	uint8_t wscale;	     /* low nibble: send, high nibble: receive */
	uint8_t app_limited; /* bit 0: delivery_rate is app limited; bits 1-2: fastopen_client_fail
			      */
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv; /* ms ago */
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss,
		reordering; /* rtt in us */
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received; /* rates in bytes/s */
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited; /* times in us */
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
	uint32_t received_ce, delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;
	uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes;
	uint16_t accecn_fail_mode, accecn_opt_seen;
};

#define PV_DETAIL_TCP 0x01
#define PV_DETAIL_MEM 0x02
#define PV_DETAIL_CONG 0x04
#define PV_DETAIL_TOS 0x08
#define PV_DETAIL_CGROUP 0x10

/* What costs an attribute a socket; `present` says which members the kernel gave. */
struct pv_detail {
	uint32_t present; /* PV_DETAIL_* */
	uint16_t tcp_len; /* bytes of tcp_info the kernel sent */
	uint8_t tos, tclass;
	uint32_t class_id;
	uint32_t mem[9]; /* SK_MEMINFO_*: rmem_alloc rcvbuf wmem_alloc sndbuf fwd_alloc wmem_queued
			    optmem backlog drops */
	char congestion[16];
	uint64_t cgroup_id;
	struct pv_tcp_info tcp;
	/*
	 * With PV_NEED_ATTRIBUTES: what the kernel's sock_diag sent beside the fixed part, whole
	 * and as it came (struct nlattr after struct nlattr); pv_detail_attribute() looks in it.
	 */
	const void *attributes;
	uint32_t attributes_len;
};
/*
 * The attribute of that number (INET_DIAG_..., UNIX_DIAG_... of linux/inet_diag.h and its kind) and
 * its length; NULL = the kernel sent none, or none was asked for. The bytes are the kernel's own
 * structures and may be shorter or longer than those of the headers; they are aligned to 4 bytes.
 */
const void *pv_detail_attribute(const struct pv_detail *detail, uint16_t type, size_t *ret_len);

/* A process that holds sockets. Members beyond pid and comm are filled when asked for (PV_NEED_*).
 */
struct pv_process {
	int32_t pid;	      /* in the pid namespace of the reader */
	uint32_t uid;	      /* effective user id; UINT32_MAX = not read */
	uint64_t start_ticks; /* start time, clock ticks since boot (/proc/PID/stat field 22); 0 =
				 not read */
	struct pv_bytes comm, exe, cmdline; /* cmdline: arguments separated by NUL */
	struct pv_bytes cgroup; /* path in the unified hierarchy, else in name=systemd */
	/* systemd unit, or empty; one of a user's own manager is "user@UID.service/NAME" */
	struct pv_bytes unit;
	struct pv_bytes
		runtime; /* docker, podman, containerd, crio, lxc, systemd-nspawn; or empty */
	struct pv_bytes container; /* container id or machine name, likewise; or empty */
	uint8_t reason;		   /* enum pv_reason: why details are missing */
	uint8_t known;		   /* PV_PROCESS_*: which of the members below were read */
	int32_t ppid;		   /* 0 = it has no parent in this pid namespace */
	/* 1 + index for pv_snapshot_process(), 0 = not known, or none; a forged recording may form
	 * a ring */
	uint32_t parent;
	/* sd_listen_fds(3): sockets that were open when the program began */
	int32_t listen_pid;	      /* for whom they were meant; 0 = no such variable */
	uint32_t listen_fds;	      /* how many, descriptors 3 and following */
	struct pv_bytes listen_names; /* their names, with ":" between them */
	/* the executable itself, wherever its path leads to now; with PV_PROCESS_EXE */
	uint64_t exe_device, exe_inode;
	uint32_t exe_links, exe_uid;
	/* LD_PRELOAD and LD_AUDIT of its environment: "NAME=value" ended by NUL each */
	struct pv_bytes preload;
};

#define PV_PROCESS_PARENT 0x01 /* ppid */
#define PV_PROCESS_LISTEN 0x02 /* listen_*, preload */
#define PV_PROCESS_EXE 0x04    /* exe_* */
#define PV_PROCESS_KERNEL 0x08 /* it is a thread of the kernel */
#define PV_PROCESS_STAT 0x10   /* whether it is one of the kernel's was read */

struct pv_holder {
	uint32_t process; /* index for pv_snapshot_process() */
	int32_t fd;
};

/* Names <-> enums. _name functions never return NULL; _parse functions return 0 or -ENOENT. */
const char *pv_proto_name(enum pv_proto proto);
/* "ESTABLISHED"; CLOSE of a socket kind without a state machine (UDP, RAW, UNIX...) is
 * "UNCONNECTED" */
const char *pv_state_name(enum pv_proto proto, enum pv_state state);
const char *pv_direction_name(enum pv_direction direction);
const char *pv_direction_by_name(enum pv_direction_by by);
const char *pv_reason_name(enum pv_reason reason); /* stable key for machines: "time_wait" */
const char *pv_reason_text(enum pv_reason reason); /* a clause for people */
const char *pv_timer_name(enum pv_timer timer);
/* true for protocols whose endpoints are IP address + port (RAW and PING: address + protocol
 * number; ICMP to IP: the address alone matters) */
bool pv_proto_is_inet(enum pv_proto proto);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
