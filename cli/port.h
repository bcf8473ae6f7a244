/* SPDX-License-Identifier: MIT */
/*
 * What "portavoz port" works with: a question about ports, the rows that answer it, and the search
 * for free ports. A row is one number (or a range registered as one) on one transport.
 */
#ifndef CLI_PORT_H
#define CLI_PORT_H

#include <portavoz/portavoz.h>

#include "base/vec.h"

#define PORT_NAME_MAX 64
#define PORT_TRANSPORTS_ALL ((1u << PV_TRANSPORT_N) - 1)

struct port_query {
	uint32_t first, last;
	unsigned int transports;  /* bits, 1 << enum pv_transport */
	char name[PORT_NAME_MAX]; /* "" = the numbers first...last */
};

/* The query asks for something that is well-formed, but not there. */
#define PORT_E_UNKNOWN 1

/*
 * Understands NUMBER, A-B, NAME, each with an optional /TRANSPORT. What is wrong is said on stderr.
 * 0, -EINVAL (not well-formed) or PORT_E_UNKNOWN (no service of that name).
 */
int port_query_parse(const char *text, struct port_query *ret_query);
/* A-B or NUMBER alone; `what` names the culprit in the message. 0 or -EINVAL. */
int port_range_parse(const char *what, const char *text, uint32_t *ret_first, uint32_t *ret_last);

/* A socket that waits for others to speak first. */
struct port_listener {
	uint8_t transport;
	const struct pv_conversation *conversation;
};

struct port_row {
	uint16_t first, last;
	uint8_t transport;
	const struct pv_service *service;      /* primary name, or NULL */
	const struct port_listener *listeners; /* of struct port_rows */
	size_t n_listeners;
};

/* Rows in the order of the questions, within one question by number and transport. */
struct port_rows {
	const struct pv_snapshot *snapshot;  /* borrowed; NULL = who listens is not known */
	VEC(struct port_listener) listeners; /* sorted by transport and number */
	VEC(struct port_row) rows;
};

/* 0 or -ENOMEM */
int port_rows_init(struct port_rows *p, const struct pv_snapshot *snapshot);
void port_rows_deinit(struct port_rows *p);
/* 0, -ENOMEM, or PORT_E_UNKNOWN when no row was added. A single number always has a row. */
int port_rows_add(struct port_rows *p, const struct port_query *query);
/* Rows of which a name or the description holds the text, in either case. The same results. */
int port_rows_search(struct port_rows *p, const char *text);
/* true when any number of the row is one that this host picks source ports from */
bool port_row_is_ephemeral(const struct port_rows *p, const struct port_row *row);
/* true when any number of the row is in ip_local_reserved_ports */
bool port_row_is_reserved(const struct port_rows *p, const struct port_row *row);
/* Further names of the row's number; start with *cursor = 0, NULL at the end. */
const char *port_row_next_alias(const struct port_row *row, size_t *cursor);

struct port_free_request {
	uint32_t wanted, first, last;
	enum pv_transport transport;  /* TCP or UDP */
	bool registered;	      /* registered numbers will do, too */
	const struct pv_netns *netns; /* its ephemeral and reserved numbers are left out */
};

/* Why numbers were passed over. */
struct port_free_tally {
	uint32_t ephemeral, reserved, registered, in_use, forbidden;
};

/*
 * Finds numbers that can be bound now on every address, lowest first. ret_ports has room for
 * `wanted`. Returns how many were found, or -errno.
 */
int port_free_find(const struct port_free_request *request, uint16_t *ret_ports,
		   struct port_free_tally *ret_tally);

#endif
