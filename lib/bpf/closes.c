/* SPDX-License-Identifier: MIT */
/* The program that notes closed sockets: its place in the hierarchy, its ring. */
#include "bpf/closes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "bpf/iter.h"
#include "bpf/load.h"
#include "procfs/cgroup.h"

/* 30,000 records: what may be closed while a long listing is made. */
#define RING_SIZE (UINT32_C(1) << 22)

int bpf_closes_open(struct bpf_closes *c)
{
	_cleanup_(cleanup_fd) int prog_fd = -1, cgroup_fd = -1;
	struct stat pidns;
	int r;

	*c = (struct bpf_closes)BPF_CLOSES_INIT;
	if (stat("/proc/self/ns/pid", &pidns) < 0)
		return -errno;
	cgroup_fd = procfs_cgroup_open_root();
	if (cgroup_fd < 0)
		return cgroup_fd;
	r = bpf_load_closes(RING_SIZE, (uint32_t)pidns.st_ino, &prog_fd, &c->ring_fd);
	if (r == 0)
		r = ring_open(c->ring_fd, RING_SIZE, &c->ring);
	return r < 0 ? r : bpf_attach_closes(prog_fd, cgroup_fd, &c->link_fd);
}

void bpf_closes_close(struct bpf_closes *c)
{
	c->link_fd = close_fd(c->link_fd);
	ring_close(&c->ring);
	c->ring_fd = close_fd(c->ring_fd);
}

const char *bpf_closes_cause(int error)
{
	switch (error) {
	case -EPERM:
		return "it needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and no other program in "
		       "its place";
	case -ENODEV:
		return "this host uses no unified control group hierarchy (cgroup2)";
	case -ENOENT:
		return "the unified control group hierarchy (cgroup2) is not mounted here, and "
		       "to mount it for itself it needs CAP_SYS_ADMIN";
	case -EINVAL:
		return "the kernel lacks BPF programs of control groups";
	default:
		return bpf_cause(error);
	}
}

struct reading {
	int (*take)(void *userdata, const struct close_record *r);
	void *userdata;
};

static int take_bytes(void *userdata, const void *data, size_t len)
{
	struct reading *reading = userdata;
	struct close_record r;

	if (len != sizeof(r))
		return 0;
	memcpy(&r, data, sizeof(r));
	return reading->take(reading->userdata, &r);
}

int bpf_closes_read(struct bpf_closes *c, int (*take)(void *userdata, const struct close_record *r),
		    void *userdata)
{
	struct reading reading = { take, userdata };

	return ring_take(&c->ring, take_bytes, &reading);
}
