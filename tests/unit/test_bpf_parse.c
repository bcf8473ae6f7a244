/* SPDX-License-Identifier: MIT */
/* The parsers of iterator records on bytes made here: whole, cut and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/iter.h"
#include "bpf/sock_record.h"

#define N_MAX 16

struct got {
	struct pv_conversation rows[N_MAX];
	struct owner_record owners[N_MAX];
	char paths[N_MAX][SOCK_RECORD_PATH_MAX];
	uint32_t path_lens[N_MAX];
	size_t n, n_calls;
	int result;
	struct bpf_stats stats;
};

static int take_row(void *userdata, const struct pv_conversation *row)
{
	struct got *got = userdata;

	assert_true(got->n < N_MAX);
	got->path_lens[got->n] = row->path ? row->path->len : 0;
	if (row->path)
		memcpy(got->paths[got->n], row->path->data, row->path->len);
	got->rows[got->n++] = *row;
	return got->result;
}

static int take_owners(void *userdata, const struct owner_record *rows, size_t n)
{
	struct got *got = userdata;

	assert_true(n > 0 && got->n + n <= N_MAX);
	memcpy(got->owners + got->n, rows, n * sizeof(*rows));
	got->n += n;
	got->n_calls++;
	return got->result;
}

static int parse(struct got *got, enum bpf_iter_kind kind, const void *data, size_t len)
{
	struct sink sink = { take_row, got };
	void *exact = malloc(len ? len : 1);
	int r;

	memset(got, 0, offsetof(struct got, result));
	got->stats = (struct bpf_stats){ 0 };
	assert_non_null(exact);
	memcpy(exact, data, len);
	if (kind == BPF_KIND_OWNERS)
		r = bpf_parse_owners(exact, len, take_owners, got, &got->stats);
	else
		r = bpf_parse_sockets(exact, len, kind, &sink, &got->stats);
	free(exact);
	return r;
}

static struct sock_record tcp_record(void)
{
	return (struct sock_record){
		.cookie = UINT64_C(0x123456789a),
		.local = { 127, 0, 0, 1 },
		.remote = { 127, 0, 0, 2 },
		.inode = 4026531840,
		.uid = 1000,
		.recv_q = 6,
		.send_q = 7,
		.ifindex = 8,
		.mark = 9,
		.local_port = 443,
		.remote_port = 65535,
		.family = AF_INET,
		.state = PV_STATE_ESTABLISHED,
		.type = SOCK_STREAM,
		.protocol = IPPROTO_TCP,
		.shutdown = 2,
		.flags = SOCK_RECORD_EXACT | SOCK_RECORD_KERNEL,
		.size = sizeof(struct sock_record),
	};
}

static void every_member_is_told(void **state)
{
	const uint8_t local[16] = { 127, 0, 0, 1 }, remote[16] = { 127, 0, 0, 2 };
	struct sock_record r = tcp_record();
	struct got got = { .result = 0 };
	const struct pv_conversation *row = &got.rows[0];

	(void)state;
	assert_int_equal(parse(&got, BPF_KIND_TCP, &r, sizeof(r)), 0);
	assert_int_equal(got.n, 1);
	assert_true(row->cookie == r.cookie);
	assert_memory_equal(row->local.addr, local, 16);
	assert_memory_equal(row->remote.addr, remote, 16);
	assert_int_equal(row->local.port, 443);
	assert_int_equal(row->remote.port, 65535);
	assert_true(row->inode == r.inode);
	assert_int_equal(row->uid, 1000);
	assert_int_equal(row->recv_q, 6);
	assert_int_equal(row->send_q, 7);
	assert_int_equal(row->ifindex, 8);
	assert_int_equal(row->mark, 9);
	assert_int_equal(row->family, AF_INET);
	assert_int_equal(row->proto, PV_PROTO_TCP);
	assert_int_equal(row->state, PV_STATE_ESTABLISHED);
	assert_int_equal(row->type, SOCK_STREAM);
	assert_int_equal(row->shutdown, 2);
	assert_int_equal(row->flags, PV_CONV_KERNEL);
	assert_null(row->path);
	assert_null(row->detail);
	assert_true(bpf_sockets_are_exact(&got.stats));
}

static void states_and_flags_are_those_of_sock_diag(void **state)
{
	struct sock_record r[4];
	struct got got = { .result = 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		r[i] = tcp_record();
		r[i].family = AF_INET6;
		r[i].flags = SOCK_RECORD_V6ONLY;
	}
	r[0].state = PV_STATE_NEW_SYN_RECV;
	r[1].state = PV_STATE_LISTEN;
	r[2].state = PV_STATE_CLOSE;
	r[2].flags = 0;
	assert_int_equal(parse(&got, BPF_KIND_TCP, r, sizeof(r)), 0);
	assert_int_equal(got.n, 4);
	assert_int_equal(got.rows[0].state, PV_STATE_SYN_RECV);
	assert_int_equal(got.rows[1].flags, PV_CONV_V6ONLY_KNOWN | PV_CONV_V6ONLY);
	assert_int_equal(got.rows[2].flags, PV_CONV_V6ONLY_KNOWN);
	assert_int_equal(got.rows[3].flags, 0);
	assert_false(bpf_sockets_are_exact(&got.stats));
}

struct named {
	struct sock_record r;
	char path[112];
};

static size_t name_record(struct named *n, const char *path, uint16_t len)
{
	memset(n, 0, sizeof(*n));
	n->r = (struct sock_record){ .cookie = 1,
				     .inode = 2,
				     .peer_inode = 3,
				     .family = AF_UNIX,
				     .state = PV_STATE_CLOSE,
				     .type = SOCK_DGRAM,
				     .path_len = len,
				     .size = (uint16_t)(sizeof(n->r) + SOCK_RECORD_PAD(len)) };
	memcpy(n->path, path, len);
	return n->r.size;
}

static void names_keep_their_bytes(void **state)
{
	static const struct {
		const char *given;
		uint16_t len, told;
	} cases[] = {
		{ "/run/x\0", 7, 6 }, /* the NUL behind a file's name is no part of it */
		{ "/run/x", 6, 6 },   { "\0abstract\0", 10, 10 },
		{ "\0", 1, 1 },	      { "/\n\033[31m", 7, 7 },
		{ "", 0, 0 },
	};
	struct got got = { .result = 0 };
	struct named n;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size = name_record(&n, cases[i].given, cases[i].len);
		assert_int_equal(parse(&got, BPF_KIND_UNIX, &n, size), 0);
		assert_int_equal(got.n, 1);
		assert_int_equal(got.path_lens[0], cases[i].told);
		assert_memory_equal(got.paths[0], cases[i].given, cases[i].told);
		assert_int_equal(got.rows[0].peer_inode, 3);
	}
}

