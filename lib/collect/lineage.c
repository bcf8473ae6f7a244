/* SPDX-License-Identifier: MIT */
/*
 * Parents of the processes whose details were read, up to the first that has none. A parent that
 * started after its child is another process under a number used again: there the line ends.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "collect/collector.h"
#include "procfs/clock.h"
#include "procfs/process.h"

#define GENERATIONS_MAX 256

struct lineage {
	struct collector *c;
	struct map by_pid; /* pid -> index; of two under one number the later read */
	struct map gone;   /* pids that were looked for: each is recorded once */
	struct procfs_process scratch;
};

static void lineage_deinit(struct lineage *l)
{
	map_deinit(&l->by_pid);
	map_deinit(&l->gone);
	procfs_process_deinit(&l->scratch);
}

static int lineage_init(struct lineage *l, struct collector *c)
{
	const struct pv_snapshot *s = c->snapshot;
	int r = 0;

	*l = (struct lineage){ .c = c };
	procfs_process_init(&l->scratch);
	for (size_t i = 0; r == 0 && i < s->processes.n; i++)
		r = map_put(&l->by_pid, (uint64_t)s->processes.items[i].pid, (uint32_t)i);
	return r;
}

/* A process that is gone, or not in the recording, is no parent to show. 0, 1 (none) or -ENOMEM. */
static int add_process(struct lineage *l, int32_t pid, uint32_t needs, uint32_t *ret_index)
{
	struct pv_process p = { .pid = pid, .uid = UINT32_MAX };
	int r;

	if (map_get(&l->gone, (uint64_t)pid) != MAP_NONE)
		return 1;
	r = collect_details_read(l->c, &p, needs, &l->scratch);
	if (r < 0)
		return r;
	if (!(p.known & PV_PROCESS_PARENT)) {
		r = map_put(&l->gone, (uint64_t)pid, 0);
		return r < 0 ? r : 1;
	}
	r = snapshot_add_process(l->c->snapshot, &p, ret_index);
	return r < 0 ? r : map_put(&l->by_pid, (uint64_t)pid, *ret_index);
}

/* The index of the parent; 0, 1 (not known, or none) or -ENOMEM. */
static int find_parent(struct lineage *l, uint32_t child, uint32_t *ret_index)
{
	struct pv_snapshot *s = l->c->snapshot;
	int32_t ppid = s->processes.items[child].ppid;
	int r = 0;

	if (!(s->processes.items[child].known & PV_PROCESS_PARENT) || ppid <= 0)
		return 1;
	*ret_index = map_get(&l->by_pid, (uint64_t)ppid);
	if (*ret_index == MAP_NONE)
		r = add_process(l, ppid, 0, ret_index);
	else if (!(s->processes.items[*ret_index].known & PV_PROCESS_PARENT) &&
		 l->c->tape.mode == TAPE_LIVE)
		r = collect_details_read(l->c, &s->processes.items[*ret_index], 0, &l->scratch);
	if (r != 0)
		return r;
	return s->processes.items[*ret_index].start_ticks > s->processes.items[child].start_ticks;
}

static int climb(struct lineage *l, uint32_t child)
{
	struct pv_snapshot *s = l->c->snapshot;

	for (int i = 0; i < GENERATIONS_MAX && !s->processes.items[child].parent; i++) {
		uint32_t parent;
		int r = find_parent(l, child, &parent);

		if (r != 0)
			return r < 0 ? r : 0;
		s->processes.items[child].parent = parent + 1;
		child = parent;
	}
	return 0;
}

int collect_lineage(struct collector *c)
{
	struct pv_clock *clock = &c->snapshot->clock;
	_cleanup_(lineage_deinit) struct lineage l;
	size_t n = c->snapshot->processes.n;
	int r = lineage_init(&l, c);

	/* without a clock start times stay numbers */
	procfs_read_clock(&c->tape, &clock->boot_time, &clock->uptime_ticks);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = climb(&l, (uint32_t)i);
	return r;
}

int collect_process(struct collector *c, int32_t pid, uint32_t needs)
{
	_cleanup_(lineage_deinit) struct lineage l;
	int r = lineage_init(&l, c);
	uint32_t index;

	if (r < 0)
		return r;
	index = map_get(&l.by_pid, (uint64_t)pid);
	/* a recording has everything of every holder by now */
	if (index != MAP_NONE && c->tape.mode != TAPE_LIVE)
		return 0;
	if (index != MAP_NONE)
		return collect_details_read(c, &c->snapshot->processes.items[index], needs,
					    &l.scratch);
	r = add_process(&l, pid, needs, &index);
	return r < 0 ? r : 0;
}
