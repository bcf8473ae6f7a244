/* SPDX-License-Identifier: MIT */
/* The machine that runs the steps, the table of link types, and names. */
#include <stddef.h>
#include <string.h>

#include "capture/decode-internal.h"
#include "capture/linktype.h"

_Static_assert(offsetof(struct decoded_layer, link) <= 96 &&
		       offsetof(struct decoded_layer, tcp.sack) - offsetof(struct decoded_layer, tcp) <= 96,
	       "longer runs of zeroes are made by a slow instruction");

/* All of a layer but its link, which is there already, and the SACK blocks, which are counted. */
static inline void clear_layer(struct decoded_layer *layer)
{
	memset(layer, 0, offsetof(struct decoded_layer, link));
	memset(&layer->tcp, 0, offsetof(struct decoded_layer, tcp.sack) - offsetof(struct decoded_layer, tcp));
}

static inline void begin_link(struct machine *m)
{
	m->link = m->ret->n_layers < DECODE_LAYERS ? &m->ret->layers[m->ret->n_layers].link : &m->spare;
	memset(m->link, 0, sizeof(*m->link));
}

struct decoded_layer *add_layer(struct machine *m)
{
	struct decoded_layer *layer;

	if (m->ret->n_layers == DECODE_LAYERS) {
		odd(m, DECODE_TOO_DEEP);
		return NULL;
	}
	layer = &m->ret->layers[m->ret->n_layers++];
	clear_layer(layer);
	layer->tunnel = m->tunnel;
	layer->tunnel_id = m->tunnel_id;
	m->layer = layer;
	return layer;
}

enum step open_tunnel(struct machine *m, enum decode_tunnel tunnel, uint32_t id, enum step next)
{
	m->tunnel = tunnel;
	m->tunnel_id = id;
	begin_link(m);
	return next;
}

static const step_fn steps[STEP_N] = {
	[STEP_ETHERNET] = step_ethernet,
	[STEP_ETHERTYPE] = step_ethertype,
	[STEP_IP] = step_ip,
	[STEP_IP4] = step_ip4,
	[STEP_IP6] = step_ip6,
	[STEP_PROTOCOL] = step_protocol,
};

struct link_type {
	const char *name;
	uint16_t number;
	uint8_t first; /* enum step */
};

static const struct link_type link_types[] = {
	{ "ethernet", LINKTYPE_ETHERNET, STEP_ETHERNET },
	{ "raw", LINKTYPE_RAW, STEP_IP },
	{ "raw", LINKTYPE_RAW_BSD, STEP_IP },
	{ "raw", LINKTYPE_RAW_OPENBSD, STEP_IP },
	{ "ipv4", LINKTYPE_IPV4, STEP_IP4 },
	{ "ipv6", LINKTYPE_IPV6, STEP_IP6 },
};

static const struct link_type *find_link_type(uint16_t number)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(*link_types); i++)
		if (link_types[i].number == number)
			return &link_types[i];
	return NULL;
}

const char *decode_link_name(uint16_t link_type)
{
	const struct link_type *l = find_link_type(link_type);

	return l ? l->name : NULL;
}

const char *decode_tunnel_name(enum decode_tunnel tunnel)
{
	static const char *const names[DECODE_TUNNEL_N] = {
		[DECODE_TUNNEL_NONE] = "none",	 [DECODE_TUNNEL_IPIP] = "ipip",
		[DECODE_TUNNEL_GRE] = "gre",	 [DECODE_TUNNEL_ERSPAN] = "erspan",
		[DECODE_TUNNEL_VXLAN] = "vxlan", [DECODE_TUNNEL_GENEVE] = "geneve",
		[DECODE_TUNNEL_GTPU] = "gtpu",	 [DECODE_TUNNEL_TEREDO] = "teredo",
		[DECODE_TUNNEL_MPLS] = "mpls",	 [DECODE_TUNNEL_L2TP] = "l2tp",
		[DECODE_TUNNEL_AH] = "ah",	 [DECODE_TUNNEL_AMSDU] = "amsdu",
	};

	return (size_t)tunnel < DECODE_TUNNEL_N ? names[tunnel] : "unknown";
}

void decode_packet(struct decoder *d, const struct packet *p, struct decoded *ret)
{
	struct machine m;
	const struct link_type *l = find_link_type(p->link_type);
	enum step next = l ? l->first : STEP_END;

	ret->n_layers = 0;
	ret->flags = 0;
	ret->quote.family = 0;
	m.p = p->data;
	m.left = p->captured;
	m.wire = p->wire > p->captured ? p->wire : p->captured;
	m.tunnel = DECODE_TUNNEL_NONE;
	m.tunnel_id = 0;
	m.packet = p;
	m.decoder = d;
	m.ret = ret;
	m.layer = NULL;
	begin_link(&m);
	for (int i = 0; next != STEP_END; i++)
		next = i < STEPS_MAX ? steps[next](&m) : odd(&m, DECODE_TOO_DEEP);
}
