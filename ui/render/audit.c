/* SPDX-License-Identifier: MIT */
#include "ui/render/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/vec.h"
#include "ui/columns/columns.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"

#define LINE_COLUMNS "proto,state,local,direction,remote,process"
#define NEEDS                                                                                      \
	(PV_NEED_OWNERS | PV_NEED_EXE | PV_NEED_CMDLINE | PV_NEED_CGROUP | PV_NEED_PUSER |         \
	 PV_NEED_DIRECTION | PV_NEED_PEER | PV_NEED_VERDICT)

static enum pv_policy_status status_of(const struct pv_snapshot *s, const struct pv_policy *policy,
				       size_t i)
{
	return pv_policy_rule_status(pv_policy_rule(policy, i), pv_snapshot_policy_matches(s, i));
}

void audit_count(const struct pv_snapshot *s, const struct pv_policy *policy,
		 struct audit_summary *ret)
{
	size_t n_rules = policy ? pv_policy_count(policy) : 0;

	*ret = (struct audit_summary){ 0 };
	for (size_t i = 0; i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);

		ret->verdicts[c->verdict]++;
		ret->partial += c->verdict_is_partial;
	}
	for (size_t i = 0; i < n_rules; i++) {
		enum pv_policy_status status = status_of(s, policy, i);

		ret->missing += status == PV_POLICY_MISSING;
		ret->unused += status == PV_POLICY_UNUSED;
	}
}

static const enum pv_verdict order[] = { PV_VERDICT_SUSPICIOUS, PV_VERDICT_UNEXPLAINED,
					 PV_VERDICT_NONE, PV_VERDICT_EXPLAINED };
#define N_ORDER (sizeof(order) / sizeof(*order))

static bool is_shown(const struct audit_options *o, enum pv_verdict verdict)
{
	return o->all || verdict != PV_VERDICT_EXPLAINED;
}

/* --- text --- */

static const char *tint(const struct audit_options *o, enum pv_verdict verdict)
{
	static const char *const tints[PV_VERDICT_N] = { "", "\033[32m", "\033[33m", "\033[31m" };

	return o->color ? tints[verdict] : "";
}

static const char *tint_end(const struct audit_options *o)
{
	return o->color ? "\033[0m" : "";
}

void audit_put_finding(const struct pv_finding *f, const struct audit_options *o, struct buf *b)
{
	static const struct {
		char sign;
		enum pv_verdict like;
	} looks[PV_SEVERITY_N] = { [PV_SEVERITY_EXPLAINS] = { '+', PV_VERDICT_EXPLAINED },
				   [PV_SEVERITY_NOTE] = { '-', PV_VERDICT_NONE },
				   [PV_SEVERITY_SUSPICIOUS] = { '!', PV_VERDICT_SUSPICIOUS } };
	size_t n;
	const struct pv_rule *rule = &pv_rules(&n)[f->rule];

	buf_printf(b, "    %s%c %s:%s ", tint(o, looks[rule->severity].like),
		   looks[rule->severity].sign, rule->id, tint_end(o));
	column_put_sentence(&f->evidence, o->ascii, b);
	buf_putc(b, '\n');
}

/* Rows with the same findings, in the order of the first. */
struct group {
	uint32_t first, last; /* numbers of rows; chained by next_in_group */
	uint32_t n;
};

struct groups {
	const struct pv_snapshot *s;
	VEC(struct group) items;
	uint32_t *next; /* of each row: the next one of its group; MAP_NONE = none */
	struct map by_findings;
};

static uint64_t hash_findings(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	uint64_t h = c->verdict;

	for (uint32_t i = 0; i < c->n_findings; i++) {
		const struct pv_finding *f = pv_snapshot_finding(s, c, i);

		h = map_mix(h, f->rule);
		for (uint32_t k = 0; k < f->evidence.len; k++)
			h = map_mix(h, (uint8_t)f->evidence.data[k]);
	}
	return h;
}

