/* SPDX-License-Identifier: MIT */
/*
 * Which application protocol a conversation carries, told from its bytes and never from its ports.
 *
 * One `struct observe` serves one thread and any number of conversations. A conversation keeps a
 * `struct observe_state` of 16 bytes, zeroed at its start, which may be moved. Bytes are kept only
 * for conversations whose protocol is not decided by what a side sent first, in a pool with a
 * limit; when the pool is full the conversation that waited longest goes undecided, and is counted.
 *
 * A side is one end of a conversation, 0 or 1, as the caller likes as long as it stays the same;
 * who is client and who is server is told by content.
 */
#ifndef OBSERVE_OBSERVE_H
#define OBSERVE_OBSERVE_H

#include <portavoz/registry.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum observe_id {
	OBSERVE_NONE,
	OBSERVE_TLS,
	OBSERVE_QUIC,
	OBSERVE_HTTP,
	OBSERVE_HTTP2,
	OBSERVE_DNS,
	OBSERVE_SSH,
	OBSERVE_SMTP,
	OBSERVE_FTP,
	OBSERVE_POP3,
	OBSERVE_IMAP,
	OBSERVE_DHCP,
	OBSERVE_NTP,
	OBSERVE_SNMP,
	OBSERVE_TFTP,
	OBSERVE_MQTT,
	OBSERVE_POSTGRESQL,
	OBSERVE_MYSQL,
	OBSERVE_REDIS,
	OBSERVE_SMB,
	OBSERVE_RDP,
	OBSERVE_BITTORRENT,
	OBSERVE_STUN,
	OBSERVE_WIREGUARD,
	OBSERVE_OTHER, /* nDPI knows it, we do not: observe_state_name() has its name for it */
	OBSERVE_N
};

/* "tls", "" for OBSERVE_NONE and OBSERVE_OTHER; and as people write it, "TLS". */
const char *observe_id_name(enum observe_id id);
const char *observe_id_title(enum observe_id id);

enum observe_verdict {
	OBSERVE_UNDECIDED, /* not yet: more payload may tell */
	OBSERVE_UNKNOWN,   /* for good */
	OBSERVE_FOUND,	   /* the protocol is known; details may still come */
};

/* Longest detail of a conversation in bytes, and most bytes of a stream that are looked at. */
#define OBSERVE_DETAIL_MAX 255
#define OBSERVE_STREAM_MAX 16384

/* All members belong to lib/observe; use the functions. */
struct observe_state {
	char *detail;
	uint16_t slot, generation; /* of the pool; slot 0 = none */
	uint8_t detail_len;
	uint8_t id;			/* enum observe_id */
	uint8_t flags : 3, repeats : 5; /* repeats: messages that told nothing new */
	uint8_t tries;			/* payloads looked at without a verdict */
};

#define OBSERVE_SIDE_DONE(side) (1U << (side)) /* in flags: nothing more is wanted of that side */
#define OBSERVE_REPEATS_MAX 31
#define OBSERVE_DECIDED 4U /* in flags: id is final, also if OBSERVE_NONE */

struct observe;

struct observe_limits {
	size_t buffer_bytes; /* for kept payload; 0 = 16 MiB */
	size_t names;	     /* answers of DNS that are remembered; 0 = 65,536 */
};

/*
 * Loads what libcrypto and nDPI need; afterwards nothing here opens a file, so a process may give
 * up that right. 0 or -errno.
 */
int observe_new(const struct observe_limits *limits, struct observe **ret_observe);
/* Conversations' states must have been released. Takes NULL, returns NULL. */
struct observe *observe_free(struct observe *o);

