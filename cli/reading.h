/* SPDX-License-Identifier: MIT */
/*
 * What `read` and `capture` share: options of what is shown and how, the filter, the run in the
 * sandbox, progress and end.
 */
#ifndef CLI_READING_H
#define CLI_READING_H

#include <signal.h>

#include <portavoz/portavoz.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/redact_option.h"
#include "cli/sandbox.h"
#include "ui/columns/columns.h"
#include "ui/render/render.h"

#define STANDARD_OUTPUT "standard output" /* how messages call it */

/* The first member of the values of a command, for READING_OPTIONS. */
struct reading_values {
	bool numeric, no_header, summary, tree, strict, verbose;
	bool json, jsonl, csv;
	int observed, color;
	const char *columns, *sort, *bpf, *redact;
	uint64_t memory;
	uint64_t bin_ns;
};
#define READING_VALUES_INIT                                                                        \
	{                                                                                          \
		.memory = PV_CAPTURE_MEMORY                                                        \
	}

int reading_set_memory(void *values, const char *arg, const struct option_def *def);
int reading_set_bin(void *values, const char *arg, const struct option_def *def);

#define READING_AT(member) offsetof(struct reading_values, member)
#define READING_FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, READING_AT(member))
#define READING_TEXT(letter, name, arg, help, member)                                              \
	TEXT_OPTION(letter, name, arg, help, READING_AT(member))
#define READING_CHOICE(letter, name, arg, help, member)                                            \
	CHOICE_OPTION(letter, name, arg, help, READING_AT(member))

/* Rows of a table of options, without a heading: what is taken in. */
#define READING_INPUT_OPTIONS                                                                      \
	READING_TEXT(0, "bpf", "EXPR", "only packets that match this pcap-filter(7) expression",   \
		     bpf),                                                                         \
		READING_CHOICE(0, "observed", "on|off", "tell protocols by their payload (on)",    \
			       observed),                                                          \
	{                                                                                          \
		0, "memory", "SIZE", "room for conversations, such as 512M (1G)", OPTION_CALL, 0,  \
			0, 0, reading_set_memory                                                   \
	}
/* Rows of a table of options, with headings, and its end. */
#define READING_OUTPUT_OPTIONS                                                                     \
	OPTION_HEADING("What is shown"),                                                           \
		READING_FLAG('n', "numeric", "numbers instead of names", numeric),                 \
		READING_FLAG('s', "summary", "counts instead of rows", summary),                   \
		READING_FLAG(0, "tree", "what lies in what: MAC, IP, socket, protocol", tree),     \
		READING_TEXT(0, "columns", "COLUMNS",                                              \
			     "these columns, comma-separated; +NAME adds, -NAME drops", columns),  \
		READING_TEXT(0, "sort", "COLUMNS", "sort by these columns; -NAME: descending",     \
			     sort),                                                                \
		{ 0,                                                                               \
		  "bin",                                                                           \
		  "TIME",                                                                          \
		  "add packets and bytes per stretch of time, such as 1s",                         \
		  OPTION_CALL,                                                                     \
		  0,                                                                               \
		  0,                                                                               \
		  0,                                                                               \
		  reading_set_bin },                                                               \
		REDACT_OPTION(struct reading_values, redact), OPTION_HEADING("How it is written"), \
		READING_FLAG(0, "json", "one JSON document", json),                                \
		READING_FLAG(0, "jsonl", "one JSON object a line", jsonl),                         \
		READING_FLAG(0, "csv", "comma-separated values", csv),                             \
		READING_FLAG('H', "no-header", "no headings", no_header),                          \
		READING_CHOICE(0, "color", COLOR_WORDS, "colours (default: on a terminal)",        \
			       color),                                                             \
		READING_FLAG(0, "strict", "exit status 3 when something could not be seen",        \
			     strict),                                                              \
		READING_FLAG('v', "verbose",                                                       \
			     "say on stderr what could not be seen, terminal or not", verbose),    \
	{                                                                                          \
		0                                                                                  \
	}

/* A number and a unit of the list, e.g. "64M"; false when it is none, or too large. */
struct unit {
	const char *name;
	uint64_t factor;
};
bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret);
extern const struct unit units_of_size[], units_of_time[]; /* bytes; nanoseconds */

struct meter {
	bool is_shown, was_shown, was_down;
	int64_t start, next;
	volatile uint64_t *position;
};

/* One run. A command sets the first part, reading_run() the rest; it is the userdata of callbacks.
 */
struct reading {
	const char *command;
	const struct reading_values *values;
	struct pv_capture_request request; /* paths, joined, or live */
	struct sandbox_service *service;   /* or NULL */
	/* called at the end, and when *is_report_wanted was set; or NULL */
	void (*report)(const struct pv_capture_progress *progress);
	volatile sig_atomic_t *is_report_wanted;

	struct pv_capture *capture;
	struct buf vendors; /* with `tree`: who makes which link-layer addresses */
	struct meter meter;
	struct render_options options;
};

/* 0, or -EINVAL after saying what does not go together. */
int reading_check(const struct reading_values *v);
/* Parses the filter's words, opens, runs, shows. Returns the exit status. */
int reading_run(struct reading *g, char **words, int n_words);

#endif
