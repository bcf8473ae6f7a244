/* SPDX-License-Identifier: MIT */
#include "base/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

void *pages_alloc(size_t size)
{
	void *p;

	if (size < PAGES_HUGE)
		return calloc(1, size);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void pages_free(void *p, size_t size)
{
	if (size < PAGES_HUGE)
		free(p);
	else if (p)
		munmap(p, size);
}
