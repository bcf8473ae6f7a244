/* SPDX-License-Identifier: MIT */
/* The inside of a policy: rules in the order of the files, each with its filter or its list. */
#ifndef JUDGE_POLICY_INTERNAL_H
#define JUDGE_POLICY_INTERNAL_H

#include <portavoz/policy.h>

#include "base/arena.h"
#include "base/buf.h"
#include "judge/block.h"

#define POLICY_FILE_MAX ((size_t)16 << 20)
#define BLOCK_FILE_MAX ((size_t)256 << 20)
#define POLICY_RULES_MAX 100000

struct policy_rule {
	struct pv_policy_rule public;
	struct pv_filter *filter; /* NULL for BLOCK */
	struct block block;
};

struct pv_policy {
	struct arena arena;
	VEC(struct policy_rule) rules;
	uint32_t needs;
};

/* One text on its way into a policy. */
struct policy_reader {
	struct pv_policy *policy;
	struct pv_policy_error *error; /* never NULL */
	const char *file;	       /* lies in the policy */
	const char *text, *end;	       /* of the line */
	uint32_t line;
};

/* Room for a rule that policy_free() can free. NULL = out of memory. */
struct policy_rule *policy_rule_new(struct policy_reader *p);

/* policy_parse.c: one line without its newline. 0, -EINVAL with the error set, or as reading. */
int policy_parse_line(struct policy_reader *p);

/* policy_file.c: a file that is to be trusted. 0, or a negative errno with the error set. */
int policy_file_read(const char *file, size_t max, struct buf *b, struct pv_policy_error *error);
/* Reads the list that a rule of p names at that place, relative to the folder of p->file. */
int policy_block_read(struct policy_reader *p, const char *at, const char *name,
		      struct policy_rule *rule);

/*
 * The error at `at`, which points into the line start...end. Returns -EINVAL. `expected` may be
 * NULL.
 */
int policy_fail(struct pv_policy_error *error, const char *file, uint32_t line, const char *start,
		const char *end, const char *at, const char *message, const char *expected);
void policy_error_file(struct pv_policy_error *error, const char *file);

#endif
