/* SPDX-License-Identifier: MIT */
/*
 * Capture files of every variant give what tests/captures/make_files.py expects: from a file,
 * through a pipe, and cut at every byte, where everything before the cut still comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/inet.h"
#include "capture/packet.h"
#include "capture/pcapfilter.h"

#define LINES_MAX 512
#define PACKETS_MAX 64

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* ---- a capture as text ---- */

static void put_tables(struct buf *b, const struct capture *c)
{
	for (size_t i = 0; i < capture_n_names(c); i++) {
		const struct capture_name *n = capture_name(c, i);

		buf_puts(b, "name ");
		inet_put(b, n->family, n->addr);
		buf_printf(b, " %.*s\n", (int)n->name.len, n->name.data);
	}
}

static void put_packet(struct buf *b, const struct packet *p)
{
	buf_printf(b, "packet %" PRIu64 ".%09" PRIu64 " if %u link %u %u/%u",
		   p->time_ns / 1000000000, p->time_ns % 1000000000, p->interface, p->link_type,
		   p->captured, p->wire);
	buf_puts(b, p->flags & PACKET_UNTIMED ? " untimed" : "");
	buf_puts(b, p->flags & PACKET_INBOUND ? " in" : "");
	buf_puts(b, p->flags & PACKET_OUTBOUND ? " out" : "");
	buf_putc(b, '\n');
}

static void put_problem(struct buf *b, const struct capture_problem *p)
{
	buf_printf(b, "damaged %" PRIu64 " after %" PRIu64 ": %s; %s\n", p->offset, p->packets,
		   p->expected, p->found);
}

/* All of it; takes fd. Returns the number of packets. */
static size_t read_all(int fd, size_t batch, struct buf *ret)
{
	_cleanup_(cleanup_buf) struct buf packets = BUF_INIT;
	struct packet p[PACKETS_MAX];
	struct capture *c;
	size_t n, total = 0;
	int r;

	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, fd, "file"), 0);
	while ((r = capture_read(c, p, batch, &n)) != CAPTURE_END) {
		assert_true(r == 0 ? n > 0 : r == CAPTURE_DAMAGED && n == 0);
		for (size_t i = 0; i < n; i++)
			put_packet(&packets, &p[i]);
		if (r == CAPTURE_DAMAGED)
			put_problem(&packets, capture_problem(c));
		total += n;
	}
	buf_clear(ret);
	put_tables(ret, c);
	buf_put(ret, packets.data, packets.len);
	buf_puts(ret, "over\n");
	capture_free(c);
	return total;
}

/* ---- what is expected ---- */

struct expected {
	char name[64];
	struct buf text;	   /* as read_all() writes it */
	size_t n, ends[LINES_MAX]; /* where in the file each packet ends */
	bool is_compressed;
};

/* Takes " end N" out of a packet's line. */
static void add_line(struct expected *e, const char *line, size_t len)
{
	const char *end = line[0] == 'p' ? memmem(line, len, " end ", 5) : NULL;

	if (!end) {
		buf_put(&e->text, line, len);
	} else {
		char *after;

		assert_true(e->n < LINES_MAX);
		e->ends[e->n++] = strtoul(end + 5, &after, 10);
		buf_put(&e->text, line, (size_t)(end - line));
		buf_put(&e->text, after, (size_t)(line + len - after));
	}
	buf_putc(&e->text, '\n');
}

/* The next file of the list; false at its end. */
static bool next_expected(const char **p, struct expected *e)
{
	const char *end;

	if (**p != '=')
		return false;
	end = strchr(*p, '\n');
	memset(e, 0, sizeof(*e));
	snprintf(e->name, sizeof(e->name), "%.*s", (int)(end - *p - 2), *p + 2);
	e->is_compressed =
		strstr(e->name, ".gz") || strstr(e->name, ".zst") || strstr(e->name, ".lz4");
	for (*p = end + 1; **p && **p != '='; *p = end + 1) {
		end = strchr(*p, '\n');
		add_line(e, *p, (size_t)(end - *p));
	}
	assert_non_null(buf_str(&e->text));
	return true;
}

static void load(const char *name, struct buf *ret)
{
	_cleanup_(cleanup_buf) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s", TEST_CORPUS, name);
	assert_int_equal(file_read_at(AT_FDCWD, buf_str(&path), ret), 0);
}

