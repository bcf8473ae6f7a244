/* SPDX-License-Identifier: MIT */
/* portavoz status: every source portavoz can read from, and how it is doing here. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "ui/render/render.h"

struct status_values {
	bool json;
};

static const struct option_def status_options[] = {
	{ 0, "json", NULL, "one JSON document", OPTION_FLAG, offsetof(struct status_values, json),
	  0, 0, NULL },
	{ 0 },
};

static int run_status(int argc, char **argv);

const struct command command_status = {
	.name = "status",
	.summary = "tell which sources work here, which are a fallback, which are off, and why",
	.usage = "[--json]",
	.defs = status_options,
	.operands = OPERAND_NONE,
	.run = run_status,
};

static void put_table(struct buf *b, const struct pv_coverage *coverage)
{
	size_t name = 6, via = 3;

	for (size_t i = 0; i < coverage->n_sources; i++) {
		size_t n = strlen(coverage->sources[i].name), v = strlen(coverage->sources[i].via);

		name = n > name ? n : name;
		via = v > via ? v : via;
	}
	buf_printf(b, "%-*s  %-8s  %-*s  %s\n", (int)name, "source", "state", (int)via, "via",
		   "cause");
	for (size_t i = 0; i < coverage->n_sources; i++) {
		const struct pv_source *s = &coverage->sources[i];

		buf_printf(b, "%-*s  %-8s  %-*s  %s\n", (int)name, s->name,
			   pv_source_state_name(s->state), (int)via, s->via,
			   s->cause ? s->cause : "");
	}
}

static int run_status(int argc, char **argv)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct status_values v = { 0 };
	struct pv_snapshot *s = NULL;
	int first, r = command_options(&command_status, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (first < argc) {
		usage_error(argv[first], "status takes no operand");
		return EXIT_USAGE;
	}
	r = pv_probe(&s);
	if (r < 0) {
		usage_error("status", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	if (v.json) {
		buf_puts(&b, "{\"schema\":1,\"coverage\":");
		render_coverage_json(pv_snapshot_coverage(s), &b);
		buf_puts(&b, "}\n");
	} else {
		put_table(&b, pv_snapshot_coverage(s));
	}
	pv_snapshot_free(s);
	return print_stdout(&b);
}
