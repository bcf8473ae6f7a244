/* SPDX-License-Identifier: MIT */
/*
 * Texts for people are looked up in the message catalogue of the program (gettext, domain
 * "portavoz"); main() chooses the locale. Keys, names of columns and everything machines read are
 * never looked up. po/POTFILES names the files with such texts.
 */
#ifndef UI_TEXT_I18N_H
#define UI_TEXT_I18N_H

#include <libintl.h>

#include "base/mark.h" /* N_() marks a text of a table: who reads it calls text_translate() */

#define _(text) gettext(text)

/* gettext("") would be the head of the catalogue. */
static inline const char *text_translate(const char *text)
{
	return *text ? gettext(text) : text;
}

#endif
