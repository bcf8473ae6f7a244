/* SPDX-License-Identifier: MIT */
/*
 * Where a conversation leads beyond its own network namespace: its translation (NAT), its other
 * end when that is not certain, and who can reach a listener.
 */
#ifndef PORTAVOZ_EXPOSURE_H
#define PORTAVOZ_EXPOSURE_H

#include <portavoz/conversation.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_snapshot;

/*
 * With PV_NEED_NAT: a conversation as its other end sees it, told by connection tracking
 * (ctnetlink) in the namespaces of the request. Ports in host order, addresses as in pv_endpoint.
 */
struct pv_translation {
	struct pv_endpoint local;  /* this end as the other one sees it */
	struct pv_endpoint remote; /* the other end itself, behind the translation */
	uint8_t family;		   /* AF_INET or AF_INET6, of both */
	bool is_opener;		   /* the first packet of the flow came from this end */
	uint8_t n_hops;		   /* namespaces that translate, one after the other */
	uint32_t netns;		   /* the first of them: index for pv_snapshot_netns() */
};
/* NULL = none is known of. */
const struct pv_translation *pv_snapshot_translation(const struct pv_snapshot *snapshot,
						     const struct pv_conversation *conversation);

/*
 * With PV_NEED_PEER: how many sockets of this host, or translations, could be the other end when
 * nothing tells which one is; conversation->peer is 0 then. 0 = there is no such doubt.
 */
uint32_t pv_snapshot_peer_candidates(const struct pv_snapshot *snapshot,
				     const struct pv_conversation *conversation);

/*
 * With PV_NEED_EXPOSURE: who can reach a listener (a socket that listens, or an unconnected
 * datagram socket with a port), as far as addresses, interfaces and translations tell; packet
 * filters are not looked at.
 */
enum pv_exposure {
	PV_EXPOSURE_NONE,      /* no listener, or not asked for */
	PV_EXPOSURE_LOOPBACK,  /* its own network namespace only */
	PV_EXPOSURE_CONTAINER, /* a network namespace that is joined to this host only */
	PV_EXPOSURE_MULTICAST, /* datagrams to a multicast group only */
	PV_EXPOSURE_INTERFACE, /* one address, or one interface, of the host */
	PV_EXPOSURE_PUBLISHED, /* by translation, at another address or port than its own */
	PV_EXPOSURE_ANY,       /* every address of the host */
	PV_EXPOSURE_N,
};
const char *pv_exposure_name(enum pv_exposure exposure); /* stable key: "loopback" */

enum pv_published_by {
	PV_PUBLISHED_BY_DNAT,	   /* a rule that changes the destination */
	PV_PUBLISHED_BY_REDIRECT,  /* one that leads packets to the host itself */
	PV_PUBLISHED_BY_CONNTRACK, /* no rule that is known; a flow that came this way was seen */
	PV_PUBLISHED_BY_N,
};
const char *pv_published_by_name(enum pv_published_by by); /* stable key: "dnat" */

/* Where else a listener is reached at. */
struct pv_publication {
	uint8_t addr[16];
	uint8_t family;	      /* AF_INET, AF_INET6; 0 = of either */
	uint8_t prefix;	      /* of the network that addr stands for; 0 = any address */
	uint8_t by;	      /* enum pv_published_by */
	uint8_t table_family; /* NFPROTO_* (linux/netfilter.h) */
	bool is_partial;      /* the rule has conditions beside address, protocol and port */
	/* there are conditions on ports that are not understood, so that this one may not be led
	 * there; the exposure does not count it */
	bool is_port_unsure;
	uint16_t first_port, last_port;
	uint32_t netns; /* where the rule or flow is: index for pv_snapshot_netns() */
	/*
	 * > 1: so many namespaces have the address the rule leads to, and nothing tells which one
	 * is meant; the exposure does not count it.
	 */
	uint32_t n_candidates;
	uint32_t n_more;	      /* other places, and other ways, that lead to it by rules */
	struct pv_bytes table, chain; /* of the rule; foreign bytes */
};
/* The first that is known; NULL = none. */
const struct pv_publication *pv_snapshot_publication(const struct pv_snapshot *snapshot,
						     const struct pv_conversation *conversation);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
