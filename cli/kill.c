/* SPDX-License-Identifier: MIT */
#include "cli/kill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/options.h"
#include "ui/columns/columns.h"

int kill_refuse(const struct pv_filter *filter, bool all, bool yes)
{
	if (!all && (!filter || pv_filter_selects_all(filter))) {
		usage_error("--kill", "needs a filter that leaves some socket out, or --all to "
				      "close every one it lists");
		return EXIT_USAGE;
	}
	if (!yes && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
		usage_error("--kill", "asks first, which takes a terminal; --yes closes unasked");
		return EXIT_USAGE;
	}
	return 0;
}

bool kill_ask(size_t n)
{
	char answer[16];

	fprintf(stderr, n == 1 ? "Close this socket? [y/N] " : "Close these %zu sockets? [y/N] ",
		n);
	fflush(stderr);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* "tcp LISTEN 127.0.0.1:80 *" */
static void put_row(const struct pv_snapshot *snapshot, const struct pv_conversation *row,
		    struct buf *b)
{
	static const char *const names[] = { "proto", "state", "local", "remote" };
	struct column_context context = { .snapshot = snapshot, .numeric = true };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (i)
			buf_putc(b, ' ');
		column_put(columns_find(names[i], strlen(names[i])), &context, row, b, 0);
	}
}

static void say_left(const struct pv_snapshot *snapshot, const struct pv_conversation *row,
		     int error)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	buf_puts(&b, "portavoz: not closed: ");
	put_row(snapshot, row, &b);
	buf_printf(&b, ": %s\n", pv_kill_text(row, error));
	fputs(buf_str(&b) ? buf_str(&b) : "portavoz: out of memory\n", stderr);
}

/*
 * A connection that is gone leaves nothing to close: it ended by itself, or because its other end,
 * which matched too, was closed before it. Of a port that is shared the same error tells less.
 */
static bool is_failure(const struct pv_conversation *row, int error)
{
	return error != -ENOENT || row->state == PV_STATE_LISTEN || row->state == PV_STATE_CLOSE;
}

int kill_rows(const struct pv_snapshot *snapshot, bool *is_left)
{
	size_t n = pv_snapshot_count(snapshot);
	_cleanup_(cleanup_free) const struct pv_conversation **rows = calloc(n + 1, sizeof(*rows));
	_cleanup_(cleanup_free) int *errors = calloc(n + 1, sizeof(*errors));
	int r = rows && errors ? 0 : -ENOMEM, status = EXIT_SUCCESS;
	size_t n_rows = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (!is_left[i])
			rows[n_rows++] = pv_snapshot_get(snapshot, i);
	if (r == 0)
		r = pv_kill(snapshot, rows, n_rows, errors);
	for (size_t i = 0, k = 0; r == 0 && i < n; i++) {
		if (is_left[i])
			continue;
		is_left[i] = errors[k] < 0;
		if (is_left[i]) {
			say_left(snapshot, rows[k], errors[k]);
			if (is_failure(rows[k], errors[k]))
				status = EXIT_FAILURE;
		}
		k++;
	}
	if (r < 0)
		usage_error("--kill", "%s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : status;
}
