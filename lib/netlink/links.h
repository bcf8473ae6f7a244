/* SPDX-License-Identifier: MIT */
/*
 * Interfaces and addresses of one network namespace, asked of rtnetlink: which addresses are its
 * own, which networks lie beside it, and which other interface is at the far end of each. Parsers
 * are pure functions over foreign bytes and allocate nothing.
 */
#ifndef NETLINK_LINKS_H
#define NETLINK_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"
#include "netlink/transport.h"

#define LINK_NAME_MAX 16 /* with its NUL (IFNAMSIZ) */

struct link_entry {
	uint32_t index;
	uint32_t peer;	   /* index of the interface at its far end or below it; 0 = none */
	int32_t peer_nsid; /* the namespace of that, as this one numbers it; -1 = this one */
	uint32_t master;   /* index of the bridge it is a port of; 0 = none */
	uint32_t flags;	   /* IFF_* */
	char name[LINK_NAME_MAX];
	char kind[LINK_NAME_MAX]; /* "veth", "bridge"...; "" = none: a device */
	uint16_t tunnel_port;	  /* VXLAN and GENEVE: the UDP port it receives at; 0 = none */
};

struct link_address {
	uint32_t index;
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t prefix; /* length of the network it is in; with a far end that of the latter */
	uint8_t addr[16];
	uint8_t network[16]; /* an address of that network: the far end's, or its own */
};

typedef int link_fn(void *userdata, const struct link_entry *link);
typedef int link_address_fn(void *userdata, const struct link_address *address);

/*
 * Walk the messages of one datagram (4-byte aligned). 0, what the callback returned when negative,
 * or -EINVAL (not aligned). *malformed is raised by what was not understood.
 */
int links_parse(const void *data, size_t len, link_fn *link, void *userdata, uint64_t *malformed);
int link_addresses_parse(const void *data, size_t len, link_address_fn *address, void *userdata,
			 uint64_t *malformed);

/*
 * All of the namespace of `fd` (netlink_open_family(NETLINK_ROUTE)); streams "links" and
 * "addresses", with `suffix`. Any user may ask. 0, NETLINK_PARTIAL, or
 * -errno, the kernel's refusal included.
 */
int links_read(struct tape *t, int fd, const char *suffix, link_fn *link, void *userdata,
	       uint64_t *malformed);
int link_addresses_read(struct tape *t, int fd, const char *suffix, link_address_fn *address,
			void *userdata, uint64_t *malformed);

/*
 * Live: how the namespace of `fd` numbers the one that `netns_fd` is, or LINK_NSID_NONE. Any user
 * may ask. 0 or -errno.
 */
#define LINK_NSID_NONE (-1)
int link_nsid_get(int fd, int netns_fd, int32_t *ret_nsid);
/* The answer, as links_parse(). *ret_nsid stays what it was when the datagram does not say. */
int link_nsid_parse(const void *data, size_t len, int32_t *ret_nsid, uint64_t *malformed);

#endif
