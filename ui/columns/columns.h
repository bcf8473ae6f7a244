/* SPDX-License-Identifier: MIT */
/*
 * The columns: one table from which titles, JSON keys, sorting, help, completion and the manual
 * derive. A column turns a conversation into a typed cell; writers turn cells into bytes.
 *
 * Columns with `parts` are for people: the table composes them, machine formats write their parts
 * instead, sorting compares their parts.
 */
#ifndef UI_COLUMNS_COLUMNS_H
#define UI_COLUMNS_COLUMNS_H

#include <portavoz/exposure.h>
#include <portavoz/flow.h>
#include <portavoz/snapshot.h>

#include "base/buf.h"

enum column_type {
	COLUMN_TEXT,   /* one of the names that portavoz, the kernel or IANA gives */
	COLUMN_NAME,   /* foreign bytes */
	COLUMN_NUMBER, /* unsigned */
	COLUMN_BOOL,
	COLUMN_ADDRESS,
	COLUMN_MS,	/* milliseconds */
	COLUMN_US,	/* microseconds */
	COLUMN_TIME,	/* nanoseconds since 1970, written as seconds */
	COLUMN_SECONDS, /* nanoseconds, written as seconds */
	COLUMN_SERIES,	/* stretches of time */
	COLUMN_ARGS,
	COLUMN_OWNERS,
	COLUMN_TEXTS,	 /* sentences with foreign bytes in them */
	COLUMN_COMPOSED, /* has parts */
	COLUMN_TYPE_N,
};
const char *column_type_name(enum column_type type); /* "text", "name", "number", ... */

enum cell_type {
	CELL_NULL, /* nothing to show, `reason` says why; PV_REASON_NONE: it does not apply */
	CELL_BOOL,
	CELL_NUMBER,
	CELL_NAME,     /* foreign bytes, may be empty */
	CELL_TEXT,     /* our own words, printable */
	CELL_ADDRESS,  /* 4 or 16 bytes */
	CELL_ARGS,     /* foreign words, each ended or separated by a NUL */
	CELL_OWNERS,   /* the holders of `conversation` */
	CELL_SECONDS,  /* `ns` as seconds with nine decimals */
	CELL_OWN,      /* our own words, kept in the cell */
	CELL_SERIES,   /* the stretches of time of `conversation` */
	CELL_EVIDENCE, /* the findings of `conversation` */
};

struct cell {
	enum cell_type type;
	enum pv_reason reason;
	union {
		bool yes;
		uint64_t number;
		struct pv_bytes bytes;
		const char *text;
		struct {
			int family;
			const uint8_t *bytes;
		} address;
		const struct pv_conversation *conversation;
		int64_t ns;
		char own[48];
	};
};

struct column_context {
	const struct pv_snapshot *snapshot;
	uint32_t needs; /* what was collected: PV_NEED_* */
	bool numeric;	/* numbers instead of names in composed columns */
	bool ascii;	/* nothing but ASCII in the table */
};

#define COLUMN_RIGHT 0x01 /* numbers: right-aligned */
#define COLUMN_ZERO 0x02  /* 0 means "none": null */
#define COLUMN_LONG 0x04  /* goes over the edge of a terminal rather than be shortened */
#define COLUMN_FLOW 0x10  /* of captures only */
#define COLUMN_SHORT 0x08 /* put() is a short form, `min` wide, for where the cell has no room */

/* Where a number lies in its struct, and where it ends in the kernel's struct tcp_info. */
struct column_field {
	uint16_t offset;
	uint8_t size;
	uint16_t kernel_end;
};

enum column_tint { TINT_NONE, TINT_GOOD, TINT_LISTEN, TINT_WARN, TINT_BAD, TINT_FAINT };

struct column {
	const char *name; /* JSON key, word of --columns */
	const char *title;
	const char *help;
	enum column_type type;
	uint32_t needs; /* PV_NEED_* */
	uint8_t flags;
	uint8_t min;  /* narrower than this it is of no use; 0 = never shortened */
	uint8_t drop; /* on a narrow terminal the highest goes first; 0 = never dropped */
	struct column_field field;
	/* NULL for a composed column */
	void (*get)(const struct column *column, const struct column_context *context,
		    const struct pv_conversation *conversation, struct cell *ret_cell);
	/*
	 * The table's form where it is not that of the cell. With limit > 0 it should be at most
	 * that wide, and show what matters most within.
	 */
	void (*put)(const struct column *column, const struct column_context *context,
		    const struct pv_conversation *conversation, struct buf *b, size_t limit);
	enum column_tint (*tint)(const struct pv_conversation *conversation);
	const uint8_t *parts; /* enum column_id, ended by COLUMN_END; or NULL */
};

