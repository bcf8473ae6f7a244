/* SPDX-License-Identifier: MIT */
/* Requests of sock_diag. One table says how each protocol is asked for. */
#include "netlink/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <linux/xdp_diag.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/snapshot.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif

#define STATE_BOUND_INACTIVE 13 /* TCP_BOUND_INACTIVE, Linux 6.8; a pseudo-state of inet_diag */

/* Room the first datagram has for rows: a page less what the kernel keeps for itself. */
#define FIRST_DATAGRAM_ROOM 3072
/* No row without INET_DIAG_INFO is longer; with it, MD5 keys (Linux 4.14) make it unbounded. */
#define ROW_MAX 512
/* The kernel collects so many established sockets of a slot before it lets the slot go. */
#define TCP_SLOT_CHUNK 16

struct diag_protocol {
	uint16_t number; /* IPPROTO_*, 0 = not an inet protocol */
	uint8_t family;	 /* AF_* of the others */
	bool has_legacy; /* TCPDIAG_GETSOCK serves it */
	int (*put)(const struct netlink_query *q, struct nlmsghdr *nlh);
};

static void *put_payload(struct nlmsghdr *nlh, size_t size)
{
	/* zeroes it */
	return mnl_nlmsg_put_extra_header(nlh, size);
}

static uint32_t inet_states(const struct netlink_query *q)
{
	uint32_t states = q->states & PV_STATE_ALL;

	/* the kernel adds request sockets to SYN_RECV; alone they are not a state of ours */
	if (!(states & PV_STATE_BIT(PV_STATE_SYN_RECV)))
		states &= ~PV_STATE_BIT(PV_STATE_NEW_SYN_RECV);
	if (q->bound_inactive)
		states |= UINT32_C(1) << STATE_BOUND_INACTIVE;
	return states;
}

#define EXT(attribute) (1 << ((attribute)-1))

static uint8_t inet_extensions(const struct netlink_query *q)
{
	uint8_t ext = 0;

	if (q->needs & PV_NEED_TCPINFO)
		ext |= EXT(INET_DIAG_INFO) | EXT(INET_DIAG_CONG);
	if (q->needs & PV_NEED_MEM)
		ext |= EXT(INET_DIAG_SKMEMINFO);
	/* the class id comes with TCLASS, the cgroup id unasked */
	if (q->needs & PV_NEED_SOCKCGROUP)
		ext |= EXT(INET_DIAG_TOS) | EXT(INET_DIAG_TCLASS);
	/* stands for what any congestion control tells of itself */
	if (q->needs & PV_NEED_ATTRIBUTES && q->needs & PV_NEED_TCPINFO)
		ext |= EXT(INET_DIAG_VEGASINFO);
	return ext;
}

static const struct diag_protocol *protocol_of(uint8_t proto);

static void put_inet_legacy(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct inet_diag_req *req = put_payload(nlh, sizeof(*req));

	nlh->nlmsg_type = TCPDIAG_GETSOCK;
	req->idiag_ext = inet_extensions(q);
	req->idiag_states = inet_states(q);
}

static void put_inet_v2(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct inet_diag_req_v2 *req = put_payload(nlh, sizeof(*req));
	uint16_t number = protocol_of(q->proto)->number;

	req->sdiag_family = q->family;
	/* kernels that do not know INET_DIAG_REQ_PROTOCOL find nothing at 0 and say ENOENT */
	req->sdiag_protocol = number > UINT8_MAX ? 0 : (uint8_t)number;
	req->idiag_ext = inet_extensions(q);
	req->idiag_states = inet_states(q);
}

static int put_inet(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	const struct diag_protocol *p = protocol_of(q->proto);

	if (q->family == AF_UNSPEC && p->has_legacy)
		put_inet_legacy(q, nlh);
	else if (q->family == AF_INET || q->family == AF_INET6)
		put_inet_v2(q, nlh);
	else
		return -EAFNOSUPPORT;
	if (p->number > UINT8_MAX)
		mnl_attr_put_u32(nlh, INET_DIAG_REQ_PROTOCOL, p->number);
	if (q->code_len)
		mnl_attr_put(nlh, INET_DIAG_REQ_BYTECODE, q->code_len, q->code);
	return 0;
}

static int put_unix(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct unix_diag_req *req = put_payload(nlh, sizeof(*req));

	req->sdiag_family = AF_UNIX;
	req->udiag_states = q->states;
	req->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;
	if (q->needs & PV_NEED_MEM)
		req->udiag_show |= UDIAG_SHOW_MEMINFO;
	if (q->needs & PV_NEED_ATTRIBUTES)
		req->udiag_show |= UDIAG_SHOW_VFS | UDIAG_SHOW_ICONS;
	return 0;
}

