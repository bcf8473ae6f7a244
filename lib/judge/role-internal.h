/* SPDX-License-Identifier: MIT */
/* The inside of roles: each with its key and what was seen of it. */
#ifndef JUDGE_ROLE_INTERNAL_H
#define JUDGE_ROLE_INTERNAL_H

#include <portavoz/role.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

struct role_nets {
	VEC(struct pv_role_net) items;
	bool any;
};

struct role {
	struct pv_role public;
	struct pv_bytes key; /* equal keys, equal roles */
	VEC(struct pv_bytes) users;
	struct role_nets nets;
	bool any_user; /* one of them is a number made up at start */
};

struct pv_roles {
	struct arena arena;
	struct map by_key; /* hash of the key -> index; the next numbers after a collision */
	VEC(struct role) roles;
	uint64_t unowned[PV_REASON_N];
};

/* role_net.c: the address of one end, seen in that direction. 0 or -ENOMEM. */
int role_nets_add(struct role_nets *n, int family, const uint8_t *addr, enum pv_direction d);
/* Sorts, and widens until there are few. */
void role_nets_finish(struct role_nets *n, enum pv_direction d);
int role_net_compare(const void *a, const void *b);

/* role.c */
int role_bytes_compare(const struct pv_bytes *a, const struct pv_bytes *b);
int role_compare(const struct pv_role *a, const struct pv_role *b);

#endif
