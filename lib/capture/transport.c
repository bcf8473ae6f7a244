/* SPDX-License-Identifier: MIT */
/* What IP carries, and ARP: ports, flags, options, identities, where the payload begins. */
#include <sys/socket.h>

#include "capture/decode-internal.h"

#define TCP_HEADER 20
#define UDP_HEADER 8
#define SCTP_HEADER 12
#define SCTP_NO_CHUNK 255
#define DCCP_HEADER 12
#define ARP_HEADER 8
#define ARP_ALL 28

#define TCPOPT_END 0
#define TCPOPT_NOP 1
#define TCPOPT_MSS 2
#define TCPOPT_WSCALE 3
#define TCPOPT_SACK_PERMITTED 4
#define TCPOPT_SACK 5
#define TCPOPT_TIMESTAMPS 8
#define TCPOPT_MPTCP 30
#define TCPOPT_FASTOPEN 34
#define TIMESTAMPS_ALONE 0x0101080au /* NOP NOP TIMESTAMPS 10: what Linux puts in each segment */

static void take_ports(struct machine *m)
{
	m->layer->src_port = be16(m->p);
	m->layer->dst_port = be16(m->p + 2);
}

/* Less than a transport header is there: its ports perhaps. */
static enum step cut_ports(struct machine *m, uint32_t header)
{
	if (m->left >= 4)
		take_ports(m);
	return cut_header(m, header);
}

static void take_sacks(struct decoded_tcp *tcp, const uint8_t *p, unsigned int len)
{
	for (tcp->n_sacks = 0; len >= 8 && tcp->n_sacks < 4; len -= 8, p += 8) {
		tcp->sack[tcp->n_sacks][0] = be32(p);
		tcp->sack[tcp->n_sacks++][1] = be32(p + 4);
	}
	tcp->options |= DECODE_OPTION_SACK;
}

static void take_timestamps(struct decoded_tcp *tcp, const uint8_t *p)
{
	tcp->ts_value = be32(p);
	tcp->ts_echo = be32(p + 4);
	tcp->options |= DECODE_OPTION_TIMESTAMPS;
}

/* One option; its len includes type and length, and all of it is there. */
static void take_option(struct decoded_tcp *tcp, const uint8_t *p, unsigned int len)
{
	switch (p[0]) {
	case TCPOPT_MSS:
		if (len == 4) {
			tcp->mss = be16(p + 2);
			tcp->options |= DECODE_OPTION_MSS;
		}
		break;
	case TCPOPT_WSCALE:
		if (len == 3) {
			tcp->wscale = p[2];
			tcp->options |= DECODE_OPTION_WSCALE;
		}
		break;
	case TCPOPT_SACK_PERMITTED:
		tcp->options |= DECODE_OPTION_SACK_PERMITTED;
		break;
	case TCPOPT_SACK:
		take_sacks(tcp, p + 2, len - 2);
		break;
	case TCPOPT_TIMESTAMPS:
		if (len == 10)
			take_timestamps(tcp, p + 2);
		break;
	case TCPOPT_MPTCP:
		tcp->options |= DECODE_OPTION_MPTCP;
		break;
	case TCPOPT_FASTOPEN:
		tcp->options |= DECODE_OPTION_FASTOPEN;
		break;
	}
}

