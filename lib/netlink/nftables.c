/* SPDX-License-Identifier: MIT */
/*
 * A rule is a list of expressions that load registers, compare them, and act. It is run here on
 * symbols: a register holds a field of the packet, constant bytes, or something not known. What a
 * comparison says of the few fields that matter goes into the match; any other makes it partial.
 */
#include "netlink/nftables.h"

/* before those of the kernel, which then leave out what is in it */
#include <netinet/in.h>

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/message.h"
#include "netlink/stream.h"
#include "netlink/xtables.h"

#define STREAM_NAME_MAX 64
#define SEQUENCE 1
#define NAME_MAX_NFT 255
#define N_REGISTERS 16 /* of 4 bytes */
#define IPV4_DST 16    /* offsets in the headers */
#define IPV4_PROTOCOL 9
#define IPV6_DST 24
#define IPV6_NEXT 6

enum field {
	FIELD_UNKNOWN,
	FIELD_BYTES, /* constant */
	FIELD_PROTOCOL,
	FIELD_FAMILY,
	FIELD_DST,
	FIELD_DPORT,
	FIELD_NEAR_DPORT, /* not known, but made of the destination port */
	FIELD_DST_TYPE,	  /* RTN_* of the destination */
};

struct nft_register {
	enum field field;
	uint8_t bytes[4]; /* of FIELD_BYTES; of FIELD_DST the mask, if is_masked */
	uint8_t family;	  /* of FIELD_DST */
	uint8_t len;	  /* of a field: what was loaded, in its first register */
	bool is_masked;
};

struct machine {
	struct nft_rule *rule;
	const struct nft_element *element; /* of the set `lookup`, for its first use; or NULL */
	struct pv_bytes lookup;
	struct nft_register registers[N_REGISTERS];
};

/* ---- registers ---- */

/* The first of the 4-byte registers that a number stands for; N_REGISTERS = none. */
static unsigned register_at(uint32_t number)
{
	if (number >= NFT_REG_1 && number <= NFT_REG_4)
		return (number - NFT_REG_1) * 4;
	if (number >= NFT_REG32_00 && number <= NFT_REG32_15)
		return number - NFT_REG32_00;
	return N_REGISTERS;
}

static void set_field(struct machine *m, uint32_t number, enum field field, size_t len,
		      uint8_t family)
{
	unsigned at = register_at(number);

	for (unsigned i = at; i < N_REGISTERS && i < at + (len + 3) / 4; i++)
		m->registers[i] = (struct nft_register){ .field = field,
							 .family = family,
							 .len = (uint8_t)len };
}

static void set_bytes(struct machine *m, uint32_t number, const struct attribute_value *v)
{
	unsigned at = register_at(number);

	for (size_t i = 0; i < v->len && at < N_REGISTERS; i += 4, at++) {
		struct nft_register *r = &m->registers[at];

		*r = (struct nft_register){ .field = FIELD_BYTES };
		memcpy(r->bytes, (const char *)v->data + i, v->len - i < 4 ? v->len - i : 4);
	}
}

/* Constant bytes; false when they are not known. */
static bool get_bytes(const struct machine *m, uint32_t number, uint8_t *to, size_t len)
{
	unsigned at = register_at(number);

	for (size_t i = 0; i < len; i += 4, at++) {
		if (at >= N_REGISTERS || m->registers[at].field != FIELD_BYTES)
			return false;
		memcpy(to + i, m->registers[at].bytes, len - i < 4 ? len - i : 4);
	}
	return true;
}

static bool is_of_port(const struct machine *m, unsigned at)
{
	return at < N_REGISTERS && (m->registers[at].field == FIELD_DPORT ||
				    m->registers[at].field == FIELD_NEAR_DPORT);
}

/* ---- attributes ---- */

/* The numbers among an expression's attributes, by type; 0 where there is none. */
#define NUMBERS_MAX 16
struct numbers {
	uint32_t of[NUMBERS_MAX];
};

static struct numbers numbers_in(struct attribute_list l)
{
	struct numbers n = { { 0 } };
	struct attribute_value v;

	while (attribute_next(&l, &v))
		if (v.type < NUMBERS_MAX && !attribute_be32(&v, &n.of[v.type]))
			n.of[v.type] = 0;
	return n;
}

