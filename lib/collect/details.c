/* SPDX-License-Identifier: MIT */
/* exe, command line, cgroup and user of the processes that hold rows to be shown. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "collect/collector.h"
#include "procfs/cgroup.h"
#include "procfs/environ.h"
#include "procfs/process.h"

static int copy(struct pv_snapshot *s, struct pv_bytes *to, const struct buf *from)
{
	return snapshot_bytes(s, to, from->data, from->len);
}

static int copy_cgroup(struct pv_snapshot *s, struct pv_process *p, const struct buf *path)
{
	_cleanup_(cleanup_buf) struct buf unit = BUF_INIT, container = BUF_INIT;
	struct procfs_cgroup cgroup;
	int r = copy(s, &p->cgroup, path);

	if (r < 0)
		return r;
	procfs_cgroup_parse(path->data ? path->data : "", path->len, &cgroup);
	procfs_cgroup_put_unit(&cgroup, &unit);
	procfs_cgroup_put_container(&cgroup, &container);
	if (buf_error(&unit) < 0 || buf_error(&container) < 0)
		return -ENOMEM;
	r = copy(s, &p->unit, &unit);
	if (r == 0 && cgroup.runtime)
		r = snapshot_bytes(s, &p->runtime, cgroup.runtime, strlen(cgroup.runtime));
	return r < 0 ? r : copy(s, &p->container, &container);
}

static int copy_preload(struct pv_snapshot *s, struct pv_process *p, const struct buf *environ)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	procfs_preload_parse(environ->data, environ->len, &b);
	return buf_error(&b) < 0 ? -ENOMEM : copy(s, &p->preload, &b);
}

static int copy_listen(struct pv_snapshot *s, struct pv_process *p,
		       const struct procfs_process *from)
{
	struct procfs_listen listen;
	int r;

	if (from->listen_error < 0)
		return 0;
	procfs_listen_parse(from->listen.data, from->listen.len, &listen);
	r = copy_preload(s, p, &from->listen);
	if (r < 0)
		return r;
	p->known |= PV_PROCESS_LISTEN;
	p->listen_pid = listen.pid;
	p->listen_fds = listen.n_fds;
	return snapshot_bytes(s, &p->listen_names, listen.names.data, listen.names.len);
}

static int copy_details(struct pv_snapshot *s, struct pv_process *p, uint32_t needs,
			const struct procfs_process *from)
{
	int r = 0;

	if (!p->start_ticks)
		p->start_ticks = from->stat.start_ticks;
	p->ppid = from->stat.ppid;
	p->known |= PV_PROCESS_PARENT | PV_PROCESS_STAT;
	if (from->stat.flags & PROCFS_FLAG_KTHREAD)
		p->known |= PV_PROCESS_KERNEL;
	/* the search for owners may have missed it, or not been for this process */
	if (!p->comm.len)
		r = snapshot_bytes(s, &p->comm, from->stat.comm, from->stat.comm_len);
	if (r == 0 && needs & PV_NEED_EXE)
		r = copy(s, &p->exe, &from->exe);
	if (needs & PV_NEED_VERDICT && from->exe_file_error == 0) {
		p->known |= PV_PROCESS_EXE;
		p->exe_device = from->exe_file.device;
		p->exe_inode = from->exe_file.inode;
		p->exe_links = from->exe_file.links;
		p->exe_uid = from->exe_file.uid;
	}
	if (r == 0 && needs & PV_NEED_CMDLINE)
		r = copy(s, &p->cmdline, &from->cmdline);
	if (r == 0 && needs & PV_NEED_CGROUP)
		r = copy_cgroup(s, p, &from->cgroup);
	if (needs & PV_NEED_PUSER)
		p->uid = from->uid;
	if (r == 0 && needs & PV_NEED_LISTEN)
		r = copy_listen(s, p, from);
	return r;
}

static enum pv_reason reason_of(int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		return PV_REASON_NO_PERMISSION;
	case ETIMEDOUT:
		return PV_REASON_BUSY;
	case ESRCH:
		return PV_REASON_GONE;
	case ENODATA:
		return PV_REASON_NOT_RECORDED;
	case EMFILE:
	case ENFILE:
	case EAGAIN:
		return PV_REASON_LIMIT;
	default:
		return PV_REASON_NONE;
	}
}

/* Of a process that is there: why something that was asked for is missing. */
static enum pv_reason reason_of_details(const struct procfs_process *from)
{
	/* a kernel without control groups has no such file */
	const int errors[] = { from->exe_error, from->cmdline_error, from->uid_error,
			       from->cgroup_error == -ESRCH ? 0 : from->cgroup_error };
	enum pv_reason reason = PV_REASON_NONE;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		enum pv_reason found = reason_of(errors[i]);

		/* of several, privilege is the one a person can change */
		if (reason == PV_REASON_NONE || found == PV_REASON_NO_PERMISSION)
			reason = found;
	}
	return reason;
}

/* Of a process of which nothing could be read. */
static enum pv_reason reason_of_process(const struct collector *c, int error)
{
	enum pv_reason reason = error > 0 ? PV_REASON_GONE : reason_of(error);

	if (!c->has_proc)
		return PV_REASON_NO_PROC;
	return reason == PV_REASON_NONE ? PV_REASON_HIDDEN_PID : reason;
}

int collect_details_read(struct collector *c, struct pv_process *p, uint32_t needs,
			 struct procfs_process *scratch)
{
	int r = procfs_process_read(&c->tape, p->pid, p->start_ticks, needs, scratch);
	enum pv_reason reason;

	if (r == -ENOMEM)
		return r;
	reason = r == 0 ? reason_of_details(scratch) : reason_of_process(c, r);
	/* an earlier reading, of other details, may have had a reason of its own */
	if (reason != PV_REASON_NONE)
		p->reason = (uint8_t)reason;
	return r == 0 ? copy_details(c->snapshot, p, needs, scratch) : 0;
}

static int count_gaps(struct collector *c, const uint64_t *reasons)
{
	int r = 0;

	for (int i = PV_REASON_NONE + 1; r == 0 && i < PV_REASON_N; i++)
		if (reasons[i])
			r = snapshot_add_gap(c->snapshot, PV_GAP_DETAIL, reasons[i],
					     pv_reason_text((enum pv_reason)i));
	return r;
}

int collect_details(struct collector *c, uint32_t needs)
{
	struct pv_snapshot *s = c->snapshot;
	_cleanup_(cleanup_free) bool *done = calloc(s->processes.n + 1, sizeof(*done));
	uint64_t reasons[PV_REASON_N] = { 0 };
	struct procfs_process scratch;
	int r = done ? 0 : -ENOMEM;

	if (!needs || r < 0)
		return r;
	procfs_process_init(&scratch);
	for (size_t i = 0; r == 0 && i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *row = collector_shown(c, i);

		for (uint32_t n = 0; r == 0 && n < row->n_holders; n++) {
			uint32_t process = s->holders.items[row->first_holder + n].process;

			struct pv_process *p = &s->processes.items[process];
			uint8_t before = p->reason;

			if (done[process])
				continue;
			done[process] = true;
			r = collect_details_read(c, p, needs, &scratch);
			if (p->reason != before)
				reasons[p->reason]++;
		}
	}
	procfs_process_deinit(&scratch);
	return r < 0 ? r : count_gaps(c, reasons);
}
