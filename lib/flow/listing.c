/* SPDX-License-Identifier: MIT */
/*
 * Saved text of ss, netstat or lsof to a snapshot of sockets with their processes. The text is
 * foreign: what is no such line is passed over and counted, nothing is trusted to be there.
 */
#include <portavoz/capture.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/map.h"
#include "model/snapshot.h"

#define WORDS_MAX 24
#define HOLDERS_MAX 64

struct word {
	const char *at;
	size_t len;
};

struct line {
	struct word words[WORDS_MAX];
	size_t n;
	const char *end;
};

/* A socket on its way into the snapshot. */
struct found {
	struct pv_conversation row;
	struct pv_holder holders[HOLDERS_MAX];
	uint32_t n_holders;
};

struct reader {
	struct pv_snapshot *s;
	struct map processes; /* pid -> index */
	uint64_t ignored;
};

static bool is_word(const struct word *w, const char *text)
{
	return w->len == strlen(text) && !memcmp(w->at, text, w->len);
}

static void split(const char *at, const char *end, struct line *ret)
{
	ret->n = 0;
	ret->end = end;
	while (at < end && ret->n < WORDS_MAX) {
		const char *start;

		while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
			at++;
		start = at;
		while (at < end && *at != ' ' && *at != '\t' && *at != '\r')
			at++;
		if (at > start)
			ret->words[ret->n++] = (struct word){ start, (size_t)(at - start) };
	}
}

static bool to_number(const char *at, size_t n, uint32_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (at[i] < '0' || at[i] > '9' || v > INT32_MAX)
			return false;
		v = v * 10 + (uint64_t)(at[i] - '0');
	}
	*ret = (uint32_t)v;
	return n > 0 && v <= INT32_MAX;
}

static bool is_number(const struct word *w)
{
	uint32_t v;

	return to_number(w->at, w->len, &v);
}

/* ---- ends ---- */

/*
 * "10.0.0.1:22", "[::1]:22", "::1:22", "*:22", "0.0.0.0:*", with %interface. *family is what the
 * address tells, and stays as it was for "*".
 */
static bool parse_end(const char *at, size_t n, struct pv_endpoint *ret, int *family)
{
	const char *colon = n ? memrchr(at, ':', n) : NULL, *percent;
	size_t len = colon ? (size_t)(colon - at) : 0, port_len;
	char text[INET6_ADDRSTRLEN];

	if (!colon || !len)
		return false;
	*ret = (struct pv_endpoint){ 0 };
	port_len = n - len - 1;
	if (!(port_len == 1 && colon[1] == '*') &&
	    (!to_number(colon + 1, port_len, &ret->port) || ret->port > UINT16_MAX))
		return false;
	if (len == 1 && *at == '*')
		return true;
	percent = memchr(at, '%', len);
	if (percent)
		len = (size_t)(percent - at);
	if (len && *at == '[') {
		at++;
		len--;
		if (len && at[len - 1] == ']')
			len--;
	}
	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, at, len);
	text[len] = 0;
	*family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	return inet_pton(*family, text, ret->addr) == 1;
}

/* Both ends; two stars together are of the IPv6 sockets that serve both families. */
static bool parse_ends(const struct word *local, const struct word *remote, int family,
		       struct pv_conversation *row)
{
	int a = AF_UNSPEC, b = AF_UNSPEC;

	if (!parse_end(local->at, local->len, &row->local, &a) ||
	    !parse_end(remote->at, remote->len, &row->remote, &b))
		return false;
	if (a != AF_UNSPEC && b != AF_UNSPEC && a != b)
		return false;
	row->family = (uint8_t)(a != AF_UNSPEC ? a : b != AF_UNSPEC ? b : family);
	return true;
}

static bool parse_proto(const struct word *w, struct pv_conversation *row, int *family)
{
	static const struct {
		const char *name;
		uint8_t proto, family;
	} names[] = {
		{ "tcp", PV_PROTO_TCP, AF_INET6 },	   { "tcp6", PV_PROTO_TCP, AF_INET6 },
		{ "udp", PV_PROTO_UDP, AF_INET6 },	   { "udp6", PV_PROTO_UDP, AF_INET6 },
		{ "udplite", PV_PROTO_UDPLITE, AF_INET6 }, { "sctp", PV_PROTO_SCTP, AF_INET6 },
		{ "dccp", PV_PROTO_DCCP, AF_INET6 },	   { "TCP", PV_PROTO_TCP, AF_INET6 },
		{ "UDP", PV_PROTO_UDP, AF_INET6 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!is_word(w, names[i].name))
			continue;
		row->proto = names[i].proto;
		*family = names[i].family;
		return true;
	}
	return false;
}

