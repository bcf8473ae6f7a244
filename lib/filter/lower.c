/* SPDX-License-Identifier: MIT */
/*
 * From the decision program to inet_diag bytecode (linux/inet_diag.h).
 *
 * Kept out: what the kernel decides differently or only for some callers. fwmark needs
 * CAP_NET_ADMIN, without it the kernel refuses the whole dump (EPERM); autobound tests a bind flag
 * in the kernel and the ephemeral range here; a cgroup is one id there and a subtree here.
 *
 * Such a leaf is taken for true where its truth helps the whole to match and for false under an odd
 * number of negations. Every leaf stands once in the expression, so the result can only match more.
 *
 * The kernel checks code by walking from operation to operation by `yes`, and accepts as targets of
 * `no` only places on that walk (inet_diag_bc_audit, Linux 6.18). So `yes` is always the length of
 * the operation, at most 28 of the 255 it can hold, and all branching is done by `no` and by JMP,
 * which always takes `no`. A target at the end of the code accepts, 4 bytes behind it rejects.
 */
#include "filter/internal.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* `no` is a uint16_t and so is the length of a netlink attribute. */
#define CODE_MAX 60000

#define OP_SIZE ((uint32_t)sizeof(struct inet_diag_bc_op))

enum verdict { VERDICT_UNKNOWN, VERDICT_FALSE, VERDICT_TRUE, VERDICT_CODE };

static bool is_wrong_family(const struct leaf *l, uint8_t family)
{
	return l->family != AF_UNSPEC && l->family != family;
}

static enum verdict port_verdict(const struct leaf *l, uint8_t family)
{
	if (is_wrong_family(l, family) || l->range.first > l->range.last ||
	    l->range.first > UINT16_MAX)
		return VERDICT_FALSE;
	return l->range.first == 0 && l->range.last >= UINT16_MAX ? VERDICT_TRUE : VERDICT_CODE;
}

/* What the kernel can say about a leaf when it dumps sockets of one family. */
static enum verdict leaf_verdict(const struct leaf *l, uint8_t family)
{
	switch ((enum leaf_lower)l->lower) {
	case LOWER_TRUE:
		return VERDICT_TRUE;
	case LOWER_FAMILY:
		return l->family == family ? VERDICT_TRUE : VERDICT_FALSE;
	case LOWER_PORT:
		return port_verdict(l, family);
	case LOWER_NET:
		if (is_wrong_family(l, family) || (l->net.family == AF_INET6 && family == AF_INET))
			return VERDICT_FALSE;
		return l->net.bits || l->net.family != family ? VERDICT_CODE : VERDICT_TRUE;
	case LOWER_IFINDEX:
		return VERDICT_CODE;
	default:
		return VERDICT_UNKNOWN;
	}
}

static bool is_single_port(const struct leaf *l)
{
	return l->range.first == l->range.last;
}

/* Bytes of the operations of a leaf, without a jump behind them. */
static uint32_t body_size(const struct leaf *l)
{
	uint32_t n_ports = 0;

	switch ((enum leaf_lower)l->lower) {
	case LOWER_PORT:
		n_ports =
			is_single_port(l) ? 1 : (l->range.first > 0) + (l->range.last < UINT16_MAX);
		return n_ports * 2 * OP_SIZE;
	case LOWER_NET:
		return OP_SIZE + (uint32_t)sizeof(struct inet_diag_hostcond) +
		       (l->net.family == AF_INET6 ? 16 : 4);
	default:
		return OP_SIZE + (uint32_t)sizeof(uint32_t);
	}
}

struct layout {
	const struct leaf *leaves;
	size_t n;
	uint8_t family;
	uint32_t *target; /* of a leaf: itself, or where a decided leaf leads */
	uint32_t *place;  /* offset of a leaf in the code; UINT32_MAX = not reached */
	uint32_t *next;	  /* the leaf laid out behind it, or FILTER_ACCEPT */
	uint32_t size;
};

static uint32_t follow(const struct layout *y, uint32_t leaf)
{
	return leaf < FILTER_REJECT ? y->target[leaf] : leaf;
}

static void resolve(struct layout *y)
{
	for (size_t i = y->n; i-- > 0;) {
		const struct leaf *l = &y->leaves[i];
		enum verdict v = leaf_verdict(l, y->family);
		uint32_t yes = follow(y, l->yes), no = follow(y, l->no);

		if (v == VERDICT_UNKNOWN)
			v = l->positive ? VERDICT_TRUE : VERDICT_FALSE;
		if (v == VERDICT_TRUE || yes == no)
			y->target[i] = yes;
		else
			y->target[i] = v == VERDICT_FALSE ? no : (uint32_t)i;
	}
}

static void mark(struct layout *y, uint32_t leaf)
{
	if (leaf < FILTER_REJECT)
		y->place[leaf] = 0;
}

/* Marks what can be reached; jumps go forward, so one pass finds all. */
static void reach(struct layout *y)
{
	for (size_t i = 0; i < y->n; i++)
		y->place[i] = UINT32_MAX;
	mark(y, follow(y, 0));
	for (size_t i = 0; i < y->n; i++) {
		if (y->place[i] == UINT32_MAX)
			continue;
		mark(y, follow(y, y->leaves[i].yes));
		mark(y, follow(y, y->leaves[i].no));
	}
}

static bool needs_jump(const struct layout *y, size_t i)
{
	return follow(y, y->leaves[i].yes) != y->next[i];
}

