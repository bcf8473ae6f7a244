/* SPDX-License-Identifier: MIT */
/*
 * Policies from anywhere, but for the lists they name: no file is opened here. An error points into
 * what it shows of the line; a policy that parses gives back rules that parse.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "judge/policy-internal.h"
#include "model/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint32_t pv_snapshot_service_port(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	(void)s;
	return c->local.port;
}

static bool names_list(const uint8_t *data, size_t size)
{
	return size && memmem(data, size, "block", 5);
}

static void match(const struct pv_policy *p)
{
	struct pv_conversation c = { .family = AF_INET,
				     .proto = PV_PROTO_TCP,
				     .state = PV_STATE_ESTABLISHED,
				     .remote = { { 192, 0, 2, 1 }, 443 } };
	struct pv_snapshot *s = snapshot_new();
	size_t index;

	if (!s)
		return;
	snapshot_seal(s);
	if (pv_policy_match(p, s, &c, &index, NULL) && index >= pv_policy_count(p))
		abort();
	pv_snapshot_free(s);
}

/* What a rule says of itself is enough to write it again. */
static void check_rules(const struct pv_policy *p)
{
	for (size_t i = 0; i < pv_policy_count(p); i++) {
		const struct pv_policy_rule *rule = pv_policy_rule(p, i);
		struct pv_filter *f = NULL;

		if (!rule->line || !rule->title.len ||
		    memchr(rule->filter, '\n', strlen(rule->filter)))
			abort();
		if (pv_filter_parse(rule->filter, &f, NULL) == -EINVAL)
			abort();
		pv_filter_free(f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pv_policy *p = pv_policy_new();
	struct pv_policy_error e = { 0 };
	int r;

	if (!p || names_list(data, size)) {
		pv_policy_free(p);
		return 0;
	}
	r = pv_policy_add_text(p, "policy", size ? (const char *)data : "", size, &e);
	if (r == -EINVAL && (!e.message[0] || !e.line || e.offset > strlen(e.text)))
		abort();
	if (r == 0) {
		match(p);
		check_rules(p);
	}
	pv_policy_free(p);
	return 0;
}
