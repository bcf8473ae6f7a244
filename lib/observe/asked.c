/* SPDX-License-Identifier: MIT */
/*
 * Who asked for which name and was told an address for it: tables of fixed size, the one for
 * answers in sets of four entries, of which the oldest makes place. Keyed with a random seed, so
 * nobody can choose which entries are lost.
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

/* An address may have had several names; each is an entry. */
struct asked_entry {
	struct asked_key key;
	uint64_t stamp;	      /* when it was written, by the table's clock; 0 = free */
	uint64_t first, last; /* times of the answers that gave this name */
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

/* ---- questions ---- */

static uint64_t mix_bytes(uint64_t h, uint64_t seed, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t word = 0;

		memcpy(&word, p + i, n - i < 8 ? n - i : 8);
		h = map_mix(h ^ seed, word);
	}
	return map_mix(h ^ seed, n);
}

static uint64_t question_hash(const struct asked *asked, const struct asked_question *q)
{
	size_t n = q->family == AF_INET ? 4 : 16;
	uint64_t h = map_mix(asked->seed,
			     (uint64_t)q->client_port << 32 | (uint32_t)q->id << 16 | q->type);

	h = mix_bytes(h, asked->seed, q->client, n);
	h = mix_bytes(h, asked->seed, q->server, n);
	return mix_bytes(h, asked->seed, q->name, q->len) | 1;
}

void asked_note(struct asked *asked, const struct asked_question *q)
{
	uint64_t h = question_hash(asked, q);

	asked->questions[h / 2 % ASKED_QUESTIONS] = h;
}

bool asked_has(const struct asked *asked, const struct asked_question *q)
{
	uint64_t h = question_hash(asked, q);

	return asked->questions[h / 2 % ASKED_QUESTIONS] == h;
}

/* ---- answers ---- */

static bool has_key(const struct asked_entry *e, const struct asked_key *key)
{
	return e->stamp && !memcmp(&e->key, key, sizeof(*key));
}

static bool has_name(const struct asked_entry *e, const char *name, size_t len)
{
	return strlen(e->name) == len && !memcmp(e->name, name, len);
}

static int put(struct asked *asked, const struct asked_key *key, const char *name, size_t len,
	       uint64_t time)
{
	struct asked_entry *set = set_of(asked, key), *e = set;
	char *copy;

	for (unsigned i = 0; i < WAYS; i++) {
		if (has_key(&set[i], key) && has_name(&set[i], name, len)) {
			set[i].stamp = ++asked->clock;
			set[i].last = time > set[i].last ? time : set[i].last;
			return 0;
		}
		if (set[i].stamp < e->stamp)
			e = &set[i];
	}
	copy = strndup(name, len);
	if (!copy)
		return -ENOMEM;
	free(e->name);
	*e = (struct asked_entry){ *key, ++asked->clock, time, time, copy };
	return 0;
}

int asked_put(struct asked *asked, const struct asked_answer *a)
{
	struct asked_key key;
	int r;

	if (!names_is_fit(a->name, a->len))
		return 0;
	if (!asked->entries) {
		r = start(asked);
		if (r < 0)
			return r;
	}
	key = make_key(a->family, a->asker, a->addr);
	return put(asked, &key, a->name, a->len, a->time);
}

const char *asked_get(const struct asked *asked, int family, const uint8_t *asker,
		      const uint8_t *addr, uint64_t until)
{
	struct asked_key key = make_key(family, asker, addr);
	const struct asked_entry *set;
	const char *name = NULL;
	uint64_t newest = 0;

	if (!asked->entries)
		return NULL;
	set = set_of(asked, &key);
	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t given = set[i].last <= until ? set[i].last : set[i].first;

		if (!has_key(&set[i], &key) || given > until || (name && given < newest))
			continue;
		name = set[i].name;
		newest = given;
	}
	return name;
}
