/* SPDX-License-Identifier: MIT */
/*
 * The predicates: one table, from which the parser, pv_filter_fields(), completion and the manual's
 * list derive.
 */
#include "filter/internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <strings.h>
#include <sys/socket.h>

#include <portavoz/exposure.h>
#include <portavoz/flow.h>
#include <portavoz/registry.h>

#define OWNERS PV_NEED_OWNERS
#define CGROUP (PV_NEED_OWNERS | PV_NEED_CGROUP)

#define REASONS "none|not_asked|time_wait|syn_recv|not_accepted|orphan|kernel|no_permission|..."
#define PROTOS                                                                                     \
	"tcp|mptcp|udp|udplite|sctp|dccp|raw|ping|unix|packet|netlink|vsock|xdp|"                  \
	"icmp|icmp6|igmp|gre|esp|ah|ipip|ip6ip|ip|arp|ether"

/* name, values, needs, parse, match, words, end, help */
#define PREDICATES(X)                                                                              \
	X(state, "STATE", 0, parse_state, match_state, NULL, NONE,                                 \
	  "the socket is in this state or group of states; clauses in a row add up")               \
	X(exclude, "STATE", 0, parse_state, match_state, NULL, NONE,                               \
	  "the socket is not in this state or group of states")                                    \
	X(src, "HOST", 0, parse_host_predicate, NULL, NULL, LOCAL,                                 \
	  "the local address, and port if given")                                                  \
	X(dst, "HOST", 0, parse_host_predicate, NULL, NULL, REMOTE,                                \
	  "the remote address, and port if given")                                                 \
	X(addr, "HOST", 0, parse_host_predicate, NULL, NULL, BOTH,                                 \
	  "the address of either end, and its port if given")                                      \
	X(sport, "PORT", 0, parse_port_predicate, NULL, NULL, LOCAL, "the local port")             \
	X(dport, "PORT", 0, parse_port_predicate, NULL, NULL, REMOTE, "the remote port")           \
	X(port, "PORT", 0, parse_port_predicate, NULL, NULL, BOTH, "the port of either end")       \
	X(dev, "DEVICE", 0, parse_dev, NULL, NULL, NONE,                                           \
	  "the device the socket is bound to, by name or index; 0 = none")                         \
	X(fwmark, "VALUE[/MASK]", PV_NEED_SOCKCGROUP, parse_fwmark, match_mark, NULL, NONE,        \
	  "the firewall mark, of which only the bits in MASK count")                               \
	X(cgroup, "PATH|ID", 0, parse_cgroup, NULL, NULL, NONE,                                    \
	  "a process holding the socket is in this control group or below it")                     \
	X(autobound, "", 0, parse_autobound, match_autobound, NULL, NONE,                          \
	  "the kernel chose the local port or name")                                               \
	X(service, "NAME|PORT", PV_NEED_DIRECTION, parse_service, match_service, NULL, NONE,       \
	  "the service of the conversation: the port of the listening end and its transport")      \
	X(group, "well-known|registered|dynamic", PV_NEED_DIRECTION, parse_words, match_group,     \
	  &group_words, NONE, "the group of the service's port number")                            \
	X(lgroup, "well-known|registered|dynamic", 0, parse_words, match_port_group, &group_words, \
	  LOCAL, "the group of the local port number")                                             \
	X(rgroup, "well-known|registered|dynamic", 0, parse_words, match_port_group, &group_words, \
	  REMOTE, "the group of the remote port number")                                           \
	X(direction, "incoming|outgoing|listen|unknown", PV_NEED_DIRECTION, parse_words,           \
	  match_direction, &direction_words, NONE, "which end opened the conversation")            \
	X(exposure, "loopback|container|multicast|interface|published|any|none", PV_NEED_EXPOSURE, \
	  parse_words, match_exposure, &exposure_words, NONE, "who can reach a listener")          \
	X(proto, PROTOS, 0, parse_words, match_proto, &proto_words, NONE, "the protocol")          \
	X(family, "inet|inet6|unix|link|netlink|vsock|xdp", 0, parse_words, match_family,          \
	  &family_words, NONE, "the address family of the socket")                                 \
	X(pid, "PID", OWNERS, parse_numeric, match_pid, NULL, NONE,                                \
	  "the process id of a process holding the socket")                                        \
	X(fd, "NUMBER", OWNERS, parse_numeric, match_fd, NULL, NONE,                               \
	  "the descriptor under which a process holds the socket")                                 \
	X(comm, "GLOB", OWNERS, parse_glob, match_comm, NULL, NONE,                                \
	  "the command name of a process holding the socket")                                      \
	X(exe, "GLOB", OWNERS | PV_NEED_EXE, parse_glob, match_exe, NULL, NONE,                    \
	  "the executable of such a process: the whole path, or its last part if GLOB has no /")   \
	X(user, "NAME|UID", 0, parse_user, match_user, NULL, NONE, "the user who owns the socket") \
	X(uid, "UID", 0, parse_numeric, match_uid, NULL, NONE,                                     \
	  "the number of the user who owns the socket")                                            \
	X(unit, "GLOB", CGROUP, parse_glob, match_unit, NULL, NONE,                                \
	  "the systemd unit of a process holding the socket; .service may be left out")            \
	X(container, "GLOB", CGROUP, parse_glob, match_container, NULL, NONE,                      \
	  "the container of such a process: its id, 12 or more digits of it, or its name")         \
	X(reason, REASONS, OWNERS, parse_words, match_reason, &reason_words, NONE,                 \
	  "why no process holding the socket is known")                                            \
	X(verdict, "explained|unexplained|suspicious|none", PV_NEED_VERDICT, parse_words,          \
	  match_verdict, &verdict_words, NONE, "whether it is explained: see portavoz-rules(7)")   \
	X(evidence, "GLOB", PV_NEED_VERDICT, parse_glob, match_evidence, NULL, NONE,               \
	  "the id of a rule that fired, such as exe-deleted")                                      \
	X(netns, "NAME|INODE", 0, parse_netns, match_netns, NULL, NONE,                            \
	  "the network namespace: its name as list -N shows it, or its inode number")              \
	X(inode, "NUMBER", 0, parse_numeric, match_inode, NULL, NONE,                              \
	  "the inode number of the socket")                                                        \
	X(cookie, "NUMBER", 0, parse_numeric, match_cookie, NULL, NONE, "the socket cookie")       \
	X(recv_q, "NUMBER", 0, parse_numeric, match_recv_q, NULL, NONE,                            \
	  "bytes waiting to be read; for a listener, connections waiting to be accepted")          \
	X(send_q, "NUMBER", 0, parse_numeric, match_send_q, NULL, NONE,                            \
	  "bytes not yet acknowledged; for a listener, its backlog")                               \
	X(packets, "NUMBER", 0, parse_numeric, match_flow_packets, NULL, NONE,                     \
	  "of a capture: packets in both directions")                                              \
	X(out_packets, "NUMBER", 0, parse_numeric, match_flow_out_packets, NULL, NONE,             \
	  "of a capture: packets from the local end")                                              \
	X(in_packets, "NUMBER", 0, parse_numeric, match_flow_in_packets, NULL, NONE,               \
	  "of a capture: packets from the remote end")                                             \
	X(bytes, "NUMBER", 0, parse_numeric, match_flow_bytes, NULL, NONE,                         \
	  "of a capture: bytes on the wire in both directions")                                    \
	X(out_bytes, "NUMBER", 0, parse_numeric, match_flow_out_bytes, NULL, NONE,                 \
	  "of a capture: bytes from the local end")                                                \
	X(in_bytes, "NUMBER", 0, parse_numeric, match_flow_in_bytes, NULL, NONE,                   \
	  "of a capture: bytes from the remote end")                                               \
	X(out_payload, "NUMBER", 0, parse_numeric, match_flow_out_payload, NULL, NONE,             \
	  "of a capture: payload bytes from the local end")                                        \
	X(in_payload, "NUMBER", 0, parse_numeric, match_flow_in_payload, NULL, NONE,               \
	  "of a capture: payload bytes from the remote end")                                       \
	X(retransmitted, "NUMBER", 0, parse_numeric, match_flow_retransmitted, NULL, NONE,         \
	  "of a capture: TCP segments sent again in either direction")                             \
	X(lost, "NUMBER", 0, parse_numeric, match_flow_lost, NULL, NONE,                           \
	  "of a capture: TCP bytes that were never seen, of both directions")                      \
	X(resets, "NUMBER", 0, parse_numeric, match_flow_resets, NULL, NONE,                       \
	  "of a capture: TCP resets of both directions")                                           \
	X(icmp_errors, "NUMBER", 0, parse_numeric, match_flow_icmp_errors, NULL, NONE,             \
	  "of a capture: ICMP errors that quote a packet of it")                                   \
	X(vlan, "NUMBER", 0, parse_numeric, match_flow_vlan, NULL, NONE,                           \
	  "of a capture: a VLAN id")                                                               \
	X(duration, "SECONDS", 0, parse_seconds, match_duration, NULL, NONE,                       \
	  "of a capture: time between the first packet and the last, such as 0.5")                 \
	X(conn_state, "S0|S1|SF|REJ|S2|S3|RSTO|RSTR|RSTOS0|RSTRH|SH|SHR|OTH", 0, parse_words,      \
	  match_conn_state, &conn_state_words, NONE,                                               \
	  "of a capture: the state at the end, as in Zeek")                                        \
	X(ended,                                                                                   \
	  "unanswered|open|refused|closed_local|closed_remote|half_local|half_remote|reset_local|" \
	  "reset_remote",                                                                          \
	  0, parse_words, match_ending, &ending_words, NONE,                                       \
	  "of a capture: how and by whom it was ended")                                            \
	X(history, "GLOB", 0, parse_glob, match_history, NULL, NONE,                               \
	  "of a capture: the letters of what happened")                                            \
	X(observed, "GLOB", 0, parse_glob, match_observed, NULL, NONE,                             \
	  "of a capture: the protocol by content")                                                 \
	X(detail, "GLOB", 0, parse_glob, match_observed_detail, NULL, NONE,                        \
	  "of a capture: what that protocol tells, such as *sni=www.*")                            \
	X(contradiction, "", 0, parse_autobound, match_contradiction, NULL, NONE,                  \
	  "of a capture: the protocol is not what its port is registered for")                     \
	X(mac, "GLOB", 0, parse_glob, match_mac, NULL, NONE,                                       \
	  "of a capture: the link-layer address of either end, in lower case")                     \
	X(tunnel, "GLOB", 0, parse_glob, match_tunnel, NULL, NONE,                                 \
	  "of a capture: the tunnel around it, as in the column: vxlan:42")                        \
	X(community_id, "ID", 0, parse_glob, match_community_id, NULL, NONE,                       \
	  "of a capture: the Community ID")

