/* SPDX-License-Identifier: MIT */
/* Where commands write to: the terminal, the columns chosen for it, and what could not be seen. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <portavoz/portavoz.h>

#include "ui/columns/columns.h"
#include "ui/render/render.h"

/* Of standard output, in columns; 0 = it is no terminal */
size_t terminal_width(void);
/* Whether its text is to stay within ASCII, by the locale */
bool terminal_is_ascii(void);
/* --color's choice: the index of a word in COLOR_WORDS */
#define COLOR_WORDS "auto|always|never"
bool terminal_color(int choice);

/* What is to be shown: columns and order. */
struct view {
	const struct column **columns;
	size_t n_columns;
	struct sort_key *sort;
	size_t n_sort;
};

/*
 * --columns and --sort, either of which may be NULL. 0 and a view for cleanup_view(); -EINVAL after
 * showing on stderr what is wrong and where; -ENOMEM.
 */
int view_parse(const char *columns, const char *sort, const char *defaults, struct view *view);
void cleanup_view(struct view *v);

/*
 * On stderr what could not be seen, when that is a terminal or when `verbose`; after a line with
 * `what` unless that is NULL. Returns the exit status: EXIT_PARTIAL where `strict` and something
 * could not.
 */
int say_coverage(const struct pv_snapshot *s, const char *what, bool verbose, bool strict);

static inline void cleanup_snapshot(struct pv_snapshot **s)
{
	pv_snapshot_free(*s);
}

static inline void cleanup_filter(struct pv_filter **f)
{
	pv_filter_free(*f);
}

static inline void cleanup_policy(struct pv_policy **p)
{
	pv_policy_free(*p);
}

#endif
