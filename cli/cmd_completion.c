/* SPDX-License-Identifier: MIT */
/*
 * portavoz completion: a script for bash, zsh or fish, written from the tables of commands,
 * options, columns and filter fields. State names are those the filter parser accepts, asked one by
 * one, so nothing is offered that would be refused.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <portavoz/portavoz.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "ui/columns/columns.h"

static const struct option_def completion_options[] = { { 0 } };

static int run_completion(int argc, char **argv);

const struct command command_completion = {
	.name = "completion",
	.summary = "write a completion script for a shell",
	.usage = "bash|zsh|fish",
	.about = "bash:  source <(portavoz completion bash)\n"
		 "zsh:   portavoz completion zsh > a folder of $fpath, as _portavoz\n"
		 "fish:  portavoz completion fish | source",
	.defs = completion_options,
	.operands = OPERAND_SHELL,
	.run = run_completion,
};

#define SHELLS "bash zsh fish"

/* Candidates; what the parser refuses is left out. */
static const char *const state_words[] = {
	"established", "syn-sent",   "syn-recv",     "fin-wait-1", "fin-wait-2", "time-wait",
	"closed",      "close-wait", "last-ack",     "listening",  "closing",	 "unconnected",
	"all",	       "connected",  "synchronized", "bucket",	   "big",	 "bound-inactive",
};

static int put_states(struct buf *b)
{
	const char *separator = "";

	for (size_t i = 0; i < sizeof(state_words) / sizeof(state_words[0]); i++) {
		struct pv_filter *filter;
		char text[64];
		int r;

		snprintf(text, sizeof(text), "state %s", state_words[i]);
		r = pv_filter_parse(text, &filter, NULL);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		pv_filter_free(filter);
		buf_printf(b, "%s%s", separator, state_words[i]);
		separator = " ";
	}
	return 0;
}

/* The words after which a filter can go on, besides values. */
static void put_fields(struct buf *b)
{
	size_t n;
	const struct pv_filter_field *fields = pv_filter_fields(&n);

	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s ", fields[i].name);
	buf_puts(b, "and or not");
}

/* "auto|bpf|none?" -> "auto bpf none" */
static void put_choices(struct buf *b, const char *arg)
{
	for (; *arg && *arg != '?'; arg++)
		buf_putc(b, *arg == '|' ? ' ' : *arg);
}

static bool is_word_field(const struct pv_filter_field *field)
{
	return strchr(field->values, '|') && *field->values >= 'a' && *field->values <= 'z';
}

/*
 * What a filter field takes where that is one of some words: `before` the name, `between` it and
 * the words, `after` them.
 */
static void put_field_values(struct buf *b, const char *before, const char *between,
			     const char *after)
{
	size_t n;
	const struct pv_filter_field *fields = pv_filter_fields(&n);

	for (size_t i = 0; i < n; i++) {
		if (!is_word_field(&fields[i]))
			continue;
		buf_printf(b, "%s%s%s", before, fields[i].name, between);
		put_choices(b, fields[i].values);
		buf_puts(b, after);
	}
}

static void put_columns(struct buf *b)
{
	size_t n;
	const struct column *columns = columns_all(&n);

	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? " " : "", columns[i].name);
}

static void put_command_names(struct buf *b)
{
	for (size_t i = 0; commands[i]; i++)
		buf_printf(b, "%s%s", i ? " " : "", commands[i]->name);
}

static bool is_optional(const struct option_def *d)
{
	return d->arg && strchr(d->arg, '?');
}

static bool is_choice(const struct option_def *d)
{
	return d->arg && strchr(d->arg, '|');
}

static bool is_columns(const struct option_def *d)
{
	return d->arg && !strncmp(d->arg, "COLUMN", 6);
}

static bool is_folder(const struct option_def *d)
{
	return d->arg && !strncmp(d->arg, "DIR", 3);
}