static int parse_state(struct parser *, const struct predicate *, const struct word *,
		       struct fragment *);
static int parse_dev(struct parser *, const struct predicate *, const struct word *,
		     struct fragment *);
static int parse_fwmark(struct parser *, const struct predicate *, const struct word *,
			struct fragment *);
static int parse_cgroup(struct parser *, const struct predicate *, const struct word *,
			struct fragment *);
static int parse_autobound(struct parser *, const struct predicate *, const struct word *,
			   struct fragment *);
static int parse_service(struct parser *, const struct predicate *, const struct word *,
			 struct fragment *);
static int parse_words(struct parser *, const struct predicate *, const struct word *,
		       struct fragment *);
static int parse_numeric(struct parser *, const struct predicate *, const struct word *,
			 struct fragment *);
static int parse_glob(struct parser *, const struct predicate *, const struct word *,
		      struct fragment *);
static int parse_user(struct parser *, const struct predicate *, const struct word *,
		      struct fragment *);
static int parse_seconds(struct parser *, const struct predicate *, const struct word *,
			 struct fragment *);
static int parse_netns(struct parser *, const struct predicate *, const struct word *,
		       struct fragment *);

static const char *group_word(unsigned int i)
{
	return pv_port_group_name((enum pv_port_group)i);
}

