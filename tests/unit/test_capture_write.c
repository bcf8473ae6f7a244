/* SPDX-License-Identifier: MIT */
/* What the writer writes, the reader reads; a ring keeps the newest. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "capture/linktype.h"
#include "capture/write.h"

#define START UINT64_C(1700000000123456789)

static int memory_file(void)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct capture_writer *open_writer(const int *fds, size_t n, uint64_t ring_bytes)
{
	struct capture_writer *w;

	assert_int_equal(capture_writer_new(fds, n, ring_bytes, &w), 0);
	assert_int_equal(capture_writer_add_interface(w, "eth\x1b", LINKTYPE_ETHERNET, 4096), 0);
	return w;
}

static struct packet packet_of(size_t i, const uint8_t *data)
{
	return (struct packet){ .time_ns = START + i,
				.data = data,
				.captured = (uint32_t)(i % 64),
				.wire = (uint32_t)(i % 64 + 1000),
				.link_type = LINKTYPE_ETHERNET };
}

/* Reads the file; returns how many packets there were, the first and the last time. */
static size_t count(int fd, const uint8_t *data, uint64_t *ret_first, uint64_t *ret_last)
{
	struct capture *c;
	struct packet p;
	size_t n = 0;
	int r;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, fcntl(fd, F_DUPFD_CLOEXEC, 0), "ring"), 0);
	while ((r = capture_next(c, &p)) == 0) {
		size_t i = (size_t)(p.time_ns - START);

		assert_int_equal(p.captured, i % 64);
		assert_int_equal(p.wire, i % 64 + 1000);
		assert_int_equal(p.link_type, LINKTYPE_ETHERNET);
		assert_memory_equal(p.data, data, p.captured);
		if (n++ == 0)
			*ret_first = i;
		*ret_last = i;
	}
	assert_int_equal(r, CAPTURE_END);
	capture_free(c);
	return n;
}

static void fill(uint8_t data[static 64])
{
	for (size_t i = 0; i < 64; i++)
		data[i] = (uint8_t)(i * 7);
}

static void test_reads_back(void **state)
{
	int fd = memory_file(), copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct capture_writer *w = open_writer(&fd, 1, 0);
	uint64_t first, last;
	uint8_t data[64];

	(void)state;
	fill(data);
	for (size_t i = 0; i < 20000; i++) {
		struct packet p = packet_of(i, data);
		char comment[64];
		int len = i % 3 ? snprintf(comment, sizeof(comment), "process %zu", i) : 0;

		assert_int_equal(capture_writer_put(w, &p, comment, (size_t)len), 0);
	}
	assert_int_equal(capture_writer_put_statistics(w, 0, START, 20000, 7), 0);
	assert_int_equal(capture_writer_flush(w), 0);
	capture_writer_free(w);
	assert_int_equal(count(copy, data, &first, &last), 20000);
	assert_int_equal(first, 0);
	assert_int_equal(last, 19999);
	close(copy);
}

static void test_unknown_interface(void **state)
{
	int fd = memory_file();
	struct capture_writer *w = open_writer(&fd, 1, 0);
	struct packet p = packet_of(0, NULL);

	(void)state;
	p.interface = 1;
	assert_int_equal(capture_writer_put(w, &p, NULL, 0), -EINVAL);
	assert_int_equal(capture_writer_put_statistics(w, 1, START, 0, 0), -EINVAL);
	capture_writer_free(w);
}

static void test_ring(void **state)
{
	enum { FILES = 3, BYTES = 20000, PACKETS = 5000 };
	int fds[FILES], copies[FILES];
	struct capture_writer *w;
	uint64_t first, last, newest = 0;
	size_t total = 0;
	uint8_t data[64];

	(void)state;
	fill(data);
	for (int i = 0; i < FILES; i++) {
		fds[i] = memory_file();
		copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
	}
	w = open_writer(fds, FILES, BYTES);
	for (size_t i = 0; i < PACKETS; i++) {
		struct packet p = packet_of(i, data);

		assert_int_equal(capture_writer_put(w, &p, "c", 1), 0);
	}
	assert_int_equal(capture_writer_flush(w), 0);
	capture_writer_free(w);
	for (int i = 0; i < FILES; i++) {
		size_t n = count(copies[i], data, &first, &last);

		assert_true(lseek(copies[i], 0, SEEK_END) <= BYTES);
		assert_int_equal(n, last - first + 1);
		newest = last > newest ? last : newest;
		total += n;
		close(copies[i]);
	}
	assert_int_equal(newest, PACKETS - 1);
	assert_true(total > 300); /* two full files at least, of packets of at most 104 bytes */
}

static void test_disk_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct capture_writer *w;
	struct packet p;
	uint8_t data[64];

	(void)state;
	assert_true(fd >= 0);
	fill(data);
	p = packet_of(5, data);
	w = open_writer(&fd, 1, 0);
	assert_int_equal(capture_writer_put(w, &p, NULL, 0), 0);
	assert_int_equal(capture_writer_flush(w), -ENOSPC);
	capture_writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_back),
		cmocka_unit_test(test_unknown_interface),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
