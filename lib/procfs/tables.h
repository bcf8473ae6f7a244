/* SPDX-License-Identifier: MIT */
/*
 * Parsers of the tables behind <portavoz/tables.h>, apart from reading them. They are pure; lines
 * that are not understood are left out. Results are arrays for free(); 0 or -ENOMEM.
 */
#ifndef PROCFS_TABLES_H
#define PROCFS_TABLES_H

#include <portavoz/tables.h>

#include "base/buf.h"
#include "procfs/text.h"

/* net/route or net/ipv6_route */
int procfs_routes_parse(int family, const void *data, size_t len, struct pv_route **ret_routes,
			size_t *ret_n);
/* net/igmp or net/igmp6 */
int procfs_groups_parse(int family, const void *data, size_t len, struct pv_group **ret_groups,
			size_t *ret_n);
int procfs_counters_parse(enum pv_counter_table table, const void *data, size_t len,
			  struct pv_counter **ret_counters, size_t *ret_n);
/* net/dev: name and counters only */
int procfs_devices_parse(const void *data, size_t len, struct pv_interface **ret_interfaces,
			 size_t *ret_n);
/* net/if_inet6: adds the addresses to the interfaces of their names */
int procfs_inet6_parse(const void *data, size_t len, struct pv_interface *interfaces, size_t n);

/* Reads a text below the procfs root, live. */
int procfs_table_read(const char *path, struct buf *b);
/* A name of an interface, cut to what fits. */
void procfs_ifname_set(char name[static PV_IFNAME_MAX], struct text t);
/* 32 hexadecimal digits in the order of the bytes. */
bool procfs_inet6_of(struct text t, uint8_t addr[static 16]);

#endif
