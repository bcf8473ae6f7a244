/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of sock_diag: one query lists the sockets of one protocol, in one address
 * family or, where the kernel can, in both with one walk of its table.
 */
#ifndef NETLINK_DIAG_H
#define NETLINK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#include "netlink/transport.h"

/*
 * unix_diag leaves out sockets without an inode, that is connections a listener has not accepted
 * yet (net/unix/diag.c, Linux 3.3 to 6.18); /proc/net/unix has them with inode 0.
 */

/* Enough for any request without bytecode. */
#define NETLINK_REQUEST_MAX 128

struct netlink_query {
	uint8_t proto; /* enum pv_proto; PV_PROTO_PING has no diag module */
	/*
	 * AF_INET or AF_INET6 for inet protocols. AF_UNSPEC, TCP and MPTCP only: both families by
	 * the request's first form (TCPDIAG_GETSOCK), which walks the table once. Other protocols
	 * have a family of their own and ignore this.
	 */
	uint8_t family;
	/*
	 * TCP, from Linux 6.8 on: also sockets that are bound to a port but neither listen nor
	 * connect (rows of state CLOSE). They are in no other list. Older kernels ignore it.
	 */
	bool bound_inactive;
	uint32_t states;  /* PV_STATE_BIT() mask; SYN_RECV includes request sockets */
	uint32_t needs;	  /* of PV_NEED_*: TCPINFO, MEM, SOCKCGROUP ask for attributes */
	const void *code; /* inet_diag bytecode, or NULL; borrowed */
	size_t code_len;
};

/*
 * Writes the request to buf (4-byte aligned). *ret_len is its length, also when it did not fit.
 * 0, -EMSGSIZE (NETLINK_REQUEST_MAX + code_len bytes suffice), -EPROTONOSUPPORT (no such diag
 * protocol), -EAFNOSUPPORT, -EINVAL (bytecode for a protocol without it).
 */
int netlink_query_encode(const struct netlink_query *q, uint32_t seq, void *buf, size_t size,
			 size_t *ret_len);

/*
 * True when the dump can have neither missed nor doubled a socket that existed from before it to
 * after it, however much changed beside it. Kernel facts this rests on (net/ipv4/inet_diag.c,
 * udp_diag.c, net/unix/diag.c; Linux 4.4 to 6.18):
 * - A walk holds a hash slot's lock (RAW: an RCU read side) while it reads that slot, so a slot
 *   read in one go is read whole; a lasting socket stays in its slot.
 * - It leaves a slot half-read in two cases: the datagram is full, or, TCP slots of established
 *   sockets only, 16 sockets were collected. It then resumes by position in the slot, and sockets
 *   that came or went there make it skip or repeat others.
 * - So a dump is exact when all rows came in one datagram that had room for one more row and, for
 *   TCP, fewer than 16 rows came. The first datagram has room for at least 3 KiB.
 * A unix socket that binds changes its slot: "lasting" then begins with the bind. The walks of
 * MPTCP, SCTP, DCCP, NETLINK and VSOCK resume by position everywhere, or are not known to be like
 * this: never exact. With PV_NEED_TCPINFO a TCP row has no greatest length (MD5 keys come with it):
 * exact only when nothing came at all.
 */
bool netlink_dump_is_exact(const struct netlink_query *q, const struct netlink_dump_result *result);

/* Results of netlink_socket_exists(). */
#define NETLINK_GONE 0
#define NETLINK_EXISTS 1
/* not found, but the lookup of listeners and UDP sockets finds only one of those sharing a port */
#define NETLINK_UNSURE 2
/*
 * Looks one socket up by tuple and cookie (TCP, UDP, UDP-Lite, RAW) or inode and cookie (UNIX).
 * NETLINK_GONE, NETLINK_EXISTS, NETLINK_UNSURE, -EOPNOTSUPP (no such lookup for this protocol),
 * -errno.
 */
int netlink_socket_exists(int fd, const struct pv_conversation *c);
/*
 * Has the kernel close that very socket (SOCK_DESTROY, Linux 4.5): by tuple and cookie, so that one
 * which has the tuple since is never hit. 0; -EOPNOTSUPP (this kind of socket, or a kernel without
 * CONFIG_INET_DIAG_DESTROY), -EPERM (CAP_NET_ADMIN), -ENOENT or -ESTALE (it is gone, or one of
 * several that share a port and is not the one the kernel finds), -ENOKEY (its source gave no
 * cookie), -errno.
 */
int netlink_socket_destroy(int fd, const struct pv_conversation *c);

#endif
