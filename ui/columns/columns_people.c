/* SPDX-License-Identifier: MIT */
/*
 * Composed columns. What a person must not lose is kept when room is short: the port behind an
 * address, the pid behind a name, the count of further holders.
 *
 * Signs: "*" any, "-" not known or not there, "@name" an abstract unix name, "#1234" a unix socket
 * without name by its inode, "name?" a host name as the DNS claims it.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "ui/columns/columns-internal.h"
#include "ui/text/escape.h"

struct number_name {
	uint32_t number;
	const char *name;
};

static const char *find_name(const struct number_name *names, uint32_t number)
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	return NULL;
}

/* linux/if_ether.h */
static const struct number_name ethertypes[] = {
	{ 0x0003, "*" },      { 0x0800, "ipv4" },  { 0x0806, "arp" },  { 0x86dd, "ipv6" },
	{ 0x8100, "802.1q" }, { 0x888e, "eapol" }, { 0x88cc, "lldp" }, { 0 },
};

/* linux/netlink.h */
static const struct number_name netlink_families[] = {
	{ 0, "route" },	     { 2, "usersock" },	  { 4, "sock_diag" },
	{ 5, "nflog" },	     { 6, "xfrm" },	  { 7, "selinux" },
	{ 8, "iscsi" },	     { 9, "audit" },	  { 10, "fib" },
	{ 11, "connector" }, { 12, "netfilter" }, { 15, "uevent" },
	{ 16, "generic" },   { 18, "scsi" },	  { 20, "rdma" },
	{ 21, "crypto" },    { 22, "smc" },	  { 0 },
};

/* IANA protocol numbers */
static const struct number_name ip_protocols[] = {
	{ 1, "icmp" },	{ 2, "igmp" },	{ 4, "ipv4" },	 { 6, "tcp" },	  { 17, "udp" },
	{ 41, "ipv6" }, { 47, "gre" },	{ 50, "esp" },	 { 51, "ah" },	  { 58, "ipv6-icmp" },
	{ 89, "ospf" }, { 103, "pim" }, { 112, "vrrp" }, { 132, "sctp" }, { 0 },
};

static unsigned word_flags(const struct column_context *context)
{
	return TEXT_WORD | TEXT_FIELD | (context->ascii ? TEXT_ASCII : 0);
}

/* ---- ends ---- */

static void put_ifname(const struct column_context *context, const struct pv_conversation *c,
		       struct buf *b)
{
	const char *name = pv_snapshot_netns_ifname(context->snapshot, c->netns, c->ifindex);

	if (name)
		text_put(b, name, strlen(name), word_flags(context));
	else
		buf_u64(b, c->ifindex);
}

static void put_named_number(const struct column_context *context, const struct number_name *names,
			     uint32_t number, struct buf *b)
{
	const char *name = context->numeric ? NULL : find_name(names, number);

	if (name)
		buf_puts(b, name);
	else
		buf_u64(b, number);
}

/* A port is named on the side that offers the service: elsewhere the number is a chance hit. */
static const char *service_of_end(const struct column_context *context,
				  const struct pv_conversation *c, const struct pv_endpoint *e)
{
	enum pv_direction other = e == &c->local ? PV_DIR_OUTGOING : PV_DIR_INCOMING;

	if (context->numeric || c->direction == other ||
	    pv_snapshot_service_port(context->snapshot, c) != e->port)
		return NULL;
	return column_port_name(c, e->port);
}

static void put_port(const struct column_context *context, const struct pv_conversation *c,
		     const struct pv_endpoint *e, struct buf *b)
{
	const char *name;

	if (!e->port) {
		buf_putc(b, '*');
	} else if (c->proto == PV_PROTO_RAW || c->proto == PV_PROTO_PING) {
		put_named_number(context, ip_protocols, e->port, b);
	} else {
		name = service_of_end(context, c, e);
		if (name)
			buf_puts(b, name);
		else
			buf_u64(b, e->port);
	}
}