static const char *direction_word(unsigned int i)
{
	return pv_direction_name((enum pv_direction)i);
}

static const char *exposure_word(unsigned int i)
{
	return pv_exposure_name((enum pv_exposure)i);
}

static const char *proto_word(unsigned int i)
{
	return pv_proto_name((enum pv_proto)i);
}

static const char *reason_word(unsigned int i)
{
	return pv_reason_name((enum pv_reason)i);
}

static const struct {
	const char *name;
	uint8_t family;
} families[] = {
	{ "inet", AF_INET },   { "inet6", AF_INET6 },	  { "unix", AF_UNIX },
	{ "link", AF_PACKET }, { "netlink", AF_NETLINK }, { "vsock", AF_VSOCK },
	{ "xdp", AF_XDP },
};

static const char *family_word(unsigned int i)
{
	return families[i].name;
}

static const char *verdict_word(unsigned int i)
{
	return pv_verdict_name((enum pv_verdict)i);
}

static const struct filter_words verdict_words = { verdict_word, PV_VERDICT_N };
static const struct filter_words group_words = { group_word, PV_GROUP_N };
static const struct filter_words direction_words = { direction_word, PV_DIR_N };
static const struct filter_words exposure_words = { exposure_word, PV_EXPOSURE_N };
static const struct filter_words proto_words = { proto_word, PV_PROTO_N };
static const struct filter_words reason_words = { reason_word, PV_REASON_N };
static const char *conn_state_word(unsigned int i)
{
	return pv_conn_state_name((enum pv_conn_state)i);
}

