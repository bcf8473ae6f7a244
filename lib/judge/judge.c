/* SPDX-License-Identifier: MIT */
#include "judge/judge.h"

#include <errno.h>
#include <sys/socket.h>

#include <portavoz/policy.h>

#include "base/cleanup.h"
#include "base/crypto_api.h"
#include "base/inet.h"
#include "judge/judge-internal.h"

#define FEW_FINDINGS 32

static void judge_deinit(struct judge *j)
{
	recall_deinit(&j->recall);
	vec_deinit(&j->programs);
	map_deinit(&j->by_file);
	free(j->subjects);
	vec_deinit(&j->queries);
	map_deinit(&j->by_path);
	vec_deinit(&j->libraries);
	map_deinit(&j->by_mapping);
	vec_deinit(&j->library_uses);
	vec_deinit(&j->process_findings);
	vec_deinit(&j->shells);
	map_deinit(&j->shells_by_pid);
	map_deinit(&j->shell_chains);
	vec_deinit(&j->shell_links);
	vec_deinit(&j->kernel_uses);
	map_deinit(&j->hidden);
	vec_deinit(&j->hidden_how);
	map_deinit(&j->covered);
	buf_deinit(&j->above_folder);
	map_deinit(&j->listeners);
	free(j->next_listener);
	map_deinit(&j->talks);
}

static bool is_judged(const struct pv_conversation *c)
{
	return PV_PROTO_JUDGED & PV_PROTO_BIT(c->proto);
}

static enum pv_severity severity_of(const struct pv_finding *f)
{
	return judge_rules[f->rule].public.severity;
}

static struct program *program_of(struct judge *j, const struct subject *subject)
{
	return subject && subject->program != MAP_NONE ? &j->programs.items[subject->program]
						       : NULL;
}

/* --- one rule --- */

/* Asks a rule; what fired is appended. 0 or -ENOMEM. */
static int ask(struct judge_case *k, enum rule_number number, finding_vec *findings)
{
	const struct rule *rule = &judge_rules[number];
	struct pv_finding f = { .rule = number, .process = UINT32_MAX };
	int r = facts_need(k, rule->facts);

	if (r < 0)
		return r;
	k->n_places = k->n_numbers = 0;
	if (!rule->test(k))
		return 0;
	k->so_far |= RULE_BIT(number);
	if (k->subject)
		f.process = (uint32_t)(k->subject - k->j->subjects);
	r = case_sentence(k, &f);
	return r < 0 ? r : vec_push(findings, f);
}

static int ask_all(struct judge_case *k, enum rule_scope scope, finding_vec *findings)
{
	int r = 0;

	for (int i = 0; r == 0 && i < RULE_N; i++)
		if (judge_rules[i].scope == scope)
			r = ask(k, (enum rule_number)i, findings);
	return r;
}

/* --- processes --- */

static uint64_t rules_of(enum pv_severity severity)
{
	uint64_t mask = 0;

	for (int i = 0; i < RULE_N; i++)
		if (judge_rules[i].public.severity == severity)
			mask |= RULE_BIT(i);
	return mask;
}

static int judge_process(struct judge *j, struct subject *subject)
{
	struct judge_case k = { .j = j, .subject = subject, .program = program_of(j, subject) };
	int r;

	if (subject->is_judged)
		return 0;
	subject->is_judged = true;
	subject->first = (uint32_t)j->process_findings.n;
	r = ask_all(&k, SCOPE_PROGRAM, &j->process_findings);
	subject->n = (uint32_t)j->process_findings.n - subject->first;
	subject->fired = k.so_far;
	subject->is_explained = k.so_far & rules_of(PV_SEVERITY_EXPLAINS);
	subject->is_suspicious = k.so_far & rules_of(PV_SEVERITY_SUSPICIOUS);
	return r;
}

/* --- conversations --- */

/* What is found about one row, before it is put in order. */
struct opinion {
	struct judge *j;
	struct pv_conversation *c;
	uint32_t row;
	finding_vec findings;
	struct map seen; /* of findings, when they are many: hash to index */
	bool has_seen;
	uint64_t despite;   /* suspicious rules that the policy accepts here */
	bool is_expected;   /* by the policy */
	bool are_explained; /* all holders, by what they run */
	bool is_followed;   /* a FOLLOW rule explains it */
};

static bool same_evidence(const struct pv_finding *a, const struct pv_finding *b)
{
	return a->rule == b->rule &&
	       (a->evidence.data == b->evidence.data || bytes_equal(&a->evidence, &b->evidence));
}

