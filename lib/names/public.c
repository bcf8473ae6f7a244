/* SPDX-License-Identifier: MIT */
/* Names of any addresses, for callers outside of a snapshot. */
#include <portavoz/names.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names/names.h"

struct pv_names {
	struct arena arena;
};

static int resolve(struct names_query *queries, struct pv_name *names, size_t n,
		   const struct names_options *options)
{
	struct names_stats stats = { 0 };
	int r;

	for (size_t i = 0; i < n; i++) {
		queries[i].family = names[i].family;
		memcpy(queries[i].addr, names[i].addr, sizeof(queries[i].addr));
	}
	r = names_resolve(options, queries, n, &stats);
	for (size_t i = 0; i < n; i++)
		names[i].name = r == 0 ? queries[i].ret_name : NULL;
	return r;
}

int pv_names_resolve(struct pv_name *names, size_t n, int timeout_ms, const char *servers,
		     struct pv_names **ret_names)
{
	struct pv_names *owner = calloc(1, sizeof(*owner));
	struct names_query *queries = calloc(n ? n : 1, sizeof(*queries));
	int r = -ENOMEM;

	if (owner && queries) {
		struct names_options options = { .arena = &owner->arena,
						 .servers = servers,
						 .budget_ms = timeout_ms };

		r = n ? resolve(queries, names, n, &options) : 0;
	}
	free(queries);
	if (r < 0) {
		pv_names_free(owner);
		return r;
	}
	*ret_names = owner;
	return 0;
}

void pv_names_free(struct pv_names *names)
{
	if (!names)
		return;
	arena_deinit(&names->arena);
	free(names);
}
