/* SPDX-License-Identifier: MIT */
/*
 * Answers of sock_diag. A message is a fixed part and attributes; each family has one reader of the
 * fixed part and one table of attributes with the least length at which they are read.
 */
#include "netlink/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets.h>
#include <linux/vm_sockets_diag.h>
#include <linux/xdp_diag.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/snapshot.h>

#include "base/map.h"
#include "model/sctp.h"
#include "netlink/message.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOCK_DCCP
#define SOCK_DCCP 6
#endif

#define STATE_BOUND_INACTIVE 13 /* TCP_BOUND_INACTIVE, Linux 6.8 */
#define UID_UNKNOWN UINT32_MAX

_Static_assert(sizeof(struct pv_tcp_info) == 280, "struct pv_tcp_info must mirror the kernel's");
_Static_assert(offsetof(struct pv_tcp_info, pacing_rate) == 104 &&
		       offsetof(struct pv_tcp_info, total_rto) == 240 &&
		       offsetof(struct pv_tcp_info, rehash) == 236,
	       "struct pv_tcp_info must mirror the kernel's");

/* One row while it is made. detail is valid as far as detail.present says. */
struct row {
	struct pv_conversation c;
	const struct netlink_query *q;
	struct pv_bytes path;
	struct pv_detail detail;
	uint8_t wire_state;
	bool has_detail;
	bool is_association; /* SCTP */
	bool is_left_out;
};

struct attribute {
	uint16_t min_len; /* 0 = not read */
	void (*set)(struct row *row, const void *data, size_t len);
};

struct family {
	uint8_t family; /* 0 = AF_INET or AF_INET6 */
	uint16_t fixed_len;
	uint16_t n_attributes;
	/* false: the message is not what was asked for */
	bool (*read)(struct row *row, const void *fixed);
	const struct attribute *attributes;
	void (*finish)(struct row *row);
};

static uint32_t get_u32(const void *data)
{
	uint32_t v;

	memcpy(&v, data, sizeof(v));
	return v;
}

static uint64_t cookie_of(const uint32_t wire[2])
{
	return (uint64_t)wire[1] << 32 | wire[0];
}

static struct pv_detail *detail_of(struct row *row)
{
	if (!row->has_detail) {
		memset(&row->detail, 0, sizeof(row->detail));
		row->has_detail = true;
	}
	return &row->detail;
}

/* The memory attribute of every family, an array of SK_MEMINFO_*; old kernels send fewer. */
static void set_meminfo(struct row *row, const void *data, size_t len)
{
	struct pv_detail *d;

	if (!(row->q->needs & PV_NEED_MEM))
		return;
	d = detail_of(row);
	memcpy(d->mem, data, len < sizeof(d->mem) ? len : sizeof(d->mem));
	d->present |= PV_DETAIL_MEM;
}

/* Families that tell their queues in no other way. */
static void set_meminfo_queues(struct row *row, const void *data, size_t len)
{
	row->c.recv_q = get_u32((const char *)data + SK_MEMINFO_RMEM_ALLOC * sizeof(uint32_t));
	row->c.send_q = get_u32((const char *)data + SK_MEMINFO_WMEM_ALLOC * sizeof(uint32_t));
	set_meminfo(row, data, len);
}

static void set_uid(struct row *row, const void *data, size_t len)
{
	(void)len;
	row->c.uid = get_u32(data);
}

/* The kernel's bit-fields, whose order is the compiler's on each machine. */
struct tcp_info_bits {
	uint8_t send_wscale : 4, receive_wscale : 4;
	uint8_t app_limited : 1, fastopen_client_fail : 2;
};

static void set_tcp_info(struct row *row, const void *data, size_t len)
{
	const size_t bits_at = offsetof(struct pv_tcp_info, wscale);
	struct tcp_info_bits bits;
	struct pv_detail *d;

	/* MPTCP, SCTP send structures of their own under the same number */
	if (row->q->proto != PV_PROTO_TCP)
		return;
	d = detail_of(row);
	memcpy(&d->tcp, data, len < sizeof(d->tcp) ? len : sizeof(d->tcp));
	memcpy(&bits, (const char *)data + bits_at, sizeof(bits));
	d->tcp.wscale = (uint8_t)(bits.send_wscale | bits.receive_wscale << 4);
	d->tcp.app_limited = (uint8_t)(bits.app_limited | bits.fastopen_client_fail << 1);
	d->tcp_len = (uint16_t)len;
	d->present |= PV_DETAIL_TCP;
}

