/* SPDX-License-Identifier: MIT */
/*
 * The inside of a filter: a decision program.
 *
 * A filter is an array of leaves in the order of the text. A leaf tests one fact and names the leaf
 * to go to in either case, or FILTER_ACCEPT or FILTER_REJECT; all jumps go forward. So matching
 * needs neither recursion nor a stack, however deep the text is nested. `positive` tells whether
 * the leaf's truth can only help the whole to match (an even number of negations around it): that
 * is what lowering needs to replace a leaf the kernel cannot decide without losing a row.
 */
#ifndef FILTER_INTERNAL_H
#define FILTER_INTERNAL_H

#include <stdarg.h>

#include <portavoz/filter.h>

#include "base/arena.h"
#include "base/vec.h"

#define FILTER_TEXT_MAX ((size_t)64 * 1024)
#define FILTER_DEPTH_MAX 100 /* parentheses */
#define FILTER_RANGES_MAX 32 /* ports one service name stands for */
#define FILTER_ACCEPT UINT32_MAX
#define FILTER_REJECT (UINT32_MAX - 1)

/* Sockets that are bound but neither listen nor connect; not a state of the kernel's tables. */
#define FILTER_BOUND_INACTIVE (UINT32_C(1) << PV_STATE_N)

enum filter_end { END_NONE = 0, END_LOCAL = 1, END_REMOTE = 2, END_BOTH = 3 };

/* What the kernel can make of a leaf. */
enum leaf_lower { LOWER_NEVER, LOWER_TRUE, LOWER_FAMILY, LOWER_PORT, LOWER_NET, LOWER_IFINDEX };

/* Shell pattern over bytes; when literal, `data` is plain text. */
struct glob {
	const char *data;
	uint32_t len;
	bool is_literal, ignore_case;
};

struct net {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;
	uint8_t addr[16], mask[16]; /* addr is masked */
};

struct range {
	uint64_t first, last; /* first > last: empty */
	uint32_t transports;  /* 1 << enum pv_transport, for services */
};

struct leaf;
typedef bool leaf_match_fn(const struct leaf *leaf, const struct pv_snapshot *s,
			   const struct pv_conversation *c);

struct leaf {
	leaf_match_fn *match;
	uint32_t yes, no;
	uint8_t lower;	/* enum leaf_lower */
	uint8_t end;	/* END_LOCAL or END_REMOTE where it matters */
	uint8_t family; /* AF_* the row must have; AF_UNSPEC = any */
	bool positive;
	union {
		struct range range;
		struct net net;
		struct glob glob;
		struct {
			uint32_t value, mask;
		} mark;
		uint32_t number;
	};
};

struct pv_filter {
	struct arena arena;
	VEC(struct leaf) leaves;
	uint32_t needs, states;
	bool has_states;
};

/* Text of a word: offset and length in the filter, for messages and decoding. */
struct word {
	size_t offset, len;
	bool is_quoted; /* some of it is in quotes or escaped: never a keyword */
};

enum token_kind {
	TOKEN_END,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_NOT,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_COMPARE,
	TOKEN_WORD,
};

