/* SPDX-License-Identifier: MIT */
#include "ui/explain/facts.h"

#include "ui/columns/columns.h"

static const struct sentence sentences[SENTENCE_N] = {
#define SENTENCE(id, text) [SAYS_##id] = { #id, text, NULL, false },
#define PLURAL(id, text, plural) [SAYS_##id] = { #id, text, plural, false },
#define LINE(id, text) [SAYS_##id] = { #id, text, NULL, true },
#include "ui/explain/sentences.def"
#undef SENTENCE
#undef PLURAL
#undef LINE
};

const struct sentence *sentence_of(enum sentence_id id)
{
	return &sentences[id];
}

void explanation_init(struct explanation *e, const struct pv_snapshot *snapshot, uint32_t needs)
{
	*e = (struct explanation){ .snapshot = snapshot, .needs = needs, .arena = ARENA_INIT };
}

void explanation_deinit(struct explanation *e)
{
	arena_deinit(&e->arena);
	vec_deinit(&e->sections);
	vec_deinit(&e->facts);
}

void explanation_begin(struct explanation *e, enum section_kind kind,
		       const struct pv_conversation *conversation, const struct pv_process *process)
{
	struct section s = { kind, conversation, process, e->facts.n };

	if (vec_push(&e->sections, s) < 0)
		e->error = -ENOMEM;
}

void explanation_say(struct explanation *e, enum sentence_id id, const struct value *values)
{
	struct fact f = { .id = id };

	for (; values->place && f.n_values < FACT_VALUES_MAX; values++)
		f.values[f.n_values++] = *values;
	if (vec_push(&e->facts, f) < 0)
		e->error = -ENOMEM;
}

bool explain_number(const struct explanation *e, const struct pv_conversation *c,
		    const char *column, uint64_t *ret_number)
{
	const struct column *col = columns_find(column, strlen(column));
	struct column_context context = { .snapshot = e->snapshot, .needs = e->needs };
	struct cell cell = { 0 };

	if (!col || !col->get)
		return false;
	col->get(col, &context, c, &cell);
	if (cell.type != CELL_NUMBER && cell.type != CELL_BOOL)
		return false;
	*ret_number = cell.type == CELL_BOOL ? cell.yes : cell.number;
	return true;
}

const struct pv_process *explain_parent(const struct pv_snapshot *s, const struct pv_process *p)
{
	return p->parent ? pv_snapshot_process(s, p->parent - 1) : NULL;
}
