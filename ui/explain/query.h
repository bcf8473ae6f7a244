/* SPDX-License-Identifier: MIT */
/*
 * What is to be explained. A word may be read in several ways; all that fit are kept, and the
 * sockets of this host decide which of them finds something.
 */
#ifndef UI_EXPLAIN_QUERY_H
#define UI_EXPLAIN_QUERY_H

#include <portavoz/portavoz.h>

#include "base/buf.h"

/* In the order in which they are tried. */
enum explain_as {
	EXPLAIN_PORT,
	EXPLAIN_PID,
	EXPLAIN_INODE,
	EXPLAIN_SOCKET, /* ADDR:PORT */
	EXPLAIN_PAIR,
	EXPLAIN_ADDRESS,
	EXPLAIN_PATH, /* a unix socket */
	EXPLAIN_NAME, /* of processes */
	EXPLAIN_AS_N,
};
#define EXPLAIN_BIT(as) (1u << (as))
const char *explain_as_name(enum explain_as as);
#define EXPLAIN_AS_WORDS "port|pid|inode|socket|pair|address|path|name"

struct explain_end {
	int family; /* AF_INET, AF_INET6; 0 = any address */
	uint8_t addr[16];
	uint16_t port;
};

struct explain_query {
	unsigned readings; /* EXPLAIN_BIT() */
	const char *text;  /* borrowed */
	uint16_t port;
	int transport;	 /* enum pv_transport; -1 = all */
	bool is_service; /* port was named by its service */
	int32_t pid;
	uint32_t inode;
	struct explain_end ends[2]; /* an address, a socket: the first; a pair: both */
};

/*
 * Understands one word, or two that are the ends of a pair. `as` < 0: any reading. `text` lives as
 * long as the query does. 0, or -EINVAL: it fits no reading, or not that one.
 */
int explain_query_parse(const char *text, const char *second, int as, struct explain_query *ret);
/* A filter for the conversations of all readings; none of them is left out. 0 or -ENOMEM. */
int explain_query_filter(const struct explain_query *q, struct buf *b);
bool explain_query_match(const struct explain_query *q, enum explain_as as,
			 const struct pv_snapshot *snapshot, const struct pv_conversation *c);
/* Has this end the address asked for? Both may. */
bool explain_query_is_local(const struct explain_query *q, const struct pv_conversation *c);
bool explain_query_is_remote(const struct explain_query *q, const struct pv_conversation *c);

#endif
