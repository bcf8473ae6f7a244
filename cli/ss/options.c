/* SPDX-License-Identifier: MIT */
/*
 * The option table of ss, and what an argument vector selects. Tables and families add up in the
 * order they are named, the last family decides more than the others, and -A starts afresh: all as
 * in ss, whose scripts rely on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/commands.h"
#include "cli/dump.h"
#include "cli/filter_text.h"
#include "cli/kill.h"
#include "cli/redact_option.h"
#include "cli/ss/ss.h"

/* Without more words ss shows neither listeners nor what is left of closed connections. */
#define OPEN_STATES                                                                                \
	(SS_STATES_ALL & ~(PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE) |          \
			   PV_STATE_BIT(PV_STATE_TIME_WAIT) | PV_STATE_BIT(PV_STATE_SYN_RECV)))
#define CLOSED PV_STATE_BIT(PV_STATE_CLOSE)
#define CONNECTED PV_STATE_BIT(PV_STATE_ESTABLISHED)

#define BOTH_INET (1u << SS_INET | 1u << SS_INET6)
#define PACKET_TABLES (SS_BIT(SS_PACKET_DGRAM) | SS_BIT(SS_PACKET_RAW))
#define UNIX_TABLES (SS_BIT(SS_UNIX_DGRAM) | SS_BIT(SS_UNIX_STREAM) | SS_BIT(SS_UNIX_SEQPACKET))
#define VSOCK_TABLES (SS_BIT(SS_VSOCK_STREAM) | SS_BIT(SS_VSOCK_DGRAM))
#define INET_TABLES                                                                                \
	(SS_BIT(SS_TCP) | SS_BIT(SS_MPTCP) | SS_BIT(SS_UDP) | SS_BIT(SS_DCCP) | SS_BIT(SS_SCTP) |  \
	 SS_BIT(SS_RAW))
#define ALL_TABLES (SS_BIT(SS_TABLE_N) - 1)

static const struct {
	uint32_t families, states;
} tables[SS_TABLE_N] = {
	[SS_NETLINK] = { 1u << SS_NETLINK_FAMILY, CLOSED },
	[SS_PACKET_DGRAM] = { 1u << SS_LINK, CLOSED },
	[SS_PACKET_RAW] = { 1u << SS_LINK, CLOSED },
	[SS_UNIX_DGRAM] = { 1u << SS_UNIX, CLOSED },
	[SS_UNIX_STREAM] = { 1u << SS_UNIX, OPEN_STATES },
	[SS_UNIX_SEQPACKET] = { 1u << SS_UNIX, OPEN_STATES },
	[SS_RAW] = { BOTH_INET, CONNECTED },
	[SS_UDP] = { BOTH_INET, CONNECTED },
	[SS_TCP] = { BOTH_INET, OPEN_STATES },
	[SS_DCCP] = { BOTH_INET, OPEN_STATES },
	[SS_SCTP] = { BOTH_INET, OPEN_STATES },
	[SS_VSOCK_STREAM] = { 1u << SS_VSOCK, OPEN_STATES },
	[SS_VSOCK_DGRAM] = { 1u << SS_VSOCK, OPEN_STATES },
	[SS_TIPC] = { 1u << SS_TIPC_FAMILY, OPEN_STATES },
	[SS_XDP] = { 1u << SS_XDP_FAMILY, CLOSED },
	[SS_MPTCP] = { BOTH_INET, OPEN_STATES },
};

static const struct {
	const char *name;
	uint32_t tables, states;
} families[SS_FAMILY_N] = {
	[SS_INET] = { "inet", INET_TABLES, OPEN_STATES },
	[SS_INET6] = { "inet6", INET_TABLES, OPEN_STATES },
	[SS_LINK] = { "link", PACKET_TABLES, CLOSED },
	[SS_UNIX] = { "unix", UNIX_TABLES, OPEN_STATES },
	[SS_NETLINK_FAMILY] = { "netlink", SS_BIT(SS_NETLINK), CLOSED },
	[SS_VSOCK] = { "vsock", VSOCK_TABLES, OPEN_STATES },
	[SS_TIPC_FAMILY] = { "tipc", SS_BIT(SS_TIPC), OPEN_STATES },
	[SS_XDP_FAMILY] = { "xdp", SS_BIT(SS_XDP), CLOSED },
};

