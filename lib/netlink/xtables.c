/* SPDX-License-Identifier: MIT */
/*
 * A table is entries one after the other: conditions, matches, a target. Chains are runs of them:
 * those of hooks begin where the table's head says, others behind an entry whose target "ERROR"
 * holds their name. A jump names the offset of the first entry of a chain.
 */
#include "netlink/xtables.h"

/* before those of the kernel, which then leave out what is in it */
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"

#define TABLE_MAX (16u << 20)

static bool is_text(struct pv_bytes b, const char *text)
{
	return b.len == strlen(text) && !memcmp(b.data, text, b.len);
}

/* ---- matches and targets ---- */

static bool is_any_range(const uint16_t range[2])
{
	return range[0] == 0 && range[1] == UINT16_MAX;
}

/* tcp and udp begin alike: source ports, destination ports, in the order of the machine. */
static bool match_xt_ports(struct nft_match *match, const struct attribute_value *info,
			   uint8_t protocol)
{
	struct xt_tcp tcp = { .flg_mask = 0 };
	struct xt_udp udp;
	bool is_tcp = protocol == IPPROTO_TCP;
	struct port_set ports;

	if (info->len < (is_tcp ? sizeof(tcp) : sizeof(udp)))
		return false;
	memcpy(is_tcp ? (void *)&tcp : (void *)&udp, info->data,
	       is_tcp ? sizeof(tcp) : sizeof(udp));
	if (!is_tcp) {
		memcpy(tcp.spts, udp.spts, sizeof(tcp.spts));
		memcpy(tcp.dpts, udp.dpts, sizeof(tcp.dpts));
		tcp.option = 0;
		tcp.invflags = udp.invflags;
	}
	match->protocol = protocol;
	ports = ports_of(tcp.dpts[0], tcp.dpts[1]);
	if (!ports_narrow(&match->ports, &ports, tcp.invflags & XT_TCP_INV_DSTPT))
		match->is_port_unsure = true;
	return is_any_range(tcp.spts) && !tcp.option && !tcp.flg_mask && !match->is_port_unsure &&
	       !(tcp.invflags & ~XT_TCP_INV_DSTPT);
}

/* false: it has conditions that are not known, or too many. */
static bool match_xt_multiport(struct nft_match *match, const struct attribute_value *info,
			       uint32_t revision)
{
	struct xt_multiport_v1 v = { 0 };
	size_t size = revision == 0 ? sizeof(struct xt_multiport) : sizeof(v);
	struct port_set by = { .n = 0 };
	bool is_read = revision <= 1 && info->len >= size;

	if (is_read)
		memcpy(&v, info->data, size);
	is_read &= v.count <= XT_MULTI_PORTS;
	if (is_read && v.flags == XT_MULTIPORT_SOURCE)
		return false;
	for (unsigned i = 0; is_read && i < v.count; i++) {
		unsigned last = v.pflags[i] && i + 1U < v.count ? i + 1 : i;

		is_read = ports_add(&by, v.ports[i], v.ports[last]);
		i = last;
	}
	if (is_read && v.flags == XT_MULTIPORT_DESTINATION &&
	    ports_narrow(&match->ports, &by, v.invert))
		return true;
	match->is_port_unsure = true;
	return false;
}

/* Revision 0 and 1 begin alike. */
static bool match_xt_addrtype(struct nft_match *match, const struct attribute_value *info)
{
	const struct xt_addrtype_info_v1 only_local = { .dest = XT_ADDRTYPE_LOCAL };
	struct xt_addrtype_info_v1 v;

	if (info->len < sizeof(v))
		return false;
	memcpy(&v, info->data, sizeof(v));
	match->is_dst_local = !memcmp(&v, &only_local, sizeof(v));
	return match->is_dst_local;
}

/* Revisions 1 to 3 have their flags at one place. What it says has none in a match. */
static bool match_xt_conntrack(struct nft_match *match, const struct attribute_value *info,
			       uint32_t revision)
{
	size_t at = offsetof(struct xt_conntrack_mtinfo3, match_flags);
	uint16_t flags = UINT16_MAX;

	if (revision >= 1 && revision <= 3 && info->len >= at + sizeof(flags))
		memcpy(&flags, (const char *)info->data + at, sizeof(flags));
	match->is_port_unsure |= flags & (XT_CONNTRACK_ORIGDST_PORT | XT_CONNTRACK_REPLSRC_PORT);
	return false;
}

