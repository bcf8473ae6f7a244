/* SPDX-License-Identifier: MIT */
/* The registry of columns, its lists, and the manual that repeats it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "ui/columns/columns.h"

static void columns_are_complete(void **state)
{
	size_t n;
	const struct column *all = columns_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_non_null(all[i].name);
		assert_int_equal(strspn(all[i].name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(all[i].name));
		assert_ptr_equal(columns_find(all[i].name, strlen(all[i].name)), &all[i]);
		assert_non_null(all[i].title);
		assert_int_equal(all[i].help[strlen(all[i].help) - 1], '.');
		if (all[i].type == COLUMN_COMPOSED) {
			assert_non_null(all[i].parts);
			assert_non_null(all[i].put);
		} else {
			assert_null(all[i].parts);
			assert_non_null(all[i].get);
		}
		assert_string_not_equal(column_type_name(all[i].type), "unknown");
	}
}

/* "a,b" for what a list was parsed to, or the message */
static void assert_list(const char *list, const char *defaults, const char *expected)
{
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct columns_error error = { 0 };
	size_t n = 0;
	int r = columns_parse(list, defaults, &columns, &n, &error);

	if (r == -EINVAL)
		buf_printf(&b, "%zu+%zu %s", error.offset, error.length, error.message);
	for (size_t i = 0; r == 0 && i < n; i++)
		buf_printf(&b, "%s%s", i ? "," : "", columns[i]->name);
	assert_string_equal(buf_str(&b), expected);
}

static void columns_lists(void **state)
{
	(void)state;
	assert_list(NULL, "proto,state", "proto,state");
	assert_list("pid,fd", "proto,state", "pid,fd");
	assert_list("+pid,-proto", "proto,state", "state,pid");
	assert_list("-state", "proto,state", "proto");
	assert_list("pid,pid", "proto", "pid");
	assert_list("pid,+fd,-pid", "proto", "fd");
	assert_list("-proto", "proto", "0+6 no column is left");
	assert_list("stat", "proto", "0+4 no column is called \"stat\"; did you mean state?");
	assert_list("pid,remot_addr", "proto",
		    "4+10 no column is called \"remot_addr\"; did you mean remote_addr?");
	assert_list("+zzzzzzz", "proto", "1+7 no column is called \"zzzzzzz\"");
	assert_list("pid,,fd", "proto", "4+0 a column's name is missing");
	assert_list("pid,\033[2J", "proto", "4+4 no column is called \"\\x1b[2J\"");
	assert_list(COLUMNS_TABLE, "pid", COLUMNS_TABLE);
	assert_list(COLUMNS_MACHINE, "pid", COLUMNS_MACHINE);
}

static void columns_all_and_parts(void **state)
{
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	_cleanup_(cleanup_free) const struct column **expanded = NULL;
	size_t n, n_expanded;

	(void)state;
	assert_int_equal(columns_parse("all", "pid", &columns, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		assert_null(columns[i]->parts);
	free(steal_ptr(&columns));
	assert_int_equal(columns_parse("local_port,local,process", "", &columns, &n, NULL), 0);
	assert_int_equal(columns_expand(columns, n, &expanded, &n_expanded), 0);
	assert_string_equal(expanded[0]->name, "local_port");
	assert_string_equal(expanded[1]->name, "local_addr");
	for (size_t i = 0; i < n_expanded; i++)
		assert_null(expanded[i]->parts);
}

static void columns_say_what_they_need(void **state)
{
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	size_t n;

	(void)state;
	assert_int_equal(columns_parse("proto,remote,cmdline", "", &columns, &n, NULL), 0);
	assert_int_equal(columns_needs(columns, n, false),
			 PV_NEED_DIRECTION | PV_NEED_NAMES | PV_NEED_OWNERS | PV_NEED_CMDLINE);
	assert_int_equal(columns_needs(columns, n, true),
			 PV_NEED_DIRECTION | PV_NEED_OWNERS | PV_NEED_CMDLINE);
}

/* The manual's list, as one "name type help" a line. */
static void read_manual(struct buf *ret)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	bool in_item = false;
	char *line, *rest;

	assert_int_equal(file_read_at(AT_FDCWD, TEST_SOURCE "/man/portavoz-columns.7", &text), 0);
	rest = strstr(buf_str(&text), ".Ss Columns\n");
	assert_non_null(rest);
	while ((line = strsep(&rest, "\n")) && strcmp(line, ".El")) {
		if (!strncmp(line, ".It Cm ", 7)) {
			char *type = strstr(line, " Pq ");

			assert_non_null(type);
			*type = 0;
			buf_printf(ret, "%s%s %s", in_item ? "\n" : "", line + 7, type + 4);
			in_item = true;
		} else if (in_item) {
			buf_printf(ret, " %s", line);
		}
	}
}

static void manual_has_every_column(void **state)
{
	_cleanup_(cleanup_buf) struct buf manual = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf registry = BUF_INIT;
	size_t n;
	const struct column *all = columns_all(&n);

	(void)state;
	read_manual(&manual);
	for (size_t i = 0; i < n; i++)
		buf_printf(&registry, "%s%s %s %s", i ? "\n" : "", all[i].name,
			   column_type_name(all[i].type), all[i].help);
	assert_string_equal(buf_str(&manual), buf_str(&registry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_complete),
		cmocka_unit_test(columns_lists),
		cmocka_unit_test(columns_all_and_parts),
		cmocka_unit_test(columns_say_what_they_need),
		cmocka_unit_test(manual_has_every_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
