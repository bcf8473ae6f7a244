/* SPDX-License-Identifier: MIT */
/* The files of one capture: opening, telling formats apart, merging by time, damage, texts kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "capture/decompress.h"
#include "capture/file.h"

#define QUEUE 64 /* packets read ahead from each of several files */
#define NAME_BYTES_MAX 255
/* A name besides its text: with the slack of a growing array, and what finds it by its address. */
#define NAME_COST (2 * sizeof(struct capture_name) + 64)
#define INTERFACES_LEAST 8192 /* the room that is there in any case */

struct capture {
	VEC(struct capture_file *) files;
	VEC(struct capture_name) names;
	uint64_t names_too_long, names_dropped, name_room; /* bytes */
	size_t n_interfaces, max_interfaces;		   /* of the sections that are open */
	uint32_t next_interface;
	uint64_t unpacked_max;
	const struct capture_problem *problem;
	struct arena texts;
};

static void file_free(struct capture_file *f)
{
	if (!f)
		return;
	stream_deinit(&f->stream);
	vec_deinit(&f->pcapng.interfaces);
	free(f->queue);
	free(f->name);
	free(f);
}

int capture_new(struct capture **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->unpacked_max = (*ret)->name_room = UINT64_MAX;
	(*ret)->max_interfaces = SIZE_MAX;
	return 0;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->files.n; i++)
		file_free(c->files.items[i]);
	vec_deinit(&c->files);
	vec_deinit(&c->names);
	arena_deinit(&c->texts);
	free(c);
}

int capture_add_fd(struct capture *c, int fd, const char *name)
{
	struct capture_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f) {
		close_fd(fd);
		return -ENOMEM;
	}
	r = stream_init(&f->stream, fd);
	if (r == 0 && c->files.n >= CAPTURE_FILES_MAX)
		r = -EMFILE;
	f->capture = c;
	f->index = (uint32_t)c->files.n;
	f->name = strdup(name);
	if (r == 0 && (!f->name || vec_push(&c->files, f) < 0))
		r = -ENOMEM;
	if (r < 0)
		file_free(f);
	return r;
}

int capture_add_path(struct capture *c, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			  : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : capture_add_fd(c, fd, path);
}

/* ---- what formats tell ---- */

static int file_damage(struct capture_file *f, uint64_t offset, const char *expected)
{
	f->problem.file = f->name;
	f->problem.offset = offset;
	f->problem.error = f->stream.error;
	f->problem.is_decompressed = f->stream.decompressor != NULL;
	snprintf(f->problem.expected, sizeof(f->problem.expected), "%s", expected);
	return FORMAT_DAMAGED;
}

int file_damaged(struct capture_file *f, size_t ahead, const char *expected, const char *found, ...)
{
	va_list ap;

	file_damage(f, stream_offset(&f->stream) + ahead, expected);
	va_start(ap, found);
	vsnprintf(f->problem.found, sizeof(f->problem.found), found, ap);
	va_end(ap);
	return FORMAT_DAMAGED;
}

/* The stream was over too early, or could not be read on. */
static int stream_broke(struct capture_file *f, const char *expected)
{
	const struct stream *s = &f->stream;
	const char *kind = s->decompressor ? decompressor_name(s->decompressor) : "";

	if (s->is_over_max) {
		file_damage(f, stream_offset(s), "a file of bounded size");
		snprintf(f->problem.found, sizeof(f->problem.found),
			 "more than the limit of %llu bytes", (unsigned long long)s->unpacked_max);
		return FORMAT_DAMAGED;
	}
	if (s->broken) {
		char text[64];

		snprintf(text, sizeof(text), "%s %s data", s->broken, kind);
		file_damage(f, s->file_read - (s->in_len - s->in_pos), text);
		f->problem.is_decompressed = false;
		snprintf(f->problem.found, sizeof(f->problem.found), "%s",
			 strcmp(s->broken, "more") ? "damaged data" : "end of file");
		return FORMAT_DAMAGED;
	}
	file_damage(f, stream_offset(s), expected);
	if (s->error)
		snprintf(f->problem.found, sizeof(f->problem.found), "a read error");
	else
		snprintf(f->problem.found, sizeof(f->problem.found), "end of file after %zu",
			 stream_left(s));
	return FORMAT_DAMAGED;
}

int file_want(struct capture_file *f, size_t n, const char *what)
{
	struct stream *s = &f->stream;
	char expected[80];

	f->want = n;
	if (!s->at_end)
		return FORMAT_MORE;
	if (stream_left(s) == 0 && !s->error && !s->broken && !s->is_over_max && !s->skip)
		return FORMAT_END;
	snprintf(expected, sizeof(expected), "%zu bytes of %s", n, what);
	return stream_broke(f, expected);
}