/* Matches that say nothing of ports. */
static bool is_of_other_things(struct pv_bytes name)
{
	static const char *const names[] = {
		"addrtype", "cgroup",  "comment",  "connbytes", "connlabel", "connlimit",
		"connmark", "cpu",     "devgroup", "dscp",	"hashlimit", "helper",
		"iprange",  "length",  "limit",	   "mac",	"mark",	     "owner",
		"physdev",  "pkttype", "policy",   "quota",	"realm",     "recent",
		"rpfilter", "socket",  "state",	   "statistic", "tcpmss",    "time",
		"tos",	    "ttl",     "hl",	   "icmp",	"icmp6",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_text(name, names[i]))
			return true;
	return false;
}

void xtables_match(struct nft_match *match, struct pv_bytes name, uint32_t revision,
		   const struct attribute_value *info)
{
	bool is_known;

	if (is_text(name, "tcp") || is_text(name, "udp"))
		is_known = match_xt_ports(match, info,
					  is_text(name, "tcp") ? IPPROTO_TCP : IPPROTO_UDP);
	else if (is_text(name, "addrtype"))
		is_known = match_xt_addrtype(match, info);
	else if (is_text(name, "multiport"))
		is_known = match_xt_multiport(match, info, revision);
	else if (is_text(name, "conntrack"))
		is_known = match_xt_conntrack(match, info, revision);
	else {
		is_known = is_text(name, "comment");
		match->is_port_unsure |= !is_of_other_things(name);
	}
	if (!is_known)
		match->is_partial = true;
}

struct xt_range {
	uint32_t flags;
	uint8_t first_addr[16], last_addr[16];
	uint8_t first_port[2], last_port[2];
};

/* Revision 0 of the IPv4 targets has a structure of its own; the others begin alike. */
static bool read_xt_range(const struct attribute_value *info, bool is_v4_only, struct xt_range *r)
{
	struct nf_nat_ipv4_multi_range_compat old;
	struct nf_nat_range range;

	*r = (struct xt_range){ 0 };
	if (info->len < (is_v4_only ? sizeof(old) : sizeof(range)))
		return false;
	if (is_v4_only) {
		memcpy(&old, info->data, sizeof(old));
		r->flags = old.range[0].flags;
		memcpy(r->first_addr, &old.range[0].min_ip, 4);
		memcpy(r->last_addr, &old.range[0].max_ip, 4);
		memcpy(r->first_port, &old.range[0].min, 2);
		memcpy(r->last_port, &old.range[0].max, 2);
		return old.rangesize == 1;
	}
	memcpy(&range, info->data, sizeof(range));
	r->flags = range.flags;
	memcpy(r->first_addr, &range.min_addr, 16);
	memcpy(r->last_addr, &range.max_addr, 16);
	memcpy(r->first_port, &range.min_proto, 2);
	memcpy(r->last_port, &range.max_proto, 2);
	return true;
}

void xtables_target(struct nft_rule *rule, struct pv_bytes name, uint32_t revision,
		    const struct attribute_value *info)
{
	bool is_dnat = is_text(name, "DNAT"), is_redirect = is_text(name, "REDIRECT");
	struct xt_range r;

	if (!is_dnat && !is_redirect)
		return;
	rule->verdict = NFT_LEADS_TO_ADDRESS;
	rule->is_redirect = is_redirect;
	if (!read_xt_range(info, revision == 0 && rule->family == NFPROTO_IPV4, &r)) {
		rule->is_unknown = true;
		return;
	}
	rule->has_address = is_dnat && r.flags & NF_NAT_RANGE_MAP_IPS;
	rule->to_family = rule->family == NFPROTO_IPV4 ? AF_INET : AF_INET6;
	memcpy(rule->first_addr, r.first_addr, rule->to_family == AF_INET ? 4 : 16);
	memcpy(rule->last_addr, r.last_addr, rule->to_family == AF_INET ? 4 : 16);
	rule->has_ports = r.flags & NF_NAT_RANGE_PROTO_SPECIFIED;
	rule->first_port = port_of(r.first_port);
	rule->last_port = port_of(r.last_port);
}