static void set_congestion(struct row *row, const void *data, size_t len)
{
	struct pv_detail *d = detail_of(row);
	size_t n = strnlen(data, len);

	if (n > sizeof(d->congestion) - 1)
		n = sizeof(d->congestion) - 1;
	memcpy(d->congestion, data, n);
	d->present |= PV_DETAIL_CONG;
}

static void set_tos(struct row *row, const void *data, size_t len)
{
	(void)len;
	detail_of(row)->tos = *(const uint8_t *)data;
	row->detail.present |= PV_DETAIL_TOS;
}

static void set_tclass(struct row *row, const void *data, size_t len)
{
	(void)len;
	detail_of(row)->tclass = *(const uint8_t *)data;
	row->detail.present |= PV_DETAIL_TOS;
}

static void set_class_id(struct row *row, const void *data, size_t len)
{
	(void)len;
	detail_of(row)->class_id = get_u32(data);
}

/* Sent unasked since Linux 5.7. */
static void set_cgroup_id(struct row *row, const void *data, size_t len)
{
	struct pv_detail *d;

	(void)len;
	if (!(row->q->needs & PV_NEED_SOCKCGROUP))
		return;
	d = detail_of(row);
	memcpy(&d->cgroup_id, data, sizeof(d->cgroup_id));
	d->present |= PV_DETAIL_CGROUP;
}

static void set_shutdown(struct row *row, const void *data, size_t len)
{
	(void)len;
	row->c.shutdown = *(const uint8_t *)data & 3;
}

static void set_raw_protocol(struct row *row, const void *data, size_t len)
{
	(void)len;
	if (row->q->proto == PV_PROTO_RAW)
		row->c.protocol = *(const uint8_t *)data;
}

static void set_v6only(struct row *row, const void *data, size_t len)
{
	(void)len;
	row->c.flags |= PV_CONV_V6ONLY_KNOWN;
	if (*(const uint8_t *)data)
		row->c.flags |= PV_CONV_V6ONLY;
}

static void set_mark(struct row *row, const void *data, size_t len)
{
	(void)len;
	row->c.mark = get_u32(data);
}

/* The peer's addresses: only an association has them. */
static void set_association(struct row *row, const void *data, size_t len)
{
	(void)data;
	(void)len;
	row->is_association = true;
}

/* What lies above TCP: "tls", "mptcp". */
static void set_upper(struct row *row, const void *data, size_t len)
{
	struct attribute_list l = attributes_of(data, len);
	struct attribute_value v;

	while (attribute_next(&l, &v))
		if (v.type == INET_ULP_INFO_NAME && v.len >= 3 && strnlen(v.data, v.len) == 3 &&
		    !memcmp(v.data, "tls", 3))
			row->c.flags |= PV_CONV_TLS;
}

static const struct attribute inet_attributes[] = {
	/* tcp_info up to its bit-fields; the rest may be missing */
	[INET_DIAG_INFO] = { offsetof(struct pv_tcp_info, rto), set_tcp_info },
	[INET_DIAG_CONG] = { 1, set_congestion },
	[INET_DIAG_TOS] = { 1, set_tos },
	[INET_DIAG_TCLASS] = { 1, set_tclass },
	[INET_DIAG_SKMEMINFO] = { sizeof(uint32_t), set_meminfo },
	[INET_DIAG_SHUTDOWN] = { 1, set_shutdown },
	[INET_DIAG_PROTOCOL] = { 1, set_raw_protocol },
	[INET_DIAG_SKV6ONLY] = { 1, set_v6only },
	[INET_DIAG_PEERS] = { 1, set_association },
	[INET_DIAG_MARK] = { sizeof(uint32_t), set_mark },
	[INET_DIAG_CLASS_ID] = { sizeof(uint32_t), set_class_id },
	[INET_DIAG_ULP_INFO] = { 1, set_upper },
	[INET_DIAG_CGROUP_ID] = { sizeof(uint64_t), set_cgroup_id },
};

static const uint8_t inet_types[PV_PROTO_N] = {
	[PV_PROTO_TCP] = SOCK_STREAM,	  [PV_PROTO_MPTCP] = SOCK_STREAM,
	[PV_PROTO_UDP] = SOCK_DGRAM,	  [PV_PROTO_UDPLITE] = SOCK_DGRAM,
	[PV_PROTO_SCTP] = SOCK_SEQPACKET, [PV_PROTO_DCCP] = SOCK_DCCP,
	[PV_PROTO_RAW] = SOCK_RAW,
};

/* Request sockets have a state of their own inside the kernel, bound ones in inet_diag alone. */
static uint8_t state_of(uint8_t wire)
{
	if (wire < PV_STATE_NEW_SYN_RECV)
		return wire;
	if (wire == PV_STATE_NEW_SYN_RECV)
		return PV_STATE_SYN_RECV;
	return wire == STATE_BOUND_INACTIVE ? PV_STATE_CLOSE : PV_STATE_UNKNOWN;
}