static const char *ending_word(unsigned int i)
{
	return pv_ending_name((enum pv_ending)i);
}

static const struct filter_words conn_state_words = { conn_state_word, PV_CONN_N };
static const struct filter_words ending_words = { ending_word, PV_ENDING_N };
static const struct filter_words family_words = { family_word,
						  sizeof(families) / sizeof(*families) };

#define FIELD_ENUM(name, values, needs, parse, match, words, end, help) FIELD_##name,
#define FIELD(name, values, needs, parse, match, words, end, help) { #name, values, help },
#define PREDICATE(name, values, needs, parse, match, words, end, help)                             \
	{ &fields[FIELD_##name], needs, parse, match, words, END_##end },

enum { PREDICATES(FIELD_ENUM) FIELD_N };

static const struct pv_filter_field fields[FIELD_N] = { PREDICATES(FIELD) };
static const struct predicate predicates[FIELD_N] = { PREDICATES(PREDICATE) };

const struct pv_filter_field *pv_filter_fields(size_t *ret_n)
{
	*ret_n = FIELD_N;
	return fields;
}

const struct predicate *predicate_find(const char *name, size_t len)
{
	/* a spelling of ss that its manual does not tell */
	if (len == 4 && !memcmp(name, "excl", 4))
		return predicate_find("exclude", strlen("exclude"));
	for (size_t i = 0; i < FIELD_N; i++)
		if (strlen(fields[i].name) == len && !memcmp(fields[i].name, name, len))
			return &predicates[i];
	return NULL;
}

int read_value(struct parser *p, const struct predicate *pred, const struct word *name, bool orders,
	       enum comparison *ret_comparison, struct word *ret_word)
{
	struct token t;
	int r = lexer_next(p, true, &t);

	if (r < 0)
		return r;
	*ret_comparison = CMP_EQ;
	if (t.kind == TOKEN_COMPARE) {
		if (t.comparison > CMP_NE && !orders)
			return fail_at(p, &t.word, "= or !=", "does not fit %s", pred->field->name);
		*ret_comparison = t.comparison;
		r = lexer_next(p, true, &t);
		if (r < 0)
			return r;
	}
	if (t.kind == TOKEN_END)
		return fail_at(p, &t.word, pred->field->values, "%.*s needs a value",
			       (int)name->len, p->text + name->offset);
	if (t.kind != TOKEN_WORD)
		return fail_at(p, &t.word, pred->field->values,
			       "stands where the value of %s is expected (quote it if it is one)",
			       pred->field->name);
	*ret_word = t.word;
	return 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Decimal, or hexadecimal with 0x. A leading zero, which ss takes for octal, is no number. */
bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t base = 10, value = 0;
	size_t i = 0;

	if (len > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	} else if (!len || (len > 1 && text[0] == '0')) {
		return false;
	}
	for (; i < len; i++) {
		uint64_t digit = (uint64_t)digit_value(text[i]);

		if (digit >= base || value > (max - digit) / base || digit > max)
			return false;
		value = value * base + digit;
	}
	*ret = value;
	return true;
}

struct range range_compare(enum comparison comparison, uint64_t value)
{
	switch (comparison) {
	case CMP_LT:
		return value ? (struct range){ 0, value - 1, 0 } : (struct range){ 1, 0, 0 };
	case CMP_LE:
		return (struct range){ 0, value, 0 };
	case CMP_GT:
		return value < UINT64_MAX ? (struct range){ value + 1, UINT64_MAX, 0 }
					  : (struct range){ 1, 0, 0 };
	case CMP_GE:
		return (struct range){ value, UINT64_MAX, 0 };
	default:
		return (struct range){ value, value, 0 };
	}
}

static int emit(struct parser *p, const struct leaf *leaf, enum comparison comparison,
		struct fragment *ret)
{
	int r = fragment_leaf(p, leaf, ret);

	if (!r && comparison == CMP_NE)
		fragment_not(p, ret);
	return r;
}

/* States */

#define BIT(s) PV_STATE_BIT(PV_STATE_##s)
#define ALL (PV_STATE_ALL | FILTER_BOUND_INACTIVE)
#define BUCKET (BIT(SYN_RECV) | BIT(NEW_SYN_RECV) | BIT(TIME_WAIT))

static const struct {
	const char *name;
	uint32_t states;
} state_names[] = {
	{ "all", ALL },
	{ "connected", PV_STATE_CONNECTED },
	{ "synchronized", PV_STATE_CONNECTED & ~BIT(SYN_SENT) },
	{ "bucket", BUCKET },
	{ "big", ALL & ~BUCKET },
	{ "established", BIT(ESTABLISHED) },
	{ "estab", BIT(ESTABLISHED) },
	{ "syn-sent", BIT(SYN_SENT) },
	{ "syn-recv", BIT(SYN_RECV) | BIT(NEW_SYN_RECV) },
	{ "syn-rcv", BIT(SYN_RECV) | BIT(NEW_SYN_RECV) },
	{ "fin-wait-1", BIT(FIN_WAIT1) },
	{ "fin-wait1", BIT(FIN_WAIT1) },
	{ "fin-wait-2", BIT(FIN_WAIT2) },
	{ "fin-wait2", BIT(FIN_WAIT2) },
	{ "time-wait", BIT(TIME_WAIT) },
	{ "closed", BIT(CLOSE) | FILTER_BOUND_INACTIVE },
	{ "close", BIT(CLOSE) | FILTER_BOUND_INACTIVE },
	{ "unconnected", BIT(CLOSE) | FILTER_BOUND_INACTIVE },
	{ "unconn", BIT(CLOSE) | FILTER_BOUND_INACTIVE },
	{ "bound-inactive", FILTER_BOUND_INACTIVE },
	{ "close-wait", BIT(CLOSE_WAIT) },
	{ "last-ack", BIT(LAST_ACK) },
	{ "listening", BIT(LISTEN) },
	{ "listen", BIT(LISTEN) },
	{ "closing", BIT(CLOSING) },
};

/* Upper or lower case; _ is as good as -, so that the states of the machine output can be used. */
static uint32_t states_by_name(const char *text, size_t len)
{
	char name[16];

	if (len >= sizeof(name))
		return 0;
	for (size_t i = 0; i < len; i++)
		name[i] = text[i] == '_' ? '-' : text[i];
	name[len] = '\0';
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++)
		if (strlen(state_names[i].name) == len && !strcasecmp(name, state_names[i].name))
			return state_names[i].states;
	return 0;
}

/* The kernel's states in which a socket of this set can be. */
static uint32_t kernel_states(uint32_t states)
{
	if (states & FILTER_BOUND_INACTIVE)
		states |= BIT(CLOSE);
	return states & PV_STATE_ALL;
}

static int read_state(struct parser *p, const struct predicate *pred, const struct word *name,
		      bool is_first, uint32_t *states)
{
	bool is_excluded = p->text[name->offset] == 'e';
	enum comparison comparison;
	const char *text;
	uint32_t named;
	struct word w;
	size_t n;
	int r = read_value(p, pred, name, false, &comparison, &w);

	if (!r)
		r = word_text(p, &w, 0, &text, &n);
	if (r < 0)
		return r;
	named = states_by_name(text, n);
	if (!named)
		return fail_at(p, &w,
			       "all, connected, synchronized, bucket, big, established, listening, "
			       "closed, time-wait, close-wait, syn-sent, syn-recv ...",
			       "is not a state");
	if (comparison == CMP_NE)
		is_excluded = !is_excluded;
	if (is_excluded)
		*states = (is_first ? ALL : *states) & ~named;
	else
		*states |= named;
	return 0;
}

/* Does another state or exclude follow? It is consumed then. */
static bool next_is_state(struct parser *p, struct word *name)
{
	const struct predicate *pred;
	struct token t;

	if (lexer_peek(p, false, &t) < 0 || t.kind != TOKEN_WORD || t.word.is_quoted)
		return false;
	pred = predicate_find(p->text + t.word.offset, t.word.len);
	if (!pred || pred->parse != parse_state)
		return false;
	*name = t.word;
	p->pos = t.word.offset + t.word.len;
	return true;
}

/* Clauses in a row make one set, as in ss: "state established state listening". */
static int parse_state(struct parser *p, const struct predicate *pred, const struct word *name,
		       struct fragment *ret)
{
	struct leaf l = { .match = pred->match };
	struct word at = *name;
	bool is_first = true;
	int r;

	do {
		r = read_state(p, pred, &at, is_first, &l.number);
		if (r < 0)
			return r;
		is_first = false;
	} while (next_is_state(p, &at));
	r = fragment_leaf(p, &l, ret);
	ret->states_yes = kernel_states(l.number);
	ret->states_no = kernel_states(ALL & ~l.number);
	p->filter->has_states = true;
	return r;
}

/* Values */

/* Reads [comparison] value and unquotes the value. */
static int read_text(struct parser *p, const struct predicate *pred, const struct word *name,
		     bool orders, enum comparison *comparison, struct word *w, const char **text,
		     size_t *n)
{
	int r = read_value(p, pred, name, orders, comparison, w);

	return r < 0 ? r : word_text(p, w, 0, text, n);
}

static int parse_numeric(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret)
{
	bool is_wide = pred->match != match_pid && pred->match != match_fd &&
		       pred->match != match_uid && pred->match != match_inode &&
		       pred->match != match_recv_q && pred->match != match_send_q;
	struct leaf l = { .match = pred->match };
	enum comparison comparison;
	const char *text;
	uint64_t value;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, true, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (!parse_number(text, n, is_wide ? UINT64_MAX : UINT32_MAX, &value))
		return fail_at(p, &w, "a decimal number, or a hexadecimal one with 0x",
			       "is not a number in range");
	l.range = range_compare(comparison, value);
	return emit(p, &l, comparison, ret);
}

/* Seconds with at most nine decimals, kept as nanoseconds. */
static bool parse_decimal(const char *text, size_t len, uint64_t *ret)
{
	const char *dot = memchr(text, '.', len);
	size_t whole = dot ? (size_t)(dot - text) : len, decimals = dot ? len - whole - 1 : 0;
	uint64_t ns = 0;

	if (!parse_number(text, whole, UINT64_MAX / 1000000000 - 1, ret) || decimals > 9 ||
	    (dot && !decimals))
		return false;
	for (size_t i = 0; i < 9; i++) {
		char c = i < decimals ? dot[i + 1] : '0';

		if (c < '0' || c > '9')
			return false;
		ns = ns * 10 + (uint64_t)(c - '0');
	}
	*ret = *ret * 1000000000 + ns;
	return true;
}

static int parse_seconds(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret)
{
	struct leaf l = { .match = pred->match };
	enum comparison comparison;
	const char *text;
	uint64_t ns;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, true, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (!parse_decimal(text, n, &ns))
		return fail_at(p, &w, "seconds such as 10 or 0.25", "is not a time in range");
	l.range = range_compare(comparison, ns);
	return emit(p, &l, comparison, ret);
}

static int parse_words(struct parser *p, const struct predicate *pred, const struct word *name,
		       struct fragment *ret)
{
	struct leaf l = { .match = pred->match, .end = pred->end };
	enum comparison comparison;
	const char *text;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, false, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	while (l.number < pred->words->n &&
	       (strlen(text) != n || strcasecmp(text, pred->words->name(l.number)) != 0))
		l.number++;
	if (l.number == pred->words->n)
		return fail_at(p, &w, pred->field->values, "is not a %s", pred->field->name);
	if (pred->match == match_family)
		l = (struct leaf){ .match = match_family,
				   .lower = LOWER_FAMILY,
				   .family = families[l.number].family };
	return emit(p, &l, comparison, ret);
}

static int parse_autobound(struct parser *p, const struct predicate *pred, const struct word *name,
			   struct fragment *ret)
{
	struct leaf l = { .match = pred->match };

	(void)name;
	return fragment_leaf(p, &l, ret);
}

static int parse_dev(struct parser *p, const struct predicate *pred, const struct word *name,
		     struct fragment *ret)
{
	struct leaf l = { .match = match_ifname };
	enum comparison comparison;
	uint64_t index;
	const char *text;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, false, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (!w.is_quoted && parse_number(text, n, UINT32_MAX, &index))
		l = (struct leaf){ .match = match_ifindex,
				   .lower = LOWER_IFINDEX,
				   .range = { index, index, 0 } };
	else if (n > 0 && n < 16)
		l.glob = (struct glob){ text, (uint32_t)n, true, false };
	else
		return fail_at(p, &w, "a name of 1 to 15 bytes, or an index", "is not a device");
	return emit(p, &l, comparison, ret);
}

static int parse_fwmark(struct parser *p, const struct predicate *pred, const struct word *name,
			struct fragment *ret)
{
	struct leaf l = { .match = pred->match };
	uint64_t value = 0, mask = UINT32_MAX;
	enum comparison comparison;
	const char *text, *slash;
	struct word w;
	size_t n, n_value;
	int r = read_text(p, pred, name, false, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	slash = memchr(text, '/', n);
	n_value = slash ? (size_t)(slash - text) : n;
	if (!parse_number(text, n_value, UINT32_MAX, &value) ||
	    (slash && !parse_number(slash + 1, n - n_value - 1, UINT32_MAX, &mask)))
		return fail_at(p, &w, "VALUE or VALUE/MASK, such as 0x1/0xff", "is not a mark");
	l.mark.value = (uint32_t)value;
	l.mark.mask = (uint32_t)mask;
	return emit(p, &l, comparison, ret);
}

/* The path of a control group below the hierarchy's root, also when given below its mount point. */
static void strip_cgroup_mount(const char **text, size_t *n)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		size_t len = strlen(mounts[i]);

		if (*n >= len && !memcmp(*text, mounts[i], len) &&
		    (*n == len || (*text)[len] == '/')) {
			*text += len;
			*n -= len;
			break;
		}
	}
	while (*n && (*text)[*n - 1] == '/')
		--*n;
}

