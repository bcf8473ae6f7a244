/* SPDX-License-Identifier: MIT */
/*
 * The grammar: OR binds loosest, then AND (written or implied), then NOT. Operators wait on a stack
 * of fixed size, so hostile nesting is an error and never a deep recursion; fragments of program
 * are joined as soon as both sides are known, in time linear in the text.
 */
#include "filter/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "filter/rule.h"

#define NIL UINT32_MAX
/* between two parentheses at most OR, AND and NOT wait */
#define STACK_MAX (4 * FILTER_DEPTH_MAX + 4)

#define WANT_PREDICATE                                                                             \
	"state, src, dst, sport, dport, comm, pid, user ..., not or ( (see portavoz-filter(7))"
#define WANT_OPERATOR "and, or, another predicate"

static uint32_t *exit_slot(struct pv_filter *f, uint32_t exit)
{
	struct leaf *l = &f->leaves.items[exit / 2];

	return exit % 2 ? &l->no : &l->yes;
}

static void patch(struct pv_filter *f, const struct exits *e, uint32_t target)
{
	uint32_t exit = e->head;

	while (exit != NIL) {
		uint32_t *slot = exit_slot(f, exit);

		exit = *slot;
		*slot = target;
	}
}

static struct exits join(struct pv_filter *f, const struct exits *a, const struct exits *b)
{
	if (a->head == NIL)
		return *b;
	if (b->head == NIL)
		return *a;
	*exit_slot(f, a->tail) = b->head;
	return (struct exits){ a->head, b->tail };
}

int fragment_leaf(struct parser *p, const struct leaf *leaf, struct fragment *ret)
{
	struct leaf l = *leaf;
	uint32_t i = (uint32_t)p->filter->leaves.n;

	l.yes = l.no = NIL;
	l.positive = true;
	*ret = (struct fragment){ .first = i,
				  .yes = { i * 2, i * 2 },
				  .no = { i * 2 + 1, i * 2 + 1 },
				  .states_yes = PV_STATE_ALL,
				  .states_no = PV_STATE_ALL };
	return vec_push(&p->filter->leaves, l);
}

void fragment_and(struct parser *p, struct fragment *a, const struct fragment *b)
{
	patch(p->filter, &a->yes, b->first);
	a->yes = b->yes;
	a->no = join(p->filter, &a->no, &b->no);
	a->states_yes &= b->states_yes;
	a->states_no |= b->states_no;
}

void fragment_or(struct parser *p, struct fragment *a, const struct fragment *b)
{
	patch(p->filter, &a->no, b->first);
	a->no = b->no;
	a->yes = join(p->filter, &a->yes, &b->yes);
	a->states_yes |= b->states_yes;
	a->states_no &= b->states_no;
}

void fragment_not(struct parser *p, struct fragment *f)
{
	struct fragment old = *f;

	f->yes = old.no;
	f->no = old.yes;
	f->states_yes = old.states_no;
	f->states_no = old.states_yes;
	/* f is the newest fragment: it reaches to the end of the program */
	for (size_t i = f->first; i < p->filter->leaves.n; i++)
		p->filter->leaves.items[i].positive = !p->filter->leaves.items[i].positive;
}

struct stacks {
	struct word at[STACK_MAX]; /* of an open parenthesis */
	uint8_t operators[STACK_MAX];
	struct fragment fragments[STACK_MAX + 1];
	size_t n_operators, n_fragments, depth;
	bool has_closed; /* a parenthesis */
};

/*
 * The AND behind state clauses that open the filter: as in ss they hold for all that follows, ORs
 * included. It shares no number with the tokens that are operators.
 */
#define OPERATOR_STATES TOKEN_WORD

static int rank(const struct parser *p, uint8_t operator)
{
	static const uint8_t ranks[] = {
		[OPERATOR_STATES] = 1, [TOKEN_OR] = 2, [TOKEN_AND] = 3, [TOKEN_NOT] = 4
	};

	if (p->as_ss && operator== TOKEN_OR)
		operator= TOKEN_AND;
	return operator<sizeof(ranks) ? ranks[operator] : 0;
}