static bool find_attribute(struct attribute_list l, uint16_t type, struct attribute_value *v)
{
	while (attribute_next(&l, v))
		if (v->type == type)
			return true;
	return false;
}

/* The bytes of an attribute that nests NFTA_DATA_VALUE. */
static bool find_data(struct attribute_list l, uint16_t type, struct attribute_value *v)
{
	struct attribute_value outer;

	return find_attribute(l, type, &outer) &&
	       find_attribute(attributes_in(&outer), NFTA_DATA_VALUE, v);
}

static struct pv_bytes text_of(const struct attribute_value *v)
{
	return (struct pv_bytes){ v->data, (uint32_t)strnlen(v->data, v->len) };
}

static bool is_text(const struct attribute_value *v, const char *text)
{
	struct pv_bytes b = text_of(v);

	return b.len == strlen(text) && !memcmp(b.data, text, b.len);
}

/* ---- what is loaded ---- */

static void run_meta(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	uint32_t key = n.of[NFTA_META_KEY];

	/* a rule that sets a mark or the like has no destination register */
	if (n.of[NFTA_META_DREG])
		set_field(m, n.of[NFTA_META_DREG],
			  key == NFT_META_L4PROTO   ? FIELD_PROTOCOL
			  : key == NFT_META_NFPROTO ? FIELD_FAMILY
						    : FIELD_UNKNOWN,
			  key == NFT_META_L4PROTO || key == NFT_META_NFPROTO ? 1
			  : key <= NFT_META_OIF				     ? 4
									     : 16,
			  0);
}

/* The header that a table or an earlier comparison says it is; 0 = not known. */
static uint8_t header_family(const struct machine *m)
{
	if (m->rule->family == NFPROTO_IPV4 || m->rule->family == NFPROTO_IPV6)
		return m->rule->family == NFPROTO_IPV4 ? AF_INET : AF_INET6;
	return m->rule->match.family;
}

static enum field network_field(uint8_t family, uint32_t offset, uint32_t len)
{
	bool is_v4 = family == AF_INET;

	if (offset == (is_v4 ? IPV4_DST : IPV6_DST) && len <= (is_v4 ? 4 : 16))
		return FIELD_DST;
	return offset == (is_v4 ? IPV4_PROTOCOL : IPV6_NEXT) && len == 1 ? FIELD_PROTOCOL
									 : FIELD_UNKNOWN;
}

static void run_payload(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	uint32_t base = n.of[NFTA_PAYLOAD_BASE], offset = n.of[NFTA_PAYLOAD_OFFSET];
	uint32_t len = n.of[NFTA_PAYLOAD_LEN];
	uint8_t family = header_family(m);
	enum field field = FIELD_UNKNOWN;

	if (base == NFT_PAYLOAD_NETWORK_HEADER && family)
		field = network_field(family, offset, len);
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset < 4 && offset + (uint64_t)len > 2)
		field = offset == 2 && len == 2 ? FIELD_DPORT : FIELD_NEAR_DPORT;
	set_field(m, n.of[NFTA_PAYLOAD_DREG], field, len < 64 ? len : 64, family);
}

static void run_fib(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	bool is_type = n.of[NFTA_FIB_RESULT] == NFT_FIB_RESULT_ADDRTYPE &&
		       n.of[NFTA_FIB_FLAGS] == NFTA_FIB_F_DADDR;

	set_field(m, n.of[NFTA_FIB_DREG], is_type ? FIELD_DST_TYPE : FIELD_UNKNOWN, 4, 0);
}

/* Leaves everything as it is when the verdict is to go on. */
static void read_verdict(struct attribute_list l, enum nft_verdict *verdict, bool *is_goto,
			 struct pv_bytes *to_chain)
{
	int32_t code = (int32_t)numbers_in(l).of[NFTA_VERDICT_CODE];
	struct attribute_value v;

	if (code == NFT_CONTINUE || code == NFT_BREAK)
		return;
	*is_goto = code == NFT_GOTO;
	if (code != NFT_JUMP && code != NFT_GOTO) {
		*verdict = NFT_ENDS;
	} else if (find_attribute(l, NFTA_VERDICT_CHAIN, &v)) {
		*verdict = NFT_LEADS_TO_CHAIN;
		*to_chain = text_of(&v);
	}
}

