/* SPDX-License-Identifier: MIT */
/*
 * Evidence of findings. Who made it from the sentence of its rule says where the data stand, since
 * a name may hold the words of a sentence; each is renamed by what it is. A place that is not known
 * here, and evidence whose places are not known, is renamed whole.
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
	{ "state", PLACE_KEPT, 0 },
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

int redact_put_evidence(const struct pv_redactor *r, const struct pv_snapshot *s,
			const char *sentence, const struct pv_finding *f, struct buf *b)
{
	const char *text = f->evidence.data;
	const uint32_t *place = f->places;
	uint32_t at = 0;
	int result = 0;

	if (!place)
		return redact_put(r, PV_REDACT_TEXT, text, f->evidence.len, b);
	for (sentence += strcspn(sentence, "{"); result == 0 && *sentence;
	     sentence += strcspn(sentence, "{"), place += 2) {
		struct pv_bytes value = { text + place[0], place[1] };
		size_t name = strcspn(++sentence, "}");

		buf_put(b, text + at, place[0] - at);
		result = put_place(r, s, sentence, name, &value, b);
		at = place[0] + place[1];
	}
	buf_put(b, text + at, f->evidence.len - at);
	return result;
}
