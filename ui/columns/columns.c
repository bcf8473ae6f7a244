/* SPDX-License-Identifier: MIT */
/*
 * The registry of columns. A row here is all that a new column needs besides its getter: writers,
 * sorting, --columns, help and the manual's check follow.
 */
#include <stddef.h>
#include <string.h>

#include "ui/columns/columns-internal.h"

#define PARTS(...)                                                                                 \
	(const uint8_t[])                                                                          \
	{                                                                                          \
		__VA_ARGS__, COLUMN_END                                                            \
	}
#define SIZE_OF(type, member) sizeof(((struct type *)0)->member)
#define SOCKET_FIELD(member)                                                                       \
	.type = COLUMN_NUMBER, .get = column_get_field,                                            \
	.field = { offsetof(struct pv_conversation, member), SIZE_OF(pv_conversation, member), 0 }
/* `end`: where the member ends in struct tcp_info of linux/tcp.h */
#define TCP_FIELD(member, end)                                                                     \
	.needs = PV_NEED_TCPINFO, .flags = COLUMN_RIGHT,                                           \
	.field = { offsetof(struct pv_tcp_info, member), SIZE_OF(pv_tcp_info, member), end }
#define TCP_NUMBER(member, end) .type = COLUMN_NUMBER, .get = column_get_tcp, TCP_FIELD(member, end)
#define TCP_US(member, end) .type = COLUMN_US, .get = column_get_tcp, TCP_FIELD(member, end)
#define TCP_MS(member, end) .type = COLUMN_MS, .get = column_get_tcp, TCP_FIELD(member, end)
#define TCP_US_AS_MS(member, end)                                                                  \
	.type = COLUMN_MS, .get = column_get_tcp_ms, TCP_FIELD(member, end)
#define MEM_FIELD(index)                                                                           \
	.type = COLUMN_NUMBER, .needs = PV_NEED_MEM, .flags = COLUMN_RIGHT, .get = column_get_mem, \
	.field = { offsetof(struct pv_detail, mem) + 4 * (index), 4, 0 }

#define FLOW_FIELD(member)                                                                         \
	.field = { offsetof(struct pv_flow, member), sizeof(((struct pv_flow *)0)->member), 0 }
#define FLOW_NUMBER(member)                                                                        \
	.type = COLUMN_NUMBER, .flags = COLUMN_FLOW | COLUMN_RIGHT, .get = column_get_flow,        \
	FLOW_FIELD(member)
#define FLOW_TCP(member)                                                                           \
	.type = COLUMN_NUMBER, .flags = COLUMN_FLOW | COLUMN_RIGHT, .get = column_get_flow_tcp,    \
	FLOW_FIELD(member)

static enum column_tint tint_state(const struct pv_conversation *c)
{
	switch ((enum pv_state)c->state) {
	case PV_STATE_ESTABLISHED:
		return TINT_GOOD;
	case PV_STATE_LISTEN:
		return TINT_LISTEN;
	case PV_STATE_TIME_WAIT:
		return TINT_FAINT;
	case PV_STATE_CLOSE:
		return TINT_NONE;
	default:
		return TINT_WARN;
	}
}

static enum column_tint tint_direction(const struct pv_conversation *c)
{
	static const enum column_tint tints[PV_DIR_N] = {
		[PV_DIR_UNKNOWN] = TINT_FAINT,
		[PV_DIR_INCOMING] = TINT_WARN,
		[PV_DIR_OUTGOING] = TINT_GOOD,
		[PV_DIR_LISTEN] = TINT_LISTEN,
	};

	return c->direction < PV_DIR_N ? tints[c->direction] : TINT_NONE;
}

static enum column_tint tint_process(const struct pv_conversation *c)
{
	if (c->n_holders || c->owner_reason == PV_REASON_NONE)
		return TINT_NONE;
	switch ((enum pv_reason)c->owner_reason) {
	case PV_REASON_NO_PERMISSION:
	case PV_REASON_HIDDEN_PID:
	case PV_REASON_NO_PROC:
	case PV_REASON_GONE:
		return TINT_WARN;
	case PV_REASON_NO_TABLE:
	case PV_REASON_THREAD_TABLES:
		return TINT_BAD;
	default:
		return TINT_FAINT;
	}
}

#define NAT_NEEDS (PV_NEED_PEER | PV_NEED_NAT)

static enum column_tint tint_exposure(const struct pv_conversation *c)
{
	switch ((enum pv_exposure)c->exposure) {
	case PV_EXPOSURE_ANY:
	case PV_EXPOSURE_PUBLISHED:
		return TINT_WARN;
	case PV_EXPOSURE_LOOPBACK:
		return TINT_GOOD;
	default:
		return TINT_NONE;
	}
}

