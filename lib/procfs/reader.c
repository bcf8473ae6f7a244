/* SPDX-License-Identifier: MIT */
#include "procfs/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/thread.h"

#define STACK_SIZE (128 * 1024)

enum job_state { JOB_IDLE, JOB_ASKED, JOB_DONE, JOB_QUIT };

/* Shared by the asking thread and the reading one; whoever leaves last frees it. */
struct reader_job {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	enum job_state state;
	bool is_abandoned;
	int fd;
	size_t max;
	int result;
	struct buf text;
};

static void job_free(struct reader_job *job)
{
	buf_deinit(&job->text);
	pthread_cond_destroy(&job->changed);
	pthread_mutex_destroy(&job->lock);
	free(job);
}

/* Does one read with the lock dropped. */
static void job_serve(struct reader_job *job)
{
	int fd = job->fd, r;
	size_t max = job->max;

	pthread_mutex_unlock(&job->lock);
	buf_clear(&job->text);
	r = fd_read_max(fd, max, &job->text);
	close(fd);
	pthread_mutex_lock(&job->lock);
	job->result = r;
	job->state = JOB_DONE;
	pthread_cond_broadcast(&job->changed);
}

static void *job_run(void *userdata)
{
	struct reader_job *job = userdata;
	bool is_abandoned;

	pthread_mutex_lock(&job->lock);
	while (job->state != JOB_QUIT && !job->is_abandoned) {
		if (job->state == JOB_ASKED)
			job_serve(job);
		else
			pthread_cond_wait(&job->changed, &job->lock);
	}
	is_abandoned = job->is_abandoned;
	pthread_mutex_unlock(&job->lock);
	if (is_abandoned)
		job_free(job);
	return NULL;
}

static int job_new(struct reader_job **ret_job)
{
	struct reader_job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	pthread_mutex_init(&job->lock, NULL);
	thread_condition_init(&job->changed);
	if (thread_start(&job->thread, STACK_SIZE, job_run, job) < 0) {
		job_free(job);
		return -EAGAIN;
	}
	*ret_job = job;
	return 0;
}

static int ask(struct reader_job *job, int fd, size_t max, int deadline_ms)
{
	struct timespec until = thread_deadline(deadline_ms);
	int r = 0;

	pthread_mutex_lock(&job->lock);
	job->fd = fd;
	job->max = max;
	job->state = JOB_ASKED;
	pthread_cond_broadcast(&job->changed);
	while (job->state != JOB_DONE && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&job->changed, &job->lock, &until);
	r = job->state == JOB_DONE ? job->result : -ETIMEDOUT;
	if (r == -ETIMEDOUT) {
		job->is_abandoned = true;
		pthread_cond_broadcast(&job->changed);
		pthread_detach(job->thread);
	}
	pthread_mutex_unlock(&job->lock);
	return r;
}

int reader_read(struct reader *r, int fd, size_t max, int deadline_ms, struct buf *b)
{
	_cleanup_(cleanup_fd) int owned = fd;
	int error;

	if (r->n_missed >= READER_MISSES_MAX)
		return -ETIMEDOUT;
	error = r->job ? 0 : job_new(&r->job);
	if (error < 0)
		return error;
	error = ask(r->job, steal_fd(&owned), max, deadline_ms);
	if (error == -ETIMEDOUT) {
		r->job = NULL;
		r->n_missed++;
		return error;
	}
	if (error >= 0)
		buf_put(b, r->job->text.data, r->job->text.len);
	return error < 0 ? error : buf_error(b) < 0 ? buf_error(b) : error;
}

void reader_deinit(struct reader *r)
{
	struct reader_job *job = r->job;

	r->job = NULL;
	if (!job)
		return;
	pthread_mutex_lock(&job->lock);
	job->state = JOB_QUIT;
	pthread_cond_broadcast(&job->changed);
	pthread_mutex_unlock(&job->lock);
	pthread_join(job->thread, NULL);
	job_free(job);
}
