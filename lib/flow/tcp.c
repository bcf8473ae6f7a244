/* SPDX-License-Identifier: MIT */
/*
 * What TCP segments say of a connection: who opened and closed it, what was sent again, what was
 * never seen, how long the ends took to answer. Sequence numbers wrap; differences are signed.
 */
#include "flow/gaps.h"

#define SECOND_NS INT64_C(1000000000)
/* A gap filled sooner than any sender could learn of it: reordered, not sent again. */
#define REORDER_US 3000
#define UNSOUND (DECODE_TRUNCATED | DECODE_BAD_LENGTH | DECODE_BAD_HEADER | DECODE_LATER_FRAGMENT)
#define ANY (DECODE_TCP_SYN | DECODE_TCP_FIN | DECODE_TCP_RST)

enum {
	LETTER_S,
	LETTER_H,
	LETTER_A,
	LETTER_D,
	LETTER_F,
	LETTER_R,
	LETTER_Q,
	LETTER_I,
	LETTER_G,
	LETTER_T,
	LETTER_W,
	LETTER_N
};
static const char letters[] = "shadfrqigtw";
_Static_assert(1 << LETTER_N <= FLOW_DID_ACK, "letters and notes share their bits");

static void put_letter(struct flow_entry *e, unsigned side, unsigned letter)
{
	if (e->n_history < sizeof(e->history))
		e->history[e->n_history++] = (uint8_t)((uint8_t)letters[letter] | side << 7);
}

void flow_entry_note(struct flow_entry *e, unsigned side, unsigned letter)
{
	if (e->half[side].notes >> letter & 1)
		return;
	e->half[side].notes |= (uint16_t)(1U << letter);
	put_letter(e, side, letter);
}

/* Letters that tell how often: once more at each power of ten. */
static void note_often(struct flow_entry *e, unsigned side, unsigned letter, uint32_t n)
{
	while (n >= 10 && n % 10 == 0)
		n /= 10;
	if (n == 1)
		put_letter(e, side, letter);
}

static bool is_closed(const struct flow_entry *e)
{
	return e->half[0].resetter != FLOW_NO_SIDE || e->half[0].entry_flags & FLOW_ENTRY_CLOSED;
}

/* A SYN whose number is not that of the SYN before begins something new. */
static bool is_other_syn(const struct flow_entry *e, unsigned side, uint32_t seq)
{
	const struct flow_half *h = &e->half[side], *o = &e->half[!side];

	if (h->state & (FLOW_DID_SYN | FLOW_DID_SYN_ACK))
		return seq != h->isn;
	/* only its answer was seen, or both ends call each other: it belongs to that */
	return is_closed(e) || h->packets || !(o->state & (FLOW_DID_SYN | FLOW_DID_SYN_ACK));
}

/* The other end sent something, or this one acknowledged what was not captured. */
static bool is_alive(const struct flow_entry *e, unsigned side)
{
	return e->half[!side].packets || e->half[side].notes & FLOW_DID_ACK;
}

/*
 * A living connection is not over by a SYN, which anyone may send: RFC 9293 (3.10.7.4) and RFC 5961
 * have it answered by an acknowledgement of what the connection is at.
 */
static enum flow_verdict judge_syn(const struct flow_entry *e, unsigned side, uint32_t seq)
{
	if (!is_other_syn(e, side, seq))
		return is_closed(e) ? FLOW_WAIT : FLOW_SAME;
	if (is_closed(e) || e->half[side].state & FLOW_DID_FIN || !is_alive(e, side))
		return FLOW_NEW;
	return FLOW_WAIT;
}