uint32_t capture_number_interface(struct capture *c)
{
	return c->next_interface++;
}

int capture_add_interface(struct capture_file *f, const struct interface *i)
{
	struct capture *c = f->capture;

	if (c->n_interfaces >= c->max_interfaces)
		return file_damaged(f, 0, "memory for another interface", "%zu already",
				    c->n_interfaces);
	if (vec_push(&f->pcapng.interfaces, *i) < 0)
		return -ENOMEM;
	c->n_interfaces++;
	return 0;
}

void capture_end_section(struct capture_file *f)
{
	f->capture->n_interfaces -= f->pcapng.interfaces.n;
	vec_deinit(&f->pcapng.interfaces);
}

int capture_add_name(struct capture *c, int family, const uint8_t *addr, const char *name,
		     size_t len)
{
	struct capture_name n = { .family = (uint8_t)family };

	if (len == 0)
		return 0;
	if (len > NAME_BYTES_MAX) {
		c->names_too_long++;
		return 0;
	}
	if (c->name_room < NAME_COST + len) {
		c->names_dropped++;
		return 0;
	}
	c->name_room -= NAME_COST + len;
	memcpy(n.addr, addr, family == AF_INET ? 4 : 16);
	n.name = (struct pv_bytes){ arena_dup(&c->texts, name, len), (uint32_t)len };
	return n.name.data ? vec_push(&c->names, n) : -ENOMEM;
}

/* ---- reading ---- */

static int not_a_capture(struct capture_file *f)
{
	const uint8_t *p = file_bytes(f);

	return file_damaged(f, 0, "a pcap or pcapng file", "bytes %02x %02x %02x %02x", p[0], p[1],
			    p[2], p[3]);
}

/* Looks at the first bytes. 0 = the format is known and its header taken; FORMAT_*; -errno. */
static int file_start(struct capture_file *f)
{
	int r;

	if (stream_left(&f->stream) < 4) {
		r = file_want(f, 4, "a capture file");
		return r == FORMAT_END ? stream_broke(f, "a pcap or pcapng file") : r;
	}
	if (!f->stream.decompressor) {
		f->stream.unpacked_max = f->capture->unpacked_max;
		r = stream_decompress(&f->stream);
		if (r != 0) {
			f->want = 4;
			return r < 0 ? r : FORMAT_MORE;
		}
	}
	if (pcapng_is_magic(file_bytes(f))) {
		f->format = &pcapng_format;
		return 0;
	}
	if (!pcap_is_magic(file_bytes(f)))
		return not_a_capture(f);
	r = pcap_open(f);
	if (r == 0)
		f->format = &pcap_format;
	return r;
}

/* As a format reads, but what the window lacks has to be filled by the caller. */
static int file_step(struct capture_file *f, struct packet *ret, size_t max, size_t *ret_n)
{
	int r = 0;

	*ret_n = 0;
	if (!f->format)
		r = file_start(f);
	if (r == 0) {
		r = f->format->read(f, ret, max, ret_n);
		f->n_packets += *ret_n;
	}
	if (r == FORMAT_DAMAGED)
		f->problem.packets = f->n_packets;
	return r;
}

/* 0 with *ret_n >= 1, FORMAT_END, FORMAT_DAMAGED, -errno; waits only when there is nothing else. */
static int file_read(struct capture_file *f, struct packet *ret, size_t max, size_t *ret_n)
{
	for (;;) {
		int r = f->after_queue;

		f->after_queue = 0;
		*ret_n = 0;
		if (r == 0)
			r = file_step(f, ret, max, ret_n);
		if (*ret_n > 0) {
			/* told by the next call; looking again for what was missing costs nothing
			 */
			f->after_queue = r == FORMAT_MORE || r == FORMAT_END ? 0 : r;
			return 0;
		}
		if (r != FORMAT_MORE)
			return r;
		r = stream_fill(&f->stream, f->want);
		if (r < 0)
			return r;
	}
}

/* CAPTURE_DAMAGED, or 0 when the file is over as it should be. */
static int file_over(struct capture *c, struct capture_file *f, int r)
{
	f->is_over = true;
	c->problem = &f->problem;
	stream_deinit(&f->stream);
	capture_end_section(f);
	return r == FORMAT_DAMAGED ? CAPTURE_DAMAGED : 0;
}

