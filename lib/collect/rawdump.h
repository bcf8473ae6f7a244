/* SPDX-License-Identifier: MIT */
/* A raw dump of TCP sockets (portavoz/dump.h) in the place of this host. */
#ifndef COLLECT_RAWDUMP_H
#define COLLECT_RAWDUMP_H

#include <stdbool.h>

#include "collect/collector.h"

/* A recording is a folder, a raw dump a file. */
bool collect_is_rawdump(const char *path);
/* Puts its sockets into the snapshot. 0, -EBADMSG (it is none) or -errno. */
int collect_rawdump(struct collector *c, const char *path);

#endif
