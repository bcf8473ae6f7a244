/* SPDX-License-Identifier: MIT */
/* What a conversation carries: its payload goes to the observer, its words to the row. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/packet.h"
#include "flow/row.h"

/* The transport whose payload is looked at, or PV_TRANSPORT_N. */
static enum pv_transport transport_of(uint8_t proto)
{
	switch ((enum pv_proto)proto) {
	case PV_PROTO_TCP:
		return PV_TRANSPORT_TCP;
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
		return PV_TRANSPORT_UDP;
	case PV_PROTO_SCTP:
		return PV_TRANSPORT_SCTP;
	case PV_PROTO_DCCP:
		return PV_TRANSPORT_DCCP;
	default:
		return PV_TRANSPORT_N;
	}
}

static bool is_worth_a_look(const struct decoded_layer *l)
{
	if (!l->payload_captured)
		return false;
	if (l->flags & DECODE_REASSEMBLED)
		return true;
	/* a part of a datagram tells less than the whole that follows */
	return !(l->flags & (DECODE_FRAGMENT | DECODE_LATER_FRAGMENT | DECODE_UNPLACED));
}

int flow_payload_add(struct flow_table *t, struct flow_entry *e, unsigned side, int64_t time,
		     const struct decoded_layer *l)
{
	struct observe_payload p = {
		.data = l->payload,
		.len = l->payload_captured,
		.side = (uint8_t)side,
		.transport = (uint8_t)transport_of(l->proto),
		.family = l->family,
		.is_cut = !(l->flags & DECODE_REASSEMBLED) && l->payload_captured < l->payload_wire,
		.src = l->src,
		.dst = l->dst,
		.src_port = l->src_port,
		.dst_port = l->dst_port,
		.time = (uint64_t)time,
	};

	if (p.transport == PV_TRANSPORT_N || !is_worth_a_look(l))
		return 0;
	if (l->proto == PV_PROTO_TCP)
		p.offset = l->tcp.seq + (l->tcp.flags & DECODE_TCP_SYN ? 1 : 0) -
			   (e->half[side].isn + 1);
	return observe_feed(t->observe, &e->observe, &p);
}

static char *copy_text(struct pv_snapshot *s, const char *text, size_t n)
{
	return n ? arena_dup(&s->arena, text, n) : NULL;
}

/* The responder's port is the one whose service may be contradicted. */
static int set_contradiction(struct pv_snapshot *s, const struct flow_table *t,
			     const struct flow_entry *e, unsigned responder, struct pv_flow *f)
{
	char text[OBSERVE_CONTRADICTION_MAX];
	size_t n = observe_contradiction(t->observe, &e->observe, e->key.port[responder],
					 transport_of(e->key.proto), text);

	f->contradiction = copy_text(s, text, n);
	return n && !f->contradiction ? -ENOMEM : 0;
}

int flow_payload_tell(struct pv_snapshot *s, const struct flow_table *t, struct flow_entry *e,
		      unsigned opener, struct pv_conversation *row, struct pv_flow *f)
{
	const char *text, *name;
	size_t n;
	int r;

	if (!t->observe || transport_of(e->key.proto) == PV_TRANSPORT_N)
		return 0;
	r = observe_finish(t->observe, &e->observe);
	if (r < 0)
		return r;
	/* names of addresses are a matter of the initiator's host */
	name = observe_asked_name(t->observe, e->key.family, e->key.addr[opener],
				  e->key.addr[!opener]);
	if (name && !(row->remote_name = copy_text(s, name, strlen(name))))
		return -ENOMEM;
	if (observe_state_verdict(&e->observe) != OBSERVE_FOUND)
		return 0;
	text = observe_state_name(t->observe, &e->observe);
	f->observed = copy_text(s, text, strlen(text));
	text = observe_state_detail(&e->observe, &n);
	r = snapshot_bytes(s, &f->observed_detail, text, n);
	if (r < 0 || !f->observed)
		return -ENOMEM;
	return set_contradiction(s, t, e, !opener, f);
}