static bool same_findings(const struct pv_snapshot *s, const struct pv_conversation *a,
			  const struct pv_conversation *b)
{
	if (a->verdict != b->verdict || a->n_findings != b->n_findings)
		return false;
	for (uint32_t i = 0; i < a->n_findings; i++) {
		const struct pv_finding *x = pv_snapshot_finding(s, a, i);
		const struct pv_finding *y = pv_snapshot_finding(s, b, i);

		if (x->rule != y->rule || x->evidence.len != y->evidence.len ||
		    (x->evidence.data != y->evidence.data &&
		     memcmp(x->evidence.data, y->evidence.data, x->evidence.len) != 0))
			return false;
	}
	return true;
}

static int add_row(struct groups *g, uint32_t row)
{
	const struct pv_conversation *c = pv_snapshot_get(g->s, row);
	struct group fresh = { row, row, 1 };
	uint32_t old;
	int r = map_insert(&g->by_findings, hash_findings(g->s, c), (uint32_t)g->items.n, &old);

	g->next[row] = MAP_NONE;
	if (r < 0)
		return r;
	if (r == 1) {
		struct group *group = &g->items.items[old];

		if (same_findings(g->s, c, pv_snapshot_get(g->s, group->first))) {
			g->next[group->last] = row;
			group->last = row;
			group->n++;
			return 0;
		}
	}
	return vec_push(&g->items, fresh);
}

static int make_groups(struct groups *g, const struct audit_options *o)
{
	size_t n = pv_snapshot_count(g->s);

	g->next = malloc((n + 1) * sizeof(*g->next));
	if (!g->next)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (is_shown(o, (enum pv_verdict)pv_snapshot_get(g->s, i)->verdict) &&
		    add_row(g, (uint32_t)i) < 0)
			return -ENOMEM;
	return 0;
}

static void groups_deinit(struct groups *g)
{
	vec_deinit(&g->items);
	map_deinit(&g->by_findings);
	free(g->next);
}

static void put_row(const struct column *const *columns, size_t n,
		    const struct column_context *context, const struct pv_conversation *c,
		    struct buf *b)
{
	buf_puts(b, "  ");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ' ');
		column_put(columns[i], context, c, b, 0);
	}
	buf_putc(b, '\n');
}

struct text_columns {
	const struct column **columns;
	size_t n;
	struct column_context context;
};

static void put_group(const struct groups *g, const struct group *group,
		      const struct text_columns *t, const struct audit_options *o, struct buf *b)
{
	const struct pv_conversation *c = pv_snapshot_get(g->s, group->first);

	for (uint32_t row = group->first; row != MAP_NONE; row = g->next[row])
		put_row(t->columns, t->n, &t->context, pv_snapshot_get(g->s, row), b);
	for (uint32_t i = 0; i < c->n_findings; i++)
		audit_put_finding(pv_snapshot_finding(g->s, c, i), o, b);
}

static void put_groups(const struct groups *g, enum pv_verdict verdict,
		       const struct text_columns *t, const struct audit_options *o, struct buf *b)
{
	static const char *const titles[PV_VERDICT_N] = { "NOT JUDGED", "EXPLAINED", "UNEXPLAINED",
							  "SUSPICIOUS" };
	bool has_title = false;

	for (size_t i = 0; i < g->items.n; i++) {
		const struct group *group = &g->items.items[i];

		if (pv_snapshot_get(g->s, group->first)->verdict != verdict)
			continue;
		if (!has_title)
			buf_printf(b, "\n%s%s%s\n", tint(o, verdict), titles[verdict], tint_end(o));
		has_title = true;
		put_group(g, group, t, o, b);
	}
}

static bool has_word(const char *filter, const char *word)
{
	static const char breaks[] = " \t()!&|=<>";
	size_t n = strlen(word);

	for (const char *at = filter; (at = strstr(at, word)); at += n)
		if ((at == filter || strchr(breaks, at[-1])) && strchr(breaks, at[n]))
			return true;
	return false;
}

