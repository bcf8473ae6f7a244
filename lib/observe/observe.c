/* SPDX-License-Identifier: MIT */
/*
 * The engine: shows each side's first bytes to the probes until one knows them or none can, and
 * keeps bytes only in between. A conversation is decided once both sides are done; a found protocol
 * is never taken back.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "observe/observe-internal.h"

#define DEFAULT_BUFFER_BYTES (16U << 20)
#define DEFAULT_NAMES 65536
/* a stream in so many small segments is looked at only when it has grown by an eighth */
#define STREAM_TRIES UINT8_MAX
/* datagrams of both sides that told nothing new, or nothing at all */
#define DATAGRAM_TRIES 16
#define DATAGRAM_TRIES_NOTHING 6
#define SIDES_DONE (OBSERVE_SIDE_DONE(0) | OBSERVE_SIDE_DONE(1))

struct observe *observe_free(struct observe *o)
{
	if (!o)
		return NULL;
	pool_deinit(&o->pool);
	asked_deinit(&o->asked);
	crypto_free(o->crypto);
	observe_ndpi_free(o->ndpi);
	free(o);
	return NULL;
}

/* Nothing more is wanted: what was kept goes back. */
static void decide(struct observe *o, struct observe_state *s)
{
	s->flags |= SIDES_DONE | OBSERVE_DECIDED;
	if (s->slot && s->id != OBSERVE_OTHER)
		pool_release(&o->pool, s);
}

static void side_done(struct observe *o, struct observe_state *s, unsigned side)
{
	struct work *w = pool_get(&o->pool, s);

	s->flags |= OBSERVE_SIDE_DONE(side) & SIDES_DONE;
	if ((s->flags & SIDES_DONE) == SIDES_DONE) {
		decide(o, s);
		return;
	}
	if (!w)
		return;
	pool_drop_side(&o->pool, w, side);
	if (!w->side[!side].data)
		pool_release(&o->pool, s);
}

/* Appends the detail, or puts it in place of what is there. */
static int set_detail(struct observe *o, struct observe_state *s, const struct detail *d,
		      bool append)
{
	size_t keep = append ? s->detail_len : 0, space = keep ? 1 : 0;
	char *text;

	if (d->len == 0 || keep + space + d->len > OBSERVE_DETAIL_MAX)
		return 0;
	text = realloc(s->detail, keep + space + d->len);
	if (!text)
		return -ENOMEM;
	if (space)
		text[keep] = ' ';
	memcpy(text + keep + space, d->text, d->len);
	o->details += keep + space + d->len - s->detail_len;
	s->detail = text;
	s->detail_len = (uint8_t)(keep + space + d->len);
	return 0;
}

static bool has_detail(const struct observe_state *s, const struct detail *d)
{
	return d->len && s->detail_len >= d->len &&
	       memmem(s->detail, s->detail_len, d->text, d->len);
}

static enum probe_result ask(struct probe *p, enum observe_id id)
{
	const struct observe_protocol *protocol = &observe_protocols[id];

	p->detail.len = 0;
	p->used = 0;
	if (!(protocol->transports & 1U << p->payload->transport))
		return PROBE_NO;
	return protocol->probe(p);
}

/* What says no to one byte says no to whatever follows. */
static void learn_first_bytes(struct observe *o)
{
	struct observe_payload payload = { .transport = PV_TRANSPORT_TCP, .len = 1 };
	struct observe_state s = { 0 };

	for (unsigned byte = 0; byte < 256; byte++) {
		uint8_t data = (uint8_t)byte;
		struct probe p = { .data = &data, .len = 1, .payload = &payload, .o = o, .s = &s };

		for (unsigned id = OBSERVE_NONE + 1; id < OBSERVE_OTHER; id++)
			if (ask(&p, (enum observe_id)id) != PROBE_NO)
				o->first[byte] |= UINT32_C(1) << id;
	}
}

/* The protocols worth asking. A command may end what the other side's greeting left open. */
static uint32_t candidates(const struct probe *p)
{
	return p->payload->transport == PV_TRANSPORT_TCP && !p->other_len ? p->o->first[p->data[0]]
									  : UINT32_MAX;
}

