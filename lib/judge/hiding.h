/* SPDX-License-Identifier: MIT */
/* The pure part of finding hidden processes. */
#ifndef JUDGE_HIDING_H
#define JUDGE_HIDING_H

#include <stddef.h>
#include <stdint.h>

#include "procfs/text.h"

/*
 * Gives the pid of each line of mountinfo whose place is /proc/PID or below it. 0 or what found()
 * returned.
 */
int hiding_mounts_parse(const void *data, size_t len, int (*found)(void *userdata, int32_t pid),
			void *userdata);

#endif