/* Who comes from outside is looked for under src by everybody once: it is the local end. */
static bool means_other_end(const struct pv_policy_rule *rule)
{
	return has_word(rule->filter, "incoming") && has_word(rule->filter, "src") &&
	       !has_word(rule->filter, "dst");
}

static void put_rule(const struct pv_policy_rule *rule, const struct audit_options *o,
		     struct buf *b)
{
	unsigned flags = o->ascii ? TEXT_ASCII : 0;

	buf_printf(b, "  %s \"", pv_policy_kind_name(rule->kind));
	column_put_sentence(&rule->title, o->ascii, b);
	buf_puts(b, "\" ");
	text_put(b, rule->filter, strlen(rule->filter), flags);
	buf_puts(b, " (");
	text_put(b, rule->file, strlen(rule->file), flags);
	buf_printf(b, ":%u)\n", rule->line);
	if (means_other_end(rule))
		buf_puts(b, "    src is the local end, whoever opened the conversation; the other "
			    "end is dst\n");
}

static void put_rules(const struct pv_snapshot *s, const struct audit_options *o,
		      enum pv_policy_status status, const char *title, struct buf *b)
{
	size_t n = o->policy ? pv_policy_count(o->policy) : 0;
	bool has_title = false;

	for (size_t i = 0; i < n; i++) {
		if (status_of(s, o->policy, i) != status)
			continue;
		if (!has_title)
			buf_printf(b, "\n%s\n", title);
		has_title = true;
		put_rule(pv_policy_rule(o->policy, i), o, b);
	}
}

static void put_summary(const struct pv_snapshot *s, const struct audit_options *o,
			const struct audit_summary *n, struct buf *b)
{
	size_t total = pv_snapshot_count(s), unjudged = n->verdicts[PV_VERDICT_NONE];

	buf_printf(b, "%zu conversation%s: %zu explained, %zu unexplained, %zu suspicious", total,
		   total == 1 ? "" : "s", n->verdicts[PV_VERDICT_EXPLAINED],
		   n->verdicts[PV_VERDICT_UNEXPLAINED], n->verdicts[PV_VERDICT_SUSPICIOUS]);
	if (unjudged)
		buf_printf(b, ", %zu not judged", unjudged);
	if (n->missing)
		buf_printf(b, "; %zu missing", n->missing);
	if (n->partial)
		buf_printf(b, "; %zu judged on partial knowledge", n->partial);
	if (!o->policy || !pv_policy_count(o->policy))
		buf_puts(b, "; no policy");
	if (!pv_snapshot_coverage(s)->complete)
		buf_puts(b, "; not everything could be seen");
	buf_putc(b, '\n');
}

int audit_put_text(const struct pv_snapshot *s, const struct audit_options *o,
		   const struct audit_summary *summary, struct buf *b)
{
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	_cleanup_(groups_deinit) struct groups g = { .s = s };
	struct text_columns t = {
		.context = { .snapshot = s, .needs = NEEDS, .numeric = true, .ascii = o->ascii }
	};
	/* of several namespaces each line begins with its own */
	bool is_one = pv_snapshot_netns_count(s) == 1;
	int r = columns_parse(NULL, is_one ? LINE_COLUMNS : "netns_name," LINE_COLUMNS, &columns,
			      &t.n, NULL);

	if (r == 0)
		r = make_groups(&g, o);
	if (r < 0)
		return r;
	t.columns = columns;
	put_summary(s, o, summary, b);
	for (size_t i = 0; i < N_ORDER; i++) {
		if (order[i] == PV_VERDICT_EXPLAINED)
			put_rules(s, o, PV_POLICY_MISSING, "MISSING", b);
		put_groups(&g, order[i], &t, o, b);
	}
	put_rules(s, o, PV_POLICY_UNUSED, "UNUSED RULES", b);
	put_rules(s, o, PV_POLICY_UNDECIDED, "NOT SEEN NOW (history is not kept)", b);
	return buf_error(b);
}

