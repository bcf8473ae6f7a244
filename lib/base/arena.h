/* SPDX-License-Identifier: MIT */
/* Memory that is freed all at once. Allocations are 8-aligned and zeroed. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *block;
	size_t total; /* bytes of all blocks */
};
#define ARENA_INIT                                                                                 \
	{                                                                                          \
		NULL, 0                                                                            \
	}

void arena_deinit(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);		/* NULL = out of memory */
void *arena_dup(struct arena *a, const void *data, size_t len); /* adds a NUL behind the copy */
char *arena_strdup(struct arena *a, const char *s);

#endif
