/* SPDX-License-Identifier: MIT */
/* portavoz list: options -> request and columns -> snapshot -> writer. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/policy_option.h"
#include "cli/dump.h"
#include "cli/filter_text.h"
#include "cli/kill.h"
#include "cli/output.h"
#include "cli/redact_option.h"
#include "ui/columns/columns.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"

struct list_values {
	uint32_t protos;
	bool ipv4, ipv6;
	bool all, listening;
	bool numeric, resolve, processes, extended, options, memory, info;
	bool no_header, summary, pairs, strict, verbose;
	bool json, jsonl, csv;
	bool kill, yes;
	int owners, sockets, color;
	const char *columns, *sort, *record, *replay, *dns_servers, *redact;
	const char *filter_file, *dump;
	struct buf netns; /* what every -N asks for, with commas between */
	uint32_t dns_timeout_ms;
};

static void cleanup_values(struct list_values *v)
{
	buf_deinit(&v->netns);
}

#define AT(member) offsetof(struct list_values, member)
#define PROTO(letter, name, help, bits)                                                            \
	{                                                                                          \
		letter, name, NULL, help, OPTION_BITS, AT(protos), bits, 0, NULL                   \
	}
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))
#define TEXT(letter, name, arg, help, member) TEXT_OPTION(letter, name, arg, help, AT(member))
#define CHOICE(letter, name, arg, help, member) CHOICE_OPTION(letter, name, arg, help, AT(member))

#define UDP_BITS (PV_PROTO_BIT(PV_PROTO_UDP) | PV_PROTO_BIT(PV_PROTO_UDPLITE))
/* never connected: without -a there would be nothing to list */
#define STATELESS_BITS                                                                             \
	(PV_PROTO_BIT(PV_PROTO_PACKET) | PV_PROTO_BIT(PV_PROTO_NETLINK) |                          \
	 PV_PROTO_BIT(PV_PROTO_XDP))
#define RAW_BITS (PV_PROTO_BIT(PV_PROTO_RAW) | PV_PROTO_BIT(PV_PROTO_PING))

