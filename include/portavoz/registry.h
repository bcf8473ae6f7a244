/* SPDX-License-Identifier: MIT */
/*
 * The IANA Service Name and Transport Protocol Port Number Registry (RFC 6335), compiled in.
 * Everything returned is static data.
 */
#ifndef PORTAVOZ_REGISTRY_H
#define PORTAVOZ_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* RFC 6335 section 6: system 0-1023, user 1024-49151, dynamic 49152-65535. */
enum pv_port_group { PV_GROUP_WELL_KNOWN, PV_GROUP_REGISTERED, PV_GROUP_DYNAMIC, PV_GROUP_N };
enum pv_port_group pv_port_group(uint16_t port);
const char *
pv_port_group_name(enum pv_port_group group); /* "well-known", "registered", "dynamic" */

enum pv_transport {
	PV_TRANSPORT_TCP,
	PV_TRANSPORT_UDP,
	PV_TRANSPORT_SCTP,
	PV_TRANSPORT_DCCP,
	PV_TRANSPORT_N
};
const char *pv_transport_name(enum pv_transport transport);
int pv_transport_parse(const char *name, enum pv_transport *ret_transport); /* 0 or -ENOENT */
/* Whose port numbers a protocol has (UDP-Lite: those of UDP, RFC 3828); PV_TRANSPORT_N = no ports.
 */
enum pv_transport pv_proto_transport(enum pv_proto proto);

#define PV_SERVICE_PRIMARY 0x01	     /* the first name of this number and transport */
#define PV_SERVICE_UNREGISTERED 0x02 /* de facto use, not in the registry */

/* One row: a name for the numbers first..last on one transport. */
struct pv_service {
	uint16_t first, last;
	uint8_t transport; /* enum pv_transport */
	uint8_t flags;	   /* PV_SERVICE_* */
	const char *name;
	const char *description; /* "" when the registry has none */
};

/* Primary row of a number, or NULL. Constant time; made for a million calls. */
const struct pv_service *pv_service_by_port(uint16_t port, enum pv_transport transport);
/*
 * Rows with that name (case-insensitive, aliases too), or for that number (all transports, primary
 * first). Start with *cursor = 0; returns NULL at the end.
 */
const struct pv_service *pv_service_next_by_name(const char *name, size_t *cursor);
const struct pv_service *pv_service_next_by_port(uint16_t port, size_t *cursor);
/* All rows, in order of number, transport, primary first. */
size_t pv_service_count(void);
struct pv_service pv_service_at(size_t index); /* index < pv_service_count() */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
