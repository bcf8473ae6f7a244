/* SPDX-License-Identifier: MIT */
/*
 * Raw dumps of TCP sockets, the files of "ss -D FILE" and of its variable TCPDIAG_FILE: netlink
 * messages of sock_diag one after the other, as the kernel sent them, in the byte order of the
 * machine that wrote them. pv_request.replay_dir may name such a file.
 */
#ifndef PORTAVOZ_DUMP_H
#define PORTAVOZ_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define PV_DUMP_PARTIAL 1 /* the kernel dropped answers, or said that its dump is inconsistent */

/*
 * Writes the TCP sockets that `request` selects by families, states and filter, with tcp_info,
 * congestion control and memory: IPv4, IPv6, one end. With a redactor of the request addresses are
 * renamed, and attributes that may tell who it is are left out. *ret_n is their number. 0,
 * PV_DUMP_PARTIAL (all is written that came), or -errno.
 */
int pv_dump_write(const struct pv_request *request, int fd, size_t *ret_n);

/* Where a file stops to be such a dump. */
struct pv_dump_error {
	uint64_t offset;     /* of the message, bytes from the start */
	const char *message; /* what is wrong there; static */
};
/*
 * Reads a file as a dump and tells what is wrong with it. 0; -EBADMSG with *error filled; -errno of
 * reading it.
 */
int pv_dump_check(const char *path, struct pv_dump_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
