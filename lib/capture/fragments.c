/* SPDX-License-Identifier: MIT */
/*
 * Reassembly of IP fragments. All memory is taken when the decoder is made: slots for datagrams,
 * found by a keyed hash, and chunks for their bytes. When either runs out the datagram that began
 * first is given up. Of bytes that came twice the first stay.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/map.h"
#include "base/pages.h"
#include "capture/decode-internal.h"

#define DATAGRAM_MAX                                                                               \
	65536 /* offsets have 13 bits, of 8 bytes each, and the last fragment its own length */
#define CHUNK 4096
#define CHUNKS (DECODE_FRAGMENT_MEMORY / CHUNK)
#define DATAGRAM_CHUNKS (DATAGRAM_MAX / CHUNK)
#define HOLES 64   /* runs of bytes of one datagram: more is an attack, or hopeless */
#define WHOLES 2   /* datagrams completed by one packet, one in a tunnel in the other */
#define HEADS 2048 /* of the hash */
#define NONE UINT16_MAX
#define NS UINT64_C(1000000000)

struct key {
	uint8_t src[16], dst[16];
	uint32_t id, interface, place;
	uint16_t vlan;
	uint8_t family, protocol;
	uint32_t depth; /* of the layer: a datagram in a tunnel is none outside */
	uint32_t unused;
};

_Static_assert(sizeof(struct key) % 8 == 0, "head_of() takes it in words, to its end");

struct run {
	uint32_t from, to;
};

struct datagram {
	struct key key;
	uint64_t began;
	uint16_t next_in_hash, older, newer;
	uint16_t src_port, dst_port;
	bool in_use, has_ports, overlaps, is_cut; /* is_cut: not all its bytes were captured */
	uint32_t total;				  /* bytes, by the last fragment; 0 = not known */
	uint32_t held_packets;
	uint64_t held_bytes, held_payload;
	unsigned int n_runs;
	struct run runs[HOLES];
	uint16_t chunks[DATAGRAM_CHUNKS]; /* NONE = not needed yet */
};

struct decoder {
	struct decoder_stats stats;
	uint64_t seed;
	uint16_t oldest, newest, n_free;
	uint16_t heads[HEADS];
	uint16_t free[DECODE_FRAGMENT_DATAGRAMS];
	uint32_t n_free_chunks;
	uint16_t free_chunks[CHUNKS];
	struct datagram datagrams[DECODE_FRAGMENT_DATAGRAMS];
	uint8_t whole[WHOLES][DATAGRAM_MAX]; /* those of the last packet that were put together */
	uint8_t chunks[CHUNKS][CHUNK];
};

int decoder_new(struct decoder **ret)
{
	struct decoder *d = pages_alloc(sizeof(*d));

	*ret = d;
	if (!d)
		return -ENOMEM;
	if (getrandom(&d->seed, sizeof(d->seed), GRND_NONBLOCK) < 0)
		d->seed = (uint64_t)(uintptr_t)d;
	d->oldest = d->newest = NONE;
	memset(d->heads, 0xff, sizeof(d->heads));
	for (uint16_t i = 0; i < DECODE_FRAGMENT_DATAGRAMS; i++)
		d->free[d->n_free++] = (uint16_t)(DECODE_FRAGMENT_DATAGRAMS - 1 - i);
	for (uint16_t i = 0; i < CHUNKS; i++)
		d->free_chunks[d->n_free_chunks++] = (uint16_t)(CHUNKS - 1 - i);
	return 0;
}

void decoder_free(struct decoder *d)
{
	pages_free(d, sizeof(*d));
}

const struct decoder_stats *decoder_stats(const struct decoder *d)
{
	return &d->stats;
}

/* ---- the table ---- */

