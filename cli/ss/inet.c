/* SPDX-License-Identifier: MIT */
/* Rows of the IP protocols. */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "cli/ss/ss.h"

/* The compiler fills bytes with bit-fields from this end. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BIT_FIELD_SHIFT(n) (n)
#else
#define BIT_FIELD_SHIFT(n) (7 - (n))
#endif

/* Where the kernel has no sock_diag for a protocol ss, too, reads its table, and shows less of it.
 */
static bool is_from_table(const struct pv_conversation *row)
{
	return row->cookie == 0;
}

/* A raw socket is named by the protocol it receives, as far as ss has a name for it. */
static const char *netid(const struct pv_conversation *row)
{
	switch (row->proto) {
	case PV_PROTO_TCP:
		return "tcp";
	case PV_PROTO_MPTCP:
		return "mptcp";
	case PV_PROTO_UDP:
		return "udp";
	case PV_PROTO_SCTP:
		return "sctp";
	case PV_PROTO_DCCP:
		return "dccp";
	default:
		break;
	}
	switch (is_from_table(row) ? 0 : row->protocol) {
	case 0:
		return "raw";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_DCCP:
		return "dccp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	default:
		return "???";
	}
}

static void put_host(struct ss_view *w, const struct pv_conversation *row,
		     const struct pv_endpoint *e, const char *name)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool is_six = row->family == AF_INET6;

	if (is_six && !(row->flags & PV_CONV_V6ONLY) && inet_is_any(AF_INET6, e->addr)) {
		buf_putc(ss_text(w), '*');
	} else if (name) {
		buf_puts(ss_text(w), name);
	} else if (!is_six) {
		inet_put(ss_text(w), AF_INET, e->addr);
	} else {
		/* libc's form: ::10.0.0.1 */
		inet_ntop(AF_INET6, e->addr, text, sizeof(text));
		buf_printf(ss_text(w), "[%s]", text);
	}
}

/* Numbers from which the system picks source ports have no name. */
static const char *service(struct ss_view *w, const struct pv_conversation *row, uint32_t port)
{
	const struct pv_netns *n = pv_snapshot_netns(w->snapshot, row->netns);

	if (w->v->numeric || !w->services)
		return NULL;
	if (port >= n->ephemeral_first && port <= n->ephemeral_last)
		return NULL;
	return services_name(w->services, row->proto == PV_PROTO_UDP, port);
}

static void put_port(struct ss_view *w, const struct pv_conversation *row, uint32_t port)
{
	const struct protoent *p = NULL;
	const char *name;

	if (port == 0) {
		buf_putc(ss_text(w), '*');
		return;
	}
	if (row->proto == PV_PROTO_RAW && !w->v->numeric) {
		p = getprotobynumber((int)port);
		name = p ? p->p_name : NULL;
		if (!name)
			buf_puts(ss_text(w), "ipproto-");
	} else {
		name = row->proto == PV_PROTO_RAW ? NULL : service(w, row, port);
	}
	if (name)
		ss_put_foreign(w, name, strlen(name));
	else
		buf_u64(ss_text(w), port);
}

static void put_inet_end(struct ss_view *w, const struct pv_conversation *row,
			 const struct pv_endpoint *e, size_t which)
{
	const struct pv_name *name = w->names.n ? &w->names.items[2 * w->row + which] : NULL;

	put_host(w, row, e, name ? name->name : NULL);
	if (row->ifindex && e == &row->local) {
		buf_putc(ss_text(w), '%');
		ss_put_ifname(w, row->ifindex);
	}
	buf_putc(ss_text(w), ':');
	ss_end_cell(w);
	put_port(w, row, e->port);
	ss_end_cell(w);
}

/* "1min5sec", "200ms", "5.120ms": the coarser the longer */
static void put_time(struct buf *b, uint32_t ms)
{
	uint32_t minutes = ms / 60000, seconds = ms / 1000 % 60, rest = ms % 1000;

	if (minutes) {
		rest = 0;
		buf_printf(b, "%umin", minutes);
		if (minutes > 9)
			seconds = 0;
	}
	if (seconds > 9)
		rest = 0;
	if (seconds)
		buf_printf(b, "%u%s", seconds, rest ? "." : "sec");
	if (rest)
		buf_printf(b, "%03ums", rest);
}