/* Packet, netlink and XDP sockets report queues only as part of their memory. */
static int put_packet(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct packet_diag_req *req = put_payload(nlh, sizeof(*req));

	req->sdiag_family = AF_PACKET;
	req->pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO;
	if (q->needs & PV_NEED_ATTRIBUTES)
		req->pdiag_show |= PACKET_SHOW_RING_CFG | PACKET_SHOW_FANOUT | PACKET_SHOW_FILTER;
	return 0;
}

static int put_netlink(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct netlink_diag_req *req = put_payload(nlh, sizeof(*req));

	req->sdiag_family = AF_NETLINK;
	req->sdiag_protocol = NDIAG_PROTO_ALL;
	req->ndiag_show = NDIAG_SHOW_MEMINFO;
	if (q->needs & PV_NEED_ATTRIBUTES)
		req->ndiag_show |= NDIAG_SHOW_GROUPS;
	return 0;
}

static int put_vsock(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct vsock_diag_req *req = put_payload(nlh, sizeof(*req));

	req->sdiag_family = AF_VSOCK;
	req->vdiag_states = q->states;
	return 0;
}

static int put_xdp(const struct netlink_query *q, struct nlmsghdr *nlh)
{
	struct xdp_diag_req *req = put_payload(nlh, sizeof(*req));

	req->sdiag_family = AF_XDP;
	req->xdiag_show = XDP_SHOW_INFO | XDP_SHOW_MEMINFO;
	if (q->needs & PV_NEED_ATTRIBUTES)
		req->xdiag_show |= XDP_SHOW_RING_CFG | XDP_SHOW_UMEM | XDP_SHOW_STATS;
	return 0;
}

static const struct diag_protocol protocols[PV_PROTO_N] = {
	[PV_PROTO_TCP] = { IPPROTO_TCP, 0, true, put_inet },
	[PV_PROTO_MPTCP] = { IPPROTO_MPTCP, 0, true, put_inet },
	[PV_PROTO_UDP] = { IPPROTO_UDP, 0, false, put_inet },
	[PV_PROTO_UDPLITE] = { IPPROTO_UDPLITE, 0, false, put_inet },
	[PV_PROTO_SCTP] = { IPPROTO_SCTP, 0, false, put_inet },
	[PV_PROTO_DCCP] = { IPPROTO_DCCP, 0, false, put_inet },
	/* 255 with a zero raw protocol (the old padding) lists raw sockets of all protocols */
	[PV_PROTO_RAW] = { IPPROTO_RAW, 0, false, put_inet },
	[PV_PROTO_UNIX] = { 0, AF_UNIX, false, put_unix },
	[PV_PROTO_PACKET] = { 0, AF_PACKET, false, put_packet },
	[PV_PROTO_NETLINK] = { 0, AF_NETLINK, false, put_netlink },
	[PV_PROTO_VSOCK] = { 0, AF_VSOCK, false, put_vsock },
	[PV_PROTO_XDP] = { 0, AF_XDP, false, put_xdp },
};

static const struct diag_protocol *protocol_of(uint8_t proto)
{
	return proto < PV_PROTO_N && protocols[proto].put ? &protocols[proto] : NULL;
}

int netlink_query_encode(const struct netlink_query *q, uint32_t seq, void *buf, size_t size,
			 size_t *ret_len)
{
	const struct diag_protocol *p = protocol_of(q->proto);
	struct nlmsghdr *nlh;
	int r;

	*ret_len = NETLINK_REQUEST_MAX + q->code_len;
	if (!p)
		return -EPROTONOSUPPORT;
	/* an attribute's length has 16 bits */
	if (q->code_len && (!p->number || q->code_len > UINT16_MAX - NLA_HDRLEN))
		return -EINVAL;
	if (size < *ret_len)
		return -EMSGSIZE;
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	r = p->put(q, nlh);
	*ret_len = nlh->nlmsg_len;
	return r;
}

/* Whether no row can have been put off for want of room. */
static bool has_one_datagram(const struct netlink_query *q,
			     const struct netlink_dump_result *result)
{
	bool is_bounded = q->proto != PV_PROTO_TCP || !(q->needs & PV_NEED_TCPINFO);

	return result->row_datagrams == 0 || (result->row_datagrams == 1 && is_bounded &&
					      result->row_bytes + ROW_MAX <= FIRST_DATAGRAM_ROOM);
}

bool netlink_dump_is_exact(const struct netlink_query *q, const struct netlink_dump_result *result)
{
	if (!result->done || netlink_dump_status(result) != 0 || result->malformed ||
	    !has_one_datagram(q, result))
		return false;
	switch (q->proto) {
	case PV_PROTO_TCP:
		return result->rows < TCP_SLOT_CHUNK;
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
	case PV_PROTO_RAW:
	case PV_PROTO_UNIX:
	case PV_PROTO_PACKET:
		return true;
	default:
		return false;
	}
}

