/* SPDX-License-Identifier: MIT */
#include "ui/explain/query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"

#define PID_MAX 4194304 /* PID_MAX_LIMIT of 64-bit kernels */
#define WORD_MAX 96

const char *explain_as_name(enum explain_as as)
{
	static const char *const names[EXPLAIN_AS_N] = { "port", "pid",	    "inode", "socket",
							 "pair", "address", "path",  "name" };

	return as < EXPLAIN_AS_N ? names[as] : "unknown";
}

/* Digits only; a number over max is none. */
static bool parse_number(const char *text, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text[i] - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return n > 0;
}

static void parse_numbers(const char *text, struct explain_query *q)
{
	uint64_t v;

	if (!parse_number(text, strlen(text), UINT32_MAX, &v))
		return;
	if (v <= UINT16_MAX) {
		q->port = (uint16_t)v;
		q->readings |= EXPLAIN_BIT(EXPLAIN_PORT);
	}
	if (v && v <= PID_MAX) {
		q->pid = (int32_t)v;
		q->readings |= EXPLAIN_BIT(EXPLAIN_PID);
	}
	if (v) {
		q->inode = (uint32_t)v;
		q->readings |= EXPLAIN_BIT(EXPLAIN_INODE);
	}
}

/* "443/tcp", "https", "https/udp" */
static void parse_port(const char *text, struct explain_query *q)
{
	const char *slash = strrchr(text, '/');
	enum pv_transport transport;
	char name[WORD_MAX];
	const struct pv_service *s;
	size_t n = strlen(text), cursor = 0;
	uint64_t v;

	if (slash && pv_transport_parse(slash + 1, &transport) == 0) {
		q->transport = (int)transport;
		n = (size_t)(slash - text);
	}
	if (q->transport >= 0 && parse_number(text, n, UINT16_MAX, &v)) {
		q->port = (uint16_t)v;
		q->readings |= EXPLAIN_BIT(EXPLAIN_PORT);
	}
	if (n >= sizeof(name) || q->readings & EXPLAIN_BIT(EXPLAIN_PORT))
		return;
	memcpy(name, text, n);
	name[n] = 0;
	while ((s = pv_service_next_by_name(name, &cursor))) {
		if (q->transport >= 0 && s->transport != q->transport)
			continue;
		q->port = s->first;
		q->is_service = true;
		q->readings |= EXPLAIN_BIT(EXPLAIN_PORT);
		return;
	}
}

/* With or without brackets; v4-mapped addresses are those they map. */
static bool parse_address(const char *text, size_t n, struct explain_end *end)
{
	char word[WORD_MAX];
	size_t skip = 0;

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		skip = 1;
		n -= 2;
	}
	if (n >= sizeof(word))
		return false;
	memcpy(word, text + skip, n);
	word[n] = 0;
	word[strcspn(word, "%")] = 0;
	end->family = AF_INET;
	if (!skip && inet_pton(AF_INET, word, end->addr) == 1)
		return true;
	end->family = AF_INET6;
	if (inet_pton(AF_INET6, word, end->addr) != 1)
		return false;
	if (inet_is_mapped(end->addr)) {
		memmove(end->addr, end->addr + 12, 4);
		end->family = AF_INET;
	}
	return true;
}

/* ADDR:PORT, [ADDR]:PORT, *:PORT, :PORT */
static bool parse_end(const char *text, size_t n, struct explain_end *end)
{
	const char *colon = n ? memrchr(text, ':', n) : NULL;
	size_t n_addr = colon ? (size_t)(colon - text) : 0;
	uint64_t port;

	*end = (struct explain_end){ 0 };
	if (!colon || !parse_number(colon + 1, n - n_addr - 1, UINT16_MAX, &port))
		return false;
	end->port = (uint16_t)port;
	if (!n_addr || (n_addr == 1 && *text == '*'))
		return true;
	/* 2001:db8::1:80 is an address: one with a port needs brackets */
	if (*text != '[' && memchr(text, ':', n_addr))
		return false;
	return parse_address(text, n_addr, end);
}

