/* SPDX-License-Identifier: MIT */
/*
 * Host and port specifications: [FAMILY:]ADDRESS[:PORT] and [FAMILY:][:]PORT, as ss reads them.
 *
 * Host names are not looked up: a filter must give the same answer at once, on any machine and for
 * a recording. The names of the loopback addresses, which no resolver decides, are known.
 */
#include "filter/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <portavoz/registry.h>

#define WANT_ADDRESS "an address or prefix such as 192.0.2.0/24 or [2001:db8::1]:443, or *"
#define WANT_PORT "a number from 0 to 65535, FIRST-LAST, a service name or *"

struct ports {
	bool is_any;
	size_t n;
	struct range ranges[FILTER_RANGES_MAX];
};

struct host {
	uint8_t family; /* AF_UNSPEC: any */
	bool has_number, has_ifname, has_glob;
	uint32_t number; /* ethernet protocol, netlink protocol or CID */
	size_t n_nets;
	struct net nets[2];
	struct glob glob;
	struct ports ports;
};

/* A piece of a word's text. */
struct span {
	const char *text;
	size_t len;
};

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.text, text, s.len);
}

static struct span span_from(struct span s, size_t n)
{
	return (struct span){ s.text + n, s.len - n };
}

static const struct family_prefix {
	const char *prefix;
	uint8_t family;
} family_prefixes[] = {
	{ "inet:", AF_INET },	{ "inet6:", AF_INET6 },	    { "unix:", AF_UNIX },
	{ "link:", AF_PACKET }, { "netlink:", AF_NETLINK }, { "vsock:", AF_VSOCK },
};

/* Takes a family prefix off; returns its length, 0 when there is none. */
static size_t take_family(struct span *s, uint8_t *family)
{
	for (size_t i = 0; i < sizeof(family_prefixes) / sizeof(*family_prefixes); i++) {
		size_t n = strlen(family_prefixes[i].prefix);

		if (s->len >= n && !memcmp(s->text, family_prefixes[i].prefix, n)) {
			*family = family_prefixes[i].family;
			*s = span_from(*s, n);
			return n;
		}
	}
	return 0;
}

/* Ports */

static void add_range(struct range ranges[static FILTER_RANGES_MAX], size_t *n,
		      const struct pv_service *row)
{
	for (size_t i = 0; i < *n && i < FILTER_RANGES_MAX; i++) {
		if (ranges[i].first == row->first && ranges[i].last == row->last) {
			ranges[i].transports |= UINT32_C(1) << row->transport;
			return;
		}
	}
	if (*n < FILTER_RANGES_MAX)
		ranges[*n] = (struct range){ row->first, row->last, UINT32_C(1) << row->transport };
	++*n;
}

size_t service_ranges(const char *name, struct range ranges[static FILTER_RANGES_MAX])
{
	const struct pv_service *row;
	size_t cursor = 0, n = 0;

	while ((row = pv_service_next_by_name(name, &cursor)))
		add_range(ranges, &n, row);
	return n <= FILTER_RANGES_MAX ? n : FILTER_RANGES_MAX + 1;
}

/* NUMBER or FIRST-LAST; false when it is neither or too big. */
static bool parse_port_numbers(struct span s, uint64_t max, struct range *ret)
{
	const char *dash = memchr(s.text, '-', s.len);
	size_t n = dash ? (size_t)(dash - s.text) : s.len;

	*ret = (struct range){ 0 };
	if (!parse_number(s.text, n, max, &ret->first))
		return false;
	ret->last = ret->first;
	if (!dash)
		return true;
	return parse_number(dash + 1, s.len - n - 1, max, &ret->last) && ret->first <= ret->last;
}

static bool is_numeric(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.text[i] < '0' || s.text[i] > '9') && s.text[i] != '-')
			return false;
	return s.len > 0;
}