static int read_one_file(struct capture *c, struct packet *ret, size_t max, size_t *ret_n)
{
	struct capture_file *f = c->files.items[0];
	int r;

	if (f->is_over)
		return CAPTURE_END;
	r = file_read(f, ret, max, ret_n);
	if (r <= 0)
		return r;
	r = file_over(c, f, r);
	return r ? r : CAPTURE_END;
}

/* Every file that is not over has a packet in its queue. No packet is out when this is called. */
static int fill_queues(struct capture *c)
{
	for (size_t i = 0; i < c->files.n; i++) {
		struct capture_file *f = c->files.items[i];
		int r = 0;

		if (f->is_over || f->head < f->n_queued)
			continue;
		if (!f->queue)
			f->queue = calloc(QUEUE, sizeof(*f->queue));
		if (!f->queue)
			return -ENOMEM;
		f->head = f->n_queued = 0;
		r = file_read(f, f->queue, QUEUE, &f->n_queued);
		if (r > 0)
			r = file_over(c, f, r);
		if (r != 0)
			return r;
	}
	return 0;
}

static uint64_t head_time(const struct capture_file *f)
{
	return f->queue[f->head].time_ns;
}

static bool comes_before(const struct capture_file *a, const struct capture_file *b)
{
	return !b || head_time(a) < head_time(b);
}

/* The file with the oldest packet, and the one that comes after it; NULL = none. */
static struct capture_file *oldest(const struct capture *c, const struct capture_file **ret_second)
{
	struct capture_file *first = NULL;

	*ret_second = NULL;
	for (size_t i = 0; i < c->files.n; i++) {
		struct capture_file *f = c->files.items[i];

		if (f->head == f->n_queued)
			continue;
		if (comes_before(f, first)) {
			*ret_second = first;
			first = f;
		} else if (comes_before(f, *ret_second)) {
			*ret_second = f;
		}
	}
	return first;
}

static bool is_still_first(const struct capture_file *f, const struct capture_file *second)
{
	if (!second || head_time(f) < head_time(second))
		return true;
	return head_time(f) == head_time(second) && f->index < second->index;
}

static int read_merged(struct capture *c, struct packet *ret, size_t max, size_t *ret_n)
{
	int r = fill_queues(c);
	size_t n = 0;

	if (r != 0)
		return r;
	while (n < max) {
		const struct capture_file *second;
		struct capture_file *f = oldest(c, &second);

		if (!f)
			return CAPTURE_END;
		do {
			ret[n++] = f->queue[f->head++];
		} while (n < max && f->head < f->n_queued && is_still_first(f, second));
		/* what follows in an emptied file is not known yet, and could be the oldest */
		if (f->head == f->n_queued)
			break;
	}
	*ret_n = n;
	return 0;
}

int capture_read(struct capture *c, struct packet *ret, size_t max, size_t *ret_n)
{
	*ret_n = 0;
	if (c->files.n == 0 || max == 0)
		return CAPTURE_END;
	return c->files.n == 1 ? read_one_file(c, ret, max, ret_n)
			       : read_merged(c, ret, max, ret_n);
}

void capture_set_unpacked_max(struct capture *c, uint64_t bytes)
{
	c->unpacked_max = bytes;
}

void capture_set_room(struct capture *c, uint64_t name_bytes, uint64_t interface_bytes)
{
	uint64_t n = interface_bytes / sizeof(struct interface);

	c->name_room = name_bytes;
	c->max_interfaces = n < INTERFACES_LEAST ? INTERFACES_LEAST : n;
}

const struct capture_problem *capture_problem(const struct capture *c)
{
	return c->problem;
}

size_t capture_n_names(const struct capture *c)
{
	return c->names.n;
}

const struct capture_name *capture_name(const struct capture *c, size_t i)
{
	return &c->names.items[i];
}

uint64_t capture_names_too_long(const struct capture *c)
{
	return c->names_too_long;
}

uint64_t capture_names_dropped(const struct capture *c)
{
	return c->names_dropped;
}

static uint64_t file_done(const struct capture_file *f)
{
	return f->is_over ? f->stream.file_size : f->stream.file_read;
}

void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_total)
{
	bool is_known = true;

	*ret_done = *ret_total = 0;
	for (size_t i = 0; i < c->files.n; i++) {
		const struct capture_file *f = c->files.items[i];

		*ret_done += file_done(f);
		*ret_total += f->stream.file_size;
		is_known = is_known && f->stream.file_size;
	}
	if (!is_known)
		*ret_total = 0;
}
