/* SPDX-License-Identifier: MIT */
/*
 * What is inside of QUIC's Initial packets, which no fuzzer could encrypt: frames in the clear, one
 * packet after the other, framed as in tests/helpers/observe_case.h. CRYPTO frames are put together
 * over packets and read as a ClientHello.
 */
#include <stdlib.h>
#include <string.h>

#include "../helpers/observe_case.h"
#include "observe/observe-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct observe *shared(void)
{
	static struct observe *o; /* kept over runs: starting libcrypto is most of a run's time */

	if (!o && observe_new(&(struct observe_limits){ 1 << 16, 64 }, &o) < 0)
		abort();
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observe *o = shared();
	struct observe_state s = { 0 };
	enum probe_result result = PROBE_SURE;
	const uint8_t *plain;
	uint8_t flags;
	size_t len;

	while (result == PROBE_SURE && (plain = case_next(&data, &size, &flags, &len))) {
		struct observe_payload payload = { .side = flags & CASE_SIDE,
						   .transport = PV_TRANSPORT_UDP };
		struct probe p = { .payload = &payload, .o = o, .s = &s };

		result = observe_quic_frames(&p, 1, (struct span){ plain, len });
		if (p.detail.len && !memchr(p.detail.text, '=', p.detail.len))
			abort();
		if (result == PROBE_NO || o->pool.bytes > 1 << 16)
			abort();
	}
	observe_state_release(o, &s);
	if (o->pool.bytes)
		abort();
	return 0;
}