/* Returns false when the code would be too long. */
static bool place(struct layout *y)
{
	uint32_t next = FILTER_ACCEPT;

	for (size_t i = y->n; i-- > 0;) {
		if (y->place[i] == UINT32_MAX)
			continue;
		y->next[i] = next;
		next = (uint32_t)i;
	}
	y->size = 0;
	for (size_t i = 0; i < y->n; i++) {
		if (y->place[i] == UINT32_MAX)
			continue;
		y->place[i] = y->size;
		y->size += body_size(&y->leaves[i]) + (needs_jump(y, i) ? OP_SIZE : 0);
		if (y->size > CODE_MAX)
			return false;
	}
	return true;
}

struct writer {
	const struct layout *y;
	char *code;
	uint32_t pos;
};

static uint32_t offset_of(const struct layout *y, uint32_t leaf)
{
	leaf = follow(y, leaf);
	if (leaf == FILTER_ACCEPT)
		return y->size;
	return leaf == FILTER_REJECT ? y->size + OP_SIZE : y->place[leaf];
}

/* An operation of `size` bytes with its operand, which goes to `no` when its test fails. */
static void put_op(struct writer *w, uint8_t code, uint32_t no, const void *operand, uint32_t size)
{
	struct inet_diag_bc_op op = { .code = code,
				      .yes = (uint8_t)(OP_SIZE + size),
				      .no = (uint16_t)(offset_of(w->y, no) - w->pos) };

	memcpy(w->code + w->pos, &op, OP_SIZE);
	if (size)
		memcpy(w->code + w->pos + OP_SIZE, operand, size);
	w->pos += OP_SIZE + size;
}

static void put_port(struct writer *w, const struct leaf *l, uint8_t code, uint64_t port)
{
	struct inet_diag_bc_op operand = { .no = (uint16_t)port };

	put_op(w, code, l->no, &operand, OP_SIZE);
}

static void put_ports(struct writer *w, const struct leaf *l)
{
	bool is_local = l->end == END_LOCAL;

	if (is_single_port(l)) {
		put_port(w, l, is_local ? INET_DIAG_BC_S_EQ : INET_DIAG_BC_D_EQ, l->range.first);
		return;
	}
	if (l->range.first > 0)
		put_port(w, l, is_local ? INET_DIAG_BC_S_GE : INET_DIAG_BC_D_GE, l->range.first);
	if (l->range.last < UINT16_MAX)
		put_port(w, l, is_local ? INET_DIAG_BC_S_LE : INET_DIAG_BC_D_LE, l->range.last);
}

static void put_net(struct writer *w, const struct leaf *l)
{
	struct inet_diag_hostcond cond = { .family = l->net.family,
					   .prefix_len = l->net.bits,
					   .port = -1 };
	uint32_t n = l->net.family == AF_INET6 ? 16 : 4;
	char operand[sizeof(cond) + 16];

	memcpy(operand, &cond, sizeof(cond));
	memcpy(operand + sizeof(cond), l->net.addr, n);
	put_op(w, l->end == END_LOCAL ? INET_DIAG_BC_S_COND : INET_DIAG_BC_D_COND, l->no, operand,
	       (uint32_t)sizeof(cond) + n);
}

static void put_leaf(struct writer *w, size_t i)
{
	const struct leaf *l = &w->y->leaves[i];
	uint32_t ifindex = (uint32_t)l->range.first;

	if (l->lower == LOWER_PORT)
		put_ports(w, l);
	else if (l->lower == LOWER_NET)
		put_net(w, l);
	else
		put_op(w, INET_DIAG_BC_DEV_COND, l->no, &ifindex, sizeof(ifindex));
	if (needs_jump(w->y, i))
		put_op(w, INET_DIAG_BC_JMP, l->yes, NULL, 0);
}

static int write_code(const struct layout *y, void **ret_code, size_t *ret_size)
{
	struct writer w = { .y = y };

	w.code = malloc(y->size);
	if (!w.code)
		return -ENOMEM;
	for (size_t i = 0; i < y->n; i++)
		if (y->place[i] != UINT32_MAX)
			put_leaf(&w, i);
	*ret_code = w.code;
	*ret_size = y->size;
	return 0;
}

/* Code that matches nothing: a jump behind the end. */
static int write_reject(void **ret_code, size_t *ret_size)
{
	static const struct inet_diag_bc_op reject = { .code = INET_DIAG_BC_JMP,
						       .yes = sizeof(reject),
						       .no = 2 * sizeof(reject) };

	*ret_code = malloc(sizeof(reject));
	if (!*ret_code)
		return -ENOMEM;
	memcpy(*ret_code, &reject, sizeof(reject));
	*ret_size = sizeof(reject);
	return 0;
}

int pv_filter_lower(const struct pv_filter *f, bool ipv6, void **ret_code, size_t *ret_size)
{
	_cleanup_(cleanup_free) uint32_t *memory = NULL;
	struct layout y = { .leaves = f->leaves.items,
			    .n = f->leaves.n,
			    .family = ipv6 ? AF_INET6 : AF_INET };

	*ret_code = NULL;
	*ret_size = 0;
	if (!y.n)
		return 0;
	memory = calloc(y.n, 3 * sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	y.target = memory;
	y.place = memory + y.n;
	y.next = memory + 2 * y.n;
	resolve(&y);
	if (follow(&y, 0) == FILTER_ACCEPT)
		return 0;
	if (follow(&y, 0) == FILTER_REJECT)
		return write_reject(ret_code, ret_size);
	reach(&y);
	return place(&y) ? write_code(&y, ret_code, ret_size) : 0;
}
