/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the programs that walk over tasks share. */
#ifndef BPF_TASK_BPF_H
#define BPF_TASK_BPF_H

#include "kern.h"

/* The array's length is known to no verifier. */
static __always_inline void upid_at(struct upid *upid, struct pid *pid, unsigned int level)
{
	const char *numbers = (const char *)&pid->numbers;

	bpf_probe_read_kernel(upid, sizeof(*upid), numbers + level * sizeof(*upid));
}

/* The process's number in the pid namespace of the reader; 0 = it has none there. */
static __always_inline int process_number(struct task_struct *task)
{
	struct task_struct *reader = (void *)bpf_get_current_task();
	struct pid *own_pid = BPF_CORE_READ(reader, thread_pid);
	unsigned int level = BPF_CORE_READ(own_pid, level);
	struct upid number = {}, own = {};
	struct pid *pid;
	int nr;

	if (!level)
		return task->tgid;
	pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	upid_at(&number, pid, level);
	upid_at(&own, own_pid, level);
	nr = number.ns == own.ns ? number.nr : 0;
	barrier_var(nr); /* or this load and that of tgid become one, which is refused */
	return nr;
}

#define PID_LEVELS 33 /* MAX_PID_NS_LEVEL and the initial one */

/* The process's number in the pid namespace with that inode; 0 = it has none there. */
static __always_inline int process_number_in(struct task_struct *task, __u32 namespace)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	unsigned int last = BPF_CORE_READ(pid, level);

	for (unsigned int level = 0; level < PID_LEVELS && level <= last; level++) {
		struct upid upid = {};

		upid_at(&upid, pid, level);
		if (BPF_CORE_READ((struct pid_namespace *)upid.ns, ns.inum) == namespace)
			return upid.nr;
	}
	return 0;
}

#endif
