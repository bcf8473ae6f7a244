/* SPDX-License-Identifier: MIT */
/*
 * The filter language: every case of data/filter/, the manual's list, bounds, random filters; with
 * the argument "live" instead, the kernel and ss as judges.
 */
#include "filter_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portavoz/registry.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"

#define DATA PORTAVOZ_SOURCE_ROOT "/tests/unit/data/filter/"
#define MANUAL PORTAVOZ_SOURCE_ROOT "/man/portavoz-filter.7"

/* The rows of this test always know their direction. */
uint32_t pv_snapshot_service_port(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	(void)s;
	return c->direction == PV_DIR_OUTGOING	? c->remote.port
	       : c->direction == PV_DIR_UNKNOWN ? 0
						: c->local.port;
}

static char *next_line(char **text)
{
	char *line;

	while ((line = strsep(text, "\n")) && *line == '#')
		;
	return line;
}

static void read_file(struct buf *b, const char *path)
{
	assert_int_equal(file_read_at(AT_FDCWD, path, b), 0);
	buf_putc(b, '\0');
	assert_int_equal(buf_error(b), 0);
}

static struct pv_filter *parse(const char *text)
{
	struct pv_syntax_error e;
	struct pv_filter *f = NULL;

	if (pv_filter_parse(text, &f, &e) < 0)
		fail_msg("%s\n%*s^ %s (expected %s)", text, (int)e.offset, "", e.message,
			 e.expected);
	return f;
}

/* The names of the rows that match, each with a space before it; "=" at the start. */
static void matches(const struct named_rows *rows, const struct pv_filter *f, struct buf *out)
{
	size_t n = 0;

	buf_putc(out, '=');
	for (size_t i = 0; i < rows->names.n; i++) {
		if (!pv_filter_match(f, rows->snapshot, snapshot_row(rows->snapshot, i)))
			continue;
		buf_putc(out, ' ');
		buf_puts(out, rows->names.items[i]);
		n++;
	}
	if (n == rows->names.n) {
		buf_clear(out);
		buf_puts(out, "= *");
	}
}

/* Every inet row that matches must pass the kernel's part, in both families' dumps. */
static void check_lowered(const struct named_rows *rows, const char *text,
			  const struct pv_filter *f)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		_cleanup_(cleanup_free) void *code = NULL;
		size_t size;

		assert_int_equal(pv_filter_lower(f, ipv6, &code, &size), 0);
		assert_int_equal(!code, !size);
		if (code && !bytecode_is_valid(code, size))
			fail_msg("%s: the kernel would refuse the code", text);
		for (size_t i = 0; code && i < rows->names.n; i++) {
			const struct pv_conversation *c = snapshot_row(rows->snapshot, i);

			if (c->family == (ipv6 ? AF_INET6 : AF_INET) &&
			    pv_filter_match(f, rows->snapshot, c) &&
			    !bytecode_accepts(code, size, c))
				fail_msg("%s: the kernel would lose %s", text,
					 rows->names.items[i]);
		}
	}
}

static void test_matches(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	struct named_rows rows;
	char *text, *line;
	size_t n = 0, n_wrong = 0;

	(void)state;
	rows_load(&rows, DATA "rows.txt");
	read_file(&file, DATA "match.txt");
	text = file.data;
	while ((line = next_line(&text)) && text) {
		_cleanup_(cleanup_buf) struct buf got = BUF_INIT;
		const char *want = next_line(&text);
		struct pv_filter *f = parse(line);

		assert_non_null(want);
		matches(&rows, f, &got);
		if (strcmp(buf_str(&got), want) != 0) {
			print_error("%s\n  want %s\n  got  %s\n", line, want, buf_str(&got));
			n_wrong++;
		}
		check_lowered(&rows, line, f);
		pv_filter_free(f);
		n++;
	}
	rows_free(&rows);
	assert_int_equal(n_wrong, 0);
	assert_true(n > 150);
}

static void replace_all(char *text, const char *what, char by)
{
	size_t n = strlen(what);

	while ((text = strstr(text, what))) {
		*text++ = by;
		memmove(text, text + n - 1, strlen(text + n - 1) + 1);
	}
}

