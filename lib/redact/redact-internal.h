/* SPDX-License-Identifier: MIT */
/* Keys, one for each purpose, made from the user's. */
#ifndef REDACT_INTERNAL_H
#define REDACT_INTERNAL_H

#include "redact/redact.h"

#define REDACT_KEY 32

struct pv_redactor {
	uint8_t key4[REDACT_KEY], key6[REDACT_KEY], mac[REDACT_KEY]; /* AES-256, addresses */
	uint8_t text[REDACT_KEY];				     /* HMAC-SHA-256, names */
	char mark[REDACT_MARK_MAX];
};

/* HMAC-SHA-256 of a kind and a text; 0 or -EIO. */
int redact_hmac(const uint8_t key[static REDACT_KEY], uint8_t kind, const void *text, size_t len,
		uint8_t out[static 32]);

/* An address as text, with a port or not, in brackets or not: 0, 1 = it is none, -EIO. */
int redact_put_address(const struct pv_redactor *r, const char *word, size_t len, struct buf *b);

/*
 * The first argument of a process. It is whatever the process says, and may be a title: "/usr/bin/x
 * HOST". What stays is the path of its program, or its name in a folder of the system. 0 or -EIO.
 */
int redact_put_title(const struct pv_redactor *r, const struct pv_bytes *title,
		     const struct pv_bytes *exe, struct buf *b);

/* A network of that prefix, in place: what lies behind the prefix stays. 0 or -EIO. */
int redact_network(const struct pv_redactor *r, int family, uint8_t *addr, unsigned prefix);

/* What a protocol's own words told: "key=value ..." of lib/observe. 0 or -EIO. */
int redact_put_observed(const struct pv_redactor *r, const struct pv_bytes *detail, struct buf *b);

/* Of attributes (struct nlattr after struct nlattr) of that protocol those that tell nobody. */
void redact_put_attributes(enum pv_proto proto, const void *data, size_t len, struct buf *b);

/*
 * The evidence of a finding by a rule with that sentence, while the processes of the snapshot still
 * have their names. 0 or -EIO.
 */
int redact_put_evidence(const struct pv_redactor *r, const struct pv_snapshot *s,
			const char *sentence, const struct pv_finding *f, struct buf *b);

#endif