/* Up to and without the closing bracket. */
static void put_host(const struct column_context *context, const struct pv_conversation *c,
		     const struct pv_endpoint *e, struct buf *b)
{
	bool any = inet_is_any(c->family, e->addr);

	if (c->family == AF_INET6 && any && !(c->flags & PV_CONV_V6ONLY)) {
		/* without IPV6_V6ONLY it takes IPv4 as well */
		buf_putc(b, '*');
	} else {
		if (c->family == AF_INET6)
			buf_putc(b, '[');
		inet_put(b, c->family, e->addr);
	}
	if (c->ifindex && (e == &c->local || inet_is_link_local(c->family, e->addr))) {
		buf_putc(b, '%');
		put_ifname(context, c, b);
	}
}

/* Cuts what lies between start and middle so that the whole is `limit` wide. */
static void keep_tail(struct buf *b, size_t start, size_t middle, size_t limit, bool ascii)
{
	char tail[64];
	size_t n = b->len - middle, tail_width;

	if (buf_error(b) || text_width(b->data + start, b->len - start) <= limit)
		return;
	tail_width = text_width(b->data + middle, n);
	if (n > sizeof(tail) || tail_width + 1 > limit)
		return;
	memcpy(tail, b->data + middle, n);
	b->len = middle;
	text_cut(b, start, limit - tail_width, ascii);
	buf_put(b, tail, n);
}

static void put_inet(const struct column_context *context, const struct pv_conversation *c,
		     const struct pv_endpoint *e, struct buf *b, size_t limit)
{
	size_t start = b->len, middle;

	if (e == &c->remote && !e->port && inet_is_any(c->family, e->addr)) {
		buf_putc(b, '*');
		return;
	}
	if (e == &c->remote && c->remote_name && context->needs & PV_NEED_NAMES) {
		text_put(b, c->remote_name, strlen(c->remote_name), word_flags(context));
		middle = b->len;
		buf_putc(b, '?');
	} else {
		put_host(context, c, e, b);
		middle = b->len;
		if (!buf_error(b) && b->data[start] == '[')
			buf_putc(b, ']');
	}
	buf_putc(b, ':');
	put_port(context, c, e, b);
	if (limit)
		keep_tail(b, start, middle, limit, context->ascii);
}

/* Only a name that begins like one of our signs needs more than text_put() does. */
static void put_path(const struct column_context *context, const struct pv_bytes *path,
		     struct buf *b)
{
	const char *p = path->data;
	uint32_t n = path->len;

	if (n && p[0] == 0) {
		buf_putc(b, '@');
		text_put(b, p + 1, n - 1, word_flags(context) & ~(unsigned)TEXT_FIELD);
	} else if (n && strchr("@*#", p[0])) {
		buf_printf(b, "\\x%02x", (unsigned)p[0]);
		text_put(b, p + 1, n - 1, word_flags(context) & ~(unsigned)TEXT_FIELD);
	} else {
		text_put(b, p, n, word_flags(context));
	}
}

static void put_unix(const struct column_context *context, const struct pv_conversation *c,
		     bool is_remote, struct buf *b)
{
	const struct pv_conversation *peer = pv_snapshot_peer(context->snapshot, c);
	const struct pv_bytes *path = is_remote ? (peer ? peer->path : NULL) : c->path;
	uint32_t inode = is_remote ? c->peer_inode : c->inode;

	if (path && path->len) {
		put_path(context, path, b);
	} else if (inode) {
		buf_putc(b, '#');
		buf_u64(b, inode);
	} else {
		buf_putc(b, '*');
	}
}

static void put_vsock(const struct pv_endpoint *e, struct buf *b)
{
	uint32_t cid;

	memcpy(&cid, e->addr, sizeof(cid));
	if (cid == UINT32_MAX)
		buf_putc(b, '*');
	else
		buf_u64(b, cid);
	buf_putc(b, ':');
	if (e->port == UINT32_MAX)
		buf_putc(b, '*');
	else
		buf_u64(b, e->port);
}