static uint64_t hash_finding(const struct pv_finding *f)
{
	uint64_t h = map_mix(1, f->rule);

	for (uint32_t i = 0; i < f->evidence.len; i++)
		h = map_mix(h, (uint8_t)f->evidence.data[i]);
	return h;
}

/* Few are compared with each other; a socket can have as many holders as somebody starts. */
static int add_to_many(struct opinion *o, const struct pv_finding *f)
{
	uint32_t old;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < o->findings.n && !o->has_seen; i++)
		r = map_insert(&o->seen, hash_finding(&o->findings.items[i]), (uint32_t)i, &old);
	o->has_seen = true;
	if (r >= 0)
		r = map_insert(&o->seen, hash_finding(f), (uint32_t)o->findings.n, &old);
	if (r < 0 || (r == 1 && same_evidence(&o->findings.items[old], f)))
		return r < 0 ? r : 0;
	return vec_push(&o->findings, *f);
}

static int add_finding(struct opinion *o, const struct pv_finding *f)
{
	if (o->findings.n >= FEW_FINDINGS)
		return add_to_many(o, f);
	for (size_t i = 0; i < o->findings.n; i++)
		if (same_evidence(&o->findings.items[i], f))
			return 0;
	return vec_push(&o->findings, *f);
}

static int ask_holder(struct opinion *o, const struct pv_holder *holder, uint64_t *fired)
{
	struct judge *j = o->j;
	struct subject *subject = &j->subjects[holder->process];
	struct judge_case k = { .j = j, .row = o->row, .c = o->c, .fd = holder->fd };
	finding_vec found = { 0 };
	int r = judge_process(j, subject);

	k.subject = subject;
	k.program = program_of(j, subject);
	k.so_far = *fired | subject->fired;
	for (uint32_t i = 0; r == 0 && i < subject->n; i++)
		r = add_finding(o, &j->process_findings.items[subject->first + i]);
	if (r == 0)
		r = ask_all(&k, SCOPE_SOCKET, &found);
	for (size_t i = 0; r == 0 && i < found.n; i++)
		r = add_finding(o, &found.items[i]);
	vec_deinit(&found);
	*fired |= k.so_far;
	o->are_explained = o->are_explained && subject->is_explained;
	return r;
}

/* A process that holds it by several descriptors is asked once, unless one of them is a stream. */
static bool is_asked(const struct pv_snapshot *s, const struct pv_conversation *c, uint32_t n)
{
	const struct pv_holder *h = pv_snapshot_holder(s, c, n);

	return n == 0 || h->process != pv_snapshot_holder(s, c, n - 1)->process || h->fd <= 2;
}

static int ask_holders(struct opinion *o)
{
	const struct pv_snapshot *s = o->j->s;
	uint64_t fired = 0;
	int r = 0;

	o->are_explained = o->c->n_holders > 0;
	for (uint32_t i = 0; r == 0 && i < o->c->n_holders; i++)
		if (is_asked(s, o->c, i))
			r = ask_holder(o, pv_snapshot_holder(s, o->c, i), &fired);
	return r;
}

static int ask_nobody(struct opinion *o)
{
	struct judge_case k = { .j = o->j, .row = o->row, .c = o->c };

	return ask_all(&k, SCOPE_SOCKET, &o->findings);
}

static int ask_policy(struct opinion *o)
{
	static const enum rule_number numbers[PV_POLICY_KIND_N] = {
		[PV_POLICY_EXPECT] = RULE_policy_expect,
		[PV_POLICY_NEVER] = RULE_policy_never,
		[PV_POLICY_BLOCK] = RULE_policy_block,
	};
	const struct pv_policy *policy = o->j->request->policy;
	struct judge_case k = { .j = o->j, .row = o->row, .c = o->c };
	struct pv_finding f = { .process = UINT32_MAX };
	const struct pv_policy_rule *rule;
	char address[INET_TEXT_MAX + 1] = "";
	uint32_t list_line = 0;
	size_t index;

	if (!policy || !pv_policy_match(policy, o->j->s, o->c, &index, &list_line))
		return 0;
	o->j->s->policy_matches.items[index]++;
	rule = pv_policy_rule(policy, index);
	if (o->c->family == AF_INET || o->c->family == AF_INET6)
		address[inet_text(o->c->family, o->c->remote.addr, address)] = 0;
	o->is_expected = rule->kind == PV_POLICY_EXPECT;
	o->despite = o->is_expected ? rule->despite : 0;
	f.rule = numbers[rule->kind];
	case_say(&k, "title", rule->title);
	case_say(&k, "list", rule->title);
	case_text(&k, "file", rule->file);
	case_text(&k, "address", address);
	case_number(&k, "line", rule->kind == PV_POLICY_BLOCK ? list_line : rule->line);
	if (case_sentence(&k, &f) < 0)
		return -ENOMEM;
	return vec_push(&o->findings, f);
}

