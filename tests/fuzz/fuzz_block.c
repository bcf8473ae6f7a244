/* SPDX-License-Identifier: MIT */
/*
 * Block lists from anywhere. An error points into the text; a list that parses is sorted and
 * disjoint, and finds the first address of each of its entries.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "judge/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block b = { 0 };
	struct block_error error;
	int r = block_parse(&b, size ? (const char *)data : "", size, &error);

	if (r == -EINVAL && (error.offset > size || !error.line || !error.message))
		abort();
	for (size_t i = 0; r == 0 && i < b.entries.n; i++) {
		const struct block_entry *e = &b.entries.items[i];

		if (i && memcmp(e[-1].addr, e->addr, 16) >= 0)
			abort();
		if (block_find(&b, AF_INET6, e->addr) != e)
			abort();
	}
	block_deinit(&b);
	return 0;
}
