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

struct widths {
	size_t name, type;
};

static size_t longer(size_t width, const char *text)
{
	return strlen(text) > width ? strlen(text) : width;
}

static struct widths measure(const struct column *columns, size_t n)
{
	struct widths w = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		w.name = longer(w.name, columns[i].name);
		w.type = longer(w.type, column_type_name(columns[i].type));
	}
	return w;
}

static void put_line(struct buf *b, struct widths w, const char *name, const char *type,
		     const char *help)
{
	size_t start = b->len;

	buf_printf(b, "%-*s  %-*s  ", (int)w.name, name, (int)w.type, type);
	text_wrap(b, help, b->len - start, b->len - start);
}

static int run_columns(int argc, char **argv)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct widths w;
	size_t n;
	const struct column *columns = columns_all(&n);
	int first, r = command_options(&command_columns, argc, argv, NULL, &first);

	if (r >= 0)
		return r;
	if (first < argc) {
		usage_error(argv[first], "takes no arguments");
		return EXIT_USAGE;
	}
	w = measure(columns, n);
	put_line(&b, w, "COLUMN", "TYPE", "MEANING");
	for (size_t i = 0; i < n; i++)
		put_line(&b, w, columns[i].name, column_type_name(columns[i].type),
			 columns[i].help);
	return print_stdout(&b);
}
