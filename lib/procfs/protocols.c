/* SPDX-License-Identifier: MIT */
#include "procfs/protocols.h"

#include <stdbool.h>
#include <string.h>

static size_t word(const char *text, size_t len, size_t *at)
{
	size_t start;

	while (*at < len && text[*at] == ' ')
		(*at)++;
	start = *at;
	while (*at < len && text[*at] != ' ' && text[*at] != '\n')
		(*at)++;
	return *at - start;
}

static bool is_name(const char *text, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len < n || memcmp(text, name, n) != 0)
		return false;
	return len == n || (len == n + 2 && !memcmp(text + n, "v6", 2));
}

/* The third word of the line: -1 where the kernel does not count. */
static int64_t sockets_of(const char *line, size_t len, size_t at)
{
	int64_t n = 0;
	size_t digits;

	word(line, len, &at);
	digits = word(line, len, &at);
	for (size_t i = at - digits; i < at; i++) {
		if (line[i] < '0' || line[i] > '9' || n > UINT32_MAX)
			return PROCFS_SOCKETS_UNKNOWN;
		n = n * 10 + (line[i] - '0');
	}
	return digits ? n : PROCFS_SOCKETS_UNKNOWN;
}

int64_t procfs_protocols_parse(const char *text, size_t len, const char *name)
{
	int64_t sum = PROCFS_NO_PROTOCOL;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len, at = 0;
		size_t n = word(text, line, &at);

		if (n && is_name(text + at - n, n, name)) {
			int64_t sockets = sockets_of(text, line, at);

			if (sockets < 0 || sum == PROCFS_SOCKETS_UNKNOWN)
				sum = PROCFS_SOCKETS_UNKNOWN;
			else
				sum = sum < 0 ? sockets : sum + sockets;
		}
		text += end ? line + 1 : line;
		len -= end ? line + 1 : line;
	}
	return sum;
}

int64_t procfs_count_protocol(struct tape *t, const char *name)
{
	struct buf b = BUF_INIT;
	int64_t n = PROCFS_SOCKETS_UNKNOWN;

	if (tape_proc_read(t, -1, "net/protocols", &b) == 0)
		n = procfs_protocols_parse(b.data ? b.data : "", b.len, name);
	buf_deinit(&b);
	return n;
}
