/* SPDX-License-Identifier: MIT */
/* The table of conversations, with packets made by hand; time is what they say. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flow_world.h"

struct state_case {
	const char *script, *state, *history;
	enum pv_ending ending;
	enum pv_direction_by by;
};

/* Zeek's thirteen, and a few where two things happen. */
static const struct state_case state_cases[] = {
	{ "c S", "S0", "S", PV_ENDING_UNANSWERED, PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, c A10, s A20", "S1", "ShADd", PV_ENDING_OPEN, PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, c A10, s A20, c FA, s FA, c A", "SF", "ShADdFf", PV_ENDING_CLOSED_LOCAL,
	  PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, s A20, s FA, c A, c FA, s A", "SF", "ShAdfFa", PV_ENDING_CLOSED_REMOTE,
	  PV_BY_HANDSHAKE },
	{ "c S, s RA", "REJ", "Sr", PV_ENDING_REFUSED, PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, c FA, s A", "S2", "ShAFa", PV_ENDING_HALF_LOCAL, PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, s FA, c A", "S3", "ShAf", PV_ENDING_HALF_REMOTE, PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, c A10, c RA", "RSTO", "ShADR", PV_ENDING_RESET_LOCAL, PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, c A10, s RA", "RSTR", "ShADr", PV_ENDING_RESET_REMOTE, PV_BY_HANDSHAKE },
	{ "c S, c R", "RSTOS0", "SR", PV_ENDING_RESET_LOCAL, PV_BY_HANDSHAKE },
	{ "s SA, s R", "RSTRH", "^hr", PV_ENDING_RESET_REMOTE, PV_BY_HANDSHAKE },
	{ "c S, c FA", "SH", "SF", PV_ENDING_HALF_LOCAL, PV_BY_HANDSHAKE },
	{ "s SA, s FA", "SHR", "^hf", PV_ENDING_HALF_REMOTE, PV_BY_HANDSHAKE },
	{ "c A10, s A20, c A", "OTH", "DdA", PV_ENDING_OPEN, PV_BY_PORTS },
	{ "s A20, c A10, s A", "OTH", "^dDa", PV_ENDING_OPEN, PV_BY_PORTS },
	{ "c A10, c FA, s FA, c A", "OTH", "DFfA", PV_ENDING_CLOSED_LOCAL, PV_BY_PORTS },
	/* closed first, then reset: closed it stays */
	{ "c S, s SA, c A, c FA, s FA, c R", "SF", "ShAFfR", PV_ENDING_CLOSED_LOCAL,
	  PV_BY_HANDSHAKE },
	{ "c S, s SA, c A, c FA, s R", "RSTR", "ShAFr", PV_ENDING_RESET_REMOTE, PV_BY_HANDSHAKE },
	/* captured one way: what the client acknowledges was an answer */
	{ "c S, c A, c A10", "S0", "SAD", PV_ENDING_OPEN, PV_BY_HANDSHAKE },
	{ "c S, c A, c FA", "SH", "SAF", PV_ENDING_HALF_LOCAL, PV_BY_HANDSHAKE },
	{ "c S, c RA", "RSTOS0", "SR", PV_ENDING_RESET_LOCAL, PV_BY_HANDSHAKE },
	{ "c S, c A, s R", "RSTR", "SAr", PV_ENDING_RESET_REMOTE, PV_BY_HANDSHAKE },
	{ "c S, s A", "OTH", "Sa", PV_ENDING_OPEN, PV_BY_HANDSHAKE },
};

static void conn_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(state_cases) / sizeof(*state_cases); i++) {
		const struct state_case *k = &state_cases[i];
		const struct pv_conversation *c;
		struct pv_snapshot *s;
		struct world w;

		world_init(&w);
		play(&w, k->script);
		s = rows(&w);
		assert_int_equal(pv_snapshot_count(s), 1);
		c = pv_snapshot_get(s, 0);
		if (strcmp(pv_conn_state_name(c->flow->conn_state), k->state) != 0 ||
		    strcmp(c->flow->history, k->history) != 0 || c->flow->ending != k->ending ||
		    c->direction_by != k->by)
			fail_msg("%s: %s %s \"%s\" by %s, not %s %s", k->script,
				 pv_conn_state_name(c->flow->conn_state), c->flow->history,
				 pv_ending_text(c->flow->ending),
				 pv_direction_by_name(c->direction_by), k->state, k->history);
		assert_int_equal(c->local.port, 40000);
		assert_int_equal(c->remote.port, 80);
		pv_snapshot_free(s);
		world_deinit(&w);
	}
}

