/* SPDX-License-Identifier: MIT */
/*
 * Rules of nftables that lead packets to another address or port (dnat, redirect), and the jumps by
 * which packets come to them, asked of nf_tables. Rules that iptables-nft made are among them: its
 * matches and targets come as the structures of x_tables. Parsers are pure functions over foreign
 * bytes and allocate nothing.
 */
#ifndef NETLINK_NFTABLES_H
#define NETLINK_NFTABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#include "base/tape.h"
#include "netlink/ports.h"
#include "netlink/transport.h"

/* A chain that packets come to by a hook. Strings are borrowed, and foreign. */
struct nft_chain {
	uint8_t family; /* NFPROTO_* of its table */
	struct pv_bytes table, name;
	bool is_nat;   /* of type nat: others cannot translate */
	bool has_hook; /* else packets come by jumps only */
	uint32_t hook; /* NF_INET_* */
};

enum nft_verdict {
	NFT_LEADS_NOWHERE, /* neither of the below */
	NFT_LEADS_TO_CHAIN,
	NFT_LEADS_TO_ADDRESS, /* dnat, or redirect: then to an address of the host itself */
	NFT_ENDS,	      /* accepted, dropped, or back to where it came from */
};

/* What a packet must be like for a rule, as far as that is known. */
struct nft_match {
	uint8_t family;	  /* AF_INET, AF_INET6; 0 = either, or that of the table */
	uint8_t protocol; /* IPPROTO_*; 0 = any */
	uint8_t dst[16];
	uint8_t dst_prefix;    /* 0 = any destination */
	struct port_set ports; /* the destination port is of these */
	bool is_dst_local;     /* the destination is any address of the host */
	bool is_partial;       /* there are conditions beside these */
	bool is_port_unsure;   /* some of them may be on the destination port */
};

struct nft_rule {
	uint8_t family; /* NFPROTO_* of its table */
	struct pv_bytes table, chain;
	struct nft_match match;
	enum nft_verdict verdict;
	struct pv_bytes to_chain;
	bool is_goto; /* and does not come back from that chain */
	bool is_redirect;
	bool has_address, has_ports; /* without: the packet's own stay */
	bool is_unknown;	     /* the target comes from a map that was not read */
	uint8_t to_family;	     /* AF_INET or AF_INET6, with has_address */
	uint8_t first_addr[16], last_addr[16];
	uint16_t first_port, last_port;
	/* a set or map it looks in that may tell more; what its elements make of it
	 * nft_rule_with() tells. Empty = none */
	struct pv_bytes lookup;
	bool is_map;
	struct pv_bytes message; /* what it was read from */
};

#define NFT_ELEMENT_MAX 64 /* bytes of a key, or of what a map has for it (the kernel's limit) */

/* One of a set, or of a map. Its bytes are borrowed, and foreign. */
struct nft_element {
	struct pv_bytes key, last, data; /* at most NFT_ELEMENT_MAX; empty = there is none */
	bool is_catchall;		 /* it stands for all others */
	bool is_end;			 /* it is behind the end of an interval */
	bool is_goto;
	enum nft_verdict verdict;
	struct pv_bytes to_chain;
};

typedef int nft_chain_fn(void *userdata, const struct nft_chain *chain);
typedef int nft_rule_fn(void *userdata, const struct nft_rule *rule);
typedef int nft_element_fn(void *userdata, const struct nft_element *element);

/*
 * Walk the messages of one datagram (4-byte aligned); of rules those that lead somewhere, or may by
 * a map, are given.
 * 0, what the callback returned when negative, or -EINVAL (not aligned). *malformed is raised by
 * what was not understood.
 */
int nft_chains_parse(const void *data, size_t len, nft_chain_fn *chain, void *userdata,
		     uint64_t *malformed);
int nft_rules_parse(const void *data, size_t len, nft_rule_fn *rule, void *userdata,
		    uint64_t *malformed);
int nft_elements_parse(const void *data, size_t len, nft_element_fn *element, void *userdata,
		       uint64_t *malformed);
/* What the rule is for packets that the element of its lookup fits; its strings are the first's. */
void nft_rule_with(const struct nft_rule *rule, const struct nft_element *element,
		   struct nft_rule *ret_rule);

/*
 * All of the namespace of `fd` (netlink_open_family(NETLINK_NETFILTER)); streams "nft-chains" and
 * "nft-rules", with `suffix`. 0, NETLINK_PARTIAL, or -errno, the kernel's refusal included: -EPERM
 * without CAP_NET_ADMIN over the namespace. The kernel loads nf_tables when it is asked without it:
 * callers make sure first that it is there.
 */
int nft_chains_read(struct tape *t, int fd, const char *suffix, nft_chain_fn *chain, void *userdata,
		    uint64_t *malformed);
int nft_rules_read(struct tape *t, int fd, const char *suffix, nft_rule_fn *rule, void *userdata,
		   uint64_t *malformed);
/*
 * The elements of the set or map that the rule looks in; stream "nft-set" with `suffix`. When
 * the callback ends the dump the descriptor must be closed.
 */
int nft_elements_read(struct tape *t, int fd, const char *suffix, const struct nft_rule *rule,
		      nft_element_fn *element, void *userdata, uint64_t *malformed);

#endif