/* A port without its colon. 0, 1 = it is none, for the caller to report, or 2 = too many. */
static int read_port(uint8_t family, struct span s, struct ports *ret)
{
	uint64_t max = family == AF_VSOCK || family == AF_NETLINK ? UINT32_MAX : UINT16_MAX;
	size_t n;

	*ret = (struct ports){ .is_any = span_is(s, "*") };
	if (ret->is_any)
		return 0;
	ret->n = 1;
	if (family == AF_NETLINK && span_is(s, "kernel"))
		return 0;
	if (parse_port_numbers(s, max, &ret->ranges[0]))
		return 0;
	if (max > UINT16_MAX || !s.len || is_numeric(s) || strlen(s.text) != s.len)
		return 1;
	n = service_ranges(s.text, ret->ranges);
	ret->n = n;
	return n == 0 ? 1 : n > FILTER_RANGES_MAX ? 2 : 0;
}

static int parse_port(struct parser *p, const struct word *w, uint8_t family, struct span s,
		      struct ports *ret)
{
	switch (read_port(family, s, ret)) {
	case 0:
		return 0;
	case 2:
		return fail_at(p, w, "a number", "names more than %d ports", FILTER_RANGES_MAX);
	default:
		if (family == AF_VSOCK || family == AF_NETLINK)
			return fail_at(p, w, "a number from 0 to 4294967295 or *", "has no port");
		return fail_at(p, w, WANT_PORT,
			       is_numeric(s) ? "is not a port" : "is not a port: no such service");
	}
}

/* Addresses */

/* ss completes short addresses on the right: 193.233.7/24, 10/8. */
static bool parse_ipv4(struct span s, uint8_t addr[static 4])
{
	size_t i = 0, part = 0;

	memset(addr, 0, 4);
	while (i < s.len) {
		size_t n = 0;
		uint64_t value;

		while (i + n < s.len && s.text[i + n] != '.')
			n++;
		if (part == 4 || (n > 1 && s.text[i + 1] == 'x') ||
		    !parse_number(s.text + i, n, 255, &value))
			return false;
		addr[part++] = (uint8_t)value;
		i += n;
		if (i < s.len && ++i == s.len)
			return false;
	}
	return part > 0;
}

static bool parse_ipv6(struct span s, uint8_t addr[static 16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof(text) || memchr(s.text, '\0', s.len))
		return false;
	memcpy(text, s.text, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, addr) == 1;
}

/* "24" or, for IPv4, "255.255.255.0"; false when it is no mask. */
static bool parse_prefix_len(struct span s, uint8_t family, uint8_t *bits)
{
	uint8_t mask[4];
	uint64_t value;
	uint32_t m;

	if (parse_number(s.text, s.len, family == AF_INET ? 32 : 128, &value)) {
		*bits = (uint8_t)value;
		return true;
	}
	if (family != AF_INET || !memchr(s.text, '.', s.len) || !parse_ipv4(s, mask))
		return false;
	m = (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3];
	*bits = (uint8_t)__builtin_popcount(m);
	return m == (*bits ? UINT32_MAX << (32 - *bits) : 0);
}

static void set_mask(struct net *n)
{
	for (size_t i = 0; i < sizeof(n->mask); i++) {
		size_t left = n->bits > 8 * i ? n->bits - 8 * i : 0;

		n->mask[i] = (uint8_t)(left >= 8 ? 0xff : 0xff00 >> left);
		n->addr[i] &= n->mask[i];
	}
}

/* ADDRESS[/LENGTH] without brackets or port. */
static bool parse_net(struct span s, struct net *ret)
{
	const char *slash = memchr(s.text, '/', s.len);
	struct span addr = { s.text, slash ? (size_t)(slash - s.text) : s.len };

	*ret = (struct net){ .family = AF_INET, .bits = 32 };
	if (!parse_ipv4(addr, ret->addr)) {
		*ret = (struct net){ .family = AF_INET6, .bits = 128 };
		if (!parse_ipv6(addr, ret->addr))
			return false;
	}
	if (slash && !parse_prefix_len(span_from(s, addr.len + 1), ret->family, &ret->bits))
		return false;
	set_mask(ret);
	return true;
}

/* The names that mean the loopback addresses everywhere (RFC 6761 section 6.3). */
static bool parse_loopback_name(struct span s, uint8_t family, struct host *ret)
{
	bool is_v6_only = span_is(s, "ip6-localhost") || span_is(s, "ip6-loopback");

	if (!is_v6_only && !span_is(s, "localhost"))
		return false;
	if (!is_v6_only && family != AF_INET6)
		parse_net((struct span){ "127.0.0.1", 9 }, &ret->nets[ret->n_nets++]);
	if (family != AF_INET)
		parse_net((struct span){ "::1", 3 }, &ret->nets[ret->n_nets++]);
	return true;
}

