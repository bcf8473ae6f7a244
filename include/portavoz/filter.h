/* SPDX-License-Identifier: MIT */
/* The filter language: ss's grammar plus owner-side fields. See portavoz-filter(7). */
#ifndef PORTAVOZ_FILTER_H
#define PORTAVOZ_FILTER_H

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Where parsing stopped and what would have been right there. */
struct pv_syntax_error {
	size_t offset;	    /* bytes from the start of the text */
	size_t length;	    /* bytes of the offending word, 0 at the end */
	char message[160];  /* what is wrong */
	char expected[160]; /* what was expected, or "" */
};

/*
 * Parses a filter. Returns 0 and a filter for pv_filter_free(); -EINVAL with *error filled;
 * -ENOMEM. An empty text gives a filter that matches everything. `error` may be NULL.
 */
int pv_filter_parse(const char *text, struct pv_filter **ret_filter, struct pv_syntax_error *error);
/*
 * The same as ss (iproute2 6.1) reads it: "and" and "or" bind alike, from left to right; the path
 * of a control group, which is looked up now, means that of the socket, not of its holders; hosts
 * and ports that name no family mean `family` (AF_INET, AF_INET6, AF_UNIX, AF_PACKET, AF_NETLINK,
 * AF_VSOCK), as after "ss -f FAMILY"; AF_UNSPEC = any.
 */
int pv_filter_parse_ss(const char *text, int family, struct pv_filter **ret_filter,
		       struct pv_syntax_error *error);
void pv_filter_free(struct pv_filter *filter);
/* true when it matches everything because the text said nothing */
bool pv_filter_is_empty(const struct pv_filter *filter);
/*
 * true when every conversation matches, whatever its facts and its state: an empty text, "state
 * all", "not state listening", "src * or dport 22". Without memory to find out it is true.
 */
bool pv_filter_selects_all(const struct pv_filter *filter);

/* What must be collected for this filter to be decided: PV_NEED_* */
uint32_t pv_filter_needs(const struct pv_filter *filter);
/* States that can match: PV_STATE_BIT() mask (from "state"/"exclude" clauses); PV_STATE_ALL when
 * none was named */
uint32_t pv_filter_states(const struct pv_filter *filter);
/* true when the text has a "state" or "exclude" clause, which replaces a command's default states
 */
bool pv_filter_has_states(const struct pv_filter *filter);

/* Does the conversation match? Facts not collected count as "no match" of the predicate naming
 * them. */
bool pv_filter_match(const struct pv_filter *filter, const struct pv_snapshot *snapshot,
		     const struct pv_conversation *conversation);

/*
 * The part the kernel can decide, as inet_diag bytecode (linux/inet_diag.h, struct
 * inet_diag_bc_op). It matches a superset of what pv_filter_match() matches. *ret_code is for
 * free(); NULL and 0 when nothing can be lowered. `ipv6` tells which family is dumped. Returns 0 or
 * -ENOMEM.
 */
int pv_filter_lower(const struct pv_filter *filter, bool ipv6, void **ret_code, size_t *ret_size);

/* The field names of the language with help, for completion and manuals. */
struct pv_filter_field {
	const char *name;
	const char *values; /* "NAME", "PID", "incoming|outgoing|..." */
	const char *help;
};
const struct pv_filter_field *pv_filter_fields(size_t *ret_n);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
