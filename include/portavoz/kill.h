/* SPDX-License-Identifier: MIT */
/*
 * Closing sockets of others, as an administrator does with a conversation that must end: the kernel
 * resets the connection, and what the process does next with the socket fails (ECONNABORTED).
 */
#ifndef PORTAVOZ_KILL_H
#define PORTAVOZ_KILL_H

#include <stddef.h>

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Closes n sockets, borrowed rows of a snapshot of this host, each in its own network namespace
 * (SOCK_DESTROY of sock_diag, Linux 4.5, for TCP; UDP since 4.9, RAW since 4.10). The connection of
 * a TCP socket is reset; UDP and RAW sockets get the error and lose their peer, but stay bound. A
 * socket is named by tuple and cookie: one that has the same tuple by now is never hit. errors[i]
 * is 0 for one that was closed, else -EOPNOTSUPP  the kernel cannot close this kind of socket
 * (UNIX, PACKET, NETLINK, ...), or any (it is built without CONFIG_INET_DIAG_DESTROY) -EPERM
 * CAP_NET_ADMIN is missing -ENOENT      it is gone; or several share its port and the kernel finds
 * another one of them -ENOKEY      the source it was listed by told no cookie -ENXIO       its
 * network namespace is not found any more -errno       what else the kernel answered, or entering
 * the network namespace failed with Returns 0, or -errno when nothing could be tried.
 */
int pv_kill(const struct pv_snapshot *snapshot, const struct pv_conversation *const *rows, size_t n,
	    int *errors);
/* Why that row was not closed, as a clause for people; static. */
const char *pv_kill_text(const struct pv_conversation *row, int error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
