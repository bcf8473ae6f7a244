/* SPDX-License-Identifier: MIT */
/* Between the table and lib/observe: payloads to the observer, what it found to the row. */
#ifndef FLOW_PAYLOAD_H
#define FLOW_PAYLOAD_H

#include "flow/table.h"
#include "model/snapshot.h"

/* Shows a payload to the observer; flow_payload_wanted() said so. 0 or -ENOMEM. */
int flow_payload_add(struct flow_table *t, struct flow_entry *e, unsigned side,
		     const struct packet *p, const struct decoded_layer *l);

static inline bool flow_payload_wanted(const struct flow_table *t, const struct flow_entry *e,
				       unsigned side, const struct decoded_layer *l)
{
	return t->observe && l->payload_captured && observe_wants(&e->observe, side);
}

/*
 * What was observed, for a row whose local end is side `opener`: the protocol, its details, the
 * contradiction, the name the remote end was asked for under. Texts are borrowed from the entry,
 * the table and `text`.
 */
struct flow_payload_text {
	char contradiction[OBSERVE_CONTRADICTION_MAX + 1];
};
int flow_payload_show(struct flow_table *t, struct flow_entry *e, unsigned opener,
		      struct flow_payload_text *text, struct pv_conversation *row,
		      struct pv_flow *flow);
/* Copies these texts into the snapshot's arena. 0 or -ENOMEM. */
int flow_payload_keep(struct pv_snapshot *s, struct pv_conversation *row, struct pv_flow *flow);

#endif
