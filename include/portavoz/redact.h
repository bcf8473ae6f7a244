/* SPDX-License-Identifier: MIT */
/*
 * Redaction: addresses, names of hosts and users, paths and arguments are replaced by others that
 * depend on a key and on nothing else. The same key gives the same names, so reports pair and
 * compare; without it nothing leads back. Prefixes of addresses are kept: two that share n bits do
 * so afterwards. See portavoz-redact(7) for what is replaced and what stays.
 */
#ifndef PORTAVOZ_REDACT_H
#define PORTAVOZ_REDACT_H

#include <portavoz/snapshot.h>
#include <portavoz/tables.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define PV_REDACT_KEY_MIN 16 /* bytes */

struct pv_redactor;

/*
 * 0; -EINVAL (fewer than PV_REDACT_KEY_MIN bytes), -EIO (libcrypto refused), -ELIBACC (it could not
 * be loaded) or -ENOMEM.
 */
int pv_redactor_new(const void *key, size_t len, struct pv_redactor **ret_redactor);
/* With the bytes of a file. Also -EPERM (others can read or write it), -errno of reading it. */
int pv_redactor_open(const char *file, struct pv_redactor **ret_redactor);
void pv_redactor_free(struct pv_redactor *redactor);

/*
 * An address of that family (AF_INET: 4 bytes, AF_INET6: 16), in place. 0 or -EIO. Kept are the
 * unspecified and loopback addresses and well-known multicast groups; private, link-local and
 * other multicast addresses stay in their range.
 */
int pv_redact_address(const struct pv_redactor *redactor, int family, uint8_t *addr);

/*
 * A link-layer address of 6 bytes, in place. 0 or -EIO. Two that share their first n bits do so
 * afterwards, but none of them is of a vendor: what is no group is locally administered. Zero,
 * broadcast and the groups of standards stay; those made of an address of IP stay in their range.
 */
int pv_redact_mac(const struct pv_redactor *redactor, uint8_t addr[6]);

/* Addresses and interfaces of the kernel's tables, in place; networks stay such. 0, -EIO, -ENOMEM.
 */
int pv_redact_routes(const struct pv_redactor *redactor, struct pv_route *routes, size_t n);
int pv_redact_groups(const struct pv_redactor *redactor, struct pv_group *groups, size_t n);
int pv_redact_interfaces(const struct pv_redactor *redactor, struct pv_interface *interfaces,
			 size_t n);

enum pv_redact_kind {
	PV_REDACT_HOST,	     /* a host name, label by label; "localhost" stays */
	PV_REDACT_USER,	     /* "root" stays */
	PV_REDACT_PATH,	     /* component by component; programs and libraries of the system stay */
	PV_REDACT_UNIT,	     /* those every systemd has stay; so do types and numbers of sessions */
	PV_REDACT_CGROUP,    /* a path of units */
	PV_REDACT_CONTAINER, /* an id or a name */
	PV_REDACT_INTERFACE, /* ordinary names such as eth0 stay */
	PV_REDACT_SOCKET,    /* the name of a unix socket: a path, or abstract */
	PV_REDACT_TEXT,	     /* anything else: arguments, titles */
	PV_REDACT_KIND_N,
};
/*
 * The other text in *ret_text (NUL-terminated, for free()), *ret_len bytes. The same text of two
 * kinds gives two texts. 0, -EIO or -ENOMEM.
 */
int pv_redact_text(const struct pv_redactor *redactor, enum pv_redact_kind kind, const void *text,
		   size_t len, char **ret_text, size_t *ret_len);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
