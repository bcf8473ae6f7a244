/* SPDX-License-Identifier: MIT */
/* The table: identity, hash, entries, eviction. */
#define XXH_INLINE_ALL

#include "flow/table.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <xxhash.h>

#include "base/pages.h"
#include "flow/gaps.h"
#include "flow/payload.h"

#define SLOTS_MIN 4096
#define CHUNK_SIZE (FLOW_CHUNK * sizeof(struct flow_entry))
#define SECOND_NS INT64_C(1000000000)
#define EVICT_SHARE 8 /* of all leave at a time */
#define EVICT_BUCKETS 4096
#define EVICT_EXACT 64	 /* of those the share that may be newer than one that stays */
#define OBSERVED_SHARE 8 /* of the memory: details of observed protocols */

/* ---- set up ---- */

/* Not keyed by chance: a test wants the same table again. */
static void fill_secret(uint8_t *secret, uint64_t seed)
{
	for (size_t i = 0; i < FLOW_SECRET_SIZE; i += sizeof(seed)) {
		uint64_t word;

		seed += UINT64_C(0x9e3779b97f4a7c15);
		word = map_mix(map_mix(seed, i), seed);
		memcpy(secret + i, &word, sizeof(word));
	}
}

static int alloc_slots(struct flow_table *t, size_t n)
{
	t->slots = pages_alloc(n * sizeof(*t->slots));
	t->n_slots = t->slots ? n : 0;
	return t->slots ? 0 : -ENOMEM;
}

int flow_table_init(struct flow_table *t, const struct flow_table_options *o)
{
	/* a slot is 8 bytes, and at worst half of them are free */
	size_t each = sizeof(struct flow_entry) + 2 * sizeof(struct flow_slot) + o->row_size;

	*t = (struct flow_table){ .free = FLOW_NONE,
				  .finished = FLOW_NONE,
				  .finished_tail = FLOW_NONE,
				  .free_bin = FLOW_NONE,
				  .free_gap = FLOW_NONE,
				  .bin_ns = o->bin_ns,
				  .observe = o->observe };
	t->detail_capacity = o->memory / OBSERVED_SHARE;
	t->bin_capacity = o->bin_ns ? o->memory / 2 / sizeof(struct flow_bin) : 0;
	t->capacity = (o->bin_ns ? o->memory / 2 : o->memory) / each;
	if (o->observe)
		t->capacity -= t->capacity / OBSERVED_SHARE;
	if (t->capacity < 64)
		t->capacity = 64;
	if (t->capacity > FLOW_NONE - 1)
		t->capacity = FLOW_NONE - 1;
	if (t->bin_capacity < 1024)
		t->bin_capacity = 1024;
	t->server_capacity = t->capacity / 8 + 64;
	/* few connections miss bytes at several places at once: a third of a byte each */
	t->gap_capacity = t->capacity / 64 + 64;
	if (o->seed)
		fill_secret(t->secret, o->seed);
	else if (getrandom(t->secret, sizeof(t->secret), 0) != sizeof(t->secret))
		return -EIO;
	return alloc_slots(t, SLOTS_MIN);
}

void flow_table_deinit(struct flow_table *t)
{
	for (size_t i = 0; t->observe && i < t->n_used; i++)
		observe_state_release(t->observe, &flow_table_entry(t, (uint32_t)i)->observe);
	for (size_t i = 0; i < t->chunks.n; i++)
		pages_free(t->chunks.items[i], CHUNK_SIZE);
	vec_deinit(&t->chunks);
	vec_deinit(&t->bins);
	vec_deinit(&t->gaps);
	map_deinit(&t->servers);
	pages_free(t->slots, t->n_slots * sizeof(*t->slots));
	t->slots = NULL;
	t->n_slots = t->n_live = t->n_used = 0;
}

/* ---- identity ---- */

/* Ids that each direction chooses for itself tell nothing of the conversation. */
static bool is_id_of_both(uint8_t tunnel)
{
	return tunnel != DECODE_TUNNEL_GTPU && tunnel != DECODE_TUNNEL_MPLS;
}

/* Of the hosts at both ends of a tunnel, whichever sent. */
static uint64_t hash_tunnel_ends(const struct flow_table *t, const struct decoded_layer *outer)
{
	size_t n = outer->family == AF_INET ? 4 : outer->family == AF_INET6 ? 16 : 0;

	return n ? XXH3_64bits_withSecret(outer->src, n, t->secret, sizeof(t->secret)) +
			       XXH3_64bits_withSecret(outer->dst, n, t->secret, sizeof(t->secret))
		 : 0;
}

