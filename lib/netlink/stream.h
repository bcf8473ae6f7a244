/* SPDX-License-Identifier: MIT */
/*
 * One dump through a tape: live, live and recorded, or replayed. The stream holds a frame a
 * datagram,
 *   u32 length, u32 flags (NETLINK_DATAGRAM_*), the datagram, zeroes up to a multiple of 4 bytes
 * in the byte order of the machine that recorded it, as netlink itself is.
 */
#ifndef NETLINK_STREAM_H
#define NETLINK_STREAM_H

#include "base/tape.h"
#include "netlink/transport.h"

struct netlink_stream {
	const char *name; /* of the stream in the recording */
	const void *request;
	size_t len;
	/* takes a datagram, live or replayed; 0 or a -errno that ends the dump */
	int (*datagram)(void *userdata, const struct netlink_datagram *d);
	void *userdata;
};

/*
 * `fd` is from netlink_open(); a negative one stands for the -errno that gave, and is recorded as
 * this source's failure. In replay neither fd nor the request is used. Returns 0, NETLINK_PARTIAL,
 * NETLINK_REFUSED (see transport.h; datagrams may have been given in every case), -ENODATA (the
 * recording lacks it), -EBADMSG (the recording is damaged), or -errno: of the socket, of
 * datagram(), of writing the recording. After a negative result, or when !result->done, a live
 * descriptor must be closed.
 */
int netlink_read_stream(struct tape *t, int fd, const struct netlink_stream *s,
			struct netlink_dump_result *result);

#endif
