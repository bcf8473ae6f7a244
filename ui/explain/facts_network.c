/* SPDX-License-Identifier: MIT */
/* Where a socket leads beyond its network namespace: who reaches it, and its translation. */
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "ui/columns/columns.h"
#include "ui/explain/facts.h"

/* Text of our own that names numbers; "" when memory is out, which the explanation keeps. */
static struct value value_copy(struct explanation *e, const char *place, struct buf *b)
{
	const char *text = buf_str(b);
	char *copy = text ? arena_strdup(&e->arena, text) : NULL;

	if (!copy)
		e->error = -ENOMEM;
	return value_text(place, copy ? copy : "");
}

static struct value value_endpoint(struct explanation *e, const char *place, int family,
				   const struct pv_endpoint *end)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (family == AF_INET6)
		buf_putc(&b, '[');
	inet_put(&b, family, end->addr);
	buf_puts(&b, family == AF_INET6 ? "]:" : ":");
	buf_u64(&b, end->port);
	return value_copy(e, place, &b);
}

static struct value value_publication(struct explanation *e, const struct pv_publication *p)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	column_put_publication(p, &b);
	return value_copy(e, "endpoint", &b);
}

static void say_publication(struct explanation *e, const struct pv_publication *p)
{
	struct value endpoint = value_publication(e, p);
	struct value family = value_text("family", column_table_family(p));

	if (p->n_candidates > 1)
		SAY(e, published_unsure, endpoint, value_number("n", p->n_candidates));
	else if (p->is_port_unsure)
		SAY(e, published_unsure_port, endpoint, family, value_name("table", p->table),
		    value_name("chain", p->chain));
	else if (p->by == PV_PUBLISHED_BY_CONNTRACK)
		SAY(e, published_conntrack, endpoint);
	else if (p->by == PV_PUBLISHED_BY_REDIRECT)
		SAY(e, published_redirect, endpoint, family, value_name("table", p->table),
		    value_name("chain", p->chain));
	else
		SAY(e, published_dnat, endpoint, family, value_name("table", p->table),
		    value_name("chain", p->chain));
}

void explain_exposure(struct explanation *e, const struct pv_conversation *c)
{
	const struct pv_publication *p = pv_snapshot_publication(e->snapshot, c);
	const struct pv_netns *n = p ? pv_snapshot_netns(e->snapshot, p->netns) : NULL;

	if (c->exposure == PV_EXPOSURE_CONTAINER)
		SAY(e, reach_container);
	else if (c->exposure == PV_EXPOSURE_MULTICAST)
		SAY(e, reach_multicast);
	else if (c->exposure == PV_EXPOSURE_LOOPBACK && c->state != PV_STATE_LISTEN)
		SAY(e, reach_loopback);
	if (!p)
		return;
	say_publication(e, p);
	if (p->netns != c->netns && n->name.len)
		SAY(e, published_netns, value_name("netns", n->name));
	if (p->is_partial)
		SAY(e, published_partial);
	if (p->n_more)
		SAY(e, published_more, value_number("n", p->n_more));
}

void explain_translation(struct explanation *e, const struct pv_conversation *c)
{
	const struct pv_translation *t = pv_snapshot_translation(e->snapshot, c);
	const struct pv_netns *n;

	if (!t)
		return;
	n = pv_snapshot_netns(e->snapshot, t->netns);
	SAY(e, translated, value_endpoint(e, "seen", t->family, &t->local),
	    value_endpoint(e, "meant", t->family, &t->remote));
	if (t->netns != c->netns && n->name.len)
		SAY(e, translated_netns, value_name("netns", n->name));
}
