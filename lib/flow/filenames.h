/* SPDX-License-Identifier: MIT */
/* Names that capture files themselves give to addresses (pcapng name resolution blocks). */
#ifndef FLOW_FILENAMES_H
#define FLOW_FILENAMES_H

#include "base/map.h"
#include "capture/packet.h"

struct flow_filenames {
	const struct capture *input;
	struct map by_address; /* number in the input, of those that are fit to be shown */
	size_t n_seen;
	uint64_t n_unfit;
};

void flow_filenames_deinit(struct flow_filenames *f);
/* The name of an address of 4 or 16 bytes, as far as files were read; NULL = none. */
const char *flow_filenames_get(struct flow_filenames *f, int family, const uint8_t *addr);
/* How many names are not used: unfit to be shown, or too long. 0 or -ENOMEM. */
int flow_filenames_refused(struct flow_filenames *f, uint64_t *ret_n);

#endif