static void wrong_values_are_skipped_and_counted(void **state)
{
	const struct sock_record good = tcp_record();
	struct sock_record r[12];
	struct got got = { .result = 0 };
	const size_t n = sizeof(r) / sizeof(r[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		r[i] = good;
	r[0].cookie = 0;
	r[1].family = AF_UNIX;
	r[2].family = 0;
	r[3].state = 0;
	r[4].state = 13;
	r[5].state = 255;
	r[6].type = 0;
	r[7].type = 255;
	r[8].protocol = IPPROTO_UDP;
	r[9].shutdown = 4;
	assert_int_equal(parse(&got, BPF_KIND_TCP, r, sizeof(r)), 0);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.stats.n_rows, 2);
	assert_int_equal(got.stats.n_malformed, 10);
	/* a kind takes only its own */
	assert_int_equal(parse(&got, BPF_KIND_UDP, &good, sizeof(good)), 0);
	assert_int_equal(got.n, 0);
	assert_int_equal(got.stats.n_malformed, 1);
	assert_int_equal(parse(&got, BPF_KIND_UNIX, &good, sizeof(good)), 0);
	assert_int_equal(got.n, 0);
}

static void a_wrong_size_ends_the_chunk(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 80, 87, 89, 96, 65535 };
	struct sock_record r[3] = { tcp_record(), tcp_record(), tcp_record() };
	struct got got = { .result = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] == sizeof(r[0]))
			continue;
		r[1].size = sizes[i];
		assert_int_equal(parse(&got, BPF_KIND_TCP, r, sizeof(r)), 0);
		assert_int_equal(got.n, 1);
		assert_int_equal(got.stats.n_malformed, 1);
	}
	r[1].size = sizeof(r[1]);
	r[1].path_len = 65535;
	assert_int_equal(parse(&got, BPF_KIND_TCP, r, sizeof(r)), 0);
	assert_int_equal(got.n, 1);
}

