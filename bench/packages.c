/* SPDX-License-Identifier: MIT */
/*
 * packages ROOT PATH...: looks the paths up in the package database below ROOT, as one run of the
 * judge does, and prints how long that took in seconds and how many it found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge/packages.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	size_t n = argc > 2 ? (size_t)argc - 2 : 0, found = 0;
	struct package_query *queries = calloc(n + 1, sizeof(*queries));
	const struct package_provider *provider = argc > 1 ? packages_provider(argv[1]) : NULL;
	double start;
	int r;

	if (!provider || !queries)
		return 1;
	for (size_t i = 0; i < n; i++)
		queries[i].path = (struct pv_bytes){ argv[i + 2], (uint32_t)strlen(argv[i + 2]) };
	start = now();
	r = provider->find(argv[1], queries, n, &arena);
	for (size_t i = 0; i < n; i++)
		found += queries[i].package.len > 0;
	printf("%.6f %zu\n", now() - start, found);
	arena_deinit(&arena);
	free(queries);
	return r < 0;
}
