/* SPDX-License-Identifier: MIT */
/*
 * Dispatch: the first word that is no option names the command; without one it is the list. A name
 * of the program itself may decide before.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portavoz/portavoz.h>

#include "cli/commands.h"
#include "ui/text/i18n.h"

const struct command *const commands[] = {
	&command_list,	   &command_read,	&command_capture, &command_port,
	&command_explain,  &command_netstat,	&command_ss,	  &command_audit,
	&command_baseline, &command_diff,	&command_rules,	  &command_status,
	&command_columns,  &command_completion, &command_help,	  NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int print_version(void)
{
	printf("portavoz %s\n", pv_version());
	return finish_stdout();
}

/* A link may have the name of a program that portavoz can stand in for. */
static const struct command *find_personality(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;

	if (name && !strcmp(name, command_netstat.name))
		return &command_netstat;
	return name && !strcmp(name, command_ss.name) ? &command_ss : NULL;
}

/*
 * Character set and language of the reader. Numbers stay as in C: machines read them.
 * TEXTDOMAINDIR, which gettext(1) knows, names a folder of catalogues that are not installed.
 */
static void choose_locale(void)
{
	const char *folder = secure_getenv("TEXTDOMAINDIR");

	setlocale(LC_CTYPE, "");
	setlocale(LC_MESSAGES, "");
	bindtextdomain("portavoz", folder && *folder ? folder : PORTAVOZ_LOCALEDIR);
	textdomain("portavoz");
}

int main(int argc, char **argv)
{
	const struct command *personality = find_personality(argv[0]);
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;

	choose_locale();
	if (personality)
		return personality->run(argc, argv);
	if (argc == 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		return print_version();
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		char *help[] = { (char *)"help", NULL };

		return command_help.run(1, help);
	}
	if (command)
		return command->run(argc - 1, argv + 1);
	return command_list.run(argc, argv);
}
