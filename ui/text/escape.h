/* SPDX-License-Identifier: MIT */
/*
 * Foreign bytes (process names, paths, host names) made safe for a medium, once, in the writer.
 *
 * Every form is injective: different bytes give different text, from which the bytes can be had
 * back. In all of them a backslash is doubled and a byte that cannot be shown is \xHH (two lower
 * case digits); the rest stays as it is. What cannot be shown:
 *   text, CSV  control characters (C0, DEL, C1), newlines, invalid UTF-8, format characters (bidi
 *              overrides, zero-width ones), separators and spaces other than U+0020, marks and
 *              fillers without width, unassigned and private characters, letters written from
 *              right to left (a terminal would rearrange the row around them), and the ellipsis,
 *              which marks what was cut
 *   JSON       invalid UTF-8; other odd characters are \uXXXX of JSON's own, which every parser
 *              turns back by itself
 */
#ifndef UI_TEXT_ESCAPE_H
#define UI_TEXT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Flags of text_put(). */
#define TEXT_WORD 0x01	/* a space is \x20: the text is one word, a field cannot imitate two */
#define TEXT_LIST 0x02	/* "," and any "(" but a leading one are escaped: an item of a list */
#define TEXT_ASCII 0x04 /* bytes from 0x80 on are \xHH, "~" (the ellipsis then) is \x7e */
/* An empty text is shown as "", the text - as \x2d and a leading "" as \x22": missing, empty and
 * what imitates them can be told apart. */
#define TEXT_FIELD 0x08

void text_put(struct buf *b, const void *data, size_t len, unsigned flags);
/* The same text as a quoted JSON string. */
void text_put_json(struct buf *b, const void *data, size_t len);
/*
 * A CSV cell (RFC 4180) of text made by text_put(): quoted where needed. One that a spreadsheet
 * would take for a formula (it begins with = + - @ or a full-width form of them), or that begins
 * with an apostrophe, gets one leading apostrophe.
 */
void text_put_csv(struct buf *b, const char *text, size_t len);

/* Columns on a terminal of UTF-8 text without control characters. */
size_t text_width(const char *text, size_t len);
/*
 * Bytes of the longest beginning that is at most `columns` wide, never cutting a character or an
 * escape; *ret_columns is its width.
 */
size_t text_fit(const char *text, size_t len, size_t columns, size_t *ret_columns);
/* Cuts what was appended to *b since `start` to `columns`, with an ellipsis at the end. */
void text_cut(struct buf *b, size_t start, size_t columns, bool ascii);

#endif
