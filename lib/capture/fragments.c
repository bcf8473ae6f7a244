/* SPDX-License-Identifier: MIT */
/* Reassembly of fragments. */
#include <errno.h>
#include <stdlib.h>

#include "capture/decode-internal.h"

struct decoder {
	struct decoder_stats stats;
};

int decoder_new(struct decoder **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void decoder_free(struct decoder *d)
{
	free(d);
}

const struct decoder_stats *decoder_stats(const struct decoder *d)
{
	return &d->stats;
}
