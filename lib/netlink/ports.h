/* SPDX-License-Identifier: MIT */
/* Sets of ports that the conditions of a rule leave: a bounded number of ranges. */
#ifndef NETLINK_PORTS_H
#define NETLINK_PORTS_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's multiport names 15; all ports but these are 16 ranges. */
#define PORTS_MAX 16

struct port_range {
	uint16_t first, last;
};

/* Ascending, and apart. n 0 = no port. */
struct port_set {
	struct port_range ranges[PORTS_MAX];
	uint8_t n;
};
#define PORTS_ANY                                                                                  \
	(struct port_set)                                                                          \
	{                                                                                          \
		{ { 0, UINT16_MAX } }, 1                                                           \
	}

/* A port in network byte order. */
static inline uint16_t port_of(const uint8_t bytes[static 2])
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

struct port_set ports_of(uint16_t first, uint16_t last); /* first > last: none */
bool ports_are_any(const struct port_set *p);
bool ports_have(const struct port_set *p, uint32_t port);
/* Adds a range, where it belongs. false when there is no room for it: it is left out. */
bool ports_add(struct port_set *p, uint16_t first, uint16_t last);
/* Leaves those of *by alone, or with is_inverse all but those. false when the result would have too
 * many ranges: *p stays what it was. */
bool ports_narrow(struct port_set *p, const struct port_set *by, bool is_inverse);

#endif