static const struct option_def list_options[] = {
	OPTION_HEADING("Which protocols (default: all that run over IP; with -a every one)"),
	PROTO('t', "tcp", "TCP", PV_PROTO_BIT(PV_PROTO_TCP)),
	PROTO('u', "udp", "UDP and UDP-Lite", UDP_BITS),
	PROTO('w', "raw", "RAW and ping sockets", RAW_BITS),
	PROTO('x', "unix", "UNIX domain sockets", PV_PROTO_BIT(PV_PROTO_UNIX)),
	PROTO('0', "packet", "PACKET sockets", PV_PROTO_BIT(PV_PROTO_PACKET)),
	PROTO('S', "sctp", "SCTP", PV_PROTO_BIT(PV_PROTO_SCTP)),
	PROTO('M', "mptcp", "MPTCP", PV_PROTO_BIT(PV_PROTO_MPTCP)),
	PROTO('d', "dccp", "DCCP", PV_PROTO_BIT(PV_PROTO_DCCP)),
	PROTO(0, "netlink", "NETLINK sockets", PV_PROTO_BIT(PV_PROTO_NETLINK)),
	PROTO(0, "vsock", "VSOCK", PV_PROTO_BIT(PV_PROTO_VSOCK)),
	PROTO(0, "xdp", "XDP sockets", PV_PROTO_BIT(PV_PROTO_XDP)),
	FLAG('4', "ipv4", "IPv4 only", ipv4),
	FLAG('6', "ipv6", "IPv6 only", ipv6),
	OPTION_HEADING(
		"Which states (default: every one; with a protocol option: conversations only)"),
	FLAG('l', "listening", "listeners only", listening),
	FLAG('a', "all", "listeners and conversations", all),
	TEXT('F', "filter", "FILE", "also read the filter from this file, - is standard input",
	     filter_file),
	OPTION_HEADING("What is shown"),
	FLAG('n', "numeric", "numbers instead of names; sends no packet", numeric),
	FLAG('r', "resolve", "host names even with -n", resolve),
	FLAG('p', "processes", "every process that holds the socket, with its descriptor",
	     processes),
	FLAG('e', "extended", "queues, uid, inode, cookie, cgroup", extended),
	FLAG('o', "options", "timers", options),
	FLAG('m', "memory", "socket memory", memory),
	FLAG('i', "info", "what TCP knows of the connection (tcp_info)", info),
	FLAG('s', "summary", "counts instead of rows", summary),
	FLAG(0, "pairs", "one row for both ends of a conversation within this host", pairs),
	TEXT(0, "columns", "COLUMNS", "these columns, comma-separated; +NAME adds, -NAME drops",
	     columns),
	TEXT(0, "sort", "COLUMNS", "sort by these columns; -NAME: descending", sort),
	OPTION_HEADING("What is done with it"),
	FLAG('K', "kill", "close these sockets; asks before, and lists what was closed", kill),
	FLAG(0, "yes", "with --kill: do not ask", yes),
	TEXT('D', "diag", "FILE", "write TCP sockets as ss does for TCPDIAG_FILE, - is the output",
	     dump),
	OPTION_HEADING("How it is written"),
	FLAG(0, "json", "one JSON document", json),
	FLAG(0, "jsonl", "one JSON object a line", jsonl),
	FLAG(0, "csv", "comma-separated values", csv),
	FLAG('H', "no-header", "no headings", no_header),
	CHOICE(0, "color", COLOR_WORDS, "colours (default: on a terminal)", color),
	OPTION_HEADING("Where it comes from"),
	OPTION_NETNS(AT(netns)),
	CHOICE(0, "owners", "auto|bpf|proc|none", "how owners are found", owners),
	CHOICE(0, "sockets", "auto|bpf|netlink|proc", "how sockets are listed", sockets),
	TEXT(0, "record", "DIR", "also store what was read in this new folder", record),
	TEXT(0, "replay", "FILE", "list from such a folder, or a file of --diag, not this host",
	     replay),
	REDACT_OPTION(struct list_values, redact),
	{ 0, "dns-timeout", "MS", "time for all host names together, in milliseconds (1000)",
	  OPTION_NUMBER, AT(dns_timeout_ms), 0, 600000, NULL },
	TEXT(0, "dns-servers", "LIST", "name servers ADDR[:PORT],... instead of the system's",
	     dns_servers),
	FLAG(0, "strict", "exit status 3 when something could not be seen", strict),
	FLAG('v', "verbose", "say on stderr what could not be seen, terminal or not", verbose),
	{ 0 },
};

#define ABOUT                                                                                      \
	"FILTER is an expression such as 'state listening', 'comm sshd',\n"                        \
	"'dport = :443 and not dst 10.0.0.0/8',\n"                                                 \
	"'unit nginx.service and direction incoming': see portavoz-filter(7).\n"                   \
	"Columns are in portavoz-columns(7) and 'portavoz columns'."

static int run_list(int argc, char **argv);

const struct command command_list = {
	.name = "list",
	.summary = "list every conversation and listener of this host (default)",
	.usage = "[OPTION]... [FILTER]",
	.about = ABOUT,
	.defs = list_options,
	.operands = OPERAND_FILTER,
	.run = run_list,
};

static enum render_format format_of(const struct list_values *v)
{
	return v->json ? RENDER_JSON : v->jsonl ? RENDER_JSONL : v->csv ? RENDER_CSV : RENDER_TABLE;
}

