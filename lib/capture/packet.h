/* SPDX-License-Identifier: MIT */
/*
 * Packets out of capture files: pcap and pcapng, plain or compressed (gzip, zstd, lz4, told by
 * their first bytes), from files and pipes. A capture is one input made of any number of files,
 * merged by time: of all files the one whose next packet is oldest comes next; within a file the
 * order of the file stays, and equal times follow the order in which the files were added.
 *
 * Files are foreign bytes. Everything before a damage is delivered, then CAPTURE_DAMAGED once for
 * that file, with the place; nothing is allocated by a size that a file merely claims.
 */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#define CAPTURE_PACKET_MAX (16U << 20) /* bytes of one packet; more is damage */
#define CAPTURE_FILES_MAX 4096

/* the file gives no time, or none from 1970 to 2262: time_ns is that of the packet before it */
#define PACKET_UNTIMED 0x01
#define PACKET_INBOUND 0x02 /* the file says which way it went at the interface (pcapng) */
#define PACKET_OUTBOUND 0x04

struct packet {
	uint64_t time_ns;    /* since the epoch; no more than INT64_MAX */
	const uint8_t *data; /* captured bytes, valid until the next capture_read() */
	uint32_t captured;   /* bytes at data */
	uint32_t wire;	     /* bytes the packet had on the wire, as recorded */
	uint32_t interface;  /* another number for each interface of each section of each file */
	uint16_t link_type;  /* LINKTYPE_* (capture/linktype.h) */
	uint16_t flags;	     /* PACKET_* */
	uint32_t place;	     /* which interface of its section (pcapng), from 0 on */
};

struct capture;

/* A name that a pcapng name resolution block gives to an address: a claim of the file. */
struct capture_name {
	struct pv_bytes name; /* a NUL behind it, none in it */
	uint8_t family;	      /* AF_INET, AF_INET6 */
	uint8_t addr[16];
};

/* What is wrong with a file, and where. Texts are plain and safe to show, but for `file`. */
struct capture_problem {
	const char *file; /* as it was given; "-" for standard input */
	uint64_t offset;  /* byte of the file, or of what it decompresses to, where damage begins */
	uint64_t packets; /* whole packets of this file before it */
	int error;	  /* errno of a failed read, or 0: the bytes are wrong or end too early */
	bool is_decompressed; /* offset counts decompressed bytes */
	char expected[96],
		found[96]; /* "16 bytes of a packet header", "end of file after 7 bytes" */
};

enum { CAPTURE_END = 1, CAPTURE_DAMAGED = 2 };

int capture_new(struct capture **ret);
void capture_free(struct capture *c); /* NULL is fine */

/*
 * Adds a file; "-" is standard input. Its format is looked at by the first capture_read(). 0,
 * -EMFILE beyond CAPTURE_FILES_MAX, or the -errno of open(2) (never blocks on a FIFO without writer
 * longer than open(2) does). capture_add_fd() takes the descriptor, also when it fails; name is
 * copied.
 */
int capture_add_path(struct capture *c, const char *path);
int capture_add_fd(struct capture *c, int fd, const char *name);

/*
 * A compressed file may become no more than this many bytes (none at first): beyond is damage.
 * Memory needs no such limit, for nothing is kept; it bounds the time that a small file can take.
 */
void capture_set_unpacked_max(struct capture *c, uint64_t bytes);

/*
 * Bounds what a capture keeps beside its packets; without it there is no bound. Names beyond
 * `name_bytes` are dropped and counted; a file that describes more interfaces at a time than
 * `interface_bytes` hold, or 8192, is damaged there.
 */
void capture_set_room(struct capture *c, uint64_t name_bytes, uint64_t interface_bytes);

/*
 * Up to max packets, oldest first: 0 with *ret_n >= 1, never waiting while there is one to deliver;
 * CAPTURE_END; CAPTURE_DAMAGED: capture_problem() tells about one file, which is over, and the next
 * call goes on with the others; -errno (-ENOMEM, or -EINTR when a signal interrupted waiting for a
 * pipe: call again). *ret_n is 0 unless the result is 0. Packets and what they point at are valid
 * until the next call.
 */
int capture_read(struct capture *c, struct packet *ret, size_t max, size_t *ret_n);

/* capture_read() of one. */
static inline int capture_next(struct capture *c, struct packet *ret)
{
	size_t n;

	return capture_read(c, ret, 1, &n);
}

/* The last damage; valid after CAPTURE_DAMAGED until the next capture_read(). */
const struct capture_problem *capture_problem(const struct capture *c);

size_t capture_n_names(const struct capture *c); /* grows while packets are read */
const struct capture_name *capture_name(const struct capture *c, size_t i);
uint64_t capture_names_too_long(const struct capture *c); /* over 255 bytes: not kept */
uint64_t capture_names_dropped(const struct capture *c);  /* for which there was no room */

/* How far reading is, for a display of progress: bytes of all files; *ret_total 0 = not known
 * (pipe). */
void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_total);

#endif
