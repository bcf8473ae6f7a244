/* SPDX-License-Identifier: MIT */
/* When packets of the same ends are another connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flow_world.h"

static void reused_pairs(void **state)
{
	static const struct {
		const char *first, *second;
		uint64_t pause;
		size_t n;
	} cases[] = {
		{ "c S, s SA, c A, c FA, s FA, c A", "c S, s SA, c A", 0, 2 },
		{ "c S, s RA", "c S, s RA", 0, 2 },
		{ "c S, s SA, c A, c A10", "c S", 0, 1 }, /* nobody closed: anyone may send that */
		{ "c S, s SA, c A, c A10", "c S, s SA", 0, 2 }, /* it does begin anew */
		{ "c S, s SA, c A, c A10", "c S, s RA", 0, 2 }, /* it would have */
		{ "c S, s SA, c A, c A10", "c S", 7500 * S, 2 },
		{ "c S, c A, c A10", "c S", 0, 1 }, /* one direction only */
		{ "c S, c A, c A10", "c S, c A", 0, 2 },
		{ "c S, c A, c FA", "c S", 0, 2 },
		{ "c S", "c S", 0, 2 },			  /* two attempts */
		{ "c A10, s A10", "c S, s SA", 0, 2 },	  /* seen from the middle, then anew */
		{ "c A10, s A10", "c A10", 7000 * S, 1 }, /* two hours are no end */
		{ "c A10, s A10", "c A10", 7500 * S, 2 }, /* more are */
		{ "c S, s RA", "s RA", 10 * S, 1 },	  /* strays */
		{ "c S, s RA", "c A10", 300 * S, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pv_snapshot *s;
		struct world w;

		world_init(&w);
		play(&w, cases[i].first);
		w.now += cases[i].pause;
		if (strchr(cases[i].second, 'S'))
			w.seq[0] += 100000;
		play(&w, cases[i].second);
		s = rows(&w);
		if (pv_snapshot_count(s) != cases[i].n)
			fail_msg("%s, then %s: %zu conversations, not %zu", cases[i].first,
				 cases[i].second, pv_snapshot_count(s), cases[i].n);
		pv_snapshot_free(s);
		world_deinit(&w);
	}
}

/* A SYN as anyone could send it changes nothing of a living connection but the count of packets. */
static void stray_syn(void **state)
{
	const struct flow_table_options o = { .memory = 1U << 20, .seed = 1, .bin_ns = S };
	const struct pv_flow *f;
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	flow_table_deinit(&w.table);
	assert_int_equal(flow_table_init(&w.table, &o), 0);
	play(&w, "c S, s SA, c A, c A10");
	segment(&w, 0, DECODE_TCP_SYN, w.seq[0] + 5000, 0, 1000);
	w.now += 2 * S;
	segment(&w, 0, DECODE_TCP_SYN, w.seq[0] + 5000, 0, 1000);
	segment(&w, 0, DECODE_TCP_SYN, w.seq[0] + 9000, 0, 1000);
	play(&w, "s A, c A10, s A");
	w.now += 2 * S;
	segment(&w, 1, DECODE_TCP_SYN, w.seq[1] + 9000, 0, 1000);
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 1);
	f = pv_snapshot_get(s, 0)->flow;
	assert_int_equal(f->out.packets, 7);
	assert_int_equal(f->in.packets, 4);
	assert_int_equal(f->out.bytes, 7 * 54 + 20);
	assert_int_equal(f->conn_state, PV_CONN_S1);
	assert_string_equal(f->history, "ShADa");
	assert_int_equal(f->out.lost + f->in.lost + f->out.retransmitted, 0);
	assert_int_equal(f->end_ns, 1004 * S + 10 * MS);
	assert_int_equal(f->n_bins, 3);
	assert_int_equal(f->bins[0].out_packets, 4);
	assert_int_equal(f->bins[1].out_packets, 3);
	assert_int_equal(f->bins[2].in_packets, 1);
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* A client that forgot the connection learns of it and resets it (RFC 9293, 3.5.1). */
static void half_open(void **state)
{
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	play(&w, "c S, s SA, c A, c A10");
	segment(&w, 0, DECODE_TCP_SYN, w.seq[0] + 5000, 0, 1000);
	play(&w, "s A, c R");
	w.seq[0] += 5000;
	play(&w, "c S, s SA, c A");
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 2);
	assert_int_equal(pv_snapshot_get(s, 0)->flow->conn_state, PV_CONN_RSTO);
	assert_int_equal(pv_snapshot_get(s, 0)->flow->out.packets, 4);
	assert_int_equal(pv_snapshot_get(s, 1)->flow->conn_state, PV_CONN_S1);
	assert_int_equal(pv_snapshot_get(s, 1)->flow->out.packets, 3);
	assert_int_equal(pv_snapshot_get(s, 1)->flow->start_ns, 1000 * S + 4 * MS);
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* After its end even a SYN of the same number begins a connection, if it is answered. */
static void same_number_again(void **state)
{
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	play(&w, "c S, s RA");
	w.seq[0]--;
	play(&w, "c S, s RA"); /* refused once more: still the same */
	w.seq[0]--;
	play(&w, "c S, s SA, c A");
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 2);
	assert_int_equal(pv_snapshot_get(s, 0)->flow->conn_state, PV_CONN_REJ);
	assert_int_equal(pv_snapshot_get(s, 1)->flow->conn_state, PV_CONN_S1);
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* A SYN that is sent again is no new conversation, and measures no round trip. */
static void repeated_syn(void **state)
{
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	segment(&w, 0, DECODE_TCP_SYN, 1000, 0, 1000);
	play(&w, "c S, s SA, c A");
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 1);
	assert_int_equal(pv_snapshot_get(s, 0)->flow->out.retransmitted, 1);
	assert_false(pv_snapshot_get(s, 0)->flow->in.has_handshake);
	pv_snapshot_free(s);
	world_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reused_pairs),	     cmocka_unit_test(repeated_syn),
		cmocka_unit_test(stray_syn),	     cmocka_unit_test(half_open),
		cmocka_unit_test(same_number_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
