/* SPDX-License-Identifier: MIT */
/*
 * A light skeleton holds a small program that makes the kernel itself relocate and load ours: no
 * library at run time, and no parsing of the kernel's types here, which costs libbpf 27 ms.
 */
#include "bpf/load.h"

#include <errno.h>

#include "base/cleanup.h"
#include "closes.lskel.h"
#include "netns.lskel.h"
#include "owners.lskel.h"
#include "sockets_tcp.lskel.h"
#include "sockets_udp.lskel.h"
#include "sockets_unix.lskel.h"

/* Descriptor 0 marks "none" in a skeleton: what is taken out of one is replaced by it. */
static int steal_skel_fd(int *fd)
{
	int r = *fd;

	*fd = 0;
	return r;
}

#define DEFINE_LOAD(name)                                                                          \
	static int load_##name(int *ret_prog_fd)                                                   \
	{                                                                                          \
		struct name *skel = name##__open();                                                \
		int r;                                                                             \
                                                                                                   \
		if (!skel)                                                                         \
			return -ENOMEM;                                                            \
		r = name##__load(skel);                                                            \
		if (r >= 0)                                                                        \
			*ret_prog_fd = steal_skel_fd(&skel->progs.name.prog_fd);                   \
		name##__destroy(skel);                                                             \
		return r < 0 ? r : 0;                                                              \
	}

DEFINE_LOAD(sockets_tcp)
DEFINE_LOAD(sockets_udp)
DEFINE_LOAD(owners)
DEFINE_LOAD(netns)

static int load_sockets_unix(uint32_t ring_size, int *ret_prog_fd, int *ret_ring_fd)
{
	struct sockets_unix *skel = sockets_unix__open();
	int r;

	if (!skel)
		return -ENOMEM;
	skel->maps.ring.max_entries = ring_size;
	r = sockets_unix__load(skel);
	if (r >= 0) {
		*ret_prog_fd = steal_skel_fd(&skel->progs.sockets_unix.prog_fd);
		*ret_ring_fd = steal_skel_fd(&skel->maps.ring.map_fd);
	}
	sockets_unix__destroy(skel);
	return r < 0 ? r : 0;
}

int bpf_load_closes(uint32_t ring_size, uint32_t own_pidns, int *ret_prog_fd, int *ret_ring_fd)
{
	struct closes *skel = closes__open();
	int r;

	*ret_prog_fd = *ret_ring_fd = -1;
	if (!skel)
		return -ENOMEM;
	skel->maps.ring.max_entries = ring_size;
	skel->rodata->own_pidns = own_pidns;
	r = closes__load(skel);
	if (r >= 0) {
		*ret_prog_fd = steal_skel_fd(&skel->progs.closes.prog_fd);
		*ret_ring_fd = steal_skel_fd(&skel->maps.ring.map_fd);
	}
	closes__destroy(skel);
	return r < 0 ? r : 0;
}

int bpf_attach_closes(int prog_fd, int cgroup_fd, int *ret_link_fd)
{
	*ret_link_fd = skel_link_create(prog_fd, cgroup_fd, BPF_CGROUP_INET_SOCK_RELEASE);
	return *ret_link_fd < 0 ? -errno : 0;
}

int bpf_load(enum bpf_iter_kind kind, uint32_t ring_size, int *ret_prog_fd, int *ret_ring_fd)
{
	*ret_prog_fd = *ret_ring_fd = -1;
	switch (kind) {
	case BPF_KIND_TCP:
		return load_sockets_tcp(ret_prog_fd);
	case BPF_KIND_UDP:
		return load_sockets_udp(ret_prog_fd);
	case BPF_KIND_UNIX:
		return load_sockets_unix(ring_size, ret_prog_fd, ret_ring_fd);
	case BPF_KIND_OWNERS:
		return load_owners(ret_prog_fd);
	case BPF_KIND_NETNS:
		return load_netns(ret_prog_fd);
	default:
		return -EINVAL;
	}
}

int bpf_attach(int prog_fd, int *ret_fd)
{
	_cleanup_(cleanup_fd) int link_fd = skel_link_create(prog_fd, 0, BPF_TRACE_ITER);
	union bpf_attr attr = {};

	if (link_fd < 0)
		return -errno;
	attr.iter_create.link_fd = (uint32_t)link_fd;
	*ret_fd = skel_sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr.iter_create));
	return *ret_fd < 0 ? -errno : 0;
}
