/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: the ids of the columns and the getters per theme. */
#ifndef UI_COLUMNS_INTERNAL_H
#define UI_COLUMNS_INTERNAL_H

#include <string.h>

#include "ui/columns/columns.h"

/* A cell stays empty for NULL. Texts are our own words, names are foreign bytes. */
static inline void cell_set_text(struct cell *cell, const char *text)
{
	if (!text)
		return;
	cell->type = CELL_TEXT;
	cell->text = text;
}

static inline void cell_set_name(struct cell *cell, const char *name)
{
	if (!name)
		return;
	cell->type = CELL_NAME;
	cell->bytes = (struct pv_bytes){ name, (uint32_t)strlen(name) };
}

static inline void cell_set_number(struct cell *cell, uint64_t number)
{
	cell->type = CELL_NUMBER;
	cell->number = number;
}

static inline void cell_set_bool(struct cell *cell, bool yes)
{
	cell->type = CELL_BOOL;
	cell->yes = yes;
}

enum column_id {
	/* what kind of socket, which ends */
	COL_PROTO,
	COL_FAMILY,
	COL_TYPE,
	COL_PROTOCOL,
	COL_STATE,
	COL_LOCAL_ADDR,
	COL_LOCAL_PORT,
	COL_LOCAL_SERVICE,
	COL_LOCAL_GROUP,
	COL_LOCAL_EPHEMERAL,
	COL_REMOTE_ADDR,
	COL_REMOTE_PORT,
	COL_REMOTE_SERVICE,
	COL_REMOTE_GROUP,
	COL_REMOTE_EPHEMERAL,
	COL_REMOTE_NAME,
	COL_PATH,
	COL_INTERFACE,
	COL_IFINDEX,
	COL_V6ONLY,
	COL_SERVICE,
	COL_DIRECTION,
	COL_DIRECTION_BY,
	/* the socket */
	COL_RECV_Q,
	COL_SEND_Q,
	COL_UID,
	COL_USER,
	COL_INODE,
	COL_COOKIE,
	COL_NETNS,
	COL_NETNS_NAME,
	COL_MARK,
	COL_SHUTDOWN,
	COL_TOS,
	COL_CGROUP_ID,
	COL_TIMER,
	COL_TIMER_MS,
	COL_RETRANS,
	/* who holds it */
	COL_OWNERS,
	COL_OWNER_REASON,
	COL_PID,
	COL_FD,
	COL_COMM,
	COL_START_TICKS,
	COL_PROCESS_UID,
	COL_PROCESS_USER,
	COL_EXE,
	COL_CMDLINE,
	COL_CGROUP,
	COL_UNIT,
	COL_RUNTIME,
	COL_CONTAINER,
	COL_VERDICT,
	COL_EVIDENCE,
	COL_PEER_INODE,
	COL_PEER_PID,
	COL_PEER_COMM,
	COL_PEER_NETNS,
	COL_PEER_CANDIDATES,
	/* beyond its namespace */
	COL_NAT_LOCAL_ADDR,
	COL_NAT_LOCAL_PORT,
	COL_NAT_REMOTE_ADDR,
	COL_NAT_REMOTE_PORT,
	COL_NAT_NETNS,
	COL_EXPOSURE,
	COL_PUBLISHED_ADDR,
	COL_PUBLISHED_PORT,
	COL_PUBLISHED_BY,
	COL_PUBLISHED_TABLE,
	COL_PUBLISHED_CHAIN,
	COL_PUBLISHED_NETNS,
	/* tcp_info */
	COL_CONGESTION,
	COL_RTT,
	COL_RTTVAR,
	COL_MIN_RTT,
	COL_RTO,
	COL_CWND,
	COL_SSTHRESH,
	COL_MSS,
	COL_PMTU,
	COL_BYTES_SENT,
	COL_BYTES_ACKED,
	COL_BYTES_RECEIVED,
	COL_BYTES_RETRANS,
	COL_SEGS_OUT,
	COL_SEGS_IN,
	COL_UNACKED,
	COL_LOST,
	COL_RETRANS_NOW,
	COL_TOTAL_RETRANS,
	COL_DELIVERY_RATE,
	COL_PACING_RATE,
	COL_APP_LIMITED,
	COL_BUSY_MS,
	COL_RWND_LIMITED_MS,
	COL_SNDBUF_LIMITED_MS,
	COL_LAST_SENT_MS,
	COL_LAST_RECV_MS,
	COL_SND_WND,
	COL_RCV_SPACE,
	/* memory */
	COL_RMEM,
	COL_RCVBUF,
	COL_WMEM,
	COL_SNDBUF,
	COL_FWD,
	COL_WMEM_QUEUED,
	COL_OPTMEM,
	COL_BACKLOG,
	COL_DROPS,
	/* captures */
	COL_START,
	COL_END,
	COL_DURATION,
	COL_OUT_PACKETS,
	COL_IN_PACKETS,
	COL_OUT_BYTES,
	COL_IN_BYTES,
	COL_OUT_PAYLOAD,
	COL_IN_PAYLOAD,
	COL_CONN_STATE,
	COL_ENDED,
	COL_HISTORY,
	COL_COMMUNITY_ID,
	COL_OBSERVED,
	COL_OBSERVED_DETAIL,
	COL_CONTRADICTION,
	COL_LOCAL_MAC,
	COL_REMOTE_MAC,
	COL_VLAN,
	COL_TUNNEL,
	COL_OVERLAP,
	COL_LOCAL_HANDSHAKE,
	COL_REMOTE_HANDSHAKE,
	COL_LOCAL_RTT_MIN,
	COL_LOCAL_RTT_MEAN,
	COL_LOCAL_RTT_MAX,
	COL_LOCAL_RTT_SAMPLES,
	COL_REMOTE_RTT_MIN,
	COL_REMOTE_RTT_MEAN,
	COL_REMOTE_RTT_MAX,
	COL_REMOTE_RTT_SAMPLES,
	COL_OUT_START,
	COL_IN_START,
	COL_OUT_END,
	COL_IN_END,
	COL_OUT_FLAGS,
	COL_IN_FLAGS,
	COL_OUT_RETRANSMITTED,
	COL_IN_RETRANSMITTED,
	COL_OUT_REORDERED,
	COL_IN_REORDERED,
	COL_OUT_LOST,
	COL_IN_LOST,
	COL_OUT_GAPS,
	COL_IN_GAPS,
	COL_OUT_ZERO_WINDOWS,
	COL_IN_ZERO_WINDOWS,
	COL_OUT_RESETS,
	COL_IN_RESETS,
	COL_ICMP_ERRORS,
	COL_ICMP_ERROR,
	COL_SERIES,
	/* composed */
	COL_LOCAL,
	COL_REMOTE,
	COL_PROCESS,
	COL_HOLDERS,
	COL_PEER,
	COL_TRANSLATION,
	COL_EXPOSURE_DETAIL,
	COL_USER_UNIT,
	COL_INFO,
	COL_MEM,
	COL_TIMERS,
	COLUMN_END,
};

