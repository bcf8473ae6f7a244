/* SPDX-License-Identifier: MIT */
/*
 * Evidence of findings. It was made from the sentence of its rule, so what stands in the places of
 * the sentence can be told again; each is renamed by what it is. A place that is not known here,
 * and evidence that does not fit its sentence, is renamed whole.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "redact/redact-internal.h"

enum place_class { PLACE_KEPT, PLACE_COMM, PLACE_PROGRAM, PLACE_ADDRESS, PLACE_TEXT };

static const struct place {
	const char *name;
	enum place_class class;
	enum pv_redact_kind kind; /* PLACE_TEXT */
} places[] = {
	/* numbers, and words of our own or of the registry */
	{ "pid", PLACE_KEPT, 0 },
	{ "peer_pid", PLACE_KEPT, 0 },
	{ "shell_pid", PLACE_KEPT, 0 },
	{ "port", PLACE_KEPT, 0 },
	{ "line", PLACE_KEPT, 0 },
	{ "first", PLACE_KEPT, 0 },
	{ "last", PLACE_KEPT, 0 },
	{ "channel", PLACE_KEPT, 0 },
	{ "evidence", PLACE_KEPT, 0 },
	{ "how", PLACE_KEPT, 0 },
	{ "kind", PLACE_KEPT, 0 },
	{ "known", PLACE_KEPT, 0 },
	{ "missing", PLACE_KEPT, 0 },
	{ "shown", PLACE_KEPT, 0 },
	{ "proto", PLACE_KEPT, 0 },
	{ "reason", PLACE_KEPT, 0 },
	{ "runtime", PLACE_KEPT, 0 },
	{ "service", PLACE_KEPT, 0 },
	{ "stream", PLACE_KEPT, 0 },
	{ "what", PLACE_KEPT, 0 },
	{ "package", PLACE_KEPT, 0 }, /* of the distribution */
	{ "comm", PLACE_COMM, 0 },
	{ "peer", PLACE_COMM, 0 },
	{ "shell", PLACE_COMM, 0 },
	{ "name", PLACE_COMM, 0 },
	{ "program", PLACE_PROGRAM, 0 },
	{ "address", PLACE_ADDRESS, 0 },
	{ "end", PLACE_ADDRESS, 0 },
	{ "exe", PLACE_TEXT, PV_REDACT_PATH },
	{ "folder", PLACE_TEXT, PV_REDACT_PATH },
	{ "library", PLACE_TEXT, PV_REDACT_PATH },
	{ "script", PLACE_TEXT, PV_REDACT_PATH },
	{ "list", PLACE_TEXT, PV_REDACT_PATH },
	{ "file", PLACE_TEXT, PV_REDACT_PATH },
	{ "variable", PLACE_TEXT, PV_REDACT_PATH },
	{ "container", PLACE_TEXT, PV_REDACT_CONTAINER },
	{ "unit", PLACE_TEXT, PV_REDACT_UNIT },
};

/* A name as it is called where it is the name of a process. */
static int put_name(const struct pv_redactor *r, const struct pv_snapshot *s,
		    const struct pv_bytes *name, struct buf *b)
{
	static const struct pv_bytes none;

	for (size_t i = 0; i < s->processes.n; i++) {
		const struct pv_process *p = &s->processes.items[i];

		if (p->comm.len == name->len && !memcmp(p->comm.data, name->data, name->len))
			return redact_put_comm(r, name, &p->exe, b);
	}
	return redact_put_comm(r, name, &none, b);
}

/* A word that could be read as none of ours is renamed whole; other words are of the sentence. */
static int put_word(const struct pv_redactor *r, const char *word, size_t len, struct buf *b)
{
	int result = redact_put_address(r, word, len, b);

	if (result <= 0)
		return result;
	if (len >= INET6_ADDRSTRLEN || (len && word[0] == '['))
		return redact_put(r, PV_REDACT_TEXT, word, len, b);
	buf_put(b, word, len);
	return 0;
}

static int put_addresses(const struct pv_redactor *r, const struct pv_bytes *value, struct buf *b)
{
	const char *at = value->data, *end = at + value->len;
	int result = 0;

	while (result == 0) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;

		result = put_word(r, at, (size_t)(stop - at), b);
		if (!space)
			return result;
		buf_putc(b, ' ');
		at = space + 1;
	}
	return result;
}

static int put_place(const struct pv_redactor *r, const struct pv_snapshot *s, const char *name,
		     size_t len, const struct pv_bytes *value, struct buf *b)
{
	static const struct place unknown = { "", PLACE_TEXT, PV_REDACT_TEXT };
	const struct place *place = &unknown;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (strlen(places[i].name) == len && !memcmp(places[i].name, name, len))
			place = &places[i];
	switch (place->class) {
	case PLACE_KEPT:
		buf_put(b, value->data, value->len);
		return 0;
	case PLACE_COMM:
		return put_name(r, s, value, b);
	case PLACE_PROGRAM:
		return value->len && value->data[0] == '/'
			       ? redact_put(r, PV_REDACT_PATH, value->data, value->len, b)
			       : put_name(r, s, value, b);
	case PLACE_ADDRESS:
		return put_addresses(r, value, b);
	default:
		return redact_put(r, place->kind, value->data, value->len, b);
	}
}

/* Where the text between two places begins in what is left of the evidence; NULL = nowhere. */
static const char *find_next(const char *at, const char *end, const char *sentence, size_t n)
{
	if (!n)
		return sentence[0] ? NULL : end;
	/* at the end of the sentence: a name may hold the same words */
	if (!sentence[n]) {
		const char *last = (size_t)(end - at) >= n ? end - n : NULL;

		return last && !memcmp(last, sentence, n) ? last : NULL;
	}
	return memmem(at, (size_t)(end - at), sentence, n);
}

int redact_put_evidence(const struct pv_redactor *r, const struct pv_snapshot *s,
			const char *sentence, const struct pv_bytes *evidence, struct buf *b)
{
	const char *at = evidence->data, *end = at + evidence->len;
	size_t start = b->len, n = strcspn(sentence, "{");
	int result = 0;

	if (n > evidence->len || memcmp(at, sentence, n) != 0)
		return redact_put(r, PV_REDACT_TEXT, at, evidence->len, b);
	buf_put(b, at, n);
	at += n;
	sentence += n;
	while (result == 0 && *sentence) {
		size_t name = strcspn(sentence, "}");
		const char *rest = sentence + name + (sentence[name] == '}');
		const char *next = find_next(at, end, rest, strcspn(rest, "{"));
		struct pv_bytes value = { at, next ? (uint32_t)(next - at) : 0 };

		if (!next) {
			b->len = start;
			return redact_put(r, PV_REDACT_TEXT, evidence->data, evidence->len, b);
		}
		result = put_place(r, s, sentence + 1, name - 1, &value, b);
		n = strcspn(rest, "{");
		buf_put(b, rest, n);
		at = next + n;
		sentence = rest + n;
	}
	return result;
}