static bool parse_state(const struct word *w, struct pv_conversation *row)
{
	static const struct {
		const char *name;
		enum pv_state state;
	} names[] = {
		{ "ESTAB", PV_STATE_ESTABLISHED },
		{ "ESTABLISHED", PV_STATE_ESTABLISHED },
		{ "LISTEN", PV_STATE_LISTEN },
		{ "UNCONN", PV_STATE_CLOSE },
		{ "TIME-WAIT", PV_STATE_TIME_WAIT },
		{ "TIME_WAIT", PV_STATE_TIME_WAIT },
		{ "CLOSE-WAIT", PV_STATE_CLOSE_WAIT },
		{ "CLOSE_WAIT", PV_STATE_CLOSE_WAIT },
		{ "SYN-SENT", PV_STATE_SYN_SENT },
		{ "SYN_SENT", PV_STATE_SYN_SENT },
		{ "SYN-RECV", PV_STATE_SYN_RECV },
		{ "SYN_RECV", PV_STATE_SYN_RECV },
		{ "FIN-WAIT-1", PV_STATE_FIN_WAIT1 },
		{ "FIN_WAIT1", PV_STATE_FIN_WAIT1 },
		{ "FIN-WAIT-2", PV_STATE_FIN_WAIT2 },
		{ "FIN_WAIT2", PV_STATE_FIN_WAIT2 },
		{ "LAST-ACK", PV_STATE_LAST_ACK },
		{ "LAST_ACK", PV_STATE_LAST_ACK },
		{ "CLOSING", PV_STATE_CLOSING },
		{ "CLOSE", PV_STATE_CLOSE },
		{ "(ESTABLISHED)", PV_STATE_ESTABLISHED },
		{ "(LISTEN)", PV_STATE_LISTEN },
		{ "(CLOSE_WAIT)", PV_STATE_CLOSE_WAIT },
		{ "(SYN_SENT)", PV_STATE_SYN_SENT },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!is_word(w, names[i].name))
			continue;
		row->state = (uint8_t)names[i].state;
		return true;
	}
	return false;
}

/* ---- processes ---- */

static int add_holder(struct reader *r, struct found *f, uint32_t pid, int32_t fd, const char *comm,
		      size_t len)
{
	uint32_t index = map_get(&r->processes, pid);
	int e = 0;

	if (f->n_holders == HOLDERS_MAX)
		return 0;
	if (index == MAP_NONE) {
		struct pv_process p = { .pid = (int32_t)pid,
					.uid = UINT32_MAX,
					.comm = { comm, (uint32_t)len } };

		e = snapshot_add_process(r->s, &p, &index);
		if (e == 0)
			e = map_put(&r->processes, pid, index);
	}
	f->holders[f->n_holders++] = (struct pv_holder){ .process = index, .fd = fd };
	return e;
}

/* users:(("sshd",pid=1,fd=3),("x",pid=2,fd=4)): a name may hold anything, also quotes */
static int add_ss_users(struct reader *r, struct found *f, const char *at, const char *end)
{
	static const char pid_key[] = "\",pid=", fd_key[] = ",fd=";
	int e = 0;

	while (e == 0 && at < end) {
		const char *name = memmem(at, (size_t)(end - at), "(\"", 2), *key, *digits;
		uint32_t pid, fd;

		if (!name)
			break;
		name += 2;
		key = memmem(name, (size_t)(end - name), pid_key, sizeof(pid_key) - 1);
		if (!key)
			break;
		digits = key + sizeof(pid_key) - 1;
		for (at = digits; at < end && *at >= '0' && *at <= '9'; at++)
			;
		if (!to_number(digits, (size_t)(at - digits), &pid) ||
		    (size_t)(end - at) < sizeof(fd_key) - 1 ||
		    memcmp(at, fd_key, sizeof(fd_key) - 1) != 0)
			break;
		digits = at + sizeof(fd_key) - 1;
		for (at = digits; at < end && *at >= '0' && *at <= '9'; at++)
			;
		if (!to_number(digits, (size_t)(at - digits), &fd))
			break;
		e = add_holder(r, f, pid, (int32_t)fd, name, (size_t)(key - name));
	}
	return e;
}