const struct column *column_by_id(enum column_id id);

#define COLUMN_GETTER(name)                                                                        \
	void name(const struct column *column, const struct column_context *context,               \
		  const struct pv_conversation *c, struct cell *ret_cell)
#define COLUMN_PUTTER(name)                                                                        \
	void name(const struct column *column, const struct column_context *context,               \
		  const struct pv_conversation *c, struct buf *b, size_t limit)

/* columns_socket.c */
COLUMN_GETTER(column_get_field); /* a number of struct pv_conversation */
COLUMN_GETTER(column_get_proto);
COLUMN_GETTER(column_get_family);
COLUMN_GETTER(column_get_type);
COLUMN_GETTER(column_get_protocol);
COLUMN_GETTER(column_get_state);
COLUMN_GETTER(column_get_local_addr);
COLUMN_GETTER(column_get_local_port);
COLUMN_GETTER(column_get_local_service);
COLUMN_GETTER(column_get_local_group);
COLUMN_GETTER(column_get_local_ephemeral);
COLUMN_GETTER(column_get_remote_addr);
COLUMN_GETTER(column_get_remote_port);
COLUMN_GETTER(column_get_remote_service);
COLUMN_GETTER(column_get_remote_group);
COLUMN_GETTER(column_get_remote_ephemeral);
COLUMN_GETTER(column_get_remote_name);
COLUMN_GETTER(column_get_path);
COLUMN_GETTER(column_get_interface);
COLUMN_GETTER(column_get_v6only);
COLUMN_GETTER(column_get_service);
COLUMN_GETTER(column_get_direction);
COLUMN_GETTER(column_get_direction_by);
COLUMN_GETTER(column_get_uid);
COLUMN_GETTER(column_get_user);
COLUMN_GETTER(column_get_netns);
COLUMN_GETTER(column_get_netns_name);
COLUMN_PUTTER(column_put_netns_name);
COLUMN_PUTTER(column_put_observed_detail);
COLUMN_GETTER(column_get_shutdown);
COLUMN_GETTER(column_get_timer);
COLUMN_GETTER(column_get_timer_ms);
/* NULL = the protocol has no registry of ports */
const char *column_port_name(const struct pv_conversation *c, uint32_t port);

