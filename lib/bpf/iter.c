/* SPDX-License-Identifier: MIT */
/* Opening, reading, recording and replaying of iterators; see ring.c for UNIX sockets. */
#include "bpf/iter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/load.h"
#include "bpf/ring.h"

#define RING_FIRST (UINT32_C(1) << 20)
#define RING_LAST (UINT32_C(1) << 28)
#define NAME_SIZE 32
/*
 * A read of an iterator gives at most what its buffer of eight pages holds (bpf_seq_read(), 5.8 to
 * 6.18), and whole records as long as it asks for that much.
 */
#define READ_PAGES 8

static const char *const kind_names[] = {
	[BPF_KIND_TCP] = "tcp",	      [BPF_KIND_UDP] = "udp",	  [BPF_KIND_UNIX] = "unix",
	[BPF_KIND_OWNERS] = "owners", [BPF_KIND_NETNS] = "netns",
};

static void stream_name(char name[static NAME_SIZE], enum bpf_iter_kind kind, unsigned int attempt)
{
	snprintf(name, NAME_SIZE, "iter-%s.%u", kind_names[kind], attempt);
}

static int open_sized(enum bpf_iter_kind kind, uint32_t ring_size, struct bpf_iter *it)
{
	_cleanup_(cleanup_fd) int prog_fd = -1;
	int r;

	*it = (struct bpf_iter)BPF_ITER_INIT;
	it->kind = kind;
	it->ring_size = ring_size;
	r = bpf_load(kind, ring_size, &prog_fd, &it->ring_fd);
	if (r < 0)
		return r;
	return bpf_attach(prog_fd, &it->fd);
}

int bpf_iter_open(enum bpf_iter_kind kind, struct bpf_iter *it)
{
	return open_sized(kind, RING_FIRST, it);
}

int bpf_iter_load(enum bpf_iter_kind kind, int *ret_prog_fd)
{
	int ring_fd;

	return bpf_load(kind, 0, ret_prog_fd, &ring_fd);
}

int bpf_iter_attach(enum bpf_iter_kind kind, int prog_fd, struct bpf_iter *it)
{
	*it = (struct bpf_iter)BPF_ITER_INIT;
	it->kind = kind;
	return bpf_attach(prog_fd, &it->fd);
}

void bpf_iter_close(struct bpf_iter *it)
{
	it->fd = close_fd(it->fd);
	it->ring_fd = close_fd(it->ring_fd);
}

static const struct {
	int error;
	const char *text;
} causes[] = {
	{ -EPERM, "BPF iterators need CAP_BPF and CAP_PERFMON" },
	{ -EACCES, "the kernel's verifier or its lockdown refused the BPF program" },
	{ -ENOTSUP, "built without BPF" },
	{ -ENOSYS, "the kernel has no bpf() system call" },
	{ -EINVAL, "the kernel lacks this BPF iterator" },
	{ -ENOENT, "the kernel lacks this BPF iterator or its type information (BTF)" },
	{ -ESRCH, "the kernel lacks this BPF iterator or its type information (BTF)" },
	{ -ENOMEM, "out of memory" },
	{ -ENOBUFS, "the BPF ring buffer could not be made large enough" },
	{ -EMFILE, "too many open descriptors" },
	{ -ENFILE, "too many open descriptors" },
	{ -ENODATA, "the recording does not hold it" },
};

const char *bpf_cause(int error)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].error == error)
			return causes[i].text;
	return "the kernel refused the BPF iterator";
}

/* Hands a chunk on and records it. */
static int pass_chunk(struct tape *t, const char *name, const void *data, size_t len,
		      bpf_chunk chunk, void *userdata)
{
	int r = tape_stream_put(t, name, data, len);

	return r < 0 ? r : chunk(userdata, data, len);
}

/* read() that goes on after a signal, and after the million objects without output the kernel takes
 * a break at (-EAGAIN). */
static ssize_t read_iter(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n < 0 ? -errno : n;
}

static int read_file(struct tape *t, const char *name, int fd, bpf_chunk chunk, void *userdata)
{
	size_t size = READ_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	_cleanup_(cleanup_free) void *data = malloc(size);
	ssize_t n;
	int r;

	if (!data)
		return -ENOMEM;
	for (;;) {
		n = read_iter(fd, data, size);
		if (n <= 0)
			return (int)n;
		r = pass_chunk(t, name, data, (size_t)n, chunk, userdata);
		if (r < 0)
			return r;
	}
}

/* Makes the walk; -ENOBUFS when the iterator wrote a sign that the ring was full. */
static int fill_ring(int fd)
{
	char sign[64];
	ssize_t n = read_iter(fd, sign, sizeof(sign));

	return n > 0 ? -ENOBUFS : (int)n;
}

static int walk_to_ring(struct bpf_iter *it)
{
	uint32_t size = it->ring_size;
	int r = fill_ring(it->fd);

	while (r == -ENOBUFS && size < RING_LAST) {
		size *= 4;
		bpf_iter_close(it);
		r = open_sized(it->kind, size, it);
		if (r == 0)
			r = fill_ring(it->fd);
	}
	return r;
}

struct passing {
	struct tape *tape;
	const char *name;
	bpf_chunk chunk;
	void *userdata;
};

static int pass_ring(void *userdata, const void *data, size_t len)
{
	struct passing *p = userdata;

	return pass_chunk(p->tape, p->name, data, len, p->chunk, p->userdata);
}

static int read_stream(struct tape *t, const char *name, struct bpf_iter *it, bpf_chunk chunk,
		       void *userdata)
{
	struct passing p = { t, name, chunk, userdata };
	int r;

	if (it->fd < 0)
		return -EBADF;
	if (it->kind != BPF_KIND_UNIX)
		return read_file(t, name, it->fd, chunk, userdata);
	r = walk_to_ring(it);
	return r < 0 ? r : ring_read(it->ring_fd, it->ring_size, pass_ring, &p);
}

int bpf_iter_read(struct tape *t, struct bpf_iter *it, unsigned int attempt, bpf_chunk chunk,
		  void *userdata)
{
	char name[NAME_SIZE];
	int r;

	stream_name(name, it->kind, attempt);
	r = tape_stream_put(t, name, "", 0);
	if (r < 0)
		return r;
	r = read_stream(t, name, it, chunk, userdata);
	if (r < 0)
		tape_stream_fail(t, name, r);
	return r;
}

static int replay(struct tape *t, enum bpf_iter_kind kind, unsigned int attempt, bpf_chunk chunk,
		  void *userdata)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char name[NAME_SIZE];
	int r;

	stream_name(name, kind, attempt);
	r = tape_stream_get(t, name, &b);
	if (r < 0)
		return r;
	return b.len ? chunk(userdata, b.data, b.len) : 0;
}

int bpf_iter_run(struct tape *t, enum bpf_iter_kind kind, unsigned int attempt, bpf_chunk chunk,
		 void *userdata)
{
	_cleanup_(cleanup_bpf_iter) struct bpf_iter it = BPF_ITER_INIT;
	char name[NAME_SIZE];
	int r;

	if (t->mode == TAPE_REPLAY)
		return replay(t, kind, attempt, chunk, userdata);
	r = bpf_iter_open(kind, &it);
	if (r == 0)
		return bpf_iter_read(t, &it, attempt, chunk, userdata);
	stream_name(name, kind, attempt);
	tape_stream_fail(t, name, r);
	return r;
}