/* n bytes of options, of which `there` were captured. */
static void take_options(struct machine *m, const uint8_t *p, uint32_t n, uint32_t there)
{
	struct decoded_tcp *tcp = &m->layer->tcp;
	uint32_t i = 0;

	if (n == 12 && there == 12 && be32(p) == TIMESTAMPS_ALONE) {
		take_timestamps(tcp, p + 4);
		return;
	}
	while (i < there && p[i] != TCPOPT_END) {
		if (p[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= n || (i + 1 < there && (p[i + 1] < 2 || i + p[i + 1] > n))) {
			odd(m, DECODE_BAD_LENGTH);
			return;
		}
		if (i + 1 >= there || i + p[i + 1] > there)
			return; /* cut; the caller has said so */
		take_option(tcp, p + i, p[i + 1]);
		i += p[i + 1];
	}
}

enum step decode_tcp(struct machine *m)
{
	const uint8_t *p = m->p;
	struct decoded_tcp *tcp = &m->layer->tcp;
	uint32_t header, there;

	if (m->left < TCP_HEADER)
		return cut_ports(m, TCP_HEADER);
	m->layer->src_port = be16(p);
	m->layer->dst_port = be16(p + 2);
	tcp->seq = be32(p + 4);
	tcp->ack = be32(p + 8);
	tcp->flags = be16(p + 12) & 0x1ff;
	tcp->window = be16(p + 14);
	header = (p[12] >> 4) * 4;
	if (header < TCP_HEADER || header > m->wire) {
		odd(m, DECODE_BAD_LENGTH);
		header = TCP_HEADER;
	}
	there = header <= m->left ? header : m->left;
	if (header > TCP_HEADER)
		take_options(m, p + TCP_HEADER, header - TCP_HEADER, there - TCP_HEADER);
	take(m, there);
	m->wire -= header - there;
	set_payload(m);
	return there < header ? odd(m, DECODE_TRUNCATED) : STEP_END;
}

enum step decode_udp(struct machine *m)
{
	uint32_t length;

	if (m->left < UDP_HEADER)
		return cut_ports(m, UDP_HEADER);
	take_ports(m);
	length = be16(m->p + 4);
	if (length >= UDP_HEADER && length <= m->wire)
		limit(m, length);
	else if (!is_part(m) && (length != 0 || m->wire <= UINT16_MAX)) /* 0: RFC 2675 */
		odd(m, DECODE_BAD_LENGTH);
	take(m, UDP_HEADER);
	set_payload(m);
	return decode_udp_tunnel(m);
}

/* The length field is the coverage of the checksum (RFC 3828). */
enum step decode_udplite(struct machine *m)
{
	if (m->left < UDP_HEADER)
		return cut_ports(m, UDP_HEADER);
	take_ports(m);
	take(m, UDP_HEADER);
	return set_payload(m);
}

enum step decode_sctp(struct machine *m)
{
	if (m->left < SCTP_HEADER)
		return cut_ports(m, SCTP_HEADER);
	take_ports(m);
	m->layer->sctp.tag = be32(m->p + 4);
	m->layer->sctp.chunk = m->left > SCTP_HEADER ? m->p[SCTP_HEADER] : SCTP_NO_CHUNK;
	take(m, SCTP_HEADER);
	return set_payload(m);
}

enum step decode_dccp(struct machine *m)
{
	uint32_t header;

	if (m->left < DCCP_HEADER)
		return cut_ports(m, DCCP_HEADER);
	take_ports(m);
	m->layer->dccp.type = m->p[8] >> 1 & 0xf;
	header = m->p[4] * 4u;
	if (header < DCCP_HEADER || header > m->wire) {
		odd(m, DECODE_BAD_LENGTH);
		header = DCCP_HEADER;
	}
	if (m->left < header)
		return cut_header(m, header);
	take(m, header);
	return set_payload(m);
}

/* ---- ICMP ---- */

#define ICMP_REPLY 1
#define ICMP_ID 2
#define ICMP_QUOTE 4

/* What the types carry: request and reply with an id, or an error with a quote. */
static const uint8_t icmp_types[256] = {
	[0] = ICMP_ID | ICMP_REPLY,
	[3] = ICMP_QUOTE,
	[4] = ICMP_QUOTE,
	[5] = ICMP_QUOTE,
	[8] = ICMP_ID,
	[11] = ICMP_QUOTE,
	[12] = ICMP_QUOTE,
	[13] = ICMP_ID,
	[14] = ICMP_ID | ICMP_REPLY,
	[15] = ICMP_ID,
	[16] = ICMP_ID | ICMP_REPLY,
	[17] = ICMP_ID,
	[18] = ICMP_ID | ICMP_REPLY,
	[42] = ICMP_ID,
	[43] = ICMP_ID | ICMP_REPLY,
};
static const uint8_t icmp6_types[256] = {
	[1] = ICMP_QUOTE, [2] = ICMP_QUOTE,
	[3] = ICMP_QUOTE, [4] = ICMP_QUOTE,
	[128] = ICMP_ID,  [129] = ICMP_ID | ICMP_REPLY,
	[160] = ICMP_ID,  [161] = ICMP_ID | ICMP_REPLY,
};

static enum step icmp(struct machine *m, const uint8_t *types)
{
	struct decoded_icmp *icmp = &m->layer->icmp;
	uint8_t kind;

	if (m->left < 4)
		return cut_header(m, 4);
	icmp->type = m->p[0];
	icmp->code = m->p[1];
	kind = types[icmp->type];
	icmp->is_reply = kind & ICMP_REPLY;
	if ((kind & ICMP_ID) && m->left >= 8) {
		icmp->has_id = true;
		icmp->id = m->layer->src_port = m->layer->dst_port = be16(m->p + 4);
		icmp->sequence = be16(m->p + 6);
	}
	take(m, 4);
	set_payload(m);
	if ((kind & ICMP_QUOTE) && m->left > 4) {
		take(m, 4);
		ip_take_quote(m);
	}
	return STEP_END;
}

enum step decode_icmp(struct machine *m)
{
	return icmp(m, icmp_types);
}

enum step decode_icmp6(struct machine *m)
{
	return icmp(m, icmp6_types);
}

/* ---- others ---- */

int transport_ports(uint8_t protocol, const uint8_t *p, uint32_t left, uint16_t *ret_src,
		    uint16_t *ret_dst)
{
	switch (ip_protocol_kind(protocol)) {
	case PV_PROTO_TCP:
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
	case PV_PROTO_SCTP:
	case PV_PROTO_DCCP:
		if (left < 4)
			return -1;
		*ret_src = be16(p);
		*ret_dst = be16(p + 2);
		return 1;
	case PV_PROTO_ICMP:
	case PV_PROTO_ICMP6:
		if (left < 6)
			return -1;
		if (!((protocol == 1 ? icmp_types : icmp6_types)[p[0]] & ICMP_ID))
			return 0;
		*ret_src = *ret_dst = be16(p + 4);
		return 1;
	default:
		return 0;
	}
}

enum step decode_arp(struct machine *m)
{
	const uint8_t *p = m->p;
	struct decoded_layer *layer;

	if (m->left < ARP_HEADER)
		return short_frame(m, ARP_HEADER);
	layer = add_layer(m);
	if (!layer)
		return STEP_END;
	layer->proto = PV_PROTO_ARP;
	layer->protocol = m->ethertype;
	layer->arp.operation = be16(p + 6);
	set_payload(m);
	if (be16(p + 2) != 0x0800 || p[4] != 6 || p[5] != 4)
		return STEP_END; /* not of IPv4 over 6-byte addresses: known by its MACs alone */
	if (m->left < ARP_ALL)
		return too_short(m, ARP_ALL);
	layer->family = AF_INET;
	layer->arp.sha = p + 8;
	layer->src = p + 14;
	layer->arp.tha = p + 18;
	layer->dst = p + 24;
	return STEP_END;
}

enum step decode_esp(struct machine *m)
{
	if (m->left < 8)
		return cut_header(m, 8);
	m->layer->spi = be32(m->p);
	take(m, 8);
	set_payload(m);
	return odd(m, DECODE_ENCRYPTED);
}

/* AH only signs: what it protects is another layer between the same addresses. */
enum step decode_ah(struct machine *m)
{
	struct decoded_layer *outer = m->layer, *inner;
	uint32_t header;

	set_payload(m);
	if (m->left < 12)
		return too_short(m, 12);
	outer->spi = be32(m->p + 4);
	header = (m->p[1] + 2u) * 4;
	if (header < 12 || m->left < header)
		return too_short(m, header < 12 ? UINT32_MAX : header);
	m->protocol = m->p[0];
	take(m, header);
	if (open_tunnel(m, DECODE_TUNNEL_AH, 0, STEP_PROTOCOL) == STEP_END)
		return STEP_END;
	inner = add_layer(m);
	if (!inner)
		return STEP_END;
	inner->family = outer->family;
	inner->src = outer->src;
	inner->dst = outer->dst;
	inner->ttl = outer->ttl;
	return STEP_PROTOCOL;
}
