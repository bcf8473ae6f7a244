/* SPDX-License-Identifier: MIT */
/* Keys, one for each purpose, made from the user's. */
#ifndef REDACT_INTERNAL_H
#define REDACT_INTERNAL_H

#include "redact/redact.h"

#define REDACT_KEY 32

struct pv_redactor {
	uint8_t key4[REDACT_KEY], key6[REDACT_KEY]; /* AES-256, addresses */
	uint8_t text[REDACT_KEY];		    /* HMAC-SHA-256, names */
};

/* HMAC-SHA-256 of a kind and a text; 0 or -EIO. */
int redact_hmac(const uint8_t key[static REDACT_KEY], uint8_t kind, const void *text, size_t len,
		uint8_t out[static 32]);

/*
 * The evidence of a finding, made from that sentence, while the processes of the snapshot still
 * have their names. 0 or -EIO.
 */
int redact_put_evidence(const struct pv_redactor *r, const struct pv_snapshot *s,
			const char *sentence, const struct pv_bytes *evidence, struct buf *b);

#endif
