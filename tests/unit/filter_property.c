/* SPDX-License-Identifier: MIT */
/*
 * Random filters over random rows: an expression tree is written as text in a random spelling and
 * evaluated by walking the tree; parser, program and bytecode must agree with that walk.
 */
#include "filter_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define N_FILTERS 6000
#define N_ROWS 60

struct node {
	enum { NODE_AND, NODE_OR, NODE_NOT, NODE_LEAF } kind;
	struct node *a, *b;
	int leaf;
	int compare; /* index of compares[] */
	int end;     /* 0 local, 1 remote, 2 either */
	uint64_t value;
	int family;
	unsigned int bits;
	uint8_t addr[16];
	char text[80]; /* the value as it is written */
};

static uint64_t seed;

/* xorshift64*: the same filters in every run */
static uint32_t pick(uint32_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static const char *const addrs4[] = { "0.0.0.0",  "127.0.0.1", "10.0.0.1",
				      "10.0.0.2", "10.1.2.3",  "192.0.2.255" };
static const char *const addrs6[] = { "::",
				      "::1",
				      "2001:db8::1",
				      "2001:db8::2",
				      "2001:db8:1::1",
				      "::ffff:10.0.0.1",
				      "::ffff:127.0.0.1",
				      "::ffff:192.0.2.255" };
static const uint16_t ports[] = { 0, 1, 22, 53, 80, 443, 1023, 1024, 32768, 49152, 60999, 65535 };
static const char *const comms[] = { "sshd", "ssh", "a b", "nginx", "x)y" };

#define PICK(array) (array)[pick(sizeof(array) / sizeof(*(array)))]

static void random_addr(int family, uint8_t addr[16], const char **text)
{
	const char *t = family == AF_INET ? PICK(addrs4) : PICK(addrs6);

	memset(addr, 0, 16);
	assert_int_equal(inet_pton(family, t, addr), 1);
	if (text)
		*text = t;
}

/* Rows */

static struct pv_snapshot *random_rows(void)
{
	static const uint8_t states[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	struct pv_snapshot *s = snapshot_new();
	struct pv_netns ns = { .inode = 1, .ephemeral_first = 32768, .ephemeral_last = 60999 };

	assert_int_equal(vec_push(&s->netns, ns), 0);
	for (uint32_t i = 0; i < sizeof(comms) / sizeof(*comms); i++) {
		struct pv_process p = { .pid = (int32_t)i * 10,
					.comm = { comms[i], (uint32_t)strlen(comms[i]) } };
		uint32_t index;

		assert_int_equal(snapshot_add_process(s, &p, &index), 0);
	}
	for (int i = 0; i < N_ROWS; i++) {
		struct pv_conversation row = { .family = pick(2) ? AF_INET : AF_INET6,
					       .proto = pick(3) ? PV_PROTO_TCP : PV_PROTO_UDP,
					       .state = PICK(states),
					       .uid = pick(4) * 500,
					       .mark = pick(16),
					       .ifindex = pick(3),
					       .direction = (uint8_t)pick(PV_DIR_N) };
		struct pv_holder holders[] = { { pick(5), 3 }, { pick(5), 4 } };
		struct pv_conversation *c;

		random_addr(row.family, row.local.addr, NULL);
		random_addr(row.family, row.remote.addr, NULL);
		row.local.port = PICK(ports);
		row.remote.port = PICK(ports);
		c = snapshot_add(s, &row);
		assert_non_null(c);
		assert_int_equal(snapshot_set_holders(s, c, holders, pick(3)), 0);
	}
	snapshot_seal(s);
	return s;
}

/* Leaves: how they are made and written, and what they mean */

static const struct {
	const char *text;
	int compare; /* 0 = 1 != 2 < 3 <= 4 > 5 >= */
} compares[] = {
	{ " ", 0 },    { " = ", 0 },   { "=", 0 },     { " == ", 0 }, { " eq ", 0 }, { " != ", 1 },
	{ "!=", 1 },   { " ne ", 1 },  { " neq ", 1 }, { " < ", 2 },  { " lt ", 2 }, { "<", 2 },
	{ " <= ", 3 }, { " le ", 3 },  { " leq ", 3 }, { " > ", 4 },  { " gt ", 4 }, { " >= ", 5 },
	{ " ge ", 5 }, { " geq ", 5 }, { ">=", 5 },
};
#define N_EQUALITIES 9
#define N_COMPARES (int)(sizeof(compares) / sizeof(*compares))

static bool compare_numbers(int compare, uint64_t a, uint64_t b)
{
	switch (compares[compare].compare) {
	case 0:
		return a == b;
	case 2:
		return a < b;
	case 3:
		return a <= b;
	case 4:
		return a > b;
	case 5:
		return a >= b;
	default:
		abort(); /* != is written as not = */
	}
}

static bool first_bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] >> (7 - i % 8) & 1) != (b[i / 8] >> (7 - i % 8) & 1))
			return false;
	return true;
}

