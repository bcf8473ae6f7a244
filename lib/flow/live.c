/* SPDX-License-Identifier: MIT */
/*
 * A run over an interface. Invariant: packets are written in the order in which they came. A file
 * that cannot be written ends the run, but loses no conversation.
 */
#include "flow/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "capture/live.h"
#include "capture/write.h"

#define MS INT64_C(1000000)
#define WAIT_MS 100	 /* for packets, before is_over is asked again */
#define PAUSE (10 * MS)	 /* between two askings at least */
#define PAUSE_TIMES 1	 /* asking takes half of the time at most */
#define ASKED_MAX 4	 /* times a pair is asked for */
#define AGAIN (30 * MS)	 /* after the first answer; doubles */
#define RETRY (100 * MS) /* after it, when the first answer is not enough, packets or not */
#define HOLD (2000 * MS) /* longest wait of a packet for its comment */
#define CLOCKS_DIFFER MS /* of the times of packets and of events: one is converted */
#define FLUSH (500 * MS) /* who reads along in a pipe sees packets at least that often */
#define REST_MS 20	 /* until the kernel has handed over the last block */
#define HOLD_BYTES (32U << 20)
#define RING_PACKET 64	  /* bytes of the ring that a packet takes, at least */
#define PENDING_MAX 65536 /* pairs that wait to be asked for */

struct held {
	struct packet packet;
	size_t offset; /* of its data in bytes */
	struct flow_question question;
	int64_t time;
	bool has_question;
	uint8_t side;
};

struct retry {
	struct flow_question question;
	int64_t time; /* when it is due */
};

struct flow_live {
	struct pv_capture_live request;
	void *userdata;
	struct live *source;
	struct capture_writer *writer;
	uint64_t n_packets, n_rest, n_unread;
	uint64_t end_time;		   /* of packets: when the run was over; 0 = it is not */
	int64_t end, next_ask, next_flush; /* monotonic ns */
	int write_error;		   /* errno; 0 = none */
	size_t unwritten;		   /* index of the file */
	bool asks, is_down, is_ended;
	VEC(struct flow_question) pending;
	VEC(struct retry) retries; /* the first is due first */
	VEC(struct held) held;
	struct buf bytes; /* of held packets */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static int64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void flow_live_free(struct flow_live *l)
{
	if (!l)
		return;
	live_close(l->source);
	capture_writer_free(l->writer);
	vec_deinit(&l->pending);
	vec_deinit(&l->retries);
	vec_deinit(&l->held);
	buf_deinit(&l->bytes);
	free(l);
}

static int open_source(struct flow_live *l, const char *bpf, char **ret_message)
{
	const struct live_request q = { .interface = l->request.interface,
					.filter = bpf,
					.snaplen = l->request.snaplen,
					.ring_bytes = l->request.buffer,
					.is_promiscuous = l->request.is_promiscuous };
	char message[LIVE_MESSAGE_MAX];
	int r = live_open(&q, &l->source, message);

	if (r < 0 && ret_message && asprintf(ret_message, "%s: %s", q.interface, message) < 0)
		*ret_message = NULL;
	return r;
}

static int open_writer(struct flow_live *l)
{
	const struct pv_capture_live *q = &l->request;
	VEC(int) fds = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < q->n_files; i++) {
		int fd = fcntl(q->files[i], F_DUPFD_CLOEXEC, 3);

		r = fd < 0 ? -errno : vec_push(&fds, fd);
	}
	if (r == 0)
		r = capture_writer_new(fds.items, fds.n, q->file_bytes, &l->writer);
	else
		for (size_t i = 0; i < fds.n; i++)
			close(fds.items[i]);
	vec_deinit(&fds);
	return r;
}

int flow_live_open(const struct pv_capture_live *request, const char *bpf, void *userdata,
		   struct flow_live **ret, char **ret_message)
{
	struct flow_live *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->request = *request;
	l->userdata = userdata;
	l->asks = request->find_owners != NULL;
	r = open_source(l, bpf, ret_message);
	if (r == 0 && request->n_files)
		r = open_writer(l);
	if (r == 0 && l->writer)
		r = capture_writer_add_interface(l->writer, request->interface,
						 live_link_type(l->source), request->snaplen);
	if (r < 0) {
		flow_live_free(l);
		return r;
	}
	l->end = request->duration_ns ? now() + request->duration_ns : INT64_MAX;
	*ret = l;
	return 0;
}

