/* SPDX-License-Identifier: MIT */
/*
 * Every parser of procfs texts and of what recordings hold of them. The first byte chooses the
 * parser, so that one corpus serves all; what a parser yields must lie within its bounds.
 */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/owner_record.h"
#include "procfs/cgroup.h"
#include "procfs/clock.h"
#include "procfs/environ.h"
#include "procfs/maps.h"
#include "procfs/netns.h"
#include "procfs/nettables.h"
#include "procfs/process.h"
#include "procfs/protocols.h"
#include "procfs/scan.h"
#include "procfs/sysctl.h"
#include "procfs/tables.h"
#include "procfs/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int take_row(void *userdata, const struct pv_conversation *row)
{
	volatile uint8_t sum = 0;

	require(row->state > 0 && row->state < PV_STATE_N);
	for (uint32_t i = 0; row->path && i < row->path->len; i++)
		sum = (uint8_t)(sum + (uint8_t)row->path->data[i]);
	require(!row->path || row->path->len <= 108);
	++*(uint64_t *)userdata;
	return 0;
}

static void fuzz_table(enum pv_proto proto, int family, const void *data, size_t size)
{
	const char *split = size ? memchr(data, 0, size) : NULL;
	size_t first = split ? (size_t)(split - (const char *)data) : size;
	struct procfs_table_stats stats;
	uint64_t n = 0;
	struct sink sink = { take_row, &n };

	/* only SCTP has a second text; the first NUL parts them */
	if (proto == PV_PROTO_SCTP)
		procfs_table_parse(proto, family, data, first, (const char *)data + first,
				   size - first, &sink, &stats);
	else
		procfs_table_parse(proto, family, data, size, NULL, 0, &sink, &stats);
	require(n == stats.n_rows);
}

static void fuzz_tcp(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_TCP, AF_INET, data, size);
}

static void fuzz_tcp6(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_TCP, AF_INET6, data, size);
}

static void fuzz_raw(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_RAW, AF_INET, data, size);
}

static void fuzz_unix(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_UNIX, AF_UNSPEC, data, size);
}

static void fuzz_packet(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_PACKET, AF_UNSPEC, data, size);
}

static void fuzz_netlink(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_NETLINK, AF_UNSPEC, data, size);
}

static void fuzz_sctp(const void *data, size_t size)
{
	fuzz_table(PV_PROTO_SCTP, AF_INET, data, size);
	fuzz_table(PV_PROTO_SCTP, AF_INET6, data, size);
}

static void fuzz_stat(const void *data, size_t size)
{
	struct procfs_stat s;

	if (procfs_stat_parse(data, size, &s) == 0)
		require(s.comm_len <= sizeof(s.comm));
}

static void fuzz_status(const void *data, size_t size)
{
	uint64_t caps;
	uint32_t uid;

	procfs_status_uid(data, size, &uid);
	procfs_status_caps(data, size, &caps);
}

static void fuzz_cgroup(const void *data, size_t size)
{
	struct procfs_cgroup g;
	struct pv_bytes path;

	if (procfs_cgroup_path(data, size, &path) < 0)
		path = (struct pv_bytes){ data, (uint32_t)size };
	procfs_cgroup_parse(path.data, path.len, &g);
	require(g.unit.len <= path.len && g.container.len <= path.len);
	require(!g.unit.len ||
		(g.unit.data >= path.data && g.unit.data + g.unit.len <= path.data + path.len));
	require(!g.container.len == !g.runtime);
}

static void fuzz_ports(const void *data, size_t size)
{
	static const uint64_t none[PROCFS_PORT_WORDS];
	uint64_t bits[PROCFS_PORT_WORDS];
	uint16_t first, last;

	memcpy(bits, none, sizeof(bits));
	procfs_port_list_parse(data, size, bits);
	if (procfs_port_range_parse(data, size, &first, &last) == 0)
		require(first <= last);
}

static void fuzz_sockstat(const void *data, size_t size)
{
	struct procfs_sockstat s = { 0 };

	procfs_sockstat_parse(data, size, &s);
}

static void fuzz_mountinfo(const void *data, size_t size)
{
	struct procfs_mount m = { 0 };

	procfs_mountinfo_parse(data, size, &m);
	require(m.hidepid >= 0 && m.hidepid <= 4);
}

static int take_record(void *userdata, const struct owner_record *r)
{
	(void)userdata;
	require(r->pid > 0 && r->fd >= 0 && r->inode);
	return 0;
}

static void fuzz_owners(const void *data, size_t size)
{
	struct procfs_scan_stats stats;

	procfs_owners_parse(data, size, take_record, NULL);
	procfs_scan_stats_parse(data, size, &stats);
}

static int take_name(void *userdata, uint32_t id, const char *name)
{
	(void)userdata;
	(void)id;
	require(strlen(name) > 0 && !strchr(name, '\n'));
	return 0;
}

static void fuzz_names(const void *data, size_t size)
{
	procfs_names_parse(data, size, take_name, NULL);
}

static void fuzz_protocols(const void *data, size_t size)
{
	procfs_protocols_parse(data, size, "TCP");
}