static void run_immediate(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	struct attribute_value v, verdict;

	if (n.of[NFTA_IMMEDIATE_DREG] != NFT_REG_VERDICT) {
		if (find_data(l, NFTA_IMMEDIATE_DATA, &v))
			set_bytes(m, n.of[NFTA_IMMEDIATE_DREG], &v);
		return;
	}
	if (!find_attribute(l, NFTA_IMMEDIATE_DATA, &v) ||
	    !find_attribute(attributes_in(&v), NFTA_DATA_VERDICT, &verdict))
		return;
	read_verdict(attributes_in(&verdict), &m->rule->verdict, &m->rule->is_goto,
		     &m->rule->to_chain);
}

/* A mask narrows a field, and makes nothing else that is known. */
static void run_bitwise(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	unsigned at = register_at(n.of[NFTA_BITWISE_SREG]);
	struct attribute_value mask, flip;
	uint32_t len = n.of[NFTA_BITWISE_LEN];
	bool is_mask = at < N_REGISTERS && m->registers[at].field == FIELD_DST &&
		       n.of[NFTA_BITWISE_SREG] == n.of[NFTA_BITWISE_DREG] &&
		       find_data(l, NFTA_BITWISE_MASK, &mask) &&
		       find_data(l, NFTA_BITWISE_XOR, &flip) && mask.len == len && len <= 16 &&
		       at + (len + 3) / 4 <= N_REGISTERS && flip.len == len;

	for (size_t i = 0; is_mask && i < len; i++)
		is_mask = ((const uint8_t *)flip.data)[i] == 0;
	if (!is_mask) {
		set_field(m, n.of[NFTA_BITWISE_DREG],
			  is_of_port(m, at) ? FIELD_NEAR_DPORT : FIELD_UNKNOWN, len < 64 ? len : 64,
			  0);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		m->registers[at + i / 4].is_masked = true;
		m->registers[at + i / 4].bytes[i % 4] = ((const uint8_t *)mask.data)[i];
	}
}

/* ---- what is compared ---- */

/* Bits set from the left on, if there are no others; 255 = there are. */
static uint8_t prefix_of(const uint8_t *mask, size_t len)
{
	uint8_t n = 0;

	while (n < 8 * len && mask[n / 8] >> (7 - n % 8) & 1)
		n++;
	for (size_t i = n; i < 8 * len; i++)
		if (mask[i / 8] >> (7 - i % 8) & 1)
			return UINT8_MAX;
	return n;
}

static bool match_dst(struct machine *m, unsigned at, const struct attribute_value *v)
{
	const struct nft_register *r = &m->registers[at];
	struct nft_match *match = &m->rule->match;
	uint8_t mask[16], prefix = (uint8_t)(8 * r->len);

	if (v->len != r->len || r->len > 16 || match->dst_prefix)
		return false;
	for (size_t i = 0; r->is_masked && i < r->len; i++)
		mask[i] = m->registers[at + i / 4].bytes[i % 4];
	if (r->is_masked)
		prefix = prefix_of(mask, r->len);
	if (!prefix || prefix == UINT8_MAX)
		return false;
	memcpy(match->dst, v->data, v->len);
	match->dst_prefix = prefix;
	match->family = r->family;
	return true;
}

static bool match_port(struct nft_match *match, uint32_t op, const struct attribute_value *v)
{
	/* each operator, as a range that ends at the port or begins there, or all but that */
	static const struct {
		bool is_from, is_to, is_inverse;
	} operators[] = {
		[NFT_CMP_EQ] = { true, true, false }, [NFT_CMP_NEQ] = { true, true, true },
		[NFT_CMP_LT] = { true, false, true }, [NFT_CMP_LTE] = { false, true, false },
		[NFT_CMP_GT] = { false, true, true }, [NFT_CMP_GTE] = { true, false, false },
	};
	struct port_set by;
	uint16_t port;

	if (!attribute_be16(v, &port) || op >= sizeof(operators) / sizeof(*operators))
		return false;
	by = ports_of(operators[op].is_from ? port : 0, operators[op].is_to ? port : UINT16_MAX);
	return ports_narrow(&match->ports, &by, operators[op].is_inverse);
}

static bool match_port_range(struct nft_match *match, bool is_inverse,
			     const struct attribute_value *from, const struct attribute_value *to)
{
	uint16_t first, last;
	struct port_set by;

	if (!attribute_be16(from, &first) || !attribute_be16(to, &last))
		return false;
	by = ports_of(first, last);
	return ports_narrow(&match->ports, &by, is_inverse);
}