static void put_packet(const struct column_context *context, const struct pv_conversation *c,
		       struct buf *b)
{
	const char *name = context->numeric ? NULL : find_name(ethertypes, c->local.port);

	if (name)
		buf_puts(b, name);
	else
		buf_printf(b, "0x%04x", c->local.port);
	buf_putc(b, ':');
	if (c->ifindex)
		put_ifname(context, c, b);
	else
		buf_putc(b, '*');
}

static void put_netlink(const struct column_context *context, const struct pv_conversation *c,
			struct buf *b)
{
	put_named_number(context, netlink_families, c->protocol, b);
	buf_putc(b, ':');
	/* port id 0 is the kernel's own end */
	if (c->local.port)
		buf_u64(b, c->local.port);
	else
		buf_puts(b, "kernel");
}

static void put_end(const struct column_context *context, const struct pv_conversation *c,
		    const struct pv_endpoint *e, struct buf *b, size_t limit)
{
	bool is_remote = e == &c->remote;

	if (pv_proto_is_inet(c->proto)) {
		put_inet(context, c, e, b, limit);
		return;
	}
	if (c->proto == PV_PROTO_UNIX) {
		put_unix(context, c, is_remote, b);
	} else if (c->proto == PV_PROTO_VSOCK) {
		put_vsock(e, b);
	} else if (is_remote) {
		buf_putc(b, '*');
	} else if (c->proto == PV_PROTO_NETLINK) {
		put_netlink(context, c, b);
	} else if (c->proto == PV_PROTO_PACKET) {
		put_packet(context, c, b);
	} else if (c->ifindex) {
		put_ifname(context, c, b);
	} else {
		buf_putc(b, '*');
	}
}

COLUMN_PUTTER(column_put_local)
{
	(void)column;
	put_end(context, c, &c->local, b, limit);
}

COLUMN_PUTTER(column_put_remote)
{
	(void)column;
	put_end(context, c, &c->remote, b, limit);
}

/* Six characters; the names that are longer, and no two alike. */
COLUMN_PUTTER(column_put_state)
{
	static const char *const names[PV_STATE_N] = {
		[PV_STATE_ESTABLISHED] = "ESTAB", [PV_STATE_SYN_SENT] = "SYN_S",
		[PV_STATE_SYN_RECV] = "SYN_R",	  [PV_STATE_FIN_WAIT1] = "FIN_W1",
		[PV_STATE_FIN_WAIT2] = "FIN_W2",  [PV_STATE_TIME_WAIT] = "TIME_W",
		[PV_STATE_CLOSE_WAIT] = "CLOS_W", [PV_STATE_LAST_ACK] = "LAST_A",
		[PV_STATE_CLOSING] = "CLOSNG",
	};
	const char *name = pv_state_name(c->proto, c->state);

	(void)column, (void)context;
	if (strlen(name) > limit && c->state < PV_STATE_N && names[c->state])
		name = names[c->state];
	else if (strlen(name) > limit && c->state == PV_STATE_CLOSE)
		name = "UNCONN";
	buf_puts(b, name);
}

COLUMN_PUTTER(column_put_direction)
{
	static const char *const signs[PV_DIR_N] = {
		[PV_DIR_UNKNOWN] = "?",
		[PV_DIR_INCOMING] = "<-",
		[PV_DIR_OUTGOING] = "->",
		[PV_DIR_LISTEN] = "<*",
	};

	(void)column, (void)context, (void)limit;
	buf_puts(b, c->direction < PV_DIR_N ? signs[c->direction] : "?");
}

/* ---- processes ---- */

static const struct pv_process *process_of(const struct column_context *context,
					   const struct pv_conversation *c, uint32_t n)
{
	return pv_snapshot_process(context->snapshot,
				   pv_snapshot_holder(context->snapshot, c, n)->process);
}

/* The next holder that is another process; sources name all descriptors of one in a row. */
static uint32_t next_process(const struct column_context *context, const struct pv_conversation *c,
			     uint32_t n)
{
	uint32_t process = pv_snapshot_holder(context->snapshot, c, n)->process;

	while (++n < c->n_holders &&
	       pv_snapshot_holder(context->snapshot, c, n)->process == process)
		;
	return n;
}

