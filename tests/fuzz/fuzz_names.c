/* SPDX-License-Identifier: MIT */
/*
 * DNS answers, hosts files and recorded names from anywhere. The first byte chooses the parser.
 * Whatever comes in, a name that comes out is fit to be shown.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "names/names-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	if (!names_is_fit(name, strlen(name)))
		abort();
}

static void try_answer(const uint8_t *data, size_t size)
{
	char name[NAMES_LENGTH_MAX + 1];
	enum names_result result;

	if (names_parse_answer(data, size, "1.0.0.192.in-addr.arpa", &result, name) == 0 &&
	    result == NAMES_OK)
		check_name(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names_query q[2] = { { .family = AF_INET, .addr = { 192, 0, 0, 1 } },
				    { .family = AF_INET6, .addr = { 0x20, 1, 0xd, 0xb8 } } };
	struct names_query *items[2] = { &q[0], &q[1] };
	struct names_set set = { items, 2 };
	struct arena arena = ARENA_INIT;
	struct names_stats stats = { 0 };

	if (size == 0)
		return 0;
	if (data[0] == 'a')
		try_answer(data + 1, size - 1);
	else if (data[0] == 'h')
		names_parse_hosts(&arena, &set, (const char *)data + 1, size - 1);
	else
		names_parse_recording(&arena, &set, (const char *)data + 1, size - 1, &stats);
	for (int i = 0; i < 2; i++)
		if (q[i].ret_name)
			check_name(q[i].ret_name);
	arena_deinit(&arena);
	return 0;
}
