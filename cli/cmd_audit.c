/* SPDX-License-Identifier: MIT */
/* portavoz audit: options, the verdicts of a snapshot, the exit status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/filter_text.h"
#include "cli/output.h"
#include "cli/policy_option.h"
#include "cli/redact_option.h"
#include "ui/render/audit.h"
#include "ui/render/render.h"

#define EXIT_UNEXPLAINED 4
#define EXIT_SUSPICIOUS 5

struct audit_values {
	struct buf netns; /* what every -N asks for, with commas between */
	const char *policy, *record, *replay, *redact;
	bool no_policy, verify, all, json, strict, verbose;
	int color;
};

#define AT(member) offsetof(struct audit_values, member)
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))
#define TEXT(name, arg, help, member) TEXT_OPTION(0, name, arg, help, AT(member))

static const struct option_def audit_options[] = {
	OPTION_HEADING("What is judged by"),
	TEXT("policy", "FILE", "this policy instead of /etc/portavoz/policy and policy.d", policy),
	FLAG(0, "no-policy", "no policy", no_policy),
	FLAG(0, "verify", "also whether packaged programs are as they were installed", verify),
	OPTION_HEADING("What is shown"),
	FLAG('a', "all", "explained conversations, too", all),
	FLAG(0, "json", "one JSON document", json),
	{ 0, "color", COLOR_WORDS, "colours (default: on a terminal)", OPTION_CHOICE, AT(color), 0,
	  0, NULL },
	OPTION_HEADING("Where it comes from"),
	TEXT("record", "DIR", "also store what was read in this new folder", record),
	TEXT("replay", "DIR", "judge such a folder, not this host", replay),
	OPTION_NETNS(AT(netns)),
	REDACT_OPTION(struct audit_values, redact),
	FLAG(0, "strict", "exit status 3 when something could not be seen", strict),
	FLAG('v', "verbose", "say on stderr what could not be seen, terminal or not", verbose),
	{ 0 },
};

static int run_audit(int argc, char **argv);

const struct command command_audit = {
	.name = "audit",
	.summary = "say of every conversation whether it is explained, and why",
	.usage = "[OPTION]... [FILTER]",
	.about =
		"Exit status: 0 everything is explained, 4 something is unexplained or missing, 5\n"
		"something is suspicious. FILTER chooses what is shown and counted, see\n"
		"portavoz-filter(7); rules are in portavoz-rules(7) and 'portavoz rules'.",
	.defs = audit_options,
	.operands = OPERAND_FILTER,
	.run = run_audit,
};

static int check_values(const struct audit_values *v)
{
	if (v->policy && v->no_policy)
		usage_error("--policy", "does not go with --no-policy");
	else if (v->record && v->replay && !v->redact)
		usage_error("--record", "does not go with --replay");
	else
		return 0;
	return -EINVAL;
}

static int fail_collect(struct audit_values *v, int r)
{
	if (report_netns(&v->netns, r) || report_key(v->replay, r))
		return EXIT_FAILURE;
	if (v->record && r == -EEXIST)
		usage_error(v->record, "--record needs a new or an empty folder");
	else if (v->replay && (r == -EINVAL || r == -EBADMSG))
		usage_error(v->replay, "is no recording made by portavoz --record, or is damaged");
	else
		usage_error(v->record	? v->record
			    : v->replay ? v->replay
					: "audit",
			    "%s", strerror(-r));
	return EXIT_FAILURE;
}

static int collect(struct audit_values *v, const struct pv_policy *policy,
		   const struct pv_filter *filter, struct pv_snapshot **ret)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *redactor = NULL;
	struct pv_request q = PV_REQUEST_INIT;
	int r = redact_open(v->redact, &redactor);

	if (r)
		return r;
	q.redactor = redactor;
	q.netns = v->netns.len ? buf_str(&v->netns) : NULL;
	q.protos = PV_PROTO_JUDGED;
	q.needs = PV_NEED_VERDICT;
	q.policy = policy;
	q.verify = v->verify;
	q.filter = filter;
	q.record_dir = v->record;
	q.replay_dir = v->replay;
	if (filter && pv_filter_has_states(filter))
		q.states = pv_filter_states(filter);
	r = pv_collect(&q, ret);
	return r < 0 ? fail_collect(v, r) : 0;
}

static int status_of(const struct audit_values *v, const struct pv_snapshot *s,
		     const struct audit_summary *n)
{
	if (n->verdicts[PV_VERDICT_SUSPICIOUS])
		return EXIT_SUSPICIOUS;
	if (v->strict && !pv_snapshot_coverage(s)->complete)
		return EXIT_PARTIAL;
	return n->verdicts[PV_VERDICT_UNEXPLAINED] || n->verdicts[PV_VERDICT_NONE] || n->missing
		       ? EXIT_UNEXPLAINED
		       : EXIT_SUCCESS;
}

static int write_audit(const struct audit_values *v, const struct pv_snapshot *s,
		       const struct pv_policy *policy)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	/* the lines of the policy are the reader's own words: there are no other names for them */
	struct audit_options o = { .policy = v->redact ? NULL : policy,
				   .all = v->all,
				   .color = terminal_color(v->color),
				   .ascii = terminal_is_ascii() };
	struct audit_summary summary;
	int r;

	audit_count(s, policy, &summary);
	r = v->json ? audit_put_json(s, &o, &summary, &b) : audit_put_text(s, &o, &summary, &b);
	if (r < 0) {
		usage_error("audit", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = print_stdout(&b);
	if (r == 0)
		say_coverage(s, NULL, v->verbose, false);
	return r ? r : status_of(v, s, &summary);
}

static int audit(struct audit_values *v, const struct pv_filter *filter)
{
	_cleanup_(cleanup_policy) struct pv_policy *policy = NULL;
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = NULL;
	int r = v->no_policy ? 0 : policy_option_open(v->policy, &policy);

	if (r == 0)
		r = collect(v, policy, filter, &s);
	return r ? r : write_audit(v, s, policy);
}

static int run_audit(int argc, char **argv)
{
	struct audit_values v = { 0 };
	struct pv_filter *filter = NULL;
	struct filter_text text = { .argc = argc, .argv = argv };
	int r = command_options(&command_audit, argc, argv, &v, &text.first);

	if (r >= 0)
		return r;
	if (check_values(&v) < 0)
		return EXIT_USAGE;
	r = filter_text_parse(&text, &filter);
	if (r == 0)
		r = audit(&v, filter);
	else
		r = r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	pv_filter_free(filter);
	buf_deinit(&v.netns);
	return r;
}