static bool prefix_matches(const struct node *n, const struct pv_conversation *c,
			   const struct pv_endpoint *e)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };

	if (c->family == n->family)
		return first_bits_equal(e->addr, n->addr, n->bits);
	return n->family == AF_INET && !memcmp(e->addr, mapped, 12) &&
	       first_bits_equal(e->addr + 12, n->addr, n->bits);
}

static bool port_leaf(const struct node *n, const struct pv_snapshot *s,
		      const struct pv_conversation *c)
{
	int positive = compares[n->compare].compare == 1 ? 0 : n->compare;

	(void)s;
	return (n->end != 1 && compare_numbers(positive, c->local.port, n->value)) ||
	       (n->end != 0 && compare_numbers(positive, c->remote.port, n->value));
}

static bool addr_leaf(const struct node *n, const struct pv_snapshot *s,
		      const struct pv_conversation *c)
{
	(void)s;
	return (n->end != 1 && prefix_matches(n, c, &c->local)) ||
	       (n->end != 0 && prefix_matches(n, c, &c->remote));
}

static bool addr_port_leaf(const struct node *n, const struct pv_snapshot *s,
			   const struct pv_conversation *c)
{
	(void)s;
	return (n->end != 1 && prefix_matches(n, c, &c->local) && c->local.port == n->value) ||
	       (n->end != 0 && prefix_matches(n, c, &c->remote) && c->remote.port == n->value);
}

static bool dev_leaf(const struct node *n, const struct pv_snapshot *s,
		     const struct pv_conversation *c)
{
	(void)s;
	return c->ifindex == n->value;
}

static bool family_leaf(const struct node *n, const struct pv_snapshot *s,
			const struct pv_conversation *c)
{
	(void)s;
	return c->family == n->family;
}

static bool uid_leaf(const struct node *n, const struct pv_snapshot *s,
		     const struct pv_conversation *c)
{
	(void)s;
	return compare_numbers(compares[n->compare].compare == 1 ? 0 : n->compare, c->uid,
			       n->value);
}

static bool pid_leaf(const struct node *n, const struct pv_snapshot *s,
		     const struct pv_conversation *c)
{
	int positive = compares[n->compare].compare == 1 ? 0 : n->compare;

	for (uint32_t i = 0; i < c->n_holders; i++)
		if (compare_numbers(positive, pv_snapshot_holder(s, c, i)->process * 10, n->value))
			return true;
	return false;
}

static bool comm_leaf(const struct node *n, const struct pv_snapshot *s,
		      const struct pv_conversation *c)
{
	for (uint32_t i = 0; i < c->n_holders; i++)
		if (pv_snapshot_holder(s, c, i)->process == n->value)
			return true;
	return false;
}

static bool state_leaf(const struct node *n, const struct pv_snapshot *s,
		       const struct pv_conversation *c)
{
	(void)s;
	return c->state == n->value;
}