/* Asks the protocol that is known, or all of them; *ret_id is whose result it is. */
static enum probe_result ask_all(struct probe *p, enum observe_id *ret_id)
{
	enum probe_result best = PROBE_NO;
	uint32_t may;

	*ret_id = (enum observe_id)p->s->id;
	if (*ret_id != OBSERVE_NONE)
		return ask(p, *ret_id);
	may = candidates(p) & ~UINT32_C(1);
	for (; may; may &= may - 1) {
		unsigned id = (unsigned)__builtin_ctz(may);
		enum probe_result r;

		if (id >= OBSERVE_OTHER)
			break;
		r = ask(p, (enum observe_id)id);
		if (r >= PROBE_SURE) {
			*ret_id = (enum observe_id)id;
			return r;
		}
		if (r == PROBE_MORE)
			best = PROBE_MORE;
	}
	return best;
}

static void found(struct probe *p, enum observe_id id)
{
	if (p->s->id == OBSERVE_NONE)
		p->o->found++;
	p->s->id = (uint8_t)id;
}

/* The protocol is known and this side has told all it can. */
static int take_done(struct probe *p, enum observe_id id)
{
	uint8_t flags = observe_protocols[id].flags;
	unsigned side = p->payload->side;
	int r = 0;

	found(p, id);
	if (has_detail(p->s, &p->detail))
		p->s->repeats += p->s->repeats < OBSERVE_REPEATS_MAX;
	else if (p->detail.len)
		r = set_detail(p->o, p->s, &p->detail, flags & PROBE_FLAG_BOTH);
	if (!(flags & PROBE_FLAG_BOTH))
		decide(p->o, p->s);
	else if (!(flags & PROBE_FLAG_EVERY) || p->is_last)
		side_done(p->o, p->s, side);
	return r;
}

/* Whether nDPI knows the bytes that nobody here does; the conversation is decided then. */
static bool is_known_to_ndpi(struct probe *p)
{
	uint16_t number = 0;

	if (p->s->id == OBSERVE_NONE && p->o->ndpi)
		number = observe_ndpi_guess(p->o->ndpi, p->payload);
	if (!number)
		return false;
	pool_release(&p->o->pool, p->s);
	found(p, OBSERVE_OTHER);
	/* the slot is free to hold the number of nDPI */
	p->s->slot = number;
	decide(p->o, p->s);
	return true;
}

static void take_no(struct probe *p)
{
	if (!is_known_to_ndpi(p))
		side_done(p->o, p->s, p->payload->side);
}

static int run_stream(struct probe *p)
{
	enum observe_id id;
	enum probe_result result = ask_all(p, &id);

	if (result == PROBE_SURE)
		found(p, id);
	if (result == PROBE_DONE || (result == PROBE_SURE && p->is_last))
		return take_done(p, id);
	if (result == PROBE_NO || p->is_last)
		take_no(p);
	else if (p->s->tries < STREAM_TRIES)
		p->s->tries++;
	return 0;
}

static struct span kept(struct observe *o, const struct observe_state *s, unsigned side)
{
	struct work *w = pool_get(&o->pool, s);

	return w ? work_side_bytes(&w->side[side]) : (struct span){ NULL, 0 };
}

/* Keeps a piece of a stream. 0, 1 (the conversation was abandoned for younger ones) or -ENOMEM. */
static int keep(struct observe *o, struct observe_state *s, const struct observe_payload *p)
{
	struct work *w = pool_get(&o->pool, s);
	struct work_side *ws;
	int r;

	if (!w && s->slot) {
		s->slot = 0;
		decide(o, s);
		return 1;
	}
	if (!w)
		w = pool_take(&o->pool, s);
	if (!w)
		return -ENOMEM;
	ws = &w->side[p->side];
	r = pool_put(&o->pool, w, p->side, p->offset, p->data, p->len);
	ws->is_last |= p->is_cut && work_side_bytes(ws).n == p->offset - ws->base + p->len;
	ws->is_last |= work_side_bytes(ws).n == OBSERVE_STREAM_MAX;
	return r;
}

