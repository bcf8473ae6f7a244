/* SPDX-License-Identifier: MIT */
/* One way to decompress gzip, zstd and lz4, by their libraries, told by the first four bytes. */
#ifndef CAPTURE_DECOMPRESS_H
#define CAPTURE_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decompressor;

/* NULL in *ret when the bytes open no compressed file. 0 or -ENOMEM. */
int decompressor_open(const uint8_t *first, size_t len, struct decompressor **ret);
void decompressor_close(struct decompressor *d);

/*
 * One step: takes bytes from in, puts bytes to out, and says how many of each. 0; 1 = the data are
 * over (then *ret_in may be less than there was); -EBADMSG: the data are wrong, -ENOMEM. When
 * `last` is set no byte comes after in; 2 = they end too early.
 */
int decompressor_step(struct decompressor *d, const uint8_t *in, size_t in_len, bool last,
		      uint8_t *out, size_t out_len, size_t *ret_in, size_t *ret_out);

const char *decompressor_name(const struct decompressor *d); /* "gzip" */

#endif
