/* SPDX-License-Identifier: MIT */
/*
 * Options as tables. One table a command; parsing, --help, the shell completions and the manual
 * tests read the same rows, so none of them can forget an option.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/word.h"
#include "ui/text/i18n.h"

#define EXIT_USAGE 2
#define EXIT_PARTIAL 3

/* What an option does to the command's struct of values, at `offset`. */
enum option_kind {
	OPTION_FLAG,   /* bool: set to true */
	OPTION_BITS,   /* uint32_t: `value` is or'ed in */
	OPTION_TEXT,   /* const char *: the argument, "" when an optional one is absent */
	OPTION_NUMBER, /* uint32_t: value <= number <= max */
	OPTION_CHOICE, /* int: index of the word in `arg` ("auto|bpf|none"); `value` when an
			  optional one is absent */
	OPTION_CALL,   /* set() decides */
};

/*
 * A row with neither letter nor name but with help is a heading; a row of zeros ends the table.
 * `arg` is NULL for a flag; a trailing "?" makes the argument optional (--color[=WHEN]). Its text
 * also tells the completions what fits: words with "|" between them, DIR, FILE, COLUMN, COLUMNS.
 */
struct option_def {
	char letter;	  /* 0 = none */
	const char *name; /* long name; NULL = none */
	const char *arg;
	const char *help;
	enum option_kind kind;
	size_t offset;
	uint32_t value, max;
	/* OPTION_CALL: arg is NULL for a flag or an absent optional argument. Returns 0, or -EINVAL
	 * after usage_error(). */
	int (*set)(void *values, const char *arg, const struct option_def *def);
};

/* Rows of a table, the values' member at `offset`. */
#define FLAG_OPTION(letter, name, help, offset)                                                    \
	{                                                                                          \
		letter, name, NULL, help, OPTION_FLAG, offset, 0, 0, NULL                          \
	}
#define TEXT_OPTION(letter, name, arg, help, offset)                                               \
	{                                                                                          \
		letter, name, arg, help, OPTION_TEXT, offset, 0, 0, NULL                           \
	}
#define CHOICE_OPTION(letter, name, arg, help, offset)                                             \
	{                                                                                          \
		letter, name, arg, help, OPTION_CHOICE, offset, 0, 0, NULL                         \
	}
#define OPTION_HEADING(text) FLAG_OPTION(0, NULL, text, 0)

/* What a command's operands are, for the completions. */
enum operand_kind {
	OPERAND_NONE,
	OPERAND_FILTER,
	OPERAND_CAPTURE,
	OPERAND_PORT,
	OPERAND_COMMAND,
	OPERAND_SHELL,
	OPERAND_FOLDER, /* recordings, or "now" */
};

struct command {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *usage;   /* what follows the name: "[OPTION]... [FILTER]" */
	const char *about;   /* more text under the options, or NULL */
	const struct option_def *defs;
	enum operand_kind operands;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit
					      status */
};

#define OPTIONS_HELP 1

/*
 * Parses argv[1...]; operands are moved behind the options and start at argv[*ret_first_operand].
 * -h and --help are known to every table. Returns 0; OPTIONS_HELP when help was asked for; -EINVAL
 * after saying on stderr what is wrong; -ENOMEM.
 */
int options_parse(const struct option_def *defs, int argc, char **argv, void *values,
		  int *ret_first_operand);

/*
 * The same for a whole command: prints its help when asked. Returns -1 to go on, else the exit
 * status.
 */
int command_options(const struct command *command, int argc, char **argv, void *values,
		    int *ret_first_operand);

/* Appends usage and options of a command, at most 80 columns wide. */
void options_help(struct buf *b, const struct command *command);

/*
 * Appends text broken at spaces to fit 80 columns, with a newline at the end. The first line begins
 * at `column`, the others are indented.
 */
void text_wrap(struct buf *b, const char *text, size_t column, size_t indent);

/* true for a row that is an option, not a heading or the end */
static inline int option_is_real(const struct option_def *def)
{
	return def->letter || def->name;
}

static inline int option_is_end(const struct option_def *def)
{
	return !def->letter && !def->name && !def->help;
}

/* OPTION_CALL: appends the argument to the struct buf at def->offset, with commas between. */
int option_append(void *values, const char *arg, const struct option_def *def);

/*
 * What -N is, for a command whose struct buf of namespaces lies there; and the message for what
 * pv_collect() refused of it: true when the error was one of these.
 */
#define OPTION_NETNS(offset)                                                                       \
	{                                                                                          \
		'N', "netns", "NETNS",                                                             \
			N_("network namespaces by name or pid, comma-separated, or all (default: " \
			   "this one)"),                                                           \
			OPTION_CALL, offset, 0, 0, option_append                                   \
	}
bool report_netns(struct buf *netns, int error);

/* Prints "portavoz: what: why" to stderr; what cannot be shown is \xHH. */
void usage_error(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Strict decimal: digits only, the whole text, within min...max. 0 or -EINVAL. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number);

/* Writes the bytes to stdout and flushes; 0, or the exit status 1 after saying why it failed. */
int print_stdout(struct buf *b);
/* Flushes stdout; 0, or the exit status 1 after a message when anything written was lost. */
int finish_stdout(void);

#endif