static uint32_t tunnel_tag(const struct flow_table *t, const struct decoded *d, unsigned i)
{
	uint64_t tag = 0;
	bool is_inner = false;

	for (unsigned k = 1; k <= i; k++) {
		const struct decoded_layer *l = &d->layers[k];

		if (l->tunnel == DECODE_TUNNEL_NONE || l->tunnel == DECODE_TUNNEL_AMSDU)
			continue;
		is_inner = true;
		/* mixing maps equal halves to 0: kinds are numbers no tag begins with */
		tag = map_mix(tag, UINT64_C(1) << 63 | l->tunnel);
		tag = map_mix(tag, hash_tunnel_ends(t, l - 1));
		if (is_id_of_both(l->tunnel))
			tag = map_mix(tag, l->tunnel_id);
	}
	return is_inner ? (uint32_t)tag | 1 : 0;
}

/* A request and its reply are of one kind: the type of the request. */
static uint8_t icmp_kind(const struct decoded_layer *l)
{
	static const uint8_t v4[][2] = { { 0, 8 },   { 14, 13 }, { 16, 15 },
					 { 18, 17 }, { 9, 10 },	 { 43, 42 } };
	static const uint8_t v6[][2] = { { 129, 128 }, { 134, 133 }, { 136, 135 },
					 { 140, 139 }, { 145, 144 }, { 161, 160 } };
	const uint8_t(*pairs)[2] = l->proto == PV_PROTO_ICMP ? v4 : v6;

	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++)
		if (l->icmp.type == pairs[i][0])
			return pairs[i][1];
	return l->icmp.type;
}

static uint64_t hash_key(const struct flow_table *t, const struct flow_key *key)
{
	return XXH3_64bits_withSecret(key, sizeof(*key), t->secret, sizeof(t->secret));
}

uint64_t flow_table_socket_hash(const struct flow_table *t, const struct flow_key *key,
				unsigned side)
{
	uint8_t socket[24] = { 0 };

	memcpy(socket, key->addr[side], 16);
	memcpy(socket + 16, &key->port[side], sizeof(key->port[side]));
	socket[18] = key->proto;
	socket[19] = key->family;
	memcpy(socket + 20, &key->tunnel, sizeof(key->tunnel));
	return XXH3_64bits_withSecret(socket, sizeof(socket), t->secret, sizeof(t->secret));
}

static void set_ends(struct flow_ref *ret, const uint8_t *src, const uint8_t *dst, size_t n,
		     uint16_t src_port, uint16_t dst_port)
{
	int order = memcmp(src, dst, n);
	unsigned s = order > 0 || (order == 0 && src_port > dst_port);

	ret->side = (uint8_t)s;
	memcpy(ret->key.addr[s], src, n);
	memcpy(ret->key.addr[!s], dst, n);
	ret->key.port[s] = src_port;
	ret->key.port[!s] = dst_port;
}

/* Two hosts that call themselves alike are two, else nobody would learn of them. */
static void set_asker(struct flow_key *key, const struct decoded_arp *arp)
{
	const uint8_t *asker = arp->operation == 2 ? arp->tha : arp->sha;

	if (asker)
		memcpy(key->addr[0] + FLOW_ARP_MAC, asker, 6);
}

static uint16_t vlan_of(const struct decoded_link *link, unsigned i)
{
	return link->n_vlans > i ? link->vlan[i] : FLOW_NO_VLAN;
}

bool flow_table_key(const struct flow_table *t, const struct decoded *d, unsigned i,
		    struct flow_ref *ret)
{
	const struct decoded_layer *l = &d->layers[i];

