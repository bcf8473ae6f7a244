/* SPDX-License-Identifier: MIT */
/* Counts over the conversations of a capture, which come in several snapshots. */
#ifndef UI_RENDER_FLOW_SUMMARY_H
#define UI_RENDER_FLOW_SUMMARY_H

#include "ui/render/render.h"

struct flow_summary;

int flow_summary_new(struct flow_summary **ret_summary); /* 0 or -ENOMEM */
void flow_summary_free(struct flow_summary *summary);	 /* NULL is fine */
int flow_summary_add(struct flow_summary *summary, const struct pv_snapshot *snapshot);
/*
 * Conversations, packets and bytes in all, per protocol, state at the end, service and observed
 * protocol. Text for people (RENDER_TABLE) or JSON; the coverage is that of `last`. 0, -ENOMEM, or
 * what write(2) failed with.
 */
int flow_summary_write(struct flow_summary *summary, const struct pv_snapshot *last,
		       enum render_format format, bool ascii, int fd);

#endif
