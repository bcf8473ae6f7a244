/* SPDX-License-Identifier: MIT */
/* From an entry of the table to a row of a snapshot: the initiator's end becomes the local one. */
#include "flow/row.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/filter.h>

#include "flow/filenames.h"
#include "flow/payload.h"

_Static_assert((int)PV_TUNNEL_TEREDO == (int)DECODE_TUNNEL_TEREDO &&
		       (int)PV_TUNNEL_ETHERIP == (int)DECODE_TUNNEL_ETHERIP &&
		       (int)PV_TUNNEL_N == (int)DECODE_TUNNEL_AMSDU,
	       "the public names of tunnels are the decoder's, in its order");

static enum pv_state state_of(const struct flow_entry *e, const struct pv_flow *f)
{
	static const uint8_t states[PV_CONN_N] = {
		[PV_CONN_S0] = PV_STATE_SYN_SENT,     [PV_CONN_S1] = PV_STATE_ESTABLISHED,
		[PV_CONN_S2] = PV_STATE_FIN_WAIT2,    [PV_CONN_S3] = PV_STATE_CLOSE_WAIT,
		[PV_CONN_SF] = PV_STATE_CLOSE,	      [PV_CONN_REJ] = PV_STATE_CLOSE,
		[PV_CONN_RSTO] = PV_STATE_CLOSE,      [PV_CONN_RSTR] = PV_STATE_CLOSE,
		[PV_CONN_RSTOS0] = PV_STATE_CLOSE,    [PV_CONN_RSTRH] = PV_STATE_CLOSE,
		[PV_CONN_SH] = PV_STATE_FIN_WAIT1,    [PV_CONN_SHR] = PV_STATE_CLOSE_WAIT,
		[PV_CONN_OTH] = PV_STATE_ESTABLISHED,
	};

	if (e->key.proto != PV_PROTO_TCP)
		return PV_STATE_UNKNOWN;
	if (f->conn_state == PV_CONN_S0 && f->ending == PV_ENDING_OPEN)
		return PV_STATE_ESTABLISHED;
	if (f->conn_state == PV_CONN_OTH &&
	    (e->half[0].resetter != FLOW_NO_SIDE || e->half[0].entry_flags & FLOW_ENTRY_CLOSED))
		return PV_STATE_CLOSE;
	return (enum pv_state)states[f->conn_state];
}

static void set_side(struct pv_flow_side *ret, const struct flow_entry *e, unsigned side)
{
	const struct flow_half *h = &e->half[side];
	const struct flow_cold *c = &e->cold[side];

	*ret = (struct pv_flow_side){
		.packets = h->packets,
		.bytes = h->bytes,
		.payload = h->payload,
		.first_ns = c->first,
		.last_ns = h->last,
		.lost = c->lost,
		.gaps = c->gaps,
		.retransmitted = c->retransmitted,
		.out_of_order = c->out_of_order,
		.zero_windows = h->zero_windows,
		.resets = h->resets,
		.tcp_flags = h->tcp_flags,
		.has_mac = e->half[0].entry_flags & FLOW_ENTRY_HAS_MAC,
		.has_time = h->notes & FLOW_HAS_TIME,
		.has_handshake = h->state & FLOW_HAS_HANDSHAKE,
		.handshake_us = c->handshake_us,
		.rtt = { .samples = c->rtt_samples,
			 .min_us = c->rtt_min_us,
			 .mean_us = c->rtt_samples ? (uint32_t)(c->rtt_sum_us / c->rtt_samples) : 0,
			 .max_us = c->rtt_max_us },
	};
	memcpy(ret->mac, e->mac[side], sizeof(ret->mac));
}

static void set_history(struct pv_flow *f, const struct flow_entry *e, unsigned opener)
{
	char *p = f->history;

	if (e->half[0].first_sender != opener)
		*p++ = '^';
	for (unsigned i = 0; i < e->n_history; i++) {
		char letter = (char)(e->history[i] & 0x7f);

		*p++ = e->history[i] >> 7 == opener ? (char)(letter - 'a' + 'A') : letter;
	}
	*p = 0;
}

