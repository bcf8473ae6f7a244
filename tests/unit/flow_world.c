/* SPDX-License-Identifier: MIT */
/* See flow_world.h. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flow_world.h"

void world_init(struct world *w)
{
	const struct flow_table_options o = { .memory = 64U << 20, .seed = 1 };

	*w = (struct world){ .now = 1000 * S,
			     .client_port = 40000,
			     .server_port = 80,
			     .client = CLIENT,
			     .server = SERVER,
			     .seq = { 1000, 4294967000U } };
	assert_int_equal(flow_table_init(&w->table, &o), 0);
	w->sockets.capacity = 1000;
}

void world_deinit(struct world *w)
{
	flow_table_deinit(&w->table);
	map_deinit(&w->sockets.counts);
}

int add_layer(struct world *w, const struct decoded_layer *l, uint32_t wire)
{
	struct packet p = { .time_ns = w->now, .wire = wire, .captured = wire };
	struct decoded d = { .n_layers = 1 };
	struct flow_ref ref;
	uint32_t entry;

	d.layers[0] = *l;
	assert_true(flow_table_key(&w->table, &d, 0, &ref));
	flow_table_find(&w->table, &ref);
	return flow_table_add(&w->table, &ref, &p, l, &entry);
}

void put_ends(struct world *w, unsigned from, struct decoded_layer *l, uint32_t addr[2])
{
	addr[0] = htonl(from ? w->server : w->client);
	addr[1] = htonl(from ? w->client : w->server);
	l->family = AF_INET;
	l->src = (const uint8_t *)&addr[0];
	l->dst = (const uint8_t *)&addr[1];
	l->src_port = from ? w->server_port : w->client_port;
	l->dst_port = from ? w->client_port : w->server_port;
}

void segment(struct world *w, unsigned from, uint16_t flags, uint32_t seq, uint32_t payload,
	     uint16_t window)
{
	struct decoded_layer l = { .proto = PV_PROTO_TCP, .protocol = IPPROTO_TCP };
	uint32_t addr[2];

	put_ends(w, from, &l, addr);
	l.payload_wire = payload;
	l.tcp = (struct decoded_tcp){
		.seq = seq, .ack = w->seq[!from], .flags = flags, .window = window
	};
	assert_int_equal(add_layer(w, &l, 54 + payload), 0);
	w->now += MS;
}

void send_flags(struct world *w, unsigned from, const char *flags, uint32_t n)
{
	uint16_t bits = 0;

	for (; *flags; flags++)
		bits |= *flags == 'S'	? DECODE_TCP_SYN
			: *flags == 'A' ? DECODE_TCP_ACK
			: *flags == 'F' ? DECODE_TCP_FIN
					: DECODE_TCP_RST;
	segment(w, from, bits, w->seq[from], n, 1000);
	w->seq[from] += n + (bits & DECODE_TCP_SYN ? 1 : 0) + (bits & DECODE_TCP_FIN ? 1 : 0);
}

void play(struct world *w, const char *script)
{
	while (*script) {
		char who, flags[8];
		unsigned n = 0;
		int used = 0, more = 0;

		assert_int_equal(sscanf(script, " %c %7[SAFR]%n", &who, flags, &used), 2);
		script += used;
		if (sscanf(script, "%u%n", &n, &more) == 1)
			script += more;
		send_flags(w, who == 's', flags, n);
		script += strspn(script, ", ");
	}
}

struct pv_snapshot *rows(struct world *w)
{
	struct pv_snapshot *s = snapshot_new();
	struct flow_owners owners = { 0 };
	uint32_t index;

	assert_non_null(s);
	assert_int_equal(flow_sockets_count(&w->sockets, &w->table), 0);
	flow_table_finish(&w->table);
	while ((index = flow_table_take(&w->table)) != FLOW_NONE) {
		assert_int_equal(flow_row_add(s, &w->table, &w->sockets,
					      flow_table_entry(&w->table, index), &owners, NULL),
				 0);
		flow_table_free_entry(&w->table, index);
	}
	snapshot_seal(s);
	return s;
}

void datagram(struct world *w, unsigned from)
{
	struct decoded_layer l = { .proto = PV_PROTO_UDP,
				   .protocol = IPPROTO_UDP,
				   .payload_wire = 20 };
	uint32_t addr[2];

	put_ends(w, from, &l, addr);
	assert_int_equal(add_layer(w, &l, 62), 0);
	w->now += MS;
}
