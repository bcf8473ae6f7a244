/* SPDX-License-Identifier: MIT */
/* The option table of netstat, and which mode an argument vector means. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/netstat/netstat.h"
#include "cli/redact_option.h"

#define AT(member) offsetof(struct netstat_values, member)
#define BITS(letter, name, help, member, bits)                                                     \
	{                                                                                          \
		letter, name, NULL, help, OPTION_BITS, AT(member), bits, 0, NULL                   \
	}
#define FLAG(letter, name, help, member) FLAG_OPTION(letter, name, help, AT(member))

static int set_families(void *values, const char *arg, const struct option_def *def);
static int set_extended(void *values, const char *arg, const struct option_def *def);

static const struct option_def netstat_options[] = {
	OPTION_HEADING("What is shown (default: open sockets)"),
	BITS('r', "route", "the routing tables", modes, NETSTAT_ROUTES),
	BITS('i', "interfaces", "the interfaces", modes, NETSTAT_INTERFACES),
	BITS('g', "groups", "multicast groups", modes, NETSTAT_GROUPS),
	BITS('s', "statistics", "the counters of the protocols, explained", modes,
	     NETSTAT_STATISTICS),
	BITS('M', "masquerade", "masqueraded connections, which no kernel lists so any more", modes,
	     NETSTAT_MASQUERADE),
	FLAG(0, "windows", "the view people know from Windows; -o PID, -b program", windows),
	OPTION_HEADING("Which sockets (default: conversations of every kind)"),
	BITS('t', "tcp", "TCP", protos, PV_PROTO_BIT(PV_PROTO_TCP)),
	BITS('u', "udp", "UDP", protos, PV_PROTO_BIT(PV_PROTO_UDP)),
	BITS('U', "udplite", "UDP-Lite", protos, PV_PROTO_BIT(PV_PROTO_UDPLITE)),
	BITS('S', "sctp", "SCTP", protos, PV_PROTO_BIT(PV_PROTO_SCTP)),
	BITS('w', "raw", "RAW", protos, PV_PROTO_BIT(PV_PROTO_RAW)),
	BITS('x', "unix", "UNIX domain sockets", families, NETSTAT_UNIX),
	FLAG('l', "listening", "listeners only", listening),
	FLAG('a', "all", "listeners and conversations; with -i interfaces that are down, too", all),
	OPTION_HEADING("Which families"),
	BITS('4', "inet", "IPv4", families, NETSTAT_INET),
	BITS('6', "inet6", "IPv6", families, NETSTAT_INET6),
	BITS(0, "ip", "IPv4", families, NETSTAT_INET),
	BITS(0, "tcpip", "IPv4", families, NETSTAT_INET),
	{ 'A', "protocol", "FAMILIES", "inet, inet6, unix, ipx, ax25, x25, netrom, rose, ddp, ...",
	  OPTION_CALL, 0, 0, 0, set_families },
	BITS('2', "l2cap", "Bluetooth L2CAP (not supported)", families, NETSTAT_BLUETOOTH),
	BITS('f', "rfcomm", "Bluetooth RFCOMM (not supported)", families, NETSTAT_BLUETOOTH),
	BITS(0, "ipx", "IPX", families, NETSTAT_IPX),
	BITS(0, "ax25", "AX.25", families, NETSTAT_AX25),
	BITS(0, "x25", "X.25", families, NETSTAT_X25),
	BITS(0, "netrom", "NET/ROM", families, NETSTAT_NETROM),
	BITS(0, "rose", "ROSE", families, NETSTAT_ROSE),
	BITS(0, "ddp", "AppleTalk", families, NETSTAT_DDP),
	BITS(0, "appletalk", "AppleTalk", families, NETSTAT_DDP),
	OPTION_HEADING("How much is shown, and how"),
	BITS('n', "numeric", "numbers instead of names; sends no packet", numeric, NETSTAT_NUMERIC),
	BITS(0, "numeric-hosts", "addresses instead of host names", numeric, NETSTAT_NUMERIC_HOSTS),
	BITS(0, "numeric-ports", "port numbers instead of services", numeric,
	     NETSTAT_NUMERIC_PORTS),
	BITS(0, "numeric-users", "user numbers instead of names", numeric, NETSTAT_NUMERIC_USERS),
	FLAG('N', "symbolic", "names of hardware; with -r addresses instead of names", symbolic),
	{ 'e', "extend", NULL, "more: user and inode, metrics, addresses; twice: even more",
	  OPTION_CALL, 0, 0, 0, set_extended },
	FLAG('o', "timers", "the timer of a connection; with --windows the PID", timers),
	FLAG('p', "programs", "PID and program name", programs),
	FLAG(0, "program", "the same", programs),
	FLAG('b', NULL, "with --windows: the program under each line", binaries),
	FLAG('W', "wide", "addresses at full length", wide),
	FLAG('v', "verbose", "say what this kernel has no support for", verbose),
	FLAG('c', "continuous", "again every second", continuous),
	FLAG('F', "fib", "with -r: the forwarding table (default)", fib),
	FLAG('C', "cache", "with -r: the cache instead", cache),
	FLAG('Z', "context", "SELinux contexts (refused where SELinux is off)", context),
	{ 0, "dns-timeout", "MS", "time for all host names together, in milliseconds (1000)",
	  OPTION_NUMBER, AT(dns_timeout_ms), 0, 600000, NULL },
	{ 0, "dns-servers", "LIST", "name servers ADDR[:PORT],... instead of the system's",
	  OPTION_TEXT, AT(dns_servers), 0, 0, NULL },
	REDACT_OPTION(struct netstat_values, redact),
	FLAG('V', "version", "show the version and exit", version),
	{ 0 },
};

static int run_netstat(int argc, char **argv);

const struct command command_netstat = {
	.name = "netstat",
	.summary = "what net-tools' netstat shows, as it shows it",
	.usage = "[OPTION]...",
	.about = "A link to this program that is called netstat does the same.",
	.defs = netstat_options,
	.operands = OPERAND_NONE,
	.run = run_netstat,
};

static const struct {
	const char *name;
	uint32_t family;
} families[] = {
	{ "inet", NETSTAT_INET },	    { "ip", NETSTAT_INET },   { "tcpip", NETSTAT_INET },
	{ "inet6", NETSTAT_INET6 },	    { "unix", NETSTAT_UNIX }, { "ipx", NETSTAT_IPX },
	{ "ax25", NETSTAT_AX25 },	    { "x25", NETSTAT_X25 },   { "netrom", NETSTAT_NETROM },
	{ "rose", NETSTAT_ROSE },	    { "ddp", NETSTAT_DDP },   { "appletalk", NETSTAT_DDP },
	{ "bluetooth", NETSTAT_BLUETOOTH },
};

static int set_families(void *values, const char *arg, const struct option_def *def)
{
	struct netstat_values *v = values;

	(void)def;
	while (*arg) {
		size_t n = strcspn(arg, ","), i = 0;

		while (i < sizeof(families) / sizeof(*families) &&
		       (strlen(families[i].name) != n || memcmp(families[i].name, arg, n)))
			i++;
		if (i == sizeof(families) / sizeof(*families)) {
			v->wrong_family = arg;
			return 0;
		}
		v->families |= families[i].family;
		arg += n + (arg[n] == ',');
	}
	return 0;
}

static int set_extended(void *values, const char *arg, const struct option_def *def)
{
	(void)arg;
	(void)def;
	((struct netstat_values *)values)->extended++;
	return 0;
}

int netstat_no_support(const char *what)
{
	fprintf(stderr, "netstat: no support for `%s' on this system.\n", what);
	return EXIT_FAILURE;
}

/* -g with kinds of sockets named lists those too: of IP before the groups, of UNIX after them. */
static int show_groups(const struct netstat_values *v, struct buf *b)
{
	struct netstat_values inet = *v, unix_sockets = *v;
	int r = 0, status = 0;

	inet.families &= ~(uint32_t)NETSTAT_UNIX;
	unix_sockets.families = NETSTAT_UNIX;
	unix_sockets.protos = 0;
	if (inet.protos || inet.families)
		status = netstat_sockets(&inet, b);
	if (status < 0)
		return status;
	r = netstat_groups(v, b);
	if (r == 0 && v->families & NETSTAT_UNIX)
		r = netstat_sockets(&unix_sockets, b);
	return r ? r : status;
}

