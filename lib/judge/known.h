/* SPDX-License-Identifier: MIT */
/* Programs that are known for certain services, by the name of their packaged executable. */
#ifndef JUDGE_KNOWN_H
#define JUDGE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include <portavoz/conversation.h>
#include <portavoz/registry.h>

struct known_program {
	const char *name;     /* last part of the executable's path */
	const char *services; /* names of the registry, with commas between them */
	bool is_local;	      /* usually it serves its own host only */
	/* from here on it takes ports at random, for itself: of TCP and UDP, of UDP; 0 = it does
	 * not */
	uint16_t picks_from, picks_udp_from;
};

/* NULL = not known for any */
const struct known_program *known_program(const struct pv_bytes *name);
bool known_serves(const struct known_program *p, const char *service);
/*
 * Is the port, registered for that service, no place for this program? Every system port of another
 * service is; of the others only those of services that many hosts run: the rest of the registry
 * are names of products that hardly anybody has met, among which people pick alternative ports.
 */
bool known_contradicts(const struct known_program *p, enum pv_transport transport, uint16_t port,
		       const char *service);

#endif