static void counts_and_round_trips(void **state)
{
	const struct pv_flow *f;
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	play(&w, "c S, s SA, c A, c A100, s A, s A1000, s A500, c A, c FA, s FA, c A");
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 1);
	f = pv_snapshot_get(s, 0)->flow;
	assert_int_equal(f->out.packets, 6);
	assert_int_equal(f->in.packets, 5);
	assert_int_equal(f->out.payload, 100);
	assert_int_equal(f->in.payload, 1500);
	assert_int_equal(f->out.bytes, 6 * 54 + 100);
	assert_int_equal(f->in.bytes, 5 * 54 + 1500);
	assert_int_equal(f->start_ns, 1000 * S);
	assert_int_equal(f->end_ns, 1000 * S + 10 * MS);
	assert_int_equal(f->in.first_ns, 1000 * S + MS);
	assert_true(f->in.has_handshake && f->out.has_handshake);
	assert_int_equal(f->in.handshake_us, 1000);
	assert_int_equal(f->out.handshake_us, 1000);
	/* the server acknowledged data at once, and the FIN */
	assert_int_equal(f->in.rtt.samples, 2);
	assert_int_equal(f->in.rtt.min_us, 1000);
	/* the client the first of two segments after 2 ms, and the FIN after 1 */
	assert_int_equal(f->out.rtt.samples, 2);
	assert_int_equal(f->out.rtt.max_us, 2000);
	assert_int_equal(f->out.rtt.mean_us, 1500);
	assert_int_equal(f->in.lost + f->out.lost, 0);
	assert_int_equal(f->in.retransmitted + f->out.retransmitted, 0);
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* What is sent again, late, or never: numbers of the server pass 2^32 on the way. */
static void losses(void **state)
{
	const struct pv_flow *f;
	struct pv_snapshot *s;
	struct world w;
	uint32_t at;

	(void)state;
	world_init(&w);
	play(&w, "c S, s SA, c A, s A200");
	at = w.seq[1];
	segment(&w, 1, DECODE_TCP_ACK, at - 200, 200, 1000); /* once more */
	segment(&w, 1, DECODE_TCP_ACK, at + 100, 100, 1000); /* 100 missing */
	segment(&w, 1, DECODE_TCP_ACK, at, 100, 1000);	     /* 1 ms later: out of order */
	segment(&w, 1, DECODE_TCP_ACK, at + 300, 50, 1000);  /* 100 missing, */
	w.now += 100 * MS;
	segment(&w, 1, DECODE_TCP_ACK, at + 200, 100, 1000); /* sent again */
	segment(&w, 1, DECODE_TCP_ACK, at + 400, 10, 1000);  /* 50 missing for good */
	segment(&w, 1, DECODE_TCP_ACK, at + 409, 1, 0);	     /* a keep-alive, window closed */
	segment(&w, 1, DECODE_TCP_ACK, at + 409, 1, 0);
	w.seq[1] = at + 1410;
	segment(&w, 0, DECODE_TCP_ACK, w.seq[0], 0, 1000); /* acknowledges 1,000 never seen */
	s = rows(&w);
	f = pv_snapshot_get(s, 0)->flow;
	assert_int_equal(f->in.retransmitted, 2);
	assert_int_equal(f->in.out_of_order, 1);
	assert_int_equal(f->in.gaps, 4);
	assert_int_equal(f->in.lost, 1050);
	assert_int_equal(f->in.zero_windows, 1);
	assert_int_equal(f->out.lost, 0);
	assert_string_equal(f->history, "ShAdtgw");
	pv_snapshot_free(s);
	world_deinit(&w);
}

