/* SPDX-License-Identifier: MIT */
/* Redaction of a whole snapshot, by whoever builds it, before it is sealed. */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include <linux/netlink.h>
#include <portavoz/redact.h>

#include "base/buf.h"
#include "model/snapshot.h"

#define REDACT_MARK_MAX 33

/*
 * What tells this key from others: 32 hexadecimal digits of a keyed hash of a constant, which is of
 * no other use. Whoever has a key can tell whether it is this one, as by any name of a report.
 */
const char *redact_mark(const struct pv_redactor *r);

/* Appends the other text. Errors of memory stick in *b. 0 or -EIO. */
int redact_put(const struct pv_redactor *r, enum pv_redact_kind kind, const char *text, size_t len,
	       struct buf *b);
/*
 * The name a process gave itself stays when it is how its program is called, which is known by the
 * executable: sshd for /usr/sbin/sshd, python3 for /usr/bin/python3.11.
 */
int redact_put_comm(const struct pv_redactor *r, const struct pv_bytes *comm,
		    const struct pv_bytes *exe, struct buf *b);
/* A whole message of sock_diag about a TCP socket. Errors of memory stick in *b. 0 or -EIO. */
int redact_put_message(const struct pv_redactor *r, const struct nlmsghdr *message, struct buf *b);
/* Replaces everything in it that says who and where. 0, -EIO or -ENOMEM. */
int redact_snapshot(const struct pv_redactor *r, struct pv_snapshot *s);

#endif