/* "123/sshd: user": the rest of the line, less the spaces behind it */
static int add_netstat_owner(struct reader *r, struct found *f, const struct word *w,
			     const char *end)
{
	const char *slash = memchr(w->at, '/', w->len);
	uint32_t pid;

	if (!slash || !to_number(w->at, (size_t)(slash - w->at), &pid))
		return 0;
	while (end > slash && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	return add_holder(r, f, pid, -1, slash + 1, (size_t)(end - slash - 1));
}

/* ---- the three kinds of line: 0, 1 (is none) or -ENOMEM ---- */

/* [Netid] State Recv-Q Send-Q Local Peer [users:(...)] */
static int read_ss(struct reader *r, const struct line *l, struct found *f)
{
	struct pv_conversation *row = &f->row;
	int family = AF_INET6;
	size_t i = 0;

	row->proto = PV_PROTO_TCP;
	if (l->n && parse_proto(&l->words[0], row, &family))
		i = 1;
	if (l->n < i + 5 || !parse_state(&l->words[i], row) || !is_number(&l->words[i + 1]) ||
	    !is_number(&l->words[i + 2]) ||
	    !parse_ends(&l->words[i + 3], &l->words[i + 4], family, row))
		return 1;
	return l->n > i + 5 ? add_ss_users(r, f, l->words[i + 5].at, l->end) : 0;
}

/* Proto Recv-Q Send-Q Local Foreign [State] [User Inode] PID/Program */
static int read_netstat(struct reader *r, const struct line *l, struct found *f)
{
	struct pv_conversation *row = &f->row;
	int family;

	if (l->n < 5 || !parse_proto(&l->words[0], row, &family) || !is_number(&l->words[1]) ||
	    !is_number(&l->words[2]) || !parse_ends(&l->words[3], &l->words[4], family, row))
		return 1;
	row->state = row->proto == PV_PROTO_TCP ? PV_STATE_UNKNOWN : PV_STATE_CLOSE;
	for (size_t i = 5; i < l->n && i < 9; i++) {
		const struct word *w = &l->words[i];

		if (memchr(w->at, '/', w->len))
			return add_netstat_owner(r, f, w, l->end);
		parse_state(w, row);
	}
	return 0;
}

/* COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME [(STATE)] */
static int read_lsof(struct reader *r, const struct line *l, struct found *f)
{
	struct pv_conversation *row = &f->row;
	const char *arrow;
	struct word name, remote = { "*:*", 3 };
	uint32_t pid, fd;
	size_t i = 4, digits = 0;
	int family, ignored;

	while (i + 1 < l->n && !is_word(&l->words[i], "TCP") && !is_word(&l->words[i], "UDP"))
		i++;
	if (i + 1 >= l->n || i < 5 || !to_number(l->words[1].at, l->words[1].len, &pid))
		return 1;
	family = is_word(&l->words[4], "IPv4") ? AF_INET : AF_INET6;
	while (digits < l->words[3].len && l->words[3].at[digits] >= '0' &&
	       l->words[3].at[digits] <= '9')
		digits++;
	if (!parse_proto(&l->words[i], row, &ignored) || !to_number(l->words[3].at, digits, &fd))
		return 1;
	name = l->words[i + 1];
	arrow = memmem(name.at, name.len, "->", 2);
	if (arrow) {
		remote = (struct word){ arrow + 2, (size_t)(name.at + name.len - arrow - 2) };
		name.len = (size_t)(arrow - name.at);
	}
	if (!parse_ends(&name, &remote, family, row))
		return 1;
	row->state = arrow ? PV_STATE_ESTABLISHED : PV_STATE_CLOSE;
	if (i + 2 < l->n)
		parse_state(&l->words[i + 2], row);
	return add_holder(r, f, pid, (int32_t)fd, l->words[0].at, l->words[0].len);
}

static int read_line(struct reader *r, const char *at, const char *end)
{
	static int (*const kinds[])(struct reader * r, const struct line *l,
				    struct found *f) = { read_ss, read_netstat, read_lsof };
	struct pv_conversation *row;
	struct line l;

	split(at, end, &l);
	if (!l.n)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct found f = { .row = { .uid = UINT32_MAX,
					    .owner_reason = PV_REASON_NOT_RECORDED } };
		int e = kinds[i](r, &l, &f);

		if (e == 1)
			continue;
		if (e < 0)
			return e;
		row = snapshot_add(r->s, &f.row);
		if (!row)
			return -ENOMEM;
		return f.n_holders ? snapshot_set_holders(r->s, row, f.holders, f.n_holders) : 0;
	}
	r->ignored++;
	return 0;
}

int pv_listing_parse(const void *data, size_t len, struct pv_snapshot **ret)
{
	const char *at = data, *end = at + len;
	struct reader r = { .s = snapshot_new(), .processes = MAP_INIT };
	int e = r.s ? vec_push(&r.s->netns, (struct pv_netns){ 0 }) : -ENOMEM;

	while (e == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;

		e = read_line(&r, at, line_end);
		at = newline ? newline + 1 : end;
	}
	map_deinit(&r.processes);
	if (e == 0 && r.ignored)
		e = snapshot_add_gap(r.s, PV_GAP_MALFORMED, r.ignored, NULL);
	if (e == 0 && !r.s->n_rows)
		e = -EBADMSG;
	if (e < 0) {
		pv_snapshot_free(r.s);
		return e;
	}
	snapshot_seal(r.s);
	*ret = r.s;
	return 0;
}
