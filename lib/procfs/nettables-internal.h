/* SPDX-License-Identifier: MIT */
/* Between the readers of single tables and the one that knows them all. */
#ifndef PROCFS_NETTABLES_INTERNAL_H
#define PROCFS_NETTABLES_INTERNAL_H

#include <stdbool.h>

#include "procfs/nettables.h"
#include "procfs/text.h"

struct table {
	enum pv_proto proto;
	int family; /* AF_UNSPEC: any, the rows say which */
	uint8_t type;
	const char *path, *path2;
	/* Understands one line; false = malformed. Members are preset from the table. */
	bool (*line)(struct text line, const struct table *table, struct pv_conversation *row);
};

bool nettables_inet_line(struct text line, const struct table *table, struct pv_conversation *row);
bool nettables_packet_line(struct text line, const struct table *table,
			   struct pv_conversation *row);
bool nettables_netlink_line(struct text line, const struct table *table,
			    struct pv_conversation *row);
bool nettables_assoc_line(struct text line, const struct table *table, struct pv_conversation *row);
bool nettables_endpoint_line(struct text line, const struct table *table,
			     struct pv_conversation *row);
int nettables_unix_parse(struct text text, const struct sink *sink,
			 struct procfs_table_stats *stats);

/* Pointers are printed with %pK: hashed, zero or true, of 8 or 16 digits; only the form counts. */
bool nettables_is_pointer(struct text word);

#endif
