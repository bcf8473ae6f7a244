/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <errno.h>
#include <sys/random.h>

#include "base/pages.h"

static size_t bytes_of(const struct map *m)
{
	return m->slots ? (m->mask + 1) * sizeof(*m->slots) : 0;
}

void map_deinit(struct map *m)
{
	pages_free(m->slots, bytes_of(m));
	*m = (struct map)MAP_INIT;
}

static size_t slot_of(const struct map *m, uint64_t key)
{
	size_t i = map_home(m, key);

	while (m->slots[i].value != MAP_NONE && m->slots[i].key != key)
		i = (i + 1) & m->mask;
	return i;
}

static int resize(struct map *m, size_t n_slots)
{
	struct map old = *m;

	m->slots = pages_alloc(n_slots * sizeof(*m->slots));
	if (!m->slots) {
		*m = old;
		return -ENOMEM;
	}
	if (!m->seed && getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != sizeof(m->seed))
		m->seed = (uintptr_t)m->slots ^ UINT64_C(0x9e3779b97f4a7c15);
	m->mask = n_slots - 1;
	for (size_t i = 0; i < n_slots; i++)
		m->slots[i].value = MAP_NONE;
	for (size_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i].value != MAP_NONE)
			m->slots[slot_of(m, old.slots[i].key)] = old.slots[i];
	pages_free(old.slots, bytes_of(&old));
	return 0;
}

int map_reserve(struct map *m, size_t n)
{
	size_t want = 16;

	if (n > SIZE_MAX / 64)
		return -ENOMEM;
	while (want * 3 / 4 < n)
		want *= 2;
	return m->slots && want <= m->mask + 1 ? 0 : resize(m, want);
}

uint32_t map_get(const struct map *m, uint64_t key)
{
	return m->slots ? m->slots[slot_of(m, key)].value : MAP_NONE;
}

int map_insert(struct map *m, uint64_t key, uint32_t value, uint32_t *ret_value)
{
	size_t i;
	int r = map_reserve(m, m->n + 1);

	if (r < 0)
		return r;
	i = slot_of(m, key);
	if (m->slots[i].value != MAP_NONE) {
		*ret_value = m->slots[i].value;
		return 1;
	}
	m->slots[i] = (struct map_slot){ .key = key, .value = value };
	m->n++;
	return 0;
}

int map_put(struct map *m, uint64_t key, uint32_t value)
{
	uint32_t old;
	int r = map_insert(m, key, value, &old);

	if (r == 1)
		m->slots[slot_of(m, key)].value = value;
	return r < 0 ? r : 0;
}
