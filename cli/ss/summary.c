/* SPDX-License-Identifier: MIT */
/* ss -s: what the kernel counts, without looking at any socket. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/options.h"
#include "cli/ss/ss.h"

static int64_t count_of(const struct pv_counter *counters, size_t n, const char *group,
			const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(counters[i].group, group) && !strcmp(counters[i].name, name))
			return counters[i].value;
	return 0;
}

/* One table of the kernel; what it lacks counts as 0. */
struct table {
	struct pv_counter *counters;
	size_t n;
};

static void table_deinit(struct table *t)
{
	free(t->counters);
}

static int read_table(enum pv_counter_table which, struct table *t)
{
	int r = pv_counters_read(which, &t->counters, &t->n);

	if (r < 0)
		*t = (struct table){ 0 };
	return r;
}

static void put_transport(struct buf *b, const char *name, int64_t four, int64_t six)
{
	buf_printf(b, "%s\t  %-9lld %-9lld %-9lld\n", name, (long long)(four + six),
		   (long long)four, (long long)six);
}

#define COUNT(table, group, name) count_of((table)->counters, (table)->n, group, name)

static void put_summary(struct buf *b, const struct table *four, const struct table *six,
			const struct table *snmp)
{
	int64_t tcp = COUNT(four, "TCP", "inuse"), tcp6 = COUNT(six, "TCP6", "inuse");
	int64_t udp = COUNT(four, "UDP", "inuse"), udp6 = COUNT(six, "UDP6", "inuse");
	int64_t raw = COUNT(four, "RAW", "inuse"), raw6 = COUNT(six, "RAW6", "inuse");
	int64_t waiting = COUNT(four, "TCP", "tw"), made = COUNT(four, "TCP", "alloc");

	buf_printf(b,
		   "Total: %lld\n"
		   "TCP:   %lld (estab %lld, closed %lld, orphaned %lld, timewait %lld)\n\n"
		   "Transport Total     IP        IPv6\n",
		   (long long)COUNT(four, "sockets", "used"), (long long)(made + waiting),
		   (long long)COUNT(snmp, "Tcp", "CurrEstab"),
		   (long long)(made - (tcp + tcp6 - waiting)),
		   (long long)COUNT(four, "TCP", "orphan"), (long long)waiting);
	put_transport(b, "RAW", raw, raw6);
	put_transport(b, "UDP", udp, udp6);
	put_transport(b, "TCP", tcp, tcp6);
	put_transport(b, "INET", raw + udp + tcp, raw6 + udp6 + tcp6);
	put_transport(b, "FRAG", COUNT(four, "FRAG", "inuse"), COUNT(six, "FRAG6", "inuse"));
	buf_putc(b, '\n');
}

int ss_summary(void)
{
	_cleanup_(table_deinit) struct table four = { 0 }, six = { 0 }, snmp = { 0 };
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = read_table(PV_COUNTERS_SOCKSTAT, &four);

	if (r < 0) {
		usage_error("/proc/net/sockstat", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	read_table(PV_COUNTERS_SOCKSTAT6, &six);
	read_table(PV_COUNTERS_SNMP, &snmp);
	put_summary(&b, &four, &six, &snmp);
	return print_stdout(&b);
}
