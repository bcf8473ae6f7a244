/* SPDX-License-Identifier: MIT */
/* Rows of sockets that are not of IP. */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets.h>
#include <linux/xdp_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/ss/ss.h"
#include "ui/text/escape.h"

/* ---- UNIX ---- */

/* The name of a path ends at its NUL; those of an abstract one are shown as @. */
static void put_unix_name(struct ss_view *w, const struct pv_bytes *path)
{
	bool is_abstract = path && path->len && !path->data[0];

	if (!path || !path->len) {
		buf_putc(ss_text(w), '*');
		return;
	}
	if (!is_abstract) {
		ss_put_foreign(w, path->data, strnlen(path->data, path->len));
		return;
	}
	for (size_t i = 0; i < path->len;) {
		size_t n = strnlen(path->data + i, path->len - i);

		ss_put_foreign(w, path->data + i, n);
		i += n;
		if (i < path->len)
			buf_putc(ss_text(w), '@');
		i++;
	}
}

static void put_unix_details(struct ss_view *w, const struct pv_conversation *row)
{
	struct buf *b = ss_text(w);
	struct unix_diag_vfs vfs;
	uint8_t mask;
	size_t len = 0;
	const char *peers = pv_detail_attribute(row->detail, UNIX_DIAG_ICONS, &len);

	if (ss_attribute(row, UNIX_DIAG_SHUTDOWN, &mask, sizeof(mask)))
		buf_printf(b, " %c-%c", mask & 1 ? '-' : '<', mask & 2 ? '-' : '>');
	if (ss_attribute(row, UNIX_DIAG_VFS, &vfs, sizeof(vfs)))
		buf_printf(b, " ino:%u dev:%u/%u", vfs.udiag_vfs_ino, major(vfs.udiag_vfs_dev),
			   minor(vfs.udiag_vfs_dev));
	if (peers)
		buf_puts(b, " peers:");
	for (; peers && len >= sizeof(uint32_t);
	     peers += sizeof(uint32_t), len -= sizeof(uint32_t)) {
		uint32_t inode;

		memcpy(&inode, peers, sizeof(inode));
		buf_printf(b, " %u", inode);
	}
}

void ss_put_unix(struct ss_view *w, const struct pv_conversation *row)
{
	char number[16];

	ss_put_head(w,
		    row->type == SOCK_STREAM	  ? "u_str"
		    : row->type == SOCK_SEQPACKET ? "u_seq"
						  : "u_dgr",
		    row);
	put_unix_name(w, row->path);
	buf_putc(ss_text(w), ' ');
	ss_end_cell(w);
	buf_printf(ss_text(w), "%d", (int)row->inode);
	ss_end_cell(w);
	snprintf(number, sizeof(number), "%d", (int)row->peer_inode);
	ss_put_end(w, "*", " ", number);
	ss_put_users(w, row);
	if (w->v->memory)
		ss_put_memory(w, row);
	if (w->v->details)
		put_unix_details(w, row);
}

/* ---- PACKET ---- */

/* The names that ss has for what packet sockets receive; others are numbers. */
static const struct {
	uint16_t type;
	const char *name;
} ether_types[] = {
	{ ETH_P_LOOP, "loop" },
	{ ETH_P_PUP, "pup" },
	{ ETH_P_PUPAT, "pupat" },
	{ ETH_P_IP, "ip" },
	{ ETH_P_X25, "x25" },
	{ ETH_P_ARP, "arp" },
	{ ETH_P_BPQ, "bpq" },
	{ ETH_P_IEEEPUP, "ieeepup" },
	{ ETH_P_IEEEPUPAT, "ieeepupat" },
	{ ETH_P_DEC, "dec" },
	{ ETH_P_DNA_DL, "dna_dl" },
	{ ETH_P_DNA_RC, "dna_rc" },
	{ ETH_P_DNA_RT, "dna_rt" },
	{ ETH_P_LAT, "lat" },
	{ ETH_P_DIAG, "diag" },
	{ ETH_P_CUST, "cust" },
	{ ETH_P_SCA, "sca" },
	{ ETH_P_RARP, "rarp" },
	{ ETH_P_ATALK, "atalk" },
	{ ETH_P_AARP, "aarp" },
	{ ETH_P_IPX, "ipx" },
	{ ETH_P_IPV6, "ipv6" },
	{ ETH_P_PPP_DISC, "ppp_disc" },
	{ ETH_P_PPP_SES, "ppp_ses" },
	{ ETH_P_ATMMPOA, "atmmpoa" },
	{ ETH_P_ATMFATE, "atmfate" },
	{ ETH_P_802_3, "802_3" },
	{ ETH_P_AX25, "ax25" },
	{ ETH_P_802_2, "802_2" },
	{ ETH_P_SNAP, "snap" },
	{ ETH_P_DDCMP, "ddcmp" },
	{ ETH_P_WAN_PPP, "wan_ppp" },
	{ ETH_P_PPP_MP, "ppp_mp" },
	{ ETH_P_LOCALTALK, "localtalk" },
	{ ETH_P_CAN, "can" },
	{ ETH_P_PPPTALK, "ppptalk" },
	{ ETH_P_TR_802_2, "tr_802_2" },
	{ ETH_P_MOBITEX, "mobitex" },
	{ ETH_P_CONTROL, "control" },
	{ ETH_P_IRDA, "irda" },
	{ ETH_P_ECONET, "econet" },
	{ ETH_P_TIPC, "tipc" },
	{ ETH_P_PROFINET, "profinet" },
	{ ETH_P_AOE, "aoe" },
	{ ETH_P_ETHERCAT, "ethercat" },
	{ ETH_P_8021Q, "802.1Q" },
	{ ETH_P_8021AD, "802.1ad" },
	{ ETH_P_MPLS_UC, "mpls_uc" },
	{ ETH_P_MPLS_MC, "mpls_mc" },
	{ ETH_P_TEB, "teb" },
	{ ETH_P_LLDP, "LLDP" },
};

