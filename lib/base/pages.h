/* SPDX-License-Identifier: MIT */
/*
 * Zeroed memory for large tables, in huge pages where the kernel has them: a table of a million
 * rows otherwise costs a page fault every 4 KiB (measured: a quarter of a listing of 200,000
 * sockets).
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

#define PAGES_HUGE ((size_t)2 * 1024 * 1024)

void *pages_alloc(size_t size);	       /* NULL = out of memory */
void pages_free(void *p, size_t size); /* size as it was asked for; p may be NULL */

#endif
