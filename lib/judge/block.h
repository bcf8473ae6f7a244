/* SPDX-License-Identifier: MIT */
/*
 * A list of addresses and networks, made to be asked for each conversation: sorted, disjoint, one
 * binary search an address. IPv4 lies in it as v4-mapped IPv6, so a list of IPv4 addresses also
 * finds them in sockets that talk both.
 */
#ifndef JUDGE_BLOCK_H
#define JUDGE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct block_entry {
	uint8_t addr[16]; /* masked */
	uint8_t bits;
	uint32_t line; /* where it stands in the list, from 1 */
};

struct block {
	VEC(struct block_entry) entries;
};

/* Where a list cannot be understood: an offset in the text. */
struct block_error {
	uint32_t line;
	size_t offset;
	const char *message, *expected; /* static */
};

/*
 * Reads a list: an address or ADDRESS/BITS a line; what follows # or ; is a comment. 0, -EINVAL
 * with *error filled, or -ENOMEM. *b must be empty, and is to be deinited in any case.
 */
int block_parse(struct block *b, const char *text, size_t len, struct block_error *error);
void block_deinit(struct block *b);
/* The entry an address (4 or 16 bytes by AF_*) lies in, or NULL. */
const struct block_entry *block_find(const struct block *b, int family, const uint8_t *addr);

#endif