static uint64_t lost_now(const struct world *w, unsigned side)
{
	return flow_table_entry(&w->table, 0)->cold[side].lost;
}

/* What is lost after each of many segments: sequence numbers that wrap, gaps filled in any way. */
static void several_gaps(void **state)
{
	static const struct {
		int at, n;
		uint64_t lost;
	} steps[] = {
		{ 100, 10, 100 }, { 120, 10, 110 }, { 200, 10, 180 }, /* three gaps */
		{ 0, 50, 130 },					      /* the oldest from below */
		{ 90, 10, 120 },				      /* from above */
		{ 60, 10, 110 },				      /* from the middle */
		{ 60, 10, 110 },				      /* once more */
		{ 40, 80, 70 },					      /* the rest, and the second */
		{ 150, 60, 20 }, /* over the end of the newest */
		{ 0, 1000, 0 },
	};
	struct world w;
	uint32_t at;

	(void)state;
	world_init(&w);
	play(&w, "c S, s SA, c A");
	at = w.seq[1];
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		segment(&w, 1, DECODE_TCP_ACK, at + (uint32_t)steps[i].at, (uint32_t)steps[i].n, 9);
		assert_int_equal(lost_now(&w, 1), steps[i].lost);
		assert_int_equal(lost_now(&w, 0), 0);
	}
	assert_int_equal(flow_table_entry(&w.table, 0)->gaps, FLOW_NONE);
	world_deinit(&w);
}

/* The same with segments by chance in both directions, against a list of the bytes that came. */
static void gaps_by_chance(void **state)
{
	enum { BYTES = 1500, SEGMENTS = 60 };
	uint64_t random = 1;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		bool came[2][BYTES] = { { false } };
		unsigned top[2] = { 0, 0 };
		uint32_t first[2];
		struct world w;

		world_init(&w);
		play(&w, "c S, s SA, c A");
		memcpy(first, w.seq, sizeof(first));
		w.seq[0] -= BYTES; /* what is acknowledged tells nothing new */
		w.seq[1] -= BYTES;
		for (unsigned i = 0; i < SEGMENTS; i++) {
			unsigned side, at, n, lost = 0;

			random = map_mix(random + 1, i);
			side = random & 1;
			at = random >> 8 & 1023;
			n = 1 + (random >> 32) % (BYTES - 1024);
			/* one byte again just before the end is a keep-alive */
			if (at + 1 == top[side])
				continue;
			memset(&came[side][at], 1, n);
			top[side] = top[side] > at + n ? top[side] : at + n;
			segment(&w, side, DECODE_TCP_ACK, first[side] + at, n, 9);
			for (unsigned k = 0; k < top[side]; k++)
				lost += !came[side][k];
			assert_int_equal(lost_now(&w, side), lost);
		}
		world_deinit(&w);
	}
}

/* More gaps than are kept: the oldest stay lost, nothing is counted twice, memory has its bound. */
static void too_many_gaps(void **state)
{
	enum { GAPS = 100 };
	struct world w;
	uint32_t at;

	(void)state;
	world_init(&w);
	play(&w, "c S, s SA, c A");
	at = w.seq[1];
	for (uint32_t i = 1; i <= GAPS; i++)
		segment(&w, 1, DECODE_TCP_ACK, at + 20 * i, 10, 9);
	assert_int_equal(lost_now(&w, 1), 20 + 10 * (GAPS - 1));
	assert_int_equal(w.table.gaps.n, FLOW_GAPS_MAX);
	segment(&w, 1, DECODE_TCP_ACK, at, 20 * GAPS, 9);
	assert_int_equal(lost_now(&w, 1), 20 + 10 * (GAPS - 1) - 10 * (FLOW_GAPS_MAX + 1));
	w.table.gap_capacity = FLOW_GAPS_MAX; /* which the first connection gave back */
	for (unsigned k = 0; k < 3; k++) {
		w.client++;
		for (uint32_t i = 0; i < GAPS; i++)
			segment(&w, 1, DECODE_TCP_ACK, at + 20 * i, 10, 9);
	}
	assert_int_equal(w.table.gaps.n, FLOW_GAPS_MAX);
	world_deinit(&w);
}