static bool is_file(const struct option_def *d)
{
	return d->arg && !strncmp(d->arg, "FILE", 4);
}

static bool is_netns(const struct option_def *d)
{
	return d->arg && !strcmp(d->arg, "NETNS");
}

/* bash expands what it is given to complete from: only plain names */
#define NETNS_NAMES "ls /run/netns 2>/dev/null | grep -x \"[[:alnum:]._-]*\""

/* Text for the inside of single quotes, with the characters in `special` behind a backslash. */
static void put_quoted(struct buf *b, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(b, "'\\'");
		else if (strchr(special, *text))
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
}

/* An option as bash and zsh patterns: "--sort" or "-s|--sort". */
static void put_spellings(struct buf *b, const struct option_def *d, const char *separator)
{
	if (d->letter)
		buf_printf(b, "-%c%s", d->letter, d->name ? separator : "");
	if (d->name)
		buf_printf(b, "--%s", d->name);
}

static void bash_values(struct buf *b, const struct command *command)
{
	for (const struct option_def *d = command->defs; !option_is_end(d); d++) {
		if (!option_is_real(d) || !d->arg)
			continue;
		buf_printf(b, "\t%s:", command->name);
		if (d->letter && d->name)
			buf_printf(b, "-%c|%s:--%s) ", d->letter, command->name, d->name);
		else if (d->name)
			buf_printf(b, "--%s) ", d->name);
		else
			buf_printf(b, "-%c) ", d->letter);
		if (is_choice(d)) {
			buf_puts(b, "words='");
			put_choices(b, d->arg);
			buf_puts(b, "'");
		} else {
			buf_puts(b, is_columns(d)  ? "list=$columns"
				    : is_netns(d)  ? "list=\"all $(" NETNS_NAMES ")\""
				    : is_folder(d) ? "kind=dirs"
				    : is_file(d)   ? "kind=files"
						   : "kind=none");
		}
		buf_puts(b, " ;;\n");
	}
}

static void bash_options(struct buf *b, const struct command *command)
{
	buf_printf(b, "\t%s:-*) words='", command->name);
	for (const struct option_def *d = command->defs; !option_is_end(d); d++)
		if (option_is_real(d)) {
			put_spellings(b, d, " ");
			buf_putc(b, ' ');
		}
	buf_puts(b, "-h --help' ;;\n");
}

static const char *const operand_words[] = {
	[OPERAND_NONE] = "",	       [OPERAND_FILTER] = "$filter",
	[OPERAND_PORT] = "",	       [OPERAND_COMMAND] = "$commands",
	[OPERAND_SHELL] = "$shells",   [OPERAND_FOLDER] = "now",
	[OPERAND_CAPTURE] = "$filter",
};