/* There is a condition on this register, and what it says has no place in the match. */
static void miss(struct machine *m, unsigned at)
{
	m->rule->match.is_partial = true;
	m->rule->match.is_port_unsure |= is_of_port(m, at);
}

static bool match_family(struct nft_match *match, uint8_t nfproto)
{
	match->family = nfproto == NFPROTO_IPV4 ? AF_INET : nfproto == NFPROTO_IPV6 ? AF_INET6 : 0;
	return match->family != 0;
}

/* false: a condition that the match has no place for */
static bool compare(struct machine *m, unsigned at, uint32_t op, const struct attribute_value *v)
{
	struct nft_match *match = &m->rule->match;
	const uint8_t *b = v->data;
	uint32_t type;

	if (m->registers[at].field == FIELD_DPORT)
		return match_port(match, op, v);
	if (op != NFT_CMP_EQ || !v->len)
		return false;
	switch (m->registers[at].field) {
	case FIELD_PROTOCOL:
		match->protocol = b[0];
		return true;
	case FIELD_FAMILY:
		return match_family(match, b[0]);
	case FIELD_DST:
		return match_dst(m, at, v);
	case FIELD_DST_TYPE:
		/* in the order of the machine */
		match->is_dst_local = attribute_copy(v, &type, sizeof(type)) && type == RTN_LOCAL;
		return match->is_dst_local;
	default:
		return false;
	}
}

static void run_cmp(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	unsigned at = register_at(n.of[NFTA_CMP_SREG]);
	struct attribute_value v;

	if (at >= N_REGISTERS || !find_data(l, NFTA_CMP_DATA, &v) ||
	    !compare(m, at, n.of[NFTA_CMP_OP], &v))
		miss(m, at);
}

static void run_range(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	unsigned at = register_at(n.of[NFTA_RANGE_SREG]);
	struct attribute_value from, to;

	if (at >= N_REGISTERS || m->registers[at].field != FIELD_DPORT ||
	    !find_data(l, NFTA_RANGE_FROM_DATA, &from) || !find_data(l, NFTA_RANGE_TO_DATA, &to) ||
	    !match_port_range(&m->rule->match, n.of[NFTA_RANGE_OP] != NFT_RANGE_EQ, &from, &to))
		miss(m, at);
}

static void compare_part(struct machine *m, unsigned at, const struct nft_element *e, size_t pos)
{
	const struct nft_register *r = &m->registers[at];
	struct attribute_value first = { .data = e->key.data + pos, .len = r->len };
	struct attribute_value last = { .data = e->last.data + pos, .len = r->len };
	bool is_range = e->last.len && memcmp(first.data, last.data, r->len) != 0;

	if (!is_range ? !compare(m, at, NFT_CMP_EQ, &first)
		      : r->field != FIELD_DPORT ||
				!match_port_range(&m->rule->match, false, &first, &last))
		miss(m, at);
}

/* A key of unknown length begins there. */
static void miss_key(struct machine *m, unsigned at)
{
	for (unsigned i = at; i < N_REGISTERS; i++)
		miss(m, i);
	m->rule->match.is_partial = true;
}

/* Each part of a key begins a register of its own. */
static void compare_key(struct machine *m, uint32_t number, const struct nft_element *e)
{
	unsigned at = register_at(number);

	if (e->is_catchall)
		miss_key(m, at);
	for (size_t pos = 0; pos < e->key.len && !e->is_catchall;) {
		size_t len = at < N_REGISTERS ? m->registers[at].len : 0;

		if (!len || pos + len > e->key.len || (e->last.len && e->last.len != e->key.len)) {
			miss_key(m, at);
			return;
		}
		compare_part(m, at, e, pos);
		at += (unsigned)(len + 3) / 4;
		pos += (len + 3) / 4 * 4;
	}
}

static void load_element(struct machine *m, uint32_t number, const struct nft_element *e)
{
	struct attribute_value v = { .data = e->data.data, .len = e->data.len };

	if (number != NFT_REG_VERDICT) {
		set_bytes(m, number, &v);
	} else if (e->verdict != NFT_LEADS_NOWHERE) {
		m->rule->verdict = e->verdict;
		m->rule->is_goto = e->is_goto;
		m->rule->to_chain = e->to_chain;
	}
}

