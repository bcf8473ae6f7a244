/* SPDX-License-Identifier: MIT */
/*
 * Getters for who holds a socket. Columns with one value are about the first holder; `owners` has
 * them all. A null carries the reason of the socket or of the process.
 */
#include <string.h>

#include "ui/columns/columns-internal.h"

static const struct pv_process *first_process(const struct column_context *context,
					      const struct pv_conversation *c,
					      struct cell *ret_cell)
{
	if (!c->n_holders) {
		ret_cell->reason = c->owner_reason;
		return NULL;
	}
	return pv_snapshot_process(context->snapshot,
				   pv_snapshot_holder(context->snapshot, c, 0)->process);
}

COLUMN_GETTER(column_get_owners)
{
	(void)column, (void)context;
	ret_cell->type = CELL_OWNERS;
	ret_cell->conversation = c;
}

COLUMN_GETTER(column_get_owner_reason)
{
	(void)column, (void)context;
	if (c->owner_reason == PV_REASON_NONE)
		return;
	ret_cell->type = CELL_TEXT;
	ret_cell->text = pv_reason_name(c->owner_reason);
}

COLUMN_GETTER(column_get_pid)
{
	const struct pv_process *p = first_process(context, c, ret_cell);

	(void)column;
	if (p)
		cell_set_number(ret_cell, (uint32_t)p->pid);
}

COLUMN_GETTER(column_get_fd)
{
	(void)column;
	if (first_process(context, c, ret_cell))
		cell_set_number(ret_cell,
				(uint32_t)pv_snapshot_holder(context->snapshot, c, 0)->fd);
}

COLUMN_GETTER(column_get_start_ticks)
{
	const struct pv_process *p = first_process(context, c, ret_cell);

	(void)column;
	if (p && p->start_ticks)
		cell_set_number(ret_cell, p->start_ticks);
	else if (p)
		ret_cell->reason = p->reason;
}

static const struct pv_process *process_with_uid(const struct column_context *context,
						 const struct pv_conversation *c,
						 struct cell *ret_cell)
{
	const struct pv_process *p = first_process(context, c, ret_cell);

	if (!p || p->uid != UINT32_MAX)
		return p;
	ret_cell->reason = p->reason;
	return NULL;
}

COLUMN_GETTER(column_get_process_uid)
{
	const struct pv_process *p = process_with_uid(context, c, ret_cell);

	(void)column;
	if (p)
		cell_set_number(ret_cell, p->uid);
}

COLUMN_GETTER(column_get_process_user)
{
	const struct pv_process *p = process_with_uid(context, c, ret_cell);
	const char *name = p ? pv_snapshot_user(context->snapshot, p->uid) : NULL;

	(void)column;
	if (!name)
		return;
	ret_cell->type = CELL_NAME;
	ret_cell->bytes = (struct pv_bytes){ name, (uint32_t)strlen(name) };
}

static void set_comm(struct cell *cell, const struct pv_process *p)
{
	/* a process may have given itself an empty name; an unread one comes with a reason */
	if (p->comm.len || !p->reason) {
		cell->type = CELL_NAME;
		cell->bytes = p->comm;
	} else {
		cell->reason = p->reason;
	}
}

COLUMN_GETTER(column_get_comm)
{
	const struct pv_process *p = first_process(context, c, ret_cell);

	(void)column;
	if (p)
		set_comm(ret_cell, p);
}

#define PROCESS_GETTER(member, cell_type)                                                          \
	COLUMN_GETTER(column_get_##member)                                                         \
	{                                                                                          \
		const struct pv_process *p = first_process(context, c, ret_cell);                  \
                                                                                                   \
		(void)column;                                                                      \
		if (p && p->member.len) {                                                          \
			ret_cell->type = cell_type;                                                \
			ret_cell->bytes = p->member;                                               \
		} else if (p) {                                                                    \
			ret_cell->reason = p->reason;                                              \
		}                                                                                  \
	}

PROCESS_GETTER(exe, CELL_NAME)
PROCESS_GETTER(cmdline, CELL_ARGS)
PROCESS_GETTER(cgroup, CELL_NAME)
PROCESS_GETTER(unit, CELL_NAME)
PROCESS_GETTER(runtime, CELL_NAME)
PROCESS_GETTER(container, CELL_NAME)

COLUMN_GETTER(column_get_peer_pid)
{
	const struct pv_conversation *peer = pv_snapshot_peer(context->snapshot, c);

	if (peer)
		column_get_pid(column, context, peer, ret_cell);
}

COLUMN_GETTER(column_get_peer_comm)
{
	const struct pv_conversation *peer = pv_snapshot_peer(context->snapshot, c);

	if (peer)
		column_get_comm(column, context, peer, ret_cell);
}
