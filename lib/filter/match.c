/* SPDX-License-Identifier: MIT */
/*
 * What the leaves of a filter test. A fact that was not collected matches nothing: an empty name,
 * a socket without known holders, a port where the protocol has none.
 */
#include "filter/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/registry.h>

#include "base/cleanup.h"
#include "base/inet.h"

#define LEAF(name)                                                                                 \
	bool name(const struct leaf *l, const struct pv_snapshot *s,                               \
		  const struct pv_conversation *c)

bool pv_filter_match(const struct pv_filter *f, const struct pv_snapshot *s,
		     const struct pv_conversation *c)
{
	const struct leaf *leaves = f->leaves.items;
	uint32_t i = f->leaves.n ? 0 : FILTER_ACCEPT;

	while (i < FILTER_REJECT)
		i = leaves[i].match(&leaves[i], s, c) ? leaves[i].yes : leaves[i].no;
	return i == FILTER_ACCEPT;
}

/* What a leaf says of every socket in that state: 1 yes, 0 no, -1 it depends. */
static int decide(const struct leaf *l, uint8_t state)
{
	if (l->match == match_true)
		return 1;
	if (l->match == match_state)
		return l->number >> state & 1;
	return -1;
}

/* Jumps go forward, so one pass finds the leaves that some socket in that state can come to. */
static bool can_reject(const struct pv_filter *f, uint8_t state, bool *is_reached)
{
	memset(is_reached, 0, f->leaves.n);
	is_reached[0] = true;
	for (size_t i = 0; i < f->leaves.n; i++) {
		const struct leaf *l = &f->leaves.items[i];
		const uint32_t exits[] = { l->no, l->yes };
		int said = decide(l, state);

		for (int way = 0; is_reached[i] && way < 2; way++) {
			if (said >= 0 && said != way)
				continue;
			if (exits[way] == FILTER_REJECT)
				return true;
			if (exits[way] < FILTER_REJECT)
				is_reached[exits[way]] = true;
		}
	}
	return false;
}

bool pv_filter_selects_all(const struct pv_filter *f)
{
	_cleanup_(cleanup_free) bool *is_reached = malloc(f->leaves.n + 1);

	if (!f->leaves.n)
		return true;
	for (uint8_t state = PV_STATE_ESTABLISHED; is_reached && state < PV_STATE_N; state++)
		if (PV_STATE_BIT(state) & PV_STATE_CONNECTED && can_reject(f, state, is_reached))
			return false;
	return true;
}

static bool in_range(const struct leaf *l, uint64_t value)
{
	return value >= l->range.first && value <= l->range.last;
}

static const struct pv_endpoint *end_of(const struct leaf *l, const struct pv_conversation *c)
{
	return l->end == END_REMOTE ? &c->remote : &c->local;
}

static bool is_inet(const struct pv_conversation *c)
{
	return c->family == AF_INET || c->family == AF_INET6;
}

/* Addresses and ports */

LEAF(match_true)
{
	(void)l, (void)s, (void)c;
	return true;
}

LEAF(match_family)
{
	(void)s;
	return c->family == l->family;
}

LEAF(match_port)
{
	(void)s;
	if (l->family != AF_UNSPEC
		    ? c->family != l->family
		    : !is_inet(c) && c->family != AF_VSOCK && c->family != AF_NETLINK)
		return false;
	return in_range(l, end_of(l, c)->port);
}

static bool masked_equal(const uint8_t *addr, const struct net *n, size_t len)
{
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= (uint8_t)((addr[i] & n->mask[i]) ^ n->addr[i]);
	return !diff;
}

/*
 * As the kernel's bytecode and ss do: an IPv4 prefix also matches v4-mapped IPv6 addresses, while a
 * v4-mapped prefix matches those alone.
 */
LEAF(match_net)
{
	const uint8_t *addr = end_of(l, c)->addr;

	(void)s;
	if (l->family != AF_UNSPEC && c->family != l->family)
		return false;
	if (l->net.family == AF_INET6)
		return c->family == AF_INET6 && masked_equal(addr, &l->net, 16);
	if (c->family == AF_INET)
		return masked_equal(addr, &l->net, 4);
	return c->family == AF_INET6 && inet_is_mapped(addr) && masked_equal(addr + 12, &l->net, 4);
}

