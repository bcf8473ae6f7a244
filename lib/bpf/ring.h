/* SPDX-License-Identifier: MIT */
/* Reads BPF ring buffers: one that nobody writes to any more, or one that goes on. */
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

/* A ring that is written to while it is read. */
struct ring {
	uint64_t *consumed;	  /* how far it was read; a page */
	const uint64_t *produced; /* a page, behind which the data lie twice */
	const char *data;
	uint32_t size;
};
#define RING_INIT                                                                                  \
	{                                                                                          \
		NULL, NULL, NULL, 0                                                                \
	}

/* Maps it; `size` as above. 0 or -errno. ring_close() in any case. */
int ring_open(int map_fd, uint32_t size, struct ring *ring);
void ring_close(struct ring *ring);
/* Hands out, once, each record that is finished. 0, -EBADMSG, or what `record` returned. */
int ring_take(struct ring *ring, int (*record)(void *userdata, const void *, size_t),
	      void *userdata);

#endif