static uint32_t count_processes(const struct column_context *context,
				const struct pv_conversation *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_holders; i = next_process(context, c, i))
		n++;
	return n;
}

static void put_comm(const struct column_context *context, const struct pv_process *p,
		     struct buf *b)
{
	if (p->comm.len || !p->reason)
		text_put(b, p->comm.data, p->comm.len, word_flags(context) | TEXT_LIST);
	else
		buf_putc(b, '-');
}

static void put_one_process(const struct column_context *context, const struct pv_process *p,
			    struct buf *b, size_t limit)
{
	size_t start = b->len, middle;

	put_comm(context, p, b);
	middle = b->len;
	buf_putc(b, '(');
	buf_i64(b, p->pid);
	buf_putc(b, ')');
	if (limit)
		keep_tail(b, start, middle, limit, context->ascii);
}

static void put_all_processes(const struct column_context *context, const struct pv_conversation *c,
			      struct buf *b)
{
	for (uint32_t i = 0; i < c->n_holders; i = next_process(context, c, i)) {
		if (i)
			buf_putc(b, ',');
		put_one_process(context, process_of(context, c, i), b, 0);
	}
}

/* Width of " +N". */
static size_t more_width(uint32_t n)
{
	size_t width = n ? 3 : 0;

	for (; n >= 10; n /= 10)
		width++;
	return width;
}

static void put_some_processes(const struct column_context *context,
			       const struct pv_conversation *c, struct buf *b, size_t limit)
{
	uint32_t more = count_processes(context, c) - 1;
	size_t start = b->len, room = more_width(more) + 1 < limit ? limit - more_width(more) : 1;

	put_one_process(context, process_of(context, c, 0), b, room);
	for (uint32_t i = next_process(context, c, 0); more; i = next_process(context, c, i)) {
		size_t end = b->len;

		buf_putc(b, ',');
		put_one_process(context, process_of(context, c, i), b, 0);
		if (buf_error(b) ||
		    text_width(b->data + start, b->len - start) + more_width(more - 1) > limit) {
			b->len = end;
			break;
		}
		more--;
	}
	if (more) {
		buf_puts(b, " +");
		buf_u64(b, more);
	}
}

/* The sentence where it fits, else the key of the reason. */
static void put_reason(const struct pv_conversation *c, struct buf *b, size_t limit)
{
	const char *text = pv_reason_text(c->owner_reason);

	if (c->owner_reason == PV_REASON_NONE) {
		buf_putc(b, '-');
		return;
	}
	if (limit && strlen(text) + 2 > limit)
		text = pv_reason_name(c->owner_reason);
	buf_putc(b, '(');
	buf_puts(b, text);
	buf_putc(b, ')');
}

COLUMN_PUTTER(column_put_process)
{
	(void)column;
	if (!c->n_holders)
		put_reason(c, b, limit);
	else if (limit)
		put_some_processes(context, c, b, limit);
	else
		put_all_processes(context, c, b);
}

/* "name(pid/fd),name(pid/fd)" */
COLUMN_PUTTER(column_put_holders)
{
	(void)column;
	if (!c->n_holders)
		put_reason(c, b, limit);
	for (uint32_t i = 0; i < c->n_holders; i++) {
		const struct pv_process *p = process_of(context, c, i);

		if (i)
			buf_putc(b, ',');
		put_comm(context, p, b);
		buf_putc(b, '(');
		buf_i64(b, p->pid);
		buf_putc(b, '/');
		buf_i64(b, pv_snapshot_holder(context->snapshot, c, i)->fd);
		buf_putc(b, ')');
	}
}

/* "user", "user/unit" or "user/runtime:container" */
/* The user, who is told beside it, has made it. */
static struct pv_bytes without_manager(const struct pv_bytes *container)
{
	const char *slash = memrchr(container->data, '/', container->len);

