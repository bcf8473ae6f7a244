/* SPDX-License-Identifier: MIT */
/* pv_kill(): one netlink socket a network namespace, one request a socket. */
#include <errno.h>
#include <string.h>

#include <portavoz/kill.h>

#include "base/cleanup.h"
#include "netlink/diag.h"

int pv_kill(const struct pv_snapshot *snapshot, const struct pv_conversation *const *rows, size_t n,
	    int *errors)
{
	_cleanup_(cleanup_fd) int fd = netlink_open();

	(void)snapshot;
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < n; i++) {
		errors[i] = netlink_socket_destroy(fd, rows[i]);
		if (errors[i] == -ESTALE)
			errors[i] = -ENOENT;
	}
	return 0;
}

const char *pv_kill_text(const struct pv_conversation *row, int error)
{
	switch (-error) {
	case EOPNOTSUPP:
		if (!pv_proto_is_inet(row->proto))
			return "the kernel closes sockets of IP protocols only";
		if (row->proto != PV_PROTO_TCP && row->proto != PV_PROTO_UDP &&
		    row->proto != PV_PROTO_UDPLITE && row->proto != PV_PROTO_RAW)
			return "the kernel does not close sockets of this protocol";
		return "the kernel cannot do it (it is built without CONFIG_INET_DIAG_DESTROY)";
	case EPERM:
	case EACCES:
		return "no privilege (CAP_NET_ADMIN)";
	case ENOENT:
		return row->state == PV_STATE_LISTEN || row->state == PV_STATE_CLOSE
			       ? "it is gone, or one of several that share its port"
			       : "it is gone";
	case ENOKEY:
		return "it was listed without the cookie that names it (see --sockets)";
	default:
		return strerrordesc_np(-error) ? strerrordesc_np(-error) : "unknown error";
	}
}