static int show(const struct netstat_values *v, struct buf *b)
{
	if (v->windows)
		return netstat_windows(v, b);
	if (v->modes & NETSTAT_MASQUERADE)
		return netstat_no_support("ip_masquerade");
	if (v->modes & NETSTAT_STATISTICS)
		return netstat_statistics(v, b);
	if (v->modes & NETSTAT_ROUTES)
		return netstat_routes(v, b);
	if (v->modes & NETSTAT_INTERFACES)
		return netstat_interfaces(v, b);
	if (v->modes & NETSTAT_GROUPS)
		return show_groups(v, b);
	return netstat_sockets(v, b);
}

static int show_once(const struct netstat_values *v)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r, status;

	if (v->continuous && isatty(STDOUT_FILENO))
		buf_puts(&b, "\033[H\033[J");
	r = show(v, &b);
	if (r < 0) {
		usage_error("netstat", "%s", strerror(-r));
		return EXIT_FAILURE;
	}
	status = print_stdout(&b);
	return status ? status : r;
}

/* Every second of the clock, however long a list takes. */
static int show_for_ever(struct netstat_values *v)
{
	struct timespec next;
	int status = EXIT_SUCCESS;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (status == EXIT_SUCCESS) {
		status = show_once(v);
		v->is_repeated = !isatty(STDOUT_FILENO);
		next.tv_sec++;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
	}
	return status;
}

