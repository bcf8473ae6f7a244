/* SPDX-License-Identifier: MIT */
/* The rules as people see them; who tests them is lib/judge. */
#include <errno.h>
#include <string.h>

#include <portavoz/judge.h>

#define RULE(name, id, severity, scope, facts, test, looks_at, sentence, about)                    \
	{ id, PV_SEVERITY_##severity, looks_at, sentence, about },

static const struct pv_rule rules[] = {
#include "model/rules.def"
};
#undef RULE

const struct pv_rule *pv_rules(size_t *ret_n)
{
	*ret_n = sizeof(rules) / sizeof(*rules);
	return rules;
}

int pv_rule_find(const char *id, size_t len)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (strlen(rules[i].id) == len && !memcmp(rules[i].id, id, len))
			return (int)i;
	return -ENOENT;
}