static int put_bash(struct buf *b)
{
	int r;

	buf_puts(b, "# bash completion for portavoz, written by: portavoz completion bash\n"
		    "_portavoz() {\n"
		    "\tlocal commands='");
	put_command_names(b);
	buf_puts(b, "'\n\tlocal shells='" SHELLS "'\n\tlocal columns='");
	put_columns(b);
	buf_puts(b, "'\n\tlocal filter='");
	put_fields(b);
	buf_puts(b, "'\n\tlocal states='");
	r = put_states(b);
	buf_puts(b, "'\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
		    "\tlocal words= list= kind=\n");
	buf_printf(b, "\tlocal command=%s\n", commands[0]->name);
	buf_puts(b, "\tCOMPREPLY=()\n"
		    "\t# bash splits --option=value at the sign\n"
		    "\tif [ \"$cur\" = = ]; then\n"
		    "\t\tcur=\n"
		    "\telif [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -ge 2 ]; then\n"
		    "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
		    "\tfi\n"
		    "\tif [ \"$COMP_CWORD\" -gt 1 ]; then\n"
		    "\t\tcase \" $commands \" in\n"
		    "\t\t*\" ${COMP_WORDS[1]} \"*) command=${COMP_WORDS[1]} ;;\n"
		    "\t\tesac\n"
		    "\tfi\n"
		    "\tcase $command:$prev in\n");
	for (size_t i = 0; commands[i]; i++)
		bash_values(b, commands[i]);
	put_field_values(b, "\t*:", ") words='", "' ;;\n");
	buf_puts(b, "\t*:state | *:exclude) words=$states ;;\n"
		    "\tesac\n"
		    "\t[ -n \"$words$list$kind\" ] || case $command:$cur in\n");
	for (size_t i = 0; commands[i]; i++)
		bash_options(b, commands[i]);
	for (size_t i = 0; commands[i]; i++)
		buf_printf(b, "\t%s:*) words=\"%s%s\"%s ;;\n", commands[i]->name,
			   operand_words[commands[i]->operands],
			   i == 0 ? "$([ \"$COMP_CWORD\" -eq 1 ] && echo \" $commands\")" : "",
			   commands[i]->operands == OPERAND_FOLDER ? " kind=dirs" : "");
	buf_puts(
		b,
		"\tesac\n"
		"\tif [ -n \"$list\" ]; then\n"
		"\t\tcompopt -o nospace 2>/dev/null\n"
		"\t\tlocal item=${cur##*,}\n"
		"\t\tlocal sign=${item%%[!+-]*}\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -P \"${cur%\"$item\"}$sign\" -W \"$list\" -- "
		"\"${item#\"$sign\"}\")\n"
		"\telif [ \"$kind\" = dirs ] || [ \"$kind\" = files ]; then\n"
		"\t\tcompopt -o filenames 2>/dev/null\n"
		"\t\tmapfile -t COMPREPLY < <(compgen \"-${kind:0:1}\" -W \"$words\" -- \"$cur\")\n"
		"\telif [ -n \"$words\" ]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
		"\tfi\n"
		"}\n"
		"complete -F _portavoz portavoz\n");
	return r;
}

static void zsh_action(struct buf *b, const struct option_def *d)
{
	buf_printf(b, "%s:", is_optional(d) ? ":" : "");
	put_quoted(b, d->name ? d->name : "value", ":");
	buf_putc(b, ':');
	if (is_choice(d)) {
		buf_putc(b, '(');
		put_choices(b, d->arg);
		buf_putc(b, ')');
	} else {
		buf_puts(b, is_columns(d)  ? "_portavoz_columns"
			    : is_netns(d)  ? "_portavoz_netns"
			    : is_folder(d) ? "_files -/"
			    : is_file(d)   ? "_files"
					   : " ");
	}
}

/* One spelling of an option as an argument of _arguments. */
static void zsh_option(struct buf *b, const struct option_def *d, bool is_long)
{
	buf_puts(b, "\t\t\t'");
	if (d->letter && d->name)
		buf_printf(b, "(-%c --%s)", d->letter, d->name);
	if (is_long)
		buf_printf(b, "--%s%s", d->name, !d->arg ? "" : is_optional(d) ? "=-" : "=");
	else
		buf_printf(b, "-%c%s", d->letter, !d->arg ? "" : is_optional(d) ? "-" : "+");
	buf_putc(b, '[');
	put_quoted(b, d->help, "[]:\\");
	buf_putc(b, ']');
	if (d->arg)
		zsh_action(b, d);
	buf_puts(b, "' \\\n");
}

