/* SPDX-License-Identifier: MIT */
/* Names that capture files themselves give to addresses (pcapng name resolution blocks). */
#ifndef FLOW_FILENAMES_H
#define FLOW_FILENAMES_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "capture/packet.h"

struct flow_filenames {
	const struct capture *input;
	struct arena arena;
	VEC(const char *) names; /* by number in the input; NULL = unfit to be shown */
	uint64_t n_unfit;
	struct map by_address;
};

void flow_filenames_deinit(struct flow_filenames *f);
/* The name of an address of 4 or 16 bytes, as far as files were read; NULL = none. */
const char *flow_filenames_get(struct flow_filenames *f, int family, const uint8_t *addr);
/* How many names are not used: unfit to be shown, too long, or beyond the bound of their number.
 * 0 or -ENOMEM. */
int flow_filenames_refused(struct flow_filenames *f, uint64_t *ret_n);

#endif
