/* SPDX-License-Identifier: MIT */
/*
 * Sockets that were closed lately, with their processes. Two generations take turns, each a
 * snapshot and its index: what is forgotten is forgotten with everything that points to it.
 */
#include "collect/ends.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "bpf/closes.h"
#include "collect/collector.h"
#include "procfs/clock.h"
#include "procfs/process.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define TCP_LISTEN 10 /* the kernel's number */

/* Of one generation. */
#define ROWS_MAX 16384
#define AGE_MAX (INT64_C(5) * 1000000000)

struct generation {
	struct pv_snapshot *snapshot;
	struct pv_ends *ends;
	struct map processes; /* pid and start -> process of the snapshot */
	int64_t first;	      /* when the first of its sockets was closed */
};

struct pv_closed {
	struct bpf_closes source;
	struct generation now, before;
	struct collector c; /* of the tape and the newest snapshot: reads details */
	struct procfs_process scratch;
	/* what our time namespace adds to the clocks of the kernel's records, ns */
	int64_t boottime_offset, monotonic_offset;
	uint32_t own_netns;
};

static void forget(struct generation *g)
{
	pv_ends_free(g->ends);
	pv_snapshot_free(g->snapshot);
	map_deinit(&g->processes);
	memset(g, 0, sizeof(*g));
}

/* Our own addresses; those of other namespaces are known by their sockets. */
static int add_addresses(struct pv_closed *c, struct pv_ends *ends)
{
	struct ifaddrs *all = NULL;
	int r = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *a = all; r == 0 && a; a = a->ifa_next) {
		const void *addr = a->ifa_addr;
		int family = addr ? a->ifa_addr->sa_family : AF_UNSPEC;

		if (family == AF_INET)
			r = ends_add_address(ends, c->own_netns, AF_INET,
					     &((const struct sockaddr_in *)addr)->sin_addr);
		else if (family == AF_INET6)
			r = ends_add_address(ends, c->own_netns, AF_INET6,
					     &((const struct sockaddr_in6 *)addr)->sin6_addr);
	}
	freeifaddrs(all);
	return r;
}

/* A new generation, the last but one is forgotten. */
static int turn(struct pv_closed *c, int64_t time)
{
	struct generation next = { .first = time, .snapshot = snapshot_new() };
	int r = next.snapshot ? ends_new_closed(next.snapshot, &next.ends) : -ENOMEM;

	c->c.snapshot = next.snapshot;
	if (r == 0)
		r = add_addresses(c, next.ends);
	if (r == 0)
		r = collect_users(&c->c);
	if (r < 0) {
		c->c.snapshot = c->now.snapshot;
		forget(&next);
		return r;
	}
	snapshot_seal(next.snapshot); /* sorts the users */
	forget(&c->before);
	c->before = c->now;
	c->now = next;
	return 0;
}

/* What /proc has of it, when it is still there; its name, user and start the event told. */
static int add_process(struct pv_closed *c, const struct close_record *r, uint32_t *ret)
{
	struct pv_process p = { .pid = r->pid,
				.uid = r->process_uid,
				.start_ticks =
					procfs_shown_ticks(r->start_ticks, c->boottime_offset),
				.comm = { r->comm, (uint32_t)strnlen(r->comm, sizeof(r->comm)) } };
	uint64_t key = (uint64_t)r->pid << 42 ^ r->start_ticks; /* as in owners.c: exact */
	int n = map_insert(&c->now.processes, key, (uint32_t)c->now.snapshot->processes.n, ret);

	if (n != 0)
		return n < 0 ? n : 0;
	*ret = (uint32_t)c->now.snapshot->processes.n;
	n = snapshot_add_process(c->now.snapshot, &p, ret);
	return n < 0 ? n
		     : collect_details_read(&c->c, &c->now.snapshot->processes.items[*ret],
					    PV_NEED_EXE | PV_NEED_CGROUP | PV_NEED_PUSER,
					    &c->scratch);
}

/* PV_PROTO_N: conversations of this protocol have no sockets. */
static uint8_t proto_of(uint16_t protocol)
{
	static const struct {
		uint16_t protocol;
		uint8_t proto;
	} protos[] = {
		{ IPPROTO_TCP, PV_PROTO_TCP },	       { IPPROTO_UDP, PV_PROTO_UDP },
		{ IPPROTO_MPTCP, PV_PROTO_TCP }, /* its first subflow */
		{ IPPROTO_UDPLITE, PV_PROTO_UDPLITE }, { IPPROTO_SCTP, PV_PROTO_SCTP },
		{ IPPROTO_DCCP, PV_PROTO_DCCP },       { IPPROTO_ICMP, PV_PROTO_PING },
		{ IPPROTO_ICMPV6, PV_PROTO_PING },
	};

	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++)
		if (protos[i].protocol == protocol)
			return protos[i].proto;
	return PV_PROTO_N;
}