/*
 * Nobody is known to hold it, and not because nobody does. An orphan is somebody's who has closed
 * it and whose data it may still deliver: only the rule remains knows whose.
 */
static bool is_owner_unknown(const struct pv_conversation *c)
{
	static const uint64_t known =
		UINT64_C(1) << PV_REASON_TIME_WAIT | UINT64_C(1) << PV_REASON_SYN_RECV |
		UINT64_C(1) << PV_REASON_NOT_ACCEPTED | UINT64_C(1) << PV_REASON_KERNEL;

	return !c->n_holders && !(known >> c->owner_reason & 1);
}

static bool accuses(const struct opinion *o, const struct pv_finding *f)
{
	return severity_of(f) == PV_SEVERITY_SUSPICIOUS && !(o->despite & RULE_BIT(f->rule));
}

/*
 * Holders explain only together: a socket that a known service shares with an unknown program is
 * not the service's alone.
 */
static enum pv_verdict verdict_of(const struct opinion *o)
{
	bool is_explained = o->is_expected || o->are_explained || o->is_followed;
	bool is_unknown = is_owner_unknown(o->c);

	for (size_t i = 0; i < o->findings.n; i++) {
		const struct pv_finding *f = &o->findings.items[i];

		if (accuses(o, f))
			return PV_VERDICT_SUSPICIOUS;
		if (f->process == UINT32_MAX && severity_of(f) == PV_SEVERITY_EXPLAINS)
			is_explained = true;
		if (f->rule == RULE_kernel_socket || f->rule == RULE_remains)
			is_unknown = false;
	}
	/* not even by the policy: who is there is what it could not look at */
	return is_explained && !is_unknown ? PV_VERDICT_EXPLAINED : PV_VERDICT_UNEXPLAINED;
}

/* Suspicious, then explaining, then notes; each in the order of the table. */
static int compare_findings(const void *a, const void *b)
{
	static const uint8_t order[PV_SEVERITY_N] = {
		[PV_SEVERITY_SUSPICIOUS] = 0, [PV_SEVERITY_EXPLAINS] = 1, [PV_SEVERITY_NOTE] = 2
	};
	const struct pv_finding *x = a, *y = b;
	int d = order[severity_of(x)] - order[severity_of(y)];

	if (d == 0)
		d = (x->rule > y->rule) - (x->rule < y->rule);
	return d ? d : (x->process > y->process) - (x->process < y->process);
}

