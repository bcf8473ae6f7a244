/* SPDX-License-Identifier: MIT */
/* netstat -s: every counter of the kernel, by protocol, under the kernel's name, explained. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/netstat/netstat.h"

#define PROTO_TCP PV_PROTO_BIT(PV_PROTO_TCP)
#define PROTO_UDP PV_PROTO_BIT(PV_PROTO_UDP)
#define PROTO_UDPLITE PV_PROTO_BIT(PV_PROTO_UDPLITE)
#define PROTO_RAW PV_PROTO_BIT(PV_PROTO_RAW)
#define PROTO_SCTP PV_PROTO_BIT(PV_PROTO_SCTP)

/* Which options select a group; what is in none is shown with every selection. */
static const struct {
	const char *group;
	uint32_t protos;
} groups[] = {
	{ "Ip", PROTO_RAW },
	{ "Ip6", PROTO_RAW },
	{ "Icmp", PROTO_RAW },
	{ "IcmpMsg", PROTO_RAW },
	{ "Icmp6", PROTO_RAW },
	{ "Tcp", PROTO_TCP },
	{ "TcpExt", PROTO_TCP },
	{ "Udp", PROTO_UDP },
	{ "Udp6", PROTO_UDP },
	{ "UdpLite", PROTO_UDPLITE | PROTO_UDP },
	{ "UdpLite6", PROTO_UDPLITE | PROTO_UDP },
	{ "Sctp", PROTO_SCTP },
};

static bool is_selected(const struct netstat_values *v, const char *group)
{
	if (!v->protos)
		return true;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (!strcmp(groups[i].group, group))
			return groups[i].protos & v->protos;
	return true;
}

static void put_counter(struct buf *b, const struct pv_counter *c)
{
	char name[sizeof(c->group) + sizeof(c->name)];

	snprintf(name, sizeof(name), "%s%s", c->group, c->name);
	buf_printf(b, "    %-32s %12lld  ", name, (long long)c->value);
	if (!netstat_explain(b, c->group, c->name))
		buf_puts(b, "(newer than this program)");
	buf_putc(b, '\n');
}

/* Counters of a table follow each other group by group. */
static int put_table(const struct netstat_values *v, struct buf *b, enum pv_counter_table table,
		     const char *only)
{
	_cleanup_(cleanup_free) struct pv_counter *counters = NULL;
	const char *group = "";
	size_t n = 0;
	int r = pv_counters_read(table, &counters, &n);

	/* a kernel without that protocol */
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < n; i++) {
		const struct pv_counter *c = &counters[i];

		if (!is_selected(v, c->group) || (only && strcmp(only, c->group)))
			continue;
		if (strcmp(group, c->group))
			buf_printf(b, "%s:\n", c->group);
		group = c->group;
		put_counter(b, c);
	}
	return 0;
}

/* TCP counts both families together: with -6 its counters are shown, too. */
int netstat_statistics(const struct netstat_values *v, struct buf *b)
{
	int r;

	if (v->families & NETSTAT_INET6 && !(v->families & NETSTAT_INET)) {
		r = put_table(v, b, PV_COUNTERS_SNMP6, NULL);
		return r < 0 ? r : put_table(v, b, PV_COUNTERS_SNMP, "Tcp");
	}
	r = put_table(v, b, PV_COUNTERS_SNMP, NULL);
	if (r == 0)
		r = put_table(v, b, PV_COUNTERS_NETSTAT, NULL);
	if (r == 0 && v->families & NETSTAT_INET6)
		r = put_table(v, b, PV_COUNTERS_SNMP6, NULL);
	if (r == 0)
		r = put_table(v, b, PV_COUNTERS_SCTP, NULL);
	return r;
}
