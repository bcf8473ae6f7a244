/* SPDX-License-Identifier: MIT */
/* A list of blocks; the newest one serves. Large requests get a block of their own behind it. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(8) unsigned char data[];
};

void arena_deinit(struct arena *a)
{
	while (a->block) {
		struct arena_block *next = a->block->next;

		free(a->block);
		a->block = next;
	}
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	if (b)
		b->size = size;
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
		bool large = size > BLOCK_SIZE / 4;

		b = block_new(large ? size : BLOCK_SIZE);
		if (!b)
			return NULL;
		if (large && a->block) {
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
