/* SPDX-License-Identifier: MIT */
/*
 * Host names of addresses: the hosts file, then reverse DNS, all questions at once within one
 * budget of time. Names that imitate an address or hold odd bytes are refused.
 */
#ifndef PORTAVOZ_NAMES_H
#define PORTAVOZ_NAMES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_name {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t addr[16];
	const char *name; /* the answer, or NULL; lives as long as the struct pv_names */
};

struct pv_names;

/*
 * Looks up n addresses; equal ones are asked once. servers: "addr[:port],..."; NULL = as
 * /etc/resolv.conf says. Returns 0 and the owner of the names for pv_names_free(), -EINVAL (servers
 * is malformed) or -ENOMEM.
 */
int pv_names_resolve(struct pv_name *names, size_t n, int timeout_ms, const char *servers,
		     struct pv_names **ret_names);
void pv_names_free(struct pv_names *names);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