/* Two of these at once are wrong use; -g gives way to any of them. */
static bool has_two_modes(const struct netstat_values *v)
{
	return __builtin_popcount(v->modes & ~(uint32_t)NETSTAT_GROUPS) > 1;
}

/* Up to a comma, on stderr. */
static void put_word(const char *text)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	netstat_put_foreign(&b, text, strcspn(text, ","));
	fputs(buf_str(&b) ? buf_str(&b) : "", stderr);
}

/* What is refused whatever else was asked. -1 to go on. */
static int refuse(const struct netstat_values *v)
{
	if (v->wrong_family) {
		fputs("Unknown address family `", stderr);
		put_word(v->wrong_family);
		fputs("'.\n", stderr);
		return EXIT_FAILURE;
	}
	if (has_two_modes(v)) {
		usage_error("--route, --interfaces, --statistics, --masquerade",
			    "only one of them at a time");
		return NETSTAT_EXIT_USAGE;
	}
	if (v->context && access("/sys/fs/selinux/enforce", F_OK) < 0) {
		fputs("SELinux is not enabled on this machine.\n", stderr);
		return EXIT_FAILURE;
	}
	if (v->families & NETSTAT_BLUETOOTH) {
		fputs("netstat: feature `AF BLUETOOTH' not supported.\n", stderr);
		return EXIT_FAILURE;
	}
	return -1;
}

static int run_netstat(int argc, char **argv)
{
	struct netstat_values v = { .dns_timeout_ms = 1000 };
	int first, r = command_options(&command_netstat, argc, argv, &v, &first);

	if (r >= 0)
		return r == EXIT_USAGE ? NETSTAT_EXIT_USAGE : r;
	if (v.version) {
		printf("portavoz %s\n", pv_version());
		return finish_stdout();
	}
	r = refuse(&v);
	if (r >= 0)
		return r;
	r = redact_open(v.redact, &v.redactor);
	if (r)
		return r;
	/* names of hosts and ports come from files and servers of the host */
	if (v.redactor)
		v.numeric |= NETSTAT_NUMERIC_HOSTS | NETSTAT_NUMERIC_PORTS;
	r = v.continuous ? show_for_ever(&v) : show_once(&v);
	pv_redactor_free(v.redactor);
	return r;
}
