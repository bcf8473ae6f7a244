/* SPDX-License-Identifier: MIT */
/*
 * N_() marks a text that a program may look up in its message catalogue before it shows it. The
 * library itself says everything in English.
 */
#ifndef BASE_MARK_H
#define BASE_MARK_H

#define N_(text) text

#endif