static void check_direction(struct world *w, size_t index, uint32_t local_port, const char *by)
{
	struct pv_snapshot *s = rows(w);
	const struct pv_conversation *c = pv_snapshot_get(s, index);

	assert_int_equal(c->local.port, local_port);
	assert_string_equal(pv_direction_by_name(c->direction_by), by);
	assert_int_equal(c->direction, strcmp(by, "none") ? PV_DIR_OUTGOING : PV_DIR_UNKNOWN);
	pv_snapshot_free(s);
	world_deinit(w);
}

static void directions(void **state)
{
	struct world w;

	(void)state;
	/* another connection to the same server was seen from its start */
	world_init(&w);
	w.server_port = 50000;
	play(&w, "c S, s SA, c A");
	w.client_port = 40001;
	play(&w, "s A10, c A10");
	check_direction(&w, 1, 40001, "others");
	/* none was, but several talk to one socket */
	world_init(&w);
	w.server_port = 50000;
	play(&w, "s A10, c A10");
	w.client_port = 40001;
	play(&w, "s A10, c A10");
	check_direction(&w, 0, 40000, "others");
	world_init(&w);
	play(&w, "s A10, c A10");
	check_direction(&w, 0, 40000, "ports");
	world_init(&w);
	w.server_port = 50000;
	play(&w, "s A10, c A10");
	check_direction(&w, 0, 50000, "none");
	world_init(&w);
	w.server_port = 53;
	datagram(&w, 1);
	check_direction(&w, 0, 40000, "ports");
	world_init(&w);
	w.server_port = 50000;
	datagram(&w, 1);
	datagram(&w, 0);
	check_direction(&w, 0, 50000, "first_packet");
}

static void udp_states(void **state)
{
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	w.server_port = 53;
	datagram(&w, 0);
	w.client_port++;
	datagram(&w, 0);
	datagram(&w, 1);
	w.client_port++;
	datagram(&w, 1);
	w.now += 301 * S;
	datagram(&w, 1); /* silence: another one */
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 4);
	assert_int_equal(pv_snapshot_get(s, 0)->flow->conn_state, PV_CONN_S0);
	assert_int_equal(pv_snapshot_get(s, 1)->flow->conn_state, PV_CONN_SF);
	assert_int_equal(pv_snapshot_get(s, 2)->flow->conn_state, PV_CONN_SHR);
	pv_snapshot_free(s);
	world_deinit(&w);
}

static void icmp(struct world *w, unsigned from, uint8_t type, uint16_t id)
{
	struct decoded_layer l = { .proto = PV_PROTO_ICMP, .protocol = IPPROTO_ICMP };
	uint32_t addr[2];

	put_ends(w, from, &l, addr);
	l.src_port = l.dst_port = id;
	l.icmp = (struct decoded_icmp){
		.type = type, .has_id = true, .is_reply = type == 0, .id = id
	};
	assert_int_equal(add_layer(w, &l, 98), 0);
	w->now += MS;
}