/* --- JSON --- */

static void put_findings_json(const struct pv_snapshot *s, const struct pv_conversation *c,
			      struct buf *b)
{
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);

	buf_printf(b, "{\"verdict\":\"%s\",\"partial\":%s,\"rules\":[",
		   pv_verdict_name((enum pv_verdict)c->verdict),
		   c->verdict_is_partial ? "true" : "false");
	for (uint32_t i = 0; i < c->n_findings; i++)
		buf_printf(b, "%s\"%s\"", i ? "," : "",
			   rules[pv_snapshot_finding(s, c, i)->rule].id);
	buf_puts(b, "],\"evidence\":");
	render_evidence_json(s, c, b);
	buf_puts(b, ",\"conversation\":");
	render_conversation_json(s, NEEDS, c, b);
	buf_putc(b, '}');
}

static void put_word_json(const char *key, const void *data, size_t len, struct buf *b)
{
	buf_printf(b, ",\"%s\":", key);
	text_put_json(b, data, len);
}

static void put_rule_json(const struct pv_snapshot *s, const struct audit_options *o, size_t i,
			  struct buf *b)
{
	const struct pv_policy_rule *rule = pv_policy_rule(o->policy, i);

	buf_printf(b, "{\"kind\":\"%s\"", pv_policy_kind_name(rule->kind));
	put_word_json("title", rule->title.data, rule->title.len, b);
	put_word_json("filter", rule->filter, strlen(rule->filter), b);
	put_word_json("file", rule->file, strlen(rule->file), b);
	buf_printf(b, ",\"line\":%u,\"matches\":%llu,\"status\":\"%s\"}", rule->line,
		   (unsigned long long)pv_snapshot_policy_matches(s, i),
		   pv_policy_status_name(status_of(s, o->policy, i)));
}

static void put_rules_json(const struct pv_snapshot *s, const struct audit_options *o,
			   bool missing_only, struct buf *b)
{
	size_t n = o->policy ? pv_policy_count(o->policy) : 0, n_put = 0;

	for (size_t i = 0; i < n; i++) {
		if (missing_only && status_of(s, o->policy, i) != PV_POLICY_MISSING)
			continue;
		buf_puts(b, n_put++ ? ",\n" : "\n");
		put_rule_json(s, o, i, b);
	}
}

int audit_put_json(const struct pv_snapshot *s, const struct audit_options *o,
		   const struct audit_summary *n, struct buf *b)
{
	size_t n_put = 0;

	buf_puts(b, "{\"schema\":1,\"coverage\":");
	render_coverage_json(pv_snapshot_coverage(s), b);
	buf_printf(b,
		   ",\"summary\":{\"conversations\":%zu,\"explained\":%zu,\"unexplained\":%zu,"
		   "\"suspicious\":%zu,\"not_judged\":%zu,\"partial\":%zu,\"missing\":%zu,"
		   "\"unused\":%zu},\"findings\":[",
		   pv_snapshot_count(s), n->verdicts[PV_VERDICT_EXPLAINED],
		   n->verdicts[PV_VERDICT_UNEXPLAINED], n->verdicts[PV_VERDICT_SUSPICIOUS],
		   n->verdicts[PV_VERDICT_NONE], n->partial, n->missing, n->unused);
	for (size_t k = 0; k < N_ORDER; k++) {
		for (size_t i = 0; is_shown(o, order[k]) && i < pv_snapshot_count(s); i++) {
			const struct pv_conversation *c = pv_snapshot_get(s, i);

			if (c->verdict != order[k])
				continue;
			buf_puts(b, n_put++ ? ",\n" : "\n");
			put_findings_json(s, c, b);
		}
	}
	buf_puts(b, "],\"missing\":[");
	put_rules_json(s, o, true, b);
	buf_puts(b, "],\"policy\":[");
	put_rules_json(s, o, false, b);
	buf_puts(b, "]}\n");
	return buf_error(b);
}