/* The id of a control group is the inode number of its folder (kernfs, Linux 5.5). */
static bool cgroup_id_at(const char *text, size_t n, uint64_t *ret_id)
{
	char path[PATH_MAX];
	struct stat st;

	if (n >= sizeof(path))
		return false;
	memcpy(path, text, n);
	path[n] = '\0';
	if (stat(path, &st) < 0)
		return false;
	*ret_id = st.st_ino;
	return true;
}

static int parse_cgroup(struct parser *p, const struct predicate *pred, const struct word *name,
			struct fragment *ret)
{
	struct leaf l = { .match = match_cgroup_path };
	enum comparison comparison;
	const char *text;
	uint64_t id;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, false, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (parse_number(text, n, UINT64_MAX, &id) || (p->as_ss && cgroup_id_at(text, n, &id))) {
		p->filter->needs |= PV_NEED_SOCKCGROUP;
		l.match = match_cgroup_id;
		l.range = (struct range){ id, id, 0 };
	} else if (n && text[0] == '/') {
		p->filter->needs |= CGROUP;
		strip_cgroup_mount(&text, &n);
		l.glob = (struct glob){ text, (uint32_t)n, true, false };
	} else {
		return fail_at(p, &w, "a path that begins with /, or a number",
			       "is not a control group");
	}
	return emit(p, &l, comparison, ret);
}