/* What one packet carries above the transport header. */
struct observe_payload {
	const uint8_t *data;
	size_t len; /* captured bytes */
	/*
	 * TCP: how many bytes of this side's stream came before data[0], counted from the first
	 * byte behind SYN (or from the first byte seen). Segments may come in any order and twice.
	 */
	uint32_t offset;
	uint8_t side;		     /* 0 or 1 */
	uint8_t transport;	     /* enum pv_transport */
	uint8_t family;		     /* AF_INET, AF_INET6; anything else: addresses are not given */
	bool is_cut;		     /* the capture lacks bytes of this payload behind data + len */
	const uint8_t *src, *dst;    /* sender and receiver, 4 or 16 bytes */
	uint16_t src_port, dst_port; /* nDPI takes them as hints; our own probes never look */
	uint64_t time;		     /* of any unit; when answers of DNS were given */
};

/*
 * Whether the next payload of that side could still tell something; when false observe_feed() need
 * not be called. Stays true for DNS, whose every answer names an address.
 */
static inline bool observe_wants(const struct observe_state *s, unsigned side)
{
	return !(s->flags & OBSERVE_SIDE_DONE(side));
}

/* Looks at a payload with len > 0. 0 or -ENOMEM; s is sound after both. */
int observe_feed(struct observe *o, struct observe_state *s, const struct observe_payload *p);

/* No more payload will come: decides by what is there and gives kept bytes back. 0 or -ENOMEM. */
int observe_finish(struct observe *o, struct observe_state *s);

/* Frees what the state holds; it is zero afterwards. */
void observe_state_release(struct observe *o, struct observe_state *s);

enum observe_verdict observe_state_verdict(const struct observe_state *s);

static inline enum observe_id observe_state_id(const struct observe_state *s)
{
	return (enum observe_id)s->id;
}

/* As observe_id_name(), for OBSERVE_OTHER nDPI's name in lower case. "" while nothing is known. */
const char *observe_state_name(const struct observe *o, const struct observe_state *s);
const char *observe_state_title(const struct observe *o, const struct observe_state *s);

/*
 * What the protocol's own words tell: `key=value` separated by one space each. Values are foreign
 * bytes as they came, control bytes too; a value that is empty or has a space or a quotation mark
 * stands in quotation marks, inside of which `"` and `\` have a `\` before them. Not
 * NUL-terminated; valid until the state is fed, finished or released.
 */
static inline const char *observe_state_detail(const struct observe_state *s, size_t *ret_len)
{
	*ret_len = s->detail_len;
	return s->detail_len ? s->detail : "";
}

/*
 * Whether the protocol contradicts the service that is registered for the responder's port, e.g.
 * "SSH on 443, registered for https"; writes the sentence and returns its length, 0 = none. The
 * port is contradicted when services are registered for it and none of them is one the protocol is
 * at home under. TLS, QUIC and HTTP carry other protocols: they contradict a port only when the
 * service registered for it is the home of another protocol of the table.
 */
#define OBSERVE_CONTRADICTION_MAX 128
size_t observe_contradiction(const struct observe *o, const struct observe_state *s, uint16_t port,
			     enum pv_transport transport,
			     char out[static OBSERVE_CONTRADICTION_MAX]);

/*
 * The name that was asked for when `asker` was last told `addr`, no later than at time `until`:
 * what a host that then talks to addr asked for. asker NULL: told to anybody. NULL = none. Valid
 * until the next observe_feed(). Names are fit to be shown in place of an address (names_is_fit());
 * of a chain of CNAME it is the name that was asked for, not the last one.
 */
const char *observe_asked_name(const struct observe *o, int family, const uint8_t *asker,
			       const uint8_t *addr, uint64_t until);

struct observe_counts {
	uint64_t fed;	    /* payloads looked at */
	uint64_t found;	    /* conversations whose protocol became known */
	uint64_t abandoned; /* went undecided because the pool of bytes was full */
	size_t buffered;    /* bytes in the pool now */
	size_t details;	    /* bytes of details now */
};
size_t observe_details(const struct observe *o); /* counts.details alone */
void observe_counts_get(const struct observe *o, struct observe_counts *ret_counts);

static inline void cleanup_observe(struct observe **o)
{
	*o = observe_free(*o);
}

#endif