/* What -A takes. */
static const struct {
	const char *name;
	uint32_t tables;
} queries[] = {
	{ "all", ALL_TABLES },
	{ "inet", INET_TABLES },
	{ "udp", SS_BIT(SS_UDP) },
	{ "dccp", SS_BIT(SS_DCCP) },
	{ "tcp", SS_BIT(SS_TCP) },
	{ "mptcp", SS_BIT(SS_MPTCP) },
	{ "sctp", SS_BIT(SS_SCTP) },
	{ "raw", SS_BIT(SS_RAW) },
	{ "unix", UNIX_TABLES },
	{ "unix_stream", SS_BIT(SS_UNIX_STREAM) },
	{ "u_str", SS_BIT(SS_UNIX_STREAM) },
	{ "unix_dgram", SS_BIT(SS_UNIX_DGRAM) },
	{ "u_dgr", SS_BIT(SS_UNIX_DGRAM) },
	{ "unix_seqpacket", SS_BIT(SS_UNIX_SEQPACKET) },
	{ "u_seq", SS_BIT(SS_UNIX_SEQPACKET) },
	{ "packet", PACKET_TABLES },
	{ "packet_raw", SS_BIT(SS_PACKET_RAW) },
	{ "p_raw", SS_BIT(SS_PACKET_RAW) },
	{ "packet_dgram", SS_BIT(SS_PACKET_DGRAM) },
	{ "p_dgr", SS_BIT(SS_PACKET_DGRAM) },
	{ "netlink", SS_BIT(SS_NETLINK) },
	{ "vsock", VSOCK_TABLES },
	{ "vsock_stream", SS_BIT(SS_VSOCK_STREAM) },
	{ "v_str", SS_BIT(SS_VSOCK_STREAM) },
	{ "vsock_dgram", SS_BIT(SS_VSOCK_DGRAM) },
	{ "v_dgr", SS_BIT(SS_VSOCK_DGRAM) },
	{ "tipc", SS_BIT(SS_TIPC) },
	{ "xdp", SS_BIT(SS_XDP) },
};

static void add_tables(struct ss_values *v, uint32_t added)
{
	for (size_t i = 0; i < SS_TABLE_N; i++)
		if (added & SS_BIT(i))
			v->states |= tables[i].states;
	v->tables |= added;
	v->is_chosen = true;
}

static void add_family(struct ss_values *v, uint32_t family)
{
	v->states |= families[family].states;
	v->families |= 1u << family;
	v->preferred = (int)family;
	v->is_chosen = true;
}

static int set_table(void *values, const char *arg, const struct option_def *def)
{
	(void)arg;
	add_tables(values, SS_BIT(def->value));
	return 0;
}

static int set_family(void *values, const char *arg, const struct option_def *def)
{
	(void)arg;
	add_family(values, def->value);
	return 0;
}

static int set_family_name(void *values, const char *arg, const struct option_def *def)
{
	(void)def;
	for (uint32_t i = 0; i < SS_FAMILY_N; i++) {
		if (!strcmp(families[i].name, arg)) {
			add_family(values, i);
			return 0;
		}
	}
	usage_error(arg, "is no family: inet, inet6, link, unix, netlink, vsock, tipc or xdp");
	return -EINVAL;
}

static int add_query(struct ss_values *v, const char *word, size_t n)
{
	bool is_excluded = n && *word == '!';

	word += is_excluded;
	n -= is_excluded;
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		if (strlen(queries[i].name) != n || memcmp(queries[i].name, word, n))
			continue;
		if (is_excluded)
			v->tables &= ~queries[i].tables;
		else
			add_tables(v, queries[i].tables);
		return 0;
	}
	return -EINVAL;
}

