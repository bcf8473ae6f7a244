/* SPDX-License-Identifier: MIT */
/*
 * Who was told which name for an address: a table of fixed size in sets of four entries, the oldest
 * of a set makes place. Keyed with a random seed, so nobody can choose which entries are lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/map.h"
#include "names/names.h"
#include "observe/observe-internal.h"

#define WAYS 4

/* Addresses are padded with zeros; an asker of zeros stands for anybody. */
struct asked_key {
	uint8_t asker[16], addr[16];
	uint8_t family;
};

struct asked_entry {
	struct asked_key key;
	uint64_t stamp; /* 0 = free */
	char *name;
};

static struct asked_key make_key(int family, const uint8_t *asker, const uint8_t *addr)
{
	size_t n = family == AF_INET ? 4 : 16;
	struct asked_key key;

	memset(&key, 0, sizeof(key));
	key.family = family == AF_INET ? 4 : 6;
	memcpy(key.addr, addr, n);
	if (asker)
		memcpy(key.asker, asker, n);
	return key;
}

static struct asked_entry *set_of(const struct asked *asked, const struct asked_key *key)
{
	uint64_t words[sizeof(*key) / 8 + 1] = { 0 }, h = asked->seed;

	memcpy(words, key, sizeof(*key));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		h = map_mix(h ^ asked->seed, words[i]);
	return &asked->entries[map_mix(h, asked->seed) % asked->n_sets * WAYS];
}

void asked_init(struct asked *asked, size_t limit)
{
	*asked = (struct asked){ .limit = limit };
	if (getrandom(&asked->seed, sizeof(asked->seed), GRND_NONBLOCK) != sizeof(asked->seed))
		asked->seed = (uint64_t)(uintptr_t)asked;
}

void asked_deinit(struct asked *asked)
{
	for (size_t i = 0; asked->entries && i < asked->n_sets * WAYS; i++)
		free(asked->entries[i].name);
	free(asked->entries);
	asked->entries = NULL;
}

static int start(struct asked *asked)
{
	asked->n_sets = asked->limit / WAYS ? asked->limit / WAYS : 1;
	asked->entries = calloc(asked->n_sets * WAYS, sizeof(*asked->entries));
	if (!asked->entries)
		return -ENOMEM;
	return 0;
}

/* The entry of that key, else the free or oldest one of its set. */
static struct asked_entry *choose(struct asked *asked, const struct asked_key *key)
{
	struct asked_entry *set = set_of(asked, key), *best = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].stamp && !memcmp(&set[i].key, key, sizeof(*key)))
			return &set[i];
		if (set[i].stamp < best->stamp)
			best = &set[i];
	}
	return best;
}

static int put(struct asked *asked, const struct asked_key *key, const char *name, size_t len)
{
	struct asked_entry *e = choose(asked, key);
	char *copy;

	if (!e->name || strlen(e->name) != len || memcmp(e->name, name, len)) {
		copy = strndup(name, len);
		if (!copy)
			return -ENOMEM;
		free(e->name);
		e->name = copy;
	}
	e->key = *key;
	e->stamp = ++asked->clock;
	return 0;
}

int asked_put(struct asked *asked, int family, const uint8_t *asker, const uint8_t *addr,
	      const char *name, size_t len)
{
	struct asked_key key;
	int r;

	if (!names_is_fit(name, len))
		return 0;
	if (!asked->entries) {
		r = start(asked);
		if (r < 0)
			return r;
	}
	key = make_key(family, NULL, addr);
	r = put(asked, &key, name, len);
	if (r < 0 || !asker)
		return r;
	key = make_key(family, asker, addr);
	return put(asked, &key, name, len);
}

const char *asked_get(const struct asked *asked, int family, const uint8_t *asker,
		      const uint8_t *addr)
{
	struct asked_key key = make_key(family, asker, addr);
	const struct asked_entry *set;

	if (!asked->entries)
		return NULL;
	set = set_of(asked, &key);
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].stamp && !memcmp(&set[i].key, &key, sizeof(key)))
			return set[i].name;
	return NULL;
}
