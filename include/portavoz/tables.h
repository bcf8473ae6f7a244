/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells beside sockets: routes, interfaces, multicast groups, counters, control
 * groups. All of it is of the namespaces of the caller, in the order of the kernel. Results are
 * arrays for free() unless said otherwise; functions return 0 or -errno (-ENOENT: this kernel lacks
 * the table).
 */
#ifndef PORTAVOZ_TABLES_H
#define PORTAVOZ_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define PV_IFNAME_MAX 16 /* with its NUL (IFNAMSIZ) */

/* Flags are the kernel's RTF_* (linux/route.h, linux/ipv6_route.h). */
struct pv_route {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t prefix; /* IPv6: length of the destination */
	uint8_t destination[16], gateway[16], mask[4];
	uint32_t flags, metric, references, use;
	uint32_t mss, window, irtt; /* IPv4 */
	char interface[PV_IFNAME_MAX];
};
int pv_routes_read(int family, struct pv_route **ret_routes, size_t *ret_n);

struct pv_interface_counters {
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped, rx_overruns, rx_frame;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped, tx_overruns, tx_collisions,
		tx_carrier;
};

struct pv_inet6_address {
	uint8_t addr[16];
	uint8_t prefix, scope; /* scope as in net/if_inet6 */
};

struct pv_interface {
	char name[PV_IFNAME_MAX]; /* "eth0", or "eth0:1" of a labelled address */
	uint16_t flags;		  /* IFF_* (net/if.h), as far as an old ioctl has room for them */
	int32_t mtu, queue_length;
	uint16_t hardware; /* ARPHRD_* (net/if_arp.h) */
	uint8_t hardware_address[14];
	uint8_t media;
	bool has_counters, has_inet;
	uint8_t inet[4], netmask[4], broadcast[4], peer[4]; /* the first IPv4 address */
	struct pv_interface_counters counters;
	struct pv_inet6_address *inet6;
	size_t n_inet6;
};
/* Devices in the order of the kernel, then labels that are no device. */
int pv_interfaces_read(struct pv_interface **ret_interfaces, size_t *ret_n);
void pv_interfaces_free(struct pv_interface *interfaces, size_t n);

/* An address that an interface listens to. */
struct pv_group {
	uint8_t family;
	uint8_t addr[16];
	uint32_t users;
	char interface[PV_IFNAME_MAX];
};
int pv_groups_read(int family, struct pv_group **ret_groups, size_t *ret_n);

/* A counter: "Tcp" and "RetransSegs"; the group of an IPv6 one is "Ip6", "Icmp6", "Udp6"... */
struct pv_counter {
	char group[16];
	char name[48];
	int64_t value; /* values over INT64_MAX do not occur; a limit of -1 means none */
};

enum pv_counter_table {
	PV_COUNTERS_SNMP,      /* net/snmp: of both families but for Ip, Icmp, Udp, UdpLite */
	PV_COUNTERS_NETSTAT,   /* net/netstat: TcpExt, IpExt, MPTcpExt */
	PV_COUNTERS_SNMP6,     /* net/snmp6 */
	PV_COUNTERS_SCTP,      /* net/sctp/snmp */
	PV_COUNTERS_SOCKSTAT,  /* net/sockstat: "TCP" and "inuse" */
	PV_COUNTERS_SOCKSTAT6, /* net/sockstat6: "TCP6" and "inuse" */
	PV_COUNTERS_N,
};
int pv_counters_read(enum pv_counter_table table, struct pv_counter **ret_counters, size_t *ret_n);

/*
 * The control groups of the unified hierarchy by the number that sockets name them by
 * (pv_detail.cgroup_id). _read walks the first mount of it that is found; a host without one, or
 * one that may not be read, has none. 0 and what is for pv_cgroups_free(), or -ENOMEM.
 */
struct pv_cgroups;
int pv_cgroups_read(struct pv_cgroups **ret_cgroups);
void pv_cgroups_free(struct pv_cgroups *cgroups);
/* "/system.slice/ssh.service", as the mount shows it; NULL = none of that number was there. */
const char *pv_cgroups_path(const struct pv_cgroups *cgroups, uint64_t id);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
