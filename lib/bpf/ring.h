/* SPDX-License-Identifier: MIT */
/* Empties a BPF ring buffer that nobody writes to any more. */
#ifndef BPF_RING_H
#define BPF_RING_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hands out the records of the map in order, many at a time, without the ring's own headers. `size`
 * is the map's max_entries. 0, -errno, or what `chunk` returned.
 */
int ring_read(int map_fd, uint32_t size, int (*chunk)(void *userdata, const void *, size_t),
	      void *userdata);

#endif
