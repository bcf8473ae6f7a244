/* SPDX-License-Identifier: MIT */
/* Getters for what a capture tells (struct pv_flow). Of a socket of this host they are null. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ui/columns/columns-internal.h"

COLUMN_GETTER(column_get_flow)
{
	(void)context;
	if (c->flow)
		cell_set_number(ret_cell, column_field_value(&column->field, c->flow));
}

COLUMN_GETTER(column_get_flow_tcp)
{
	(void)context;
	if (c->flow && c->proto == PV_PROTO_TCP)
		cell_set_number(ret_cell, column_field_value(&column->field, c->flow));
}

/* Of the conversation or of a side: which, the offset of the field says. */
COLUMN_GETTER(column_get_flow_time)
{
	const struct pv_flow *f = c->flow;
	size_t offset = column->field.offset;
	bool is_out = offset < offsetof(struct pv_flow, in);
	bool is_in = offset < offsetof(struct pv_flow, out) || !is_out;

	(void)context;
	if (!f || !((is_out && f->out.has_time) || (is_in && f->in.has_time)))
		return;
	ret_cell->type = CELL_SECONDS;
	ret_cell->ns = (int64_t)column_field_value(&column->field, f);
}

COLUMN_GETTER(column_get_duration)
{
	(void)column, (void)context;
	if (!c->flow || !(c->flow->out.has_time || c->flow->in.has_time))
		return;
	ret_cell->type = CELL_SECONDS;
	ret_cell->ns = c->flow->end_ns - c->flow->start_ns;
}

COLUMN_GETTER(column_get_conn_state)
{
	(void)column, (void)context;
	if (c->flow && c->flow->conn_state != PV_CONN_NONE)
		cell_set_text(ret_cell, pv_conn_state_name(c->flow->conn_state));
}

COLUMN_GETTER(column_get_ended)
{
	(void)column, (void)context;
	if (c->flow && c->flow->ending != PV_ENDING_NONE)
		cell_set_text(ret_cell, pv_ending_text(c->flow->ending));
}

COLUMN_GETTER(column_get_history)
{
	(void)column, (void)context;
	if (c->flow && c->proto == PV_PROTO_TCP)
		cell_set_text(ret_cell, c->flow->history);
}

COLUMN_GETTER(column_get_overlap)
{
	(void)column, (void)context;
	if (c->flow)
		cell_set_bool(ret_cell, c->flow->has_overlap);
}

COLUMN_GETTER(column_get_community_id)
{
	(void)column, (void)context;
	if (c->flow && pv_conversation_community_id(c, ret_cell->own))
		ret_cell->type = CELL_OWN;
}

COLUMN_GETTER(column_get_observed)
{
	(void)column, (void)context;
	if (c->flow)
		cell_set_name(ret_cell, c->flow->observed);
}

COLUMN_GETTER(column_get_observed_detail)
{
	(void)column, (void)context;
	if (c->flow && c->flow->observed_detail.len) {
		ret_cell->type = CELL_NAME;
		ret_cell->bytes = c->flow->observed_detail;
	}
}

COLUMN_GETTER(column_get_contradiction)
{
	(void)column, (void)context;
	if (c->flow)
		cell_set_text(ret_cell, c->flow->contradiction);
}

static void set_mac(struct cell *cell, const struct pv_flow_side *side)
{
	const uint8_t *m = side->mac;

	if (!side->has_mac)
		return;
	cell->type = CELL_OWN;
	snprintf(cell->own, sizeof(cell->own), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
		 m[3], m[4], m[5]);
}

COLUMN_GETTER(column_get_local_mac)
{
	(void)column, (void)context;
	if (c->flow)
		set_mac(ret_cell, &c->flow->out);
}

COLUMN_GETTER(column_get_remote_mac)
{
	(void)column, (void)context;
	if (c->flow)
		set_mac(ret_cell, &c->flow->in);
}

COLUMN_GETTER(column_get_vlan)
{
	const struct pv_flow *f = c->flow;

	(void)column, (void)context;
	if (!f || !f->n_vlans)
		return;
	ret_cell->type = CELL_OWN;
	if (f->n_vlans > 1)
		snprintf(ret_cell->own, sizeof(ret_cell->own), "%u.%u", f->vlans[0], f->vlans[1]);
	else
		snprintf(ret_cell->own, sizeof(ret_cell->own), "%u", f->vlans[0]);
}

COLUMN_GETTER(column_get_tunnel)
{
	const struct pv_flow *f = c->flow;

	(void)column, (void)context;
	if (!f || f->tunnel == PV_TUNNEL_NONE)
		return;
	ret_cell->type = CELL_OWN;
	if (f->has_tunnel_id)
		snprintf(ret_cell->own, sizeof(ret_cell->own), "%s:%u", pv_tunnel_name(f->tunnel),
			 f->tunnel_id);
	else
		snprintf(ret_cell->own, sizeof(ret_cell->own), "%s", pv_tunnel_name(f->tunnel));
}

