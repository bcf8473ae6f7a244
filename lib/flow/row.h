/* SPDX-License-Identifier: MIT */
/* From an entry of the table to a row of a snapshot. */
#ifndef FLOW_ROW_H
#define FLOW_ROW_H

#include "flow/owners.h"
#include "flow/table.h"
#include "model/snapshot.h"

/*
 * How often a socket occurs in the table, for conversations whose opening was not seen: a socket
 * with several partners is the one that was there first.
 */
struct flow_sockets {
	struct map counts; /* by flow_table_socket_hash() */
	size_t capacity;
};

/* Counts the sockets of all entries that do not say who opened them. 0 or -ENOMEM. */
int flow_sockets_count(struct flow_sockets *s, const struct flow_table *t);

/* The side that opened it and the rule that says so; FLOW_NO_SIDE and PV_BY_NONE = not known. */
unsigned flow_opener(const struct flow_table *t, const struct flow_sockets *s,
		     const struct flow_entry *e, enum pv_direction_by *ret_by);

/* TCP with `opener` as the initiator; UDP by who sent. */
enum pv_conn_state flow_conn_state(const struct flow_entry *e, unsigned opener);
enum pv_ending flow_ending(const struct flow_entry *e, unsigned opener);

/*
 * Adds the conversation to the snapshot, with the processes at its ends as far as they are known,
 * when the filter (NULL = all) matches. 0 or -ENOMEM.
 */
int flow_row_add(struct pv_snapshot *snapshot, struct flow_table *t, const struct flow_sockets *s,
		 struct flow_entry *e, struct flow_owners *owners, const struct pv_filter *filter);

#endif