static int set_query(void *values, const char *arg, const struct option_def *def)
{
	struct ss_values *v = values;

	(void)def;
	if (!v->has_query) {
		v->tables = 0;
		if (!v->asked_states)
			v->asked_states = OPEN_STATES;
	}
	v->has_query = v->is_chosen = true;
	for (;; arg++) {
		size_t n = strcspn(arg, ",");

		if (add_query(v, arg, n) < 0) {
			usage_error(arg, "is no table of sockets (see portavoz-ss(1))");
			return -EINVAL;
		}
		arg += n;
		if (!*arg)
			return 0;
	}
}

/* -a, -l and -B: the last one counts */
static int set_states(void *values, const char *arg, const struct option_def *def)
{
	struct ss_values *v = values;

	(void)arg;
	v->asked_states = def->value;
	v->all |= def->letter == 'a';
	v->bound_inactive = def->letter == 'B';
	return 0;
}

static int set_extended(void *values, const char *arg, const struct option_def *def)
{
	struct ss_values *v = values;

	(void)arg;
	v->timers = true;
	if (def->letter == 'b')
		v->bpf = true;
	else
		v->details = true;
	return 0;
}

#define AT(member) offsetof(struct ss_values, member)
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))
#define TEXT(letter, name, arg, help, member) TEXT_OPTION(letter, name, arg, help, AT(member))
#define CALL(letter, name, arg, help, value, set)                                                  \
	{                                                                                          \
		letter, name, arg, help, OPTION_CALL, 0, value, 0, set                             \
	}

#define FAMILIES "inet|inet6|link|unix|netlink|vsock|tipc|xdp"

static const struct option_def ss_options[] = {
	OPTION_HEADING("Which sockets (default: every table)"),
	CALL('t', "tcp", NULL, "TCP", SS_TCP, set_table),
	CALL('u', "udp", NULL, "UDP", SS_UDP, set_table),
	CALL('w', "raw", NULL, "RAW", SS_RAW, set_table),
	CALL('x', "unix", NULL, "UNIX domain sockets", SS_UNIX, set_family),
	CALL('0', "packet", NULL, "PACKET sockets", SS_LINK, set_family),
	CALL('M', "mptcp", NULL, "MPTCP", SS_MPTCP, set_table),
	CALL('S', "sctp", NULL, "SCTP", SS_SCTP, set_table),
	CALL('d', "dccp", NULL, "DCCP", SS_DCCP, set_table),
	CALL(0, "vsock", NULL, "VSOCK", SS_VSOCK, set_family),
	CALL(0, "xdp", NULL, "XDP sockets", SS_XDP_FAMILY, set_family),
	CALL(0, "tipc", NULL, "TIPC", SS_TIPC_FAMILY, set_family),
	CALL('4', "ipv4", NULL, "IPv4", SS_INET, set_family),
	CALL('6', "ipv6", NULL, "IPv6", SS_INET6, set_family),
	CALL('f', "family", FAMILIES, "sockets of this family", 0, set_family_name),
	CALL('A', "query", "TABLES", "these tables, comma-separated; !NAME leaves out", 0,
	     set_query),
	CALL(0, "socket", "TABLES", "the same", 0, set_query),
	OPTION_HEADING("Which states (default: conversations)"),
	CALL('a', "all", NULL, "every state", SS_STATES_ALL, set_states),
	CALL('l', "listening", NULL, "listeners",
	     PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE), set_states),
	CALL('B', "bound-inactive", NULL, "TCP sockets that are bound, and no more", CLOSED,
	     set_states),
	TEXT('F', "filter", "FILE", "also read the filter from this file, - is standard input",
	     filter),
	TEXT('N', "net", "NAME", "of this network namespace", netns),
	OPTION_HEADING("How much is shown, and how"),
	FLAG('n', "numeric", "numbers instead of names", numeric),
	FLAG('r', "resolve", "host names instead of addresses", resolve),
	FLAG('o', "options", "timers", timers),
	CALL('e', "extended", NULL, "user, inode, cookie and more; timers", 0, set_extended),
	FLAG('m', "memory", "socket memory", memory),
	FLAG('p', "processes", "the processes that hold the socket", processes),
	FLAG('T', "threads", "the threads of those processes", threads),
	FLAG('i', "info", "what TCP knows of the connection", info),
	FLAG(0, "tos", "type of service and priority", tos),
	FLAG(0, "cgroup", "the control group of the socket", cgroup),
	FLAG(0, "inet-sockopt", "socket options of IP", sockopt),
	FLAG(0, "tipcinfo", "what TIPC knows of the socket", tipcinfo),
	CALL('b', "bpf", NULL, "the packet filter of a PACKET socket; timers", 0, set_extended),
	FLAG('Z', "context", "SELinux contexts of processes (refused where SELinux is off)",
	     context),
	FLAG('z', "contexts", "the same, and those of sockets", contexts),
	FLAG('s', "summary", "counts", summary),
	FLAG('H', "no-header", "no titles", no_header),
	FLAG('O', "oneline", "a line a socket", oneline),
	FLAG('Q', "no-queues", "no queues", no_queues),
	OPTION_HEADING("What is done with them"),
	FLAG('K', "kill", "close them; asks before, and lists what was closed", kill),
	FLAG(0, "yes", "with --kill: do not ask", yes),
	TEXT('D', "diag", "FILE", "write TCP sockets for TCPDIAG_FILE, - is standard output", dump),
	FLAG('E', "events", "TCP and UDP sockets as they are destroyed, until a signal", events),
	OPTION_HEADING("Beyond ss"),
	TEXT(0, "replay", "FILE", "of a recording or a file of --diag, not of this host", replay),
	{ 0, "dns-timeout", "MS", "time for all host names together, in milliseconds (1000)",
	  OPTION_NUMBER, AT(dns_timeout_ms), 0, 600000, NULL },
	TEXT(0, "dns-servers", "LIST", "name servers ADDR[:PORT],... instead of the system's",
	     dns_servers),
	REDACT_OPTION(struct ss_values, redact),
	FLAG('V', "version", "show the version and exit", version),
	FLAG('v', NULL, "the same", version),
	{ 0 },
};