	if (!slash)
		return *container;
	return (struct pv_bytes){ slash + 1,
				  (uint32_t)(container->data + container->len - (slash + 1)) };
}

COLUMN_PUTTER(column_put_user_unit)
{
	const char *user = context->numeric ? NULL : pv_snapshot_user(context->snapshot, c->uid);
	const struct pv_process *p = c->n_holders ? process_of(context, c, 0) : NULL;
	unsigned flags = word_flags(context);
	struct pv_bytes name;

	(void)column, (void)limit;
	if (user)
		text_put(b, user, strlen(user), flags);
	else if (c->uid != UINT32_MAX)
		buf_u64(b, c->uid);
	else
		buf_putc(b, '-');
	if (p && p->container.len) {
		buf_putc(b, '/');
		text_put(b, p->runtime.data, p->runtime.len, flags);
		buf_putc(b, ':');
		name = without_manager(&p->container);
		/* twelve digits are how people know a container */
		text_put(b, name.data, name.len > 12 ? 12 : name.len, flags);
	} else if (p && p->unit.len) {
		buf_putc(b, '/');
		text_put(b, p->unit.data, p->unit.len, flags);
	}
}

/* "pid 12" is one word to people; in names that others gave a space is shown as one. */
COLUMN_PUTTER(column_put_netns_name)
{
	const struct pv_netns *n = pv_snapshot_netns(context->snapshot, c->netns);
	bool is_ours = n->name_by == PV_NETNS_BY_PROCESS || n->name_by == PV_NETNS_BY_DESCRIPTOR;
	unsigned flags = word_flags(context);

	(void)column, (void)limit;
	if (n->name.len)
		text_put(b, n->name.data, n->name.len,
			 is_ours ? flags & ~(unsigned)(TEXT_WORD | TEXT_FIELD) : flags);
	else
		buf_putc(b, '-');
}

/* Values with spaces stand in quotation marks, so the spaces may stay. */
COLUMN_PUTTER(column_put_observed_detail)
{
	(void)column, (void)limit;
	if (c->flow && c->flow->observed_detail.len)
		text_put(b, c->flow->observed_detail.data, c->flow->observed_detail.len,
			 word_flags(context) & ~(unsigned)(TEXT_WORD | TEXT_FIELD));
	else
		buf_putc(b, '-');
}

/* ---- details ---- */

static bool is_worth_showing(const struct cell *cell)
{
	if (cell->type == CELL_NUMBER)
		return cell->number != 0;
	return cell->type == CELL_BOOL ? cell->yes : cell->type != CELL_NULL;
}

COLUMN_PUTTER(column_put_parts)
{
	size_t start = b->len;

	(void)limit;
	for (const uint8_t *id = column->parts; *id != COLUMN_END; id++) {
		const struct column *part = column_by_id(*id);
		struct cell cell = { 0 };

		part->get(part, context, c, &cell);
		if (!is_worth_showing(&cell))
			continue;
		if (b->len > start)
			buf_putc(b, ' ');
		buf_puts(b, part->name);
		buf_putc(b, ':');
		cell_put(&cell, context, b, word_flags(context));
		if (part->type == COLUMN_US)
			buf_puts(b, "us");
	}
	if (b->len == start)
		buf_putc(b, '-');
}

/* "keepalive/29.136s/0": which timer, when it fires, how often it did */
COLUMN_PUTTER(column_put_timers)
{
	(void)column, (void)context, (void)limit;
	if (c->timer == PV_TIMER_OFF) {
		buf_putc(b, '-');
		return;
	}
	buf_puts(b, pv_timer_name(c->timer));
	buf_putc(b, '/');
	buf_u64(b, c->timer_ms / 1000);
	buf_putc(b, '.');
	buf_putc(b, (char)('0' + c->timer_ms / 100 % 10));
	buf_putc(b, (char)('0' + c->timer_ms / 10 % 10));
	buf_putc(b, (char)('0' + c->timer_ms % 10));
	buf_puts(b, "s/");
	buf_u64(b, c->retrans);
}
