/* SPDX-License-Identifier: MIT */
/* A decoded packet as text. */
#include "base/inet.h"
#include "decode_text.h"

static const char *const flag_names[] = {
	"truncated", "bad_length",  "bad_header", "fragment",  "later_fragment",
	"unplaced",  "reassembled", "overlap",	  "no_length", "too_deep",
	"encrypted", "ttl_expired", "more_later",
};

static void put_flags(struct buf *b, unsigned int flags, const char *prefix)
{
	char separator = ' ';

	for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++) {
		if (!(flags >> i & 1))
			continue;
		buf_printf(b, "%c%s%s", separator, prefix, flag_names[i]);
		separator = ',';
	}
}

static void put_mac(struct buf *b, const uint8_t *mac)
{
	for (int i = 0; mac && i < 6; i++)
		buf_printf(b, "%02x", mac[i]);
	if (!mac)
		buf_puts(b, "none");
}

static void put_link(struct buf *b, const struct decoded_link *link)
{
	if (link->src || link->dst) {
		put_mac(b, link->src);
		buf_putc(b, '>');
		put_mac(b, link->dst);
		buf_putc(b, ' ');
	}
	for (int i = 0; i < link->n_vlans && i < DECODE_VLANS; i++)
		buf_printf(b, "%s%u", i ? "." : "vlan ", link->vlan[i]);
	if (link->n_vlans > DECODE_VLANS)
		buf_printf(b, "(+%d)", link->n_vlans - DECODE_VLANS);
	buf_puts(b, link->n_vlans ? " " : "");
	if (link->n_mpls)
		buf_printf(b, "mpls %ux%u ", link->mpls_label, link->n_mpls);
	if (link->pppoe_session)
		buf_printf(b, "pppoe %u ", link->pppoe_session);
}

static void put_end(struct buf *b, int family, const uint8_t *addr, unsigned int port,
		    bool has_ports)
{
	inet_put(b, family, addr);
	if (has_ports)
		buf_printf(b, ":%u", port);
}

static void put_tcp(struct buf *b, const struct decoded_tcp *t)
{
	buf_putc(b, ' ');
	for (int i = 0; i < 9; i++)
		if (t->flags >> i & 1)
			buf_putc(b, "FSRPAUECN"[i]);
	buf_printf(b, " seq %u ack %u win %u", t->seq, t->ack, t->window);
	if (t->options & DECODE_OPTION_MSS)
		buf_printf(b, " mss %u", t->mss);
	if (t->options & DECODE_OPTION_WSCALE)
		buf_printf(b, " wscale %u", t->wscale);
	if (t->options & DECODE_OPTION_SACK_PERMITTED)
		buf_puts(b, " sackok");
	if (t->options & DECODE_OPTION_TIMESTAMPS)
		buf_printf(b, " ts %u:%u", t->ts_value, t->ts_echo);
	if (t->options & DECODE_OPTION_SACK)
		buf_puts(b, " sack");
	for (int i = 0; i < t->n_sacks; i++)
		buf_printf(b, " %u-%u", t->sack[i][0], t->sack[i][1]);
}

static void put_icmp(struct buf *b, const struct decoded_icmp *i)
{
	buf_printf(b, " type %u code %u", i->type, i->code);
	if (i->has_id)
		buf_printf(b, " id %u seq %u%s", i->id, i->sequence, i->is_reply ? " reply" : "");
}

static void put_arp(struct buf *b, const struct decoded_arp *a)
{
	buf_printf(b, " op %u", a->operation);
	if (!a->sha)
		return;
	buf_putc(b, ' ');
	put_mac(b, a->sha);
	buf_putc(b, '>');
	put_mac(b, a->tha);
}

static void put_details(struct buf *b, const struct decoded_layer *l)
{
	bool is_cut = (l->flags & DECODE_TRUNCATED) && !l->payload && !l->tcp.window;

	switch (l->flags & DECODE_LATER_FRAGMENT ? PV_PROTO_N : (enum pv_proto)l->proto) {
	case PV_PROTO_TCP:
		if (is_cut || (l->flags & DECODE_BAD_LENGTH && !l->tcp.seq))
			buf_puts(b, is_cut ? " -" : "");
		else
			put_tcp(b, &l->tcp);
		break;
	case PV_PROTO_ICMP:
	case PV_PROTO_ICMP6:
		put_icmp(b, &l->icmp);
		break;
	case PV_PROTO_ARP:
		put_arp(b, &l->arp);
		break;
	case PV_PROTO_SCTP:
		buf_printf(b, " tag %u chunk %u", l->sctp.tag, l->sctp.chunk);
		break;
	case PV_PROTO_DCCP:
		buf_printf(b, " type %u", l->dccp.type);
		break;
	case PV_PROTO_ESP:
	case PV_PROTO_AH:
		buf_printf(b, " spi %u", l->spi);
		break;
	default:
		break;
	}
}

static void put_layer(struct buf *b, const struct decoded_layer *l)
{
	bool has_ports = l->src_port || l->dst_port;

	if (l->tunnel)
		buf_puts(b, decode_tunnel_name(l->tunnel));
	if (l->tunnel_id)
		buf_printf(b, "#%u", l->tunnel_id);
	buf_puts(b, l->tunnel ? ": " : "");
	put_link(b, &l->link);
	if (l->family) {
		put_end(b, l->family, l->src, l->src_port, has_ports);
		buf_putc(b, '>');
		put_end(b, l->family, l->dst, l->dst_port, has_ports);
		buf_putc(b, ' ');
	}
	buf_puts(b, pv_proto_name(l->proto));
	if (l->proto == PV_PROTO_IP || (l->proto == PV_PROTO_ETHER && l->protocol >= 1536))
		buf_printf(b, "#%u", l->protocol);
	buf_printf(b, " %u/%u", l->payload_captured, l->payload_wire);
	put_details(b, l);
	put_flags(b, l->flags, "");
	if (l->held_packets)
		buf_printf(b, " held %u/%llu", l->held_packets, (unsigned long long)l->held_bytes);
}

static void put_quote(struct buf *b, const struct decoded_quote *q)
{
	buf_puts(b, "quote ");
	put_end(b, q->family, q->src, q->src_port, q->has_ports);
	buf_putc(b, '>');
	put_end(b, q->family, q->dst, q->dst_port, q->has_ports);
	buf_printf(b, " %s by %u\n", pv_proto_name(q->proto), q->layer);
}

void decode_text(struct buf *b, const struct decoded *d)
{
	unsigned int told = 0;

	for (int i = 0; i < d->n_layers; i++)
		told |= d->layers[i].flags;
	if (d->n_layers == 0) {
		buf_puts(b, "none");
		put_flags(b, d->flags, "");
		buf_putc(b, '\n');
	}
	for (int i = 0; i < d->n_layers; i++) {
		put_layer(b, &d->layers[i]);
		if (i == d->n_layers - 1)
			put_flags(b, d->flags & ~told, "any_");
		buf_putc(b, '\n');
	}
	if (d->quote.family)
		put_quote(b, &d->quote);
}