/* The name of a unix socket; abstract ones are written with @ for each NUL, as ss prints them. */
LEAF(match_unix)
{
	const struct pv_bytes *path;
	char name[128];

	if (l->end == END_REMOTE)
		c = pv_snapshot_peer(s, c);
	if (!c || c->family != AF_UNIX)
		return false;
	path = c->path;
	if (!path || !path->len)
		return glob_match(&l->glob, "", 0);
	if (path->data[0] || path->len > sizeof(name))
		return glob_match(&l->glob, path->data, path->len);
	for (uint32_t i = 0; i < path->len; i++)
		name[i] = path->data[i] ? path->data[i] : '@';
	return glob_match(&l->glob, name, path->len);
}

LEAF(match_link_proto)
{
	(void)s;
	return c->family == AF_PACKET && end_of(l, c)->port == l->number;
}

LEAF(match_netlink_proto)
{
	(void)s;
	return c->family == AF_NETLINK && c->protocol == l->number;
}

LEAF(match_vsock_cid)
{
	uint32_t cid;

	(void)s;
	memcpy(&cid, end_of(l, c)->addr, sizeof(cid));
	return c->family == AF_VSOCK && cid == l->number;
}

LEAF(match_ifindex)
{
	(void)s;
	return in_range(l, c->ifindex);
}

LEAF(match_ifname)
{
	const char *name = c->ifindex ? pv_snapshot_netns_ifname(s, c->netns, c->ifindex) : NULL;

	return name && glob_match(&l->glob, name, strlen(name));
}

/* The socket */

LEAF(match_mark)
{
	(void)s;
	return (c->mark & l->mark.mask) == l->mark.value;
}

static bool is_bound_inactive(const struct pv_conversation *c)
{
	return c->state == PV_STATE_CLOSE && c->local.port &&
	       (c->proto == PV_PROTO_TCP || c->proto == PV_PROTO_MPTCP ||
		c->proto == PV_PROTO_SCTP || c->proto == PV_PROTO_DCCP);
}

LEAF(match_state)
{
	(void)s;
	if (is_bound_inactive(c))
		return l->number & FILTER_BOUND_INACTIVE;
	return c->state < PV_STATE_N && (l->number >> c->state & 1);
}

/* The kernel names unix sockets NUL and five hexadecimal digits (net/unix/af_unix.c). */
static bool is_autobound_unix(const struct pv_conversation *c)
{
	if (!c->path || !c->path->len)
		return true;
	if (c->path->len != 6 || c->path->data[0])
		return false;
	for (size_t i = 1; i < 6; i++)
		if (!memchr("0123456789abcdef", c->path->data[i], 16))
			return false;
	return true;
}

/*
 * Socket tables do not tell whether a port was asked for. For inet sockets the port being in the
 * ephemeral range of the namespace is the evidence, as in ss.
 */
LEAF(match_autobound)
{
	(void)l;
	switch (c->family) {
	case AF_UNIX:
		return is_autobound_unix(c);
	case AF_PACKET:
		return !c->ifindex && !c->local.port;
	case AF_NETLINK:
		return c->local.port > INT32_MAX; /* the kernel counts down from -4096 */
	case AF_VSOCK:
		return c->local.port > 1023;
	default:
		return is_inet(c) &&
		       pv_netns_is_ephemeral(pv_snapshot_netns(s, c->netns), c->local.port);
	}
}

LEAF(match_uid)
{
	(void)s;
	return in_range(l, c->uid);
}

LEAF(match_user)
{
	const char *name = pv_snapshot_user(s, c->uid);

	return name && glob_match(&l->glob, name, strlen(name));
}

LEAF(match_direction)
{
	(void)s;
	return c->direction == l->number;
}

LEAF(match_exposure)
{
	(void)s;
	return c->exposure == l->number;
}

LEAF(match_proto)
{
	(void)s;
	return c->proto == l->number;
}

LEAF(match_reason)
{
	(void)s;
	return c->owner_reason == l->number;
}

LEAF(match_verdict)
{
	(void)s;
	return c->verdict == l->number;
}

/* By the ids of the rules: the sentences change with every version. */
LEAF(match_evidence)
{
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);

	for (uint32_t i = 0; i < c->n_findings; i++) {
		const char *id = rules[pv_snapshot_finding(s, c, i)->rule].id;

		if (glob_match(&l->glob, id, strlen(id)))
			return true;
	}
	return false;
}

LEAF(match_netns)
{
	uint64_t inode = pv_snapshot_netns(s, c->netns)->inode;

	return inode && in_range(l, inode);
}

LEAF(match_netns_name)
{
	const struct pv_bytes *name = &pv_snapshot_netns(s, c->netns)->name;

	return name->len && glob_match(&l->glob, name->data, name->len);
}

LEAF(match_inode)
{
	(void)s;
	return in_range(l, c->inode);
}