static void read_endpoints(struct pv_conversation *c, const struct inet_diag_sockid *id)
{
	/* an IPv4 address is the first 4 of 16 bytes, the others are not always cleared */
	size_t n = c->family == AF_INET ? 4 : 16;

	memcpy(c->local.addr, id->idiag_src, n);
	memcpy(c->remote.addr, id->idiag_dst, n);
	c->local.port = ntohs(id->idiag_sport);
	c->remote.port = ntohs(id->idiag_dport);
}

static bool read_inet(struct row *row, const void *fixed)
{
	const struct inet_diag_msg *m = fixed;
	struct pv_conversation *c = &row->c;

	if (m->idiag_family != AF_INET && m->idiag_family != AF_INET6)
		return false;
	if (row->q->family != AF_UNSPEC && m->idiag_family != row->q->family)
		return false;
	c->family = m->idiag_family;
	read_endpoints(c, &m->id);
	c->cookie = cookie_of(m->id.idiag_cookie);
	c->inode = m->idiag_inode;
	c->uid = m->idiag_uid;
	c->recv_q = m->idiag_rqueue;
	c->send_q = m->idiag_wqueue;
	c->ifindex = m->id.idiag_if;
	c->state = state_of(m->idiag_state);
	row->wire_state = m->idiag_state;
	c->type = inet_types[c->proto];
	if (m->idiag_timer) {
		/* SCTP puts an event number there */
		c->timer = m->idiag_timer < PV_TIMER_N ? m->idiag_timer : PV_TIMER_ON;
		c->timer_ms = m->idiag_expires;
		c->retrans = m->idiag_retrans;
	}
	if (c->proto == PV_PROTO_RAW)
		c->protocol = (uint8_t)c->local.port;
	return true;
}

static void finish_sctp(struct row *row)
{
	struct pv_conversation *c = &row->c;
	uint64_t part;

	if (!row->is_association) {
		/* an endpoint that is neither listening nor idle precedes its association */
		row->is_left_out = c->state != PV_STATE_LISTEN && c->state != PV_STATE_CLOSE;
		return;
	}
	c->state = sctp_association_state(row->wire_state);
	c->timer = c->timer ? PV_TIMER_ON : PV_TIMER_OFF;
	c->cookie = map_mix(c->cookie, c->remote.port);
	for (size_t i = 0; i < sizeof(c->remote.addr); i += sizeof(part)) {
		memcpy(&part, c->remote.addr + i, sizeof(part));
		c->cookie = map_mix(c->cookie, part);
	}
}

static void finish_inet(struct row *row)
{
	if (row->q->proto == PV_PROTO_SCTP)
		finish_sctp(row);
}

static bool read_unix(struct row *row, const void *fixed)
{
	const struct unix_diag_msg *m = fixed;
	struct pv_conversation *c = &row->c;

	c->cookie = cookie_of(m->udiag_cookie);
	c->inode = m->udiag_ino;
	c->type = m->udiag_type;
	c->state = state_of(m->udiag_state);
	c->uid = UID_UNKNOWN;
	return true;
}

static void set_unix_name(struct row *row, const void *data, size_t len)
{
	const char *name = data;

	/* the kernel ends a path with a NUL; an abstract name is bytes, NULs included */
	if (name[0] != '\0' && name[len - 1] == '\0')
		len--;
	row->path = (struct pv_bytes){ .data = name, .len = (uint32_t)len };
	row->c.path = &row->path;
}

static void set_unix_peer(struct row *row, const void *data, size_t len)
{
	(void)len;
	row->c.peer_inode = get_u32(data);
}

static void set_unix_queues(struct row *row, const void *data, size_t len)
{
	struct unix_diag_rqlen q;

	(void)len;
	memcpy(&q, data, sizeof(q));
	row->c.recv_q = q.udiag_rqueue;
	row->c.send_q = q.udiag_wqueue;
}

static const struct attribute unix_attributes[] = {
	[UNIX_DIAG_NAME] = { 1, set_unix_name },
	[UNIX_DIAG_PEER] = { sizeof(uint32_t), set_unix_peer },
	[UNIX_DIAG_RQLEN] = { sizeof(struct unix_diag_rqlen), set_unix_queues },
	[UNIX_DIAG_MEMINFO] = { sizeof(uint32_t), set_meminfo },
	[UNIX_DIAG_SHUTDOWN] = { 1, set_shutdown },
	[UNIX_DIAG_UID] = { sizeof(uint32_t), set_uid },
};

