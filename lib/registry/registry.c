/* SPDX-License-Identifier: MIT */
/*
 * Lookups in the compiled-in port registry. The table holds offsets instead of pointers and is
 * sorted by number, transport, primary name first. The rows that callers are handed as pointers are
 * decoded on first use into a cache that starts as zero pages: filling it is idempotent and safe in
 * any thread, so what is returned behaves as static constant data.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <portavoz/registry.h>

#include "base/mark.h"

struct row {
	uint16_t first;
	uint8_t span; /* last - first */
	uint8_t transport : 4, flags : 4;
	uint32_t name, description; /* offsets into pool */
};

#include "services_table.h"

enum { EMPTY, FILLING, READY };

static _Atomic uint8_t cache_state[N_ROWS];
static struct pv_service cache[N_ROWS];

static const char *const group_names[PV_GROUP_N] = {
	[PV_GROUP_WELL_KNOWN] = N_("well-known"),
	[PV_GROUP_REGISTERED] = N_("registered"),
	[PV_GROUP_DYNAMIC] = N_("dynamic"),
};

static const char *const transport_names[PV_TRANSPORT_N] = {
	[PV_TRANSPORT_TCP] = "tcp",
	[PV_TRANSPORT_UDP] = "udp",
	[PV_TRANSPORT_SCTP] = "sctp",
	[PV_TRANSPORT_DCCP] = "dccp",
};

static int ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* strcasecmp() folds as the locale says, and the table is sorted as ASCII says. */
static int ascii_casecmp(const char *a, const char *b)
{
	while (*a && ascii_lower(*a) == ascii_lower(*b))
		a++, b++;
	return ascii_lower(*a) - ascii_lower(*b);
}

enum pv_port_group pv_port_group(uint16_t port)
{
	if (port < 1024)
		return PV_GROUP_WELL_KNOWN;
	return port < 49152 ? PV_GROUP_REGISTERED : PV_GROUP_DYNAMIC;
}

const char *pv_port_group_name(enum pv_port_group group)
{
	return (unsigned int)group < PV_GROUP_N ? group_names[group] : "?";
}

const char *pv_transport_name(enum pv_transport transport)
{
	return (unsigned int)transport < PV_TRANSPORT_N ? transport_names[transport] : "?";
}

int pv_transport_parse(const char *name, enum pv_transport *ret_transport)
{
	for (int i = 0; i < PV_TRANSPORT_N; i++) {
		if (ascii_casecmp(name, transport_names[i]) == 0) {
			*ret_transport = (enum pv_transport)i;
			return 0;
		}
	}
	return -ENOENT;
}

size_t pv_service_count(void)
{
	return N_ROWS;
}

struct pv_service pv_service_at(size_t index)
{
	const struct row *row = &rows[index];

	return (struct pv_service){
		.first = row->first,
		.last = (uint16_t)(row->first + row->span),
		.transport = row->transport,
		.flags = row->flags,
		.name = pool + row->name,
		.description = pool + row->description,
	};
}

/* Another thread holds the row for a few stores at most. */
static void fill(size_t index)
{
	uint8_t state = EMPTY;

	if (atomic_compare_exchange_strong(&cache_state[index], &state, FILLING)) {
		cache[index] = pv_service_at(index);
		atomic_store_explicit(&cache_state[index], READY, memory_order_release);
		return;
	}
	while (atomic_load_explicit(&cache_state[index], memory_order_acquire) != READY)
		sched_yield();
}

static const struct pv_service *service_get(size_t index)
{
	if (atomic_load_explicit(&cache_state[index], memory_order_acquire) != READY)
		fill(index);
	return &cache[index];
}

enum pv_transport pv_proto_transport(enum pv_proto proto)
{
	switch (proto) {
	case PV_PROTO_TCP:
	case PV_PROTO_MPTCP:
		return PV_TRANSPORT_TCP;
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
		return PV_TRANSPORT_UDP;
	case PV_PROTO_SCTP:
		return PV_TRANSPORT_SCTP;
	case PV_PROTO_DCCP:
		return PV_TRANSPORT_DCCP;
	default:
		return PV_TRANSPORT_N;
	}
}

const struct pv_service *pv_service_by_port(uint16_t port, enum pv_transport transport)
{
	if ((unsigned int)transport >= PV_TRANSPORT_N)
		return NULL;

	uint16_t n = pages[directory[transport][port / PAGE_PORTS]][port % PAGE_PORTS];

	return n ? service_get(n - 1u) : NULL;
}

/* First position in rows_by_name whose name is not less. */
static size_t name_lower_bound(const char *name)
{
	size_t low = 0, high = N_ROWS;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ascii_casecmp(pool + rows[rows_by_name[mid]].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct pv_service *pv_service_next_by_name(const char *name, size_t *cursor)
{
	/* A cursor is 1 + the position of the row given last. */
	size_t at = *cursor ? *cursor : name_lower_bound(name);

	if (at >= N_ROWS || ascii_casecmp(pool + rows[rows_by_name[at]].name, name) != 0)
		return NULL;
	*cursor = at + 1;
	return service_get(rows_by_name[at]);
}

static size_t port_lower_bound(uint32_t port)
{
	size_t low = 0, high = N_ROWS;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rows[mid].first < port)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct pv_service *pv_service_next_by_port(uint16_t port, size_t *cursor)
{
	/* A range that holds the port begins at most MAX_SPAN before it. */
	size_t at = *cursor ? *cursor : port_lower_bound(port > MAX_SPAN ? port - MAX_SPAN : 0);

	while (at < N_ROWS && rows[at].first + rows[at].span < port)
		at++;
	if (at >= N_ROWS || rows[at].first > port)
		return NULL;
	*cursor = at + 1;
	return service_get(at);
}
