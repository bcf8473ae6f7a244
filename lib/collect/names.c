/* SPDX-License-Identifier: MIT */
/* Host names of the remote addresses of the rows that are shown. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "collect/collector.h"
#include "names/names.h"

struct questions {
	VEC(struct names_query) items;
	VEC(struct pv_conversation *) rows; /* the row of each item */
};

static void cleanup_questions(struct questions *q)
{
	vec_deinit(&q->items);
	vec_deinit(&q->rows);
}

static int ask_for(struct questions *q, struct pv_conversation *row)
{
	struct names_query item = { .family = row->family };

	if (!pv_proto_is_inet(row->proto) || row->remote_name ||
	    inet_is_any(row->family, row->remote.addr))
		return 0;
	memcpy(item.addr, row->remote.addr, sizeof(item.addr));
	if (vec_push(&q->items, item) < 0)
		return -ENOMEM;
	return vec_push(&q->rows, row);
}

static int report_names(struct pv_snapshot *s, const struct names_stats *stats)
{
	size_t unknown = stats->n[NAMES_NO_ANSWER], refused = stats->n[NAMES_REFUSED];
	size_t lost = stats->n[NAMES_NOT_RECORDED] + stats->malformed;
	int r = 0;

	if (unknown)
		r = snapshot_add_gap(s, PV_GAP_NAMES, unknown,
				     stats->cause[0] ? stats->cause : NULL);
	if (r == 0 && refused)
		r = snapshot_add_gap(s, PV_GAP_NAMES_REFUSED, refused, NULL);
	if (r == 0 && lost)
		r = snapshot_add_gap(s, PV_GAP_NOT_RECORDED, lost, "host names");
	if (r < 0)
		return r;
	return snapshot_add_source(s, "names", "dns", unknown ? PV_SOURCE_OFF : PV_SOURCE_WORKING,
				   stats->cause[0] ? stats->cause : NULL);
}

int collect_names(struct pv_snapshot *s, struct tape *tape, int timeout_ms, const char *servers)
{
	_cleanup_(cleanup_questions) struct questions q = { 0 };
	struct names_options options = {
		.arena = &s->arena, .tape = tape, .servers = servers, .budget_ms = timeout_ms
	};
	struct names_stats stats = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < pv_snapshot_count(s); i++)
		r = ask_for(&q, snapshot_row(s, s->is_filtered ? s->shown.items[i] : i));
	if (r < 0 || q.items.n == 0)
		return r;
	r = names_resolve(&options, q.items.items, q.items.n, &stats);
	if (r == -ENODATA)
		return snapshot_add_gap(s, PV_GAP_NOT_RECORDED, q.items.n, "host names");
	if (r < 0)
		return r;
	for (size_t i = 0; i < q.items.n; i++)
		q.rows.items[i]->remote_name = q.items.items[i].ret_name;
	return report_names(s, &stats);
}

int pv_snapshot_resolve(struct pv_snapshot *s, int dns_timeout_ms, const char *dns_servers)
{
	int r = collect_names(s, NULL, dns_timeout_ms, dns_servers);

	snapshot_seal(s);
	return r;
}