#define COLUMNS_TABLE "proto,state,local,direction,remote,service,process,user_unit"
/* cmdline is left out: it may be long, repeats for every socket, and is where secrets are seen */
#define COLUMNS_MACHINE                                                                            \
	"proto,family,type,state,local_addr,local_port,local_service,local_group,"                 \
	"remote_addr,remote_port,remote_service,remote_group,remote_name,path,interface,"          \
	"service,direction,direction_by,recv_q,send_q,uid,user,inode,cookie,netns,netns_name,"     \
	"owners,owner_reason,pid,fd,comm,exe,unit,container,peer_inode,peer_pid,peer_comm"

/* Of captures. */
#define COLUMNS_FLOW_TABLE                                                                         \
	"start,duration,proto,conn_state,local,direction,remote,service,observed,out_packets,"     \
	"in_packets,out_bytes,in_bytes"
#define COLUMNS_FLOW_MACHINE                                                                       \
	"start,duration,proto,family,conn_state,ended,history,local_addr,local_port,local_mac,"    \
	"remote_addr,remote_port,remote_name,remote_mac,vlan,tunnel,service,direction,"            \
	"direction_by,observed,observed_detail,contradiction,out_packets,in_packets,out_bytes,"    \
	"in_bytes,out_payload,in_payload,out_retransmitted,in_retransmitted,out_reordered,"        \
	"in_reordered,out_lost,in_lost,out_zero_windows,in_zero_windows,out_resets,in_resets,"     \
	"local_handshake,remote_handshake,rtt,icmp_errors,community_id,owners,owner_reason"
/* Writes nanoseconds as seconds with nine decimals, exactly. */
void column_put_seconds(struct buf *b, int64_t ns);

/* All of them, in the order of the manual. */
const struct column *columns_all(size_t *ret_n);
const struct column *columns_find(const char *name, size_t len); /* NULL = no such column */

struct columns_error {
	size_t offset, length; /* of the word, in the list */
	char message[160];     /* what is wrong, with the nearest name; safe to print */
};

/*
 * Parses "a,b,c". When the first word begins with + or -, the list starts from `defaults`; +name
 * adds at the end, -name removes; "all" stands for every machine column that goes
 * with the defaults. A column named again is
 * not repeated. `list` may be NULL: the defaults. *ret_columns is for free(). 0, -EINVAL with
 * *error filled, or -ENOMEM.
 */
int columns_parse(const char *list, const char *defaults, const struct column ***ret_columns,
		  size_t *ret_n, struct columns_error *error);
/* Replaces composed columns by their parts, each once; the array is for free(). 0 or -ENOMEM. */
int columns_expand(const struct column *const *columns, size_t n,
		   const struct column ***ret_columns, size_t *ret_n);
/* PV_NEED_* of the columns; PV_NEED_NAMES never when numeric. */
uint32_t columns_needs(const struct column *const *columns, size_t n, bool numeric);

struct sort_key {
	const struct column *column;
	bool descending;
};
/* Parses "[-]name,...", composed columns by their parts; as columns_parse(). */
int columns_parse_sort(const char *list, struct sort_key **ret_keys, size_t *ret_n,
		       struct columns_error *error);

/*
 * The table's form: one word or words with single spaces between them, "-" when null. Returns how
 * wide it is.
 */
size_t column_put(const struct column *column, const struct column_context *context,
		  const struct pv_conversation *conversation, struct buf *b, size_t limit);
/*
 * A sentence with foreign bytes in it, on one line: of spaces in a row all but the first are
 * escaped, so that it cannot imitate two cells.
 */
void column_put_sentence(const struct pv_bytes *text, bool ascii, struct buf *b);
/* The text of a cell; null is nothing at all. `flags` are those of text_put(). */
void cell_put(const struct cell *cell, const struct column_context *context, struct buf *b,
	      unsigned flags);
/* "192.0.2.1:8080", "*:53", "[2001:db8::/64]:443-445": where else a listener is reached at. */
void column_put_publication(const struct pv_publication *publication, struct buf *b);
/* The family of its rule's table as nft writes it: "ip"; static. */
const char *column_table_family(const struct pv_publication *publication);
/* Order of two cells of one column: numbers as numbers, addresses by value; null is last. */
int cell_compare(const struct cell *a, const struct cell *b);
/* Next argument of a CELL_ARGS; *cursor starts at 0. Trailing empty ones are left out. */
bool cell_next_arg(const struct pv_bytes *args, uint32_t *cursor, struct pv_bytes *ret_arg);
/* The service of the conversation by the port of the listening end; NULL = none. */
const char *column_service(const struct column_context *context,
			   const struct pv_conversation *conversation);

#endif
