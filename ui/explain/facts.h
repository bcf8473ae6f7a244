/* SPDX-License-Identifier: MIT */
/*
 * An explanation: sections of facts. A fact is the id of a sentence and the values of its places;
 * words come in only when it is written, in the language of the reader or as JSON without one.
 * Everything a value points to belongs to the snapshot, to the arena, or is static.
 */
#ifndef UI_EXPLAIN_FACTS_H
#define UI_EXPLAIN_FACTS_H

#include <portavoz/portavoz.h>

#include "base/arena.h"
#include "base/vec.h"

enum sentence_id {
#define SENTENCE(id, text) SAYS_##id,
#define PLURAL(id, text, plural) SAYS_##id,
#define LINE(id, text) SAYS_##id,
#include "ui/explain/sentences.def"
#undef SENTENCE
#undef PLURAL
#undef LINE
	SENTENCE_N,
};

struct sentence {
	const char *key, *text;
	const char *plural; /* or NULL */
	bool is_line;	    /* never translated */
};
const struct sentence *sentence_of(enum sentence_id id);

enum value_kind {
	VALUE_NUMBER,
	VALUE_MS,	/* a duration */
	VALUE_TIME,	/* seconds since 1970 */
	VALUE_TEXT,	/* ours, never translated: "tcp" */
	VALUE_MESSAGE,	/* ours, translated */
	VALUE_NAME,	/* foreign bytes */
	VALUE_SENTENCE, /* ours, with foreign bytes in it; never translated */
	VALUE_ARGS,	/* foreign words, each ended by a NUL */
	VALUE_PROCESS,
	VALUE_PARENTS, /* all of a process, up to the first */
	VALUE_LOCAL,   /* an end of a conversation */
	VALUE_REMOTE,
	VALUE_HOLDERS,
};

struct value {
	const char *place; /* NULL ends a list */
	enum value_kind kind;
	union {
		uint64_t number;
		const char *text;
		struct pv_bytes bytes;
		const struct pv_process *process;
		const struct pv_conversation *conversation;
	};
};

#define FACT_VALUES_MAX 6
struct fact {
	enum sentence_id id;
	uint8_t n_values;
	struct value values[FACT_VALUES_MAX];
};

enum section_kind {
	SECTION_PORT,
	SECTION_ADDRESS,
	SECTION_SOCKET,	 /* one, with its fields */
	SECTION_SOCKETS, /* a line each */
	SECTION_PROCESS,
};

struct section {
	enum section_kind kind;
	const struct pv_conversation *conversation; /* of SECTION_SOCKET; or NULL */
	const struct pv_process *process;	    /* of SECTION_PROCESS; or NULL */
	size_t first_fact; /* the heading; the rest up to the next section's */
};

struct explanation {
	const struct pv_snapshot *snapshot; /* borrowed */
	uint32_t needs;			    /* what was collected */
	struct arena arena;
	VEC(struct section) sections;
	VEC(struct fact) facts;
	int error; /* sticks: 0 or -ENOMEM */
};

void explanation_init(struct explanation *e, const struct pv_snapshot *snapshot, uint32_t needs);
void explanation_deinit(struct explanation *e);
/* The next fact is its heading. */
void explanation_begin(struct explanation *e, enum section_kind kind,
		       const struct pv_conversation *conversation,
		       const struct pv_process *process);
/* `values` end with one without a place. */
void explanation_say(struct explanation *e, enum sentence_id id, const struct value *values);

#define SAY(e, id, ...)                                                                            \
	explanation_say(e, SAYS_##id, (const struct value[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

static inline struct value value_number(const char *place, uint64_t number)
{
	return (struct value){ place, VALUE_NUMBER, { .number = number } };
}

static inline struct value value_ms(const char *place, uint64_t ms)
{
	return (struct value){ place, VALUE_MS, { .number = ms } };
}

static inline struct value value_time(const char *place, uint64_t seconds)
{
	return (struct value){ place, VALUE_TIME, { .number = seconds } };
}

static inline struct value value_text(const char *place, const char *text)
{
	return (struct value){ place, VALUE_TEXT, { .text = text } };
}

static inline struct value value_message(const char *place, const char *text)
{
	return (struct value){ place, VALUE_MESSAGE, { .text = text } };
}

static inline struct value value_name(const char *place, struct pv_bytes bytes)
{
	return (struct value){ place, VALUE_NAME, { .bytes = bytes } };
}

static inline struct value value_sentence(const char *place, struct pv_bytes bytes)
{
	return (struct value){ place, VALUE_SENTENCE, { .bytes = bytes } };
}

static inline struct value value_args(const char *place, struct pv_bytes bytes)
{
	return (struct value){ place, VALUE_ARGS, { .bytes = bytes } };
}

static inline struct value value_process(const char *place, const struct pv_process *p)
{
	return (struct value){ place, VALUE_PROCESS, { .process = p } };
}

static inline struct value value_parents(const char *place, const struct pv_process *p)
{
	return (struct value){ place, VALUE_PARENTS, { .process = p } };
}

static inline struct value value_end(enum value_kind kind, const struct pv_conversation *c)
{
	const char *place = kind == VALUE_LOCAL	   ? "local"
			    : kind == VALUE_REMOTE ? "remote"
						   : "holders";

	return (struct value){ place, kind, { .conversation = c } };
}

/* What is known of each noun; each begins a section. */
void explain_port(struct explanation *e, uint16_t port, int transport); /* -1 = all */
void explain_socket(struct explanation *e, const struct pv_conversation *c);
void explain_process(struct explanation *e, const struct pv_process *p);
void explain_address(struct explanation *e, int family, const uint8_t *addr, uint32_t n_local,
		     uint32_t n_remote);
/* Further facts of the same section. */
void explain_tcp(struct explanation *e, const struct pv_conversation *c);
void explain_activation(struct explanation *e, const struct pv_conversation *c);
/* Who reaches a listener beyond what its address says; the translation of a conversation. */
void explain_exposure(struct explanation *e, const struct pv_conversation *c);
void explain_translation(struct explanation *e, const struct pv_conversation *c);
void explain_line(struct explanation *e, const struct pv_conversation *c);

/* A number column of ui/columns; false when the kernel did not tell. */
bool explain_number(const struct explanation *e, const struct pv_conversation *c,
		    const char *column, uint64_t *ret_number);
/* The parent; NULL = not known, or none. */
const struct pv_process *explain_parent(const struct pv_snapshot *s, const struct pv_process *p);
/* A ring of parents (a forged recording) ends after so many. */
#define EXPLAIN_PARENTS_MAX 64

#endif