static bool autobound_leaf(const struct node *n, const struct pv_snapshot *s,
			   const struct pv_conversation *c)
{
	(void)n, (void)s;
	return c->local.port >= 32768 && c->local.port <= 60999;
}

static bool mark_leaf(const struct node *n, const struct pv_snapshot *s,
		      const struct pv_conversation *c)
{
	(void)s;
	return (c->mark & 3) == n->value;
}

enum value {
	VALUE_PORT,
	VALUE_ADDR,
	VALUE_ADDR_PORT,
	VALUE_SMALL,
	VALUE_FAMILY,
	VALUE_UID,
	VALUE_PID,
	VALUE_COMM,
	VALUE_STATE,
	VALUE_MARK,
	VALUE_NONE
};

static const struct leaf_kind {
	const char *name;
	enum value value;
	int end;
	bool has_order, is_exact; /* the kernel decides it as we do */
	bool (*eval)(const struct node *n, const struct pv_snapshot *s,
		     const struct pv_conversation *c);
} leaf_kinds[] = {
	{ "sport", VALUE_PORT, 0, true, true, port_leaf },
	{ "dport", VALUE_PORT, 1, true, true, port_leaf },
	{ "port", VALUE_PORT, 2, true, true, port_leaf },
	{ "src", VALUE_ADDR, 0, false, true, addr_leaf },
	{ "dst", VALUE_ADDR, 1, false, true, addr_leaf },
	{ "addr", VALUE_ADDR, 2, false, true, addr_leaf },
	{ "src", VALUE_ADDR_PORT, 0, false, true, addr_port_leaf },
	{ "addr", VALUE_ADDR_PORT, 2, false, true, addr_port_leaf },
	{ "dev", VALUE_SMALL, 0, false, true, dev_leaf },
	{ "family", VALUE_FAMILY, 0, false, true, family_leaf },
	{ "uid", VALUE_UID, 0, true, false, uid_leaf },
	{ "pid", VALUE_PID, 0, true, false, pid_leaf },
	{ "comm", VALUE_COMM, 0, false, false, comm_leaf },
	{ "state", VALUE_STATE, 0, false, false, state_leaf },
	{ "fwmark", VALUE_MARK, 0, false, false, mark_leaf },
	{ "autobound", VALUE_NONE, 0, false, false, autobound_leaf },
};
#define N_LEAF_KINDS (sizeof(leaf_kinds) / sizeof(*leaf_kinds))

static void write_addr(struct node *n, bool has_port)
{
	const char *text;
	char len[12] = "";

	n->family = pick(2) ? AF_INET : AF_INET6;
	n->bits = n->family == AF_INET ? 32 : 128;
	random_addr(n->family, n->addr, &text);
	if (pick(2)) {
		n->bits = pick(n->bits + 1);
		snprintf(len, sizeof(len), "/%u", n->bits);
	}
	if (has_port)
		snprintf(n->text, sizeof(n->text), n->family == AF_INET ? "%s%s:%u" : "[%s%s]:%u",
			 text, len, (unsigned int)n->value);
	else
		snprintf(n->text, sizeof(n->text), n->family == AF_INET ? "%s%s" : "[%s%s]", text,
			 len);
}

