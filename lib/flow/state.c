/* SPDX-License-Identifier: MIT */
/* Who opened a conversation and how it ended, from what its two sides did. */
#include <errno.h>

#include <portavoz/registry.h>

#include "flow/row.h"

/* Linux picks source ports from here on (ip_local_port_range), IANA's dynamic ones lie above. */
#define EPHEMERAL_FIRST 32768

/* ---- who opened it ---- */

static bool is_undecided(const struct flow_entry *e)
{
	return e->half[0].opener == FLOW_NO_SIDE && (e->key.port[0] || e->key.port[1]) &&
	       e->key.proto <= PV_PROTO_DCCP;
}

static int reserve_socket(struct flow_sockets *s, uint64_t hash)
{
	uint32_t old;

	if (s->counts.n >= s->capacity)
		return 0;
	return map_insert(&s->counts, hash, 0, &old);
}

static int count_socket(struct flow_sockets *s, uint64_t hash)
{
	uint32_t n = map_get(&s->counts, hash);

	return n == MAP_NONE || n == MAP_NONE - 1 ? 0 : map_put(&s->counts, hash, n + 1);
}

int flow_sockets_count(struct flow_sockets *s, const struct flow_table *t)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < 2 * t->n_used; i++) {
		const struct flow_entry *e = flow_table_entry(t, (uint32_t)(i / 2));

		if (e->half[0].entry_flags && is_undecided(e))
			r = reserve_socket(s, flow_table_socket_hash(t, &e->key, i % 2));
	}
	for (size_t i = 0; r >= 0 && s->counts.n && i < 2 * t->n_used; i++) {
		const struct flow_entry *e = flow_table_entry(t, (uint32_t)(i / 2));

		if (e->half[0].entry_flags)
			r = count_socket(s, flow_table_socket_hash(t, &e->key, i % 2));
	}
	return r < 0 ? r : 0;
}

static uint32_t partners(const struct flow_sockets *s, uint64_t hash)
{
	uint32_t n = map_get(&s->counts, hash);

	return n == MAP_NONE ? 0 : n;
}

/* The side that listens, by what others did with the same sockets; or FLOW_NO_SIDE. */
static unsigned listener(const struct flow_table *t, const struct flow_sockets *s,
			 const struct flow_entry *e)
{
	uint64_t hash[2] = { flow_table_socket_hash(t, &e->key, 0),
			     flow_table_socket_hash(t, &e->key, 1) };
	bool is_server[2] = { map_get(&t->servers, hash[0]) != MAP_NONE,
			      map_get(&t->servers, hash[1]) != MAP_NONE };
	uint32_t n[2] = { partners(s, hash[0]), partners(s, hash[1]) };

	if (is_server[0] != is_server[1])
		return is_server[1];
	if (n[0] > 1 && n[1] == 1)
		return 0;
	return n[1] > 1 && n[0] == 1 ? 1 : FLOW_NO_SIDE;
}

static bool is_service(const struct flow_key *key, unsigned side)
{
	uint16_t port = key->port[side];
	const struct pv_service *s =
		pv_service_by_port(port, pv_proto_transport((enum pv_proto)key->proto));

	return port && port < EPHEMERAL_FIRST && (port < 1024 || s);
}

/* A port of a service at one end, one that systems pick at the other. */
static unsigned service_end(const struct flow_key *key)
{
	if (key->port[0] >= EPHEMERAL_FIRST && is_service(key, 1))
		return 1;
	return key->port[1] >= EPHEMERAL_FIRST && is_service(key, 0) ? 0 : FLOW_NO_SIDE;
}

unsigned flow_opener(const struct flow_table *t, const struct flow_sockets *s,
		     const struct flow_entry *e, enum pv_direction_by *ret_by)
{
	unsigned server;

	*ret_by = (enum pv_direction_by)e->opened_by;
	if (e->half[0].opener != FLOW_NO_SIDE)
		return e->half[0].opener;
	if (is_undecided(e)) {
		server = listener(t, s, e);
		*ret_by = PV_BY_OTHERS;
		if (server == FLOW_NO_SIDE) {
			server = service_end(&e->key);
			*ret_by = PV_BY_PORTS;
		}
		if (server != FLOW_NO_SIDE)
			return !server;
		/* datagrams have no opening that could have been missed */
		if (e->key.proto == PV_PROTO_UDP || e->key.proto == PV_PROTO_UDPLITE) {
			*ret_by = PV_BY_FIRST_PACKET;
			return e->half[0].first_sender;
		}
	}
	*ret_by = PV_BY_NONE;
	return FLOW_NO_SIDE;
}

