/* SPDX-License-Identifier: MIT */
/*
 * A run over captures: packets -> decoded layers -> table -> snapshots. Packets pass each step of
 * the table in groups, so that cache misses overlap. What leaves the table before the end is shown
 * before anything more is read, so memory stays what it was asked to be.
 */
#include <portavoz/capture.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_api.h"
#include "capture/packet.h"
#include "capture/pcapfilter.h"
#include "flow/filenames.h"
#include "flow/live.h"
#include "flow/row.h"
#include "redact/redact.h"

#define GROUP 16
#define PROGRESS_BYTES (16U << 20)
/* What one conversation takes besides, when all of them have to stand in one snapshot. */
#define ROW_SIZE                                                                                   \
	(sizeof(struct pv_conversation) + sizeof(struct pv_flow) + 2 * sizeof(uint32_t) +          \
	 sizeof(void *))
/* Of the memory that was asked for: what reading, decoding and the batches need. */
#define RESERVED_SHARE 8
#define BUFFER_SHARE 64	    /* of that: payload of conversations whose protocol is not decided */
#define NAMES_SHARE 16	    /* of that: names that files give */
#define INTERFACES_SHARE 64 /* of that: interfaces that files describe */

enum phase { PHASE_READ, PHASE_DRAIN, PHASE_LAST, PHASE_END };

struct taken {
	struct decoded decoded;
	struct flow_ref refs[DECODE_LAYERS];
	uint8_t has_key;    /* a bit a layer */
	uint32_t n_again;   /* packets that are not counted, as they were seen elsewhere */
	uint8_t inner_side; /* of the sender, in the innermost conversation it counts in */
	uint32_t inner;	    /* that conversation; FLOW_NONE = none */
};

struct pv_capture {
	struct capture *input;
	struct pcapfilter *bpf; /* of files: an interface has the kernel's */
	struct decoder *decoder;
	struct flow_table table;
	struct flow_sockets sockets;
	struct flow_owners owners;
	struct flow_filenames filenames;
	struct flow_live *live;		       /* NULL: files */
	const struct pv_source *closed_source; /* borrowed, or NULL */
	struct observe *observe;	       /* NULL = payloads are not looked at */
	const struct pv_filter *filter;
	const struct pv_redactor *redactor;
	size_t batch;
	int (*progress)(const struct pv_capture_progress *progress, void *userdata);
	void *userdata;
	struct pv_capture_progress at;
	uint64_t next_progress;
	enum phase phase;
	struct arena arena; /* texts of the damage */
	VEC(struct pv_capture_error) damage;
	bool has_digest; /* without: no Community IDs, nothing of QUIC, no JA4 */
	uint64_t undecoded, cut, too_deep, untimed, again, unfiltered, bytes;
	/* the packets that were read; [next, ready) are decoded */
	struct packet packets[GROUP];
	size_t n_packets, next, ready;
	unsigned layer; /* of packet `next` */
	struct taken taken[GROUP];
};

/* ---- opening ---- */

static int add_paths(struct pv_capture *c, const struct pv_capture_request *q, char **ret_message)
{
	for (size_t i = 0; i < q->n_paths; i++) {
		int r = capture_add_path(c->input, q->paths[i]);

		if (r < 0) {
			if (ret_message && asprintf(ret_message, "%s", q->paths[i]) < 0)
				*ret_message = NULL;
			return r;
		}
	}
	return 0;
}

static int compile_bpf(struct pv_capture *c, const char *expression, char **ret_message)
{
	char error[PCAPFILTER_ERROR_MAX];
	int r = pcapfilter_new(expression, &c->bpf, error);

	if ((r > 0 || r == -ELIBACC) && ret_message &&
	    asprintf(ret_message, "--bpf: %s", error) < 0)
		*ret_message = NULL;
	return r > 0 ? -EINVAL : r;
}

