/* SPDX-License-Identifier: MIT */
/* Filters that verdicts are made by: they may use nothing that only a verdict gives. */
#ifndef FILTER_RULE_H
#define FILTER_RULE_H

#include <portavoz/filter.h>

/* As pv_filter_parse(), and verdict and evidence are errors. */
int filter_parse_rule(const char *text, struct pv_filter **ret_filter,
		      struct pv_syntax_error *error);

#endif