static bool has_known(const struct machine *m, unsigned at)
{
	for (; at < N_REGISTERS; at++)
		if (m->registers[at].field != FIELD_UNKNOWN)
			return true;
	return false;
}

/* Without an element, what a set or map says of the packet is not known. */
static void run_lookup(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	struct nft_rule *rule = m->rule;
	struct attribute_value name, v;
	bool is_map = find_attribute(l, NFTA_LOOKUP_DREG, &v);
	bool is_inverse = n.of[NFTA_LOOKUP_FLAGS] & NFT_LOOKUP_F_INV;
	/* elements of a set of senders' addresses tell nothing more */
	bool is_key_known = has_known(m, register_at(n.of[NFTA_LOOKUP_SREG]));
	struct pv_bytes set = { "", 0 };

	if (find_attribute(l, NFTA_LOOKUP_SET, &name) && !is_inverse)
		set = text_of(&name);
	if (m->element && set.len && set.len == m->lookup.len &&
	    !memcmp(set.data, m->lookup.data, set.len)) {
		compare_key(m, n.of[NFTA_LOOKUP_SREG], m->element);
		if (is_map)
			load_element(m, n.of[NFTA_LOOKUP_DREG], m->element);
		m->element = NULL;
		return;
	}
	miss_key(m, register_at(n.of[NFTA_LOOKUP_SREG]));
	if (n.of[NFTA_LOOKUP_DREG])
		set_field(m, n.of[NFTA_LOOKUP_DREG], FIELD_UNKNOWN, 20, 0);
	/* where there are several a map tells more than a set */
	if (set.len && (!rule->lookup.len || (is_map && !rule->is_map)) &&
	    (is_map || is_key_known)) {
		rule->lookup = set;
		rule->is_map = is_map;
	}
}

static void run_condition(struct machine *m, struct attribute_list l)
{
	(void)l;
	m->rule->match.is_partial = true;
}

static void run_nothing(struct machine *m, struct attribute_list l)
{
	(void)m, (void)l;
}

/* Loads what is not known, into a register that each kind of expression tells in another way. */
static void run_load(struct machine *m, struct attribute_list l)
{
	(void)l;
	memset(m->registers, 0, sizeof(m->registers));
}

/* What a flow was like before it was translated. */
static void run_ct(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);

	run_load(m, l);
	if (n.of[NFTA_CT_KEY] == NFT_CT_PROTO_DST)
		set_field(m, n.of[NFTA_CT_DREG], FIELD_NEAR_DPORT, 2, 0);
}

/* ---- where it leads ---- */

static void take_ports(struct machine *m, uint32_t first, uint32_t last)
{
	uint8_t from[2], to[2];

	if (!first)
		return;
	m->rule->has_ports = true;
	if (!get_bytes(m, first, from, 2) || !get_bytes(m, last ? last : first, to, 2)) {
		m->rule->is_unknown = true;
		return;
	}
	m->rule->first_port = port_of(from);
	m->rule->last_port = port_of(to);
}

static void run_nat(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);
	uint32_t first = n.of[NFTA_NAT_REG_ADDR_MIN], last = n.of[NFTA_NAT_REG_ADDR_MAX];
	uint32_t family = n.of[NFTA_NAT_FAMILY];
	size_t len = family == NFPROTO_IPV4 ? 4 : 16;
	struct nft_rule *rule = m->rule;

	if (n.of[NFTA_NAT_TYPE] != NFT_NAT_DNAT)
		return;
	rule->verdict = NFT_LEADS_TO_ADDRESS;
	rule->has_address = first != 0;
	if (first) {
		rule->to_family = family == NFPROTO_IPV4 ? AF_INET : AF_INET6;
		if (!get_bytes(m, first, rule->first_addr, len) ||
		    !get_bytes(m, last ? last : first, rule->last_addr, len))
			rule->is_unknown = true;
	}
	take_ports(m, n.of[NFTA_NAT_REG_PROTO_MIN], n.of[NFTA_NAT_REG_PROTO_MAX]);
}