static int set_up(struct pv_capture *c, const struct pv_capture_request *q, char **ret_message)
{
	struct flow_table_options o = {
		.memory = q->memory - q->memory / RESERVED_SHARE,
		.row_size = q->batch ? 0 : ROW_SIZE,
		.seed = q->seed,
		.bin_ns = q->bin_ns,
	};
	struct observe_limits limits = { .buffer_bytes = q->memory / BUFFER_SHARE };
	int r = q->observed ? observe_new(&limits, &c->observe) : 0;

	o.observe = c->observe;
	if (r == 0)
		r = flow_table_init(&c->table, &o);
	c->has_digest = snapshot_prepare_digest() == 0;
	c->sockets.capacity = c->table.capacity / 8 + 64;
	if (r == 0)
		r = capture_new(&c->input);
	if (r == 0)
		r = decoder_new(&c->decoder);
	if (r == 0 && q->unpacked_max)
		capture_set_unpacked_max(c->input, q->unpacked_max);
	if (r == 0)
		capture_set_room(c->input, q->memory / NAMES_SHARE, q->memory / INTERFACES_SHARE);
	c->filenames.input = c->input;
	c->table.filenames = &c->filenames;
	if (r == 0 && q->joined)
		r = flow_owners_join(&c->owners, q->joined);
	if (r == 0 && q->live)
		r = flow_live_open(q->live, q->bpf, q->userdata, &c->live, ret_message);
	if (r == 0 && q->bpf && !q->live)
		r = compile_bpf(c, q->bpf, ret_message);
	return r < 0 ? r : add_paths(c, q, ret_message);
}

