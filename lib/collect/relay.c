/* SPDX-License-Identifier: MIT */
#include "collect/relay.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/thread.h"

#define RELAY_SLOTS 8

/* A ring of copies: [first, first + n) are filled. The parser holds no lock while it reads one. */
struct relay {
	struct tape *tape;
	enum bpf_iter_kind kind;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct buf slots[RELAY_SLOTS];
	size_t first, n;
	bool is_done;
	int read_result;  /* of the reader, when it is done */
	int parse_result; /* < 0: the parser wants no more */
};

/* In the reader: waits for a free slot and fills it. */
static int put(void *userdata, const void *data, size_t len)
{
	struct relay *r = userdata;
	struct buf *slot;
	int e;

	pthread_mutex_lock(&r->lock);
	while (r->n == RELAY_SLOTS && r->parse_result == 0)
		pthread_cond_wait(&r->changed, &r->lock);
	slot = &r->slots[(r->first + r->n) % RELAY_SLOTS];
	e = r->parse_result;
	pthread_mutex_unlock(&r->lock);
	if (e < 0)
		return e;
	buf_clear(slot);
	buf_put(slot, data, len);
	pthread_mutex_lock(&r->lock);
	r->n++;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return buf_error(slot);
}

static void *read_all(void *userdata)
{
	struct relay *r = userdata;
	int e = bpf_iter_run(r->tape, r->kind, 0, put, r);

	pthread_mutex_lock(&r->lock);
	r->read_result = e;
	r->is_done = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* In the caller's thread: the oldest filled slot, or NULL when all were read. */
static struct buf *get(struct relay *r)
{
	struct buf *slot = NULL;

	pthread_mutex_lock(&r->lock);
	while (r->n == 0 && !r->is_done)
		pthread_cond_wait(&r->changed, &r->lock);
	if (r->n)
		slot = &r->slots[r->first];
	pthread_mutex_unlock(&r->lock);
	return slot;
}

static void release(struct relay *r, int parse_result)
{
	pthread_mutex_lock(&r->lock);
	r->first = (r->first + 1) % RELAY_SLOTS;
	r->n--;
	if (r->parse_result == 0)
		r->parse_result = parse_result;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

int relay_run(struct tape *t, enum bpf_iter_kind kind, bpf_chunk chunk, void *userdata)
{
	struct relay r = { .tape = t,
			   .kind = kind,
			   .lock = PTHREAD_MUTEX_INITIALIZER,
			   .changed = PTHREAD_COND_INITIALIZER };
	pthread_t reader;
	struct buf *slot;

	if (thread_start(&reader, 0, read_all, &r) < 0)
		return bpf_iter_run(t, kind, 0, chunk, userdata);
	while ((slot = get(&r))) {
		int e = r.parse_result;

		if (e == 0 && buf_error(slot) == 0)
			e = chunk(userdata, slot->data, slot->len);
		release(&r, e < 0 ? e : 0);
	}
	pthread_join(reader, NULL);
	for (size_t i = 0; i < RELAY_SLOTS; i++)
		buf_deinit(&r.slots[i]);
	return r.parse_result < 0 ? r.parse_result : r.read_result;
}