enum comparison { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct token {
	enum token_kind kind;
	enum comparison comparison;
	struct word word;
};

/*
 * A piece of program whose exits are not decided yet. The lists of open exits are threaded through
 * the leaves: an exit is leaf * 2 + (0: yes, 1: no).
 */
struct exits {
	uint32_t head, tail;
};
struct fragment {
	uint32_t first; /* its first leaf */
	struct exits yes, no;
	uint32_t states_yes, states_no; /* states for which it can be true, and false */
};

struct parser {
	const char *text;
	size_t len, pos;
	struct pv_filter *filter;
	struct pv_syntax_error *error; /* never NULL */
	uint8_t family;		       /* of hosts and ports that name none; AF_UNSPEC = any */
	bool as_ss;		       /* see pv_filter_parse_ss() */
	uint32_t refused;	       /* PV_NEED_* of predicates that make no sense here */
};

struct predicate {
	const struct pv_filter_field *field;
	uint32_t needs;
	/* reads what follows the name; 0, -EINVAL with the error set, or -ENOMEM */
	int (*parse)(struct parser *p, const struct predicate *pred, const struct word *name,
		     struct fragment *ret);
	leaf_match_fn *match;
	const struct filter_words *words; /* for predicates of an enumeration */
	uint8_t end;			  /* enum filter_end */
};

/* An enumeration by its names: 0 <= i < n. */
struct filter_words {
	const char *(*name)(unsigned int i);
	unsigned int n;
};

/* lexer.c: words end at white space and at a parenthesis that was not opened in them */
int lexer_next(struct parser *p, bool want_value, struct token *ret);
int lexer_peek(struct parser *p, bool want_value, struct token *ret);
/* The bytes of a word from `skip` raw bytes on, unquoted; NUL follows. 0, -EINVAL or -ENOMEM. */
int word_text(struct parser *p, const struct word *w, size_t skip, const char **ret, size_t *ret_n);
/* The same as a pattern: what was quoted stands for itself. */
int word_glob(struct parser *p, const struct word *w, size_t skip, bool ignore_case,
	      struct glob *ret);
/* Sets the error and returns -EINVAL. `expected` may be NULL. */
int fail_at(struct parser *p, const struct word *w, const char *expected, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* parse.c */
int fragment_leaf(struct parser *p, const struct leaf *leaf, struct fragment *ret);
void fragment_and(struct parser *p, struct fragment *a, const struct fragment *b);
void fragment_or(struct parser *p, struct fragment *a, const struct fragment *b);
void fragment_not(struct parser *p, struct fragment *f);

/* fields.c */
const struct predicate *predicate_find(const char *name, size_t len);
/* Reads [comparison] value; `orders` tells whether < <= > >= are allowed. */
int read_value(struct parser *p, const struct predicate *pred, const struct word *name, bool orders,
	       enum comparison *ret_comparison, struct word *ret_word);
bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret);
struct range range_compare(enum comparison comparison, uint64_t value);

/* host.c: the predicates src, dst, addr and sport, dport, port */
int parse_host_predicate(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret);
int parse_port_predicate(struct parser *p, const struct predicate *pred, const struct word *name,
			 struct fragment *ret);
int parse_bare_host(struct parser *p, const struct word *w, struct fragment *ret);
/* Can the word be nothing but an address? */
bool looks_like_host(const char *text, size_t len);
/* Numbers a service name stands for; 0 = no such service, FILTER_RANGES_MAX + 1 = too many. */
size_t service_ranges(const char *name, struct range ranges[static FILTER_RANGES_MAX]);

/* glob.c */
bool glob_match(const struct glob *g, const char *text, size_t len);

/* match_flow.c */
leaf_match_fn match_flow_packets, match_flow_out_packets, match_flow_in_packets, match_flow_bytes,
	match_flow_out_bytes, match_flow_in_bytes, match_flow_out_payload, match_flow_in_payload,
	match_flow_retransmitted, match_flow_lost, match_flow_resets, match_flow_icmp_errors,
	match_flow_vlan, match_duration, match_conn_state, match_ending, match_history,
	match_observed, match_observed_detail, match_contradiction, match_mac, match_tunnel,
	match_community_id;

/* match.c */
leaf_match_fn match_true, match_family, match_port, match_net, match_unix, match_link_proto,
	match_ifindex, match_ifname, match_netlink_proto, match_vsock_cid, match_mark, match_state,
	match_autobound, match_cgroup_id, match_cgroup_path, match_pid, match_fd, match_comm,
	match_exe, match_exe_name, match_unit, match_container, match_container_prefix, match_uid,
	match_user, match_service, match_group, match_port_group, match_direction, match_exposure,
	match_proto, match_reason, match_verdict, match_evidence, match_netns, match_netns_name,
	match_inode, match_cookie, match_recv_q, match_send_q;

#endif
