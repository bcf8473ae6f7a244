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

#endif