/* Each ping is a conversation, opened by who asks, even if only answers were captured. */
static void pings(void **state)
{
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	icmp(&w, 0, 8, 7);
	icmp(&w, 1, 0, 7);
	icmp(&w, 1, 0, 8);
	s = rows(&w);
	assert_int_equal(pv_snapshot_count(s), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);
		uint32_t addr = htonl(CLIENT);

		assert_memory_equal(c->local.addr, &addr, 4);
		assert_string_equal(pv_direction_by_name(c->direction_by), "request");
		assert_int_equal(c->flow->icmp_type, 8);
	}
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* Inside of a tunnel of any kind, with an id or none, is another conversation than outside. */
static void tunnels(void **state)
{
	(void)state;
	for (unsigned i = DECODE_TUNNEL_NONE + 1; i < 2 * DECODE_TUNNEL_N; i++) {
		struct decoded d = { .n_layers = 2 };
		struct flow_ref ref[2];
		uint32_t addr[2];
		struct world w;

		if (i % DECODE_TUNNEL_N == DECODE_TUNNEL_NONE ||
		    i % DECODE_TUNNEL_N == DECODE_TUNNEL_AMSDU)
			continue;
		world_init(&w);
		put_ends(&w, 0, &d.layers[0], addr);
		put_ends(&w, 0, &d.layers[1], addr);
		d.layers[1].tunnel = (uint8_t)(i % DECODE_TUNNEL_N);
		d.layers[1].tunnel_id = i / DECODE_TUNNEL_N;
		for (unsigned k = 0; k < 2; k++)
			assert_true(flow_table_key(&w.table, &d, k, &ref[k]));
		assert_int_equal(ref[0].key.tunnel, 0);
		assert_int_not_equal(ref[1].key.tunnel, 0);
		world_deinit(&w);
	}
}

