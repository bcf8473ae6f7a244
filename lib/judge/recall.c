/* SPDX-License-Identifier: MIT */
#include "judge/recall.h"

#include <errno.h>
#include <string.h>

#define STREAM "judge"

static int compare_bytes(const struct pv_bytes *a, const struct pv_bytes *b)
{
	uint32_t n = a->len < b->len ? a->len : b->len;
	int r = n ? memcmp(a->data, b->data, n) : 0;

	return r ? r : (a->len > b->len) - (a->len < b->len);
}

static int compare_facts(const void *a, const void *b)
{
	return compare_bytes(&((const struct recall_fact *)a)->key,
			     &((const struct recall_fact *)b)->key);
}

int recall_parse(const void *data, size_t len, struct recall *r)
{
	const char *p = data;
	uint32_t lens[2];

	while (len >= sizeof(lens)) {
		struct recall_fact fact;

		memcpy(lens, p, sizeof(lens));
		if (len - sizeof(lens) < (uint64_t)lens[0] + lens[1])
			break;
		fact.key = (struct pv_bytes){ p + sizeof(lens), lens[0] };
		fact.value = (struct pv_bytes){ fact.key.data + lens[0], lens[1] };
		if (vec_push(&r->facts, fact) < 0)
			return -ENOMEM;
		p += sizeof(lens) + lens[0] + lens[1];
		len -= sizeof(lens) + lens[0] + lens[1];
	}
	if (r->facts.n)
		qsort(r->facts.items, r->facts.n, sizeof(*r->facts.items), compare_facts);
	return 0;
}

int recall_init(struct recall *r, struct tape *tape)
{
	int error;

	*r = (struct recall){ .tape = tape };
	if (tape->mode != TAPE_REPLAY)
		return 0;
	error = tape_stream_get(tape, STREAM, &r->stream);
	if (error == -ENOMEM || buf_error(&r->stream) < 0)
		return -ENOMEM;
	r->is_absent = error == -ENODATA;
	/* of a damaged stream every fact is missing, which is counted when it is asked for */
	return error < 0 ? 0 : recall_parse(r->stream.data, r->stream.len, r);
}

void recall_deinit(struct recall *r)
{
	buf_deinit(&r->stream);
	vec_deinit(&r->facts);
}

static const struct recall_fact *find(const struct recall *r, const char *key)
{
	struct recall_fact wanted = { .key = { key, (uint32_t)strlen(key) } };

	return r->facts.n ? bsearch(&wanted, r->facts.items, r->facts.n, sizeof(*r->facts.items),
				    compare_facts)
			  : NULL;
}

bool recall_has(const struct recall *r, const char *key)
{
	return r->tape->mode != TAPE_REPLAY || find(r, key);
}

bool recall_get(struct recall *r, const char *key, struct pv_bytes *ret_value)
{
	const struct recall_fact *found;

	if (r->tape->mode != TAPE_REPLAY)
		return false;
	found = find(r, key);
	r->n_missing += !found;
	*ret_value = found ? found->value : (struct pv_bytes){ 0 };
	return true;
}

void recall_put(struct recall *r, const char *key, const void *value, size_t len)
{
	uint32_t lens[2] = { (uint32_t)strlen(key), (uint32_t)len };

	if (r->tape->mode != TAPE_RECORD)
		return;
	/* a failure stays in the tape, whose error ends the run */
	tape_stream_put(r->tape, STREAM, lens, sizeof(lens));
	tape_stream_put(r->tape, STREAM, key, lens[0]);
	tape_stream_put(r->tape, STREAM, value, len);
}