static void put_ether_type(struct ss_view *w, uint32_t type)
{
	if (type == ETH_P_ALL) {
		buf_putc(ss_text(w), '*');
		return;
	}
	for (size_t i = 0; !w->v->numeric && i < sizeof(ether_types) / sizeof(*ether_types); i++) {
		if (ether_types[i].type == type) {
			buf_puts(ss_text(w), ether_types[i].name);
			return;
		}
	}
	buf_printf(ss_text(w), "[%u]", type);
}

static void put_packet_info(struct ss_view *w, const struct pv_conversation *row)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} flags[] = { { PDI_RUNNING, "running" },
		      { PDI_AUXDATA, " auxdata" },
		      { PDI_ORIGDEV, " origdev" },
		      { PDI_VNETHDR, " vnethdr" },
		      { PDI_LOSS, " loss" } };
	struct packet_diag_info info;

	if (!ss_attribute(row, PACKET_DIAG_INFO, &info, sizeof(info)))
		return;
	ss_put_break(w, " ");
	buf_printf(ss_text(w), "ver:%u cpy_thresh:%u flags( ", info.pdi_version,
		   info.pdi_copy_thresh);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (info.pdi_flags & flags[i].bit)
			buf_puts(ss_text(w), flags[i].name);
	buf_puts(ss_text(w), info.pdi_flags ? " )" : "0 )");
}

static void put_packet_ring(struct ss_view *w, const struct pv_conversation *row, uint16_t type,
			    const char *name)
{
	struct packet_diag_ring r;

	if (!ss_attribute(row, type, &r, sizeof(r)))
		return;
	ss_put_break(w, " ");
	buf_printf(ss_text(w),
		   "%s(blk_size:%u,blk_nr:%u,frm_size:%u,frm_nr:%u,tmo:%u,features:0x%x)", name,
		   r.pdr_block_size, r.pdr_block_nr, r.pdr_frame_size, r.pdr_frame_nr,
		   r.pdr_retire_tmo, r.pdr_features);
}

static void put_fanout(struct ss_view *w, const struct pv_conversation *row)
{
	static const char *const types[] = { "hash", "lb", "cpu", "roll", "random", "qm" };
	uint32_t fanout;

	if (!ss_attribute(row, PACKET_DIAG_FANOUT, &fanout, sizeof(fanout)))
		return;
	ss_put_break(w, " ");
	buf_printf(ss_text(w), "fanout(id:%u,type:", fanout & 0xffff);
	if (fanout >> 16 < sizeof(types) / sizeof(*types))
		buf_printf(ss_text(w), "%s)", types[fanout >> 16]);
	else
		buf_printf(ss_text(w), "0x%x)", fanout >> 16);
}

static void put_bpf(struct ss_view *w, const struct pv_conversation *row)
{
	size_t len = 0;
	const char *data = pv_detail_attribute(row->detail, PACKET_DIAG_FILTER, &len);
	struct sock_filter code;

	if (!data)
		return;
	ss_put_break(w, " ");
	buf_printf(ss_text(w), "bpf filter (%zu): ", len / sizeof(code));
	for (; len >= sizeof(code); data += sizeof(code), len -= sizeof(code)) {
		memcpy(&code, data, sizeof(code));
		buf_printf(ss_text(w), " 0x%02x %u %u %u,", code.code, code.jt, code.jf, code.k);
	}
}

