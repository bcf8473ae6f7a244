/* SPDX-License-Identifier: MIT */
/*
 * Hash map from a 64-bit key to a 32-bit value, open addressing, keyed with a random seed per map
 * so that chosen keys (ports, inodes) cannot be made to collide. Key 0 is allowed.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map_slot {
	uint64_t key;
	uint32_t value; /* MAP_NONE = free */
};

struct map {
	struct map_slot *slots;
	size_t n, mask; /* mask + 1 slots, or slots == NULL */
	uint64_t seed;
};
#define MAP_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0, 0                                                                      \
	}

void map_deinit(struct map *m);
/* Room for n keys without growing; 0 or -ENOMEM. */
int map_reserve(struct map *m, size_t n);
uint32_t map_get(const struct map *m, uint64_t key); /* MAP_NONE = not found */
/* Sets key to value (< MAP_NONE); 0 or -ENOMEM. */
int map_put(struct map *m, uint64_t key, uint32_t value);
/* Inserts unless the key is there; *ret_value is then the one that was. 0, 1 (was there) or
 * -ENOMEM. */
int map_insert(struct map *m, uint64_t key, uint32_t value, uint32_t *ret_value);

/* Mixes a value into a key, for keys made of several parts; not keyed. */
static inline uint64_t map_mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h *= UINT64_C(0x9fb21c651e98df25);
	return h ^ (h >> 32);
}

/* Where the search for a key starts. */
static inline size_t map_home(const struct map *m, uint64_t key)
{
	return map_mix(map_mix(m->seed, key), m->seed) & m->mask;
}

/* Brings the slot of a key that will be looked up soon into the cache. */
static inline void map_prefetch(const struct map *m, uint64_t key)
{
	if (m->slots)
		__builtin_prefetch(&m->slots[map_home(m, key)]);
}

static inline void cleanup_map(struct map *m)
{
	map_deinit(m);
}

#endif