static void set_flow(struct pv_flow *f, const struct flow_entry *e, unsigned opener)
{
	const struct flow_key *key = &e->key;

	memset(f, 0, sizeof(*f));
	set_side(&f->out, e, opener);
	set_side(&f->in, e, !opener);
	f->start_ns = flow_entry_first(e);
	f->end_ns = flow_entry_last(e);
	f->conn_state = (uint8_t)flow_conn_state(e, opener);
	f->ending = (uint8_t)flow_ending(e, opener);
	f->ip_proto = key->protocol;
	while (f->n_vlans < 2 && key->vlan[f->n_vlans] != FLOW_NO_VLAN) {
		f->vlans[f->n_vlans] = key->vlan[f->n_vlans];
		f->n_vlans++;
	}
	f->ethertype = key->proto == PV_PROTO_ETHER ? key->port[0] : 0;
	f->tunnel = e->tunnel;
	f->has_tunnel_id = e->half[0].entry_flags & FLOW_ENTRY_HAS_TUNNEL_ID;
	f->tunnel_id = e->tunnel_id;
	f->is_inner = key->tunnel != 0;
	f->has_overlap = e->half[0].entry_flags & FLOW_ENTRY_OVERLAP;
	f->icmp_type = key->kind;
	f->icmp_code = e->icmp_code;
	f->icmp_errors = e->icmp_errors;
	f->icmp_error_type = e->error_type;
	f->icmp_error_code = e->error_code;
	set_history(f, e, opener);
}

static void set_end(struct pv_endpoint *end, const struct flow_key *key, unsigned side)
{
	memset(end, 0, sizeof(*end));
	if (key->family != AF_PACKET)
		memcpy(end->addr, key->addr[side], key->family == AF_INET ? 4 : 16);
	end->port = key->port[side];
}

static int add_bins(struct pv_snapshot *s, const struct flow_table *t, const struct flow_entry *e,
		    unsigned opener, struct pv_flow *f)
{
	uint32_t first = t->bins.items[e->last_bin].next, i = first;
	struct pv_flow_bin *bins;
	size_t n = 1;

	for (; i != e->last_bin; i = t->bins.items[i].next)
		n++;
	bins = arena_alloc(&s->arena, n * sizeof(*bins));
	if (!bins)
		return -ENOMEM;
	f->bins = bins;
	f->n_bins = n;
	for (i = first; n; n--, i = t->bins.items[i].next) {
		const struct flow_bin *b = &t->bins.items[i];

		*bins++ = (struct pv_flow_bin){ .start_ns = b->start,
						.out_packets = b->packets[opener],
						.in_packets = b->packets[!opener],
						.out_bytes = b->bytes[opener],
						.in_bytes = b->bytes[!opener] };
	}
	return 0;
}

static int keep(struct pv_snapshot *s, const struct flow_table *t, const struct flow_entry *e,
		unsigned opener, struct pv_conversation *row, const struct pv_flow *f)
{
	struct pv_flow *copy = arena_alloc(&s->arena, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *f;
	row->flow = copy;
	if (flow_payload_keep(s, row, copy) < 0)
		return -ENOMEM;
	if (e->last_bin != FLOW_NONE && add_bins(s, t, e, opener, copy) < 0)
		return -ENOMEM;
	return 0;
}

int flow_row_add(struct pv_snapshot *s, struct flow_table *t, const struct flow_sockets *sockets,
		 struct flow_entry *e, struct flow_owners *owners, const struct pv_filter *filter)
{
	enum pv_direction_by by;
	unsigned known = flow_opener(t, sockets, e, &by);
	unsigned opener = known == FLOW_NO_SIDE ? e->half[0].first_sender : known;
	struct pv_conversation row = {
		.uid = UINT32_MAX,
		.family = e->key.family,
		.proto = e->key.proto,
		.protocol = e->key.protocol,
		.direction = known == FLOW_NO_SIDE ? PV_DIR_UNKNOWN : PV_DIR_OUTGOING,
		.direction_by = (uint8_t)by,
		.owner_reason = PV_REASON_CAPTURE,
	};
	struct pv_conversation *added;
	struct flow_payload_text text;
	struct pv_flow f;

	set_flow(&f, e, opener);
	set_end(&row.local, &e->key, opener);
	set_end(&row.remote, &e->key, !opener);
	row.state = (uint8_t)state_of(e, &f);
	row.flow = &f;
	if (flow_owners_apply(owners, e, opener, s, &row) < 0)
		return -ENOMEM;
	if (flow_payload_show(t, e, opener, &text, &row, &f) < 0)
		return -ENOMEM;
	if (!row.remote_name && t->filenames && row.family != AF_PACKET)
		row.remote_name =
			flow_filenames_get(t->filenames, row.family, e->key.addr[!opener]);
	if (filter && !pv_filter_match(filter, s, &row))
		return 0;
	if (keep(s, t, e, opener, &row, &f) < 0)
		return -ENOMEM;
	added = snapshot_add(s, &row);
	return added ? flow_owners_add_peer(owners, e, opener, s, added) : -ENOMEM;
}