static const struct column registry[COLUMN_END] = {
	[COL_PROTO] = { "proto", "PROTO",
			"Protocol: tcp, mptcp, udp, udplite, sctp, dccp, raw, ping, unix, packet, "
			"netlink, vsock, xdp.",
			COLUMN_TEXT, .get = column_get_proto },
	[COL_FAMILY] = { "family", "FAMILY",
			 "Address family: inet, inet6, unix, packet, netlink, vsock, xdp.",
			 COLUMN_TEXT, .get = column_get_family },
	[COL_TYPE] = { "type", "TYPE", "Socket type: stream, dgram, raw, rdm, seqpacket, dccp.",
		       COLUMN_TEXT, .get = column_get_type },
	[COL_PROTOCOL] = { "protocol", "PROTOCOL",
			   "IP protocol number of a raw socket, netlink family number.",
			   COLUMN_NUMBER, .flags = COLUMN_RIGHT, .get = column_get_protocol },
	[COL_STATE] = { "state", "STATE",
			"State: ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, "
			"CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING; UNCONNECTED for sockets "
			"without a state machine.",
			COLUMN_TEXT, .flags = COLUMN_SHORT, .min = 6, .get = column_get_state,
			.put = column_put_state, .tint = tint_state },
	[COL_LOCAL_ADDR] = { "local_addr", "LOCAL-ADDR",
			     "Local address, always numeric; for vsock the context id.",
			     COLUMN_ADDRESS, .min = 12, .get = column_get_local_addr },
	[COL_LOCAL_PORT] = { "local_port", "LOCAL-PORT",
			     "Local port; for packet sockets the ethertype, for netlink the port "
			     "id, for raw ones the protocol.",
			     COLUMN_NUMBER, .flags = COLUMN_RIGHT, .get = column_get_local_port },
	[COL_LOCAL_SERVICE] = { "local_service", "LOCAL-SERVICE",
				"Registered name of the local port's number, used as such or not.",
				COLUMN_TEXT, .get = column_get_local_service },
	[COL_LOCAL_GROUP] = { "local_group", "LOCAL-GROUP",
			      "IANA group of the local port: well-known, registered, dynamic.",
			      COLUMN_TEXT, .get = column_get_local_group },
	[COL_LOCAL_EPHEMERAL] = { "local_ephemeral", "LOCAL-EPHEMERAL",
				  "Whether the local port is in the range this host picks source "
				  "ports from.",
				  COLUMN_BOOL, .get = column_get_local_ephemeral },
	[COL_REMOTE_ADDR] = { "remote_addr", "REMOTE-ADDR",
			      "Remote address, always numeric; for vsock the context id.",
			      COLUMN_ADDRESS, .min = 12, .get = column_get_remote_addr },
	[COL_REMOTE_PORT] = { "remote_port", "REMOTE-PORT", "Remote port; 0 when unconnected.",
			      COLUMN_NUMBER, .flags = COLUMN_RIGHT, .get = column_get_remote_port },
	[COL_REMOTE_SERVICE] = { "remote_service", "REMOTE-SERVICE",
				 "Registered name of the remote port's number, used as such or "
				 "not.",
				 COLUMN_TEXT, .get = column_get_remote_service },
	[COL_REMOTE_GROUP] = { "remote_group", "REMOTE-GROUP",
			       "IANA group of the remote port: well-known, registered, dynamic.",
			       COLUMN_TEXT, .get = column_get_remote_group },
	[COL_REMOTE_EPHEMERAL] = { "remote_ephemeral", "REMOTE-EPHEMERAL",
				   "Whether the remote port is in the range this host picks source "
				   "ports from.",
				   COLUMN_BOOL, .get = column_get_remote_ephemeral },
	[COL_REMOTE_NAME] = { "remote_name", "REMOTE-NAME",
			      "Host name of the remote address as the DNS claims it.", COLUMN_NAME,
			      PV_NEED_NAMES, .min = 12, .get = column_get_remote_name },
	[COL_PATH] = { "path", "PATH",
		       "Name of a unix socket as the kernel holds it; an abstract one begins with "
		       "a NUL.",
		       COLUMN_NAME, .min = 12, .get = column_get_path },
	[COL_INTERFACE] = { "interface", "INTERFACE", "Interface it is bound to.", COLUMN_NAME,
			    .min = 6, .get = column_get_interface },
	[COL_IFINDEX] = { "ifindex", "IFINDEX", "Number of that interface.", SOCKET_FIELD(ifindex),
			  .flags = COLUMN_RIGHT | COLUMN_ZERO },
	[COL_V6ONLY] = { "v6only", "V6ONLY", "Whether an IPv6 socket refuses IPv4, when known.",
			 COLUMN_BOOL, .get = column_get_v6only },
	[COL_SERVICE] = { "service", "SERVICE",
			  "Service of the conversation: registered name of the listening end's "
			  "port.",
			  COLUMN_TEXT, PV_NEED_DIRECTION, .min = 7, .drop = 80,
			  .get = column_get_service },
	[COL_DIRECTION] = { "direction", "DIR",
			    "Which end opened it: incoming, outgoing, listen, unknown. In the "
			    "table <- -> <* and ?.",
			    COLUMN_TEXT, PV_NEED_DIRECTION, .get = column_get_direction,
			    .put = column_put_direction, .tint = tint_direction },
	[COL_DIRECTION_BY] = { "direction_by", "DIRECTION-BY",
			       "The rule that decided the direction: state, listener, "
			       "peer_listener, conntrack, ports, none.",
			       COLUMN_TEXT, PV_NEED_DIRECTION, .get = column_get_direction_by },

	[COL_RECV_Q] = { "recv_q", "RECV-Q",
			 "Bytes the process has not read; for a listener the waiting connections.",
			 SOCKET_FIELD(recv_q), .flags = COLUMN_RIGHT },
	[COL_SEND_Q] = { "send_q", "SEND-Q",
			 "Bytes the other end has not acknowledged; for a listener the backlog.",
			 SOCKET_FIELD(send_q), .flags = COLUMN_RIGHT },
	[COL_UID] = { "uid", "UID", "User id of the socket, where the kernel tells it.",
		      COLUMN_NUMBER, .flags = COLUMN_RIGHT, .get = column_get_uid },
	[COL_USER] = { "user", "USER", "Login name of that user, when there is one.", COLUMN_NAME,
		       .min = 8, .get = column_get_user },
	[COL_INODE] = { "inode", "INODE", "Inode of the socket; none when no process can hold it.",
			SOCKET_FIELD(inode), .flags = COLUMN_RIGHT | COLUMN_ZERO },
	[COL_COOKIE] = { "cookie", "COOKIE",
			 "Socket cookie: with netns the identity of the socket.",
			 SOCKET_FIELD(cookie), .flags = COLUMN_RIGHT | COLUMN_ZERO },
	[COL_NETNS] = { "netns", "NETNS", "Inode of the network namespace.", COLUMN_NUMBER,
			.flags = COLUMN_RIGHT, .get = column_get_netns },
	[COL_NETNS_NAME] = { "netns_name", "NETNS",
			     "Name of the network namespace: that of ip-netns, its container, or "
			     "\"pid N\".",
			     COLUMN_NAME, .min = 8, .get = column_get_netns_name,
			     .put = column_put_netns_name },
	[COL_MARK] = { "mark", "MARK", "Firewall mark (SO_MARK).", SOCKET_FIELD(mark),
		       .needs = PV_NEED_SOCKCGROUP, .flags = COLUMN_RIGHT },
	[COL_SHUTDOWN] = { "shutdown", "SHUTDOWN",
			   "Sides that were shut down: none, receive, send, both.", COLUMN_TEXT,
			   .get = column_get_shutdown },
	[COL_TOS] = { "tos", "TOS", "Type of service, or traffic class of IPv6.", COLUMN_NUMBER,
		      PV_NEED_SOCKCGROUP, COLUMN_RIGHT, .get = column_get_tos },
	[COL_CGROUP_ID] = { "cgroup_id", "CGROUP-ID", "Cgroup id of the socket.", COLUMN_NUMBER,
			    PV_NEED_SOCKCGROUP, COLUMN_RIGHT, .get = column_get_cgroup_id },
	[COL_TIMER] = { "timer", "TIMER", "Running timer: off, on, keepalive, timewait, probe.",
			COLUMN_TEXT, PV_NEED_TIMER, .get = column_get_timer },
	[COL_TIMER_MS] = { "timer_ms", "TIMER-MS", "Milliseconds until it fires.", COLUMN_MS,
			   PV_NEED_TIMER, COLUMN_RIGHT, .get = column_get_timer_ms },
	[COL_RETRANS] = { "retrans", "RETRANS", "How often that timer fired in a row.",
			  SOCKET_FIELD(retrans), .needs = PV_NEED_TIMER, .flags = COLUMN_RIGHT },

	[COL_OWNERS] = { "owners", "OWNERS",
			 "Every process that holds the socket: in JSON objects with pid, fd, comm, "
			 "start_ticks and whatever else was asked for; as text pid/fd/comm.",
			 COLUMN_OWNERS, PV_NEED_OWNERS, .min = 12, .get = column_get_owners,
			 .tint = tint_process },
	[COL_OWNER_REASON] = { "owner_reason", "OWNER-REASON",
			       "Why there is no owner: not_asked, time_wait, syn_recv, "
			       "not_accepted, orphan, kernel, no_permission, hidden_pid, no_proc, "
			       "gone, no_table, thread_tables, untrusted, not_recorded, "
			       "limit, no_source.",
			       COLUMN_TEXT, PV_NEED_OWNERS, .get = column_get_owner_reason,
			       .tint = tint_process },
	[COL_PID] = { "pid", "PID", "Process id of the first owner.", COLUMN_NUMBER, PV_NEED_OWNERS,
		      COLUMN_RIGHT, .get = column_get_pid },
	[COL_FD] = { "fd", "FD", "Its file descriptor.", COLUMN_NUMBER, PV_NEED_OWNERS,
		     COLUMN_RIGHT, .get = column_get_fd },
	[COL_COMM] = { "comm", "COMM", "Its name, which any process can choose.", COLUMN_NAME,
		       PV_NEED_OWNERS, .min = 8, .get = column_get_comm },
	[COL_START_TICKS] = { "start_ticks", "START-TICKS",
			      "When it started, in clock ticks since boot: with pid the identity "
			      "of "
			      "the process.",
			      COLUMN_NUMBER, PV_NEED_OWNERS, COLUMN_RIGHT,
			      .get = column_get_start_ticks },
	[COL_PROCESS_UID] = { "process_uid", "PROCESS-UID",
			      "User id it runs as, which need not be that of the socket.",
			      COLUMN_NUMBER, PV_NEED_OWNERS | PV_NEED_PUSER, COLUMN_RIGHT,
			      .get = column_get_process_uid },
	[COL_PROCESS_USER] = { "process_user", "PROCESS-USER",
			       "Login name of that user, when there is one.", COLUMN_NAME,
			       PV_NEED_OWNERS | PV_NEED_PUSER, .min = 8,
			       .get = column_get_process_user },
	[COL_EXE] = { "exe", "EXE", "Path of its executable.", COLUMN_NAME,
		      PV_NEED_OWNERS | PV_NEED_EXE, .min = 12, .get = column_get_exe },
	[COL_CMDLINE] = { "cmdline", "CMDLINE",
			  "Its arguments: in JSON an array, as text one word each.", COLUMN_ARGS,
			  PV_NEED_OWNERS | PV_NEED_CMDLINE, .min = 12, .get = column_get_cmdline },
	[COL_CGROUP] = { "cgroup", "CGROUP", "Its control group.", COLUMN_NAME,
			 PV_NEED_OWNERS | PV_NEED_CGROUP, .min = 12, .get = column_get_cgroup },
	[COL_UNIT] = { "unit", "UNIT", "Its systemd unit; a user's is user@UID.service/NAME.",
		       COLUMN_NAME, PV_NEED_OWNERS | PV_NEED_CGROUP, .min = 12,
		       .get = column_get_unit },
	[COL_RUNTIME] = { "runtime", "RUNTIME",
			  "Its container's runtime: docker, podman, containerd, crio, lxc, "
			  "systemd-nspawn.",
			  COLUMN_NAME, PV_NEED_OWNERS | PV_NEED_CGROUP, .min = 6,
			  .get = column_get_runtime },
	[COL_CONTAINER] = { "container", "CONTAINER", "Its container: id or machine name.",
			    COLUMN_NAME, PV_NEED_OWNERS | PV_NEED_CGROUP, .min = 12,
			    .get = column_get_container },
	[COL_VERDICT] = { "verdict", "VERDICT",
			  "Is it explained: explained, unexplained or suspicious; see "
			  "portavoz-rules(7).",
			  COLUMN_TEXT, PV_NEED_VERDICT, .get = column_get_verdict,
			  .tint = column_tint_verdict },
	[COL_EVIDENCE] = { "evidence", "EVIDENCE",
			   "What the verdict rests on, a sentence for each rule that fired: in "
			   "JSON an array.",
			   COLUMN_TEXTS, PV_NEED_VERDICT, COLUMN_LONG, .get = column_get_evidence,
			   .put = column_put_evidence },
	[COL_PEER_INODE] = { "peer_inode", "PEER-INODE", "Inode of a unix socket's other end.",
			     SOCKET_FIELD(peer_inode), .needs = PV_NEED_PEER,
			     .flags = COLUMN_RIGHT | COLUMN_ZERO },
	[COL_PEER_PID] = { "peer_pid", "PEER-PID",
			   "Process id of the first owner of the other end, when it is on this "
			   "host.",
			   COLUMN_NUMBER, PV_NEED_PEER | PV_NEED_OWNERS, COLUMN_RIGHT,
			   .get = column_get_peer_pid },
	[COL_PEER_COMM] = { "peer_comm", "PEER-COMM", "That process's name.", COLUMN_NAME,
			    PV_NEED_PEER | PV_NEED_OWNERS, .min = 8, .get = column_get_peer_comm },

	[COL_PEER_NETNS] = { "peer_netns", "PEER-NETNS",
			     "Inode of the network namespace of the other end, when it is on this "
			     "host.",
			     COLUMN_NUMBER, PV_NEED_PEER | PV_NEED_NAT, COLUMN_RIGHT,
			     .get = column_get_peer_netns },
	[COL_PEER_CANDIDATES] = { "peer_candidates", "PEER-CANDIDATES",
				  "How many sockets or translations could be the other end, when "
				  "nothing tells which one is; none when there is no such doubt.",
				  COLUMN_NUMBER, PV_NEED_PEER | PV_NEED_NAT, COLUMN_RIGHT,
				  .get = column_get_peer_candidates },

	[COL_NAT_LOCAL_ADDR] = { "nat_local_addr", "NAT-LOCAL-ADDR",
				 "Behind address translation: the local address as the other end "
				 "sees it.",
				 COLUMN_ADDRESS, NAT_NEEDS, .min = 12,
				 .get = column_get_nat_local_addr },
	[COL_NAT_LOCAL_PORT] = { "nat_local_port", "NAT-LOCAL-PORT",
				 "The local port as the other end sees it.", COLUMN_NUMBER,
				 NAT_NEEDS, COLUMN_RIGHT, .get = column_get_nat_local_port },
	[COL_NAT_REMOTE_ADDR] = { "nat_remote_addr", "NAT-REMOTE-ADDR",
				  "Behind address translation: the address of the other end "
				  "itself.",
				  COLUMN_ADDRESS, NAT_NEEDS, .min = 12,
				  .get = column_get_nat_remote_addr },
	[COL_NAT_REMOTE_PORT] = { "nat_remote_port", "NAT-REMOTE-PORT",
				  "The port of the other end itself.", COLUMN_NUMBER, NAT_NEEDS,
				  COLUMN_RIGHT, .get = column_get_nat_remote_port },
	[COL_NAT_NETNS] = { "nat_netns", "NAT-NETNS",
			    "Inode of the network namespace that translates, the first of them.",
			    COLUMN_NUMBER, NAT_NEEDS, COLUMN_RIGHT, .get = column_get_nat_netns },
	[COL_EXPOSURE] = { "exposure", "EXPOSURE",
			   "Who can reach a listener: loopback, container, multicast, interface, "
			   "published, any.",
			   COLUMN_TEXT, PV_NEED_EXPOSURE, .get = column_get_exposure,
			   .tint = tint_exposure },
	[COL_PUBLISHED_ADDR] = { "published_addr", "PUBLISHED-ADDR",
				 "Address at which a rule or flow leads to the listener; none when "
				 "at "
				 "any.",
				 COLUMN_ADDRESS, PV_NEED_EXPOSURE, .min = 12,
				 .get = column_get_published_addr },
	[COL_PUBLISHED_PORT] = { "published_port", "PUBLISHED-PORT",
				 "Port at which it does, of a range the first; none when any port "
				 "does.",
				 COLUMN_NUMBER, PV_NEED_EXPOSURE, COLUMN_RIGHT,
				 .get = column_get_published_port },
	[COL_PUBLISHED_BY] = { "published_by", "PUBLISHED-BY",
			       "What leads there: dnat, redirect (rules), conntrack (a flow seen).",
			       COLUMN_TEXT, PV_NEED_EXPOSURE, .get = column_get_published_by },
	[COL_PUBLISHED_TABLE] = { "published_table", "PUBLISHED-TABLE", "Table of that rule.",
				  COLUMN_NAME, PV_NEED_EXPOSURE, .min = 6,
				  .get = column_get_published_table },
	[COL_PUBLISHED_CHAIN] = { "published_chain", "PUBLISHED-CHAIN", "Chain of that rule.",
				  COLUMN_NAME, PV_NEED_EXPOSURE, .min = 6,
				  .get = column_get_published_chain },
	[COL_PUBLISHED_NETNS] = { "published_netns", "PUBLISHED-NETNS",
				  "Inode of the network namespace that has the rule or flow.",
				  COLUMN_NUMBER, PV_NEED_EXPOSURE, COLUMN_RIGHT,
				  .get = column_get_published_netns },

	[COL_CONGESTION] = { "congestion", "CONGESTION", "Congestion control algorithm.",
			     COLUMN_NAME, PV_NEED_TCPINFO, .get = column_get_congestion },
	[COL_RTT] = { "rtt", "RTT",
		      "Smoothed round trip time, of a capture that of the handshake, microseconds.",
		      .type = COLUMN_US, .get = column_get_rtt, TCP_FIELD(rtt, 72) },
	[COL_RTTVAR] = { "rttvar", "RTTVAR", "Its variation, microseconds.", TCP_US(rttvar, 76) },
	[COL_MIN_RTT] = { "min_rtt", "MIN-RTT", "Shortest round trip time seen, microseconds.",
			  TCP_US(min_rtt, 152) },
	[COL_RTO] = { "rto", "RTO", "Retransmission timeout, microseconds.", TCP_US(rto, 12) },
	[COL_CWND] = { "cwnd", "CWND", "Congestion window, segments.", TCP_NUMBER(snd_cwnd, 84) },
	[COL_SSTHRESH] = { "ssthresh", "SSTHRESH",
			   "Slow start threshold, segments; 2147483647 is none yet.",
			   TCP_NUMBER(snd_ssthresh, 80) },
	[COL_MSS] = { "mss", "MSS", "Maximum segment size for sending, bytes.",
		      TCP_NUMBER(snd_mss, 20) },
	[COL_PMTU] = { "pmtu", "PMTU", "Path MTU, bytes.", TCP_NUMBER(pmtu, 64) },
	[COL_BYTES_SENT] = { "bytes_sent", "BYTES-SENT",
			     "Bytes of data sent, retransmissions included.",
			     TCP_NUMBER(bytes_sent, 208) },
	[COL_BYTES_ACKED] = { "bytes_acked", "BYTES-ACKED", "Bytes the other end acknowledged.",
			      TCP_NUMBER(bytes_acked, 128) },
	[COL_BYTES_RECEIVED] = { "bytes_received", "BYTES-RECEIVED", "Bytes of data received.",
				 TCP_NUMBER(bytes_received, 136) },
	[COL_BYTES_RETRANS] = { "bytes_retrans", "BYTES-RETRANS", "Bytes sent again.",
				TCP_NUMBER(bytes_retrans, 216) },
	[COL_SEGS_OUT] = { "segs_out", "SEGS-OUT", "Segments sent.", TCP_NUMBER(segs_out, 140) },
	[COL_SEGS_IN] = { "segs_in", "SEGS-IN", "Segments received.", TCP_NUMBER(segs_in, 144) },
	[COL_UNACKED] = { "unacked", "UNACKED",
			  "Segments not yet acknowledged; for a listener the waiting connections.",
			  TCP_NUMBER(unacked, 28) },
	[COL_LOST] = { "lost", "LOST", "Segments taken for lost.", TCP_NUMBER(lost, 36) },
	[COL_RETRANS_NOW] = { "retrans_now", "RETRANS-NOW", "Segments sent again and in flight.",
			      TCP_NUMBER(retrans, 40) },
	[COL_TOTAL_RETRANS] = { "total_retrans", "TOTAL-RETRANS",
				"Segments sent again since the beginning.",
				TCP_NUMBER(total_retrans, 104) },
	[COL_DELIVERY_RATE] = { "delivery_rate", "DELIVERY-RATE",
				"Latest rate of delivery, bytes per second.",
				TCP_NUMBER(delivery_rate, 168) },
	[COL_PACING_RATE] = { "pacing_rate", "PACING-RATE",
			      "Rate of pacing, bytes per second; none when unlimited.",
			      TCP_NUMBER(pacing_rate, 112) },
	[COL_APP_LIMITED] = { "app_limited", "APP-LIMITED",
			      "Whether the application sent too little to measure the rate.",
			      COLUMN_BOOL, .get = column_get_app_limited, .needs = PV_NEED_TCPINFO,
			      .field = { 0, 1, 8 } },
	[COL_BUSY_MS] = { "busy_ms", "BUSY-MS", "Time with data to send, milliseconds.",
			  TCP_US_AS_MS(busy_time, 176) },
	[COL_RWND_LIMITED_MS] = { "rwnd_limited_ms", "RWND-LIMITED-MS",
				  "Time held up by the receive window, milliseconds.",
				  TCP_US_AS_MS(rwnd_limited, 184) },
	[COL_SNDBUF_LIMITED_MS] = { "sndbuf_limited_ms", "SNDBUF-LIMITED-MS",
				    "Time held up by the send buffer, milliseconds.",
				    TCP_US_AS_MS(sndbuf_limited, 192) },
	[COL_LAST_SENT_MS] = { "last_sent_ms", "LAST-SENT-MS",
			       "Time since data was sent, milliseconds.",
			       TCP_MS(last_data_sent, 48) },
	[COL_LAST_RECV_MS] = { "last_recv_ms", "LAST-RECV-MS",
			       "Time since data was received, milliseconds.",
			       TCP_MS(last_data_recv, 56) },
	[COL_SND_WND] = { "snd_wnd", "SND-WND", "Window the other end offers, bytes.",
			  TCP_NUMBER(snd_wnd, 232) },
	[COL_RCV_SPACE] = { "rcv_space", "RCV-SPACE",
			    "Receive buffer as the kernel tuned it, bytes.",
			    TCP_NUMBER(rcv_space, 100) },

	[COL_RMEM] = { "rmem", "RMEM", "Receive memory in use, bytes.", MEM_FIELD(0) },
	[COL_RCVBUF] = { "rcvbuf", "RCVBUF", "Receive buffer limit, bytes.", MEM_FIELD(1) },
	[COL_WMEM] = { "wmem", "WMEM", "Send memory in use, bytes.", MEM_FIELD(2) },
	[COL_SNDBUF] = { "sndbuf", "SNDBUF", "Send buffer limit, bytes.", MEM_FIELD(3) },
	[COL_FWD] = { "fwd", "FWD", "Memory reserved ahead, bytes.", MEM_FIELD(4) },
	[COL_WMEM_QUEUED] = { "wmem_queued", "WMEM-QUEUED", "Memory queued for sending, bytes.",
			      MEM_FIELD(5) },
	[COL_OPTMEM] = { "optmem", "OPTMEM", "Memory for socket options, bytes.", MEM_FIELD(6) },
	[COL_BACKLOG] = { "backlog", "BACKLOG", "Memory of packets waiting for the lock, bytes.",
			  MEM_FIELD(7) },
	[COL_DROPS] = { "drops", "DROPS", "Packets dropped by this socket.", MEM_FIELD(8) },

	[COL_START] = { "start", "START",
			"First packet; as numbers seconds since 1970, in the table UTC.",
			COLUMN_TIME, .flags = COLUMN_FLOW, .min = 15, .drop = 40,
			.get = column_get_flow_time, FLOW_FIELD(start_ns), .put = column_put_time },
	[COL_END] = { "end", "END", "Last packet.", COLUMN_TIME, .flags = COLUMN_FLOW, .min = 15,
		      .get = column_get_flow_time, FLOW_FIELD(end_ns), .put = column_put_time },
	[COL_DURATION] = { "duration", "DURATION", "Seconds between the two.", COLUMN_SECONDS,
			   .flags = COLUMN_FLOW | COLUMN_RIGHT, .drop = 60,
			   .get = column_get_duration, .put = column_put_duration },
	[COL_OUT_PACKETS] = { "out_packets", "OUT-PACKETS", "Packets from the local end.",
			      FLOW_NUMBER(out.packets), .drop = 77 },
	[COL_IN_PACKETS] = { "in_packets", "IN-PACKETS", "Packets from the remote end.",
			     FLOW_NUMBER(in.packets), .drop = 78 },
	[COL_OUT_BYTES] = { "out_bytes", "OUT-BYTES",
			    "Bytes of those from the local end on the wire, frames whole.",
			    FLOW_NUMBER(out.bytes) },
	[COL_IN_BYTES] = { "in_bytes", "IN-BYTES",
			   "Bytes of those from the remote end on the wire, frames whole.",
			   FLOW_NUMBER(in.bytes) },
	[COL_OUT_PAYLOAD] = { "out_payload", "OUT-PAYLOAD",
			      "Bytes from the local end behind the transport header.",
			      FLOW_NUMBER(out.payload) },
	[COL_IN_PAYLOAD] = { "in_payload", "IN-PAYLOAD",
			     "Bytes from the remote end behind the transport header.",
			     FLOW_NUMBER(in.payload) },
	[COL_CONN_STATE] = { "conn_state", "CONN",
			     "State at the end in the terms of Zeek: S0, S1, SF, REJ, S2, S3, "
			     "RSTO, RSTR, RSTOS0, RSTRH, SH, SHR, OTH.",
			     COLUMN_TEXT, .flags = COLUMN_FLOW, .drop = 50,
			     .get = column_get_conn_state },
	[COL_ENDED] = { "ended", "ENDED", "How and by whom it was ended, in words.", COLUMN_TEXT,
			.flags = COLUMN_FLOW, .min = 12, .get = column_get_ended },
	[COL_HISTORY] = { "history", "HISTORY",
			  "What happened, in the letters of Zeek: upper case from the local end.",
			  COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_history },
	[COL_COMMUNITY_ID] = { "community_id", "COMMUNITY-ID", "Community ID, version 1, seed 0.",
			       COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_community_id },
	[COL_OBSERVED] = { "observed", "OBSERVED", "Protocol by content, whatever the port.",
			   COLUMN_NAME, .flags = COLUMN_FLOW, .min = 8, .drop = 75,
			   .get = column_get_observed },
	[COL_OBSERVED_DETAIL] = { "observed_detail", "OBSERVED-DETAIL",
				  "What its own words tell, as key=value.", COLUMN_NAME,
				  .flags = COLUMN_FLOW | COLUMN_LONG,
				  .get = column_get_observed_detail,
				  .put = column_put_observed_detail },
	[COL_CONTRADICTION] = { "contradiction", "CONTRADICTION",
				"Where that is not what is registered for the port: a sentence.",
				COLUMN_TEXT, .flags = COLUMN_FLOW | COLUMN_LONG,
				.get = column_get_contradiction },
	[COL_LOCAL_MAC] = { "local_mac", "LOCAL-MAC",
			    "Link-layer address at the local end, of the first packet.",
			    COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_local_mac },
	[COL_REMOTE_MAC] = { "remote_mac", "REMOTE-MAC", "Link-layer address at the remote end.",
			     COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_remote_mac },
	[COL_VLAN] = { "vlan", "VLAN", "VLAN ids, the outer one first.", COLUMN_TEXT,
		       .flags = COLUMN_FLOW, .get = column_get_vlan },
	[COL_TUNNEL] = { "tunnel", "TUNNEL", "Tunnel that carries it, with its number: vxlan:42.",
			 COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_tunnel },
	[COL_OVERLAP] = { "overlap", "OVERLAP", "Whether fragments of its datagrams overlapped.",
			  COLUMN_BOOL, .flags = COLUMN_FLOW, .get = column_get_overlap },
	[COL_LOCAL_HANDSHAKE] = { "local_handshake", "LOCAL-HANDSHAKE",
				  "Time from SYN-ACK to ACK at the place of capture, microseconds.",
				  COLUMN_US, .flags = COLUMN_FLOW | COLUMN_RIGHT,
				  .get = column_get_local_handshake },
	[COL_REMOTE_HANDSHAKE] = { "remote_handshake", "REMOTE-HANDSHAKE",
				   "Time from SYN to SYN-ACK at the place of capture, "
				   "microseconds.",
				   COLUMN_US, .flags = COLUMN_FLOW | COLUMN_RIGHT,
				   .get = column_get_remote_handshake },
	[COL_LOCAL_RTT_MIN] = { "local_rtt_min", "LOCAL-RTT-MIN",
				"Shortest time the local end took to acknowledge data, "
				"microseconds.",
				COLUMN_US, .flags = COLUMN_FLOW | COLUMN_RIGHT,
				.get = column_get_flow_rtt, FLOW_FIELD(out.rtt.min_us) },
	[COL_LOCAL_RTT_MEAN] = { "local_rtt_mean", "LOCAL-RTT-MEAN",
				 "Mean of these times, microseconds.", COLUMN_US,
				 .flags = COLUMN_FLOW | COLUMN_RIGHT, .get = column_get_flow_rtt,
				 FLOW_FIELD(out.rtt.mean_us) },
	[COL_LOCAL_RTT_MAX] = { "local_rtt_max", "LOCAL-RTT-MAX", "Longest of them, microseconds.",
				COLUMN_US, .flags = COLUMN_FLOW | COLUMN_RIGHT,
				.get = column_get_flow_rtt, FLOW_FIELD(out.rtt.max_us) },
	[COL_LOCAL_RTT_SAMPLES] = { "local_rtt_samples", "LOCAL-RTT-SAMPLES",
				    "How many were measured.", FLOW_TCP(out.rtt.samples) },
	[COL_REMOTE_RTT_MIN] = { "remote_rtt_min", "REMOTE-RTT-MIN",
				 "Shortest time the remote end took to acknowledge data, "
				 "microseconds.",
				 COLUMN_US, .flags = COLUMN_FLOW | COLUMN_RIGHT,
				 .get = column_get_flow_rtt, FLOW_FIELD(in.rtt.min_us) },
	[COL_REMOTE_RTT_MEAN] = { "remote_rtt_mean", "REMOTE-RTT-MEAN",
				  "Mean of these times, microseconds.", COLUMN_US,
				  .flags = COLUMN_FLOW | COLUMN_RIGHT, .get = column_get_flow_rtt,
				  FLOW_FIELD(in.rtt.mean_us) },
	[COL_REMOTE_RTT_MAX] = { "remote_rtt_max", "REMOTE-RTT-MAX",
				 "Longest of them, microseconds.", COLUMN_US,
				 .flags = COLUMN_FLOW | COLUMN_RIGHT, .get = column_get_flow_rtt,
				 FLOW_FIELD(in.rtt.max_us) },
	[COL_REMOTE_RTT_SAMPLES] = { "remote_rtt_samples", "REMOTE-RTT-SAMPLES",
				     "How many were measured.", FLOW_TCP(in.rtt.samples) },
	[COL_OUT_START] = { "out_start", "OUT-START", "First packet from the local end.",
			    COLUMN_TIME, .flags = COLUMN_FLOW, .min = 15,
			    .get = column_get_flow_time, FLOW_FIELD(out.first_ns),
			    .put = column_put_time },
	[COL_IN_START] = { "in_start", "IN-START", "First packet from the remote end.", COLUMN_TIME,
			   .flags = COLUMN_FLOW, .min = 15, .get = column_get_flow_time,
			   FLOW_FIELD(in.first_ns), .put = column_put_time },
	[COL_OUT_END] = { "out_end", "OUT-END", "Last packet from the local end.", COLUMN_TIME,
			  .flags = COLUMN_FLOW, .min = 15, .get = column_get_flow_time,
			  FLOW_FIELD(out.last_ns), .put = column_put_time },
	[COL_IN_END] = { "in_end", "IN-END", "Last packet from the remote end.", COLUMN_TIME,
			 .flags = COLUMN_FLOW, .min = 15, .get = column_get_flow_time,
			 FLOW_FIELD(in.last_ns), .put = column_put_time },
	[COL_OUT_FLAGS] = { "out_flags", "OUT-FLAGS",
			    "TCP flags the local end sent: F FIN, S SYN, R RST, P PSH, . ACK, U "
			    "URG, E ECE, W CWR.",
			    COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_flow_flags,
			    FLOW_FIELD(out.tcp_flags) },
	[COL_IN_FLAGS] = { "in_flags", "IN-FLAGS",
			   "TCP flags the remote end sent: F FIN, S SYN, R RST, P PSH, . ACK, U "
			   "URG, E ECE, W CWR.",
			   COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_flow_flags,
			   FLOW_FIELD(in.tcp_flags) },
	[COL_OUT_RETRANSMITTED] = { "out_retransmitted", "OUT-RETRANSMITTED",
				    "TCP segments the local end sent again.",
				    FLOW_TCP(out.retransmitted) },
	[COL_IN_RETRANSMITTED] = { "in_retransmitted", "IN-RETRANSMITTED",
				   "TCP segments the remote end sent again.",
				   FLOW_TCP(in.retransmitted) },
	[COL_OUT_REORDERED] = { "out_reordered", "OUT-REORDERED",
				"TCP segments from the local end that came out of order.",
				FLOW_TCP(out.out_of_order) },
	[COL_IN_REORDERED] = { "in_reordered", "IN-REORDERED",
			       "TCP segments from the remote end that came out of order.",
			       FLOW_TCP(in.out_of_order) },
	[COL_OUT_LOST] = { "out_lost", "OUT-LOST",
			   "Bytes from the local end that were acknowledged or passed over, and "
			   "never seen.",
			   FLOW_TCP(out.lost) },
	[COL_IN_LOST] = { "in_lost", "IN-LOST",
			  "Bytes from the remote end that were acknowledged or passed over, and "
			  "never seen.",
			  FLOW_TCP(in.lost) },
	[COL_OUT_GAPS] = { "out_gaps", "OUT-GAPS",
			   "How often bytes from the local end were missing.", FLOW_TCP(out.gaps) },
	[COL_IN_GAPS] = { "in_gaps", "IN-GAPS", "How often bytes from the remote end were missing.",
			  FLOW_TCP(in.gaps) },
	[COL_OUT_ZERO_WINDOWS] = { "out_zero_windows", "OUT-ZERO-WINDOWS",
				   "How often the local end closed its window.",
				   FLOW_TCP(out.zero_windows) },
	[COL_IN_ZERO_WINDOWS] = { "in_zero_windows", "IN-ZERO-WINDOWS",
				  "How often the remote end closed its window.",
				  FLOW_TCP(in.zero_windows) },
	[COL_OUT_RESETS] = { "out_resets", "OUT-RESETS", "TCP resets the local end sent.",
			     FLOW_TCP(out.resets) },
	[COL_IN_RESETS] = { "in_resets", "IN-RESETS", "TCP resets the remote end sent.",
			    FLOW_TCP(in.resets) },
	[COL_ICMP_ERRORS] = { "icmp_errors", "ICMP-ERRORS",
			      "ICMP errors that quote a packet of it.", FLOW_NUMBER(icmp_errors) },
	[COL_ICMP_ERROR] = { "icmp_error", "ICMP-ERROR", "Type and code of the last one.",
			     COLUMN_TEXT, .flags = COLUMN_FLOW, .get = column_get_icmp_error },
	[COL_SERIES] = { "series", "SERIES", "Packets and bytes per stretch of time (--bin).",
			 COLUMN_SERIES, .flags = COLUMN_FLOW | COLUMN_LONG,
			 .get = column_get_series },

	[COL_LOCAL] = { "local", "LOCAL", "Local end for people.", COLUMN_COMPOSED,
			PV_NEED_DIRECTION, .min = 21, .put = column_put_local,
			.parts = PARTS(COL_LOCAL_ADDR, COL_LOCAL_PORT, COL_INTERFACE, COL_PATH) },
	[COL_REMOTE] = { "remote", "REMOTE",
			 "Remote end for people; a host name is followed by a question mark.",
			 COLUMN_COMPOSED, PV_NEED_DIRECTION | PV_NEED_NAMES, .min = 21,
			 .put = column_put_remote,
			 .parts = PARTS(COL_REMOTE_ADDR, COL_REMOTE_PORT, COL_REMOTE_NAME,
					COL_PEER_INODE) },
	[COL_PROCESS] = { "process", "PROCESS",
			  "Processes that hold the socket, as name(pid), or in parentheses why "
			  "none "
			  "is known; +N more on a narrow terminal.",
			  COLUMN_COMPOSED, PV_NEED_OWNERS, .min = 16, .put = column_put_process,
			  .tint = tint_process, .parts = PARTS(COL_OWNERS, COL_OWNER_REASON) },
	[COL_HOLDERS] = { "holders", "HOLDERS",
			  "Every process and descriptor that holds the socket, as name(pid/fd).",
			  COLUMN_COMPOSED, PV_NEED_OWNERS, COLUMN_LONG, .put = column_put_holders,
			  .tint = tint_process, .parts = PARTS(COL_OWNERS, COL_OWNER_REASON) },
	[COL_PEER] = { "peer", "PEER",
		       "Processes of the other end, when it is on this host, and the network "
		       "namespace, when that is another; in parentheses of how many it is one, "
		       "when "
		       "nothing tells which.",
		       COLUMN_COMPOSED, PV_NEED_PEER | PV_NEED_NAT | PV_NEED_OWNERS, .min = 12,
		       .drop = 70, .put = column_put_peer,
		       .parts = PARTS(COL_PEER_COMM, COL_PEER_PID, COL_PEER_NETNS,
				      COL_PEER_CANDIDATES) },
	[COL_TRANSLATION] = { "translation", "TRANSLATION",
			      "Both ends as the other end sees them, behind address translation "
			      "(NAT).",
			      COLUMN_COMPOSED, NAT_NEEDS, .min = 21, .drop = 75,
			      .put = column_put_translation,
			      .parts = PARTS(COL_NAT_LOCAL_ADDR, COL_NAT_LOCAL_PORT,
					     COL_NAT_REMOTE_ADDR, COL_NAT_REMOTE_PORT,
					     COL_NAT_NETNS) },
	[COL_EXPOSURE_DETAIL] = { "exposure_detail", "EXPOSURE-DETAIL",
				  "Who can reach a listener, in words, and the rule that publishes "
				  "it.",
				  COLUMN_COMPOSED, PV_NEED_EXPOSURE, COLUMN_LONG,
				  .put = column_put_exposure_detail,
				  .parts = PARTS(COL_EXPOSURE, COL_PUBLISHED_ADDR,
						 COL_PUBLISHED_PORT,
						 COL_PUBLISHED_BY, COL_PUBLISHED_TABLE,
						 COL_PUBLISHED_CHAIN, COL_PUBLISHED_NETNS) },
	[COL_USER_UNIT] = { "user_unit", "USER/UNIT",
			    "User of the socket, and container or systemd unit of its process.",
			    COLUMN_COMPOSED, PV_NEED_OWNERS | PV_NEED_CGROUP, .min = 8, .drop = 90,
			    .put = column_put_user_unit,
			    .parts = PARTS(COL_USER, COL_UID, COL_UNIT, COL_RUNTIME,
					   COL_CONTAINER) },
	[COL_INFO] = { "info", "INFO",
		       "What TCP knows of the connection, as name:value; zeros are left out.",
		       COLUMN_COMPOSED, PV_NEED_TCPINFO, COLUMN_LONG, .put = column_put_parts,
		       .parts = PARTS(COL_CONGESTION, COL_RTT, COL_RTTVAR, COL_MIN_RTT, COL_RTO,
				      COL_CWND, COL_SSTHRESH, COL_MSS, COL_PMTU, COL_BYTES_SENT,
				      COL_BYTES_ACKED, COL_BYTES_RECEIVED, COL_BYTES_RETRANS,
				      COL_SEGS_OUT, COL_SEGS_IN, COL_UNACKED, COL_LOST,
				      COL_RETRANS_NOW, COL_TOTAL_RETRANS, COL_DELIVERY_RATE,
				      COL_PACING_RATE, COL_APP_LIMITED, COL_BUSY_MS,
				      COL_RWND_LIMITED_MS, COL_SNDBUF_LIMITED_MS, COL_LAST_SENT_MS,
				      COL_LAST_RECV_MS, COL_SND_WND, COL_RCV_SPACE) },
	[COL_MEM] = { "mem", "MEM", "Memory of the socket, as name:value; zeros are left out.",
		      COLUMN_COMPOSED, PV_NEED_MEM, COLUMN_LONG, .put = column_put_parts,
		      .parts = PARTS(COL_RMEM, COL_RCVBUF, COL_WMEM, COL_SNDBUF, COL_FWD,
				     COL_WMEM_QUEUED, COL_OPTMEM, COL_BACKLOG, COL_DROPS) },
	[COL_TIMERS] = { "timers", "TIMERS",
			 "Timer, time until it fires, and how often it did, as name/time/count.",
			 COLUMN_COMPOSED, PV_NEED_TIMER, .put = column_put_timers,
			 .parts = PARTS(COL_TIMER, COL_TIMER_MS, COL_RETRANS) },
};

