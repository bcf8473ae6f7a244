/* SPDX-License-Identifier: MIT */
/* netstat -r: the routing tables. */
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/route.h>

#include <arpa/inet.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/netstat/netstat.h"
#include "ui/text/escape.h"

#define NAME_WIDTH 15
#define CACHED 0x01000000 /* RTF_CACHE of linux/ipv6_route.h */

/* What each bit of the flags is shown as, in that order. */
struct letter {
	uint32_t bit;
	char letter;
};

static const struct letter inet_letters[] = {
	{ 0x1, 'U' },	    { 0x2, 'G' },	{ 0x4, 'H' },	   { 0x8, 'R' },
	{ 0x10, 'D' },	    { 0x20, 'M' },	{ 0x40, 'u' },	   { 0x80, 'w' },
	{ 0x100, 'i' },	    { 0x400, 'n' },	{ 0x10000, 'd' },  { 0x20000, 'a' },
	{ 0x40000, 'c' },   { 0x200000, 'o' },	{ 0x400000, 'e' }, { 0x1000000, 'c' },
	{ 0x2000000, 'f' }, { 0x4000000, 'p' },
};

static const struct letter inet6_letters[] = {
	{ 0x1, 'U' },	   { 0x200, '!' },   { 0x2, 'G' },	{ 0x4, 'H' },
	{ 0x10000, 'D' },  { 0x40000, 'A' }, { CACHED, 'C' },	{ 0x20000, 'a' },
	{ 0x400000, 'e' }, { 0x20, 'm' },    { 0x200000, 'n' }, { 0x2000000, 'f' },
};

static void put_flags(char *out, uint32_t flags, const struct letter *letters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (flags & letters[i].bit)
			*out++ = letters[i].letter;
	*out = 0;
}

struct routes {
	const struct netstat_values *v;
	struct buf *b;
	struct pv_route *items;
	size_t n;
	/* two a route: destination, gateway */
	struct pv_name *names;
	struct pv_names *names_owner;
	bool numeric;
};

static void routes_deinit(struct routes *t)
{
	free(t->items);
	free(t->names);
	pv_names_free(t->names_owner);
}

static uint32_t as_number(const uint8_t addr[static 4])
{
	uint32_t v;

	memcpy(&v, addr, sizeof(v));
	return v;
}

/* A network, not a host in it. */
static bool is_network(const struct pv_route *route)
{
	return !(route->flags & RTF_HOST) &&
	       !(as_number(route->destination) & ~as_number(route->mask));
}

static int resolve(struct routes *t)
{
	/* names of networks come from files, never from a server that may hang */
	__nss_configure_lookup("networks", "files");
	t->names = calloc(2 * t->n + 1, sizeof(*t->names));
	if (!t->names)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		struct pv_name *names = &t->names[2 * i];

		names[0].family = names[1].family = t->items[i].family;
		memcpy(names[0].addr, t->items[i].destination, sizeof(names[0].addr));
		memcpy(names[1].addr, t->items[i].gateway, sizeof(names[1].addr));
	}
	if (t->numeric)
		return 0;
	return netstat_resolve(t->v, t->names, 2 * t->n, &t->names_owner);
}

static void put_cut(struct buf *b, size_t start, size_t width)
{
	if (buf_error(b))
		return;
	if (b->len - start > width)
		b->len = start + width;
	buf_pad(b, ' ', width - (b->len - start));
}

static void put_destination(struct routes *t, const struct pv_route *route, const char *name)
{
	const struct netent *net = NULL;
	size_t start = t->b->len;

	if (!t->numeric && is_network(route)) {
		uint32_t number = as_number(route->destination);

		name = !number && !as_number(route->mask) ? "default" : NULL;
		if (!name && number)
			net = getnetbyaddr(ntohl(number), AF_INET);
		if (net)
			name = net->n_name;
	}
	if (name)
		text_put(t->b, name, strlen(name), 0);
	else
		netstat_put_host(t->b, AF_INET, route->destination, NULL, true);
	put_cut(t->b, start, NAME_WIDTH);
}

