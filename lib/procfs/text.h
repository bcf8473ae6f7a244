/* SPDX-License-Identifier: MIT */
/*
 * Walking over foreign text by lines and words. A cursor never leaves the bytes it was given, and a
 * number counts only when the whole word is one.
 */
#ifndef PROCFS_TEXT_H
#define PROCFS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *p, *end;
};

static inline struct text text_of(const void *data, size_t len)
{
	return (struct text){ data, len ? (const char *)data + len : data };
}

static inline size_t text_len(struct text t)
{
	return (size_t)(t.end - t.p);
}

static inline bool text_is(struct text t, const char *s)
{
	return text_len(t) == strlen(s) && !memcmp(t.p, s, strlen(s));
}

static inline bool text_starts(struct text t, const char *s)
{
	return text_len(t) >= strlen(s) && !memcmp(t.p, s, strlen(s));
}

/* Takes what comes before the next `sep`, or all that is left; false at the end. */
bool text_until(struct text *t, char sep, struct text *ret_part);
/* Takes a line; one without its newline is taken too, with *ret_whole false. */
bool text_line(struct text *t, struct text *ret_line, bool *ret_whole);
/* Takes a word delimited by spaces and tabs; false when there is none left. */
bool text_word(struct text *t, struct text *ret_word);
bool text_skip(struct text *t, unsigned n_words);
/* The whole text as an unsigned number, in base 10 or 16 without prefix. */
bool text_u64(struct text t, unsigned base, uint64_t *ret_value);
bool text_u32(struct text t, unsigned base, uint32_t *ret_value);
/* Takes a word that is a number. */
bool text_word_u64(struct text *t, unsigned base, uint64_t *ret_value);
bool text_word_u32(struct text *t, unsigned base, uint32_t *ret_value);

#endif
