/* SPDX-License-Identifier: MIT */
/*
 * "portavoz netstat", or the program called netstat: the options and the text of net-tools 2.10's
 * netstat, byte for byte, so that habits and scripts go on. One file a mode. What differs: hostile
 * bytes in names are escaped, messages about wrong use are portavoz's, host names have a budget of
 * time, and the statistics are explained in words of our own.
 */
#ifndef CLI_NETSTAT_NETSTAT_H
#define CLI_NETSTAT_NETSTAT_H

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "cli/services.h"

#define NETSTAT_EXIT_USAGE 3

/* Families as -A names them. */
#define NETSTAT_UNIX 0x001
#define NETSTAT_INET 0x002
#define NETSTAT_INET6 0x004
#define NETSTAT_IPX 0x008
#define NETSTAT_AX25 0x010
#define NETSTAT_X25 0x020
#define NETSTAT_NETROM 0x040
#define NETSTAT_ROSE 0x080
#define NETSTAT_DDP 0x100
#define NETSTAT_BLUETOOTH 0x200

#define NETSTAT_ROUTES 0x01
#define NETSTAT_INTERFACES 0x02
#define NETSTAT_GROUPS 0x04
#define NETSTAT_STATISTICS 0x08
#define NETSTAT_MASQUERADE 0x10

#define NETSTAT_NUMERIC_HOSTS 0x1
#define NETSTAT_NUMERIC_PORTS 0x2
#define NETSTAT_NUMERIC_USERS 0x4
#define NETSTAT_NUMERIC 0x7

struct netstat_values {
	uint32_t protos;   /* PV_PROTO_BIT() of those named, unix not among them */
	uint32_t families; /* NETSTAT_UNIX... of those named */
	uint32_t modes;	   /* NETSTAT_ROUTES... */
	uint32_t numeric;  /* NETSTAT_NUMERIC_* */
	uint32_t extended; /* how often -e was given */
	bool all, listening, timers, programs, verbose, wide, continuous, symbolic;
	bool fib, cache, context, version, windows, binaries;
	uint32_t dns_timeout_ms;
	const char *dns_servers;
	const char *wrong_family; /* of -A; NULL = none */
	bool is_repeated;	  /* of -c: not the first time */
	const char *redact;
	struct pv_redactor *redactor; /* NULL = nothing is renamed; then numeric has hosts, ports */
};

/* Each appends what it shows to *b, and returns the exit status or -errno. */
int netstat_sockets(const struct netstat_values *v, struct buf *b);
int netstat_routes(const struct netstat_values *v, struct buf *b);
int netstat_interfaces(const struct netstat_values *v, struct buf *b);
int netstat_groups(const struct netstat_values *v, struct buf *b);
int netstat_statistics(const struct netstat_values *v, struct buf *b);
int netstat_windows(const struct netstat_values *v, struct buf *b);

/* "netstat: no support for `AF IPX' on this system." to stderr; returns 1 */
int netstat_no_support(const char *what);

/* The interface as "netstat -i -e" shows it. */
void netstat_put_interface(struct buf *b, const struct pv_interface *i);

/*
 * Appends what a counter of the kernel means; group is "Tcp", name "RetransSegs". false = a counter
 * that is newer than this program.
 */
bool netstat_explain(struct buf *b, const char *group, const char *name);

/* names.c: what numbers are called. */

/* A host: its name if there is one, else the address. */
void netstat_put_host(struct buf *b, int family, const uint8_t *addr, const char *name,
		      bool numeric);
/*
 * Looks up addresses unless -n forbids it. 0 and the owner for pv_names_free(), NULL when nothing
 * was asked; -errno.
 */
int netstat_resolve(const struct netstat_values *v, struct pv_name *names, size_t n,
		    struct pv_names **ret_owner);

/* "*" for none, a service, or the number; of a raw socket the protocol it receives. */
void netstat_put_port(struct buf *b, const struct services *s, const struct pv_conversation *row,
		      uint32_t port, bool numeric);

/* Foreign bytes as net-tools cuts them, but escaped. */
void netstat_put_foreign(struct buf *b, const char *data, size_t len);

/* The holder that net-tools would name and what it calls it; false = none. */
bool netstat_program(const struct pv_snapshot *s, const struct pv_conversation *row,
		     int32_t *ret_pid, struct pv_bytes *ret_name);

#endif