/* ---- how it stands ---- */

struct deeds {
	uint8_t o, r; /* FLOW_DID_* of the initiator and of the responder */
	bool syn, syn_ack;
	bool was_answered; /* captured or not */
};

static struct deeds deeds_of(const struct flow_entry *e, unsigned opener)
{
	struct deeds d = { .o = e->half[opener].state, .r = e->half[!opener].state };

	d.syn = d.o & FLOW_DID_SYN;
	/* both may call each other at once */
	d.syn_ack = d.r & (FLOW_DID_SYN_ACK | FLOW_DID_SYN);
	d.was_answered = d.syn_ack || e->half[opener].notes & FLOW_DID_ACK;
	return d;
}

static enum pv_conn_state reset_state(const struct flow_entry *e, const struct deeds *d,
				      unsigned opener)
{
	if (e->half[0].resetter == opener)
		return d->syn && d->syn_ack ? PV_CONN_RSTO : d->syn ? PV_CONN_RSTOS0 : PV_CONN_OTH;
	if (d->syn)
		return d->was_answered ? PV_CONN_RSTR : PV_CONN_REJ;
	return d->syn_ack ? PV_CONN_RSTRH : PV_CONN_OTH;
}

/*
 * As in Zeek S0 says what was captured: where only the initiator's packets were, its SYN has no
 * answer, whatever it acknowledges. How it ended tells flow_ending().
 */
static enum pv_conn_state tcp_state(const struct flow_entry *e, unsigned opener)
{
	struct deeds d = deeds_of(e, opener);
	bool o_closed = d.o & FLOW_DID_FIN, r_closed = d.r & FLOW_DID_FIN;

	if (e->half[0].resetter != FLOW_NO_SIDE && !(e->half[0].entry_flags & FLOW_ENTRY_CLOSED))
		return reset_state(e, &d, opener);
	if (d.syn && !d.syn_ack)
		return o_closed ? PV_CONN_SH : e->half[!opener].packets ? PV_CONN_OTH : PV_CONN_S0;
	if (!d.syn)
		return d.syn_ack && r_closed ? PV_CONN_SHR : PV_CONN_OTH;
	if (o_closed && r_closed)
		return PV_CONN_SF;
	return o_closed ? PV_CONN_S2 : r_closed ? PV_CONN_S3 : PV_CONN_S1;
}

enum pv_conn_state flow_conn_state(const struct flow_entry *e, unsigned opener)
{
	bool o = e->half[opener].packets, r = e->half[!opener].packets;

	if (e->key.proto == PV_PROTO_TCP)
		return tcp_state(e, opener);
	if (e->key.proto == PV_PROTO_UDP || e->key.proto == PV_PROTO_UDPLITE)
		return o && r ? PV_CONN_SF : o ? PV_CONN_S0 : PV_CONN_SHR;
	return PV_CONN_NONE;
}

enum pv_ending flow_ending(const struct flow_entry *e, unsigned opener)
{
	const struct flow_half *o = &e->half[opener], *r = &e->half[!opener];

	if (e->key.proto != PV_PROTO_TCP)
		return PV_ENDING_NONE;
	if (flow_conn_state(e, opener) == PV_CONN_REJ)
		return PV_ENDING_REFUSED;
	if (e->half[0].resetter != FLOW_NO_SIDE && !(e->half[0].entry_flags & FLOW_ENTRY_CLOSED))
		return e->half[0].resetter == opener ? PV_ENDING_RESET_LOCAL
						     : PV_ENDING_RESET_REMOTE;
	if (o->state & FLOW_DID_FIN && r->state & FLOW_DID_FIN)
		return e->half[0].closer == opener ? PV_ENDING_CLOSED_LOCAL
						   : PV_ENDING_CLOSED_REMOTE;
	if (o->state & FLOW_DID_FIN)
		return PV_ENDING_HALF_LOCAL;
	if (r->state & FLOW_DID_FIN)
		return PV_ENDING_HALF_REMOTE;
	if (o->state & FLOW_DID_SYN && !r->packets && !(o->notes & FLOW_DID_ACK))
		return PV_ENDING_UNANSWERED;
	return PV_ENDING_OPEN;
}
