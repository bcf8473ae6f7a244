/* SPDX-License-Identifier: MIT */
/* Every command of the program. cli/main.c holds the table; each cmd_*.c defines its own row. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/options.h"

/* In the order of the help text, NULL at the end; the first one is run when none is named. */
extern const struct command *const commands[];

extern const struct command command_list, command_port, command_explain, command_netstat,
	command_ss, command_read, command_capture, command_audit, command_rules, command_baseline,
	command_diff, command_status, command_columns, command_completion, command_help;

/* NULL = no such command */
const struct command *command_find(const char *name);
/* The command that was probably meant by a word that is none; NULL = none is near. */
const struct command *command_nearest(const char *word);

#endif
