/* SPDX-License-Identifier: MIT */
/*
 * The machine behind decode_packet(): a cursor over the bytes, and steps. Each step takes one
 * header and names the next one. Steps never look beyond `left`, which is what was captured; `wire`
 * is what there was on the wire by the lengths in the headers so far, and never less than `left`.
 */
#ifndef CAPTURE_DECODE_INTERNAL_H
#define CAPTURE_DECODE_INTERNAL_H

#include "capture/bytes.h"
#include "capture/decode.h"

#define STEPS_MAX 48 /* headers of one packet, tags and extension headers included */

enum step {
	STEP_END,
	STEP_ETHERNET,
	STEP_ETHERTYPE, /* what machine->ethertype says */
	STEP_IP,	/* version by the first nibble */
	STEP_IP4,
	STEP_IP6,
	STEP_PROTOCOL, /* what machine->protocol says, for the current layer */
	STEP_N,
};

struct machine {
	const uint8_t *p;
	uint32_t left, wire;
	uint16_t ethertype;
	uint8_t protocol;
	uint8_t tunnel; /* how the next layer is carried */
	uint32_t tunnel_id;
	const struct packet *packet;
	struct decoder *decoder;
	struct decoded *ret;
	struct decoded_layer *layer; /* the current one; NULL = none yet */
	struct decoded_link *link;   /* for the next layer; stands in it already */
	struct decoded_link spare;   /* ... unless there is no room for one more */
};

typedef enum step (*step_fn)(struct machine *m);

/* Takes n bytes, which are there. */
static inline void take(struct machine *m, uint32_t n)
{
	m->p += n;
	m->left -= n;
	m->wire -= n;
}

/* Bytes that a header says do not belong to it: padding, checksums. */
static inline void limit(struct machine *m, uint32_t wire)
{
	if (wire < m->wire)
		m->wire = wire;
	if (m->left > m->wire)
		m->left = m->wire;
}

/* A new layer behind the link that was read; NULL = no room (the layer before says so). */
struct decoded_layer *add_layer(struct machine *m);
/* What follows belongs to a layer inside the current one. Returns next. */
enum step open_tunnel(struct machine *m, enum decode_tunnel tunnel, uint32_t id, enum step next);

static inline enum step odd(struct machine *m, uint16_t flags)
{
	if (m->layer)
		m->layer->flags |= flags;
	m->ret->flags |= flags;
	return STEP_END;
}

/* There are not enough bytes for a header: cut by the snapshot length, or too short on the wire. */
static inline enum step too_short(struct machine *m, uint32_t need)
{
	return odd(m, m->wire >= need ? DECODE_TRUNCATED : DECODE_BAD_LENGTH);
}

enum step step_ethernet(struct machine *m);
enum step step_ethertype(struct machine *m);
enum step step_ip(struct machine *m);
enum step step_ip4(struct machine *m);
enum step step_ip6(struct machine *m);
enum step step_protocol(struct machine *m);

/* Transport protocols: the header is at m->p, the layer is there with its addresses. */
enum step decode_tcp(struct machine *m);
enum step decode_udp(struct machine *m);

#endif