/* Shows a side's kept bytes to the probes and forgets what they used up. */
static int run_kept(struct observe *o, struct observe_state *s, const struct observe_payload *p)
{
	struct span bytes = kept(o, s, p->side), other = kept(o, s, !p->side);
	struct work *w = pool_get(&o->pool, s);
	struct probe probe = { .data = bytes.p,
			       .len = bytes.n,
			       .other = other.p,
			       .other_len = other.n,
			       .is_decided = s->id != OBSERVE_NONE,
			       .payload = p,
			       .o = o,
			       .s = s };
	int r;

	if (bytes.n == 0)
		return 0;
	probe.is_last = w->side[p->side].is_last;
	if (s->tries == STREAM_TRIES && !probe.is_last &&
	    bytes.n < w->side[p->side].shown + w->side[p->side].shown / 8U + 1)
		return 0;
	w->side[p->side].shown = (uint16_t)bytes.n;
	r = run_stream(&probe);
	w = pool_get(&o->pool, s);
	if (w && probe.used) {
		pool_consume(&w->side[p->side], probe.used);
		s->tries = 0;
	}
	return r;
}

/* Shows a side's bytes once more, outside of any packet. */
static int run_again(struct observe *o, struct observe_state *s, unsigned side, bool is_last)
{
	struct observe_payload p = { .side = (uint8_t)side, .transport = PV_TRANSPORT_TCP };
	struct work *w = pool_get(&o->pool, s);

	if (!w || !observe_wants(s, side) || work_side_bytes(&w->side[side]).n == 0)
		return 0;
	if (is_last)
		w->side[side].is_last = true;
	else if (work_side_bytes(&w->side[side]).n == w->side[side].shown)
		return 0;
	w->side[side].shown = 0;
	p.data = w->side[side].data;
	p.len = work_side_bytes(&w->side[side]).n;
	return run_kept(o, s, &p);
}

static int feed_first(struct observe *o, struct observe_state *s, const struct observe_payload *p)
{
	struct span other = kept(o, s, !p->side);
	struct probe probe = { .data = p->data,
			       .len = p->len,
			       .other = other.p,
			       .other_len = other.n,
			       .is_last = p->is_cut,
			       .is_decided = s->id != OBSERVE_NONE,
			       .payload = p,
			       .o = o,
			       .s = s };
	struct work *w;
	int r = run_stream(&probe);

	if (r < 0 || !observe_wants(s, p->side))
		return r;
	r = keep(o, s, p);
	w = pool_get(&o->pool, s);
	if (r == 0 && w) {
		w->side[p->side].shown = (uint16_t)work_side_bytes(&w->side[p->side]).n;
		pool_consume(&w->side[p->side], probe.used);
	}
	return r < 0 ? r : 0;
}

/* Bytes behind all that could be kept: its start will not come any more. Keep-alives lie before. */
static int too_far(struct observe *o, struct observe_state *s, const struct observe_payload *p)
{
	struct work *w = pool_get(&o->pool, s);
	int r;

	if ((int32_t)(p->offset - (w ? w->side[p->side].base : 0)) < 0)
		return 0;
	r = run_again(o, s, p->side, true);
	if (observe_wants(s, p->side))
		side_done(o, s, p->side);
	return r;
}

static int feed_stream(struct observe *o, struct observe_state *s, const struct observe_payload *p)
{
	int r = run_again(o, s, !p->side, false);
	struct work *w = pool_get(&o->pool, s);

	if (r < 0 || !observe_wants(s, p->side))
		return r;
	if (p->offset - (w ? w->side[p->side].base : 0) >= OBSERVE_STREAM_MAX)
		return too_far(o, s, p);
	/* most streams are decided here, by their first segment and without a copy */
	if (p->offset == 0 && !(w && w->side[p->side].data))
		return feed_first(o, s, p);
	r = keep(o, s, p);
	if (r)
		return r < 0 ? r : 0;
	return run_kept(o, s, p);
}