static void run_redir(struct machine *m, struct attribute_list l)
{
	struct numbers n = numbers_in(l);

	m->rule->verdict = NFT_LEADS_TO_ADDRESS;
	m->rule->is_redirect = true;
	take_ports(m, n.of[NFTA_REDIR_REG_PROTO_MIN], n.of[NFTA_REDIR_REG_PROTO_MAX]);
}

/* ---- matches and targets of x_tables ---- */

static void run_match(struct machine *m, struct attribute_list l)
{
	struct attribute_value name, info;

	if (find_attribute(l, NFTA_MATCH_NAME, &name) && find_attribute(l, NFTA_MATCH_INFO, &info))
		xtables_match(&m->rule->match, text_of(&name), numbers_in(l).of[NFTA_MATCH_REV],
			      &info);
	else
		m->rule->match.is_partial = m->rule->match.is_port_unsure = true;
}

static void run_target(struct machine *m, struct attribute_list l)
{
	struct attribute_value name, info;

	if (find_attribute(l, NFTA_TARGET_NAME, &name) &&
	    find_attribute(l, NFTA_TARGET_INFO, &info))
		xtables_target(m->rule, text_of(&name), numbers_in(l).of[NFTA_TARGET_REV], &info);
}

/* ---- rules ---- */

static const struct {
	const char *name;
	void (*run)(struct machine *m, struct attribute_list l);
} expressions[] = {
	{ "bitwise", run_bitwise },	{ "byteorder", run_load },  { "cmp", run_cmp },
	{ "comment", run_nothing },	{ "counter", run_nothing }, { "ct", run_ct },
	{ "exthdr", run_load },		{ "fib", run_fib },	    { "hash", run_load },
	{ "immediate", run_immediate }, { "log", run_nothing },	    { "lookup", run_lookup },
	{ "match", run_match },		{ "meta", run_meta },	    { "nat", run_nat },
	{ "notrack", run_nothing },	{ "numgen", run_load },	    { "payload", run_payload },
	{ "range", run_range },		{ "redir", run_redir },	    { "rt", run_load },
	{ "socket", run_load },		{ "target", run_target },   { "xfrm", run_load },
};

static void run_expression(struct machine *m, const struct attribute_value *element)
{
	struct attribute_value name, data;
	const char *end = "";
	struct attribute_list none = { end, end };
	size_t i = 0;

	if (!find_attribute(attributes_in(element), NFTA_EXPR_NAME, &name))
		return;
	while (i < sizeof(expressions) / sizeof(*expressions) &&
	       !is_text(&name, expressions[i].name))
		i++;
	if (i == sizeof(expressions) / sizeof(*expressions)) {
		run_condition(m, none);
		return;
	}
	expressions[i].run(m, find_attribute(attributes_in(element), NFTA_EXPR_DATA, &data)
				      ? attributes_in(&data)
				      : none);
}

static bool read_rule(struct attribute_list l, const struct nft_element *element,
		      struct pv_bytes lookup, struct nft_rule *rule)
{
	struct machine m = { .rule = rule, .element = element, .lookup = lookup };
	struct attribute_value v, list;
	bool has_list = false;

	rule->match.ports = PORTS_ANY;
	while (attribute_next(&l, &v)) {
		if (v.type == NFTA_RULE_TABLE)
			rule->table = text_of(&v);
		else if (v.type == NFTA_RULE_CHAIN)
			rule->chain = text_of(&v);
		else if (v.type == NFTA_RULE_EXPRESSIONS && (has_list = true))
			list = v;
	}
	if (!attributes_ended(&l) || !rule->table.len || !rule->chain.len)
		return false;
	if (!has_list)
		return true;
	l = attributes_in(&list);
	while (attribute_next(&l, &v))
		if (v.type == NFTA_LIST_ELEM)
			run_expression(&m, &v);
	return attributes_ended(&l);
}

void nft_rule_with(const struct nft_rule *rule, const struct nft_element *element,
		   struct nft_rule *ret_rule)
{
	struct nft_rule r = { .family = rule->family };

	/* it was sound when it was read first */
	(void)read_rule(attributes_of(rule->message.data, rule->message.len), element, rule->lookup,
			&r);
	r.table = rule->table;
	r.chain = rule->chain;
	*ret_rule = r;
}

/* ---- elements ---- */

static struct pv_bytes value_of(const struct attribute_value *v)
{
	return (struct pv_bytes){ v->data, v->len <= NFT_ELEMENT_MAX ? (uint32_t)v->len : 0 };
}