static uint16_t *head_of(struct decoder *d, const struct key *k)
{
	uint64_t words[sizeof(*k) / 8], h = d->seed;

	memcpy(words, k, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		h = map_mix(h, words[i]) + d->seed;
	return &d->heads[h % HEADS];
}

static void unlink_hash(struct decoder *d, uint16_t index)
{
	uint16_t *at = head_of(d, &d->datagrams[index].key);

	while (*at != index)
		at = &d->datagrams[*at].next_in_hash;
	*at = d->datagrams[index].next_in_hash;
}

static void unlink_age(struct decoder *d, const struct datagram *g)
{
	if (g->older == NONE)
		d->oldest = g->newer;
	else
		d->datagrams[g->older].newer = g->newer;
	if (g->newer == NONE)
		d->newest = g->older;
	else
		d->datagrams[g->newer].older = g->older;
}

static void release(struct decoder *d, struct datagram *g)
{
	uint16_t index = (uint16_t)(g - d->datagrams);

	unlink_hash(d, index);
	unlink_age(d, g);
	for (int i = 0; i < DATAGRAM_CHUNKS; i++)
		if (g->chunks[i] != NONE)
			d->free_chunks[d->n_free_chunks++] = g->chunks[i];
	d->free[d->n_free++] = index;
}

static void give_up_oldest(struct decoder *d)
{
	d->stats.given_up++;
	release(d, &d->datagrams[d->oldest]);
}

static bool is_too_old(const struct datagram *g, uint64_t now)
{
	return now > g->began && now - g->began > DECODE_FRAGMENT_SECONDS * NS;
}

static struct datagram *find(struct decoder *d, const struct key *k)
{
	for (uint16_t i = *head_of(d, k); i != NONE; i = d->datagrams[i].next_in_hash)
		if (memcmp(&d->datagrams[i].key, k, sizeof(*k)) == 0)
			return &d->datagrams[i];
	return NULL;
}

static struct datagram *add(struct decoder *d, const struct key *k, uint64_t now)
{
	struct datagram *g;
	uint16_t index, *head;

	if (d->n_free == 0)
		give_up_oldest(d);
	index = d->free[--d->n_free];
	g = &d->datagrams[index];
	memset(g, 0, offsetof(struct datagram, runs));
	memset(g->chunks, 0xff, sizeof(g->chunks));
	g->key = *k;
	g->began = now;
	head = head_of(d, k);
	g->next_in_hash = *head;
	*head = index;
	g->older = d->newest;
	g->newer = NONE;
	if (d->newest != NONE)
		d->datagrams[d->newest].newer = index;
	else
		d->oldest = index;
	d->newest = index;
	return g;
}

/* ---- bytes and runs ---- */

static uint8_t *chunk_at(struct decoder *d, struct datagram *g, uint32_t at)
{
	uint16_t *chunk = &g->chunks[at / CHUNK];

	while (*chunk == NONE && d->n_free_chunks == 0) {
		if (&d->datagrams[d->oldest] == g)
			return NULL;
		give_up_oldest(d);
	}
	if (*chunk == NONE)
		*chunk = d->free_chunks[--d->n_free_chunks];
	return d->chunks[*chunk] + at % CHUNK;
}

static uint32_t piece(uint32_t at, uint32_t to)
{
	uint32_t room = CHUNK - at % CHUNK;

	return to - at < room ? to - at : room;
}

/* Stores bytes that were not there before. */
static bool store(struct decoder *d, struct datagram *g, uint32_t from, uint32_t to,
		  const uint8_t *p)
{
	while (from < to) {
		uint32_t n = piece(from, to);
		uint8_t *chunk = chunk_at(d, g, from);

		if (!chunk)
			return false;
		memcpy(chunk, p, n);
		from += n;
		p += n;
	}
	return true;
}

static bool is_same(struct decoder *d, struct datagram *g, uint32_t from, uint32_t to,
		    const uint8_t *p)
{
	while (from < to) {
		uint32_t n = piece(from, to);
		uint16_t chunk = g->chunks[from / CHUNK];

		if (chunk == NONE || memcmp(d->chunks[chunk] + from % CHUNK, p, n) != 0)
			return false;
		from += n;
		p += n;
	}
	return true;
}

/* Puts [from, to) among the runs, joining those it meets. false = there are too many. */
static bool add_run(struct datagram *g, uint32_t from, uint32_t to)
{
	unsigned int i = 0, j;

	while (i < g->n_runs && g->runs[i].to < from)
		i++;
	for (j = i; j < g->n_runs && g->runs[j].from <= to; j++) {
		from = g->runs[j].from < from ? g->runs[j].from : from;
		to = g->runs[j].to > to ? g->runs[j].to : to;
	}
	if (j == i && g->n_runs == HOLES)
		return false;
	memmove(&g->runs[i + 1], &g->runs[j], (g->n_runs - j) * sizeof(*g->runs));
	g->n_runs = g->n_runs - (j - i) + 1;
	g->runs[i] = (struct run){ from, to };
	return true;
}

static bool is_duplicate(struct decoder *d, struct datagram *g, const struct machine *m,
			 uint32_t from)
{
	for (unsigned int i = 0; i < g->n_runs; i++)
		if (g->runs[i].from <= from && from + m->wire <= g->runs[i].to)
			return g->is_cut || is_same(d, g, from, from + m->left, m->p);
	return false;
}

/* Stores what lies between the runs; says whether any of it was there already. false = no room. */
static bool store_new(struct decoder *d, struct datagram *g, const struct machine *m, uint32_t from,
		      bool *ret_overlaps)
{
	uint32_t at = from, to = from + m->left;

	for (unsigned int i = 0; i < g->n_runs && at < to; i++) {
		const struct run *r = &g->runs[i];

		if (r->to <= at || r->from >= to)
			continue;
		*ret_overlaps = true;
		if (at < r->from && !store(d, g, at, r->from, m->p + (at - from)))
			return false;
		at = r->to;
	}
	return at >= to || store(d, g, at, to, m->p + (at - from));
}

static void mark_overlap(struct decoder *d, struct datagram *g)
{
	d->stats.overlapping += !g->overlaps;
	g->overlaps = true;
}

/* false = the datagram cannot be completed and has to go. */
static bool take_bytes(struct decoder *d, struct datagram *g, const struct machine *m,
		       const struct fragment *f)
{
	uint32_t end = f->offset + m->wire;
	bool overlaps = false;

	if (end > DATAGRAM_MAX || (g->total && end > g->total) ||
	    (!f->more && g->total && end != g->total))
		return false;
	if (!f->more)
		g->total = end;
	if (is_duplicate(d, g, m, f->offset))
		return true;
	if (!store_new(d, g, m, f->offset, &overlaps) || !add_run(g, f->offset, end))
		return false;
	g->is_cut = g->is_cut || m->left < m->wire;
	if (overlaps)
		mark_overlap(d, g);
	return true;
}

static bool is_whole(const struct datagram *g)
{
	return g->total && g->n_runs == 1 && g->runs[0].from == 0 && g->runs[0].to == g->total;
}

static void put_together(const struct decoder *d, const struct datagram *g, uint8_t *whole)
{
	for (uint32_t at = 0; at < g->total; at += CHUNK)
		if (g->chunks[at / CHUNK] != NONE)
			memcpy(whole + at, d->chunks[g->chunks[at / CHUNK]], piece(at, g->total));
}

/* ---- ports ---- */

/* The first fragment tells the ports: to this layer, and to the fragments that came before it. */
static void learn_ports(struct machine *m, struct datagram *g)
{
	struct decoder_stats *s = &m->decoder->stats;
	int r = transport_ports(m->protocol, m->p, m->left, &g->src_port, &g->dst_port);

	if (r < 0)
		return;
	g->has_ports = true;
	m->layer->held_packets = g->held_packets;
	m->layer->held_bytes = g->held_bytes;
	m->layer->held_payload = g->held_payload;
	s->unplaced_packets -= g->held_packets;
	s->unplaced_bytes -= g->held_bytes;
	g->held_packets = 0;
	g->held_bytes = 0;
	g->held_payload = 0;
}

static void place(struct machine *m, struct datagram *g)
{
	struct decoder_stats *s = &m->decoder->stats;

	if (g && g->has_ports) {
		m->layer->src_port = g->src_port;
		m->layer->dst_port = g->dst_port;
		return;
	}
	odd(m, DECODE_UNPLACED);
	if (g) {
		g->held_packets++;
		g->held_bytes += m->packet->wire;
		g->held_payload += m->wire;
	}
	s->unplaced_packets++;
	s->unplaced_bytes += m->packet->wire;
}

static void make_key(const struct machine *m, const struct fragment *f, struct key *k)
{
	const struct decoded_layer *layer = m->layer;
	size_t n = layer->family == AF_INET ? 4 : 16;

	memset(k, 0, sizeof(*k));
	memcpy(k->src, layer->src, n);
	memcpy(k->dst, layer->dst, n);
	k->id = f->id;
	k->interface = m->packet->interface;
	k->place = m->ret->place; /* a router sends on what it got, and both may be seen */
	k->vlan = layer->link.n_vlans ? layer->link.vlan[0] : 0;
	k->family = layer->family;
	k->protocol = m->protocol;
	k->depth = m->ret->n_layers;
}

/* All bytes are there: what follows is the datagram, not the fragment. */
static enum step go_on_whole(struct machine *m, const struct datagram *g, bool is_first)
{
	struct decoded_layer *layer = m->layer;
	uint8_t *whole = m->decoder->whole[m->n_whole++];
	uint32_t brought = m->wire;
	enum step next;

	m->decoder->stats.reassembled++;
	put_together(m->decoder, g, whole);
	m->p = whole;
	m->left = m->wire = g->total;
	odd(m, DECODE_REASSEMBLED);
	next = step_protocol(m);
	if (is_first && layer->payload)
		brought -= (uint32_t)(layer->payload - whole); /* the transport header */
	if (layer->payload_wire > brought)
		layer->payload_wire = brought;
	return next;
}

static enum step later_fragment(struct machine *m)
{
	m->layer->proto = ip_protocol_kind(m->protocol);
	m->layer->protocol = m->protocol;
	return set_payload(m);
}

/* The datagram this fragment belongs to, or NULL when there is no telling. */
static struct datagram *datagram_of(struct machine *m, const struct fragment *f)
{
	struct decoder *d = m->decoder;
	struct datagram *g;
	struct key k;

	while (d->oldest != NONE && is_too_old(&d->datagrams[d->oldest], m->packet->time_ns))
		give_up_oldest(d);
	make_key(m, f, &k);
	g = find(d, &k);
	return g ? g : add(d, &k, m->packet->time_ns);
}

enum step fragment_step(struct machine *m, const struct fragment *f)
{
	struct datagram *g;
	enum step next;
	bool is_sound;

	odd(m, f->offset ? DECODE_FRAGMENT | DECODE_LATER_FRAGMENT : DECODE_FRAGMENT);
	if (!m->decoder)
		return f->offset ? later_fragment(m) : STEP_PROTOCOL;
	g = datagram_of(m, f);
	is_sound = take_bytes(m->decoder, g, m, f);
	if (!is_sound)
		odd(m, DECODE_BAD_LENGTH);
	if (g->overlaps)
		odd(m, DECODE_OVERLAP);
	if (f->offset == 0)
		learn_ports(m, g);
	else
		place(m, g);
	if (is_sound && is_whole(g) && !g->is_cut && m->n_whole < WHOLES) {
		next = go_on_whole(m, g, f->offset == 0);
		release(m->decoder, g);
		return next;
	}
	next = f->offset ? later_fragment(m) : STEP_PROTOCOL;
	if (!is_sound || is_whole(g)) {
		m->decoder->stats.given_up++;
		release(m->decoder, g);
	}
	return next;
}