static bool is_server(const char *text)
{
	char addr[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	uint64_t port;
	bool bracketed = *text == '[', six = bracketed || strchr(text, ':') != strrchr(text, ':');
	const char *start = text + bracketed;
	size_t n = strcspn(start, bracketed ? "]" : six ? "" : ":");
	const char *rest = start + n;

	if (n >= sizeof(addr))
		return false;
	memcpy(addr, start, n);
	addr[n] = 0;
	if (inet_pton(six ? AF_INET6 : AF_INET, addr, bytes) != 1 || (bracketed && *rest++ != ']'))
		return false;
	return !*rest || (*rest == ':' && parse_number(rest + 1, 1, UINT16_MAX, &port) == 0);
}

static bool are_servers(const char *list)
{
	_cleanup_(cleanup_free) char *copy = strdup(list);
	char *rest = copy, *one;

	while ((one = strsep(&rest, ",")))
		if (!is_server(one))
			return false;
	return copy != NULL;
}

/* Of how the list is written. NULL, or what is wrong; *ret_what is the option. */
static const char *judge_form(const struct list_values *v, const char **ret_what)
{
	*ret_what = "--summary";
	if (v->summary && (v->jsonl || v->csv))
		return "is written as text or --json";
	if (v->summary && (v->columns || v->sort || v->pairs))
		return "does not go with --columns, --sort or --pairs";
	*ret_what = "--json, --jsonl, --csv";
	return v->json + v->jsonl + v->csv > 1 ? "only one of them at a time" : NULL;
}

/* Of what is done with it. */
static const char *judge_use(const struct list_values *v, const char **ret_what)
{
	*ret_what = "--kill";
	if (v->kill && (v->record || v->replay || v->redact))
		return "does not go with --record, --replay or --redact";
	if (v->kill && (v->summary || v->pairs || v->dump))
		return "does not go with --summary, --pairs or --diag";
	*ret_what = "--yes";
	return v->yes && !v->kill ? "goes with --kill" : NULL;
}

/* Of where it comes from and goes to. */
static const char *judge_files(const struct list_values *v, const char **ret_what)
{
	*ret_what = "--diag";
	if (v->dump && (v->record || v->replay || v->netns.len))
		return "does not go with --record, --replay or --net";
	if (v->dump && v->protos && !(v->protos & PV_PROTO_BIT(PV_PROTO_TCP)))
		return "such a file holds TCP sockets, which were not asked for";
	*ret_what = "--record";
	return v->record && v->replay && !v->redact
		       ? "goes with --replay only to --redact a recording"
		       : NULL;
}

static int check_values(const struct list_values *v)
{
	const char *what, *why = judge_form(v, &what);

	if (!why)
		why = judge_use(v, &what);
	if (!why)
		why = judge_files(v, &what);
	if (!why && v->dns_servers && !are_servers(v->dns_servers)) {
		what = "--dns-servers";
		why = "expected ADDR, ADDR:PORT or [ADDR]:PORT, with commas between them";
	}
	if (why)
		usage_error(what, "%s", why);
	return why ? -EINVAL : 0;
}

static void add_defaults(struct buf *b, const struct list_values *v, bool machine)
{
	static const char defaults[] = COLUMNS_TABLE, process[] = "process,";
	const char *at = strstr(defaults, process);

	if (!machine && v->netns.len)
		buf_puts(b, "netns_name,");
	if (machine) {
		buf_puts(b, COLUMNS_MACHINE);
	} else if (v->processes) {
		/* every holder, however many: the one cell that may be long comes last */
		buf_put(b, defaults, (size_t)(at - defaults));
		buf_puts(b, at + strlen(process));
	} else {
		buf_puts(b, defaults);
	}
	if (v->extended)
		buf_puts(b, ",recv_q,send_q,uid,inode,cookie,cgroup");
	if (v->options)
		buf_puts(b, ",timers");
	if (v->memory)
		buf_puts(b, ",mem");
	if (v->info)
		buf_puts(b, ",info");
	if (!machine && v->pairs)
		buf_puts(b, ",translation,peer");
	else if (v->pairs)
		buf_puts(b, ",peer_netns,peer_candidates,translation");
	if (!machine && v->processes)
		buf_puts(b, ",holders");
}

static int make_view(const struct list_values *v, struct view *view)
{
	_cleanup_(cleanup_buf) struct buf defaults = BUF_INIT;

	add_defaults(&defaults, v, format_of(v) != RENDER_TABLE);
	return buf_str(&defaults) ? view_parse(v->columns, v->sort, defaults.data, view) : -ENOMEM;
}

/*
 * As with ss and netstat, naming a protocol asks for conversations, -l for listeners, -a for both;
 * without any of these it is both, of every protocol over IP.
 */
static void choose_rows(const struct list_values *v, struct pv_request *q)
{
	uint32_t ip = PV_PROTO_BIT(PV_PROTO_PING + 1) - 1;

	/* no other sockets can be closed */
	q->protos = v->protos ? v->protos : v->all && !v->kill ? PV_PROTO_ALL : ip;
	if (v->ipv4 || v->ipv6) {
		q->inet = v->ipv4;
		q->inet6 = v->ipv6;
		if (!v->protos)
			q->protos &= ip;
	}
	if (q->filter && pv_filter_has_states(q->filter))
		q->states = pv_filter_states(q->filter);
	else if (v->listening && !v->all)
		q->states = PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE);
	else if (v->protos & ~STATELESS_BITS && !v->all)
		q->states = PV_STATE_CONNECTED;
}