/* ---- tables ---- */

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo),
	       "one head for both families");

/* What differs between the families. */
struct layout {
	uint8_t family;
	size_t entry, target_at, next_at; /* size of the fixed part, and of two offsets in it */
};

static const struct layout layouts[] = {
	{ NFPROTO_IPV4, sizeof(struct ipt_entry), offsetof(struct ipt_entry, target_offset),
	  offsetof(struct ipt_entry, next_offset) },
	{ NFPROTO_IPV6, sizeof(struct ip6t_entry), offsetof(struct ip6t_entry, target_offset),
	  offsetof(struct ip6t_entry, next_offset) },
};

struct table {
	const struct layout *layout;
	struct ipt_getinfo head;
	const char *entries;
	size_t len;
	struct map chains; /* offset of the first entry -> offset of the name, or HOOK + hook */
	nft_chain_fn *chain;
	nft_rule_fn *rule;
	void *userdata;
};

#define HOOK 0xf0000000u
#define NAME_LEN XT_FUNCTION_MAXNAMELEN

static const char *const hook_names[NF_INET_NUMHOOKS] = {
	"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING",
};

/* One entry, within the bounds of the table. */
struct entry {
	size_t at, next;
	const char *data; /* the fixed part */
	const char *matches;
	size_t matches_len;
	struct pv_bytes target; /* its name */
	uint8_t revision;
	struct attribute_value info; /* the data of the target */
};

static struct pv_bytes name_at(const char *p, size_t max)
{
	return (struct pv_bytes){ p, (uint32_t)strnlen(p, max) };
}

/* Matches and targets begin alike: size, name, revision. */
static bool read_part(const char *p, size_t left, struct pv_bytes *name, uint8_t *revision,
		      struct attribute_value *info, size_t *ret_size)
{
	struct xt_entry_match m;

	if (left < sizeof(m))
		return false;
	memcpy(&m, p, sizeof(m));
	if (m.u.user.match_size < sizeof(m) || m.u.user.match_size > left)
		return false;
	*name = name_at(p + offsetof(struct xt_entry_match, u.user.name), NAME_LEN);
	*revision = m.u.user.revision;
	*info = (struct attribute_value){ .data = p + sizeof(m),
					  .len = m.u.user.match_size - sizeof(m) };
	*ret_size = m.u.user.match_size;
	return true;
}

static bool read_entry(const struct table *t, size_t at, struct entry *e)
{
	const struct layout *l = t->layout;
	uint16_t target, next;
	size_t size;

	if (at > t->len || t->len - at < l->entry)
		return false;
	*e = (struct entry){ .at = at, .data = t->entries + at };
	memcpy(&target, e->data + l->target_at, sizeof(target));
	memcpy(&next, e->data + l->next_at, sizeof(next));
	if (target < l->entry || next < target || next > t->len - at)
		return false;
	e->next = at + next;
	e->matches = e->data + l->entry;
	e->matches_len = target - l->entry;
	return read_part(e->data + target, (size_t)next - target, &e->target, &e->revision,
			 &e->info, &size);
}

static bool is_chain_head(const struct entry *e)
{
	return is_text(e->target, XT_ERROR_TARGET) && e->info.len >= NAME_LEN;
}

static int find_chains(struct table *t)
{
	struct entry e;
	int r = 0;

	for (uint32_t h = 0; r == 0 && h < NF_INET_NUMHOOKS; h++)
		if (t->head.valid_hooks >> h & 1)
			r = map_put(&t->chains, t->head.hook_entry[h], HOOK + h);
	for (size_t at = 0; r == 0 && read_entry(t, at, &e); at = e.next)
		if (is_chain_head(&e))
			r = map_put(&t->chains, e.next,
				    (uint32_t)((const char *)e.info.data - t->entries));
	return r;
}

