/* SPDX-License-Identifier: MIT */
/* TCP, UDP and their relatives: ports, flags, options, where the payload begins. */
#include "capture/decode-internal.h"

#define TCP_HEADER 20
#define UDP_HEADER 8

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

static void set_payload(struct machine *m)
{
	struct decoded_layer *layer = m->layer;

	layer->payload = m->left ? m->p : NULL;
	layer->payload_captured = m->left;
	layer->payload_wire = m->wire;
}

static bool take_ports(struct machine *m)
{
	if (m->left < 4)
		return false;
	m->layer->src_port = be16(m->p);
	m->layer->dst_port = be16(m->p + 2);
	return true;
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

	if (m->left < TCP_HEADER) {
		take_ports(m);
		return too_short(m, TCP_HEADER);
	}
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
	return there < header ? too_short(m, header - there) : STEP_END;
}

enum step decode_udp(struct machine *m)
{
	uint32_t length;

	if (m->left < UDP_HEADER) {
		take_ports(m);
		return too_short(m, UDP_HEADER);
	}
	take_ports(m);
	length = be16(m->p + 4);
	if (length >= UDP_HEADER && length <= m->wire)
		limit(m, length);
	else if (length != 0 || m->wire <= UINT16_MAX) /* 0: a jumbogram's (RFC 2675) */
		odd(m, DECODE_BAD_LENGTH);
	take(m, UDP_HEADER);
	set_payload(m);
	return STEP_END;
}
