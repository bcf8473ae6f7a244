/* SPDX-License-Identifier: MIT */
/*
 * Texts for people are looked up in the message catalogue of the program (gettext, domain
 * "portavoz"); main() chooses the locale. Keys, names of columns and everything machines read are
 * never looked up. po/POTFILES names the files with such texts.
 */
#ifndef UI_TEXT_I18N_H
#define UI_TEXT_I18N_H

#include <libintl.h>

#define _(text) gettext(text)
/* marks a text of a table; the reader of the table looks it up with text_translate() */
#define N_(text) text

/* gettext("") would be the head of the catalogue. */
static inline const char *text_translate(const char *text)
{
	return *text ? gettext(text) : text;
}

#endif