static void zsh_options(struct buf *b, const struct command *command)
{
	static const char *const actions[] = {
		[OPERAND_NONE] = "",
		[OPERAND_FILTER] = "'*:filter:_portavoz_filter'",
		[OPERAND_PORT] = "'*:port: '",
		[OPERAND_COMMAND] = "'1:command:_portavoz_commands'",
		[OPERAND_SHELL] = "'1:shell:(" SHELLS ")'",
		[OPERAND_CAPTURE] = "'1:capture:_files' '*:filter:_portavoz_filter'",
		[OPERAND_FOLDER] = "'*:recording or now:_files -/'",
	};

	buf_printf(b, "\t%s)\n\t\t_arguments -s -S \\\n", command->name);
	for (const struct option_def *d = command->defs; !option_is_end(d); d++) {
		if (d->letter)
			zsh_option(b, d, false);
		if (d->name)
			zsh_option(b, d, true);
	}
	buf_printf(b, "\t\t\t'(-h --help)'{-h,--help}'[show help]' \\\n\t\t\t%s\n\t\t;;\n",
		   actions[command->operands]);
}

static void zsh_columns(struct buf *b)
{
	size_t n;
	const struct column *columns = columns_all(&n);

	buf_puts(b, "_portavoz_columns() {\n\t_values -s , column \\\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "\t\t'%s[", columns[i].name);
		put_quoted(b, columns[i].help, "[]:\\");
		buf_printf(b, "]'%s\n", i + 1 < n ? " \\" : "");
	}
	buf_puts(b, "}\n");
}

static int zsh_filter(struct buf *b)
{
	int r;

	buf_puts(b, "_portavoz_filter() {\n"
		    "\tcase $words[CURRENT-1] in\n"
		    "\tstate|exclude) compadd -- ");
	r = put_states(b);
	buf_puts(b, " ;;\n");
	put_field_values(b, "\t", ") compadd -- ", " ;;\n");
	buf_puts(b, "\t*) compadd -- ");
	put_fields(b);
	buf_puts(b, " ;;\n\tesac\n}\n");
	return r;
}

static void zsh_commands(struct buf *b)
{
	buf_puts(b, "typeset -ga _portavoz_names\n_portavoz_names=(");
	put_command_names(b);
	buf_puts(b, ")\n_portavoz_commands() {\n\tlocal -a described\n\tdescribed=(\n");
	for (size_t i = 0; commands[i]; i++) {
		buf_printf(b, "\t\t'%s:", commands[i]->name);
		put_quoted(b, commands[i]->summary, "");
		buf_puts(b, "'\n");
	}
	buf_puts(b, "\t)\n\t_describe command described\n}\n");
}

static int put_zsh(struct buf *b)
{
	int r;

	buf_puts(b, "#compdef portavoz\n"
		    "# zsh completion for portavoz, written by: portavoz completion zsh\n");
	zsh_columns(b);
	buf_puts(b, "_portavoz_netns() {\n"
		    "\t_values -s , namespace all ${(f)\"$(" NETNS_NAMES ")\"}\n}\n");
	r = zsh_filter(b);
	zsh_commands(b);

	buf_printf(b,
		   "_portavoz() {\n"
		   "\tlocal command=%s\n"
		   "\tif (( CURRENT > 2 && $_portavoz_names[(Ie)$words[2]] )); then\n"
		   "\t\tcommand=$words[2]\n"
		   "\t\tshift words\n"
		   "\t\t(( CURRENT-- ))\n"
		   "\telif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
		   "\t\t_portavoz_commands\n"
		   "\tfi\n"
		   "\tcase $command in\n",
		   commands[0]->name);
	for (size_t i = 0; commands[i]; i++)
		zsh_options(b, commands[i]);
	buf_puts(b, "\tesac\n}\n_portavoz \"$@\"\n");
	return r;
}

static void fish_condition(struct buf *b, size_t command)
{
	if (command != 0) {
		buf_printf(b, " -n '__fish_seen_subcommand_from %s'", commands[command]->name);
		return;
	}
	buf_puts(b, " -n 'not __fish_seen_subcommand_from");
	for (size_t i = 1; commands[i]; i++)
		buf_printf(b, " %s", commands[i]->name);
	buf_putc(b, '\'');
}

