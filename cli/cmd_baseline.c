/* SPDX-License-Identifier: MIT */
/* portavoz baseline: what runs now, or while it watches, as a policy to be read and edited. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/redact_option.h"
#include "cli/role_text.h"
#include "ui/render/render.h"

#define LOOK_NS 1000000000L /* from one look to the next */

struct baseline_values {
	uint32_t seconds;
	const char *replay, *redact;
	bool always, strict, verbose;
};

static int set_time(void *values, const char *arg, const struct option_def *def);

#define AT(member) offsetof(struct baseline_values, member)
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))

static const struct option_def baseline_options[] = {
	{ 0, "for", "TIME", "watch so long, looking once a second: 90s, 10m, 2h", OPTION_CALL, 0, 0,
	  0, set_time },
	FLAG(0, "always", "expect the listeners of units at any time", always),
	{ 0, "replay", "DIR", "from a recording, not from this host", OPTION_TEXT, AT(replay), 0, 0,
	  NULL },
	REDACT_OPTION(struct baseline_values, redact),
	FLAG(0, "strict", "exit status 3 when something could not be seen", strict),
	FLAG('v', "verbose", "say on stderr what could not be seen, terminal or not", verbose),
	{ 0 },
};

static int run_baseline(int argc, char **argv);

const struct command command_baseline = {
	.name = "baseline",
	.summary = "write what runs now as a policy",
	.usage = "[OPTION]... > FILE",
	.about = "One 'expect' a role: program or unit, direction, service, networks. Neither\n"
		 "process ids nor ephemeral ports appear, so a restart changes nothing. See\n"
		 "portavoz-policy(5).",
	.defs = baseline_options,
	.operands = OPERAND_NONE,
	.run = run_baseline,
};

static int set_time(void *values, const char *arg, const struct option_def *def)
{
	static const char units[] = "smhd";
	static const uint32_t seconds[] = { 1, 60, 3600, 86400 };
	struct baseline_values *v = values;
	size_t n = strlen(arg);
	const char *unit = n > 1 && n < 8 ? strchr(units, arg[n - 1]) : NULL;
	uint64_t number;
	char digits[8];

	(void)def;
	if (unit) {
		memcpy(digits, arg, n - 1);
		digits[n - 1] = '\0';
	}
	if (!unit || parse_number(digits, 1, UINT32_MAX / 86400, &number) < 0) {
		usage_error("--for", "\"%s\" is not a time; expected: 90s, 10m, 2h or 1d", arg);
		return -EINVAL;
	}
	v->seconds = (uint32_t)number * seconds[unit - units];
	return 0;
}

/* Set by a signal: write what was seen so far. */
static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	is_interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Waits for the time of look number n; false when there is none any more. */
static bool wait_for_look(const struct timespec *start, uint64_t n, uint32_t seconds)
{
	uint64_t ns = n * LOOK_NS + (uint64_t)start->tv_nsec;
	struct timespec at = { .tv_sec = start->tv_sec + (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };

	if (n * LOOK_NS > (uint64_t)seconds * 1000000000 || is_interrupted)
		return false;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		if (is_interrupted)
			return false;
	return !is_interrupted;
}

/* Looks until the time is over. *ret_last is the last snapshot. 0 or the exit status. */
static int watch(const struct baseline_values *v, struct pv_roles *roles,
		 struct pv_snapshot **ret_last)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *redactor = NULL;
	struct timespec start;
	uint64_t n = 0;
	int r = redact_open(v->redact, &redactor);

	if (r)
		return r;
	if (v->seconds)
		catch_signals();
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		struct pv_snapshot *s = NULL;

		r = role_collect(v->replay, PV_NEED_VERDICT, redactor, &s);
		if (r != 0)
			return r;
		pv_snapshot_free(*ret_last);
		*ret_last = s;
		if (pv_roles_add(roles, s) < 0) {
			usage_error("baseline", "%s", strerror(ENOMEM));
			return EXIT_FAILURE;
		}
	} while (wait_for_look(&start, ++n, v->seconds));
	return 0;
}

/* What the file does not describe is said here: the file itself stays the same from run to run. */
static void say_left_out(const struct pv_roles *roles, size_t unnamed)
{
	for (int reason = 0; reason < PV_REASON_N; reason++) {
		uint64_t n = pv_roles_unowned(roles, (enum pv_reason)reason);

		if (n)
			usage_error("baseline", "sockets not described: %llu, %s",
				    (unsigned long long)n, pv_reason_text((enum pv_reason)reason));
	}
	if (unnamed)
		usage_error("baseline",
			    "roles not described: %zu, neither the unit nor the executable of the "
			    "program is known",
			    unnamed);
}

static int write_baseline(const struct baseline_values *v, struct pv_roles *roles,
			  const struct pv_snapshot *last)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	_cleanup_(cleanup_free) char *text = NULL;
	size_t unnamed = 0;
	int r = pv_roles_finish(roles);

	if (r == 0)
		r = pv_roles_baseline(roles, v->always, &text, &unnamed);
	if (r < 0) {
		usage_error("baseline", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	buf_puts(&b, text);
	r = print_stdout(&b);
	if (r)
		return r;
	say_left_out(roles, unnamed);
	return say_coverage(last, NULL, v->verbose, v->strict);
}

static int run_baseline(int argc, char **argv)
{
	struct baseline_values v = { 0 };
	struct pv_snapshot *last = NULL;
	struct pv_roles *roles;
	int first, r = command_options(&command_baseline, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (first < argc) {
		usage_error(argv[first], "baseline takes no operand");
		return EXIT_USAGE;
	}
	if (v.seconds && v.replay) {
		usage_error("--for", "does not go with --replay: a recording is one moment");
		return EXIT_USAGE;
	}
	roles = pv_roles_new();
	if (!roles) {
		usage_error("baseline", "%s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	r = watch(&v, roles, &last);
	if (r == 0)
		r = write_baseline(&v, roles, last);
	pv_roles_free(roles);
	pv_snapshot_free(last);
	return r;
}
