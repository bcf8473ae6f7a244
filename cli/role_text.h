/* SPDX-License-Identifier: MIT */
/* Collecting for roles, and roles in words and as JSON. */
#ifndef CLI_ROLE_TEXT_H
#define CLI_ROLE_TEXT_H

#include <portavoz/portavoz.h>

#include "base/buf.h"

/*
 * A snapshot with everything roles need, of this host or of a recording (replay != NULL); redacted
 * unless redactor is NULL. 0, or the exit status 1 after saying on stderr what is wrong.
 */
int role_collect(const char *replay, uint32_t more_needs, const struct pv_redactor *redactor,
		 struct pv_snapshot **ret);

/* "nginx (nginx.service) listens for tcp http" */
void role_put_what(struct buf *b, const struct pv_role *role);
/* "on 127.0.0.0/8, as root"; nothing where there is nothing to say */
void role_put_where(struct buf *b, const struct pv_role *role);
/* One JSON object. */
void role_put_json(struct buf *b, const struct pv_role *role);

#endif