/* The error came from a router, about what the client had sent. */
static void icmp_errors(void **state)
{
	struct decoded d = { .n_layers = 1 };
	uint32_t client = htonl(CLIENT), server = htonl(SERVER);
	const struct pv_flow *f;
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	w.server_port = 53;
	datagram(&w, 0);
	d.layers[0].icmp = (struct decoded_icmp){ .type = 3, .code = 3 };
	d.quote = (struct decoded_quote){ .family = AF_INET,
					  .proto = PV_PROTO_UDP,
					  .protocol = IPPROTO_UDP,
					  .src = (const uint8_t *)&client,
					  .dst = (const uint8_t *)&server,
					  .src_port = 40000,
					  .dst_port = 53,
					  .has_ports = true };
	flow_table_add_error(&w.table, &d);
	d.quote.dst_port = 54; /* nobody talked to that one */
	flow_table_add_error(&w.table, &d);
	s = rows(&w);
	f = pv_snapshot_get(s, 0)->flow;
	assert_int_equal(f->icmp_errors, 1);
	assert_int_equal(f->icmp_error_type, 3);
	assert_int_equal(f->icmp_error_code, 3);
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* Many conversations: all found again; a full table says so and gives up the longest idle. */
static void eviction(void **state)
{
	const struct flow_table_options o = { .memory = 2U << 20, .seed = 3 };
	size_t n = 0, n_out = 0, first_out = SIZE_MAX;
	uint64_t packets = 0;
	struct world w;
	uint32_t index;

	(void)state;
	world_init(&w);
	flow_table_deinit(&w.table);
	assert_int_equal(flow_table_init(&w.table, &o), 0);
	assert_in_range(w.table.capacity, 4000, 6000);
	for (unsigned round = 0; round < 2; round++) {
		for (w.client = CLIENT; w.client < CLIENT + w.table.capacity; w.client++)
			datagram(&w, round);
		assert_int_equal(w.table.n_live, w.table.capacity);
	}
	for (; n < 1000; n++, w.client++) {
		struct decoded_layer l = { .proto = PV_PROTO_UDP, .protocol = IPPROTO_UDP };
		uint32_t addr[2];
		int r;

		put_ends(&w, 0, &l, addr);
		r = add_layer(&w, &l, 62);
		if (r == FLOW_TABLE_FULL) {
			flow_table_evict(&w.table);
			while ((index = flow_table_take(&w.table)) != FLOW_NONE) {
				const struct flow_entry *e = flow_table_entry(&w.table, index);
				uint32_t addr_of = 0;

				memcpy(&addr_of, e->key.addr[e->half[0].first_sender], 4);
				first_out = ntohl(addr_of) - CLIENT < first_out
						    ? ntohl(addr_of) - CLIENT
						    : first_out;
				packets += e->half[0].packets + e->half[1].packets;
				n_out++;
				flow_table_free_entry(&w.table, index);
			}
			r = add_layer(&w, &l, 62);
		}
		assert_int_equal(r, 0);
		w.now += MS;
	}
	assert_int_equal(first_out, 0);
	assert_in_range(n_out, 1000, w.table.capacity);
	assert_int_equal(n_out, w.table.n_evicted);
	flow_table_finish(&w.table);
	while ((index = flow_table_take(&w.table)) != FLOW_NONE) {
		const struct flow_entry *e = flow_table_entry(&w.table, index);

		packets += e->half[0].packets + e->half[1].packets;
		flow_table_free_entry(&w.table, index);
	}
	assert_int_equal(packets, 2 * w.table.capacity + 1000);
	world_deinit(&w);
}

/* Fills the table with conversations of these times, evicts once, and looks at who had to leave. */
static void check_rank(int64_t (*time_of)(size_t i))
{
	const struct flow_table_options o = { .memory = 2U << 20, .seed = 3 };
	size_t n, wanted, n_out = 0, older = 0;
	int64_t border = INT64_MIN;
	struct world w;
	uint32_t index;

	world_init(&w);
	flow_table_deinit(&w.table);
	assert_int_equal(flow_table_init(&w.table, &o), 0);
	n = w.table.capacity;
	wanted = n / 8;
	for (size_t i = 0; i < n; i++, w.client++) {
		w.now = (uint64_t)time_of(i);
		datagram(&w, 0);
	}
	flow_table_evict(&w.table);
	while ((index = flow_table_take(&w.table)) != FLOW_NONE) {
		int64_t time = flow_entry_last(flow_table_entry(&w.table, index));

		border = time > border ? time : border;
		n_out++;
		flow_table_free_entry(&w.table, index);
	}
	for (size_t i = 0; i < n; i++)
		older += time_of(i) < border;
	/* an eighth; that it are the oldest holds but for a 64th of them */
	assert_int_equal(n_out, wanted);
	assert_in_range(older, 0, wanted + wanted / 64);
	world_deinit(&w);
}

static int64_t one_early(size_t i)
{
	return i ? INT64_MAX : 1;
}

static int64_t one_late(size_t i)
{
	return i ? (int64_t)(1700000000 * S + i * MS) : INT64_MAX;
}

static int64_t all_at_once(size_t i)
{
	(void)i;
	return (int64_t)(1700000000 * S);
}

static int64_t backwards(size_t i)
{
	return INT64_MAX - (int64_t)i;
}

/* Ever closer to each other: however fine a division in equal parts, most are in one. */
static int64_t crowded(size_t i)
{
	return INT64_MAX >> (i % 60);
}

static int64_t at_epoch(size_t i)
{
	return i % 100 ? 0 : (int64_t)(i * S);
}

/* An eighth leaves, the longest idle, whatever one wrong clock or a hostile file says of times. */
static void eviction_by_rank(void **state)
{
	int64_t (*const times[])(size_t) = { one_early, one_late, all_at_once,
					     backwards, crowded,  at_epoch };

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		check_rank(times[i]);
}

/* The slots a conversation needs, counted in: what a live one costs. */
static void cost(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (unsigned i = 0; i < 100000; i++, w.client++) {
		datagram(&w, 0);
		if (i > 5000)
			assert_true(sizeof(struct flow_entry) * w.table.n_live +
					    w.table.n_slots * sizeof(struct flow_slot) <=
				    400 * w.table.n_live);
	}
	world_deinit(&w);
}

static void series(void **state)
{
	const struct flow_table_options o = { .memory = 64U << 20,
					      .seed = 3,
					      .bin_ns = (int64_t)S };
	const struct pv_flow *f;
	struct pv_snapshot *s;
	struct world w;

	(void)state;
	world_init(&w);
	flow_table_deinit(&w.table);
	assert_int_equal(flow_table_init(&w.table, &o), 0);
	w.server_port = 53;
	datagram(&w, 0);
	datagram(&w, 1);
	w.now += 5 * S;
	datagram(&w, 0);
	s = rows(&w);
	f = pv_snapshot_get(s, 0)->flow;
	assert_int_equal(f->n_bins, 2);
	assert_int_equal(f->bins[0].start_ns, 1000 * S);
	assert_int_equal(f->bins[0].out_packets, 1);
	assert_int_equal(f->bins[0].in_bytes, 62);
	assert_int_equal(f->bins[1].start_ns, 1005 * S);
	assert_int_equal(f->bins[1].out_packets, 1);
	assert_int_equal(f->bins[1].in_packets, 0);
	pv_snapshot_free(s);
	world_deinit(&w);
}

/* How far entries lie from where the search for them starts, summed over the table. */
static uint64_t displacement(const struct flow_table *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n_slots; i++)
		if (t->slots[i].entry)
			sum += (i + t->n_slots -
				(size_t)((uint64_t)t->slots[i].hash * t->n_slots >> 32)) %
			       t->n_slots;
	return sum;
}

