/* SPDX-License-Identifier: MIT */
/* From a question and a snapshot to an explanation. */
#ifndef UI_EXPLAIN_EXPLAIN_H
#define UI_EXPLAIN_EXPLAIN_H

#include "ui/explain/facts.h"
#include "ui/explain/query.h"

/* What a snapshot must have for explain(). */
#define EXPLAIN_NEEDS (PV_NEED_ALL | PV_NEED_VERDICT)

/* The first reading that finds something; -1 = none does. A port always has an explanation. */
int explain_choose(const struct explain_query *q, const struct pv_snapshot *snapshot);
/* Fills an initialized explanation: e->error says whether memory sufficed. */
void explain(struct explanation *e, const struct explain_query *q, enum explain_as as);

#endif
