/* SPDX-License-Identifier: MIT */
/*
 * The table of conversations: fed with decoded layers, bounded, time is what the packets say.
 *
 * Looking up is done in three steps so that a caller can take many packets through one step before
 * the next, and cache misses overlap: flow_key_make(), flow_table_find(), flow_table_add(). The
 * hash is keyed (XXH3 with a random secret). When the table is full flow_table_add() says so; after
 * flow_table_evict() the longest idle ones wait in the list of finished conversations, from which
 * they have to be taken and freed.
 */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include "base/map.h"
#include "base/vec.h"
#include "capture/decode.h"
#include "flow/entry.h"

/* Silence after which the same socket pair is another conversation. */
#define FLOW_SILENCE_TCP_S 7440 /* RFC 5382 REQ-5: no router may forget it before */
#define FLOW_SILENCE_UDP_S 300	/* RFC 4787 REQ-5: the default */
/* A closed connection's stray segments; RFC 9293: twice the maximum segment lifetime of 2 min. */
#define FLOW_SILENCE_CLOSED_S 240

#define FLOW_GAPS_MAX 16 /* of a side, besides the newest, that may still be filled */

#define FLOW_PLACES 4095
/* Silence of the place where a side is counted, after which another place takes over. */
#define FLOW_MOVES_AFTER_S 1

#define FLOW_CHUNK 16384 /* entries: some megabytes, for huge pages */
#define FLOW_SECRET_SIZE 192

struct flow_slot {
	uint32_t hash, entry; /* entry FLOW_NONE = free */
};

struct flow_bin {
	int64_t start;
	uint64_t packets[2], bytes[2];
	uint32_t next;
};

struct flow_gap {
	struct flow_hole hole;
	uint32_t next;
	uint8_t side;
};

struct flow_table {
	struct flow_slot *slots;
	size_t n_slots, n_live;
	VEC(struct flow_entry *) chunks;
	size_t n_used;	 /* entries ever used, in chunks; those behind were never touched */
	size_t capacity; /* entries at most */
	uint32_t free;	 /* list */
	uint32_t finished, finished_tail;
	size_t n_finished, n_evicted;
	bool has_places; /* a packet was seen at another place than 0 */
	int64_t bin_ns;	 /* 0 = no series */
	VEC(struct flow_bin) bins;
	size_t bin_capacity;
	uint32_t free_bin;
	VEC(struct flow_gap) gaps;
	size_t gap_capacity;
	uint32_t free_gap;
	struct map servers; /* sockets that answered a handshake, by flow_table_socket_hash() */
	size_t server_capacity;
	struct observe *observe;	  /* borrowed, or NULL */
	struct flow_filenames *filenames; /* the same */
	size_t detail_capacity;		  /* bytes of its details */
	uint8_t secret[FLOW_SECRET_SIZE];
};

struct flow_table_options {
	uint64_t memory; /* bytes of all of it */
	size_t row_size; /* bytes that each conversation will take beside the table, when read */
	uint64_t seed;	 /* 0 = random */
	int64_t bin_ns;
	struct observe *observe; /* borrowed; NULL = do not look into payloads */
};

int flow_table_init(struct flow_table *t, const struct flow_table_options *options);
void flow_table_deinit(struct flow_table *t);

/* A layer on its way into the table. */
struct flow_ref {
	struct flow_key key;
	uint32_t hash;
	uint32_t entry; /* a guess that flow_table_add() checks */
	uint16_t place; /* where it was seen: 0 to FLOW_PLACES, two may share one by chance */
	uint8_t side;	/* of the sender */
};

/* Identity of layer i and its hash; fetches the slot. false: it has no identity (no addresses). */
bool flow_table_key(const struct flow_table *t, const struct decoded *d, unsigned i,
		    struct flow_ref *ret);
/* Finds the entry that is probably meant, and fetches it. */
void flow_table_find(const struct flow_table *t, struct flow_ref *ref);

enum { FLOW_TABLE_FULL = 1, FLOW_TABLE_AGAIN = 2 };
/*
 * Counts layer i of a packet; *ret_entry is its conversation. 0, FLOW_TABLE_FULL (nothing was
 * changed: evict, read what is finished, call again), FLOW_TABLE_AGAIN (it was seen elsewhere
 * before, and is counted there only) or -ENOMEM.
 *
 * A packet that a host forwards is seen on two interfaces of it, one after the other. So what a
 * side sends is counted at one place, the first one it was seen at. Elsewhere it is counted when it
 * tells something new (bytes of TCP that were not seen before, a first reset), or when the first
 * place has been silent: then the conversation has moved.
 */
int flow_table_add(struct flow_table *t, const struct flow_ref *ref, const struct packet *p,
		   const struct decoded_layer *l, uint32_t *ret_entry);
/* The conversation that an ICMP error quotes, if it is there, remembers it. */
void flow_table_add_error(struct flow_table *t, const struct decoded *d);

static inline struct flow_entry *flow_table_entry(const struct flow_table *t, uint32_t index)
{
	return &t->chunks.items[index / FLOW_CHUNK][index % FLOW_CHUNK];
}

/*
 * Moves the longest idle ones, an eighth of all, to the finished ones; at least one, if there is
 * one.
 */
void flow_table_evict(struct flow_table *t);
/* All that are left, in the order in which they came. Nothing can be added any more. */
void flow_table_finish(struct flow_table *t);
/* The first of the finished, for flow_table_free_entry(); FLOW_NONE = there is none. */
uint32_t flow_table_take(struct flow_table *t);
void flow_table_free_entry(struct flow_table *t, uint32_t index);

/* For telling servers: a hash of one end of a key. */
uint64_t flow_table_socket_hash(const struct flow_table *t, const struct flow_key *key,
				unsigned side);

/* tcp.c: what a segment says. */
void flow_tcp_add(struct flow_table *t, struct flow_entry *e, unsigned side, int64_t time,
		  const struct decoded_layer *l);
enum flow_verdict {
	FLOW_SAME,
	FLOW_NEW,  /* another conversation of the same ends begins */
	FLOW_WAIT, /* a SYN that does not fit: what follows decides */
};
enum flow_verdict flow_tcp_judge(const struct flow_entry *e, unsigned side, int64_t time,
				 const struct decoded_layer *l);
/* The same again, of an entry and the SYN that waits: FLOW_SAME = the entry's, FLOW_WAIT = a SYN
 * sent again, FLOW_NEW = the SYN was the beginning of a connection, this segment is of it. */
enum flow_verdict flow_tcp_judge_waiting(const struct flow_entry *e,
					 const struct flow_entry *waiting, unsigned side,
					 const struct decoded_layer *l);
/* true when the segment cannot be one that was counted before */
bool flow_tcp_is_unseen(const struct flow_entry *e, unsigned side, const struct decoded_layer *l);
void flow_entry_note(struct flow_entry *e, unsigned side, unsigned letter);

#endif
