/* SPDX-License-Identifier: MIT */
/*
 * The way to the kernel's netlink families, sock_diag first: a socket, one request, the datagrams
 * of its answer. Nothing here knows what a datagram says beyond netlink's own control messages.
 */
#ifndef NETLINK_TRANSPORT_H
#define NETLINK_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel fills at most 32 KiB a datagram, whatever the reader offers (Linux 4.4 to 6.18). */
#define NETLINK_BUFFER_SIZE 65536

/* What became of one dump. */
struct netlink_dump_result {
	unsigned datagrams;	/* all that came */
	unsigned row_datagrams; /* those that held more than control messages */
	size_t row_bytes;	/* bytes of those */
	uint64_t rows;		/* sockets understood (netlink_read_sockets() only) */
	uint64_t malformed;	/* messages not, or not wholly, understood (likewise) */
	int error;	  /* negative errno the kernel answered with: -ENOENT = it has no such diag
			     module, -EINVAL = it does not know the request; 0 = none */
	bool done;	  /* the answer's end was seen; without it the descriptor is of no use */
	bool interrupted; /* NLM_F_DUMP_INTR: the kernel itself says the dump is inconsistent */
	bool overrun;	  /* ENOBUFS: the kernel dropped datagrams */
	bool truncated;	  /* a datagram was larger than the buffer; its end is lost */
};

/* Positive results of netlink_dump(). */
#define NETLINK_PARTIAL 1 /* interrupted, overrun or truncated; *result says which */
#define NETLINK_REFUSED 2 /* result->error says why; what came before it was delivered */

/* A blocking NETLINK_SOCK_DIAG socket of this thread's network namespace: descriptor or -errno. */
int netlink_open(void);
/* The same of another family: NETLINK_ROUTE, NETLINK_NETFILTER. */
int netlink_open_family(int family);

/*
 * Sends `req`, a whole netlink message with a sequence number, and hands each datagram of the
 * answer to `datagram` (4-byte aligned, valid during the call), which returns 0 or a -errno that
 * ends the dump. `flags` of the datagram: NETLINK_DATAGRAM_*. Returns 0 (complete),
 * NETLINK_PARTIAL, NETLINK_REFUSED, or -errno; *result is filled in every case. After a negative
 * result, or when !result->done, the descriptor may still hold parts of the answer and must be
 * closed.
 */
struct netlink_datagram {
	const void *data;
	size_t len;
	uint32_t flags; /* NETLINK_DATAGRAM_* */
};
#define NETLINK_DATAGRAM_TRUNCATED 0x1 /* its end is lost */
#define NETLINK_DATAGRAM_OVERRUN 0x2   /* datagrams before it were dropped; data may be empty */
int netlink_dump(int fd, const void *req, size_t len,
		 int (*datagram)(void *userdata, const struct netlink_datagram *d), void *userdata,
		 struct netlink_dump_result *result);

/* The next datagram that waits: 0, -EAGAIN (none does), -ENOBUFS (some were dropped), -errno. */
int netlink_receive(int fd, void *buf, size_t size, struct netlink_datagram *d);

/*
 * Notes in *result what a datagram's control messages and flags say. `seq` is that of the request;
 * messages of other requests are passed over; 0 takes any.
 */
void netlink_note_datagram(const struct netlink_datagram *d, uint32_t seq,
			   struct netlink_dump_result *result);
/* 0, NETLINK_PARTIAL or NETLINK_REFUSED. */
int netlink_dump_status(const struct netlink_dump_result *result);

/*
 * Sends a request that is no dump and waits for its one answer: 0 when the kernel found what was
 * asked for, or its -errno.
 */
int netlink_get(int fd, const void *req, size_t len);

#endif