static void parse_ends(const char *text, struct explain_query *q)
{
	struct explain_end end = { 0 };

	if (parse_end(text, strlen(text), &end)) {
		q->readings |= EXPLAIN_BIT(EXPLAIN_SOCKET);
	} else {
		end = (struct explain_end){ 0 };
		if (!parse_address(text, strlen(text), &end))
			return;
		q->readings |= EXPLAIN_BIT(EXPLAIN_ADDRESS);
	}
	q->ends[0] = end;
}

/* "A:P B:Q" as one word or two, also with "->" or "-" between them */
static void parse_pair(const char *text, const char *second, struct explain_query *q)
{
	size_t n = second ? strlen(text) : strcspn(text, " ");

	if (!second) {
		second = text + n;
		second += strspn(second, " <>-");
	}
	if (parse_end(text, n, &q->ends[0]) && parse_end(second, strlen(second), &q->ends[1]))
		q->readings |= EXPLAIN_BIT(EXPLAIN_PAIR);
}

int explain_query_parse(const char *text, const char *second, int as, struct explain_query *ret)
{
	struct explain_query q = { .text = text, .transport = -1 };

	parse_numbers(text, &q);
	parse_port(text, &q);
	parse_ends(text, &q);
	if (*text == '/' || (*text == '@' && text[1]))
		q.readings |= EXPLAIN_BIT(EXPLAIN_PATH);
	/* a number can be a name, but is one only when asked for as such */
	if (*text && (!q.readings || q.is_service || as == EXPLAIN_NAME))
		q.readings |= EXPLAIN_BIT(EXPLAIN_NAME);
	if (second || strchr(text, ' ')) {
		unsigned names = EXPLAIN_BIT(EXPLAIN_NAME) | EXPLAIN_BIT(EXPLAIN_PATH);
		unsigned kept = second ? 0 : q.readings & names;

		q.readings = 0;
		parse_pair(text, second, &q);
		if (!q.readings)
			q.readings = kept;
	}
	if (as >= 0)
		q.readings &= EXPLAIN_BIT(as);
	*ret = q;
	return q.readings ? 0 : -EINVAL;
}

/* --- filter --- */