static void every_cut_is_survived(void **state)
{
	struct sock_record r[2] = { tcp_record(), tcp_record() };
	struct got got = { .result = 0 };
	struct named n;
	size_t size = name_record(&n, "\0abstract", 9);

	(void)state;
	for (size_t len = 0; len <= sizeof(r); len++) {
		assert_int_equal(parse(&got, BPF_KIND_TCP, r, len), 0);
		assert_int_equal(got.n, len / sizeof(r[0]));
		assert_int_equal(got.stats.n_malformed, len % sizeof(r[0]) ? 1 : 0);
	}
	for (size_t len = 1; len < size; len++) {
		assert_int_equal(parse(&got, BPF_KIND_UNIX, &n, len), 0);
		assert_int_equal(got.n, 0);
		assert_int_equal(got.stats.n_malformed, 1);
	}
}

static void the_sink_can_stop(void **state)
{
	struct sock_record r[2] = { tcp_record(), tcp_record() };
	struct owner_record o[2] = { { .inode = 1, .pid = 1 }, { .inode = 1, .pid = 2 } };
	struct got got = { .result = -ENOMEM };

	(void)state;
	assert_int_equal(parse(&got, BPF_KIND_TCP, r, sizeof(r)), -ENOMEM);
	assert_int_equal(got.n, 1);
	assert_int_equal(parse(&got, BPF_KIND_OWNERS, o, sizeof(o)), -ENOMEM);
}

static void owners_come_in_runs_without_the_wrong_ones(void **state)
{
	struct owner_record o[8];
	struct got got = { .result = 0 };

	(void)state;
	for (int i = 0; i < 8; i++)
		o[i] = (struct owner_record){ .cookie = 1, .inode = 1, .pid = 7, .fd = i };
	o[2].pid = 0;
	o[3].pid = -1;
	o[5].fd = -1;
	o[6].cookie = o[6].inode = 0;
	o[7].flags = UINT32_C(1) << 31;
	assert_int_equal(parse(&got, BPF_KIND_OWNERS, o, sizeof(o)), 0);
	assert_int_equal(got.n, 3);
	assert_int_equal(got.n_calls, 2);
	assert_int_equal(got.owners[1].fd, 1);
	assert_int_equal(got.owners[2].fd, 4);
	assert_int_equal(got.stats.n_rows, 3);
	assert_int_equal(got.stats.n_malformed, 5);
}

static void owners_may_lie_anywhere_and_be_cut(void **state)
{
	struct owner_record o = { .cookie = 1, .inode = 1, .pid = 7, .fd = 3, .comm = "name" };
	char bytes[3 * sizeof(o) + 1];
	struct got got = { .result = 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		memcpy(bytes + 1 + i * sizeof(o), &o, sizeof(o));
	for (size_t len = 0; len <= 3 * sizeof(o); len++) {
		memset(&got, 0, sizeof(got));
		assert_int_equal(bpf_parse_owners(bytes + 1, len, take_owners, &got, &got.stats),
				 0);
		assert_int_equal(got.n, len / sizeof(o));
		assert_int_equal(got.stats.n_malformed, len % sizeof(o) ? 1 : 0);
		for (size_t i = 0; i < got.n; i++)
			assert_memory_equal(&got.owners[i], &o, sizeof(o));
	}
}

static void causes_are_never_missing(void **state)
{
	(void)state;
	for (int error = -200; error <= 0; error++)
		assert_true(strlen(bpf_cause(error)) > 0);
	assert_string_not_equal(bpf_cause(-EPERM), bpf_cause(-ENOTSUP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_told),
		cmocka_unit_test(states_and_flags_are_those_of_sock_diag),
		cmocka_unit_test(names_keep_their_bytes),
		cmocka_unit_test(wrong_values_are_skipped_and_counted),
		cmocka_unit_test(a_wrong_size_ends_the_chunk),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(the_sink_can_stop),
		cmocka_unit_test(owners_come_in_runs_without_the_wrong_ones),
		cmocka_unit_test(owners_may_lie_anywhere_and_be_cut),
		cmocka_unit_test(causes_are_never_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
