/* SPDX-License-Identifier: MIT */
/*
 * Who is at the ends of captured conversations: sockets of another snapshot, which was joined as a
 * whole (a recording, a saved listing), or grows by answers while capturing. What is known is found
 * by the socket pair alone and copied into the snapshots that are shown.
 */
#ifndef FLOW_OWNERS_H
#define FLOW_OWNERS_H

#include <portavoz/capture.h>
#include <portavoz/ends.h>

#include "flow/entry.h"
#include "model/snapshot.h"

/* Answers kept; beyond it all are forgotten, and asked for again. */
#define FLOW_ANSWERS_MAX (1U << 18)

/* A socket pair, and when (ns since the epoch) the conversation began: pairs are used again. */
struct flow_question {
	struct pv_pair pair;
	int64_t start;
};

struct flow_answer {
	struct flow_question question;
	uint32_t rows[2]; /* 1 + row of `known` */
	uint8_t by[2];	  /* enum pv_end_by */
	bool is_here[2];  /* the address is one of this host's */
	uint8_t n_asked;  /* 0: expected, not there yet */
	bool is_expected; /* asked for, or about to be */
	int64_t time;	  /* monotonic ns, of the answer */
};

struct flow_owners {
	struct pv_snapshot *known;
	bool is_borrowed;     /* known belongs to somebody else */
	struct pv_ends *ends; /* joined: finds rows of known */
	VEC(struct flow_answer) answers;
	struct map by_question; /* live: question -> answer */
	struct map processes;	/* live: pid and start -> process of known */
	struct map copied;	/* process of known -> process of target */
	struct pv_snapshot *target;
	/* live: conversations by why an end that is here has no process; NONE = it has one, or none
	 * is here */
	uint64_t missing[PV_REASON_N];
};

void flow_owners_deinit(struct flow_owners *o);

/* Borrows a snapshot to look in. 0 or -ENOMEM. */
int flow_owners_join(struct flow_owners *o, const struct pv_snapshot *joined);

/* Socket pairs are what sockets have; false: a conversation of this kind has none. */
bool flow_owners_pair(const struct flow_key *key, struct pv_pair *ret);

/* Until the next flow_owners_put(); NULL = not asked for yet. */
struct flow_answer *flow_owners_get(const struct flow_owners *o, const struct flow_question *q);
/* Notes that it will be asked; what is known stays. 0 or -ENOMEM. */
int flow_owners_expect(struct flow_owners *o, const struct flow_question *q);
/* Remembers an answer, instead of a less certain one. 0 or -ENOMEM. */
int flow_owners_put(struct flow_owners *o, const struct flow_question *q,
		    const struct pv_capture_owner owners[2], int64_t time);
/* Every end that is on this host has its socket, and a process where it can have one. */
bool flow_owners_is_settled(const struct flow_owners *o, const struct flow_answer *a);
/* The first holder of that end, or NULL. */
const struct pv_process *flow_owners_process(const struct flow_owners *o,
					     const struct flow_answer *a, unsigned side);

/*
 * Gives a row of `target` the holders of its local end, which is side `local` of the conversation,
 * or the reason why there are none. 0 or -ENOMEM. Live it counts in `missing`, so each conversation
 * comes here once, shown or not.
 */
int flow_owners_apply(struct flow_owners *o, const struct flow_entry *e, unsigned local,
		      struct pv_snapshot *target, struct pv_conversation *row);
/*
 * After the row was added: the other end as a row of its own, which is not shown, when its socket
 * is known. 0 or -ENOMEM.
 */
int flow_owners_add_peer(struct flow_owners *o, const struct flow_entry *e, unsigned local,
			 struct pv_snapshot *target, struct pv_conversation *row);

#endif