LEAF(match_cookie)
{
	(void)s;
	return in_range(l, c->cookie);
}

LEAF(match_recv_q)
{
	(void)s;
	return in_range(l, c->recv_q);
}

LEAF(match_send_q)
{
	(void)s;
	return in_range(l, c->send_q);
}

/* Service */

LEAF(match_service)
{
	enum pv_transport transport = pv_proto_transport((enum pv_proto)c->proto);
	uint32_t port;

	if (transport == PV_TRANSPORT_N || !(l->range.transports >> transport & 1))
		return false;
	port = pv_snapshot_service_port(s, c);
	return port && in_range(l, port);
}

static bool is_in_group(const struct leaf *l, uint32_t port)
{
	return port && port <= UINT16_MAX && pv_port_group((uint16_t)port) == l->number;
}

LEAF(match_group)
{
	return pv_proto_transport((enum pv_proto)c->proto) != PV_TRANSPORT_N &&
	       is_in_group(l, pv_snapshot_service_port(s, c));
}

LEAF(match_port_group)
{
	(void)s;
	return pv_proto_transport((enum pv_proto)c->proto) != PV_TRANSPORT_N &&
	       is_in_group(l, end_of(l, c)->port);
}

/* Processes: a predicate matches when it does for any of the holders */

typedef bool process_match_fn(const struct leaf *l, const struct pv_process *process, int32_t fd);

static bool any_holder(const struct leaf *l, const struct pv_snapshot *s,
		       const struct pv_conversation *c, process_match_fn *match)
{
	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_holder *h = pv_snapshot_holder(s, c, i);

		if (match(l, pv_snapshot_process(s, h->process), h->fd))
			return true;
	}
	return false;
}

static bool bytes_match(const struct leaf *l, const struct pv_bytes *b)
{
	return b->len && glob_match(&l->glob, b->data, b->len);
}

static bool has_pid(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	(void)fd;
	return process->pid >= 0 && in_range(l, (uint64_t)process->pid);
}

static bool has_fd(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	(void)process;
	return fd >= 0 && in_range(l, (uint64_t)fd);
}

static bool has_comm(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	(void)fd;
	return bytes_match(l, &process->comm);
}

static bool has_exe(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	(void)fd;
	return bytes_match(l, &process->exe);
}

static bool has_exe_name(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	struct pv_bytes name = process->exe;
	const char *slash = name.len ? memrchr(name.data, '/', name.len) : NULL;

	(void)fd;
	if (slash) {
		name.len -= (uint32_t)(slash + 1 - name.data);
		name.data = slash + 1;
	}
	return bytes_match(l, &name);
}

static bool has_unit(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	static const char suffix[] = ".service";
	const uint32_t n = sizeof(suffix) - 1;
	struct pv_bytes unit = process->unit;

	(void)fd;
	if (bytes_match(l, &unit))
		return true;
	if (unit.len <= n || memcmp(unit.data + unit.len - n, suffix, n) != 0)
		return false;
	unit.len -= n;
	return bytes_match(l, &unit);
}

static bool has_container(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	(void)fd;
	return bytes_match(l, &process->container);
}

static bool has_container_prefix(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	(void)fd;
	return process->container.len >= l->glob.len &&
	       !memcmp(process->container.data, l->glob.data, l->glob.len);
}

static bool has_cgroup(const struct leaf *l, const struct pv_process *process, int32_t fd)
{
	const struct pv_bytes *path = &process->cgroup;
	uint32_t n = l->glob.len;

	(void)fd;
	if (!path->len || path->len < n || (n && memcmp(path->data, l->glob.data, n) != 0))
		return false;
	return path->len == n || path->data[n] == '/';
}

#define HOLDER_LEAF(name, has)                                                                     \
	LEAF(name)                                                                                 \
	{                                                                                          \
		return any_holder(l, s, c, has);                                                   \
	}

HOLDER_LEAF(match_pid, has_pid)
HOLDER_LEAF(match_fd, has_fd)
HOLDER_LEAF(match_comm, has_comm)
HOLDER_LEAF(match_exe, has_exe)
HOLDER_LEAF(match_exe_name, has_exe_name)
HOLDER_LEAF(match_unit, has_unit)
HOLDER_LEAF(match_container, has_container)
HOLDER_LEAF(match_container_prefix, has_container_prefix)
HOLDER_LEAF(match_cgroup_path, has_cgroup)

LEAF(match_cgroup_id)
{
	(void)s;
	return c->detail && (c->detail->present & PV_DETAIL_CGROUP) &&
	       in_range(l, c->detail->cgroup_id);
}
