/* SPDX-License-Identifier: MIT */
/*
 * portavoz explain: everything known about one port, socket, conversation, process, address or
 * inode. The words come from ui/explain; here are the options and what becomes of the result.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/inet.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/policy_option.h"
#include "cli/redact_option.h"
#include "ui/explain/explain.h"
#include "ui/explain/write.h"
#include "ui/render/render.h"
#include "ui/text/i18n.h"

#define WIDTH_MAX 100 /* longer lines are hard to read */

struct explain_values {
	int as;
	const char *replay, *redact;
	struct pv_redactor *redactor;
	bool json, strict, verbose;
	struct buf netns;
};

static void cleanup_values(struct explain_values *v)
{
	buf_deinit(&v->netns);
	pv_redactor_free(v->redactor);
}

#define AT(member) offsetof(struct explain_values, member)
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))

static const struct option_def explain_options[] = {
	{ 0, "as", EXPLAIN_AS_WORDS, N_("what WHAT is, where that is not clear"), OPTION_CHOICE,
	  AT(as), 0, 0, NULL },
	FLAG(0, "json", N_("one JSON document"), json),
	{ 0, "replay", "DIR", N_("explain from this recording, not from this host"), OPTION_TEXT,
	  AT(replay), 0, 0, NULL },
	OPTION_NETNS(AT(netns)),
	REDACT_OPTION(struct explain_values, redact),
	FLAG(0, "strict", N_("exit status 3 when something could not be seen"), strict),
	FLAG('v', "verbose", N_("say on stderr what could not be seen, terminal or not"), verbose),
	{ 0 },
};

static int run_explain(int argc, char **argv);

const struct command command_explain = {
	.name = "explain",
	.summary = N_("tell everything known about a port, a socket, a process or an address"),
	.usage = "[OPTION]... WHAT",
	.about = N_(
		"WHAT is a port (443, 53/udp, https), a socket (127.0.0.1:22), the two ends of a\n"
		"conversation (10.0.0.1:22 10.0.0.9:51000), a process id, the name of a process,\n"
		"an address, the inode number of a socket, or the path of a unix socket. What can\n"
		"be a port is explained as one; --as chooses another reading."),
	.defs = explain_options,
	.operands = OPERAND_PORT,
	.run = run_explain,
};

static int report(const char *what, int error)
{
	usage_error(what, "%s", strerror(-error));
	return EXIT_FAILURE;
}

static int collect(struct explain_values *v, const struct explain_query *q,
		   const struct pv_policy *policy, struct pv_snapshot **ret)
{
	_cleanup_(cleanup_filter) struct pv_filter *filter = NULL;
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_request request = PV_REQUEST_INIT;
	int r = explain_query_filter(q, &b);

	if (r == 0)
		r = buf_str(&b) ? pv_filter_parse(buf_str(&b), &filter, NULL) : -ENOMEM;
	if (r < 0)
		return r;
	request.needs = EXPLAIN_NEEDS;
	request.policy = policy;
	request.filter = filter;
	request.replay_dir = v->replay;
	request.redactor = v->redactor;
	request.netns = v->netns.len ? buf_str(&v->netns) : NULL;
	if (q->readings & EXPLAIN_BIT(EXPLAIN_PID))
		request.pid = q->pid;
	return pv_collect(&request, ret);
}

static int write_all(const struct explain_values *v, const struct explanation *e,
		     const struct explain_query *q, int as)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t width = terminal_width();
	const struct explain_look look = { .width = width < WIDTH_MAX ? width : WIDTH_MAX,
					   .ascii = terminal_is_ascii(),
					   .color = terminal_color(0) };
	int r = v->json ? explain_write_json(e, q->text,
					     as < 0 ? NULL : explain_as_name((enum explain_as)as),
					     &b)
			: explain_write_text(e, &look, &b);

	return r < 0 ? report("explain", r) : print_stdout(&b);
}

/* What was looked for, in the order of the readings */
static void report_nothing(const struct explain_query *q)
{
	static const char *const texts[EXPLAIN_AS_N] = {
		[EXPLAIN_PORT] = N_("a port"),
		[EXPLAIN_PID] = N_("a process with that id"),
		[EXPLAIN_INODE] = N_("a socket with that inode number"),
		[EXPLAIN_SOCKET] = N_("a socket with that address and port at either end"),
		[EXPLAIN_PAIR] = N_("a conversation of these two ends"),
		[EXPLAIN_ADDRESS] = N_("a socket with that address at either end"),
		[EXPLAIN_PATH] = N_("a unix socket of that name"),
		[EXPLAIN_NAME] = N_("a process of that name that holds a socket"),
	};
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	for (int as = 0; as < EXPLAIN_AS_N; as++)
		if (q->readings & EXPLAIN_BIT(as))
			buf_printf(&b, "%s%s", b.len ? ", " : "", _(texts[as]));
	usage_error(q->text, _("nothing found; looked for: %s"), buf_str(&b) ? buf_str(&b) : "");
}

