/* SPDX-License-Identifier: MIT */
/*
 * Each frame of the decoder's corpus gives the layers that tests/captures/make_frames.py expects;
 * cut at every byte it is read no further than that (sanitizers see one byte too many), and gives
 * no layer that the whole frame has not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "capture/bytes.h"
#include "capture/linktype.h"
#include "decode_text.h"

#define FRAMES_MAX 16

struct frames {
	size_t n;
	uint8_t *copies[FRAMES_MAX];
	struct packet packets[FRAMES_MAX];
};

static uint8_t *exact_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, p, n);
	return copy;
}

static void load_frames(const char *name, struct frames *ret)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf path = BUF_INIT;
	const uint8_t *p, *end;

	buf_printf(&path, "%s/%s", TEST_CORPUS, name);
	assert_int_equal(file_read_at(AT_FDCWD, buf_str(&path), &b), 0);
	p = (const uint8_t *)b.data;
	end = p + b.len;
	ret->n = 0;
	for (const uint8_t *at = p + 2; at < end; at += 4 + be16(at)) {
		struct packet *packet = &ret->packets[ret->n];

		assert_true(ret->n < FRAMES_MAX && at + 4 + be16(at) <= end);
		ret->copies[ret->n] = exact_copy(at + 4, be16(at));
		*packet = (struct packet){ .time_ns = 1,
					   .data = ret->copies[ret->n],
					   .captured = be16(at),
					   .wire = be16(at) + be16(at + 2),
					   .link_type = be16(p) };
		ret->n++;
	}
	assert_true(ret->n > 0);
}

static void free_frames(struct frames *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->copies[i]);
}

static void decode_frames(const struct frames *f, struct decoder *d, struct buf *text)
{
	struct decoded decoded;

	for (size_t i = 0; i < f->n; i++) {
		decode_packet(d, &f->packets[i], &decoded);
		buf_puts(text, i ? "--\n" : "");
		decode_text(text, &decoded);
	}
}

/* What the whole frame tells of a layer, the cut one may not contradict. */
static void compare_layers(const struct decoded *whole, const struct decoded *cut)
{
	assert_true(cut->n_layers <= whole->n_layers + 1);
	for (int i = 0; i < cut->n_layers && i < whole->n_layers; i++) {
		const struct decoded_layer *a = &whole->layers[i], *b = &cut->layers[i];

		assert_true(b->payload_captured <= a->payload_captured || i == cut->n_layers - 1);
		if (i == cut->n_layers - 1 || !b->family)
			continue;
		assert_int_equal(a->family, b->family);
		assert_memory_equal(a->src, b->src, b->family == AF_INET ? 4 : 16);
		assert_memory_equal(a->dst, b->dst, b->family == AF_INET ? 4 : 16);
		assert_int_equal(a->proto, b->proto);
	}
}

static void cut_everywhere(const struct packet *whole)
{
	struct decoded all, some;

	decode_packet(NULL, whole, &all);
	for (uint32_t n = 0; n < whole->captured; n++) {
		_cleanup_(cleanup_free) uint8_t *copy = exact_copy(whole->data, n);
		struct packet cut = *whole;

		cut.data = copy;
		cut.captured = n;
		decode_packet(NULL, &cut, &some);
		compare_layers(&all, &some);
		cut.wire = n;
		decode_packet(NULL, &cut, &some);
	}
}

static unsigned int check_frames(const char *name, const char *expected)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct frames f;
	struct decoder *d;
	bool is_equal;

	load_frames(name, &f);
	assert_int_equal(decoder_new(&d), 0);
	decode_frames(&f, d, &text);
	decoder_free(d);
	is_equal = strcmp(buf_str(&text), expected) == 0;
	if (!is_equal)
		fprintf(stderr, "%s\nexpected:\n%sbut is:\n%s\n", name, expected, buf_str(&text));
	for (size_t i = 0; i < f.n; i++)
		cut_everywhere(&f.packets[i]);
	free_frames(&f);
	return !is_equal;
}

static void test_frames(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	unsigned int n = 0, n_wrong = 0;
	char *p;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, TEST_DATA "/decode.txt", &b), 0);
	p = (char *)(uintptr_t)buf_str(&b);
	while (*p == '=') {
		char *name = p + 2, *lines = strchr(name, '\n') + 1, *end = strstr(lines, "\n= ");
		_cleanup_(cleanup_free) char *expected = NULL;

		lines[-1] = '\0';
		p = end ? end + 1 : lines + strlen(lines);
		expected = strndup(lines, (size_t)(p - lines));
		assert_non_null(expected);
		n_wrong += check_frames(name, expected);
		n++;
	}
	assert_true(n > 100);
	assert_int_equal(n_wrong, 0);
}