enum flow_verdict flow_tcp_judge(const struct flow_entry *e, unsigned side, int64_t time,
				 const struct decoded_layer *l)
{
	int64_t silence = time - flow_entry_last(e);

	if (silence > (is_closed(e) ? FLOW_SILENCE_CLOSED_S : FLOW_SILENCE_TCP_S) * SECOND_NS)
		return FLOW_NEW;
	if (l->flags & (DECODE_TRUNCATED | DECODE_BAD_LENGTH | DECODE_LATER_FRAGMENT))
		return FLOW_SAME;
	if ((l->tcp.flags & (DECODE_TCP_SYN | DECODE_TCP_ACK)) != DECODE_TCP_SYN)
		return FLOW_SAME;
	return judge_syn(e, side, l->tcp.seq);
}

enum flow_verdict flow_tcp_judge_waiting(const struct flow_entry *e,
					 const struct flow_entry *waiting, unsigned side,
					 const struct decoded_layer *l)
{
	unsigned sender = waiting->half[0].first_sender;
	const struct flow_half *w = &waiting->half[sender];
	const struct decoded_tcp *tcp = &l->tcp;
	/* some systems try again after a reset, with the same number: refused again is nothing new
	 */
	bool is_retry = is_closed(e) && w->isn == e->half[sender].isn;
	uint16_t answers = is_retry ? DECODE_TCP_SYN : DECODE_TCP_SYN | DECODE_TCP_RST;

	if (l->flags & UNSOUND || !(w->state & FLOW_HAS_SEQ))
		return FLOW_SAME;
	if (side != sender)
		return tcp->flags & answers && tcp->flags & DECODE_TCP_ACK &&
				       tcp->ack - w->isn - 1 <= w->next_seq - w->isn - 1
			       ? FLOW_NEW
			       : FLOW_SAME;
	if (!(tcp->flags & DECODE_TCP_SYN))
		return tcp->seq == w->next_seq && tcp->seq != e->half[side].next_seq ? FLOW_NEW
										     : FLOW_SAME;
	if (tcp->flags & DECODE_TCP_ACK || tcp->seq != w->isn)
		return FLOW_SAME;
	return is_closed(e) && is_other_syn(e, side, tcp->seq) ? FLOW_NEW : FLOW_WAIT;
}

/* Bytes, and SYN and FIN, that take a place in the order. */
static uint32_t span_of(const struct decoded_layer *l)
{
	return l->payload_wire + (l->tcp.flags & DECODE_TCP_SYN ? 1 : 0) +
	       (l->tcp.flags & DECODE_TCP_FIN ? 1 : 0);
}

bool flow_tcp_is_unseen(const struct flow_entry *e, unsigned side, const struct decoded_layer *l)
{
	const struct flow_half *h = &e->half[side];
	uint32_t span = span_of(l);
	int32_t ahead = (int32_t)(l->tcp.seq + span - h->next_seq);

	if (l->tcp.flags & DECODE_TCP_RST)
		return !(h->state & FLOW_DID_RST);
	return span && (!(h->state & FLOW_HAS_SEQ) || (ahead > 0 && ahead < FLOW_NONSENSE));
}

/* ---- who and how ---- */

static void note_server(struct flow_table *t, const struct flow_entry *e, unsigned side)
{
	if (t->servers.n < t->server_capacity)
		map_put(&t->servers, flow_table_socket_hash(t, &e->key, side), 0);
}

static void open_by_handshake(struct flow_entry *e, unsigned opener)
{
	if (e->half[0].opener != FLOW_NO_SIDE)
		return;
	e->half[0].opener = opener & 1;
	e->opened_by = PV_BY_HANDSHAKE;
}

static void add_syn(struct flow_table *t, struct flow_entry *e, unsigned side, uint16_t flags)
{
	if (flags & DECODE_TCP_ACK) {
		if (!(e->half[side].state & FLOW_DID_SYN_ACK))
			note_server(t, e, side);
		e->half[side].state |= FLOW_DID_SYN_ACK;
		open_by_handshake(e, !side);
		flow_entry_note(e, side, LETTER_H);
	} else {
		e->half[side].state |= FLOW_DID_SYN;
		open_by_handshake(e, side);
		flow_entry_note(e, side, LETTER_S);
	}
}

