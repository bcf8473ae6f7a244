/* SPDX-License-Identifier: MIT */
/* What an audit found, for people and for machines. */
#ifndef UI_RENDER_AUDIT_H
#define UI_RENDER_AUDIT_H

#include <portavoz/portavoz.h>

#include "base/buf.h"

struct audit_options {
	const struct pv_policy *policy; /* NULL = none */
	bool all;			/* explained conversations, too */
	bool color, ascii;
};

struct audit_summary {
	size_t verdicts[PV_VERDICT_N]; /* conversations shown */
	size_t partial;		       /* of those, judged on partial knowledge */
	size_t missing;		       /* rules of the policy that expect what is not there */
	size_t unused;		       /* rules that matched nothing, and need not */
};

void audit_count(const struct pv_snapshot *snapshot, const struct pv_policy *policy,
		 struct audit_summary *ret_summary);

/*
 * A summary line, then what is suspicious, unexplained, missing, and with `all` explained. Rows
 * with the same findings share their evidence. 0 or -ENOMEM.
 */
int audit_put_text(const struct pv_snapshot *snapshot, const struct audit_options *options,
		   const struct audit_summary *summary, struct buf *b);
/* {"schema":1,"coverage":{},"summary":{},"findings":[],"missing":[],"policy":[]}. 0 or -ENOMEM. */
int audit_put_json(const struct pv_snapshot *snapshot, const struct audit_options *options,
		   const struct audit_summary *summary, struct buf *b);

/* One finding in words on a line: "  ! exe-deleted: sh(12) runs a deleted file: /tmp/x". */
void audit_put_finding(const struct pv_finding *finding, const struct audit_options *options,
		       struct buf *b);

#endif
