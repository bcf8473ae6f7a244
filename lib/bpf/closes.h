/* SPDX-License-Identifier: MIT */
/*
 * Every IP socket (but raw ones) of this host as it is closed, in every network namespace: who held
 * it last. The program is attached to the root of the unified control group hierarchy, so in a
 * container with a hierarchy of its own only that container's are seen, and is detached when its
 * link is closed. Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, a kernel with BTF and control
 * groups, 5.15.
 */
#ifndef BPF_CLOSES_H
#define BPF_CLOSES_H

#include "bpf/close_record.h"
#include "bpf/ring.h"

struct bpf_closes {
	int link_fd, ring_fd;
	struct ring ring;
};
#define BPF_CLOSES_INIT                                                                            \
	{                                                                                          \
		-1, -1, RING_INIT                                                                  \
	}

/*
 * From now on closed sockets are noted. 0; -ENODEV, -ENOENT (procfs_cgroup_open_root()), -ENOTSUP
 * (built without BPF), -EPERM, others as the kernel gives them. bpf_closes_close() in any case.
 */
int bpf_closes_open(struct bpf_closes *c);
void bpf_closes_close(struct bpf_closes *c);
/* A clause for people why bpf_closes_open() failed; never NULL. */
const char *bpf_closes_cause(int error);

/* ring_fd is readable when there are some. Hands them out, in order; 0 or what `take` returned. */
int bpf_closes_read(struct bpf_closes *c, int (*take)(void *userdata, const struct close_record *r),
		    void *userdata);

#endif