static void test_errors(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	char *text, *line;
	size_t n = 0, n_wrong = 0;

	(void)state;
	read_file(&file, DATA "errors.txt");
	text = file.data;
	while ((line = next_line(&text)) && text) {
		_cleanup_(cleanup_buf) struct buf got = BUF_INIT;
		const char *message = next_line(&text), *expected = next_line(&text);
		struct pv_syntax_error e;
		struct pv_filter *f = NULL;
		int r;

		assert_non_null(expected);
		replace_all(line, "\\n", '\n');
		r = pv_filter_parse(line, &f, &e);
		assert_null(f);
		buf_printf(&got, "%zu %zu %s", e.offset, e.length, e.message);
		if (r != -EINVAL || strcmp(buf_str(&got), message) != 0 ||
		    strncmp(e.expected, expected, strlen(expected)) != 0) {
			print_error("%s\n  want %s | %s\n  got  %s | %s\n", line, message, expected,
				    buf_str(&got), e.expected);
			n_wrong++;
		}
		assert_true(e.offset + e.length <= strlen(line));
		n++;
	}
	assert_int_equal(n_wrong, 0);
	assert_true(n > 50);
}

static char *repeated(const char *piece, size_t n, const char *tail)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_puts(&b, piece);
	buf_puts(&b, tail);
	return strdup(buf_str(&b));
}

static int parse_repeated(const char *piece, size_t n, const char *tail, struct pv_syntax_error *e)
{
	_cleanup_(cleanup_free) char *text = repeated(piece, n, tail);
	struct pv_filter *f = NULL;
	int r = pv_filter_parse(text, &f, e);

	pv_filter_free(f);
	return r;
}

static void test_bounds(void **state)
{
	struct pv_syntax_error e;

	(void)state;
	assert_int_equal(parse_repeated("(", 10000, "sport 1", &e), -EINVAL);
	assert_int_equal(e.offset, 100);
	assert_non_null(strstr(e.message, "nested too deeply"));
	assert_int_equal(parse_repeated("!(", 10000, "sport 1", &e), -EINVAL);
	assert_int_equal(e.offset, 201);
	assert_int_equal(parse_repeated("sport 1 or sport 2 and !(", 100, "sport 3", &e), -EINVAL);
	assert_string_equal(e.expected, ")");
	assert_int_equal(parse_repeated("! ", 30000, "sport 1", &e), 0);
	assert_int_equal(parse_repeated("not ", 16000, "sport 1", &e), 0);
	assert_int_equal(parse_repeated(" ", 65536, "", &e), 0);
	assert_int_equal(parse_repeated(" ", 65537, "", &e), -EINVAL);
	assert_string_equal(e.message, "the filter is too long");
	assert_int_equal(parse_repeated("x", 65536, "", &e), -EINVAL);
	assert_int_equal(e.length, 65536);
	assert_int_equal(parse_repeated("sport 1 or ", 5000, "sport 2", &e), 0);
	/* no room for the reason is no reason to fail */
	assert_int_equal(parse_repeated("(", 10000, "", NULL), -EINVAL);
}

/* Deep and long filters that are allowed: right results, code the kernel takes. */
static void check_long(const char *piece, size_t n, const char *tail, uint32_t port, bool want)
{
	_cleanup_(cleanup_free) char *text = repeated(piece, n, tail);
	struct pv_conversation row = { .family = AF_INET,
				       .local = { .port = port },
				       .remote = { .port = 1 } };
	struct pv_snapshot *s = snapshot_new();
	struct pv_filter *f = parse(text);
	_cleanup_(cleanup_free) void *code = NULL;
	size_t size;

	assert_int_equal(pv_filter_match(f, s, &row), want);
	assert_int_equal(pv_filter_lower(f, false, &code, &size), 0);
	if (code) {
		assert_true(bytecode_is_valid(code, size));
		assert_int_equal(bytecode_accepts(code, size, &row), want);
	} else {
		assert_true(want || n > 1000);
	}
	pv_filter_free(f);
	pv_snapshot_free(s);
}

static void test_long_filters(void **state)
{
	_cleanup_(cleanup_free) char *close = repeated(")", 100, "");
	_cleanup_(cleanup_buf) struct buf tail = BUF_INIT;

	(void)state;
	buf_printf(&tail, "sport 7%s", close);
	check_long("dport 9 or !(dport 1 and !(", 50, buf_str(&tail), 7, true);
	check_long("dport 9 or !(dport 1 and !(", 50, buf_str(&tail), 8, false);
	check_long("sport 5 or ", 3000, "sport 6", 6, true);
	check_long("sport 5 or ", 3000, "sport 6", 7, false);
	check_long("sport != 5 and ", 3000, "sport != 6", 7, true);
	check_long("sport != 5 and ", 3000, "sport != 6", 6, false);
	/* longer than a netlink attribute can be: left to pv_filter_match() */
	check_long("sport 5 or ", 5500, "sport 6", 6, true);
	check_long("sport 5 or ", 5500, "sport 6", 7, false);
	check_long("src ::2 or !dport 2 and ", 2500, "sport 6", 6, true);
}