static void for_each_file(void (*check)(const struct expected *e, const struct buf *file))
{
	_cleanup_(cleanup_buf) struct buf list = BUF_INIT;
	struct expected e;
	const char *p;
	unsigned int n = 0;

	assert_int_equal(file_read_at(AT_FDCWD, TEST_DATA "/capture.txt", &list), 0);
	for (p = buf_str(&list); next_expected(&p, &e); n++) {
		_cleanup_(cleanup_buf) struct buf file = BUF_INIT;

		load(e.name, &file);
		check(&e, &file);
		buf_deinit(&e.text);
	}
	assert_true(n > 50);
}

static void compare(const struct expected *e, struct buf *text)
{
	if (strcmp(buf_str(text), e->text.data) != 0)
		fail_msg("%s: expected\n%sbut is\n%s", e->name, e->text.data, buf_str(text));
}

/* ---- tests ---- */

static void check_file(const struct expected *e, const struct buf *file)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;

	assert_int_equal(read_all(memory_file(file->data, file->len), PACKETS_MAX, &text), e->n);
	compare(e, &text);
	read_all(memory_file(file->data, file->len), 1, &text);
	compare(e, &text);
}

static void test_files(void **state)
{
	(void)state;
	for_each_file(check_file);
}

static void check_pipe(const struct expected *e, const struct buf *file)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(file->len < 65536); /* fits the pipe */
	assert_int_equal(fd_write_all(fds[1], file->data, file->len), 0);
	close(fds[1]);
	read_all(fds[0], PACKETS_MAX, &text);
	compare(e, &text);
}

static void test_pipes(void **state)
{
	(void)state;
	for_each_file(check_pipe);
}

/* How many packets must come of the first n bytes. */
static size_t whole_before(const struct expected *e, size_t n)
{
	size_t i = 0;

	while (i < e->n && e->ends[i] <= n)
		i++;
	return i;
}

static void check_cuts(const struct expected *e, const struct buf *file)
{
	_cleanup_(cleanup_buf) struct buf all = BUF_INIT, text = BUF_INIT;
	const char *packets;

	read_all(memory_file(file->data, file->len), PACKETS_MAX, &all);
	packets = strstr(buf_str(&all), "packet ");
	for (size_t n = 0; n < file->len; n++) {
		size_t told = read_all(memory_file(file->data, n), PACKETS_MAX, &text);
		const char *p = strstr(buf_str(&text), "packet ");

		if (e->is_compressed)
			assert_true(told <= e->n);
		else
			assert_int_equal(told, whole_before(e, n));
		for (size_t i = 0, at = 0; i < told; i++) {
			size_t len = strcspn(p + at, "\n") + 1;

			assert_memory_equal(packets + at, p + at, len);
			at += len;
		}
	}
}

static void test_cuts(void **state)
{
	(void)state;
	for_each_file(check_cuts);
}

/* What a live tcpdump writes: each packet is told as soon as it is there, and none is waited for.
 */
static void test_pipe_as_it_comes(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	struct capture *c;
	struct packet p;
	int fds[2];

	(void)state;
	load("pcap-le", &file);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, fds[0], "-"), 0);
	assert_int_equal(fd_write_all(fds[1], file.data, 24 + 16 + 14 + 16 + 60 + 7), 0);
	assert_int_equal(capture_next(c, &p), 0);
	assert_int_equal(p.captured, 14);
	assert_int_equal(capture_next(c, &p), 0);
	assert_int_equal(p.captured, 60);
	assert_int_equal(fd_write_all(fds[1], file.data + 24 + 16 + 14 + 16 + 60 + 7, 10), 0);
	assert_int_equal(capture_next(c, &p), 0);
	assert_int_equal(p.captured, 1);
	close(fds[1]);
	assert_int_equal(capture_next(c, &p), CAPTURE_END);
	capture_free(c);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A signal ends waiting; the same packet comes when it is there. */
static void test_pipe_interrupted(void **state)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	struct capture *c;
	struct packet p;
	int fds[2];

	(void)state;
	load("pcap-le", &file);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, fds[0], "-"), 0);
	assert_int_equal(fd_write_all(fds[1], file.data, 30), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	ualarm(20000, 0);
	assert_int_equal(capture_next(c, &p), -EINTR);
	assert_int_equal(fd_write_all(fds[1], file.data + 30, 24), 0);
	assert_int_equal(capture_next(c, &p), 0);
	assert_int_equal(p.captured, 14);
	close(fds[1]);
	capture_free(c);
}

