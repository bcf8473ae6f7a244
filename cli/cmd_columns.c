/* SPDX-License-Identifier: MIT */
/* portavoz columns: every column with its type and what it says, from the column registry. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "ui/columns/columns.h"

static const struct option_def columns_options[] = { { 0 } };

static int run_columns(int argc, char **argv);

const struct command command_columns = {
	.name = "columns",
	.summary = "list the columns with type and meaning",
	.usage = "",
	.about = "A composed column stands for several: machine formats write its parts.\n"
		 "See portavoz-columns(7).",
	.defs = columns_options,
	.run = run_columns,
};

static size_t longest_name(const struct column *columns, size_t n)
{
	size_t longest = 0;

	for (size_t i = 0; i < n; i++)
		if (strlen(columns[i].name) > longest)
			longest = strlen(columns[i].name);
	return longest;
}

static void put_line(struct buf *b, size_t width, const char *name, const char *type,
		     const char *help)
{
	size_t start = b->len;

	buf_printf(b, "%-*s  %-9s ", (int)width, name, type);
	text_wrap(b, help, b->len - start, b->len - start);
}

static int run_columns(int argc, char **argv)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t n, width;
	const struct column *columns = columns_all(&n);
	int first, r = command_options(&command_columns, argc, argv, NULL, &first);

	if (r >= 0)
		return r;
	if (first < argc) {
		usage_error(argv[first], "takes no arguments");
		return EXIT_USAGE;
	}
	width = longest_name(columns, n);
	put_line(&b, width, "COLUMN", "TYPE", "MEANING");
	for (size_t i = 0; i < n; i++)
		put_line(&b, width, columns[i].name, column_type_name(columns[i].type),
			 columns[i].help);
	return print_stdout(&b);
}
