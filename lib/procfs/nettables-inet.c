/* SPDX-License-Identifier: MIT */
/* Lines of the tables that have one socket a line and no foreign text: IP, packet, netlink. */
#include <sys/socket.h>

#include "procfs/nettables-internal.h"

#define USER_HZ_MS 10 /* tables count time in 1/100 s on every architecture but old alpha */

/* Each 32-bit word of an address is printed as a number of this machine. */
static bool address_of(struct text t, int family, uint8_t addr[static 16])
{
	size_t n_words = family == AF_INET6 ? 4 : 1;

	if (text_len(t) != n_words * 8)
		return false;
	for (size_t i = 0; i < n_words; i++) {
		struct text word = { t.p + i * 8, t.p + i * 8 + 8 };
		uint32_t v;

		if (!text_u32(word, 16, &v))
			return false;
		memcpy(addr + i * 4, &v, 4);
	}
	return true;
}

/* "0100007F:1F90" */
static bool endpoint_of(struct text t, int family, struct pv_endpoint *e)
{
	struct text addr;

	return text_until(&t, ':', &addr) && address_of(addr, family, e->addr) &&
	       text_len(t) == 4 && text_u32(t, 16, &e->port);
}

/* "00000000:00000001": two numbers in base 16 */
static bool pair_of(struct text t, uint32_t *a, uint32_t *b)
{
	struct text first;

	return text_until(&t, ':', &first) && text_u32(first, 16, a) && text_u32(t, 16, b);
}

static bool word_pair(struct text *line, uint32_t *a, uint32_t *b)
{
	struct text w;

	return text_word(line, &w) && pair_of(w, a, b);
}

static bool word_endpoint(struct text *line, int family, struct pv_endpoint *e)
{
	struct text w;

	return text_word(line, &w) && endpoint_of(w, family, e);
}

static bool set_state(struct pv_conversation *row, uint32_t state)
{
	if (state == 0 || state >= PV_STATE_N)
		return false;
	row->state = (uint8_t)(state == PV_STATE_NEW_SYN_RECV ? PV_STATE_SYN_RECV : state);
	return true;
}

static void set_timer(struct pv_conversation *row, uint32_t timer, uint32_t when,
		      uint32_t retransmits, uint32_t probes)
{
	uint32_t n = timer == PV_TIMER_ON ? retransmits : probes;

	if (row->proto != PV_PROTO_TCP || timer == PV_TIMER_OFF || timer >= PV_TIMER_N)
		return;
	row->timer = (uint8_t)timer;
	row->timer_ms = when > UINT32_MAX / USER_HZ_MS ? UINT32_MAX : when * USER_HZ_MS;
	if (timer != PV_TIMER_TIMEWAIT)
		row->retrans = (uint8_t)(n > 255 ? 255 : n);
}

/*
 * "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 4711 ...": slot,
 * ends, state, send:receive queue, timer:when, retransmits, uid, probes, inode. Listeners give
 * their waiting connections as the receive queue and no backlog.
 */
bool nettables_inet_line(struct text line, const struct table *table, struct pv_conversation *row)
{
	uint32_t state, timer, when, retransmits, probes;

	if (!text_skip(&line, 1) || !word_endpoint(&line, table->family, &row->local) ||
	    !word_endpoint(&line, table->family, &row->remote) ||
	    !text_word_u32(&line, 16, &state) || !set_state(row, state) ||
	    !word_pair(&line, &row->send_q, &row->recv_q) || !word_pair(&line, &timer, &when) ||
	    !text_word_u32(&line, 16, &retransmits) || !text_word_u32(&line, 10, &row->uid) ||
	    !text_word_u32(&line, 10, &probes) || !text_word_u32(&line, 10, &row->inode))
		return false;
	set_timer(row, timer, when, retransmits, probes);
	/* a raw socket's "port" is the IP protocol it receives */
	if (row->proto == PV_PROTO_RAW)
		row->protocol = (uint8_t)row->local.port;
	return true;
}

static bool word_pointer(struct text *line)
{
	struct text w;

	return text_word(line, &w) && nettables_is_pointer(w);
}

/* sk, references, type, ethertype, interface, running, receive memory, user, inode */
bool nettables_packet_line(struct text line, const struct table *table, struct pv_conversation *row)
{
	uint32_t type;

	if (!word_pointer(&line) || !text_skip(&line, 1) || !text_word_u32(&line, 10, &type) ||
	    !text_word_u32(&line, 16, &row->local.port) ||
	    !text_word_u32(&line, 10, &row->ifindex) || !text_skip(&line, 1) ||
	    !text_word_u32(&line, 10, &row->recv_q) || !text_word_u32(&line, 10, &row->uid) ||
	    !text_word_u32(&line, 10, &row->inode))
		return false;
	(void)table;
	row->family = AF_PACKET;
	row->type = (uint8_t)type;
	return type <= SOCK_PACKET;
}

/* A port id, which kernels before 3.13 print with a sign. */
static bool word_portid(struct text *line, uint32_t *ret)
{
	struct text w;
	bool is_negative;

	if (!text_word(line, &w))
		return false;
	is_negative = text_starts(w, "-");
	w.p += is_negative;
	if (!text_u32(w, 10, ret))
		return false;
	*ret = is_negative ? 0 - *ret : *ret;
	return true;
}

/* sk, protocol, port id, groups, receive, send memory, dump, references, drops, inode */
bool nettables_netlink_line(struct text line, const struct table *table,
			    struct pv_conversation *row)
{
	uint32_t protocol;

	if (!word_pointer(&line) || !text_word_u32(&line, 10, &protocol) || protocol > UINT8_MAX ||
	    !word_portid(&line, &row->local.port) || !text_skip(&line, 1) ||
	    !text_word_u32(&line, 10, &row->recv_q) || !text_word_u32(&line, 10, &row->send_q) ||
	    !text_skip(&line, 3) || !text_word_u32(&line, 10, &row->inode))
		return false;
	(void)table;
	row->family = AF_NETLINK;
	row->protocol = (uint8_t)protocol;
	/* sockets are listed once they have a port id; 0 is that of the kernel's own ones */
	if (row->local.port == 0)
		row->flags |= PV_CONV_KERNEL;
	return true;
}
