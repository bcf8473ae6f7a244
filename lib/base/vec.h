/* SPDX-License-Identifier: MIT */
/* Growable arrays: VEC(int) v = {0}; vec_push(&v, 7) is 0 or -ENOMEM; vec_deinit(&v). */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n, cap;                                                                     \
	}

/* Makes room for `want` items of `size` bytes in all; returns 0 or -ENOMEM. */
int vec_grow(void **items, size_t *cap, size_t want, size_t size);

#define vec_reserve(v, want)                                                                       \
	((want) <= (v)->cap                                                                        \
		 ? 0                                                                               \
		 : vec_grow((void **)&(v)->items, &(v)->cap, (want), sizeof(*(v)->items)))

#define vec_push(v, item)                                                                          \
	(vec_reserve((v), (v)->n + 1) < 0 ? -ENOMEM : ((v)->items[(v)->n++] = (item), 0))

#define vec_deinit(v) (free((v)->items), (v)->items = NULL, (v)->n = (v)->cap = 0)

#endif
