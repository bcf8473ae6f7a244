/* SPDX-License-Identifier: MIT */
/*
 * A policy: what should be, in the filter language, and what must not be. See portavoz-policy(5).
 * Immutable once read; any thread may ask it.
 */
#ifndef PORTAVOZ_POLICY_H
#define PORTAVOZ_POLICY_H

#include <portavoz/filter.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define PV_POLICY_FILE "/etc/portavoz/policy"
#define PV_POLICY_FOLDER "/etc/portavoz/policy.d" /* its *.conf, in order of their names */

struct pv_policy;

enum pv_policy_kind {
	PV_POLICY_EXPECT, /* what matches is explained */
	PV_POLICY_NEVER,  /* what matches is suspicious */
	PV_POLICY_BLOCK,  /* a remote address that is on the list is suspicious */
	PV_POLICY_KIND_N,
};

/* One rule, as it was written. Everything belongs to the policy. */
struct pv_policy_rule {
	enum pv_policy_kind kind;
	bool always;	       /* expected at any time: missing as soon as nothing matches */
	uint32_t line;	       /* in file, from 1 */
	const char *file;      /* name of the file, as it was given */
	struct pv_bytes title; /* BLOCK: the name of the list's file, as it was opened */
	const char *filter;    /* BLOCK: "" */
	uint64_t every;	       /* seconds within which a match is expected; 0 = not said */
	uint64_t despite;      /* suspicious rules that are accepted: 1 << index of pv_rules() */
	size_t n_addresses; /* BLOCK: addresses and networks on the list, covered ones left out */
};

/* Where and why a policy was refused. */
struct pv_policy_error {
	char file[256];	    /* its name, cut on the left with "..." when longer; bytes */
	uint32_t line;	    /* from 1; 0 = the file as a whole */
	char text[256];	    /* of that line, what is around the place; bytes without control ones */
	size_t offset;	    /* of the place, in text */
	char message[192];  /* what is wrong; bytes, where it names a list */
	char expected[160]; /* what was expected, or "" */
};

/* An empty policy: it matches nothing. NULL = out of memory. */
struct pv_policy *pv_policy_new(void);
void pv_policy_free(struct pv_policy *policy);
/*
 * Adds the rules of a text, of a file, of PV_POLICY_FILE and PV_POLICY_FOLDER, behind those that
 * are there. `file` is how messages and pv_policy_rule name it; names of lists in it are relative
 * to its folder. Files must be regular, owned by root or by the effective user, and not writable
 * by others, nor by a group other than root's or the process's own, and so must the folder be: who
 * can write a policy decides what is explained. That neither default exists is no error.
 *
 * 0; -EINVAL (a line cannot be understood), -EPERM (the file is not to be trusted) or what reading
 * failed with, all with *error filled; -ENOMEM. After an error the policy is good only for
 * pv_policy_free(). `error` may be NULL.
 */
int pv_policy_add_text(struct pv_policy *policy, const char *file, const void *text, size_t len,
		       struct pv_policy_error *error);
int pv_policy_add_file(struct pv_policy *policy, const char *file, struct pv_policy_error *error);
int pv_policy_add_defaults(struct pv_policy *policy, struct pv_policy_error *error);

size_t pv_policy_count(const struct pv_policy *policy);
/* index < pv_policy_count() */
const struct pv_policy_rule *pv_policy_rule(const struct pv_policy *policy, size_t index);

/* What must be collected for the policy to be decided: PV_NEED_* */
uint32_t pv_policy_needs(const struct pv_policy *policy);

/*
 * The first rule that matches the conversation. true with its index; *ret_list_line is then the
 * line of the block list, 0 for other rules (may be NULL).
 */
bool pv_policy_match(const struct pv_policy *policy, const struct pv_snapshot *snapshot,
		     const struct pv_conversation *conversation, size_t *ret_index,
		     uint32_t *ret_list_line);

/* What the number of matches in one snapshot says about a rule. */
enum pv_policy_status {
	PV_POLICY_USED,
	PV_POLICY_UNUSED,    /* nothing matched, and nothing says that something should */
	PV_POLICY_MISSING,   /* nothing matched what is expected always */
	PV_POLICY_UNDECIDED, /* nothing matched now; "every" asks for history, which is not kept */
	PV_POLICY_STATUS_N,
};
enum pv_policy_status pv_policy_rule_status(const struct pv_policy_rule *rule, uint64_t matches);
const char *pv_policy_kind_name(enum pv_policy_kind kind);	 /* "expect", "never", "block" */
const char *pv_policy_status_name(enum pv_policy_status status); /* "used", "unused", ... */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
