/* SPDX-License-Identifier: MIT */
/*
 * Which sockets of a snapshot are the two ends of a socket pair that was seen elsewhere, in a
 * capture for instance. The snapshot may be one of several network namespaces, of a recording, or
 * of another moment: what is found says how.
 */
#ifndef PORTAVOZ_ENDS_H
#define PORTAVOZ_ENDS_H

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A socket pair as packets show it. PV_PROTO_PING: the ports are both the identifier. */
struct pv_pair {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t proto;	/* enum pv_proto */
	struct pv_endpoint ends[2];
};

enum pv_end_by {
	PV_END_NONE,	  /* no socket of the snapshot can be this end */
	PV_END_PAIR,	  /* a socket with both addresses and ports */
	PV_END_BOUND,	  /* an unconnected socket or listener on that address and port */
	PV_END_WILDCARD,  /* the same, bound to any address; it is one of its namespace's: a
			     loopback address, one that some socket there shows, or, with
			     PV_NEED_ADDRESSES, that an interface has */
	PV_END_AMBIGUOUS, /* several sockets of different processes fit equally */
	PV_END_N,
};

struct pv_ends;

/*
 * An index over every row of the snapshot, which must outlive it; for pv_ends_free(), NULL is fine.
 * 0 or -ENOMEM.
 */
int pv_ends_new(const struct pv_snapshot *snapshot, struct pv_ends **ret_ends);
void pv_ends_free(struct pv_ends *ends);

/*
 * The socket that is ends[side] of the pair, or NULL; *ret_by (may be NULL) says how it was found.
 * A socket with both addresses that no process holds (not accepted yet, or closed) gives way to the
 * listener it came to. An IPv4 pair is found in IPv6 sockets that speak it (RFC 4291 2.5.5.2). Of
 * several sockets that fit equally well one is given if the same process holds them all, else none
 * is.
 */
const struct pv_conversation *pv_ends_find(const struct pv_ends *ends, const struct pv_pair *pair,
					   unsigned side, enum pv_end_by *ret_by);
/* The same of the address, in any namespace. */
bool pv_ends_is_here(const struct pv_ends *ends, uint8_t family, const struct pv_endpoint *end);

/*
 * Sockets that were closed lately, which no snapshot shows: a BPF program notes each with the
 * process that closed it last, in every network namespace. Kept for five seconds at least, or the
 * last 16,384. Not for several threads at once.
 */
struct pv_closed;

#define PV_CLOSED_NAME "closed sockets"
/*
 * Begins to watch. 0, -ENOMEM, or another -errno when this host or its rights do not let us;
 * pv_closed_source() tells why for a coverage: source->state is PV_SOURCE_OFF then.
 */
int pv_closed_open(struct pv_closed **ret_closed);
void pv_closed_free(struct pv_closed *closed); /* NULL is fine */
void pv_closed_source(int error, struct pv_source *ret_source);
/* Readable when there is something for pv_closed_read(). */
int pv_closed_fd(const struct pv_closed *closed);
/* Takes what was closed meanwhile, and reads at once what /proc has of its processes. 0 or -ENOMEM.
 */
int pv_closed_read(struct pv_closed *closed);
/*
 * As pv_ends_find(), among what was closed at `since` (CLOCK_MONOTONIC, ns) or later: what carried
 * packets at that time. An unconnected socket is given only when no other could be bound to its
 * port at the same time. The row belongs to *ret_snapshot, until the next pv_closed_read().
 */
const struct pv_conversation *pv_closed_find(const struct pv_closed *closed,
					     const struct pv_pair *pair, unsigned side,
					     int64_t since, const struct pv_snapshot **ret_snapshot,
					     enum pv_end_by *ret_by);
/* As pv_ends_is_here(), of this network namespace and of the sockets that were closed. */
bool pv_closed_is_here(const struct pv_closed *closed, uint8_t family,
		       const struct pv_endpoint *end);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
