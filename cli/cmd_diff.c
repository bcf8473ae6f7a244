/* SPDX-License-Identifier: MIT */
/* portavoz diff: what is new, gone or changed between two moments, by role. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/redact_option.h"
#include "cli/role_text.h"
#include "ui/render/render.h"

#define EXIT_DIFFERENT 4
#define NOW "now"

struct diff_values {
	bool json, strict, verbose;
	const char *redact;
};

#define FLAG(letter, name, help, member)                                                           \
	FLAG_OPTION(letter, name, help, offsetof(struct diff_values, member))

static const struct option_def diff_options[] = {
	FLAG(0, "json", "one JSON document", json),
	REDACT_OPTION(struct diff_values, redact),
	FLAG(0, "strict", "exit status 3 when something could not be seen", strict),
	FLAG('v', "verbose", "say on stderr what could not be seen, terminal or not", verbose),
	{ 0 },
};

static int run_diff(int argc, char **argv);

const struct command command_diff = {
	.name = "diff",
	.summary = "compare two recordings, or a recording and this host, by role",
	.usage = "[OPTION]... BEFORE AFTER",
	.about = "BEFORE and AFTER are folders made by portavoz list --record, or the word 'now'.\n"
		 "What counts are programs and units, directions, services, users and networks;\n"
		 "a restart and other ephemeral ports are no change. Exit status: 0 equal,\n"
		 "4 different.",
	.defs = diff_options,
	.operands = OPERAND_FOLDER,
	.run = run_diff,
};

struct side {
	struct pv_snapshot *snapshot;
	struct pv_roles *roles;
};

static void side_deinit(struct side *s)
{
	pv_roles_free(s->roles);
	pv_snapshot_free(s->snapshot);
}

static int side_open(struct side *s, const char *word, const struct pv_redactor *redactor)
{
	int r = role_collect(strcmp(word, NOW) ? word : NULL, 0, redactor, &s->snapshot);

	if (r != 0)
		return r;
	s->roles = pv_roles_new();
	if (!s->roles || pv_roles_add(s->roles, s->snapshot) < 0 || pv_roles_finish(s->roles) < 0) {
		usage_error("diff", "%s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	return 0;
}

/* Names of one key are nobody's under another, so everything would be gone and new. */
static int check_keys(const struct side sides[static 2], char *const words[static 2])
{
	const char *first = pv_snapshot_key_mark(sides[0].snapshot);
	const char *second = pv_snapshot_key_mark(sides[1].snapshot);

	if (!strcmp(first, second))
		return 0;
	usage_error(*second ? words[1] : words[0], "is redacted, and %s has other names%s",
		    *second ? words[0] : words[1],
		    *first && *second ? ": their keys differ"
				      : ": compare with --redact and its key");
	return EXIT_FAILURE;
}

static void put_line(struct buf *b, const struct pv_role_difference *d)
{
	const struct pv_role *role = d->after ? d->after : d->before;

	buf_printf(b, "%-8s ", pv_role_change_name(d->change));
	role_put_what(b, role);
	buf_puts(b, d->change == PV_ROLE_CHANGED ? "\n         now    " : " ");
	role_put_where(b, role);
	if (d->change == PV_ROLE_CHANGED) {
		buf_puts(b, "\n         before ");
		role_put_where(b, d->before);
	}
	while (b->len && !buf_error(b) && b->data[b->len - 1] == ' ')
		b->len--;
	buf_putc(b, '\n');
}

static void put_side(struct buf *b, const char *name, const struct pv_role *role)
{
	buf_printf(b, ",\"%s\":", name);
	if (role)
		role_put_json(b, role);
	else
		buf_puts(b, "null");
}

static void put_json(struct buf *b, const struct side sides[static 2],
		     const struct pv_role_difference *d, size_t n)
{
	buf_puts(b, "{\"schema\":1,\"coverage\":{\"before\":");
	render_coverage_json(pv_snapshot_coverage(sides[0].snapshot), b);
	buf_puts(b, ",\"after\":");
	render_coverage_json(pv_snapshot_coverage(sides[1].snapshot), b);
	buf_printf(b, "},\"equal\":%s,\"differences\":[", n ? "false" : "true");
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s{\"change\":\"%s\"", i ? "," : "",
			   pv_role_change_name(d[i].change));
		put_side(b, "before", d[i].before);
		put_side(b, "after", d[i].after);
		buf_putc(b, '}');
	}
	buf_puts(b, "]}\n");
}

static int diff(const struct diff_values *v, char **words, const struct side sides[static 2])
{
	_cleanup_(cleanup_free) struct pv_role_difference *d = NULL;
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int status = EXIT_SUCCESS;
	size_t n;
	int r = pv_roles_diff(sides[0].roles, sides[1].roles, &d, &n);

	if (r < 0) {
		usage_error("diff", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	if (v->json)
		put_json(&b, sides, d, n);
	for (size_t i = 0; !v->json && i < n; i++)
		put_line(&b, &d[i]);
	r = print_stdout(&b);
	if (r)
		return r;
	for (int i = 0; i < 2; i++)
		status |= say_coverage(sides[i].snapshot, words[i], v->verbose, v->strict);
	return status ? status : n ? EXIT_DIFFERENT : EXIT_SUCCESS;
}

static int run_diff(int argc, char **argv)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *redactor = NULL;
	struct side sides[2] = { 0 };
	struct diff_values v = { 0 };
	int first, r = command_options(&command_diff, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (argc - first != 2) {
		usage_error("diff", "needs two of: a folder made by portavoz list --record, 'now'");
		return EXIT_USAGE;
	}
	r = redact_open(v.redact, &redactor);
	if (r == 0)
		r = side_open(&sides[0], argv[first], redactor);
	if (r == 0)
		r = side_open(&sides[1], argv[first + 1], redactor);
	if (r == 0)
		r = check_keys(sides, argv + first);
	if (r == 0)
		r = diff(&v, argv + first, sides);
	side_deinit(&sides[0]);
	side_deinit(&sides[1]);
	return r;
}