/* columns_owner.c */
COLUMN_GETTER(column_get_owners);
COLUMN_GETTER(column_get_owner_reason);
COLUMN_GETTER(column_get_pid);
COLUMN_GETTER(column_get_fd);
COLUMN_GETTER(column_get_comm);
COLUMN_GETTER(column_get_start_ticks);
COLUMN_GETTER(column_get_process_uid);
COLUMN_GETTER(column_get_process_user);
COLUMN_GETTER(column_get_exe);
COLUMN_GETTER(column_get_cmdline);
COLUMN_GETTER(column_get_cgroup);
COLUMN_GETTER(column_get_unit);
COLUMN_GETTER(column_get_runtime);
COLUMN_GETTER(column_get_container);
COLUMN_GETTER(column_get_peer_pid);
COLUMN_GETTER(column_get_peer_comm);

/* columns_verdict.c */
COLUMN_GETTER(column_get_verdict);
COLUMN_GETTER(column_get_evidence);
COLUMN_PUTTER(column_put_evidence);
enum column_tint column_tint_verdict(const struct pv_conversation *c);

/* columns_detail.c: what is in struct pv_detail */
COLUMN_GETTER(column_get_tcp);	  /* a number of struct pv_tcp_info */
COLUMN_GETTER(column_get_tcp_ms); /* one in microseconds, as milliseconds */
COLUMN_GETTER(column_get_app_limited);
COLUMN_GETTER(column_get_congestion);
COLUMN_GETTER(column_get_mem);
COLUMN_GETTER(column_get_tos);
COLUMN_GETTER(column_get_cgroup_id);
/* The number at a field's offset. */
uint64_t column_field_value(const struct column_field *field, const void *base);

/* columns_flow.c: what a capture tells */
COLUMN_GETTER(column_get_flow);
COLUMN_GETTER(column_get_flow_tcp);
COLUMN_GETTER(column_get_flow_time);
COLUMN_GETTER(column_get_duration);
COLUMN_GETTER(column_get_conn_state);
COLUMN_GETTER(column_get_ended);
COLUMN_GETTER(column_get_history);
COLUMN_GETTER(column_get_community_id);
COLUMN_GETTER(column_get_observed);
COLUMN_GETTER(column_get_observed_detail);
COLUMN_GETTER(column_get_contradiction);
COLUMN_GETTER(column_get_local_mac);
COLUMN_GETTER(column_get_remote_mac);
COLUMN_GETTER(column_get_vlan);
COLUMN_GETTER(column_get_tunnel);
COLUMN_GETTER(column_get_overlap);
COLUMN_GETTER(column_get_local_handshake);
COLUMN_GETTER(column_get_remote_handshake);
COLUMN_GETTER(column_get_rtt);
COLUMN_GETTER(column_get_flow_rtt);
COLUMN_GETTER(column_get_flow_flags);
COLUMN_GETTER(column_get_icmp_error);
COLUMN_GETTER(column_get_series);
COLUMN_PUTTER(column_put_time);
COLUMN_PUTTER(column_put_duration);

/* columns_network.c */
COLUMN_GETTER(column_get_nat_local_addr);
COLUMN_GETTER(column_get_nat_local_port);
COLUMN_GETTER(column_get_nat_remote_addr);
COLUMN_GETTER(column_get_nat_remote_port);
COLUMN_GETTER(column_get_nat_netns);
COLUMN_PUTTER(column_put_translation);
COLUMN_GETTER(column_get_peer_netns);
COLUMN_GETTER(column_get_peer_candidates);
COLUMN_PUTTER(column_put_peer);
COLUMN_GETTER(column_get_exposure);
COLUMN_GETTER(column_get_published_addr);
COLUMN_GETTER(column_get_published_port);
COLUMN_GETTER(column_get_published_by);
COLUMN_GETTER(column_get_published_table);
COLUMN_GETTER(column_get_published_chain);
COLUMN_GETTER(column_get_published_netns);
COLUMN_PUTTER(column_put_exposure_detail);

/* columns_people.c: composed columns, and forms of others for the table */
COLUMN_PUTTER(column_put_state);
COLUMN_PUTTER(column_put_direction);
COLUMN_PUTTER(column_put_local);
COLUMN_PUTTER(column_put_remote);
COLUMN_PUTTER(column_put_process);
COLUMN_PUTTER(column_put_holders);
COLUMN_PUTTER(column_put_user_unit);
COLUMN_PUTTER(column_put_parts); /* "name:value name:value" */
COLUMN_PUTTER(column_put_timers);

#endif