/* Behind the manager of the user who made it, if one did. */
static bool is_container_id(const struct glob *g)
{
	const char *slash = g->len ? memrchr(g->data, '/', g->len) : NULL;
	uint32_t first = slash ? (uint32_t)(slash + 1 - g->data) : 0;

	for (uint32_t i = first; i < g->len; i++)
		if (digit_value(g->data[i]) > 15)
			return false;
	return g->is_literal && g->len - first >= 12;
}

static int parse_glob(struct parser *p, const struct predicate *pred, const struct word *name,
		      struct fragment *ret)
{
	struct leaf l = { .match = pred->match };
	enum comparison comparison;
	struct word w;
	int r = read_value(p, pred, name, false, &comparison, &w);

	if (!r)
		r = word_glob(p, &w, 0, false, &l.glob);
	if (r < 0)
		return r;
	if (l.match == match_exe && !memchr(l.glob.data, '/', l.glob.len))
		l.match = match_exe_name;
	if (l.match == match_container && is_container_id(&l.glob))
		l.match = match_container_prefix;
	return emit(p, &l, comparison, ret);
}

static int parse_user(struct parser *p, const struct predicate *pred, const struct word *name,
		      struct fragment *ret)
{
	struct leaf l = { .match = match_uid };
	enum comparison comparison;
	const char *text;
	uint64_t uid;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, true, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (!w.is_quoted && parse_number(text, n, UINT32_MAX, &uid)) {
		l.range = range_compare(comparison, uid);
	} else if (comparison > CMP_NE) {
		return fail_at(p, &w, "a user id", "cannot be compared by order");
	} else {
		l.match = pred->match;
		l.glob = (struct glob){ text, (uint32_t)n, true, false };
	}
	return emit(p, &l, comparison, ret);
}