	memset(&ret->key, 0, sizeof(ret->key));
	if (l->family == AF_INET || l->family == AF_INET6)
		set_ends(ret, l->src, l->dst, l->family == AF_INET ? 4 : 16, l->src_port,
			 l->dst_port);
	else if (l->link.src && l->link.dst)
		set_ends(ret, l->link.src, l->link.dst, 6, l->protocol, l->protocol);
	else
		return false;
	ret->key.family = l->family ? l->family : AF_PACKET;
	ret->key.proto = l->proto;
	ret->key.protocol = l->family ? (uint8_t)l->protocol : 0;
	if (l->proto == PV_PROTO_ICMP || l->proto == PV_PROTO_ICMP6)
		ret->key.kind = icmp_kind(l);
	if (l->proto == PV_PROTO_ARP)
		set_asker(&ret->key, &l->arp);
	ret->key.vlan[0] = vlan_of(&l->link, 0);
	ret->key.vlan[1] = vlan_of(&l->link, 1);
	ret->key.tunnel = i ? tunnel_tag(t, d, i) : 0;
	ret->place = (uint16_t)(d->place ? 1 + (d->place - 1) % FLOW_PLACES : 0);
	ret->hash = (uint32_t)(hash_key(t, &ret->key) >> 32);
	__builtin_prefetch(&t->slots[(uint64_t)ret->hash * t->n_slots >> 32]);
	return true;
}

/* ---- hash ---- */

static inline size_t home_of(const struct flow_table *t, uint32_t hash)
{
	return (uint64_t)hash * t->n_slots >> 32;
}

static inline size_t next_slot(const struct flow_table *t, size_t i)
{
	return i + 1 == t->n_slots ? 0 : i + 1;
}

void flow_table_find(const struct flow_table *t, struct flow_ref *ref)
{
	size_t i = home_of(t, ref->hash);
	const struct flow_entry *e;

	/* slots hold the index plus 1, so that zeroed memory is free */
	while (t->slots[i].entry && t->slots[i].hash != ref->hash)
		i = next_slot(t, i);
	ref->entry = t->slots[i].entry - 1;
	if (ref->entry == FLOW_NONE)
		return;
	e = flow_table_entry(t, ref->entry);
	__builtin_prefetch(&e->key, 1);
	__builtin_prefetch(&e->half[0], 1);
	__builtin_prefetch(&e->half[1], 1);
	/* round trips, and what happens first: not each packet, but most of short conversations */
	__builtin_prefetch(&e->cold[ref->side], 1);
	__builtin_prefetch(&e->mac, 1);
}

static uint32_t look_up(const struct flow_table *t, const struct flow_key *key, uint32_t hash,
			size_t *ret_slot)
{
	size_t i = home_of(t, hash);

	for (; t->slots[i].entry; i = next_slot(t, i)) {
		uint32_t index = t->slots[i].entry - 1;

		if (t->slots[i].hash == hash &&
		    !memcmp(&flow_table_entry(t, index)->key, key, sizeof(*key))) {
			*ret_slot = i;
			return index;
		}
	}
	*ret_slot = i;
	return FLOW_NONE;
}

static void put_slot(struct flow_table *t, uint32_t hash, uint32_t entry)
{
	size_t i = home_of(t, hash);

	while (t->slots[i].entry)
		i = next_slot(t, i);
	t->slots[i] = (struct flow_slot){ hash, entry };
}