static void check_facts(const char *text, uint32_t needs, uint32_t states, bool has_states)
{
	struct pv_filter *f = parse(text);

	if (pv_filter_needs(f) != needs || pv_filter_states(f) != states ||
	    pv_filter_has_states(f) != has_states)
		fail_msg("%s: needs %#x, states %#x, has_states %d", text, pv_filter_needs(f),
			 pv_filter_states(f), pv_filter_has_states(f));
	pv_filter_free(f);
}

#define B(s) PV_STATE_BIT(PV_STATE_##s)

static void test_facts(void **state)
{
	(void)state;
	check_facts("", 0, PV_STATE_ALL, false);
	check_facts("sport 1", 0, PV_STATE_ALL, false);
	check_facts("state established", 0, B(ESTABLISHED), true);
	check_facts("state syn-recv", 0, B(SYN_RECV) | B(NEW_SYN_RECV), true);
	check_facts("exclude listening", 0, PV_STATE_ALL & ~B(LISTEN), true);
	check_facts("state connected", 0, PV_STATE_CONNECTED, true);
	check_facts("state bound-inactive", 0, B(CLOSE), true);
	check_facts("exclude bound-inactive", 0, PV_STATE_ALL, true);
	check_facts("state closed state listening", 0, B(CLOSE) | B(LISTEN), true);
	check_facts("state listening or sport 1", 0, PV_STATE_ALL, true);
	check_facts("state listening sport 1", 0, B(LISTEN), true);
	check_facts("not (state listening or state closed)", 0,
		    PV_STATE_ALL & ~B(CLOSE) & ~B(LISTEN), true);
	check_facts("not (state listening and sport 1)", 0, PV_STATE_ALL, true);
	check_facts("state listening and state closed", 0, 0, true);
	check_facts("pid 1", PV_NEED_OWNERS, PV_STATE_ALL, false);
	check_facts("comm x or exe y", PV_NEED_OWNERS | PV_NEED_EXE, PV_STATE_ALL, false);
	check_facts("unit x", PV_NEED_OWNERS | PV_NEED_CGROUP, PV_STATE_ALL, false);
	check_facts("container x", PV_NEED_OWNERS | PV_NEED_CGROUP, PV_STATE_ALL, false);
	check_facts("cgroup /x", PV_NEED_OWNERS | PV_NEED_CGROUP, PV_STATE_ALL, false);
	check_facts("cgroup 17", PV_NEED_SOCKCGROUP, PV_STATE_ALL, false);
	check_facts("fwmark 1", PV_NEED_SOCKCGROUP, PV_STATE_ALL, false);
	check_facts("service ssh", PV_NEED_DIRECTION, PV_STATE_ALL, false);
	check_facts("direction listen", PV_NEED_DIRECTION, PV_STATE_ALL, false);
	check_facts("group dynamic", PV_NEED_DIRECTION, PV_STATE_ALL, false);
	check_facts("lgroup dynamic", 0, PV_STATE_ALL, false);
	check_facts("reason gone", PV_NEED_OWNERS, PV_STATE_ALL, false);
	check_facts("src unix:x", 0, PV_STATE_ALL, false);
	check_facts("dst unix:x", PV_NEED_PEER, PV_STATE_ALL, false);
	check_facts("user 5 uid 6 inode 7", 0, PV_STATE_ALL, false);
}

/* What the kernel can decide alone is lowered whole, and nothing is lowered in vain. */
static void check_code_size(const char *text, bool ipv6, size_t want)
{
	struct pv_filter *f = parse(text);
	_cleanup_(cleanup_free) void *code = NULL;
	size_t size;

	assert_int_equal(pv_filter_lower(f, ipv6, &code, &size), 0);
	if (size != want)
		fail_msg("%s: %zu bytes of code, not %zu", text, size, want);
	pv_filter_free(f);
}