static void put_quoted(struct buf *b, const char *text)
{
	buf_putc(b, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
	buf_putc(b, '"');
}

static void put_reading(const struct explain_query *q, enum explain_as as, struct buf *b)
{
	switch (as) {
	case EXPLAIN_PORT:
		buf_printf(b, "sport = :%u or dport = :%u", q->port, q->port);
		break;
	case EXPLAIN_PID:
		buf_printf(b, "pid = %d", q->pid);
		break;
	case EXPLAIN_INODE:
		buf_printf(b, "inode = %u", q->inode);
		break;
	case EXPLAIN_SOCKET:
	case EXPLAIN_PAIR:
		buf_printf(b, "sport = :%u or dport = :%u", q->ends[0].port, q->ends[0].port);
		break;
	case EXPLAIN_ADDRESS:
		buf_puts(b, "family inet or family inet6");
		break;
	case EXPLAIN_PATH:
		buf_puts(b, "proto unix");
		break;
	default:
		buf_puts(b, "comm = ");
		put_quoted(b, q->text);
	}
}

int explain_query_filter(const struct explain_query *q, struct buf *b)
{
	for (int as = 0; as < EXPLAIN_AS_N; as++) {
		if (!(q->readings & EXPLAIN_BIT(as)))
			continue;
		if (b->len)
			buf_puts(b, " or ");
		buf_putc(b, '(');
		put_reading(q, (enum explain_as)as, b);
		buf_putc(b, ')');
	}
	return buf_error(b);
}

/* --- match --- */

static bool is_same_address(const struct pv_conversation *c, const struct pv_endpoint *e,
			    const struct explain_end *wanted)
{
	if (c->family == AF_INET6 && inet_is_mapped(e->addr))
		return wanted->family == AF_INET && !memcmp(e->addr + 12, wanted->addr, 4);
	return c->family == wanted->family &&
	       !memcmp(e->addr, wanted->addr, c->family == AF_INET ? 4 : 16);
}

static bool matches_end(const struct pv_conversation *c, const struct pv_endpoint *e,
			const struct explain_end *wanted)
{
	return e->port == wanted->port && (!wanted->family || is_same_address(c, e, wanted));
}

/* A server at every address answers at those of this host; of others it is known to have that. */
static bool answers_at(const struct pv_conversation *c, const struct explain_end *wanted)
{
	bool is_server = c->state == PV_STATE_LISTEN ||
			 (c->state == PV_STATE_CLOSE && c->proto != PV_PROTO_TCP);

	return is_server && c->local.port == wanted->port &&
	       inet_is_any(c->family, c->local.addr) && wanted->family &&
	       inet_is_loopback(wanted->family, wanted->addr) &&
	       (c->family == wanted->family ||
		(c->family == AF_INET6 && !(c->flags & PV_CONV_V6ONLY)));
}

static bool matches_socket(const struct explain_query *q, const struct pv_conversation *c)
{
	return matches_end(c, &c->local, &q->ends[0]) ||
	       (c->remote.port && matches_end(c, &c->remote, &q->ends[0])) ||
	       answers_at(c, &q->ends[0]);
}

static bool matches_pair(const struct explain_query *q, const struct pv_conversation *c)
{
	const struct explain_end *a = &q->ends[0], *b = &q->ends[1];

	return (matches_end(c, &c->local, a) && matches_end(c, &c->remote, b)) ||
	       (matches_end(c, &c->local, b) && matches_end(c, &c->remote, a));
}

static bool matches_port(const struct explain_query *q, const struct pv_conversation *c)
{
	enum pv_transport transport = pv_proto_transport((enum pv_proto)c->proto);

	/* the number of an end that is not there is 0 */
	return transport != PV_TRANSPORT_N && q->port &&
	       (q->transport < 0 || q->transport == (int)transport) &&
	       (c->local.port == q->port || c->remote.port == q->port);
}

static bool matches_path(const struct explain_query *q, const struct pv_conversation *c)
{
	size_t n = strlen(q->text);

	if (c->proto != PV_PROTO_UNIX || !c->path || c->path->len != n)
		return false;
	/* "@name" as everybody writes an abstract one */
	if (*q->text == '@' && c->path->data[0] == 0)
		return !memcmp(c->path->data + 1, q->text + 1, n - 1);
	return !memcmp(c->path->data, q->text, n);
}

static bool matches_holder(const struct explain_query *q, enum explain_as as,
			   const struct pv_snapshot *s, const struct pv_conversation *c)
{
	size_t n = strlen(q->text);

	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_process *p =
			pv_snapshot_process(s, pv_snapshot_holder(s, c, i)->process);

		if (as == EXPLAIN_PID ? p->pid == q->pid
				      : p->comm.len == n && !memcmp(p->comm.data, q->text, n))
			return true;
	}
	return false;
}

bool explain_query_is_local(const struct explain_query *q, const struct pv_conversation *c)
{
	return is_same_address(c, &c->local, &q->ends[0]);
}

bool explain_query_is_remote(const struct explain_query *q, const struct pv_conversation *c)
{
	return is_same_address(c, &c->remote, &q->ends[0]) &&
	       !inet_is_any(c->family, c->remote.addr);
}

bool explain_query_match(const struct explain_query *q, enum explain_as as,
			 const struct pv_snapshot *snapshot, const struct pv_conversation *c)
{
	bool is_inet = pv_proto_is_inet((enum pv_proto)c->proto);
	bool has_ports = pv_proto_transport((enum pv_proto)c->proto) != PV_TRANSPORT_N;

	switch (as) {
	case EXPLAIN_PORT:
		return matches_port(q, c);
	case EXPLAIN_INODE:
		return c->inode && c->inode == q->inode;
	case EXPLAIN_SOCKET:
		return has_ports && matches_socket(q, c);
	case EXPLAIN_PAIR:
		return has_ports && matches_pair(q, c);
	case EXPLAIN_ADDRESS:
		return is_inet && (explain_query_is_local(q, c) || explain_query_is_remote(q, c));
	case EXPLAIN_PATH:
		return matches_path(q, c);
	default:
		return matches_holder(q, as, snapshot, c);
	}
}