/* Applies waiting operators that bind at least as tightly as `min`. */
static void reduce(struct parser *p, struct stacks *s, int min)
{
	while (s->n_operators && rank(p, s->operators[s->n_operators - 1]) >= min) {
		uint8_t operator= s->operators[--s->n_operators];
		struct fragment *top = &s->fragments[s->n_fragments - 1];

		if (operator== TOKEN_NOT) {
			fragment_not(p, top);
			continue;
		}
		if (operator!= TOKEN_OR)
			fragment_and(p, top - 1, top);
		else
			fragment_or(p, top - 1, top);
		s->n_fragments--;
	}
}

static void push_operator(struct stacks *s, uint8_t operator, const struct word * at)
{
	s->at[s->n_operators] = *at;
	s->operators[s->n_operators++] = operator;
}

static int open_parenthesis(struct parser *p, struct stacks *s, const struct word *at)
{
	if (s->depth == FILTER_DEPTH_MAX)
		return fail_at(p, at, "at most 100 levels of parentheses", "is nested too deeply");
	s->depth++;
	push_operator(s, TOKEN_OPEN, at);
	return 0;
}

static int close_parenthesis(struct parser *p, struct stacks *s, const struct word *at)
{
	if (!s->depth)
		return fail_at(p, at, WANT_OPERATOR, "closes a parenthesis that was not opened");
	s->depth--;
	s->has_closed = true;
	reduce(p, s, 1);
	s->n_operators--;
	reduce(p, s, rank(p, TOKEN_NOT));
	return 0;
}

static int parse_predicate(struct parser *p, const struct word *w, struct fragment *ret)
{
	const struct predicate *pred = predicate_find(p->text + w->offset, w->len);
	const char *text;
	size_t n;
	int r;

	if (pred && !w->is_quoted && pred->needs & p->refused)
		return fail_at(p, w, NULL, "is known only when the policy has been asked");
	if (pred && !w->is_quoted) {
		p->filter->needs |= pred->needs;
		return pred->parse(p, pred, w, ret);
	}
	r = word_text(p, w, 0, &text, &n);
	if (r < 0)
		return r;
	if (looks_like_host(text, n))
		return parse_bare_host(p, w, ret);
	return fail_at(p, w, WANT_PREDICATE, "is neither a predicate nor an address");
}

/* One token where a predicate may start; *ret_done: a predicate was read. */
static int parse_operand(struct parser *p, struct stacks *s, bool *ret_done)
{
	struct token t;
	int r = lexer_next(p, false, &t);

	if (r < 0)
		return r;
	switch (t.kind) {
	case TOKEN_OPEN:
		return open_parenthesis(p, s, &t.word);
	case TOKEN_NOT:
		/* two in a row cancel: the stack stays as deep as the parentheses are */
		if (s->n_operators && s->operators[s->n_operators - 1] == TOKEN_NOT)
			s->n_operators--;
		else
			push_operator(s, TOKEN_NOT, &t.word);
		return 0;
	case TOKEN_WORD:
		r = parse_predicate(p, &t.word, &s->fragments[s->n_fragments]);
		if (r < 0)
			return r;
		s->n_fragments++;
		reduce(p, s, rank(p, TOKEN_NOT));
		*ret_done = true;
		return 0;
	case TOKEN_END:
		return fail_at(p, &t.word, WANT_PREDICATE,
			       "the filter ends where a predicate is expected");
	default:
		return fail_at(p, &t.word, WANT_PREDICATE, "stands where a predicate is expected");
	}
}

/* Is all that was read so far one set of states? */
static bool opens_with_states(const struct parser *p, const struct stacks *s)
{
	const struct leaf *first = p->filter->leaves.items;

	return s->n_operators == 0 && !s->has_closed && p->filter->leaves.n == 1 &&
	       first->match == match_state && first->positive;
}

