/* SPDX-License-Identifier: MIT */
/*
 * Operands and file make one text, with a newline between them, so that the states and predicates
 * of both add up as ss has it; a mistake is shown where it was written.
 */
#include "cli/filter_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/commands.h"
#include "ui/text/escape.h"

/* Far more than a filter may have; devices never end. */
#define FILE_MAX ((size_t)1 << 20)

void print_caret(const char *what, const char *text, size_t offset, const char *message,
		 const char *expected)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t at;

	buf_printf(&b, "portavoz: %s: %s\n  ", what, message);
	at = b.len;
	text_put(&b, text, offset, 0);
	at = buf_error(&b) ? 0 : text_width(b.data + at, b.len - at);
	text_put(&b, text + offset, strlen(text + offset), 0);
	buf_puts(&b, "\n  ");
	buf_pad(&b, ' ', at);
	buf_puts(&b, "^\n");
	if (expected && expected[0])
		buf_printf(&b, "  expected: %s\n", expected);
	fputs(buf_str(&b) ? buf_str(&b) : "portavoz: out of memory\n", stderr);
}

/* A first word that is no filter may have been meant to be a command. */
static void hint_command(const char *word, size_t error_offset)
{
	const struct command *near = error_offset == 0 ? command_nearest(word) : NULL;

	if (near)
		fprintf(stderr, "  or did you mean the command 'portavoz %s'?\n", near->name);
}

static void join_operands(const struct filter_text *from, struct buf *b)
{
	for (int i = from->first; i < from->argc; i++) {
		if (i > from->first)
			buf_putc(b, ' ');
		buf_puts(b, from->argv[i]);
	}
}

static int read_file(const char *path, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd =
		strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	size_t start = b->len;
	int r = fd < 0 ? -errno : fd_read_max(fd, FILE_MAX, b);

	if (fd == STDIN_FILENO)
		steal_fd(&fd);
	if (r != 0) {
		usage_error(path, "%s", strerror(r < 0 ? -r : EFBIG));
		return r == -ENOMEM ? r : -EINVAL;
	}
	if (b->len > start && memchr(b->data + start, '\0', b->len - start)) {
		usage_error(path, "is no text: it holds a NUL byte");
		return -EINVAL;
	}
	return 0;
}

/* The line of the file that holds the place, under its own number. */
static void say_in_file(const struct filter_text *from, const char *text, size_t offset,
			const struct pv_syntax_error *error)
{
	_cleanup_(cleanup_buf) struct buf what = BUF_INIT;
	_cleanup_(cleanup_free) char *line = NULL;
	const char *name = strcmp(from->file, "-") ? from->file : "standard input";
	size_t start = offset;
	unsigned number = 1;

	while (start > 0 && text[start - 1] != '\n')
		start--;
	for (size_t i = 0; i < start; i++)
		number += text[i] == '\n';
	line = strndup(text + start, strcspn(text + start, "\n"));
	text_put(&what, name, strlen(name), 0);
	buf_printf(&what, ":%u", number);
	if (line && buf_str(&what))
		print_caret(what.data, line, offset - start, error->message, error->expected);
}

static void say_error(const struct filter_text *from, char *text, size_t file_start,
		      const struct pv_syntax_error *error)
{
	if (from->file && error->offset >= file_start) {
		say_in_file(from, text + file_start, error->offset - file_start, error);
		return;
	}
	/* what stands in the file is not shown as if it had been typed */
	if (from->file && file_start)
		text[file_start - 1] = 0;
	print_caret("filter", text, error->offset, error->message, error->expected);
	if (from->first < from->argc)
		hint_command(from->argv[from->first], error->offset);
}

int filter_text_parse(const struct filter_text *from, struct pv_filter **ret_filter)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct pv_syntax_error error = { 0 };
	size_t file_start = 0;
	int r = 0;

	*ret_filter = NULL;
	join_operands(from, &text);
	if (from->file) {
		buf_putc(&text, '\n');
		file_start = text.len;
		r = read_file(from->file, &text);
	}
	if (r < 0)
		return r;
	if (!buf_str(&text))
		return -ENOMEM;
	r = from->as_ss ? pv_filter_parse_ss(text.data, from->family, ret_filter, &error)
			: pv_filter_parse(text.data, ret_filter, &error);
	if (r == -EINVAL)
		say_error(from, text.data, file_start, &error);
	if (r == 0 && pv_filter_is_empty(*ret_filter)) {
		pv_filter_free(*ret_filter);
		*ret_filter = NULL;
	}
	return r;
}