static void put_timer(struct ss_view *w, const struct pv_conversation *row)
{
	static const char *const names[PV_TIMER_N] = { "off", "on", "keepalive", "timewait",
						       "persist" };
	const char *name = row->timer < PV_TIMER_N ? names[row->timer] : "unknown";

	if (row->timer == PV_TIMER_OFF)
		return;
	buf_printf(ss_text(w), " timer:(%s,", row->proto == PV_PROTO_SCTP ? "T3_RTX" : name);
	put_time(ss_text(w), row->timer_ms);
	buf_printf(ss_text(w), ",%u)", row->retrans);
}

static void put_shutdown(struct ss_view *w, const struct pv_conversation *row)
{
	uint8_t mask;

	if (ss_attribute(row, INET_DIAG_SHUTDOWN, &mask, sizeof(mask)))
		buf_printf(ss_text(w), " %c-%c", mask & 1 ? '-' : '<', mask & 2 ? '-' : '>');
}

static void put_inet_details(struct ss_view *w, const struct pv_conversation *row)
{
	ss_put_details(w, row);
	if (row->family == AF_INET6 && row->flags & PV_CONV_V6ONLY_KNOWN)
		buf_printf(ss_text(w), " v6only:%d", row->flags & PV_CONV_V6ONLY ? 1 : 0);
	put_shutdown(w, row);
}

static void put_tos(struct ss_view *w, const struct pv_conversation *row)
{
	uint8_t byte;
	uint32_t word;

	if (ss_attribute(row, INET_DIAG_TOS, &byte, sizeof(byte)))
		buf_printf(ss_text(w), " tos:%#x", byte);
	if (ss_attribute(row, INET_DIAG_TCLASS, &byte, sizeof(byte)))
		buf_printf(ss_text(w), " tclass:%#x", byte);
	if (ss_attribute(row, INET_DIAG_CLASS_ID, &word, sizeof(word)))
		buf_printf(ss_text(w), " class_id:%#x", word);
}

/* Two bytes of bits, the first one first, in the order of struct inet_diag_sockopt. */
static void put_sockopt(struct ss_view *w, const struct pv_conversation *row)
{
	static const char *const names[] = {
		"recverr",	     "is_icsk",		"freebind",	 "hdrincl",
		"mc_loop",	     "transparent",	"mc_all",	 "nodefrag",
		"bind_addr_no_port", "recverr_rfc4884", "defer_connect",
	};
	uint8_t bytes[2];

	if (!ss_attribute(row, INET_DIAG_SOCKOPT, bytes, sizeof(bytes)))
		return;
	ss_put_break(w, " ");
	buf_puts(ss_text(w), "inet-sockopt: (");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (bytes[i / 8] >> BIT_FIELD_SHIFT(i % 8) & 1)
			buf_printf(ss_text(w), " %s", names[i]);
	buf_putc(ss_text(w), ')');
}

/* The kernel tells no more of UDP than its memory; a raw socket counts as what it receives. */
static bool has_info(const struct pv_conversation *row)
{
	return row->proto != PV_PROTO_UDP &&
	       !(row->proto == PV_PROTO_RAW && row->protocol == IPPROTO_UDP);
}

static void put_info(struct ss_view *w, const struct pv_conversation *row)
{
	if (!w->v->memory && !(w->v->info && has_info(row)))
		return;
	ss_put_break(w, "");
	ss_put_memory(w, row);
	if (row->proto == PV_PROTO_MPTCP || row->proto == PV_PROTO_SCTP)
		ss_put_protocol_info(w, row);
	else
		ss_put_tcp_info(w, row);
}

void ss_put_inet(struct ss_view *w, const struct pv_conversation *row)
{
	ss_put_head(w, netid(row), row);
	put_inet_end(w, row, &row->local, 0);
	put_inet_end(w, row, &row->remote, 1);
	ss_put_users(w, row);
	if (is_from_table(row))
		return;
	if (w->v->timers)
		put_timer(w, row);
	if (w->v->details)
		put_inet_details(w, row);
	if (w->v->tos)
		put_tos(w, row);
	if (w->v->cgroup && row->detail && row->detail->present & PV_DETAIL_CGROUP)
		ss_put_cgroup(w, row->detail->cgroup_id);
	if (w->v->sockopt)
		put_sockopt(w, row);
	put_info(w, row);
}