static void put_cookie(uint32_t wire[2], uint64_t cookie)
{
	wire[0] = cookie ? (uint32_t)cookie : INET_DIAG_NOCOOKIE;
	wire[1] = cookie ? (uint32_t)(cookie >> 32) : INET_DIAG_NOCOOKIE;
}

static void put_exact_inet(const struct pv_conversation *c, bool is_swapped, struct nlmsghdr *nlh)
{
	struct inet_diag_req_v2 *req = put_payload(nlh, sizeof(*req));
	const struct pv_endpoint *src = is_swapped ? &c->remote : &c->local;
	const struct pv_endpoint *dst = is_swapped ? &c->local : &c->remote;
	struct inet_diag_req_raw *raw = (struct inet_diag_req_raw *)req;

	req->sdiag_family = c->family;
	if (protocols[c->proto].number <= UINT8_MAX)
		req->sdiag_protocol = (uint8_t)protocols[c->proto].number;
	if (c->proto == PV_PROTO_RAW)
		raw->sdiag_raw_protocol = c->protocol;
	req->idiag_states = PV_STATE_ALL;
	req->id.idiag_sport = htons((uint16_t)src->port);
	req->id.idiag_dport = htons((uint16_t)dst->port);
	memcpy(req->id.idiag_src, src->addr, sizeof(src->addr));
	memcpy(req->id.idiag_dst, dst->addr, sizeof(dst->addr));
	req->id.idiag_if = c->ifindex;
	put_cookie(req->id.idiag_cookie, c->cookie);
	if (protocols[c->proto].number > UINT8_MAX)
		mnl_attr_put_u32(nlh, INET_DIAG_REQ_PROTOCOL, protocols[c->proto].number);
}

static void put_exact_unix(const struct pv_conversation *c, struct nlmsghdr *nlh)
{
	struct unix_diag_req *req = put_payload(nlh, sizeof(*req));

	req->sdiag_family = AF_UNIX;
	req->udiag_states = PV_STATE_ALL;
	req->udiag_ino = c->inode;
	put_cookie(req->udiag_cookie, c->cookie);
}

static bool has_exact_lookup(const struct pv_conversation *c)
{
	switch (c->proto) {
	case PV_PROTO_TCP:
	case PV_PROTO_UDP:
	case PV_PROTO_UDPLITE:
	case PV_PROTO_RAW:
		return c->family == AF_INET || c->family == AF_INET6;
	case PV_PROTO_UNIX:
		return c->inode != 0;
	default:
		return false;
	}
}

/* A connected TCP socket is the only one at its tuple; unix inodes are unique. */
static bool is_lookup_sure(const struct pv_conversation *c)
{
	if (c->proto == PV_PROTO_UNIX)
		return true;
	return c->proto == PV_PROTO_TCP && c->state != PV_STATE_LISTEN &&
	       c->state != PV_STATE_CLOSE;
}

int netlink_socket_exists(int fd, const struct pv_conversation *c)
{
	_Alignas(struct nlmsghdr) char buf[NETLINK_REQUEST_MAX];
	/* udp_diag looks up with the two ends exchanged, "for historical reasons" (to 6.18) */
	bool is_swapped = c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE;
	struct nlmsghdr *nlh;
	int r;

	if (!has_exact_lookup(c))
		return -EOPNOTSUPP;
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = c->inode | 1;
	if (c->proto == PV_PROTO_UNIX)
		put_exact_unix(c, nlh);
	else
		put_exact_inet(c, is_swapped, nlh);
	r = netlink_get(fd, nlh, nlh->nlmsg_len);
	if (r == -ENOENT || r == -ESTALE)
		return is_lookup_sure(c) ? NETLINK_GONE : NETLINK_UNSURE;
	return r < 0 ? r : NETLINK_EXISTS;
}

int netlink_socket_destroy(int fd, const struct pv_conversation *c)
{
	_Alignas(struct nlmsghdr) char buf[NETLINK_REQUEST_MAX];
	const struct diag_protocol *p = protocol_of(c->proto);
	struct nlmsghdr *nlh;

	if (!p || (p->number && c->family != AF_INET && c->family != AF_INET6))
		return -EOPNOTSUPP;
	/* without its cookie a request hits whatever has the tuple now */
	if (!c->cookie)
		return -ENOKEY;
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = SOCK_DESTROY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = (uint32_t)c->cookie | 1;
	/* the kernel decides by the first byte which protocols it can do this with */
	if (p->number)
		put_exact_inet(c, false, nlh);
	else
		((struct sock_diag_req *)put_payload(nlh, sizeof(struct inet_diag_req_v2)))
			->sdiag_family = p->family;
	return netlink_get(fd, nlh, nlh->nlmsg_len);
}
