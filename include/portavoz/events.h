/* SPDX-License-Identifier: MIT */
/*
 * Sockets as the kernel destroys them: TCP and UDP of the network namespace of the thread that
 * opens. Any user may listen. Facts: net/core/sock_diag.c, net/ipv4/inet_diag.c, Linux 4.6 to 6.18.
 */
#ifndef PORTAVOZ_EVENTS_H
#define PORTAVOZ_EVENTS_H

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_events;

/*
 * Of the request count protos (TCP and UDP, others are passed over), inet, inet6, filter and
 * redactor; the last two are borrowed until pv_events_free(). What the filter says of states does
 * not count: the state is that of a socket which is gone. 0, -EINVAL (nothing is left to listen
 * to), -errno.
 */
int pv_events_open(const struct pv_request *request, struct pv_events **ret_events);
void pv_events_free(struct pv_events *events);
/* A descriptor that is readable when something happened; not the caller's to read or close. */
int pv_events_fd(const struct pv_events *events);
/*
 * What happened since, as far as one message of the kernel tells: a snapshot of the sockets that
 * were destroyed, each as it was then, without owners: nobody holds them any more. The inode is 0
 * and the user not told. Where the kernel dropped messages because they were not read in time, the
 * coverage has a PV_GAP_OVERRUN. 0, -EAGAIN (nothing waits), -errno.
 */
int pv_events_next(struct pv_events *events, struct pv_snapshot **ret_snapshot);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
