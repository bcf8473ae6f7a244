/* SPDX-License-Identifier: MIT */
/* The parsers behind <portavoz/tables.h>: routes, groups, counters, devices; real and hostile
 * texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "procfs/tables.h"

#define ROUTE_HEAD                                                                                 \
	"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"

static size_t parse_routes(int family, const char *text, struct pv_route **ret)
{
	size_t n;

	assert_int_equal(procfs_routes_parse(family, text, strlen(text), ret, &n), 0);
	return n;
}

static void test_routes(void **state)
{
	static const uint8_t ten[] = { 10, 1, 0, 0 }, gateway[] = { 1, 2, 3, 4 };
	struct pv_route *r;

	(void)state;
	assert_int_equal(
		parse_routes(AF_INET,
			     ROUTE_HEAD
			     "eth0\t0000010A\t04030201\t0003\t1\t2\t50\t0000FFFF\t1340\t4000\t300\n"
			     "averyveryverylongname\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0"
			     "\t0\t0\n"
			     "short\t0000010A\t04030201\n"
			     "bad\t0000010G\t04030201\t0003\t1\t2\t50\t0000FFFF\t1340\t4000\t300\n"
			     "cut\t0000010A\t04030201\t0003\t1\t2\t50\t0000FFFF\t1340\t4000\t300",
			     &r),
		2);
	assert_memory_equal(r[0].destination, ten, 4);
	assert_memory_equal(r[0].gateway, gateway, 4);
	assert_string_equal(r[0].interface, "eth0");
	assert_int_equal(r[0].flags, 3);
	assert_int_equal(r[0].references, 1);
	assert_int_equal(r[0].use, 2);
	assert_int_equal(r[0].metric, 50);
	assert_int_equal(r[0].mss, 1340);
	assert_int_equal(r[0].window, 4000);
	assert_int_equal(r[0].irtt, 300);
	assert_string_equal(r[1].interface, "averyveryverylo");
	free(r);
}

#define SIX "20010db8000000000000000000000001"
#define ANY "00000000000000000000000000000000"

static void test_routes6(void **state)
{
	struct pv_route *r;

	(void)state;
	assert_int_equal(parse_routes(AF_INET6,
				      SIX " 40 " ANY " 00 " SIX
					  " 00000400 00000002 00000003 00000003     eth0\n" SIX
					  " 81 " ANY " 00 " SIX " 1 2 3 4 toolong\n"
					  "20010db8 40 " ANY " 00 " SIX " 1 2 3 4 short\n",
				      &r),
			 1);
	assert_int_equal(r[0].prefix, 64);
	assert_int_equal(r[0].destination[0], 0x20);
	assert_int_equal(r[0].gateway[15], 1);
	assert_int_equal(r[0].metric, 1024);
	assert_int_equal(r[0].references, 2);
	assert_int_equal(r[0].use, 3);
	assert_string_equal(r[0].interface, "eth0");
	free(r);
}

static void test_groups(void **state)
{
	static const char text[] =
		"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
		"1\tlo        :     1      V3\n"
		"\t\t\t\t010000E0     1 0:00000000\t\t0\n"
		"\t\t\t\tnonsense\n"
		"2\tfifteenbyteslng:     1      V3\n"
		"\t\t\t\t6A0000E0     7 0:00000000\t\t0\n";
	static const char text6[] = "1    lo              " SIX "     1 0000000C 0\n"
				    "2    v1              abc     1 0000000C 0\n";
	static const uint8_t all[] = { 224, 0, 0, 1 };
	struct pv_group *g;
	size_t n;

	(void)state;
	assert_int_equal(procfs_groups_parse(AF_INET, text, strlen(text), &g, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(g[0].addr, all, 4);
	assert_string_equal(g[0].interface, "lo");
	assert_string_equal(g[1].interface, "fifteenbyteslng");
	assert_int_equal(g[1].users, 7);
	free(g);
	assert_int_equal(procfs_groups_parse(AF_INET6, text6, strlen(text6), &g, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(g[0].addr[15], 1);
	free(g);
}

static void test_counters(void **state)
{
	static const char snmp[] = "Tcp: RtoMin MaxConn InSegs\nTcp: 200 -1 18446744073709551615\n"
				   "Udp: A B\nTcp: 1 2\nIp: Odd\n";
	static const char snmp6[] =
		"Ip6InReceives 20\nUdpLite6NoPorts   3\nOther 4\nIp6 5\nUdp6X y\n";
	struct pv_counter *c;
	size_t n;

	(void)state;
	assert_int_equal(procfs_counters_parse(PV_COUNTERS_SNMP, snmp, strlen(snmp), &c, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(c[0].group, "Tcp");
	assert_string_equal(c[0].name, "RtoMin");
	assert_int_equal(c[1].value, -1);
	assert_true(c[2].value == INT64_MAX);
	free(c);
	assert_int_equal(procfs_counters_parse(PV_COUNTERS_SNMP6, snmp6, strlen(snmp6), &c, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(c[1].group, "UdpLite6");
	assert_string_equal(c[1].name, "NoPorts");
	assert_int_equal(c[1].value, 3);
	free(c);
}

static void test_devices(void **state)
{
	static const char dev[] = "Inter-|   Receive  | Transmit\n face |bytes\n"
				  "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
				  "fifteenbyteslng:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
				  "  few: 1 2 3\n";
	static const char six[] = SIX " 01 40 20 80       lo\n" SIX " 02 40 20 80    gone\nshort\n";
	struct pv_interface *i;
	size_t n;

	(void)state;
	assert_int_equal(procfs_devices_parse(dev, strlen(dev), &i, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(i[0].name, "lo");
	assert_string_equal(i[1].name, "fifteenbyteslng");
	assert_int_equal(i[0].counters.rx_packets, 2);
	assert_int_equal(i[0].counters.rx_frame, 6);
	assert_int_equal(i[0].counters.tx_bytes, 9);
	assert_int_equal(i[0].counters.tx_collisions, 14);
	assert_int_equal(i[0].counters.tx_carrier, 15);
	assert_int_equal(procfs_inet6_parse(six, strlen(six), i, n), 0);
	assert_int_equal(i[0].n_inet6, 1);
	assert_int_equal(i[0].inet6[0].prefix, 64);
	assert_int_equal(i[0].inet6[0].scope, 0x20);
	assert_int_equal(i[1].n_inet6, 0);
	pv_interfaces_free(i, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),	cmocka_unit_test(test_routes6),
		cmocka_unit_test(test_groups),	cmocka_unit_test(test_counters),
		cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
