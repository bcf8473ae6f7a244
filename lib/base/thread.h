/* SPDX-License-Identifier: MIT */
/* Threads of a library. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>
#include <time.h>

/*
 * Starts a thread with every signal blocked: signals are the program's business, and its handlers
 * must not run here. stack_size 0 is the system's default. 0 or -errno.
 */
int thread_start(pthread_t *ret_thread, size_t stack_size, void *(*run)(void *userdata),
		 void *userdata);

/* A condition whose pthread_cond_timedwait() goes by thread_deadline(). */
void thread_condition_init(pthread_cond_t *condition);
/* The moment so many milliseconds from now, on the clock that nobody sets. */
struct timespec thread_deadline(int ms);

#endif
