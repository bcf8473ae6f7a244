/* SPDX-License-Identifier: MIT */
/* Closing the sockets of a list: consent first, and what could not be closed with its reason. */
#ifndef CLI_KILL_H
#define CLI_KILL_H

#include <stdbool.h>

#include <portavoz/portavoz.h>

/*
 * May the sockets that the filter selects be closed? Without a filter only with `all`; without a
 * terminal to ask on only with `yes`. 0, or the exit status after saying why not.
 */
int kill_refuse(const struct pv_filter *filter, bool all, bool yes);
/* Asks on the terminal, the list being in view; false: better not. */
bool kill_ask(size_t n);
/*
 * Closes every row of the snapshot; but those with is_left[i]; sets it for those that could not
 * be closed, each of which is told on stderr with the reason. Returns the exit status.
 */
int kill_rows(const struct pv_snapshot *snapshot, bool *is_left);

#endif
