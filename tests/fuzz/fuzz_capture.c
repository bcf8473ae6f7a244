/* SPDX-License-Identifier: MIT */
/*
 * Capture files, plain and compressed, from a file of memory. The reader must come to an end, tell
 * each damage once, and point only at bytes that are there.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "capture/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned int sum;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_packet(const struct packet *p)
{
	require(p->captured <= CAPTURE_PACKET_MAX);
	for (uint32_t i = 0; i < p->captured; i++)
		sum += p->data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int n_damaged = 0;
	struct packet p[32];
	struct capture *c;
	size_t n;
	int r, fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, data, size) < 0 || lseek(fd, 0, SEEK_SET) != 0 ||
	    capture_new(&c) < 0)
		return 0;
	require(capture_add_fd(c, fd, "fuzz") == 0);
	while ((r = capture_read(c, p, 32, &n)) != CAPTURE_END && r >= 0) {
		n_damaged += r == CAPTURE_DAMAGED;
		require(n <= 32 && (r == 0) == (n > 0));
		for (size_t i = 0; i < n; i++)
			check_packet(&p[i]);
	}
	require(n_damaged <= 1);
	for (size_t i = 0; i < capture_n_names(c); i++)
		require(capture_name(c, i)->name.len <= 255);
	capture_free(c);
	return 0;
}