int pv_capture_open(const struct pv_capture_request *q, struct pv_capture **ret, char **ret_message)
{
	struct pv_capture *c;
	int r;

	if (ret_message)
		*ret_message = NULL;
	if (q->size != sizeof(*q) || !q->live == !q->n_paths || (q->live && q->joined) ||
	    (q->redactor && q->live && q->live->n_files))
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->filter = q->filter;
	c->redactor = q->redactor;
	c->closed_source = q->live ? q->live->closed_source : NULL;
	c->batch = q->batch;
	c->progress = q->progress;
	c->userdata = q->userdata;
	r = set_up(c, q, ret_message);
	if (r < 0) {
		pv_capture_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void pv_capture_free(struct pv_capture *c)
{
	if (!c)
		return;
	flow_table_deinit(&c->table);
	observe_free(c->observe);
	map_deinit(&c->sockets.counts);
	capture_free(c->input);
	pcapfilter_free(c->bpf);
	decoder_free(c->decoder);
	flow_owners_deinit(&c->owners);
	flow_filenames_deinit(&c->filenames);
	flow_live_free(c->live);
	arena_deinit(&c->arena);
	vec_deinit(&c->damage);
	free(c);
}

/* ---- reading ---- */

static int note_damage(struct pv_capture *c)
{
	const struct capture_problem *p = capture_problem(c->input);
	struct pv_capture_error e = {
		.path = arena_strdup(&c->arena, p->file),
		.offset = p->offset,
		.packets = p->packets,
		.error = p->error,
		.is_decompressed = p->is_decompressed,
		.expected = arena_strdup(&c->arena, p->expected),
		.found = arena_strdup(&c->arena, p->found),
	};

	if (!e.path || !e.expected || !e.found)
		return -ENOMEM;
	return vec_push(&c->damage, e);
}

static int note_lost(struct pv_capture *c, int error)
{
	struct pv_capture_error e = { .path = arena_strdup(&c->arena, flow_live_interface(c->live)),
				      .packets = c->at.packets,
				      .error = -error,
				      .is_live = true };

	return e.path ? vec_push(&c->damage, e) : -ENOMEM;
}

static int note_unwritten(struct pv_capture *c)
{
	const char *name;
	struct pv_capture_error e = { .error = flow_live_write_error(c->live, &name),
				      .packets = c->at.packets,
				      .is_written = true };

	if (!e.error)
		return 0;
	e.path = arena_strdup(&c->arena, name);
	return e.path ? vec_push(&c->damage, e) : -ENOMEM;
}

static int tell_progress(struct pv_capture *c)
{
	if (c->live)
		c->at.bytes = c->bytes;
	else
		capture_progress(c->input, &c->at.bytes, &c->at.total_bytes);
	c->at.conversations = c->table.n_live;
	c->at.undecoded = c->undecoded;
	if (!c->progress || (!c->live && c->at.bytes < c->next_progress))
		return 0;
	c->next_progress = c->at.bytes + PROGRESS_BYTES;
	return c->progress(&c->at, c->userdata);
}

/* Decodes from `ready` on; bytes put together from fragments are there until the next one only. */
static void decode_group(struct pv_capture *c)
{
	size_t first = c->ready;
	uint16_t flags = 0;

	while (c->ready < c->n_packets && !(flags & DECODE_REASSEMBLED)) {
		struct taken *t = &c->taken[c->ready];

		decode_packet(c->decoder, &c->packets[c->ready++], &t->decoded);
		flags = t->decoded.n_layers ? t->decoded.flags : 0;
		t->has_key = 0;
		t->inner = FLOW_NONE;
		t->n_again = 0;
		for (unsigned i = 0; i < t->decoded.n_layers; i++)
			if (flow_table_key(&c->table, &t->decoded, i, &t->refs[i]))
				t->has_key |= (uint8_t)(1U << i);
	}
	for (size_t k = first; k < c->ready; k++)
		for (unsigned i = 0; i < c->taken[k].decoded.n_layers; i++)
			if (c->taken[k].has_key >> i & 1)
				flow_table_find(&c->table, &c->taken[k].refs[i]);
}

static void count_odd(struct pv_capture *c, const struct taken *t, const struct packet *p)
{
	c->at.packets++;
	c->again += t->n_again;
	c->bytes += p->wire;
	if (!t->decoded.n_layers || !t->has_key)
		c->undecoded++;
	else if (t->decoded.flags & (DECODE_TRUNCATED | DECODE_BAD_LENGTH | DECODE_BAD_HEADER))
		c->cut++;
	c->untimed += (p->flags & PACKET_UNTIMED) != 0;
	c->too_deep += (t->decoded.flags & DECODE_TOO_DEEP) != 0;
}

/* The sockets of a packet are those of its innermost layer. */
static int note_live(struct pv_capture *c, const struct taken *t, const struct packet *p)
{
	const struct flow_entry *e =
		t->inner != FLOW_NONE ? flow_table_entry(&c->table, t->inner) : NULL;

	return flow_live_note(c->live, &c->owners, p, e, e ? t->inner_side : 0);
}

/* 0, FLOW_TABLE_FULL (the packet is not done yet) or -errno */
static int add_packet(struct pv_capture *c)
{
	struct taken *t = &c->taken[c->next];
	const struct packet *p = &c->packets[c->next];

	for (; c->layer < t->decoded.n_layers; c->layer++) {
		const struct decoded_layer *l = &t->decoded.layers[c->layer];
		int r;

		if (!(t->has_key >> c->layer & 1) || l->flags & DECODE_UNPLACED)
			continue;
		r = flow_table_add(&c->table, &t->refs[c->layer], p, l, &t->inner);
		if (r < 0 || r == FLOW_TABLE_FULL)
			return r;
		/* with fragments that came before their first one */
		if (r == FLOW_TABLE_AGAIN && t->n_again <= l->held_packets)
			t->n_again = 1 + l->held_packets;
		t->inner_side = t->refs[c->layer].side & 1;
	}
	if (t->decoded.n_layers && t->decoded.quote.family && !t->n_again)
		flow_table_add_error(&c->table, &t->decoded);
	count_odd(c, t, p);
	c->layer = 0;
	c->next++;
	return c->live ? note_live(c, t, p) : 0;
}

/* What is due of asking and writing is done between two groups of packets. */
static int read_live(struct pv_capture *c, bool *ret_end)
{
	int r = flow_live_work(c->live, &c->owners, false);

	if (r == 0)
		r = flow_live_read(c->live, c->packets, GROUP, &c->n_packets);
	*ret_end = r == FLOW_LIVE_END || r == -ENETDOWN || r == -ENODEV;
	if (*ret_end && r < 0)
		r = note_lost(c, r);
	if (*ret_end && r >= 0)
		r = flow_live_work(c->live, &c->owners, true);
	if (*ret_end && r == 0)
		r = note_unwritten(c);
	flow_live_progress(c->live, &c->at);
	return r == 0 ? tell_progress(c) : r;
}

/* Keeps the packets that --bpf wants; what it cannot tell is left out, and counted. */
static void choose_packets(struct pv_capture *c)
{
	size_t n = 0;

	for (size_t i = 0; c->bpf && i < c->n_packets; i++) {
		int r = pcapfilter_match(c->bpf, &c->packets[i]);

		if (r > 0)
			c->packets[n++] = c->packets[i];
		c->unfiltered += r < 0;
	}
	if (c->bpf)
		c->n_packets = n;
}

/* 0, FLOW_TABLE_FULL, CAPTURE_END is told by *ret_end, or -errno */
static int read_some(struct pv_capture *c, bool *ret_end)
{
	int r = 0;

	*ret_end = false;
	while (c->next < c->ready && r == 0)
		r = add_packet(c);
	if (r != 0)
		return r;
	if (c->ready < c->n_packets) {
		decode_group(c);
		return 0;
	}
	c->next = c->ready = 0;
	if (c->live)
		return read_live(c, ret_end);
	r = capture_read(c->input, c->packets, GROUP, &c->n_packets);
	if (r == CAPTURE_DAMAGED)
		return note_damage(c);
	choose_packets(c);
	*ret_end = r == CAPTURE_END;
	return r == CAPTURE_END || r == -EINTR ? 0 : r == 0 ? tell_progress(c) : r;
}

static int read_on(struct pv_capture *c)
{
	bool is_end = false;
	int r = 0;

	while (r == 0 && !is_end)
		r = read_some(c, &is_end);
	if (r == FLOW_TABLE_FULL) {
		flow_table_evict(&c->table);
		c->phase = PHASE_DRAIN;
		return 0;
	}
	if (r != 0)
		return r;
	tell_progress(c);
	flow_table_finish(&c->table);
	r = flow_sockets_count(&c->sockets, &c->table);
	c->phase = PHASE_LAST;
	return r;
}

/* ---- showing ---- */

static int add_gap(struct pv_snapshot *s, enum pv_gap_kind kind, uint64_t n, const char *detail)
{
	return n ? snapshot_add_gap(s, kind, n, detail) : 0;
}

static int add_damage(const struct pv_capture *c, struct pv_snapshot *s,
		      const struct pv_capture_error *e)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = 0;

	if (c->redactor)
		r = redact_put(c->redactor, PV_REDACT_PATH, e->path, strlen(e->path), &b);
	else
		buf_puts(&b, e->path);
	if (e->is_live || e->is_written)
		buf_printf(&b, ": %s%s", e->is_written ? "not written: " : "", strerror(e->error));
	else
		buf_printf(&b, ": byte %llu: expected %s", (unsigned long long)e->offset,
			   e->expected);
	if (r == 0)
		r = buf_error(&b);
	return r < 0 ? r : snapshot_add_gap(s, PV_GAP_DAMAGED, 1, buf_str(&b));
}

static uint64_t n_abandoned(const struct pv_capture *c)
{
	struct observe_counts counts = { 0 };

	if (c->observe)
		observe_counts_get(c->observe, &counts);
	return counts.abandoned;
}

static int add_owner_coverage(const struct pv_capture *c, struct pv_snapshot *s)
{
	const struct pv_source *closed = c->closed_source;
	int r = closed ? snapshot_add_source(s, closed->name, closed->via, closed->state,
					     closed->cause)
		       : 0;

	for (int i = PV_REASON_NONE + 1; r == 0 && i < PV_REASON_N; i++)
		r = add_gap(s, PV_GAP_OWNER_ENDED, c->owners.missing[i],
			    pv_reason_text((enum pv_reason)i));
	return r;
}

static int add_coverage(struct pv_capture *c, struct pv_snapshot *s)
{
	const struct decoder_stats *d = decoder_stats(c->decoder);
	uint64_t refused = 0;
	int r = snapshot_add_source(s, "packets", c->live ? "AF_PACKET ring" : "capture files",
				    PV_SOURCE_WORKING, NULL);

	for (size_t i = 0; r == 0 && i < c->damage.n; i++)
		r = add_damage(c, s, &c->damage.items[i]);
	if (r == 0)
		r = add_gap(s, PV_GAP_AGAIN, c->again, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_BPF, c->unfiltered, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_UNDECODED, c->undecoded, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_CUT, c->cut, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_TIMES, c->untimed, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_FRAGMENTS, d->unplaced_packets, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_OVERLAP, d->overlapping, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_DEPTH, c->too_deep, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_EVICTED, c->table.n_evicted, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_DROPPED, c->at.dropped, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_OBSERVED, n_abandoned(c), NULL);
	if (r == 0)
		r = flow_filenames_refused(&c->filenames, &refused);
	if (r == 0)
		r = add_gap(s, PV_GAP_NAMES_REFUSED, refused, NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_NAMES_DROPPED, capture_names_dropped(c->input), NULL);
	if (r == 0)
		r = add_gap(s, PV_GAP_LIBRARY, !c->has_digest, crypto_api_error());
	return r < 0 ? r : add_owner_coverage(c, s);
}

static int fill(struct pv_capture *c, struct pv_snapshot *s)
{
	uint32_t index;
	int r = 0;

	while (r == 0 && (!c->batch || s->n_rows < c->batch) &&
	       (index = flow_table_take(&c->table)) != FLOW_NONE) {
		r = flow_row_add(s, &c->table, &c->sockets, flow_table_entry(&c->table, index),
				 &c->owners, c->filter);
		flow_table_free_entry(&c->table, index);
	}
	if (r < 0 || c->table.finished != FLOW_NONE)
		return r;
	if (c->phase == PHASE_DRAIN) {
		c->phase = PHASE_READ;
		return 0;
	}
	c->phase = PHASE_END;
	return add_coverage(c, s);
}

int pv_capture_next(struct pv_capture *c, struct pv_snapshot **ret)
{
	while (c->phase != PHASE_END) {
		struct pv_snapshot *s;
		int r = c->phase == PHASE_READ ? read_on(c) : 0;

		if (r != 0)
			return r;
		s = snapshot_new();
		/* what was let go may have lain where this one does */
		c->owners.target = NULL;
		r = s ? fill(c, s) : -ENOMEM;
		if (r == 0 && c->redactor)
			r = redact_snapshot(c->redactor, s);
		if (r < 0 || (!s->n_rows && c->phase != PHASE_END)) {
			pv_snapshot_free(s);
			if (r < 0)
				return r;
			continue;
		}
		snapshot_seal(s);
		*ret = s;
		return 0;
	}
	return PV_CAPTURE_END;
}

const struct pv_capture_progress *pv_capture_progress(const struct pv_capture *c)
{
	return &c->at;
}

const struct pv_capture_error *pv_capture_damage(const struct pv_capture *c, size_t i)
{
	return i < c->damage.n ? &c->damage.items[i] : NULL;
}
