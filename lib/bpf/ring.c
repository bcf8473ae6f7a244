/* SPDX-License-Identifier: MIT */
/*
 * The layout of a mapped ring buffer (BPF_MAP_TYPE_RINGBUF): a page with the consumer's position, a
 * page with the producer's, then the data twice, so that a record never wraps. Each record has a
 * header of 8 bytes whose first word is its length and two flags, and is padded to 8 bytes.
 */
#include "bpf/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define CHUNK_BYTES 65536
#define HEADER_BYTES 8

/* Copies records of data[0..len) into chunks; the program never discards, so none is skipped. */
static int read_records(const char *data, uint64_t len, struct buf *b,
			int (*chunk)(void *, const void *, size_t), void *userdata)
{
	uint64_t at = 0;
	uint32_t n;
	int r;

	while (len - at >= HEADER_BYTES) {
		memcpy(&n, data + at, sizeof(n));
		n &= ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (n > len - at - HEADER_BYTES)
			return -EBADMSG;
		buf_put(b, data + at + HEADER_BYTES, n);
		at += HEADER_BYTES + ((n + 7u) & ~UINT32_C(7));
		if (at > len)
			return -EBADMSG;
		if (b->len < CHUNK_BYTES)
			continue;
		r = chunk(userdata, b->data, b->len);
		if (r < 0)
			return r;
		buf_clear(b);
	}
	if (buf_error(b))
		return buf_error(b);
	return b->len ? chunk(userdata, b->data, b->len) : 0;
}

int ring_read(int map_fd, uint32_t size, int (*chunk)(void *userdata, const void *, size_t),
	      void *userdata)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t length = page + size;
	const char *mapped;
	uint64_t produced;
	int r;

	/* the program ran inside our read(): its records were finished before that returned */
	mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (mapped == MAP_FAILED)
		return -errno;
	produced = __atomic_load_n((const uint64_t *)(const void *)mapped, __ATOMIC_ACQUIRE);
	r = produced > size ? -EBADMSG : read_records(mapped + page, produced, &b, chunk, userdata);
	munmap((void *)mapped, length);
	return r;
}

int ring_open(int map_fd, uint32_t size, struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumed, *produced;

	*ring = (struct ring)RING_INIT;
	consumed = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumed == MAP_FAILED)
		return -errno;
	ring->consumed = consumed;
	produced = mmap(NULL, page + 2 * (size_t)size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (produced == MAP_FAILED)
		return -errno;
	ring->produced = produced;
	ring->data = (const char *)produced + page;
	ring->size = size;
	return 0;
}

void ring_close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->produced)
		munmap((void *)ring->produced, page + 2 * (size_t)ring->size);
	if (ring->consumed)
		munmap(ring->consumed, page);
	*ring = (struct ring)RING_INIT;
}

int ring_take(struct ring *ring, int (*record)(void *userdata, const void *, size_t),
	      void *userdata)
{
	uint64_t at = *ring->consumed, end = __atomic_load_n(ring->produced, __ATOMIC_ACQUIRE);
	int r = 0;

	while (r == 0 && at < end) {
		const char *header = ring->data + (at & (ring->size - 1));
		uint32_t n =
			__atomic_load_n((const uint32_t *)(const void *)header, __ATOMIC_ACQUIRE);

		if (n & BPF_RINGBUF_BUSY_BIT)
			break;
		if (n > ring->size - HEADER_BYTES)
			return -EBADMSG;
		r = record(userdata, header + HEADER_BYTES, n);
		at += HEADER_BYTES + ((n + 7u) & ~UINT32_C(7));
		__atomic_store_n(ring->consumed, at, __ATOMIC_RELEASE);
	}
	return r;
}
