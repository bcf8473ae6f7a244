/* SPDX-License-Identifier: MIT */
/* portavoz rules: the rules that verdicts are made by. */
#include <stdio.h>
#include <string.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "ui/text/escape.h"

struct rules_values {
	bool json;
};

static const struct option_def rules_options[] = {
	{ 0, "json", NULL, "one JSON document", OPTION_FLAG, offsetof(struct rules_values, json), 0,
	  0, NULL },
	{ 0 },
};

static int run_rules(int argc, char **argv);

const struct command command_rules = {
	.name = "rules",
	.summary = "list the rules that verdicts are made by",
	.usage = "[--json]",
	.defs = rules_options,
	.operands = OPERAND_NONE,
	.run = run_rules,
};

static void put_member(struct buf *b, const char *key, const char *text)
{
	buf_printf(b, ",\"%s\":", key);
	text_put_json(b, text, strlen(text));
}

static void put_json(struct buf *b, const struct pv_rule *rules, size_t n)
{
	buf_puts(b, "{\"schema\":1,\"rules\":[");
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s\n{\"id\":\"%s\",\"severity\":\"%s\"", i ? "," : "", rules[i].id,
			   pv_severity_name(rules[i].severity));
		put_member(b, "facts", rules[i].facts);
		put_member(b, "sentence", rules[i].sentence);
		put_member(b, "about", rules[i].about);
		buf_putc(b, '}');
	}
	buf_puts(b, "\n]}\n");
}

static void put_table(struct buf *b, const struct pv_rule *rules, size_t n)
{
	size_t width = 4;

	for (size_t i = 0; i < n; i++)
		width = strlen(rules[i].id) > width ? strlen(rules[i].id) : width;
	buf_printf(b, "%-*s  %-10s  MEANING\n", (int)width, "RULE", "SEVERITY");
	for (size_t i = 0; i < n; i++) {
		size_t start = b->len;

		buf_printf(b, "%-*s  %-10s  ", (int)width, rules[i].id,
			   pv_severity_name(rules[i].severity));
		text_wrap(b, rules[i].about, b->len - start, b->len - start);
	}
}

static int run_rules(int argc, char **argv)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct rules_values v = { 0 };
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);
	int first, r = command_options(&command_rules, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (first < argc) {
		usage_error(argv[first], "rules takes no operand");
		return EXIT_USAGE;
	}
	if (v.json)
		put_json(&b, rules, n);
	else
		put_table(&b, rules, n);
	return print_stdout(&b);
}