static bool read_packet(struct row *row, const void *fixed)
{
	const struct packet_diag_msg *m = fixed;
	struct pv_conversation *c = &row->c;

	c->cookie = cookie_of(m->pdiag_cookie);
	c->inode = m->pdiag_ino;
	c->type = m->pdiag_type;
	c->local.port = m->pdiag_num; /* the ethertype, in host order already */
	c->state = PV_STATE_CLOSE;
	c->uid = UID_UNKNOWN;
	return true;
}

static void set_packet_info(struct row *row, const void *data, size_t len)
{
	(void)len;
	row->c.ifindex = get_u32((const char *)data + offsetof(struct packet_diag_info, pdi_index));
}

static const struct attribute packet_attributes[] = {
	[PACKET_DIAG_INFO] = { sizeof(struct packet_diag_info), set_packet_info },
	[PACKET_DIAG_UID] = { sizeof(uint32_t), set_uid },
	[PACKET_DIAG_MEMINFO] = { 4 * sizeof(uint32_t), set_meminfo_queues },
};

static bool read_netlink(struct row *row, const void *fixed)
{
	const struct netlink_diag_msg *m = fixed;
	struct pv_conversation *c = &row->c;

	c->cookie = cookie_of(m->ndiag_cookie);
	c->inode = m->ndiag_ino;
	c->type = m->ndiag_type;
	c->protocol = m->ndiag_protocol;
	c->local.port = m->ndiag_portid;
	c->remote.port = m->ndiag_dst_portid;
	/* 1 is NETLINK_CONNECTED */
	c->state = m->ndiag_state == 1 ? PV_STATE_ESTABLISHED : PV_STATE_CLOSE;
	c->uid = UID_UNKNOWN;
	/* port 0 is never given to a process */
	if (m->ndiag_portid == 0)
		c->flags |= PV_CONV_KERNEL;
	return true;
}

static const struct attribute netlink_attributes[] = {
	[NETLINK_DIAG_MEMINFO] = { 4 * sizeof(uint32_t), set_meminfo_queues },
};

static void set_vsock_end(struct pv_endpoint *e, uint32_t cid, uint32_t port)
{
	memcpy(e->addr, &cid, sizeof(cid));
	e->port = port == VMADDR_PORT_ANY ? 0 : port;
}

static bool read_vsock(struct row *row, const void *fixed)
{
	const struct vsock_diag_msg *m = fixed;
	struct pv_conversation *c = &row->c;

	c->cookie = cookie_of(m->vdiag_cookie);
	c->inode = m->vdiag_ino;
	c->type = m->vdiag_type;
	c->state = state_of(m->vdiag_state);
	c->shutdown = m->vdiag_shutdown & 3;
	set_vsock_end(&c->local, m->vdiag_src_cid, m->vdiag_src_port);
	set_vsock_end(&c->remote, m->vdiag_dst_cid, m->vdiag_dst_port);
	c->uid = UID_UNKNOWN;
	return true;
}

static bool read_xdp(struct row *row, const void *fixed)
{
	const struct xdp_diag_msg *m = fixed;
	struct pv_conversation *c = &row->c;

	c->cookie = cookie_of(m->xdiag_cookie);
	c->inode = m->xdiag_ino;
	c->type = m->xdiag_type;
	c->state = PV_STATE_CLOSE;
	c->uid = UID_UNKNOWN;
	return true;
}

static void set_xdp_info(struct row *row, const void *data, size_t len)
{
	struct xdp_diag_info info;

	(void)len;
	memcpy(&info, data, sizeof(info));
	row->c.ifindex = info.ifindex;
	row->c.local.port = info.queue_id;
}

static const struct attribute xdp_attributes[] = {
	[XDP_DIAG_INFO] = { sizeof(struct xdp_diag_info), set_xdp_info },
	[XDP_DIAG_UID] = { sizeof(uint32_t), set_uid },
	[XDP_DIAG_MEMINFO] = { 4 * sizeof(uint32_t), set_meminfo_queues },
};

#define ATTRIBUTES(table) .attributes = (table), .n_attributes = sizeof(table) / sizeof(*(table))

static const struct family inet_family = {
	.fixed_len = sizeof(struct inet_diag_msg),
	.read = read_inet,
	.finish = finish_inet,
	ATTRIBUTES(inet_attributes),
};

