/* SPDX-License-Identifier: MIT */
/* Raw dumps that ss wrote, whole, cut and damaged; the attributes of a socket. */
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <portavoz/snapshot.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "netlink/rawdump.h"

struct seen {
	unsigned n, n_listen, n_inet6, n_info, n_shutdown;
};

static int take(void *userdata, const struct pv_conversation *c)
{
	struct seen *seen = userdata;
	size_t len;
	const uint8_t *shutdown = pv_detail_attribute(c->detail, INET_DIAG_SHUTDOWN, &len);

	seen->n++;
	seen->n_listen += c->state == PV_STATE_LISTEN;
	seen->n_inet6 += c->family == AF_INET6;
	seen->n_info += c->detail && c->detail->present & PV_DETAIL_TCP;
	seen->n_shutdown += shutdown && len == 1 && *shutdown == c->shutdown;
	return 0;
}

static void load(const char *name, struct buf *b)
{
	char path[512];

	snprintf(path, sizeof(path), CORPUS "/%s", name);
	assert_int_equal(file_read_at(AT_FDCWD, path, b), 0);
}

static int parse(const char *data, size_t len, struct seen *seen,
		 struct netlink_rawdump_error *error)
{
	struct sink sink = { take, seen };
	struct netlink_parse_stats stats = { 0 };

	*seen = (struct seen){ 0 };
	return netlink_rawdump_parse(data, len, PV_NEED_TCPINFO | PV_NEED_ATTRIBUTES, &sink, &stats,
				     error);
}

static void test_whole(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct netlink_rawdump_error error = { 0 };
	struct seen seen;

	(void)state;
	load("ss-tan", &b);
	assert_int_equal(parse(b.data, b.len, &seen, &error), 0);
	/* both dumps, not only the one before the first end */
	assert_int_equal(seen.n, 9);
	assert_int_equal(seen.n_listen, 3);
	assert_int_equal(seen.n_inet6, 6);
	assert_int_equal(seen.n_info, 9);
	assert_int_equal(seen.n_shutdown, 9);
}

/* Every length but the whole one is refused, or is that of the first of the two dumps. */
static void test_cut(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct netlink_rawdump_error error;
	struct seen seen;
	unsigned n_sound = 0;

	(void)state;
	load("plain", &b);
	for (size_t len = 0; len < b.len; len += 4) {
		int r = parse(b.data, len, &seen, &error);

		n_sound += r == 0;
		if (r == 0)
			assert_int_equal(seen.n, 3);
		else
			assert_true(r == -EBADMSG && error.offset <= len && error.message);
	}
	assert_int_equal(n_sound, 1);
}

static void test_damaged(void **state)
{
	static const struct {
		const char *name, *message;
		size_t offset;
	} cases[] = {
		{ "type", "is no answer about a TCP socket", 0 },
		{ "length-zero", "is cut short, or no netlink message", 0 },
		{ "length-huge", "is cut short, or no netlink message", 0 },
		{ "family", "is about a socket of neither IPv4 nor IPv6", 0 },
		{ "empty", "lacks the message that ends a dump", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		struct netlink_rawdump_error error = { 99, "" };
		struct seen seen;

		load(cases[i].name, &b);
		assert_int_equal(parse(b.data ? b.data : "", b.len, &seen, &error), -EBADMSG);
		assert_string_equal(error.message, cases[i].message);
		assert_int_equal(error.offset, cases[i].offset);
	}
}

static void test_attribute(void **state)
{
	/* lengths 5 (padded), 4, and one that is longer than what is left */
	static const _Alignas(4) unsigned char bytes[] = { 5, 0, 7, 0, 42, 0, 0, 0,
							   4, 0, 8, 0, 9,  0, 9, 0 };
	struct pv_detail d = { .attributes = bytes, .attributes_len = sizeof(bytes) };
	size_t len = 99;

	(void)state;
	assert_ptr_equal(pv_detail_attribute(&d, 7, &len), bytes + 4);
	assert_int_equal(len, 1);
	assert_ptr_equal(pv_detail_attribute(&d, 8, &len), bytes + 12);
	assert_int_equal(len, 0);
	assert_null(pv_detail_attribute(&d, 9, &len));
	assert_null(pv_detail_attribute(NULL, 7, &len));
	d.attributes_len = 4;
	assert_null(pv_detail_attribute(&d, 7, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_attribute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
