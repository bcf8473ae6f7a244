/* SPDX-License-Identifier: MIT */
/*
 * A datagram from anywhere as an answer of nf_tables or of rtnetlink. The first byte says which;
 * three more are unused. What comes out is what nftables.h and links.h promise.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/links.h"
#include "netlink/nftables.h"
#include "netlink/xtables.h"

#define HEADER 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

/* Reads every byte, so that a sanitizer sees what lies outside. */
static void touch(unsigned *sum, struct pv_bytes b)
{
	for (uint32_t i = 0; i < b.len; i++)
		*sum += (unsigned char)b.data[i];
}

static int check_chain(void *userdata, const struct nft_chain *c)
{
	require(c->table.len && c->name.len);
	touch(userdata, c->table);
	touch(userdata, c->name);
	return 0;
}

static int check_rule(void *userdata, const struct nft_rule *r)
{
	static const char bytes[8];
	struct nft_element e = { .key = { bytes, 6 }, .last = { bytes, 6 }, .data = { bytes, 8 } };
	struct nft_rule with;

	require(r->verdict != NFT_LEADS_NOWHERE || (r->is_map && r->lookup.len));
	require(r->match.dst_prefix <= 128);
	require(!r->match.dst_prefix || r->match.family);
	require(!r->has_address || r->to_family == AF_INET || r->to_family == AF_INET6);
	touch(userdata, r->table);
	touch(userdata, r->chain);
	if (r->verdict == NFT_LEADS_TO_CHAIN)
		touch(userdata, r->to_chain);
	touch(userdata, r->lookup);
	nft_rule_with(r, &e, &with);
	require(with.match.dst_prefix <= 128);
	return 0;
}

static int check_element(void *userdata, const struct nft_element *e)
{
	require(e->key.len <= NFT_ELEMENT_MAX && e->last.len <= NFT_ELEMENT_MAX);
	require(e->data.len <= NFT_ELEMENT_MAX);
	touch(userdata, e->key);
	touch(userdata, e->last);
	touch(userdata, e->data);
	touch(userdata, e->to_chain);
	return 0;
}

static int check_link(void *userdata, const struct link_entry *l)
{
	(void)userdata;
	require(l->index > 0 && l->index <= INT32_MAX);
	require(memchr(l->name, 0, sizeof(l->name)) && memchr(l->kind, 0, sizeof(l->kind)));
	return 0;
}

static int check_address(void *userdata, const struct link_address *a)
{
	(void)userdata;
	require(a->family == AF_INET || a->family == AF_INET6);
	require(a->prefix <= (a->family == AF_INET ? 32 : 128));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t malformed = 0;
	int32_t nsid = LINK_NSID_NONE;
	unsigned sum = 0;
	int r = 0;

	if (size < HEADER)
		return 0;
	switch (data[0] & 7) {
	case 0:
		r = nft_rules_parse(data + HEADER, size - HEADER, check_rule, &sum, &malformed);
		break;
	case 1:
		r = nft_chains_parse(data + HEADER, size - HEADER, check_chain, &sum, &malformed);
		break;
	case 2:
		r = links_parse(data + HEADER, size - HEADER, check_link, &sum, &malformed);
		break;
	case 3:
		r = link_addresses_parse(data + HEADER, size - HEADER, check_address, &sum,
					 &malformed);
		break;
	case 4:
		r = link_nsid_parse(data + HEADER, size - HEADER, &nsid, &malformed);
		break;
	case 6:
	case 7:
		r = xtables_parse(data + HEADER, size - HEADER, data[0] & 1, check_chain,
				  check_rule, &sum, &malformed);
		break;
	case 5:
		r = nft_elements_parse(data + HEADER, size - HEADER, check_element, &sum,
				       &malformed);
		break;
	}
	require(r == 0);
	return 0;
}