/* The chain that begins at that offset; an empty name: none does. */
static struct nft_chain chain_at(const struct table *t, uint64_t at)
{
	uint32_t where = map_get(&t->chains, at);
	struct nft_chain c = { .family = t->layout->family,
			       .table = { XTABLES_NAT, sizeof(XTABLES_NAT) - 1 },
			       .name = { "", 0 },
			       .is_nat = true };

	if (where == MAP_NONE)
		return c;
	if (where >= HOOK) {
		c.hook = where - HOOK;
		c.has_hook = true;
		c.name = name_at(hook_names[c.hook], NAME_LEN);
	} else {
		c.name = name_at(t->entries + where, NAME_LEN);
	}
	return c;
}

static bool is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

static uint8_t prefix_of(const uint8_t *mask, size_t len)
{
	uint8_t n = 0;

	while (n < 8 * len && mask[n / 8] >> (7 - n % 8) & 1)
		n++;
	return n;
}

static void match_destination(struct nft_match *match, uint8_t family, const void *dst,
			      const void *mask, size_t len)
{
	if (is_zero(mask, len))
		return;
	match->family = family;
	memcpy(match->dst, dst, len);
	match->dst_prefix = prefix_of(mask, len);
	for (size_t i = match->dst_prefix; i < 8 * len; i++)
		if (((const uint8_t *)mask)[i / 8] >> (7 - i % 8) & 1)
			match->is_partial = true;
}

/* The conditions of the fixed part. What is inverted has no place in a match. */
static void match_fixed(const struct table *t, const struct entry *e, struct nft_match *match)
{
	struct ip6t_ip6 six;
	struct ipt_ip four;

	if (t->layout->family == NFPROTO_IPV4) {
		memcpy(&four, e->data, sizeof(four));
		match->protocol = (uint8_t)four.proto;
		match_destination(match, AF_INET, &four.dst, &four.dmsk, 4);
		match->is_partial |= four.invflags || !is_zero(&four.smsk, 4) ||
				     !is_zero(four.iniface_mask, sizeof(four.iniface_mask)) ||
				     !is_zero(four.outiface_mask, sizeof(four.outiface_mask));
		return;
	}
	memcpy(&six, e->data, sizeof(six));
	match->protocol = (uint8_t)six.proto;
	match_destination(match, AF_INET6, &six.dst, &six.dmsk, 16);
	match->is_partial |= six.invflags || !is_zero(&six.smsk, 16) ||
			     !is_zero(six.iniface_mask, sizeof(six.iniface_mask)) ||
			     !is_zero(six.outiface_mask, sizeof(six.outiface_mask));
}

static void match_inverted(const struct table *t, const struct entry *e, struct nft_match *match)
{
	uint8_t flags = t->layout->family == NFPROTO_IPV4
				? (uint8_t)e->data[offsetof(struct ipt_entry, ip.invflags)]
				: (uint8_t)e->data[offsetof(struct ip6t_entry, ipv6.invflags)];

	if (flags & IPT_INV_PROTO)
		match->protocol = 0;
	if (flags & IPT_INV_DSTIP)
		match->dst_prefix = 0;
}

static bool match_parts(const struct entry *e, struct nft_match *match)
{
	for (size_t at = 0; at < e->matches_len;) {
		struct attribute_value info;
		struct pv_bytes name;
		uint8_t revision;
		size_t size;

		if (!read_part(e->matches + at, e->matches_len - at, &name, &revision, &info,
			       &size))
			return false;
		xtables_match(match, name, revision, &info);
		at += size;
	}
	return true;
}

/* A verdict of 0 and more is the offset it jumps to. */
static void read_jump(const struct table *t, const struct entry *e, struct nft_rule *rule)
{
	int32_t verdict;

	if (e->target.len || e->info.len < sizeof(verdict))
		return;
	memcpy(&verdict, e->info.data, sizeof(verdict));
	if (verdict < 0) {
		rule->verdict = NFT_ENDS;
		return;
	}
	rule->to_chain = chain_at(t, (uint32_t)verdict).name;
	if (rule->to_chain.len)
		rule->verdict = NFT_LEADS_TO_CHAIN;
}

