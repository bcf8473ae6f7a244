/* SPDX-License-Identifier: MIT */
/* --redact=FILE of every command that shows what was collected. */
#ifndef CLI_REDACT_OPTION_H
#define CLI_REDACT_OPTION_H

#include <portavoz/portavoz.h>

#include "cli/options.h"
#include "ui/text/i18n.h"

#define REDACT_HELP N_("rename hosts, users, paths and arguments by the key in this file")
/* The row of a table of options; `member` is a const char *. */
#define REDACT_OPTION(values, member)                                                              \
	{                                                                                          \
		0, "redact", "FILE", REDACT_HELP, OPTION_TEXT, offsetof(values, member), 0, 0,     \
			NULL                                                                       \
	}

/* NULL for no file. 0, or the exit status 1 after saying why the key cannot be used. */
int redact_open(const char *file, struct pv_redactor **ret_redactor);

/* The message for what pv_collect() refused of a recording under another key: true when it did. */
bool report_key(const char *replay, int error);

static inline void cleanup_redactor(struct pv_redactor **r)
{
	pv_redactor_free(*r);
}

#endif