static int fail(const char *what, int r)
{
	usage_error(what, "%s", strerror(-r));
	return EXIT_FAILURE;
}

static int fail_collect(struct list_values *v, int r)
{
	const char *dir = v->record ? v->record : v->replay;

	if (v->record && r == -EEXIST)
		usage_error(dir, "--record needs a new or an empty folder");
	else if (report_netns(&v->netns, r) || report_key(v->replay, r))
		return EXIT_FAILURE;
	else if (v->replay && r == -EBADMSG && dump_say_damage(dir))
		return EXIT_FAILURE;
	else if (v->replay && (r == -EINVAL || r == -EBADMSG))
		usage_error(dir, "is no recording made by portavoz list --record, or is damaged");
	else
		return fail(dir && r != -ENOMEM ? dir : "list", r);
	return EXIT_FAILURE;
}

/* Host names are awaited when the rows without them are on the screen. */
struct waiting {
	struct pv_snapshot *snapshot;
	const struct list_values *values;
};

static int resolve(void *userdata)
{
	struct waiting *w = userdata;

	return pv_snapshot_resolve(w->snapshot, (int)w->values->dns_timeout_ms,
				   w->values->dns_servers);
}

static int write_snapshot(struct pv_snapshot *s, const struct list_values *v,
			  const struct view *view, uint32_t needs, bool names_follow,
			  const bool *omit)
{
	struct waiting waiting = { .snapshot = s, .values = v };
	struct render_options o = {
		.format = format_of(v),
		.columns = view->columns,
		.n_columns = view->n_columns,
		.sort = view->sort,
		.n_sort = view->n_sort,
		.needs = needs,
		.numeric = v->numeric,
		.header = !v->no_header,
		.color = terminal_color(v->color),
		.ascii = terminal_is_ascii(),
		.pairs = v->pairs,
		.keep_columns = v->columns != NULL,
		.width = terminal_width(),
		.before_remote = names_follow ? resolve : NULL,
		.userdata = &waiting,
		.omit = omit,
	};

	return v->summary ? render_summary(s, o.format, o.ascii, STDOUT_FILENO)
			  : render_snapshot(s, &o, STDOUT_FILENO);
}

/* Verdicts follow the policy of this host. 0 or the exit status. */
static int collect(struct list_values *v, struct pv_request *q, struct pv_snapshot **ret)
{
	struct pv_policy *policy = NULL;
	uint32_t needs = q->needs | (q->filter ? pv_filter_needs(q->filter) : 0);
	int r = needs & PV_NEED_VERDICT ? policy_option_open(NULL, &policy) : 0;

	if (r != 0)
		return r;
	q->policy = policy;
	r = pv_collect(q, ret);
	pv_policy_free(policy);
	return r < 0 ? fail_collect(v, r) : 0;
}

