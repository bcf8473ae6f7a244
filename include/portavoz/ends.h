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
	PV_END_WILDCARD,  /* the same, bound to any address; some socket of its namespace shows that
			     the address is one of that namespace's, or it is a loopback address */
	PV_END_AMBIGUOUS, /* several sockets of different processes fit equally */
	PV_END_N,
};
const char *pv_end_by_name(enum pv_end_by by); /* stable key: "pair" */

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

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
