/* SPDX-License-Identifier: MIT */
/*
 * A reader of inet_diag bytecode, written from what Linux does with it (net/ipv4/inet_diag.c, 6.18)
 * and independent of the code that lowers filters. The live test shows that the kernel agrees.
 */
#include "filter_test.h"

#include <linux/inet_diag.h>
#include <string.h>
#include <sys/socket.h>

static struct inet_diag_bc_op op_at(const uint8_t *code, size_t pos)
{
	struct inet_diag_bc_op op;

	memcpy(&op, code + pos, sizeof(op));
	return op;
}

static size_t operand_size(const uint8_t *code, size_t pos, size_t size)
{
	const struct inet_diag_bc_op op = op_at(code, pos);
	uint8_t family, bits;
	size_t n;

	switch (op.code) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO:
		return 0;
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_D_EQ:
	case INET_DIAG_BC_DEV_COND:
		return 4;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		if (size - pos < 12)
			return SIZE_MAX;
		family = code[pos + 4];
		bits = code[pos + 5];
		n = family == AF_UNSPEC ? 0 : family == AF_INET ? 4 : family == AF_INET6 ? 16 : 99;
		return n > 16 || bits > 8 * n ? SIZE_MAX : 8 + n;
	default:
		return SIZE_MAX; /* needs privileges, or unknown */
	}
}

/* Can `target` be reached from the start by `yes` alone? */
static bool is_on_walk(const uint8_t *code, size_t size, size_t target)
{
	size_t pos = 0;

	while (pos < target && pos < size)
		pos += op_at(code, pos).yes;
	return pos == target;
}

bool bytecode_is_valid(const void *data, size_t size)
{
	const uint8_t *code = data;
	size_t pos = 0;

	if (size < 4 || size > UINT16_MAX - 4)
		return false;
	while (pos < size) {
		struct inet_diag_bc_op op;
		size_t n;

		if (size - pos < sizeof(op))
			return false;
		op = op_at(code, pos);
		n = operand_size(code, pos, size);
		if (n == SIZE_MAX || n + 4 > size - pos)
			return false;
		if (op.yes < n + 4 || op.yes % 4 || op.yes > size - pos + 4)
			return false;
		if (op.code != INET_DIAG_BC_NOP &&
		    (op.no < n + 4 || op.no % 4 || op.no > size - pos + 4 ||
		     (op.no < size - pos && !is_on_walk(code, size, pos + op.no))))
			return false;
		pos += op.yes;
	}
	return pos == size;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static bool host_matches(const uint8_t *operand, uint8_t family, const struct pv_endpoint *end)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct inet_diag_hostcond cond;

	memcpy(&cond, operand, sizeof(cond));
	if (cond.port != -1 && (uint32_t)cond.port != end->port)
		return false;
	if (cond.family == AF_UNSPEC || cond.family == family)
		return same_bits(end->addr, operand + sizeof(cond), cond.prefix_len);
	return family == AF_INET6 && cond.family == AF_INET && !memcmp(end->addr, mapped, 12) &&
	       same_bits(end->addr + 12, operand + sizeof(cond), cond.prefix_len);
}

static bool op_is_true(const uint8_t *code, size_t pos, const struct pv_conversation *row)
{
	const struct inet_diag_bc_op op = op_at(code, pos);
	uint16_t port = 0;
	uint32_t word = 0;

	if (op.yes >= 8) {
		port = op_at(code, pos + 4).no;
		memcpy(&word, code + pos + 4, sizeof(word));
	}
	switch (op.code) {
	case INET_DIAG_BC_JMP:
		return false;
	case INET_DIAG_BC_S_EQ:
		return row->local.port == port;
	case INET_DIAG_BC_S_GE:
		return row->local.port >= port;
	case INET_DIAG_BC_S_LE:
		return row->local.port <= port;
	case INET_DIAG_BC_D_EQ:
		return row->remote.port == port;
	case INET_DIAG_BC_D_GE:
		return row->remote.port >= port;
	case INET_DIAG_BC_D_LE:
		return row->remote.port <= port;
	case INET_DIAG_BC_S_COND:
		return host_matches(code + pos + 4, row->family, &row->local);
	case INET_DIAG_BC_D_COND:
		return host_matches(code + pos + 4, row->family, &row->remote);
	case INET_DIAG_BC_DEV_COND:
		return word == row->ifindex;
	default:
		return true;
	}
}

bool bytecode_accepts(const void *data, size_t size, const struct pv_conversation *row)
{
	const uint8_t *code = data;
	size_t pos = 0;

	while (pos < size) {
		const struct inet_diag_bc_op op = op_at(code, pos);

		pos += op_is_true(code, pos, row) ? op.yes : op.no;
	}
	return pos == size;
}
