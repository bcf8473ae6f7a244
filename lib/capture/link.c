/* SPDX-License-Identifier: MIT */
/* Link headers: Ethernet with its tags, LLC and SNAP; ethertypes. */
#include <string.h>

#include "capture/decode-internal.h"

#define ETHER_HEADER 14
#define ETHERTYPE_MIN 0x600 /* below it is a length (IEEE 802.3) */

/* The rest is not looked into: the frame is a conversation of its MAC addresses. */
static enum step other_frame(struct machine *m)
{
	struct decoded_layer *layer = add_layer(m);

	if (!layer)
		return STEP_END;
	layer->proto = PV_PROTO_ETHER;
	layer->protocol = layer->link.ethertype;
	layer->payload = m->left ? m->p : NULL;
	layer->payload_captured = m->left;
	layer->payload_wire = m->wire;
	return STEP_END;
}

/* What an ethertype leads to. */
struct ethertype {
	uint16_t type;
	enum step (*step)(struct machine *m);
};

static enum step vlan_tag(struct machine *m)
{
	struct decoded_link *link = m->link;

	if (m->left < 4)
		return too_short(m, 4);
	if (link->n_vlans < DECODE_VLANS)
		link->vlan[link->n_vlans] = be16(m->p) & 0xfff;
	if (link->n_vlans < UINT8_MAX)
		link->n_vlans++;
	m->ethertype = be16(m->p + 2);
	take(m, 4);
	return STEP_ETHERTYPE;
}

static const struct ethertype ethertypes[] = {
	{ 0x0800, step_ip4 }, { 0x86dd, step_ip6 }, { 0x8100, vlan_tag },
	{ 0x88a8, vlan_tag }, { 0x9100, vlan_tag },
};

enum step step_ethertype(struct machine *m)
{
	m->link->ethertype = m->ethertype;
	for (size_t i = 0; i < sizeof(ethertypes) / sizeof(*ethertypes); i++)
		if (ethertypes[i].type == m->ethertype)
			return ethertypes[i].step(m);
	return other_frame(m);
}

enum step step_ethernet(struct machine *m)
{
	if (m->left < ETHER_HEADER)
		return too_short(m, ETHER_HEADER);
	m->link->dst = m->p;
	m->link->src = m->p + 6;
	m->ethertype = be16(m->p + 12);
	take(m, ETHER_HEADER);
	return step_ethertype(m);
}
