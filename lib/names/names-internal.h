/* SPDX-License-Identifier: MIT */
/* What the files of lib/names share: the sorted set of distinct addresses, and pure functions. */
#ifndef NAMES_INTERNAL_H
#define NAMES_INTERNAL_H

#include <stdbool.h>

#include "names/names.h"

/* Room for a reversed IPv6 address under ip6.arpa. */
#define NAMES_QUESTION_MAX 80

/* One query a distinct address, sorted by family and address. */
struct names_set {
	struct names_query **items;
	size_t n;
};

/* The query for that address, or NULL. */
struct names_query *names_set_get(const struct names_set *set, int family, const uint8_t *addr);

/* Decides a query; the name (NUL-terminated) is copied into the arena. 0 or -ENOMEM. */
int names_decide(struct arena *arena, struct names_query *query, enum names_result result,
		 const char *name);

/* Writes the question, e.g. "1.2.0.192.in-addr.arpa". */
void names_question(int family, const uint8_t *addr, char out[static NAMES_QUESTION_MAX]);

/*
 * Reads the answer to a PTR question, following CNAME records (RFC 2317). Any bytes are allowed.
 * Returns 0, with *ret_result one of NAMES_OK, NAMES_NONE, NAMES_REFUSED and the name, or -ENOMEM.
 */
int names_parse_answer(const uint8_t *message, size_t len, const char *question,
		       enum names_result *ret_result, char name[static NAMES_LENGTH_MAX + 1]);

/* Decides queries that a hosts file (the text of one) names. 0 or -ENOMEM. */
int names_parse_hosts(struct arena *arena, const struct names_set *set, const char *text,
		      size_t len);

/*
 * The stream "names" of a recording: a line "4|6 hexaddress result [name]" for each address, and
 * "cause TEXT" when there were no answers. Reading fills cause and malformed of *stats.
 */
int names_record(struct tape *tape, const struct names_set *set, const char *cause);
int names_replay(struct tape *tape, struct arena *arena, const struct names_set *set,
		 struct names_stats *stats);
int names_parse_recording(struct arena *arena, const struct names_set *set, const char *text,
			  size_t len, struct names_stats *stats);

#endif