/* ---- several files ---- */

/* A pcap file of empty packets at these times. */
static int file_of_times(const uint32_t *times, size_t n, size_t cut)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const uint32_t header[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };

	buf_put(&b, header, sizeof(header));
	for (size_t i = 0; i < n; i++) {
		const uint32_t record[4] = { times[i], 0, 0, (uint32_t)i };

		buf_put(&b, record, sizeof(record));
	}
	return memory_file(b.data, b.len - cut);
}

static void test_merge(void **state)
{
	static const uint32_t a[] = { 1, 4, 4, 9 }, b[] = { 2, 4, 3, 10 }, d[] = { 8 };
	/* 3 stands behind 4 in its file, and stays there; equal times in the order of the files */
	static const uint32_t expected[] = { 1, 2, 4, 4, 4, 3, 8, 9, 10 };
	static const uint32_t files[] = { 0, 1, 0, 0, 1, 1, 2, 0, 1 };
	struct packet p[3];
	struct capture *c;
	size_t n, total = 0;

	(void)state;
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, file_of_times(a, 4, 0), "a"), 0);
	assert_int_equal(capture_add_fd(c, file_of_times(b, 4, 0), "b"), 0);
	assert_int_equal(capture_add_fd(c, file_of_times(d, 1, 0), "d"), 0);
	while (capture_read(c, p, 3, &n) == 0)
		for (size_t i = 0; i < n; i++, total++) {
			assert_int_equal(p[i].time_ns / 1000000000, expected[total]);
			assert_int_equal(p[i].interface, files[total]);
		}
	assert_int_equal(total, 9);
	capture_free(c);
}

/* One damaged file does not end the others; it is told once, with its name. */
static void test_merge_damaged(void **state)
{
	static const uint32_t a[] = { 1, 5 }, b[] = { 2, 3 };
	struct capture *c;
	struct packet p;
	unsigned int n = 0, n_damaged = 0;
	int r;

	(void)state;
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, file_of_times(a, 2, 0), "a"), 0);
	assert_int_equal(capture_add_fd(c, file_of_times(b, 2, 5), "b"), 0);
	while ((r = capture_next(c, &p)) != CAPTURE_END) {
		if (r == 0) {
			n++;
			continue;
		}
		assert_int_equal(r, CAPTURE_DAMAGED);
		assert_string_equal(capture_problem(c)->file, "b");
		assert_int_equal(capture_problem(c)->offset, 40);
		assert_int_equal(capture_problem(c)->packets, 1);
		n_damaged++;
	}
	assert_int_equal(n, 3);
	assert_int_equal(n_damaged, 1);
	capture_free(c);
}

/* ---- bounds ---- */

/* 200 MB of claimed packet in a file of 50 bytes, and a block as large: nothing is allocated by
 * that. */
static void test_claims_allocate_nothing(void **state)
{
	static const uint8_t claim[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0,	  4,	0,    0,    0, 0,
					 0,    0,    0,	   0,	 0, 0xff, 0xff, 0xff, 0x7f, 1, 0,
					 0,    0,    1,	   0,	 0, 0,	  1,	0,    0,    0, 0,
					 0,    0xff, 0,	   0,	 0, 0xff, 0,	1,    2,    3 };
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(read_all(memory_file(claim, sizeof(claim)), 8, &text), 0);
	assert_non_null(strstr(buf_str(&text), "16711696 bytes of a packet; end of file after 19"));
}

static void test_large_packet(void **state)
{
	const uint32_t header[10] = { 0xa1b2c3d4, 0x00040002, 0, 0,	  1 << 23,
				      1,	  1,	      0, 1 << 22, 1 << 22 };
	_cleanup_(cleanup_free) uint8_t *data = calloc(1, 1 << 22);
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct capture *c;
	struct packet p;

	(void)state;
	assert_non_null(data);
	data[(1 << 22) - 1] = 77;
	buf_put(&b, header, sizeof(header));
	buf_put(&b, data, 1 << 22);
	buf_put(&b, header + 6, 8);
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, memory_file(b.data, b.len), "large"), 0);
	assert_int_equal(capture_next(c, &p), 0);
	assert_int_equal(p.captured, 1 << 22);
	assert_int_equal(p.data[p.captured - 1], 77);
	assert_int_equal(capture_next(c, &p), CAPTURE_DAMAGED);
	assert_int_equal(capture_problem(c)->offset, 40 + (1 << 22));
	capture_free(c);
}