/* One token behind a predicate; *ret_done: an operator was read, a predicate must follow. */
static int parse_operator(struct parser *p, struct stacks *s, bool *ret_done)
{
	size_t pos = p->pos;
	struct token t;
	int r = lexer_next(p, false, &t);

	if (r < 0)
		return r;
	switch (t.kind) {
	case TOKEN_END:
		return 0;
	case TOKEN_CLOSE:
		return close_parenthesis(p, s, &t.word);
	case TOKEN_COMPARE:
		return fail_at(p, &t.word, WANT_OPERATOR, "has no predicate before it");
	case TOKEN_OR:
	case TOKEN_AND:
		break;
	default:
		p->pos = pos;
		t.kind = opens_with_states(p, s) ? OPERATOR_STATES : TOKEN_AND;
	}
	reduce(p, s, rank(p, (uint8_t)t.kind));
	push_operator(s, (uint8_t)t.kind, &t.word);
	*ret_done = true;
	return 0;
}

static int parse_expression(struct parser *p, struct stacks *s)
{
	bool want_operand = true;
	struct token t;
	int r = lexer_peek(p, false, &t);

	if (r < 0 || t.kind == TOKEN_END)
		return r;
	do {
		bool done = false;

		r = want_operand ? parse_operand(p, s, &done) : parse_operator(p, s, &done);
		if (r < 0)
			return r;
		if (done)
			want_operand = !want_operand;
		r = lexer_peek(p, false, &t);
		if (r < 0)
			return r;
	} while (t.kind != TOKEN_END || want_operand);
	reduce(p, s, 1);
	if (s->n_operators)
		return fail_at(p, &s->at[s->n_operators - 1], ")", "is not closed");
	return 0;
}

static int parse_all(struct parser *p)
{
	struct stacks *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = parse_expression(p, s);
	if (!r && s->n_fragments) {
		patch(p->filter, &s->fragments[0].yes, FILTER_ACCEPT);
		patch(p->filter, &s->fragments[0].no, FILTER_REJECT);
		p->filter->states = s->fragments[0].states_yes & PV_STATE_ALL;
	}
	free(s);
	return r;
}

/* `how`: the text, and how it is meant. */
static int parse_filter(const struct parser *how, struct pv_filter **ret_filter,
			struct pv_syntax_error *error)
{
	struct pv_syntax_error ignored;
	struct parser p = *how;
	int r;

	p.error = error ? error : &ignored;
	*p.error = (struct pv_syntax_error){ 0 };
	p.len = strnlen(p.text, FILTER_TEXT_MAX + 1);
	if (p.len > FILTER_TEXT_MAX) {
		struct word end = { .offset = FILTER_TEXT_MAX };

		return fail_at(&p, &end, "at most 65536 bytes", "the filter is too long");
	}
	p.filter = calloc(1, sizeof(*p.filter));
	if (!p.filter)
		return -ENOMEM;
	p.filter->states = PV_STATE_ALL;
	r = parse_all(&p);
	if (r < 0) {
		pv_filter_free(p.filter);
		return r;
	}
	*ret_filter = p.filter;
	return 0;
}

int pv_filter_parse(const char *text, struct pv_filter **ret_filter, struct pv_syntax_error *error)
{
	return parse_filter(&(struct parser){ .text = text }, ret_filter, error);
}

int pv_filter_parse_ss(const char *text, int family, struct pv_filter **ret_filter,
		       struct pv_syntax_error *error)
{
	return parse_filter(
		&(struct parser){ .text = text, .family = (uint8_t)family, .as_ss = true },
		ret_filter, error);
}

int filter_parse_rule(const char *text, struct pv_filter **ret_filter,
		      struct pv_syntax_error *error)
{
	return parse_filter(&(struct parser){ .text = text, .refused = PV_NEED_VERDICT },
			    ret_filter, error);
}

void pv_filter_free(struct pv_filter *f)
{
	if (!f)
		return;
	vec_deinit(&f->leaves);
	arena_deinit(&f->arena);
	free(f);
}

bool pv_filter_is_empty(const struct pv_filter *f)
{
	return f->leaves.n == 0;
}

uint32_t pv_filter_needs(const struct pv_filter *f)
{
	return f->needs;
}

uint32_t pv_filter_states(const struct pv_filter *f)
{
	return f->states;
}

bool pv_filter_has_states(const struct pv_filter *f)
{
	return f->has_states;
}
