/* SPDX-License-Identifier: MIT */
/*
 * Getters for struct pv_detail: what the kernel did not give is null, not 0. Older kernels send a
 * shorter struct tcp_info; a member beyond its end is null too.
 */
#include <string.h>
#include <sys/socket.h>

#include "ui/columns/columns-internal.h"

uint64_t column_field_value(const struct column_field *field, const void *base)
{
	const uint8_t *p = (const uint8_t *)base + field->offset;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (field->size) {
	case 1:
		return *p;
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return v16;
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, p, sizeof(v64));
		return v64;
	}
}

static const struct pv_detail *detail_with(const struct pv_conversation *c, uint32_t bit)
{
	return c->detail && c->detail->present & bit ? c->detail : NULL;
}

static bool has_field(const struct column *column, const struct pv_conversation *c)
{
	const struct pv_detail *d = detail_with(c, PV_DETAIL_TCP);

	return d && d->tcp_len >= column->field.kernel_end;
}

/* The kernel says "no limit" (pacing rate) and "no sample" (min_rtt) with all bits set. */
static bool is_all_ones(uint64_t v, uint8_t size)
{
	return size == 8 ? v == UINT64_MAX : size == 4 && v == UINT32_MAX;
}

COLUMN_GETTER(column_get_tcp)
{
	uint64_t v;

	(void)context;
	if (!has_field(column, c))
		return;
	v = column_field_value(&column->field, &c->detail->tcp);
	if (is_all_ones(v, column->field.size))
		return;
	ret_cell->type = CELL_NUMBER;
	ret_cell->number = v;
}

COLUMN_GETTER(column_get_tcp_ms)
{
	column_get_tcp(column, context, c, ret_cell);
	ret_cell->number /= 1000;
}

COLUMN_GETTER(column_get_app_limited)
{
	(void)context;
	if (!has_field(column, c))
		return;
	ret_cell->type = CELL_BOOL;
	ret_cell->yes = c->detail->tcp.app_limited & 1;
}

COLUMN_GETTER(column_get_congestion)
{
	const struct pv_detail *d = detail_with(c, PV_DETAIL_CONG);

	(void)column, (void)context;
	if (!d)
		return;
	ret_cell->type = CELL_NAME;
	ret_cell->bytes.data = d->congestion;
	ret_cell->bytes.len = (uint32_t)strnlen(d->congestion, sizeof(d->congestion));
}

COLUMN_GETTER(column_get_mem)
{
	const struct pv_detail *d = detail_with(c, PV_DETAIL_MEM);

	(void)context;
	if (!d)
		return;
	ret_cell->type = CELL_NUMBER;
	ret_cell->number = column_field_value(&column->field, d);
}

COLUMN_GETTER(column_get_tos)
{
	const struct pv_detail *d = detail_with(c, PV_DETAIL_TOS);

	(void)column, (void)context;
	if (!d)
		return;
	ret_cell->type = CELL_NUMBER;
	ret_cell->number = c->family == AF_INET6 ? d->tclass : d->tos;
}

COLUMN_GETTER(column_get_cgroup_id)
{
	const struct pv_detail *d = detail_with(c, PV_DETAIL_CGROUP);

	(void)column, (void)context;
	if (!d)
		return;
	ret_cell->type = CELL_NUMBER;
	ret_cell->number = d->cgroup_id;
}