/* ---- packets ---- */

static bool is_full(const struct flow_live *l)
{
	return l->request.max_packets && l->n_packets >= l->request.max_packets;
}

static bool is_over(const struct flow_live *l)
{
	return l->write_error || is_full(l) || now() >= l->end ||
	       (l->request.is_over && l->request.is_over(l->userdata));
}

/* While packets wait for an answer, it does not wait for more packets longer than that. */
static int wait_ms(const struct flow_live *l)
{
	int64_t left = l->end - now();

	if (l->pending.n || l->held.n || l->retries.n)
		return (int)(PAUSE / MS);
	return left < WAIT_MS * MS ? (int)(left / MS) + 1 : WAIT_MS;
}

/* Packets that came, waiting some time for the first. */
static int read_within(struct flow_live *l, int ms, struct packet *ret, size_t max, size_t *ret_n)
{
	struct pollfd polled = { .fd = live_fd(l->source), .events = POLLIN };
	int r;

	if (poll(&polled, 1, ms) < 0 && errno != EINTR)
		return -errno;
	r = live_read(l->source, ret, max, ret_n);
	l->is_down = !*ret_n && !live_is_up(l->source);
	return r;
}

/*
 * What lay in the ring when the run was over belongs to it, so that the counts add up; what came
 * later does not. Should the clock be set back meanwhile, there is no more than fits into the ring.
 */
static int read_rest(struct flow_live *l, struct packet *ret, size_t max, size_t *ret_n)
{
	int r = 0;

	while (r == 0 && !l->is_ended) {
		uint64_t room =
			l->request.max_packets ? l->request.max_packets - l->n_packets : UINT64_MAX;
		size_t n, came = 0, taken;

		r = read_within(l, REST_MS, ret, max, &came);
		for (n = 0; n < came && ret[n].time_ns <= l->end_time;)
			n++;
		l->n_rest += n;
		l->is_ended = n < came || !n || l->n_rest > l->request.buffer / RING_PACKET;
		taken = n < room ? n : (size_t)room;
		l->n_packets += taken;
		l->n_unread += n - taken;
		*ret_n = taken;
		if (taken)
			return r;
	}
	return r < 0 ? r : FLOW_LIVE_END;
}

int flow_live_read(struct flow_live *l, struct packet *ret, size_t max, size_t *ret_n)
{
	uint64_t left = l->request.max_packets - l->n_packets;
	int r;

	*ret_n = 0;
	if (!l->end_time && is_over(l))
		l->end_time = (uint64_t)clock_ns(CLOCK_REALTIME);
	if (l->end_time)
		return read_rest(l, ret, max, ret_n);
	if (l->request.max_packets && max > left)
		max = (size_t)left;
	r = read_within(l, wait_ms(l), ret, max, ret_n);
	l->n_packets += *ret_n;
	return r;
}

const char *flow_live_interface(const struct flow_live *l)
{
	return l->request.interface;
}

int flow_live_write_error(const struct flow_live *l, const char **ret_name)
{
	*ret_name = l->request.file_names ? l->request.file_names[l->unwritten] : "file";
	return l->write_error;
}

void flow_live_progress(struct flow_live *l, struct pv_capture_progress *ret)
{
	struct live_stats s;

	if (live_get_stats(l->source, &s) == 0)
		ret->dropped = s.dropped;
	ret->unread = l->n_unread;
	ret->is_down = l->is_down;
}

/* ---- asking ---- */

/* Not certain yet, and worth another question by now. */
static bool is_due(const struct flow_answer *a, int64_t time)
{
	bool is_certain = a->by[0] == PV_END_PAIR && a->by[1] == PV_END_PAIR;

	return !a->is_expected && !is_certain && a->n_asked < ASKED_MAX &&
	       time - a->time > AGAIN << a->n_asked;
}

static int expect(struct flow_live *l, struct flow_owners *o, const struct flow_question *q)
{
	const struct flow_answer *a = flow_owners_get(o, q);

	if ((a && !is_due(a, now())) || l->pending.n >= PENDING_MAX)
		return 0;
	if (vec_push(&l->pending, *q) < 0)
		return -ENOMEM;
	return flow_owners_expect(o, q);
}

