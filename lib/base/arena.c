/* SPDX-License-Identifier: MIT */
/* A list of blocks; the first one serves. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/pages.h"

/* There are thousands of small arenas, one a filter of a policy. */
#define BLOCK_MIN ((size_t)1024)
#define BLOCK_MAX (2 * PAGES_HUGE)

struct arena_block {
	struct arena_block *next;
	size_t used, size; /* of data */
	_Alignas(8) unsigned char data[];
};

void arena_deinit(struct arena *a)
{
	while (a->block) {
		struct arena_block *next = a->block->next;

		pages_free(a->block, sizeof(*a->block) + a->block->size);
		a->block = next;
	}
	a->total = 0;
}

/* Blocks grow with the arena, so that a large one consists of huge pages. */
static struct arena_block *block_new(struct arena *a, size_t least)
{
	size_t size = a->total < BLOCK_MIN   ? BLOCK_MIN
		      : a->total < BLOCK_MAX ? a->total
					     : BLOCK_MAX;
	struct arena_block *b;

	if (least > SIZE_MAX / 2)
		return NULL;
	if (size < least + sizeof(*b))
		size = least + sizeof(*b);
	b = pages_alloc(size);
	if (!b)
		return NULL;
	b->size = size - sizeof(*b);
	a->total += size;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->block;
	void *p;

	if (size > SIZE_MAX - 7)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	if (!b || b->size - b->used < size) {
		b = block_new(a, size);
		if (!b)
			return NULL;
		/* the block with more room left goes on serving */
		if (a->block && a->block->size - a->block->used > b->size - size) {
			b->next = a->block->next;
			a->block->next = b;
		} else {
			b->next = a->block;
			a->block = b;
		}
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *arena_dup(struct arena *a, const void *data, size_t len)
{
	unsigned char *p = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

	if (p && len)
		memcpy(p, data, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s));
}