static void add_end(struct flow_entry *e, unsigned side, uint16_t flags)
{
	struct flow_half *h = &e->half[side];

	if (flags & DECODE_TCP_FIN) {
		if (e->half[0].closer == FLOW_NO_SIDE)
			e->half[0].closer = side & 1;
		h->state |= FLOW_DID_FIN;
		if (e->half[!side].state & FLOW_DID_FIN && e->half[0].resetter == FLOW_NO_SIDE)
			e->half[0].entry_flags |= FLOW_ENTRY_CLOSED;
		flow_entry_note(e, side, LETTER_F);
	}
	if (flags & DECODE_TCP_RST) {
		if (e->half[0].resetter == FLOW_NO_SIDE)
			e->half[0].resetter = side & 1;
		h->state |= FLOW_DID_RST;
		if (h->resets < UINT16_MAX)
			h->resets++;
		flow_entry_note(e, side, LETTER_R);
	}
}

static void add_flags(struct flow_table *t, struct flow_entry *e, unsigned side, uint16_t flags,
		      uint32_t payload)
{
	e->half[side].tcp_flags |= (uint8_t)flags;
	if ((flags & (DECODE_TCP_ACK | DECODE_TCP_SYN | DECODE_TCP_RST)) == DECODE_TCP_ACK)
		e->half[side].notes |= FLOW_DID_ACK;
	if (flags & DECODE_TCP_SYN && flags & (DECODE_TCP_FIN | DECODE_TCP_RST))
		flow_entry_note(e, side, LETTER_Q);
	else if (flags & DECODE_TCP_SYN)
		add_syn(t, e, side, flags);
	if ((flags & (DECODE_TCP_FIN | DECODE_TCP_RST)) == (DECODE_TCP_FIN | DECODE_TCP_RST))
		flow_entry_note(e, side, LETTER_I);
	if (payload)
		flow_entry_note(e, side, LETTER_D);
	if (flags & (DECODE_TCP_FIN | DECODE_TCP_RST))
		add_end(e, side, flags);
	else if (!payload && (flags & (ANY | DECODE_TCP_ACK)) == DECODE_TCP_ACK)
		flow_entry_note(e, side, LETTER_A);
}

/* ---- sequence numbers ---- */

static void add_gap(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t end,
		    int64_t time)
{
	struct flow_half *h = &e->half[side];
	struct flow_cold *c = &e->cold[side];

	c->lost += end - h->next_seq;
	flow_gaps_add(t, e, side, h->next_seq, end, time);
	h->next_seq = end;
	note_often(e, side, LETTER_G, ++c->gaps);
}

/* Bytes below the highest one seen. */
static void add_old(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t seq,
		    uint32_t len, int64_t time)
{
	struct flow_half *h = &e->half[side];
	struct flow_cold *c = &e->cold[side];
	uint32_t seen, filled = flow_gaps_fill(t, e, side, seq, len, &seen);
	uint32_t age = (uint32_t)(time / 1000) - seen;

	c->lost -= filled;
	if ((int32_t)(seq + len - h->next_seq) > 0)
		h->next_seq = seq + len;
	/* which of the two was acknowledged nobody knows (Karn) */
	h->notes &= (uint16_t)~FLOW_HAS_SAMPLE;
	if (filled && age < (c->handshake_us > REORDER_US ? c->handshake_us : REORDER_US))
		c->out_of_order++;
	else
		note_often(e, side, LETTER_T, ++c->retransmitted);
}

static void begin(struct flow_half *h, const struct decoded_tcp *tcp, uint32_t span)
{
	h->isn = tcp->flags & DECODE_TCP_SYN ? tcp->seq : tcp->seq - 1;
	h->next_seq = tcp->seq + span;
	h->state |= FLOW_HAS_SEQ;
}