static void put_gateway(struct routes *t, const struct pv_route *route, const char *name)
{
	size_t start = t->b->len;

	if (route->flags & RTF_REJECT)
		buf_putc(t->b, '-');
	else
		netstat_put_host(t->b, AF_INET, route->gateway, name, t->numeric);
	put_cut(t->b, start, NAME_WIDTH);
}

static void put_short(struct buf *b, const struct pv_route *r, const char *flags)
{
	if (r->flags & RTF_REJECT)
		buf_printf(b, "%-5s %5s %-5s %6s -\n", flags, "-", "-", "-");
	else
		buf_printf(b, "%-5s %5u %-5u %6u %s\n", flags, r->mss, r->window, r->irtt,
			   r->interface);
}

static void put_extended(struct buf *b, const struct pv_route *r, const char *flags, bool is_full)
{
	bool is_rejected = r->flags & RTF_REJECT;
	char references[16] = "-";

	if (!is_rejected)
		snprintf(references, sizeof(references), "%u", r->references);
	buf_printf(b, "%-5s %-6u %-3s %6u ", flags, r->metric, references, r->use);
	if (!is_full)
		buf_printf(b, "%s\n", is_rejected ? "-" : r->interface);
	else if (is_rejected)
		buf_printf(b, "%-8s %-5s %-6s %s\n", "-", "-", "-", "-");
	else
		buf_printf(b, "%-8.6s %-5u %-6u %u\n", r->interface, r->mss, r->window, r->irtt);
}

static void put_inet_route(struct routes *t, size_t i)
{
	const struct pv_route *route = &t->items[i];
	char flags[sizeof(inet_letters) / sizeof(*inet_letters) + 2];
	uint32_t shown = route->flags;
	char *at = flags;
	size_t start;

	/* of what is rejected only that it is a host counts */
	if (shown & RTF_REJECT) {
		*at++ = '!';
		shown &= RTF_HOST;
	}
	put_flags(at, shown, inet_letters, sizeof(inet_letters) / sizeof(*inet_letters));
	put_destination(t, route, t->names[2 * i].name);
	buf_putc(t->b, ' ');
	put_gateway(t, route, t->names[2 * i + 1].name);
	buf_putc(t->b, ' ');
	start = t->b->len;
	netstat_put_host(t->b, AF_INET, route->mask, NULL, true);
	put_cut(t->b, start, NAME_WIDTH);
	buf_putc(t->b, ' ');
	if (t->v->extended)
		put_extended(t->b, route, flags, t->v->extended > 1);
	else
		put_short(t->b, route, flags);
}

static void put_inet6_route(struct routes *t, size_t i)
{
	const struct pv_route *route = &t->items[i];
	char flags[sizeof(inet6_letters) / sizeof(*inet6_letters) + 1];
	size_t start = t->b->len, n;

	put_flags(flags, route->flags, inet6_letters,
		  sizeof(inet6_letters) / sizeof(*inet6_letters));
	netstat_put_host(t->b, AF_INET6, route->destination, t->names[2 * i].name, t->numeric);
	buf_printf(t->b, "/%u", route->prefix);
	n = t->b->len - start;
	buf_pad(t->b, ' ', n < 30 ? 31 - n : 1);
	start = t->b->len;
	netstat_put_host(t->b, AF_INET6, route->gateway, t->names[2 * i + 1].name, t->numeric);
	n = t->b->len - start;
	buf_pad(t->b, ' ', n < 26 ? 27 - n : 1);
	buf_printf(t->b, "%-4s %-3d %-1d %6d %s\n", flags, (int)route->metric,
		   (int)route->references, (int)route->use, route->interface);
}

/* 0 or -errno; what the caller frees is in *t */
static int read_routes(struct routes *t, int family)
{
	int r = pv_routes_read(family, &t->items, &t->n);

	if (r == 0 && t->v->redactor)
		r = pv_redact_routes(t->v->redactor, t->items, t->n);
	return r < 0 ? r : resolve(t);
}

