/* SPDX-License-Identifier: MIT */
/* Ranges stay in order, so that two sets are walked side by side. */
#include "netlink/ports.h"

#include <string.h>

struct port_set ports_of(uint16_t first, uint16_t last)
{
	return (struct port_set){ { { first, last } }, first <= last };
}

bool ports_are_any(const struct port_set *p)
{
	return p->n == 1 && p->ranges[0].first == 0 && p->ranges[0].last == UINT16_MAX;
}

bool ports_have(const struct port_set *p, uint32_t port)
{
	for (uint8_t i = 0; i < p->n; i++)
		if (port >= p->ranges[i].first && port <= p->ranges[i].last)
			return true;
	return false;
}

bool ports_add(struct port_set *p, uint16_t first, uint16_t last)
{
	uint8_t begin = 0, end;

	if (first > last)
		return true;
	/* what touches the new range becomes one with it */
	while (begin < p->n && (uint32_t)p->ranges[begin].last + 1 < first)
		begin++;
	for (end = begin; end < p->n && p->ranges[end].first <= (uint32_t)last + 1; end++) {
		if (p->ranges[end].first < first)
			first = p->ranges[end].first;
		if (p->ranges[end].last > last)
			last = p->ranges[end].last;
	}
	if (begin == end && p->n == PORTS_MAX)
		return false;
	memmove(&p->ranges[begin + 1], &p->ranges[end], (p->n - end) * sizeof(*p->ranges));
	p->ranges[begin] = (struct port_range){ first, last };
	p->n = (uint8_t)(p->n - (end - begin) + 1);
	return true;
}

static bool invert(const struct port_set *p, struct port_set *ret)
{
	uint32_t next = 0;

	*ret = (struct port_set){ .n = 0 };
	for (uint8_t i = 0; i < p->n; i++) {
		if (p->ranges[i].first > next &&
		    !ports_add(ret, (uint16_t)next, (uint16_t)(p->ranges[i].first - 1)))
			return false;
		next = (uint32_t)p->ranges[i].last + 1;
	}
	return next > UINT16_MAX || ports_add(ret, (uint16_t)next, UINT16_MAX);
}

static bool intersect(const struct port_set *a, const struct port_set *b, struct port_set *ret)
{
	*ret = (struct port_set){ .n = 0 };
	for (uint8_t i = 0, k = 0; i < a->n && k < b->n;) {
		const struct port_range *x = &a->ranges[i], *y = &b->ranges[k];
		uint16_t first = x->first > y->first ? x->first : y->first;
		uint16_t last = x->last < y->last ? x->last : y->last;

		if (!ports_add(ret, first, last))
			return false;
		if (x->last < y->last)
			i++;
		else
			k++;
	}
	return true;
}

bool ports_narrow(struct port_set *p, const struct port_set *by, bool is_inverse)
{
	struct port_set others, result;

	if (is_inverse && !invert(by, &others))
		return false;
	if (!intersect(p, is_inverse ? &others : by, &result))
		return false;
	*p = result;
	return true;
}
