/* SPDX-License-Identifier: MIT */
/*
 * Conversations as files, for the test and the fuzz target of lib/observe: payloads in the order
 * they were sent, each behind four bytes: flags, a reserved one, the length (big endian).
 */
#ifndef OBSERVE_CASE_H
#define OBSERVE_CASE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "observe/observe.h"

#define CASE_SIDE 0x01
#define CASE_UDP 0x02
#define CASE_CUT 0x04
#define CASE_HEADER 4

/* One payload; moves past it. NULL at the end. */
static inline const uint8_t *case_next(const uint8_t **data, size_t *size, uint8_t *ret_flags,
				       size_t *ret_len)
{
	const uint8_t *at = *data;
	size_t len;

	if (*size < CASE_HEADER)
		return NULL;
	len = (size_t)at[2] << 8 | at[3];
	if (len > *size - CASE_HEADER)
		len = *size - CASE_HEADER;
	*ret_flags = at[0];
	*ret_len = len;
	*data += CASE_HEADER + len;
	*size -= CASE_HEADER + len;
	return at + CASE_HEADER;
}

/*
 * Feeds a conversation; streams in segments of at most `segment` bytes. Side 0 is 192.0.2.1, side 1
 * 192.0.2.2. Returns what observe_feed() does.
 */
static inline int case_feed(struct observe *o, struct observe_state *s, const uint8_t *data,
			    size_t size, size_t segment)
{
	static const uint8_t addr[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
	uint32_t offset[2] = { 0, 0 };
	const uint8_t *payload;
	uint8_t flags;
	size_t len;
	int r = 0;

	while (r == 0 && (payload = case_next(&data, &size, &flags, &len))) {
		unsigned side = flags & CASE_SIDE;
		struct observe_payload p = {
			.side = (uint8_t)side,
			.family = AF_INET,
			.src = addr[side],
			.dst = addr[!side],
			.src_port = side ? 53 : 40000,
			.dst_port = side ? 40000 : 53,
			.transport = flags & CASE_UDP ? PV_TRANSPORT_UDP : PV_TRANSPORT_TCP,
		};

		for (size_t at = 0; r == 0 && at < len; at += p.len) {
			p.data = payload + at;
			p.len = len - at;
			if (p.transport == PV_TRANSPORT_TCP && p.len > segment)
				p.len = segment;
			p.offset = offset[side];
			p.is_cut = flags & CASE_CUT && at + p.len == len;
			offset[side] += (uint32_t)p.len;
			r = observe_feed(o, s, &p);
		}
	}
	return r;
}

#endif
