/* SPDX-License-Identifier: MIT */
/* The machine that runs the steps, the table of link types, and names. */
#include <stddef.h>
#include <string.h>

#include "capture/decode-internal.h"
#include "capture/linktype.h"

_Static_assert(offsetof(struct decoded_layer, link) <= 96 &&
		       offsetof(struct decoded_layer, tcp.sack) -
				       offsetof(struct decoded_layer, tcp) <=
			       96,
	       "longer runs of zeroes are made by a slow instruction");

/* All of a layer but its link, which is there already, and the SACK blocks, which are counted. */
static inline void clear_layer(struct decoded_layer *layer)
{
	memset(layer, 0, offsetof(struct decoded_layer, link));
	memset(&layer->tcp, 0,
	       offsetof(struct decoded_layer, tcp.sack) - offsetof(struct decoded_layer, tcp));
}

static inline void begin_link(struct machine *m)
{
	m->link = m->ret->n_layers < DECODE_LAYERS ? &m->ret->layers[m->ret->n_layers].link
						   : &m->spare;
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
	/* what is in a fragment is looked at when all of the datagram is there, and once */
	if (m->decoder && is_part(m))
		return STEP_END;
	begin_layer(m, tunnel, id);
	return next;
}

void begin_layer(struct machine *m, enum decode_tunnel tunnel, uint32_t id)
{
	m->tunnel = tunnel;
	m->tunnel_id = id;
	begin_link(m);
}

static const step_fn steps[STEP_N] = {
	[STEP_ETHERNET] = step_ethernet,
	[STEP_ETHERTYPE] = step_ethertype,
	[STEP_LLC] = step_llc,
	[STEP_IP] = step_ip,
	[STEP_IP4] = step_ip4,
	[STEP_IP6] = step_ip6,
	[STEP_PROTOCOL] = step_protocol,
	[STEP_MPLS] = step_mpls,
	[STEP_PPP] = step_ppp,
	[STEP_PPPOE] = step_pppoe,
	[STEP_PPP_HDLC] = step_ppp_hdlc,
	[STEP_PPP_DIRECTION] = step_ppp_direction,
	[STEP_CISCO_HDLC] = step_cisco_hdlc,
	[STEP_NULL] = step_null,
	[STEP_LOOP] = step_loop,
	[STEP_SLL] = step_sll,
	[STEP_SLL2] = step_sll2,
	[STEP_WIFI] = step_wifi,
	[STEP_RADIOTAP] = step_radiotap,
	[STEP_PRISM] = step_prism,
	[STEP_AVS] = step_avs,
	[STEP_SUBFRAME] = step_subframe,
};

struct link_type {
	const char *name;
	uint16_t number;
	uint8_t first; /* enum step */
};

static const struct link_type link_types[] = {
	{ "ethernet", LINKTYPE_ETHERNET, STEP_ETHERNET },
	{ "linux_sll", LINKTYPE_LINUX_SLL, STEP_SLL },
	{ "linux_sll2", LINKTYPE_LINUX_SLL2, STEP_SLL2 },
	{ "raw", LINKTYPE_RAW, STEP_IP },
	{ "raw", LINKTYPE_RAW_BSD, STEP_IP },
	{ "raw", LINKTYPE_RAW_OPENBSD, STEP_IP },
	{ "ipv4", LINKTYPE_IPV4, STEP_IP4 },
	{ "ipv6", LINKTYPE_IPV6, STEP_IP6 },
	{ "null", LINKTYPE_NULL, STEP_NULL },
	{ "loop", LINKTYPE_LOOP, STEP_LOOP },
	{ "ppp", LINKTYPE_PPP, STEP_PPP_HDLC },
	{ "ppp_hdlc", LINKTYPE_PPP_HDLC, STEP_PPP_HDLC },
	{ "ppp_ether", LINKTYPE_PPP_ETHER, STEP_PPPOE },
	{ "ppp_pppd", LINKTYPE_PPP_PPPD, STEP_PPP_DIRECTION },
	{ "ppp_with_dir", LINKTYPE_PPP_WITH_DIR, STEP_PPP_DIRECTION },
	{ "c_hdlc", LINKTYPE_C_HDLC, STEP_CISCO_HDLC },
	{ "mpls", LINKTYPE_MPLS, STEP_MPLS },
	{ "ieee802_11", LINKTYPE_IEEE802_11, STEP_WIFI },
	{ "ieee802_11_radiotap", LINKTYPE_IEEE802_11_RADIOTAP, STEP_RADIOTAP },
	{ "ieee802_11_prism", LINKTYPE_IEEE802_11_PRISM, STEP_PRISM },
	{ "ieee802_11_avs", LINKTYPE_IEEE802_11_AVS, STEP_AVS },
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

size_t decode_n_link_types(void)
{
	return sizeof(link_types) / sizeof(*link_types);
}

uint16_t decode_link_type(size_t i)
{
	return link_types[i].number;
}

const char *decode_tunnel_name(enum decode_tunnel tunnel)
{
	static const char *const names[DECODE_TUNNEL_N] = {
		[DECODE_TUNNEL_NONE] = "none",	 [DECODE_TUNNEL_IPIP] = "ipip",
		[DECODE_TUNNEL_GRE] = "gre",	 [DECODE_TUNNEL_ERSPAN] = "erspan",
		[DECODE_TUNNEL_VXLAN] = "vxlan", [DECODE_TUNNEL_GENEVE] = "geneve",
		[DECODE_TUNNEL_GTPU] = "gtpu",	 [DECODE_TUNNEL_TEREDO] = "teredo",
		[DECODE_TUNNEL_MPLS] = "mpls",	 [DECODE_TUNNEL_ETHERIP] = "etherip",
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
	ret->place = p->place << 1 | !!(p->flags & PACKET_OUTBOUND);
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
	m.beside_left = 0;
	m.n_whole = 0;
	for (int i = 0; next != STEP_END; i++) {
		next = i < STEPS_MAX ? steps[next](&m) : odd(&m, DECODE_TOO_DEEP);
		if (__builtin_expect(m.beside_left > 0, 0) && next == STEP_END && i < STEPS_MAX)
			next = STEP_SUBFRAME;
	}
}
