/* SPDX-License-Identifier: MIT */
/*
 * Host names of addresses: the hosts file first, then reverse DNS, all questions at once within one
 * budget of time. A name is a claim of whoever runs the peer's DNS, so what could pass for an
 * address or disturb a reader is refused here, before anyone can show it.
 */
#ifndef NAMES_NAMES_H
#define NAMES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/tape.h"

#define NAMES_LENGTH_MAX 253 /* RFC 1035 section 2.3.4, as text without the last dot */

enum names_result {
	NAMES_NONE,	    /* the address has no name: NXDOMAIN, or no PTR record */
	NAMES_OK,	    /* ret_name is set */
	NAMES_NO_ANSWER,    /* none within the budget, or the servers failed or are not there */
	NAMES_REFUSED,	    /* the name imitates an address, or holds bytes unfit for a name */
	NAMES_NOT_RECORDED, /* the recording does not hold this address */
	NAMES_N,
};

struct names_query {
	int family; /* AF_INET or AF_INET6; v4-mapped addresses are looked up as IPv4 */
	uint8_t addr[16];
	enum names_result result;
	const char *ret_name; /* in options->arena; NULL unless NAMES_OK */
};

struct names_options {
	struct arena *arena;
	struct tape *tape;	/* NULL = live */
	const char *servers;	/* "addr[:port],..."; NULL = as /etc/resolv.conf says */
	const char *hosts_path; /* NULL = /etc/hosts */
	int budget_ms;		/* for all questions together; <= 0 asks no server */
};

/* Counts of distinct addresses. */
struct names_stats {
	size_t n[NAMES_N];
	size_t malformed; /* lines of the recording that could not be understood */
	char cause[96];	  /* why there was no answer, "" when there is no such address */
};

/*
 * Fills result and ret_name of n queries; equal addresses are asked once. Returns 0 (also when
 * nobody answers); -ENODATA: the recording has no names at all; -EINVAL: servers is malformed;
 * -ENOMEM; or what recording failed with.
 */
int names_resolve(const struct names_options *options, struct names_query *queries, size_t n,
		  struct names_stats *ret_stats);

/* true when these bytes are fit to be shown in place of an address */
bool names_is_fit(const char *name, size_t len);

#endif
