/* SPDX-License-Identifier: MIT */
/* Which word a person probably meant: the distance between what was typed and what there is. */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdbool.h>
#include <stddef.h>

/* Insertions, deletions, replacements, swaps of neighbours; SIZE_MAX when a word is over 32 bytes.
 */
size_t word_distance(const char *a, const char *b);
/* true when somebody who typed `word` probably meant `candidate`, at that distance */
bool word_is_near(const char *word, const char *candidate, size_t distance);

#endif