void ss_put_packet(struct ss_view *w, const struct pv_conversation *row)
{
	struct pv_conversation shown = *row;

	/* of these ss shows what they have received alone */
	shown.send_q = 0;
	ss_put_head(w, row->type == SOCK_RAW ? "p_raw" : "p_dgr", &shown);
	put_ether_type(w, row->local.port);
	buf_putc(ss_text(w), ':');
	ss_end_cell(w);
	if (row->ifindex)
		ss_put_ifname(w, row->ifindex);
	else
		buf_putc(ss_text(w), '*');
	ss_end_cell(w);
	ss_put_end(w, "", "*", "");
	ss_put_users(w, row);
	if (w->v->details) {
		ss_put_details(w, row);
		put_packet_info(w, row);
		put_packet_ring(w, row, PACKET_DIAG_RX_RING, "ring_rx");
		put_packet_ring(w, row, PACKET_DIAG_TX_RING, "ring_tx");
		put_fanout(w, row);
	}
	if (w->v->bpf)
		put_bpf(w, row);
	if (w->v->memory)
		ss_put_memory(w, row);
}

/* ---- NETLINK ---- */

static const char *const netlink_protocols[] = {
	[NETLINK_ROUTE] = "rtnl",
	[NETLINK_UNUSED] = "unused",
	[NETLINK_USERSOCK] = "usersock",
	[NETLINK_FIREWALL] = "fw",
	[NETLINK_SOCK_DIAG] = "tcpdiag",
	[NETLINK_NFLOG] = "nflog",
	[NETLINK_XFRM] = "xfrm",
	[NETLINK_SELINUX] = "selinux",
	[NETLINK_ISCSI] = "iscsi",
	[NETLINK_AUDIT] = "audit",
	[NETLINK_FIB_LOOKUP] = "fiblookup",
	[NETLINK_CONNECTOR] = "connector",
	[NETLINK_NETFILTER] = "nft",
	[NETLINK_IP6_FW] = "ip6fw",
	[NETLINK_DNRTMSG] = "dec-rt",
	[NETLINK_KOBJECT_UEVENT] = "uevent",
	[NETLINK_GENERIC] = "genl",
	[NETLINK_SCSITRANSPORT] = "scsi-trans",
	[NETLINK_ECRYPTFS] = "ecryptfs",
	[NETLINK_RDMA] = "rdma",
	[NETLINK_CRYPTO] = "crypto",
};

/* "sshd/812": most programs take their pid as the number of their port. */
static void put_port_owner(struct ss_view *w, uint32_t port)
{
	_cleanup_(cleanup_buf) struct buf comm = BUF_INIT;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/comm", port);
	if (!w->v->replay && port <= INT32_MAX && file_read_at(-1, path, &comm) == 0 &&
	    comm.len > 1) {
		ss_put_foreign(w, comm.data, comm.len - 1);
		buf_putc(ss_text(w), '/');
	}
	buf_printf(ss_text(w), "%d", (int)port);
}

static void put_netlink_local(struct ss_view *w, const struct pv_conversation *row)
{
	const size_t n = sizeof(netlink_protocols) / sizeof(*netlink_protocols);

	if (!w->v->numeric && row->protocol < n && netlink_protocols[row->protocol])
		buf_puts(ss_text(w), netlink_protocols[row->protocol]);
	else
		buf_u64(ss_text(w), row->protocol);
	buf_putc(ss_text(w), ':');
	ss_end_cell(w);
	if (row->local.port == UINT32_MAX)
		buf_putc(ss_text(w), '*');
	else if (w->v->numeric)
		buf_printf(ss_text(w), "%d", (int)row->local.port);
	else if (row->local.port == 0)
		buf_puts(ss_text(w), "kernel");
	else
		put_port_owner(w, row->local.port);
	ss_end_cell(w);
}

/* The port of a netlink socket is often the pid of who made it. */
static void put_netlink_context(struct ss_view *w, int32_t pid)
{
	char context[256];
	bool is_known = pid >= 0 && pv_context_read(pid, context, sizeof(context)) == 0;

	buf_puts(ss_text(w), " proc_ctx=");
	if (is_known)
		ss_put_foreign(w, context, strlen(context));
	else
		buf_puts(ss_text(w), "unavailable");
}

