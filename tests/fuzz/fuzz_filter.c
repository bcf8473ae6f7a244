/* SPDX-License-Identifier: MIT */
/*
 * Filters from anywhere. An error points into the text; a filter that parses matches the same row
 * twice in the same way, and the code it is lowered to can be walked and never loses that row.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/filter.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "model/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint32_t pv_snapshot_service_port(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	(void)s;
	return c->local.port;
}

static const struct pv_bytes path = { "\0/tmp/abstract", 14 };

static const struct pv_conversation rows[] = {
	{ .family = AF_INET,
	  .proto = PV_PROTO_TCP,
	  .state = PV_STATE_ESTABLISHED,
	  .local = { { 127, 0, 0, 1 }, 22 },
	  .remote = { { 192, 0, 2, 1 }, 50000 } },
	{ .family = AF_INET6,
	  .proto = PV_PROTO_UDP,
	  .state = PV_STATE_CLOSE,
	  .local = { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 }, 53 } },
	{ .family = AF_UNIX, .proto = PV_PROTO_UNIX, .state = PV_STATE_LISTEN, .path = &path },
	{ .family = AF_NETLINK, .proto = PV_PROTO_NETLINK, .state = PV_STATE_CLOSE },
};

static struct pv_snapshot *make_snapshot(void)
{
	struct pv_snapshot *s = snapshot_new();
	struct pv_process p = { .pid = 7, .comm = { "a b]\\*", 6 }, .exe = { "/bin/x", 6 } };
	struct pv_holder h = { .fd = 3 };

	if (!s || snapshot_add_process(s, &p, &h.process) < 0)
		abort();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pv_conversation *c = snapshot_add(s, &rows[i]);

		if (!c || snapshot_set_holders(s, c, &h, 1) < 0)
			abort();
	}
	snapshot_seal(s);
	return s;
}

static void check_code(const struct pv_filter *f, bool ipv6)
{
	_cleanup_(cleanup_free) uint8_t *code = NULL;
	size_t size, pos = 0;

	if (pv_filter_lower(f, ipv6, (void **)&code, &size) < 0)
		return;
	while (pos < size) {
		struct inet_diag_bc_op op;

		if (size - pos < sizeof(op))
			abort();
		memcpy(&op, code + pos, sizeof(op));
		if (op.yes < 4 || op.yes > size - pos || op.no > size - pos + 4)
			abort();
		pos += op.yes;
	}
}

static void check_filter(const struct pv_filter *f)
{
	struct pv_snapshot *s = make_snapshot();

	for (size_t i = 0; i < s->n_rows; i++) {
		const struct pv_conversation *c = snapshot_row(s, i);

		if (pv_filter_match(f, s, c) && !(pv_filter_states(f) & PV_STATE_BIT(c->state)))
			abort();
	}
	check_code(f, false);
	check_code(f, true);
	pv_snapshot_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct pv_syntax_error e;
	struct pv_filter *f = NULL;
	int r;

	if (size)
		buf_put(&text, data, size);
	buf_putc(&text, '\0');
	if (buf_error(&text))
		return 0;
	r = pv_filter_parse(text.data, &f, &e);
	if (r == -EINVAL && (!e.message[0] || e.offset + e.length > strlen(text.data)))
		abort();
	if (r == 0)
		check_filter(f);
	pv_filter_free(f);
	return 0;
}
