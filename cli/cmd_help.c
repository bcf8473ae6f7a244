/* SPDX-License-Identifier: MIT */
/* portavoz help: the commands, or the options of one of them. */
#include <stdint.h>

#include "base/cleanup.h"
#include "cli/commands.h"

static const struct option_def help_options[] = { { 0 } };

static int run_help(int argc, char **argv);

const struct command command_help = {
	.name = "help",
	.summary = "show the commands, or the options of one",
	.usage = "[COMMAND]",
	.defs = help_options,
	.operands = OPERAND_COMMAND,
	.run = run_help,
};

static void put_commands(struct buf *b)
{
	buf_puts(b, "Usage: portavoz [COMMAND] [OPTION]... [ARGUMENT]...\n"
		    "Every conversation of this host: who talks to whom, through which ports.\n\n"
		    "Commands:\n");
	for (size_t i = 0; commands[i]; i++) {
		size_t start = b->len;

		buf_printf(b, "  %-12s ", commands[i]->name);
		text_wrap(b, commands[i]->summary, b->len - start, 15);
	}
	buf_printf(b,
		   "\nWithout a command it is '%s'. 'portavoz help COMMAND' shows its options,\n"
		   "'portavoz --version' the version. Manual: portavoz(1).\n",
		   commands[0]->name);
}

const struct command *command_nearest(const char *word)
{
	const struct command *best = NULL;
	size_t best_distance = SIZE_MAX;

	for (size_t i = 0; commands[i]; i++) {
		size_t d = word_distance(word, commands[i]->name);

		if (d < best_distance && word_is_near(word, commands[i]->name, d)) {
			best = commands[i];
			best_distance = d;
		}
	}
	return best;
}

static int report_unknown(const char *word)
{
	const struct command *near = command_nearest(word);

	if (near)
		usage_error(word, "no such command (did you mean %s?)", near->name);
	else
		usage_error(word, "no such command ('portavoz help' lists them)");
	return EXIT_USAGE;
}

static int run_help(int argc, char **argv)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const struct command *command;
	int first, r = command_options(&command_help, argc, argv, NULL, &first);

	if (r >= 0)
		return r;
	if (argc - first > 1) {
		usage_error(argv[first + 1], "one command at a time");
		return EXIT_USAGE;
	}
	if (first == argc) {
		put_commands(&b);
		return print_stdout(&b);
	}
	command = command_find(argv[first]);
	if (!command)
		return report_unknown(argv[first]);
	options_help(&b, command);
	return print_stdout(&b);
}