static int parse_netns(struct parser *p, const struct predicate *pred, const struct word *name,
		       struct fragment *ret)
{
	struct leaf l = { .match = pred->match };
	enum comparison comparison;
	const char *text;
	uint64_t inode;
	struct word w;
	size_t n;
	int r = read_text(p, pred, name, true, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (!w.is_quoted && parse_number(text, n, UINT64_MAX, &inode)) {
		l.range = range_compare(comparison, inode);
	} else if (comparison > CMP_NE) {
		return fail_at(p, &w, "an inode number", "cannot be compared by order");
	} else {
		l.match = match_netns_name;
		r = word_glob(p, &w, 0, false, &l.glob);
	}
	return r < 0 ? r : emit(p, &l, comparison, ret);
}

static int parse_service(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret)
{
	struct range ranges[FILTER_RANGES_MAX];
	enum comparison comparison;
	uint64_t port;
	const char *text;
	size_t n, n_ranges;
	struct word w;
	int r = read_text(p, pred, name, false, &comparison, &w, &text, &n);

	if (r < 0)
		return r;
	if (parse_number(text, n, UINT16_MAX, &port)) {
		ranges[0] = (struct range){ port, port, UINT32_MAX };
		n_ranges = 1;
	} else {
		n_ranges = strlen(text) == n ? service_ranges(text, ranges) : 0;
	}
	if (!n_ranges || n_ranges > FILTER_RANGES_MAX)
		return fail_at(p, &w,
			       "a name of the registry (see portavoz port), or a port number",
			       n_ranges ? "names too many ports" : "is not a known service");
	for (size_t i = 0; i < n_ranges; i++) {
		struct leaf l = { .match = pred->match, .range = ranges[i] };
		struct fragment f;

		r = fragment_leaf(p, &l, i ? &f : ret);
		if (r < 0)
			return r;
		if (i)
			fragment_or(p, ret, &f);
	}
	if (comparison == CMP_NE)
		fragment_not(p, ret);
	return 0;
}