static void sample(struct flow_half *h, int64_t time)
{
	if (h->notes & FLOW_HAS_SAMPLE)
		return;
	h->notes |= FLOW_HAS_SAMPLE;
	h->sample_time = time;
	h->sample_seq = h->next_seq;
}

static void add_bytes(struct flow_table *t, struct flow_entry *e, unsigned side,
		      const struct decoded_layer *l, int64_t time)
{
	const struct decoded_tcp *tcp = &l->tcp;
	struct flow_half *h = &e->half[side];
	uint32_t span = span_of(l), marks = span - l->payload_wire;
	int32_t ahead = (int32_t)(tcp->seq - h->next_seq);

	if (!(h->state & FLOW_HAS_SEQ) || ahead >= FLOW_NONSENSE || ahead <= -FLOW_NONSENSE) {
		begin(h, tcp, span);
		if (span)
			sample(h, time);
		return;
	}
	if (!span)
		return;
	if (ahead > 0)
		add_gap(t, e, side, tcp->seq, time);
	if (ahead >= 0) {
		h->next_seq += span;
		sample(h, time);
	} else if (ahead != -1 || l->payload_wire > 1 || marks) {
		add_old(t, e, side, tcp->seq, span, time);
	} /* else: a keep-alive, which repeats one byte on purpose */
}

/* ---- round trips ---- */

static void add_round_trip(struct flow_entry *e, unsigned side, const struct flow_half *sent,
			   int64_t ns)
{
	struct flow_cold *c = &e->cold[side];
	uint64_t us = ns < 0 ? 0 : (uint64_t)ns / 1000;
	uint32_t v = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;

	if (sent->state & (FLOW_DID_SYN | FLOW_DID_SYN_ACK) && sent->sample_seq == sent->isn + 1) {
		e->half[side].state |= FLOW_HAS_HANDSHAKE;
		c->handshake_us = v;
		return;
	}
	c->rtt_min_us = !c->rtt_samples || v < c->rtt_min_us ? v : c->rtt_min_us;
	c->rtt_max_us = v > c->rtt_max_us ? v : c->rtt_max_us;
	c->rtt_sum_us += v;
	c->rtt_samples++;
}

static void add_ack(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t ack,
		    int64_t time)
{
	struct flow_half *o = &e->half[!side];
	int32_t ahead = (int32_t)(ack - o->next_seq);

	if (!(o->state & FLOW_HAS_SEQ))
		return;
	/* acknowledged, but never captured */
	if (ahead > 0 && ahead < FLOW_NONSENSE)
		add_gap(t, e, !side, ack, time);
	if (o->notes & FLOW_HAS_SAMPLE && (int32_t)(ack - o->sample_seq) >= 0) {
		add_round_trip(e, side, o, time - o->sample_time);
		o->notes &= (uint16_t)~FLOW_HAS_SAMPLE;
	}
}

static void add_window(struct flow_entry *e, unsigned side, uint16_t window)
{
	struct flow_half *h = &e->half[side];

	if (window) {
		h->state &= (uint8_t)~FLOW_ZERO_WINDOW;
	} else if (!(h->state & FLOW_ZERO_WINDOW)) {
		h->state |= FLOW_ZERO_WINDOW;
		note_often(e, side, LETTER_W, ++h->zero_windows);
	}
}

void flow_tcp_add(struct flow_table *t, struct flow_entry *e, unsigned side, int64_t time,
		  const struct decoded_layer *l)
{
	const struct decoded_tcp *tcp = &l->tcp;

	add_flags(t, e, side, tcp->flags, l->payload_wire);
	if (tcp->flags & DECODE_TCP_RST)
		return; /* its numbers need not fit, and it opens or closes no window */
	if (tcp->flags & DECODE_TCP_ACK)
		add_ack(t, e, side, tcp->ack, time);
	add_bytes(t, e, side, l, time);
	if (!(tcp->flags & DECODE_TCP_SYN))
		add_window(e, side, tcp->window);
}
