/* SPDX-License-Identifier: MIT */
/*
 * A file from anywhere as a raw dump of TCP sockets. What comes out must hold what conversation.h
 * promises, and every attribute must be found within the input.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/snapshot.h>

#include "netlink/events.h"
#include "netlink/rawdump.h"

#define ATTRIBUTES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct checked {
	const uint8_t *data;
	size_t size;
	uint64_t rows;
	bool is_event;
	unsigned sum; /* of every byte pointed to, so that a sanitizer sees them read */
};

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static int check_row(void *userdata, const struct pv_conversation *c)
{
	struct checked *checked = userdata;

	require(c->proto == PV_PROTO_TCP || (checked->is_event && c->proto == PV_PROTO_UDP));
	require(c->family == AF_INET || c->family == AF_INET6);
	require(c->state < PV_STATE_NEW_SYN_RECV && c->timer < PV_TIMER_N);
	for (uint16_t type = 0; type < ATTRIBUTES; type++) {
		size_t len = 0;
		const uint8_t *p = pv_detail_attribute(c->detail, type, &len);

		if (!p)
			continue;
		require(p >= checked->data && len <= checked->size &&
			p + len <= checked->data + checked->size);
		for (size_t i = 0; i < len; i++)
			checked->sum += p[i];
	}
	checked->rows++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checked checked = { .data = data, .size = size };
	struct sink sink = { check_row, &checked };
	struct netlink_parse_stats stats = { 0 };
	struct netlink_rawdump_error error = { 0 };
	int r = netlink_rawdump_parse(data, size, PV_NEED_ALL | PV_NEED_ATTRIBUTES, &sink, &stats,
				      &error);

	require(r == 0 || r == -EBADMSG);
	require(r == 0 || (error.message && error.offset <= size));
	require(stats.rows == checked.rows);
	/* the same bytes as the kernel's word of sockets that were destroyed */
	checked.rows = stats.rows = 0;
	checked.is_event = true;
	require(netlink_events_parse(data, size, &sink, &stats) == 0);
	require(stats.rows == checked.rows);
	return 0;
}
