/* SPDX-License-Identifier: MIT */
/*
 * Packets of an interface as they pass, by libpcap, which takes them from an AF_PACKET ring
 * (TPACKET_V3). Opening needs CAP_NET_RAW; reading needs nothing: no file, no new socket.
 */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/packet.h"

struct live;

struct live_request {
	const char *interface; /* "any": every interface of this network namespace */
	const char *filter;    /* pcap-filter(7), run by the kernel; NULL = every packet */
	uint32_t snaplen;      /* bytes kept of a packet */
	uint32_t ring_bytes;   /* what the kernel keeps for us */
	bool is_promiscuous;   /* also frames for others; not with "any" */
};

/*
 * Counts since the beginning; received + dropped is what passed the filter. The kernel counts a
 * packet of the loopback interface twice, sent and received, also where it drops it.
 */
struct live_stats {
	uint64_t received; /* handed out by live_read() */
	uint64_t dropped;  /* by the kernel, for want of room in the ring */
};

#define LIVE_MESSAGE_MAX 320

/*
 * 0; -EINVAL (the filter), -ENODEV, -EPERM, -ENETDOWN, -EIO (another refusal), -ELIBACC (no
 * libpcap), -ENOMEM; message, of LIVE_MESSAGE_MAX bytes, says what was wrong.
 */
int live_open(const struct live_request *request, struct live **ret, char *message);
void live_close(struct live *l); /* NULL is fine */

uint16_t live_link_type(const struct live *l); /* LINKTYPE_* */
int live_fd(const struct live *l);	       /* readable when there are packets */

/*
 * Up to max packets that have arrived, without waiting: 0, *ret_n may be 0; -ENETDOWN (the
 * interface is gone), -EIO, -ENOMEM. They are copies, valid until the next call; `interface` is 0.
 */
int live_read(struct live *l, struct packet *ret, size_t max, size_t *ret_n);

/* false: the interface is there, but down. */
bool live_is_up(const struct live *l);

int live_get_stats(struct live *l, struct live_stats *ret); /* 0 or -errno */

#endif
