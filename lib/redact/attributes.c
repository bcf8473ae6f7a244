/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's sock_diag sent beside the fixed part. Only attributes that can hold neither
 * address, name nor key stay; one that a later kernel invents does not.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/unix_diag.h>
#include <linux/xdp_diag.h>
#include <string.h>

#include "netlink/message.h"
#include "redact/redact-internal.h"

#define BIT(type) (UINT32_C(1) << (type))
/* Not: the ends of SCTP, the peers and keys of TCP-MD5, storage of BPF programs. */
#define INET                                                                                       \
	(BIT(INET_DIAG_MEMINFO) | BIT(INET_DIAG_INFO) | BIT(INET_DIAG_VEGASINFO) |                 \
	 BIT(INET_DIAG_CONG) | BIT(INET_DIAG_TOS) | BIT(INET_DIAG_TCLASS) |                        \
	 BIT(INET_DIAG_SKMEMINFO) | BIT(INET_DIAG_SHUTDOWN) | BIT(INET_DIAG_DCTCPINFO) |           \
	 BIT(INET_DIAG_PROTOCOL) | BIT(INET_DIAG_SKV6ONLY) | BIT(INET_DIAG_MARK) |                 \
	 BIT(INET_DIAG_BBRINFO) | BIT(INET_DIAG_CLASS_ID) | BIT(INET_DIAG_ULP_INFO) |              \
	 BIT(INET_DIAG_CGROUP_ID) | BIT(INET_DIAG_SOCKOPT))

static uint32_t kept_of(enum pv_proto proto)
{
	switch (proto) {
	case PV_PROTO_UNIX:
		return BIT(UNIX_DIAG_VFS) | BIT(UNIX_DIAG_PEER) | BIT(UNIX_DIAG_ICONS) |
		       BIT(UNIX_DIAG_RQLEN) | BIT(UNIX_DIAG_MEMINFO) | BIT(UNIX_DIAG_SHUTDOWN);
	case PV_PROTO_PACKET: /* not its filter, which may compare with addresses */
		return BIT(PACKET_DIAG_INFO) | BIT(PACKET_DIAG_RX_RING) | BIT(PACKET_DIAG_TX_RING) |
		       BIT(PACKET_DIAG_FANOUT) | BIT(PACKET_DIAG_UID) | BIT(PACKET_DIAG_MEMINFO);
	case PV_PROTO_NETLINK:
		return BIT(NETLINK_DIAG_MEMINFO) | BIT(NETLINK_DIAG_GROUPS) |
		       BIT(NETLINK_DIAG_RX_RING) | BIT(NETLINK_DIAG_TX_RING) |
		       BIT(NETLINK_DIAG_FLAGS);
	case PV_PROTO_XDP:
		return BIT(XDP_DIAG_INFO) | BIT(XDP_DIAG_UID) | BIT(XDP_DIAG_RX_RING) |
		       BIT(XDP_DIAG_TX_RING) | BIT(XDP_DIAG_UMEM) | BIT(XDP_DIAG_UMEM_FILL_RING) |
		       BIT(XDP_DIAG_UMEM_COMPLETION_RING) | BIT(XDP_DIAG_MEMINFO) |
		       BIT(XDP_DIAG_STATS);
	case PV_PROTO_SCTP: /* its tcp_info is an sctp_info, which has an address */
		return INET & ~BIT(INET_DIAG_INFO);
	case PV_PROTO_VSOCK:
		return 0;
	default:
		return INET;
	}
}

void redact_put_attributes(enum pv_proto proto, const void *data, size_t len, struct buf *b)
{
	struct attribute_list list = attributes_of(data, len);
	uint32_t kept = kept_of(proto);
	struct attribute_value v;

	while (attribute_next(&list, &v)) {
		const struct nlattr a = { (uint16_t)(sizeof(a) + v.len), v.type };

		if (v.type >= 32 || !(kept & BIT(v.type)))
			continue;
		buf_put(b, &a, sizeof(a));
		buf_put(b, v.data, v.len);
		buf_pad(b, '\0', NLA_ALIGN(v.len) - v.len);
	}
}

int redact_put_message(const struct pv_redactor *r, const struct nlmsghdr *message, struct buf *b)
{
	const size_t fixed = NLMSG_SPACE(sizeof(struct inet_diag_msg));
	struct nlmsghdr header = *message;
	size_t start = b->len;
	struct inet_diag_msg m;
	int result;

	memcpy(&m, NLMSG_DATA(message), sizeof(m));
	result = pv_redact_address(r, m.idiag_family, (uint8_t *)m.id.idiag_src);
	if (result == 0)
		result = pv_redact_address(r, m.idiag_family, (uint8_t *)m.id.idiag_dst);
	buf_put(b, &header, sizeof(header));
	buf_put(b, &m, sizeof(m));
	buf_pad(b, '\0', fixed - sizeof(header) - sizeof(m));
	if (header.nlmsg_len > fixed)
		redact_put_attributes(PV_PROTO_TCP, (const char *)message + fixed,
				      header.nlmsg_len - fixed, b);
	if (result < 0 || buf_error(b))
		return result;
	header.nlmsg_len = (uint32_t)(b->len - start);
	memcpy(b->data + start, &header, sizeof(header));
	return 0;
}