static void test_code_sizes(void **state)
{
	(void)state;
	check_code_size("", false, 0);
	check_code_size("src *", false, 0);
	check_code_size("sport 22", false, 8);
	check_code_size("sport > 22", false, 8);
	check_code_size("sport 20-25", false, 16);
	check_code_size("sport >= 0", false, 0);
	check_code_size("sport < 0", false, 4);
	check_code_size("src 127.0.0.1", false, 16);
	check_code_size("src 127.0.0.1", true, 16);
	check_code_size("src inet:127.0.0.1", true, 4);
	check_code_size("src ::1", true, 28);
	check_code_size("src ::1", false, 4);
	check_code_size("family inet", false, 0);
	check_code_size("family inet", true, 4);
	check_code_size("not family inet", true, 0);
	check_code_size("dev 2", false, 8);
	check_code_size("dev eth0", false, 0);
	check_code_size("fwmark 1", false, 0);
	check_code_size("autobound", false, 0);
	/* a predicate the kernel cannot decide leaves the rest in force, negated or not */
	check_code_size("pid 5 and dport 80", false, 8);
	check_code_size("pid != 5 and dport 80", false, 8);
	check_code_size("not (pid 5 or dport 80)", false, 12);
	check_code_size("not (pid != 5 or dport 80)", false, 12);
	check_code_size("pid 5 or dport 80", false, 0);
	check_code_size("not (pid 5 and dport 80)", false, 0);
	check_code_size("dport 80 and (sport 1 or pid 5)", false, 8);
	check_code_size("dport 80 or sport 80", false, 20);
}

/* Allocations left before one fails; negative: none does. */
static int allocations_left = -1;

static bool allocation_fails(void)
{
	return allocations_left >= 0 && allocations_left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(p, size);
}

/* Parses and lowers; -ENOMEM from either. */
static int parse_and_lower(const char *text)
{
	struct pv_filter *f = NULL;
	void *code = NULL;
	size_t size;
	int r = pv_filter_parse(text, &f, NULL);

	if (!r)
		r = pv_filter_lower(f, false, &code, &size);
	free(code);
	pv_filter_free(f);
	return r;
}

/* Whichever allocation fails, the result is -ENOMEM, and nothing is lost or used after. */
static void test_no_memory(void **state)
{
	_cleanup_(cleanup_free) char *text = repeated("sport 5 or comm \"a b\"* or ", 200,
						      "src unix:\"\\x00\" or service x11 or "
						      "(state listening dst localhost:80)");
	int n = 0, r;

	(void)state;
	do {
		allocations_left = n++;
		r = parse_and_lower(text);
		if (r == 0 && allocations_left >= 0)
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 10000);
	allocations_left = -1;
	assert_int_equal(r, 0);
	assert_true(n > 8);
}

/* One list, here and in the manual: ".It Cm NAME" and, on the next line, the help. */
static void test_manual(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	const struct pv_filter_field *fields;
	const char *at;
	size_t n;

	(void)state;
	fields = pv_filter_fields(&n);
	read_file(&file, MANUAL);
	at = strstr(file.data, "\n.Sh PREDICATES");
	assert_non_null(at);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(cleanup_buf) struct buf want = BUF_INIT;
		const char *line;

		line = strstr(at, "\n.It Cm ");
		if (!line)
			fail_msg("the manual ends before %s", fields[i].name);
		at = strchr(line + 1, '\n');
		line += strlen("\n.It Cm ");
		if (strncmp(line, fields[i].name, strlen(fields[i].name)) != 0)
			fail_msg("the manual has \"%.20s\" where %s is due", line, fields[i].name);
		buf_printf(&want, "\n%c%s.\n", fields[i].help[0] & ~0x20, fields[i].help + 1);
		if (strncmp(at, buf_str(&want), want.len) != 0)
			fail_msg("%s: the manual says \"%.100s\", not \"%s\"", fields[i].name, at,
				 buf_str(&want));
	}
	at = strstr(at, "\n.Sh ");
	assert_non_null(at);
	assert_null(strstr(at, "\n.It Cm "));
}

/* Each example of the manual (".Dl portavoz list 'FILTER'") must parse. */
static void test_manual_examples(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	static const char begin[] = "\n.Dl portavoz list '";
	char *at;
	size_t n = 0;

	(void)state;
	read_file(&file, MANUAL);
	at = file.data;
	while ((at = strstr(at, begin))) {
		char *end = strchr(at + sizeof(begin), '\n'), *text;

		at += sizeof(begin) - 1;
		assert_non_null(end);
		assert_int_equal(end[-1], '\'');
		text = strndup(at, (size_t)(end - at) - 1);
		replace_all(text, "\\(dq", '"');
		replace_all(text, "\\e", '\\');
		pv_filter_free(parse(text));
		free(text);
		at = end;
		n++;
	}
	assert_true(n >= 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),	  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bounds),	  cmocka_unit_test(test_long_filters),
		cmocka_unit_test(test_facts),	  cmocka_unit_test(test_code_sizes),
		cmocka_unit_test(test_manual),	  cmocka_unit_test(test_manual_examples),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_random_filters),
	};

	if (argc > 1 && !strcmp(argv[1], "live"))
		return live_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