static void write_value(struct node *n, enum value value)
{
	static const char *const comm_texts[] = { "sshd", "ssh", "\"a b\"", "\"\\x6eginx\"",
						  "x\\)y" };
	static const char *const state_texts[] = { "",		"established", "SYN-SENT",
						   "syn_recv",	"fin-wait-1",  "FIN_WAIT2",
						   "time-wait", "closed",      "close-wait",
						   "last-ack",	"listen",      "closing" };

	switch (value) {
	case VALUE_PORT:
		n->value = PICK(ports);
		snprintf(n->text, sizeof(n->text),
			 pick(2)   ? ":%u"
			 : pick(2) ? "%u"
				   : "0x%x",
			 (unsigned int)n->value);
		break;
	case VALUE_ADDR:
	case VALUE_ADDR_PORT:
		n->value = PICK(ports);
		write_addr(n, value == VALUE_ADDR_PORT);
		break;
	case VALUE_FAMILY:
		n->family = pick(2) ? AF_INET : AF_INET6;
		snprintf(n->text, sizeof(n->text), "%s", n->family == AF_INET ? "inet" : "inet6");
		break;
	case VALUE_COMM:
		n->value = pick(5);
		snprintf(n->text, sizeof(n->text), "%s", comm_texts[n->value]);
		break;
	case VALUE_STATE:
		n->value = 1 + pick(11);
		snprintf(n->text, sizeof(n->text), "%s", state_texts[n->value]);
		break;
	case VALUE_MARK:
		n->value = pick(5);
		snprintf(n->text, sizeof(n->text), "%u/3", (unsigned int)n->value);
		break;
	case VALUE_NONE:
		break;
	default:
		n->value = value == VALUE_SMALL ? pick(3)
			   : value == VALUE_UID ? pick(4) * 500
						: pick(5) * 10;
		snprintf(n->text, sizeof(n->text), "%u", (unsigned int)n->value);
	}
}

static struct node *random_node(struct arena *arena, int depth, bool exact_only)
{
	struct node *n = arena_alloc(arena, sizeof(*n));
	uint32_t kind = depth > 0 ? pick(7) : 6;

	assert_non_null(n);
	if (kind < 5) {
		n->kind = kind < 2 ? NODE_AND : kind < 4 ? NODE_OR : NODE_NOT;
		n->a = random_node(arena, depth - 1, exact_only);
		if (n->kind != NODE_NOT)
			n->b = random_node(arena, depth - 1, exact_only);
		return n;
	}
	n->kind = NODE_LEAF;
	do
		n->leaf = (int)pick(N_LEAF_KINDS);
	while (exact_only && !leaf_kinds[n->leaf].is_exact);
	n->end = leaf_kinds[n->leaf].end;
	n->compare = (int)pick(leaf_kinds[n->leaf].has_order ? (uint32_t)N_COMPARES : N_EQUALITIES);
	write_value(n, leaf_kinds[n->leaf].value);
	return n;
}

static bool eval(const struct node *n, const struct pv_snapshot *s, const struct pv_conversation *c)
{
	bool is_negated = n->kind == NODE_LEAF && compares[n->compare].compare == 1 &&
			  leaf_kinds[n->leaf].value != VALUE_NONE;

	switch (n->kind) {
	case NODE_AND:
		return eval(n->a, s, c) && eval(n->b, s, c);
	case NODE_OR:
		return eval(n->a, s, c) || eval(n->b, s, c);
	case NODE_NOT:
		return !eval(n->a, s, c);
	default:
		return leaf_kinds[n->leaf].eval(n, s, c) != is_negated;
	}
}

static bool is_exact(const struct node *n)
{
	if (n->kind == NODE_LEAF)
		return leaf_kinds[n->leaf].is_exact;
	return is_exact(n->a) && (!n->b || is_exact(n->b));
}

/* Text: parentheses where they are needed and sometimes where they are not */

static int binding(const struct node *n)
{
	return n->kind == NODE_OR ? 1 : n->kind == NODE_AND ? 2 : n->kind == NODE_NOT ? 3 : 4;
}

static void write_node(struct buf *b, const struct node *n, int min);

static bool is_state(const struct node *n)
{
	return n->kind == NODE_LEAF && leaf_kinds[n->leaf].value == VALUE_STATE;
}