/* Every link type says its name; others give no layers and no flags. */
static void test_link_types(void **state)
{
	static const uint8_t bytes[64];
	struct packet p = {
		.data = bytes, .captured = sizeof(bytes), .wire = sizeof(bytes), .link_type = 9999
	};
	struct decoded d;

	(void)state;
	for (size_t i = 0; i < decode_n_link_types(); i++)
		assert_non_null(decode_link_name(decode_link_type(i)));
	assert_null(decode_link_name(9999));
	decode_packet(NULL, &p, &d);
	assert_int_equal(d.n_layers, 0);
	assert_int_equal(d.flags, 0);
}

/* ---- reassembly ---- */

struct fragment_of {
	uint16_t id, offset;
	bool more;
	uint16_t len;
};

/* An IPv4 fragment of UDP, raw; the caller frees its data. */
static struct packet make_fragment(const struct fragment_of *f, uint64_t time_ns)
{
	uint8_t *p = calloc(1, 20u + f->len);
	uint16_t part = (uint16_t)(f->offset / 8 | (f->more ? 0x2000 : 0)), total = 20 + f->len;

	assert_non_null(p);
	p[0] = 0x45;
	p[2] = (uint8_t)(total >> 8);
	p[3] = (uint8_t)total;
	p[4] = (uint8_t)(f->id >> 8);
	p[5] = (uint8_t)f->id;
	p[6] = (uint8_t)(part >> 8);
	p[7] = (uint8_t)part;
	p[8] = 64;
	p[9] = 17;
	p[12] = 10;
	p[16] = 11;
	return (struct packet){ .data = p,
				.captured = total,
				.wire = total,
				.link_type = LINKTYPE_RAW,
				.time_ns = time_ns };
}

static uint16_t decode_fragment_of(struct decoder *d, struct fragment_of f, uint64_t time_ns)
{
	struct packet p = make_fragment(&f, time_ns);
	struct decoded ret;

	decode_packet(d, &p, &ret);
	free((void *)(uintptr_t)p.data);
	assert_int_equal(ret.n_layers, 1);
	return ret.flags;
}

/* More datagrams are begun than are kept: the oldest go, the newest can still be completed. */
static void test_fragments_bounded(void **state)
{
	const unsigned int n = DECODE_FRAGMENT_DATAGRAMS * 3;
	struct decoder *d;

	(void)state;
	assert_int_equal(decoder_new(&d), 0);
	for (unsigned int i = 0; i < n; i++)
		decode_fragment_of(d, (struct fragment_of){ (uint16_t)i, 0, true, 16 }, 1);
	assert_int_equal(decoder_stats(d)->given_up, n - DECODE_FRAGMENT_DATAGRAMS);
	assert_true(
		decode_fragment_of(d, (struct fragment_of){ (uint16_t)(n - 1), 16, false, 8 }, 1) &
		DECODE_REASSEMBLED);
	assert_false(decode_fragment_of(d, (struct fragment_of){ 0, 16, false, 8 }, 1) &
		     DECODE_REASSEMBLED);
	decoder_free(d);
}

/* Datagrams of full size fill the memory long before the slots run out. */
static void test_fragments_memory(void **state)
{
	struct decoder *d;

	(void)state;
	assert_int_equal(decoder_new(&d), 0);
	for (unsigned int id = 0; id < 400; id++)
		for (unsigned int at = 0; at < 64000; at += 8000)
			decode_fragment_of(
				d, (struct fragment_of){ (uint16_t)id, (uint16_t)at, true, 8000 },
				1);
	assert_true(decoder_stats(d)->given_up >= 400 - DECODE_FRAGMENT_MEMORY / 64000 - 1);
	assert_true(decode_fragment_of(d, (struct fragment_of){ 399, 64000, false, 8 }, 1) &
		    DECODE_REASSEMBLED);
	decoder_free(d);
}

static void test_fragments_too_old(void **state)
{
	const uint64_t late = (DECODE_FRAGMENT_SECONDS + 1) * UINT64_C(1000000000);
	struct decoder *d;

	(void)state;
	assert_int_equal(decoder_new(&d), 0);
	decode_fragment_of(d, (struct fragment_of){ 1, 0, true, 16 }, 1);
	assert_false(decode_fragment_of(d, (struct fragment_of){ 1, 16, false, 8 }, late) &
		     DECODE_REASSEMBLED);
	assert_int_equal(decoder_stats(d)->given_up, 1);
	assert_int_equal(decoder_stats(d)->unplaced_packets, 1);
	decoder_free(d);
}

/* Every second fragment first: more holes than are kept track of. */
static void test_fragments_holes(void **state)
{
	struct decoder *d;

	(void)state;
	assert_int_equal(decoder_new(&d), 0);
	for (unsigned int i = 0; i < 200; i++)
		decode_fragment_of(d, (struct fragment_of){ 1, (uint16_t)(i * 16), true, 8 }, 1);
	assert_true(decoder_stats(d)->given_up >= 2);
	decoder_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_fragments_bounded),
		cmocka_unit_test(test_fragments_memory),
		cmocka_unit_test(test_fragments_too_old),
		cmocka_unit_test(test_fragments_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