static void put_columns(const struct netstat_values *v, struct buf *b, const char *names)
{
	buf_printf(b, "%s Flags %s\n", names,
		   v->extended > 1 ? "Metric Ref    Use Iface    MSS   Window irtt"
		   : v->extended   ? "Metric Ref    Use Iface"
				   : "  MSS Window  irtt Iface");
}

static int put_inet(const struct netstat_values *v, struct buf *b)
{
	_cleanup_(routes_deinit) struct routes t = { .v = v, .b = b };
	int r;

	t.numeric = v->symbolic || v->numeric & NETSTAT_NUMERIC_HOSTS;
	if (v->fib || !v->cache) {
		r = read_routes(&t, AF_INET);
		if (r < 0)
			return r;
		buf_puts(b, "Kernel IP routing table\n");
		put_columns(v, b, "Destination     Gateway         Genmask        ");
		for (size_t i = 0; i < t.n; i++)
			if (t.items[i].flags & RTF_UP)
				put_inet_route(&t, i);
	}
	/* Linux 3.6 gave up the cache: its table has been empty since */
	if (v->cache)
		buf_printf(b,
			   "Kernel IP routing cache\n"
			   "Source          Destination     Gateway         Flags %s\n",
			   v->extended > 1 ? "Metric Ref    Use Iface    MSS   Window irtt  TOS "
					     "HHRef HHUptod     SpecDst"
			   : v->extended   ? "Metric Ref    Use Iface"
					   : "  MSS Window  irtt Iface");
	return 0;
}

static int put_inet6_table(const struct netstat_values *v, struct buf *b, bool is_cache)
{
	_cleanup_(routes_deinit) struct routes t = { .v = v, .b = b };
	int r;

	t.numeric = v->symbolic || v->numeric & NETSTAT_NUMERIC_HOSTS;
	r = read_routes(&t, AF_INET6);
	if (r < 0)
		return r;
	buf_printf(
		b,
		"Kernel IPv6 routing %s\n"
		"Destination                    Next Hop                   Flag Met Ref  Use If\n",
		is_cache ? "cache" : "table");
	for (size_t i = 0; i < t.n; i++)
		if (!!(t.items[i].flags & CACHED) == is_cache)
			put_inet6_route(&t, i);
	return 0;
}

static int put_inet6(const struct netstat_values *v, struct buf *b)
{
	int r = v->fib || !v->cache ? put_inet6_table(v, b, false) : 0;

	return r == 0 && v->cache ? put_inet6_table(v, b, true) : r;
}

/* What is said of families that no kernel of today routes, and where. */
static const struct {
	uint32_t family;
	const char *message;
	int status;
	bool is_error;
} unrouted[] = {
	{ NETSTAT_UNIX, "No routing for address family `unix'.", NETSTAT_EXIT_USAGE, true },
	{ NETSTAT_IPX, "IPX routing not in file /proc/net/ipx/route or /proc/net/ipx_route found.",
	  EXIT_FAILURE, false },
	{ NETSTAT_AX25, "AX.25 not configured in this system.", EXIT_FAILURE, false },
	{ NETSTAT_NETROM, "NET/ROM not configured in this system.", EXIT_FAILURE, false },
	{ NETSTAT_ROSE, "ROSE not configured in this system.", EXIT_FAILURE, true },
	{ NETSTAT_X25, "X.25 not configured in this system.", EXIT_FAILURE, false },
	{ NETSTAT_DDP, "DDP (AppleTalk) not configured on this system.", EXIT_FAILURE, true },
};

int netstat_routes(const struct netstat_values *v, struct buf *b)
{
	uint32_t families = v->families ? v->families : NETSTAT_INET;
	int status = 0, r = 0;

	if (families & NETSTAT_INET)
		r = put_inet(v, b);
	if (r == 0 && families & NETSTAT_INET6)
		r = put_inet6(v, b);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(unrouted) / sizeof(*unrouted); i++) {
		if (!(families & unrouted[i].family))
			continue;
		status = unrouted[i].status;
		if (unrouted[i].is_error)
			fprintf(stderr, "%s\n", unrouted[i].message);
		else
			buf_printf(b, "%s\n", unrouted[i].message);
	}
	return status;
}