/* A file that becomes larger than it may is over, and says so. */
static void test_unpacked_max(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	struct capture *c;
	struct packet p;

	(void)state;
	load("le.pcap.gz", &file);
	assert_int_equal(capture_new(&c), 0);
	capture_set_unpacked_max(c, 100);
	assert_int_equal(capture_add_fd(c, memory_file(file.data, file.len), "small"), 0);
	while (capture_next(c, &p) == 0)
		;
	assert_string_equal(capture_problem(c)->found, "more than the limit of 100 bytes");
	assert_int_equal(capture_next(c, &p), CAPTURE_END);
	capture_free(c);
}

static void test_errors_of_opening(void **state)
{
	struct capture *c;
	struct packet p;

	(void)state;
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_path(c, "/nonexistent"), -ENOENT);
	assert_int_equal(capture_add_path(c, "/tmp"), -EISDIR);
	assert_int_equal(capture_next(c, &p), CAPTURE_END);
	capture_free(c);
}

static void test_progress(void **state)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	uint64_t done, total;
	struct capture *c;
	struct packet p;

	(void)state;
	load("pcap-le", &file);
	assert_int_equal(capture_new(&c), 0);
	assert_int_equal(capture_add_fd(c, memory_file(file.data, file.len), "file"), 0);
	capture_progress(c, &done, &total);
	assert_int_equal(done, 0);
	assert_int_equal(total, file.len);
	while (capture_next(c, &p) == 0)
		;
	capture_progress(c, &done, &total);
	assert_int_equal(done, total);
	capture_free(c);
}

/* ---- pcap-filter expressions ---- */

static const uint8_t udp_frame[] = { 2,	   0, 0,  0,  0, 2, 2, 0,  0,  0,  0, 1, 8,  0,
				     0x45, 0, 0,  28, 0, 0, 0, 0,  64, 17, 0, 0, 10, 0,
				     0,	   1, 10, 0,  0, 2, 0, 99, 0,  53, 0, 8, 0,  0 };

static void test_filter(void **state)
{
	struct packet ether = { .data = udp_frame, .captured = 42, .wire = 42, .link_type = 1 };
	struct packet raw = {
		.data = udp_frame + 14, .captured = 28, .wire = 28, .link_type = 101
	};
	char error[PCAPFILTER_ERROR_MAX];
	struct pcapfilter *f;

	(void)state;
	assert_int_equal(pcapfilter_new("udp port 53 and host 10.0.0.1", &f, error), 0);
	assert_int_equal(pcapfilter_match(f, &ether), 1);
	assert_int_equal(pcapfilter_match(f, &raw), 1);
	ether.captured = 30; /* the ports were not captured */
	assert_int_equal(pcapfilter_match(f, &ether), 0);
	raw.link_type = 9999;
	assert_int_equal(pcapfilter_match(f, &raw), -ENOTSUP);
	pcapfilter_free(f);
	assert_int_equal(pcapfilter_new("tcp", &f, error), 0);
	assert_int_equal(pcapfilter_match(f, &ether), 0);
	pcapfilter_free(f);
}

static void test_filter_errors(void **state)
{
	struct packet raw = {
		.data = udp_frame + 14, .captured = 28, .wire = 28, .link_type = 101
	};
	char error[PCAPFILTER_ERROR_MAX];
	struct pcapfilter *f;

	(void)state;
	assert_int_equal(pcapfilter_new("udp port", &f, error), 1);
	assert_non_null(strstr(error, "syntax error"));
	assert_null(f);
	assert_int_equal(pcapfilter_new("ether host 02:00:00:00:00:01", &f, error), 0);
	assert_int_equal(pcapfilter_match(f, &raw), -ENOTSUP);
	pcapfilter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_pipe_as_it_comes),
		cmocka_unit_test(test_pipe_interrupted),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_damaged),
		cmocka_unit_test(test_claims_allocate_nothing),
		cmocka_unit_test(test_large_packet),
		cmocka_unit_test(test_unpacked_max),
		cmocka_unit_test(test_errors_of_opening),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
