/* SPDX-License-Identifier: MIT */
/*
 * getopt_long() driven by tables. Nothing is written to the values before its argument was found
 * valid; the first error stops.
 */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/text/escape.h"
#include "ui/text/i18n.h"

#define LONG_BASE 256
#define HELP_COLUMN 26
#define HELP_WIDTH 79

static const struct option_def help_def = { .letter = 'h',
					    .name = "help",
					    .help = N_("show this help and exit") };

struct parser {
	const struct option_def *defs;
	size_t n;
	char *letters;
	struct option *longs;
};

static void parser_deinit(struct parser *p)
{
	free(p->letters);
	free(p->longs);
}

static bool is_optional(const struct option_def *def)
{
	return def->arg && def->arg[strlen(def->arg) - 1] == '?';
}

static int argument_mode(const struct option_def *def)
{
	if (!def->arg)
		return no_argument;
	return is_optional(def) ? optional_argument : required_argument;
}

static bool defines_letter(const struct parser *p, char letter)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->defs[i].letter == letter)
			return true;
	return false;
}

static void add_letter(char *end, const struct option_def *def)
{
	if (!def->letter)
		return;
	*end++ = def->letter;
	for (int colons = argument_mode(def); colons > 0; colons--)
		*end++ = ':';
	*end = 0;
}

static int parser_init(struct parser *p, const struct option_def *defs)
{
	size_t n_longs = 0;

	p->defs = defs;
	while (!option_is_end(&defs[p->n]))
		p->n++;
	p->letters = calloc(3 * p->n + 3, 1);
	p->longs = calloc(p->n + 2, sizeof(*p->longs));
	if (!p->letters || !p->longs)
		return -ENOMEM;
	p->letters[0] = ':';
	for (size_t i = 0; i < p->n; i++) {
		add_letter(p->letters + strlen(p->letters), &defs[i]);
		if (defs[i].name)
			p->longs[n_longs++] =
				(struct option){ defs[i].name, argument_mode(&defs[i]), NULL,
						 LONG_BASE + (int)i };
	}
	p->longs[n_longs] =
		(struct option){ help_def.name, no_argument, NULL, LONG_BASE + (int)p->n };
	if (!defines_letter(p, help_def.letter))
		add_letter(p->letters + strlen(p->letters), &help_def);
	return 0;
}

/* The row that getopt_long() names by its value; &help_def for help; NULL = none */
static const struct option_def *find_def(const struct parser *p, int value)
{
	if (value == LONG_BASE + (int)p->n)
		return &help_def;
	if (value >= LONG_BASE)
		return &p->defs[value - LONG_BASE];
	for (size_t i = 0; i < p->n; i++)
		if (value && p->defs[i].letter == value)
			return &p->defs[i];
	return value == help_def.letter ? &help_def : NULL;
}

/* As text_put(), but backslashes stay single: what was escaped before is not again. */
static void put_visible(struct buf *b, const char *text)
{
	for (size_t n; *text; text += n) {
		n = *text == '\\' ? 1 : strcspn(text, "\\");
		if (*text == '\\')
			buf_putc(b, '\\');
		else
			text_put(b, text, n, 0);
	}
}

void usage_error(const char *what, const char *format, ...)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	_cleanup_(cleanup_free) char *why = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&why, format, args);
	va_end(args);
	if (n < 0)
		why = NULL;
	buf_puts(&b, "portavoz: ");
	put_visible(&b, what);
	buf_puts(&b, ": ");
	put_visible(&b, why ? why : _("not understood"));
	fprintf(stderr, "%s\n", buf_str(&b) ? buf_str(&b) : "portavoz: out of memory");
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	uint64_t v = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || v > (UINT64_MAX - 9) / 10)
			return -EINVAL;
		v = v * 10 + (uint64_t)(*text - '0');
	}
	if (v < min || v > max)
		return -EINVAL;
	*ret_number = v;
	return 0;
}

static const char *nearest_name(const struct parser *p, const char *name)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	for (size_t i = 0; p->longs[i].name; i++) {
		size_t d = word_distance(name, p->longs[i].name);

		if (d < best_distance && word_is_near(name, p->longs[i].name, d)) {
			best = p->longs[i].name;
			best_distance = d;
		}
	}
	return best;
}