static int run_ss(int argc, char **argv);

const struct command command_ss = {
	.name = "ss",
	.summary = "what iproute2's ss shows, as it shows it",
	.usage = "[OPTION]... [FILTER]",
	.about = "A link to this program that is called ss does the same.\n"
		 "FILTER is what ss takes, and more: see portavoz-filter(7).",
	.defs = ss_options,
	.operands = OPERAND_FILTER,
	.run = run_ss,
};

void ss_merge_defaults(struct ss_values *v)
{
	if (!v->is_chosen) {
		v->tables = ALL_TABLES;
		if (!v->asked_states)
			v->asked_states = OPEN_STATES;
	}
	if (v->asked_states)
		v->states = v->asked_states;
	for (size_t i = 0; i < SS_TABLE_N; i++)
		if (v->tables & SS_BIT(i) && !(tables[i].families & v->families))
			v->families |= tables[i].families;
	for (size_t i = 0; i < SS_FAMILY_N; i++)
		if (v->families & 1u << i && !(families[i].tables & v->tables))
			v->tables |= families[i].tables;
}

/* What SELinux says, where it runs: as ss finds out. -1 to go on. */
static int refuse_contexts(const struct ss_values *v)
{
	if (access("/sys/fs/selinux/enforce", F_OK) < 0) {
		fputs("ss: SELinux is not enabled.\n", stderr);
		return EXIT_FAILURE;
	}
	if (!v->redact && !v->replay)
		return -1;
	usage_error("--context", "does not go with --redact or --replay");
	return SS_EXIT_USAGE;
}

/* What cannot be had, whatever else was asked. -1 to go on. */
static int refuse(const struct ss_values *v)
{
	int r = v->context || v->contexts ? refuse_contexts(v) : -1;

	if (r >= 0)
		return r;
	if (v->threads && (v->redact || v->replay)) {
		usage_error("--threads", "does not go with --redact or --replay");
		return SS_EXIT_USAGE;
	}
	if (v->kill && (v->dump || v->replay || v->redact)) {
		usage_error("--kill", "does not go with --diag, --replay or --redact");
		return SS_EXIT_USAGE;
	}
	if (v->events && (v->kill || v->dump || v->replay)) {
		usage_error("--events", "does not go with --kill, --diag or --replay");
		return SS_EXIT_USAGE;
	}
	if (v->yes && !v->kill) {
		usage_error("--yes", "goes with --kill");
		return SS_EXIT_USAGE;
	}
	return -1;
}

