/* SPDX-License-Identifier: MIT */
/* The option parser: every kind of option, every kind of mistake, and the help text. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/options.h"

#define MAX_ARGS 16

struct values {
	bool all, numeric;
	uint32_t protos, timeout;
	const char *dir, *tag;
	int owners, color;
	char called[32];
};

static int set_called(void *values, const char *arg, const struct option_def *def)
{
	struct values *v = values;

	(void)def;
	if (arg && !strcmp(arg, "bad")) {
		usage_error("--call", "refused");
		return -EINVAL;
	}
	snprintf(v->called, sizeof(v->called), "%s", arg ? arg : "(none)");
	return 0;
}

#define AT(m) offsetof(struct values, m)

static const struct option_def defs[] = {
	{ .help = "What to list" },
	{ 'a', "all", NULL, "everything", OPTION_FLAG, AT(all), 0, 0, NULL },
	{ 'n', "numeric", NULL, "numbers only", OPTION_FLAG, AT(numeric), 0, 0, NULL },
	{ 't', "tcp", NULL, "TCP", OPTION_BITS, AT(protos), 1, 0, NULL },
	{ '4', NULL, NULL, "a letter without a long name", OPTION_BITS, AT(protos), 4, 0, NULL },
	{ 0, "owners", "auto|bpf|none", "who holds a socket", OPTION_CHOICE, AT(owners), 0, 0,
	  NULL },
	{ 0, "color", "auto|always|never?", "colour", OPTION_CHOICE, AT(color), 1, 0, NULL },
	{ .help = "Files and times" },
	{ 0, "dir", "DIR", "a folder", OPTION_TEXT, AT(dir), 0, 0, NULL },
	{ 'g', "tag", "TEXT?", "a tag", OPTION_TEXT, AT(tag), 0, 0, NULL },
	{ 0, "dns-timeout", "MS",
	  "a long explanation that does not fit in one line of eighty columns and is wrapped",
	  OPTION_NUMBER, AT(timeout), 1, 60000, NULL },
	{ 'c', "call", "WORD", "calls", OPTION_CALL, 0, 0, 0, set_called },
	{ 0 },
};

static int no_run(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static const struct command command = {
	"try", "Tries options", "[OPTION]... [FILTER]", "More.", defs, OPERAND_NONE, no_run
};

/* Runs f with stderr (2) or stdout (1) going to memory; what was written ends up in out. */
static int captured(int fd, int (*f)(void *), void *arg, char out[static 4096])
{
	_cleanup_(cleanup_fd) int mem = memfd_create("captured", MFD_CLOEXEC);
	_cleanup_(cleanup_fd) int saved = dup(fd);
	ssize_t n;
	int r;

	assert_true(mem >= 0 && saved >= 0);
	fflush(NULL);
	assert_true(dup2(mem, fd) >= 0);
	r = f(arg);
	fflush(NULL);
	assert_true(dup2(saved, fd) >= 0);
	n = pread(mem, out, 4095, 0);
	assert_true(n >= 0);
	out[n] = 0;
	return r;
}

struct run {
	struct values v;
	int argc, first;
	char *argv[MAX_ARGS + 1];
};

static int run_parse(void *arg)
{
	struct run *r = arg;

	return options_parse(defs, r->argc, r->argv, &r->v, &r->first);
}

static int run_command(void *arg)
{
	struct run *r = arg;

	return command_options(&command, r->argc, r->argv, &r->v, &r->first);
}

/* `line` is split at spaces; the words stay in `words` */
static struct run split(char *words, size_t size, const char *line)
{
	struct run r = { .argc = 1, .argv = { (char *)"try" } };
	char *save = NULL;

	snprintf(words, size, "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(r.argc < MAX_ARGS);
		r.argv[r.argc++] = w;
	}
	return r;
}

static void accepts_everything(void **state)
{
	char words[512], err[4096];
	struct run r = split(words, sizeof(words),
			     "-tan4 state --owners=bpf --color -g --dir /x -cw --dns-timeout 60000 "
			     "est -- -n --nope");

	(void)state;
	assert_int_equal(captured(2, run_parse, &r, err), 0);
	assert_string_equal(err, "");
	assert_true(r.v.all && r.v.numeric);
	assert_int_equal(r.v.protos, 5);
	assert_int_equal(r.v.owners, 1);
	assert_int_equal(r.v.color, 1);
	assert_string_equal(r.v.tag, "");
	assert_string_equal(r.v.dir, "/x");
	assert_string_equal(r.v.called, "w");
	assert_int_equal(r.v.timeout, 60000);
	assert_int_equal(r.argc - r.first, 4);
	assert_string_equal(r.argv[r.first], "state");
	assert_string_equal(r.argv[r.first + 1], "est");
	assert_string_equal(r.argv[r.first + 2], "-n");
	assert_string_equal(r.argv[r.first + 3], "--nope");
}

static void last_choice_and_optional_values(void **state)
{
	char words[512], err[4096];
	struct run r = split(words, sizeof(words),
			     "--owners=auto --owners=none --color=never "
			     "--tag=x -gy --num");

	(void)state;
	assert_int_equal(captured(2, run_parse, &r, err), 0);
	assert_int_equal(r.v.owners, 2);
	assert_int_equal(r.v.color, 2);
	assert_string_equal(r.v.tag, "y");
	assert_true(r.v.numeric);
	assert_int_equal(r.first, r.argc);
}

