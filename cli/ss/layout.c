/* SPDX-License-Identifier: MIT */
/*
 * ss's columns: each as wide as its widest cell, one space before most of them. On a terminal the
 * room that is left is shared out among the columns of a line, and what does not fit goes to a
 * second one. Widths are bytes, as in ss.
 */
#include <string.h>

#include "cli/ss/ss.h"

static const struct {
	const char *title;
	bool is_right, is_spaced; /* to the right; a space before it */
} columns[SS_COLUMN_N] = {
	[SS_COLUMN_NETID] = { "Netid", false, false },
	[SS_COLUMN_STATE] = { "State", false, true },
	[SS_COLUMN_RECV_Q] = { "Recv-Q", false, true },
	[SS_COLUMN_SEND_Q] = { "Send-Q", false, true },
	[SS_COLUMN_LOCAL] = { "Local Address:", true, true },
	[SS_COLUMN_LOCAL_PORT] = { "Port", false, false },
	[SS_COLUMN_PEER] = { "Peer Address:", true, true },
	[SS_COLUMN_PEER_PORT] = { "Port", false, false },
	[SS_COLUMN_MORE] = { "Process", false, false },
};

void ss_layout_deinit(struct ss_layout *l)
{
	buf_deinit(&l->text);
	vec_deinit(&l->ends);
}

int ss_layout_end_cell(struct ss_layout *l)
{
	size_t column = l->ends.n % SS_COLUMN_N;
	size_t start = l->ends.n ? l->ends.items[l->ends.n - 1] : 0;

	if (buf_error(&l->text) < 0)
		return buf_error(&l->text);
	if (l->is_hidden[column])
		l->text.len = start;
	return vec_push(&l->ends, l->text.len);
}

int ss_layout_header(struct ss_layout *l)
{
	int r = 0;

	l->has_header = true;
	for (size_t i = 0; r == 0 && i < SS_COLUMN_N; i++) {
		buf_puts(&l->text, columns[i].title);
		r = ss_layout_end_cell(l);
	}
	return r;
}

static size_t cell_start(const struct ss_layout *l, size_t i)
{
	return i ? l->ends.items[i - 1] : 0;
}

static size_t cell_len(const struct ss_layout *l, size_t i)
{
	return l->ends.items[i] - cell_start(l, i);
}

/* ss measures what is complete: the last cell of the last line is not, unless it is the heading. */
static void measure(struct ss_layout *l, size_t *widths)
{
	bool is_header = l->has_header && l->ends.n == SS_COLUMN_N;
	size_t n = is_header || !l->ends.n ? l->ends.n : l->ends.n - 1;
	bool is_first = true;

	for (size_t i = 0; i < n; i++) {
		size_t len = cell_len(l, i);

		if (len > l->widths[i % SS_COLUMN_N])
			l->widths[i % SS_COLUMN_N] = len;
	}
	memcpy(widths, l->widths, sizeof(l->widths));
	for (size_t c = 0; c < SS_COLUMN_N; c++) {
		if (l->is_hidden[c])
			continue;
		if (!is_first && widths[c] && columns[c].is_spaced)
			widths[c]++;
		if (widths[c])
			is_first = false;
	}
}

/* Shares `room` among the columns first...last that are shown; what is left over goes to the end.
 */
static void share(size_t *widths, size_t first, size_t last, size_t room)
{
	size_t n = 0, rest;

	for (size_t c = first; c <= last; c++)
		n += widths[c] > 0;
	if (!n)
		return;
	rest = room % n;
	for (size_t c = last + 1; c-- > first;) {
		if (!widths[c])
			continue;
		widths[c] += room / n + (rest > 0);
		rest -= rest > 0;
	}
}

/* The fewest lines that hold the columns, each filled up to the width of the terminal. */
static void fit(size_t *widths, size_t width)
{
	size_t first = 0, len = 0, end = SS_COLUMN_N;

	while (end > 0 && !widths[end - 1])
		end--;
	for (size_t c = 0; c < end; c++) {
		if (widths[c] > width)
			widths[c] = width;
		if (widths[c] && len && len + widths[c] > width) {
			share(widths, first, c - 1, width - len);
			first = c;
			len = 0;
		}
		len += widths[c];
		if (len == width) {
			first = c + 1;
			len = 0;
		}
	}
	if (len)
		share(widths, first, end - 1, width - len);
}

static void put_cell(const struct ss_layout *l, size_t i, size_t width, bool is_first,
		     struct buf *out)
{
	size_t column = i % SS_COLUMN_N, len = cell_len(l, i), used = len;
	bool is_spaced = !is_first && columns[column].is_spaced;

	if (is_spaced)
		buf_putc(out, ' ');
	used += is_spaced;
	if (used < width && columns[column].is_right)
		buf_pad(out, ' ', width - used);
	buf_put(out, l->text.data + cell_start(l, i), len);
	if (used < width && !columns[column].is_right)
		buf_pad(out, ' ', width - used);
}

void ss_layout_clear(struct ss_layout *l)
{
	buf_clear(&l->text);
	l->ends.n = 0;
	l->has_header = false;
}

void ss_layout_put(struct ss_layout *l, size_t width, struct buf *out)
{
	size_t widths[SS_COLUMN_N] = { 0 };
	bool is_first = true;

	measure(l, widths);
	if (width)
		fit(widths, width);
	for (size_t i = 0; i < l->ends.n; i++) {
		if (!l->is_hidden[i % SS_COLUMN_N]) {
			put_cell(l, i, widths[i % SS_COLUMN_N], is_first, out);
			is_first = false;
		}
		if (i % SS_COLUMN_N == SS_COLUMN_N - 1) {
			buf_putc(out, '\n');
			is_first = true;
		}
	}
}
