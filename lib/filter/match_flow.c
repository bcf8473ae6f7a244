/* SPDX-License-Identifier: MIT */
/* What leaves test of a capture's conversations. Of a socket they match nothing. */
#include "filter/internal.h"

#include <stdio.h>
#include <string.h>

#include <portavoz/flow.h>

#define LEAF(name)                                                                                 \
	bool name(const struct leaf *l, const struct pv_snapshot *s,                               \
		  const struct pv_conversation *c)
#define NUMBER(name, value)                                                                        \
	LEAF(name)                                                                                 \
	{                                                                                          \
		const struct pv_flow *f = c->flow;                                                 \
                                                                                                   \
		(void)s;                                                                           \
		return f && in_range(l, value);                                                    \
	}

static bool in_range(const struct leaf *l, uint64_t value)
{
	return value >= l->range.first && value <= l->range.last;
}

NUMBER(match_flow_packets, f->out.packets + f->in.packets)
NUMBER(match_flow_out_packets, f->out.packets)
NUMBER(match_flow_in_packets, f->in.packets)
NUMBER(match_flow_bytes, f->out.bytes + f->in.bytes)
NUMBER(match_flow_out_bytes, f->out.bytes)
NUMBER(match_flow_in_bytes, f->in.bytes)
NUMBER(match_flow_out_payload, f->out.payload)
NUMBER(match_flow_in_payload, f->in.payload)
NUMBER(match_flow_retransmitted, (uint64_t)f->out.retransmitted + f->in.retransmitted)
NUMBER(match_flow_lost, f->out.lost + f->in.lost)
NUMBER(match_flow_resets, (uint64_t)f->out.resets + f->in.resets)
NUMBER(match_flow_icmp_errors, f->icmp_errors)
NUMBER(match_duration, f->end_ns < f->start_ns ? 0 : (uint64_t)(f->end_ns - f->start_ns))

LEAF(match_flow_vlan)
{
	(void)s;
	for (unsigned i = 0; c->flow && i < c->flow->n_vlans; i++)
		if (in_range(l, c->flow->vlans[i]))
			return true;
	return false;
}

LEAF(match_conn_state)
{
	(void)s;
	return c->flow && c->flow->conn_state == l->number;
}

LEAF(match_ending)
{
	(void)s;
	return c->flow && c->flow->ending == l->number;
}

static bool text_match(const struct leaf *l, const char *text)
{
	return text && glob_match(&l->glob, text, strlen(text));
}

LEAF(match_history)
{
	(void)s;
	return c->flow && c->proto == PV_PROTO_TCP && text_match(l, c->flow->history);
}

LEAF(match_observed)
{
	(void)s;
	return c->flow && text_match(l, c->flow->observed);
}

LEAF(match_observed_detail)
{
	(void)s;
	return c->flow && c->flow->observed_detail.len &&
	       glob_match(&l->glob, c->flow->observed_detail.data, c->flow->observed_detail.len);
}

LEAF(match_contradiction)
{
	(void)l, (void)s;
	return c->flow && c->flow->contradiction;
}

static bool mac_match(const struct leaf *l, const struct pv_flow_side *side)
{
	const uint8_t *m = side->mac;
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	return side->has_mac && text_match(l, text);
}

LEAF(match_mac)
{
	(void)s;
	return c->flow && (mac_match(l, &c->flow->out) || mac_match(l, &c->flow->in));
}

LEAF(match_tunnel)
{
	const struct pv_flow *f = c->flow;
	char text[32];

	(void)s;
	if (!f || f->tunnel == PV_TUNNEL_NONE)
		return false;
	snprintf(text, sizeof(text), "%s:%u", pv_tunnel_name(f->tunnel), f->tunnel_id);
	return text_match(l, pv_tunnel_name(f->tunnel)) ||
	       (f->has_tunnel_id && text_match(l, text));
}

LEAF(match_community_id)
{
	char id[PV_COMMUNITY_ID_MAX];

	(void)s;
	return c->flow && pv_conversation_community_id(c, id) && text_match(l, id);
}