static int add(void *userdata, const struct close_record *r)
{
	struct pv_closed *c = userdata;
	struct pv_conversation row = { .family = r->family,
				       .proto = proto_of(r->protocol),
				       .state = r->state == TCP_LISTEN ? PV_STATE_LISTEN
								       : PV_STATE_CLOSE,
				       .local.port = r->local_port,
				       .remote.port = r->remote_port,
				       .uid = r->uid,
				       .inode = r->inode,
				       .netns = r->netns };
	struct pv_conversation *added;
	struct pv_holder h = { .fd = -1 };
	int n = 0;

	if (row.proto == PV_PROTO_N)
		return 0;
	memcpy(row.local.addr, r->local, sizeof(r->local));
	memcpy(row.remote.addr, r->remote, sizeof(r->remote));
	if (!c->now.snapshot || c->now.snapshot->n_rows >= ROWS_MAX ||
	    r->time - c->now.first > AGE_MAX)
		n = turn(c, r->time);
	if (n == 0)
		n = add_process(c, r, &h.process);
	added = n == 0 ? snapshot_add(c->now.snapshot, &row) : NULL;
	if (!added)
		return n < 0 ? n : -ENOMEM;
	n = snapshot_set_holders(c->now.snapshot, added, &h, 1);
	return n < 0 ? n : ends_add_closed(c->now.ends, r->time + c->monotonic_offset);
}

int pv_closed_read(struct pv_closed *closed)
{
	return bpf_closes_read(&closed->source, add, closed);
}

int pv_closed_open(struct pv_closed **ret)
{
	struct pv_closed *c = calloc(1, sizeof(*c));
	struct stat netns;
	int r = c ? 0 : -ENOMEM;

	if (!c)
		return r;
	procfs_process_init(&c->scratch);
	c->c.has_proc = true;
	c->source = (struct bpf_closes)BPF_CLOSES_INIT;
	r = tape_open(&c->c.tape, NULL, NULL);
	if (r == 0)
		r = bpf_closes_open(&c->source);
	if (r < 0) {
		pv_closed_free(c);
		return r;
	}
	c->boottime_offset = procfs_read_time_offset(&c->c.tape, "boottime");
	c->monotonic_offset = procfs_read_time_offset(&c->c.tape, "monotonic");
	if (stat("/proc/self/ns/net", &netns) == 0)
		c->own_netns = (uint32_t)netns.st_ino;
	*ret = c;
	return 0;
}

void pv_closed_free(struct pv_closed *c)
{
	if (!c)
		return;
	bpf_closes_close(&c->source);
	tape_close(&c->c.tape);
	procfs_process_deinit(&c->scratch);
	forget(&c->now);
	forget(&c->before);
	free(c);
}

void pv_closed_source(int error, struct pv_source *ret)
{
	*ret = (struct pv_source){ .name = PV_CLOSED_NAME,
				   .via = "bpf sock_release",
				   .cause = error ? bpf_closes_cause(error) : NULL,
				   .state = error ? PV_SOURCE_OFF : PV_SOURCE_WORKING };
}

int pv_closed_fd(const struct pv_closed *c)
{
	return c->source.ring_fd;
}

/* The older generation first: it has what was closed first. */
const struct pv_conversation *pv_closed_find(const struct pv_closed *c, const struct pv_pair *pair,
					     unsigned side, int64_t since,
					     const struct pv_snapshot **ret_snapshot,
					     enum pv_end_by *ret_by)
{
	const struct generation *all[] = { &c->before, &c->now };
	const struct pv_conversation *found = NULL;

	*ret_by = PV_END_NONE;
	for (size_t i = 0; i < 2; i++) {
		const struct pv_conversation *row;
		enum pv_end_by by;

		if (!all[i]->ends)
			continue;
		row = ends_find_closed(all[i]->ends, pair, side, since, &by);
		if (!row || (found && by >= *ret_by))
			continue;
		found = row;
		*ret_by = by;
		*ret_snapshot = all[i]->snapshot;
	}
	return found;
}

bool pv_closed_is_here(const struct pv_closed *c, uint8_t family, const struct pv_endpoint *end)
{
	return (c->now.ends && pv_ends_is_here(c->now.ends, family, end)) ||
	       (c->before.ends && pv_ends_is_here(c->before.ends, family, end));
}
