/* SPDX-License-Identifier: MIT */
/*
 * "portavoz ss", or the program called ss: the options and the lines of iproute2 6.1's ss, so that
 * habits and scripts go on. The snapshot is portavoz's; nothing but ss's text lives here. One file
 * a kind of socket. What differs: hostile bytes in names are escaped, --kill asks, messages about
 * wrong use are portavoz's, and what is not to be had says so.
 */
#ifndef CLI_SS_SS_H
#define CLI_SS_SS_H

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/vec.h"
#include "cli/services.h"

#define SS_EXIT_USAGE 255

/* The tables of sockets, as -A names them, in the order they are shown. */
enum ss_table {
	SS_NETLINK,
	SS_PACKET_DGRAM,
	SS_PACKET_RAW,
	SS_UNIX_DGRAM,
	SS_UNIX_STREAM,
	SS_UNIX_SEQPACKET,
	SS_RAW,
	SS_UDP,
	SS_TCP,
	SS_DCCP,
	SS_SCTP,
	SS_VSOCK_STREAM,
	SS_VSOCK_DGRAM,
	SS_TIPC,
	SS_XDP,
	SS_MPTCP,
	SS_TABLE_N,
};
#define SS_BIT(table) (UINT32_C(1) << (table))

enum ss_family {
	SS_INET,
	SS_INET6,
	SS_LINK,
	SS_UNIX,
	SS_NETLINK_FAMILY,
	SS_VSOCK,
	SS_TIPC_FAMILY,
	SS_XDP_FAMILY,
	SS_FAMILY_N,
};

/* States as ss counts them: without the kernel's own for requests, with UNKNOWN. */
#define SS_STATES_ALL ((UINT32_C(1) << PV_STATE_NEW_SYN_RECV) - 1)

struct ss_values {
	uint32_t tables;       /* SS_BIT() */
	uint32_t families;     /* 1 << enum ss_family */
	int preferred;	       /* enum ss_family named last; -1 = none */
	uint32_t states;       /* what the tables and families named show without more words */
	uint32_t asked_states; /* of -a, -l, -B; 0 = not said */
	bool has_query;	       /* -A was given */
	bool is_chosen;	       /* tables or families were named */
	bool bound_inactive;   /* -B */
	bool numeric, resolve, all, timers, details, memory, info, processes, threads;
	bool tos, cgroup, sockopt, bpf, events, context, contexts, no_header, oneline, no_queues,
		summary;
	bool kill, yes, version, tipcinfo;
	const char *netns, *dump, *filter, *replay, *dns_servers;
	const char *redact;
	struct pv_redactor
		*redactor; /* NULL = nothing is renamed; then ports and hosts are numbers */
	uint32_t dns_timeout_ms;
};

/* options.c */
/* Makes the tables and families of -A, -f and the rest one selection, as ss does. */
void ss_merge_defaults(struct ss_values *v);

/*
 * layout.c: cells in lines, padded to the widest of their column. The ends of sockets are two cells
 * each, the host to the right and the port to the left.
 */
enum ss_column {
	SS_COLUMN_NETID,
	SS_COLUMN_STATE,
	SS_COLUMN_RECV_Q,
	SS_COLUMN_SEND_Q,
	SS_COLUMN_LOCAL,
	SS_COLUMN_LOCAL_PORT,
	SS_COLUMN_PEER,
	SS_COLUMN_PEER_PORT,
	SS_COLUMN_MORE,
	SS_COLUMN_N,
};

struct ss_layout {
	struct buf text;
	VEC(size_t) ends;	    /* of each cell in text, SS_COLUMN_N a line */
	size_t widths[SS_COLUMN_N]; /* of the widest cell so far, in lines put before, too */
	bool is_hidden[SS_COLUMN_N], has_header;
};

void ss_layout_deinit(struct ss_layout *l);
/* The text appended since the last call is a cell, the next one of its line. */
int ss_layout_end_cell(struct ss_layout *l);
/* The titles, before any other line */
int ss_layout_header(struct ss_layout *l);
/* Appends the lines, fitted to a terminal of that width; 0 = none. */
void ss_layout_put(struct ss_layout *l, size_t width, struct buf *out);
/* For the lines that follow, which are as wide as those before them, or wider */
void ss_layout_clear(struct ss_layout *l);

/* One run. */
struct ss_view {
	const struct ss_values *v;
	struct pv_snapshot *snapshot;
	struct ss_layout layout;
	struct services *services;
	struct pv_cgroups *cgroups;
	VEC(uint32_t) rows;	   /* for pv_snapshot_get(), in the order shown */
	VEC(struct pv_name) names; /* two a row */
	struct pv_names *names_owner;
	struct pv_tasks *tasks; /* NULL = not asked for */
	size_t row;		/* the one being shown, of rows */
	int error;		/* the first -errno */
};

static inline struct buf *ss_text(struct ss_view *w)
{
	return &w->layout.text;
}

/* common.c: what rows of several kinds have in common */
void ss_end_cell(struct ss_view *w);
/* netid, state and queues; netid may be "" */
void ss_put_head(struct ss_view *w, const char *netid, const struct pv_conversation *row);
/* An end: host, what stands between, port */
void ss_put_end(struct ss_view *w, const char *host, const char *between, const char *port);
void ss_put_foreign(struct ss_view *w, const char *data, size_t len);
/* " users:((...))" when asked for */
void ss_put_users(struct ss_view *w, const struct pv_conversation *row);
/* " uid:0 ino:1 sk:2 ..." */
void ss_put_details(struct ss_view *w, const struct pv_conversation *row);
void ss_put_memory(struct ss_view *w, const struct pv_conversation *row);
/* "\n\t", or nothing with -O */
void ss_put_break(struct ss_view *w, const char *oneline);
void ss_put_ifname(struct ss_view *w, uint32_t ifindex);
void ss_put_cgroup(struct ss_view *w, uint64_t id);
/* Copies an attribute of the row to `to`, zeroes behind what the kernel sent; false: none. */
bool ss_attribute(const struct pv_conversation *row, uint16_t type, void *to, size_t size);

/* A file each. They leave SS_COLUMN_MORE open for the caller to end. */
void ss_put_inet(struct ss_view *w, const struct pv_conversation *row);
void ss_put_tcp_info(struct ss_view *w, const struct pv_conversation *row);
void ss_put_protocol_info(struct ss_view *w, const struct pv_conversation *row);
void ss_put_unix(struct ss_view *w, const struct pv_conversation *row);
void ss_put_packet(struct ss_view *w, const struct pv_conversation *row);
void ss_put_netlink(struct ss_view *w, const struct pv_conversation *row);
void ss_put_vsock(struct ss_view *w, const struct pv_conversation *row);
void ss_put_xdp(struct ss_view *w, const struct pv_conversation *row);

/* list.c: the sockets; events.c: -E; summary.c: -s. Exit status. */
int ss_list(const struct ss_values *v, const struct pv_filter *filter);
int ss_events(const struct ss_values *v, const struct pv_filter *filter);
int ss_summary(void);

/* list.c: what the values ask the library for */
void ss_make_request(const struct ss_values *v, const struct pv_filter *filter,
		     struct pv_request *q);
/* A view with what it needs but a snapshot; ss_view_deinit() in any case. */
void ss_view_init(struct ss_view *w, const struct ss_values *v);
void ss_view_deinit(struct ss_view *w);
/* The rows of w->snapshot but those left out, in the layout. 0 or -errno. */
int ss_view_fill(struct ss_view *w, const bool *omit);
/* Before the rows of another snapshot: what is kept are the widths. */
void ss_view_clear(struct ss_view *w);

#endif