static void fish_option(struct buf *b, size_t command, const struct option_def *d)
{
	buf_puts(b, "complete -c portavoz");
	fish_condition(b, command);
	if (d->letter)
		buf_printf(b, " -s %c", d->letter);
	if (d->name)
		buf_printf(b, " -l %s", d->name);
	if (d->arg && !is_optional(d))
		buf_puts(b, " -x");
	if (is_choice(d)) {
		buf_puts(b, " -a '");
		put_choices(b, d->arg);
		buf_puts(b, "'");
	} else if (is_folder(d)) {
		buf_puts(b, " -a '(__fish_complete_directories (commandline -ct))'");
	} else if (is_file(d)) {
		buf_puts(b, " -F");
	} else if (is_netns(d)) {
		buf_puts(b, " -a '(__fish_append , all (" NETNS_NAMES "))'");
	} else if (is_columns(d)) {
		buf_puts(b, " -a '(__fish_append , ");
		put_columns(b);
		buf_puts(b, ")'");
	}
	buf_puts(b, " -d '");
	put_quoted(b, d->help, "\\");
	buf_puts(b, "'\n");
}

static void fish_operands(struct buf *b, size_t command)
{
	static const char *const words[] = {
		[OPERAND_NONE] = NULL,
		[OPERAND_FILTER] = "(__portavoz_filter)",
		[OPERAND_PORT] = NULL,
		[OPERAND_COMMAND] = "$__portavoz_commands",
		[OPERAND_SHELL] = SHELLS,
		[OPERAND_FOLDER] = "(echo now; __fish_complete_directories)",
		[OPERAND_CAPTURE] = "(__portavoz_filter)",
	};
	const char *text = words[commands[command]->operands];

	if (!text)
		return;
	buf_puts(b, "complete -c portavoz");
	fish_condition(b, command);
	buf_printf(b, " -a '%s'\n", text);
}

static int put_fish(struct buf *b)
{
	int r;

	buf_puts(b, "# fish completion for portavoz, written by: portavoz completion fish\n"
		    "set -g __portavoz_commands ");
	put_command_names(b);
	buf_puts(b, "\nfunction __portavoz_filter\n"
		    "\tswitch (commandline -poc)[-1]\n"
		    "\t\tcase state exclude\n"
		    "\t\t\tstring split ' ' '");
	r = put_states(b);
	buf_puts(b, "'\n");
	put_field_values(b, "\t\tcase ", "\n\t\t\tstring split ' ' '", "'\n");
	buf_puts(b, "\t\tcase '*'\n\t\t\tstring split ' ' '");
	put_fields(b);
	buf_puts(b, "'\n\tend\nend\ncomplete -c portavoz -f\n");
	for (size_t i = 0; commands[i]; i++) {
		buf_printf(b,
			   "complete -c portavoz -n 'test (count (commandline -poc)) -eq 1' -a %s "
			   "-d '",
			   commands[i]->name);
		put_quoted(b, commands[i]->summary, "\\");
		buf_puts(b, "'\n");
	}
	for (size_t i = 0; commands[i]; i++) {
		for (const struct option_def *d = commands[i]->defs; !option_is_end(d); d++)
			if (option_is_real(d))
				fish_option(b, i, d);
		fish_operands(b, i);
	}
	buf_puts(b, "complete -c portavoz -s h -l help -d 'show help'\n");
	return r;
}

static const struct {
	const char *name;
	int (*put)(struct buf *b);
} shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };

static int run_completion(int argc, char **argv)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int first, r = command_options(&command_completion, argc, argv, NULL, &first);

	if (r >= 0)
		return r;
	if (argc - first != 1) {
		usage_error("completion", "needs the name of one shell: bash, zsh or fish");
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(argv[first], shells[i].name)) {
			r = shells[i].put(&b);
			if (r < 0)
				usage_error("completion", "%s", strerror(-r));
			return r < 0 ? 1 : print_stdout(&b);
		}
	usage_error(argv[first], "expected bash, zsh or fish");
	return EXIT_USAGE;
}