static void refuses_with_a_reason(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "--ownerz=bpf", "portavoz: --ownerz: unknown option (did you mean --owners?)\n" },
		{ "--onwers", "portavoz: --onwers: unknown option (did you mean --owners?)\n" },
		{ "--frobnicate", "portavoz: --frobnicate: unknown option (--help lists them)\n" },
		{ "--d", "portavoz: --d: more than one option begins so\n" },
		{ "--owners=bpx", "portavoz: --owners=bpx: expected auto|bpf|none\n" },
		{ "--owners=", "portavoz: --owners=: expected auto|bpf|none\n" },
		{ "--owners=auto|bpf", "portavoz: --owners=auto|bpf: expected auto|bpf|none\n" },
		{ "--color=x", "portavoz: --color=x: expected auto|always|never\n" },
		{ "--owners", "portavoz: --owners: needs a value: auto|bpf|none\n" },
		{ "-tc", "portavoz: --call: needs a value: WORD\n" },
		{ "--all=3", "portavoz: --all=3: takes no value\n" },
		{ "-tZ", "portavoz: -Z: unknown option (--help lists them; an operand that begins "
			 "with - goes behind --)\n" },
		{ "-1", "portavoz: -1: unknown option (--help lists them; an operand that begins "
			"with - goes behind --)\n" },
		{ "--call=bad", "portavoz: --call: refused\n" },
		{ "--dns-timeout=0", "portavoz: --dns-timeout=0: expected a whole number from 1 to "
				     "60000\n" },
		{ "--dns-timeout=60001", "portavoz: --dns-timeout=60001: expected a whole number "
					 "from 1 to 60000\n" },
		{ "--dns-timeout=+5",
		  "portavoz: --dns-timeout=+5: expected a whole number from 1 to 60000\n" },
		{ "--dns-timeout=5x",
		  "portavoz: --dns-timeout=5x: expected a whole number from 1 to 60000\n" },
		{ "--x\033[31m", "portavoz: --x\\x1b[31m: unknown option (--help lists them)\n" },
	};
	char words[512], err[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r = split(words, sizeof(words), cases[i].line);

		assert_int_equal(captured(2, run_parse, &r, err), -EINVAL);
		assert_string_equal(err, cases[i].message);
		r = split(words, sizeof(words), cases[i].line);
		assert_int_equal(captured(2, run_command, &r, err), EXIT_USAGE);
	}
}

static void refused_values_are_not_stored(void **state)
{
	char words[512], err[4096];
	struct run r = split(words, sizeof(words), "--dns-timeout=7 --dns-timeout=99999999999");

	(void)state;
	assert_int_equal(captured(2, run_parse, &r, err), -EINVAL);
	assert_int_equal(r.v.timeout, 7);
}

static void help_is_complete_and_fits(void **state)
{
	char words[512], out[4096], *save = NULL;
	struct run r = split(words, sizeof(words), "-t --help --nope");

	(void)state;
	assert_int_equal(captured(1, run_command, &r, out), 0);
	for (const struct option_def *d = defs; !option_is_end(d); d++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", d->name ? d->name : "help");
		assert_non_null(strstr(out, name));
	}
	assert_non_null(strstr(out, "Usage: portavoz try [OPTION]... [FILTER]\n"));
	assert_non_null(strstr(out, "  -4                      a letter without"));
	assert_non_null(strstr(out, "--color[=auto|always|never]\n"));
	assert_non_null(strstr(out, "\nMore.\n"));
	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		assert_true(strlen(line) <= 80);
}

static void numbers_are_strict(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "0x10",
					   "1.",
					   "65536",
					   "１",
					   "99999999999999999999",
					   "18446744073709551616" };
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_number(bad[i], 0, 65535, &v), -EINVAL);
	assert_int_equal(v, 7);
	assert_int_equal(parse_number("065535", 0, 65535, &v), 0);
	assert_int_equal(v, 65535);
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(word_distance("", "abc"), 3);
	assert_int_equal(word_distance("owners", "onwers"), 1);
	assert_int_equal(word_distance("kitten", "sitting"), 3);
	assert_true(word_distance("a", "0123456789012345678901234567890123456789") == SIZE_MAX);
	assert_true(word_is_near("lsit", "list", 1));
	assert_false(word_is_near("a", "b", 1));
}

static int write_full(void *arg)
{
	_cleanup_(cleanup_fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_(cleanup_fd) int saved = dup(1);
	struct buf b = BUF_INIT;
	int r;

	(void)arg;
	assert_true(full >= 0 && saved >= 0);
	fflush(stdout);
	assert_true(dup2(full, 1) >= 0);
	buf_puts(&b, "hello\n");
	r = print_stdout(&b);
	buf_deinit(&b);
	assert_true(dup2(saved, 1) >= 0);
	return r;
}

static void full_device_is_an_error(void **state)
{
	char err[4096];

	(void)state;
	assert_int_equal(captured(2, write_full, NULL, err), EXIT_FAILURE);
	assert_string_equal(err, "portavoz: standard output: No space left on device\n");
	assert_int_equal(finish_stdout(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_everything),
		cmocka_unit_test(last_choice_and_optional_values),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(refused_values_are_not_stored),
		cmocka_unit_test(help_is_complete_and_fits),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(distances),
		cmocka_unit_test(full_device_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
