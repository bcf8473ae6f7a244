/* SPDX-License-Identifier: MIT */
/* From a kind to a loaded program; the only user of the generated light skeletons. */
#ifndef BPF_LOAD_H
#define BPF_LOAD_H

#include "bpf/iter.h"

/*
 * Loads the program of a kind. For BPF_KIND_UNIX ring_size (a power of two) is the size of its
 * ring buffer, and *ret_ring_fd that map; else -1. 0 or -errno; the caller closes both.
 */
int bpf_load(enum bpf_iter_kind kind, uint32_t ring_size, int *ret_prog_fd, int *ret_ring_fd);

/* An iterator's descriptor made from a program's; 0 or -errno. */
int bpf_attach(int prog_fd, int *ret_fd);

/*
 * The program that notes closed sockets, with its ring buffer; own_pidns is the inode of the pid
 * namespace whose numbers it writes. 0 or -errno; the caller closes both. Attached, it runs as long
 * as the link is open.
 */
int bpf_load_closes(uint32_t ring_size, uint32_t own_pidns, int *ret_prog_fd, int *ret_ring_fd);
int bpf_attach_closes(int prog_fd, int cgroup_fd, int *ret_link_fd);

#endif
