/* SPDX-License-Identifier: MIT */
/*
 * pv_kill(): one netlink socket a network namespace, one request a socket. The calling thread is in
 * its own namespace again whenever a request is sent: the netlink socket stays in the one it was
 * made in.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include <portavoz/kill.h>

#include "base/cleanup.h"
#include "netlink/diag.h"
#include "procfs/netns.h"

#define NAMES_DIR "/run/netns"

struct killer {
	struct tape tape;
	struct procfs_netns_list list;
	bool has_list;
	int home;	/* our network namespace; -1 = not opened yet */
	int fd;		/* sock_diag in `netns`, or -errno */
	uint32_t netns; /* of the snapshot */
};

static int open_list(struct killer *k, uint64_t own)
{
	int r;

	if (k->has_list)
		return 0;
	k->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (k->home < 0)
		return -errno;
	r = tape_open(&k->tape, NULL, NULL);
	if (r == 0)
		r = procfs_netns_list(&k->tape, own, NAMES_DIR, &k->list);
	k->has_list = r == 0;
	return r;
}

/* sock_diag of another namespace, found by its inode once more. */
static int open_there(struct killer *k, const struct pv_snapshot *s, uint32_t netns)
{
	_cleanup_(cleanup_fd) int there = -1;
	const struct procfs_netns *n;
	int fd, r = open_list(k, pv_snapshot_netns(s, 0)->inode);

	if (r < 0)
		return r;
	n = procfs_netns_get(&k->list, pv_snapshot_netns(s, netns)->inode);
	there = n ? procfs_netns_open(&k->tape, n) : -ENXIO;
	if (there < 0)
		return there == -ENOMEM ? there : -ENXIO;
	if (setns(there, CLONE_NEWNET) < 0)
		return -errno;
	fd = netlink_open();
	/* entering one's own again takes no more than entering the other did */
	if (setns(k->home, CLONE_NEWNET) < 0) {
		r = -errno;
		close_fd(fd);
		return r;
	}
	return fd;
}

static int diag_of(struct killer *k, const struct pv_snapshot *s, uint32_t netns)
{
	if (k->fd != -ENOTCONN && k->netns == netns)
		return k->fd;
	if (k->fd >= 0)
		close_fd(k->fd);
	k->netns = netns;
	k->fd = netns ? open_there(k, s, netns) : netlink_open();
	return k->fd;
}

int pv_kill(const struct pv_snapshot *snapshot, const struct pv_conversation *const *rows, size_t n,
	    int *errors)
{
	struct killer k = { .tape = TAPE_INIT, .home = -1, .fd = -ENOTCONN };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		int fd = diag_of(&k, snapshot, rows[i]->netns);

		if (fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE)
			r = fd;
		errors[i] = fd < 0 ? fd : netlink_socket_destroy(fd, rows[i]);
		if (errors[i] == -ESTALE)
			errors[i] = -ENOENT;
	}
	if (k.fd >= 0)
		close_fd(k.fd);
	close_fd(k.home);
	procfs_netns_list_deinit(&k.list);
	tape_close(&k.tape);
	return r;
}

static const char *unsupported_text(const struct pv_conversation *row)
{
	if (!pv_proto_is_inet(row->proto))
		return "the kernel closes sockets of IP protocols only";
	switch (row->proto) {
	case PV_PROTO_TCP:
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
	case PV_PROTO_RAW:
		return "the kernel cannot do it (it is built without CONFIG_INET_DIAG_DESTROY)";
	default:
		return "the kernel does not close sockets of this protocol";
	}
}

const char *pv_kill_text(const struct pv_conversation *row, int error)
{
	switch (-error) {
	case EOPNOTSUPP:
		return unsupported_text(row);
	case EPERM:
	case EACCES:
		return "no privilege (CAP_NET_ADMIN)";
	case ENOENT:
		return row->state == PV_STATE_LISTEN || row->state == PV_STATE_CLOSE
			       ? "it is gone, or one of several that share its port"
			       : "it is gone";
	case ENOKEY:
		return "it was listed without the cookie that names it (see --sockets)";
	case ENXIO:
		return "its network namespace is not found any more";
	default:
		return strerrordesc_np(-error) ? strerrordesc_np(-error) : "unknown error";
	}
}
