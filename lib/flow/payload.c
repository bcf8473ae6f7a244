/* SPDX-License-Identifier: MIT */
/* Between the table and lib/observe: payloads to the observer, what it found to the row. */
#include "flow/payload.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define NO_TRANSPORT PV_TRANSPORT_N

static enum pv_transport transport_of(const struct flow_entry *e)
{
	switch (e->key.proto) {
	case PV_PROTO_TCP:
		return PV_TRANSPORT_TCP;
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
		return PV_TRANSPORT_UDP;
	default:
		return NO_TRANSPORT;
	}
}

#define UNSOUND (DECODE_TRUNCATED | DECODE_BAD_LENGTH | DECODE_BAD_HEADER)

/* Pieces of a datagram tell nothing until the last of them brings all of it. */
static bool is_whole(const struct decoded_layer *l)
{
	if (l->flags & UNSOUND)
		return false;
	if (l->flags & DECODE_REASSEMBLED)
		return l->proto != PV_PROTO_TCP; /* its numbers are not counted in fragments */
	return !(l->flags & (DECODE_FRAGMENT | DECODE_LATER_FRAGMENT));
}

int flow_payload_add(struct flow_table *t, struct flow_entry *e, unsigned side,
		     const struct packet *p, const struct decoded_layer *l)
{
	const struct flow_half *h = &e->half[side];
	struct observe_payload payload = {
		.data = l->payload,
		.len = l->payload_captured,
		.side = (uint8_t)side,
		.transport = (uint8_t)transport_of(e),
		.family = l->family,
		.is_cut = !(l->flags & DECODE_REASSEMBLED) && l->payload_captured < l->payload_wire,
		.src = l->src,
		.dst = l->dst,
		.src_port = l->src_port,
		.dst_port = l->dst_port,
		.time = p->time_ns,
	};

	if (payload.transport == NO_TRANSPORT) {
		/* so that it is not asked again */
		e->observe.flags |= OBSERVE_SIDE_DONE(0) | OBSERVE_SIDE_DONE(1);
		return 0;
	}
	if (!is_whole(l))
		return 0;
	if (payload.transport == PV_TRANSPORT_TCP) {
		if (!(h->state & FLOW_HAS_SEQ))
			return 0;
		/* SYN takes a number of its own; data behind it is TCP Fast Open */
		payload.offset = l->tcp.seq + !!(l->tcp.flags & DECODE_TCP_SYN) - (h->isn + 1);
	}
	return observe_feed(t->observe, &e->observe, &payload);
}

static const char *asked_name(const struct flow_table *t, const struct flow_entry *e,
			      unsigned opener, uint64_t start)
{
	int family = e->key.family;
	const char *name;

	if (family != AF_INET && family != AF_INET6)
		return NULL;
	name = observe_asked_name(t->observe, family, e->key.addr[opener], e->key.addr[!opener],
				  start);
	return name ? name
		    : observe_asked_name(t->observe, family, NULL, e->key.addr[!opener], start);
}

int flow_payload_show(struct flow_table *t, struct flow_entry *e, unsigned opener,
		      struct flow_payload_text *text, struct pv_conversation *row,
		      struct pv_flow *flow)
{
	enum pv_transport transport = transport_of(e);
	size_t n;
	int r;

	if (!t->observe)
		return 0;
	r = observe_finish(t->observe, &e->observe);
	row->remote_name = asked_name(t, e, opener, (uint64_t)flow->start_ns);
	if (observe_state_verdict(&e->observe) != OBSERVE_FOUND)
		return r;
	flow->observed = observe_state_name(t->observe, &e->observe);
	flow->observed_detail.data = observe_state_detail(&e->observe, &n);
	flow->observed_detail.len = (uint32_t)n;
	n = transport == NO_TRANSPORT
		    ? 0
		    : observe_contradiction(t->observe, &e->observe, e->key.port[!opener],
					    transport, text->contradiction);
	text->contradiction[n] = 0;
	flow->contradiction = n ? text->contradiction : NULL;
	return r;
}

static int keep(struct pv_snapshot *s, const char **text)
{
	if (!*text)
		return 0;
	*text = arena_strdup(&s->arena, *text);
	return *text ? 0 : -ENOMEM;
}

int flow_payload_keep(struct pv_snapshot *s, struct pv_conversation *row, struct pv_flow *flow)
{
	struct pv_bytes *detail = &flow->observed_detail;

	if (keep(s, &flow->observed) < 0 || keep(s, &flow->contradiction) < 0 ||
	    keep(s, &row->remote_name) < 0)
		return -ENOMEM;
	if (detail->len)
		detail->data = arena_dup(&s->arena, detail->data, detail->len);
	return detail->len && !detail->data ? -ENOMEM : 0;
}