/* An empty choice is no mistake, but nothing to show. */
static bool is_nothing(const struct ss_values *v)
{
	const char *what = !v->tables	  ? "socket tables"
			   : !v->families ? "families"
			   : !v->states	  ? "socket states"
					  : NULL;

	if (what)
		fprintf(stderr, "ss: no %s to show with such filter.\n", what);
	return what != NULL;
}

/* The family that hosts of the filter mean. */
static int address_family(const struct ss_values *v)
{
	static const int numbers[SS_FAMILY_N] = {
		[SS_INET] = AF_INET,
		[SS_INET6] = AF_INET6,
		[SS_LINK] = AF_PACKET,
		[SS_UNIX] = AF_UNIX,
		[SS_NETLINK_FAMILY] = AF_NETLINK,
		[SS_VSOCK] = AF_VSOCK,
	};

	return v->preferred < 0 ? AF_UNSPEC : numbers[v->preferred];
}

/* Where sockets are listed is a matter of the thread, and there is but one yet. */
static int enter_netns(const char *name)
{
	_cleanup_(cleanup_buf) struct buf path = BUF_INIT;
	_cleanup_(cleanup_fd) int fd = -1;

	buf_printf(&path, strchr(name, '/') ? "%s" : "/run/netns/%s", name);
	fd = buf_str(&path) ? open(path.data, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0 && setns(fd, CLONE_NEWNET) == 0)
		return 0;
	usage_error(name, "network namespace: %s", strerror(errno));
	return EXIT_FAILURE;
}

/* A kernel that has them tells in the list of its protocols. */
static bool has_tipc(void)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	return file_read_at(AT_FDCWD, "/proc/net/protocols", &b) == 0 && buf_str(&b) &&
	       strstr(buf_str(&b), "\nTIPC ");
}

static int list(struct ss_values *v, struct pv_filter *filter)
{
	int r;

	if (filter && pv_filter_has_states(filter))
		v->asked_states = pv_filter_states(filter) & SS_STATES_ALL;
	ss_merge_defaults(v);
	if (is_nothing(v))
		return EXIT_SUCCESS;
	r = v->kill ? kill_refuse(filter, v->all, v->yes) : redact_open(v->redact, &v->redactor);
	if (r)
		return r;
	if (v->tables & SS_BIT(SS_TIPC) && v->is_chosen && has_tipc())
		usage_error("--tipc",
			    "portavoz cannot list TIPC sockets, and this kernel may have some");
	/* names of hosts and ports come from files and servers of the host */
	if (v->redactor) {
		v->numeric = true;
		v->resolve = false;
	}
	r = v->events ? ss_events(v, filter) : ss_list(v, filter);
	pv_redactor_free(v->redactor);
	return r;
}

static int run_ss(int argc, char **argv)
{
	struct ss_values v = { .preferred = -1, .dns_timeout_ms = 1000 };
	struct pv_filter *filter = NULL;
	int first, r = command_options(&command_ss, argc, argv, &v, &first);

	if (r >= 0)
		return r == EXIT_USAGE ? SS_EXIT_USAGE : r;
	if (v.version) {
		printf("portavoz %s\n", pv_version());
		return finish_stdout();
	}
	r = refuse(&v);
	if (r < 0 && v.netns && enter_netns(v.netns))
		return EXIT_FAILURE;
	if (r < 0 && v.summary) {
		r = ss_summary();
		/* with anything that selects sockets they follow */
		if (r == EXIT_SUCCESS && (v.is_chosen || first < argc))
			r = -1;
	}
	if (r >= 0)
		return r;
	r = filter_text_parse(&(struct filter_text){ .argc = argc,
						     .first = first,
						     .argv = argv,
						     .file = v.filter,
						     .as_ss = true,
						     .family = address_family(&v) },
			      &filter);
	r = r < 0 ? SS_EXIT_USAGE : list(&v, filter);
	pv_filter_free(filter);
	return r;
}