static void write_bare(struct buf *b, const struct node *n)
{
	static const char *const ors[] = { " or ", " | ", " || ", "\nor\n" };
	static const char *const ands[] = { " and ", " & ", " && ", " ",
					    "\n# comment or sport 1\n" };
	static const char *const nots[] = { "not ", "!", "! " };

	switch (n->kind) {
	case NODE_OR:
		write_node(b, n->a, 1);
		buf_puts(b, PICK(ors));
		write_node(b, n->b, 2);
		break;
	case NODE_AND:
		write_node(b, n->a, 2);
		/* state clauses in a row would make one set, and open a filter for all of it */
		if (is_state(n->a) || is_state(n->b))
			buf_puts(b, " and ");
		else
			buf_puts(b, PICK(ands));
		write_node(b, n->b, 3);
		break;
	case NODE_NOT:
		buf_puts(b, PICK(nots));
		write_node(b, n->a, 3);
		break;
	default:
		buf_puts(b, leaf_kinds[n->leaf].name);
		if (leaf_kinds[n->leaf].value == VALUE_NONE)
			break;
		buf_puts(b, compares[n->compare].text);
		buf_puts(b, n->text);
	}
}

static void write_node(struct buf *b, const struct node *n, int min)
{
	bool has_parentheses = binding(n) < min || pick(8) == 0;

	if (has_parentheses)
		buf_puts(b, pick(2) ? "(" : "( ");
	write_bare(b, n);
	if (has_parentheses)
		buf_puts(b, pick(2) ? ")" : " )");
}

struct counts {
	size_t matched, lowered, rejected, exact;
};

static void check_filter(const struct pv_snapshot *s, const struct node *n, const char *text,
			 struct counts *counts)
{
	struct pv_syntax_error e;
	struct pv_filter *f = NULL;
	void *code[2];
	size_t size[2];

	if (pv_filter_parse(text, &f, &e) < 0)
		fail_msg("%s\nat %zu: %s", text, e.offset, e.message);
	for (int v = 0; v < 2; v++) {
		assert_int_equal(pv_filter_lower(f, v, &code[v], &size[v]), 0);
		if (code[v] && !bytecode_is_valid(code[v], size[v]))
			fail_msg("%s: the kernel would refuse the code", text);
	}
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct pv_conversation *c = snapshot_row(s, i);
		int v = c->family == AF_INET6;
		bool want = eval(n, s, c);
		bool kernel = !code[v] || bytecode_accepts(code[v], size[v], c);

		if (pv_filter_match(f, s, c) != want)
			fail_msg("%s: row %zu should%s match", text, i, want ? "" : " not");
		if (want && !(pv_filter_states(f) & PV_STATE_BIT(c->state)))
			fail_msg("%s: row %zu matches in a state that is ruled out", text, i);
		if (want && !kernel)
			fail_msg("%s: the kernel would lose row %zu", text, i);
		if (is_exact(n) && want != kernel)
			fail_msg("%s: the kernel would keep row %zu", text, i);
		counts->matched += want;
		counts->rejected += !kernel;
	}
	counts->lowered += code[0] || code[1];
	counts->exact += is_exact(n) && (code[0] || code[1]);
	free(code[0]);
	free(code[1]);
	pv_filter_free(f);
}

void test_random_filters(void **state)
{
	struct counts counts = { 0 };
	struct pv_snapshot *s;

	(void)state;
	seed = UINT64_C(0x9e3779b97f4a7c15);
	s = random_rows();
	for (int i = 0; i < N_FILTERS; i++) {
		_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
		struct arena arena = ARENA_INIT;
		struct node *n = random_node(&arena, (int)pick(7), i % 3 == 0);

		write_node(&text, n, 1);
		check_filter(s, n, buf_str(&text), &counts);
		arena_deinit(&arena);
	}
	pv_snapshot_free(s);
	print_message("%zu matches; of %d filters %zu lowered, %zu of them exactly; %zu rows kept "
		      "back\n",
		      counts.matched, N_FILTERS, counts.lowered, counts.exact, counts.rejected);
	assert_true(counts.matched > N_FILTERS);
	assert_true(counts.lowered > N_FILTERS / 3);
	assert_true(counts.exact > N_FILTERS / 10);
	assert_true(counts.rejected > N_FILTERS);
}