/* What could be closed is written, as the table or document that was asked for. */
static int close_all(struct pv_snapshot *s, const struct list_values *v, const struct view *view,
		     uint32_t needs)
{
	size_t n = pv_snapshot_count(s);
	_cleanup_(cleanup_free) bool *is_left = calloc(n + 1, sizeof(*is_left));
	int status, r = is_left ? 0 : -ENOMEM;

	if (r == 0 && n && !v->yes) {
		r = write_snapshot(s, v, view, needs, false, NULL);
		if (r == 0 && !kill_ask(n)) {
			fputs("portavoz: nothing was closed\n", stderr);
			return EXIT_SUCCESS;
		}
	}
	if (r < 0)
		return fail("list", r);
	if (!n)
		fputs("portavoz: no socket matches, nothing was closed\n", stderr);
	status = kill_rows(s, is_left);
	r = write_snapshot(s, v, view, needs, false, is_left);
	return r < 0 ? fail("standard output", r) : status;
}

static void make_request(struct list_values *v, const struct view *view, struct pv_filter *filter,
			 struct pv_request *q)
{
	q->filter = filter;
	choose_rows(v, q);
	q->needs = v->summary ? PV_NEED_OWNERS | PV_NEED_DIRECTION
			      : columns_needs(view->columns, view->n_columns,
					      v->numeric && !v->resolve);
	for (size_t i = 0; i < view->n_sort; i++)
		q->needs |= view->sort[i].column->needs & ~(uint32_t)PV_NEED_NAMES;
	if (v->pairs)
		q->needs |= PV_NEED_PEER | PV_NEED_NAT;
	/* the other end of a UNIX socket is told by that one's name */
	if (q->protos & PV_PROTO_BIT(PV_PROTO_UNIX))
		q->needs |= PV_NEED_PEER;
	q->owners = (enum pv_owners)v->owners;
	q->sockets = (enum pv_sockets)v->sockets;
	q->record_dir = v->record;
	q->replay_dir = v->replay;
	q->dns_timeout_ms = (int)v->dns_timeout_ms;
	q->dns_servers = v->dns_servers;
	q->netns = v->netns.len ? buf_str(&v->netns) : NULL;
	if (q->owners == PV_OWNERS_NONE)
		q->needs &= ~(uint32_t)PV_NEED_OWNERS;
}

static int list(struct list_values *v, const struct view *view, struct pv_filter *filter)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *redactor = NULL;
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_snapshot *s = NULL;
	bool names_follow;
	uint32_t needs;
	int r = redact_open(v->redact, &redactor);

	if (r)
		return r;
	make_request(v, view, filter, &q);
	q.redactor = redactor;
	if (v->dump)
		return dump_write(&q, v->dump);
	needs = q.needs;
	/* nothing is sorted by them, nothing decided by them: they may come last */
	names_follow = needs & PV_NEED_NAMES && !v->kill && !redactor && !v->record && !v->replay &&
		       !v->summary && format_of(v) == RENDER_TABLE && !view->n_sort;
	if (names_follow)
		q.needs &= ~(uint32_t)PV_NEED_NAMES;
	r = collect(v, &q, &s);
	if (r != 0)
		return r;
	r = v->kill ? close_all(s, v, view, needs)
		    : write_snapshot(s, v, view, needs, names_follow, NULL);
	/* a reader that went away has seen what it wanted */
	if (r < 0 && r != -EPIPE)
		r = fail("standard output", r);
	else if (!v->kill) {
		r = say_coverage(s, NULL, v->verbose, v->strict);
	}
	pv_snapshot_free(s);
	return r;
}

static int run_list(int argc, char **argv)
{
	_cleanup_(cleanup_view) struct view view = { 0 };
	_cleanup_(cleanup_values) struct list_values v = { .dns_timeout_ms = 1000 };
	struct pv_filter *filter = NULL;
	int first, r = command_options(&command_list, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (check_values(&v) < 0)
		return EXIT_USAGE;
	r = filter_text_parse(
		&(struct filter_text){
			.argc = argc, .first = first, .argv = argv, .file = v.filter_file },
		&filter);
	if (r == 0)
		r = make_view(&v, &view);
	if (r == 0 && v.kill && kill_refuse(filter, v.all, v.yes))
		r = -EINVAL;
	if (r == 0)
		r = list(&v, &view, filter);
	else
		r = r == -EINVAL ? EXIT_USAGE : fail("list", r);
	pv_filter_free(filter);
	return r;
}
