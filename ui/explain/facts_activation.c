/* SPDX-License-Identifier: MIT */
/*
 * Socket activation as far as /proc and cgroups tell: a holder that was started with the descriptor
 * open (LISTEN_FDS, sd_listen_fds(3)), and a service manager that holds a listener. Which unit a
 * manager opened it for is in no file; the name a descriptor was handed over under is by default
 * that of the socket unit (systemd.socket(5), FileDescriptorName=).
 */
#include <string.h>

#include "ui/explain/facts.h"

#define LISTEN_FDS_START 3
#define SOCKET_SUFFIX ".socket"
#define MANAGER_COMM "systemd"
#define MANAGER_CGROUP "/init.scope"

static bool ends_with(const struct pv_bytes *b, const char *suffix)
{
	size_t n = strlen(suffix);

	return b->len >= n && !memcmp(b->data + b->len - n, suffix, n);
}

/* pid 1, or the manager of a user: a control group is not the process's to choose, a name is */
static bool is_manager(const struct pv_process *p)
{
	return p->comm.len == strlen(MANAGER_COMM) &&
	       !memcmp(p->comm.data, MANAGER_COMM, p->comm.len) &&
	       (p->pid == 1 || ends_with(&p->cgroup, MANAGER_CGROUP));
}

/* Name of the n-th of the descriptors handed over; empty when there is none. */
static struct pv_bytes name_of(const struct pv_process *p, uint32_t n)
{
	const char *at = p->listen_names.data, *end = at + p->listen_names.len;

	while (at && at <= end) {
		const char *colon = end > at ? memchr(at, ':', (size_t)(end - at)) : NULL;
		const char *stop = colon ? colon : end;

		if (!n--)
			return (struct pv_bytes){ at, (uint32_t)(stop - at) };
		if (!colon)
			break;
		at = colon + 1;
	}
	return (struct pv_bytes){ 0 };
}

static bool was_handed_over(const struct pv_process *p, int32_t fd)
{
	return p->known & PV_PROCESS_LISTEN && p->listen_pid == p->pid && fd >= LISTEN_FDS_START &&
	       (uint32_t)(fd - LISTEN_FDS_START) < p->listen_fds;
}

/* "unknown" is what systemd writes for a descriptor without a name */
static bool is_named(const struct pv_bytes *name)
{
	return name->len && !(name->len == 7 && !memcmp(name->data, "unknown", 7));
}

static void say_handed_over(struct explanation *e, const struct pv_process *p, int32_t fd)
{
	struct pv_bytes name = name_of(p, (uint32_t)(fd - LISTEN_FDS_START));
	struct value process = value_process("process", p);

	if (name.len > strlen(SOCKET_SUFFIX) && ends_with(&name, SOCKET_SUFFIX))
		SAY(e, activated_unit, process, value_name("name", name));
	else if (is_named(&name))
		SAY(e, activated_named, process, value_name("name", name));
	else
		SAY(e, activated, process);
}

void explain_activation(struct explanation *e, const struct pv_conversation *c)
{
	const struct pv_process *manager = NULL;
	bool is_unit_known = false;
	uint32_t n_others = 0;

	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_holder *h = pv_snapshot_holder(e->snapshot, c, i);
		const struct pv_process *p = pv_snapshot_process(e->snapshot, h->process);

		if (is_manager(p)) {
			manager = p;
			continue;
		}
		n_others++;
		if (!was_handed_over(p, h->fd) || is_unit_known)
			continue;
		say_handed_over(e, p, h->fd);
		is_unit_known = true;
	}
	if (!manager || (c->state != PV_STATE_LISTEN && c->remote.port))
		return;
	if (n_others)
		SAY(e, activation_shared, value_process("process", manager));
	else
		SAY(e, activation_waits, value_process("process", manager));
	if (!is_unit_known)
		SAY(e, activation_unit_unknown);
}