static bool looks_like_name(struct span s)
{
	bool has_letter = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.text[i] | 0x20);

		has_letter |= c >= 'a' && c <= 'z';
		if (s.text[i] == ':' || s.text[i] == '/' || s.text[i] == '%')
			return false;
	}
	return has_letter;
}

static int parse_address(struct parser *p, const struct word *w, struct span s, struct host *ret)
{
	static const char *const anys[] = { "*", "any", "all", "default" };

	for (size_t i = 0; i < sizeof(anys) / sizeof(*anys); i++)
		if (span_is(s, anys[i]))
			return 0;
	if (parse_loopback_name(s, ret->family, ret))
		return 0;
	if (parse_net(s, &ret->nets[0])) {
		ret->n_nets = 1;
		if (ret->family == AF_UNSPEC || ret->family == ret->nets[0].family)
			return 0;
		return fail_at(p, w, ret->family == AF_INET ? "an IPv4 address" : "an IPv6 address",
			       "has an address of the other family");
	}
	if (memchr(s.text, '%', s.len))
		return fail_at(p, w, "the address alone, and: and dev NAME",
			       "has an interface, which is no part of the address");
	if (looks_like_name(s))
		return fail_at(p, w, "the address itself (filters ask no name server)",
			       "is not an address: host names are not looked up");
	return fail_at(p, w, WANT_ADDRESS, "is not an address");
}

/* What remains behind an address: nothing or ":PORT". */
static int parse_port_rest(struct parser *p, const struct word *w, struct span s, struct host *ret)
{
	if (!s.len)
		return 0;
	if (s.text[0] != ':')
		return fail_at(p, w, ":PORT", "goes on behind the address");
	return parse_port(p, w, ret->family, span_from(s, 1), &ret->ports);
}

/* "[ADDRESS]", "[ADDRESS/LEN]", "[ADDRESS]/LEN", each with ":PORT" or without */
static int parse_bracketed(struct parser *p, const struct word *w, struct span s, struct host *ret)
{
	const char *end = memchr(s.text, ']', s.len);
	struct span inside, rest;
	size_t n = 0;
	int r;

	if (!end)
		return fail_at(p, w, "]", "has no closing ]");
	inside = (struct span){ s.text + 1, (size_t)(end - s.text) - 1 };
	rest = span_from(s, inside.len + 2);
	r = parse_address(p, w, inside, ret);
	if (r < 0)
		return r;
	if (rest.len && rest.text[0] == '/') {
		while (n < rest.len && rest.text[n] != ':')
			n++;
		if (ret->n_nets != 1 || memchr(inside.text, '/', inside.len) ||
		    !parse_prefix_len((struct span){ rest.text + 1, n - 1 }, ret->nets[0].family,
				      &ret->nets[0].bits))
			return fail_at(p, w, WANT_ADDRESS, "has no valid prefix length");
		set_mask(&ret->nets[0]);
	}
	return parse_port_rest(p, w, span_from(rest, n), ret);
}

/*
 * Unbracketed text with two colons or more: IPv6. Where the last colon could also begin a port, ss
 * takes it for one and people mean the whole as often as not: that is refused.
 */
static int parse_colons(struct parser *p, const struct word *w, struct span s, struct host *ret)
{
	const char *slash = memchr(s.text, '/', s.len);
	const char *colon = slash ? memchr(slash, ':', s.len - (size_t)(slash - s.text))
				  : memrchr(s.text, ':', s.len);
	struct span head = { s.text, colon ? (size_t)(colon - s.text) : s.len };
	bool has_head, is_whole;
	struct ports ports;
	struct net net;

	has_head = colon && parse_net(head, &net) &&
		   !read_port(ret->family, span_from(s, head.len + 1), &ports);
	is_whole = parse_net(s, &net);
	if (has_head && is_whole)
		return fail_at(p, w, "[ADDRESS] or [ADDRESS]:PORT", "may or may not end in a port");
	if (!has_head)
		return parse_address(p, w, s, ret);
	ret->ports = ports;
	return parse_address(p, w, head, ret);
}

