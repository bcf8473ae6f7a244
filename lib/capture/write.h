/* SPDX-License-Identifier: MIT */
/*
 * Packets into a pcapng file, or into a ring of files: when the current one has reached its size,
 * the next one is emptied and begun. All files are open from the start, so that a process which may
 * open nothing can write them. Each file is complete by itself.
 */
#ifndef CAPTURE_WRITE_H
#define CAPTURE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "capture/packet.h"

struct capture_writer;

/*
 * Takes the n >= 1 descriptors, also when it fails. ring_bytes: size at which a file is full; 0 =
 * never (then n is 1). 0 or -ENOMEM.
 */
int capture_writer_new(const int *fds, size_t n, uint64_t ring_bytes, struct capture_writer **ret);
void capture_writer_free(struct capture_writer *w); /* NULL is fine; closes without flushing */

/*
 * Declares an interface; they are numbered from 0 in the order of the calls, and packet->interface
 * says which. name is foreign bytes, at most 255 of them are kept. 0 or -errno.
 */
int capture_writer_add_interface(struct capture_writer *w, const char *name, uint16_t link_type,
				 uint32_t snaplen);

/*
 * One packet with a comment (UTF-8, at most COMMENT_MAX bytes are kept; len 0 = none). 0, -EINVAL
 * (no such interface), or the -errno of writing.
 */
#define CAPTURE_COMMENT_MAX 4096
int capture_writer_put(struct capture_writer *w, const struct packet *p, const char *comment,
		       size_t len);
/* What the kernel says of an interface at the end. */
int capture_writer_put_statistics(struct capture_writer *w, uint32_t interface, uint64_t time_ns,
				  uint64_t received, uint64_t dropped);
/* The index in fds of the file that is being written. */
size_t capture_writer_file(const struct capture_writer *w);

int capture_writer_flush(struct capture_writer *w); /* 0 or -errno */

#endif