/* How many long names begin with the n bytes given */
static size_t count_prefixed(const struct parser *p, const char *name, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; p->longs[i].name; i++)
		found += !strncmp(p->longs[i].name, name, n);
	return found;
}

static void report_unknown_long(const struct parser *p, const char *word)
{
	_cleanup_(cleanup_free) char *option = strndup(word, strcspn(word, "="));
	const char *near;

	if (!option || strlen(option) < 3) {
		usage_error(word, "%s", _("unknown option"));
		return;
	}
	near = nearest_name(p, option + 2);
	if (count_prefixed(p, option + 2, strlen(option + 2)) > 1)
		usage_error(option, "%s", _("more than one option begins so"));
	else if (near)
		usage_error(option, _("unknown option (did you mean --%s?)"), near);
	else
		usage_error(option, "%s", _("unknown option (--help lists them)"));
}

static void report_unknown(const struct parser *p, const char *word)
{
	char option[3] = { '-', (char)optopt, 0 };
	const struct option_def *def = find_def(p, optopt);

	if (optopt >= LONG_BASE && def)
		usage_error(word, "%s", _("takes no value"));
	else if (optopt)
		usage_error(option, "%s",
			    _("unknown option (--help lists them; an operand that begins "
			      "with - goes behind --)"));
	else
		report_unknown_long(p, word);
}

/* "--owners" or "-s", as the user would write it */
static void name_option(const struct option_def *def, struct buf *b)
{
	if (def->name)
		buf_printf(b, "--%s", def->name);
	else
		buf_printf(b, "-%c", def->letter);
}

static int report_value(const struct option_def *def, const char *arg, const char *format, ...)
{
	_cleanup_(cleanup_buf) struct buf what = BUF_INIT;
	char why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	name_option(def, &what);
	if (arg)
		buf_printf(&what, "=%s", arg);
	usage_error(buf_str(&what) ? buf_str(&what) : "option", "%s", why);
	return -EINVAL;
}

static int report_missing(const struct option_def *def)
{
	return report_value(def, NULL, _("needs a value: %s"), def->arg);
}

int option_append(void *values, const char *arg, const struct option_def *def)
{
	struct buf *b = (void *)((char *)values + def->offset);

	if (!*arg) {
		report_missing(def);
		return -EINVAL;
	}
	if (b->len)
		buf_putc(b, ',');
	buf_puts(b, arg);
	return buf_error(b);
}

bool report_netns(struct buf *netns, int error)
{
	if (!netns->len || !buf_str(netns) || (error != -ENXIO && error != -EPERM))
		return false;
	usage_error(netns->data, "%s",
		    error == -ENXIO ? _("no such network namespace")
				    : _("may not be entered: run as root, or grant CAP_SYS_ADMIN "
					"and CAP_SYS_PTRACE"));
	return true;
}

static int set_number(void *field, const char *arg, const struct option_def *def)
{
	uint64_t v;

	if (parse_number(arg, def->value, def->max, &v) < 0)
		return report_value(def, arg, _("expected a whole number from %u to %u"),
				    def->value, def->max);
	*(uint32_t *)field = (uint32_t)v;
	return 0;
}

static int set_choice(void *field, const char *arg, const struct option_def *def)
{
	size_t len = strlen(def->arg) - is_optional(def), n = strlen(arg), pos = 0;

	for (int index = 0; pos < len; index++) {
		size_t word = strcspn(def->arg + pos, "|?");

		if (word == n && !memcmp(def->arg + pos, arg, n)) {
			*(int *)field = index;
			return 0;
		}
		pos += word + 1;
	}
	return report_value(def, arg, _("expected %.*s"), (int)len, def->arg);
}

static int apply(const struct option_def *def, const char *arg, void *values)
{
	void *field = (char *)values + def->offset;

	switch (def->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_BITS:
		*(uint32_t *)field |= def->value;
		return 0;
	case OPTION_TEXT:
		*(const char **)field = arg ? arg : "";
		return 0;
	case OPTION_NUMBER:
		return arg ? set_number(field, arg, def) : 0;
	case OPTION_CHOICE:
		if (arg)
			return set_choice(field, arg, def);
		*(int *)field = (int)def->value;
		return 0;
	case OPTION_CALL:
		return def->set(values, arg, def);
	}
	return -EINVAL;
}

