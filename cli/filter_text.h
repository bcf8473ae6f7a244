/* SPDX-License-Identifier: MIT */
/* The filter of a command: its operands, then the text of a file (-F). */
#ifndef CLI_FILTER_TEXT_H
#define CLI_FILTER_TEXT_H

#include <portavoz/portavoz.h>

struct filter_text {
	int argc, first; /* operands: argv[first] to argv[argc - 1] */
	char **argv;
	const char *file; /* "-" = standard input; NULL = none */
	bool as_ss;	  /* see pv_filter_parse_ss() */
	int family;	  /* for that: of hosts that name none */
};

/*
 * 0 and the filter for pv_filter_free(), NULL when nothing was said; -EINVAL after saying on stderr
 * what is wrong and where; -ENOMEM.
 */
int filter_text_parse(const struct filter_text *from, struct pv_filter **ret_filter);

/* "portavoz: WHAT: MESSAGE", then the text on one line with a caret under the place. */
void print_caret(const char *what, const char *text, size_t offset, const char *message,
		 const char *expected);

#endif