static int parse_inet_host(struct parser *p, const struct word *w, struct span s, struct host *ret)
{
	size_t n_colons = 0, n = 0;
	int r;

	for (size_t i = 0; i < s.len; i++)
		n_colons += s.text[i] == ':';
	if (!s.len)
		return fail_at(p, w, WANT_ADDRESS, "has no address");
	if (s.text[0] == '[')
		return parse_bracketed(p, w, s, ret);
	if (s.text[0] == '*')
		return parse_port_rest(p, w, span_from(s, 1), ret);
	if (s.text[0] == ':' && n_colons == 1)
		return parse_port_rest(p, w, s, ret);
	if (n_colons > 1)
		return parse_colons(p, w, s, ret);
	while (n < s.len && s.text[n] != ':')
		n++;
	r = parse_address(p, w, (struct span){ s.text, n }, ret);
	return r < 0 ? r : parse_port_rest(p, w, span_from(s, n), ret);
}

/* Families whose addresses are numbers with names: PROTOCOL:PORT */

struct number_name {
	const char *name;
	uint32_t number;
};

static const struct number_name ether_names[] = {
	{ "all", ETH_P_ALL },		{ "loop", ETH_P_LOOP },	      { "ip", ETH_P_IP },
	{ "ipv4", ETH_P_IP },		{ "x25", ETH_P_X25 },	      { "arp", ETH_P_ARP },
	{ "rarp", ETH_P_RARP },		{ "ipv6", ETH_P_IPV6 },	      { "802.1q", ETH_P_8021Q },
	{ "802.1ad", ETH_P_8021AD },	{ "802_2", ETH_P_802_2 },     { "802_3", ETH_P_802_3 },
	{ "ppp_disc", ETH_P_PPP_DISC }, { "ppp_ses", ETH_P_PPP_SES }, { "lldp", ETH_P_LLDP },
	{ "eapol", ETH_P_PAE },		{ "macsec", ETH_P_MACSEC },   { "mpls_uc", ETH_P_MPLS_UC },
	{ "mpls_mc", ETH_P_MPLS_MC },	{ "tipc", ETH_P_TIPC },	      { "ptp", ETH_P_1588 },
};

/* The kernel's names, and those ss reads from its nl_protos file. */
static const struct number_name netlink_names[] = {
	{ "route", NETLINK_ROUTE },
	{ "rtnl", NETLINK_ROUTE },
	{ "unused", NETLINK_UNUSED },
	{ "usersock", NETLINK_USERSOCK },
	{ "firewall", NETLINK_FIREWALL },
	{ "fw", NETLINK_FIREWALL },
	{ "sock_diag", NETLINK_SOCK_DIAG },
	{ "tcpdiag", NETLINK_SOCK_DIAG },
	{ "nflog", NETLINK_NFLOG },
	{ "xfrm", NETLINK_XFRM },
	{ "selinux", NETLINK_SELINUX },
	{ "iscsi", NETLINK_ISCSI },
	{ "audit", NETLINK_AUDIT },
	{ "fib_lookup", NETLINK_FIB_LOOKUP },
	{ "fiblookup", NETLINK_FIB_LOOKUP },
	{ "connector", NETLINK_CONNECTOR },
	{ "netfilter", NETLINK_NETFILTER },
	{ "nft", NETLINK_NETFILTER },
	{ "ip6_fw", NETLINK_IP6_FW },
	{ "ip6fw", NETLINK_IP6_FW },
	{ "dnrtmsg", NETLINK_DNRTMSG },
	{ "dec-rt", NETLINK_DNRTMSG },
	{ "kobject_uevent", NETLINK_KOBJECT_UEVENT },
	{ "uevent", NETLINK_KOBJECT_UEVENT },
	{ "generic", NETLINK_GENERIC },
	{ "genl", NETLINK_GENERIC },
	{ "scsitransport", NETLINK_SCSITRANSPORT },
	{ "scsi-trans", NETLINK_SCSITRANSPORT },
	{ "ecryptfs", NETLINK_ECRYPTFS },
	{ "rdma", NETLINK_RDMA },
	{ "crypto", NETLINK_CRYPTO },
	{ "smc", NETLINK_SMC },
};