static void fuzz_routes_of(int family, const void *data, size_t size)
{
	struct pv_route *routes;
	size_t n;

	require(procfs_routes_parse(family, data, size, &routes, &n) == 0);
	for (size_t i = 0; i < n; i++)
		require(routes[i].prefix <= 128 &&
			strnlen(routes[i].interface, PV_IFNAME_MAX) < PV_IFNAME_MAX);
	free(routes);
}

static void fuzz_route(const void *data, size_t size)
{
	fuzz_routes_of(AF_INET, data, size);
}

static void fuzz_route6(const void *data, size_t size)
{
	fuzz_routes_of(AF_INET6, data, size);
}

static void fuzz_groups(const void *data, size_t size)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t k = 0; k < 2; k++) {
		struct pv_group *groups;
		size_t n;

		require(procfs_groups_parse(families[k], data, size, &groups, &n) == 0);
		for (size_t i = 0; i < n; i++)
			require(strnlen(groups[i].interface, PV_IFNAME_MAX) < PV_IFNAME_MAX);
		free(groups);
	}
}

static void fuzz_counters(const void *data, size_t size)
{
	for (int table = 0; table < PV_COUNTERS_N; table++) {
		struct pv_counter *counters;
		size_t n;

		require(procfs_counters_parse((enum pv_counter_table)table, data, size, &counters,
					      &n) == 0);
		for (size_t i = 0; i < n; i++)
			require(strnlen(counters[i].name, sizeof(counters[i].name)) <
				sizeof(counters[i].name));
		free(counters);
	}
}

static void fuzz_devices(const void *data, size_t size)
{
	const char *split = size ? memchr(data, 0, size) : NULL;
	size_t first = split ? (size_t)(split - (const char *)data) : size, n;
	struct pv_interface *interfaces;

	/* the first NUL parts net/dev and net/if_inet6 */
	require(procfs_devices_parse(data, first, &interfaces, &n) == 0);
	require(procfs_inet6_parse((const char *)data + first, size - first, interfaces, n) == 0);
	pv_interfaces_free(interfaces, n);
}

static void fuzz_environ(const void *data, size_t size)
{
	struct procfs_listen whole, kept;
	struct buf b = BUF_INIT;

	procfs_listen_parse(data, size, &whole);
	require(!whole.names.len ||
		(whole.names.data >= (const char *)data &&
		 whole.names.data + whole.names.len <= (const char *)data + size));
	/* a recording holds what the filter leaves, and must say the same */
	procfs_listen_filter(data, size, &b);
	procfs_listen_parse(b.data, b.len, &kept);
	require(whole.pid == kept.pid && whole.n_fds == kept.n_fds &&
		whole.names.len == kept.names.len);
	buf_deinit(&b);
}

static void fuzz_maps(const void *data, size_t size)
{
	struct text t = text_of(data, size);
	struct procfs_map map;

	while (procfs_maps_next(&t, &map))
		require(map.start < map.end && map.inode && map.path.len &&
			map.path.data >= (const char *)data &&
			map.path.data + map.path.len <= (const char *)data + size);
}

static void fuzz_clock(const void *data, size_t size)
{
	uint64_t v;
	int64_t ns;

	procfs_boot_time_parse(data, size, &v);
	procfs_uptime_parse(data, size, &v);
	procfs_time_offset_parse(data, size, "boottime", &ns);
}

static int take_mount(void *userdata, uint64_t inode, const char *path)
{
	(void)userdata;
	require(inode != 0 && strlen(path) < PATH_MAX);
	return 0;
}

static void fuzz_netns(const void *data, size_t size)
{
	struct procfs_netns_list list;

	require(procfs_netns_mounts_parse(data, size, take_mount, NULL) == 0);
	if (procfs_netns_list_parse(data, size, &list) < 0)
		return;
	require(list.items.n > 0);
	for (size_t i = 0; i < list.items.n; i++)
		require(list.items.items[i].pid >= 0 && list.items.items[i].by < PV_NETNS_BY_N);
	procfs_netns_list_deinit(&list);
}

static void (*const parsers[])(const void *data, size_t size) = {
	fuzz_tcp,	fuzz_tcp6,     fuzz_raw,       fuzz_unix,   fuzz_packet,
	fuzz_netlink,	fuzz_sctp,     fuzz_stat,      fuzz_status, fuzz_cgroup,
	fuzz_ports,	fuzz_sockstat, fuzz_mountinfo, fuzz_owners, fuzz_names,
	fuzz_protocols, fuzz_environ,  fuzz_clock,     fuzz_route,  fuzz_route6,
	fuzz_groups,	fuzz_counters, fuzz_devices,   fuzz_netns,  fuzz_maps,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact;

	if (size == 0 || size > 1 << 20)
		return 0;
	/* an exact copy, so that a read past the end is one the sanitizer sees */
	exact = malloc(size - 1 ? size - 1 : 1);
	if (!exact)
		return 0;
	memcpy(exact, data + 1, size - 1);
	/* letters, so that a corpus file can be written by hand: 'a' is the first parser */
	parsers[(uint8_t)(data[0] - 'a') % (sizeof(parsers) / sizeof(*parsers))](exact, size - 1);
	free(exact);
	return 0;
}
