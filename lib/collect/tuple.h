/* SPDX-License-Identifier: MIT */
/* Hashing and comparing endpoints, with v4-mapped IPv6 addresses taken for the IPv4 ones they are.
 */
#ifndef COLLECT_TUPLE_H
#define COLLECT_TUPLE_H

#include <string.h>
#include <sys/socket.h>

#include <portavoz/conversation.h>

#include "base/inet.h"
#include "base/map.h"

/* An address in its shortest family. */
struct tuple_addr {
	int family;
	const uint8_t *bytes;
};

static inline struct tuple_addr tuple_addr(int family, const struct pv_endpoint *e)
{
	if (family == AF_INET6 && inet_is_mapped(e->addr))
		return (struct tuple_addr){ AF_INET, e->addr + 12 };
	return (struct tuple_addr){ family, e->addr };
}

static inline bool tuple_addr_equal(struct tuple_addr a, struct tuple_addr b)
{
	return a.family == b.family && !memcmp(a.bytes, b.bytes, a.family == AF_INET6 ? 16 : 4);
}

static inline bool tuple_endpoint_equal(int family_a, const struct pv_endpoint *a, int family_b,
					const struct pv_endpoint *b)
{
	return a->port == b->port &&
	       tuple_addr_equal(tuple_addr(family_a, a), tuple_addr(family_b, b));
}

static inline uint64_t tuple_endpoint_hash(uint64_t h, int family, const struct pv_endpoint *e)
{
	struct tuple_addr a = tuple_addr(family, e);
	uint64_t w[2] = { 0 };

	memcpy(w, a.bytes, a.family == AF_INET6 ? 16 : 4);
	return map_mix(map_mix(map_mix(h, w[0]), w[1]), e->port);
}

#endif