static bool find_number(const struct number_name *names, size_t n, struct span s, uint64_t max,
			uint32_t *ret)
{
	uint64_t value;

	for (size_t i = 0; i < n; i++) {
		if (strlen(names[i].name) == s.len && !strncasecmp(names[i].name, s.text, s.len)) {
			*ret = names[i].number;
			return true;
		}
	}
	if (!parse_number(s.text, s.len, max, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

#define FIND_NUMBER(names, s, max, ret)                                                            \
	find_number(names, sizeof(names) / sizeof(*(names)), s, max, ret)

/* The interface of a link specification: index, name or any. */
static int parse_link_dev(struct parser *p, const struct word *w, struct span s, struct host *ret)
{
	uint64_t index;

	if (span_is(s, "*") || !s.len)
		return 0;
	if (parse_number(s.text, s.len, UINT32_MAX, &index)) {
		ret->ports = (struct ports){ .n = 1, .ranges = { { index, index, 0 } } };
		return 0;
	}
	if (s.len >= 16)
		return fail_at(p, w, "a device name or index", "has no device name");
	ret->has_ifname = true;
	ret->glob = (struct glob){ s.text, (uint32_t)s.len, true, false };
	return 0;
}

static int parse_number_host(struct parser *p, const struct word *w, struct span s,
			     struct host *ret)
{
	const char *colon = memchr(s.text, ':', s.len);
	struct span addr = { s.text, colon ? (size_t)(colon - s.text) : s.len };
	struct span port = span_from(s, addr.len + (colon ? 1 : 0));
	bool ok = true;

	ret->has_number = addr.len && !span_is(addr, "*");
	if (ret->has_number && ret->family == AF_PACKET)
		ok = FIND_NUMBER(ether_names, addr, UINT16_MAX, &ret->number);
	else if (ret->has_number && ret->family == AF_NETLINK)
		ok = FIND_NUMBER(netlink_names, addr, 255, &ret->number);
	else if (ret->has_number)
		ok = find_number(NULL, 0, addr, UINT32_MAX, &ret->number);
	if (!ok)
		return fail_at(p, w,
			       ret->family == AF_PACKET
				       ? "an Ethernet protocol (ip, ipv6, arp, all, 0x88cc ...)"
			       : ret->family == AF_NETLINK
				       ? "a netlink protocol (route, audit, sock_diag ...)"
				       : "a context id (number)",
			       "has no known address");
	if (ret->family == AF_PACKET)
		return parse_link_dev(p, w, port, ret);
	return port.len ? parse_port(p, w, ret->family, port, &ret->ports) : 0;
}

/* A pattern; NUL bytes are compared as @, which is how the names of abstract sockets are shown. */
static int parse_unix_name(struct parser *p, const struct word *w, size_t skip, struct host *ret)
{
	int r = word_glob(p, w, skip, true, &ret->glob);
	char *copy;

	if (r < 0 || !ret->glob.len || !memchr(ret->glob.data, '\0', ret->glob.len))
		return r;
	copy = arena_dup(&p->filter->arena, ret->glob.data, ret->glob.len);
	if (!copy)
		return -ENOMEM;
	for (uint32_t i = 0; i < ret->glob.len; i++)
		if (!copy[i])
			copy[i] = '@';
	ret->glob.data = copy;
	return 0;
}

static int parse_host(struct parser *p, const struct word *w, struct host *ret)
{
	struct span raw = { p->text + w->offset, w->len }, s;
	size_t skip;
	int r;

	*ret = (struct host){ .ports = { .is_any = true } };
	skip = take_family(&raw, &ret->family);
	r = word_text(p, w, skip, &s.text, &s.len);
	if (r < 0)
		return r;
	if (!skip)
		ret->family = s.len && (s.text[0] == '/' || s.text[0] == '@') ? AF_UNIX : p->family;
	if (ret->family == AF_UNIX) {
		ret->has_glob = true;
		return parse_unix_name(p, w, skip, ret);
	}
	if (ret->family == AF_UNSPEC || ret->family == AF_INET || ret->family == AF_INET6)
		return parse_inet_host(p, w, s, ret);
	return parse_number_host(p, w, s, ret);
}

/* Program */

static int and_fragment(struct parser *p, struct fragment *all, bool *has_any,
			const struct fragment *f)
{
	if (*has_any)
		fragment_and(p, all, f);
	else
		*all = *f;
	*has_any = true;
	return 0;
}

static int and_leaf(struct parser *p, struct fragment *all, bool *has_any, const struct leaf *leaf)
{
	struct fragment f;
	int r = fragment_leaf(p, leaf, &f);

	return r < 0 ? r : and_fragment(p, all, has_any, &f);
}

static int emit_ranges(struct parser *p, const struct range *ranges, size_t n, uint8_t family,
		       uint8_t end, struct fragment *ret)
{
	for (size_t i = 0; i < n; i++) {
		struct leaf l = { .match = match_port,
				  .lower = LOWER_PORT,
				  .family = family,
				  .end = end,
				  .range = ranges[i] };
		struct fragment f;
		int r = fragment_leaf(p, &l, &f);

		if (r < 0)
			return r;
		if (i)
			fragment_or(p, ret, &f);
		else
			*ret = f;
	}
	return 0;
}

static int emit_nets(struct parser *p, const struct host *h, uint8_t end, struct fragment *ret)
{
	for (size_t i = 0; i < h->n_nets; i++) {
		/* only "inet:" keeps v4-mapped IPv6 sockets out */
		struct leaf l = { .match = match_net,
				  .lower = LOWER_NET,
				  .family = h->family,
				  .end = end,
				  .net = h->nets[i] };
		struct fragment f;
		int r = fragment_leaf(p, &l, &f);

		if (r < 0)
			return r;
		if (i)
			fragment_or(p, ret, &f);
		else
			*ret = f;
	}
	return 0;
}

/* The leaves beside inet addresses and ports. */
static size_t special_leaves(const struct host *h, uint8_t end, struct leaf out[static 4])
{
	size_t n = 0;

	if (h->family != AF_UNSPEC && !h->n_nets)
		out[n++] = (struct leaf){ .match = match_family,
					  .lower = LOWER_FAMILY,
					  .family = h->family };
	if (h->has_glob)
		out[n++] = (struct leaf){ .match = match_unix, .end = end, .glob = h->glob };
	if (h->has_number) {
		out[n] = (struct leaf){ .end = end, .number = h->number };
		out[n++].match = h->family == AF_PACKET	   ? match_link_proto
				 : h->family == AF_NETLINK ? match_netlink_proto
							   : match_vsock_cid;
	}
	if (h->has_ifname)
		out[n++] = (struct leaf){ .match = match_ifname, .glob = h->glob };
	if (h->family == AF_PACKET && !h->ports.is_any)
		out[n++] = (struct leaf){ .match = match_ifindex, .range = h->ports.ranges[0] };
	if (h->family == AF_UNSPEC && !h->n_nets && h->ports.is_any)
		out[n++] = (struct leaf){ .match = match_true, .lower = LOWER_TRUE };
	return n;
}

static int emit_host_end(struct parser *p, const struct host *h, uint8_t end, struct fragment *ret)
{
	struct leaf leaves[4];
	size_t n = special_leaves(h, end, leaves);
	struct fragment f;
	bool has_any = false;
	int r = 0;

	if (h->n_nets) {
		r = emit_nets(p, h, end, &f);
		if (r < 0)
			return r;
		and_fragment(p, ret, &has_any, &f);
	}
	for (size_t i = 0; i < n; i++) {
		r = and_leaf(p, ret, &has_any, &leaves[i]);
		if (r < 0)
			return r;
	}
	if (h->ports.is_any || h->family == AF_PACKET)
		return 0;
	r = emit_ranges(p, h->ports.ranges, h->ports.n, h->family, end, &f);
	return r < 0 ? r : and_fragment(p, ret, &has_any, &f);
}

static int emit_host(struct parser *p, const struct host *h, uint8_t ends, struct fragment *ret)
{
	struct fragment remote;
	int r;

	/* the name of a unix socket's other end is found through that end */
	if (h->has_glob && (ends & END_REMOTE))
		p->filter->needs |= PV_NEED_PEER;
	r = emit_host_end(p, h, ends & END_LOCAL ? END_LOCAL : END_REMOTE, ret);
	if (r < 0 || ends != END_BOTH)
		return r;
	r = emit_host_end(p, h, END_REMOTE, &remote);
	if (!r)
		fragment_or(p, ret, &remote);
	return r;
}

int parse_host_predicate(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret)
{
	enum comparison comparison;
	struct host h;
	struct word w;
	int r = read_value(p, pred, name, false, &comparison, &w);

	if (!r)
		r = parse_host(p, &w, &h);
	if (!r)
		r = emit_host(p, &h, pred->end, ret);
	if (!r && comparison == CMP_NE)
		fragment_not(p, ret);
	return r;
}

int parse_bare_host(struct parser *p, const struct word *w, struct fragment *ret)
{
	struct host h;
	int r;

	/* a name at this place ends before a parenthesis that opens; an address does not */
	r = parse_host(p, w, &h);
	return r < 0 ? r : emit_host(p, &h, END_BOTH, ret);
}

/*
 * Everything that cannot be a misspelt predicate: a family prefix, a bracket, two colons, a path,
 * four numbers with dots, or a prefix length. A lone number is none: "sport 80 443" is a slip.
 */
bool looks_like_host(const char *text, size_t len)
{
	struct span s = { text, len };
	size_t n_colons = 0, n_dots = 0, n_slashes = 0;
	uint8_t family;

	if (take_family(&s, &family) || !len || text[0] == '[' || text[0] == '/' || text[0] == '@')
		return len > 0;
	if (span_is(s, "localhost") || span_is(s, "ip6-localhost") || span_is(s, "ip6-loopback"))
		return true;
	for (size_t i = 0; i < len; i++) {
		n_colons += text[i] == ':';
		n_dots += text[i] == '.';
		n_slashes += text[i] == '/';
	}
	return n_colons > 1 || (text[0] >= '0' && text[0] <= '9' && (n_slashes || n_dots == 3)) ||
	       (text[0] == '*' && n_colons) || (text[0] == ':' && len > 1);
}

/* "22", ":22", "ssh", "inet:22", "inet::22", "1000-2000", "*" */
static int parse_port_word(struct parser *p, const struct word *w, uint8_t *family,
			   struct ports *ret)
{
	struct span s;
	int r = word_text(p, w, 0, &s.text, &s.len);

	if (r < 0)
		return r;
	*family = p->family == AF_UNIX || p->family == AF_PACKET ? AF_UNSPEC : p->family;
	take_family(&s, family);
	if (*family == AF_UNIX || *family == AF_PACKET)
		return fail_at(p, w,
			       "inet:, inet6:, vsock: or netlink:", "names a family without ports");
	if (s.len && s.text[0] == ':')
		s = span_from(s, 1);
	return parse_port(p, w, *family, s, ret);
}

static int emit_port_end(struct parser *p, const struct ports *ports, uint8_t family, uint8_t end,
			 struct fragment *ret)
{
	struct leaf any = { .match = match_true, .lower = LOWER_TRUE };

	if (!ports->is_any)
		return emit_ranges(p, ports->ranges, ports->n, family, end, ret);
	if (family != AF_UNSPEC)
		any = (struct leaf){ .match = match_family,
				     .lower = LOWER_FAMILY,
				     .family = family };
	return fragment_leaf(p, &any, ret);
}

int parse_port_predicate(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret)
{
	enum comparison comparison;
	struct fragment remote;
	struct ports ports;
	uint8_t family = AF_UNSPEC;
	struct word w;
	int r = read_value(p, pred, name, true, &comparison, &w);

	if (!r)
		r = parse_port_word(p, &w, &family, &ports);
	if (r < 0)
		return r;
	if (comparison > CMP_NE) {
		if (ports.is_any || ports.n != 1 || ports.ranges[0].first != ports.ranges[0].last)
			return fail_at(p, &w, "one port", "cannot be compared by order");
		ports.ranges[0] = range_compare(comparison, ports.ranges[0].first);
	}
	r = emit_port_end(p, &ports, family, pred->end & END_LOCAL ? END_LOCAL : END_REMOTE, ret);
	if (!r && pred->end == END_BOTH) {
		r = emit_port_end(p, &ports, family, END_REMOTE, &remote);
		if (!r)
			fragment_or(p, ret, &remote);
	}
	if (!r && comparison == CMP_NE)
		fragment_not(p, ret);
	return r;
}