/*
 * A conversation of one moment has no further packet to ask again at: its socket was perhaps made
 * after the listing, and is in the next one, or closed by then.
 */
static int note_retry(struct flow_live *l, struct flow_owners *o, const struct flow_question *q,
		      int64_t time)
{
	struct flow_answer *a = flow_owners_get(o, q);
	struct retry retry = { *q, time + RETRY };

	if (!a || a->n_asked != 1 || l->retries.n >= PENDING_MAX || flow_owners_is_settled(o, a))
		return 0;
	a->is_expected = true;
	return vec_push(&l->retries, retry);
}

static int ask_some(struct flow_live *l, struct flow_owners *o, const struct flow_question *q,
		    size_t n)
{
	struct pv_capture_question questions[PV_CAPTURE_PAIRS];
	struct pv_capture_owner owners[PV_CAPTURE_PAIRS][2];
	int64_t time = now(), epoch = clock_ns(CLOCK_REALTIME) - time;
	int r;

	memset(questions, 0, sizeof(questions));
	for (size_t i = 0; i < n; i++) {
		questions[i].pair = q[i].pair;
		questions[i].time = q[i].start - epoch - CLOCKS_DIFFER;
	}
	r = l->request.find_owners(questions, n, owners, l->userdata);
	if (r < 0) {
		l->asks = false;
		return 0;
	}
	time = now();
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = flow_owners_put(o, &q[i], owners[i], time);
		if (r == 0)
			r = note_retry(l, o, &q[i], time);
	}
	return r;
}

/* What is due again waits with the others. */
static int take_retries(struct flow_live *l, bool all)
{
	int64_t time = now();
	size_t n = 0;

	for (; n < l->retries.n && (all || l->retries.items[n].time <= time); n++)
		if (vec_push(&l->pending, l->retries.items[n].question) < 0)
			return -ENOMEM;
	l->retries.n -= n;
	if (n)
		memmove(l->retries.items, l->retries.items + n,
			l->retries.n * sizeof(*l->retries.items));
	return 0;
}

static int ask(struct flow_live *l, struct flow_owners *o)
{
	int64_t start = now();
	int r = 0;

	for (size_t i = 0; r == 0 && l->asks && i < l->pending.n; i += PV_CAPTURE_PAIRS) {
		size_t left = l->pending.n - i;

		r = ask_some(l, o, &l->pending.items[i],
			     left < PV_CAPTURE_PAIRS ? left : PV_CAPTURE_PAIRS);
	}
	l->pending.n = 0;
	l->next_ask = now() + (now() - start) * PAUSE_TIMES;
	if (l->next_ask < start + PAUSE)
		l->next_ask = start + PAUSE;
	return r;
}

/* ---- writing ---- */