const struct column *column_by_id(enum column_id id)
{
	return &registry[id];
}

const struct column *columns_all(size_t *ret_n)
{
	*ret_n = COLUMN_END;
	return registry;
}

const struct column *columns_find(const char *name, size_t len)
{
	for (size_t i = 0; i < COLUMN_END; i++)
		if (strlen(registry[i].name) == len && !memcmp(registry[i].name, name, len))
			return &registry[i];
	return NULL;
}

uint32_t columns_needs(const struct column *const *columns, size_t n, bool numeric)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < n; i++)
		needs |= columns[i]->needs;
	return numeric ? needs & ~(uint32_t)PV_NEED_NAMES : needs;
}

const char *column_type_name(enum column_type type)
{
	static const char *const names[COLUMN_TYPE_N] = {
		[COLUMN_TEXT] = "text",	      [COLUMN_NAME] = "name",
		[COLUMN_NUMBER] = "number",   [COLUMN_BOOL] = "bool",
		[COLUMN_ADDRESS] = "address", [COLUMN_MS] = "milliseconds",
		[COLUMN_US] = "microseconds", [COLUMN_ARGS] = "arguments",
		[COLUMN_OWNERS] = "owners",   [COLUMN_COMPOSED] = "composed",
		[COLUMN_TIME] = "time",	      [COLUMN_SECONDS] = "seconds",
		[COLUMN_SERIES] = "series",   [COLUMN_TEXTS] = "texts",
	};

	return type < COLUMN_TYPE_N ? names[type] : "unknown";
}
