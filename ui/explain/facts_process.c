/* SPDX-License-Identifier: MIT */
/* A process: what it runs, since when, for whom, under whom. */
#include <string.h>

#include "ui/explain/facts.h"

#define DELETED " (deleted)"

/* The name of a user is foreign: whoever wrote the file of passwords chose it. */
static struct value user_name(const char *name)
{
	return value_name("user", (struct pv_bytes){ name, (uint32_t)strlen(name) });
}

static void say_program(struct explanation *e, const struct pv_process *p)
{
	size_t n = strlen(DELETED);
	struct pv_bytes exe = p->exe;

	if (exe.len > n && !memcmp(exe.data + exe.len - n, DELETED, n)) {
		exe.len -= (uint32_t)n;
		SAY(e, process_exe_deleted, value_name("exe", exe));
	} else if (exe.len) {
		SAY(e, process_exe, value_name("exe", exe));
	}
	if (p->cmdline.len)
		SAY(e, process_args, value_args("args", p->cmdline));
}

static void say_user(struct explanation *e, const struct pv_process *p)
{
	const char *name = p->uid == UINT32_MAX ? NULL : pv_snapshot_user(e->snapshot, p->uid);

	if (name)
		SAY(e, process_user, user_name(name), value_number("uid", p->uid));
	else if (p->uid != UINT32_MAX)
		SAY(e, process_uid, value_number("uid", p->uid));
}

static void say_start(struct explanation *e, const struct pv_process *p)
{
	const struct pv_clock *clock = pv_snapshot_clock(e->snapshot);
	uint64_t ago;

	if (!p->start_ticks || !clock->uptime_ticks || clock->uptime_ticks < p->start_ticks)
		return;
	ago = (clock->uptime_ticks - p->start_ticks) * 1000 / PV_TICKS_PER_SECOND;
	if (clock->boot_time)
		SAY(e, process_since,
		    value_time("time", clock->boot_time + p->start_ticks / PV_TICKS_PER_SECOND),
		    value_ms("ago", ago));
	else
		SAY(e, process_since_ago, value_ms("ago", ago));
}

static void say_parents(struct explanation *e, const struct pv_process *p)
{
	if (p->parent)
		SAY(e, process_parents, value_parents("parents", p));
	else if (p->known & PV_PROCESS_PARENT && !p->ppid)
		SAY(e, process_no_parent);
	else if (p->ppid > 0)
		SAY(e, process_parent_unknown, value_number("ppid", (uint64_t)p->ppid));
}

static void say_place(struct explanation *e, const struct pv_process *p)
{
	if (p->unit.len)
		SAY(e, process_unit, value_name("unit", p->unit));
	if (p->container.len)
		SAY(e, process_container, value_name("container", p->container),
		    value_name("runtime", p->runtime));
	else if (p->runtime.len)
		SAY(e, process_runtime, value_name("runtime", p->runtime));
	else if (!p->unit.len && p->cgroup.len > 1)
		SAY(e, process_cgroup, value_name("cgroup", p->cgroup));
}

void explain_process(struct explanation *e, const struct pv_process *p)
{
	explanation_begin(e, SECTION_PROCESS, NULL, p);
	SAY(e, title_process, value_process("process", p));
	say_program(e, p);
	say_user(e, p);
	say_start(e, p);
	say_parents(e, p);
	say_place(e, p);
	if (p->listen_fds && p->listen_pid == p->pid)
		SAY(e, process_listen_fds, value_number("n", p->listen_fds));
	if (p->reason)
		SAY(e, process_reason,
		    value_message("reason", pv_reason_text((enum pv_reason)p->reason)));
}
