/* SPDX-License-Identifier: MIT */
/*
 * The stretches of sequence numbers that one side passed over and that may still come. The newest
 * of a side lies in its entry, where a fresh gap costs no memory; those before it, at most
 * FLOW_GAPS_MAX a side, in a list whose nodes the table keeps. A gap that is forgotten stays lost.
 */
#ifndef FLOW_GAPS_H
#define FLOW_GAPS_H

#include "flow/table.h"

/* Beyond the largest window there is (RFC 7323: 1 GiB) a sequence number is no gap but nonsense. */
#define FLOW_NONSENSE (1 << 30)

/* [start, end) is passed over now. */
void flow_gaps_add(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t start,
		   uint32_t end, int64_t time);
/*
 * Takes the bytes [seq, seq + len) out of the gaps they lie in: how many there were; *ret_time is
 * when the last of these gaps was seen, in microseconds, the low 32 bits.
 */
uint32_t flow_gaps_fill(struct flow_table *t, struct flow_entry *e, unsigned side, uint32_t seq,
			uint32_t len, uint32_t *ret_time);
void flow_gaps_free(struct flow_table *t, struct flow_entry *e);

#endif
