/* SPDX-License-Identifier: MIT */
/* Programs that are known for certain services, by the name of their packaged executable. */
#ifndef JUDGE_KNOWN_H
#define JUDGE_KNOWN_H

#include <stdbool.h>

#include <portavoz/conversation.h>

struct known_program {
	const char *name;     /* last part of the executable's path */
	const char *services; /* names of the registry, with commas between them */
	bool is_local;	      /* usually it serves its own host only */
};

/* NULL = not known for any */
const struct known_program *known_program(const struct pv_bytes *name);
bool known_serves(const struct known_program *p, const char *service);
/* Is any of them known for this service? */
bool known_service(const char *service);

#endif