/* Names of processes are foreign bytes: what is no plain character stands as \xNN. */
static void put_plain(struct buf *b, struct pv_bytes text)
{
	for (uint32_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < ' ' || c > '~' || c == '\\')
			buf_printf(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
}

static void put_named(struct buf *b, const char *label, struct pv_bytes text)
{
	if (!text.len)
		return;
	buf_puts(b, label);
	put_plain(b, text);
}

static void put_process(struct buf *b, const struct flow_owners *o, const struct pv_process *p)
{
	const char *user = pv_snapshot_user(o->known, p->uid);

	put_plain(b, p->comm);
	buf_printf(b, "[%d]", (int)p->pid);
	if (user)
		put_named(b, " user ", (struct pv_bytes){ user, (uint32_t)strlen(user) });
	else if (p->uid != UINT32_MAX)
		buf_printf(b, " uid %u", p->uid);
	put_named(b, " unit ", p->unit);
	put_named(b, " container ", p->container);
}

/* "from curl[12] user alice; to nginx[34] user www-data unit nginx.service" */
static void put_comment(struct buf *b, const struct flow_owners *o, const struct held *h)
{
	const struct flow_answer *a = h->has_question ? flow_owners_get(o, &h->question) : NULL;

	for (unsigned i = 0; a && i < 2; i++) {
		const struct pv_process *p = flow_owners_process(o, a, i ? !h->side : h->side);

		if (!p)
			continue;
		buf_puts(b, b->len ? "; " : "");
		buf_puts(b, i ? "to " : "from ");
		put_process(b, o, p);
	}
}

static int write_held(struct flow_live *l, const struct flow_owners *o, struct held *h)
{
	_cleanup_(cleanup_buf) struct buf comment = BUF_INIT;

	put_comment(&comment, o, h);
	if (buf_error(&comment))
		return -ENOMEM;
	h->packet.data = (const uint8_t *)l->bytes.data + h->offset;
	return capture_writer_put(l->writer, &h->packet, comment.data, comment.len);
}

static bool may_go(const struct flow_live *l, const struct flow_owners *o, const struct held *h)
{
	const struct flow_answer *a =
		h->has_question && l->asks ? flow_owners_get(o, &h->question) : NULL;

	return !a || !a->is_expected || l->bytes.len > HOLD_BYTES || now() - h->time > HOLD;
}

/* Writes from the front as far as answers reach; what waits moves to the front. */
static int write_ready(struct flow_live *l, const struct flow_owners *o, bool all)
{
	size_t n = 0, first;
	int r = 0;

	while (r == 0 && n < l->held.n && (all || may_go(l, o, &l->held.items[n])))
		r = write_held(l, o, &l->held.items[n++]);
	if (!n || r < 0)
		return r;
	first = n < l->held.n ? l->held.items[n].offset : l->bytes.len;
	memmove(l->bytes.data, l->bytes.data + first, l->bytes.len - first);
	l->bytes.len -= first;
	l->held.n -= n;
	memmove(l->held.items, l->held.items + n, l->held.n * sizeof(*l->held.items));
	for (size_t i = 0; i < l->held.n; i++)
		l->held.items[i].offset -= first;
	return 0;
}

static int hold(struct flow_live *l, const struct packet *p, const struct flow_question *q,
		unsigned side)
{
	struct held h = { .packet = *p, .time = now(), .side = (uint8_t)side };

	if (q) {
		h.question = *q;
		h.has_question = true;
	}
	h.offset = l->bytes.len;
	buf_put(&l->bytes, p->data, p->captured);
	return buf_error(&l->bytes) ? -ENOMEM : vec_push(&l->held, h);
}

int flow_live_note(struct flow_live *l, struct flow_owners *o, const struct packet *p,
		   const struct flow_entry *e, unsigned side)
{
	struct flow_question q = { .start = e ? flow_entry_start(e) : 0 };
	bool has_question = e && flow_owners_pair(&e->key, &q.pair);
	int r = has_question && l->asks ? expect(l, o, &q) : 0;

	return r == 0 && l->writer ? hold(l, p, has_question ? &q : NULL, side) : r;
}

static int write_end(struct flow_live *l)
{
	struct live_stats s = { 0 };
	struct timespec t;
	int r;

	clock_gettime(CLOCK_REALTIME, &t);
	live_get_stats(l->source, &s);
	r = capture_writer_put_statistics(l->writer, 0,
					  (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec,
					  s.received + s.dropped, s.dropped);
	return r < 0 ? r : capture_writer_flush(l->writer);
}

static int write_due(struct flow_live *l, const struct flow_owners *o, bool is_last)
{
	int r = write_ready(l, o, is_last);

	if (r == 0 && is_last)
		return write_end(l);
	if (r == 0 && now() >= l->next_flush) {
		r = capture_writer_flush(l->writer);
		l->next_flush = now() + FLUSH;
	}
	return r;
}

static void stop_writing(struct flow_live *l, int error)
{
	l->write_error = error;
	l->unwritten = capture_writer_file(l->writer);
	capture_writer_free(l->writer);
	l->writer = NULL;
	vec_deinit(&l->held);
	buf_deinit(&l->bytes);
}

int flow_live_work(struct flow_live *l, struct flow_owners *o, bool is_last)
{
	int r = take_retries(l, is_last);

	if (r == 0 && l->pending.n && (is_last || now() >= l->next_ask))
		r = ask(l, o);
	if (r < 0 || !l->writer)
		return r;
	r = write_due(l, o, is_last);
	if (r < 0 && r != -ENOMEM) {
		stop_writing(l, -r);
		r = 0;
	}
	return r;
}