void ss_put_netlink(struct ss_view *w, const struct pv_conversation *row)
{
	struct pv_conversation shown = *row;
	uint64_t groups;

	/* ss knows no other state of these */
	shown.state = PV_STATE_CLOSE;
	ss_put_head(w, "nl", &shown);
	put_netlink_local(w, row);
	if (row->state == PV_STATE_ESTABLISHED) {
		char port[16];

		snprintf(port, sizeof(port), "%d", (int)row->remote.port);
		/* the group is one that no socket connects to in practice */
		ss_put_end(w, "0", ":", port);
	} else {
		ss_put_end(w, "", "*", "");
	}
	if (w->v->context || w->v->contexts)
		put_netlink_context(w, (int32_t)row->local.port);
	if (w->v->details) {
		ss_attribute(row, NETLINK_DIAG_GROUPS, &groups, sizeof(groups));
		buf_printf(ss_text(w), " sk=0 cb=0 groups=0x%08x", (uint32_t)groups);
	}
	if (w->v->memory) {
		buf_putc(ss_text(w), '\t');
		ss_put_memory(w, row);
	}
}

/* ---- VSOCK ---- */

static void put_vsock_end(struct ss_view *w, const struct pv_endpoint *e)
{
	uint32_t cid;

	memcpy(&cid, e->addr, sizeof(cid));
	if (cid == VMADDR_CID_ANY)
		buf_putc(ss_text(w), '*');
	else
		buf_u64(ss_text(w), cid);
	buf_putc(ss_text(w), ':');
	ss_end_cell(w);
	if (e->port == 0)
		buf_putc(ss_text(w), '*');
	else
		buf_u64(ss_text(w), e->port);
	ss_end_cell(w);
}

void ss_put_vsock(struct ss_view *w, const struct pv_conversation *row)
{
	ss_put_head(w,
		    row->type == SOCK_STREAM  ? "v_str"
		    : row->type == SOCK_DGRAM ? "v_dgr"
					      : "???",
		    row);
	put_vsock_end(w, &row->local);
	put_vsock_end(w, &row->remote);
	ss_put_users(w, row);
}

/* ---- XDP ---- */

static void put_xdp_ring(struct ss_view *w, const struct pv_conversation *row, uint16_t type,
			 const char *name)
{
	struct xdp_diag_ring r;

	if (!ss_attribute(row, type, &r, sizeof(r)))
		return;
	ss_put_break(w, " ");
	buf_printf(ss_text(w), "%s(entries:%u)", name, r.entries);
}

static void put_xdp_umem(struct ss_view *w, const struct pv_conversation *row)
{
	struct xdp_diag_umem u;

	if (!ss_attribute(row, XDP_DIAG_UMEM, &u, sizeof(u)))
		return;
	/* on one line it is "tumem", as ss has it */
	ss_put_break(w, " t");
	buf_printf(ss_text(w),
		   "umem(id:%u,size:%llu,num_pages:%u,chunk_size:%u,headroom:%u,ifindex:%u,"
		   "qid:%u,zc:%u,refs:%u)",
		   u.id, (unsigned long long)u.size, u.num_pages, u.chunk_size, u.headroom,
		   u.ifindex, u.queue_id, u.flags & XDP_DU_F_ZEROCOPY, u.refs);
	put_xdp_ring(w, row, XDP_DIAG_UMEM_FILL_RING, "fr");
	put_xdp_ring(w, row, XDP_DIAG_UMEM_COMPLETION_RING, "cr");
}

static void put_xdp_stats(struct ss_view *w, const struct pv_conversation *row)
{
	struct xdp_diag_stats s;

	if (!ss_attribute(row, XDP_DIAG_STATS, &s, sizeof(s)))
		return;
	ss_put_break(w, " ");
	buf_printf(ss_text(w),
		   "stats(rx dropped:%llu,rx invalid:%llu,rx queue full:%llu,rx fill ring "
		   "empty:%llu,tx invalid:%llu,tx ring empty:%llu)",
		   (unsigned long long)s.n_rx_dropped, (unsigned long long)s.n_rx_invalid,
		   (unsigned long long)s.n_rx_full, (unsigned long long)s.n_fill_ring_empty,
		   (unsigned long long)s.n_tx_invalid, (unsigned long long)s.n_tx_ring_empty);
}

void ss_put_xdp(struct ss_view *w, const struct pv_conversation *row)
{
	struct pv_conversation shown = *row;
	char queue[16];

	shown.send_q = 0;
	ss_put_head(w, "xdp", &shown);
	if (row->ifindex) {
		snprintf(queue, sizeof(queue), "q%u", row->local.port);
		ss_put_ifname(w, row->ifindex);
		ss_put_end(w, "", ":", queue);
	} else {
		ss_put_end(w, "", "*", "");
	}
	ss_put_end(w, "", "*", "");
	ss_put_users(w, row);
	if (w->v->details) {
		ss_put_details(w, row);
		put_xdp_ring(w, row, XDP_DIAG_RX_RING, "rx");
		put_xdp_ring(w, row, XDP_DIAG_TX_RING, "tx");
		put_xdp_umem(w, row);
		put_xdp_stats(w, row);
	}
	if (w->v->memory)
		ss_put_memory(w, row);
}