static void set_handshake(struct cell *cell, const struct pv_flow_side *side)
{
	if (side->has_handshake)
		cell_set_number(cell, side->handshake_us);
}

COLUMN_GETTER(column_get_local_handshake)
{
	(void)column, (void)context;
	if (c->flow)
		set_handshake(ret_cell, &c->flow->out);
}

COLUMN_GETTER(column_get_remote_handshake)
{
	(void)column, (void)context;
	if (c->flow)
		set_handshake(ret_cell, &c->flow->in);
}

/* Of a capture: both halves of the handshake. */
COLUMN_GETTER(column_get_rtt)
{
	if (!c->flow)
		column_get_tcp(column, context, c, ret_cell);
	else if (c->flow->out.has_handshake && c->flow->in.has_handshake)
		cell_set_number(ret_cell,
				(uint64_t)c->flow->out.handshake_us + c->flow->in.handshake_us);
}

/* The field is a number of struct pv_flow_rtt; which one, its offset says. */
COLUMN_GETTER(column_get_flow_rtt)
{
	const struct pv_flow *f = c->flow;
	bool is_in = column->field.offset >= offsetof(struct pv_flow, in);

	(void)context;
	if (f && (is_in ? f->in.rtt.samples : f->out.rtt.samples))
		cell_set_number(ret_cell, column_field_value(&column->field, f));
}

/* CWR, ECE, URG, ACK, PSH, RST, SYN, FIN: the letters of tcpdump, from the lowest bit. */
COLUMN_GETTER(column_get_flow_flags)
{
	static const char letters[] = "FSRP.UEW";
	size_t n = 0;

	(void)context;
	if (!c->flow || c->proto != PV_PROTO_TCP)
		return;
	for (unsigned i = 0; i < 8; i++)
		if (column_field_value(&column->field, c->flow) >> i & 1)
			ret_cell->own[n++] = letters[i];
	ret_cell->own[n] = 0;
	ret_cell->type = CELL_OWN;
}

COLUMN_GETTER(column_get_icmp_error)
{
	(void)column, (void)context;
	if (!c->flow || !c->flow->icmp_errors)
		return;
	ret_cell->type = CELL_OWN;
	snprintf(ret_cell->own, sizeof(ret_cell->own), "%u/%u", c->flow->icmp_error_type,
		 c->flow->icmp_error_code);
}

COLUMN_GETTER(column_get_series)
{
	(void)column, (void)context;
	if (!c->flow || !c->flow->n_bins)
		return;
	ret_cell->type = CELL_SERIES;
	ret_cell->conversation = c;
}

/* Not by printf(3) and strftime(3), which were half of a row's time. */
static void put_digits(struct buf *b, uint64_t value, size_t n)
{
	char text[8];

	for (size_t i = n; i--; value /= 10)
		text[i] = (char)('0' + value % 10);
	buf_put(b, text, n);
}

static void put_microseconds(struct buf *b, int64_t ns)
{
	buf_putc(b, '.');
	put_digits(b, (uint64_t)ns / 1000 % 1000000, 6);
}

/* "2023-11-14 22:13:20.123456", or the time of day where there is no room; UTC */
COLUMN_PUTTER(column_put_time)
{
	struct cell cell = { 0 };
	char date[48];
	struct tm tm;
	time_t seconds;

	column->get(column, context, c, &cell);
	seconds = (time_t)(cell.ns / 1000000000);
	if (cell.type != CELL_SECONDS || cell.ns < 0) {
		buf_putc(b, '-');
		return;
	}
	if ((!limit || limit >= 26) && gmtime_r(&seconds, &tm))
		buf_put(b, date, strftime(date, sizeof(date), "%Y-%m-%d ", &tm));
	put_digits(b, (uint64_t)seconds / 3600 % 24, 2);
	buf_putc(b, ':');
	put_digits(b, (uint64_t)seconds / 60 % 60, 2);
	buf_putc(b, ':');
	put_digits(b, (uint64_t)seconds % 60, 2);
	put_microseconds(b, cell.ns);
}

/* Microseconds are what people can compare. */
COLUMN_PUTTER(column_put_duration)
{
	struct cell cell = { 0 };

	(void)limit;
	column->get(column, context, c, &cell);
	if (cell.type != CELL_SECONDS) {
		buf_putc(b, '-');
		return;
	}
	if (cell.ns < 0) {
		buf_putc(b, '-');
		cell.ns = -cell.ns;
	}
	buf_u64(b, (uint64_t)cell.ns / 1000000000);
	put_microseconds(b, cell.ns);
}
