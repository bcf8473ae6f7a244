/* SPDX-License-Identifier: MIT */
/*
 * A conversation of anything: payloads of both sides, framed as in tests/helpers/observe_case.h,
 * whole and in small segments. Whatever was observed must keep within its bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "../helpers/observe_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct observe *shared(void)
{
	static struct observe *o; /* kept over runs: starting libcrypto is most of a run's time */

	if (!o && observe_new(&(struct observe_limits){ 1 << 16, 64 }, &o) < 0)
		abort();
	return o;
}

static void check(struct observe *o, const struct observe_state *s)
{
	char text[OBSERVE_CONTRADICTION_MAX];
	struct observe_counts counts;
	const char *detail;
	size_t n;

	detail = observe_state_detail(s, &n);
	if (n > OBSERVE_DETAIL_MAX || (n && !memchr(detail, '=', n)))
		abort();
	if (observe_state_verdict(s) == OBSERVE_FOUND && !observe_state_name(o, s)[0])
		abort();
	if (observe_contradiction(o, s, 443, PV_TRANSPORT_TCP, text) >= sizeof(text))
		abort();
	observe_counts_get(o, &counts);
	if (counts.buffered > 1 << 16)
		abort();
}

static void run(struct observe *o, const uint8_t *data, size_t size, size_t segment)
{
	struct observe_state s = { 0 };
	struct observe_counts counts;

	if (case_feed(o, &s, data, size, segment) < 0)
		abort();
	check(o, &s);
	if (observe_finish(o, &s) < 0)
		abort();
	check(o, &s);
	observe_state_release(o, &s);
	observe_counts_get(o, &counts);
	if (counts.buffered || counts.details)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observe *o = shared();

	run(o, data, size, SIZE_MAX);
	run(o, data, size, 97);
	return 0;
}
