/* SPDX-License-Identifier: MIT */
/* Where a conversation leads beyond its namespace: translation, the peer's place, exposure. */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "ui/columns/columns-internal.h"
#include "ui/text/escape.h"

#define NFPROTO_INET 1
#define NFPROTO_IPV4 2
#define NFPROTO_IPV6 10

static unsigned word_flags(const struct column_context *context)
{
	return TEXT_WORD | TEXT_FIELD | (context->ascii ? TEXT_ASCII : 0);
}

static void set_netns(const struct column_context *context, struct cell *cell, uint32_t netns)
{
	uint64_t inode = pv_snapshot_netns(context->snapshot, netns)->inode;

	if (inode)
		cell_set_number(cell, inode);
}

/* ---- translation ---- */

#define TRANSLATION_GETTERS(end)                                                                   \
	COLUMN_GETTER(column_get_nat_##end##_addr)                                                 \
	{                                                                                          \
		const struct pv_translation *t = pv_snapshot_translation(context->snapshot, c);    \
                                                                                                   \
		(void)column;                                                                      \
		if (!t)                                                                            \
			return;                                                                    \
		ret_cell->type = CELL_ADDRESS;                                                     \
		ret_cell->address.family = t->family;                                              \
		ret_cell->address.bytes = t->end.addr;                                             \
	}                                                                                          \
	COLUMN_GETTER(column_get_nat_##end##_port)                                                 \
	{                                                                                          \
		const struct pv_translation *t = pv_snapshot_translation(context->snapshot, c);    \
                                                                                                   \
		(void)column;                                                                      \
		if (t)                                                                             \
			cell_set_number(ret_cell, t->end.port);                                    \
	}

TRANSLATION_GETTERS(local)
TRANSLATION_GETTERS(remote)

COLUMN_GETTER(column_get_nat_netns)
{
	const struct pv_translation *t = pv_snapshot_translation(context->snapshot, c);

	(void)column;
	if (t)
		set_netns(context, ret_cell, t->netns);
}

static void put_end(int family, const uint8_t *addr, uint32_t port, struct buf *b)
{
	if (family == AF_INET6)
		buf_putc(b, '[');
	inet_put(b, family, addr);
	if (family == AF_INET6)
		buf_putc(b, ']');
	buf_putc(b, ':');
	buf_u64(b, port);
}

COLUMN_PUTTER(column_put_translation)
{
	static const char *const signs[PV_DIR_N] = {
		[PV_DIR_UNKNOWN] = " -- ",
		[PV_DIR_INCOMING] = " <- ",
		[PV_DIR_OUTGOING] = " -> ",
	};
	const struct pv_translation *t = pv_snapshot_translation(context->snapshot, c);

	(void)column, (void)limit;
	if (!t) {
		buf_putc(b, '-');
		return;
	}
	put_end(t->family, t->local.addr, t->local.port, b);
	buf_puts(b, c->direction < PV_DIR_N && signs[c->direction] ? signs[c->direction] : " -- ");
	put_end(t->family, t->remote.addr, t->remote.port, b);
}

/* ---- the peer ---- */

COLUMN_GETTER(column_get_peer_netns)
{
	const struct pv_conversation *peer = pv_snapshot_peer(context->snapshot, c);

	(void)column;
	if (peer)
		set_netns(context, ret_cell, peer->netns);
}

COLUMN_GETTER(column_get_peer_candidates)
{
	uint32_t n = pv_snapshot_peer_candidates(context->snapshot, c);

	(void)column;
	if (n)
		cell_set_number(ret_cell, n);
}

static void put_netns_name(const struct column_context *context, uint32_t netns, struct buf *b)
{
	const struct pv_netns *n = pv_snapshot_netns(context->snapshot, netns);

	if (n->name.len)
		column_put_sentence(&n->name, context->ascii, b);
	else
		buf_printf(b, "net:[%llu]", (unsigned long long)n->inode);
}

/* Who holds it, and where when it is elsewhere: "nginx(12) in blue". */
COLUMN_PUTTER(column_put_peer)
{
	const struct pv_conversation *peer = pv_snapshot_peer(context->snapshot, c);
	uint32_t n = pv_snapshot_peer_candidates(context->snapshot, c);

	if (peer)
		column_put_process(column, context, peer, b, limit);
	else if (n > 1)
		buf_printf(b, "(one of %u)", n);
	else if (n)
		buf_puts(b, "(not certain)");
	else
		buf_putc(b, '-');
	if (!peer || peer->netns == c->netns)
		return;
	buf_puts(b, " in ");
	put_netns_name(context, peer->netns, b);
}

/* ---- exposure ---- */

COLUMN_GETTER(column_get_exposure)
{
	(void)column, (void)context;
	if (c->exposure == PV_EXPOSURE_NONE)
		return;
	ret_cell->type = CELL_TEXT;
	ret_cell->text = pv_exposure_name((enum pv_exposure)c->exposure);
}

COLUMN_GETTER(column_get_published_addr)
{
	const struct pv_publication *p = pv_snapshot_publication(context->snapshot, c);

	(void)column;
	if (!p || !p->prefix)
		return;
	ret_cell->type = CELL_ADDRESS;
	ret_cell->address.family = p->family;
	ret_cell->address.bytes = p->addr;
}

COLUMN_GETTER(column_get_published_port)
{
	const struct pv_publication *p = pv_snapshot_publication(context->snapshot, c);

	(void)column;
	/* any port has no number */
	if (p && (p->first_port || p->last_port != UINT16_MAX))
		cell_set_number(ret_cell, p->first_port);
}

COLUMN_GETTER(column_get_published_by)
{
	const struct pv_publication *p = pv_snapshot_publication(context->snapshot, c);

	(void)column;
	if (!p)
		return;
	ret_cell->type = CELL_TEXT;
	ret_cell->text = pv_published_by_name((enum pv_published_by)p->by);
}

#define RULE_GETTER(member)                                                                        \
	COLUMN_GETTER(column_get_published_##member)                                               \
	{                                                                                          \
		const struct pv_publication *p = pv_snapshot_publication(context->snapshot, c);    \
                                                                                                   \
		(void)column;                                                                      \
		if (!p || !p->member.len)                                                          \
			return;                                                                    \
		ret_cell->type = CELL_NAME;                                                        \
		ret_cell->bytes = p->member;                                                       \
	}

RULE_GETTER(table)
RULE_GETTER(chain)

COLUMN_GETTER(column_get_published_netns)
{
	const struct pv_publication *p = pv_snapshot_publication(context->snapshot, c);

	(void)column;
	if (p)
		set_netns(context, ret_cell, p->netns);
}

const char *column_table_family(const struct pv_publication *p)
{
	return p->table_family == NFPROTO_IPV4	 ? "ip"
	       : p->table_family == NFPROTO_IPV6 ? "ip6"
	       : p->table_family == NFPROTO_INET ? "inet"
						 : "?";
}

void column_put_publication(const struct pv_publication *p, struct buf *b)
{
	bool is_v6 = p->prefix && p->family == AF_INET6;

	if (is_v6)
		buf_putc(b, '[');
	if (p->prefix)
		inet_put(b, p->family, p->addr);
	else
		buf_putc(b, '*');
	if (p->prefix && p->prefix < (is_v6 ? 128 : 32))
		buf_printf(b, "/%u", p->prefix);
	if (is_v6)
		buf_putc(b, ']');
	buf_putc(b, ':');
	if (!p->first_port && p->last_port == UINT16_MAX) {
		buf_putc(b, '*');
		return;
	}
	buf_u64(b, p->first_port);
	if (p->last_port != p->first_port)
		buf_printf(b, "-%u", p->last_port);
}

static void put_rule(const struct column_context *context, const struct pv_publication *p,
		     struct buf *b)
{
	unsigned flags = word_flags(context);

	buf_printf(b, " by a %s rule in table %s ",
		   p->by == PV_PUBLISHED_BY_DNAT ? "DNAT" : "redirect", column_table_family(p));
	text_put(b, p->table.data, p->table.len, flags);
	buf_puts(b, ", chain ");
	text_put(b, p->chain.data, p->chain.len, flags);
}

static void put_publication(const struct column_context *context, const struct pv_conversation *c,
			    const struct pv_publication *p, struct buf *b)
{
	bool is_certain = p->n_candidates <= 1 && !p->is_port_unsure;

	buf_puts(b, is_certain ? "published as " : "perhaps published as ");
	column_put_publication(p, b);
	if (p->by == PV_PUBLISHED_BY_CONNTRACK)
		buf_puts(b, ", as connection tracking saw");
	else
		put_rule(context, p, b);
	if (p->netns != c->netns) {
		buf_puts(b, " of ");
		put_netns_name(context, p->netns, b);
	}
	if (p->is_partial)
		buf_puts(b, ", under further conditions");
	if (p->n_more)
		buf_printf(b, ", and %u other way%s", p->n_more, p->n_more == 1 ? "" : "s");
	if (p->is_port_unsure)
		buf_puts(b, "; conditions on ports are not understood");
	if (p->n_candidates > 1)
		buf_printf(b, "; %u namespaces have the address", p->n_candidates);
}

COLUMN_PUTTER(column_put_exposure_detail)
{
	static const char *const texts[PV_EXPOSURE_N] = {
		[PV_EXPOSURE_NONE] = "-",
		[PV_EXPOSURE_LOOPBACK] = "its own network namespace only",
		[PV_EXPOSURE_CONTAINER] = "network namespaces of this host only",
		[PV_EXPOSURE_MULTICAST] = "datagrams to its multicast group only",
		[PV_EXPOSURE_INTERFACE] = "one address or interface",
		[PV_EXPOSURE_PUBLISHED] = "", /* by what follows */
		[PV_EXPOSURE_ANY] = "every address",
	};
	const struct pv_publication *p = pv_snapshot_publication(context->snapshot, c);
	const char *text = c->exposure < PV_EXPOSURE_N ? texts[c->exposure] : "-";

	(void)column, (void)limit;
	buf_puts(b, text);
	if (!p)
		return;
	if (*text)
		buf_puts(b, "; ");
	put_publication(context, c, p, b);
}