static void read_element(struct attribute_list l, struct nft_element *e)
{
	uint32_t flags = numbers_in(l).of[NFTA_SET_ELEM_FLAGS];
	const struct pv_bytes none = { "", 0 };
	struct attribute_value v;

	*e = (struct nft_element){ .key = none,
				   .last = none,
				   .data = none,
				   .to_chain = none,
				   .is_end = flags & NFT_SET_ELEM_INTERVAL_END,
				   .is_catchall = flags & NFT_SET_ELEM_CATCHALL };
	if (find_data(l, NFTA_SET_ELEM_KEY, &v))
		e->key = value_of(&v);
	if (find_data(l, NFTA_SET_ELEM_KEY_END, &v))
		e->last = value_of(&v);
	if (find_data(l, NFTA_SET_ELEM_DATA, &v))
		e->data = value_of(&v);
	else if (find_attribute(l, NFTA_SET_ELEM_DATA, &v) &&
		 find_attribute(attributes_in(&v), NFTA_DATA_VERDICT, &v))
		read_verdict(attributes_in(&v), &e->verdict, &e->is_goto, &e->to_chain);
}

static bool read_chain(struct attribute_list l, struct nft_chain *chain)
{
	struct attribute_value v;

	while (attribute_next(&l, &v)) {
		if (v.type == NFTA_CHAIN_TABLE)
			chain->table = text_of(&v);
		else if (v.type == NFTA_CHAIN_NAME)
			chain->name = text_of(&v);
		else if (v.type == NFTA_CHAIN_TYPE)
			chain->is_nat = is_text(&v, "nat");
		else if (v.type == NFTA_CHAIN_HOOK && (chain->has_hook = true))
			chain->hook = numbers_in(attributes_in(&v)).of[NFTA_HOOK_HOOKNUM];
	}
	return attributes_ended(&l) && chain->table.len && chain->name.len;
}

/* ---- messages ---- */

/* What is read, and who takes it: one of the callbacks is set. */
struct walk {
	const char *stream;
	uint8_t request, answer; /* NFT_MSG_* */
	int (*take)(const struct walk *w, uint8_t family, struct attribute_list l);
	nft_chain_fn *chain;
	nft_rule_fn *rule;
	nft_element_fn *element;
	void *userdata;
	uint64_t *malformed;
};

static int take_rule(const struct walk *w, uint8_t family, struct attribute_list l)
{
	struct nft_rule rule = { .family = family, .message = { l.p, (uint32_t)(l.end - l.p) } };

	if (!read_rule(l, NULL, (struct pv_bytes){ 0 }, &rule))
		++*w->malformed;
	else if (rule.verdict != NFT_LEADS_NOWHERE || rule.is_map)
		return w->rule(w->userdata, &rule);
	return 0;
}

static int take_chain(const struct walk *w, uint8_t family, struct attribute_list l)
{
	struct nft_chain chain = { .family = family };

	if (!read_chain(l, &chain))
		++*w->malformed;
	else
		return w->chain(w->userdata, &chain);
	return 0;
}

static int take_elements(const struct walk *w, uint8_t family, struct attribute_list l)
{
	struct attribute_value list, v;
	struct nft_element e;
	int r = 0;

	(void)family;
	if (!find_attribute(l, NFTA_SET_ELEM_LIST_ELEMENTS, &list))
		return 0;
	l = attributes_in(&list);
	while (r >= 0 && attribute_next(&l, &v)) {
		read_element(attributes_in(&v), &e);
		r = w->element(w->userdata, &e);
	}
	*w->malformed += r >= 0 && !attributes_ended(&l);
	return r < 0 ? r : 0;
}

static struct walk walk_of_chains(nft_chain_fn *chain, void *userdata, uint64_t *malformed)
{
	return (struct walk){ .stream = "nft-chains",
			      .request = NFT_MSG_GETCHAIN,
			      .answer = NFT_MSG_NEWCHAIN,
			      .take = take_chain,
			      .chain = chain,
			      .userdata = userdata,
			      .malformed = malformed };
}

static struct walk walk_of_rules(nft_rule_fn *rule, void *userdata, uint64_t *malformed)
{
	return (struct walk){ .stream = "nft-rules",
			      .request = NFT_MSG_GETRULE,
			      .answer = NFT_MSG_NEWRULE,
			      .take = take_rule,
			      .rule = rule,
			      .userdata = userdata,
			      .malformed = malformed };
}