enum { CRAFTED = 2000, TRIED = 3000000 };

struct tuple {
	uint32_t client;
	uint16_t port;
};

/* Ends whose hashes all lie in one part of a thousand, under the seed of this world. */
static size_t craft(struct world *w, struct tuple *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < TRIED && n < CRAFTED; i++) {
		struct decoded d = { .n_layers = 1 };
		struct flow_ref ref;
		uint32_t addr[2];

		w->client = CLIENT + i / 50000;
		w->client_port = (uint16_t)(1024 + i % 50000);
		d.layers[0] =
			(struct decoded_layer){ .proto = PV_PROTO_TCP, .protocol = IPPROTO_TCP };
		put_ends(w, 0, &d.layers[0], addr);
		assert_true(flow_table_key(&w->table, &d, 0, &ref));
		if (ref.hash < UINT32_MAX / 1000)
			ret[n++] = (struct tuple){ w->client, w->client_port };
	}
	return n;
}

static uint64_t displacement_under(uint64_t seed, const struct tuple *tuples, size_t n)
{
	const struct flow_table_options o = { .memory = 64U << 20, .seed = seed };
	struct world w;
	uint64_t sum;

	world_init(&w);
	flow_table_deinit(&w.table);
	assert_int_equal(flow_table_init(&w.table, &o), 0);
	for (size_t i = 0; i < n; i++) {
		w.client = tuples ? tuples[i].client : CLIENT + (uint32_t)i;
		w.client_port = tuples ? tuples[i].port : 40000;
		w.seq[0] = 1000;
		send_flags(&w, 0, "S", 0);
	}
	sum = displacement(&w.table);
	world_deinit(&w);
	return sum;
}

/* Tuples crafted against one seed crowd its table, and are like any others under another seed. */
static void crafted_collisions(void **state)
{
	struct tuple *tuples = calloc(CRAFTED, sizeof(*tuples));
	struct world w;
	uint64_t known, random, plain;

	(void)state;
	assert_non_null(tuples);
	world_init(&w); /* seed 1 */
	assert_int_equal(craft(&w, tuples), CRAFTED);
	world_deinit(&w);
	known = displacement_under(1, tuples, CRAFTED);
	random = displacement_under(0, tuples, CRAFTED);
	plain = displacement_under(0, NULL, CRAFTED);
	print_message("displacement: seed known %lu, random %lu, plain tuples %lu\n",
		      (unsigned long)known, (unsigned long)random, (unsigned long)plain);
	assert_true(known > 100 * (random + 1));
	assert_true(random <= 2 * plain + CRAFTED / 2);
	free(tuples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conn_states),	  cmocka_unit_test(counts_and_round_trips),
		cmocka_unit_test(losses),	  cmocka_unit_test(several_gaps),
		cmocka_unit_test(gaps_by_chance), cmocka_unit_test(too_many_gaps),
		cmocka_unit_test(directions),	  cmocka_unit_test(udp_states),
		cmocka_unit_test(pings),	  cmocka_unit_test(icmp_errors),
		cmocka_unit_test(eviction),	  cmocka_unit_test(eviction_by_rank),
		cmocka_unit_test(tunnels),	  cmocka_unit_test(cost),
		cmocka_unit_test(series),	  cmocka_unit_test(crafted_collisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
