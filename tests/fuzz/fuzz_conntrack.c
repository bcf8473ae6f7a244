/* SPDX-License-Identifier: MIT */
/* A datagram from anywhere as ctnetlink's answer: what comes out is what conntrack.h promises. */
#include <stdlib.h>
#include <sys/socket.h>

#include "netlink/conntrack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static int check_entry(void *userdata, const struct conntrack_entry *e)
{
	uint64_t *n = userdata;

	require(e->family == AF_INET || e->family == AF_INET6);
	for (size_t i = 4; e->family == AF_INET && i < 16; i++)
		require(!e->original.src[i] && !e->original.dst[i] && !e->reply.src[i] &&
			!e->reply.dst[i]);
	++*n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conntrack_stats stats = { 0 };
	uint64_t n = 0;

	require(conntrack_parse(data, size, check_entry, &n, &stats) == 0);
	require(stats.entries == n);
	return 0;
}
