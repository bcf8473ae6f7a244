/* SPDX-License-Identifier: MIT */
/*
 * Facts to findings to a verdict, for every row of a snapshot that is of a judged protocol, shown
 * or not: what is at the other end, and the listener of a queue, may be rows that are not. The one
 * place where rules meet; each is a row of rules.def.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <portavoz/judge.h>

#include "base/tape.h"
#include "model/snapshot.h"

/* Which of the kernel's lists a row is in, where they were compared. */
#define JUDGE_VIEW_DIAG 0x01
#define JUDGE_VIEW_ITERATOR 0x02
#define JUDGE_VIEW_TABLE 0x04
#define JUDGE_VIEWS 0x07

/* Lists that a row is in, and ones it lacks although they were read twice. */
struct judge_view {
	uint32_t row;
	uint8_t shown, missing; /* JUDGE_VIEW_* */
};

struct judge_request {
	const struct pv_policy *policy;
	bool verify;
	bool is_proc_ours; /* /proc is of our pid namespace and hides nothing from us */
	bool is_home;	   /* network namespace 0 of the snapshot is our own */
	bool is_asked;	   /* false: facts are read for the recording, gaps are not counted */
	const struct judge_view *views; /* sorted by row */
	size_t n_views;
};

/*
 * Judges. The snapshot has owners with their details (EXE, CMDLINE, CGROUP, PUSER, LISTEN,
 * VERDICT), parents, directions and peers, and is not filtered yet. 0 or -ENOMEM; facts that could
 * not be had are counted in the coverage, and in the findings of the rows they are missing for.
 *
 * A recording that was made without any facts is not judged.
 */
int judge_snapshot(struct tape *tape, struct pv_snapshot *s, const struct judge_request *request);

#endif
