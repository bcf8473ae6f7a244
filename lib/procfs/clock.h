/* SPDX-License-Identifier: MIT */
/* When the host was booted and how long ago that was: what start times of processes count from. */
#ifndef PROCFS_CLOCK_H
#define PROCFS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"

/* "btime N" of /proc/stat; 0 or -EBADMSG */
int procfs_boot_time_parse(const void *data, size_t len, uint64_t *ret_seconds);
/* "S.hh ..." of /proc/uptime, in hundredths of a second; 0 or -EBADMSG */
int procfs_uptime_parse(const void *data, size_t len, uint64_t *ret_hundredths);
/* What cannot be read is 0; the results are those of the first failure. */
int procfs_read_clock(struct tape *t, uint64_t *ret_boot_time, uint64_t *ret_uptime);

#endif