/* QUIC keeps state between datagrams; everything else is told by one. */
static int feed_datagram(struct observe *o, struct observe_state *s,
			 const struct observe_payload *p)
{
	struct probe probe = { .data = p->data,
			       .len = p->len,
			       .is_last = p->is_cut,
			       .is_decided = s->id != OBSERVE_NONE,
			       .payload = p,
			       .o = o,
			       .s = s };
	enum observe_id id;
	enum probe_result result = ask_all(&probe, &id);
	int r = 0;

	if (result == PROBE_DONE || (result == PROBE_SURE && probe.is_last))
		return take_done(&probe, id);
	s->tries++;
	if (result == PROBE_SURE) {
		found(&probe, id);
		r = set_detail(o, s, &probe.detail, false);
		if (s->tries > DATAGRAM_TRIES)
			decide(o, s);
	} else if (s->id == OBSERVE_NONE && is_known_to_ndpi(&probe)) {
		return 0;
	} else if (s->id == OBSERVE_NONE && s->tries > DATAGRAM_TRIES_NOTHING) {
		side_done(o, s, p->side);
	} else if (s->tries == UINT8_MAX) {
		decide(o, s);
	}
	return r;
}

int observe_feed(struct observe *o, struct observe_state *s, const struct observe_payload *p)
{
	if (p->len == 0 || !observe_wants(s, p->side))
		return 0;
	o->fed++;
	if (p->transport == PV_TRANSPORT_TCP)
		return feed_stream(o, s, p);
	return feed_datagram(o, s, p);
}

int observe_new(const struct observe_limits *limits, struct observe **ret_observe)
{
	struct observe *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	pool_init(&o->pool,
		  limits && limits->buffer_bytes ? limits->buffer_bytes : DEFAULT_BUFFER_BYTES);
	asked_init(&o->asked, limits && limits->names ? limits->names : DEFAULT_NAMES);
	o->crypto = crypto_new();
	o->ndpi = observe_ndpi_new();
	learn_first_bytes(o);
	*ret_observe = o;
	return 0;
}

int observe_finish(struct observe *o, struct observe_state *s)
{
	int r = 0;

	struct work *w = s->id == OBSERVE_QUIC ? pool_get(&o->pool, s) : NULL;
	struct detail rest = { 0 };

	for (unsigned side = 0; side < 2 && r == 0 && s->id != OBSERVE_QUIC; side++)
		r = run_again(o, s, side, true);
	if (w)
		observe_quic_rest(w, &rest);
	if (rest.len)
		r = set_detail(o, s, &rest, true);
	decide(o, s);
	return r;
}

void observe_state_release(struct observe *o, struct observe_state *s)
{
	if (s->id != OBSERVE_OTHER)
		pool_release(&o->pool, s);
	o->details -= s->detail_len;
	free(s->detail);
	memset(s, 0, sizeof(*s));
}

enum observe_verdict observe_state_verdict(const struct observe_state *s)
{
	if (s->id != OBSERVE_NONE)
		return OBSERVE_FOUND;
	return s->flags & OBSERVE_DECIDED ? OBSERVE_UNKNOWN : OBSERVE_UNDECIDED;
}

const char *observe_state_name(const struct observe *o, const struct observe_state *s)
{
	return s->id == OBSERVE_OTHER ? observe_ndpi_name(o->ndpi, s->slot)
				      : observe_id_name(observe_state_id(s));
}

const char *observe_state_title(const struct observe *o, const struct observe_state *s)
{
	return s->id == OBSERVE_OTHER ? observe_ndpi_name(o->ndpi, s->slot)
				      : observe_id_title(observe_state_id(s));
}

const char *observe_asked_name(const struct observe *o, int family, const uint8_t *asker,
			       const uint8_t *addr, uint64_t until)
{
	return asked_get(&o->asked, family, asker, addr, until);
}

size_t observe_details(const struct observe *o)
{
	return o->details;
}

void observe_counts_get(const struct observe *o, struct observe_counts *ret)
{
	*ret = (struct observe_counts){ .fed = o->fed,
					.found = o->found,
					.abandoned = o->pool.abandoned,
					.buffered = o->pool.bytes,
					.details = o->details };
}
