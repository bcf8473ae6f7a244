/* SPDX-License-Identifier: MIT */
#include "cli/policy_option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/options.h"
#include "ui/text/escape.h"

/* "portavoz: FILE:LINE: MESSAGE", the line, and a caret under the place. */
static void say_error(const struct pv_policy_error *e)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t start, at;

	buf_puts(&b, "portavoz: ");
	text_put(&b, e->file, strlen(e->file), 0);
	if (e->line)
		buf_printf(&b, ":%u", e->line);
	buf_puts(&b, ": ");
	text_put(&b, e->message, strlen(e->message), 0);
	buf_putc(&b, '\n');
	if (e->line) {
		buf_puts(&b, "  ");
		start = b.len;
		text_put(&b, e->text, e->offset, 0);
		at = buf_error(&b) ? 0 : text_width(b.data + start, b.len - start);
		text_put(&b, e->text + e->offset, strlen(e->text + e->offset), 0);
		buf_puts(&b, "\n  ");
		buf_pad(&b, ' ', at);
		buf_puts(&b, "^\n");
	}
	if (e->expected[0])
		buf_printf(&b, "  expected: %s\n", e->expected);
	fputs(buf_str(&b) ? buf_str(&b) : "portavoz: out of memory\n", stderr);
}

int policy_option_open(const char *file, struct pv_policy **ret_policy)
{
	struct pv_policy *policy = pv_policy_new();
	struct pv_policy_error error = { 0 };
	int r = !policy ? -ENOMEM
		: file	? pv_policy_add_file(policy, file, &error)
			: pv_policy_add_defaults(policy, &error);

	if (r == 0) {
		*ret_policy = policy;
		return 0;
	}
	pv_policy_free(policy);
	if (r == -ENOMEM)
		usage_error("policy", "%s", strerror(ENOMEM));
	else
		say_error(&error);
	return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
}
