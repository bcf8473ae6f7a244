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
/* The nanoseconds of "CLOCK S NS" in /proc/self/timens_offsets; 0 or -EBADMSG */
int procfs_time_offset_parse(const void *data, size_t len, const char *clock, int64_t *ret_ns);
/*
 * What the reader's time namespace adds to a clock, "monotonic" or "boottime", as procfs and system
 * calls show it (Linux 5.6): the kernel's own records are without it. 0 where there is none.
 */
int64_t procfs_read_time_offset(struct tape *t, const char *clock);
/*
 * Start times of the kernel's own records as /proc shows them, in 1/100 s, with that offset; 0 =
 * not known.
 */
uint64_t procfs_shown_ticks(uint64_t ticks, int64_t offset_ns);
/* What cannot be read is 0; the results are those of the first failure. */
int procfs_read_clock(struct tape *t, uint64_t *ret_boot_time, uint64_t *ret_uptime);

#endif