static struct walk walk_of_elements(nft_element_fn *element, void *userdata, uint64_t *malformed)
{
	return (struct walk){ .stream = "nft-set",
			      .request = NFT_MSG_GETSETELEM,
			      .answer = NFT_MSG_NEWSETELEM,
			      .take = take_elements,
			      .element = element,
			      .userdata = userdata,
			      .malformed = malformed };
}

static int take_message(const struct walk *w, const struct nlmsghdr *nlh)
{
	int type = NFNL_SUBSYS_NFTABLES << 8 | w->answer;
	const char *fixed = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	struct nfgenmsg g;

	if (nlh->nlmsg_type != type || len < sizeof(g)) {
		++*w->malformed;
		return 0;
	}
	memcpy(&g, fixed, sizeof(g));
	return w->take(w, g.nfgen_family, attributes_of(fixed + sizeof(g), len - sizeof(g)));
}

static int walk(const struct walk *w, const void *data, size_t len)
{
	const struct nlmsghdr *nlh = data;
	size_t left = len;

	if ((uintptr_t)data % MNL_ALIGNTO)
		return -EINVAL;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		int r = nlh->nlmsg_type < NLMSG_MIN_TYPE ? 0 : take_message(w, nlh);

		if (r < 0)
			return r;
	}
	*w->malformed += left > 0;
	return 0;
}

int nft_chains_parse(const void *data, size_t len, nft_chain_fn *chain, void *userdata,
		     uint64_t *malformed)
{
	struct walk w = walk_of_chains(chain, userdata, malformed);

	return walk(&w, data, len);
}

int nft_rules_parse(const void *data, size_t len, nft_rule_fn *rule, void *userdata,
		    uint64_t *malformed)
{
	struct walk w = walk_of_rules(rule, userdata, malformed);

	return walk(&w, data, len);
}

int nft_elements_parse(const void *data, size_t len, nft_element_fn *element, void *userdata,
		       uint64_t *malformed)
{
	struct walk w = walk_of_elements(element, userdata, malformed);

	return walk(&w, data, len);
}

static int take_datagram(void *userdata, const struct netlink_datagram *d)
{
	return walk(userdata, d->data, d->len);
}

/* `of` is the rule whose set is asked for, or NULL. */
static int dump(struct tape *t, int fd, const char *suffix, const struct nft_rule *of,
		struct walk *w)
{
	_Alignas(struct nlmsghdr) char request[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct netlink_stream stream = { NULL, request, 0, take_datagram, w };
	struct netlink_dump_result result;
	char name[STREAM_NAME_MAX];
	struct nfgenmsg *g;
	int r;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | w->request);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = SEQUENCE;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->nfgen_family = of ? of->family : NFPROTO_UNSPEC;
	g->version = NFNETLINK_V0;
	if (of) {
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, of->table.data);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, of->lookup.data);
	}
	stream.len = nlh->nlmsg_len;
	snprintf(name, sizeof(name), "%s%s", w->stream, suffix);
	stream.name = name;
	r = netlink_read_stream(t, fd, &stream, &result);
	return r == NETLINK_REFUSED ? result.error : r;
}

int nft_chains_read(struct tape *t, int fd, const char *suffix, nft_chain_fn *chain, void *userdata,
		    uint64_t *malformed)
{
	struct walk w = walk_of_chains(chain, userdata, malformed);

	return dump(t, fd, suffix, NULL, &w);
}

int nft_rules_read(struct tape *t, int fd, const char *suffix, nft_rule_fn *rule, void *userdata,
		   uint64_t *malformed)
{
	struct walk w = walk_of_rules(rule, userdata, malformed);

	return dump(t, fd, suffix, NULL, &w);
}

int nft_elements_read(struct tape *t, int fd, const char *suffix, const struct nft_rule *rule,
		      nft_element_fn *element, void *userdata, uint64_t *malformed)
{
	struct walk w = walk_of_elements(element, userdata, malformed);

	/* longer than any name of the kernel's */
	if (rule->table.len > NAME_MAX_NFT || rule->lookup.len > NAME_MAX_NFT)
		return -EINVAL;
	return dump(t, fd, suffix, rule, &w);
}