int options_parse(const struct option_def *defs, int argc, char **argv, void *values,
		  int *ret_first_operand)
{
	_cleanup_(parser_deinit) struct parser p = { 0 };
	int c, r = parser_init(&p, defs);

	if (r < 0)
		return r;
	optind = 0; /* glibc: start afresh, argv may be another one than last time */
	opterr = 0;
	while ((c = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
		const struct option_def *def = c == '?' ? NULL : find_def(&p, c);

		if (c == ':') {
			def = find_def(&p, optopt);
			return def ? report_missing(def) : -EINVAL;
		}
		if (!def) {
			report_unknown(&p, argv[optind - 1]);
			return -EINVAL;
		}
		if (def == &help_def)
			return OPTIONS_HELP;
		r = apply(def, optarg, values);
		if (r < 0)
			return r;
	}
	*ret_first_operand = optind;
	return 0;
}

void text_wrap(struct buf *b, const char *text, size_t column, size_t indent)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + n > HELP_WIDTH) {
			buf_putc(b, '\n');
			buf_pad(b, ' ', indent);
			column = indent;
		} else if (column > indent) {
			buf_putc(b, ' ');
			column++;
		}
		buf_put(b, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_putc(b, '\n');
}

static void put_option(struct buf *b, const struct option_def *def)
{
	size_t start = b->len;

	if (def->letter)
		buf_printf(b, "  -%c%s", def->letter, def->name ? ", " : "");
	else
		buf_puts(b, "      ");
	if (def->name)
		buf_printf(b, "--%s", def->name);
	if (is_optional(def))
		buf_printf(b, "[=%.*s]", (int)strlen(def->arg) - 1, def->arg);
	else if (def->arg)
		buf_printf(b, "%c%s", def->name ? '=' : ' ', def->arg);
	if (b->len - start + 2 > HELP_COLUMN) {
		buf_putc(b, '\n');
		start = b->len;
	}
	if (!buf_error(b))
		buf_pad(b, ' ', HELP_COLUMN - (b->len - start));
	text_wrap(b, def->help ? text_translate(def->help) : "", HELP_COLUMN, HELP_COLUMN);
}

/* Lines stay lines, long ones are broken. */
static void put_paragraphs(struct buf *b, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		_cleanup_(cleanup_free) char *line = strndup(text, n);

		if (line)
			text_wrap(b, line, 0, 0);
		text += n + (text[n] == '\n');
	}
}

void options_help(struct buf *b, const struct command *command)
{
	buf_printf(b, _("Usage: portavoz %s%s%s\n"), command->name, *command->usage ? " " : "",
		   command->usage);
	text_wrap(b, text_translate(command->summary), 0, 0);
	buf_putc(b, '\n');
	for (const struct option_def *d = command->defs; !option_is_end(d); d++) {
		if (option_is_real(d)) {
			put_option(b, d);
			continue;
		}
		if (d != command->defs)
			buf_putc(b, '\n');
		buf_printf(b, "%s:\n", text_translate(d->help));
	}
	put_option(b, &help_def);
	if (command->about) {
		buf_putc(b, '\n');
		put_paragraphs(b, text_translate(command->about));
	}
}

int command_options(const struct command *command, int argc, char **argv, void *values,
		    int *ret_first_operand)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = options_parse(command->defs, argc, argv, values, ret_first_operand);

	if (r == 0)
		return -1;
	if (r == OPTIONS_HELP) {
		options_help(&b, command);
		return print_stdout(&b);
	}
	if (r != -EINVAL)
		usage_error(command->name, "%s", strerror(-r));
	return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
}

static int report_stdout(int error)
{
	usage_error(_("standard output"), "%s",
		    error ? strerror(error) : _("an earlier write failed"));
	clearerr(stdout);
	return EXIT_FAILURE;
}

int print_stdout(struct buf *b)
{
	if (buf_error(b))
		return report_stdout(-buf_error(b));
	if (b->len && fwrite(b->data, 1, b->len, stdout) != b->len)
		return report_stdout(errno);
	return finish_stdout();
}

int finish_stdout(void)
{
	bool lost = ferror(stdout);

	if (fflush(stdout) != 0)
		return report_stdout(errno);
	return lost ? report_stdout(0) : 0;
}
