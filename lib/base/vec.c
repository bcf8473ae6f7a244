/* SPDX-License-Identifier: MIT */
/* Growth by half: a million rows waste at most a third. */
#include "base/vec.h"

int vec_grow(void **items, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap + *cap / 2;
	void *p;

	if (n < 16)
		n = 16;
	if (n < want)
		n = want;
	if (n > SIZE_MAX / size)
		return -ENOMEM;
	p = realloc(*items, n * size);
	if (!p)
		return -ENOMEM;
	*items = p;
	*cap = n;
	return 0;
}
