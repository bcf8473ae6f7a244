/* SPDX-License-Identifier: MIT */
/* A policy as a value: rules in order, the first that matches decides. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "judge/policy-internal.h"

/* What a message shows of a long line. */
#define SHOWN 200
#define SHOWN_BEFORE 120

struct pv_policy *pv_policy_new(void)
{
	return calloc(1, sizeof(struct pv_policy));
}

void pv_policy_free(struct pv_policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->rules.n; i++) {
		pv_filter_free(p->rules.items[i].filter);
		block_deinit(&p->rules.items[i].block);
	}
	vec_deinit(&p->rules);
	arena_deinit(&p->arena);
	free(p);
}

struct policy_rule *policy_rule_new(struct policy_reader *p)
{
	struct policy_rule rule = { .public = { .file = p->file, .line = p->line, .filter = "" } };

	if (vec_push(&p->policy->rules, rule) < 0)
		return NULL;
	return &p->policy->rules.items[p->policy->rules.n - 1];
}

void policy_error_file(struct pv_policy_error *error, const char *file)
{
	size_t len = strlen(file), max = sizeof(error->file) - 1;

	if (len <= max)
		memcpy(error->file, file, len + 1);
	else
		snprintf(error->file, sizeof(error->file), "...%s", file + len - (max - 3));
}

int policy_fail(struct pv_policy_error *error, const char *file, uint32_t line, const char *start,
		const char *end, const char *at, const char *message, const char *expected)
{
	const char *from = at - start > SHOWN_BEFORE ? at - SHOWN_BEFORE : start;
	size_t n = (size_t)(end - from) < SHOWN ? (size_t)(end - from) : SHOWN;

	*error = (struct pv_policy_error){ .line = line, .offset = (size_t)(at - from) };
	policy_error_file(error, file);
	for (size_t i = 0; i < n; i++)
		error->text[i] = (unsigned char)from[i] < ' ' ? ' ' : from[i];
	snprintf(error->message, sizeof(error->message), "%s", message);
	snprintf(error->expected, sizeof(error->expected), "%s", expected ? expected : "");
	return -EINVAL;
}

int pv_policy_add_text(struct pv_policy *policy, const char *file, const void *text, size_t len,
		       struct pv_policy_error *error)
{
	struct pv_policy_error ignored;
	struct policy_reader p = { .policy = policy, .error = error ? error : &ignored };
	const char *at = text, *end = at + len;
	int r = 0;

	p.file = arena_strdup(&policy->arena, file);
	if (!p.file)
		return -ENOMEM;
	while (r == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		p.text = at;
		p.end = newline ? newline : end;
		p.line++;
		r = policy_parse_line(&p);
		at = p.end + 1;
	}
	return r;
}

size_t pv_policy_count(const struct pv_policy *p)
{
	return p->rules.n;
}

const struct pv_policy_rule *pv_policy_rule(const struct pv_policy *p, size_t index)
{
	return &p->rules.items[index].public;
}

uint32_t pv_policy_needs(const struct pv_policy *p)
{
	return p->needs;
}

static uint32_t listed(const struct block *b, const struct pv_conversation *c)
{
	const struct block_entry *e;

	if ((c->family != AF_INET && c->family != AF_INET6) ||
	    inet_is_any(c->family, c->remote.addr))
		return 0;
	e = block_find(b, c->family, c->remote.addr);
	return e ? e->line : 0;
}

bool pv_policy_match(const struct pv_policy *p, const struct pv_snapshot *s,
		     const struct pv_conversation *c, size_t *ret_index, uint32_t *ret_list_line)
{
	for (size_t i = 0; i < p->rules.n; i++) {
		const struct policy_rule *rule = &p->rules.items[i];
		uint32_t line = rule->filter ? 0 : listed(&rule->block, c);

		if (rule->filter ? !pv_filter_match(rule->filter, s, c) : !line)
			continue;
		*ret_index = i;
		if (ret_list_line)
			*ret_list_line = line;
		return true;
	}
	return false;
}

enum pv_policy_status pv_policy_rule_status(const struct pv_policy_rule *rule, uint64_t matches)
{
	if (matches)
		return PV_POLICY_USED;
	if (rule->kind != PV_POLICY_EXPECT)
		return PV_POLICY_UNUSED;
	return rule->always  ? PV_POLICY_MISSING
	       : rule->every ? PV_POLICY_UNDECIDED
			     : PV_POLICY_UNUSED;
}

const char *pv_policy_kind_name(enum pv_policy_kind kind)
{
	static const char *const names[PV_POLICY_KIND_N] = { "expect", "never", "block" };

	return kind < PV_POLICY_KIND_N ? names[kind] : "unknown";
}

const char *pv_policy_status_name(enum pv_policy_status status)
{
	static const char *const names[PV_POLICY_STATUS_N] = { "used", "unused", "missing",
							       "undecided" };

	return status < PV_POLICY_STATUS_N ? names[status] : "unknown";
}
