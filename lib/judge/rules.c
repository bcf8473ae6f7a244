/* SPDX-License-Identifier: MIT */
/* The table of rules, and how their sentences are made. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "judge/judge-internal.h"

#define PLACES_MAX 8 /* of a sentence: test_judge looks */

#define RULE(name, id, severity, scope, facts, test, looks_at, sentence, about)                    \
	[RULE_##name] = { { id, PV_SEVERITY_##severity, looks_at, sentence, about },               \
			  SCOPE_##scope,                                                           \
			  facts,                                                                   \
			  test },

const struct rule judge_rules[RULE_N] = {
#include "model/rules.def"
};
#undef RULE

void case_say(struct judge_case *k, const char *name, struct pv_bytes value)
{
	if (k->n_places == sizeof(k->places) / sizeof(*k->places))
		return;
	k->places[k->n_places].name = name;
	k->places[k->n_places++].value = value;
}

void case_text(struct judge_case *k, const char *name, const char *value)
{
	case_say(k, name, (struct pv_bytes){ value, (uint32_t)strlen(value) });
}

void case_number(struct judge_case *k, const char *name, uint64_t value)
{
	char *text;

	if (k->n_numbers == sizeof(k->numbers) / sizeof(*k->numbers))
		return;
	text = k->numbers[k->n_numbers++];
	snprintf(text, sizeof(k->numbers[0]), "%" PRIu64, value);
	case_text(k, name, text);
}

static bool place_is(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !memcmp(name, text, len);
}

/* What every sentence may name: the process and its program. */
static bool put_common(const struct judge_case *k, const char *name, size_t len, struct buf *b)
{
	const struct pv_process *p = k->subject ? k->subject->p : NULL;

	if (!p)
		return false;
	if (place_is("pid", name, len))
		buf_i64(b, p->pid);
	else if (place_is("comm", name, len))
		buf_put(b, p->comm.data, p->comm.len);
	else if (place_is("exe", name, len) && k->program)
		buf_put(b, k->program->path.data, k->program->path.len);
	else if (place_is("package", name, len) && k->program)
		buf_put(b, k->program->package.data, k->program->package.len);
	else
		return false;
	return true;
}

static void put_place(const struct judge_case *k, const char *name, size_t len, struct buf *b)
{
	for (size_t i = 0; i < k->n_places; i++) {
		if (!place_is(k->places[i].name, name, len))
			continue;
		buf_put(b, k->places[i].value.data, k->places[i].value.len);
		return;
	}
	if (!put_common(k, name, len, b))
		buf_putc(b, '?');
}

int case_sentence(const struct judge_case *k, struct pv_finding *f)
{
	const char *sentence = judge_rules[f->rule].public.sentence;
	uint32_t places[2 * PLACES_MAX];
	struct buf b = BUF_INIT;
	size_t n_places = 0;
	int r;

	while (*sentence) {
		size_t n = strcspn(sentence, "{"), start;

		buf_put(&b, sentence, n);
		sentence += n;
		if (!*sentence)
			break;
		n = strcspn(sentence, "}");
		start = b.len;
		put_place(k, sentence + 1, n - 1, &b);
		if (n_places < 2 * PLACES_MAX) {
			places[n_places++] = (uint32_t)start;
			places[n_places++] = (uint32_t)(b.len - start);
		}
		sentence += n + (sentence[n] == '}');
	}
	r = buf_error(&b) < 0 ? -ENOMEM : snapshot_bytes(k->j->s, &f->evidence, b.data, b.len);
	buf_deinit(&b);
	f->places = arena_dup(&k->j->s->arena, places, n_places * sizeof(*places));
	return r == 0 && !f->places ? -ENOMEM : r;
}
