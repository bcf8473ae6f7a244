/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/filter_text.h"
#include "cli/options.h"

#define WIDTH_UNKNOWN 80

size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
									   : WIDTH_UNKNOWN;
}

bool terminal_is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

bool terminal_color(int choice)
{
	const char *term = getenv("TERM"), *off = getenv("NO_COLOR");

	if (choice != 0)
		return choice == 1;
	return isatty(STDOUT_FILENO) && !(off && off[0]) && term && strcmp(term, "dumb");
}

void cleanup_view(struct view *v)
{
	free(v->columns);
	free(v->sort);
}

int view_parse(const char *columns, const char *sort, const char *defaults, struct view *view)
{
	struct columns_error error;
	int r = columns_parse(columns, defaults, &view->columns, &view->n_columns, &error);

	if (r == -EINVAL)
		print_caret("--columns", columns, error.offset, error.message, NULL);
	if (r < 0 || !sort)
		return r;
	r = columns_parse_sort(sort, &view->sort, &view->n_sort, &error);
	if (r == -EINVAL)
		print_caret("--sort", sort, error.offset, error.message, NULL);
	return r;
}

int say_coverage(const struct pv_snapshot *s, const char *what, bool verbose, bool strict)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const struct pv_coverage *coverage = pv_snapshot_coverage(s);

	if ((verbose || isatty(STDERR_FILENO)) &&
	    render_coverage_line(coverage, verbose, &b) == 0 && b.len) {
		if (what)
			usage_error(what, "not everything could be seen:");
		fwrite(b.data, 1, b.len, stderr);
	}
	return strict && !coverage->complete ? EXIT_PARTIAL : EXIT_SUCCESS;
}