static const struct family other_families[PV_PROTO_N] = {
	[PV_PROTO_UNIX] = { .family = AF_UNIX,
			    .fixed_len = sizeof(struct unix_diag_msg),
			    .read = read_unix,
			    ATTRIBUTES(unix_attributes) },
	[PV_PROTO_PACKET] = { .family = AF_PACKET,
			      .fixed_len = sizeof(struct packet_diag_msg),
			      .read = read_packet,
			      ATTRIBUTES(packet_attributes) },
	[PV_PROTO_NETLINK] = { .family = AF_NETLINK,
			       .fixed_len = sizeof(struct netlink_diag_msg),
			       .read = read_netlink,
			       ATTRIBUTES(netlink_attributes) },
	[PV_PROTO_VSOCK] = { .family = AF_VSOCK,
			     .fixed_len = sizeof(struct vsock_diag_msg),
			     .read = read_vsock },
	[PV_PROTO_XDP] = { .family = AF_XDP,
			   .fixed_len = sizeof(struct xdp_diag_msg),
			   .read = read_xdp,
			   ATTRIBUTES(xdp_attributes) },
};

static const struct family *family_of(const struct netlink_query *q)
{
	if (pv_proto_is_inet(q->proto))
		return &inet_family;
	return q->proto < PV_PROTO_N ? &other_families[q->proto] : NULL;
}

/*
 * false: the attributes do not add up to the message's length, or one is shorter than it must be.
 * libmnl's accessors are calls into another library, five an attribute; a host with many sockets
 * has a million attributes.
 */
static bool read_attributes(struct row *row, const struct family *f, const char *p, const char *end)
{
	bool is_sound = true;

	while (p < end) {
		const struct nlattr *attr = (const void *)p;
		size_t left = (size_t)(end - p);
		uint16_t type;

		if (left < sizeof(*attr) || attr->nla_len < sizeof(*attr) || attr->nla_len > left)
			return false;
		type = attr->nla_type & NLA_TYPE_MASK;
		if (type < f->n_attributes && f->attributes[type].min_len) {
			size_t len = attr->nla_len - sizeof(*attr);

			if (len >= f->attributes[type].min_len)
				f->attributes[type].set(row, attr + 1, len);
			else
				is_sound = false;
		}
		/* the last attribute's padding may lie behind the end */
		if (left <= NLA_ALIGN((size_t)attr->nla_len))
			break;
		p += NLA_ALIGN((size_t)attr->nla_len);
	}
	return is_sound;
}

static void keep_attributes(struct row *row, const char *p, const char *end)
{
	struct pv_detail *d = detail_of(row);

	if (p >= end)
		return;
	d->attributes = p;
	d->attributes_len = (uint32_t)(end - p);
}

static int read_message(const struct nlmsghdr *nlh, const struct family *f,
			const struct netlink_query *q, const struct sink *sink,
			struct netlink_parse_stats *stats)
{
	const char *fixed = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	struct row row;

	row.c = (struct pv_conversation){ .proto = q->proto, .family = f->family };
	row.q = q;
	row.has_detail = row.is_association = row.is_left_out = false;
	if (len < f->fixed_len || (f->family && (uint8_t)fixed[0] != f->family) ||
	    !f->read(&row, fixed)) {
		stats->malformed++;
		return 0;
	}
	if (len > f->fixed_len) {
		if (!read_attributes(&row, f, fixed + MNL_ALIGN(f->fixed_len), fixed + len))
			stats->malformed++;
		else if (q->needs & PV_NEED_ATTRIBUTES)
			keep_attributes(&row, fixed + MNL_ALIGN(f->fixed_len), fixed + len);
	}
	if (f->finish)
		f->finish(&row);
	if (row.is_left_out)
		return 0;
	if (row.has_detail && (row.detail.present || row.detail.attributes))
		row.c.detail = &row.detail;
	stats->rows++;
	return sink->row(sink->userdata, &row.c);
}

/* The answer's type is the request's: the first form of the inet request has its own. */
static uint16_t answer_type(const struct netlink_query *q)
{
	return pv_proto_is_inet(q->proto) && q->family == AF_UNSPEC ? TCPDIAG_GETSOCK
								    : SOCK_DIAG_BY_FAMILY;
}

int netlink_parse_sockets(const void *data, size_t len, const struct netlink_query *q,
			  const struct sink *sink, struct netlink_parse_stats *stats)
{
	const struct family *f = family_of(q);
	const struct nlmsghdr *nlh = data;
	size_t left = len;
	uint16_t type = answer_type(q);

	if ((uintptr_t)data % MNL_ALIGNTO || !f || !f->read)
		return -EINVAL;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		int r;

		if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		if (nlh->nlmsg_type != type) {
			stats->malformed++;
			continue;
		}
		r = read_message(nlh, f, q, sink, stats);
		if (r < 0)
			return r;
	}
	if (left > 0)
		stats->malformed++;
	return 0;
}
