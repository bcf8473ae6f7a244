/* SPDX-License-Identifier: MIT */
/*
 * Work that may hang (a path on a file system that never answers), done by a thread of its own and
 * waited for no longer than a deadline. A thread that does not answer in time is left behind with
 * its data and frees it when it ends.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

/*
 * Calls work(data), which touches nothing but data. Returns its result, and the caller owns data;
 * or -ETIMEDOUT or -EAGAIN (no thread could be had): data is gone then, or will be, by
 * release(data).
 */
int deadline_run(int (*work)(void *data), void (*release)(void *data), void *data, int ms);

#endif
