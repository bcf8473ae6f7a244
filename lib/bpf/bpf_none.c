/* SPDX-License-Identifier: MIT */
/* Stands in for load.c where clang or bpftool were missing, or BPF was not wanted. */
#include <errno.h>

#include "bpf/load.h"

int bpf_load(enum bpf_iter_kind kind, uint32_t ring_size, int *ret_prog_fd, int *ret_ring_fd)
{
	(void)kind;
	(void)ring_size;
	*ret_prog_fd = *ret_ring_fd = -1;
	return -ENOTSUP;
}

int bpf_attach(int prog_fd, int *ret_fd)
{
	(void)prog_fd;
	*ret_fd = -1;
	return -ENOTSUP;
}

int bpf_load_closes(uint32_t ring_size, uint32_t own_pidns, int *ret_prog_fd, int *ret_ring_fd)
{
	(void)ring_size;
	(void)own_pidns;
	*ret_prog_fd = *ret_ring_fd = -1;
	return -ENOTSUP;
}

int bpf_attach_closes(int prog_fd, int cgroup_fd, int *ret_link_fd)
{
	(void)prog_fd;
	(void)cgroup_fd;
	*ret_link_fd = -1;
	return -ENOTSUP;
}