/* Grows by half, so that at worst 15 bytes of slots belong to a conversation. */
static int grow_slots(struct flow_table *t)
{
	struct flow_slot *old = t->slots;
	size_t n = t->n_slots;

	if (alloc_slots(t, n + n / 2) < 0) {
		t->slots = old;
		t->n_slots = n;
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		if (old[i].entry)
			put_slot(t, old[i].hash, old[i].entry);
	pages_free(old, n * sizeof(*old));
	return 0;
}

/* Closes the hole that a removed slot would leave in the runs of others. */
static void remove_slot(struct flow_table *t, size_t hole)
{
	for (size_t i = next_slot(t, hole); t->slots[i].entry; i = next_slot(t, i)) {
		size_t home = home_of(t, t->slots[i].hash);
		bool stays = hole <= i ? home > hole && home <= i : home > hole || home <= i;

		if (stays)
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole].entry = 0;
}

/* ---- entries ---- */

static bool has_room(const struct flow_table *t)
{
	if (t->observe && observe_details(t->observe) > t->detail_capacity)
		return false;
	return t->free != FLOW_NONE || t->n_used < t->capacity;
}

static int alloc_entry(struct flow_table *t, uint32_t *ret)
{
	if (t->free != FLOW_NONE) {
		*ret = t->free;
		t->free = flow_table_entry(t, t->free)->next;
		return 0;
	}
	if (t->n_used == t->chunks.n * FLOW_CHUNK) {
		void *chunk = pages_alloc(CHUNK_SIZE);

		if (!chunk)
			return -ENOMEM;
		if (vec_push(&t->chunks, chunk) < 0) {
			pages_free(chunk, CHUNK_SIZE);
			return -ENOMEM;
		}
	}
	*ret = (uint32_t)t->n_used++;
	return 0;
}

static void append_finished(struct flow_table *t, uint32_t index)
{
	struct flow_entry *e = flow_table_entry(t, index);

	e->half[0].entry_flags =
		(uint8_t)((e->half[0].entry_flags & ~FLOW_ENTRY_LIVE) | FLOW_ENTRY_FINISHED);
	e->next = FLOW_NONE;
	if (t->finished == FLOW_NONE)
		t->finished = index;
	else
		flow_table_entry(t, t->finished_tail)->next = index;
	t->finished_tail = index;
	t->n_finished++;
	t->n_live--;
}

static void free_bins(struct flow_table *t, struct flow_entry *e)
{
	uint32_t first;

	if (e->last_bin == FLOW_NONE)
		return;
	first = t->bins.items[e->last_bin].next;
	t->bins.items[e->last_bin].next = t->free_bin;
	t->free_bin = first;
}

void flow_table_free_entry(struct flow_table *t, uint32_t index)
{
	struct flow_entry *e = flow_table_entry(t, index);

	free_bins(t, e);
	flow_gaps_free(t, e);
	if (t->observe)
		observe_state_release(t->observe, &e->observe);
	memset(e, 0, sizeof(*e));
	e->next = t->free;
	t->free = index;
}

static int new_bin(struct flow_table *t, uint32_t *ret)
{
	if (t->free_bin != FLOW_NONE) {
		*ret = t->free_bin;
		t->free_bin = t->bins.items[*ret].next;
		return 0;
	}
	*ret = (uint32_t)t->bins.n;
	return vec_push(&t->bins, (struct flow_bin){ 0 });
}

/* Packets that come late by their time are counted in the newest stretch. */
static int add_to_bin(struct flow_table *t, struct flow_entry *e, unsigned side, int64_t start,
		      uint64_t packets, uint64_t bytes)
{
	struct flow_bin *b = e->last_bin == FLOW_NONE ? NULL : &t->bins.items[e->last_bin];
	uint32_t index;
	int r;

	if (!b || start > b->start) {
		r = new_bin(t, &index);
		if (r < 0)
			return r;
		t->bins.items[index] = (struct flow_bin){ .start = start, .next = index };
		if (e->last_bin != FLOW_NONE) {
			t->bins.items[index].next = t->bins.items[e->last_bin].next;
			t->bins.items[e->last_bin].next = index;
		}
		e->last_bin = index;
		b = &t->bins.items[index];
	}
	b->packets[side] += packets;
	b->bytes[side] += bytes;
	return 0;
}

/* Without memory the stretches of a SYN that began nothing are forgotten. */
static void take_bins(struct flow_table *t, struct flow_entry *e, const struct flow_entry *from,
		      unsigned side)
{
	uint32_t at = from->last_bin;

	if (at == FLOW_NONE)
		return;
	do {
		struct flow_bin b;

		at = t->bins.items[at].next;
		b = t->bins.items[at];
		if (add_to_bin(t, e, side, b.start, b.packets[side], b.bytes[side]) < 0)
			return;
	} while (at != from->last_bin);
}

/* The SYN that waited began nothing: it is one more packet of the connection. */
static void drop_waiting(struct flow_table *t, struct flow_entry *e)
{
	const struct flow_entry *w = flow_table_entry(t, e->next);
	unsigned side = w->half[0].first_sender;
	const struct flow_half *from = &w->half[side];
	struct flow_half *h = &e->half[side];
	struct flow_cold *c = &e->cold[side];

	if (!h->packets || w->cold[side].first < c->first)
		c->first = w->cold[side].first;
	if (from->last > h->last)
		h->last = from->last;
	h->packets += from->packets;
	h->bytes += from->bytes;
	h->payload += from->payload;
	h->tcp_flags |= from->tcp_flags;
	h->notes |= from->notes & FLOW_HAS_TIME;
	take_bins(t, e, w, side);
	flow_table_free_entry(t, e->next);
	e->next = FLOW_NONE;
	e->half[0].entry_flags &= (uint8_t)~FLOW_ENTRY_WAITING;
}

static void finish_entry(struct flow_table *t, uint32_t index)
{
	struct flow_entry *e = flow_table_entry(t, index);
	uint32_t hash = (uint32_t)(hash_key(t, &e->key) >> 32);
	size_t slot;

	if (e->half[0].entry_flags & FLOW_ENTRY_WAITING)
		drop_waiting(t, e);
	if (look_up(t, &e->key, hash, &slot) == index)
		remove_slot(t, slot);
	append_finished(t, index);
}

uint32_t flow_table_take(struct flow_table *t)
{
	uint32_t index = t->finished;

	if (index == FLOW_NONE)
		return FLOW_NONE;
	t->finished = flow_table_entry(t, index)->next;
	t->n_finished--;
	return index;
}

/* One that is not in the hash. */
static int make_entry(struct flow_table *t, const struct flow_ref *ref,
		      const struct decoded_layer *l, uint8_t flags, uint32_t *ret)
{
	struct flow_entry *e;
	int r = alloc_entry(t, ret);

	if (r < 0)
		return r;
	e = flow_table_entry(t, *ret);
	e->key = ref->key;
	e->half[0].entry_flags = flags;
	e->half[0].first_sender = ref->side & 1;
	e->half[0].opener = e->half[0].closer = e->half[0].resetter = FLOW_NO_SIDE;
	e->last_bin = e->gaps = e->next = FLOW_NONE;
	e->tunnel = l->tunnel == DECODE_TUNNEL_AMSDU ? DECODE_TUNNEL_NONE : l->tunnel;
	if (e->tunnel && l->tunnel_id) {
		e->half[0].entry_flags |= FLOW_ENTRY_HAS_TUNNEL_ID;
		e->tunnel_id = l->tunnel_id;
	}
	if (l->proto == PV_PROTO_ICMP || l->proto == PV_PROTO_ICMP6) {
		e->icmp_type = l->icmp.type;
		e->icmp_code = l->icmp.code;
	}
	if (l->link.src && l->link.dst) {
		e->half[0].entry_flags |= FLOW_ENTRY_HAS_MAC;
		memcpy(e->mac[ref->side], l->link.src, 6);
		memcpy(e->mac[!ref->side], l->link.dst, 6);
	}
	return 0;
}

static int new_entry(struct flow_table *t, const struct flow_ref *ref,
		     const struct decoded_layer *l, uint32_t *ret)
{
	int r = 0;

	if ((t->n_live + 1) * 5 > t->n_slots * 4)
		r = grow_slots(t);
	if (r == 0)
		r = make_entry(t, ref, l, FLOW_ENTRY_LIVE, ret);
	if (r < 0)
		return r;
	put_slot(t, ref->hash, *ret + 1);
	t->n_live++;
	return 0;
}

/* ---- adding ---- */

static enum flow_verdict judge(const struct flow_entry *e, unsigned side, int64_t time,
			       const struct decoded_layer *l)
{
	bool has_end = e->key.proto == PV_PROTO_SCTP || e->key.proto == PV_PROTO_DCCP;
	int64_t silence = has_end ? FLOW_SILENCE_TCP_S : FLOW_SILENCE_UDP_S;

	if (e->key.proto == PV_PROTO_TCP)
		return flow_tcp_judge(e, side, time, l);
	return time - flow_entry_last(e) > silence * SECOND_NS ? FLOW_NEW : FLOW_SAME;
}

static void open_by(struct flow_entry *e, unsigned opener, enum pv_direction_by by)
{
	if (e->half[0].opener != FLOW_NO_SIDE)
		return;
	e->half[0].opener = opener & 1;
	e->opened_by = (uint8_t)by;
}

static void find_opener(struct flow_entry *e, unsigned side, const struct decoded_layer *l)
{
	switch (l->proto) {
	case PV_PROTO_SCTP:
		if (l->sctp.chunk == 1 || l->sctp.chunk == 2) /* INIT, INIT ACK */
			open_by(e, l->sctp.chunk == 1 ? side : !side, PV_BY_HANDSHAKE);
		break;
	case PV_PROTO_DCCP:
		if (l->dccp.type == 0 || l->dccp.type == 1) /* Request, Response */
			open_by(e, l->dccp.type == 0 ? side : !side, PV_BY_HANDSHAKE);
		break;
	case PV_PROTO_ICMP:
	case PV_PROTO_ICMP6:
		if (l->icmp.has_id || l->icmp.type != icmp_kind(l))
			open_by(e, l->icmp.type == icmp_kind(l) ? side : !side, PV_BY_REQUEST);
		break;
	case PV_PROTO_ARP:
		if (l->arp.operation == 1 || l->arp.operation == 2)
			open_by(e, l->arp.operation == 1 ? side : !side, PV_BY_REQUEST);
		break;
	default:
		break;
	}
}

static bool has_bin_room(const struct flow_table *t)
{
	return !t->bin_ns || t->free_bin != FLOW_NONE || t->bins.n < t->bin_capacity;
}

static int count_bin(struct flow_table *t, struct flow_entry *e, unsigned side, int64_t time,
		     uint32_t bytes)
{
	return add_to_bin(t, e, side, time - time % t->bin_ns, 1, bytes);
}

static void count(struct flow_entry *e, unsigned side, int64_t time, const struct packet *p,
		  const struct decoded_layer *l)
{
	struct flow_half *h = &e->half[side];

	if (!h->packets) {
		e->cold[side].first = time;
		/* the first packet may have gone to a group */
		if (e->half[0].entry_flags & FLOW_ENTRY_HAS_MAC && l->link.src)
			memcpy(e->mac[side], l->link.src, 6);
	}
	if (!(p->flags & PACKET_UNTIMED))
		h->notes |= FLOW_HAS_TIME;
	h->packets += 1 + l->held_packets;
	h->bytes += p->wire + l->held_bytes;
	h->payload += l->payload_wire + l->held_payload;
	if (time > h->last)
		h->last = time;
	else if (time < e->cold[side].first)
		e->cold[side].first = time;
	if (l->flags & DECODE_OVERLAP)
		e->half[0].entry_flags |= FLOW_ENTRY_OVERLAP;
}

#define UNSOUND (DECODE_TRUNCATED | DECODE_BAD_LENGTH | DECODE_BAD_HEADER | DECODE_LATER_FRAGMENT)

/* Else it is the first one of its side, or its side is counted where it was seen from now on. */
static bool is_again(struct flow_table *t, struct flow_entry *e, const struct flow_ref *ref,
		     int64_t time, const struct decoded_layer *l)
{
	const struct flow_half *h = &e->half[ref->side];
	int64_t silence = time - h->last;
	unsigned place;

	t->has_places |= ref->place != 0;
	if (!t->has_places)
		return false;
	place = ref->side ? e->place1 : e->place0;
	if (place == ref->place)
		return false;
	if (h->packets && silence <= FLOW_MOVES_AFTER_S * SECOND_NS &&
	    silence >= -FLOW_MOVES_AFTER_S * SECOND_NS &&
	    (l->proto != PV_PROTO_TCP || l->flags & UNSOUND ||
	     !flow_tcp_is_unseen(e, ref->side, l)))
		return true;
	if (ref->side)
		e->place1 = ref->place & 0xfff;
	else
		e->place0 = ref->place & 0xfff;
	return false;
}

/* The SYN that waited is the connection now, in the place of the one before. */
static void begin_waiting(struct flow_table *t, const struct flow_ref *ref, uint32_t *index)
{
	struct flow_entry *e = flow_table_entry(t, *index);
	uint32_t waiting = e->next;
	size_t slot;

	look_up(t, &ref->key, ref->hash, &slot);
	t->slots[slot].entry = waiting + 1;
	e->half[0].entry_flags &= (uint8_t)~FLOW_ENTRY_WAITING;
	append_finished(t, *index);
	e = flow_table_entry(t, waiting);
	e->half[0].entry_flags ^= FLOW_ENTRY_WAITING | FLOW_ENTRY_LIVE;
	t->n_live++;
	*index = waiting;
}

static int new_waiting(struct flow_table *t, const struct flow_ref *ref,
		       const struct decoded_layer *l, uint32_t *index)
{
	struct flow_entry *e = flow_table_entry(t, *index);
	int r;

	if (e->half[0].entry_flags & FLOW_ENTRY_WAITING)
		drop_waiting(t, e);
	r = make_entry(t, ref, l, FLOW_ENTRY_WAITING, index);
	if (r < 0)
		return r;
	e->next = *index;
	e->half[0].entry_flags |= FLOW_ENTRY_WAITING;
	return 0;
}

/* From the live entry of the key, or FLOW_NONE, to the one the packet belongs to, made if needed.
 */
static int choose_entry(struct flow_table *t, const struct flow_ref *ref, int64_t time,
			const struct decoded_layer *l, uint32_t *index)
{
	struct flow_entry *e = *index != FLOW_NONE ? flow_table_entry(t, *index) : NULL;
	enum flow_verdict v = FLOW_SAME;

	if (e && e->half[0].entry_flags & FLOW_ENTRY_WAITING) {
		v = flow_tcp_judge_waiting(e, flow_table_entry(t, e->next), ref->side, l);
		if (v == FLOW_NEW)
			begin_waiting(t, ref, index);
		else if (v == FLOW_WAIT)
			*index = e->next;
		if (v != FLOW_SAME)
			return 0;
	}
	v = e ? judge(e, ref->side, time, l) : FLOW_NEW;
	if (v == FLOW_SAME)
		return 0;
	if (!has_room(t))
		return FLOW_TABLE_FULL;
	if (v == FLOW_WAIT)
		return new_waiting(t, ref, l, index);
	if (e)
		finish_entry(t, *index);
	return new_entry(t, ref, l, index);
}

int flow_table_add(struct flow_table *t, const struct flow_ref *ref, const struct packet *p,
		   const struct decoded_layer *l, uint32_t *ret_entry)
{
	int64_t time = (int64_t)p->time_ns;
	uint32_t index = ref->entry;
	struct flow_entry *e;
	size_t slot;
	int r;

	if (index == FLOW_NONE ||
	    !(flow_table_entry(t, index)->half[0].entry_flags & FLOW_ENTRY_LIVE) ||
	    memcmp(&flow_table_entry(t, index)->key, &ref->key, sizeof(ref->key)) != 0)
		index = look_up(t, &ref->key, ref->hash, &slot);
	if (!has_bin_room(t))
		return FLOW_TABLE_FULL;
	r = choose_entry(t, ref, time, l, &index);
	if (r != 0)
		return r;
	e = flow_table_entry(t, index);
	if (is_again(t, e, ref, time, l)) {
		*ret_entry = index;
		return FLOW_TABLE_AGAIN;
	}
	count(e, ref->side, time, p, l);
	if (t->bin_ns)
		r = count_bin(t, e, ref->side, time, p->wire);
	if (l->proto == PV_PROTO_TCP && !(l->flags & UNSOUND))
		flow_tcp_add(t, e, ref->side, time, l);
	else if (l->proto != PV_PROTO_UDP && !(l->flags & UNSOUND))
		find_opener(e, ref->side, l);
	if (r == 0 && flow_payload_wanted(t, e, ref->side, l))
		r = flow_payload_add(t, e, ref->side, p, l);
	*ret_entry = index;
	return r;
}

/* The quoted packet went to the one who had something against it: either order is the same key. */
void flow_table_add_error(struct flow_table *t, const struct decoded *d)
{
	const struct decoded_quote *q = &d->quote;
	const struct decoded_layer *error = &d->layers[q->layer];
	struct flow_ref ref;
	struct flow_entry *e;
	uint32_t index;
	size_t slot;

	if ((q->family != AF_INET && q->family != AF_INET6) || q->layer >= d->n_layers)
		return;
	memset(&ref.key, 0, sizeof(ref.key));
	set_ends(&ref, q->src, q->dst, q->family == AF_INET ? 4 : 16, q->src_port, q->dst_port);
	ref.key.family = q->family;
	ref.key.proto = q->proto;
	ref.key.protocol = (uint8_t)q->protocol;
	ref.key.kind = q->proto == PV_PROTO_ICMP    ? 8
		       : q->proto == PV_PROTO_ICMP6 ? 128
						    : 0; /* only echoes have an id to quote */
	ref.key.vlan[0] = vlan_of(&error->link, 0);
	ref.key.vlan[1] = vlan_of(&error->link, 1);
	ref.key.tunnel = q->layer ? tunnel_tag(t, d, q->layer) : 0;
	index = look_up(t, &ref.key, (uint32_t)(hash_key(t, &ref.key) >> 32), &slot);
	if (index == FLOW_NONE)
		return;
	e = flow_table_entry(t, index);
	e->icmp_errors++;
	e->error_type = error->icmp.type;
	e->error_code = error->icmp.code;
}

/* ---- leaving ---- */

static bool is_live(const struct flow_entry *e)
{
	return e->half[0].entry_flags & FLOW_ENTRY_LIVE;
}

/* The longest idle: those last active before `from`, and `n` of those up to `to`. */
struct idle {
	int64_t from, to;
	size_t n;
};

/* How far a time lies behind another, whatever the two are. */
static uint64_t behind(int64_t time, int64_t first)
{
	return (uint64_t)time - (uint64_t)first;
}

static void set_range(const struct flow_table *t, struct idle *ret)
{
	ret->from = INT64_MAX;
	ret->to = INT64_MIN;
	for (size_t i = 0; i < t->n_used; i++) {
		const struct flow_entry *e = flow_table_entry(t, (uint32_t)i);
		int64_t time = flow_entry_last(e);

		if (!is_live(e))
			continue;
		ret->from = time < ret->from ? time : ret->from;
		ret->to = time > ret->to ? time : ret->to;
	}
}

static void count_times(const struct flow_table *t, const struct idle *in, unsigned shift,
			size_t counts[static EVICT_BUCKETS])
{
	memset(counts, 0, EVICT_BUCKETS * sizeof(*counts));
	for (size_t i = 0; i < t->n_used; i++) {
		const struct flow_entry *e = flow_table_entry(t, (uint32_t)i);
		int64_t time = flow_entry_last(e);

		if (is_live(e) && time >= in->from && time <= in->to)
			counts[behind(time, in->from) >> shift]++;
	}
}

/*
 * Finds the n longest idle of at least n live ones. The range of times is cut into buckets, then
 * the bucket in which the border lies, until few are in it: one wrong clock takes one more round,
 * the worst of files six.
 */
static void find_idle(const struct flow_table *t, size_t n, struct idle *ret)
{
	size_t counts[EVICT_BUCKETS], bucket;
	unsigned shift;

	set_range(t, ret);
	ret->n = n;
	do {
		for (shift = 0; behind(ret->to, ret->from) >> shift >= EVICT_BUCKETS;)
			shift++;
		count_times(t, ret, shift, counts);
		for (bucket = 0; counts[bucket] < ret->n; bucket++)
			ret->n -= counts[bucket];
		ret->from = (int64_t)((uint64_t)ret->from + ((uint64_t)bucket << shift));
		if (behind(ret->to, ret->from) >> shift)
			ret->to = (int64_t)((uint64_t)ret->from + (UINT64_C(1) << shift) - 1);
	} while (shift && counts[bucket] > n / EVICT_EXACT);
}

/* By selection, so that no list has to be kept in order meanwhile. */
void flow_table_evict(struct flow_table *t)
{
	size_t wanted = t->n_used / EVICT_SHARE;
	struct idle idle;

	wanted = wanted > t->n_finished ? wanted - t->n_finished : !t->n_finished;
	if (wanted > t->n_live)
		wanted = t->n_live;
	if (!wanted)
		return;
	find_idle(t, wanted, &idle);
	for (size_t i = 0; i < t->n_used; i++) {
		struct flow_entry *e = flow_table_entry(t, (uint32_t)i);
		int64_t time = flow_entry_last(e);

		if (!is_live(e) || time > idle.to || (time >= idle.from && !idle.n))
			continue;
		idle.n -= time >= idle.from;
		e->half[0].entry_flags |= FLOW_ENTRY_EVICTED;
		t->n_evicted++;
		finish_entry(t, (uint32_t)i);
	}
}

/* The hash is of no use any more. */
void flow_table_finish(struct flow_table *t)
{
	t->finished = FLOW_NONE;
	t->n_live += t->n_finished;
	t->n_finished = 0;
	for (size_t i = 0; i < t->n_used; i++) {
		struct flow_entry *e = flow_table_entry(t, (uint32_t)i);

		if (is_live(e) && e->half[0].entry_flags & FLOW_ENTRY_WAITING)
			drop_waiting(t, e);
	}
	for (size_t i = 0; i < t->n_used; i++)
		if (flow_table_entry(t, (uint32_t)i)->half[0].entry_flags)
			append_finished(t, (uint32_t)i);
	pages_free(t->slots, t->n_slots * sizeof(*t->slots));
	t->slots = NULL;
	t->n_slots = 0;
}