/* A process may be called as it was: the name of its program stays. */
static bool has_process(const struct pv_snapshot *s, const char *name)
{
	for (size_t i = 0; i < pv_snapshot_process_count(s); i++) {
		const struct pv_bytes *comm = &pv_snapshot_process(s, (uint32_t)i)->comm;

		if (comm->len == strlen(name) && !memcmp(comm->data, name, comm->len))
			return true;
	}
	return false;
}

/* Under its new name; NULL where it has none: numbers and services stay. */
static int rename_text(const struct explain_query *q, const struct pv_redactor *r,
		       const struct pv_snapshot *s, char **ret)
{
	_cleanup_(cleanup_free) char *path = strdup(q->text);
	bool abstract = q->text[0] == '@';
	size_t n;
	int result = path ? 0 : -ENOMEM;

	if (result == 0 && q->readings & EXPLAIN_BIT(EXPLAIN_PATH)) {
		path[0] = abstract ? '\0' : path[0];
		result = pv_redact_text(r, PV_REDACT_SOCKET, path, strlen(q->text), ret, &n);
		if (result == 0 && abstract)
			(*ret)[0] = '@';
	} else if (result == 0 && q->readings == EXPLAIN_BIT(EXPLAIN_NAME) &&
		   !has_process(s, q->text)) {
		/* processes and users are called alike */
		result = pv_redact_text(r, PV_REDACT_USER, q->text, strlen(q->text), ret, &n);
	}
	return result;
}

static int rename_ends(struct explain_query *q, const struct pv_redactor *r, char **ret)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int result = 0;

	for (int i = 0; result == 0 && i < 2 && q->ends[i].family; i++) {
		struct explain_end *end = &q->ends[i];

		result = pv_redact_address(r, end->family, end->addr);
		buf_puts(&b, i ? " " : "");
		buf_puts(&b, end->port && end->family == AF_INET6 ? "[" : "");
		inet_put(&b, end->family, end->addr);
		if (end->port)
			buf_printf(&b, "%s:%u", end->family == AF_INET6 ? "]" : "", end->port);
	}
	if (result < 0 || !b.len)
		return result;
	*ret = buf_str(&b) ? strdup(b.data) : NULL;
	return *ret ? 0 : -ENOMEM;
}

/* What was asked for is shown and looked for as it is called in the snapshot. */
static int rename_query(const struct explain_values *v, const struct pv_snapshot *s,
			struct explain_query *q, char **ret_text)
{
	bool has_others = v->redactor && !pv_snapshot_is_from_redacted(s);
	int r = has_others ? rename_ends(q, v->redactor, ret_text) : 0;

	if (r == 0 && has_others && !*ret_text)
		r = rename_text(q, v->redactor, s, ret_text);
	if (*ret_text)
		q->text = *ret_text;
	return r;
}

static int explain_query(struct explain_values *v, struct explain_query *q)
{
	_cleanup_(cleanup_free) char *renamed = NULL;
	_cleanup_(cleanup_snapshot) struct pv_snapshot *snapshot = NULL;
	_cleanup_(explanation_deinit) struct explanation e = { 0 };
	_cleanup_(cleanup_policy) struct pv_policy *policy = NULL;
	int as, r = policy_option_open(NULL, &policy);

	if (r != 0)
		return r;
	r = collect(v, q, policy, &snapshot);
	if (v->replay && (r == -EINVAL || r == -EBADMSG))
		usage_error(v->replay, "%s",
			    _("is no recording made by portavoz list --record, or is damaged"));
	else if (r < 0 && !report_netns(&v->netns, r) && !report_key(v->replay, r))
		report(v->replay ? v->replay : _("sockets"), r);
	if (r < 0)
		return EXIT_FAILURE;
	r = rename_query(v, snapshot, q, &renamed);
	if (r < 0)
		return report("explain", r);
	explanation_init(&e, snapshot, EXPLAIN_NEEDS);
	as = explain_choose(q, snapshot);
	if (as >= 0)
		explain(&e, q, (enum explain_as)as);
	else
		report_nothing(q);
	r = as >= 0 || v->json ? write_all(v, &e, q, as) : 0;
	if (r == 0)
		r = say_coverage(snapshot, NULL, v->verbose, v->strict);
	return r ? r : as < 0 ? EXIT_FAILURE : 0;
}

static int run_explain(int argc, char **argv)
{
	_cleanup_(cleanup_values) struct explain_values v = { .as = -1 };
	struct explain_query q;
	int first, r = command_options(&command_explain, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (argc == first || argc - first > 2) {
		usage_error("explain", "%s",
			    _("needs one WHAT: a port, a socket, a process, an address, or the two "
			      "ends of a conversation"));
		return EXIT_USAGE;
	}
	if (explain_query_parse(argv[first], argc - first > 1 ? argv[first + 1] : NULL, v.as, &q) <
	    0) {
		usage_error(argv[first], "%s",
			    argc - first > 1 ? _("two words are the ends of a conversation, each "
						 "ADDRESS:PORT")
			    : v.as >= 0	     ? _("cannot be read as what --as says")
					     : _("cannot be read as anything that could be "
						      "explained"));
		return EXIT_USAGE;
	}
	r = redact_open(v.redact, &v.redactor);
	return r ? r : explain_query(&v, &q);
}
