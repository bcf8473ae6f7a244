/* SPDX-License-Identifier: MIT */
/* What holds for every row: privileges, the network namespace, users and interfaces. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/collector.h"
#include "procfs/sockstat.h"
#include "procfs/sysctl.h"
#include "procfs/users.h"

const char *collect_error_text(int error)
{
	const char *text = strerrordesc_np(-error);

	switch (-error) {
	case ENOENT:
		return "this kernel has no module for it";
	case EPERM:
	case EACCES:
		return "not permitted";
	case EPROTONOSUPPORT:
		return "not used";
	case ENODATA:
		return "not in the recording";
	default:
		return text ? text : "unknown error";
	}
}

/* Without /proc the kernel is asked itself. */
static uint64_t own_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

static bool has_right(const struct collector *c, int capability)
{
	return c->rights >> capability & 1;
}

/* What /proc does not tell is kept in a stream of its own. */
static uint64_t find_rights(struct collector *c, const struct procfs_view *view)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	uint64_t rights = 0;

	if (view->is_caps_known)
		return view->caps;
	if (c->tape.mode == TAPE_REPLAY) {
		if (tape_stream_get(&c->tape, "rights", &b) == 0 && b.len == sizeof(rights))
			memcpy(&rights, b.data, sizeof(rights));
		return rights;
	}
	rights = own_rights();
	tape_stream_put(&c->tape, "rights", &rights, sizeof(rights));
	return rights;
}

static uint64_t known(uint64_t count)
{
	return count == PROCFS_COUNT_UNKNOWN ? 0 : count;
}

/*
 * A TCP socket is allocated when it is made, and in use while it listens or talks: where the
 * numbers are equal none is idle. Allocated ones are counted over all network namespaces.
 */
static bool has_room_for_idle(const struct procfs_sockstat *s)
{
	return s->tcp_alloc > known(s->tcp_inuse) + known(s->tcp6_inuse);
}

/* The numbers are read one after the other: a socket that comes in between hides an idle one. */
static bool is_unchanged(struct collector *c, const struct procfs_sockstat *s)
{
	struct procfs_sockstat again;

	return procfs_read_sockstat(&c->tape, &again) == 0 && again.tcp_alloc == s->tcp_alloc &&
	       again.tcp_inuse == s->tcp_inuse && again.tcp6_inuse == s->tcp6_inuse;
}

static void count_sockets(struct collector *c)
{
	struct procfs_sockstat s;
	uint64_t n;

	c->n_sockets = UINT32_MAX;
	c->may_idle = true;
	if (procfs_read_sockstat(&c->tape, &s) < 0)
		return;
	n = known(s.used) + known(s.tcp_time_wait);
	c->n_sockets = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	c->may_idle = c->tape.mode != TAPE_LIVE || has_room_for_idle(&s) || !is_unchanged(c, &s);
}

int collect_netns_facts(struct collector *c, struct pv_netns *n)
{
	uint64_t *reserved =
		arena_alloc(&c->snapshot->arena, PROCFS_PORT_WORDS * sizeof(*reserved));

	if (!reserved)
		return -ENOMEM;
	count_sockets(c);
	if (procfs_read_port_range(&c->tape, &n->ephemeral_first, &n->ephemeral_last) < 0)
		n->ephemeral_first = n->ephemeral_last = 0;
	if (procfs_read_reserved_ports(&c->tape, reserved) == 0)
		n->reserved = reserved;
	return 0;
}

static int take_user(void *userdata, uint32_t id, const char *name)
{
	return snapshot_add_user(userdata, id, name);
}

static int take_ifname(void *userdata, uint32_t id, const char *name)
{
	struct collector *c = userdata;

	return snapshot_add_ifname(c->snapshot, c->netns, id, name);
}

/* Without a password file users are numbers. */
int collect_users(struct collector *c)
{
	int r = procfs_read_users(&c->tape, take_user, c->snapshot);

	return r == -ENOMEM ? r : 0;
}

int collect_host(struct collector *c)
{
	struct procfs_view view = { 0 };
	struct pv_netns own = { .is_own = true, .is_read = true };
	int r;

	c->has_proc = procfs_read_view(&c->tape, &view) == 0;
	c->rights = find_rights(c, &view);
	c->may_bpf =
		has_right(c, CAP_SYS_ADMIN) || (has_right(c, CAP_BPF) && has_right(c, CAP_PERFMON));
	/* an entry of /proc is its user's, and its links are for those who may trace it */
	c->may_see_all = c->has_proc && has_right(c, CAP_SYS_PTRACE) &&
			 (has_right(c, CAP_DAC_READ_SEARCH) || has_right(c, CAP_DAC_OVERRIDE));
	c->hidepid = view.mount.hidepid;
	c->is_host_pidns = view.is_initial_pidns;
	own.inode = view.netns;
	r = collect_netns_facts(c, &own);
	if (r == 0)
		r = vec_push(&c->snapshot->netns, own);
	return r < 0 ? r : collect_users(c);
}

int collect_ifnames_of(struct collector *c, size_t first)
{
	bool is_needed = c->tape.mode != TAPE_LIVE;
	int r = 0;

	for (size_t i = first; !is_needed && i < c->snapshot->n_rows; i++)
		is_needed = snapshot_row(c->snapshot, i)->ifindex != 0;
	if (is_needed)
		r = procfs_read_ifnames(&c->tape, take_ifname, c);
	return r == -ENOMEM ? r : 0;
}

int collect_ifnames(struct collector *c)
{
	bool is_needed = c->tape.mode != TAPE_LIVE;
	size_t n = pv_snapshot_count(c->snapshot);
	int r = 0;

	for (size_t i = 0; !is_needed && i < n; i++) {
		const struct pv_conversation *row = collector_shown(c, i);

		is_needed = row->ifindex && row->netns == 0;
	}
	if (is_needed)
		r = procfs_read_ifnames(&c->tape, take_ifname, c);
	return r == -ENOMEM ? r : 0;
}
