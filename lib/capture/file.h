/* SPDX-License-Identifier: MIT */
/*
 * One file of a capture: its stream, and the format that turns bytes into packets. A format reads
 * as many packets as are in the window and says why it stopped; it never waits and never moves the
 * window.
 */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include "base/vec.h"
#include "capture/packet.h"
#include "capture/stream.h"

struct capture_file;

/* Why a format stopped before `max` packets. */
enum { FORMAT_MORE = 1, FORMAT_END, FORMAT_DAMAGED };

struct format {
	const char *name;
	/* 0 (max reached), FORMAT_*, or -errno */
	int (*read)(struct capture_file *f, struct packet *ret, size_t max, size_t *ret_n);
};

struct pcap_state {
	bool swap, maybe_swapped_lengths, swapped_lengths;
	uint8_t record;	      /* bytes of a packet header */
	uint32_t fraction_ns; /* of the unit below the second */
	uint32_t limit;	      /* a captured length above it is damage */
	uint32_t interface;
	uint16_t link_type;
};

/* What a section says of one of its interfaces, as far as packets depend on it. */
struct interface {
	uint64_t ticks_per_s; /* resolution of the times: 1000000, 1000000000, 2^n; 0 = none */
	int64_t offset_s;     /* added to each time */
	uint32_t number;      /* packet->interface */
	uint32_t snaplen;     /* 0 = no limit told */
	uint16_t link_type;
};

struct pcapng_state {
	bool swap;
	VEC(struct interface) interfaces;
};

struct capture_file {
	struct capture *capture;
	char *name;
	uint32_t index;
	struct stream stream;
	const struct format *format; /* NULL until the first bytes were seen */
	size_t want;		     /* FORMAT_MORE: unread bytes that are needed to go on */
	uint64_t last_time, n_packets;
	struct capture_problem problem;
	bool is_over;
	struct pcap_state pcap;
	struct pcapng_state pcapng;
	struct packet *queue; /* when there are several files: read, not delivered yet */
	size_t head, n_queued;
	int after_queue; /* why the queue is not longer */
};

/* First unread byte. */
static inline const uint8_t *file_bytes(const struct capture_file *f)
{
	return f->stream.data + f->stream.pos;
}

/* The window is too short for n bytes of `what`: asks for more, or tells the end or the damage. */
int file_want(struct capture_file *f, size_t n, const char *what);
/* Damage at `ahead` bytes after the first unread one. Returns FORMAT_DAMAGED. */
int file_damaged(struct capture_file *f, size_t ahead, const char *expected, const char *found, ...)
	__attribute__((format(printf, 4, 5)));

/* The next packet->interface; they wrap around after 2^32. */
uint32_t capture_number_interface(struct capture *c);
/* 0, FORMAT_DAMAGED when there is no room for it, or -ENOMEM */
int capture_add_interface(struct capture_file *f, const struct interface *i);
/* Lets go of the interfaces of a section. */
void capture_end_section(struct capture_file *f);
/* 0 (also when there is no room: it is counted) or -ENOMEM. The name is copied. */
int capture_add_name(struct capture *c, int family, const uint8_t *addr, const char *name,
		     size_t len);

extern const struct format pcap_format, pcapng_format;

bool pcap_is_magic(const uint8_t magic[static 4]);
bool pcapng_is_magic(const uint8_t magic[static 4]);
/* Takes the file header once it is there. 0, FORMAT_*, -errno. */
int pcap_open(struct capture_file *f);

#endif
