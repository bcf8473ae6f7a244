/* SPDX-License-Identifier: MIT */
/* An explanation written for people, in their language, and as JSON, in none. */
#ifndef UI_EXPLAIN_WRITE_H
#define UI_EXPLAIN_WRITE_H

#include "base/buf.h"
#include "ui/explain/facts.h"

struct explain_look {
	size_t width; /* sentences are wrapped to fit; 0 = one line each */
	bool ascii;
	bool color;
};

/* 0 or -ENOMEM */
int explain_write_text(const struct explanation *e, const struct explain_look *look, struct buf *b);
/* {"schema":1,"what":...,"as":...,"coverage":{...},"sections":[...]} 0 or -ENOMEM */
int explain_write_json(const struct explanation *e, const char *what, const char *as,
		       struct buf *b);

/* The sentence of a fact; foreign bytes come out as ui/text/escape.h says. */
void explain_put_sentence(const struct explanation *e, const struct fact *fact, bool translate,
			  bool ascii, struct buf *b);
/* "350 ms", "4.2 s", "3 min 12 s", "2 h 5 min", "3 d 4 h" */
void explain_put_duration(struct buf *b, uint64_t ms);

#endif