static int take_entry(const struct table *t, const struct entry *e, struct pv_bytes chain,
		      uint64_t *malformed)
{
	struct nft_rule rule = { .family = t->layout->family,
				 .table = { XTABLES_NAT, sizeof(XTABLES_NAT) - 1 },
				 .chain = chain,
				 .lookup = { "", 0 },
				 .message = { "", 0 } };

	rule.match.ports = PORTS_ANY;
	match_fixed(t, e, &rule.match);
	match_inverted(t, e, &rule.match);
	if (!match_parts(e, &rule.match)) {
		++*malformed;
		return 0;
	}
	read_jump(t, e, &rule);
	xtables_target(&rule, e->target, e->revision, &e->info);
	return rule.verdict == NFT_LEADS_NOWHERE ? 0 : t->rule(t->userdata, &rule);
}

static int take_entries(const struct table *t, uint64_t *malformed)
{
	struct pv_bytes chain = { "", 0 };
	struct entry e;
	size_t at = 0;
	int r = 0;

	for (; r >= 0 && read_entry(t, at, &e); at = e.next) {
		struct nft_chain begins = chain_at(t, at);

		if (begins.name.len) {
			chain = begins.name;
			r = t->chain(t->userdata, &begins);
		}
		if (r >= 0 && chain.len && !is_chain_head(&e))
			r = take_entry(t, &e, chain, malformed);
	}
	*malformed += r >= 0 && at != t->len;
	return r < 0 ? r : 0;
}

int xtables_parse(const void *data, size_t len, bool is_v6, nft_chain_fn *chain, nft_rule_fn *rule,
		  void *userdata, uint64_t *malformed)
{
	struct table t = { .layout = &layouts[is_v6],
			   .chains = MAP_INIT,
			   .chain = chain,
			   .rule = rule,
			   .userdata = userdata };
	int r;

	if (len < sizeof(t.head) || len - sizeof(t.head) > TABLE_MAX) {
		++*malformed;
		return 0;
	}
	memcpy(&t.head, data, sizeof(t.head));
	t.entries = (const char *)data + sizeof(t.head);
	t.len = len - sizeof(t.head);
	r = find_chains(&t);
	if (r == 0)
		r = take_entries(&t, malformed);
	map_deinit(&t.chains);
	return r;
}

/* ---- the kernel ---- */

/* Head and entries behind each other in *b. -EAGAIN: it grew in between. */
static int get_table(int fd, bool is_v6, struct buf *b)
{
	int level = is_v6 ? SOL_IPV6 : SOL_IP;
	struct ipt_getinfo head = { .name = "nat" };
	_cleanup_(cleanup_free) struct ipt_get_entries *get = NULL;
	socklen_t len = sizeof(head);

	if (getsockopt(fd, level, IPT_SO_GET_INFO, &head, &len) < 0)
		return -errno;
	if (head.size > TABLE_MAX)
		return -E2BIG;
	len = (socklen_t)(sizeof(*get) + head.size);
	get = calloc(1, len);
	if (!get)
		return -ENOMEM;
	memcpy(get->name, head.name, sizeof(get->name));
	get->size = head.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, get, &len) < 0)
		return -errno;
	buf_put(b, &head, sizeof(head));
	buf_put(b, get->entrytable, head.size);
	return buf_error(b);
}

static int get_live(bool is_v6, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd =
		socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = -EAGAIN;

	if (fd < 0)
		return -errno;
	for (int i = 0; r == -EAGAIN && i < 5; i++)
		r = get_table(fd, is_v6, b);
	return r;
}

int xtables_read(struct tape *t, bool is_v6, nft_chain_fn *chain, nft_rule_fn *rule, void *userdata,
		 uint64_t *malformed)
{
	const char *name = is_v6 ? "ip6tables-nat" : "iptables-nat";
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = t->mode == TAPE_REPLAY ? tape_stream_get(t, name, &b) : get_live(is_v6, &b);

	if (t->mode != TAPE_REPLAY && r < 0)
		tape_stream_fail(t, name, r);
	else if (t->mode != TAPE_REPLAY)
		tape_stream_put(t, name, b.data, b.len);
	return r < 0 ? r
		     : xtables_parse(b.data ? b.data : "", b.len, is_v6, chain, rule, userdata,
				     malformed);
}
