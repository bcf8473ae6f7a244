/* SPDX-License-Identifier: MIT */
/*
 * Networks of a role: few and stable. Single servers that are called keep their address; callers
 * and listening addresses are told by their network; many networks by the range they are private
 * in, or as any.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "judge/role-internal.h"

#define EXACT_MAX 4 /* addresses that are named one by one */
#define NETS_MAX 8
#define SEEN_MAX 4096 /* widened when there are more, so that a busy server costs no memory */

/* Ranges that are one network for this purpose. */
static const struct pv_role_net wholes[] = {
	{ AF_INET, 8, { 127 } },
	{ AF_INET, 16, { 169, 254 } },
	{ AF_INET6, 128, { [15] = 1 } },
	{ AF_INET6, 10, { 0xfe, 0x80 } },
};
/* What many networks become, where they lie in it. */
static const struct pv_role_net privates[] = {
	{ AF_INET, 8, { 10 } },
	{ AF_INET, 12, { 172, 16 } },
	{ AF_INET, 16, { 192, 168 } },
	{ AF_INET6, 7, { 0xfc } },
};

static void mask(struct pv_role_net *n, unsigned bits)
{
	n->bits = (uint8_t)bits;
	for (unsigned i = 0; i < sizeof(n->addr); i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			n->addr[i] &= (uint8_t)(0xff00u >> keep);
	}
}

static bool lies_in(const struct pv_role_net *n, const struct pv_role_net *range)
{
	struct pv_role_net copy = *n;

	if (n->family != range->family || n->bits < range->bits)
		return false;
	mask(&copy, range->bits);
	return !memcmp(copy.addr, range->addr, sizeof(copy.addr));
}

static bool widen(struct pv_role_net *n, const struct pv_role_net *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (lies_in(n, &ranges[i])) {
			*n = ranges[i];
			return true;
		}
	}
	return false;
}

static bool is_multicast(const struct pv_role_net *n)
{
	return n->family == AF_INET ? n->addr[0] >> 4 == 14 : n->addr[0] == 0xff;
}

static void widen_to_net(struct pv_role_net *n)
{
	unsigned bits = n->family == AF_INET ? 24 : 64;

	if (n->bits > bits && !is_multicast(n) &&
	    !widen(n, wholes, sizeof(wholes) / sizeof(*wholes)))
		mask(n, bits);
}

int role_net_compare(const void *a, const void *b)
{
	const struct pv_role_net *x = a, *y = b;
	int r = (x->family > y->family) - (x->family < y->family);

	if (r == 0)
		r = memcmp(x->addr, y->addr, sizeof(x->addr));
	return r ? r : (x->bits > y->bits) - (x->bits < y->bits);
}

/* Sorted, without those that lie in one before them. */
static void tidy(struct role_nets *n)
{
	size_t kept = 0;

	if (n->items.n)
		qsort(n->items.items, n->items.n, sizeof(*n->items.items), role_net_compare);
	for (size_t i = 0; i < n->items.n; i++)
		if (!kept || !lies_in(&n->items.items[i], &n->items.items[kept - 1]))
			n->items.items[kept++] = n->items.items[i];
	n->items.n = kept;
}

static void widen_all(struct role_nets *n)
{
	for (size_t i = 0; i < n->items.n; i++)
		widen_to_net(&n->items.items[i]);
	tidy(n);
}

int role_nets_add(struct role_nets *n, int family, const uint8_t *addr, enum pv_direction d)
{
	struct pv_role_net net = { .family = (uint8_t)family, .bits = 128 };
	bool mapped = family == AF_INET6 && inet_is_mapped(addr);

	if (inet_is_any(family, addr)) {
		n->any = n->any || d == PV_DIR_LISTEN;
		return 0;
	}
	if (family == AF_INET || mapped) {
		net.family = AF_INET;
		net.bits = 32;
		memcpy(net.addr, addr + (mapped ? 12 : 0), 4);
	} else {
		memcpy(net.addr, addr, 16);
	}
	if (!widen(&net, wholes, sizeof(wholes) / sizeof(*wholes)) && d != PV_DIR_OUTGOING)
		widen_to_net(&net);
	for (size_t i = n->items.n; i > 0 && i + 4 > n->items.n; i--)
		if (role_net_compare(&n->items.items[i - 1], &net) == 0)
			return 0;
	if (n->items.n >= SEEN_MAX) {
		tidy(n);
		if (n->items.n >= SEEN_MAX / 2)
			widen_all(n);
		if (n->items.n >= SEEN_MAX / 2) {
			n->any = true;
			n->items.n = 0;
		}
	}
	return n->any ? 0 : vec_push(&n->items, net);
}

/* Private ranges stay; anything else in so many networks is anywhere. */
static void widen_to_privates(struct role_nets *n)
{
	for (size_t i = 0; i < n->items.n; i++)
		if (!widen(&n->items.items[i], privates, sizeof(privates) / sizeof(*privates)) &&
		    !widen(&n->items.items[i], wholes, sizeof(wholes) / sizeof(*wholes)))
			n->any = true;
	tidy(n);
}

void role_nets_finish(struct role_nets *n, enum pv_direction d)
{
	tidy(n);
	if (d != PV_DIR_OUTGOING || n->items.n > EXACT_MAX)
		widen_all(n);
	if (n->items.n > NETS_MAX)
		widen_to_privates(n);
	if (n->any)
		n->items.n = 0;
}
