/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/thread.h"

#define STACK_SIZE (128 * 1024)

struct deadline {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int (*work)(void *data);
	void (*release)(void *data);
	void *data;
	int result;
	bool is_done, is_abandoned;
};

static void deadline_free(struct deadline *d)
{
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static void *run(void *userdata)
{
	struct deadline *d = userdata;
	int result = d->work(d->data);
	bool is_abandoned;

	pthread_mutex_lock(&d->lock);
	d->result = result;
	d->is_done = true;
	is_abandoned = d->is_abandoned;
	pthread_cond_signal(&d->changed);
	pthread_mutex_unlock(&d->lock);
	if (is_abandoned) {
		d->release(d->data);
		deadline_free(d);
	}
	return NULL;
}

static struct deadline *deadline_new(void)
{
	struct deadline *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	pthread_mutex_init(&d->lock, NULL);
	thread_condition_init(&d->changed);
	return d;
}

/* true when the work was done in time */
static bool wait_for(struct deadline *d, int ms)
{
	struct timespec until = thread_deadline(ms);
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (!d->is_done && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&d->changed, &d->lock, &until);
	d->is_abandoned = !d->is_done;
	r = d->is_done;
	pthread_mutex_unlock(&d->lock);
	return r;
}

int deadline_run(int (*work)(void *data), void (*release)(void *data), void *data, int ms)
{
	struct deadline *d = deadline_new();
	pthread_t thread;
	int r = d ? -EAGAIN : -ENOMEM;

	if (d) {
		d->work = work;
		d->release = release;
		d->data = data;
	}
	if (!d || thread_start(&thread, STACK_SIZE, run, d) < 0) {
		if (d)
			deadline_free(d);
		release(data);
		return r;
	}
	/* once abandoned, the thread frees everything, perhaps at once */
	if (!wait_for(d, ms)) {
		pthread_detach(thread);
		return -ETIMEDOUT;
	}
	pthread_join(thread, NULL);
	r = d->result;
	deadline_free(d);
	return r;
}
