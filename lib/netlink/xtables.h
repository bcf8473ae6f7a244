/* SPDX-License-Identifier: MIT */
/*
 * What x_tables and nf_tables have in common, matches and targets of iptables, and the table of
 * translations of legacy iptables, told in the words of nftables.h. Parsers are pure functions over
 * foreign bytes.
 */
#ifndef NETLINK_XTABLES_H
#define NETLINK_XTABLES_H

#include "netlink/message.h"
#include "netlink/nftables.h"

/* What the tables of legacy iptables are called here: nf_tables may have a "nat" beside them. */
#define XTABLES_NAT "nat-legacy"

/* What a match says of packets; what is not known makes *match partial, and unsure of ports unless
 * matches of that name are known to be of other things. */
void xtables_match(struct nft_match *match, struct pv_bytes name, uint32_t revision,
		   const struct attribute_value *info);
/* Where a target leads, in a rule of that family; others lead nowhere. */
void xtables_target(struct nft_rule *rule, struct pv_bytes name, uint32_t revision,
		    const struct attribute_value *info);

/*
 * One table as the kernel hands it out: struct ipt_getinfo, or ip6t_getinfo, and the entries behind
 * it. Gives chains and rules that lead somewhere. 0, what a callback returned when negative, or
 * -ENOMEM. *malformed is raised when it does not hold together; what came before was given.
 */
int xtables_parse(const void *data, size_t len, bool is_v6, nft_chain_fn *chain, nft_rule_fn *rule,
		  void *userdata, uint64_t *malformed);
/*
 * The table "nat" of this thread's namespace; streams "iptables-nat" and "ip6tables-nat". 0, or
 * -errno: -EPERM without CAP_NET_ADMIN over the namespace. To ask makes the table where it is not:
 * callers make sure first that it is there.
 */
int xtables_read(struct tape *t, bool is_v6, nft_chain_fn *chain, nft_rule_fn *rule, void *userdata,
		 uint64_t *malformed);

#endif