static int publish(struct opinion *o)
{
	struct pv_snapshot *s = o->j->s;

	if (o->findings.n)
		qsort(o->findings.items, o->findings.n, sizeof(*o->findings.items),
		      compare_findings);
	o->c->verdict = (uint8_t)verdict_of(o);
	o->c->first_finding = (uint32_t)s->findings.n;
	if (o->findings.n > UINT16_MAX)
		o->findings.n = UINT16_MAX;
	o->c->n_findings = (uint16_t)o->findings.n;
	o->c->verdict_is_partial = false;
	for (size_t i = 0; i < o->findings.n; i++) {
		if (o->findings.items[i].rule == RULE_partial)
			o->c->verdict_is_partial = true;
		if (vec_push(&s->findings, o->findings.items[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int judge_row(struct judge *j, uint32_t row, finding_vec *scratch)
{
	struct opinion o = { .j = j, .row = row, .c = snapshot_row(j->s, row) };
	int r;

	o.findings = *scratch;
	o.findings.n = 0;
	r = ask_policy(&o);
	if (r == 0)
		r = o.c->n_holders ? ask_holders(&o) : ask_nobody(&o);
	if (r == 0)
		r = publish(&o);
	map_deinit(&o.seen);
	*scratch = o.findings;
	return r;
}

/* --- what depends on other rows --- */

static int follow_row(struct judge *j, uint32_t row, finding_vec *scratch)
{
	struct opinion o = { .j = j, .row = row, .c = snapshot_row(j->s, row) };
	struct judge_case k = { .j = j, .row = row, .c = o.c };
	size_t before;
	int r = 0;

	scratch->n = 0;
	for (uint32_t i = 0; r == 0 && i < o.c->n_findings; i++)
		r = vec_push(scratch, *pv_snapshot_finding(j->s, o.c, i));
	if (o.c->n_holders) {
		k.subject = &j->subjects[pv_snapshot_holder(j->s, o.c, 0)->process];
		k.program = program_of(j, k.subject);
	}
	before = scratch->n;
	if (r == 0)
		r = ask_all(&k, SCOPE_FOLLOW, scratch);
	if (r < 0 || scratch->n == before)
		return r;
	o.findings = *scratch;
	o.is_followed = true;
	r = publish(&o);
	*scratch = o.findings;
	return r;
}

static uint64_t listener_key(const struct pv_conversation *c)
{
	return (uint64_t)c->netns << 32 | (uint64_t)c->proto << 16 | (c->local.port & 0xffff);
}

static bool is_listener(const struct pv_conversation *c)
{
	return c->state == PV_STATE_LISTEN ||
	       (c->state == PV_STATE_CLOSE && c->proto != PV_PROTO_TCP && c->local.port);
}

/* Listeners by port: what rows without a process belonged to. */
static int index_listeners(struct judge *j)
{
	int r = 0;

	j->next_listener = calloc(j->s->n_rows + 1, sizeof(*j->next_listener));
	if (!j->next_listener)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < j->s->n_rows; i++) {
		const struct pv_conversation *c = snapshot_row(j->s, i);
		uint32_t first;

		if (!is_judged(c) || !is_listener(c))
			continue;
		first = map_get(&j->listeners, listener_key(c));
		j->next_listener[i] = first == MAP_NONE ? 0 : first;
		r = map_put(&j->listeners, listener_key(c), (uint32_t)i + 1);
	}
	return r;
}

static int follow_rows(struct judge *j, finding_vec *scratch)
{
	int r = index_listeners(j);

	if (r == 0)
		r = follow_index(j);
	for (size_t i = 0; r == 0 && i < j->s->n_rows; i++) {
		const struct pv_conversation *c = snapshot_row(j->s, i);

		if (is_judged(c) && c->verdict == PV_VERDICT_UNEXPLAINED)
			r = follow_row(j, (uint32_t)i, scratch);
	}
	return r;
}

/* --- all of it --- */

static int report(struct judge *j)
{
	struct pv_snapshot *s = j->s;
	int r;

	if (!j->request->is_asked)
		return 0;
	r = snapshot_add_source(s, "packages", j->has_packages ? "dpkg" : "none",
				j->has_packages ? PV_SOURCE_WORKING : PV_SOURCE_OFF,
				j->has_packages ? NULL : "no package database was found");
	if (r == 0 && j->recall.n_missing)
		r = snapshot_add_gap(s, PV_GAP_NOT_RECORDED, j->recall.n_missing, "verdicts");
	if (r == 0 && j->lacks_digest)
		r = snapshot_add_gap(s, PV_GAP_LIBRARY, 1, crypto_api_error());
	return r;
}

static int judge_rows(struct judge *j)
{
	finding_vec scratch = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->s->n_rows; i++)
		if (is_judged(snapshot_row(j->s, i)))
			r = judge_row(j, (uint32_t)i, &scratch);
	if (r == 0)
		r = follow_rows(j, &scratch);
	vec_deinit(&scratch);
	return r;
}

static int count_policy(struct judge *j)
{
	size_t n = j->request->policy ? pv_policy_count(j->request->policy) : 0;

	for (size_t i = 0; i < n; i++)
		if (vec_push(&j->s->policy_matches, (uint64_t)0) < 0)
			return -ENOMEM;
	return 0;
}

/* Facts of another time would be worse than none. */
static int report_absent(struct judge *j)
{
	return j->request->is_asked
		       ? snapshot_add_gap(j->s, PV_GAP_NOT_RECORDED, 1, "facts for verdicts")
		       : 0;
}

static int run(struct judge *j)
{
	int r = count_policy(j);

	if (r == 0 && j->recall.is_absent)
		return report_absent(j);
	if (r == 0)
		r = facts_gather(j);
	if (r == 0)
		r = judge_rows(j);
	return r < 0 ? r : report(j);
}

int judge_snapshot(struct tape *tape, struct pv_snapshot *s, const struct judge_request *request)
{
	struct judge j = { .tape = tape, .s = s, .request = request };
	int r = recall_init(&j.recall, tape);

	if (r == 0)
		r = run(&j);
	judge_deinit(&j);
	return r;
}
